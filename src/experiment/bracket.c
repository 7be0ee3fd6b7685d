#include "experiment/bracket.h"

#include <math.h>

enum { NODES = 8, INTERPOLATIONS = 6 };
#define SATURATION 0.5 /* above, divergences saturate */
#define SPACING 0.05   /* of log T of neighbouring nodes at least: weights of nearer ones multiply their radii; */
#define CLOSE 0.5      /* but this part of the distance from a node to the crossing's other side is enough */
#define SAFETY 4.0     /* times the change by leaving out a node: taken for the error of interpolation */
#define ROUNDING 1e-13 /* of a node's term: logarithms of ratios near 1 make up its weight */

/* The upper end of the value's interval, which is what has to be at most the accuracy. */
static double upper(const struct point *point)
{
    return point->value + point->radius;
}

/* The polynomial through the nodes (log(value + radius), log T), at log accuracy: the sum of Lagrange weights times
 * log T. *radius is the error in it that the nodes' radii make, to first order: of each node its weight times the
 * slope d log T/d log value times 2 radius/(value + radius), for the value may be as small as value - radius; and
 * rounding, without which a T at which the value is the accuracy would be taken to fail. */
static double interpolate(const struct point *const *node, size_t count, double accuracy, double *radius)
{
    double sum = 0.0;
    *radius = 0.0;
    for (size_t i = 0; i < count; i++) {
        const struct point *other = node[i > 0 ? i - 1 : 1];
        const double log_steps = log((double)node[i]->steps), between = log_steps - log((double)other->steps);
        double weight = 1.0;
        for (size_t k = 0; k < count; k++)
            if (k != i)
                weight *= log(accuracy / upper(node[k])) / log(upper(node[i]) / upper(node[k]));
        sum += weight * log_steps;
        *radius +=
            fabs(weight * between / log(upper(node[i]) / upper(other))) * 2.0 * node[i]->radius / upper(node[i])
            + ROUNDING * fabs(weight) * log_steps;
    }
    return sum;
}

static double distance(const struct point *a, const struct point *b)
{
    return fabs(log((double)a->steps / (double)b->steps));
}

/* The next point in a direction (-1 or 1) with a known value, apart in log T; NULL if there is none, or if values do
 * not fall from the smaller to the larger T. */
static const struct point *neighbour(const struct point *points, size_t count, const struct point *from, int way,
                                     double apart)
{
    const struct point *next = from + way;
    while (next >= points && next < points + count && (isnan(next->value) || distance(next, from) < apart))
        next += way;
    if (next < points || next >= points + count)
        return NULL;
    const double larger = upper(way < 0 ? next : from), smaller = upper(way < 0 ? from : next);
    return larger > smaller && smaller > 0.0 && isfinite(larger) ? next : NULL;
}

/* The real T at which value + radius is the accuracy, and its radius; NaN where they are not known. */
struct crossing {
    double steps, radius;
};

/* Args: pass, the index of the first point that passes. */
static struct crossing find_crossing(const struct point *points, size_t count, size_t pass, double accuracy)
{
    const struct point *node[2 * NODES]; /* from `first` to `last` */
    size_t first = NODES, last = NODES;
    const struct point *const passes = &points[pass], *const fails = neighbour(points, count, passes, -1, 0.0);
    if (fails == NULL)
        return (struct crossing){NAN, NAN};
    node[first] = passes;
    const struct point *left = fails;
    const struct point *right = neighbour(points, count, passes, 1, fmin(SPACING, CLOSE * distance(passes, fails)));
    while (last - first + 1 < NODES && (left != NULL || right != NULL))
        if (left != NULL && (right == NULL || NODES - first <= last - NODES + 1)) {
            node[--first] = left;
            left = neighbour(points, count, left, -1, fmin(SPACING, CLOSE * distance(left, passes)));
            left = left != NULL && left->value < SATURATION ? left : NULL;
        } else {
            node[++last] = right;
            right = neighbour(points, count, right, 1, fmin(SPACING, CLOSE * distance(right, fails)));
        }
    double radius, ignored;
    const size_t n = last - first + 1;
    const double at = interpolate(&node[first], n, accuracy, &radius);
    const bool between = log((double)fails->steps) <= at && at <= log((double)passes->steps);
    if (n < 3 || !between) /* the line between the two is */
        return (struct crossing){
            exp(interpolate((const struct point *const[]){fails, passes}, 2, accuracy, &ignored)), NAN};
    const double without[2] = {interpolate(&node[first + 1], n - 1, accuracy, &ignored),
                               interpolate(&node[first], n - 1, accuracy, &ignored)};
    radius += SAFETY * fmax(fabs(at - without[0]), fabs(at - without[1]));
    return (struct crossing){exp(at), exp(at) * expm1(radius)};
}

/* Where the values cross the accuracy beyond `from`, the last or the first of the points; NaN if it is NULL. Args:
 * way, to the rest of the points. */
static double extrapolate(const struct point *points, size_t count, const struct point *from, int way,
                          double accuracy)
{
    const struct point *node[3];
    size_t n = 0;
    double ignored;
    for (; from != NULL && n < 3; from = neighbour(points, count, from, way, SPACING))
        node[n++] = from;
    if (n == 0)
        return NAN;
    return n == 1 ? (double)node[0]->steps * upper(node[0]) / accuracy
                  : exp(interpolate(node, n, accuracy, &ignored));
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
    if (last[2] == NULL || last[2]->value > SATURATION)
        return 0.0;
    double radius = 3.0 * fmax(last[0]->radius, fmax(last[1]->radius, last[2]->radius));
    double floor = fmin(at_zero(last[2], last[1]), at_zero(last[1], last[0])) - radius;
    return floor > accuracy ? floor : 0.0;
}

struct bracket bracket_find(const struct point *points, size_t count, double accuracy, size_t attempt)
{
    struct bracket bracket = {.reach = REACH_BEYOND, .beyond = NAN};
    const struct point *last = NULL; /* known */
    size_t pass = 0;
    while (pass < count && !(upper(&points[pass]) <= accuracy))
        pass++;
    bracket.tried = pass > 0 ? points[pass - 1].steps : 0;
    for (size_t i = 0; i < pass; i++) {
        if (!isnan(points[i].value)) {
            last = &points[i];
            bracket.fails = last->steps;
        }
        if (points[i].value - points[i].radius > accuracy)
            bracket.certain = points[i].steps;
    }
    if (pass == count) {
        bracket.floor = find_floor(points, count, accuracy);
        bracket.beyond = extrapolate(points, count, last, -1, accuracy);
        return bracket;
    }
    if (pass == 0)
        bracket.beyond = extrapolate(points, count, points, 1, accuracy);
    bracket.passes = points[pass].steps;
    const size_t before = bracket.passes - 1;
    const struct crossing crossing = find_crossing(points, count, pass, accuracy);
    if (bracket.fails < before && crossing.steps - crossing.radius > (double)before)
        bracket.fails = bracket.certain = before;
    bracket.reach = bracket.fails == 0 ? REACH_AT_START : bracket.fails == before ? REACH_FOUND : REACH_OPEN;
    if (bracket.reach == REACH_FOUND || pass == 0 || bracket.tried == before)
        return bracket;
    const double guess = attempt < INTERPOLATIONS && isfinite(crossing.steps)
                             ? ceil(crossing.steps)
                             : 0.5 * (double)(bracket.tried + bracket.passes);
    bracket.sure = attempt < INTERPOLATIONS && ceil(crossing.steps - crossing.radius) == guess
                   && ceil(crossing.steps + crossing.radius) == guess;
    bracket.want = (size_t)fmin(fmax(guess, (double)bracket.tried + 1.0), (double)before);
    return bracket;
}
