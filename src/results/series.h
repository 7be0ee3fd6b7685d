/* The rows of a result, by what was measured: a series is those of one target, sampler, score error, dimension and
 * number of chains. Made in O(n log n) of n rows that are in the order of the manifest's lists, as in merged
 * files; a look-up is a binary search. */
#ifndef RESULTS_SERIES_H
#define RESULTS_SERIES_H

#include <stddef.h>

#include "core/status.h"
#include "experiment/manifest.h"
#include "results/store.h"

/* By increasing steps. */
struct row_list {
    const struct record *const *row;
    size_t count;
};

/* Indices in the manifest's lists; chains are their number, 0: exact laws. */
struct series_key {
    size_t target, sampler, score_error, dimension, chains;
};

struct series_index {
    struct series {
        struct series_key key;
        size_t first, count; /* of `rows` */
    } * series;
    size_t count;
    const struct record **rows; /* of the result */
};

/* Free with series_free, also after an error. Rows of what the manifest does not name are in no series. Errors:
 * STATUS_MEMORY. */
MUST_USE enum status series_make(const struct manifest *manifest, const struct result *result,
                                 struct series_index *out, struct error *error);
void series_free(struct series_index *index);

/* Empty where there is no such series. */
struct row_list series_find(const struct series_index *index, const struct series_key *key);

#endif
