/* The samplers, target families and schedules that an experiment may name: the built-in ones and those of its
 * plug-ins; and the numbers of the files that it names.
 *
 * A plug-in is code, and is loaded only where a user names it: in an experiment's own file or on the command line.
 * What is read back from results, which may come from anybody, never loads any. */
#ifndef EXPERIMENT_REGISTRY_H
#define EXPERIMENT_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "model/plugin.h"

enum { REGISTRY_MOST_NUMBERS = 100000000 /* in a table */ };

struct number_file {
    char *path; /* as the experiment names it */
    bool is_table;
    struct file_numbers numbers; /* of a list */
    struct number_table table;   /* whose numbers are those, owned */
};

struct plugin {
    char *path;                            /* as the experiment names it */
    uint64_t hash;                         /* of the bytes of the shared object: another build is another plug-in */
    void *handle;                          /* of the shared object */
    const struct sampler *const *samplers; /* ends with NULL */
    const struct target_family *const *targets; /* likewise */
    const struct schedule_kind *const *schedules;
};

/* Start from {0}; free with registry_free, also after an error. Nothing of it may be used afterwards. */
struct registry {
    struct plugin *plugins;
    size_t count;
    struct number_file *files; /* those that the experiment names */
    size_t file_count;
};

/* The built-in ones, then those of the plug-ins in their order; NULL past the end. */
const struct sampler *registry_sampler_at(const struct registry *registry, size_t index);
const struct target_family *registry_family_at(const struct registry *registry, size_t index);
const struct schedule_kind *registry_schedule_at(const struct registry *registry, size_t index);

/* The plug-in that a sampler, family or schedule comes from; NULL: it is built in. */
const struct plugin *registry_sampler_plugin(const struct registry *registry, const struct sampler *sampler);
const struct plugin *registry_family_plugin(const struct registry *registry, const struct target_family *family);
const struct plugin *registry_schedule_plugin(const struct registry *registry, const struct schedule_kind *kind);

/* A file of that name that was read as a list of numbers or as a table, or NULL; and another file, whose numbers,
 * from malloc, it takes over, also after an error. Args: columns of a table, which divide the numbers; 0 of a list.
 * Errors: STATUS_MEMORY. */
const struct number_file *registry_file(const struct registry *registry, const char *path, bool is_table);
MUST_USE enum status registry_add_file(struct registry *registry, const char *path, struct file_numbers numbers,
                                       size_t columns, struct error *error);

/* Loads a plug-in. Args: file, where it is; path, what to call it.
 * Errors: STATUS_INVALID with what is wrong with it: no shared object, no symbol diffrate_plugin, another ABI, a name
 * that is none or is taken, a function or text that is missing. */
MUST_USE enum status registry_load(struct registry *registry, const char *file, const char *path,
                                   struct error *error);

/* What an experiment's text does not hold of what it names, a line each, for free(); "" without plug-ins and files,
 * NULL where memory runs out: plug-in HASH PATH, file PATH, table ROWS COLUMNS HASH PATH, and after a file or a table
 * that is not large numbers NUMBER ... NUMBER as often as it takes. */
char *registry_describe(const struct registry *registry);

/* Takes the files' numbers from such a text, which may come from anybody; other lines are left alone.
 * Errors: STATUS_IO with the line; STATUS_MEMORY. */
MUST_USE enum status registry_parse(const char *text, struct registry *out, struct error *error);

void registry_free(struct registry *registry);

#endif
