#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "law/law.h"
#include "model/score_error.h"
#include "sample/sample.h"
#include "verdict/claims.h"

static void entry(const char *name, const char *doc, const char *formula, const char *source)
{
    printf("  %s\n      %s\n", name, doc);
    if (formula != NULL)
        printf("      %s\n", formula);
    if (source != NULL)
        printf("      source: %s\n", source);
}

static void list_targets(void)
{
    const struct target_family *family;
    for (size_t i = 0; (family = target_family_at(i)) != NULL; i++) {
        entry(family->name, family->doc, family->formula, family->source);
        for (const struct param *param = family->params; param->key != NULL; param++)
            printf("      %s%s: %s\n", param->key, param->required ? "" : " (optional)", param->doc);
    }
}

static void list_samplers(void)
{
    const struct sampler *sampler;
    for (size_t i = 0; (sampler = sampler_at(i)) != NULL; i++) {
        entry(sampler->name, sampler->doc, sampler->formula, sampler->source);
        printf("      score evaluations a step: %zu\n", sampler->score_evaluations);
        if (sampler->claimed_order > 0.0)
            printf("      claimed order: %g (%s)\n", sampler->claimed_order, sampler->claim_source);
    }
}

static void list_schedules(void)
{
    const struct schedule_kind *kind;
    for (size_t i = 0; (kind = schedule_kind_at(i)) != NULL; i++)
        entry(kind->name, kind->doc, kind->formula, kind->source);
}

static void list_errors(void)
{
    const struct error_shape *shape;
    for (size_t i = 0; (shape = error_shape_at(i)) != NULL; i++) {
        entry(shape->name, shape->doc, shape->formula, shape->source);
        if (shape->parameters & ERROR_ROUGHNESS)
            puts("      roughness: the wave number omega > 0, in units of 1/sd(X_t)");
        if (shape->parameters & ERROR_PROBABILITY)
            puts("      probability: delta in (0, 1/2), of the set where the error is");
    }
}

static void list_profiles(void)
{
    const struct error_profile *profile;
    for (size_t i = 0; (profile = error_profile_at(i)) != NULL; i++)
        entry(profile->name, profile->doc, profile->formula, NULL);
}

static void list_spreads(void)
{
    for (size_t i = 0; error_spread_names[i] != NULL; i++)
        entry(error_spread_names[i], error_spread_docs[i], NULL, NULL);
}

static void list_laws(void)
{
    const struct law_engine *engine;
    for (size_t i = 0; (engine = law_engine_at(i)) != NULL; i++)
        entry(engine->name, engine->doc, NULL, engine->source);
}

static void list_methods(void)
{
    const struct sample_method *method;
    for (size_t i = 0; (method = sample_method_at(i)) != NULL; i++)
        entry(method->name, method->doc, NULL, method->source);
}

static void list_claims(void)
{
    const struct claim *claim;
    for (size_t i = 0; (claim = claim_at(i)) != NULL; i++) {
        entry(claim->name, claim->statement, NULL, claim->source);
        printf("      statistic: %s; predicted: %s; refuted by: %s\n", claim->statistic, claim->predicted,
               claim->refuted_by);
    }
}

static const struct registry {
    const char *name;
    void (*list)(void);
} registries[] = {
    {"targets", list_targets}, {"samplers", list_samplers}, {"schedules", list_schedules},
    {"errors", list_errors},   {"profiles", list_profiles}, {"spreads", list_spreads},
    {"laws", list_laws},       {"methods", list_methods},   {"claims", list_claims},
};
enum { REGISTRIES = sizeof registries / sizeof registries[0] };

static error_t parse(int key, char *argument, struct argp_state *state)
{
    const char **which = state->input;
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    for (size_t i = 0; i < REGISTRIES; i++)
        if (strcmp(registries[i].name, argument) == 0 && *which == NULL) {
            *which = registries[i].name;
            return 0;
        }
    argp_error(
        state,
        "expected one of: targets, samplers, schedules, errors, profiles, spreads, laws, methods, claims; not '%s'",
        argument);
    return EINVAL;
}

static int run(int argc, char **argv)
{
    static const struct argp argp = {
        NULL,
        parse,
        "[targets|samplers|schedules|errors|profiles|spreads|laws|methods|claims]",
        "List what the program knows, with formulae and sources.\vExample:\n  diffrate list samplers",
        NULL,
        NULL,
        NULL};
    const char *which = NULL;
    (void)argp_parse(&argp, argc, argv, 0, NULL, &which);
    for (size_t i = 0; i < REGISTRIES; i++)
        if (which == NULL || strcmp(which, registries[i].name) == 0) {
            printf("%s%s\n", i > 0 && which == NULL ? "\n" : "", registries[i].name);
            registries[i].list();
        }
    return EXIT_OK;
}

const struct command command_list = {
    "list", "list targets, samplers, schedules, score errors, laws, methods and claims, with sources", run};
