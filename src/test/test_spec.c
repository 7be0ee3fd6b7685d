#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "experiment/spec.h"

#include "test/spec_texts.h"
#include "test/suite.h"
#include "test/targets.h"

TEST_SUITE(spec);

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

/* What the functions that tell all parameters say of an object. */
static void assert_described(void (*describe)(const void *object, FILE *file), const void *object,
                             const char *expected)
{
    char text[400] = "";
    FILE *stream = fmemopen(text, sizeof text, "w");
    ck_assert_ptr_nonnull(stream);
    describe(object, stream);
    ck_assert_int_eq(fclose(stream), 0);
    ck_assert_str_eq(text, expected);
}

static void of_target(const void *object, FILE *file)
{
    fprintf(file, "%s: ", ((const struct target *)object)->name);
    target_describe(object, file);
}

static void of_error(const void *object, FILE *file)
{
    score_error_describe(object, file);
}

static void of_sampler(const void *object, FILE *file)
{
    sampler_describe(object, file);
}

static void check_targets(const struct spec *spec)
{
    static const char *const expected[] = {
        "bimodal: mixture weights 0.25 0.75 means -1 1.5 sds 0.29999999999999999 0.29999999999999999",
        "gauss.2_b-c: gaussian mean -2.5 variance 0.25 spectrum 1 1.5 0",
        "few: gaussian mean 0 variance 2 spectrum 2 0 8",
        "1flat: gaussian mean 0 variance 2 spectrum 0 0 0",
        "plane: mixture-plane weights 0.25 0.75 means 2 -1 2.5 3 -0.40000000000000002 sds 0.29999999999999999 0",
        ("mixed: direct-sum factors 3 (mixture weights 0.10000000000000001 0.20000000000000001 0.69999999999999996 "
         "means 0 1 2 sds 1 2 3) 0 (gaussian mean 0 variance 0.5 spectrum 2 0 2)")};
    ck_assert_uint_eq(spec->target_count, 6);
    for (size_t i = 0; i < COUNT(expected); i++)
        assert_described(of_target, &spec->targets[i], expected[i]);
}

/* `none` comes first wherever it stands; the others in the author's order, the last list varying fastest. */
static void check_score_errors(const struct spec *spec)
{
    static const char *const expected[] = {"none",
                                           "wave roughness 2 profile late spread one size 0.5 growth 0",
                                           "wave roughness 0.5 profile late spread one size 0.5 growth 0",
                                           "wave roughness 8 profile late spread one size 0.5 growth 0",
                                           "wave roughness 2 profile late spread one size 0.001 growth 0",
                                           "wave roughness 0.5 profile late spread one size 0.001 growth 0",
                                           "wave roughness 8 profile late spread one size 0.001 growth 0",
                                           "bump probability 0.25 profile uniform spread all size 3 growth -0.5",
                                           "bias profile uniform spread diagonal size 2 growth 0"};
    ck_assert_uint_eq(spec->score_error_count, 9);
    ck_assert_int_ne(spec->exact_scores_listed, 0);
    for (size_t i = 0; i < COUNT(expected); i++)
        assert_described(of_error, &spec->score_errors[i], expected[i]);
}

static void check_schedule(const struct spec *spec, const char *kind, double c0, double c1)
{
    const struct schedule_constants *constants = (const void *)&spec->schedules[0].values;
    ck_assert_uint_eq(spec->schedule_count, 1);
    ck_assert_ptr_eq(spec->schedules[0].kind, schedule_kind_find(kind));
    ck_assert_double_eq(constants->c0, c0);
    ck_assert_double_eq(constants->c1, c1);
}

#define ASSERT_LIST(list, count, type, ...) \
    do { \
        ck_assert_uint_eq(count, COUNT(((const type[]){__VA_ARGS__}))); \
        ck_assert_mem_eq(list, ((const type[]){__VA_ARGS__}), (count) * sizeof(type)); \
    } while (0)

static void check_full(const struct spec *spec)
{
    ck_assert_str_eq(spec->text, full);
    ck_assert_str_eq(spec->title, "Bimodal: product");
    check_schedule(spec, "li-yan", 3.0, 9.5);
    check_targets(spec);
    ck_assert_uint_eq(spec->sampler_count, 3);
    ck_assert_ptr_eq(spec->samplers[0], sampler_find("accelerated"));
    ck_assert_ptr_eq(spec->samplers[1], sampler_find("ddpm"));
    ck_assert_ptr_eq(spec->samplers[2], sampler_find("ddpm-ancestral"));
    ASSERT_LIST(spec->dimensions, spec->dimension_count, size_t, 10, 256, 1024);
    ASSERT_LIST(spec->steps, spec->step_count, size_t, 64, 256, 1024);
    ASSERT_LIST(spec->accuracies, spec->accuracy_count, double, 0.5, 0.1, 0.01);
    ASSERT_LIST(spec->chains, spec->chain_count, size_t, 512, 9000);
    check_score_errors(spec);
    ck_assert_uint_eq(spec->max_steps, 4096);
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
        assert_described(of_sampler, spec.samplers[i], described[i]);
    }
}

/* All parameters that an experiment has read, for free(). */
static char *describe_all(const char *text)
{
    OWNED(spec) spec;
    char *all = NULL;
    size_t size = 0;
    ASSERT_OK(parse, text, &spec);
    FILE *stream = open_memstream(&all, &size);
    ck_assert_ptr_nonnull(stream);
    for (size_t i = 0; i < spec.schedule_count; i++)
        schedule_rule_describe(&spec.schedules[i], stream);
    for (size_t i = 0; i < spec.target_count; i++)
        of_target(&spec.targets[i], stream);
    for (size_t i = 0; i < spec.sampler_count; i++)
        of_sampler(spec.samplers[i], stream);
    for (size_t i = 0; i < spec.score_error_count; i++)
        of_error(&spec.score_errors[i], stream);
    fprintf(stream, " %d", spec.exact_scores_listed);
    ck_assert_int_eq(fclose(stream), 0);
    return all;
}

TEST(test_words_stand_for_mappings)
{
#define BIAS "{shape: bias, size: 1}"
    static const char *const pairs[][2] = {
        {"schedule: cosine\n" TARGETS TAIL, "schedule: {kind: cosine}\n" TARGETS TAIL},
        {"schedule: [cosine, {kind: li-cai, c1: 5}]\n" TARGETS TAIL,
         "schedule: [{kind: cosine}, {kind: li-cai, c1: 5}]\n" TARGETS TAIL},
        {"targets: [{name: g, kind: gaussian, variance: 2, spectrum: flat}]\n" TAIL,
         "targets: [{name: g, kind: gaussian, variance: 2, spectrum: {kind: flat}}]\n" TAIL},
        {TARGETS TAIL "score_errors: [none, " BIAS "]\n", TARGETS TAIL "score_errors: [{shape: none}, " BIAS "]\n"},
    };
    for (int i = 0; i < COUNT(pairs); i++) {
        FREED char *word = describe_all(pairs[i][0]), *mapping = describe_all(pairs[i][1]);
        ck_assert_str_eq(word, mapping);
    }
}

TEST(test_good_text, .count = COUNT(good_texts))
{
    OWNED(spec) spec;
    ASSERT_OK(parse, good_texts[_i], &spec);
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
