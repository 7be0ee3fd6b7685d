/* Local errors of a stage in the plane, at points off the grid and against higher orders or a denser lattice; and the
 * quadrature orders, which the same checks choose. */
#ifndef LAW_PLANE_CHECK_H
#define LAW_PLANE_CHECK_H

#include "core/status.h"
#include "law/patches_fill.h"
#include "law/plane/tuning.h"
#include "law/propagate.h"

/* Checks every patch of a filled grid, raises orders that are too low and sets *local. *quadrature is the L1(p)
 * error of the lattice. Errors: STATUS_NUMERIC where the law is not finite. */
MUST_USE enum status plane_check(const struct plane_source *source, struct patches *grid, struct step_error *local,
                                 double *quadrature, struct error *error);

#endif
