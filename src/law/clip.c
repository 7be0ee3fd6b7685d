#include "law/clip.h"

#include <math.h>

#include "core/elementary.h"
#include "core/vmath.h"
#include "model/sampler.h"

/* 2^k/B^2. */
static double rate_of(size_t k, size_t T)
{
    double radius = sampler_clip(1, T);
    return exp2((double)k) / (radius * radius);
}

/* expm1(2 x) = e (e + 2) with e = expm1(x): the rates double. */
VECTOR_CLONES void clip_step_add(struct clip_step *step, size_t T, size_t n, const double *weight, const double *c)
{
    enum { TOGETHER = 16 };
    double radius = sampler_clip(1, T), rate = rate_of(0, T), e[TOGETHER], w[TOGETHER];
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

struct clip_part clip_part_of(const struct clip_step *step)
{
    struct clip_part out = {.beyond = step->beyond};
    for (size_t k = 0; k < CLIP_RATES; k++)
        out.log_moment[k] = log1p(step->moment[k]);
    return out;
}

struct clip_part clip_part_of_normal(size_t T, double mean, double variance)
{
    struct clip_part out = {.beyond = 0.0};
    for (size_t k = 0; k < CLIP_RATES; k++) {
        double rate = rate_of(k, T), rest = 1.0 - 2.0 * rate * variance;
        out.log_moment[k] = rest > 0.0 ? rate * mean * mean / rest - 0.5 * log(rest) : HUGE_VAL;
    }
    return out;
}

struct clip_part clip_part_max(const struct clip_part *a, const struct clip_part *b)
{
    struct clip_part out = {.steps = a->steps, .beyond = fmax(a->beyond, b->beyond)};
    for (size_t k = 0; k < CLIP_RATES; k++)
        out.log_moment[k] = fmax(a->log_moment[k], b->log_moment[k]);
    return out;
}

void clip_bound_take(struct clip_bound *bound, double log_noise, const struct clip_part *step)
{
    struct clip_part *part = &bound->part[(size_t)fmin(fmax(-log_noise, 0.0), CLIP_PARTS - 1.0)];
    *part = clip_part_max(part, step);
    part->steps += 1.0;
}

double clip_probability(size_t count, const struct clip_bound *const *bounds, const double *copies, size_t dimension)
{
    size_t T = 0;
    for (size_t i = 0; i < count; i++)
        T = bounds[i]->T > 0 ? bounds[i]->T : T;
    if (T == 0)
        return 0.0;
    double radius = sampler_clip(dimension, T), total = 0.0;
    for (size_t p = 0; p < CLIP_PARTS; p++) {
        double steps = 0.0, beyond = 0.0, smallest = HUGE_VAL;
        for (size_t i = 0; i < count; i++) {
            steps = fmax(steps, bounds[i]->part[p].steps);
            beyond += copies[i] * bounds[i]->part[p].beyond;
        }
        for (size_t k = 0; k < CLIP_RATES && steps > 0.0; k++) {
            double exponent = -rate_of(k, T) * radius * radius;
            for (size_t i = 0; i < count; i++)
                exponent += copies[i] * bounds[i]->part[p].log_moment[k];
            smallest = fmin(smallest, exponent);
        }
        total += steps > 0.0 ? steps * (beyond + exp(smallest)) : 0.0;
    }
    return fmin(total, 1.0);
}
