#include "law/outside.h"

#include <math.h>

#define ROUNDING 1e-13

/* A fall slower than SLOWEST a standard deviation is none; and as little of q matters nowhere. */
#define SLOWEST 0.1
#define LEAST_MATTER 1e-40

/* What is beyond is taken for this much more, for q at the end is itself known to some percent only: 1.2 % short was
 * seen of chi2 of a Gaussian of 1.8 times p's variance. */
#define SAFETY 2.0

/* The same of q^2/p, which falls slower: of a q of 1.69 times p's variance 5 times as much was missing. */
#define SAFETY_SQUARED 10.0

/* Mass is missing by as many times the estimated error inside where no law has lost any; and log r there, if it is
 * beyond the ends: 14 standard deviations of p. */
#define EXPLAINED 10.0
#define LOG_RATIO_BEYOND 100.0

/* An end of the support. With s = -(log q)' and g = (log r)' outwards there, log q concave beyond and p Gaussian of
 * standard deviation sd, q has at most q/s beyond, KL(q | p) at most (q/s)(log r + g/s + 1/(s sd)^2), and chi2, whose
 * integrand q^2/p then falls like s - g, at most (q^2/p)/(s - g). */
static void add_outside(const struct law *law, const struct panel *panel, int side, struct outside *out)
{
    double outwards = side == 0 ? -1.0 : 1.0, step = OUTSIDE_SLOPE_PART * panel->half_width, sd = law_sd(law, panel);
    double end = panel->centre + outwards * panel->half_width, log_p[2], log_r[2];
    const double x[2] = {end, end - outwards * step};
    law_log_density(law, panel, 2, x, log_p);
    panel_evaluate(panel, 0.0, 2, x, log_r);
    double g = (log_r[0] - log_r[1]) / step, s = -(log_p[0] - log_p[1]) / step - g;
    double p = exp(log_p[0]), q = exp(log_p[0] + log_r[0]), squared = exp(log_p[0] + 2.0 * log_r[0]);
    if (!(sd > 0.0))
        return;
    double mass = s * sd > SLOWEST ? q / s : q * sd > LEAST_MATTER ? HUGE_VAL : 0.0;
    out->mass += mass;
    out->kl_q_p += p * sd;
    if (isinf(mass)) /* q does not fall there: s may have either sign */
        out->kl_q_p = HUGE_VAL;
    else if (mass > 0.0)
        out->kl_q_p += SAFETY * mass * (fmax(log_r[0], 0.0) + fmax(g, 0.0) / s + 1.0 / (s * s * sd * sd));
    out->chi2 += p * sd;
    out->chi2 += (s - g) * sd > SLOWEST        ? SAFETY_SQUARED * squared / (s - g)
                 : squared * sd > LEAST_MATTER ? HUGE_VAL
                                               : 0.0;
}

/* With S = -(log p)' and g = (log r)' outwards, p r(e)^2 times the integral of e^(-S u) (e^(g u) - 1)^2 over u > 0 is
 * at least that, log p and log q being concave. */
double outside_held_square(const double log_p[2], const double log_r[2], double step, double sd)
{
    double S = -(log_p[0] - log_p[1]) / step, g = (log_r[0] - log_r[1]) / step;
    double squared = exp(log_p[0] + 2.0 * log_r[0]), slowest = SLOWEST / sd;
    if (S > slowest && S - 2.0 * g > slowest)
        return squared * 2.0 * g * g / (S * (S - g) * (S - 2.0 * g));
    return squared * sd > LEAST_MATTER ? HUGE_VAL : 0.0;
}

struct outside law_outside(const struct law *law)
{
    struct outside out = {0.0, 0.0, 0.0, 0.0};
    for (size_t p = 0; p < law->log_ratio.count; p++)
        for (int side = 0; side < 2; side++)
            if (panels_at_end(&law->log_ratio, p, side))
                add_outside(law, &law->log_ratio.panel[p], side, &out);
    double missing = fmax(-law->mass_defect - 2.0 * out.mass, 0.0), wrong = fmax(missing, law->mass_defect);
    if (!(wrong <= EXPLAINED * law->error_l1 + ROUNDING))
        out.unexplained = wrong;
    out.unexplained = fmax(out.unexplained, law->unexplained);
    /* What errors inside may explain may also be next to the ends; else nothing is known of q/p there. */
    out.kl_q_p += LOG_RATIO_BEYOND * missing;
    if (out.unexplained > 0.0)
        out.kl_q_p = out.chi2 = HUGE_VAL;
    return out;
}
