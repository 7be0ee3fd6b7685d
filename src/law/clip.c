#include "law/clip.h"

#include <math.h>

#include "core/elementary.h"
#include "core/vmath.h"
#include "model/sampler.h"

double clip_rate(size_t k, size_t T)
{
    double radius = sampler_clip(1, T);
    return exp2((double)k) / (radius * radius);
}

/* expm1(2 x) = e (e + 2) with e = expm1(x): the rates double. */
VECTOR_CLONES void clip_step_add(struct clip_step *step, size_t T, size_t n, const double *weight, const double *c)
{
    enum { TOGETHER = 16 };
    double radius = sampler_clip(1, T), rate = clip_rate(0, T), e[TOGETHER], w[TOGETHER];
    for (size_t start = 0; start < n; start += TOGETHER) {
        size_t count = n - start < TOGETHER ? n - start : TOGETHER;
        for (size_t i = 0; i < TOGETHER; i++) {
            double at = i < count ? c[start + i] : 0.0, here = i < count ? weight[start + i] : 0.0;
            int far = fabs(at) > radius;
            step->beyond += far ? here : 0.0;
            w[i] = far ? 0.0 : here;
            e[i] = expm1_of(far ? 0.0 : rate * at * at);
        }
        for (size_t k = 0; k < CLIP_RATES; k++) {
            double part[4] = {0.0};
            for (size_t i = 0; i < TOGETHER; i++) {
                part[i % 4] += w[i] * e[i];
                e[i] *= e[i] + 2.0;
            }
            step->moment[k] += (part[0] + part[1]) + (part[2] + part[3]);
        }
    }
}

void clip_step_sum(struct clip_step *step, const struct clip_step *part)
{
    step->beyond += part->beyond;
    for (size_t k = 0; k < CLIP_RATES; k++)
        step->moment[k] += part->moment[k];
}

void clip_bound_take(struct clip_bound *bound, const struct clip_step *step)
{
    bound->beyond = fmax(bound->beyond, step->beyond);
    for (size_t k = 0; k < CLIP_RATES; k++)
        bound->log_moment[k] = fmax(bound->log_moment[k], log1p(step->moment[k]));
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
