/* Rotations that take a factor in several coordinates apart. The samplers' start N(0, I) and their noise are the same
 * in every orthonormal basis, so a rotated target has the same laws. */
#ifndef MODEL_DECOMPOSE_H
#define MODEL_DECOMPOSE_H

#include "core/status.h"
#include "model/target.h"

/* Makes one component of those that are equal in mean and width, so that what is one Gaussian has one component.
 * Errors: STATUS_MEMORY; the list is then still to be freed. */
MUST_USE enum status factor_list_merge(struct factor_list *list, struct error *error);

/* Replaces every factor in n >= 2 coordinates whose components have one common isotropic width and means on a line or
 * in a plane by its parts: the mixture within that line or plane, and Gaussian coordinates across, of which one holds
 * the distance of the line or plane from the origin. A single component, a radial one or one with a full covariance,
 * too, becomes n Gaussian coordinates. Factors that are as simple as that already, or cannot be taken apart, stay.
 * Errors: STATUS_MEMORY, and STATUS_INVALID for a covariance that is none; the list is then still to be freed. */
MUST_USE enum status factor_list_decompose(struct factor_list *list, struct error *error);

#endif
