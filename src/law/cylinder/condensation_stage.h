/* One stage of a sampler's step around the front on which paths condense: log r after it at single points, by theory
 * (14) with the kernel of law/cylinder/transfer.h, whose coordinates (u, rho) are those of the codeword. */
#ifndef LAW_CYLINDER_CONDENSATION_STAGE_H
#define LAW_CYLINDER_CONDENSATION_STAGE_H

#include <stddef.h>

#include "core/status.h"
#include "law/bessel.h"
#include "law/cylinder/condensation_grid.h"
#include "law/cylinder/transfer.h"
#include "law/propagate.h"
#include "law/quadrature.h"

/* What the quadrature of a stage spends. */
struct condensation_orders {
    double tolerance; /* of the integrals at one point */
    size_t least;     /* order, at least, in the direction in which l grows; along the front one less */
    size_t wide;      /* in both directions, of the last transition, whose noise is as wide as the codeword */
};

/* The stage; or, after condensation, any number of steps whose score is the codeword's, D = slope x. */
struct condensation_stage {
    struct stage stage;
    const struct axis_level *axis;        /* before; NULL: after condensation */
    const struct condensation_grid *grid; /* before */
    double slope;                         /* after condensation */
    double variance_to;                   /* of the codeword after the stage */
    double odds_before;                   /* typical l of the codeword before the stage, minus that after it */
    double slack;                         /* by which the tolerance of integrals is larger here */
    struct cylinder_oracle *oracle;
};

enum { CONDENSATION_CUTS = 20, CONDENSATION_CUT_NODES = 8 };

struct condensation_work {
    struct condensation_orders orders;
    struct bessel bessel;
    struct quadrature_table rules;
    struct quadrature cut[CONDENSATION_CUTS]; /* of 8, 16, ... nodes, across, of rules that end at the axis */
    double *x, *score, *increment, *excess, *odds, *place, *square, *value, *term, *argument, *weight, *work;
    double *block;
    size_t node_updates;
};
MUST_USE enum status condensation_work_new(size_t dimension, const struct sampler *sampler,
                                           const struct condensation_orders *orders, struct condensation_work *out,
                                           struct error *error);
void condensation_work_free(struct condensation_work *work);

/* The standard deviation of the stage's noise in l, where l = 0. */
double condensation_spread(const struct condensation_stage *stage);

double condensation_pole(double spread);

/* out[i] = log r after the stage at u[i], rho[i]; excess[i] = log(p/p_own) there. Errors: STATUS_UNSUPPORTED where
 * the noise of the stage is many times as wide as the front; STATUS_NUMERIC where r is not finite. */
MUST_USE enum status condensation_stage_apply(const struct condensation_stage *stage, struct condensation_work *work,
                                              size_t count, const double *u, const double *rho, const double *excess,
                                              double *out, struct error *error);

#endif
