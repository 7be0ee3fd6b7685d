/* Quadrature rules for E f(z), z ~ N(0, 1), on a ladder of rungs for an adaptive choice to walk along: Gauss-Hermite
 * while the integrand is smooth on the scale of the noise, the trapezoid rule, as fine as one likes, where it is not
 * (few, large steps, or an error that oscillates faster than the noise is wide). Where it jumps, pieces between the
 * jumps are integrated by Gauss-Legendre rules of an order that rises with the rung. */
#ifndef LAW_RULE_H
#define LAW_RULE_H

#include <stddef.h>

#include "core/status.h"

enum {
    RUNGS = 30,
    FINER = 3, /* rungs between a rule and the one that checks it */
    TOP_RUNG = RUNGS - 1 - FINER,
    MOST_RULE_NODES = 3000, /* of any rule, split ones included */
    MOST_BREAKS = 16
};

struct rule {
    size_t n;
    double *node, *weight;
};

struct rules {
    struct rule rung[RUNGS];
    struct rule piece[RUNGS]; /* on [-1, 1], for the pieces between jumps */
};

/* All of them, or the first `rungs` of the ladder and as many pieces as are wanted. */
MUST_USE enum status rules_new(struct rules *out, struct error *error);
MUST_USE enum status rules_new_part(struct rules *out, size_t rungs, size_t pieces, struct error *error);
void rules_free(struct rules *rules);

/* The Gauss-Legendre rule with n nodes on [-1, 1]; its node array is the caller's to free. */
MUST_USE enum status rule_legendre(size_t n, struct rule *rule, struct error *error);

/* Appends `parts` copies of a rule on [-1, 1] that fill [from, to], weighted by the normal density, to *out, as far
 * as there is room for MOST_RULE_NODES. */
void rule_append(const struct rule *piece, size_t parts, double from, double to, struct rule *out);

/* The rule of this rung over [-reach, reach] cut at ascending `breaks`, into *out, which has room for
 * MOST_RULE_NODES.
 */
void rules_split(const struct rules *rules, size_t rung, double reach, size_t count, const double *breaks,
                 struct rule *out);

#endif
