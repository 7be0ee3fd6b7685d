/* Gauss-Legendre rules. */
#ifndef CORE_LEGENDRE_H
#define CORE_LEGENDRE_H

#include <stddef.h>

/* The n-point rule on [-1, 1], n >= 1, to rounding, ascending and exactly symmetric. (GSL's are, too, but only for
 * the few n of its tables; its others are good to 1e-11, which a law of 10^4 steps would add up.) */
void legendre_rule(size_t n, double *node, double *weight);

#endif
