/* A mixture in several coordinates that do not separate, at a noise level: component N(m, S) becomes
 * N(sqrt(A) m, A S + O I) (theory §3). Points come in batches, coordinate after coordinate: x[i * stride + j] is
 * coordinate i of point j. Positions are relative to sqrt(A) m_anchor of one component, the anchor. */
#ifndef MODEL_JOINT_LEVEL_H
#define MODEL_JOINT_LEVEL_H

#include <stddef.h>

#include "core/status.h"
#include "model/schedule.h"
#include "model/target.h"

enum { JOINT_POINTS = 64 /* are evaluated together */ };

/* The covariance V of a component in the plane at a level. */
struct joint_ellipse {
    double narrow, wide; /* roots of its eigenvalues, narrow <= wide */
    double axis[2];      /* the unit eigenvector of the first; (-axis[1], axis[0]) is that of the second */
    double sd[2];        /* of x and of y */
    double slope, along; /* given y, relative to the mean: E x = slope y, and the standard deviation of x */
};

struct joint_level {
    const struct factor *factor;
    struct level level;
    double root_alpha_bar;
    double *sd, *inverse_variance; /* of the components at this level, K entries each; 1 where covariances are full */
    double *log_constant;          /* log(w_k) - log det(2 pi V_k)/2 */
    struct joint_ellipse *ellipse; /* of each component with a mean in the plane; NULL in other dimensions */
    struct spectra *spectra;       /* of full covariances, else NULL */
    double *rotated;               /* m_k - m_0 in the eigenvectors of a shared covariance; NULL: none is */
    const double *centre;          /* m_k - m_0; sqrt(A) times that in a shared covariance's own scales */
    double *own_centre;            /* NULL: they are the factor's means */
    double *square;                /* their squares */
    int by_products;               /* distances from matrix products, where rounding lets them */
    double product_scale;          /* of the centres in these: sqrt(A), or 1 */
    double slack;    /* bound on what two exponents by products are off, over |z|^2 + |c|^2; 0: little */
    double farthest; /* the largest |c|^2 */
    double *scratch; /* private to joint_level_evaluate */
};

/* Errors: STATUS_INVALID for a covariance that is not positive semidefinite; STATUS_MEMORY. */
MUST_USE enum status joint_level_new(const struct factor *factor, struct joint_level *out, struct error *error);
void joint_level_free(struct joint_level *joint);

/* Moves to another noise level; needed before the first evaluation. */
void joint_level_set(struct joint_level *joint, const struct level *level);

/* Log-density and score at n points; either output may be NULL. The score is laid out like x, and does not overlap
 * it. Log-sum-exp, so no underflow. A point's bits depend on nothing but itself and its place among JOINT_POINTS, to
 * which e^-46 of the density adds nothing: components that are below that, together, at all of them are left out.
 * Returns how many exponentials and logarithms it has taken. */
size_t joint_level_evaluate(const struct joint_level *joint, size_t anchor, size_t n, size_t stride, const double *x,
                            double *log_density, double *score);

/* Adds component k's deviation from its mean to `out`, n coordinates `stride` apart: V_k^(1/2) z for standard normal
 * z (n contiguous numbers). */
void joint_level_deviate(const struct joint_level *joint, size_t k, const double *z, size_t stride, double *out);

/* Coordinate i of sqrt(A)(m_k - m_anchor). */
static inline double joint_level_centre(const struct joint_level *joint, size_t k, size_t anchor, size_t i)
{
    const double *mean = joint->factor->mean;
    size_t d = joint->factor->dimension;
    return mean == NULL ? 0.0 : joint->root_alpha_bar * (mean[k * d + i] - mean[anchor * d + i]);
}

#endif
