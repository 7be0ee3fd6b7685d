/* Small worlds in which the law that the program computes is compared with that of the chain itself, pushed forward
 * by brute force (brute.h). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "law/divergence.h"
#include "law/law.h"

#include "test/brute.h"
#include "test/laws.h"
#include "test/suite.h"

TEST_SUITE(toy);

static double one[] = {1.0}, zero[] = {0.0}, half[] = {0.5};
static double even[] = {0.5, 0.5}, modes[] = {-1.0, 1.0}, narrow[] = {0.3, 0.3};
static double thirds[] = {0.2, 0.5, 0.3}, places[] = {-1.5, 0.0, 1.0}, widths[] = {0.2, 0.5, 0.3};

static const struct {
    const char *name;
    struct factor factor;
} targets[] = {{"gaussian", {1, 1, one, zero, half, NULL, NULL, NULL}},
               {"bimodal", {1, 2, even, modes, narrow, NULL, NULL, NULL}},
               {"skewed", {1, 3, thirds, places, widths, NULL, NULL, NULL}}};
static const size_t steps[] = {40, 48, 64};
enum { TARGETS = 3, SCHEDULES = 8, STEPS = 3 }; /* schedule_texts */

#define ROUNDING 1e-14 /* of the brute force's sums, where a sampler superconverges on a Gaussian */

/* How close a law must come, as parts of TV. */
struct demand {
    double chain; /* error of the brute force, see test_brute.c: a law may be off by that and its own radius */
    double value; /* and by no more than this, and claim no radius ten times as large */
    double mass;  /* that it may lose */
};
static const struct demand smooth = {1e-8, 1e-6, 1e-5}, jumps = {1e-7, 1e-4, 1e-3};
/* Next to the data the steps of the cosine are as large as the noise, whatever T: radii of laws are some 1e-9 there.
 */
static const struct demand large_steps = {1e-8, 2e-4, 1e-5};

static void compare(const char *where, const struct brute *brute, const struct law_problem *problem,
                    const struct demand *demand)
{
    OWNED(law) law;
    struct divergence divergence;
    struct error failure;
    enum status status = law_compute(problem, &law, &failure);
    ck_assert_msg(status == STATUS_OK, "%s: %s", where, failure.text);
    struct law_group group = {&law, 1.0};
    status = divergence_measure(&group, 1, &divergence, &failure);
    ck_assert_msg(status == STATUS_OK, "%s: %s", where, failure.text);
    double tv = divergence.tv.value, chi2 = divergence.chi2_q_p.value, radius = divergence.tv.error;
    ck_assert_msg(fabs(brute->mass - 1.0) < 1e-12, "%s: the chain's mass is 1 %+.3g", where, brute->mass - 1.0);
    ck_assert_msg(fabs(tv - brute->tv) <= radius + demand->chain * brute->tv + ROUNDING,
                  "%s: TV = %.12g +- %.3g, the chain's is %.12g", where, tv, radius, brute->tv);
    int sharp = fabs(tv - brute->tv) <= demand->value * tv && radius <= 10.0 * demand->value * tv;
    ck_assert_msg(sharp, "%s: TV = %.12g +- %.3g is not sharp; the chain's is %.12g", where, tv, radius, brute->tv);
    ck_assert_msg(fabs(law.mass_defect) <= 1e-10 + demand->mass * tv, "%s: mass defect %.3g", where, law.mass_defect);
    /* infinite, or in tails that no support reaches, where q has less than half the precision of p */
    int known = isfinite(chi2) && divergence.chi2_q_p.error <= chi2;
    /* q^2/p does not fall towards the ends of the chain's grid, which cuts the integral off somewhere */
    ck_assert_msg(!isinf(chi2) || brute->chi2 > 10.0, "%s: chi2 is infinite, the chain's is %g", where, brute->chi2);
    ck_assert_msg(!known || fabs(chi2 - brute->chi2) <= 1e-5 * brute->chi2 + divergence.chi2_q_p.error,
                  "%s: chi2 = %.12g +- %.3g, the chain's is %.12g", where, chi2, divergence.chi2_q_p.error,
                  brute->chi2);
}

/* Exact scores: every sampler in every world. */
TEST(test_world, .count = sampler_count() * TARGETS * (int)(taken(SCHEDULES) * taken(STEPS)), .grows = 1)
{
    /* A small run takes one schedule and one number of steps in turn. */
    size_t world = (size_t)_i, n = world % taken(STEPS), t = (world /= taken(STEPS)) % TARGETS;
    size_t s = (world /= TARGETS) % taken(SCHEDULES), which = world / taken(SCHEDULES);
    const struct sampler *sampler = sampler_at(which);
    s = (s + t + which) % SCHEDULES;
    n = (n + t + which / SCHEDULES) % STEPS;
    OWNED_SCHEDULE *schedule = make_schedule_from(schedule_texts[s], steps[n]);
    char where[200];
    (void)snprintf(where, sizeof where, "%s, %s, %s, T = %zu", targets[t].name, schedule_texts[s], sampler->name,
                   steps[n]);
    const struct factor *factor = &targets[t].factor;
    struct brute brute = brute_force(&(struct brute_problem){
        .factor = factor, .sampler = sampler, .schedule = schedule, .fineness = brute_fineness(sampler)});
    compare(where, &brute, &(struct law_problem){.factor = factor, .sampler = sampler, .schedule = schedule},
            strncmp(schedule_texts[s], "cosine", 6) == 0 ? &large_steps : &smooth);
}

/* Errors, and the samplers that are asked to bear them: the last four, deterministic ones and one that draws, only
 * smooth errors, for a jump leaves holes in the laws of the former and is refused of the latter. */
static const struct {
    struct brute_error error;
    int smooth;
} errors[] = {
    {{"bias", "uniform", 0.05, 0.0, 0.0}, 1},   {{"bias", "late", 0.05, 0.0, 0.0}, 1},
    {{"linear", "uniform", 0.05, 0.0, 0.0}, 1}, {{"linear", "early", 0.08, 0.0, 0.0}, 1},
    {{"wave", "uniform", 0.05, 4.0, 0.0}, 1},   {{"wave", "relative", 0.05, 2.0, 0.0}, 1},
    {{"wave", "uniform", 0.05, 16.0, 0.0}, 0},  {{"bump", "uniform", 0.05, 0.0, 0.05}, 0},
    {{"bump", "late", 0.03, 0.0, 0.2}, 0},      {{"sign", "uniform", 0.05, 0.0, 0.0}, 0},
    {{"sign", "early", 0.05, 0.0, 0.0}, 0},
};
static const char *const bearers[] = {"ddpm",       "accelerated",          "accelerated-sde-2024",
                                      "lagrange-3", "runge-kutta-4",        "ddim",
                                      "pf-ode-2",   "accelerated-ode-2024", "randomised-midpoint"};
enum { ERRORS = COUNT(errors), STOCHASTIC_BEARERS = 5 };

static struct score_error score_error(const struct brute_error *error)
{
    struct score_error same = make_error(error->shape, error->size, error->roughness, error->probability);
    same.profile = error_profile_find(error->profile);
    same.spread = SPREAD_ONE;
    ck_assert(same.shape != NULL && same.profile != NULL);
    return same;
}

TEST(test_score_error, .count = COUNT(bearers) * TARGETS * ERRORS, .grows = 1)
{
    size_t e = (size_t)_i % ERRORS, t = (size_t)_i / ERRORS % TARGETS, b = (size_t)_i / (ERRORS * TARGETS);
    if (!errors[e].smooth && (b >= STOCHASTIC_BEARERS || t == (e + b) % TARGETS))
        return; /* these take longest: two targets each, in turns */
    /* A small run takes one target in turn, and every other error. */
    if ((e + b + t) % TARGETS >= taken(TARGETS) || (e + b) % 2 >= taken(2))
        return;
    const struct brute_error *error = &errors[e].error;
    const struct sampler *sampler = sampler_find(bearers[b]);
    const struct factor *factor = &targets[t].factor;
    OWNED_SCHEDULE *schedule = make_schedule_from(schedule_texts[0], 48);
    struct score_error same = score_error(error);
    char where[200];
    (void)snprintf(where, sizeof where, "%s, %s with %s error, %s (roughness %g)", targets[t].name, sampler->name,
                   error->shape, error->profile, error->roughness);
    struct brute brute = brute_force(&(struct brute_problem){.factor = factor,
                                                             .sampler = sampler,
                                                             .schedule = schedule,
                                                             .error = *error,
                                                             .fineness = brute_fineness(sampler)});
    compare(where, &brute,
            &(struct law_problem){
                .factor = factor, .sampler = sampler, .schedule = schedule, .score_error = &same, .error_share = 1.0},
            errors[e].smooth ? &smooth : &jumps);
}

/* A clip low enough to zero a good part of the corrections. */
TEST(test_clip, .count = TARGETS)
{
    const double clip = 0.1;
    const struct factor *factor = &targets[_i].factor;
    const struct sampler *sampler = sampler_find("accelerated");
    OWNED_SCHEDULE *schedule = make_schedule_from(schedule_texts[0], 48);
    struct brute brute = brute_force(&(struct brute_problem){
        .factor = factor, .sampler = sampler, .schedule = schedule, .clip = clip, .fineness = 1.0});
    compare(targets[_i].name, &brute,
            &(struct law_problem){.factor = factor, .sampler = sampler, .schedule = schedule, .clip = clip}, &jumps);
}
