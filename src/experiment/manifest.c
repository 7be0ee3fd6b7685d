#include "experiment/manifest.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "experiment/json.h"
#include "experiment/limits.h"
#include "experiment/plan.h"
#include "experiment/spec_reader.h"

#define MOST_BRACKETS (0.5 * LIMIT_CELLS) /* T(d, eps): an experiment asks for two cells and more for each */

void entries_fill(const struct entry *target, const struct entry *sampler, const struct entry *score_error,
                  struct record *row)
{
    for (size_t i = 0; i < PARAMETER_COLUMNS; i++)
        row->parameter[i] = !isnan(target->parameter[i])    ? target->parameter[i]
                            : !isnan(sampler->parameter[i]) ? sampler->parameter[i]
                                                            : score_error->parameter[i];
}

/* ---- Writing ---- */

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

/* Of a target that is no codebook. Without chains, a spec whose targets have none was refused. */
static bool has_law(const struct spec *spec, size_t target)
{
    struct cell cell = {.spec = spec, .target = target, .dimensions = spec_dimensions(spec)};
    bool found = spec->chain_count == 0;
    for (; cell.sampler < spec->sampler_count && !found; cell.sampler++)
        found = cell_has_law(&cell);
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

/* ---- Reading; keys that are not known are left alone ---- */

static const struct range any_real = {0};

static void take_text(struct doc *doc, const yaml_node_t *map, const char *key, char *out, size_t size)
{
    (void)snprintf(out, size, "%s", doc_text(doc, doc_find(doc, map, key, true), size - 1, key));
}

/* A name as in an experiment's file: names go into paths, figures and reports. */
static void take_name(struct doc *doc, const yaml_node_t *map, const char *key, char out[64])
{
    take_text(doc, map, key, out, 64);
    if (doc->status == STATUS_OK && !text_is_name(out))
        doc_expected(doc, doc_find(doc, map, key, true), "a name of [A-Za-z0-9._-]");
}

/* The text for free(), "" where there is none; NULL after an error. */
static char *take_long(struct doc *doc, const yaml_node_t *map, const char *key)
{
    return strdup(doc_text(doc, doc_find(doc, map, key, false), SIZE_MAX, key));
}

static bool take_bool(struct doc *doc, const yaml_node_t *map, const char *key)
{
    static const char *const words[] = {"false", "true", NULL};
    return doc_choice(doc, doc_find(doc, map, key, true), (struct names){listed_name, words}, key) == 1;
}

static double take_real(struct doc *doc, const yaml_node_t *map, const char *key)
{
    return doc_real(doc, doc_find(doc, map, key, true), &any_real);
}

static size_t take_integer(struct doc *doc, const yaml_node_t *map, const char *key, size_t least, size_t most)
{
    return doc_integer(doc, doc_find(doc, map, key, true), least, most, NULL);
}

static void take_integers(struct doc *doc, const yaml_node_t *map, const char *key, size_t **out, size_t *count)
{
    read_integers(doc, doc_find(doc, map, key, false), 1, DOC_ANY, key, out, count);
}

/* Room for a list of any length, and its node; none of an optional list that is not there. */
static void *take_list(struct doc *doc, const yaml_node_t *map, const char *key, bool required, size_t size,
                       const yaml_node_t **list, size_t *count)
{
    *count = 0;
    *list = doc_find(doc, map, key, required);
    if (*list != NULL && (*list)->type != YAML_SEQUENCE_NODE)
        doc_expected(doc, *list, "a list");
    size_t length = 0;
    if (*list != NULL && doc->status == STATUS_OK)
        length = (size_t)((*list)->data.sequence.items.top - (*list)->data.sequence.items.start);
    if (required && length == 0 && doc->status == STATUS_OK)
        doc_expected(doc, *list, "a non-empty list");
    void *array = array_new(length, size);
    if (array == NULL)
        doc_refuse(doc, (yaml_mark_t){0}, "out of memory");
    *count = array != NULL ? length : 0;
    return array;
}

static void take_entry(struct doc *doc, const yaml_node_t *map, struct manifest *out, struct entry *entry)
{
    const yaml_node_t *of = doc_find(doc, map, "of", true), *parameters = doc_find(doc, map, "parameters", true);
    const char *key;
    entry_init(entry);
    if (of != NULL && of->type == YAML_SCALAR_NODE && of->data.scalar.length > 0)
        take_name(doc, map, "of", entry->of);
    for (size_t i = 0; (key = doc_key(doc, parameters, i)) != NULL; i++) {
        const yaml_node_t *value = doc_find(doc, parameters, key, true);
        const size_t column = text_is_name(key) ? parameter_add(&out->parameters, key, "") : PARAMETER_COLUMNS;
        if (column == PARAMETER_COLUMNS)
            doc_refuse(doc, parameters->start_mark, "found a parameter that is no name, or one too many");
        else
            entry->parameter[column] = doc_real(doc, value, &any_real);
    }
}

static void take_target(struct doc *doc, const yaml_node_t *map, struct manifest_target *target)
{
    take_name(doc, map, "name", target->name);
    take_name(doc, map, "family", target->family);
    target->power = take_bool(doc, map, "power");
    target->approximation = take_real(doc, map, "approximation");
    target->codewords = take_real(doc, map, "codewords");
    target->lipschitz = doc_find(doc, map, "lipschitz", false) != NULL ? take_real(doc, map, "lipschitz") : NAN;
    target->has_law = doc_find(doc, map, "law", false) == NULL || take_bool(doc, map, "law");
}

static void take_sampler(struct doc *doc, const yaml_node_t *map, struct manifest_sampler *sampler)
{
    take_name(doc, map, "name", sampler->name);
    take_name(doc, map, "schedule", sampler->schedule);
    sampler->rule = take_long(doc, map, "rule");
    sampler->place = take_integer(doc, map, "place", 1, DOC_ANY);
    sampler->score_evaluations = take_integer(doc, map, "score_evaluations", 1, DOC_ANY);
    sampler->deterministic = take_bool(doc, map, "deterministic");
    sampler->claimed_order = take_real(doc, map, "claimed_order");
    sampler->claim_source = take_long(doc, map, "claim_source");
    take_integers(doc, map, "grid", &sampler->grid, &sampler->grid_count);
    if (doc->status == STATUS_OK && (sampler->rule == NULL || sampler->claim_source == NULL))
        doc_refuse(doc, map->start_mark, "out of memory");
    if (doc->status == STATUS_OK && sampler->grid_count == 0)
        doc_refuse(doc, map->start_mark, "missing key 'grid'");
}

static void take_score_error(struct doc *doc, const yaml_node_t *map, struct manifest_error *error)
{
    take_name(doc, map, "shape", error->shape);
    take_name(doc, map, "spread", error->spread);
    take_name(doc, map, "profile", error->profile);
    error->size = take_real(doc, map, "size");
    error->growth = take_real(doc, map, "growth");
    take_text(doc, map, "label", error->label, sizeof error->label);
}

static const char *target_name(const void *context, size_t index)
{
    const struct manifest *manifest = context;
    return index < manifest->target_count ? manifest->targets[index].name : NULL;
}

static const char *sampler_name(const void *context, size_t index)
{
    const struct manifest *manifest = context;
    return index < manifest->sampler_count ? manifest->samplers[index].name : NULL;
}

static const char *method_name(const void *context, size_t index)
{
    (void)context;
    return sample_method_at(index) != NULL ? sample_method_at(index)->name : NULL;
}

static const char *accuracy_name(const void *context, size_t index)
{
    return ((const struct quantity *)context)[index].name;
}

/* Some of the names, each as `at` has it. */
static const char **take_some(struct doc *doc, const yaml_node_t *map, const char *key, bool required,
                              struct names names, size_t *count)
{
    const yaml_node_t *list;
    const char **some = take_list(doc, map, key, required, sizeof *some, &list, count);
    for (size_t i = 0; i < *count; i++)
        some[i] = names.at(names.context, doc_choice(doc, doc_item(doc, list, i), names, key));
    return some;
}

static void take_own_claim(struct doc *doc, const yaml_node_t *map, const struct manifest *manifest,
                           struct claim_spec *claim)
{
    const struct names samplers = {sampler_name, manifest}, targets = {target_name, manifest};
    const yaml_node_t *list, *quantity = doc_find(doc, map, "quantity", false);
    take_name(doc, map, "name", claim->name);
    take_text(doc, map, "says", claim->says, sizeof claim->says);
    take_text(doc, map, "source", claim->source, sizeof claim->source);
    if (quantity != NULL)
        claim->quantity = claim_quantity(doc, quantity);
    claim->samplers = take_some(doc, map, "samplers", false, samplers, &claim->sampler_count);
    if (doc_find(doc, map, "targets", false) != NULL)
        claim->targets = take_some(doc, map, "targets", false, targets, &claim->target_count);
    claim->powers = take_list(doc, map, "powers", true, sizeof *claim->powers, &list, &claim->power_count);
    for (size_t i = 0; i < claim->power_count && doc->status == STATUS_OK; i++) {
        const yaml_node_t *item = doc_item(doc, list, i), *slower = doc_find(doc, item, "slower", false);
        char axis[64];
        take_name(doc, item, "axis", axis);
        claim->powers[i] = (struct claim_power){.at_least = take_bool(doc, item, "at_least"),
                                                .value = take_real(doc, item, "value")};
        if (slower != NULL)
            claim->powers[i].slower = sampler_name(manifest, doc_choice(doc, slower, samplers, "sampler"));
        claim->powers[i].axis = claim_axis(&manifest->parameters, claim->quantity, slower != NULL, axis);
        if (claim->powers[i].axis == NULL)
            doc_refuse(doc, item->start_mark, "no claim has an exponent in '%s'", axis);
    }
}

static void take_claims(struct doc *doc, const yaml_node_t *root, struct manifest *out)
{
    const yaml_node_t *list;
    out->without_claims = take_bool(doc, root, "without_claims");
    out->claims = take_list(doc, root, "claims", false, sizeof *out->claims, &list, &out->claim_count);
    for (size_t i = 0; i < out->claim_count; i++) {
        const yaml_node_t *node = doc_item(doc, list, i);
        (void)snprintf(out->claims[i], sizeof out->claims[i], "%s", doc_text(doc, node, 63, "claim"));
    }
    out->own_claims =
        take_list(doc, root, "own_claims", false, sizeof *out->own_claims, &list, &out->own_claim_count);
    for (size_t i = 0; i < out->own_claim_count && doc->status == STATUS_OK; i++)
        take_own_claim(doc, doc_item(doc, list, i), out, &out->own_claims[i]);
}

static void take_failed(struct doc *doc, const yaml_node_t *root, struct manifest *out)
{
    const yaml_node_t *list;
    out->failed = take_list(doc, root, "failed", false, sizeof *out->failed, &list, &out->failed_count);
    for (size_t i = 0; i < out->failed_count && doc->status == STATUS_OK; i++) {
        const yaml_node_t *map = doc_item(doc, list, i), *size = doc_find(doc, map, "step_size", true);
        struct manifest_cell *cell = &out->failed[i];
        cell->key = take_long(doc, map, "key");
        cell->target =
            doc_choice(doc, doc_find(doc, map, "target", true), (struct names){target_name, out}, "target");
        cell->sampler =
            doc_choice(doc, doc_find(doc, map, "sampler", true), (struct names){sampler_name, out}, "sampler");
        cell->score_error = take_integer(doc, map, "score_error", 0, out->score_error_count - 1);
        cell->steps = take_integer(doc, map, "steps", 2, DOC_ANY);
        cell->chains = take_integer(doc, map, "chains", 0, DOC_ANY);
        const bool is_known = size == NULL || size->type != YAML_SCALAR_NODE
                              || strcmp((const char *)size->data.scalar.value, "null") != 0;
        cell->step_size = is_known ? doc_real(doc, size, &any_real) : NAN;
        if (cell->key == NULL)
            doc_refuse(doc, map->start_mark, "out of memory");
    }
}

/* The targets, samplers or score errors: members with `read`, and their entries. */
#define TAKE_ENTRIES(doc, root, out, key, list, entries, count, read) \
    do { \
        const yaml_node_t *nodes; \
        (out)->list = take_list(doc, root, key, true, sizeof *(out)->list, &nodes, &(out)->count); \
        (out)->entries = array_new((out)->count, sizeof *(out)->entries); \
        if ((out)->entries == NULL) \
            doc_refuse(doc, (yaml_mark_t){0}, "out of memory"); \
        for (size_t i = 0; i < (out)->count && (doc)->status == STATUS_OK; i++) { \
            read(doc, doc_item(doc, nodes, i), &(out)->list[i]); \
            take_entry(doc, doc_item(doc, nodes, i), out, &(out)->entries[i]); \
        } \
    } while (0)

static int by_of(const void *left, const void *right, void *entries)
{
    const size_t i = *(const size_t *)left, j = *(const size_t *)right;
    const int order = strcmp(((const struct entry *)entries)[i].of, ((const struct entry *)entries)[j].of);
    return order != 0 ? order : (i > j) - (i < j);
}

static struct relatives *find_relatives(struct doc *doc, struct entry *entries, size_t count)
{
    struct relatives *out = array_new(count, sizeof *out);
    size_t *order = array_new(count, sizeof *order);
    if (out == NULL || order == NULL)
        doc_refuse(doc, (yaml_mark_t){0}, "out of memory");
    for (size_t i = 0; i < count && doc->status == STATUS_OK; i++)
        order[i] = i;
    if (doc->status == STATUS_OK)
        qsort_r(order, count, sizeof *order, by_of, entries);
    for (size_t i = 0; i < count && doc->status == STATUS_OK; i++) {
        const bool is_first = i == 0 || strcmp(entries[order[i]].of, entries[order[i - 1]].of) != 0;
        out[order[i]] = (struct relatives){is_first ? order[i] : out[order[i - 1]].first, count};
        if (!is_first)
            out[order[i - 1]].next = order[i];
    }
    free(order);
    return out;
}

/* Each dimension has steps, all of which are among those of the experiment. */
static void take_asked(struct doc *doc, const yaml_node_t *root, struct manifest *out)
{
    const yaml_node_t *lists = doc_find(doc, root, "steps_in", false);
    size_t count = 0;
    if (lists == NULL || doc->status != STATUS_OK)
        return;
    free(doc_array(doc, lists, 1, &count));
    if (doc->status == STATUS_OK && count != out->dimension_count)
        doc_expected(doc, lists, "a list of steps for each dimension");
    out->asks = array_new(out->dimension_count, out->step_count * sizeof *out->asks);
    if (out->asks == NULL)
        doc_refuse(doc, lists->start_mark, "out of memory");
    for (size_t d = 0; d < count && doc->status == STATUS_OK; d++) {
        const yaml_node_t *list = doc_item(doc, lists, d);
        size_t *steps = NULL, given = 0, i = 0;
        read_integers(doc, list, 1, DOC_ANY, "number of steps", &steps, &given);
        for (size_t k = 0; k < given && doc->status == STATUS_OK; k++) {
            while (i < out->step_count && out->steps[i] < steps[k])
                i++;
            if (i < out->step_count && out->steps[i] == steps[k])
                out->asks[d * out->step_count + i] = true;
            else
                doc_expected(doc, list, "numbers of steps of the experiment");
        }
        free(steps);
    }
}

static void take_all(struct doc *doc, const yaml_node_t *root, struct manifest *out)
{
    size_t methods;
    take_text(doc, root, "title", out->title, sizeof out->title);
    take_integers(doc, root, "dimensions", &out->dimensions, &out->dimension_count);
    take_integers(doc, root, "steps", &out->steps, &out->step_count);
    take_asked(doc, root, out);
    take_integers(doc, root, "chains", &out->chains, &out->chain_count);
    out->seed = take_integer(doc, root, "seed", 0, DOC_ANY);
    out->max_steps = take_integer(doc, root, "max_steps", 1, DOC_ANY);
    const char **some = take_some(doc, root, "methods", true, (struct names){method_name, NULL}, &methods);
    for (size_t i = 0; sample_method_at(i) != NULL; i++)
        for (size_t k = 0; k < methods; k++)
            out->methods |= some[k] == sample_method_at(i)->name ? 1u << i : 0u;
    free(some);
    out->accuracy_in =
        &accuracy_quantities[doc_choice(doc, doc_find(doc, root, "accuracy_in", true),
                                        (struct names){accuracy_name, accuracy_quantities}, "quantity")];
    static const struct range positive = GREATER_THAN(0.0);
    out->accuracies =
        read_set(doc, doc_find(doc, root, "accuracies", false), &positive, 0, 0, "accuracy", &out->accuracy_count);
    TAKE_ENTRIES(doc, root, out, "targets", targets, target_entries, target_count, take_target);
    TAKE_ENTRIES(doc, root, out, "samplers", samplers, sampler_entries, sampler_count, take_sampler);
    out->target_relatives = find_relatives(doc, out->target_entries, out->target_count);
    out->sampler_relatives = find_relatives(doc, out->sampler_entries, out->sampler_count);
    TAKE_ENTRIES(doc, root, out, "score_errors", score_errors, score_error_entries, score_error_count,
                 take_score_error);
    take_claims(doc, root, out);
    take_failed(doc, root, out);
    if (doc->status == STATUS_OK && out->dimension_count == 0)
        doc_refuse(doc, root->start_mark, "missing key 'dimensions'");
    if (doc->status == STATUS_OK
        && (double)out->target_count * (double)out->sampler_count * (double)out->score_error_count
                   * (double)out->dimension_count * (double)out->accuracy_count
               > MOST_BRACKETS)
        doc_refuse(doc, root->start_mark, "found more than %g T(d, eps), expected fewer", MOST_BRACKETS);
}

enum status manifest_parse(const char *path, const char *text, const struct parameter_columns *parameters,
                           struct manifest *out, struct error *error)
{
    struct doc doc;
    *out = (struct manifest){.parameters = *parameters};
    take_all(&doc, doc_open(&doc, path, text, strlen(text), error), out);
    doc_close(&doc);
    return doc.status;
}

void manifest_free(struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->sampler_count; i++) {
        free(manifest->samplers[i].rule);
        free(manifest->samplers[i].claim_source);
        free(manifest->samplers[i].grid);
    }
    for (size_t i = 0; i < manifest->failed_count; i++)
        free(manifest->failed[i].key);
    claim_specs_free(manifest->own_claims, manifest->own_claim_count);
    void *const owned[] = {
        manifest->targets,      manifest->target_entries,      manifest->samplers,         manifest->sampler_entries,
        manifest->score_errors, manifest->score_error_entries, manifest->chains,           manifest->dimensions,
        manifest->steps,        manifest->accuracies,          manifest->claims,           manifest->failed,
        manifest->asks,         manifest->target_relatives,    manifest->sampler_relatives};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
        free(owned[i]);
    *manifest = (struct manifest){.accuracy_in = NULL};
}

/* ---- Steps ---- */

static bool asks(const struct manifest *manifest, size_t steps, size_t dimension)
{
    return manifest->asks == NULL || manifest->asks[dimension * manifest->step_count + steps];
}

/* Both increase. */
size_t manifest_find_dimension(const struct manifest *manifest, size_t dimension)
{
    return dimensions_find(&(struct dimensions){manifest->dimensions, manifest->dimension_count}, dimension);
}

size_t manifest_find_steps(const struct manifest *manifest, size_t T)
{
    return dimensions_find(&(struct dimensions){manifest->steps, manifest->step_count}, T);
}

bool manifest_asks(const struct manifest *manifest, size_t dimension, size_t T)
{
    const size_t i = manifest_find_steps(manifest, T);
    return i < manifest->step_count && asks(manifest, i, dimension);
}

size_t manifest_step_count(const struct manifest *manifest, size_t dimension)
{
    size_t count = 0;
    for (size_t i = 0; i < manifest->step_count; i++)
        count += asks(manifest, i, dimension);
    return count;
}

size_t manifest_last_steps(const struct manifest *manifest, size_t dimension)
{
    for (size_t i = manifest->step_count; i-- > 0;)
        if (asks(manifest, i, dimension))
            return i;
    return manifest->step_count;
}

size_t manifest_first_steps(const struct manifest *manifest, size_t dimension)
{
    size_t i = 0;
    while (i < manifest->step_count && !asks(manifest, i, dimension))
        i++;
    return i;
}

/* ---- Score errors ---- */

static const char of_error[] = "score_error_";

static bool same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

bool manifest_has_score_error(const struct manifest *manifest, size_t score_error,
                              const struct parameter_columns *columns, const struct record *row)
{
    const struct manifest_error *error = &manifest->score_errors[score_error];
    bool has = strcmp(row->score_error, error->shape) == 0 && strcmp(row->score_error_spread, error->spread) == 0
               && strcmp(row->score_error_profile, error->profile) == 0 && row->score_error_size == error->size
               && row->score_error_growth == error->growth;
    for (size_t i = 0; i < columns->count && has; i++)
        if (strncmp(columns->column[i].name, of_error, strlen(of_error)) == 0)
            has = same(row->parameter[i],
                       manifest_error_param(manifest, score_error, columns->column[i].name + strlen(of_error)));
    return has;
}

double manifest_error_param(const struct manifest *manifest, size_t score_error, const char *key)
{
    for (size_t i = 0; i < manifest->parameters.count; i++) {
        const char *name = manifest->parameters.column[i].name;
        if (strncmp(name, of_error, strlen(of_error)) == 0 && strcmp(name + strlen(of_error), key) == 0)
            return manifest->score_error_entries[score_error].parameter[i];
    }
    return NAN;
}
