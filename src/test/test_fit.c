/* Exponents from synthetic cells: exact power laws, known noise, and windows that hold too little. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "verdict/fit.h"

#include "test/suite.h"

TEST_SUITE(fit);

enum { DIMENSIONS = 5, VALUES = 7, CELLS = DIMENSIONS * VALUES };

static uint64_t state;

static double uniform(void)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return ((double)(state >> 11) + 0.5) * 0x1p-53;
}

static double normal(void)
{
    return sqrt(-2.0 * log(uniform())) * cos(2.0 * M_PI * uniform());
}

/* y = a log d + b x + 0.7, with noise of the given size. */
static size_t make_cells(struct fit_cell *cells, size_t dimensions, size_t values, double a, double b, double noise)
{
    size_t count = 0;
    for (size_t d = 0; d < dimensions; d++)
        for (size_t v = 0; v < values; v++) {
            double log_d = log(4.0) * (double)d, x = 2.3 + 0.9 * (double)v;
            cells[count++] = (struct fit_cell){log_d, x, a * log_d + b * x + 0.7 + noise * normal(), d, v};
        }
    return count;
}

static struct fit fit(const struct fit_cell *cells, size_t count, size_t extreme)
{
    struct fit out;
    ASSERT_OK(fit_exponents, cells, count, extreme, &out);
    ck_assert_uint_eq(out.cells, count);
    return out;
}

static const struct {
    double a, b;
} exponents[] = {{1.25, 0.5}, {1.0, 1.0}, {0.25, 0.5}, {0.5, 1.0 / 3.0}, {0.0, 2.0}, {-0.3, -1.0}, {0.7, 0.0}};

TEST(test_exact, .count = COUNT(exponents))
{
    struct fit_cell cells[CELLS];
    double a = exponents[_i].a, b = exponents[_i].b;
    struct fit f = fit(cells, make_cells(cells, DIMENSIONS, VALUES, a, b, 0.0), VALUES - 1);
    ck_assert(f.ok && f.has_d);
    ck_assert_double_eq_tol(f.x.value, b, 1e-10);
    ck_assert_double_eq_tol(f.d.value, a, 1e-10);
    ck_assert(f.x.interval >= 0.0 && f.x.interval < 1e-10 && f.d.interval >= 0.0 && f.d.interval < 1e-10);
    ck_assert_double_eq_tol(f.constant, 0.7, 1e-10);
    ck_assert_double_lt(f.x.rms, 1e-12);
}

/* Some constant for each dimension leaves the exponent in x alone, and one for each x that in d. */
TEST(test_constants)
{
    struct fit_cell cells[CELLS];
    size_t count = make_cells(cells, DIMENSIONS, VALUES, 0.0, 0.5, 0.0);
    for (size_t i = 0; i < count; i++)
        cells[i].y += sin(7.0 * (double)cells[i].dimension);
    ck_assert_double_eq_tol(fit(cells, count, VALUES - 1).x.value, 0.5, 1e-10);
    count = make_cells(cells, DIMENSIONS, VALUES, 1.25, 0.0, 0.0);
    for (size_t i = 0; i < count; i++)
        cells[i].y += sin(7.0 * (double)cells[i].other);
    ck_assert_double_eq_tol(fit(cells, count, VALUES - 1).d.value, 1.25, 1e-10);
}

/* A staircase of cells, as a window in T leaves them, and one dimension alone. */
TEST(test_ragged)
{
    struct fit_cell all[CELLS], cells[CELLS];
    size_t count = 0, total = make_cells(all, DIMENSIONS, VALUES, 1.25, 0.5, 0.0);
    for (size_t i = 0; i < total; i++)
        if (all[i].other + all[i].dimension >= 3 && all[i].other + all[i].dimension <= 7)
            cells[count++] = all[i];
    struct fit f = fit(cells, count, VALUES - 1);
    ck_assert(f.ok && f.has_d && f.x.interval < 1e-9 && f.d.interval < 1e-9);
    ck_assert_double_eq_tol(f.x.value, 0.5, 1e-10);
    ck_assert_double_eq_tol(f.d.value, 1.25, 1e-10);
    f = fit(all, VALUES, VALUES - 1);
    ck_assert(f.ok && !f.has_d);
    ck_assert_double_eq_tol(f.x.value, 0.5, 1e-10);
}

/* Least squares by the normal equations: the interval is Student's, plus the larger shift from the two probes. */
TEST(test_interval)
{
    /* one dimension, y = x + (1, -1, -1, 1)/10: slope 1, residual sum of squares 0.04, freedom 2, sum of squares of x
     * 5 */
    static const double bump[] = {0.1, -0.1, -0.1, 0.1};
    struct fit_cell cells[4];
    for (size_t i = 0; i < 4; i++)
        cells[i] = (struct fit_cell){0.0, (double)i, (double)i + bump[i], 0, i};
    struct fit f = fit(cells, 4, 3);
    double student = 4.302652729749462 * sqrt(0.04 / 2.0 / 5.0); /* the 97.5% point at 2 degrees of freedom */
    ck_assert(f.ok && !f.has_d);
    ck_assert_double_eq_tol(f.x.value, 1.0, 1e-12);
    ck_assert_double_eq_tol(f.x.rms, 0.1, 1e-12);
    /* without the extreme cell the slope is 1 - 0.1 */
    ck_assert_double_eq_tol(f.x.interval, student + 0.1, 1e-10);
}

/* The 95% interval, widened by the probes, must hold the true exponent at least about so often, and not be wide for
 * nothing. */
TEST(test_coverage)
{
    enum { TRIALS = 2000 };
    struct fit_cell cells[CELLS];
    size_t covered_x = 0, covered_d = 0;
    double width = 0.0;
    state = 20241023;
    for (int trial = 0; trial < TRIALS; trial++) {
        struct fit f = fit(cells, make_cells(cells, DIMENSIONS, VALUES, 1.0, 0.5, 0.05), VALUES - 1);
        covered_x += fabs(f.x.value - 0.5) <= f.x.interval;
        covered_d += fabs(f.d.value - 1.0) <= f.d.interval;
        width += f.x.interval / TRIALS;
    }
    ck_assert_msg((double)covered_x > 0.94 * TRIALS && (double)covered_d > 0.94 * TRIALS, "covered %zu and %zu of %d",
                  covered_x, covered_d, TRIALS);
    /* the standard error is 0.05/sqrt(5 * 28 * 0.81) = 0.0047 */
    ck_assert_msg(width > 2.0 * 0.0047 && width < 4.0 * 0.0047, "the mean half width is %g", width);
}

/* A drift of the slope, as before an asymptotic regime, is in the interval although the residuals are small. */
TEST(test_drift)
{
    struct fit_cell cells[CELLS];
    size_t count = make_cells(cells, DIMENSIONS, VALUES, 1.0, 0.5, 0.0);
    for (size_t i = 0; i < count; i++)
        cells[i].y += 0.02 * cells[i].x * cells[i].x;
    struct fit f = fit(cells, count, VALUES - 1);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (cells[i].other != VALUES - 1)
            cells[kept++] = cells[i];
    double shift = fabs(fit(cells, kept, VALUES).x.value - f.x.value);
    ck_assert(shift > 0.01);
    ck_assert_double_gt(f.x.interval, shift);
}

static const struct {
    size_t dimensions, values;
    const char *reason;
} small[] = {{0, 0, "no cell"}, {1, 1, "too few"}, {1, 3, "too few"}, {3, 1, "too few"}, {5, 2, "too few"}};

TEST(test_too_few, .count = COUNT(small))
{
    struct fit_cell cells[CELLS];
    struct fit f =
        fit(cells, make_cells(cells, small[_i].dimensions, small[_i].values, 1.0, 1.0, 0.0), small[_i].values);
    ck_assert(!f.ok && !f.has_d);
    ck_assert_ptr_nonnull(f.reason);
    ck_assert_msg(strstr(f.reason, small[_i].reason) != NULL, "%s", f.reason);
}

/* A cell that is alone in its group moves no slope, and is not counted as if it did. */
TEST(lone_cells_have_no_weight)
{
    const struct fit_cell cells[] = {
        {0, 1, 1, 0, 0}, {0, 2, 2.1, 0, 1}, {0, 3, 2.9, 0, 2}, {0, 4, 4.2, 0, 3}, {1, 2, 50, 1, 1}};
    struct fit all, without;
    struct error error = {STATUS_OK, ""};
    ck_assert_int_eq((int)fit_exponents(cells, 5, 3, &all, &error), (int)STATUS_OK);
    ck_assert_int_eq((int)fit_exponents(cells, 4, 3, &without, &error), (int)STATUS_OK);
    ck_assert_uint_eq(all.weighed_x, 4);
    ck_assert_uint_eq(all.weighed_d, 2); /* those at x = 2 */
    ck_assert_uint_eq(without.weighed_x, 4);
    ck_assert_double_eq_tol(all.x.value, without.x.value, 1e-12);
    ck_assert_double_eq_tol(all.x.least_squares, without.x.least_squares, 1e-12);
}
