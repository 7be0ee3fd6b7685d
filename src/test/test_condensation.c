/* The law along a codeword's paths around the front on which they condense: its coordinates, against the cylinder
 * engine, which follows the component everywhere and shares the kernel's formulas alone, against chains of the two
 * components, and wrong samplers. */
#include <math.h>

#include "law/condensation.h"
#include "law/crossing.h"
#include "law/cylinder/condensation_grid.h"
#include "sample/sample.h"

#include "test/laws.h"
#include "test/random.h"
#include "test/suite.h"
#include "test/targets.h"

TEST_SUITE(condensation);

static const double weight = 0.5;

/* Two problems, of the law and of its bracket, that share what `planted` owns. */
static void make_problems(size_t d, double rate, double sd, const struct sampler *sampler,
                          const struct schedule *schedule, struct planted_target *planted,
                          struct law_problem problem[2])
{
    struct target book;
    target_init(&book, target_family_find("codebook"));
    *real_in(&book, "rate") = rate;
    *real_in(&book, "sd") = sd;
    *real_in(&book, "weight") = weight;
    ASSERT_OK(target_planted, &book, d, planted);
    for (int i = 0; i < 2; i++)
        problem[i] = (struct law_problem){.factor = &(i == 0 ? &planted->law : &planted->bracket)->group[0].factor,
                                          .sampler = sampler,
                                          .schedule = schedule};
    ck_assert(condensation_handles(&problem[0]));
}

/* l is the log-likelihood ratio of the two Gaussians, and polynomials of its grid are those of what they are fitted
 * to, wherever the codeword has its mass. */
TEST(coordinates)
{
    enum { D = 12, N = 200 };
    OWNED(planted_target) planted;
    struct law_problem problem[2];
    struct axis_level axis;
    make_problems(D, 0.4, 0.2, sampler_find("ddpm"), NULL, &planted, problem);
    ASSERT_OK(axis_level_new, problem[0].factor, &axis);
    axis_level_set(&axis, &(struct level){0.7, 0.3});
    const struct condensation_level level = condensation_level_of(&axis, 0.02);
    static struct condensation_transforms transforms;
    condensation_transforms_init(&transforms);
    struct condensation_grid grid;
    condensation_grid_init(&grid, &transforms);
    const struct condensation_extent extent = {24.0, 20.0, 6.0, 2.0};
    ASSERT_OK(condensation_grid_lay, &grid, &level, &extent);
    ck_assert_uint_gt(grid.count, 3);
    double odds[16 * 16], u[16 * 16], value[16 * 16];
    for (size_t p = 0; p < grid.count; p++) {
        grid.panel[p].nodes[0] = 16;
        grid.panel[p].nodes[1] = 16;
        condensation_panel_nodes(&grid.panel[p], odds, u);
        for (size_t i = 0; i < 16 * 16; i++)
            value[i] = tanh(0.5 * odds[i]) * cos(0.2 * u[i]);
        condensation_panel_fit(&grid, value, &grid.panel[p]);
    }
    struct random random = {5};
    size_t below = 0;
    for (int i = 0; i < N; i++) {
        double square = 0.0, place = random_normal(&random), out, excess;
        for (int j = 1; j < D; j++)
            square += pow(random_normal(&random), 2.0);
        const double x[2] = {level.sd * place, level.sd * sqrt(square)},
                     l = condensation_log_odds(&level, place, square), whole = level.centre + x[0],
                     norm = whole * whole + x[1] * x[1];
        axis_level_evaluate(&axis, 1, 1, x, &excess, NULL);
        ck_assert_double_eq_tol(excess - level.log_own, l > 0.0 ? log1p(exp(-l)) : log1p(exp(l)) - l, 1e-12);
        ck_assert_double_eq_tol(condensation_square(&level, l, place), square, 1e-11);
        condensation_grid_evaluate(&grid, 1, &l, &place, &norm, &out);
        below += l < -extent.depth;
        if (l >= -extent.depth)
            ck_assert_double_eq_tol(out, tanh(0.5 * l) * cos(0.2 * place), 1e-5);
    }
    ck_assert_uint_lt(below, N / 10);
    /* far below: the Gaussian of variance 1.02 over the bulk's, of all coordinates */
    const double l = -30.0, place = 0.0, norm = 14.0;
    double out;
    condensation_grid_evaluate(&grid, 1, &l, &place, &norm, &out);
    ck_assert_double_eq_tol(out, -0.5 * D * log(1.02) - 0.5 * norm * (1.0 / 1.02 - 1.0) - axis.log_weight[0], 1e-12);
    condensation_grid_free(&grid);
    axis_level_free(&axis);
}

/* Rules that end at the axis and those that do not, a front that is passed and one that is not. */
static const struct {
    size_t d, T;
    double rate, sd;
    const char *sampler;
} cases[] = {{8, 8, 0.5, 0.3, "ddpm"}, {12, 24, 0.3, 0.4, "accelerated"}, {20, 24, 0.4, 0.2, "accelerated-sde-2024"}};

TEST(another_engine_has_the_law, .count = (int)taken(COUNT(cases)), .grows = 1)
{
    OWNED(planted_target) planted;
    OWNED_SCHEDULE *schedule = make_schedule("li-cai", 1.0, 3.0, cases[_i].T);
    struct law_problem problem[2];
    struct law_component law[2], whole;
    make_problems(cases[_i].d, cases[_i].rate, cases[_i].sd, sampler_find(cases[_i].sampler), schedule, &planted,
                  problem);
    problem[0].threads = 2;
    ASSERT_OK(condensation_law, problem, law);
    ASSERT_OK(law_component, &problem[0], 1, &whole);
    const struct measured pairs[][2] = {{law[0].mass_error, whole.mass_error},
                                        {law[0].half_distance, whole.half_distance}};
    for (size_t i = 0; i < COUNT(pairs); i++) {
        const double apart = fabs(pairs[i][0].value - pairs[i][1].value);
        ck_assert_msg(apart <= pairs[i][0].error + pairs[i][1].error && apart < 2e-3 * fabs(pairs[i][1].value),
                      "%.10g +- %.2g around the front, %.10g +- %.2g everywhere", pairs[i][0].value,
                      pairs[i][0].error, pairs[i][1].value, pairs[i][1].error);
    }
    ck_assert_double_gt(fabs(law[1].mass_error.value - law[0].mass_error.value), 10.0 * law[0].mass_error.error);
}

static double noise_off(const struct step *step)
{
    return sampler_find("ddpm")->log_noise_ratio(step) + log1p(0.01);
}

/* The chains' mass of the component, and what a hundredth of the noise does to it. */
TEST(chains_have_the_mass)
{
    enum { D = 40, T = 32 };
    OWNED(planted_target) planted;
    OWNED_SCHEDULE *schedule = make_schedule("li-cai", 1.0, 3.0, T);
    const struct sampler *ddpm = sampler_find("ddpm");
    struct sampler wrong = *ddpm;
    struct law_problem problem[2];
    struct law_component law[2], off[2];
    wrong.log_noise_ratio = noise_off;
    make_problems(D, 0.05, 0.3, ddpm, schedule, &planted, problem);
    ASSERT_OK(condensation_law, problem, law);
    const double own = planted.law.group[0].factor.weight[1], m = law[0].mass_error.value;
    struct chain_problem two = make_chains(&planted.law, ddpm, schedule, 1, 5);
    two.codewords = own;
    struct estimates estimates;
    ASSERT_OK(sample_measure, &two, 1 << 13, 0, ~0u << 4, &estimates);
    const double error = estimates.codewords_mass.error / own, found = estimates.codewords_mass.value / own - 1.0;
    ck_assert_msg(fabs(found - m) < 3.5 * error && error < 0.1 * fabs(m), "m = %g +- %g by chains, %g +- %g", found,
                  error, m, law[0].mass_error.error);
    problem[0].sampler = problem[1].sampler = &wrong;
    ASSERT_OK(condensation_law, problem, off);
    ck_assert_double_gt(fabs(off[0].mass_error.value - m),
                        10.0 * (law[0].mass_error.error + off[0].mass_error.error));
}

/* As d grows at the same h d, m_1 tends to that of the crossing law, from afar like 1/d. */
TEST(the_crossing_law_is_the_limit, .count = (int)taken(2), .grows = 1)
{
    const size_t d = _i == 0 ? 96 : 384;
    OWNED(planted_target) planted;
    struct law_problem problem[2];
    struct law_component law[2];
    struct crossing crossing;
    OWNED_SCHEDULE *schedule = make_schedule("li-cai", 2.0, 8.5, _i == 0 ? 1000 : 16500);
    make_problems(d, 0.5, 0.1, sampler_find("ddpm"), schedule, &planted, problem);
    const double eta = crossing_eta(schedule, (double)d, 0.5, 0.1);
    ASSERT_OK(crossing_find, sampler_find("ddpm"), eta, &crossing);
    ASSERT_OK(condensation_law, problem, law);
    const double apart = law[0].mass_error.value / crossing.mass_error - 1.0;
    ck_assert_msg(apart > 4.0 / (double)d && apart < 12.0 / (double)d, "%g at eta %g", apart, eta);
}

TEST(what_is_refused)
{
    OWNED(planted_target) planted;
    OWNED_SCHEDULE *schedule = make_schedule("li-cai", 1.0, 3.0, 6);
    struct law_problem problem[2];
    struct law_component law[2];
    make_problems(200, 0.5, 0.1, sampler_find("ddpm"), schedule, &planted, problem);
    ASSERT_FAILS(STATUS_UNSUPPORTED, "condense on a codeword within one", condensation_law, problem, law);
    problem[0].sampler = sampler_find("ddim");
    ck_assert(!condensation_handles(&problem[0]));
}
