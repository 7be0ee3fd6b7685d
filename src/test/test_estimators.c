/* Estimators from samples, on data whose truth is known in closed form: q = N(shift, spread^2) in the first
 * coordinate and N(0, 1) in the others against p = N(0, I). Seeds are fixed, so a test either always passes or never.
 */
#include <stdlib.h>

#include "sample/directions.h"
#include "sample/knn.h"
#include "sample/projection.h"
#include "sample/weights.h"

#include "test/random.h"
#include "test/suite.h"

TEST_SUITE(estimators);

static double *numbers(size_t count)
{
    double *x = calloc(count, sizeof *x);
    ck_assert_ptr_nonnull(x);
    return x;
}

static double normal_cdf(double x)
{
    return 0.5 * erfc(-x * M_SQRT1_2);
}

/* What repeated estimates say: their mean, and how often value +- 1.96 error held the truth. */
struct tally {
    size_t count, held;
    double total, squares;
};

static void tally_add(struct tally *tally, struct estimate estimate, double truth)
{
    tally->count++;
    tally->held += fabs(estimate.value - truth) <= 1.96 * estimate.error;
    tally->total += estimate.value;
    tally->squares += estimate.value * estimate.value;
}

static double tally_mean(const struct tally *tally)
{
    return tally->total / (double)tally->count;
}

static double tally_sd(const struct tally *tally)
{
    double mean = tally_mean(tally), n = (double)tally->count;
    return sqrt((tally->squares - n * mean * mean) / (n - 1.0));
}

/* Four standard deviations of a binomial about 0.95; `most` for errors that are meant to be wide. */
static void check_coverage(const struct tally *tally, double least, double most, const char *what)
{
    double n = (double)tally->count, share = (double)tally->held / n, band = 4.0 * sqrt(0.95 * 0.05 / n);
    ck_assert_msg(share >= least - band && share <= most + band, "%s: %g of %g held the truth", what, share, n);
}

static void check_unbiased(const struct tally *tally, double truth, double allowed, const char *what)
{
    double error = 4.0 * tally_sd(tally) / sqrt((double)tally->count) + allowed;
    ck_assert_msg(fabs(tally_mean(tally) - truth) <= error, "%s: mean %g, not %g within %g", what, tally_mean(tally),
                  truth, error);
}

/* TV(N(shift, spread^2), N(0, 1)): between the roots of the quadratic log q/p. */
static double gaussian_tv(double shift, double spread)
{
    double a = 0.5 * (1.0 - 1.0 / (spread * spread)), b = shift / (spread * spread);
    double c = -0.5 * shift * shift / (spread * spread) - log(spread);
    if (fabs(a) < 1e-14)
        return shift == 0.0 ? 0.0 : 2.0 * normal_cdf(0.5 * fabs(shift)) - 1.0;
    double root = sqrt(b * b - 4.0 * a * c), x = (-b - root) / (2.0 * a), y = (-b + root) / (2.0 * a);
    double under_p = normal_cdf(y) - normal_cdf(x);
    double under_q = normal_cdf((y - shift) / spread) - normal_cdf((x - shift) / spread);
    return fabs(under_p - under_q);
}

static double gaussian_kl(double shift, double spread)
{
    return 0.5 * (spread * spread + shift * shift - 1.0) - log(spread);
}

/* ---- estimates ---- */

TEST(means_and_roots)
{
    static const double x[] = {1.0, 2.0, 3.0, 6.0};
    struct estimate mean = estimate_mean(4, x);
    ck_assert_double_eq_tol(mean.value, 3.0, 1e-15);
    ck_assert_double_eq_tol(mean.error, sqrt(14.0 / 3.0 / 4.0), 1e-15);
    ck_assert_double_gt(estimate_skewed_mean(4, x).error, mean.error);
    ck_assert_double_eq_tol(estimate_batches(4, x).error, mean.error * 3.182446305284263 / 1.959963984540054, 1e-9);
    struct estimate root = estimate_root((struct estimate){4.0, 1e-6}, 0.5);
    ck_assert_double_eq_tol(root.value, 1.0, 1e-15);
    ck_assert_double_eq_tol(root.error, 1e-6 / 8.0, 1e-12);
    /* below zero the bound is that of the upper limit */
    root = estimate_root((struct estimate){-1.0, 0.01}, 0.5);
    ck_assert_double_eq(root.value, 0.0);
    ck_assert_double_eq_tol(root.error, 0.05, 1e-15);
    for (double z = 1.0; z < 5.0; z += 0.5) {
        root = estimate_root((struct estimate){0.02, 0.01}, 0.5);
        ck_assert_double_ge(root.value + z * root.error, 0.5 * sqrt(0.02 + z * 0.01));
    }
}

/* ---- projections ---- */

enum { SPACE = 3, CHAINS = 2000, LOOKS = 7 };

struct space {
    struct factor_list list;
    struct directions directions;
    struct projected law[LOOKS];
};

static void space_new(struct space *space)
{
    static const double weight[] = {1.0}, mean[] = {0.0}, sd[] = {1.0};
    struct factor factor = {1, 1, weight, mean, sd, NULL, NULL, NULL};
    struct level level = {0.5, 0.5}; /* N(0, 1) at every level */
    struct random random = {3};
    double normal[(LOOKS - SPACE) * SPACE];
    for (size_t i = 0; i < COUNT(normal); i++)
        normal[i] = random_normal(&random);
    space->list = (struct factor_list){0};
    ASSERT_OK(factor_list_append, &space->list, &factor, SPACE);
    ASSERT_OK(directions_new, &space->list, LOOKS - SPACE, normal, &space->directions);
    ck_assert_uint_eq(space->directions.count, LOOKS);
    for (size_t k = 0; k < LOOKS; k++)
        ASSERT_OK(projected_new, &space->list, space->directions.unit + k * SPACE, &level, &space->law[k]);
}

static void space_free(struct space *space)
{
    for (size_t k = 0; k < LOOKS; k++)
        projected_free(&space->law[k]);
    directions_free(&space->directions);
    factor_list_free(&space->list);
}

static void draw_chains(struct random *random, size_t n, size_t d, double shift, double spread, double *y)
{
    for (size_t i = 0; i < d * n; i++)
        y[i] = random_normal(random);
    for (size_t j = 0; j < n; j++)
        y[j] = shift + spread * y[j];
}

static struct projection project(const struct space *space, size_t n, const double *y)
{
    struct projection out;
    struct error error = {STATUS_OK, ""};
    enum status status = projection_tv(n, SPACE, y, LOOKS, space->directions.unit, space->law, &out, &error);
    ck_assert_msg(status == STATUS_OK, "%s", error.text);
    return out;
}

static const struct {
    double shift, spread;
} differences[] = {{0.0, 1.0}, {0.1, 1.0}, {0.3, 1.1}, {0.0, 1.2}, {1.0, 0.5}};

TEST(projection_is_a_lower_bound, .count = COUNT(differences))
{
    enum { TRIALS = 400 };
    double shift = differences[_i].shift, spread = differences[_i].spread, tv = gaussian_tv(shift, spread);
    struct random random = {100 + (uint64_t)_i};
    OWNED(space) space;
    struct estimate value[TRIALS];
    struct tally tally = {0}, own = {0};
    FREED double *y = numbers(SPACE * CHAINS);
    space_new(&space);
    for (size_t t = 0; t < TRIALS; t++) {
        draw_chains(&random, CHAINS, SPACE, shift, spread, y);
        value[t] = project(&space, CHAINS, y).tv;
        tally_add(&tally, value[t], tv);
        ck_assert_double_le(value[t].value - 3.0 * value[t].error, tv);
    }
    for (size_t t = 0; t < TRIALS; t++)
        tally_add(&own, value[t], tally_mean(&tally));
    double mean = tally_mean(&tally), noise = tally_sd(&tally) / sqrt(TRIALS);
    ck_assert_msg(mean <= tv + 4.0 * noise, "mean %g over %g", mean, tv);
    if (tv == 0.0)
        check_unbiased(&tally, 0.0, 0.0, "no difference");
    check_coverage(&own, 0.93, 1.0, "projection");
}

/* Many chains: close to TV, which lies along the first axis, for a shift and for a variance. */
TEST(projection_finds_the_difference)
{
    enum { MANY = 100000 };
    struct random random = {7};
    OWNED(space) space;
    FREED double *y = numbers(SPACE * MANY);
    space_new(&space);
    for (size_t k = 1; k < COUNT(differences); k++) {
        double tv = gaussian_tv(differences[k].shift, differences[k].spread);
        draw_chains(&random, MANY, SPACE, differences[k].shift, differences[k].spread, y);
        struct projection out = project(&space, MANY, y);
        ck_assert_uint_eq(out.direction, 0);
        ck_assert_uint_eq(out.bins, 64);
        ck_assert_msg(out.tv.value > 0.9 * tv && out.tv.value < tv + 3.0 * out.tv.error, "%g +- %g, TV %g",
                      out.tv.value, out.tv.error, tv);
    }
    y[MANY + 5] = NAN;
    struct projection out;
    struct error error;
    ck_assert_int_eq(projection_tv(MANY, SPACE, y, LOOKS, space.directions.unit, space.law, &out, &error),
                     STATUS_NUMERIC);
    ck_assert_int_eq(projection_tv(10, SPACE, y, LOOKS, space.directions.unit, space.law, &out, &error),
                     STATUS_INVALID);
    ck_assert_int_eq(projection_tv(MANY, SPACE, y, 0, NULL, NULL, &out, &error), STATUS_INVALID);
}

/* Atoms, seen along their axis and the diagonal: right weights pass, wrong ones are measured exactly. From noise that
 * doubles resolve to noise that they do not. */
static const double atom_noises[] = {1e-12, 1e-24, 1e-28, 1e-31, 1e-45};

TEST(projection_at_atoms, .count = COUNT(atom_noises))
{
    enum { N = 20000 };
    static const double weight[] = {0.3, 0.7}, mean[] = {-1.0, 1.0}, sd[] = {0.0, 0.0};
    static const double unit[] = {1.0, 0.0, M_SQRT1_2, M_SQRT1_2};
    struct factor factor = {1, 2, weight, mean, sd, NULL, NULL, NULL};
    OWNED(factor_list) list = {0};
    double noise = atom_noises[_i];
    struct level level = {1.0 - noise, noise};
    struct random random = {8};
    struct projected law[2];
    struct projection out;
    FREED double *y = numbers(2 * N);
    ASSERT_OK(factor_list_append, &list, &factor, 2.0);
    for (size_t k = 0; k < 2; k++)
        ASSERT_OK(projected_new, &list, unit + 2 * k, &level, &law[k]);
    for (int wrong = 0; wrong < 2; wrong++) {
        for (size_t i = 0; i < 2 * N; i++)
            y[i] = sqrt(level.alpha_bar) * (random_uniform(&random) < (wrong && i < N ? 0.4 : 0.3) ? -1.0 : 1.0)
                   + sqrt(noise) * random_normal(&random);
        ASSERT_OK(projection_tv, N, 2, y, 2, unit, law, &out);
        ck_assert_msg(fabs(out.tv.value - 0.1 * wrong) < 3.0 * out.tv.error && out.tv.error < 0.006, "%g +- %g",
                      out.tv.value, out.tv.error);
    }
    projected_free(&law[0]);
    projected_free(&law[1]);
}

/* ---- neighbours ---- */

static void fill_log_density(size_t n, size_t d, const double *x, double *log_p)
{
    for (size_t j = 0; j < n; j++) {
        log_p[j] = -0.5 * (double)d * log(2.0 * M_PI);
        for (size_t i = 0; i < d; i++)
            log_p[j] -= 0.5 * x[i * n + j] * x[i * n + j];
    }
}

static enum status neighbours(struct random *random, size_t n, size_t d, double shift, double spread,
                              struct estimate *out, struct error *error)
{
    FREED double *y = numbers(d * n), *x = numbers(d * n), *log_y = numbers(n), *log_x = numbers(n);
    draw_chains(random, n, d, shift, spread, y);
    draw_chains(random, n, d, 0.0, 1.0, x);
    fill_log_density(n, d, y, log_y);
    fill_log_density(n, d, x, log_x);
    enum status status = knn_kl(n, d, y, log_y, x, log_x, out, error);
    return status;
}

static const struct {
    size_t d;
    double shift, spread;
} neighbourhoods[] = {{1, 0.0, 1.0}, {1, 0.3, 1.2}, {2, 0.0, 0.5}, {5, 0.0, 1.0}, {5, 0.5, 1.3}, {10, 0.2, 0.8}};

/* KL up to 0.3 and 100 points a batch: the bias that is left is below 0.005. */
TEST(knn_covers, .count = COUNT(neighbourhoods))
{
    enum { TRIALS = 150 };
    size_t d = neighbourhoods[_i].d;
    double shift = neighbourhoods[_i].shift, spread = neighbourhoods[_i].spread, kl = gaussian_kl(shift, spread);
    struct random random = {200 + (uint64_t)_i};
    struct tally tally = {0};
    for (size_t t = 0; t < TRIALS; t++) {
        struct estimate value;
        ASSERT_OK(neighbours, &random, 3200, d, shift, spread, &value);
        tally_add(&tally, value, kl);
    }
    check_unbiased(&tally, kl, 0.005, "knn");
    check_coverage(&tally, 0.95, 0.95, "knn");
}

TEST(knn_at_any_scale)
{
    enum { N = 4096 };
    struct random random = {11};
    struct error error = {STATUS_OK, ""};
    struct estimate plain, scaled;
    FREED double *y = numbers(2 * N), *x = numbers(2 * N), *log_y = numbers(N), *log_x = numbers(N);
    draw_chains(&random, N, 2, 0.5, 1.0, y);
    draw_chains(&random, N, 2, 0.0, 1.0, x);
    fill_log_density(N, 2, y, log_y);
    fill_log_density(N, 2, x, log_x);
    ASSERT_OK(knn_kl, N, 2, y, log_y, x, log_x, &plain);
    for (size_t j = 0; j < N; j++) {
        y[j] *= 0x1p-40;
        x[j] *= 0x1p-40;
        log_y[j] += 40.0 * M_LN2;
        log_x[j] += 40.0 * M_LN2;
    }
    ASSERT_OK(knn_kl, N, 2, y, log_y, x, log_x, &scaled);
    ck_assert_double_eq_tol(plain.value, scaled.value, 1e-11);
    ck_assert_double_eq_tol(plain.value, 0.125, 3.0 * plain.error);
    y[0] = INFINITY;
    ck_assert_int_eq(knn_kl(N, 2, y, log_y, x, log_x, &plain, &error), STATUS_NUMERIC);
    for (size_t j = 0; j < N; j++)
        y[j] = y[N + j] = j % 2 == 0 ? 1.0 : -1.0;
    ASSERT_FAILS(STATUS_NUMERIC, "coincides", knn_kl, N, 2, y, log_y, x, log_x, &plain);
    ck_assert_int_eq(knn_kl(N, 11, y, log_y, x, log_x, &plain, &error), STATUS_INVALID);
    ck_assert_int_eq(knn_kl(100, 2, y, log_y, x, log_x, &plain, &error), STATUS_INVALID);
}

/* Batches of the largest size, not a multiple of anything. */
TEST(knn_of_many)
{
    struct random random = {12};
    struct estimate value;
    ASSERT_OK(neighbours, &random, 70001, 3, 0.1, 1.1, &value);
    ck_assert_double_eq_tol(value.value, gaussian_kl(0.1, 1.1), 3.0 * value.error);
    ck_assert_double_lt(value.error, 0.013);
}

/* ---- weights ---- */

enum { PAIRS = 1000 };

/* p = N(0, 1), q = N(shift, 1); each path adds noise of mean 1 to r(X). The statistics: one that knows nothing, and
 * X. */
static void draw_paths(struct random *random, size_t m, double shift, double noise, double *log_w, double *other,
                       double *statistic)
{
    for (size_t j = 0; j < m; j++) {
        double x = random_normal(random), log_r = shift * x - 0.5 * shift * shift;
        statistic[j] = random_normal(random);
        statistic[m + j] = x;
        log_w[j] = log_r + noise * random_normal(random) - 0.5 * noise * noise;
        other[j] = log_r + noise * random_normal(random) - 0.5 * noise * noise;
    }
}

struct paths {
    double log_w[PAIRS], other[PAIRS], statistic[2 * PAIRS];
};

static struct weights weigh(struct random *random, double shift, double noise)
{
    FREED struct paths *paths = calloc(1, sizeof *paths);
    struct weights out;
    struct error error = {STATUS_OK, ""};
    ck_assert_ptr_nonnull(paths);
    draw_paths(random, PAIRS, shift, noise, paths->log_w, paths->other, paths->statistic);
    enum status status = weights_measure(PAIRS, paths->log_w, paths->other, 2, paths->statistic, &out, &error);
    ck_assert_msg(status == STATUS_OK, "%s", error.text);
    return out;
}

/* Where chi2's summands have a long tail its coverage is what simulations gave, and so are its upper limits of 3
 * errors that miss, of 400: sqrt(chi2)/2, not TV, which is well below. */
static const struct {
    double shift, noise, chi2_coverage;
    size_t missed;
} weighings[] = {{0.0, 0.05, 0.95, 4}, {0.0, 0.5, 0.95, 4}, {0.05, 0.05, 0.95, 4},
                 {0.3, 0.3, 0.95, 4},  {0.3, 0.7, 0.95, 4}, {0.6, 0.3, 0.93, 16}};

TEST(weights_cover, .count = COUNT(weighings))
{
    enum { TRIALS = 400 };
    double shift = weighings[_i].shift, noise = weighings[_i].noise, tv = gaussian_tv(shift, 1.0);
    double chi2 = expm1(shift * shift), path_kl = 0.5 * (shift * shift + noise * noise);
    struct random random = {300 + (uint64_t)_i};
    struct tally of_chi2 = {0}, of_kl = {0}, of_mass = {0}, of_bound = {0}, own = {0};
    struct estimate lower[TRIALS];
    size_t below = 0, above = 0;
    for (size_t t = 0; t < TRIALS; t++) {
        struct weights w = weigh(&random, shift, noise);
        ck_assert(w.accepted && w.chi2_accepted);
        tally_add(&of_chi2, w.chi2, chi2);
        tally_add(&of_kl, w.path_kl, path_kl);
        tally_add(&of_mass, w.mass, 1.0);
        tally_add(&of_bound, lower[t] = w.tv_lower, tv);
        below += w.tv_lower.value - 3.0 * w.tv_lower.error <= tv;
        above += w.tv_upper.value + 3.0 * w.tv_upper.error >= 0.5 * sqrt(chi2);
        ck_assert_double_ge(w.tv_upper.value + 3.0 * w.tv_upper.error, tv);
        ck_assert_double_ge(w.pinsker.value + 3.0 * w.pinsker.error, tv);
    }
    for (size_t t = 0; t < TRIALS; t++)
        tally_add(&own, lower[t], tally_mean(&of_bound));
    ck_assert_msg(below >= TRIALS - 3 && above + weighings[_i].missed >= TRIALS,
                  "of %d lower bounds %zu hold, of upper bounds %zu", TRIALS, below, above);
    check_unbiased(&of_chi2, chi2, 0.0, "chi2");
    check_unbiased(&of_kl, path_kl, 0.0, "path KL");
    check_coverage(&of_chi2, weighings[_i].chi2_coverage, 0.96, "chi2");
    check_coverage(&of_kl, 0.95, 0.96, "path KL");
    check_coverage(&of_mass, 0.95, 0.95, "mass");
    check_coverage(&own, 0.95, 1.0, "lower bound");
    ck_assert_double_le(tally_mean(&of_bound), tv + 4.0 * tally_sd(&of_bound) / sqrt(TRIALS));
    if (shift >= 0.3)
        ck_assert_double_ge(tally_mean(&of_bound), 0.85 * tv);
}

/* ESS at 0.25: no chi2, and the lower bound and the path KL still hold. */
TEST(weights_between_the_floors)
{
    enum { TRIALS = 400 };
    double shift = 0.3, noise = 1.2, tv = gaussian_tv(shift, 1.0), path_kl = 0.5 * (shift * shift + noise * noise);
    struct random random = {17};
    struct tally of_kl = {0}, of_bound = {0}, own = {0};
    struct estimate lower[TRIALS];
    size_t bounds = 0;
    for (size_t t = 0; t < TRIALS; t++) {
        struct weights w = weigh(&random, shift, noise);
        ck_assert(!w.chi2_accepted && isnan(w.chi2.value) && isnan(w.tv_upper.error));
        tally_add(&of_kl, w.path_kl, path_kl);
        if (!w.accepted)
            continue;
        lower[bounds++] = w.tv_lower;
        tally_add(&of_bound, w.tv_lower, tv);
        ck_assert_double_le(w.tv_lower.value - 3.0 * w.tv_lower.error, tv);
    }
    for (size_t t = 0; t < bounds; t++)
        tally_add(&own, lower[t], tally_mean(&of_bound));
    ck_assert_uint_ge(bounds, TRIALS * 9 / 10);
    check_coverage(&of_kl, 0.94, 0.96, "path KL");
    check_coverage(&own, 0.95, 1.0, "lower bound");
}

TEST(weights_refuse)
{
    struct random random = {18};
    struct weights w = weigh(&random, 0.0, 4.0);
    ck_assert(!w.accepted && !w.chi2_accepted && w.ess < WEIGHTS_FLOOR);
    ck_assert(isnan(w.chi2.value) && isnan(w.tv_lower.value) && isnan(w.tv_upper.value));
    ck_assert_double_eq_tol(w.path_kl.value, 8.0, 4.0 * w.path_kl.error);
    ck_assert_double_gt(w.pinsker.value, 1.0); /* of no use, and true */
    FREED double *x = numbers(4 * PAIRS);
    struct error error;
    ck_assert_int_eq(weights_measure(100, x, x, 0, NULL, &w, &error), STATUS_INVALID);
    x[3] = NAN;
    ck_assert_int_eq(weights_measure(PAIRS, x, x + PAIRS, 0, NULL, &w, &error), STATUS_NUMERIC);
    ck_assert_int_eq(weights_measure(PAIRS, x + PAIRS, x + 2 * PAIRS, 1, x, &w, &error), STATUS_NUMERIC);
    x[3] = 0.0;
    ASSERT_OK(weights_measure, PAIRS, x, x + PAIRS, 0, NULL, &w);
    ck_assert(w.accepted && w.tv_lower.value == 0.0 && w.tv_lower.error == 0.0);
    ck_assert(w.chi2.value == 0.0 && w.chi2.error == 0.0 && w.ess == 1.0 && w.path_kl.value == 0.0);
}

/* Weights that differ from 1 by 1e-6 keep their digits: chi2 of 1e-12, path KL of as much. */
TEST(weights_near_one)
{
    enum { MANY = 20000 };
    double shift = 1e-6, tv = gaussian_tv(shift, 1.0);
    struct random random = {19};
    struct weights w;
    FREED double *x = numbers(4 * MANY);
    draw_paths(&random, MANY, shift, 0.5e-6, x, x + MANY, x + 2 * MANY);
    ASSERT_OK(weights_measure, MANY, x, x + MANY, 2, x + 2 * MANY, &w);
    ck_assert_double_eq_tol(w.chi2.value, 1e-12, 3.0 * w.chi2.error);
    ck_assert_double_lt(w.chi2.error, 2e-14);
    ck_assert_double_eq_tol(w.path_kl.value, 0.625e-12, 3.0 * w.path_kl.error);
    ck_assert_double_lt(w.path_kl.error, 2e-14);
    ck_assert_uint_eq(w.statistic, 1);
    ck_assert_double_eq_tol(w.tv_lower.value, tv, 0.03 * tv);
    ck_assert_double_ge(w.tv_upper.value, tv);
}
