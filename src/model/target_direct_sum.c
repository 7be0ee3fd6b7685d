#include <math.h>

#include "model/target.h"

/* How many copies the dimension leaves to the part that takes the rest. */
static size_t rest_of(const struct target *target, size_t dimension)
{
    for (size_t i = 0; i < target->part_count; i++)
        dimension -= target->parts[i].copies;
    return dimension;
}

static enum status exists(const struct target *target, size_t dimension, struct error *error)
{
    size_t left = dimension;
    for (size_t i = 0; i < target->part_count; i++) {
        if (target->parts[i].copies > left)
            return fail_with(error, STATUS_INVALID,
                             "target %s: its factors with a fixed number of copies do not fit into "
                             "dimension %zu",
                             target->name, dimension);
        left -= target->parts[i].copies;
    }
    enum status status = STATUS_OK;
    for (size_t i = 0; i < target->part_count && status == STATUS_OK; i++) {
        size_t copies = target->parts[i].copies > 0 ? target->parts[i].copies : left;
        if (copies > 0)
            status = target_exists(&target->parts[i].target, copies, error);
    }
    return status;
}

static enum status append_parts(const struct target *target, size_t dimension, int literal, struct factor_list *list,
                                struct error *error)
{
    size_t rest = rest_of(target, dimension);
    for (size_t i = 0; i < target->part_count; i++) {
        const struct target_part *part = &target->parts[i];
        size_t copies = part->copies > 0 ? part->copies : rest;
        if (copies == 0)
            continue;
        const struct target_family *family = part->target.family;
        enum status status = (literal && family->coordinates != NULL ? family->coordinates : family->factors)(
            &part->target, copies, list, error);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status factors(const struct target *target, size_t dimension, struct factor_list *list,
                           struct error *error)
{
    return append_parts(target, dimension, 0, list, error);
}

static enum status coordinates(const struct target *target, size_t dimension, struct factor_list *list,
                               struct error *error)
{
    return append_parts(target, dimension, 1, list, error);
}

static double approximation(const struct target *target)
{
    double largest = 0.0;
    for (size_t i = 0; i < target->part_count; i++)
        largest = fmax(largest, target_approximation(&target->parts[i].target));
    return largest;
}

static const struct param params[] = {
    {"factors", PARAM_PARTS, 1, offsetof(struct target, parts), offsetof(struct target, part_count),
     "targets without a name, each with `copies`, a number or the word rest"},
    {0},
};

const struct target_family target_direct_sum = {
    .name = "direct-sum",
    .doc = "Different targets on orthogonal coordinates, such as one mixture coordinate beside d - 1 Gaussian ones.",
    .formula = "prod_j p_j(x_{block j})",
    .source = "theory §3",
    .params = params,
    .exists = exists,
    .factors = factors,
    .coordinates = coordinates,
    .approximation = approximation,
};
