/* The n columns of component k lie at u_i with Phi(u_i/W) = (i + 1/2)/n, W = CYLINDER_COLUMN_STRETCH, the midpoint
 * rule in Phi(u/W). In the integral of p_k over the axis, N(u; 0, 1) du, column i has the weight W exp(u_i^2/(2 W^2)
 * - u_i^2/2)/n. */
#include "law/cylinder/columns.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "law/cylinder/transfer.h"
#include "law/cylinder/tuning.h"
#include "law/resample.h"
#include "law/tuning.h"
#include "model/radial_level.h"

enum { MOST_BISECTIONS = 10 };

struct column {
    size_t component;
    double u, log_weight;
};

/* A panel's anchor is the number of its column. Across the axis a component is a shell of n = d - 1 dimensions. */
struct columns {
    struct law_density base;
    const struct factor *factor; /* the target's */
    struct level level;
    struct factor *across;      /* of each component, its shell */
    struct radial_level *shell; /* at the level */
    size_t count;
    struct column *column;
};

static const double one = 1.0;

static const struct column *column_of(const struct columns *columns, const struct panel *panel)
{
    return &columns->column[panel->anchor];
}

static void log_density(const struct law_density *density, const struct panel *panel, size_t n, const double *x,
                        double *out)
{
    const struct columns *columns = (const struct columns *)density;
    const struct column *column = column_of(columns, panel);
    radial_level_log_density(&columns->shell[column->component], n, x, out);
    for (size_t i = 0; i < n; i++)
        out[i] += column->log_weight;
}

static void log_part(const struct law_density *density, const struct panel *panel, size_t k, size_t n,
                     const double *x, double *out)
{
    if (column_of((const struct columns *)density, panel)->component == k)
        log_density(density, panel, n, x, out);
    else
        for (size_t i = 0; i < n; i++)
            out[i] = -HUGE_VAL;
}

/* Nothing lies beyond the axis. */
static double sd(const struct law_density *density, const struct panel *panel)
{
    const struct columns *columns = (const struct columns *)density;
    return panel->edge[0] == 0.0 ? 0.0 : M_SQRT1_2 * columns->shell[column_of(columns, panel)->component].sd[0];
}

static size_t line(const struct law_density *density, const struct panel *panel)
{
    (void)density;
    return panel->anchor;
}

static void columns_free(struct law_density *density)
{
    struct columns *columns = (struct columns *)density;
    for (size_t k = 0; columns->shell != NULL && k < columns->factor->components; k++)
        radial_level_free(&columns->shell[k]);
    free(columns->shell);
    free(columns->across);
    free(columns->column);
    free(columns);
}

static enum status columns_copy(const struct law_density *density, struct law_density **out, struct error *error);

static enum status columns_new(const struct factor *factor, const struct level *level, size_t count,
                               struct law_density **out, struct error *error)
{
    size_t components = factor->components;
    struct columns *columns = array_new(1, sizeof *columns);
    *out = (struct law_density *)columns;
    if (columns == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a law around an axis");
    columns->base = (struct law_density){.log_density = log_density,
                                         .log_part = log_part,
                                         .sd = sd,
                                         .copy = columns_copy,
                                         .free = columns_free,
                                         .line = line};
    columns->factor = factor;
    columns->level = *level;
    columns->across = array_new(components, sizeof *columns->across);
    columns->shell = array_new(components, sizeof *columns->shell);
    columns->column = array_new(count, sizeof *columns->column);
    if (columns->across == NULL || columns->shell == NULL || columns->column == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu columns", count);
    for (size_t k = 0; k < components; k++) {
        columns->across[k] = (struct factor){factor->dimension - 1, 1, &one, NULL, &factor->sd[k], NULL, NULL, NULL};
        TRY(radial_level_new(&columns->across[k], &columns->shell[k], error));
        radial_level_set(&columns->shell[k], level);
    }
    return STATUS_OK;
}

static enum status columns_copy(const struct law_density *density, struct law_density **out, struct error *error)
{
    const struct columns *from = (const struct columns *)density;
    enum status status = columns_new(from->factor, &from->level, from->count, out, error);
    if (status == STATUS_OK) {
        ((struct columns *)*out)->count = from->count;
        memcpy(((struct columns *)*out)->column, from->column, from->count * sizeof *from->column);
    } else if (*out != NULL) {
        columns_free(*out);
        *out = NULL;
    }
    return status;
}

/* ---- Places ---- */

/* u with Phi(u/W) = s, by bisection. */
static double place_at(double s)
{
    double low = -CYLINDER_COLUMN_REACH - 1.0, high = -low;
    for (int i = 0; i < 80; i++) {
        double middle = 0.5 * (low + high);
        *(0.5 * erfc(-middle * M_SQRT1_2 / CYLINDER_COLUMN_STRETCH) < s ? &low : &high) = middle;
    }
    return 0.5 * (low + high);
}

/* Of component k in the density of all columns, which is p_k alone where it is followed alone. */
static double log_weight_of(const struct law_problem *problem, size_t k)
{
    return problem->component > 0 ? 0.0 : factor_log_weight(problem->factor, k);
}

static void place_columns(struct columns *columns, const struct law_problem *problem, size_t each)
{
    for (size_t k = 0; k < columns->factor->components; k++)
        for (size_t i = 0; i < each && (problem->component == 0 || problem->component == k + 1); i++) {
            double u = place_at(((double)i + 0.5) / (double)each), scaled = u / CYLINDER_COLUMN_STRETCH;
            if (fabs(u) > CYLINDER_COLUMN_REACH)
                continue;
            double log_slope = -0.5 * scaled * scaled - log(CYLINDER_COLUMN_STRETCH);
            columns->column[columns->count++] =
                (struct column){k, u, log_weight_of(problem, k) - 0.5 * u * u - log_slope - log((double)each)};
        }
}

/* ---- Panels ---- */

struct maker {
    const struct columns *columns;
    const struct patches *grid;
    const struct law_problem *problem;
    const struct lobattos *lobattos;
    struct chebyshev chebyshev;
    struct patches_work work;
    double across, shift, tolerance;
    size_t nearest;
};

static void evaluate(struct maker *maker, const struct column *column, size_t n, const double *rho, double *out)
{
    double z[PANEL_NODES], scale = maker->columns->shell[column->component].sd[0];
    const struct patches *grid = &maker->grid[column->component];
    for (size_t i = 0; i < n; i++)
        z[i] = cylinder_coordinate(maker->across, rho[i] / scale) - maker->shift;
    size_t nearest = patches_find(grid, 0, column->u, z[n / 2]);
    patches_evaluate(grid, maker->lobattos, 0, nearest, 1, &column->u, n, z, out, &maker->work);
}

/* Appends the panels of [from, to], cut where one does not hold log r to the tolerance. */
static enum status append(struct maker *maker, size_t index, double from, double to, int depth, struct law *law,
                          struct norm_sums *sums, struct error *error)
{
    const struct column *column = &maker->columns->column[index];
    struct panel panel = {.anchor = index,
                          .centre = 0.5 * (from + to),
                          .half_width = 0.5 * (to - from),
                          .edge_anchor = {index, index},
                          .edge = {from, to}};
    double x[PANEL_NODES], value[PANEL_NODES], made[PANEL_PROBES], log_p[PANEL_PROBES];
    struct norm_sums own = {0.0, 0.0, 0.0};
    for (size_t j = 0; j < PANEL_NODES; j++)
        x[j] = panel.centre + panel.half_width * maker->chebyshev.node[j];
    evaluate(maker, column, PANEL_NODES, x, value);
    panel_fit(&maker->chebyshev, value, &panel);
    panel_probes(&panel, x);
    evaluate(maker, column, PANEL_PROBES, x, value);
    panel_evaluate(&panel, 0.0, PANEL_PROBES, x, made);
    log_part(&maker->columns->base, &panel, column->component, PANEL_PROBES, x, log_p);
    for (size_t j = 0; j < PANEL_PROBES; j++)
        log_p[j] -= log_weight_of(maker->problem, column->component); /* in p_k */
    panel_add_errors(&panel, log_p, value, made, NULL, &own);
    if (depth > 0 && own.l1 > maker->tolerance) {
        TRY(append(maker, index, from, panel.centre, depth - 1, law, sums, error));
        return append(maker, index, panel.centre, to, depth - 1, law, sums, error);
    }
    sums->l1 += own.l1;
    sums->l2_squared += own.l2_squared;
    TRY(panels_reserve(&law->log_ratio, law->log_ratio.count + 1, error));
    law->log_ratio.panel[law->log_ratio.count++] = panel;
    return STATUS_OK;
}

/* rho, in standard deviations, where the patches end on this column, with a margin: with rho^2 = n e^s, Chernoff's
 * bound n (e^s - 1 - s)/2 and u^2/2 add up to CYLINDER_REACH + 1/2. Direction -1: towards the axis, 1: away from it.
 */
static double end_of(double across, double u, double direction)
{
    double left = fmax(CYLINDER_REACH - 0.5 * u * u, 0.0) + 0.5, from = 0.0,
           to = direction * 2.0 * (1.0 + left / across);
    for (int i = 0; i < 100; i++) {
        double middle = 0.5 * (from + to);
        *(0.5 * across * (expm1(middle) - middle) < left ? &from : &to) = middle;
    }
    return sqrt(across) * exp(0.5 * to);
}

static enum status make_column(struct maker *maker, size_t index, struct law *law, struct norm_sums *sums,
                               struct error *error)
{
    const struct column *column = &maker->columns->column[index];
    double scale = maker->columns->shell[column->component].sd[0], from = end_of(maker->across, column->u, -1.0),
           to = end_of(maker->across, column->u, 1.0);
    from = from < 1.0 ? 0.0 : from; /* no short panel between the axis and `from` */
    size_t count = (size_t)ceil((to - from) / CYLINDER_PANEL);
    for (size_t i = 0; i < count; i++) {
        double step = (to - from) / (double)count;
        TRY(append(maker, index, scale * (from + step * (double)i), scale * (from + step * (double)(i + 1)),
                   MOST_BISECTIONS, law, sums, error));
    }
    return STATUS_OK;
}

enum status cylinder_columns_make(const struct patches *grid, double shift, const struct law_problem *problem,
                                  const struct lobattos *lobattos, const struct level *level, double resolution,
                                  const double *distance, struct law *out, struct error *error)
{
    const struct factor *factor = problem->factor;
    struct maker maker = {.grid = grid,
                          .problem = problem,
                          .lobattos = lobattos,
                          .shift = shift,
                          .across = (double)factor->dimension - 1.0};
    size_t each = (size_t)(CYLINDER_COLUMNS_EACH * resolution);
    struct norm_sums total = {0.0, 0.0, 0.0};
    enum status status;
    out->lines = 1;
    chebyshev_init(&maker.chebyshev);
    TRY_OR(done, patches_work_new(PANEL_NODES, &maker.work, error));
    TRY_OR(done, columns_new(factor, level, each * factor->components, &out->density, error));
    maker.columns = (const struct columns *)out->density;
    place_columns((struct columns *)out->density, problem, each);
    for (size_t i = 0; i < maker.columns->count; i++) {
        size_t k = maker.columns->column[i].component;
        double weight = problem->component > 0 ? 1.0 : factor->weight[k];
        struct norm_sums sums = {0.0, 0.0, 0.0};
        maker.tolerance = CYLINDER_PANEL_SHARE * CYLINDER_TOLERANCE * pow(resolution, -CYLINDER_TOLERANCE_POWER)
                          * distance[k] / (double)each;
        TRY_OR(done, make_column(&maker, i, out, &sums, error));
        out->component_error[k] += PROBE_MISSES * sums.l1;
        total.l1 += weight * sums.l1;
        total.l2_squared += weight * sums.l2_squared;
    }
    struct norms interpolation = norms_beyond(norms_of(total), PROBE_MISSES, 0.0);
    out->error_l1 += interpolation.l1;
    out->error_l2 += interpolation.l2;
done:
    patches_work_free(&maker.work);
    return status;
}
