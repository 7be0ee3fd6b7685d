/* Local errors of a stage on patches, at points off the grid and against higher orders or a denser lattice; and the
 * quadrature orders, which the same checks choose. */
#ifndef LAW_PATCHES_CHECK_H
#define LAW_PATCHES_CHECK_H

#include "core/status.h"
#include "law/patches_fill.h"
#include "law/propagate.h"

/* Checks every patch of a filled grid, raises orders that are too low and sets *local. *quadrature is the L1(p)
 * error of the lattice. Errors: STATUS_NUMERIC where the law is not finite. */
MUST_USE enum status patches_check(const struct patch_source *source, struct patches *grid, struct step_error *local,
                                   double *quadrature, struct error *error);

#endif
