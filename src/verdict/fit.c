#define _GNU_SOURCE /* qsort_r */
#include "verdict/fit.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_fit.h>
#include <math.h>
#include <stdio.h>

#include "core/memory.h"

enum { FEWEST_CELLS = 4, FEWEST_VALUES = 3, NONE = -1 };

/* Work arrays for one regression: the kept cells, centred in their groups. */
struct regression {
    const struct fit_cell *cells;
    size_t count;
    double *x, *y;
    size_t *order; /* by group and index */
};

static size_t group_of(const struct fit_cell *cell, int along_d)
{
    return along_d ? cell->other : cell->dimension;
}

/* The cells, and what their groups are. */
struct grouping {
    const struct fit_cell *cells;
    int along_d;
};

static int by_group(const void *left, const void *right, void *context)
{
    const struct grouping *grouping = context;
    const size_t i = *(const size_t *)left, j = *(const size_t *)right;
    const size_t a = group_of(&grouping->cells[i], grouping->along_d),
                 b = group_of(&grouping->cells[j], grouping->along_d);
    return a != b ? (a > b) - (a < b) : (i > j) - (i < j);
}

/* Indices of cells by group, within a group as they are. */
static void sort_by_group(const struct fit_cell *cells, size_t count, int along_d, size_t *order)
{
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    qsort_r(order, count, sizeof *order, by_group, &(struct grouping){cells, along_d});
}

/* The end of the group that begins at `first` of the order. */
static size_t group_end(const struct fit_cell *cells, size_t count, int along_d, const size_t *order, size_t first)
{
    size_t end = first + 1;
    while (end < count && group_of(&cells[order[end]], along_d) == group_of(&cells[order[first]], along_d))
        end++;
    return end;
}

static int kept(const struct fit_cell *cell, long without_dimension, long without_other)
{
    return (long)cell->dimension != without_dimension && (long)cell->other != without_other;
}

static double abscissa(const struct fit_cell *cell, int along_d)
{
    return along_d ? cell->log_d : cell->x;
}

/* The slope of y in log d (along_d) or in x, with a constant of its own for each group; *ok = 0 if too little is left
 * for one. */
static struct exponent slope(const struct regression *r, int along_d, long without_dimension, long without_other,
                             int *ok)
{
    size_t n = 0, groups = 0;
    double mean[2] = {0.0, 0.0}; /* of x and y */
    for (size_t first = 0, end; first < r->count; first = end) {
        double mean_x = 0.0, mean_y = 0.0, size = 0.0;
        end = group_end(r->cells, r->count, along_d, r->order, first);
        for (size_t i = first; i < end; i++) {
            const struct fit_cell *cell = &r->cells[r->order[i]];
            if (!kept(cell, without_dimension, without_other))
                continue;
            mean_x += abscissa(cell, along_d);
            mean_y += cell->y;
            size += 1.0;
        }
        groups += size > 0.0;
        for (size_t i = first; i < end; i++) {
            r->x[r->order[i]] = abscissa(&r->cells[r->order[i]], along_d) - mean_x / size;
            r->y[r->order[i]] = r->cells[r->order[i]].y - mean_y / size;
        }
    }
    for (size_t i = 0; i < r->count; i++) { /* those that are kept, in the order of the cells */
        if (!kept(&r->cells[i], without_dimension, without_other))
            continue;
        mean[0] += abscissa(&r->cells[i], along_d);
        mean[1] += r->cells[i].y;
        r->x[n] = r->x[i];
        r->y[n++] = r->y[i];
    }
    double value = 0.0, variance = 0.0, squares = 0.0, spread = 0.0;
    for (size_t i = 0; i < n; i++)
        spread += r->x[i] * r->x[i];
    *ok = n > groups + 1 && spread > 0.0;
    if (!*ok)
        return (struct exponent){.value = 0.0};
    (void)gsl_fit_mul(r->x, 1, r->y, 1, n, &value, &variance, &squares);
    /* gsl_fit_mul counts one parameter; the groups' constants are parameters too */
    double freedom = (double)(n - groups - 1);
    double error = sqrt(variance * (double)(n - 1) / freedom);
    double interval = gsl_cdf_tdist_Pinv(0.975, freedom) * error;
    double constant = (mean[1] - value * mean[0]) / (double)n;
    return (struct exponent){value, interval, interval, NAN, NAN, constant, sqrt(squares / (double)n)};
}

/* The slope with an interval that includes what leaving out the extreme cells or the smallest d does to it. */
static struct exponent robust_slope(const struct regression *r, int along_d, long smallest, long extreme, int *ok)
{
    int usable;
    sort_by_group(r->cells, r->count, along_d, r->order);
    struct exponent full = slope(r, along_d, NONE, NONE, ok);
    double shift = 0.0;
    struct exponent part = slope(r, along_d, NONE, extreme, &usable);
    full.without_extreme = usable ? part.value : NAN;
    if (usable)
        shift = fmax(shift, fabs(part.value - full.value));
    part = slope(r, along_d, smallest, NONE, &usable);
    full.without_smallest = usable ? part.value : NAN;
    if (usable)
        shift = fmax(shift, fabs(part.value - full.value));
    full.interval += shift;
    return full;
}

struct exponent exponent_negated(const struct exponent *exponent)
{
    struct exponent negated = *exponent;
    negated.value = -negated.value;
    negated.without_extreme = -negated.without_extreme;
    negated.without_smallest = -negated.without_smallest;
    return negated;
}

void exponent_text(double value, double interval, char text[EXPONENT_TEXT])
{
    int decimals = (int)fmin(fmax(ceil(-log10(interval)), 3.0), 6.0);
    if (interval >= 5e-7)
        (void)snprintf(text, EXPONENT_TEXT, "%.*f ± %.*f", decimals, value, decimals, interval);
    else
        (void)snprintf(text, EXPONENT_TEXT, "%.3f", fabs(value) < 5e-4 ? 0.0 : value);
}

/* How many groups there are; `order` is scratch. */
static size_t count_groups(const struct fit_cell *cells, size_t count, int along_d, size_t *order)
{
    size_t found = 0;
    sort_by_group(cells, count, along_d, order);
    for (size_t first = 0; first < count; first = group_end(cells, count, along_d, order, first))
        found++;
    return found;
}

/* fit_weights; returns how many have weight. */
static size_t find_weights(const struct fit_cell *cells, size_t count, int along_d, size_t *order, bool *weight)
{
    size_t found = 0;
    sort_by_group(cells, count, along_d, order);
    for (size_t first = 0, end; first < count; first = end) {
        bool differ = false;
        end = group_end(cells, count, along_d, order, first);
        for (size_t i = first + 1; i < end; i++) /* the abscissa is what the other fit groups by */
            differ = differ || group_of(&cells[order[i]], !along_d) != group_of(&cells[order[first]], !along_d);
        for (size_t i = first; i < end && weight != NULL; i++)
            weight[order[i]] = differ;
        found += differ ? end - first : 0;
    }
    return found;
}

static enum status no_memory(size_t count, struct error *error)
{
    return fail_with(error, STATUS_MEMORY, "out of memory for a fit of %zu cells", count);
}

enum status fit_weights(const struct fit_cell *cells, size_t count, int along_d, bool *weight, struct error *error)
{
    size_t *order = array_new(count, sizeof *order);
    if (order == NULL)
        return no_memory(count, error);
    (void)find_weights(cells, count, along_d, order, weight);
    free(order);
    return STATUS_OK;
}

enum status fit_exponents(const struct fit_cell *cells, size_t count, size_t extreme, struct fit *out,
                          struct error *error)
{
    struct regression r = {cells, count, array_new(count, sizeof *r.x), array_new(count, sizeof *r.y),
                           array_new(count, sizeof *r.order)};
    enum status status;
    *out = (struct fit){.cells = count};
    TRY_OR(end, r.x != NULL && r.y != NULL && r.order != NULL ? STATUS_OK : no_memory(count, error));
    const size_t values = count_groups(cells, count, 1, r.order);
    if (count == 0)
        (void)snprintf(out->reason, sizeof out->reason,
                       "no cell in the window, where %d at %d different values are needed", FEWEST_CELLS,
                       FEWEST_VALUES);
    else
        (void)snprintf(out->reason, sizeof out->reason,
                       "too few cells in the window: %zu at %zu value%s, where %d at %d are needed", count, values,
                       values == 1 ? "" : "s", FEWEST_CELLS, FEWEST_VALUES);
    if (count < FEWEST_CELLS || values < FEWEST_VALUES)
        goto end;
    out->weighed_x = find_weights(cells, count, 0, r.order, NULL);
    out->weighed_d = find_weights(cells, count, 1, r.order, NULL);
    size_t smallest = cells[0].dimension;
    for (size_t i = 1; i < count; i++)
        smallest = cells[i].dimension < smallest ? cells[i].dimension : smallest;
    out->x = robust_slope(&r, 0, (long)smallest, (long)extreme, &out->ok);
    if (count_groups(cells, count, 0, r.order) > 1)
        out->d = robust_slope(&r, 1, (long)smallest, (long)extreme, &out->has_d);
    /* the constant of the smallest dimension, for drawing */
    double n = 0.0, total = 0.0;
    for (size_t i = 0; i < count; i++)
        if (cells[i].dimension == smallest) {
            total += cells[i].y - out->x.value * cells[i].x;
            n += 1.0;
        }
    out->constant = total / n;
end:
    free(r.x);
    free(r.y);
    free(r.order);
    return status;
}
