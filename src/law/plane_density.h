/* The densities of X_1 and Y_1 on a grid of the plane, to be looked at: of a target in two dimensions, with exact
 * scores. */
#ifndef LAW_PLANE_DENSITY_H
#define LAW_PLANE_DENSITY_H

#include <stddef.h>

#include "core/status.h"
#include "law/law.h"
#include "model/target.h"

/* Values at the centres of n x n equal squares: [row * n + column], rows along y, from the least on. */
struct plane_density {
    size_t n;
    double low[2], side; /* of the whole, a square that holds p_1's components with 4 standard deviations */
    double *p, *excess;  /* p_1; q_1 - p_1 = p_1 (r - 1) */
    struct measured tv;
};

/* q_1 is p_1 r with r from the law's panels, between the rows of a law in the plane by cubic interpolation in log r;
 * where p_1 is below e^-36 of what it is elsewhere, and no panel lies, r counts as 1. A clip acts where it does in
 * the plane, and is taken as inactive in products. Errors: STATUS_UNSUPPORTED where the target is neither one mixture
 * in the plane nor a product of two laws on the line; those of target_factors, law_compute and tv_measure. */
MUST_USE enum status plane_density_make(const struct target *target, const struct sampler *sampler,
                                        const struct schedule *schedule, size_t n, size_t threads,
                                        struct plane_density *out, struct error *error);
void plane_density_free(struct plane_density *density);

#endif
