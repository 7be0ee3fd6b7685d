#include <math.h>

#include "core/vmath.h"
#include "law/line/transfer_parts.h"
#include "law/line/tuning.h"

/* Lattices for orders beyond the Gauss-Hermite rules: their spacing in units of tau. */
static const double lattice_spacings[] = {0.68, 0.55, 0.46, 0.36, 0.27, 0.2};
_Static_assert(TRANSFER_FIRST_CELLS == TRANSFER_FIRST_LATTICE + sizeof lattice_spacings / sizeof lattice_spacings[0],
               "a rule for each order");

/* Nodes of one point: a multiple of four. */
static size_t lattice_nodes(double spacing)
{
    return 4 * (size_t)ceil(0.5 * LINE_LATTICE_REACH / spacing);
}

/* What all points of a node share: B and L below, L in the place of D, and 1 + others in that of others. */
VECTOR_CLONES static void set_shared(size_t n, double linear, double quadratic, const double *log_ratio,
                                     const double *log_offset, double *increment, double *others, double *B)
{
    for (size_t i = 0; i < n; i++) {
        double D = increment[i];
        B[i] = (log_ratio[i] + log_offset[i]) - quadratic * D * D;
        increment[i] = linear * D;
        others[i] += 1.0;
    }
}

/* What a point adds to the exponents: e_i = own + B_i - z (cross + L_i) + curvature z^2 - z^2/2,
 * z = (x_i - centre)/tau. */
struct pairs {
    size_t nodes;
    double inverse_tau, curvature;
    const double *centre, *rest, *own, *cross; /* of each point; its centre is the sum of two numbers */
    const size_t *first;                       /* of each point's nodes */
    const double *x, *B, *L;
};

VECTOR_CLONES static void set_pairs(const struct pairs *pairs, size_t count, double *exponent)
{
    double inverse_tau = pairs->inverse_tau, curvature = pairs->curvature;
    for (size_t j = 0; j < count; j++, exponent += pairs->nodes) {
        const double *x = pairs->x + pairs->first[j], *B = pairs->B + pairs->first[j];
        const double *L = pairs->L + pairs->first[j];
        double centre = pairs->centre[j], rest = pairs->rest[j], own = pairs->own[j], cross = pairs->cross[j];
        for (size_t i = 0; i < pairs->nodes; i++) {
            double z = ((x[i] - centre) - rest) * inverse_tau;
            exponent[i] = ((curvature * z - (cross + L[i])) * z + (B[i] + own)) - 0.5 * (z * z);
        }
    }
}

/* total[j] = sum_i factor_i value_ij */
VECTOR_CLONES static void add_pairs(size_t nodes, const size_t *first, size_t count, const double *factor,
                                    const double *value, double *total)
{
    for (size_t j = 0; j < count; j++, value += nodes) {
        double part[4] = {0.0, 0.0, 0.0, 0.0};
        for (size_t i = 0; i < nodes; i += 4)
            for (size_t k = 0; k < 4; k++)
                part[k] += factor[first[j] + i + k] * value[i + k];
        total[j] = (part[0] + part[1]) + (part[2] + part[3]);
    }
}

/* Places the nodes of points from `from` on, as many as there is room for, and those of neighbours on one another's:
 * nodes are whole multiples of the step, exactly. Returns the first point for which there was no room. */
VECTOR_CLONES static size_t place_lattice(double a, double step, size_t nodes, size_t from, size_t count,
                                          const double *y, size_t *first, double *x, size_t *used)
{
    double before = -HUGE_VAL; /* the index of the last point's first node */
    size_t j;
    *used = 0;
    for (j = from; j < count; j++) {
        /* panels' common ends may differ in their last digits */
        double index = floor(a * y[j] / step) - (double)(nodes / 2 - 1);
        index = index > before ? index : before;
        double further = index - before;
        size_t added = further < (double)nodes ? (size_t)further : nodes;
        if (*used + added > TRANSFER_BLOCK || (j - from + 1) * nodes > TRANSFER_PAIRS)
            break;
        first[j] = *used + added - nodes;
        for (size_t i = 0; i < added; i++)
            x[*used + i] = (index + (double)(nodes - added + i)) * step;
        *used += added;
        before = index;
    }
    return j;
}

bool transfer_shares_nodes(const struct transfer *transfer, size_t order, const struct panel *panel)
{
    double farthest = fabs(panel->centre) + panel->half_width;
    return order >= TRANSFER_FIRST_LATTICE && transfer->tau > LINE_LATTICE_NOISE * panel->half_width
           && farthest < 0x1p24 * transfer->tau;
}

/* The trapezoid rule, whose nodes neighbouring points share: what is costly is done once a node, and what is left for
 * each of its points is one exponential. A sum, and not of what differs from 1: log r at the point itself is taken
 * out first, and the rest keeps 16 digits of 1. */
void transfer_lattice_apply(const struct transfer *transfer, struct transfer_work *work, size_t order, size_t anchor,
                            size_t dominant, size_t count, const double *y, double *log_ratio, size_t *hint)
{
    double spacing = lattice_spacings[order - TRANSFER_FIRST_LATTICE];
    size_t first[TRANSFER_POINTS], nodes = lattice_nodes(spacing), used;
    double total[TRANSFER_POINTS], centre[TRANSFER_POINTS], rest[TRANSFER_POINTS];
    double own[TRANSFER_POINTS], cross[TRANSFER_POINTS];
    struct points points;
    struct reference reference = transfer_reference(transfer, anchor, dominant);
    double step = (double)(float)(spacing * transfer->tau); /* few digits, so that its multiples are exact */
    double scale = step / transfer->tau * INVERSE_ROOT_2PI;
    transfer_points(transfer, &reference, anchor, count, y, &points);
    for (size_t j = 0, next; j < count; j = next) {
        next = place_lattice(transfer->stage.a, step, nodes, j, count, y, first, work->x, &used);
        transfer_nodes(transfer, work, &reference, anchor, used);
        panels_evaluate(transfer->grid, transfer->from, anchor, used, work->x, work->exponent, hint);
        set_shared(used, transfer->linear, transfer->quadratic, work->exponent, work->log_offset, work->increment,
                   work->others, work->score);
        for (size_t k = j; k < next; k++) {
            size_t middle = first[k] + nodes / 2;
            centre[k] = transfer->stage.a * y[k];
            rest[k] = product_error(transfer->stage.a, y[k]);
            cross[k] = reference.cross * points.u[k];
            log_ratio[k] = work->exponent[middle] + work->log_offset[middle];
            own[k] = (reference.constant + points.own[k]) - log_ratio[k];
        }
        struct pairs pairs = {.nodes = nodes,
                              .inverse_tau = 1.0 / transfer->tau,
                              .curvature = reference.curvature,
                              .centre = centre + j,
                              .rest = rest + j,
                              .own = own + j,
                              .cross = cross + j,
                              .first = first + j,
                              .x = work->x,
                              .B = work->score,
                              .L = work->increment};
        set_pairs(&pairs, next - j, work->pairs);
        vexp((next - j) * nodes, work->pairs, work->pairs);
        add_pairs(nodes, first + j, next - j, work->others, work->pairs, total + j);
        work->node_updates += used + (next - j) * nodes;
        work->exponentials += (next - j) * nodes;
    }
    for (size_t j = 0; j < count; j++)
        total[j] = total[j] * scale / (1.0 + points.others[j]);
    vlog(count, total, total);
    work->exponentials += count * (1 + mixture_exponentials(transfer->to));
    for (size_t j = 0; j < count; j++)
        log_ratio[j] += total[j] + INVERSE_ROOT_2PI_REST;
}
