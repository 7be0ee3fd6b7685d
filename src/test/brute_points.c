/* A deterministic, increasing map moves a quantile to a quantile: points that start at the quantiles Phi(z) of N(0,
 * 1) end at those of q_1, exactly. TV is half the total variation of Q - P, which needs no density; where the points
 * lie only matters next to its extrema. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "test/brute_model.h"

enum { STENCIL = 5, SCOUTS = 4001, POINTS = 8001 };

#define REACH 14.0 /* in z: for chi2 where q is wide, TV needs 9 */

static void push(const struct brute_problem *problem, size_t n, double *x)
{
    const struct sampler *sampler = problem->sampler;
    double *D = calloc(n * (1 + sampler->work_arrays), sizeof *D);
    ck_assert_ptr_nonnull(D);
    for (size_t t = problem->schedule->T; t >= 2; t--) {
        struct step step = sampler_step(problem->sampler, problem->schedule, t);
        struct brute_levels levels;
        brute_levels_set(problem, &step, &levels);
        ck_assert_uint_eq(levels.from.edges + levels.to.edges, 0);
        struct brute_score score = {{.evaluate = brute_score_evaluate}, &levels, NULL};
        sampler->increment(&step, &score.base, n, x, D, D + n);
        size_t descents = 0;
        for (size_t i = 0; i < n; i++) {
            x[i] = (x[i] + D[i]) / sqrt(step.alpha);
            descents += i > 0 && !(x[i] > x[i - 1]);
        }
        ck_assert_msg(descents == 0, "step %zu is not monotone", t);
    }
    free(D);
}

/* Starting points that end about evenly spaced, and start so: between modes dx/dz is large, in them dz/dx. */
static void choose(const struct brute_problem *problem, size_t n, double *z)
{
    double scout[SCOUTS], length[SCOUTS], spacing = 2.0 * REACH / (SCOUTS - 1);
    for (size_t i = 0; i < SCOUTS; i++)
        scout[i] = spacing * (double)i - REACH;
    push(problem, SCOUTS, scout);
    length[0] = 0.0;
    for (size_t i = 1; i < SCOUTS; i++)
        length[i] = length[i - 1] + spacing + 4.0 * (scout[i] - scout[i - 1]);
    for (size_t j = 0, i = 1; j < n; j++) {
        double wanted = length[SCOUTS - 1] * (double)j / (double)(n - 1);
        while (i < SCOUTS - 1 && length[i] < wanted)
            i++;
        double part = (wanted - length[i - 1]) / (length[i] - length[i - 1]);
        z[j] = spacing * ((double)i - 1.0 + part) - REACH;
    }
}

/* The polynomial through `count` points, by Neville's scheme. */
static double neville(size_t count, const double *x, const double *value, double at)
{
    double p[STENCIL];
    memcpy(p, value, count * sizeof *p);
    for (size_t order = 1; order < count; order++)
        for (size_t i = 0; i + order < count; i++)
            p[i] = ((at - x[i + order]) * p[i] + (x[i] - at) * p[i + 1]) / (x[i] - x[i + order]);
    return p[0];
}

/* How far the extremum next to the middle point lies beyond it: by golden section, of the polynomial. */
static double overshoot(const double *x, const double *value)
{
    double a = x[STENCIL / 2 - 1], b = x[STENCIL / 2 + 1], golden = 0.3819660112501051;
    double sign = value[STENCIL / 2] > value[STENCIL / 2 - 1] ? 1.0 : -1.0;
    for (int i = 0; i < 40; i++) {
        double low = a + golden * (b - a), high = b - golden * (b - a);
        if (sign * neville(STENCIL, x, value, low) > sign * neville(STENCIL, x, value, high))
            b = high;
        else
            a = low;
    }
    return fmax(0.0, sign * (neville(STENCIL, x, value, 0.5 * (a + b)) - value[STENCIL / 2]));
}

static double normal_tail(double z, int above)
{
    return 0.5 * erfc((above ? z : -z) / sqrt(2.0));
}

/* Q - P from the side where both are small. */
static double difference(const struct brute_level *target, double z, double x)
{
    return z > 0.0 ? brute_tail(target, x, 1) - normal_tail(z, 1) : normal_tail(z, 0) - brute_tail(target, x, 0);
}

static double total_variation(const struct brute_level *target, size_t n, const double *z, const double *x)
{
    double total = 0.0, *F = calloc(n, sizeof *F);
    ck_assert_ptr_nonnull(F);
    for (size_t i = 0; i < n; i++)
        F[i] = difference(target, z[i], x[i]);
    for (size_t i = 1; i < n; i++)
        total += fabs(F[i] - F[i - 1]);
    for (size_t i = STENCIL / 2; i + STENCIL / 2 < n; i++)
        if ((F[i] - F[i - 1]) * (F[i + 1] - F[i]) < 0.0)
            total += 2.0 * overshoot(x + i - STENCIL / 2, F + i - STENCIL / 2);
    free(F);
    return total;
}

/* E_p (r - 1)^2 from the mean of r over every cell, and its variance there from the slope between the neighbours. */
static double chi2(const struct brute_level *target, size_t n, const double *z, const double *x)
{
    double total = 0.0, *r = calloc(2 * n, sizeof *r), *P = r + n;
    ck_assert_ptr_nonnull(r);
    for (size_t i = 0; i + 1 < n; i++) {
        int above = z[i] > 0.0;
        P[i] = fabs(brute_tail(target, x[i + 1], above) - brute_tail(target, x[i], above));
        double Q = fabs(normal_tail(z[i + 1], above) - normal_tail(z[i], above));
        P[i] = brute_density(target, x[i], NULL) > 1e-200 ? P[i] : 0.0;
        r[i] = P[i] > 0.0 ? Q / P[i] : 1.0;
    }
    for (size_t i = 1; i + 2 < n; i++) {
        double slope = 2.0 * (r[i + 1] - r[i - 1]) / (x[i + 2] + x[i + 1] - x[i] - x[i - 1]);
        double width = x[i + 1] - x[i], inner = P[i - 1] > 0.0 && P[i + 1] > 0.0 ? slope * width : 0.0;
        total += P[i] * ((r[i] - 1.0) * (r[i] - 1.0) + inner * inner / 12.0);
    }
    free(r);
    return total;
}

struct brute brute_with_points(const struct brute_problem *problem)
{
    size_t n = (size_t)lround((POINTS - 1) * problem->fineness) + 1;
    double *z = calloc(2 * n, sizeof *z), *x = z + n;
    ck_assert_ptr_nonnull(z);
    choose(problem, n, z);
    memcpy(x, z, n * sizeof *x);
    push(problem, n, x);
    struct brute_level target;
    brute_level_set(problem, 1, &target);
    struct brute brute = {.tv = 0.5 * total_variation(&target, n, z, x), .chi2 = chi2(&target, n, z, x), .mass = 1.0};
    for (size_t i = 0; i + 1 < n; i++) /* the mean of a cell by the values at its ends */
        for (size_t side = 0; side < 2; side++) {
            bool above = z[i] > 0.0;
            brute_share(&target, x[i + side], 0.5 * fabs(normal_tail(z[i + 1], above) - normal_tail(z[i], above)),
                        brute.component);
        }
    free(z);
    return brute;
}
