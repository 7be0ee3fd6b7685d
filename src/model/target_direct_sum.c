#include <math.h>

#include "model/target.h"

struct direct_sum {
    struct target_list factors;
};

static const struct target_list *parts_of(const struct target *target)
{
    return &((const struct direct_sum *)target_params(target))->factors;
}

/* The copies of a part, of which one takes what the others leave of the dimension. */
static size_t copies_of(const struct target_list *parts, size_t index, size_t dimension)
{
    if (parts->part[index].copies > 0)
        return parts->part[index].copies;
    for (size_t i = 0; i < parts->count; i++)
        dimension -= parts->part[i].copies < dimension ? parts->part[i].copies : dimension;
    return dimension;
}

static enum status exists(const struct target *target, size_t dimension, struct error *error)
{
    const struct target_list *parts = parts_of(target);
    size_t left = dimension;
    for (size_t i = 0; i < parts->count; i++) {
        if (parts->part[i].copies > left)
            return fail_with(error, STATUS_INVALID,
                             "target %s: its factors with a fixed number of copies do not fit into dimension %zu",
                             target->name, dimension);
        left -= parts->part[i].copies;
    }
    enum status status = STATUS_OK;
    for (size_t i = 0; i < parts->count && status == STATUS_OK; i++) {
        size_t copies = copies_of(parts, i, dimension);
        if (copies > 0)
            status = target_exists(&parts->part[i].target, copies, error);
    }
    return status;
}

static enum status append_parts(const struct target *target, size_t dimension, int literal, struct factor_list *list,
                                struct error *error)
{
    const struct target_list *parts = parts_of(target);
    for (size_t i = 0; i < parts->count; i++) {
        const struct target_part *part = &parts->part[i];
        size_t copies = copies_of(parts, i, dimension);
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
    const struct target_list *parts = parts_of(target);
    double largest = 0.0;
    for (size_t i = 0; i < parts->count; i++)
        largest = fmax(largest, target_approximation(&parts->part[i].target));
    return largest;
}

static struct target_content content(const struct target *target, double dimension)
{
    const struct target_list *parts = parts_of(target);
    struct target_content all = {0};
    double rest = dimension;
    for (size_t i = 0; i < parts->count; i++)
        rest -= (double)parts->part[i].copies;
    for (size_t i = 0; i < parts->count; i++) {
        const struct target_part *part = &parts->part[i];
        struct target_content one =
            target_content(&part->target, part->copies > 0 ? (double)part->copies : fmax(rest, 0.0));
        all.groups += one.groups;
        all.components += one.components;
        all.marginals += one.marginals;
        all.numbers += one.numbers;
        all.made += one.made;
    }
    return all;
}

static int costly(const struct target *target, size_t dimension, struct factor *out)
{
    const struct target_list *parts = parts_of(target);
    int found = 0;
    for (size_t i = 0; i < parts->count && !found; i++)
        found = target_costly(&parts->part[i].target, copies_of(parts, i, dimension), out);
    return found;
}

static const struct param params[] = {
    {"factors", PARAM_TARGETS, offsetof(struct direct_sum, factors),
     "targets without a name, each with `copies`, a number or the word rest", .required = 1},
    {0},
};

const struct target_family target_direct_sum = {
    .name = "direct-sum",
    .doc = "Different targets on orthogonal coordinates, such as one mixture coordinate beside d - 1 Gaussian ones.",
    .formula = "prod_j p_j(x_{block j})",
    .source = "theory §3",
    .params = params,
    .params_size = sizeof(struct direct_sum),
    .exists = exists,
    .factors = factors,
    .coordinates = coordinates,
    .approximation = approximation,
    .content = content,
    .costly = costly,
};
