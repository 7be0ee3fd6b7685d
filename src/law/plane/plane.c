/* The plane engine: log r_t on the patches of a quadtree, carried from level to level by theory (14)-(15) in two
 * dimensions (law/plane/transfer.c).
 *
 * Patches adapt to what they hold: each has as many nodes in either direction, and as high a quadrature order, as its
 * share of the tolerated error requires, weighed by the mass of q in it; the tails of its polynomials decide in every
 * step, off-grid points against a higher order in checked steps. A patch is filled by Gauss-Hermite sums around each
 * node or, where those need many points, by a lattice that all such patches share (law/plane/lattice.c). Steps that
 * leave log r as it is, up to the tolerance, are left out. Without noise the law comes from whole paths
 * (law/plane/paths.c).
 *
 * Of a target that reflections or quarter turns leave as it is one patch stands for its images
 * (law/plane/symmetry.c).
 *
 * Cost. A node update asks for the density and the score at one level, and for scores at the sampler's others: an
 * exponential each for every component that is near, 0.85 ns by vexp with AVX-512. On 3 modes at T = 256 and c1 = 8.5
 * `accelerated` makes 33e6 updates and takes 249e6 exponentials, logarithms among them: a tenth of its time. A
 * quarter is around them, positions, exponents and gradients; a fifth goes to polynomials, a fifth to spreading the
 * lattice's points. A ring of 8, whose patches stand for 8 each, takes an eighth of the updates, and rows of the
 * finished law a quarter of what is left. */
#include <math.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "law/patches_check.h"
#include "law/patches_fill.h"
#include "law/plane/domain.h"
#include "law/plane/lattice.h"
#include "law/plane/paths.h"
#include "law/plane/rows.h"
#include "law/plane/threads.h"
#include "law/plane/transfer.h"
#include "law/plane/tuning.h"
#include "law/propagate.h"
#include "law/tuning.h"

extern const struct law_engine engine_plane;

/* How a stage's lattice errs: like exp(-rate density) times an unknown factor, for the score has poles beside the
 * plane. */
struct lattice_errors {
    double density, error; /* of the last try in the present step; 0: there was none */
    double rate;           /* between the last two tries in a step; 0: not known, and the factor is taken to be 1 */
    double noise;          /* variance of the noise in the last stage if the lattice keeps its spacing, else 0 */
};

struct plane {
    struct propagation *run;
    double sharpness;
    struct plane_symmetry symmetry; /* of log r */
    size_t threads;
    struct plane_thread *thread; /* `threads` of them, at least one; the first also does what one thread does alone */
    struct patches grid[SLOTS], pending;
    struct lobattos lobattos;
    struct quadrature_table rules;
    double *marginals;               /* what the directions' factors point to */
    struct patches *source, *result; /* of the present stage */
    struct lattice lattice, moved;   /* of the stage, for patches that go by it; and what checks it */
    double density[STAGES];          /* points of the lattice in a standard deviation of the noise */
    struct lattice_errors errors[STAGES];
    bool unchanged[STAGES]; /* it leaves the polynomials as they are, up to the next check */
    double distance;        /* E_p|r - 1| after the last stage */
    double kept;            /* L1(p) errors of the densest lattices, where they were not dense enough */
};

static void plane_free(void *state)
{
    struct plane *plane = state;
    for (size_t i = 0; i < plane->threads && plane->thread != NULL; i++)
        plane_thread_free(&plane->thread[i]);
    free(plane->thread);
    for (size_t i = 0; i < SLOTS; i++)
        patches_free(&plane->grid[i]);
    patches_free(&plane->pending);
    lattice_free(&plane->lattice);
    lattice_free(&plane->moved);
    quadrature_table_free(&plane->rules);
    free(plane->marginals);
    free(plane);
}

static void set_score(void *state, size_t from, size_t to)
{
    struct plane *plane = state;
    for (size_t i = 0; i < plane->threads; i++)
        plane_thread_set_score(&plane->thread[i], plane->run, from, to);
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
    plane->symmetry = problem->sampler->regular && !(problem->error_share > 0.0)
                          ? plane_symmetry_of(problem->factor)
                          : (struct plane_symmetry){.count = 1};
    lobattos_init(&plane->lobattos);
    TRY(quadrature_table_new(&plane->rules, 0, error));
    plane->threads = team_threads(run->team);
    plane->thread = array_new(plane->threads, sizeof *plane->thread);
    plane->marginals = array_new(problem->factor->components, 4 * sizeof *plane->marginals);
    if (plane->thread == NULL || plane->marginals == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a mixture of %zu components",
                         problem->factor->components);
    for (size_t i = 0; i < plane->threads; i++)
        TRY(plane_thread_new(plane->run, plane, plane->marginals, &plane->thread[i], error));
    return STATUS_OK;
}

static void set_level(void *state, size_t slot, const struct level *level)
{
    struct plane *plane = state;
    for (size_t i = 0; i < plane->threads; i++)
        joint_level_set(&plane->thread[i].level[slot], level);
}

/* ---- Clips ---- */

/* The norm of the correction under q, at the nodes of all patches; the nodes of a patch need not resolve p, but the
 * mass of q in it is known. */
static void correction_moments(void *state, struct clip_step *out)
{
    struct plane *plane = state;
    struct plane_thread *thread = plane->thread;
    const struct plane_transfer *transfer = &thread->transfer;
    double weight[PATCH_MOST * PATCH_MOST], norm[PATCH_MOST * PATCH_MOST];
    double *x = thread->work.x, *correction = thread->work.increment;
    for (size_t p = 0; p < transfer->grid->count; p++) {
        const struct patch *patch = &transfer->grid->patch[p];
        double stands = (double)plane_symmetry_stands_for(&plane->symmetry, patch);
        if (!(stands > 0.0))
            continue;
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
        joint_level_evaluate(transfer->from, patch->anchor, points, points, x, thread->work.log_density, NULL);
        double *log_q = thread->work.log_density, largest = -HUGE_VAL;
        for (size_t i = 0; i < points; i++)
            largest = fmax(largest, log_q[i] += patch->value[i]);
        for (size_t i = 0; i < points; i++)
            total += weight[i] *= exp(log_q[i] - largest);
        thread->oracle.anchor = patch->anchor;
        thread->oracle.work = thread->work.oracle_work;
        plane_oracle_apply(&thread->oracle, transfer->stage.sampler->correction, transfer->stage.step, points, x,
                           correction, thread->work.work);
        for (size_t i = 0; i < points; i++) {
            weight[i] *= total > 0.0 ? stands * patch->mass / total : 0.0;
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

/* Of paths: at level 1, and at the two levels of a step. */
enum { SLOT_LAST = 0, SLOT_PATH = 1 };

static void set_path_step(struct plane_thread *thread, size_t t)
{
    const struct plane *plane = thread->plane;
    const struct law_problem *problem = plane->run->problem;
    struct propagation run = *plane->run;
    size_t from = SLOT_PATH + t % 2, to = SLOT_PATH + (t + 1) % 2;
    run.step = thread->step = sampler_step(problem->sampler, problem->schedule, t);
    run.step.clip = thread->step.clip = problem->clip > 0.0 ? problem->clip : HUGE_VAL;
    joint_level_set(&thread->level[from], &thread->step.from);
    joint_level_set(&thread->level[to], &thread->step.to);
    plane_thread_set_score(thread, &run, from, to);
    thread->transfer = (struct plane_transfer){.stage = stage_of(problem->sampler, &thread->step, STAGE_MAP),
                                               .from = &thread->level[from],
                                               .to = &thread->level[to],
                                               .lobattos = &plane->lobattos,
                                               .oracle = &thread->oracle};
}

static struct plane_paths paths_of(const struct plane *plane, const struct plane_thread *thread)
{
    return (struct plane_paths){plane->run->problem->schedule->T, &thread->level[SLOT_LAST], set_path_step};
}

/* By paths, a lattice or quadrature rules, or at the start. */
static void evaluate(const struct patch_source *source, const struct patch *patch, const struct patch_query *query,
                     double *log_ratio, double *log_density)
{
    double column[PATCH_MOST], row[PATCH_MOST];
    for (size_t i = 0; i < query->nx; i++)
        column[i] = patch->centre[0] + patch->half * query->x[i];
    for (size_t j = 0; j < query->ny; j++)
        row[j] = patch->centre[1] + patch->half * query->y[j];
    struct plane_thread *thread = source->owner;
    const struct plane *plane = thread->plane;
    const struct quadrature *const rule[2] = {&plane->rules.order[query->order[0]],
                                              &plane->rules.order[query->order[1]]};
    if (source->start)
        evaluate_start(&thread->level[0], patch->anchor, query->nx, column, query->ny, row, log_ratio, log_density);
    else if (source->map) {
        const bool finer[2] = {query->order[0] > patch->order[0], query->order[1] > patch->order[1]};
        const struct plane_paths paths = paths_of(plane, thread);
        plane_paths_apply(&paths, thread, patch, finer, query->nx, column, query->ny, row, log_ratio, log_density);
    } else if (patch->by_lattice)
        lattice_apply(query->moved ? &plane->moved : &plane->lattice, &thread->transfer, patch->anchor, query->nx,
                      column, query->ny, row, log_ratio, log_density);
    else
        plane_transfer_apply(&thread->transfer, &thread->work, rule, patch->anchor, query->nx, column, query->ny, row,
                             log_ratio, log_density);
}

/* What quadrature around each node of a patch costs, in nodes. */
static double cost_of_rules(const struct plane *plane, const struct patch *patch)
{
    return (double)(patch->nodes[0] * patch->nodes[1])
           * (double)(plane->rules.order[patch->order[0]].n * plane->rules.order[patch->order[1]].n);
}

/* And what the lattice costs for it: its points, and the sums over the grid at each node. */
static double cost_of_lattice(const struct plane_transfer *transfer, const struct patch *patch, double density)
{
    return PLANE_POINT_COST * lattice_size(transfer, patch, density)
           + PLANE_SUM_COST * (double)(patch->nodes[0] * patch->nodes[1]);
}

static size_t affordable(const struct patch_source *source, const struct patch *patch)
{
    const struct plane_thread *thread = source->owner;
    const struct plane *plane = thread->plane;
    struct patch dearer = *patch;
    double cost = cost_of_lattice(&thread->transfer, patch, plane->density[thread->transfer.stage.index]);
    for (size_t order = 0;; order++) {
        dearer.order[0] = dearer.order[1] = order + 1;
        if (order >= PATCH_HIGHEST_ORDER || cost_of_rules(plane, &dearer) > cost)
            return order;
    }
}

static size_t stands_for(const struct patch_source *source, const struct patch *patch)
{
    const struct plane_thread *thread = source->owner;
    return plane_symmetry_stands_for(&((const struct plane *)thread->plane)->symmetry, patch);
}

static void use_thread(struct patch_source *source, size_t thread)
{
    struct plane_thread *own = (struct plane_thread *)source->owner + thread;
    source->owner = own;
    source->work = &own->work.patches;
}

static struct patch_source source_of(struct plane *plane, bool start, const struct joint_level *to, double tolerance)
{
    return (struct patch_source){.domain = &plane_domain,
                                 .context = to,
                                 .owner = plane->thread,
                                 .sampler = plane->run->problem->sampler->name,
                                 .start = start,
                                 .evaluate = evaluate,
                                 .affordable = affordable,
                                 .stands_for = stands_for,
                                 .jacobian = to->level.alpha_bar,
                                 .tolerance = tolerance,
                                 .floor = PATCH_TAIL_FLOOR,
                                 .lobattos = &plane->lobattos,
                                 .work = &plane->thread->work.patches,
                                 .team = plane->run->team,
                                 .use_thread = use_thread};
}

/* Which patches go by the lattice: those that have done so, and in a checked stage those for which it now costs less;
 * none where it, or its grid, would have too many points. true if any does. */
static bool choose_lattice(struct plane *plane, bool checked, double density)
{
    const struct plane_transfer *transfer = &plane->thread->transfer;
    double points = 0.0;
    for (size_t p = 0; p < transfer->grid->count; p++) {
        struct patch *patch = &plane->source->patch[p];
        patch->by_lattice |=
            checked
            && cost_of_lattice(transfer, patch, density) < PLANE_LATTICE_CHEAPER * cost_of_rules(plane, patch);
        points += patch->by_lattice ? lattice_size(transfer, patch, density) : 0.0;
    }
    bool fits = points <= PLANE_LARGEST_LATTICE && points / (density * density) <= PLANE_LARGEST_AREA;
    for (size_t p = 0; p < transfer->grid->count && !fits; p++)
        plane->source->patch[p].by_lattice = false;
    return points > 0.0 && fits;
}

/* Fills the grid through the stage; density 0: no patch goes by a lattice. */
static enum status fill(struct plane *plane, struct patch_source *source, bool checked, double density,
                        struct error *error)
{
    struct patches *pending = &plane->pending;
    TRY(patches_plan(source, plane->source, checked, pending, error));
    for (size_t p = 0; p < pending->count && density > 0.0; p++)
        patch_place(&pending->patch[p], source->context, &pending->root);
    if (density > 0.0)
        TRY(lattice_build(plane->thread, plane->run->team, pending, density, source->tolerance, false,
                          &plane->lattice, error));
    if (density > 0.0 && checked)
        TRY(lattice_build(plane->thread, plane->run->team, pending, density, source->tolerance, true, &plane->moved,
                          error));
    TRY(patches_fill(source, pending, plane->result, error));
    plane->distance = source->distance;
    return STATUS_OK;
}

static enum status prepare_stage(void *state, const struct stage *stage, size_t from, size_t to, struct error *error)
{
    struct plane *plane = state;
    (void)error;
    plane->source = &plane->grid[from];
    plane->result = &plane->grid[to];
    for (struct plane_thread *thread = plane->thread; thread < plane->thread + plane->threads; thread++)
        thread->transfer = (struct plane_transfer){.stage = *stage,
                                                   .from = &thread->level[from],
                                                   .to = &thread->level[to],
                                                   .grid = &plane->grid[from],
                                                   .symmetry = &plane->symmetry,
                                                   .lobattos = &plane->lobattos,
                                                   .oracle = &thread->oracle};
    return STATUS_OK;
}

/* The density at which the error is `wanted`. */
static double density_for(const struct lattice_errors *known, double wanted)
{
    if (known->rate > 0.0)
        return known->density + log(known->error / wanted) / known->rate;
    return known->density * log(wanted) / log(fmin(known->error, 0.5));
}

/* The lattice's density for the steps up to the next check, from the error of this one; false if this one has to be
 * made again. */
static bool adapt_density(double *density, double found, double tolerance, double noise, struct lattice_errors *known)
{
    double wanted = PLANE_LATTICE_SHARE * tolerance + PATCH_ROUNDING, own = *density;
    if (known->error > found && own > known->density)
        known->rate = log(known->error / found) / (own - known->density);
    known->noise = known->error > 0.0 || found > wanted ? 0.0 : noise;
    known->density = own;
    known->error = found;
    if (!(found > wanted)) { /* by no rate: that is of lattices that were too coarse */
        *density =
            fmax(own * fmax(fmin(log(wanted) / log(fmin(found, 0.5)), 1.0), 1.0 / PLANE_MOST_DENSER), PLANE_SPARSEST);
        return true;
    }
    double next = density_for(known, PLANE_LATTICE_AIM * wanted);
    *density = fmin(fmin(fmax(next, PLANE_LEAST_DENSER * own), PLANE_MOST_DENSER * own), PLANE_DENSEST);
    return !(own < PLANE_DENSEST);
}

/* The density in the next stage. Posteriors and log r, whose scales change slowly, limit the spacing as the noise
 * does. A lattice that was dense enough at the first try of the last check keeps its spacing while the noise falls,
 * as long as its deviation falls by less than PLANE_MOST_DENSER in a step. */
static void keep_spacing(double *density, double noise, struct lattice_errors *known)
{
    double sparser = sqrt(noise / known->noise);
    bool slowly = known->noise > noise && sparser > 1.0 / PLANE_MOST_DENSER;
    *density = slowly ? fmax(*density * sparser, PLANE_SPARSEST) : *density;
    known->noise = slowly ? noise : 0.0;
}

/* The rounding of positions along the long axis of a component is so many times larger in units of its narrow one. */
static double elongation(const struct joint_level *joint)
{
    double largest = 1.0;
    for (size_t k = 0; k < joint->factor->components; k++)
        largest = fmax(largest, joint->ellipse[k].wide / joint->ellipse[k].narrow);
    return largest;
}

/* With what its patches stand for. */
static enum status complete(struct plane *plane, struct patches *grid, struct error *error)
{
    const struct plane_thread *thread = plane->thread;
    const struct joint_level *level = plane->result == NULL ? &thread->level[0] : thread->transfer.to;
    return plane_symmetry_complete(&plane->symmetry, &plane_domain, level, grid, error);
}

static enum status fill_stage(void *state, bool checked, struct stage_result *out, struct error *error)
{
    struct plane *plane = state;
    const struct plane_transfer *transfer = &plane->thread->transfer;
    struct patch_source source = source_of(plane, false, transfer->to, tolerance_of(plane));
    size_t index = transfer->stage.index;
    double *density = &plane->density[index];
    struct patches_found found;
    bool lattice;
    source.before = plane->source;
    out->rounding = PATCH_ROUNDING * elongation(transfer->to);
    if (!checked && plane->unchanged[index])
        return patches_copy(plane->source, plane->result, error);
    keep_spacing(density, transfer->stage.noise, &plane->errors[index]);
    plane->errors[index].error = 0.0;
    do {
        lattice = choose_lattice(plane, checked, *density);
        TRY(fill(plane, &source, checked, lattice ? *density : 0.0, error));
        if (!checked)
            return complete(plane, plane->result, error);
        TRY(patches_check(&source, plane->result, &found, error));
    } while (
        lattice
        && !adapt_density(density, found.lattice, source.tolerance, transfer->stage.noise, &plane->errors[index]));
    if (lattice && !(*density < PLANE_DENSEST))
        plane->kept += PATCH_PROBE_MISSES * found.lattice;
    out->error = found.error;
    if (plane->unchanged[index])
        out->error.before = found.unchanged;
    double most = fmax(source.tolerance, PATCH_UNCHANGED_PART * PATCH_ROUNDING);
    plane->unchanged[index] = found.unchanged.l1 < PATCH_LOWER_BELOW * most;
    if (plane->unchanged[index])
        out->error.after = found.unchanged;
    return complete(plane, plane->result, error);
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

/* Lays out slot 0 and fills it, twice: to learn how large log r is, and as its tolerance then asks. */
static enum status fill_first(struct plane *plane, struct patch_source *source, double steps, struct norms *local,
                              struct error *error)
{
    const struct joint_level *level = &plane->thread->level[0];
    struct patches_found found;
    for (int pass = 0; pass < 2; pass++) {
        plane->pending.factor = plane->run->problem->factor;
        TRY(patches_cover(&plane_domain, level, plane_root(level, PLANE_REACH, plane->symmetry.count > 1),
                          PLANE_FIRST_SIDE, PLANE_FIRST_ORDER, &plane->pending, error));
        TRY(patches_fill(source, &plane->pending, &plane->grid[0], error));
        plane->distance = source->distance;
        source->tolerance = steps * tolerance_of(plane);
    }
    TRY(patches_check(source, &plane->grid[0], &found, error));
    *local = found.error.itself;
    return complete(plane, &plane->grid[0], error);
}

static enum status start(void *state, struct norms *local, struct error *error)
{
    struct plane *plane = state;
    struct patch_source source = source_of(plane, true, &plane->thread->level[0], HUGE_VAL);
    return fill_first(plane, &source, 1.0, local, error);
}

static enum status by_paths(void *state, struct norms *local, double *rounding, struct error *error)
{
    struct plane *plane = state;
    const struct plane_paths paths = paths_of(plane, plane->thread);
    struct patch_source source = source_of(plane, false, paths.last, HUGE_VAL);
    double ignored, steps = (double)(paths.T - 1);
    source.map = true;
    plane_paths_find_folds(&paths, plane->thread, plane->run->team);
    TRY(plane_paths_take_folded(&paths, plane->thread, plane->run->team, &ignored, error));
    const struct norms lost = {ignored, ignored, 0.0};
    TRY(fill_first(plane, &source, steps, local, error));
    TRY(undeclared_check(&plane->run->undeclared, plane->run->problem->sampler, paths.T, error));
    TRY(plane_paths_take_folded(&paths, plane->thread, plane->run->team, &ignored, error));
    *local = norms_sum(*local, norms_sum(lost, (struct norms){ignored, ignored, 0.0}));
    *rounding = PATCH_ROUNDING * elongation(paths.last) * sqrt(steps);
    return STATUS_OK;
}

static enum status finish(void *state, size_t slot, struct law *out, struct error *error)
{
    struct plane *plane = state;
    for (size_t i = 0; i < plane->threads; i++) {
        out->node_updates += plane->thread[i].work.node_updates;
        out->exponentials += plane->thread[i].work.functions;
    }
    out->error_kept = plane->kept;
    return plane_rows_make(&plane->grid[slot], &plane->lobattos, &plane->thread->level[slot].level,
                           plane->run->resolution, out, error);
}

static const struct geometry by_steps = {
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

static const struct geometry along_paths = {
    .new = plane_new, .free = plane_free, .set_level = set_level, .whole = by_paths, .finish = finish};

static enum status compute(const struct law_problem *problem, double resolution, struct law *out, struct error *error)
{
    const struct sampler *sampler = problem->sampler;
    bool without_noise = sampler->log_noise_ratio == NULL && sampler->log_noise_before == NULL;
    return propagate(without_noise ? &along_paths : &by_steps, &engine_plane, problem, resolution, out, error);
}

/* Errors that jump are not this engine's. */
static int handles(const struct law_problem *problem)
{
    const struct factor *factor = problem->factor;
    int smooth = 1;
    if (problem->error_share > 0.0 && problem->score_error->shape != NULL) {
        const struct error_shape *shape = problem->score_error->shape;
        smooth = shape->affine || shape->periodic;
    }
    return factor->dimension == 2 && factor->mean != NULL && smooth;
}

const struct law_engine engine_plane = {
    .name = "plane",
    .doc = "Density-ratio propagation in the plane, for mixtures in two coordinates that do not separate, of any "
           "covariances, and smooth score errors.",
    .formula = "as `line`, with x and y in the plane",
    .source = "theory (14)-(15); without noise by a change of variables",
    .dear = PLANE_DEAR,
    .radius_power = PLANE_TOLERANCE_POWER,
    .handles = handles,
    .compute = compute,
};
