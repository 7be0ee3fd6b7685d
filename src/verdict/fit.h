/* Exponents by least squares, with intervals that know about the window (theory (19)). */
#ifndef VERDICT_FIT_H
#define VERDICT_FIT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"

/* One cell of a fit of y = a log d + b x + const (theory (19)). The exponents a and b are fitted one at a time, b
 * with a constant of its own for each d and a with one for each x ("at fixed eps"): TV is not exactly a function of
 * d^a' h^p (at d = 1 it is a mean absolute value, at large d that of a Gaussian), and one constant for all d would
 * push that difference into b. */
struct fit_cell {
    double log_d, x, y;
    size_t dimension, other; /* indices of d and of what x stands for */
};

/* value +- interval: the 95% interval of least squares (Student t), plus the larger of the shifts of the value when
 * the cells of the most extreme x and those of the smallest d are left out. */
struct exponent {
    double value, interval;
    double least_squares;                     /* its part of the interval */
    double without_extreme, without_smallest; /* the value then; NaN where too little is left */
    double constant, rms;                     /* mean constant of the groups; of the residuals */
};

/* -value, and so for what belongs to it. */
struct exponent exponent_negated(const struct exponent *exponent);

/* "0.251 ± 0.005" with three decimals, or as many as the interval needs to have a digit; "0.251" without one. */
enum { EXPONENT_TEXT = 700 };
void exponent_text(double value, double interval, char text[EXPONENT_TEXT]);

struct fit {
    int ok; /* 0: too few cells; reason says how many there are and how many are needed */
    char reason[160];
    size_t cells;
    size_t weighed_x, weighed_d; /* of them, those that have weight in the fit of x, and in that of d */
    struct exponent d, x;
    int has_d;       /* d is meaningful: there is more than one dimension */
    double constant; /* of the smallest dimension: y = x.value x + constant there */
};

/* Sets weight[i], of as many as there are cells, where cell i has weight in the fit of x or, along_d, in that of d: a
 * cell whose group holds no other abscissa only determines the constant of its group. Errors: STATUS_MEMORY. */
MUST_USE enum status fit_weights(const struct fit_cell *cells, size_t count, int along_d, bool *weight,
                                 struct error *error);

/* Args: extreme, the `other` index whose cells are the farthest into the asymptotic regime (left out to probe).
 * Needs at least 4 cells on at least 3 values of x; takes O(n log n) of n cells. Errors: STATUS_MEMORY. */
MUST_USE enum status fit_exponents(const struct fit_cell *cells, size_t count, size_t extreme, struct fit *out,
                                   struct error *error);

#endif
