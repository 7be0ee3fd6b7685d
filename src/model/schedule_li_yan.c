#include <math.h>

#include "core/sum.h"
#include "model/schedule.h"

/* theory (3). 1 - alpha_bar is accumulated as (1 - alpha_bar_{t-1}) + alpha_bar_{t-1} beta_t, a sum of positive
 * terms. */
static int fill(const void *params, size_t T, double *log_alpha_bar, double *log_noise, double *beta)
{
    const double c0 = ((const struct schedule_constants *)params)->c0;
    double h = schedule_constants_step_size(params, T);
    double log_beta_1 = -c0 * log((double)T);
    struct sum log_a = {0.0, 0.0}, log_o = {log_beta_1, 0.0};
    for (size_t t = 1; t <= T; t++) {
        beta[t] = t == 1 ? exp(log_beta_1) : h * fmin(exp(log_beta_1 + (double)(t - 1) * log1p(h)), 1.0);
        if (!(beta[t] > 0.0 && beta[t] < 1.0))
            return 0;
        if (t > 1)
            sum_add(&log_o, log1p(beta[t] * exp(sum_value(&log_a) - sum_value(&log_o))));
        sum_add(&log_a, log1p(-beta[t]));
        log_alpha_bar[t] = sum_value(&log_a);
        log_noise[t] = sum_value(&log_o);
        if (!(log_alpha_bar[t] < 0.0 && exp(log_alpha_bar[t]) > 0.0))
            return 0;
        /* Near pure noise the sum rounds to 1; there alpha_bar is the number that carries the digits. */
        if (log_alpha_bar[t] < -1.0) {
            log_o = (struct sum){log1p(-exp(log_alpha_bar[t])), 0.0};
            log_noise[t] = log_o.total;
        }
    }
    return 1;
}

const struct schedule_kind schedule_li_yan = {
    .name = "li-yan",
    .doc = "beta grows geometrically from T^-c0 and stays at h once it is there.",
    .formula = "h = c1 log(T)/T; beta_1 = T^-c0; beta_{t+1} = h min{beta_1 (1 + h)^t, 1}; alpha_t = 1 - beta_t",
    .source = "Li & Yan, arXiv:2409.18959",
    .fill = fill,
    .step_size = schedule_constants_step_size,
    .params = schedule_constants_params,
    .params_size = sizeof(struct schedule_constants),
};
