#include "law/bessel.h"

#include <gsl/gsl_sf_gamma.h>
#include <math.h>
#include <stdbool.h>

#include "core/vmath.h"
#include "law/tuning.h"

enum { CHUNK = 64 };

/* u_{k+1}(p) = p^2 (1 - p^2) u_k'(p)/2 + integral_0^p (1 - 5 t^2) u_k(t) dt/8. */
void bessel_init(double order, struct bessel *out)
{
    *out = (struct bessel){.order = order, .log_gamma = gsl_sf_lngamma(order + 1.0)};
    out->coefficient[0][0] = 1.0;
    for (int k = 0; k < BESSEL_TERMS; k++)
        for (int j = 0; j <= k; j++) {
            double a = out->coefficient[k][j], m = (double)(k + 2 * j);
            out->coefficient[k + 1][j] += a * (0.5 * m + 0.125 / (m + 1.0));
            out->coefficient[k + 1][j + 1] -= a * (0.5 * m + 0.625 / (m + 3.0));
        }
    /* with a few dozen points in p^2 the maximum is well enough known */
    for (int k = 0; k <= BESSEL_TERMS; k++)
        for (int i = 0; i <= 64; i++) {
            double value = 0.0;
            for (int j = k; j >= 0; j--)
                value = value * (i / 64.0) + out->coefficient[k][j];
            out->size[k] = fmax(out->size[k], 2.0 * fabs(value));
        }
}

/* log(z^-nu exp(-z) I_nu(z)) by the power series; all its terms are positive. */
static double log_series(const struct bessel *bessel, double z)
{
    double quarter = 0.25 * z * z, term = 1.0, rest = 0.0;
    for (double k = 1.0; term > BESSEL_NEGLIGIBLE * (1.0 + rest); k += 1.0) {
        term *= quarter / (k * (bessel->order + k));
        rest += term;
    }
    return log1p(rest) - z - bessel->order * M_LN2 - bessel->log_gamma;
}

static int terms_needed(const struct bessel *bessel, double w)
{
    double power = 1.0 / w;
    for (int k = 1; k < BESSEL_TERMS; k++, power /= w)
        if (bessel->size[k] * power < BESSEL_NEGLIGIBLE)
            return k - 1;
    return BESSEL_TERMS;
}

/* log = (w - z) - nu asinh(nu/z) - log(1 + (nu/z)^2)/4 + log(1 + sum_k u_k(p)/nu^k); with x = nu/z, asinh x =
 * log1p(x + x^2/(1 + sqrt(1 + x^2))). The last two logarithms are taken as one, of ((1 + s)^4/(1 + x^2))^(1/4). */
VECTOR_CLONES static void expand(const struct bessel *bessel, int terms, size_t n, const double *z, double *out)
{
    double nu = bessel->order, first[CHUNK] = {0.0}, second[CHUNK] = {0.0}, log_first[CHUNK], log_second[CHUNK];
    for (size_t i = 0; i < n; i++) {
        double x = nu / z[i], square = x * x, root = sqrt(1.0 + square), inverse = 1.0 / (z[i] * root);
        double p2 = square / (1.0 + square), s = 0.0;
        for (int k = terms; k >= 1; k--) {
            double value = bessel->coefficient[k][k];
            for (int j = k - 1; j >= 0; j--)
                value = value * p2 + bessel->coefficient[k][j];
            s = (s + value) * inverse;
        }
        out[i] = nu * x / (1.0 + root);
        first[i] = x + square / (1.0 + root);
        second[i] = (s * (4.0 + s * (6.0 + s * (4.0 + s))) - square) / (1.0 + square);
    }
    vlog1p(n, first, log_first);
    vlog1p(n, second, log_second);
    for (size_t i = 0; i < n; i++)
        out[i] += 0.25 * log_second[i] - nu * log_first[i];
}

static bool is_small(const struct bessel *bessel, double z)
{
    return hypot(z, bessel->order) < BESSEL_UNIFORM_FROM || !(z > 0.0);
}

static double smallest_w(const struct bessel *bessel, size_t n, const double *z)
{
    double smallest = HUGE_VAL;
    for (size_t i = 0; i < n; i++)
        smallest = z[i] < smallest ? z[i] : smallest;
    return hypot(smallest, bessel->order);
}

void bessel_log_scaled(const struct bessel *bessel, size_t n, const double *z, double *out)
{
    for (size_t start = 0; start < n; start += CHUNK) {
        size_t count = n - start < CHUNK ? n - start : CHUNK;
        double w = smallest_w(bessel, count, z + start);
        if (w >= BESSEL_UNIFORM_FROM) {
            expand(bessel, terms_needed(bessel, w), count, z + start, out + start);
            continue;
        }
        for (size_t i = start; i < start + count; i++) {
            if (hypot(z[i], bessel->order) >= BESSEL_UNIFORM_FROM)
                expand(bessel, BESSEL_TERMS, 1, z + i, out + i);
            else
                out[i] = log_series(bessel, z[i]) + 0.5 * log(2.0 * M_PI * z[i]) + bessel->order * log(z[i]);
        }
    }
}

/* log(z^-nu exp(-z) I_nu(z)) by the uniform expansion. */
static void expand_entire(const struct bessel *bessel, int terms, size_t n, const double *z, double *out)
{
    double log_z[CHUNK];
    expand(bessel, terms, n, z, out);
    vlog(n, z, log_z);
    for (size_t i = 0; i < n; i++)
        out[i] -= 0.5 * log(2.0 * M_PI) + (0.5 + bessel->order) * log_z[i];
}

void bessel_log_entire(const struct bessel *bessel, size_t n, const double *z, double *out)
{
    for (size_t start = 0; start < n; start += CHUNK) {
        size_t count = n - start < CHUNK ? n - start : CHUNK, singly = 0;
        /* those up to the last small one singly, the rest together */
        for (size_t i = 0; i < count; i++)
            singly = is_small(bessel, z[start + i]) ? i + 1 : singly;
        for (size_t i = start; i < start + singly; i++)
            if (is_small(bessel, z[i]))
                out[i] = log_series(bessel, z[i]);
            else
                expand_entire(bessel, BESSEL_TERMS, 1, z + i, out + i);
        if (singly == count)
            continue;
        const double *rest = z + start + singly;
        double w = smallest_w(bessel, count - singly, rest);
        expand_entire(bessel, terms_needed(bessel, w), count - singly, rest, out + start + singly);
    }
}
