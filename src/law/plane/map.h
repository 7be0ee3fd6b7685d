/* A map without noise in the plane, between two references with known densities: log r at points of the second from
 * log r on patches of the first by the change of variables
 *     r'(m(x)) = r(x) p(x)/(p'(m(x)) det m'(x)),  m(x) = (x + D(x))/sqrt(alpha), in two dimensions.
 * m is inverted by Newton's method from x = sqrt(alpha) y; det m' = (1 + tr D' + det D')/alpha, with D' from central
 * differences of order 6, as on the line (law/monotone.h). */
#ifndef LAW_PLANE_MAP_H
#define LAW_PLANE_MAP_H

#include "law/plane/transfer.h"

/* As plane_transfer_apply, at points of one patch; the increment is differentiated over steps that are a part of
 * `length`, halved where `finer`[i] is set for coordinate i. What q has around points where the map has no inverse,
 * or one that turns the plane over, goes to work->folded; log r is there as if the map were the identity. */
void plane_map_apply(const struct plane_transfer *transfer, struct plane_work *work, double length,
                     const bool finer[2], size_t anchor, size_t nx, const double *x, size_t ny, const double *y,
                     double *log_ratio, double *log_density);

/* Looks for such points at the nodes of a patch before the map: where it takes three points to one, those of one of
 * these are found above, and nothing is amiss. */
void plane_map_find_folds(const struct plane_transfer *transfer, struct plane_work *work, double length,
                          const struct patch *patch);

/* The mass around such points in all workspaces since the last call. Errors: STATUS_NUMERIC where one of them has
 * more than is ignored. */
MUST_USE enum status plane_map_take_folded(const struct stage *stage, struct plane_thread *thread, size_t threads,
                                           double *ignored, struct error *error);

#endif
