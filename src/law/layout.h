/* Layout of panels on a line or a half-line, by rules for their length. Ends are places relative to components, so
 * that they keep their digits in any scale, and move with the components from level to level. */
#ifndef LAW_LAYOUT_H
#define LAW_LAYOUT_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/elementary.h"
#include "core/status.h"
#include "law/panels.h"
#include "law/tuning.h"

/* What places are relative to: components' standard deviations and centres root * mean[k] (NULL: all at 0). */
struct frame {
    size_t components;
    const double *sd, *mean;
    double root;
};

/* A position, in standard deviations from a component's centre. */
struct place {
    size_t component;
    double sds;
};

/* A place relative to another component's centre. */
static inline double place_position(const struct frame *frame, struct place place, size_t anchor)
{
    double sds = place.sds * frame->sd[place.component];
    if (frame->mean == NULL)
        return sds;
    return frame->root * (frame->mean[place.component] - frame->mean[anchor]) + sds;
}

/* a - b, with no more rounding than is in the distance of their components. */
static inline double place_difference(const struct frame *frame, struct place a, struct place b)
{
    return place_position(frame, a, b.component) - b.sds * frame->sd[b.component];
}

/* How much finer panels are than the default: the length of all over `shrink`; or how much coarser: only those that
 * grow from their least length no faster than the default, times `stretch`. Both are >= 1. */
struct fine {
    double shrink, stretch;
};

/* A rule: panels nowhere longer than length + slope max(0, distance - flat), where distance is that of their nearest
 * point to a centre. Returns the longest that starts at x from the centre and goes to the right. */
static inline double graded(double x, double length, double flat, double slope, struct fine fine)
{
    double beyond = fabs(x) - flat, least = fine.stretch * length / fine.shrink;
    if (beyond <= 0.0)
        return least;
    if (x > 0.0)
        return greater(least, (length + slope * beyond) / fine.shrink);
    return greater(least, (length + slope * beyond) / (fine.shrink + slope));
}

struct layout {
    struct frame frame;
    /* Of each component [lowest, highest] is covered, and gaps between two intervals no wider than `gap` with the
     * standard deviation of either; all in standard deviations. */
    double lowest, highest, gap;
    double shrink; /* as in struct fine */
    /* The component whose rule for the length is the strictest at x (relative to the anchor), and that length. */
    size_t (*strictest)(const void *context, size_t anchor, double x, double *length);
    /* The longest panel that starts at a place, and at most `length`. `restart`: it does not start where the panel
     * that was asked for before would have ended. */
    double (*longest)(void *context, struct place from, double length, bool restart);
    /* Sets what else is known of a panel whose ends are placed: its dominant component, perhaps its anchor. */
    void (*complete)(const void *context, struct panel *panel);
    void *context;
};

/* Reuses the storage of *panels. Errors: STATUS_NUMERIC where panels are so short that they lose their digits;
 * STATUS_MEMORY. */
MUST_USE enum status layout_make(const struct layout *layout, struct panels *panels, struct error *error);

/* panels_move in another frame of the same components. */
MUST_USE enum status layout_move(const struct frame *frame, const struct panels *panels, struct panels *out,
                                 int *in_order, struct error *error);

#endif
