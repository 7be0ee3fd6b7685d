#include "model/target.h"

struct mixture {
    struct real_list weights, means, sds;
};

static enum status factors(const struct target *target, size_t dimension, struct factor_list *list,
                           struct error *error)
{
    const struct mixture *mixture = target_params(target);
    struct factor factor = {1,
                            mixture->weights.count,
                            mixture->weights.value,
                            mixture->means.value,
                            mixture->sds.value,
                            NULL,
                            mixture->weights.log,
                            NULL};
    return factor_list_append(list, &factor, (double)dimension, error);
}

static struct target_content content(const struct target *target, double dimension)
{
    const struct mixture *mixture = target_params(target);
    double k = (double)mixture->weights.count;
    (void)dimension;
    return (struct target_content){1.0, k, k, 2.0 * k, 0.0};
}

static const struct param params[] = {
    WEIGHTS(struct mixture),
    {"means", PARAM_REALS, offsetof(struct mixture, means), "their means", .required = 1, .group = 1},
    {"sds", PARAM_REALS, offsetof(struct mixture, sds), "their standard deviations; 0 is an atom", .required = 1,
     .range = AT_LEAST(0.0), .group = 1},
    {0},
};

const struct target_family target_mixture = {
    .name = "mixture",
    .doc = "A one-dimensional Gaussian mixture, copied over the dimension (a product law).",
    .formula = "prod_i sum_k w_k N(x_i; m_k, s_k^2)",
    .source = "theory §3",
    .params = params,
    .params_size = sizeof(struct mixture),
    .factors = factors,
    .content = content,
};
