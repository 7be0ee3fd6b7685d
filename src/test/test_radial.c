/* The radial engine: against the composition of closed forms and the chi-square law where the target is one Gaussian,
 * against the line engine in one dimension, against a brute-force chain of radii in three, against itself at a higher
 * resolution; clips, score errors, and planted wrong samplers. */
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

TEST_SUITE(radial);

enum { MOST = 3 };

struct shells {
    const char *name;
    size_t components;
    double weight[MOST], sd[MOST];
};

static const struct shells all_shells[] = {
    {"one", 1, {1.0}, {0.5}},
    {"two", 2, {0.5, 0.5}, {0.5, 1.0}},
    {"near", 3, {0.2, 0.5, 0.3}, {0.9, 1.0, 1.1}},
    {"thin", 2, {0.4, 0.6}, {0.001, 1.0}},
    {"atom", 2, {0.3, 0.7}, {0.0, 1.0}},
};

static const struct shells *find(const char *name)
{
    for (size_t i = 0; i < COUNT(all_shells); i++)
        if (strcmp(all_shells[i].name, name) == 0)
            return &all_shells[i];
    ck_abort_msg("no shells %s", name);
    return NULL;
}

struct run {
    const char *engine;
    const struct shells *shells;
    size_t dimension;
    const struct sampler *sampler;
    const struct schedule *schedule;
    double resolution, clip;
};

static const double zeros[MOST] = {0.0};

static struct divergence measure(const struct run *run)
{
    struct factor factor = {run->dimension,
                            run->shells->components,
                            run->shells->weight,
                            run->dimension == 1 ? zeros : NULL,
                            run->shells->sd,
                            NULL,
                            NULL,
                            NULL};
    struct law_problem problem = {
        .factor = &factor, .sampler = run->sampler, .schedule = run->schedule, .clip = run->clip};
    OWNED(law) law;
    struct divergence divergence;
    struct error error = {STATUS_OK, ""};
    enum status status = compute_by(engine_called(run->engine), &problem, run->resolution, &law, &error);
    struct law_group group = {&law, 1.0};
    if (status == STATUS_OK)
        status = divergence_measure(&group, 1, &divergence, &error);
    ck_assert_msg(status == STATUS_OK, "%s, d = %zu, %s: %s", run->shells->name, run->dimension, run->sampler->name,
                  error.text);
    return divergence;
}

static const char *label(const struct run *run)
{
    static char text[200];
    (void)snprintf(text, sizeof text, "%s, d = %zu, %s, T = %zu", run->shells->name, run->dimension,
                   run->sampler->name, run->schedule->T);
    return text;
}

static void all_agree(const struct divergence *a, const struct divergence *b, const char *where)
{
    assert_all_agree(a, b, where);
    assert_agree(a->hellinger2, b->hellinger2, "Hellinger", where);
}

static void mass_kept(const struct divergence *law, const char *where)
{
    ck_assert_msg(fabs(law->mass_defect) < 1e-9 + 2e-5 * law->tv.value, "%s: mass defect %g at TV = %g", where,
                  law->mass_defect, law->tv.value);
}

/* ---- One Gaussian ---- */

/* d coordinates, each in closed form, composed; and TV of N(0, V (1 + rho) I) from N(0, V I) by the chi-square law:
 * the densities cross where |x|^2/V = d (1 + rho) log(1 + rho)/rho. */
static struct divergence closed_form(const struct run *run, double *tv_by_chi_square)
{
    struct factor factor = {1, 1, run->shells->weight, zeros, run->shells->sd, NULL, NULL, NULL};
    struct law_problem problem = {.factor = &factor, .sampler = run->sampler, .schedule = run->schedule};
    OWNED(law) law;
    double d = (double)run->dimension, at_zero, x = 0.0;
    ASSERT_OK(compute_by, engine_called("gaussian"), &problem, 1.0, &law);
    struct divergence divergence = divergences_of(&law, d);
    size_t hint = law.log_ratio.count / 2;
    panels_evaluate(&law.log_ratio, &law.target, 0, 1, &x, &at_zero, &hint);
    double rho = expm1(-2.0 * at_zero), square = d * (1.0 + rho) * log1p(rho) / rho;
    *tv_by_chi_square = fabs(gsl_cdf_chisq_P(square, d) - gsl_cdf_chisq_P(square / (1.0 + rho), d));
    return divergence;
}

static const size_t dimensions[] = {1, 2, 3, 16, 256, 4096, 10000};

static const char *const like_others[] = {"ddpm-outside",           "ddpm-ancestral", "accelerated-unclipped",
                                          "exponential-integrator", "ddim-song",      "strang-midpoint"};

TEST(test_against_closed_form, .count = COUNT(dimensions), .grows = 1)
{
    for (size_t s = 0; sampler_at(s) != NULL; s++) {
        const char *name = sampler_at(s)->name;
        bool alike = false; /* much like another that a small run takes */
        for (size_t k = 0; k < COUNT(like_others); k++)
            alike |= _i > 0 && taken(2) < 2 && strcmp(like_others[k], name) == 0;
        if (alike || !law_engine_carries(engine_called("gaussian"), sampler_at(s)) || sampler_at(s)->memory > 0)
            continue;
        if (((size_t)_i + s) % 2 >= taken(2))
            continue;
        /* the larger the dimension, the smaller the steps that keep q near p */
        size_t T = dimensions[_i] <= 16 ? 128 : dimensions[_i] <= 256 ? 256 : 512;
        if (dimensions[_i] > 256 && sampler_at(s)->log_noise_ratio == NULL)
            T = 2048;
        OWNED_SCHEDULE *schedule = make_li_cai(T);
        struct run run = {"radial", find("one"), dimensions[_i], sampler_at(s), schedule, 1.0, 0.0};
        struct divergence radial = measure(&run);
        double chi_square;
        struct divergence closed = closed_form(&run, &chi_square);
        all_agree(&radial, &closed, label(&run));
        mass_kept(&radial, label(&run));
        ck_assert_msg(fabs(radial.tv.value - closed.tv.value) <= 1e-6 * closed.tv.value,
                      "%s: TV %.12g, composed %.12g", label(&run), radial.tv.value, closed.tv.value);
        ck_assert_msg(fabs(radial.tv.value - chi_square) <= 1e-6 * chi_square + 1e-12,
                      "%s: TV %.12g, by the chi-square law %.12g", label(&run), radial.tv.value, chi_square);
        ck_assert_msg(radial.tv.error < 1e-5 * radial.tv.value, "%s: TV = %g +- %g", label(&run), radial.tv.value,
                      radial.tv.error);
    }
}

/* Digits: the weights of one step have terms of size 10^4. */
TEST(test_million_dimensions)
{
    OWNED_SCHEDULE *schedule = make_li_cai(4096);
    struct run run = {"radial", find("one"), 1000000, sampler_find("accelerated"), schedule, 1.0, 0.0};
    double chi_square;
    struct divergence radial = measure(&run), closed = closed_form(&run, &chi_square);
    all_agree(&radial, &closed, label(&run));
    ck_assert_msg(fabs(radial.tv.value - closed.tv.value) <= 1e-6 * closed.tv.value, "TV %.12g, composed %.12g",
                  radial.tv.value, closed.tv.value);
}

/* ---- Several scales ---- */

static const char *const scales[] = {"two", "near", "thin", "atom"};

TEST(test_against_line, .count = COUNT(scales))
{
    OWNED_SCHEDULE *schedule = make_li_cai(48);
    for (size_t s = 0; sampler_at(s) != NULL; s++) {
        /* one of them where it takes long */
        if (!law_engine_carries(engine_called("radial"), sampler_at(s))
            || (_i >= 2 && strcmp(sampler_at(s)->name, _i == 2 ? "accelerated" : "ddpm") != 0))
            continue;
        struct run run = {"radial", find(scales[_i]), 1, sampler_at(s), schedule, 1.0, 0.0};
        struct divergence radial = measure(&run);
        run.engine = "line";
        struct divergence line = measure(&run);
        all_agree(&radial, &line, label(&run));
        ck_assert_msg(radial.tv.error < 1e-3 * radial.tv.value, "%s: TV = %g +- %g", label(&run), radial.tv.value,
                      radial.tv.error);
    }
}

static const struct {
    const char *shells;
    size_t dimension, T;
    const char *sampler;
} honest[] = {
    /* a small run takes the first FEW_HONEST */
    {"two", 2, 128, "accelerated"},        {"two", 16, 128, "ddpm"},        {"two", 16, 64, "accelerated-sde-2024"},
    {"two", 4096, 512, "ddpm-outside"},    {"two", 16, 128, "ddim"},        {"two", 256, 512, "pf-ode-2"},
    {"near", 5, 128, "accelerated"},       {"thin", 1000, 128, "ddpm"},     {"atom", 1000, 256, "ddpm"},
    {"two", 16, 128, "runge-kutta-4"},     {"two", 256, 512, "lagrange-3"}, {"two", 16, 128, "accelerated-ode-2024"},
    {"near", 1000, 128, "ddpm-ancestral"}, {"two", 3, 64, "ddpm"},          {"two", 256, 512, "accelerated"},
    {"two", 10000, 512, "ddpm"},
};
enum { FEW_HONEST = 9 };

TEST(test_radii_are_honest, .count = taken(2) == 2 ? COUNT(honest) : FEW_HONEST, .grows = 1)
{
    OWNED_SCHEDULE *schedule = make_li_cai(honest[_i].T);
    struct run run = {
        "radial", find(honest[_i].shells), honest[_i].dimension, sampler_find(honest[_i].sampler), schedule, 1.0,
        0.0};
    struct divergence once = measure(&run);
    run.resolution = taken(2) == 2 ? 1.5 : 1.25;
    struct divergence twice = measure(&run);
    all_agree(&once, &twice, label(&run));
    mass_kept(&once, label(&run));
    mass_kept(&twice, label(&run));
    ck_assert_msg(twice.tv.error < 1e-5 * twice.tv.value, "%s: TV = %g +- %g says nothing", label(&run),
                  twice.tv.value, twice.tv.error);
}

TEST(test_fold_is_refused)
{
    const struct shells *shells = find("two");
    OWNED_SCHEDULE *schedule = make_li_cai(256);
    struct factor factor = {4096, 2, shells->weight, NULL, shells->sd, NULL, NULL, NULL};
    struct law_problem problem = {.factor = &factor, .sampler = sampler_find("pf-ode-2"), .schedule = schedule};
    struct law law;
    struct error error;
    ck_assert_int_eq(engine_called("radial")->compute(&problem, 1.0, &law, &error), STATUS_NUMERIC);
    ck_assert_msg(strstr(error.text, "folds") != NULL, "%s", error.text);
}

TEST(test_clip, .grows = 1)
{
    OWNED_SCHEDULE *schedule = make_li_cai(64);
    struct run run = {"radial", find("two"), 1, sampler_find("accelerated"), schedule, 1.5, 0.05};
    struct divergence radial = measure(&run), unclipped, twice;
    run.engine = "line";
    struct divergence line = measure(&run);
    all_agree(&radial, &line, label(&run));
    run = (struct run){"radial", find("two"), 16, sampler_find("accelerated"), schedule, 1.0, 0.3};
    radial = measure(&run);
    run.resolution = taken(2) == 2 ? 1.5 : 1.25;
    twice = measure(&run);
    all_agree(&radial, &twice, label(&run));
    run.clip = 0.0;
    unclipped = measure(&run);
    ck_assert_double_gt(fabs(radial.tv.value - unclipped.tv.value), 1e-3);
    run.clip = sampler_clip(16, 64);
    twice = measure(&run);
    ck_assert_double_eq(twice.tv.value, unclipped.tv.value);
}

/* ---- Three dimensions by brute force ---- */

enum { CELLS = 1500 };
#define FARTHEST 14.0

static double gaussian_radius_density(double sd, double rho)
{
    double x = rho / sd;
    return sqrt(2.0 / M_PI) * x * x / sd * exp(-0.5 * x * x);
}

static double shell_density(const struct shells *shells, const struct level *level, double rho)
{
    double total = 0.0;
    for (size_t k = 0; k < shells->components; k++)
        total +=
            shells->weight[k]
            * gaussian_radius_density(sqrt(level->alpha_bar * shells->sd[k] * shells->sd[k] + level->noise), rho);
    return total;
}

struct brute_score {
    struct score base;
    const struct shells *shells;
};

static void brute_evaluate(const struct score *score, const struct level *level, size_t n, const double *x,
                           double *out)
{
    const struct shells *shells = ((const struct brute_score *)score)->shells;
    for (size_t i = 0; i < n; i++) {
        double total = 0.0, weighted = 0.0;
        for (size_t k = 0; k < shells->components; k++) {
            double V = level->alpha_bar * shells->sd[k] * shells->sd[k] + level->noise;
            double weight = shells->weight[k] * pow(V, -1.5) * exp(-0.5 * x[i] * x[i] / V);
            total += weight;
            weighted += weight / V;
        }
        out[i] = -weighted / total * x[i];
    }
}

/* In three dimensions the noncentral chi density is elementary. */
static double transition(double rho, double M, double v)
{
    double near = (rho - M) * (rho - M) / (2.0 * v);
    return near > 60.0 ? 0.0 : rho / M / sqrt(2.0 * M_PI * v) * exp(-near) * -expm1(-2.0 * rho * M / v);
}

static void brute_step(const struct shells *shells, const struct sampler *sampler, const struct step *step,
                       const double *from, double *to)
{
    static double work[8 * CELLS], rho[CELLS], D[CELLS];
    struct brute_score score = {{.evaluate = brute_evaluate}, shells};
    double spacing = FARTHEST / CELLS, root = exp(0.5 * step->log_alpha);
    double v = step->beta * exp(sampler->log_noise_ratio(step)) / step->alpha;
    for (size_t i = 0; i < CELLS; i++) {
        rho[i] = spacing * ((double)i + 0.5);
        to[i] = 0.0;
    }
    sampler->increment(step, &score.base, CELLS, rho, D, work);
    for (size_t j = 0; j < CELLS; j++)
        for (size_t i = 0; i < CELLS; i++)
            to[i] += from[j] * spacing * transition(rho[i], fabs(rho[j] + D[j]) / root, v);
}

TEST(test_brute_force, .count = 2)
{
    static double q[2][CELLS];
    const struct shells *shells = find("two");
    const struct sampler *sampler = sampler_find(_i == 0 ? "ddpm" : "accelerated");
    OWNED_SCHEDULE *schedule = make_schedule("li-cai", 2.0, 3.0, 24);
    double spacing = FARTHEST / CELLS, tv = 0.0;
    for (size_t i = 0; i < CELLS; i++)
        q[0][i] = gaussian_radius_density(1.0, spacing * ((double)i + 0.5));
    for (size_t t = schedule->T, from = 0; t >= 2; t--, from = 1 - from) {
        struct step step = sampler_step(sampler, schedule, t);
        brute_step(shells, sampler, &step, q[from], q[1 - from]);
    }
    struct level last = schedule_level(schedule, 1);
    for (size_t i = 0; i < CELLS; i++)
        tv += 0.5 * spacing
              * fabs(q[(schedule->T - 1) % 2][i] - shell_density(shells, &last, spacing * ((double)i + 0.5)));
    struct run run = {"radial", shells, 3, sampler, schedule, 2.0, 0.0};
    struct divergence radial = measure(&run);
    ck_assert_msg(fabs(radial.tv.value - tv) < 2e-5 * tv, "%s: TV %.10g +- %.2g, by brute force %.10g", label(&run),
                  radial.tv.value, radial.tv.error, tv);
}

/* ---- Planted errors, and the way from a target to a measurement ---- */

static double too_noisy(const struct step *step)
{
    return sampler_find("accelerated")->log_noise_ratio(step) + log(1.001);
}

TEST(test_planted_noise)
{
    struct sampler wrong = *sampler_find("accelerated");
    OWNED_SCHEDULE *schedule = make_li_cai(512);
    struct run run = {"radial", find("two"), 256, &wrong, schedule, 1.0, 0.0};
    wrong.name = "noise 0.1% too large";
    wrong.log_noise_ratio = too_noisy;
    struct divergence law = measure(&run);
    run.sampler = sampler_find("accelerated");
    struct divergence right = measure(&run);
    ck_assert_msg(law.tv.value > 2.0 * right.tv.value, "TV %g against %g", law.tv.value, right.tv.value);
}

static void make_target(const char *family, const struct shells *shells, struct target *out)
{
    static double weights[MOST], sds[MOST];
    memcpy(weights, shells->weight, sizeof weights);
    memcpy(sds, shells->sd, sizeof sds);
    target_init(out, target_family_find(family));
    if (strcmp(family, "gaussian") == 0)
        *real_in(out, "variance") = sds[0] * sds[0];
    else
        set_mixture(out, shells->components, weights, NULL, sds);
}

/* A linear error of one Gaussian, as a radial law and as a product. */
TEST(test_linear_error)
{
    OWNED_SCHEDULE *schedule = make_li_cai(256);
    struct score_error linear = {.shape = error_shape_find("linear"),
                                 .profile = error_profile_find("uniform"),
                                 .spread = SPREAD_ALL,
                                 .size = 0.05};
    struct target target;
    struct measurement radial[2], product[2];
    const size_t d[2] = {4, 256};
    make_target("radial", find("one"), &target);
    ASSERT_OK(measure_target, &(struct measure_problem){&target, sampler_find("accelerated"), &linear, schedule, 1},
              d, 2, radial);
    make_target("gaussian", find("one"), &target);
    ASSERT_OK(measure_target, &(struct measure_problem){&target, sampler_find("accelerated"), &linear, schedule, 1},
              d, 2, product);
    for (int i = 0; i < 2; i++) {
        ck_assert_str_eq(radial[i].method, "radial");
        ck_assert_double_eq(radial[i].clip_probability, 0.0);
        all_agree(&radial[i].divergence, &product[i].divergence, "linear error");
        assert_agree(radial[i].error_effect, product[i].error_effect, "effect", "linear error");
        ck_assert_double_gt(radial[i].error_effect.value, 1e-3);
    }
}

TEST(test_other_errors_are_refused)
{
    static const enum error_spread spreads[] = {SPREAD_ALL, SPREAD_ONE, SPREAD_DIAGONAL};
    OWNED_SCHEDULE *schedule = make_li_cai(64);
    struct target target;
    struct measurement measurement;
    struct error error;
    const size_t d = 4;
    for (int i = 0; i < 3; i++) {
        struct score_error wave = make_error(i == 1 ? "linear" : "wave", 0.05, 1.0, 0.0);
        wave.spread = spreads[i];
        make_target("radial", find("one"), &target);
        ck_assert_int_eq(measure_target(&(struct measure_problem){&target, sampler_find("ddpm"), &wave, schedule, 1},
                                        &d, 1, &measurement, &error),
                         STATUS_UNSUPPORTED);
    }
}

TEST(test_target)
{
    struct target target;
    struct factor_list factors;
    make_target("radial", find("two"), &target);
    ASSERT_OK(target_factors, &target, 7, &factors);
    ck_assert_uint_eq(factors.count, 1);
    ck_assert_uint_eq(factors.group[0].factor.dimension, 7);
    ck_assert_double_eq(factors.group[0].multiplicity, 1.0);
    ck_assert_ptr_null(factors.group[0].factor.mean);
    struct law_problem problem = {.factor = &factors.group[0].factor, .sampler = sampler_find("ddpm")};
    ck_assert_str_eq(law_engine_for(&problem)->name, "radial");
    factor_list_free(&factors);
    ASSERT_OK(target_factors, &target, 1, &factors);
    ck_assert_uint_eq(factors.group[0].factor.dimension, 1);
    ck_assert_double_eq(factors.group[0].factor.mean[1], 0.0);
    problem.factor = &factors.group[0].factor;
    ck_assert_str_eq(law_engine_for(&problem)->name, "line");
    factor_list_free(&factors);
}
