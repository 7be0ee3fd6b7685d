#define _GNU_SOURCE /* qsort_r */
#include "verdict/columns.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/sorted.h"
#include "core/text.h"
#include "experiment/spec_claims.h"
#include "verdict/exponents.h"

static bool is_of(const char *axis, const char *name)
{
    return strcmp(axis, name) == 0;
}

/* Whether the axis is h or d, not a parameter. */
static bool has_limit(const char *axis)
{
    return is_of(axis, "step_size") || is_of(axis, "steps") || is_of(axis, "dimension");
}

bool columns_are_of_errors(const struct claim_bound *bound)
{
    return is_of(bound->column, "error_effect") || strncmp(bound->axis, "score_error_", 12) == 0;
}

/* The column of an axis, of a parameter too. */
static struct field axis_field(const struct evidence *evidence, const char *axis)
{
    const struct parameter_columns *parameters = &evidence->result.parameters;
    const size_t index = parameter_find(parameters, axis);
    return index < parameters->count ? parameter_field(parameters, index) : *record_field(axis);
}

/* What the exponent is of: T/log T for steps. */
static double abscissa(const struct field *axis, const struct record *row)
{
    if (is_of(axis->name, "steps"))
        return log_free_cost(row->schedule, (size_t)row->steps);
    return axis->type == FIELD_COUNT ? (double)field_count(axis, row) : field_real(axis, row);
}

/* The rows that a bound is about, by their identity but for its axis. */
struct selection {
    const struct manifest *manifest;
    const struct claim_bound *bound;
    bool steps_matter; /* T is part of the window */
    struct field axis;
    const struct field *column;
    const struct record **row;
    size_t count, capacity;
    double *largest; /* T of the rows that fits take, in each dimension of the manifest */
};

/* Those in one of a bound's targets and samplers, in all dimensions and under all score errors that it is about. */
static enum status add_rows(struct selection *s, const struct evidence *evidence, size_t target, size_t sampler,
                            struct error *error)
{
    const struct manifest *manifest = s->manifest;
    const bool of_errors = columns_are_of_errors(s->bound), sampled = s->column->role == COLUMN_SAMPLED;
    const size_t numbers = sampled ? manifest->chain_count : 1;
    for (size_t e = of_errors; e < (of_errors ? manifest->score_error_count : 1); e++)
        for (size_t i = 0; i < manifest->dimension_count * numbers; i++) {
            const size_t chains = sampled ? manifest->chains[i % numbers] : 0;
            const struct row_list rows = evidence_sampled_rows(evidence, target, sampler, e, i / numbers, chains);
            const struct record **row = array_reserve(s->row, &s->capacity, s->count + rows.count, sizeof *row);
            if (row == NULL)
                return fail_with(error, STATUS_MEMORY, "out of memory for a fit");
            s->row = row;
            for (size_t k = 0; k < rows.count; k++)
                if (abscissa(&s->axis, rows.row[k]) > 0.0)
                    s->row[s->count++] = rows.row[k];
        }
    return STATUS_OK;
}

/* Of this target and sampler; where the axis is a parameter of one of them, of all that differ in it. */
static enum status select_rows(struct selection *s, const struct evidence *evidence, size_t target, size_t sampler,
                               struct error *error)
{
    const struct manifest *manifest = s->manifest;
    const bool of_targets = axis_is_of_targets(s->bound->axis), of_samplers = axis_is_of_samplers(s->bound->axis);
    if (!of_targets && !of_samplers)
        return add_rows(s, evidence, target, sampler, error);
    const struct relatives *relatives = of_targets ? manifest->target_relatives : manifest->sampler_relatives;
    const size_t count = of_targets ? manifest->target_count : manifest->sampler_count;
    for (size_t i = relatives[of_targets ? target : sampler].first; i < count; i = relatives[i].next)
        TRY(add_rows(s, evidence, of_targets ? i : target, of_targets ? sampler : i, error));
    return STATUS_OK;
}

/* Why no fit uses a row; NULL if one may. */
static const char *why_not(const struct selection *s, const struct record *row)
{
    const char *reason = NULL;
    if (s->steps_matter)
        reason =
            window_steps_reason(s->manifest, row, s->largest[manifest_find_dimension(s->manifest, row->dimension)]);
    return reason != NULL ? reason : window_value_reason(row, s->column);
}

static void account_row(const struct selection *s, const struct record *row, const char *reason,
                        struct account *account)
{
    struct account_cell cell = {.reason = reason, .use = reason == NULL ? CELL_USED : 0};
    const double value = field_real(s->column, row), radius = field_real(s->column + 1, row);
    char text[TEXT_MEASURED_SIZE];
    int length =
        snprintf(cell.where, sizeof cell.where, "d = %zu, T = %zu", (size_t)row->dimension, (size_t)row->steps);
    if (columns_are_of_errors(s->bound))
        length += snprintf(cell.where + length, sizeof cell.where - (size_t)length, ", %s %g", row->score_error,
                           row->score_error_size);
    if (!has_limit(s->bound->axis) && (size_t)length < sizeof cell.where)
        (void)snprintf(cell.where + length, sizeof cell.where - (size_t)length, ", %s = %.6g",
                       axis_symbol(s->bound->axis), abscissa(&s->axis, row));
    text_measured(value, radius, text);
    (void)snprintf(cell.measured, sizeof cell.measured, isnan(value) ? "%s" : "%s ± %.1e", text, radius);
    account_cell(account, &cell);
}

/* What all but the axis is compared by. */
struct but {
    const struct field *axis;
    const char *label;
};

struct setting {
    const struct record *row;
    size_t cell;
};

static int by_setting(const void *left, const void *right, void *context)
{
    const struct but *but = context;
    return record_order_but(((const struct setting *)left)->row, ((const struct setting *)right)->row, but->axis,
                            but->label);
}

/* Makes the cells of the fit. Indices of settings and of abscissas are how many cells come before them, so that they
 * are in order, the smallest d or T first. Scratch: settings and places, of `count` each. */
static void fill_cells(const struct selection *s, struct setting *settings, double *places, struct fit_cell *cells,
                       size_t *extreme)
{
    const bool in_dimension = is_of(s->bound->axis, "dimension");
    const size_t count = s->count;
    /* rows of one h have one T */
    struct but but = {is_of(s->bound->axis, "step_size") ? record_field("steps") : &s->axis,
                      axis_is_of_targets(s->bound->axis)    ? "target"
                      : axis_is_of_samplers(s->bound->axis) ? "sampler"
                                                            : NULL};
    for (size_t i = 0; i < count; i++) {
        settings[i] = (struct setting){s->row[i], i};
        places[i] = abscissa(but.axis, s->row[i]);
    }
    qsort(places, count, sizeof *places, sorted_ascending);
    qsort_r(settings, count, sizeof *settings, by_setting, &but);
    for (size_t i = 0, before = 0; i < count; i++) {
        const struct record *row = settings[i].row;
        before = i > 0 && by_setting(&settings[i - 1], &settings[i], &but) == 0 ? before : i;
        const size_t place = sorted_below(places, count, abscissa(but.axis, row));
        cells[settings[i].cell] = (struct fit_cell){.log_d = log((double)row->dimension),
                                                    .x = log(in_dimension ? row->step_size : abscissa(&s->axis, row)),
                                                    .y = log(record_size(row, s->column->offset).value),
                                                    .dimension = in_dimension ? place : before,
                                                    .other = in_dimension ? before : place};
    }
    *extreme = 0;
    /* the largest T, roughness or probability, the smallest error: the farthest towards what claims are about */
    const bool downwards = is_of(s->bound->axis, "score_error_size");
    for (size_t i = 0; i < count; i++)
        if (i == 0 || (downwards ? cells[i].other < *extreme : cells[i].other > *extreme))
            *extreme = cells[i].other;
}

/* Leaves in the selection the rows that are used. */
static enum status fit_rows(struct selection *s, struct account *account, struct column_exponent *out,
                            struct error *error)
{
    const bool in_dimension = is_of(s->bound->axis, "dimension");
    const size_t all = s->count;
    size_t extreme;
    struct fit fit;
    enum status status;
    s->count = 0;
    for (size_t i = 0; i < all; i++) {
        const char *reason = why_not(s, s->row[i]);
        account_row(s, s->row[i], reason, account);
        if (reason == NULL)
            s->row[s->count++] = s->row[i];
    }
    const size_t count = s->count;
    struct fit_cell *cells = array_new(count, sizeof *cells);
    struct setting *settings = array_new(count, sizeof *settings);
    double *places = array_new(count, sizeof *places);
    TRY_OR(end, cells != NULL && settings != NULL && places != NULL
                    ? STATUS_OK
                    : fail_with(error, STATUS_MEMORY, "out of memory for a fit"));
    fill_cells(s, settings, places, cells, &extreme);
    TRY_OR(end, fit_exponents(cells, count, extreme, &fit, error));
    *out = (struct column_exponent){.ok = fit.ok && (fit.has_d || !in_dimension),
                                    .exponent = in_dimension ? fit.d : fit.x,
                                    .used = !fit.ok        ? fit.cells
                                            : in_dimension ? fit.weighed_d
                                                           : fit.weighed_x};
    bool several = false;
    for (size_t i = 1; i < count; i++)
        several = several || s->row[i]->dimension != s->row[0]->dimension;
    (void)snprintf(out->reason, sizeof out->reason, "%s",
                   !fit.ok   ? fit.reason
                   : several ? "too few T in the window that several dimensions share"
                             : "only one dimension in the window");
    if (fit.ok)
        TRY_OR(end, exponents_mark_unweighted(account, cells, count, in_dimension, error));
end:
    free(cells);
    free(settings);
    free(places);
    return status;
}

/* By identity, so that accounts are in order. */
static int by_identity(const void *left, const void *right)
{
    return record_order(*(const struct record *const *)left, *(const struct record *const *)right);
}

enum status column_exponent_fit(const struct evidence *evidence, const struct claim_bound *bound, size_t target,
                                size_t sampler, struct account *account, struct column_exponent *out,
                                struct error *error)
{
    struct selection s = {.manifest = &evidence->manifest,
                          .bound = bound,
                          .steps_matter = !columns_are_of_errors(bound) || has_limit(bound->axis),
                          .axis = axis_field(evidence, bound->axis),
                          .column = record_field(bound->column),
                          .largest = array_new(evidence->manifest.dimension_count, sizeof *s.largest)};
    const char *name = evidence->manifest.samplers[sampler].name;
    const bool sampled = s.column->role == COLUMN_SAMPLED;
    *out = (struct column_exponent){.ok = false};
    enum status status = s.largest != NULL ? STATUS_OK : fail_with(error, STATUS_MEMORY, "out of memory for a fit");
    TRY_OR(end, status);
    TRY_OR(end, select_rows(&s, evidence, target, sampler, error));
    if (s.count > 0)
        qsort(s.row, s.count, sizeof *s.row, by_identity);
    for (size_t i = 0; i < s.count; i++)
        if (window_takes_steps(s.manifest, s.row[i])) {
            double *largest = &s.largest[manifest_find_dimension(s.manifest, s.row[i]->dimension)];
            *largest = fmax(*largest, (double)s.row[i]->steps);
        }
    account_window(account,
                   s.steps_matter ? window_rule(s.manifest, sampled)
                   : sampled      ? "a standard error below a tenth"
                                  : "known to a thousandth",
                   "%s of %s", bound->column, name);
    TRY_OR(end, fit_rows(&s, account, out, error));
end:
    free(s.row);
    free(s.largest);
    return status;
}

enum status column_exponent_limit(const struct evidence *evidence, const struct claim_bound *bound, size_t target,
                                  size_t sampler, struct limit *out, size_t *where, struct error *error)
{
    const struct field *column = record_field(bound->column);
    const bool in_steps = is_of(bound->axis, "steps");
    *where = 0;
    *out = (struct limit){.exists = false};
    if (column->role == COLUMN_SAMPLED || columns_are_of_errors(bound) || axis_is_of_schedules(bound->axis)) {
        (void)snprintf(out->reason, sizeof out->reason, "limits are of exact laws with exact scores");
        return STATUS_OK;
    }
    if (!has_limit(bound->axis)) {
        const struct manifest *manifest = &evidence->manifest;
        struct member *members = array_new(manifest->target_count + manifest->sampler_count, sizeof *members);
        double order;
        if (members == NULL)
            return fail_with(error, STATUS_MEMORY, "out of memory for limits");
        const size_t count = members_find(manifest, bound->axis, target, sampler, members);
        enum status status = parameter_limit(evidence, members, count, column->offset, bound->relation == AT_MOST,
                                             out, &order, where, error);
        free(members);
        return status;
    }
    if (is_of(bound->axis, "dimension"))
        return coefficient_limit(evidence, target, sampler, column->offset, out, error);
    TRY(divergence_limit(evidence, target, sampler, column->offset, (bound->relation == AT_MOST) != in_steps, out,
                         where, error));
    if (in_steps)
        out->value = -out->value; /* h is c1 log T/T */
    return STATUS_OK;
}
