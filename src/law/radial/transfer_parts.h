/* Parts of law/radial/transfer.h: maps with noise, by quadrature around each point, and without. */
#ifndef LAW_RADIAL_TRANSFER_PARTS_H
#define LAW_RADIAL_TRANSFER_PARTS_H

#include "law/radial/transfer.h"

/* What does not depend on the node, but for the points of one anchor. */
struct radial_terms {
    double variance_from, constant, half, inverse_noise;
};
struct radial_terms radial_terms_of(const struct radial_transfer *transfer, size_t anchor);

/* Arguments as radial_transfer_apply has them. */
MUST_USE enum status radial_noise_apply(const struct radial_transfer *transfer, struct radial_work *work,
                                        size_t order, size_t anchor, size_t count, const double *rho,
                                        double *log_ratio, size_t *hint, struct error *error);
MUST_USE enum status radial_map_apply(const struct radial_transfer *transfer, struct radial_work *work, size_t order,
                                      size_t anchor, double length, size_t count, const double *rho,
                                      double *log_ratio, size_t *hint, struct error *error);

#endif
