/* Samplers that move along the score: the three variance conventions of DDPM, theory (6), and the 2024 SDE sampler,
 * theory (12), with D = (1 - alpha) s, the exponential integrator of the reverse SDE, and DDIM, theory (11), with
 * half of that. */
#include <math.h>

#include "core/vmath.h"
#include "model/sampler.h"

static void increment(const struct step *step, const struct score *score, size_t n, const double *x, double *out,
                      double *work)
{
    (void)work;
    score->evaluate(score, &step->from, n, x, out);
    vscale(n, step->beta, out);
}

static void increment_half(const struct step *step, const struct score *score, size_t n, const double *x, double *out,
                           double *work)
{
    (void)work;
    score->evaluate(score, &step->from, n, x, out);
    vscale(n, 0.5 * step->beta, out);
}

/* exp(h) x + 2 (exp(h) - 1) s with alpha = exp(-2 h), times sqrt(alpha): D = 2 (1 - sqrt(alpha)) s */
static void increment_exponential(const struct step *step, const struct score *score, size_t n, const double *x,
                                  double *out, double *work)
{
    double factor = -2.0 * expm1(0.5 * step->log_alpha);
    (void)work;
    score->evaluate(score, &step->from, n, x, out);
    vscale(n, factor, out);
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

/* v = (1 - alpha)/2 */
static double noise_half(const struct step *step)
{
    return step->log_alpha - M_LN2;
}

/* u = (1 - alpha)/2 */
static double noise_half_before(const struct step *step)
{
    (void)step;
    return -M_LN2;
}

const struct sampler sampler_ddpm = {
    .name = "ddpm",
    .doc = "The standard stochastic sampler, noise variance (1 - alpha)/alpha.",
    .formula = "D = (1 - alpha_t) s_t(x); v = (1 - alpha_t)/alpha_t",
    .source = "Li & Yan, arXiv:2409.18959",
    .score_evaluations = 1,
    .regular = 1,
    .log_noise_ratio = noise_ddpm,
    .increment = increment,
    .claimed_order = 1.0,
    .claim_source = "arXiv:2409.18959, theorem 1: TV <= d log^3(T)/T",
};

const struct sampler sampler_ddpm_outside = {
    .name = "ddpm-outside",
    .doc = "DDPM with the forward noise variance, the larger of Ho et al.'s two choices.",
    .formula = "D = (1 - alpha_t) s_t(x); v = 1 - alpha_t",
    .source = "Ho, Jain & Abbeel, arXiv:2006.11239, sigma_t^2 = beta_t",
    .score_evaluations = 1,
    .regular = 1,
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
    .regular = 1,
    .log_noise_ratio = noise_ancestral,
    .increment = increment,
};

const struct sampler sampler_exponential_integrator = {
    .name = "exponential-integrator",
    .doc =
        "The reverse SDE of the Ornstein-Uhlenbeck process, solved exactly over a step in which the score is frozen.",
    .formula = "D = 2 (1 - sqrt(alpha_t)) s_t(x); v = (1 - alpha_t)/alpha_t",
    .source = "Chen, Chewi, Li, Li, Salim & Zhang, arXiv:2209.11215; Benton, De Bortoli, Doucet & Deligiannidis, "
              "arXiv:2308.03686",
    .score_evaluations = 1,
    .regular = 1,
    .log_noise_ratio = noise_ddpm,
    .increment = increment_exponential,
    .claimed_order = 0.5,
    .claim_source = "arXiv:2308.03686, abstract: KL <= eps^2, hence TV <= eps, in O(d/eps^2) steps",
};

const struct sampler sampler_ddim = {
    .name = "ddim",
    .doc = "The deterministic sampler of first order: a step of the probability-flow ODE along half the score.",
    .formula = "D = (1 - alpha_t)/2 s_t(x); deterministic",
    .source = "Li, Wei, Chi & Chen, arXiv:2408.02320",
    .score_evaluations = 1,
    .regular = 1,
    .increment = increment_half,
    .claimed_order = 1.0,
    .claim_source = "arXiv:2408.02320: O(d/eps) steps",
};

const struct sampler sampler_accelerated_sde_2024 = {
    .name = "accelerated-sde-2024",
    .doc = "An earlier accelerated stochastic sampler: half of the noise goes in before the score is asked.",
    .formula = "Y+ = x + sqrt((1 - alpha_t)/2) Z; D = (1 - alpha_t) s_t(Y+), added to Y+; v = (1 - alpha_t)/2",
    .source = "Li, Huang, Efimov, Wei, Chi & Chen, arXiv:2403.03852",
    .score_evaluations = 1,
    .regular = 1,
    .log_noise_ratio = noise_half,
    .log_noise_before = noise_half_before,
    .increment = increment,
    .claimed_order = 1.0,
    .claim_source = "arXiv:2403.03852, abstract: O(1/T)",
};
