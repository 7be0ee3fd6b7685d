/* Reflections and quarter turns of the plane around the origin that leave a mixture as it is, out of the square's
 * eight. N(0, I) has them all, and samplers whose maps are linear in x and in scores commute with them: log r has
 * them, too, at every level, and one of the patches that they take to one another stands for all. */
#ifndef LAW_PLANE_SYMMETRY_H
#define LAW_PLANE_SYMMETRY_H

#include "core/status.h"
#include "law/patches.h"
#include "model/target.h"

/* Takes (x, y), or (y, x) if it swaps them, to the same with signs changed. */
struct square_move {
    bool swaps, flips[2];
};

enum { SQUARE_MOVES = 8 };
struct plane_symmetry {
    size_t count; /* at least 1: the identity */
    struct square_move move[SQUARE_MOVES];
};

/* All that leave the mixture as it is, up to rounding of its parameters. */
struct plane_symmetry plane_symmetry_of(const struct factor *factor);

/* How many patches of a tree around the origin a patch stands for, itself included; 0: another stands for it. */
size_t plane_symmetry_stands_for(const struct plane_symmetry *symmetry, const struct patch *patch);

/* Appends the patches that those of the tree stand for, places them for the mixture's level, and indexes the tree. */
MUST_USE enum status plane_symmetry_complete(const struct plane_symmetry *symmetry, const struct patch_domain *domain,
                                             const void *context, struct patches *patches, struct error *error);

#endif
