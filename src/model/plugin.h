/* What a plug-in gives: samplers, target families and schedules of its own, as a shared object that exports one
 * symbol,
 *
 *     const struct diffrate_plugin diffrate_plugin = {DIFFRATE_ABI, samplers, targets, schedules};
 *
 * whose objects are const and like the built-in ones (model/sampler.h, model/target.h, model/schedule.h). It may call
 * the functions declared in these headers and core/status.h. `make plugin FILE=mine.c` builds mine.so. */
#ifndef MODEL_PLUGIN_H
#define MODEL_PLUGIN_H

#include <stdint.h>

#include "model/sampler.h"
#include "model/target.h"

/* Raised when what these structs mean changes; when their sizes do, DIFFRATE_ABI changes by itself. */
enum { DIFFRATE_ABI_VERSION = 3 };
#define DIFFRATE_ABI \
    ((uint64_t)DIFFRATE_ABI_VERSION << 48 ^ (uint64_t)sizeof(struct sampler) << 36 \
     ^ (uint64_t)sizeof(struct target_family) << 24 ^ (uint64_t)sizeof(struct param) << 12 \
     ^ (uint64_t)(sizeof(struct step) + sizeof(struct score) + sizeof(struct factor) + sizeof(union params) \
                  + offsetof(struct target, params) + sizeof(struct point_list) + sizeof(struct schedule_kind)))

struct diffrate_plugin {
    uint64_t abi; /* DIFFRATE_ABI; what follows is looked at only if it is that of the program */
    const struct sampler *const *samplers;        /* ends with NULL; NULL: none */
    const struct target_family *const *targets;   /* likewise; without `approximation`, for results are read without
                                                     the plug-in: its targets are what their factors say */
    const struct schedule_kind *const *schedules; /* likewise */
};

extern const struct diffrate_plugin diffrate_plugin __attribute__((visibility("default")));

#endif
