#include <math.h>

#include "model/schedule.h"

struct linear_beta {
    double beta_min, beta_max;
};

/* The largest 1 - alpha_t. */
static double step_size(const void *params, size_t T)
{
    const struct linear_beta *b = params;
    return fmax(b->beta_min, b->beta_max) / (double)T;
}

static int fill(const void *params, size_t T, double *log_alpha_bar, double *log_noise, double *beta)
{
    const struct linear_beta *b = params;
    for (size_t t = 1; t <= T; t++) {
        double share = (double)(t - 1) / (double)(T - 1);
        beta[t] = (b->beta_min * (1.0 - share) + b->beta_max * share) / (double)T;
    }
    log_noise[1] = log(beta[1]);
    return schedule_accumulate(T, beta, log_alpha_bar, log_noise);
}

static const struct param params[] = {
    {"beta_min", PARAM_REAL, offsetof(struct linear_beta, beta_min), "T (1 - alpha_1)", .standard = 0.1,
     .range = {1e-12, 1e6, 0, NULL}},
    {"beta_max", PARAM_REAL, offsetof(struct linear_beta, beta_max),
     "T (1 - alpha_T); alpha_bar_T is about exp(-(beta_min + beta_max)/2) for any T, and no T makes TV smaller than "
     "what N(0, I) costs there",
     .standard = 20.0, .range = {1e-12, 1e6, 0, NULL}},
    {0},
};

const struct schedule_kind schedule_linear_beta = {
    .name = "linear-beta",
    .doc = "1 - alpha_t linear in t; at T = 1000 the standard values are the usual 1e-4 to 0.02.",
    .formula = "1 - alpha_t = (beta_min + (t - 1)/(T - 1) (beta_max - beta_min))/T; h = max(beta_min, beta_max)/T",
    .source = "Ho, Jain & Abbeel, arXiv:2006.11239, section 4; scaled with T as in Song et al., arXiv:2011.13456",
    .fill = fill,
    .step_size = step_size,
    .step_size_bound = 1.0,
    .params = params,
    .params_size = sizeof(struct linear_beta),
};
