#include "law/line/orders.h"

size_t panels_order(const struct panels *grid, size_t from, size_t to)
{
    size_t order = 0;
    for (size_t p = from; p < to; p++)
        order = grid->panel[p].order > order ? grid->panel[p].order : order;
    return order;
}

/* Ends that differ by less than this part of a panel are the same. */
#define SAME_END 1e-3

/* Whether a panel ends left of another one, or with its beginning. */
static bool is_left_of(const struct mixture_level *mixture, const struct panel *panel, const struct panel *other)
{
    double distance = other->centre - panel->centre - mixture_level_centre(mixture, panel->anchor, other->anchor);
    return distance > panel->half_width + (1.0 - SAME_END) * other->half_width;
}

void panels_inherit_orders(const struct panels *from, const struct mixture_level *mixture, struct panels *to)
{
    size_t first = 0;
    for (size_t p = 0; p < to->count; p++) {
        struct panel *panel = &to->panel[p];
        while (first + 1 < from->count && is_left_of(mixture, &from->panel[first], panel))
            first++;
        size_t end = first + 1;
        while (end < from->count && !is_left_of(mixture, panel, &from->panel[end]))
            end++;
        panel->order = from->count > 0 ? panels_order(from, first, end) : 0;
    }
}
