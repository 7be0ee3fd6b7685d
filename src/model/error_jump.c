#include <math.h>

#include "model/score_error.h"

enum { MOST_ITERATIONS = 300 };

/* The x with P(from <= X_t < x) = probability, by Newton's method while its steps halve, else by bisection: between
 * narrow components the density says nothing. */
static double advance(const struct error_argument *argument, const struct argument_rule *rule, double from,
                      double probability)
{
    double low, high;
    argument_range(argument, &low, &high);
    low = fmax(low, from);
    double step = 0.5 * (high - low), x = low + step;
    for (int i = 0; i < MOST_ITERATIONS && x > low && x < high; i++) {
        double density, excess = argument_probability(argument, rule, from, x, &density) - probability;
        if (fabs(excess) <= 2e-16 * probability)
            break;
        *(excess > 0.0 ? &high : &low) = x;
        double newton = x - excess / density;
        if (!(newton > low && newton < high && fabs(newton - x) < 0.5 * fabs(step)))
            newton = low + 0.5 * (high - low);
        step = newton - x;
        x = newton;
    }
    return x;
}

struct bump {
    double probability;
};

static const struct param bump_params[] = {
    {"probability", PARAM_REAL, offsetof(struct bump, probability), "delta, of the set where the error is",
     .required = 1, .range = {0.0, 0.5, OPEN, NULL}},
    {0},
};

static void prepare_bump(const struct score_error *error, const struct error_argument *argument,
                         struct error_level *out)
{
    const double probability = ((const struct bump *)(const void *)&error->params)->probability;
    const struct argument_rule rule = argument_rule_make();
    double from = advance(argument, &rule, -HUGE_VAL, 0.75 - 0.5 * probability), density;
    double to = advance(argument, &rule, from, probability);
    if (!(to > from)) /* thinner than the distance between two numbers */
        to = nextafter(from, HUGE_VAL);
    out->edges = 2;
    out->edge[0] = from;
    out->edge[1] = to;
    out->height = 1.0 / sqrt(argument_probability(argument, &rule, from, to, &density));
}

static void evaluate_bump(const struct error_level *at, size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = x[i] >= at->edge[0] && x[i] < at->edge[1] ? at->height : 0.0;
}

static void prepare_sign(const struct score_error *error, const struct error_argument *argument,
                         struct error_level *out)
{
    (void)error;
    (void)argument;
    out->edges = 1;
    out->edge[0] = 0.0;
    out->height = 1.0;
}

static void evaluate_sign(const struct error_level *at, size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = x[i] >= at->edge[0] ? at->height : -at->height;
}

const struct error_shape error_bump = {
    .name = "bump",
    .doc = "Huge on an interval of the given probability about the upper quartile, zero elsewhere: no bound on its "
           "supremum follows from its L2 size.",
    .formula = "g(x) = probability^-1/2 for F^-1(3/4 - probability/2) <= x < F^-1(3/4 + probability/2), F the cdf of "
               "X_t; else 0",
    .source = "theory (13)",
    .params = bump_params,
    .params_size = sizeof(struct bump),
    .prepare = prepare_bump,
    .evaluate = evaluate_bump,
};

const struct error_shape error_sign = {
    .name = "sign",
    .doc = "The sign of the position: bounded, with a jump.",
    .formula = "g(x) = 1 for x >= 0, -1 for x < 0",
    .source = "theory (13)",
    .prepare = prepare_sign,
    .evaluate = evaluate_sign,
};
