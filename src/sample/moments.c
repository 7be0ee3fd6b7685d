#include "sample/moments.h"

#include <math.h>
#include <stdint.h>

#include "core/memory.h"
#include "core/sum.h"

void moments_of(size_t n, const double *x, struct estimate *mean, struct estimate *variance)
{
    struct sum second = {0}, fourth = {0};
    double count = (double)n;
    *mean = estimate_mean(n, x);
    for (size_t j = 0; j < n; j++) {
        double square = (x[j] - mean->value) * (x[j] - mean->value);
        sum_add(&second, square);
        sum_add(&fourth, square * square);
    }
    double s2 = sum_value(&second) / (count - 1.0);
    /* Var s^2 = (mu_4 - sigma^4 (n - 3)/(n - 1))/n */
    double of_variance = (sum_value(&fourth) / count - s2 * s2 * (count - 3.0) / (count - 1.0)) / count;
    *variance = (struct estimate){s2, sqrt(fmax(of_variance, 0.0))};
}

static size_t nearest_mean(const struct factor *factor, double root_alpha_bar, size_t stride, const double *y)
{
    size_t best = 0;
    double least = HUGE_VAL;
    for (size_t k = 0; k < factor->components; k++) {
        double square = 0.0;
        for (size_t i = 0; i < factor->dimension; i++) {
            double mean = factor->mean != NULL ? factor->mean[k * factor->dimension + i] : 0.0;
            double u = y[i * stride] - root_alpha_bar * mean;
            square += u * u;
        }
        if (square < least) {
            least = square;
            best = k;
        }
    }
    return best;
}

enum status moments_modes(const struct factor *factor, const struct level *level, size_t n, size_t stride,
                          const double *y, struct estimate *out, struct error *error)
{
    size_t *count = array_new(factor->components, sizeof *count);
    if (count == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu modes", factor->components);
    for (size_t j = 0; j < n; j++)
        count[nearest_mean(factor, sqrt(level->alpha_bar), stride, y + j)]++;
    for (size_t k = 0; k < factor->components; k++) {
        double share = (double)count[k] / (double)n, smoothed = ((double)count[k] + 0.5) / ((double)n + 1.0);
        out[k] = (struct estimate){share, sqrt(smoothed * (1.0 - smoothed) / (double)n)};
    }
    free(count);
    return STATUS_OK;
}
