/* The text of a manifest. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "experiment/json.h"
#include "experiment/manifest.h"
#include "experiment/plan.h"

/* Texts of plug-ins may hold anything. */
static void put_text(FILE *file, const char *before, const char *text)
{
    char *tame = strdup(text);
    fputs(before, file);
    if (tame != NULL)
        text_tame(tame, "");
    json_text(file, tame != NULL ? tame : "");
    free(tame);
}

static void put_integers(FILE *file, const char *before, const size_t *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fprintf(file, "%s%zu", i == 0 ? before : ", ", list[i]);
    fputs(count > 0 ? "]" : "", file);
}

static void put_names(FILE *file, const char *before, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put_text(file, i == 0 ? before : ", ", names[i]);
    fputs(count > 0 ? "]" : "", file);
}

static void put_entry(FILE *file, const struct spec *spec, const struct entry *entry)
{
    put_text(file, ", \"of\": ", entry->of);
    fputs(", \"parameters\": {", file);
    for (size_t i = 0, before = 0; i < spec->parameters.count; i++)
        if (!isnan(entry->parameter[i])) {
            put_text(file, before++ > 0 ? ", " : "", spec->parameters.column[i].name);
            fputs(": ", file);
            json_real(file, entry->parameter[i]);
        }
    fputs("}", file);
}

static void put_documents(FILE *file, const char *doc, const char *formula, const char *source)
{
    put_text(file, ", \"doc\": ", doc);
    put_text(file, ", \"formula\": ", formula);
    put_text(file, ", \"source\": ", source);
    fputs("}", file);
}

static bool is_power(const struct spec *spec, const struct target *target)
{
    bool power = true;
    for (size_t i = 0; i < spec->dimension_count && power; i++) {
        struct factor_list factors;
        struct error ignored;
        power = target_factors(target, spec->dimensions[i], &factors, &ignored) == STATUS_OK && factors.count == 1
                && factors.group[0].factor.dimension == 1;
        factor_list_free(&factors);
    }
    return power;
}

static double lipschitz_power(const struct spec *spec, const struct target *target)
{
    double power = 0.0;
    for (size_t i = 0; i < spec->dimension_count && !isnan(power); i++) {
        const double here = target_lipschitz_power(target, spec->dimensions[i]);
        power = isnan(here) ? here : fmax(power, here);
    }
    return power;
}

/* It is the same in every dimension. */
static double codewords_weight(const struct spec *spec, const struct target *target)
{
    struct planted_target planted;
    struct error ignored;
    double weight =
        target_planted(target, spec->dimensions[0], &planted, &ignored) == STATUS_OK ? planted.weight : 0.0;
    planted_target_free(&planted);
    return weight;
}

/* Of a target that is no codebook, under some sampler and in some dimension. */
static bool has_law(const struct spec *spec, size_t target)
{
    struct cell cell = {.spec = spec, .target = target};
    bool found = false;
    for (; cell.sampler < spec->sampler_count && !found; cell.sampler++) {
        bool *has = cell_laws(&cell);
        for (size_t d = 0; d < spec->dimension_count && has != NULL; d++)
            found = found || has[d];
        free(has);
    }
    return found;
}

static void put_targets(FILE *file, const struct spec *spec)
{
    for (size_t i = 0; i < spec->target_count; i++) {
        const struct target *target = &spec->targets[i];
        put_text(file, i == 0 ? ",\n\"targets\": [\n{\"name\": " : ",\n{\"name\": ", target->name);
        put_text(file, ", \"family\": ", target->family->name);
        put_entry(file, spec, &spec->target_entries[i]);
        fprintf(file, ", \"power\": %s, \"approximation\": ", is_power(spec, target) ? "true" : "false");
        json_real(file, target_approximation(target));
        const double codewords = codewords_weight(spec, target);
        fputs(", \"codewords\": ", file);
        json_real(file, codewords);
        const double lipschitz = lipschitz_power(spec, target);
        if (!isnan(lipschitz)) {
            fputs(", \"lipschitz\": ", file);
            json_real(file, lipschitz);
        }
        fputs(codewords > 0.0 || !has_law(spec, i) ? ", \"law\": false" : "", file);
        put_documents(file, target->family->doc, target->family->formula, target->family->source);
    }
    fputs("]", file);
}

/* Of one with parameters of its own, a place behind all those in the registry. */
static size_t place_of(const struct spec *spec, size_t sampler)
{
    const struct sampler *at;
    size_t i = 0;
    while ((at = registry_sampler_at(&spec->registry, i)) != NULL && at != spec->samplers[sampler])
        i++;
    return i + 1 + (at == NULL ? sampler : 0);
}

static enum status put_samplers(FILE *file, const struct spec *spec, struct error *error)
{
    for (size_t i = 0; i < spec->sampler_count; i++) {
        const struct sampler *sampler = spec->samplers[i];
        const struct schedule_rule *rule = spec_schedule(spec, i);
        struct grid grid;
        char *described = NULL;
        size_t size = 0;
        FILE *stream = open_memstream(&described, &size);
        if (stream != NULL) {
            schedule_rule_describe(rule, stream);
            (void)fclose(stream);
        }
        enum status status = grid_make(spec, spec->sampler_schedule[i], 1, &grid, error);
        put_text(file, i == 0 ? ",\n\"samplers\": [\n{\"name\": " : ",\n{\"name\": ", sampler->name);
        put_entry(file, spec, &spec->sampler_entries[i]);
        put_text(file, ", \"schedule\": ", rule->kind->name);
        put_text(file, ", \"rule\": ", described != NULL ? described : "");
        fprintf(file, ", \"place\": %zu, \"score_evaluations\": %zu, \"deterministic\": %s, \"claimed_order\": %.17g",
                place_of(spec, i), sampler->score_evaluations, sampler->log_noise_ratio == NULL ? "true" : "false",
                sampler->claimed_order);
        if (sampler->claim_source != NULL)
            put_text(file, ", \"claim_source\": ", sampler->claim_source);
        put_integers(file, ", \"grid\": [", grid.steps, grid.count);
        put_documents(file, sampler->doc, sampler->formula, sampler->source);
        free(grid.steps);
        free(described);
        TRY(status);
    }
    fputs("]", file);
    return STATUS_OK;
}

static void put_score_errors(FILE *file, const struct spec *spec)
{
    for (size_t i = 0; i < spec->score_error_count; i++) {
        struct record row;
        char label[sizeof((struct manifest_error *)NULL)->label];
        record_set_score_error(&row, &spec->score_errors[i]);
        record_label_score_error(&spec->score_errors[i], label, sizeof label);
        put_text(file, i == 0 ? ",\n\"score_errors\": [\n{\"shape\": " : ",\n{\"shape\": ", row.score_error);
        put_text(file, ", \"spread\": ", row.score_error_spread);
        put_text(file, ", \"profile\": ", row.score_error_profile);
        fprintf(file, ", \"size\": %.17g, \"growth\": %.17g", row.score_error_size, row.score_error_growth);
        put_text(file, ", \"label\": ", label);
        put_entry(file, spec, &spec->score_error_entries[i]);
        fputs("}", file);
    }
    fputs("]", file);
}

static void put_claims(FILE *file, const struct spec *spec)
{
    put_names(file, ",\n\"claims\": [", spec->claims, spec->claim_count);
    for (size_t i = 0; i < spec->own_claim_count; i++) {
        const struct claim_spec *claim = &spec->own_claims[i];
        put_text(file, i == 0 ? ",\n\"own_claims\": [\n{\"name\": " : ",\n{\"name\": ", claim->name);
        put_text(file, ", \"says\": ", claim->says);
        put_text(file, ", \"source\": ", claim->source);
        if (claim->quantity != NULL)
            put_text(file, ", \"quantity\": ", claim->quantity->name);
        put_names(file, ", \"samplers\": [", claim->samplers, claim->sampler_count);
        put_names(file, ", \"targets\": [", claim->targets, claim->target_count);
        for (size_t p = 0; p < claim->power_count; p++) {
            const struct claim_power *power = &claim->powers[p];
            put_text(file, p == 0 ? ", \"powers\": [{\"axis\": " : "}, {\"axis\": ", power->axis);
            fprintf(file, ", \"at_least\": %s, \"value\": %.17g", power->at_least ? "true" : "false", power->value);
            if (power->slower != NULL)
                put_text(file, ", \"slower\": ", power->slower);
        }
        fputs("}]}", file);
    }
    fputs(spec->own_claim_count > 0 ? "]" : "", file);
    fprintf(file, ",\n\"without_claims\": %s", spec->without_claims ? "true" : "false");
}

static enum status put_failed(FILE *file, const struct cell *failed, size_t count, struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        const struct cell *cell = &failed[i];
        const struct schedule_rule *rule = spec_schedule(cell->spec, cell->sampler);
        char key[CELL_KEY_SIZE];
        TRY(cell_key(cell, key, error));
        put_text(file, i == 0 ? ",\n\"failed\": [\n{\"key\": " : ",\n{\"key\": ", key);
        put_text(file, ", \"target\": ", cell->spec->targets[cell->target].name);
        put_text(file, ", \"sampler\": ", cell->spec->samplers[cell->sampler]->name);
        fprintf(file, ", \"score_error\": %zu, \"steps\": %zu, \"chains\": %zu, \"step_size\": ", cell->score_error,
                cell->steps, cell->chains);
        const double h = rule->kind->step_size(&rule->values, cell->steps);
        json_real(file, isfinite(h) ? h : NAN);
        fputs("}", file);
    }
    fputs(count > 0 ? "]" : "", file);
    return STATUS_OK;
}

/* The steps in each of the dimensions, where these depend on it. */
static void put_asked(FILE *file, const struct spec *spec)
{
    bool depends = false;
    for (size_t i = 0; i < spec->step_count; i++)
        depends = depends || spec->step_dimensions[i].count < spec->dimension_count;
    for (size_t d = 0; d < spec->dimension_count && depends; d++) {
        fputs(d == 0 ? ",\n\"steps_in\": [[" : ", [", file);
        for (size_t i = 0, before = 0; i < spec->step_count; i++)
            if (dimensions_find(&spec->step_dimensions[i], spec->dimensions[d]) < spec->step_dimensions[i].count)
                fprintf(file, "%s%zu", before++ > 0 ? ", " : "", spec->steps[i]);
        fputs("]", file);
    }
    fputs(depends ? "]" : "", file);
}

enum status manifest_write(const struct spec *spec, const struct cell *failed, size_t failed_count, char **out,
                           struct error *error)
{
    size_t size = 0;
    *out = NULL;
    FILE *file = open_memstream(out, &size);
    if (file == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a manifest");
    put_text(file, "{\"title\": ", spec->title);
    put_integers(file, ",\n\"dimensions\": [", spec->dimensions, spec->dimension_count);
    put_integers(file, ",\n\"steps\": [", spec->steps, spec->step_count);
    put_asked(file, spec);
    put_integers(file, ",\n\"chains\": [", spec->chains, spec->chain_count);
    fprintf(file, ",\n\"seed\": %" PRIu64 ", \"max_steps\": %zu", spec->seed, spec->max_steps);
    for (size_t i = 0, before = 0; sample_method_at(i) != NULL; i++)
        if (spec->methods >> i & 1u)
            put_text(file, before++ == 0 ? ",\n\"methods\": [" : ", ", sample_method_at(i)->name);
    put_text(file, "],\n\"accuracy_in\": ", spec->accuracy_in->name);
    for (size_t i = 0; i < spec->accuracy_count; i++)
        fprintf(file, "%s%.17g", i == 0 ? ",\n\"accuracies\": [" : ", ", spec->accuracies[i]);
    fputs(spec->accuracy_count > 0 ? "]" : "", file);
    put_targets(file, spec);
    enum status status = put_samplers(file, spec, error);
    put_score_errors(file, spec);
    put_claims(file, spec);
    if (status == STATUS_OK)
        status = put_failed(file, failed, failed_count, error);
    fputs("}\n", file);
    if (fclose(file) != 0 && status == STATUS_OK)
        status = fail_with(error, STATUS_MEMORY, "out of memory for a manifest");
    if (status != STATUS_OK) {
        free(*out);
        *out = NULL;
    }
    return status;
}
