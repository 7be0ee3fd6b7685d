/* Unions of subspaces: degenerate covariances down to the smallest noise. */
#include <math.h>

#include "law/measure.h"
#include "model/joint_level.h"
#include "model/spectra.h"
#include "test/laws.h"
#include "test/random.h"
#include "test/suite.h"
#include "test/targets.h"

TEST_SUITE(subspaces);

enum { MOST = 8, POINTS = 66 };

static const struct {
    size_t d, k, components, orientation;
    double spread;
    int shared; /* one covariance, that of the first, for all */
} cases[] = {{5, 2, 4, 0, 0.0, 0}, {6, 1, 8, 0, 1.0, 0}, {5, 2, 4, 1, 0.0, 0}, {6, 3, 3, 1, 1.5, 0},
             {4, 2, 5, 0, 1.0, 1}, {4, 2, 5, 1, 1.0, 1}, {2, 1, 6, 0, 1.0, 0}, {2, 1, 5, 1, 1.0, 0}};

static const double noises[] = {1e-20, 1e-18, 1e-16, 1e-13, 1e-10, 1e-6, 1e-2, 0.3, 0.9, 0.999};

static struct target union_of(int i)
{
    struct target target;
    target_init(&target, target_family_find("subspaces"));
    *integer_in(&target, "components") = cases[i].components;
    *integer_in(&target, "k") = cases[i].k;
    *integer_in(&target, "orientation") = cases[i].orientation;
    *real_in(&target, "spread") = cases[i].spread;
    *real_in(&target, "sd") = 0.5;
    return target;
}

/* With P the projector on the subspace, V^-1 y = (y - P y)/O + P y/(A sd^2 + O) for y = x - sqrt(A) m. */
static double brute(const struct factor *factor, size_t k, const struct level *level, const double *x, double *score)
{
    size_t d = factor->dimension, K = factor->components;
    long double exponent[MOST], gradient[MOST][MOST], largest = -HUGE_VALL, total = 0.0L;
    long double wide = (long double)level->alpha_bar * 0.25L + (long double)level->noise,
                narrow = (long double)level->noise;
    for (size_t c = 0; c < K; c++) {
        const double *matrix = factor->full->entry + (factor->full->count > 1 ? c * d * d : 0);
        long double y[MOST];
        exponent[c] = logl((long double)factor->weight[c]) - (long double)k * logl(wide) / 2.0L
                      - (long double)(d - k) * logl(narrow) / 2.0L
                      - (long double)d * logl(2.0L * acosl(-1.0L)) / 2.0L;
        for (size_t i = 0; i < d; i++) /* x is relative to the first mean */
            y[i] = (long double)x[i]
                   - sqrtl((long double)level->alpha_bar)
                         * ((long double)factor->mean[c * d + i] - (long double)factor->mean[i]);
        for (size_t i = 0; i < d; i++) {
            long double along = 0.0L;
            for (size_t j = 0; j < d; j++)
                along += (long double)matrix[i * d + j] / 0.25L * y[j];
            gradient[c][i] = -(y[i] - along) / narrow - along / wide;
            exponent[c] -= ((y[i] - along) * (y[i] - along) / narrow + along * along / wide) / 2.0L;
        }
        largest = fmaxl(largest, exponent[c]);
    }
    for (size_t i = 0; i < d; i++)
        score[i] = 0.0;
    for (size_t c = 0; c < K; c++)
        total += expl(exponent[c] - largest);
    for (size_t c = 0; c < K; c++)
        for (size_t i = 0; i < d; i++)
            score[i] += (double)(expl(exponent[c] - largest) / total * gradient[c][i]);
    return (double)(largest + logl(total));
}

/* At points of X, and at some farther from it. Of a rotated subspace the distance is known to the rounding of
 * coordinates, 1e-16, which is over sqrt(O) what the score has. */
TEST(scores_are_those_of_projectors, .count = COUNT(cases))
{
    struct target target = union_of(_i);
    size_t d = cases[_i].d;
    double x[MOST * POINTS], score[MOST * POINTS], log_density[POINTS], z[MOST], point[MOST], expected[MOST];
    OWNED(factor_list) list = {0};
    ASSERT_OK(target_factors, &target, d, &list);
    struct factor factor = list.group[0].factor;
    struct covariances first = {1, factor.full->entry};
    factor.full = cases[_i].shared ? &first : factor.full;
    OWNED(joint_level) joint = {0};
    ASSERT_OK(joint_level_new, &factor, &joint);
    struct random random = {5};
    for (size_t l = 0; l < COUNT(noises); l++) {
        const struct level level = {1.0 - noises[l], noises[l]};
        double sd = sqrt(level.noise), slack = 1e-10 + (cases[_i].orientation == 1 ? 1e-14 / sd : 1e-15 / sd);
        joint_level_set(&joint, &level);
        for (size_t j = 0; j < POINTS; j++) {
            for (size_t i = 0; i < d; i++) {
                z[i] = random_normal(&random);
                x[i * POINTS + j] = joint_level_centre(&joint, j % factor.components, 0, i);
            }
            joint_level_deviate(&joint, j % factor.components, z, POINTS, x + j);
            for (size_t i = 0; i < d && j % 3 == 2; i++)
                x[i * POINTS + j] += 3.0 * sd * random_normal(&random);
        }
        joint_level_evaluate(&joint, 0, POINTS, POINTS, x, log_density, score);
        for (size_t j = 0; j < POINTS; j++) {
            for (size_t i = 0; i < d; i++)
                point[i] = x[i * POINTS + j];
            double exact = brute(&factor, cases[_i].k, &level, point, expected);
            ck_assert_msg(fabs(log_density[j] - exact) <= 1e-10 + 20.0 * slack,
                          "noise %g, point %zu: %.17g, not %.17g", level.noise, j, log_density[j], exact);
            for (size_t i = 0; i < d; i++)
                ck_assert_msg(
                    fabs(score[i * POINTS + j] - expected[i]) <= 10.0 * slack * (fabs(expected[i]) + 1.0 / sd),
                    "noise %g, point %zu: %.17g, not %.17g", level.noise, j, score[i * POINTS + j], expected[i]);
        }
    }
}

/* All eigenvalues but k are 0 to the bit, of rounded matrices too. */
TEST(covariances_have_rank_k)
{
    enum { D = 48, K = 3 };
    for (size_t orientation = 0; orientation < 2; orientation++) {
        struct target target = union_of(0);
        *integer_in(&target, "k") = K;
        *integer_in(&target, "orientation") = orientation;
        OWNED(factor_list) list = {0};
        ASSERT_OK(target_factors, &target, D, &list);
        struct spectra *spectra;
        ASSERT_OK(spectra_new, list.group[0].factor.full, D, &spectra);
        ck_assert_int_eq(spectra->diagonal, orientation == 0);
        size_t positive = 0;
        for (size_t i = 0; i < D * spectra->count; i++)
            if (spectra->value[i] != 0.0) {
                ck_assert_double_eq_tol(spectra->value[i], 0.25, 1e-14);
                positive++;
            }
        ck_assert_uint_eq(positive, K * spectra->count);
        spectra_free(spectra);
    }
}

/* Diagonal or not. */
TEST(covariances_without_eigenvalues_are_refused)
{
    struct spectra *spectra;
    for (double across = 0.0; across < 0.2; across += 0.1) {
        double wrong[] = {1.0, across, across, NAN}, indefinite[] = {1.0, across, across, -1.0};
        ASSERT_FAILS(STATUS_INVALID, "covariance 1", spectra_new, &(struct covariances){1, wrong}, 2, &spectra);
        ASSERT_FAILS(STATUS_INVALID, "semidefinite", spectra_new, &(struct covariances){1, indefinite}, 2, &spectra);
    }
}

TEST(unions_are_refused_and_on_the_line_have_laws)
{
    struct target target = union_of(0);
    ASSERT_FAILS(STATUS_INVALID, "need dimension at least 2", target_exists, &target, 1);
    ASSERT_FAILS(STATUS_UNSUPPORTED, "with full covariances", measure_supports, &target, sampler_find("ddpm"), NULL,
                 3);
    ASSERT_FAILS(STATUS_UNSUPPORTED, "within hours", measure_supports, &target, sampler_find("ddpm"), NULL, 2);
    *integer_in(&target, "k") = 1;
    ASSERT_OK(measure_supports, &target, sampler_find("ddpm"), NULL, 1);
}
