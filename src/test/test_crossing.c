/* The crossing law (26): against an independent program (data/crossing.csv), the density's own recursion, small eta,
 * where its constant is a rational number, and exact laws on the line that have it as their limit. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "law/crossing.h"
#include "law/integrals.h"
#include "law/law.h"
#include "model/overshoot.h"
#include "model/schedule.h"
#include "report/figure_data.h"
#include "test/laws.h"
#include "test/planted.h"
#include "test/suite.h"

TEST_SUITE(crossing);

/* For each rule, samplers of which it is the limit. */
static const struct {
    const char *rule, *samplers[6];
} rules[] = {
    {"euler",
     {"ddpm", "ddpm-outside", "ddpm-ancestral", "exponential-integrator", "overshoot-2025", "accelerated-sde-2024"}},
    {"midpoint", {"accelerated", "accelerated-unclipped", "runge-kutta-2"}},
    {"kutta-3", {"runge-kutta-3"}},
    {"runge-kutta-4", {"runge-kutta-4"}},
};

static struct crossing crossing_of(const struct sampler *sampler, double eta)
{
    struct crossing crossing;
    ASSERT_OK(crossing_find, sampler, eta, &crossing);
    return crossing;
}

TEST(agrees_with_the_reference)
{
    char line[100], rule[20];
    double eta, expected;
    int rows = 0;
    FILE *file = fopen("src/test/data/crossing.csv", "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    for (; fscanf(file, " %19[^,],%lf,%lf", rule, &eta, &expected) == 3; rows++)
        for (int r = 0; r < COUNT(rules); r++)
            for (int s = 0; strcmp(rules[r].rule, rule) == 0 && s < 6 && rules[r].samplers[s] != NULL; s++) {
                struct crossing found = crossing_of(sampler_find(rules[r].samplers[s]), eta);
                ck_assert_msg(fabs(found.mass_error - expected) < 1e-6 * fabs(expected) + 1e-11
                                  && found.error < 1e-10,
                              "%s, eta = %g: %.9e +- %.1e, expected %.7e", rules[r].samplers[s], eta,
                              found.mass_error, found.error, expected);
            }
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(rows, 20);
}

/* m_1/eta^p as eta -> 0: 2^(p+1) int_0^1 c(pi)/pi dpi, with c h^(p+1) the leading local error of the rule for dl/dtau
 * = pi, by hand. */
TEST(small_eta_has_a_rational_constant)
{
    static const struct {
        const char *sampler;
        int order;
        double constant;
    } cases[] = {{"ddpm", 1, -1.0 / 3.0},
                 {"accelerated", 2, -7.0 / 180.0},
                 {"randomised-midpoint", 2, -2.0 / 45.0},
                 {"lagrange-3", 3, -1.0 / 315.0},
                 {"runge-kutta-3", 3, -2.0 / 315.0},
                 {"lagrange-4", 4, -79.0 / 226800.0},
                 {"runge-kutta-4", 4, -1.0 / 1575.0}};
    for (int i = 0; i < COUNT(cases); i++) {
        double ratio[2]; /* at eta = 1/16, 1/32: error O(eta) */
        for (int k = 0; k < 2; k++) {
            double eta = 1.0 / (16 << k);
            ratio[k] = crossing_of(sampler_find(cases[i].sampler), eta).mass_error / pow(eta, cases[i].order);
        }
        double limit = 2.0 * ratio[1] - ratio[0];
        ck_assert_msg(fabs(limit / cases[i].constant - 1.0) < 2e-3, "%s: %.6e, expected %.6e", cases[i].sampler,
                      limit, cases[i].constant);
    }
}

/* Theory (26) as it stands: the density u of the sampler's law in l, pushed forward step by step from u = exp(-l) + 1
 * until it stays; at the left end it is held, which the drift keeps from the inside. Euler's rule over (1 + kappa)
 * eta. */
enum { POINTS = 301, FROM = -24, TO = 36 };

static void recursion(double eta, double kappa, double *right, double *constant)
{
    static double u[POINTS], next[POINTS], kernel[POINTS][POINTS]; /* [to][from] */
    const double spacing = (double)(TO - FROM) / (POINTS - 1), variance = 2.0 * kappa * eta, pi = acos(-1.0);
    for (int i = 0; i < POINTS; i++) {
        double l = FROM + spacing * i, to = l + (1.0 + kappa) * eta / (1.0 + exp(-l)) - kappa * eta;
        u[i] = exp(-l) + 1.0;
        for (int j = 0; j < POINTS; j++) {
            double away = FROM + spacing * j - to;
            kernel[j][i] = spacing * exp(-away * away / (2.0 * variance)) / sqrt(2.0 * pi * variance);
        }
    }
    const int held = (int)(8.0 * sqrt(variance) / spacing);
    double change = 1.0;
    for (int step = 0; step < 2000 && change > 1e-11; step++) {
        change = 0.0;
        for (int j = held; j < POINTS - 2 * held; j++) {
            next[j] = 0.0;
            for (int i = 0; i < POINTS; i++)
                next[j] += kernel[j][i] * u[i];
            change = fmax(change, fabs(next[j] - u[j]));
        }
        for (int j = held; j < POINTS; j++)
            u[j] = next[j < POINTS - 2 * held ? j : POINTS - 2 * held - 1];
    }
    *right = u[POINTS - 1];
    *constant = u[POINTS * 7 / 30] - exp(-(FROM + spacing * (POINTS * 7 / 30)));
}

TEST(the_density_settles_there)
{
    static const struct {
        double eta, root; /* of kappa, the eta of Song et al. */
    } cases[] = {{0.3, 1.0}, {0.5, 0.6}};
    for (int i = 0; i < COUNT(cases); i++) {
        union params values = {{0}};
        memcpy(&values, &cases[i].root, sizeof(double));
        OWNED_SAMPLER *sampler = sampler_instance_new(sampler_find("ddim-song"), &values, "song", NULL);
        double right, constant, kappa = cases[i].root * cases[i].root;
        double m = crossing_of(&sampler->sampler, cases[i].eta).mass_error;
        recursion(cases[i].eta, kappa, &right, &constant);
        ck_assert_double_eq_tol(right - 1.0, m, 2e-7);
        ck_assert_double_eq_tol(constant, (1.0 + kappa - right) / kappa, 2e-4);
    }
}

/* 1 - h falls like exp(-l/kappa): a long grid to the right, none where exp(-l) overflows. */
TEST(more_noise_loses_more)
{
    double before = 0.0;
    for (double root = 1.0; root < 8.0; root += 2.0) { /* kappa up to 49 */
        union params values = {{0}};
        memcpy(&values, &root, sizeof(double));
        OWNED_SAMPLER *sampler = sampler_instance_new(sampler_find("ddim-song"), &values, "song", NULL);
        const struct crossing found = crossing_of(&sampler->sampler, 0.1);
        ck_assert(found.error < 1e-8 && found.mass_error < before && found.mass_error > -1.0);
        before = found.mass_error;
    }
}

/* The relative error of a rare mode's mass, at the distance sqrt(d) and of weight exp(-R d), by the line engine; and
 * by the crossing law, whose K is 1/2 abar (1 - abar) where abar = 2 R. */
static double rare_mode(const struct sampler *sampler, double d, double *limit)
{
    const double rate = 0.15, signal = 2.0 * rate, log_weight[] = {log1p(-exp(-rate * d)), -rate * d};
    const double weight[] = {exp(log_weight[0]), exp(log_weight[1])}, mean[] = {0.0, sqrt(d)}, sd[] = {1.0, 1.0};
    const struct factor factor = {1, 2, weight, mean, sd, NULL, log_weight, NULL};
    OWNED_SCHEDULE *schedule = NULL;
    const struct schedule_kind *kind = schedule_kind_find("li-cai");
    ASSERT_OK(schedule_new, kind, 2.0, 8.5, d < 75.0 ? 1563 : 3464, &schedule); /* h d = 2 */
    size_t t = schedule->T;
    while (schedule_level(schedule, t - 1).alpha_bar <= signal)
        t--;
    double h = -log1p(-schedule->beta[t] / schedule_level(schedule, t).noise);
    const struct law_problem problem = {.factor = &factor, .sampler = sampler, .schedule = schedule};
    OWNED(law) law;
    struct measured masses[2];
    ASSERT_OK(law_compute, &problem, &law);
    ASSERT_OK(law_mass_errors, &law, &factor, masses);
    *limit = crossing_of(sampler, 0.5 * signal * (1.0 - signal) * h * d).mass_error;
    return masses[1].value;
}

/* The ratio of both is 0.81 at d = 50, 0.91 at d = 100: 1 - O(1/d). Without noise both are 0. */
TEST(rare_modes_approach_it)
{
    static const char *const samplers[] = {"ddpm-outside", "accelerated", "pf-ode-2"};
    for (int i = 0; i < COUNT(samplers); i++) {
        const struct sampler *sampler = sampler_find(samplers[i]);
        double limit[2], mass[] = {rare_mode(sampler, 50.0, &limit[0]), rare_mode(sampler, 100.0, &limit[1])};
        if (sampler->log_noise_ratio == NULL)
            ck_assert(limit[1] == 0.0 && fabs(mass[1]) < 1e-4 && fabs(mass[1]) < 0.5 * fabs(mass[0]));
        else
            ck_assert_double_eq_tol(2.0 * mass[1] / limit[1] - mass[0] / limit[0], 1.0, 0.01);
    }
}

/* The own codeword's mean log-likelihood ratio, d/2 log(1/v) - R d, moves by eta in the step that crosses 0, up to
 * O(h). Beyond log(1/s) no level is crossed. */
TEST(eta_is_the_drift_of_the_step_that_crosses)
{
    const double rate = 0.5, sd = 0.1;
    for (size_t k = 0; schedule_kind_at(k) != NULL; k++) {
        const struct schedule_kind *kind = schedule_kind_at(k);
        OWNED_SCHEDULE *schedule = NULL;
        union params values = {{0}};
        if (strcmp(kind->name, "table") == 0)
            continue;
        params_init(kind->params, &values);
        ASSERT_OK(schedule_with, kind, &values, 4096, &schedule);
        double drift = 0.0, before = 0.0;
        for (size_t t = schedule->T; t > 0 && before < rate; t--) {
            double next = -0.5 * log1p(-(1.0 - sd * sd) * schedule_level(schedule, t).alpha_bar);
            drift = 16.0 * (next - before);
            before = next;
        }
        ck_assert_double_eq_tol(crossing_eta(schedule, 16.0, rate, sd) / drift, 1.0, 0.02);
        ck_assert(isnan(crossing_eta(schedule, 16.0, log(10.0) + 1e-6, sd)));
    }
}

/* ddpm with a drift that is off by 1e4 omega, which is 1e-6 and less where omega stands for 0. */
static void increment_off(const struct step *step, const struct score *score, size_t n, const double *x, double *out,
                          double *work)
{
    sampler_find("ddpm")->increment(step, score, n, x, out, work);
    for (size_t i = 0; i < n; i++)
        out[i] *= 1.0 + 1e4 * step->omega;
}

TEST(the_radius_holds_what_a_step_leaves_of_the_limit)
{
    struct sampler off = *sampler_find("ddpm");
    off.increment = increment_off;
    const struct crossing found = crossing_of(&off, 0.5), exact = crossing_of(sampler_find("ddpm"), 0.5);
    ck_assert_double_gt(found.error, 1e-8);
    ck_assert_double_lt(fabs(found.mass_error - exact.mass_error), found.error);
}

static double noise_off(const struct step *step)
{
    return log1p(0.01) + 0.0 * step->omega;
}

TEST(refusals_have_reasons)
{
    struct crossing crossing;
    struct sampler wrong = *sampler_find("ddpm");
    wrong.log_noise_ratio = noise_off;
    ASSERT_FAILS(STATUS_UNSUPPORTED, "expected 2.01 eta for its noise", crossing_find, &wrong, 0.5, &crossing);
    wrong.regular = 0;
    ASSERT_FAILS(STATUS_UNSUPPORTED, "linearly", crossing_find, &wrong, 0.5, &crossing);
    ASSERT_FAILS(STATUS_UNSUPPORTED, "from step to step", crossing_find, sampler_find("sde-dpm-solver-2m"), 0.5,
                 &crossing);
    ASSERT_FAILS(STATUS_INVALID, "positive", crossing_find, sampler_find("ddpm"), 0.0, &crossing);
    ASSERT_FAILS(STATUS_UNSUPPORTED, "beyond reason", crossing_find, sampler_find("ddpm"), 1e4, &crossing);
}

/* Of ddpm planted laws and chains, which for m_1 = 0.1 have Q = 1 - 0.5^1.1; of accelerated a planted law below its
 * radius. */
TEST(figure)
{
    static const char text[] = "targets: [{name: code, kind: codebook, rate: 0.5, sd: 0.1}]\n"
                               "samplers: [ddpm, accelerated]\ndimensions: [8, 64]\nsteps: [64]\n"
                               "samples: {chains: [1000]}\n";
    static const struct {
        const char *sampler;
        uint64_t dimension, chains;
        double eta, m, error, law;
    } planted[] = {{"ddpm", 8, 0, 0.5, -0.3, 0.01, -0.147},
                   {"ddpm", 64, 0, 0.25, -0.2, 0.01, -0.078},
                   {"ddpm", 8, 1000, 0.5, 0.1, 0.02, -0.147},
                   {"accelerated", 64, 0, 0.5, 0.001, 0.002, -0.008}};
    struct record rows[COUNT(planted)];
    for (int i = 0; i < COUNT(planted); i++) {
        const bool law = planted[i].chains == 0;
        const double mass = 1.0 - pow(0.5, 1.0 + planted[i].m);
        rows[i] = (struct record){.parameter = PLANTED_PARAMETERS,
                                  .dimension = planted[i].dimension,
                                  .steps = 64,
                                  .chains = planted[i].chains,
                                  .planted_mass_error = law ? planted[i].m : NAN,
                                  .planted_mass_error_error = law ? planted[i].error : NAN,
                                  .estimates.codewords_mass = {mass, planted[i].error * (1.0 - mass) * log(2.0)},
                                  .crossing_eta = planted[i].eta,
                                  .crossing_mass_error = planted[i].law};
        (void)snprintf(rows[i].target, sizeof rows[i].target, "code");
        (void)snprintf(rows[i].sampler, sizeof rows[i].sampler, "%s", planted[i].sampler);
        (void)snprintf(rows[i].schedule, sizeof rows[i].schedule, "li-cai");
        record_set_score_error(&rows[i], &(struct score_error){.shape = NULL});
    }
    OWNED(evidence) evidence;
    FREED char *table = NULL, *vars = NULL;
    size_t table_length, vars_length;
    planted_read_back(text, rows, COUNT(planted), &evidence);
    struct sheet sheet = {.table = open_memstream(&table, &table_length),
                          .vars = open_memstream(&vars, &vars_length)};
    ASSERT_OK(figure_collect, &figure_codewords, &evidence, &sheet);
    ck_assert_int_eq(fclose(sheet.table) | fclose(sheet.vars), 0);
    ck_assert_uint_eq(sheet.panels, 1);
    ck_assert_uint_eq(sheet.points, 4);
    ASSERT_SAYS(table, "1\t1\tplanted\tcode\t8\tddpm\t0.5\t0.3\t0.3\t0.01\n",
                "1\t1\tlaw\tcode\t0\tddpm\t0.25\t0.078\t0.078\t0\n1\t1\tlaw\tcode\t0\tddpm\t0.5\t0.147\t0.147\t0\n",
                "1\t1\tchains\tcode\t8\tddpm\t0.5\t0.1\t0.1\t0.04\n", "1\t1\tgain\tcode\t8\tddpm\t0.5\t0.1\t",
                "1\t4\tplanted limit\tcode\t64\taccelerated\t0.5\t0.003\t0.001\t0.002\n");
}
