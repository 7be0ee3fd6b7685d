#include "law/layout.h"

enum { MOST_PANELS = 1000000 };

/* The leftmost interval to cover that ends beyond place `covered` (NULL: the first; may be `to`), from the left end
 * of one component's interval to the right end of another's. */
static bool next_interval(const struct layout *layout, const struct place *covered, struct place *from,
                          struct place *to)
{
    const struct frame *frame = &layout->frame;
    double lowest = layout->lowest, highest = layout->highest;
    size_t components = frame->components, first = components;
    for (size_t k = 0; k < components; k++)
        if ((covered == NULL || place_difference(frame, (struct place){k, highest}, *covered) > 0.0)
            && (first == components
                || place_difference(frame, (struct place){k, lowest}, (struct place){first, lowest}) < 0.0))
            first = k;
    if (first == components)
        return false;
    *from = (struct place){first, lowest};
    *to = (struct place){first, highest};
    /* how far a gap that starts at a component so far may go; every pass but the last moves one of the two ends */
    struct place bridge = {first, highest + layout->gap};
    bool grew = true;
    for (size_t pass = 0; grew && pass <= 2 * components; pass++) {
        grew = false;
        for (size_t k = 0; k < components; k++) {
            struct place start = {k, lowest}, early = {k, lowest - layout->gap}, end = {k, highest};
            struct place late = {k, highest + layout->gap};
            bool beyond = place_difference(frame, end, *to) > 0.0;
            if (beyond && place_difference(frame, start, bridge) > 0.0 && place_difference(frame, early, *to) > 0.0)
                continue;
            if (beyond)
                *to = end;
            bool further = place_difference(frame, late, bridge) > 0.0;
            if (further)
                bridge = late;
            grew |= beyond || further;
        }
    }
    return true;
}

/* Puts the panel between its two ends. true if they are in order. */
static bool settle(const struct frame *frame, struct panel *panel)
{
    double end[2];
    for (int side = 0; side < 2; side++)
        end[side] = place_position(frame, (struct place){panel->edge_anchor[side], panel->edge[side]}, panel->anchor);
    panel->centre = 0.5 * (end[0] + end[1]);
    panel->half_width = 0.5 * (end[1] - end[0]);
    return panel->half_width > 0.0;
}

/* Each panel ends relative to the component whose rule is the strictest there, so that on the way to a narrow
 * component places get its digits. */
static enum status fill_interval(const struct layout *layout, struct place from, struct place to,
                                 struct panels *panels, struct error *error)
{
    const struct frame *frame = &layout->frame;
    double length = HUGE_VAL, wanted_here, wanted_there;
    bool restart = true;
    size_t here =
        layout->strictest(layout->context, from.component, from.sds * frame->sd[from.component], &wanted_here);
    for (bool last = false; !last;) {
        double left = place_difference(frame, to, from);
        /* from a valley, too, panels grow no faster than from a component */
        length = lesser(left, length * (1.0 + PANEL_SLOPE / layout->shrink));
        length = layout->longest(layout->context, from, length, restart);
        last = left <= length;
        restart = !last && left < 2.0 * length;
        if (restart) /* no sliver at the end: the last two share what is left */
            length = 0.5 * left;
        struct place end = to;
        size_t there = layout->strictest(layout->context, from.component,
                                         from.sds * frame->sd[from.component] + length, &wanted_there);
        if (!last)
            end = (struct place){there, (place_position(frame, from, there) + length) / frame->sd[there]};
        struct panel panel = {.anchor = wanted_there < wanted_here ? there : here,
                              .edge_anchor = {from.component, end.component},
                              .edge = {from.sds, end.sds}};
        if (!settle(frame, &panel))
            return fail_with(error, STATUS_NUMERIC,
                             "panels of length %.3g near component %zu (sd %.3g) are too short", length,
                             panel.anchor + 1, frame->sd[panel.anchor]);
        layout->complete(layout->context, &panel);
        if (panels->count == MOST_PANELS)
            return fail_with(error, STATUS_MEMORY, "out of memory for more than %d panels", MOST_PANELS);
        TRY(panels_reserve(panels, panels->count + 1, error));
        panels->panel[panels->count++] = panel;
        from = end;
        here = there;
        wanted_here = wanted_there;
    }
    return STATUS_OK;
}

enum status layout_make(const struct layout *layout, struct panels *panels, struct error *error)
{
    struct place from, to;
    panels->count = 0;
    for (bool more = next_interval(layout, NULL, &from, &to); more; more = next_interval(layout, &to, &from, &to))
        TRY(fill_interval(layout, from, to, panels, error));
    return STATUS_OK;
}

enum status layout_move(const struct frame *frame, const struct panels *panels, struct panels *out, int *in_order,
                        struct error *error)
{
    TRY(panels_copy(panels, out, error));
    *in_order = 1;
    for (size_t p = 0; p < out->count; p++) {
        struct panel *panel = &out->panel[p];
        *in_order &= settle(frame, panel);
        if (p > 0 && panels_at_end(out, p, 0)) { /* intervals that have grown together */
            struct place start = {panel->edge_anchor[0], panel->edge[0]};
            struct place end = {panel[-1].edge_anchor[1], panel[-1].edge[1]};
            *in_order &= place_difference(frame, start, end) > 0.0;
        }
    }
    return STATUS_OK;
}
