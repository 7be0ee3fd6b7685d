/* Where a step throws mass farther than its noise. Quadrature at y looks for it around x = a y, where it comes from
 * if q is around x as the map takes it to be: what the noise spreads is what D gathers. The map takes q to be p, and
 * near a posterior switch may make of a component's mass what another one's should become. In general the mass around
 * x lands where a y = x + D(x) and the noise, and comes from a y if D(x) = beta s(x), s the score of q. Beyond some
 * tau of difference rules around a y see little or nothing of it, and finer ones agree with them; cells that reach as
 * far as x do see it (law/line/transfer_cells.c). */
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
