/* Full covariance matrices by their eigenvectors, which noise levels leave alone: S becomes A S + O I (theory §3). */
#ifndef MODEL_SPECTRA_H
#define MODEL_SPECTRA_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "model/schedule.h"
#include "model/target.h"

struct spectra {
    size_t dimension, count; /* n; matrices */
    bool diagonal;           /* all of them are: eigenvectors are the axes, and nothing is rotated or rounded */
    double *value;           /* eigenvalues, n of each matrix; 0 where rounding of the entries leaves open whether */
    double *vector;          /* n x n of each, row-major; eigenvectors are columns */
    double *variance;        /* A value + O at the present level */
};

/* Errors: STATUS_INVALID for a matrix that is not positive semidefinite; STATUS_MEMORY. Free with spectra_free. */
MUST_USE enum status spectra_new(const struct covariances *full, size_t dimension, struct spectra **out,
                                 struct error *error);
void spectra_free(struct spectra *spectra);
void spectra_set(struct spectra *spectra, const struct level *level);

/* log det(2 pi V) of matrix k at the present level. */
double spectra_log_det(const struct spectra *spectra, size_t k);

/* Rotates `points` columns (row-major n x points, all of a fixed number so that bits do not depend on it): into the
 * eigenvectors' coordinates, or out = out_factor out + factor times the way back. */
void spectra_into(const struct spectra *spectra, size_t k, size_t points, const double *x, double *out);
void spectra_back(const struct spectra *spectra, size_t k, size_t points, double factor, const double *z,
                  double out_factor, double *out);

#endif
