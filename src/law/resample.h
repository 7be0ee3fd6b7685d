/* A panelled function on other panels. */
#ifndef LAW_RESAMPLE_H
#define LAW_RESAMPLE_H

#include "law/panels.h"

/* Where interpolation is looked at: away from the nodes, in [-1, 1]. What is seen there of a polynomial of the first
 * degrees that the nodes miss is up to PROBE_MISSES times less than its mean. */
enum { PANEL_PROBES = 4 };
extern const double panel_probe[PANEL_PROBES];
#define PROBE_MISSES 1.5

/* Norms of a relative error e of r = q/p: E_q|e| and the root of E_q e^2, which a Markov operator on densities does
 * not increase. */
struct error_norms {
    double l1, l2;
};

/* Gives *to, panels of the same mixture level, the values of log r that *from has there. Returns what they
 * interpolate wrongly between their nodes. */
struct error_norms panels_resample(const struct panels *from, const struct mixture_level *mixture,
                                   const struct chebyshev *chebyshev, struct panels *to);

#endif
