/* The probability that a clip (theory (10)) taken as inactive in a product law would have acted: a union bound over
 * steps of Chernoff bounds over coordinates (theory §6), steps of about the same noise having that of the worst of
 * them. For one coordinate's correction c, with B the clip's radius in one dimension,
 *     P(sum c_i^2 > R^2) <= sum P(|c_i| > B) + exp(sum log E exp(lambda c_i^2; |c_i| <= B) - lambda R^2). */
#ifndef LAW_CLIP_H
#define LAW_CLIP_H

#include <stddef.h>

/* Steps from levels with -log(1 - abar) in [i, i + 1) are part i; those beyond all parts are the last's. */
enum { CLIP_RATES = 9, CLIP_PARTS = 64 };

/* Above this probability of a clip, a law in one dimension is computed with it. */
#define CLIP_MATTERS 1e-13

/* Of one coordinate's correction, the largest over some steps. */
struct clip_part {
    double steps;                  /* how many they are, in a clip_bound; else 0 */
    double beyond;                 /* P(|c| > B) */
    double log_moment[CLIP_RATES]; /* log E exp(rate_k c^2) over |c| <= B, with rate_k = 2^k/B^2 */
};

/* Zero-initialised: the sampler does not clip. */
struct clip_bound {
    size_t T; /* 0: no clip */
    struct clip_part part[CLIP_PARTS];
};

/* Expectations under q of the correction in one step; zero-initialised: nothing. */
struct clip_step {
    double beyond, moment[CLIP_RATES]; /* E (exp(rate_k c^2) - 1) */
};

/* Adds a part of E f(c) = sum_i weight[i] f(c[i]); adds up parts. */
void clip_step_add(struct clip_step *step, size_t T, size_t n, const double *weight, const double *c);
void clip_step_sum(struct clip_step *step, const struct clip_step *part);

/* That of one step; of one step with c ~ N(mean, variance); of the steps of both. */
struct clip_part clip_part_of(const struct clip_step *step);
struct clip_part clip_part_of_normal(size_t T, double mean, double variance);
struct clip_part clip_part_max(const struct clip_part *a, const struct clip_part *b);

/* Takes one step from a level with this log(1 - abar) into account. */
void clip_bound_take(struct clip_bound *bound, double log_noise, const struct clip_part *step);

/* The bound for a direct sum in dimension d: bounds[i] counts copies[i] times. In [0, 1]; 0 where nothing clips. */
double clip_probability(size_t count, const struct clip_bound *const *bounds, const double *copies, size_t dimension);

#endif
