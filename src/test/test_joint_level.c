/* Mixtures in several coordinates at a noise level: every route to densities and scores against sums written out. */
#include <math.h>

#include "core/random.h"
#include "model/joint_level.h"

#include "test/suite.h"

enum { POINTS = 70 /* more than a chunk */, MOST = 12 };

static const struct level levels[] = {{0.3, 0.7}, {0.999, 0.001}};

static struct random_key key;

static void set_key(void)
{
    key = random_key_of(1, 2);
}

TEST_SUITE(joint_level, .setup = set_key);

static void fill_normals(uint32_t purpose, size_t n, double scale, double *out)
{
    random_normals((struct random_block){key, purpose, 0, 0, 1, 0, n, 1}, out);
    for (size_t i = 0; i < n; i++)
        out[i] *= scale;
}

/* Solves V u = b and gives log det V by Cholesky, in long double. */
static long double solve(size_t n, const long double *V, const long double *b, long double *u)
{
    long double L[MOST * MOST], y[MOST], log_det = 0.0L;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            long double total = V[i * n + j];
            for (size_t k = 0; k < j; k++)
                total -= L[i * n + k] * L[j * n + k];
            L[i * n + j] = i == j ? sqrtl(total) : total / L[j * n + j];
        }
    for (size_t i = 0; i < n; i++) {
        y[i] = b[i];
        for (size_t k = 0; k < i; k++)
            y[i] -= L[i * n + k] * y[k];
        y[i] /= L[i * n + i];
        log_det += 2.0L * logl(L[i * n + i]);
    }
    for (size_t i = n; i-- > 0;) {
        u[i] = y[i];
        for (size_t k = i + 1; k < n; k++)
            u[i] -= L[k * n + i] * u[k];
        u[i] /= L[i * n + i];
    }
    return log_det;
}

static long double covariance(const struct factor *factor, const struct level *level, size_t k, size_t i, size_t j)
{
    size_t n = factor->dimension;
    long double entry = factor->full == NULL
                            ? (i == j ? (long double)factor->sd[k] * factor->sd[k] : 0.0L)
                            : factor->full->entry[((factor->full->count == 1 ? 0 : k) * n + i) * n + j];
    return level->alpha_bar * entry + (i == j ? level->noise : 0.0L);
}

/* Log-density and score at one point (relative to the anchor), theory §3 written out. */
static long double direct(const struct factor *factor, const struct level *level, size_t anchor, const double *x,
                          long double *score)
{
    size_t n = factor->dimension;
    long double exponent[MOST], pull[MOST][MOST], largest = -HUGE_VALL, total = 0.0L;
    for (size_t k = 0; k < factor->components; k++) {
        long double V[MOST * MOST], b[MOST], square = 0.0L;
        for (size_t i = 0; i < n; i++) {
            long double mean = factor->mean == NULL
                                   ? 0.0L
                                   : (long double)factor->mean[k * n + i] - (long double)factor->mean[anchor * n + i];
            b[i] = x[i] - sqrtl(level->alpha_bar) * mean;
            for (size_t j = 0; j < n; j++)
                V[i * n + j] = covariance(factor, level, k, i, j);
        }
        long double log_det = solve(n, V, b, pull[k]);
        for (size_t i = 0; i < n; i++)
            square += b[i] * pull[k][i];
        exponent[k] = logl(factor->weight[k]) - 0.5L * (square + log_det + (long double)n * logl(2.0L * M_PI));
        largest = fmaxl(largest, exponent[k]);
    }
    for (size_t i = 0; i < n; i++)
        score[i] = 0.0L;
    for (size_t k = 0; k < factor->components; k++) {
        long double weight = expl(exponent[k] - largest);
        total += weight;
        for (size_t i = 0; i < n; i++)
            score[i] -= weight * pull[k][i];
    }
    for (size_t i = 0; i < n; i++)
        score[i] /= total;
    return largest + logl(total);
}

static void compare(const struct factor *factor, const struct level *level, size_t anchor, double tolerance)
{
    OWNED(joint_level) joint;
    size_t n = factor->dimension;
    double x[MOST * POINTS], log_density[POINTS], score[MOST * POINTS], point[MOST] = {0.0};
    long double exact[MOST];
    ASSERT_OK(joint_level_new, factor, &joint);
    joint_level_set(&joint, level);
    fill_normals(7, n * POINTS, 1.5, x);
    joint_level_evaluate(&joint, anchor, POINTS, POINTS, x, log_density, score);
    for (size_t j = 0; j < POINTS; j++) {
        for (size_t i = 0; i < n; i++)
            point[i] = x[i * POINTS + j];
        double value = (double)direct(factor, level, anchor, point, exact);
        ck_assert_msg(fabs(log_density[j] - value) <= tolerance * (1.0 + fabs(value)),
                      "n = %zu, K = %zu, point %zu: log p = %.17g, expected %.17g", n, factor->components, j,
                      log_density[j], value);
        for (size_t i = 0; i < n; i++)
            ck_assert_msg(fabs(score[i * POINTS + j] - (double)exact[i])
                              <= tolerance * (1.0 + fabs((double)exact[i])),
                          "n = %zu, K = %zu, point %zu: score %.17g, expected %.17g", n, factor->components, j,
                          score[i * POINTS + j], (double)exact[i]);
    }
}

/* A symmetric positive definite matrix of order n. */
static void fill_matrix(uint32_t purpose, size_t n, double *out)
{
    double b[MOST * MOST];
    fill_normals(purpose, n * n, 0.4, b);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            out[i * n + j] = i == j ? 0.05 : 0.0;
            for (size_t k = 0; k < n; k++)
                out[i * n + j] += b[i * n + k] * b[j * n + k] / (double)n;
        }
}

static void with_shape(size_t n, size_t components, int centred)
{
    double weight[MOST], mean[MOST * MOST], sd[MOST], matrix[MOST * MOST * MOST];
    for (size_t k = 0; k < components; k++) {
        weight[k] = 2.0 * (double)(k + 1) / (double)(components * (components + 1));
        sd[k] = 0.2 + 0.3 * (double)k;
        fill_matrix((uint32_t)(20 + k), n, matrix + k * n * n);
    }
    fill_normals(3, n * components, 1.0, mean);
    struct covariances each = {components, matrix}, shared = {1, matrix};
    const double *means = centred ? NULL : mean;
    const struct factor factors[] = {{n, components, weight, means, sd, NULL, NULL, NULL},
                                     {n, components, weight, means, NULL, &each, NULL, NULL},
                                     {n, components, weight, means, NULL, &shared, NULL, NULL}};
    for (size_t f = 0; f < COUNT(factors); f++)
        for (size_t l = 0; l < COUNT(levels); l++) {
            compare(&factors[f], &levels[l], 0, 1e-11);
            compare(&factors[f], &levels[l], components - 1, 1e-11);
        }
}

TEST(test_against_sums)
{
    with_shape(2, 1, 0);
    with_shape(2, 3, 0);
    with_shape(3, 4, 1);
    with_shape(5, 7, 0);
    with_shape(12, 11, 0); /* by matrix products */
    with_shape(12, 12, 1);
}

/* Components in the plane a hundred times as long as they are wide, at noise levels down to 1e-20. */
TEST(test_needles)
{
    const double weight[] = {0.4, 0.6}, mean[] = {0.3, -0.2, -0.5, 0.6};
    double matrix[8];
    for (size_t k = 0; k < 2; k++) {
        double c = cos(0.4 + 1.1 * (double)k), s = sin(0.4 + 1.1 * (double)k), *S = matrix + 4 * k;
        S[0] = c * c + 1e-4 * s * s;
        S[1] = S[2] = c * s * (1.0 - 1e-4);
        S[3] = s * s + 1e-4 * c * c;
    }
    const struct covariances each = {2, matrix};
    const struct factor factor = {2, 2, weight, mean, NULL, &each, NULL, NULL};
    for (int i = 1; i <= 10; i++) {
        const struct level level = {1.0 - pow(0.01, i), pow(0.01, i)};
        compare(&factor, &level, (size_t)i % 2, 1e-11);
    }
}

/* Components that are nothing at all of a cluster of points are left out. */
TEST(test_clusters)
{
    enum { COMPONENTS = MOST };
    double weight[COMPONENTS], mean[2 * COMPONENTS], sd[COMPONENTS];
    for (size_t k = 0; k < COMPONENTS; k++) {
        weight[k] = 1.0 / COMPONENTS;
        sd[k] = 0.02 + 0.03 * (double)(k % 3);
    }
    fill_normals(3, 2 * COMPONENTS, 1.0, mean);
    const struct factor factor = {2, COMPONENTS, weight, mean, sd, NULL, NULL, NULL};
    for (size_t spread = 0; spread < 3; spread++) {
        OWNED(joint_level) joint;
        double x[2 * POINTS], log_density[POINTS], score[2 * POINTS];
        ASSERT_OK(joint_level_new, &factor, &joint);
        joint_level_set(&joint, &levels[1]);
        fill_normals(7, 2 * POINTS, 0.02 * pow(8.0, (double)spread), x);
        joint_level_evaluate(&joint, 5, POINTS, POINTS, x, log_density, score);
        for (size_t j = 0; j < POINTS; j++) {
            long double exact[MOST];
            double point[2] = {x[j], x[POINTS + j]}, value = (double)direct(&factor, &levels[1], 5, point, exact);
            ck_assert_double_eq_tol(log_density[j], value, 1e-12 * (1.0 + fabs(value)));
            for (size_t i = 0; i < 2; i++)
                ck_assert_double_eq_tol(score[i * POINTS + j], (double)exact[i],
                                        1e-12 * (1.0 + fabs((double)exact[i])));
        }
    }
}

/* Narrow components far from one another lose their digits in products of matrices, which are not used there. */
TEST(test_narrow)
{
    double weight[MOST], mean[MOST * MOST], sd[MOST];
    for (size_t k = 0; k < MOST; k++) {
        weight[k] = 1.0 / MOST;
        sd[k] = 1e-9;
        for (size_t i = 0; i < MOST; i++)
            mean[k * MOST + i] = i == k ? 1e3 : 0.0;
    }
    const struct factor factor = {MOST, MOST, weight, mean, sd, NULL, NULL, NULL};
    const struct level level = {1.0, 1e-18};
    OWNED(joint_level) joint;
    double x[MOST * 2] = {0.0}, log_density[2], score[MOST * 2];
    ASSERT_OK(joint_level_new, &factor, &joint);
    joint_level_set(&joint, &level);
    x[2 * 3 + 1] = 1e-9; /* coordinate 3 of the second point, by component 5's centre */
    joint_level_evaluate(&joint, 5, 2, 2, x, log_density, score);
    double variance = 2e-18;
    ck_assert_double_eq_tol(log_density[0], log(1.0 / MOST) - 6.0 * log(2.0 * M_PI * variance), 1e-12);
    ck_assert_double_eq_tol(log_density[1], log_density[0] - 0.25, 1e-12);
    ck_assert_double_eq_tol(score[2 * 3 + 1] * variance / -1e-9, 1.0, 1e-12);
}

/* E (deviation)(deviation)' = V. */
TEST(test_deviations)
{
    enum { N = 3, SAMPLES = 20000 };
    double weight[1] = {1.0}, matrix[N * N], z[N], second[N * N] = {0.0};
    fill_matrix(1, N, matrix);
    const struct covariances full = {1, matrix};
    const struct factor factor = {N, 1, weight, NULL, NULL, &full, NULL, NULL};
    OWNED(joint_level) joint;
    ASSERT_OK(joint_level_new, &factor, &joint);
    joint_level_set(&joint, &levels[0]);
    for (size_t j = 0; j < SAMPLES; j++) {
        double x[N] = {0.0};
        random_normals((struct random_block){key, 9, 0, j, 1, 0, N, 1}, z);
        joint_level_deviate(&joint, 0, z, 1, x);
        for (size_t i = 0; i < N * N; i++)
            second[i] += x[i / N] * x[i % N] / SAMPLES;
    }
    for (size_t i = 0; i < N * N; i++) {
        double exact = (double)covariance(&factor, &levels[0], 0, i / N, i % N);
        ck_assert_msg(fabs(second[i] - exact) < 4.0 * 1.5 / sqrt(SAMPLES), "entry %zu: %g, expected %g", i, second[i],
                      exact);
    }
}

TEST(test_refusals)
{
    double weight[1] = {1.0}, matrix[4] = {1.0, 2.0, 2.0, 1.0};
    const struct covariances full = {1, matrix};
    const struct factor factor = {2, 1, weight, NULL, NULL, &full, NULL, NULL};
    struct joint_level joint;
    ASSERT_FAILS(STATUS_INVALID, "covariance 1 is not positive semidefinite", joint_level_new, &factor, &joint);
}
