/* What results hold of their experiment: read back it says the same, and what is wrong in it is refused. */
#define _GNU_SOURCE /* asprintf */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiment/cell.h"
#include "experiment/manifest.h"
#include "experiment/spec.h"
#include "verdict/claims.h"
#include "test/laws.h"
#include "test/suite.h"

TEST_SUITE(manifest);

static const char text[] =
    "title: \"Of \\\"all\\\" that \\\\ there is: ä\"\n"
    "schedule: [{kind: li-cai, c1: [4, 8.5]}, {kind: cosine}]\n"
    "targets:\n- {name: g, kind: gaussian, variance: [0.25, 0.1], mean: 1}\n- {name: t, kind: student-t, nu: "
    "5}\n"
    "- {name: two, kind: direct-sum, factors: [{kind: gaussian, variance: 2, copies: 1}, {kind: gaussian, variance: "
    "0.5, copies: rest}]}\n"
    "samplers: [ddpm, pf-ode-2]\ndimensions: [1, 4]\nsteps: [32, 64]\naccuracies: [0.1, 1/3]\nmax_steps: 300\n"
    "accuracy_in: hellinger2\nscore_errors: [{shape: wave, size: [0.01, 0.1], roughness: [0.5, 2], spread: one}]\n"
    "samples: {chains: [128, 200], methods: [knn], seed: 7}\n"
    "claims: [eps-ddpm, {name: mine, says: it is so, quantity: tv, sampler: ddpm, targets: g, at_least: {h: 1/3}}, "
    "{name: faster, quantity: steps, sampler: pf-ode-2, faster_than: {sampler: ddpm, by: {accuracy: 1/2}}}]\n";

/* The manifest of that experiment, of which two cells failed, as text for free(). */
static char *write(struct spec *spec)
{
    char *out;
    ASSERT_OK(spec_parse, "all.yaml", text, strlen(text), "", claim_names(), spec);
    const struct dimensions all = spec_dimensions(spec);
    const struct cell failed[] = {{spec, 1, 2, 3, 64, 200, all}, {spec, 0, 1, 0, 64, 0, all}};
    ASSERT_OK(manifest_write, spec, failed, COUNT(failed), &out);
    return out;
}

TEST(it_says_what_the_experiment_says)
{
    OWNED(spec) spec;
    OWNED(manifest) m;
    FREED char *written = write(&spec);
    ASSERT_OK(manifest_parse, "m", written, &spec.parameters, &m);
    ck_assert_str_eq(m.title, "Of \"all\" that \\ there is: ä");
    ck_assert_uint_eq(m.parameters.count, spec.parameters.count);
    ck_assert_uint_eq(m.target_count, spec.target_count);
    for (size_t i = 0; i < m.target_count; i++) {
        ck_assert_str_eq(m.targets[i].name, spec.targets[i].name);
        ck_assert_str_eq(m.targets[i].family, spec.targets[i].family->name);
        ck_assert_str_eq(m.target_entries[i].of, spec.target_entries[i].of);
        ck_assert_mem_eq(m.target_entries[i].parameter, spec.target_entries[i].parameter,
                         sizeof m.target_entries[i].parameter);
        ck_assert_int_eq(m.targets[i].power, i < 3);
        ck_assert_double_eq(m.targets[i].approximation, target_approximation(&spec.targets[i]));
        ck_assert_double_eq(m.targets[i].codewords, 0.0);
    }
    ck_assert(m.targets[2].approximation > 0.0);
    ck_assert_uint_eq(m.sampler_count, 6);
    for (size_t i = 0; i < m.sampler_count; i++) {
        const struct manifest_sampler *sampler = &m.samplers[i];
        ck_assert_str_eq(sampler->name, spec.samplers[i]->name);
        ck_assert_str_eq(sampler->schedule, spec_schedule(&spec, i)->kind->name);
        ck_assert_str_eq(m.sampler_entries[i].of, spec.sampler_entries[i].of);
        ck_assert_mem_eq(m.sampler_entries[i].parameter, spec.sampler_entries[i].parameter,
                         sizeof m.sampler_entries[i].parameter);
        ck_assert_uint_eq(sampler->score_evaluations, spec.samplers[i]->score_evaluations);
        ck_assert_int_eq(sampler->deterministic, strncmp(sampler->name, "pf", 2) == 0);
        ck_assert_double_eq(sampler->claimed_order, spec.samplers[i]->claimed_order);
        ck_assert_uint_eq(sampler->grid[sampler->grid_count - 1], 300);
        for (size_t k = 0; k < i; k++) {
            ck_assert_int_eq(strcmp(sampler->rule, m.samplers[k].rule) == 0,
                             schedule_rule_equal(spec_schedule(&spec, i), spec_schedule(&spec, k)));
            ck_assert_int_eq(sampler->place == m.samplers[k].place, spec.samplers[i] == spec.samplers[k]);
        }
    }
    ck_assert_uint_eq(m.score_error_count, 5);
    for (size_t i = 0; i < m.score_error_count; i++) {
        struct record row = {.dimension = 1};
        record_set_score_error(&row, &spec.score_errors[i]);
        memcpy(row.parameter, spec.score_error_entries[i].parameter, sizeof row.parameter);
        for (size_t k = 0; k < m.score_error_count; k++)
            ck_assert_int_eq(manifest_has_score_error(&m, k, &spec.parameters, &row), i == k);
    }
    ck_assert_double_eq(manifest_error_param(&m, 2, "roughness"), error_param(&spec.score_errors[2], "roughness"));
    ck_assert(m.dimension_count == 2 && m.dimensions[1] == 4 && m.step_count == 2 && m.steps[0] == 32);
    ck_assert(m.chain_count == 2 && m.chains[1] == 200 && m.seed == 7 && m.methods == spec.methods);
    ck_assert(m.accuracy_in == spec.accuracy_in && m.accuracy_count == 2 && m.accuracies[0] == 1.0 / 3.0);
    ck_assert(m.max_steps == 300 && !m.without_claims && m.claim_count == 3 && m.own_claim_count == 2);
    ck_assert_str_eq(m.claims[1], "mine");
    for (size_t i = 0; i < 2; i++) {
        const struct claim_spec *a = &m.own_claims[i], *b = &spec.own_claims[i];
        ck_assert(strcmp(a->name, b->name) == 0 && strcmp(a->says, b->says) == 0 && a->quantity == b->quantity
                  && a->sampler_count == b->sampler_count && a->target_count == b->target_count
                  && (a->targets == NULL) == (b->targets == NULL) && a->power_count == b->power_count
                  && strcmp(a->powers[0].axis, b->powers[0].axis) == 0
                  && a->powers[0].at_least == b->powers[0].at_least && a->powers[0].value == b->powers[0].value);
        for (size_t k = 0; k < a->sampler_count; k++)
            ck_assert_str_eq(a->samplers[k], b->samplers[k]);
    }
    ck_assert_str_eq(m.own_claims[1].powers[0].slower, "ddpm");
    char key[CELL_KEY_SIZE];
    ASSERT_OK(cell_key, &(struct cell){&spec, 1, 2, 3, 64, 200, spec_dimensions(&spec)}, key);
    ck_assert(m.failed_count == 2 && m.failed[0].target == 1 && m.failed[0].sampler == 2
              && m.failed[0].chains == 200);
    ck_assert_str_eq(m.failed[0].key, key);
    ck_assert_str_eq(m.samplers[m.failed[1].sampler].schedule, "li-cai");
    ck_assert_double_eq_tol(m.failed[1].step_size, 8.5 * log(64.0) / 64.0, 1e-15);
}

/* The weight of codewords, and the power of d in the score's constant L where that is known: 0 of Gaussians and of
 * products of blocks of at most two coordinates. */
TEST(it_says_what_bounds_depend_on)
{
    static const struct {
        const char *target, *dimensions;
        double codewords, lipschitz;
    } targets[] = {
        {"kind: codebook, rate: 0.5, sd: 0.1, weight: 0.25", "4", 0.25, 1.0},
        {"kind: gaussian, variance: 1, spectrum: {kind: power, exponent: 1}", "1, 1000000", 0.0, 0.0},
        {"kind: mixture, weights: [0.5, 0.5], means: [d^1/2, 1], sds: [0, 0.3]", "1, 64", 0.0, 0.0},
        {"kind: laplace", "1, 64", 0.0, 0.0},
        {"kind: two-moons", "2, 8", 0.0, 0.0},
        {"kind: direct-sum, factors: [{kind: gaussian, variance: 2, copies: 1}, {kind: radial, weights: [0.5, 0.5], "
         "sds: "
         "[0.5, 1], copies: rest}]",
         "2, 64", 0.0, NAN},
        {"kind: radial, weights: [0.5, 0.5], sds: [0.5, 1]", "2, 64", 0.0, NAN},
        {"kind: radial, weights: [0.5, 0.5], sds: [0.5, 1]", "2", 0.0, 0.0},
        {"kind: curie-weiss, beta: 1.5", "1, 4", 0.0, NAN},
    };
    for (size_t i = 0; i < COUNT(targets); i++) {
        char words[400];
        OWNED(spec) spec;
        OWNED(manifest) m;
        FREED char *written = NULL;
        (void)snprintf(words, sizeof words,
                       "targets: [{name: x, %s}]\nsamplers: [ddpm]\ndimensions: [%s]\nsteps: [64]\n%s",
                       targets[i].target, targets[i].dimensions,
                       strstr(targets[i].target, "curie") != NULL ? "samples: {chains: 512}\n" : "");
        ASSERT_OK(spec_parse, "x.yaml", words, strlen(words), "", claim_names(), &spec);
        ASSERT_OK(manifest_write, &spec, NULL, 0, &written);
        ASSERT_OK(manifest_parse, "m", written, &spec.parameters, &m);
        ck_assert_double_eq(m.targets[0].codewords, targets[i].codewords);
        ck_assert_msg(m.targets[0].lipschitz == targets[i].lipschitz
                          || (isnan(m.targets[0].lipschitz) && isnan(targets[i].lipschitz)),
                      "%s: %g", targets[i].target, m.targets[0].lipschitz);
    }
}

/* Four components in three coordinates have no exact law: without chains that dimension fails, with chains it has
 * those alone, and the others have their laws. */
TEST(it_says_which_targets_have_laws)
{
    static const struct {
        const char *dimensions, *more;
        bool has_law;
    } cases[] = {{"1, 2, 3", "", true},
                 {"1, 2, 3", "samples: {chains: 512}\n", true},
                 {"3, 4", "samples: {chains: 512}\n", false}};
    for (int i = 0; i < COUNT(cases); i++) {
        char mixed[300];
        OWNED(spec) spec;
        OWNED(manifest) m;
        FREED char *written = NULL;
        (void)snprintf(mixed, sizeof mixed,
                       "targets: [{name: r, kind: mixture-random, components: 4, spread: 2, "
                       "sd: 0.5}]\nsamplers: [ddpm]\ndimensions: [%s]\nsteps: [64]\n%s",
                       cases[i].dimensions, cases[i].more);
        ASSERT_OK(spec_parse, "mixed.yaml", mixed, strlen(mixed), "", claim_names(), &spec);
        ASSERT_OK(manifest_write, &spec, NULL, 0, &written);
        ASSERT_OK(manifest_parse, "m", written, &spec.parameters, &m);
        ck_assert_int_eq(m.targets[0].has_law, cases[i].has_law);
    }
}

/* In what `write` makes of that experiment. */
static const struct {
    const char *from, *to, *message;
} wrong[] = {
    {"{\"title\": ", "{[", "not valid YAML"},
    {"\"title\"", "\"tidle\"", "missing key 'title'"},
    {"\"name\": \"ddpm\"", "\"name\": \"../ddpm\"", "a name of [A-Za-z0-9._-]"},
    {"\"family\": \"gaussian\"", "\"family\": \"<b>\"", "a name of [A-Za-z0-9._-]"},
    {"\"dimensions\"", "\"dimension\"", "missing key 'dimensions'"},
    {"\"dimensions\": [1, 4]", "\"dimensions\": [0, 4]", "expected an integer from 1"},
    {"\"steps\": [32, 64]", "\"steps\": [32, 32]", "duplicate steps"},
    {"\"seed\": 7", "\"seed\": -7", "expected an integer from 0"},
    {"\"hellinger2\"", "\"nothing\"", "unknown quantity 'nothing'"},
    {"\"methods\": [\"knn\"]", "\"methods\": []", "a non-empty list"},
    {"\"deterministic\": false", "\"deterministic\": 0", "unknown deterministic '0', expected one of: false, true"},
    {"\"grid\": [", "\"grill\": [", "missing key 'grid'"},
    {"\"power\": true", "\"power\": [true]", "expected a power, found a list"},
    {"\"parameters\": {", "\"parameters\": {\"../x\": 1, ", "found a parameter that is no name"},
    {"\"parameters\": {", "\"parameters\": {[1]: 1, ", "expected a key, found a list"},
    {"\"size\": 0.", "\"size\": x0.", "expected a number"},
    {"\"axis\": \"step_size\"", "\"axis\": \"accuracy\"", "no claim has an exponent in 'accuracy'"},
    {"\"samplers\": [\"ddpm\"]", "\"samplers\": [\"none\"]", "unknown samplers 'none'"},
    {"\"slower\": \"ddpm\"", "\"slower\": \"none\"", "unknown sampler 'none'"},
    {"\"score_error\": 3", "\"score_error\": 5", "an integer from 0 to 4"},
    {"\"samplers\": [\n", "\"samplers\": 3, \"rest\": [\n", "expected a list"},
};

TEST(what_is_wrong_is_refused, .count = COUNT(wrong))
{
    OWNED(spec) spec;
    OWNED(manifest) m;
    struct error error = {STATUS_OK, ""};
    FREED char *written = write(&spec), *bad = NULL;
    char *at = strstr(written, wrong[_i].from);
    ck_assert_ptr_nonnull(at);
    ck_assert(asprintf(&bad, "%.*s%s%s", (int)(at - written), written, wrong[_i].to, at + strlen(wrong[_i].from))
              > 0);
    ck_assert_int_eq(manifest_parse("m", bad, &spec.parameters, &m, &error), STATUS_INVALID);
    ck_assert_msg(strstr(error.text, wrong[_i].message) != NULL, "%s", error.text);
    ck_assert_int_eq(strncmp(error.text, "m:", 2), 0);
}

/* The lists of a small text may have a product that no experiment has, nor any memory room for. */
TEST(too_many_complexities_are_refused)
{
    static const char few[] = "\"dimensions\": [1, 4]";
    OWNED(spec) spec;
    OWNED(manifest) m;
    struct error error = {STATUS_OK, ""};
    FREED char *written = write(&spec), *many = NULL;
    size_t length;
    const char *at = strstr(written, few);
    FILE *file = open_memstream(&many, &length);
    ck_assert(at != NULL && file != NULL);
    fprintf(file, "%.*s\"dimensions\": [1", (int)(at - written), written);
    for (size_t d = 2; d <= 3000; d++) /* of 3 targets, 6 samplers, 5 score errors and 2 accuracies */
        fprintf(file, ", %zu", d);
    fprintf(file, "]%s", at + strlen(few));
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(manifest_parse("m", many, &spec.parameters, &m, &error), STATUS_INVALID);
    ck_assert_msg(strstr(error.text, "found more than 500000 T(d, eps)") != NULL, "%s", error.text);
}
