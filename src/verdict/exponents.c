#include "verdict/exponents.h"

#include <math.h>
#include <stdio.h>

#include "core/memory.h"
#include "core/text.h"
#include "experiment/spec_claims.h"

/* The record at a given T, or NULL. */
static const struct record *find_row(const struct row_list *rows, size_t steps)
{
    for (size_t i = 0; i < rows->count; i++)
        if (rows->row[i]->steps == steps)
            return rows->row[i];
    return NULL;
}

static bool is_tv(const struct manifest *manifest)
{
    return manifest->accuracy_in == &accuracy_quantities[0];
}

const char *const reach_reasons[] = {[REACH_FOUND] = NULL,
                                     [REACH_BEYOND] = "more than max_steps",
                                     [REACH_AT_START] = "met at the smallest admissible T already",
                                     [REACH_OPEN] = "not resolved: some T between are not measured, or not known"};

/* Why a cell is left out, from the first rule that it breaks; NULL if it is not. */
static const char *why_not(const struct manifest *manifest, const struct bracket *bracket, const struct record *row,
                           double accuracy, double largest, enum cost cost)
{
    if (bracket->reach != REACH_FOUND)
        return reach_reasons[bracket->reach];
    if (accuracy > manifest->accuracy_in->window)
        return "ε above 0.1";
    if ((double)bracket->passes * WINDOW_FACTOR < largest)
        return "T more than a factor 8 below the largest found";
    if (row == NULL)
        return "no record at this T";
    if (cost != COST_FROM_ABOVE && quantity_of(manifest->accuracy_in, row)[1] > WINDOW_RADIUS * accuracy)
        return "the radius is above a thousandth of ε";
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

enum status exponents_mark_unweighted(struct account *account, const struct fit_cell *cells, size_t count,
                                      bool along_d, struct error *error)
{
    if (account == NULL)
        return STATUS_OK;
    bool *weight = array_new(count, sizeof *weight);
    enum status status = weight != NULL ? fit_weights(cells, count, along_d, weight, error)
                                        : fail_with(error, STATUS_MEMORY, "out of memory for a fit");
    for (size_t i = 0, next = 0; i < account->cells && next < count && status == STATUS_OK; i++) {
        struct account_entry *cell = &account->cell[i];
        if (cell->window + 1 != account->windows || !(cell->use & CELL_USED) || weight[next++])
            continue;
        cell->use &= ~CELL_USED;
        cell->reason = along_d ? "the only one of its group: no weight in a fit of d"
                               : "the only one in its d: no weight in the fit";
    }
    free(weight);
    return status;
}

/* Whose T(d, eps). */
struct search {
    size_t target, sampler, score_error;
};

static enum status fit_search(const struct evidence *evidence, const struct search *of, enum cost cost, bool along_d,
                              struct account *account, struct fit *out, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    size_t most = manifest->dimension_count * manifest->accuracy_count, count = 0, extreme = 0;
    double largest = 0.0;
    struct fit_cell *cells = array_new(most, sizeof *cells);
    enum status status = cells != NULL ? STATUS_OK : fail_with(error, STATUS_MEMORY, "out of memory for a fit");
    for (size_t d = 0; d < manifest->dimension_count; d++)
        for (size_t e = 0; e < manifest->accuracy_count; e++) {
            const struct bracket *bracket =
                evidence_complexity_under(evidence, of->target, of->sampler, of->score_error, d, e);
            if (bracket->reach == REACH_FOUND && manifest->accuracies[e] <= manifest->accuracy_in->window)
                largest = fmax(largest, (double)bracket->passes);
        }
    account_window(account,
                   cost == COST_FROM_ABOVE
                       ? "ε ≤ 0.1 and T within a factor 8 of the largest found, whatever the radius"
                       : "ε ≤ 0.1, T within a factor 8 of the largest found, and a radius below a thousandth "
                         "of ε",
                   "T(d, ε)%s%s of %s", is_tv(manifest) ? "" : " in ",
                   is_tv(manifest) ? "" : manifest->accuracy_in->label, manifest->samplers[of->sampler].name);
    for (size_t d = 0; d < manifest->dimension_count && status == STATUS_OK; d++) {
        const struct row_list rows = evidence_rows(evidence, of->target, of->sampler, of->score_error, d);
        for (size_t e = 0; e < manifest->accuracy_count; e++) {
            const struct bracket *bracket =
                evidence_complexity_under(evidence, of->target, of->sampler, of->score_error, d, e);
            const struct record *row = find_row(&rows, bracket->passes);
            const char *reason = why_not(manifest, bracket, row, manifest->accuracies[e], largest, cost);
            const char *refusal =
                of->score_error == 0 ? evidence_refusal(evidence, of->target, of->sampler, d, bracket) : NULL;
            reason = reason != NULL && refusal != NULL ? refusal : reason;
            account_complexity(account, manifest->dimensions[d], manifest->accuracies[e], bracket, reason);
            if (reason != NULL)
                continue;
            double steps =
                cost == COST_STEPS ? (double)bracket->passes : log_free_cost(row->schedule, bracket->passes);
            cells[count++] = (struct fit_cell){log((double)manifest->dimensions[d]), -log(manifest->accuracies[e]),
                                               log(steps), d, e};
            extreme = e > extreme ? e : extreme; /* accuracies decrease */
        }
    }
    if (status == STATUS_OK)
        status = fit_exponents(cells, count, extreme, out, error);
    if (status == STATUS_OK && out->ok)
        status = exponents_mark_unweighted(account, cells, count, along_d, error);
    free(cells);
    return status;
}

enum status complexity_exponents(const struct evidence *evidence, size_t target, size_t sampler, enum cost cost,
                                 bool along_d, struct account *account, struct fit *out, struct error *error)
{
    return fit_search(evidence, &(struct search){target, sampler, 0}, cost, along_d, account, out, error);
}

enum status complexity_exponents_under(const struct evidence *evidence, size_t target, size_t sampler,
                                       size_t score_error, struct fit *out, struct error *error)
{
    return fit_search(evidence, &(struct search){target, sampler, score_error}, COST_LOG_FREE, false, NULL, out,
                      error);
}

static void account_divergences(const struct manifest *manifest, struct account *account, const struct row_list *rows,
                                const struct field *column)
{
    const double largest = window_largest(manifest, rows);
    for (size_t i = 0; i < rows->count && account != NULL; i++) {
        const struct record *row = rows->row[i];
        const struct estimate value = record_size(row, column->offset);
        const char *reason = window_steps_reason(manifest, row, largest);
        struct account_cell cell = {.reason = reason != NULL ? reason : window_value_reason(row, column)};
        char text[TEXT_MEASURED_SIZE];
        cell.use = cell.reason == NULL ? CELL_USED : 0;
        (void)snprintf(cell.where, sizeof cell.where, "d = %zu, T = %zu", (size_t)row->dimension, (size_t)row->steps);
        text_measured(value.value, value.error, text);
        (void)snprintf(cell.measured, sizeof cell.measured, isnan(value.value) ? "%s" : "%s ± %.1e", text,
                       value.error);
        account_cell(account, &cell);
    }
}

static size_t count_rows(const struct evidence *evidence, size_t target, size_t sampler)
{
    size_t count = 0;
    for (size_t d = 0; d < evidence->manifest.dimension_count; d++)
        count += evidence_rows(evidence, target, sampler, 0, d).count;
    return count;
}

enum status divergence_exponents(const struct evidence *evidence, size_t target, size_t sampler, size_t offset,
                                 double logs, struct account *account, struct fit *out, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    const struct field *column = record_field_at(offset);
    size_t count = 0, extreme = 0;
    struct fit_cell *cells = array_new(count_rows(evidence, target, sampler), sizeof *cells);
    enum status status = cells != NULL ? STATUS_OK : fail_with(error, STATUS_MEMORY, "out of memory for a fit");
    account_window(account, window_rule(manifest, false), "%s of %s", column->name, manifest->samplers[sampler].name);
    for (size_t d = 0; d < manifest->dimension_count && status == STATUS_OK; d++) {
        const struct row_list rows = evidence_rows(evidence, target, sampler, 0, d);
        const double largest = window_largest(manifest, &rows);
        account_divergences(manifest, account, &rows, column);
        for (size_t i = 0; i < rows.count; i++) {
            const struct record *row = rows.row[i];
            if (window_of(manifest, row, largest, column) != WINDOW_INSIDE)
                continue;
            const double x = log(row->step_size) + logs * log(log((double)row->steps));
            cells[count++] = (struct fit_cell){log((double)manifest->dimensions[d]), x,
                                               log(record_size(row, offset).value), d, row->steps};
            extreme = row->steps > extreme ? row->steps : extreme;
        }
    }
    if (status == STATUS_OK)
        status = fit_exponents(cells, count, extreme, out, error);
    if (status == STATUS_OK && out->ok)
        status = exponents_mark_unweighted(account, cells, count, false, error);
    free(cells);
    return status;
}

/* The points of a limit of rows of one dimension, by decreasing h. */
static size_t limit_points(const struct manifest *manifest, const struct row_list *rows, const struct field *column,
                           struct limit_point *points)
{
    size_t kept = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const struct record *row = rows->row[i];
        const struct estimate value = record_size(row, column->offset);
        if (window_takes_steps(manifest, row) && window_value_reason(row, column) == NULL
            && !(row->tv > WINDOW_ACCURACY))
            points[kept++] = (struct limit_point){row->step_size, value.value, value.error};
    }
    return kept;
}

/* One dimension's limit, with what it is made of. */
struct dimension_limit {
    struct limit power;
    struct limit_point *points;
    size_t count;
};

static void limits_free(struct dimension_limit *limits, size_t count)
{
    for (size_t d = 0; limits != NULL && d < count; d++)
        free(limits[d].points);
    free(limits);
}

/* One for each dimension, for limits_free, also after an error. */
static enum status find_limits(const struct evidence *evidence, size_t target, size_t sampler, size_t offset,
                               struct dimension_limit **out, struct error *error)
{
    size_t dimensions = evidence->manifest.dimension_count;
    struct dimension_limit *limits = array_new(dimensions, sizeof *limits);
    bool enough = limits != NULL;
    *out = limits;
    for (size_t d = 0; d < dimensions && enough; d++) {
        const struct row_list rows = evidence_rows(evidence, target, sampler, 0, d);
        limits[d].points = array_new(rows.count, sizeof *limits[d].points);
        enough = limits[d].points != NULL;
        if (!enough)
            break;
        limits[d].count = limit_points(&evidence->manifest, &rows, record_field_at(offset), limits[d].points);
        limits[d].power = limit_exponent(limits[d].points, limits[d].count);
    }
    return enough ? STATUS_OK : fail_with(error, STATUS_MEMORY, "out of memory for limits");
}

enum status divergence_limit(const struct evidence *evidence, size_t target, size_t sampler, size_t offset,
                             bool largest, struct limit *out, size_t *where, struct error *error)
{
    struct dimension_limit *limits;
    size_t dimensions = evidence->manifest.dimension_count;
    enum status status = find_limits(evidence, target, sampler, offset, &limits, error);
    *out = (struct limit){.exists = false};
    for (size_t d = 0; d < dimensions && status == STATUS_OK; d++) {
        const struct limit *power = &limits[d].power;
        const bool beyond = largest ? power->value > out->value : power->value < out->value;
        if (d > 0 && !(power->exists && (!out->exists || beyond)))
            continue;
        *out = *power;
        *where = evidence->manifest.dimensions[d];
    }
    limits_free(limits, dimensions);
    return status;
}

/* Below this power TV has a floor rather than an order. */
#define LEAST_ORDER 0.2

/* The power of 1/eps in T/log T from that of h in TV. */
static struct limit inverse(const struct quantity *quantity, const struct limit *power)
{
    struct limit limit = *power;
    double least = power->value - power->interval;
    if (!power->exists)
        return limit;
    limit.exists = least > LEAST_ORDER;
    if (!limit.exists)
        (void)snprintf(limit.reason, sizeof limit.reason, "%s falls like h^%.2f only", quantity->label, power->value);
    limit.value = 1.0 / power->value;
    limit.interval = 1.0 / least - limit.value;
    return limit;
}

enum status accuracy_limit(const struct evidence *evidence, size_t target, size_t sampler,
                           const struct quantity *quantity, bool smallest, struct limit *out, size_t *where,
                           struct error *error)
{
    struct limit power;
    TRY(divergence_limit(evidence, target, sampler, quantity->offset, smallest, &power, where, error));
    *out = inverse(quantity, &power);
    return STATUS_OK;
}

enum status ratio_limit(const struct evidence *evidence, size_t target, size_t fast, size_t slow, struct limit *out,
                        size_t *where, struct error *error)
{
    struct dimension_limit *of_fast, *of_slow = NULL;
    size_t dimensions = evidence->manifest.dimension_count;
    const struct quantity *quantity = evidence->manifest.accuracy_in;
    enum status status;
    *out = (struct limit){.exists = false};
    TRY_OR(end, find_limits(evidence, target, fast, quantity->offset, &of_fast, error));
    TRY_OR(end, find_limits(evidence, target, slow, quantity->offset, &of_slow, error));
    for (size_t d = 0; d < dimensions; d++) {
        struct limit a = inverse(quantity, &of_fast[d].power), b = inverse(quantity, &of_slow[d].power);
        struct limit ratio = a.exists ? b : a;
        ratio.value = b.value - a.value;
        ratio.interval = a.interval + b.interval;
        if (d > 0 && !(ratio.exists && (!out->exists || ratio.value < out->value)))
            continue;
        *out = ratio;
        *where = evidence->manifest.dimensions[d];
    }
end:
    limits_free(of_fast, dimensions);
    limits_free(of_slow, dimensions);
    return status;
}

/* The order that is common to all: the integer that lies in all intervals, or the mean of the limits; NaN
 * where two of them exclude each other. */
static double common_order(const struct dimension_limit *const *limits, size_t most)
{
    double low = LEAST_ORDER, high = HUGE_VAL, sum = 0.0, count = 0.0;
    for (size_t i = 0; i < most; i++) {
        const struct limit *power = &limits[i]->power;
        if (!power->exists)
            continue;
        low = fmax(low, power->value - power->interval);
        high = fmin(high, power->value + power->interval);
        sum += power->value;
        count += 1.0;
    }
    double mean = sum / count, integer = round(mean);
    if (!(count > 0.0) || low > high)
        return NAN;
    return integer >= low && integer <= high ? integer : mean;
}

/* log C_p, p being the order, in what has these values; those that have none are left out. Returns how many. */
static size_t find_constants(const struct dimension_limit *const *limits, const double *values, size_t count,
                             double order, struct limit *constants, double *at)
{
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
        constants[known] = limit_log_coefficient(limits[i]->points, limits[i]->count, order);
        at[known] = values[i];
        known += constants[known].exists;
    }
    return known;
}

/* The slope between a value and the one before; *radius: what their intervals make of it. */
static double slope(const struct limit *constants, const double *at, size_t last, double *radius)
{
    const double apart = log(at[last] / at[last - 1]);
    *radius = (constants[last].interval + constants[last - 1].interval) / apart;
    return (constants[last].value - constants[last - 1].value) / apart;
}

/* As d -> infinity, where that can be extrapolated: then with the power between the largest two dimensions beside it,
 * else that one, with the reason. */
static struct limit beyond_dimensions(const struct limit *finite, const struct limit *constants, const double *at,
                                      size_t count)
{
    struct limit limit = limit_dimension(constants, at, count), known = *finite;
    if (!limit.exists) {
        (void)snprintf(known.reason, sizeof known.reason, "%s", limit.reason);
        return known;
    }
    limit.in_dimension = true;
    limit.finite[0] = finite->value;
    limit.finite[1] = finite->interval;
    return limit;
}

/* The power of the values (ascending) in C_p; *order is set to p where there is a limit. */
static enum status power_of_coefficient(const struct dimension_limit *const *limits, const double *values,
                                        size_t count, size_t offset, bool in_dimension, double *order,
                                        struct limit *out, struct error *error)
{
    const char *name = record_field_at(offset)->name;
    struct limit *constants = array_new(count, sizeof *constants);
    double *at = array_new(count, sizeof *at), radius[2];
    enum status status =
        constants != NULL && at != NULL ? STATUS_OK : fail_with(error, STATUS_MEMORY, "out of memory for limits");
    TRY_OR(end, status);
    *order = common_order(limits, count);
    const size_t known = isfinite(*order) ? find_constants(limits, values, count, *order, constants, at) : 0;
    *out = (struct limit){.exists = known >= 3, .points = known};
    if (!isfinite(*order))
        (void)snprintf(out->reason, sizeof out->reason, "%s has no order in h that is common to all", name);
    else if (!out->exists)
        (void)snprintf(out->reason, sizeof out->reason, "%zu values at which %s has a limit, of at least 3", known,
                       name);
    if (!out->exists)
        goto end;
    out->value = slope(constants, at, known - 1, &radius[0]);
    out->interval = fabs(out->value - slope(constants, at, known - 2, &radius[1])) + fmax(radius[0], radius[1]);
    if (in_dimension && known >= 4)
        *out = beyond_dimensions(out, constants, at, known);
end:
    free(constants);
    free(at);
    return status;
}

static enum status find_coefficient(const struct evidence *evidence, size_t target, size_t sampler, size_t offset,
                                    double *order, struct limit *out, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    size_t dimensions = manifest->dimension_count;
    struct dimension_limit *limits;
    const struct dimension_limit **line = array_new(dimensions, sizeof *line);
    double *values = array_new(dimensions, sizeof *values);
    enum status status;
    TRY_OR(end, find_limits(evidence, target, sampler, offset, &limits, error));
    if (line == NULL || values == NULL)
        TRY_OR(end, fail_with(error, STATUS_MEMORY, "out of memory for limits"));
    for (size_t d = 0; d < dimensions; d++) {
        line[d] = &limits[d];
        values[d] = (double)manifest->dimensions[d];
    }
    status = power_of_coefficient(line, values, dimensions, offset, true, order, out, error);
end:
    limits_free(limits, dimensions);
    free(line);
    free(values);
    return status;
}

enum status coefficient_limit(const struct evidence *evidence, size_t target, size_t sampler, size_t offset,
                              struct limit *out, struct error *error)
{
    double order;
    return find_coefficient(evidence, target, sampler, offset, &order, out, error);
}

enum status dimension_limit(const struct evidence *evidence, size_t target, size_t sampler,
                            const struct quantity *quantity, struct limit *out, struct error *error)
{
    double order;
    TRY(find_coefficient(evidence, target, sampler, quantity->offset, &order, out, error));
    for (size_t i = 0; i < 2; i++)
        out->finite[i] /= order;
    out->value /= order;
    out->interval /= order;
    return STATUS_OK;
}

/* Then as they are. */
static int by_value(const void *left, const void *right)
{
    const struct member *a = left, *b = right;
    const size_t i = a->target + a->sampler, j = b->target + b->sampler; /* one of them is the same */
    return a->value != b->value ? (a->value > b->value) - (a->value < b->value) : (i > j) - (i < j);
}

size_t members_find(const struct manifest *manifest, const char *axis, size_t target, size_t sampler,
                    struct member *out)
{
    const bool of_targets = axis_is_of_targets(axis);
    const struct entry *entry = of_targets ? manifest->target_entries : manifest->sampler_entries;
    const size_t column = parameter_find(&manifest->parameters, axis);
    const struct relatives *relatives = of_targets ? manifest->target_relatives : manifest->sampler_relatives;
    const size_t all = of_targets ? manifest->target_count : manifest->sampler_count;
    size_t count = 0;
    for (size_t i = relatives[of_targets ? target : sampler].first; i < all; i = relatives[i].next) {
        if (column == manifest->parameters.count || isnan(entry[i].parameter[column]))
            continue;
        out[count++] = (struct member){of_targets ? i : target, of_targets ? sampler : i, entry[i].parameter[column]};
    }
    qsort(out, count, sizeof *out, by_value);
    return count;
}

/* Of several values that two lists make equal (another parameter differs), no power is taken. */
static bool all_differ(const struct member *members, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (!(members[i].value > members[i - 1].value))
            return false;
    return count > 0 && members[0].value > 0.0;
}

enum status parameter_limit(const struct evidence *evidence, const struct member *members, size_t count,
                            size_t offset, bool largest, struct limit *out, double *order, size_t *where,
                            struct error *error)
{
    size_t dimensions = evidence->manifest.dimension_count, made = 0;
    struct dimension_limit **limits = array_new(count, sizeof *limits);
    const struct dimension_limit **line = array_new(count, sizeof *line);
    double *values = array_new(count, sizeof *values);
    enum status status = STATUS_OK;
    *out = (struct limit){.reason = "the values are not all positive, or several entries have one"};
    if (limits == NULL || line == NULL || values == NULL)
        TRY_OR(end, fail_with(error, STATUS_MEMORY, "out of memory for limits"));
    for (; made < count; made++) {
        values[made] = members[made].value;
        TRY_OR(end, find_limits(evidence, members[made].target, members[made].sampler, offset, &limits[made], error));
    }
    for (size_t d = 0; d < dimensions && all_differ(members, count); d++) {
        double power;
        for (size_t i = 0; i < count; i++)
            line[i] = &limits[i][d];
        struct limit limit;
        TRY_OR(end, power_of_coefficient(line, values, count, offset, false, &power, &limit, error));
        const bool beyond = largest ? limit.value > out->value : limit.value < out->value;
        if (d > 0 && !(limit.exists && (!out->exists || beyond)))
            continue;
        *out = limit;
        *order = power;
        *where = evidence->manifest.dimensions[d];
    }
end:
    for (size_t i = 0; limits != NULL && i < count; i++)
        limits_free(limits[i], dimensions);
    free(limits);
    free(line);
    free(values);
    return status;
}

struct unused complexity_unused(const struct evidence *evidence, size_t target, size_t sampler)
{
    const struct manifest *manifest = &evidence->manifest;
    struct unused unused = {0, 0, 0};
    for (size_t d = 0; d < manifest->dimension_count; d++)
        for (size_t e = 0; e < manifest->accuracy_count; e++) {
            enum reach reach = evidence_complexity(evidence, target, sampler, d, e)->reach;
            unused.beyond += reach == REACH_BEYOND;
            unused.at_start += reach == REACH_AT_START;
            unused.open += reach == REACH_OPEN;
        }
    return unused;
}

struct fall last_fall(const struct evidence *evidence, size_t target, size_t sampler, const struct quantity *quantity)
{
    const struct manifest *manifest = &evidence->manifest;
    struct fall fall = {.power = HUGE_VAL};
    for (size_t d = 0; d < manifest->dimension_count && !(fall.power < FLOOR_SLOPE); d++) {
        const struct row_list rows = evidence_rows(evidence, target, sampler, 0, d);
        if (rows.count < 2)
            continue;
        const struct record *last = rows.row[rows.count - 1], *before = NULL;
        for (size_t i = 0; i < rows.count; i++)
            if (2 * rows.row[i]->steps <= last->steps)
                before = rows.row[i];
        const double *value = quantity_of(quantity, last);
        if (before == NULL || last->tv > 0.5 || !(value[0] >= 100.0 * value[1]))
            continue;
        double power = log(quantity_of(quantity, before)[0] / value[0]) / log(before->step_size / last->step_size);
        if (power < fall.power)
            fall = (struct fall){power, value[0], last->steps, manifest->dimensions[d]};
    }
    return fall;
}
