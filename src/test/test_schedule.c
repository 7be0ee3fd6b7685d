/* Schedules against long double recursions. 1 - alpha_bar is carried as a product of exact ratios, as it reaches
 * 1e-50; where it is moderate, theory (2) and (3) are also applied as they stand. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/sampler.h"
#include "model/schedule.h"

#include "test/suite.h"

struct constants {
    const char *kind;
    double c0, c1;
    size_t T;
};

static const struct constants tables[] = {
    {"li-cai", 1.0, 2.0, 16},    {"li-cai", 1.0, 3.0, 64},      {"li-cai", 2.0, 8.5, 29},
    {"li-cai", 2.0, 8.5, 256},   {"li-cai", 2.0, 8.5, 4096},    {"li-cai", 2.0, 12.0, 65536},
    {"li-cai", 10.0, 8.5, 1024}, {"li-cai", 10.0, 20.0, 16384}, {"li-cai", 0.3, 4.0, 100},
    {"li-cai", 1.0, 0.5, 2},     {"li-yan", 1.0, 3.0, 64},      {"li-yan", 2.0, 8.0, 512},
    {"li-yan", 2.0, 8.0, 65536}, {"li-yan", 10.0, 20.0, 4096},  {"li-yan", 5.0, 6.0, 1000},
    {"li-yan", 1.0, 0.5, 3},
};
enum { TABLES = sizeof tables / sizeof tables[0] };

static struct schedule *make(const struct constants *c)
{
    struct schedule *schedule;
    const struct schedule_kind *kind = schedule_kind_find(c->kind);
    ck_assert_ptr_nonnull(kind);
    ASSERT_OK(schedule_new, kind, c->c0, c->c1, c->T, &schedule);
    return schedule;
}

static void close_to(double value, long double exact, long double relative, const char *what, size_t t)
{
    if (!(fabsl(value - exact) <= relative * fabsl(exact))) /* ck_assert writes to a pipe, each time */
        ck_abort_msg("%s at t = %zu: %.17g, not %.20Lg (relative %.3Lg)", what, t, value, exact,
                     fabsl(value / exact - 1.0L));
}

/* alpha_bar, noise and beta for t = 1..T from the definitions, in long double. */
static long double *exact_levels(const struct constants *c, double h)
{
    size_t T = c->T;
    long double *a = calloc(3 * (T + 1), sizeof *a), *o = a + T + 1, *beta = o + T + 1;
    ck_assert_ptr_nonnull(a);
    if (strcmp(c->kind, "li-cai") == 0) {
        a[T] = powl((long double)T, -(long double)c->c0);
        o[T] = 1.0L - a[T];
        for (size_t t = T; t >= 2; t--) {
            a[t - 1] = a[t] + h * a[t] * o[t];
            o[t - 1] = o[t] * (1.0L - h * a[t]);
            beta[t] = 1.0L - a[t] / a[t - 1];
            if (beta[t] < 1e-3L)
                beta[t] = h * o[t] / (1.0L + h * o[t]);
        }
        beta[1] = o[1];
    } else {
        a[1] = 1.0L;
        long double beta_1 = powl((long double)T, -(long double)c->c0), grown = beta_1;
        for (size_t t = 1; t <= T; t++) {
            beta[t] = t == 1 ? beta_1 : h * fminl(grown, 1.0L);
            long double before = t == 1 ? 1.0L : a[t - 1];
            a[t] = before * (1.0L - beta[t]);
            o[t] = (t == 1 ? 0.0L : o[t - 1]) + before * beta[t];
            grown *= 1.0L + h;
        }
    }
    return a;
}

START_TEST(test_levels)
{
    const struct constants *c = &tables[_i];
    struct schedule *schedule = make(c);
    double h = schedule->h;
    close_to(h, c->c1 * logl((long double)c->T) / (long double)c->T, 1e-15L, "h", 0);
    long double *a = exact_levels(c, h), *o = a + c->T + 1, *beta = o + c->T + 1;
    for (size_t t = 1; t <= c->T; t++) {
        struct level level = schedule_level(schedule, t);
        close_to(level.alpha_bar, a[t], 1e-13L, "alpha_bar", t);
        close_to(level.noise, o[t], 1e-13L, "noise", t);
        close_to(schedule->beta[t], beta[t], 1e-13L, "beta", t);
        /* logarithms keep their digits also where the number is next to 1 */
        close_to(schedule->log_alpha_bar[t], a[t] > 0.5L ? log1pl(-o[t]) : logl(a[t]), 1e-13L, "log alpha_bar", t);
        close_to(schedule->log_noise[t], o[t] > 0.5L ? log1pl(-a[t]) : logl(o[t]), 1e-13L, "log noise", t);
    }
    free(a);
    schedule_free(schedule);
}
END_TEST

/* The recursions exactly as printed, with subtractions, where long double can afford them. */
START_TEST(test_textbook)
{
    const struct constants c = {"li-cai", 1.0, 3.0, 64}, y = {"li-yan", 1.0, 3.0, 64};
    struct schedule *cai = make(&c), *yan = make(&y);
    long double h = 3.0L * logl(64.0L) / 64.0L, a = 1.0L / 64.0L, product = 1.0L;
    for (size_t t = 64; t >= 1; t--) {
        close_to(schedule_level(cai, t).alpha_bar, a, 1e-13L, "alpha_bar", t);
        close_to(schedule_level(cai, t).noise, 1.0L - a, 1e-13L, "noise", t);
        a += h * a * (1.0L - a);
    }
    for (size_t t = 1; t <= 64; t++) {
        long double beta =
            t == 1 ? 1.0L / 64.0L : h * fminl(1.0L / 64.0L * powl(1.0L + h, (long double)(t - 1)), 1.0L);
        product *= 1.0L - beta;
        close_to(yan->beta[t], beta, 1e-13L, "beta", t);
        close_to(schedule_level(yan, t).alpha_bar, product, 1e-13L, "alpha_bar", t);
        close_to(schedule_level(yan, t).noise, 1.0L - product, 1e-13L, "noise", t);
    }
    schedule_free(cai);
    schedule_free(yan);
}
END_TEST

/* theory (4), and the exact relations between alpha_t and the levels that every schedule has. */
START_TEST(test_identities)
{
    const struct constants *c = &tables[_i];
    struct schedule *schedule = make(c);
    long double h = schedule->h;
    for (size_t t = c->T; t >= 2; t--) {
        struct step step = sampler_step(NULL, schedule, t);
        long double a = step.from.alpha_bar, o = step.from.noise, a1 = step.to.alpha_bar, o1 = step.to.noise;
        if (!(step.t == t && a > 0.0L && a <= a1 && a1 <= 1.0L && o1 > 0.0L && o1 < o * (1.0L + 1e-15L) && o <= 1.0L))
            ck_abort_msg("the levels are not in order at t = %zu", t);
        close_to((double)(a + o), 1.0L, 3e-15L, "alpha_bar + noise", t);
        close_to((double)(a1 * (1.0L - step.beta)), a, 2e-13L, "alpha alpha_bar_{t-1}", t);
        close_to((double)((1.0L - step.beta) * o1), o * (1.0L - step.omega), 2e-13L, "alpha noise_{t-1}", t);
        close_to(step.omega, step.beta / o, 1e-15L, "omega", t);
        close_to(step.alpha, 1.0L - step.beta, 1e-15L, "alpha", t);
        close_to(step.beta_before, schedule->beta[t < c->T ? t + 1 : t], 0.0L, "beta of the step before", t);
        close_to(step.beta_after, schedule->beta[t > 2 ? t - 1 : t], 0.0L, "beta of the step after", t);
        close_to(step.log_alpha, log1pl(-(long double)step.beta), 1e-15L, "log alpha", t);
        if (strcmp(c->kind, "li-cai") == 0) {
            close_to((double)(a1 / a), 1.0L + h * o, 2e-14L, "alpha_bar ratio", t);
            close_to((double)(o1 / o), 1.0L - h * a, 2e-14L, "noise ratio", t);
            close_to(step.beta, h * o / (1.0L + h * o), 1e-14L, "beta", t);
        }
    }
    schedule_free(schedule);
}
END_TEST

START_TEST(test_extremes)
{
    static const struct {
        struct constants constants;
        double low, high; /* of 1 - alpha_bar_1 */
    } cases[] = {
        {{"li-cai", 2.0, 8.5, 4096}, 1e-25, 1e-23},       /* T^-6.5 is 3.3e-24 */
        {{"li-cai", 2.0, 12.0, 65536}, 1e-50, 1e-47},     /* T^-10 is 6.8e-49 */
        {{"li-yan", 10.0, 20.0, 4096}, 7.5e-37, 7.6e-37}, /* T^-10 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct schedule *schedule = make(&cases[i].constants);
        double noise = schedule_level(schedule, 1).noise;
        ck_assert_msg(noise > cases[i].low && noise < cases[i].high, "case %zu: 1 - alpha_bar_1 = %g", i, noise);
        schedule_free(schedule);
    }
    struct constants pure = {"li-cai", 10.0, 8.5, 1024};
    struct schedule *schedule = make(&pure);
    close_to(schedule_level(schedule, 1024).alpha_bar, 0x1p-100L, 1e-13L, "alpha_bar", 1024);
    close_to(schedule->log_noise[1024], -0x1p-100L, 1e-13L, "log noise", 1024);
    schedule_free(schedule);
}
END_TEST

static int exists(const struct schedule_kind *kind, double c0, double c1, size_t T)
{
    struct schedule *schedule;
    enum status status = schedule_new(kind, c0, c1, T, &schedule, NULL);
    ck_assert(status == STATUS_OK || status == STATUS_INADMISSIBLE);
    ck_assert((schedule != NULL) == (status == STATUS_OK));
    schedule_free(schedule);
    return status == STATUS_OK;
}

/* From c1 = 28 on, the last steps at h just below 1 leave (0, 1) by underflow, and a larger T mends that; at c1 = 200
 * none does for li-cai. */
static const double c1s[] = {0.5, 2.0, 2.8, 2.9, 3.0, 8.5, 12.0, 30.0, 200.0};
enum { C1S = sizeof c1s / sizeof c1s[0] };

static size_t smallest_admissible(const struct schedule_kind *kind, double c0, double c1, size_t T)
{
    const struct schedule_constants constants = {c0, c1};
    union params values = {.bytes = {0}};
    memcpy(&values, &constants, sizeof constants);
    return schedule_smallest_admissible(kind, &values, T);
}

START_TEST(test_smallest_admissible)
{
    static const size_t Ts[] = {0, 1, 2, 3, 10, 28, 40, 100};
    static const char sentence[] = "the smallest admissible T is ";
    size_t refused = 0;
    double c1 = c1s[_i];
    for (size_t k = 0; schedule_kind_at(k) != NULL; k++)
        for (size_t j = 0; j < sizeof Ts / sizeof Ts[0]; j++) {
            const struct schedule_kind *kind = schedule_kind_at(k);
            struct schedule *schedule;
            struct error error;
            size_t smallest = smallest_admissible(kind, 2.0, c1, Ts[j]);
            if (schedule_new(kind, 2.0, c1, Ts[j], &schedule, &error) == STATUS_OK) {
                ck_assert(schedule->h < 1.0);
                ck_assert_uint_eq(smallest, Ts[j]);
                schedule_free(schedule);
                continue;
            }
            refused++;
            ck_assert_int_eq(error.status, STATUS_INADMISSIBLE);
            const char *at = strstr(error.text, sentence);
            if (smallest == 0) { /* T^(c0 - c1) underflows wherever h < 1 */
                ck_assert_msg(c1 > 100.0 && at == NULL && strstr(error.text, "no larger T mends it") != NULL, "%s",
                              error.text);
                for (size_t T = 1500; T < 100000; T += T / 3)
                    ck_assert(!exists(kind, 2.0, c1, T));
                continue;
            }
            ck_assert_msg(at != NULL, "%s", error.text);
            size_t named = strtoul(at + sizeof sentence - 1, NULL, 10);
            ck_assert_uint_eq(named, smallest);
            ck_assert_uint_gt(named, Ts[j]);
            ck_assert_msg(exists(kind, 2.0, c1, named), "%s", error.text);
            for (size_t T = Ts[j]; T < named && T + 50 > Ts[j]; T++)
                ck_assert_msg(!exists(kind, 2.0, c1, T), "T = %zu exists, but: %s", T, error.text);
            ck_assert(!exists(kind, 2.0, c1, named - 1));
        }
    ck_assert_uint_ge(refused, 4);
}
END_TEST

START_TEST(test_refusals)
{
    static const double bad[][2] = {{0.0, 1.0}, {1.0, 0.0}, {-1.0, 1.0}, {NAN, 1.0}, {1.0, INFINITY}};
    for (size_t k = 0; schedule_kind_at(k) != NULL; k++) {
        const struct schedule_kind *kind = schedule_kind_at(k);
        struct schedule *schedule;
        struct error error;
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            ck_assert_int_eq(schedule_new(kind, bad[i][0], bad[i][1], 1000, &schedule, &error), STATUS_INVALID);
            ck_assert_ptr_null(schedule);
        }
        /* T^-c0 underflows: no T mends that, and the message must not name one */
        ck_assert_int_eq(schedule_new(kind, 400.0, 8.5, 64, &schedule, &error), STATUS_INADMISSIBLE);
        ck_assert_ptr_nonnull(strstr(error.text, "no larger T mends it"));
        ck_assert_uint_eq(smallest_admissible(kind, 400.0, 8.5, 64), 0);
        ck_assert_ptr_eq(schedule_kind_find(kind->name), kind);
        ck_assert(kind->doc[0] != '\0' && kind->formula[0] != '\0' && kind->source[0] != '\0');
    }
    ck_assert_ptr_null(schedule_kind_find("li-unknown"));
}
END_TEST

SUITE(schedule)
{
    ADD(test_levels, .count = TABLES);
    ADD(test_textbook);
    ADD(test_identities, .count = TABLES);
    ADD(test_extremes);
    ADD(test_smallest_admissible, .count = C1S);
    ADD(test_refusals);
}
