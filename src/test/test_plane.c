/* The plane engine: against products and rotations of laws on the line, against the sampler's chain pushed forward by
 * hand, and against itself at a higher resolution. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "law/divergence.h"
#include "law/law.h"
#include "law/measure.h"
#include "law/patches_fill.h"
#include "law/plane/symmetry.h"
#include "model/decompose.h"
#include "model/joint_level.h"

#include "test/laws.h"
#include "test/suite.h"
#include "test/targets.h"

TEST_SUITE(plane);

static const double far[] = {-1.2, -0.9, 1.2, 0.9};
static const double quarter[] = {0.25, 0.25, 0.25, 0.25}, third[] = {0.3, 0.3, 0.4}, half[] = {0.5, 0.5};
static const double corners[] = {-1.0, -1.0, -1.0, 1.0, 1.0, -1.0, 1.0, 1.0}, equal[] = {0.3, 0.3, 0.3, 0.3};
static const double triangle[] = {-0.9, -0.5, 0.9, -0.4, 0.1, 1.0}, unequal[] = {0.35, 0.3, 0.45};
static const double pair[] = {-1.0, 1.0};

static const struct factor product = {2, 4, quarter, corners, equal, NULL, NULL, NULL};
static const struct factor three = {2, 3, third, triangle, unequal, NULL, NULL, NULL};
static const struct factor bimodal = {1, 2, half, pair, equal, NULL, NULL, NULL};

/* A small run takes wider modes, which need fewer patches, */
static struct factor eased(struct factor factor)
{
    static const double wider[] = {0.4, 0.4, 0.4, 0.4};
    factor.sd = taken(2) == 2 ? factor.sd : wider;
    return factor;
}

/* and less of the resolutions below, to the same demands. */
static double finer(void)
{
    return taken(2) == 2 ? 1.25 : 1.0;
}

/* By the engine itself: resolutions below 1 are cheaper. */
static struct law compute(const struct law_problem *problem, double resolution)
{
    struct law law;
    const struct law_engine *engine = law_engine_for(problem);
    ck_assert_ptr_nonnull(engine);
    ASSERT_OK(compute_by, engine, problem, resolution, &law);
    return law;
}

static void agree(struct measured a, struct measured b, double relative, const char *what, const char *where)
{
    int known = !isnan(a.value) && !isnan(b.value);
    ck_assert_msg(known || (strcmp(what, "KL(q|p)") == 0 || strcmp(what, "chi2") == 0), "%s: %s is not known", where,
                  what);
    if (!known || (isinf(a.value) && isinf(b.value))) /* what lies beyond the grid may leave these two open */
        return;
    ck_assert(isfinite(a.value) && isfinite(b.value) && a.error > 0.0 && b.error > 0.0);
    ck_assert_msg(fabs(a.value - b.value) <= fmin(a.error + b.error, relative * fabs(b.value)),
                  "%s: %s %.12g +- %.3g against %.12g +- %.3g", where, what, a.value, a.error, b.value, b.error);
}

/* The symmetries of mixtures, and a law that has them against that of means which have lost them by 1e-9: as good as
 * the same, but each patch stands for itself. */
TEST(test_symmetry)
{
    static const double tilted[] = {-0.8, -0.3, 0.8, 0.3}, lop[] = {0.3, 0.7};
    static double matrix[] = {0.09, 0.03, 0.03, 0.16, 0.09, 0.03, 0.03, 0.16};
    static const struct covariances full = {2, matrix};
    static const struct {
        struct factor factor;
        size_t moves;
    } cases[] = {
        {{2, 4, quarter, corners, equal, NULL, NULL, NULL}, 8}, {{2, 2, half, tilted, equal, NULL, NULL, NULL}, 2},
        {{2, 2, half, tilted, NULL, &full, NULL, NULL}, 2},     {{2, 2, lop, tilted, equal, NULL, NULL, NULL}, 1},
        {{2, 2, half, tilted, unequal, NULL, NULL, NULL}, 1},   {{2, 2, half, far, equal, NULL, NULL, NULL}, 2},
        {{2, 3, third, triangle, unequal, NULL, NULL, NULL}, 1}};
    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_uint_eq(plane_symmetry_of(&cases[i].factor).count, cases[i].moves);
    double moved[8];
    memcpy(moved, corners, sizeof moved);
    moved[0] += 1e-9;
    struct factor symmetric = cases[0].factor, other = symmetric;
    other.mean = moved;
    OWNED_SCHEDULE *schedule = make_li_cai(48);
    for (int full_ones = 0; full_ones < 2; full_ones++) {
        struct law_problem problem = {.factor = &symmetric, .sampler = sampler_find("ddpm"), .schedule = schedule};
        OWNED(law) law = compute(&problem, 0.4);
        problem.factor = &other;
        OWNED(law) whole = compute(&problem, 0.4);
        agree(divergences_of(&law, 1.0).tv, divergences_of(&whole, 1.0).tv, 1e-4, "TV", "symmetric");
        ck_assert_msg(whole.node_updates > 3 * law.node_updates / 2, "%zu and %zu node updates", law.node_updates,
                      whole.node_updates);
        /* two turned ellipses, which a half turn takes to one another */
        symmetric = other = cases[2].factor;
        memcpy(moved, tilted, sizeof tilted);
        moved[0] += 1e-9;
        other.mean = moved;
    }
}

static const struct {
    const char *sampler;
    size_t T;
    double resolution, relative;
} runs[] = {{"ddpm", 64, 0.8, 1e-6},
            {"accelerated", 96, 0.35, 1e-3},
            {"runge-kutta-3", 64, 0.3, 1e-3},
            {"accelerated-sde-2024", 48, 0.4, 1e-3},
            {"ddpm-ancestral", 128, 0.5, 1e-4}};
enum { FEW_RUNS = 3 /* in a small run */ };

/* Four modes at (+-1, +-1) are two coordinates with two each. */
TEST(test_product, .count = taken(2) == 2 ? COUNT(runs) : FEW_RUNS, .grows = 1)
{
    OWNED_SCHEDULE *schedule = make_li_cai(runs[_i].T);
    struct factor four = eased(product), two = eased(bimodal);
    struct law_problem problem = {.factor = &four, .sampler = sampler_find(runs[_i].sampler), .schedule = schedule};
    OWNED(law) plane = compute(&problem, finer() * runs[_i].resolution);
    ck_assert_str_eq(plane.engine->name, "plane");
    problem.factor = &two;
    OWNED(law) line = compute(&problem, 1.0);
    struct divergence a = divergences_of(&plane, 1.0), b = divergences_of(&line, 2.0);
    double relative = runs[_i].relative;
    agree(a.tv, b.tv, relative, "TV", runs[_i].sampler);
    agree(a.kl_p_q, b.kl_p_q, 10.0 * relative, "KL(p|q)", runs[_i].sampler);
    agree(a.kl_q_p, b.kl_q_p, 10.0 * relative, "KL(q|p)", runs[_i].sampler);
    agree(a.chi2_q_p, b.chi2_q_p, 10.0 * relative, "chi2", runs[_i].sampler);
    agree(a.hellinger2, b.hellinger2, 10.0 * relative, "Hellinger", runs[_i].sampler);
    ck_assert_msg(fabs(plane.mass_defect) < 1e-9 + 3.0 * relative * a.tv.value, "mass defect %g", plane.mass_defect);
    ck_assert_msg(a.tv.error < 30.0 * relative * a.tv.value, "TV %g +- %g says nothing", a.tv.value, a.tv.error);
}

static struct target plane_target(const struct factor *factor)
{
    struct target target;
    target_init(&target, target_family_find("mixture-plane"));
    set_mixture(&target, factor->components, factor->weight, factor->mean, factor->sd);
    return target;
}

static struct measurement measure(const struct target *target, const char *sampler, const struct score_error *error,
                                  size_t T, size_t dimension)
{
    OWNED_SCHEDULE *schedule = make_li_cai(T);
    struct measurement out;
    struct error failure = {STATUS_OK, ""};
    enum status status =
        measure_target(target, sampler_find(sampler), error, schedule, &dimension, 1, &out, &failure);
    ck_assert_msg(status == STATUS_OK, "%s", failure.text);
    return out;
}

/* The same modes turned by an angle. */
TEST(test_rotation, .grows = 1)
{
    double c = cos(0.7), s = sin(0.7), turned[6];
    for (size_t k = 0; k < 3; k++) {
        turned[2 * k] = c * triangle[2 * k] - s * triangle[2 * k + 1];
        turned[2 * k + 1] = s * triangle[2 * k] + c * triangle[2 * k + 1];
    }
    struct factor other = {2, 3, third, turned, unequal, NULL, NULL, NULL};
    OWNED_SCHEDULE *schedule = make_li_cai(48);
    struct law_problem problem = {.factor = &three, .sampler = sampler_find("ddpm"), .schedule = schedule};
    OWNED(law) law = compute(&problem, 0.55 * finer());
    problem.factor = &other;
    OWNED(law) rotated = compute(&problem, 0.55 * finer());
    struct divergence a = divergences_of(&law, 1.0), b = divergences_of(&rotated, 1.0);
    agree(a.tv, b.tv, 1e-5, "TV", "turned");
    agree(a.kl_q_p, b.kl_q_p, 1e-4, "KL(q|p)", "turned");
}

/* Covariances of their own: products of unequal modes on two lines, the widths of the second scaled, turned by an
 * angle; by 0 they are diagonal, the first variance the larger. The last are a hundred times as long as they are
 * wide. */
static const struct {
    const char *sampler;
    double angle, width;
    size_t T, across; /* modes on the second line */
    double resolution, relative;
} turned[] = {{"ddpm", 0.0, 0.4, 32, 1, 0.5, 1e-4},        {"ddpm", 0.6, 0.5, 48, 1, 0.5, 1e-4},
              {"accelerated", 2.2, 0.5, 64, 2, 0.4, 1e-3}, {"pf-ode-2", 0.6, 0.5, 64, 1, 0.5, 1e-3},
              {"ddim", 0.6, 0.5, 64, 2, 0.5, 1e-2},        {"pf-ode-2", 1.9, 0.3, 128, 2, 0.5, 1e-3},
              {"ddpm", 0.3, 1.0, 64, 2, 0.5, 1e-4},        {"ddpm", 0.7, 0.01, 64, 1, 0.5, 1e-3}};

enum { FEW_TURNED = 4 };

TEST(test_full_covariances, .count = taken(2) == 2 ? COUNT(turned) : FEW_TURNED, .grows = 1)
{
    static const double weight[2][2] = {{0.3, 0.7}, {0.6, 0.4}}, mean[2][2] = {{-1.0, 0.8}, {0.5, -0.6}};
    const double angle = turned[_i].angle, c = cos(angle), s = sin(angle),
                 sd[2][2] = {{0.25, 0.5}, {turned[_i].width * 0.25, turned[_i].width * 0.5}}, one = 1.0;
    double weights[4], means[8], matrix[16];
    size_t across = turned[_i].across;
    for (size_t k = 0; k < 2 * across; k++) {
        size_t i = k % 2, j = k / 2;
        double x = mean[0][i], y = mean[1][j], a = sd[0][i] * sd[0][i], b = sd[1][j] * sd[1][j];
        weights[k] = weight[0][i] * (across > 1 ? weight[1][j] : 1.0);
        means[2 * k] = c * x - s * y;
        means[2 * k + 1] = s * x + c * y;
        matrix[4 * k] = c * c * a + s * s * b;
        matrix[4 * k + 1] = matrix[4 * k + 2] = c * s * (a - b);
        matrix[4 * k + 3] = s * s * a + c * c * b;
    }
    const struct covariances full = {2 * across, matrix};
    const struct factor plane = {2, 2 * across, weights, means, NULL, &full, NULL, NULL},
                        line[2] = {{1, 2, weight[0], mean[0], sd[0], NULL, NULL, NULL},
                                   {1, across, across > 1 ? weight[1] : &one, mean[1], sd[1], NULL, NULL, NULL}};
    OWNED_SCHEDULE *schedule = make_li_cai(turned[_i].T);
    struct law_problem problem = {
        .factor = &plane, .sampler = sampler_find(turned[_i].sampler), .schedule = schedule};
    OWNED(law) law = compute(&problem, turned[_i].resolution);
    ck_assert_str_eq(law.engine->name, "plane");
    struct law lines[2];
    struct law_group groups[2];
    for (size_t i = 0; i < 2; i++) {
        problem.factor = &line[i];
        lines[i] = compute(&problem, 1.0);
        groups[i] = (struct law_group){&lines[i], 1.0};
    }
    struct divergence a = divergences_of(&law, 1.0), b;
    ASSERT_OK(divergence_measure, groups, 2, &b);
    agree(a.tv, b.tv, turned[_i].relative, "TV", "turned");
    agree(a.kl_p_q, b.kl_p_q, 10.0 * turned[_i].relative, "KL(p|q)", "turned");
    for (size_t k = 0; k < 2 * across; k++) { /* of a product, (1 + m_i)(1 + m_j) = 1 + m_ij */
        struct measured whole, part[2] = {{0.0, 0.0}, {0.0, 0.0}};
        ASSERT_OK(law_mass_error, &law, &plane, k, &whole);
        for (size_t i = 0; i < across; i++)
            ASSERT_OK(law_mass_error, &lines[i], &line[i], i == 0 ? k % 2 : k / 2, &part[i]);
        struct measured expected = {part[0].value + part[1].value + part[0].value * part[1].value,
                                    2.0 * (part[0].error + part[1].error)};
        assert_agree(whole, expected, "mass", "turned");
    }
    law_free(&lines[0]);
    law_free(&lines[1]);
}

static struct divergence at_resolution(const struct law_problem *problem, double resolution)
{
    OWNED(law) law = compute(problem, resolution);
    struct divergence divergence = divergences_of(&law, 1.0);
    return divergence;
}

/* Two needles that cross, and the same turned: between them log r is beyond all numbers. */
TEST(test_crossing_needles, .grows = 1)
{
    static const double centred[] = {0.0, 0.0, 0.0, 0.0};
    const double narrow = 1.0 / (taken(2) == 2 ? 45.0 : 10.0);
    OWNED_SCHEDULE *schedule = make_li_cai(64);
    struct divergence found[2];
    for (int turn = 0; turn < 2; turn++) {
        double matrix[8];
        for (int k = 0; k < 2; k++) {
            double angle = (k == 0 ? 0.7 : -0.7) + 0.3 * turn, c = cos(angle), s = sin(angle), b = narrow * narrow;
            matrix[4 * k] = c * c + s * s * b;
            matrix[4 * k + 1] = matrix[4 * k + 2] = c * s * (1.0 - b);
            matrix[4 * k + 3] = s * s + c * c * b;
        }
        const struct covariances full = {2, matrix};
        const struct factor factor = {2, 2, half, centred, NULL, &full, NULL, NULL};
        const struct law_problem problem = {.factor = &factor, .sampler = sampler_find("ddpm"), .schedule = schedule};
        found[turn] = at_resolution(&problem, taken(2) == 2 ? 1.0 : 0.4);
        ck_assert_double_lt(found[turn].tv.error, 0.01 * found[turn].tv.value);
    }
    agree(found[0].tv, found[1].tv, 1e-2, "TV", "needles");
}

struct exact_score {
    struct score base;
    struct joint_level joint;
};

static void evaluate_exact(const struct score *score, const struct level *level, size_t n, const double *x,
                           double *out)
{
    struct exact_score *exact = (struct exact_score *)score;
    joint_level_set(&exact->joint, level);
    joint_level_evaluate(&exact->joint, 0, n / 2, n / 2, x, NULL, out);
}

/* Without noise, the masses 1 + m_k = E_q(p_k/p) from a lattice of starts that the sampler itself carries forward,
 * which needs no inverse and no determinant; of wide components, whose masses are integrals of smooth functions.
 * Positions are relative to component 0. */
TEST(test_pushed_forward)
{
    enum { SIDE = 96, N = SIDE * SIDE };
    static const char *const names[] = {"ddim", "pf-ode-2"};
    static const double sds[] = {0.8, 0.7, 0.6};
    static const struct factor wide = {2, 3, third, triangle, sds, NULL, NULL, NULL};
    static double x[2 * N], D[2 * N], work[8 * N], weight[N], log_p[N];
    const double spacing = 16.0 / SIDE;
    for (int i = 0; i < 2; i++) {
        const struct sampler *sampler = sampler_find(names[i]);
        OWNED_SCHEDULE *schedule = make_li_cai(64);
        const struct law_problem problem = {.factor = &wide, .sampler = sampler, .schedule = schedule};
        OWNED(law) law = compute(&problem, 0.8);
        struct exact_score score = {.base.evaluate = evaluate_exact};
        struct level level = schedule_level(schedule, schedule->T);
        ASSERT_OK(joint_level_new, &wide, &score.joint);
        ck_assert_uint_le(sampler->work_arrays, 4);
        for (size_t j = 0; j < N; j++) {
            double at[2] = {spacing * ((double)(j % SIDE) + 0.5) - 8.0, spacing * ((double)(j / SIDE) + 0.5) - 8.0};
            weight[j] = spacing * spacing * exp(-0.5 * (at[0] * at[0] + at[1] * at[1])) / (2.0 * M_PI);
            for (size_t k = 0; k < 2; k++)
                x[k * N + j] = at[k] - sqrt(level.alpha_bar) * triangle[k];
        }
        for (size_t t = schedule->T; t >= 2; t--) {
            struct step step = sampler_step(sampler, schedule, t);
            sampler->increment(&step, &score.base, (size_t)2 * N, x, D, work);
            for (size_t j = 0; j < 2 * N; j++)
                x[j] = (x[j] + D[j]) / sqrt(step.alpha);
            level = step.to;
        }
        joint_level_set(&score.joint, &level);
        joint_level_evaluate(&score.joint, 0, N, N, x, log_p, NULL);
        for (size_t k = 0; k < 3; k++) {
            double mass = 0.0, sd = score.joint.sd[k];
            for (size_t j = 0; j < N; j++) {
                double u = (x[j] - joint_level_centre(&score.joint, k, 0, 0)) / sd,
                       v = (x[N + j] - joint_level_centre(&score.joint, k, 0, 1)) / sd;
                mass += weight[j] * exp(-0.5 * (u * u + v * v) - log(2.0 * M_PI * sd * sd) - log_p[j]);
            }
            struct measured found;
            ASSERT_OK(law_mass_error, &law, &wide, k, &found);
            assert_agree(found, (struct measured){mass - 1.0, 1e-9}, "mass", names[i]);
            ck_assert(found.error < 1e-4);
        }
        joint_level_free(&score.joint);
    }
}

/* Two modes in the plane, by the engine itself, and taken apart into a line and a Gaussian. */
TEST(test_collinear)
{
    double means[] = {-0.8, -0.3, 0.4, 0.6};
    struct factor factor = {2, 2, half, means, equal, NULL, NULL, NULL};
    struct target target = plane_target(&factor);
    OWNED_SCHEDULE *schedule = make_li_cai(48);
    struct law_problem problem = {.factor = &factor, .sampler = sampler_find("ddpm"), .schedule = schedule};
    OWNED(law) law = compute(&problem, 0.8);
    struct divergence direct = divergences_of(&law, 1.0);
    struct measurement apart = measure(&target, "ddpm", NULL, 48, 2);
    ck_assert_str_eq(apart.method, "line + gaussian, composed");
    agree(direct.tv, apart.divergence.tv, 5e-6, "TV", "collinear modes");
    agree(direct.kl_p_q, apart.divergence.kl_p_q, 5e-5, "KL(p|q)", "collinear modes");
}

static const double nested_mean[] = {0.3, 0.2, 0.0, 0.0}, nested_sd[] = {0.05, 1.0}, nested_weight[] = {0.4, 0.6};
static const double uneven[] = {0.3, 0.7};
static const double atom_sd[] = {0.0, 0.0, 0.0, 0.0}, contrast_sd[] = {0.01, 0.5};
static const double eighth[] = {0.125, 0.125, 0.125, 0.125, 0.125, 0.125, 0.125, 0.125},
                    ring_sd[] = {0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1},
                    ring_mean[] = {1.0,  0.0, M_SQRT1_2,  M_SQRT1_2,  0.0, 1.0,  -M_SQRT1_2, M_SQRT1_2,
                                   -1.0, 0.0, -M_SQRT1_2, -M_SQRT1_2, 0.0, -1.0, M_SQRT1_2,  -M_SQRT1_2};
static const struct {
    const char *name, *sampler;
    struct factor factor;
    size_t T;
    double resolution;
} honest[] = {
    {"three", "accelerated", {2, 3, third, triangle, unequal, NULL, NULL, NULL}, 64, 0.35},
    {"atoms", "ddpm", {2, 2, half, far, atom_sd, NULL, NULL, NULL}, 128, 0.7},
    {"narrow beside wide", "ddpm", {2, 2, half, far, contrast_sd, NULL, NULL, NULL}, 48, 0.4},
    {"ring", "ddpm", {2, 8, eighth, ring_mean, ring_sd, NULL, NULL, NULL}, 48, 0.4},
    {"four atoms", "ddpm", {2, 4, quarter, corners, atom_sd, NULL, NULL, NULL}, 96, 0.7},
    {"nested", "ddpm", {2, 2, nested_weight, nested_mean, nested_sd, NULL, NULL, NULL}, 64, 0.4},
    {"far apart", "ddpm", {2, 2, uneven, far, equal, NULL, NULL, NULL}, 64, 0.4},
};
enum { FEW_HONEST = 4 };

TEST(test_radii_are_honest, .count = taken(2) == 2 ? COUNT(honest) : FEW_HONEST, .grows = 1)
{
    OWNED_SCHEDULE *schedule = make_li_cai(honest[_i].T);
    struct law_problem problem = {
        .factor = &honest[_i].factor, .sampler = sampler_find(honest[_i].sampler), .schedule = schedule};
    struct divergence once = at_resolution(&problem, finer() * honest[_i].resolution),
                      again = at_resolution(&problem, (finer() > 1.0 ? 1.75 : 1.25) * honest[_i].resolution);
    agree(once.tv, again.tv, 1e-3, "TV", honest[_i].name);
    agree(once.kl_q_p, again.kl_q_p, 1e-2, "KL(q|p)", honest[_i].name);
}

static double too_noisy(const struct step *step)
{
    return sampler_find("accelerated")->log_noise_ratio(step) + log(1.01);
}

TEST(test_planted_noise)
{
    struct sampler wrong = *sampler_find("accelerated");
    OWNED_SCHEDULE *schedule = make_li_cai(128);
    struct law_problem problem = {.factor = &three, .sampler = &wrong, .schedule = schedule};
    struct divergence right = at_resolution(&problem, 0.35);
    wrong.log_noise_ratio = too_noisy;
    struct divergence planted = at_resolution(&problem, 0.35);
    ck_assert_msg(planted.tv.value > 1.5 * right.tv.value && planted.tv.value > 2e-3, "TV %g against %g",
                  planted.tv.value, right.tv.value);
}

/* An error in each coordinate of the product target, or in one, against the same on lines. */
static const struct {
    const char *shape, *sampler;
    enum error_spread spread;
    size_t T;
    double resolution;
} errors[] = {{"wave", "ddpm", SPREAD_ALL, 48, 0.35},
              {"bias", "ddpm-ancestral", SPREAD_ONE, 48, 0.35},
              {"wave", "lagrange-3", SPREAD_ONE, 96, 0.35},
              {"wave", "ddim", SPREAD_ALL, 48, 0.5},
              {"linear", "ddpm", SPREAD_ALL, 48, 0.35}};
enum { FEW_ERRORS = 3 };

static struct law relative_law(const struct law *law, const struct law *base)
{
    struct law out;
    ASSERT_OK(law_relative, law, base, &out);
    return out;
}

static struct measured tv_of(const struct law_group *groups, size_t count)
{
    struct measured tv;
    ASSERT_OK(tv_measure, groups, count, &tv);
    return tv;
}

TEST(test_score_errors, .count = taken(2) == 2 ? COUNT(errors) : FEW_ERRORS, .grows = 1)
{
    struct score_error error = make_error(errors[_i].shape, 0.05, 2.0, 0.0);
    error.spread = errors[_i].spread;
    int all = error.spread == SPREAD_ALL;
    struct factor four = eased(product), two = eased(bimodal);
    OWNED_SCHEDULE *schedule = make_li_cai(errors[_i].T);
    struct law_problem problem = {.sampler = sampler_find(errors[_i].sampler), .schedule = schedule};
    struct law plane[3], line[3]; /* exact scores, with the error, and one seen from the other */
    for (int i = 0; i < 2; i++) {
        problem.factor = &four;
        problem.score_error = i == 1 ? &error : NULL;
        problem.error_share = i == 1 ? 1.0 : 0.0;
        plane[i] = compute(&problem, finer() * errors[_i].resolution);
        problem.factor = &two;
        problem.error_share = i == 1 ? (all ? 0.5 : 1.0) : 0.0;
        line[i] = compute(&problem, 1.0);
    }
    plane[2] = relative_law(&plane[1], &plane[0]);
    line[2] = relative_law(&line[1], &line[0]);
    struct law_group whole = {&plane[1], 1.0}, seen = {&plane[2], 1.0};
    struct law_group parts[2] = {{&line[1], all ? 2.0 : 1.0}, {&line[0], 1.0}},
                     seen_part = {&line[2], parts[0].multiplicity};
    agree(tv_of(&whole, 1), tv_of(parts, all ? 1 : 2), 1e-4, "TV", errors[_i].shape);
    agree(tv_of(&seen, 1), tv_of(&seen_part, 1), 1e-2, "effect", errors[_i].shape);
    for (int i = 0; i < 3; i++) {
        law_free(&plane[i]);
        law_free(&line[i]);
    }
}

/* Along the diagonal of collinear modes that lie on it the error is one on a line. */
TEST(test_diagonal_error)
{
    double means[] = {-0.6, -0.6, 0.6, 0.6}, along[] = {-0.6 * M_SQRT2, 0.6 * M_SQRT2};
    struct factor factor = {2, 2, half, means, equal, NULL, NULL, NULL};
    struct target plane = plane_target(&factor), line;
    struct target_part parts[2];
    struct score_error error = make_error("wave", 0.05, 1.0, 0.0);
    error.spread = SPREAD_DIAGONAL;
    target_init(&parts[0].target, target_family_find("mixture"));
    parts[0].copies = 1;
    set_mixture(&parts[0].target, 2, half, along, equal);
    target_init(&parts[1].target, target_family_find("gaussian"));
    parts[1].copies = 0;
    *real_in(&parts[1].target, "variance") = 0.09;
    target_init(&line, target_family_find("direct-sum"));
    *parts_in(&line, "factors") = (struct target_list){2, parts};
    struct measurement a = measure(&plane, "ddpm", &error, 48, 2);
    error.spread = SPREAD_ONE;
    ck_assert_str_eq(a.method, "plane");
    struct measurement b = measure(&line, "ddpm", &error, 48, 2);
    agree(a.divergence.tv, b.divergence.tv, 2e-6, "TV", "diagonal");
}

static void increment_nan(const struct step *step, const struct score *score, size_t n, const double *x, double *out,
                          double *work)
{
    sampler_find("ddpm")->increment(step, score, n, x, out, work);
    for (size_t i = 0; i < n; i++)
        out[i] = step->t == 22 && x[i] > 2.0 ? NAN : out[i];
}

/* A steep wave turns the map over in stripes, which paths followed back need not meet. */
TEST(test_fold_is_refused)
{
    struct score_error error = make_error("wave", 2.0, 64.0, 0.0);
    OWNED_SCHEDULE *schedule = make_li_cai(64);
    const struct law_problem problem = {&three, sampler_find("ddim"), schedule, &error, 1.0, 0.0, 0.0, 0, 0, NULL};
    struct law law;
    ASSERT_FAILS(STATUS_NUMERIC, "folds", compute_by, law_engine_for(&problem), &problem, 1.0, &law);
}

/* In a step that goes by lattices, which sum over the images of points. */
TEST(test_images_that_are_not_finite)
{
    struct sampler wrong = *sampler_find("ddpm");
    OWNED_SCHEDULE *schedule = make_li_cai(29);
    const struct law_problem problem = {.factor = &three, .sampler = &wrong, .schedule = schedule};
    struct law law;
    wrong.increment = increment_nan;
    ASSERT_FAILS(STATUS_NUMERIC, "not finite", compute_by, law_engine_for(&problem), &problem, 0.3, &law);
}

/* Four leaves that fill the root, whose polynomials are x + y: it stands still beyond the root's sides. */
TEST(test_beyond_the_root)
{
    const double x[] = {-5.0, -0.3, 0.7, 5.0}, inside[] = {-1.0, -0.3, 0.7, 1.0};
    double out[COUNT(x) * COUNT(x)];
    OWNED(patches) grid = {.factor = &three, .root = {1.0, {0.0, 0.0}}};
    struct lobattos lobattos;
    struct patches_work work;
    lobattos_init(&lobattos);
    for (unsigned i = 0; i < 4; i++) {
        struct patch patch = {.depth = 1, .at = {i / 2, i % 2}, .half = 0.5, .nodes = {PATCH_LEAST, PATCH_LEAST}};
        const double *node = lobatto_of(&lobattos, PATCH_LEAST)->node;
        for (int k = 0; k < 2; k++)
            patch.centre[k] = patch.at[k] > 0 ? 0.5 : -0.5;
        for (size_t j = 0; j < PATCH_LEAST * PATCH_LEAST; j++)
            patch.value[j] =
                patch.centre[0] + patch.centre[1] + 0.5 * (node[j / PATCH_LEAST] + node[j % PATCH_LEAST]);
        ASSERT_OK(patches_append, &grid, &patch);
    }
    ASSERT_OK(patches_index, &grid);
    ASSERT_OK(patches_work_new, COUNT(x), &work);
    patches_evaluate(&grid, &lobattos, 0, 0, COUNT(x), x, COUNT(x), x, out, &work);
    patches_work_free(&work);
    for (size_t i = 0; i < COUNT(out); i++)
        ck_assert_double_eq_tol(out[i], inside[i / COUNT(x)] + inside[i % COUNT(x)], 1e-14);
}

/* p = N(0, 1e-6^2 I), r = 1/2, in a patch of unit size: between the nodes, p underflows at all of them. */
static void narrow(const struct patch_source *source, const struct patch *patch, const struct patch_query *query,
                   double *log_ratio, double *log_density)
{
    (void)source;
    (void)patch;
    for (size_t i = 0; i < query->nx * query->ny; i++) {
        double x = query->x[i / query->ny], y = query->y[i % query->ny];
        log_ratio[i] = -M_LN2;
        log_density[i] = log(1e12 / (2.0 * M_PI)) - 0.5e12 * (x * x + y * y);
    }
}

static double whole_mass(const void *context, const struct patch *patch)
{
    (void)context;
    (void)patch;
    return 1.0;
}

TEST(test_mass_of_unresolved_density)
{
    const struct patch_domain domain = {.mass = whole_mass};
    struct lobattos lobattos;
    struct patch patch = {.half = 1.0, .nodes = {6, 4}};
    lobattos_init(&lobattos);
    const struct patch_source source = {
        .domain = &domain, .evaluate = narrow, .jacobian = 1.0, .lobattos = &lobattos};
    ck_assert_double_eq_tol(patch_fill(&source, &patch), 0.5, 1e-15);
    ck_assert_double_eq_tol(patch.mass, 0.5, 1e-15);
}

TEST(test_what_is_refused)
{
    struct score_error bump = {.shape = error_shape_find("bump"), .profile = error_profile_find("uniform")};
    struct law_problem problem = {.factor = &three, .sampler = sampler_find("ddpm")};
    ck_assert_ptr_nonnull(law_engine_for(&problem));
    problem.score_error = &bump;
    problem.error_share = 1.0;
    ck_assert_ptr_null(law_engine_for(&problem));
}

static struct factor_list decomposed(const struct factor *factor, double multiplicity)
{
    struct factor_list list = {0};
    ASSERT_OK(factor_list_append, &list, factor, multiplicity);
    ASSERT_OK(factor_list_decompose, &list);
    return list;
}

/* Three modes in d = 16 become a plane and Gaussians. */
TEST(test_decomposition)
{
    enum { D = 16 };
    double means[3 * D];
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < D; i++)
            means[k * D + i] = 0.2 + 0.3 * sin((double)(k * 7 + i * (k + 1)));
    struct factor factor = {D, 3, third, means, equal, NULL, NULL, NULL};
    OWNED(factor_list) list = decomposed(&factor, 2.0);
    ck_assert_uint_eq(list.count, 3);
    const struct factor *plane = &list.group[0].factor;
    ck_assert_uint_eq(plane->dimension, 2);
    ck_assert_double_eq(list.group[0].multiplicity, 2.0);
    ck_assert_double_eq(list.group[1].multiplicity, 2.0);
    ck_assert_double_eq(list.group[2].multiplicity, 26.0);
    ck_assert_double_eq(list.group[2].factor.mean[0], 0.0);
    ck_assert_double_eq(list.group[2].factor.sd[0], 0.3);
    for (size_t j = 0; j < 3; j++)
        for (size_t k = 0; k <= j; k++) {
            double before = 0.0, after = list.group[1].factor.mean[0] * list.group[1].factor.mean[0];
            for (size_t i = 0; i < D; i++)
                before += means[j * D + i] * means[k * D + i];
            for (size_t i = 0; i < 2; i++)
                after += plane->mean[2 * j + i] * plane->mean[2 * k + i];
            ck_assert_double_eq_tol(after, before, 1e-13);
        }
}

TEST(test_decomposition_into_lines)
{
    double collinear[] = {1.0, 0.0, 2.0, 0.0, 2.0, 1.0, 3.0, 0.0, 1.5, 0.5, 2.5, 0.0}, same[8] = {0.0};
    struct factor line = {4, 3, third, collinear, equal, NULL, NULL, NULL};
    struct factor_list list = decomposed(&line, 1.0);
    ck_assert_uint_eq(list.count, 3);
    ck_assert_uint_eq(list.group[0].factor.dimension, 1);
    ck_assert_double_eq_tol(fabs(list.group[0].factor.mean[1] - list.group[0].factor.mean[0]), sqrt(3.0), 1e-12);
    ck_assert_double_eq(list.group[2].multiplicity, 2.0);
    factor_list_free(&list);
    struct factor point = {4, 2, half, same, equal, NULL, NULL, NULL};
    list = decomposed(&point, 3.0);
    ck_assert_uint_eq(list.count, 1);
    ck_assert_double_eq(list.group[0].multiplicity, 12.0);
    factor_list_free(&list);
    list = decomposed(&three, 1.0); /* unequal widths */
    ck_assert_uint_eq(list.count, 1);
    ck_assert_uint_eq(list.group[0].factor.dimension, 2);
    factor_list_free(&list);
    list = decomposed(&product, 1.0); /* equal ones, that fill the plane */
    ck_assert_uint_eq(list.count, 1);
    factor_list_free(&list);
    /* squares of distances, or distances, beyond what a double holds: they were taken for no distance */
    for (int i = 0; i < 3; i++) {
        const double x = (const double[]){1e-170, 1e160, 1.7e308}[i];
        double apart[] = {x, 0.0, x, 0.0, -x, 0.0, -x, 0.0};
        const struct factor wide = {4, 2, half, apart, equal, NULL, NULL, NULL};
        list = decomposed(&wide, 1.0);
        ck_assert_uint_eq(list.group[0].factor.dimension, i < 2 ? 1 : 4);
        ck_assert_uint_eq(list.group[0].factor.components, 2);
        factor_list_free(&list);
    }
}

/* One component of variances 4 and 1 along axes that are turned. */
TEST(test_decomposition_into_axes)
{
    double matrix[] = {3.25, 1.299038105676658, 1.299038105676658, 1.75}, mean[] = {0.8660254037844386, 0.5};
    const double one = 1.0;
    const struct covariances full = {1, matrix};
    const struct factor factor = {2, 1, &one, mean, NULL, &full, NULL, NULL};
    OWNED(factor_list) list = decomposed(&factor, 3.0);
    ck_assert_uint_eq(list.count, 2);
    for (size_t i = 0; i < 2; i++) { /* ascending; the mean is on the axis of the second */
        ck_assert_double_eq(list.group[i].multiplicity, 3.0);
        ck_assert_double_eq_tol(list.group[i].factor.sd[0], i == 0 ? 1.0 : 2.0, 1e-12);
        ck_assert_double_eq_tol(fabs(list.group[i].factor.mean[0]), i == 0 ? 0.0 : 1.0, 1e-12);
    }
}

/* The same bits for any number of threads, by lattices, rules and maps, with scores at two levels and at several. */
TEST(test_threads, .count = taken(2) == 2 ? 3 : 1, .grows = 1)
{
    static const char *const samplers[] = {"ddpm", "runge-kutta-3", "ddim"};
    OWNED_SCHEDULE *schedule = make_li_cai(29);
    struct law_problem problem = {.factor = &three, .sampler = sampler_find(samplers[_i]), .schedule = schedule};
    OWNED(law) one = compute(&problem, 0.3);
    for (problem.threads = 2; problem.threads < 4; problem.threads++) {
        OWNED(law) other = compute(&problem, 0.3);
        ck_assert(one.error_l1 == other.error_l1 && one.error_l2 == other.error_l2);
        ck_assert_uint_eq(one.node_updates, other.node_updates);
        ck_assert_uint_eq(one.log_ratio.count, other.log_ratio.count);
        ck_assert_mem_eq(one.log_ratio.panel, other.log_ratio.panel, one.log_ratio.count * sizeof(struct panel));
    }
}
