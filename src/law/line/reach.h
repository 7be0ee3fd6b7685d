/* Where a step carries mass farther than its noise. The noise around x + D(x) puts the mass of q from x near the
 * points y with a y = x + D(x). Quadrature at y has its nodes around x = a y, within some tau, which is where that
 * mass comes from as long as D = beta s there, s the score of q: what D moves, forward noise undoes. Near a switch of
 * the components' posterior, D is of another component than q's mass is, D - beta s is many tau, and so is the
 * distance of x from a y. A quadrature rule around a y has no node near x then, nor has one of a higher order, and
 * the difference of the two says nothing; cells that reach as far as x have (law/line/transfer_cells.c). */
#ifndef LAW_LINE_REACH_H
#define LAW_LINE_REACH_H

#include <stddef.h>

#include "core/status.h"

struct line;

/* At a node of the law before. */
struct line_landing {
    double place;       /* x + D(x), relative to the panel's anchor */
    double excess;      /* D(x) - beta s(x) */
    double log_density; /* log max_k p_k r */
};

/* Gives panels of the result on which mass lands from afar the order of the first cells at least, and sets how far
 * their cells reach; for the present layout. */
MUST_USE enum status line_set_reach(struct line *line, struct error *error);

#endif
