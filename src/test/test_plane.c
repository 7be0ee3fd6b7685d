/* The plane engine: against products and rotations of laws on the line, against the sampler's chain pushed forward by
 * hand, and against itself at a higher resolution. */
#include <math.h>
#include <string.h>

#include "law/plane/symmetry.h"
#include "model/joint_level.h"

#include "law/integrals.h"
#include "test/laws.h"
#include "test/plane_laws.h"
#include "test/suite.h"

TEST_SUITE(plane);

static const double far[] = {-1.2, -0.9, 1.2, 0.9};

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

enum { MOST_SIDE = 3 };
static const double grid_places[MOST_SIDE + 1][MOST_SIDE] = {[2] = {-1.0, 1.0}, [3] = {-1.0, 0.0, 1.0}},
                                            ninth[] = {1.0 / 9.0, 1.0 / 9.0, 1.0 / 9.0, 1.0 / 9.0, 1.0 / 9.0,
                                                       1.0 / 9.0, 1.0 / 9.0, 1.0 / 9.0, 1.0 / 9.0},
                                            atoms[MOST_SIDE * MOST_SIDE] = {0.0};

/* A square grid of modes turned by an angle, which quarter turns alone leave as it is. */
static struct factor turned_grid(size_t side, double angle, const double *sd, double *mean)
{
    for (size_t k = 0; k < side * side; k++) {
        double x = grid_places[side][k / side], y = grid_places[side][k % side];
        mean[2 * k] = cos(angle) * x - sin(angle) * y;
        mean[2 * k + 1] = sin(angle) * x + cos(angle) * y;
    }
    return (struct factor){2, side * side, side == 2 ? quarter : ninth, mean, sd, NULL, NULL, NULL};
}

/* Of the cells of a quadtree one in each orbit stands for as many as there are in it, and its parent stands for
 * others, too: a patch may be split into its children. */
TEST(test_patches_that_stand_for_others)
{
    static const double tilted[] = {-0.8, -0.3, 0.8, 0.3}, diagonal[] = {-0.8, -0.8, 0.8, 0.8},
                        lop[] = {0.3, -0.9, 1.1, 0.4};
    double square[8];
    const struct factor factors[] = {product,
                                     turned_grid(2, 0.37, equal, square),
                                     {2, 2, half, tilted, equal, NULL, NULL, NULL},
                                     {2, 2, half, diagonal, equal, NULL, NULL, NULL},
                                     {2, 2, half, lop, equal, NULL, NULL, NULL}};
    static const size_t moves[] = {8, 4, 2, 4, 1};
    for (size_t i = 0; i < COUNT(factors); i++) {
        const struct plane_symmetry symmetry = plane_symmetry_of(&factors[i]);
        ck_assert_uint_eq(symmetry.count, moves[i]);
        for (int depth = 1; depth <= 6; depth++) {
            size_t total = 0, side = (size_t)1 << depth;
            for (size_t cell = 0; cell < side * side; cell++) {
                struct patch patch = {.depth = depth, .at = {cell / side, cell % side}}, parent = patch;
                size_t stands_for = plane_symmetry_stands_for(&symmetry, &patch);
                total += stands_for;
                parent.depth--;
                parent.at[0] /= 2;
                parent.at[1] /= 2;
                ck_assert(stands_for == 0 || plane_symmetry_stands_for(&symmetry, &parent) > 0);
            }
            ck_assert_uint_eq(total, side * side);
        }
    }
}

/* Turned grids, whose laws are those of two coordinates in other axes. */
static const struct {
    size_t side;
    double angle;
    const double *sd;
    const char *sampler;
    double resolution, relative;
} turned_grids[] = {{2, 0.37, equal, "ddpm", 0.7, 3e-5},
                    {3, 0.37, atoms, "accelerated", 1.0, 1e-2},
                    {3, M_PI_4, atoms, "ddpm", 1.0, 1e-4}};

TEST(test_turned_grid, .count = taken(2) == 2 ? COUNT(turned_grids) : 1, .grows = 1)
{
    static const double third_each[] = {1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0};
    double mean[2 * MOST_SIDE * MOST_SIDE], relative = turned_grids[_i].relative;
    size_t side = turned_grids[_i].side;
    const struct factor turned = turned_grid(side, turned_grids[_i].angle, turned_grids[_i].sd, mean),
                        coordinate = {1,    side, side == 2 ? half : third_each, grid_places[side], turned.sd, NULL,
                                      NULL, NULL};
    OWNED_SCHEDULE *schedule = make_li_cai(64);
    struct law_problem problem = {
        .factor = &turned, .sampler = sampler_find(turned_grids[_i].sampler), .schedule = schedule};
    OWNED(law) plane = compute(&problem, turned_grids[_i].resolution);
    problem.factor = &coordinate;
    OWNED(law) line = compute(&problem, 1.0);
    struct divergence a = divergences_of(&plane, 1.0), b = divergences_of(&line, 2.0);
    agree(a.tv, b.tv, relative, "TV", problem.sampler->name);
    ck_assert_msg(a.tv.error < relative * a.tv.value, "TV %g +- %g", a.tv.value, a.tv.error);
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
    struct factor four = eased(product), two = eased(one_coordinate);
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
        struct measured found[3];
        ASSERT_OK(law_mass_errors, &law, &wide, found);
        for (size_t k = 0; k < 3; k++) {
            double mass = 0.0, sd = score.joint.sd[k];
            for (size_t j = 0; j < N; j++) {
                double u = (x[j] - joint_level_centre(&score.joint, k, 0, 0)) / sd,
                       v = (x[N + j] - joint_level_centre(&score.joint, k, 0, 1)) / sd;
                mass += weight[j] * exp(-0.5 * (u * u + v * v) - log(2.0 * M_PI * sd * sd) - log_p[j]);
            }
            assert_agree(found[k], (struct measured){mass - 1.0, 1e-9}, "mass", names[i]);
            ck_assert(found[k].error < 1e-4);
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

static void increment_nan(const struct step *step, const struct score *score, size_t n, const double *x, double *out,
                          double *work)
{
    sampler_find("ddpm")->increment(step, score, n, x, out, work);
    for (size_t i = 0; i < n; i++)
        out[i] = step->t == 22 && x[i] > 2.0 ? NAN : out[i];
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

TEST(test_what_is_refused)
{
    struct score_error bump = {.shape = error_shape_find("bump"), .profile = error_profile_find("uniform")};
    struct law_problem problem = {.factor = &three, .sampler = sampler_find("ddpm")};
    ck_assert_ptr_nonnull(law_engine_for(&problem));
    problem.score_error = &bump;
    problem.error_share = 1.0;
    ck_assert_ptr_null(law_engine_for(&problem));
}

/* In steps that take away most of the noise no lattice keeps its spacing, nor covers more than its grid can hold. */
TEST(test_long_steps)
{
    OWNED_SCHEDULE *schedule = make_li_cai(29);
    const struct law_problem problem = {
        .factor = &three, .sampler = sampler_find("accelerated"), .schedule = schedule};
    const struct measured tv = at_resolution(&problem, 0.3).tv, finer = at_resolution(&problem, 0.4).tv;
    ck_assert_msg(fabs(tv.value - finer.value) <= tv.error + finer.error, "TV %.7g +- %.1e against %.7g +- %.1e",
                  tv.value, tv.error, finer.value, finer.error);
    ck_assert_msg(finer.error < tv.error && tv.error < 0.02 * tv.value, "TV %.7g +- %.1e", tv.value, tv.error);
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
