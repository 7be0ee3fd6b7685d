/* The score as a sampler sees it in one coordinate during one step, at the levels t and t-1: exact score plus score
 * error (theory (13)); and where the sampler's increment jumps because of the latter or of a clip. */
#ifndef LAW_ORACLE_H
#define LAW_ORACLE_H

#include <stddef.h>
#include <stdint.h>

#include "law/panels.h"
#include "law/rule.h"
#include "model/mixture_level.h"
#include "model/sampler.h"
#include "model/score_error.h"

struct oracle {
    struct score base;
    const struct mixture_level *nominal[2]; /* the factor at levels t and t-1 */
    struct error_level error[2];
    size_t anchor;         /* positions asked for are relative to it */
    const double *known_x; /* points whose exact score at level t is already in known_score */
    const double *known_score;
    double *work;      /* as many doubles as the largest batch */
    uint64_t *regions; /* if not NULL, which side of the jumps each query was on is appended here */
};

/* Sets the evaluate function; the rest is the caller's. */
void oracle_init(struct oracle *oracle);

/* Positions x at level t, relative to component 0, ascending, where the increment of the sampler jumps. */
struct breaks {
    size_t count;
    double at[MOST_BREAKS];
};

/* Finds them by following in which piece of the error each query of the increment falls, and whether it is clipped,
 * over points around the error's jumps and, if the clip is on, over the whole grid; then by bisection. tau is the
 * noise's scale. work: sampler->work_arrays + 2 doubles. */
void oracle_breaks(struct oracle *oracle, const struct sampler *sampler, const struct step *step,
                   const struct panels *grid, double tau, double *work, struct breaks *out);

#endif
