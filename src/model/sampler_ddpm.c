#include <math.h>

#include "model/sampler.h"

/* The three variance conventions of DDPM share D = (1 - alpha) s, theory (6). */
static void increment(const struct step *step, const struct score *score, size_t n, const double *x, double *out,
                      double *work)
{
    (void)work;
    score->evaluate(score, &step->from, n, x, out);
    for (size_t i = 0; i < n; i++)
        out[i] *= step->beta;
}

/* v = (1 - alpha)/alpha */
static double noise_ddpm(const struct step *step)
{
    (void)step;
    return 0.0;
}

/* v = 1 - alpha */
static double noise_outside(const struct step *step)
{
    return step->log_alpha;
}

/* v = (1 - alpha_t)(1 - abar_{t-1})/(1 - abar_t), and alpha_t (1 - abar_{t-1}) = (1 - abar_t)(1 - omega). */
static double noise_ancestral(const struct step *step)
{
    return log1p(-step->omega);
}

const struct sampler sampler_ddpm = {
    .name = "ddpm",
    .doc = "The standard stochastic sampler, noise variance (1 - alpha)/alpha.",
    .formula = "D = (1 - alpha_t) s_t(x); v = (1 - alpha_t)/alpha_t",
    .source = "Li & Yan, arXiv:2409.18959",
    .score_evaluations = 1,
    .log_noise_ratio = noise_ddpm,
    .increment = increment,
};

const struct sampler sampler_ddpm_outside = {
    .name = "ddpm-outside",
    .doc = "DDPM with the forward noise variance, the larger of Ho et al.'s two choices.",
    .formula = "D = (1 - alpha_t) s_t(x); v = 1 - alpha_t",
    .source = "Ho, Jain & Abbeel, arXiv:2006.11239, sigma_t^2 = beta_t",
    .score_evaluations = 1,
    .log_noise_ratio = noise_outside,
    .increment = increment,
};

const struct sampler sampler_ddpm_ancestral = {
    .name = "ddpm-ancestral",
    .doc =
        "DDPM with the posterior noise variance: a first-order PF-ODE step past t-1, then forward noise back up. It "
        "is `accelerated` without its second-order correction.",
    .formula = "D = (1 - alpha_t) s_t(x); v = (1 - alpha_t)(1 - abar_{t-1})/(1 - abar_t)",
    .source = "Ho, Jain & Abbeel, arXiv:2006.11239, sigma_t^2 = beta-tilde_t",
    .score_evaluations = 1,
    .log_noise_ratio = noise_ancestral,
    .increment = increment,
};
