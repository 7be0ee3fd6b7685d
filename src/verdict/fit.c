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
};

static long group_of(const struct fit_cell *cell, int along_d)
{
    return (long)(along_d ? cell->other : cell->dimension);
}

static int kept(const struct fit_cell *cell, long without_dimension, long without_other)
{
    return (long)cell->dimension != without_dimension && (long)cell->other != without_other;
}

/* The slope of y in log d (along_d) or in x, with a constant of its own for each group; *ok = 0 if too little is left
 * for one. */
static struct exponent slope(const struct regression *r, int along_d, long without_dimension, long without_other,
                             int *ok)
{
    size_t n = 0, groups = 0;
    double mean[2] = {0.0, 0.0}; /* of x and y */
    for (size_t i = 0; i < r->count; i++) {
        if (!kept(&r->cells[i], without_dimension, without_other))
            continue;
        double mean_x = 0.0, mean_y = 0.0, size = 0.0;
        int first = 1;
        for (size_t j = 0; j < r->count; j++) {
            const struct fit_cell *other = &r->cells[j];
            if (!kept(other, without_dimension, without_other)
                || group_of(other, along_d) != group_of(&r->cells[i], along_d))
                continue;
            first &= j >= i;
            mean_x += along_d ? other->log_d : other->x;
            mean_y += other->y;
            size += 1.0;
        }
        groups += first != 0;
        mean[0] += along_d ? r->cells[i].log_d : r->cells[i].x;
        mean[1] += r->cells[i].y;
        r->x[n] = (along_d ? r->cells[i].log_d : r->cells[i].x) - mean_x / size;
        r->y[n++] = r->cells[i].y - mean_y / size;
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

/* How many different values an index takes. */
static size_t different(const struct fit_cell *cells, size_t count, int of_dimension)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        int known = 0;
        for (size_t j = 0; j < i && !known; j++)
            known = of_dimension ? cells[j].dimension == cells[i].dimension : cells[j].other == cells[i].other;
        found += !known;
    }
    return found;
}

int fit_has_weight(const struct fit_cell *cells, size_t count, int along_d, size_t index)
{
    int found = 0;
    for (size_t i = 0; i < count && !found; i++)
        found = group_of(&cells[i], along_d) == group_of(&cells[index], along_d)
                && (along_d ? cells[i].dimension != cells[index].dimension : cells[i].other != cells[index].other);
    return found;
}

enum status fit_exponents(const struct fit_cell *cells, size_t count, size_t extreme, struct fit *out,
                          struct error *error)
{
    size_t values = different(cells, count, 0);
    *out = (struct fit){.cells = count};
    if (count == 0)
        (void)snprintf(out->reason, sizeof out->reason,
                       "no cell in the window, where %d at %d different values are needed", FEWEST_CELLS,
                       FEWEST_VALUES);
    else
        (void)snprintf(out->reason, sizeof out->reason,
                       "too few cells in the window: %zu at %zu value%s, where %d at %d are needed", count, values,
                       values == 1 ? "" : "s", FEWEST_CELLS, FEWEST_VALUES);
    if (count < FEWEST_CELLS || values < FEWEST_VALUES)
        return STATUS_OK;
    for (size_t i = 0; i < count; i++) {
        out->weighed_x += fit_has_weight(cells, count, 0, i) != 0;
        out->weighed_d += fit_has_weight(cells, count, 1, i) != 0;
    }
    struct regression r = {cells, count, array_new(count, sizeof(double)), array_new(count, sizeof(double))};
    if (r.x == NULL || r.y == NULL) {
        free(r.x);
        free(r.y);
        return fail_with(error, STATUS_MEMORY, "out of memory for a fit of %zu cells", count);
    }
    size_t smallest = cells[0].dimension;
    for (size_t i = 1; i < count; i++)
        smallest = cells[i].dimension < smallest ? cells[i].dimension : smallest;
    out->x = robust_slope(&r, 0, (long)smallest, (long)extreme, &out->ok);
    if (different(cells, count, 1) > 1)
        out->d = robust_slope(&r, 1, (long)smallest, (long)extreme, &out->has_d);
    /* the constant of the smallest dimension, for drawing */
    double n = 0.0, total = 0.0;
    for (size_t i = 0; i < count; i++)
        if (cells[i].dimension == smallest) {
            total += cells[i].y - out->x.value * cells[i].x;
            n += 1.0;
        }
    out->constant = total / n;
    free(r.x);
    free(r.y);
    return STATUS_OK;
}
