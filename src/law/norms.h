/* Norms of a relative error e of r = q/p. A step of a sampler is a Markov operator on densities, and increases
 * neither of them: local errors of the steps may be added up (theory §6). */
#ifndef LAW_NORMS_H
#define LAW_NORMS_H

#include <math.h>

struct norms {
    double l1;  /* E_q|e| = E_p|r e| */
    double l2;  /* (E_q e^2)^(1/2), the root: norms of several errors may be added up */
    double own; /* on the line: the integral of max_k p_k |r e| over components k, at least E_{p_k}|r e| of each; else
                   0 */
};

/* Sums over quadrature points, in which the second norm is still a square: a type of its own, so that a square is
 * never taken for a root. */
struct norm_sums {
    double l1, l2_squared, own;
};

/* Adds a point where e = `relative`, of which q has the mass `weight`. */
static inline void norm_sums_add(struct norm_sums *sums, double weight, double relative)
{
    sums->l1 += weight * fabs(relative);
    sums->l2_squared += weight * relative * relative;
}

/* The same of the last norm, with the mass of max_k p_k r. */
static inline void norm_sums_add_own(struct norm_sums *sums, double weight, double relative)
{
    sums->own += weight * fabs(relative);
}

/* Adds up sums. */
static inline void norm_sums_join(struct norm_sums *sums, struct norm_sums part)
{
    sums->l1 += part.l1;
    sums->l2_squared += part.l2_squared;
    sums->own += part.own;
}

static inline struct norms norms_of(struct norm_sums sums)
{
    return (struct norms){sums.l1, sqrt(sums.l2_squared), sums.own};
}

/* At most so large is the sum of two errors. */
static inline struct norms norms_sum(struct norms a, struct norms b)
{
    return (struct norms){a.l1 + b.l1, a.l2 + b.l2, a.own + b.own};
}

static inline struct norms norms_max(struct norms a, struct norms b)
{
    return (struct norms){fmax(a.l1, b.l1), fmax(a.l2, b.l2), fmax(a.own, b.own)};
}

/* `factor` times the norms, less what of that is rounding, which is counted by itself, and not below 0. */
static inline struct norms norms_beyond(struct norms norms, double factor, double rounding)
{
    return (struct norms){fmax(factor * norms.l1 - rounding, 0.0), fmax(factor * norms.l2 - rounding, 0.0),
                          fmax(factor * norms.own - rounding, 0.0)};
}

#endif
