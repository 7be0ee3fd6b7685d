/* Elementary functions of one number without branches, so that loops that call them become vector code; vmath.h has
 * them over arrays, with domains and errors. Additions, multiplications and divisions in a fixed order and no fused
 * multiply-add: every instruction set gives the same bits. Polynomials are minimax, by Remez's algorithm in 50
 * digits, and summed in pairs of terms, which wait less for one another (Estrin's scheme). */
#ifndef CORE_ELEMENTARY_H
#define CORE_ELEMENTARY_H

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

/* The smaller and the larger of two numbers, `a` where b is NaN: fmin and fmax without a call. */
static inline double lesser(double a, double b)
{
    return b < a ? b : a;
}

static inline double greater(double a, double b)
{
    return b > a ? b : a;
}

/* exp(r) - 1 for |r| <= log(2)/2, to 3.3e-17 of the result before rounding. */
static inline double expm1_reduced(double r)
{
    double z = r * r, w = z * z;
    double first = 0x1.5555555555559p-3 * r + 0.5;
    double second = 0x1.111111110f3f6p-7 * r + 0x1.5555555553d22p-5;
    double third = 0x1.a01a01b1b3cb6p-13 * r + 0x1.6c16c1795bed7p-10;
    double fourth = 0x1.71ddf2a87e403p-19 * r + 0x1.a019b58c236c4p-16;
    double fifth = 0x1.af69dc2f809c8p-26 * r + 0x1.289588727d3d0p-22;
    double low = second * z + first, high = fourth * z + third;
    return ((fifth * w + high) * w + low) * z + r;
}

/* -708 and 709. Compilers that see the numbers make branches or selections of what they make minima and maxima of
 * where they do not. */
extern const double exp_least, exp_most;

/* x = k log 2 + r; *scale = 2^k */
static inline double exp_reduce(double x, double *scale)
{
    double raised = x < exp_least ? exp_least : x, clamped = raised > exp_most ? exp_most : raised;
    double shifted = clamped * LOG2_E + ROUNDER, k = shifted - ROUNDER;
    *scale = from_bits((to_bits(shifted) << 52) + 0x3ff0000000000000u);
    return (clamped - k * LN2_HI) - k * LN2_LO;
}

static inline double exp_of(double x)
{
    double scale, r = exp_reduce(x, &scale);
    return (expm1_reduced(r) + 1.0) * scale;
}

static inline double expm1_of(double x)
{
    double scale, r = exp_reduce(x, &scale);
    return expm1_reduced(r) * scale + (scale - 1.0);
}

/* 2 atanh(s) = s (2 + this), z = s^2 <= (3 - sqrt(8))^2: log(y/x) where s = (y - x)/(y + x), y/x in [sqrt(1/2),
 * sqrt(2)). */
static inline double atanh_series(double z)
{
    double w = z * z;
    double first = 0x1.99999999951bfp-2 * z + 0x1.5555555555558p-1;
    double second = 0x1.c71c62c21809fp-3 * z + 0x1.2492492e0f030p-2;
    double third = 0x1.39fd33f7c7c28p-3 * z + 0x1.7462be2caad05p-3;
    double high = 0x1.2b662bd638363p-3 * w + third;
    return ((high * w + second) * w + first) * z;
}

/* log(1 + f) = 2 atanh(s), s = f/(2 + f), for 1 + f in [sqrt(1/2), sqrt(2)): f minus this, because 2 s = f - s f. */
static inline double log1p_correction(double f)
{
    double s = f / (2.0 + f);
    return s * (f - atanh_series(s * s));
}

/* log x = k log 2 + log m, m in [sqrt(1/2), sqrt(2)). */
static inline double log_of(double x)
{
    uint64_t bits = to_bits(x), shifted = bits - 0x3fe6a09e667f3bcdu; /* the bits of sqrt(1/2) */
    uint64_t exponent = ((shifted >> 52) + 1023u) & 0x7ff;
    double k = from_bits(0x4330000000000000u + exponent) - (0x1p52 + 1023.0);
    double f = from_bits(bits - ((exponent - 1023u) << 52)) - 1.0;
    return k * LN2_HI + (f - (log1p_correction(f) - k * LN2_LO));
}

#endif
