#include "model/seen.h"

#include <gsl/gsl_sf_gamma.h>
#include <math.h>

/* ---- On the line ---- */

enum { LEGENDRE = 8 };

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

static double line_between(const struct mixture_level *mixture, double from, double to, double *density)
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

static double line_second_moment(const struct mixture_level *mixture)
{
    const struct factor *factor = mixture->factor;
    double second_moment = 0.0;
    for (size_t k = 0; k < factor->components; k++) {
        double centre = mixture->root_alpha_bar * factor->mean[k];
        second_moment += factor->weight[k] * (centre * centre + mixture->sd[k] * mixture->sd[k]);
    }
    return second_moment;
}

/* Centres relative to component 0, so that a far narrow law keeps its digits. */
static double line_sd(const struct mixture_level *mixture)
{
    const struct factor *factor = mixture->factor;
    double mean = 0.0, variance = 0.0;
    for (size_t k = 0; k < factor->components; k++)
        mean += factor->weight[k] * mixture_level_centre(mixture, k, 0);
    for (size_t k = 0; k < factor->components; k++) {
        double distance = mixture_level_centre(mixture, k, 0) - mean;
        variance += factor->weight[k] * (mixture->sd[k] * mixture->sd[k] + distance * distance);
    }
    return sqrt(variance);
}

/* E sin^2(kX) = (1 - sum_j w_j exp(-2 k^2 V_j) cos(2 k c_j))/2, with 1 - e cos = -expm1 cos + 2 sin^2 to keep the
 * digits of slow waves. */
static double line_sine_square(const struct mixture_level *mixture, double wave_number)
{
    const struct factor *factor = mixture->factor;
    double square = 0.0;
    for (size_t j = 0; j < factor->components; j++) {
        double angle = wave_number * (mixture->root_alpha_bar * factor->mean[j]),
               width = wave_number * mixture->sd[j];
        double sine = sin(angle);
        square += factor->weight[j] * (sine * sine - 0.5 * expm1(-2.0 * width * width) * cos(2.0 * angle));
    }
    return square;
}

/* ---- The norm: rho^2 = V_k chi2_d in component k ---- */

/* Radii over sqrt(V) within this of sqrt(d) hold all but 1e-30 of a component. */
#define SHELL 12.0

/* The density of chi_d at s. */
static double chi_density(double d, double s)
{
    return s > 0.0 ? exp((d - 1.0) * log(s) - 0.5 * s * s + (1.0 - 0.5 * d) * M_LN2 - lgamma(0.5 * d)) : 0.0;
}

/* P(from <= chi_d < to), 0 <= from; narrow intervals from the density. */
static double chi_between(double d, double from, double to)
{
    if (to - from < 0.1) {
        double middle = 0.5 * (from + to), half = 0.5 * (to - from), total = 0.0;
        for (int i = 0; i < LEGENDRE; i++)
            total += weight[i] * (chi_density(d, middle - half * node[i]) + chi_density(d, middle + half * node[i]));
        return half * total;
    }
    double low = 0.5 * from * from, high = 0.5 * to * to;
    return from * from < d ? gsl_sf_gamma_inc_P(0.5 * d, high) - gsl_sf_gamma_inc_P(0.5 * d, low)
                           : gsl_sf_gamma_inc_Q(0.5 * d, low) - gsl_sf_gamma_inc_Q(0.5 * d, high);
}

static double radial_between(const struct radial_level *radial, double from, double to, double *density)
{
    const struct factor *factor = radial->factor;
    double probability = 0.0;
    *density = 0.0;
    for (size_t k = 0; k < factor->components; k++) {
        double sd = radial->sd[k];
        probability += factor->weight[k] * chi_between(radial->dimension, fmax(from, 0.0) / sd, to / sd);
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

/* Pieces of the shell no longer than a fair part of the wave. */
static double radial_sine_square(const struct radial_level *radial, double wave_number)
{
    double d = radial->dimension, low = fmax(sqrt(d) - SHELL, 0.0), length = sqrt(d) + SHELL - low, total = 0.0;
    for (size_t k = 0; k < radial->factor->components; k++) {
        double turn = wave_number * radial->sd[k], pieces = ceil(length * fmax(1.0, 0.5 * turn));
        for (double p = 0.0; p < pieces; p += 1.0)
            for (int i = 0; i < 2 * LEGENDRE; i++) {
                double at = i < LEGENDRE ? -node[i] : node[i - LEGENDRE], half = 0.5 * length / pieces;
                double s = low + half * (2.0 * p + 1.0 + at), sine = sin(turn * s);
                total += radial->factor->weight[k] * half * weight[i % LEGENDRE] * chi_density(d, s) * sine * sine;
            }
    }
    return total;
}

/* ---- Either ---- */

double seen_second_moment(const struct seen *seen)
{
    return seen->radial != NULL ? radial_second_moment(seen->radial) : line_second_moment(seen->line);
}

double seen_sd(const struct seen *seen)
{
    return seen->radial != NULL ? radial_sd(seen->radial) : line_sd(seen->line);
}

double seen_sine_square(const struct seen *seen, double wave_number)
{
    return seen->radial != NULL ? radial_sine_square(seen->radial, wave_number)
                                : line_sine_square(seen->line, wave_number);
}

double seen_between(const struct seen *seen, double from, double to, double *density)
{
    return seen->radial != NULL ? radial_between(seen->radial, from, to, density)
                                : line_between(seen->line, from, to, density);
}

void seen_range(const struct seen *seen, double *low, double *high)
{
    const struct factor *factor = seen->radial != NULL ? seen->radial->factor : seen->line->factor;
    *low = seen->radial != NULL ? 0.0 : HUGE_VAL;
    *high = seen->radial != NULL ? 0.0 : -HUGE_VAL;
    for (size_t k = 0; k < factor->components; k++)
        if (seen->radial != NULL)
            *high = fmax(*high, (sqrt(seen->radial->dimension) + 40.0) * seen->radial->sd[k]);
        else {
            double centre = seen->line->root_alpha_bar * factor->mean[k];
            *low = fmin(*low, centre - 40.0 * seen->line->sd[k]);
            *high = fmax(*high, centre + 40.0 * seen->line->sd[k]);
        }
}
