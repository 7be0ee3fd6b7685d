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

/* The largest log-weights, the sums of exponentials relative to them, and the score (NULL: none) at n <= JOINT_POINTS
 * points, laid out as those of joint_level_evaluate. false, and nothing done: the components have no means in the
 * plane, or too many are near. */
bool joint_plane_evaluate(const struct joint_level *joint, size_t anchor, size_t n, size_t stride, const double *x,
                          double *largest, double *total, double *score);

#endif
