/* The sampler of 2508.16306, in the time of the Ornstein-Uhlenbeck process dX = -X dt + sqrt(2) dB, where alpha_t =
 * exp(-2 h_k) for the step from t_k down to t_{k-1}:
 *     x' = exp(h_k + h_{k-1}) x + (exp(h_k + h_{k-1}) - 1) s(x);  exp(-h_{k-1}) x' + sqrt(1 - exp(-2 h_{k-1})) Z.
 * The reverse ODE step, whose score is frozen, ends at level t-2, and noise leads back to level t-1. */
#include <math.h>

#include "core/vmath.h"
#include "model/sampler.h"

/* D = (1 - sqrt(alpha_t alpha_{t-1})) s */
static void increment(const struct step *step, const struct score *score, size_t n, const double *x, double *out,
                      double *work)
{
    double factor = -expm1(0.5 * (step->log_alpha + log1p(-step->beta_after)));
    (void)work;
    score->evaluate(score, &step->from, n, x, out);
    vscale(n, factor, out);
}

/* v = 1 - alpha_{t-1} */
static double log_noise_ratio(const struct step *step)
{
    return step->log_alpha + log(step->beta_after / step->beta);
}

const struct sampler sampler_overshoot_2025 = {
    .name = "overshoot-2025",
    .doc =
        "A reverse ODE step with frozen score past t-1 to level t-2, then the forward noise of step t-1. In the last "
        "step, where the schedule has no level t-2 with noise, alpha_{t-1} = alpha_t is taken.",
    .formula = "D = (1 - sqrt(alpha_t alpha_{t-1})) s_t(x); v = 1 - alpha_{t-1}",
    .source = "Jain & Zhang, arXiv:2508.16306, with alpha_t = exp(-2 h_k) on the same schedule",
    .score_evaluations = 1,
    .regular = 1,
    .log_noise_ratio = log_noise_ratio,
    .increment = increment,
    .claimed_order = 1.0,
    .claim_source = "arXiv:2508.16306, abstract: KL <= eps^2, hence TV <= eps, in O(d/eps) steps",
};
