/* Panels (law/panels.h) over the radius rho for a mixture of shells: component k of sum_k w_k N(0, V_k I_d) has its
 * mass at rho = sqrt(d V_k), within a few sqrt(V_k/2). Positions are absolute: doubles keep as many digits at a small
 * radius as at a large one, and no centre but 0 exists. A panel's anchor is the component that dominates in it. */
#ifndef LAW_RADIAL_PANELS_H
#define LAW_RADIAL_PANELS_H

#include <stddef.h>

#include "core/status.h"
#include "law/panels.h"
#include "model/radial_level.h"

/* A component's shell: its standard deviation, in units of sd; a little less for d = 1, 2. */
#define SHELL_WIDTH 0.7

/* Lays out panels for the present level over all but 1e-20 of each component and the smaller gaps between;
 * `resolution` 1 is the default, 2 halves their length; at the shell of N(0, narrow^2 I), where q is, they are no
 * longer than for a component there, unless p's own are at most PANEL_NARROW times as long (0: no such shell). Reuses
 * the storage of *panels (start from {0}; free with panels_free). Coefficients are left unset. Errors: STATUS_MEMORY.
 */
MUST_USE enum status radial_panels_lay_out(const struct radial_level *radial, double resolution, double narrow,
                                           struct panels *panels, struct error *error);

/* Makes *out the same panels at the present level, their ends moved with the shells they were laid out by. Nonzero if
 * they still lie in order. */
MUST_USE enum status radial_panels_move(const struct panels *panels, const struct radial_level *radial,
                                        struct panels *out, int *in_order, struct error *error);

/* How a panel learns its function: by Chebyshev nodes with both ends, but where it starts at the origin by the right
 * half of those of a panel twice as long around it, for an even polynomial. A function of |x|^2 is even, and the
 * noise amplifies what is odd in an interpolant by (d-1)/rho. */
struct radial_basis {
    struct chebyshev chebyshev;
    double even[PANEL_NODES][PANEL_NODES / 2]; /* from values at those to values at the panel's own nodes */
};
void radial_basis_init(struct radial_basis *basis);

/* The nodes of a panel, ascending and above 0, into rho[0..PANEL_NODES); returns how many. */
size_t radial_panel_nodes(const struct radial_basis *basis, const struct panel *panel, double *rho);

/* Fits the panel to the values at its nodes. */
void radial_panel_fit(const struct radial_basis *basis, const double *values, struct panel *panel);

/* Evaluates the panelled function at n radii, fastest where they ascend; between intervals and beyond them, the
 * nearest end's value. *hint is the panel to look at first and is moved along. */
void radial_panels_evaluate(const struct panels *panels, size_t n, const double *rho, double *out, size_t *hint);

#endif
