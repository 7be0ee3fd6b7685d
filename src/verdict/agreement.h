/* Chains beside exact laws: every estimator of estimators.def as data, and how far its values lie from what exact
 * laws say. An estimate agrees where it is within 3 standard errors and the law's radius; a bound where it is on its
 * side by as much. */
#ifndef VERDICT_AGREEMENT_H
#define VERDICT_AGREEMENT_H

#include <stddef.h>

#include "core/status.h"
#include "results/evidence.h"

#define AGREES_WITHIN 3.0

struct estimator {
    const char *name;     /* of the column of its values */
    const char *quantity; /* of the column of the divergence that it speaks of */
    const char *method;
    const char *doc;
    enum sample_role role;
    size_t value, exact, radius; /* offsets in struct record: of a struct estimate and of two doubles */
};

const struct estimator *estimator_at(size_t index); /* in the order of estimators.def; NULL past the end */

/* Nonzero if the experiment asks for its method. */
int estimator_is_asked(const struct estimator *estimator, const struct manifest *manifest);

/* "estimate", "lower bound", "upper bound" */
const char *estimator_role(const struct estimator *estimator);

/* For people: "TV", "KL(q‖p)", ... */
const char *estimator_quantity(const struct estimator *estimator);

/* From a row of chains; NaN where the estimator says nothing. */
struct estimate estimator_value(const struct estimator *estimator, const struct record *chains);

/* From a row of an exact law; NaN where there is none (law is NULL). */
double estimator_exact(const struct estimator *estimator, const struct record *law);

/* One measurement by chains, with indices in the manifest; law is the exact one of the same target, sampler, score
 * error, dimension and steps, or NULL. */
struct chain_cell {
    const struct record *chains, *law;
    size_t sampler, score_error, dimension, number;
};

/* All of a target, by sampler, score error, dimension, number of chains, then steps. Free `cell` with free(). */
struct chain_cells {
    struct chain_cell *cell;
    size_t count;
};
MUST_USE enum status chain_cells_find(const struct evidence *evidence, size_t target, struct chain_cells *out,
                                      struct error *error);

/* *z: by how many standard errors the value misses what the law allows; 0 where it does not. Returns 0 where there is
 * nothing to compare: no law, or an infinite divergence, or an estimator that says nothing. */
int agreement_compare(const struct estimator *estimator, const struct chain_cell *cell, double *z);

/* "ddpm, d = 4, T = 32, 8192 chains", with the score error if there is one. */
void chain_cell_label(const struct manifest *manifest, const struct chain_cell *cell, char *text, size_t size);

#endif
