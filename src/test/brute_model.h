/* Target, score and score error at one noise level, for the brute force only. */
#ifndef TEST_BRUTE_MODEL_H
#define TEST_BRUTE_MODEL_H

#include "test/brute.h"

enum { BRUTE_EDGES = 2 };

struct brute_level {
    struct level level;
    size_t components;
    double log_weight[BRUTE_COMPONENTS]; /* of the component's density: log(w) - log(2 pi V)/2 */
    double weight[BRUTE_COMPONENTS], mean[BRUTE_COMPONENTS], variance[BRUTE_COMPONENTS];
    /* e(x) = amplitude g(x), and where it jumps */
    double (*shape)(const struct brute_level *level, double x);
    double amplitude;
    double wave; /* omega/l_t */
    size_t edges;
    double edge[BRUTE_EDGES]; /* ascending */
};

/* Level t of the schedule; or any level, with the error's size of level t. */
void brute_level_set(const struct brute_problem *problem, size_t t, struct brute_level *out);
void brute_level_set_at(const struct brute_problem *problem, size_t t, struct level level, struct brute_level *out);

/* p_t(x), and its exact score unless NULL; the probability above or below x, accurate in the tail. */
double brute_density(const struct brute_level *level, double x, double *score);
double brute_tail(const struct brute_level *level, double x, int above);

/* Adds to out[k] the share of `mass` at x that is component k's, by its posterior probability. */
void brute_share(const struct brute_level *level, double x, double mass, double *out);

/* All the levels of a step. */
struct brute_levels {
    struct brute_level from, to, other[SAMPLER_OTHER_LEVELS];
    size_t others;
};
void brute_levels_set(const struct brute_problem *problem, const struct step *step, struct brute_levels *out);

/* What the sampler sees in a step. */
struct brute_score {
    struct score base;
    const struct brute_levels *levels;
    unsigned *side; /* if not NULL: a number that changes where an evaluation at one point crosses an edge */
};
void brute_score_evaluate(const struct score *score, const struct level *level, size_t n, const double *x,
                          double *out);

/* The two ways; brute_force chooses. */
struct brute brute_on_grid(const struct brute_problem *problem);
struct brute brute_with_points(const struct brute_problem *problem);

#endif
