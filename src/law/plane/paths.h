/* The law of a sampler without noise in the plane, by its paths: each step is a map m_t(x) = (x +
 * D_t(x))/sqrt(alpha_t), and where m = m_2 o ... o m_T takes x_T to y, q_1(y) = N(x_T; 0, I)/(det m_2' ... det m_T'),
 * the method of characteristics. Nothing is interpolated on the way, and nothing continued. Each m_t is inverted by
 * Newton's method from x = sqrt(alpha) y; det m' = (1 + tr D' + det D')/alpha, with D' from central differences of
 * order 6, as on the line (law/monotone.h). */
#ifndef LAW_PLANE_PATHS_H
#define LAW_PLANE_PATHS_H

#include "core/parallel.h"
#include "law/plane/transfer.h"

struct plane_paths {
    size_t T;
    const struct joint_level *last; /* p_1 */
    /* Makes step t the thread's present one: its transfer, whose `grid` is not looked at, and its oracle. */
    void (*set_step)(struct plane_thread *thread, size_t t);
};

/* log r_1 and log p_1 at all (x[i], y[j]), in the coordinates of patches, relative to the anchor of the patch; in
 * steps whose length for coordinate i is halved where finer[i] is set. What q has around points from which a map has
 * no inverse, or one that turns the plane over, goes to the thread's work.folded; the map is left out there. */
void plane_paths_apply(const struct plane_paths *paths, struct plane_thread *thread, const struct patch *patch,
                       const bool finer[2], size_t nx, const double *x, size_t ny, const double *y, double *log_ratio,
                       double *log_density);

/* Looks for folds on the paths of a lattice of starts: where a map takes three points to one, plane_paths_apply finds
 * one of them, and nothing is amiss. */
void plane_paths_find_folds(const struct plane_paths *paths, struct plane_thread *thread, struct team *team);

/* The mass around such points in all workspaces since the last call. Errors: STATUS_NUMERIC where one of them, or all
 * together, have more than is ignored. */
MUST_USE enum status plane_paths_take_folded(const struct plane_paths *paths, struct plane_thread *thread,
                                             struct team *team, double *ignored, struct error *error);

#endif
