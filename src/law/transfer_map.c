#include <math.h>

#include "law/transfer_parts.h"

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
    double *points = work->lead, *D = work->increment;
    for (size_t k = 0; k < STENCIL; k++)
        for (size_t j = 0; j < count; j++)
            points[k * count + j] = x[j] + offset[k] * spacing;
    for (size_t j = 0; j < count; j++)
        points[STENCIL * count + j] = x[j];
    transfer_increment(transfer, work, anchor, (STENCIL + 1) * count, points, NULL, D);
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
    return fail_with(
        error, STATUS_NUMERIC,
        "the map of %s folds at step t = %zu near x = %.4g, or changes faster than the grid resolves: the "
        "score (with its error) is too steep there, and the law is not computed",
        transfer->stage.sampler->name, transfer->stage.step->t, x + centre);
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
        x[j] = transfer->stage.a * y[j];
    for (int i = 0; i < MOST_NEWTON; i++) {
        double before = missed;
        differentiate(transfer, work, anchor, spacing, count, x, D, slope);
        work->node_updates += (STENCIL + 1) * count;
        work->exponentials +=
            (STENCIL + 1) * count * transfer->stage.sampler->score_evaluations * mixture_exponentials(transfer->from);
        missed = 0.0;
        for (size_t j = 0; j < count; j++) {
            double residual = (transfer->stage.a * y[j] - x[j] - D[j]) / length;
            good[j] = slope[j] > -1.0 && fabs(residual) <= 1e-9;
            missed = fmax(missed, fabs(residual));
        }
        if (missed <= 1e-15 || (missed <= 1e-9 && missed >= before))
            break;
        for (size_t j = 0; j < count; j++)
            x[j] += (transfer->stage.a * y[j] - x[j] - D[j]) / fmax(1.0 + slope[j], 0.1);
    }
    for (size_t j = 1; j < count; j++)
        good[j] &= x[j] > x[j - 1] || !good[j - 1];
}

/* r_{t-1}(m(x)) = r_t(x) p_t(x)/(p_{t-1}(m(x)) m'(x)). */
enum status transfer_map_apply(const struct transfer *transfer, struct transfer_work *work, size_t rung,
                               const struct panel *panel, size_t count, const double *y, double *log_ratio,
                               size_t *hint, struct error *error)
{
    size_t anchor = panel->anchor;
    double x[TRANSFER_POINTS], slope[TRANSFER_POINTS], log_from[TRANSFER_POINTS], log_to[TRANSFER_POINTS];
    int good[TRANSFER_POINTS];
    double length = 2.0 * panel->half_width;
    /* a power of two, so that the stencil's points are exact */
    double spacing = exp2(floor(log2(SPACING * length) - (double)rung / FINER));
    invert(transfer, work, anchor, spacing, length, count, y, x, slope, good);
    for (size_t j = 0; j < count; j++)
        x[j] = good[j] ? x[j] : transfer->stage.a * y[j];
    for (size_t j = 0; j < count; j++)
        panels_evaluate(transfer->grid, transfer->from, anchor, 1, x + j, log_ratio + j, hint);
    mixture_level_evaluate(transfer->from, anchor, count, x, log_from, NULL);
    mixture_level_evaluate(transfer->to, anchor, count, y, log_to, NULL);
    work->exponentials += 2 * count * (1 + mixture_exponentials(transfer->from));
    for (size_t j = 0; j < count; j++) {
        if (good[j])
            log_ratio[j] += (log_from[j] - log_to[j]) + (0.5 * transfer->stage.step->log_alpha - log1p(slope[j]));
        else {
            double mass = exp(log_from[j] + log_ratio[j]) * length;
            if (mass > FAINT)
                return folded(transfer, anchor, x[j], error);
            work->ignored += 2.0 * mass; /* it may as well lie elsewhere */
        }
    }
    return STATUS_OK;
}
