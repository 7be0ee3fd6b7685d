/* Inversion of a map without noise, x -> x + D(x), where it is monotone, at a few points together: by the secant rule
 * where D changes slowly, and by Newton's with D' from a central difference of order 6, which confirms what the
 * secant rule has found and starts anew where it found nothing. */
#ifndef LAW_MONOTONE_H
#define LAW_MONOTONE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "law/panels.h"
#include "law/propagate.h"

enum { MONOTONE_POINTS = 4 * PANEL_NODES }; /* at a time */

/* The central difference of order 6: D'(x) is the sum of weights[k] D(x + offsets[k] spacing), over the spacing. */
enum { MONOTONE_STENCIL = 6 };
extern const double stencil_offsets[MONOTONE_STENCIL], stencil_weights[MONOTONE_STENCIL];

struct monotone_map {
    /* D at n points. */
    void (*displacement)(void *context, size_t n, const double *x, double *out);
    void *context;
    bool radial; /* x is a radius: D is odd, and the solution is positive */
};

struct monotone_inverse {
    double x[MONOTONE_POINTS], D[MONOTONE_POINTS], slope[MONOTONE_POINTS]; /* D and D' at x */
    bool good[MONOTONE_POINTS]; /* false: no solution, or the map is not monotone there */
    size_t evaluations;         /* of D */
};

/* Up to MONOTONE_POINTS points y, `each` of them ascending on each of `panels` panels. length[p] is one over which D
 * is smooth on panel p. */
struct monotone_points {
    size_t panels, each;
    const double *length, *y;
};

/* Solves x + D(x) = a y; where there is no good solution x is a y. Of the stencil's error in D' a higher quadrature
 * order tells how good it is: CHECK_ORDERS orders halve its spacing. */
void monotone_invert(const struct monotone_map *map, size_t order, double a, const struct monotone_points *points,
                     struct monotone_inverse *out);

/* q's mass at a point without a good solution is ignored, and counted twice in *ignored, since it may as well lie
 * elsewhere. Errors: STATUS_NUMERIC where it is no small mass: the map folds near `name` = `place`. */
MUST_USE enum status monotone_ignore(const struct stage *stage, double mass, const char *name, double place,
                                     double *ignored, struct error *error);

#endif
