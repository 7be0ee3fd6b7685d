#include <math.h>

#include "model/score_error.h"

enum { LEGENDRE = 8, MOST_ITERATIONS = 300 };

/* Positive nodes of the 16-point Gauss-Legendre rule. */
static const double node[LEGENDRE] = {0.0950125098376374402, 0.281603550779258913, 0.458016777657227386,
                                      0.617876244402643748,  0.755404408355003034, 0.865631202387831744,
                                      0.944575023073232576,  0.989400934991649933};
static const double weight[LEGENDRE] = {0.189450610455068496,  0.182603415044923589, 0.169156519395002538,
                                        0.149595988816576732,  0.124628971255533872, 0.0951585116824927848,
                                        0.0622535239386478929, 0.0271524594117540949};

/* Phi(to) - Phi(from) to rounding, relative; width = to - from without the rounding of the two. */
static double normal_between(double from, double to, double width)
{
    if (width < 1.0) {
        double middle = 0.5 * (from + to), total = 0.0;
        for (int i = 0; i < LEGENDRE; i++) {
            double low = middle - 0.5 * width * node[i], high = middle + 0.5 * width * node[i];
            total += weight[i] * (exp(-0.5 * low * low) + exp(-0.5 * high * high));
        }
        return 0.5 * width * total / sqrt(2.0 * M_PI);
    }
    if (from >= 0.0)
        return 0.5 * (erfc(from * M_SQRT1_2) - erfc(to * M_SQRT1_2));
    if (to <= 0.0)
        return 0.5 * (erfc(-to * M_SQRT1_2) - erfc(-from * M_SQRT1_2));
    return 0.5 * (erf(to * M_SQRT1_2) + erf(-from * M_SQRT1_2));
}

/* P(from <= X_t < to) to rounding, and the density at `to`; from may be -infinity. */
static double probability_between(const struct mixture_level *mixture, double from, double to, double *density)
{
    const struct factor *factor = mixture->factor;
    double probability = 0.0;
    *density = 0.0;
    for (size_t k = 0; k < factor->components; k++) {
        double centre = mixture->root_alpha_bar * factor->mean[k], sd = mixture->sd[k], u = (to - centre) / sd;
        probability += factor->weight[k] * normal_between((from - centre) / sd, u, (to - from) / sd);
        *density += factor->weight[k] * exp(-0.5 * u * u) / (sd * sqrt(2.0 * M_PI));
    }
    return probability;
}

/* The x with P(from <= X_t < x) = probability, by Newton's method while its steps halve, else by bisection: between
 * narrow components the density says nothing. */
static double advance(const struct mixture_level *mixture, double from, double probability)
{
    const struct factor *factor = mixture->factor;
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (size_t k = 0; k < factor->components; k++) {
        double centre = mixture->root_alpha_bar * factor->mean[k];
        low = fmin(low, centre - 40.0 * mixture->sd[k]);
        high = fmax(high, centre + 40.0 * mixture->sd[k]);
    }
    low = fmax(low, from);
    double step = 0.5 * (high - low), x = low + step;
    for (int i = 0; i < MOST_ITERATIONS && x > low && x < high; i++) {
        double density, excess = probability_between(mixture, from, x, &density) - probability;
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

static void prepare_bump(const struct score_error *error, const struct mixture_level *mixture,
                         struct error_level *out)
{
    double from = advance(mixture, -HUGE_VAL, 0.75 - 0.5 * error->probability), density;
    double to = advance(mixture, from, error->probability);
    if (!(to > from)) /* thinner than the distance between two numbers */
        to = nextafter(from, HUGE_VAL);
    out->edges = 2;
    out->edge[0] = from;
    out->edge[1] = to;
    out->height = 1.0 / sqrt(probability_between(mixture, from, to, &density));
}

static void evaluate_bump(const struct error_level *at, size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = x[i] >= at->edge[0] && x[i] < at->edge[1] ? at->height : 0.0;
}

static void prepare_sign(const struct score_error *error, const struct mixture_level *mixture,
                         struct error_level *out)
{
    (void)error;
    (void)mixture;
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
    .parameters = ERROR_PROBABILITY,
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
