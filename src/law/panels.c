#include "law/panels.h"

#include <math.h>

#include "core/memory.h"
#include "core/vmath.h"

/* Panel length in standard deviations, for distances up to FLAT standard deviations; further out it grows by SLOPE a
 * standard deviation. Chosen by the measured interpolation error (see test_line.c), which the law's error radius
 * includes. */
#define LENGTH 1.0
#define FLAT 5.0
#define SLOPE 1.0
/* Panel length in units of the length over which the score changes. */
#define CURVED_LENGTH 0.7
/* Between components that have parted by no more standard deviations than this the panels go on. Few large steps
 * leave some of q there: while the gap grows to this from nothing, the log noise falls by one, and in that time the
 * score, of tens of standard deviations, brings that mass to one of the components. */
#define GAP 12.0
/* Beside the positions where a score error jumps, the same two in units of the finest length. */
#define EDGE_FLAT 2.0
#define EDGE_SLOPE 0.5
#define MOST_PANELS 1000000
/* Log-weights further below the largest than this are nothing beside it. */
#define NOTHING 40.0

/* A position, in standard deviations from a component's centre: exact in any scale. */
struct place {
    size_t component;
    double sds;
};

/* In the anchor's coordinates. */
static double position(const struct mixture_level *mixture, struct place place, size_t anchor)
{
    return mixture_level_centre(mixture, place.component, anchor) + place.sds * mixture->sd[place.component];
}

/* a - b, with no more rounding than is in the distance of their components. */
static double difference(const struct mixture_level *mixture, struct place a, struct place b)
{
    return position(mixture, a, b.component) - b.sds * mixture->sd[b.component];
}

/* Panels nowhere longer than (length + slope max(0, distance - flat))/resolution, where distance is that of their
 * nearest point to the centre: the longest that starts at x from the centre and goes to the right. */
static double graded(double x, double length, double flat, double slope, double resolution)
{
    double beyond = fabs(x) - flat;
    if (beyond <= 0.0)
        return length / resolution;
    if (x > 0.0)
        return (length + slope * beyond) / resolution;
    return fmax(length / resolution, (length + slope * beyond) / (resolution + slope));
}

/* The score near a point. */
struct bend {
    double length;   /* over which the score changes; 0: not known */
    size_t dominant; /* the component of the largest density */
};

/* (log p)'' is the variance of the components' scores, which is large in a valley, minus their mean inverse variance.
 * Where the two cancel the score still has a shape: the length is 1/sqrt of their sum. Not below a tenth of the
 * components' width: sharper valleys hold no mass. In the tails a single Gaussian's length grows as it would alone.
 */
static struct bend bend_at(const struct mixture_level *mixture, size_t anchor, double x)
{
    double largest = -HUGE_VAL, density = 0.0, gradient = 0.0, square = 0.0, inverse = 0.0;
    size_t dominant = 0;
    for (size_t k = 0; k < mixture->factor->components; k++) {
        double u = x - mixture_level_centre(mixture, k, anchor), slope = u * mixture->inverse_variance[k];
        double exponent = mixture->log_constant[k] - 0.5 * u * slope, weight = 1.0;
        if (exponent < largest - NOTHING)
            continue;
        if (exponent > largest) {
            double rescale = exponent < largest + NOTHING ? exp(largest - exponent) : 0.0;
            density *= rescale;
            gradient *= rescale;
            square *= rescale;
            inverse *= rescale;
            largest = exponent;
            dominant = k;
        } else
            weight = exp(exponent - largest);
        density += weight;
        gradient += weight * slope;
        square += weight * slope * slope;
        inverse += weight * mixture->inverse_variance[k];
    }
    double score = gradient / density, variance = square / density - score * score;
    inverse /= density;
    double tail = fabs(score) / sqrt(inverse) - FLAT, growth = tail > 0.0 ? 1.0 + SLOPE * tail : 1.0;
    double rate = variance + inverse / (growth * growth);
    return (struct bend){1.0 / sqrt(fmin(rate, 100.0 * inverse)), dominant};
}

/* The leftmost interval to cover that ends beyond place `covered` (NULL: the first; may be `to`). Components whose
 * intervals are no further apart than GAP standard deviations of the wider one share an interval, from the left end
 * of one of them to the right end of another. */
static int next_interval(const struct mixture_level *mixture, const struct place *covered, struct place *from,
                         struct place *to)
{
    size_t components = mixture->factor->components, first = components;
    for (size_t k = 0; k < components; k++)
        if ((covered == NULL || difference(mixture, (struct place){k, PANEL_REACH}, *covered) > 0.0)
            && (first == components
                || difference(mixture, (struct place){k, -PANEL_REACH}, (struct place){first, -PANEL_REACH}) < 0.0))
            first = k;
    if (first == components)
        return 0;
    *from = (struct place){first, -PANEL_REACH};
    *to = (struct place){first, PANEL_REACH};
    /* how far a gap that starts at a component so far may go; every pass but the last moves one of the two ends */
    struct place bridge = {first, PANEL_REACH + GAP};
    int grew = 1;
    for (size_t pass = 0; grew && pass <= 2 * components; pass++) {
        grew = 0;
        for (size_t k = 0; k < components; k++) {
            struct place start = {k, -PANEL_REACH}, early = {k, -PANEL_REACH - GAP}, end = {k, PANEL_REACH};
            struct place late = {k, PANEL_REACH + GAP};
            int beyond = difference(mixture, end, *to) > 0.0;
            if (beyond && difference(mixture, start, bridge) > 0.0 && difference(mixture, early, *to) > 0.0)
                continue;
            if (beyond)
                *to = end;
            int further = difference(mixture, late, bridge) > 0.0;
            if (further)
                bridge = late;
            grew |= beyond || further;
        }
    }
    return 1;
}

/* What sets the length of panels, at one level. */
struct limits {
    const struct mixture_level *mixture;
    double resolution, longest, finest;
    double least_bent; /* panels no longer than this need not look for bends */
    size_t edges;
    struct place edge[PANEL_EDGES];
};

/* The component whose rule is the strictest at x, in the coordinates of the anchor. */
static size_t strictest(const struct mixture_level *mixture, size_t anchor, double x, double *length)
{
    size_t strictest = anchor;
    *length = HUGE_VAL;
    for (size_t k = 0; k < mixture->factor->components; k++) {
        double sd = mixture->sd[k], distance = fabs(x - mixture_level_centre(mixture, k, anchor));
        double wanted = graded(distance, LENGTH * sd, FLAT * sd, SLOPE, 1.0);
        if (wanted < *length) {
            *length = wanted;
            strictest = k;
        }
    }
    return strictest;
}

static struct limits make_limits(const struct mixture_level *mixture, double resolution,
                                 const struct fineness *fineness)
{
    struct limits limits = {.mixture = mixture, .resolution = resolution, .longest = HUGE_VAL};
    double narrowest = HUGE_VAL;
    for (size_t k = 0; k < mixture->factor->components; k++)
        narrowest = fmin(narrowest, mixture->sd[k]);
    /* A single Gaussian's curvature is its width. */
    limits.least_bent = mixture->factor->components > 1 ? 0.1 * CURVED_LENGTH * narrowest / resolution : HUGE_VAL;
    if (fineness == NULL)
        return limits;
    if (fineness->longest > 0.0)
        limits.longest = fineness->longest / resolution;
    limits.finest = fineness->finest;
    limits.edges = fineness->finest > 0.0 ? fineness->edges : 0;
    for (size_t i = 0; i < limits.edges; i++) {
        double wanted, first = fineness->edge[i] - mixture->root_alpha_bar * mixture->factor->mean[0];
        size_t k = strictest(mixture, 0, first, &wanted);
        double offset = fineness->edge[i] - mixture->root_alpha_bar * mixture->factor->mean[k];
        limits.edge[i] = (struct place){k, offset / mixture->sd[k]};
    }
    return limits;
}

/* log of what component j adds to the density over what k adds. */
static double log_odds(const struct mixture_level *mixture, size_t anchor, size_t j, size_t k, double x)
{
    double u = x - mixture_level_centre(mixture, j, anchor), v = x - mixture_level_centre(mixture, k, anchor);
    return mixture->log_constant[j] - mixture->log_constant[k]
           - 0.5 * (u * u * mixture->inverse_variance[j] - v * v * mixture->inverse_variance[k]);
}

/* Where components j and k have the same density, between points where one and the other has the larger: the root of
 * a quadratic. */
static double crossing(const struct mixture_level *mixture, size_t anchor, size_t j, size_t k, double from, double to)
{
    double width = to - from, first = log_odds(mixture, anchor, j, k, from);
    double square = 0.5 * (mixture->inverse_variance[k] - mixture->inverse_variance[j]) * width * width;
    double linear = log_odds(mixture, anchor, j, k, to) - first - square;
    double part = 2.0 * first / (sqrt(fmax(linear * linear - 4.0 * square * first, 0.0)) - linear);
    return from + width * (part > 0.0 && part < 1.0 ? part : 0.5);
}

/* The longest panel from x on that is short enough for a bend `ahead` of x, approached as a component is. */
static double before_bend(const struct limits *limits, struct bend bend, double ahead)
{
    return graded(-ahead, CURVED_LENGTH * bend.length, 0.0, SLOPE, limits->resolution);
}

/* The same for the valleys between two points ahead of x: they may be much narrower than the panel, but the dominant
 * components on their sides differ. */
static double before_valleys(const struct limits *limits, size_t anchor, double x, double from, double to,
                             struct bend left, struct bend right)
{
    enum { VALLEYS = 4 };
    double length = HUGE_VAL;
    for (int i = 0; i < VALLEYS && left.dominant != right.dominant; i++) {
        size_t j = left.dominant, k = right.dominant;
        double valley = crossing(limits->mixture, anchor, j, k, x + from, x + to);
        struct bend bend = bend_at(limits->mixture, anchor, valley);
        length = fmin(length, before_bend(limits, bend, valley - x));
        if (bend.dominant == j || bend.dominant == k)
            break;
        /* a third component between them: on to the valley before it */
        right = bend;
        to = valley - x;
    }
    return length;
}

/* The longest panel that starts at x, has at most `length` and is short enough for the bends ahead, up to where they
 * have no say. *here is the bend at x, and becomes that at the end of the panel.
 *
 * The length depends continuously on the level: a law that is handed on from layout to layout in every step would
 * not survive if two of them took turns. */
static double bent_length(const struct limits *limits, size_t anchor, double x, double length, struct bend *here)
{
    const struct mixture_level *mixture = limits->mixture;
    if (!(here->length > 0.0))
        *here = bend_at(mixture, anchor, x);
    length = fmin(length, CURVED_LENGTH * here->length / limits->resolution);
    double far = length * (1.0 + limits->resolution / SLOPE);
    struct bend end = bend_at(mixture, anchor, x + length), beyond = bend_at(mixture, anchor, x + far);
    double shortest = fmin(length, fmin(before_bend(limits, end, length), before_bend(limits, beyond, far)));
    shortest = fmin(shortest, before_valleys(limits, anchor, x, 0.0, length, *here, end));
    shortest = fmin(shortest, before_valleys(limits, anchor, x, length, far, end, beyond));
    *here = end;
    if (shortest < length)
        here->length = 0.0;
    return shortest;
}

/* The longest panel that starts at x, and at most `length`. */
static double longest_panel(const struct limits *limits, struct place from, double length, struct bend *bend)
{
    const struct mixture_level *mixture = limits->mixture;
    double resolution = limits->resolution;
    length = fmin(length, limits->longest);
    for (size_t k = 0; k < mixture->factor->components; k++) {
        double sd = mixture->sd[k];
        length = fmin(length, graded(position(mixture, from, k), LENGTH * sd, FLAT * sd, SLOPE, resolution));
    }
    for (size_t i = 0; i < limits->edges; i++)
        length = fmin(length, graded(difference(mixture, from, limits->edge[i]), limits->finest,
                                     EDGE_FLAT * limits->finest, EDGE_SLOPE, resolution));
    if (length <= limits->least_bent)
        bend->length = 0.0;
    else
        length = bent_length(limits, from.component, from.sds * mixture->sd[from.component], length, bend);
    return length;
}

static enum status push(struct panels *panels, struct panel panel, struct error *error)
{
    if (panels->count == panels->capacity) {
        size_t capacity = panels->capacity > 0 ? 2 * panels->capacity : 64;
        struct panel *grown = capacity <= MOST_PANELS ? array_resize(panels->panel, capacity, sizeof *grown) : NULL;
        if (grown == NULL)
            return fail_with(error, STATUS_MEMORY, "out of memory for more than %zu panels", panels->capacity);
        panels->panel = grown;
        panels->capacity = capacity;
    }
    panels->panel[panels->count++] = panel;
    return STATUS_OK;
}

/* Puts the panel between its two ends. Nonzero if they are in order. */
static int settle(const struct mixture_level *mixture, struct panel *panel)
{
    double end[2];
    for (int side = 0; side < 2; side++)
        end[side] = position(mixture, (struct place){panel->edge_anchor[side], panel->edge[side]}, panel->anchor);
    panel->centre = 0.5 * (end[0] + end[1]);
    panel->half_width = 0.5 * (end[1] - end[0]);
    return panel->half_width > 0.0;
}

/* Panels from one place to another. Each ends relative to the component whose rule is the strictest there, so that
 * on the way to a narrow component places get its digits. */
static enum status lay_out_interval(const struct limits *limits, struct place from, struct place to,
                                    struct panels *panels, struct error *error)
{
    const struct mixture_level *mixture = limits->mixture;
    struct bend bend = {.length = 0.0};
    double length = HUGE_VAL, wanted_here, wanted_there;
    size_t here = strictest(mixture, from.component, from.sds * mixture->sd[from.component], &wanted_here);
    for (int last = 0; !last;) {
        double left = difference(mixture, to, from);
        /* from a valley, too, panels grow no faster than from a component */
        length = fmin(left, length * (1.0 + SLOPE / limits->resolution));
        length = longest_panel(limits, from, length, &bend);
        last = left <= length;
        /* No sliver at the end: the last two share what is left. */
        if (!last && left < 2.0 * length) {
            length = 0.5 * left;
            bend.length = 0.0;
        }
        struct place end = to;
        size_t there =
            strictest(mixture, from.component, from.sds * mixture->sd[from.component] + length, &wanted_there);
        if (!last)
            end = (struct place){there, (position(mixture, from, there) + length) / mixture->sd[there]};
        struct panel panel = {.anchor = wanted_there < wanted_here ? there : here,
                              .edge_anchor = {from.component, end.component},
                              .edge = {from.sds, end.sds}};
        if (!settle(mixture, &panel))
            return fail_with(error, STATUS_NUMERIC,
                             "panels of length %.3g near component %zu (sd %.3g) are too short", length,
                             panel.anchor + 1, mixture->sd[panel.anchor]);
        enum status status = push(panels, panel, error);
        if (status != STATUS_OK)
            return status;
        from = end;
        here = there;
        wanted_here = wanted_there;
    }
    return STATUS_OK;
}

enum status panels_lay_out(const struct mixture_level *mixture, double resolution, const struct fineness *fineness,
                           struct panels *panels, struct error *error)
{
    struct limits limits = make_limits(mixture, resolution, fineness);
    struct place from, to;
    enum status status = STATUS_OK;
    panels->count = 0;
    for (int more = next_interval(mixture, NULL, &from, &to); more && status == STATUS_OK;
         more = next_interval(mixture, &to, &from, &to))
        status = lay_out_interval(&limits, from, to, panels, error);
    return status;
}

enum status panels_move(const struct panels *panels, const struct mixture_level *mixture, struct panels *out,
                        int *in_order, struct error *error)
{
    out->count = 0;
    *in_order = 1;
    for (size_t p = 0; p < panels->count; p++) {
        struct panel panel = panels->panel[p];
        *in_order &= settle(mixture, &panel);
        if (panels_at_end(panels, p, 0) && p > 0) { /* intervals that have grown together */
            const struct panel *before = &panels->panel[p - 1];
            *in_order &= difference(mixture, (struct place){panel.edge_anchor[0], panel.edge[0]},
                                    (struct place){before->edge_anchor[1], before->edge[1]})
                         > 0.0;
        }
        enum status status = push(out, panel, error);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

void panels_free(struct panels *panels)
{
    free(panels->panel);
    *panels = (struct panels){0};
}

static int joined(const struct panel *left, const struct panel *right)
{
    return left->edge_anchor[1] == right->edge_anchor[0] && left->edge[1] == right->edge[0];
}

int panels_at_end(const struct panels *panels, size_t p, int side)
{
    const struct panel *panel = &panels->panel[p];
    if (side == 0)
        return p == 0 || !joined(panel - 1, panel);
    return p + 1 == panels->count || !joined(panel, panel + 1);
}

/* The ends are nodes: where a deterministic map moves the function by less than the distance between an end and the
 * next node, or one layout lies that close to the one before, a panel must still learn from its neighbour what flows
 * in. */
void chebyshev_init(struct chebyshev *chebyshev)
{
    enum { LAST = PANEL_NODES - 1 };
    for (int j = 0; j <= LAST; j++) {
        double angle = M_PI * (LAST - j) / LAST, end = j == 0 || j == LAST ? 0.5 : 1.0;
        chebyshev->node[j] = j == 0 ? -1.0 : j == LAST ? 1.0 : cos(angle);
        for (int k = 0; k <= LAST; k++)
            chebyshev->transform[j][k] = end * (k == 0 || k == LAST ? 1.0 : 2.0) / LAST * cos(k * angle);
    }
}

VECTOR_CLONES void panel_fit(const struct chebyshev *chebyshev, const double *values, struct panel *panel)
{
    double total[PANEL_NODES] = {0.0};
    for (int j = 0; j < PANEL_NODES; j++)
        for (int k = 0; k < PANEL_NODES; k++)
            total[k] += chebyshev->transform[j][k] * values[j];
    for (int k = 0; k < PANEL_NODES; k++)
        panel->coefficient[k] = total[k];
}

VECTOR_CLONES void panel_evaluate(const struct panel *panel, double shift, size_t n, const double *x, double *out)
{
    double inverse = 1.0 / panel->half_width, centre = panel->centre + shift;
    const double *c = panel->coefficient;
    for (size_t i = 0; i < n; i++) {
        double u = (x[i] - centre) * inverse;
        u = u < -1.0 ? -1.0 : u > 1.0 ? 1.0 : u;
        double twice = 2.0 * u, b1 = c[PANEL_NODES - 1], b2 = 0.0;
        for (int k = PANEL_NODES - 2; k >= 1; k--) {
            double b0 = (c[k] - b2) + twice * b1;
            b2 = b1;
            b1 = b0;
        }
        out[i] = (c[0] - b2) + u * b1;
    }
}

void panels_evaluate(const struct panels *panels, const struct mixture_level *mixture, size_t anchor, size_t n,
                     const double *x, double *out, size_t *hint)
{
    const struct panel *panel = panels->panel;
    size_t at = *hint < panels->count ? *hint : 0;
    for (size_t start = 0; start < n;) {
        double shift = mixture_level_centre(mixture, panel[at].anchor, anchor);
        while (at > 0 && x[start] < panel[at].centre - panel[at].half_width + shift)
            shift = mixture_level_centre(mixture, panel[--at].anchor, anchor);
        while (at + 1 < panels->count && x[start] > panel[at].centre + panel[at].half_width + shift)
            shift = mixture_level_centre(mixture, panel[++at].anchor, anchor);
        double end = at + 1 < panels->count ? panel[at].centre + panel[at].half_width + shift : HUGE_VAL;
        size_t stop = start + 1;
        while (stop < n && x[stop] <= end)
            stop++;
        panel_evaluate(&panel[at], shift, stop - start, x + start, out + start);
        start = stop;
    }
    *hint = at;
}
