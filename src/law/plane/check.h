/* What a stage in the plane does wrong, at points off the grid and against finer rules or a finer lattice; and the
 * rungs of the rules, which the same checks choose. */
#ifndef LAW_PLANE_CHECK_H
#define LAW_PLANE_CHECK_H

#include "core/status.h"
#include "law/plane/fill.h"
#include "law/propagate.h"

/* What rounding makes of a stage in any case, in L1(p). */
#define PLANE_ROUNDING 3e-16

/* Checks every patch of a filled grid, raises rules that are too coarse and sets *local. *quadrature is the L1(p)
 * error of the lattice. Errors: STATUS_NUMERIC where the law is not finite. */
MUST_USE enum status plane_check(const struct plane_source *source, struct patches *grid, struct step_error *local,
                                 double *quadrature, struct error *error);

#endif
