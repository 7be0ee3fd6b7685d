/* Numbers from samples, each with its standard error. */
#ifndef SAMPLE_ESTIMATE_H
#define SAMPLE_ESTIMATE_H

#include <stddef.h>

/* `error` is one standard error; 0 only if the value is exact. */
struct estimate {
    double value, error;
};

/* The mean of n independent numbers, n >= 2, with its standard error. */
struct estimate estimate_mean(size_t n, const double *x);

/* The same for numbers with a long tail on one side, of which the sample has few: the error is widened by their
 * skewness, which restores most of the coverage that it costs; no change where n is large. */
struct estimate estimate_skewed_mean(size_t n, const double *x);
/* The same for the few results of equal batches: the error is widened so that value +- 1.96 error holds the
 * expectation with probability 0.95 although the spread of so few numbers is hardly known (Student's t). */
struct estimate estimate_batches(size_t n, const double *x);

/* scale sqrt(x) of an x >= 0, for upper bounds. An estimate of x below 0 counts as 0. The error is the rise of the
 * root over one standard error of x: the root is concave, so for every z >= 1 the result's value + z error is at
 * least scale sqrt(x + z error of x), finite where x is 0, and equal to the delta method where x is many errors. */
struct estimate estimate_root(struct estimate x, double scale);

/* The mean of two estimates correlated in an unknown way: the error is the mean of both, the largest that any
 * correlation gives. */
struct estimate estimate_pair(struct estimate a, struct estimate b);

#endif
