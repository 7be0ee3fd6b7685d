/* Pictures of the densities of laws in the plane, drawn by `density` and, where that is cheap, at the end of `run`.
 */
#ifndef COMMAND_PICTURE_H
#define COMMAND_PICTURE_H

#include <stddef.h>

#include "core/status.h"
#include "experiment/spec.h"
#include "results/evidence.h"

enum { PICTURE_POINTS = 240 /* in either direction */ };
/* [s] That the law of a cheap picture took, by the clock. */
#define PICTURE_SECONDS 10.0

struct picture {
    const struct spec *spec;
    size_t target, sampler, steps; /* the first two by their index in the spec */
    size_t points, threads;
    const char *directory; /* which exists */
};

/* Computes the law and draws it. Errors: those of plane_density_make and density_figure_draw. */
MUST_USE enum status picture_draw(const struct picture *picture, struct error *error);

/* One for each target and sampler at the largest T whose law in the plane was measured within PICTURE_SECONDS: of
 * laws by the plane's engine and, where the plane alone is asked for, of products. Those that are there are drawn
 * again only if `anew`; laws that have no picture have none. Out: *dear, of how many targets and samplers no law took
 * so little. Errors: those of density_figure_draw. */
MUST_USE enum status pictures_draw_cheap(const struct spec *spec, const struct evidence *evidence, size_t threads,
                                         bool anew, size_t *dear, struct error *error);

#endif
