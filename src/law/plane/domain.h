/* Where the patches of the plane lie: relative to the means of components, ellipses around which they cover. The
 * context of the domain is the mixture's level. */
#ifndef LAW_PLANE_DOMAIN_H
#define LAW_PLANE_DOMAIN_H

#include "law/patches.h"
#include "model/joint_level.h"

extern const struct patch_domain plane_domain;

/* The root of a tree that covers the mixture's present level, around the mean of component 0 or the origin. */
struct patch_root plane_root(const struct joint_level *joint, double reach, bool at_origin);

/* Makes the leaf at this place of the tree: anchor, centre and size for the mixture's present level. */
void patch_place(struct patch *patch, const struct joint_level *joint, const struct patch_root *root);

/* The local scale of the mixture at the patch, in units of u: the strictest component's, growing with the distance
 * from it. */
double patch_scale(const struct patch *patch, const struct joint_level *joint);

/* true if the patch meets what is to be covered: ellipses of `reach` standard deviations around the components
 * and corridors between those that have parted not long ago. */
bool patch_is_covered(const struct patch *patch, const struct joint_level *joint, double reach);

/* The mass of p in the patch. */
double patch_mass(const struct patch *patch, const struct joint_level *joint);

/* Squares, with values 0, that cover to `reach` what the leaves of an indexed tree leave out. */
MUST_USE enum status patches_complement(const struct patches *patches, const struct joint_level *joint, double reach,
                                        double side, struct patches *out, struct error *error);

#endif
