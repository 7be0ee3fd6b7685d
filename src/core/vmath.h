/* Elementary functions over arrays, written so that the compiler vectorises them. They use only additions,
 * multiplications and divisions in a fixed order and no fused multiply-add, so every instruction set gives the same
 * bits. Measured against libm over the stated domain (test_vmath.c): relative error below 3e-16. */
#ifndef CORE_VMATH_H
#define CORE_VMATH_H

#include <stddef.h>

/* One binary with code for several x86 levels, chosen when the program starts. Sanitizers do not survive the
 * resolver. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) \
    && !defined(__SANITIZE_THREAD__)
#define VECTOR_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VECTOR_CLONES
#endif

/* x[i] becomes factor x[i]. */
void vscale(size_t n, double factor, double *x);

/* The least and the largest of n > 0 numbers. */
struct extremes {
    double least, most;
};
struct extremes vextremes(size_t n, const double *x);

/* out[i] = exp(x[i]); x is clamped to [-708, 709], so the result is a positive normal number. */
void vexp(size_t n, const double *x, double *out);

/* Of rows of n numbers, the first `stride` apart: x[k][i] becomes exp(x[k][i] - largest[i]), and total[i] the sum of
 * these over k. */
void vexp_rows(size_t rows, size_t stride, size_t n, const double *largest, double *x, double *total);

/* out[i] = exp(x[i]) - 1, accurate also for tiny x; x is clamped to [-708, 709]. */
void vexpm1(size_t n, const double *x, double *out);

/* out[i] = log(x[i]); x a positive normal finite number. */
void vlog(size_t n, const double *x, double *out);

/* out[i] = log(1 + x[i]), accurate also for tiny x; x > -1. */
void vlog1p(size_t n, const double *x, double *out);

/* sine[i] = sin(2 pi x[i]), cosine[i] = cos(2 pi x[i]); x in [0, 1], either output may be x. Absolute error below
 * 1.6e-16. */
void vsincos_turns(size_t n, const double *x, double *sine, double *cosine);

#endif
