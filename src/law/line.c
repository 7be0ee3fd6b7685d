/* The line engine: log r_t on panels, carried from level to level by theory (14)-(15) (law/transfer.c).
 *
 * Error radius. A stage is a Markov operator on densities, so a local error e_t made in step t reaches t = 1 with an
 * L1(p) norm no larger than E_{p_t}|e_t|: the radius is the sum of the local errors, each measured at points off the
 * grid with a finer quadrature rule (so it holds quadrature and interpolation at once), at steps so close in log
 * noise that the larger of two neighbours bounds those between. The same checks choose the number of quadrature
 * nodes. Rounding errors are independent from step to step and are averaged by the operator; they are counted as a
 * random walk. */
#include <math.h>

#include "core/memory.h"
#include "law/line_stage.h"

extern const struct law_engine engine_line;

/* Steps of log noise between two checks, but no more than so many steps; and while nothing changes, and what that
 * does wrong falls with the noise. */
#define CHECK_EVERY 0.25
#define MOST_BETWEEN 64.0
#define IDLE_CHECK_EVERY 1.0

struct engine {
    struct line line;
    double error_norm;
    struct mixture_level level[2], middle; /* levels t and t-1 in turn; t with the noise before the map */
    struct panels grid[2], middle_grid;
    int at;    /* which of the two holds the law */
    int stale; /* steps that change nothing were left out since */
};

static void engine_free(struct engine *engine)
{
    for (int i = 0; i < 2; i++) {
        mixture_level_free(&engine->level[i]);
        panels_free(&engine->grid[i]);
    }
    mixture_level_free(&engine->middle);
    panels_free(&engine->middle_grid);
    line_free(&engine->line);
}

static enum status engine_init(struct engine *engine, const struct law_problem *problem, double resolution,
                               struct error *error)
{
    *engine = (struct engine){.error_norm = 1.0};
    if (problem->error_share > 0.0)
        engine->error_norm = score_error_norm(problem->score_error, problem->schedule);
    enum status status = line_init(&engine->line, problem, resolution, error);
    for (int i = 0; i < 2 && status == STATUS_OK; i++)
        status = mixture_level_new(problem->factor, &engine->level[i], error);
    return status == STATUS_OK ? mixture_level_new(problem->factor, &engine->middle, error) : status;
}

/* Where the error of the steps so far is added up. */
struct tally {
    double l1, l2;
    struct step_error previous; /* of the last checked step */
    size_t unaccounted;         /* steps since then, the present one included */
    double rounding_squared;
};

static void tally_add(struct tally *tally, const struct step_error *wrong)
{
    double between = (double)(tally->unaccounted - 1);
    const struct error_norms *before = &wrong->way[AS_BEFORE], *after = &tally->previous.way[FROM_NOW_ON];
    tally->l1 += fmax(before->l1, after->l1) * between + wrong->way[AS_MADE].l1;
    tally->l2 += fmax(before->l2, after->l2) * between + wrong->way[AS_MADE].l2;
    tally->previous = *wrong;
    tally->unaccounted = 0;
}

/* t's reference with the noise that comes before the map. */
static void set_middle(struct engine *engine, const struct step *step, const struct mixture_level *from)
{
    struct level level = from->level;
    level.noise += sampler_noise_before(engine->line.problem->sampler, step);
    mixture_level_set(&engine->middle, &level);
}

/* Brings the law to level t after steps that were left out. */
static enum status catch_up(struct engine *engine, const struct step *step, struct error *error)
{
    struct panels *stale = &engine->grid[engine->at], *other = &engine->grid[1 - engine->at];
    int in_order;
    mixture_level_set(&engine->level[engine->at], &step->from);
    enum status status = panels_move(stale, &engine->level[engine->at], other, &in_order, error);
    if (status == STATUS_OK && !in_order)
        return fail_with(error, STATUS_NUMERIC, "panels of the law of %s run into each other before step t = %zu",
                         engine->line.problem->sampler->name, step->t);
    struct panels moved = *other;
    *other = *stale;
    *stale = moved;
    engine->stale = 0;
    return status;
}

static enum status make_step(struct engine *engine, const struct step *step, int checked, struct tally *tally,
                             struct error *error)
{
    const struct sampler *sampler = engine->line.problem->sampler;
    int from = engine->at;
    struct mixture_level *level_from = &engine->level[from], *level_to = &engine->level[1 - from];
    struct panels *grid_from = &engine->grid[from];
    struct oracle *oracle = &engine->line.oracle;
    struct transfer transfer;
    struct step_error wrong = {{{0.0, 0.0}}};
    enum status status = engine->stale ? catch_up(engine, step, error) : STATUS_OK;
    mixture_level_set(level_to, &step->to);
    oracle_set(oracle, sampler, engine->line.problem->schedule, step, level_from, level_to,
               engine->line.problem->score_error, engine->error_norm, engine->line.problem->error_share);
    if (sampler_noise_before(sampler, step) > 0.0 && status == STATUS_OK) {
        set_middle(engine, step, level_from);
        transfer_init(&transfer, sampler, step, 1, level_from, &engine->middle, grid_from, oracle);
        status = line_stage_make(&engine->line, &transfer, 1, checked, &engine->middle_grid, &wrong, error);
        level_from = &engine->middle;
        grid_from = &engine->middle_grid;
    }
    if (status == STATUS_OK) {
        transfer_init(&transfer, sampler, step, 0, level_from, level_to, grid_from, oracle);
        status = line_stage_make(&engine->line, &transfer, 0, checked, &engine->grid[1 - from], &wrong, error);
    }
    if (engine->line.undeclared.seen) /* the reason of any other failure */
        status = undeclared_check(&engine->line.undeclared, sampler, step->t, error);
    if (checked && status == STATUS_OK)
        tally_add(tally, &wrong);
    engine->at = 1 - from;
    return status;
}

/* log r_T = log N(x; 0, 1) - log p_T(x) at `count` points relative to the anchor. */
static void evaluate_start(const struct mixture_level *mixture, size_t anchor, size_t count, const double *x,
                           double *log_density, double *log_ratio)
{
    double centre = mixture->root_alpha_bar * mixture->factor->mean[anchor];
    mixture_level_evaluate(mixture, anchor, count, x, log_density, NULL);
    for (size_t j = 0; j < count; j++) {
        double absolute = x[j] + centre;
        log_ratio[j] = -0.5 * absolute * absolute - 0.5 * log(2.0 * M_PI) - log_density[j];
    }
}

/* Panels log r_T, and counts what its interpolation costs. */
static enum status start(struct engine *engine, const struct schedule *schedule, struct tally *tally,
                         struct error *error)
{
    struct mixture_level *mixture = &engine->level[0];
    struct level level = schedule_level(schedule, schedule->T);
    double l1 = 0.0, l2_squared = 0.0;
    mixture_level_set(mixture, &level);
    enum status status = panels_lay_out(mixture, engine->line.resolution, NULL, &engine->grid[0], error);
    for (size_t p = 0; p < engine->grid[0].count && status == STATUS_OK; p++) {
        struct panel *panel = &engine->grid[0].panel[p];
        double x[PANEL_NODES], value[PANEL_NODES], made[PANEL_PROBES], log_density[PANEL_NODES];
        for (int j = 0; j < PANEL_NODES; j++)
            x[j] = panel->centre + panel->half_width * engine->line.chebyshev.node[j];
        evaluate_start(mixture, panel->anchor, PANEL_NODES, x, log_density, value);
        panel_fit(&engine->line.chebyshev, value, panel);
        for (int j = 0; j < PANEL_PROBES; j++)
            x[j] = panel->centre + panel->half_width * panel_probe[j];
        evaluate_start(mixture, panel->anchor, PANEL_PROBES, x, log_density, value);
        panel_evaluate(panel, 0.0, PANEL_PROBES, x, made);
        for (int j = 0; j < PANEL_PROBES; j++) {
            double weight = exp(log_density[j] + value[j]) * 2.0 * panel->half_width / PANEL_PROBES;
            double relative = expm1(made[j] - value[j]);
            l1 += weight * fabs(relative);
            l2_squared += weight * relative * relative;
        }
    }
    tally->l1 = PROBE_MISSES * l1;
    tally->l2 = PROBE_MISSES * sqrt(l2_squared);
    return status;
}

/* Nonzero where the score error begins or ends (a step sees it at t and t-1), and in the step before: steps on either
 * side say nothing about one another. */
static int error_switches(const struct engine *engine, size_t t)
{
    const struct law_problem *problem = engine->line.problem;
    const struct schedule *schedule = problem->schedule;
    if (!(problem->error_share > 0.0))
        return 0;
    double (*weight)(const struct schedule *, size_t) = problem->score_error->profile->weight;
    size_t first = t < schedule->T ? t + 1 : t, last = t > 2 ? t - 2 : 1;
    for (size_t other = last; other <= first; other++)
        if ((weight(schedule, other) > 0.0) != (weight(schedule, t) > 0.0))
            return 1;
    return 0;
}

/* Nonzero if a step between two checks leaves the law as it is. */
static int idle(const struct engine *engine)
{
    int before = engine->line.problem->sampler->log_noise_before != NULL;
    return engine->line.choice[0].carried && (!before || engine->line.choice[1].carried);
}

static enum status propagate(struct engine *engine, struct tally *tally, struct error *error)
{
    const struct schedule *schedule = engine->line.problem->schedule;
    double clip = engine->line.problem->clip;
    size_t stride = (size_t)fmin(fmax(CHECK_EVERY / schedule->h, 1.0), MOST_BETWEEN);
    size_t idle_stride = (size_t)fmax(IDLE_CHECK_EVERY / schedule->h, 1.0);
    enum status status = start(engine, schedule, tally, error);
    for (size_t t = schedule->T; t >= 2 && status == STATUS_OK; t--) {
        tally->unaccounted++;
        /* the last step of samplers that look at the one after is unlike those before it */
        int checked = t == schedule->T || t <= 3 || tally->unaccounted >= (idle(engine) ? idle_stride : stride)
                      || error_switches(engine, t) || conditions_unlike(engine->line.problem->conditions, t);
        if (!checked && idle(engine)) {
            engine->stale = 1;
            continue;
        }
        struct step step = sampler_step(engine->line.problem->sampler, schedule, t);
        step.clip = clip > 0.0 ? clip : HUGE_VAL;
        status = make_step(engine, &step, checked, tally, error);
        for (int stage = 0; stage < LINE_STAGES; stage++)
            tally->rounding_squared += engine->line.rounding[stage] * engine->line.rounding[stage];
    }
    return status;
}

static enum status compute(const struct law_problem *problem, double resolution, struct law *out, struct error *error)
{
    struct engine engine;
    struct tally tally = {0};
    *out = (struct law){.engine = &engine_line};
    enum status status = engine_init(&engine, problem, resolution, error);
    if (status == STATUS_OK)
        status = propagate(&engine, &tally, error);
    if (status == STATUS_OK)
        status = mixture_level_new(problem->factor, &out->target, error);
    if (status == STATUS_OK) {
        mixture_level_set(&out->target, &engine.level[engine.at].level);
        out->log_ratio = engine.grid[engine.at];
        engine.grid[engine.at] = (struct panels){0};
        line_team_work(&engine.line.team, &out->node_updates, &out->exponentials);
        out->clip = engine.line.clip;
        out->rounding = 3.0 * sqrt(tally.rounding_squared);
        double coordinates = conditions_rounding(problem->conditions);
        out->error_l1 = tally.l1 + out->rounding + coordinates;
        out->error_l2 = tally.l2 + out->rounding + coordinates;
    }
    engine_free(&engine);
    if (status != STATUS_OK)
        law_free(out);
    return status;
}

static int handles(const struct law_problem *problem)
{
    return problem->factor->dimension == 1;
}

const struct law_engine engine_line = {
    .name = "line",
    .doc = "Density-ratio propagation on the line, for any one-dimensional mixture.",
    .formula =
        "r_{t-1}(y) = E[r_t(x) K_t(y|x) p_t(x)/(P_t(x|y) p_{t-1}(y))] over x ~ P_t(.|y), r = q/p, K_t the sampler's "
        "kernel, P_t the forward one; v_t = 0: r_{t-1}(m(x)) = r_t(x) p_t(x)/(p_{t-1}(m(x)) m'(x)), m its map",
    .source = "theory (14)-(15)",
    .handles = handles,
    .compute = compute,
};
