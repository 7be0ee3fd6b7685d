/* One stage of a sampler's step, between two references with known densities: log r at points of the second from log
 * r on a grid of the first, by theory (14)-(15) for a map with noise and by change of variables for a map without. */
#ifndef LAW_TRANSFER_H
#define LAW_TRANSFER_H

#include <stddef.h>

#include "core/status.h"
#include "law/oracle.h"
#include "law/panels.h"
#include "law/rule.h"

enum { TRANSFER_POINTS = 8 * PANEL_NODES }; /* at a time */

struct transfer {
    const struct sampler *sampler;
    const struct step *step;
    int moves;         /* the sampler's map is applied; 0: noise alone, before the map */
    int deterministic; /* no noise */
    const struct mixture_level *from, *to;
    const struct panels *grid; /* log r on `from` */
    struct oracle *oracle;
    struct breaks breaks; /* of the map */
    double reach;         /* how far from a break it is seen, in units of tau; set with the breaks */
    /* Where the quadrature nodes lie and what that adds to log c. Theory (15) puts them on the scale of the forward
     * kernel; any scale is exact, and fewest are needed on that of the integrand K(y|.) p. With x = a y + tau z and v
     * the noise's variance before division by sqrt(alpha), log c = -(tau z D + D^2/2)/v + z^2 (1 - tau^2/v)/2 +
     * log(tau^2/v)/2 + log a + log p(x) - log p'(y). */
    double a; /* sqrt(alpha), or 1 */
    double tau;
    double linear, quadratic; /* tau/v, 1/(2v) */
    double curvature;         /* (1 - tau^2/v)/2 */
    double constant;
};

/* Fills all but the breaks. moves and the noise follow from `before`: the stage before the map (noise alone), or the
 * map with its noise. */
void transfer_init(struct transfer *transfer, const struct sampler *sampler, const struct step *step, int before,
                   const struct mixture_level *from, const struct mixture_level *to, const struct panels *grid,
                   struct oracle *oracle);

/* Workspace, one block for a whole law. */
struct transfer_work {
    const struct rules *rules;
    struct rule split; /* of one point */
    double *x, *log_density, *score, *increment, *log_ratio, *work, *oracle_work;
    double *block;
    double ignored; /* mass at points that a deterministic map does not reach in a monotone way, since set to 0 */
    size_t node_updates;
};
MUST_USE enum status transfer_work_new(const struct sampler *sampler, const struct rules *rules,
                                       struct transfer_work *out, struct error *error);
void transfer_work_free(struct transfer_work *work);

/* log r at `count` <= TRANSFER_POINTS ascending points y relative to the anchor; `length` is a distance over which
 * the map is smooth (the panel's). *hint as in panels_evaluate.
 * Errors: STATUS_NUMERIC where a deterministic map folds, so that the law has no density that a monotone map gives.
 */
MUST_USE enum status transfer_apply(const struct transfer *transfer, struct transfer_work *work, size_t rung,
                                    size_t anchor, double length, size_t count, const double *y, double *log_ratio,
                                    size_t *hint, struct error *error);

#endif
