/* The perturbed score in one coordinate during one step, at the levels t and t-1 and those between or
 * beside them that it asks for: exact score plus score error (theory (13)); and where the sampler's increment jumps
 * because of the latter or of a clip. */
#ifndef LAW_ORACLE_H
#define LAW_ORACLE_H

#include <stddef.h>
#include <stdint.h>

#include "law/panels.h"
#include "law/quadrature.h"
#include "model/mixture_level.h"
#include "model/sampler.h"
#include "model/score_error.h"

struct oracle {
    struct score base;
    size_t levels;                                       /* in use: t, t-1 and the sampler's others */
    const struct mixture_level *density[SAMPLER_LEVELS]; /* p at these levels */
    struct error_level error[SAMPLER_LEVELS];
    struct mixture_level other[SAMPLER_OTHER_LEVELS]; /* what density[2..] point to */
    size_t anchor;                                    /* positions asked for are relative to it */
    const double *known_x; /* points whose exact score at level t is already in known_score */
    const double *known_score;
    double *work;                  /* ORACLE_WORK times as many doubles as the largest batch */
    uint64_t *regions;             /* if not NULL, which side of the jumps each query was on is appended here */
    struct undeclared *undeclared; /* the caller's */
    int original;                  /* the sampler sees original coordinates, not positions relative to the anchor */
    size_t batch;                  /* in that case: numbers in this call of the sampler */
};
enum { ORACLE_WORK = 3 };

/* A sampler's increment or correction at n positions x relative to the anchor at level t, in whichever coordinates it
 * sees. */
void oracle_apply(const struct oracle *oracle, sampler_map *map, const struct step *step, size_t n, const double *x,
                  double *out, double *work);

/* Sets the evaluate function and makes room for the sampler's other levels. */
MUST_USE enum status oracle_new(const struct factor *factor, const struct sampler *sampler, struct oracle *out,
                                struct error *error);
void oracle_free(struct oracle *oracle);

/* Goes to a step. Args: from, to, the factor at levels t and t-1 (kept). share = 0: exact scores; else as in
 * score_error_at. The rest of the oracle is the caller's. */
void oracle_set(struct oracle *oracle, const struct sampler *sampler, const struct schedule *schedule,
                const struct step *step, const struct mixture_level *from, const struct mixture_level *to,
                const struct score_error *score_error, double norm, double share);

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
