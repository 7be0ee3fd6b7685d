#include <math.h>
#include <stdbool.h>

#include "core/legendre.h"
#include "core/sum.h"
#include "core/vmath.h"
#include "law/line/transfer_parts.h"
#include "law/line/tuning.h"
#include "law/tuning.h"

/* What a rule asks of its cells: no longer than `longest` tau, over which x + D goes through at most `range` standard
 * deviations of the noise and D has a tail of Legendre coefficients below `tail` of them over the cell's length in
 * tau; or so short that what it holds is less than what such a tail does. */
static const struct demand {
    double longest, range, tail;
} demands[] = {{2.5, 3.0, 1e-2}, {2.3, 2.5, 1e-3}, {2.1, 2.1, 1e-4},
               {1.9, 1.8, 1e-5}, {1.7, 1.5, 1e-6}, {1.5, 1.3, 1e-7}};
_Static_assert(TRANSFER_ORDERS == TRANSFER_FIRST_CELLS + sizeof demands / sizeof demands[0], "one for each order");

void transfer_cell_rule_init(struct cell_rule *rule)
{
    struct sum beyond = {-2.0, 0.0};
    legendre_rule(CELL_NODES, rule->node, rule->weight);
    for (size_t i = 0; i < CELL_NODES; i++)
        sum_add(&beyond, rule->weight[i]);
    rule->missing = INVERSE_ROOT_2PI_REST - 0.5 * sum_value(&beyond);
    for (size_t i = 0; i < CELL_NODES; i++) {
        double before = 0.0, P = 1.0;
        for (size_t k = 0; k < CELL_NODES; k++) { /* P = P_k */
            if (k + CELL_TAIL >= CELL_NODES)
                rule->tail[k + CELL_TAIL - CELL_NODES][i] = ((double)k + 0.5) * rule->weight[i] * P;
            double next = ((2.0 * (double)k + 1.0) * rule->node[i] * P - (double)k * before) / ((double)k + 1.0);
            before = P;
            P = next;
        }
    }
}

/* Cells that are being made for some points of one anchor and component. */
struct making {
    const struct transfer *transfer;
    struct transfer_work *work;
    const struct reference *reference;
    const struct demand *demand;
    size_t anchor, *hint;
    size_t most;    /* cells */
    double largest; /* |D| so far */
};

/* The left (0) or right (1) end of panel p of log r. */
static double panel_end(const struct making *making, size_t p, int side)
{
    const struct panel *panel = &making->transfer->grid->panel[p];
    return panel->centre + mixture_level_centre(making->transfer->from, panel->anchor, making->anchor)
           + (side == 0 ? -panel->half_width : panel->half_width);
}

static inline double cell_node(const struct cell *cell, double node)
{
    return 0.5 * (cell->from + cell->to) + 0.5 * (cell->to - cell->from) * node;
}

/* What that loses by rounding, which is relative to the place and not to the noise: the weights are those of the
 * exact place. */
static inline double cell_node_error(const struct cell *cell, double node)
{
    double centre = 0.5 * (cell->from + cell->to), offset = 0.5 * (cell->to - cell->from) * node;
    return 0.5 * sum_error(cell->from, cell->to) + sum_error(centre, offset);
}

/* The integrand at the nodes of `count` ascending cells, in the workspace. */
static void evaluate(const struct making *making, size_t count, const struct cell *cell)
{
    const struct transfer *transfer = making->transfer;
    struct transfer_work *work = making->work;
    for (size_t c = 0; c < count; c++)
        for (size_t i = 0; i < CELL_NODES; i++)
            work->x[c * CELL_NODES + i] = cell_node(&cell[c], work->cell_rule.node[i]);
    transfer_nodes(transfer, work, making->reference, making->anchor, count * CELL_NODES);
    panels_evaluate(transfer->grid, transfer->from, making->anchor, count * CELL_NODES, work->x, work->exponent,
                    making->hint);
    work->node_updates += count * CELL_NODES;
}

/* Whether a cell, the c-th in the workspace, has no mass of any component, in units of that component. */
static bool is_negligible(const struct making *making, size_t c, const struct cell *cell)
{
    const struct transfer *transfer = making->transfer;
    const struct transfer_work *work = making->work;
    double own[CELL_NODES], largest = -HUGE_VAL;
    for (size_t i = 0; i < CELL_NODES; i++)
        own[i] = work->log_offset[c * CELL_NODES + i];
    transfer_log_own(transfer, making->anchor, CELL_NODES, work->x + c * CELL_NODES, own);
    for (size_t i = 0; i < CELL_NODES; i++)
        largest = fmax(largest, work->exponent[c * CELL_NODES + i] + own[i]);
    return largest + log(cell->to - cell->from) < LINE_CELL_NEGLIGIBLE;
}

/* Whether a cell, the c-th in the workspace, resolves D, or need not. */
static bool is_resolved(struct making *making, size_t c, const struct cell *cell)
{
    const double *x = making->work->x + c * CELL_NODES, *D = making->work->increment + c * CELL_NODES;
    double low = HUGE_VAL, high = -HUGE_VAL, tail[CELL_TAIL] = {0.0}, worst = 0.0;
    double noise = sqrt(making->transfer->stage.noise);
    for (size_t i = 0; i < CELL_NODES; i++) {
        low = fmin(low, x[i] + D[i]);
        high = fmax(high, x[i] + D[i]);
        making->largest = fmax(making->largest, fabs(D[i]));
        for (size_t j = 0; j < CELL_TAIL; j++)
            tail[j] += making->work->cell_rule.tail[j][i] * D[i];
    }
    for (size_t j = 0; j < CELL_TAIL; j++)
        worst = fmax(worst, fabs(tail[j]));
    double length = (cell->to - cell->from) / making->transfer->tau;
    return length < LINE_CELL_SHORTEST * making->demand->tail
           || (high - low <= making->demand->range * noise && worst * length <= making->demand->tail * noise)
           || is_negligible(making, c, cell);
}

/* Keeps a cell of the workspace: what its nodes share for all points. */
static void keep(const struct making *making, size_t c, const struct cell *cell)
{
    const struct transfer *transfer = making->transfer;
    struct transfer_work *work = making->work;
    size_t from = c * CELL_NODES, to = work->cells * CELL_NODES;
    double scale = 0.5 * (cell->to - cell->from) / transfer->tau * INVERSE_ROOT_2PI;
    for (size_t i = 0; i < CELL_NODES; i++) {
        double D = work->increment[from + i];
        work->cell_x[to + i] = work->x[from + i];
        work->cell_rest[to + i] = cell_node_error(cell, work->cell_rule.node[i]);
        work->cell_B[to + i] = (work->exponent[from + i] + work->log_offset[from + i]) - transfer->quadratic * D * D;
        work->cell_L[to + i] = transfer->linear * D;
        work->cell_factor[to + i] = scale * work->cell_rule.weight[i] * (1.0 + work->others[from + i]);
        work->cell_base[to + i] = work->exponent[from + i] + work->log_offset[from + i];
    }
    work->cell[work->cells++] = *cell;
}

/* Bisects cells until all are resolved, a generation at a time; false where there is no room for them. */
static bool make_cells(struct making *making, size_t count, struct cell *cell)
{
    enum { TOGETHER = TRANSFER_BLOCK / CELL_NODES };
    struct transfer_work *work = making->work;
    struct cell *next = work->cell_next;
    while (count > 0) {
        size_t halves = 0;
        for (size_t from = 0, n; from < count; from += n) {
            n = count - from < TOGETHER ? count - from : TOGETHER;
            evaluate(making, n, cell + from);
            for (size_t c = 0; c < n; c++) {
                struct cell at = cell[from + c];
                double middle = 0.5 * (at.from + at.to);
                if (is_resolved(making, c, &at)) {
                    if (work->cells == making->most)
                        return false;
                    keep(making, c, &at);
                } else {
                    if (halves + 2 > making->most)
                        return false;
                    next[halves++] = (struct cell){at.from, middle};
                    next[halves++] = (struct cell){middle, at.to};
                }
            }
        }
        struct cell *swapped = cell;
        cell = next;
        next = swapped;
        count = halves;
    }
    return true;
}

/* The first panel that ends beyond x, or their number. */
static size_t panel_beyond(const struct making *making, double x)
{
    const struct panels *grid = making->transfer->grid;
    size_t p = *making->hint < grid->count ? *making->hint : 0;
    while (p > 0 && panel_end(making, p - 1, 1) > x)
        p--;
    while (p < grid->count && !(panel_end(making, p, 1) > x))
        p++;
    return p;
}

/* Makes cells from place `from` to `to`, cut where panels of log r end, so that it is a polynomial in each, and where
 * the map jumps. */
static bool cover(struct making *making, double from, double to)
{
    const struct transfer *transfer = making->transfer;
    const struct breaks *breaks = &transfer->breaks;
    struct cell *cell = making->work->cell_first;
    double shift = mixture_level_centre(transfer->from, 0, making->anchor),
           longest = making->demand->longest * transfer->tau;
    size_t count = 0, jump = 0, p = panel_beyond(making, from);
    for (double start = from, end; start < to; start = end) {
        end = to;
        if (p < transfer->grid->count && start < panel_end(making, p, 0))
            end = fmin(end, panel_end(making, p, 0));
        else if (p < transfer->grid->count)
            end = fmin(end, panel_end(making, p++, 1));
        while (jump < breaks->count && !(breaks->at[jump] + shift > start))
            jump++;
        if (jump < breaks->count && breaks->at[jump] + shift < end) {
            end = breaks->at[jump] + shift;
            p = panel_beyond(making, end);
        }
        if (!(end > start))
            continue;
        size_t parts = (size_t)ceil((end - start) / longest);
        for (size_t i = 0; i < parts; i++) {
            if (count == making->most)
                return false;
            double length = (end - start) / (double)parts;
            cell[count++] = (struct cell){start + (double)i * length, start + (double)(i + 1) * length};
        }
    }
    return make_cells(making, count, cell);
}

/* Cells for points from y to y_last. What a step moves by D comes from as far beyond the noise's reach. */
static bool cells_for(struct making *making, double y, double y_last)
{
    const struct transfer *transfer = making->transfer;
    double from = transfer->stage.a * y - fmax(TRAPEZOID_REACH * transfer->tau, making->work->reach[0]),
           to = transfer->stage.a * y_last + fmax(TRAPEZOID_REACH * transfer->tau, making->work->reach[1]);
    making->work->cells = 0;
    making->largest = 0.0;
    if (!cover(making, from, to))
        return false;
    double further = fmin(making->largest, LINE_CELL_FARTHEST * transfer->tau);
    return cover(making, from - further, from) && cover(making, to, to + further);
}

/* e_i = own + B_i - z (cross + L_i) + curvature z^2 - z^2/2 at the nodes of a cell, z = (x_i + rest_i - centre)/tau;
 * returns the largest. */
VECTOR_CLONES static double set_exponents(const double *x, const double *x_rest, const double *B, const double *L,
                                          double centre, double rest, double inverse_tau, double curvature,
                                          double cross, double own, double *exponent)
{
    double largest = -HUGE_VAL;
    for (size_t i = 0; i < CELL_NODES; i++) {
        double z = ((x[i] - centre) + (x_rest[i] - rest)) * inverse_tau;
        exponent[i] = ((curvature * z - (cross + L[i])) * z + (B[i] + own)) - 0.5 * (z * z);
    }
    for (size_t i = 0; i < CELL_NODES; i++)
        largest = exponent[i] > largest ? exponent[i] : largest;
    return largest;
}

VECTOR_CLONES static double sum_products(size_t n, const double *a, const double *b)
{
    double part[4] = {0.0, 0.0, 0.0, 0.0};
    for (size_t i = 0; i < n; i += 4)
        for (size_t k = 0; k < 4; k++)
            part[k] += a[i + k] * b[i + k];
    return (part[0] + part[1]) + (part[2] + part[3]);
}

/* log r at one point. */
static double at_point(const struct transfer *transfer, struct transfer_work *work, const struct reference *reference,
                       double y, double u, double own_y, double others_y)
{
    double centre = transfer->stage.a * y, rest = product_error(transfer->stage.a, y), cross = reference->cross * u;
    double largest[MOST_CELLS], most = -HUGE_VAL, base = 0.0;
    size_t kept = 0;
    for (size_t c = 0; c < work->cells; c++)
        if (work->cell[c].from <= centre && centre <= work->cell[c].to)
            base = work->cell_base[c * CELL_NODES + CELL_NODES / 2];
    double own = (reference->constant + own_y) - base;
    for (size_t c = 0; c < work->cells; c++) {
        size_t at = c * CELL_NODES;
        largest[c] =
            set_exponents(work->cell_x + at, work->cell_rest + at, work->cell_B + at, work->cell_L + at, centre, rest,
                          1.0 / transfer->tau, reference->curvature, cross, own, work->pairs + at);
        most = fmax(most, largest[c]);
    }
    for (size_t c = 0; c < work->cells; c++) {
        if (largest[c] < most - NEGLIGIBLE_LOG_WEIGHT)
            continue;
        for (size_t i = 0; i < CELL_NODES; i++) {
            work->pairs[kept * CELL_NODES + i] = work->pairs[c * CELL_NODES + i] - most;
            work->cell_chosen[kept * CELL_NODES + i] = work->cell_factor[c * CELL_NODES + i];
        }
        kept++;
    }
    vexp(kept * CELL_NODES, work->pairs, work->pairs);
    work->exponentials += kept * CELL_NODES;
    work->node_updates += kept * CELL_NODES;
    double total = sum_products(kept * CELL_NODES, work->cell_chosen, work->pairs);
    return base + most + (log(total / (1.0 + others_y)) + work->cell_rule.missing);
}

void transfer_cells_apply(const struct transfer *transfer, struct transfer_work *work, size_t order, size_t anchor,
                          size_t dominant, size_t count, const double *y, double *log_ratio, size_t *hint)
{
    struct points points;
    struct reference reference = transfer_reference(transfer, anchor, dominant);
    struct making making = {.transfer = transfer,
                            .work = work,
                            .reference = &reference,
                            .demand = &demands[order - TRANSFER_FIRST_CELLS],
                            .anchor = anchor,
                            .hint = hint};
    transfer_points(transfer, &reference, anchor, count, y, &points);
    for (size_t j = 0, n; j < count; j += n) {
        making.most = CELLS_TOGETHER;
        for (n = count - j; n > 1 && !cells_for(&making, y[j], y[j + n - 1]); n = (n + 1) / 2)
            ;
        making.most = MOST_CELLS;
        if (n == 1 && !cells_for(&making, y[j], y[j])) {
            log_ratio[j] = NAN; /* and the law is refused */
            continue;
        }
        for (size_t k = j; k < j + n; k++)
            log_ratio[k] = at_point(transfer, work, &reference, y[k], points.u[k], points.own[k], points.others[k]);
        work->exponentials += n * (1 + mixture_exponentials(transfer->to));
    }
}
