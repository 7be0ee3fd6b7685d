#include "verdict/exponents.h"

#include <math.h>

#include "core/memory.h"

/* The record at a given T, or NULL. */
static const struct record *find_row(const struct record *const *rows, size_t count, size_t steps)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i]->steps == steps)
            return rows[i];
    return NULL;
}

enum status complexity_exponents(const struct evidence *evidence, size_t target, size_t sampler, enum cost cost,
                                 struct fit *out, struct error *error)
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
    for (size_t d = 0; d < spec->dimension_count && status == STATUS_OK; d++) {
        size_t row_count = evidence_rows(evidence, target, sampler, 0, d, rows);
        for (size_t e = 0; e < spec->accuracy_count; e++) {
            const struct bracket *bracket = evidence_complexity(evidence, target, sampler, d, e);
            if (bracket->reach != REACH_FOUND || spec->accuracies[e] > WINDOW_ACCURACY
                || (double)bracket->passes * WINDOW_FACTOR < largest)
                continue;
            const struct record *row = find_row(rows, row_count, bracket->passes);
            if (row == NULL || (cost != COST_FROM_ABOVE && row->tv_error > WINDOW_RADIUS * spec->accuracies[e]))
                continue;
            double steps = cost == COST_STEPS ? (double)bracket->passes : log_free_cost(bracket->passes);
            cells[count++] =
                (struct fit_cell){log((double)spec->dimensions[d]), -log(spec->accuracies[e]), log(steps), d, e};
            extreme = e > extreme ? e : extreme; /* accuracies decrease */
        }
    }
    if (status == STATUS_OK)
        status = fit_exponents(cells, count, extreme, out, error);
    free(cells);
    free(rows);
    return status;
}

static int is_power_of_two(size_t T)
{
    return (T & (T - 1)) == 0;
}

size_t divergence_window(const struct record *const *rows, size_t count, size_t offset, const struct record **inside)
{
    size_t kept = 0;
    double largest = 0.0;
    for (size_t i = 0; i < count; i++)
        if (is_power_of_two(rows[i]->steps))
            largest = fmax(largest, (double)rows[i]->steps);
    for (size_t i = 0; i < count; i++) {
        const double *value = (const double *)((const char *)rows[i] + offset);
        int saturates = offset == offsetof(struct record, tv) && value[0] > WINDOW_ACCURACY;
        if (is_power_of_two(rows[i]->steps) && (double)rows[i]->steps * WINDOW_FACTOR >= largest && value[0] > 0.0
            && isfinite(value[0]) && value[1] <= WINDOW_RADIUS * value[0] && !saturates)
            inside[kept++] = rows[i];
    }
    return kept;
}

static enum status exponents_in(const struct evidence *evidence, size_t target, size_t sampler, size_t offset,
                                double logs, struct fit *out, struct error *error)
{
    const struct spec *spec = &evidence->spec;
    size_t count = 0, extreme = 0;
    struct fit_cell *cells = array_new(evidence->result.count, sizeof *cells);
    const struct record **rows = array_new(evidence->result.count, sizeof *rows);
    enum status status =
        cells != NULL && rows != NULL ? STATUS_OK : fail_with(error, STATUS_MEMORY, "out of memory for a fit");
    for (size_t d = 0; d < spec->dimension_count && status == STATUS_OK; d++) {
        size_t inside = divergence_window(rows, evidence_rows(evidence, target, sampler, 0, d, rows), offset, rows);
        for (size_t i = 0; i < inside; i++) {
            const double *value = (const double *)((const char *)rows[i] + offset);
            size_t other = (size_t)log2((double)rows[i]->steps);
            double x = log(rows[i]->step_size) + logs * log(log((double)rows[i]->steps));
            cells[count++] = (struct fit_cell){log((double)spec->dimensions[d]), x, log(value[0]), d, other};
            extreme = other > extreme ? other : extreme;
        }
    }
    if (status == STATUS_OK)
        status = fit_exponents(cells, count, extreme, out, error);
    free(cells);
    free(rows);
    return status;
}

enum status divergence_exponents(const struct evidence *evidence, size_t target, size_t sampler, size_t offset,
                                 struct fit *out, struct error *error)
{
    return exponents_in(evidence, target, sampler, offset, 0.0, out, error);
}

enum status tv_exponents(const struct evidence *evidence, size_t target, size_t sampler, double logs, struct fit *out,
                         struct error *error)
{
    return exponents_in(evidence, target, sampler, offsetof(struct record, tv), logs, out, error);
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

/* TV falls at least like h^1 where a claim holds; less than a fifth of that over a factor of two and more in T is a
 * floor. */
#define FLOOR_SLOPE 0.2

int tv_floor(const struct evidence *evidence, size_t target, size_t sampler, double *tv, size_t *steps,
             size_t *dimension)
{
    const struct spec *spec = &evidence->spec;
    const struct record **rows = array_new(evidence->result.count, sizeof *rows);
    int found = 0;
    for (size_t d = 0; d < spec->dimension_count && !found && rows != NULL; d++) {
        size_t count = evidence_rows(evidence, target, sampler, 0, d, rows);
        if (count < 2)
            continue;
        const struct record *last = rows[count - 1], *before = NULL;
        for (size_t i = 0; i < count; i++)
            if (2 * rows[i]->steps <= last->steps)
                before = rows[i];
        if (before == NULL || last->tv > 0.5 || last->tv < 100.0 * last->tv_error)
            continue;
        double slope = log(before->tv / last->tv) / log(before->step_size / last->step_size);
        if (slope < FLOOR_SLOPE) {
            found = 1;
            *tv = last->tv;
            *steps = last->steps;
            *dimension = spec->dimensions[d];
        }
    }
    free(rows);
    return found;
}
