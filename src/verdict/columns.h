/* Powers of a column of results in h, T/log T, d or a parameter of the score error: fits and what they tend to. */
#ifndef VERDICT_COLUMNS_H
#define VERDICT_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "verdict/account.h"
#include "verdict/claims.h"
#include "verdict/fit.h"
#include "verdict/limit.h"

/* Whether a bound's rows are those with score errors: of what an error does, or in a parameter of errors. */
bool columns_are_of_errors(const struct claim_bound *bound);

/* The exponent of a bound (COLUMN_IN_AXIS) on one target and sampler: y = log of the column against the log of the
 * axis, with a constant of its own for each setting of all else. Rows are those of exact laws or, where the column is
 * estimated, of chains; with score errors or without. Window: T a power of two within a factor 8 of the largest in
 * its d (window.h; not of parameters of errors); a value known to WINDOW_RADIUS (of chains: a standard error below a
 * tenth), TV, effects and errors of mass up to WINDOW_ACCURACY. used: cells with weight. Where out->ok is false,
 * out->reason says why. Errors: STATUS_MEMORY. */
struct column_exponent {
    bool ok;
    char reason[160];
    struct exponent exponent;
    size_t used;
};
MUST_USE enum status column_exponent_fit(const struct evidence *evidence, const struct claim_bound *bound,
                                         size_t target, size_t sampler, struct account *account,
                                         struct column_exponent *out, struct error *error);

/* Its limit as h -> 0, with exact scores; *where: the dimension that it is of, 0 for several. */
MUST_USE enum status column_exponent_limit(const struct evidence *evidence, const struct claim_bound *bound,
                                           size_t target, size_t sampler, struct limit *out, size_t *where,
                                           struct error *error);

#endif
