#include "sample/memorised.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/memory.h"

enum { MEDIAN_OF = 256 };

/* |scale x - y|^2, or something above `most` as soon as it is above. */
static double square_within(size_t d, double scale, const double *x, const double *y, double most)
{
    double square = 0.0;
    for (size_t i = 0; i < d && square <= most; i++) {
        double u = scale * x[i] - y[i];
        square += u * u;
    }
    return square;
}

/* Between point k and the nearest that is elsewhere; infinite where none is. */
static double nearest_other(const struct factor *data, size_t k)
{
    const size_t d = data->dimension;
    double least = HUGE_VAL;
    for (size_t j = 0; j < data->components; j++) {
        double square = square_within(d, 1.0, data->mean + j * d, data->mean + k * d, least);
        least = square > 0.0 && square < least ? square : least;
    }
    return sqrt(least);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double memorised_distance(const struct factor *data, const struct level *level)
{
    double distance[MEDIAN_OF];
    const size_t n = data->components, count = n < MEDIAN_OF ? n : MEDIAN_OF;
    for (size_t k = 0; k < count; k++)
        distance[k] = nearest_other(data, k * n / count);
    qsort(distance, count, sizeof *distance, ascending);
    const double median = isfinite(distance[count / 2]) ? distance[count / 2] : 0.0;
    return 0.1 * sqrt(level->alpha_bar) * median + sqrt(level->noise) * (sqrt((double)data->dimension) + 3.0);
}

enum status memorised_share(const struct factor *data, const struct level *level, double distance,
                            const struct points *y, int threads, struct estimate *out, struct error *error)
{
    const size_t d = data->dimension;
    const double scale = sqrt(level->alpha_bar), most = distance * distance;
    size_t within = 0;
    bool memory = true;
#pragma omp parallel num_threads(threads) reduction(+ : within) reduction(&& : memory)
    {
        double *place = array_new(d, sizeof *place);
        memory = place != NULL;
#pragma omp for schedule(static)
        for (size_t j = 0; j < y->n; j++) {
            bool found = false;
            for (size_t i = 0; i < d && place != NULL; i++)
                place[i] = y->x[i * y->n + j];
            for (size_t k = 0; k < data->components && place != NULL && !found; k++)
                found = square_within(d, scale, data->mean + k * d, place, most) <= most;
            within += found ? 1u : 0u;
        }
        free(place);
    }
    if (!memory)
        return fail_with(error, STATUS_MEMORY, "out of memory for a point of %zu coordinates", d);
    const double n = (double)y->n, share = ((double)within + 1.0) / (n + 2.0);
    *out = (struct estimate){(double)within / n, sqrt(share * (1.0 - share) / n)};
    return STATUS_OK;
}
