#include <math.h>

#include "model/score_error.h"

static void prepare_bias(const struct score_error *error, const struct error_argument *argument,
                         struct error_level *out)
{
    (void)error;
    (void)argument;
    out->scale = 0.0;
    out->height = 1.0;
}

static void prepare_linear(const struct score_error *error, const struct error_argument *argument,
                           struct error_level *out)
{
    (void)error;
    out->scale = 1.0 / sqrt(argument_second_moment(argument));
    out->height = 0.0;
}

static void evaluate(const struct error_level *at, size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = at->height + at->scale * x[i];
}

const struct error_shape error_bias = {
    .name = "bias",
    .doc = "A constant vector: the score is off by the same amount everywhere.",
    .formula = "g(x) = 1",
    .source = "theory (13)",
    .affine = 1,
    .constant = 1,
    .prepare = prepare_bias,
    .evaluate = evaluate,
};

const struct error_shape error_linear = {
    .name = "linear",
    .doc = "Proportional to the position: the score of a slightly wrong width.",
    .formula = "g(x) = x/sqrt(E X_t^2)",
    .source = "theory (13)",
    .affine = 1,
    .proportional = 1,
    .prepare = prepare_linear,
    .evaluate = evaluate,
};
