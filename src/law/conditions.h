/* What engines take for granted of a sampler, found by evaluation at every step, at points over the whole range where
 * p has mass; nothing is evaluated for a regular sampler (model/sampler.h).
 *
 * engine      needs, besides that D acts number by number
 * gaussian    D affine in x where scores are: evaluated in the steps themselves (law/gaussian.c), where q has mass
 * too line, plane nothing; where D commutes with shifts of X_0 they use positions relative to a component's mean
 * radial      D commutes with rotations; so does a rotation that takes a target apart (model/decompose.h)
 *
 * And engines that check a step now and then, and take those between to be like it, check every step that is unlike
 * the one before. */
#ifndef LAW_CONDITIONS_H
#define LAW_CONDITIONS_H

#include <stddef.h>

#include "core/status.h"
#include "model/sampler.h"
#include "model/schedule.h"
#include "model/score_error.h"
#include "model/target.h"

enum { CONDITION_SHIFTS = 1, CONDITION_ROTATES = 2 };

struct conditions {
    unsigned broken;   /* which of CONDITION_* */
    size_t rotates_at; /* the first step, from T downwards, in which rotations do not commute */
    unsigned char
        *unlike;     /* [t], t in 2..T: nonzero if the step and one of its neighbours differ by more than O(h) */
    double rounding; /* what rounding of D in original coordinates makes of the law in L1(p); 0 where they are not
                      * used */
};

/* Args: score_error NULL or share 0: exact scores; it is evaluated for factors on the line. Rotations are evaluated
 * for all others. Out: free with conditions_free, also after an error. Errors: STATUS_UNSUPPORTED where no engine can
 * have the sampler: D of a number depends on the others, it asks for an undeclared level, D is not finite, its noise
 * is not a number; STATUS_MEMORY. */
MUST_USE enum status conditions_find(const struct factor *factor, const struct sampler *sampler,
                                     const struct schedule *schedule, const struct score_error *score_error,
                                     double share, struct conditions *out, struct error *error);
void conditions_free(struct conditions *conditions);

/* What engines ask; conditions may be NULL, where nothing is broken. */
static inline int conditions_broken(const struct conditions *conditions, unsigned which)
{
    return conditions != NULL && (conditions->broken & which) != 0;
}

static inline int conditions_unlike(const struct conditions *conditions, size_t t)
{
    return conditions != NULL && conditions->unlike != NULL && conditions->unlike[t];
}

static inline double conditions_rounding(const struct conditions *conditions)
{
    return conditions_broken(conditions, CONDITION_SHIFTS) ? conditions->rounding : 0.0;
}

/* STATUS_UNSUPPORTED, with the step where rotations do not commute. */
enum status conditions_refuse_rotation(const struct conditions *conditions, const struct sampler *sampler,
                                       struct error *error);

#endif
