/* What a stage of the line engine does wrong, seen at points off its grid against a finer rule. */
#ifndef LAW_LINE_PROBE_H
#define LAW_LINE_PROBE_H

#include <stddef.h>

#include "core/status.h"
#include "law/line/parallel.h"
#include "law/panels.h"
#include "law/resample.h"
#include "law/line/transfer.h"

/* The points of a grid: log r there by the rule that is taken as exact, and E_q f = sum weight f. `own` and `value`
 * are the caller's, for what else is known there. */
struct line_probe {
    size_t count, capacity;
    double *y, *exact, *weight, *own, *value, *block;
    double distance; /* E_p|r - 1| */
};
void line_probe_free(struct line_probe *probe);

/* Places the points on the grid of a stage's result and finds log r by the rule of a rung. */
MUST_USE enum status line_probe_set(struct line_probe *probe, const struct transfer *transfer, struct line_team *team,
                                    const struct panels *grid, size_t rung, struct error *error);

/* log r at the points by another rule, or as panels of the result's level have it. */
MUST_USE enum status line_probe_apply(const struct line_probe *probe, const struct transfer *transfer,
                                      struct line_team *team, const struct panels *grid, size_t rung, double *value,
                                      struct error *error);
void line_probe_evaluate(const struct line_probe *probe, const struct transfer *transfer, const struct panels *grid,
                         const struct panels *panels, double *value);

/* What is between two values of log r. */
struct norms line_probe_norms(const struct line_probe *probe, const double *value, const double *from);

#endif
