#include "model/spectra.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

#include "core/memory.h"

/* An eigenvalue that is negative by no more than this part of the largest is 0. */
#define ROUNDING 1e-12

/* One below this part of the largest is what rounding of the entries makes of 0: a degenerate direction. */
#define RANK_ROUNDING (16.0 * 0x1p-52)

static bool is_diagonal(const struct covariances *full, size_t n)
{
    for (size_t e = 0; e < full->count * n * n; e++)
        if (e % (n * n) % (n + 1) != 0 && full->entry[e] != 0.0)
            return false;
    return true;
}

/* Eigenvectors that are axes, in their order, and eigenvalues that are the entries, to the bit. */
static void take_diagonal(const struct covariances *full, size_t k, struct spectra *out)
{
    size_t n = out->dimension;
    for (size_t i = 0; i < n; i++) {
        out->value[k * n + i] = full->entry[(k * n + i) * n + i];
        out->vector[(k * n + i) * n + i] = 1.0;
    }
}

static enum status decompose(const struct covariances *full, size_t k, struct spectra *out, struct error *error)
{
    size_t n = out->dimension;
    double *value = out->value + k * n, *vector = out->vector + k * n * n;
    double least = HUGE_VAL, most = 0.0;
    if (out->diagonal)
        take_diagonal(full, k, out);
    else
        memcpy(vector, full->entry + k * n * n, n * n * sizeof *vector);
    if (!out->diagonal
        && LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'U', (lapack_int)n, vector, (lapack_int)n, value) != 0)
        return fail_with(error, STATUS_INVALID, "covariance %zu has no eigenvalues: is every entry finite?", k + 1);
    for (size_t i = 0; i < n; i++) {
        least = fmin(least, value[i]);
        most = isnan(value[i]) ? HUGE_VAL : fmax(most, fabs(value[i]));
    }
    if (!(least >= -ROUNDING * most) || !isfinite(most))
        return fail_with(error, STATUS_INVALID, "covariance %zu is not positive semidefinite: an eigenvalue is %g",
                         k + 1, isfinite(most) ? least : most);
    for (size_t i = 0; i < n; i++)
        value[i] = value[i] > (out->diagonal ? 0.0 : RANK_ROUNDING * most) ? value[i] : 0.0;
    return STATUS_OK;
}

enum status spectra_new(const struct covariances *full, size_t dimension, struct spectra **out, struct error *error)
{
    size_t n = dimension, count = full->count;
    struct spectra *spectra = array_new(1, sizeof *spectra);
    *out = spectra;
    if (spectra == NULL || n > SIZE_MAX / sizeof(double) / n / count) {
        spectra_free(spectra);
        *out = NULL;
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu covariances of order %zu", count, n);
    }
    *spectra = (struct spectra){.dimension = n, .count = count, .diagonal = is_diagonal(full, n)};
    spectra->value = array_new(count * n, sizeof(double));
    spectra->variance = array_new(count * n, sizeof(double));
    spectra->vector = array_new(count * n * n, sizeof(double));
    enum status status = STATUS_OK;
    if (spectra->value == NULL || spectra->variance == NULL || spectra->vector == NULL)
        status = fail_with(error, STATUS_MEMORY, "out of memory for %zu covariances of order %zu", count, n);
    for (size_t k = 0; k < count && status == STATUS_OK; k++)
        status = decompose(full, k, spectra, error);
    if (status != STATUS_OK) {
        spectra_free(spectra);
        *out = NULL;
    }
    return status;
}

void spectra_free(struct spectra *spectra)
{
    if (spectra == NULL)
        return;
    free(spectra->value);
    free(spectra->variance);
    free(spectra->vector);
    free(spectra);
}

void spectra_set(struct spectra *spectra, const struct level *level)
{
    for (size_t i = 0; i < spectra->count * spectra->dimension; i++)
        spectra->variance[i] = level->alpha_bar * spectra->value[i] + level->noise;
}

double spectra_log_det(const struct spectra *spectra, size_t k)
{
    double total = 0.0;
    for (size_t i = 0; i < spectra->dimension; i++)
        total += log(2.0 * M_PI * spectra->variance[k * spectra->dimension + i]);
    return total;
}

void spectra_into(const struct spectra *spectra, size_t k, size_t points, const double *x, double *out)
{
    int n = (int)spectra->dimension, columns = (int)points;
    if (spectra->diagonal) {
        memcpy(out, x, spectra->dimension * points * sizeof *out);
        return;
    }
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, n, columns, n, 1.0,
                spectra->vector + k * spectra->dimension * spectra->dimension, n, x, columns, 0.0, out, columns);
}

void spectra_back(const struct spectra *spectra, size_t k, size_t points, double factor, const double *z,
                  double out_factor, double *out)
{
    int n = (int)spectra->dimension, columns = (int)points;
    if (spectra->diagonal) {
        for (size_t i = 0; i < spectra->dimension * points; i++)
            out[i] = (out_factor == 0.0 ? 0.0 : out_factor * out[i]) + factor * z[i];
        return;
    }
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, columns, n, factor,
                spectra->vector + k * spectra->dimension * spectra->dimension, n, z, columns, out_factor, out,
                columns);
}
