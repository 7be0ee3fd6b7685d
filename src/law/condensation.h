/* A sampler's law along one codeword's forward paths (theory (25)), for a bulk N(0, I) and one isotropic component,
 * narrower than the bulk, whose mean lies on an axis. With l the log-likelihood ratio of the codeword against the
 * bulk, weights included, the codeword's posterior weight is 1/(1 + e^-l). Where l is far below 0 the score is that
 * of the bulk, and r the ratio of two Gaussians in closed form. Once l is far above 0 on all paths but for a
 * negligible part, the score is that of the codeword, and the remaining steps are together one Gaussian transition.
 * Between the two r is propagated by theory (14)-(15) around the front l = 0, on which paths condense
 * (law/cylinder/condensation_grid.h). */
#ifndef LAW_CONDENSATION_H
#define LAW_CONDENSATION_H

#include <stdbool.h>

#include "core/status.h"
#include "law/law.h"

/* Whether condensation_law has the law: a regular sampler with noise, exact scores, and 8 dimensions or more (in
 * fewer the cylinder engine is as fast, and panels' sides meet the axis amid the codeword's mass). */
bool condensation_handles(const struct law_problem *problem);

/* As law_component, of the second component and with no engine named, for two problems that differ in the components'
 * weights alone. The radius of the first is estimated by E|r - r'| of a computation for which less is spent; that
 * alone is made of the second, which gets the same radius. Errors: STATUS_UNSUPPORTED where a step has no noise, or
 * so much that a path condenses within it; STATUS_NUMERIC where the law is not finite; STATUS_MEMORY. */
MUST_USE enum status condensation_law(const struct law_problem problem[2], struct law_component out[2],
                                      struct error *error);

#endif
