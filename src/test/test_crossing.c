/* The crossing law (26): against an independent program (data/crossing.csv), against the density's own recursion and
 * against small eta, where its constant is a rational number. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "law/crossing.h"
#include "model/overshoot.h"
#include "model/schedule.h"
#include "test/laws.h"
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

TEST(without_noise_no_mass_is_lost)
{
    ck_assert_double_eq(crossing_of(sampler_find("ddim"), 0.7).mass_error, 0.0);
}

/* K d h of theory (26), where the step in log-SNR is h (1 + O(h)) at every level; and no level is crossed beyond
 * log(1/s). */
TEST(eta_is_that_of_the_step_that_crosses)
{
    OWNED_SCHEDULE *schedule = NULL;
    ASSERT_OK(schedule_new, schedule_kind_find("li-cai"), 2.0, 8.5, 1024, &schedule);
    double v = exp(-1.0), K = 0.5 * (1.0 - (1.0 - v) / (1.0 - 0.01)) * (1.0 - v) / v;
    ck_assert_double_eq_tol(crossing_eta(schedule, 16.0, 0.5, 0.1) / (16.0 * K * schedule->h), 1.0, 0.01);
    ck_assert(isnan(crossing_eta(schedule, 16.0, log(10.0) + 1e-6, 0.1)));
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
