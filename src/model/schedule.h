/* Noise schedules in the cancellation-free form of theory (4): neither 1 - alpha nor 1 - alpha_bar is ever formed by
 * a subtraction, because both reach 1e-24 beside numbers of size 1. */
#ifndef MODEL_SCHEDULE_H
#define MODEL_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "core/status.h"
#include "model/params.h"

/* A noise level of the forward process: X = sqrt(alpha_bar) X_0 + sqrt(noise) W. Both in (0, 1), summing to 1. */
struct level {
    double alpha_bar;
    double noise; /* 1 - alpha_bar */
};

/* One reverse step t -> t-1: all that a sampler may know about the schedule, and its own parameters. */
struct step {
    size_t t, T;        /* t in 2..T; the first step is t = T */
    struct level from;  /* level t */
    struct level to;    /* level t-1 */
    double alpha;       /* alpha_t */
    double log_alpha;   /* accurate to rounding although alpha may be 1 - 1e-26 */
    double beta;        /* 1 - alpha_t */
    double omega;       /* (1 - alpha_t)/(1 - alpha_bar_t): the step in log noise, of order h */
    double beta_before; /* 1 - alpha_{t+1}, of the step before this one; beta at t = T */
    double beta_after;  /* 1 - alpha_{t-1}, of the step after this one; beta at t = 2, the last */
    double draw;        /* of a sampler that draws numbers (sampler.draws): this step's, in (0, 1); else 1/2 */
    double *memory;     /* the sampler's, sampler.memory arrays of n numbers; NULL: none */
    const void *params; /* the sampler's, a struct of its own (sampler.params); NULL: it has none */
    double clip;        /* norm above which a sampler that clips zeroes its correction; infinite: clipping is off */
};

struct schedule;

static inline int level_equal(const struct level *a, const struct level *b)
{
    return a->noise == b->noise && a->alpha_bar == b->alpha_bar;
}

/* A rule that makes schedules; one const object a kind, listed in model/schedules.def. */
struct schedule_kind {
    const char *name;
    const char *doc;
    const char *formula;
    const char *source;
    /* Fills log_alpha_bar[t], log_noise[t], beta[t] for t = 1..T (index 0 unused), T >= 2; beta[1] is the noise of
     * level 1. Returns 0 if some level leaves (0, 1). */
    int (*fill)(const void *params, size_t T, double *log_alpha_bar, double *log_noise, double *beta);
    /* h, the step size that rates are powers of: it falls to 0, but (T - 1) h does not fall with T. */
    double (*step_size)(const void *params, size_t T);
    double step_size_bound;     /* the schedule exists only where h is below this; 0: at every T >= 2 */
    const struct param *params; /* ends with key == NULL; NULL: none */
    size_t params_size;         /* of the struct that they describe, at most PARAMS_SIZE */
    /* STATUS_INVALID with the reason where values, each in its range, do not go together. NULL: they always do. */
    enum status (*check)(const void *params, struct error *error);
};

/* For `fill`. The logarithms of the level of log-SNR lambda = log(alpha_bar/noise). */
void schedule_set_level(double log_snr, double *log_alpha_bar, double *log_noise);
/* 1 - alpha_t = (1 - abar_t)(1 - exp(lambda_t - lambda_{t-1})) of a step to a log-SNR that is `rise` > 0 larger. */
double schedule_beta(double log_noise, double rise);
/* The levels that belong to beta[1..T] and log_noise[1] = log(beta[1]). Returns 0 as `fill` does. */
int schedule_accumulate(size_t T, const double *beta, double *log_alpha_bar, double *log_noise);

/* The parameters of schedules by Li and others. */
struct schedule_constants {
    double c0, c1; /* theory (2), (3) */
};
extern const struct param schedule_constants_params[];
double schedule_constants_step_size(const void *params, size_t T); /* c1 log(T)/T */

/* A schedule for every T. */
struct schedule_rule {
    const struct schedule_kind *kind;
    union params values; /* the kind's struct; free with params_free */
    char *written;       /* of a plug-in's kind: its parameters as their author wrote them, for free(); else NULL */
};
/* Writes kind and params to 17 digits: equal texts mean equal rules. */
void schedule_rule_describe(const struct schedule_rule *rule, FILE *file);
/* Also false where memory runs out. */
bool schedule_rule_equal(const struct schedule_rule *a, const struct schedule_rule *b);

struct schedule {
    const struct schedule_kind *kind;
    union params values;                      /* the kind's struct */
    size_t T;                                 /* number of noise levels; the sampler makes T-1 steps, t = T..2 */
    double h;                                 /* the step size that rates are powers of */
    double *log_alpha_bar, *log_noise, *beta; /* index 1..T */
};

/* The kind called `name`, or NULL; schedule_kind_at(i) lists them all, NULL past the end. */
const struct schedule_kind *schedule_kind_find(const char *name);
const struct schedule_kind *schedule_kind_at(size_t index);

/* Returns a schedule with the values of its kind's params in *out (free with schedule_free). Domain: T >= 2.
 * Errors: STATUS_INVALID when the values do not go together, or a plug-in's levels and steps do not;
 * STATUS_INADMISSIBLE when h is too large or a level leaves (0, 1): the text names the smallest admissible T. */
MUST_USE enum status schedule_with(const struct schedule_kind *kind, const union params *values, size_t T,
                                   struct schedule **out, struct error *error);
/* The same of a kind whose params are schedule_constants_params. Domain: c0 > 0, c1 > 0. */
MUST_USE enum status schedule_new(const struct schedule_kind *kind, double c0, double c1, size_t T,
                                  struct schedule **out, struct error *error);
void schedule_free(struct schedule *schedule);

/* The smallest T' >= T for which the schedule exists; 0 if there is none below 2^40. */
size_t schedule_smallest_admissible(const struct schedule_kind *kind, const union params *values, size_t T);

struct level schedule_level(const struct schedule *schedule, size_t t); /* t in 1..T */

/* The level whose sigma = sqrt(noise/alpha_bar) is `ratio` > 0 times that of `level`. */
struct level level_scaled(const struct level *level, double ratio);

/* One forward step of variance beta in (0, 1) from `level`. */
struct level level_noisier(const struct level *level, double beta);

#endif
