/* The masses of a mixture's components under the law of the chains, by posterior probabilities
 * pi_k(x) = w_k p_{1,k}(x)/p_1(x). E_p pi_k = w_k, and Q_k = E_q pi_k is the mean over chains; Q_k/w_k - 1 is the
 * relative error m_k of theory (21), exactly, because pi_k q = w_k p_{1,k} r_1. For any set S of components TV >=
 * |sum_{k in S} (Q_k - w_k)|, since sum_{k in S} pi_k is in [0, 1]. */
#ifndef SAMPLE_MASSES_H
#define SAMPLE_MASSES_H

#include "core/status.h"
#include "model/target.h"
#include "sample/chains.h"
#include "sample/estimate.h"

struct masses {
    struct estimate mass[MOST_MASSES], error[MOST_MASSES]; /* Q_k and Q_k/w_k - 1; NaN beyond the last component */
    struct estimate tv; /* of the set in excess in one half of the chains, by the other half */
};

/* Of the target's only factor of several components, at most MOST_MASSES; the mean over its copies. All NaN where the
 * target has no such factor. Args: the list and level 1 of the points, at least 4. Errors: STATUS_MEMORY. */
MUST_USE enum status masses_measure(const struct factor_list *list, const struct level *level,
                                    const struct points *points, struct masses *out, struct error *error);

#endif
