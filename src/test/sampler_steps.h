/* Steps at which samplers are tested, with levels in long double. */
#ifndef TEST_SAMPLER_STEPS_H
#define TEST_SAMPLER_STEPS_H

#include <math.h>

#include "model/sampler.h"
#include "test/suite.h"

enum { POINTS = 9 };

static const double points[POINTS] = {-7.5, -2.0, -0.3, -1e-3, 0.0, 1e-6, 0.4, 1.7, 9.0};

/* A step between two levels given by alpha_bar. */
struct exact_step {
    long double a, a1; /* alpha_bar_t, alpha_bar_{t-1} */
    long double variance;
};

static const struct exact_step steps[] = {
    {0.001L, 0.0012L, 0.25L}, {0.01L, 0.013L, 0.25L}, {0.1L, 0.15L, 0.25L}, {0.3L, 0.301L, 4.0L},
    {0.5L, 0.6L, 1.0L},       {0.7L, 0.72L, 0.01L},   {0.9L, 0.93L, 0.25L}, {0.99L, 0.995L, 2.0L},
    {0.999L, 0.99901L, 0.0L}, {0.2L, 0.7L, 0.3L},
};

/* 1 - alpha of the steps before and after, as parts of this one's. */
#define BEFORE 0.75L
#define AFTER 0.875L
#define PLACE 0.375L /* of a random level in the interval */

static inline struct step make_step(const struct sampler *sampler, const struct exact_step *e)
{
    long double alpha = e->a / e->a1, beta = 1.0L - alpha;
    return (struct step){
        .t = 7,
        .T = 9,
        .draw = (double)PLACE,
        .from = {(double)e->a, (double)(1.0L - e->a)},
        .to = {(double)e->a1, (double)(1.0L - e->a1)},
        .alpha = (double)alpha,
        .log_alpha = (double)logl(alpha),
        .beta = (double)beta,
        .beta_before = (double)(BEFORE * beta),
        .beta_after = (double)(AFTER * beta),
        .omega = (double)(beta / (1.0L - e->a)),
        .params = sampler != NULL ? sampler->values : NULL,
        .clip = HUGE_VAL,
    };
}

static inline long double sigma(long double a)
{
    return sqrtl((1.0L - a) / a);
}

/* v of theory (8) */
static inline long double posterior_noise(const struct exact_step *e)
{
    return (1.0L - e->a / e->a1) * (1.0L - e->a1) / (1.0L - e->a);
}

static inline struct sampler_instance *with(const char *kind, const char *key, double value)
{
    union params values;
    params_init(sampler_find(kind)->params, &values);
    *(double *)(void *)(values.bytes + params_find(sampler_find(kind)->params, key)->offset) = value;
    struct sampler_instance *instance = sampler_instance_new(sampler_find(kind), &values, "own", NULL);
    ck_assert_ptr_nonnull(instance);
    return instance;
}

/* theory (9') in long double. */
static inline long double overshoot_by(const struct exact_step *e, long double omega)
{
    return e->a1 / (1.0L - omega * posterior_noise(e));
}

#endif
