/* The elementary functions against long double libm, over the domains that vmath.h states. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "core/legendre.h"
#include "core/vmath.h"

#include "test/suite.h"

TEST_SUITE(vmath);

enum { POINTS = 200000, MOST_LENGTH = 131, OFFSETS = 9 };

#define TOLERANCE 3e-16L

struct function {
    const char *name;
    void (*evaluate)(size_t n, const double *x, double *out);
    long double (*exact)(long double x);
    double low, high; /* domain of the random points */
    double smallest;  /* of the points on a logarithmic scale; 0 for none */
    double edges[12];
    size_t edge_count;
};

static void sine_turns(size_t n, const double *x, double *out)
{
    static double other[POINTS];
    vsincos_turns(n, x, out, other);
}

static void cosine_turns(size_t n, const double *x, double *out)
{
    static double other[POINTS];
    vsincos_turns(n, x, other, out);
}

/* An error of 1e-19 in 2 pi counts as little as one in its argument, because whole quarter turns come off exactly. */
static long double exact_sine_turns(long double x)
{
    long double quarters = rintl(4.0L * x), angle = 6.283185307179586476925286766559L * (x - 0.25L * quarters);
    int quarter = (int)quarters & 3;
    long double size = quarter % 2 == 0 ? sinl(angle) : cosl(angle);
    return quarter < 2 ? size : -size;
}

static long double exact_cosine_turns(long double x)
{
    return exact_sine_turns(x + 0.25L);
}

static const struct function functions[] = {
    {"vexp",
     vexp,
     expl,
     -708.0,
     709.0,
     1e-300,
     {-708.0, 709.0, 0.0, -0.0, 0x1.62e42fefa39efp-2, -0x1.62e42fefa39efp-2, 0x1.62e42fefa39efp-1, 1e-320,
      708.9999999, 0.5},
     10},
    {"vexpm1",
     vexpm1,
     expm1l,
     -708.0,
     709.0,
     1e-300,
     {-708.0, 709.0, -1.0, 1.0, 0x1.62e42fefa39efp-2, -0x1.62e42fefa39efp-2, 0x1.62e42fefa39efp-1, 0x1p-53, -0x1p-54,
      0.4},
     10},
    {"vexpm1 near 0", vexpm1, expm1l, -1.5, 1.5, 1e-300, {0.34657359, -0.34657359, 0.3465736, -0.3465736, 1e-9}, 5},
    {"vlog",
     vlog,
     logl,
     1e-3,
     1e3,
     1e-307,
     {0x1p-1022, 0x1.6a09e667f3bccp1023, 0x1.fffffffffffffp-1, 0x1.0000000000001p0, 0x1.6a09e667f3bccp0,
      0x1.6a09e667f3bcdp0, 0x1.6a09e667f3bccp-1, 0x1.6a09e667f3bcdp-1, 2.0, 0.5},
     10},
    {"vlog of the largest", vlog, logl, 1.0, 2.0, 0.0, {0x1.6a09e667f3bcdp1023, 0x1.fffffffffffffp1023}, 2},
    {"vlog near 1", vlog, logl, 0.6, 1.6, 0.0, {1.0 + 1e-10, 1.0 - 1e-10}, 2},
    {"vlog1p near 0",
     vlog1p,
     log1pl,
     -0.29,
     0.29,
     1e-300,
     {-0.2899999999, 0.2899999999, 0x1p-53, -0x1p-54, 1e-160},
     5},
    {"vlog1p",
     vlog1p,
     log1pl,
     -0.999,
     50.0,
     1e-300,
     {-0x1.fffffffffffffp-1, 0x1p1000, -0.5, 0.29, -0.29, 0.30, 1e-18},
     7},
    {"sine of vsincos_turns",
     sine_turns,
     exact_sine_turns,
     0.0,
     1.0,
     1e-300,
     {0.0, 0.125, 0x1.0000000000001p-3, 0.25, 0x1.fffffffffffffp-3, 0.375, 0.5, 0x1.0000000000001p-1, 0.75, 0.875,
      1.0, 0x1.fffffffffffffp-1},
     12},
    {"cosine of vsincos_turns",
     cosine_turns,
     exact_cosine_turns,
     0.0,
     1.0,
     1e-300,
     {0.0, 0.125, 0x1.0000000000001p-3, 0.25, 0x1.fffffffffffffp-3, 0.375, 0.5, 0x1.0000000000001p-1, 0.75, 0.875,
      1.0, 0x1.fffffffffffffp-1},
     12},
};

static uint64_t state = 1;

static double uniform(double low, double high)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return low + (high - low) * (double)(state >> 11) * 0x1p-53;
}

/* A third of the points spread over the domain, a third on a logarithmic scale with both signs where the domain has
 * both. */
static double point(const struct function *function, size_t i)
{
    if (i < function->edge_count)
        return function->edges[i];
    if (i % 3 != 0 || function->smallest == 0.0)
        return uniform(function->low, function->high);
    double size = exp(uniform(log(function->smallest), log(function->high)));
    return i % 2 == 0 && function->low < 0.0 && size < -function->low ? -size : size;
}

TEST(test_accuracy, .count = COUNT(functions))
{
    static double x[POINTS], out[POINTS];
    const struct function *function = &functions[_i];
    for (size_t i = 0; i < POINTS; i++)
        x[i] = point(function, i);
    function->evaluate(POINTS, x, out);
    for (size_t i = 0; i < POINTS; i++) {
        long double exact = function->exact(x[i]);
        /* below the normal numbers half a unit in the last place is no relative error any more */
        long double allowed = TOLERANCE * fabsl(exact) + (fabsl(exact) < 0x1p-1022L ? 0x1p-1074L : 0.0L);
        if (!(fabsl(out[i] - exact) <= allowed)) /* ck_assert writes to a pipe, each time */
            ck_abort_msg("%s(%a) = %a, not %La: relative error %.3Lg", function->name, x[i], out[i], exact,
                         fabsl(out[i] / exact - 1.0L));
    }
}

/* Every length and alignment, in place or not, gives the bits that the same number gives alone. */
TEST(test_same_bits, .count = COUNT(functions))
{
    const struct function *function = &functions[_i];
    double x[MOST_LENGTH + OFFSETS], alone[MOST_LENGTH + OFFSETS], out[MOST_LENGTH + OFFSETS];
    for (size_t i = 0; i < MOST_LENGTH + OFFSETS; i++)
        x[i] = point(function, i);
    for (size_t i = 0; i < MOST_LENGTH + OFFSETS; i++)
        function->evaluate(1, &x[i], &alone[i]);
    for (size_t offset = 0; offset < OFFSETS; offset++)
        for (size_t n = 0; n <= MOST_LENGTH; n++)
            for (int in_place = 0; in_place < 2; in_place++) {
                memcpy(out, x, sizeof out);
                function->evaluate(n, in_place ? out + offset : x + offset, out + offset);
                ck_assert_mem_eq(out, x, offset * sizeof *x);
                ck_assert_mem_eq(out + offset, alone + offset, n * sizeof *x);
                ck_assert_mem_eq(out + offset + n, x + offset + n, (MOST_LENGTH + OFFSETS - offset - n) * sizeof *x);
            }
}

TEST(test_clamp)
{
    const double x[] = {-709.0, -1e300, -INFINITY, 709.5, 1e300, INFINITY};
    double out[6];
    vexp(6, x, out);
    for (int i = 0; i < 6; i++) {
        double clamped = i < 3 ? -708.0 : 709.0, expected;
        vexp(1, &clamped, &expected);
        ck_assert_mem_eq(&out[i], &expected, sizeof expected);
        ck_assert(isnormal(out[i]) && out[i] > 0.0);
    }
}

/* The absolute error counts where a sine is a coordinate; a coarse grid shows every eighth turn, random points the
 * rest. */
TEST(test_turns)
{
    static double x[POINTS], sine[POINTS], cosine[POINTS];
    for (size_t i = 0; i < POINTS; i++)
        x[i] = i <= 1024 ? (double)i / 1024.0 : uniform(0.0, 1.0);
    vsincos_turns(POINTS, x, sine, cosine);
    long double worst = 0.0L;
    for (size_t i = 0; i < POINTS; i++) {
        worst = fmaxl(worst, fabsl(sine[i] - exact_sine_turns(x[i])));
        worst = fmaxl(worst, fabsl(cosine[i] - exact_cosine_turns(x[i])));
    }
    ck_assert_msg(worst < 1.6e-16L, "absolute error %.3Lg", worst);
}

/* n nodes integrate x^(2n - 2) as exactly as 1. */
TEST(legendre_rules_are_exact_to_rounding)
{
    double node[40], weight[40];
    for (size_t n = 1; n <= 40; n++) {
        double total = 0.0, moment = 0.0;
        legendre_rule(n, node, weight);
        for (size_t i = 0; i < n; i++) {
            total += weight[i];
            moment += weight[i] * pow(node[i], 2.0 * (double)n - 2.0);
        }
        ck_assert_double_eq_tol(total, 2.0, 4e-15);
        ck_assert_double_eq_tol(moment, 2.0 / (2.0 * (double)n - 1.0), 4e-15);
    }
}
