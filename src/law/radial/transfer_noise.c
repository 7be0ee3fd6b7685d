/* Given the radius R of x, the sampler's kernel depends on the angle between x and y through exp(M rho cos/v') alone,
 * where (x + D(x))/a has norm M and v' = v/a^2 is the noise: D points along x. So the angle integrates to a Bessel
 * function, and radii are a Markov chain of their own with noncentral chi transitions,
 *     r_{t-1}(rho) = integral r_t(R) p_t(R) k(rho | M(R)) dR/p_{t-1}(rho),
 * with radial densities p. That leaves quadrature in one dimension, over an integrand that is nearly Gaussian on the
 * scale of the noise, in place of two (along y and across, by Gauss-Hermite and generalised Gauss-Laguerre rules; the
 * tests take that route, test/test_radial.c): some ten times fewer nodes, and none that miss the shell when its
 * thickness is far below the noise times sqrt(d).
 *
 * For d = 10^6 the terms of log(p k/p) are of size rho^2/v, 10^8 and more, and what is left of them is of size 1.
 * With R = a rho (1 + u), M = rho (1 + kappa)(1 + u) and V_t - alpha V_{t-1} = 1 - alpha exactly, all that is large
 * is taken out by hand: what remains has terms of size d h at most (h = omega, the step in log noise), so the digits
 * of one evaluation are d h 1e-16. */
#include <math.h>
#include <stdint.h>

#include "core/elementary.h"
#include "core/vmath.h"
#include "law/radial/panels.h"
#include "law/radial/transfer_parts.h"
#include "law/radial/tuning.h"

VECTOR_CLONES static void divide(size_t n, const double *rho, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] /= rho[i];
}

/* kappa of the sampler's map, D(x) = kappa x, at n radii > 0; known is kappa of the score there. */
static void map_kappa(const struct radial_transfer *transfer, struct radial_work *work, size_t n, const double *rho,
                      const double *known, double *out)
{
    struct radial_oracle oracle = *transfer->oracle;
    for (size_t i = 0; i < n && !transfer->stage.moves; i++)
        out[i] = 0.0;
    if (!transfer->stage.moves)
        return;
    oracle.known_rho = transfer->from == oracle.density[0] ? rho : NULL;
    oracle.known_kappa = known;
    transfer->stage.sampler->increment(transfer->stage.step, &oracle.base, n, rho, out, work->work);
    divide(n, rho, out);
}

/* Where the points' quadrature nodes lie: R = a rho (1 + shift + scale z). */
struct places {
    double shift[RADIAL_POINTS], scale[RADIAL_POINTS];
    double tau[RADIAL_POINTS];   /* a rho scale */
    double clear[RADIAL_POINTS]; /* of the origin: its distance from the centre, in units of tau */
};

/* With p locally a Gaussian of variance -1/kappa_p and the map x -> (1 + kappa) x, given y the point x is Gaussian
 * around g y with variance S, 1/S = (1 + kappa)^2/v - kappa_p and g = S (1 + kappa) a/v = a (1 + w): its norm has the
 * square g^2 rho^2 + (d-1) S. This is the forward kernel but for the local error of the sampler. A rule of one node
 * needs w in all its digits where the noise is small. */
VECTOR_CLONES static void place_nodes(double a, double v, double across, size_t n, const double *rho,
                                      const double *kappa_p, const double *kappa, struct places *out)
{
    for (size_t j = 0; j < n; j++) {
        double gain = 1.0 + kappa[j], inverse = 1.0 / (gain * gain - v * kappa_p[j]), S = v * inverse;
        double w = (v * kappa_p[j] - kappa[j] * gain) * inverse, reference = a * rho[j];
        double along = reference * (1.0 + w), outward = across * S, square = along * along + outward;
        double changed = reference * reference * (w * (2.0 + w)) + outward;
        double centre = sqrt(square), sum = centre + reference;
        double sd = sqrt(S * (1.0 - 0.5 * outward / (square + S))), per = 1.0 / (reference * sum);
        out->tau[j] = sd;
        out->clear[j] = centre / sd;
        out->scale[j] = sd * (sum * per);
        out->shift[j] = changed * per;
    }
}

/* The forward kernel's centres. */
VECTOR_CLONES static void set_centres(double a, double across, size_t n, const double *rho, double *x)
{
    for (size_t j = 0; j < n; j++) {
        double square = a * rho[j] * (a * rho[j]), moved = square + across, least = 0.25 * square;
        x[j] = sqrt(moved > least ? moved : least);
    }
}

/* From kappa at the forward kernel's centres. */
static void place_all(const struct radial_transfer *transfer, struct radial_work *work, size_t count,
                      const double *rho, struct places *places)
{
    double a = transfer->stage.a, across = transfer->from->dimension - 1.0;
    set_centres(a, transfer->stage.added * across, count, rho, work->x);
    radial_level_evaluate(transfer->from, 0, count, work->x, NULL, work->kappa);
    map_kappa(transfer, work, count, work->x, work->kappa, work->map);
    place_nodes(a, transfer->stage.noise, across, count, rho, work->kappa, work->map, places);
}

/* kappa of the map's norm |1 + kappa| R, on which alone the kernel depends. */
static inline double reflected(double kappa)
{
    double other = -2.0 - kappa, folded = kappa > other ? kappa : other, least = -1.0 + 1e-12;
    return folded > least ? folded : least;
}

/* Where nodes are, row after row of a rule's nodes: R = a rho (1 + u). */
VECTOR_CLONES static void set_nodes(double a, const struct quadrature *rule, size_t count, const double *rho,
                                    const double *shift, const double *scale, double *u, double *x)
{
    for (size_t i = 0; i < rule->n; i++, u += count, x += count) {
        double node = rule->node[i];
        for (size_t j = 0; j < count; j++) {
            u[j] = shift[j] + scale[j] * node;
            x[j] = a * rho[j] * (1.0 + u[j]);
        }
    }
}

/* Of points: (a rho)^2, and what is left of their nodes' exponents. */
struct points {
    double square[RADIAL_POINTS], constant[RADIAL_POINTS];
};

VECTOR_CLONES static void set_points(const struct radial_transfer *transfer, const struct radial_terms *terms,
                                     size_t anchor, size_t count, const double *rho, const double *tau,
                                     const double *excess, struct points *out)
{
    double a = transfer->stage.a, root = 1.0 / sqrt(transfer->stage.noise), constant = terms->constant;
    double gaussian = 0.5 * transfer->stage.added * transfer->to->inverse_variance[anchor] / terms->variance_from;
    for (size_t j = 0; j < count; j++) {
        out->square[j] = a * rho[j] * (a * rho[j]);
        out->constant[j] = gaussian * (rho[j] * rho[j]) + constant - excess[j] + log_of(tau[j] * root);
    }
}

/* Adds to a row of log r all of log c but the Bessel function and (nu + 1/2) log1p((u - kappa)/(1 + kappa)), and
 * leaves their arguments: the latter's numerator in u, its denominator in kappa. */
static inline void add_row(const struct radial_terms *terms, double node, size_t count, const struct points *points,
                           const double *restrict excess, double *restrict u, double *restrict kappa,
                           double *restrict argument, double *restrict value)
{
    const struct radial_terms of = *terms;
    double inverse_variance = 1.0 / of.variance_from, curvature = 0.5 * node * node;
    for (size_t j = 0; j < count; j++) {
        double k = reflected(kappa[j]), moved = u[j] + k + u[j] * k, B = points->square[j];
        value[j] += (points->constant[j] + curvature) + excess[j]
                    - 0.5 * B * (inverse_variance * u[j] * (2.0 + u[j]) + of.inverse_noise * moved * moved);
        argument[j] = B * of.inverse_noise * (1.0 + moved);
        u[j] -= k;
        kappa[j] = 1.0 + k;
    }
}

VECTOR_CLONES static void add_terms(const struct radial_terms *terms, const struct quadrature *rule, size_t count,
                                    const struct points *points, const struct radial_work *work)
{
    for (size_t i = 0; i < rule->n; i++) {
        size_t at = i * count;
        add_row(terms, rule->node[i], count, points, work->excess + at, work->relative + at, work->map + at,
                work->kappa + at, work->value + at);
    }
}

VECTOR_CLONES static void add_expm1(const struct quadrature *rule, size_t count, const double *value, double *mean)
{
    for (size_t i = 0; i < rule->n; i++, value += count) {
        double weight = rule->weight[i];
        for (size_t j = 0; j < count; j++)
            mean[j] += weight * expm1_of(value[j]);
    }
}

/* The largest exponent of each point, and the sum of exponentials relative to it. */
VECTOR_CLONES static void add_exp(const struct quadrature *rule, size_t count, const double *value, double *largest,
                                  double *total)
{
    for (size_t j = 0; j < count; j++)
        largest[j] = value[j];
    for (size_t i = 1; i < rule->n; i++)
        for (size_t j = 0; j < count; j++)
            largest[j] = value[i * count + j] > largest[j] ? value[i * count + j] : largest[j];
    for (size_t i = 0; i < rule->n; i++, value += count) {
        double weight = rule->weight[i];
        for (size_t j = 0; j < count; j++)
            total[j] += weight * exp_of(value[j] - largest[j]);
    }
}

/* log(sum_i w_i exp(e_i)) where r is less than half. */
static void log_mean_exp(const struct radial_work *work, const struct quadrature *rule, size_t count,
                         const double *mean, double *log_ratio)
{
    double largest[RADIAL_POINTS], total[RADIAL_POINTS] = {0.0};
    add_exp(rule, count, work->value, largest, total);
    vlog(count, total, total);
    for (size_t j = 0; j < count; j++)
        log_ratio[j] = mean[j] < -0.5 ? largest[j] + total[j] : log_ratio[j];
}

/* r - 1 = sum_i w_i expm1(e_i), where it has not lost its digits; exponents in work->value. `missing` is 1 minus the
 * sum of the weights: not 0 where the rule ends at the origin. */
static void average(struct radial_work *work, const struct quadrature *rule, size_t count, double missing,
                    double *log_ratio)
{
    double mean[RADIAL_POINTS] = {0.0};
    uint64_t small = 0;
    if (count > 1)
        add_expm1(rule, count, work->value, mean);
    else {
        vexpm1(rule->n, work->value, work->x);
        for (size_t i = 0; i < rule->n; i++)
            mean[0] += rule->weight[i] * work->x[i];
    }
    for (size_t j = 0; j < count; j++) {
        mean[j] -= missing;
        small += mean[j] < -0.5 ? 1u : 0u;
    }
    vlog1p(count, mean, log_ratio);
    work->node_updates += rule->n * count;
    if (small > 0)
        log_mean_exp(work, rule, count, mean, log_ratio);
}

/* Nodes of points from `first` on that are clear of the origin, by one rule for all of them. */
static void apply_clear(const struct radial_transfer *transfer, struct radial_work *work,
                        const struct quadrature *rule, size_t anchor, size_t count, const double *rho,
                        const struct places *places, size_t first, double *log_ratio, size_t *hint)
{
    size_t batch = rule->n * count;
    double excess[RADIAL_POINTS];
    struct points points;
    struct radial_terms terms = radial_terms_of(transfer, anchor);
    rho += first;
    radial_level_evaluate(transfer->to, anchor, count, rho, excess, NULL);
    set_points(transfer, &terms, anchor, count, rho, places->tau + first, excess, &points);
    set_nodes(transfer->stage.a, rule, count, rho, places->shift + first, places->scale + first, work->relative,
              work->x);
    radial_level_evaluate(transfer->from, anchor, batch, work->x, work->excess, work->kappa);
    map_kappa(transfer, work, batch, work->x, work->kappa, work->map);
    for (size_t at = 0, run = count == 1 ? rule->n : count; at < batch; at += run)
        radial_panels_evaluate(transfer->grid, run, work->x + at, work->value + at, hint);
    add_terms(&terms, rule, count, &points, work);
    bessel_add_with_power(&work->bessel, batch, work->kappa, work->relative, work->map, work->value);
    average(work, rule, count, 0.0, log_ratio + first);
}

/* Adds to log r at nodes R all of log c but the Bessel function, and leaves its argument in kappa; M = |1 + kappa|
 * R/a. */
VECTOR_CLONES static void add_near(const struct quadrature *rule, double constant, double rho, double root, double a,
                                   const struct radial_terms *terms, const struct radial_work *work)
{
    const double *restrict node = rule->node, *restrict R = work->x, *restrict map = work->map,
                           *restrict excess = work->excess;
    double *restrict argument = work->kappa, *restrict value = work->value;
    double inverse = 1.0 / root, curvature = 0.5 / terms->variance_from, power = 2.0 * terms->half;
    for (size_t i = 0, n = rule->n; i < n; i++) {
        double M = fabs(1.0 + map[i]) * R[i] / a, missed = (rho - M) * inverse;
        argument[i] = rho * M * (inverse * inverse);
        value[i] += constant + excess[i] + 0.5 * node[i] * node[i] - 0.5 * missed * missed - curvature * R[i] * R[i]
                    + power * log_of(R[i] * inverse);
    }
}

/* One point whose nodes R = a rho (1 + shift) + tau z run up to the origin: no relative change to build on, but
 * nothing is large either, and the density of the radius has no singularity on its side of the origin. */
static void apply_near(const struct radial_transfer *transfer, struct radial_work *work,
                       const struct quadrature *rule, size_t anchor, double rho, double shift, double tau,
                       double *log_ratio, size_t *hint)
{
    struct radial_terms terms = radial_terms_of(transfer, anchor);
    double excess, centre = transfer->stage.a * rho * (1.0 + shift),
                   root = sqrt(transfer->stage.noise) / transfer->stage.a;
    radial_level_evaluate(transfer->to, anchor, 1, &rho, &excess, NULL);
    double constant = terms.constant - transfer->from->dimension * log(transfer->stage.a) - excess
                      + 0.5 * rho * rho * transfer->to->inverse_variance[anchor] + log(tau / root)
                      + 0.5 * log(2.0 * M_PI);
    for (size_t i = 0; i < rule->n; i++)
        work->x[i] = centre + tau * rule->node[i];
    radial_level_evaluate(transfer->from, anchor, rule->n, work->x, work->excess, work->kappa);
    map_kappa(transfer, work, rule->n, work->x, work->kappa, work->map);
    radial_panels_evaluate(transfer->grid, rule->n, work->x, work->value, hint);
    add_near(rule, constant, rho, root, transfer->stage.a, &terms, work);
    bessel_log_entire(&work->bessel, rule->n, work->kappa, work->excess);
    double total = 0.0;
    for (size_t i = 0; i < rule->n; i++) {
        work->value[i] += work->excess[i];
        total += rule->weight[i];
    }
    average(work, rule, 1, 1.0 - total, log_ratio);
}

/* Nodes a scale that pieces get at a order: enough for as many digits as the orders of `rules` give. */
static double node_density(const struct quadrature *order, size_t index)
{
    double reach = order->node[order->n - 1] - order->node[0];
    return order->n > 60 ? 1.2 * (double)order->n / reach : 1.6 + 0.16 * (double)index;
}

/* Appends Gauss-Legendre nodes on [from, to], weighted by the normal density, to the split rule. */
static enum status append_piece(struct radial_work *work, size_t order, double from, double to, struct error *error)
{
    double wanted = 8.0 + (to - from) * node_density(&work->rules->order[order], order);
    size_t parts = (size_t)ceil(wanted / (8.0 * PIECE_COUNTS));
    size_t index = (size_t)ceil(wanted / (8.0 * (double)parts)) - 1;
    index = index < PIECE_COUNTS ? index : PIECE_COUNTS - 1;
    struct quadrature *piece = &work->piece[index];
    if (piece->node == NULL)
        TRY(quadrature_legendre(8 * (index + 1), piece, error));
    quadrature_append(piece, parts, from, to, &work->split);
    return STATUS_OK;
}

/* The breaks that the nodes of a point reach, in units of its scale. */
static size_t breaks_in_reach(const struct radial_transfer *transfer, double rho, const struct places *places,
                              size_t j, double *z)
{
    size_t count = 0;
    if (transfer->breaks == 0)
        return 0;
    double centre = transfer->stage.a * rho * (1.0 + places->shift[j]);
    for (size_t b = 0; b < transfer->breaks; b++) {
        double at = (transfer->at[b] - centre) / places->tau[j];
        if (fabs(at) < transfer->reach)
            z[count++] = at;
    }
    return count;
}

/* A point whose rule is cut, at the origin or at breaks. */
static enum status apply_split(const struct radial_transfer *transfer, struct radial_work *work, size_t order,
                               size_t anchor, const double *rho, const struct places *places, size_t j, size_t breaks,
                               const double *at, double *log_ratio, size_t *hint, struct error *error)
{
    double reach = breaks > 0 ? transfer->reach : RADIAL_REACH, shift = places->shift[j], tau = places->tau[j],
           centre = transfer->stage.a * rho[j] * (1.0 + shift);
    double from = fmax(-reach, -centre / tau);
    work->split.n = 0;
    for (size_t b = 0; b <= breaks; b++) {
        double to = b < breaks ? fmin(fmax(at[b], from), reach) : reach;
        if (to > from)
            TRY(append_piece(work, order, from, to, error));
        from = to;
    }
    if (places->clear[j] < RADIAL_ORIGIN_CLEAR)
        apply_near(transfer, work, &work->split, anchor, rho[j], shift, tau, log_ratio + j, hint);
    else
        apply_clear(transfer, work, &work->split, anchor, 1, rho, places, j, log_ratio, hint);
    return STATUS_OK;
}

enum status radial_noise_apply(const struct radial_transfer *transfer, struct radial_work *work, size_t order,
                               size_t anchor, size_t count, const double *rho, double *log_ratio, size_t *hint,
                               struct error *error)
{
    const struct quadrature *rule = &work->rules->order[order];
    size_t together = MOST_RULE_NODES * PANEL_NODES / rule->n;
    double z[MOST_RADIAL_BREAKS], clear = fmax(RADIAL_ORIGIN_CLEAR, rule->node[rule->n - 1] + RADIAL_ORIGIN_MARGIN);
    struct places places;
    enum status status = STATUS_OK;
    place_all(transfer, work, count, rho, &places);
    for (size_t j = 0, next; j < count && status == STATUS_OK; j = next) {
        size_t breaks = breaks_in_reach(transfer, rho[j], &places, j, z);
        next = j + 1;
        if (places.clear[j] < clear || breaks > 0) {
            status = apply_split(transfer, work, order, anchor, rho, &places, j, breaks, z, log_ratio, hint, error);
            continue;
        }
        while (next < count && next - j < together && places.clear[next] >= clear
               && breaks_in_reach(transfer, rho[next], &places, next, z) == 0)
            next++;
        apply_clear(transfer, work, rule, anchor, next - j, rho, &places, j, log_ratio, hint);
    }
    return status;
}
