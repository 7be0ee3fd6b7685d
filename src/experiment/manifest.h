/* What results hold of the experiment that they are of, besides their rows: what was asked for, and of each target,
 * sampler, score error and stated claim its name and the facts that verdicts, reports and comparisons need. Results
 * are read by it alone: the experiment's text is not read again, no plug-in is loaded, and a program that has other
 * samplers and targets by then reads it the same. As text it is one JSON object. */
#ifndef EXPERIMENT_MANIFEST_H
#define EXPERIMENT_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "experiment/record.h"
#include "experiment/spec_claims.h"

struct spec;
struct cell;

/* Where a target, a sampler on a schedule, or a score error comes from. */
struct entry {
    char of[64];                         /* its name without the values of lists and without its schedule's */
    double parameter[PARAMETER_COLUMNS]; /* what its rows have in these columns; NaN: not of it */
};

/* Entries that differ in parameters alone, which have one `of`: the first of them, and the next; of the last the
 * number of entries. */
struct relatives {
    size_t first, next;
};

/* Fills the row's columns of parameters, each from the entry that has it. */
void entries_fill(const struct entry *target, const struct entry *sampler, const struct entry *score_error,
                  struct record *row);

struct manifest_target {
    char name[64], family[64];
    bool power;           /* a product of d equal laws on the line, in every dimension */
    double approximation; /* target_approximation */
    double codewords;     /* the weight of all codewords of a codebook; 0 of others */
    double lipschitz;     /* target_lipschitz_power, the largest of all dimensions; NaN: not known */
    /* Whether exact laws of the target itself were asked for: without chains, or where some sampler has one in every
     * dimension; not of codebooks, whose laws are planted. */
    bool has_law;
};

struct manifest_sampler {
    char name[64], schedule[64]; /* the latter its kind */
    char *rule;                  /* schedule_rule_describe */
    size_t place;                /* among all samplers that the experiment could name, from 1 */
    size_t score_evaluations;    /* a step */
    bool deterministic;
    double claimed_order;     /* 0: none */
    char *claim_source;       /* "" without one */
    size_t *grid, grid_count; /* the T's at which searches for T(d, eps) begin, increasing */
};

struct manifest_error {
    char shape[64], spread[64], profile[64]; /* as in rows; of exact scores "none" */
    double size, growth;
    char label[100]; /* record_label_score_error */
};

/* A cell that failed, in some dimension at least. */
struct manifest_cell {
    char *key; /* cell_key */
    size_t target, sampler, score_error, steps, chains;
    double step_size;
};

/* Members that struct spec has too are the same; entries are those of the same index. */
struct manifest {
    char name[64], title[200];
    struct parameter_columns parameters; /* those of the rows, then others of entries */
    struct manifest_target *targets;
    struct entry *target_entries;
    struct relatives *target_relatives;
    size_t target_count;
    struct manifest_sampler *samplers;
    struct entry *sampler_entries;
    struct relatives *sampler_relatives;
    size_t sampler_count;
    struct manifest_error *score_errors; /* the first is exact scores */
    struct entry *score_error_entries;
    size_t score_error_count;
    size_t *chains, chain_count;
    uint64_t seed;
    unsigned methods;
    size_t *dimensions, dimension_count, *steps, step_count;
    bool *asks; /* [dimension][steps] whether this T is asked for in this dimension; NULL: every one is */
    const struct quantity *accuracy_in;
    double *accuracies;
    size_t accuracy_count, max_steps;
    char (*claims)[64];
    size_t claim_count;
    struct claim_spec *own_claims;
    size_t own_claim_count;
    bool without_claims;
    struct manifest_cell *failed;
    size_t failed_count;
};

/* The text, for free(); NULL after an error. Args: failed, the cells that failed. Errors: STATUS_MEMORY. */
MUST_USE enum status manifest_write(const struct spec *spec, const struct cell *failed, size_t failed_count,
                                    char **out, struct error *error);

/* Reads such a text, which may come from anybody (free with manifest_free, also after an error). Args: path, for
 * messages; parameters, the columns of the rows. Errors: STATUS_INVALID with the place in it; STATUS_MEMORY. */
MUST_USE enum status manifest_parse(const char *path, const char *text, const struct parameter_columns *parameters,
                                    struct manifest *out, struct error *error);
void manifest_free(struct manifest *manifest);

/* The place of a dimension, and of T, among those of the experiment; their count where it is not there. */
size_t manifest_find_dimension(const struct manifest *manifest, size_t dimension);
size_t manifest_find_steps(const struct manifest *manifest, size_t T);

/* Whether the experiment gives T as one of its steps in the dimension of this index; how many it gives there; and the
 * place of the largest and of the smallest of them among all, step_count without any. */
bool manifest_asks(const struct manifest *manifest, size_t dimension, size_t T);
size_t manifest_step_count(const struct manifest *manifest, size_t dimension);
size_t manifest_last_steps(const struct manifest *manifest, size_t dimension);
size_t manifest_first_steps(const struct manifest *manifest, size_t dimension);

/* Whether the row has exactly this score error. */
bool manifest_has_score_error(const struct manifest *manifest, size_t score_error,
                              const struct parameter_columns *columns, const struct record *row);

/* A parameter of a score error by its key; NaN where it has none. */
double manifest_error_param(const struct manifest *manifest, size_t score_error, const char *key);

#endif
