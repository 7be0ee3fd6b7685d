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

static enum status factors(const struct target *target, size_t dimension, struct factor_list *list, struct error *error)
{
    const double weight[] = {0.5, 0.5}, mean[] = {-target->spread, target->spread}, sd[] = {target->sd, target->sd};
    const struct factor factor = {.dimension = 1, .components = 2, .weight = weight, .mean = mean, .sd = sd};
    return factor_list_append(list, &factor, (double)dimension, error); /* so many copies */
}

static const struct param params[] = { /* keys in an experiment, and where in struct target their values go */
    {"spread", PARAM_POSITIVE, 1, offsetof(struct target, spread), 0, "the modes are at -spread and spread"},
    {"sd", PARAM_POSITIVE, 1, offsetof(struct target, sd), 0, "their standard deviation"},
    {0}};

static const struct target_family two_modes = {
    .name = "two-modes", .doc = "Two equal modes in every coordinate.", .source = "my paper",
    .formula = "prod_i (N(x_i; -spread, sd^2) + N(x_i; spread, sd^2))/2", .params = params, .factors = factors};

const struct diffrate_plugin diffrate_plugin = {DIFFRATE_ABI, (const struct sampler *const[]){&my_sampler, NULL},
                                                (const struct target_family *const[]){&two_modes, NULL}};
