#include "results/compare.h"

#include <float.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiment/plan.h"

/* A measurement: the rows of both results, NULL where one lacks it. */
struct pair {
    const struct record *row[2];
};

struct pairs {
    struct pair *pair;
    size_t count;
};

static int by_identity(const void *a, const void *b)
{
    return record_order(*(const struct record *const *)a, *(const struct record *const *)b);
}

/* Whether the name of a row's target or sampler tells this parameter, too: a result has its column only where its
 * experiment gives it as a list. The others are columns of every result whose rows have them. */
static bool is_in_names(const char *column)
{
    return strncmp(column, "target_", 7) == 0 || strncmp(column, "sampler_", 8) == 0;
}

/* The columns that tell rows apart: of those that names tell, too, the ones that both results have. */
static enum status find_columns(const struct evidence *const side[2], struct parameter_columns *out,
                                struct error *error)
{
    for (size_t i = 0; i < 2; i++) {
        const struct parameter_columns *own = &side[i]->result.parameters, *other = &side[1 - i]->result.parameters;
        for (size_t p = 0; p < own->count; p++) {
            const char *name = own->column[p].name;
            if ((!is_in_names(name) || parameter_find(other, name) < other->count)
                && parameter_add(out, name, own->column[p].doc) == PARAMETER_COLUMNS)
                return fail_with(error, STATUS_UNSUPPORTED, "the two results have more than %d different parameters",
                                 PARAMETER_COLUMNS);
        }
    }
    return STATUS_OK;
}

static bool same_columns(const struct parameter_columns *a, const struct parameter_columns *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; i < a->count && same; i++)
        same = strcmp(a->column[i].name, b->column[i].name) == 0;
    return same;
}

/* A copy of a result's rows with these columns of parameters; NULL where they have them. */
static enum status copy_rows(const struct result *result, const struct parameter_columns *common, struct record **out,
                             struct error *error)
{
    *out = NULL;
    if (same_columns(&result->parameters, common))
        return STATUS_OK;
    *out = array_new(result->count, sizeof **out);
    if (*out == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu records", result->count);
    for (size_t i = 0; i < result->count; i++) {
        (*out)[i] = result->rows[i];
        parameters_move(&(*out)[i], &result->parameters, common);
    }
    return STATUS_OK;
}

static enum status sort_rows(const struct record *all, size_t count, const char *name, const struct record **rows,
                             struct error *error)
{
    for (size_t i = 0; i < count; i++)
        rows[i] = &all[i];
    qsort(rows, count, sizeof *rows, by_identity);
    for (size_t i = 1; i < count; i++)
        if (record_order(rows[i - 1], rows[i]) == 0)
            return fail_with(
                error, STATUS_IO,
                "%s measures the same twice, in rows %zu and %zu (target %s, sampler %s, d = %zu, T = %zu)", name,
                (size_t)(rows[i - 1] - all), (size_t)(rows[i] - all), rows[i]->target, rows[i]->sampler,
                (size_t)rows[i]->dimension, (size_t)rows[i]->steps);
    return STATUS_OK;
}

static enum status pair_rows(const struct evidence *const side[2], const char *const name[2],
                             const struct record *const all[2], struct pairs *out, struct error *error)
{
    const size_t count[2] = {side[0]->result.count, side[1]->result.count};
    const struct record **rows[2] = {array_new(count[0], sizeof *rows[0]), array_new(count[1], sizeof *rows[1])};
    out->pair = count[0] > SIZE_MAX - count[1] ? NULL : array_new(count[0] + count[1], sizeof *out->pair);
    enum status status =
        rows[0] != NULL && rows[1] != NULL && out->pair != NULL
            ? STATUS_OK
            : fail_with(error, STATUS_MEMORY, "out of memory for %zu and %zu records", count[0], count[1]);
    for (size_t i = 0; i < 2 && status == STATUS_OK; i++)
        status = sort_rows(all[i], count[i], name[i], rows[i], error);
    for (size_t i = 0, j = 0; status == STATUS_OK && (i < count[0] || j < count[1]);) {
        int order = i == count[0] ? 1 : j == count[1] ? -1 : record_order(rows[0][i], rows[1][j]);
        struct pair *pair = &out->pair[out->count++];
        pair->row[0] = order <= 0 ? rows[0][i++] : NULL;
        pair->row[1] = order >= 0 ? rows[1][j++] : NULL;
    }
    free(rows[0]);
    free(rows[1]);
    return status;
}

/* Payload and sign of a NaN are no part of a result. */
static int same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

enum match_kind { MATCH_NOTHING, MATCH_SAME, MATCH_AGREES, MATCH_DIFFERS, MATCH_ONE_SIDED, MATCH_REPORTED };

/* What comparing one quantity of a pair found. */
struct match {
    enum match_kind kind;
    double distance, ratio; /* NaN where there is none */
    int unbounded;
};

/* Of numbers with a radius (or so many standard errors) each: the uncertainty of both together is `whole`, of which
 * the distance may be `limit`. */
static struct match within(double a, double b, double whole, double limit)
{
    double distance = a == b ? 0.0 : fabs(a - b);
    double ratio = distance == 0.0 || isinf(whole) ? 0.0 : distance / whole;
    int agrees = distance <= limit * whole;
    return (struct match){agrees ? MATCH_AGREES : MATCH_DIFFERS, distance, ratio, distance > 0.0 && isinf(whole)};
}

/* Of numbers with their uncertainties in the next column. */
static struct match match_uncertain(const struct field *field, const struct pair *pair, double limit)
{
    double x[2], error[2];
    for (size_t i = 0; i < 2; i++) {
        x[i] = field_real(field, pair->row[i]);
        error[i] = field_real(field + 1, pair->row[i]);
    }
    int sampled = field->role == COLUMN_SAMPLED;
    if (isnan(x[0]) && isnan(x[1]))
        return (struct match){MATCH_NOTHING, NAN, NAN, 0};
    if (same_bits(x[0], x[1]) && same_bits(error[0], error[1]))
        return (struct match){MATCH_SAME, 0.0, 0.0, 0};
    if (sampled && !isnan(x[0]) != !isnan(x[1]) && pair->row[0]->seed != pair->row[1]->seed)
        return (struct match){MATCH_ONE_SIDED, NAN, NAN, 0};
    if (isnan(x[0]) || isnan(x[1]) || !(error[0] >= 0.0 && error[1] >= 0.0)) /* without radius nothing is known */
        return (struct match){MATCH_DIFFERS, NAN, NAN, 0};
    for (size_t i = 0; i < 2; i++)
        if (isinf(x[i])) /* says that it is infinite, whatever the radius: the other must be too, or know nothing */
            error[i] = 0.0;
    return within(x[0], x[1], sampled ? hypot(error[0], error[1]) : error[0] + error[1], sampled ? limit : 1.0);
}

/* Of columns without an uncertainty: equal, or to a few roundings. */
static struct match match_certain(const struct field *field, const struct pair *pair)
{
    const struct record *a = pair->row[0], *b = pair->row[1];
    if (field->type == FIELD_STRING) {
        int same = strcmp(field_text(field, a), field_text(field, b)) == 0;
        return (struct match){same ? MATCH_SAME : MATCH_DIFFERS, NAN, NAN, 0};
    }
    if (field->type == FIELD_COUNT) {
        uint64_t x = field_count(field, a), y = field_count(field, b);
        return (struct match){x == y ? MATCH_SAME : MATCH_DIFFERS, (double)(x > y ? x - y : y - x), NAN, 0};
    }
    double x = field_real(field, a), y = field_real(field, b);
    if (isnan(x) && isnan(y))
        return (struct match){MATCH_NOTHING, NAN, NAN, 0};
    if (same_bits(x, y))
        return (struct match){MATCH_SAME, 0.0, 0.0, 0};
    double ulp = DBL_EPSILON * fmax(fabs(x), fabs(y));
    if (isnan(x) || isnan(y) || isinf(ulp))
        return (struct match){MATCH_DIFFERS, NAN, NAN, 0};
    return within(x, y, ulp, COMPARE_ULPS);
}

static struct match match_field(const struct field *field, const struct pair *pair, double limit)
{
    struct match found = {MATCH_NOTHING, NAN, NAN, 0};
    switch (field->role) {
    case COLUMN_VALUE:
    case COLUMN_SAMPLED:
        return match_uncertain(field, pair, limit);
    case COLUMN_DERIVED:
        return match_certain(field, pair);
    case COLUMN_DIAGNOSTIC:
    case COLUMN_TIMING:
        found = match_certain(field, pair);
        if (found.kind == MATCH_AGREES || found.kind == MATCH_DIFFERS)
            found.kind = MATCH_REPORTED;
        found.ratio = NAN;
        return found;
    case COLUMN_IDENTITY: /* equal in a pair */
    case COLUMN_RADIUS:   /* taken with their values */
    case COLUMN_STANDARD_ERROR:
        break;
    }
    return found;
}

static void count(struct tally *tally, const struct match *found)
{
    tally->pairs += found->kind != MATCH_NOTHING;
    tally->same += found->kind == MATCH_SAME;
    tally->agree += found->kind == MATCH_AGREES;
    tally->unbounded += found->kind == MATCH_AGREES && found->unbounded;
    tally->differ += found->kind == MATCH_DIFFERS;
    tally->one_sided += found->kind == MATCH_ONE_SIDED;
    tally->distance = fmax(tally->distance, found->distance); /* fmax passes over NaN */
    tally->ratio = fmax(tally->ratio, found->ratio);
}

static enum status add(struct comparison *out, struct difference difference, struct error *error)
{
    struct difference *grown = array_reserve(out->difference, &out->capacity, out->differences + 1, sizeof *grown);
    if (grown == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu differences", out->differences + 1);
    out->difference = grown;
    out->difference[out->differences++] = difference;
    return STATUS_OK;
}

static enum status compare_fields(const struct pair *pair, struct comparison *out, struct error *error)
{
    for (size_t i = 0; record_fields[i].name != NULL; i++) {
        if (record_fields[i].since > out->format)
            continue;
        struct match found = match_field(&record_fields[i], pair, out->limit);
        count(&out->tally[i], &found);
        if (found.kind == MATCH_DIFFERS)
            TRY(add(out,
                    (struct difference){
                        .row = {pair->row[0], pair->row[1]}, .field = &record_fields[i], .ratio = found.ratio},
                    error));
    }
    return STATUS_OK;
}

/* Whether the row, of columns of parameters that may be others, is of the schedule of a sampler of the experiment. */
static bool same_schedule(const struct manifest *manifest, size_t sampler, const struct parameter_columns *columns,
                          const struct record *row)
{
    if (strcmp(manifest->samplers[sampler].schedule, row->schedule) != 0)
        return false;
    for (size_t i = 0; i < columns->count; i++) {
        size_t own = parameter_find(&manifest->parameters, columns->column[i].name);
        double value = own < manifest->parameters.count ? manifest->sampler_entries[sampler].parameter[own] : NAN;
        if (strncmp(columns->column[i].name, "schedule_", 9) == 0 && !same_bits(value, row->parameter[i]))
            return false;
    }
    return true;
}

static size_t target_index(const struct manifest *manifest, const char *name)
{
    size_t i = 0;
    while (i < manifest->target_count && strcmp(manifest->targets[i].name, name) != 0)
        i++;
    return i;
}

static size_t index_of(const size_t *list, size_t count_of, size_t value)
{
    size_t i = 0;
    while (i < count_of && list[i] != value)
        i++;
    return i;
}

static size_t accuracy_index(const struct manifest *manifest, double accuracy)
{
    size_t i = 0;
    while (i < manifest->accuracy_count && manifest->accuracies[i] != accuracy)
        i++;
    return i;
}

static size_t score_error_index(const struct manifest *manifest, const struct parameter_columns *columns,
                                const struct record *row)
{
    size_t i = 0;
    while (i < manifest->score_error_count && !manifest_has_score_error(manifest, i, columns, row))
        i++;
    return i;
}

/* Nonzero if the experiment measures this at one of its `steps`. */
static int asks_for(const struct evidence *evidence, const struct parameter_columns *columns,
                    const struct record *row)
{
    const struct manifest *manifest = &evidence->manifest;
    size_t sampler = evidence_sampler(evidence, row->sampler);
    size_t dimension = index_of(manifest->dimensions, manifest->dimension_count, row->dimension);
    return sampler < manifest->sampler_count && same_schedule(manifest, sampler, columns, row)
           && target_index(manifest, row->target) < manifest->target_count
           && score_error_index(manifest, columns, row) < manifest->score_error_count
           && dimension < manifest->dimension_count && manifest_asks(manifest, dimension, row->steps)
           && (row->chains == 0
               || index_of(manifest->chains, manifest->chain_count, row->chains) < manifest->chain_count);
}

static enum status compare_pairs(const struct evidence *const side[2], const struct pairs *pairs,
                                 struct comparison *out, struct error *error)
{
    for (size_t i = 0; i < pairs->count; i++) {
        const struct pair *pair = &pairs->pair[i];
        size_t has = pair->row[0] == NULL; /* the side that has it, if one lacks it */
        if (pair->row[0] != NULL && pair->row[1] != NULL) {
            out->matched++;
            TRY(compare_fields(pair, out, error));
            continue;
        }
        out->only[has]++;
        if (!asks_for(side[1 - has], &out->parameters, pair->row[has]))
            continue;
        out->missing[has]++;
        TRY(add(out, (struct difference){.row = {pair->row[0], pair->row[1]}, .ratio = NAN}, error));
    }
    return STATUS_OK;
}

/* By Bonferroni over all pairs of numbers from chains. */
static double standard_error_limit(const struct pairs *pairs)
{
    size_t sampled = 0;
    for (size_t i = 0; i < pairs->count; i++)
        for (const struct field *field = record_fields; field->name != NULL; field++)
            sampled += field->role == COLUMN_SAMPLED && pairs->pair[i].row[0] != NULL && pairs->pair[i].row[1] != NULL
                       && !isnan(field_real(field, pairs->pair[i].row[0]))
                       && !isnan(field_real(field, pairs->pair[i].row[1]));
    return sampled > 0 ? gsl_cdf_ugaussian_Qinv(COMPARE_LEVEL / (2.0 * (double)sampled)) : 0.0;
}

/* Nonzero if the search for T(d, eps) got where the experiment sent it: `start` is the smallest T that it asks for.
 */
static int finished(const struct manifest *manifest, const struct bracket *bracket, size_t start)
{
    switch (bracket->reach) {
    case REACH_FOUND:
        return 1;
    case REACH_AT_START:
        return bracket->passes <= start;
    case REACH_BEYOND:
        return bracket->fails >= manifest->max_steps;
    case REACH_OPEN:
        break;
    }
    return 0;
}

static size_t find_start(const struct manifest *manifest, size_t sampler, size_t dimension)
{
    const size_t first = manifest->samplers[sampler].grid[0], given = manifest_first_steps(manifest, dimension);
    return given < manifest->step_count && manifest->steps[given] < first ? manifest->steps[given] : first;
}

/* T(d, eps) lies beyond the last T that fails with its radius too, and no higher than the first that passes; some T
 * must be in both ranges. */
static int ranges_meet(const struct bracket *a, const struct bracket *b)
{
    return (a->reach == REACH_BEYOND || b->certain < a->passes)
           && (b->reach == REACH_BEYOND || a->certain < b->passes);
}

static enum status compare_brackets(const struct evidence *const side[2], const size_t start[2],
                                    struct difference found, struct comparison *out, struct error *error)
{
    const struct bracket *a = found.bracket[0], *b = found.bracket[1];
    int same = a->reach == b->reach && a->passes == b->passes;
    int agree =
        ranges_meet(a, b) && finished(&side[0]->manifest, a, start[0]) == finished(&side[1]->manifest, b, start[1]);
    if (a->fails + a->passes + b->fails + b->passes == 0) /* no exact law, so that neither has a row */
        return STATUS_OK;
    struct match match = {!agree ? MATCH_DIFFERS : same ? MATCH_SAME : MATCH_AGREES, NAN, NAN, 0};
    if (a->passes > 0 && b->passes > 0)
        match.distance = fabs((double)a->passes - (double)b->passes);
    count(&out->complexity, &match);
    return agree ? STATUS_OK : add(out, found, error);
}

/* Of the targets, samplers, dimensions and accuracies that both experiments ask for. */
static enum status compare_complexity(const struct evidence *const side[2], struct comparison *out,
                                      struct error *error)
{
    const struct manifest *a = &side[0]->manifest, *b = &side[1]->manifest;
    if (a->accuracy_count == 0 || b->accuracy_count == 0 || a->accuracy_in != b->accuracy_in)
        return STATUS_OK;
    for (size_t s = 0; s < a->sampler_count; s++) {
        size_t sampler = evidence_sampler(side[1], a->samplers[s].name);
        if (sampler == b->sampler_count || strcmp(a->samplers[s].rule, b->samplers[sampler].rule) != 0)
            continue;
        for (size_t t = 0; t < a->target_count; t++)
            for (size_t d = 0; d < a->dimension_count; d++)
                for (size_t e = 0; e < a->accuracy_count; e++) {
                    size_t target = target_index(b, a->targets[t].name);
                    size_t dimension = index_of(b->dimensions, b->dimension_count, a->dimensions[d]);
                    size_t accuracy = accuracy_index(b, a->accuracies[e]);
                    if (target == b->target_count || dimension == b->dimension_count || accuracy == b->accuracy_count)
                        continue;
                    const size_t start[2] = {find_start(a, s, d), find_start(b, sampler, dimension)};
                    const struct bracket *here = evidence_complexity(side[0], t, s, d, e);
                    const struct bracket *there = evidence_complexity(side[1], target, sampler, dimension, accuracy);
                    TRY(compare_brackets(side, start,
                                         (struct difference){{NULL, NULL}, NULL, NAN, {here, there}, t, s, d, e}, out,
                                         error));
                }
    }
    return STATUS_OK;
}

enum status compare_results(const struct evidence *const side[2], const char *const name[2], struct comparison *out,
                            struct error *error)
{
    size_t fields = 0;
    struct pairs pairs = {NULL, 0};
    while (record_fields[fields].name != NULL)
        fields++;
    int format[2] = {side[0]->result.format, side[1]->result.format};
    *out = (struct comparison){.format = format[0] < format[1] ? format[0] : format[1],
                               .tally = array_new(fields, sizeof *out->tally)};
    if (out->tally == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu columns", fields);
    enum status status;
    TRY_OR(end, find_columns(side, &out->parameters, error));
    for (size_t i = 0; i < 2; i++)
        TRY_OR(end, copy_rows(&side[i]->result, &out->parameters, &out->copies[i], error));
    for (size_t i = 0; i < 2; i++)
        out->rows[i] = out->copies[i] != NULL ? out->copies[i] : side[i]->result.rows;
    TRY_OR(end, pair_rows(side, name, out->rows, &pairs, error));
    out->limit = standard_error_limit(&pairs);
    TRY_OR(end, compare_pairs(side, &pairs, out, error));
    TRY_OR(end, compare_complexity(side, out, error));
end:
    free(pairs.pair);
    return status;
}

void comparison_free(struct comparison *comparison)
{
    free(comparison->tally);
    free(comparison->difference);
    free(comparison->copies[0]);
    free(comparison->copies[1]);
    *comparison = (struct comparison){.tally = NULL};
}

int comparison_agrees(const struct comparison *comparison)
{
    return comparison->differences == 0 && comparison->matched > 0;
}

void compare_label_score_error(const struct comparison *comparison, const struct manifest *manifest,
                               const struct record *row, char *text, size_t size)
{
    size_t i = score_error_index(manifest, &comparison->parameters, row);
    if (i < manifest->score_error_count)
        (void)snprintf(text, size, "%s", manifest->score_errors[i].label);
    else
        (void)snprintf(text, size, "%s", row->score_error);
}
