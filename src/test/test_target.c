/* Target families, by their factors. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/decompose.h"
#include "model/target.h"

#include "test/suite.h"
#include "test/targets.h"

TEST_SUITE(target);

static struct target student(double nu, double scale, size_t components)
{
    struct target target;
    target_init(&target, target_family_find("student-t"));
    *real_in(&target, "nu") = nu;
    *real_in(&target, "scale") = scale;
    *integer_in(&target, "components") = components;
    return target;
}

static struct factor_list factors_of(const struct target *target, size_t d)
{
    struct factor_list list;
    ASSERT_OK(target_factors, target, d, &list);
    return list;
}

static double density(const struct factor *factor, double x)
{
    double total = 0.0;
    for (size_t k = 0; k < factor->components; k++) {
        double u = (x - factor->mean[k]) / factor->sd[k];
        total += factor->weight[k] * exp(-0.5 * u * u) / (factor->sd[k] * sqrt(2.0 * M_PI));
    }
    return total;
}

static double student_density(double nu, double x)
{
    return exp(lgamma(0.5 * nu + 0.5) - lgamma(0.5 * nu) - 0.5 * (nu + 1.0) * log1p(x * x / nu)) / sqrt(M_PI * nu);
}

static const struct {
    double nu, scale;
    size_t components;
    double variance; /* relative */
    double distance; /* total variation, as reported */
} students[] = {
    {2.5, 1.0, 24, 8e-2, 1.6e-6}, {4.0, 0.5, 24, 1e-3, 1.3e-7}, {4.0, 1.0, 200, 1e-6, 1e-14},
    {10.0, 3.0, 40, 1e-9, 1e-13}, {100.0, 1.0, 12, 1e-6, 2e-9}, {3.0, 2.0, 4, 0.3, 1e-2},
};

TEST(student_mixture_is_student, .count = COUNT(students))
{
    double nu = students[_i].nu, scale = students[_i].scale, sum = 0.0, variance = 0.0;
    struct target target = student(nu, scale, students[_i].components);
    OWNED(factor_list) list = factors_of(&target, 7);
    ck_assert_uint_eq(list.count, 1);
    ck_assert_double_eq(list.group[0].multiplicity, 7.0);
    const struct factor *factor = &list.group[0].factor;
    ck_assert_uint_eq(factor->components, students[_i].components);
    for (size_t k = 0; k < factor->components; k++) {
        ck_assert_double_gt(factor->weight[k], 0.0);
        ck_assert_double_eq(factor->mean[k], 0.0);
        sum += factor->weight[k];
        variance += factor->weight[k] * factor->sd[k] * factor->sd[k];
    }
    ck_assert_double_eq_tol(sum, 1.0, 1e-14);
    ck_assert_double_eq_tol(variance / (scale * scale * nu / (nu - 2.0)), 1.0, students[_i].variance);
    double widest = factor->sd[factor->components - 1] / scale;
    for (double x = 0.0; x < fmin(widest / 20.0, 100.0); x += 0.05)
        ck_assert_double_eq_tol(density(factor, scale * x) * scale / student_density(nu, x), 1.0,
                                30.0 * students[_i].distance);
}

/* Against a trapezoid sum in log x. */
TEST(student_distance_is_measured, .count = COUNT(students))
{
    double nu = students[_i].nu, distance = 0.0, spacing = 2e-4;
    struct target target = student(nu, 1.0, students[_i].components);
    OWNED(factor_list) list = factors_of(&target, 1);
    for (double u = -25.0; u < 35.0; u += spacing) {
        double x = exp(u);
        distance += spacing * x * fabs(density(&list.group[0].factor, x) - student_density(nu, x));
    }
    double reported = target_approximation(&target);
    ck_assert_msg(reported >= distance - 3e-15 && reported <= 1.03 * distance + 3e-15, "%g, not %g", reported,
                  distance);
    ck_assert_double_le(reported, students[_i].distance);
    *real_in(&target, "scale") = 5.0;
    ck_assert_double_eq(target_approximation(&target), reported);
}

TEST(student_converges_in_components)
{
    static const double nus[] = {2.01, 2.5, 4.0, 30.0};
    for (size_t i = 0; i < COUNT(nus); i++) {
        double before = 1.0;
        for (size_t components = 4; components <= 200; components *= 2) {
            struct target target = student(nus[i], 1.0, components);
            double distance = target_approximation(&target);
            ck_assert_double_lt(distance, fmax(0.2 * before, 5e-15));
            before = distance;
        }
    }
}

TEST(student_is_a_part)
{
    struct target sum;
    struct target_part parts[2] = {{student(2.5, 1.0, 24), 2}, {.copies = 0}};
    target_init(&parts[1].target, target_family_find("gaussian"));
    ck_assert_double_eq(target_approximation(&parts[1].target), 0.0);
    target_init(&sum, target_family_find("direct-sum"));
    *parts_in(&sum, "factors") = (struct target_list){2, parts};
    OWNED(factor_list) list = factors_of(&sum, 5);
    ck_assert_uint_eq(list.count, 2);
    ck_assert_double_eq(list.group[0].multiplicity, 2.0);
    ck_assert_uint_eq(list.group[0].factor.components, 24);
    ck_assert_double_eq(list.group[1].multiplicity, 3.0);
    ck_assert_double_eq(target_approximation(&sum), target_approximation(&parts[0].target));
}

TEST(student_is_described)
{
    struct target target;
    FREED char *text = NULL;
    size_t length;
    FILE *file = open_memstream(&text, &length);
    ck_assert_ptr_nonnull(file);
    target_init(&target, target_family_find("student-t"));
    *real_in(&target, "nu") = 2.5;
    target_describe(&target, file);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_str_eq(text, "student-t nu 2.5 scale 1 components 24");
}

static struct target plane(void)
{
    static double weights[] = {0.25, 0.75}, points[] = {-1.0, 2.5, 3.0, -0.5}, sds[] = {0.5, 0.0};
    struct target target;
    target_init(&target, target_family_find("mixture-plane"));
    set_mixture(&target, 2, weights, points, sds);
    return target;
}

TEST(plane_fills_pairs_of_coordinates)
{
    struct target target = plane();
    struct factor_list list = factors_of(&target, 6);
    ck_assert_uint_eq(list.count, 1);
    ck_assert_double_eq(list.group[0].multiplicity, 3.0);
    const struct factor *factor = &list.group[0].factor;
    ck_assert_uint_eq(factor->dimension, 2);
    ck_assert_uint_eq(factor->components, 2);
    ck_assert_mem_eq(factor->mean, points_in(&target, "means")->value, 4 * sizeof(double));
    ck_assert_mem_eq(factor->sd, reals_in(&target, "sds")->value, 2 * sizeof(double));
    ck_assert_mem_eq(factor->weight, reals_in(&target, "weights")->value, 2 * sizeof(double));
    factor_list_free(&list);
    ASSERT_FAILS(STATUS_INVALID, "dimension 3 is odd", target_factors, &target, 3, &list);
    factor_list_free(&list);
}

TEST(plane_is_described)
{
    struct target target = plane();
    FREED char *text = NULL;
    size_t length;
    FILE *file = open_memstream(&text, &length);
    ck_assert_ptr_nonnull(file);
    target_describe(&target, file);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_str_eq(text, "mixture-plane weights 0.25 0.75 means 2 -1 2.5 3 -0.5 sds 0.5 0");
}

TEST(nearly_gaussian_student_is_refused)
{
    struct factor_list list;
    struct target target = student(1e7, 1.0, 24);
    ASSERT_FAILS(STATUS_INVALID, "expected nu <= 1e+06", target_factors, &target, 1, &list);
    factor_list_free(&list);
    *real_in(&target, "nu") = 1e6;
    list = factors_of(&target, 1);
    factor_list_free(&list);
}

TEST(a_group_is_cut_in_place)
{
    struct target target;
    target_init(&target, target_family_find("gaussian"));
    *integer_in(&target, "spectrum") = 2;
    *integer_in(&target, "k") = 3;
    OWNED(factor_list) list = factors_of(&target, 8);
    ASSERT_OK(factor_list_split, &list, 0);
    ASSERT_OK(factor_list_split, &list, 2);
    factor_list_set_mean(&list, 1, 4.0);
    static const double multiplicity[] = {1.0, 2.0, 1.0, 4.0}, mean[] = {0.0, 4.0, 0.0, 0.0},
                        sd[] = {1.0, 1.0, 0.0, 0.0};
    ck_assert_uint_eq(list.count, 4);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_double_eq(list.group[i].multiplicity, multiplicity[i]);
        ck_assert_double_eq(list.group[i].factor.mean[0], mean[i]);
        ck_assert_double_eq(list.group[i].factor.sd[0], sd[i]);
        ck_assert_double_eq(list.group[i].factor.weight[0], 1.0);
    }
}

/* Each place twice, and one width of its own: components stay in the order of their first, and so do the sums. */
TEST(equal_components_become_one)
{
    enum { PLACES = 20000, ALL = 2 * PLACES + 1 };
    static double weight[ALL], mean[2 * ALL], sd[ALL];
    for (size_t k = 0; k < ALL; k++) {
        size_t place = k < PLACES ? k : k < 2 * PLACES ? 2 * PLACES - 1 - k : 7;
        mean[2 * k] = (double)(place % 173);
        mean[2 * k + 1] = (double)(place / 173);
        sd[k] = k < 2 * PLACES ? 0.5 : 0.25;
        weight[k] = (k < PLACES ? 1.0 : 3.0) / ALL;
    }
    const struct factor factor = {2, ALL, weight, mean, sd, NULL, NULL, NULL};
    OWNED(factor_list) list = {0};
    ASSERT_OK(factor_list_append, &list, &factor, 1.0);
    ASSERT_OK(factor_list_merge, &list);
    const struct factor *merged = &list.group[0].factor;
    ck_assert_uint_eq(merged->components, PLACES + 1);
    for (size_t k = 0; k <= PLACES; k++) {
        const double *at = mean + 2 * (k < PLACES ? k : ALL - 1);
        ck_assert(merged->mean[2 * k] == at[0] && merged->mean[2 * k + 1] == at[1]);
        ck_assert_double_eq(merged->weight[k], (k < PLACES ? 1.0 / ALL : 0.0) + 3.0 / ALL);
        ck_assert_double_eq(merged->sd[k], k < PLACES ? 0.5 : 0.25);
    }
}
