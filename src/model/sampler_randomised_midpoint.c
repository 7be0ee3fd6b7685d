/* The PF-ODE in tau = 1 - abar is du = -s dtau/(2 (1 - tau)^{3/2}), u = x/sqrt(abar). For tau uniform between the
 * level t and the overshoot level of theory (8), tau_2, and Y_tau the point that Euler's rule reaches there, u_2 =
 * u_t + (tau_t - tau_2)/(2 (1 - tau)^{3/2}) s_tau(Y_tau) has the mean of the integral along Y. Then the noise of (8)
 * leads back to level t-1. */
#include <math.h>

#include "model/overshoot.h"

struct midpoint {
    size_t nodes;
};

/* (tau_t - tau_2)/tau_t, where sigma_2 = (1 - omega) sigma_t */
static double part_of_interval(const struct step *step)
{
    double omega = step->omega, A = step->from.alpha_bar, below = (1.0 - omega) * (1.0 - omega) * step->from.noise;
    return A * omega * (2.0 - omega) / (A + below);
}

static struct level random_level(const struct step *step)
{
    double moved = step->draw * part_of_interval(step), noise = step->from.noise;
    return (struct level){step->from.alpha_bar + moved * noise, (1.0 - moved) * noise};
}

static size_t other_levels(const struct step *step, struct level *out)
{
    out[0] = random_level(step);
    return 1;
}

static void increment(const struct step *step, const struct score *score, size_t n, const double *x, double *out,
                      double *work)
{
    struct level level = random_level(step);
    double A = step->from.alpha_bar, N = step->from.noise, scale = sqrt(level.alpha_bar / A);
    /* sqrt(abar_t)(sigma - sigma_t) eps_t = sigma_t (sigma_t - sigma) abar_t s_t, and sigma_t^2 - sigma^2 =
     * (tau_t - tau)/(abar_t abar) */
    double ratio = sqrt(level.noise * A / (N * level.alpha_bar)); /* sigma/sigma_t */
    double euler = step->draw * part_of_interval(step) * N / (level.alpha_bar * (1.0 + ratio));
    double whole = 0.5 * part_of_interval(step) * N / level.alpha_bar * sqrt(A / level.alpha_bar);
    score->evaluate(score, &step->from, n, x, out);
    for (size_t i = 0; i < n; i++)
        work[i] = (x[i] + euler * out[i]) * scale;
    score->evaluate(score, &level, n, work, out);
    for (size_t i = 0; i < n; i++)
        out[i] *= whole;
}

static double log_noise_ratio(const struct step *step)
{
    return overshoot_noise(1.0, step);
}

static void adapt(struct sampler *instance)
{
    instance->draws = ((const struct midpoint *)instance->values)->nodes;
}

static const struct midpoint standard = {4};
static const struct param params[] = {
    {"nodes", PARAM_INTEGER, offsetof(struct midpoint, nodes),
     "the level is drawn from the Gauss-Legendre rule of so many nodes, which has the first 2 nodes - 1 moments of "
     "the uniform law",
     .standard = 4, .range = FROM_TO(1, SAMPLER_DRAWS)},
    {0},
};

const struct sampler sampler_randomised_midpoint = {
    .name = "randomised-midpoint",
    .doc = "The score at a random level within the step, where Euler's rule leads, moves the point to the overshoot "
           "level; then forward noise. It has the structure of the paper's sampler with one score of each step at a "
           "random level; that it transfers to the overshoot level of theory (8) is chosen here. The level is the "
           "same for all "
           "coordinates, so laws of factors do not compose.",
    .formula =
        "tau = 1 - abar ~ Unif(tau_2, tau_t), tau_2 that of the overshoot level; Y_tau by Euler's rule in sigma; D = "
        "abar_t^(1/2) (tau_t - tau_2)/(2 (1 - tau)^(3/2)) s_tau(Y_tau); v as in ddpm-ancestral",
    .source = "after Li & Jiao, arXiv:2410.13738, as reproduced by others; Shen & Lee, arXiv:1909.05503",
    .score_evaluations = 2,
    .regular = 1,
    .work_arrays = 1,
    .draws = 4,
    .log_noise_ratio = log_noise_ratio,
    .increment = increment,
    .other_levels = other_levels,
    .claimed_order = 1.5,
    .claim_source = "arXiv:2410.13738, abstract: d^(1/3) eps^(-2/3) steps, up to a Lipschitz constant",
    .params = params,
    .params_size = sizeof(struct midpoint),
    .values = &standard,
    .adapt = adapt,
};
