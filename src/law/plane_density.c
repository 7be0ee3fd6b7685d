#include "law/plane_density.h"

#include <math.h>
#include <stdbool.h>

#include "core/memory.h"
#include "law/divergence.h"
#include "model/joint_level.h"

#define GRID_REACH 4.0 /* standard deviations of every component that the grid shows */

enum { NEAR = 4 }; /* rows that a value is interpolated from */

void plane_density_free(struct plane_density *density)
{
    free(density->p);
    free(density->excess);
    *density = (struct plane_density){0};
}

static enum status no_memory(size_t n, struct error *error)
{
    return fail_with(error, STATUS_MEMORY, "out of memory for a grid of %zu x %zu points", n, n);
}

/* The one factor of two coordinates, or those of the first and the second. */
static enum status find_factors(const struct target *target, const struct factor_list *list,
                                const struct factor *out[2], struct error *error)
{
    const struct factor *first = &list->group[0].factor;
    bool twice = list->count == 1 && list->group[0].multiplicity == 2.0 && first->dimension == 1;
    bool two = list->count == 2 && first->dimension == 1 && list->group[1].factor.dimension == 1;
    out[0] = first;
    out[1] = twice ? first : two ? &list->group[1].factor : NULL;
    if (twice || two || (list->count == 1 && first->dimension == 2 && first->mean != NULL))
        return STATUS_OK;
    return fail_with(
        error, STATUS_UNSUPPORTED,
        "target %s is no mixture in the plane, nor a product of two laws on the line: its density in the "
        "plane is not known",
        target->name);
}

/* ---- The square ---- */

static void include(double *low, double *high, double centre, double sd)
{
    *low = fmin(*low, centre - GRID_REACH * sd);
    *high = fmax(*high, centre + GRID_REACH * sd);
}

static double variance_of(const struct factor *factor, size_t k, size_t i)
{
    size_t d = factor->dimension, matrix = factor->full != NULL && factor->full->count > 1 ? k : 0;
    return factor->full != NULL ? factor->full->entry[(matrix * d + i) * d + i] : factor->sd[k] * factor->sd[k];
}

static void set_square(const struct factor *const factor[2], const struct level *level, struct plane_density *out)
{
    double low[2] = {HUGE_VAL, HUGE_VAL}, high[2] = {-HUGE_VAL, -HUGE_VAL};
    for (size_t i = 0; i < 2; i++) {
        const struct factor *of = factor[factor[1] != NULL ? i : 0];
        size_t d = of->dimension, at = factor[1] != NULL ? 0 : i;
        for (size_t k = 0; k < of->components; k++)
            include(&low[i], &high[i], sqrt(level->alpha_bar) * of->mean[k * d + at],
                    sqrt(level->alpha_bar * variance_of(of, k, at) + level->noise));
    }
    out->side = fmax(high[0] - low[0], high[1] - low[1]);
    for (size_t i = 0; i < 2; i++)
        out->low[i] = 0.5 * (low[i] + high[i] - out->side);
}

static double place(const struct plane_density *density, size_t i, size_t index)
{
    return density->low[i] + density->side * ((double)index + 0.5) / (double)density->n;
}

/* ---- A product of two laws on the line ---- */

/* p(x) and log r(x) at the grid's places on axis i. */
static void evaluate_line(const struct law *law, const struct plane_density *density, size_t i, double *p,
                          double *log_ratio)
{
    const struct mixture_level *mixture = &law->target;
    double origin = mixture->root_alpha_bar * mixture->factor->mean[0];
    size_t hint = 0;
    for (size_t j = 0; j < density->n; j++) {
        double x = place(density, i, j) - origin;
        mixture_level_evaluate(mixture, 0, 1, &x, &p[j], NULL);
        p[j] = exp(p[j]);
        panels_evaluate(&law->log_ratio, mixture, 0, 1, &x, &log_ratio[j], &hint);
    }
}

static enum status fill_product(const struct law *const law[2], struct plane_density *out, struct error *error)
{
    size_t n = out->n;
    double *block = array_new(4 * n, sizeof *block);
    if (block == NULL)
        return no_memory(n, error);
    for (size_t i = 0; i < 2; i++)
        evaluate_line(law[i], out, i, block + 2 * i * n, block + (2 * i + 1) * n);
    for (size_t row = 0; row < n; row++)
        for (size_t column = 0; column < n; column++) {
            double p = block[column] * block[2 * n + row];
            out->p[row * n + column] = p;
            out->excess[row * n + column] = p * expm1(block[n + column] + block[3 * n + row]);
        }
    free(block);
    return STATUS_OK;
}

/* ---- A law in the plane ---- */

/* log r at the grid's columns on one row of the law; NaN where no panel lies. */
struct row {
    double y, *log_ratio;
};

struct rows {
    struct row *row;
    size_t count, capacity;
    double *block; /* of all */
};

static enum status count_rows(const struct law *law, size_t n, struct rows *out, struct error *error)
{
    size_t last = SIZE_MAX;
    for (size_t p = 0; p < law->log_ratio.count; p++) {
        size_t line = law->density->line(law->density, &law->log_ratio.panel[p]);
        out->capacity += line != last;
        last = line;
    }
    out->row = array_new(out->capacity, sizeof *out->row);
    out->block = out->capacity <= SIZE_MAX / sizeof(double) / n ? array_new(out->capacity * n, sizeof(double)) : NULL;
    return out->row != NULL && out->block != NULL ? STATUS_OK : no_memory(n, error);
}

static void add_panel(const struct plane_density *density, const struct panel *panel, double origin, struct row *row)
{
    for (size_t column = 0; column < density->n; column++) {
        double x = place(density, 0, column) - origin;
        if (fabs(x - panel->centre) <= panel->half_width)
            panel_evaluate(panel, 0.0, 1, &x, &row->log_ratio[column]);
    }
}

/* Panels come row after row. */
static enum status find_rows(const struct law *law, const struct plane_density *density, struct rows *out,
                             struct error *error)
{
    size_t n = density->n, last = SIZE_MAX;
    TRY(count_rows(law, n, out, error));
    for (size_t i = 0; i < out->capacity * n; i++)
        out->block[i] = NAN;
    for (size_t p = 0; p < law->log_ratio.count; p++) {
        const struct panel *panel = &law->log_ratio.panel[p];
        size_t line = law->density->line(law->density, panel);
        double origin[2];
        law->density->origin(law->density, panel, origin);
        if (line != last) {
            out->row[out->count] = (struct row){origin[1], out->block + out->count * n};
            out->count++;
        }
        last = line;
        add_panel(density, panel, origin[0], &out->row[out->count - 1]);
    }
    return STATUS_OK;
}

/* log r at (x of the column, y), by the polynomial through the NEAR rows around y; the nearest one's where fewer have
 * a value; 0 where none has. Args: above, the first row above y. */
static double interpolate(const struct rows *rows, size_t above, size_t column, double y)
{
    size_t first = above < NEAR / 2 ? 0 : above - NEAR / 2;
    first = first + NEAR > rows->count ? rows->count - NEAR : first;
    double total = 0.0, nearest = HUGE_VAL, value = 0.0;
    bool all = true;
    for (size_t i = first; i < first + NEAR; i++) {
        double at = rows->row[i].log_ratio[column], weight = 1.0, distance = fabs(y - rows->row[i].y);
        all &= !isnan(at);
        if (!isnan(at) && distance < nearest) {
            nearest = distance;
            value = at;
        }
        for (size_t j = first; j < first + NEAR; j++)
            if (j != i)
                weight *= (y - rows->row[j].y) / (rows->row[i].y - rows->row[j].y);
        total += weight * at;
    }
    bool within = y >= rows->row[first].y && y <= rows->row[first + NEAR - 1].y;
    return all && within ? total : value;
}

static enum status fill_plane(const struct law *law, const struct factor *factor, const struct level *level,
                              struct plane_density *out, struct error *error)
{
    struct joint_level joint = {0};
    struct rows rows = {0};
    size_t n = out->n, above = 0;
    enum status status;
    TRY_OR(done, joint_level_new(factor, &joint, error));
    joint_level_set(&joint, level);
    TRY_OR(done, find_rows(law, out, &rows, error));
    if (rows.count < NEAR)
        TRY_OR(done, fail_with(error, STATUS_NUMERIC, "a law in the plane on %zu rows alone", rows.count));
    for (size_t row = 0; row < n; row++) {
        double y = place(out, 1, row);
        while (above < rows.count && rows.row[above].y < y)
            above++;
        for (size_t column = 0; column < n; column++) {
            double at[2], *p = &out->p[row * n + column];
            at[0] = place(out, 0, column) - joint.root_alpha_bar * factor->mean[0];
            at[1] = y - joint.root_alpha_bar * factor->mean[1];
            joint_level_evaluate(&joint, 0, 1, 1, at, p, NULL);
            *p = exp(*p);
            out->excess[row * n + column] = *p * expm1(interpolate(&rows, above, column, y));
        }
    }
done:
    free(rows.row);
    free(rows.block);
    joint_level_free(&joint);
    return status;
}

/* ---- Both ---- */

static enum status fill(const struct law_problem *problem, const struct factor *const factor[2],
                        const struct level *level, struct plane_density *out, struct error *error)
{
    struct law law[2] = {{.engine = NULL}, {.engine = NULL}};
    const struct law *of[2] = {&law[0], &law[1]};
    struct law_problem other = *problem;
    enum status status;
    TRY_OR(done, law_compute(problem, &law[0], error));
    if (factor[1] == NULL) {
        if (law[0].density == NULL || law[0].density->origin == NULL)
            TRY_OR(done, fail_with(error, STATUS_UNSUPPORTED, "the engine %s has no law in the plane",
                                   law[0].engine->name));
        TRY_OR(done, fill_plane(&law[0], factor[0], level, out, error));
    } else {
        other.factor = factor[1];
        of[1] = factor[1] == factor[0] ? of[0] : of[1];
        if (of[1] != of[0])
            TRY_OR(done, law_compute(&other, &law[1], error));
        TRY_OR(done, fill_product(of, out, error));
    }
    const struct law_group groups[] = {{of[0], factor[1] == factor[0] ? 2.0 : 1.0}, {of[1], 1.0}};
    TRY_OR(done, tv_measure(groups, factor[1] == NULL || factor[1] == factor[0] ? 1 : 2, &out->tv, error));
done:
    law_free(&law[0]);
    law_free(&law[1]);
    return status;
}

enum status plane_density_make(const struct target *target, const struct sampler *sampler,
                               const struct schedule *schedule, size_t n, size_t threads, struct plane_density *out,
                               struct error *error)
{
    const struct level level = schedule_level(schedule, 1);
    const struct factor *factor[2];
    struct factor_list list = {0};
    enum status status;
    *out = (struct plane_density){.n = n};
    TRY_OR(done, target_factors(target, 2, &list, error));
    TRY_OR(done, find_factors(target, &list, factor, error));
    out->p = n <= SIZE_MAX / n ? array_new(n * n, sizeof *out->p) : NULL;
    out->excess = out->p != NULL ? array_new(n * n, sizeof *out->excess) : NULL;
    if (out->excess == NULL)
        TRY_OR(done, no_memory(n, error));
    set_square(factor, &level, out);
    const struct law_problem problem = {
        .factor = factor[0],
        .sampler = sampler,
        .schedule = schedule,
        .clip = factor[1] == NULL && sampler->correction != NULL ? sampler_clip(2, schedule->T) : 0.0,
        .threads = threads};
    TRY_OR(done, fill(&problem, factor, &level, out, error));
done:
    factor_list_free(&list);
    return status;
}
