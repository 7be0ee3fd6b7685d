#define _GNU_SOURCE /* asprintf */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "experiment/spec_reader.h"

/* "./" keeps the loader of shared objects from searching elsewhere. */
char *path_beside(const struct loader *l, const char *path)
{
    const char *slash = strrchr(l->doc.path, '/');
    int length = path[0] == '/' ? 0 : slash != NULL ? (int)(slash - l->doc.path) : 1;
    char *file = NULL;
    return asprintf(&file, "%.*s%s%s", length, slash != NULL ? l->doc.path : ".", path[0] == '/' ? "" : "/", path) < 0
               ? NULL
               : file;
}

static void load(struct loader *l, const yaml_node_t *node, const char *path)
{
    struct error reason = {STATUS_OK, ""};
    char *file = path_beside(l, path);
    if (file == NULL)
        doc_refuse(&l->doc, node->start_mark, "out of memory");
    else if (registry_load(&l->spec->registry, file, path, &reason) != STATUS_OK)
        doc_refuse(&l->doc, node->start_mark, "%s", reason.text);
    free(file);
}

void read_plugins(struct loader *l, const yaml_node_t *list)
{
    size_t count;
    free(doc_array(&l->doc, list, 1, &count));
    for (size_t i = 0; i < count && l->doc.status == STATUS_OK; i++) {
        const yaml_node_t *node = doc_item(&l->doc, list, i);
        const char *path = doc_text(&l->doc, node, LONGEST_PATH, "path of a shared object");
        if (l->doc.status == STATUS_OK && l->loads)
            load(l, node, path);
        else if (l->doc.status == STATUS_OK)
            doc_refuse(
                &l->doc, node->start_mark,
                "what results name is not loaded: of plug-ins, only the experiment's own file loads any (--spec "
                "FILE)");
    }
}

static void write_node(struct loader *l, const yaml_node_t *node, FILE *stream);

/* But for two keys, which may be NULL. */
static void write_map(struct loader *l, const yaml_node_t *map, const char *but, const char *nor, FILE *stream)
{
    fputc('{', stream);
    for (const yaml_node_pair_t *pair = map->data.mapping.pairs.start; pair < map->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(&l->doc.document, pair->key);
        const char *name = key->type == YAML_SCALAR_NODE ? (const char *)key->data.scalar.value : "";
        if ((but != NULL && strcmp(name, but) == 0) || (nor != NULL && strcmp(name, nor) == 0))
            continue;
        write_node(l, key, stream);
        fputc(' ', stream);
        write_node(l, sweep_current(l, yaml_document_get_node(&l->doc.document, pair->value)), stream);
        fputc(' ', stream);
    }
    fputc('}', stream);
}

static void write_node(struct loader *l, const yaml_node_t *node, FILE *stream)
{
    if (node->type == YAML_SCALAR_NODE) {
        fputs((const char *)node->data.scalar.value, stream);
    } else if (node->type == YAML_MAPPING_NODE) {
        write_map(l, node, NULL, NULL, stream);
    } else {
        fputc('[', stream);
        for (const yaml_node_item_t *item = node->data.sequence.items.start; item < node->data.sequence.items.top;
             item++) {
            write_node(l, yaml_document_get_node(&l->doc.document, *item), stream);
            fputc(' ', stream);
        }
        fputc(']', stream);
    }
}

char *written_params(struct loader *l, const yaml_node_t *map, const char *own, const struct plugin *plugin)
{
    char *text = NULL;
    size_t size = 0;
    if (l->doc.status != STATUS_OK || plugin == NULL)
        return NULL;
    FILE *stream = open_memstream(&text, &size);
    if (stream != NULL) {
        fprintf(stream, "of plug-in %016" PRIx64 " ", plugin->hash);
        if (doc_is_word(map))
            fputs("{}", stream);
        else
            write_map(l, map, own, "kind", stream);
    }
    if (stream != NULL && fclose(stream) == 0)
        return text;
    free(text);
    doc_refuse(&l->doc, map->start_mark, "out of memory");
    return NULL;
}
