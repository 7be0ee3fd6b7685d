#include "experiment/bracket.h"

#include <math.h>

enum { NODES = 8, INTERPOLATIONS = 6 };
#define LARGEST_BEFORE_FLOOR 0.5 /* above, divergences saturate */

/* log h at value = accuracy by polynomial interpolation of log h in log value, which is nearly straight, through
 * points `from` to `to`. */
static double interpolate(const struct point *points, size_t from, size_t to, double accuracy)
{
    double x[NODES], y[NODES], at = log(accuracy);
    size_t n = to - from + 1;
    for (size_t i = 0; i < n; i++) {
        x[i] = log(points[from + i].value);
        y[i] = log(points[from + i].step_size);
    }
    for (size_t order = 1; order < n; order++)
        for (size_t i = 0; i + order < n; i++)
            y[i] = ((at - x[i + order]) * y[i] + (x[i] - at) * y[i + 1]) / (x[i] - x[i + order]);
    return y[0];
}

/* It must fall strictly from each node to the next. */
static int falls(const struct point *points, size_t i)
{
    return points[i].value > points[i + 1].value && points[i + 1].value > 0.0 && isfinite(points[i].value);
}

static size_t predict(const struct point *points, size_t count, size_t pass, double accuracy,
                      const struct schedule_rule *rule)
{
    size_t from = pass - 1, to = pass;
    if (!falls(points, from))
        return 0;
    while (to - from + 1 < NODES) {
        int left = from > 0 && falls(points, from - 1), right = to + 1 < count && falls(points, to);
        if (left && (!right || pass - from <= to + 1 - pass))
            from--;
        else if (right)
            to++;
        else
            break;
    }
    return schedule_steps(rule->kind, &rule->values, exp(interpolate(points, from, to, accuracy)));
}

/* The value at h = 0 of the line through two points. */
static double at_zero(const struct point *a, const struct point *b)
{
    return b->value - b->step_size * (a->value - b->value) / (a->step_size - b->step_size);
}

static double find_floor(const struct point *points, size_t count, double accuracy)
{
    const struct point *last[3] = {NULL, NULL, NULL};
    for (size_t i = count, found = 0; i-- > 0 && found < 3;)
        if (isfinite(points[i].value) && (found == 0 || points[i].step_size > 1.2 * last[found - 1]->step_size))
            last[found++] = &points[i];
    if (last[2] == NULL || last[2]->value > LARGEST_BEFORE_FLOOR)
        return 0.0;
    double radius = 3.0 * fmax(last[0]->radius, fmax(last[1]->radius, last[2]->radius));
    double floor = fmin(at_zero(last[2], last[1]), at_zero(last[1], last[0])) - radius;
    return floor > accuracy ? floor : 0.0;
}

struct bracket bracket_find(const struct point *points, size_t count, double accuracy,
                            const struct schedule_rule *rule, size_t attempt)
{
    struct bracket bracket = {.reach = REACH_BEYOND};
    size_t pass = 0;
    while (pass < count && !(points[pass].value + points[pass].radius <= accuracy))
        pass++;
    bracket.tried = pass > 0 ? points[pass - 1].steps : 0;
    for (size_t i = 0; i < pass; i++) {
        if (!isnan(points[i].value))
            bracket.fails = points[i].steps;
        if (points[i].value - points[i].radius > accuracy)
            bracket.certain = points[i].steps;
    }
    if (pass == count) {
        bracket.floor = find_floor(points, count, accuracy);
        return bracket;
    }
    bracket.passes = points[pass].steps;
    bracket.reach = bracket.fails == 0                    ? REACH_AT_START
                    : bracket.passes - bracket.fails == 1 ? REACH_FOUND
                                                          : REACH_OPEN;
    if (rule == NULL || pass == 0 || bracket.passes - bracket.tried == 1)
        return bracket;
    size_t guess = attempt < INTERPOLATIONS ? predict(points, count, pass, accuracy, rule) : 0;
    if (guess == 0)
        guess = bracket.tried + (bracket.passes - bracket.tried) / 2;
    guess = guess <= bracket.tried ? bracket.tried + 1 : guess > bracket.passes ? bracket.passes : guess;
    bracket.want[0] = guess < bracket.passes ? guess : 0;
    bracket.want[1] = guess - 1 > bracket.tried ? guess - 1 : 0;
    return bracket;
}
