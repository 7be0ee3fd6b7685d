/* A finished law around an axis as panels: each component has columns, at places along the axis that are a quadrature
 * rule for its Gaussian there, and panels in rho on each. E_p f(r) = sum_k w_k E_{p_k} f(r), so that every
 * component's part has its own panels and its own density. */
#ifndef LAW_CYLINDER_COLUMNS_H
#define LAW_CYLINDER_COLUMNS_H

#include "core/status.h"
#include "law/law.h"
#include "law/patches.h"

/* Fills log_ratio, density, lines and the errors of interpolation of *out, and adds the latter to component_error[k],
 * from the indexed grids of the components that are followed, at this level; a component that is followed alone has
 * the weight 1. distance[k] is E_{p_k}|r - 1|. */
MUST_USE enum status cylinder_columns_make(const struct patches *grid, double shift,
                                           const struct law_problem *problem, const struct lobattos *lobattos,
                                           const struct level *level, double resolution, const double *distance,
                                           struct law *out, struct error *error);

#endif
