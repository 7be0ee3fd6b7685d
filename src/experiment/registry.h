/* The samplers and target families that an experiment may name: the built-in ones and those of its plug-ins.
 *
 * A plug-in is code, and is loaded only where a user names it: in an experiment's own file or on the command line.
 * What is read back from results, which may come from anybody, never loads any: there stand-ins take the place of a
 * plug-in's objects. They have the names and the facts that judging and merging need, are told by the text that
 * registry_describe makes and results hold, and compute nothing: a sampler without `increment`, a family without
 * `factors`. */
#ifndef EXPERIMENT_REGISTRY_H
#define EXPERIMENT_REGISTRY_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "model/plugin.h"

struct plugin {
    char *path;    /* as the experiment names it */
    uint64_t hash; /* of the bytes of the shared object: another build is another plug-in */
    void *handle;  /* of the shared object, or NULL and: */
    struct stand_ins *stand_ins;
    const struct sampler *const *samplers;      /* ends with NULL */
    const struct target_family *const *targets; /* likewise */
};

/* Start from {0}; free with registry_free, also after an error. Nothing of it may be used afterwards. */
struct registry {
    struct plugin *plugins;
    size_t count;
};

/* The built-in ones, then those of the plug-ins in their order; NULL past the end. */
const struct sampler *registry_sampler_at(const struct registry *registry, size_t index);
const struct target_family *registry_family_at(const struct registry *registry, size_t index);

/* The plug-in that a sampler or family comes from; NULL: it is built in. */
const struct plugin *registry_sampler_plugin(const struct registry *registry, const struct sampler *sampler);
const struct plugin *registry_family_plugin(const struct registry *registry, const struct target_family *family);

/* Loads a plug-in. Args: file, where it is; path, what to call it.
 * Errors: STATUS_INVALID with what is wrong with it: no shared object, no symbol diffrate_plugin, another ABI, a name
 * that is none or is taken, a function or text that is missing. */
MUST_USE enum status registry_load(struct registry *registry, const char *file, const char *path,
                                   struct error *error);

/* What stand-ins are made of, a line each, for free(); "" without plug-ins, NULL where memory runs out:
 *     plug-in HASH PATH
 *     sampler NAME EVALUATIONS [noise] [noise-before] [clip]
 *     target NAME
 *     param KEY
 * the last for each number among the parameters of the object before. */
char *registry_describe(const struct registry *registry);

/* Makes stand-ins of such a text, which may come from anybody. Errors: STATUS_IO with the line; STATUS_MEMORY. */
MUST_USE enum status registry_parse(const char *text, struct registry *out, struct error *error);

void registry_free(struct registry *registry);

#endif
