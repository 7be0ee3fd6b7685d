/* What a law knows nothing of: q beyond the ends of the support. */
#ifndef LAW_OUTSIDE_H
#define LAW_OUTSIDE_H

#include "law/law.h"

/* Part of a panel over which slopes at its end are taken. */
#define OUTSIDE_SLOPE_PART 0.02

/* At most so much is there of q's mass, of KL(q || p) and of chi2(q || p); infinite where q does not fall outwards at
 * an end, or mass is unexplained. */
struct outside {
    double mass, kl_q_p, chi2;
    double unexplained; /* mass that is missing or too much, but neither out there nor within what errors explain; or
                           0 */
};

struct outside law_outside(const struct law *law);

/* E_p (r - r(e))^2 beyond an end e of a grid on the line, where the grid holds r at its value r(e): log p and log r
 * at e and at a distance `step` inside, p's local standard deviation sd. Infinite where q^2/p does not fall outwards.
 */
double outside_held_square(const double log_p[2], const double log_r[2], double step, double sd);

#endif
