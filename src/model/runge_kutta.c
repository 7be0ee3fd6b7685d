#include "model/runge_kutta.h"

#include <math.h>

static struct level level_at(const struct runge_kutta *rule, double length, const struct step *step, size_t stage)
{
    double node = rule->node[stage];
    return node > 0.0 ? level_scaled(&step->from, 1.0 - length * node) : step->from;
}

/* sum_j factor[j] slope_j -> out */
static void combine(size_t count, const double *factor, size_t n, const double *slope, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = 0.0;
    for (size_t j = 0; j < count; j++)
        for (size_t i = 0; i < n && factor[j] != 0.0; i++)
            out[i] += factor[j] * slope[j * n + i];
}

void runge_kutta_increment(const struct runge_kutta *rule, double length, const struct step *step,
                           const struct score *score, size_t n, const double *x, double *out, double *work)
{
    /* Moving by sigma_t length in u moves x = sqrt(abar_t) u by this. */
    double move = -length * sqrt(step->from.noise);
    for (size_t stage = 0; stage < rule->stages; stage++) {
        struct level level = level_at(rule, length, step, stage);
        double *slope = work + stage * n, scale = sqrt(level.alpha_bar / step->from.alpha_bar);
        double noise = -sqrt(level.noise);
        const double *at = stage > 0 ? out : x;
        if (stage > 0) {
            combine(stage, rule->inner[stage], n, work, out);
            for (size_t i = 0; i < n; i++)
                out[i] = (x[i] + move * out[i]) * scale;
        }
        score->evaluate(score, &level, n, at, slope);
        for (size_t i = 0; i < n; i++)
            slope[i] *= noise;
    }
    combine(rule->stages, rule->weight, n, work, out);
    for (size_t i = 0; i < n; i++)
        out[i] *= move;
}

/* A level that several stages share is one level. */
size_t runge_kutta_levels(const struct runge_kutta *rule, double length, const struct step *step, struct level *out)
{
    size_t count = 0;
    for (size_t stage = 1; stage < rule->stages; stage++)
        if (rule->node[stage] != rule->node[stage - 1])
            out[count++] = level_at(rule, length, step, stage);
    return count;
}
