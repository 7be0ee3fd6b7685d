#include "verdict/error_growth.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "verdict/exponents.h"

/* ---- Families ---- */

static const char of_error[] = "score_error_", roughness_column[] = "score_error_roughness";

static bool is_exact(const struct manifest_error *error)
{
    return strcmp(error->shape, "none") == 0;
}

static double roughness(const struct manifest *manifest, size_t index)
{
    return manifest_error_param(manifest, index, "roughness");
}

/* Whether a parameter of shapes may differ in a family, or is no such parameter. */
static bool is_free(const char *column, enum error_kinship kinship)
{
    return strncmp(column, of_error, strlen(of_error)) != 0
           || (kinship == SAME_BUT_ROUGHNESS && strcmp(column, roughness_column) == 0);
}

static int related(const struct manifest *manifest, size_t a, size_t b, enum error_kinship kinship)
{
    const struct manifest_error *x = &manifest->score_errors[a], *y = &manifest->score_errors[b];
    const double *p = manifest->score_error_entries[a].parameter, *q = manifest->score_error_entries[b].parameter;
    if (is_exact(x) || strcmp(x->shape, y->shape) != 0 || strcmp(x->profile, y->profile) != 0
        || strcmp(x->spread, y->spread) != 0 || x->growth != y->growth)
        return 0;
    for (size_t i = 0; i < manifest->parameters.count; i++)
        if (!is_free(manifest->parameters.column[i].name, kinship) && !isnan(p[i]) && p[i] != q[i])
            return 0;
    return 1;
}

static int has_family(const struct manifest *manifest, size_t index, enum error_kinship kinship)
{
    return !is_exact(&manifest->score_errors[index])
           && (kinship == SAME_BUT_SIZE || !isnan(roughness(manifest, index)));
}

size_t error_family_next(const struct manifest *manifest, enum error_kinship kinship, size_t after)
{
    for (size_t i = after + 1; i < manifest->score_error_count; i++) {
        size_t first = 1;
        while (!related(manifest, first, i, kinship) && first < i)
            first++;
        if (first == i && has_family(manifest, i, kinship))
            return i;
    }
    return manifest->score_error_count;
}

int error_family_has(const struct manifest *manifest, const struct error_family *family, size_t index)
{
    return related(manifest, family->first, index, family->kinship);
}

void error_family_label(const struct manifest *manifest, const struct error_family *family, char *text, size_t size)
{
    const struct manifest_error *error = &manifest->score_errors[family->first];
    const double *parameter = manifest->score_error_entries[family->first].parameter;
    int used = snprintf(text, size, "%s", error->shape);
    for (size_t i = 0; i < manifest->parameters.count; i++)
        if (!is_free(manifest->parameters.column[i].name, family->kinship) && !isnan(parameter[i])
            && (size_t)used < size)
            used += snprintf(text + used, size - (size_t)used, " %s=%.6g",
                             manifest->parameters.column[i].name + strlen(of_error), parameter[i]);
    if (error->growth != 0.0 && (size_t)used < size)
        used += snprintf(text + used, size - (size_t)used, " growth=%.6g", error->growth);
    int uniform = strcmp(error->profile, "uniform") == 0;
    if ((size_t)used < size)
        (void)snprintf(text + used, size - (size_t)used, " %s%s%s", error->spread, uniform ? "" : " ",
                       uniform ? "" : error->profile);
}

/* ---- Cells ---- */

static struct error_cell make_cell(const struct record *row, const struct record *exact)
{
    double unit = row->score_error_size * sqrt(log((double)row->steps));
    double effect = row->error_effect, radius = row->error_effect_error;
    double excess = exact != NULL ? row->tv - exact->tv : NAN;
    int inside = effect > 0.0 && effect <= WINDOW_ACCURACY && radius <= WINDOW_RADIUS * effect;
    return (struct error_cell){.row = row,
                               .constant = effect / unit,
                               .most = fmin(effect + radius, 1.0) / unit,
                               .inside = inside,
                               .dominant = inside && exact != NULL && excess >= EXCESS_DOMINATES * exact->tv
                                           && row->tv_error + exact->tv_error <= WINDOW_RADIUS * excess,
                               .excess = excess / unit};
}

static void add_cell(struct error_cells *cells, const struct error_cell *cell)
{
    cells->cell[cells->count++] = *cell;
    cells->inside += cell->inside != 0;
    if (cell->inside) {
        cells->excess = cells->inside > 1 ? fmax(cells->excess, cell->excess) : cell->excess;
        cells->constant = fmax(cells->constant, cell->constant);
        cells->roughness = fmax(cells->roughness, cell->roughness);
    } else
        cells->unresolved_constant = fmax(cells->unresolved_constant, cell->most);
}

/* The cells of one member in one dimension. */
static void add_cells(const struct evidence *evidence, const struct error_family *family, size_t score_error,
                      size_t dimension, struct error_cells *out)
{
    const struct manifest *manifest = &evidence->manifest;
    const struct row_list rows = evidence_rows(evidence, family->target, family->sampler, score_error, dimension),
                          exact = evidence_rows(evidence, family->target, family->sampler, 0, dimension);
    const size_t before = out->count;
    for (size_t i = 0, j = 0; i < rows.count; i++) {
        const struct record *row = rows.row[i];
        while (j < exact.count && exact.row[j]->steps < row->steps)
            j++;
        const bool is_there = j < exact.count && exact.row[j]->steps == row->steps;
        struct error_cell cell = make_cell(row, is_there ? exact.row[j] : NULL);
        cell.score_error = score_error;
        cell.roughness = roughness(manifest, score_error);
        cell.dimension = dimension;
        cell.steps = manifest_find_steps(manifest, (size_t)row->steps);
        if (manifest_asks(manifest, dimension, (size_t)row->steps))
            add_cell(out, &cell);
    }
    out->missing += manifest_step_count(manifest, dimension) - (out->count - before);
}

enum status error_cells_find(const struct evidence *evidence, const struct error_family *family,
                             struct error_cells *out, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    size_t most = 0;
    for (size_t e = family->first; e < manifest->score_error_count; e++)
        for (size_t d = 0; d < manifest->dimension_count && error_family_has(manifest, family, e); d++)
            most += evidence_rows(evidence, family->target, family->sampler, e, d).count;
    *out = (struct error_cells){.cell = array_new(most, sizeof *out->cell)};
    if (out->cell == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for the cells of a score error");
    for (size_t e = family->first; e < manifest->score_error_count; e++)
        for (size_t d = 0; d < manifest->dimension_count && error_family_has(manifest, family, e); d++)
            add_cells(evidence, family, e, d, out);
    return STATUS_OK;
}

/* ---- Fits ---- */

/* Fits the cells that `fill` takes; it returns 0 for one to leave out. */
static enum status fit_cells(const struct error_cells *cells, const void *context,
                             int (*fill)(const void *context, const struct error_cell *cell, struct fit_cell *out),
                             struct fit *out, struct error *error)
{
    size_t count = 0, extreme = 0;
    struct fit_cell *points = array_new(cells->count, sizeof *points);
    if (points == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a fit");
    for (size_t i = 0; i < cells->count; i++)
        count += cells->cell[i].inside && fill(context, &cells->cell[i], &points[count]);
    /* the largest T, d or omega, and the smallest size: the farthest towards what the claims are about */
    for (size_t i = 1; i < count; i++)
        extreme = points[i].x > points[extreme].x ? i : extreme;
    enum status status = fit_exponents(points, count, count > 0 ? points[extreme].other : 0, out, error);
    free(points);
    return status;
}

/* An index for each pair of indices. */
static size_t pair(size_t a, size_t b)
{
    return a * 1000000 + b;
}

static int against_size(const void *context, const struct error_cell *cell, struct fit_cell *out)
{
    (void)context;
    *out = (struct fit_cell){0.0, -log(cell->row->score_error_size), log(cell->row->error_effect),
                             pair(cell->dimension, cell->steps), cell->score_error};
    return 1;
}

static int excess_against_size(const void *context, const struct error_cell *cell, struct fit_cell *out)
{
    (void)context;
    *out = (struct fit_cell){0.0, -log(cell->row->score_error_size),
                             cell->dominant ? log(cell->excess * cell->row->score_error_size) : 0.0,
                             pair(cell->dimension, cell->steps), cell->score_error};
    return cell->dominant;
}

static int against_steps(const void *context, const struct error_cell *cell, struct fit_cell *out)
{
    (void)context;
    *out = (struct fit_cell){0.0, log((double)cell->row->steps), log(cell->constant),
                             pair(cell->score_error, cell->dimension), cell->steps};
    return 1;
}

static int against_dimension(const void *context, const struct error_cell *cell, struct fit_cell *out)
{
    (void)context;
    *out = (struct fit_cell){log((double)cell->row->dimension), log((double)cell->row->steps), log(cell->constant),
                             cell->dimension, pair(cell->score_error, cell->steps)};
    return 1;
}

static struct growth in_x(const struct fit *fit)
{
    return (struct growth){fit->ok, fit->x, fit->cells};
}

enum status error_growth_fit(const struct error_cells *cells, struct error_growth *out, struct error *error)
{
    struct fit slope, steps, dimension, excess;
    *out = (struct error_growth){.slope = {.ok = 0}};
    TRY(fit_cells(cells, NULL, against_size, &slope, error));
    TRY(fit_cells(cells, NULL, against_steps, &steps, error));
    TRY(fit_cells(cells, NULL, against_dimension, &dimension, error));
    TRY(fit_cells(cells, NULL, excess_against_size, &excess, error));
    *out = (struct error_growth){
        in_x(&slope), in_x(&steps), {dimension.has_d, dimension.d, dimension.cells}, in_x(&excess)};
    out->slope.exponent = exponent_negated(&out->slope.exponent); /* fitted in 1/eps_score */
    out->excess.exponent = exponent_negated(&out->excess.exponent);
    return STATUS_OK;
}

/* What roughness_growth_fit needs beside a cell. */
struct rough {
    const struct manifest *manifest;
    const struct error_cells *cells;
};

int error_cell_is_rough(const struct error_cells *cells, const struct error_cell *cell)
{
    return cell->roughness * WINDOW_ROUGHNESS >= cells->roughness;
}

static double size(const struct manifest *manifest, size_t index)
{
    return manifest->score_errors[index].size;
}

/* The first score error of the same size, and of the same roughness, stand for that size and roughness. */
static size_t first_equal(const struct manifest *manifest, size_t index,
                          double (*of)(const struct manifest *manifest, size_t index))
{
    size_t first = 1;
    while (of(manifest, first) != of(manifest, index))
        first++;
    return first;
}

static int against_roughness(const void *context, const struct error_cell *cell, struct fit_cell *out)
{
    const struct rough *rough = context;
    const struct manifest *manifest = rough->manifest;
    *out = (struct fit_cell){0.0, log(cell->roughness), log(cell->constant),
                             pair(pair(first_equal(manifest, cell->score_error, size), cell->dimension), cell->steps),
                             first_equal(manifest, cell->score_error, roughness)};
    return error_cell_is_rough(rough->cells, cell);
}

enum status roughness_growth_fit(const struct evidence *evidence, const struct error_cells *cells, struct growth *out,
                                 struct error *error)
{
    const struct rough rough = {&evidence->manifest, cells};
    struct fit fit;
    *out = (struct growth){.ok = 0};
    TRY(fit_cells(cells, &rough, against_roughness, &fit, error));
    *out = in_x(&fit);
    return STATUS_OK;
}
