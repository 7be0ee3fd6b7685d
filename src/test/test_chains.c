/* Chains and paths: the same bits for any cutting, chain by chain against a sampler written out, and in distribution
 * against exact laws. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "law/divergence.h"
#include "law/law.h"
#include "law/measure.h"
#include "sample/chains.h"
#include "sample/chain_target.h"
#include "sample/marginal.h"
#include "sample/weights.h"

#include "test/laws.h"
#include "test/suite.h"
#include "test/targets.h"

TEST_SUITE(chains);

static double even[] = {0.5, 0.5}, modes[] = {-1.0, 1.0}, narrow[] = {0.3, 0.3};
static double thirds[] = {0.2, 0.5, 0.3}, places[] = {-1.5, 0.0, 1.0}, widths[] = {0.2, 0.5, 0.3};
static double certain[] = {1.0}, origin[] = {0.0}, half[] = {0.5};
static double corners[] = {0.0, 1.0, 1.0, 0.0, -1.0, -1.0};
static double covariance[] = {0.3, 0.1, 0.0, 0.1, 0.2, -0.05, 0.0, -0.05, 0.1};
static double space[] = {0.0, 1.0, 0.5, 1.0, 0.0, -0.5};
static const struct covariances shared = {1, covariance};

static const struct factor bimodal = {1, 2, even, modes, narrow, NULL, NULL, NULL},
                           skewed = {1, 3, thirds, places, widths, NULL, NULL, NULL},
                           plane = {2, 3, thirds, corners, widths, NULL, NULL, NULL},
                           radial = {3, 2, even, NULL, narrow, NULL, NULL, NULL},
                           full = {3, 2, even, space, NULL, &shared, NULL, NULL},
                           concentric = {11, 3, thirds, NULL, widths, NULL, NULL, NULL},
                           normal = {1, 1, certain, origin, half, NULL, NULL, NULL};

/* 2 bimodal + 1 skewed coordinates, then a plane, a radial and a full factor: d = 11. */
static struct factor_list make_list(int with_joint)
{
    struct factor_list list = {0};
    ASSERT_OK(factor_list_append, &list, &bimodal, 2.0);
    ASSERT_OK(factor_list_append, &list, &skewed, 1.0);
    if (with_joint) {
        ASSERT_OK(factor_list_append, &list, &plane, 1.0);
        ASSERT_OK(factor_list_append, &list, &radial, 1.0);
        ASSERT_OK(factor_list_append, &list, &full, 1.0);
    }
    return list;
}

static struct score_error spread_error(const char *shape, const char *spread, double size)
{
    struct score_error error = make_error(shape, size, 2.0, 0.05);
    while (strcmp(error_spread_names[error.spread], spread) != 0)
        error.spread++;
    return error;
}

static struct points run(const struct chain_problem *problem, size_t n)
{
    struct points points;
    ASSERT_OK(chains_run, problem, n, &points);
    return points;
}

/* ---- Bits ---- */

TEST(test_same_bits)
{
    OWNED(factor_list) list = make_list(1);
    OWNED_SCHEDULE *schedule = make_li_cai(48);
    struct score_error wave = spread_error("wave", "all", 0.1);
    struct chain_problem problem = make_chains(&list, sampler_find("accelerated"), schedule, 5, 6);
    problem.score_error = &wave;
    problem.threads = 1;
    OWNED(points) one = run(&problem, 1300);
    problem.threads = 3;
    OWNED(points) three = run(&problem, 1300), fewer = run(&problem, 700);
    for (size_t i = 0; i < 11; i++) {
        ck_assert_int_eq(memcmp(one.x + i * 1300, three.x + i * 1300, 1300 * sizeof(double)), 0);
        ck_assert_int_eq(memcmp(one.x + i * 1300, fewer.x + i * 700, 700 * sizeof(double)), 0);
    }
    ck_assert_int_eq(memcmp(one.log_density, three.log_density, 1300 * sizeof(double)), 0);
    problem.stream++;
    OWNED(points) other = run(&problem, 700);
    for (size_t j = 0; j < 700; j++)
        ck_assert(other.x[j] != fewer.x[j]);
}

/* Matrix products by several threads at once. */
TEST(test_same_bits_of_matrices)
{
    enum { ORDER = 48, CHAINS = 1024 };
    struct target target;
    struct factor_list list;
    OWNED_SCHEDULE *schedule = make_li_cai(48);
    target_init(&target, target_family_find("mixture-random"));
    *integer_in(&target, "components") = 4;
    *real_in(&target, "spread") = 2.0;
    *real_in(&target, "sd") = 0.5;
    for (size_t kind = 0; params_find(target.family->params, "covariances")->choices[kind] != NULL; kind++) {
        *integer_in(&target, "covariances") = kind;
        ASSERT_OK(target_coordinates, &target, ORDER, &list);
        struct chain_problem problem = make_chains(&list, sampler_find("ddpm"), schedule, 5, 6);
        problem.threads = 1;
        OWNED(points) one = run(&problem, CHAINS);
        problem.threads = 4;
        OWNED(points) four = run(&problem, CHAINS);
        ck_assert_int_eq(memcmp(one.x, four.x, ORDER * CHAINS * sizeof(double)), 0);
        factor_list_free(&list);
    }
    target_clear(&target);
}

/* ---- A sampler written out ---- */

/* What test_chain_by_chain knows about the target: factors with their first coordinates. */
static const struct {
    const struct factor *factor;
    size_t first;
} blocks[] = {{&bimodal, 0}, {&bimodal, 1}, {&skewed, 2}, {&plane, 3}, {&radial, 5}, {&full, 8}};
enum { BLOCKS = COUNT(blocks), D = 11 };

/* Gauss-Jordan: V u = b for order <= 3, and det V. */
static double solve(size_t n, double V[3][3], double *u)
{
    double det = 1.0;
    for (size_t p = 0; p < n; p++) {
        double pivot = V[p][p];
        det *= pivot;
        for (size_t j = 0; j < n; j++)
            V[p][j] /= pivot;
        u[p] /= pivot;
        for (size_t i = 0; i < n; i++)
            if (i != p) {
                double times = V[i][p];
                for (size_t j = 0; j < n; j++)
                    V[i][j] -= times * V[p][j];
                u[i] -= times * u[p];
            }
    }
    return det;
}

static void block_score(const struct factor *factor, double A, double O, const double *x, double *score)
{
    size_t n = factor->dimension;
    double total = 0.0;
    for (size_t i = 0; i < n; i++)
        score[i] = 0.0;
    for (size_t k = 0; k < factor->components; k++) {
        double V[3][3], u[3], b[3], square = 0.0;
        for (size_t i = 0; i < n; i++) {
            b[i] = u[i] = x[i] - (factor->mean != NULL ? sqrt(A) * factor->mean[k * n + i] : 0.0);
            for (size_t j = 0; j < n; j++)
                V[i][j] = (factor->full != NULL ? A * factor->full->entry[i * n + j]
                           : i == j             ? A * factor->sd[k] * factor->sd[k]
                                                : 0.0)
                          + (i == j ? O : 0.0);
        }
        double det = solve(n, V, u);
        for (size_t i = 0; i < n; i++)
            square += u[i] * b[i];
        double weight = factor->weight[k] * exp(-0.5 * square) / sqrt(det);
        total += weight;
        for (size_t i = 0; i < n; i++)
            score[i] -= weight * u[i];
    }
    for (size_t i = 0; i < n; i++)
        score[i] /= total;
}

/* A bias of 0.1 along the diagonal. */
static void full_score(double A, double O, int biased, const double *x, double *score)
{
    for (size_t b = 0; b < BLOCKS; b++)
        block_score(blocks[b].factor, A, O, x + blocks[b].first, score + blocks[b].first);
    for (size_t i = 0; i < D; i++)
        score[i] += biased ? 0.1 / sqrt(D) : 0.0;
}

struct written_out {
    const char *sampler;
    int second_order, deterministic, biased;
    double limit; /* of the clip's norm, times C sqrt(d log(dT)); 0: none */
};

/* du/dsigma of theory (7). */
static void slope_written_out(double sigma, int biased, const double *u, double *slope)
{
    double A = 1.0 / (1.0 + sigma * sigma), x[D];
    for (size_t i = 0; i < D; i++)
        x[i] = sqrt(A) * u[i];
    full_score(A, 1.0 - A, biased, x, slope);
    for (size_t i = 0; i < D; i++)
        slope[i] *= -sqrt(1.0 - A);
}

/* The classical Runge-Kutta rule from sigma s0 to s2. */
static void classical_rule(double s0, double s2, int biased, double *u)
{
    static const double part[] = {0.0, 0.5, 0.5, 1.0}, weight[] = {1.0, 2.0, 2.0, 1.0};
    double slope[D] = {0.0}, total[D] = {0.0};
    for (int stage = 0; stage < 4; stage++) {
        double at[D];
        for (size_t i = 0; i < D; i++)
            at[i] = u[i] + part[stage] * (s2 - s0) * slope[i];
        slope_written_out(s0 + part[stage] * (s2 - s0), biased, at, slope);
        for (size_t i = 0; i < D; i++)
            total[i] += weight[stage] * slope[i] / 6.0;
    }
    for (size_t i = 0; i < D; i++)
        u[i] += (s2 - s0) * total[i];
}

/* theory (5)-(12) in plain arithmetic, at moderate noise levels only. */
static void step_written_out(const struct written_out *how, const struct schedule *schedule, size_t t, double *x,
                             const double *before, const double *after, double drawn, double *kept)
{
    struct step step = sampler_step(NULL, schedule, t);
    double A0 = step.from.alpha_bar, A1 = step.to.alpha_bar, alpha = A0 / A1, beta = 1.0 - alpha, D_t[D], score[D];
    double v = beta * (1.0 - A1) / (1.0 - A0);
    double overshoot = A1 / (1.0 - v), s0 = sqrt((1.0 - A0) / A0), s1 = sqrt((1.0 - A1) / A1),
           s2 = how->deterministic ? s1 : sqrt((1.0 - overshoot) / overshoot);
    if (strcmp(how->sampler, "ddpm") == 0)
        v = beta / alpha;
    if (strcmp(how->sampler, "accelerated-sde-2024") == 0) {
        v = 0.5 * beta;
        for (size_t i = 0; i < D; i++)
            x[i] += sqrt(0.5 * beta) * before[i];
    }
    full_score(A0, 1.0 - A0, how->biased, x, score);
    for (size_t i = 0; i < D; i++)
        D_t[i] = (strcmp(how->sampler, "ddim") == 0 ? 0.5 : 1.0) * beta * score[i];
    if (how->second_order) {
        double e0[D], difference[D], middle[D], norm = 0.0;
        for (size_t i = 0; i < D; i++) {
            e0[i] = -sqrt(1.0 - A0) * score[i];
            middle[i] = (x[i] + sqrt(A0) * (s1 - s0) * e0[i]) / sqrt(alpha);
        }
        full_score(A1, 1.0 - A1, how->biased, middle, score);
        for (size_t i = 0; i < D; i++) {
            difference[i] = -sqrt(1.0 - A1) * score[i] - e0[i];
            norm += difference[i] * difference[i];
        }
        if (how->limit > 0.0 && sqrt(norm) > 2.0 * sqrt(D * log(D * (double)schedule->T)))
            memset(difference, 0, sizeof difference);
        for (size_t i = 0; i < D; i++)
            D_t[i] = sqrt(A0) * ((s2 - s0) * e0[i] + (s2 - s0) * (s2 - s0) / (2.0 * (s1 - s0)) * difference[i]);
    }
    if (strcmp(how->sampler, "runge-kutta-4") == 0) {
        double u[D];
        for (size_t i = 0; i < D; i++)
            u[i] = x[i] / sqrt(A0);
        classical_rule(s0, s2, how->biased, u);
        for (size_t i = 0; i < D; i++)
            D_t[i] = sqrt(A0) * u[i] - x[i];
    }
    if (strcmp(how->sampler, "randomised-midpoint") == 0) {
        double A = A0 + drawn * (overshoot - A0), middle[D];
        for (size_t i = 0; i < D; i++)
            middle[i] = sqrt(A) * (x[i] / sqrt(A0) - (sqrt((1.0 - A) / A) - s0) * sqrt(1.0 - A0) * score[i]);
        full_score(A, 1.0 - A, how->biased, middle, score);
        for (size_t i = 0; i < D; i++)
            D_t[i] = sqrt(A0) * (overshoot - A0) / (2.0 * pow(A, 1.5)) * score[i];
    }
    if (strstr(how->sampler, "dpm-solver-2m") != NULL) {
        double n = how->deterministic ? 1.0 : 2.0, h = log(s0 / s1), r = 0.0;
        if (t < schedule->T) {
            struct level above = schedule_level(schedule, t + 1);
            r = h / (2.0 * log(sqrt((1.0 - above.alpha_bar) / above.alpha_bar) / s0));
        }
        for (size_t i = 0; i < D; i++) {
            double data = (x[i] + (1.0 - A0) * score[i]) / sqrt(A0), data_next = data + r * (data - kept[i]);
            D_t[i] = (1.0 - exp(-n * h)) * (sqrt(A0) * data_next - x[i]);
            kept[i] = data;
        }
    }
    for (size_t i = 0; i < D; i++)
        x[i] = (x[i] + D_t[i]) / sqrt(alpha) + (how->deterministic ? 0.0 : sqrt(v) * after[i]);
}

static const struct written_out samplers[] = {
    {"ddpm", 0, 0, 0, 0.0},          {"ddpm-ancestral", 0, 0, 1, 0.0},       {"accelerated", 1, 0, 0, 1.0},
    {"accelerated", 1, 0, 1, 1.0},   {"accelerated-sde-2024", 0, 0, 0, 0.0}, {"ddim", 0, 1, 0, 0.0},
    {"pf-ode-2", 1, 1, 1, 0.0},      {"runge-kutta-4", 0, 0, 1, 0.0},        {"randomised-midpoint", 0, 0, 1, 0.0},
    {"dpm-solver-2m", 0, 1, 1, 0.0}, {"sde-dpm-solver-2m", 0, 0, 0, 0.0},
};

/* The purposes of chains.c's random numbers: start, noise after the map, noise before it. */
enum { START, AFTER, BEFORE, STEP_DRAW = 20 };

/* What a step of chain j draws: the Gauss-Legendre node in whose part of (0, 1) a uniform number falls. */
static double drawn_by(const struct sampler *sampler, struct random_key key, size_t t, size_t j)
{
    double draw[SAMPLER_DRAWS], weight[SAMPLER_DRAWS], uniform;
    size_t k = 0, draws = sampler_draws(sampler, draw, weight);
    random_uniforms((struct random_block){key, STEP_DRAW, (uint32_t)t, j, 1, 0, 1, 1}, &uniform);
    for (double below = weight[0]; k + 1 < draws && uniform >= below; below += weight[k])
        k++;
    return draw[k];
}

TEST(test_chain_by_chain, .count = COUNT(samplers))
{
    enum { CHAINS = 130 };
    const struct written_out *how = &samplers[_i];
    OWNED(factor_list) list = make_list(1);
    OWNED_SCHEDULE *schedule = make_schedule("li-cai", 1.0, 3.0, 24);
    struct score_error bias = spread_error("bias", "diagonal", 0.1);
    struct chain_problem problem = make_chains(&list, sampler_find(how->sampler), schedule, 3, 4);
    problem.score_error = how->biased ? &bias : NULL;
    problem.threads = 1;
    OWNED(points) y = run(&problem, CHAINS);
    struct random_key key = random_key_of(3, 4);
    for (size_t j = 0; j < CHAINS; j += 43) {
        double x[D], before[D], after[D], kept[D] = {0.0};
        random_normals((struct random_block){key, START, 0, j, 1, 0, D, 1}, x);
        for (size_t t = schedule->T; t >= 2; t--) {
            random_normals((struct random_block){key, BEFORE, (uint32_t)t, j, 1, 0, D, 1}, before);
            random_normals((struct random_block){key, AFTER, (uint32_t)t, j, 1, 0, D, 1}, after);
            step_written_out(how, schedule, t, x, before, after, drawn_by(problem.sampler, key, t, j), kept);
        }
        for (size_t i = 0; i < D; i++)
            ck_assert_msg(fabs(x[i] - y.x[i * CHAINS + j]) < 1e-10,
                          "%s, chain %zu, coordinate %zu: %.17g, expected %.17g", how->sampler, j, i,
                          y.x[i * CHAINS + j], x[i]);
    }
}

/* ---- Against exact laws ---- */

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
    OWNED(points) y = run(&problem, CHAINS);
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
    OWNED(points) y = run(&chains, CHAINS);
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
        OWNED(points) y = run(&chains, CHAINS);
        ck_assert_double_gt(deviation(&law, &y, "wrong"), 6.0);
    }
}

/* The score of level t-1 at the point of level t, which does not commute with shifts. */
static void off_by_one(const struct step *step, const struct score *score, size_t n, const double *x, double *out,
                       double *work)
{
    (void)work;
    score->evaluate(score, &step->to, n, x, out);
    for (size_t i = 0; i < n; i++)
        out[i] *= step->beta;
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
    struct points y = run(&chains, CHAINS);
    ck_assert_double_lt(deviation(&law, &y, "off by one"), 5.0);
    points_free(&y);
    planted.regular = 1;
    y = run(&chains, CHAINS);
    ck_assert_double_gt(deviation(&law, &y, "off by one, shifted"), 6.0);
    points_free(&y);
}

/* Each chain is pulled by its neighbour; or the score is asked for at a level that is not declared. */
static void mixing(const struct step *step, const struct score *score, size_t n, const double *x, double *out,
                   double *work)
{
    off_by_one(step, score, n, x, out, work);
    for (size_t i = 0; i + 1 < n && step->t < 20; i++)
        out[i] += 0.01 * step->beta * x[i + 1];
}

static void undeclared(const struct step *step, const struct score *score, size_t n, const double *x, double *out,
                       double *work)
{
    const struct level level = {0.25, 0.75};
    (void)work;
    score->evaluate(score, step->t == 9 ? &level : &step->from, n, x, out);
}

TEST(test_unruly_samplers)
{
    static const char *const reasons[] = {" depends on other chains",
                                          "in step t = 9 sampler ddpm asks for the score at 1 - alpha_bar = 0.75"};
    OWNED_SCHEDULE *schedule = make_li_cai(48);
    OWNED(factor_list) list = make_list(1);
    struct sampler planted = *sampler_find("ddpm");
    planted.regular = 0;
    for (int i = 0; i < 2; i++) {
        const struct chain_problem chains = make_chains(&list, &planted, schedule, 1, 7);
        struct points y;
        struct paths paths;
        planted.increment = i == 0 ? mixing : undeclared;
        ASSERT_FAILS(STATUS_UNSUPPORTED, reasons[i], chains_run, &chains, 2000, &y);
        ASSERT_FAILS(STATUS_UNSUPPORTED, reasons[i], chains_weigh, &chains, 2000, &paths);
    }
}

/* Built-in samplers in original coordinates: the same chains and weights, up to rounding. */
TEST(test_original_coordinates, .count = COUNT(samplers))
{
    enum { CHAINS = 130 };
    const struct sampler *sampler = sampler_find(samplers[_i].sampler);
    struct sampler original = *sampler;
    OWNED_SCHEDULE *schedule = make_schedule("li-cai", 2.0, 4.0, 48);
    OWNED(factor_list) list = make_list(1);
    struct score_error wave = spread_error("wave", "all", 0.1);
    original.regular = 0;
    struct chain_problem problem = make_chains(&list, sampler, schedule, 5, 6), other;
    problem.score_error = &wave;
    other = problem;
    other.sampler = &original;
    OWNED(points) x = run(&problem, CHAINS), y = run(&other, CHAINS);
    for (size_t i = 0; i < 11 * CHAINS; i++)
        ck_assert_double_eq_tol(x.x[i], y.x[i], 1e-9);
    for (size_t j = 0; j < CHAINS; j++)
        ck_assert_double_eq_tol(x.log_density[j], y.log_density[j], 1e-6);
    struct paths a, b;
    if (sampler->log_noise_ratio != NULL && sampler->memory == 0 && sampler->draws == 0) {
        ASSERT_OK(chains_weigh, &problem, CHAINS, &a);
        ASSERT_OK(chains_weigh, &other, CHAINS, &b);
        for (size_t j = 0; j < CHAINS; j++)
            ck_assert_double_eq_tol(a.log_weight[0][j], b.log_weight[0][j], 1e-6);
        paths_free(&a);
        paths_free(&b);
    }
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
    OWNED(points) y = run(&chains, 1 << 15);
    ck_assert_double_lt(deviation(&law, &y, "quiet"), 5.0);
    ck_assert_uint_eq(chains_quiet_step(&chains), 2);
    ck_assert_int_eq(chains_weigh(&chains, 64, &paths, &error), STATUS_UNSUPPORTED);
    ck_assert_str_eq(error.text, "ddpm has no noise in step t = 2: its paths have no weights");
}

/* Exact samples: moments of every factor, and mode weights. */
TEST(test_draws)
{
    enum { SAMPLES = 1 << 16 };
    OWNED(factor_list) list = make_list(1);
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
        exact += thirds[k] * 0.5
                 * erfc(-(-1.1 - sqrt(level.alpha_bar) * places[k])
                        / sqrt(2.0 * (level.alpha_bar * widths[k] * widths[k] + level.noise)));
    ck_assert_double_eq_tol(first, exact, 4.0 * sqrt(exact / SAMPLES));
}

/* ---- Score errors that couple coordinates ---- */

static const struct {
    const char *shape, *spread;
} coupled[] = {{"wave", "diagonal"}, {"bump", "diagonal"}, {"linear", "diagonal"},
               {"sign", "diagonal"}, {"wave", "all"},      {"bump", "one"},
               {"bump", "norm"},     {"wave", "norm"},     {"linear", "norm"}};

/* E|e_t(X_t)|^2 is eps^2 at every t of a uniform profile (13), here by exact samples of X_t. */
TEST(test_size_of_errors, .count = COUNT(coupled))
{
    enum { CHAINS = 1 << 13 };
    OWNED_SCHEDULE *schedule = make_schedule("li-cai", 1.0, 4.5, 16);
    struct score_error score_error = spread_error(coupled[_i].shape, coupled[_i].spread, 0.7);
    OWNED(factor_list) list = score_error.spread == SPREAD_NORM ? list_of(&concentric, 1.0) : make_list(1);
    OWNED(chain_target) with, without;
    struct random_key key = random_key_of(9, 9);
    size_t size = (size_t)D * CHAINS;
    double *block = calloc(4 * size, sizeof *block), *x = block, *u = block + size, *a = block + 2 * size,
           *b = block + 3 * size;
    ck_assert_ptr_nonnull(block);
    ASSERT_OK(chain_target_new, &list, NULL, &score_error, schedule, CHAINS, &with);
    ASSERT_OK(chain_target_new, &list, NULL, NULL, schedule, CHAINS, &without);
    for (size_t t = 3; t <= 16; t += 6) {
        double total = 0.0, square = 0.0;
        chain_target_set(&with, t);
        chain_target_set(&without, t);
        random_normals((struct random_block){key, 1, (uint32_t)t, 0, CHAINS, 0, D, CHAINS}, x);
        random_uniforms((struct random_block){key, 2, (uint32_t)t, 0, CHAINS, 0, D, CHAINS}, u);
        chain_target_draw(&with, FROM, u, x, x);
        struct level level = schedule_level(schedule, t);
        with.base.evaluate(&with.base, &level, size, x, a);
        without.base.evaluate(&without.base, &level, size, x, b);
        for (size_t j = 0; j < CHAINS; j++) {
            double norm = 0.0;
            for (size_t i = 0; i < D; i++)
                norm += (a[i * CHAINS + j] - b[i * CHAINS + j]) * (a[i * CHAINS + j] - b[i * CHAINS + j]);
            total += norm / CHAINS;
            square += norm * norm / CHAINS;
        }
        double allowed = 1e-12 + 4.0 * sqrt(fmax(square - total * total, 0.0) / CHAINS);
        ck_assert_msg(fabs(total - 0.49) < allowed, "%s %s, t = %zu: E|e|^2 = %g, expected 0.49 +- %g",
                      coupled[_i].shape, coupled[_i].spread, t, total, allowed);
    }
    free(block);
}

/* The law along the diagonal against its moments, and one that has too many components. */
TEST(test_diagonal_marginal)
{
    OWNED(factor_list) list = make_list(1), marginal = {0}, many = list_of(&skewed, 100.0);
    struct factor_list none;
    ASSERT_OK(factor_list_append, &many, &plane, 4.0);
    ASSERT_OK(marginal_of_diagonal, &list, &marginal);
    const struct factor *f = &marginal.group[0].factor;
    double weight = 0.0, mean = 0.0, exact = 0.0;
    for (size_t k = 0; k < f->components; k++) {
        weight += f->weight[k];
        mean += f->weight[k] * f->mean[k];
    }
    for (size_t b = 0; b < BLOCKS; b++)
        for (size_t k = 0; k < blocks[b].factor->components && blocks[b].factor->mean != NULL; k++)
            for (size_t i = 0; i < blocks[b].factor->dimension; i++)
                exact += blocks[b].factor->weight[k] * blocks[b].factor->mean[k * blocks[b].factor->dimension + i]
                         / sqrt(D);
    ck_assert_double_eq_tol(weight, 1.0, 1e-14);
    ck_assert_double_eq_tol(mean, exact, 1e-14);
    ASSERT_FAILS(STATUS_UNSUPPORTED, "more than 20000 components", marginal_of_diagonal, &many, &none);
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

TEST(test_refusals)
{
    OWNED(factor_list) list = list_of(&bimodal, 2.5);
    OWNED_SCHEDULE *schedule = make_li_cai(48);
    struct chain_problem problem = {.list = &list,
                                    .dimension = 2,
                                    .sampler = sampler_find("ddim"),
                                    .schedule = schedule,
                                    .seed = 1,
                                    .stream = 1,
                                    .threads = 1};
    struct points points;
    struct paths paths;
    ASSERT_FAILS(STATUS_INVALID, "every coordinate", chains_run, &problem, 100, &points);
    ASSERT_FAILS(STATUS_UNSUPPORTED, "ddim is deterministic", chains_weigh, &problem, 100, &paths);
    problem.sampler = sampler_find("randomised-midpoint");
    ASSERT_FAILS(STATUS_UNSUPPORTED, "draws a number in each step", chains_weigh, &problem, 100, &paths);
    problem.sampler = sampler_find("sde-dpm-solver-2m");
    ASSERT_FAILS(STATUS_UNSUPPORTED, "keeps what earlier steps found", chains_weigh, &problem, 100, &paths);
}
