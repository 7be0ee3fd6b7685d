/* A law in the plane as panels on rows through it: log r along each row, and the rows a quadrature rule across them.
 * The layout is the target's alone, so that laws of one target by different samplers lie on the same panels. */
#ifndef LAW_PLANE_ROWS_H
#define LAW_PLANE_ROWS_H

#include "core/status.h"
#include "law/law.h"
#include "law/patches.h"

/* Fills log_ratio, density, lines and the errors of interpolation of *out from an indexed grid at this level. */
MUST_USE enum status plane_rows_make(const struct patches *grid, const struct lobattos *lobattos,
                                     const struct level *level, double resolution, struct law *out,
                                     struct error *error);

#endif
