#include <math.h>

#include "model/score_error.h"

struct wave {
    double roughness;
};

static const struct param params[] = {
    {"roughness", PARAM_REAL, offsetof(struct wave, roughness), "the wave number omega, in units of 1/sd(X_t)",
     .required = 1, .range = {0.0, 10000.0, OPEN_BELOW, "for a law takes time in proportion to it"}},
    {0},
};

static void prepare(const struct score_error *error, const struct error_argument *argument, struct error_level *out)
{
    out->scale = ((const struct wave *)(const void *)&error->params)->roughness / argument_sd(argument);
    out->height = 1.0 / sqrt(argument_sine_square(argument, out->scale));
}

static void evaluate(const struct error_level *at, size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = at->height * sin(at->scale * x[i]);
}

const struct error_shape error_wave = {
    .name = "wave",
    .doc = "A sine, odd about 0; the roughness is its wave number in units of the marginal's standard deviation: "
           "steeper, at the same L2 size.",
    .formula = "g(x) = sqrt(2) sin(roughness x/l_t)/norm, l_t = sd(X_t), norm^2 = 2 E sin^2(roughness X_t/l_t)",
    .source = "theory (13) with phi = 0",
    .periodic = 1,
    .params = params,
    .params_size = sizeof(struct wave),
    .prepare = prepare,
    .evaluate = evaluate,
};
