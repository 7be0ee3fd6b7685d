/* Chains in distribution against exact laws, exact draws against moments, and weights of paths against exact
 * divergences; samplers that are planted wrong are seen. */
#include <math.h>
#include <stdlib.h>

#include "law/divergence.h"
#include "law/law.h"
#include "sample/chains.h"
#include "sample/marginal.h"
#include "sample/weights.h"

#include "test/chain_cases.h"
#include "test/laws.h"
#include "test/suite.h"

TEST_SUITE(chains_law);

/* E_q of 1, x, x^2, cos 3x and (x > 0.5) from the law, by a midpoint rule on its panels. */
enum { TESTS = 4 };
static void test_functions(double x, double *out)
{
    out[0] = x;
    out[1] = x * x;
    out[2] = cos(3.0 * x);
    out[3] = x > 0.5;
}

static void law_expectations(const struct law *law, double *out)
{
    enum { PIECES = 200 };
    for (int k = 0; k < TESTS; k++)
        out[k] = 0.0;
    for (size_t p = 0; p < law->log_ratio.count; p++) {
        const struct panel *panel = &law->log_ratio.panel[p];
        double shift = law->target.root_alpha_bar * law->target.factor->mean[panel->anchor];
        for (int i = 0; i < PIECES; i++) {
            double x = panel->centre + panel->half_width * (2.0 * (i + 0.5) / PIECES - 1.0), log_p, log_r, f[TESTS];
            mixture_level_evaluate(&law->target, panel->anchor, 1, &x, &log_p, NULL);
            panel_evaluate(panel, 0.0, 1, &x, &log_r);
            test_functions(x + shift, f);
            for (int k = 0; k < TESTS; k++)
                out[k] += f[k] * exp(log_p + log_r) * 2.0 * panel->half_width / PIECES;
        }
    }
}

static void chain_expectations(size_t n, const double *x, double *mean, double *error)
{
    double square[TESTS] = {0.0};
    for (int k = 0; k < TESTS; k++)
        mean[k] = 0.0;
    for (size_t j = 0; j < n; j++) {
        double f[TESTS];
        test_functions(x[j], f);
        for (int k = 0; k < TESTS; k++) {
            mean[k] += f[k] / (double)n;
            square[k] += f[k] * f[k] / (double)n;
        }
    }
    for (int k = 0; k < TESTS; k++)
        error[k] = sqrt((square[k] - mean[k] * mean[k]) / (double)n);
}

static const struct {
    const struct factor *factor;
    const char *sampler, *shape; /* NULL: exact scores */
    double size;
} in_distribution[] = {
    {&bimodal, "ddpm", NULL, 0.0},
    {&skewed, "ddpm", NULL, 0.0},
    {&skewed, "ddpm-outside", NULL, 0.0},
    {&skewed, "ddpm-ancestral", NULL, 0.0},
    {&skewed, "accelerated", NULL, 0.0},
    {&skewed, "accelerated-sde-2024", NULL, 0.0},
    {&skewed, "randomised-midpoint", NULL, 0.0},
    {&skewed, "ddim", NULL, 0.0},
    {&skewed, "accelerated-ode-2024", NULL, 0.0},
    {&skewed, "overshoot-2025", NULL, 0.0},
    {&skewed, "lagrange-4", "wave", 0.3},
    {&bimodal, "runge-kutta-3", "bump", 0.3},
    {&skewed, "pf-ode-2", NULL, 0.0},
    {&bimodal, "ddpm", "wave", 0.5},
    {&skewed, "ddpm", "bump", 0.5},
    {&bimodal, "accelerated", "sign", 0.3},
    {&skewed, "accelerated", "linear", 0.3},
    {&bimodal, "accelerated-sde-2024", "bump", 0.3},
    {&bimodal, "ddim", "wave", 0.2},
    {&bimodal, "randomised-midpoint", "wave", 0.3},
    {&normal, "dpm-solver-2m", "linear", 0.05},
    {&normal, "sde-dpm-solver-2m", "bias", 0.3},
};

static struct law compute_law(const struct law_problem *problem)
{
    struct law law;
    ASSERT_OK(law_compute, problem, &law);
    return law;
}

/* Largest deviation of the chains' expectations from the law's, in standard errors. */
static double deviation(const struct law *law, const struct points *y, const char *what)
{
    double exact[TESTS], mean[TESTS], error[TESTS], worst = 0.0;
    law_expectations(law, exact);
    chain_expectations(y->n, y->x, mean, error);
    for (int k = 0; k < TESTS; k++) {
        double z = fabs(mean[k] - exact[k]) / error[k];
        ck_assert_msg(isfinite(z), "%s, function %d: %g +- %g", what, k, mean[k], error[k]);
        worst = fmax(worst, z);
    }
    return worst;
}

TEST(test_in_distribution, .count = COUNT(in_distribution))
{
    enum { CHAINS = 1 << 16 };
    OWNED_SCHEDULE *schedule = make_schedule_from(_i % 2 == 0 ? "li-cai" : schedule_texts[2 + _i / 2 % 6], 48);
    struct score_error score_error;
    const char *shape = in_distribution[_i].shape;
    if (shape != NULL)
        score_error = spread_error(shape, "all", in_distribution[_i].size);
    OWNED(factor_list) list = list_of(in_distribution[_i].factor, 1.0);
    const struct sampler *sampler = sampler_find(in_distribution[_i].sampler);
    const struct law_problem law_problem = {.factor = in_distribution[_i].factor,
                                            .sampler = sampler,
                                            .schedule = schedule,
                                            .score_error = shape != NULL ? &score_error : NULL,
                                            .error_share = shape != NULL ? 1.0 : 0.0};
    OWNED(law) law = compute_law(&law_problem);
    struct chain_problem problem = make_chains(&list, sampler, schedule, 1, (uint64_t)_i);
    problem.score_error = law_problem.score_error;
    OWNED(points) y = run_chains(&problem, CHAINS);
    double worst = deviation(&law, &y, sampler->name);
    ck_assert_msg(worst < 4.0, "%s, %s, %s: %.2f standard errors", sampler->name, shape != NULL ? shape : "none",
                  schedule->kind->name, worst);
}

/* The clip acts on the norm: in one dimension, where errors make it act, the law has it. */
TEST(test_clip)
{
    enum { CHAINS = 1 << 16 };
    OWNED_SCHEDULE *schedule = make_li_cai(48);
    struct score_error bump = spread_error("bump", "all", 0.8);
    OWNED(factor_list) list = list_of(&bimodal, 1.0);
    set_error_param(&bump, "probability", 1e-2);
    struct law_problem problem = {.factor = &bimodal,
                                  .sampler = sampler_find("accelerated"),
                                  .schedule = schedule,
                                  .score_error = &bump,
                                  .error_share = 1.0,
                                  .clip = sampler_clip(1, 48)};
    OWNED(law) clipped = compute_law(&problem);
    problem.clip = 0.0;
    OWNED(law) unclipped = compute_law(&problem);
    struct chain_problem chains = make_chains(&list, problem.sampler, schedule, 1, 99);
    chains.score_error = &bump;
    OWNED(points) y = run_chains(&chains, CHAINS);
    ck_assert_double_lt(deviation(&clipped, &y, "clip"), 4.0);
    ck_assert_double_gt(deviation(&unclipped, &y, "no clip"), 6.0);
}

/* Noise of 5% too small a deviation, or a correction of the wrong sign, is not what the right sampler's law says. */
static double noise_too_small(const struct step *step)
{
    return log1p(-step->omega) - 0.1;
}

static void minus_correction(const struct step *step, const struct score *score, size_t n, const double *x,
                             double *out, double *work)
{
    const struct sampler *right = sampler_find("accelerated-unclipped"), *first = sampler_find("ddpm-ancestral");
    FREED double *plain = calloc(n, sizeof *plain);
    ck_assert_ptr_nonnull(plain);
    right->increment(step, score, n, x, out, work);
    first->increment(step, score, n, x, plain, work);
    for (size_t i = 0; i < n; i++)
        out[i] = 2.0 * plain[i] - out[i];
}

TEST(test_wrong_samplers)
{
    enum { CHAINS = 1 << 17 };
    OWNED_SCHEDULE *schedule = make_li_cai(48);
    struct sampler wrong[2] = {*sampler_find("accelerated-unclipped"), *sampler_find("accelerated-unclipped")};
    OWNED(factor_list) list = list_of(&skewed, 1.0);
    const struct law_problem problem = {
        .factor = &skewed, .sampler = sampler_find("accelerated-unclipped"), .schedule = schedule};
    OWNED(law) law = compute_law(&problem);
    wrong[0].log_noise_ratio = noise_too_small;
    wrong[1].increment = minus_correction;
    for (int i = 0; i < 2; i++) {
        const struct chain_problem chains = make_chains(&list, &wrong[i], schedule, 1, 7);
        OWNED(points) y = run_chains(&chains, CHAINS);
        ck_assert_double_gt(deviation(&law, &y, "wrong"), 6.0);
    }
}

/* By chains in original coordinates; and in those that are for regular samplers alone, which are seen to be wrong. */
TEST(test_off_by_one)
{
    enum { CHAINS = 1 << 15 };
    static double two[] = {0.5, 0.5}, apart[] = {-1.0, 1.8}, width[] = {0.4, 0.4};
    static const struct factor factor = {1, 2, two, apart, width, NULL, NULL, NULL};
    OWNED_SCHEDULE *schedule = make_li_cai(48);
    struct sampler planted = *sampler_find("ddpm");
    OWNED(factor_list) list = list_of(&factor, 1.0);
    planted.increment = off_by_one;
    planted.regular = 0;
    const struct law_problem problem = {.factor = &factor, .sampler = &planted, .schedule = schedule};
    OWNED(law) law = compute_law(&problem);
    const struct chain_problem chains = make_chains(&list, &planted, schedule, 1, 7);
    struct points y = run_chains(&chains, CHAINS);
    ck_assert_double_lt(deviation(&law, &y, "off by one"), 5.0);
    points_free(&y);
    planted.regular = 1;
    y = run_chains(&chains, CHAINS);
    ck_assert_double_gt(deviation(&law, &y, "off by one, shifted"), 6.0);
    points_free(&y);
}

static double none_in_the_last(const struct step *step)
{
    return step->t == 2 ? -HUGE_VAL : 0.0;
}

/* Ho et al., algorithm 2. */
TEST(test_no_noise_in_the_last_step)
{
    OWNED_SCHEDULE *schedule = make_schedule("li-cai", 1.0, 3.0, 32);
    struct sampler quiet = *sampler_find("ddpm");
    OWNED(factor_list) list = list_of(&skewed, 1.0);
    struct paths paths;
    struct error error = {STATUS_OK, ""};
    quiet.log_noise_ratio = none_in_the_last;
    quiet.regular = 0;
    const struct law_problem problem = {.factor = &skewed, .sampler = &quiet, .schedule = schedule};
    OWNED(law) law = compute_law(&problem);
    const struct chain_problem chains = make_chains(&list, &quiet, schedule, 1, 7);
    OWNED(points) y = run_chains(&chains, 1 << 15);
    ck_assert_double_lt(deviation(&law, &y, "quiet"), 5.0);
    ck_assert_uint_eq(chains_quiet_step(&chains), 2);
    ck_assert_int_eq(chains_weigh(&chains, 64, &paths, &error), STATUS_UNSUPPORTED);
    ck_assert_str_eq(error.text, "ddpm has no noise in step t = 2: its paths have no weights");
}

/* Exact samples: moments of every factor, and mode weights. */
TEST(test_draws)
{
    enum { SAMPLES = 1 << 16 };
    OWNED(factor_list) list = all_factors();
    OWNED_SCHEDULE *schedule = make_schedule("li-cai", 1.0, 4.5, 64);
    const struct chain_problem problem = make_chains(&list, sampler_find("ddpm"), schedule, 1, 8);
    OWNED(points) x;
    struct level level = schedule_level(schedule, 1);
    ASSERT_OK(chains_draw, &problem, SAMPLES, &x);
    size_t i = 0;
    for (size_t b = 0; b < BLOCKS; b++)
        for (size_t c = 0; c < blocks[b].factor->dimension; c++, i++) {
            OWNED(factor_list) marginal;
            double mean = 0.0, square = 0.0, exact_mean = 0.0, exact_square = 0.0;
            ASSERT_OK(marginal_of_coordinate, blocks[b].factor, c, &marginal);
            const struct factor *f = &marginal.group[0].factor;
            for (size_t k = 0; k < f->components; k++) {
                double m = sqrt(level.alpha_bar) * f->mean[k];
                exact_mean += f->weight[k] * m;
                exact_square += f->weight[k] * (m * m + level.alpha_bar * f->sd[k] * f->sd[k] + level.noise);
            }
            for (size_t j = 0; j < SAMPLES; j++) {
                mean += x.x[i * SAMPLES + j] / SAMPLES;
                square += x.x[i * SAMPLES + j] * x.x[i * SAMPLES + j] / SAMPLES;
            }
            ck_assert_msg(fabs(mean - exact_mean) < 4.0 * sqrt(exact_square / SAMPLES),
                          "coordinate %zu: mean %g, not %g", i, mean, exact_mean);
            ck_assert_msg(fabs(square - exact_square) < 4.0 * 1.8 * exact_square / sqrt(SAMPLES),
                          "coordinate %zu: second moment %g, not %g", i, square, exact_square);
        }
    /* the first mode of the skewed coordinate lies three of its deviations from the second's reach */
    double first = 0.0;
    for (size_t j = 0; j < SAMPLES; j++)
        first += x.x[2 * SAMPLES + j] < -1.1 ? 1.0 / SAMPLES : 0.0;
    double exact = 0.0;
    for (size_t k = 0; k < 3; k++)
        exact += skewed.weight[k] * 0.5
                 * erfc(-(-1.1 - sqrt(level.alpha_bar) * skewed.mean[k])
                        / sqrt(2.0 * (level.alpha_bar * skewed.sd[k] * skewed.sd[k] + level.noise)));
    ck_assert_double_eq_tol(first, exact, 4.0 * sqrt(exact / SAMPLES));
}

/* ---- Paths ---- */

static const char *const stochastic[] = {
    "ddpm", "ddpm-outside", "ddpm-ancestral", "accelerated", "accelerated-sde-2024", "overshoot-2025", "lagrange-3"};

/* E W = 1, and chi2 of two coordinates: exact against unbiased. c1 is small, so that weights are of use. */
TEST(test_path_weights, .count = COUNT(stochastic))
{
    enum { PATHS = 1 << 15 };
    OWNED(factor_list) list = list_of(&bimodal, 2.0);
    OWNED_SCHEDULE *schedule = make_schedule("li-cai", 0.3, 1.3, 64);
    const struct sampler *sampler = sampler_find(stochastic[_i]);
    struct score_error error_of[] = {{.shape = NULL}, spread_error("wave", "all", 0.3)};
    for (int e = 0; e < 2; e++) {
        const struct law_problem problem = {.factor = &bimodal,
                                            .sampler = sampler,
                                            .schedule = schedule,
                                            .score_error = &error_of[e],
                                            .error_share = e == 0 ? 0.0 : 0.5};
        OWNED(law) law = compute_law(&problem);
        struct divergence exact;
        exact = divergences_of(&law, 2.0);
        struct chain_problem chains = make_chains(&list, sampler, schedule, 1, (uint64_t)_i);
        chains.score_error = &error_of[e];
        OWNED(paths) paths;
        struct weights weights;
        ASSERT_OK(chains_weigh, &chains, PATHS, &paths);
        ASSERT_OK(weights_measure, PATHS, paths.log_weight[0], paths.log_weight[1], 1, paths.start.log_density,
                  &weights);
        ck_assert_msg(weights.accepted, "%s: effective paths %g", sampler->name, weights.ess);
        ck_assert_msg(fabs(weights.mass.value - 1.0) < 4.0 * weights.mass.error, "%s: E W = %g +- %g", sampler->name,
                      weights.mass.value, weights.mass.error);
        ck_assert_msg(fabs(weights.chi2.value - exact.chi2_q_p.value) < 4.0 * weights.chi2.error,
                      "%s: chi2 = %g +- %g, expected %g", sampler->name, weights.chi2.value, weights.chi2.error,
                      exact.chi2_q_p.value);
        ck_assert_double_gt(weights.path_kl.value + 4.0 * weights.path_kl.error, exact.kl_p_q.value);
        ck_assert_double_lt(weights.tv_lower.value - 4.0 * weights.tv_lower.error, exact.tv.value);
    }
}
