/* The claims that an experiment states itself, as plain data; verdict/claims.h makes claims of them. */
#ifndef EXPERIMENT_SPEC_CLAIMS_H
#define EXPERIMENT_SPEC_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>

#include "experiment/record.h"

/* An axis is what an exponent is of, by its full name: accuracy stands for 1/eps, steps for T/log T, every other name
 * for a column of results, of parameters too. Its symbol is "d" of dimension. */
const char *axis_symbol(const char *name);

/* Whether the axis is a parameter of targets, or of samplers and schedules, whose entries differ in it. */
bool axis_is_of_targets(const char *name);
bool axis_is_of_samplers(const char *name);
bool axis_is_of_schedules(const char *name);

/* A bound on one exponent of the claim's quantity. */
struct claim_power {
    const char *axis; /* a constant, or in the experiment's columns */
    bool at_least;    /* else at most */
    double value;
    const char *slower; /* it is of the quantity of this sampler over that of the claim's; NULL: of the latter */
};

/* Names point into the spec. */
struct claim_spec {
    char name[64], says[400], source[200];
    const struct field *quantity; /* a column of results with a radius or a standard error; NULL: numbers of steps */
    const char **samplers, **targets; /* targets NULL: all */
    size_t sampler_count, target_count;
    struct claim_power *powers; /* each must hold */
    size_t power_count;
};

void claim_specs_free(struct claim_spec *claims, size_t count);

/* The keys of a stated claim, and what they hold; key NULL past the end. */
struct claim_key {
    const char *key, *doc;
};
extern const struct claim_key claim_keys[];

#endif
