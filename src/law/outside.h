/* What a law knows nothing of: q beyond the ends of the support. */
#ifndef LAW_OUTSIDE_H
#define LAW_OUTSIDE_H

#include "law/law.h"

/* At most so much is there of q's mass, of KL(q || p) and of chi2(q || p); infinite where q does not fall outwards at
 * an end, or mass is unexplained. */
struct outside {
    double mass, kl_q_p, chi2;
    double unexplained; /* mass that is missing or too much, but neither out there nor within what errors explain; or
                           0 */
};

struct outside law_outside(const struct law *law);

#endif
