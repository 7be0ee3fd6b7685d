#include <math.h>

#include "core/vmath.h"
#include "law/line/transfer_parts.h"
#include "law/monotone.h"

struct displaced {
    const struct transfer *transfer;
    struct transfer_work *work;
    size_t anchor;
};

static void displacement(void *context, size_t n, const double *x, double *out)
{
    const struct displaced *displaced = context;
    transfer_increment(displaced->transfer, displaced->work, displaced->anchor, n, x, NULL, out);
}

static void add_densities(const struct transfer *transfer, size_t count, const double *from, const double *to,
                          const double *slope, double *log_ratio)
{
    double log_slope[MONOTONE_POINTS], half = 0.5 * transfer->stage.step->log_alpha;
    vlog1p(count, slope, log_slope);
    for (size_t j = 0; j < count; j++)
        log_ratio[j] += (from[j] - to[j]) + (half - log_slope[j]);
}

/* r_{t-1}(m(x)) = r_t(x) p_t(x)/(p_{t-1}(m(x)) m'(x)), m(x) = (x + D(x))/sqrt(alpha). */
enum status transfer_map_apply(const struct transfer *transfer, struct transfer_work *work, size_t order,
                               const struct transfer_query *query, double *log_ratio, size_t *hint,
                               struct error *error)
{
    size_t anchor = query->panel->anchor, count = query->panels * query->each;
    double log_from[MONOTONE_POINTS], log_to[MONOTONE_POINTS], slope[MONOTONE_POINTS], length[MONOTONE_POINTS];
    for (size_t p = 0; p < query->panels; p++)
        length[p] = 2.0 * query->panel[p].half_width;
    const struct monotone_points points = {query->panels, query->each, length, query->y};
    struct displaced displaced = {transfer, work, anchor};
    const struct monotone_map map = {.displacement = displacement, .context = &displaced};
    struct monotone_inverse inverse;
    monotone_invert(&map, order, transfer->stage.a, &points, &inverse);
    for (size_t j = 0, next; j < count; j = next) { /* runs of ascending points; all, but where the map folds */
        for (next = j + 1; next < count && inverse.x[next] >= inverse.x[next - 1];)
            next++;
        panels_evaluate(transfer->grid, transfer->from, anchor, next - j, inverse.x + j, log_ratio + j, hint);
    }
    mixture_level_evaluate(transfer->from, anchor, count, inverse.x, log_from, NULL);
    mixture_level_evaluate(transfer->to, anchor, count, query->y, log_to, NULL);
    work->node_updates += inverse.evaluations;
    work->exponentials +=
        inverse.evaluations * transfer->stage.sampler->score_evaluations * mixture_exponentials(transfer->from)
        + 2 * count * (1 + mixture_exponentials(transfer->from));
    for (size_t j = 0; j < count; j++) {
        slope[j] = inverse.good[j] ? inverse.slope[j] : 0.0;
        if (inverse.good[j])
            continue;
        double centre = transfer->from->root_alpha_bar * transfer->from->factor->mean[anchor];
        TRY(monotone_ignore(&transfer->stage, exp(log_from[j] + log_ratio[j]) * length[j / query->each],
                            "x = ", inverse.x[j] + centre, &work->ignored, error));
        log_from[j] = log_to[j] - 0.5 * transfer->stage.step->log_alpha; /* log r is that at x */
    }
    add_densities(transfer, count, log_from, log_to, slope, log_ratio);
    return STATUS_OK;
}
