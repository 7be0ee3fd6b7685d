/* Shapes in the plane as mixtures of equal isotropic Gaussians: a quadrature rule along a curve or over an area,
 * whose nodes are the means. With ever more nodes the law becomes that of a uniform point of the shape plus N(0, sd^2
 * I). */
#ifndef MODEL_SHAPE_H
#define MODEL_SHAPE_H

#include <stddef.h>

#include "core/status.h"
#include "model/target.h"

/* sum_k weight[k] N(mean[k], sd^2 I_2), count > 0. */
struct shape {
    size_t count;
    double *weight; /* summing to 1 */
    double *mean;   /* points [x, y] */
    double sd;
};

/* Room for `count` components. Errors: STATUS_MEMORY; *out is then still to be freed. */
MUST_USE enum status shape_new(size_t count, double sd, struct shape *out, struct error *error);
void shape_free(struct shape *shape);

/* target_family.exists of targets that are copied over pairs of coordinates. */
MUST_USE enum status shape_exists(const struct target *target, size_t dimension, struct error *error);

/* Appends it to a target's factors, copied over pairs of an even number of coordinates. */
MUST_USE enum status shape_append(const struct shape *shape, size_t dimension, struct factor_list *list,
                                  struct error *error);

/* TV between two shapes of one sd > 0, by the trapezoid rule on a grid of a third of it, to a few percent; 1, which
 * is no less, where they are more than SHAPE_LARGEST of it wide or memory runs out. */
enum { SHAPE_LARGEST = 20000 };
double shape_distance(const struct shape *a, const struct shape *b);

#endif
