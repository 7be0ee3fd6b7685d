#include <math.h>

#include "model/score_error.h"

static double uniform(const struct schedule *schedule, size_t t)
{
    (void)schedule;
    (void)t;
    return 1.0;
}

static double early(const struct schedule *schedule, size_t t)
{
    return (double)t > 0.5 * ((double)schedule->T + 1.0) ? 1.0 : 0.0;
}

/* The only step of T = 2 is early and late. */
static double late(const struct schedule *schedule, size_t t)
{
    return t <= 2 ? 1.0 : 1.0 - early(schedule, t);
}

static double relative(const struct schedule *schedule, size_t t)
{
    return 1.0 / sqrt(schedule_level(schedule, t).noise);
}

const struct error_profile error_uniform = {
    .name = "uniform",
    .doc = "The same size at every noise level.",
    .formula = "weight(t) = 1",
    .weight = uniform,
};

const struct error_profile error_early = {
    .name = "early",
    .doc = "In the half of the steps that the sampler makes first, near pure noise.",
    .formula = "weight(t) = 1 for t > (T + 1)/2, else 0",
    .weight = early,
};

const struct error_profile error_late = {
    .name = "late",
    .doc = "In the half of the steps that the sampler makes last, near the data.",
    .formula = "weight(t) = 1 for t <= (T + 1)/2, else 0",
    .weight = late,
};

const struct error_profile error_relative = {
    .name = "relative",
    .doc =
        "In proportion to the size of the noise's score: a predictor of the noise with the same error at all levels.",
    .formula = "weight(t) = 1/sqrt(1 - abar_t)",
    .weight = relative,
};
