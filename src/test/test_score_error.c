/* Score errors against quadrature of their own, in long double: the size (13) of every shape, profile and spread. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/score_error.h"

#include "test/suites.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

enum { POINTS = 16 };
#define REACH 12.0L /* standard deviations; beyond lies 1e-33 */

/* Gauss-Legendre on [-1, 1]. */
static void legendre(long double *node, long double *weight)
{
    for (int i = 0; i < POINTS; i++) {
        long double x = cosl(3.14159265358979323846L * (i + 0.75L) / (POINTS + 0.5L)), slope = 1.0L;
        for (int newton = 0; newton < 20; newton++) {
            long double before = 0.0L, p = 1.0L;
            for (int k = 0; k < POINTS; k++) {
                long double next = ((2 * k + 1) * x * p - k * before) / (k + 1);
                before = p;
                p = next;
            }
            slope = POINTS * (x * p - before) / (x * x - 1.0L);
            x -= p / slope;
        }
        node[i] = x;
        weight[i] = 2.0L / ((1.0L - x * x) * slope * slope);
    }
}

static long double piece(const struct mixture_level *mixture, const struct error_level *at, size_t k,
                         long double from, long double to)
{
    static long double node[POINTS], weight[POINTS];
    long double total = 0.0L;
    if (weight[0] == 0.0L)
        legendre(node, weight);
    for (int i = 0; i < POINTS; i++) {
        long double u = 0.5L * (from + to) + 0.5L * (to - from) * node[i];
        double x = (double)(u * mixture->sd[k]), value = 0.0, work;
        error_level_add(at, mixture, k, 1, &x, &value, &work);
        total += weight[i] * expl(-0.5L * u * u) * (long double)value * (long double)value;
    }
    return 0.5L * (to - from) * total / sqrtl(2.0L * 3.14159265358979323846L);
}

/* E e(X)^2, a component at a time in its own standard deviations, in pieces that end where the error jumps. */
static long double square_mean(const struct mixture_level *mixture, const struct error_level *at)
{
    const struct factor *factor = mixture->factor;
    long double total = 0.0L;
    if (at->shape == NULL)
        return 0.0L;
    for (size_t k = 0; k < factor->components; k++) {
        long double sd = mixture->sd[k], centre = mixture->root_alpha_bar * factor->mean[k], sum = 0.0L;
        long double length = fminl(0.5L, at->edges == 0 && at->scale > 0.0 ? 1.0L / (at->scale * sd) : 0.5L);
        for (long double from = -REACH, to; from < REACH; from = to) {
            to = fminl(from + length, REACH);
            for (size_t j = 0; j < at->edges; j++) {
                long double edge = (at->edge[j] - centre) / sd;
                if (edge > from && edge < to)
                    to = edge;
            }
            sum += piece(mixture, at, k, from, to);
        }
        total += factor->weight[k] * sum;
    }
    return total;
}

static const struct factor factors[] = {
    {1, (double[]){1.0}, (double[]){0.3}, (double[]){0.5}},
    {1, (double[]){1.0}, (double[]){0.0}, (double[]){0.0}},
    {2, (double[]){0.5, 0.5}, (double[]){-1.0, 1.0}, (double[]){0.3, 0.3}},
    {3, (double[]){0.1, 0.7, 0.2}, (double[]){0.0, 1.0, 2.5}, (double[]){0.2, 0.1, 1.5}},
    {2, (double[]){0.5, 0.5}, (double[]){-1.0, 1.0}, (double[]){0.0, 0.0}},
    {2, (double[]){0.75, 0.25}, (double[]){-1.0, 1.0}, (double[]){0.0, 0.0}},
    {3, (double[]){0.25, 0.5, 0.25}, (double[]){-1.0, 0.0, 3.0}, (double[]){1e-12, 0.0, 1.0}},
    {2, (double[]){0.5, 0.5}, (double[]){-0.2, 0.1}, (double[]){1.0, 1e-6}},
    {2, (double[]){0.9, 0.1}, (double[]){0.0, 0.0}, (double[]){1.0, 1e6}},
};

static const double noises[] = {1e-24, 1e-8, 1e-3, 0.5, 0.999};

static const struct score_error errors[] = {
    {.roughness = 1.0, .probability = 0.01},    {.roughness = 1e-7, .probability = 1e-9},
    {.roughness = 0.03, .probability = 1e-4},   {.roughness = 30.0, .probability = 0.3},
    {.roughness = 400.0, .probability = 0.499},
};

START_TEST(every_shape_has_size_one)
{
    struct mixture_level mixture;
    ck_assert_int_eq(mixture_level_new(&factors[_i], &mixture, NULL), STATUS_OK);
    for (int n = 0; n < COUNT(noises); n++) {
        mixture_level_set(&mixture, &(struct level){1.0 - noises[n], noises[n]});
        for (size_t s = 0; error_shape_at(s) != NULL; s++)
            for (int e = 0; e < COUNT(errors) && (e == 0 || error_shape_at(s)->parameters != 0); e++) {
                struct error_level at = {.shape = error_shape_at(s), .amplitude = 1.0};
                at.shape->prepare(&errors[e], &mixture, &at);
                long double size = square_mean(&mixture, &at);
                ck_assert_msg(fabsl(size - 1.0L) < 1e-10L, "%s %d, factor %d, noise %g: %.15Lg", at.shape->name, e,
                              _i, noises[n], size);
            }
    }
    mixture_level_free(&mixture);
}
END_TEST

Suite *score_error_suite(void)
{
    Suite *suite = suite_create("score_error");
    TCase *tcase = tcase_create("size");
    tcase_add_loop_test(tcase, every_shape_has_size_one, 0, COUNT(factors));
    suite_add_tcase(suite, tcase);
    return suite;
}
