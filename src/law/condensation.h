/* A sampler's law along one codeword's forward paths (theory (25)), for a bulk N(0, I) and one isotropic component,
 * narrower than the bulk, whose mean lies on an axis. The paths begin where the bulk alone is seen: there r is that
 * of the sampler on the bulk, a Gaussian in closed form. Where they end the codeword alone is seen, and all steps
 * left are one Gaussian transition. Between the two r is propagated by theory (14)-(15) around the front on which
 * paths condense (law/cylinder/condensation_grid.h). */
#ifndef LAW_CONDENSATION_H
#define LAW_CONDENSATION_H

#include <stdbool.h>

#include "core/status.h"
#include "law/law.h"

/* Whether condensation_law has the law: a regular sampler with noise, exact scores, and 8 dimensions or more (in
 * fewer the axis lies amid the codeword's mass, and law_component is as fast). */
bool condensation_handles(const struct law_problem *problem);

/* law_component of the second component, of two problems that differ in the components' weights alone. The first
 * radius is the difference to a computation with fewer nodes, and the second law is of fewer nodes itself, with the
 * same radius. Errors: STATUS_UNSUPPORTED where a step has no noise, or so much that a path condenses within it;
 * STATUS_NUMERIC where the law is not finite; STATUS_MEMORY. */
MUST_USE enum status condensation_law(const struct law_problem problem[2], struct law_component out[2],
                                      struct error *error);

#endif
