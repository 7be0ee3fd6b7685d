#include "sample/marginal.h"

#include <math.h>

#include "core/memory.h"
#include "sample/projected.h"
#include "sample/projected_parts.h"

static enum status mixture_new(const struct component *part, size_t n, double shift, struct factor_list *out,
                               struct error *error)
{
    double *block = array_new(3 * n, sizeof *block);
    if (block == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu components of a marginal", n);
    for (size_t k = 0; k < n; k++) {
        block[k] = part[k].weight;
        block[n + k] = shift + part[k].mean;
        block[2 * n + k] = sqrt(part[k].variance);
    }
    const struct factor factor = {1, n, block, block + n, block + 2 * n, NULL, NULL, NULL};
    *out = (struct factor_list){0};
    enum status status = factor_list_append(out, &factor, 1.0, error);
    free(block);
    return status;
}

enum status marginal_of_coordinate(const struct factor *factor, size_t i, struct factor_list *out,
                                   struct error *error)
{
    size_t n = factor->dimension, count = factor->components;
    if (factor_tilts(factor) != NULL)
        return fail_with(error, STATUS_UNSUPPORTED, "score errors of %zu spins are along the diagonal alone", n);
    if (factor->density != NULL) {
        *out = (struct factor_list){0};
        return factor_list_append(out, factor, 1.0, error);
    }
    struct component *part = array_new(count, sizeof *part);
    if (part == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu components of a marginal", count);
    for (size_t k = 0; k < count; k++) {
        const struct covariances *full = factor->full;
        part[k] = (struct component){factor->weight[k], factor->mean != NULL ? factor->mean[k * n + i] : 0.0,
                                     full != NULL ? full->entry[((full->count == 1 ? 0 : k) * n + i) * n + i]
                                                  : factor->sd[k] * factor->sd[k]};
    }
    enum status status = mixture_new(part, count, 0.0, out, error);
    free(part);
    return status;
}

enum status marginal_of_diagonal(const struct factor_list *list, struct factor_list *out, struct error *error)
{
    const struct level none = {1.0, 0.0};
    struct parts parts = {0};
    struct components whole = {0};
    double *u = NULL;
    size_t d;
    int complete;
    enum status status;
    TRY(projected_dimension(list, &d, error));
    for (size_t g = 0; g < list->count; g++)
        if (list->group[g].factor.density != NULL)
            return fail_with(
                error, STATUS_UNSUPPORTED,
                "a score error along the diagonal is normalised against the target's law there, which is "
                "known of Gaussian mixtures and not of densities such as `laplace`: of those only a bias "
                "can be along it, and others in each coordinate or one (spread: all, one)");
    u = array_new(d, sizeof *u);
    if (u == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a direction in dimension %zu", d);
    for (size_t i = 0; i < d; i++)
        u[i] = 1.0 / sqrt((double)d);
    TRY_OR(done, parts_new(list, u, &none, &parts, error));
    TRY_OR(done, parts_combine(&parts, MOST_MARGINAL, &whole, &complete, error));
    status = complete ? mixture_new(whole.part, whole.count, parts.mean, out, error)
                      : fail_with(error, STATUS_UNSUPPORTED,
                                  "the target's law along the diagonal has more than %d components: a score error "
                                  "along it cannot be normalised",
                                  MOST_MARGINAL);
done:
    free(u);
    free(whole.part);
    parts_free(&parts);
    return status;
}
