#include "model/axis_level.h"

#include <math.h>

#include "core/memory.h"
#include "core/vmath.h"

enum { CHUNK = 64 };

bool axis_factor(const struct factor *factor)
{
    size_t d = factor->dimension;
    if (d < 2 || factor->full != NULL || factor->mean == NULL)
        return false;
    for (size_t i = 0; i < d * factor->components; i++)
        if (i % d != 0 && factor->mean[i] != 0.0)
            return false;
    return true;
}

enum status axis_level_new(const struct factor *factor, struct axis_level *out, struct error *error)
{
    size_t k = factor->components;
    *out = (struct axis_level){.factor = factor, .dimension = (double)factor->dimension};
    out->variance = array_new(k, (5 + CHUNK) * sizeof *out->variance);
    if (out->variance == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a mixture of %zu components", k);
    out->sd = out->variance + k;
    out->inverse_variance = out->variance + 2 * k;
    out->log_weight = out->variance + 3 * k;
    out->mean = out->variance + 4 * k;
    out->scratch = out->variance + 5 * k;
    for (size_t j = 0; j < k; j++) {
        out->log_weight[j] = factor_log_weight(factor, j);
        out->mean[j] = factor->mean[j * factor->dimension];
    }
    return STATUS_OK;
}

void axis_level_free(struct axis_level *axis)
{
    free(axis->variance);
    *axis = (struct axis_level){0};
}

void axis_level_set(struct axis_level *axis, const struct level *level)
{
    axis->level = *level;
    axis->root_alpha_bar = sqrt(level->alpha_bar);
    for (size_t k = 0; k < axis->factor->components; k++) {
        double s = axis->factor->sd[k];
        axis->variance[k] = level->alpha_bar * s * s + level->noise;
        axis->sd[k] = sqrt(axis->variance[k]);
        axis->inverse_variance[k] = 1.0 / axis->variance[k];
    }
}

/* With a along and rho across, c = sqrt(A)(m_j - m_of) and P = 1/V_j - 1/V_of, component j has relative to the
 * Gaussian of `of` the log-weight log w_j - (d/2) log(V_j/V_of) - (a^2 + rho^2) P/2 + c (a - c/2)/V_j. */
struct component {
    double constant, half_difference, centre, pull; /* pull = c/V_j */
};

static struct component component_of(const struct axis_level *axis, size_t j, size_t of)
{
    const double *s = axis->factor->sd;
    double excess = axis->level.alpha_bar * (s[j] - s[of]) * (s[j] + s[of]) * axis->inverse_variance[of];
    double centre = axis->root_alpha_bar * (axis->mean[j] - axis->mean[of]),
           pull = centre * axis->inverse_variance[j];
    return (struct component){.constant =
                                  axis->log_weight[j] - 0.5 * axis->dimension * log1p(excess) - 0.5 * centre * pull,
                              .half_difference = -0.5 * excess * axis->inverse_variance[j],
                              .centre = centre,
                              .pull = pull};
}

VECTOR_CLONES static void exponents(const struct axis_level *axis, size_t of, size_t n, const double *along,
                                    const double *across, double *largest)
{
    for (size_t k = 0; k < axis->factor->components; k++) {
        struct component own = component_of(axis, k, of);
        double *exponent = axis->scratch + k * CHUNK;
        for (size_t i = 0; i < n; i++) {
            double square = along[i] * along[i] + across[i] * across[i];
            exponent[i] = own.constant - own.half_difference * square + own.pull * along[i];
            largest[i] = k > 0 && largest[i] > exponent[i] ? largest[i] : exponent[i];
        }
    }
}

VECTOR_CLONES static void gradient(const struct axis_level *axis, size_t of, size_t n, const double *along,
                                   const double *across, const double *total, double *out_along, double *out_across)
{
    double pull[CHUNK] = {0.0}, precision[CHUNK] = {0.0};
    for (size_t k = 0; k < axis->factor->components; k++) {
        const double *weight = axis->scratch + k * CHUNK;
        double inverse = axis->inverse_variance[k],
               towards = axis->root_alpha_bar * (axis->mean[k] - axis->mean[of]) * inverse;
        for (size_t i = 0; i < n; i++) {
            double share = weight[i] / total[i];
            pull[i] += share * towards;
            precision[i] += share * inverse;
        }
    }
    for (size_t i = 0; i < n; i++) {
        out_along[i] = pull[i] - precision[i] * along[i];
        out_across[i] = -precision[i] * across[i];
    }
}

void axis_level_evaluate(const struct axis_level *axis, size_t of, size_t n, const double *x, double *excess,
                         double *score)
{
    double largest[CHUNK] = {0.0}, total[CHUNK] = {0.0};
    for (size_t start = 0; start < n; start += CHUNK) {
        size_t count = n - start < CHUNK ? n - start : CHUNK;
        const double *along = x + start, *across = x + n + start;
        exponents(axis, of, count, along, across, largest);
        vexp_rows(axis->factor->components, CHUNK, count, largest, axis->scratch, total);
        if (score != NULL)
            gradient(axis, of, count, along, across, total, score + start, score + n + start);
        if (excess == NULL)
            continue;
        vlog(count, total, excess + start);
        for (size_t i = 0; i < count; i++)
            excess[start + i] += largest[i];
    }
}
