#include "model/target.h"

static enum status exists(const struct target *target, size_t dimension, struct error *error)
{
    if (dimension % target->width == 0)
        return STATUS_OK;
    return fail_with(error, STATUS_INVALID,
                     "target %s: its means have %zu coordinates each, which do not fill dimension %zu", target->name,
                     target->width, dimension);
}

static enum status factors(const struct target *target, size_t dimension, struct factor_list *list,
                           struct error *error)
{
    const struct covariances full = {target->matrix_count, target->matrices};
    const struct factor factor = {target->width, target->components, target->weights, target->points, NULL, &full};
    return factor_list_append(list, &factor, (double)(dimension / target->width), error);
}

static const struct param params[] = {
    {"weights", PARAM_WEIGHTS, 1, offsetof(struct target, weights), offsetof(struct target, components),
     "the components' probabilities, summing to 1"},
    {"means", PARAM_POINTS, 1, offsetof(struct target, points), offsetof(struct target, components),
     "their means, each a list of coordinates"},
    {"covariances", PARAM_MATRICES, 1, offsetof(struct target, matrices), offsetof(struct target, components),
     "their covariance matrices, or one for all: lists of rows"},
    {0},
};

const struct target_family target_full = {
    .name = "mixture-full",
    .doc = "A Gaussian mixture with full covariances, copied over as many blocks of coordinates as fit. Chains only.",
    .formula = "prod_i sum_k w_k N(x_(i); m_k, S_k)",
    .source = "theory §3",
    .params = params,
    .exists = exists,
    .factors = factors,
};
