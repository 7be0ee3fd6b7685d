/* Named targets of the plane, against what they are named after. */
#include <gsl/gsl_integration.h>
#include <gsl/gsl_sf_bessel.h>
#include <math.h>
#include <stdint.h>

#include "model/joint_level.h"
#include "model/shape.h"
#include "test/random.h"
#include "test/suite.h"
#include "test/targets.h"

TEST_SUITE(shapes);

/* The parameters of a family. */
struct known {
    double sd, length, rate;
    size_t count;
};

static double normal(double square, double sd)
{
    return square > 90.0 * sd * sd ? 0.0 : exp(-0.5 * square / (sd * sd)) / (2.0 * M_PI * sd * sd);
}

/* The angle is integrated out in closed form: a Bessel function. */
static double rings(const struct known *known, double x, double y)
{
    double total = 0.0, sd = known->sd, r = hypot(x, y);
    size_t count = known->count;
    for (size_t j = 1; j <= count; j++) {
        double radius = known->length * (double)j / (double)count;
        total += normal((r - radius) * (r - radius), sd) * gsl_sf_bessel_I0_scaled(r * radius / (sd * sd));
    }
    return total / (double)count;
}

static double edge(double x, double sd)
{
    return 0.5 * erf(x / (sd * M_SQRT2));
}

static double checkerboard(const struct known *known, double x, double y)
{
    double total = 0.0, sd = known->sd, side = known->length;
    size_t n = known->count;
    for (size_t square = 0; square < n * n; square++) {
        double left = side * ((double)(square / n) - 0.5 * (double)n),
               low = side * ((double)(square % n) - 0.5 * (double)n);
        if ((square / n + square % n) % 2 == 0)
            total +=
                (edge(x - left, sd) - edge(x - left - side, sd)) * (edge(y - low, sd) - edge(y - low - side, sd));
    }
    return total / (side * side * (double)((n * n + 1) / 2));
}

/* Of GSL's Gauss-Legendre rule, on [from, to]; the sum over the nodes is in the function. */
enum { NODES = 96 };
static void node_of(size_t i, double from, double to, double *at, double *weight)
{
    static gsl_integration_glfixed_table *table;
    if (table == NULL)
        table = gsl_integration_glfixed_table_alloc(NODES);
    (void)gsl_integration_glfixed_point(from, to, i, at, weight, table);
}

static double two_moons(const struct known *known, double x, double y)
{
    double total = 0.0, sd = known->sd;
    for (size_t i = 0; i < NODES; i++) {
        double t, weight;
        node_of(i, 0.0, M_PI, &t, &weight);
        double c = cos(t), s = sin(t);
        total += weight * normal((x - c) * (x - c) + (y - s) * (y - s), sd)
                 + weight * normal((x - 1.0 + c) * (x - 1.0 + c) + (y - 0.5 + s) * (y - 0.5 + s), sd);
    }
    return 0.5 * total / M_PI;
}

static double pinwheel(const struct known *known, double x, double y)
{
    double total = 0.0, sd = known->sd, radial = known->length, weights = 0.0;
    double along = sqrt(radial * radial - sd * sd);
    size_t arms = known->count;
    for (size_t i = 0; i < NODES; i++) {
        double z, weight;
        node_of(i, -6.0, 6.0, &z, &weight);
        double u = 1.0 + along * z;
        weight *= exp(-0.5 * z * z);
        weights += weight;
        for (size_t arm = 0; arm < arms; arm++) {
            double angle = known->rate * exp(u) + 2.0 * M_PI * (double)arm / (double)arms;
            total += weight * normal(pow(x - u * cos(angle), 2.0) + pow(y - u * sin(angle), 2.0), sd);
        }
    }
    return total / (weights * (double)arms);
}

static const struct {
    const char *family, *length, *rate, *count; /* and keys; NULL: none */
    double (*density)(const struct known *known, double x, double y);
    size_t points; /* 0: the standard number */
    double reach;
    double distance; /* at most, as reported */
} shapes[] = {
    {"rings", "radius", NULL, "rings", rings, 0, 1.6, 5e-4},
    {"rings", "radius", NULL, "rings", rings, 20, 1.6, 0.3},
    {"rings", "radius", NULL, "rings", rings, 2, 1.6, 0.8},
    {"checkerboard", "side", NULL, "squares", checkerboard, 0, 2.8, 1e-2},
    {"checkerboard", "side", NULL, "squares", checkerboard, 3, 2.8, 0.3},
    {"two-moons", NULL, NULL, NULL, two_moons, 0, 2.6, 1e-3},
    {"two-moons", NULL, NULL, NULL, two_moons, 14, 2.6, 0.3},
    {"pinwheel", "radial_sd", "rate", "arms", pinwheel, 0, 3.4, 5e-3},
    {"pinwheel", "radial_sd", "rate", "arms", pinwheel, 9, 3.4, 0.5},
};

static double density(const struct factor *factor, double x, double y)
{
    double total = 0.0;
    for (size_t k = 0; k < factor->components; k++) {
        double dx = x - factor->mean[2 * k], dy = y - factor->mean[2 * k + 1];
        total += factor->weight[k] * normal(dx * dx + dy * dy, factor->sd[k]);
    }
    return total;
}

enum { SIDE = 48 }; /* nodes in half of a side */

/* The midpoint rule over the plane, of the shape's density by another formula or rule. */
TEST(distance_from_a_shape_is_measured, .count = COUNT(shapes))
{
    struct target target;
    double total = 0.0, mass = 0.0, spacing = shapes[_i].reach / SIDE;
    target_init(&target, target_family_find(shapes[_i].family));
    if (shapes[_i].points > 0)
        *integer_in(&target, "points") = shapes[_i].points;
    const struct known known = {*real_in(&target, "sd"),
                                shapes[_i].length != NULL ? *real_in(&target, shapes[_i].length) : 0.0,
                                shapes[_i].rate != NULL ? *real_in(&target, shapes[_i].rate) : 0.0,
                                shapes[_i].count != NULL ? *integer_in(&target, shapes[_i].count) : 0};
    OWNED(factor_list) list = {0};
    ASSERT_OK(target_factors, &target, 2, &list);
    for (int i = -SIDE; i < SIDE; i++)
        for (int j = -SIDE; j < SIDE; j++) {
            double x = spacing * (i + 0.5), y = spacing * (j + 0.5), p = shapes[_i].density(&known, x, y);
            total += 0.5 * spacing * spacing * fabs(density(&list.group[0].factor, x, y) - p);
            mass += spacing * spacing * p;
        }
    double reported = target_approximation(&target);
    ck_assert_double_eq_tol(mass, 1.0, 2e-4);
    ck_assert_msg(reported >= 0.97 * total - 1e-7 && reported <= 1.05 * total + 1e-5, "%g, not %g", reported, total);
    ck_assert_double_le(reported, shapes[_i].distance);
    if (shapes[_i].points > 0)
        ck_assert_double_gt(reported, 1e-2);
}

/* Two pairs of Gaussians of one sd, with one in common: half of erf(distance/(2 sqrt(2) sd)). The means lie on both
 * sides of their nearest nodes of the grid, at its edges too. */
TEST(distances_of_pairs_are_known)
{
    double weight[] = {0.5, 0.5};
    for (double x = 1.0; x < 3.0; x += 0.1)
        for (double y = 20.0; y < 30.0; y += 1.7) {
            double mean[] = {0.8, 0.8, x, y}, moved[] = {0.8, 0.8, x, y - 4.0};
            const struct shape a = {2, weight, mean, 3.0}, b = {2, weight, moved, 3.0};
            ck_assert_double_eq_tol(shape_distance(&a, &b), 0.5 * erf(4.0 / (6.0 * M_SQRT2)), 2e-3);
        }
}

static const char *const names[] = {"rings", "checkerboard", "two-moons", "pinwheel", "gmm-25", "gmm-40"};

TEST(named_targets_fill_pairs_of_coordinates, .count = COUNT(names))
{
    struct target target;
    target_init(&target, target_family_find(names[_i]));
    ASSERT_FAILS(STATUS_INVALID, "dimension 3 is odd", target_exists, &target, 3);
    OWNED(factor_list) list = {0};
    ASSERT_OK(target_factors, &target, 6, &list);
    const struct factor *factor = &list.group[0].factor;
    double total = 0.0;
    ck_assert_uint_eq(list.count, 1);
    ck_assert_double_eq(list.group[0].multiplicity * (double)factor->dimension, 6.0);
    ck_assert_double_eq(target_content(&target, 6.0).components, (double)factor->components);
    for (size_t k = 0; k < factor->components; k++)
        total += factor->weight[k];
    ck_assert_double_eq_tol(total, 1.0, 1e-13);
}

/* Score and log-density at points of X, relative to the first mean, against sums over all components. */
static void check_level(const struct factor *factor, const struct level *level, struct joint_level *joint)
{
    enum { POINTS = 40 };
    double x[2 * POINTS], score[2 * POINTS], log_density[POINTS];
    struct random random = {3};
    joint_level_set(joint, level);
    for (size_t j = 0; j < 2 * POINTS; j++)
        x[j] = joint_level_centre(joint, (j % POINTS * 7) % factor->components, 0, j / POINTS)
               + joint->sd[0] * random_normal(&random);
    joint_level_evaluate(joint, 0, POINTS, POINTS, x, log_density, score);
    for (size_t j = 0; j < POINTS; j++) {
        long double total = 0.0L, along[2] = {0.0L, 0.0L};
        for (size_t k = 0; k < factor->components; k++) {
            long double variance = (long double)level->alpha_bar * factor->sd[k] * factor->sd[k] + level->noise, u[2];
            for (size_t i = 0; i < 2; i++)
                u[i] = x[i * POINTS + j]
                       - sqrtl(level->alpha_bar) * ((long double)factor->mean[2 * k + i] - factor->mean[i]);
            long double part = factor->weight[k] / variance * expl(-(u[0] * u[0] + u[1] * u[1]) / (2.0L * variance));
            total += part;
            for (size_t i = 0; i < 2; i++)
                along[i] -= part * u[i] / variance;
        }
        ck_assert_double_eq_tol(log_density[j], (double)logl(total) - log(2.0 * M_PI), 1e-11);
        for (size_t i = 0; i < 2; i++)
            ck_assert_double_eq_tol(score[i * POINTS + j] * joint->sd[0], (double)(along[i] / total) * joint->sd[0],
                                    1e-11);
    }
}

TEST(scores_are_those_of_all_components, .count = COUNT(names))
{
    static const double noises[] = {1e-20, 1e-17, 1e-14, 1e-11, 1e-8, 1e-5, 1e-2, 0.3, 0.9, 0.999};
    struct target target;
    target_init(&target, target_family_find(names[_i]));
    OWNED(factor_list) list = {0};
    ASSERT_OK(target_factors, &target, 2, &list);
    const struct factor *factor = &list.group[0].factor;
    if (factor->dimension == 1) /* on the line */
        return;
    OWNED(joint_level) joint = {0};
    ASSERT_OK(joint_level_new, factor, &joint);
    for (size_t l = 0; l < COUNT(noises); l++)
        check_level(factor, &(struct level){1.0 - noises[l], noises[l]}, &joint);
}

TEST(a_pinwheel_is_wider_along_its_arms)
{
    struct target target;
    target_init(&target, target_family_find("pinwheel"));
    *real_in(&target, "sd") = 0.3;
    ASSERT_FAILS(STATUS_INVALID, "must be below", target_exists, &target, 2);
}

/* MT19937 (Matsumoto and Nishimura 1998) from its seed. */
static uint32_t twister[624];

static uint32_t twist(size_t i)
{
    uint32_t y = (twister[i] & 0x80000000u) | (twister[(i + 1) % 624] & 0x7fffffffu);
    twister[i] = twister[(i + 397) % 624] ^ (y >> 1) ^ ((y & 1u) != 0 ? 0x9908b0dfu : 0u);
    y = twister[i] ^ twister[i] >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ y >> 18;
}

/* torch.rand gives the lowest 24 bits; its first numbers from seed 0 are 0.4963, 0.7682, 0.0885, 0.1320. */
TEST(gmm_40_has_the_means_of_torch)
{
    static const double first[] = {0.4963, 0.7682, 0.0885, 0.1320};
    struct target target;
    target_init(&target, target_family_find("gmm-40"));
    OWNED(factor_list) list = {0};
    ASSERT_OK(target_factors, &target, 2, &list);
    for (uint32_t i = 1; i < 624; i++) /* from twister[0] = 0, the seed */
        twister[i] = 1812433253u * (twister[i - 1] ^ twister[i - 1] >> 30) + i;
    for (size_t i = 0; i < 80; i++) {
        double uniform = (double)(twist(i) & 0xffffffu) / 16777216.0;
        ck_assert_double_eq_tol(list.group[0].factor.mean[i], 80.0 * (uniform - 0.5), 1e-13);
        if (i < 4)
            ck_assert_double_eq_tol(uniform, first[i], 6e-5);
    }
    ck_assert_double_eq_tol(list.group[0].factor.sd[0], log1p(exp(1.0)), 1e-15);
}
