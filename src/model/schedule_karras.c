#include <math.h>

#include "model/schedule.h"

struct karras {
    double rho, sigma_min, sigma_max;
};

static enum status check(const void *params, struct error *error)
{
    const struct karras *k = params;
    if (k->sigma_min < k->sigma_max)
        return STATUS_OK;
    return fail_with(error, STATUS_INVALID, "schedule karras: sigma_min = %g must be below sigma_max = %g",
                     k->sigma_min, k->sigma_max);
}

/* log(sigma_max/sigma_min) */
static double log_range(const struct karras *k)
{
    return log1p((k->sigma_max - k->sigma_min) / k->sigma_min);
}

/* The mean step of the log-SNR, -2 log sigma. */
static double step_size(const void *params, size_t T)
{
    return 2.0 * log_range(params) / (double)(T - 1);
}

/* sigma_t = sigma_min (1 + (t - 1)/(T - 1) growth)^rho with growth = (sigma_max/sigma_min)^(1/rho) - 1. */
static int fill(const void *params, size_t T, double *log_alpha_bar, double *log_noise, double *beta)
{
    const struct karras *k = params;
    double step = expm1(log_range(k) / k->rho) / (double)(T - 1);
    for (size_t t = 1; t <= T; t++) {
        double log_sigma = log(k->sigma_min) + k->rho * log1p((double)(t - 1) * step);
        schedule_set_level(-2.0 * log_sigma, &log_alpha_bar[t], &log_noise[t]);
        double rise = t > 1 ? 2.0 * k->rho * log1p(step / (1.0 + (double)(t - 2) * step)) : 0.0;
        beta[t] = t > 1 ? schedule_beta(log_noise[t], rise) : exp(log_noise[t]);
    }
    return 1;
}

static const struct param params[] = {
    {"rho", PARAM_REAL, offsetof(struct karras, rho),
     "sigma^(1/rho) has equal steps: the larger, the finer near the data", .standard = 7.0,
     .range = GREATER_THAN(0.0)},
    {"sigma_min", PARAM_REAL, offsetof(struct karras, sigma_min), "sqrt((1 - alpha_bar)/alpha_bar) at t = 1",
     .standard = 0.002, .range = {1e-30, 1e30, 0, NULL}},
    {"sigma_max", PARAM_REAL, offsetof(struct karras, sigma_max),
     "the same at t = T; no T makes TV smaller than what N(0, I) costs there", .standard = 80.0,
     .range = {1e-30, 1e30, 0, NULL}},
    {0},
};

const struct schedule_kind schedule_karras = {
    .name = "karras",
    .doc = "Equal steps in sigma^(1/rho), as a variance-preserving process.",
    .formula = "sigma_t^(1/rho) = sigma_min^(1/rho) + (t - 1)/(T - 1) (sigma_max^(1/rho) - sigma_min^(1/rho)); "
               "abar = 1/(1 + sigma^2); h = 2 log(sigma_max/sigma_min)/(T - 1), the mean step of the log-SNR",
    .source = "Karras, Aittala, Aila & Laine, arXiv:2206.00364, eq. (5)",
    .fill = fill,
    .step_size = step_size,
    .params = params,
    .params_size = sizeof(struct karras),
    .check = check,
};
