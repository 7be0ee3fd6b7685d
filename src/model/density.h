/* Densities on the line that are no Gaussian mixtures, and the law of sqrt(A) X_0 + sqrt(O) Z, X_0 of such a density,
 * Z standard normal (theory §3): its log-density and score, to 1e-13 at every noise level. Two kinds:
 *
 *   pieces   log p_0 linear on each of finitely many intervals, with kinks and jumps between them. The convolution of
 *            a piece with a Gaussian is a difference of scaled complementary error functions, and
 *            p_t' = sum_j slope_j p_{t,j} + sum_e jump_e N(x; sqrt(A) e, O): no differences of near numbers at any O.
 *   smooth   log p_0 analytic. With w = (x + sqrt(O) z)/sqrt(A), p_t(x) = E p_0(w)/sqrt(A) and
 *            p_t'/p_t = E[p_0(w) (log p_0)'(w)]/E[p_0(w)]/sqrt(A) over z, by the trapezoid rule around the
 * integrand's maximum, which converges exponentially.
 *
 * Where sqrt(O/A) is large beside the density's own scale both lose digits in A, and there p_0 is replaced by the
 * point masses of a quadrature rule, whose law at such levels is that of X_t to rounding. */
#ifndef MODEL_DENSITY_H
#define MODEL_DENSITY_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "model/schedule.h"

/* [standard deviations of a Gaussian] Spacing at which the trapezoid rule integrates it to exp(-2 pi^2/0.74^2),
 * rounding. */
#define DENSITY_SPACING 0.74

enum { DENSITY_CELL_NODES = 12 };

/* exp of a linear function on [from, to]; one of the two may be infinite, where its logarithm is -infinity. */
struct density_piece {
    double from, to;
    double log_from, log_to; /* log p_0 at the ends, inside; in density_of_pieces up to a constant */
    double slope;            /* of log p_0 */
    double below;            /* the mass of the pieces before; set by density_of_pieces */
};

/* An analytic shape in w = (x - place)/scale. */
struct smooth_shape {
    const char *name;
    double lowest, highest; /* beyond, less than 1e-26 of the mass */
    double spacing;         /* at which the trapezoid rule integrates it to rounding */
    double narrow;          /* sqrt(O/A)/scale up to which p_0 times the Gaussian is log-concave */
    size_t exponentials;    /* and logarithms that an evaluation takes */
    void (*evaluate)(double w, double *log_shape, double *slope, double *curvature);
};

/* Start from {0}; owns its arrays. Copied with density_copy. */
struct density {
    const struct smooth_shape *shape; /* NULL: pieces */
    double place, scale;              /* of the shape; of pieces 0, and 1 over the total variation of p_0 */
    double log_normaliser;            /* log of the integral of the shape */
    double narrow;                    /* the largest sqrt(O/A) before the point masses take over */
    size_t pieces;
    struct density_piece *piece; /* each begins where the one before ends */
    double highest;              /* the largest log p_0 of pieces */
    size_t masses;
    double *weight, *position, *zero; /* the point masses: weights, places and as many zeros; one block */
    size_t cells;
    double *below; /* of a shape: the mass left of each of cells + 1 equidistant places */
    double cell_node[DENSITY_CELL_NODES], cell_weight[DENSITY_CELL_NODES]; /* a rule for a part of one of the cells */
};

/* Domain: count >= 1; integrable; an infinite end only first or last. Errors: STATUS_MEMORY, STATUS_INVALID where its
 * mass is not finite, STATUS_UNSUPPORTED where it takes too many point masses. */
MUST_USE enum status density_of_pieces(size_t count, const struct density_piece *piece, struct density *out,
                                       struct error *error);
MUST_USE enum status density_of_shape(const struct smooth_shape *shape, double place, double scale,
                                      struct density *out, struct error *error);
MUST_USE enum status density_copy(const struct density *from, struct density *to, struct error *error);
void density_free(struct density *density);
bool density_equal(const struct density *a, const struct density *b);

/* The x below which the density has the mass u in (0, 1). */
double density_quantile(const struct density *density, double u);

/* P(share X_0 + sd Z <= x), sd > 0, Z standard normal, share not 0; E exp(i t X_0). To 1e-13. */
double density_smoothed_below(const struct density *density, double share, double sd, double x);
/* P(from <= share X_0 + sd Z <= from + width) where sd/share is at most `narrow`, share > 0: to 1e-13 of itself also
 * of narrow intervals. */
double density_smoothed_between(const struct density *density, double share, double sd, double from, double width);
void density_characteristic(const struct density *density, double t, double *real, double *imaginary);

/* Whether the point masses stand for the density at a level. */
bool density_is_wide(const struct density *density, const struct level *level);

/* Exponentials and logarithms that a point takes, of pieces at most; of shapes beside the few evaluations that find
 * the integrand's maximum. */
size_t density_exponentials(const struct density *density, const struct level *level);

/* Log-density and score of X_t at sqrt(A) origin + x[i], i < n, at a level that is not wide; either output may be
 * NULL. */
void density_evaluate(const struct density *density, const struct level *level, double origin, size_t n,
                      const double *x, double *log_density, double *score);

#endif
