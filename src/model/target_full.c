#include "model/target.h"

struct mixture_full {
    struct real_list weights;
    struct point_list means;
    struct matrix_list covariances;
};

static enum status exists(const struct target *target, size_t dimension, struct error *error)
{
    const struct mixture_full *mixture = target_params(target);
    if (dimension % mixture->means.width == 0)
        return STATUS_OK;
    return fail_with(error, STATUS_INVALID,
                     "target %s: its means have %zu coordinates each, which do not fill dimension %zu", target->name,
                     mixture->means.width, dimension);
}

static enum status factors(const struct target *target, size_t dimension, struct factor_list *list,
                           struct error *error)
{
    const struct mixture_full *mixture = target_params(target);
    const size_t width = mixture->means.width;
    const struct covariances full = {mixture->covariances.count, mixture->covariances.entry};
    const struct factor factor = {width,
                                  mixture->weights.count,
                                  mixture->weights.value,
                                  mixture->means.value,
                                  NULL,
                                  &full,
                                  mixture->weights.log,
                                  NULL};
    return factor_list_append(list, &factor, (double)(dimension / width), error);
}

static struct target_content content(const struct target *target, double dimension)
{
    const struct mixture_full *mixture = target_params(target);
    double k = (double)mixture->weights.count, width = (double)mixture->means.width;
    (void)dimension;
    return (struct target_content){1.0, k, width * k, width * (k + width * (double)mixture->covariances.count), 0.0};
}

static const struct param params[] = {
    WEIGHTS(struct mixture_full),
    {"means", PARAM_POINTS, offsetof(struct mixture_full, means), "their means, each a list of coordinates",
     .required = 1, .group = 1},
    {"covariances", PARAM_MATRICES, offsetof(struct mixture_full, covariances),
     "their covariance matrices, or one for all: lists of rows", .required = 1, .group = 1},
    {0},
};

const struct target_family target_full = {
    .name = "mixture-full",
    .doc = "A Gaussian mixture with full covariances, copied over as many blocks of coordinates as fit. Exact laws "
           "in the plane "
           "and of one component; else chains.",
    .formula = "prod_i sum_k w_k N(x_(i); m_k, S_k)",
    .source = "theory §3",
    .params = params,
    .params_size = sizeof(struct mixture_full),
    .exists = exists,
    .factors = factors,
    .content = content,
};
