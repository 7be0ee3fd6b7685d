#include "model/mixture_level.h"

#include <math.h>

#include "core/memory.h"
#include "core/vmath.h"

enum { CHUNK = 64 };

enum status mixture_level_new(const struct factor *factor, struct mixture_level *out, struct error *error)
{
    size_t k = factor->components;
    double *block = k < SIZE_MAX / (2 * CHUNK) ? array_new(k * (3 + CHUNK) + 3 * CHUNK, sizeof *block) : NULL;
    if (block == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a mixture of %zu components", k);
    *out = (struct mixture_level){.factor = factor,
                                  .inverse_variance = block,
                                  .log_constant = block + k,
                                  .sd = block + 2 * k,
                                  .scratch = block + 3 * k};
    return STATUS_OK;
}

void mixture_level_free(struct mixture_level *mixture)
{
    free(mixture->inverse_variance);
    *mixture = (struct mixture_level){0};
}

void mixture_level_set(struct mixture_level *mixture, const struct level *level)
{
    const struct factor *factor = mixture->factor;
    mixture->level = *level;
    mixture->root_alpha_bar = sqrt(level->alpha_bar);
    for (size_t k = 0; k < factor->components; k++) {
        double variance = level->alpha_bar * factor->sd[k] * factor->sd[k] + level->noise;
        mixture->sd[k] = sqrt(variance);
        mixture->inverse_variance[k] = 1.0 / variance;
        mixture->log_constant[k] = log(factor->weight[k]) - 0.5 * log(2.0 * M_PI * variance);
    }
}

VECTOR_CLONES static void evaluate_single(const struct mixture_level *mixture, size_t n, const double *x,
                                          double *log_density, double *score)
{
    double inverse = mixture->inverse_variance[0], constant = mixture->log_constant[0];
    if (log_density != NULL)
        for (size_t i = 0; i < n; i++)
            log_density[i] = constant - 0.5 * inverse * (x[i] * x[i]);
    if (score != NULL)
        for (size_t i = 0; i < n; i++)
            score[i] = -inverse * x[i];
}

/* The score of two components needs one exponential, of their log-weights' difference: chains live on that. */
VECTOR_CLONES static void score_of_two(const struct mixture_level *mixture, size_t anchor, size_t n, const double *x,
                                       double *score)
{
    double first = mixture_level_centre(mixture, 0, anchor), second = mixture_level_centre(mixture, 1, anchor);
    double inverse = mixture->inverse_variance[0], other = mixture->inverse_variance[1];
    double constant = mixture->log_constant[1] - mixture->log_constant[0], *ratio = mixture->scratch;
    for (size_t i = 0; i < n; i++) {
        double u = x[i] - first, v = x[i] - second;
        double difference = constant + 0.5 * (inverse * (u * u) - other * (v * v));
        ratio[i] = difference < -300.0 ? -300.0 : difference > 300.0 ? 300.0 : difference;
    }
    vexp(n, ratio, ratio);
    for (size_t i = 0; i < n; i++)
        score[i] = -(inverse * (x[i] - first) + ratio[i] * (other * (x[i] - second))) / (1.0 + ratio[i]);
}

/* At most CHUNK points, so that everything stays in the first-level cache for any number of components. */
VECTOR_CLONES static void evaluate_chunk(const struct mixture_level *mixture, size_t anchor, size_t n,
                                         const double *x, double *log_density, double *score)
{
    size_t components = mixture->factor->components;
    double *largest = mixture->scratch + components * CHUNK, *total = largest + CHUNK, *gradient = total + CHUNK;
    for (size_t i = 0; i < n; i++)
        largest[i] = -HUGE_VAL;
    for (size_t k = 0; k < components; k++) {
        double centre = mixture_level_centre(mixture, k, anchor), constant = mixture->log_constant[k];
        double half = 0.5 * mixture->inverse_variance[k], *exponent = mixture->scratch + k * CHUNK;
        for (size_t i = 0; i < n; i++) {
            double u = x[i] - centre;
            exponent[i] = constant - half * (u * u);
            largest[i] = exponent[i] > largest[i] ? exponent[i] : largest[i];
        }
    }
    for (size_t k = 0; k < components; k++) {
        double centre = mixture_level_centre(mixture, k, anchor), inverse = mixture->inverse_variance[k];
        double *exponent = mixture->scratch + k * CHUNK;
        for (size_t i = 0; i < n; i++)
            exponent[i] -= largest[i];
        vexp(n, exponent, exponent);
        for (size_t i = 0; i < n; i++) {
            double moment = exponent[i] * (inverse * (x[i] - centre));
            total[i] = k > 0 ? total[i] + exponent[i] : exponent[i];
            gradient[i] = k > 0 ? gradient[i] + moment : moment;
        }
    }
    if (score != NULL)
        for (size_t i = 0; i < n; i++)
            score[i] = -gradient[i] / total[i];
    if (log_density != NULL) {
        vlog(n, total, total);
        for (size_t i = 0; i < n; i++)
            log_density[i] = largest[i] + total[i];
    }
}

void mixture_level_evaluate(const struct mixture_level *mixture, size_t anchor, size_t n, const double *x,
                            double *log_density, double *score)
{
    if (mixture->factor->components == 1) {
        evaluate_single(mixture, n, x, log_density, score);
        return;
    }
    for (size_t start = 0; start < n; start += CHUNK) {
        size_t count = n - start < CHUNK ? n - start : CHUNK;
        if (mixture->factor->components == 2 && log_density == NULL)
            score_of_two(mixture, anchor, count, x + start, score + start);
        else
            evaluate_chunk(mixture, anchor, count, x + start, log_density == NULL ? NULL : log_density + start,
                           score == NULL ? NULL : score + start);
    }
}
