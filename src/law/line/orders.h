/* Quadrature orders of the line engine, one for each panel: few places need the finest rules at a time, those where
 * components part from one another. What is asked of a panel is its part of the error's second norm,
 *     (E_q e^2; panel) <= tolerance^2/panels,
 * so that errors may be the larger the less mass there is, and still both norms are below the tolerance. */
#ifndef LAW_LINE_ORDERS_H
#define LAW_LINE_ORDERS_H

#include <stdbool.h>
#include <stddef.h>

#include "law/panels.h"

/* Panels that are filled together have the largest of their orders. */
size_t panels_order(const struct panels *grid, size_t from, size_t to);
/* Gives each panel of a layout the largest order of those that it overlaps in another one; both are at the mixture's
 * level. `from` may be empty: 0. */
void panels_inherit_orders(const struct panels *from, const struct mixture_level *mixture, struct panels *to);

#endif
