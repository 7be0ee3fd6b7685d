#include "results/series.h"

#include <stdbool.h>
#include <string.h>

#include "core/memory.h"

struct place {
    struct series_key key;
    const struct record *row;
};

static int compare(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

static int compare_keys(const struct series_key *a, const struct series_key *b)
{
    const size_t pairs[][2] = {{a->target, b->target},
                               {a->sampler, b->sampler},
                               {a->score_error, b->score_error},
                               {a->dimension, b->dimension},
                               {a->chains, b->chains}};
    int order = 0;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0] && order == 0; i++)
        order = compare(pairs[i][0], pairs[i][1]);
    return order;
}

static int by_place(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    int order = compare_keys(&a->key, &b->key);
    order = order != 0 ? order : compare(a->row->steps, b->row->steps);
    return order != 0 ? order : (a->row > b->row) - (a->row < b->row);
}

static int by_key(const void *key, const void *series)
{
    return compare_keys(key, &((const struct series *)series)->key);
}

/* What a row's names are looked up in. */
struct names {
    const struct manifest *manifest;
    const struct parameter_columns *columns;
    const struct record *row;
};

static bool is_target(const struct names *names, size_t index)
{
    return strcmp(names->row->target, names->manifest->targets[index].name) == 0;
}

static bool is_sampler(const struct names *names, size_t index)
{
    return strcmp(names->row->sampler, names->manifest->samplers[index].name) == 0;
}

static bool is_score_error(const struct names *names, size_t index)
{
    return manifest_has_score_error(names->manifest, index, names->columns, names->row);
}

/* Rows are in the order of the lists as a rule, so that the search for one begins where the last was found: *at. */
static bool look_up(const struct names *names, bool (*is)(const struct names *names, size_t index), size_t count,
                    size_t *at)
{
    for (size_t tried = 0; tried < count; tried++, *at = *at + 1 < count ? *at + 1 : 0)
        if (is(names, *at))
            return true;
    return false;
}

/* Returns how many rows have a place. */
static size_t find_places(const struct manifest *manifest, const struct result *result, struct place *places)
{
    struct series_key at = {.target = 0};
    size_t count = 0;
    for (size_t i = 0; i < result->count; i++) {
        const struct names names = {manifest, &result->parameters, &result->rows[i]};
        at.chains = names.row->chains;
        at.dimension = manifest_find_dimension(manifest, names.row->dimension);
        if (at.dimension < manifest->dimension_count && look_up(&names, is_target, manifest->target_count, &at.target)
            && look_up(&names, is_sampler, manifest->sampler_count, &at.sampler)
            && look_up(&names, is_score_error, manifest->score_error_count, &at.score_error))
            places[count++] = (struct place){at, names.row};
    }
    return count;
}

enum status series_make(const struct manifest *manifest, const struct result *result, struct series_index *out,
                        struct error *error)
{
    size_t capacity = 0;
    struct place *places = array_new(result->count, sizeof *places);
    enum status status;
    *out = (struct series_index){.rows = array_new(result->count, sizeof *out->rows)};
    TRY_OR(end, places != NULL && out->rows != NULL
                    ? STATUS_OK
                    : fail_with(error, STATUS_MEMORY, "out of memory for %zu rows", result->count));
    const size_t count = find_places(manifest, result, places);
    qsort(places, count, sizeof *places, by_place);
    for (size_t i = 0; i < count; i++) {
        out->rows[i] = places[i].row;
        if (i == 0 || compare_keys(&places[i].key, &places[i - 1].key) != 0) {
            struct series *grown = array_reserve(out->series, &capacity, out->count + 1, sizeof *grown);
            if (grown == NULL)
                TRY_OR(end, fail_with(error, STATUS_MEMORY, "out of memory for %zu series", out->count));
            out->series = grown;
            out->series[out->count++] = (struct series){.key = places[i].key, .first = i};
        }
        out->series[out->count - 1].count++;
    }
end:
    free(places);
    return status;
}

void series_free(struct series_index *index)
{
    free(index->series);
    free(index->rows);
    *index = (struct series_index){.series = NULL};
}

struct row_list series_find(const struct series_index *index, const struct series_key *key)
{
    const struct series *found =
        index->count > 0 ? bsearch(key, index->series, index->count, sizeof *found, by_key) : NULL;
    return found != NULL ? (struct row_list){index->rows + found->first, found->count} : (struct row_list){NULL, 0};
}
