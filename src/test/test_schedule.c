/* Schedules against long double recursions. 1 - alpha_bar is carried as a product of exact ratios, as it reaches
 * 1e-50; where it is moderate, theory (2) and (3) are also applied as they stand. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/sampler.h"
#include "model/schedule.h"

#include "test/laws.h"
#include "test/suite.h"

TEST_SUITE(schedule);

static const struct world {
    const char *kind; /* and its params, as make_schedule_from reads them */
    size_t T;
} tables[] = {
    {"li-cai c0 1 c1 2", 16},
    {"li-cai c0 1 c1 3", 64},
    {"li-cai", 29},
    {"li-cai", 256},
    {"li-cai", 4096},
    {"li-cai c1 12", 65536},
    {"li-cai c0 10", 1024},
    {"li-cai c0 10 c1 20", 16384},
    {"li-cai c0 0.3 c1 4", 100},
    {"li-cai c0 1 c1 0.5", 2},
    {"li-yan c0 1 c1 3", 64},
    {"li-yan c1 8", 512},
    {"li-yan c1 8", 65536},
    {"li-yan c0 10 c1 20", 4096},
    {"li-yan c0 5 c1 6", 1000},
    {"li-yan c0 1 c1 0.5", 3},
    {"exponential", 2},
    {"exponential", 40},
    {"exponential start 1e-20 delta 1e-24", 4096},
    {"exponential start 0.3 delta 0.6", 10000},
    {"linear-beta", 21},
    {"linear-beta", 1000},
    {"linear-beta beta_min 30 beta_max 0.001", 65536},
    {"cosine", 2},
    {"cosine", 50},
    {"cosine", 4096},
    {"cosine offset 0 largest_beta 0.2", 64},
    {"karras", 18},
    {"karras rho 1", 64},
    {"karras rho 1000 sigma_min 1e-12 sigma_max 1e9", 4096},
    {"karras rho 0.5 sigma_min 0.5 sigma_max 0.6", 100},
    {"table", 12},
    {"table", 5},
    {"table", 2},
    {"table", 1000},
    {"table quantity sigma", 12},
    {"table quantity sigma", 4097},
};

static double param_of(const struct schedule *schedule, const char *key)
{
    const struct param *param = params_find(schedule->kind->params, key);
    ck_assert_msg(param != NULL, "%s", key);
    return *(const double *)(const void *)(schedule->values.bytes + param->offset);
}

static int is_kind(const struct schedule *schedule, const char *name)
{
    return strcmp(schedule->kind->name, name) == 0;
}

static void close_to(double value, long double exact, long double relative, const char *what, size_t t)
{
    if (!(fabsl(value - exact) <= relative * fabsl(exact))) /* ck_assert writes to a pipe, each time */
        ck_abort_msg("%s at t = %zu: %.17g, not %.20Lg (relative %.3Lg)", what, t, value, exact,
                     fabsl(value / exact - 1.0L));
}

/* alpha_bar, noise and beta for t = 1..T. */
struct exact {
    long double *a, *o, *beta, *sigma;
};

static void exact_li_cai(const struct schedule *s, struct exact *e)
{
    long double h = s->h;
    e->a[s->T] = powl((long double)s->T, -(long double)param_of(s, "c0"));
    e->o[s->T] = 1.0L - e->a[s->T];
    for (size_t t = s->T; t >= 2; t--) {
        e->a[t - 1] = e->a[t] + h * e->a[t] * e->o[t];
        e->o[t - 1] = e->o[t] * (1.0L - h * e->a[t]);
        e->beta[t] = 1.0L - e->a[t] / e->a[t - 1];
        if (e->beta[t] < 1e-3L)
            e->beta[t] = h * e->o[t] / (1.0L + h * e->o[t]);
    }
    e->beta[1] = e->o[1];
}

/* From the betas. */
static void multiply(const struct schedule *s, struct exact *e)
{
    for (size_t t = 1; t <= s->T; t++) {
        long double before = t == 1 ? 1.0L : e->a[t - 1];
        e->a[t] = before * (1.0L - e->beta[t]);
        e->o[t] = (t == 1 ? 0.0L : e->o[t - 1]) + before * e->beta[t];
    }
}

static void exact_li_yan(const struct schedule *s, struct exact *e)
{
    long double beta_1 = powl((long double)s->T, -(long double)param_of(s, "c0")), grown = beta_1;
    for (size_t t = 1; t <= s->T; t++, grown *= 1.0L + s->h)
        e->beta[t] = t == 1 ? beta_1 : s->h * fminl(grown, 1.0L);
    multiply(s, e);
}

static void exact_linear_beta(const struct schedule *s, struct exact *e)
{
    long double first = param_of(s, "beta_min"), last = param_of(s, "beta_max"), T = s->T;
    for (size_t t = 1; t <= s->T; t++)
        e->beta[t] = first / T + (t - 1) / (T - 1.0L) * (last / T - first / T);
    multiply(s, e);
}

static void exact_cosine(const struct schedule *s, struct exact *e)
{
    long double offset = param_of(s, "offset"), T = s->T;
    for (size_t t = 1; t <= s->T; t++) {
        long double now = cosl((t / T + offset) / (1.0L + offset) * acosl(0.0L));
        long double before = cosl(((t - 1) / T + offset) / (1.0L + offset) * acosl(0.0L));
        e->beta[t] = fminl(1.0L - now * now / (before * before), param_of(s, "largest_beta"));
    }
    multiply(s, e);
}

static void from_sigmas(const struct schedule *s, struct exact *e)
{
    for (size_t t = 1; t <= s->T; t++) {
        long double now = e->sigma[t], before = t > 1 ? e->sigma[t - 1] : 0.0L;
        e->a[t] = 1.0L / (1.0L + now * now);
        e->o[t] = now * now / (1.0L + now * now);
        e->beta[t] = (now - before) * (now + before) / (1.0L + now * now);
    }
}

static void exact_exponential(const struct schedule *s, struct exact *e)
{
    long double start = param_of(s, "start"), delta = param_of(s, "delta");
    long double first = sqrtl(delta / (1.0L - delta)), last = sqrtl((1.0L - start) / start);
    for (size_t t = 1; t <= s->T; t++)
        e->sigma[t] = first * powl(last / first, (t - 1) / (s->T - 1.0L));
    from_sigmas(s, e);
}

static void exact_karras(const struct schedule *s, struct exact *e)
{
    long double rho = param_of(s, "rho");
    long double first = powl(param_of(s, "sigma_min"), 1.0L / rho), last = powl(param_of(s, "sigma_max"), 1.0L / rho);
    for (size_t t = 1; t <= s->T; t++)
        e->sigma[t] = powl(last + (s->T - t) / (s->T - 1.0L) * (first - last), rho);
    from_sigmas(s, e);
}

static void exact_table(const struct schedule *s, struct exact *e)
{
    const struct param *quantity = params_find(s->kind->params, "quantity");
    int sigmas = *(const size_t *)(const void *)(s->values.bytes + quantity->offset) == 1;
    long double log_sigma[TABLE_SIZE];
    for (size_t i = 0; i < TABLE_SIZE; i++) {
        long double a = table_alpha_bars[TABLE_SIZE - 1 - i];
        log_sigma[i] = sigmas ? logl(table_sigmas[i]) : 0.5L * logl((1.0L - a) / a);
    }
    for (size_t t = 1; t <= s->T; t++) {
        long double at = (t - 1) * (TABLE_SIZE - 1.0L) / (s->T - 1.0L);
        size_t i = t < s->T ? (size_t)at : TABLE_SIZE - 2;
        e->sigma[t] = expl(log_sigma[i] + (at - i) * (log_sigma[i + 1] - log_sigma[i]));
    }
    from_sigmas(s, e);
}

static const struct {
    const char *kind;
    void (*levels)(const struct schedule *schedule, struct exact *out);
} definitions[] = {{"li-cai", exact_li_cai},
                   {"li-yan", exact_li_yan},
                   {"exponential", exact_exponential},
                   {"linear-beta", exact_linear_beta},
                   {"cosine", exact_cosine},
                   {"karras", exact_karras},
                   {"table", exact_table}};

TEST(test_levels, .count = COUNT(tables))
{
    size_t T = tables[_i].T, k = 0;
    OWNED_SCHEDULE *schedule = make_schedule_from(tables[_i].kind, T);
    long double *room = calloc(4 * (T + 1), sizeof *room);
    ck_assert_ptr_nonnull(room);
    struct exact exact = {room, room + T + 1, room + 2 * (T + 1), room + 3 * (T + 1)};
    while (!is_kind(schedule, definitions[k].kind))
        k++;
    definitions[k].levels(schedule, &exact);
    for (size_t t = 1; t <= T; t++) {
        struct level level = schedule_level(schedule, t);
        long double a = exact.a[t], o = exact.o[t];
        close_to(level.alpha_bar, a, 1e-13L, "alpha_bar", t);
        close_to(level.noise, o, 1e-13L, "noise", t);
        close_to(schedule->beta[t], exact.beta[t], 1e-13L, "beta", t);
        /* logarithms keep their digits also where the number is next to 1 */
        close_to(schedule->log_alpha_bar[t], a > 0.5L ? log1pl(-o) : logl(a), 1e-13L, "log alpha_bar", t);
        close_to(schedule->log_noise[t], o > 0.5L ? log1pl(-a) : logl(o), 1e-13L, "log noise", t);
    }
    free(room);
}

/* h is c1 log(T)/T, the step in the log-SNR or its mean, the largest beta, the step of the cosine's angle. */
TEST(test_step_sizes)
{
    static const struct {
        const char *kind;
        size_t T;
        double h;
    } cases[] = {
        {"li-cai c1 8.5", 256, 0.18411721983623547},
        {"li-yan c1 8.5", 256, 0.18411721983623547},
        {"exponential start 0.5 delta 0.01", 48, 0.09776850744967212},
        {"linear-beta", 1000, 0.02},
        {"cosine offset 0", 100, 0.015707963267948967},
        {"karras", 18, 1.2466629097760085},
        {"table quantity sigma", 12, 1.674607340359306},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        OWNED_SCHEDULE *schedule = make_schedule_from(cases[i].kind, cases[i].T);
        close_to(schedule->h, cases[i].h, 1e-14L, cases[i].kind, 0);
        union params values = schedule->values;
        for (size_t T = 2; T < 5000; T += 1 + T / 7) /* what the search for the smallest T rests on */
            ck_assert_double_ge((double)T * schedule->kind->step_size(&values, T + 1) * (1.0 + 1e-15),
                                (double)(T - 1) * schedule->kind->step_size(&values, T));
    }
}

/* The recursions exactly as printed, with subtractions, where long double can afford them. */
TEST(test_textbook)
{
    OWNED_SCHEDULE *cai = make_schedule("li-cai", 1.0, 3.0, 64), *yan = make_schedule("li-yan", 1.0, 3.0, 64);
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
}

/* theory (4), and the exact relations between alpha_t and the levels that every schedule has. */
TEST(test_identities, .count = COUNT(tables))
{
    const size_t T = tables[_i].T;
    OWNED_SCHEDULE *schedule = make_schedule_from(tables[_i].kind, T);
    long double h = schedule->h;
    for (size_t t = T; t >= 2; t--) {
        struct step step = sampler_step(NULL, schedule, t);
        long double a = step.from.alpha_bar, o = step.from.noise, a1 = step.to.alpha_bar, o1 = step.to.noise;
        if (!(step.t == t && a > 0.0L && a <= a1 && a1 <= 1.0L && o1 > 0.0L && o1 < o * (1.0L + 1e-15L) && o <= 1.0L))
            ck_abort_msg("the levels are not in order at t = %zu", t);
        close_to((double)(a + o), 1.0L, 3e-15L, "alpha_bar + noise", t);
        /* to the digits that 1 - beta and 1 - omega have */
        close_to((double)(a1 * (1.0L - step.beta)), a, 2e-13L + 2e-16L / step.alpha, "alpha alpha_bar_{t-1}", t);
        close_to((double)((1.0L - step.beta) * o1), o * (1.0L - step.omega),
                 2e-13L + 2e-16L / step.alpha + 4e-16L / (1.0L - step.omega), "alpha noise_{t-1}", t);
        close_to(step.omega, step.beta / o, 1e-15L, "omega", t);
        close_to(step.alpha, 1.0L - step.beta, 1e-15L, "alpha", t);
        close_to(step.beta_before, schedule->beta[t < T ? t + 1 : t], 0.0L, "beta of the step before", t);
        close_to(step.beta_after, schedule->beta[t > 2 ? t - 1 : t], 0.0L, "beta of the step after", t);
        close_to(step.log_alpha, log1pl(-(long double)step.beta), 1e-15L, "log alpha", t);
        if (is_kind(schedule, "li-cai")) {
            close_to((double)(a1 / a), 1.0L + h * o, 2e-14L, "alpha_bar ratio", t);
            close_to((double)(o1 / o), 1.0L - h * a, 2e-14L, "noise ratio", t);
            close_to(step.beta, h * o / (1.0L + h * o), 1e-14L, "beta", t);
        }
    }
}

TEST(test_extremes)
{
    static const struct {
        const char *kind;
        size_t T;
        double low, high; /* of 1 - alpha_bar_1 */
    } cases[] = {
        {"li-cai", 4096, 1e-25, 1e-23},                 /* T^-6.5 is 3.3e-24 */
        {"li-cai c1 12", 65536, 1e-50, 1e-47},          /* T^-10 is 6.8e-49 */
        {"li-yan c0 10 c1 20", 4096, 7.5e-37, 7.6e-37}, /* T^-10 */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        OWNED_SCHEDULE *schedule = make_schedule_from(cases[i].kind, cases[i].T);
        double noise = schedule_level(schedule, 1).noise;
        ck_assert_msg(noise > cases[i].low && noise < cases[i].high, "case %zu: 1 - alpha_bar_1 = %g", i, noise);
    }
    OWNED_SCHEDULE *schedule = make_schedule("li-cai", 10.0, 8.5, 1024);
    close_to(schedule_level(schedule, 1024).alpha_bar, 0x1p-100L, 1e-13L, "alpha_bar", 1024);
    close_to(schedule->log_noise[1024], -0x1p-100L, 1e-13L, "log noise", 1024);
}

static int exists(const struct schedule_kind *kind, double c0, double c1, size_t T)
{
    OWNED_SCHEDULE *schedule;
    enum status status = schedule_new(kind, c0, c1, T, &schedule, NULL);
    ck_assert(status == STATUS_OK || status == STATUS_INADMISSIBLE);
    ck_assert((schedule != NULL) == (status == STATUS_OK));
    return status == STATUS_OK;
}

/* From c1 = 28 on, the last steps at h just below 1 leave (0, 1) by underflow, and a larger T mends that; at c1 = 200
 * none does for li-cai. */
static const double c1s[] = {0.5, 2.0, 2.8, 2.9, 3.0, 8.5, 12.0, 30.0, 200.0};

static size_t smallest_admissible(const struct schedule_kind *kind, double c0, double c1, size_t T)
{
    const struct schedule_constants constants = {c0, c1};
    union params values = {.bytes = {0}};
    memcpy(&values, &constants, sizeof constants);
    return schedule_smallest_admissible(kind, &values, T);
}

TEST(test_smallest_admissible, .count = COUNT(c1s))
{
    static const size_t Ts[] = {0, 1, 2, 3, 10, 28, 40, 100};
    static const char sentence[] = "the smallest admissible T is ";
    size_t refused = 0;
    double c1 = c1s[_i];
    for (size_t k = 0; schedule_kind_at(k)->params == schedule_constants_params; k++)
        for (size_t j = 0; j < COUNT(Ts); j++) {
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
                for (size_t T = 1500; T < 100000 && j == 0; T += T / 3) /* whatever Ts[j] is */
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

TEST(test_refusals)
{
    static const double bad[][2] = {{0.0, 1.0}, {1.0, 0.0}, {-1.0, 1.0}, {NAN, 1.0}, {1.0, INFINITY}};
    for (size_t k = 0; schedule_kind_at(k)->params == schedule_constants_params; k++) {
        const struct schedule_kind *kind = schedule_kind_at(k);
        struct schedule *schedule;
        struct error error;
        for (size_t i = 0; i < COUNT(bad); i++) {
            ck_assert_int_eq(schedule_new(kind, bad[i][0], bad[i][1], 1000, &schedule, &error), STATUS_INVALID);
            ck_assert_ptr_null(schedule);
        }
        /* T^-c0 underflows: no T mends that, and the message must not name one */
        ASSERT_FAILS(STATUS_INADMISSIBLE, "no larger T mends it", schedule_new, kind, 400.0, 8.5, 64, &schedule);
        ck_assert_uint_eq(smallest_admissible(kind, 400.0, 8.5, 64), 0);
    }
    for (size_t k = 0; schedule_kind_at(k) != NULL; k++) {
        const struct schedule_kind *kind = schedule_kind_at(k);
        ck_assert_ptr_eq(schedule_kind_find(kind->name), kind);
        ck_assert(kind->doc[0] != '\0' && kind->formula[0] != '\0' && kind->source[0] != '\0');
    }
    ck_assert_ptr_null(schedule_kind_find("li-unknown"));
}

/* What does not exist, and why. */
TEST(test_refused_params)
{
    static const struct {
        const char *kind;
        size_t T;
        enum status status;
        const char *text;
    } cases[] = {
        {"linear-beta", 20, STATUS_INADMISSIBLE,
         "(h = 1; it needs h < 1 and T >= 2): the smallest admissible T is 21"},
        {"linear-beta beta_min 30.5", 3, STATUS_INADMISSIBLE, "the smallest admissible T is 31"},
        {"exponential", 1, STATUS_INADMISSIBLE, "it needs T >= 2): the smallest admissible T is 2"},
        {"cosine", 0, STATUS_INADMISSIBLE, "the smallest admissible T is 2"},
        {"karras", 1, STATUS_INADMISSIBLE, "the smallest admissible T is 2"},
        {"table", 1, STATUS_INADMISSIBLE, "the smallest admissible T is 2"},
        {"karras rho 1e-3", 64, STATUS_INADMISSIBLE, "no larger T mends it"},
        {"exponential start 0.5 delta 0.5", 64, STATUS_INVALID, "start + delta must be below 1"},
        {"karras sigma_min 3 sigma_max 3", 64, STATUS_INVALID, "sigma_min = 3 must be below sigma_max = 3"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        union params values;
        struct schedule *schedule;
        struct error error;
        const struct schedule_kind *kind = schedule_values(cases[i].kind, &values);
        ck_assert_int_eq(schedule_with(kind, &values, cases[i].T, &schedule, &error), cases[i].status);
        ck_assert_ptr_null(schedule);
        ck_assert_msg(strstr(error.text, cases[i].text) != NULL, "%s: %s", cases[i].kind, error.text);
    }
}

/* What a plug-in's schedule may do: 1 - alpha_bar by a subtraction that leaves it no digits, and steps that are not
 * those between its levels. */
static int fill_by_subtraction(const void *params, size_t T, double *log_alpha_bar, double *log_noise, double *beta)
{
    const double floor = *(const double *)params;
    for (size_t t = 1; t <= T; t++) {
        double a = 1.0 - floor * exp2((double)t), before = t > 1 ? 1.0 - floor * exp2((double)(t - 1)) : 1.0;
        log_alpha_bar[t] = log(a);
        log_noise[t] = log(1.0 - a);
        beta[t] = floor == 1e-3 && t == 5 ? 0.9
                  : floor < 1e-3          ? floor * exp2((double)(t > 1 ? t - 1 : t))
                                          : 1.0 - a / before;
    }
    return 1;
}

static double one_in_T(const void *params, size_t T)
{
    (void)params;
    return 1.0 / (double)T;
}

TEST(test_levels_that_do_not_belong_together)
{
    static const struct schedule_kind kind = {
        .name = "mine", .fill = fill_by_subtraction, .step_size = one_in_T, .params_size = sizeof(double)};
    static const struct {
        double floor;
        enum status status;
        const char *text;
    } cases[] = {
        {1.1e-3, STATUS_OK, ""},
        {1e-3, STATUS_INVALID, "schedule mine: at t = 5 of T = 8 its levels and steps do not belong together"},
        {1e-12, STATUS_INVALID, "schedule mine: at t = 1 of T = 8"},
        {0.3, STATUS_INADMISSIBLE, "a noise level leaves (0, 1)"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        union params values;
        OWNED_SCHEDULE *schedule;
        struct error error = {STATUS_OK, ""};
        memcpy(values.bytes, &cases[i].floor, sizeof cases[i].floor);
        ck_assert_int_eq(schedule_with(&kind, &values, 8, &schedule, &error), cases[i].status);
        ck_assert_msg(strstr(error.text, cases[i].text) != NULL, "%s", error.text);
    }
}

TEST(test_refused_tables)
{
    static const struct {
        size_t quantity, count;
        double value[4];
        const char *text;
    } cases[] = {
        {0, 0, {0.0}, "found 0 numbers, expected 2 at least"},
        {0, 1, {0.5}, "found 1 numbers"},
        {0, 3, {0.5, 0.7, 1.0}, "number 3 is 1, expected an alpha_bar in (0, 1)"},
        {1, 3, {2.0, 1.0, 0.0}, "number 3 is 0, expected a sigma in (1e-150, 1e150)"},
        {0,
         4,
         {0.1, 0.5, 0.4, 0.9},
         "number 2 is 0.5 and number 3 0.40000000000000002, expected them to grow or to fall"},
        {1, 3, {3.0, 3.0, 1.0}, "number 1 is 3 and number 2 3"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        union params values;
        struct schedule *schedule;
        const struct schedule_kind *kind =
            schedule_values(cases[i].quantity ? "table quantity sigma" : "table", &values);
        *(struct file_numbers *)(void *)(values.bytes + params_find(kind->params, "file")->offset) =
            (struct file_numbers){cases[i].count, (double *)cases[i].value};
        ASSERT_FAILS(STATUS_INVALID, cases[i].text, schedule_with, kind, &values, 10, &schedule);
    }
}
