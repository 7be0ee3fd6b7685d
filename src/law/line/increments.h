/* Where the noise is small, the steps between two checks without quadrature. What a step with variance beta = 1 -
 * alpha adds to log r, on panels that move along with the components, vanishes with beta and is smooth in it: it is
 * taken from the polynomial through 0 and what the last checked steps added. The next check measures the error. */
#ifndef LAW_LINE_INCREMENTS_H
#define LAW_LINE_INCREMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "law/panels.h"
#include "model/mixture_level.h"

enum { INCREMENTS = 2 };

/* Zero-initialised: none are known. */
struct line_increments {
    size_t known;                    /* so many of the last checked steps */
    double beta[INCREMENTS];         /* of the last one first, ascending */
    struct panels added[INCREMENTS]; /* by these, as polynomials on the panels of the last one's result */
    struct panels moved;
};
void line_increments_free(struct line_increments *increments);

/* Whether there are enough of them. */
bool line_increments_can(const struct line_increments *increments);

/* A checked step has made `result`, polynomials at the level of the mixture, of `before`, the same law's moved there.
 */
MUST_USE enum status line_increments_take(struct line_increments *increments, const struct chebyshev *chebyshev,
                                          const struct mixture_level *mixture, double beta,
                                          const struct panels *before, const struct panels *result,
                                          struct error *error);

/* Adds what polynomials are multiplied by for a step of this variance. */
void line_increments_weigh(const struct line_increments *increments, double beta, double weight[INCREMENTS]);

/* Adds them to log r, on panels that have moved along from the last result. */
void line_increments_add(const struct line_increments *increments, const double weight[INCREMENTS],
                         struct panels *panels);

/* What a step adds, on panels at the level of the mixture. */
MUST_USE enum status line_increments_of(struct line_increments *increments, const struct mixture_level *mixture,
                                        double beta, const struct panels **out, struct error *error);

#endif
