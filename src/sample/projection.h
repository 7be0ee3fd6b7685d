/* Projection TV: a lower bound on TV(q, p) from chains, by the laws of <u, Y> and <u, X> (theory §7). */
#ifndef SAMPLE_PROJECTION_H
#define SAMPLE_PROJECTION_H

#include <stddef.h>

#include "core/status.h"
#include "sample/estimate.h"
#include "sample/projected.h"

enum { PROJECTION_LEAST_CHAINS = 64 };

struct projection {
    /* E[tv.value] <= TV(q, p), for any number of directions and bins; may be below 0. tv.error is that of the value
     * given what was chosen, and TV >= value - z error with at least the normal probability. About its own
     * expectation the value varies more where the choice of a direction is not clear: value +- 1.96 error holds it
     * with probability 0.91 to 0.99 (measured with 2000 chains and 7 directions). */
    struct estimate tv;
    size_t direction; /* the one that served; where the halves differ, that of the larger value */
    size_t bins;
};

/* y: n independent chains, coordinate after coordinate: y[i * n + j] is coordinate i < d of chain j.
 * unit: m directions of d numbers each; law[k]: the exact law of <direction k, X>.
 * Errors: STATUS_INVALID (fewer than PROJECTION_LEAST_CHAINS chains, no direction), STATUS_NUMERIC (a chain that is
 * not finite), STATUS_MEMORY. */
MUST_USE enum status projection_tv(size_t n, size_t d, const double *y, size_t m, const double *unit,
                                   const struct projected *law, struct projection *out, struct error *error);

#endif
