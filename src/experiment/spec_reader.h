/* What the parts of the reader of experiment files share. */
#ifndef EXPERIMENT_SPEC_READER_H
#define EXPERIMENT_SPEC_READER_H

#include "experiment/spec.h"
#include "experiment/yaml.h"

struct loader {
    struct doc doc;
    struct spec *spec;
    const char *const *claim_names;
    double memory;                  /* bytes that the experiment may need */
    bool loads;                     /* plug-ins; else they are in the spec's registry */
    const yaml_node_t **error_node; /* the entry of each score error */
};

/* A table of names for doc_keys and doc_choice: context is a NULL-terminated array of strings. */
const char *listed_name(const void *context, size_t index);

/* A list of different integers from least to most, in increasing order, owned by the caller. */
void read_integers(struct doc *doc, const yaml_node_t *list, size_t least, size_t most, const char *what,
                   size_t **out, size_t *count);

/* plugins: shared objects with samplers and targets. */
void read_plugins(struct loader *l, const yaml_node_t *list);

/* What distinguishes a target of a plug-in: which build of it, and all of the mapping but its kind and the key `own`,
 * as it is written. For free(); NULL for families that are built in and where memory runs out, which is refused. */
char *written_target(struct loader *l, const yaml_node_t *map, const char *own, const struct target_family *family);

/* samples: chains to simulate beside exact laws, or instead of them. */
void read_samples(struct loader *l, const yaml_node_t *map);

#endif
