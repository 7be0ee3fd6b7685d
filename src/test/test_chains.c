/* Chains: the same bits for any cutting, chain by chain against a sampler written out, in original coordinates, their
 * start from exact draws, and what is refused. */
#include <math.h>
#include <string.h>

#include "core/random.h"
#include "sample/chains.h"
#include "sample/marginal.h"
#include "sample/weights.h"

#include "test/chain_cases.h"
#include "test/laws.h"
#include "test/suite.h"
#include "test/targets.h"

TEST_SUITE(chains);

/* ---- Bits ---- */

TEST(test_same_bits)
{
    OWNED(factor_list) list = all_factors();
    OWNED_SCHEDULE *schedule = make_li_cai(48);
    struct score_error wave = spread_error("wave", "all", 0.1);
    struct chain_problem problem = make_chains(&list, sampler_find("accelerated"), schedule, 5, 6);
    problem.score_error = &wave;
    problem.threads = 1;
    OWNED(points) one = run_chains(&problem, 1300);
    problem.threads = 3;
    OWNED(points) three = run_chains(&problem, 1300), fewer = run_chains(&problem, 700);
    for (size_t i = 0; i < 11; i++) {
        ck_assert_int_eq(memcmp(one.x + i * 1300, three.x + i * 1300, 1300 * sizeof(double)), 0);
        ck_assert_int_eq(memcmp(one.x + i * 1300, fewer.x + i * 700, 700 * sizeof(double)), 0);
    }
    ck_assert_int_eq(memcmp(one.log_density, three.log_density, 1300 * sizeof(double)), 0);
    problem.stream++;
    OWNED(points) other = run_chains(&problem, 700);
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
        OWNED(points) one = run_chains(&problem, CHAINS);
        problem.threads = 4;
        OWNED(points) four = run_chains(&problem, CHAINS);
        ck_assert_int_eq(memcmp(one.x, four.x, ORDER * CHAINS * sizeof(double)), 0);
        factor_list_free(&list);
    }
    target_clear(&target);
}

/* ---- A sampler written out ---- */

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
    OWNED(factor_list) list = all_factors();
    OWNED_SCHEDULE *schedule = make_schedule("li-cai", 1.0, 3.0, 24);
    struct score_error bias = spread_error("bias", "diagonal", 0.1);
    struct chain_problem problem = make_chains(&list, sampler_find(how->sampler), schedule, 3, 4);
    problem.score_error = how->biased ? &bias : NULL;
    problem.threads = 1;
    OWNED(points) y = run_chains(&problem, CHAINS);
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

/* Built-in samplers in original coordinates: the same chains and weights, up to rounding. */
TEST(test_original_coordinates, .count = COUNT(samplers))
{
    enum { CHAINS = 130 };
    const struct sampler *sampler = sampler_find(samplers[_i].sampler);
    struct sampler original = *sampler;
    OWNED_SCHEDULE *schedule = make_schedule("li-cai", 2.0, 4.0, 48);
    OWNED(factor_list) list = all_factors();
    struct score_error wave = spread_error("wave", "all", 0.1);
    original.regular = 0;
    struct chain_problem problem = make_chains(&list, sampler, schedule, 5, 6), other;
    problem.score_error = &wave;
    other = problem;
    other.sampler = &original;
    OWNED(points) x = run_chains(&problem, CHAINS), y = run_chains(&other, CHAINS);
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

/* ---- What is refused ---- */

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
    OWNED(factor_list) list = all_factors();
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
