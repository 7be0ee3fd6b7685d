#include <math.h>

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

/* r_{t-1}(m(x)) = r_t(x) p_t(x)/(p_{t-1}(m(x)) m'(x)), m(x) = (x + D(x))/sqrt(alpha). */
enum status transfer_map_apply(const struct transfer *transfer, struct transfer_work *work, size_t order,
                               const struct panel *panel, size_t count, const double *y, double *log_ratio,
                               size_t *hint, struct error *error)
{
    size_t anchor = panel->anchor;
    double log_from[MONOTONE_POINTS], log_to[MONOTONE_POINTS];
    double length = 2.0 * panel->half_width;
    struct displaced displaced = {transfer, work, anchor};
    const struct monotone_map map = {.displacement = displacement, .context = &displaced};
    struct monotone_inverse inverse;
    monotone_invert(&map, length, order, transfer->stage.a, count, y, &inverse);
    for (size_t j = 0, next; j < count; j = next) { /* runs of ascending points; all, but where the map folds */
        for (next = j + 1; next < count && inverse.x[next] >= inverse.x[next - 1];)
            next++;
        panels_evaluate(transfer->grid, transfer->from, anchor, next - j, inverse.x + j, log_ratio + j, hint);
    }
    mixture_level_evaluate(transfer->from, anchor, count, inverse.x, log_from, NULL);
    mixture_level_evaluate(transfer->to, anchor, count, y, log_to, NULL);
    work->node_updates += inverse.evaluations;
    work->exponentials +=
        inverse.evaluations * transfer->stage.sampler->score_evaluations * mixture_exponentials(transfer->from)
        + 2 * count * (1 + mixture_exponentials(transfer->from));
    for (size_t j = 0; j < count; j++) {
        if (!inverse.good[j]) {
            double centre = transfer->from->root_alpha_bar * transfer->from->factor->mean[anchor];
            TRY(monotone_ignore(&transfer->stage, exp(log_from[j] + log_ratio[j]) * length,
                                "x = ", inverse.x[j] + centre, &work->ignored, error));
        } else
            log_ratio[j] +=
                (log_from[j] - log_to[j]) + (0.5 * transfer->stage.step->log_alpha - log1p(inverse.slope[j]));
    }
    return STATUS_OK;
}
