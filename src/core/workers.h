/* Items of work, each in a process of its own: one that crashes, or that the machine kills for its memory, takes
 * nothing with it but itself. The processes are forks of the caller, which must not have used other threads before.
 */
#ifndef CORE_WORKERS_H
#define CORE_WORKERS_H

#include <stddef.h>

#include "core/status.h"

struct work {
    void *context;
    int processes;  /* at a time, at least 1 */
    size_t answer;  /* bytes that an item has to tell */
    double seconds; /* that an item may take, by the clock; 0: any number */
    /* Gives the next item to start, nonzero; zero if there is none before one that runs has ended. */
    int (*next)(void *context, size_t *item);
    /* Does an item, in a process whose memory is a copy of the caller's but for `answer`, zeros at first. */
    enum status (*run)(void *context, size_t item, void *answer, struct error *error);
    /* What became of an item, told in the caller's process: the error of `run`, if any, or STATUS_EXTERNAL with what
     * its process died of, be it that its time was up. An error here ends all work. */
    enum status (*ended)(void *context, size_t item, const void *answer, const struct error *cause,
                         struct error *error);
};

/* Works until `next` has nothing and nothing runs. SIGINT, SIGTERM and SIGHUP (unless they are ignored) kill the
 * processes, of which no more is told, and come back as STATUS_INTERRUPTED with the signal's number in *interruption,
 * which is 0 otherwise. Processes never outlive the caller.
 * Errors: of `ended`; STATUS_INTERRUPTED; STATUS_MEMORY; STATUS_EXTERNAL where no process can be started. */
MUST_USE enum status workers_run(const struct work *work, int *interruption, struct error *error);

#endif
