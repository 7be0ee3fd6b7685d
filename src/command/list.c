#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "experiment/record.h"
#include "experiment/registry.h"
#include "experiment/spec.h"
#include "law/law.h"
#include "model/score_error.h"
#include "sample/sample.h"
#include "verdict/agreement.h"
#include "verdict/claims.h"

static void entry(const char *name, const char *doc, const char *formula, const char *source)
{
    printf("  %s\n      %s\n", name, doc);
    if (formula != NULL)
        printf("      %s\n", formula);
    if (source != NULL)
        printf("      source: %s\n", source);
}

static void origin(const struct plugin *plugin)
{
    if (plugin != NULL)
        printf("      plug-in: %s (%016" PRIx64 ")\n", plugin->path, plugin->hash);
}

/* What a param's value must be, and is if it is not given. */
static void list_value(const struct param *param)
{
    char text[160];
    double standard = param->standard;
    if (param->kind == PARAM_REAL || param->kind == PARAM_REALS || param->kind == PARAM_INTEGER) {
        range_text(&param->range, text, sizeof text);
        printf("; %s%s", param->kind == PARAM_REALS ? "each " : param->kind == PARAM_INTEGER ? "whole, " : "", text);
        if (param->unit != NULL)
            printf(" (%s)", param->unit);
    }
    if (param->required)
        return;
    if (param->kind == PARAM_CHOICE)
        printf("; default %s", param->choices[(size_t)standard]);
    else if (param->kind == PARAM_VARIANT)
        printf("; default %s", param->variants[(size_t)standard].name);
    else
        printf("; default %g", standard);
}

static void list_params(const struct param *params)
{
    for (const struct param *param = params; param != NULL && param->key != NULL; param++) {
        printf("      %s%s: %s", param->key, param->required ? "" : " (optional)", param->doc);
        list_value(param);
        putchar('\n');
    }
}

static void list_targets(const struct registry *registry)
{
    const struct target_family *family;
    for (size_t i = 0; (family = registry_family_at(registry, i)) != NULL; i++) {
        entry(family->name, family->doc, family->formula, family->source);
        list_params(family->params);
        origin(registry_family_plugin(registry, family));
    }
}

/* Of exact laws; chains carry every sampler. */
static void list_engines(const struct sampler *sampler)
{
    const struct law_engine *engine;
    const char *before = "      laws: ";
    for (size_t i = 0; (engine = law_engine_at(i)) != NULL; i++) {
        if (!law_engine_carries(engine, sampler))
            continue;
        printf("%s%s", before, engine->name);
        before = ", ";
    }
    printf("%schains\n", before);
}

static void list_samplers(const struct registry *registry)
{
    const struct sampler *sampler;
    for (size_t i = 0; (sampler = registry_sampler_at(registry, i)) != NULL; i++) {
        entry(sampler->name, sampler->doc, sampler->formula, sampler->source);
        printf("      score evaluations a step: %zu\n", sampler->score_evaluations);
        list_engines(sampler);
        list_params(sampler->params);
        if (sampler->claimed_order > 0.0)
            printf("      claimed order: %g (%s)\n", sampler->claimed_order, sampler->claim_source);
        origin(registry_sampler_plugin(registry, sampler));
    }
}

static void list_schedules(const struct registry *registry)
{
    const struct schedule_kind *kind;
    for (size_t i = 0; (kind = registry_schedule_at(registry, i)) != NULL; i++) {
        entry(kind->name, kind->doc, kind->formula, kind->source);
        list_params(kind->params);
        origin(registry_schedule_plugin(registry, kind));
    }
}

static void list_errors(const struct registry *registry)
{
    (void)registry;
    const struct error_shape *shape;
    for (size_t i = 0; (shape = error_shape_at(i)) != NULL; i++) {
        entry(shape->name, shape->doc, shape->formula, shape->source);
        list_params(shape->params);
    }
}

static void list_profiles(const struct registry *registry)
{
    (void)registry;
    const struct error_profile *profile;
    for (size_t i = 0; (profile = error_profile_at(i)) != NULL; i++)
        entry(profile->name, profile->doc, profile->formula, NULL);
}

static void list_spreads(const struct registry *registry)
{
    (void)registry;
    for (size_t i = 0; error_spread_names[i] != NULL; i++)
        entry(error_spread_names[i], error_spread_docs[i], NULL, NULL);
}

static void list_laws(const struct registry *registry)
{
    (void)registry;
    const struct law_engine *engine;
    for (size_t i = 0; (engine = law_engine_at(i)) != NULL; i++)
        entry(engine->name, engine->doc, engine->formula, engine->source);
}

/* With the columns that it fills. */
static void list_method(const struct sample_method *method)
{
    static const char *const roles[] = {
        [ROLE_ESTIMATE] = "estimate", [ROLE_LOWER] = "lower bound", [ROLE_UPPER] = "upper bound"};
    const struct estimator *estimator;
    entry(method->name, method->doc, method->formula, method->source);
    for (size_t i = 0; (estimator = estimator_at(i)) != NULL; i++)
        if (strcmp(estimator->method, method->name) == 0)
            printf("      column %s, %s of %s: %s\n", estimator->name, roles[estimator->role], estimator->quantity,
                   estimator->doc);
}

static void list_methods(const struct registry *registry)
{
    (void)registry;
    const struct sample_method *method;
    for (size_t i = 0; (method = sample_method_at(i)) != NULL; i++)
        list_method(method);
}

static void list_claims(const struct registry *registry)
{
    (void)registry;
    const struct claim *claim;
    for (size_t i = 0; (claim = claim_at(i)) != NULL; i++) {
        char predicted[CLAIM_PREDICTION];
        claim_prediction(claim, NULL, predicted);
        entry(claim->name, claim->statement, NULL, claim->source);
        printf("      statistic: %s; predicted: %s; refuted by: %s\n", claim_statistic(claim), predicted,
               claim->refuted_by);
    }
    puts("  claims of your own, in an experiment's `claims`\n"
         "      - {name: mine, sampler: my-sampler, quantity: steps, at_most: {accuracy: 1/3, dimension: 1/2}}");
    for (const struct claim_key *key = claim_keys; key->key != NULL; key++)
        printf("      %s: %s\n", key->key, key->doc);
}

static void list_columns(const struct registry *registry)
{
    (void)registry;
    for (const struct field *field = record_fields; field->name != NULL; field++)
        if (field->component <= 1)
            printf("  %s%s%s%s: %s\n", field->name, field->component == 1 ? ", and so for every component" : "",
                   field->type == FIELD_REAL && strcmp(field->unit, "1") != 0 ? " in " : "",
                   field->type == FIELD_REAL && strcmp(field->unit, "1") != 0 ? field->unit : "", field->doc);
    puts("  PLACE_KEY: a parameter of the row; schedule_KEY and score_error_KEY for all of the schedules' and the "
         "error "
         "shapes' numbers, target_KEY and sampler_KEY for those that the experiment gives as lists; NaN where a row "
         "has "
         "no such parameter.");
}

static void list_keys(const struct registry *registry)
{
    (void)registry;
    const struct spec_key *key;
    for (size_t i = 0; (key = spec_key_at(i)) != NULL; i++)
        printf("  %s%s: %s\n", key->key, key->required ? "" : " (optional)", key->doc);
}

static const struct part {
    const char *name;
    void (*list)(const struct registry *registry);
} parts[] = {
    {"targets", list_targets}, {"samplers", list_samplers}, {"schedules", list_schedules},
    {"errors", list_errors},   {"profiles", list_profiles}, {"spreads", list_spreads},
    {"laws", list_laws},       {"methods", list_methods},   {"claims", list_claims},
    {"columns", list_columns}, {"keys", list_keys},
};
#define PART_NAMES "targets|samplers|schedules|errors|profiles|spreads|laws|methods|claims|columns|keys"
enum { PARTS = sizeof parts / sizeof parts[0] };

struct options {
    const char *which; /* NULL: everything */
    struct registry registry;
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    struct error error = {STATUS_OK, ""};
    char file[4100];
    switch (key) {
    case 'p':
        (void)snprintf(file, sizeof file, "%s%s", strchr(argument, '/') != NULL ? "" : "./", argument);
        if (registry_load(&options->registry, file, argument, &error) != STATUS_OK)
            argp_failure(state, EXIT_INPUT, 0, "%s", error.text);
        return 0;
    case ARGP_KEY_ARG:
        for (size_t i = 0; i < PARTS; i++)
            if (strcmp(parts[i].name, argument) == 0 && options->which == NULL) {
                options->which = parts[i].name;
                return 0;
            }
        argp_error(state, "expected one of " PART_NAMES ", not '%s'", argument);
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option argp_options[] = {
    {"plugin", 'p', "FILE.so", 0, "Load a plug-in, and list what it gives too", 0},
    {0},
};

static const struct argp argp = {
    .options = argp_options,
    .parser = parse,
    .args_doc = "[" PART_NAMES "]",
    .doc = "List what the program knows, with formulae and sources, what the columns of "
           "results are and what the keys of an experiment's file.\v`theory (14)` is equation "
           "(14) of src/THEORY.md, which is installed as share/doc/diffrate/THEORY.md.\n\n"
           "Examples:\n  diffrate list samplers\n  diffrate list targets --plugin ./mine.so"};

static int run(int argc, char **argv)
{
    struct options options = {NULL, {0}};
    (void)argp_parse(&argp, argc, argv, 0, NULL, &options);
    for (size_t i = 0; i < PARTS; i++)
        if (options.which == NULL || strcmp(options.which, parts[i].name) == 0) {
            printf("%s%s\n", i > 0 && options.which == NULL ? "\n" : "", parts[i].name);
            parts[i].list(&options.registry);
        }
    registry_free(&options.registry);
    return EXIT_OK;
}

const struct command command_list = {
    "list", "list targets, samplers, schedules, score errors, laws, methods, claims, columns, keys of experiments",
    &argp, run};
