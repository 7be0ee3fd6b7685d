/* What tests of the plane engine share: targets in the plane, and laws by the engine itself. */
#ifndef TEST_PLANE_LAWS_H
#define TEST_PLANE_LAWS_H

#include "law/divergence.h"
#include "law/law.h"
#include "law/measure.h"
#include "model/target.h"

/* Weights, means and deviations, as many as a test takes of them. */
extern const double half[2], third[3], quarter[4]; /* weights: those of `third` are 0.3, 0.3, 0.4 */
extern const double corners[8], triangle[6];       /* means, by component */
extern const double equal[4], unequal[3];          /* deviations */

/* Four modes at (+-1, +-1), which are two independent coordinates, one of these, and three modes in a triangle. */
extern const struct factor product, one_coordinate, three;

/* A small run takes wider modes, which need fewer patches, */
struct factor eased(struct factor factor);

/* and less of the resolutions below, to the same demands. */
double finer(void);

/* By the engine itself: resolutions below 1 are cheaper. */
struct law compute(const struct law_problem *problem, double resolution);
struct divergence at_resolution(const struct law_problem *problem, double resolution);

struct target plane_target(const struct factor *factor);
struct measurement measure(const struct target *target, const char *sampler, const struct score_error *error,
                           size_t T, size_t dimension);

/* Equal within the sum of radii, and within a part of b; KL(q|p) and chi2 may be not known, or both infinite. */
void agree(struct measured a, struct measured b, double relative, const char *what, const char *where);

#endif
