#include "law/law.h"

#include <math.h>

#include "core/legendre.h"
#include "core/lists.h"
#include "core/memory.h"
#include "core/vmath.h"
#include "law/outside.h"

enum { MOST_INTEGRALS = 8, RESOLUTIONS = 3, MOST_BISECTIONS = 24 };

/* Of E_{p_k}|r - 1|: the error_l1 that is good enough where component k is followed alone. */
#define COMPONENT_RADIUS 1e-3

#define ENGINE(object) extern const struct law_engine object;
#include "law/engines.def"
#undef ENGINE

static const struct law_engine *const engines[] = {
#define ENGINE(object) &object,
#include "law/engines.def"
#include "law/tuning.h"
#undef ENGINE
};

LIST_AT(law_engine, law_engine_at, engines)

static bool handles(const struct law_engine *engine, const struct law_problem *problem)
{
    const struct sampler *sampler = problem->sampler;
    bool draws = sampler->draws == 0 || (engine->draws && sampler->regular && sampler->correction == NULL);
    bool parts = problem->component == 0 || engine->parts;
    return engine->memory >= sampler->memory && draws && parts && engine->handles(problem);
}

const struct law_engine *law_engine_for(const struct law_problem *problem)
{
    for (size_t i = 0; i < sizeof engines / sizeof engines[0]; i++)
        if (handles(engines[i], problem))
            return engines[i];
    return NULL;
}

bool law_engine_carries(const struct law_engine *engine, const struct sampler *sampler)
{
    static const double weight[] = {0.5, 0.5}, mean[] = {-1.0, 0.0, 1.0, 0.0}, same[] = {0.0, 0.0, 0.0, 0.0},
                        sd[] = {0.5, 1.0};
    static const struct factor kinds[] = {{1, 1, weight, mean, sd, NULL, NULL, NULL},
                                          {1, 2, weight, mean, sd, NULL, NULL, NULL},
                                          {2, 2, weight, same, sd, NULL, NULL, NULL},
                                          {2, 2, weight, mean, sd, NULL, NULL, NULL}};
    bool carries = false;
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        const struct law_problem problem = {.factor = &kinds[k], .sampler = sampler};
        carries |= handles(engine, &problem);
    }
    return carries;
}

enum status law_supports(const struct law_problem *problem, struct error *error)
{
    return law_engine_for(problem) != NULL ? STATUS_OK : law_unsupported(problem, error);
}

/* What the factor is a sum of. */
static void describe_sum(const struct law_problem *problem, char *text, size_t size)
{
    const size_t n = problem->factor->components;
    if (problem->points == 0)
        (void)snprintf(text, size, "%zu components", n);
    else if (problem->points == n)
        (void)snprintf(text, size, "%zu points", n);
    else
        (void)snprintf(text, size, "%zu points (%zu distinct)", problem->points, n);
}

enum status law_unsupported(const struct law_problem *problem, struct error *error)
{
    const struct factor *factor = problem->factor;
    char sum[80];
    describe_sum(problem, sum, sizeof sum);
    if (problem->sampler->memory > 0)
        return fail_with(
            error, STATUS_UNSUPPORTED,
            "sampler %s keeps what earlier steps found: no exact engine has its law on %s in %zu coordinates "
            "under score error %s, only chains (`samples`) can measure it",
            problem->sampler->name, sum, factor->dimension, score_error_name(problem->score_error));
    if (problem->sampler->draws > 0)
        return fail_with(error, STATUS_UNSUPPORTED,
                         "sampler %s draws a number in each step: no exact engine has its law on %s in %zu "
                         "coordinates under score error %s, only chains (`samples`) can measure it",
                         problem->sampler->name, sum, factor->dimension, score_error_name(problem->score_error));
    if (factor->sd == NULL && factor->full == NULL)
        return fail_with(error, STATUS_UNSUPPORTED,
                         "no exact engine has the law of %s in %zu coordinates within hours: only chains "
                         "(`samples`) can measure it",
                         sum, factor->dimension);
    return fail_with(error, STATUS_UNSUPPORTED,
                     "no exact engine for %s %s in %zu coordinates that do not separate "
                     "under %s and score error %s: only chains (`samples`) can measure it",
                     sum,
                     factor->full == NULL       ? "with isotropic covariances"
                     : factor->full->count == 0 ? "that are products of atoms"
                                                : "with full covariances",
                     factor->dimension, problem->sampler->name, score_error_name(problem->score_error));
}

void law_free(struct law *law)
{
    mixture_level_free(&law->target);
    panels_free(&law->log_ratio);
    panels_free(&law->base);
    free(law->component_error);
    if (law->density != NULL)
        law->density->free(law->density);
    *law = (struct law){0};
}

void law_log_density(const struct law *law, const struct panel *panel, size_t n, const double *x, double *out)
{
    if (law->density != NULL && law->component > 0)
        law->density->log_part(law->density, panel, law->component - 1, n, x, out);
    else if (law->density != NULL)
        law->density->log_density(law->density, panel, n, x, out);
    else if (law->component > 0)
        mixture_level_log_part(&law->target, law->component - 1, panel->anchor, n, x, out);
    else
        mixture_level_evaluate(&law->target, panel->anchor, n, x, out, NULL);
    for (size_t i = 0; i < n && law->component > 0; i++)
        out[i] -= law->log_weight;
}

static enum status make_room(struct law_nodes *nodes, struct error *error)
{
    const size_t wanted = nodes->count + LAW_PANEL_POINTS;
    double **const arrays[] = {&nodes->x, &nodes->weight, &nodes->log_ratio};
    size_t capacity = 0;
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        capacity = nodes->capacity;
        double *grown = array_reserve(*arrays[i], &capacity, wanted, sizeof *grown);
        if (grown == NULL)
            return fail_with(error, STATUS_MEMORY, "out of memory for %zu quadrature nodes", wanted);
        *arrays[i] = grown;
    }
    nodes->capacity = capacity;
    return STATUS_OK;
}

/* Nonzero where r changes over the nodes from `first` on by more than quadrature between them resolves. Not where it
 * vanishes everywhere, nor where it diverges. */
static int is_steep(const struct law_nodes *nodes, size_t first)
{
    const struct extremes log_ratio = vextremes(nodes->count - first, nodes->log_ratio + first);
    return log_ratio.most - log_ratio.least > STEEP_LOG_RATIO && log_ratio.most > VANISHED_LOG_RATIO
           && log_ratio.most < DIVERGED_LOG_RATIO;
}

static enum status append_rule(const struct panel *panel, double from, double to, struct law_nodes *nodes,
                               struct error *error)
{
    TRY(make_room(nodes, error));
    if (nodes->rule_weight[0] == 0.0)
        legendre_rule(LAW_PANEL_POINTS, nodes->rule_node, nodes->rule_weight);
    const double half = 0.5 * (to - from);
    double *x = nodes->x + nodes->count, *weight = nodes->weight + nodes->count;
    for (size_t j = 0; j < LAW_PANEL_POINTS; j++) {
        x[j] = from + half * (1.0 + nodes->rule_node[j]);
        weight[j] = half * nodes->rule_weight[j];
    }
    panel_evaluate(panel, 0.0, LAW_PANEL_POINTS, x, nodes->log_ratio + nodes->count);
    nodes->count += LAW_PANEL_POINTS;
    return STATUS_OK;
}

/* log r is as smooth as its polynomial, but r may be much narrower than a panel, where q is than p. */
static enum status append_bisected(const struct panel *panel, double from, double to, int depth,
                                   struct law_nodes *nodes, struct error *error)
{
    size_t first = nodes->count;
    double middle = 0.5 * (from + to);
    TRY(append_rule(panel, from, to, nodes, error));
    if (depth == 0 || !is_steep(nodes, first))
        return STATUS_OK;
    nodes->count = first;
    TRY(append_bisected(panel, from, middle, depth - 1, nodes, error));
    return append_bisected(panel, middle, to, depth - 1, nodes, error);
}

/* Where log p is less, r counts for nothing: it may be beyond all numbers there, between narrow components. */
#define LEAST_LOG_DENSITY (-700.0)

/* The lengths at the nodes of a rule times the density there; out may be length. */
static void weigh(const struct law *law, const struct panel *panel, const double *x, const double *length,
                  double *out)
{
    double log_density[LAW_PANEL_POINTS], p[LAW_PANEL_POINTS];
    law_log_density(law, panel, LAW_PANEL_POINTS, x, log_density);
    if (law->base.count > 0) {
        panel_evaluate(&law->base.panel[panel - law->log_ratio.panel], 0.0, LAW_PANEL_POINTS, x, p);
        for (size_t j = 0; j < LAW_PANEL_POINTS; j++)
            log_density[j] += p[j];
    }
    vexp(LAW_PANEL_POINTS, log_density, p);
    for (size_t j = 0; j < LAW_PANEL_POINTS; j++) /* below, vexp gives its least number */
        out[j] = log_density[j] > LEAST_LOG_DENSITY ? length[j] * p[j] : 0.0;
}

enum status law_nodes_append(const struct law *law, const struct panel *panel, double from, double to,
                             struct law_nodes *nodes, struct error *error)
{
    size_t first = nodes->count;
    TRY(append_bisected(panel, from, to, MOST_BISECTIONS, nodes, error));
    for (; first < nodes->count; first += LAW_PANEL_POINTS)
        weigh(law, panel, nodes->x + first, nodes->weight + first, nodes->weight + first);
    return STATUS_OK;
}

void law_nodes_free(struct law_nodes *nodes)
{
    free(nodes->x);
    free(nodes->weight);
    free(nodes->log_ratio);
    *nodes = (struct law_nodes){0};
}

double law_sd(const struct law *law, const struct panel *panel)
{
    return law->density != NULL ? law->density->sd(law->density, panel) : law->target.sd[panel->anchor];
}

/* Where panel p ends an interval: the integrand there, over one standard deviation. */
static void add_edges(const struct law *law, size_t p, size_t width, law_integrand *integrand, double *edges)
{
    const struct panel *panel = &law->log_ratio.panel[p];
    for (int side = 0; side < 2; side++) {
        double x = panel->centre + (side == 0 ? -1.0 : 1.0) * panel->half_width, log_density, log_ratio;
        double value[MOST_INTEGRALS];
        if (!panels_at_end(&law->log_ratio, p, side))
            continue;
        law_log_density(law, panel, 1, &x, &log_density);
        panel_evaluate(panel, 0.0, 1, &x, &log_ratio);
        integrand(1, &log_ratio, value);
        double sd = law_sd(law, panel);
        for (size_t i = 0; i < width; i++)
            edges[i] += exp(log_density) * sd * fabs(value[i]);
    }
}

/* From now on integrals are over component k. */
static void set_component(struct law *law, const struct factor *factor, size_t k)
{
    law->component = k + 1;
    law->log_weight = factor_log_weight(factor, k);
}

/* Adds the sum over a rule; without weight a value beyond all numbers is nothing. */
static double add_weighted(const double *weight, const double *value, double sum)
{
    for (size_t j = 0; j < LAW_PANEL_POINTS; j++)
        sum += weight[j] > 0.0 ? weight[j] * value[j] : 0.0;
    return sum;
}

/* law_integrate, or of a factor of the law the same over each of its components: result[k width + i]. */
static enum status integrate(const struct law *law, const struct factor *factor, size_t width,
                             law_integrand *integrand, double *result, struct error *error)
{
    enum { RULE = LAW_PANEL_POINTS };
    const size_t parts = factor != NULL ? factor->components : 1;
    double value[MOST_INTEGRALS * RULE], weight[RULE];
    struct law over = *law;
    struct law_nodes nodes = {0};
    enum status status = STATUS_OK;
    for (size_t p = 0; p < law->log_ratio.count && status == STATUS_OK; p++) {
        const struct panel *panel = &law->log_ratio.panel[p];
        nodes.count = 0;
        status = append_bisected(panel, panel->centre - panel->half_width, panel->centre + panel->half_width,
                                 MOST_BISECTIONS, &nodes, error);
        for (size_t first = 0; first < nodes.count; first += RULE) {
            integrand(RULE, nodes.log_ratio + first, value);
            for (size_t k = 0; k < parts; k++) {
                if (factor != NULL)
                    set_component(&over, factor, k);
                weigh(&over, panel, nodes.x + first, nodes.weight + first, weight);
                for (size_t i = 0; i < width; i++)
                    result[k * width + i] = add_weighted(weight, value + i * RULE, result[k * width + i]);
            }
        }
    }
    law_nodes_free(&nodes);
    return status;
}

enum status law_integrate(const struct law *law, size_t width, law_integrand *integrand, double *result,
                          double *edges, struct error *error)
{
    if (width > MOST_INTEGRALS)
        return fail_with(error, STATUS_INVALID, "law_integrate: at most %d integrals at a time", MOST_INTEGRALS);
    for (size_t i = 0; i < width; i++) {
        result[i] = 0.0;
        if (edges != NULL)
            edges[i] = 0.0;
    }
    for (size_t p = 0; p < law->log_ratio.count && edges != NULL; p++)
        add_edges(law, p, width, integrand, edges);
    return integrate(law, NULL, width, integrand, result, error);
}

/* r - 1; beyond all numbers from where vexpm1 ends. */
static void relative(size_t n, const double *log_ratio, double *out)
{
    vexpm1(n, log_ratio, out);
    for (size_t j = 0; j < n; j++)
        out[j] = log_ratio[j] > 709.0 ? HUGE_VAL : out[j];
}

static void mass_and_distance(size_t n, const double *log_ratio, double *out)
{
    relative(n, log_ratio, out);
    for (size_t j = 0; j < n; j++)
        out[n + j] = fabs(out[j]);
}

enum status law_mass_errors(const struct law *law, const struct factor *factor, struct measured *out,
                            struct error *error)
{
    const double defect = fabs(law->mass_defect);
    struct law part = *law;
    out[0] = (struct measured){0.0, 0.0};
    if (factor->components == 1)
        return STATUS_OK; /* E_p (r_1 - 1) = 0 */
    double *mass = array_new(factor->components, sizeof *mass);
    if (mass == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu masses", factor->components);
    enum status status = integrate(law, factor, 1, relative, mass, error);
    for (size_t k = 0; k < factor->components && status == STATUS_OK; k++) {
        const double weight = factor->weight[k];
        double radius = fmin((law->error_l1 + defect) / weight,
                             (law->error_l2 + defect) * sqrt(fmax(1.0 + mass[k], 0.0) / weight));
        set_component(&part, factor, k);
        if (law->component_error != NULL)
            radius = fmin(radius, law->component_error[k] + defect + law_outside(&part).mass);
        out[k] = isfinite(radius) ? (struct measured){mass[k], radius} : (struct measured){NAN, NAN};
    }
    free(mass);
    return status;
}

/* The checks of the steps have missed what the mass shows. */
static void widen(struct law *law)
{
    law->unexplained = law_outside(law).unexplained;
    law->error_l1 += UNEXPLAINED_FACTOR * law->unexplained;
    law->error_l2 += UNEXPLAINED_FACTOR * law->unexplained;
}

static double radius_of(const struct law *law)
{
    return law->engine != NULL ? law->error_l1 + fabs(law->mass_defect) : HUGE_VAL;
}

/* The resolution to try after the i-th, at which the law has this radius and more than is wanted: where the radius is
 * known to fall like a power, as much higher as that takes, unless it is lost mass, which no resolution brings back.
 */
static double next_resolution(const struct law_engine *engine, const struct law *law, size_t i, double resolution,
                              double wanted)
{
    static const double resolutions[RESOLUTIONS] = {1.0, 1.5, 2.5};
    double excess = RADIUS_MARGIN * law->error_l1 / (wanted - fabs(law->mass_defect));
    if (!(engine->radius_power > 0.0) || !(excess > 0.0))
        return resolutions[i + 1];
    return fmin(resolution * pow(fmax(excess, RADIUS_MARGIN), 1.0 / engine->radius_power), resolutions[i + 1]);
}

enum status law_compute_by(const struct law_engine *engine, const struct law_problem *problem, struct law *out,
                           struct error *error)
{
    const double wanted = problem->component > 0        ? COMPONENT_RADIUS
                          : engine->wanted_radius > 0.0 ? engine->wanted_radius
                                                        : 5e-6;
    *out = (struct law){0};
    struct law law = {0};
    size_t updates = 0, exponentials = 0;
    enum status status;
    double resolution = 1.0, stalled = engine->radius_power > 0.0 ? 0.7 : 0.3;
    for (size_t i = 0; i < RESOLUTIONS; i++) {
        double integral[2];
        TRY_OR(failed, engine->compute(problem, resolution, &law, error));
        if (law.given_up) {
            *out = law;
            return STATUS_OK;
        }
        TRY_OR(failed, law_integrate(&law, 2, mass_and_distance, integral, NULL, error));
        law.mass_defect = law.is_normal || problem->component > 0 ? 0.0 : integral[0];
        updates += law.node_updates;
        exponentials += law.exponentials;
        double radius = radius_of(&law), before = radius_of(out), rounding = law.rounding, kept = law.error_kept;
        double enough = (engine->dear > 0 && updates >= engine->dear ? DEAR_RADIUS : wanted) * integral[1];
        law_free(radius < before ? out : &law);
        if (radius < before)
            *out = law;
        law = (struct law){0};
        if (radius <= fmax(enough, 4.0 * rounding) || radius > stalled * before || kept > stalled * radius)
            break; /* good enough, or rounding is reached and finer is not better */
        if (i + 1 < RESOLUTIONS)
            resolution = next_resolution(engine, out, i, resolution, enough);
    }
    if (out->engine == NULL)
        return fail_with(error, STATUS_NUMERIC, "the law of %s has no finite radius: it is too far from its target",
                         problem->sampler->name);
    out->node_updates = updates;
    out->exponentials = exponentials;
    if (out->is_normal || problem->component > 0)
        return STATUS_OK;
    widen(out);
    return law_tail_variance(problem, &out->tail_variance, error);
failed:
    law_free(&law);
    law_free(out);
    return status;
}

/* An engine that finds in the steps that it cannot have the law leaves it to the next. */
static enum status compute_known(const struct law_problem *problem, struct law *out, struct error *error)
{
    *out = (struct law){0};
    if (law_engine_for(problem) == NULL && conditions_broken(problem->conditions, CONDITION_ROTATES))
        return conditions_refuse_rotation(problem->conditions, problem->sampler, error);
    enum status status = law_supports(problem, error);
    for (size_t i = 0; i < sizeof engines / sizeof engines[0]; i++) {
        if (!handles(engines[i], problem))
            continue;
        status = law_compute_by(engines[i], problem, out, error);
        if (status != STATUS_UNSUPPORTED)
            return status;
    }
    return status;
}

enum status law_compute(const struct law_problem *problem, struct law *out, struct error *error)
{
    *out = (struct law){0};
    if (problem->sampler->memory > 0)
        TRY(law_supports(problem, error));
    if (problem->sampler->regular)
        return compute_known(problem, out, error);
    struct conditions conditions;
    struct law_problem known = *problem;
    known.conditions = &conditions;
    enum status status = conditions_find(problem->factor, problem->sampler, problem->schedule, problem->score_error,
                                         problem->error_share, &conditions, error);
    if (status == STATUS_OK)
        status = compute_known(&known, out, error);
    conditions_free(&conditions);
    return status;
}

enum status law_component(const struct law_problem *problem, size_t k, struct law_component *out, struct error *error)
{
    struct law_problem own = *problem;
    struct law law;
    double integral[2];
    enum status status;
    *out = (struct law_component){0};
    if (k >= problem->factor->components)
        return fail_with(error, STATUS_INVALID, "there is no component %zu of %zu", k + 1,
                         problem->factor->components);
    own.component = k + 1;
    TRY(law_compute(&own, &law, error));
    TRY_OR(done, law_integrate(&law, 2, mass_and_distance, integral, NULL, error));
    double radius = law.component_error[k] + law_outside(&law).mass;
    *out = (struct law_component){
        law.engine, {integral[0], radius}, {0.5 * integral[1], 0.5 * radius}, law.node_updates};
done:
    law_free(&law);
    return status;
}
