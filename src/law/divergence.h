/* Divergences between p, the law of X_1, and q, the law of Y_1 (theory (17)), for one factor and for direct sums of
 * many (theory (16)). */
#ifndef LAW_DIVERGENCE_H
#define LAW_DIVERGENCE_H

#include "core/status.h"
#include "law/law.h"

/* All values and radii are finite and within their quantity's range, value - error and value + error too (to their
 * rounding), but for
 * - NaN and NaN: not known, since mass of q outside the support of the law, or the law's radius, leaves it open.
 * Never TV's;
 * - an infinite value with radius 0: the divergence is infinite; with an infinite radius: it is larger than DBL_MAX.
 */
struct divergence {
    struct measured tv;         /* sup_A |q(A) - p(A)| = E_p|r - 1|/2 */
    struct measured kl_p_q;     /* E_p[r - 1 - log r] */
    struct measured kl_q_p;     /* E_p[r log r - r + 1] */
    struct measured chi2_q_p;   /* E_p (r - 1)^2 */
    struct measured hellinger2; /* E_p (sqrt(r) - 1)^2/2, in [0, 1] */
    double mass_defect;         /* of the factor where it is largest, signed */
};

/* The part of value +- error that lies in [0, most], which the quantity does not leave. No radius is below the
 * rounding of its value. */
struct measured measured_within(struct measured m, double most);

/* A factor's law, `multiplicity` > 0 times. Non-integer multiplicities are legal where the factor is Gaussian. */
struct law_group {
    const struct law *law;
    double multiplicity;
};

/* All divergences of the direct sum. Gaussians have closed forms (normal.h), but for TV in more than one coordinate;
 * another factor alone is integrated directly (TV between the roots of log r); for more, TV comes from the
 * characteristic function of sum log r (compose.c) and the others add or multiply. Errors: STATUS_INVALID for an
 * empty sum; STATUS_NUMERIC, among others where a factor's law has lost or gained more than a quarter of its mass, or
 * the radius of TV is above a thousandth and above half of TV; STATUS_MEMORY. */
MUST_USE enum status divergence_measure(const struct law_group *groups, size_t count, struct divergence *out,
                                        struct error *error);

/* TV alone, by whichever of the next two fits or in closed form, within [0, 1] and however wide the radius. */
MUST_USE enum status tv_measure(const struct law_group *groups, size_t count, struct measured *tv,
                                struct error *error);

/* TV of one factor between the roots of log r, and of a direct sum by composition; the latter also handles a single
 * factor, as a second route, and as the better one where its panels lie on many lines that are not numbered: |r - 1|
 * bends along curves that touch some of them. Where they are numbered, the radius knows how much that matters. */
MUST_USE enum status tv_single(const struct law *law, struct measured *tv, struct error *error);
MUST_USE enum status tv_composed(const struct law_group *groups, size_t count, struct measured *tv,
                                 struct error *error);

#endif
