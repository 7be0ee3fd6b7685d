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

/* W2^2 of one factor's law, in the squared units of the target's coordinates. NaN and NaN where it is not known: laws
 * in the plane, whose optimal couplings no quantiles give, and laws whose mass has left the support, or
 * that are not resolved. Errors:
 * STATUS_MEMORY. */
MUST_USE enum status w2_squared(const struct law *law, struct measured *out, struct error *error);

/* W2 of a direct sum, from its laws' w2_squared; NaN and NaN where one of them, or half of the result, is not known.
 * A clip that was taken as inactive and acts with this probability moves no point farther than the support is long.
 */
struct measured w2_of_sum(const struct law_group *groups, size_t count, double clip_probability);

#endif
