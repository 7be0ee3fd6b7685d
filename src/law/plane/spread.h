/* The first kernel of a lattice: its points, and the grid that they are spread over. */
#ifndef LAW_PLANE_SPREAD_H
#define LAW_PLANE_SPREAD_H

#include "law/plane/lattice.h"

/* A point is spread over a window of the grid, of whole steps. */
enum { WINDOW_STEP = 4, MOST_WINDOW = 40 };

/* Where the grid is: its point i lies at spacing (i - origin) - shift relative to sqrt(A) m_anchor, A of the
 * reference before the stage. All anchors share it. */
struct grid_axis {
    int64_t origin;
    double shift;
};
struct grid_axis lattice_axis(const struct lattice *lattice, size_t anchor, int i);

/* Lists the lattice's points in a patch, or a square beyond them. Errors: STATUS_NUMERIC, too many; STATUS_MEMORY. */
MUST_USE enum status lattice_add_pieces(struct lattice *lattice, const struct patch *patch, double spacing,
                                        struct error *error);

/* Spreads all that are listed over lattice->grid. Errors: STATUS_NUMERIC where an image is not finite; STATUS_MEMORY.
 */
MUST_USE enum status lattice_spread(struct lattice *lattice, struct plane_thread *thread, struct team *team,
                                    double spacing, struct error *error);

#endif
