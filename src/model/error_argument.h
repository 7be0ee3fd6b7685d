/* The law at a noise level of the number x of which a score error is a function g(x) (theory (13)): a coordinate or a
 * projection of X_t, which is a mixture or a density on the line, or the norm |X_t| of concentric Gaussians in d
 * dimensions. */
#ifndef MODEL_ERROR_ARGUMENT_H
#define MODEL_ERROR_ARGUMENT_H

#include "model/mixture_level.h"
#include "model/radial_level.h"

enum { ARGUMENT_NODES = 16 };

struct error_argument {
    const struct mixture_level *line;
    const struct radial_level *radial; /* of the norm; NULL: on the line */
};

/* The Gauss-Legendre rule on [-1, 1] by which densities are integrated. Its nodes take longer to find than most
 * shapes to prepare, so those that need probabilities make it once. */
struct argument_rule {
    double node[ARGUMENT_NODES], weight[ARGUMENT_NODES];
};
struct argument_rule argument_rule_make(void);

double argument_second_moment(const struct error_argument *argument);
double argument_sd(const struct error_argument *argument);

/* E sin^2(k x). */
double argument_sine_square(const struct error_argument *argument, double wave_number);

/* P(from <= x < to), to relative rounding also for a narrow interval, and the density at `to`; from may be -infinity.
 */
double argument_probability(const struct error_argument *argument, const struct argument_rule *rule, double from,
                            double to, double *density);

/* An interval that holds all but 1e-300 of the law. */
void argument_range(const struct error_argument *argument, double *low, double *high);

#endif
