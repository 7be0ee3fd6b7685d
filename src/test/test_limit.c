/* Limits of exponents (theory (23)) and leading coefficients (22) from planted laws Q = C h^p (1 + a h + b h^2). */
#include <math.h>
#include <string.h>

#include "verdict/limit.h"

#include "test/suite.h"

TEST_SUITE(limit);

enum { MOST = 12 };

struct planted {
    double constant, power, a, b;
    double floor;     /* added to Q */
    double logarithm; /* Q gets this power of log(1/h) */
    double noise;     /* relative; the radius is as large */
};

/* At T = first, 2 first, 4 first, ... with h = 8.5 log T / T. */
static size_t plant(const struct planted *law, size_t first, size_t count, struct limit_point *points)
{
    for (size_t i = 0; i < count; i++) {
        double T = (double)(first << i), h = 8.5 * log(T) / T;
        double value = law->constant * pow(h, law->power) * (1.0 + law->a * h + law->b * h * h);
        value = value * pow(log(1.0 / h), law->logarithm) + law->floor;
        points[i] = (struct limit_point){h, value * (1.0 + law->noise * (i % 2 ? 1.0 : -1.0)), law->noise * value};
    }
    return count;
}

static const double powers[] = {0.5, 1.0, 4.0 / 3.0, 2.0, 3.0, 4.0};
static const double slopes[] = {-1.5, -0.3, 0.0, 0.4, 3.0};

/* Every planted pair is found within its interval; and the slope between the last two T, which the limit replaces, is
 * farther off wherever there is a next order. */
TEST(finds_planted_powers)
{
    struct limit_point points[MOST];
    for (size_t p = 0; p < COUNT(powers); p++)
        for (size_t s = 0; s < COUNT(slopes); s++)
            for (size_t last = 5; last <= 8; last++) {
                struct planted law = {0.7, powers[p], slopes[s], 0.5 * slopes[s] * slopes[s], 0.0, 0.0, 1e-7};
                size_t count = plant(&law, 128, last, points);
                struct limit limit = limit_exponent(points, count);
                struct limit coefficient = limit_log_coefficient(points, count, law.power);
                ck_assert_msg(limit.exists, "%s", limit.reason);
                ck_assert(coefficient.exists);
                ck_assert_double_le(fabs(limit.value - law.power), limit.interval);
                ck_assert_double_le(fabs(coefficient.value - log(law.constant)), coefficient.interval);
                ck_assert_double_lt(limit.interval, 0.05);
                double finite = log(points[count - 2].value / points[count - 1].value)
                                / log(points[count - 2].step_size / points[count - 1].step_size);
                if (slopes[s] != 0.0)
                    ck_assert_double_lt(fabs(limit.value - law.power), 0.5 * fabs(finite - law.power));
                if (last == 8)
                    ck_assert_double_lt(limit.interval, 0.003);
            }
}

/* Noise as large as the radii stays within the interval. */
TEST(carries_radii)
{
    struct limit_point points[MOST];
    for (double noise = 1e-6; noise < 2e-3; noise *= 10.0) {
        size_t count = plant(&(struct planted){2.0, 2.0, 0.4, 0.1, 0.0, 0.0, noise}, 128, 6, points);
        struct limit limit = limit_exponent(points, count);
        ck_assert(!limit.exists || fabs(limit.value - 2.0) <= limit.interval);
        ck_assert_double_ge(limit.interval, noise);
    }
    size_t count = plant(&(struct planted){2.0, 2.0, 0.4, 0.1, 0.0, 0.0, 0.05}, 128, 6, points);
    ck_assert(!limit_exponent(points, count).exists);
}

/* No limit where the law is no such power, or where too little is known. */
TEST(refuses)
{
    struct limit_point points[MOST];
    size_t count = plant(&(struct planted){1.0, 2.0, 0.1, 0.0, 3e-4, 0.0, 1e-9}, 128, 7, points);
    struct limit floor = limit_exponent(points, count);
    ck_assert_msg(!floor.exists && floor.reason[0] != '\0', "%f +- %f", floor.value, floor.interval);
    count = plant(&(struct planted){1.0, 1.0, -30.0, 400.0, 0.0, 0.0, 1e-9}, 256, 6, points);
    ck_assert(!limit_exponent(points, count).exists);
    for (size_t few = 0; few < 4; few++) {
        struct limit limit = limit_exponent(points, few);
        ck_assert(!limit.exists && strstr(limit.reason, "at least 4") != NULL);
    }
}

/* log C(d), C(d) = d^p (1 + c/d + e/d^2 + r/sqrt(d)), at d = first, 2 first, ...; with a radius, and the error of an
 * extrapolation in h that is alike in all d. */
struct planted_constant {
    double power, c, e, r, radius, alike;
};

static struct limit limit_of(const struct planted_constant *law, size_t first, size_t count, double *finite)
{
    struct limit constant[MOST];
    double d[MOST];
    for (size_t i = 0; i < count; i++) {
        d[i] = (double)(first << i);
        const double value =
                         law->power * log(d[i]) + log1p(law->c / d[i] + law->e / d[i] / d[i] + law->r / sqrt(d[i])),
                     error = law->alike * (1.0 + 1.0 / (double)(i + 1));
        constant[i] = (struct limit){.exists = true,
                                     .value = value + error + law->radius * (i % 2 ? 1.0 : -1.0),
                                     .interval = 3.0 * law->alike + law->radius,
                                     .others = {value + 0.5 * error, value},
                                     .radius = law->radius};
    }
    if (count > 1)
        *finite = (constant[count - 1].value - constant[count - 2].value) / log(2.0);
    return limit_dimension(constant, d, count);
}

/* Local exponents that reach the limit like 1/d from below and above, as those of codebooks do in 64 to 512
 * dimensions, are followed to it: closer than the last of them, and within the interval; so are corrections that fall
 * like d^(-1/2), which are not of the model. */
TEST(finds_planted_powers_of_d)
{
    static const struct planted_constant laws[] = {
        {1.0, 8.0, 30.0, 0.0, 0.0, 0.0},      {1.0, -6.0, 20.0, 0.0, 0.0, 0.0},  {0.5, -0.25, 0.1, 0.0, 0.0, 0.0},
        {2.0, -12.0, 100.0, 0.0, 1e-4, 1e-3}, {1.0, 8.0, 30.0, 0.0, 1e-4, 0.01}, {1.0, 0.0, 0.0, 0.4, 0.0, 0.0},
        {0.5, 0.0, 0.0, -0.3, 1e-6, 1e-4},    {0.0, 5.0, -20.0, 0.0, 1e-5, 1e-3}};
    for (int i = 0; i < COUNT(laws); i++)
        for (size_t count = 4; count <= 7; count++) {
            double finite;
            const struct limit limit = limit_of(&laws[i], 64, count, &finite);
            ck_assert_msg(limit.exists, "%d: %s", i, limit.reason);
            ck_assert_msg(fabs(limit.value - laws[i].power) <= limit.interval, "%d, %zu: %g +- %g", i, count,
                          limit.value, limit.interval);
            ck_assert_double_lt(limit.interval, count == 4 ? 0.1 : 0.05);
            if (laws[i].radius == 0.0 && laws[i].r == 0.0)
                ck_assert_double_lt(fabs(limit.value - laws[i].power), 0.3 * fabs(finite - laws[i].power));
        }
}

TEST(refuses_powers_of_d)
{
    double finite;
    ck_assert_msg(strstr(limit_of(&(struct planted_constant){.power = 1.0}, 64, 3, &finite).reason, "at least 4")
                      != NULL,
                  "three dimensions");
    static const struct planted_constant laws[] = {
        {1.0, 0.0, 0.0, 0.0, 0.05, 0.0}, {1.0, -100.0, 9000.0, 0.0, 0.0, 0.0}, {1.0, 0.0, 0.0, 0.0, 0.0, 3.0}};
    for (int i = 0; i < COUNT(laws); i++) {
        const struct limit limit = limit_of(&laws[i], 64, 4, &finite);
        ck_assert_msg(!limit.exists && limit.reason[0] != '\0', "%d: %g +- %g", i, limit.value, limit.interval);
    }
}
