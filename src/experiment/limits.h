/* What an experiment may ask for, told from its counts before anything is made of them. */
#ifndef EXPERIMENT_LIMITS_H
#define EXPERIMENT_LIMITS_H

#include "experiment/spec.h"

#define LIMIT_CELLS 1e6
#define LIMIT_DISK 1e11      /* bytes of all results */
#define LIMIT_NUMBERS 0x1p26 /* eigenvalues, means and matrix entries to make of all targets in all dimensions */

struct demand {
    double cells;   /* the given steps and, as far as can be known, T(d, eps) */
    double disk;    /* bytes, of the cells and the merged file */
    double numbers; /* as above, or somewhat more than the limit */
    double memory;  /* bytes that the largest cell needs, at least */
    double merging; /* bytes that all results need at the end */
};

struct demand limits_demand(const struct spec *spec);

/* What is too much, and the key of the list that asks for most of it. */
struct excess {
    const char *key;
    char text[400];
};

/* Nonzero if the experiment asks for more than the limits or `memory` bytes. Takes a time that grows only with the
 * length of the spec's lists. */
int limits_exceeded(const struct spec *spec, double memory, struct excess *out);

/* Bytes of memory that this machine has. */
double limits_machine_memory(void);

#endif
