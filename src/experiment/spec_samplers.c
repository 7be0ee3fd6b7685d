/* Reads schedules, and samplers on each of them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "experiment/spec_reader.h"

/* KIND-KEY-VALUE for each of the params that are not the standard ones. */
static void name_of_values(struct loader *l, const yaml_node_t *node, const char *kind, const struct param *params,
                           const union params *values, char name[64])
{
    union params standard;
    params_init(params, &standard);
    (void)snprintf(name, 64, "%s", kind);
    for (const struct param *param = params; param != NULL && param->key != NULL; param++) {
        const void *at = values->bytes + param->offset;
        if (memcmp(at, standard.bytes + param->offset, param_size(param->kind)) == 0)
            continue;
        if (param->kind == PARAM_REAL)
            name_part(l, node, name, "-%s-%.6g", param->key, *(const double *)at);
        else if (param->kind == PARAM_INTEGER)
            name_part(l, node, name, "-%s-%zu", param->key, *(const size_t *)at);
        else if (param->kind == PARAM_CHOICE)
            name_part(l, node, name, "-%s", param->choices[*(const size_t *)at]);
    }
}

/* ---- Schedules ---- */

static const char *schedule_name(const void *context, size_t index)
{
    const struct schedule_kind *kind = registry_schedule_at(context, index);
    return kind != NULL ? kind->name : NULL;
}

/* Adds the schedule of a mapping or a word, or of the standard values if there is neither. */
static void add_schedule(struct loader *l, const yaml_node_t *map)
{
    static const char *const own[] = {"kind", NULL};
    struct spec *spec = l->spec;
    size_t count = spec->schedule_count;
    struct schedule_rule *rules = GROW(l, map, spec->schedules, count);
    char(*names)[64] = GROW(l, map, l->schedule_name, count);
    struct entry *entries = GROW(l, map, l->schedule_entries, count);
    if (l->doc.status != STATUS_OK)
        return;
    const yaml_node_t *node = doc_kind(&l->doc, map, "kind");
    const struct registry *registry = &spec->registry;
    const struct names kinds = {schedule_name, registry};
    const struct schedule_kind *kind =
        map == NULL ? schedule_kind_find("li-cai")
                    : registry_schedule_at(registry, doc_choice(&l->doc, node, kinds, "schedule"));
    rules[count] = (struct schedule_rule){.kind = kind};
    params_init(kind->params, &rules[count].values);
    spec->schedule_count++;
    if (map != NULL) {
        read_params(l, map, own, kind->params, &rules[count].values);
        rules[count].written = written_params(l, map, NULL, registry_schedule_plugin(registry, kind));
    }
    entry_init(&entries[count]);
    name_of_values(l, map, kind->name, kind->params, &rules[count].values, names[count]);
    params_columns(l, map, "schedule", kind->params, &rules[count].values, &entries[count]);
    for (size_t i = 0; i < count && l->doc.status == STATUS_OK; i++)
        if (schedule_rule_equal(&rules[i], &rules[count]))
            doc_refuse(&l->doc, map->start_mark, "found the schedule '%s' twice", names[count]);
        else if (strcmp(names[i], names[count]) == 0) /* that differ in what is no number */
            (void)snprintf(names[count], sizeof names[count], "%.50s-%zu", kind->name, count + 1);
}

void read_schedules(struct loader *l, const yaml_node_t *node)
{
    bool is_list = node != NULL && node->type == YAML_SEQUENCE_NODE;
    size_t entries = 1;
    if (is_list)
        free(doc_array(&l->doc, node, 1, &entries));
    for (size_t i = 0; i < entries; i++)
        sweep_entry(l, is_list ? doc_item(&l->doc, node, i) : node, add_schedule);
}

/* ---- Samplers ---- */

static const char *sampler_name(const void *context, size_t index)
{
    const struct sampler *sampler = registry_sampler_at(context, index);
    return sampler != NULL ? sampler->name : NULL;
}

/* No other sampler may have its name, because claims and results know samplers by theirs. */
static void check_instance_name(struct loader *l, const yaml_node_t *node, const char *name)
{
    const struct sampler *listed;
    if (l->doc.status == STATUS_OK && !text_is_name(name))
        doc_expected(&l->doc, node, "a name of [A-Za-z0-9._-] that starts with a letter or digit");
    for (size_t i = 0; (listed = registry_sampler_at(&l->spec->registry, i)) != NULL; i++)
        if (l->doc.status == STATUS_OK && strcmp(listed->name, name) == 0)
            doc_refuse(&l->doc, node->start_mark,
                       "'%s' is the name of a sampler without parameters of its own, expected another", name);
}

/* A sampler as one entry of the file says it, before it is put on schedules. */
struct chosen {
    const struct sampler *kind;
    union params values;
    char name[64]; /* "": the kind's own */
    char *written; /* sampler_instance_new's, as are values and this with it */
    bool taken;
    struct entry entry;
};

static void choose_kind(struct loader *l, const yaml_node_t *map, struct chosen *out)
{
    static const char *const own[] = {"kind", "name", NULL};
    struct doc *doc = &l->doc;
    const struct registry *registry = &l->spec->registry;
    const yaml_node_t *node = doc_kind(doc, map, "kind");
    out->kind =
        registry_sampler_at(registry, doc_choice(doc, node, (struct names){sampler_name, registry}, "sampler"));
    const yaml_node_t *name = doc_is_word(map) ? NULL : doc_find(doc, map, "name", false);
    params_init(out->kind->params, &out->values);
    read_params(l, map, own, out->kind->params, &out->values);
    if (name != NULL)
        (void)snprintf(out->name, sizeof out->name, "%s", doc_text(doc, name, sizeof out->name - 1, "name"));
    (void)snprintf(out->entry.of, sizeof out->entry.of, "%s", name != NULL ? out->name : out->kind->name);
    sweep_columns(l, map, "sampler", l->sweep, &out->entry);
    if (doc->status == STATUS_OK && name == NULL)
        name_of_values(l, map, out->kind->name, out->kind->params, &out->values, out->name);
    else if (doc->status == STATUS_OK)
        sweep_name(l, name, out->name);
    if (strcmp(out->name, out->kind->name) == 0 && name == NULL)
        out->name[0] = '\0';
    else
        check_instance_name(l, name != NULL ? name : map, out->name);
    out->written = written_params(l, map, "name", registry_sampler_plugin(registry, out->kind));
}

static const char *name_of(const struct chosen *chosen)
{
    return chosen->name[0] != '\0' ? chosen->name : chosen->kind->name;
}

/* Adds the sampler on one of the schedules; takes what it has. */
static void add_sampler(struct loader *l, const yaml_node_t *node, struct chosen *chosen, size_t schedule)
{
    struct spec *spec = l->spec;
    size_t count = spec->sampler_count;
    char name[64 + 64 + 1];
    const struct sampler **samplers = GROW(l, node, spec->samplers, count);
    struct sampler_instance **instances = GROW(l, node, spec->instances, count);
    size_t *schedules = GROW(l, node, spec->sampler_schedule, count);
    struct entry *entries = GROW(l, node, spec->sampler_entries, count);
    const yaml_node_t **nodes = GROW(l, node, l->sampler_node, count);
    if (l->doc.status != STATUS_OK)
        return;
    bool several = schedule > 0; /* on the first, a sampler keeps its name */
    (void)snprintf(name, sizeof name, "%s%s%s", name_of(chosen), several ? "-" : "",
                   several ? l->schedule_name[schedule] : "");
    if (strlen(name) >= sizeof instances[0]->name)
        doc_refuse(&l->doc, node->start_mark, "the name '%s' is too long, expected at most %zu bytes", name,
                   sizeof instances[0]->name - 1);
    nodes[count] = node;
    samplers[count] = chosen->kind;
    instances[count] = NULL;
    schedules[count] = schedule;
    entries[count] = chosen->entry;
    for (size_t i = 0; i < PARAMETER_COLUMNS; i++)
        if (!isnan(l->schedule_entries[schedule].parameter[i]))
            entries[count].parameter[i] = l->schedule_entries[schedule].parameter[i];
    spec->sampler_count++;
    if (strcmp(name, chosen->kind->name) != 0) {
        instances[count] = sampler_instance_new(chosen->kind, &chosen->values, name, chosen->written);
        if (instances[count] == NULL)
            doc_refuse(&l->doc, node->start_mark, "out of memory");
        else
            samplers[count] = &instances[count]->sampler;
        chosen->taken = instances[count] != NULL;
    }
    for (size_t j = 0; j < count && l->doc.status == STATUS_OK; j++)
        if (strcmp(samplers[count]->name, samplers[j]->name) == 0)
            doc_duplicate(&l->doc, node, nodes[j], "sampler");
}

static void choose(struct loader *l, const yaml_node_t *node, size_t schedule)
{
    struct chosen chosen = {.name = ""};
    entry_init(&chosen.entry);
    choose_kind(l, node, &chosen);
    if (l->doc.status == STATUS_OK)
        add_sampler(l, node, &chosen, schedule);
    if (!chosen.taken) {
        params_free(chosen.kind->params, &chosen.values);
        free(chosen.written);
    }
}

static void choose_on_schedules(struct loader *l, const yaml_node_t *node)
{
    for (size_t s = 0; s < l->spec->schedule_count && l->doc.status == STATUS_OK; s++)
        choose(l, node, s);
}

void read_samplers(struct loader *l, const yaml_node_t *list)
{
    size_t entries;
    free(doc_array(&l->doc, list, 1, &entries));
    for (size_t i = 0; i < entries; i++)
        sweep_entry(l, doc_item(&l->doc, list, i), choose_on_schedules);
}
