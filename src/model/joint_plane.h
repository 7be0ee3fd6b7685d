/* Mixtures of components with means in the plane, of which only those that are near the points are summed: a part of
 * joint_level_evaluate. */
#ifndef MODEL_JOINT_PLANE_H
#define MODEL_JOINT_PLANE_H

#include <stdbool.h>

#include "model/joint_level.h"

/* Components whose exponents are kept at a time. */
enum { JOINT_BLOCK = 128 };

/* A component of less than exp(-JOINT_NEGLIGIBLE) of the largest adds nothing to any digit of 10^6 of them. It is
 * left out where that holds at all points of a chunk. */
#define JOINT_NEGLIGIBLE 60.0

/* In the plane one of less than exp(-JOINT_NEGLIGIBLE_IN_PLANE)/K of the largest, of K components. */
#define JOINT_NEGLIGIBLE_IN_PLANE 46.0

/* Components that may count at some points, with bounds on their log-weights. */
struct joint_near {
    size_t count, k[JOINT_BLOCK];
    double highest[JOINT_BLOCK];
};

/* Finds them at any number of points, laid out as those of joint_level_evaluate, by the least and the largest
 * log-weight of each in the box that holds these; out of those in `among` (NULL: all). false, and nothing done: the
 * components have no means in the plane, or too many are near. */
bool joint_plane_find(const struct joint_level *joint, const struct joint_near *among, size_t anchor, size_t n,
                      size_t stride, const double *x, struct joint_near *out);

/* The largest log-weights, the sums of exponentials relative to them, and the score (NULL: none) of these components
 * at n <= JOINT_POINTS points. */
void joint_plane_evaluate(const struct joint_level *joint, const struct joint_near *near, size_t anchor, size_t n,
                          size_t stride, const double *x, double *largest, double *total, double *score);

#endif
