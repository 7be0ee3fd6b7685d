#include "model/axis_level.h"

#include <math.h>

#include "core/memory.h"
#include "core/vmath.h"

/* Points at a time; log-weights of more than FEW components are computed twice. */
enum { CHUNK = 64, FEW = 8 };

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
    out->variance = array_new(k, 5 * sizeof *out->variance);
    if (out->variance == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a mixture of %zu components", k);
    out->sd = out->variance + k;
    out->inverse_variance = out->variance + 2 * k;
    out->log_weight = out->variance + 3 * k;
    out->mean = out->variance + 4 * k;
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

static inline void log_weights(const struct axis_level *axis, size_t k, size_t of, size_t n, const double *along,
                               const double *across, double *out)
{
    struct component own = component_of(axis, k, of);
    for (size_t i = 0; i < n; i++) {
        double square = along[i] * along[i] + across[i] * across[i];
        out[i] = own.constant - own.half_difference * square + own.pull * along[i];
    }
}

/* What the components' weights over the largest add up to, alone and with their pulls and precisions. */
struct sums {
    double largest[CHUNK], total[CHUNK], pull[CHUNK], precision[CHUNK];
};

VECTOR_CLONES static void weigh(const struct axis_level *axis, size_t of, size_t n, const double *along,
                                const double *across, struct sums *out)
{
    double kept[FEW][CHUNK];
    size_t components = axis->factor->components;
    for (size_t k = 0; k < components; k++) {
        double *exponent = kept[components <= FEW ? k : 0];
        log_weights(axis, k, of, n, along, across, exponent);
        for (size_t i = 0; i < n; i++)
            out->largest[i] = k > 0 && out->largest[i] > exponent[i] ? out->largest[i] : exponent[i];
    }
    for (size_t i = 0; i < n; i++)
        out->total[i] = out->pull[i] = out->precision[i] = 0.0;
    for (size_t k = 0; k < components; k++) {
        double *weight = kept[components <= FEW ? k : 0], inverse = axis->inverse_variance[k],
               towards = axis->root_alpha_bar * (axis->mean[k] - axis->mean[of]) * inverse;
        if (components > FEW)
            log_weights(axis, k, of, n, along, across, weight);
        for (size_t i = 0; i < n; i++)
            weight[i] -= out->largest[i];
        vexp(n, weight, weight);
        for (size_t i = 0; i < n; i++) {
            out->total[i] += weight[i];
            out->pull[i] += weight[i] * towards;
            out->precision[i] += weight[i] * inverse;
        }
    }
}

VECTOR_CLONES static void set_score(const struct sums *sums, size_t n, const double *along, const double *across,
                                    double *out_along, double *out_across)
{
    for (size_t i = 0; i < n; i++) {
        double precision = sums->precision[i] / sums->total[i];
        out_along[i] = sums->pull[i] / sums->total[i] - precision * along[i];
        out_across[i] = -precision * across[i];
    }
}

void axis_level_evaluate(const struct axis_level *axis, size_t of, size_t n, const double *x, double *excess,
                         double *score)
{
    struct sums sums;
    for (size_t start = 0; start < n; start += CHUNK) {
        size_t count = n - start < CHUNK ? n - start : CHUNK;
        const double *along = x + start, *across = x + n + start;
        weigh(axis, of, count, along, across, &sums);
        if (score != NULL)
            set_score(&sums, count, along, across, score + start, score + n + start);
        if (excess == NULL)
            continue;
        vlog(count, sums.total, excess + start);
        for (size_t i = 0; i < count; i++)
            excess[start + i] += sums.largest[i];
    }
}
