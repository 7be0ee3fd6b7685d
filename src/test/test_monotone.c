/* Inverses of maps x + D(x), D = slope sin x, by the residual that they leave and by their slope. */
#include <math.h>

#include "law/monotone.h"
#include "test/suite.h"

TEST_SUITE(monotone);

static void displacement(void *context, size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = *(const double *)context * sin(x[i]);
}

/* Where D changes slowly fewer than 2 of Newton's steps, of 7 evaluations each, are made; steep ones are found, too,
 * and where the map folds nothing is. */
TEST(inverses_of_maps)
{
    static const struct {
        double slope;
        size_t most, good;
    } cases[] = {{0.0, 9, 64}, {0.01, 13, 64}, {-0.2, 15, 64}, {0.9, 100, 64}, {-0.99, 500, 64}, {-4.0, 500, 0}};
    for (size_t c = 0; c < COUNT(cases); c++) {
        double slope = cases[c].slope, y[MONOTONE_POINTS];
        const struct monotone_map map = {.displacement = displacement, .context = &slope};
        struct monotone_inverse inverse;
        size_t good = 0;
        for (size_t j = 0; j < MONOTONE_POINTS; j++)
            y[j] = -0.3 + 0.04 * (double)(j % 16);
        const double length[] = {0.6, 0.6, 0.3, 0.6}; /* the same points on four panels */
        const struct monotone_points points = {4, 16, length, y};
        monotone_invert(&map, 8, 1.1, &points, &inverse);
        ck_assert_msg(inverse.evaluations <= cases[c].most * MONOTONE_POINTS, "slope %g: %zu", slope,
                      inverse.evaluations / MONOTONE_POINTS);
        for (size_t j = 0; j < MONOTONE_POINTS; j++) {
            good += inverse.good[j];
            if (!inverse.good[j])
                continue;
            const double x = inverse.x[j], residual = x + slope * sin(x) - 1.1 * y[j];
            ck_assert_msg(fabs(residual) < 1e-9, "slope %g: %g", slope, residual);
            ck_assert(fabs(slope) > 0.5 || fabs(residual) < 2e-15);
            ck_assert_double_eq_tol(inverse.slope[j], slope * cos(x), 1e-10);
        }
        ck_assert_msg(cases[c].good > 0 ? good == cases[c].good : good < MONOTONE_POINTS, "slope %g: %zu", slope,
                      good);
    }
}
