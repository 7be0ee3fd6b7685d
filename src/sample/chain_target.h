/* A target in one dimension as chains see it: the score that the sampler follows (with its error) at the levels of
 * a step, the density, and exact samples. Points come in batches, coordinate after coordinate: x[i * chains + j] is
 * coordinate i of chain j.
 *
 * Positions are those of the target's own space, as they are, but for regular samplers (model/sampler.h), which see
 * them relative to sqrt(A) times the mean of each factor's first component: at levels with 1 - alpha_bar = 1e-24
 * components are 1e-12 wide, and beside numbers of size 1 their positions have four digits, which would be all the
 * digits that weights of paths have. A test compares both (test_chains.c). */
#ifndef SAMPLE_CHAIN_TARGET_H
#define SAMPLE_CHAIN_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "model/joint_level.h"
#include "model/mixture_level.h"
#include "model/radial_level.h"
#include "model/sampler.h"
#include "model/score_error.h"
#include "model/spins_level.h"
#include "model/target.h"

enum { FROM, TO, OTHERS, LEVELS = SAMPLER_LEVELS }; /* t and t-1, and what else the sampler asks for */

/* Coordinates first, first + 1, ... of one factor group: `copies` of `factor`. */
struct chain_group {
    const struct factor *factor;
    size_t first, copies;
    struct mixture_level line[LEVELS]; /* of a factor on the line */
    struct spins_level spins[LEVELS];  /* of products of atoms */
    struct joint_level joint[LEVELS];  /* of any other */
};

/* A score error in some coordinates, along one direction, or of the norm. */
struct chain_error {
    struct factor_list
        marginal; /* one factor on the line, the law of the error's argument; or concentric Gaussians */
    struct mixture_level level[LEVELS];
    struct radial_level radial[LEVELS]; /* of an error of the norm */
    struct error_level error[LEVELS];
    double share;                /* of eps_score^2 */
    size_t first, stride, count; /* the coordinates first, first + stride, ... */
    enum error_spread spread;    /* SPREAD_DIAGONAL: instead, along (1, ..., 1)/sqrt(d); SPREAD_NORM */
    double origin; /* the diagonal coordinate of the point that positions are relative to, at alpha_bar 1 */
};

struct chain_target {
    struct score base;
    size_t dimension, chains;
    const struct schedule *schedule;
    const struct score_error *score_error;
    const struct sampler *sampler; /* NULL: the score is asked for at levels t and t-1 only */
    double error_norm;
    struct chain_group *group;
    size_t groups;
    struct chain_error *error;
    size_t errors;
    double *work;     /* dimension x chains */
    bool original;    /* positions are those of the target's own space */
    double *relative; /* dimension x chains, where they are */
    struct undeclared *undeclared;
    double *line;  /* 2 x chains */
    int swapped;   /* which of the first two LEVELS objects is FROM */
    size_t levels; /* in use in this step */
    size_t t;      /* this step */
};

/* Args: list, the target's literal factors (borrowed; copies are integers); score_error may be NULL, sampler too
 * where the score is asked for at levels t and t-1 only.
 * Errors: STATUS_UNSUPPORTED where the law of a score error's argument is not known; STATUS_MEMORY. */
MUST_USE enum status chain_target_new(const struct factor_list *list, const struct sampler *sampler,
                                      const struct score_error *score_error, const struct schedule *schedule,
                                      size_t chains, struct chain_target *out, struct error *error);
void chain_target_free(struct chain_target *target);

/* Goes to step t in 2..T: FROM is level t and TO is t-1. Steps downwards, one by one, cost half. */
void chain_target_set(struct chain_target *target, size_t t);

/* The same step, FROM and TO as they are, as a sampler sees it that draws numbers. */
void chain_target_set_others(struct chain_target *target, const struct step *step);

/* log-density of X at the level of TO, of every chain. */
void chain_target_log_density(const struct chain_target *target, const double *x, double *log_density);

/* Samples of X at the level of TO (or FROM), from uniforms (of which a copy of a factor takes that at its first
 * coordinate's place, and products of atoms all) and normals, both laid out like points; out may be normals. */
void chain_target_draw(const struct chain_target *target, int which, const double *uniforms, const double *normals,
                       double *out);

/* Positions into those of the target's own space, in place. */
void chain_target_make_absolute(const struct chain_target *target, int which, double *x);

#endif
