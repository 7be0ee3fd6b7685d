#include "model/target.h"

#include "core/memory.h"

struct axis {
    struct real_list weights, means, sds;
};

/* In one dimension it is a mixture on the line. */
static enum status factors(const struct target *target, size_t dimension, struct factor_list *list,
                           struct error *error)
{
    const struct axis *axis = target_params(target);
    size_t components = axis->weights.count;
    double *mean = dimension <= SIZE_MAX / sizeof *mean ? array_new(components, dimension * sizeof *mean) : NULL;
    if (mean == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu means in %zu coordinates", components,
                         dimension);
    for (size_t k = 0; k < components; k++)
        mean[k * dimension] = axis->means.value[k];
    struct factor factor = {dimension,       components, axis->weights.value, mean,
                            axis->sds.value, NULL,       axis->weights.log,   NULL};
    enum status status = factor_list_append(list, &factor, 1.0, error);
    free(mean);
    return status;
}

static struct target_content content(const struct target *target, double dimension)
{
    const struct axis *axis = target_params(target);
    double k = (double)axis->weights.count;
    return (struct target_content){1.0, k, dimension * k, dimension * k, 0.0};
}

static const struct param params[] = {
    WEIGHTS(struct axis),
    {"means", PARAM_REALS, offsetof(struct axis, means), "their means' positions on the first axis", .required = 1,
     .group = 1},
    {"sds", PARAM_REALS, offsetof(struct axis, sds),
     "their standard deviations, the same in every direction; 0 is an atom", .required = 1, .range = AT_LEAST(0.0),
     .group = 1},
    {0},
};

const struct target_family target_axis = {
    .name = "axis",
    .doc =
        "A mixture of isotropic Gaussians with means on the first axis and standard deviations of their own: not a "
        "product where these differ.",
    .formula = "sum_k w_k N(x; m_k e_1, s_k^2 I_d)",
    .source = "theory §12",
    .params = params,
    .params_size = sizeof(struct axis),
    .factors = factors,
    .content = content,
};
