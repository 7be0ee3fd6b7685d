/* Quadrature rules for E f(z), z ~ N(0, 1), in a table by ascending order, for adaptive choices: Gauss-Hermite rules
 * while the integrand is smooth on the scale of the noise, then trapezoid rules, as fine as one likes, where it is
 * not (few, large steps, or an error that oscillates faster than the noise is wide). "Order" is a rule's index in the
 * table. Where f jumps, Gauss-Legendre rules, of more nodes with each order, integrate the pieces between the jumps.
 */
#ifndef LAW_QUADRATURE_H
#define LAW_QUADRATURE_H

#include <stddef.h>

#include "core/status.h"

enum {
    ORDERS = 30,
    HERMITE_ORDERS = 17, /* the lowest of them; the others are trapezoid rules */
    CHECK_ORDERS = 3,    /* a rule is checked by the one so many orders higher */
    HIGHEST_ORDER = ORDERS - 1 - CHECK_ORDERS,
    MOST_RULE_NODES = 3000, /* of any rule, split ones included */
    MOST_BREAKS = 16
};

/* One rule: sum_i weight[i] f(node[i]). */
struct quadrature {
    size_t n;
    double *node, *weight;
};

struct quadrature_table {
    struct quadrature order[ORDERS];
    struct quadrature piece[ORDERS]; /* of [-1, 1], for the pieces between jumps */
};

/* All orders, and the first `pieces` of the rules for pieces. Free with quadrature_table_free, also after an error.
 */
MUST_USE enum status quadrature_table_new(struct quadrature_table *out, size_t pieces, struct error *error);
void quadrature_table_free(struct quadrature_table *table);

/* The order in use at a resolution of the law: higher at a higher one, up to `highest`. */
size_t quadrature_order(size_t order, double resolution, size_t highest);

/* By how much an order is raised whose error is above the tolerance. */
size_t quadrature_raise(double error, double tolerance);

/* The Gauss-Legendre rule with n nodes on [-1, 1]; its node array is the caller's to free. */
MUST_USE enum status quadrature_legendre(size_t n, struct quadrature *rule, struct error *error);

/* Appends `parts` copies of a rule on [-1, 1] that fill [from, to], weighted by the normal density, to *out, as far
 * as there is room for MOST_RULE_NODES. */
void quadrature_append(const struct quadrature *piece, size_t parts, double from, double to, struct quadrature *out);

/* The rule of this order over [-reach, reach] cut at ascending `breaks`, into *out, which has room for
 * MOST_RULE_NODES. */
void quadrature_split(const struct quadrature_table *table, size_t order, double reach, size_t count,
                      const double *breaks, struct quadrature *out);

#endif
