/* The accelerated deterministic sampler of 2403.03852: it goes back up the PF-ODE from Y_t to level t+1, asks for the
 * score there, and corrects DDIM by the difference. Nothing is remembered from one step to the next, so its points
 * are a Markov chain like any other's. */
#include <math.h>

#include "model/sampler.h"

static size_t other_levels(const struct step *step, struct level *out)
{
    out[0] = level_noisier(&step->from, step->beta_before);
    return 1;
}

static void increment(const struct step *step, const struct score *score, size_t n, const double *x, double *out,
                      double *work)
{
    double beta = step->beta, before = step->beta_before, root = sqrt(1.0 - before);
    double correction = 0.25 * beta * beta / before, *above = work + n;
    struct level level;
    (void)other_levels(step, &level);
    score->evaluate(score, &step->from, n, x, out);
    for (size_t i = 0; i < n; i++)
        work[i] = root * (x[i] - 0.5 * before * out[i]);
    score->evaluate(score, &level, n, work, above);
    for (size_t i = 0; i < n; i++)
        out[i] = 0.5 * beta * out[i] + correction * (out[i] - root * above[i]);
}

const struct sampler sampler_accelerated_ode_2024 = {
    .name = "accelerated-ode-2024",
    .doc =
        "An earlier accelerated deterministic sampler: DDIM, corrected by the score at a point one step back up. The "
        "paper's text was not at hand: its formula is recalled, not copied; that it is of second order is tested. "
        "At t = T, where the schedule has no step before, alpha_{T+1} = alpha_T is taken.",
    .formula = "Y- = sqrt(alpha_{t+1})(x - (1 - alpha_{t+1})/2 s_t(x)); D = (1 - alpha_t)/2 s_t(x) + (1 - "
               "alpha_t)^2/(4(1 - alpha_{t+1})) (s_t(x) - sqrt(alpha_{t+1}) s_{t+1}(Y-)); deterministic",
    .source = "Li, Huang, Efimov, Wei, Chi & Chen, arXiv:2403.03852",
    .score_evaluations = 2,
    .regular = 1,
    .work_arrays = 2,
    .increment = increment,
    .other_levels = other_levels,
    .claimed_order = 2.0,
    .claim_source = "arXiv:2403.03852, abstract: O(1/T^2)",
};
