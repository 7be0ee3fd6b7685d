#include <math.h>

#include "core/vmath.h"
#include "model/overshoot.h"

/* sigma_1/sigma_0 - 1 */
static double first_shift(const struct step *step)
{
    return overshoot_shift(0.0, step);
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

struct accelerated {
    struct overshoot overshoot;
    double clip;
};

static const struct param accelerated_params[] = {
    OVERSHOOT_PARAM,
    {"clip", PARAM_REAL, offsetof(struct accelerated, clip), "C of theory (10)", .standard = 2.0,
     .range = GREATER_THAN(0.0)},
    {0},
};

static const struct accelerated accelerated_standard = {{1.0}, 2.0};

/* C/2: step->clip is that of C = 2. */
static double clip_scale(const struct step *step)
{
    return 0.5 * ((const struct accelerated *)step->params)->clip;
}

static void increment(const struct step *step, const struct score *score, size_t n, const double *x, double *out,
                      double *work)
{
    increment_to(overshoot_shift_of(step), clip_scale(step) * step->clip, step, score, n, x, out, work);
}

static void increment_unclipped(const struct step *step, const struct score *score, size_t n, const double *x,
                                double *out, double *work)
{
    increment_to(overshoot_shift_of(step), HUGE_VAL, step, score, n, x, out, work);
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
    const double scale = clip_scale(step);
    evaluate(step, score, n, x, work, out, work + n);
    for (size_t i = 0; i < n; i++) /* |e1 - e0| exceeds the clip of this C where the result exceeds step->clip */
        out[i] /= scale;
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
               "(s2 - s0)^2/(2(s1 - s0)) clip(e1 - e0)]; v as in ddpm-ancestral; with overshoot kappa, v is kappa "
               "times that and s2 = s1 sqrt(1 - kappa (1 - "
               "alpha_t)/(1 - abar_t))",
    .source = "after Li & Cai, arXiv:2410.23285: abstract, schedule, clip rule and structure",
    .score_evaluations = 2,
    .regular = 1,
    .work_arrays = 2,
    .increment = increment,
    .correction = correction,
    .claimed_order = 2.0,
    .claim_source = "arXiv:2410.23285, abstract: O(d^(5/4)/sqrt(eps)) steps",
    .params = accelerated_params,
    .params_size = sizeof(struct accelerated),
    .values = &accelerated_standard,
    OVERSHOOT_FUNCTIONS,
};

const struct sampler sampler_accelerated_unclipped = {
    .name = "accelerated-unclipped",
    .doc = "`accelerated` without its clip, to see what the clip buys.",
    .formula = "as accelerated, with clip(z) = z",
    .source = "ablation of `accelerated`",
    .score_evaluations = 2,
    .regular = 1,
    .work_arrays = 2,
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
