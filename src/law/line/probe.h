/* The local error of a stage of the line engine, at points off its grid and against a higher quadrature order. */
#ifndef LAW_LINE_PROBE_H
#define LAW_LINE_PROBE_H

#include <stddef.h>

#include "core/status.h"
#include "law/line/transfer.h"
#include "law/panels.h"
#include "law/resample.h"

/* Test points of a grid: log r there by the order that is taken as exact, and E_q f = sum weight f; `component` is
 * the same of max_k p_k r. `own` and `value` are the caller's, for log r by other orders or by interpolation. */
struct line_probe {
    size_t count, capacity;
    double *y, *exact, *weight, *component, *own, *value, *block;
    double distance;      /* E_p|r - 1| */
    double of_components; /* the integral of max_k p_k |r - 1| */
    double mass;          /* E_p r by quadrature at the points: 1 if they resolve q */
};
void line_probe_free(struct line_probe *probe);

/* Places the points on the grid of a stage's result and computes log r there by an order taken as exact. */
MUST_USE enum status line_probe_set(struct line_probe *probe, const struct transfer *transfer,
                                    struct transfer_team *threads, const struct panels *grid, size_t order,
                                    struct error *error);

/* log r at the points by another order and, in *made if not NULL, as the grid's panels have it; and as other panels
 * of the result's level do. */
MUST_USE enum status line_probe_apply(const struct line_probe *probe, const struct transfer *transfer,
                                      struct transfer_team *threads, const struct panels *grid, size_t order,
                                      double *value, double *made, struct error *error);
void line_probe_evaluate(const struct line_probe *probe, const struct transfer *transfer, const struct panels *grid,
                         const struct panels *panels, double *value);

/* Norms of the relative error exp(value - from) - 1. */
struct norms line_probe_norms(const struct line_probe *probe, const double *value, const double *from);

#endif
