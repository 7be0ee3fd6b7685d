#include "law/condensation.h"

#include <math.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "law/cylinder/condensation_stage.h"
#include "law/cylinder/tuning.h"

/* What a computation spends: the arguments of condensation_grid_lay, the orders of quadrature, what polynomials on
 * panels may miss, and what the steps that are left out at the end may change, in E_own|r_1 - 1|. */
struct effort {
    struct condensation_extent extent;
    struct condensation_orders orders;
    double tail, unchanged;
};

/* All steps since condensation as one, x -> (x + D(x))/a + noise with D = slope x relative to sqrt(A) m. */
struct affine {
    double slope;
    struct stage stage; /* a, noise, added */
};

struct condensation {
    const struct law_problem *problem;
    struct effort effort;
    struct condensation_work work;
    struct cylinder_oracle oracle;
    struct undeclared undeclared;
    struct axis_level axis[SLOTS], other[SAMPLER_OTHER_LEVELS];
    struct condensation_transforms transforms;
    struct condensation_grid grid[SLOTS];
    size_t slot; /* holds the law */
    struct step step;
    double bulk_excess; /* struct condensation_level */
    double share;       /* of tolerances, in this stage */
    bool condensed;     /* from here on the score is the codeword's */
    bool ended;         /* the steps that are left change nothing */
    struct affine remaining;
};

static void condensation_free(struct condensation *law)
{
    for (size_t i = 0; i < SLOTS; i++) {
        axis_level_free(&law->axis[i]);
        condensation_grid_free(&law->grid[i]);
    }
    for (size_t i = 0; i < SAMPLER_OTHER_LEVELS; i++)
        axis_level_free(&law->other[i]);
    condensation_work_free(&law->work);
    free(law);
}

static enum status condensation_new(const struct law_problem *problem, const struct effort *effort,
                                    struct condensation **out, struct error *error)
{
    struct condensation *law = *out = array_new(1, sizeof *law);
    if (law == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a codeword's law");
    law->problem = problem;
    law->effort = *effort;
    law->remaining.stage.a = 1.0;
    condensation_transforms_init(&law->transforms);
    cylinder_oracle_init(&law->oracle);
    law->oracle.undeclared = &law->undeclared;
    for (size_t i = 0; i < SLOTS; i++) {
        condensation_grid_init(&law->grid[i], &law->transforms);
        TRY(axis_level_new(problem->factor, &law->axis[i], error));
    }
    for (size_t i = 0; i < SAMPLER_OTHER_LEVELS; i++)
        TRY(axis_level_new(problem->factor, &law->other[i], error));
    return condensation_work_new(problem->factor->dimension, problem->sampler, &effort->orders, &law->work, error);
}

/* ---- Gaussian chains ---- */

/* The score of N(0, (A s^2 + O) I). */
struct gaussian_score {
    struct score base;
    double sd;
};

static void evaluate_gaussian(const struct score *score, const struct level *level, size_t n, const double *x,
                              double *out)
{
    double sd = ((const struct gaussian_score *)score)->sd,
           precision = 1.0 / (level->alpha_bar * sd * sd + level->noise);
    for (size_t i = 0; i < n; i++)
        out[i] = -precision * x[i];
}

/* D(1) for the score of N(0, (A s^2 + O) I), of which D(x) = slope x. */
static double slope_of(struct condensation *law, double sd)
{
    const struct gaussian_score score = {{evaluate_gaussian, NULL}, sd};
    const double x = 1.0;
    double D;
    struct step step = law->step;
    step.clip = HUGE_VAL;
    law->problem->sampler->increment(&step, &score.base, 1, &x, &D, law->work.work);
    return D;
}

/* V_q/V_0 - 1 after the stage: V_q' = ((1 + D)^2 V_q + v)/a^2, V_0 = a^2 V_0' + added. */
static double bulk_excess_after(const struct stage *stage, double slope, double V_0, double excess, double V_0_to)
{
    double moved = slope * (2.0 + slope);
    return ((1.0 + moved) * excess * V_0 + moved * V_0 + stage->noise + stage->added)
           / (stage->a * stage->a * V_0_to);
}

static void append(struct affine *steps, const struct stage *stage, double slope)
{
    double square = steps->stage.a * steps->stage.a;
    steps->stage.noise = (1.0 + slope) * (1.0 + slope) * steps->stage.noise + square * stage->noise;
    steps->stage.added += square * stage->added;
    steps->stage.a *= stage->a;
    steps->slope += slope + steps->slope * slope;
}

/* ---- Steps ---- */

/* log(p/p_own), from l. */
static double excess_of(const struct condensation_level *level, double l)
{
    return level->log_own + (l > 0.0 ? log1p(exp(-l)) : log1p(exp(l)) - l);
}

enum { POINTS = CONDENSATION_NODES * CONDENSATION_NODES };

/* By how much errors may be larger in a panel than where the codeword has its mass: more where there is less, but not
 * in proportion, for neighbours must not differ by much. */
static double slack_of(const struct condensation_panel *panel)
{
    return exp(0.5 * panel->rate);
}

/* The orders that a panel of such a tail needs. */
static void adapt(const struct condensation_panel *panel, double tolerance, size_t nodes[2])
{
    for (int i = 0; i < 2; i++) {
        size_t n = panel->nodes[i];
        if (panel->tail[i] > tolerance)
            n += panel->tail[i] > 100.0 * tolerance ? 4 : 2;
        else if (panel->tail[i] < CONDENSATION_FEWER_BELOW * tolerance)
            n -= 1;
        nodes[i] = n < CONDENSATION_LEAST_NODES ? CONDENSATION_LEAST_NODES
                   : n > CONDENSATION_NODES     ? CONDENSATION_NODES
                                                : n;
    }
}

/* Fills a panel, and again with more nodes where its polynomial's tail says so. */
static enum status fill_panel(struct condensation *law, struct condensation_stage *stage,
                              struct condensation_grid *grid, struct condensation_panel *panel, struct error *error)
{
    const struct condensation_level *level = &grid->level;
    double odds[POINTS], u[POINTS], rho[POINTS], excess[POINTS], value[POINTS];
    double tolerance = law->effort.tail * slack_of(panel) * law->share;
    const struct condensation_panel *before =
        condensation_panel_at(stage->grid, 0.5 * (panel->from + panel->to) + stage->odds_before);
    stage->slack = slack_of(panel) * law->share;
    if (before != NULL)
        adapt(before, tolerance, panel->nodes);
    else
        panel->nodes[0] = panel->nodes[1] = CONDENSATION_FIRST_NODES;
    for (;;) {
        size_t count = panel->nodes[0] * panel->nodes[1], next[2];
        condensation_panel_nodes(panel, odds, u);
        for (size_t i = 0; i < count; i++) {
            rho[i] = level->sd * sqrt(fmax(condensation_square(level, odds[i], u[i]), CONDENSATION_LEAST_SQUARE));
            excess[i] = excess_of(level, odds[i]);
        }
        TRY(condensation_stage_apply(stage, &law->work, count, u, rho, excess, value, error));
        condensation_panel_fit(grid, value, panel);
        adapt(panel, CONDENSATION_REFILL_ABOVE * tolerance, next);
        if (next[0] <= panel->nodes[0] && next[1] <= panel->nodes[1])
            return STATUS_OK;
        for (int i = 0; i < 2; i++)
            panel->nodes[i] = next[i] > panel->nodes[i] ? next[i] : panel->nodes[i];
    }
}

static enum status fill(struct condensation *law, struct condensation_stage *stage, struct condensation_grid *grid,
                        struct error *error)
{
    for (size_t p = 0; p < grid->count; p++)
        TRY(fill_panel(law, stage, grid, &grid->panel[p], error));
    return STATUS_OK;
}

/* log r at places u and q = rho^2/V, which steps leave as they are where the codeword alone is seen. */
static void evaluate_at(const struct condensation_grid *grid, size_t n, const double *u, const double *q, double *out)
{
    const struct condensation_level *level = &grid->level;
    double odds[POINTS], square[POINTS];
    for (size_t i = 0; i < n; i++) {
        odds[i] = condensation_log_odds(level, u[i], q[i]);
        square[i] = pow(level->centre + level->sd * u[i], 2.0) + level->variance * q[i];
    }
    condensation_grid_evaluate(grid, n, odds, u, square, out);
}

/* E_own|r' - r| from one level to the next, by a crude quadrature on the later one's panels. */
static double change_between(const struct condensation_grid *from, const struct condensation_grid *to)
{
    enum { EACH = 12 };
    double odds[POINTS], u[POINTS], q[POINTS], before[POINTS], after[POINTS], total = 0.0, weight = 0.0;
    for (size_t p = 0; p < to->count; p++) {
        struct condensation_panel panel = to->panel[p];
        panel.nodes[0] = panel.nodes[1] = EACH;
        condensation_panel_nodes(&panel, odds, u);
        for (size_t i = 0; i < EACH * EACH; i++)
            q[i] = fmax(condensation_square(&to->level, odds[i], u[i]), CONDENSATION_LEAST_SQUARE);
        evaluate_at(from, EACH * EACH, u, q, before);
        evaluate_at(to, EACH * EACH, u, q, after);
        for (size_t i = 0; i < EACH * EACH; i++) {
            double share =
                (panel.to - panel.from) * panel.half[0] * exp(-condensation_rate(&to->level, odds[i], u[i]));
            total += share * fabs(expm1(after[i]) - expm1(before[i]));
            weight += share;
        }
    }
    return weight > 0.0 ? total / weight : 0.0;
}

/* Late steps change r in proportion to what they change in the noise, and more where they are longer: those left are
 * left out where all together change less than is tolerated. Their last ones are not looked at: samplers that end
 * differently do so where there is no noise to speak of. */
static bool nothing_is_left(const struct condensation *law, const struct condensation_grid *from,
                            const struct condensation_grid *to)
{
    const struct schedule *schedule = law->problem->schedule;
    const struct step *step = &law->step;
    if (step->to.noise > CONDENSATION_LATE * to->level.variance || to->count == 0 || step->t <= 2)
        return false;
    double noise = step->from.noise - step->to.noise, length = log(step->from.noise / step->to.noise),
           change = change_between(from, to), left = 0.0;
    struct level level = step->to;
    for (size_t t = step->t - 1; t >= 2; t--) {
        struct level next = schedule_level(schedule, t - 1);
        left += (level.noise - next.noise) * pow(fmax(log(level.noise / next.noise) / length, 1.0), 4.0);
        level = next;
    }
    return change * left / noise < law->effort.unchanged;
}

static enum status make_stage(struct condensation *law, size_t index, size_t from, size_t to,
                              const struct level *level, struct error *error)
{
    const struct sampler *sampler = law->problem->sampler;
    const double *s = law->problem->factor->sd;
    struct stage stage = stage_of(sampler, &law->step, index);
    if (stage.deterministic)
        return fail_with(error, STATUS_UNSUPPORTED,
                         "sampler %s has no noise in step t = %zu, and a planted law needs noise in every step",
                         sampler->name, law->step.t);
    if (law->condensed) {
        append(&law->remaining, &stage, stage.moves ? slope_of(law, s[1]) : 0.0);
        return STATUS_OK;
    }
    axis_level_set(&law->axis[to], level);
    law->bulk_excess =
        bulk_excess_after(&stage, stage.moves ? slope_of(law, s[0]) : 0.0, law->grid[from].level.bulk_variance,
                          law->bulk_excess, law->axis[to].variance[0]);
    struct condensation_level next = condensation_level_of(&law->axis[to], law->bulk_excess);
    struct condensation_stage around = {.stage = stage,
                                        .axis = &law->axis[from],
                                        .grid = &law->grid[from],
                                        .variance_to = next.variance,
                                        .odds_before = condensation_typical_odds(&law->grid[from].level)
                                                       - condensation_typical_odds(&next),
                                        .oracle = &law->oracle};
    struct condensation_extent extent = law->effort.extent;
    double spread = condensation_spread(&around);
    extent.length *= condensation_pole(spread) / M_PI;
    law->share = fmin(fmax(spread * spread, CONDENSATION_LEAST_SHARE), 1.0);
    TRY(condensation_grid_lay(&law->grid[to], &next, &extent, error));
    return fill(law, &around, &law->grid[to], error);
}

static void set_score(struct condensation *law, size_t from, size_t to)
{
    struct level levels[SAMPLER_LEVELS];
    law->oracle.levels = sampler_levels(law->problem->sampler, &law->step, levels);
    law->oracle.density[0] = &law->axis[from];
    law->oracle.density[1] = &law->axis[to];
    axis_level_set(&law->axis[to], &law->step.to);
    for (size_t i = 2; i < law->oracle.levels; i++) {
        axis_level_set(&law->other[i - 2], &levels[i]);
        law->oracle.density[i] = &law->other[i - 2];
    }
}

static enum status make_step(struct condensation *law, size_t t, struct error *error)
{
    const struct sampler *sampler = law->problem->sampler;
    law->step = sampler_step(sampler, law->problem->schedule, t);
    law->step.clip = law->problem->clip > 0.0 ? law->problem->clip : HUGE_VAL;
    size_t from = law->slot, to = 1 - from;
    double before = sampler_noise_before(sampler, &law->step);
    if (!law->condensed)
        set_score(law, from, to);
    if (before > 0.0) {
        struct level noisy = {law->step.from.alpha_bar, law->step.from.noise + before};
        TRY(make_stage(law, STAGE_NOISE, from, SLOT_BETWEEN, &noisy, error));
        from = SLOT_BETWEEN;
    }
    TRY(make_stage(law, STAGE_MAP, from, to, &law->step.to, error));
    TRY(undeclared_check(&law->undeclared, sampler, t, error));
    if (law->condensed)
        return STATUS_OK;
    law->condensed = condensation_is_over(&law->grid[to].level, law->effort.extent.reach);
    law->ended = !law->condensed && nothing_is_left(law, &law->grid[law->slot], &law->grid[to]);
    law->slot = to;
    return STATUS_OK;
}

/* ---- Expectations ---- */

/* A Gauss-Legendre rule over u, or over rho/sd, weighted by the codeword's density: N(0, 1), or chi of n degrees. */
struct marginal {
    double *node, *weight;
    size_t n;
};

static void weigh(struct marginal *marginal, double degrees)
{
    double total = 0.0, typical = sqrt(fmax(degrees - 1.0, 1.0));
    for (size_t i = 0; i < marginal->n; i++) {
        double x = marginal->node[i];
        marginal->weight[i] *= exp(
            degrees > 0.0 ? (degrees - 1.0) * log(x / typical) - 0.5 * (x - typical) * (x + typical) : -0.5 * x * x);
        total += marginal->weight[i];
    }
    for (size_t i = 0; i < marginal->n; i++)
        marginal->weight[i] /= total;
}

static enum status marginal_new(double from, double to, size_t parts, size_t nodes, double degrees,
                                struct marginal *out, struct error *error)
{
    struct quadrature rule;
    TRY(quadrature_legendre(nodes, &rule, error));
    out->n = nodes * parts;
    out->node = array_new(2 * out->n, sizeof *out->node);
    if (out->node != NULL) {
        out->weight = out->node + out->n;
        double half = 0.5 * (to - from) / (double)parts;
        for (size_t i = 0; i < out->n; i++) {
            out->node[i] = from + half * (2.0 * (double)(i / nodes) + 1.0 + rule.node[i % nodes]);
            out->weight[i] = rule.weight[i % nodes];
        }
        weigh(out, degrees);
    }
    free(rule.node);
    return out->node != NULL ? STATUS_OK
                             : fail_with(error, STATUS_MEMORY, "out of memory for %zu quadrature nodes", out->n);
}

enum { MOST_PARTS = 12, EXPECTATION = 48, MOST_ACROSS = EXPECTATION * MOST_PARTS };

/* log r_1 at u and all nodes across. */
static enum status log_ratio_at(struct condensation *law, double u, const struct marginal *across, double *out,
                                struct error *error)
{
    const struct condensation_grid *grid = &law->grid[law->slot];
    const struct condensation_level *level = &grid->level;
    double place[MOST_ACROSS], rho[MOST_ACROSS], other[MOST_ACROSS] = {0.0}, odds[MOST_ACROSS];
    double s = law->problem->factor->sd[1];
    struct level last = schedule_level(law->problem->schedule, 1);
    const struct condensation_stage remaining = {.stage = law->remaining.stage,
                                                 .grid = grid,
                                                 .slope = law->remaining.slope,
                                                 .slack = 1.0,
                                                 .variance_to = last.alpha_bar * s * s + last.noise};
    double sd = law->condensed ? sqrt(remaining.variance_to) : level->sd;
    for (size_t i = 0; i < across->n; i++) {
        place[i] = u;
        rho[i] = sd * across->node[i];
    }
    if (law->condensed)
        return condensation_stage_apply(&remaining, &law->work, across->n, place, rho, other, out, error);
    for (size_t i = 0; i < across->n; i++) {
        odds[i] = condensation_log_odds(level, u, across->node[i] * across->node[i]);
        other[i] = pow(level->centre + sd * u, 2.0) + rho[i] * rho[i];
    }
    condensation_grid_evaluate(grid, across->n, odds, place, other, out);
    return STATUS_OK;
}

/* Expectations of the codeword's law. */
struct found {
    double mass, half, apart; /* of r_1 - 1, |r_1 - 1|/2, and |r_1 - r| with the other computation's r */
};

/* What lies where the codeword has no mass to speak of, the grid does not cover. */
static enum status expect(struct condensation *law, struct condensation *other, struct found *out,
                          struct error *error)
{
    double degrees = (double)law->problem->factor->dimension - 1.0, reach = sqrt(2.0 * law->effort.extent.reach),
           middle = sqrt(degrees), value[MOST_ACROSS], theirs[MOST_ACROSS];
    struct marginal along = {0}, across = {0};
    enum status status;
    size_t parts = law->condensed && other->condensed ? 1 : MOST_PARTS; /* the front is among the nodes */
    *out = (struct found){0.0, 0.0, 0.0};
    TRY_OR(done, marginal_new(-reach, reach, parts, EXPECTATION, 0.0, &along, error));
    reach *= degrees < CONDENSATION_CHI_FROM ? 1.0 : CONDENSATION_CHI_REACH;
    TRY_OR(done,
           marginal_new(fmax(middle - reach, 0.0), middle + reach, parts, EXPECTATION, degrees, &across, error));
    for (size_t i = 0; i < along.n; i++) {
        TRY_OR(done, log_ratio_at(law, along.node[i], &across, value, error));
        TRY_OR(done, log_ratio_at(other, along.node[i], &across, theirs, error));
        for (size_t j = 0; j < across.n; j++) {
            double excess = expm1(value[j]), weight = along.weight[i] * across.weight[j];
            if (weight < CONDENSATION_LEAST_WEIGHT)
                continue;
            out->mass += weight * excess;
            out->half += 0.5 * weight * fabs(excess);
            out->apart += weight * fabs(excess - expm1(theirs[j]));
        }
    }
done:
    free(along.node);
    free(across.node);
    return status;
}

/* ---- The whole ---- */

bool condensation_handles(const struct law_problem *problem)
{
    const struct factor *factor = problem->factor;
    const struct sampler *sampler = problem->sampler;
    bool exact = !(problem->error_share > 0.0) || problem->score_error->shape == NULL;
    return exact && sampler->regular && sampler->memory == 0 && sampler->draws == 0
           && sampler->log_noise_ratio != NULL && axis_factor(factor) && factor->components == 2
           && factor->mean[0] == 0.0 && factor->sd[0] == 1.0 && factor->sd[1] < 1.0
           && factor->dimension >= CONDENSATION_LEAST_DIMENSION;
}

static enum status compute(const struct law_problem *problem, const struct effort *effort, struct condensation **out,
                           struct error *error)
{
    struct level first = schedule_level(problem->schedule, problem->schedule->T);
    TRY(condensation_new(problem, effort, out, error));
    struct condensation *law = *out;
    axis_level_set(&law->axis[0], &first);
    law->grid[0].level = condensation_level_of(&law->axis[0], 0.0);
    for (size_t t = problem->schedule->T; t >= 2 && !law->ended; t--)
        TRY(make_step(law, t, error));
    return STATUS_OK;
}

/* One of the computations of condensation_law. */
struct computation {
    const struct law_problem *problem;
    const struct effort *effort;
    struct condensation *law;
    enum status status;
    struct error error;
};

static void compute_one(void *context, size_t thread, size_t i)
{
    struct computation *one = (struct computation *)context + i;
    (void)thread;
    one->status = compute(one->problem, one->effort, &one->law, &one->error);
}

static void computation_free(struct computation *one)
{
    if (one->law != NULL)
        condensation_free(one->law);
    one->law = NULL;
}

/* The law, that of the other problem and, by which the radius is found, the law for which as little is spent. */
enum { LAW, BRACKET, BEFORE, ALL };

/* All that has not been made yet. */
static enum status compute_all(struct computation made[ALL], struct team *team, struct error *error)
{
    team_for(team, made[BEFORE].law == NULL ? ALL : BEFORE, compute_one, made);
    for (int i = 0; i < ALL; i++)
        if (made[i].status != STATUS_OK)
            return fail_with(error, made[i].status, "%s", made[i].error.text);
    return STATUS_OK;
}

enum status condensation_law(const struct law_problem problem[2], struct law_component out[2], struct error *error)
{
    static const struct effort efforts[] = CONDENSATION_EFFORTS;
    enum { COUNT = sizeof efforts / sizeof efforts[0] };
    struct computation made[ALL] = {{.problem = &problem[0]}, {.problem = &problem[1]}, {.problem = &problem[0]}};
    struct team *team = team_new(problem->threads);
    struct found found[2];
    enum status status;
    double radius = HUGE_VAL;
    size_t updates = 0;
    for (size_t used = 1; used < COUNT; used++) {
        if (used > 1) {
            computation_free(&made[BEFORE]);
            computation_free(&made[BRACKET]);
            made[BEFORE].law = made[LAW].law;
            made[LAW].law = NULL;
        }
        made[LAW].effort = &efforts[used]; /* the longest first */
        made[BRACKET].effort = made[BEFORE].effort = &efforts[used - 1];
        TRY_OR(done, compute_all(made, team, error));
        updates += made[LAW].law->work.node_updates + made[BRACKET].law->work.node_updates
                   + (used == 1 ? made[BEFORE].law->work.node_updates : 0);
        TRY_OR(done, expect(made[LAW].law, made[BEFORE].law, &found[0], error));
        radius = CONDENSATION_SAFETY * found[0].apart + CONDENSATION_RESOLVED;
        if (radius <= CONDENSATION_WANTED * fabs(found[0].mass))
            break;
    }
    TRY_OR(done, expect(made[BRACKET].law, made[BRACKET].law, &found[1], error));
    for (int i = 0; i < 2; i++)
        out[i] = (struct law_component){.mass_error = {found[i].mass, radius},
                                        .half_distance = {found[i].half, radius},
                                        .node_updates = i == 0 ? updates : 0};
done:
    for (int i = 0; i < ALL; i++)
        computation_free(&made[i]);
    team_free(team);
    return status;
}
