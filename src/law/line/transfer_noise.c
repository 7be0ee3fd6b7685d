#include <math.h>

#include "core/vmath.h"
#include "law/line/transfer_parts.h"

struct reference transfer_reference(const struct transfer *transfer, size_t anchor, size_t k)
{
    if (transfer->from->masses != NULL) { /* in units of a constant: a density is no component's multiple */
        double log_a = transfer->stage.moves ? 0.5 * transfer->stage.step->log_alpha : 0.0;
        return (struct reference){.component = k,
                                  .centre = mixture_level_centre(transfer->to, k, anchor),
                                  .constant = transfer->log_scale + log_a,
                                  .curvature = transfer->curvature};
    }
    double V = transfer->from->variance[k], V_to = transfer->to->variance[k], a = transfer->stage.a,
           tau = transfer->tau;
    return (struct reference){
        .component = k,
        .centre = mixture_level_centre(transfer->to, k, anchor),
        .constant = transfer->log_scale - 0.5 * log1p(transfer->stage.added / (a * a * V_to)),
        .curvature = transfer->curvature - 0.5 * tau * tau / V,
        .cross = a * tau / V,
        .square = 0.5 * transfer->stage.added / V / V_to,
    };
}

void transfer_points(const struct transfer *transfer, const struct reference *reference, size_t anchor, size_t count,
                     const double *y, struct points *out)
{
    mixture_level_split(transfer->to, anchor, reference->component, count, y, out->own, out->others, NULL);
    for (size_t j = 0; j < count; j++) {
        out->u[j] = y[j] - reference->centre;
        out->own[j] = reference->square * (out->u[j] * out->u[j]) - out->own[j];
    }
}

/* What log(r c) takes from a node z of the rule. */
struct node {
    double constant, cross, linear, quadratic;
};

static inline struct node node_of(const struct transfer *transfer, const struct reference *reference, double z)
{
    return (struct node){reference->constant + reference->curvature * z * z, reference->cross * z,
                         transfer->linear * z, transfer->quadratic};
}

/* log(r c) but for the others' parts. */
static inline double exponent_of(struct node node, double u, double own, double D, double log_ratio,
                                 double log_offset)
{
    return (node.constant + (own - node.cross * u)) - D * (node.linear + node.quadratic * D)
           + (log_ratio + log_offset);
}

/* Makes log r at `count` points, for one node, exponents. */
VECTOR_CLONES static void set_exponents(const struct node *at, size_t count, const struct points *points,
                                        const double *log_offset, const double *increment, double *exponent)
{
    struct node node = *at;
    for (size_t j = 0; j < count; j++)
        exponent[j] = exponent_of(node, points->u[j], points->own[j], increment[j], exponent[j], log_offset[j]);
}

/* The same at `nodes` nodes of one point. */
VECTOR_CLONES static void set_exponents_of_one(const struct transfer *transfer, const struct reference *reference,
                                               size_t nodes, const double *z, const struct points *point,
                                               const double *log_offset, const double *increment, double *exponent)
{
    double u = point->u[0], own = point->own[0], quadratic = transfer->quadratic, linear = transfer->linear;
    double constant = reference->constant, curvature = reference->curvature, cross = reference->cross;
    for (size_t i = 0; i < nodes; i++) {
        struct node node = {constant + curvature * z[i] * z[i], cross * z[i], linear * z[i], quadratic};
        exponent[i] = exponent_of(node, u, own, increment[i], exponent[i], log_offset[i]);
    }
}

/* r c p'(y)/p'_k(y) less the same without r c: (1 + others) exp(exponent) - (1 + others'), which is small. */
static inline double excess(double expm1_exponent, double others, double others_y)
{
    return (1.0 + others) * expm1_exponent + (others - others_y);
}

/* Adds what one node of the rule makes of `count` points to their means. */
VECTOR_CLONES static void add_node(double weight, size_t count, const double *others_y, const double *others,
                                   const double *expm1_exponent, double *mean)
{
    for (size_t j = 0; j < count; j++)
        mean[j] += weight * excess(expm1_exponent[j], others[j], others_y[j]);
}

VECTOR_CLONES static void set_nodes(double a, double tau, size_t nodes, const double *z, size_t count,
                                    const double *y, double *x)
{
    for (size_t i = 0; i < nodes; i++)
        for (size_t j = 0; j < count; j++)
            x[i * count + j] = a * y[j] + tau * z[i];
}

void transfer_nodes(const struct transfer *transfer, struct transfer_work *work, const struct reference *reference,
                    size_t anchor, size_t n)
{
    size_t scores = transfer->stage.moves ? transfer->stage.sampler->score_evaluations : 0;
    int known = transfer->from == transfer->oracle->density[0];
    mixture_level_split(transfer->from, anchor, reference->component, n, work->x, work->log_offset, work->others,
                        transfer->stage.moves ? work->score : NULL);
    if (transfer->stage.moves)
        transfer_increment(transfer, work, anchor, n, work->x, known ? work->score : NULL, work->increment);
    work->exponentials += n * (1 + scores - (size_t)(scores > 0 && known)) * mixture_exponentials(transfer->from);
    for (size_t i = 0; i < n && !transfer->stage.moves; i++)
        work->increment[i] = 0.0;
}

/* The integrand at `nodes` nodes of `count` points, one node after another: exponents, and the others' parts. */
static void visit(const struct transfer *transfer, struct transfer_work *work, const struct reference *reference,
                  size_t anchor, size_t nodes, const double *z, size_t count, const double *y,
                  const struct points *points, size_t *hint)
{
    size_t n = nodes * count;
    set_nodes(transfer->stage.a, transfer->tau, nodes, z, count, y, work->x);
    transfer_nodes(transfer, work, reference, anchor, n);
    /* one point's nodes ascend, and so do all points at one node */
    size_t run = count == 1 ? nodes : count;
    panels_evaluate_rows(transfer->grid, transfer->from, anchor, n / run, run, work->x, work->exponent, hint);
    if (count == 1)
        set_exponents_of_one(transfer, reference, nodes, z, points, work->log_offset, work->increment,
                             work->exponent);
    for (size_t i = 0; i < nodes && count > 1; i++) {
        struct node node = node_of(transfer, reference, z[i]);
        set_exponents(&node, count, points, work->log_offset + i * count, work->increment + i * count,
                      work->exponent + i * count);
    }
    work->node_updates += n;
    work->exponentials += n;
}

/* log(sum_i w_i exp(e_i)) over the rule, for a point where r falls so far that 1 + sum w expm1(e) loses its digits.
 */
static double log_mean_exp(const struct transfer *transfer, struct transfer_work *work, const struct quadrature *rule,
                           const struct reference *reference, size_t anchor, double y, size_t hint)
{
    struct points point;
    double largest = -HUGE_VAL, total = 0.0;
    transfer_points(transfer, reference, anchor, 1, &y, &point);
    for (size_t i = 0; i < rule->n; i += TRANSFER_BLOCK) {
        size_t nodes = rule->n - i < TRANSFER_BLOCK ? rule->n - i : TRANSFER_BLOCK;
        visit(transfer, work, reference, anchor, nodes, rule->node + i, 1, &y, &point, &hint);
        double before = largest;
        for (size_t k = 0; k < nodes; k++)
            largest = fmax(largest, work->exponent[k]);
        total *= before < largest ? exp(before - largest) : 1.0;
        for (size_t k = 0; k < nodes; k++)
            total += rule->weight[i + k] * (1.0 + work->others[k]) * exp(work->exponent[k] - largest);
    }
    return largest + log(total) - log1p(point.others[0]);
}

/* The means over the second reference's density, in units of one component's. Returns the least. */
VECTOR_CLONES static double divide(size_t count, const double *others_y, double *mean)
{
    double least = 0.0;
    for (size_t j = 0; j < count; j++) {
        mean[j] /= 1.0 + others_y[j];
        least = mean[j] < least ? mean[j] : least;
    }
    return least;
}

/* r_{t-1}(y) - 1 = E_z[r_t(x) c_t(x, y) - 1] by one rule for all the points. */
static void average(const struct transfer *transfer, struct transfer_work *work, const struct quadrature *rule,
                    size_t anchor, size_t dominant, size_t count, const double *y, double *log_ratio_y, size_t *hint)
{
    double mean[TRANSFER_POINTS];
    struct points points;
    struct reference reference = transfer_reference(transfer, anchor, dominant);
    size_t together = TRANSFER_BLOCK / count;
    for (size_t j = 0; j < count; j++)
        mean[j] = 0.0;
    transfer_points(transfer, &reference, anchor, count, y, &points);
    for (size_t i = 0; i < rule->n; i += together) {
        size_t nodes = rule->n - i < together ? rule->n - i : together;
        visit(transfer, work, &reference, anchor, nodes, rule->node + i, count, y, &points, hint);
        vexpm1(nodes * count, work->exponent, work->exponent);
        for (size_t k = 0; k < nodes && count > 1; k++)
            add_node(rule->weight[i + k], count, points.others, work->others + k * count, work->exponent + k * count,
                     mean);
        for (size_t k = 0; k < nodes && count == 1; k++)
            mean[0] += rule->weight[i + k] * excess(work->exponent[k], work->others[k], points.others[0]);
    }
    double least = divide(count, points.others, mean);
    vlog1p(count, mean, log_ratio_y);
    work->exponentials += count * (1 + mixture_exponentials(transfer->to));
    for (size_t j = 0; j < count && !(least >= -0.5); j++)
        if (mean[j] < -0.5)
            log_ratio_y[j] = log_mean_exp(transfer, work, rule, &reference, anchor, y[j], *hint);
}

/* The jumps that the noise around x = a y reaches, in units of tau. */
static size_t breaks_in_reach(const struct transfer *transfer, size_t anchor, double y, double *z)
{
    size_t count = 0;
    double shift = mixture_level_centre(transfer->from, 0, anchor);
    for (size_t b = 0; b < transfer->breaks.count; b++) {
        double at = (transfer->breaks.at[b] + shift - transfer->stage.a * y) / transfer->tau;
        if (fabs(at) < transfer->reach)
            z[count++] = at;
    }
    return count;
}

/* Orders of law/quadrature.h where cells do not serve, as D is smooth over many times the width of the noise. */
static const size_t in_place_of_cells[] = {HERMITE_ORDERS - 3, HERMITE_ORDERS - 1, HERMITE_ORDERS + 1,
                                           HERMITE_ORDERS + 2, HERMITE_ORDERS + 4, HERMITE_ORDERS + 7};
_Static_assert(TRANSFER_ORDERS == TRANSFER_FIRST_CELLS + sizeof in_place_of_cells / sizeof in_place_of_cells[0],
               "one for each order");

/* On panels where points share nodes, or on none of which they do. */
static void apply(const struct transfer *transfer, struct transfer_work *work, size_t order, bool shared,
                  const struct panel *panel, size_t count, const double *y, double *log_ratio, size_t *hint)
{
    size_t place = order < TRANSFER_FIRST_CELLS ? order : in_place_of_cells[order - TRANSFER_FIRST_CELLS];
    size_t anchor = panel->anchor, dominant = panel->dominant;
    const struct quadrature *rule = &work->rules->order[place];
    double z[MOST_BREAKS];
    if (shared && order >= TRANSFER_FIRST_CELLS) {
        transfer_cells_apply(transfer, work, order, anchor, dominant, count, y, log_ratio, hint);
        return;
    }
    for (size_t j = 0, next; j < count; j = next) {
        size_t split = breaks_in_reach(transfer, anchor, y[j], z);
        next = j + 1;
        if (split > 0) {
            quadrature_split(work->rules, order, transfer->reach, split, z, &work->split);
            average(transfer, work, &work->split, anchor, dominant, 1, y + j, log_ratio + j, hint);
            continue;
        }
        while (next < count && (transfer->breaks.count == 0 || breaks_in_reach(transfer, anchor, y[next], z) == 0))
            next++;
        if (shared)
            transfer_lattice_apply(transfer, work, order, anchor, dominant, next - j, y + j, log_ratio + j, hint);
        else
            average(transfer, work, rule, anchor, dominant, next - j, y + j, log_ratio + j, hint);
    }
}

void transfer_noise_apply(const struct transfer *transfer, struct transfer_work *work, size_t order,
                          const struct transfer_query *query, double *log_ratio, size_t *hint)
{
    for (size_t p = 0, end; p < query->panels; p = end) {
        bool shared = transfer_shares_nodes(transfer, order, &query->panel[p]);
        for (end = p + 1;
             end < query->panels && transfer_shares_nodes(transfer, order, &query->panel[end]) == shared;)
            end++;
        apply(transfer, work, order, shared, &query->panel[p], (end - p) * query->each, query->y + p * query->each,
              log_ratio + p * query->each, hint);
    }
}
