/* A function of two coordinates as tensor polynomials on the leaves of a quadtree, for the plane and the cylinder.
 * Coordinates are the geometry's; it chooses them so that one tree serves many steps. Each leaf, a square patch, has
 * Chebyshev-Lobatto nodes of its own order in either direction, and is placed relative to an anchor, so that no scale
 * costs another its digits: in the plane, where u = x/sqrt(alpha_bar), to the mean of the component whose scale is
 * the strictest there. */
#ifndef LAW_PATCHES_H
#define LAW_PATCHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "model/target.h"

/* Nodes in one direction: even numbers from LEAST to MOST. */
enum { PATCH_LEAST = 4, PATCH_MOST = 16, PATCH_COUNTS = (PATCH_MOST - PATCH_LEAST) / 2 + 1 };
enum { PATCH_MOST_DEPTH = 60 };

struct patch {
    int depth;      /* of the leaf: the root is at 0 */
    uint64_t at[2]; /* which of 2^depth columns and rows */
    size_t anchor;
    double centre[2], half;   /* relative to the anchor's mean */
    size_t nodes[2], next[2]; /* now, and as the next step should have them; beyond PATCH_MOST: cut in four */
    size_t order[2];          /* of the quadrature that fills it */
    bool by_lattice;          /* filled by the lattice that patches share, not by quadrature of its own */
    double mass;              /* of q */
    double value[PATCH_MOST * PATCH_MOST]; /* [column][row] */
};

/* Nodes in [-1, 1] ascending, weights of the integral, of barycentric interpolation, and the transform to
 * coefficients. */
struct lobatto {
    double node[PATCH_MOST], weight[PATCH_MOST], barycentric[PATCH_MOST];
    double transform[PATCH_MOST][PATCH_MOST]; /* [node][degree] */
};

struct lobattos {
    struct lobatto of[PATCH_COUNTS];
};
void lobattos_init(struct lobattos *lobattos);
static inline const struct lobatto *lobatto_of(const struct lobattos *lobattos, size_t nodes)
{
    return &lobattos->of[(nodes - PATCH_LEAST) / 2];
}

/* A node of the tree. */
enum { NO_LEAF = 0 };
struct patches_cell {
    uint32_t child[2][2]; /* [right][upper]; 0: none */
    uint32_t leaf;        /* index + 1; NO_LEAF: not a leaf */
};

/* Half of the root's side, and its centre relative to anchor 0. */
struct patch_root {
    double half, centre[2];
};

struct patches {
    const struct factor *factor; /* whose means the positions are relative to; NULL: there is one anchor */
    struct patch_root root;
    struct patch *patch;
    size_t count, capacity;
    struct patches_cell *cell;
    size_t cells, cell_capacity;
};

void patches_free(struct patches *patches);

/* Coordinate i of m_k - m_anchor. */
static inline double patches_offset(const struct factor *factor, size_t k, size_t anchor, int i)
{
    return factor == NULL ? 0.0 : factor->mean[2 * k + (size_t)i] - factor->mean[2 * anchor + (size_t)i];
}

/* The quarter of a patch, for the tree: its nodes and values are still those of the whole. */
struct patch patch_quarter(const struct patch *patch, unsigned right, unsigned upper);

MUST_USE enum status patches_append(struct patches *patches, const struct patch *patch, struct error *error);

/* Where the patches of a tree lie: a geometry's rules. The context is the geometry's own. */
struct patch_domain {
    /* Makes the leaf at this place of the tree: anchor, centre and size. */
    void (*place)(const void *context, struct patch *patch, const struct patch_root *root);
    /* The length over which log r changes there, in units of the patch's coordinates. */
    double (*scale)(const void *context, const struct patch *patch);
    /* true if the patch meets what is to be covered. */
    bool (*covers)(const void *context, const struct patch *patch);
    /* The mass of p in the patch. */
    double (*mass)(const void *context, const struct patch *patch);
};

/* Cells that cover the domain, none of a side of more than `side` local scales, to be filled with 8 nodes in either
 * direction by quadrature of the given order. */
MUST_USE enum status patches_cover(const struct patch_domain *domain, const void *context, struct patch_root root,
                                   double side, size_t order, struct patches *out, struct error *error);

/* Builds the tree that patches_evaluate needs, once all leaves are there. */
MUST_USE enum status patches_index(struct patches *patches, struct error *error);

/* The same leaves with the same values, indexed; reuses the storage of *to. */
MUST_USE enum status patches_copy(const struct patches *from, struct patches *to, struct error *error);

/* Makes the root half as large while all leaves fit. */
void patches_shrink(struct patches *patches);

/* Room for patches_evaluate on up to `most` columns and as many rows. */
struct patches_work {
    size_t most;
    size_t *index;
    double *block;
};
MUST_USE enum status patches_work_new(size_t most, struct patches_work *out, struct error *error);
void patches_work_free(struct patches_work *work);

/* The function at all (x[i], y[j]), relative to the anchor's mean, into out[i * ny + j]. Where no leaf is, its value
 * at the nearest point of leaf `nearest`, and beyond the root at that of a leaf at its side: polynomials do not go on
 * beyond their leaves, for noise would grow from step to step. */
void patches_evaluate(const struct patches *patches, const struct lobattos *lobattos, size_t anchor, size_t nearest,
                      size_t nx, const double *x, size_t ny, const double *y, double *out, struct patches_work *work);

/* Whether a leaf holds a point, and which. */
bool patches_have(const struct patches *patches, size_t anchor, double x, double y, size_t *leaf);
/* The leaf that holds a point, or the first one. */
size_t patches_find(const struct patches *patches, size_t anchor, double x, double y);

/* One patch's polynomial at all (x[i], y[j]) in [-1, 1]^2, at most PATCH_MOST of each. */
void patch_evaluate(const struct patch *patch, const struct lobattos *lobattos, size_t nx, const double *x, size_t ny,
                    const double *y, double *out);

/* The size of the highest `degrees` degrees in either direction. */
void patch_tails(const struct patch *patch, const struct lobattos *lobattos, size_t degrees, double tail[2]);

#endif
