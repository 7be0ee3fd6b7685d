#include <math.h>

#include "model/schedule.h"

struct cosine {
    double offset, largest_beta;
};

/* The step of the angle theta_t = (t/T + s)/(1 + s) pi/2; the log-SNR moves by about 4 h/sin(2 theta). */
static double step_size(const void *params, size_t T)
{
    return M_PI_2 / ((1.0 + ((const struct cosine *)params)->offset) * (double)T);
}

/* With a = theta_{t-1} and b = a + h = theta_t, 1 - cos^2 b/cos^2 a = sin(h) sin(a + b)/cos^2 a. Near pure noise
 * cos a = sin(pi/2 - a) and sin(a + b) = sin(pi - a - b) keep their digits, for pi/2 - a = (T - t + 1) h and pi/2 - b
 * = (T - t) h are known without subtraction. */
static int fill(const void *params, size_t T, double *log_alpha_bar, double *log_noise, double *beta)
{
    const struct cosine *c = params;
    double h = step_size(params, T);
    for (size_t t = 1; t <= T; t++) {
        double to_a = (double)(T - t + 1) * h, to_b = (double)(T - t) * h;
        double a = M_PI_2 * c->offset / (1.0 + c->offset) + (double)(t - 1) * h;
        double cosine = sin(to_a), sum = 2 * t < T ? sin(2.0 * a + h) : sin(to_a + to_b);
        beta[t] = fmin(sin(h) * sum / (cosine * cosine), c->largest_beta);
    }
    log_noise[1] = log(beta[1]);
    return schedule_accumulate(T, beta, log_alpha_bar, log_noise);
}

static const struct param params[] = {
    {"offset", PARAM_REAL, offsetof(struct cosine, offset), "s, which keeps the first betas from being too small",
     .standard = 0.008, .range = {0.0, 1.0, 0, NULL}},
    {"largest_beta", PARAM_REAL, offsetof(struct cosine, largest_beta),
     "the largest 1 - alpha_t, which clips the last", .standard = 0.999, .range = {0.0, 1.0, OPEN, NULL}},
    {0},
};

const struct schedule_kind schedule_cosine = {
    .name = "cosine",
    .doc = "alpha_bar is a squared cosine of t, with 1 - alpha_t clipped at the end.",
    .formula = "1 - alpha_t = min(1 - f(t)/f(t - 1), largest_beta), f(t) = cos^2((t/T + s)/(1 + s) pi/2); "
               "h = pi/(2 (1 + s) T), the step of the angle",
    .source = "Nichol & Dhariwal, arXiv:2102.09672, eq. (17)",
    .fill = fill,
    .step_size = step_size,
    .params = params,
    .params_size = sizeof(struct cosine),
};
