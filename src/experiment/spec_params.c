/* Reads the parameters of families by their descriptors (model/params.h), and so targets. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "experiment/spec_reader.h"
#include "model/spectra.h"

/* The keys of a mapping: NULL-terminated ones of its place, then those of the params. */
struct param_keys {
    const char *const *own;
    const struct param *params; /* NULL: none */
};

static const char *param_key(const void *context, size_t index)
{
    const struct param_keys *keys = context;
    size_t own = 0;
    for (; keys->own[own] != NULL; own++)
        if (own == index)
            return keys->own[own];
    return keys->params != NULL ? keys->params[index - own].key : NULL;
}

/* A word in the place of a mapping has no keys. */
static void check_keys(struct loader *l, const yaml_node_t *map, const char *const *own, const struct param *params)
{
    if (!doc_is_word(map))
        doc_keys(&l->doc, map, (struct names){param_key, &(struct param_keys){own, params}});
}

static const char *variant_name(const void *context, size_t index)
{
    return ((const struct variant *)context)[index].name;
}

/* What is read, and where to. */
struct reading {
    struct loader *l;
    const yaml_node_t *map;
    const struct param *params;
    union params *values;
};

static const yaml_node_t *find(const struct reading *r, const struct param *param, bool required)
{
    if (!doc_is_word(r->map))
        return doc_find(&r->l->doc, r->map, param->key, required);
    if (required)
        doc_refuse(&r->l->doc, r->map->start_mark, "missing key '%s'", param->key);
    return NULL;
}

static void *member(const struct reading *r, const struct param *param)
{
    return r->values->bytes + param->offset;
}

static bool is_reals(const struct param *param)
{
    return param->kind == PARAM_REALS || param->kind == PARAM_WEIGHTS;
}

static size_t list_count(const struct reading *r, const struct param *param)
{
    return is_reals(param)               ? ((struct real_list *)member(r, param))->count
           : param->kind == PARAM_POINTS ? ((struct point_list *)member(r, param))->count
                                         : 0;
}

/* The first list of the group, but for matrices, that has elements; NULL if there is none. */
static const struct param *group_first(const struct reading *r, const struct param *of)
{
    for (const struct param *param = r->params; param->key != NULL && of->group > 0; param++)
        if (param != of && param->group == of->group && list_count(r, param) > 0)
            return param;
    return NULL;
}

static void check_count(const struct reading *r, const yaml_node_t *node, const struct param *param, size_t count)
{
    const struct param *first = group_first(r, param);
    if (first != NULL && list_count(r, first) != count)
        doc_refuse(&r->l->doc, node->start_mark,
                   "'%s' has length %zu but '%s' has length %zu, expected equal lengths", param->key, count,
                   first->key, list_count(r, first));
}

/* A word or number in the place of a list of reals, read when all lists are. */
static bool is_repeated(const struct param *param, const yaml_node_t *node)
{
    return is_reals(param) && node->type == YAML_SCALAR_NODE;
}

static void repeat(const struct reading *r, const yaml_node_t *node, const struct param *param)
{
    struct doc *doc = &r->l->doc;
    struct real_list *list = member(r, param);
    const struct param *first = group_first(r, param);
    bool weights = param->kind == PARAM_WEIGHTS;
    if (doc->status != STATUS_OK)
        return;
    if (weights && strcmp((const char *)node->data.scalar.value, "equal") != 0)
        doc_expected(doc, node, "a non-empty list or the word equal");
    else if (first == NULL)
        doc_refuse(doc, node->start_mark, "no other list of the target says how many '%s' there are", param->key);
    if (doc->status != STATUS_OK)
        return;
    size_t count = list_count(r, first);
    double value = weights ? 1.0 / (double)count : doc_real(doc, node, &param->range);
    list->value = array_new(count, sizeof *list->value);
    if (list->value == NULL)
        doc_refuse(doc, node->start_mark, "out of memory for %zu numbers", count);
    for (size_t i = 0; i < count && list->value != NULL; i++)
        list->value[i] = value;
    list->count = list->value != NULL ? count : 0;
}

/* A number that depends on the dimension, where the place allows it: joins the target's forms, and is 1 until d is
 * known. false: the node is none. */
static bool read_form(const struct reading *r, const yaml_node_t *node, const struct param *param, size_t index)
{
    struct form_list *list = r->l->forms;
    struct form form = {.param = param, .index = index};
    if (list == NULL || r->l->doc.status != STATUS_OK || node->type != YAML_SCALAR_NODE
        || node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    const char *text = (const char *)node->data.scalar.value;
    if (param->kind == PARAM_WEIGHTS && strcmp(text, "rest") == 0)
        form.rest = true;
    else if (!form_parse(text, &form))
        return false;
    for (size_t i = 0; i < list->count && form.rest; i++)
        if (list->form[i].rest && list->form[i].param == param)
            doc_refuse(&r->l->doc, node->start_mark, "a second weight is 'rest', expected one");
    form.param = param;
    form.index = index;
    struct form *grown = array_resize(list->form, list->count + 1, sizeof *grown);
    if (grown == NULL) {
        doc_refuse(&r->l->doc, node->start_mark, "out of memory");
        return true;
    }
    list->form = grown;
    list->form[list->count++] = form;
    if (param->kind == PARAM_REAL)
        *(double *)member(r, param) = 1.0;
    else
        ((struct real_list *)member(r, param))->value[index] = 1.0;
    return true;
}

static void read_reals(const struct reading *r, const yaml_node_t *node, const struct param *param)
{
    struct doc *doc = &r->l->doc;
    static const struct range positive = GREATER_THAN(0.0);
    const struct range *range = param->kind == PARAM_WEIGHTS ? &positive : &param->range;
    struct real_list *list = member(r, param);
    double sum = 0.0;
    list->value = doc_array(doc, node, sizeof *list->value, &list->count);
    bool depends = false;
    for (size_t i = 0; i < list->count; i++) {
        const yaml_node_t *item = doc_item(doc, node, i);
        if (read_form(r, item, param, i))
            depends = true;
        else
            list->value[i] = doc_real(doc, item, range);
        sum += list->value[i];
    }
    if (list->count > 0)
        check_count(r, node, param, list->count);
    if (param->kind == PARAM_WEIGHTS && !depends && !(fabs(sum - 1.0) <= 1e-9))
        doc_refuse(doc, node->start_mark, "the weights sum to %.12g, expected 1 within 1e-9", sum);
}

/* The list of one point's coordinates, as many as the first point has or the family wants. */
static const yaml_node_t *point_node(struct doc *doc, const yaml_node_t *points, size_t index, size_t *width)
{
    const yaml_node_t *node = doc_item(doc, points, index);
    size_t found = 0;
    free(doc_array(doc, node, sizeof(double), &found));
    *width = *width > 0 ? *width : found;
    if (doc->status == STATUS_OK && found != *width)
        doc_refuse(doc, node->start_mark, "found a point of %zu coordinates, expected %zu", found, *width);
    return node;
}

static void read_points(const struct reading *r, const yaml_node_t *node, const struct param *param)
{
    struct doc *doc = &r->l->doc;
    struct point_list *list = member(r, param);
    size_t count, width = param->width;
    free(doc_array(doc, node, sizeof *list->value, &count)); /* one element a point: checks the list */
    for (size_t i = 0; i < count; i++)
        (void)point_node(doc, node, i, &width); /* before there is room for points that are not there */
    list->value = doc->status == STATUS_OK ? array_new(count * width, sizeof *list->value) : NULL;
    if (list->value == NULL)
        doc_refuse(doc, node->start_mark, "out of memory for %zu points", count);
    for (size_t i = 0; i < count * width && doc->status == STATUS_OK; i++)
        list->value[i] = doc_real(doc, doc_item(doc, doc_item(doc, node, i / width), i % width), &param->range);
    if (doc->status != STATUS_OK)
        return;
    list->width = width;
    list->count = count;
    check_count(r, node, param, count);
}

static void check_matrix(struct doc *doc, const yaml_node_t *node, size_t order)
{
    size_t rows = 0, columns = order;
    free(doc_array(doc, node, sizeof(double), &rows));
    if (doc->status == STATUS_OK && rows != order)
        doc_refuse(doc, node->start_mark, "found a matrix of %zu rows, expected %zu, the means' coordinates", rows,
                   order);
    for (size_t i = 0; i < order && doc->status == STATUS_OK; i++)
        (void)point_node(doc, node, i, &columns);
}

/* A symmetric matrix that was checked. */
static void read_matrix(struct doc *doc, const yaml_node_t *node, size_t order, double *out)
{
    static const struct range any_real = {0};
    for (size_t i = 0; i < order && doc->status == STATUS_OK; i++) {
        const yaml_node_t *row = doc_item(doc, node, i);
        for (size_t j = 0; j < order && doc->status == STATUS_OK; j++) {
            out[i * order + j] = doc_real(doc, doc_item(doc, row, j), &any_real);
            if (j < i && out[i * order + j] != out[j * order + i])
                doc_refuse(doc, doc_item(doc, row, j)->start_mark,
                           "found %g, but %g across the diagonal, expected a symmetric matrix", out[i * order + j],
                           out[j * order + i]);
        }
    }
}

/* The points of the group, which are read before its matrices. */
static struct point_list group_points(const struct reading *r, const struct param *of)
{
    for (const struct param *param = r->params; param != of; param++)
        if (param->kind == PARAM_POINTS && param->group == of->group)
            return *(struct point_list *)member(r, param);
    return (struct point_list){0};
}

static void read_matrices(const struct reading *r, const yaml_node_t *node, const struct param *param)
{
    struct doc *doc = &r->l->doc;
    struct matrix_list *list = member(r, param);
    const struct point_list points = group_points(r, param);
    size_t order = points.width, count;
    free(doc_array(doc, node, sizeof *list->entry, &count));
    if (doc->status == STATUS_OK && count != 1 && count != points.count)
        doc_refuse(doc, node->start_mark, "found %zu matrices, expected 1 or %zu, one for each of the means", count,
                   points.count);
    for (size_t k = 0; k < count && doc->status == STATUS_OK; k++)
        check_matrix(doc, doc_item(doc, node, k), order); /* before there is room for rows that are not there */
    if (doc->status != STATUS_OK)
        return;
    *list = (struct matrix_list){count, order, array_new(count * order * order, sizeof *list->entry)};
    if (list->entry == NULL)
        doc_refuse(doc, node->start_mark, "out of memory for %zu matrices", count);
    for (size_t k = 0; k < count && doc->status == STATUS_OK; k++)
        read_matrix(doc, doc_item(doc, node, k), order, list->entry + k * order * order);
    struct spectra *spectra = NULL;
    struct error reason = {STATUS_OK, ""};
    if (doc->status == STATUS_OK
        && spectra_new(&(struct covariances){count, list->entry}, order, &spectra, &reason) != STATUS_OK)
        doc_refuse(doc, node->start_mark, "%s", reason.text);
    spectra_free(spectra);
}

static void read_all(const struct reading *r);

static void read_variant(const struct reading *r, const yaml_node_t *node, const struct param *param)
{
    static const char *const own[] = {"kind", NULL};
    struct doc *doc = &r->l->doc;
    size_t *kind = member(r, param);
    *kind = doc_choice(doc, doc_kind(doc, node, "kind"), (struct names){variant_name, param->variants}, param->key);
    const struct param *params = param->variants[*kind].params;
    check_keys(r->l, node, own, params);
    if (params != NULL)
        read_all(&(struct reading){r->l, node, params, r->values});
}

static void read_parts(struct loader *l, const yaml_node_t *list, struct target_list *out);

static size_t least_integer(const struct range *range)
{
    return range->least > 0.0 ? (size_t)range->least : 0;
}

static size_t most_integer(const struct range *range)
{
    return !range_is_all(range) && range->most < (double)DOC_ANY ? (size_t)range->most : DOC_ANY;
}

static void read_value(const struct reading *r, const yaml_node_t *node, const struct param *param)
{
    struct doc *doc = &r->l->doc;
    void *at = member(r, param);
    switch (param->kind) {
    case PARAM_REAL:
        if (!read_form(r, node, param, 0))
            *(double *)at = doc_real(doc, sweep_item(r->l, node, param), &param->range);
        break;
    case PARAM_INTEGER:
        *(size_t *)at = doc_integer(doc, sweep_item(r->l, node, param), least_integer(&param->range),
                                    most_integer(&param->range), NULL);
        break;
    case PARAM_CHOICE:
        *(size_t *)at = doc_choice(doc, node, (struct names){listed_name, param->choices}, param->key);
        break;
    case PARAM_REALS:
    case PARAM_WEIGHTS:
        if (!is_repeated(param, node))
            read_reals(r, node, param);
        break;
    case PARAM_POINTS:
        read_points(r, node, param);
        break;
    case PARAM_MATRICES:
        read_matrices(r, node, param);
        break;
    case PARAM_VARIANT:
        read_variant(r, node, param);
        break;
    case PARAM_TARGETS:
        read_parts(r->l, node, at);
        break;
    case PARAM_FILE:
        read_file_numbers(r->l, node, at);
        break;
    case PARAM_TABLE:
        read_number_table(r->l, node, at);
        break;
    }
}

static void read_all(const struct reading *r)
{
    for (const struct param *param = r->params; param->key != NULL; param++) {
        const yaml_node_t *node = find(r, param, param->required);
        if (node != NULL)
            read_value(r, node, param);
    }
    for (const struct param *param = r->params; param->key != NULL; param++) {
        const yaml_node_t *node = find(r, param, false);
        if (node != NULL && is_repeated(param, node))
            repeat(r, node, param);
    }
}

void read_params(struct loader *l, const yaml_node_t *map, const char *const *own, const struct param *params,
                 union params *values)
{
    check_keys(l, map, own, params);
    if (params != NULL)
        read_all(&(struct reading){l, map, params, values});
}

/* ---- Targets ---- */

static const char *family_name(const void *context, size_t index)
{
    const struct target_family *family = registry_family_at(context, index);
    return family != NULL ? family->name : NULL;
}

static void refuse_nested(struct doc *doc, const yaml_node_t *kind, const struct target_family *family)
{
    for (const struct param *param = family->params; param->key != NULL; param++)
        if (param->kind == PARAM_TARGETS && doc->status == STATUS_OK)
            doc_refuse(doc, kind->start_mark, "a part may not be of kind '%s', which has parts itself", family->name);
}

/* A target; `own` is the key that its place gives it, whose value is returned. A part may have no parts. */
static const yaml_node_t *read_target(struct loader *l, const yaml_node_t *map, const char *own, bool is_part,
                                      struct target *target)
{
    struct doc *doc = &l->doc;
    const struct registry *registry = &l->spec->registry;
    const char *const keys[] = {own, "kind", NULL};
    const yaml_node_t *kind = doc_find(doc, map, "kind", true);
    const struct target_family *family =
        registry_family_at(registry, doc_choice(doc, kind, (struct names){family_name, registry}, "target kind"));
    target_init(target, family);
    check_keys(l, map, keys, family->params);
    const yaml_node_t *place = doc_find(doc, map, own, true);
    if (is_part)
        refuse_nested(doc, kind, family);
    struct form_list *outer = l->forms;
    /* a part does not know the whole dimension, and how far an approximation is off is said once for all of them */
    l->forms = is_part || family->approximation != NULL ? NULL : &target->forms;
    read_all(&(struct reading){l, map, family->params, &target->params});
    l->forms = outer;
    target->written = written_params(l, map, own, registry_family_plugin(registry, family));
    return place;
}

static void read_parts(struct loader *l, const yaml_node_t *list, struct target_list *out)
{
    struct doc *doc = &l->doc;
    const yaml_node_t *rest = NULL;
    out->part = doc_array(doc, list, sizeof *out->part, &out->count);
    for (size_t i = 0; i < out->count; i++) {
        struct target_part *part = &out->part[i];
        const yaml_node_t *copies = read_target(l, doc_item(doc, list, i), "copies", true, &part->target);
        part->copies = doc_integer(doc, copies, 1, DOC_ANY, "rest");
        if (doc->status != STATUS_OK || part->copies > 0)
            continue;
        if (rest != NULL)
            doc_duplicate(doc, copies, rest, "value");
        rest = copies;
    }
    if (rest == NULL)
        doc_refuse(doc, list->start_mark, "found no part with 'copies: rest', expected one");
}

static void name_target(struct loader *l, const yaml_node_t *node, struct target *target, struct entry *entry)
{
    const char *name = doc_text(&l->doc, node, sizeof target->name - 1, "name");
    if (l->doc.status == STATUS_OK && !text_is_name(name))
        doc_expected(&l->doc, node, "a name of [A-Za-z0-9._-] that starts with a letter or digit");
    (void)snprintf(entry->of, sizeof entry->of, "%s", name);
    (void)snprintf(target->name, sizeof target->name, "%s", name);
    sweep_name(l, node, target->name);
    sweep_columns(l, node, "target", l->sweep, entry);
}

/* Adds the next target of an entry. */
static void add_target(struct loader *l, const yaml_node_t *map)
{
    struct spec *spec = l->spec;
    struct doc *doc = &l->doc;
    size_t count = spec->target_count;
    struct target *targets = GROW(l, map, spec->targets, count);
    struct entry *entries = GROW(l, map, spec->target_entries, count);
    const yaml_node_t **nodes = GROW(l, map, l->target_node, count);
    if (doc->status != STATUS_OK)
        return;
    targets[count] = (struct target){.name = ""};
    nodes[count] = map;
    spec->target_count++;
    entry_init(&entries[count]);
    const yaml_node_t *name = read_target(l, map, "name", false, &targets[count]);
    name_target(l, name, &targets[count], &entries[count]);
    for (size_t i = 0; i < count && doc->status == STATUS_OK; i++)
        if (strcmp(targets[i].name, targets[count].name) == 0)
            doc_duplicate(doc, name, doc_find(doc, nodes[i], "name", true), "target name");
}

void read_targets(struct loader *l, const yaml_node_t *list)
{
    size_t entries;
    free(doc_array(&l->doc, list, 1, &entries));
    for (size_t i = 0; i < entries; i++)
        sweep_entry(l, doc_item(&l->doc, list, i), add_target);
}
