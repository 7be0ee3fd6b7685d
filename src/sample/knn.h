/* KL(q || p) from neighbours: an estimate, not a bound (theory §7). KL = E_q log q - E_q log p; the first by
 * Kozachenko and Leonenko's distance to the k-th neighbour, the second exactly. The same is done with an exact sample
 * of p, whose KL is 0, and subtracted: it takes the larger part of the bias away, which at 2000 points a batch goes
 * from 1e-3 (d = 1) to 0.3 (d = 10) by itself. */
#ifndef SAMPLE_KNN_H
#define SAMPLE_KNN_H

#include <stddef.h>

#include "core/status.h"
#include "sample/estimate.h"

enum {
    KNN_NEIGHBOUR = 4, /* k: more have less variance and more bias */
    KNN_BATCHES = 32,  /* at least; neighbours are sought within a batch */
    KNN_MOST_BATCH = 2048,
    KNN_LEAST_BATCH = 16,
    KNN_MOST_DIMENSION = 10
};

/* y, x: n points ~ q and n ~ p, independent, coordinate after coordinate: y[i * n + j] is coordinate i < d of point
 * j; log_p_y, log_p_x: log p at each. Coordinates are measured in standard deviations of x; KL does not change by it.
 * Errors: STATUS_INVALID (n < KNN_BATCHES KNN_LEAST_BATCH, d > KNN_MOST_DIMENSION), STATUS_NUMERIC (points that
 * coincide, as at atoms, where there is no density; values that are not finite), STATUS_MEMORY. */
MUST_USE enum status knn_kl(size_t n, size_t d, const double *y, const double *log_p_y, const double *x,
                            const double *log_p_x, struct estimate *out, struct error *error);

#endif
