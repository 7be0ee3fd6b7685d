/* Runs a function in a child process, for work on data that may crash or hang the library that reads it. */
#ifndef CORE_ISOLATE_H
#define CORE_ISOLATE_H

#include <stddef.h>
#include <stdio.h>

#include "core/status.h"

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
