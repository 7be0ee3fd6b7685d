#include "law/radial/panels.h"

#include <math.h>

#include "core/memory.h"
#include "law/layout.h"
#include "law/radial/tuning.h"
#include "law/tuning.h"

/* Where and how a rule for the panels' length applies: a shell, or a crossing of two components. */
struct feature {
    double centre, length, flat;
};

struct radial_layout {
    const struct radial_level *radial;
    double resolution;
    struct feature *feature; /* the shells first */
    size_t count;
};

/* Chernoff: P(chi2_d < y d) for y < 1, and P(chi2_d > y d) for y > 1, are at most exp(-d (y - 1 - log y)/2). The y
 * where this is exp(-RADIAL_SHELL_LOG_MASS), by bisection in log y; radii are sqrt(d y). */
static double end_of_shell(double dimension, double direction)
{
    double from = 0.0, to = direction * 2.0 * (1.0 + RADIAL_SHELL_LOG_MASS / dimension);
    for (int i = 0; i < 200; i++) {
        double middle = 0.5 * (from + to);
        if (middle == from || middle == to)
            break;
        if (expm1(middle) - middle < 2.0 * RADIAL_SHELL_LOG_MASS / dimension)
            from = middle;
        else
            to = middle;
    }
    double end = sqrt(dimension) * exp(0.5 * to);
    return end < 1.0 ? 0.0 : end; /* no sliver at the origin */
}

static struct feature shell(const struct radial_level *radial, double sd, double highest)
{
    double centre = sqrt(radial->dimension - 0.5);
    return (struct feature){sd * centre, PANEL_LENGTH * SHELL_WIDTH * sd,
                            RADIAL_PANEL_FLAT * (highest - centre) * sd};
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
    if (log_odds(radial, j, radial_level_dominant(radial, rho), rho) < -RADIAL_CROSSING_LOG_WEIGHT)
        return 0;
    double width = SHELL_WIDTH * fmin(radial->sd[j], radial->sd[k]), inverse = 1.0 / (width * width);
    *out = (struct feature){rho, PANEL_BEND_LENGTH / sqrt(fmin(slope * slope + inverse, 100.0 * inverse)), 0.0};
    return 1;
}

/* Functions of the layout. */

static size_t strictest(const void *context, size_t anchor, double rho, double *length)
{
    const struct radial_layout *layout = context;
    size_t strictest = anchor;
    *length = HUGE_VAL;
    for (size_t k = 0; k < layout->radial->factor->components; k++) {
        const struct feature *shell = &layout->feature[k];
        double wanted = graded(rho - shell->centre, shell->length, shell->flat, PANEL_SLOPE, (struct fine){1.0, 1.0});
        if (wanted < *length) {
            *length = wanted;
            strictest = k;
        }
    }
    return strictest;
}

static enum status find_features(struct radial_layout *layout, double highest, double narrow, struct error *error)
{
    size_t components = layout->radial->factor->components;
    layout->feature = array_new(components + components * (components - 1) / 2 + 1, sizeof *layout->feature);
    if (layout->feature == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu components", components);
    for (size_t k = 0; k < components; k++)
        layout->feature[k] = shell(layout->radial, layout->radial->sd[k], highest);
    layout->count = components;
    for (size_t j = 0; j < components; j++)
        for (size_t k = 0; k < j; k++)
            layout->count += crossing(layout->radial, j, k, &layout->feature[layout->count]) ? 1 : 0;
    struct feature of_q = shell(layout->radial, narrow, highest);
    double own;
    (void)strictest(layout, 0, of_q.centre, &own);
    if (narrow > 0.0 && own > PANEL_NARROW * of_q.length)
        layout->feature[layout->count++] = of_q;
    return STATUS_OK;
}

static double longest(void *context, struct place from, double length, bool restart)
{
    const struct radial_layout *layout = context;
    double rho = from.sds * layout->radial->sd[from.component];
    (void)restart;
    for (size_t i = 0; i < layout->count; i++) {
        const struct feature *feature = &layout->feature[i];
        length = fmin(length, graded(rho - feature->centre, feature->length, feature->flat, PANEL_SLOPE,
                                     (struct fine){layout->resolution, 1.0}));
    }
    return rho > 0.0 ? length : 0.5 * length; /* the mirror image of a panel at the origin is its other half */
}

static void complete(const void *context, struct panel *panel)
{
    panel->anchor = radial_level_dominant(((const struct radial_layout *)context)->radial, panel->centre);
}

static struct frame frame_of(const struct radial_level *radial)
{
    return (struct frame){.components = radial->factor->components, .sd = radial->sd};
}

enum status radial_panels_lay_out(const struct radial_level *radial, double resolution, double narrow,
                                  struct panels *panels, struct error *error)
{
    struct radial_layout context = {.radial = radial, .resolution = resolution};
    const struct layout layout = {.frame = frame_of(radial),
                                  .lowest = end_of_shell(radial->dimension, -1.0),
                                  .highest = end_of_shell(radial->dimension, 1.0),
                                  .gap = PANEL_GAP * SHELL_WIDTH,
                                  .shrink = resolution,
                                  .strictest = strictest,
                                  .longest = longest,
                                  .complete = complete,
                                  .context = &context};
    enum status status = find_features(&context, layout.highest, narrow, error);
    if (status == STATUS_OK)
        status = layout_make(&layout, panels, error);
    free(context.feature);
    return status;
}

enum status radial_panels_move(const struct panels *panels, const struct radial_level *radial, struct panels *out,
                               int *in_order, struct error *error)
{
    const struct frame frame = frame_of(radial);
    return layout_move(&frame, panels, out, in_order, error);
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
    panel_nodes(&basis->chebyshev, panel, rho);
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

enum { VECTOR = 8 };

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
        /* whole vectors: what lies beyond is evaluated again */
        size_t whole = (stop - start + VECTOR - 1) / VECTOR * VECTOR;
        panel_evaluate(&panel[at], 0.0, whole < n - start ? whole : n - start, rho + start, out + start);
        start = stop;
    }
    *hint = at;
}
