#include <string.h>

#include "core/memory.h"
#include "experiment/spec_reader.h"
#include "sample/sample.h"
#include "sample/weights.h"

enum { LEAST_CHAINS = 128, MOST_CHAINS = 1 << 28, MOST_DIRECTIONS = 1000 };

static const char *method_name(const void *context, size_t index)
{
    (void)context;
    const struct sample_method *method = sample_method_at(index);
    return method != NULL ? method->name : NULL;
}

static void read_methods(struct loader *l, const yaml_node_t *list)
{
    size_t count;
    free(doc_array(&l->doc, list, 1, &count));
    l->spec->methods = 0;
    for (size_t i = 0; i < count; i++) {
        const yaml_node_t *node = doc_item(&l->doc, list, i);
        unsigned bit = 1u << doc_choice(&l->doc, node, (struct names){method_name, NULL}, "method");
        if (l->doc.status == STATUS_OK && (l->spec->methods & bit))
            doc_refuse(&l->doc, node->start_mark, "duplicate method '%s'", (const char *)node->data.scalar.value);
        l->spec->methods |= bit;
    }
}

/* A chain is half of a pair of paths; samplers without noise, with memory or with draws have no weights. */
static size_t least_chains(const struct spec *spec)
{
    int weighs = 0, noise = 0;
    for (size_t i = 0; sample_method_at(i) != NULL; i++)
        weighs |= strcmp(sample_method_at(i)->name, "weights") == 0 && (spec->methods >> i & 1u) != 0;
    for (size_t i = 0; i < spec->sampler_count; i++)
        noise |= spec->samplers[i]->log_noise_ratio != NULL && spec->samplers[i]->memory == 0
                 && spec->samplers[i]->draws == 0;
    return weighs && noise ? WEIGHTS_LEAST_PAIRS : LEAST_CHAINS;
}

static void read_distance(struct loader *l, const yaml_node_t *node)
{
    static const struct range positive = GREATER_THAN(0.0);
    bool data = false;
    for (size_t i = 0; i < l->spec->target_count; i++)
        data |= l->spec->targets[i].family->is_data;
    if (!data)
        doc_refuse(&l->doc, node->start_mark,
                   "'distance' is that of chains to data points, and no target has any, expected one of kind points");
    l->spec->memorised_distance = doc_real(&l->doc, node, &positive);
}

void read_samples(struct loader *l, const yaml_node_t *map)
{
    static const char *const keys[] = {"chains", "methods", "directions", "seed", "distance", NULL};
    struct doc *doc = &l->doc;
    struct spec *spec = l->spec;
    doc_keys(doc, map, (struct names){listed_name, keys});
    const yaml_node_t *chains = doc_find(doc, map, "chains", true), *methods = doc_find(doc, map, "methods", false);
    const yaml_node_t *directions = doc_find(doc, map, "directions", false),
                      *seed = doc_find(doc, map, "seed", false);
    const yaml_node_t *distance = doc_find(doc, map, "distance", false);
    if (doc->status != STATUS_OK)
        return;
    if (methods != NULL)
        read_methods(l, methods);
    size_t least = least_chains(spec);
    if (chains->type == YAML_SCALAR_NODE) {
        spec->chains = array_new(1, sizeof *spec->chains);
        if (spec->chains == NULL)
            doc_refuse(doc, chains->start_mark, "out of memory");
        else
            spec->chains[spec->chain_count++] = doc_integer(doc, chains, least, MOST_CHAINS, NULL);
    } else {
        read_integers(doc, chains, least, MOST_CHAINS, "number of chains", &spec->chains, &spec->chain_count);
    }
    if (directions != NULL)
        spec->directions = doc_integer(doc, directions, 0, MOST_DIRECTIONS, NULL);
    if (seed != NULL)
        spec->seed = doc_integer(doc, seed, 0, DOC_ANY, NULL);
    if (distance != NULL)
        read_distance(l, distance);
}
