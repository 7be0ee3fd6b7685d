/* What the parts of the reader of experiment files share. */
#ifndef EXPERIMENT_SPEC_READER_H
#define EXPERIMENT_SPEC_READER_H

#include "experiment/spec.h"
#include "experiment/yaml.h"

enum { LONGEST_PATH = 4000 };

/* The lists of numbers of one entry that stand in the place of a number: the entry is one for each of their product,
 * of which this is the one being read. */
enum { SWEPT_LISTS = 6 };
struct sweep {
    size_t count;
    struct {
        const yaml_node_t *list;
        const struct param *param;
        size_t length, index;
        double value;
    } axis[SWEPT_LISTS];
};

struct loader {
    struct doc doc;
    struct spec *spec;
    const char *const *claim_names;
    double memory; /* bytes that the experiment may need */
    bool loads;    /* plug-ins; else they are in the spec's registry */
    const yaml_node_t **target_node, **sampler_node, **error_node; /* the entry of each */
    struct form_list *forms;                                       /* NULL: no number depends on the dimension */
    struct sweep *sweep;                                           /* NULL: lists of numbers are none */
    char (*schedule_name)[64];                                     /* of each: its kind and the values of lists */
    struct entry *schedule_entries;
};

/* A table of names for doc_keys and doc_choice: context is a NULL-terminated array of strings. */
const char *listed_name(const void *context, size_t index);

/* A list of different numbers in a range or, where it is NULL, of integers from least to most, in decreasing order,
 * owned by the caller. */
double *read_set(struct doc *doc, const yaml_node_t *list, const struct range *range, size_t least, size_t most,
                 const char *what, size_t *count);

/* A list of different integers from least to most, in increasing order, owned by the caller. */
void read_integers(struct doc *doc, const yaml_node_t *list, size_t least, size_t most, const char *what,
                   size_t **out, size_t *count);

/* The largest T. */
enum { MOST_STEPS = 10000000 };

/* The schedules must exist at this T; if not, their own sentence names the smallest that does. */
void check_schedules(struct loader *l, const yaml_node_t *node, size_t steps);

/* steps: integers, and forms in the dimension (model/form.h). */
void read_steps(struct loader *l, const yaml_node_t *list);

/* The params of a mapping, whose other keys are `own` (ends with NULL), into values, which hold their standard ones.
 * A table of NULL has none. */
void read_params(struct loader *l, const yaml_node_t *map, const char *const *own, const struct param *params,
                 union params *values);

/* A number, or the one whose turn it is of a list of them where the loader sweeps: its node. */
const yaml_node_t *sweep_item(struct loader *l, const yaml_node_t *node, const struct param *param);

/* The same of a list that the sweep has met; other nodes are returned as they are. */
const yaml_node_t *sweep_current(struct loader *l, const yaml_node_t *node);

/* The next of the product, the first list slowest; false after the last. */
bool sweep_next(struct sweep *sweep);

/* Reads an entry as often as its lists have a product. */
void sweep_entry(struct loader *l, const yaml_node_t *node, void (*read)(struct loader *l, const yaml_node_t *node));

/* Appends to a name, in the manner of printf; '.' in place of '+'. Refused where it does not fit. */
void name_part(struct loader *l, const yaml_node_t *node, char name[64], const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Appends "-KEY-VALUE" for each list of the sweep. */
void sweep_name(struct loader *l, const yaml_node_t *node, char name[64]);

/* The columns of this sweep, called PLACE_KEY, in an entry whose other columns are left as they are. */
void sweep_columns(struct loader *l, const yaml_node_t *node, const char *place, const struct sweep *sweep,
                   struct entry *entry);

/* The columns of all numbers of params. */
void params_columns(struct loader *l, const yaml_node_t *node, const char *place, const struct param *params,
                    const union params *values, struct entry *entry);

/* No column has a value. */
void entry_init(struct entry *entry);

/* Room for one more of `count` in a spec's list, refused where memory runs out; the list as it was then. */
#define GROW(l, node, list, count) ((list) = list_grow(l, node, list, count, sizeof *(list)))
void *list_grow(struct loader *l, const yaml_node_t *node, void *list, size_t count, size_t size);

/* schedule: one, or a list of them. */
void read_schedules(struct loader *l, const yaml_node_t *node);

/* score_errors: shapes with their params, lists of numbers allowed. */
void read_score_errors(struct loader *l, const yaml_node_t *list);

/* plugins: shared objects with samplers and targets. */
void read_plugins(struct loader *l, const yaml_node_t *list);

/* Where a path that is not absolute is relative to the directory of the experiment's file; for free(). */
char *path_beside(const struct loader *l, const char *path);

/* FILE, a text of numbers or a .npy file, or FILE:DATASET of an HDF5 file; what is read back from results has them in
 * the registry. A table's numbers stay the registry's. */
void read_file_numbers(struct loader *l, const yaml_node_t *node, struct file_numbers *out);
void read_number_table(struct loader *l, const yaml_node_t *node, struct number_table *out);

/* What distinguishes a target or sampler of a plug-in: which build of it, and all of the mapping but its kind and the
 * key `own`, as it is written. For free(); NULL where the plug-in is NULL, of what is built in, and where memory runs
 * out, which is refused. */
char *written_params(struct loader *l, const yaml_node_t *map, const char *own, const struct plugin *plugin);

/* targets, each with a name. */
void read_targets(struct loader *l, const yaml_node_t *list);

/* samplers: names, or mappings of a kind, its params and perhaps a name. */
void read_samplers(struct loader *l, const yaml_node_t *list);

/* samples: chains to simulate beside exact laws, or instead of them. */
void read_samples(struct loader *l, const yaml_node_t *map);

/* claims: the word none, or a list of names of built-in claims and of claims stated in full. */
void read_claims(struct loader *l, const yaml_node_t *list);

/* What a claim is of, NULL for numbers of steps, from its name. */
const struct field *claim_quantity(struct doc *doc, const yaml_node_t *node);

/* The full name of an axis that the quantity may be said to grow in, or NULL. Args: compares, of the numbers of steps
 * of two samplers. */
const char *claim_axis(const struct parameter_columns *columns, const struct field *quantity, bool compares,
                       const char *name);

#endif
