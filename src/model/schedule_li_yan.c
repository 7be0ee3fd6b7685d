#include <math.h>

#include "model/schedule.h"

/* theory (3). */
static int fill(const void *params, size_t T, double *log_alpha_bar, double *log_noise, double *beta)
{
    const double c0 = ((const struct schedule_constants *)params)->c0;
    double h = schedule_constants_step_size(params, T);
    log_noise[1] = -c0 * log((double)T);
    beta[1] = exp(log_noise[1]);
    for (size_t t = 2; t <= T; t++)
        beta[t] = h * fmin(exp(log_noise[1] + (double)(t - 1) * log1p(h)), 1.0);
    return schedule_accumulate(T, beta, log_alpha_bar, log_noise);
}

const struct schedule_kind schedule_li_yan = {
    .name = "li-yan",
    .doc = "beta grows geometrically from T^-c0 and stays at h once it is there.",
    .formula = "h = c1 log(T)/T; beta_1 = T^-c0; beta_{t+1} = h min{beta_1 (1 + h)^t, 1}; alpha_t = 1 - beta_t",
    .source = "Li & Yan, arXiv:2409.18959",
    .fill = fill,
    .step_size = schedule_constants_step_size,
    .step_size_bound = 1.0,
    .params = schedule_constants_params,
    .params_size = sizeof(struct schedule_constants),
};
