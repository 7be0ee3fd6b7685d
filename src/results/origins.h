/* Where the cells of a merged file come from: the distinct facts about the builds, machines and commands that made
 * them, in an order that does not depend on which came first. */
#ifndef RESULTS_ORIGINS_H
#define RESULTS_ORIGINS_H

#include <stddef.h>

#include "core/status.h"
#include "results/store.h"

struct origins {
    char **line; /* "name: value", distinct */
    size_t count, capacity;
};

/* Adds the facts of a cell, "name: value\n" each. Errors: STATUS_MEMORY. */
MUST_USE enum status origins_add(struct origins *origins, const char *provenance, struct error *error);

/* A fact for each name, with its values joined by "; ", by increasing name. *facts has room for `more` facts behind
 * these; it and *text, which holds the strings, are the caller's to free, also after an error.
 * Errors: STATUS_MEMORY. */
MUST_USE enum status origins_facts(struct origins *origins, size_t more, struct fact **facts, size_t *count,
                                   char **text, struct error *error);

void origins_free(struct origins *origins);

#endif
