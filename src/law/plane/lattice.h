/* A second quadrature for a stage in the plane: q' itself, by the trapezoid rule over a lattice of points
 * x, q'(y) = sum_x delta^2 q(x) N(y; (x + D(x))/sqrt(alpha), v I), for patches where the noise is not small beside
 * what the map does, where Gauss-Hermite sums around each y need many nodes. The score is asked once a lattice point.
 *
 * The sum goes by a regular grid g, of spacing s, in between: with v' = v alpha and 0 < w < v',
 *     N(y; m, v') = s^2 sum_g N(y; g, v' - w) N(g; m, w),
 * whose relative error at every y and m, about 2 exp(-2 pi^2 w (v' - w)/(v' s^2)) for each coordinate, is that of
 * the trapezoid rule for a Gaussian of variance w (v' - w)/v'. Each point is spread over the few g around it, and the
 * second kernel is a product over the two coordinates. */
#ifndef LAW_PLANE_LATTICE_H
#define LAW_PLANE_LATTICE_H

#include "law/plane/grid.h"
#include "law/plane/transfer.h"

enum { LATTICE_GROUPS = 8 /* of points of the lattice, which threads spread; the same for any number of threads */ };

struct lattice {
    const struct plane_transfer *transfer;
    bool moved;            /* by parts of a spacing */
    struct patches beyond; /* the patches: there r is taken to be 1 */
    struct grid grid, part[LATTICE_GROUPS];
    double spread, kept;         /* the variances w and v' - w */
    size_t window;               /* points of the grid, in either direction, that a point is spread over */
    double low[2], high[2];      /* points with images outside this box, relative to sqrt(A) m_0, are left out */
    double reference;            /* log of the scale of the grid's values */
    struct lattice_piece *piece; /* points of one patch that are spread together */
    size_t pieces, capacity;
    const struct patch **goal; /* the patches that it is to fill, out of images of one another one */
    size_t goals, goal_capacity;
};

/* The number of points that a lattice with `density` points in a standard deviation of the noise has on a patch. */
double lattice_size(const struct plane_transfer *transfer, const struct patch *patch, double density);

/* For those of the patches that the stage is about to fill, placed at its second level, that have by_lattice set. The
 * lattice goes beyond what patches cover by the noise's reach; the grid's relative error is small beside the
 * tolerance. `checks`: the lattice that checks another, moved, so that the first terms of the trapezoid rule's error
 * are others; its grid finer and its windows wider. Reuses the storage of *lattice (start from {0}; free with
 * lattice_free). */
MUST_USE enum status lattice_build(struct plane_thread *thread, struct team *team, const struct patches *filled,
                                   double density, double tolerance, bool checks, struct lattice *lattice,
                                   struct error *error);
void lattice_free(struct lattice *lattice);

/* As plane_transfer_apply, for points in a patch that had by_lattice set. */
void lattice_apply(const struct lattice *lattice, const struct plane_transfer *transfer, size_t anchor, size_t nx,
                   const double *x, size_t ny, const double *y, double *log_ratio, double *log_density);

#endif
