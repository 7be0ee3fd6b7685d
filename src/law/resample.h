/* A panelled function on other panels; and the test points at which its interpolation error is estimated. */
#ifndef LAW_RESAMPLE_H
#define LAW_RESAMPLE_H

#include "law/norms.h"
#include "law/panel_groups.h"
#include "law/panels.h"
#include "law/tuning.h"

/* Test points of a panel: away from its nodes. Of a polynomial of the first degrees that the nodes miss, the mean
 * over them is up to PROBE_MISSES times less than that over the panel. */
enum { PANEL_PROBES = 4 };

/* Their positions, in the panel's coordinates. */
void panel_probes(const struct panel *panel, double *x);

/* Adds the panel's part of the norms of the relative error exp(made - log_ratio) - 1 at the test points, with the log
 * of the density p. */
void panel_add_errors(const struct panel *panel, const double *log_density, const double *log_ratio,
                      const double *made, const double *log_own, struct norm_sums *sums);

/* STATUS_NUMERIC if `mass`, of q by quadrature at the test points or at the nodes of patches, is too far from 1 for
 * errors at these points to bound anything (PROBE_MASS_MISSED). */
MUST_USE enum status check_probed_mass(double mass, const char *sampler, struct error *error);

/* Gives *to, panels of the same mixture level, the values of log r that *from has there. Out: *error_norms, the error
 * of their interpolation. Errors: STATUS_MEMORY. */
MUST_USE enum status panels_resample(struct panel_groups *groups, const struct panels *from,
                                     const struct mixture_level *mixture, const struct chebyshev *chebyshev,
                                     struct panels *to, struct norms *error_norms, struct error *error);

#endif
