#include "law/integrals.h"

#include <math.h>

#include "core/legendre.h"
#include "core/memory.h"
#include "core/vmath.h"
#include "law/outside.h"
#include "law/tuning.h"

enum { MOST_INTEGRALS = 8, MOST_BISECTIONS = 24 };

/* ---- Nodes ---- */

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

/* ---- Integrals ---- */

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

/* r - 1; infinite where vexpm1 would take log r for 709. */
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

enum status law_mass_and_distance(const struct law *law, double out[2], struct error *error)
{
    return law_integrate(law, 2, mass_and_distance, out, NULL, error);
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
