/* What a stage in the plane does wrong, at points off the grid and against finer rules or a finer lattice; and the
 * rungs of the rules, which the same checks choose. */
#ifndef LAW_PLANE_CHECK_H
#define LAW_PLANE_CHECK_H

#include "core/status.h"
#include "law/plane_fill.h"

/* What rounding makes of a stage in any case, in L1(p). */
#define PLANE_ROUNDING 3e-16

/* E_p|e| of an error e of r, and E_p e^2/r: what a Markov operator on densities does not increase. */
struct norms {
    double l1, l2_squared;
};

/* What a checked step does wrong: as steps were made up to now, as it was made itself, and as they will be made. The
 * second norm is a root by then. */
enum { AS_BEFORE, AS_MADE, FROM_NOW_ON, WAYS };
struct step_error {
    struct norms way[WAYS];
};

/* Checks every patch of a filled grid, raises rules that are too coarse and adds to *wrong. *quadrature is the L1(p)
 * error of the lattice. Errors: STATUS_NUMERIC where the law is not finite. */
MUST_USE enum status plane_check(const struct plane_source *source, struct patches *grid, struct step_error *wrong,
                                 double *quadrature, struct error *error);

#endif
