#include "model/joint_level.h"

#include <math.h>

#include "core/memory.h"
#include "core/vmath.h"

/* Points at a time: for any number of components what is needed of them stays in the nearest caches. */
enum { CHUNK = 64 };

enum status joint_level_new(const struct factor *factor, struct joint_level *out, struct error *error)
{
    size_t k = factor->components;
    *out = (struct joint_level){.factor = factor};
    if (factor->full != NULL)
        return fail_with(error, STATUS_UNSUPPORTED, "full covariances are not implemented");
    double *block = k < SIZE_MAX / (8 * CHUNK) ? array_new(k * (3 + CHUNK) + 2 * CHUNK, sizeof *block) : NULL;
    if (block == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a mixture of %zu components", k);
    out->inverse_variance = block;
    out->log_constant = block + k;
    out->sd = block + 2 * k;
    out->scratch = block + 3 * k;
    return STATUS_OK;
}

void joint_level_free(struct joint_level *joint)
{
    free(joint->inverse_variance);
    *joint = (struct joint_level){0};
}

void joint_level_set(struct joint_level *joint, const struct level *level)
{
    const struct factor *factor = joint->factor;
    joint->level = *level;
    joint->root_alpha_bar = sqrt(level->alpha_bar);
    for (size_t k = 0; k < factor->components; k++) {
        double variance = level->alpha_bar * factor->sd[k] * factor->sd[k] + level->noise;
        joint->sd[k] = sqrt(variance);
        joint->inverse_variance[k] = 1.0 / variance;
        joint->log_constant[k] =
            log(factor->weight[k]) - 0.5 * (double)factor->dimension * log(2.0 * M_PI * variance);
    }
}

/* Squared distances to a centre, added coordinate by coordinate. */
VECTOR_CLONES static void add_squares(size_t n, const double *x, double centre, double *out)
{
    for (size_t j = 0; j < n; j++) {
        double u = x[j] - centre;
        out[j] += u * u;
    }
}

/* Log-weights of the components into the scratch, and their log-sum-exp's largest term. */
VECTOR_CLONES static void exponents(const struct joint_level *joint, size_t anchor, size_t n, size_t stride,
                                    const double *x, double *largest)
{
    size_t components = joint->factor->components, d = joint->factor->dimension;
    double *shared = joint->scratch + (components - 1) * CHUNK; /* the last is overwritten last */
    int concentric = joint->factor->mean == NULL;
    for (size_t j = 0; concentric && j < n; j++)
        shared[j] = 0.0;
    for (size_t i = 0; concentric && i < d; i++)
        add_squares(n, x + i * stride, 0.0, shared);
    for (size_t k = 0; k < components; k++) {
        double *exponent = joint->scratch + k * CHUNK, *square = concentric ? shared : exponent;
        double constant = joint->log_constant[k], half = 0.5 * joint->inverse_variance[k];
        for (size_t j = 0; !concentric && j < n; j++)
            square[j] = 0.0;
        for (size_t i = 0; !concentric && i < d; i++)
            add_squares(n, x + i * stride, joint_level_centre(joint, k, anchor, i), square);
        for (size_t j = 0; j < n; j++) {
            exponent[j] = constant - half * square[j];
            largest[j] = k > 0 && largest[j] > exponent[j] ? largest[j] : exponent[j];
        }
    }
}

/* Posterior weights over the variances, in place of the exponents. */
VECTOR_CLONES static void weigh(const struct joint_level *joint, size_t n, const double *largest, double *total)
{
    for (size_t k = 0; k < joint->factor->components; k++) {
        double *exponent = joint->scratch + k * CHUNK;
        for (size_t j = 0; j < n; j++)
            exponent[j] -= largest[j];
        vexp(n, exponent, exponent);
        for (size_t j = 0; j < n; j++)
            total[j] = k > 0 ? total[j] + exponent[j] : exponent[j];
    }
}

VECTOR_CLONES static void gradient(const struct joint_level *joint, size_t anchor, size_t n, size_t stride,
                                   const double *x, const double *total, double *score)
{
    size_t components = joint->factor->components, d = joint->factor->dimension;
    for (size_t k = 0; k < components; k++) {
        double *weight = joint->scratch + k * CHUNK, inverse = joint->inverse_variance[k];
        for (size_t j = 0; j < n; j++)
            weight[j] *= inverse / total[j];
    }
    for (size_t i = 0; i < d; i++) {
        double *out = score + i * stride;
        const double *at = x + i * stride;
        for (size_t j = 0; j < n; j++)
            out[j] = 0.0;
        for (size_t k = 0; k < components; k++) {
            double centre = joint_level_centre(joint, k, anchor, i), *weight = joint->scratch + k * CHUNK;
            for (size_t j = 0; j < n; j++)
                out[j] -= weight[j] * (at[j] - centre);
        }
    }
}

void joint_level_evaluate(const struct joint_level *joint, size_t anchor, size_t n, size_t stride, const double *x,
                          double *log_density, double *score)
{
    double *largest = joint->scratch + joint->factor->components * CHUNK, *total = largest + CHUNK;
    for (size_t start = 0; start < n; start += CHUNK) {
        size_t count = n - start < CHUNK ? n - start : CHUNK;
        exponents(joint, anchor, count, stride, x + start, largest);
        weigh(joint, count, largest, total);
        if (score != NULL)
            gradient(joint, anchor, count, stride, x + start, total, score + start);
        if (log_density == NULL)
            continue;
        vlog(count, total, total);
        for (size_t j = 0; j < count; j++)
            log_density[start + j] = largest[j] + total[j];
    }
}
