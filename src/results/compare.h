/* Two results compared cell by cell, of one experiment on two machines, by two versions or compilers, or of two
 * experiments with cells in common. Rows are the same measurement where they have the same identity (record.h). The
 * role of a column decides what agrees:
 *
 * - COLUMN_VALUE: |a - b| is at most the sum of both radii;
 * - COLUMN_SAMPLED: |a - b| is at most `limit` combined standard errors, for estimates and for bounds alike, which
 *   both results have by the same method. With `limit`, normal noise alone makes one comparison of two results in
 *   1/COMPARE_LEVEL show a difference, whatever the number of its pairs (Bonferroni);
 * - COLUMN_DERIVED: counts are equal, numbers to COMPARE_ULPS roundings;
 * - other columns are never a difference.
 *
 * NaN agrees with NaN alone, but chains of another seed may say something where these say nothing. An infinite value
 * agrees with itself, or where the other's radius is infinite. */
#ifndef RESULTS_COMPARE_H
#define RESULTS_COMPARE_H

#include <stddef.h>

#include "core/status.h"
#include "results/evidence.h"

#define COMPARE_LEVEL 1e-3
#define COMPARE_ULPS 4.0

/* Of one quantity. Pairs of NaN are not counted; a pair is in exactly one of `same`, `agree`, `differ`, `one_sided`,
 * or of diagnostics and timings in `same` or none. */
struct tally {
    size_t pairs;
    size_t same;      /* in every bit, radius or standard error included */
    size_t agree;     /* not the same */
    size_t unbounded; /* of these, that agree only because a radius or standard error is infinite */
    size_t differ;
    size_t one_sided; /* from chains of different seeds, one of which says nothing */
    double distance;  /* the largest |a - b| of numbers */
    double ratio; /* the largest |a - b| over the radii's sum, over one combined standard error, or in roundings */
};

/* One thing that differs, [0] in the first result and [1] in the second: a quantity of a row (`field` and both rows),
 * a row that one of them lacks though its experiment asks for it (the other row), or T(d, eps) (both brackets). What
 * does not apply is NULL. */
struct difference {
    const struct record *row[2];
    const struct field *field;
    double ratio; /* as in struct tally; NaN where there is none */
    const struct bracket *bracket[2];
    size_t target, sampler, dimension, accuracy; /* of T(d, eps): indices in the first result's spec */
};

struct comparison {
    size_t matched;    /* rows that both have */
    size_t only[2];    /* rows that one of both has */
    size_t missing[2]; /* of only[i], those that the other result's experiment asks for: they are differences */
    int format;        /* the older one of the results' files: columns that came later are not compared */
    struct parameter_columns parameters; /* of the rows below */
    const struct record *rows[2];        /* the results', or their copies with the columns `parameters` */
    struct record *copies[2];
    double limit;                  /* in combined standard errors; 0 if no pair is from chains */
    struct tally *tally;           /* one a field, by its index in record_fields */
    struct tally complexity;       /* T(d, eps) that both experiments ask for; `same`: the same T */
    struct difference *difference; /* by row identity, then those of T(d, eps) */
    size_t differences, capacity;
};

/* Args: the two results, which must outlive *out; their names in messages.
 * Out: free with comparison_free, also after an error.
 * Errors: STATUS_IO (two rows of one result have the same identity), STATUS_MEMORY. */
MUST_USE enum status compare_results(const struct evidence *const side[2], const char *const name[2],
                                     struct comparison *out, struct error *error);
void comparison_free(struct comparison *comparison);

/* Nonzero if nothing differs and there was something to compare. */
int comparison_agrees(const struct comparison *comparison);

/* The label of the row's score error in the experiment, "none" with exact scores. */
void compare_label_score_error(const struct comparison *comparison, const struct manifest *manifest,
                               const struct record *row, char *text, size_t size);

#endif
