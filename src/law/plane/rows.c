/* Rows lie at equal distances of s(y) = sum_c Phi((y - m_c)/(W sd_c)) over the scales c that the components show in
 * y, W = PLANE_ROW_STRETCH. Of a smooth integrand that falls off like p their sum has an error far below rounding;
 * the kinks of |r - 1| leave one of the distance to the power 5/2, from where they run along a row (law/divergence.c
 * measures it). */
#include "law/plane/rows.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "core/memory.h"
#include "law/norms.h"
#include "law/plane/domain.h"
#include "law/plane/tuning.h"

enum { CHUNK = 64, TEST_POINTS = 2, POINTS = PANEL_NODES + TEST_POINTS };
static const double test_position[TEST_POINTS] = {-0.42, 0.33};

struct row {
    size_t anchor;
    double y; /* relative to sqrt(A) m_anchor */
    double log_weight;
};

/* A panel's anchor is row * components + component: its x is relative to that component's mean given the row's y. */
struct rows {
    struct law_density base;
    struct joint_level joint;
    size_t count;
    struct row *row;
};

static double row_at(const struct rows *rows, const struct row *row, size_t component)
{
    return row->y - joint_level_centre(&rows->joint, component, row->anchor, 1);
}

/* E x of a component on the row, relative to its mean. */
static double row_shift(const struct rows *rows, const struct row *row, size_t component)
{
    return rows->joint.ellipse[component].slope * row_at(rows, row, component);
}

static void log_density(const struct law_density *density, const struct panel *panel, size_t n, const double *x,
                        double *out)
{
    const struct rows *rows = (const struct rows *)density;
    size_t components = rows->joint.factor->components, component = panel->anchor % components;
    const struct row *row = &rows->row[panel->anchor / components];
    double at[2 * CHUNK], y = row_at(rows, row, component), shift = row_shift(rows, row, component);
    for (size_t start = 0; start < n; start += CHUNK) {
        size_t count = n - start < CHUNK ? n - start : CHUNK;
        for (size_t i = 0; i < count; i++) {
            at[i] = x[start + i] + shift;
            at[CHUNK + i] = y;
        }
        joint_level_evaluate(&rows->joint, component, count, CHUNK, at, out + start, NULL);
        for (size_t i = 0; i < count; i++)
            out[start + i] += row->log_weight;
    }
}

static void log_part(const struct law_density *density, const struct panel *panel, size_t k, size_t n,
                     const double *x, double *out)
{
    const struct rows *rows = (const struct rows *)density;
    const struct joint_level *joint = &rows->joint;
    const struct row *row = &rows->row[panel->anchor / joint->factor->components];
    size_t anchor = panel->anchor % joint->factor->components;
    double centre = joint_level_centre(joint, k, anchor, 0) + row_shift(rows, row, k) - row_shift(rows, row, anchor);
    double across = row_at(rows, row, k) / joint->ellipse[k].sd[1],
           constant = joint->log_constant[k] + row->log_weight;
    for (size_t i = 0; i < n; i++) {
        double along = (x[i] - centre) / joint->ellipse[k].along;
        out[i] = constant - 0.5 * (along * along + across * across);
    }
}

static double sd(const struct law_density *density, const struct panel *panel)
{
    const struct rows *rows = (const struct rows *)density;
    return rows->joint.ellipse[panel->anchor % rows->joint.factor->components].along;
}

static size_t line(const struct law_density *density, const struct panel *panel)
{
    return panel->anchor / ((const struct rows *)density)->joint.factor->components;
}

static void origin(const struct law_density *density, const struct panel *panel, double out[2])
{
    const struct rows *rows = (const struct rows *)density;
    const struct joint_level *joint = &rows->joint;
    size_t component = panel->anchor % joint->factor->components;
    const struct row *row = &rows->row[panel->anchor / joint->factor->components];
    out[0] = joint->root_alpha_bar * joint->factor->mean[2 * component] + row_shift(rows, row, component);
    out[1] = joint->root_alpha_bar * joint->factor->mean[2 * row->anchor + 1] + row->y;
}

static void rows_free(struct law_density *density)
{
    struct rows *rows = (struct rows *)density;
    joint_level_free(&rows->joint);
    free(rows->row);
    free(rows);
}

static enum status rows_copy(const struct law_density *density, struct law_density **out, struct error *error);

static enum status rows_new(const struct factor *factor, const struct level *level, size_t count, struct rows **out,
                            struct error *error)
{
    struct rows *rows = array_new(1, sizeof *rows);
    *out = rows;
    if (rows == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a law in the plane");
    rows->base = (struct law_density){.log_density = log_density,
                                      .log_part = log_part,
                                      .sd = sd,
                                      .copy = rows_copy,
                                      .free = rows_free,
                                      .line = line,
                                      .origin = origin};
    rows->row = array_new(count, sizeof *rows->row);
    if (rows->row == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu rows", count);
    TRY(joint_level_new(factor, &rows->joint, error));
    joint_level_set(&rows->joint, level);
    return STATUS_OK;
}

static enum status rows_copy(const struct law_density *density, struct law_density **out, struct error *error)
{
    const struct rows *from = (const struct rows *)density;
    struct rows *rows;
    enum status status = rows_new(from->joint.factor, &from->joint.level, from->count, &rows, error);
    *out = rows != NULL ? &rows->base : NULL;
    if (status != STATUS_OK) {
        if (rows != NULL)
            rows_free(*out);
        *out = NULL;
        return status;
    }
    rows->count = from->count;
    memcpy(rows->row, from->row, from->count * sizeof *rows->row);
    return STATUS_OK;
}

/* ---- Where the rows are ---- */

/* The components that stand for the scales in y. */
struct scales {
    const struct joint_level *joint;
    size_t count, *component;
};

static enum status find_scales(const struct joint_level *joint, struct scales *out, struct error *error)
{
    size_t components = joint->factor->components;
    *out = (struct scales){.joint = joint, .component = array_new(components, sizeof *out->component)};
    if (out->component == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu components", components);
    for (size_t k = 0; k < components; k++) {
        bool shared = false;
        for (size_t c = 0; c < out->count; c++) {
            size_t other = out->component[c];
            double a = joint->ellipse[k].sd[1], b = joint->ellipse[other].sd[1];
            shared |= fabs(joint_level_centre(joint, k, other, 1)) < PLANE_ROW_NEAR * fmin(a, b)
                      && fmax(a, b) < PLANE_ROW_ALIKE * fmin(a, b);
        }
        if (!shared)
            out->component[out->count++] = k;
    }
    return STATUS_OK;
}

/* s(y) and s'(y), y relative to sqrt(A) m_anchor. */
static double stretched(const struct scales *scales, size_t anchor, double y, double *slope)
{
    double s = 0.0;
    *slope = 0.0;
    for (size_t c = 0; c < scales->count; c++) {
        size_t k = scales->component[c];
        double width = PLANE_ROW_STRETCH * scales->joint->ellipse[k].sd[1];
        double u = (y - joint_level_centre(scales->joint, k, anchor, 1)) / width;
        s += 0.5 * erfc(-u * M_SQRT1_2);
        *slope += exp(-0.5 * u * u) / (sqrt(2.0 * M_PI) * width);
    }
    return s;
}

/* The component whose scale is the strictest at y. */
static size_t strictest(const struct joint_level *joint, size_t anchor, double y)
{
    size_t best = anchor;
    double smallest = HUGE_VAL;
    for (size_t k = 0; k < joint->factor->components; k++) {
        double width = joint->ellipse[k].sd[1], distance = fabs(y - joint_level_centre(joint, k, anchor, 1));
        double scale = width + 0.5 * fmax(distance - 4.0 * width, 0.0);
        if (scale < smallest)
            best = k;
        smallest = fmin(smallest, scale);
    }
    return best;
}

/* The row with s(y) = s: by bisection, and again in the coordinates of the component that it is nearest to. */
static struct row find_row(const struct scales *scales, double s, double spacing)
{
    const struct joint_level *joint = scales->joint;
    double low = 0.0, high = 0.0, slope;
    size_t anchor = 0;
    for (size_t c = 0; c < scales->count; c++) {
        size_t k = scales->component[c];
        double centre = joint_level_centre(joint, k, 0, 1),
               reach = 12.0 * PLANE_ROW_STRETCH * joint->ellipse[k].sd[1];
        low = fmin(low, centre - reach);
        high = fmax(high, centre + reach);
    }
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < 80; i++) {
            double middle = 0.5 * (low + high);
            if (!(middle > low && middle < high))
                break;
            *(stretched(scales, anchor, middle, &slope) < s ? &low : &high) = middle;
        }
        size_t nearest = strictest(joint, anchor, low);
        double shift = joint_level_centre(joint, nearest, anchor, 1), margin = 1e-14 * fabs(shift);
        if (nearest == anchor)
            break;
        low -= shift + margin;
        high -= shift - margin;
        anchor = nearest;
    }
    struct row row = {.anchor = anchor, .y = 0.5 * (low + high)};
    (void)stretched(scales, anchor, row.y, &slope);
    row.log_weight = log(spacing / slope);
    return row;
}

static enum status place_rows(struct rows *rows, size_t most, const struct scales *scales)
{
    const struct joint_level *joint = &rows->joint;
    double spacing = (double)scales->count / (double)most;
    for (size_t i = 0; i < most; i++) {
        struct row row = find_row(scales, ((double)i + 0.5) * spacing, spacing);
        double largest = -HUGE_VAL;
        for (size_t k = 0; k < joint->factor->components; k++) {
            double sd = joint->ellipse[k].sd[1], u = row_at(rows, &row, k) / sd;
            largest = fmax(largest, -0.5 * u * u - log(sd) + factor_log_weight(joint->factor, k));
        }
        if (largest + row.log_weight > PLANE_ROW_LOG_MASS)
            rows->row[rows->count++] = row;
    }
    return STATUS_OK;
}

/* ---- Panels on a row ---- */

struct maker {
    const struct patches *grid;
    const struct lobattos *lobattos;
    struct rows *rows;
    struct chebyshev chebyshev;
    struct patches_work work;
    struct factor factor; /* the mixture along a row, whose widths are those of the present level */
    double *block;
    size_t *component; /* those of the mixture along a row */
    struct mixture_level mixture;
    struct panels panels; /* of one row */
    double resolution;
};

/* The components that a row meets, with their weights there. */
static void meet_row(struct maker *maker, const struct row *row)
{
    const struct joint_level *joint = &maker->rows->joint;
    size_t all = joint->factor->components, used = 0;
    double *weight = maker->block, *mean = weight + all, *width = mean + all, largest = -HUGE_VAL;
    for (size_t k = 0; k < all; k++) {
        double sd = joint->ellipse[k].sd[1], u = row_at(maker->rows, row, k) / sd;
        double log_weight = factor_log_weight(joint->factor, k) - 0.5 * u * u - log(sd);
        if (fabs(u) > PLANE_ROW_FAR)
            continue;
        largest = fmax(largest, log_weight);
        weight[used] = log_weight;
        mean[used] = joint->factor->mean[2 * k] + row_shift(maker->rows, row, k) / joint->root_alpha_bar;
        width[used] = joint->ellipse[k].along / joint->root_alpha_bar;
        maker->component[used++] = k;
    }
    for (size_t i = 0; i < used; i++)
        weight[i] = exp(fmax(weight[i] - largest, -600.0));
    maker->factor = (struct factor){1, used, weight, mean, width, NULL, NULL, NULL};
}

/* The leaf that holds a point or, where none does, the first on the way to the component's mean: any other may be one
 * between components, where log r is beyond all numbers. */
static size_t leaf_near(const struct patches *grid, size_t component, double x, double y)
{
    enum { STEPS = 32 };
    size_t leaf = 0;
    for (int i = STEPS; i >= 0; i--)
        if (patches_have(grid, component, x * i / STEPS, y * i / STEPS, &leaf))
            break;
    return leaf;
}

/* log r at x[i] relative to the component's mean on the row. */
static void evaluate_row(struct maker *maker, const struct row *row, size_t component, const double x[POINTS],
                         double *out)
{
    double root = maker->rows->joint.root_alpha_bar, at[POINTS];
    double y = row_at(maker->rows, row, component) / root, shift = row_shift(maker->rows, row, component);
    for (size_t i = 0; i < POINTS; i++)
        at[i] = (x[i] + shift) / root;
    size_t nearest = leaf_near(maker->grid, component, at[PANEL_NODES / 2], y);
    patches_evaluate(maker->grid, maker->lobattos, component, nearest, POINTS, at, 1, &y, out, &maker->work);
}

static int is_covered(const struct maker *maker, const struct row *row, const struct panel *panel, size_t component)
{
    double root = maker->rows->joint.root_alpha_bar;
    struct patch patch = {.anchor = component,
                          .centre = {(panel->centre + row_shift(maker->rows, row, component)) / root,
                                     row_at(maker->rows, row, component) / root},
                          .half = panel->half_width / root};
    return patch_is_covered(&patch, &maker->rows->joint, PLANE_ROW_REACH);
}

/* Fits the panel and adds to the law's errors what that costs. */
static void fill_panel(struct maker *maker, const struct row *row, size_t component, struct panel *panel,
                       struct norm_sums *sums)
{
    double x[POINTS], value[POINTS], made[TEST_POINTS], log_p[TEST_POINTS];
    const double *test = x + PANEL_NODES, *tested = value + PANEL_NODES;
    for (size_t j = 0; j < POINTS; j++)
        x[j] = panel->centre
               + panel->half_width * (j < PANEL_NODES ? maker->chebyshev.node[j] : test_position[j - PANEL_NODES]);
    evaluate_row(maker, row, component, x, value);
    panel_fit(&maker->chebyshev, value, panel);
    panel_evaluate(panel, 0.0, TEST_POINTS, test, made);
    log_density(&maker->rows->base, panel, TEST_POINTS, test, log_p);
    for (size_t j = 0; j < TEST_POINTS; j++) {
        double mass = exp(log_p[j] + tested[j]) * 2.0 * panel->half_width / TEST_POINTS;
        norm_sums_add(sums, mass, expm1(made[j] - tested[j]));
    }
}

static enum status make_row(struct maker *maker, size_t index, struct law *law, struct norm_sums *sums,
                            struct error *error)
{
    const struct row *row = &maker->rows->row[index];
    size_t components = maker->rows->joint.factor->components;
    meet_row(maker, row);
    if (maker->factor.components == 0)
        return STATUS_OK;
    mixture_level_set(&maker->mixture, &(struct level){maker->rows->joint.level.alpha_bar, 0.0});
    TRY(panels_lay_out(&maker->mixture, PLANE_ROW_RESOLUTION * maker->resolution, NULL, &maker->panels, error));
    for (size_t p = 0; p < maker->panels.count; p++) {
        struct panel panel = maker->panels.panel[p];
        size_t component = maker->component[panel.anchor];
        if (!is_covered(maker, row, &panel, component))
            continue;
        panel.anchor = index * components + component;
        for (int side = 0; side < 2; side++)
            panel.edge_anchor[side] = index * components + maker->component[panel.edge_anchor[side]];
        fill_panel(maker, row, component, &panel, sums);
        TRY(panels_reserve(&law->log_ratio, law->log_ratio.count + 1, error));
        law->log_ratio.panel[law->log_ratio.count++] = panel;
    }
    return STATUS_OK;
}

static enum status maker_new(const struct patches *grid, const struct lobattos *lobattos, struct rows *rows,
                             double resolution, struct maker *out, struct error *error)
{
    size_t components = grid->factor->components;
    *out = (struct maker){.grid = grid, .lobattos = lobattos, .rows = rows, .resolution = resolution};
    chebyshev_init(&out->chebyshev);
    out->block = array_new(components, 3 * sizeof *out->block);
    out->component = array_new(components, sizeof *out->component);
    if (out->block == NULL || out->component == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu components", components);
    out->factor = (struct factor){1, components, out->block, out->block, out->block, NULL, NULL, NULL};
    TRY(mixture_level_new(&out->factor, &out->mixture, error));
    return patches_work_new(POINTS, &out->work, error);
}

static void maker_free(struct maker *maker)
{
    free(maker->block);
    free(maker->component);
    mixture_level_free(&maker->mixture);
    patches_work_free(&maker->work);
    panels_free(&maker->panels);
}

enum status plane_rows_make(const struct patches *grid, const struct lobattos *lobattos, const struct level *level,
                            double resolution, struct law *out, struct error *error)
{
    struct rows *rows = NULL;
    struct maker maker = {0};
    struct joint_level joint = {0};
    struct scales scales = {0};
    struct norm_sums sums = {0.0, 0.0, 0.0};
    enum status status;
    out->lines = 1;
    TRY_OR(done, joint_level_new(grid->factor, &joint, error));
    joint_level_set(&joint, level);
    TRY_OR(done, find_scales(&joint, &scales, error));
    size_t most = (size_t)(fmin(PLANE_ROWS_PER_SCALE * (double)scales.count, PLANE_MOST_ROWS) * resolution);
    TRY_OR(done, rows_new(grid->factor, level, most, &rows, error));
    TRY_OR(done, place_rows(rows, most, &scales));
    TRY_OR(done, maker_new(grid, lobattos, rows, resolution, &maker, error));
    for (size_t i = 0; i < rows->count; i++)
        TRY_OR(done, make_row(&maker, i, out, &sums, error));
    struct norms interpolation = norms_of(sums);
    out->error_l1 += interpolation.l1;
    out->error_l2 += interpolation.l2;
done:
    out->density = rows != NULL ? &rows->base : NULL;
    maker_free(&maker);
    free(scales.component);
    joint_level_free(&joint);
    return status;
}
