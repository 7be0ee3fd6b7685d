/* The orders that samplers claim (sampler.claimed_order) against those that their TV has: the claim `atlas`, and what
 * its tables share with it. */
#ifndef VERDICT_ATLAS_H
#define VERDICT_ATLAS_H

#include <stddef.h>

#include "core/status.h"
#include "verdict/account.h"
#include "verdict/claims.h"
#include "verdict/fit.h"

/* One sampler on one target. */
struct atlas_rate {
    struct fit in_h, in_h_log; /* of TV, in h and in h log T */
    size_t dropped;            /* cells in the window's T that no fit uses: TV beyond it, or below a thousand radii */
    struct finding finding;    /* of claimed order - measured, bounded by 0; without a claim it says nothing */
};

/* A claimed O~(1/T^p) hides logarithms. So it is judged by the power of h; and, where that alone would refute it, by
 * the power of h log T, one logarithm for each power: only what is beyond that, too, refutes. account: NULL, nobody
 * asks. Errors: STATUS_MEMORY.
 */
MUST_USE enum status atlas_rate_measure(const struct evidence *evidence, const struct claim *claim, size_t target,
                                        size_t sampler, struct account *account, struct atlas_rate *out,
                                        struct error *error);

/* The claim about orders that the experiment asks for; NULL: none. */
const struct claim *atlas_claim(const struct manifest *manifest);

/* The fewest score evaluations for TV <= eps, (T(d, eps) - 1) times those of a step, among the samplers that claim
 * this order: in [low, high], as far as it is known; high is infinite if none is seen to reach eps. *sampler is the
 * index of the one that `high` is of, or the number of samplers. */
struct atlas_cost {
    double low, high;
    size_t sampler;
};
struct atlas_cost atlas_cost_of(const struct evidence *evidence, size_t target, double order, size_t dimension,
                                size_t accuracy);

/* The largest eps from which on (down to the smallest) order `higher` is seen to need fewer score evaluations than
 * order `lower`, but for eps at which neither is seen to; 0: there is none. */
double atlas_frontier(const struct evidence *evidence, size_t target, double higher, double lower, size_t dimension);

#endif
