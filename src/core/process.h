/* Work in child processes, which are forks of the caller: what crashes, hangs, or is killed for its memory takes
 * nothing with it but itself. */
#ifndef CORE_PROCESS_H
#define CORE_PROCESS_H

#include <stddef.h>
#include <stdio.h>

#include "core/status.h"

/* ---- Many items of one's own, some at a time ---- */

enum { PROCESS_ITEMS = 32 }; /* that one process does at most */
struct work {
    void *context;
    int processes;  /* at a time, at least 1 */
    size_t answer;  /* bytes of an item's answer */
    double seconds; /* that an item may take, by the clock; 0: any number */
    /* Gives the next item to start and returns nonzero; 0 if there is none before one that runs has ended. */
    int (*next)(void *context, size_t *item);
    /* Does an item, in a process whose memory is a copy of the caller's but for `answer`, zeros at first. */
    enum status (*run)(void *context, size_t item, void *answer, struct error *error);
    /* What became of an item, reported in the caller's process: the error of `run`, if any, or STATUS_EXTERNAL with
     * what its process died of, be it that its time was up. An error here ends all work. */
    enum status (*ended)(void *context, size_t item, const void *answer, const struct error *cause,
                         struct error *error);
    /* Nonzero if an item takes hardly longer than to start a process: one process does up to PROCESS_ITEMS such
     * items, one after the other, each with `seconds` of its own. NULL: each item has its own process. */
    int (*is_light)(void *context, size_t item);
};

/* The caller must not have used other threads before. Works until `next` has nothing and nothing runs. SIGINT,
 * SIGTERM and SIGHUP (unless they are ignored) kill the processes, of which nothing more is reported, and come back
 * as STATUS_INTERRUPTED with the signal's number in *interruption, which is 0 otherwise. Processes never outlive the
 * caller. Errors: of `ended`; STATUS_INTERRUPTED; STATUS_MEMORY; STATUS_EXTERNAL where no process can be started. */
MUST_USE enum status workers_run(const struct work *work, int *interruption, struct error *error);

/* ---- One item on data that may crash or hang the library that reads it ---- */

struct isolate_limits {
    unsigned seconds; /* of processor time; of wall time ten times as many */
    size_t memory;    /* bytes, beyond what the process has already */
    size_t output;    /* bytes to come back */
};

/* What runs in the child writes its result to `out`. Its memory is a copy: nothing else comes back. It must not use
 * OpenMP's threads, nor a lock that another thread may hold at the call; of HDF5, none does. */
typedef enum status (*isolated_work)(void *context, FILE *out, struct error *error);

/* Out: the bytes written, for the caller to free, with a '\0' behind them; NULL after an error. They are as
 * trustworthy as the data: a child that was led astray may have written anything.
 * Errors: those of the work; STATUS_EXTERNAL, a predicate: "died of signal 11", "took more than 5 s"; STATUS_MEMORY,
 * where no process can be started or the answer does not fit. */
MUST_USE enum status isolate(isolated_work work, void *context, const struct isolate_limits *limits, char **out,
                             size_t *length, struct error *error);

#endif
