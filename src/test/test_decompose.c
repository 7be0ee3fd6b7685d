/* Mixtures taken apart by rotations: into lines, a plane and Gaussians. */
#include <math.h>

#include "model/decompose.h"

#include "test/plane_laws.h"
#include "test/suite.h"

TEST_SUITE(decompose);

static struct factor_list decomposed(const struct factor *factor, double multiplicity)
{
    struct factor_list list = {0};
    ASSERT_OK(factor_list_append, &list, factor, multiplicity);
    ASSERT_OK(factor_list_decompose, &list);
    return list;
}

/* Three modes in d = 16 become a plane and Gaussians. */
TEST(test_decomposition)
{
    enum { D = 16 };
    double means[3 * D];
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < D; i++)
            means[k * D + i] = 0.2 + 0.3 * sin((double)(k * 7 + i * (k + 1)));
    struct factor factor = {D, 3, third, means, equal, NULL, NULL, NULL};
    OWNED(factor_list) list = decomposed(&factor, 2.0);
    ck_assert_uint_eq(list.count, 3);
    const struct factor *plane = &list.group[0].factor;
    ck_assert_uint_eq(plane->dimension, 2);
    ck_assert_double_eq(list.group[0].multiplicity, 2.0);
    ck_assert_double_eq(list.group[1].multiplicity, 2.0);
    ck_assert_double_eq(list.group[2].multiplicity, 26.0);
    ck_assert_double_eq(list.group[2].factor.mean[0], 0.0);
    ck_assert_double_eq(list.group[2].factor.sd[0], 0.3);
    for (size_t j = 0; j < 3; j++)
        for (size_t k = 0; k <= j; k++) {
            double before = 0.0, after = list.group[1].factor.mean[0] * list.group[1].factor.mean[0];
            for (size_t i = 0; i < D; i++)
                before += means[j * D + i] * means[k * D + i];
            for (size_t i = 0; i < 2; i++)
                after += plane->mean[2 * j + i] * plane->mean[2 * k + i];
            ck_assert_double_eq_tol(after, before, 1e-13);
        }
}

TEST(test_decomposition_into_lines)
{
    double collinear[] = {1.0, 0.0, 2.0, 0.0, 2.0, 1.0, 3.0, 0.0, 1.5, 0.5, 2.5, 0.0}, same[8] = {0.0};
    struct factor line = {4, 3, third, collinear, equal, NULL, NULL, NULL};
    struct factor_list list = decomposed(&line, 1.0);
    ck_assert_uint_eq(list.count, 3);
    ck_assert_uint_eq(list.group[0].factor.dimension, 1);
    ck_assert_double_eq_tol(fabs(list.group[0].factor.mean[1] - list.group[0].factor.mean[0]), sqrt(3.0), 1e-12);
    ck_assert_double_eq(list.group[2].multiplicity, 2.0);
    factor_list_free(&list);
    struct factor point = {4, 2, half, same, equal, NULL, NULL, NULL};
    list = decomposed(&point, 3.0);
    ck_assert_uint_eq(list.count, 1);
    ck_assert_double_eq(list.group[0].multiplicity, 12.0);
    factor_list_free(&list);
    list = decomposed(&three, 1.0); /* unequal widths */
    ck_assert_uint_eq(list.count, 1);
    ck_assert_uint_eq(list.group[0].factor.dimension, 2);
    factor_list_free(&list);
    list = decomposed(&product, 1.0); /* equal ones, that fill the plane */
    ck_assert_uint_eq(list.count, 1);
    factor_list_free(&list);
    /* squares of distances, or distances, beyond what a double holds: they were taken for no distance */
    for (int i = 0; i < 3; i++) {
        const double x = (const double[]){1e-170, 1e160, 1.7e308}[i];
        double apart[] = {x, 0.0, x, 0.0, -x, 0.0, -x, 0.0};
        const struct factor wide = {4, 2, half, apart, equal, NULL, NULL, NULL};
        list = decomposed(&wide, 1.0);
        ck_assert_uint_eq(list.group[0].factor.dimension, i < 2 ? 1 : 4);
        ck_assert_uint_eq(list.group[0].factor.components, 2);
        factor_list_free(&list);
    }
}

/* One component of variances 4 and 1 along axes that are turned. */
TEST(test_decomposition_into_axes)
{
    double matrix[] = {3.25, 1.299038105676658, 1.299038105676658, 1.75}, mean[] = {0.8660254037844386, 0.5};
    const double one = 1.0;
    const struct covariances full = {1, matrix};
    const struct factor factor = {2, 1, &one, mean, NULL, &full, NULL, NULL};
    OWNED(factor_list) list = decomposed(&factor, 3.0);
    ck_assert_uint_eq(list.count, 2);
    for (size_t i = 0; i < 2; i++) { /* ascending; the mean is on the axis of the second */
        ck_assert_double_eq(list.group[i].multiplicity, 3.0);
        ck_assert_double_eq_tol(list.group[i].factor.sd[0], i == 0 ? 1.0 : 2.0, 1e-12);
        ck_assert_double_eq_tol(fabs(list.group[i].factor.mean[0]), i == 0 ? 0.0 : 1.0, 1e-12);
    }
}
