/* The line engine: log r_t on panels, propagated by theory (14)-(15).
 *
 * r_{t-1}(y) - 1 = E_z[ r_t(x) c_t(x, y) - 1 ],  x = sqrt(alpha) y + sqrt(1 - alpha) z, a Gauss-Hermite sum of
 * expm1(log r + log c).
 *
 * Error radius. The update is a Markov operator on densities, so a local error e_t made in step t reaches t = 1 with
 * an L1(p) norm no larger than E_{p_t}|e_t|: the radius is the sum of the local errors, each measured at points off
 * the grid with a finer quadrature rule (so it holds quadrature and interpolation at once), at steps so close in log
 * noise that the larger of two neighbours bounds those between. The same checks choose the number of quadrature
 * nodes. Rounding errors are independent from step to step and are averaged by the operator; they are counted as a
 * random walk. */
#include <gsl/gsl_integration.h>
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/vmath.h"
#include "law/law.h"

extern const struct law_engine engine_line;

/* Quadrature rules for z in use, for the adaptive choice to walk along: Gauss-Hermite while the integrand is smooth
 * on the scale of the noise, the trapezoid rule, as fine as one likes, where it is not (few, large steps). */
static const size_t hermite_ladder[] = {1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40};
static const double trapezoid_ladder[] = {0.3, 0.24, 0.18, 0.13, 0.09, 0.065, 0.045};
#define TRAPEZOID_REACH 10.0

enum {
    HERMITE_RUNGS = sizeof hermite_ladder / sizeof hermite_ladder[0],
    RUNGS = HERMITE_RUNGS + sizeof trapezoid_ladder / sizeof trapezoid_ladder[0],
    FINER = 3, /* rungs between a rule and the one that checks it */
    TOP_RUNG = RUNGS - 1 - FINER,
    MOST_NODES = 447,
    GROUP = 8,      /* panels of one anchor that are advanced together */
    TEST_POINTS = 4 /* a panel, in a checked step */
};

/* L1(p) error that a step's quadrature rule may make: absolute, or as a part of E_p|r - 1| (shared by the steps),
 * whichever is larger; and what rounding makes in any case. */
#define QUADRATURE_TOLERANCE 8e-16
#define QUADRATURE_RELATIVE 3e-7
#define ROUNDING 3e-16

/* Steps of log noise between two checks. */
#define CHECK_EVERY 0.25

struct rule {
    size_t n;
    double *node, *weight; /* for the mean over z ~ N(0, 1) */
};

struct line_score {
    struct score base;
    const struct mixture_level *from, *to;
    size_t anchor;
    const double *known_x; /* points whose score at level t is already in known_score */
    const double *known_score;
};

/* Where the quadrature nodes of a step lie and what that adds to log c. Theory (15) puts them on the scale of the
 * forward kernel; any scale is exact, and fewest are needed on that of the integrand K(y|.) p_t. With x = sqrt(alpha)
 * y + tau z, log c = -(tau z D + D^2/2)/(v alpha) + z^2 (1 - tau^2/(v alpha))/2 + log(tau^2 alpha/(v alpha))/2 + log
 * p_t(x) - log p_{t-1}(y). */
struct scale {
    double root_alpha;
    double tau;
    double linear, quadratic; /* tau/(v alpha), 1/(2 v alpha) */
    double curvature;         /* (1 - tau^2/(v alpha))/2 */
    double constant;
};

struct engine {
    const struct sampler *sampler;
    struct mixture_level level[2];
    struct panels grid[2];
    struct chebyshev chebyshev;
    struct rule rule[RUNGS];
    double *x, *log_density, *score, *increment, *log_ratio, *work, *block;
    struct line_score oracle;
    struct scale scale; /* of the present step */
    size_t steps;       /* of the whole law */
    size_t node_updates;
};

static void oracle_evaluate(const struct score *score, const struct level *level, size_t n, const double *x,
                            double *out)
{
    const struct line_score *line = (const struct line_score *)score;
    if (x == line->known_x && level->noise == line->from->level.noise) {
        for (size_t i = 0; i < n; i++)
            out[i] = line->known_score[i];
        return;
    }
    const struct mixture_level *mixture = level->noise == line->from->level.noise ? line->from : line->to;
    mixture_level_evaluate(mixture, line->anchor, n, x, NULL, out);
}

/* Gauss-Hermite nodes of GSL, polished: its eigenvalues are good to 1e-15, but an odd moment of that size, made in
 * every step, would be the largest error of the whole law. Orthonormal polynomials: p_{k+1} = (z p_k - sqrt(k)
 * p_{k-1})/sqrt(k+1). */
static void polish(double *node, double *weight, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (int newton = 0; newton < 3; newton++) {
            double before = 0.0, p = 1.0, squares = 0.0;
            for (size_t k = 0; k < n; k++) {
                double next = (node[i] * p - sqrt((double)k) * before) / sqrt((double)k + 1.0);
                squares += p * p;
                before = p;
                p = next;
            }
            node[i] -= p / (sqrt((double)n) * before);
            weight[i] = 1.0 / squares;
        }
    }
    for (size_t i = 0; i < n - 1 - i; i++) {
        node[n - 1 - i] = 0.5 * (node[n - 1 - i] - node[i]);
        node[i] = -node[n - 1 - i];
        weight[i] = weight[n - 1 - i] = 0.5 * (weight[i] + weight[n - 1 - i]);
    }
    if (n % 2 == 1)
        node[n / 2] = 0.0;
}

static enum status make_rule(size_t rung, struct rule *rule, struct error *error)
{
    rule->n = rung < HERMITE_RUNGS ? hermite_ladder[rung]
                                   : 2 * (size_t)ceil(TRAPEZOID_REACH / trapezoid_ladder[rung - HERMITE_RUNGS]) + 1;
    rule->node = array_new(2 * rule->n, sizeof *rule->node);
    if (rule->node == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu quadrature nodes", rule->n);
    rule->weight = rule->node + rule->n;
    if (rung >= HERMITE_RUNGS) {
        double spacing = trapezoid_ladder[rung - HERMITE_RUNGS];
        for (size_t i = 0; i < rule->n; i++) {
            rule->node[i] = spacing * ((double)i - (double)(rule->n / 2));
            rule->weight[i] = spacing / sqrt(2.0 * M_PI) * exp(-0.5 * rule->node[i] * rule->node[i]);
        }
        return STATUS_OK;
    }
    gsl_integration_fixed_workspace *gauss =
        gsl_integration_fixed_alloc(gsl_integration_fixed_hermite, rule->n, 0.0, 0.5, 0.0, 0.0);
    if (gauss == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu quadrature nodes", rule->n);
    memcpy(rule->node, gsl_integration_fixed_nodes(gauss), rule->n * sizeof *rule->node);
    gsl_integration_fixed_free(gauss);
    polish(rule->node, rule->weight, rule->n);
    return STATUS_OK;
}

static void engine_free(struct engine *engine)
{
    for (int i = 0; i < 2; i++) {
        mixture_level_free(&engine->level[i]);
        panels_free(&engine->grid[i]);
    }
    for (size_t i = 0; i < RUNGS; i++)
        free(engine->rule[i].node);
    free(engine->block);
}

static enum status engine_init(struct engine *engine, const struct factor *factor, const struct sampler *sampler,
                               struct error *error)
{
    *engine = (struct engine){.sampler = sampler, .oracle = {.base = {oracle_evaluate}}};
    size_t batch = MOST_NODES * PANEL_NODES;
    engine->block = array_new((5 + sampler->work_arrays) * batch, sizeof *engine->block);
    if (engine->block == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for the line engine's workspace");
    engine->x = engine->block;
    engine->log_density = engine->x + batch;
    engine->score = engine->log_density + batch;
    engine->increment = engine->score + batch;
    engine->log_ratio = engine->increment + batch;
    engine->work = engine->log_ratio + batch;
    chebyshev_init(&engine->chebyshev);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < RUNGS && status == STATUS_OK; i++)
        status = make_rule(i, &engine->rule[i], error);
    for (int i = 0; i < 2 && status == STATUS_OK; i++)
        status = mixture_level_new(factor, &engine->level[i], error);
    return status;
}

static double narrowest_sd(const struct mixture_level *mixture)
{
    double narrowest = mixture->sd[0];
    for (size_t k = 1; k < mixture->factor->components; k++)
        narrowest = fmin(narrowest, mixture->sd[k]);
    return narrowest;
}

/* tau is exact where p_t is a Gaussian of variance V and D = (1 - alpha) s: v alpha/tau^2 = (1 - beta/V)^2 + v
 * alpha/V = 1 + q. */
static struct scale scale_for(const struct sampler *sampler, const struct step *step, double V)
{
    double kernel = step->beta * exp(sampler->log_noise_ratio(step)); /* v alpha */
    double shrink = step->beta / V, q = kernel / V - 2.0 * shrink + shrink * shrink;
    double tau = sqrt(kernel / (1.0 + q));
    return (struct scale){exp(0.5 * step->log_alpha),        tau, tau / kernel, 0.5 / kernel, 0.5 * q / (1.0 + q),
                          0.5 * (step->log_alpha - log1p(q))};
}

VECTOR_CLONES static void add_log_c(size_t count, double z, const struct scale *scale, const double *increment,
                                    const double *log_density, const double *log_density_y, double *log_ratio)
{
    double constant = scale->constant + scale->curvature * z * z, linear = scale->linear * z,
           quadratic = scale->quadratic;
    for (size_t j = 0; j < count; j++)
        log_ratio[j] +=
            (constant - increment[j] * (linear + quadratic * increment[j])) + (log_density[j] - log_density_y[j]);
}

/* log(sum_i w_i exp(e_i)) when r is far below 1 and 1 + sum w expm1(e) has lost its digits. */
static double log_mean_exp(const struct rule *rule, const double *exponent, size_t stride)
{
    double largest = -HUGE_VAL, total = 0.0;
    for (size_t i = 0; i < rule->n; i++)
        largest = fmax(largest, exponent[i * stride]);
    for (size_t i = 0; i < rule->n; i++)
        total += rule->weight[i] * exp(exponent[i * stride] - largest);
    return largest + log(total);
}

/* log r_{t-1} at `count` <= GROUP * PANEL_NODES ascending points y relative to the anchor, from log r_t on
 * engine->grid[from]. */
static void advance(struct engine *engine, const struct step *step, int from, const struct rule *rule, size_t anchor,
                    size_t count, const double *y, double *log_ratio_y, size_t *hint)
{
    size_t batch = rule->n * count;
    double log_density_y[GROUP * PANEL_NODES], mean[GROUP * PANEL_NODES] = {0.0};
    const struct scale *scale = &engine->scale;
    for (size_t i = 0; i < rule->n; i++)
        for (size_t j = 0; j < count; j++)
            engine->x[i * count + j] = scale->root_alpha * y[j] + scale->tau * rule->node[i];
    mixture_level_evaluate(&engine->level[from], anchor, batch, engine->x, engine->log_density, engine->score);
    mixture_level_evaluate(&engine->level[1 - from], anchor, count, y, log_density_y, NULL);
    engine->oracle = (struct line_score){{oracle_evaluate}, &engine->level[from], &engine->level[1 - from], anchor,
                                         engine->x,         engine->score};
    engine->sampler->increment(step, &engine->oracle.base, batch, engine->x, engine->increment, engine->work);
    for (size_t i = 0; i < rule->n; i++) {
        size_t at = i * count;
        panels_evaluate(&engine->grid[from], &engine->level[from], anchor, count, engine->x + at,
                        engine->log_ratio + at, hint);
        add_log_c(count, rule->node[i], scale, engine->increment + at, engine->log_density + at, log_density_y,
                  engine->log_ratio + at);
    }
    vexpm1(batch, engine->log_ratio, engine->x);
    for (size_t i = 0; i < rule->n; i++)
        for (size_t j = 0; j < count; j++)
            mean[j] += rule->weight[i] * engine->x[i * count + j];
    vlog1p(count, mean, log_ratio_y);
    for (size_t j = 0; j < count; j++)
        if (mean[j] < -0.5)
            log_ratio_y[j] = log_mean_exp(rule, engine->log_ratio + j, count);
    engine->node_updates += batch;
}

/* Where checks look at a panel: away from its nodes. */
static const double test_position[TEST_POINTS] = {-0.97, -0.37, 0.31, 0.93};

struct norms {
    double l1, l2_squared;
};

static void norms_add(struct norms *norms, double weight, double difference)
{
    norms->l1 += weight * fabs(difference);
    norms->l2_squared += weight * difference * difference;
}

/* What one step does wrong, in norms weighted by p_{t-1}, at points off the grid and against a finer rule. */
struct local_error {
    struct norms total;      /* of the step as made: quadrature and interpolation */
    struct norms quadrature; /* of its rule alone */
    struct norms coarser;    /* of the next smaller rule */
    double distance;         /* E_p|r - 1| so far */
};

static struct local_error check(struct engine *engine, const struct step *step, int from, size_t rung)
{
    const struct panels *grid = &engine->grid[1 - from];
    const struct rule *rules = engine->rule;
    size_t finer = rung + FINER, coarser = rung > 0 ? rung - 1 : 0;
    struct local_error error = {{0.0, 0.0}, {0.0, 0.0}, {0.0, 0.0}, 0.0};
    size_t hint[3] = {0, 0, 0};
    for (size_t p = 0; p < grid->count; p++) {
        const struct panel *panel = &grid->panel[p];
        double y[TEST_POINTS], reference[TEST_POINTS], same[TEST_POINTS], less[TEST_POINTS], made[TEST_POINTS];
        double log_density[TEST_POINTS];
        for (int j = 0; j < TEST_POINTS; j++)
            y[j] = panel->centre + panel->half_width * test_position[j];
        advance(engine, step, from, &rules[finer], panel->anchor, TEST_POINTS, y, reference, &hint[0]);
        advance(engine, step, from, &rules[rung], panel->anchor, TEST_POINTS, y, same, &hint[1]);
        advance(engine, step, from, &rules[coarser], panel->anchor, TEST_POINTS, y, less, &hint[2]);
        panel_evaluate(panel, 0.0, TEST_POINTS, y, made);
        mixture_level_evaluate(&engine->level[1 - from], panel->anchor, TEST_POINTS, y, log_density, NULL);
        for (int j = 0; j < TEST_POINTS; j++) {
            double weight = exp(log_density[j]) * 2.0 * panel->half_width / TEST_POINTS, ratio = exp(reference[j]);
            error.distance += weight * fabs(expm1(reference[j]));
            norms_add(&error.total, weight, ratio * expm1(made[j] - reference[j]));
            norms_add(&error.quadrature, weight, ratio * expm1(same[j] - reference[j]));
            norms_add(&error.coarser, weight, ratio * expm1(less[j] - reference[j]));
        }
    }
    return error;
}

/* A step of the whole grid. A checked step lays the panels out anew, those between move them along. */
static enum status make_step(struct engine *engine, const struct step *step, int from, size_t rung, double resolution,
                             int anew, struct error *error)
{
    struct panels *grid = &engine->grid[1 - from];
    int in_order = 0;
    double width = narrowest_sd(&engine->level[from]);
    engine->scale = scale_for(engine->sampler, step, width * width);
    mixture_level_set(&engine->level[1 - from], &step->to);
    enum status status = STATUS_OK;
    if (!anew)
        status = panels_move(&engine->grid[from], &engine->level[1 - from], grid, &in_order, error);
    if (status == STATUS_OK && !in_order)
        status = panels_lay_out(&engine->level[1 - from], resolution, grid, error);
    size_t hint = 0;
    const struct rule *rule = &engine->rule[rung];
    size_t together = MOST_NODES / rule->n < GROUP ? MOST_NODES / rule->n : GROUP;
    for (size_t p = 0, next; p < grid->count && status == STATUS_OK; p = next) {
        double y[GROUP * PANEL_NODES], value[GROUP * PANEL_NODES];
        for (next = p; next < grid->count && next - p < together && grid->panel[next].anchor == grid->panel[p].anchor;
             next++)
            for (size_t j = 0; j < PANEL_NODES; j++)
                y[(next - p) * PANEL_NODES + j] =
                    grid->panel[next].centre + grid->panel[next].half_width * engine->chebyshev.node[j];
        advance(engine, step, from, rule, grid->panel[p].anchor, (next - p) * PANEL_NODES, y, value, &hint);
        for (size_t i = p; i < next; i++) {
            panel_fit(&engine->chebyshev, value + (i - p) * PANEL_NODES, &grid->panel[i]);
            if (!isfinite(grid->panel[i].coefficient[0]))
                status = fail_with(error, STATUS_NUMERIC, "the law of %s is not finite after step t = %zu",
                                   engine->sampler->name, step->t);
        }
    }
    return status;
}

/* Where the error of the steps so far is added up. */
struct tally {
    double l1, l2;
    double previous_l1, previous_l2; /* of the last checked step */
    size_t unaccounted;              /* steps since then */
    size_t steps;
};

static void tally_add(struct tally *tally, const struct norms *total)
{
    double l1 = fmax(total->l1 - ROUNDING, 0.0), l2 = fmax(sqrt(total->l2_squared) - ROUNDING, 0.0);
    tally->l1 += fmax(l1, tally->previous_l1) * (double)tally->unaccounted;
    tally->l2 += fmax(l2, tally->previous_l2) * (double)tally->unaccounted;
    tally->previous_l1 = l1;
    tally->previous_l2 = l2;
    tally->unaccounted = 0;
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
    enum status status = panels_lay_out(mixture, resolution, &engine->grid[0], error);
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
            norms_add(&interpolation, exp(log_density[j]) * 2.0 * panel->half_width / TEST_POINTS,
                      exp(value[j]) * expm1(made[j] - value[j]));
    }
    tally->l1 = interpolation.l1;
    tally->l2 = sqrt(interpolation.l2_squared);
    return status;
}

/* The rule that a rung stands for at this resolution. */
static size_t rung_in_use(size_t rung, double resolution)
{
    size_t extra = resolution > 1.0 ? (size_t)lround(3.0 * log2(resolution)) : 0;
    return rung + extra < TOP_RUNG ? rung + extra : TOP_RUNG;
}

/* Makes the step, and where it is checked raises the rung until the rule's error is down at rounding. */
static enum status checked_step(struct engine *engine, const struct step *step, int from, double resolution,
                                size_t *rung, struct tally *tally, struct error *error)
{
    double relative = QUADRATURE_RELATIVE / (double)engine->steps;
    for (;;) {
        size_t used = rung_in_use(*rung, resolution);
        enum status status = make_step(engine, step, from, used, resolution, 1, error);
        if (status != STATUS_OK)
            return status;
        struct local_error local = check(engine, step, from, used);
        double tolerance = fmax(QUADRATURE_TOLERANCE, relative * local.distance);
        if (local.quadrature.l1 > tolerance && used < TOP_RUNG) {
            (*rung)++;
            continue;
        }
        tally_add(tally, &local.total);
        if (*rung > 0 && local.coarser.l1 < 0.5 * tolerance)
            (*rung)--;
        return STATUS_OK;
    }
}

static enum status propagate(struct engine *engine, const struct schedule *schedule, double resolution,
                             struct tally *tally, int *last, struct error *error)
{
    engine->steps = schedule->T - 1;
    size_t stride = (size_t)fmin(fmax(CHECK_EVERY / schedule->h, 1.0), 64.0), rung = 0;
    enum status status = start(engine, schedule, resolution, tally, error);
    int from = 0;
    for (size_t t = schedule->T; t >= 2 && status == STATUS_OK; t--, from = 1 - from) {
        struct step step = schedule_step(schedule, t);
        tally->unaccounted++;
        tally->steps++;
        if ((schedule->T - t) % stride == 0 || t == 2)
            status = checked_step(engine, &step, from, resolution, &rung, tally, error);
        else
            status = make_step(engine, &step, from, rung_in_use(rung, resolution), resolution, 0, error);
    }
    *last = from;
    return status;
}

static enum status compute(const struct law_problem *problem, double resolution, struct law *out, struct error *error)
{
    const struct factor *factor = problem->factor;
    const struct sampler *sampler = problem->sampler;
    const struct schedule *schedule = problem->schedule;
    struct engine engine;
    struct tally tally = {0};
    int last = 0;
    *out = (struct law){.engine = &engine_line};
    enum status status = engine_init(&engine, factor, sampler, error);
    if (status == STATUS_OK)
        status = propagate(&engine, schedule, resolution, &tally, &last, error);
    if (status == STATUS_OK)
        status = mixture_level_new(factor, &out->target, error);
    if (status == STATUS_OK) {
        mixture_level_set(&out->target, &engine.level[last].level);
        out->log_ratio = engine.grid[last];
        engine.grid[last] = (struct panels){0};
        out->node_updates = engine.node_updates;
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
    (void)problem;
    return 1;
}

const struct law_engine engine_line = {
    .name = "line",
    .doc = "Density-ratio propagation on the line, for any one-dimensional mixture.",
    .source = "theory (14)-(15)",
    .handles = handles,
    .compute = compute,
};
