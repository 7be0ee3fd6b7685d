/* The plane engine: log r_t on the patches of a quadtree, carried from level to level by theory (14)-(15) in two
 * dimensions (law/plane_transfer.c).
 *
 * Patches adapt to what they hold: each has as many nodes in either direction, and as fine a quadrature rule, as its
 * share of the tolerated error asks for, weighed by the mass of q in it; the tails of its polynomials decide in every
 * step, off-grid points against a finer rule in checked steps. A stage goes by Gauss-Hermite sums around each node
 * or, where those need many points, by a lattice that all nodes share (law/plane_lattice.c). The error radius is the
 * line engine's (law/line.c): a stage is a Markov operator on densities, so local errors add up in norms that it does
 * not increase. */
#include <math.h>

#include "core/memory.h"
#include "core/vmath.h"
#include "law/clip.h"
#include "law/law.h"
#include "law/patches.h"
#include "law/plane_check.h"
#include "law/plane_fill.h"
#include "law/plane_lattice.h"
#include "law/plane_rows.h"
#include "law/plane_transfer.h"
#include "law/rule.h"

extern const struct law_engine engine_plane;

/* L1(p) errors that all patches together may make in a stage: absolute, or as a part of E_p|r - 1| (shared by the
 * steps), whichever is larger. */
#define TOLERANCE 8e-16
#define RELATIVE 1e-5
/* Where E_p|r - 1| is smaller than this part of h^2, it will grow. */
#define EXPECTED 1e-3
/* How much sharper the tolerance is at a higher resolution. */
#define SHARPER 8.0
/* Lattices: points in a standard deviation of the noise at first, at least, at most; how much denser the next may be,
 * what to spare of that, and the one that checks; what part of the tolerance they may use. What a point and a pair of
 * a point and a node cost, in nodes of a rule. */
#define FIRST_DENSITY 1.6
#define SPARSEST 1.2
#define DENSEST 12.0
#define LEAST_DENSER 1.08
#define MOST_DENSER 1.5
#define SPARE_DENSITY 1.06
#define FINER_LATTICE 1.25
#define LATTICE_SHARE 0.3
#define LARGEST_LATTICE 4e6
#define POINT_COST 1.2
#define PAIR_COST 0.008
/* Sides of patches in local scales at the start. */
#define FIRST_SIDE 2.5
/* Steps of log noise between two checks. */
#define CHECK_EVERY 0.7

enum { FIRST_RUNG = 5, STAGES = 2 };

struct engine {
    const struct law_problem *problem;
    double error_norm, sharpness;
    struct joint_level level[2], middle, other[SAMPLER_OTHER_LEVELS];
    struct patches grid[2], middle_grid, pending;
    struct lobattos lobattos;
    struct rules rules;
    struct plane_work work;
    struct plane_oracle oracle;
    struct undeclared undeclared;
    double *marginals;             /* what the directions' factors point to */
    struct lattice lattice, finer; /* of the stage, where it goes by one; and what checks it */
    double density[STAGES];        /* points of the lattice in a standard deviation of the noise */
    struct clip_bound clip;
    double distance; /* E_p|r - 1| after the last stage */
};

static void engine_free(struct engine *engine)
{
    for (int i = 0; i < 2; i++) {
        joint_level_free(&engine->level[i]);
        patches_free(&engine->grid[i]);
        for (int j = 0; j < SAMPLER_LEVELS; j++)
            mixture_level_free(&engine->oracle.direction[i].level[j]);
    }
    joint_level_free(&engine->middle);
    for (int i = 0; i < SAMPLER_OTHER_LEVELS; i++)
        joint_level_free(&engine->other[i]);
    patches_free(&engine->middle_grid);
    patches_free(&engine->pending);
    lattice_free(&engine->lattice);
    lattice_free(&engine->finer);
    rules_free(&engine->rules);
    plane_work_free(&engine->work);
    free(engine->marginals);
}

/* ---- Score errors ---- */

/* The directions that the error acts in: both axes, the first, or the diagonal. */
static enum status set_directions(struct engine *engine, struct error *error)
{
    const struct law_problem *problem = engine->problem;
    const struct factor *factor = problem->factor;
    size_t components = factor->components;
    if (!(problem->error_share > 0.0))
        return STATUS_OK;
    enum error_spread spread = problem->score_error->spread;
    engine->marginals = array_new(components, 2 * sizeof *engine->marginals);
    if (engine->marginals == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a mixture of %zu components", components);
    engine->oracle.directions = spread == SPREAD_ALL ? 2 : 1;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < engine->oracle.directions && status == STATUS_OK; i++) {
        struct plane_direction *direction = &engine->oracle.direction[i];
        double *mean = engine->marginals + i * components;
        direction->axis[0] = spread == SPREAD_DIAGONAL ? M_SQRT1_2 : i == 0 ? 1.0 : 0.0;
        direction->axis[1] = spread == SPREAD_DIAGONAL ? M_SQRT1_2 : i == 0 ? 0.0 : 1.0;
        for (size_t k = 0; k < components; k++)
            mean[k] = direction->axis[0] * factor->mean[2 * k] + direction->axis[1] * factor->mean[2 * k + 1];
        direction->factor = (struct factor){1, components, factor->weight, mean, factor->sd, NULL};
        for (int j = 0; j < SAMPLER_LEVELS && status == STATUS_OK; j++)
            status = mixture_level_new(&direction->factor, &direction->level[j], error);
    }
    return status;
}

/* All levels of the step: t and t-1, held in level[from] and level[1 - from], and the sampler's others; and the
 * errors there. */
static void set_oracle(struct engine *engine, const struct step *step, int from)
{
    const struct law_problem *problem = engine->problem;
    struct level levels[SAMPLER_LEVELS];
    engine->oracle.levels = sampler_levels(problem->sampler, step, levels);
    engine->oracle.nominal[0] = &engine->level[from];
    engine->oracle.nominal[1] = &engine->level[1 - from];
    for (size_t i = 2; i < engine->oracle.levels; i++) {
        joint_level_set(&engine->other[i - 2], &levels[i]);
        engine->oracle.nominal[i] = &engine->other[i - 2];
    }
    double share = problem->error_share / (engine->oracle.directions > 0 ? (double)engine->oracle.directions : 1.0);
    for (size_t i = 0; i < engine->oracle.directions; i++)
        for (size_t at = 0; at < engine->oracle.levels; at++) {
            struct plane_direction *direction = &engine->oracle.direction[i];
            struct mixture_level *level = &direction->level[at == 0 ? (size_t)from : at == 1 ? 1 - (size_t)from : at];
            mixture_level_set(level, &engine->oracle.nominal[at]->level);
            engine->oracle.marginal[i][at] = level;
            score_error_at(problem->score_error, engine->error_norm, share, problem->schedule,
                           at == 1 ? step->t - 1 : step->t, level, &direction->error[at]);
        }
}

static enum status engine_init(struct engine *engine, const struct law_problem *problem, double resolution,
                               struct error *error)
{
    *engine = (struct engine){.problem = problem, .error_norm = 1.0, .sharpness = pow(resolution, -SHARPER)};

    if (problem->error_share > 0.0)
        engine->error_norm = score_error_norm(problem->score_error, problem->schedule);
    if (problem->sampler->correction != NULL && !(problem->clip > 0.0))
        engine->clip = (struct clip_bound){.steps = problem->schedule->T - 1, .T = problem->schedule->T};
    for (int i = 0; i < STAGES; i++)
        engine->density[i] = FIRST_DENSITY;
    lobattos_init(&engine->lobattos);
    plane_oracle_init(&engine->oracle);
    engine->oracle.undeclared = &engine->undeclared;
    engine->oracle.original = conditions_broken(problem->conditions, CONDITION_SHIFTS);
    enum status status = rules_new(&engine->rules, error);
    if (status == STATUS_OK)
        status = plane_work_new(problem->sampler, &engine->work, error);
    for (int i = 0; i < 2 && status == STATUS_OK; i++)
        status = joint_level_new(problem->factor, &engine->level[i], error);
    if (status == STATUS_OK)
        status = joint_level_new(problem->factor, &engine->middle, error);
    for (int i = 0; i < SAMPLER_OTHER_LEVELS && problem->sampler->other_levels != NULL && status == STATUS_OK; i++)
        status = joint_level_new(problem->factor, &engine->other[i], error);
    return status == STATUS_OK ? set_directions(engine, error) : status;
}

/* Where the error of the steps so far is added up. */
struct tally {
    double l1, l2;
    struct step_error previous; /* of the last checked step */
    size_t unaccounted;         /* steps since then, the present one included */
    size_t steps;
};

static void tally_add(struct tally *tally, const struct step_error *wrong)
{
    const struct norms *before = &wrong->way[AS_BEFORE], *since = &tally->previous.way[FROM_NOW_ON];
    double between = (double)(tally->unaccounted - 1);
    tally->l1 += fmax(before->l1, since->l1) * between + wrong->way[AS_MADE].l1;
    tally->l2 += fmax(before->l2_squared, since->l2_squared) * between + wrong->way[AS_MADE].l2_squared;
    tally->previous = *wrong;
    tally->unaccounted = 0;
}

/* ---- Clips ---- */

/* The norm of the correction under q, at the nodes of all patches. */
static enum status watch_clip(struct engine *engine, const struct plane_transfer *transfer, struct error *error)
{
    const struct patches *grid = transfer->grid;
    size_t room = PATCH_MOST * PATCH_MOST, used = 0;
    double *weight = grid->count <= SIZE_MAX / (2 * room) ? array_new(2 * room * grid->count, sizeof *weight) : NULL;
    if (weight == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu patches of the plane", grid->count);
    double *norm = weight + room * grid->count, *x = engine->work.x, *c = engine->work.increment;
    for (size_t p = 0; p < grid->count; p++) {
        const struct patch *patch = &grid->patch[p];
        const struct lobatto *by[2] = {lobatto_of(&engine->lobattos, patch->order[0]),
                                       lobatto_of(&engine->lobattos, patch->order[1])};
        size_t points = patch->order[0] * patch->order[1];
        double total = 0.0;
        for (size_t i = 0; i < points; i++) {
            size_t column = i / patch->order[1], row = i % patch->order[1];
            x[i] = transfer->from->root_alpha_bar * (patch->centre[0] + patch->half * by[0]->node[column]);
            x[points + i] = transfer->from->root_alpha_bar * (patch->centre[1] + patch->half * by[1]->node[row]);
            weight[used + i] = by[0]->weight[column] * by[1]->weight[row];
        }
        joint_level_evaluate(transfer->from, patch->anchor, points, points, x, engine->work.log_density, NULL);
        for (size_t i = 0; i < points; i++)
            total += weight[used + i] *= exp(engine->work.log_density[i] + patch->value[i]);
        engine->oracle.anchor = patch->anchor;
        engine->oracle.work = engine->work.oracle_work;
        plane_oracle_apply(&engine->oracle, transfer->sampler->correction, transfer->step, points, x, c,
                           engine->work.work);
        for (size_t i = 0; i < points; i++) {
            weight[used + i] *= total > 0.0 ? patch->mass / total : 0.0;
            norm[used + i] = hypot(c[i], c[points + i]);
        }
        used += points;
    }
    clip_bound_add(&engine->clip, used, weight, norm);
    free(weight);
    return STATUS_OK;
}

/* ---- Steps ---- */

static double tolerance_of(const struct engine *engine)
{
    const struct schedule *schedule = engine->problem->schedule;
    double distance = fmax(engine->distance, EXPECTED * schedule->h * schedule->h);
    double relative = RELATIVE * distance / (double)(schedule->T - 1);
    return engine->sharpness * fmax(relative, TOLERANCE);
}

static struct plane_source source_of(struct engine *engine, const struct plane_transfer *transfer,
                                     const struct joint_level *to, double tolerance)
{
    return (struct plane_source){.sampler = engine->problem->sampler->name,
                                 .transfer = transfer,
                                 .to = to,
                                 .tolerance = tolerance,
                                 .lobattos = &engine->lobattos,
                                 .rules = &engine->rules,
                                 .work = &engine->work};
}

/* Whether the stage goes by a lattice: what costs less, as measured on one machine. */
static int by_lattice(const struct engine *engine, const struct plane_transfer *transfer, double density)
{
    double rules = 0.0, nodes = 0.0, seen = 2.0 * 8.5 * density;
    for (size_t p = 0; p < transfer->grid->count; p++) {
        const struct patch *patch = &transfer->grid->patch[p];
        double own = (double)(patch->order[0] * patch->order[1]);
        nodes += own;
        if (patch->hard)
            rules = HUGE_VAL;
        rules += own * (double)(engine->rules.rung[patch->rung[0]].n * engine->rules.rung[patch->rung[1]].n);
    }
    if (lattice_size(transfer, FINER_LATTICE * density) > LARGEST_LATTICE)
        return 0;
    double lattice = POINT_COST * lattice_size(transfer, density) + PAIR_COST * nodes * seen * seen;
    return lattice < rules;
}

/* Fills the grid through the stage, by rules or by a lattice. */
static enum status pass_stage(struct engine *engine, struct plane_source *source, int checked, double density,
                              struct patches *grid, struct error *error)
{
    enum status status = STATUS_OK;
    source->lattice = source->finer = NULL;
    if (density > 0.0) {
        status = lattice_build(source->transfer, density, PLANE_REACH, &engine->work, &engine->lattice, error);
        source->lattice = &engine->lattice;
    }
    if (density > 0.0 && checked && status == STATUS_OK) {
        status = lattice_build(source->transfer, FINER_LATTICE * density, PLANE_REACH, &engine->work, &engine->finer,
                               error);
        source->finer = &engine->finer;
    }
    if (status == STATUS_OK)
        status = plane_plan(source, source->transfer->grid, checked, &engine->pending, error);
    if (status == STATUS_OK)
        status = plane_fill_pending(source, &engine->pending, grid, error);
    engine->distance = source->distance;
    return status;
}

static enum status make_stage(struct engine *engine, const struct plane_transfer *transfer, int stage, int checked,
                              struct patches *grid, struct step_error *wrong, struct error *error)
{
    struct plane_source source = source_of(engine, transfer, transfer->to, tolerance_of(engine));
    double *density = &engine->density[stage], quadrature = 0.0;
    int lattice = by_lattice(engine, transfer, *density);
    enum status status = STATUS_OK;
    if (checked && transfer->moves && engine->clip.steps > 0)
        status = watch_clip(engine, transfer, error);
    for (int again = 1; again && status == STATUS_OK;) {
        struct step_error local = *wrong;
        status = pass_stage(engine, &source, checked, lattice ? *density : 0.0, grid, error);
        if (checked && status == STATUS_OK)
            status = plane_check(&source, grid, &local, &quadrature, error);
        /* the error falls like exp(-constant density^2) */
        double wanted = LATTICE_SHARE * source.tolerance + PLANE_ROUNDING;
        double change = sqrt(log(wanted) / log(fmin(quadrature, 0.5)));
        again = checked && lattice && quadrature > wanted && *density < DENSEST;
        if (again)
            *density = fmin(*density * fmin(fmax(change, LEAST_DENSER), MOST_DENSER), DENSEST);
        else
            *wrong = local;
        if (checked && lattice && !again)
            *density = fmax(*density * fmax(fmin(SPARE_DENSITY * change, 1.0), 1.0 / MOST_DENSER), SPARSEST);
    }
    return status;
}

/* t's reference with the noise that comes before the map. */
static void set_middle(struct engine *engine, const struct step *step, const struct joint_level *from)
{
    struct level level = from->level;
    level.noise += sampler_noise_before(engine->problem->sampler, step);
    joint_level_set(&engine->middle, &level);
}

static enum status make_step(struct engine *engine, const struct step *step, int from, int checked,
                             struct tally *tally, struct error *error)
{
    const struct sampler *sampler = engine->problem->sampler;
    struct joint_level *level_from = &engine->level[from], *level_to = &engine->level[1 - from];
    struct patches *grid_from = &engine->grid[from];
    struct plane_transfer transfer;
    struct step_error wrong = {{{0.0, 0.0}}};
    enum status status = STATUS_OK;
    joint_level_set(level_to, &step->to);
    set_oracle(engine, step, from);
    if (!(sampler_noise_after(sampler, step) > 0.0))
        return fail_with(
            error, STATUS_UNSUPPORTED,
            "sampler %s has no noise in step t = %zu, and the plane's engine needs noise in every step: only "
            "chains (`samples`) can measure it",
            sampler->name, step->t);
    if (sampler_noise_before(sampler, step) > 0.0) {
        set_middle(engine, step, level_from);
        plane_transfer_init(&transfer, sampler, step, 1, level_from, &engine->middle, grid_from, &engine->lobattos,
                            &engine->oracle);
        status = make_stage(engine, &transfer, 1, checked, &engine->middle_grid, &wrong, error);
        level_from = &engine->middle;
        grid_from = &engine->middle_grid;
    }
    if (status == STATUS_OK) {
        plane_transfer_init(&transfer, sampler, step, 0, level_from, level_to, grid_from, &engine->lobattos,
                            &engine->oracle);
        status = make_stage(engine, &transfer, 0, checked, &engine->grid[1 - from], &wrong, error);
    }
    if (engine->undeclared.seen) /* the reason of any other failure */
        status = undeclared_check(&engine->undeclared, sampler, step->t, error);
    if (checked && status == STATUS_OK)
        tally_add(tally, &wrong);
    return status;
}

/* log r_T on patches: once to learn how large it is, and once as its tolerance then asks. */
static enum status start(struct engine *engine, struct tally *tally, struct error *error)
{
    struct level level = schedule_level(engine->problem->schedule, engine->problem->schedule->T);
    struct plane_source source = source_of(engine, NULL, &engine->level[0], HUGE_VAL);
    double quadrature;
    struct step_error wrong = {{{0.0, 0.0}}};
    joint_level_set(&engine->level[0], &level);
    enum status status = STATUS_OK;
    for (int pass = 0; pass < 2 && status == STATUS_OK; pass++) {
        status = patches_cover(&engine->level[0], PLANE_REACH, FIRST_SIDE, &engine->pending, error);
        for (size_t p = 0; p < engine->pending.count; p++) {
            struct patch *patch = &engine->pending.patch[p];
            patch->rung[0] = patch->rung[1] = FIRST_RUNG;
            patch->next[0] = patch->next[1] = patch->order[0];
        }
        if (status == STATUS_OK)
            status = plane_fill_pending(&source, &engine->pending, &engine->grid[0], error);
        engine->distance = source.distance;
        source.tolerance = tolerance_of(engine);
    }
    if (status == STATUS_OK)
        status = plane_check(&source, &engine->grid[0], &wrong, &quadrature, error);
    tally->l1 = wrong.way[AS_MADE].l1;
    tally->l2 = wrong.way[AS_MADE].l2_squared;
    return status;
}

/* Nonzero where the score error begins or ends: steps on either side of it say nothing about one another. */
static int error_switches(const struct engine *engine, size_t t)
{
    const struct law_problem *problem = engine->problem;
    if (!(problem->error_share > 0.0))
        return 0;
    double (*weight)(const struct schedule *, size_t) = problem->score_error->profile->weight;
    size_t before = t < problem->schedule->T ? t + 1 : t;
    int now = weight(problem->schedule, t) > 0.0;
    return now != (weight(problem->schedule, before) > 0.0) || now != (weight(problem->schedule, t - 1) > 0.0);
}

static enum status propagate(struct engine *engine, struct tally *tally, int *last, struct error *error)
{
    const struct schedule *schedule = engine->problem->schedule;
    size_t stride = (size_t)fmin(fmax(CHECK_EVERY / schedule->h, 1.0), 64.0);
    enum status status = start(engine, tally, error);
    int from = 0;
    for (size_t t = schedule->T; t >= 2 && status == STATUS_OK; t--, from = 1 - from) {
        struct step step = sampler_step(engine->problem->sampler, schedule, t);
        step.clip = engine->problem->clip > 0.0 ? engine->problem->clip : HUGE_VAL;
        tally->unaccounted++;
        tally->steps++;
        int checked = (schedule->T - t) % stride == 0 || t == 2 || error_switches(engine, t)
                      || conditions_unlike(engine->problem->conditions, t);
        status = make_step(engine, &step, from, checked, tally, error);
    }
    *last = from;
    return status;
}

static enum status compute(const struct law_problem *problem, double resolution, struct law *out, struct error *error)
{
    struct engine engine;
    struct tally tally = {0};
    int last = 0;
    *out = (struct law){.engine = &engine_plane};
    enum status status = engine_init(&engine, problem, resolution, error);
    if (status == STATUS_OK)
        status = propagate(&engine, &tally, &last, error);
    if (status == STATUS_OK)
        status =
            plane_rows_make(&engine.grid[last], &engine.lobattos, &engine.level[last].level, resolution, out, error);
    if (status == STATUS_OK) {
        double rounding = 3.0 * PLANE_ROUNDING * sqrt((double)tally.steps) + conditions_rounding(problem->conditions);
        out->node_updates = engine.work.node_updates;
        out->clip = engine.clip;
        out->error_l1 += tally.l1 + rounding;
        out->error_l2 += tally.l2 + rounding;
    }
    engine_free(&engine);
    if (status != STATUS_OK)
        law_free(out);
    return status;
}

/* Maps without noise and errors that jump are not this engine's. */
static int handles(const struct law_problem *problem)
{
    const struct factor *factor = problem->factor;
    int smooth = 1;
    if (problem->error_share > 0.0 && problem->score_error->shape != NULL) {
        const struct error_shape *shape = problem->score_error->shape;
        smooth = shape->affine || (shape->parameters & ERROR_ROUGHNESS);
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
    .handles = handles,
    .compute = compute,
};
