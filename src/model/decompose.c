#define _GNU_SOURCE /* qsort_r */
#include "model/decompose.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "core/memory.h"
#include "model/spectra.h"

/* Remainders of the means' differences below this part of the longest difference count as rounding of 0. */
#define RANK_TOLERANCE 1e-12

enum { MOST_RANK = 2 };

/* The affine hull of the means: an orthonormal basis of its directions, and its offset from the origin, orthogonal to
 * them, with its length. n numbers each. */
struct hull {
    size_t rank;
    double *axis[MOST_RANK];
    double *offset;
    double distance;
};

static double dot(size_t n, const double *a, const double *b)
{
    double total = 0.0;
    for (size_t i = 0; i < n; i++)
        total += a[i] * b[i];
    return total;
}

/* v - sum_k <a_k, v> a_k. Gram-Schmidt is repeated once, which makes it orthogonal to rounding. */
static void make_orthogonal(size_t n, double *const *axis, size_t count, double *v)
{
    for (int pass = 0; pass < 2; pass++)
        for (size_t k = 0; k < count; k++) {
            double part = dot(n, axis[k], v);
            for (size_t i = 0; i < n; i++)
                v[i] -= part * axis[k][i];
        }
}

static void difference(const struct factor *factor, size_t k, double *out)
{
    for (size_t i = 0; i < factor->dimension; i++)
        out[i] = factor->mean[k * factor->dimension + i] - factor->mean[i];
}

/* Gram-Schmidt with pivoting on the differences m_k - m_0: the longest remainder becomes the next axis. Returns 0
 * where their rank is above MOST_RANK. */
static int find_hull(const struct factor *factor, double *block, struct hull *out)
{
    size_t n = factor->dimension;
    double longest = 0.0, *work = block + MOST_RANK * n;
    *out = (struct hull){.offset = work + n};
    for (size_t k = 0; k < MOST_RANK; k++)
        out->axis[k] = block + k * n;
    for (;;) {
        double remainder = 0.0;
        size_t best = 0;
        for (size_t k = 1; k < factor->components; k++) {
            difference(factor, k, work);
            longest = fmax(longest, sqrt(dot(n, work, work)));
            make_orthogonal(n, out->axis, out->rank, work);
            double length = sqrt(dot(n, work, work));
            best = length > remainder ? k : best;
            remainder = fmax(remainder, length);
        }
        if (!(remainder > RANK_TOLERANCE * longest))
            break;
        if (out->rank == MOST_RANK)
            return 0;
        difference(factor, best, out->axis[out->rank]);
        make_orthogonal(n, out->axis, out->rank, out->axis[out->rank]);
        double length = sqrt(dot(n, out->axis[out->rank], out->axis[out->rank]));
        for (size_t i = 0; i < n; i++)
            out->axis[out->rank][i] /= length;
        out->rank++;
    }
    memcpy(out->offset, factor->mean, n * sizeof *out->offset);
    make_orthogonal(n, out->axis, out->rank, out->offset);
    out->distance = sqrt(dot(n, out->offset, out->offset));
    if (!(out->distance > RANK_TOLERANCE * sqrt(dot(n, factor->mean, factor->mean))))
        out->distance = 0.0;
    return 1;
}

/* By sd and mean, to the bit. */
static int compare_components(const struct factor *factor, size_t j, size_t k)
{
    size_t n = factor->dimension;
    int order = memcmp(&factor->sd[j], &factor->sd[k], sizeof factor->sd[k]);
    return order != 0 || factor->mean == NULL
               ? order
               : memcmp(factor->mean + j * n, factor->mean + k * n, n * sizeof *factor->mean);
}

static int by_component(const void *a, const void *b, void *factor)
{
    size_t j = *(const size_t *)a, k = *(const size_t *)b;
    int order = compare_components(factor, j, k);
    return order != 0 ? order : (j > k) - (j < k);
}

/* Of each component the first that is equal to it, for free(); NULL where memory runs out. *any: some has another. */
static size_t *find_equal(const struct factor *factor, bool *any)
{
    size_t count = factor->sd != NULL && factor->density == NULL ? factor->components : 0;
    struct factor copy = *factor;
    size_t *order = array_new(count, sizeof *order), *first = array_new(count, sizeof *first);
    *any = false;
    for (size_t k = 0; k < count && order != NULL; k++)
        order[k] = k;
    if (count > 1 && order != NULL)
        qsort_r(order, count, sizeof *order, by_component, &copy);
    for (size_t i = 0; i < count && order != NULL && first != NULL; i++) {
        bool same = i > 0 && compare_components(factor, order[i - 1], order[i]) == 0;
        first[order[i]] = same ? first[order[i - 1]] : order[i];
        *any = *any || same;
    }
    if (order == NULL) {
        free(first);
        first = NULL;
    }
    free(order);
    return first;
}

/* log(e^a + e^b), a = -infinity allowed */
static double log_of_sum(double a, double b)
{
    return fmax(a, b) + log1p(exp(-fabs(a - b)));
}

/* Appends the factor with its equal components made one: that of the first. */
static enum status append_merged(struct factor_list *list, const struct factor_group *group, const size_t *first,
                                 struct error *error)
{
    struct factor factor = group->factor;
    size_t n = factor.dimension, all = factor.components, count = 0;
    size_t *place = array_new(all, sizeof *place);
    double *block = n <= SIZE_MAX / 64 && all <= SIZE_MAX / 64 / n ? array_new(all, (n + 3) * sizeof *block) : NULL;
    enum status status = block != NULL && place != NULL
                             ? STATUS_OK
                             : fail_with(error, STATUS_MEMORY, "out of memory for a mixture of %zu components", all);
    double *weight = block, *sd = block + all, *log_weight = block + 2 * all, *mean = block + 3 * all;
    for (size_t k = 0; k < all && status == STATUS_OK; k++) {
        bool is_new = first[k] == k;
        size_t j = place[k] = is_new ? count++ : place[first[k]];
        sd[j] = factor.sd[k];
        if (factor.mean != NULL)
            memcpy(mean + j * n, factor.mean + k * n, n * sizeof *mean);
        weight[j] = (is_new ? 0.0 : weight[j]) + factor.weight[k];
        log_weight[j] = log_of_sum(is_new ? -HUGE_VAL : log_weight[j], factor_log_weight(&factor, k));
    }
    if (count == 1)
        weight[0] = 1.0, log_weight[0] = 0.0; /* but for rounding */
    factor = (struct factor){n,
                             count,
                             weight,
                             factor.mean != NULL ? mean : NULL,
                             sd,
                             NULL,
                             factor.log_weight != NULL ? log_weight : NULL,
                             NULL};
    if (status == STATUS_OK)
        status = factor_list_append(list, &factor, group->multiplicity, error);
    free(block);
    free(place);
    return status;
}

static enum status merge_group(struct factor_list *list, const struct factor_group *group, struct error *error)
{
    bool any;
    size_t *first = find_equal(&group->factor, &any);
    if (first == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a mixture of %zu components",
                         group->factor.components);
    enum status status = any ? append_merged(list, group, first, error)
                             : factor_list_append(list, &group->factor, group->multiplicity, error);
    free(first);
    if (status == STATUS_OK)
        list->group[list->count - 1].error_share = group->error_share;
    return status;
}

enum status factor_list_merge(struct factor_list *list, struct error *error)
{
    struct factor_list out = {0};
    enum status status = STATUS_OK;
    bool any = false;
    for (size_t i = 0; i < list->count && !any; i++) {
        size_t *first = list->group[i].factor.components > 1 ? find_equal(&list->group[i].factor, &any) : NULL;
        any = any || (first == NULL && list->group[i].factor.components > 1);
        free(first);
    }
    if (!any)
        return STATUS_OK;
    for (size_t i = 0; i < list->count && status == STATUS_OK; i++)
        status = merge_group(&out, &list->group[i], error);
    factor_list_free(list);
    *list = out;
    return status;
}

static int can_be_taken_apart(const struct factor *factor)
{
    if (factor->dimension < 2 || factor->full != NULL || factor->mean == NULL)
        return 0;
    for (size_t k = 1; k < factor->components; k++)
        if (memcmp(&factor->sd[k], &factor->sd[0], sizeof factor->sd[0]) != 0)
            return 0;
    return 1;
}

static enum status append_gaussian(struct factor_list *list, double mean, const double *sd, double multiplicity,
                                   struct error *error)
{
    static const double one = 1.0;
    struct factor factor = {1, 1, &one, &mean, sd, NULL, NULL, NULL};
    return multiplicity > 0.0 ? factor_list_append(list, &factor, multiplicity, error) : STATUS_OK;
}

/* The mixture within the hull, the coordinate of its offset, and the Gaussian coordinates across. */
static enum status append_parts(struct factor_list *list, const struct factor *factor, const struct hull *hull,
                                double multiplicity, double *mean, struct error *error)
{
    size_t across = factor->dimension - hull->rank, shifted = hull->distance > 0.0 ? 1 : 0;
    for (size_t k = 0; k < factor->components; k++)
        for (size_t i = 0; i < hull->rank; i++)
            mean[k * hull->rank + i] = dot(factor->dimension, hull->axis[i], factor->mean + k * factor->dimension);
    struct factor within = {
        hull->rank, factor->components, factor->weight, mean, factor->sd, NULL, factor->log_weight, NULL};
    if (hull->rank > 0)
        TRY(factor_list_append(list, &within, multiplicity, error));
    if (shifted)
        TRY(append_gaussian(list, hull->distance, factor->sd, multiplicity, error));
    return append_gaussian(list, 0.0, factor->sd, multiplicity * (double)(across - shifted), error);
}

/* Of one component with a full covariance: the coordinates along its eigenvectors. */
static enum status append_axes(struct factor_list *list, const struct factor_group *group, struct error *error)
{
    const struct factor *factor = &group->factor;
    size_t n = factor->dimension;
    struct spectra *spectra = NULL;
    TRY(spectra_new(factor->full, n, &spectra, error));
    enum status status = STATUS_OK;
    for (size_t i = 0; i < n && status == STATUS_OK; i++) {
        double mean = 0.0, sd = sqrt(spectra->value[i]);
        for (size_t j = 0; j < n && factor->mean != NULL; j++)
            mean += spectra->vector[j * n + i] * factor->mean[j];
        status = append_gaussian(list, mean, &sd, group->multiplicity, error);
    }
    spectra_free(spectra);
    return status;
}

static enum status append_decomposed(struct factor_list *list, const struct factor_group *group, struct error *error)
{
    const struct factor *factor = &group->factor;
    struct hull hull;
    if (factor->dimension > 1 && factor->components == 1 && factor->full == NULL && factor->mean == NULL)
        return append_gaussian(list, 0.0, factor->sd, group->multiplicity * (double)factor->dimension, error);
    if (factor->full != NULL && factor->components == 1)
        return append_axes(list, group, error);
    if (!can_be_taken_apart(factor))
        return factor_list_append(list, factor, group->multiplicity, error);
    size_t n = factor->dimension, k = factor->components;
    double *block = n <= SIZE_MAX / 64 && k <= SIZE_MAX / 64
                        ? array_new((MOST_RANK + 2) * n + MOST_RANK * k, sizeof *block)
                        : NULL;
    if (block == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for the means of a mixture in dimension %zu", n);
    enum status status;
    if (find_hull(factor, block, &hull) && !(n == 2 && hull.rank == 2))
        status = append_parts(list, factor, &hull, group->multiplicity, block + (MOST_RANK + 2) * n, error);
    else
        status = factor_list_append(list, factor, group->multiplicity, error);
    free(block);
    return status;
}

enum status factor_list_decompose(struct factor_list *list, struct error *error)
{
    struct factor_list out = {0};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < list->count && status == STATUS_OK; i++) {
        size_t first = out.count;
        status = append_decomposed(&out, &list->group[i], error);
        for (size_t j = first; j < out.count; j++)
            out.group[j].error_share = out.count == first + 1 ? list->group[i].error_share : 0.0;
    }
    factor_list_free(list);
    *list = out;
    return status;
}
