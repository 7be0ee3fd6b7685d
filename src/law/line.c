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
#include "core/vmath.h"
#include "law/clip.h"
#include "law/law.h"
#include "law/oracle.h"
#include "law/rule.h"
#include "law/transfer.h"

extern const struct law_engine engine_line;

enum { TEST_POINTS = 4 /* a panel, in a checked step */, STAGES = 2 };

/* L1(p) error that a stage's quadrature rule may make: absolute, or as a part of E_p|r - 1| (shared by the steps),
 * whichever is larger; and what rounding makes in any case. */
#define QUADRATURE_TOLERANCE 8e-16
#define QUADRATURE_RELATIVE 3e-7
#define ROUNDING 3e-16

/* So many times the tolerance, and the next rungs need not be tried one by one. */
#define FAR_OFF 1e4

/* Steps of log noise between two checks. */
#define CHECK_EVERY 0.25

/* Panels beside a jump, in units of the noise that blurs it; a wave of number k needs panels of WAVE_LENGTH/k, but
 * none shorter than what the noise leaves. Chosen by the measured interpolation error. */
#define EDGE_LENGTH 1.5
#define WAVE_LENGTH 6.0
/* Standard deviations of the noise to which it is integrated beside jumps: mass 1e-17; and at most, for jumps that
 * throw farther than the noise does. */
#define REACH 8.6
#define FARTHEST 30.0
/* A jump that moves less mass than this in a step (relative to the narrowest component) is below rounding. */
#define FAINT 1e-14

struct engine {
    const struct law_problem *problem;
    double error_norm;
    struct mixture_level level[2], middle; /* levels t and t-1 in turn; t with the noise before the map */
    struct panels grid[2], middle_grid;
    struct chebyshev chebyshev;
    struct rules rules;
    struct transfer_work work;
    struct oracle oracle;
    struct fineness jumps; /* the last that mattered; positions and `longest` in units of sqrt(alpha_bar), which they
                            * keep */
    size_t rung[STAGES];
    struct clip_bound clip;
    double panel_weight[PANEL_NODES]; /* of the Chebyshev nodes, for integrals over a panel */
};

static void engine_free(struct engine *engine)
{
    for (int i = 0; i < 2; i++) {
        mixture_level_free(&engine->level[i]);
        panels_free(&engine->grid[i]);
    }
    mixture_level_free(&engine->middle);
    panels_free(&engine->middle_grid);
    rules_free(&engine->rules);
    oracle_free(&engine->oracle);
    transfer_work_free(&engine->work);
}

/* The integral of T_k over [-1, 1] is 2/(1 - k^2) for even k. */
static void set_panel_weights(struct engine *engine)
{
    for (int j = 0; j < PANEL_NODES; j++) {
        engine->panel_weight[j] = 0.0;
        for (int k = 0; k < PANEL_NODES; k += 2)
            engine->panel_weight[j] += engine->chebyshev.transform[j][k] * 2.0 / (1.0 - (double)(k * k));
    }
}

static enum status engine_init(struct engine *engine, const struct law_problem *problem, struct error *error)
{
    *engine = (struct engine){.problem = problem, .error_norm = 1.0};
    if (problem->error_share > 0.0)
        engine->error_norm = score_error_norm(problem->score_error, problem->schedule);
    if (problem->sampler->correction != NULL && !(problem->clip > 0.0))
        engine->clip = (struct clip_bound){.steps = problem->schedule->T - 1, .T = problem->schedule->T};
    chebyshev_init(&engine->chebyshev);
    set_panel_weights(engine);
    enum status status = oracle_new(problem->factor, problem->sampler, &engine->oracle, error);
    if (status == STATUS_OK)
        status = rules_new(&engine->rules, error);
    if (status == STATUS_OK)
        status = transfer_work_new(problem->sampler, &engine->rules, &engine->work, error);
    for (int i = 0; i < 2 && status == STATUS_OK; i++)
        status = mixture_level_new(problem->factor, &engine->level[i], error);
    return status == STATUS_OK ? mixture_level_new(problem->factor, &engine->middle, error) : status;
}

/* Where checks look at a panel: away from its nodes. What they see of a polynomial of the first degrees that the
 * nodes miss is up to SEEN times less than its mean. */
#define SEEN 1.5

static const double test_position[TEST_POINTS] = {-0.99, -0.42, 0.33, 0.97};

/* E_p|e| of an error e of r, and E_p e^2/r: what a Markov operator on densities does not increase. */
struct norms {
    double l1, l2_squared;
};

/* `weight` of p, the ratio r, and the relative error of r there. */
static void norms_add(struct norms *norms, double weight, double ratio, double relative)
{
    norms->l1 += weight * ratio * fabs(relative);
    norms->l2_squared += weight * ratio * relative * relative;
}

/* What one stage does wrong, in norms weighted by the density of its reference, at points off the grid and against a
 * finer rule. */
struct local_error {
    struct norms total;      /* of the stage as made: quadrature and interpolation */
    struct norms quadrature; /* of its rule alone */
    struct norms coarser;    /* of the next smaller rule */
    double distance;         /* E_p|r - 1| so far */
};

static enum status check(struct engine *engine, const struct transfer *transfer, const struct panels *grid,
                         size_t rung, struct local_error *out, struct error *error)
{
    const size_t rungs[3] = {rung + FINER, rung, rung > 0 ? rung - 1 : 0};
    size_t hint[3] = {0, 0, 0};
    enum status status = STATUS_OK;
    *out = (struct local_error){{0.0, 0.0}, {0.0, 0.0}, {0.0, 0.0}, 0.0};
    for (size_t p = 0; p < grid->count && status == STATUS_OK; p++) {
        const struct panel *panel = &grid->panel[p];
        double y[TEST_POINTS], value[3][TEST_POINTS], made[TEST_POINTS], log_density[TEST_POINTS];
        for (int j = 0; j < TEST_POINTS; j++)
            y[j] = panel->centre + panel->half_width * test_position[j];
        for (int k = 0; k < 3 && status == STATUS_OK; k++)
            status = transfer_apply(transfer, &engine->work, rungs[k], panel->anchor, 2.0 * panel->half_width,
                                    TEST_POINTS, y, value[k], &hint[k], error);
        panel_evaluate(panel, 0.0, TEST_POINTS, y, made);
        mixture_level_evaluate(transfer->to, panel->anchor, TEST_POINTS, y, log_density, NULL);
        for (int j = 0; j < TEST_POINTS && status == STATUS_OK; j++) {
            double weight = exp(log_density[j]) * 2.0 * panel->half_width / TEST_POINTS, ratio = exp(value[0][j]);
            out->distance += weight * fabs(expm1(value[0][j]));
            norms_add(&out->total, weight, ratio, expm1(made[j] - value[0][j]));
            norms_add(&out->quadrature, weight, ratio, expm1(value[1][j] - value[0][j]));
            norms_add(&out->coarser, weight, ratio, expm1(value[2][j] - value[0][j]));
        }
    }
    return status;
}

/* Fills the panels of `grid` through the stage. */
static enum status fill(struct engine *engine, const struct transfer *transfer, size_t rung, struct panels *grid,
                        struct error *error)
{
    size_t hint = 0, together = transfer->deterministic ? 1 : TRANSFER_POINTS / PANEL_NODES;
    enum status status = STATUS_OK;
    for (size_t p = 0, next; p < grid->count && status == STATUS_OK; p = next) {
        double y[TRANSFER_POINTS], value[TRANSFER_POINTS];
        for (next = p; next < grid->count && next - p < together && grid->panel[next].anchor == grid->panel[p].anchor;
             next++)
            for (size_t j = 0; j < PANEL_NODES; j++)
                y[(next - p) * PANEL_NODES + j] =
                    grid->panel[next].centre + grid->panel[next].half_width * engine->chebyshev.node[j];
        status = transfer_apply(transfer, &engine->work, rung, grid->panel[p].anchor, 2.0 * grid->panel[p].half_width,
                                (next - p) * PANEL_NODES, y, value, &hint, error);
        for (size_t i = p; i < next && status == STATUS_OK; i++) {
            panel_fit(&engine->chebyshev, value + (i - p) * PANEL_NODES, &grid->panel[i]);
            if (!isfinite(grid->panel[i].coefficient[0]))
                status = fail_with(error, STATUS_NUMERIC, "the law of %s is not finite after step t = %zu",
                                   transfer->sampler->name, transfer->step->t);
        }
    }
    return status;
}

/* What the score error asks of the panels of a stage's result: jumps of the map, blurred by the noise; before the
 * map, those of the step before. Where they have become faint, or the error has ended, what they left in r stays. */
static struct fineness fineness_for(struct engine *engine, const struct transfer *transfer)
{
    struct fineness *jumps = &engine->jumps, fineness;
    const struct mixture_level *from = transfer->from;
    double tau = transfer->deterministic ? 0.0 : transfer->tau, root = transfer->to->root_alpha_bar;
    size_t count = transfer->breaks.count < PANEL_EDGES ? transfer->breaks.count : PANEL_EDGES;
    for (size_t b = 0; b < count; b++)
        jumps->edge[b] = (transfer->breaks.at[b] + from->root_alpha_bar * from->factor->mean[0]) / transfer->a / root;
    if (count > 0) {
        jumps->edges = count;
        jumps->finest = EDGE_LENGTH * tau;
    } else if (!transfer->moves && jumps->edges > 0)
        jumps->finest = fmin(jumps->finest, EDGE_LENGTH * tau);
    double longest = HUGE_VAL;
    for (size_t i = 0; i < engine->oracle.levels; i++) {
        const struct error_level *at = &engine->oracle.error[i];
        if (at->shape != NULL && (at->shape->parameters & ERROR_ROUGHNESS) && at->amplitude > 0.0)
            longest = fmin(longest, fmax(WAVE_LENGTH / at->scale, EDGE_LENGTH * tau));
    }
    if (isfinite(longest))
        jumps->longest = longest / root;
    fineness = *jumps;
    fineness.longest *= root;
    for (size_t e = 0; e < fineness.edges; e++)
        fineness.edge[e] *= root;
    return fineness;
}

/* The jumps of the map, where they matter. */
static enum status find_breaks(struct engine *engine, struct transfer *transfer, struct error *error)
{
    double size = 0.0, sd = transfer->from->sd[0], work[2 + 64];
    for (size_t k = 1; k < transfer->from->factor->components; k++)
        sd = fmin(sd, transfer->from->sd[k]);
    for (size_t i = 0; i < engine->oracle.levels; i++)
        if (engine->oracle.error[i].edges > 0)
            size = fmax(size, engine->oracle.error[i].amplitude * engine->oracle.error[i].height);
    if (!transfer->moves || (transfer->step->beta * size < FAINT * sd && !isfinite(transfer->step->clip)))
        return STATUS_OK;
    if (transfer->sampler->work_arrays > 64)
        return fail_with(error, STATUS_UNSUPPORTED, "sampler %s needs more than 64 work arrays",
                         transfer->sampler->name);
    double scale = transfer->deterministic ? sd : transfer->tau;
    engine->oracle.work = engine->work.oracle_work;
    oracle_breaks(&engine->oracle, transfer->sampler, transfer->step, transfer->grid, scale, work, &transfer->breaks);
    /* what a jump throws far comes from far in units of the noise */
    transfer->reach = fmin(REACH + 2.0 * transfer->step->beta * size / scale, FARTHEST);
    if (transfer->deterministic && transfer->breaks.count > 0)
        return fail_with(
            error, STATUS_NUMERIC,
            "the map of %s jumps at step t = %zu (the score error is not continuous): it folds or tears, "
            "and the law is not computed",
            transfer->sampler->name, transfer->step->t);
    return STATUS_OK;
}

#define INSIDE (1.0 - 1e-9) /* the ends of a piece are nodes, and jumps belong to its neighbour */

/* E_q over one piece of a panel, to the arrays at `n`: positions, weights, and the correction that the clip would
 * see.
 */
static void watch_piece(struct engine *engine, const struct transfer *transfer, const struct panel *panel,
                        double from, double to, size_t n)
{
    double *weight = engine->work.score + n, *x = engine->work.x + n, log_ratio[PANEL_NODES];
    double centre = 0.5 * (from + to), half = 0.5 * (to - from) * INSIDE;
    for (size_t j = 0; j < PANEL_NODES; j++)
        x[j] = centre + half * engine->chebyshev.node[j];
    mixture_level_evaluate(transfer->from, panel->anchor, PANEL_NODES, x, weight, NULL);
    panel_evaluate(panel, 0.0, PANEL_NODES, x, log_ratio);
    for (size_t j = 0; j < PANEL_NODES; j++)
        weight[j] = engine->panel_weight[j] * half * exp(weight[j] + log_ratio[j]);
    engine->oracle.anchor = panel->anchor;
    engine->oracle.work = engine->work.oracle_work;
    transfer->sampler->correction(transfer->step, &engine->oracle.base, PANEL_NODES, x, engine->work.increment + n,
                                  engine->work.work);
}

/* The correction under q, on the grid cut at the map's jumps. */
static void watch_clip(struct engine *engine, const struct transfer *transfer)
{
    const struct panels *grid = transfer->grid;
    size_t n = 0, room = MOST_RULE_NODES * PANEL_NODES;
    for (size_t p = 0; p < grid->count; p++) {
        const struct panel *panel = &grid->panel[p];
        double shift = mixture_level_centre(transfer->from, 0, panel->anchor);
        double from = panel->centre - panel->half_width, end = panel->centre + panel->half_width;
        for (size_t b = 0; b <= transfer->breaks.count && n + PANEL_NODES <= room; b++) {
            double to = b < transfer->breaks.count ? fmin(transfer->breaks.at[b] + shift, end) : end;
            if (!(to > from))
                continue;
            watch_piece(engine, transfer, panel, from, to, n);
            n += PANEL_NODES;
            from = to;
        }
    }
    if (n + PANEL_NODES > room) /* the rest was not looked at */
        engine->clip.beyond = 1.0;
    clip_bound_add(&engine->clip, n, engine->work.score, engine->work.increment);
}

/* What a checked step does wrong: as steps were made up to now, as it was made itself, and as they will be made. */
enum { AS_BEFORE, AS_MADE, FROM_NOW_ON, WAYS };
struct step_error {
    double l1[WAYS], l2[WAYS];
};

/* Where the error of the steps so far is added up. */
struct tally {
    double l1, l2;
    struct step_error previous; /* of the last checked step */
    size_t unaccounted;         /* steps since then, the present one included */
    size_t steps;
};

static void tally_add(struct tally *tally, const struct step_error *wrong)
{
    double between = (double)(tally->unaccounted - 1);
    tally->l1 += fmax(wrong->l1[AS_BEFORE], tally->previous.l1[FROM_NOW_ON]) * between + wrong->l1[AS_MADE];
    tally->l2 += fmax(wrong->l2[AS_BEFORE], tally->previous.l2[FROM_NOW_ON]) * between + wrong->l2[AS_MADE];
    tally->previous = *wrong;
    tally->unaccounted = 0;
}

static void add_local(struct step_error *wrong, int way, const struct local_error *local, double ignored)
{
    wrong->l1[way] += fmax(SEEN * local->total.l1 - ROUNDING, 0.0) + ignored;
    wrong->l2[way] += fmax(SEEN * sqrt(local->total.l2_squared) - ROUNDING, 0.0) + ignored;
}

/* The rule that a rung stands for at this resolution. */
static size_t rung_in_use(size_t rung, double resolution)
{
    size_t extra = resolution > 1.0 ? (size_t)lround(3.0 * log2(resolution)) : 0;
    return rung + extra < TOP_RUNG ? rung + extra : TOP_RUNG;
}

/* A stage of the whole grid. A checked one lays the panels out anew and raises its rung until the rule's error is
 * down at rounding; one between checks moves the panels along where the score error leaves them alone. Adds to
 * *wrong what a checked stage does wrong. */
static enum status make_stage(struct engine *engine, struct transfer *transfer, int stage, double resolution,
                              int checked, struct panels *grid, struct step_error *wrong, struct error *error)
{
    int in_order = 0;
    enum status status = find_breaks(engine, transfer, error);
    if (checked && transfer->moves && engine->clip.steps > 0 && status == STATUS_OK)
        watch_clip(engine, transfer);
    struct fineness fineness = fineness_for(engine, transfer);
    if (status == STATUS_OK && !checked && fineness.edges == 0)
        status = panels_move(transfer->grid, transfer->to, grid, &in_order, error);
    if (status == STATUS_OK && !in_order)
        status = panels_lay_out(transfer->to, resolution, &fineness, grid, error);
    size_t *rung = &engine->rung[stage];
    if (!checked)
        return status == STATUS_OK ? fill(engine, transfer, rung_in_use(*rung, resolution), grid, error) : status;
    double relative = QUADRATURE_RELATIVE / (double)(engine->problem->schedule->T - 1);
    for (int pass = 0; status == STATUS_OK; pass++) {
        struct local_error local;
        size_t used = rung_in_use(*rung, resolution);
        engine->work.ignored = 0.0;
        status = fill(engine, transfer, used, grid, error);
        double ignored = engine->work.ignored;
        if (status == STATUS_OK)
            status = check(engine, transfer, grid, used, &local, error);
        if (status != STATUS_OK)
            break;
        if (pass == 0)
            add_local(wrong, AS_BEFORE, &local, ignored);
        double tolerance = fmax(QUADRATURE_TOLERANCE, relative * local.distance);
        if (local.quadrature.l1 > tolerance && used < TOP_RUNG && !transfer->deterministic) {
            *rung += local.quadrature.l1 > FAR_OFF * tolerance ? 3 : 1;
            continue;
        }
        add_local(wrong, AS_MADE, &local, ignored);
        add_local(wrong, FROM_NOW_ON, &local, ignored);
        if (*rung > 0 && local.coarser.l1 < 0.5 * tolerance) {
            (*rung)--;
            wrong->l1[FROM_NOW_ON] += local.coarser.l1;
            wrong->l2[FROM_NOW_ON] += sqrt(local.coarser.l2_squared);
        }
        break;
    }
    return status;
}

/* t's reference with the noise that comes before the map. */
static void set_middle(struct engine *engine, const struct step *step, const struct mixture_level *from)
{
    struct level level = from->level;
    level.noise += step->beta * exp(engine->problem->sampler->log_noise_before(step));
    mixture_level_set(&engine->middle, &level);
}

static enum status make_step(struct engine *engine, const struct step *step, int from, double resolution, int checked,
                             struct tally *tally, struct error *error)
{
    const struct sampler *sampler = engine->problem->sampler;
    struct mixture_level *level_from = &engine->level[from], *level_to = &engine->level[1 - from];
    struct panels *grid_from = &engine->grid[from];
    struct transfer transfer;
    struct step_error wrong = {{0.0}, {0.0}};
    enum status status = STATUS_OK;
    mixture_level_set(level_to, &step->to);
    oracle_set(&engine->oracle, sampler, engine->problem->schedule, step, level_from, level_to,
               engine->problem->score_error, engine->error_norm, engine->problem->error_share);
    if (sampler->log_noise_before != NULL) {
        set_middle(engine, step, level_from);
        transfer_init(&transfer, sampler, step, 1, level_from, &engine->middle, grid_from, &engine->oracle);
        status = make_stage(engine, &transfer, 1, resolution, checked, &engine->middle_grid, &wrong, error);
        level_from = &engine->middle;
        grid_from = &engine->middle_grid;
    }
    if (status == STATUS_OK) {
        transfer_init(&transfer, sampler, step, 0, level_from, level_to, grid_from, &engine->oracle);
        status = make_stage(engine, &transfer, 0, resolution, checked, &engine->grid[1 - from], &wrong, error);
    }
    if (checked && status == STATUS_OK)
        tally_add(tally, &wrong);
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
static enum status start(struct engine *engine, const struct schedule *schedule, double resolution,
                         struct tally *tally, struct error *error)
{
    struct mixture_level *mixture = &engine->level[0];
    struct level level = schedule_level(schedule, schedule->T);
    struct norms interpolation = {0.0, 0.0};
    mixture_level_set(mixture, &level);
    enum status status = panels_lay_out(mixture, resolution, NULL, &engine->grid[0], error);
    for (size_t p = 0; p < engine->grid[0].count && status == STATUS_OK; p++) {
        struct panel *panel = &engine->grid[0].panel[p];
        double x[PANEL_NODES], value[PANEL_NODES], made[TEST_POINTS], log_density[PANEL_NODES];
        for (int j = 0; j < PANEL_NODES; j++)
            x[j] = panel->centre + panel->half_width * engine->chebyshev.node[j];
        evaluate_start(mixture, panel->anchor, PANEL_NODES, x, log_density, value);
        panel_fit(&engine->chebyshev, value, panel);
        for (int j = 0; j < TEST_POINTS; j++)
            x[j] = panel->centre + panel->half_width * test_position[j];
        evaluate_start(mixture, panel->anchor, TEST_POINTS, x, log_density, value);
        panel_evaluate(panel, 0.0, TEST_POINTS, x, made);
        for (int j = 0; j < TEST_POINTS; j++)
            norms_add(&interpolation, exp(log_density[j]) * 2.0 * panel->half_width / TEST_POINTS, exp(value[j]),
                      expm1(made[j] - value[j]));
    }
    tally->l1 = SEEN * interpolation.l1;
    tally->l2 = SEEN * sqrt(interpolation.l2_squared);
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
        struct step step = schedule_step(schedule, t);
        step.clip = engine->problem->clip > 0.0 ? engine->problem->clip : HUGE_VAL;
        tally->unaccounted++;
        tally->steps++;
        int checked = (schedule->T - t) % stride == 0 || t == 2 || error_switches(engine, t);
        status = make_step(engine, &step, from, resolution, checked, tally, error);
    }
    *last = from;
    return status;
}

static enum status compute(const struct law_problem *problem, double resolution, struct law *out, struct error *error)
{
    struct engine engine;
    struct tally tally = {0};
    int last = 0;
    *out = (struct law){.engine = &engine_line};
    enum status status = engine_init(&engine, problem, error);
    if (status == STATUS_OK)
        status = propagate(&engine, resolution, &tally, &last, error);
    if (status == STATUS_OK)
        status = mixture_level_new(problem->factor, &out->target, error);
    if (status == STATUS_OK) {
        mixture_level_set(&out->target, &engine.level[last].level);
        out->log_ratio = engine.grid[last];
        engine.grid[last] = (struct panels){0};
        out->node_updates = engine.work.node_updates;
        out->clip = engine.clip;
        double rounding = 3.0 * ROUNDING * sqrt((double)tally.steps);
        out->error_l1 = tally.l1 + rounding;
        out->error_l2 = tally.l2 + rounding;
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
    .formula = "r_{t-1}(y) = E[r_t(x) K_t(y|x) p_t(x)/(P_t(x|y) p_{t-1}(y))] over x ~ P_t(.|y), r = q/p, K_t the sampler's "
               "kernel, P_t the forward one; v_t = 0: r_{t-1}(m(x)) = r_t(x) p_t(x)/(p_{t-1}(m(x)) m'(x)), m its map",
    .source = "theory (14)-(15)",
    .handles = handles,
    .compute = compute,
};
