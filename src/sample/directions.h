/* Directions to look along for a difference between laws: coordinate axes (of one copy of each factor group, and of a
 * few more copies), differences between the means of a factor's components, the sum of spins (factor_tilts), and
 * random ones, where there are no spins. */
#ifndef SAMPLE_DIRECTIONS_H
#define SAMPLE_DIRECTIONS_H

#include <stddef.h>

#include "core/status.h"
#include "model/target.h"

enum {
    DIRECTIONS_MOST_AXES = 16,       /* axes in all */
    DIRECTIONS_MOST_DIFFERENCES = 16 /* differences between means */
};

struct directions {
    size_t count, dimension;
    double *unit; /* count x dimension: direction after direction, each of length 1 */
};

/* normal: random x dimension independent standard normal numbers; made into directions of length 1. No direction
 * occurs twice among axes and differences. Free with directions_free, also after an error.
 * Errors: those of projected_dimension, STATUS_MEMORY. */
MUST_USE enum status directions_new(const struct factor_list *list, size_t random, const double *normal,
                                    struct directions *out, struct error *error);
void directions_free(struct directions *directions);

#endif
