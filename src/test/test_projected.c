/* Exact laws of projections: against sums over all components, multinomial sums and an inversion integral, which
 * share nothing with the code. */
#include <complex.h>

#include "sample/directions.h"
#include "sample/projected.h"

#include "test/random.h"
#include "test/suite.h"

TEST_SUITE(projected);

enum { MOST = 256 };

static const double one_weight[] = {1.0}, one_mean[] = {0.4}, one_sd[] = {0.7};
static const double weights[] = {0.3, 0.7}, means[] = {-1.0, 1.5}, sds[] = {0.3, 0.6}, no_sds[] = {0.0, 0.0};
static const double three_weights[] = {0.2, 0.5, 0.3}, three_sds[] = {0.5, 0.2, 0.9};
static const double three_means[] = {-2.0, 0.1, 1.0}, plane_means[] = {-2.0, 0.1, 1.0, 0.5, -1.3, 2.0};
static const double scale_sds[] = {0.4, 1.0, 7.0};
static double matrices[] = {1.0, 0.3, 0.3, 0.5, 2.0, -0.6, -0.6, 0.4};
static const struct covariances full = {2, matrices};

static const struct factor gaussian = {1, 1, one_weight, one_mean, one_sd, NULL, NULL, NULL},
                           mixture = {1, 2, weights, means, sds, NULL, NULL, NULL},
                           atoms = {1, 2, weights, means, no_sds, NULL, NULL, NULL},
                           three = {1, 3, three_weights, three_means, three_sds, NULL, NULL, NULL},
                           plane = {2, 3, three_weights, plane_means, three_sds, NULL, NULL, NULL},
                           radial = {4, 3, three_weights, NULL, scale_sds, NULL, NULL, NULL},
                           ellipses = {2, 2, weights, plane_means, NULL, &full, NULL, NULL};

static struct factor_list list_of(const struct factor *const *factor, const size_t *copies, size_t count)
{
    struct factor_list list = {0};
    for (size_t g = 0; g < count; g++)
        ASSERT_OK(factor_list_append, &list, factor[g], (double)copies[g]);
    return list;
}

enum direction { AXIS, DIAGONAL, RANDOM, DIRECTIONS };

static void set_direction(enum direction kind, size_t d, double *u)
{
    struct random random = {42 + d};
    double square = 0.0;
    for (size_t i = 0; i < d; i++) {
        u[i] = kind == AXIS ? (i == d / 2 ? 1.0 : 0.0) : kind == DIAGONAL ? 1.0 : random_normal(&random);
        square += u[i] * u[i];
    }
    for (size_t i = 0; i < d; i++)
        u[i] /= sqrt(square);
}

static struct projected law_of(const struct factor_list *list, const double *u, double noise)
{
    struct projected law;
    struct level level = {1.0 - noise, noise};
    ASSERT_OK(projected_new, list, u, &level, &law);
    return law;
}

static double normal_cdf(double x, double mean, double variance)
{
    return 0.5 * erfc((mean - x) / sqrt(2.0 * variance));
}

/* A product law and a direction, written out copy by copy. */
struct brute {
    size_t copies;
    const struct factor *factor[MOST];
    const double *u[MOST];
    double noise, x;
};

static void component_of(const struct brute *brute, size_t copy, size_t k, double *mean, double *variance)
{
    const struct factor *f = brute->factor[copy];
    const double *u = brute->u[copy];
    double alpha_bar = 1.0 - brute->noise;
    for (size_t i = 0; i < f->dimension; i++) {
        *mean += f->mean != NULL ? u[i] * sqrt(alpha_bar) * f->mean[k * f->dimension + i] : 0.0;
        *variance += u[i] * u[i] * (brute->noise + (f->full == NULL ? alpha_bar * f->sd[k] * f->sd[k] : 0.0));
        for (size_t j = 0; f->full != NULL && j < f->dimension; j++)
            *variance += alpha_bar * u[i] * u[j] * f->full->entry[(k * f->dimension + i) * f->dimension + j];
    }
}

/* The sum over all components of all copies from `copy` on. */
static double brute_cdf(const struct brute *brute, size_t copy, double mean, double variance)
{
    double total = 0.0;
    if (copy == brute->copies)
        return normal_cdf(brute->x, mean, variance);
    for (size_t k = 0; k < brute->factor[copy]->components; k++) {
        double m = mean, v = variance;
        component_of(brute, copy, k, &m, &v);
        total += brute->factor[copy]->weight[k] * brute_cdf(brute, copy + 1, m, v);
    }
    return total;
}

static void write_out(const struct factor_list *list, const double *u, double noise, struct brute *out)
{
    *out = (struct brute){.noise = noise};
    for (size_t g = 0; g < list->count; g++)
        for (double c = 0.0; c < list->group[g].multiplicity; c += 1.0) {
            out->factor[out->copies] = &list->group[g].factor;
            out->u[out->copies++] = u;
            u += list->group[g].factor.dimension;
        }
}

static const struct {
    const struct factor *factor[3];
    size_t copies[3];
    size_t d;
} products[] = {
    {{&gaussian}, {1}, 1},
    {{&mixture}, {1}, 1},
    {{&atoms}, {1}, 1},
    {{&mixture}, {2}, 2},
    {{&plane}, {1}, 2},
    {{&radial}, {1}, 4},
    {{&ellipses}, {1}, 2},
    {{&plane, &mixture, &ellipses}, {2, 3, 2}, 11},
    {{&gaussian, &radial}, {3, 2}, 11},
    {{&mixture}, {11}, 11},
    {{&atoms}, {8}, 8},
    {{&atoms, &gaussian}, {11, 1}, 12},
    {{&three, &plane}, {5, 2}, 9},
};

static const double noises[] = {0.5, 1e-2, 1e-6, 1e-14};

/* Everywhere in the middle, and in both tails; near an atom at the scale of its noise. */
TEST(projected_is_the_sum_of_components, .count = COUNT(products))
{
    size_t count = 0;
    while (count < 3 && products[_i].factor[count] != NULL)
        count++;
    OWNED(factor_list) list = list_of(products[_i].factor, products[_i].copies, count);
    for (int kind = 0; kind < DIRECTIONS; kind++)
        for (size_t z = 0; z < COUNT(noises); z++) {
            double u[MOST];
            struct brute brute;
            set_direction((enum direction)kind, products[_i].d, u);
            OWNED(projected) law = law_of(&list, u, noises[z]);
            write_out(&list, u, noises[z], &brute);
            for (int k = 0; k <= 24; k++) {
                brute.x = law.mean + 4.0 * law.sd * ((double)k / 12.0 - 1.0);
                if (k % 2 == 1)
                    brute.x = projected_quantile(&law, (double)k / 24.0);
                double expected = brute_cdf(&brute, 0, 0.0, 0.0), got = projected_cdf(&law, brute.x);
                /* positions of size 1 are known to 1e-16, which is 1e-9 of a component of width 1e-7 */
                double tolerance = 1e-10 + 4e-16 * (double)products[_i].d / sqrt(noises[z]);
                ck_assert_msg(fabs(got - expected) <= tolerance, "kind %d noise %g x %.17g: %.15g, not %.15g", kind,
                              noises[z], brute.x, got, expected);
            }
        }
}

/* d copies of a mixture of three along the diagonal: multinomial. */
static double multinomial_cdf(size_t d, double noise, double x)
{
    double total = 0.0, n = (double)d;
    for (size_t a = 0; a <= d; a++)
        for (size_t b = 0; a + b <= d; b++) {
            double count[3] = {(double)a, (double)b, n - (double)(a + b)}, log_weight = lgamma(n + 1.0);
            double mean = 0.0, variance = noise;
            for (size_t k = 0; k < 3; k++) {
                log_weight += count[k] * log(three_weights[k]) - lgamma(count[k] + 1.0);
                mean += count[k] * three_means[k] * sqrt((1.0 - noise) / n);
                variance += count[k] / n * (1.0 - noise) * three_sds[k] * three_sds[k];
            }
            total += exp(log_weight) * normal_cdf(x, mean, variance);
        }
    return total;
}

TEST(projected_on_the_diagonal)
{
    static const size_t dimensions[] = {1, 2, 5, 17, 64, 128, 256};
    double u[MOST];
    for (size_t k = 0; k < COUNT(dimensions); k++) {
        size_t d = dimensions[k];
        OWNED(factor_list) list = list_of((const struct factor *const[]){&three}, &d, 1);
        set_direction(DIAGONAL, d, u);
        OWNED(projected) law = law_of(&list, u, 1e-3);
        for (double p = 0.01; p < 1.0; p += 0.14) {
            double x = projected_quantile(&law, p);
            ck_assert_double_eq_tol(projected_cdf(&law, x), p, 1e-12);
            ck_assert_double_eq_tol(multinomial_cdf(d, 1e-3, x), p, 1e-10);
        }
    }
}

/* Gil-Pelaez's integral by the midpoint rule, exact up to the mass beyond pi/step and the end of the integrand. */
static double inverted_cdf(const struct factor *factor, size_t d, const double *u, double noise, double x)
{
    double step = 0.03, total = 0.0;
    for (double t = 0.5 * step; t < 60.0; t += step) {
        double complex phi = cexp(-I * t * x);
        for (size_t i = 0; i < d; i++) {
            double complex one = 0.0;
            for (size_t k = 0; k < factor->components; k++) {
                double variance = (1.0 - noise) * factor->sd[k] * factor->sd[k] + noise;
                one +=
                    factor->weight[k]
                    * cexp(I * t * u[i] * sqrt(1.0 - noise) * factor->mean[k] - 0.5 * t * t * u[i] * u[i] * variance);
            }
            phi *= one;
        }
        total += cimag(phi) / t * step;
    }
    return 0.5 - total / M_PI;
}

TEST(projected_by_inversion)
{
    static const size_t dimensions[] = {13, 40, 256};
    double u[MOST];
    for (size_t k = 0; k < COUNT(dimensions); k++) {
        size_t d = dimensions[k];
        OWNED(factor_list) list = list_of((const struct factor *const[]){&mixture}, &d, 1);
        set_direction(RANDOM, d, u);
        OWNED(projected) law = law_of(&list, u, 1e-3);
        for (double x = -2.0; x <= 2.0; x += 0.5)
            ck_assert_double_eq_tol(projected_cdf(&law, law.mean + x),
                                    inverted_cdf(&mixture, d, u, 1e-3, law.mean + x), 1e-10);
    }
}

/* Atoms in many coordinates: the series that has died out, its stated accuracy against the smooth limit by counting.
 */
TEST(projected_of_many_atoms)
{
    size_t d = 64;
    double u[MOST];
    struct random random = {5};
    OWNED(factor_list) list = list_of((const struct factor *const[]){&atoms}, &d, 1);
    set_direction(RANDOM, d, u);
    OWNED(projected) law = law_of(&list, u, 1e-24);
    ck_assert_double_lt(law.accuracy, 1e-8);
    double below = 0.0, n = 40000.0, x = law.mean + 0.7 * law.sd;
    for (double j = 0.0; j < n; j += 1.0) {
        double sum = 0.0;
        for (size_t i = 0; i < d; i++)
            sum += u[i] * means[random_uniform(&random) < weights[1]];
        below += sum <= x ? 1.0 : 0.0;
    }
    ck_assert_double_eq_tol(below / n, projected_cdf(&law, x), 4.0 * sqrt(0.25 / n));
}

TEST(projected_refuses)
{
    static const size_t copies[] = {24};
    OWNED(factor_list) list = list_of((const struct factor *const[]){&atoms}, copies, 1);
    struct level level = {1.0 - 1e-24, 1e-24};
    struct projected law;
    struct error error;
    double u[MOST] = {0};
    ck_assert_int_eq(projected_new(&list, u, &level, &law, &error), STATUS_INVALID);
    projected_free(&law);
    u[3] = NAN;
    ck_assert_int_eq(projected_new(&list, u, &level, &law, &error), STATUS_INVALID);
    projected_free(&law);
    set_direction(RANDOM, 24, u);
    ASSERT_FAILS(STATUS_UNSUPPORTED, "too many narrow components", projected_new, &list, u, &level, &law);
    projected_free(&law);
    list.group[0].multiplicity = 2.5;
    ck_assert_int_eq(projected_new(&list, u, &level, &law, &error), STATUS_UNSUPPORTED);
    projected_free(&law);
}

/* Between two atoms at 1e-12 the quantile stays in the gap, and in an atom it resolves the noise as far as doubles
 * do. */
TEST(quantiles_of_atoms)
{
    static const size_t copies[] = {1};
    OWNED(factor_list) list = list_of((const struct factor *const[]){&atoms}, copies, 1);
    double u[] = {1.0};
    OWNED(projected) law = law_of(&list, u, 1e-24);
    ck_assert_double_eq_tol(projected_quantile(&law, 0.15), -1.0, 1e-11);
    ck_assert_double_eq_tol(projected_quantile(&law, 0.9), 1.5, 1e-11);
    double gap = projected_quantile(&law, 0.3);
    ck_assert(gap > -1.0 && gap < 1.5);
    ck_assert_double_eq_tol(projected_cdf(&law, 0.0), 0.3, 1e-15);
    for (double p = 0.05; p < 1.0; p += 0.1)
        ck_assert_double_eq_tol(projected_cdf(&law, projected_quantile(&law, p)), p, 1e-3);
}

TEST(directions_are_of_length_one)
{
    static const size_t copies[] = {3, 20};
    enum { D = 2 * 3 + 20, RANDOMS = 5 };
    OWNED(factor_list) list = list_of((const struct factor *const[]){&plane, &mixture}, copies, 2);
    OWNED(directions) directions;
    struct random random = {9};
    double normal[RANDOMS * D];
    for (size_t i = 0; i < RANDOMS * D; i++)
        normal[i] = random_normal(&random);
    ASSERT_OK(directions_new, &list, RANDOMS, normal, &directions);
    /* 16 axes, three differences between the plane's means, the random ones */
    ck_assert_uint_eq(directions.dimension, D);
    ck_assert_uint_eq(directions.count, DIRECTIONS_MOST_AXES + 3 + RANDOMS);
    for (size_t k = 0; k < directions.count; k++) {
        double square = 0.0;
        for (size_t i = 0; i < D; i++)
            square += directions.unit[k * D + i] * directions.unit[k * D + i];
        ck_assert_double_eq_tol(square, 1.0, 1e-14);
    }
    /* both axes of the plane and that of the mixture first */
    ck_assert_double_eq(directions.unit[0], 1.0);
    ck_assert_double_eq(directions.unit[D + 1], 1.0);
    ck_assert_double_eq(directions.unit[2 * D + 6], 1.0);
    const double *difference = directions.unit + DIRECTIONS_MOST_AXES * D;
    ck_assert_double_eq_tol(difference[0], 3.0 / sqrt(9.16), 1e-14);
    ck_assert_double_eq_tol(difference[1], 0.4 / sqrt(9.16), 1e-14);
}
