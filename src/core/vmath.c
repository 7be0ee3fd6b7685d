#include "core/vmath.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define LN2_HI 0x1.62e42fefa0000p-1 /* 13 trailing zero bits: k LN2_HI is exact for |k| < 2^11 */
#define LN2_LO 0x1.cf79abc9e3b39p-40
#define LOG2_E 0x1.71547652b82fep+0
#define ROUNDER 0x1.8p52 /* adding it leaves the nearest integer in the low bits */

static inline double from_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint64_t to_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* exp(r) - 1 for |r| <= log(2)/2 by Taylor; the first term left out is 4e-18 of the result. */
static inline double expm1_reduced(double r)
{
    double p = 1.0 / 6227020800.0;
    p = p * r + 1.0 / 479001600.0;
    p = p * r + 1.0 / 39916800.0;
    p = p * r + 1.0 / 3628800.0;
    p = p * r + 1.0 / 362880.0;
    p = p * r + 1.0 / 40320.0;
    p = p * r + 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    return p * (r * r) + r;
}

/* x = k log 2 + r; *scale = 2^k */
static inline double reduce(double x, double *scale)
{
    double shifted = x * LOG2_E + ROUNDER;
    double k = shifted - ROUNDER;
    *scale = from_bits((to_bits(shifted) << 52) + 0x3ff0000000000000u);
    return (x - k * LN2_HI) - k * LN2_LO;
}

VECTOR_CLONES void vexp(size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++) {
        double clamped = x[i] < -708.0 ? -708.0 : x[i] > 709.0 ? 709.0 : x[i];
        double scale, r = reduce(clamped, &scale);
        out[i] = (expm1_reduced(r) + 1.0) * scale;
    }
}

VECTOR_CLONES void vexpm1(size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++) {
        double clamped = x[i] < -708.0 ? -708.0 : x[i] > 709.0 ? 709.0 : x[i];
        double scale, r = reduce(clamped, &scale);
        out[i] = expm1_reduced(r) * scale + (scale - 1.0);
    }
}

/* log(1 + f) = 2 atanh(s), s = f/(2 + f), for 1 + f in [sqrt(1/2), sqrt(2)): f minus a correction, because 2 s = f -
 * s f. */
static inline double log1p_correction(double f)
{
    double s = f / (2.0 + f), z = s * s;
    double p = 2.0 / 23.0;
    p = p * z + 2.0 / 21.0;
    p = p * z + 2.0 / 19.0;
    p = p * z + 2.0 / 17.0;
    p = p * z + 2.0 / 15.0;
    p = p * z + 2.0 / 13.0;
    p = p * z + 2.0 / 11.0;
    p = p * z + 2.0 / 9.0;
    p = p * z + 2.0 / 7.0;
    p = p * z + 2.0 / 5.0;
    p = p * z + 2.0 / 3.0;
    return s * (f - p * z);
}

/* log x = k log 2 + log m, m in [sqrt(1/2), sqrt(2)). */
VECTOR_CLONES void vlog(size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t bits = to_bits(x[i]);
        uint64_t shifted = bits - 0x3fe6a09e667f3bcdu; /* the bits of sqrt(1/2) */
        uint64_t exponent = ((shifted >> 52) + 1023u) & 0x7ff;
        double k = from_bits(0x4330000000000000u + exponent) - (0x1p52 + 1023.0);
        double f = from_bits(bits - ((exponent - 1023u) << 52)) - 1.0;
        out[i] = k * LN2_HI + (f - (log1p_correction(f) - k * LN2_LO));
    }
}

VECTOR_CLONES static int log1p_near(size_t n, const double *x, double *out)
{
    double largest = 0.0;
    for (size_t i = 0; i < n; i++) {
        double size = fabs(x[i]);
        largest = size > largest ? size : largest;
        out[i] = x[i] - log1p_correction(x[i]);
    }
    return largest < 0.29;
}

void vlog1p(size_t n, const double *x, double *out)
{
    if (!log1p_near(n, x, out))
        for (size_t i = 0; i < n; i++)
            out[i] = log1p(x[i]);
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
