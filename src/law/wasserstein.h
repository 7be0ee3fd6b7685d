/* The 2-Wasserstein distance between p, the law of X_1, and q, the law of Y_1 (theory (20)), from their densities.
 *
 * On the line the optimal coupling is that of equal quantiles: x of q goes to y(x) of p with F_p(y) = F_q(x), and
 * W2^2 = E_q (x - y(x))^2. A radial law's optimal coupling moves points along their rays, and is that of the radii.
 * Over the factors of a direct sum W2^2 adds: each factor's coupling is optimal, and so is their product. */
#ifndef LAW_WASSERSTEIN_H
#define LAW_WASSERSTEIN_H

#include <stddef.h>

#include "core/status.h"
#include "law/divergence.h"

/* W2 in the units of the target's coordinates. NaN and NaN where it is not known: laws in the plane, whose optimal
 * couplings no quantiles give, and laws whose mass has left the support. Errors: STATUS_MEMORY. */
MUST_USE enum status w2_measure(const struct law_group *groups, size_t count, struct measured *w2,
                                struct error *error);

/* W2^2 of one factor. */
MUST_USE enum status w2_squared(const struct law *law, struct measured *out, struct error *error);

#endif
