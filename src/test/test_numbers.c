/* What no number may be, whatever is asked: TV, H^2 and their radii leave [0, 1] nowhere, no divergence is negative
 * or half a number, each is consistent with the others (Pinsker, Le Cam, Renyi's order 1/2 and 2 around KL), none
 * falls as coordinates are added, and one Gaussian has one law whichever engine it goes through. Random targets,
 * samplers, schedules and score errors, extreme ones among them; the seed is fixed. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "law/measure.h"

#include "test/laws.h"
#include "test/random.h"
#include "test/suite.h"
#include "test/targets.h"

TEST_SUITE(numbers);

static double low(struct measured m)
{
    return m.value - m.error;
}

static double high(struct measured m)
{
    return m.value + m.error;
}

/* 10^[from, to] */
static double log_uniform(struct random *random, double from, double to)
{
    return pow(10.0, from + (to - from) * random_uniform(random));
}

static size_t choose(struct random *random, size_t count)
{
    return (size_t)(random_uniform(random) * (double)count);
}

/* A bound that holds but for rounding. */
#define AT_MOST(a, b, what) \
    ck_assert_msg(!((a) > (b) * (1.0 + 1e-12) + 1e-300), "%s: %s: %.17g > %.17g", where, what, (double)(a), \
                  (double)(b))

static void is_a_number(struct measured m, double most, const char *what, const char *where)
{
    if (isnan(m.value) && isnan(m.error))
        return;
    if (strcmp(what, "chi2") == 0 && isinf(m.value)) {
        ck_assert_msg(m.value > 0.0 && (isinf(m.error) || !(m.error > 0.0)), "%s: %s is %g +- %g", where, what,
                      m.value, m.error);
        return;
    }
    ck_assert_msg(isfinite(m.value) && isfinite(m.error), "%s: %s is %g +- %g", where, what, m.value, m.error);
    ck_assert_msg(low(m) >= 0.0 && high(m) <= most, "%s: %s is %.17g +- %g", where, what, m.value, m.error);
    ck_assert_msg(m.error >= 0x1p-53 * m.value, "%s: %s is %.17g +- %g", where, what, m.value, m.error);
}

static int is_refused(const struct measurement *m)
{
    return m->failure.status != STATUS_OK;
}

static void is_sound(const struct measurement *m, const char *where)
{
    const struct divergence *d = &m->divergence;
    is_a_number(d->tv, 1.0, "TV", where);
    is_a_number(d->hellinger2, 1.0, "Hellinger", where);
    is_a_number(d->kl_p_q, HUGE_VAL, "KL(p|q)", where);
    is_a_number(d->kl_q_p, HUGE_VAL, "KL(q|p)", where);
    is_a_number(d->chi2_q_p, HUGE_VAL, "chi2", where);
    if (is_refused(m)) {
        ck_assert_msg(m->failure.status != STATUS_OK && m->failure.text[0] != '\0', "%s: no reason", where);
        ck_assert(isnan(d->hellinger2.value) && isnan(d->kl_p_q.value) && isnan(d->chi2_q_p.value));
        return;
    }
    ck_assert_msg(!isnan(d->tv.value), "%s: TV is not a number, and it is not refused", where);
    ck_assert_msg(d->tv.error <= 0.25, "%s: TV is %g +- %g", where, d->tv.value, d->tv.error);
    is_a_number(m->error_effect, 1.0, "effect", where);
    double h = high(d->hellinger2), l = low(d->hellinger2);
    double affinity = -2.0 * log1p(-(l < 1.0 ? l : isnan(l) ? 0.0 : 1.0 - DBL_EPSILON)); /* at most KL either way */
    AT_MOST(2.0 * low(d->tv) * low(d->tv), high(d->kl_p_q), "Pinsker, KL(p|q)");
    AT_MOST(2.0 * low(d->tv) * low(d->tv), high(d->kl_q_p), "Pinsker, KL(q|p)");
    AT_MOST(l, high(d->tv), "H^2 <= TV");
    AT_MOST(low(d->tv), sqrt(h * (2.0 - h)), "TV <= sqrt(H^2 (2 - H^2))");
    AT_MOST(affinity, high(d->kl_p_q), "-2 log(1 - H^2) <= KL(p|q)");
    AT_MOST(affinity, high(d->kl_q_p), "-2 log(1 - H^2) <= KL(q|p)");
    if (isfinite(d->chi2_q_p.value))
        AT_MOST(low(d->kl_q_p), log1p(high(d->chi2_q_p)), "KL(q|p) <= log(1 + chi2)");
}

/* q and p of fewer coordinates are marginals. */
static void grows(const struct measurement *few, const struct measurement *many, const char *where)
{
    const struct divergence *a = &few->divergence, *b = &many->divergence;
    AT_MOST(low(a->tv), high(b->tv), "TV grows with d");
    AT_MOST(low(a->hellinger2), high(b->hellinger2), "H^2 grows with d");
    AT_MOST(low(a->kl_p_q), high(b->kl_p_q), "KL(p|q) grows with d");
    AT_MOST(low(a->kl_q_p), high(b->kl_q_p), "KL(q|p) grows with d");
    if (isfinite(b->chi2_q_p.value))
        AT_MOST(low(a->chi2_q_p), high(b->chi2_q_p), "chi2 grows with d");
}

static struct schedule *random_schedule(struct random *random, size_t most)
{
    struct schedule *schedule = NULL;
    struct error error;
    char text[100];
    double c0 = 1.0 + 3.0 * random_uniform(random), c1 = 4.0 + 6.0 * random_uniform(random);
    size_t T = (size_t)log_uniform(random, 1.0, log10((double)most)), which = choose(random, 8);
    (void)snprintf(text, sizeof text, "%s c0 %g c1 %g", which % 2 == 0 ? "li-cai" : "li-yan", c0, c1);
    union params values;
    const struct schedule_kind *kind = schedule_values(which < 3 ? text : schedule_texts[which], &values);
    while (schedule_with(kind, &values, T, &schedule, &error) != STATUS_OK)
        T += T / 8 + 1;
    return schedule;
}

static const struct sampler *random_sampler(struct random *random)
{
    size_t count = 0;
    while (sampler_at(count) != NULL)
        count++;
    return sampler_at(choose(random, count));
}

enum { MOST_COMPONENTS = 4 };

/* Arrays for a target's lists. */
struct lists {
    double weights[MOST_COMPONENTS], means[2 * MOST_COMPONENTS], sds[MOST_COMPONENTS];
};

static void fill_lists(struct random *random, struct lists *lists, struct target *target)
{
    double total = 0.0, spread = log_uniform(random, -2.0, 2.0), width = log_uniform(random, -3.0, 1.0);
    int extreme = random_uniform(random) < 0.3, alike = random_uniform(random) < 0.3;
    size_t components = 1 + choose(random, MOST_COMPONENTS);
    for (size_t k = 0; k < components; k++) {
        total += lists->weights[k] = random_uniform(random) < 0.1 ? 1e-9 : random_uniform(random);
        lists->sds[k] = extreme ? log_uniform(random, -4.0, 4.0) : width * log_uniform(random, -0.5, 0.5);
        if (alike)
            lists->sds[k] = lists->sds[0];
        if (random_uniform(random) < 0.05)
            lists->sds[k] = 0.0;
        for (size_t i = 0; i < 2; i++)
            lists->means[2 * k + i] = spread * random_normal(random);
    }
    for (size_t k = 0; k < components; k++)
        lists->weights[k] /= total;
    if (params_find(target->family->params, "sds") != NULL)
        set_mixture(target, components, lists->weights, lists->means, lists->sds);
}

static void random_target(struct random *random, const char *family, struct lists *lists, struct target *target)
{
    target_init(target, target_family_find(family));
    (void)snprintf(target->name, sizeof target->name, "%s", family);
    double variance = log_uniform(random, -7.0, 8.0);
    double mean = random_uniform(random) < 0.5 ? 0.0 : log_uniform(random, -2.0, 2.5);
    double nu = 2.0 + log_uniform(random, -1.0, 1.0);
    if (strcmp(family, "gaussian") == 0) {
        *real_in(target, "variance") = variance;
        *real_in(target, "mean") = mean;
    }
    if (strcmp(family, "student-t") == 0)
        *real_in(target, "nu") = nu;
    fill_lists(random, lists, target);
}

/* What is asked, for a message. */
static void describe(const struct target *target, const struct sampler *sampler, const struct score_error *error,
                     const struct schedule *schedule, char text[600])
{
    FREED char *written = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&written, &size);
    ck_assert_ptr_nonnull(stream);
    fprintf(stream, "%s, %s, T = %zu, ", sampler->name, score_error_name(error), schedule->T);
    target_describe(target, stream);
    ck_assert_int_eq(fclose(stream), 0);
    (void)snprintf(text, 600, "%s", written);
}

static const struct score_error *random_error(struct random *random, struct score_error *error)
{
    static const char *const shapes[] = {"bias", "linear", "wave", "bump", "sign"};
    if (random_uniform(random) < 0.7)
        return NULL;
    const char *shape = shapes[choose(random, COUNT(shapes))];
    double size = log_uniform(random, -4.0, 0.0), roughness = log_uniform(random, -0.5, 0.7);
    *error = make_error(shape, size, roughness, log_uniform(random, -5.0, -1.0));
    return error;
}

/* Measures one random question; returns the status. */
static enum status ask(struct random *random, const char *family, const size_t *dimensions, size_t count, size_t most)
{
    struct lists lists;
    struct target target;
    struct score_error made;
    struct measurement m[4];
    struct error error = {STATUS_OK, ""};
    char where[600];
    OWNED_SCHEDULE *schedule = random_schedule(random, most);
    const struct sampler *sampler = random_sampler(random);
    const struct score_error *score_error = random_error(random, &made);
    random_target(random, family, &lists, &target);
    describe(&target, sampler, score_error, schedule, where);
    enum status status = measure_target(&(struct measure_problem){&target, sampler, score_error, schedule, 1},
                                        dimensions, count, m, &error);
    ck_assert_msg(status == STATUS_OK || error.text[0] != '\0', "%s: no reason", where);
    ck_assert_msg(status == STATUS_OK || status == STATUS_NUMERIC || status == STATUS_UNSUPPORTED, "%s: %s", where,
                  error.text);
    int product = strcmp(family, "radial") != 0 && strcmp(family, "mixture-plane") != 0
                  && strcmp(family, "student-t") != 0 && score_error == NULL;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        is_sound(&m[i], where);
        for (size_t j = 0; j < i && product; j++)
            grows(&m[j], &m[i], where);
    }
    return status;
}

static const struct {
    const char *family;
    size_t dimensions[4], count;
    size_t questions, most_steps;
    size_t most; /* questions, where they take seconds each; 0: any number */
} questions[] = {
    /* a small run asks the first FEW, whose answers are quick */
    {"gaussian", {1, 2, 50, 1000000}, 4, 40, 256, 0},
    {"mixture", {1, 2, 50, 1000000}, 4, 1, 64, 0},
    {"student-t", {1, 3}, 2, 1, 48, 5},
    {"radial", {2, 30}, 2, 1, 48, 5},
    {"radial", {1000, 100000}, 2, 1, 32, 5},
    {"mixture-plane", {2}, 1, 1, 24, 2},
};

enum { FEW = 2 };

TEST(test_questions, .count = taken(2) == 2 ? COUNT(questions) : FEW, .grows = 1)
{
    struct random random = {20261128u + (uint64_t)_i};
    size_t answered = 0, count = repetitions(questions[_i].questions);
    if (questions[_i].most > 0 && count > questions[_i].most)
        count = questions[_i].most;
    for (size_t i = 0; i < count; i++)
        answered += ask(&random, questions[_i].family, questions[_i].dimensions, questions[_i].count,
                        questions[_i].most_steps)
                    == STATUS_OK;
    ck_assert_msg(count < 40 || 2 * answered > count, "only %zu of %zu have an answer", answered, count);
}

static struct measurement measure(const struct target *target, const char *sampler, const struct schedule *schedule,
                                  size_t dimension, enum status *status)
{
    struct measurement m;
    struct error error = {STATUS_OK, ""};
    *status = measure_target(&(struct measure_problem){target, sampler_find(sampler), NULL, schedule, 1}, &dimension,
                             1, &m, &error);
    return m;
}

static void same(struct measured a, struct measured b, const char *what, const char *where)
{
    if (isnan(a.value) || isinf(b.error)) /* not known, or above the largest double */
        return;
    double allowed = a.error + b.error + 1e-11 * b.value;
    ck_assert_msg((isinf(a.value) && isinf(b.value)) || fabs(a.value - b.value) <= allowed,
                  "%s: %s is %.12g +- %.2g, not %.12g", where, what, a.value, a.error, b.value);
}

/* Two components that differ in the last digits of their width are one Gaussian, but not for the engines: theirs
 * against the closed form, or refused. */
static int twins_agree(const char *family, double mean, double sd, const char *sampler, const char *kind, size_t T,
                       size_t dimension)
{
    double weights[] = {0.4, 0.6}, means[] = {mean, mean}, sds[] = {sd, sd * (1.0 + 1e-15)};
    struct target twin, one;
    struct error error;
    OWNED_SCHEDULE *schedule;
    char where[200];
    enum status status;
    (void)snprintf(where, sizeof where, "%s N(%g, %g^2), d = %zu, %s, %s, T = %zu", family, mean, sd, dimension, kind,
                   sampler, T);
    ck_assert(sds[0] < sds[1]);
    target_init(&twin, target_family_find(family));
    set_mixture(&twin, 2, weights, means, sds);
    target_init(&one, target_family_find("gaussian"));
    *real_in(&one, "mean") = mean;
    *real_in(&one, "variance") = sd * sd;
    union params values;
    if (schedule_with(schedule_values(kind, &values), &values, T, &schedule, &error) != STATUS_OK)
        return 0;
    struct measurement closed = measure(&one, sampler, schedule, dimension, &status);
    ck_assert_msg(status == STATUS_OK, "%s: no closed form", where);
    struct measurement by_engine = measure(&twin, sampler, schedule, dimension, &status);
    ck_assert(status == STATUS_OK || status == STATUS_NUMERIC);
    if (status != STATUS_OK)
        return 0;
    ASSERT_OMITS(by_engine.method, "gaussian");
    is_sound(&by_engine, where);
    const struct divergence *a = &by_engine.divergence, *b = &closed.divergence;
    same(a->tv, b->tv, "TV", where);
    same(a->kl_p_q, b->kl_p_q, "KL(p|q)", where);
    same(a->kl_q_p, b->kl_q_p, "KL(q|p)", where);
    same(a->chi2_q_p, b->chi2_q_p, "chi2", where);
    same(a->hellinger2, b->hellinger2, "Hellinger", where);
    return 1;
}

static const char *const few_samplers[] = {"ddpm", "ddpm-outside", "ddpm-ancestral", "ddim"};

/* With little of the target left at the start, for the widest. */
static const char *const twin_schedules[] = {"li-cai",      "li-yan",      "li-cai", "li-yan",
                                             "exponential", "linear-beta", "cosine", "karras sigma_max 1000"};

TEST(test_twins, .grows = 1)
{
    struct random random = {77};
    size_t count = repetitions(30), agree = 0;
    for (size_t i = 0; i < count; i++) {
        double sd = log_uniform(&random, -3.5, 4.0),
               mean = random_uniform(&random) < 0.5 ? 0.0 : log_uniform(&random, -1.0, 2.5);
        agree += (size_t)twins_agree("mixture", mean, sd, few_samplers[choose(&random, 4)],
                                     twin_schedules[choose(&random, 8)], (size_t)log_uniform(&random, 1.5, 2.5),
                                     random_uniform(&random) < 0.5 ? 1 : (size_t)log_uniform(&random, 0.3, 4.0));
    }
    ck_assert_msg(3 * agree > count, "only %zu of %zu are measured", agree, count);
}

/* Every Gaussian of a grid, by the line engine against its closed form. Small runs take a part of the grid. */
TEST(test_gaussian_grid, .grows = 1)
{
    static const double means[] = {0.0, 0.1, 1.0, 10.0, 300.0};
    static const size_t steps[] = {48, 96, 192, 512};
    enum { VARIANCES = 16, ALL = VARIANCES * COUNT(means) * COUNT(steps) }; /* 1e-7 ... 1e8 */
    size_t count = repetitions(13) < ALL ? repetitions(13) : ALL, agree = 0;
    for (size_t i = 0; i < count; i++) {
        size_t at = count < ALL ? (i * ALL) / count : i;
        size_t variance = at % VARIANCES, mean = at / VARIANCES % COUNT(means), T = at / VARIANCES / COUNT(means);
        agree += (size_t)twins_agree("mixture", means[mean], sqrt(pow(10.0, (double)variance - 7.0)),
                                     few_samplers[at % COUNT(few_samplers)], "li-cai", steps[T], 1);
    }
    ck_assert_msg(2 * agree > count, "only %zu of %zu are measured", agree, count);
}

/* In many dimensions few large steps take q off p's shells. */
TEST(test_radial_twins, .grows = 1)
{
    static const struct {
        size_t T, dimension;
    } cases[] = {{32, 20}, {32, 300}, {64, 300}, {64, 1000}, {128, 1000}, {128, 3000}, {32, 1000000}};
    size_t count = taken(COUNT(cases)), agree = 0;
    for (size_t i = 0; i < count; i++)
        agree += (size_t)twins_agree("radial", 0.0, 0.5, "ddpm", "li-cai", cases[i].T, cases[i].dimension);
    ck_assert_msg(3 * agree >= count, "only %zu of %zu are measured", agree, count);
}

/* Numbers that were wrong, with the right ones: closed forms, and for the mixture of one width, that of its Gaussian.
 */
TEST(test_right_values)
{
    double weights[] = {0.5, 0.5}, means[] = {0.0, 0.0}, sds[] = {30000.0, 60000.0};
    struct target target;
    struct schedule *schedule;
    struct measurement m;
    enum status status;
    ASSERT_OK(schedule_new, schedule_kind_find("li-yan"), 2.0, 8.5, 128, &schedule);
    target_init(&target, target_family_find("gaussian"));
    *real_in(&target, "mean") = 1.0;
    *real_in(&target, "variance") = 1e-4;
    m = measure(&target, "ddim", schedule, 1, &status);
    ck_assert_int_eq(status, STATUS_OK);
    ck_assert_double_eq_tol(m.divergence.kl_q_p.value, 33.18, 0.005);
    schedule_free(schedule);
    ASSERT_OK(schedule_new, schedule_kind_find("li-yan"), 2.0, 8.5, 64, &schedule);
    m = measure(&target, "ddim", schedule, 1, &status);
    ck_assert_int_eq(status, STATUS_OK);
    ck_assert_double_eq_tol(m.divergence.kl_q_p.value, 2049.3, 0.05);
    schedule_free(schedule);

    ASSERT_OK(schedule_new, schedule_kind_find("li-cai"), 2.0, 8.5, 64, &schedule);
    *real_in(&target, "mean") = 0.0;
    *real_in(&target, "variance") = 0.25;
    m = measure(&target, "ddim", schedule, 1, &status); /* its variance is 2.748 times too large */
    ck_assert(status == STATUS_OK && isinf(m.divergence.chi2_q_p.value) && !(m.divergence.chi2_q_p.error > 0.0));
    m = measure(&target, "ddpm", schedule, 3000, &status);
    ck_assert_int_eq(status, STATUS_OK);
    ck_assert_double_eq_tol(m.divergence.kl_q_p.value, 76.86, 0.005);
    struct target mixture;
    target_init(&mixture, target_family_find("mixture"));
    set_mixture(&mixture, 2, weights, means, sds);
    sds[0] = 0.3;
    sds[1] = 0.5;
    m = measure(&mixture, "ddim", schedule, 1, &status); /* and so is that of the tails of a mixture */
    ck_assert(status == STATUS_OK && isinf(m.divergence.chi2_q_p.value) && !(m.divergence.chi2_q_p.error > 0.0));
    schedule_free(schedule);

    ASSERT_OK(schedule_new, schedule_kind_find("li-cai"), 2.0, 8.5, 32, &schedule);
    *real_in(&target, "variance") = 5e7;
    m = measure(&target, "ddpm", schedule, 1, &status);
    ck_assert_int_eq(status, STATUS_OK);
    ck_assert_double_eq_tol(m.divergence.tv.value, 0.98229, 1e-5);
    sds[0] = sds[1] = sqrt(5e7);
    m = measure(&mixture, "ddpm", schedule, 1, &status);
    ck_assert_int_eq(status, STATUS_OK);
    ck_assert_double_eq_tol(m.divergence.tv.value, 0.98229, 1e-5);
    sds[0] = 30000.0;
    sds[1] = 60000.0;
    m = measure(&mixture, "ddpm", schedule, 1, &status);
    ck_assert(status == STATUS_NUMERIC || (status == STATUS_OK && high(m.divergence.tv) <= 1.0));
    schedule_free(schedule);
}

/* Laws of every engine of several coordinates or components, none of them extreme. */
static const struct {
    const char *family, *sampler;
    size_t T, dimensions[2];
    size_t least; /* of their 10 divergences (5 in one dimension) so many are known */
} ordinary[] = {
    {"mixture", "ddpm", 64, {1, 16}, 10},
    {"mixture", "ddpm", 256, {1, 16}, 10},
    {"mixture", "ddpm-ancestral", 128, {1, 16}, 10},
    {"mixture", "accelerated", 64, {1, 16}, 10},
    {"mixture", "accelerated", 256, {1, 16}, 10},
    {"mixture", "ddim", 256, {1, 16}, 8},
    {"mixture", "runge-kutta-3", 128, {1, 16}, 10},
    {"radial", "ddpm", 64, {2, 30}, 10},
    {"radial", "ddpm", 256, {2, 30}, 10},
    {"radial", "accelerated", 128, {2, 30}, 10},
    {"mixture-plane", "ddpm", 48, {2, 2}, 3},
};

static size_t count_known(const struct divergence *d)
{
    const struct measured all[] = {d->tv, d->kl_p_q, d->kl_q_p, d->chi2_q_p, d->hellinger2};
    size_t known = 0;
    for (size_t i = 0; i < COUNT(all); i++)
        known += isnan(all[i].value) ? 0 : 1;
    return known;
}

/* Tests of values pass over what is not known; what was known once stays so. */
TEST(test_what_is_known, .count = COUNT(ordinary))
{
    double weights[] = {0.3, 0.7}, means[] = {-1.0, 1.0}, points[] = {-1.0, 0.0, 1.0, 0.5}, sds[] = {0.3, 0.4};
    struct target target;
    OWNED_SCHEDULE *schedule;
    struct measurement m[2];
    target_init(&target, target_family_find(ordinary[_i].family));
    int plane = strcmp(ordinary[_i].family, "mixture-plane") == 0, line = strcmp(ordinary[_i].family, "mixture") == 0;
    set_mixture(&target, 2, weights, plane ? points : line ? means : NULL, sds);
    ASSERT_OK(schedule_new, schedule_kind_find("li-cai"), 2.0, 8.5, ordinary[_i].T, &schedule);
    size_t count = ordinary[_i].dimensions[1] > ordinary[_i].dimensions[0] ? 2 : 1, known = 0;
    ASSERT_OK(measure_target,
              &(struct measure_problem){&target, sampler_find(ordinary[_i].sampler), NULL, schedule, 1},
              ordinary[_i].dimensions, count, m);
    for (size_t i = 0; i < count; i++)
        known += count_known(&m[i].divergence);
    ck_assert_msg(known >= ordinary[_i].least, "%s, %s, T = %zu: %zu of %zu divergences are known, expected %zu",
                  ordinary[_i].family, ordinary[_i].sampler, ordinary[_i].T, known, 5 * count, ordinary[_i].least);
}
