#include "verdict/exponents.h"

#include <math.h>
#include <stdio.h>

#include "core/memory.h"
#include "core/text.h"

/* The record at a given T, or NULL. */
static const struct record *find_row(const struct record *const *rows, size_t count, size_t steps)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i]->steps == steps)
            return rows[i];
    return NULL;
}

/* Why a cell is left out, from the first rule that it breaks; NULL if it is not. */
static const char *why_not(const struct bracket *bracket, const struct record *row, double accuracy, double largest,
                           enum cost cost)
{
    static const char *const reaches[] = {[REACH_BEYOND] = "more than max_steps",
                                          [REACH_AT_START] = "met at the smallest admissible T already",
                                          [REACH_OPEN] =
                                              "not resolved: some T between are not measured, or not known"};
    if (bracket->reach != REACH_FOUND)
        return reaches[bracket->reach];
    if (accuracy > WINDOW_ACCURACY)
        return "ε above 0.1";
    if ((double)bracket->passes * WINDOW_FACTOR < largest)
        return "T more than a factor 8 below the largest found";
    if (row == NULL)
        return "no record of TV at this T";
    if (cost != COST_FROM_ABOVE && row->tv_error > WINDOW_RADIUS * accuracy)
        return "the radius of TV is above a thousandth of ε";
    return NULL;
}

static void account_complexity(struct account *account, size_t dimension, double accuracy,
                               const struct bracket *bracket, const char *reason)
{
    struct account_cell cell = {.reason = reason,
                                .use = reason == NULL                     ? CELL_USED
                                       : bracket->reach == REACH_BEYOND   ? CELL_CENSORED
                                       : bracket->reach == REACH_AT_START ? CELL_AT_START
                                                                          : 0};
    (void)snprintf(cell.where, sizeof cell.where, "d = %zu, ε = %g", dimension, accuracy);
    bracket_label(bracket, cell.measured, sizeof cell.measured);
    account_cell(account, &cell);
}

void exponents_mark_unweighted(struct account *account, const struct fit_cell *cells, size_t count, bool along_d)
{
    size_t next = 0;
    for (size_t i = 0; account != NULL && i < account->cells && next < count; i++) {
        struct account_cell *cell = &account->cell[i];
        if (cell->window + 1 != account->windows || !(cell->use & CELL_USED))
            continue;
        if (!fit_has_weight(cells, count, along_d, next++)) {
            cell->use &= ~CELL_USED;
            cell->reason = along_d ? "the only one of its group: no weight in a fit of d"
                                   : "the only one in its d: no weight in the fit";
        }
    }
}

enum status complexity_exponents(const struct evidence *evidence, size_t target, size_t sampler, enum cost cost,
                                 bool along_d, struct account *account, struct fit *out, struct error *error)
{
    const struct spec *spec = &evidence->spec;
    size_t most = spec->dimension_count * spec->accuracy_count, count = 0, extreme = 0;
    double largest = 0.0;
    struct fit_cell *cells = array_new(most, sizeof *cells);
    const struct record **rows = array_new(evidence->result.count, sizeof *rows);
    enum status status =
        cells != NULL && rows != NULL ? STATUS_OK : fail_with(error, STATUS_MEMORY, "out of memory for a fit");
    for (size_t d = 0; d < spec->dimension_count; d++)
        for (size_t e = 0; e < spec->accuracy_count; e++) {
            const struct bracket *bracket = evidence_complexity(evidence, target, sampler, d, e);
            if (bracket->reach == REACH_FOUND && spec->accuracies[e] <= WINDOW_ACCURACY)
                largest = fmax(largest, (double)bracket->passes);
        }
    account_window(account,
                   cost == COST_FROM_ABOVE
                       ? "ε ≤ 0.1 and T within a factor 8 of the largest found, whatever the radius of TV"
                       : "ε ≤ 0.1, T within a factor 8 of the largest found, and a radius of TV below a thousandth "
                         "of ε",
                   "T(d, ε) of %s", spec->samplers[sampler]->name);
    for (size_t d = 0; d < spec->dimension_count && status == STATUS_OK; d++) {
        size_t row_count = evidence_rows(evidence, target, sampler, 0, d, rows);
        for (size_t e = 0; e < spec->accuracy_count; e++) {
            const struct bracket *bracket = evidence_complexity(evidence, target, sampler, d, e);
            const struct record *row = find_row(rows, row_count, bracket->passes);
            const char *reason = why_not(bracket, row, spec->accuracies[e], largest, cost);
            const char *refusal = evidence_refusal(evidence, target, sampler, d, bracket);
            reason = reason != NULL && refusal != NULL ? refusal : reason;
            account_complexity(account, spec->dimensions[d], spec->accuracies[e], bracket, reason);
            if (reason != NULL)
                continue;
            double steps = cost == COST_STEPS ? (double)bracket->passes : log_free_cost(bracket->passes);
            cells[count++] =
                (struct fit_cell){log((double)spec->dimensions[d]), -log(spec->accuracies[e]), log(steps), d, e};
            extreme = e > extreme ? e : extreme; /* accuracies decrease */
        }
    }
    if (status == STATUS_OK)
        status = fit_exponents(cells, count, extreme, out, error);
    if (status == STATUS_OK && out->ok)
        exponents_mark_unweighted(account, cells, count, along_d);
    free(cells);
    free(rows);
    return status;
}

static int is_power_of_two(size_t T)
{
    return (T & (T - 1)) == 0;
}

static double largest_power_of_two(const struct record *const *rows, size_t count)
{
    double largest = 0.0;
    for (size_t i = 0; i < count; i++)
        if (is_power_of_two(rows[i]->steps))
            largest = fmax(largest, (double)rows[i]->steps);
    return largest;
}

static const double *divergence_of(const struct record *row, size_t offset)
{
    return (const double *)(const void *)((const char *)row + offset);
}

static const char *why_steps_not(const struct record *row, double largest)
{
    if (!is_power_of_two(row->steps))
        return "T is not a power of two";
    return (double)row->steps * WINDOW_FACTOR >= largest ? NULL : "T more than a factor 8 below the largest";
}

static const char *why_value_not(const struct record *row, size_t offset)
{
    const double *value = divergence_of(row, offset);
    if (!(value[0] > 0.0 && isfinite(value[0]) && value[1] <= WINDOW_RADIUS * value[0]))
        return "not known to a thousandth";
    return offset == offsetof(struct record, tv) && value[0] > WINDOW_ACCURACY ? "TV above 0.1" : NULL;
}

static const char *why_divergence_not(const struct record *row, size_t offset, double largest)
{
    const char *reason = why_steps_not(row, largest);
    return reason != NULL ? reason : why_value_not(row, offset);
}

static const char *column_at(size_t offset)
{
    const struct field *field = record_fields;
    while (field->name != NULL && field->offset != offset)
        field++;
    return field->name != NULL ? field->name : "the divergence";
}

static void account_divergences(struct account *account, const struct record *const *rows, size_t count,
                                size_t offset)
{
    double largest = largest_power_of_two(rows, count);
    for (size_t i = 0; i < count && account != NULL; i++) {
        const double *value = divergence_of(rows[i], offset);
        struct account_cell cell = {.reason = why_divergence_not(rows[i], offset, largest)};
        char text[TEXT_MEASURED_SIZE];
        cell.use = cell.reason == NULL ? CELL_USED : 0;
        (void)snprintf(cell.where, sizeof cell.where, "d = %zu, T = %zu", (size_t)rows[i]->dimension,
                       (size_t)rows[i]->steps);
        text_measured(value[0], value[1], text);
        (void)snprintf(cell.measured, sizeof cell.measured, isnan(value[0]) ? "%s" : "%s ± %.1e", text, value[1]);
        account_cell(account, &cell);
    }
}

size_t divergence_window(const struct record *const *rows, size_t count, size_t offset, const struct record **inside,
                         size_t *dropped)
{
    size_t kept = 0;
    double largest = largest_power_of_two(rows, count);
    for (size_t i = 0; i < count; i++) {
        if (why_steps_not(rows[i], largest) != NULL)
            continue;
        if (why_value_not(rows[i], offset) == NULL)
            inside[kept++] = rows[i];
        else if (dropped != NULL)
            (*dropped)++;
    }
    return kept;
}

enum status divergence_exponents(const struct evidence *evidence, size_t target, size_t sampler, size_t offset,
                                 double logs, struct account *account, struct fit *out, struct error *error)
{
    const struct spec *spec = &evidence->spec;
    size_t count = 0, extreme = 0;
    struct fit_cell *cells = array_new(evidence->result.count, sizeof *cells);
    const struct record **rows = array_new(evidence->result.count, sizeof *rows);
    enum status status =
        cells != NULL && rows != NULL ? STATUS_OK : fail_with(error, STATUS_MEMORY, "out of memory for a fit");
    account_window(account, "T a power of two within a factor 8 of the largest in its d, known to a thousandth",
                   "%s of %s", column_at(offset), spec->samplers[sampler]->name);
    for (size_t d = 0; d < spec->dimension_count && status == STATUS_OK; d++) {
        size_t measured = evidence_rows(evidence, target, sampler, 0, d, rows);
        account_divergences(account, rows, measured, offset);
        size_t inside = divergence_window(rows, measured, offset, rows, NULL);
        for (size_t i = 0; i < inside; i++) {
            const double *value = divergence_of(rows[i], offset);
            size_t other = (size_t)log2((double)rows[i]->steps);
            double x = log(rows[i]->step_size) + logs * log(log((double)rows[i]->steps));
            cells[count++] = (struct fit_cell){log((double)spec->dimensions[d]), x, log(value[0]), d, other};
            extreme = other > extreme ? other : extreme;
        }
    }
    if (status == STATUS_OK)
        status = fit_exponents(cells, count, extreme, out, error);
    if (status == STATUS_OK && out->ok)
        exponents_mark_unweighted(account, cells, count, false);
    free(cells);
    free(rows);
    return status;
}

struct unused complexity_unused(const struct evidence *evidence, size_t target, size_t sampler)
{
    const struct spec *spec = &evidence->spec;
    struct unused unused = {0, 0, 0};
    for (size_t d = 0; d < spec->dimension_count; d++)
        for (size_t e = 0; e < spec->accuracy_count; e++) {
            enum reach reach = evidence_complexity(evidence, target, sampler, d, e)->reach;
            unused.beyond += reach == REACH_BEYOND;
            unused.at_start += reach == REACH_AT_START;
            unused.open += reach == REACH_OPEN;
        }
    return unused;
}

struct tv_fall tv_fall(const struct evidence *evidence, size_t target, size_t sampler)
{
    const struct spec *spec = &evidence->spec;
    const struct record **rows = array_new(evidence->result.count, sizeof *rows);
    struct tv_fall fall = {.power = HUGE_VAL};
    for (size_t d = 0; d < spec->dimension_count && !(fall.power < FLOOR_SLOPE) && rows != NULL; d++) {
        size_t count = evidence_rows(evidence, target, sampler, 0, d, rows);
        if (count < 2)
            continue;
        const struct record *last = rows[count - 1], *before = NULL;
        for (size_t i = 0; i < count; i++)
            if (2 * rows[i]->steps <= last->steps)
                before = rows[i];
        if (before == NULL || last->tv > 0.5 || last->tv < 100.0 * last->tv_error)
            continue;
        double power = log(before->tv / last->tv) / log(before->step_size / last->step_size);
        if (power < fall.power)
            fall = (struct tv_fall){power, last->tv, last->steps, spec->dimensions[d]};
    }
    free(rows);
    return fall;
}
