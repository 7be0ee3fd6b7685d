/* How many chains end at a data point: at a distance of at most delta from sqrt(A) x_i, A = abar_1, of some x_i. */
#ifndef SAMPLE_MEMORISED_H
#define SAMPLE_MEMORISED_H

#include "core/status.h"
#include "model/schedule.h"
#include "model/target.h"
#include "sample/chains.h"
#include "sample/estimate.h"

/* A tenth of sqrt(A) times the median distance of the points to their nearest other place, and sqrt(1 - A)(sqrt(d) +
 * 3) beside it: by early stopping alone a draw is farther than that from its point in less than one case of 10^4
 * (6.3e-5 in one dimension, less in more). Of more than 256 points, 256 evenly spread over the file stand for all in
 * the median. A bandwidth is no part of it: it is the points that are looked for, and draws of a kernel estimate are
 * at one only by chance. */
double memorised_distance(const struct factor *data, const struct level *level);

/* The share of chains; its standard error is that of (k + 1)/(n + 2), of k chains of n, so that it is not 0 where all
 * are alike. Args: y, in the target's own space; threads > 0. Errors: STATUS_MEMORY. */
MUST_USE enum status memorised_share(const struct factor *data, const struct level *level, double distance,
                                     const struct points *y, int threads, struct estimate *out, struct error *error);

#endif
