#include "sample/estimate.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

#include "core/sum.h"

struct estimate estimate_mean(size_t n, const double *x)
{
    struct sum total = {0}, squares = {0};
    for (size_t i = 0; i < n; i++)
        sum_add(&total, x[i]);
    double mean = sum_value(&total) / (double)n;
    for (size_t i = 0; i < n; i++)
        sum_add(&squares, (x[i] - mean) * (x[i] - mean));
    return (struct estimate){mean, sqrt(sum_value(&squares) / ((double)n - 1.0) / (double)n)};
}

/* The first order of what skewness takes from coverage is skewness^2/n; the factor is from simulations (of
 * weights.h). */
#define WIDENING 10.0

struct estimate estimate_skewed_mean(size_t n, const double *x)
{
    struct estimate mean = estimate_mean(n, x);
    struct sum cubes = {0};
    double sd = mean.error * sqrt((double)n);
    for (size_t i = 0; i < n && sd > 0.0; i++) {
        double u = (x[i] - mean.value) / sd;
        sum_add(&cubes, u * u * u);
    }
    double skewness = sum_value(&cubes) / (double)n;
    mean.error *= sqrt(1.0 + WIDENING * skewness * skewness / (double)n);
    return mean;
}

struct estimate estimate_batches(size_t n, const double *x)
{
    struct estimate mean = estimate_mean(n, x);
    mean.error *= gsl_cdf_tdist_Pinv(0.975, (double)n - 1.0) / gsl_cdf_ugaussian_Pinv(0.975);
    return mean;
}

struct estimate estimate_root(struct estimate x, double scale)
{
    double value = scale * sqrt(fmax(x.value, 0.0));
    return (struct estimate){value, scale * sqrt(fmax(x.value, 0.0) + x.error) - value};
}

struct estimate estimate_pair(struct estimate a, struct estimate b)
{
    return (struct estimate){0.5 * (a.value + b.value), 0.5 * (a.error + b.error)};
}
