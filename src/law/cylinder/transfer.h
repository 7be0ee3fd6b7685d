/* One stage of a sampler's step for targets around an axis, seen from one component: log r where that component has
 * its mass after the stage, from log r where it has it before, by theory (14)-(15) in (a, rho), the place along the
 * axis and the distance from it. Along the axis noise is Gaussian; across it rho is noncentral chi of n = d - 1
 * degrees (law/radial/transfer_noise.c has the kernel). With x drawn from the forward process of the component, both
 * y and x are in its support: the blocks of the components share the score alone.
 *
 * Coordinates of a block: u = (a - sqrt(A) m_k)/sd_k and z = (rho^2/V_k - n)/(2 sqrt(n)), of standard deviations 1
 * and 0.71. In these the component stands still, and log r, a function of |x_perp|^2, is smooth at the axis. */
#ifndef LAW_CYLINDER_TRANSFER_H
#define LAW_CYLINDER_TRANSFER_H

#include <stddef.h>

#include "core/status.h"
#include "law/bessel.h"
#include "law/patches_fill.h"
#include "law/propagate.h"
#include "law/quadrature.h"
#include "model/axis_level.h"
#include "model/sampler.h"

/* The score at (a, rho) at the levels t and t-1 and the sampler's others. */
struct cylinder_oracle {
    struct score base;
    size_t levels;
    const struct axis_level *density[SAMPLER_LEVELS];
    size_t component;      /* positions asked for are relative to it */
    const double *known_x; /* points whose exact score at level t is already in known_score */
    const double *known_score;
    struct undeclared *undeclared; /* the caller's */
};
void cylinder_oracle_init(struct cylinder_oracle *oracle);

struct cylinder_transfer {
    struct stage stage;
    const struct axis_level *from, *to;
    const struct patches *grid; /* log r of the component before the stage, indexed */
    const struct lobattos *lobattos;
    const struct cylinder_oracle *oracle;
    size_t component;
    double across; /* n */
    double shift;  /* the patches' second coordinate is z - shift: their tree ends at the axis */
    const struct bessel *bessel;
};

enum {
    CYLINDER_RULE = 96, /* nodes of a rule, at most: of the orders in use, and of one cut at the axis */
    CYLINDER_COLUMNS = PATCH_MOST * CYLINDER_RULE,
    CYLINDER_BATCH = 32 * CYLINDER_COLUMNS /* points at a time */
};

/* Workspace of a thread, for a whole law. */
struct cylinder_work {
    struct quadrature_table rules;
    struct patches_work patches;
    double *x, *score, *increment, *excess, *log_ratio, *term, *argument, *work;
    struct {
        double *at, *coordinate, *thrown, *constant, *weight;
    } column; /* of the points' places along the axis */
    struct {
        double *at, *coordinate, *shift, *constant, *square, *weight;
    } row; /* and across */
    double *block;
    size_t node_updates;
};
MUST_USE enum status cylinder_work_new(const struct sampler *sampler, struct cylinder_work *out, struct error *error);
void cylinder_work_free(struct cylinder_work *work);

/* rho/sd for z, and z for rho/sd. */
double cylinder_radius(double across, double z);
double cylinder_coordinate(double across, double rho);

/* log r and the log density of the component at the points of a patch, by rules of the query's orders. */
void cylinder_transfer_apply(const struct cylinder_transfer *transfer, struct cylinder_work *work,
                             const struct patch *patch, const struct patch_query *query, double *log_ratio);

/* log of the component's density in (u, z). */
double cylinder_log_density(double across, double u, double z);

/* The norm of the sampler's correction at (u, z), count <= PATCH_MOST^2 points. */
void cylinder_correction(const struct cylinder_transfer *transfer, struct cylinder_work *work, size_t count,
                         const double *u, const double *z, double *norm);

#endif
