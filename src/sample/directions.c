#include "sample/directions.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/memory.h"
#include "sample/projected.h"

/* A direction being made, at the place where it stays if it is new. */
static double *next(struct directions *directions)
{
    return directions->unit + directions->count * directions->dimension;
}

/* Makes the next direction one of length 1; 0 if it has none. Scaled first, so that no square overflows or vanishes.
 */
static bool normalise(size_t d, double *u)
{
    double largest = 0.0, square = 0.0;
    for (size_t i = 0; i < d; i++)
        largest = fmax(largest, fabs(u[i]));
    if (!(largest > 0.0) || !isfinite(largest))
        return false;
    for (size_t i = 0; i < d; i++) {
        u[i] /= largest;
        square += u[i] * u[i];
    }
    for (size_t i = 0; i < d; i++)
        u[i] /= sqrt(square);
    return true;
}

/* Whether the next direction, or its opposite, is among the first already. */
static bool known(const struct directions *directions, const double *u)
{
    size_t d = directions->dimension;
    for (size_t k = 0; k < directions->count; k++) {
        double product = 0.0;
        for (size_t i = 0; i < d; i++)
            product += u[i] * directions->unit[k * d + i];
        if (fabs(product) > 1.0 - 1e-12)
            return true;
    }
    return false;
}

/* Keeps the next direction if it is one, and new. */
static void keep(struct directions *directions)
{
    double *u = next(directions);
    if (normalise(directions->dimension, u) && !known(directions, u))
        directions->count++;
}

/* The axes of copy `copy` of every group that has so many, up to DIRECTIONS_MOST_AXES in all. */
static void add_axes(const struct factor_list *list, size_t copy, struct directions *directions)
{
    size_t start = 0;
    for (size_t g = 0; g < list->count; g++) {
        size_t copies = (size_t)list->group[g].multiplicity, n = list->group[g].factor.dimension;
        for (size_t i = 0; copy < copies && i < n && directions->count < DIRECTIONS_MOST_AXES; i++) {
            double *u = next(directions);
            memset(u, 0, directions->dimension * sizeof *u);
            u[start + copy * n + i] = 1.0;
            keep(directions);
        }
        start += copies * n;
    }
}

/* Between the means of components a < b of the first copy of a factor that starts at coordinate `start`. */
static void add_differences(const struct factor *factor, size_t start, size_t most, struct directions *directions)
{
    size_t n = factor->dimension;
    for (size_t a = 0; a < factor->components; a++)
        for (size_t b = a + 1; b < factor->components && directions->count < most; b++) {
            double *u = next(directions);
            memset(u, 0, directions->dimension * sizeof *u);
            for (size_t i = 0; i < n; i++)
                u[start + i] = factor->mean[b * n + i] - factor->mean[a * n + i];
            keep(directions);
        }
}

/* (1, ..., 1) over the first copy of products of atoms: along it is the law of their magnetisation. */
static void add_sum(const struct factor *factor, size_t start, struct directions *directions)
{
    double *u = next(directions);
    for (size_t i = 0; i < directions->dimension; i++)
        u[i] = i >= start && i < start + factor->dimension ? 1.0 : 0.0;
    keep(directions);
}

enum status directions_new(const struct factor_list *list, size_t random, const double *normal,
                           struct directions *out, struct error *error)
{
    enum { MOST = DIRECTIONS_MOST_AXES + DIRECTIONS_MOST_DIFFERENCES };
    size_t d, start = 0;
    *out = (struct directions){0};
    TRY(projected_dimension(list, &d, error));
    size_t most_of_all = random < SIZE_MAX / 2 ? random + MOST + list->count + 1 : SIZE_MAX;
    if ((d > 0 && most_of_all > SIZE_MAX / sizeof(double) / d)
        || (out->unit = array_new(most_of_all * d, sizeof(double))) == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu directions in dimension %zu", random, d);
    out->dimension = d;
    for (size_t copy = 0; copy < DIRECTIONS_MOST_AXES; copy++)
        add_axes(list, copy, out);
    size_t most = out->count + DIRECTIONS_MOST_DIFFERENCES;
    for (size_t g = 0; g < list->count; g++) {
        const struct factor *factor = &list->group[g].factor;
        if (factor->dimension > 1 && factor->mean != NULL && list->group[g].multiplicity > 0.0)
            add_differences(factor, start, most, out);
        if (factor_tilts(factor) != NULL && list->group[g].multiplicity > 0.0) {
            add_sum(factor, start, out);
            random = 0; /* along others their law is not known */
        }
        start += (size_t)list->group[g].multiplicity * factor->dimension;
    }
    for (size_t k = 0; k < random; k++) {
        double *u = next(out);
        memcpy(u, normal + k * d, d * sizeof *u);
        out->count += normalise(d, u) ? 1 : 0;
    }
    return STATUS_OK;
}

void directions_free(struct directions *directions)
{
    free(directions->unit);
    *directions = (struct directions){0};
}
