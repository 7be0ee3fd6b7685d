/* Panels for a mixture on the line. */
#include <math.h>

#include "core/elementary.h"
#include "law/layout.h"
#include "law/panels.h"
#include "law/tuning.h"

static struct frame frame_of(const struct mixture_level *mixture)
{
    return (struct frame){mixture->factor->components, mixture->sd, mixture->factor->mean, mixture->root_alpha_bar};
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
        if (exponent < largest - NEGLIGIBLE_LOG_WEIGHT)
            continue;
        if (exponent > largest) {
            double rescale = exponent < largest + NEGLIGIBLE_LOG_WEIGHT ? exp_of(largest - exponent) : 0.0;
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
    double tail = fabs(score) / sqrt(inverse) - PANEL_FLAT, growth = tail > 0.0 ? 1.0 + PANEL_SLOPE * tail : 1.0;
    double rate = variance + inverse / (growth * growth);
    return (struct bend){1.0 / sqrt(lesser(100.0 * inverse, rate)), dominant};
}

/* What sets the length of panels, at one level. */
struct limits {
    const struct mixture_level *mixture;
    struct frame frame;
    struct fine fine;
    double longest, finest;
    double least_bent; /* panels no longer than this need not look for bends */
    size_t edges;
    struct place edge[PANEL_EDGES];
    double narrow; /* the scale of q around `origin`; 0: p's panels resolve it */
    struct place origin;
    struct bend bend; /* at the start of the next panel */
};

/* The component whose rule is the strictest at x, in the coordinates of the anchor. */
static size_t strictest(const struct mixture_level *mixture, size_t anchor, double x, double *length)
{
    size_t strictest = anchor;
    *length = HUGE_VAL;
    for (size_t k = 0; k < mixture->factor->components; k++) {
        double sd = mixture->sd[k];
        if (!(PANEL_LENGTH * sd < *length)) /* the least that it may want */
            continue;
        double distance = fabs(x - mixture_level_centre(mixture, k, anchor));
        double wanted = graded(distance, PANEL_LENGTH * sd, PANEL_FLAT * sd, PANEL_SLOPE, (struct fine){1.0, 1.0});
        if (wanted < *length) {
            *length = wanted;
            strictest = k;
        }
    }
    return strictest;
}

/* An absolute position, relative to the component whose rule is the strictest there, and that rule's length. */
static struct place place_of(const struct mixture_level *mixture, double position, double *length)
{
    const double *mean = mixture->factor->mean;
    size_t k = strictest(mixture, 0, position - mixture->root_alpha_bar * mean[0], length);
    return (struct place){k, (position - mixture->root_alpha_bar * mean[k]) / mixture->sd[k]};
}

static struct limits make_limits(const struct mixture_level *mixture, double resolution,
                                 const struct fineness *fineness)
{
    const struct fine fine = {greater(resolution, 1.0), greater(1.0 / resolution, 1.0)};
    struct limits limits = {.mixture = mixture, .frame = frame_of(mixture), .fine = fine, .longest = HUGE_VAL};
    double narrowest = HUGE_VAL;
    for (size_t k = 0; k < mixture->factor->components; k++)
        narrowest = lesser(narrowest, mixture->sd[k]);
    /* A single Gaussian's curvature is its width, and a density's places and scales say all. */
    limits.least_bent = mixture->factor->components > 1 && mixture->masses == NULL
                            ? 0.1 * PANEL_BEND_LENGTH * narrowest / fine.shrink
                            : HUGE_VAL;
    if (fineness == NULL)
        return limits;
    if (fineness->longest > 0.0)
        limits.longest = fineness->longest / fine.shrink;
    double own;
    limits.origin = place_of(mixture, 0.0, &own);
    limits.narrow = own > PANEL_NARROW * PANEL_LENGTH * fineness->narrow ? fineness->narrow : 0.0;
    limits.finest = fineness->finest;
    limits.edges = fineness->finest > 0.0 ? fineness->edges : 0;
    for (size_t i = 0; i < limits.edges; i++) {
        double wanted;
        limits.edge[i] = place_of(mixture, fineness->edge[i], &wanted);
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
    double part = 2.0 * first / (sqrt(greater(linear * linear - 4.0 * square * first, 0.0)) - linear);
    return from + width * (part > 0.0 && part < 1.0 ? part : 0.5);
}

/* The longest panel from x on that is short enough for a bend `ahead` of x, approached as a component is. */
static double before_bend(const struct limits *limits, struct bend bend, double ahead)
{
    return graded(-ahead, PANEL_BEND_LENGTH * bend.length, 0.0, PANEL_SLOPE, limits->fine);
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
        length = lesser(length, before_bend(limits, bend, valley - x));
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
    length = lesser(length, graded(0.0, PANEL_BEND_LENGTH * here->length, 0.0, PANEL_SLOPE, limits->fine));
    double far = length * (1.0 + limits->fine.shrink / PANEL_SLOPE);
    struct bend end = bend_at(mixture, anchor, x + length);
    /* a bend at `far` does not shorten the panel by itself: (L + slope far)/(shrink + slope) > length */
    struct bend beyond = {0.0, mixture_level_dominant(mixture, anchor, x + far)};
    double shortest = lesser(length, before_bend(limits, end, length));
    shortest = lesser(shortest, before_valleys(limits, anchor, x, 0.0, length, *here, end));
    shortest = lesser(shortest, before_valleys(limits, anchor, x, length, far, end, beyond));
    *here = end;
    if (shortest < length)
        here->length = 0.0;
    return shortest;
}

/* The longest panel that starts at x, and at most `length`. */
static double longest_panel(struct limits *limits, struct place from, double length)
{
    const struct mixture_level *mixture = limits->mixture;
    length = lesser(length, limits->longest);
    for (size_t k = 0; k < mixture->factor->components; k++) {
        double sd = mixture->sd[k];
        if (!(limits->fine.stretch * PANEL_LENGTH * sd < length * limits->fine.shrink)) /* the least it may want */
            continue;
        length = lesser(length, graded(place_position(&limits->frame, from, k), PANEL_LENGTH * sd, PANEL_FLAT * sd,
                                       PANEL_SLOPE, limits->fine));
    }
    for (size_t i = 0; i < limits->edges; i++)
        length = lesser(length, graded(place_difference(&limits->frame, from, limits->edge[i]), limits->finest,
                                       PANEL_JUMP_FLAT * limits->finest, PANEL_JUMP_SLOPE,
                                       (struct fine){limits->fine.shrink, 1.0}));
    if (limits->narrow > 0.0)
        length = lesser(length,
                        graded(place_difference(&limits->frame, from, limits->origin), PANEL_LENGTH * limits->narrow,
                               PANEL_FLAT * limits->narrow, PANEL_SLOPE, (struct fine){limits->fine.shrink, 1.0}));
    if (length <= limits->least_bent)
        limits->bend.length = 0.0;
    else
        length = bent_length(limits, from.component, from.sds * mixture->sd[from.component], length, &limits->bend);
    return length;
}

/* Functions of the layout. */

static size_t strictest_rule(const void *context, size_t anchor, double x, double *length)
{
    return strictest(((const struct limits *)context)->mixture, anchor, x, length);
}

static double longest_from(void *context, struct place from, double length, bool restart)
{
    struct limits *limits = context;
    if (restart)
        limits->bend.length = 0.0;
    return longest_panel(limits, from, length);
}

static void complete(const void *context, struct panel *panel)
{
    const struct limits *limits = context;
    panel->dominant = mixture_level_dominant(limits->mixture, panel->anchor, panel->centre);
}

enum status panels_lay_out(const struct mixture_level *mixture, double resolution, const struct fineness *fineness,
                           struct panels *panels, struct error *error)
{
    struct limits limits = make_limits(mixture, resolution, fineness);
    const struct layout layout = {.frame = limits.frame,
                                  .lowest = -PANEL_REACH,
                                  .highest = PANEL_REACH,
                                  .gap = PANEL_GAP,
                                  .shrink = limits.fine.shrink,
                                  .strictest = strictest_rule,
                                  .longest = longest_from,
                                  .complete = complete,
                                  .context = &limits};
    return layout_make(&layout, panels, error);
}

enum status panels_move(const struct panels *panels, const struct mixture_level *mixture, struct panels *out,
                        int *in_order, struct error *error)
{
    const struct frame frame = frame_of(mixture);
    return layout_move(&frame, panels, out, in_order, error);
}
