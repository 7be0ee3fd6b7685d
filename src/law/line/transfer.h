/* One stage of a step on the line, between two references p and p' with known densities: log r at points of the
 * second from log r on a grid of the first, by theory (14)-(15) for a map with noise and by change of variables for a
 * map without. */
#ifndef LAW_LINE_TRANSFER_H
#define LAW_LINE_TRANSFER_H

#include <stddef.h>

#include "core/status.h"
#include "law/oracle.h"
#include "law/panel_groups.h"
#include "law/panels.h"
#include "law/propagate.h"
#include "law/quadrature.h"

enum {
    TRANSFER_POINTS = 8 * PANEL_NODES,    /* at a time */
    TRANSFER_BLOCK = 4 * TRANSFER_POINTS, /* points times nodes: what the first-level cache holds */
    TRANSFER_PAIRS = 8 * TRANSFER_BLOCK,  /* of points and nodes that they share */

    CELL_NODES = 16,      /* of the Gauss-Legendre rule in a cell */
    CELL_TAIL = 3,        /* of the Legendre polynomials of the highest degrees that show whether it is resolved */
    CELLS_TOGETHER = 256, /* for several points, at most */
    MOST_CELLS = 1024,    /* for one point */

    MOST_PAIRS = MOST_CELLS * CELL_NODES, /* TRANSFER_PAIRS at least */

    /* Quadrature orders of the line: Gauss-Hermite rules with 1 node and more; trapezoid rules on lattices that
     * neighbouring points share, finer and finer; and Gauss-Legendre rules in cells that they share, which are
     * bisected where D changes over much less than the width of the noise. Where noise is so small that these do not
     * serve, orders in their places are those of law/quadrature.h. */
    TRANSFER_FIRST_LATTICE = 8,
    TRANSFER_FIRST_CELLS = TRANSFER_FIRST_LATTICE + 6,
    TRANSFER_ORDERS = TRANSFER_FIRST_CELLS + 6,
    TRANSFER_HIGHEST_ORDER = TRANSFER_ORDERS - 1 - CHECK_ORDERS
};

/* A step with a number that its sampler may draw, the probability of that, and the scores that it asks for. */
struct transfer_draw {
    struct step step;
    double weight;
    struct oracle oracle;
};

struct transfer {
    struct stage stage;
    const struct mixture_level *from, *to;
    const struct panels *grid; /* log r on `from` */
    struct oracle *oracle;
    size_t draws; /* > 0: the result is the mean of r over so many draws */
    struct transfer_draw *draw;
    double resolution;
    struct breaks breaks; /* of the map */
    double reach;         /* quadrature is cut at breaks no farther than this, in units of tau; set with the breaks */
    /* Where the quadrature nodes lie. Theory (15) puts them on the scale of the forward kernel; any scale is exact,
     * and fewest are needed on that of the integrand K(y|.) p. With x = a y + tau z and v the noise's variance before
     * division by sqrt(alpha),
     *     log c = -(tau z D + D^2/2)/v + z^2 (1 - tau^2/v)/2 + log(tau^2/v)/2 + log a + log p(x) - log p'(y),
     * in which the densities are written as those of one component, whose ratio is a small number known in closed
     * form (struct reference), and what the others make of them: no large logarithms are subtracted. */
    double tau;
    double narrowest;         /* standard deviation before */
    double linear, quadratic; /* tau/v, 1/(2v) */
    double curvature;         /* (1 - tau^2/v)/2 */
    double log_scale;         /* log(tau^2/v)/2 */
};

/* Fills all but the breaks. */
void transfer_init(struct transfer *transfer, const struct stage *stage, const struct mixture_level *from,
                   const struct mixture_level *to, const struct panels *grid, struct oracle *oracle,
                   double resolution);

/* With the k-th of the numbers that the sampler may draw. */
struct transfer transfer_of_draw(const struct transfer *transfer, size_t k);

/* The quadrature order in the place of one: higher at a higher resolution of the law. */
size_t transfer_order(const struct transfer *transfer, size_t order);

/* The rule in a cell, and what takes values at its nodes to the Legendre coefficients of the highest degrees. */
struct cell_rule {
    double node[CELL_NODES], weight[CELL_NODES], tail[CELL_TAIL][CELL_NODES];
    double missing; /* of the sum of the weights over sqrt(2 pi), as a part of it: rounding */
};
struct cell {
    double from, to; /* relative to the anchor */
};

/* Workspace, one block for a whole law. */
struct transfer_work {
    const struct quadrature_table *rules;
    struct quadrature split; /* of one point, cut at breaks */
    double *x, *log_offset, *others, *score, *increment, *exponent, *work, *oracle_work; /* TRANSFER_BLOCK each */
    double *pairs;                                                                       /* MOST_PAIRS */
    struct cell_rule cell_rule;
    size_t cells;
    struct cell *cell, *cell_first, *cell_next; /* MOST_CELLS each: those in use, and those that may be bisected */
    double *cell_x, *cell_rest, *cell_B, *cell_L, *cell_factor, *cell_base, *cell_chosen; /* at their nodes */
    double *block;
    double reach[2];                   /* of cells to the left and right, of the points that are being evaluated */
    double ignored;                    /* by monotone_ignore, since set to 0 */
    size_t node_updates, exponentials; /* logarithms count as such */
};

/* A workspace for each thread of a team. */
struct transfer_team {
    struct panel_groups groups;
    struct transfer_work *work;
};
MUST_USE enum status transfer_team_new(const struct sampler *sampler, const struct quadrature_table *rules,
                                       struct team *team, struct transfer_team *out, struct error *error);
void transfer_team_free(struct transfer_team *team);

/* `each` ascending points on each of `panels` panels of one anchor and dominant component, in the panels'
 * coordinates: up to TRANSFER_POINTS in all, or transfer_most under a map without noise, which must be smooth over a
 * panel's length. */
struct transfer_query {
    const struct panel *panel;
    size_t panels, each;
    const double *y;
};
size_t transfer_most(const struct transfer *transfer);

/* log r at the points. *hint as in panels_evaluate. Errors: STATUS_NUMERIC where a map without noise folds. */
MUST_USE enum status transfer_apply(const struct transfer *transfer, struct transfer_work *work, size_t order,
                                    const struct transfer_query *query, double *log_ratio, size_t *hint,
                                    struct error *error);

/* Whether points, each counted once for its quadrature order and once more, are so much work that threads are worth
 * their while. */
bool transfer_is_shared(const struct transfer *transfer, size_t points);

/* D(x) at n <= TRANSFER_BLOCK points relative to the anchor, with the scores at level t where they are known
 * (or NULL). */
void transfer_increment(const struct transfer *transfer, struct transfer_work *work, size_t anchor, size_t n,
                        const double *x, const double *known_score, double *out);

#endif
