#include "law/bessel.h"

#include <gsl/gsl_sf_gamma.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/elementary.h"
#include "core/vmath.h"
#include "law/panels.h"
#include "law/tuning.h"

enum { CHUNK = 64 };
#define ATANH_NEAR 0.17         /* within the domain of atanh_series */
#define BESSEL_PANELS_END 255.0 /* of the last panel */

/* u_{k+1}(p) = p^2 (1 - p^2) u_k'(p)/2 + integral_0^p (1 - 5 t^2) u_k(t) dt/8. */
static void set_expansion(double order, struct bessel *out)
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
 * log1p(x + x^2/(1 + sqrt(1 + x^2))). The last two logarithms are taken as one, of ((1 + s)^4/(1 + x^2))^(1/4): */
struct parts {
    double linear[CHUNK], first[CHUNK], second[CHUNK]; /* w - z, and the arguments of log1p, times -nu and 1/4 */
};

/* Some numbers at a time that stay in registers. */
enum { LANES = 8, BLOCK = 4 };
typedef double lanes __attribute__((vector_size(LANES * sizeof(double)), aligned(sizeof(double)), may_alias));
_Static_assert(CHUNK % (LANES * BLOCK) == 0, "whole blocks");

/* sum_k u_k(p)/nu^k, from p^2 and 1/w at n points; sets what lies beyond them. */
static inline void add_series(const struct bessel *bessel, int terms, size_t n, double *p2, double *inverse,
                              double *s)
{
    size_t blocks = (n + LANES * BLOCK - 1) / (LANES * BLOCK);
    for (size_t i = n; i < blocks * LANES * BLOCK; i++)
        p2[i] = inverse[i] = 0.0;
    for (size_t b = 0; b < blocks; b++) {
        const lanes *square = (const lanes *)p2 + b * BLOCK, *power = (const lanes *)inverse + b * BLOCK;
        lanes sum[BLOCK] = {{0.0}}, value[BLOCK];
        for (int k = terms; k >= 1; k--) {
            for (int i = 0; i < BLOCK; i++)
                value[i] = (lanes){0.0} + bessel->coefficient[k][k];
            for (int j = k - 1; j >= 0; j--)
                for (int i = 0; i < BLOCK; i++)
                    value[i] = value[i] * square[i] + bessel->coefficient[k][j];
            for (int i = 0; i < BLOCK; i++)
                sum[i] = (sum[i] + value[i]) * power[i];
        }
        for (int i = 0; i < BLOCK; i++)
            ((lanes *)s)[b * BLOCK + (size_t)i] = sum[i];
    }
}

VECTOR_CLONES static void expand_parts(const struct bessel *bessel, int terms, size_t n, const double *z,
                                       struct parts *out)
{
    double nu = bessel->order, p2[CHUNK], inverse[CHUNK], s[CHUNK];
    for (size_t i = 0; i < n; i++) {
        double x = nu / z[i], square = x * x, root = sqrt(1.0 + square);
        inverse[i] = 1.0 / (z[i] * root);
        p2[i] = square / (1.0 + square);
        out->linear[i] = nu * x / (1.0 + root);
        out->first[i] = x + square / (1.0 + root);
        out->second[i] = square;
    }
    add_series(bessel, terms, n, p2, inverse, s);
    for (size_t i = 0; i < n; i++) {
        double square = out->second[i];
        out->second[i] = (s[i] * (4.0 + s[i] * (6.0 + s[i] * (4.0 + s[i]))) - square) / (1.0 + square);
    }
}

static void expand(const struct bessel *bessel, int terms, size_t n, const double *z, double *out)
{
    struct parts parts;
    double log_first[CHUNK], log_second[CHUNK];
    expand_parts(bessel, terms, n, z, &parts);
    vlog1p(n, parts.first, log_first);
    vlog1p(n, parts.second, log_second);
    for (size_t i = 0; i < n; i++)
        out[i] = parts.linear[i] + (0.25 * log_second[i] - bessel->order * log_first[i]);
}

/* (nu + 1/2) log1p(a/b) goes into the logarithms that there are. With asinh(nu/z) = log1p(x/z), x = nu + w - z, and
 * log1p(y/x) = 2 atanh(y/(2 x + y)),
 *     nu log1p(a/b) - nu log1p(x/z) = -nu log1p((b x - a z)/((a + b) z)),
 *     log1p(a/b)/2 + log((1 + s)^2 z/w)/2 = log1p(((1 + s)^2 (a + b) z - b w)/(b w))/2.
 * False, and nothing is added, where an argument of log1p is too far from 0 for the series. */
VECTOR_CLONES static bool add_expansion(const struct bessel *bessel, int terms, size_t n, const double *z,
                                        const double *a, const double *b, double *out)
{
    double nu = bessel->order, w[CHUNK], p2[CHUNK], inverse[CHUNK], both[CHUNK], s[CHUNK];
    uint64_t beyond = 0;
    for (size_t i = 0; i < n; i++) {
        w[i] = sqrt(nu * nu + z[i] * z[i]);
        both[i] = 1.0 / (w[i] * (w[i] + z[i]));
        inverse[i] = both[i] * (w[i] + z[i]);
        p2[i] = nu * inverse[i] * (nu * inverse[i]);
    }
    add_series(bessel, terms, n, p2, inverse, s);
    for (size_t i = 0; i < n; i++) {
        double linear = nu * nu * (both[i] * w[i]), sum = (a[i] + b[i]) * z[i]; /* w - z */
        double first = b[i] * (nu + linear) - a[i] * z[i];
        double second = a[i] * z[i] - b[i] * linear + s[i] * (2.0 + s[i]) * sum;
        double f = first / (2.0 * sum + first), g = second / (2.0 * (b[i] * w[i]) + second);
        double log_first = f * (2.0 + atanh_series(f * f)), log_second = g * (2.0 + atanh_series(g * g));
        beyond += fabs(f) < ATANH_NEAR && fabs(g) < ATANH_NEAR ? 0u : 1u;
        s[i] = linear + (0.5 * log_second - nu * log_first);
    }
    for (size_t i = 0; i < n && beyond == 0; i++)
        out[i] += s[i];
    return beyond == 0;
}

static bool is_small(const struct bessel *bessel, double z)
{
    return hypot(z, bessel->order) < BESSEL_UNIFORM_FROM || !(z > 0.0);
}

static double smallest_w(const struct bessel *bessel, size_t n, const double *z)
{
    double z_least = vextremes(n, z).least;
    return sqrt(z_least * z_least + bessel->order * bessel->order);
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

void bessel_add_with_power(const struct bessel *bessel, size_t n, const double *z, const double *a, const double *b,
                           double *out)
{
    for (size_t start = 0; start < n; start += CHUNK) {
        size_t count = n - start < CHUNK ? n - start : CHUNK;
        double w = smallest_w(bessel, count, z + start), scaled[CHUNK], ratio[CHUNK];
        if (w >= BESSEL_UNIFORM_FROM
            && add_expansion(bessel, terms_needed(bessel, w), count, z + start, a + start, b + start, out + start))
            continue;
        bessel_log_scaled(bessel, count, z + start, scaled);
        for (size_t i = 0; i < count; i++)
            ratio[i] = a[start + i] / b[start + i];
        vlog1p(count, ratio, ratio);
        for (size_t i = 0; i < count; i++)
            out[start + i] += scaled[i] + (bessel->order + 0.5) * ratio[i];
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

/* The panel whose octave and quarter 1 + z is in. */
static inline size_t panel_of(double z)
{
    return (size_t)(to_bits(1.0 + z) >> 50) - (1023u << 2);
}

static void set_panels(struct bessel *out)
{
    struct chebyshev chebyshev;
    chebyshev_init(&chebyshev);
    for (size_t p = 0; p < BESSEL_PANELS; p++) {
        double from = ldexp(1.0 + 0.25 * (double)(p % 4), (int)(p / 4)) - 1.0, width = ldexp(0.25, (int)(p / 4));
        double z[PANEL_NODES], value[PANEL_NODES];
        struct panel panel = {.centre = from + 0.5 * width, .half_width = 0.5 * width};
        panel_nodes(&chebyshev, &panel, z);
        for (size_t j = 0; j < PANEL_NODES; j++)
            if (is_small(out, z[j]))
                value[j] = log_series(out, z[j]);
            else
                expand_entire(out, BESSEL_TERMS, 1, &z[j], &value[j]);
        for (size_t j = 0; j < PANEL_NODES; j++)
            value[j] += (out->order + 0.5) * log1p(z[j]);
        panel_fit(&chebyshev, value, &panel);
        out->panel[p] = (struct bessel_panel){.centre = panel.centre, .inverse = 1.0 / panel.half_width};
        memcpy(out->panel[p].coefficient, panel.coefficient, sizeof panel.coefficient);
    }
}
_Static_assert((int)BESSEL_NODES == (int)PANEL_NODES, "panels of the same nodes");

void bessel_init(double order, struct bessel *out)
{
    set_expansion(order, out);
    out->low = order < BESSEL_UNIFORM_FROM;
    if (out->low)
        set_panels(out);
}

static inline double evaluate_panel(const struct bessel_panel *panel, double z)
{
    const double *c = panel->coefficient;
    double u = (z - panel->centre) * panel->inverse, square = u * u, fourth = square * square, part[4];
    for (int k = 0; k < 4; k++)
        part[k] = (c[4 * k + 3] * u + c[4 * k + 2]) * square + (c[4 * k + 1] * u + c[4 * k]);
    return (part[3] * fourth + part[2]) * (fourth * fourth) + (part[1] * fourth + part[0]);
}

/* Those on panels, or 0, by what is known there; the rest together. */
void bessel_log_entire(const struct bessel *bessel, size_t n, const double *z, double *out)
{
    double end = bessel->low ? BESSEL_PANELS_END : 0.0, value[CHUNK], argument[CHUNK], log1p_z[CHUNK];
    for (size_t start = 0; start < n; start += CHUNK) {
        size_t count = n - start < CHUNK ? n - start : CHUNK, rest = 0;
        vlog1p(count, z + start, log1p_z);
        for (size_t i = start; i < start + count; i++)
            if (z[i] < end)
                out[i] =
                    evaluate_panel(&bessel->panel[panel_of(z[i])], z[i]) - (bessel->order + 0.5) * log1p_z[i - start];
            else if (!(z[i] > 0.0))
                out[i] = log_series(bessel, 0.0);
            else
                argument[rest++] = z[i];
        if (rest == 0)
            continue;
        double w = smallest_w(bessel, rest, argument);
        expand_entire(bessel, terms_needed(bessel, w), rest, argument, value);
        for (size_t i = start, used = 0; used < rest; i++)
            if (z[i] > 0.0 && !(z[i] < end))
                out[i] = value[used++];
    }
}
