/* The radial engine: a target that depends on |x| alone, in any dimension. log r_t is a function of the radius,
 * carried from level to level by law/radial_transfer.c on panels over the shells (law/radial_panels.c).
 *
 * Error radius, as in law/line.c: a stage is a Markov operator on densities of the radius, so the local errors add up
 * in norms that it does not increase; they are measured at points off the grid with a finer quadrature rule at steps
 * so close in log noise that the larger of two neighbours bounds those between, and the same checks choose the number
 * of nodes. Rounding errors are independent from step to step and are counted as a random walk; the logarithm of one
 * step's weights has terms of size d omega (in radial_transfer.c). */
#include <math.h>

#include "core/memory.h"
#include "law/clip.h"
#include "law/law.h"
#include "law/radial_stage.h"

extern const struct law_engine engine_radial;

enum { STAGES = 2 };

/* As in law/line.c: what a stage's rules may cost in L1(p), as a part of E_p|r - 1|, shared by the steps; rounding,
 * which grows with the terms of log c; and log noise between two checks. */
#define QUADRATURE_RELATIVE 3e-7
#define ROUNDING 3e-16
#define TERMS 0.25 /* of d omega */
#define CHECK_EVERY 0.25

/* Scales beyond a jump to which it is integrated, and at most. */
#define REACH 9.0
#define FARTHEST 30.0

struct engine {
    const struct law_problem *problem;
    double error_norm;
    struct factor shadow; /* the target's factor in one coordinate: what scales a linear score error */
    double *zeros;        /* its means */
    struct mixture_level coordinate;
    struct radial_level level[2], middle;            /* levels t and t-1 in turn; t with the noise before the map */
    struct radial_level other[SAMPLER_OTHER_LEVELS]; /* the sampler's others */
    struct panels grid[2], middle_grid;
    struct radial_basis basis;
    struct radial_work work;
    struct radial_oracle oracle;
    struct undeclared undeclared;
    size_t rung[STAGES];
    struct clip_bound clip;
};

static void engine_free(struct engine *engine)
{
    for (int i = 0; i < 2; i++) {
        radial_level_free(&engine->level[i]);
        panels_free(&engine->grid[i]);
    }
    radial_level_free(&engine->middle);
    for (int i = 0; i < SAMPLER_OTHER_LEVELS; i++)
        radial_level_free(&engine->other[i]);
    panels_free(&engine->middle_grid);
    mixture_level_free(&engine->coordinate);
    free(engine->zeros);
    radial_work_free(&engine->work);
}

static enum status engine_init(struct engine *engine, const struct law_problem *problem, struct error *error)
{
    const struct factor *factor = problem->factor;
    *engine = (struct engine){.problem = problem, .error_norm = 1.0};
    if (problem->error_share > 0.0)
        engine->error_norm = score_error_norm(problem->score_error, problem->schedule);
    if (problem->sampler->correction != NULL && !(problem->clip > 0.0))
        engine->clip = (struct clip_bound){.steps = problem->schedule->T - 1, .T = problem->schedule->T};
    radial_basis_init(&engine->basis);
    radial_oracle_init(&engine->oracle);
    engine->oracle.undeclared = &engine->undeclared;
    engine->zeros = array_new(factor->components, sizeof *engine->zeros);
    if (engine->zeros == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a mixture of %zu components", factor->components);
    engine->shadow = (struct factor){1, factor->components, factor->weight, engine->zeros, factor->sd, NULL};
    enum status status = mixture_level_new(&engine->shadow, &engine->coordinate, error);
    if (status == STATUS_OK)
        status = radial_work_new(problem->sampler, &engine->work, error);
    for (int i = 0; i < 2 && status == STATUS_OK; i++)
        status = radial_level_new(factor, &engine->level[i], error);
    for (int i = 0; i < SAMPLER_OTHER_LEVELS && problem->sampler->other_levels != NULL && status == STATUS_OK; i++)
        status = radial_level_new(factor, &engine->other[i], error);
    return status == STATUS_OK ? radial_level_new(factor, &engine->middle, error) : status;
}

/* The correction of the sampler at the nodes of a panel, and with `weight` not NULL the mass of q that each has. */
static void correction_on(struct engine *engine, const struct radial_transfer *transfer, const struct panel *panel,
                          double *rho, double *correction, double *weight)
{
    double log_ratio[PANEL_NODES];
    for (size_t j = 0; j < PANEL_NODES; j++)
        rho[j] = fmax(panel->centre + panel->half_width * engine->basis.chebyshev.node[j], 1e-9 * panel->half_width);
    transfer->sampler->correction(transfer->step, &engine->oracle.base, PANEL_NODES, rho, correction,
                                  engine->work.work);
    if (weight == NULL)
        return;
    panel_evaluate(panel, 0.0, PANEL_NODES, rho, log_ratio);
    radial_level_log_density(transfer->from, PANEL_NODES, rho, weight);
    for (size_t j = 0; j < PANEL_NODES; j++) {
        double left = j > 0 ? rho[j - 1] : rho[j], right = j + 1 < PANEL_NODES ? rho[j + 1] : rho[j];
        weight[j] = 0.5 * (right - left) * exp(weight[j] + log_ratio[j]);
    }
}

/* What a clip that is taken as inactive would have seen, under q. */
static void watch_clip(struct engine *engine, const struct radial_transfer *transfer)
{
    double rho[PANEL_NODES], *weight = engine->work.value, *correction = engine->work.map;
    size_t n = 0, room = MOST_RULE_NODES * PANEL_NODES;
    for (size_t p = 0; p < transfer->grid->count && n + PANEL_NODES <= room; p++, n += PANEL_NODES)
        correction_on(engine, transfer, &transfer->grid->panel[p], rho, correction + n, weight + n);
    if (transfer->grid->count * PANEL_NODES > room)
        engine->clip.beyond = 1.0;
    clip_bound_add(&engine->clip, n, weight, correction);
}

static int clipped(const struct engine *engine, const struct radial_transfer *transfer, double rho)
{
    double correction;
    transfer->sampler->correction(transfer->step, &engine->oracle.base, 1, &rho, &correction, engine->work.work);
    return fabs(correction) > transfer->step->clip;
}

/* The radius between two where the clip sets in or ends. */
static double bisect(const struct engine *engine, const struct radial_transfer *transfer, double from, double to)
{
    int before = clipped(engine, transfer, from);
    for (int i = 0; i < 100; i++) {
        double middle = 0.5 * (from + to);
        if (!(middle > from && middle < to))
            break;
        if (clipped(engine, transfer, middle) == before)
            from = middle;
        else
            to = middle;
    }
    return to;
}

/* The radii where the clip makes the map jump, and how far the quadrature has to reach because of it. */
static enum status find_breaks(struct engine *engine, struct radial_transfer *transfer, struct error *error)
{
    double last = 0.0, largest = 0.0, clip = transfer->step->clip;
    int before = -1;
    if (!transfer->moves || transfer->sampler->correction == NULL || !isfinite(clip))
        return STATUS_OK;
    for (size_t p = 0; p < transfer->grid->count; p++) {
        double rho[PANEL_NODES], correction[PANEL_NODES];
        correction_on(engine, transfer, &transfer->grid->panel[p], rho, correction, NULL);
        for (size_t j = 0; j < PANEL_NODES; j++) {
            int now = fabs(correction[j]) > clip;
            largest = fmax(largest, now ? fabs(correction[j]) : 0.0);
            if (before >= 0 && now != before) {
                if (transfer->breaks == MOST_RADIAL_BREAKS)
                    return fail_with(error, STATUS_NUMERIC, "the clip of %s sets in at more than %d radii",
                                     transfer->sampler->name, MOST_RADIAL_BREAKS);
                transfer->at[transfer->breaks++] = bisect(engine, transfer, last, rho[j]);
            }
            before = now;
            last = rho[j];
        }
    }
    /* what is zeroed moved points by no more than omega of that, in units of sqrt(noise level) */
    double thrown = transfer->step->omega * largest * sqrt(transfer->step->from.noise / transfer->noise);
    transfer->reach = fmin(REACH + thrown, FARTHEST);
    return STATUS_OK;
}

/* Where the error of the steps so far is added up. */
struct tally {
    double l1, l2;
    double rounding_squared;
    struct step_error previous; /* of the last checked step */
    size_t unaccounted;         /* steps since then, the present one included */
};

static void tally_add(struct tally *tally, const struct step_error *wrong)
{
    double between = (double)(tally->unaccounted - 1);
    tally->l1 += fmax(wrong->l1[AS_BEFORE], tally->previous.l1[FROM_NOW_ON]) * between + wrong->l1[AS_MADE];
    tally->l2 += fmax(wrong->l2[AS_BEFORE], tally->previous.l2[FROM_NOW_ON]) * between + wrong->l2[AS_MADE];
    tally->previous = *wrong;
    tally->unaccounted = 0;
}

/* What rounding costs in a step, whatever the rule. */
static double step_rounding(const struct engine *engine, const struct step *step)
{
    return ROUNDING * (1.0 + TERMS * (double)engine->problem->factor->dimension * step->omega);
}

/* A stage of the whole grid, into `grid`. */
static enum status make_stage(struct engine *engine, struct radial_transfer *transfer, int stage, double resolution,
                              int checked, struct panels *grid, struct step_error *wrong, struct error *error)
{
    struct stage_demand demand = {.resolution = resolution,
                                  .checked = checked,
                                  .relative = QUADRATURE_RELATIVE / (double)(engine->problem->schedule->T - 1),
                                  .rounding = step_rounding(engine, transfer->step)};
    enum status status = find_breaks(engine, transfer, error);
    if (checked && transfer->moves && engine->clip.steps > 0 && status == STATUS_OK)
        watch_clip(engine, transfer);
    if (status != STATUS_OK)
        return status;
    return radial_stage_make(transfer, &engine->basis, &engine->work, &demand, &engine->rung[stage], grid, wrong,
                             error);
}

/* Slopes of a linear score error at levels t and t-1. */
/* All levels of the step, and the errors there. */
static void set_oracle(struct engine *engine, const struct step *step, const struct radial_level *from,
                       const struct radial_level *to)
{
    const struct law_problem *problem = engine->problem;
    struct level level[SAMPLER_LEVELS];
    engine->oracle.levels = sampler_levels(problem->sampler, step, level);
    engine->oracle.nominal[0] = from;
    engine->oracle.nominal[1] = to;
    for (size_t i = 0; i < engine->oracle.levels; i++) {
        if (i >= 2) {
            radial_level_set(&engine->other[i - 2], &level[i]);
            engine->oracle.nominal[i] = &engine->other[i - 2];
        }
        struct error_level at = {.shape = NULL};
        if (problem->error_share > 0.0) {
            double share = problem->error_share / (double)problem->factor->dimension;
            mixture_level_set(&engine->coordinate, &engine->oracle.nominal[i]->level);
            score_error_at(problem->score_error, engine->error_norm, share, problem->schedule,
                           i == 1 ? step->t - 1 : step->t, &engine->coordinate, &at);
        }
        engine->oracle.error_slope[i] = at.shape != NULL ? at.amplitude * at.scale : 0.0;
    }
}

static enum status make_step(struct engine *engine, const struct step *step, int from, double resolution, int checked,
                             struct tally *tally, struct error *error)
{
    const struct sampler *sampler = engine->problem->sampler;
    struct radial_level *level_from = &engine->level[from], *level_to = &engine->level[1 - from];
    struct panels *grid_from = &engine->grid[from];
    struct radial_transfer transfer;
    struct step_error wrong = {{0.0}, {0.0}};
    double before, rounding = step_rounding(engine, step);
    enum status status = STATUS_OK;
    radial_level_set(level_to, &step->to);
    set_oracle(engine, step, level_from, level_to);
    before = sampler_noise_before(sampler, step);
    if (before > 0.0) {
        struct level noisy = {level_from->level.alpha_bar, level_from->level.noise + before};
        radial_level_set(&engine->middle, &noisy);
        radial_transfer_init(&transfer, sampler, step, 1, 0.0, level_from, &engine->middle, grid_from,
                             &engine->oracle);
        status = make_stage(engine, &transfer, 1, resolution, checked, &engine->middle_grid, &wrong, error);
        level_from = &engine->middle;
        grid_from = &engine->middle_grid;
        tally->rounding_squared += rounding * rounding;
    }
    if (status == STATUS_OK) {
        radial_transfer_init(&transfer, sampler, step, 0, before, level_from, level_to, grid_from, &engine->oracle);
        status = make_stage(engine, &transfer, 0, resolution, checked, &engine->grid[1 - from], &wrong, error);
    }
    if (engine->undeclared.seen) /* the reason of any other failure */
        status = undeclared_check(&engine->undeclared, sampler, step->t, error);
    tally->rounding_squared += rounding * rounding;
    if (checked && status == STATUS_OK)
        tally_add(tally, &wrong);
    return status;
}

/* log r_T = log N(x; 0, I) - log p_T(x); in the anchor's Gaussian, V_T - 1 = abar_T (s^2 - 1). */
static void evaluate_start(const struct radial_level *radial, size_t anchor, size_t count, const double *rho,
                           double *log_ratio)
{
    double s = radial->factor->sd[anchor], excess = radial->level.alpha_bar * (s - 1.0) * (s + 1.0);
    radial_level_evaluate(radial, anchor, count, rho, log_ratio, NULL);
    for (size_t j = 0; j < count; j++)
        log_ratio[j] = 0.5 * radial->dimension * log1p(excess)
                       - 0.5 * rho[j] * rho[j] * excess * radial->inverse_variance[anchor] - log_ratio[j];
}

/* Panels log r_T, and counts what its interpolation costs. */
static enum status start(struct engine *engine, const struct schedule *schedule, double resolution,
                         struct tally *tally, struct error *error)
{
    struct radial_level *radial = &engine->level[0];
    struct level level = schedule_level(schedule, schedule->T);
    struct radial_norms interpolation = {0.0, 0.0};
    radial_level_set(radial, &level);
    enum status status = radial_panels_lay_out(radial, resolution, &engine->grid[0], error);
    for (size_t p = 0; p < engine->grid[0].count && status == STATUS_OK; p++) {
        struct panel *panel = &engine->grid[0].panel[p];
        double x[PANEL_NODES], value[PANEL_NODES], made[RADIAL_TEST_POINTS], log_density[RADIAL_TEST_POINTS];
        size_t n = radial_panel_nodes(&engine->basis, panel, x);
        evaluate_start(radial, panel->anchor, n, x, value);
        radial_panel_fit(&engine->basis, value, panel);
        radial_test_points(panel, x);
        evaluate_start(radial, panel->anchor, RADIAL_TEST_POINTS, x, value);
        panel_evaluate(panel, 0.0, RADIAL_TEST_POINTS, x, made);
        radial_level_log_density(radial, RADIAL_TEST_POINTS, x, log_density);
        for (int j = 0; j < RADIAL_TEST_POINTS; j++)
            made[j] -= value[j];
        radial_norms_add(&interpolation, panel, log_density, value, made);
    }
    tally->l1 = RADIAL_SEEN * interpolation.l1;
    tally->l2 = RADIAL_SEEN * sqrt(interpolation.l2_squared);
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

static enum status propagate(struct engine *engine, double resolution, struct tally *tally, int *last,
                             struct error *error)
{
    const struct schedule *schedule = engine->problem->schedule;
    size_t stride = (size_t)fmin(fmax(CHECK_EVERY / schedule->h, 1.0), 64.0);
    enum status status = start(engine, schedule, resolution, tally, error);
    int from = 0;
    for (size_t t = schedule->T; t >= 2 && status == STATUS_OK; t--, from = 1 - from) {
        struct step step = sampler_step(engine->problem->sampler, schedule, t);
        step.clip = engine->problem->clip > 0.0 ? engine->problem->clip : HUGE_VAL;
        tally->unaccounted++;
        int checked = (schedule->T - t) % stride == 0 || t == 2 || error_switches(engine, t)
                      || conditions_unlike(engine->problem->conditions, t);
        status = make_step(engine, &step, from, resolution, checked, tally, error);
    }
    *last = from;
    return status;
}

/* ---- The density of the radius ---- */

struct radial_density {
    struct law_density base;
    struct radial_level level;
};

static void log_density(const struct law_density *density, const struct panel *panel, size_t n, const double *x,
                        double *out)
{
    (void)panel;
    radial_level_log_density(&((const struct radial_density *)density)->level, n, x, out);
}

/* Nothing lies beyond the origin. */
static double density_sd(const struct law_density *density, const struct panel *panel)
{
    if (panel->edge[0] == 0.0)
        return 0.0;
    return SHELL_WIDTH * ((const struct radial_density *)density)->level.sd[panel->anchor];
}

static void density_free(struct law_density *density)
{
    radial_level_free(&((struct radial_density *)density)->level);
    free(density);
}

static enum status density_copy(const struct law_density *density, struct law_density **out, struct error *error);

static enum status density_new(const struct factor *factor, const struct level *level, struct law_density **out,
                               struct error *error)
{
    struct radial_density *density = array_new(1, sizeof *density);
    *out = NULL;
    if (density == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a density");
    density->base = (struct law_density){
        .log_density = log_density, .sd = density_sd, .copy = density_copy, .free = density_free};
    enum status status = radial_level_new(factor, &density->level, error);
    if (status != STATUS_OK) {
        free(density);
        return status;
    }
    radial_level_set(&density->level, level);
    *out = &density->base;
    return STATUS_OK;
}

static enum status density_copy(const struct law_density *density, struct law_density **out, struct error *error)
{
    const struct radial_level *level = &((const struct radial_density *)density)->level;
    return density_new(level->factor, &level->level, out, error);
}

static enum status compute(const struct law_problem *problem, double resolution, struct law *out, struct error *error)
{
    struct engine engine;
    struct tally tally = {0};
    int last = 0;
    *out = (struct law){.engine = &engine_radial};
    enum status status = engine_init(&engine, problem, error);
    if (status == STATUS_OK)
        status = propagate(&engine, resolution, &tally, &last, error);
    if (status == STATUS_OK)
        status = density_new(problem->factor, &engine.level[last].level, &out->density, error);
    if (status == STATUS_OK) {
        out->log_ratio = engine.grid[last];
        engine.grid[last] = (struct panels){0};
        out->node_updates = engine.work.node_updates;
        out->clip = engine.clip;
        double rounding = 3.0 * sqrt(tally.rounding_squared);
        out->error_l1 = tally.l1 + rounding;
        out->error_l2 = tally.l2 + rounding;
    }
    engine_free(&engine);
    if (status != STATUS_OK)
        law_free(out);
    return status;
}

static int concentric(const struct factor *factor)
{
    if (factor->full != NULL)
        return 0;
    for (size_t i = 0; factor->mean != NULL && i < factor->dimension * factor->components; i++)
        if (factor->mean[i] != 0.0)
            return 0;
    return 1;
}

/* Of score errors only one along x leaves the law radial. */
static int handles(const struct law_problem *problem)
{
    const struct score_error *error = problem->score_error;
    int radial = !(problem->error_share > 0.0) || error->shape == NULL
                 || (error->shape->proportional && error->spread == SPREAD_ALL);
    return problem->factor->dimension > 1 && concentric(problem->factor) && radial
           && !conditions_broken(problem->conditions, CONDITION_ROTATES);
}

const struct law_engine engine_radial = {
    .name = "radial",
    .doc = "Density-ratio propagation in the radius, for mixtures of isotropic Gaussians around one point in any "
           "dimension.",
    .formula = "as `line`, with r a function of |x|, D_t(x) = kappa(|x|) x and the angle between x and y integrated",
    .source = "theory (14)-(15), with the angle integrated",
    .handles = handles,
    .compute = compute,
};
