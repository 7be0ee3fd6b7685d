/* A function on the line as polynomials on panels, through its values at Chebyshev nodes, that follow a mixture's
 * local scale (theory §6: a grid adapted to where p_t has mass). Panels cover the union of +-9.5 standard deviations
 * of the components and the smaller gaps between; their length is a fixed part of the narrowest component near by and
 * grows in proportion to the distance from it, so scales that differ by any factor cost its logarithm. Each panel is
 * placed relative to the component whose rule is the strictest there (its anchor), so that no scale costs another its
 * digits. */
#ifndef LAW_PANELS_H
#define LAW_PANELS_H

#include <stddef.h>

#include "core/status.h"
#include "law/tuning.h"
#include "model/mixture_level.h"

enum { PANEL_NODES = 16 };

struct panel {
    size_t anchor;
    size_t dominant;           /* the component of the largest density at the centre, when the panels were laid out */
    size_t order;              /* of the quadrature by which it is filled (law/line/orders.h); else 0 */
    double reach[2];           /* to the left and right, where mass lands from afar (law/line/reach.h); else 0 */
    double centre, half_width; /* relative to sqrt(A) m_anchor */
    size_t edge_anchor[2];     /* the ends, in standard deviations from a component's centre */
    double edge[2];
    double coefficient[PANEL_NODES]; /* of the powers of u = (x - centre)/half_width */
};

struct panels {
    struct panel *panel; /* from left to right */
    size_t count, capacity;
};

enum { PANEL_EDGES = 8 };

/* What besides the mixture sets the panels' length, in absolute units; zero-initialised: nothing. */
struct fineness {
    double longest;           /* no panel is longer, if > 0; like all lengths divided by the resolution */
    double finest;            /* length of the panels next to an edge; > 0 if there are edges */
    size_t edges;             /* positions where a score error jumps */
    double edge[PANEL_EDGES]; /* absolute positions (not relative to a component), any order */
    double narrow;            /* q, from N(0, 1), has this scale around 0, if > 0: panels there as for a component of
                               * this standard deviation, unless p's own are at most PANEL_NARROW times as long */
};

/* Lays out panels for the mixture's present level; `resolution` 1 is the default, 2 halves their length, 1/2 doubles
 * that of those near components and bends, but not of those that have grown as long on the way out. fineness may be
 * NULL: none. Reuses the storage of *panels (start from {0}; free with panels_free). Coefficients are left unset.
 * Errors: STATUS_NUMERIC where panels so short lose their digits; STATUS_MEMORY. */
MUST_USE enum status panels_lay_out(const struct mixture_level *mixture, double resolution,
                                    const struct fineness *fineness, struct panels *panels, struct error *error);

/* Makes *out the same panels at the mixture's present level, their ends moved with the components they were laid out
 * by; much cheaper than a new layout, and as good while the level has changed little. Nonzero if they still lie in
 * order. */
MUST_USE enum status panels_move(const struct panels *panels, const struct mixture_level *mixture, struct panels *out,
                                 int *in_order, struct error *error);
/* Room for `count` panels in all. Errors: STATUS_MEMORY. */
MUST_USE enum status panels_reserve(struct panels *panels, size_t count, struct error *error);
MUST_USE enum status panels_copy(const struct panels *panels, struct panels *out, struct error *error);
void panels_free(struct panels *panels);

/* Nonzero if the left (0) or right (1) side of panel p is an end of an interval that the panels cover. */
int panels_at_end(const struct panels *panels, size_t p, int side);

/* The nodes in [-1, 1], ascending, with both ends, -node[j] = node[PANEL_NODES - 1 - j]; and what takes values there
 * to coefficients: sums of values at node[j] and -node[j] to even ones of Chebyshev polynomials, differences to odd
 * ones, and these to coefficients of powers. That loses nothing: a polynomial of degree 15 whose Chebyshev
 * coefficients fall, as they do where panels resolve it, has powers no larger. */
enum { HALF_NODES = PANEL_NODES / 2 };
_Static_assert(PANEL_NODES % 2 == 0, "nodes in pairs");

struct chebyshev {
    double node[PANEL_NODES];
    double transform[2][HALF_NODES][HALF_NODES]; /* [odd][pair of nodes][degree / 2] */
    double powers[2][HALF_NODES][HALF_NODES];    /* [odd][degree / 2][power / 2] */
    double weight[PANEL_NODES];                  /* of values at the nodes in the integral over [-1, 1] */
};
void chebyshev_init(struct chebyshev *chebyshev);
/* The panel's nodes. */
void panel_nodes(const struct chebyshev *chebyshev, const struct panel *panel, double *x);
void panel_fit(const struct chebyshev *chebyshev, const double *values, struct panel *panel);

/* The panel's polynomial at offsets x[i] (in the panel's own coordinates), n of them. Outside it, the value at its
 * end. */
void panel_evaluate(const struct panel *panel, double shift, size_t n, const double *x, double *out);

/* Evaluates the panelled function at ascending points x[i], relative to sqrt(A) m_anchor. *hint is the panel to look
 * at first and becomes that of x[0]. */
void panels_evaluate(const struct panels *panels, const struct mixture_level *mixture, size_t anchor, size_t n,
                     const double *x, double *out, size_t *hint);

/* The same for `rows` rows of n ascending points each, one after another, none of which begins left of the row
 * before.
 */
void panels_evaluate_rows(const struct panels *panels, const struct mixture_level *mixture, size_t anchor,
                          size_t rows, size_t n, const double *x, double *out, size_t *hint);

#endif
