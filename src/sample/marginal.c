#include "sample/marginal.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"

#define FAINT 1e-20
#define EQUAL 1e-13 /* relative to the largest of either's */

static double covariance_entry(const struct factor *factor, size_t k, size_t i, size_t j)
{
    size_t n = factor->dimension;
    if (factor->full == NULL)
        return i == j ? factor->sd[k] * factor->sd[k] : 0.0;
    return factor->full->entry[((factor->full->count == 1 ? 0 : k) * n + i) * n + j];
}

static double mean_entry(const struct factor *factor, size_t k, size_t i)
{
    return factor->mean == NULL ? 0.0 : factor->mean[k * factor->dimension + i];
}

struct component {
    double weight, mean, variance;
};

struct components {
    struct component *at;
    size_t count;
};

static enum status components_new(size_t count, struct components *out, struct error *error)
{
    *out = (struct components){array_new(count, sizeof *out->at), count};
    return out->at != NULL ? STATUS_OK
                           : fail_with(error, STATUS_MEMORY, "out of memory for %zu components of a marginal", count);
}

static enum status append(const struct components *components, struct factor_list *out, struct error *error)
{
    size_t n = components->count;
    double *block = array_new(3 * n, sizeof *block);
    if (block == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu components of a marginal", n);
    for (size_t k = 0; k < n; k++) {
        block[k] = components->at[k].weight;
        block[n + k] = components->at[k].mean;
        block[2 * n + k] = sqrt(components->at[k].variance);
    }
    const struct factor factor = {1, n, block, block + n, block + 2 * n, NULL};
    *out = (struct factor_list){0};
    enum status status = factor_list_append(out, &factor, 1.0, error);
    free(block);
    return status;
}

enum status marginal_of_coordinate(const struct factor *factor, size_t i, struct factor_list *out,
                                   struct error *error)
{
    struct components components;
    enum status status = components_new(factor->components, &components, error);
    for (size_t k = 0; k < factor->components && status == STATUS_OK; k++)
        components.at[k] =
            (struct component){factor->weight[k], mean_entry(factor, k, i), covariance_entry(factor, k, i, i)};
    if (status == STATUS_OK)
        status = append(&components, out, error);
    free(components.at);
    return status;
}

static int by_place(const void *left, const void *right)
{
    const struct component *a = left, *b = right;
    if (a->mean < b->mean || a->mean > b->mean)
        return (a->mean > b->mean) - (a->mean < b->mean);
    return (a->variance > b->variance) - (a->variance < b->variance);
}

static int nearly(double a, double b, double scale)
{
    return fabs(a - b) <= EQUAL * scale;
}

/* Sorts, joins equal components and drops faint ones. */
static void merge(struct components *components)
{
    double mean = 0.0, variance = 0.0;
    size_t count = 0;
    for (size_t k = 0; k < components->count; k++) {
        mean = fmax(mean, fabs(components->at[k].mean));
        variance = fmax(variance, components->at[k].variance);
    }
    qsort(components->at, components->count, sizeof *components->at, by_place);
    for (size_t k = 0; k < components->count; k++) {
        const struct component *next = &components->at[k];
        struct component *last = count > 0 ? &components->at[count - 1] : NULL;
        if (last != NULL && nearly(last->mean, next->mean, mean) && nearly(last->variance, next->variance, variance))
            last->weight += next->weight;
        else
            components->at[count++] = *next;
    }
    components->count = 0;
    for (size_t k = 0; k < count; k++)
        if (components->at[k].weight >= FAINT)
            components->at[components->count++] = components->at[k];
}

/* The law of the sum of independent a and b, into a. */
static enum status convolve(struct components *a, const struct components *b, struct error *error)
{
    struct components sum;
    if (a->count > MOST_MARGINAL / b->count * 64)
        return fail_with(error, STATUS_UNSUPPORTED,
                         "the target's law along the diagonal has more than %d components: a score error along it "
                         "cannot be normalised",
                         MOST_MARGINAL);
    enum status status = components_new(a->count * b->count, &sum, error);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < a->count; i++)
        for (size_t j = 0; j < b->count; j++)
            sum.at[i * b->count + j] =
                (struct component){a->at[i].weight * b->at[j].weight, a->at[i].mean + b->at[j].mean,
                                   a->at[i].variance + b->at[j].variance};
    merge(&sum);
    free(a->at);
    *a = sum;
    if (a->count > MOST_MARGINAL)
        return fail_with(error, STATUS_UNSUPPORTED,
                         "the target's law along the diagonal has %zu components, more than %d: a score error along "
                         "it cannot be normalised",
                         a->count, MOST_MARGINAL);
    return STATUS_OK;
}

/* One copy of a factor along the diagonal of d dimensions. */
static enum status project(const struct factor *factor, double d, struct components *out, struct error *error)
{
    enum status status = components_new(factor->components, out, error);
    for (size_t k = 0; k < factor->components && status == STATUS_OK; k++) {
        double mean = 0.0, variance = 0.0;
        for (size_t i = 0; i < factor->dimension; i++) {
            mean += mean_entry(factor, k, i);
            for (size_t j = 0; j < factor->dimension; j++)
                variance += i == j || factor->full != NULL ? covariance_entry(factor, k, i, j) : 0.0;
        }
        out->at[k] = (struct component){factor->weight[k], mean / sqrt(d), variance / d};
    }
    return status;
}

enum status marginal_of_diagonal(const struct factor_list *list, struct factor_list *out, struct error *error)
{
    struct components total;
    double d = 0.0;
    for (size_t g = 0; g < list->count; g++)
        d += list->group[g].multiplicity * (double)list->group[g].factor.dimension;
    enum status status = components_new(1, &total, error);
    if (status == STATUS_OK)
        total.at[0] = (struct component){1.0, 0.0, 0.0};
    for (size_t g = 0; g < list->count && status == STATUS_OK; g++) {
        struct components one = {0};
        status = project(&list->group[g].factor, d, &one, error);
        for (double i = 0.0; i < list->group[g].multiplicity && status == STATUS_OK; i += 1.0)
            status = convolve(&total, &one, error);
        free(one.at);
    }
    if (status == STATUS_OK)
        status = append(&total, out, error);
    free(total.at);
    return status;
}
