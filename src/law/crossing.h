/* The crossing law, theory (26): what a sampler makes of a codeword's mass as d -> infinity with eta = K h d fixed,
 * where each path condenses within O(1) steps. The log-likelihood ratio l of the own codeword against the bulk has
 * the density p(l) = 1 + exp(-l), and a step is l' = phi(l) - kappa eta + sqrt(2 kappa eta) Z: the sampler's own
 * increment on the score of the transition, and its own noise, kappa times that of theory (8). */
#ifndef LAW_CROSSING_H
#define LAW_CROSSING_H

#include "core/status.h"
#include "model/sampler.h"

struct crossing {
    double mass_error; /* m_1 = r_infinity - 1 */
    double error;      /* its estimated radius */
};

/* Domain: eta > 0. A sampler without noise loses no mass: 0. Errors: STATUS_UNSUPPORTED for a sampler that keeps
 * arrays from step to step, that is not regular, or whose drift does not fit its noise to first order in h, and where
 * eta is so small or large that the grid is beyond reason; STATUS_NUMERIC; STATUS_INVALID;
 * STATUS_MEMORY. */
MUST_USE enum status crossing_find(const struct sampler *sampler, double eta, struct crossing *out,
                                   struct error *error);

/* eta = K d h of the codebook of this rate R and standard deviation s in (0, 1): h is the step in log(abar/(1 -
 * abar)) of the schedule that crosses the level where 1/2 log(1/v) = R, v = abar s^2 + 1 - abar, and K = 1/2 (1 -
 * abar) (1 - v)/v there. NaN if none does. */
double crossing_eta(const struct schedule *schedule, double dimension, double rate, double sd);

#endif
