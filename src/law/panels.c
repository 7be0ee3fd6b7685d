#include "law/panels.h"

#include <math.h>
#include <string.h>

#include "core/elementary.h"
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

/* How much finer panels are than the default: the length of all over `shrink`; or how much coarser: only those that
 * grow from their least length no faster than the default, times `stretch`. Both are >= 1. */
struct fine {
    double shrink, stretch;
};

/* Panels nowhere longer than (length + slope max(0, distance - flat)), where distance is that of their nearest point
 * to the centre: the longest that starts at x from the centre and goes to the right. */
static double graded(double x, double length, double flat, double slope, struct fine fine)
{
    double beyond = fabs(x) - flat, least = fine.stretch * length / fine.shrink;
    if (beyond <= 0.0)
        return least;
    if (x > 0.0)
        return fmax(least, (length + slope * beyond) / fine.shrink);
    return fmax(least, (length + slope * beyond) / (fine.shrink + slope));
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
            double rescale = exponent < largest + NOTHING ? exp_of(largest - exponent) : 0.0;
            density *= rescale;
            gradient *= rescale;
            square *= rescale;
            inverse *= rescale;
            largest = exponent;
            dominant = k;
        } else
            weight = exp_of(exponent - largest);
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
    struct fine fine;
    double longest, finest;
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
        double wanted = graded(distance, LENGTH * sd, FLAT * sd, SLOPE, (struct fine){1.0, 1.0});
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
    const struct fine fine = {fmax(resolution, 1.0), fmax(1.0 / resolution, 1.0)};
    struct limits limits = {.mixture = mixture, .fine = fine, .longest = HUGE_VAL};
    double narrowest = HUGE_VAL;
    for (size_t k = 0; k < mixture->factor->components; k++)
        narrowest = fmin(narrowest, mixture->sd[k]);
    /* A single Gaussian's curvature is its width. */
    limits.least_bent = mixture->factor->components > 1 ? 0.1 * CURVED_LENGTH * narrowest / fine.shrink : HUGE_VAL;
    if (fineness == NULL)
        return limits;
    if (fineness->longest > 0.0)
        limits.longest = fineness->longest / fine.shrink;
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
    return graded(-ahead, CURVED_LENGTH * bend.length, 0.0, SLOPE, limits->fine);
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
    length = fmin(length, graded(0.0, CURVED_LENGTH * here->length, 0.0, SLOPE, limits->fine));
    double far = length * (1.0 + limits->fine.shrink / SLOPE);
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
    length = fmin(length, limits->longest);
    for (size_t k = 0; k < mixture->factor->components; k++) {
        double sd = mixture->sd[k];
        length = fmin(length, graded(position(mixture, from, k), LENGTH * sd, FLAT * sd, SLOPE, limits->fine));
    }
    for (size_t i = 0; i < limits->edges; i++)
        length =
            fmin(length, graded(difference(mixture, from, limits->edge[i]), limits->finest,
                                EDGE_FLAT * limits->finest, EDGE_SLOPE, (struct fine){limits->fine.shrink, 1.0}));
    if (length <= limits->least_bent)
        bend->length = 0.0;
    else
        length = bent_length(limits, from.component, from.sds * mixture->sd[from.component], length, bend);
    return length;
}

static enum status make_room(struct panels *panels, size_t count, struct error *error)
{
    if (count <= panels->capacity)
        return STATUS_OK;
    size_t capacity = panels->capacity > 0 ? 2 * panels->capacity : 64;
    capacity = count > capacity ? count : capacity;
    struct panel *grown = capacity <= MOST_PANELS ? array_resize(panels->panel, capacity, sizeof *grown) : NULL;
    if (grown == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for more than %zu panels", panels->capacity);
    panels->panel = grown;
    panels->capacity = capacity;
    return STATUS_OK;
}

static enum status push(struct panels *panels, struct panel panel, struct error *error)
{
    enum status status = make_room(panels, panels->count + 1, error);
    if (status == STATUS_OK)
        panels->panel[panels->count++] = panel;
    return status;
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
        length = fmin(left, length * (1.0 + SLOPE / limits->fine.shrink));
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
        panel.dominant = mixture_level_dominant(mixture, panel.anchor, panel.centre);
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

enum status panels_copy(const struct panels *panels, struct panels *out, struct error *error)
{
    enum status status = make_room(out, panels->count, error);
    if (status == STATUS_OK) {
        memcpy(out->panel, panels->panel, panels->count * sizeof *panels->panel);
        out->count = panels->count;
    }
    return status;
}

enum status panels_move(const struct panels *panels, const struct mixture_level *mixture, struct panels *out,
                        int *in_order, struct error *error)
{
    enum status status = panels_copy(panels, out, error);
    *in_order = 1;
    for (size_t p = 0; status == STATUS_OK && p < out->count; p++) {
        struct panel *panel = &out->panel[p];
        *in_order &= settle(mixture, panel);
        if (p > 0 && panels_at_end(out, p, 0)) { /* intervals that have grown together */
            struct place start = {panel->edge_anchor[0], panel->edge[0]};
            struct place end = {panel[-1].edge_anchor[1], panel[-1].edge[1]};
            *in_order &= difference(mixture, start, end) > 0.0;
        }
    }
    return status;
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
    double before[PANEL_NODES] = {0.0}, polynomial[PANEL_NODES] = {1.0}; /* T_{k-1} and T_k in powers */
    *chebyshev = (struct chebyshev){.node = {0.0}};
    for (int j = 0; j < HALF_NODES; j++) {
        double angle = M_PI * j / LAST;
        chebyshev->node[j] = -cos(angle);
        chebyshev->node[LAST - j] = -chebyshev->node[j];
        for (int k = 0; k <= LAST; k++) {
            double end = (j == 0 ? 0.5 : 1.0) * (k == 0 || k == LAST ? 1.0 : 2.0) / LAST;
            chebyshev->transform[k % 2][j][k / 2] = end * cos(k * angle);
        }
    }
    for (int k = 0; k <= LAST; k++) {
        double next[PANEL_NODES];
        for (int m = 0; m <= LAST; m++) {
            if ((k - m) % 2 == 0)
                chebyshev->powers[k % 2][k / 2][m / 2] = polynomial[m];
            next[m] = (k == 0 ? 1.0 : 2.0) * (m > 0 ? polynomial[m - 1] : 0.0) - before[m];
        }
        memcpy(before, polynomial, sizeof before);
        memcpy(polynomial, next, sizeof polynomial);
    }
    /* the integral of T_k is 2/(1 - k^2) for even k */
    for (int j = 0; j < PANEL_NODES; j++)
        for (int k = 0; k < HALF_NODES; k++)
            chebyshev->weight[j] +=
                chebyshev->transform[0][j < HALF_NODES ? j : LAST - j][k] * 2.0 / (1.0 - 4.0 * k * k);
}

/* Four numbers at a time; what the compiler makes of loops this short is several times slower. */
typedef double quad __attribute__((vector_size(4 * sizeof(double)), aligned(sizeof(double)), may_alias));
enum { QUADS = HALF_NODES / 4 };
_Static_assert(HALF_NODES % 4 == 0, "whole quads");

/* out[odd][i] = sum_j matrix[odd][j][i] x[odd][j] */
static inline void multiply(const double (*matrix)[HALF_NODES][HALF_NODES], double (*x)[HALF_NODES],
                            double (*out)[HALF_NODES])
{
    quad total[2][QUADS] = {{{0.0}}};
    for (int j = 0; j < HALF_NODES; j++)
        for (int odd = 0; odd < 2; odd++)
            for (int i = 0; i < QUADS; i++)
                total[odd][i] += ((const quad *)matrix[odd][j])[i] * x[odd][j];
    for (int odd = 0; odd < 2; odd++)
        for (int i = 0; i < QUADS; i++)
            ((quad *)out[odd])[i] = total[odd][i];
}

VECTOR_CLONES void panel_fit(const struct chebyshev *chebyshev, const double *values, struct panel *panel)
{
    double pair[2][HALF_NODES], degree[2][HALF_NODES], power[2][HALF_NODES];
    for (int j = 0; j < HALF_NODES; j++) {
        double left = values[j], right = values[PANEL_NODES - 1 - j];
        pair[0][j] = right + left;
        pair[1][j] = right - left;
    }
    multiply(chebyshev->transform, pair, degree);
    multiply(chebyshev->powers, degree, power);
    for (int i = 0; i < HALF_NODES; i++) {
        panel->coefficient[2 * i] = power[0][i];
        panel->coefficient[2 * i + 1] = power[1][i];
    }
}

/* A panel's polynomial at x, or at the end that is nearer to x. Terms are summed in pairs, pairs of pairs and so on:
 * the shorter the chain of operations that wait for one another, the more points are under way at a time. */
struct segment {
    const double *coefficient;
    double centre, inverse, from, to;
};

static inline struct segment segment_of(const struct panel *panel, double shift)
{
    double centre = panel->centre + shift;
    return (struct segment){panel->coefficient, centre, 1.0 / panel->half_width, centre - panel->half_width,
                            centre + panel->half_width};
}

static inline double evaluate_at(const struct segment *segment, double x)
{
    const double *c = segment->coefficient;
    double raised = x < segment->from ? segment->from : x, inside = raised > segment->to ? segment->to : raised;
    double u = (inside - segment->centre) * segment->inverse, square = u * u, fourth = square * square;
    double part[PANEL_NODES / 4];
    for (int k = 0; k < PANEL_NODES / 4; k++) {
        double low = c[4 * k + 1] * u + c[4 * k], high = c[4 * k + 3] * u + c[4 * k + 2];
        part[k] = high * square + low;
    }
    double low = part[1] * fourth + part[0], high = part[3] * fourth + part[2];
    return high * (fourth * fourth) + low;
}
_Static_assert(PANEL_NODES == 16, "four parts of four terms");

VECTOR_CLONES void panel_evaluate(const struct panel *panel, double shift, size_t n, const double *x, double *out)
{
    struct segment segment = segment_of(panel, shift);
    for (size_t i = 0; i < n; i++)
        out[i] = evaluate_at(&segment, x[i]);
}

enum { LANES = 4, ROWS = 64 };

/* Evaluates the polynomial at ascending points from `start` on up to `end`, of n; returns the index of the first
 * beyond. The panel's part is rounded up to whole vectors: what is evaluated beyond it is done again by the next
 * panel. */
static inline size_t evaluate_part(const struct segment *segment, double end, size_t start, size_t n, const double *x,
                                   double *out)
{
    size_t stop = start;
    while (stop + LANES <= n && x[stop + LANES - 1] <= end)
        stop += LANES;
    while (stop < n && !(x[stop] > end))
        stop++;
    size_t whole = (stop - start + LANES - 1) / LANES * LANES;
    if (start + whole > n)
        whole -= LANES;
    for (size_t i = start; i < start + whole; i++)
        out[i] = evaluate_at(segment, x[i]);
    if (start + whole < stop) {
        double rest[LANES], value[LANES];
        for (size_t i = 0; i < LANES; i++)
            rest[i] = x[start + whole + i < stop ? start + whole + i : stop - 1];
        for (size_t i = 0; i < LANES; i++)
            value[i] = evaluate_at(segment, rest[i]);
        for (size_t i = start + whole; i < stop; i++)
            out[i] = value[i - start - whole];
    }
    return stop;
}

/* Up to ROWS rows, each of which begins where the one before does or further right: panel by panel, so that what a
 * panel costs at all is spent once. */
VECTOR_CLONES static void evaluate_rows(const struct panels *panels, const struct mixture_level *mixture,
                                        size_t anchor, size_t rows, size_t n, const double *x, double *out,
                                        size_t *hint)
{
    const struct panel *panel = panels->panel;
    size_t at = *hint < panels->count ? *hint : 0, left = rows, place[ROWS];
    double shift = mixture_level_centre(mixture, panel[at].anchor, anchor);
    while (at > 0 && x[0] < panel[at].centre + shift - panel[at].half_width)
        shift = mixture_level_centre(mixture, panel[--at].anchor, anchor);
    while (at + 1 < panels->count && x[0] > panel[at].centre + shift + panel[at].half_width)
        shift = mixture_level_centre(mixture, panel[++at].anchor, anchor);
    *hint = at;
    for (size_t r = 0; r < rows; r++)
        place[r] = 0;
    for (; left > 0; at++) {
        struct segment segment = segment_of(&panel[at], mixture_level_centre(mixture, panel[at].anchor, anchor));
        double end = at + 1 < panels->count ? segment.to : HUGE_VAL;
        for (size_t r = 0; r < rows; r++) {
            if (place[r] == n || x[r * n + place[r]] > end)
                continue;
            place[r] = evaluate_part(&segment, end, place[r], n, x + r * n, out + r * n);
            left -= place[r] == n;
        }
    }
}

void panels_evaluate_rows(const struct panels *panels, const struct mixture_level *mixture, size_t anchor,
                          size_t rows, size_t n, const double *x, double *out, size_t *hint)
{
    size_t at = *hint;
    for (size_t r = 0; r < rows && n > 0; r += ROWS) {
        size_t some = rows - r < ROWS ? rows - r : ROWS;
        evaluate_rows(panels, mixture, anchor, some, n, x + r * n, out + r * n, &at);
        *hint = r == 0 ? at : *hint;
    }
}

void panels_evaluate(const struct panels *panels, const struct mixture_level *mixture, size_t anchor, size_t n,
                     const double *x, double *out, size_t *hint)
{
    panels_evaluate_rows(panels, mixture, anchor, 1, n, x, out, hint);
}
