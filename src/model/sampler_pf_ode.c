#include <math.h>

#include "model/sampler.h"

/* theory (8)-(9). In units of sigma_t the three nodes of the PF-ODE are sigma_0 = 1, sigma_1 = sqrt(1 - omega),
 * sigma_2 = 1 - omega (the overshoot level), because alpha_t (1 - abar_{t-1})/(1 - abar_t) = 1 - omega; so no
 * difference of sigmas is ever formed. */
static void evaluate(const struct step *step, const struct score *score, size_t n, const double *x, double *e0,
                     double *difference, double *intermediate)
{
    double shift_1 = expm1(0.5 * log1p(-step->omega)); /* sigma_1/sigma_0 - 1 */
    double noise_from = sqrt(step->from.noise), noise_to = sqrt(step->to.noise);
    double scale = exp(-0.5 * step->log_alpha);
    score->evaluate(score, &step->from, n, x, e0);
    for (size_t i = 0; i < n; i++) {
        e0[i] *= -noise_from;
        intermediate[i] = (x[i] + noise_from * shift_1 * e0[i]) * scale;
    }
    score->evaluate(score, &step->to, n, intermediate, difference);
    for (size_t i = 0; i < n; i++)
        difference[i] = -noise_to * difference[i] - e0[i];
}

/* The second-order rule to the node sigma_2 = (1 + shift_2) sigma_0. */
static void combine(const struct step *step, double shift_2, size_t n, const double *difference, double *e0)
{
    double shift_1 = expm1(0.5 * log1p(-step->omega));
    double correction = shift_2 * shift_2 / (2.0 * shift_1), noise_from = sqrt(step->from.noise);
    for (size_t i = 0; i < n; i++)
        e0[i] = noise_from * (shift_2 * e0[i] + correction * difference[i]);
}

static void increment_unclipped(const struct step *step, const struct score *score, size_t n, const double *x,
                                double *out, double *work)
{
    evaluate(step, score, n, x, out, work + n, work);
    combine(step, -step->omega, n, work + n, out);
}

static void increment(const struct step *step, const struct score *score, size_t n, const double *x, double *out,
                      double *work)
{
    double *difference = work + n;
    evaluate(step, score, n, x, out, difference, work);
    if (score->clip != NULL)
        score->clip(score, step->clip, n, difference);
    for (size_t i = 0; i < n && score->clip == NULL; i++)
        difference[i] = fabs(difference[i]) > step->clip ? 0.0 : difference[i];
    combine(step, -step->omega, n, difference, out);
}

/* No overshoot: sigma_2 = sigma_1, and the rule is Heun's. */
static void increment_heun(const struct step *step, const struct score *score, size_t n, const double *x, double *out,
                           double *work)
{
    evaluate(step, score, n, x, out, work + n, work);
    combine(step, expm1(0.5 * log1p(-step->omega)), n, work + n, out);
}

static void correction(const struct step *step, const struct score *score, size_t n, const double *x, double *out,
                       double *work)
{
    evaluate(step, score, n, x, work, out, work + n);
}

static double log_noise_ratio(const struct step *step)
{
    return log1p(-step->omega);
}

const struct sampler sampler_accelerated = {
    .name = "accelerated",
    .doc = "Second-order PF-ODE transfer to an overshoot level with a momentum-like correction from an intermediate "
           "point, "
           "then forward noise. It has exactly the structure and the claimed rate of the paper's sampler, with "
           "coefficients "
           "derived here (the full text was not at hand); it is not the paper's exact update.",
    .formula = "e0 = eps_t(x), e1 = eps_{t-1}((x + sqrt(abar_t)(s1 - s0) e0)/sqrt(alpha_t)); D = sqrt(abar_t)[(s2 - "
               "s0) e0 + "
               "(s2 - s0)^2/(2(s1 - s0)) clip(e1 - e0)]; v as in ddpm-ancestral",
    .source = "after Li & Cai, arXiv:2410.23285: abstract, schedule, clip rule and structure",
    .score_evaluations = 2,
    .work_arrays = 2,
    .log_noise_ratio = log_noise_ratio,
    .increment = increment,
    .correction = correction,
    .claimed_order = 2.0,
    .claim_source = "arXiv:2410.23285, abstract: O(d^(5/4)/sqrt(eps)) steps",
};

const struct sampler sampler_accelerated_unclipped = {
    .name = "accelerated-unclipped",
    .doc = "`accelerated` without its clip, to see what the clip buys.",
    .formula = "as accelerated, with clip(z) = z",
    .source = "ablation of `accelerated`",
    .score_evaluations = 2,
    .work_arrays = 2,
    .log_noise_ratio = log_noise_ratio,
    .increment = increment_unclipped,
};

const struct sampler sampler_pf_ode_2 = {
    .name = "pf-ode-2",
    .doc = "Heun's rule for the PF-ODE: the transfer of `accelerated` without overshoot, clip and noise.",
    .formula = "e0, e1 as in accelerated; D = sqrt(abar_t)(s1 - s0)(e0 + e1)/2; deterministic",
    .source = "Heun's rule on du/dsigma = eps, as in Karras et al., arXiv:2206.00364",
    .score_evaluations = 2,
    .work_arrays = 2,
    .increment = increment_heun,
    .claimed_order = 2.0,
    .claim_source = "order of Heun's rule",
};
