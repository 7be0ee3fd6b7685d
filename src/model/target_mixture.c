#include "model/target.h"

static enum status factors(const struct target *target, size_t dimension, struct factor_list *list,
                           struct error *error)
{
    struct factor factor = {1, target->components, target->weights, target->means, target->sds, NULL};
    return factor_list_append(list, &factor, (double)dimension, error);
}

static const struct param params[] = {
    {"weights", PARAM_WEIGHTS, 1, offsetof(struct target, weights), offsetof(struct target, components),
     "the components' probabilities, summing to 1"},
    {"means", PARAM_REAL_LIST, 1, offsetof(struct target, means), offsetof(struct target, components), "their means"},
    {"sds", PARAM_NONNEGATIVE_LIST, 1, offsetof(struct target, sds), offsetof(struct target, components),
     "their standard deviations; 0 is an atom"},
    {0},
};

const struct target_family target_mixture = {
    .name = "mixture",
    .doc = "A one-dimensional Gaussian mixture, copied over the dimension (a product law).",
    .formula = "prod_i sum_k w_k N(x_i; m_k, s_k^2)",
    .source = "theory §3",
    .params = params,
    .factors = factors,
};
