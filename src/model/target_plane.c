#include "model/target.h"

static enum status exists(const struct target *target, size_t dimension, struct error *error)
{
    if (dimension % 2 == 0)
        return STATUS_OK;
    return fail_with(error, STATUS_INVALID,
                     "target %s: a mixture in the plane fills pairs of coordinates, and dimension %zu is odd",
                     target->name, dimension);
}

static enum status factors(const struct target *target, size_t dimension, struct factor_list *list,
                           struct error *error)
{
    struct factor factor = {2, target->components, target->weights, target->points, target->sds, NULL};
    return factor_list_append(list, &factor, (double)(dimension / 2), error);
}

static const struct param params[] = {
    {"weights", PARAM_WEIGHTS, 1, offsetof(struct target, weights), offsetof(struct target, components),
     "the components' probabilities, summing to 1"},
    {"means", PARAM_POINTS, 1, offsetof(struct target, points), offsetof(struct target, components),
     "their means, each [x, y]"},
    {"sds", PARAM_NONNEGATIVE_LIST, 1, offsetof(struct target, sds), offsetof(struct target, components),
     "their standard deviations, the same in every direction; 0 is an atom"},
    {0},
};

const struct target_family target_plane = {
    .name = "mixture-plane",
    .doc = "A Gaussian mixture in the plane whose coordinates do not separate, copied over pairs of coordinates.",
    .formula = "prod_i sum_k w_k N((x_{2i-1}, x_{2i}); m_k, s_k^2 I_2)",
    .source = "theory §3",
    .params = params,
    .width = 2,
    .exists = exists,
    .factors = factors,
};
