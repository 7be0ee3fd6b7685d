#define _GNU_SOURCE /* qsort_r */
/* A manifest from its text. Keys that are not known are left alone. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "experiment/limits.h"
#include "experiment/manifest.h"
#include "experiment/spec_reader.h"

#define MOST_BRACKETS (0.5 * LIMIT_CELLS) /* T(d, eps): an experiment asks for two cells and more for each */

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

/* doc_choice, which begins at the name that was found last: cells are in the order of the names. */
static size_t take_next(struct doc *doc, const yaml_node_t *node, struct names names, const char *what, size_t last)
{
    const bool is_text = node != NULL && node->type == YAML_SCALAR_NODE;
    for (size_t i = last; is_text && names.at(names.context, i) != NULL; i++)
        if (strcmp((const char *)node->data.scalar.value, names.at(names.context, i)) == 0)
            return i;
    return doc_choice(doc, node, names, what);
}

static void take_failed(struct doc *doc, const yaml_node_t *root, struct manifest *out)
{
    const yaml_node_t *list;
    out->failed = take_list(doc, root, "failed", false, sizeof *out->failed, &list, &out->failed_count);
    for (size_t i = 0; i < out->failed_count && doc->status == STATUS_OK; i++) {
        const yaml_node_t *map = doc_item(doc, list, i), *size = doc_find(doc, map, "step_size", true);
        struct manifest_cell *cell = &out->failed[i];
        cell->key = take_long(doc, map, "key");
        cell->target = take_next(doc, doc_find(doc, map, "target", true), (struct names){target_name, out}, "target",
                                 i > 0 ? out->failed[i - 1].target : 0);
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
