/* What the files of the registry share. */
#ifndef EXPERIMENT_REGISTRY_PARTS_H
#define EXPERIMENT_REGISTRY_PARTS_H

#include "experiment/registry.h"

enum {
    NAME_SIZE = 64,
    MOST_EVALUATIONS = 1000,
    MOST_WORK_ARRAYS = 64,
    MOST_ORDER = 1000,
    MOST_OBJECTS = 64, /* of a kind in a plug-in */
    MOST_PLUGINS = 32
};

int registry_is_name(const char *name);

/* The first object of a name that is there. */
const struct sampler *registry_sampler_called(const struct registry *registry, const char *name);
const struct target_family *registry_family_called(const struct registry *registry, const char *name);
const struct schedule_kind *registry_schedule_called(const struct registry *registry, const char *name);

/* Room for one more, which only needs a path to be freed; NULL where memory runs out. */
struct plugin *registry_add_plugin(struct registry *registry, const char *path);

#endif
