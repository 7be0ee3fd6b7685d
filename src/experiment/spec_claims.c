/* Reads the claims of an experiment: names of built-in ones, and claims stated in full (claim_keys). */
#include "experiment/spec_claims.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "experiment/spec_reader.h"

const struct claim_key claim_keys[] = {
    {"name", "what results call it"},
    {"says", "the statement, for the report (optional)"},
    {"source", "who claims it, for the report (optional)"},
    {"sampler", "the sampler that it is about, or a list (default: all of the experiment)"},
    {"quantity", "steps or evaluations, T(d, eps) and the score evaluations of so many steps; or a column of results "
                 "with a radius or a standard error, such as tv, kl_p_q, w2, error_effect, path_kl"},
    {"at_most", "exponents, {AXIS: number or fraction, ...}, none of which is larger: of steps in accuracy (meaning "
                "1/eps) and dimension, of others in step_size, steps (meaning T/log T) and dimension (h, T and d for "
                "short), of both in parameters that the experiment gives as lists, by their column's name or key"},
    {"at_least",
     "the same, none of which is smaller: tv at_least {step_size: 2} says that TV falls like h^2 or faster"},
    {"faster_than",
     "{sampler: OTHER, by: {accuracy: 1/2}}: the steps of OTHER over those of the sampler grow at least "
     "like this power of 1/eps (of dimension, d)"},
    {"targets", "a list of those that it is about (default: all)"},
    {NULL, NULL}};

static const char *claim_key_at(const void *context, size_t index)
{
    (void)context;
    return claim_keys[index].key;
}

/* ---- Axes ---- */

static const struct {
    const char *name, *symbol;
} axes[] = {{"accuracy", "1/eps"},
            {"dimension", "d"},
            {"step_size", "h"},
            {"steps", "T/log T"},
            {"score_error_size", "eps_score"}};
static const struct {
    const char *form, *name;
} short_forms[] = {{"d", "dimension"}, {"h", "step_size"}, {"T", "steps"}, {"path_kl", "path_kl_p_q"}};
/* Beginnings of names of parameters, the key follows. */
static const char *const places[] = {"score_error_", "schedule_", "sampler_", "target_"};
enum {
    AXES = sizeof axes / sizeof axes[0],
    SHORT_FORMS = sizeof short_forms / sizeof short_forms[0],
    PLACES = sizeof places / sizeof places[0]
};

static bool starts(const char *name, const char *with)
{
    return strncmp(name, with, strlen(with)) == 0;
}

static const char *full_name(const char *name)
{
    for (size_t i = 0; i < SHORT_FORMS; i++)
        if (strcmp(short_forms[i].form, name) == 0)
            return short_forms[i].name;
    return name;
}

/* Of a name or a short form of it (h, T, d, or a parameter's key alone); NULL: there is no such axis. */
static const char *axis_find(const struct parameter_columns *columns, const char *name)
{
    name = full_name(name);
    for (size_t i = 0; i < AXES; i++)
        if (strcmp(axes[i].name, name) == 0)
            return axes[i].name;
    size_t column = parameter_find(columns, name);
    return column < columns->count ? columns->column[column].name : NULL;
}

/* A parameter's key, without the place. */
static const char *key_of(const char *name)
{
    for (size_t i = 0; i < PLACES; i++)
        if (starts(name, places[i]))
            return name + strlen(places[i]);
    return name;
}

const char *axis_symbol(const char *name)
{
    for (size_t i = 0; i < AXES; i++)
        if (strcmp(axes[i].name, name) == 0)
            return axes[i].symbol;
    return key_of(name);
}

bool axis_is_of_targets(const char *name)
{
    return starts(name, "target_");
}

bool axis_is_of_samplers(const char *name)
{
    return starts(name, "sampler_") || axis_is_of_schedules(name);
}

bool axis_is_of_schedules(const char *name)
{
    return starts(name, "schedule_");
}

/* What keys of exponents depend on. */
struct axis_keys {
    const struct field *quantity; /* NULL: steps */
    bool compares;                /* steps of two samplers */
    const struct parameter_columns *columns;
};

/* Whether the quantity may be said to grow in an axis: T(d, eps) does in 1/eps, d and parameters, with exact scores,
 * which chains have, too, or are one to an error. */
static bool may_grow_in(const struct axis_keys *keys, const char *name)
{
    const char *axis = axis_find(keys->columns, name);
    const bool is_accuracy = axis != NULL && strcmp(axis, "accuracy") == 0;
    if (axis == NULL || keys->quantity == NULL)
        return axis != NULL
               && (is_accuracy || strcmp(axis, "dimension") == 0
                   || (!keys->compares && (axis_is_of_targets(axis) || axis_is_of_samplers(axis))));
    return !is_accuracy && (keys->quantity->role == COLUMN_VALUE || !starts(axis, "score_error"));
}

const char *claim_axis(const struct parameter_columns *columns, const struct field *quantity, bool compares,
                       const char *name)
{
    return may_grow_in(&(struct axis_keys){quantity, compares, columns}, name) ? axis_find(columns, name) : NULL;
}

/* The names of axes and their short forms; context: struct axis_keys. */
static const char *axis_key(const void *context, size_t index)
{
    const struct axis_keys *keys = context;
    const size_t count = keys->columns->count;
    for (size_t i = 0; i < AXES + SHORT_FORMS + 2 * count; i++) {
        const size_t column = i < AXES + SHORT_FORMS ? 0 : (i - AXES - SHORT_FORMS) / 2;
        const char *name = i < AXES                       ? axes[i].name
                           : i < AXES + SHORT_FORMS       ? short_forms[i - AXES].form
                           : (i - AXES - SHORT_FORMS) % 2 ? keys->columns->column[column].name
                                                          : key_of(keys->columns->column[column].name);
        if (may_grow_in(keys, name) && index-- == 0)
            return name;
    }
    return NULL;
}

/* ---- A claim ---- */

/* A claim being read, from its mapping. */
struct stated {
    struct loader *l;
    const yaml_node_t *map;
    struct claim_spec *claim;
};

/* The exponents in a mapping of axes; `slower` as in struct claim_power. */
static void read_powers(const struct stated *stated, const yaml_node_t *node, bool at_least, const char *slower)
{
    static const struct range any_real = {0};
    struct doc *doc = &stated->l->doc;
    struct claim_spec *claim = stated->claim;
    const struct parameter_columns *columns = &stated->l->spec->parameters;
    const struct axis_keys allowed = {claim->quantity, slower != NULL, columns};
    const struct names keys = {axis_key, &allowed};
    const char *key;
    size_t before = claim->power_count;
    doc_keys(doc, node, keys);
    for (size_t i = 0; (key = doc_key(doc, node, i)) != NULL; i++) {
        const yaml_node_t *value = doc_find(doc, node, key, true);
        const struct claim_power power = {axis_find(columns, key), at_least, doc_real(doc, value, &any_real), slower};
        for (size_t j = before; j < claim->power_count; j++)
            if (claim->powers[j].axis == power.axis)
                doc_refuse(doc, value->start_mark, "a second exponent in %s, expected one", power.axis);
        struct claim_power *grown = array_resize(claim->powers, claim->power_count + 1, sizeof *grown);
        if (grown == NULL) {
            doc_refuse(doc, value->start_mark, "out of memory");
            return;
        }
        claim->powers = grown;
        claim->powers[claim->power_count++] = power;
    }
    if (doc->status == STATUS_OK && claim->power_count == before)
        doc_refuse(doc, node->start_mark, "found no exponent, expected one at least, such as {%s: 1/2}",
                   keys.at(keys.context, 0));
}

/* Samplers or targets of the experiment, by their names and by those that several have in common. */
struct entries {
    const struct spec *spec;
    bool targets;
};

static size_t entry_count(const struct entries *e)
{
    return e->targets ? e->spec->target_count : e->spec->sampler_count;
}

static const char *entry_name(const struct entries *e, size_t index)
{
    return e->targets ? e->spec->targets[index].name : e->spec->samplers[index]->name;
}

static const char *common_name(const struct entries *e, size_t index)
{
    return e->targets ? e->spec->target_entries[index].of : e->spec->sampler_entries[index].of;
}

/* Whether no entry has this common name as its own, or had it before. */
static bool is_new(const struct entries *e, size_t index)
{
    for (size_t i = 0; i < entry_count(e); i++)
        if (strcmp(entry_name(e, i), common_name(e, index)) == 0
            || (i < index && strcmp(common_name(e, i), common_name(e, index)) == 0))
            return false;
    return true;
}

/* All names, then the common ones. */
static const char *known_name(const void *context, size_t index)
{
    const struct entries *e = context;
    const size_t count = entry_count(e);
    if (index < count)
        return entry_name(e, index);
    index -= count;
    for (size_t i = 0; i < count; i++)
        if (is_new(e, i) && index-- == 0)
            return common_name(e, i);
    return NULL;
}

/* One of the names or a list of them; without a node, all of them but `except`. A common name stands for all that
 * have it. */
static const char **read_some(struct doc *doc, const yaml_node_t *node, const struct entries *e, const char *except,
                              size_t *count)
{
    const char *what = e->targets ? "target" : "sampler";
    const struct names known = {known_name, e};
    const bool is_list = node != NULL && node->type == YAML_SEQUENCE_NODE;
    const size_t all = entry_count(e);
    const char **names = array_new(all + 1, sizeof *names);
    size_t items = node != NULL;
    *count = 0;
    if (is_list)
        free(doc_array(doc, node, 1, &items));
    for (size_t i = 0; i < all && node == NULL && names != NULL; i++)
        if (except == NULL || strcmp(entry_name(e, i), except) != 0)
            names[(*count)++] = entry_name(e, i);
    for (size_t i = 0; i < items && names != NULL && doc->status == STATUS_OK; i++) {
        const yaml_node_t *item = is_list ? doc_item(doc, node, i) : node;
        const size_t choice = doc_choice(doc, item, known, what);
        for (size_t k = 0; k < all && doc->status == STATUS_OK; k++) {
            const char *name = entry_name(e, k);
            if (choice < all ? k != choice : strcmp(common_name(e, k), known_name(e, choice)) != 0)
                continue;
            for (size_t j = 0; j < *count && doc->status == STATUS_OK; j++)
                if (names[j] == name)
                    doc_refuse(doc, item->start_mark, "duplicate %s '%s'", what, name);
            if (doc->status == STATUS_OK)
                names[(*count)++] = name;
        }
    }
    return names;
}

static bool is_quantity(const struct field *field)
{
    return field->name != NULL && (field->role == COLUMN_VALUE || field->role == COLUMN_SAMPLED);
}

static const struct field *quantity_field(size_t index)
{
    for (const struct field *field = record_fields; field->name != NULL; field++)
        if (is_quantity(field) && index-- == 0)
            return field;
    return NULL;
}

/* Numbers of steps, a short form, and the columns of divergences and estimates. */
static const char *quantity_name(const void *context, size_t index)
{
    static const char *const names[] = {"steps", "evaluations", "path_kl"};
    const size_t count = sizeof names / sizeof names[0];
    (void)context;
    const struct field *field = index < count ? NULL : quantity_field(index - count);
    return index < count ? names[index] : field != NULL ? field->name : NULL;
}

const struct field *claim_quantity(struct doc *doc, const yaml_node_t *node)
{
    const struct names known = {quantity_name, NULL};
    const char *name = full_name(known.at(NULL, doc_choice(doc, node, known, "quantity")));
    const struct field *field = record_field(name);
    return is_quantity(field) ? field : NULL; /* steps is a column, too */
}

/* Returns the other sampler, NULL where the claim compares none. */
static const char *read_other(const struct stated *stated, const yaml_node_t *node)
{
    static const char *const keys[] = {"sampler", "by", NULL};
    struct doc *doc = &stated->l->doc;
    const struct entries entries = {stated->l->spec, false};
    const struct names samplers = {known_name, &entries};
    if (node == NULL)
        return NULL;
    if (doc->status == STATUS_OK && node->type != YAML_MAPPING_NODE)
        doc_expected(doc, node, "a mapping such as {sampler: ddpm, by: {accuracy: 1/2}}");
    doc_keys(doc, node, (struct names){listed_name, keys});
    if (doc->status == STATUS_OK && stated->claim->quantity != NULL)
        doc_refuse(doc, node->start_mark, "the quantity is %s, expected steps or evaluations in a comparison",
                   stated->claim->quantity->name);
    const size_t choice = doc_choice(doc, doc_find(doc, node, "sampler", true), samplers, "sampler");
    const char *other = known_name(&entries, choice);
    if (doc->status == STATUS_OK && choice >= entry_count(&entries))
        doc_refuse(doc, node->start_mark, "several samplers are called %s, expected the name of one", other);
    read_powers(stated, doc_find(doc, node, "by", true), true, other);
    return other;
}

static void check_other(const struct stated *stated, const yaml_node_t *node, const char *other)
{
    struct doc *doc = &stated->l->doc;
    const struct claim_spec *claim = stated->claim;
    if (other == NULL || doc->status != STATUS_OK)
        return;
    if (claim->sampler_count == 0)
        doc_refuse(doc, node->start_mark, "the experiment has no other sampler than %s to compare with it", other);
    for (size_t i = 0; i < claim->sampler_count; i++)
        if (claim->samplers[i] == other)
            doc_refuse(doc, node->start_mark, "%s is compared with itself, expected another sampler", other);
}

static void read_words(const struct stated *stated, const char *key, const char *standard, char *out, size_t size)
{
    const yaml_node_t *node = doc_find(&stated->l->doc, stated->map, key, false);
    (void)snprintf(out, size, "%s", node != NULL ? doc_text(&stated->l->doc, node, size - 1, key) : standard);
}

static void read_claim(struct loader *l, const yaml_node_t *map, struct claim_spec *claim)
{
    struct doc *doc = &l->doc;
    const struct spec *spec = l->spec;
    const struct stated stated = {l, map, claim};
    doc_keys(doc, map, (struct names){claim_key_at, NULL});
    const yaml_node_t *name = doc_find(doc, map, "name", true);
    (void)snprintf(claim->name, sizeof claim->name, "%s", doc_text(doc, name, sizeof claim->name - 1, "name"));
    if (doc->status == STATUS_OK && !text_is_name(claim->name))
        doc_expected(doc, name, "a name of [A-Za-z0-9._-] that starts with a letter or digit");
    for (size_t i = 0; l->claim_names[i] != NULL && doc->status == STATUS_OK; i++)
        if (strcmp(l->claim_names[i], claim->name) == 0)
            doc_refuse(doc, name->start_mark, "'%s' is the name of a built-in claim, expected another", claim->name);
    read_words(&stated, "says", claim->name, claim->says, sizeof claim->says);
    read_words(&stated, "source", "the experiment's file", claim->source, sizeof claim->source);
    claim->quantity = claim_quantity(doc, doc_find(doc, map, "quantity", true));
    const yaml_node_t *most = doc_find(doc, map, "at_most", false), *least = doc_find(doc, map, "at_least", false);
    const yaml_node_t *comparison = doc_find(doc, map, "faster_than", false);
    if (doc->status == STATUS_OK && most == NULL && least == NULL && comparison == NULL)
        doc_refuse(doc, map->start_mark,
                   "the claim bounds nothing, expected at least one of the keys at_most, at_least and faster_than");
    if (most != NULL)
        read_powers(&stated, most, false, NULL);
    if (least != NULL)
        read_powers(&stated, least, true, NULL);
    const char *other = read_other(&stated, comparison);
    claim->samplers = read_some(doc, doc_find(doc, map, "sampler", false), &(struct entries){spec, false}, other,
                                &claim->sampler_count);
    check_other(&stated, comparison, other);
    const yaml_node_t *targets = doc_find(doc, map, "targets", false);
    if (targets != NULL)
        claim->targets = read_some(doc, targets, &(struct entries){spec, true}, NULL, &claim->target_count);
    if (doc->status == STATUS_OK && (claim->samplers == NULL || (targets != NULL && claim->targets == NULL)))
        doc_refuse(doc, map->start_mark, "out of memory");
}

enum { MOST_OWN_CLAIMS = 200 }; /* each may be about every sampler and target */

/* The node that names the claim of an item of the list. */
static const yaml_node_t *name_node(struct doc *doc, const yaml_node_t *list, size_t index)
{
    return doc_kind(doc, doc_item(doc, list, index), "name");
}

void read_claims(struct loader *l, const yaml_node_t *list)
{
    struct spec *spec = l->spec;
    struct doc *doc = &l->doc;
    spec->without_claims =
        list->type == YAML_SCALAR_NODE && strcmp((const char *)list->data.scalar.value, "none") == 0;
    if (spec->without_claims)
        return;
    size_t count;
    spec->claims = doc_array(doc, list, sizeof *spec->claims, &count);
    spec->own_claims = doc_array(doc, list, sizeof *spec->own_claims, &count);
    for (size_t i = 0; i < count && doc->status == STATUS_OK; i++) {
        const yaml_node_t *node = doc_item(doc, list, i);
        struct claim_spec *own = &spec->own_claims[spec->own_claim_count];
        if (node->type == YAML_MAPPING_NODE && spec->own_claim_count == MOST_OWN_CLAIMS)
            doc_refuse(doc, node->start_mark, "found more than %d claims of the experiment's own, expected fewer",
                       MOST_OWN_CLAIMS);
        else if (node->type == YAML_MAPPING_NODE) {
            spec->own_claim_count++; /* what is read of it is freed after an error, too */
            read_claim(l, node, own);
            spec->claims[i] = own->name;
        } else
            spec->claims[i] =
                l->claim_names[doc_choice(doc, node, (struct names){listed_name, l->claim_names}, "claim")];
        for (size_t j = 0; j < i && doc->status == STATUS_OK; j++)
            if (strcmp(spec->claims[i], spec->claims[j]) == 0)
                doc_duplicate(doc, name_node(doc, list, i), name_node(doc, list, j), "claim");
        spec->claim_count = i + 1;
    }
}

void claim_specs_free(struct claim_spec *claims, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(claims[i].samplers);
        free(claims[i].targets);
        free(claims[i].powers);
    }
    free(claims);
}
