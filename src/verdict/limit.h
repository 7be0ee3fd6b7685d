/* Exponents and leading coefficients in the limit of small steps, and of large d (theory §11, (22) and (23)).
 *
 * Where Q(h) = C h^p (1 + a h + b h^2 + ...), a slope between finite numbers of steps differs from p by the order of
 * h. Here
 *     log Q = log C + p log h + a_1 h + ... + a_{k-2} h^{k-2}
 * is solved for its k unknowns at the k smallest step sizes: Richardson's extrapolation of the local exponents
 * Delta log Q / Delta log h to h = 0, for step sizes c1 log T / T, which are not quite in geometric progression. Two
 * rules, of three points and of five (four where there are no more), tell how far to trust it. */
#ifndef VERDICT_LIMIT_H
#define VERDICT_LIMIT_H

#include <stdbool.h>
#include <stddef.h>

/* A quantity at one step size: value > 0, known to +- radius. */
struct limit_point {
    double step_size, value, radius;
};

/* value +- interval. The interval is an estimate: twice the difference of the two rules or what leaving out the
 * smallest step size changes, whichever is larger; the points' radii as the rule of higher order carries them on; and
 * for an exponent a part of what was extrapolated. */
struct limit {
    bool exists;
    char reason[120]; /* why there is none */
    size_t points;    /* of the rule of higher order */
    double value, interval;
    double others[2];  /* the value by the rule of lower order, and without the smallest step size */
    double radius;     /* the part of the interval that the points' radii make */
    bool in_dimension; /* it is that of d -> infinity; between the largest two d the value and interval are these: */
    double finite[2];
};

/* Two rules must agree to this, for an exponent and for log C alike. */
#define LIMIT_AGREEMENT 0.05

/* The exponent p. Args: points by decreasing step size, at least four of them; of more than five the smallest five
 * step sizes count, and one more to be left out. There is no limit where the rules disagree by more than
 * LIMIT_AGREEMENT, the radii do not allow that accuracy, or the local exponents turn back within a range wider than
 * that. Logarithms beside the powers (h^2 log(1/h)) are not part of the model: they pass for other exponents. */
struct limit limit_exponent(const struct limit_point *points, size_t count);

/* The exponent p of d in C(d) = C d^p (1 + c/d + e/d^2 + ...) as d -> infinity, from at least four dimensions: that
 * of limit_exponent in 1/d. Args: log_constants, log C(d) at increasing d, which are limits themselves. Of their
 * errors the radii are carried on as radii. That of extrapolation is alike in all d, for what is extrapolated is: the
 * interval has twice the largest change where each log C(d) is replaced by the same one of its `others`. It also has
 * a half of what is extrapolated, so that corrections like d^(-1/2) lie within; logarithms of d pass for other
 * exponents. */
struct limit limit_dimension(const struct limit *log_constants, const double *dimensions, size_t count);

/* log C where p = power is known. The same rules with one point less. */
struct limit limit_log_coefficient(const struct limit_point *points, size_t count, double power);

#endif
