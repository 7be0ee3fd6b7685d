/* Reads score errors. */
#include <stdio.h>

#include "core/memory.h"
#include "experiment/spec_reader.h"

enum { MOST_SCORE_ERRORS = 10000 };

static const struct range positive = GREATER_THAN(0.0);
static const struct range any_real = {0};
static const struct param size_param = {"size", PARAM_REAL, 0, "eps_score", .range = GREATER_THAN(0.0)};

static const char *shape_name(const void *context, size_t index)
{
    (void)context;
    const struct error_shape *shape = index > 0 ? error_shape_at(index - 1) : NULL;
    return index == 0 ? "none" : shape != NULL ? shape->name : NULL;
}

static const char *profile_name(const void *context, size_t index)
{
    (void)context;
    const struct error_profile *profile = error_profile_at(index);
    return profile != NULL ? profile->name : NULL;
}

static void refuse_same_error(struct loader *l, const yaml_node_t *node, size_t first)
{
    char text[200];
    yaml_mark_t mark = l->error_node[first]->start_mark;
    record_label_score_error(&l->spec->score_errors[first], text, sizeof text);
    doc_refuse(&l->doc, node->start_mark, "duplicate score error '%s', first given on line %zu, column %zu", text,
               mark.line + 1, mark.column + 1);
}

/* Makes room for one more score error. */
static bool extend_errors(struct loader *l, const yaml_node_t *node)
{
    struct spec *spec = l->spec;
    size_t count = spec->score_error_count;
    if (count > MOST_SCORE_ERRORS && l->doc.status == STATUS_OK)
        doc_refuse(&l->doc, node->start_mark, "found more than %d score errors up to here", MOST_SCORE_ERRORS);
    GROW(l, node, spec->score_errors, count);
    GROW(l, node, spec->score_error_entries, count);
    GROW(l, node, l->error_node, count);
    return l->doc.status == STATUS_OK;
}

static void add_error(struct loader *l, const yaml_node_t *node, const struct score_error *error, size_t before)
{
    struct spec *spec = l->spec;
    if (!extend_errors(l, node))
        return;
    for (size_t j = 1; j < before && l->doc.status == STATUS_OK; j++)
        if (score_error_equal(&spec->score_errors[j], error))
            refuse_same_error(l, node, j);
    struct entry *entry = &spec->score_error_entries[spec->score_error_count];
    entry_init(entry);
    (void)snprintf(entry->of, sizeof entry->of, "%s", error->shape->name);
    params_columns(l, node, "score_error", error->shape->params, &error->params, entry);
    l->error_node[spec->score_error_count] = node;
    spec->score_errors[spec->score_error_count++] = *error;
}

/* The one of the product whose turn it is. */
static void read_error(struct loader *l, const yaml_node_t *map, const struct error_shape *shape, size_t before)
{
    static const char *const own[] = {"shape", "size", "spread", "profile", "growth", NULL};
    struct doc *doc = &l->doc;
    struct score_error error = {.shape = shape, .spread = SPREAD_ALL, .profile = error_profile_find("uniform")};
    const yaml_node_t *size = doc_find(doc, map, "size", false), *spread = doc_find(doc, map, "spread", false);
    const yaml_node_t *profile = doc_find(doc, map, "profile", false), *growth = doc_find(doc, map, "growth", false);
    (void)sweep_item(l, size, &size_param); /* the first of the lists */
    params_init(shape->params, &error.params);
    read_params(l, map, own, shape->params, &error.params);
    error.size = doc_real(doc, sweep_item(l, doc_find(doc, map, "size", true), &size_param), &positive);
    if (spread != NULL)
        error.spread =
            (enum error_spread)doc_choice(doc, spread, (struct names){listed_name, error_spread_names}, "spread");
    if (profile != NULL)
        error.profile = error_profile_at(doc_choice(doc, profile, (struct names){profile_name, NULL}, "profile"));
    error.growth = doc_real(doc, growth, &any_real);
    if (doc->status == STATUS_OK)
        add_error(l, map, &error, before);
}

static void read_exact(struct loader *l, const yaml_node_t *map)
{
    static const char *const own[] = {"shape", NULL};
    if (!doc_is_word(map))
        doc_keys(&l->doc, map, (struct names){listed_name, own});
    if (l->doc.status != STATUS_OK)
        return;
    if (l->spec->exact_scores_listed)
        refuse_same_error(l, map, 0);
    l->spec->exact_scores_listed = 1;
    l->error_node[0] = map;
}

static void read_entry(struct loader *l, const yaml_node_t *map)
{
    struct doc *doc = &l->doc;
    size_t choice = doc_choice(doc, doc_kind(doc, map, "shape"), (struct names){shape_name, NULL}, "shape");
    size_t before = l->spec->score_error_count;
    struct sweep sweep = {.count = 0};
    if (choice == 0) {
        read_exact(l, map);
        return;
    }
    l->sweep = &sweep;
    do
        read_error(l, map, error_shape_at(choice - 1), before);
    while (doc->status == STATUS_OK && sweep_next(&sweep));
    l->sweep = NULL;
}

void read_score_errors(struct loader *l, const yaml_node_t *list)
{
    size_t entries;
    free(doc_array(&l->doc, list, 1, &entries));
    l->spec->exact_scores_listed = 0;
    if (entries > 0 && extend_errors(l, list))
        for (size_t i = 0; i < entries && l->doc.status == STATUS_OK; i++)
            read_entry(l, doc_item(&l->doc, list, i));
}
