/* The cylinder engine: isotropic components with means on an axis and deviations of their own, in any dimension.
 * Every component k has a block, log r_t where p_k has its mass, on the patches of a quadtree, in coordinates in
 * which p_k does not depend on t (law/cylinder/transfer.h). E_p f(r) = sum_k w_k E_{p_k} f(r) with the known
 * densities p_k makes the whole law of the blocks, and E_{p_k}(r - 1) is the error of a component's mass. */
#include <gsl/gsl_cdf.h>
#include <math.h>

#include "core/memory.h"
#include "law/cylinder/columns.h"
#include "law/cylinder/transfer.h"
#include "law/cylinder/tuning.h"
#include "law/normal.h"
#include "law/patches_check.h"
#include "law/propagate.h"
#include "law/tuning.h"

extern const struct law_engine engine_cylinder;

struct block {
    struct patches grid[SLOTS];
    double distance;                     /* E_{p_k}|r - 1| after the last stage */
    struct error_account errors[STAGES]; /* local errors in norms of p_k */
    double rounding_squared;
};

/* What the patches of any component cover, in its own coordinates. */
struct domain {
    double across, root, shift; /* half of the root's side; the patches' second coordinate is z - shift */
};

struct cylinder {
    struct propagation *run;
    double sharpness;
    struct domain domain;
    struct axis_level level[SLOTS], other[SAMPLER_OTHER_LEVELS];
    struct block *block;
    struct patches pending;
    struct lobattos lobattos;
    struct bessel bessel;
    struct cylinder_thread *thread; /* of the team */
    struct cylinder_oracle oracle;
    struct cylinder_transfer transfer; /* the present stage, of one component at a time */
    size_t from, to;                   /* slots */
};

struct cylinder_thread {
    struct cylinder *cylinder;
    struct cylinder_work work;
};

static size_t components(const struct cylinder *cylinder)
{
    return cylinder->run->problem->factor->components;
}

/* The components that are followed: [first, end), all of them or one. */
static size_t first(const struct cylinder *cylinder)
{
    size_t only = cylinder->run->problem->component;
    return only > 0 ? only - 1 : 0;
}

static size_t end(const struct cylinder *cylinder)
{
    size_t only = cylinder->run->problem->component;
    return only > 0 ? only : components(cylinder);
}

/* Of component k in the law that is computed. */
static double weight_of(const struct cylinder *cylinder, size_t k)
{
    return cylinder->run->problem->component > 0 ? 1.0 : cylinder->run->problem->factor->weight[k];
}

static void cylinder_free(void *state)
{
    struct cylinder *cylinder = state;
    for (size_t i = 0; i < SLOTS; i++) {
        axis_level_free(&cylinder->level[i]);
        for (size_t k = 0; cylinder->block != NULL && k < components(cylinder); k++)
            patches_free(&cylinder->block[k].grid[i]);
    }
    for (size_t i = 0; i < SAMPLER_OTHER_LEVELS; i++)
        axis_level_free(&cylinder->other[i]);
    free(cylinder->block);
    patches_free(&cylinder->pending);
    for (size_t i = 0; i < team_threads(cylinder->run->team) && cylinder->thread != NULL; i++)
        cylinder_work_free(&cylinder->thread[i].work);
    free(cylinder->thread);
    free(cylinder);
}

/* ---- Where the patches lie ---- */

/* Chernoff: P(chi2_n is beyond n v, on the side away from n) <= exp(-n (v - 1 - log v)/2), v = 1 + 2 z/sqrt(n). */
static double log_mass_beyond(double across, double z)
{
    double relative = fmax(1.0 + 2.0 * z / sqrt(across), 0.0);
    return relative > 0.0 ? 0.5 * across * (relative - 1.0 - log(relative)) : HUGE_VAL;
}

/* The tree covers the largest z of a component. Where its mass comes near the axis, z = -sqrt(n)/2, the tree begins
 * there, so that no patch reaches across; else it is symmetric around z = 0. */
static struct domain domain_of(double across)
{
    struct domain domain = {.across = across};
    double lowest = -0.5 * sqrt(across), highest = 1.0;
    while (log_mass_beyond(across, highest) < CYLINDER_REACH)
        highest *= 1.05;
    bool meets_axis = log_mass_beyond(across, fmax(-CYLINDER_COLUMN_REACH, 0.99 * lowest)) < 2.0 * CYLINDER_REACH;
    double half = fmax(CYLINDER_COLUMN_REACH, meets_axis ? 0.5 * (highest - lowest) : highest);
    domain.root = exp2(ceil(log2(half)));
    domain.shift = meets_axis ? lowest + domain.root : 0.0;
    return domain;
}

static void place(const void *context, struct patch *patch, const struct patch_root *root)
{
    (void)context;
    patch->half = ldexp(root->half, -patch->depth);
    patch->anchor = 0;
    for (int i = 0; i < 2; i++)
        patch->centre[i] = patch->half * (2.0 * (double)patch->at[i] + 1.0) - root->half;
}

static double scale(const void *context, const struct patch *patch)
{
    (void)context;
    (void)patch;
    return CYLINDER_SCALE;
}

static double nearest_to_0(double centre, double half)
{
    return fabs(centre) <= half ? 0.0 : centre > 0.0 ? centre - half : centre + half;
}

static bool covers(const void *context, const struct patch *patch)
{
    const struct domain *domain = context;
    double u = nearest_to_0(patch->centre[0], patch->half), z = patch->centre[1] + domain->shift;
    if (z + patch->half <= -0.5 * sqrt(domain->across))
        return false;
    double across = log_mass_beyond(domain->across, nearest_to_0(z, patch->half));
    if (domain->shift != 0.0 && z < 0.0) /* up to the axis, where quadrature rules end: no edge of the grid before */
        across = fmin(across, CYLINDER_AXIS_REACH);
    return 0.5 * u * u + across < CYLINDER_REACH;
}

static double chi2_between(double across, double from, double to)
{
    double a = fmax(across + 2.0 * sqrt(across) * from, 0.0), b = fmax(across + 2.0 * sqrt(across) * to, 0.0);
    return a > across ? gsl_cdf_chisq_Q(a, across) - gsl_cdf_chisq_Q(b, across)
                      : gsl_cdf_chisq_P(b, across) - gsl_cdf_chisq_P(a, across);
}

static double mass(const void *context, const struct patch *patch)
{
    const struct domain *domain = context;
    double z = patch->centre[1] + domain->shift, half = patch->half;
    return normal_between(patch->centre[0] - half, patch->centre[0] + half)
           * chi2_between(domain->across, z - half, z + half);
}

static const struct patch_domain cylinder_domain = {.place = place, .scale = scale, .covers = covers, .mass = mass};

/* ---- Functions of the geometry ---- */

static enum status cylinder_new(struct propagation *run, void **state, struct error *error)
{
    const struct factor *factor = run->problem->factor;
    struct cylinder *cylinder = *state = array_new(1, sizeof *cylinder);
    if (cylinder == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for the cylinder engine");
    cylinder->run = run;
    cylinder->sharpness = pow(run->resolution, -CYLINDER_TOLERANCE_POWER);
    cylinder->domain = domain_of((double)factor->dimension - 1.0);
    lobattos_init(&cylinder->lobattos);
    bessel_init(0.5 * cylinder->domain.across - 1.0, &cylinder->bessel);
    cylinder_oracle_init(&cylinder->oracle);
    cylinder->oracle.undeclared = &run->undeclared;
    cylinder->block = array_new(factor->components, sizeof *cylinder->block);
    cylinder->thread = array_new(team_threads(run->team), sizeof *cylinder->thread);
    if (cylinder->block == NULL || cylinder->thread == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu components", factor->components);
    for (size_t i = 0; i < team_threads(run->team); i++) {
        cylinder->thread[i].cylinder = cylinder;
        TRY(cylinder_work_new(run->problem->sampler, &cylinder->thread[i].work, error));
    }
    for (size_t i = 0; i < SLOTS; i++)
        TRY(axis_level_new(factor, &cylinder->level[i], error));
    for (size_t i = 0; i < SAMPLER_OTHER_LEVELS && run->problem->sampler->other_levels != NULL; i++)
        TRY(axis_level_new(factor, &cylinder->other[i], error));
    return STATUS_OK;
}

static void set_level(void *state, size_t slot, const struct level *level)
{
    axis_level_set(&((struct cylinder *)state)->level[slot], level);
}

static void set_score(void *state, size_t from, size_t to)
{
    struct cylinder *cylinder = state;
    struct cylinder_oracle *oracle = &cylinder->oracle;
    struct level levels[SAMPLER_LEVELS];
    oracle->levels = sampler_levels(cylinder->run->problem->sampler, &cylinder->run->step, levels);
    oracle->density[0] = &cylinder->level[from];
    oracle->density[1] = &cylinder->level[to];
    for (size_t i = 2; i < oracle->levels; i++) {
        axis_level_set(&cylinder->other[i - 2], &levels[i]);
        oracle->density[i] = &cylinder->other[i - 2];
    }
}

static enum status prepare_stage(void *state, const struct stage *stage, size_t from, size_t to, struct error *error)
{
    struct cylinder *cylinder = state;
    (void)error;
    cylinder->from = from;
    cylinder->to = to;
    cylinder->transfer = (struct cylinder_transfer){.stage = *stage,
                                                    .from = &cylinder->level[from],
                                                    .to = &cylinder->level[to],
                                                    .lobattos = &cylinder->lobattos,
                                                    .oracle = &cylinder->oracle,
                                                    .across = cylinder->domain.across,
                                                    .shift = cylinder->domain.shift,
                                                    .bessel = &cylinder->bessel};
    return STATUS_OK;
}

/* log r_T = log N(x; 0, I) - log p_T(x) at the points of a patch, with log(N(x; 0, I)/p_k(x)) from V - 1 = abar (s^2
 * - 1), of component k. */
static void evaluate_start(struct cylinder_thread *thread, const struct patch *patch, const struct patch_query *query,
                           double *log_ratio)
{
    const struct cylinder *cylinder = thread->cylinder;
    const struct axis_level *level = &cylinder->level[0];
    size_t k = cylinder->transfer.component, points = query->nx * query->ny;
    double s = level->factor->sd[k], excess = level->level.alpha_bar * (s - 1.0) * (s + 1.0), *x = thread->work.x;
    double centre = level->root_alpha_bar * level->mean[k], precision = level->inverse_variance[k];
    for (size_t i = 0; i < points; i++) {
        double z = patch->centre[1] + patch->half * query->y[i % query->ny] + cylinder->domain.shift;
        x[i] = level->sd[k] * (patch->centre[0] + patch->half * query->x[i / query->ny]);
        x[points + i] = level->sd[k] * cylinder_radius(cylinder->domain.across, z);
    }
    axis_level_evaluate(level, k, points, x, log_ratio, NULL);
    for (size_t i = 0; i < points; i++) {
        double square = x[i] * x[i] + x[points + i] * x[points + i];
        log_ratio[i] = 0.5 * level->dimension * log1p(excess) - 0.5 * square * excess * precision
                       - centre * (x[i] + 0.5 * centre) - log_ratio[i];
    }
}

static void evaluate(const struct patch_source *source, const struct patch *patch, const struct patch_query *query,
                     double *log_ratio, double *log_density)
{
    struct cylinder_thread *thread = source->owner;
    const struct cylinder *cylinder = thread->cylinder;
    for (size_t i = 0; i < query->nx * query->ny; i++)
        log_density[i] =
            cylinder_log_density(cylinder->domain.across, patch->centre[0] + patch->half * query->x[i / query->ny],
                                 patch->centre[1] + patch->half * query->y[i % query->ny] + cylinder->domain.shift);
    if (source->start)
        evaluate_start(thread, patch, query, log_ratio);
    else
        cylinder_transfer_apply(&cylinder->transfer, &thread->work, patch, query, log_ratio);
}

static void use_thread(struct patch_source *source, size_t thread)
{
    struct cylinder_thread *own = (struct cylinder_thread *)source->owner + thread;
    source->owner = own;
    source->work = &own->work.patches;
}

static double tolerance_of(const struct cylinder *cylinder, const struct block *block)
{
    const struct schedule *schedule = cylinder->run->problem->schedule;
    double distance = fmax(block->distance, CYLINDER_EXPECTED_DISTANCE * schedule->h * schedule->h);
    double relative = CYLINDER_TOLERANCE * distance / (double)(schedule->T - 1);
    return cylinder->sharpness * fmax(relative, CYLINDER_LEAST_TOLERANCE);
}

static struct patch_source source_of(struct cylinder *cylinder, bool start, double tolerance)
{
    return (struct patch_source){.domain = &cylinder_domain,
                                 .context = &cylinder->domain,
                                 .owner = cylinder->thread,
                                 .sampler = cylinder->run->problem->sampler->name,
                                 .start = start,
                                 .evaluate = evaluate,
                                 .jacobian = 1.0,
                                 .is_part = true,
                                 .most = CYLINDER_MOST_PATCHES,
                                 .tolerance = tolerance,
                                 .floor = CYLINDER_TAIL_FLOOR
                                          * (1.0 + cylinder->domain.across * cylinder->run->problem->schedule->h),
                                 .lobattos = &cylinder->lobattos,
                                 .work = &cylinder->thread->work.patches,
                                 .team = cylinder->run->team,
                                 .use_thread = use_thread};
}

/* Adds `weight` times the norms of one component. */
static void add_part(struct norms *total, struct norms part, double weight)
{
    total->l1 += weight * part.l1;
    total->l2 = hypot(total->l2, sqrt(weight) * part.l2);
}

/* All patches get the highest orders of those with mass: where the orders of neighbours differ, so do their errors of
 * quadrature, and log r jumps between them, which the polynomials of the next stages would have to resolve. */
static void share_orders(struct patches *grid)
{
    size_t top[2] = {0, 0};
    for (size_t p = 0; p < grid->count; p++)
        for (int i = 0; i < 2; i++)
            if (grid->patch[p].mass > CYLINDER_SHARED_MASS && grid->patch[p].order[i] > top[i])
                top[i] = grid->patch[p].order[i];
    for (size_t p = 0; p < grid->count; p++)
        for (int i = 0; i < 2; i++)
            if (grid->patch[p].order[i] < top[i])
                grid->patch[p].order[i] = top[i];
}

static enum status fill_block(struct cylinder *cylinder, size_t k, bool checked, double rounding,
                              struct step_error *error_of, struct error *error)
{
    struct block *block = &cylinder->block[k];
    struct patches *result = &block->grid[cylinder->to];
    struct error_account *account = &block->errors[cylinder->transfer.stage.index];
    struct patch_source source = source_of(cylinder, false, tolerance_of(cylinder, block));
    struct patches_found found;
    cylinder->transfer.component = k;
    cylinder->transfer.grid = &block->grid[cylinder->from];
    TRY(patches_plan(&source, cylinder->transfer.grid, checked, &cylinder->pending, error));
    TRY(patches_fill(&source, &cylinder->pending, result, error));
    block->distance = source.distance;
    block->rounding_squared += rounding * rounding;
    account->unchecked++;
    if (!checked)
        return STATUS_OK;
    TRY(patches_check(&source, result, &found, error));
    *error_of = found.error;
    share_orders(result);
    error_account_add(account, error_of);
    return STATUS_OK;
}

static enum status fill_stage(void *state, bool checked, struct stage_result *out, struct error *error)
{
    struct cylinder *cylinder = state;
    double terms = cylinder->domain.across * cylinder->run->step.omega;
    out->rounding = PATCH_ROUNDING * (1.0 + CYLINDER_ROUNDING_TERMS * terms);
    for (size_t k = first(cylinder); k < end(cylinder); k++) {
        struct step_error of_block = {{0.0, 0.0, 0.0}, {0.0, 0.0, 0.0}, {0.0, 0.0, 0.0}};
        TRY(fill_block(cylinder, k, checked, out->rounding, &of_block, error));
        double weight = weight_of(cylinder, k);
        add_part(&out->error.before, of_block.before, weight);
        add_part(&out->error.itself, of_block.itself, weight);
        add_part(&out->error.after, of_block.after, weight);
    }
    return STATUS_OK;
}

/* In two passes: the tolerance of the second follows from the distance that the first finds. */
static enum status start(void *state, struct norms *local, struct error *error)
{
    struct cylinder *cylinder = state;
    for (size_t k = first(cylinder); k < end(cylinder); k++) {
        struct block *block = &cylinder->block[k];
        struct patch_source source = source_of(cylinder, true, HUGE_VAL);
        struct patches_found found;
        cylinder->transfer.component = k;
        for (int pass = 0; pass < 2; pass++) {
            TRY(patches_cover(&cylinder_domain, &cylinder->domain, (struct patch_root){.half = cylinder->domain.root},
                              CYLINDER_FIRST_SIDE, CYLINDER_FIRST_ORDER, &cylinder->pending, error));
            TRY(patches_fill(&source, &cylinder->pending, &block->grid[0], error));
            block->distance = source.distance;
            source.tolerance = tolerance_of(cylinder, block);
        }
        TRY(patches_check(&source, &block->grid[0], &found, error));
        block->errors[STAGE_MAP].total = found.error.itself;
        add_part(local, found.error.itself, weight_of(cylinder, k));
    }
    return STATUS_OK;
}

/* By quadrature at the nodes of all patches, normalised in each to its mass of q, since the nodes need not resolve
 * p_k. */
static void correction_moments(void *state, struct clip_step *out)
{
    struct cylinder *cylinder = state;
    double weight[PATCH_MOST * PATCH_MOST], norm[PATCH_MOST * PATCH_MOST], u[PATCH_MOST * PATCH_MOST],
        z[PATCH_MOST * PATCH_MOST];
    for (size_t k = first(cylinder); k < end(cylinder); k++)
        for (size_t p = 0; p < cylinder->block[k].grid[cylinder->from].count; p++) {
            const struct patch *patch = &cylinder->block[k].grid[cylinder->from].patch[p];
            const struct lobatto *by[2] = {lobatto_of(&cylinder->lobattos, patch->nodes[0]),
                                           lobatto_of(&cylinder->lobattos, patch->nodes[1])};
            size_t points = patch->nodes[0] * patch->nodes[1];
            double total = 0.0;
            for (size_t i = 0; i < points; i++) {
                size_t column = i / patch->nodes[1], row = i % patch->nodes[1];
                u[i] = patch->centre[0] + patch->half * by[0]->node[column];
                z[i] = patch->centre[1] + patch->half * by[1]->node[row] + cylinder->domain.shift;
                weight[i] = by[0]->weight[column] * by[1]->weight[row]
                            * exp(cylinder_log_density(cylinder->domain.across, u[i], z[i]) + patch->value[i]);
                total += weight[i];
            }
            cylinder->transfer.component = k;
            cylinder_correction(&cylinder->transfer, &cylinder->thread->work, points, u, z, norm);
            for (size_t i = 0; i < points; i++)
                weight[i] *= total > 0.0 ? weight_of(cylinder, k) * patch->mass / total : 0.0;
            clip_step_add(out, cylinder->run->problem->schedule->T, points, weight, norm);
        }
}

static enum status finish(void *state, size_t slot, struct law *out, struct error *error)
{
    struct cylinder *cylinder = state;
    size_t count = components(cylinder);
    enum status status;
    struct patches *grid = array_new(count, sizeof *grid);
    double *distance = array_new(count, sizeof *distance);
    out->component_error = array_new(count, sizeof *out->component_error);
    for (size_t i = 0; i < team_threads(cylinder->run->team); i++)
        out->node_updates += cylinder->thread[i].work.node_updates;
    if (grid == NULL || distance == NULL || out->component_error == NULL)
        TRY_OR(done, fail_with(error, STATUS_MEMORY, "out of memory for %zu components", count));
    for (size_t k = first(cylinder); k < end(cylinder); k++) {
        const struct block *block = &cylinder->block[k];
        grid[k] = block->grid[slot];
        distance[k] = block->distance;
        out->component_error[k] = MASS_FACTOR
                                  * (block->errors[STAGE_MAP].total.l1 + block->errors[STAGE_NOISE].total.l1
                                     + ROUNDING_DEVIATIONS * sqrt(block->rounding_squared));
    }
    TRY_OR(done,
           cylinder_columns_make(grid, cylinder->domain.shift, cylinder->run->problem, &cylinder->lobattos,
                                 &cylinder->level[slot].level, cylinder->run->resolution, distance, out, error));
done:
    free(grid);
    free(distance);
    return status;
}

static const struct geometry geometry = {
    .check_stride = CYLINDER_CHECK_STRIDE,
    .needs_noise = true,
    .new = cylinder_new,
    .free = cylinder_free,
    .set_level = set_level,
    .start = start,
    .set_score = set_score,
    .prepare_stage = prepare_stage,
    .fill_stage = fill_stage,
    .correction_moments = correction_moments,
    .finish = finish,
};

static enum status compute(const struct law_problem *problem, double resolution, struct law *out, struct error *error)
{
    return propagate(&geometry, &engine_cylinder, problem, resolution, out, error);
}

/* Score errors act along single coordinates, which rotations around the axis do not preserve; maps without noise have
 * no quadrature here. */
static int handles(const struct law_problem *problem)
{
    bool exact = !(problem->error_share > 0.0) || problem->score_error->shape == NULL;
    return exact && axis_factor(problem->factor) && problem->sampler->log_noise_ratio != NULL
           && !conditions_broken(problem->conditions, CONDITION_ROTATES | CONDITION_SHIFTS);
}

const struct law_engine engine_cylinder = {
    .name = "cylinder",
    .doc = "Density-ratio propagation in the place along an axis and the distance from it, for mixtures of isotropic "
           "Gaussians with means on that axis in any dimension; stochastic samplers and exact scores.",
    .formula = "as `line`, with r a function of (a, rho); the noise is Gaussian in a and noncentral chi in rho",
    .source = "theory (14)-(15), with the directions across integrated",
    .parts = true,
    .wanted_radius = 1e-4, /* a higher resolution takes many times as long */
    .handles = handles,
    .compute = compute,
};
