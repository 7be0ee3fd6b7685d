#include <math.h>

#include "core/sum.h"
#include "model/schedule.h"

/* theory (2), accumulated backwards from t = T by the exact ratios (4). */
static int fill(const void *params, size_t T, double *log_alpha_bar, double *log_noise, double *beta)
{
    const double c0 = ((const struct schedule_constants *)params)->c0;
    double h = schedule_constants_step_size(params, T);
    double log_T = log((double)T);
    struct sum log_a = {-c0 * log_T, 0.0};
    struct sum log_o = {log1p(-exp(-c0 * log_T)), 0.0};
    for (size_t t = T; t >= 1; t--) {
        log_alpha_bar[t] = sum_value(&log_a);
        log_noise[t] = sum_value(&log_o);
        double a = exp(log_alpha_bar[t]), o = exp(log_noise[t]);
        if (!(h * a < 1.0))
            return 0;
        beta[t] = h * o / (1.0 + h * o);
        sum_add(&log_a, log1p(h * o));
        sum_add(&log_o, log1p(-h * a));
        /* Near the data alpha_bar rounds to 1; there the noise is the number that carries the digits. */
        if (sum_value(&log_o) < -1.0)
            log_a = (struct sum){log1p(-exp(sum_value(&log_o))), 0.0};
    }
    /* The recursion defines alpha_bar_1, hence alpha_1 = alpha_bar_1. */
    beta[1] = exp(log_noise[1]);
    return 1;
}

const struct schedule_kind schedule_li_cai = {
    .name = "li-cai",
    .doc = "Geometric in the signal near pure noise and in the noise near the data, a logistic curve in t.",
    .formula = "h = c1 log(T)/T; abar_T = T^-c0; abar_{t-1} = abar_t + h abar_t (1 - abar_t)",
    .source = "Li & Cai, arXiv:2410.23285, as stated in arXiv:2504.05300 eq. (14)",
    .fill = fill,
    .step_size = schedule_constants_step_size,
    .step_size_bound = 1.0,
    .params = schedule_constants_params,
    .params_size = sizeof(struct schedule_constants),
};
