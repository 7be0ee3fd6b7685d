/* DPM-Solver++(2M) and its stochastic form, in the half log-SNR lambda = -log sigma, h_t = lambda_{t-1} - lambda_t,
 * so that exp(-h_t) = sqrt(1 - omega). The data prediction x0_t = (x + (1 - abar_t) s_t(x))/sqrt(abar_t) is kept for
 * the next step, and with it extrapolated to
 *
 *     X = x0_t + h_t/(2 h_{t+1}) (x0_t - x0_{t+1}), in the first step X = x0_T;
 *     Y_{t-1} = sqrt((1 - abar_{t-1})/(1 - abar_t)) exp(-n h_t) x
 *               + sqrt(abar_{t-1}) (1 - exp(-(n+1) h_t)) X + sqrt(v) Z,
 *
 * with n = 0 and v = 0, or n = 1 and v = (1 - abar_{t-1})(1 - exp(-2 h_t)), the noise of theory (8). The increment of
 * both is D = (1 - exp(-(n+1) h_t)) (sqrt(abar_t) X - x), where sqrt(abar_t) x0_t - x = (1 - abar_t) s_t(x). */
#include <math.h>

#include "model/overshoot.h"

/* h_t/h_{t+1} */
static double ratio_of_steps(const struct step *step)
{
    double before = step->beta_before / level_noisier(&step->from, step->beta_before).noise;
    return log1p(-step->omega) / log1p(-before);
}

static void increment_by(double part, const struct step *step, const struct score *score, size_t n, const double *x,
                         double *out)
{
    double noise = step->from.noise, root = sqrt(step->from.alpha_bar), *kept = step->memory;
    double extrapolate = step->t < step->T ? 0.5 * ratio_of_steps(step) * root : 0.0;
    score->evaluate(score, &step->from, n, x, out);
    for (size_t i = 0; i < n; i++) {
        double data = (x[i] + noise * out[i]) / root;
        out[i] = part * (noise * out[i] + extrapolate * (data - kept[i]));
        kept[i] = data;
    }
}

/* 1 - exp(-h) = 1 - sigma_{t-1}/sigma_t */
static void increment(const struct step *step, const struct score *score, size_t n, const double *x, double *out,
                      double *work)
{
    (void)work;
    increment_by(-overshoot_shift(0.0, step), step, score, n, x, out);
}

/* 1 - exp(-2 h) = omega */
static void increment_stochastic(const struct step *step, const struct score *score, size_t n, const double *x,
                                 double *out, double *work)
{
    (void)work;
    increment_by(step->omega, step, score, n, x, out);
}

static double log_noise_ratio(const struct step *step)
{
    return overshoot_noise(1.0, step);
}

const struct sampler sampler_dpm_solver_2m = {
    .name = "dpm-solver-2m",
    .doc = "DPM-Solver++(2M): two-step extrapolation of the data prediction in log-SNR; it keeps that of the step "
           "before.",
    .formula =
        "x0_t = (x + (1 - abar_t) s_t(x))/sqrt(abar_t); D = (1 - exp(-h_t)) [(1 - abar_t) s_t(x) + sqrt(abar_t) "
        "h_t/(2 h_{t+1}) (x0_t - x0_{t+1})], h_t = log(sigma_t/sigma_{t-1}); deterministic",
    .source = "Lu, Zhou, Bao, Chen, Li & Zhu, arXiv:2211.01095, algorithm 2",
    .score_evaluations = 1,
    .regular = 1,
    .memory = 1,
    .increment = increment,
    .claimed_order = 2.0,
    .claim_source = "order of the two-step rule, arXiv:2211.01095",
};

const struct sampler sampler_sde_dpm_solver_2m = {
    .name = "sde-dpm-solver-2m",
    .doc = "SDE-DPM-Solver++(2M): the same extrapolation in the reverse SDE; without it this is "
           "ddpm-ancestral. On Gaussians its exact TV falls like h^2; of other laws nothing is claimed.",
    .formula = "D = (1 - alpha_t) s_t(x) + (1 - exp(-2 h_t)) sqrt(abar_t) h_t/(2 h_{t+1}) (x0_t - x0_{t+1}), as in "
               "dpm-solver-2m; v as in ddpm-ancestral",
    .source = "Lu, Zhou, Bao, Chen, Li & Zhu, arXiv:2211.01095, appendix",
    .score_evaluations = 1,
    .regular = 1,
    .memory = 1,
    .log_noise_ratio = log_noise_ratio,
    .increment = increment_stochastic,
};
