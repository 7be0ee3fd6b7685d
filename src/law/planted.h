/* The planted law of a target with exponentially many components alike (theory (25)): an annealed approximation of
 * what the sampler does to one of them, and not the law of its output, so that no divergence follows. */
#ifndef LAW_PLANTED_H
#define LAW_PLANTED_H

#include "core/status.h"
#include "law/law.h"
#include "model/target.h"

/* Radii hold both extremes of struct planted_target, but for those of tv and kl, which are numerical, of (25) as it
 * stands, and of bracket_tv: the extremes differ by a factor that is common to all step sizes and tends to 1 like
 * 1/d. It is no noise of the cells, and what it does to an exponent is what the exponent of bracket_tv differs by. */
struct planted_law {
    struct measured mass_error; /* m_1 = E_own[r_1 - 1] */
    struct measured l1;         /* E_own|r_1 - 1|/2 */
    struct measured codewords;  /* Q of (26'), the mass that the sampler gives to all components alike */
    struct measured tv;         /* |Q - w|, which TV is at least, with Q of (25) */
    struct measured bracket_tv; /* the same with the weight 1 - w of the bulk in place of 1 */
    struct measured kl;         /* KL of two coins, w log(w/Q) + (1-w) log((1-w)/(1-Q)), which KL(p|q) is at least */
    size_t node_updates;
};

/* Args: the problem but for its factor. Errors: as law_compute. */
MUST_USE enum status planted_measure(const struct law_problem *problem, const struct planted_target *planted,
                                     struct planted_law *out, struct error *error);

#endif
