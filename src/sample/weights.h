/* What the weights of forward paths say about q against p (theory (18)). A forward path from X_1 ~ p has a weight W
 * with E[W | X_1] = r(X_1), r = q/p; here two independent ones, W and W', from each X_1. */
#ifndef SAMPLE_WEIGHTS_H
#define SAMPLE_WEIGHTS_H

#include <stddef.h>

#include "core/status.h"
#include "sample/estimate.h"

enum { WEIGHTS_LEAST_PAIRS = 512 };

/* The least effective sample size, a fraction, that is accepted: below it, the sample of W does not say
 * how far the mean may be off. By simulation with log-normal weights and densities N(m, 1) against N(0, 1), 500 to
 * 10^4 pairs: above the floors, value +- 1.96 error holds the truth with probability 0.92 to 0.95 (0.88 for chi2 of
 * 500 pairs; 0.97 to 0.99 for tv_lower's own expectation). Products of weights have the longer tail. */
#define WEIGHTS_FLOOR 0.1
#define WEIGHTS_FLOOR_OF_CHI2 0.4

/* What is refused is NaN. */
struct weights {
    double ess;               /* (sum W)^2 / (m sum W^2) over all weights: in (0, 1] */
    int accepted;             /* ess >= WEIGHTS_FLOOR: there are mass and tv_lower */
    int chi2_accepted;        /* ess >= WEIGHTS_FLOOR_OF_CHI2: there are chi2 and tv_upper */
    struct estimate mass;     /* mean W, which is 1 in expectation: a check of the weights */
    struct estimate chi2;     /* chi2(q || p), unbiased */
    struct estimate tv_upper; /* sqrt(chi2)/2 >= TV; TV <= value + z error with the normal probability, z >= 1 */
    /* E[value] <= TV: q(A) - p(A) for a set A of one statistic's values; may be below 0. The error is conservative.
     */
    struct estimate tv_lower;
    size_t statistic;        /* the one that served in tv_lower; 0 if there is none */
    struct estimate path_kl; /* E[-log W] >= KL(p || q): an upper bound, for any ess */
    struct estimate pinsker; /* sqrt(path_kl/2) >= TV, as tv_upper */
};

/* log_w, log_w_other: of m pairs of paths. statistic: S functions of X_1, statistic[k * m + j] for pair j; S = 0
 * leaves tv_lower at 0 with error 0. Pairs are independent of each other.
 * Errors: STATUS_INVALID (m < WEIGHTS_LEAST_PAIRS), STATUS_NUMERIC (a number that is not finite), STATUS_MEMORY. */
MUST_USE enum status weights_measure(size_t m, const double *log_w, const double *log_w_other, size_t statistics,
                                     const double *statistic, struct weights *out, struct error *error);

#endif
