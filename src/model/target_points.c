#include "core/memory.h"
#include "model/target.h"

/* One component for each of N points: exact laws of more of them than this would take hours. */
enum { MOST_ON_THE_LINE = 300, MOST_IN_THE_PLANE = 32 };

struct data {
    struct number_table file;
    double bandwidth;
};

static enum status exists(const struct target *target, size_t d, struct error *error)
{
    const struct data *data = target_params(target);
    return d == data->file.columns
               ? STATUS_OK
               : fail_with(error, STATUS_INVALID,
                           "target %s: its %zu points have %zu coordinates, expected `dimensions: "
                           "[%zu]`, found %zu",
                           target->name, data->file.rows, data->file.columns, data->file.columns, d);
}

static enum status factors(const struct target *target, size_t d, struct factor_list *list, struct error *error)
{
    const struct data *data = target_params(target);
    size_t n = data->file.rows;
    if (data->file.value == NULL)
        return fail_with(
            error, STATUS_INVALID,
            "target %s: results hold a hash of its %zu points, not the points: `--spec EXPERIMENT` reads them",
            target->name, n);
    double *weight = n <= SIZE_MAX / 2 ? array_new(2 * n, sizeof *weight) : NULL;
    if (weight == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu points", n);
    for (size_t k = 0; k < n; k++) {
        weight[k] = 1.0 / (double)n;
        weight[n + k] = data->bandwidth;
    }
    const struct factor factor = {d, n, weight, data->file.value, weight + n, NULL, NULL, NULL};
    enum status status = factor_list_append(list, &factor, 1.0, error);
    free(weight);
    return status;
}

static struct target_content content(const struct target *target, double d)
{
    const struct data *data = target_params(target);
    double n = (double)data->file.rows;
    return (struct target_content){1.0, n, d * n, d * n, 0.0};
}

static int costly(const struct target *target, size_t d, struct factor *out)
{
    const struct data *data = target_params(target);
    *out = (struct factor){.dimension = d, .components = data->file.rows};
    return data->file.rows > (d == 2 ? MOST_IN_THE_PLANE : MOST_ON_THE_LINE);
}

static const struct param params[] = {
    {"file", PARAM_TABLE, offsetof(struct data, file),
     "the points, a row each: a text (blanks or commas between numbers, # comments), a .npy file (float64 or "
     "float32), or FILE:DATASET of an HDF5 file, N x d",
     .required = 1},
    {"bandwidth", PARAM_REAL, offsetof(struct data, bandwidth),
     "s, the standard deviation around each point; 0: the empirical distribution itself", .standard = 0.0,
     .range = AT_LEAST(0.0)},
    {0},
};

const struct target_family target_points = {
    .name = "points",
    .doc = "One's own data: the empirical distribution of points from a file, or a kernel density estimate, in the "
           "dimension of the data. Its score at every noise level is exact, a softmax over all points. Exact laws of "
           "up to 300 points on the line and 32 in the plane; else chains, which can count how many end at a point "
           "(`memorised`).",
    .formula = "1/N sum_i N(x; x_i, s^2 I)",
    .source = "theory §3; its memorisation: G. Biroli et al., Nat. Commun. 15 (2024)",
    .params = params,
    .params_size = sizeof(struct data),
    .is_data = true,
    .exists = exists,
    .factors = factors,
    .content = content,
    .costly = costly,
};
