/* KL(q || p) from neighbours: an estimate, not a bound (theory §7). KL = E_q log q - E_q log p; the first by
 * Kozachenko and Leonenko's distance to the k-th neighbour, the second exactly. The same is done with an exact sample
 * of p, whose KL is 0, and subtracted. Alone, the estimate of N(0, I) against itself is off by 0.02, 0.06, 0.02,
 * -0.48 at 100 points a batch and by less than 0.01, 0.01, 0.08, -0.08 at 2000, in d = 1, 2, 5, 10. After subtraction
 * (measured with n = 3200 and 65536):
 * - q = p: none measured, |bias| < 2e-3;
 * - q and p that differ by the place and scale of coordinates, KL up to 0.3: none measured, < 3e-3 (0.005 in d = 5);
 * - shapes that differ, one of d bimodal coordinates replaced by a Gaussian, KL = 0.248: -0.007 in d = 2, then +0.16
 * and +0.20 in d = 5 and 10 with 100 points a batch, and -0.003 and +0.14 with 2000, where they are too few for 2^d
 * modes;
 * - chains of few steps on mixtures of 2 and 3 modes a coordinate, d = 1 to 10, batches of 64 to 1024: at most 0.31
 * of what was subtracted, wherever that was more than noise. The error therefore holds a third of what was
 * subtracted: where neighbours are not local it says so. */
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
    KNN_MOST_DIMENSION = 10,
    KNN_BIAS_SHARED = 3 /* the bias left is at most the subtracted one over this */
};

/* y, x: n points ~ q and n ~ p, independent, coordinate after coordinate: y[i * n + j] is coordinate i < d of point
 * j; log_p_y, log_p_x: log p at each, up to one constant.
 * Errors: STATUS_INVALID (n < KNN_BATCHES KNN_LEAST_BATCH, d > KNN_MOST_DIMENSION), STATUS_NUMERIC (points that
 * coincide, as at atoms, where there is no density; values that are not finite), STATUS_MEMORY. */
MUST_USE enum status knn_kl(size_t n, size_t d, const double *y, const double *log_p_y, const double *x,
                            const double *log_p_x, struct estimate *out, struct error *error);

#endif
