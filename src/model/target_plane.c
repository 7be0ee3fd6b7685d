#include "model/target.h"

struct plane {
    struct real_list weights, sds;
    struct point_list means;
};

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
    const struct plane *plane = target_params(target);
    struct factor factor = {2,
                            plane->weights.count,
                            plane->weights.value,
                            plane->means.value,
                            plane->sds.value,
                            NULL,
                            plane->weights.log,
                            NULL};
    return factor_list_append(list, &factor, (double)(dimension / 2), error);
}

static struct target_content content(const struct target *target, double dimension)
{
    const struct plane *plane = target_params(target);
    double k = (double)plane->weights.count;
    (void)dimension;
    return (struct target_content){1.0, k, 2.0 * k, 2.0 * k, 0.0};
}

static const struct param params[] = {
    WEIGHTS(struct plane),
    {"means", PARAM_POINTS, offsetof(struct plane, means), "their means, each [x, y]", .required = 1, .group = 1,
     .width = 2},
    {"sds", PARAM_REALS, offsetof(struct plane, sds),
     "their standard deviations, the same in every direction; 0 is an atom", .required = 1, .range = AT_LEAST(0.0),
     .group = 1},
    {0},
};

const struct target_family target_plane = {
    .name = "mixture-plane",
    .doc = "A Gaussian mixture in the plane whose coordinates do not separate, copied over pairs of coordinates.",
    .formula = "prod_i sum_k w_k N((x_{2i-1}, x_{2i}); m_k, s_k^2 I_2)",
    .source = "theory §3",
    .params = params,
    .params_size = sizeof(struct plane),
    .exists = exists,
    .factors = factors,
    .content = content,
};
