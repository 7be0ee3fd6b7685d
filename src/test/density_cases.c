#include "test/density_cases.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/legendre.h"

#include "test/brute.h"
#include "test/suite.h"
#include "test/targets.h"

static long double laplace(long double place, long double u)
{
    return expl(-fabsl(place - 0.25L + u) / 0.5L);
}

static long double uniform(long double place, long double u)
{
    return place + u >= -1.0L && place + u <= 1.0L;
}

static long double exponential(long double place, long double u)
{
    return place + u >= 0.0L ? expl(-(place + u) / 0.5L) : 0.0L;
}

static long double double_well(long double place, long double u)
{
    long double x = place + u, square = x * x;
    return expl(square * (6.0L - square) + x / 2.0L - 9.0L);
}

static long double logistic(long double place, long double u)
{
    long double x = fabsl(place + u) / 0.5L, small = expl(-x), sum = 1.0L + small;
    return small / (sum * sum);
}

/* One piece is flat up to less than 1e-8; one pair is close to the next, and its piece is short and steep. */
static double pairs[] = {-1.0, -2.0, -0.25, 0.0, 0.5, -5e-9, 0.5001, 0.25, 2.0, -3.0};

static long double tabulated(long double place, long double u)
{
    enum { PAIRS = COUNT(pairs) / 2 };
    for (int i = 0; i + 1 < PAIRS; i++) {
        const double *at = pairs + 2 * i;
        long double left = (place - at[0]) + u, right = (place - at[2]) + u;
        if (left >= 0.0L && right <= 0.0L)
            return expl(at[1] + (at[3] - (long double)at[1]) * left / (at[2] - (long double)at[0]));
    }
    return 0.0L;
}

const struct density_case density_cases[DENSITY_CASES] = {
    {"laplace", laplace, 0.5, -30.0, 30.0, 1, {0.25}},
    {"uniform", uniform, 1.0, -1.0, 1.0, 2, {-1.0, 1.0}},
    {"exponential", exponential, 0.5, 0.0, 30.0, 1, {0.0}},
    {"double-well", double_well, 0.2, -5.0, 5.0, 0, {0.0}},
    {"logistic", logistic, 0.25, -30.0, 30.0, 0, {0.0}},
    {"tabulated", tabulated, 0.25, -1.0, 2.0, 5, {-1.0, -0.25, 0.5, 0.5001, 2.0}},
};

struct target density_target(const struct density_case *of)
{
    struct target target;
    target_init(&target, target_family_find(of->family));
    snprintf(target.name, sizeof target.name, "%s", of->family);
    if (strcmp(of->family, "laplace") == 0) {
        *real_in(&target, "mean") = 0.25;
        *real_in(&target, "scale") = 0.5;
    } else if (strcmp(of->family, "logistic") == 0 || strcmp(of->family, "exponential") == 0)
        *real_in(&target, "scale") = 0.5;
    else if (strcmp(of->family, "tabulated") == 0)
        *numbers_in(&target, "file") = (struct file_numbers){COUNT(pairs), pairs};
    return target;
}

struct factor_list density_factors(const struct density_case *of)
{
    struct target target = density_target(of);
    struct factor_list list;
    ASSERT_OK(target_factors, &target, 1, &list);
    return list;
}

struct factor density_masses(const struct density_case *of, double *block)
{
    enum { ELEMENT = 16 };
    double rule_node[ELEMENT], rule_weight[ELEMENT], total = 0.0, *at = block + BRUTE_COMPONENTS;
    double from = fmax(of->lowest, -12.0), end = fmin(of->highest, 16.0), edge[MOST_KINKS + 2] = {from};
    size_t edges = 1, count = 0;
    for (int k = 0; k < of->kinks; k++)
        if (of->kink[k] > from && of->kink[k] < end)
            edge[edges++] = of->kink[k];
    edge[edges] = end;
    legendre_rule(ELEMENT, rule_node, rule_weight);
    for (size_t e = 0; e < edges; e++) {
        size_t parts = 1 + (size_t)((edge[e + 1] - edge[e]));
        double half = 0.5 * (edge[e + 1] - edge[e]) / (double)parts;
        for (size_t p = 0; p < parts; p++)
            for (size_t i = 0; i < ELEMENT; i++, count++) {
                ck_assert_uint_lt(count, BRUTE_COMPONENTS);
                at[count] = edge[e] + half * (2.0 * (double)p + 1.0 + rule_node[i]);
                block[count] = half * rule_weight[i] * (double)of->shape(0.0L, at[count]);
                total += block[count];
            }
    }
    for (size_t i = 0; i < count; i++) {
        block[i] /= total;
        at[BRUTE_COMPONENTS + i] = 0.0;
    }
    return (struct factor){1, count, block, at, at + BRUTE_COMPONENTS, NULL, NULL, NULL};
}
