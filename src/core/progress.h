/* A progress line on stderr: done / total, what is being done, elapsed and remaining time. On a terminal it is
 * redrawn in place; elsewhere a plain line appears every few seconds. For one thread. */
#ifndef CORE_PROGRESS_H
#define CORE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

struct progress {
    const char *what; /* the unit, in plural */
    size_t done, total;
    size_t failed;                /* of those that are done; the caller counts */
    double cost_done, cost_total; /* in any unit; gives the remaining time */
    double started, shown;        /* seconds */
    bool terminal;
};

void progress_start(struct progress *progress, const char *what);

/* The work known so far; may grow or shrink. */
void progress_expect(struct progress *progress, size_t total, double cost_total);
void progress_begin(struct progress *progress, const char *label);
void progress_end(struct progress *progress, const char *label, double cost);

/* Says how much was done in how long. */
void progress_finish(const struct progress *progress);

/* Takes the line off a terminal, for others to write there or for good. */
void progress_hide(const struct progress *progress);

#endif
