/* Curie-Weiss models against sums over all 2^d states. */
#include <math.h>

#include "law/measure.h"
#include "model/spins_level.h"
#include "sample/projected.h"
#include "test/laws.h"
#include "test/random.h"
#include "test/suite.h"
#include "test/targets.h"

TEST_SUITE(spins);

static const struct {
    double beta, field;
    size_t d;
} models[] = {{0.5, 0.0, 6}, {1.0, 0.1, 5}, {2.5, 0.0, 7}, {1.5, -0.3, 2}, {20.0, 2.0, 4}, {0.01, 1.0, 3}};

static const double noises[] = {1e-20, 1e-16, 1e-12, 1e-8, 1e-4, 1e-2, 0.1, 0.5, 0.9, 0.999};

static struct target curie_weiss(int i)
{
    struct target target;
    target_init(&target, target_family_find("curie-weiss"));
    *real_in(&target, "beta") = models[i].beta;
    *real_in(&target, "field") = models[i].field;
    return target;
}

static double spin(size_t state, size_t i)
{
    return state >> i & 1u ? 1.0 : -1.0;
}

/* All states' probabilities. */
enum { STATES = 1 << 7 };
static void fill_states(int model, double weight[STATES])
{
    size_t d = models[model].d;
    double total = 0.0;
    for (size_t state = 0; state < (size_t)1 << d; state++) {
        double sum = 0.0;
        for (size_t i = 0; i < d; i++)
            sum += spin(state, i);
        weight[state] = exp(models[model].beta * (sum * sum / (double)d - (double)d) / 2.0
                            + models[model].field * (sum - copysign((double)d, models[model].field)));
        total += weight[state];
    }
    for (size_t state = 0; state < (size_t)1 << d; state++)
        weight[state] /= total;
}

/* Log-density and score of the 2^d Gaussians, whose exponents are relative to that of the nearest. */
static double brute(size_t d, const double *weight, const struct level *level, const double *x, double *score)
{
    double root = sqrt(level->alpha_bar), largest = -HUGE_VAL, total = 0.0, exponent[STATES], nearest = 0.0;
    for (size_t i = 0; i < d; i++)
        nearest -= pow(fabs(x[i]) - root, 2.0) / (2.0 * level->noise);
    for (size_t state = 0; state < (size_t)1 << d; state++) {
        exponent[state] = log(weight[state]);
        for (size_t i = 0; i < d; i++)
            exponent[state] += root * (x[i] * spin(state, i) - fabs(x[i])) / level->noise;
        largest = fmax(largest, exponent[state]);
    }
    for (size_t i = 0; i < d; i++)
        score[i] = 0.0;
    for (size_t state = 0; state < (size_t)1 << d; state++) {
        double share = exp(exponent[state] - largest);
        total += share;
        for (size_t i = 0; i < d; i++)
            score[i] += share * (root * spin(state, i) - x[i]) / level->noise;
    }
    for (size_t i = 0; i < d; i++)
        score[i] /= total;
    return nearest + largest + log(total) - 0.5 * (double)d * log(2.0 * M_PI * level->noise);
}

/* Points where X is, and between its atoms. */
TEST(scores_are_those_of_all_states, .count = COUNT(models))
{
    enum { POINTS = 70 };
    struct target target = curie_weiss(_i);
    size_t d = models[_i].d;
    double weight[STATES], x[8 * POINTS], score[8 * POINTS], log_density[POINTS], point[8], expected[8];
    fill_states(_i, weight);
    OWNED(factor_list) list = {0};
    ASSERT_OK(target_factors, &target, d, &list);
    OWNED(spins_level) spins = {0};
    ASSERT_OK(spins_level_new, &list.group[0].factor, &spins);
    struct random random = {7};
    for (size_t l = 0; l < COUNT(noises); l++) {
        struct level level = {1.0 - noises[l], noises[l]};
        double root = sqrt(level.alpha_bar), sd = sqrt(level.noise);
        spins_level_set(&spins, &level);
        for (size_t i = 0; i < d; i++)
            for (size_t j = 0; j < POINTS; j++) {
                double side = random_uniform(&random) < 0.5 ? -1.0 : 1.0;
                x[i * POINTS + j] = j % 2 == 0
                                        ? root * side + sd * (8.0 * random_uniform(&random) - 4.0)
                                        : (2.0 * random_uniform(&random) - 1.0) * fmin(1.0, 20.0 * level.noise);
            }
        spins_level_evaluate(&spins, POINTS, POINTS, x, log_density, score);
        for (size_t j = 0; j < POINTS; j++) {
            for (size_t i = 0; i < d; i++)
                point[i] = x[i * POINTS + j];
            double exact = brute(d, weight, &level, point, expected);
            ck_assert_double_eq_tol(log_density[j], exact, 1e-13 * fabs(exact) + 1e-11);
            for (size_t i = 0; i < d; i++) /* between atoms differences of probabilities are of order 1 */
                ck_assert_double_eq_tol(score[i * POINTS + j], expected[i],
                                        1e-10 * (fabs(expected[i]) + 1.0 / sd)
                                            + (double)(j % 2) * 1e-13 / level.noise);
        }
    }
}

/* Along one spin, and along all: the law of the magnetisation. */
TEST(projections_are_those_of_all_states, .count = COUNT(models))
{
    struct target target = curie_weiss(_i);
    size_t d = models[_i].d;
    double weight[STATES], u[8] = {0.0};
    const struct level level = {0.9, 0.1};
    fill_states(_i, weight);
    OWNED(factor_list) list = {0};
    ASSERT_OK(target_factors, &target, d, &list);
    for (int all = 0; all < 2; all++) {
        for (size_t i = 0; i < d; i++)
            u[i] = all ? 1.0 / sqrt((double)d) : i == 1 ? 1.0 : 0.0;
        OWNED(projected) law = {0};
        ASSERT_OK(projected_new, &list, u, &level, &law);
        for (double x = -3.0; x <= 3.0; x += 0.25) {
            double exact = 0.0;
            for (size_t state = 0; state < (size_t)1 << d; state++) {
                double centre = 0.0;
                for (size_t i = 0; i < d; i++)
                    centre += u[i] * sqrt(level.alpha_bar) * spin(state, i);
                exact += weight[state] * 0.5 * erfc((centre - x) / sqrt(2.0 * level.noise));
            }
            ck_assert_double_eq_tol(projected_cdf(&law, x), exact, 1e-12);
        }
    }
    u[0] = 0.4;
    struct projected none;
    ASSERT_FAILS(STATUS_UNSUPPORTED, "sums of coordinates", projected_new, &list, u, &level, &none);
    projected_free(&none);
}

/* The same random numbers on the model and on the mixture of its states: one chain each, by two scores. */
TEST(chains_are_those_of_all_states)
{
    enum { MODEL = 3, D = 2, CHAINS = 500 };
    struct target target = curie_weiss(MODEL);
    double weight[STATES], mean[D << D], sd[1 << D] = {0.0};
    fill_states(MODEL, weight);
    for (size_t state = 0; state < 1 << D; state++)
        for (size_t i = 0; i < D; i++)
            mean[state * D + i] = spin(state, i);
    const struct factor states = {.dimension = D, .components = 1 << D, .weight = weight, .mean = mean, .sd = sd};
    OWNED(factor_list) spins = {0}, all = list_of(&states, 1.0);
    ASSERT_OK(target_coordinates, &target, D, &spins);
    OWNED_SCHEDULE *schedule = make_li_cai(64);
    struct chain_problem problem = make_chains(&spins, sampler_find("accelerated"), schedule, 5, 6);
    OWNED(points) a = {0}, b = {0};
    ASSERT_OK(chains_run, &problem, CHAINS, &a);
    problem.list = &all;
    ASSERT_OK(chains_run, &problem, CHAINS, &b);
    for (size_t j = 0; j < D * CHAINS; j++)
        ck_assert_double_eq_tol(a.x[j], b.x[j], 1e-9);
    for (size_t j = 0; j < CHAINS; j++)
        ck_assert_double_eq_tol(a.log_density[j], b.log_density[j], 1e-6);
}

/* Frequencies of states among exact samples. */
TEST(draws_have_the_law, .count = COUNT(models))
{
    enum { DRAWS = 20000 };
    struct target target = curie_weiss(_i);
    size_t d = models[_i].d;
    double weight[STATES], frequency[STATES] = {0.0};
    fill_states(_i, weight);
    OWNED(factor_list) list = {0};
    ASSERT_OK(target_coordinates, &target, d, &list);
    OWNED_SCHEDULE *schedule = make_li_cai(64);
    const struct chain_problem problem = make_chains(&list, sampler_find("ddpm"), schedule, 1, 2);
    OWNED(points) x = {0};
    ASSERT_OK(chains_draw, &problem, DRAWS, &x);
    for (size_t j = 0; j < DRAWS; j++) {
        size_t state = 0;
        for (size_t i = 0; i < d; i++)
            state |= (size_t)(x.x[i * DRAWS + j] > 0.0) << i;
        frequency[state] += 1.0 / DRAWS;
    }
    for (size_t state = 0; state < (size_t)1 << d; state++)
        ck_assert_double_eq_tol(frequency[state], weight[state],
                                5.0 * sqrt(weight[state] * (1.0 - weight[state]) / DRAWS) + 2.0 / DRAWS);
}

TEST(laws_of_one_spin_alone)
{
    struct target target = curie_weiss(1);
    struct measurement measured;
    OWNED_SCHEDULE *schedule = make_li_cai(64);
    size_t one = 1, two[] = {2, 3};
    ASSERT_OK(measure_target, &(struct measure_problem){&target, sampler_find("ddpm"), NULL, schedule, 1}, &one, 1,
              &measured);
    ck_assert_double_gt(measured.divergence.tv.value, 1e-3);
    ASSERT_FAILS(STATUS_UNSUPPORTED, "products of atoms", measure_supports, &target, sampler_find("ddpm"), NULL, 2);
    struct measurement refused[2];
    ASSERT_FAILS(STATUS_UNSUPPORTED, "products of atoms", measure_target,
                 &(struct measure_problem){&target, sampler_find("ddpm"), NULL, schedule, 1}, two, 2, refused);
}
