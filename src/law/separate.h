/* A target's factors whose laws are computed one by one, and of which one law serves all that are equal. */
#ifndef LAW_SEPARATE_H
#define LAW_SEPARATE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "model/sampler.h"
#include "model/schedule.h"
#include "model/score_error.h"
#include "model/target.h"

/* Free *out with factor_list_free, also after an error. Rotations that take a target apart are for samplers that
 * commute with them; where there is no schedule yet (NULL), all are taken to. score_error may be NULL: exact scores.
 * Errors: those of target_factors, factor_list_decompose and conditions_find. */
MUST_USE enum status separate_target(const struct target *target, const struct sampler *sampler,
                                     const struct schedule *schedule, const struct score_error *score_error,
                                     size_t dimension, struct factor_list *out, struct error *error);

/* Whether two factors are the same to the bit. */
bool factor_equal(const struct factor *a, const struct factor *b);

#endif
