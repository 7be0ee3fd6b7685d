#include "verdict/limit.h"

#include <gsl/gsl_linalg.h>
#include <math.h>
#include <stdio.h>

enum { LOW_ORDER = 3, HIGH_ORDER = 5 };

/* The unknowns log C and p come first; with p known it is not among them. */
enum unknown { LOG_COEFFICIENT, EXPONENT };

/* What is extrapolated: an unknown of log(Q/h^subtracted) = log C + [p log h +] a_1 h + ... */
struct problem {
    enum unknown wanted;
    double subtracted; /* 0 where p is unknown */
};

/* One unknown from `order` points as the solution of the linear equations, and what their radii make of it:
 * the unknown is sum_i w_i log Q_i with A^T w = e_wanted. */
static double solve(const struct problem *problem, const struct limit_point *points, size_t order, double *radius)
{
    double entry[HIGH_ORDER * HIGH_ORDER], weight[HIGH_ORDER] = {0.0}, value = 0.0;
    size_t powers = problem->wanted == EXPONENT ? 2 : 1; /* unknowns before a_1 */
    /* in units of the smallest step size, so that log C belongs to it and no digits are lost */
    double unit = points[order - 1].step_size;
    for (size_t i = 0; i < order; i++) {
        double x = points[i].step_size / unit;
        for (size_t j = 0; j < order; j++)
            entry[j * order + i] = j == 0 ? 1.0 : j < powers ? log(x) : pow(x, (double)(j - powers + 1));
    }
    weight[problem->wanted] = 1.0;
    gsl_matrix_view transposed = gsl_matrix_view_array(entry, order, order);
    gsl_vector_view weights = gsl_vector_view_array(weight, order);
    (void)gsl_linalg_HH_svx(&transposed.matrix, &weights.vector);
    *radius = 0.0;
    for (size_t i = 0; i < order; i++) {
        value += weight[i] * (log(points[i].value) - problem->subtracted * log(points[i].step_size));
        *radius += fabs(weight[i]) * points[i].radius / points[i].value;
    }
    return value;
}

/* Of what was extrapolated, this part may remain, however well two rules agree. */
#define REMAINS 0.02
/* The differences of rules are multiplied by this: before the asymptotic regime they may both be off to one side.
 * Local exponents 2.17, 2.10, 2.04, 2.01 of a law whose limit is 2 are extrapolated to 1.978, and the differences are
 * 0.011. */
#define SAFETY 2.0

/* Between a point and the next. */
static double local_exponent(const struct limit_point *point)
{
    return log(point[0].value / point[1].value) / log(point[0].step_size / point[1].step_size);
}

/* Whether the local exponents turn back, over a range that matters. */
static bool turns_back(const struct limit_point *points, size_t count)
{
    double least = HUGE_VAL, most = -HUGE_VAL, before = NAN;
    int up = 0, down = 0;
    for (size_t i = 0; i + 1 < count; i++) {
        double exponent = local_exponent(&points[i]);
        up += exponent > before;
        down += exponent < before;
        least = fmin(least, exponent);
        most = fmax(most, exponent);
        before = exponent;
    }
    return up > 0 && down > 0 && most - least > LIMIT_AGREEMENT;
}

static struct limit extrapolate(const struct problem *problem, const struct limit_point *points, size_t count)
{
    size_t fewer = problem->wanted == EXPONENT ? 0 : 1, least = LOW_ORDER - fewer;
    struct limit limit = {.points = count < HIGH_ORDER - fewer ? count : HIGH_ORDER - fewer};
    if (count < least + 1) {
        (void)snprintf(limit.reason, sizeof limit.reason, "%zu point%s, of at least %zu that an extrapolation needs",
                       count, count == 1 ? "" : "s", least + 1);
        return limit;
    }
    const struct limit_point *end = points + count;
    double ignored;
    size_t left = limit.points < count ? limit.points : count - 1;
    const double low = limit.others[0] = solve(problem, end - least, least, &ignored);
    limit.others[1] = solve(problem, end - 1 - left, left, &ignored);
    limit.value = solve(problem, end - limit.points, limit.points, &limit.radius);
    double disagreement = fmax(fabs(limit.value - low), fabs(limit.value - limit.others[1]));
    limit.interval = SAFETY * disagreement + limit.radius;
    if (problem->wanted == EXPONENT)
        limit.interval += REMAINS * fabs(limit.value - local_exponent(end - 2));
    if (!(fabs(limit.value - low) <= LIMIT_AGREEMENT))
        (void)snprintf(limit.reason, sizeof limit.reason, "extrapolations of two orders say %.3f and %.3f", low,
                       limit.value);
    else if (!(limit.radius <= LIMIT_AGREEMENT))
        (void)snprintf(limit.reason, sizeof limit.reason, "the values' radii leave ± %.1g of the limit",
                       limit.radius);
    else if (problem->wanted == EXPONENT && turns_back(end - limit.points, limit.points))
        (void)snprintf(limit.reason, sizeof limit.reason, "the local exponents turn back on the way to it");
    else
        limit.exists = true;
    return limit;
}

struct limit limit_exponent(const struct limit_point *points, size_t count)
{
    return extrapolate(&(struct problem){EXPONENT, 0.0}, points, count);
}

struct limit limit_log_coefficient(const struct limit_point *points, size_t count, double power)
{
    return extrapolate(&(struct problem){LOG_COEFFICIENT, power}, points, count);
}

/* Of what was extrapolated in d, this part is in the interval: corrections like d^(-1/2) in place of 1/d would leave
 * 0.20 of it where five d are twice the one before, and 0.34 where four are. */
#define REMAINS_IN_DIMENSION 0.5

/* Args: kind, of the constants' values: 0 the limits, then their others; points: room for `count`. */
static struct limit in_dimension(const struct limit *log_constants, const double *dimensions, size_t count,
                                 size_t kind, struct limit_point *points)
{
    for (size_t i = 0; i < count; i++) {
        const struct limit *constant = &log_constants[i];
        const double value = exp((kind == 0 ? constant->value : constant->others[kind - 1]) - log_constants[0].value);
        points[i] = (struct limit_point){1.0 / dimensions[i], value, value * constant->radius};
    }
    struct limit limit = limit_exponent(points, count);
    limit.value = -limit.value;
    return limit;
}

struct limit limit_dimension(const struct limit *log_constants, const double *dimensions, size_t count)
{
    enum { MOST = HIGH_ORDER + 1 }; /* the largest d count, and one that is left out */
    struct limit_point points[MOST];
    const size_t first = count > MOST ? count - MOST : 0, kept = count - first;
    struct limit limit = in_dimension(log_constants + first, dimensions + first, kept, 0, points);
    double change = 0.0;
    for (size_t kind = 1; kind <= 2 && limit.exists; kind++) {
        const double other =
            in_dimension(log_constants + first, dimensions + first, kept, kind, points).value - limit.value;
        limit.exists = fabs(other) <= LIMIT_AGREEMENT;
        if (!limit.exists)
            (void)snprintf(limit.reason, sizeof limit.reason,
                           "extrapolations in h of two orders leave it at %.3f and %.3f", limit.value + other,
                           limit.value);
        change = fmax(change, fabs(other));
    }
    const double last = kept > 1 ? (log_constants[count - 1].value - log_constants[count - 2].value)
                                       / log(dimensions[count - 1] / dimensions[count - 2])
                                 : 0.0;
    limit.interval += SAFETY * change + REMAINS_IN_DIMENSION * fabs(limit.value - last);
    return limit;
}
