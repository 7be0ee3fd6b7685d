/* Codebooks (theory (24)): the codewords, score and density against sums written out, the mass of codewords by chains
 * against the planted law (25), wrong samplers, and what is refused. */
#include <math.h>
#include <stdlib.h>

#include "core/memory.h"
#include "core/random.h"
#include "law/measure.h"
#include "model/joint_level.h"
#include "sample/sample.h"

#include "test/laws.h"
#include "test/shell.h"
#include "test/suite.h"
#include "test/targets.h"

enum { POINTS = 70 /* more than are evaluated together */, MOST_DIMENSION = 12 };

static const double rate = 0.5, sd = 0.3, weight = 0.4;

static struct target make_book(double of_rate)
{
    struct target book;
    target_init(&book, target_family_find("codebook"));
    *real_in(&book, "rate") = of_rate;
    *real_in(&book, "sd") = sd;
    *real_in(&book, "weight") = weight;
    *integer_in(&book, "seed") = 7;
    return book;
}

TEST_SUITE(codebook, .setup = shell_setup, .teardown = shell_teardown);

/* The codewords, made all at once and coordinate after coordinate. */
TEST(codewords)
{
    enum { D = 5, M = 12 /* exp(2.5) */ };
    struct target book = make_book(rate);
    OWNED(factor_list) list;
    double normals[D * M];
    ASSERT_OK(target_coordinates, &book, D, &list);
    const struct factor *factor = &list.group[0].factor;
    ck_assert_uint_eq(factor->components, M + 1);
    random_normals((struct random_block){random_key_of(7, UINT64_C(0x636f6465626f6f6b)), 0, D, 0, M, 0, D, M},
                   normals);
    for (size_t i = 0; i < D; i++)
        ck_assert_double_eq(factor->mean[i], 0.0);
    for (size_t k = 0; k < M; k++) {
        ck_assert_double_eq_tol(factor->weight[k + 1], weight / M, 1e-16);
        for (size_t i = 0; i < D; i++)
            ck_assert_double_eq_tol(factor->mean[(k + 1) * D + i], sqrt(1.0 - sd * sd) * normals[i * M + k], 1e-14);
    }
    *integer_in(&book, "seed") = 8;
    OWNED(factor_list) other;
    ASSERT_OK(target_coordinates, &book, D, &other);
    ck_assert_double_ne(other.group[0].factor.mean[D], factor->mean[D]);
}

/* Of (25) w exp(-R d) for a weight 1 of the bulk, and beside it for 1 - w. */
TEST(planted_components)
{
    enum { D = 6 };
    const struct target book = make_book(rate);
    OWNED(planted_target) planted;
    ASSERT_OK(target_planted, &book, D, &planted);
    ck_assert(planted.weight == weight && planted.rate == rate);
    for (int i = 0; i < 2; i++) {
        const struct factor *factor = &(i == 0 ? &planted.law : &planted.bracket)->group[0].factor;
        const double ratio = weight / (i == 0 ? 1.0 : 1.0 - weight) * exp(-rate * D);
        ck_assert_double_eq_tol(factor->weight[1] / factor->weight[0], ratio, 1e-14);
        ck_assert_double_eq_tol(factor->weight[1] + factor->weight[0], 1.0, 1e-14);
        double norm = 0.0;
        for (size_t j = 0; j < D; j++)
            norm = hypot(norm, factor->mean[D + j] - factor->mean[j]);
        ck_assert_double_eq_tol(norm, sqrt((1.0 - sd * sd) * D), 1e-14);
        ck_assert(factor->sd[0] == 1.0 && factor->sd[1] == sd);
        for (size_t k = 0; k < 2; k++)
            ck_assert_double_eq_tol(factor_log_weight(factor, k), log(factor->weight[k]), 1e-14);
    }
}

/* log p and its gradient at x, which is relative to the mean of component 0. */
static long double direct(const struct factor *factor, const struct level *level, const double *x, long double *score)
{
    size_t d = factor->dimension;
    long double largest = -HUGE_VALL, total = 0.0L, root = sqrtl((long double)level->alpha_bar);
    long double *exponent = malloc(factor->components * sizeof *exponent);
    for (size_t i = 0; i < d; i++)
        score[i] = 0.0L;
    for (int pass = 0; pass < 2; pass++)
        for (size_t k = 0; k < factor->components; k++) {
            long double square = 0.0L,
                        V = (long double)factor->sd[k] * factor->sd[k] * level->alpha_bar + level->noise;
            for (size_t i = 0; i < d; i++) {
                long double u = x[i] - root * ((long double)factor->mean[k * d + i] - factor->mean[i]);
                square += u * u;
                if (pass == 1)
                    score[i] -= expl(exponent[k] - largest) * u / V;
            }
            if (pass == 1) {
                total += expl(exponent[k] - largest);
                continue;
            }
            exponent[k] = logl(factor->weight[k]) - 0.5L * (square / V + (long double)d * logl(2.0L * M_PI * V));
            largest = fmaxl(largest, exponent[k]);
        }
    free(exponent);
    for (size_t i = 0; i < d; i++)
        score[i] /= total;
    return largest + logl(total);
}

/* At points around components, at a noise level. */
static void compare(const struct factor *factor, double noise, double tolerance)
{
    const struct level level = {1.0 - noise, noise};
    size_t d = factor->dimension;
    double x[MOST_DIMENSION * POINTS], log_density[POINTS], score[MOST_DIMENSION * POINTS],
        point[MOST_DIMENSION] = {0.0};
    OWNED(joint_level) joint;
    ASSERT_OK(joint_level_new, factor, &joint);
    joint_level_set(&joint, &level);
    double narrowest = joint.sd[factor->components - 1];
    random_normals((struct random_block){random_key_of(3, 4), 0, 0, 0, POINTS, 0, d, POINTS}, x);
    for (size_t j = 0; j < POINTS; j++)
        for (size_t k = j * (factor->components - 1) / (POINTS - 1), i = 0; i < d; i++)
            x[i * POINTS + j] = x[i * POINTS + j] * joint.sd[k] + joint_level_centre(&joint, k, 0, i);
    joint_level_evaluate(&joint, 0, POINTS, POINTS, x, log_density, score);
    for (size_t j = 0; j < POINTS; j++) {
        long double exact[MOST_DIMENSION];
        for (size_t i = 0; i < d; i++)
            point[i] = x[i * POINTS + j];
        double value = (double)direct(factor, &level, point, exact);
        ck_assert_msg(fabs(log_density[j] - value) <= tolerance * (1.0 + fabs(value)),
                      "K = %zu, noise %g, point %zu: log p = %.17g, not %.17g", factor->components, noise, j,
                      log_density[j], value);
        for (size_t i = 0; i < d; i++)
            ck_assert_msg(fabs(score[i * POINTS + j] - (double)exact[i])
                              <= tolerance * (1.0 / narrowest + fabs((double)exact[i])),
                          "K = %zu, noise %g, point %zu: score %.17g, not %.17g", factor->components, noise, j,
                          score[i * POINTS + j], (double)exact[i]);
    }
}

/* Few codewords, and several blocks of them. */
TEST(score_and_density)
{
    static const size_t dimensions[] = {2, 4, 12};
    struct target book = make_book(rate);
    for (size_t n = 0; n < sizeof dimensions / sizeof dimensions[0]; n++) {
        OWNED(factor_list) list;
        ASSERT_OK(target_coordinates, &book, dimensions[n], &list);
        for (double noise = 0.99; noise > 1e-24; noise *= 0.01)
            compare(&list.group[0].factor, noise, 1e-11);
    }
}

/* Many components that are narrower than what products of positions resolve, as points of data are at small noise:
 * positions alone have 16 digits. */
TEST(many_narrow_components)
{
    enum { K = 300, D = 3 };
    double mean[K * D], sds[K], weights[K];
    random_normals((struct random_block){random_key_of(9, 9), 0, 0, 0, K, 0, D, K}, mean);
    for (size_t k = 0; k < K; k++) {
        sds[k] = 0.0;
        weights[k] = 1.0 / K;
    }
    const struct factor factor = {D, K, weights, mean, sds, NULL, NULL, NULL};
    for (double noise = 0.1; noise > 1e-22; noise *= 0.1)
        compare(&factor, noise, fmax(1e-9, 1e-14 / sqrt(noise)));
}

static struct estimates run(const struct target *book, size_t d, const struct sampler *sampler,
                            const struct schedule *schedule, size_t chains)
{
    struct estimates estimates;
    OWNED(factor_list) list;
    ASSERT_OK(target_coordinates, book, d, &list);
    struct chain_problem problem = make_chains(&list, sampler, schedule, 1, 5);
    problem.codewords = weight;
    ASSERT_OK(sample_measure, &problem, chains, 0, ~0u << 4 /* codewords alone */, &estimates);
    ck_assert(isnan(estimates.projection_tv.value) && isnan(estimates.masses_tv.value));
    return estimates;
}

static struct measurement law_of(const struct target *book, size_t d, const struct sampler *sampler,
                                 const struct schedule *schedule)
{
    struct measurement measurement;
    ASSERT_OK(measure_target, &(struct measure_problem){book, sampler, NULL, schedule, 1}, &d, 1, &measurement);
    return measurement;
}

static double noise_off(const struct step *step)
{
    return sampler_find("ddpm")->log_noise_ratio(step) + log1p(0.01);
}

/* The planted law's numbers belong together, and real codebooks have its Q; noise that is off by a hundredth changes
 * m_1 by more than numerical errors. Codebooks differ from each other by what 7 words of 4 coordinates do: the mean
 * of several is compared. */
TEST(planted_law)
{
    enum { D = 4, BOOKS = 24, CHAINS = 2048 };
    struct target book = make_book(rate);
    OWNED_SCHEDULE *schedule;
    ASSERT_OK(schedule_new, schedule_kind_find("li-cai"), 1.0, 3.0, 8, &schedule);
    const struct sampler *ddpm = sampler_find("ddpm");
    struct sampler wrong = *ddpm;
    wrong.log_noise_ratio = noise_off;
    const struct measurement law = law_of(&book, D, ddpm, schedule);
    OWNED(planted_target) factors;
    struct law_component off;
    ASSERT_OK(target_planted, &book, D, &factors);
    const struct law_problem problem = {
        .factor = &factors.law.group[0].factor, .sampler = &wrong, .schedule = schedule};
    ASSERT_OK(law_component, &problem, 1, &off);
    const struct planted_law *planted = &law.planted;
    ck_assert_str_eq(law.method, "planted, annealed");
    ck_assert(isnan(law.divergence.tv.value) && isnan(law.divergence.chi2_q_p.value) && isnan(law.w2.value));
    double m = planted->mass_error.value, Q = 1.0 - pow(1.0 - weight, 1.0 + m);
    ck_assert_double_eq_tol(planted->codewords.value, Q, 1e-12);
    ck_assert_double_eq_tol(planted->tv.value, fabs(Q - weight), 1e-12);
    ck_assert_double_eq_tol(planted->kl.value,
                            weight * log(weight / Q) + (1.0 - weight) * log((1.0 - weight) / (1.0 - Q)), 1e-12);
    ck_assert_double_le(2.0 * pow(planted->tv.value, 2.0), planted->kl.value); /* Pinsker */
    ck_assert_double_ge(planted->l1.value, 0.5 * fabs(m) - planted->l1.error);
    struct law_component other; /* with the bulk's other weight: radii hold it, and that of TV does not */
    const struct law_problem bracket = {
        .factor = &factors.bracket.group[0].factor, .sampler = ddpm, .schedule = schedule};
    ASSERT_OK(law_component, &bracket, 1, &other);
    const double apart = fabs(other.mass_error.value - m),
                 Q_apart = fabs(1.0 - pow(1.0 - weight, 1.0 + other.mass_error.value) - Q);
    ck_assert_double_gt(Q_apart, 10.0 * planted->tv.error);
    ck_assert(planted->mass_error.error >= apart && planted->codewords.error >= Q_apart);
    ck_assert_double_ge(planted->l1.error, fabs(other.half_distance.value - planted->l1.value));
    ck_assert_double_gt(fabs(off.mass_error.value - m), 10.0 * (off.mass_error.error + planted->tv.error));
    const double own = factors.law.group[0].factor.weight[1]; /* of E_q[w_1 p_1/p] = w_1 (1 + m_1), by chains */
    struct chain_problem two = make_chains(&factors.law, ddpm, schedule, 1, 5);
    two.codewords = own;
    struct estimates of_two;
    ASSERT_OK(sample_measure, &two, 1 << 15, 0, ~0u << 4, &of_two);
    ck_assert_double_lt(fabs(of_two.codewords_mass.value / own - 1.0 - m), 4.0 * of_two.codewords_mass.error / own);
    double found[BOOKS];
    for (size_t i = 0; i < BOOKS; i++) {
        *integer_in(&book, "seed") = i;
        const struct estimates estimates = run(&book, D, ddpm, schedule, CHAINS);
        found[i] = estimates.codewords_mass.value;
        ck_assert_double_eq_tol(estimates.codewords_tv.value, fabs(found[i] - weight), 1e-12);
    }
    struct estimate mean = estimate_mean(BOOKS, found);
    ck_assert_msg(fabs(mean.value - Q) <= planted->codewords.error + 3.0 * mean.error,
                  "Q = %g +- %g of codebooks, %g +- %g of the planted law", mean.value, mean.error, Q,
                  planted->codewords.error);
}

/* (30): at the front (1 - abar) grad s has the eigenvalue 2K d pi(1-pi), less what it is without a front, in [-1, 0],
 * along the difference of both components' scores, at most K d/2: L is of order d on codebooks. By differences of the
 * score. */
TEST(the_score_is_steep_at_the_front)
{
    for (size_t d = 64; d <= 512; d *= 8) {
        const double v = exp(-2.0 * rate), alpha_bar = (1.0 - v) / (1.0 - sd * sd), noise = 1.0 - alpha_bar;
        const double K = 0.5 * noise * (1.0 - v) / v, step = 1e-5;
        struct target book = make_book(rate);
        struct planted_target planted;
        struct joint_level joint;
        double x[3][512], score[3][512], steepest = 0.0;
        ASSERT_OK(target_planted, &book, d, &planted);
        const double *mean = planted.law.group[0].factor.mean + d;
        ASSERT_OK(joint_level_new, &planted.law.group[0].factor, &joint);
        joint_level_set(&joint, &(struct level){alpha_bar, noise});
        for (double place = -6.0; place <= 6.0; place += 0.02) { /* along the codeword, through the front */
            double along = 0.0, square = 0.0;
            for (size_t i = 0; i < d; i++) {
                const double centre = sqrt(alpha_bar) * mean[i], at = i == 0 ? centre + place : sqrt(v);
                const double difference = at - (at - centre) / v;
                for (size_t k = 0; k < 3; k++)
                    x[k][i] = at + ((double)k - 1.0) * step * difference; /* relative to the bulk's mean, 0 */
                square += difference * difference;
            }
            for (size_t k = 0; k < 3; k += 2)
                joint_level_evaluate(&joint, 0, 1, 1, x[k], NULL, score[k]);
            for (size_t i = 0; i < d; i++)
                along += (score[2][i] - score[0][i]) * (x[2][i] - x[0][i]) / (4.0 * step * step);
            steepest = fmax(steepest, noise * along / square);
        }
        ck_assert_double_lt(fabs(steepest - 0.5 * K * (double)d), 1.0 + 0.05 * K * (double)d);
        joint_level_free(&joint);
        planted_target_free(&planted);
    }
}

/* Where the second-order sampler gives the codewords their mass, the same without its correction does not. */
TEST(a_dropped_correction_is_seen)
{
    enum { D = 3, CHAINS = 1 << 15 };
    struct target book = make_book(rate);
    OWNED_SCHEDULE *schedule;
    ASSERT_OK(schedule_new, schedule_kind_find("li-cai"), 2.0, 6.0, 64, &schedule);
    const struct estimates right = run(&book, D, sampler_find("accelerated"), schedule, CHAINS),
                           wrong = run(&book, D, sampler_find("ddpm-ancestral"), schedule, CHAINS);
    ck_assert_double_lt(fabs(right.codewords_mass.value - weight), 4.0 * right.codewords_mass.error);
    ck_assert_double_gt(wrong.codewords_tv.value, 4.0 * wrong.codewords_tv.error);
}

/* End to end: a planted law, chains of the codebook, and the limit at their common eta once; no built-in claim, but
 * beside a target that has an exact law those that a planted law can tell of. */
TEST(codewords_are_drawn_and_not_judged)
{
#define BOOK "{name: book, kind: codebook, rate: 0.5, sd: 0.6, weight: 0.4}"
#define REST \
    "samplers: [ddpm]\ndimensions: [4]\nsteps: [8]\nsamples: {chains: 512}\n" \
    "schedule: {kind: li-cai, c0: 1, c1: 3}\n"
    write_file("c.yaml", "targets: [" BOOK "]\n" REST);
    assert_exits("@ run %/c.yaml -o %/out 2>&1", 0, "merged");
    ASSERT_OMITS(output, "kl-ddpm", "chains-agree", "inconclusive");
    assert_prints("awk -F'\t' 'NR > 1 {print $3, $4, $5}' %/out/c/codewords.tsv",
                  "planted book 4\nchains book 4\nlaw book 0\n");
    ASSERT_MADE("out/c", "codewords.svg", "codewords.png", "report.html");
    write_file("c.yaml", "targets: [" BOOK ", {name: g, kind: gaussian, variance: 0.25}]\n" REST);
    assert_exits("@ run %/c.yaml -o %/out --adopt 2>&1", 0, "from planted_kl, an annealed lower bound of kl_p_q",
                 "not judged: no exact law");
}

/* No planted law in one dimension, under score errors, of samplers without noise; no chains of too many codewords. */
TEST(what_is_refused)
{
    struct target book = make_book(rate), large = make_book(2.0);
    struct factor_list list;
    struct score_error wave = {.shape = error_shape_find("wave"), .size = 0.1};
    ASSERT_FAILS(STATUS_UNSUPPORTED, "codewords in 8 dimensions", target_coordinates, &large, 8, &list);
    ASSERT_OK(measure_supports, &large, sampler_find("ddpm"), NULL, 4096);
    ASSERT_FAILS(STATUS_UNSUPPORTED, "score error", measure_supports, &book, sampler_find("ddpm"), &wave, 4);
    ASSERT_FAILS(STATUS_UNSUPPORTED, "ddim", measure_supports, &book, sampler_find("ddim"), NULL, 4);
}

static const struct {
    const char *keys, *reason;
} bad[] = {{"sd: 0.1", "rate"},
           {"rate: 0.5", "sd"},
           {"rate: 0, sd: 0.1", "expected a number > 0"},
           {"rate: .inf, sd: 0.1", "expected a number > 0"},
           {"rate: 0.5, sd: 0", "expected a number in (0, 1)"},
           {"rate: 0.5, sd: 1", "expected a number in (0, 1)"},
           {"rate: 0.5, sd: 0.1, weight: 1", "expected a number in (0, 1)"},
           {"rate: 0.5, sd: 0.1, weight: 0", "expected a number in (0, 1)"},
           {"rate: 0.5, sd: 0.1, seed: -1", "expected an integer"},
           {"rate: 0.5, sd: 0.1, seed: 0.5", "expected an integer"},
           {"rate: 0.5, sd: 0.1, words: 3", "unknown key 'words'"}};

TEST(bad_input, .count = COUNT(bad))
{
    char text[400];
    (void)snprintf(text, sizeof text,
                   "schedule: {kind: li-cai, c0: 2, c1: 8.5}\ntargets:\n- {name: book, kind: codebook, %s}\n"
                   "samplers: [ddpm]\ndimensions: [4]\nsteps: [64]\n",
                   bad[_i].keys);
    write_file("bad.yaml", text);
    assert_exits("@ measure %/bad.yaml 2>&1", 2, bad[_i].reason);
}
