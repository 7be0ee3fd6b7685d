/* Lists of numbers in the place of one: an entry of an experiment's file becomes one for each of their product. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "experiment/spec_reader.h"

const yaml_node_t *sweep_item(struct loader *l, const yaml_node_t *node, const struct param *param)
{
    struct sweep *sweep = l->sweep;
    static const struct range any = {0};
    size_t i = 0, length = 0;
    if (sweep == NULL || node == NULL || node->type != YAML_SEQUENCE_NODE || l->doc.status != STATUS_OK)
        return node;
    while (i < sweep->count && sweep->axis[i].list != node)
        i++;
    if (i == sweep->count) {
        free(read_set(&l->doc, node, &param->range, 0, 0, param->key, &length));
        for (size_t j = 0; j < i && l->doc.status == STATUS_OK; j++)
            if (strcmp(sweep->axis[j].param->key, param->key) == 0)
                doc_duplicate(&l->doc, node, sweep->axis[j].list, "list of a parameter");
        if (l->doc.status == STATUS_OK && i == SWEPT_LISTS)
            doc_refuse(&l->doc, node->start_mark, "found more than %d lists of parameters in an entry", SWEPT_LISTS);
        if (l->doc.status != STATUS_OK)
            return node;
        sweep->axis[sweep->count].list = node;
        sweep->axis[sweep->count].param = param;
        sweep->axis[sweep->count++].length = length;
    }
    const yaml_node_t *item = doc_item(&l->doc, node, sweep->axis[i].index);
    sweep->axis[i].value = doc_real(&l->doc, item, &any);
    return item;
}

const yaml_node_t *sweep_current(struct loader *l, const yaml_node_t *node)
{
    for (size_t i = 0; l->sweep != NULL && i < l->sweep->count; i++)
        if (l->sweep->axis[i].list == node)
            return doc_item(&l->doc, node, l->sweep->axis[i].index);
    return node;
}

bool sweep_next(struct sweep *sweep)
{
    for (size_t i = sweep->count; i-- > 0;) {
        if (++sweep->axis[i].index < sweep->axis[i].length)
            return true;
        sweep->axis[i].index = 0;
    }
    return false;
}

void sweep_entry(struct loader *l, const yaml_node_t *node, void (*read)(struct loader *l, const yaml_node_t *node))
{
    struct sweep sweep = {.count = 0};
    l->sweep = &sweep;
    do
        read(l, node);
    while (l->doc.status == STATUS_OK && sweep_next(&sweep));
    l->sweep = NULL;
}

void name_part(struct loader *l, const yaml_node_t *node, char name[64], const char *format, ...)
{
    size_t used = strlen(name);
    va_list arguments;
    va_start(arguments, format);
    int more = vsnprintf(name + used, 64 - used, format, arguments);
    va_end(arguments);
    if (l->doc.status == STATUS_OK && (more < 0 || (size_t)more >= 64 - used))
        doc_refuse(&l->doc, node->start_mark,
                   "the name '%s...', made of values, is too long, expected at most 63 bytes", name);
    for (char *at = name + used; *at != '\0'; at++)
        *at = *at == '+' ? '.' : *at; /* of 1e+06 */
}

void sweep_name(struct loader *l, const yaml_node_t *node, char name[64])
{
    for (size_t i = 0; i < l->sweep->count; i++)
        name_part(l, node, name, "-%s-%.6g", l->sweep->axis[i].param->key, l->sweep->axis[i].value);
}

static void set_column(struct loader *l, const yaml_node_t *node, const char *place, const struct param *param,
                       double value, struct entry *entry)
{
    char name[64];
    if (snprintf(name, sizeof name, "%s_%s", place, param->key) >= (int)sizeof name && l->doc.status == STATUS_OK)
        doc_refuse(&l->doc, node->start_mark, "the column '%s...' would have too long a name", name);
    size_t column = parameter_add(&l->spec->parameters, name, param->doc);
    if (column < PARAMETER_COLUMNS)
        entry->parameter[column] = value;
    else if (l->doc.status == STATUS_OK)
        doc_refuse(&l->doc, node->start_mark, "found more than %d different parameters, expected fewer lists",
                   PARAMETER_COLUMNS);
}

void sweep_columns(struct loader *l, const yaml_node_t *node, const char *place, const struct sweep *sweep,
                   struct entry *entry)
{
    for (size_t i = 0; i < sweep->count; i++)
        set_column(l, node, place, sweep->axis[i].param, sweep->axis[i].value, entry);
}

void params_columns(struct loader *l, const yaml_node_t *node, const char *place, const struct param *params,
                    const union params *values, struct entry *entry)
{
    for (const struct param *param = params; param != NULL && param->key != NULL; param++)
        if (param->kind == PARAM_REAL || param->kind == PARAM_INTEGER)
            set_column(l, node, place, param, param_number(param, values), entry);
}

void entry_init(struct entry *entry)
{
    *entry = (struct entry){.of = ""};
    for (size_t i = 0; i < PARAMETER_COLUMNS; i++)
        entry->parameter[i] = NAN;
}

void *list_grow(struct loader *l, const yaml_node_t *node, void *list, size_t count, size_t size)
{
    if (l->doc.status != STATUS_OK || (list != NULL && (count & (count - 1)) != 0))
        return list;
    size_t room = 1; /* the least power of two above count, so that appending takes constant time on average */
    while (room <= count)
        room *= 2;
    void *grown = array_resize(list, room, size);
    if (grown == NULL)
        doc_refuse(&l->doc, node->start_mark, "out of memory for %zu entries", count + 1);
    return grown != NULL ? grown : list;
}
