/* The mean of densities over what a step draws (sampler.draws), from their logarithms, which differ by little:
 * log sum_k w_k r_k = log r_0 + log(1 + sum_k w_k (r_k/r_0 - 1)). */
#ifndef LAW_DRAWS_H
#define LAW_DRAWS_H

#include <math.h>
#include <stddef.h>

/* Adds the part of a draw k > 0: excess starts from zeros. */
static inline void draws_add(size_t n, double weight, const double *log_first, const double *log_other,
                             double *excess)
{
    for (size_t j = 0; j < n; j++)
        excess[j] += weight * expm1(log_other[j] - log_first[j]);
}

/* Makes the first draw's logarithms those of the mean. */
static inline void draws_finish(size_t n, const double *excess, double *log_first)
{
    for (size_t j = 0; j < n; j++)
        log_first[j] += log1p(excess[j]);
}

#endif
