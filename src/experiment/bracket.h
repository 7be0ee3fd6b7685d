/* Iteration complexity from measured points (theory §8): T(d, eps) is the smallest T with TV <= eps, or another
 * divergence in its place, found by a bracket of neighbours: T, which is measured and passes, and T - 1, which is
 * measured and fails, or need not be measured because the place where the values cross eps, with its radius, lies
 * above it. To pass, the value with its radius must be at most eps. A law may be refused at some T; then T(d, eps) is
 * found as far as the others tell.
 *
 * The crossing is interpolated: log T is a polynomial in log value, nearly straight since values fall like powers
 * (theory (23)), through up to 8 points around it that do not crowd and, but for the one that fails, lie below 1/2,
 * above which divergences saturate. Its radius is that of the points, and four times the change by leaving out the
 * first or the last. A polynomial that leaves the bracket gives way to the line between the two ends. */
#ifndef EXPERIMENT_BRACKET_H
#define EXPERIMENT_BRACKET_H

#include <stdbool.h>
#include <stddef.h>

/* The divergence at one number of steps; NaN where it was tried and is not known. */
struct point {
    size_t steps;
    double step_size;
    double value, radius;
};

enum reach {
    REACH_FOUND,    /* T is the answer */
    REACH_AT_START, /* the smallest T of which it is known passes: T(d, eps) is at most that */
    REACH_BEYOND,   /* no measured T passes */
    REACH_OPEN      /* between a T that fails and one that passes lie others, not measured yet or not known */
};

struct bracket {
    enum reach reach;
    size_t fails, passes; /* the largest T that fails before the first that passes, and that one; 0: there is none */
    size_t tried;         /* the largest T before `passes` that was tried: `fails`, or one of which it is not known */
    size_t certain; /* the largest T before `passes` that fails with its radius too, or 0; T(d, eps) is beyond it */
    double floor;   /* of a search beyond all T, what the value is seen to tend to above the accuracy; 0: nothing */
    size_t want;    /* the T between `tried` and `passes` to measure next, 0 for none */
    bool sure;      /* that T is the answer, as far as the crossing's radius tells */
    double beyond; /* where no T passes, or the first of all: the real T at which the values, extrapolated through the
                    * last three, cross the accuracy; of one value, as if it fell like 1/T. NaN: not known */
};

/* A floor is seen where the last three values known, at h a fifth apart at least and the largest of them at most 1/2,
 * would stay above the accuracy if they went on falling in proportion to h: as the first two and as the last two do.
 * A value that falls to a floor like h or faster is then held up by it.
 *
 * Args: points by increasing steps, count of them; attempt, how often this bracket was narrowed before (after a few
 * the interpolation gives way to bisection). */
struct bracket bracket_find(const struct point *points, size_t count, double accuracy, size_t attempt);

#endif
