/* What the parts of the reader of experiment files share. */
#ifndef EXPERIMENT_SPEC_READER_H
#define EXPERIMENT_SPEC_READER_H

#include "experiment/spec.h"
#include "experiment/yaml.h"

enum { LONGEST_PATH = 4000 };

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

/* The params of a mapping, whose other keys are `own` (ends with NULL), into values, which hold their standard ones.
 * A table of NULL has none. */
void read_params(struct loader *l, const yaml_node_t *map, const char *const *own, const struct param *params,
                 union params *values);

/* A target; `own` is the key that its place gives it, whose value is returned. A part may have no parts. */
const yaml_node_t *read_target(struct loader *l, const yaml_node_t *map, const char *own, bool is_part,
                               struct target *target);

/* plugins: shared objects with samplers and targets. */
void read_plugins(struct loader *l, const yaml_node_t *list);

/* Where a path that is not absolute is relative to the directory of the experiment's file; for free(). */
char *path_beside(const struct loader *l, const char *path);

/* FILE, a text of numbers, or FILE:DATASET of an HDF5 file; what is read back from results has them in the registry.
 */
void read_file_numbers(struct loader *l, const yaml_node_t *node, struct file_numbers *out);

/* What distinguishes a target or sampler of a plug-in: which build of it, and all of the mapping but its kind and the
 * key `own`, as it is written. For free(); NULL where the plug-in is NULL, of what is built in, and where memory runs
 * out, which is refused. */
char *written_params(struct loader *l, const yaml_node_t *map, const char *own, const struct plugin *plugin);

/* samplers: names, or mappings of a kind, its params and perhaps a name. */
void read_samplers(struct loader *l, const yaml_node_t *list);

/* samples: chains to simulate beside exact laws, or instead of them. */
void read_samples(struct loader *l, const yaml_node_t *map);

#endif
