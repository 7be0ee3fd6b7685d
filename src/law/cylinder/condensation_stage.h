/* One stage of a sampler's step around the front on which paths condense: log r after it at single points, by theory
 * (14) with the kernel of law/cylinder/transfer.h, whose coordinates (u, rho) are those of the codeword. */
#ifndef LAW_CYLINDER_CONDENSATION_STAGE_H
#define LAW_CYLINDER_CONDENSATION_STAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "law/bessel.h"
#include "law/cylinder/condensation_grid.h"
#include "law/cylinder/transfer.h"
#include "law/propagate.h"
#include "law/quadrature.h"

/* What the quadrature of a stage spends. */
struct condensation_orders {
    double tolerance; /* of an integral over the direction in which l grows */
    size_t least;     /* order in that direction, at least */
    size_t front;     /* order along the front */
    size_t cut;       /* nodes across of rules that end at the axis */
};

/* The stage; or, after condensation, any number of steps whose score is the codeword's, D = slope x. */
struct condensation_stage {
    struct stage stage;
    const struct axis_level *axis;        /* before; NULL: after condensation */
    const struct condensation_grid *grid; /* before */
    double slope;                         /* after condensation */
    double variance_to;                   /* of the codeword after the stage */
    struct cylinder_oracle *oracle;
};

struct condensation_work {
    struct condensation_orders orders;
    struct bessel bessel;
    struct quadrature_table rules;
    struct quadrature cut;
    double *x, *score, *increment, *excess, *odds, *place, *square, *value, *term, *argument, *weight, *work;
    double *block;
    size_t node_updates;
};
MUST_USE enum status condensation_work_new(size_t dimension, const struct sampler *sampler,
                                           const struct condensation_orders *orders, struct condensation_work *out,
                                           struct error *error);
void condensation_work_free(struct condensation_work *work);

/* out[i] = log r after the stage at u[i], rho[i]; excess[i] = log(p/p_own) there. Errors: STATUS_UNSUPPORTED where
 * the noise of the stage is many times as wide as the front; STATUS_NUMERIC where r is not finite. */
MUST_USE enum status condensation_stage_apply(const struct condensation_stage *stage, struct condensation_work *work,
                                              size_t count, const double *u, const double *rho, const double *excess,
                                              double *out, struct error *error);

#endif
