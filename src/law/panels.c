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
/* The same in units of the length over which the score changes. */
#define CURVED_LENGTH 0.7
#define MOST_PANELS 1000000

static double component_sd(const struct mixture_level *mixture, size_t k)
{
    return mixture->sd[k];
}

/* The panel length that component k asks for at distance `distance` from its centre. */
static double wanted_length(double sd, double distance, double resolution)
{
    double beyond = distance / sd - FLAT;
    return sd * (LENGTH + (beyond > 0.0 ? SLOPE * beyond : 0.0)) / resolution;
}

/* The length over which the score changes: 1/sqrt|(log p)''|, which in a valley between components is a fraction of
 * their width. Not below a tenth of that width: sharper valleys hold no mass. At x in coordinates of component 0. */
static double curvature_length(const struct mixture_level *mixture, double x)
{
    double density = 0.0, gradient = 0.0, curvature = 0.0, largest = -HUGE_VAL, narrowest = 0.0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t k = 0; k < mixture->factor->components; k++) {
            double u = x - mixture_level_centre(mixture, k, 0), inverse = mixture->inverse_variance[k];
            double exponent = mixture->log_constant[k] - 0.5 * u * u * inverse;
            if (pass == 0) {
                largest = fmax(largest, exponent);
                continue;
            }
            double weight = exp(exponent - largest);
            density += weight;
            gradient -= weight * u * inverse;
            curvature += weight * inverse * (u * u * inverse - 1.0);
            if (weight > 1e-6)
                narrowest = fmax(narrowest, inverse);
        }
    double score = gradient / density;
    double rate = fabs(curvature / density - score * score);
    return 1.0 / sqrt(fmin(fmax(rate, 1e-4 * narrowest), 100.0 * narrowest));
}

/* In coordinates of component 0: the next point of the union of intervals at or after x, and the end of that
 * interval. */
static int next_interval(const struct mixture_level *mixture, double x, double *from, double *to)
{
    int found = 0;
    for (size_t k = 0; k < mixture->factor->components; k++) {
        double centre = mixture_level_centre(mixture, k, 0), reach = PANEL_REACH * component_sd(mixture, k);
        if (centre + reach > x) {
            double start = fmax(centre - reach, x);
            if (!found || start < *from)
                *from = start;
            found = 1;
        }
    }
    if (!found)
        return 0;
    *to = *from;
    for (int grew = 1; grew;) {
        grew = 0;
        for (size_t k = 0; k < mixture->factor->components; k++) {
            double centre = mixture_level_centre(mixture, k, 0), reach = PANEL_REACH * component_sd(mixture, k);
            if (centre - reach <= *to && centre + reach > *to) {
                *to = centre + reach;
                grew = 1;
            }
        }
    }
    return 1;
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

enum status panels_lay_out(const struct mixture_level *mixture, double resolution, const struct fineness *fineness,
                           struct panels *panels, struct error *error)
{
    size_t components = mixture->factor->components;
    (void)fineness;
    panels->count = 0;
    double x = -HUGE_VAL, end;
    while (next_interval(mixture, x, &x, &end)) {
        int first = 1;
        while (x < end) {
            double length = HUGE_VAL;
            size_t anchor = 0;
            for (size_t k = 0; k < components; k++) {
                double distance = fabs(x - mixture_level_centre(mixture, k, 0));
                double wanted = wanted_length(component_sd(mixture, k), distance, resolution);
                if (wanted < length) {
                    length = wanted;
                    anchor = k;
                }
            }
            if (components > 1)
                for (int look = 0; look < 2; look++)
                    for (int at = 0; at <= 2; at++)
                        length = fmin(length,
                                      CURVED_LENGTH / resolution * curvature_length(mixture, x + 0.5 * at * length));
            /* No sliver at the end: the last two share what is left. */
            double left = end - x;
            length = left <= length ? left : left < 2.0 * length ? 0.5 * left : length;
            double shift = mixture_level_centre(mixture, anchor, 0);
            double sd = component_sd(mixture, anchor);
            struct panel panel = {.anchor = anchor,
                                  .centre = (x - shift) + 0.5 * length,
                                  .half_width = 0.5 * length,
                                  .edge_anchor = {anchor, anchor},
                                  .edge = {(x - shift) / sd, (x - shift + length) / sd}};
            if (!first) { /* neighbours share their end */
                panel.edge_anchor[0] = panels->panel[panels->count - 1].edge_anchor[1];
                panel.edge[0] = panels->panel[panels->count - 1].edge[1];
            }
            first = 0;
            enum status status = push(panels, panel, error);
            if (status != STATUS_OK)
                return status;
            if (!(x + length > x))
                return fail_with(error, STATUS_NUMERIC,
                                 "component %zu is too narrow (sd %.3g) beside the others for this grid", anchor + 1,
                                 component_sd(mixture, anchor));
            x += length;
        }
    }
    return STATUS_OK;
}

enum status panels_move(const struct panels *panels, const struct mixture_level *mixture, struct panels *out,
                        int *in_order, struct error *error)
{
    out->count = 0;
    *in_order = 1;
    for (size_t p = 0; p < panels->count; p++) {
        struct panel panel = panels->panel[p];
        double end[2];
        for (int side = 0; side < 2; side++)
            end[side] = mixture_level_centre(mixture, panel.edge_anchor[side], panel.anchor)
                        + panel.edge[side] * component_sd(mixture, panel.edge_anchor[side]);
        panel.centre = 0.5 * (end[0] + end[1]);
        panel.half_width = 0.5 * (end[1] - end[0]);
        *in_order &= panel.half_width > 0.0;
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
    return left->edge_anchor[1] == right->edge_anchor[0] && !(left->edge[1] < right->edge[0]);
}

int panels_at_end(const struct panels *panels, size_t p, int side)
{
    const struct panel *panel = &panels->panel[p];
    if (side == 0)
        return p == 0 || !joined(panel - 1, panel);
    return p + 1 == panels->count || !joined(panel, panel + 1);
}

/* The ends are nodes: where a deterministic map moves the function by less than the distance between an end and the
 * next node, a panel must still learn from its neighbour what flows in. */
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
