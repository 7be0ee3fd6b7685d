#include "law/divergence.h"

#include <float.h>
#include <gsl/gsl_roots.h>
#include <math.h>

#include "core/vmath.h"
#include "law/integrals.h"
#include "law/outside.h"

/* Quadrature and summation rounding of the integrals below, relative. */
#define ROUNDING 1e-13

enum { KL_P_Q, KL_Q_P, CHI2, HELLINGER, SLOPE_KL_P_Q, SLOPE_KL_Q_P, SLOPE_CHI2, SLOPE_HELLINGER, INTEGRALS };

/* Where r is 0, KL(p|q) is as uncertain as one likes; but no mass times that is still nothing. */
#define STEEPEST 1e300

/* The divergences and, for their error radii, r times the squares of their derivatives with respect to r. */
static void integrands(size_t n, const double *log_ratio, double *out)
{
    double difference[LAW_PANEL_POINTS], ratio[LAW_PANEL_POINTS], half[LAW_PANEL_POINTS], inverse[LAW_PANEL_POINTS];
    for (size_t j = 0; j < n; j++) {
        half[j] = 0.5 * log_ratio[j];
        inverse[j] = -log_ratio[j];
    }
    vexpm1(n, log_ratio, difference);
    vexp(n, log_ratio, ratio);
    vexpm1(n, half, half);
    vexpm1(n, inverse, inverse);
    for (size_t j = 0; j < n; j++) {
        const double x = log_ratio[j];
        out[KL_P_Q * n + j] = expm1_minus(x);
        /* 1 where r is 0, and without its digits lost near 1 */
        out[KL_Q_P * n + j] = x < -1.0 ? 1.0 + ratio[j] * (x - 1.0) : ratio[j] * expm1_minus(-x);
        out[CHI2 * n + j] = difference[j] * difference[j];
        out[HELLINGER * n + j] = 0.5 * half[j] * half[j];
        out[SLOPE_KL_P_Q * n + j] = fmin(-difference[j] * inverse[j], STEEPEST);
        out[SLOPE_KL_Q_P * n + j] = ratio[j] * x * x;
        out[SLOPE_CHI2 * n + j] = ratio[j] * 4.0 * difference[j] * difference[j];
        out[SLOPE_HELLINGER * n + j] = 0.25 * half[j] * half[j];
    }
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
                             struct law_nodes *nodes, double *total, double *defect, struct error *error)
{
    nodes->count = 0;
    enum status status = law_nodes_append(law, panel, from, to, nodes, error);
    double piece = 0.0;
    vexpm1(nodes->count, nodes->log_ratio,
           nodes->log_ratio); /* r - 1, in the place of log r: the nodes serve this piece alone */
    for (size_t j = 0; j < nodes->count; j++)
        piece += nodes->weight[j] * nodes->log_ratio[j];
    *total += fabs(piece);
    *defect += piece;
    return status;
}

/* Every n-th line alone, as its own quadrature rule: how far the sums of FAMILIES such rules differ tells how good
 * their mean is. The error of a rule is that of kinks that run along a line, of its spacing to the power 5/2: a rule
 * of all lines has 4^(-5/2) = 1/32 of the families' errors, and a quarter of what is measured allows for chance. */
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
    double total = 0.0, defect = 0.0, family[FAMILIES] = {0.0}, between = 0.0;
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
                status = add_piece(law, panel, from, root, &nodes, &total, &defect, error);
                from = root;
            }
        if (status == STATUS_OK)
            status = add_piece(law, panel, from, panel->centre + panel->half_width, &nodes, &total, &defect, error);
        if (lines)
            family[law->density->line(law->density, panel) % FAMILIES] += total - before;
    }
    if (lines)
        between = line_error(family);
    /* Two quadratures of the mass, with and without cuts at the roots, say how well either does. */
    double apart = law->is_normal ? 0.0 : fabs(defect - law->mass_defect);
    *tv = (struct measured){0.5 * total,
                            0.5 * (law->error_l1 + fabs(law->mass_defect) + between + apart) + ROUNDING * total};
    gsl_root_fsolver_free(solver);
    law_nodes_free(&nodes);
    return status;
}

/* How much more than a standard deviation of the integrand at an end of the support may lie beyond it. That is
 * 1e-20 for laws near their target. */
#define BEYOND 10.0

static struct measured perturbed(double value, double beyond, double slope_squared, double curvature, double error_l2)
{
    return (struct measured){value, sqrt(slope_squared) * error_l2 + curvature * error_l2 * error_l2 + beyond
                                        + ROUNDING * value};
}

/* Tails of q of more than so many times p's variance put chi2 far out, where q on p's panels is short of what came
 * from beyond them in every step: 4% of chi2 was missing at 1.88 times, and it was not in the radius. Not known. */
#define WIDE_TAILS 1.65

/* A number says something if its radius is at most this part of it, or this. */
#define LOOSE 0.5
#define SMALL 1e-6

/* Of H^2 by the triangle inequality: |H(p, q) - H(p, q')| <= H(q, q') <= TV(q, q')^(1/2), where q' is what was
 * computed and TV(q, q') at most half of its error in L1. It holds, too, where q' lacks mass of q that lies in p's
 * bulk, which E_p e^2/r, sampled where q' has mass, does not see. */
static double hellinger_by_triangle(const struct law *law, double hellinger2)
{
    double apart = sqrt(0.5 * (law->error_l1 + fabs(law->mass_defect)));
    return (2.0 * sqrt(hellinger2) + apart) * apart;
}

/* All but TV; the error radii by Cauchy-Schwarz: (E_p f'(r) e)^2 <= E_p r f'(r)^2 E_p e^2/r. */
static enum status smooth_divergences(const struct law *law, struct divergence *out, struct error *error)
{
    double integral[INTEGRALS], edge[INTEGRALS], e = law->error_l2 + fabs(law->mass_defect);
    TRY(law_integrate(law, INTEGRALS, integrands, integral, edge, error));
    struct outside outside = law_outside(law);
    out->kl_p_q = perturbed(integral[KL_P_Q], BEYOND * edge[KL_P_Q], integral[SLOPE_KL_P_Q], 1.0, e);
    out->kl_q_p = perturbed(integral[KL_Q_P], outside.kl_q_p, integral[SLOPE_KL_Q_P], 1.0, e);
    out->chi2_q_p = perturbed(integral[CHI2], outside.chi2, integral[SLOPE_CHI2], 1.0, e);
    if (law->tail_variance >= 2.0)
        out->chi2_q_p = (struct measured){HUGE_VAL, 0.0};
    else if (law->tail_variance > WIDE_TAILS)
        out->chi2_q_p.error = HUGE_VAL;
    /* A step increases E_p (r - r~)^2 no more than any norm, and what comes from beyond the ends stays in the tails,
     * where r - 1 is of the size of r - r~. Found: after one step chi2 lacks 1e-4 of it. */
    out->chi2_q_p.error += law->held_square;
    out->hellinger2 = perturbed(integral[HELLINGER], BEYOND * edge[HELLINGER], integral[SLOPE_HELLINGER], 0.25, e);
    /* What q has outside the support is missing from E_p r, so from these two in full. */
    out->kl_p_q.error += fabs(law->mass_defect);
    out->hellinger2.error += fabs(law->mass_defect);
    /* log r is not resolved where p has mass and q next to none */
    if (!(out->kl_p_q.error <= LOOSE * out->kl_p_q.value))
        out->hellinger2.error = fmax(out->hellinger2.error, hellinger_by_triangle(law, out->hellinger2.value));
    return STATUS_OK;
}

/* What adds up over the factors, as normal_sums has it. */
static enum status sums_of(const struct law *law, struct measured out[NORMAL_SUMS], struct error *error)
{
    struct divergence one;
    if (law->is_normal) {
        normal_sums(&law->normal, out);
        return STATUS_OK;
    }
    TRY(smooth_divergences(law, &one, error));
    double chi2 = one.chi2_q_p.value, affinity = 1.0 - one.hellinger2.value, lost = one.hellinger2.error;
    out[NORMAL_KL_P_Q] = one.kl_p_q;
    out[NORMAL_KL_Q_P] = one.kl_q_p;
    out[NORMAL_LOG_CHI2] = (struct measured){log1p(chi2), isinf(chi2) ? 0.0 : one.chi2_q_p.error / (1.0 + chi2)};
    out[NORMAL_LOG_AFFINITY] = affinity > lost ? (struct measured){-log1p(-one.hellinger2.value), lost / affinity}
                                               : (struct measured){0.0, HUGE_VAL};
    return STATUS_OK;
}

#define NOT_KNOWN ((struct measured){NAN, NAN})

struct measured measured_within(struct measured m, double most)
{
    double error = m.error + DBL_EPSILON * m.value, low = fmax(m.value - error, 0.0),
           high = fmin(m.value + error, most);
    if (!(m.value - error < 0.0 || m.value + error > most))
        return (struct measured){m.value, error};
    low = fmin(low, most);
    high = fmax(high, 0.0);
    double middle = 0.5 * (low + high);
    return (struct measured){middle, fmin(0.5 * (high - low), fmin(middle, most - middle))};
}

static struct measured within_if_known(struct measured m, double most)
{
    int known = isfinite(m.value) && m.error >= 0.0 && m.error <= fmax(LOOSE * m.value, SMALL);
    return known ? measured_within(m, most) : NOT_KNOWN;
}

/* 1 + chi2 from its logarithm. */
static struct measured chi2_of(struct measured log_chi2)
{
    double least = log_chi2.value - log_chi2.error;
    if (isinf(log_chi2.value))
        return log_chi2;
    if (least > log(DBL_MAX))
        return (struct measured){HUGE_VAL, HUGE_VAL};
    return within_if_known((struct measured){expm1(log_chi2.value), exp(log_chi2.value) * expm1(log_chi2.error)},
                           HUGE_VAL);
}

/* KL adds; 1 + chi2 and 1 - H^2 multiply. */
static enum status combine(const struct law_group *groups, size_t count, struct divergence *out, struct error *error)
{
    struct measured total[NORMAL_SUMS] = {{0.0, 0.0}};
    for (size_t i = 0; i < count; i++) {
        struct measured one[NORMAL_SUMS];
        TRY(sums_of(groups[i].law, one, error));
        for (int k = 0; k < NORMAL_SUMS; k++) {
            total[k].value += groups[i].multiplicity * one[k].value;
            total[k].error += groups[i].multiplicity * one[k].error;
        }
        if (fabs(groups[i].law->mass_defect) > fabs(out->mass_defect))
            out->mass_defect = groups[i].law->mass_defect;
    }
    struct measured affinity = total[NORMAL_LOG_AFFINITY];
    out->kl_p_q = within_if_known(total[NORMAL_KL_P_Q], HUGE_VAL);
    out->kl_q_p = within_if_known(total[NORMAL_KL_Q_P], HUGE_VAL);
    out->chi2_q_p = chi2_of(total[NORMAL_LOG_CHI2]);
    out->hellinger2 = within_if_known(
        (struct measured){-expm1(-affinity.value), exp(-affinity.value) * expm1(affinity.error)}, 1.0);
    return STATUS_OK;
}

enum status tv_measure(const struct law_group *groups, size_t count, struct measured *tv, struct error *error)
{
    const struct law *first = groups[0].law;
    int single = count == 1 && groups[0].multiplicity == 1.0;
    if (single && first->is_normal)
        *tv = normal_tv(&first->normal);
    else if (single && (!first->lines || (first->density != NULL && first->density->line != NULL)))
        TRY(tv_single(first, tv, error));
    else
        TRY(tv_composed(groups, count, tv, error));
    if (!isfinite(tv->value) || isnan(tv->error))
        return fail_with(error, STATUS_NUMERIC, "TV is not a number: %g with a radius of %g", tv->value, tv->error);
    *tv = measured_within(*tv, 1.0);
    return STATUS_OK;
}

/* A law that has lost or gained more than this of its mass is no law; and a TV whose radius is more than this much
 * and this part of it says next to nothing. */
#define MOST_DEFECT 0.25
#define MOST_RADIUS 1e-3
#define MOST_OF_TV 0.5

static enum status check_law(const struct law *law, struct error *error)
{
    if (fabs(law->mass_defect) <= MOST_DEFECT)
        return STATUS_OK;
    return fail_with(error, STATUS_NUMERIC,
                     "the %s law %s %.3g of its mass: it is too far from its target for the engine's grid, or the "
                     "steps are too large for it",
                     law->engine->name, law->mass_defect < 0.0 ? "lost" : "gained", fabs(law->mass_defect));
}

/* H^2 <= TV <= sqrt(H^2 (2 - H^2)): next to 1 that is far sharper than a composition that has lost q's mass. Where it
 * does not halve the radius, TV stays as it is. */
static struct measured bracketed(struct measured tv, struct measured hellinger2)
{
    double h = fmin(hellinger2.value + hellinger2.error, 1.0);
    double low = fmax(tv.value - tv.error, hellinger2.value - hellinger2.error);
    double high = fmin(tv.value + tv.error, sqrt(h * (2.0 - h)));
    if (isnan(hellinger2.value))
        return tv;
    if (!(high >= low)) { /* the composition has missed where q is: what H^2 says alone */
        low = fmax(hellinger2.value - hellinger2.error, 0.0);
        high = sqrt(h * (2.0 - h));
    } else if (!(high - low < tv.error))
        return tv;
    return measured_within((struct measured){0.5 * (low + high), 0.5 * (high - low)}, 1.0);
}

enum status divergence_measure(const struct law_group *groups, size_t count, struct divergence *out,
                               struct error *error)
{
    *out = (struct divergence){.mass_defect = 0.0};
    if (count == 0)
        return fail_with(error, STATUS_INVALID, "a direct sum needs at least one factor");
    for (size_t i = 0; i < count; i++)
        TRY(check_law(groups[i].law, error));
    TRY(combine(groups, count, out, error));
    TRY(tv_measure(groups, count, &out->tv, error));
    out->tv = bracketed(out->tv, out->hellinger2);
    if (out->tv.error > fmax(MOST_RADIUS, MOST_OF_TV * out->tv.value))
        return fail_with(error, STATUS_NUMERIC, "TV is not known: %.3g with a radius of %.1e (mass defect %.1e)",
                         out->tv.value, out->tv.error, out->mass_defect);
    return STATUS_OK;
}
