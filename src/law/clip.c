#include "law/clip.h"

#include <math.h>

#include "model/sampler.h"

double clip_rate(size_t k, size_t T)
{
    double radius = sampler_clip(1, T);
    return exp2((double)k) / (radius * radius);
}

void clip_bound_add(struct clip_bound *bound, size_t n, const double *weight, const double *c)
{
    double radius = sampler_clip(1, bound->T), beyond = 0.0;
    for (size_t i = 0; i < n; i++)
        beyond += fabs(c[i]) > radius ? weight[i] : 0.0;
    bound->beyond = fmax(bound->beyond, beyond);
    for (size_t k = 0; k < CLIP_RATES; k++) {
        double rate = clip_rate(k, bound->T), total = 0.0;
        for (size_t i = 0; i < n; i++)
            total += fabs(c[i]) > radius ? 0.0 : weight[i] * expm1(rate * c[i] * c[i]);
        bound->log_moment[k] = fmax(bound->log_moment[k], log1p(total));
    }
}

void clip_bound_add_normal(struct clip_bound *bound, double mean, double variance)
{
    for (size_t k = 0; k < CLIP_RATES; k++) {
        double rate = clip_rate(k, bound->T), rest = 1.0 - 2.0 * rate * variance;
        double moment = rest > 0.0 ? rate * mean * mean / rest - 0.5 * log(rest) : HUGE_VAL;
        bound->log_moment[k] = fmax(bound->log_moment[k], moment);
    }
}

double clip_probability(size_t count, const struct clip_bound *const *bounds, const double *copies, size_t dimension)
{
    double steps = 0.0, beyond = 0.0, smallest = HUGE_VAL;
    for (size_t i = 0; i < count; i++) {
        steps = fmax(steps, (double)bounds[i]->steps);
        beyond += copies[i] * bounds[i]->beyond;
    }
    if (!(steps > 0.0))
        return 0.0;
    double radius = sampler_clip(dimension, bounds[0]->T);
    for (size_t k = 0; k < CLIP_RATES; k++) {
        double exponent = -clip_rate(k, bounds[0]->T) * radius * radius;
        for (size_t i = 0; i < count; i++)
            exponent += copies[i] * bounds[i]->log_moment[k];
        smallest = fmin(smallest, exponent);
    }
    return fmin(steps * (beyond + exp(smallest)), 1.0);
}
