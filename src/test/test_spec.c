#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "experiment/spec.h"

#include "test/suite.h"
#include "test/targets.h"

TEST_SUITE(spec);

#define TARGETS "targets: [{name: g, kind: gaussian, variance: 1}]\n"
#define MIXTURE "targets: [{name: m, kind: mixture, weights: [0.5, 0.5], means: [-1, 1], sds: [1, 1]}]\n"
#define SAMPLERS "samplers: [ddpm]\n"
#define DIMENSIONS "dimensions: [1]\n"
#define STEPS "steps: [64]\n"
#define FIFTY "01234567890123456789012345678901234567890123456789"
#define LONG_NAME FIFTY "0123456789abc"                                                  /* 63 bytes */
#define LONG_TITLE FIFTY FIFTY FIFTY "0123456789012345678901234567890123456789abcdefghi" /* 199 bytes */
#define TAIL SAMPLERS DIMENSIONS STEPS
#define EVEN SAMPLERS "dimensions: [8, 2]\n" STEPS
#define CHAINS "samples: {chains: 1000}\n"
#define RANDOM(rest) "targets: [{name: r, kind: mixture-random, " rest "}]\n"
#define FULL(rest) \
    "targets:\n- name: f\n  kind: mixture-full\n  weights: [0.5, 0.5]\n  means: [[0, 1], [1, 0]]\n  " \
    "covariances: " rest "\n"
#define PLANE "targets:\n- name: p\n  kind: mixture-plane\n  weights: [0.5, 0.5]\n"

static const char *const claims[] = {"eps-ddpm", "eps-accelerated", "low-dimension", NULL};

static enum status parse(const char *text, struct spec *spec, struct error *error)
{
    return spec_parse("bad.yaml", text, strlen(text), "", claims, spec, error);
}

static const char full[] =
    "# every feature\n"
    "title: \"Bimodal: product\"\n"
    "schedule: {kind: li-yan, c0: 3, c1: 9.5e+0}\n"
    "targets:\n"
    "  - {name: bimodal, kind: mixture, weights: [0.25, 0.75], means: [-1, +1.5], sds: [0.3, 3E-1]}\n"
    "  - kind: gaussian\n"
    "    name: 'gauss.2_b-c'\n"
    "    mean: -2.5\n"
    "    variance: 0.25\n"
    "    spectrum: {kind: power, exponent: 1.5}\n"
    "  - {name: few, kind: gaussian, variance: 2, spectrum: {kind: k-of-d, k: 8}}\n"
    "  - {name: 1flat, kind: gaussian, variance: 2, spectrum: {kind: flat}}\n"
    "  - {name: plane, kind: mixture-plane, weights: [0.25, 0.75], means: [[-1, 2.5], [3, -4e-1]], sds: [0.3, 0]}\n"
    "  - name: mixed\n"
    "    kind: direct-sum\n"
    "    factors:\n"
    "    - {kind: mixture, weights: [0.1, 0.2, 0.7], means: [0, 1, 2], sds: [1, 2, 3], copies: 3}\n"
    "    - {copies: rest, kind: gaussian, variance: 0.5, spectrum: {kind: k-of-d, k: 2}}\n"
    "samplers: [accelerated, ddpm, ddpm-ancestral]\n"
    "dimensions:\n"
    "- 256\n"
    "- 10\n"
    "- 1024\n"
    "steps: [1024, 64, 256]\n"
    "score_errors:\n"
    "- {shape: wave, size: [0.5, 1.0e-3], roughness: [2, 0.5, 8], spread: one, profile: late}\n"
    "- {size: 3, shape: bump, probability: 0.25, growth: -0.5}\n"
    "- {shape: none}\n"
    "- {shape: bias, spread: diagonal, size: [2]}\n"
    "samples: {chains: [9000, 512], methods: [weights, projection], directions: 3, seed: 12}\n"
    "accuracies: [1.0e-2, 0.5, 1e-1]\n"
    "max_steps: 4096\n"
    "claims:\n"
    "- low-dimension\n"
    "- {name: mine, says: fast, source: me, sampler: ddpm, quantity: steps, at_most: {d: 1/2, accuracy: 1}, targets: "
    "few}\n"
    "- eps-ddpm\n"
    "- {name: other, quantity: w2, at_most: {T: -1}, at_least: {h: 1.5}}\n";

static void check_targets(const struct spec *spec)
{
    ck_assert_uint_eq(spec->target_count, 6);
    struct target *t = &spec->targets[0];
    ck_assert_str_eq(t->name, "bimodal");
    ck_assert_ptr_eq(t->family, target_family_find("mixture"));
    ck_assert_uint_eq(reals_in(t, "weights")->count, 2);
    ck_assert_double_eq(reals_in(t, "weights")->value[0], 0.25);
    ck_assert_double_eq(reals_in(t, "weights")->value[1], 0.75);
    ck_assert_double_eq(reals_in(t, "means")->value[0], -1.0);
    ck_assert_double_eq(reals_in(t, "means")->value[1], 1.5);
    ck_assert_double_eq(reals_in(t, "sds")->value[0], 0.3);
    ck_assert_double_eq(reals_in(t, "sds")->value[1], 0.3);
    t = &spec->targets[1];
    ck_assert_str_eq(t->name, "gauss.2_b-c");
    ck_assert_ptr_eq(t->family, target_family_find("gaussian"));
    ck_assert_double_eq(*real_in(t, "mean"), -2.5);
    ck_assert_double_eq(*real_in(t, "variance"), 0.25);
    ck_assert_uint_eq(*integer_in(t, "spectrum"), 1);
    ck_assert_double_eq(*real_in(t, "exponent"), 1.5);
    t = &spec->targets[2];
    ck_assert_double_eq(*real_in(t, "mean"), 0.0);
    ck_assert_double_eq(*real_in(t, "variance"), 2.0);
    ck_assert_uint_eq(*integer_in(t, "spectrum"), 2);
    ck_assert_uint_eq(*integer_in(t, "k"), 8);
    ck_assert_str_eq(spec->targets[3].name, "1flat");
    ck_assert_uint_eq(*integer_in(&spec->targets[3], "spectrum"), 0);
}

static void check_points(struct target *t)
{
    static const double points[] = {-1.0, 2.5, 3.0, -0.4};
    ck_assert_ptr_eq(t->family, target_family_find("mixture-plane"));
    ck_assert_uint_eq(points_in(t, "means")->count, 2);
    ck_assert_uint_eq(points_in(t, "means")->width, 2);
    ck_assert_mem_eq(points_in(t, "means")->value, points, sizeof points);
    ck_assert_double_eq(reals_in(t, "sds")->value[1], 0.0);
}

static void check_parts(struct target *t)
{
    const struct target_list *parts = parts_in(t, "factors");
    ck_assert_str_eq(t->name, "mixed");
    ck_assert_ptr_eq(t->family, target_family_find("direct-sum"));
    ck_assert_uint_eq(parts->count, 2);
    ck_assert_ptr_eq(parts->part[0].target.family, target_family_find("mixture"));
    ck_assert_str_eq(parts->part[0].target.name, "");
    ck_assert_uint_eq(reals_in(&parts->part[0].target, "weights")->count, 3);
    ck_assert_double_eq(reals_in(&parts->part[0].target, "weights")->value[2], 0.7);
    ck_assert_double_eq(reals_in(&parts->part[0].target, "sds")->value[2], 3.0);
    ck_assert_uint_eq(parts->part[0].copies, 3);
    ck_assert_ptr_eq(parts->part[1].target.family, target_family_find("gaussian"));
    ck_assert_double_eq(*real_in(&parts->part[1].target, "variance"), 0.5);
    ck_assert_uint_eq(*integer_in(&parts->part[1].target, "k"), 2);
    ck_assert_uint_eq(parts->part[1].copies, 0);
}

/* `none` comes first wherever it stands; the others in the author's order, the last list varying fastest. */
static void check_score_errors(const struct spec *spec)
{
    static const double roughness[] = {2.0, 0.5, 8.0};
    const struct score_error *errors = spec->score_errors;
    ck_assert_uint_eq(spec->score_error_count, 9);
    ck_assert_int_ne(spec->exact_scores_listed, 0);
    ck_assert_ptr_null(errors[0].shape);
    for (size_t i = 0; i < 6; i++) {
        ck_assert_ptr_eq(errors[1 + i].shape, error_shape_find("wave"));
        ck_assert_ptr_eq(errors[1 + i].profile, error_profile_find("late"));
        ck_assert_int_eq(errors[1 + i].spread, SPREAD_ONE);
        ck_assert_double_eq(errors[1 + i].size, i < 3 ? 0.5 : 1e-3);
        ck_assert_double_eq(score_error_param(&errors[1 + i], "roughness"), roughness[i % 3]);
        ck_assert(isnan(score_error_param(&errors[1 + i], "probability")));
        ck_assert_double_eq(errors[1 + i].growth, 0.0);
    }
    ck_assert_ptr_eq(errors[7].shape, error_shape_find("bump"));
    ck_assert_ptr_eq(errors[7].profile, error_profile_find("uniform"));
    ck_assert_int_eq(errors[7].spread, SPREAD_ALL);
    ck_assert_double_eq(errors[7].size, 3.0);
    ck_assert_double_eq(score_error_param(&errors[7], "probability"), 0.25);
    ck_assert_double_eq(errors[7].growth, -0.5);
    ck_assert_ptr_eq(errors[8].shape, error_shape_find("bias"));
    ck_assert_int_eq(errors[8].spread, SPREAD_DIAGONAL);
    ck_assert_double_eq(errors[8].size, 2.0);
}

static void check_schedule(const struct spec *spec, const char *kind, double c0, double c1)
{
    const struct schedule_constants *constants = (const void *)&spec->schedules[0].values;
    ck_assert_uint_eq(spec->schedule_count, 1);
    ck_assert_ptr_eq(spec->schedules[0].kind, schedule_kind_find(kind));
    ck_assert_double_eq(constants->c0, c0);
    ck_assert_double_eq(constants->c1, c1);
}

static void check_full(const struct spec *spec)
{
    ck_assert_str_eq(spec->text, full);
    ck_assert_str_eq(spec->title, "Bimodal: product");
    check_schedule(spec, "li-yan", 3.0, 9.5);
    check_targets(spec);
    check_points(&spec->targets[4]);
    check_parts(&spec->targets[5]);
    ck_assert_uint_eq(spec->sampler_count, 3);
    ck_assert_ptr_eq(spec->samplers[0], sampler_find("accelerated"));
    ck_assert_ptr_eq(spec->samplers[1], sampler_find("ddpm"));
    ck_assert_ptr_eq(spec->samplers[2], sampler_find("ddpm-ancestral"));
    ck_assert_uint_eq(spec->dimension_count, 3);
    ck_assert_uint_eq(spec->dimensions[0], 10);
    ck_assert_uint_eq(spec->dimensions[1], 256);
    ck_assert_uint_eq(spec->dimensions[2], 1024);
    ck_assert_uint_eq(spec->step_count, 3);
    ck_assert_uint_eq(spec->steps[0], 64);
    ck_assert_uint_eq(spec->steps[1], 256);
    ck_assert_uint_eq(spec->steps[2], 1024);
    check_score_errors(spec);
    ck_assert_uint_eq(spec->accuracy_count, 3);
    ck_assert_double_eq(spec->accuracies[0], 0.5);
    ck_assert_double_eq(spec->accuracies[1], 0.1);
    ck_assert_double_eq(spec->accuracies[2], 0.01);
    ck_assert_uint_eq(spec->max_steps, 4096);
    ck_assert_uint_eq(spec->chain_count, 2);
    ck_assert_uint_eq(spec->chains[0], 512);
    ck_assert_uint_eq(spec->chains[1], 9000);
    ck_assert_uint_eq(spec->methods, 5); /* the first and the third */
    ck_assert_uint_eq(spec->directions, 3);
    ck_assert_uint_eq(spec->seed, 12);
    ck_assert_uint_eq(spec->claim_count, 4);
    ck_assert_str_eq(spec->claims[0], "low-dimension");
    ck_assert_str_eq(spec->claims[2], "eps-ddpm");
    ck_assert_uint_eq(spec->own_claim_count, 2);
    const struct claim_spec *own = spec->own_claims;
    ck_assert_str_eq(spec->claims[1], "mine");
    ck_assert_str_eq(own[0].says, "fast");
    ck_assert_str_eq(own[0].source, "me");
    ck_assert(own[0].quantity == NULL && own[0].sampler_count == 1 && own[0].target_count == 1);
    ck_assert_str_eq(own[0].targets[0], "few");
    ck_assert_uint_eq(own[0].power_count, 2); /* in the author's order */
    ck_assert_str_eq(own[0].powers[0].axis, "dimension");
    ck_assert_double_eq(own[0].powers[0].value, 0.5);
    ck_assert_str_eq(own[1].quantity->name, "w2");
    ck_assert(own[1].sampler_count == 3 && own[1].targets == NULL);
    ck_assert(!own[1].powers[0].at_least && own[1].powers[1].at_least);
}

TEST(test_every_feature)
{
    struct spec spec;
    ASSERT_OK(parse, full, &spec);
    check_full(&spec);
    spec_free(&spec);
    ck_assert_ptr_null(spec.text);
    spec_free(&spec);
}

TEST(test_defaults)
{
    OWNED(spec) spec;
    ASSERT_OK(parse, TARGETS TAIL, &spec);
    ck_assert_str_eq(spec.name, "bad");
    ck_assert_str_eq(spec.title, "bad");
    check_schedule(&spec, "li-cai", 2.0, 8.5);
    ck_assert_double_eq(*real_in(&spec.targets[0], "mean"), 0.0);
    ck_assert_uint_eq(*integer_in(&spec.targets[0], "spectrum"), 0);
    ck_assert_uint_eq(spec.accuracy_count, 0);
    ck_assert_uint_eq(spec.max_steps, 65536);
    ck_assert_uint_eq(spec.claim_count, 0);
    ck_assert_uint_eq(spec.score_error_count, 1);
    ck_assert_ptr_null(spec.score_errors[0].shape);
    ck_assert_int_ne(spec.exact_scores_listed, 0);
}

/* Texts near a limit that are still right. */
static const char *const good_texts[] = {
    TARGETS TAIL CHAINS,
    TARGETS TAIL "samples: {chains: [128, 100000], methods: [knn], directions: 0, seed: 0}\n",
    RANDOM("components: 10000, spread: 1, sd: 1") EVEN CHAINS,
    RANDOM("components: 3, spread: 1, sd: 1, covariances: each, condition: 1, seed: 0") EVEN CHAINS,
    FULL("[[[1, 0.5], [0.5, 1]]]") EVEN CHAINS,
    FULL("[[[1, 0.5], [0.5, 1]], [[1, 0], [0, 2]]]") EVEN CHAINS,
    MIXTURE SAMPLERS "dimensions: [4]\n" STEPS CHAINS "score_errors: [{shape: sign, size: 1, spread: diagonal}]\n",
    TARGETS SAMPLERS "dimensions: [9007199254740992]\n" STEPS,
    MIXTURE SAMPLERS "dimensions: [9007199254740992]\naccuracies: [0.1]\nmax_steps: 10000000\n",
    TARGETS SAMPLERS DIMENSIONS "accuracies: [0.1]\n",
    "---\n" TARGETS TAIL "...\n",
    "%YAML 1.1\n---\n" TARGETS TAIL,
    "\xEF\xBB\xBF" TARGETS TAIL,
    "{\"targets\": [{name: \"null\", kind: 'gaussian', variance: 1e-300}], "
    "samplers: [ddpm], dimensions: [1], steps: [64]}",
    "schedule: {kind: li-cai}\n" TARGETS TAIL,
    "schedule: {c1: 5, kind: li-cai}\n" TARGETS TAIL,
    "title: \"\xC3\xA9t\xC3\xA9\"\n" TARGETS TAIL,
    "title: '\xD7\x90\xE2\x80\x8F; `$(<&>\"''{}_^@~\\%s'\n" TARGETS TAIL,
    "targets: [{name: m, kind: mixture, weights: [0.5, 0.5], means: [-1, 1], sds: [0, 0.0]}]\n" TAIL,
    "targets: [{name: p, kind: mixture-plane, weights: [1], means: [[0, 0]], sds: [1]}]\n" EVEN,
    "targets: [{name: t, kind: student-t, nu: 2.5}]\n" TAIL,
    "targets: [{name: t, kind: student-t, nu: 4, scale: 0.5, components: 200}]\n" TAIL,
    "targets: [{name: s, kind: direct-sum, factors: [{kind: student-t, nu: 3, copies: 2}, {kind: gaussian, "
    "variance: 1, copies: rest}]}]\nsamplers: [ddpm]\ndimensions: [3]\nsteps: [64]\n",
    "targets: [{name: m, kind: mixture, weights: [0.5, 0.5000000005], means: [0, 1], sds: [1, 1]}]\n" TAIL,
    "targets: [{name: " LONG_NAME ", kind: gaussian, variance: 1}]\n" TAIL,
    "title: " LONG_TITLE "\n" TARGETS TAIL,
    TARGETS SAMPLERS DIMENSIONS "accuracies: [0.1]\nscore_errors: [{shape: none}]\n",
    TARGETS TAIL "score_errors: [{shape: bump, size: 1.0e-300, probability: [0.4999999, 1.0e-300]}]\n",
    TARGETS TAIL
    "score_errors: [{shape: bias, size: 1}, {shape: bias, size: 1, growth: 1}, {shape: linear, size: 1}, "
    "{shape: bias, size: 1, spread: one}, {shape: bias, size: 1, profile: early}]\n",
    MIXTURE SAMPLERS "dimensions: [1]\n" STEPS "score_errors: [{shape: sign, size: 1, spread: diagonal}]\n",
    MIXTURE SAMPLERS "dimensions: [1, 8]\n" STEPS "score_errors: [{shape: bias, size: 1, spread: diagonal}]\n",
    TARGETS SAMPLERS "dimensions: [1, 8]\n" STEPS "score_errors: [{shape: sign, size: 1, spread: diagonal}]\n",
};

TEST(test_samplers_with_parameters)
{
    OWNED(spec) spec;
    ASSERT_OK(parse,
              TARGETS "samplers:\n- {kind: accelerated}\n- {kind: accelerated-unclipped, overshoot: 1.0}\n"
                      "- {kind: accelerated, overshoot: 1/4}\n- {kind: ddpm, name: plain}\n"
                      "- {kind: accelerated, overshoot: 0, name: ode}\n" DIMENSIONS STEPS,
              &spec);
    static const char *const described[] = {"accelerated", "accelerated-unclipped",
                                            "accelerated-overshoot-0.25 kind accelerated overshoot 0.25 clip 2",
                                            "plain kind ddpm", "ode kind accelerated overshoot 0 clip 2"};
    ck_assert_uint_eq(spec.sampler_count, COUNT(described));
    ck_assert_ptr_eq(spec.samplers[0], sampler_find("accelerated"));
    ck_assert_ptr_eq(spec.samplers[1], sampler_find("accelerated-unclipped"));
    ck_assert_ptr_eq(sampler_kind(spec.samplers[4]), sampler_find("accelerated"));
    ck_assert(spec.samplers[2]->log_noise_ratio != NULL && spec.samplers[4]->log_noise_ratio == NULL);
    for (size_t i = 0; i < COUNT(described); i++) {
        char text[200] = "";
        FILE *stream = fmemopen(text, sizeof text, "w");
        ck_assert_ptr_nonnull(stream);
        sampler_describe(spec.samplers[i], stream);
        ck_assert_int_eq(fclose(stream), 0);
        ck_assert_str_eq(text, described[i]);
    }
}

TEST(test_good_text, .count = COUNT(good_texts))
{
    OWNED(spec) spec;
    ASSERT_OK(parse, good_texts[_i], &spec);
}

static const struct bad {
    const char *text;
    int line, column;
    const char *message;
} bad_texts[] = {
    /* The document. */
    {"", 1, 1, "the file is empty, expected a mapping"},
    {"# only a comment\n", 1, 1, "the file is empty"},
    {"--- \n", 2, 1, "expected a mapping, found nothing"},
    {"hello\n", 1, 1, "expected a mapping, found 'hello'"},
    {"hello\n\n\nthere\n", 1, 1, "expected a mapping, found 'hello...'"},
    /* Titles. */
    {"title: \"a\\nb\"\n" TARGETS TAIL, 1, 8, "found a control character, expected a title on one line"},
    {"title: \"a\\eb\"\n" TARGETS TAIL, 1, 8, "found a control character"},
    {"title: \"a\\x9Bb\"\n" TARGETS TAIL, 1, 8, "found a control character"},
    {"title: \"a\\Lb\"\n" TARGETS TAIL, 1, 8, "found a control character"},
    {"title: \"a\\0b\"\n" TARGETS TAIL, 1, 8, "found a control character"},
    {"title: a\xE2\x80\xAE_\n" TARGETS TAIL, 1, 8, "found a control character"},
    {"title: a\xE2\x81\xA6_\n" TARGETS TAIL, 1, 8, "found a control character"},
    {"title: a\xFF\n" TARGETS TAIL, 1, 9, "not valid YAML: invalid leading UTF-8 octet"},
    {"\"ti\\etle\": x\n" TARGETS TAIL, 1, 1, "found a control character, expected a key on one line"},
    {"- a\n", 1, 1, "expected a mapping, found a list"},
    {TARGETS TAIL "---\n" TARGETS TAIL, 5, 1, "found a second document, expected one"},
    {TARGETS TAIL "...\n---\nx\n", 6, 1, "found a second document"},
    {TARGETS "samplers: [ddpm\ndimensions: [1]\n", 3, 11, "not valid YAML: while parsing a flow sequence"},
    {TARGETS "samplers: @\n", 2, 11, "not valid YAML: while scanning for the next token"},
    {TARGETS "  samplers: [ddpm]\n", 2, 3, "not valid YAML: "},
    {"title: \"\xC3\xA9\"\nsteps: \xFF\n", 2, 8, "not valid YAML: invalid leading UTF-8 octet"},
    {"title: \xC3\xA9\x01\n", 1, 9, "not valid YAML: control characters are not allowed"},
    {"title: &a x\n" TARGETS TAIL, 1, 8, "aliases are not supported"},
    {TARGETS "samplers: &s [ddpm]\ndimensions: [1]\nsteps: [64]\n", 2, 11, "aliases are not supported"},
    {"title: *a\n" TARGETS TAIL, 1, 8, "aliases are not supported"},
    {"steps: &a [*a]\n", 1, 8, "aliases are not supported"},
    {"a: &a {<<: *a}\n", 1, 4, "aliases are not supported"},
    {TARGETS SAMPLERS "dimensions: [!!int 1]\nsteps: [64]\n", 3, 14, "tags are not supported"},
    /* Samples. */
    {TARGETS TAIL "samples: 3\n", 5, 10, "expected a mapping"},
    {TARGETS TAIL "samples: {}\n", 5, 10, "missing key 'chains'"},
    {TARGETS TAIL "samples: {chains: 511}\n", 5, 19, "expected an integer from 512 to 268435456, found '511'"},
    {TARGETS TAIL "samples: {chains: [1000, 1000]}\n", 5, 26, "duplicate number of chains '1000'"},
    {TARGETS TAIL "samples: {chains: [1000, 1e3]}\n", 5, 26, "1e3"},
    {TARGETS TAIL "samples: {chains: 300000000}\n", 5, 19,
     "expected an integer from 512 to 268435456, found '300000000'"},
    {TARGETS TAIL "samples: {chains: 1000, methods: [knm]}\n", 5, 35, "did you mean 'knn'?"},
    {TARGETS TAIL "samples: {chains: 1000, methods: [knn, knn]}\n", 5, 40, "duplicate method 'knn'"},
    {TARGETS TAIL "samples: {chains: 1000, directions: 1001}\n", 5, 37,
     "expected an integer from 0 to 1000, found '1001'"},
    {TARGETS TAIL "samples: {chains: 1000, seed: -1}\n", 5, 31, "-1"},
    {TARGETS TAIL "samples: {chains: 1000, seeds: 1}\n", 5, 25, "did you mean 'seed'?"},
    {TARGETS SAMPLERS DIMENSIONS "accuracies: [0.1]\n" CHAINS, 5, 10, "missing key 'steps'"},
    {RANDOM("components: 5, spread: 1, sd: 1") EVEN, 1, 11, "target r, d = 8: no exact engine for 5 components"},
    {RANDOM("components: 5, spread: 1, sd: 1") EVEN CHAINS "accuracies: [0.1]\n", 1, 11, "no exact engine"},
    {RANDOM("components: 0, spread: 1, sd: 1") EVEN CHAINS, 1, 55, "expected an integer from 1"},
    {RANDOM("components: 10001, spread: 1, sd: 1") EVEN CHAINS, 1, 55,
     "expected an integer from 1 to 10000, found '10001'"},
    {RANDOM("components: 5, spread: 0, sd: 1") EVEN CHAINS, 1, 66, "a number > 0"},
    {RANDOM("components: 5, spread: 1, sd: 1, condition: 0.9") EVEN CHAINS, 1, 87, "a number >= 1"},
    {RANDOM("components: 5, spread: 1, sd: 1, covariances: full") EVEN CHAINS, 1, 89, "isotropic, shared, each"},
    {RANDOM("components: 10000, spread: 1, sd: 1, covariances: each") SAMPLERS "dimensions: [1024]\n" STEPS CHAINS, 3,
     13, "asks for 1e+10 eigenvalues, means and matrix entries"},
    {FULL("[[[1, 0.5], [0.4, 1]]]") EVEN CHAINS, 6, 29, "found 0.4, but 0.5 across the diagonal"},
    {FULL("[[[1, 0.5]]]") EVEN CHAINS, 6, 17, "found a matrix of 1 rows, expected 2"},
    {FULL("[[[1], [0.5]]]") EVEN CHAINS, 6, 18, "found a point of 1 coordinates, expected 2"},
    {FULL("[[[1, 0], [0, 1]], [[1, 0], [0, 1]], [[1, 0], [0, 1]]]") EVEN CHAINS, 6, 16,
     "found 3 matrices, expected 1 or 2"},
    {FULL("[[[1, 0], [0, 1]]]") SAMPLERS "dimensions: [3]\n" STEPS CHAINS, 8, 13, "do not fill dimension 3"},
    /* Keys. */
    {TARGETS TAIL "step: [3]\n", 5, 1,
     "unknown key 'step', expected one of: title, plugins, schedule, targets, samplers, dimensions, steps, "
     "score_errors, "
     "samples, accuracy_in, accuracies, max_steps, claims; did you mean 'steps'?"},
    {TARGETS TAIL "sampler: 1\n", 5, 1, "max_steps, claims; did you mean 'samplers'?"},
    {TARGETS TAIL "maxsteps: 9\n", 5, 1, "did you mean 'max_steps'?"},
    {TARGETS TAIL "colour: 1\n", 5, 1, "unknown key 'colour', expected one of: title"},
    {TARGETS TAIL "<<: {a: 1}\n", 5, 1, "unknown key '<<'"},
    {TARGETS TAIL "? [a]\n: 1\n", 5, 3, "expected a key, found a list"},
    {TARGETS TAIL "~: 1\n", 5, 1, "expected a key, found nothing"},
    {TARGETS TAIL "\"\": 1\n", 5, 1, "expected a key, found an empty string"},
    {TARGETS TAIL "\"steps\\0\": 1\n", 5, 1, "found a control character, expected a key on one line"},
    {TARGETS TAIL "steps: [4]\n", 5, 1, "duplicate key 'steps', first given on line 4, column 1"},
    {TARGETS TAIL "\"steps\": [4]\n", 5, 1, "duplicate key 'steps'"},
    {SAMPLERS DIMENSIONS STEPS, 1, 1, "missing key 'targets'"},
    {"\n" TARGETS DIMENSIONS STEPS, 2, 1, "missing key 'samplers'"},
    {TARGETS SAMPLERS STEPS, 1, 1, "missing key 'dimensions'"},
    {TARGETS SAMPLERS DIMENSIONS, 1, 1, "missing key 'steps' or 'accuracies', expected at least one of them"},
    /* title */
    {"title:\n" TARGETS TAIL, 1, 7, "expected a title, found nothing"},
    {"title: ''\n" TARGETS TAIL, 1, 8, "expected a title, found an empty string"},
    {"title: NULL\n" TARGETS TAIL, 1, 8, "expected a title, found nothing"},
    {"title: [a]\n" TARGETS TAIL, 1, 8, "expected a title, found a list"},
    {"title: {a: b}\n" TARGETS TAIL, 1, 8, "expected a title, found a mapping"},
    {"title: \"a\\nb\"\n" TARGETS TAIL, 1, 8, "found a control character, expected a title on one line"},
    {"title: |\n  a\n" TARGETS TAIL, 1, 8, "found a control character"},
    {"title: " LONG_TITLE "+\n" TARGETS TAIL, 1, 8, "found a title of 200 bytes, expected at most 199"},
    /* schedule */
    {"schedule: li-cai\n" TARGETS TAIL, 1, 11, "expected a mapping, found 'li-cai'"},
    {"schedule: {c0: 1}\n" TARGETS TAIL, 1, 11, "missing key 'kind'"},
    {"schedule: {kind: sine}\n" TARGETS TAIL, 1, 18,
     "unknown schedule 'sine', expected one of: li-cai, li-yan, exponential, linear-beta, cosine, karras, table"},
    {"schedule: {kind: licai}\n" TARGETS TAIL, 1, 18, "did you mean 'li-cai'?"},
    {"schedule: {kind: li-cai, c2: 1}\n" TARGETS TAIL, 1, 26, "unknown key 'c2', expected one of: kind, c0, c1"},
    {"schedule: {kind: li-cai, c0: 0}\n" TARGETS TAIL, 1, 30, "expected a number in (0, 1000), found '0'"},
    {"schedule: {kind: li-cai, c1: -1.5}\n" TARGETS TAIL, 1, 30, "expected a number in (0, 1000), found '-1.5'"},
    {"schedule: {kind: li-cai, c1: [1, 0]}\n" TARGETS TAIL, 1, 34, "expected a number in (0, 1000), found '0'"},
    {"schedule: {kind: li-yan, c0: 1.0e-3, c1: 1.0e+7}\n" TARGETS TAIL, 1, 42, "in (0, 1000), found '1.0e+7'"},
    {"schedule: {kind: li-cai, kind: li-yan}\n" TARGETS TAIL, 1, 26, "duplicate key 'kind'"},
    /* targets */
    {"targets: {name: g}\n" TAIL, 1, 10, "expected a non-empty list, found a mapping"},
    {"targets: []\n" TAIL, 1, 10, "expected a non-empty list, found an empty list"},
    {"targets:\n" TAIL, 1, 9, "expected a non-empty list, found nothing"},
    {"targets: [g]\n" TAIL, 1, 11, "expected a mapping, found 'g'"},
    {"targets:\n  - name: g\n    variance: 1\n" TAIL, 2, 5, "missing key 'kind'"},
    {"targets:\n  - kind: gaussian\n    variance: 1\n" TAIL, 2, 5, "missing key 'name'"},
    {"targets:\n  - name: g\n    kind: gausian\n" TAIL, 3, 11,
     "unknown target kind 'gausian', expected one of: gaussian, mixture, mixture-plane, student-t, "
     "laplace, uniform, exponential, double-well, logistic, tabulated, mixture-full, mixture-random, radial, axis, "
     "direct-sum; did you mean 'gaussian'?"},
    {"targets:\n  - name: g\n    kind: [gaussian]\n" TAIL, 3, 11, "expected a target kind, found a list"},
    {"targets: [{name: g, kind: gaussian, variance: 1, copies: 1}]\n" TAIL, 1, 50,
     "unknown key 'copies', expected one of: name, kind, mean, variance, spectrum"},
    {"targets: [{name: g, kind: gaussian, varience: 1}]\n" TAIL, 1, 37, "did you mean 'variance'?"},
    {"targets: [{name: g, kind: gaussian, variance: 1, variance: 2}]\n" TAIL, 1, 50,
     "duplicate key 'variance', first given on line 1, column 37"},
    {"targets:\n- {name: g, kind: gaussian, variance: 1}\n- {name: h, kind: gaussian, variance: 1}\n"
     "- {kind: gaussian, variance: 1, name: g}\n" TAIL,
     4, 39, "duplicate target name 'g', first given on line 2, column 10"},
    {"targets: [{name: -g, kind: gaussian, variance: 1}]\n" TAIL, 1, 18, "starts with a letter or digit, found '-g'"},
    {"targets: [{name: .g, kind: gaussian, variance: 1}]\n" TAIL, 1, 18, "starts with a letter or digit"},
    {"targets: [{name: a/b, kind: gaussian, variance: 1}]\n" TAIL, 1, 18, "expected a name of [A-Za-z0-9._-]"},
    {"targets: [{name: a b, kind: gaussian, variance: 1}]\n" TAIL, 1, 18, "expected a name of [A-Za-z0-9._-]"},
    {"targets: [{name: \"\", kind: gaussian, variance: 1}]\n" TAIL, 1, 18, "expected a name, found an empty string"},
    {"targets: [{name: null, kind: gaussian, variance: 1}]\n" TAIL, 1, 18, "expected a name, found nothing"},
    {"targets: [{name: \xC3\xA9, kind: gaussian, variance: x}]\n" TAIL, 1, 47, "expected a number > 0, found 'x'"},
    {"targets: [{name: " LONG_NAME "+, kind: gaussian, variance: 1}]\n" TAIL, 1, 18,
     "found a name of 64 bytes, expected at most 63"},
    /* gaussian */
    {"targets: [{name: g, kind: gaussian, variance: 0}]\n" TAIL, 1, 47, "expected a number > 0, found '0'"},
    {"targets: [{name: g, kind: gaussian, variance: -1}]\n" TAIL, 1, 47, "expected a number > 0, found '-1'"},
    {"targets: [{name: g, kind: gaussian, variance: \"1\"}]\n" TAIL, 1, 47,
     "expected a number > 0, found a quoted string"},
    {"targets: [{name: g, kind: gaussian, variance: {a: 1}}]\n" TAIL, 1, 47, "found a mapping"},
    {"targets: [{name: g, kind: gaussian, variance: 1e-400}]\n" TAIL, 1, 47, "that double precision can hold"},
    {"targets: [{name: g, kind: gaussian, variance: 1e400}]\n" TAIL, 1, 47, "precision can hold, found '1e400'"},
    {"targets: [{name: g, kind: gaussian, variance: 1, mean: }]\n" TAIL, 1, 56, "expected a number, found nothing"},
    {"targets: [{name: g, kind: gaussian, variance: 1, mean: -1e999}]\n" TAIL, 1, 56, "double precision can hold"},
    {"targets: [{name: g, kind: gaussian, variance: 1, mean: 1e-2x}]\n" TAIL, 1, 56, "a number, found '1e-2x'"},
    {"targets: [{name: g, kind: gaussian, variance: 1, mean: .nan}]\n" TAIL, 1, 56, "a number, found '.nan'"},
    {"targets: [{name: g, kind: gaussian, variance: 1, mean: nan}]\n" TAIL, 1, 56, "a number, found 'nan'"},
    {"targets: [{name: g, kind: gaussian, variance: 1, mean: -inf}]\n" TAIL, 1, 56, "a number, found '-inf'"},
    {"targets: [{name: g, kind: gaussian, variance: 1, mean: .inf}]\n" TAIL, 1, 56, "a number, found '.inf'"},
    {"targets: [{name: g, kind: gaussian, variance: 1, mean: 0x10}]\n" TAIL, 1, 56, "a number, found '0x10'"},
    {"targets: [{name: g, kind: gaussian, variance: 1, mean: 1.}]\n" TAIL, 1, 56, "a number, found '1.'"},
    {"targets: [{name: g, kind: gaussian, variance: 1, mean: 5.}]\n" TAIL, 1, 56, "a number, found '5.'"},
    {"targets: [{name: g, kind: gaussian, variance: 1, mean: 1e}]\n" TAIL, 1, 56, "a number, found '1e'"},
    {"targets: [{name: g, kind: gaussian, variance: 1, mean: 1e+}]\n" TAIL, 1, 56, "a number, found '1e+'"},
    {"targets: [{name: g, kind: gaussian, variance: 1, mean: +-1}]\n" TAIL, 1, 56, "a number, found '+-1'"},
    {"targets: [{name: g, kind: gaussian, variance: 1, mean: -}]\n" TAIL, 1, 56, "a number, found '-'"},
    {"targets: [{name: g, kind: gaussian, variance: 1, mean: 1_000}]\n" TAIL, 1, 56, "a number, found '1_000'"},
    {"targets: [{name: g, kind: gaussian, variance: 1, mean: 1 2}]\n" TAIL, 1, 56, "a number, found '1 2'"},
    {"targets: [{name: g, kind: gaussian, variance: 1, mean: true}]\n" TAIL, 1, 56, "a number, found 'true'"},
    {"targets: [{name: g, kind: gaussian, variance: 1, spectrum: flat}]\n" TAIL, 1, 60,
     "expected a mapping, found 'flat'"},
    {"targets: [{name: g, kind: gaussian, variance: 1, spectrum: {k: 1}}]\n" TAIL, 1, 60, "missing key 'kind'"},
    {"targets: [{name: g, kind: gaussian, variance: 1, spectrum: {kind: steep}}]\n" TAIL, 1, 67,
     "unknown spectrum 'steep', expected one of: flat, power, k-of-d"},
    {"targets: [{name: g, kind: gaussian, variance: 1, spectrum: {kind: power}}]\n" TAIL, 1, 60,
     "missing key 'exponent'"},
    {"targets: [{name: g, kind: gaussian, variance: 1, spectrum: {kind: power, exponent: 0}}]\n" TAIL, 1, 84,
     "expected a number > 0, found '0'"},
    {"targets: [{name: g, kind: gaussian, variance: 1, spectrum: {kind: k-of-d}}]\n" TAIL, 1, 60, "missing key 'k'"},
    {"targets: [{name: g, kind: gaussian, variance: 1, spectrum: {kind: k-of-d, k: 0}}]\n" TAIL, 1, 78,
     "expected an integer from 1 to 2^53, found '0'"},
    {"targets: [{name: g, kind: gaussian, variance: 1, spectrum: {kind: k-of-d, k: 1.5}}]\n" TAIL, 1, 78,
     "found '1.5'"},
    {"targets: [{name: g, kind: gaussian, variance: 1, spectrum: {kind: flat, k: 1}}]\n" TAIL, 1, 73,
     "unknown key 'k', expected one of: kind"},
    {"targets: [{name: g, kind: gaussian, variance: 1, spectrum: {kind: power, exponent: 1, kind: flat}}]\n" TAIL, 1,
     87, "duplicate key 'kind'"},
    /* mixture */
    {"targets:\n- name: m\n  kind: mixture\n  weights: [1]\n  means: [0]\n" TAIL, 2, 3, "missing key 'sds'"},
    {"targets:\n- name: m\n  kind: mixture\n  weights: 1\n  means: [0]\n  sds: [1]\n" TAIL, 4, 12,
     "expected a non-empty list or the word equal, found '1'"},
    {"targets:\n- name: m\n  kind: mixture\n  weights: [1]\n  means: []\n  sds: [1]\n" TAIL, 5, 10,
     "expected a non-empty list, found an empty list"},
    {"targets:\n- name: m\n  kind: mixture\n  weights: [0.5, 0.6]\n  means: [0, 1]\n  sds: [1, 1]\n" TAIL, 4, 12,
     "the weights sum to 1.1, expected 1 within 1e-9"},
    {"targets:\n- name: m\n  kind: mixture\n  weights: [0.5, 0.500000002]\n  means: [0, 1]\n  sds: [1, 1]\n" TAIL, 4,
     12, "the weights sum to 1.000000002, expected 1"},
    {"targets:\n- name: m\n  kind: mixture\n  weights: [1.0e308, 1.0e308]\n  means: [0, 1]\n  sds: [1, 1]\n" TAIL, 4,
     12, "the weights sum to inf, expected 1"},
    {"targets:\n- name: m\n  kind: mixture\n  weights: [0, 1]\n  means: [0, 1]\n  sds: [1, 1]\n" TAIL, 4, 13,
     "expected a number > 0, found '0'"},
    {"targets:\n- name: m\n  kind: mixture\n  weights: [-1, 2]\n  means: [0, 1]\n  sds: [1, 1]\n" TAIL, 4, 13,
     "expected a number > 0, found '-1'"},
    {"targets:\n- name: m\n  kind: mixture\n  weights: [0.5, 0.5]\n  means: [0, 1, 2]\n  sds: [1, 1]\n" TAIL, 5, 10,
     "'means' has length 3 but 'weights' has length 2, expected equal lengths"},
    {"targets:\n- name: m\n  kind: mixture\n  sds: [1]\n  weights: [0.5, 0.5]\n  means: [0, 1]\n" TAIL, 4, 8,
     "'sds' has length 1 but 'weights' has length 2"},
    {"targets:\n- name: m\n  kind: mixture\n  weights: [1]\n  means: [~]\n  sds: [1]\n" TAIL, 5, 11,
     "expected a number, found nothing"},
    {"targets:\n- name: m\n  kind: mixture\n  weights: [1]\n  means: [[0]]\n  sds: [1]\n" TAIL, 5, 11,
     "expected a number, found a list"},
    {"targets:\n- name: m\n  kind: mixture\n  weights: [1]\n  means: [0]\n  sds: [-0.1]\n" TAIL, 6, 9,
     "expected a number >= 0, found '-0.1'"},
    {"targets:\n- name: m\n  kind: mixture\n  weights: [0.5, 0.5]\n  means: [0, 1]\n  sds: [0, -1.0e-300]\n" TAIL, 6,
     12, "expected a number >= 0, found '-1.0e-300'"},
    /* mixture-plane */
    {PLANE "  means: [0, 1]\n  sds: [1, 1]\n" EVEN, 5, 11, "expected a non-empty list, found '0'"},
    {PLANE "  means: []\n  sds: [1, 1]\n" EVEN, 5, 10, "expected a non-empty list, found an empty list"},
    {PLANE "  means: [[0, 1], []]\n  sds: [1, 1]\n" EVEN, 5, 19, "expected a non-empty list, found an empty list"},
    {PLANE "  means: [[0, 1], [1]]\n  sds: [1, 1]\n" EVEN, 5, 19, "found a point of 1 coordinates, expected 2"},
    {PLANE "  means: [[0, 1, 2], [1]]\n  sds: [1, 1]\n" EVEN, 5, 11, "found a point of 3 coordinates, expected 2"},
    {PLANE "  means: [[0, 1], [1, [2]]]\n  sds: [1, 1]\n" EVEN, 5, 23, "expected a number, found a list"},
    {PLANE "  means: [[0, 1], [1, nan]]\n  sds: [1, 1]\n" EVEN, 5, 23, "expected a number, found 'nan'"},
    {PLANE "  means: [[0, 1]]\n  sds: [1, 1]\n" EVEN, 5, 10,
     "'means' has length 1 but 'weights' has length 2, expected equal lengths"},
    {PLANE "  means: [[0, 1], [1, 2]]\n  sds: [1]\n" EVEN, 6, 8, "'sds' has length 1 but 'weights' has length 2"},
    {PLANE "  means: [[0, 1], [1, 2]]\n" EVEN, 2, 3, "missing key 'sds'"},
    {PLANE "  means: [[0, 1], [1, 2]]\n  sds: [1, 1]\n" SAMPLERS "dimensions: [2, 7, 4]\n" STEPS, 8, 13,
     "target p: a mixture in the plane fills pairs of coordinates, and dimension 7 is odd"},
    /* student-t */
    {"targets:\n- {name: t, kind: student-t}\n" TAIL, 2, 3, "missing key 'nu'"},
    {"targets:\n- {name: t, kind: student-t, nu: 2}\n" TAIL, 2, 34, "expected a number > 2, found '2'"},
    {"targets:\n- {name: t, kind: student-t, nu: -3}\n" TAIL, 2, 34, "expected a number > 2, found '-3'"},
    {"targets:\n- {name: t, kind: student-t, nu: 3, scale: 0}\n" TAIL, 2, 44, "expected a number > 0, found '0'"},
    {"targets:\n- {name: t, kind: student-t, nu: 3, components: 3}\n" TAIL, 2, 49,
     "expected an integer from 4 to 200, found '3'"},
    {"targets:\n- {name: t, kind: student-t, nu: 3, components: 201}\n" TAIL, 2, 49,
     "expected an integer from 4 to 200, found '201'"},
    {"targets:\n- {name: t, kind: student-t, nu: 3, sds: [1]}\n" TAIL, 2, 37,
     "unknown key 'sds', expected one of: name, kind, nu, scale, components"},
    {"targets: [{name: t, kind: student-t, nu: 1.0e+7}]\n" TAIL, 3, 13,
     "is a Gaussian to rounding, expected nu <= 1e+06"},
    /* direct-sum */
    {"targets:\n- name: s\n  kind: direct-sum\n" TAIL, 2, 3, "missing key 'factors'"},
    {"targets:\n- name: s\n  kind: direct-sum\n  factors: []\n" TAIL, 4, 12, "expected a non-empty list"},
    {"targets:\n- name: s\n  kind: direct-sum\n  factors: [{kind: gaussian, variance: 1}]\n" TAIL, 4, 13,
     "missing key 'copies'"},
    {"targets:\n- name: s\n  kind: direct-sum\n  factors: [{kind: gaussian, variance: 1, copies: rest, name: "
     "x}]\n" TAIL,
     4, 57, "unknown key 'name', expected one of: copies, kind, mean, variance, spectrum"},
    {"targets:\n- name: s\n  kind: direct-sum\n  factors: [{kind: gaussian, variance: 1, copies: 2}]\n" TAIL, 4, 12,
     "found no part with 'copies: rest', expected one"},
    {"targets:\n- name: s\n  kind: direct-sum\n  factors:\n  - {kind: gaussian, variance: 1, copies: rest}\n"
     "  - {kind: gaussian, variance: 2, copies: rest}\n" TAIL,
     6, 43, "duplicate value 'rest', first given on line 5, column 43"},
    {"targets:\n- name: s\n  kind: direct-sum\n  factors: [{kind: gaussian, variance: 1, copies: 0}]\n" TAIL, 4, 51,
     "expected an integer from 1 to 2^53, or rest, found '0'"},
    {"targets:\n- name: s\n  kind: direct-sum\n  factors: [{kind: gaussian, variance: 1, copies: \"rest\"}]\n" TAIL,
     4, 51, "or rest, found a quoted string"},
    {"targets:\n- name: s\n  kind: direct-sum\n  factors: [{kind: gaussian, variance: 1, copies: all}]\n" TAIL, 4, 51,
     "or rest, found 'all'"},
    {"targets:\n- name: s\n  kind: direct-sum\n  factors: [{kind: direct-sum, copies: rest, factors: []}]\n" TAIL, 4,
     20, "a part may not be of kind 'direct-sum', which has parts itself"},
    {"targets:\n- name: s\n  kind: direct-sum\n  factors:\n  - {kind: mixture, weights: [1], means: [1], sds: [1], "
     "copies: 1}\n  - {kind: mixture, weights: [0.9], means: [1], sds: [1], copies: rest}\n" TAIL,
     6, 30, "the weights sum to 0.9"},
    /* samplers */
    {TARGETS "samplers: ddpm\n" DIMENSIONS STEPS, 2, 11, "expected a non-empty list, found 'ddpm'"},
    {TARGETS "samplers: []\n" DIMENSIONS STEPS, 2, 11, "expected a non-empty list, found an empty list"},
    {TARGETS "samplers:\n- ddpm\n- foo\n" DIMENSIONS STEPS, 4, 3,
     "unknown sampler 'foo', expected one of: ddpm, ddpm-outside, ddpm-ancestral, accelerated"},
    {TARGETS "samplers: [ddmp]\n" DIMENSIONS STEPS, 2, 12, "did you mean 'ddpm'?"},
    {TARGETS "samplers: [ddpm, accelerated, ddpm]\n" DIMENSIONS STEPS, 2, 31,
     "duplicate sampler 'ddpm', first given on line 2, column 12"},
    {TARGETS "samplers: [ddpm, ]\n"
             "dimensions: [1, , 2]\n" STEPS,
     3, 17, "not valid YAML: "},
    {TARGETS "samplers: [[ddpm]]\n" DIMENSIONS STEPS, 2, 12, "expected a sampler, found a list"},
    {TARGETS "samplers: [\"\"]\n" DIMENSIONS STEPS, 2, 12, "expected a sampler, found an empty string"},
    {TARGETS "samplers: [{overshoot: 1}]\n" DIMENSIONS STEPS, 2, 12, "missing key 'kind'"},
    {TARGETS "samplers: [{kind: acelerated}]\n" DIMENSIONS STEPS, 2, 19, "did you mean 'accelerated'?"},
    {TARGETS "samplers: [{kind: accelerated, omega: 1}]\n" DIMENSIONS STEPS, 2, 32,
     "unknown key 'omega', expected one of: kind, name, overshoot"},
    {TARGETS "samplers: [{kind: ddpm, overshoot: 1}]\n" DIMENSIONS STEPS, 2, 25,
     "unknown key 'overshoot', expected one of: kind, name"},
    {TARGETS "samplers: [{kind: accelerated, overshoot: -0.5}]\n" DIMENSIONS STEPS, 2, 43,
     "expected a number >= 0, found '-0.5'"},
    {TARGETS "samplers: [{kind: accelerated, overshoot: [0, -1]}]\n" DIMENSIONS STEPS, 2, 47,
     "expected a number >= 0, found '-1'"},
    {TARGETS "samplers: [{kind: accelerated, overshoot: 0, name: a b}]\n" DIMENSIONS STEPS, 2, 52,
     "expected a name of"},
    {TARGETS "samplers: [{kind: accelerated, overshoot: 0, name: ddpm}]\n" DIMENSIONS STEPS, 2, 52,
     "'ddpm' is the name of a sampler without parameters of its own, expected another"},
    {TARGETS "samplers: [accelerated, {kind: accelerated, overshoot: 1}]\n" DIMENSIONS STEPS, 2, 25,
     "duplicate sampler"},
    {TARGETS "samplers: [{kind: accelerated, overshoot: 0}, {kind: accelerated, overshoot: 0}]\n" DIMENSIONS STEPS, 2,
     47, "duplicate sampler"},
    {TARGETS "samplers: [ddpm, {kind: accelerated, overshoot: 4}]\n" DIMENSIONS "steps: [64, 65536]\n", 2, 18,
     "T = 64: sampler accelerated-overshoot-4: in step t = "},
    /* dimensions, steps, max_steps */
    {TARGETS SAMPLERS "dimensions: 4\n" STEPS, 3, 13, "expected a non-empty list, found '4'"},
    {TARGETS SAMPLERS "dimensions: []\n" STEPS, 3, 13, "expected a non-empty list, found an empty list"},
    {TARGETS SAMPLERS "dimensions: [0]\n" STEPS, 3, 14, "expected an integer from 1 to 2^53, found '0'"},
    {TARGETS SAMPLERS "dimensions: [-3]\n" STEPS, 3, 14, "found '-3'"},
    {TARGETS SAMPLERS "dimensions: [+3]\n" STEPS, 3, 14, "found '+3'"},
    {TARGETS SAMPLERS "dimensions: [25e-1]\n" STEPS, 3, 14, "found '25e-1'"},
    {TARGETS SAMPLERS "dimensions: [1.5]\n" STEPS, 3, 14, "found '1.5'"},
    {TARGETS SAMPLERS "dimensions: [0x10]\n" STEPS, 3, 14, "found '0x10'"},
    {TARGETS SAMPLERS "dimensions: [010]\n" STEPS, 3, 14, "found '010'"},
    {TARGETS SAMPLERS "dimensions: ['16']\n" STEPS, 3, 14, "found a quoted string"},
    {TARGETS SAMPLERS "dimensions: [{a: 1}]\n" STEPS, 3, 14, "found a mapping"},
    {TARGETS SAMPLERS "dimensions: [null]\n" STEPS, 3, 14, "found nothing"},
    {TARGETS SAMPLERS "dimensions: [9007199254740993]\n" STEPS, 3, 14, "found '9007199254740993'"},
    {TARGETS SAMPLERS "dimensions: [18446744073709551617]\n" STEPS, 3, 14, "found '18446744073709551617'"},
    {TARGETS SAMPLERS "dimensions:\n  - 4\n  - 16\n  - 4\n" STEPS, 6, 5,
     "duplicate dimension '4', first given on line 4, column 5"},
    {TARGETS SAMPLERS DIMENSIONS "steps: [4, 1]\n", 4, 12, "expected an integer from 2 to 10000000"},
    {TARGETS SAMPLERS DIMENSIONS "steps: []\n", 4, 8, "expected a non-empty list"},
    {TARGETS SAMPLERS DIMENSIONS "steps: [4, 8, 4]\n", 4, 15, "duplicate number of steps '4'"},
    {TARGETS SAMPLERS DIMENSIONS "steps: ~\naccuracies: [0.1]\n", 4, 8, "expected a non-empty list, found nothing"},
    {TARGETS SAMPLERS DIMENSIONS "steps: [64, 16]\n", 4, 13, "the smallest admissible T is 29"},
    {TARGETS SAMPLERS DIMENSIONS "steps: [10000001]\n", 4, 9,
     "expected an integer from 2 to 10000000, found '10000001'"},
    {TARGETS SAMPLERS DIMENSIONS "schedule: {kind: li-cai, c1: 2.75}\nsteps: [4, 3, 64]\n", 5, 12,
     "does not exist at T = 3"},
    {TARGETS SAMPLERS DIMENSIONS "steps: [1024, 64, 16, 20]\n", 4, 19, "does not exist at T = 16"},
    {TARGETS TAIL "max_steps: 20\n", 5, 12, "the smallest admissible T is 29"},
    {"targets: [{name: g, kind: gaussian, variance: 1, spectrum: {kind: k-of-d, k: 5}}]\n" SAMPLERS
     "dimensions: [8, 4]\n" STEPS,
     3, 13, "need dimension at least 5, not 4"},
    {TARGETS TAIL "max_steps: 1\n", 5, 12, "expected an integer from 2 to 10000000, found '1'"},
    {TARGETS TAIL "max_steps: [4]\n", 5, 12, "found a list"},
    /* score_errors */
    {TARGETS TAIL "score_errors: []\n", 5, 15, "expected a non-empty list, found an empty list"},
    {TARGETS TAIL "score_errors: {shape: none}\n", 5, 15, "expected a non-empty list, found a mapping"},
    {TARGETS TAIL "score_errors:\n", 5, 14, "expected a non-empty list, found nothing"},
    {TARGETS TAIL "score_errors: [wave]\n", 5, 16, "expected a mapping, found 'wave'"},
    {TARGETS TAIL "score_errors: [{size: 1}]\n", 5, 16, "missing key 'shape'"},
    {TARGETS TAIL "score_errors: [{shape: wav, size: 1}]\n", 5, 24,
     "unknown shape 'wav', expected one of: none, bias, linear, wave, bump, sign; did you mean 'wave'?"},
    {TARGETS TAIL "score_errors: [{shape: [wave], size: 1}]\n", 5, 24, "expected a shape, found a list"},
    {TARGETS TAIL "score_errors: [{shape: null}]\n", 5, 24, "expected a shape, found nothing"},
    {TARGETS TAIL "score_errors: [{shape: none, size: 1}]\n", 5, 30, "unknown key 'size', expected one of: shape"},
    {TARGETS TAIL "score_errors: [{shape: bias, sizes: 1}]\n", 5, 30,
     "unknown key 'sizes', expected one of: shape, size, spread, profile, growth; did you mean 'size'?"},
    {TARGETS TAIL "score_errors: [{shape: bias, shape: wave}]\n", 5, 30, "duplicate key 'shape'"},
    {TARGETS TAIL "score_errors: [{shape: bias, size: 1, roughness: 1}]\n", 5, 39, "unknown key 'roughness'"},
    {TARGETS TAIL "score_errors: [{shape: wave, size: 1, roughness: 1, probability: 0.1}]\n", 5, 53,
     "unknown key 'probability', expected one of: shape, size, spread, profile, growth, roughness"},
    {TARGETS TAIL "score_errors: [{shape: bump, size: 1, roughness: 1, probability: 0.1}]\n", 5, 39,
     "unknown key 'roughness', expected one of: shape, size, spread, profile, growth, probability"},
    {TARGETS TAIL "score_errors: [{shape: none}, {shape: bias}]\n", 5, 31, "missing key 'size'"},
    {TARGETS TAIL "score_errors: [{shape: bias, size: 0}]\n", 5, 36, "expected a number > 0, found '0'"},
    {TARGETS TAIL "score_errors: [{shape: bias, size: -0.1}]\n", 5, 36, "expected a number > 0, found '-0.1'"},
    {TARGETS TAIL "score_errors: [{shape: bias, size: nan}]\n", 5, 36, "expected a number > 0, found 'nan'"},
    {TARGETS TAIL "score_errors: [{shape: bias, size: .inf}]\n", 5, 36, "expected a number > 0, found '.inf'"},
    {TARGETS TAIL "score_errors: [{shape: bias, size: 1e400}]\n", 5, 36, "that double precision can hold"},
    {TARGETS TAIL "score_errors: [{shape: bias, size: small}]\n", 5, 36, "expected a number > 0, found 'small'"},
    {TARGETS TAIL "score_errors: [{shape: bias, size: '1'}]\n", 5, 36, "found a quoted string"},
    {TARGETS TAIL "score_errors: [{shape: bias, size: {a: 1}}]\n", 5, 36, "expected a number > 0, found a mapping"},
    {TARGETS TAIL "score_errors: [{shape: bias, size: }]\n", 5, 36, "expected a number > 0, found nothing"},
    {TARGETS TAIL "score_errors: [{shape: bias, size: []}]\n", 5, 36,
     "expected a non-empty list, found an empty list"},
    {TARGETS TAIL "score_errors: [{shape: bias, size: [1, 0]}]\n", 5, 40, "expected a number > 0, found '0'"},
    {TARGETS TAIL "score_errors: [{shape: bias, size: [1, [2]]}]\n", 5, 40, "expected a number > 0, found a list"},
    {TARGETS TAIL "score_errors: [{shape: bias, size: [0.1, 0.2, 1.0e-1]}]\n", 5, 47,
     "duplicate size '1.0e-1', first given on line 5, column 37"},
    {TARGETS TAIL "score_errors: [{shape: wave, size: 1}]\n", 5, 16, "missing key 'roughness'"},
    {TARGETS TAIL "score_errors: [{shape: wave, size: 1, roughness: 0}]\n", 5, 50,
     "expected a number in (0, 10000], for a law takes time in proportion to it, found '0'"},
    {TARGETS TAIL "score_errors: [{shape: wave, size: 1, roughness: [2, -2]}]\n", 5, 54,
     "in proportion to it, found '-2'"},
    {TARGETS TAIL "score_errors: [{shape: wave, size: 1, roughness: [2, 2]}]\n", 5, 54, "duplicate roughness '2'"},
    {TARGETS TAIL "score_errors: [{shape: bump, size: 1}]\n", 5, 16, "missing key 'probability'"},
    {TARGETS TAIL "score_errors: [{shape: bump, size: 1, probability: 0}]\n", 5, 52,
     "expected a number in (0, 0.5), found '0'"},
    {TARGETS TAIL "score_errors: [{shape: bump, size: 1, probability: [0.1, 0.5]}]\n", 5, 58,
     "expected a number in (0, 0.5), found '0.5'"},
    {TARGETS TAIL "score_errors: [{shape: bias, size: 1, spread: two}]\n", 5, 47,
     "unknown spread 'two', expected one of: all, one, diagonal"},
    {TARGETS TAIL "score_errors: [{shape: bias, size: 1, spread: [all]}]\n", 5, 47,
     "expected a spread, found a list"},
    {TARGETS TAIL "score_errors: [{shape: bias, size: 1, profile: middle}]\n", 5, 48,
     "unknown profile 'middle', expected one of: uniform, early, late, relative"},
    {TARGETS TAIL "score_errors: [{shape: bias, size: 1, growth: fast}]\n", 5, 47, "expected a number, found 'fast'"},
    {TARGETS TAIL "score_errors: [{shape: bias, size: 1, growth: [1]}]\n", 5, 47, "expected a number, found a list"},
    {"targets: [{name: a-target-with-a-name-of-more-than-fifty-characters-in-all, kind: gaussian, variance: [1, "
     "1.25e-10]}]\n" TAIL,
     1, 18, "made of values, is too long, expected at most 63 bytes"},
    {TARGETS TAIL "score_errors:\n- {shape: none}\n- {shape: bias, size: 1}\n- {shape: none}\n", 8, 3,
     "duplicate score error 'none', first given on line 6, column 3"},
    {TARGETS TAIL "score_errors:\n- {shape: wave, size: [1, 0.5], roughness: [1, 2]}\n"
                  "- {shape: wave, size: 1, roughness: 4}\n- {shape: wave, size: 0.5, roughness: [8, 2.0]}\n",
     8, 3, "duplicate score error 'wave 0.5 roughness=2 all', first given on line 6, column 3"},
    {TARGETS TAIL "score_errors:\n- {shape: bias, size: 1, growth: -0.0}\n- {shape: bias, size: 1.0, spread: all}\n",
     7, 3, "duplicate score error 'bias 1 all', first given on line 6, column 3"},
    {MIXTURE SAMPLERS "dimensions: [8, 1]\n" STEPS
                      "score_errors:\n- {shape: bias, size: 1}\n- {shape: linear, size: [1, 2], spread: diagonal}\n",
     7, 3, "target m, d = 8: a linear error along the diagonal couples the coordinates"},
    {"targets: [{name: g, kind: gaussian, variance: 1, spectrum: {kind: power, exponent: 1}}]\n" SAMPLERS
     "dimensions: [1, 4]\n" STEPS "score_errors: [{shape: sign, size: 1, spread: diagonal}]\n",
     5, 16, "target g, d = 4: a sign error along the diagonal couples the coordinates"},
    /* accuracies */
    {TARGETS TAIL "accuracies: [0]\n", 5, 14, "expected a number in (0, 1), found '0'"},
    {TARGETS TAIL "accuracies: [0.1, 1]\n", 5, 19, "expected a number in (0, 1), found '1'"},
    {TARGETS TAIL "accuracies: [0.1, -0.1]\n", 5, 19, "expected a number in (0, 1), found '-0.1'"},
    {TARGETS TAIL "accuracies: [nan, 0.5, nan, 0.1]\n", 5, 14, "expected a number in (0, 1), found 'nan'"},
    {TARGETS TAIL "accuracies: [0.1, 0.2, 1.0e-1]\n", 5, 24, "duplicate accuracy '1.0e-1', first given on line 5"},
    {TARGETS TAIL "accuracies: {}\n", 5, 13, "expected a non-empty list, found a mapping"},
    /* claims */
    {TARGETS TAIL "claims: []\n", 5, 9, "expected a non-empty list, found an empty list"},
    {TARGETS TAIL "claims: some\n", 5, 9, "expected a non-empty list"},
    {TARGETS TAIL "claims: [eps]\n", 5, 10,
     "unknown claim 'eps', expected one of: eps-ddpm, eps-accelerated, low-dimension"},
    {TARGETS TAIL "claims: [eps-ddpm, eps-ddpm]\n", 5, 20, "duplicate claim 'eps-ddpm', first given on line 5"},
#define OWN TARGETS "samplers: [ddpm, accelerated]\n" DIMENSIONS STEPS "claims:\n- {name: own, "
    {TARGETS TAIL "claims:\n- {says: mine}\n", 6, 3, "missing key 'name'"},
    {TARGETS TAIL "claims:\n- {name: a b, quantity: tv}\n", 6, 10, "expected a name of [A-Za-z0-9._-]"},
    {TARGETS TAIL "claims:\n- {name: eps-ddpm, quantity: tv}\n", 6, 10, "'eps-ddpm' is the name of a built-in claim"},
    {OWN "at_most: {h: 1}}\n", 6, 3, "missing key 'quantity'"},
    {OWN "quantity: tvs}\n", 6, 25, "unknown quantity 'tvs', expected one of: steps, evaluations, path_kl, tv, "},
    {OWN "quantity: kl_pq}\n", 6, 25, "did you mean 'kl_p_q'?"},
    {OWN "quantity: tv_error}\n", 6, 25, "unknown quantity 'tv_error'"},
    {OWN "quantity: tv}\n", 6, 3, "expected at least one of the keys at_most, at_least and faster_than"},
    {OWN "quantity: tv, at_mots: {h: 1}}\n", 6, 29, "did you mean 'at_most'?"},
    {OWN "quantity: tv, at_least: {step: 1}}\n", 6, 40,
     "unknown key 'step', expected one of: dimension, step_size, "},
    {OWN "quantity: tv, at_least: {accuracy: 1}}\n", 6, 40, "unknown key 'accuracy'"},
    {OWN "quantity: steps, at_most: {h: 1}}\n", 6, 42, "unknown key 'h', expected one of: accuracy, dimension, d"},
    {OWN "quantity: path_kl, at_most: {score_error_size: 1}}\n", 6, 44, "unknown key 'score_error_size'"},
    {OWN "quantity: tv, at_least: {h: 1/0}}\n", 6, 43, "a number that double precision can hold, found '1/0'"},
    {OWN "quantity: tv, at_least: {h: 1/2/3}}\n", 6, 43, "expected a number, found '1/2/3'"},
    {OWN "quantity: tv, at_least: {h: two}}\n", 6, 43, "expected a number, found 'two'"},
    {OWN "quantity: tv, at_least: {h: 1, step_size: 2}}\n", 6, 57, "a second exponent in step_size, expected one"},
    {OWN "quantity: tv, at_least: {h: 1, h: 2}}\n", 6, 46, "duplicate key 'h'"},
    {OWN "quantity: tv, at_least: {}}\n", 6, 39,
     "found no exponent, expected one at least, such as {dimension: 1/2}"},
    {OWN "quantity: tv, at_least: 2}\n", 6, 39, "expected a mapping, found '2'"},
    {OWN "quantity: tv, at_least: {h: 1}, sampler: dpm}\n", 6, 56,
     "unknown sampler 'dpm', expected one of: ddpm, accelerated; did you mean 'ddpm'?"},
    {OWN "quantity: tv, at_least: {h: 1}, sampler: [ddpm, pf-ode]}\n", 6, 63, "unknown sampler 'pf-ode'"},
    {OWN "quantity: tv, at_least: {h: 1}, sampler: [ddpm, ddpm]}\n", 6, 63, "duplicate sampler 'ddpm'"},
    {OWN "quantity: tv, at_least: {h: 1}, sampler: []}\n", 6, 56, "expected a non-empty list"},
    {OWN "quantity: tv, at_least: {h: 1}, targets: [f]}\n", 6, 57, "unknown target 'f', expected one of: g"},
    {OWN "quantity: steps, faster_than: ddpm}\n", 6, 45,
     "expected a mapping such as {sampler: ddpm, by: {accuracy: 1/2}}"},
    {OWN "quantity: steps, faster_than: {sampler: ddpm}}\n", 6, 45, "missing key 'by'"},
    {OWN "quantity: steps, faster_than: {by: {accuracy: 1}}}\n", 6, 45, "missing key 'sampler'"},
    {OWN "quantity: tv, faster_than: {sampler: ddpm, by: {h: 1}}}\n", 6, 42, "expected steps or evaluations"},
    {OWN "quantity: steps, faster_than: {sampler: pf-ode, by: {accuracy: 1}}}\n", 6, 55, "unknown sampler 'pf-ode'"},
    {OWN "quantity: steps, sampler: ddpm, faster_than: {sampler: ddpm, by: {accuracy: 1}}}\n", 6, 60,
     "ddpm is compared with itself"},
    {TARGETS TAIL "claims: [{name: own, quantity: steps, faster_than: {sampler: ddpm, by: {accuracy: 1}}}]\n", 5, 52,
     "the experiment has no other sampler than ddpm"},
    {OWN "quantity: tv, at_least: {h: 1}}\n- {name: own, quantity: tv, at_least: {h: 1}}\n", 7, 10,
     "duplicate claim 'own', first given on line 6, column 10"},
    {OWN "quantity: tv, at_least: {h: 1}, source: ''}\n", 6, 55, "expected a source, found an empty string"},
#undef OWN
};

static void check_refused(const struct error *error, enum status status, int line, int column, const char *message)
{
    char place[64];
    (void)snprintf(place, sizeof place, "bad.yaml:%d:%d: ", line, column);
    ck_assert_int_eq(status, STATUS_INVALID);
    ck_assert_int_eq(error->status, STATUS_INVALID);
    ck_assert_msg(strncmp(error->text, place, strlen(place)) == 0, "expected %s, got %s", place, error->text);
    ck_assert_msg(strstr(error->text, message) != NULL, "expected '%s' in '%s'", message, error->text);
    ck_assert_ptr_null(strchr(error->text, '\n'));
}

TEST(test_bad_text, .count = COUNT(bad_texts))
{
    const struct bad *bad = &bad_texts[_i];
    struct spec spec;
    struct error error = {0};
    enum status status = parse(bad->text, &spec, &error);
    check_refused(&error, status, bad->line, bad->column, bad->message);
    spec_free(&spec);
    ck_assert_int_eq(parse(bad->text, &spec, NULL), STATUS_INVALID);
    spec_free(&spec);
}

/* Every prefix of a good text is refused or read, and leaks nothing (for the sanitizers to see). */
TEST(test_prefixes)
{
    for (size_t length = 0; length < sizeof full - 1; length++) {
        OWNED(spec) spec;
        struct error error = {0};
        enum status status = spec_parse("bad.yaml", full, length, "", claims, &spec, &error);
        ck_assert(status == STATUS_OK || (status == STATUS_INVALID && strncmp(error.text, "bad.yaml:", 9) == 0));
    }
}

TEST(test_nul_byte)
{
    static const char text[] = "title: x\nsteps\0: [1]\n";
    OWNED(spec) spec;
    struct error error = {0};
    enum status status = spec_parse("bad.yaml", text, sizeof text - 1, "", claims, &spec, &error);
    check_refused(&error, status, 2, 6, "found a NUL byte, expected text");
}

TEST(test_long_values_are_cut)
{
    static const char text[] = TARGETS "samplers: [" FIFTY "012345678\xC3\xA9z]\n";
    OWNED(spec) spec;
    struct error error = {0};
    enum status status = parse(text, &spec, &error);
    check_refused(&error, status, 2, 12, "345678...', expected one of: ddpm");
}

static char *repeat(const char *before, const char *piece, size_t times)
{
    size_t start = strlen(before), length = strlen(piece);
    char *text = malloc(start + times * length + 1);
    ck_assert_ptr_nonnull(text);
    memcpy(text, before, start);
    for (size_t i = 0; i < times; i++)
        memcpy(text + start + i * length, piece, length);
    text[start + times * length] = '\0';
    return text;
}

/* Documents made to take forever; the test has Check's time limit. */
static const struct hostile {
    const char *before, *piece;
    size_t times;
    int line, column;
    const char *message;
} hostile_texts[] = {
    {"", "#", ((size_t)1 << 20) + 1, 1, 1, "the file is too large, expected at most 1 MiB"},
    {"", "#", (size_t)1 << 20, 1, 1, "the file is empty"},
    {"a: ", "[", 1000000, 1, 35, "found more than 32 levels of nesting"},
    {"", "{a: ", 250000, 1, 129, "found more than 32 levels of nesting"},
    {"", "[\n", 500000, 33, 1, "found more than 32 levels of nesting"},
    {"", "- ", 500000, 1, 65, "found more than 32 levels of nesting"},
    {"", "a: ", 300000, 1, 5, "mapping values are not allowed"},
    {"a: 1\n", "---\n", 200000, 2, 1, "found a second document"},
    {TARGETS SAMPLERS STEPS "dimensions:\n", "- 1\n", 200000, 5, 1, "found a list of 200000, expected at most 10000"},
};

TEST(test_hostile_text, .count = COUNT(hostile_texts))
{
    const struct hostile *hostile = &hostile_texts[_i];
    FREED char *text = repeat(hostile->before, hostile->piece, hostile->times);
    OWNED(spec) spec;
    struct error error = {0};
    enum status status = parse(text, &spec, &error);
    check_refused(&error, status, hostile->line, hostile->column, hostile->message);
}

/* `sizes` x `roughnesses` errors in one entry, after another with one. */
static enum status parse_many(size_t sizes, size_t roughnesses, struct spec *spec, struct error *error)
{
    FREED char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    ck_assert_ptr_nonnull(stream);
    fputs(TARGETS TAIL "score_errors:\n- {shape: bias, size: 1}\n- {shape: wave, size: [1", stream);
    for (size_t i = 2; i <= sizes; i++)
        fprintf(stream, ", %zu", i);
    fputs("], roughness: [1", stream);
    for (size_t i = 2; i <= roughnesses; i++)
        fprintf(stream, ", %zu", i);
    fputs("]}\n", stream);
    ck_assert_int_eq(fclose(stream), 0);
    enum status status = parse(text, spec, error);
    return status;
}

TEST(test_many_score_errors)
{
    struct spec spec;
    struct error error = {0};
    ASSERT_OK(parse_many, 1111, 9, &spec);
    ck_assert_uint_eq(spec.score_error_count, 10001);
    ck_assert_int_eq(spec.exact_scores_listed, 0);
    ck_assert_double_eq(spec.score_errors[10000].size, 1111.0);
    ck_assert_double_eq(score_error_param(&spec.score_errors[10000], "roughness"), 9.0);
    spec_free(&spec);
    enum status status = parse_many(10000, 1, &spec, &error);
    check_refused(&error, status, 7, 3, "found more than 10000 score errors up to here");
    spec_free(&spec);
    status = parse_many(10000, 10000, &spec, &error);
    check_refused(&error, status, 7, 3, "found more than 10000 score errors up to here");
    spec_free(&spec);
}

static const struct {
    const char *path, *name;
} names[] = {
    {"bimodal.yaml", "bimodal"},
    {"/a/b.c/bimodal.yml", "bimodal"},
    {"spec.txt", "spec.txt"},
    {"two.yaml.yml", "two.yaml"},
    {".hidden.yaml", "-hidden"},
    {".yaml", "-yaml"},
    {"..", "-."},
    {"a b\xC3\xA9+c.yaml", "a-b---c"},
    {"x/0123456789012345678901234567890123456789012345678901234567890123456789.yaml",
     "012345678901234567890123456789012345678901234567890123456789012"},
};

TEST(test_name, .count = COUNT(names))
{
    OWNED(spec) spec;
    ASSERT_OK(spec_parse, names[_i].path, TARGETS TAIL, strlen(TARGETS TAIL), "", claims, &spec);
    ck_assert_str_eq(spec.name, names[_i].name);
    ck_assert_str_eq(spec.title, names[_i].name);
}

TEST(test_load)
{
    char directory[] = "/tmp/diffrate-spec-XXXXXX", path[64], expected[160];
    struct spec spec;
    struct error error = {0};
    ck_assert_ptr_nonnull(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/full.yaml", directory);

    ck_assert_int_eq(spec_load(path, claims, &spec, &error), STATUS_INVALID);
    (void)snprintf(expected, sizeof expected, "%s:1:1: cannot open: No such file or directory", path);
    ck_assert_str_eq(error.text, expected);
    spec_free(&spec);

    ck_assert_int_eq(spec_load(directory, claims, &spec, &error), STATUS_INVALID);
    (void)snprintf(expected, sizeof expected, "%s:1:1: cannot read: Is a directory", directory);
    ck_assert_str_eq(error.text, expected);
    spec_free(&spec);

    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(full, 1, sizeof full - 1, file), sizeof full - 1);
    ck_assert_int_eq(fclose(file), 0);
    ASSERT_OK(spec_load, path, claims, &spec);
    ck_assert_str_eq(spec.name, "full");
    check_full(&spec);
    spec_free(&spec);

    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(rmdir(directory), 0);
}
