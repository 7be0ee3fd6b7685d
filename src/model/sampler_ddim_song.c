/* DDIM with the coefficients of Song et al.: their sigma_t = eta sqrt((1 - abar_{t-1})/(1 - abar_t)) sqrt(1 -
 * alpha_t) is theory (9') with overshoot eta^2, and the transfer is Euler's rule in sigma. */
#include "core/vmath.h"
#include "model/overshoot.h"

struct song {
    double eta;
};

static double overshoot_of(const struct step *step)
{
    double eta = ((const struct song *)step->params)->eta;
    return eta * eta;
}

/* sqrt(abar_t)(sigma_2 - sigma_t) eps_t = -(1 - abar_t)(sigma_2/sigma_t - 1) s_t */
static void increment(const struct step *step, const struct score *score, size_t n, const double *x, double *out,
                      double *work)
{
    double factor = -step->from.noise * overshoot_shift(overshoot_of(step), step);
    (void)work;
    score->evaluate(score, &step->from, n, x, out);
    vscale(n, factor, out);
}

static double log_noise_ratio(const struct step *step)
{
    return overshoot_noise(overshoot_of(step), step);
}

static void adapt(struct sampler *instance)
{
    double eta = ((const struct song *)instance->values)->eta;
    if (eta > 0.0)
        instance->log_noise_ratio = log_noise_ratio;
    if (eta != 0.0 && eta != 1.0)
        instance->claim_source = "order of the transfer, derived here (theory (9'))";
}

static enum status admits(const struct sampler *sampler, const struct step *step, struct error *error)
{
    return overshoot_exists(overshoot_of(step), sampler, step, error);
}

static const struct song standard = {0.0};
static const struct param params[] = {
    {"eta", PARAM_REAL, offsetof(struct song, eta),
     "0 is deterministic, 1 is ddpm-ancestral; at most sqrt((1 - abar_t)/(1 - alpha_t)) exists", .standard = 0.0,
     .range = AT_LEAST(0.0)},
    {0},
};

const struct sampler sampler_ddim_song = {
    .name = "ddim-song",
    .doc =
        "DDIM with Song et al.'s coefficients, Euler's rule for the PF-ODE in sigma: where few variances differ from "
        "0, its TV depends on them alone (theory (28)), unlike that of `ddim`.",
    .formula =
        "Y_{t-1} = sqrt(abar_{t-1}) x0 + sqrt(1 - abar_{t-1} - v) eps_t(x) + sqrt(v) Z, x0 = (x - sqrt(1 - abar_t) "
        "eps_t(x))/sqrt(abar_t); v = eta^2 (1 - alpha_t)(1 - abar_{t-1})/(1 - abar_t)",
    .source = "Song, Meng & Ermon, arXiv:2010.02502, (12) and (16)",
    .score_evaluations = 1,
    .regular = 1,
    .increment = increment,
    .claimed_order = 1.0,
    .claim_source = "arXiv:2501.12982, abstract: O(k/eps) steps in k dimensions",
    .params = params,
    .params_size = sizeof(struct song),
    .values = &standard,
    .adapt = adapt,
    .admits = admits,
};
