#include "core/vmath.h"

#include <math.h>
#include <stdbool.h>

#include "core/elementary.h"

#define LOG1P_NEAR 0.29 /* within the domain of log1p_correction */

VECTOR_CLONES void vscale(size_t n, double factor, double *x)
{
    for (size_t i = 0; i < n; i++)
        x[i] *= factor;
}

/* In interleaved parts, which the compiler makes vectors of. */
VECTOR_CLONES struct extremes vextremes(size_t n, const double *x)
{
    enum { LANES = 8 };
    double least[LANES], most[LANES];
    size_t i = LANES;
    for (size_t l = 0; l < LANES; l++)
        least[l] = most[l] = x[l < n ? l : 0];
    for (; i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++) {
            least[l] = x[i + l] < least[l] ? x[i + l] : least[l];
            most[l] = x[i + l] > most[l] ? x[i + l] : most[l];
        }
    for (; i < n; i++) {
        least[0] = x[i] < least[0] ? x[i] : least[0];
        most[0] = x[i] > most[0] ? x[i] : most[0];
    }
    for (size_t l = 1; l < LANES; l++) {
        least[0] = least[l] < least[0] ? least[l] : least[0];
        most[0] = most[l] > most[0] ? most[l] : most[0];
    }
    return (struct extremes){least[0], most[0]};
}

VECTOR_CLONES void vexp(size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = exp_of(x[i]);
}

VECTOR_CLONES void vexp_rows(size_t rows, size_t stride, size_t n, const double *largest, double *x, double *total)
{
    for (size_t k = 0; k < rows; k++) {
        double *row = x + k * stride;
        for (size_t i = 0; i < n; i++)
            row[i] -= largest[i];
        vexp(n, row, row);
        for (size_t i = 0; i < n; i++)
            total[i] = k > 0 ? total[i] + row[i] : row[i];
    }
}

VECTOR_CLONES void vexpm1(size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = expm1_of(x[i]);
}

VECTOR_CLONES void vlog(size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = log_of(x[i]);
}

VECTOR_CLONES static bool all_near(size_t n, const double *x)
{
    uint64_t far = 0;
    for (size_t i = 0; i < n; i++)
        far += fabs(x[i]) < LOG1P_NEAR ? 0u : 1u;
    return far == 0;
}

VECTOR_CLONES static void log1p_near(size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = x[i] - log1p_correction(x[i]);
}

/* Farther from 0 log(1 + x) = log y + log(1 + (x - (y - 1))/y), y the rounded 1 + x. */
VECTOR_CLONES static void log1p_anywhere(size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++) {
        double y = 1.0 + x[i], far = log_of(y) + (x[i] - (y - 1.0)) / y, near = x[i] - log1p_correction(x[i]);
        out[i] = fabs(x[i]) < LOG1P_NEAR ? near : far;
    }
}

void vlog1p(size_t n, const double *x, double *out)
{
    (all_near(n, x) ? log1p_near : log1p_anywhere)(n, x, out);
}

/* sin(2 pi r) for |r| <= 1/8 by Taylor, z = r^2; the first term left out is 1e-19 of the result. Even and odd powers
 * of z are summed side by side, which halves the wait. The linear term is split into 8 r, which is exact, and the
 * rest, so that the rounding of the series counts less. */
static inline double sine_reduced(double r, double z)
{
    double w = z * z, even = 0.104229162208139842, odd = -0.718122301778500512;
    even = even * w + 3.81995258484828213;
    odd = odd * w - 15.0946425768229904;
    even = even * w + 42.0586939448976531;
    odd = odd * w - 76.7058597530613858;
    even = even * w + 81.6052492760750542;
    odd = odd * w - 41.3417022403997602;
    even = even * w - 1.71681469282041352;
    return 8.0 * r + (even + odd * z) * r;
}

/* cos(2 pi r) for |r| <= 1/8, likewise, with 16 z split off; the first term left out is 2e-18. */
static inline double cosine_reduced(double z)
{
    double w = z * z, even = 0.282005968455791215, odd = -1.71439071108867207;
    even = even * w + 7.9035363713184688;
    odd = odd * w - 26.4262567833743975;
    even = even * w + 60.2446413718766604;
    odd = odd * w - 85.4568172066937277;
    even = even * w + 64.9393940226682915;
    odd = odd * w - 3.7392088021787172;
    return 1.0 - (16.0 * z - (even * w + odd * z));
}

/* x = quarter/4 + r, r exact; an odd number of quarter turns swaps the two, and two bits of it are the signs. */
VECTOR_CLONES void vsincos_turns(size_t n, const double *x, double *sine, double *cosine)
{
    for (size_t i = 0; i < n; i++) {
        double shifted = 4.0 * x[i] + ROUNDER;
        double r = x[i] - 0.25 * (shifted - ROUNDER), z = r * r;
        uint64_t quarter = to_bits(shifted), s = to_bits(sine_reduced(r, z)), c = to_bits(cosine_reduced(z));
        uint64_t swapped = (s ^ c) & (0 - (quarter & 1));
        sine[i] = from_bits(s ^ swapped ^ (quarter & 2) << 62);
        cosine[i] = from_bits(c ^ swapped ^ ((quarter + 1) & 2) << 62);
    }
}
