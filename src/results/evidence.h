/* What an experiment's stored results say, before any claim is judged: the records, the spec they came from, and T(d,
 * eps). */
#ifndef RESULTS_EVIDENCE_H
#define RESULTS_EVIDENCE_H

#include <stddef.h>

#include "core/status.h"
#include "experiment/bracket.h"
#include "experiment/manifest.h"
#include "results/series.h"
#include "results/store.h"

struct evidence {
    struct result result;
    struct manifest manifest;
    struct series_index series;
    struct record *failed; /* what failed, and what searches for T(d, eps) went around, one a dimension */
    size_t failed_count;
    struct series_index failed_series;
    struct bracket *complexity; /* [target][sampler][score error][dimension][accuracy] */
    char directory[4000];       /* where the result lies, for what is made from it */
};

/* Reads the merged file at `path`, or the one in the directory `path` (free with evidence_free, also after an error).
 */
MUST_USE enum status evidence_read(const char *path, const char *const *claim_names, struct evidence *out,
                                   struct error *error);
void evidence_free(struct evidence *evidence);

/* T(d, eps), of the divergence that the experiment's accuracies are in, of a target and sampler with exact scores,
 * all by their index in the manifest. */
const struct bracket *evidence_complexity(const struct evidence *evidence, size_t target, size_t sampler,
                                          size_t dimension, size_t accuracy);
/* The same under a score error (0: exact scores). */
const struct bracket *evidence_complexity_under(const struct evidence *evidence, size_t target, size_t sampler,
                                                size_t score_error, size_t dimension, size_t accuracy);

/* "T = 680", "T ≤ 33" (at start), "T > 2048" (beyond) or, open, "84 < T ≤ 100". */
void bracket_label(const struct bracket *bracket, char *text, size_t size);

/* The rows of exact laws of a target, sampler and score error (0: exact scores) in one dimension, by increasing
 * steps; they are the evidence's. */
struct row_list evidence_rows(const struct evidence *evidence, size_t target, size_t sampler, size_t score_error,
                              size_t dimension);

/* The same of a number of chains. */
struct row_list evidence_sampled_rows(const struct evidence *evidence, size_t target, size_t sampler,
                                      size_t score_error, size_t dimension, size_t chains);

/* The index of the sampler of this name in the manifest, or the number of samplers if it is not there. */
size_t evidence_sampler(const struct evidence *evidence, const char *name);

/* Why some T between the two of a bracket that is not found is not known, exact scores; NULL where none is refused.
 */
const char *evidence_refusal(const struct evidence *evidence, size_t target, size_t sampler, size_t dimension,
                             const struct bracket *bracket);

/* The cost without the logarithm that Õ hides, in proportion to 1/h: T/log T where h = c1 log(T)/T, and T under every
 * other schedule, called by its kind's name. */
double log_free_cost(const char *schedule, size_t steps);

#endif
