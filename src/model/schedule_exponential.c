#include <math.h>

#include "model/schedule.h"

struct exponential {
    double start, delta;
};

/* lambda_1 and lambda_T, the log-SNR log(alpha_bar/noise) at both ends. */
static double log_snr_at_data(const struct exponential *e)
{
    return log1p(-e->delta) - log(e->delta);
}

static double log_snr_at_start(const struct exponential *e)
{
    return log(e->start) - log1p(-e->start);
}

static enum status check(const void *params, struct error *error)
{
    const struct exponential *e = params;
    if (log_snr_at_data(e) > log_snr_at_start(e))
        return STATUS_OK;
    return fail_with(error, STATUS_INVALID,
                     "schedule exponential: start + delta must be below 1, not start = %g, delta = %g", e->start,
                     e->delta);
}

static double step_size(const void *params, size_t T)
{
    return (log_snr_at_data(params) - log_snr_at_start(params)) / (double)(T - 1);
}

static int fill(const void *params, size_t T, double *log_alpha_bar, double *log_noise, double *beta)
{
    double h = step_size(params, T), last = log_snr_at_data(params);
    for (size_t t = 1; t <= T; t++) {
        schedule_set_level(last - (double)(t - 1) * h, &log_alpha_bar[t], &log_noise[t]);
        beta[t] = t > 1 ? schedule_beta(log_noise[t], h) : exp(log_noise[t]);
    }
    return 1;
}

static const struct param params[] = {
    {"start", PARAM_REAL, offsetof(struct exponential, start),
     "alpha_bar_T, the signal left at the start; no T makes TV smaller than what N(0, I) costs there",
     .standard = 1e-8, .range = {0.0, 1.0, OPEN, NULL}},
    {"delta", PARAM_REAL, offsetof(struct exponential, delta), "1 - alpha_bar_1, the noise at early stopping",
     .standard = 1e-5, .range = {0.0, 1.0, OPEN, NULL}},
    {0},
};

const struct schedule_kind schedule_exponential = {
    .name = "exponential",
    .doc =
        "Equal steps in the log-SNR from the start to early stopping: exponentially decreasing steps near the data, "
        "equal steps in the time of the Ornstein-Uhlenbeck process near pure noise.",
    .formula = "log(abar_t/(1 - abar_t)) = L_1 - (t - 1) h, from abar_T = start to 1 - abar_1 = delta; "
               "h = (L_1 - L_T)/(T - 1)",
    .source = "Benton, De Bortoli, Doucet & Deligiannidis, arXiv:2308.03686 (steps kappa min{1, time left}, of which "
              "these are within a factor of 2); uniform log-SNR of Lu et al., arXiv:2206.00927",
    .fill = fill,
    .step_size = step_size,
    .params = params,
    .params_size = sizeof(struct exponential),
    .check = check,
};
