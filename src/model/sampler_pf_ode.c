#include <math.h>

#include "core/vmath.h"
#include "model/sampler.h"

/* Of the samplers that overshoot: theory (9'). */
struct overshoot {
    double omega; /* the noise's variance is omega times that of theory (8): 1 is (8), 0 has no noise */
};

static double overshoot_of(const struct step *step)
{
    return ((const struct overshoot *)step->params)->omega;
}

/* theory (8)-(9). In units of sigma_t the three nodes of the PF-ODE are sigma_0 = 1, sigma_1 = sqrt(1 - omega),
 * sigma_2 = 1 - omega (the overshoot level), because alpha_t (1 - abar_{t-1})/(1 - abar_t) = 1 - omega; so no
 * difference of sigmas is ever formed. */
static double first_shift(const struct step *step)
{
    return -step->omega / (1.0 + sqrt(1.0 - step->omega)); /* sigma_1/sigma_0 - 1 */
}

/* sigma_2/sigma_0 - 1 where sigma_2 = sqrt((1 - omega)(1 - w omega)), w the overshoot, so that its level's noise is
 * (1 - abar_{t-1})(1 - w omega)/(1 - v_w): theory (9'). */
static double second_shift(const struct step *step)
{
    double w = overshoot_of(step), omega = step->omega;
    if (w == 1.0)
        return -omega;
    return -(omega + w * omega * (1.0 - omega)) / (1.0 + sqrt((1.0 - omega) * (1.0 - w * omega)));
}

/* e0 from the score, and the point at sigma_1. */
VECTOR_CLONES static void move(size_t n, double noise, double shift, double scale, const double *x, double *e0,
                               double *intermediate)
{
    for (size_t i = 0; i < n; i++) {
        e0[i] *= -noise;
        intermediate[i] = (x[i] + shift * e0[i]) * scale;
    }
}

/* e1 - e0, from the score at the intermediate point. */
VECTOR_CLONES static void subtract(size_t n, double noise, const double *e0, double *difference)
{
    for (size_t i = 0; i < n; i++)
        difference[i] = -noise * difference[i] - e0[i];
}

/* The second-order rule to a node sigma_2, with the difference zeroed where it is beyond the clip. */
VECTOR_CLONES static void combine(size_t n, double first, double second, double clip, const double *difference,
                                  double *e0)
{
    for (size_t i = 0; i < n; i++)
        e0[i] = first * e0[i] + (fabs(difference[i]) > clip ? 0.0 : second * difference[i]);
}

static void evaluate(const struct step *step, const struct score *score, size_t n, const double *x, double *e0,
                     double *difference, double *intermediate)
{
    double noise = sqrt(step->from.noise);
    score->evaluate(score, &step->from, n, x, e0);
    move(n, noise, noise * first_shift(step), exp(-0.5 * step->log_alpha), x, e0, intermediate);
    score->evaluate(score, &step->to, n, intermediate, difference);
    subtract(n, sqrt(step->to.noise), e0, difference);
}

/* The increment to sigma_2 = (1 + shift) sigma_0. */
static void increment_to(double shift, double clip, const struct step *step, const struct score *score, size_t n,
                         const double *x, double *out, double *work)
{
    double noise = sqrt(step->from.noise), *difference = work + n;
    evaluate(step, score, n, x, out, difference, work);
    if (score->clip != NULL && isfinite(clip)) {
        score->clip(score, clip, n, difference);
        clip = HUGE_VAL;
    }
    combine(n, noise * shift, noise * shift * shift / (2.0 * first_shift(step)), clip, difference, out);
}

static void increment(const struct step *step, const struct score *score, size_t n, const double *x, double *out,
                      double *work)
{
    increment_to(second_shift(step), step->clip, step, score, n, x, out, work);
}

static void increment_unclipped(const struct step *step, const struct score *score, size_t n, const double *x,
                                double *out, double *work)
{
    increment_to(second_shift(step), HUGE_VAL, step, score, n, x, out, work);
}

/* No overshoot: sigma_2 = sigma_1, and the rule is Heun's. */
static void increment_heun(const struct step *step, const struct score *score, size_t n, const double *x, double *out,
                           double *work)
{
    increment_to(first_shift(step), HUGE_VAL, step, score, n, x, out, work);
}

static void correction(const struct step *step, const struct score *score, size_t n, const double *x, double *out,
                       double *work)
{
    evaluate(step, score, n, x, work, out, work + n);
}

static double log_noise_ratio(const struct step *step)
{
    return log(overshoot_of(step)) + log1p(-step->omega);
}

static void adapt(struct sampler *instance)
{
    double w = ((const struct overshoot *)instance->values)->omega;
    if (w == 1.0)
        return;
    if (w == 0.0)
        instance->log_noise_ratio = NULL;
    if (instance->claimed_order > 0.0)
        instance->claim_source = "order of the transfer, derived here (theory (9'))";
}

/* The overshoot level has 1 - w omega > 0. */
static enum status admits(const struct sampler *sampler, const struct step *step, struct error *error)
{
    double w = overshoot_of(step);
    return w * step->omega < 1.0
               ? STATUS_OK
               : fail_with(error, STATUS_INADMISSIBLE,
                           "sampler %s: in step t = %zu there is no level to overshoot to with %g times the noise of "
                           "theory (8), expected less than (1 - abar_t)/(1 - alpha_t) = %g",
                           sampler->name, step->t, w, 1.0 / step->omega);
}

static const struct overshoot standard = {1.0};
static const struct param params[] = {
    {"overshoot", PARAM_REAL, offsetof(struct overshoot, omega),
     "omega of theory (9'): the noise's variance is omega times ddpm-ancestral's, and the transfer goes as much "
     "farther; "
     "0 is a deterministic step to level t-1, and at most (1 - abar_t)/(1 - alpha_t) exists",
     .standard = 1.0, .range = AT_LEAST(0.0)},
    {0},
};

#define OVERSHOOTS \
    .params = params, .params_size = sizeof(struct overshoot), .values = &standard, .adapt = adapt, .admits = admits

const struct sampler sampler_accelerated = {
    .name = "accelerated",
    .doc = "Second-order PF-ODE transfer to an overshoot level with a momentum-like correction from an intermediate "
           "point, "
           "then forward noise. It has exactly the structure and the claimed rate of the paper's sampler, with "
           "coefficients "
           "derived here (the full text was not at hand); it is not the paper's exact update.",
    .formula = "e0 = eps_t(x), e1 = eps_{t-1}((x + sqrt(abar_t)(s1 - s0) e0)/sqrt(alpha_t)); D = sqrt(abar_t)[(s2 - "
               "s0) e0 + "
               "(s2 - s0)^2/(2(s1 - s0)) clip(e1 - e0)]; v as in ddpm-ancestral; with overshoot omega, v is omega "
               "times that and s2 = s1 sqrt(1 - omega (1 - "
               "alpha_t)/(1 - abar_t))",
    .source = "after Li & Cai, arXiv:2410.23285: abstract, schedule, clip rule and structure",
    .score_evaluations = 2,
    .regular = 1,
    .work_arrays = 2,
    .log_noise_ratio = log_noise_ratio,
    .increment = increment,
    .correction = correction,
    .claimed_order = 2.0,
    .claim_source = "arXiv:2410.23285, abstract: O(d^(5/4)/sqrt(eps)) steps",
    OVERSHOOTS,
};

const struct sampler sampler_accelerated_unclipped = {
    .name = "accelerated-unclipped",
    .doc = "`accelerated` without its clip, to see what the clip buys.",
    .formula = "as accelerated, with clip(z) = z",
    .source = "ablation of `accelerated`",
    .score_evaluations = 2,
    .regular = 1,
    .work_arrays = 2,
    .log_noise_ratio = log_noise_ratio,
    .increment = increment_unclipped,
    OVERSHOOTS,
};

const struct sampler sampler_pf_ode_2 = {
    .name = "pf-ode-2",
    .doc = "Heun's rule for the PF-ODE: the transfer of `accelerated` without overshoot, clip and noise.",
    .formula = "e0, e1 as in accelerated; D = sqrt(abar_t)(s1 - s0)(e0 + e1)/2; deterministic",
    .source = "Heun's rule on du/dsigma = eps, as in Karras et al., arXiv:2206.00364",
    .score_evaluations = 2,
    .regular = 1,
    .work_arrays = 2,
    .increment = increment_heun,
    .claimed_order = 2.0,
    .claim_source = "order of Heun's rule",
};
