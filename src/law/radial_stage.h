/* A stage of the radial engine over a whole grid: lays out or moves the panels, fills them through the stage, and in
 * a checked step measures what that does wrong and chooses the quadrature rule. */
#ifndef LAW_RADIAL_STAGE_H
#define LAW_RADIAL_STAGE_H

#include <stddef.h>

#include "core/status.h"
#include "law/radial_panels.h"
#include "law/radial_transfer.h"

/* E_p|e| of an error e of r, and E_p e^2/r: what a Markov operator on densities does not increase. */
struct radial_norms {
    double l1, l2_squared;
};

enum { RADIAL_TEST_POINTS = 4 /* a panel, in a checked step */ };

/* What checks see of a polynomial of the first degrees that the nodes miss is up to this factor less than its mean.
 */
#define RADIAL_SEEN 1.5

/* Where checks look at a panel: away from its nodes. */
void radial_test_points(const struct panel *panel, double *rho);

/* Adds the panel's part: r and its relative error at the test points, and the log of the density there. */
void radial_norms_add(struct radial_norms *norms, const struct panel *panel, const double *log_density,
                      const double *log_ratio, const double *log_error);

/* What a checked step does wrong: as steps were made up to now, as it was made itself, and as they will be made. */
enum { AS_BEFORE, AS_MADE, FROM_NOW_ON, WAYS };
struct step_error {
    double l1[WAYS], l2[WAYS];
};

struct stage_demand {
    double resolution;
    int checked;
    double relative; /* L1(p) error that the rules may make, as a part of E_p|r - 1| */
    double rounding; /* what rounding makes in any case */
};

/* log r on `to` from log r on transfer->grid: panels of *grid and their coefficients, by the quadrature rule *rung of
 * the ladder. A checked stage lays the panels out anew, raises *rung until the rule's error is down at rounding, or
 * lowers it for the next steps; one between checks moves the panels along, and adds nothing to *wrong. Errors: those
 * of radial_transfer_apply and radial_panels_lay_out; STATUS_NUMERIC where r is not finite. */
MUST_USE enum status radial_stage_make(const struct radial_transfer *transfer, const struct radial_basis *basis,
                                       struct radial_work *work, const struct stage_demand *demand, size_t *rung,
                                       struct panels *grid, struct step_error *wrong, struct error *error);

#endif
