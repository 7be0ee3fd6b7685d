#include "law/radial_panels.h"

#include <math.h>

#include "core/memory.h"

/* As in law/panels.c: panel length, in standard deviations of a shell, over FLAT of the way from its middle to its
 * outer end, and how it grows beyond; length next to a point where the score bends, in units of the length over which
 * it does; and the gap that is still covered, in standard deviations. */
#define LENGTH 1.0
#define FLAT 0.75
#define SLOPE 1.0
#define CURVED_LENGTH 0.7
#define GAP 12.0
/* -log of a component's mass beyond its ends, each. */
#define REACH 150.0
/* Components that much (in logarithms) below the largest density do not bend the score. */
#define FAINT 8.0
#define MOST_PANELS 1000000

/* Where and how a rule for the panels' length applies: a shell, or a crossing of two components. */
struct feature {
    double centre, length, flat;
};

struct layout {
    const struct radial_level *radial;
    double resolution;
    double lowest, highest; /* radii of a shell's ends, in units of its sd */
    struct feature *feature;
    size_t count;
};

/* Chernoff: P(chi2_d < y d) for y < 1, and P(chi2_d > y d) for y > 1, are at most exp(-d (y - 1 - log y)/2). The y
 * where this is exp(-REACH), by bisection in log y; radii are sqrt(d y). */
static double end_of_shell(double dimension, double direction)
{
    double from = 0.0, to = direction * 2.0 * (1.0 + REACH / dimension);
    for (int i = 0; i < 200; i++) {
        double middle = 0.5 * (from + to);
        if (expm1(middle) - middle < 2.0 * REACH / dimension)
            from = middle;
        else
            to = middle;
    }
    double end = sqrt(dimension) * exp(0.5 * to);
    return end < 1.0 ? 0.0 : end; /* no sliver at the origin */
}

/* Panels nowhere longer than (length + SLOPE max(0, distance - flat))/resolution, where distance is that of their
 * nearest point to the centre: the longest that starts at x from the centre and goes outward. */
static double graded(double x, const struct feature *feature, double resolution)
{
    double beyond = fabs(x) - feature->flat;
    if (beyond <= 0.0)
        return feature->length / resolution;
    if (x > 0.0)
        return (feature->length + SLOPE * beyond) / resolution;
    return fmax(feature->length / resolution, (feature->length + SLOPE * beyond) / (resolution + SLOPE));
}

static struct feature shell(const struct layout *layout, size_t k)
{
    double sd = layout->radial->sd[k], centre = sqrt(layout->radial->dimension - 0.5);
    return (struct feature){sd * centre, LENGTH * SHELL_WIDTH * sd, FLAT * (layout->highest - centre) * sd};
}

/* log of the odds of components j and k at radius rho. */
static double log_odds(const struct radial_level *radial, size_t j, size_t k, double rho)
{
    return radial->log_weight[j] - radial->log_weight[k]
           - 0.5 * radial->dimension * radial_level_log_variance_ratio(radial, j, k)
           - 0.5 * rho * rho * radial_level_precision_difference(radial, j, k);
}

/* Where j and k have the same density, if they do and no other has a much larger one. The score changes over the
 * length that the odds take to change; where it is below a tenth of the shell's width there is no mass. */
static int crossing(const struct radial_level *radial, size_t j, size_t k, struct feature *out)
{
    double difference = radial_level_precision_difference(radial, j, k);
    double square = 2.0 * log_odds(radial, j, k, 0.0) / difference;
    if (!(square > 0.0) || !isfinite(square))
        return 0;
    double rho = sqrt(square), slope = 0.5 * rho * difference;
    if (log_odds(radial, j, radial_level_dominant(radial, rho), rho) < -FAINT)
        return 0;
    double width = SHELL_WIDTH * fmin(radial->sd[j], radial->sd[k]), inverse = 1.0 / (width * width);
    *out = (struct feature){rho, CURVED_LENGTH / sqrt(fmin(slope * slope + inverse, 100.0 * inverse)), 0.0};
    return 1;
}

static enum status find_features(struct layout *layout, struct error *error)
{
    size_t components = layout->radial->factor->components;
    layout->feature = array_new(components + components * (components - 1) / 2, sizeof *layout->feature);
    if (layout->feature == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu components", components);
    for (size_t k = 0; k < components; k++)
        layout->feature[k] = shell(layout, k);
    layout->count = components;
    for (size_t j = 0; j < components; j++)
        for (size_t k = 0; k < j; k++)
            layout->count += crossing(layout->radial, j, k, &layout->feature[layout->count]) ? 1 : 0;
    return STATUS_OK;
}

static double longest_panel(const struct layout *layout, double from)
{
    double length = HUGE_VAL;
    for (size_t i = 0; i < layout->count; i++)
        length = fmin(length, graded(from - layout->feature[i].centre, &layout->feature[i], layout->resolution));
    return length;
}

/* The component whose rule is the strictest at rho: what ends there moves with it. */
static size_t strictest(const struct layout *layout, double rho)
{
    size_t strictest = 0;
    double least = HUGE_VAL;
    for (size_t k = 0; k < layout->radial->factor->components; k++) {
        double wanted = graded(rho - layout->feature[k].centre, &layout->feature[k], 1.0);
        if (wanted < least) {
            least = wanted;
            strictest = k;
        }
    }
    return strictest;
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
static int settle(const struct radial_level *radial, struct panel *panel)
{
    double left = panel->edge[0] * radial->sd[panel->edge_anchor[0]];
    double right = panel->edge[1] * radial->sd[panel->edge_anchor[1]];
    panel->centre = 0.5 * (left + right);
    panel->half_width = 0.5 * (right - left);
    return panel->half_width > 0.0;
}

/* The first interval that ends beyond `covered`: shells no further apart than GAP widths of the wider one share it.
 */
static int next_interval(const struct layout *layout, double covered, double *from, double *to)
{
    const struct radial_level *radial = layout->radial;
    size_t components = radial->factor->components;
    *from = HUGE_VAL;
    for (size_t k = 0; k < components; k++)
        if (radial->sd[k] * layout->highest > covered)
            *from = fmin(*from, radial->sd[k] * layout->lowest);
    if (!isfinite(*from))
        return 0;
    *to = *from;
    /* shells by increasing sd end in increasing order, so every pass but the last moves the end */
    for (int grew = 1; grew;) {
        grew = 0;
        for (size_t k = 0; k < components; k++) {
            double sd = radial->sd[k], end = sd * layout->highest;
            if (end > *to && sd * (layout->lowest - GAP * SHELL_WIDTH) <= *to) {
                *to = end;
                grew = 1;
            }
        }
    }
    return 1;
}

static enum status lay_out_interval(const struct layout *layout, double from, double to, struct panels *panels,
                                    struct error *error)
{
    const struct radial_level *radial = layout->radial;
    double length = HUGE_VAL;
    size_t here = strictest(layout, from);
    double edge = from / radial->sd[here];
    for (int last = 0; !last;) {
        double left = to - from;
        length = fmin(left, fmin(length * (1.0 + SLOPE / layout->resolution), longest_panel(layout, from)));
        length *= from > 0.0 ? 1.0 : 0.5; /* its mirror image is the other half */
        last = left <= length;
        if (!last && left < 2.0 * length) /* no sliver at the end: the last two share what is left */
            length = 0.5 * left;
        double end = last ? to : from + length;
        size_t there = strictest(layout, end);
        struct panel panel = {.anchor = radial_level_dominant(radial, 0.5 * (from + end)),
                              .edge_anchor = {here, there},
                              .edge = {edge, end / radial->sd[there]}};
        if (!settle(radial, &panel))
            return fail_with(error, STATUS_NUMERIC, "panels of length %.3g at radius %.3g are too short", length,
                             from);
        enum status status = push(panels, panel, error);
        if (status != STATUS_OK)
            return status;
        from = end;
        here = there;
        edge = panel.edge[1];
    }
    return STATUS_OK;
}

enum status radial_panels_lay_out(const struct radial_level *radial, double resolution, struct panels *panels,
                                  struct error *error)
{
    struct layout layout = {.radial = radial,
                            .resolution = resolution,
                            .lowest = end_of_shell(radial->dimension, -1.0),
                            .highest = end_of_shell(radial->dimension, 1.0)};
    double from, to;
    enum status status = find_features(&layout, error);
    panels->count = 0;
    for (int more = next_interval(&layout, 0.0, &from, &to); more && status == STATUS_OK;
         more = next_interval(&layout, to, &from, &to))
        status = lay_out_interval(&layout, from, to, panels, error);
    free(layout.feature);
    return status;
}

enum status radial_panels_move(const struct panels *panels, const struct radial_level *radial, struct panels *out,
                               int *in_order, struct error *error)
{
    double end = 0.0;
    out->count = 0;
    *in_order = 1;
    for (size_t p = 0; p < panels->count; p++) {
        struct panel panel = panels->panel[p];
        *in_order &= settle(radial, &panel);
        if (p > 0 && panels_at_end(panels, p, 0)) /* intervals that have grown together */
            *in_order &= panel.edge[0] * radial->sd[panel.edge_anchor[0]] > end;
        end = panel.edge[1] * radial->sd[panel.edge_anchor[1]];
        enum status status = push(out, panel, error);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

enum { HALF = PANEL_NODES / 2 };

static int at_origin(const struct panel *panel)
{
    return panel->edge[0] == 0.0;
}

/* Nodes of [-1, 1] with both ends, the positive ones. */
static double half_node(size_t j)
{
    return cos(M_PI * (double)(HALF - 1 - j) / (PANEL_NODES - 1));
}

/* Lagrange's formula in the squares. */
void radial_basis_init(struct radial_basis *basis)
{
    chebyshev_init(&basis->chebyshev);
    for (size_t i = 0; i < PANEL_NODES; i++)
        for (size_t j = 0; j < HALF; j++) {
            double x = 0.5 * (1.0 + basis->chebyshev.node[i]), at = half_node(j);
            basis->even[i][j] = 1.0;
            for (size_t k = 0; k < HALF; k++)
                if (k != j)
                    basis->even[i][j] *=
                        (x - half_node(k)) * (x + half_node(k)) / ((at - half_node(k)) * (at + half_node(k)));
        }
}

size_t radial_panel_nodes(const struct radial_basis *basis, const struct panel *panel, double *rho)
{
    if (at_origin(panel)) {
        for (size_t j = 0; j < HALF; j++)
            rho[j] = 2.0 * panel->half_width * half_node(j);
        return HALF;
    }
    for (size_t j = 0; j < PANEL_NODES; j++)
        rho[j] = panel->centre + panel->half_width * basis->chebyshev.node[j];
    return PANEL_NODES;
}

void radial_panel_fit(const struct radial_basis *basis, const double *values, struct panel *panel)
{
    double own[PANEL_NODES];
    if (!at_origin(panel)) {
        panel_fit(&basis->chebyshev, values, panel);
        return;
    }
    for (size_t i = 0; i < PANEL_NODES; i++) {
        own[i] = 0.0;
        for (size_t j = 0; j < HALF; j++)
            own[i] += basis->even[i][j] * values[j];
    }
    panel_fit(&basis->chebyshev, own, panel);
}

void radial_panels_evaluate(const struct panels *panels, size_t n, const double *rho, double *out, size_t *hint)
{
    const struct panel *panel = panels->panel;
    size_t at = *hint < panels->count ? *hint : 0;
    for (size_t start = 0; start < n;) {
        while (at > 0 && rho[start] < panel[at].centre - panel[at].half_width)
            at--;
        while (at + 1 < panels->count && rho[start] > panel[at].centre + panel[at].half_width)
            at++;
        double from = at > 0 ? panel[at].centre - panel[at].half_width : 0.0;
        double to = at + 1 < panels->count ? panel[at].centre + panel[at].half_width : HUGE_VAL;
        size_t stop = start + 1;
        while (stop < n && rho[stop] >= from && rho[stop] <= to)
            stop++;
        panel_evaluate(&panel[at], 0.0, stop - start, rho + start, out + start);
        start = stop;
    }
    *hint = at;
}
