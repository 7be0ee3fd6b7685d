/* Samplers against theory (6), (8), (9), (11) and (12), and their papers' formulas, as printed, in long double, at
 * levels where the differences can be afforded. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/runge_kutta.h"
#include "model/sampler.h"

#include "test/sampler_steps.h"
#include "test/suite.h"

TEST_SUITE(sampler);

struct counted_score {
    struct score base;
    double variance; /* of the Gaussian target; below 0: the score of a constant epsilon, 1 */
    size_t *calls, *evaluations;
    const struct level *known; /* if not NULL: all the levels that may be asked for */
    size_t levels;
};

static void evaluate(const struct score *score, const struct level *level, size_t n, const double *x, double *out)
{
    const struct counted_score *counted = (const struct counted_score *)score;
    double V = level->alpha_bar * counted->variance + level->noise;
    for (size_t i = 0; i < n; i++)
        out[i] = counted->variance < 0.0 ? -1.0 / sqrt(level->noise) : -x[i] / V;
    size_t known = 0;
    for (size_t i = 0; counted->known != NULL && i < counted->levels; i++)
        known += (size_t)level_equal(&counted->known[i], level);
    if (counted->known != NULL)
        ck_assert_uint_ge(known, 1);
    if (counted->calls != NULL) {
        ++*counted->calls;
        *counted->evaluations += n;
    }
}

static long double score_of(const struct exact_step *e, long double a, long double x)
{
    return -x / (a * e->variance + 1.0L - a);
}

static long double epsilon(const struct exact_step *e, long double a, long double x)
{
    return -sqrtl(1.0L - a) * score_of(e, a, x);
}

static long double overshoot(const struct exact_step *e)
{
    return e->a1 / (1.0L - posterior_noise(e));
}

static long double increment_ddpm(const struct exact_step *e, long double x)
{
    return (1.0L - e->a / e->a1) * score_of(e, e->a, x);
}

static long double increment_ddim(const struct exact_step *e, long double x)
{
    return (1.0L - e->a / e->a1) / 2.0L * score_of(e, e->a, x);
}

static long double increment_exponential(const struct exact_step *e, long double x)
{
    return 2.0L * (1.0L - sqrtl(e->a / e->a1)) * score_of(e, e->a, x);
}

/* Song et al.'s step with noise v, times sqrt(alpha), minus x */
static long double increment_song_with(const struct exact_step *e, long double v, long double x)
{
    long double at = epsilon(e, e->a, x), x0 = (x - sqrtl(1.0L - e->a) * at) / sqrtl(e->a);
    return sqrtl(e->a / e->a1) * (sqrtl(e->a1) * x0 + sqrtl(1.0L - e->a1 - v) * at) - x;
}

static long double increment_song(const struct exact_step *e, long double x)
{
    return increment_song_with(e, 0.0L, x);
}

/* s at tau = 1 - a, between those of level t and of the overshoot level, and Y there */
static long double increment_midpoint(const struct exact_step *e, long double x)
{
    long double end = overshoot(e), a = e->a + PLACE * (end - e->a);
    long double u = x / sqrtl(e->a) + (sigma(a) - sigma(e->a)) * epsilon(e, e->a, x);
    return sqrtl(e->a) * (end - e->a) / (2.0L * powl(a, 1.5L)) * score_of(e, a, sqrtl(a) * u);
}

/* Lu et al.'s X in place of x0, where the step before found x0 = x/2 */
static long double data_of(const struct exact_step *e, long double x)
{
    long double above = e->a * (1.0L - BEFORE * (1.0L - e->a / e->a1)), h = logl(sigma(e->a) / sigma(e->a1));
    long double x0 = (x - sqrtl(1.0L - e->a) * epsilon(e, e->a, x)) / sqrtl(e->a);
    return x0 + h / (2.0L * logl(sigma(above) / sigma(e->a))) * (x0 - x / 2.0L);
}

static long double increment_dpm(const struct exact_step *e, long double x)
{
    return (1.0L - sigma(e->a1) / sigma(e->a)) * (sqrtl(e->a) * data_of(e, x) - x);
}

static long double increment_sde_dpm(const struct exact_step *e, long double x)
{
    long double q = sigma(e->a1) / sigma(e->a);
    return (1.0L - q * q) * (sqrtl(e->a) * data_of(e, x) - x);
}

static long double increment_strang(const struct exact_step *e, long double x)
{
    long double alpha = e->a / e->a1, m = sqrtl(e->a * e->a1), rate = -logl(alpha), y = x / powl(alpha, 0.25L);
    return powl(alpha, 0.25L) * rate / 2.0L * score_of(e, m, y + rate / 4.0L * score_of(e, m, y));
}

/* epsilon at the intermediate point */
static long double epsilon_1(const struct exact_step *e, long double x)
{
    long double between = x + sqrtl(e->a) * (sigma(e->a1) - sigma(e->a)) * epsilon(e, e->a, x);
    return epsilon(e, e->a1, between / sqrtl(e->a / e->a1));
}

static long double increment_accelerated(const struct exact_step *e, long double x)
{
    long double s0 = sigma(e->a), s1 = sigma(e->a1), s2 = sigma(overshoot(e)), e0 = epsilon(e, e->a, x);
    long double c = (s2 - s0) * (s2 - s0) / (2.0L * (s1 - s0)) * (epsilon_1(e, x) - e0);
    return sqrtl(e->a) * ((s2 - s0) * e0 + c);
}

static long double increment_heun(const struct exact_step *e, long double x)
{
    return sqrtl(e->a) * (sigma(e->a1) - sigma(e->a)) * (epsilon(e, e->a, x) + epsilon_1(e, x)) / 2.0L;
}

static long double increment_ode_2024(const struct exact_step *e, long double x)
{
    long double beta = 1.0L - e->a / e->a1, before = BEFORE * beta, alpha = 1.0L - before;
    long double s = score_of(e, e->a, x), back = sqrtl(alpha) * (x - before / 2.0L * s);
    long double difference = s - sqrtl(alpha) * score_of(e, e->a * alpha, back);
    return beta / 2.0L * s + beta * beta / (4.0L * before) * difference;
}

/* exp(-h') of the reverse step, times sqrt(alpha_t) = exp(-h), minus x. */
static long double increment_overshoot(const struct exact_step *e, long double x)
{
    long double beta = 1.0L - e->a / e->a1, h = -logl(1.0L - beta) / 2.0L, after = -logl(1.0L - AFTER * beta) / 2.0L;
    return (1.0L - expl(-h - after)) * score_of(e, e->a, x);
}

/* du/dsigma at the part c of the way to the overshoot level */
static long double slope_at(const struct exact_step *e, long double c, long double u)
{
    long double s = sigma(e->a) + c * (sigma(overshoot(e)) - sigma(e->a)), a = 1.0L / (1.0L + s * s);
    return epsilon(e, a, sqrtl(a) * u);
}

/* Runge-Kutta rules from level t to the overshoot level, as their tables are printed. */
struct tableau {
    size_t stages;
    long double node[4], inner[4][3], weight[4];
};

static long double by_tableau(const struct exact_step *e, long double x, const struct tableau *rule)
{
    long double H = sigma(overshoot(e)) - sigma(e->a), u = x / sqrtl(e->a), k[4], total = 0.0L;
    for (size_t i = 0; i < rule->stages; i++) {
        long double at = u;
        for (size_t j = 0; j < i; j++)
            at += H * rule->inner[i][j] * k[j];
        k[i] = slope_at(e, rule->node[i], at);
        total += rule->weight[i] * k[i];
    }
    return sqrtl(e->a) * H * total;
}

#define RULE(name, ...) \
    static long double increment_##name(const struct exact_step *e, long double x) \
    { \
        return by_tableau(e, x, &(const struct tableau){__VA_ARGS__}); \
    }
RULE(lagrange_3, 3, {0, 1 / 3.0L, 2 / 3.0L}, {{0}, {1 / 3.0L}, {0, 2 / 3.0L}}, {0.25L, 0, 0.75L})
RULE(lagrange_4, 4, {0, 1 / 3.0L, 0.5L, 1}, {{0}, {1 / 3.0L}, {1 / 8.0L, 3 / 8.0L}, {0.5L, -1.5L, 2}},
     {1 / 6.0L, 0, 4 / 6.0L, 1 / 6.0L})
RULE(kutta_3, 3, {0, 0.5L, 1}, {{0}, {0.5L}, {-1, 2}}, {1 / 6.0L, 4 / 6.0L, 1 / 6.0L})
RULE(kutta_4, 4, {0, 0.5L, 0.5L, 1}, {{0}, {0.5L}, {0, 0.5L}, {0, 0, 1}}, {1 / 6.0L, 2 / 6.0L, 2 / 6.0L, 1 / 6.0L})

static long double noise_after(const struct exact_step *e)
{
    return AFTER * (1.0L - e->a / e->a1);
}

static long double noise_ddpm(const struct exact_step *e)
{
    return (1.0L - e->a / e->a1) / (e->a / e->a1);
}

static long double noise_outside(const struct exact_step *e)
{
    return 1.0L - e->a / e->a1;
}

static long double noise_half(const struct exact_step *e)
{
    return (1.0L - e->a / e->a1) / 2.0L;
}

static const struct {
    const char *name;
    long double (*increment)(const struct exact_step *step, long double x);
    long double (*noise)(const struct exact_step *step);  /* v; NULL: none */
    long double (*before)(const struct exact_step *step); /* u; NULL: none */
} formulas[] = {
    {"ddpm", increment_ddpm, noise_ddpm, NULL},
    {"ddpm-outside", increment_ddpm, noise_outside, NULL},
    {"ddpm-ancestral", increment_ddpm, posterior_noise, NULL},
    {"accelerated", increment_accelerated, posterior_noise, NULL},
    {"accelerated-unclipped", increment_accelerated, posterior_noise, NULL},
    {"exponential-integrator", increment_exponential, noise_ddpm, NULL},
    {"ddim", increment_ddim, NULL, NULL},
    {"ddim-song", increment_song, NULL, NULL},
    {"strang-midpoint", increment_strang, NULL, NULL},
    {"pf-ode-2", increment_heun, NULL, NULL},
    {"accelerated-sde-2024", increment_ddpm, noise_half, noise_half},
    {"accelerated-ode-2024", increment_ode_2024, NULL, NULL},
    {"overshoot-2025", increment_overshoot, noise_after, NULL},
    {"lagrange-3", increment_lagrange_3, posterior_noise, NULL},
    {"lagrange-4", increment_lagrange_4, posterior_noise, NULL},
    {"runge-kutta-3", increment_kutta_3, posterior_noise, NULL},
    {"runge-kutta-4", increment_kutta_4, posterior_noise, NULL},
    {"randomised-midpoint", increment_midpoint, posterior_noise, NULL},
    {"dpm-solver-2m", increment_dpm, NULL, NULL},
    {"sde-dpm-solver-2m", increment_sde_dpm, posterior_noise, NULL},
};

static void run(const struct sampler *sampler, const struct step *step, double variance, double *out)
{
    struct counted_score score = {{.evaluate = evaluate}, variance, NULL, NULL, NULL, 0};
    double *work = calloc(POINTS * sampler->work_arrays + 1, sizeof *work), kept[POINTS];
    struct step with_memory = *step;
    with_memory.memory = kept;
    ck_assert_ptr_nonnull(work);
    ck_assert_uint_le(sampler->memory, 1);
    for (size_t i = 0; i < POINTS; i++)
        kept[i] = 0.5 * points[i];
    sampler->increment(&with_memory, &score.base, POINTS, points, out, work);
    free(work);
}

TEST(test_increment, .count = COUNT(formulas))
{
    const struct sampler *sampler = sampler_find(formulas[_i].name);
    ck_assert_ptr_nonnull(sampler);
    for (size_t s = 0; s < COUNT(steps); s++) {
        struct step step = make_step(sampler, &steps[s]);
        double out[POINTS];
        run(sampler, &step, (double)steps[s].variance, out);
        for (size_t i = 0; i < POINTS; i++) {
            long double exact = formulas[_i].increment(&steps[s], points[i]);
            ck_assert_msg(fabsl(out[i] - exact) <= 2e-14L * fabsl(exact),
                          "%s, step %zu, x = %g: D = %.17g, not %.20Lg", sampler->name, s, points[i], out[i], exact);
        }
    }
}

static void check_noise(const struct sampler *sampler, size_t s, double (*log_noise)(const struct step *step),
                        long double exact)
{
    struct step step = make_step(sampler, &steps[s]);
    double ratio = log_noise(&step);
    ck_assert_msg(fabsl(ratio - exact) <= 1e-15L + 1e-14L * fabsl(exact), "%s, step %zu: %.17g, not %.20Lg",
                  sampler->name, s, ratio, exact);
}

TEST(test_noise, .count = COUNT(formulas))
{
    const struct sampler *sampler = sampler_find(formulas[_i].name);
    ck_assert((sampler->log_noise_ratio == NULL) == (formulas[_i].noise == NULL));
    ck_assert((sampler->log_noise_before == NULL) == (formulas[_i].before == NULL));
    for (size_t s = 0; s < COUNT(steps); s++) {
        long double alpha = steps[s].a / steps[s].a1;
        if (formulas[_i].noise != NULL)
            check_noise(sampler, s, sampler->log_noise_ratio,
                        logl(formulas[_i].noise(&steps[s]) * alpha / (1.0L - alpha)));
        if (formulas[_i].before != NULL)
            check_noise(sampler, s, sampler->log_noise_before, logl(formulas[_i].before(&steps[s]) / (1.0L - alpha)));
    }
}

/* theory (9'): 1 is (9) and 0 Heun's rule, to the bit; between them the formula. */
TEST(test_family_in_the_noise)
{
    const struct sampler *whole = sampler_find("accelerated-unclipped"), *heun = sampler_find("pf-ode-2");
    for (size_t s = 0; s < COUNT(steps); s++)
        for (int i = 0; i <= 6; i++) {
            double w = 0.25 * i, out[POINTS], known[POINTS], variance = (double)steps[s].variance;
            struct sampler_instance *own = with("accelerated-unclipped", "overshoot", w);
            struct step step = make_step(&own->sampler, &steps[s]), same = make_step(whole, &steps[s]);
            long double s0 = sigma(steps[s].a), s1 = sigma(steps[s].a1);
            long double s2 = sigma(overshoot_by(&steps[s], w)), v = w * posterior_noise(&steps[s]);
            long double alpha = steps[s].a / steps[s].a1;
            if (own->sampler.admits(&own->sampler, &step, NULL) != STATUS_OK) {
                ck_assert(w * step.omega >= 1.0);
                sampler_instance_free(own);
                continue;
            }
            run(&own->sampler, &step, variance, out);
            if (i == 0 || i == 4) {
                run(i == 0 ? heun : whole, &same, variance, known);
                ck_assert_mem_eq(out, known, sizeof out);
            }
            for (size_t p = 0; p < POINTS; p++) {
                long double e0 = epsilon(&steps[s], steps[s].a, points[p]), e1 = epsilon_1(&steps[s], points[p]);
                long double D =
                    sqrtl(steps[s].a) * ((s2 - s0) * e0 + (s2 - s0) * (s2 - s0) / (2.0L * (s1 - s0)) * (e1 - e0));
                ck_assert_msg(fabsl(out[p] - D) <= 1e-13L * fabsl(D), "w = %g, step %zu, x = %g: %.17g, not %.20Lg",
                              w, s, points[p], out[p], D);
            }
            ck_assert((own->sampler.log_noise_ratio == NULL) == (i == 0));
            if (i > 0)
                check_noise(&own->sampler, s, own->sampler.log_noise_ratio, logl(v * alpha / (1.0L - alpha)));
            sampler_instance_free(own);
        }
}

/* Song et al.'s family: 1 is ddpm-ancestral, and eta^2 the part of theory (8)'s noise. */
TEST(test_family_of_song)
{
    const struct sampler *ancestral = sampler_find("ddpm-ancestral");
    for (size_t s = 0; s < COUNT(steps); s++)
        for (int i = 0; i <= 4; i++) {
            double out[POINTS], known[POINTS], eta = 0.25 * i, variance = (double)steps[s].variance;
            OWNED_SAMPLER *own = with("ddim-song", "eta", eta);
            struct step step = make_step(&own->sampler, &steps[s]);
            long double v = eta * eta * posterior_noise(&steps[s]), alpha = steps[s].a / steps[s].a1;
            run(&own->sampler, &step, variance, out);
            run(ancestral, &step, variance, known);
            ck_assert((own->sampler.log_noise_ratio == NULL) == (i == 0));
            if (i > 0)
                check_noise(&own->sampler, s, own->sampler.log_noise_ratio, logl(v * alpha / (1.0L - alpha)));
            for (size_t p = 0; p < POINTS; p++) {
                long double D = increment_song_with(&steps[s], v, points[p]);
                ck_assert(fabsl(out[p] - D) <= 1e-14L * fabsl(D) + 1e-18L * fabs(points[p]));
                ck_assert(i < 4 || fabs(out[p] - known[p]) <= 4e-16 * fabs(known[p]));
            }
        }
}

TEST(test_standard_values)
{
    size_t with_params = 0;
    for (size_t i = 0; sampler_at(i) != NULL; i++) {
        const struct sampler *sampler = sampler_at(i);
        union params values;
        params_init(sampler->params, &values);
        ck_assert((sampler->params == NULL) == (sampler->values == NULL));
        ck_assert_uint_le(sampler->params_size, PARAMS_SIZE);
        if (sampler->params != NULL)
            ck_assert_mem_eq(&values, sampler->values, sampler->params_size);
        with_params += sampler->params != NULL;
    }
    ck_assert_uint_gt(with_params, 0);
}

/* What a step cannot overshoot by is refused, with the most that it can and the steps that could. */
TEST(test_too_much_overshoot)
{
    struct schedule *schedule;
    struct error error = {STATUS_OK, ""};
    ASSERT_OK(schedule_new, schedule_kind_find("li-cai"), 2.0, 8.5, 64, &schedule);
    double most = HUGE_VAL;
    for (size_t t = 64; t >= 2; t--)
        most = fmin(most, 1.0 / sampler_step(NULL, schedule, t).omega);
    OWNED_SAMPLER *less = with("accelerated", "overshoot", most * (1.0 - 1e-12)),
                  *more = with("accelerated", "overshoot", most * (1.0 + 1e-12));
    ASSERT_OK(sampler_check, &less->sampler, schedule);
    ck_assert_int_eq(sampler_check(&more->sampler, schedule, &error), STATUS_INADMISSIBLE);
    ck_assert_msg(strstr(error.text, "sampler own: in step t = ") != NULL, "%s", error.text);
    const char *named = strstr(error.text, "the smallest admissible T is ");
    ck_assert_msg(named != NULL, "%s", error.text);
    size_t smallest = strtoul(named + strlen("the smallest admissible T is "), NULL, 10);
    for (size_t T = 64; T <= smallest; T++) {
        schedule_free(schedule);
        ASSERT_OK(schedule_new, schedule_kind_find("li-cai"), 2.0, 8.5, T, &schedule);
        ck_assert((sampler_check(&more->sampler, schedule, &error) == STATUS_OK) == (T == smallest));
    }
    schedule_free(schedule);
}

/* theory (8): the two forms of the overshoot level agree, and forward noise v leads from it back to level t-1. */
TEST(test_overshoot)
{
    for (size_t s = 0; s < COUNT(steps); s++) {
        const struct exact_step *e = &steps[s];
        long double v = posterior_noise(e), omega = (1.0L - e->a / e->a1) / (1.0L - e->a);
        long double noise = (1.0L - e->a1) * (1.0L - omega) / (1.0L - v);
        ck_assert_ldouble_eq_tol(1.0L - overshoot(e), noise, 1e-16L * noise + 1e-18L);
        /* what the program relies on: sigma at the overshoot level is (1 - omega) sigma_t */
        ck_assert_ldouble_eq_tol(sigma(overshoot(e)), (1.0L - omega) * sigma(e->a), 1e-15L);
    }
}

/* Where epsilon is constant in x and t the momentum correction vanishes, and what is left is ddpm-ancestral. */
TEST(test_ablation)
{
    const struct sampler *accelerated = sampler_find("accelerated"), *ancestral = sampler_find("ddpm-ancestral");
    for (size_t s = 0; s < COUNT(steps); s++) {
        struct step step = make_step(accelerated, &steps[s]);
        double with[POINTS], without[POINTS];
        run(accelerated, &step, -1.0, with);
        run(ancestral, &step, -1.0, without);
        for (size_t i = 0; i < POINTS; i++)
            ck_assert_double_eq_tol(with[i], without[i], 2e-15 * fabs(without[i]));
        ck_assert(accelerated->log_noise_ratio(&step) == ancestral->log_noise_ratio(&step));
    }
}

/* theory (10): a component beyond the clip moves as if its correction were 0, the others as if there were no clip. */
TEST(test_clip)
{
    const struct sampler *clipped = sampler_find("accelerated"), *never = sampler_find("accelerated-unclipped");
    const struct sampler *ancestral = sampler_find("ddpm-ancestral");
    ck_assert(clipped->correction != NULL);
    for (size_t i = 0; sampler_at(i) != NULL; i++)
        ck_assert(sampler_at(i) == clipped || sampler_at(i)->correction == NULL);
    for (size_t s = 0; s < COUNT(steps); s++) {
        if (steps[s].variance == 0.0L)
            continue; /* epsilon is constant along the PF-ODE of a point: nothing to correct */
        struct step step = make_step(clipped, &steps[s]);
        double variance = (double)steps[s].variance, all[POINTS], some[POINTS], none[POINTS], ignored[POINTS];
        double difference[POINTS], *work = calloc(POINTS * clipped->work_arrays, sizeof *work);
        struct counted_score score = {{.evaluate = evaluate}, variance, NULL, NULL, NULL, 0};
        ck_assert_ptr_nonnull(work);
        run(never, &step, variance, all);
        run(ancestral, &step, variance, none);
        long double limit = 0.0L;
        for (size_t i = 0; i < POINTS; i++) {
            long double e0 = epsilon(&steps[s], steps[s].a, points[i]);
            limit = fmaxl(limit, fabsl(epsilon_1(&steps[s], points[i]) - e0));
        }
        step.clip = 0.5 * (double)limit;
        clipped->correction(&step, &score.base, POINTS, points, difference, work);
        run(clipped, &step, variance, some);
        run(never, &step, variance, ignored);
        size_t zeroed = 0;
        for (size_t i = 0; i < POINTS; i++) {
            long double e0 = epsilon(&steps[s], steps[s].a, points[i]);
            long double exact = epsilon_1(&steps[s], points[i]) - e0;
            int beyond = fabsl(exact) > step.clip;
            zeroed += (size_t)beyond;
            ck_assert_ldouble_eq_tol(difference[i], exact, 1e-15L * fabsl(e0) + 1e-30L);
            ck_assert(ignored[i] == all[i]);
            ck_assert(beyond || some[i] == all[i]);
            ck_assert(!beyond || fabs(some[i] - none[i]) <= 2e-15 * fabs(none[i]));
        }
        ck_assert(zeroed > 0 && zeroed < POINTS);
        /* C = 1 is C = 2 with half the radius, in its correction too */
        OWNED_SAMPLER *half = with("accelerated", "clip", 1.0);
        struct step doubled = make_step(&half->sampler, &steps[s]);
        double same[POINTS], scaled[POINTS];
        doubled.clip = 2.0 * step.clip;
        run(&half->sampler, &doubled, variance, same);
        half->sampler.correction(&doubled, &score.base, POINTS, points, scaled, work);
        for (size_t i = 0; i < POINTS; i++)
            ck_assert(same[i] == some[i] && scaled[i] == 2.0 * difference[i]);
        step.clip = HUGE_VAL;
        run(clipped, &step, variance, some);
        for (size_t i = 0; i < POINTS; i++)
            ck_assert(some[i] == all[i]);
        free(work);
    }
    ck_assert_double_eq_tol(sampler_clip(1, 100), 2.0 * sqrt(log(100.0)), 1e-15);
    ck_assert_double_eq_tol(sampler_clip(16, 256), 8.0 * sqrt(12.0 * log(2.0)), 1e-14);
}

/* Local errors of the transfer along the PF-ODE, to level t-1 or to the overshoot level: h^2 to first order, at most
 * h^3 to second; h^4 on Gaussians with the overshoot, where it superconverges (theory §9). Gaussian PF-ODE: u grows
 * like sqrt(variance + sigma^2). */
TEST(test_order)
{
    static const struct {
        const char *name;
        int beyond; /* t-1 */
        double ratio;
    } cases[] = {{"accelerated", 1, 16.0}, {"ddpm-ancestral", 1, 4.0}, {"pf-ode-2", 0, 8.0}, {"ddim", 0, 4.0}};
    for (size_t c = 0; c < COUNT(cases); c++) {
        long double error[2];
        for (int half = 0; half < 2; half++) {
            struct exact_step e = {0.5L, 0.5L * (1.0L + (half ? 0.001L : 0.002L)), 0.25L};
            struct step step = make_step(sampler_find(cases[c].name), &e);
            double out[POINTS];
            run(sampler_find(cases[c].name), &step, 0.25, out);
            long double s2 = sigma(cases[c].beyond ? overshoot(&e) : e.a1), s0 = sigma(e.a), x = points[POINTS - 1];
            long double exact = x * (sqrtl((0.25L + s2 * s2) / (0.25L + s0 * s0)) - 1.0L);
            error[half] = out[POINTS - 1] - exact;
        }
        ck_assert_ldouble_eq_tol(error[0] / error[1], cases[c].ratio, 0.02L * cases[c].ratio);
    }
}

/* What is drawn has the first moments of the uniform law. */
TEST(test_draws)
{
    for (size_t nodes = 0; nodes <= SAMPLER_DRAWS; nodes++) {
        const struct sampler drawing = {.draws = nodes};
        double draw[SAMPLER_DRAWS], weight[SAMPLER_DRAWS];
        ck_assert_uint_eq(sampler_draws(&drawing, draw, weight), nodes > 0 ? nodes : 1);
        for (size_t moment = 0; moment < (nodes > 0 ? 2 * nodes : 2); moment++) {
            double total = 0.0;
            for (size_t k = 0; k < (nodes > 0 ? nodes : 1); k++)
                total += weight[k] * pow(draw[k], (double)moment);
            ck_assert_msg(fabs(total - 1.0 / (double)(moment + 1)) <= (moment == 0 ? 3e-16 : 1e-14),
                          "%zu nodes, moment %zu: %.17g", nodes, moment, total);
        }
    }
}

/* Levels at a part of sigma, and one forward step up. */
TEST(test_levels)
{
    for (size_t s = 0; s < COUNT(steps); s++)
        for (double ratio = 0.125; ratio < 1.5; ratio += 0.25) {
            struct step step = make_step(NULL, &steps[s]);
            struct level at = level_scaled(&step.from, ratio), up = level_noisier(&step.from, 0.25 * ratio);
            long double wanted = ratio * sigma(steps[s].a), a = 1.0L / (1.0L + wanted * wanted);
            ck_assert_ldouble_eq_tol(at.alpha_bar, a, 4e-16L * a);
            ck_assert_ldouble_eq_tol(at.noise, wanted * wanted * a, 4e-16L * wanted * wanted * a);
            a = steps[s].a * (1.0L - 0.25L * ratio);
            ck_assert_ldouble_eq_tol(up.alpha_bar, a, 4e-16L * a);
            ck_assert_ldouble_eq_tol(up.noise, 1.0L - a, 4e-16L * (1.0L - a));
        }
}

/* Every registered sampler: documented, findable, honest about its score evaluations and its workspace, and blind to
 * how the points are split into batches. */
TEST(test_registered)
{
    size_t count = 0;
    for (const struct sampler *sampler; (sampler = sampler_at(count)) != NULL; count++) {
        ck_assert_ptr_eq(sampler_find(sampler->name), sampler);
        ck_assert(strlen(sampler->name) > 0 && strlen(sampler->doc) > 10);
        ck_assert(strlen(sampler->formula) > 3 && strlen(sampler->source) > 3);
        ck_assert_uint_ge(sampler->score_evaluations, 1);
        size_t calls = 0, evaluations = 0, used = POINTS * sampler->work_arrays;
        struct step step = make_step(sampler, &steps[2]);
        double kept[POINTS] = {0.0};
        step.memory = kept;
        struct level levels[SAMPLER_LEVELS];
        size_t known = sampler_levels(sampler, &step, levels);
        struct counted_score score = {{.evaluate = evaluate}, 0.25, &calls, &evaluations, levels, known};
        ck_assert_uint_le(known, SAMPLER_LEVELS);
        for (size_t i = 0; i < known; i++)
            for (size_t j = 0; j < i; j++)
                ck_assert(levels[i].noise != levels[j].noise);
        ck_assert((sampler->claimed_order > 0.0) == (sampler->claim_source != NULL));
        double *work = malloc((used + 4) * sizeof *work), out[POINTS + 1], alone;
        ck_assert_ptr_nonnull(work);
        for (size_t i = 0; i < used + 4; i++)
            work[i] = -12345.0;
        out[POINTS] = -12345.0;
        sampler->increment(&step, &score.base, POINTS, points, out, work);
        ck_assert_uint_eq(calls, sampler->score_evaluations);
        ck_assert_uint_eq(evaluations, POINTS * sampler->score_evaluations);
        for (size_t i = used; i < used + 4; i++)
            ck_assert(work[i] == -12345.0);
        ck_assert(out[POINTS] == -12345.0);
        for (size_t i = 0; i < POINTS; i++) {
            kept[0] = 0.0;
            sampler->increment(&step, &score.base, 1, &points[i], &alone, work);
            ck_assert(alone == out[i]);
        }
        free(work);
        /* As omega -> 0 the step is that of a reverse-time SDE: with noise lambda (1 - alpha) the score moves it by
         * (1 + lambda)/2 (1 - alpha), and lambda is 0 or 1. */
        struct exact_step tiny = {0.5L, 0.5L * (1.0L + 1e-9L), 0.25L};
        step = make_step(sampler, &tiny);
        step.beta_before = step.beta_after = step.beta;
        step.t = step.T; /* nothing is remembered */
        double noise = sampler->log_noise_ratio != NULL ? exp(sampler->log_noise_ratio(&step)) : 0.0;
        noise += sampler->log_noise_before != NULL ? exp(sampler->log_noise_before(&step)) : 0.0;
        ck_assert_double_eq_tol(noise, sampler->log_noise_ratio != NULL ? 1.0 : 0.0, 4e-9);
        double D[POINTS];
        run(sampler, &step, 0.25, D);
        for (size_t i = 0; i < POINTS; i++) {
            double drift = 0.5 * (1.0 + noise) * step.beta * (double)score_of(&tiny, tiny.a, points[i]);
            ck_assert_double_eq_tol(D[i], drift, 4e-9 * fabs(drift) + 1e-30);
        }
    }
    ck_assert_uint_ge(count, COUNT(formulas));
    ck_assert_ptr_null(sampler_find("heun"));
    ck_assert_ptr_null(sampler_find(""));
}
