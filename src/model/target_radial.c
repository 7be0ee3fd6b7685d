#include "model/target.h"

#include "core/memory.h"

struct radial {
    struct real_list weights, sds;
};

/* In one dimension it is a mixture on the line. */
static enum status factors(const struct target *target, size_t dimension, struct factor_list *list,
                           struct error *error)
{
    const struct radial *radial = target_params(target);
    double *zeros = dimension == 1 ? array_new(radial->weights.count, sizeof *zeros) : NULL;
    if (dimension == 1 && zeros == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu components", radial->weights.count);
    struct factor factor = {
        dimension, radial->weights.count, radial->weights.value, zeros, radial->sds.value, NULL, radial->weights.log,
        NULL};
    enum status status = factor_list_append(list, &factor, 1.0, error);
    free(zeros);
    return status;
}

static struct target_content content(const struct target *target, double dimension)
{
    const struct radial *radial = target_params(target);
    double k = (double)radial->weights.count;
    return (struct target_content){1.0, k, dimension * k, k, 0.0};
}

static const struct param params[] = {
    WEIGHTS(struct radial),
    {"sds", PARAM_REALS, offsetof(struct radial, sds),
     "their standard deviations, the same in every coordinate; 0 is an atom", .required = 1, .range = AT_LEAST(0.0),
     .group = 1},
    {0},
};

const struct target_family target_radial = {
    .name = "radial",
    .doc = "A mixture of isotropic Gaussians around the origin: shells of different radii, not a product.",
    .formula = "sum_k w_k N(x; 0, s_k^2 I_d)",
    .source = "theory §3",
    .params = params,
    .params_size = sizeof(struct radial),
    .factors = factors,
    .content = content,
};
