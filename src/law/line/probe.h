/* The local error of a stage of the line engine, at points off its grid and against a higher quadrature order. */
#ifndef LAW_LINE_PROBE_H
#define LAW_LINE_PROBE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "law/line/transfer.h"
#include "law/norms.h"
#include "law/panels.h"
#include "law/resample.h"

/* A panel's part of integrals, and of the choice of its quadrature order. */
struct line_panel_probe {
    double distance, of_components, mass; /* as in struct line_probe */
    double share;                         /* errors are multiplied by it, for one tolerance of all panels */
    double error;                         /* of quadrature */
    double interpolation;                 /* that of the panel's polynomial */
    double before;                        /* that of a lower order, in the same check; infinite: there was none */
    bool empty;                           /* no component has mass there, and no error shows */
    bool due;                             /* its values are to be computed */
    bool settled;                         /* a higher order is no better, or a lower one not good enough */
    size_t lowered;                       /* by so much its order may be lower */
};

/* Test points of a grid: log r there by the orders that are taken as exact, and E_q f = sum weight f; `component` is
 * the same of max_k p_k r. `own` and `value` are the caller's, for log r by other orders or by interpolation. */
struct line_probe {
    size_t count, capacity, panels, panels_capacity;
    double *y, *exact, *weight, *component, *own, *value, *relative, *block;
    struct line_panel_probe *panel;
    double distance;      /* E_p|r - 1| */
    double of_components; /* the integral of max_k p_k |r - 1| */
    double mass;          /* E_p r by quadrature at the points: 1 if they resolve q */
};
void line_probe_free(struct line_probe *probe);

/* Places the points on the grid of a stage's result; all panels are due. */
MUST_USE enum status line_probe_place(struct line_probe *probe, const struct panels *grid, struct error *error);

/* log r at the points of the panels that are due, by their orders: by those that are taken as exact; or by ones that
 * are lower by `down`, and in *made if not NULL as the grid's panels have it. */
MUST_USE enum status line_probe_set(struct line_probe *probe, const struct transfer *transfer,
                                    struct transfer_team *threads, const struct panels *grid, struct error *error);
MUST_USE enum status line_probe_apply(struct line_probe *probe, const struct transfer *transfer,
                                      struct transfer_team *threads, const struct panels *grid, size_t down,
                                      double *value, double *made, struct error *error);
/* And at all points as other panels of the result's level have it. */
void line_probe_evaluate(const struct line_probe *probe, const struct transfer *transfer, const struct panels *grid,
                         const struct panels *panels, double *value);

/* Norms of the relative error exp(value - from) - 1, which probe->relative becomes. */
struct norms line_probe_norms(struct line_probe *probe, const double *value, const double *from);
/* Then the root mean square of the relative error in a panel times its share, which is the larger the more mass there
 * is, and `least` at least where there is any; masses of components count `rare` times. Out: *share. */
double line_probe_panel_error(struct line_probe *probe, size_t p, double rare, double least, double *share);

/* Whether any of the panels from..to-1 is due. */
bool line_probe_due(const struct line_probe *probe, size_t from, size_t to);

#endif
