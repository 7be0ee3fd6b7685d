/* Laws under score errors, without noise and with clips: the line engine against the closed form and against itself
 * at twice the resolution; the effect of an error; maps that fold; what the bound on clips is worth. */
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "law/divergence.h"
#include "law/law.h"
#include "law/measure.h"

#include "test/laws.h"
#include "test/suite.h"
#include "test/targets.h"

TEST_SUITE(line_error);

static double one[] = {1.0}, third[] = {0.3}, half[] = {0.5}, zero[] = {0.0};
static double even[] = {0.5, 0.5}, modes[] = {-1.0, 1.0}, narrow[] = {0.3, 0.3};

static const struct {
    const char *name;
    struct factor factor;
} targets[] = {{"gauss", {1, 1, one, zero, half, NULL, NULL, NULL}},
               {"shifted", {1, 1, one, third, half, NULL, NULL, NULL}},
               {"bimodal", {1, 2, even, modes, narrow, NULL, NULL, NULL}}};
enum { GAUSS, SHIFTED, BIMODAL };

static struct divergence measure(const char *engine, const struct law_problem *problem, double resolution)
{
    OWNED(law) law;
    ASSERT_OK(compute_by, engine_called(engine), problem, resolution, &law);
    struct divergence divergence = divergences_of(&law, 1.0);
    return divergence;
}

static const char *const profiles[] = {"uniform", "early", "late", "relative"};

/* Affine errors keep Gaussians Gaussian. */
TEST(test_affine, .count = 16, .grows = 1)
{
    OWNED_SCHEDULE *schedule = make_li_cai(_i % 2 == 0 ? 128 : 512);
    struct score_error error = make_error(_i / 2 % 2 == 0 ? "bias" : "linear", 0.05, 0.0, 0.0);
    error.profile = error_profile_find(profiles[_i / 4]);
    for (int target = GAUSS; target <= SHIFTED; target++)
        for (size_t s = 0; sampler_at(s) != NULL; s++) {
            if (((size_t)(_i + target) + s) % 2 >= taken(2) /* one of two numbers of steps */
                || !law_engine_carries(engine_called("line"), sampler_at(s))
                || !law_engine_carries(engine_called("gaussian"), sampler_at(s)))
                continue;
            struct law_problem problem = {.factor = &targets[target].factor,
                                          .sampler = sampler_at(s),
                                          .schedule = schedule,
                                          .score_error = &error,
                                          .error_share = 0.3};
            char where[100];
            (void)snprintf(where, sizeof where, "%s, %s, %s", targets[target].name, sampler_at(s)->name,
                           error.shape->name);
            ck_assert(engine_called("gaussian")->handles(&problem));
            struct divergence line = measure("line", &problem, 1.0), closed = measure("gaussian", &problem, 1.0);
            assert_agree(line.tv, closed.tv, "TV", where);
            assert_agree(line.kl_p_q, closed.kl_p_q, "KL", where);
            ck_assert_msg(line.tv.error < 1e-10 + 3e-5 * line.tv.value, "%s: TV = %g +- %g", where, line.tv.value,
                          line.tv.error);
        }
}

static const struct {
    const char *shape;
    double size, roughness, probability;
    size_t T;
    double wide; /* relative radius allowed */
} rough[] = {
    {"wave", 0.05, 0.5, 0.0, 256, 1e-5},  {"wave", 0.05, 8.0, 0.0, 256, 1e-5}, {"wave", 0.02, 32.0, 0.0, 256, 1e-5},
    {"sign", 0.05, 0.0, 0.0, 256, 1e-5},  {"bump", 0.05, 0.0, 0.1, 256, 1e-5}, {"bump", 0.05, 0.0, 1e-3, 256, 2e-7},
    {"bump", 0.02, 0.0, 1e-6, 256, 3e-7},
};

TEST(test_rough_errors, .count = COUNT(rough), .grows = 1)
{
    OWNED_SCHEDULE *schedule = make_li_cai(rough[_i].T);
    struct score_error error =
        make_error(rough[_i].shape, rough[_i].size, rough[_i].roughness, rough[_i].probability);
    static const char *const samplers[] = {"ddpm", "accelerated", "accelerated-sde-2024"};
    for (size_t s = 0; s < 3; s++) {
        if (((size_t)_i + s) % 3 >= taken(3))
            continue;
        struct law_problem problem = {.factor = &targets[BIMODAL].factor,
                                      .sampler = sampler_find(samplers[s]),
                                      .schedule = schedule,
                                      .score_error = &error,
                                      .error_share = 1.0};
        struct divergence once = measure("line", &problem, 1.0),
                          twice = measure("line", &problem, taken(3) == 3 ? 2.0 : 1.5);
        assert_agree(once.tv, twice.tv, "TV", samplers[s]);
        assert_agree(once.kl_p_q, twice.kl_p_q, "KL", samplers[s]);
        assert_agree(once.chi2_q_p, twice.chi2_q_p, "chi2", samplers[s]);
        ck_assert_msg(fmin(once.tv.error, twice.tv.error) < rough[_i].wide * twice.tv.value, "%s: TV = %g +- %g",
                      samplers[s], twice.tv.value, twice.tv.error);
    }
}

/* Where an error sets in between two checks, nothing but a check there sees it. */
TEST(test_late_errors, .count = 2, .grows = 1)
{
    static const char *const samplers[] = {"ddpm", "accelerated"};
    OWNED_SCHEDULE *schedule = make_li_cai(1500);
    struct score_error error = make_error("wave", 1.0, 32.0, 0.0);
    error.profile = error_profile_find(_i == 0 ? "late" : "early");
    error.size = _i == 0 ? 1.0 : 0.01;
    for (size_t s = 0; s < 2; s++) {
        if (((size_t)_i + s) % 2 >= taken(2))
            continue;
        struct law_problem problem = {.factor = &targets[GAUSS].factor,
                                      .sampler = sampler_find(samplers[s]),
                                      .schedule = schedule,
                                      .score_error = &error,
                                      .error_share = 1.0};
        struct divergence once = measure("line", &problem, 1.0),
                          twice = measure("line", &problem, taken(2) == 2 ? 2.0 : 1.5);
        assert_agree(once.tv, twice.tv, "TV", samplers[s]);
        ck_assert_msg(once.tv.error < 1e-5 * once.tv.value, "%s: TV = %g +- %g", samplers[s], once.tv.value,
                      once.tv.error);
    }
}

TEST(test_maps)
{
    static const char *const samplers[] = {"ddim", "pf-ode-2"};
    OWNED_SCHEDULE *schedule = make_li_cai(256);
    struct score_error error = make_error("wave", 0.002, 8.0, 0.0);
    for (size_t s = 0; s < 2; s++) {
        struct law_problem problem = {.factor = &targets[BIMODAL].factor,
                                      .sampler = sampler_find(samplers[s]),
                                      .schedule = schedule,
                                      .score_error = &error,
                                      .error_share = 1.0};
        struct divergence once = measure("line", &problem, 1.0), twice = measure("line", &problem, 2.0);
        assert_agree(once.tv, twice.tv, "TV", samplers[s]);
        ck_assert_msg(twice.tv.error < 1e-8 * twice.tv.value, "%s: TV = %g +- %g", samplers[s], twice.tv.value,
                      twice.tv.error);
        struct law law;
        struct error failure = {STATUS_OK, ""};
        error = make_error("wave", 2.0, 64.0, 0.0);
        ck_assert_int_eq(compute_by(engine_called("line"), &problem, 1.0, &law, &failure), STATUS_NUMERIC);
        ck_assert_msg(strstr(failure.text, "folds") != NULL, "%s", failure.text);
        error = make_error("sign", 0.05, 0.0, 0.0);
        ck_assert_int_eq(compute_by(engine_called("line"), &problem, 1.0, &law, &failure), STATUS_NUMERIC);
        ck_assert_msg(strstr(failure.text, "jumps") != NULL, "%s", failure.text);
        error = make_error("wave", 0.002, 8.0, 0.0);
    }
}

static struct measurement measure_product(const char *sampler, const struct score_error *error, size_t T, size_t d,
                                          int target)
{
    struct target product;
    struct measurement out;
    struct error failure = {STATUS_OK, ""};
    OWNED_SCHEDULE *schedule = make_li_cai(T);
    target_init(&product, target_family_find("mixture"));
    const struct factor *factor = &targets[target].factor;
    set_mixture(&product, factor->components, factor->weight, factor->mean, factor->sd);
    enum status status = measure_target(
        &(struct measure_problem){&product, sampler_find(sampler), error, schedule, 1}, &d, 1, &out, &failure);
    ck_assert_msg(status == STATUS_OK, "%s", failure.text);
    return out;
}

/* A bias moves a Gaussian: TV = 2 Phi(shift/(2 sd)) - 1, in any direction of the space. */
TEST(test_effect_of_bias)
{
    enum { T = 512 };
    OWNED_SCHEDULE *schedule = make_li_cai(T);
    struct score_error error = make_error("bias", 0.02, 0.0, 0.0);
    double shift = 0.0, V = 1.0, lambda = 0.25;
    for (size_t t = T; t >= 2; t--) {
        struct step step = sampler_step(NULL, schedule, t);
        double b = -step.beta / (step.from.alpha_bar * lambda + step.from.noise);
        shift = (shift * (1.0 + b) + step.beta * error.size) / sqrt(step.alpha);
        V = (1.0 + b) * (1.0 + b) * V / step.alpha + step.beta / step.alpha;
    }
    double expected = 2.0 * gsl_cdf_ugaussian_P(0.5 * shift / sqrt(V)) - 1.0;
    static const size_t dimensions[] = {1, 2, 64};
    for (int i = 0; i < 3; i++)
        for (int spread = SPREAD_ALL; spread <= SPREAD_DIAGONAL; spread++) {
            error.spread = (enum error_spread)spread;
            struct measurement m = measure_product("ddpm", &error, T, dimensions[i], GAUSS);
            ck_assert_msg(fabs(m.error_effect.value - expected) <= 1e-7 * expected + m.error_effect.error,
                          "d = %zu, spread %d: %.12g +- %.3g, expected %.12g", dimensions[i], spread,
                          m.error_effect.value, m.error_effect.error, expected);
            ck_assert_double_lt(m.error_effect.error, 1e-5 * expected);
        }
}

/* The excess is at most the effect; and it is not far below where the sampler's own error is small. */
TEST(test_effect_bounds_excess, .count = 5, .grows = 1)
{
    static const char *const shapes[] = {"bias", "linear", "wave", "sign", "bump"};
    static const char *const samplers[] = {"ddpm", "accelerated"};
    struct score_error error = make_error(shapes[_i], 0.05, 2.0, 0.01);
    for (int s = 0; s < 2; s++)
        for (size_t d = 1; d <= 4; d += 3) {
            if (((size_t)_i + (size_t)s + d / 4) % 2 >= taken(2))
                continue;
            struct measurement with = measure_product(samplers[s], &error, 512, d, BIMODAL);
            struct measurement without = measure_product(samplers[s], NULL, 512, d, BIMODAL);
            double excess = with.divergence.tv.value - without.divergence.tv.value;
            double radius = with.divergence.tv.error + without.divergence.tv.error + with.error_effect.error;
            ck_assert_msg(fabs(excess) <= with.error_effect.value + radius, "%s, %s, d = %zu: excess %g, effect %g",
                          shapes[_i], samplers[s], d, excess, with.error_effect.value);
            if (s == 1)
                ck_assert_msg(excess >= 0.5 * with.error_effect.value, "%s: excess %g, effect %g", shapes[_i], excess,
                              with.error_effect.value);
            ck_assert(without.error_effect.value == 0.0);
        }
}

/* In one coordinate of many, the others cancel. */
TEST(test_effect_in_one_coordinate)
{
    struct score_error error = make_error("wave", 0.05, 4.0, 0.0);
    error.spread = SPREAD_ONE;
    struct measurement alone = measure_product("accelerated", &error, 256, 1, BIMODAL);
    struct measurement among = measure_product("accelerated", &error, 256, 1000, BIMODAL);
    ck_assert_double_eq_tol(alone.error_effect.value, among.error_effect.value, 1e-14);
    ck_assert_double_gt(among.divergence.tv.value, alone.divergence.tv.value);
}

/* A bump 1e-6 wide in probability and 31 high at size 0.03 drives the correction over the clip. */
TEST(test_clip)
{
    struct score_error error = make_error("bump", 0.03, 0.0, 1e-6);
    struct measurement clipped = measure_product("accelerated", &error, 256, 1, GAUSS);
    struct measurement unclipped = measure_product("accelerated-unclipped", &error, 256, 1, GAUSS);
    struct measurement product = measure_product("accelerated", &error, 256, 2, GAUSS);
    double difference = fabs(clipped.divergence.tv.value - unclipped.divergence.tv.value);
    double radius = clipped.divergence.tv.error + unclipped.divergence.tv.error;
    ck_assert(clipped.clip_probability == 0.0 && unclipped.clip_probability == 0.0);
    ck_assert_msg(difference > radius, "TV %g with the clip, %g without, radius %g", clipped.divergence.tv.value,
                  unclipped.divergence.tv.value, radius);
    /* In a product the clip is off, and the radius says what that may cost; in one dimension it may cost as much. */
    OWNED_SCHEDULE *schedule = make_li_cai(256);
    struct law_problem problem = {.factor = &targets[GAUSS].factor,
                                  .sampler = sampler_find("accelerated"),
                                  .schedule = schedule,
                                  .score_error = &error,
                                  .error_share = 1.0};
    OWNED(law) law;
    ASSERT_OK(compute_by, engine_called("line"), &problem, 1.0, &law);
    const struct clip_bound *bound = &law.clip;
    double copies = 1.0, probability = clip_probability(1, &bound, &copies, 1);
    ck_assert_msg(difference <= probability + radius, "difference %g, bound %g", difference, probability);
    ck_assert_msg(probability < 1e-2, "bound %g", probability);
    /* all that the clip may do lies in the interval, which ends at 0 */
    struct measured tv = product.divergence.tv;
    ck_assert(product.clip_probability > 0.0 && tv.value + tv.error >= product.clip_probability);
    ck_assert(tv.value - tv.error <= fmax(0.0, tv.value + tv.error - 2.0 * product.clip_probability));
}

/* The bound on clips adds up over steps: a law is given up early if and only if that of all of them exceeds what is
 * allowed, and else it is the same to the bit. */
TEST(law_is_given_up_where_the_clip_matters)
{
    static double weights[] = {0.3, 0.7}, atoms[] = {0.0, 0.0};
    const struct factor factor = {1, 2, weights, modes, atoms, NULL, NULL, NULL};
    OWNED_SCHEDULE *schedule = make_li_cai(46);
    struct law_problem problem = {.factor = &factor, .sampler = sampler_find("accelerated"), .schedule = schedule};
    OWNED(law) whole, allowed, given_up;
    const double copies = 1.0;
    ASSERT_OK(compute_by, engine_called("line"), &problem, 1.0, &whole);
    const struct clip_bound *bound = &whole.clip;
    double probability = clip_probability(1, &bound, &copies, 1);
    ck_assert(!whole.given_up && probability > CLIP_MATTERS && probability < 0.01);
    problem.clip_most = 1.01 * probability;
    ASSERT_OK(compute_by, engine_called("line"), &problem, 1.0, &allowed);
    ck_assert(!allowed.given_up && allowed.error_l1 == whole.error_l1);
    ck_assert_uint_eq(allowed.log_ratio.count, whole.log_ratio.count);
    ck_assert_mem_eq(allowed.log_ratio.panel, whole.log_ratio.panel,
                     whole.log_ratio.count * sizeof *whole.log_ratio.panel);
    problem.clip_most = 0.99 * probability;
    ASSERT_OK(compute_by, engine_called("line"), &problem, 1.0, &given_up);
    bound = &given_up.clip;
    ck_assert(given_up.given_up && given_up.node_updates < whole.node_updates);
    ck_assert_double_gt(clip_probability(1, &bound, &copies, 1), problem.clip_most);
}

/* Atoms with large steps: what the clip does is less than the bound, which does not count every step as the worst. */
TEST(bound_on_clips_is_that_of_each_step)
{
    static double weights[] = {0.3, 0.7}, atoms[] = {0.0, 0.0};
    const struct factor factor = {1, 2, weights, modes, atoms, NULL, NULL, NULL};
    OWNED_SCHEDULE *schedule = make_li_cai(46);
    struct law_problem problem = {.factor = &factor, .sampler = sampler_find("accelerated"), .schedule = schedule};
    OWNED(law) law;
    ASSERT_OK(compute_by, engine_called("line"), &problem, 1.0, &law);
    const struct clip_bound *bound = &law.clip;
    double copies = 1.0, probability = clip_probability(1, &bound, &copies, 1), steps = 0.0, worst = 0.0;
    for (size_t p = 0; p < CLIP_PARTS; p++) {
        steps += bound->part[p].steps;
        worst = fmax(worst, bound->part[p].beyond);
    }
    ck_assert_double_eq(steps, 45.0);
    ck_assert_msg(probability >= worst && probability < 4.0 * worst, "bound %g, worst %g", probability, worst);
    const struct measured without = divergences_of(&law, 1.0).tv;
    problem.clip = sampler_clip(1, 46);
    const struct measured with = measure("line", &problem, 1.0).tv;
    double difference = fabs(with.value - without.value);
    ck_assert_msg(difference <= probability + with.error + without.error,
                  "%g +- %g with the clip, %g +- %g without, bound %g", with.value, with.error, without.value,
                  without.error, probability);
}

/* Without an error the clip is out of reach. */
TEST(test_clip_is_out_of_reach)
{
    static const size_t dimensions[] = {1, 64, 100000};
    for (int target = GAUSS; target <= BIMODAL; target++)
        for (int i = 0; i < 3; i++) {
            struct measurement m = measure_product("accelerated", NULL, 128, dimensions[i], target);
            ck_assert_msg(m.clip_probability < 1e-20, "%s, d = %zu: %g", targets[target].name, dimensions[i],
                          m.clip_probability);
        }
}
