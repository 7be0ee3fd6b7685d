/* Runs an experiment: the cells that its steps ask for, and those that T(d, eps) needs, found as it goes. Each cell
 * is stored as soon as it is measured; a cell that is stored already is read instead. */
#ifndef EXPERIMENT_RUN_H
#define EXPERIMENT_RUN_H

#include <stddef.h>

#include "core/provenance.h"
#include "core/status.h"
#include "experiment/spec.h"

struct run_options {
    const char
        *directory; /* of the experiment: cells go to directory/cells, the merged file to directory/<name>.h5 */
    int jobs;       /* threads; 0: as many as OpenMP likes */
    int force;      /* measure again what is stored */
    const struct provenance *provenance;
};

struct run_summary {
    size_t measured, reused, failed;
    char first_failure[600];
};

/* Errors: STATUS_IO, STATUS_MEMORY. Cells that fail are stored with their reason, counted, and do not stop the
 * others. */
MUST_USE enum status run_experiment(const struct spec *spec, const struct run_options *options,
                                    struct run_summary *summary, struct error *error);

/* The first T's that an experiment with accuracies measures: powers of sqrt(2) from 16, or from the smallest
 * admissible one, up to max_steps, which ends the list. Returns how many; list may be NULL to count. */
size_t run_ladder(const struct spec *spec, size_t *list);

#endif
