#include "law/transfer.h"

#include <math.h>

#include "core/memory.h"
#include "core/vmath.h"

static double narrowest_sd(const struct mixture_level *mixture)
{
    double narrowest = mixture->sd[0];
    for (size_t k = 1; k < mixture->factor->components; k++)
        narrowest = fmin(narrowest, mixture->sd[k]);
    return narrowest;
}

/* tau is exact where p is a Gaussian of variance V and D = (1 - alpha) s: v/tau^2 = (1 - beta/V)^2 + v/V = 1 + q. */
static void set_scale(struct transfer *transfer, double v, double V)
{
    const struct step *step = transfer->step;
    double shrink = transfer->moves ? step->beta / V : 0.0, q = v / V - 2.0 * shrink + shrink * shrink;
    double log_alpha = transfer->moves ? step->log_alpha : 0.0;
    transfer->a = exp(0.5 * log_alpha);
    transfer->tau = sqrt(v / (1.0 + q));
    transfer->linear = transfer->tau / v;
    transfer->quadratic = 0.5 / v;
    transfer->curvature = 0.5 * q / (1.0 + q);
    transfer->constant = 0.5 * (log_alpha - log1p(q));
}

void transfer_init(struct transfer *transfer, const struct sampler *sampler, const struct step *step, int before,
                   const struct mixture_level *from, const struct mixture_level *to, const struct panels *grid,
                   struct oracle *oracle)
{
    double (*noise)(const struct step *) = before ? sampler->log_noise_before : sampler->log_noise_ratio;
    *transfer = (struct transfer){.sampler = sampler,
                                  .step = step,
                                  .moves = !before,
                                  .deterministic = noise == NULL,
                                  .from = from,
                                  .to = to,
                                  .grid = grid,
                                  .oracle = oracle,
                                  .a = exp(0.5 * step->log_alpha)};
    double width = narrowest_sd(from);
    if (noise != NULL)
        set_scale(transfer, step->beta * exp(noise(step)), width * width);
}

enum status transfer_work_new(const struct sampler *sampler, const struct rules *rules, struct transfer_work *out,
                              struct error *error)
{
    size_t batch = MOST_RULE_NODES * PANEL_NODES;
    *out = (struct transfer_work){.rules = rules};
    out->block = array_new((6 + sampler->work_arrays) * batch + 2 * MOST_RULE_NODES, sizeof *out->block);
    if (out->block == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for the line engine's workspace");
    out->x = out->block;
    out->log_density = out->x + batch;
    out->score = out->log_density + batch;
    out->increment = out->score + batch;
    out->log_ratio = out->increment + batch;
    out->oracle_work = out->log_ratio + batch;
    out->work = out->oracle_work + batch;
    out->split.node = out->work + sampler->work_arrays * batch;
    out->split.weight = out->split.node + MOST_RULE_NODES;
    return STATUS_OK;
}

void transfer_work_free(struct transfer_work *work)
{
    free(work->block);
    *work = (struct transfer_work){0};
}

static void increment(const struct transfer *transfer, struct transfer_work *work, size_t anchor, size_t n,
                      const double *x, const double *known_score, double *out)
{
    struct oracle *oracle = transfer->oracle;
    oracle->anchor = anchor;
    oracle->work = work->oracle_work;
    oracle->known_x = known_score != NULL ? x : NULL;
    oracle->known_score = known_score;
    transfer->sampler->increment(transfer->step, &oracle->base, n, x, out, work->work);
    oracle->known_x = NULL;
}

/* ---- A map with noise ---- */

VECTOR_CLONES static void add_log_c(size_t count, double z, const struct transfer *transfer, const double *increment,
                                    const double *log_density, const double *log_density_y, double *log_ratio)
{
    double constant = transfer->constant + transfer->curvature * z * z, linear = transfer->linear * z,
           quadratic = transfer->quadratic;
    for (size_t j = 0; j < count; j++)
        log_ratio[j] +=
            (constant - increment[j] * (linear + quadratic * increment[j])) + (log_density[j] - log_density_y[j]);
}

/* log(sum_i w_i exp(e_i)) when r is far below 1 and 1 + sum w expm1(e) has lost its digits. */
static double log_mean_exp(const struct rule *rule, const double *exponent, size_t stride)
{
    double largest = -HUGE_VAL, total = 0.0;
    for (size_t i = 0; i < rule->n; i++)
        largest = fmax(largest, exponent[i * stride]);
    for (size_t i = 0; i < rule->n; i++)
        total += rule->weight[i] * exp(exponent[i * stride] - largest);
    return largest + log(total);
}

/* r_{t-1}(y) - 1 = E_z[r_t(x) c_t(x, y) - 1] by one rule for all the points. */
static void average(const struct transfer *transfer, struct transfer_work *work, const struct rule *rule,
                    size_t anchor, size_t count, const double *y, double *log_ratio_y, size_t *hint)
{
    size_t batch = rule->n * count;
    double log_density_y[TRANSFER_POINTS], mean[TRANSFER_POINTS] = {0.0};
    for (size_t i = 0; i < rule->n; i++)
        for (size_t j = 0; j < count; j++)
            work->x[i * count + j] = transfer->a * y[j] + transfer->tau * rule->node[i];
    mixture_level_evaluate(transfer->from, anchor, batch, work->x, work->log_density, work->score);
    mixture_level_evaluate(transfer->to, anchor, count, y, log_density_y, NULL);
    if (transfer->moves)
        increment(transfer, work, anchor, batch, work->x,
                  transfer->from == transfer->oracle->nominal[0] ? work->score : NULL, work->increment);
    else
        for (size_t i = 0; i < batch; i++)
            work->increment[i] = 0.0;
    /* one point's nodes ascend, and so do all points at one node */
    size_t run = count == 1 ? rule->n : count;
    for (size_t at = 0; at < batch; at += run)
        panels_evaluate(transfer->grid, transfer->from, anchor, run, work->x + at, work->log_ratio + at, hint);
    for (size_t i = 0; i < rule->n; i++)
        add_log_c(count, rule->node[i], transfer, work->increment + i * count, work->log_density + i * count,
                  log_density_y, work->log_ratio + i * count);
    vexpm1(batch, work->log_ratio, work->x);
    for (size_t i = 0; i < rule->n; i++)
        for (size_t j = 0; j < count; j++)
            mean[j] += rule->weight[i] * work->x[i * count + j];
    vlog1p(count, mean, log_ratio_y);
    for (size_t j = 0; j < count; j++)
        if (mean[j] < -0.5)
            log_ratio_y[j] = log_mean_exp(rule, work->log_ratio + j, count);
    work->node_updates += batch;
}

/* The jumps that the noise around x = a y reaches, in units of tau. */
static size_t breaks_in_reach(const struct transfer *transfer, size_t anchor, double y, double *z)
{
    size_t count = 0;
    double shift = mixture_level_centre(transfer->from, 0, anchor);
    for (size_t b = 0; b < transfer->breaks.count; b++) {
        double at = (transfer->breaks.at[b] + shift - transfer->a * y) / transfer->tau;
        if (fabs(at) < transfer->reach)
            z[count++] = at;
    }
    return count;
}

static void apply_noisy(const struct transfer *transfer, struct transfer_work *work, size_t rung, size_t anchor,
                        size_t count, const double *y, double *log_ratio, size_t *hint)
{
    const struct rule *rule = &work->rules->rung[rung];
    size_t together = MOST_RULE_NODES * PANEL_NODES / rule->n;
    together = together < TRANSFER_POINTS ? together : TRANSFER_POINTS;
    double z[MOST_BREAKS];
    for (size_t j = 0, next; j < count; j = next) {
        size_t split = breaks_in_reach(transfer, anchor, y[j], z);
        next = j + 1;
        if (split > 0) {
            rules_split(work->rules, rung, transfer->reach, split, z, &work->split);
            average(transfer, work, &work->split, anchor, 1, y + j, log_ratio + j, hint);
            continue;
        }
        while (next < count && next - j < together && breaks_in_reach(transfer, anchor, y[next], z) == 0)
            next++;
        average(transfer, work, rule, anchor, next - j, y + j, log_ratio + j, hint);
    }
}

/* ---- A map without noise ---- */

enum { STENCIL = 6, MOST_NEWTON = 60 };

/* Spacing of the stencil that differentiates D, in units of the panel's length: its error is (6 * 0.006)^6/140, and
 * rounding 1e-16/0.006, of D'. A higher rung halves it, to tell how good it is. */
#define SPACING 0.006

/* D and D' at x[j]. */
static void differentiate(const struct transfer *transfer, struct transfer_work *work, size_t anchor, double spacing,
                          size_t count, const double *x, double *value, double *slope)
{
    static const double offset[STENCIL] = {-3.0, -2.0, -1.0, 1.0, 2.0, 3.0};
    static const double weight[STENCIL] = {-1.0 / 60.0, 9.0 / 60.0,  -45.0 / 60.0,
                                           45.0 / 60.0, -9.0 / 60.0, 1.0 / 60.0};
    double *points = work->log_density, *D = work->increment;
    for (size_t k = 0; k < STENCIL; k++)
        for (size_t j = 0; j < count; j++)
            points[k * count + j] = x[j] + offset[k] * spacing;
    for (size_t j = 0; j < count; j++)
        points[STENCIL * count + j] = x[j];
    increment(transfer, work, anchor, (STENCIL + 1) * count, points, NULL, D);
    for (size_t j = 0; j < count; j++) {
        slope[j] = 0.0;
        for (size_t k = 0; k < STENCIL; k++)
            slope[j] += weight[k] * D[k * count + j] / spacing;
        value[j] = D[STENCIL * count + j];
    }
}

static enum status folded(const struct transfer *transfer, size_t anchor, double x, struct error *error)
{
    double centre = transfer->from->root_alpha_bar * transfer->from->factor->mean[anchor];
    return fail_with(error, STATUS_NUMERIC,
                     "the map of %s folds at step t = %zu near x = %.4g, or changes faster than the grid resolves: the "
                     "score (with its error) is too steep there, and the law is not computed",
                     transfer->sampler->name, transfer->step->t, x + centre);
}

/* Mass that q may have in a panel where the map is not seen to be monotone: valleys far from all modes, where the
 * panels do not resolve it. It is ignored and counted. */
#define FAINT 1e-8

/* Solves m(x) = (x + D(x))/sqrt(alpha) = y; x starts at sqrt(alpha) y. good[j] is 0 where the map is not monotone. */
static void invert(const struct transfer *transfer, struct transfer_work *work, size_t anchor, double spacing,
                   double length, size_t count, const double *y, double *x, double *slope, int *good)
{
    double D[TRANSFER_POINTS], missed = HUGE_VAL;
    for (size_t j = 0; j < count; j++)
        x[j] = transfer->a * y[j];
    for (int i = 0; i < MOST_NEWTON; i++) {
        double before = missed;
        differentiate(transfer, work, anchor, spacing, count, x, D, slope);
        work->node_updates += (STENCIL + 1) * count;
        missed = 0.0;
        for (size_t j = 0; j < count; j++) {
            double residual = (transfer->a * y[j] - x[j] - D[j]) / length;
            good[j] = slope[j] > -1.0 && fabs(residual) <= 1e-9;
            missed = fmax(missed, fabs(residual));
        }
        if (missed <= 1e-15 || (missed <= 1e-9 && missed >= before))
            break;
        for (size_t j = 0; j < count; j++)
            x[j] += (transfer->a * y[j] - x[j] - D[j]) / fmax(1.0 + slope[j], 0.1);
    }
    for (size_t j = 1; j < count; j++)
        good[j] &= x[j] > x[j - 1] || !good[j - 1];
}

/* r_{t-1}(m(x)) = r_t(x) p_t(x)/(p_{t-1}(m(x)) m'(x)). */
static enum status apply_map(const struct transfer *transfer, struct transfer_work *work, size_t rung, size_t anchor,
                             double length, size_t count, const double *y, double *log_ratio, size_t *hint,
                             struct error *error)
{
    double x[TRANSFER_POINTS], slope[TRANSFER_POINTS], log_from[TRANSFER_POINTS], log_to[TRANSFER_POINTS];
    int good[TRANSFER_POINTS];
    /* a power of two, so that the stencil's points are exact */
    double spacing = exp2(floor(log2(SPACING * length) - (double)rung / FINER));
    invert(transfer, work, anchor, spacing, length, count, y, x, slope, good);
    for (size_t j = 0; j < count; j++)
        x[j] = good[j] ? x[j] : transfer->a * y[j];
    for (size_t j = 0; j < count; j++)
        panels_evaluate(transfer->grid, transfer->from, anchor, 1, x + j, log_ratio + j, hint);
    mixture_level_evaluate(transfer->from, anchor, count, x, log_from, NULL);
    mixture_level_evaluate(transfer->to, anchor, count, y, log_to, NULL);
    for (size_t j = 0; j < count; j++) {
        if (good[j])
            log_ratio[j] += (log_from[j] - log_to[j]) + (0.5 * transfer->step->log_alpha - log1p(slope[j]));
        else {
            double mass = exp(log_from[j] + log_ratio[j]) * length;
            if (mass > FAINT)
                return folded(transfer, anchor, x[j], error);
            work->ignored += 2.0 * mass; /* it may as well lie elsewhere */
        }
    }
    return STATUS_OK;
}

enum status transfer_apply(const struct transfer *transfer, struct transfer_work *work, size_t rung, size_t anchor,
                           double length, size_t count, const double *y, double *log_ratio, size_t *hint,
                           struct error *error)
{
    if (transfer->deterministic)
        return apply_map(transfer, work, rung, anchor, length, count, y, log_ratio, hint, error);
    apply_noisy(transfer, work, rung, anchor, count, y, log_ratio, hint);
    return STATUS_OK;
}
