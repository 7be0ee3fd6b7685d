/* An experiment's own claims, judged on planted rows: of power laws, in parameters, of score errors, and on what
 * chains estimate. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "experiment/bracket.h"
#include "experiment/spec.h"
#include "results/store.h"
#include "verdict/claims.h"

#include "test/laws.h"
#include "test/planted.h"
#include "test/planted_powers.h"
#include "test/suite.h"

TEST_SUITE(claims_own);

/* ---- Of planted power laws ---- */

/* A claim of the experiment's own: true ones, the same with an exponent off by a tenth, slack ones, and what is out
 * of reach. As planted, TV of ddpm is d^(1/2) h and KL d h^2, TV of accelerated d^(1/2) h^2, and W2 d^(1/2) h^(3/2).
 */
static const struct {
    const char *claim;
    enum outcome outcome;
    double value; /* what decides; NAN: nothing is measured */
    const char *note;
} powers[] = {
    {"quantity: steps, sampler: ddpm, at_most: {accuracy: 1, dimension: 1/2}", OUTCOME_SUPPORTED, 1.0, "in d: 0.5"},
    {"quantity: steps, sampler: ddpm, at_most: {accuracy: 0.9}", OUTCOME_REFUTED, 1.0, NULL},
    {"quantity: steps, sampler: ddpm, at_most: {accuracy: 1, d: 0.4}", OUTCOME_REFUTED, 0.5, "in 1/eps: 1.000"},
    {"quantity: evaluations, sampler: ddpm, at_most: {accuracy: 1.2}", OUTCOME_NOT_TIGHT, 1.0, NULL},
    {"quantity: steps, sampler: ddpm, at_least: {accuracy: 1}", OUTCOME_SUPPORTED, 1.0, NULL},
    {"quantity: steps, sampler: ddpm, at_least: {accuracy: 1.1}", OUTCOME_REFUTED, 1.0, NULL},
    {"quantity: steps, sampler: [accelerated, ddpm], at_most: {accuracy: 1/2}", OUTCOME_REFUTED, 1.0, "ddpm: 1.000"},
    {"quantity: steps, at_most: {accuracy: 1}", OUTCOME_SUPPORTED, 1.0, "accelerated: 0.500"},
    {"quantity: tv, sampler: ddpm, at_least: {step_size: 1}", OUTCOME_SUPPORTED, 1.0, NULL},
    {"quantity: tv, sampler: ddpm, at_least: {h: 1.1}", OUTCOME_REFUTED, 1.0, NULL},
    {"quantity: tv, sampler: ddpm, at_least: {h: 0.5}", OUTCOME_NOT_TIGHT, 1.0, NULL},
    {"quantity: tv, sampler: ddpm, at_most: {h: 1, d: 1/2}", OUTCOME_SUPPORTED, 1.0, "in d: 0.500"},
    {"quantity: tv, sampler: ddpm, at_most: {h: 0.9}", OUTCOME_REFUTED, 1.0, NULL},
    {"quantity: tv, sampler: ddpm, at_most: {d: 0.4}", OUTCOME_REFUTED, 0.5, NULL},
    {"quantity: tv, sampler: accelerated, at_most: {T: -2}", OUTCOME_SUPPORTED, -2.0, NULL},
    {"quantity: tv, sampler: accelerated, at_most: {steps: -2.1}", OUTCOME_REFUTED, -2.0, NULL},
    {"quantity: kl_p_q, sampler: ddpm, at_least: {h: 2}, at_most: {d: 1}", OUTCOME_SUPPORTED, 1.0, "no evidence"},
    {"quantity: kl_p_q, sampler: ddpm, at_least: {h: 2.1}", OUTCOME_REFUTED, 2.0, NULL},
    {"quantity: w2, sampler: ddpm, at_least: {h: 3/2}, at_most: {d: 1/2}", OUTCOME_SUPPORTED, 0.5, "in h: 1.5"},
    {"quantity: w2, sampler: ddpm, at_least: {h: 1.6}", OUTCOME_REFUTED, 1.5, NULL},
    {"quantity: steps, faster_than: {sampler: ddpm, by: {accuracy: 1/2, d: 1/4}}", OUTCOME_SUPPORTED, 0.5, "d: 0.25"},
    {"quantity: steps, faster_than: {sampler: ddpm, by: {accuracy: 0.6}}", OUTCOME_REFUTED, 0.5, NULL},
    {"quantity: steps, faster_than: {sampler: ddpm, by: {dimension: 0.35}}", OUTCOME_REFUTED, 0.25, NULL},
    {"quantity: steps, faster_than: {sampler: accelerated, by: {accuracy: 0}}", OUTCOME_REFUTED, -0.5, NULL},
    {"quantity: hellinger2, at_least: {h: 1}", OUTCOME_INCONCLUSIVE, NAN, "no cell in the window"},
    {"quantity: error_effect, at_least: {score_error_size: 1}", OUTCOME_INCONCLUSIVE, NAN, "add score errors"},
    {"quantity: path_kl, at_least: {h: 1}", OUTCOME_INCONCLUSIVE, NAN, "no limit: limits are of exact laws"},
};

TEST(claims_of_the_experiments_own, .count = COUNT(powers))
{
    const struct power_world world = {DDPM, FAST, 0, 0};
    OWNED(evidence) evidence;
    struct finding *findings;
    size_t count;
    char text[300], verdict[100];
    (void)snprintf(text, sizeof text, "claims: [{name: own, %s}]\n", powers[_i].claim);
    power_evidence(&world, text, &evidence);
    ASSERT_OK(claims_decide, &evidence, &findings, &count);
    ck_assert_uint_eq(count, 2);
    const struct finding *f = planted_find(findings, count, "own", "planted");
    finding_verdict(f, verdict, sizeof verdict);
    ck_assert_msg(f->outcome == powers[_i].outcome, "%s: %s (%g; %s)", powers[_i].claim, verdict, f->value, f->note);
    ck_assert_msg(isnan(powers[_i].value) ? !f->measured : fabs(finding_value(f) - powers[_i].value) < 0.01, "%s: %g",
                  powers[_i].claim, finding_value(f));
    ck_assert_msg(powers[_i].note == NULL || strstr(f->note, powers[_i].note) != NULL, "%s: %s", powers[_i].claim,
                  f->note);
    check_accounts(findings, count);
    findings_free(findings, count);
}

/* Out of reach, by the T measured or by a floor. */
TEST(an_own_claim_out_of_reach)
{
    static const struct {
        const char *claim, *note;
        struct power_law law;
    } worlds[] = {
        {"steps, at_most: {accuracy: 1}", "no cell in the window", {1e6, 0.5, 1.0, KL_RIGHT}},
        {"tv, at_least: {h: 1}", "no cell in the window", {1e6, 0.5, 1.0, KL_RIGHT}},
        /* a floor is more than any power of 1/eps, and what is known from above is no lower bound */
        {"steps, at_least: {accuracy: 1/2}", "no limit", {1.0, 0.5, 1.0, KL_RIGHT, .floor = 0.04}},
        {"steps, at_least: {accuracy: 1/2}", "no limit", {1.0, 0.5, 1.0, KL_RIGHT, .unsure = 0.7}},
    };
    for (size_t i = 0; i < COUNT(worlds); i++) {
        const struct power_world world = {worlds[i].law, FAST, 0, 0};
        OWNED(evidence) evidence;
        struct finding *findings;
        size_t count;
        char text[200];
        (void)snprintf(text, sizeof text, "claims: [{name: own, sampler: ddpm, quantity: %s}]\n", worlds[i].claim);
        power_evidence(&world, text, &evidence);
        ASSERT_OK(claims_decide, &evidence, &findings, &count);
        ck_assert_msg(findings[0].outcome == OUTCOME_INCONCLUSIVE && strstr(findings[0].note, worlds[i].note) != NULL,
                      "%s: %d; %s", worlds[i].claim, (int)findings[0].outcome, findings[0].note);
        findings_free(findings, count);
    }
}

/* ---- Of parameters, score errors and masses ---- */

enum { TEXT = 3000 };
struct stated {
    const char *claim; /* without its name */
    enum outcome outcome;
};

static void add_claims(const struct stated *claims, size_t count, char text[TEXT])
{
    for (size_t i = 0; i < count; i++)
        (void)snprintf(text + strlen(text), TEXT - strlen(text), "- {name: own-%zu, %s}\n", i, claims[i].claim);
}

static void check_claims(const struct evidence *evidence, const struct stated *claims, size_t claim_count)
{
    struct finding *findings;
    size_t count;
    ASSERT_OK(claims_decide, evidence, &findings, &count);
    ck_assert_uint_eq(count, 2 * claim_count); /* each of the one target, and overall */
    for (size_t i = 0; i < claim_count; i++)
        ck_assert_msg(findings[2 * i].outcome == claims[i].outcome, "%s: %d, %g +- %g; %s", claims[i].claim,
                      (int)findings[2 * i].outcome, findings[2 * i].value, findings[2 * i].interval,
                      findings[2 * i].note);
    check_accounts(findings, count);
    findings_free(findings, count);
}

/* Claims in parameters of score errors, and on what chains estimate, of planted rows: the effect is 0.3 eps_score
 * omega^(-1/2), the paths' KL 0.2 h up to one part in a hundred. */
TEST(own_claims_of_errors_and_chains)
{
    static const struct stated claims[] = {
        {"quantity: error_effect, at_least: {score_error_size: 1}, at_most: {score_error_roughness: -1/2}",
         OUTCOME_SUPPORTED},
        {"quantity: error_effect, at_least: {score_error_size: 1.1}", OUTCOME_REFUTED},
        {"quantity: error_effect, at_most: {score_error_roughness: -0.6}", OUTCOME_REFUTED},
        {"quantity: error_effect, at_most: {T: 0, d: 0}", OUTCOME_SUPPORTED},
        {"quantity: path_kl, at_least: {h: 1}", OUTCOME_SUPPORTED},
        {"quantity: path_kl_p_q, at_least: {h: 1.2}", OUTCOME_REFUTED},
        {"quantity: path_kl, at_least: {h: 0.6}", OUTCOME_NOT_TIGHT},
    };
    static const double sizes[] = {0.1, 0.03, 0.01, 0.003}, roughnesses[] = {1.0, 2.0, 4.0, 8.0};
    struct record rows[200];
    char text[TEXT] = "targets: [{name: planted, kind: gaussian, variance: 0.25}]\nsamplers: [ddpm]\n"
                      "dimensions: [1, 4]\nsteps: [128, 256, 512, 1024]\nsamples: {chains: 1000}\nscore_errors: "
                      "[{shape: wave, size: [0.1, 0.03, 0.01, 0.003], roughness: [1, 2, 4, 8]}]\nclaims:\n";
    size_t count = 0;
    add_claims(claims, COUNT(claims), text);
    for (size_t d = 1; d <= 4; d += 3)
        for (size_t T = 128; T <= 1024; T *= 2)
            for (size_t e = 0; e < 17; e++) {
                struct record *row = &rows[count++];
                const double roughness = e > 0 ? roughnesses[(e - 1) % 4] : 0.0;
                const struct score_error error = e > 0 ? make_error("wave", sizes[(e - 1) / 4], roughness, 0.0)
                                                       : (struct score_error){.shape = NULL};
                *row = (struct record){.parameter = PLANTED_PARAMETERS,
                                       .dimension = d,
                                       .steps = T,
                                       .step_size = li_cai_step_size(8.5, T)};
                plant_names(row, "ddpm");
                plant_error(row, &error);
                row->chains = e == 0 ? 1000 : 0;
                row->estimates.path_kl_p_q.value = e == 0 ? 0.2 * row->step_size * (T == 256 ? 1.01 : 1.0) : NAN;
                row->estimates.path_kl_p_q.error = e == 0 ? 0.01 * row->step_size : NAN;
                row->error_effect = e > 0 ? 0.3 * error.size / sqrt(roughness) : NAN;
                row->error_effect_error = 1e-9;
            }
    OWNED(evidence) evidence;
    planted_read_back(text, rows, count, &evidence);
    check_claims(&evidence, claims, COUNT(claims));
}

/* Claims in a parameter that the experiment gives as a list: TV is (1/2) (c1 d)^(1/2) log(T)/T, so that T/log T grows
 * like c1^(1/2) at a given accuracy, and TV like it at a given T. */
TEST(own_claims_in_a_parameter)
{
    static const struct stated claims[] = {
        {"quantity: steps, at_most: {c1: 1/2}", OUTCOME_SUPPORTED},
        {"quantity: evaluations, at_most: {schedule_c1: 0.4}", OUTCOME_REFUTED},
        {"quantity: steps, at_least: {c1: 0.1}, sampler: ddpm", OUTCOME_NOT_TIGHT},
        {"quantity: steps, at_most: {c0: 1}", OUTCOME_INCONCLUSIVE},
        {"quantity: tv, at_most: {schedule_c1: 1/2}", OUTCOME_SUPPORTED},
        {"quantity: tv, at_most: {c1: 0.4}", OUTCOME_REFUTED},
    };
    static const char head[] = "schedule: {kind: li-cai, c1: [4, 8, 16]}\n"
                               "targets: [{name: planted, kind: gaussian, variance: 0.25}]\nsamplers: [ddpm]\n"
                               "dimensions: [1, 4]\naccuracies: [0.05, 0.02, 0.01]\nmax_steps: 8192\nclaims:\n";
    static const double c1s[] = {4.0, 8.0, 16.0}, accuracies[] = {0.05, 0.02, 0.01};
    static struct record rows[2 * 3 * 14];
    char text[TEXT];
    OWNED(spec) spec;
    OWNED(evidence) evidence;
    size_t count = 0;
    (void)snprintf(text, sizeof text, "%s", head);
    add_claims(claims, COUNT(claims), text);
    ASSERT_OK(spec_parse, "planted.yaml", text, strlen(text), "", claim_names(), &spec);
    ck_assert_uint_eq(spec.sampler_count, 3);
    for (size_t s = 0; s < 3; s++)
        for (size_t d = 1; d <= 4; d += 3) {
            size_t T[14], most = 0;
            for (size_t power = 64; power <= 8192; power *= 2)
                T[most++] = power;
            for (size_t e = 0; e < 3; e++) {
                double cost = 0.5 * sqrt(c1s[s] * (double)d) / accuracies[e];
                size_t first = 3;
                while (log_free_cost("li-cai", first) < cost)
                    first++;
                T[most++] = first;
                T[most++] = first - 1;
            }
            for (size_t i = 0; i < most; i++) {
                double log_T = log((double)T[i]), h = log_T / (double)T[i];
                struct record *row = &rows[count++];
                *row = (struct record){.parameter = {2.0, c1s[s], NAN, NAN},
                                       .dimension = d,
                                       .steps = T[i],
                                       .step_size = c1s[s] * h,
                                       .tv = 0.5 * sqrt(c1s[s] * (double)d) * h,
                                       .tv_error = 1e-9};
                plant_names(row, spec.samplers[s]->name);
            }
        }
    planted_read_back(text, rows, count, &evidence);
    check_claims(&evidence, claims, COUNT(claims));
}

/* Claims on the relative error of a mass, which is negative here: m_2 = -0.02 (h d)^2, from laws, whose TV is not
 * known, as where they are planted, and from chains. */
TEST(own_claims_of_masses)
{
    static const struct stated claims[] = {
        {"quantity: mass_error_2, at_least: {h: 2}", OUTCOME_SUPPORTED},
        {"quantity: mass_error_2, at_least: {h: 2.2}", OUTCOME_REFUTED},
        {"quantity: mass_error_2, at_most: {d: 2}", OUTCOME_SUPPORTED},
        {"quantity: mass_error_2, at_most: {d: 1.8}", OUTCOME_REFUTED},
        {"quantity: mass_error_3, at_least: {h: 2}", OUTCOME_INCONCLUSIVE},
        {"quantity: sampled_mass_error_2, at_least: {h: 2}", OUTCOME_SUPPORTED},
        {"quantity: planted_mass_error, at_least: {h: 2}", OUTCOME_SUPPORTED},
    };
    char text[TEXT] = "targets: [{name: planted, kind: mixture, weights: [0.5, 0.5], means: [0, 1], sds: 1}]\n"
                      "samplers: [ddpm]\ndimensions: [1, 2, 4, 8]\nsteps: [256, 512, 1024, 2048, 4096]\n"
                      "samples: {chains: 1000}\nclaims:\n";
    static struct record rows[2 * 4 * 5];
    OWNED(evidence) evidence;
    size_t count = 0;
    add_claims(claims, COUNT(claims), text);
    for (size_t chains = 0; chains <= 1000; chains += 1000)
        for (size_t d = 1; d <= 8; d *= 2)
            for (size_t T = 256; T <= 4096; T *= 2) {
                struct record *row = &rows[count++];
                const struct estimate nothing = {NAN, NAN};
                *row = (struct record){.parameter = PLANTED_PARAMETERS,
                                       .dimension = d,
                                       .steps = T,
                                       .step_size = li_cai_step_size(8.5, T),
                                       .tv = NAN,
                                       .planted_mass_error = NAN,
                                       .chains = chains};
                const double m = -0.02 * row->step_size * row->step_size * (double)(d * d);
                for (size_t k = 0; k < RECORD_MASSES; k++)
                    row->mass_error[k] = row->estimates.mass[k] = row->estimates.mass_error[k] = nothing;
                if (chains == 0) {
                    row->mass_error[1] = (struct estimate){m, -1e-8 * m};
                    row->planted_mass_error = m;
                } else
                    row->estimates.mass_error[1] = (struct estimate){m, -1e-2 * m};
                plant_names(row, "ddpm");
            }
    planted_read_back(text, rows, count, &evidence);
    ck_assert(evidence.result.rows[0].mass_error[1].value < 0.0
              && isnan(evidence.result.rows[0].mass_error[2].value));
    struct finding *findings;
    ASSERT_OK(claims_decide, &evidence, &findings, &count);
    for (size_t i = 0; i < COUNT(claims); i++) {
        ck_assert_msg(findings[2 * i].outcome == claims[i].outcome, "%s: %d, %g +- %g; %s", claims[i].claim,
                      (int)findings[2 * i].outcome, findings[2 * i].value, findings[2 * i].interval,
                      findings[2 * i].note);
        ck_assert_int_eq(findings[2 * i].has_limit,
                         claims[i].outcome != OUTCOME_INCONCLUSIVE && strstr(claims[i].claim, "sampled") == NULL);
    }
    check_accounts(findings, count);
    findings_free(findings, count);
}
