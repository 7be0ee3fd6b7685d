/* The plane engine: log r_t on the patches of a quadtree, carried from level to level by theory (14)-(15) in two
 * dimensions (law/plane/transfer.c).
 *
 * Patches adapt to what they hold: each has as many nodes in either direction, and as high a quadrature order, as its
 * share of the tolerated error requires, weighed by the mass of q in it; the tails of its polynomials decide in every
 * step, off-grid points against a higher order in checked steps. A patch is filled by Gauss-Hermite sums around each
 * node or, where those need many points, by a lattice that all such patches share (law/plane/lattice.c). Steps that
 * leave log r as it is, up to the tolerance, are left out. */
#include <math.h>

#include "core/memory.h"
#include "law/patches_check.h"
#include "law/patches_fill.h"
#include "law/plane/domain.h"
#include "law/plane/lattice.h"
#include "law/plane/rows.h"
#include "law/plane/transfer.h"
#include "law/plane/tuning.h"
#include "law/propagate.h"
#include "law/tuning.h"

extern const struct law_engine engine_plane;

struct plane {
    struct propagation *run;
    double sharpness;
    struct joint_level level[SLOTS], other[SAMPLER_OTHER_LEVELS];
    struct patches grid[SLOTS], pending;
    struct lobattos lobattos;
    struct quadrature_table rules;
    struct plane_work work;
    struct plane_oracle oracle;
    double *marginals;              /* what the directions' factors point to */
    struct plane_transfer transfer; /* the present stage, which fills `result` */
    struct patches *source, *result;
    struct lattice lattice, finer; /* of the stage, for patches that go by it; and what checks it */
    double density[STAGES];        /* points of the lattice in a standard deviation of the noise */
    bool unchanged[STAGES];        /* it leaves the polynomials as they are, up to the next check */
    double distance;               /* E_p|r - 1| after the last stage */
};

static void plane_free(void *state)
{
    struct plane *plane = state;
    for (size_t i = 0; i < SLOTS; i++) {
        joint_level_free(&plane->level[i]);
        patches_free(&plane->grid[i]);
    }
    for (size_t i = 0; i < SAMPLER_OTHER_LEVELS; i++)
        joint_level_free(&plane->other[i]);
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < SAMPLER_LEVELS; j++)
            mixture_level_free(&plane->oracle.direction[i].level[j]);
    patches_free(&plane->pending);
    lattice_free(&plane->lattice);
    lattice_free(&plane->finer);
    quadrature_table_free(&plane->rules);
    plane_work_free(&plane->work);
    free(plane->marginals);
    free(plane);
}

/* ---- Score errors ---- */

/* The directions that the error acts in: both axes, the first, or the diagonal. */
static enum status set_directions(struct plane *plane, struct error *error)
{
    const struct law_problem *problem = plane->run->problem;
    const struct factor *factor = problem->factor;
    size_t components = factor->components;
    if (!(problem->error_share > 0.0))
        return STATUS_OK;
    enum error_spread spread = problem->score_error->spread;
    plane->marginals = array_new(components, 2 * sizeof *plane->marginals);
    if (plane->marginals == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a mixture of %zu components", components);
    plane->oracle.directions = spread == SPREAD_ALL ? 2 : 1;
    for (size_t i = 0; i < plane->oracle.directions; i++) {
        struct plane_direction *direction = &plane->oracle.direction[i];
        double *mean = plane->marginals + i * components;
        direction->axis[0] = spread == SPREAD_DIAGONAL ? M_SQRT1_2 : i == 0 ? 1.0 : 0.0;
        direction->axis[1] = spread == SPREAD_DIAGONAL ? M_SQRT1_2 : i == 0 ? 0.0 : 1.0;
        for (size_t k = 0; k < components; k++)
            mean[k] = direction->axis[0] * factor->mean[2 * k] + direction->axis[1] * factor->mean[2 * k + 1];
        direction->factor =
            (struct factor){1, components, factor->weight, mean, factor->sd, NULL, factor->log_weight, NULL};
        for (size_t j = 0; j < SAMPLER_LEVELS; j++)
            TRY(mixture_level_new(&direction->factor, &direction->level[j], error));
    }
    return STATUS_OK;
}

static void set_score(void *state, size_t from, size_t to)
{
    struct plane *plane = state;
    struct plane_oracle *oracle = &plane->oracle;
    struct level levels[SAMPLER_LEVELS];
    oracle->levels = sampler_levels(plane->run->problem->sampler, &plane->run->step, levels);
    oracle->density[0] = &plane->level[from];
    oracle->density[1] = &plane->level[to];
    for (size_t i = 2; i < oracle->levels; i++) {
        joint_level_set(&plane->other[i - 2], &levels[i]);
        oracle->density[i] = &plane->other[i - 2];
    }
    for (size_t i = 0; i < oracle->directions; i++)
        for (size_t at = 0; at < oracle->levels; at++) {
            struct plane_direction *direction = &oracle->direction[i];
            mixture_level_set(&direction->level[at], &levels[at]);
            propagation_score_error(plane->run, at, plane->run->problem->error_share / (double)oracle->directions,
                                    &direction->level[at], &direction->error[at]);
        }
}

static enum status plane_new(struct propagation *run, void **state, struct error *error)
{
    const struct law_problem *problem = run->problem;
    struct plane *plane = *state = array_new(1, sizeof *plane);
    if (plane == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for the plane engine");
    plane->run = run;
    plane->sharpness = pow(run->resolution, -PLANE_TOLERANCE_POWER);
    for (size_t i = 0; i < STAGES; i++)
        plane->density[i] = PLANE_FIRST_DENSITY;
    lobattos_init(&plane->lobattos);
    plane_oracle_init(&plane->oracle);
    plane->oracle.undeclared = &run->undeclared;
    plane->oracle.original = run->original;
    TRY(quadrature_table_new(&plane->rules, 0, error));
    TRY(plane_work_new(problem->sampler, &plane->work, error));
    for (size_t i = 0; i < SLOTS; i++)
        TRY(joint_level_new(plane->run->problem->factor, &plane->level[i], error));
    for (size_t i = 0; i < SAMPLER_OTHER_LEVELS && problem->sampler->other_levels != NULL; i++)
        TRY(joint_level_new(plane->run->problem->factor, &plane->other[i], error));
    return set_directions(plane, error);
}

static void set_level(void *state, size_t slot, const struct level *level)
{
    joint_level_set(&((struct plane *)state)->level[slot], level);
}

/* ---- Clips ---- */

/* The norm of the correction under q, at the nodes of all patches; the nodes of a patch need not resolve p, but the
 * mass of q in it is known. */
static void correction_moments(void *state, struct clip_step *out)
{
    struct plane *plane = state;
    const struct plane_transfer *transfer = &plane->transfer;
    double weight[PATCH_MOST * PATCH_MOST], norm[PATCH_MOST * PATCH_MOST];
    double *x = plane->work.x, *correction = plane->work.increment;
    for (size_t p = 0; p < transfer->grid->count; p++) {
        const struct patch *patch = &transfer->grid->patch[p];
        const struct lobatto *by[2] = {lobatto_of(&plane->lobattos, patch->nodes[0]),
                                       lobatto_of(&plane->lobattos, patch->nodes[1])};
        size_t points = patch->nodes[0] * patch->nodes[1];
        double total = 0.0;
        for (size_t i = 0; i < points; i++) {
            size_t column = i / patch->nodes[1], row = i % patch->nodes[1];
            x[i] = transfer->from->root_alpha_bar * (patch->centre[0] + patch->half * by[0]->node[column]);
            x[points + i] = transfer->from->root_alpha_bar * (patch->centre[1] + patch->half * by[1]->node[row]);
            weight[i] = by[0]->weight[column] * by[1]->weight[row];
        }
        joint_level_evaluate(transfer->from, patch->anchor, points, points, x, plane->work.log_density, NULL);
        for (size_t i = 0; i < points; i++)
            total += weight[i] *= exp(plane->work.log_density[i] + patch->value[i]);
        plane->oracle.anchor = patch->anchor;
        plane->oracle.work = plane->work.oracle_work;
        plane_oracle_apply(&plane->oracle, transfer->stage.sampler->correction, transfer->stage.step, points, x,
                           correction, plane->work.work);
        for (size_t i = 0; i < points; i++) {
            weight[i] *= total > 0.0 ? patch->mass / total : 0.0;
            norm[i] = hypot(correction[i], correction[points + i]);
        }
        clip_step_add(out, plane->run->problem->schedule->T, points, weight, norm);
    }
}

/* ---- Stages ---- */

static double tolerance_of(const struct plane *plane)
{
    const struct schedule *schedule = plane->run->problem->schedule;
    double distance = fmax(plane->distance, PLANE_EXPECTED_DISTANCE * schedule->h * schedule->h);
    double relative = PLANE_TOLERANCE * distance / (double)(schedule->T - 1);
    return plane->sharpness * fmax(relative, PLANE_LEAST_TOLERANCE);
}

/* log r_T = log N(x; 0, I) - log p_T(x). */
static void evaluate_start(const struct joint_level *to, size_t anchor, size_t nx, const double *x, size_t ny,
                           const double *y, double *log_ratio, double *log_density)
{
    double at[2 * PATCH_MOST * PATCH_MOST] = {0.0};
    size_t points = nx * ny;
    for (size_t i = 0; i < points; i++) {
        at[i] = to->root_alpha_bar * x[i / ny];
        at[points + i] = to->root_alpha_bar * y[i % ny];
    }
    joint_level_evaluate(to, anchor, points, points, at, log_density, NULL);
    for (size_t i = 0; i < points; i++) {
        double first = at[i] + to->root_alpha_bar * to->factor->mean[2 * anchor];
        double second = at[points + i] + to->root_alpha_bar * to->factor->mean[2 * anchor + 1];
        log_ratio[i] = -0.5 * (first * first + second * second) - log(2.0 * M_PI) - log_density[i];
    }
}

/* By a lattice or by quadrature rules, or at the start. */
static void evaluate(const struct patch_source *source, const struct patch *patch, const struct patch_query *query,
                     double *log_ratio, double *log_density)
{
    double column[PATCH_MOST], row[PATCH_MOST];
    for (size_t i = 0; i < query->nx; i++)
        column[i] = patch->centre[0] + patch->half * query->x[i];
    for (size_t j = 0; j < query->ny; j++)
        row[j] = patch->centre[1] + patch->half * query->y[j];
    struct plane *plane = source->owner;
    const struct quadrature *const rule[2] = {&plane->rules.order[query->order[0]],
                                              &plane->rules.order[query->order[1]]};
    if (source->start)
        evaluate_start(&plane->level[0], patch->anchor, query->nx, column, query->ny, row, log_ratio, log_density);
    else if (patch->by_lattice)
        lattice_apply(query->finer ? &plane->finer : &plane->lattice, patch->anchor, query->nx, column, query->ny,
                      row, log_ratio, log_density);
    else
        plane_transfer_apply(&plane->transfer, &plane->work, rule, patch->anchor, query->nx, column, query->ny, row,
                             log_ratio, log_density);
}

/* What quadrature around each node of a patch costs, in nodes. */
static double cost_of_rules(const struct plane *plane, const struct patch *patch)
{
    return (double)(patch->nodes[0] * patch->nodes[1])
           * (double)(plane->rules.order[patch->order[0]].n * plane->rules.order[patch->order[1]].n);
}

static size_t affordable(const struct patch_source *source, const struct patch *patch)
{
    const struct plane *plane = source->owner;
    struct patch dearer = *patch;
    double points = lattice_size(&plane->transfer, patch, plane->density[plane->transfer.stage.index]);
    for (size_t order = 0;; order++) {
        dearer.order[0] = dearer.order[1] = order + 1;
        if (order >= PATCH_HIGHEST_ORDER || cost_of_rules(plane, &dearer) > PLANE_POINT_COST * points)
            return order;
    }
}

static struct patch_source source_of(struct plane *plane, bool start, const struct joint_level *to, double tolerance)
{
    return (struct patch_source){.domain = &plane_domain,
                                 .context = to,
                                 .owner = plane,
                                 .sampler = plane->run->problem->sampler->name,
                                 .start = start,
                                 .evaluate = evaluate,
                                 .affordable = affordable,
                                 .jacobian = to->level.alpha_bar,
                                 .tolerance = tolerance,
                                 .floor = PATCH_TAIL_FLOOR,
                                 .lobattos = &plane->lobattos,
                                 .work = &plane->work.patches};
}

/* Which patches go by the lattice: those that have done so, and in a checked stage those for which it now costs less.
 * Returns the number of points on them. */
static double choose_lattice(struct plane *plane, bool checked, double density)
{
    const struct plane_transfer *transfer = &plane->transfer;
    double points = 0.0;
    for (size_t p = 0; p < transfer->grid->count; p++) {
        struct patch *patch = &plane->source->patch[p];
        double size = lattice_size(transfer, patch, density);
        patch->by_lattice |= checked && PLANE_POINT_COST * size < PLANE_LATTICE_CHEAPER * cost_of_rules(plane, patch);
        points += patch->by_lattice ? size : 0.0;
    }
    if (points <= PLANE_LARGEST_LATTICE)
        return points;
    for (size_t p = 0; p < transfer->grid->count; p++)
        plane->source->patch[p].by_lattice = false;
    return 0.0;
}

/* Fills the grid through the stage; density 0: no patch goes by a lattice. */
static enum status fill(struct plane *plane, struct patch_source *source, bool checked, double density,
                        struct error *error)
{
    if (density > 0.0)
        TRY(lattice_build(&plane->transfer, density, source->tolerance, false, PLANE_REACH, &plane->work,
                          &plane->lattice, error));
    if (density > 0.0 && checked)
        TRY(lattice_build(&plane->transfer, PLANE_CHECK_DENSER * density, source->tolerance, true, PLANE_REACH,
                          &plane->work, &plane->finer, error));
    TRY(patches_plan(source, plane->transfer.grid, checked, &plane->pending, error));
    TRY(patches_fill(source, &plane->pending, plane->result, error));
    plane->distance = source->distance;
    return STATUS_OK;
}

static enum status prepare_stage(void *state, const struct stage *stage, size_t from, size_t to, struct error *error)
{
    struct plane *plane = state;
    (void)error;
    plane->source = &plane->grid[from];
    plane->result = &plane->grid[to];
    plane->transfer = (struct plane_transfer){.stage = *stage,
                                              .from = &plane->level[from],
                                              .to = &plane->level[to],
                                              .grid = &plane->grid[from],
                                              .lobattos = &plane->lobattos,
                                              .oracle = &plane->oracle};
    return STATUS_OK;
}

/* The lattice's density for the steps up to the next check, from the error of this one; false if this one has to be
 * made again. Errors fall like exp(-constant density), for the score has poles beside the plane. */
static bool adapt_density(double *density, double found, double tolerance)
{
    double wanted = PLANE_LATTICE_SHARE * tolerance + PATCH_ROUNDING;
    double change = log(wanted) / log(fmin(found, 0.5));
    bool enough = !(found > wanted && *density < PLANE_DENSEST);
    if (found > wanted)
        *density = fmin(*density * fmin(fmax(change, PLANE_LEAST_DENSER), PLANE_MOST_DENSER), PLANE_DENSEST);
    else
        *density =
            fmax(*density * fmax(fmin(PLANE_SPARE_DENSITY * change, 1.0), 1.0 / PLANE_MOST_DENSER), PLANE_SPARSEST);
    return enough;
}

static enum status fill_stage(void *state, bool checked, struct stage_result *out, struct error *error)
{
    struct plane *plane = state;
    struct patch_source source = source_of(plane, false, plane->transfer.to, tolerance_of(plane));
    size_t index = plane->transfer.stage.index;
    double *density = &plane->density[index];
    bool lattice = choose_lattice(plane, checked, *density) > 0.0;
    struct patches_found found;
    source.before = plane->source;
    out->rounding = PATCH_ROUNDING;
    if (!checked)
        return fill(plane, &source, false, lattice ? *density : 0.0, error);
    do {
        TRY(fill(plane, &source, true, lattice ? *density : 0.0, error));
        TRY(patches_check(&source, plane->result, &found, error));
    } while (lattice && !adapt_density(density, found.lattice, source.tolerance));
    out->error = found.error;
    if (plane->unchanged[index])
        out->error.before = found.unchanged;
    double most = fmax(source.tolerance, PATCH_UNCHANGED_PART * PATCH_ROUNDING);
    plane->unchanged[index] = found.unchanged.l1 < PATCH_LOWER_BELOW * most;
    if (plane->unchanged[index])
        out->error.after = found.unchanged;
    return STATUS_OK;
}

static bool leaves_unchanged(const void *state)
{
    const struct plane *plane = state;
    bool before = plane->run->problem->sampler->log_noise_before != NULL;
    return plane->unchanged[STAGE_MAP] && (!before || plane->unchanged[STAGE_NOISE]);
}

/* The coordinates are the same at all levels. */
static enum status move_slot(void *state, size_t slot, struct error *error)
{
    (void)state;
    (void)slot;
    (void)error;
    return STATUS_OK;
}

/* Twice: to learn how large log r_T is, and as its tolerance then asks. */
static enum status start(void *state, struct norms *local, struct error *error)
{
    struct plane *plane = state;
    struct patch_source source = source_of(plane, true, &plane->level[0], HUGE_VAL);
    struct patches_found found;
    for (int pass = 0; pass < 2; pass++) {
        plane->pending.factor = plane->run->problem->factor;
        TRY(patches_cover(&plane_domain, &plane->level[0], plane_root(&plane->level[0], PLANE_REACH),
                          PLANE_FIRST_SIDE, PLANE_FIRST_ORDER, &plane->pending, error));
        TRY(patches_fill(&source, &plane->pending, &plane->grid[0], error));
        plane->distance = source.distance;
        source.tolerance = tolerance_of(plane);
    }
    TRY(patches_check(&source, &plane->grid[0], &found, error));
    *local = found.error.itself;
    return STATUS_OK;
}

static enum status finish(void *state, size_t slot, struct law *out, struct error *error)
{
    struct plane *plane = state;
    out->node_updates = plane->work.node_updates;
    return plane_rows_make(&plane->grid[slot], &plane->lobattos, &plane->level[slot].level, plane->run->resolution,
                           out, error);
}

static const struct geometry geometry = {
    .check_stride = PLANE_CHECK_STRIDE,
    .needs_noise = true,
    .new = plane_new,
    .free = plane_free,
    .set_level = set_level,
    .start = start,
    .set_score = set_score,
    .prepare_stage = prepare_stage,
    .fill_stage = fill_stage,
    .correction_moments = correction_moments,
    .leaves_unchanged = leaves_unchanged,
    .move_slot = move_slot,
    .finish = finish,
};

static enum status compute(const struct law_problem *problem, double resolution, struct law *out, struct error *error)
{
    return propagate(&geometry, &engine_plane, problem, resolution, out, error);
}

/* Maps without noise and errors that jump are not this engine's. */
static int handles(const struct law_problem *problem)
{
    const struct factor *factor = problem->factor;
    int smooth = 1;
    if (problem->error_share > 0.0 && problem->score_error->shape != NULL) {
        const struct error_shape *shape = problem->score_error->shape;
        smooth = shape->affine || shape->periodic;
    }
    return factor->dimension == 2 && factor->full == NULL && factor->mean != NULL
           && problem->sampler->log_noise_ratio != NULL && smooth;
}

const struct law_engine engine_plane = {
    .name = "plane",
    .doc = "Density-ratio propagation in the plane, for mixtures in two coordinates that do not separate; stochastic "
           "samplers and smooth score errors.",
    .formula = "as `line`, with x and y in the plane",
    .source = "theory (14)-(15)",
    .radius_power = PLANE_TOLERANCE_POWER,
    .handles = handles,
    .compute = compute,
};
