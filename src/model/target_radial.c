#include "model/target.h"

#include "core/memory.h"

/* In one dimension it is a mixture on the line. */
static enum status factors(const struct target *target, size_t dimension, struct factor_list *list,
                           struct error *error)
{
    double *zeros = dimension == 1 ? array_new(target->components, sizeof *zeros) : NULL;
    if (dimension == 1 && zeros == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu components", target->components);
    struct factor factor = {dimension, target->components, target->weights, zeros, target->sds, NULL};
    enum status status = factor_list_append(list, &factor, 1.0, error);
    free(zeros);
    return status;
}

static const struct param params[] = {
    {"weights", PARAM_WEIGHTS, 1, offsetof(struct target, weights), offsetof(struct target, components),
     "the components' probabilities, summing to 1"},
    {"sds", PARAM_NONNEGATIVE_LIST, 1, offsetof(struct target, sds), offsetof(struct target, components),
     "their standard deviations, the same in every coordinate; 0 is an atom"},
    {0},
};

const struct target_family target_radial = {
    .name = "radial",
    .doc = "A mixture of isotropic Gaussians around the origin: shells of different radii, not a product.",
    .formula = "sum_k w_k N(x; 0, s_k^2 I_d)",
    .source = "theory §3",
    .params = params,
    .factors = factors,
};
