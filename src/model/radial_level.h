/* A mixture of isotropic Gaussians around one point in d dimensions, sum_k w_k N(0, s_k^2 I_d), at a noise level:
 * component k has variance V_k = A s_k^2 + O (theory §3). Everything depends on the radius rho = |x| alone, and the
 * score is kappa(rho) x. Densities are given relative to the Gaussian of one component, the anchor, because in 10^6
 * dimensions log p has lost the digits that a ratio of two densities needs. */
#ifndef MODEL_RADIAL_LEVEL_H
#define MODEL_RADIAL_LEVEL_H

#include <stddef.h>

#include "core/status.h"
#include "model/schedule.h"
#include "model/target.h"

struct radial_level {
    const struct factor *factor;
    double dimension;
    struct level level;
    double *variance, *sd, *inverse_variance; /* of a coordinate in each component at this level, K entries each */
    double *log_weight;
};

/* The factor is one without means, or with all of them 0; borrowed. */
MUST_USE enum status radial_level_new(const struct factor *factor, struct radial_level *out, struct error *error);
void radial_level_free(struct radial_level *radial);

/* Moves to another noise level; needed before the first evaluation. */
void radial_level_set(struct radial_level *radial, const struct level *level);

/* At radii rho[i], of any sign, i < n: excess[i] = log p(x) - log N(x; 0, V_anchor I), with |x| = rho[i], and
 * kappa[i]; either output may be NULL, and the latter may not overlap rho. Each point's bits do not depend on the
 * others nor on n. */
void radial_level_evaluate(const struct radial_level *radial, size_t anchor, size_t n, const double *rho,
                           double *excess, double *kappa);

/* log of the density of |X| at rho[i] >= 0, surface of the sphere included: its exponential integrates to 1. Good to
 * 1e-13 or so in any dimension. */
void radial_level_log_density(const struct radial_level *radial, size_t n, const double *rho, double *out);

/* The same of component k's part of it alone, w_k times the density of |X| in that component. */
void radial_level_log_part(const struct radial_level *radial, size_t k, size_t n, const double *rho, double *out);

/* log(V_k/V_j), and 1/V_k - 1/V_j. */
double radial_level_log_variance_ratio(const struct radial_level *radial, size_t k, size_t j);
double radial_level_precision_difference(const struct radial_level *radial, size_t k, size_t j);

/* The component with the largest density at radius rho, weights included. */
size_t radial_level_dominant(const struct radial_level *radial, double rho);

#endif
