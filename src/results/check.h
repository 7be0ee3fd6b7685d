/* A results directory, verified anew: every file in it, the merged file against the cells, and some cells against the
 * same measured again. */
#ifndef RESULTS_CHECK_H
#define RESULTS_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "experiment/spec.h"

struct check_options {
    size_t sample; /* how many cells to measure again, chosen at random; fewer if there are fewer */
    uint64_t seed; /* of that choice */
    int threads;
    double cell_seconds; /* that a cell may take to be measured again, by the clock; 0: any number */
    /* Called before each of these cells is measured again; may be NULL. */
    void (*begin)(void *context, const char *cell);
    void *context;
};

struct check {
    size_t cells;                         /* of the experiment that are there and sound */
    size_t failed;                        /* of these, stored as failed, as a whole or in some dimensions */
    size_t missing;                       /* known of and not there; with any, there is no merged file to compare */
    size_t others;                        /* sound files of other specs or versions: no problem */
    size_t leftovers;                     /* temporary files of killed writers: no problem */
    size_t measured, identical, agreeing; /* again; to the bit; within the radii */
    int interruption;                     /* the number of the signal that ended the work, or 0 */
    size_t problems;
    char *text; /* a line for each problem */
};

/* Problems are counted and described in *out, not errors (free with check_free, also after an error).
 * Cells are measured in processes of their own. Must be called before the process has used several threads.
 * Errors: STATUS_IO where the directory cannot be read at all; STATUS_MEMORY; STATUS_EXTERNAL; STATUS_INTERRUPTED. */
MUST_USE enum status check_directory(const char *directory, const struct spec *spec,
                                     const struct check_options *options, struct check *out, struct error *error);
void check_free(struct check *check);

#endif
