#include "model/error_argument.h"

#include <gsl/gsl_sf_gamma.h>
#include <math.h>

#include "core/legendre.h"

struct argument_rule argument_rule_make(void)
{
    struct argument_rule rule;
    legendre_rule(ARGUMENT_NODES, rule.node, rule.weight);
    return rule;
}

/* ---- On the line: sum_k w_k N(c_k, V_k) ---- */

/* [1/narrow] sd of X_0 in the wave number of sin(k X_0), at most, that the point masses of a density integrate: they
 * are exact for Gaussians of that deviation, whose transform reaches further. */
#define SLOW_WAVE 2.0

/* The components of the law; of a density, the point masses of a rule that integrates powers and waves of at most
 * SLOW_WAVE to rounding. */
struct line_components {
    size_t count;
    const double *weight, *mean, *sd; /* sd at the level; NULL: the noise's */
    double root, noise_sd;
};

static struct line_components line_components(const struct mixture_level *mixture)
{
    const struct factor *factor = mixture->factor;
    const struct density *density = factor->density;
    double root = mixture->root_alpha_bar, noise_sd = sqrt(mixture->level.noise);
    if (density != NULL)
        return (struct line_components){density->masses, density->weight, density->position, NULL, root, noise_sd};
    return (struct line_components){factor->components, factor->weight, factor->mean, mixture->sd, root, noise_sd};
}

static double sd_of(const struct line_components *line, size_t k)
{
    return line->sd != NULL ? line->sd[k] : line->noise_sd;
}

/* Phi(to) - Phi(from) to relative rounding. `width` is to - from, computed without the rounding of the two. A narrow
 * interval is integrated by quadrature, a wide one taken from the tail on its side of 0. */
static double normal_between(const struct argument_rule *rule, double from, double to, double width)
{
    if (width < 1.0) {
        double total = 0.0;
        for (int i = 0; i < ARGUMENT_NODES; i++) {
            double u = 0.5 * (from + to) + 0.5 * width * rule->node[i];
            total += rule->weight[i] * exp(-0.5 * u * u);
        }
        return 0.5 * width * total / sqrt(2.0 * M_PI);
    }
    if (from >= 0.0)
        return 0.5 * (erfc(from * M_SQRT1_2) - erfc(to * M_SQRT1_2));
    if (to <= 0.0)
        return 0.5 * (erfc(-to * M_SQRT1_2) - erfc(-from * M_SQRT1_2));
    return 0.5 * (erf(to * M_SQRT1_2) + erf(-from * M_SQRT1_2));
}

/* Of a density with little noise: an interval narrow for the noise by quadrature of p_t, a wider one of p_0. */
static double density_probability(const struct mixture_level *mixture, const struct argument_rule *rule, double from,
                                  double to, double *density)
{
    const struct density *own = mixture->factor->density;
    double root = mixture->root_alpha_bar, noise_sd = sqrt(mixture->level.noise), log_density[ARGUMENT_NODES];
    double x[ARGUMENT_NODES], place = 0.0, total = 0.0, origin = to / root;
    density_evaluate(own, &mixture->level, origin, 1, &place, log_density, NULL);
    *density = exp(log_density[0]);
    if (isinf(from))
        return density_smoothed_below(own, root, noise_sd, to);
    if (to - from >= noise_sd)
        return density_smoothed_between(own, root, noise_sd, from, to - from);
    for (int i = 0; i < ARGUMENT_NODES; i++)
        x[i] = 0.5 * (to - from) * (rule->node[i] - 1.0);
    density_evaluate(own, &mixture->level, origin, ARGUMENT_NODES, x, log_density, NULL);
    for (int i = 0; i < ARGUMENT_NODES; i++)
        total += rule->weight[i] * exp(log_density[i]);
    return 0.5 * (to - from) * total;
}

static double line_probability(const struct mixture_level *mixture, const struct argument_rule *rule, double from,
                               double to, double *density)
{
    const struct density *smoothed = mixture->factor->density;
    if (smoothed != NULL && !density_is_wide(smoothed, &mixture->level))
        return density_probability(mixture, rule, from, to, density);
    const struct line_components line = line_components(mixture);
    double probability = 0.0;
    *density = 0.0;
    for (size_t k = 0; k < line.count; k++) {
        double centre = line.root * line.mean[k], sd = sd_of(&line, k), u = (to - centre) / sd;
        probability += line.weight[k] * normal_between(rule, (from - centre) / sd, u, (to - from) / sd);
        *density += line.weight[k] * exp(-0.5 * u * u) / (sd * sqrt(2.0 * M_PI));
    }
    return probability;
}

static double line_second_moment(const struct mixture_level *mixture)
{
    const struct line_components line = line_components(mixture);
    double second_moment = 0.0;
    for (size_t k = 0; k < line.count; k++) {
        double centre = line.root * line.mean[k], sd = sd_of(&line, k);
        second_moment += line.weight[k] * (centre * centre + sd * sd);
    }
    return second_moment;
}

/* The root of sum_k w_k (V_k + (c_k - mean)^2). Centres are relative to that of component 0, so that a narrow law far
 * from 0 keeps its digits. */
static double line_sd(const struct mixture_level *mixture)
{
    const struct line_components line = line_components(mixture);
    double mean = 0.0, variance = 0.0;
    for (size_t k = 0; k < line.count; k++)
        mean += line.weight[k] * (line.root * (line.mean[k] - line.mean[0]));
    for (size_t k = 0; k < line.count; k++) {
        double distance = line.root * (line.mean[k] - line.mean[0]) - mean, sd = sd_of(&line, k);
        variance += line.weight[k] * (sd * sd + distance * distance);
    }
    return sqrt(variance);
}

/* E sin^2(k x) = (1 - sum_j w_j exp(-2 k^2 V_j) cos(2 k c_j))/2. Each term is -expm1(-2 k^2 V_j) cos(2 k c_j)/2
 * + sin^2(k c_j), which keeps the digits of slow waves. Of a density and a fast wave it is (1 - exp(-2 k^2 O) Re
 * E exp(2 i k sqrt(A) X_0))/2. */
static double line_sine_square(const struct mixture_level *mixture, double wave_number)
{
    const struct line_components line = line_components(mixture);
    const struct density *density = mixture->factor->density;
    double square = 0.0;
    if (density != NULL && fabs(wave_number) * line.root * density->narrow > SLOW_WAVE) {
        double real, imaginary, width = wave_number * line.noise_sd;
        density_characteristic(density, 2.0 * wave_number * line.root, &real, &imaginary);
        return 0.5 * (1.0 - exp(-2.0 * width * width) * real);
    }
    for (size_t j = 0; j < line.count; j++) {
        double angle = wave_number * (line.root * line.mean[j]), width = wave_number * sd_of(&line, j);
        double sine = sin(angle);
        square += line.weight[j] * (sine * sine - 0.5 * expm1(-2.0 * width * width) * cos(2.0 * angle));
    }
    return square;
}

/* ---- The norm: x = sqrt(V_k) s with s ~ chi_d in component k ---- */

/* P(|s - sqrt(d)| > SHELL_HALF_WIDTH) < 1e-30. */
#define SHELL_HALF_WIDTH 12.0

/* The density of chi_d at s. */
static double chi_density(double d, double s)
{
    return s > 0.0 ? exp((d - 1.0) * log(s) - 0.5 * s * s + (1.0 - 0.5 * d) * M_LN2 - lgamma(0.5 * d)) : 0.0;
}

/* P(from <= s < to) for 0 <= from, of a narrow interval by quadrature of the density. */
static double chi_between(double d, const struct argument_rule *rule, double from, double to)
{
    if (to - from < 0.1) {
        double middle = 0.5 * (from + to), half = 0.5 * (to - from), total = 0.0;
        for (int i = 0; i < ARGUMENT_NODES; i++)
            total += rule->weight[i] * chi_density(d, middle + half * rule->node[i]);
        return half * total;
    }
    double low = 0.5 * from * from, high = 0.5 * to * to;
    return from * from < d ? gsl_sf_gamma_inc_P(0.5 * d, high) - gsl_sf_gamma_inc_P(0.5 * d, low)
                           : gsl_sf_gamma_inc_Q(0.5 * d, low) - gsl_sf_gamma_inc_Q(0.5 * d, high);
}

static double radial_probability(const struct radial_level *radial, const struct argument_rule *rule, double from,
                                 double to, double *density)
{
    const struct factor *factor = radial->factor;
    double probability = 0.0;
    *density = 0.0;
    for (size_t k = 0; k < factor->components; k++) {
        double sd = radial->sd[k];
        probability += factor->weight[k] * chi_between(radial->dimension, rule, fmax(from, 0.0) / sd, to / sd);
        *density += factor->weight[k] * chi_density(radial->dimension, to / sd) / sd;
    }
    return probability;
}

static double radial_second_moment(const struct radial_level *radial)
{
    double total = 0.0;
    for (size_t k = 0; k < radial->factor->components; k++)
        total += radial->factor->weight[k] * radial->dimension * radial->variance[k];
    return total;
}

static double radial_sd(const struct radial_level *radial)
{
    double d = radial->dimension, of_chi = M_SQRT2 * exp(lgamma(0.5 * (d + 1.0)) - lgamma(0.5 * d)), mean = 0.0;
    for (size_t k = 0; k < radial->factor->components; k++)
        mean += radial->factor->weight[k] * radial->sd[k] * of_chi;
    return sqrt(fmax(radial_second_moment(radial) - mean * mean, 0.0));
}

/* E sin^2(k x) by composite quadrature over the shell, in pieces of at most 1 and at most 2/(k sqrt(V)). */
static double radial_sine_square(const struct radial_level *radial, double wave_number)
{
    const struct argument_rule rule = argument_rule_make();
    double d = radial->dimension, low = fmax(sqrt(d) - SHELL_HALF_WIDTH, 0.0),
           length = sqrt(d) + SHELL_HALF_WIDTH - low, total = 0.0;
    for (size_t k = 0; k < radial->factor->components; k++) {
        double turn = wave_number * radial->sd[k], pieces = ceil(length * fmax(1.0, 0.5 * turn)),
               half = 0.5 * length / pieces;
        for (double p = 0.0; p < pieces; p += 1.0)
            for (int i = 0; i < ARGUMENT_NODES; i++) {
                double s = low + half * (2.0 * p + 1.0 + rule.node[i]), sine = sin(turn * s);
                total += radial->factor->weight[k] * half * rule.weight[i] * chi_density(d, s) * sine * sine;
            }
    }
    return total;
}

/* ---- Either ---- */

double argument_second_moment(const struct error_argument *argument)
{
    return argument->radial != NULL ? radial_second_moment(argument->radial) : line_second_moment(argument->line);
}

double argument_sd(const struct error_argument *argument)
{
    return argument->radial != NULL ? radial_sd(argument->radial) : line_sd(argument->line);
}

double argument_sine_square(const struct error_argument *argument, double wave_number)
{
    return argument->radial != NULL ? radial_sine_square(argument->radial, wave_number)
                                    : line_sine_square(argument->line, wave_number);
}

double argument_probability(const struct error_argument *argument, const struct argument_rule *rule, double from,
                            double to, double *density)
{
    return argument->radial != NULL ? radial_probability(argument->radial, rule, from, to, density)
                                    : line_probability(argument->line, rule, from, to, density);
}

void argument_range(const struct error_argument *argument, double *low, double *high)
{
    const struct factor *factor = argument->radial != NULL ? argument->radial->factor : argument->line->factor;
    *low = argument->radial != NULL ? 0.0 : HUGE_VAL;
    *high = argument->radial != NULL ? 0.0 : -HUGE_VAL;
    for (size_t k = 0; k < factor->components; k++)
        if (argument->radial != NULL)
            *high = fmax(*high, (sqrt(argument->radial->dimension) + 40.0) * argument->radial->sd[k]);
        else {
            double centre = argument->line->root_alpha_bar * factor->mean[k];
            *low = fmin(*low, centre - 40.0 * argument->line->sd[k]);
            *high = fmax(*high, centre + 40.0 * argument->line->sd[k]);
        }
}
