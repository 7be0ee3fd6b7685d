/* A target's measurement: every factor's law once, then the direct sum in each dimension. */
#ifndef LAW_MEASURE_H
#define LAW_MEASURE_H

#include <stddef.h>

#include "core/status.h"
#include "law/divergence.h"
#include "law/planted.h"
#include "model/target.h"

struct measurement {
    size_t dimension;
    size_t masses; /* components of the target whose mass errors (theory (21)) are known; 0: not known */
    struct measured mass_error[MOST_MASSES];
    struct divergence divergence; /* unknown (NaN), TV too, where there is a planted law alone */
    struct planted_law planted;   /* NaN where the law itself is computed */
    struct measured w2; /* the 2-Wasserstein distance between the laws of X_1 and Y_1; NaN, NaN: not known */
    struct measured error_effect; /* TV between the sampler's laws with and without the score error; 0 without one. By
                                   * the triangle inequality the excess TV is at most this. */
    double clip_probability;      /* at most so large is the probability that a clip taken as inactive would have
                                   * acted in some step; already part of the radii of TV */
    char method[64];              /* the engines of the factors, and "composed" where there is more than one factor */
    size_t node_updates;          /* work of all laws that the target needed */
    struct error failure; /* STATUS_OK, or why this dimension has no measurement: then all numbers above are NaN */
};

/* A target under a sampler. */
struct measure_problem {
    const struct target *target;
    const struct sampler *sampler;
    const struct score_error *score_error; /* NULL: exact scores */
    const struct schedule *schedule;
    size_t threads; /* in every law whose engine can use them: the same bits for any number */
};

/* out[i] is the measurement in dimension dimensions[i], i < count. One law of a factor serves every dimension. A
 * dimension that has no law here (STATUS_UNSUPPORTED) or whose numbers say nothing (STATUS_NUMERIC of law_compute or
 * divergence_measure, or a TV that a clip leaves open) has its `failure` instead; if every dimension has, the first
 * is the error, and out[i].failure hold all. Errors: those of target_factors, law_compute and divergence_measure,
 * with the target's and the sampler's names. */
MUST_USE enum status measure_target(const struct measure_problem *problem, const size_t *dimensions, size_t count,
                                    struct measurement *out, struct error *error);

/* Which of a target's dimensions (strictly increasing) share their laws. Out: group[i], of each dimension the index
 * of one that speaks for all that share with it: of two in a group, the laws of one are all among those of the other,
 * but for closed forms, so that both cost what one does. Dimensions of different groups cost a law each at least.
 * Compares factors and computes nothing. Errors: STATUS_MEMORY. */
MUST_USE enum status measure_groups(const struct target *target, const struct sampler *sampler,
                                    const struct score_error *score_error, const size_t *dimensions, size_t count,
                                    size_t *group, struct error *error);

/* STATUS_OK if every factor of the target has an engine for its law under these samplers and this score error (NULL:
 * exact scores); else the reason, STATUS_UNSUPPORTED mostly. Computes nothing. */
MUST_USE enum status measure_supports_all(const struct target *target, const struct sampler *const *samplers,
                                          size_t count, const struct score_error *score_error, size_t dimension,
                                          struct error *error);
/* The same for one sampler. */
MUST_USE enum status measure_supports(const struct target *target, const struct sampler *sampler,
                                      const struct score_error *score_error, size_t dimension, struct error *error);

#endif
