/* Patches filled by a stage, as fine as their share of the tolerated error requires: numbers of nodes and sizes adapt
 * to the tails of the polynomials, weighed by the mass of q. */
#ifndef LAW_PATCHES_FILL_H
#define LAW_PATCHES_FILL_H

#include <stdbool.h>

#include "core/parallel.h"
#include "core/status.h"
#include "law/patches.h"

enum { PATCH_HIGHEST_ORDER = 12 /* in law/quadrature.h */ };

/* All (x[i], y[j]) in [-1, 1]^2 of a patch, by quadrature of these orders or, if it has by_lattice set, by a lattice,
 * the one that checks the other, moved, if `moved`. */
struct patch_query {
    size_t order[2];
    bool moved;
    size_t nx, ny; /* at most PATCH_MOST each */
    const double *x, *y;
};

/* What fills patches: a stage, or at the start N(0, I)/p_T itself. */
struct patch_source {
    const struct patch_domain *domain;
    const void *context; /* the domain's */
    void *owner;         /* what `evaluate` works with */
    const char *sampler; /* its name, for messages */
    bool start;          /* log r_T, which needs no quadrature */
    bool map;            /* without noise, which needs none either; a higher order takes finer differences */
    /* log r and log p, the density in the patches' coordinates times `jacobian`, at [i * ny + j]. */
    void (*evaluate)(const struct patch_source *source, const struct patch *patch, const struct patch_query *query,
                     double *log_ratio, double *log_density);
    /* The highest order that costs no more than the lattice does for this patch; NULL: there is no lattice. */
    size_t (*affordable)(const struct patch_source *source, const struct patch *patch);
    /* How many patches this one stands for, itself included, where r is symmetric; 0: another stands for it, and it
     * is left out. NULL: each stands for itself. */
    size_t (*stands_for)(const struct patch_source *source, const struct patch *patch);
    double jacobian;  /* integrals of p in the patches' coordinates are of exp(log p) times it */
    double tolerance; /* L1(p), of all patches together */
    double floor;     /* no tail of a polynomial is asked to be smaller: rounding */
    const struct lobattos *lobattos;
    struct patches_work *work;
    struct team *team; /* fills and checks patches; NULL: one thread. The same bits for any number. */
    /* Sets the owner and the work of one of several threads in its copy of the source. */
    void (*use_thread)(struct patch_source *source, size_t thread);
    const struct patches *before; /* log r before the stage, in the same coordinates; NULL: not compared */
    bool is_part;                 /* r is of one component of p, and E_p r need not be 1 */
    size_t most;                  /* patches that the grid may have; 0: any number */
    double distance;              /* E_p|r - 1| after the stage; patches_fill sets it */
};

/* The source as one of its threads uses it. */
struct patch_source patch_source_of_thread(const struct patch_source *source, size_t thread);

size_t patch_stands_for(const struct patch_source *source, const struct patch *patch);

/* Sets the values, the mass of q and the part of E_p|r - 1|, which is returned. */
double patch_fill(const struct patch_source *source, struct patch *patch);

/* The relative error of r that a patch may have. */
double patch_allowed(const struct patch_source *source, const struct patch *patch);

/* Compares the tails of the patch's polynomial with what is allowed, and sets how many nodes the next step should
 * have. true if this step should have them, too. */
bool patch_judge(const struct patch_source *source, struct patch *patch);

/* The patches that a stage should fill, from those of the stage before. */
MUST_USE enum status patches_plan(const struct patch_source *source, const struct patches *from, bool may_merge,
                                  struct patches *pending, struct error *error);

/* Fills the pending patches, and what they have to be cut into, into the grid, and indexes it. Errors: STATUS_NUMERIC
 * where the law is not finite or needs too many patches, STATUS_MEMORY. */
MUST_USE enum status patches_fill(struct patch_source *source, struct patches *pending, struct patches *grid,
                                  struct error *error);

#endif
