#include "model/shape.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"

enum { PER_SD = 3, REACH = 7 * PER_SD /* nodes to either side of a mean, beyond which exp(-49/2) is left out */ };
enum { BAND = 64 }; /* rows that are summed at a time */

enum status shape_new(size_t count, double sd, struct shape *out, struct error *error)
{
    *out = (struct shape){count, array_new(count, sizeof *out->weight), array_new(count, 2 * sizeof *out->mean), sd};
    return out->weight != NULL && out->mean != NULL
               ? STATUS_OK
               : fail_with(error, STATUS_MEMORY, "out of memory for %zu components in the plane", count);
}

void shape_free(struct shape *shape)
{
    free(shape->weight);
    free(shape->mean);
    *shape = (struct shape){0};
}

enum status shape_exists(const struct target *target, size_t dimension, struct error *error)
{
    if (dimension % 2 == 0)
        return STATUS_OK;
    return fail_with(error, STATUS_INVALID, "target %s: %s fills pairs of coordinates, and dimension %zu is odd",
                     target->name, target->family->name, dimension);
}

enum status shape_append(const struct shape *shape, size_t dimension, struct factor_list *list, struct error *error)
{
    double *sd = array_new(shape->count, sizeof *sd);
    if (sd == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu components in the plane", shape->count);
    for (size_t k = 0; k < shape->count; k++)
        sd[k] = shape->sd;
    const struct factor factor = {
        .dimension = 2, .components = shape->count, .weight = shape->weight, .mean = shape->mean, .sd = sd};
    enum status status = factor_list_append(list, &factor, (double)(dimension / 2), error);
    free(sd);
    return status;
}

/* The grid: its first node, in units of its spacing, and its size: that of every mean's nearest node has REACH more
 * to either side. */
struct grid {
    double spacing, first[2];
    size_t size[2];
};

static struct grid grid_of(const struct shape *a, const struct shape *b)
{
    struct grid grid = {.spacing = a->sd / PER_SD};
    for (size_t i = 0; i < 2; i++) {
        double low = HUGE_VAL, high = -HUGE_VAL;
        for (size_t k = 0; k < a->count + b->count; k++) {
            double x = k < a->count ? a->mean[2 * k + i] : b->mean[2 * (k - a->count) + i];
            low = fmin(low, x);
            high = fmax(high, x);
        }
        grid.first[i] = floor(low / grid.spacing) - REACH;
        grid.size[i] = (size_t)fmin((high - low) / grid.spacing, 1e9) + 2 * REACH + 3;
    }
    return grid;
}

/* Adds sign times a shape's density over the grid's cells' area to the rows from `from` on. */
static void add(const struct shape *shape, double sign, const struct grid *grid, size_t from, double *band)
{
    for (size_t k = 0; k < shape->count; k++) {
        double at[2], across[2 * REACH + 1], scale = sign * shape->weight[k] / (2.0 * M_PI * PER_SD * PER_SD);
        long near[2];
        for (size_t i = 0; i < 2; i++) {
            at[i] = shape->mean[2 * k + i] / grid->spacing - grid->first[i];
            near[i] = lround(at[i]);
        }
        if (near[1] + REACH < (long)from || near[1] - REACH >= (long)from + BAND)
            continue;
        for (long j = -REACH; j <= REACH; j++) {
            double u = ((double)(near[0] + j) - at[0]) / PER_SD;
            across[j + REACH] = scale * exp(-0.5 * u * u);
        }
        for (long j = -REACH; j <= REACH; j++) {
            long row = near[1] + j - (long)from;
            if (row < 0 || row >= BAND)
                continue;
            double u = ((double)(near[1] + j) - at[1]) / PER_SD, height = exp(-0.5 * u * u);
            double *out = band + (size_t)row * grid->size[0] + (size_t)(near[0] - REACH);
            for (size_t i = 0; i < 2 * REACH + 1; i++)
                out[i] += height * across[i];
        }
    }
}

double shape_distance(const struct shape *a, const struct shape *b)
{
    const struct grid grid = grid_of(a, b);
    size_t most = (size_t)SHAPE_LARGEST * PER_SD;
    double total = 0.0,
           *band = grid.size[0] < most && grid.size[1] < most ? array_new(grid.size[0] * BAND, sizeof *band) : NULL;
    if (band == NULL)
        return 1.0;
    for (size_t from = 0; from < grid.size[1]; from += BAND) {
        memset(band, 0, grid.size[0] * BAND * sizeof *band);
        add(a, 1.0, &grid, from, band);
        add(b, -1.0, &grid, from, band);
        for (size_t i = 0; i < grid.size[0] * BAND; i++)
            total += fabs(band[i]);
    }
    free(band);
    return fmin(0.5 * total, 1.0);
}
