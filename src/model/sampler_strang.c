/* The PF-ODE of the forward process with rate beta, dx = -beta/2 (x + s) dtau, taken apart into its linear flow and
 * that of the score. A step back, over which the integral of beta is B = -log alpha_t: half a step of the linear
 * flow, exactly, y = alpha_t^{-1/4} x, which is at the level m in the middle of the step, abar_m = sqrt(abar_t
 * abar_{t-1}); the flow of the score at that level, by the midpoint rule, y' = y + B/2 s_m(y + B/4 s_m(y)); and the
 * other half of the linear flow. */
#include <math.h>

#include "model/sampler.h"

/* abar_m = sqrt(alpha_t) abar_{t-1}, a forward step of variance 1 - sqrt(alpha_t) from level t-1 */
static struct level middle_of(const struct step *step)
{
    return level_noisier(&step->to, -expm1(0.5 * step->log_alpha));
}

static size_t other_levels(const struct step *step, struct level *out)
{
    out[0] = middle_of(step);
    return 1;
}

static void increment(const struct step *step, const struct score *score, size_t n, const double *x, double *out,
                      double *work)
{
    double rate = -step->log_alpha, scale = exp(-0.25 * step->log_alpha), *inner = work + n;
    struct level middle = middle_of(step);
    for (size_t i = 0; i < n; i++)
        work[i] = scale * x[i];
    score->evaluate(score, &middle, n, work, inner);
    for (size_t i = 0; i < n; i++)
        work[i] += 0.25 * rate * inner[i];
    score->evaluate(score, &middle, n, work, out);
    for (size_t i = 0; i < n; i++)
        out[i] *= 0.5 * rate / scale;
}

const struct sampler sampler_strang_midpoint = {
    .name = "strang-midpoint",
    .doc = "Strang splitting of the PF-ODE into its linear flow, taken exactly, and that of the score, taken by the "
           "midpoint rule. That it is so is the paper's abstract; levels and coefficients are derived here.",
    .formula =
        "y = alpha_t^(-1/4) x; D = alpha_t^(1/4) B/2 s_m(y + B/4 s_m(y)), B = -log alpha_t, abar_m = sqrt(abar_t "
        "abar_{t-1}); deterministic",
    .source = "after Liu, Liu & Gu, arXiv:2601.17375: abstract",
    .score_evaluations = 2,
    .regular = 1,
    .work_arrays = 2,
    .increment = increment,
    .other_levels = other_levels,
    .claimed_order = 2.0,
    .claim_source = "arXiv:2601.17375, abstract: TV of order d/T^2",
};
