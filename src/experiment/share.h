/* Shares of unequal pieces of work among machines that do not talk to each other: each finds the same shares. */
#ifndef EXPERIMENT_SHARE_H
#define EXPERIMENT_SHARE_H

#include <stddef.h>

#include "core/status.h"

struct piece {
    double cost;
    size_t index; /* the caller's name for it, different for each piece */
    size_t share; /* out: from 0 */
};

/* Gives each piece to a share such that their sums of costs are nearly equal: the most expensive first, each to the
 * share that has least (at most 4/3 of the best possible maximum; Graham 1969). Reorders the pieces.
 * Errors: STATUS_MEMORY. */
MUST_USE enum status share_out(struct piece *pieces, size_t count, size_t shares, struct error *error);

#endif
