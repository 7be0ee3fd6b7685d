/* Patches of the plane filled by a stage, as fine as their share of the tolerated error requires: numbers of nodes
 * and sizes adapt to the tails of the polynomials, weighed by the mass of q. */
#ifndef LAW_PLANE_FILL_H
#define LAW_PLANE_FILL_H

#include <stdbool.h>

#include "core/status.h"
#include "law/plane/lattice.h"
#include "law/patches.h"
#include "law/plane/transfer.h"
#include "law/plane/tuning.h"
#include "law/quadrature.h"

/* What fills patches: a stage, or at the start N(0, I)/p_T itself. */
struct plane_source {
    const char *sampler;                   /* its name, for messages */
    const struct plane_transfer *transfer; /* NULL: the start */
    const struct lattice *lattice, *finer; /* not NULL: the stage goes by it, and is checked by the finer one */
    const struct joint_level *to;
    double tolerance; /* L1(p), of all patches together */
    const struct lobattos *lobattos;
    const struct quadrature_table *rules;
    struct plane_work *work;
    double distance; /* E_p|r - 1| after the stage; plane_fill_pending sets it */
};

/* log r and log p of the new reference at all (x[i], y[j]) in [-1, 1]^2 of the patch, by a lattice or, if that is
 * NULL, by quadrature of these orders. */
void plane_evaluate(const struct plane_source *source, const struct patch *patch, const struct lattice *lattice,
                    const size_t order[2], size_t nx, const double *x, size_t ny, const double *y, double *log_ratio,
                    double *log_density);

/* Sets the values, the mass of q and the part of E_p|r - 1|, which is returned. */
double plane_fill(const struct plane_source *source, struct patch *patch);

/* The relative error of r that a patch may have. */
double plane_allowed(const struct plane_source *source, const struct patch *patch);

/* Compares the tails of the patch's polynomial with what is allowed, and sets how many nodes the next step should
 * have. Nonzero if this step should have them, too. */
bool plane_judge(const struct plane_source *source, struct patch *patch);

/* The patches that a stage should fill, from those of the stage before. */
MUST_USE enum status plane_plan(const struct plane_source *source, const struct patches *from, bool may_merge,
                                struct patches *pending, struct error *error);

/* Fills the pending patches, and what they have to be cut into, into the grid, and indexes it. Errors: STATUS_NUMERIC
 * where the law is not finite, STATUS_MEMORY. */
MUST_USE enum status plane_fill_pending(struct plane_source *source, struct patches *pending, struct patches *grid,
                                        struct error *error);

#endif
