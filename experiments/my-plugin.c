/* A sampler and a target of one's own: make plugin FILE=experiments/my-plugin.c */
#include "model/plugin.h"

/* out = D_t(x), at n numbers. */
static void increment(const struct step *step, const struct score *score, size_t n, const double *x, double *out,
                      double *work)
{
    (void)work; /* work_arrays of n numbers each, had we asked for them */
    score->evaluate(score, &step->from, n, x, out);
    for (size_t i = 0; i < n; i++)
        out[i] *= step->beta;
}

static double log_noise_ratio(const struct step *step) /* log(v alpha/(1 - alpha)); without it, there is no noise */
{
    (void)step;
    return 0.0;
}

static const struct sampler my_sampler = {
    .name = "my-sampler", .doc = "ddpm, for a start.", .formula = "D = (1 - alpha_t) s_t(x); v = (1 - alpha_t)/alpha_t",
    .source = "my paper", .score_evaluations = 1, .increment = increment, .log_noise_ratio = log_noise_ratio};

struct modes { /* parameters of one's own */
    double spread, sd;
};

static enum status factors(const struct target *target, size_t dimension, struct factor_list *list, struct error *error)
{
    const struct modes *modes = target_params(target);
    const double weight[] = {0.5, 0.5}, mean[] = {-modes->spread, modes->spread}, sd[] = {modes->sd, modes->sd};
    const struct factor factor = {.dimension = 1, .components = 2, .weight = weight, .mean = mean, .sd = sd};
    return factor_list_append(list, &factor, (double)dimension, error); /* so many copies */
}

static const struct param params[] = { /* their keys in an experiment, and what they may be */
    {"spread", PARAM_REAL, offsetof(struct modes, spread), "the modes are at -spread and spread", .required = 1,
     .range = GREATER_THAN(0.0)},
    {"sd", PARAM_REAL, offsetof(struct modes, sd), "their standard deviation", .standard = 0.3,
     .range = GREATER_THAN(0.0)},
    {0}};

static const struct target_family two_modes = {
    .name = "two-modes", .doc = "Two equal modes in every coordinate.", .source = "my paper",
    .formula = "prod_i (N(x_i; -spread, sd^2) + N(x_i; spread, sd^2))/2", .params = params,
    .params_size = sizeof(struct modes), .factors = factors};

const struct diffrate_plugin diffrate_plugin = { /* and .schedules */
    .abi = DIFFRATE_ABI, .samplers = (const struct sampler *const[]){&my_sampler, NULL},
    .targets = (const struct target_family *const[]){&two_modes, NULL}};
