/* The exponents of one target and sampler, from T(d, eps) and from the divergences themselves. */
#ifndef VERDICT_EXPONENTS_H
#define VERDICT_EXPONENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "results/evidence.h"
#include "verdict/account.h"
#include "verdict/fit.h"
#include "verdict/limit.h"
#include "verdict/window.h"

/* Why T(d, eps) is not known; NULL of REACH_FOUND. */
extern const char *const reach_reasons[];

/* What is fitted: T/log T; T; or T/log T where T(d, eps) may be less than what was found, whatever the radii. */
enum cost { COST_LOG_FREE, COST_STEPS, COST_FROM_ABOVE };

/* y = log of the cost against log d and x = log(1/eps).
 * account: NULL, or where every cell is written down with the reason why it is left out; along_d: those without
 * weight in the fit of d, rather than of x, are not used. Errors: STATUS_MEMORY. */
MUST_USE enum status complexity_exponents(const struct evidence *evidence, size_t target, size_t sampler,
                                          enum cost cost, bool along_d, struct account *account, struct fit *out,
                                          struct error *error);

/* The same of T/log T under a score error (0: exact scores). */
MUST_USE enum status complexity_exponents_under(const struct evidence *evidence, size_t target, size_t sampler,
                                                size_t score_error, struct fit *out, struct error *error);

/* y = log of the divergence at `offset` in struct record (its radius follows it) against log d and x = log(h log^logs
 * T): logs = 1 grants one logarithm for each power of h, 0 none. account as above. Errors: STATUS_MEMORY. */
MUST_USE enum status divergence_exponents(const struct evidence *evidence, size_t target, size_t sampler,
                                          size_t offset, double logs, struct account *account, struct fit *out,
                                          struct error *error);

/* What such quantities tend to as h -> 0 (theory §11), from rows whose T fits take, TV (where it is known: that of a
 * planted law is not) and errors of mass up to WINDOW_ACCURACY, and values known to WINDOW_RADIUS. Where there is no
 * limit, its reason is set.
 *
 * The power of h in the divergence at `offset`, the smallest of all dimensions or the largest, and in which. */
MUST_USE enum status divergence_limit(const struct evidence *evidence, size_t target, size_t sampler, size_t offset,
                                      bool largest, struct limit *out, size_t *where, struct error *error);
/* The power of d in the divergence's C_p(d) (22): between the two largest dimensions, where the interval holds what
 * it is between the two before; from four dimensions on that of limit_dimension, if there is one, else the reason is
 * set. p must be the same in all of them. */
MUST_USE enum status coefficient_limit(const struct evidence *evidence, size_t target, size_t sampler, size_t offset,
                                       struct limit *out, struct error *error);
/* The power of 1/eps in T/log T, 1/p where the quantity, TV say, is ~ h^p: the largest of all dimensions or the
 * smallest. */
MUST_USE enum status accuracy_limit(const struct evidence *evidence, size_t target, size_t sampler,
                                    const struct quantity *quantity, bool smallest, struct limit *out, size_t *where,
                                    struct error *error);
/* The power of d in T/log T, that of d in the quantity's C_p(d) over p. */
MUST_USE enum status dimension_limit(const struct evidence *evidence, size_t target, size_t sampler,
                                     const struct quantity *quantity, struct limit *out, struct error *error);
/* The power of 1/eps in the ratio of T/log T of the sampler `slow` to that of `fast`: the smallest of all dimensions.
 */
MUST_USE enum status ratio_limit(const struct evidence *evidence, size_t target, size_t fast, size_t slow,
                                 struct limit *out, size_t *where, struct error *error);

/* Targets and samplers that differ in a parameter alone, with its values. */
struct member {
    size_t target, sampler;
    double value;
};
/* Those of this target and sampler, by increasing value: at most as many as there are targets or samplers. */
size_t members_find(const struct manifest *manifest, const char *axis, size_t target, size_t sampler,
                    struct member *out);
/* The power of the parameter in the divergence's C_p, between the two largest values, as for d; over p it is that in
 * T/log T. The largest of all dimensions or the smallest. */
MUST_USE enum status parameter_limit(const struct evidence *evidence, const struct member *members, size_t count,
                                     size_t offset, bool largest, struct limit *out, double *order, size_t *where,
                                     struct error *error);

/* Of a fit's cells, which the last window of the account holds in this order as used, those without weight are not
 * used. account may be NULL. Errors: STATUS_MEMORY. */
MUST_USE enum status exponents_mark_unweighted(struct account *account, const struct fit_cell *cells, size_t count,
                                               bool along_d, struct error *error);

/* Counts of cells that no fit uses. */
struct unused {
    size_t beyond, at_start, open;
};
struct unused complexity_unused(const struct evidence *evidence, size_t target, size_t sampler);

/* TV falls at least like h^1 where a claim holds; less than a fifth of that over a factor of two and more in T is a
 * floor. */
#define FLOOR_SLOPE 0.2

/* How a quantity falls at the largest T, where it is far above its radius and TV at most 1/2: the
 * power of h, in the smallest dimension in which it is below FLOOR_SLOPE, or else the smallest; infinite where it is
 * not seen to fall or not. */
struct fall {
    double power, value;
    size_t steps, dimension;
};
struct fall last_fall(const struct evidence *evidence, size_t target, size_t sampler,
                      const struct quantity *quantity);

#endif
