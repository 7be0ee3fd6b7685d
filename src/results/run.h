/* Runs an experiment in its results directory: the cells that its steps ask for, and those that T(d, eps) needs,
 * found as it goes. Each cell is measured in a process of its own and stored at once; a cell that is stored already
 * is read instead. When all cells of all shares are there, the merged file is made of them, and of nothing else: it
 * is the same, to the bit, however the work was cut, shared or interrupted. */
#ifndef RESULTS_RUN_H
#define RESULTS_RUN_H

#include <stddef.h>

#include "core/provenance.h"
#include "core/status.h"
#include "experiment/spec.h"

struct run_options {
    const char
        *directory;       /* of the experiment: cells go to directory/cells, the merged file to directory/<name>.h5 */
    int jobs;             /* processes at a time; 0: one a core that this process may use */
    size_t share, shares; /* from 1: of as many parts of the cells, the one to measure; shares > 0 */
    int force;            /* measure again what is stored */
    int retry_failed;     /* measure again what failed, and what is stored but damaged */
    int adopt;            /* take over a directory of another spec or version */
    double cell_seconds;  /* that a cell may take, by the clock, before it fails; 0: any number */
    const struct provenance *provenance;
};

struct run_summary {
    size_t measured;  /* now */
    size_t reused;    /* read back, those of other shares among them */
    size_t failed;    /* now or before, beside these: as a whole, or in some dimensions */
    size_t missing;   /* cells of other shares that are known of and not there yet */
    char *failures;   /* plan_failures of these */
    char *refusals;   /* plan_failures of laws that searches for T(d, eps) went around */
    int merged;       /* the merged file was written */
    int interruption; /* the number of the signal that ended the run, or 0 */
};
void run_summary_free(struct run_summary *summary);

/* Cells that fail are stored with their reason, counted, and do not stop the others. *summary is filled also after an
 * error (free with run_summary_free). Must be called before the process has used several threads.
 * Errors: STATUS_IO, also for a stored cell that is damaged and a directory that holds something else; STATUS_MEMORY;
 * STATUS_EXTERNAL; STATUS_INTERRUPTED by SIGINT, SIGTERM or SIGHUP: what was measured is stored. */
MUST_USE enum status run_experiment(const struct spec *spec, const struct run_options *options,
                                    struct run_summary *summary, struct error *error);

/* Only reads what is stored in the directory and makes the merged file of it, if nothing is missing.
 * Errors: STATUS_IO, STATUS_MEMORY. */
MUST_USE enum status run_merge(const struct spec *spec, const char *directory, struct run_summary *summary,
                               struct error *error);

/* Removes the stored cells that are none of the spec's: of experiments or versions that were in the directory before.
 * Only where all of its own are there. Errors: STATUS_IO, also where they are not; STATUS_MEMORY. */
MUST_USE enum status run_prune(const struct spec *spec, const char *directory, size_t *removed, struct error *error);

#endif
