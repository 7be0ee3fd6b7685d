#include "verdict/columns.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
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

static const struct field *field_of(const char *name)
{
    const struct field *field = record_fields;
    while (field->name != NULL && strcmp(field->name, name) != 0)
        field++;
    return field;
}

/* The column of an axis, of a parameter too. */
static struct field axis_field(const struct evidence *evidence, const char *axis)
{
    const struct parameter_columns *parameters = &evidence->result.parameters;
    const size_t index = parameter_find(parameters, axis);
    return index < parameters->count ? parameter_field(parameters, index) : *field_of(axis);
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
    size_t count;
    double *largest; /* T of the rows in each dimension of the manifest (window_largest) */
};

/* Whether the row is of this target; or, where the axis is a parameter of targets, of one that differs in it. */
static bool is_of_target(const struct selection *s, const struct manifest *manifest, size_t target,
                         const struct record *row)
{
    if (!axis_is_of_targets(s->bound->axis))
        return strcmp(row->target, manifest->targets[target].name) == 0;
    for (size_t i = 0; i < manifest->target_count; i++)
        if (strcmp(manifest->target_entries[i].of, manifest->target_entries[target].of) == 0
            && strcmp(row->target, manifest->targets[i].name) == 0)
            return true;
    return false;
}

static bool is_of_sampler(const struct selection *s, const struct manifest *manifest, size_t sampler,
                          const struct record *row)
{
    if (!axis_is_of_samplers(s->bound->axis))
        return strcmp(row->sampler, manifest->samplers[sampler].name) == 0;
    for (size_t i = 0; i < manifest->sampler_count; i++)
        if (strcmp(manifest->sampler_entries[i].of, manifest->sampler_entries[sampler].of) == 0
            && strcmp(row->sampler, manifest->samplers[i].name) == 0)
            return true;
    return false;
}

static bool is_about(const struct selection *s, const struct manifest *manifest, size_t target, size_t sampler,
                     const struct record *row)
{
    const bool sampled = s->column->role == COLUMN_SAMPLED, exact = strcmp(row->score_error, "none") == 0;
    return is_of_target(s, manifest, target, row) && is_of_sampler(s, manifest, sampler, row)
           && (row->chains > 0) == sampled && exact != columns_are_of_errors(s->bound)
           && abscissa(&s->axis, row) > 0.0;
}

/* Why no fit uses a row; NULL if one may. */
static const char *why_not(const struct selection *s, const struct record *row)
{
    const char *reason = NULL;
    size_t d = 0;
    while (d + 1 < s->manifest->dimension_count && s->manifest->dimensions[d] != row->dimension)
        d++;
    if (s->steps_matter)
        reason = window_steps_reason(s->manifest, row, s->largest[d]);
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

/* Makes the cells of the fit. Indices of settings and of abscissas are how many cells come before them, so that they
 * are in order, the smallest d or T first. */
static void fill_cells(const struct selection *s, const struct record *const *used, size_t count,
                       struct fit_cell *cells, size_t *extreme)
{
    const bool in_dimension = is_of(s->bound->axis, "dimension");
    /* rows of one h have one T */
    const struct field *axis = is_of(s->bound->axis, "step_size") ? field_of("steps") : &s->axis;
    const char *label = axis_is_of_targets(s->bound->axis)    ? "target"
                        : axis_is_of_samplers(s->bound->axis) ? "sampler"
                                                              : NULL;
    for (size_t i = 0; i < count; i++) {
        double x = abscissa(&s->axis, used[i]);
        size_t place = 0, setting = 0;
        for (size_t j = 0; j < count; j++) {
            place += abscissa(axis, used[j]) < abscissa(axis, used[i]);
            setting += record_order_but(used[j], used[i], axis, label) < 0;
        }
        cells[i] = (struct fit_cell){.log_d = log((double)used[i]->dimension),
                                     .x = log(in_dimension ? used[i]->step_size : x),
                                     .y = log(record_size(used[i], s->column->offset).value),
                                     .dimension = in_dimension ? place : setting,
                                     .other = in_dimension ? setting : place};
    }
    *extreme = 0;
    /* the largest T, roughness or probability, the smallest error: the farthest towards what claims are about */
    const bool downwards = is_of(s->bound->axis, "score_error_size");
    for (size_t i = 0; i < count; i++)
        if (i == 0 || (downwards ? cells[i].other < *extreme : cells[i].other > *extreme))
            *extreme = cells[i].other;
}

static enum status fit_rows(const struct selection *s, const struct record **used, struct account *account,
                            struct column_exponent *out, struct error *error)
{
    const bool in_dimension = is_of(s->bound->axis, "dimension");
    size_t count = 0, extreme;
    struct fit fit;
    enum status status;
    for (size_t i = 0; i < s->count; i++) {
        const char *reason = why_not(s, s->row[i]);
        account_row(s, s->row[i], reason, account);
        if (reason == NULL)
            used[count++] = s->row[i];
    }
    struct fit_cell *cells = array_new(count, sizeof *cells);
    if (cells == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a fit");
    fill_cells(s, used, count, cells, &extreme);
    TRY_OR(end, fit_exponents(cells, count, extreme, &fit, error));
    *out = (struct column_exponent){.ok = fit.ok && (fit.has_d || !in_dimension),
                                    .exponent = in_dimension ? fit.d : fit.x,
                                    .used = !fit.ok        ? fit.cells
                                            : in_dimension ? fit.weighed_d
                                                           : fit.weighed_x};
    bool several = false;
    for (size_t i = 1; i < count; i++)
        several = several || used[i]->dimension != used[0]->dimension;
    (void)snprintf(out->reason, sizeof out->reason, "%s",
                   !fit.ok   ? fit.reason
                   : several ? "too few T in the window that several dimensions share"
                             : "only one dimension in the window");
    if (fit.ok)
        exponents_mark_unweighted(account, cells, count, in_dimension);
end:
    free(cells);
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
    struct selection s = {&evidence->manifest,
                          bound,
                          !columns_are_of_errors(bound) || has_limit(bound->axis),
                          axis_field(evidence, bound->axis),
                          field_of(bound->column),
                          array_new(evidence->result.count, sizeof *s.row),
                          0,
                          array_new(evidence->manifest.dimension_count, sizeof *s.largest)};
    const struct record **used = array_new(evidence->result.count, sizeof *used);
    const char *name = evidence->manifest.samplers[sampler].name;
    const bool sampled = s.column->role == COLUMN_SAMPLED;
    *out = (struct column_exponent){.ok = false};
    enum status status = s.row != NULL && used != NULL && s.largest != NULL
                             ? STATUS_OK
                             : fail_with(error, STATUS_MEMORY, "out of memory for a fit");
    TRY_OR(end, status);
    for (size_t i = 0; i < evidence->result.count; i++)
        if (is_about(&s, &evidence->manifest, target, sampler, &evidence->result.rows[i]))
            s.row[s.count++] = &evidence->result.rows[i];
    qsort(s.row, s.count, sizeof *s.row, by_identity);
    for (size_t d = 0; d < s.manifest->dimension_count; d++)
        s.largest[d] = window_largest(s.manifest, s.row, s.count, s.manifest->dimensions[d]);
    account_window(account,
                   s.steps_matter ? window_rule(s.manifest, sampled)
                   : sampled      ? "a standard error below a tenth"
                                  : "known to a thousandth",
                   "%s of %s", bound->column, name);
    TRY_OR(end, fit_rows(&s, used, account, out, error));
end:
    free(s.row);
    free(s.largest);
    free(used);
    return status;
}

enum status column_exponent_limit(const struct evidence *evidence, const struct claim_bound *bound, size_t target,
                                  size_t sampler, struct limit *out, size_t *where, struct error *error)
{
    const struct field *column = field_of(bound->column);
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
