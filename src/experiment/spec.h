/* An experiment as its author wrote it: a YAML file, read strictly (see spec.c for the schema). */
#ifndef EXPERIMENT_SPEC_H
#define EXPERIMENT_SPEC_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "experiment/manifest.h"
#include "experiment/record.h"
#include "experiment/registry.h"
#include "experiment/spec_claims.h"
#include "model/sampler.h"
#include "model/schedule.h"
#include "model/score_error.h"
#include "model/target.h"

/* Strictly increasing. */
struct dimensions {
    const size_t *of;
    size_t count;
};

struct spec {
    char *text;    /* the file as read, for provenance */
    char name[64]; /* the file's base name without .yaml/.yml: names the results directory */
    char title[200];
    struct registry registry; /* what the experiment may name */
    char *plugins;            /* registry_describe */
    struct parameter_columns parameters;
    struct schedule_rule *schedules;
    size_t schedule_count;
    struct target *targets; /* a list of numbers in the place of one gives as many, named after it */
    struct entry *target_entries;
    size_t target_count;
    const struct sampler **samplers; /* each on each of the schedules; on those after the first, named after both */
    struct sampler_instance **instances; /* those that are no listed samplers; else NULL */
    size_t *sampler_schedule;            /* which schedule it runs on */
    struct entry *sampler_entries;
    size_t sampler_count;
    struct score_error *score_errors; /* the first is always "none": the run that excess is measured against */
    struct entry *score_error_entries;
    size_t score_error_count;
    int exact_scores_listed; /* nonzero if the author asks for the first too (no list, or {shape: none} in it) */
    size_t *chains;          /* strictly increasing: numbers of chains to simulate; none: exact laws only */
    size_t chain_count;
    uint64_t seed;             /* of their random numbers */
    size_t directions;         /* at random, to project on */
    double memorised_distance; /* at which chains are at a data point; 0: the standard one */
    unsigned methods;          /* bit i for sample_method_at(i) */
    size_t *dimensions;        /* strictly increasing */
    size_t dimension_count;
    size_t *steps; /* strictly increasing, of all dimensions; may be empty if accuracies is not */
    size_t step_count;
    struct dimensions *step_dimensions; /* [steps] those measured at this T, of `dimensions` or of the next list */
    size_t *own_dimensions;
    const struct quantity *accuracy_in; /* what the accuracies are of; TV if the experiment does not say */
    double *accuracies; /* > 0, of TV and H^2 below 1, strictly decreasing; may be empty if steps is not */
    size_t accuracy_count;
    size_t max_steps;
    const char **claims; /* names, in the author's order; empty: every built-in claim that it can speak to */
    size_t claim_count;
    struct claim_spec *own_claims; /* of them, those that the experiment states itself */
    size_t own_claim_count;
    int without_claims; /* the experiment only measures */
};

/* The schedule of a sampler. */
static inline const struct schedule_rule *spec_schedule(const struct spec *spec, size_t sampler)
{
    return &spec->schedules[spec->sampler_schedule[sampler]];
}

static inline struct dimensions spec_dimensions(const struct spec *spec)
{
    return (struct dimensions){spec->dimensions, spec->dimension_count};
}

/* The place of a dimension in the list; its count if it is not there. */
size_t dimensions_find(const struct dimensions *list, size_t dimension);

/* The keys of a spec, in the order in which they are read; NULL past the end. */
struct spec_key {
    const char *key;
    int required;
    const char *doc;
};
const struct spec_key *spec_key_at(size_t index);

/* Reads the file of an experiment that is to be run here at `path` into *out (free with spec_free; also safe after an
 * error), and loads the plug-ins that it names, by paths relative to its own directory. Args: claim_names, a
 * NULL-terminated list of the built-in claims that a spec may name. Errors: STATUS_INVALID with one line
 * "FILE:LINE:COL: message" that says what was expected. A file that cannot be opened is "FILE:1:1: ..." so that every
 * message has one form. An experiment that asks for more than limits.h allows, or than this machine has memory for,
 * is refused with what it asks for. */
MUST_USE enum status spec_load(const char *path, const char *const *claim_names, struct spec *out,
                               struct error *error);

/* The same from a text, perhaps of an experiment that was run elsewhere: this machine's memory does not matter.
 * `path` only names it in messages. Nothing is loaded: a text that names plug-ins is refused, and the numbers of
 * files are those in `plugins`, the text beside it (registry_parse). Errors also: STATUS_IO where that is no such
 * text. */
MUST_USE enum status spec_parse(const char *path, const char *text, size_t length, const char *plugins,
                                const char *const *claim_names, struct spec *out, struct error *error);
void spec_free(struct spec *spec);

/* Gives an experiment that was read from a file of another name its own, which is its title where it has none. */
void spec_rename(struct spec *spec, const char *name);

#endif
