/* Where the noise is small, the steps between two checks without quadrature. What a step with variance beta = 1 -
 * alpha adds to log r, on panels that move along with the components, vanishes with beta and is smooth in it: it is
 * taken from the parabola through 0 and what the last two checked steps added. The next check measures the error. */
#ifndef LAW_LINE_INCREMENTS_H
#define LAW_LINE_INCREMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "law/panels.h"
#include "model/mixture_level.h"

/* Zero-initialised: none are known. */
struct line_increments {
    size_t known;                /* checked steps, 2 at most */
    struct panels last, earlier; /* of these, as polynomials on the panels of the last one's result */
    double last_beta, earlier_beta;
    struct panels moved, resampled; /* workspace */
};
void line_increments_free(struct line_increments *increments);

/* false where the parabola is not known, or the two steps are too alike. */
bool line_increments_can(const struct line_increments *increments);

/* A checked step has made `result`, polynomials at the level of the mixture, of `before`, the same law's moved there.
 */
MUST_USE enum status line_increments_take(struct line_increments *increments, const struct chebyshev *chebyshev,
                                          const struct mixture_level *mixture, double beta,
                                          const struct panels *before, const struct panels *result,
                                          struct error *error);

/* Panels at the level of the mixture with what a step adds. */
MUST_USE enum status line_increments_of(struct line_increments *increments, const struct mixture_level *mixture,
                                        double beta, const struct panels **out, struct error *error);

/* Adds to log r, on panels that have moved along from the last result, what steps add of which `sum` and `squares`
 * are the sums of beta and of its square. */
void line_increments_add(const struct line_increments *increments, double sum, double squares, struct panels *panels);

#endif
