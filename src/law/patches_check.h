/* Local errors of a stage on patches, at points off the grid and against higher orders or a moved lattice; and the
 * quadrature orders, which the same checks choose. */
#ifndef LAW_PATCHES_CHECK_H
#define LAW_PATCHES_CHECK_H

#include "core/status.h"
#include "law/patches_fill.h"
#include "law/propagate.h"

/* What a check finds. */
struct patches_found {
    struct step_error error;
    double lattice;         /* the L1(p) error of the lattice */
    struct norms unchanged; /* what leaving the polynomials as they were before the stage would be wrong by */
};

/* Checks every patch of a filled grid, raises orders that are too low and sets *out. Errors: STATUS_NUMERIC where the
 * law is not finite. */
MUST_USE enum status patches_check(const struct patch_source *source, struct patches *grid, struct patches_found *out,
                                   struct error *error);

#endif
