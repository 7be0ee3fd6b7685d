/* Integrals of functions of r = q/p over the panels of a law, by Gauss-Legendre rules. */
#ifndef LAW_INTEGRALS_H
#define LAW_INTEGRALS_H

#include <stddef.h>

#include "core/status.h"
#include "law/law.h"

/* Quadrature nodes on the law's support: sum_j weight[j] f(log_ratio[j]) is E_p f(log r). */
enum { LAW_PANEL_POINTS = 24 };
struct law_nodes {
    double *x; /* in the coordinates of the node's panel */
    double *weight, *log_ratio;
    size_t count, capacity;
    double rule_node[LAW_PANEL_POINTS], rule_weight[LAW_PANEL_POINTS]; /* on [-1, 1]; filled at first use */
};

/* Gauss-Legendre nodes on the part [from, to] of a panel (in its own coordinates), appended to *nodes (start from
 * {0}): LAW_PANEL_POINTS, or as many on each of the parts in which r changes by no more than a factor exp(8). */
MUST_USE enum status law_nodes_append(const struct law *law, const struct panel *panel, double from, double to,
                                      struct law_nodes *nodes, struct error *error);
void law_nodes_free(struct law_nodes *nodes);

/* Functions of n <= LAW_PANEL_POINTS log r: the value of the i-th at the j-th in out[i n + j]. */
typedef void law_integrand(size_t n, const double *log_ratio, double *out);

/* E_p of `width` <= 8 functions of log r over the whole support. If edges is not NULL, it gets the absolute values of
 * the integrands at the ends of the support, each over one standard deviation: what lies beyond is not much more
 * where the integrand falls there, and unknown where this is a large part. Errors: STATUS_INVALID for more functions,
 * STATUS_MEMORY. */
MUST_USE enum status law_integrate(const struct law *law, size_t width, law_integrand *integrand, double *result,
                                   double *edges, struct error *error);

/* E_p(r - 1) and E_p|r - 1| over the whole support. Errors: as law_integrate. */
MUST_USE enum status law_mass_and_distance(const struct law *law, double out[2], struct error *error);

/* out[k] is the error of component k's mass, m_k = E_{p_k}(r_1 - 1) (theory (21)), of a law of `factor`. Its radius
 * is that of the law in p_k: from the engine, or at most error_l1/w_k and error_l2 sqrt((1 + m_k)/w_k). Errors: as
 * law_integrate. */
MUST_USE enum status law_mass_errors(const struct law *law, const struct factor *factor, struct measured *out,
                                     struct error *error);

#endif
