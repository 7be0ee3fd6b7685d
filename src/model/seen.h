/* The law, at a noise level, of the number that a score error sees: a coordinate or a projection, which is a mixture
 * on the line, or the norm of concentric Gaussians in d dimensions. */
#ifndef MODEL_SEEN_H
#define MODEL_SEEN_H

#include "model/mixture_level.h"
#include "model/radial_level.h"

struct seen {
    const struct mixture_level *line;
    const struct radial_level *radial; /* of the norm; NULL: on the line */
};

double seen_second_moment(const struct seen *seen);
double seen_sd(const struct seen *seen);

/* E sin^2(kX). */
double seen_sine_square(const struct seen *seen, double wave_number);

/* P(from <= X < to) and the density at `to`; from may be -infinity. Without the rounding of a difference where the
 * interval is narrow. */
double seen_between(const struct seen *seen, double from, double to, double *density);

/* An interval that holds all but 1e-300 of it. */
void seen_range(const struct seen *seen, double *low, double *high);

#endif
