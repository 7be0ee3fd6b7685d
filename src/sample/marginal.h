/* The law of a target along one coordinate or one direction, on the line: what score errors are
 * normalised against. */
#ifndef SAMPLE_MARGINAL_H
#define SAMPLE_MARGINAL_H

#include "core/status.h"
#include "model/target.h"

enum { MOST_MARGINAL = 20000 /* components */ };

/* Coordinate i of a factor. Out: a list of one factor on the line (free with factor_list_free), its components in the
 * order of the factor's; of a density, the factor itself. Errors: STATUS_UNSUPPORTED of products of atoms
 * (factor_tilts). */
MUST_USE enum status marginal_of_coordinate(const struct factor *factor, size_t i, struct factor_list *out,
                                            struct error *error);

/* <u, X> with u = (1, ..., 1)/sqrt(d): the convolution of the factors' projections, with equal components merged.
 * Errors: STATUS_UNSUPPORTED where more than MOST_MARGINAL are left, or there are densities. */
MUST_USE enum status marginal_of_diagonal(const struct factor_list *list, struct factor_list *out,
                                          struct error *error);

#endif
