#include "law/normal.h"

#include <float.h>
#include <gsl/gsl_sf_exp.h>
#include <math.h>

#include "core/legendre.h"

/* Roundings of a closed form: a dozen operations. */
#define ROUNDING (16.0 * DBL_EPSILON)

double expm1_minus(double x)
{
    return fabs(x) < 0.5 ? 0.5 * x * x * gsl_sf_exprel_2(x) : expm1(x) - x;
}

double normal_radius(const struct normal *q)
{
    /* d log q = (z^2 - 1) d(log v)/2 + z d(m)/sqrt(v) with z standard normal under q */
    return M_SQRT1_2 * q->log_variance_error + q->shift_error * exp(-0.5 * q->log_variance);
}

/* log cosh x. */
static double log_cosh(double x)
{
    double y = fabs(x), s = sinh(0.5 * y);
    return y < 1.0 ? log1p(2.0 * s * s) : y + log1p(exp(-2.0 * y)) - M_LN2;
}

/* log(v (2 - v)) of v = 1 + rho = exp(x): of the two forms the first keeps its digits where rho is small, the second
 * where v is. */
static double log_product(double x, double rho)
{
    return rho > -0.5 ? log1p(-rho * rho) : x + log1p(-rho);
}

/* x = log v. The integral of q^2/p is exp(m^2/(2 - v))/sqrt(v (2 - v)), that of sqrt(p q) is exp(-m^2/(4 (1 +
 * v)))/sqrt(cosh(x/2)). */
static void sums(double x, double m, double out[NORMAL_SUMS])
{
    double rho = expm1(x);
    out[NORMAL_KL_P_Q] = 0.5 * (expm1_minus(-x) + m * m * exp(-x));
    out[NORMAL_KL_Q_P] = 0.5 * (expm1_minus(x) + m * m);
    out[NORMAL_LOG_CHI2] = rho < 1.0 ? m * m / (1.0 - rho) - 0.5 * log_product(x, rho) : HUGE_VAL;
    out[NORMAL_LOG_AFFINITY] = 0.5 * log_cosh(0.5 * x) + 0.25 * m * m / (2.0 + rho);
}

/* Each of the sums falls and then grows in x and in m: over a box it is largest at a corner, and smallest there or
 * where x or m is 0. */
void normal_sums(const struct normal *q, struct measured out[NORMAL_SUMS])
{
    const double x[] = {q->log_variance - q->log_variance_error, q->log_variance + q->log_variance_error, 0.0};
    const double m[] = {q->shift - q->shift_error, q->shift + q->shift_error, 0.0};
    int x_count = fabs(q->log_variance) <= q->log_variance_error ? 3 : 2;
    int m_count = fabs(q->shift) <= q->shift_error ? 3 : 2;
    double centre[NORMAL_SUMS], value[NORMAL_SUMS];
    sums(q->log_variance, q->shift, centre);
    for (int k = 0; k < NORMAL_SUMS; k++)
        out[k] = (struct measured){centre[k], 0.0};
    for (int i = 0; i < x_count; i++)
        for (int j = 0; j < m_count; j++) {
            sums(x[i], m[j], value);
            for (int k = 0; k < NORMAL_SUMS; k++)
                if (isfinite(centre[k]))
                    out[k].error = fmax(out[k].error, fabs(value[k] - centre[k]));
        }
    /* -log(2 - v) loses digits next to v = 2, which the corners have seen only if x has an error */
    double near = 1.0 / fmax(fabs(1.0 - expm1(q->log_variance)), DBL_EPSILON);
    for (int k = 0; k < NORMAL_SUMS; k++)
        if (isfinite(centre[k]))
            out[k].error += ROUNDING * fabs(centre[k]) * (k == NORMAL_LOG_CHI2 ? 1.0 + near : 1.0);
}

/* The standard normal mass between a and b, up to sign, where b - a is `width`: its digits survive where that is
 * small. */
static double mass_between(double a, double b, double width)
{
    enum { POINTS = 24 };
    double node[POINTS], weight[POINTS], total = 0.0;
    if (isinf(a) || isinf(b))
        return isinf(a) && isinf(b) ? 0.0 : 0.5 * erfc(fabs(isinf(a) ? b : a) * M_SQRT1_2);
    if (fabs(width) > 1.0) { /* both on the right of 0 where they are on one side */
        double low = a + b > 0.0 ? fmin(a, b) : fmin(-a, -b), high = a + b > 0.0 ? fmax(a, b) : fmax(-a, -b);
        return 0.5 * (erfc(low * M_SQRT1_2) - erfc(high * M_SQRT1_2));
    }
    legendre_rule(POINTS, node, weight);
    for (int i = 0; i < POINTS; i++) {
        double x = a + 0.5 * width * (1.0 + node[i]);
        total += weight[i] * exp(-0.5 * x * x);
    }
    return 0.5 * fabs(width) * total / sqrt(2.0 * M_PI);
}

/* r = 1 at the roots z of rho z^2 + 2 m z = m^2 + v log v; at each, p and q have left of it what differs by the
 * standard normal mass between z and (z - m)/sqrt(v), and both differences have the same sign in TV. */
struct measured normal_tv(const struct normal *q)
{
    double x = q->log_variance, m = fabs(q->shift), v = exp(x), rho = expm1(x), sd = exp(0.5 * x), tv = 0.0;
    double constant = m * m + v * x, root = sd * sqrt(m * m + rho * x);
    double far = -(m + root); /* rho times the root away from 0 */
    double z[2] = {fabs(rho) > 0.0 ? far / rho : -HUGE_VAL, fabs(far) > 0.0 ? -constant / far : 0.0};
    for (int i = 0; i < 2; i++) {
        if (isinf(z[i]))
            continue;
        /* z - (z - m)/sd */
        double width = (z[i] * expm1(0.5 * x) + m) / sd;
        tv += mass_between(z[i], (z[i] - m) / sd, -width);
    }
    return (struct measured){fmin(tv, 1.0), 0.5 * normal_radius(q) + 2.0 * ROUNDING * fmin(tv, 1.0)};
}

double normal_between(double a, double b)
{
    double from = a > 0.0 ? a : -b, to = a > 0.0 ? b : -a; /* by symmetry the tail, if it is one, is on the right */
    return from > 0.0 ? 0.5 * (erfc(from * M_SQRT1_2) - erfc(to * M_SQRT1_2))
                      : 0.5 * (erf(to * M_SQRT1_2) - erf(from * M_SQRT1_2));
}
