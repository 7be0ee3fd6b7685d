#include "law/divergence.h"

#include <float.h>
#include <gsl/gsl_roots.h>
#include <gsl/gsl_sf_exp.h>
#include <math.h>

/* Quadrature and summation rounding of the integrals below, relative. */
#define ROUNDING 1e-13

enum { KL_P_Q, KL_Q_P, CHI2, HELLINGER, SLOPE_KL_P_Q, SLOPE_KL_Q_P, SLOPE_CHI2, SLOPE_HELLINGER, INTEGRALS };

/* (exp(x) - 1 - x): its digits survive at x = 1e-10. */
static double expm1_minus(double x)
{
    return fabs(x) < 0.5 ? 0.5 * x * x * gsl_sf_exprel_2(x) : expm1(x) - x;
}

/* Where r is 0, KL(p|q) is as uncertain as one likes; but no mass times that is still nothing. */
#define STEEPEST 1e300

/* The divergences and, for their error radii, r times the squares of their derivatives with respect to r. */
static void integrands(double log_ratio, double *out)
{
    double difference = expm1(log_ratio), half = expm1(0.5 * log_ratio), ratio = exp(log_ratio);
    out[KL_P_Q] = expm1_minus(log_ratio);
    /* 1 where r is 0, and without its digits lost near 1 */
    out[KL_Q_P] = log_ratio < -1.0 ? 1.0 + ratio * (log_ratio - 1.0) : ratio * expm1_minus(-log_ratio);
    out[CHI2] = difference * difference;
    out[HELLINGER] = 0.5 * half * half;
    out[SLOPE_KL_P_Q] = fmin(-difference * expm1(-log_ratio), STEEPEST);
    out[SLOPE_KL_Q_P] = ratio * log_ratio * log_ratio;
    out[SLOPE_CHI2] = ratio * 4.0 * difference * difference;
    out[SLOPE_HELLINGER] = 0.25 * half * half;
}

static double log_ratio_at(double x, void *panel)
{
    double value;
    panel_evaluate(panel, 0.0, 1, &x, &value);
    return value;
}

/* A root of log r in [from, to], where it changes sign. */
static double find_root(const struct panel *panel, double from, double to, gsl_root_fsolver *solver)
{
    gsl_function function = {log_ratio_at, (void *)panel};
    double root = 0.5 * (from + to);
    if (gsl_root_fsolver_set(solver, &function, from, to) != 0)
        return root;
    for (int i = 0; i < 100; i++) {
        if (gsl_root_fsolver_iterate(solver) != 0)
            break;
        root = gsl_root_fsolver_root(solver);
        double width = gsl_root_fsolver_x_upper(solver) - gsl_root_fsolver_x_lower(solver);
        if (width <= 1e-13 * panel->half_width)
            break;
    }
    return root;
}

static enum status add_piece(const struct law *law, const struct panel *panel, double from, double to,
                             struct law_nodes *nodes, double *total, struct error *error)
{
    nodes->count = 0;
    enum status status = law_nodes_append(law, panel, from, to, nodes, error);
    double piece = 0.0;
    for (size_t j = 0; j < nodes->count; j++)
        piece += nodes->weight[j] * expm1(nodes->log_ratio[j]);
    *total += fabs(piece);
    return status;
}

/* Every n-th line alone, as its own quadrature rule: how far the sums of FAMILIES such rules differ tells how good
 * their mean is. The error of a rule is that of kinks that run along a line, of its spacing to the power 5/2: a rule
 * of all lines has 4^(-5/2) = 1/32 of the families' errors, and a quarter of what is seen allows for chance. */
enum { FAMILIES = 4 };
#define FAMILY_SHARE 0.25

static double line_error(const double family[FAMILIES])
{
    double mean = 0.0, largest = 0.0;
    for (int i = 0; i < FAMILIES; i++)
        mean += family[i];
    for (int i = 0; i < FAMILIES; i++)
        largest = fmax(largest, fabs(FAMILIES * family[i] - mean));
    return FAMILY_SHARE * largest;
}

/* The kinks of |r - 1| are found, and the pieces between them are smooth. */
enum status tv_single(const struct law *law, struct measured *tv, struct error *error)
{
    enum { LOOKS = 3 * PANEL_NODES };
    struct law_nodes nodes = {0};
    gsl_root_fsolver *solver = gsl_root_fsolver_alloc(gsl_root_fsolver_brent);
    enum status status =
        solver != NULL ? STATUS_OK : fail_with(error, STATUS_MEMORY, "out of memory for a root finder");
    double total = 0.0, family[FAMILIES] = {0.0}, between = 0.0;
    int lines = law->density != NULL && law->density->line != NULL;
    for (size_t p = 0; p < law->log_ratio.count && status == STATUS_OK; p++) {
        const struct panel *panel = &law->log_ratio.panel[p];
        double before = total;
        double x[LOOKS + 1], value[LOOKS + 1], from = panel->centre - panel->half_width;
        for (int i = 0; i <= LOOKS; i++)
            x[i] = panel->centre + panel->half_width * (2.0 * i / LOOKS - 1.0);
        panel_evaluate(panel, 0.0, LOOKS + 1, x, value);
        for (int i = 0; i < LOOKS && status == STATUS_OK; i++)
            if ((value[i] < 0.0) != (value[i + 1] < 0.0)) {
                double root = find_root(panel, x[i], x[i + 1], solver);
                status = add_piece(law, panel, from, root, &nodes, &total, error);
                from = root;
            }
        if (status == STATUS_OK)
            status = add_piece(law, panel, from, panel->centre + panel->half_width, &nodes, &total, error);
        if (lines)
            family[law->density->line(law->density, panel) % FAMILIES] += total - before;
    }
    if (lines)
        between = line_error(family);
    *tv = (struct measured){0.5 * total, 0.5 * (law->error_l1 + fabs(law->mass_defect) + between) + ROUNDING * total};
    gsl_root_fsolver_free(solver);
    law_nodes_free(&nodes);
    return status;
}

/* How much more than a standard deviation of the integrand at an end of the support may lie beyond it. That is
 * 1e-20 for laws near their target; where q
 * has heavier tails than p, or bridges a gap between modes, chi2 lives out there, and the radius must say so. */
#define BEYOND 10.0

static struct measured perturbed(double value, double edge, double slope_squared, double curvature, double error_l2)
{
    return (struct measured){value, sqrt(slope_squared) * error_l2 + curvature * error_l2 * error_l2 + BEYOND * edge
                                        + ROUNDING * value};
}

/* All but TV; the error radii by Cauchy-Schwarz: (E_p f'(r) e)^2 <= E_p r f'(r)^2 E_p e^2/r. */
static enum status smooth_divergences(const struct law *law, struct divergence *out, struct error *error)
{
    double integral[INTEGRALS], edge[INTEGRALS], e = law->error_l2 + fabs(law->mass_defect);
    enum status status = law_integrate(law, INTEGRALS, integrands, integral, edge, error);
    if (status != STATUS_OK)
        return status;
    out->kl_p_q = perturbed(integral[KL_P_Q], edge[KL_P_Q], integral[SLOPE_KL_P_Q], 1.0, e);
    out->kl_q_p = perturbed(integral[KL_Q_P], edge[KL_Q_P], integral[SLOPE_KL_Q_P], 1.0, e);
    out->chi2_q_p = perturbed(integral[CHI2], edge[CHI2], integral[SLOPE_CHI2], 1.0, e);
    out->hellinger2 = perturbed(integral[HELLINGER], edge[HELLINGER], integral[SLOPE_HELLINGER], 0.25, e);
    /* What q has outside the support is missing from E_p r, so from these two in full. */
    out->kl_p_q.error += fabs(law->mass_defect);
    out->hellinger2.error += fabs(law->mass_defect);
    out->mass_defect = law->mass_defect;
    return STATUS_OK;
}

static void add_scaled(struct measured *sum, struct measured term, double factor)
{
    sum->value += factor * term.value;
    sum->error += factor * term.error;
}

/* KL adds; 1 + chi2 and 1 - H^2 multiply. */
static enum status combine(const struct law_group *groups, size_t count, struct divergence *out, struct error *error)
{
    struct measured log_chi2 = {0.0, 0.0}, log_affinity = {0.0, 0.0};
    for (size_t i = 0; i < count; i++) {
        struct divergence one;
        double n = groups[i].multiplicity;
        enum status status = smooth_divergences(groups[i].law, &one, error);
        if (status != STATUS_OK)
            return status;
        add_scaled(&out->kl_p_q, one.kl_p_q, n);
        add_scaled(&out->kl_q_p, one.kl_q_p, n);
        log_chi2.value += n * log1p(one.chi2_q_p.value);
        log_chi2.error += n * one.chi2_q_p.error / (1.0 + one.chi2_q_p.value);
        log_affinity.value += n * log1p(-one.hellinger2.value);
        log_affinity.error += n * one.hellinger2.error / (1.0 - one.hellinger2.value);
        if (fabs(one.mass_defect) > fabs(out->mass_defect))
            out->mass_defect = one.mass_defect;
    }
    out->chi2_q_p = (struct measured){expm1(log_chi2.value), exp(log_chi2.value) * expm1(log_chi2.error)};
    out->hellinger2 =
        (struct measured){-expm1(log_affinity.value), exp(log_affinity.value) * expm1(log_affinity.error)};
    return STATUS_OK;
}

enum status tv_measure(const struct law_group *groups, size_t count, struct measured *tv, struct error *error)
{
    const struct law *first = groups[0].law;
    if (count == 1 && groups[0].multiplicity == 1.0
        && (!first->lines || (first->density != NULL && first->density->line != NULL)))
        return tv_single(groups[0].law, tv, error);
    return tv_composed(groups, count, tv, error);
}

enum status divergence_measure(const struct law_group *groups, size_t count, struct divergence *out,
                               struct error *error)
{
    *out = (struct divergence){.mass_defect = 0.0};
    if (count == 0)
        return fail_with(error, STATUS_INVALID, "a direct sum needs at least one factor");
    enum status status = combine(groups, count, out, error);
    return status == STATUS_OK ? tv_measure(groups, count, &out->tv, error) : status;
}
