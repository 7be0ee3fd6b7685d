/* Parts of law/line/transfer.h: maps without noise; and with noise quadrature around each point, several points at a
 * time, or on lattices that neighbouring points share. */
#ifndef LAW_LINE_TRANSFER_PARTS_H
#define LAW_LINE_TRANSFER_PARTS_H

#include "law/line/transfer.h"

/* The densities' ratio as that of component k: log N(x; m, V) - log N(y; m', V') with u = y - m' and x - m = a u +
 * tau z, where V - a^2 V' is known, and with log(tau^2/v)/2 + log a and the curvature of the noise:
 * constant + curvature z^2 - cross u z + square u^2. */
struct reference {
    size_t component;
    double centre; /* m' */
    double constant, curvature, cross, square;
};
struct reference transfer_reference(const struct transfer *transfer, size_t anchor, size_t k);

/* Points y: u; what the exponents of all their nodes have in common, square u^2 - log_offset(y); and `others` of
 * p'(y). log_offset and others are those of mixture_level_split (model/mixture_level.h): p = w_k N_k exp(log_offset)
 * (1 + others). */
struct points {
    double u[TRANSFER_POINTS], own[TRANSFER_POINTS], others[TRANSFER_POINTS];
};
void transfer_points(const struct transfer *transfer, const struct reference *reference, size_t anchor, size_t count,
                     const double *y, struct points *out);

/* log_offset and others of p, and D, at n nodes work->x. */
void transfer_nodes(const struct transfer *transfer, struct transfer_work *work, const struct reference *reference,
                    size_t anchor, size_t n);

/* Makes log p at n points log max_k p_k over the components, each without its weight; log p of a density stays. */
static inline void transfer_log_own(const struct transfer *transfer, size_t anchor, size_t n, const double *x,
                                    double *log_p)
{
    if (transfer->from->masses == NULL)
        mixture_level_log_own(transfer->from, anchor, n, x, log_p);
}

/* 1/sqrt(2 pi), and what is missing, as a part of it: in every step it would be missing again. */
#define INVERSE_ROOT_2PI 0x1.9884533d43651p-2
#define INVERSE_ROOT_2PI_REST (-6.2473378348613351e-17)

/* a b - fl(a b), exactly (Dekker). */
static inline double product_error(double a, double b)
{
    const double splitter = 0x1p27 + 1.0;
    double p = splitter * a, q = splitter * b, a_high = p - (p - a), b_high = q - (q - b);
    double a_low = a - a_high, b_low = b - b_high;
    return ((a_high * b_high - a * b) + a_high * b_low + a_low * b_high) + a_low * b_low;
}

/* a + b - fl(a + b), exactly (Knuth). */
static inline double sum_error(double a, double b)
{
    double sum = a + b, part = sum - a;
    return (a - (sum - part)) + (b - part);
}

/* Whether points of a panel share nodes, as they may by orders from the first lattice on: the noise is not small
 * beside the panel, as rounding is relative to 1 instead of to the noise, and all multiples of a lattice's step are
 * exact. Elsewhere Gauss-Hermite rules of a few nodes do. */
bool transfer_shares_nodes(const struct transfer *transfer, size_t order, const struct panel *panel);

/* Arguments as transfer_apply has them, with the number of all points. */
void transfer_lattice_apply(const struct transfer *transfer, struct transfer_work *work, size_t order, size_t anchor,
                            size_t dominant, size_t count, const double *y, double *log_ratio, size_t *hint);
/* The same of orders in cells (law/line/transfer_cells.c). */
void transfer_cells_apply(const struct transfer *transfer, struct transfer_work *work, size_t order, size_t anchor,
                          size_t dominant, size_t count, const double *y, double *log_ratio, size_t *hint);
void transfer_cell_rule_init(struct cell_rule *rule);
void transfer_noise_apply(const struct transfer *transfer, struct transfer_work *work, size_t order,
                          const struct transfer_query *query, double *log_ratio, size_t *hint);
MUST_USE enum status transfer_map_apply(const struct transfer *transfer, struct transfer_work *work, size_t order,
                                        const struct transfer_query *query, double *log_ratio, size_t *hint,
                                        struct error *error);

#endif
