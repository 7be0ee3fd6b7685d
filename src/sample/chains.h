/* The sampler as it is used: chains (5) from N(0, I) down to t = 1, and forward paths from X_1 with their weights
 * (theory (18)), with random numbers that are a function of (seed, stream, chain, step, coordinate), so that results
 * do not depend on threads or on which chains are made together. Clips act exactly. Which coordinates a sampler sees:
 * sample/chain_target.h. */
#ifndef SAMPLE_CHAINS_H
#define SAMPLE_CHAINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "model/sampler.h"
#include "model/schedule.h"
#include "model/score_error.h"
#include "model/target.h"

/* All borrowed. */
struct chain_problem {
    const struct factor_list *list; /* literal factors: copies are integers */
    size_t dimension;               /* of them all */
    const struct sampler *sampler;
    const struct schedule *schedule;
    const struct score_error *score_error; /* NULL: exact scores */
    uint64_t seed, stream;
    int threads;      /* > 0 */
    double codewords; /* the weight of all components but the first, where these are a codebook's codewords; else 0 */
    bool is_data;     /* the means of the only factor are data points */
    double memorised_distance; /* at which a chain is at one of them; 0: the standard one (sample/memorised.h) */
};

/* n points, coordinate after coordinate: x[i * n + j] is coordinate i of point j. Owned. */
struct points {
    size_t n, dimension;
    double *x;
    double *log_density; /* log p_1 at each */
};
void points_free(struct points *points);

/* Y_1 of n chains. Errors: those of chain_target_new; STATUS_NUMERIC where a chain is not finite; STATUS_UNSUPPORTED
 * where the sampler asks for the score at a level that it does not declare, or makes chains depend on one another;
 * STATUS_MEMORY. */
MUST_USE enum status chains_run(const struct chain_problem *problem, size_t n, struct points *out,
                                struct error *error);

/* n exact samples of X_1, independent of the chains. */
MUST_USE enum status chains_draw(const struct chain_problem *problem, size_t n, struct points *out,
                                 struct error *error);

/* n samples of X_1 with two independent forward paths from each: log_weight[k][j] is that of path k from point j.
 * Owned. Errors: as chains_run; STATUS_UNSUPPORTED for samplers without noise in some step, with
 * memory or with draws. */
struct paths {
    struct points start;
    double *log_weight[2];
};
/* The first step, from T downwards, without noise after the map; 0: there is none. */
size_t chains_quiet_step(const struct chain_problem *problem);
MUST_USE enum status chains_weigh(const struct chain_problem *problem, size_t n, struct paths *out,
                                  struct error *error);
void paths_free(struct paths *paths);

#endif
