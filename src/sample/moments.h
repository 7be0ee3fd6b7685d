/* Moments and mode weights of chains, for tests and reports. */
#ifndef SAMPLE_MOMENTS_H
#define SAMPLE_MOMENTS_H

#include <stddef.h>

#include "core/status.h"
#include "model/schedule.h"
#include "model/target.h"
#include "sample/estimate.h"

/* Mean and variance of one coordinate of n >= 4 independent chains. The variance is unbiased; its error is from the
 * fourth moment. */
void moments_of(size_t n, const double *x, struct estimate *mean, struct estimate *variance);

/* The fraction of n >= 1 chains that are nearest to sqrt(A) m_k, for every component k of a factor: out[k];
 * components with the same mean share with the first of them. y: coordinate after coordinate, y[i * stride + j] is
 * coordinate i of the factor in chain j. The nearest mean, not the posterior: weights of modes that overlap are not
 * the target's. */
MUST_USE enum status moments_modes(const struct factor *factor, const struct level *level, size_t n, size_t stride,
                                   const double *y, struct estimate *out, struct error *error);

#endif
