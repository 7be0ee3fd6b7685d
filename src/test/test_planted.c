/* Wrong samplers in the place of right ones, through the whole program: plan, laws, store, T(d, eps), fit, verdict.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results/run.h"
#include "test/suite.h"
#include "verdict/claims.h"

static const char text[] =
    "targets:\n"
    "  - {name: bimodal, kind: mixture, weights: [0.5, 0.5], means: [-1, 1], sds: [0.3, 0.3]}\n"
    "samplers: [accelerated]\n"
    "dimensions: [1, 16]\n"
    "accuracies: [3.0e-2, 1.8e-2, 1.0e-2, 6.0e-3, 3.0e-3, 1.0e-4, 3.0e-5, 1.0e-5, 3.0e-6]\n"
    "max_steps: 4096\n"
    "claims: [eps-accelerated]\n";

static char directory[] = "/tmp/diffrate-planted-XXXXXX";

static void setup(void)
{
    ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void teardown(void)
{
    char command[200];
    (void)snprintf(command, sizeof command, "rm -rf %s", directory);
    ck_assert_int_eq(system(command), 0);
}

TEST_SUITE(planted, .setup = setup, .teardown = teardown);

/* The overall finding on eps-accelerated when `sampler` is what runs under that name. */
static struct finding judge(const struct sampler *sampler)
{
    OWNED(spec) spec;
    struct provenance provenance;
    OWNED(run_summary) summary;
    OWNED(evidence) evidence;
    struct finding *findings;
    size_t count;
    provenance_collect(0, NULL, &provenance);
    ASSERT_OK(spec_parse, "planted.yaml", text, strlen(text), "", claim_names(), &spec);
    spec.samplers[0] = sampler;
    struct run_options options = {
        .directory = directory, .jobs = 1, .share = 1, .shares = 1, .force = 1, .provenance = &provenance};
    ASSERT_OK(run_experiment, &spec, &options, &summary);
    ck_assert_uint_eq(summary.failed, 0);
    ASSERT_OK(evidence_read, directory, claim_names(), &evidence);
    ASSERT_OK(claims_decide, &evidence, &findings, &count);
    ck_assert_uint_eq(count, 2);
    struct finding finding = findings[0];
    ck_assert_int_eq((int)findings[1].outcome, (int)finding.outcome);
    findings_free(findings, count);
    return finding;
}

TEST(the_right_sampler_is_supported)
{
    struct finding finding = judge(sampler_find("accelerated"));
    ck_assert_int_eq((int)finding.outcome, (int)OUTCOME_SUPPORTED);
    ck_assert_double_eq_tol(finding.value, 0.5, 0.02);
    ck_assert_double_lt(finding.interval, 0.02);
}

/* Without its correction c it is ddpm-ancestral, of first order. */
TEST(a_dropped_correction_is_refuted)
{
    struct sampler planted = *sampler_find("ddpm-ancestral");
    planted.name = "accelerated";
    struct finding finding = judge(&planted);
    ck_assert_int_eq((int)finding.outcome, (int)OUTCOME_REFUTED);
    ck_assert_double_eq_tol(finding.value, 1.0, 0.04);
}

static double one_percent_more_noise(const struct step *step)
{
    return sampler_find("accelerated")->log_noise_ratio(step) + log(1.01);
}

TEST(wrong_noise_leaves_a_floor_that_is_reported)
{
    struct sampler planted = *sampler_find("accelerated");
    planted.log_noise_ratio = one_percent_more_noise;
    struct finding finding = judge(&planted);
    ck_assert_int_eq((int)finding.outcome, (int)OUTCOME_REFUTED);
    ck_assert_msg(strstr(finding.note, "TV floor") != NULL, "%s", finding.note);
    ck_assert_uint_gt(finding.censored, 0);
}
