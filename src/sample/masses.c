#include "sample/masses.h"

#include <math.h>

#include "core/memory.h"
#include "model/joint_level.h"

/* The only group of several components, and its first coordinate; NULL where there is none. */
static const struct factor_group *find_mixture(const struct factor_list *list, size_t *first)
{
    const struct factor_group *found = NULL;
    size_t at = 0;
    for (size_t g = 0; g < list->count; g++) {
        const struct factor_group *group = &list->group[g];
        if (factor_is_mixture(&group->factor) && found != NULL)
            return NULL;
        if (factor_is_mixture(&group->factor)) {
            found = group;
            *first = at;
        }
        at += (size_t)group->multiplicity * group->factor.dimension;
    }
    return found != NULL && found->factor.components <= MOST_MASSES && factor_tilts(&found->factor) == NULL ? found
                                                                                                            : NULL;
}

/* log p_{1,k} at the points of the coordinates first, first + 1, ..., from a mixture of component k alone. */
static enum status evaluate(const struct factor *factor, size_t k, const struct level *level,
                            const struct points *points, size_t first, double *out, struct error *error)
{
    static const double one = 1.0;
    const size_t n = factor->dimension;
    const struct covariances *full = factor->full;
    const struct covariances own = {1, full != NULL ? full->entry + (full->count > 1 ? k * n * n : 0) : NULL};
    const struct factor component = {n,
                                     1,
                                     &one,
                                     factor->mean != NULL ? factor->mean + k * n : NULL,
                                     factor->sd != NULL ? factor->sd + k : NULL,
                                     full != NULL ? &own : NULL,
                                     NULL,
                                     NULL};
    struct joint_level joint;
    TRY(joint_level_new(&component, &joint, error));
    joint_level_set(&joint, level);
    double *x = array_new(n, JOINT_POINTS * sizeof *x);
    for (size_t start = 0; x != NULL && start < points->n; start += JOINT_POINTS) {
        size_t count = points->n - start < JOINT_POINTS ? points->n - start : JOINT_POINTS;
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < count; j++)
                x[i * JOINT_POINTS + j] =
                    points->x[(first + i) * points->n + start + j]
                    - (component.mean != NULL ? sqrt(level->alpha_bar) * component.mean[i] : 0.0);
        joint_level_evaluate(&joint, 0, count, JOINT_POINTS, x, out + start, NULL);
    }
    enum status status =
        x != NULL ? STATUS_OK : fail_with(error, STATUS_MEMORY, "out of memory for %zu coordinates", n);
    free(x);
    joint_level_free(&joint);
    return status;
}

/* Adds `share` times the posterior probabilities of one copy; log_part is scratch of their size, K x n. */
static enum status add_copy(const struct factor *factor, const struct level *level, const struct points *points,
                            size_t first, double share, double *log_part, double *posterior, struct error *error)
{
    const size_t n = points->n, components = factor->components;
    for (size_t k = 0; k < components; k++)
        TRY(evaluate(factor, k, level, points, first, log_part + k * n, error));
    for (size_t j = 0; j < n; j++) {
        double largest = -HUGE_VAL, total = 0.0;
        for (size_t k = 0; k < components; k++) {
            log_part[k * n + j] += factor_log_weight(factor, k);
            largest = fmax(largest, log_part[k * n + j]);
        }
        for (size_t k = 0; k < components; k++)
            total += exp(log_part[k * n + j] - largest);
        for (size_t k = 0; k < components; k++)
            posterior[k * n + j] += share * exp(log_part[k * n + j] - largest) / total;
    }
    return STATUS_OK;
}

/* The mean of the second part over sum_k pi_k - w_k of the components with more mass than w_k in the first. */
static struct estimate excess(const struct factor *factor, const double *posterior, size_t n, size_t chosen_from,
                              size_t chosen, size_t from, size_t count, double *sum)
{
    for (size_t j = 0; j < count; j++)
        sum[j] = 0.0;
    for (size_t k = 0; k < factor->components; k++) {
        const double *of = posterior + k * n, weight = factor->weight[k];
        if (estimate_mean(chosen, of + chosen_from).value > weight)
            for (size_t j = 0; j < count; j++)
                sum[j] += of[from + j] - weight;
    }
    return estimate_skewed_mean(count, sum);
}

enum status masses_measure(const struct factor_list *list, const struct level *level, const struct points *points,
                           struct masses *out, struct error *error)
{
    const struct estimate nothing = {NAN, NAN};
    const size_t n = points->n, half = n / 2;
    size_t first = 0;
    const struct factor_group *group = find_mixture(list, &first);
    for (size_t k = 0; k < MOST_MASSES; k++)
        out->mass[k] = out->error[k] = nothing;
    out->tv = nothing;
    if (group == NULL)
        return STATUS_OK;
    const struct factor *factor = &group->factor;
    const size_t components = factor->components, copies = (size_t)group->multiplicity;
    double *posterior = array_new(2 * components, n * sizeof *posterior), *log_part = posterior + components * n;
    if (posterior == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu posterior probabilities", components * n);
    enum status status;
    for (size_t c = 0; c < copies; c++)
        TRY_OR(end, add_copy(factor, level, points, first + c * factor->dimension, 1.0 / (double)copies, log_part,
                             posterior, error));
    for (size_t k = 0; k < components; k++) {
        const struct estimate mass = out->mass[k] = estimate_skewed_mean(n, posterior + k * n);
        if (factor->weight[k] > 0.0)
            out->error[k] = (struct estimate){(mass.value - factor->weight[k]) / factor->weight[k],
                                              mass.error / factor->weight[k]};
    }
    out->tv = estimate_pair(excess(factor, posterior, n, 0, half, half, n - half, log_part),
                            excess(factor, posterior, n, half, n - half, 0, half, log_part));
end:
    free(posterior);
    return status;
}
