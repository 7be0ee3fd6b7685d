/* Explicit Runge-Kutta rules for the PF-ODE du/dsigma = eps (theory (7)) from level t to a lower sigma: what the
 * stochastic samplers of higher order use to reach the overshoot level of theory (8), from where forward noise leads
 * back to level t-1. In units of sigma_t the interval is [1 - length, 1], so that no difference of sigmas is formed.
 */
#ifndef MODEL_RUNGE_KUTTA_H
#define MODEL_RUNGE_KUTTA_H

#include <stddef.h>

#include "model/sampler.h"

enum { RUNGE_KUTTA_STAGES = 4 };

struct runge_kutta {
    size_t stages;                   /* in 1..RUNGE_KUTTA_STAGES, one score evaluation each */
    double node[RUNGE_KUTTA_STAGES]; /* as parts of the interval: node[0] = 0; sigma = (1 - length node) sigma_t */
    double inner[RUNGE_KUTTA_STAGES][RUNGE_KUTTA_STAGES]; /* row i moves to node i, by the stages before it */
    double weight[RUNGE_KUTTA_STAGES];
};

/* As sampler.increment, with `stages` work arrays. Levels asked for, node by node: level t where it is 0, else
 * level_scaled(&step->from, 1 - length node). */
void runge_kutta_increment(const struct runge_kutta *rule, double length, const struct step *step,
                           const struct score *score, size_t n, const double *x, double *out, double *work);

/* As sampler.other_levels. */
size_t runge_kutta_levels(const struct runge_kutta *rule, double length, const struct step *step, struct level *out);

#endif
