/* What engines take for granted of a sampler: built-in samplers hold to it, and planted ones that do not, as plug-ins
 * may, have the law of the chain itself, pushed forward by brute force, or are refused. */
#include <math.h>
#include <string.h>

#include "law/conditions.h"
#include "law/divergence.h"
#include "law/integrals.h"
#include "law/law.h"
#include "law/measure.h"
#include "test/brute.h"
#include "test/laws.h"
#include "test/suite.h"
#include "test/targets.h"

TEST_SUITE(conditions);

static double one[] = {1.0}, off[] = {0.4}, half[] = {0.5};
static double even[] = {0.5, 0.5}, modes[] = {-1.0, 1.0}, close[] = {-0.3, 0.3}, narrow[] = {0.3, 0.3};
static double uneven[] = {0.3, 0.7}, corners[] = {0.0, 1.0, 1.0, 0.0}, two_widths[] = {0.3, 0.5};
static double triangle[] = {0.0, 1.0, 0.5, 1.0, 0.0, -0.5}, on_axis[] = {-1.0, 0.0, 0.0, 1.0, 0.0, 0.0};
static const struct covariances tilts = {0, (double[]){-0.3, 0.4}}; /* of products of atoms */
static const struct factor gaussian = {1, 1, one, off, half, NULL, NULL, NULL},
                           bimodal = {1, 2, even, modes, narrow, NULL, NULL, NULL},
                           near = {1, 2, even, close, narrow, NULL, NULL, NULL},
                           plane = {2, 2, uneven, corners, two_widths, NULL, NULL, NULL},
                           radial = {3, 2, even, NULL, two_widths, NULL, NULL, NULL},
                           space = {3, 2, even, triangle, narrow, NULL, NULL, NULL},
                           aligned = {3, 2, uneven, on_axis, two_widths, NULL, NULL, NULL},
                           spins = {2, 2, even, NULL, NULL, &tilts, NULL, NULL};

/* ---- Planted samplers ---- */

#define MAP(name) \
    static void name(const struct step *step, const struct score *score, size_t n, const double *x, double *out, \
                     double *work)

MAP(ddpm)
{
    (void)work;
    score->evaluate(score, &step->from, n, x, out);
    for (size_t i = 0; i < n; i++)
        out[i] *= step->beta;
}

MAP(sine)
{
    ddpm(step, score, n, x, out, work);
    for (size_t i = 0; i < n; i++)
        out[i] += 0.2 * step->beta * sin(3.0 * x[i]);
}

MAP(sine_in_two_steps)
{
    (step->t == 11 || step->t == 10 ? sine : ddpm)(step, score, n, x, out, work);
}

MAP(rough_once)
{
    ddpm(step, score, n, x, out, work);
    for (size_t i = 0; i < n && step->t == 150; i++)
        out[i] += 0.3 * step->beta * sin(40.0 * x[i]);
}

MAP(alternating)
{
    ddpm(step, score, n, x, out, work);
    for (size_t i = 0; i < n; i++)
        out[i] *= step->t % 2 == 0 ? 1.3 : 0.7;
}

/* Affine, and pulled towards the origin. */
MAP(pulled)
{
    ddpm(step, score, n, x, out, work);
    for (size_t i = 0; i < n; i++)
        out[i] -= 0.05 * step->beta * x[i];
}

/* What x0 is taken for, E[X_0 | x], is cut off beyond `most`. */
static void thresholded(double most, const struct step *step, const struct score *score, size_t n, const double *x,
                        double *out)
{
    double root = sqrt(step->from.alpha_bar);
    score->evaluate(score, &step->from, n, x, out);
    for (size_t i = 0; i < n; i++) {
        double x0 = (x[i] + step->from.noise * out[i]) / root, cut = fmax(-most, fmin(most, x0));
        out[i] = step->beta * (out[i] + root * (cut - x0) / step->from.noise);
    }
}

MAP(clipped)
{
    (void)work;
    thresholded(1.1, step, score, n, x, out);
}

/* Where hardly any mass is. */
MAP(clipped_far_out)
{
    (void)work;
    thresholded(4.0, step, score, n, x, out);
}

/* Without noise half of it is the probability flow's. */
MAP(half_of_sine)
{
    sine(step, score, n, x, out, work);
    for (size_t i = 0; i < n; i++)
        out[i] *= 0.5;
}

MAP(crooked_level)
{
    struct level level = level_scaled(&step->from, 0.9);
    (void)work;
    score->evaluate(score, step->t == 20 ? &level : &step->from, n, x, out);
    for (size_t i = 0; i < n; i++)
        out[i] *= step->beta;
}

/* The same, but only far out. */
MAP(crooked_far_out)
{
    struct level level = level_scaled(&step->from, 0.9);
    double farthest = 0.0;
    (void)work;
    for (size_t i = 0; i < n; i++)
        farthest = fmax(farthest, x[i]);
    score->evaluate(score, farthest > 3.6 ? &level : &step->from, n, x, out);
    for (size_t i = 0; i < n; i++)
        out[i] *= step->beta;
}

MAP(mixing)
{
    ddpm(step, score, n, x, out, work);
    for (size_t i = 0; i + 1 < n; i++)
        out[i] += 0.01 * step->beta * x[i + 1];
}

MAP(by_halves)
{
    ddpm(step, score, n / 2, x, out, work);
    ddpm(step, score, n - n / 2, x + n / 2, out + n / 2, work);
}

static double log_noise(const struct step *step)
{
    (void)step;
    return 0.0;
}

static double none_in_the_last(const struct step *step)
{
    return step->t == 2 ? -HUGE_VAL : 0.0;
}

static double none_in_the_last_three(const struct step *step)
{
    return step->t <= 4 ? -HUGE_VAL : 0.0;
}

static double now_and_then(const struct step *step)
{
    return step->t % 3 == 0 ? -0.7 : -HUGE_VAL;
}

static double not_a_number(const struct step *step)
{
    return step->t == 7 ? NAN : 0.0;
}

#define PLANTED(...) \
    { \
        .doc = "", .formula = "", .source = "", .score_evaluations = 1, __VA_ARGS__ \
    }

static const struct sampler
    a_sine = PLANTED(.name = "sine", .increment = sine, .log_noise_ratio = log_noise),
    two_sines = PLANTED(.name = "sine-in-two-steps", .increment = sine_in_two_steps, .log_noise_ratio = log_noise),
    rough = PLANTED(.name = "rough-once", .increment = rough_once, .log_noise_ratio = log_noise),
    turns = PLANTED(.name = "alternating", .increment = alternating, .log_noise_ratio = log_noise),
    shifted = PLANTED(.name = "off-by-one", .increment = off_by_one, .log_noise_ratio = log_noise),
    ode = PLANTED(.name = "ode", .increment = half_of_sine),
    pulls = PLANTED(.name = "pulled", .increment = pulled, .log_noise_ratio = log_noise),
    clips = PLANTED(.name = "clipped", .increment = clipped, .log_noise_ratio = log_noise),
    clips_far = PLANTED(.name = "clipped-far-out", .increment = clipped_far_out, .log_noise_ratio = log_noise),
    quiet_end = PLANTED(.name = "quiet-end", .increment = ddpm, .log_noise_ratio = none_in_the_last),
    quieter_end = PLANTED(.name = "quieter-end", .increment = ddpm, .log_noise_ratio = none_in_the_last_three),
    noise_first = PLANTED(.name = "noise-now-and-then", .increment = ddpm, .log_noise_ratio = log_noise,
                          .log_noise_before = now_and_then),
    crooked = PLANTED(.name = "crooked", .increment = crooked_level, .log_noise_ratio = log_noise),
    crooked_far = PLANTED(.name = "crooked-far-out", .increment = crooked_far_out, .log_noise_ratio = log_noise),
    halves = PLANTED(.name = "by-halves", .increment = by_halves, .log_noise_ratio = log_noise),
    mixes = PLANTED(.name = "mixing", .increment = mixing, .log_noise_ratio = log_noise),
    no_number = PLANTED(.name = "no-number", .increment = ddpm, .log_noise_ratio = not_a_number);

static const struct {
    const struct sampler *sampler;
    const struct factor *factor;
    const char *engine;
    double chain; /* what the brute force may be off by, as a part of TV: more where maps have kinks or last steps no
                     noise */
} laws[] = {
    {&a_sine, &gaussian, "line", 1e-8},      {&a_sine, &near, "line", 1e-8},
    {&two_sines, &gaussian, "line", 1e-8},   {&two_sines, &bimodal, "line", 1e-8},
    {&turns, &gaussian, "gaussian", 1e-8},   {&turns, &bimodal, "line", 1e-8},
    {&shifted, &gaussian, "gaussian", 1e-8}, {&shifted, &near, "line", 1e-8},
    {&pulls, &gaussian, "gaussian", 1e-8},   {&pulls, &bimodal, "line", 1e-8},
    {&clips, &gaussian, "line", 1e-4},       {&clips, &bimodal, "line", 1e-4},
    {&clips_far, &gaussian, "line", 1e-7},   {&quiet_end, &gaussian, "gaussian", 1e-6},
    {&quiet_end, &bimodal, "line", 1e-6},    {&quieter_end, &gaussian, "gaussian", 1e-6},
    {&quieter_end, &bimodal, "line", 1e-6},  {&noise_first, &gaussian, "gaussian", 1e-8},
    {&noise_first, &bimodal, "line", 1e-8},  {&ode, &gaussian, "line", 1e-6},
};

static struct measured tv_of(const struct sampler *sampler, const struct factor *factor,
                             const struct schedule *schedule, const char **engine)
{
    const struct law_problem problem = {.factor = factor, .sampler = sampler, .schedule = schedule};
    OWNED(law) law;
    struct divergence divergence;
    struct error error = {STATUS_OK, ""};
    ck_assert_msg(law_compute(&problem, &law, &error) == STATUS_OK, "%s: %s", sampler->name, error.text);
    struct law_group group = {&law, 1.0};
    ck_assert_msg(divergence_measure(&group, 1, &divergence, &error) == STATUS_OK, "%s: %s", sampler->name,
                  error.text);
    *engine = law.engine->name;
    return divergence.tv;
}

TEST(laws_are_those_of_the_chain, .count = COUNT(laws))
{
    const struct sampler *sampler = laws[_i].sampler;
    OWNED_SCHEDULE *schedule = make_schedule("li-cai", 1.0, 3.0, 24);
    const char *engine;
    struct measured tv = tv_of(sampler, laws[_i].factor, schedule, &engine);
    const struct brute_problem problem = {
        .factor = laws[_i].factor, .sampler = sampler, .schedule = schedule, .fineness = 1.0};
    struct brute brute = brute_force(&problem);
    ck_assert_msg(fabs(tv.value - brute.tv) <= tv.error + laws[_i].chain * brute.tv,
                  "%s by %s: TV = %.12g +- %.1e, not %.12g", sampler->name, engine, tv.value, tv.error, brute.tv);
    ck_assert_msg(tv.error <= (laws[_i].chain > 1e-6 ? 1e-3 : 1e-4) * tv.value, "%s by %s: TV = %.12g +- %.1e",
                  sampler->name, engine, tv.value, tv.error);
    ck_assert_str_eq(engine, laws[_i].engine);
}

/* Between two checks of an engine, one step unlike all others: seen, as when every step is checked. */
TEST(one_step_unlike_the_others_is_checked)
{
    OWNED_SCHEDULE *schedule = make_schedule("li-cai", 1.0, 3.0, 512);
    OWNED(conditions) found;
    ASSERT_OK(conditions_find, &bimodal, &rough, schedule, NULL, 0.0, &found);
    size_t count = 0;
    for (size_t t = 2; t <= schedule->T; t++)
        count += found.unlike[t];
    ck_assert(found.unlike[151] && found.unlike[150] && found.unlike[149]);
    ck_assert_uint_le(count, 5);
    struct law law[2];
    struct divergence d[2];
    const struct law_problem problem = {
        .factor = &bimodal, .sampler = &rough, .schedule = schedule, .conditions = &found};
    for (int i = 0; i < 2; i++) {
        ASSERT_OK(law_engine_for(&problem)->compute, &problem, 1.0, &law[i]);
        d[i] = divergences_of(&law[i], 1.0);
        for (size_t t = 2; t <= schedule->T; t++)
            found.unlike[t] = 1;
        law_free(&law[i]);
    }
    ck_assert_msg(fabs(d[0].tv.value - d[1].tv.value) <= d[0].tv.error + d[1].tv.error,
                  "%.12g +- %.1e, %.12g +- %.1e", d[0].tv.value, d[0].tv.error, d[1].tv.value, d[1].tv.error);
    ck_assert_double_le(d[0].tv.error, 1e-5 * d[0].tv.value);
}

/* Two components in the plane whose means differ in one coordinate: a product, of whose parts the line has the laws.
 */
static void compare_with_product(const struct sampler *sampler)
{
    static double apart[] = {-1.0, 0.4, 1.0, 0.4}, width[] = {0.3};
    static const struct factor in_the_plane = {2, 2, even, apart, narrow, NULL, NULL, NULL},
                               across = {1, 1, one, off, width, NULL, NULL, NULL};
    const struct factor *const factors[] = {&in_the_plane, &bimodal, &across};
    OWNED_SCHEDULE *schedule = make_schedule("li-cai", 1.0, 3.0, 16);
    struct law law[3];
    struct divergence plain, composed;
    for (size_t i = 0; i < 3; i++) {
        const struct law_problem problem = {.factor = factors[i], .sampler = sampler, .schedule = schedule};
        ASSERT_OK(law_compute, &problem, &law[i]);
    }
    ck_assert_str_eq(law[0].engine->name, "plane");
    const struct law_group group[] = {{&law[0], 1.0}, {&law[1], 1.0}, {&law[2], 1.0}};
    ASSERT_OK(divergence_measure, group, 1, &plain);
    ASSERT_OK(divergence_measure, group + 1, 2, &composed);
    ck_assert_msg(fabs(plain.tv.value - composed.tv.value) <= plain.tv.error + composed.tv.error,
                  "%s: %.12g +- %.1e, %.12g +- %.1e", sampler->name, plain.tv.value, plain.tv.error,
                  composed.tv.value, composed.tv.error);
    ck_assert_double_le(plain.tv.error, 1e-4 * plain.tv.value);
    for (size_t i = 0; i < 3; i++)
        law_free(&law[i]);
}

TEST(the_plane_has_the_law_of_the_product, .grows = 1)
{
    static const struct sampler *const samplers[] = {&shifted, &a_sine, &turns, &pulls};
    for (size_t i = 0; i < taken(4); i++)
        compare_with_product(samplers[i]);
}

extern const struct sampler sampler_dpm_solver_2m;
static const struct sampler remembers = {.name = "remembering", .memory = 1};

static const struct {
    const struct sampler *sampler;
    const struct factor *factor;
    const char *reason;
} refused[] = {
    {&sampler_dpm_solver_2m, &bimodal, "sampler dpm-solver-2m keeps what earlier steps found: no exact engine has"},
    {&sampler_dpm_solver_2m, &plane, "has its law on 2 components in 2 coordinates"},
    {&sampler_dpm_solver_2m, &radial, "only chains (`samples`) can measure it"},
    {&remembers, &gaussian, "sampler remembering keeps what earlier steps found: no exact engine has"},
    {&crooked, &gaussian, "in step t = 20 sampler crooked asks for the score at 1 - alpha_bar = "},
    {&crooked, &bimodal, "in step t = 20 sampler crooked asks for the score at 1 - alpha_bar = "},
    {&crooked, &plane, "in step t = 20 sampler crooked asks for the score at 1 - alpha_bar = "},
    {&crooked, &radial, "in step t = 20 sampler crooked asks for the score at 1 - alpha_bar = "},
    {&crooked_far, &gaussian, "sampler crooked-far-out asks for the score at 1 - alpha_bar = "},
    {&crooked_far, &bimodal, "sampler crooked-far-out asks for the score at 1 - alpha_bar = "},
    {&halves, &plane, "not asked for at all n numbers at once by the increment of sampler by-halves in step t = 48"},
    {&mixes, &bimodal, "other points, or earlier calls, change the increment of sampler mixing in step t = "},
    {&no_number, &bimodal,
     "the noise is not a number: log_noise_ratio or log_noise_before of sampler no-number in step "
     "t = 7"},
    {&clips, &radial, "does not commute with rotations (first in step t = "},
    {&a_sine, &radial, "does not commute with rotations (first in step t = 48)"},
    {&clips, &space, "does not commute with rotations (first in step t = "},
    {&turns, &spins, "no exact engine for 2 components that are products of atoms in 2 coordinates"},
    {&quiet_end, &aligned, "has no noise in step t = 2, and the cylinder's engine needs noise in every step"},
};

TEST(what_no_engine_can_is_refused, .count = COUNT(refused))
{
    OWNED_SCHEDULE *schedule = make_schedule("li-cai", 1.0, 3.0, 48);
    const struct law_problem problem = {
        .factor = refused[_i].factor, .sampler = refused[_i].sampler, .schedule = schedule};
    OWNED(law) law;
    ASSERT_FAILS(STATUS_UNSUPPORTED, refused[_i].reason, law_compute, &problem, &law);
}

/* ---- What is declared ---- */

TEST(built_in_samplers_hold_to_what_they_declare, .count = sampler_count())
{
    const struct factor *const factors[] = {&gaussian, &bimodal, &near, &plane, &radial, &space};
    const struct sampler *sampler = sampler_at((size_t)_i);
    OWNED_SCHEDULE *schedule = make_schedule("li-cai", 1.0, 3.0, 256);
    ck_assert_int_eq(sampler->regular, 1);
    for (size_t i = 0; i < COUNT(factors); i++) {
        OWNED(conditions) found;
        ASSERT_OK(conditions_find, factors[i], sampler, schedule, NULL, 0.0, &found);
        ck_assert_msg(found.broken == 0, "%s breaks %u on factor %zu", sampler->name, found.broken, i);
        for (size_t t = 2; t <= schedule->T; t++)
            ck_assert_msg(!found.unlike[t], "step %zu of %s is unlike others on factor %zu", t, sampler->name, i);
    }
    if (sampler->draws > 0) /* a mixture, not affine; only a regular sampler may draw */
        return;
    /* affine, and what is evaluated costs no digits */
    struct sampler undeclared = *sampler;
    const char *engine, *other;
    undeclared.regular = 0;
    struct measured declared = tv_of(sampler, &gaussian, schedule, &engine);
    struct measured evaluated = tv_of(&undeclared, &gaussian, schedule, &other);
    ck_assert_str_eq(engine, "gaussian");
    ck_assert_str_eq(other, "gaussian");
    ck_assert_double_eq(declared.value, evaluated.value);
    ck_assert_double_le(evaluated.error, declared.error + 1e-11);
}

/* Positions 1 from the origin, components 1e-9 wide: digits are lost in original coordinates, and the radius says so.
 */
TEST(rounding_of_original_coordinates_counts)
{
    double widths[] = {1e-9}, mean[] = {1.0}, largest = 0.0;
    const struct factor atom = {1, 1, one, mean, widths, NULL, NULL, NULL};
    OWNED_SCHEDULE *schedule = make_li_cai(128);
    const char *engine;
    struct measured tv = tv_of(&shifted, &atom, schedule, &engine);
    struct measured other = tv_of(&pulls, &atom, schedule, &engine);
    largest = fmax(tv.error, other.error);
    ck_assert_double_gt(largest, 1e-10);
    ck_assert_double_lt(largest, 1e-2);
}

/* And so do those of the components' masses. */
TEST(rounding_of_original_coordinates_counts_in_masses)
{
    const double widths[] = {1e-9, 1e-9};
    const struct factor atoms = {1, 2, even, modes, widths, NULL, NULL, NULL};
    OWNED_SCHEDULE *schedule = make_li_cai(128);
    const struct law_problem problem = {.factor = &atoms, .sampler = &pulls, .schedule = schedule};
    OWNED(conditions) found;
    OWNED(law) law;
    struct measured masses[2];
    ASSERT_OK(conditions_find, &atoms, &pulls, schedule, NULL, 0.0, &found);
    ASSERT_OK(law_compute, &problem, &law);
    ASSERT_OK(law_mass_errors, &law, &atoms, masses);
    ck_assert_double_gt(conditions_rounding(&found), 1e-12);
    ck_assert_double_ge(masses[0].error, conditions_rounding(&found));
}

/* Score errors along the diagonal rotate an isotropic Gaussian. */
TEST(rotations_by_a_score_error_are_refused)
{
    struct target target;
    struct measurement out;
    size_t dimension = 4;
    OWNED_SCHEDULE *schedule = make_schedule("li-cai", 1.0, 3.0, 48);
    target_init(&target, target_family_find("gaussian"));
    *real_in(&target, "mean") = 0.3;
    *real_in(&target, "variance") = 0.25;
    struct score_error wave = make_error("wave", 0.1, 1.0, 0.0);
    wave.spread = SPREAD_DIAGONAL;
    ASSERT_FAILS(STATUS_UNSUPPORTED, "does not commute with rotations", measure_target,
                 &(struct measure_problem){&target, &a_sine, &wave, schedule, 1}, &dimension, 1, &out);
    ASSERT_OK(measure_target, &(struct measure_problem){&target, &pulls, &wave, schedule, 1}, &dimension, 1, &out);
}

/* One draw for all coordinates: the law in one dimension is known, a product of two is refused; and so are jumps. */
TEST(draws_do_not_compose)
{
    static const struct {
        const char *shape, *reason;
        size_t dimension;
    } cases[] = {{"none", NULL, 1},
                 {"none", "draws one number for all 2 coordinates in each step: laws of factors do not compose", 2},
                 {"sign", "draws a number in each step, and the score error jumps", 1}};
    OWNED_SCHEDULE *schedule = make_schedule("li-cai", 1.0, 3.0, 48);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct target target;
        struct measurement out;
        struct error error = {STATUS_OK, ""};
        target_init(&target, target_family_find("gaussian"));
        *real_in(&target, "variance") = 0.25;
        struct score_error sign = make_error("sign", 0.1, 0.0, 0.0);
        enum status status =
            measure_target(&(struct measure_problem){&target, sampler_find("randomised-midpoint"),
                                                     strcmp(cases[i].shape, "sign") == 0 ? &sign : NULL, schedule, 1},
                           &cases[i].dimension, 1, &out, &error);
        ck_assert_int_eq(status, cases[i].reason == NULL ? STATUS_OK : STATUS_UNSUPPORTED);
        ck_assert_msg(cases[i].reason == NULL || strstr(error.text, cases[i].reason) != NULL, "%s", error.text);
    }
}
