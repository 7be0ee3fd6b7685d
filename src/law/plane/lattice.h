/* A second quadrature for a stage in the plane: q' itself, by the trapezoid rule over a lattice of points
 * x, q'(y) = sum_x delta^2 q(x) N(y; (x + D(x))/sqrt(alpha), v I), for steps whose noise is not small beside what the
 * map does, where Gauss-Hermite sums around each y need many nodes. The score is asked once a lattice point, and the
 * kernel is a product over the two coordinates. */
#ifndef LAW_PLANE_LATTICE_H
#define LAW_PLANE_LATTICE_H

#include "law/plane/transfer.h"

/* Points x of one patch of the grid: where the map takes them, and the log of delta^2 q. */
struct lattice_block {
    size_t anchor, first, count;
    double lowest[2], highest[2]; /* of x + D, relative to sqrt(A) m_anchor */
};

struct lattice {
    const struct plane_transfer *transfer;
    struct patches beyond;       /* the grid: there r is taken to be 1 */
    struct lattice_block *block; /* one a patch of the grid or beyond */
    size_t blocks;
    double *image[2], *log_mass;
    size_t count, capacity;
};

/* The number of points that a lattice with `density` points in a standard deviation of the noise would have. */
double lattice_size(const struct plane_transfer *transfer, double density);

/* `reach` is the number of standard deviations of each component that the grid covers; the lattice goes beyond by the
 * noise's. Reuses the storage of *lattice (start from {0}; free with lattice_free). */
MUST_USE enum status lattice_build(const struct plane_transfer *transfer, double density, double reach,
                                   struct plane_work *work, struct lattice *lattice, struct error *error);
void lattice_free(struct lattice *lattice);

/* As plane_transfer_apply. */
void lattice_apply(const struct lattice *lattice, size_t anchor, size_t nx, const double *x, size_t ny,
                   const double *y, double *log_ratio, double *log_density);

#endif
