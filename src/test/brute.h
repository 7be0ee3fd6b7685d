/* The sampler's chain itself pushed forward in one dimension, for the exact laws to be compared with. Nothing is
 * shared with the engines but the sampler's increment and the schedule: targets, score errors and divergences are
 * coded here a second time.
 *
 * Stochastic samplers: densities on a uniform grid, one Markov kernel (theory (5)) after the other. Deterministic
 * ones: points, which keep their quantiles. */
#ifndef TEST_BRUTE_H
#define TEST_BRUTE_H

#include "model/sampler.h"
#include "model/target.h"

/* A score error in the first coordinate (theory (13)), shape and profile by name. */
struct brute_error {
    const char *shape; /* NULL: exact scores */
    const char *profile;
    double size, roughness, probability;
};

struct brute_problem {
    const struct factor *factor;
    const struct sampler *sampler;
    const struct schedule *schedule;
    struct brute_error error;
    double clip;     /* 0: never */
    double fineness; /* brute_fineness(), or twice that to see how much the result owes to the grid */
};

/* How fine a grid the sampler's map needs, in units of what low orders do. */
double brute_fineness(const struct sampler *sampler);

enum { BRUTE_COMPONENTS = 512 };
struct brute {
    double tv, chi2;
    double mass;                        /* of q_1 */
    double component[BRUTE_COMPONENTS]; /* E_q of the posterior probability of each, w_k (1 + m_k) of theory (21) */
};

/* A sampler's last steps may have no noise; clips and errors that jump do not reach them. Deterministic samplers take
 * no error or clip that makes their map jump. Fails the running test where the problem is beyond its means. */
struct brute brute_force(const struct brute_problem *problem);

/* The integral of |f| over a cell [0, 1] between the middle two of four values, by their cubic; signs change at most
 * once. */
double brute_absolute_integral(const double f[4]);

#endif
