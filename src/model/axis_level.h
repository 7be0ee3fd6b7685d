/* A mixture of isotropic Gaussians whose means lie on the first axis of d >= 2 dimensions, sum_k w_k N(m_k e_1,
 * s_k^2 I_d), at a noise level: component k has the mean sqrt(A) m_k and the variance V_k = A s_k^2 + O (theory §3).
 * Everything depends on the place along the axis and the distance from it alone, and the score is kappa x_perp
 * across. Places along the axis are relative to sqrt(A) m_of of one component, and densities to its Gaussian, because
 * in 10^6 dimensions log p has lost the digits that a ratio of two densities needs. */
#ifndef MODEL_AXIS_LEVEL_H
#define MODEL_AXIS_LEVEL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "model/schedule.h"
#include "model/target.h"

struct axis_level {
    const struct factor *factor;
    double dimension;
    struct level level;
    double root_alpha_bar;
    double *variance, *sd, *inverse_variance; /* of a coordinate in each component at this level, K entries each */
    double *log_weight, *mean;                /* the target's */
};

/* true if the factor's covariances are isotropic and its means on the first axis. */
bool axis_factor(const struct factor *factor);

MUST_USE enum status axis_level_new(const struct factor *factor, struct axis_level *out, struct error *error);
void axis_level_free(struct axis_level *axis);

/* Moves to another noise level; needed before the first evaluation. */
void axis_level_set(struct axis_level *axis, const struct level *level);

/* At n points sqrt(A) m_of + x[i] along the axis and x[n + i], of any sign, from it: excess[i] = log p(x) - log N(x;
 * sqrt(A) m_of e_1, V_of I), and the score along and across, laid out like x; either output may be NULL, and the
 * score may not overlap x. Each point's bits do not depend on the others nor on n. */
void axis_level_evaluate(const struct axis_level *axis, size_t of, size_t n, const double *x, double *excess,
                         double *score);

#endif
