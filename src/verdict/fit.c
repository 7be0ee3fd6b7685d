#include "verdict/fit.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_multifit.h>
#include <math.h>

#include "core/memory.h"

enum { FEWEST_CELLS = 4, FEWEST_VALUES = 3, ALL = -1 };

struct plain {
    double a, b, constant, a_error, b_error, rms; /* errors: half widths of 95% intervals */
};

/* Least squares on the cells that `keep` keeps; columns: const, x, and log d if with_d. */
static enum status solve(const struct fit_cell *cells, size_t count, const char *keep, int with_d, struct plain *out,
                         struct error *error)
{
    size_t n = 0, p = with_d ? 3 : 2;
    for (size_t i = 0; i < count; i++)
        n += keep[i] != 0;
    gsl_multifit_linear_workspace *work = gsl_multifit_linear_alloc(n, p);
    gsl_matrix *X = gsl_matrix_alloc(n, p), *covariance = gsl_matrix_alloc(p, p);
    gsl_vector *y = gsl_vector_alloc(n), *c = gsl_vector_alloc(p);
    enum status status = STATUS_OK;
    if (work == NULL || X == NULL || covariance == NULL || y == NULL || c == NULL) {
        status = fail_with(error, STATUS_MEMORY, "out of memory for a fit of %zu cells", n);
    } else {
        double chi2 = 0.0;
        for (size_t i = 0, row = 0; i < count; i++)
            if (keep[i]) {
                gsl_matrix_set(X, row, 0, 1.0);
                gsl_matrix_set(X, row, 1, cells[i].x);
                if (with_d)
                    gsl_matrix_set(X, row, 2, cells[i].log_d);
                gsl_vector_set(y, row++, cells[i].y);
            }
        (void)gsl_multifit_linear(X, y, c, covariance, &chi2, work);
        double t = n > p ? gsl_cdf_tdist_Pinv(0.975, (double)(n - p)) : HUGE_VAL;
        *out = (struct plain){
            .constant = gsl_vector_get(c, 0), .b = gsl_vector_get(c, 1), .a = with_d ? gsl_vector_get(c, 2) : 0.0,
            .b_error = t * sqrt(gsl_matrix_get(covariance, 1, 1)),
            .a_error = with_d ? t * sqrt(gsl_matrix_get(covariance, 2, 2)) : 0.0,
            .rms = sqrt(chi2 / (double)n)};
    }
    gsl_multifit_linear_free(work);
    gsl_matrix_free(X);
    gsl_matrix_free(covariance);
    gsl_vector_free(y);
    gsl_vector_free(c);
    return status;
}

/* How many different values an index takes among the kept cells. */
static size_t different(const struct fit_cell *cells, size_t count, const char *keep, int of_dimension)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        int seen = !keep[i];
        for (size_t j = 0; j < i && !seen; j++)
            seen = keep[j] && (of_dimension ? cells[j].dimension == cells[i].dimension : cells[j].other == cells[i].other);
        found += !seen;
    }
    return found;
}

static size_t mark(const struct fit_cell *cells, size_t count, long without_dimension, long without_other, char *keep)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        keep[i] = (long)cells[i].dimension != without_dimension && (long)cells[i].other != without_other;
        kept += keep[i] != 0;
    }
    return kept;
}

/* Refits without some cells, where enough are left, and widens the shifts. */
static enum status probe(const struct fit_cell *cells, size_t count, long without_dimension, long without_other, char *keep,
                         const struct plain *full, double *shift_a, double *shift_b, struct error *error)
{
    struct plain part;
    size_t kept = mark(cells, count, without_dimension, without_other, keep);
    size_t dimensions = different(cells, count, keep, 1);
    if (kept == count || kept < FEWEST_CELLS - 1 || different(cells, count, keep, 0) < FEWEST_VALUES - 1)
        return STATUS_OK;
    enum status status = solve(cells, count, keep, dimensions > 1, &part, error);
    if (status != STATUS_OK)
        return status;
    if (dimensions > 1)
        *shift_a = fmax(*shift_a, fabs(part.a - full->a));
    *shift_b = fmax(*shift_b, fabs(part.b - full->b));
    return STATUS_OK;
}

enum status fit_exponents(const struct fit_cell *cells, size_t count, size_t extreme, struct fit *out, struct error *error)
{
    *out = (struct fit){.cells = count};
    char *keep = array_new(count, 1);
    if (keep == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a fit of %zu cells", count);
    (void)mark(cells, count, ALL, ALL, keep);
    if (count < FEWEST_CELLS || different(cells, count, keep, 0) < FEWEST_VALUES) {
        out->reason = count == 0 ? "no cell in the window" : "too few cells in the window";
        free(keep);
        return STATUS_OK;
    }
    struct plain full;
    size_t smallest = cells[0].dimension;
    for (size_t i = 1; i < count; i++)
        smallest = cells[i].dimension < smallest ? cells[i].dimension : smallest;
    out->has_d = different(cells, count, keep, 1) > 1;
    enum status status = solve(cells, count, keep, out->has_d, &full, error);
    double shift_a = 0.0, shift_b = 0.0;
    if (status == STATUS_OK)
        status = probe(cells, count, ALL, (long)extreme, keep, &full, &shift_a, &shift_b, error);
    if (status == STATUS_OK && out->has_d)
        status = probe(cells, count, (long)smallest, ALL, keep, &full, &shift_a, &shift_b, error);
    free(keep);
    out->ok = status == STATUS_OK;
    out->d = (struct exponent){full.a, full.a_error + shift_a};
    out->x = (struct exponent){full.b, full.b_error + shift_b};
    out->constant = full.constant;
    out->rms = full.rms;
    return status;
}
