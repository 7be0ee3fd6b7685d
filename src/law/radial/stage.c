#include "law/radial/stage.h"

#include <math.h>

#include "core/memory.h"
#include "core/vmath.h"
#include "law/radial/tuning.h"
#include "law/resample.h"
#include "law/tuning.h"

/* ---- Clips ---- */

/* The sampler's correction at the nodes of a panel. */
static void correction_on(struct radial *radial, const struct panel *panel, double *rho, double *correction)
{
    const struct stage *stage = &radial->transfer.stage;
    for (size_t j = 0; j < PANEL_NODES; j++)
        rho[j] = fmax(panel->centre + panel->half_width * radial->basis.chebyshev.node[j], 1e-9 * panel->half_width);
    stage->sampler->correction(stage->step, &radial->oracle.base, PANEL_NODES, rho, correction,
                               radial->threads.work->work);
}

void radial_correction_moments(void *state, struct clip_step *out)
{
    struct radial *radial = state;
    const struct chebyshev *chebyshev = &radial->basis.chebyshev;
    const struct panels *grid = radial->transfer.grid;
    for (size_t p = 0; p < grid->count; p++) {
        const struct panel *panel = &grid->panel[p];
        double rho[PANEL_NODES], correction[PANEL_NODES], weight[PANEL_NODES], log_ratio[PANEL_NODES];
        correction_on(radial, panel, rho, correction);
        panel_evaluate(panel, 0.0, PANEL_NODES, rho, log_ratio);
        radial_level_log_density(radial->transfer.from, PANEL_NODES, rho, weight);
        for (size_t j = 0; j < PANEL_NODES; j++)
            weight[j] = chebyshev->weight[j] * panel->half_width * exp(weight[j] + log_ratio[j]);
        clip_step_add(out, radial->run->problem->schedule->T, PANEL_NODES, weight, correction);
    }
}

static bool clipped(const struct radial *radial, double rho)
{
    const struct stage *stage = &radial->transfer.stage;
    double correction;
    stage->sampler->correction(stage->step, &radial->oracle.base, 1, &rho, &correction, radial->threads.work->work);
    return fabs(correction) > stage->step->clip;
}

/* The radius between two where the clip sets in or ends. */
static double bisect(const struct radial *radial, double from, double to)
{
    bool before = clipped(radial, from);
    for (int i = 0; i < 100; i++) {
        double middle = 0.5 * (from + to);
        if (!(middle > from && middle < to))
            break;
        if (clipped(radial, middle) == before)
            from = middle;
        else
            to = middle;
    }
    return to;
}

/* The radii where the clip makes the map jump, and how far the quadrature has to reach because of it. */
static enum status find_breaks(struct radial *radial, struct error *error)
{
    struct radial_transfer *transfer = &radial->transfer;
    const struct stage *stage = &transfer->stage;
    double last = 0.0, largest = 0.0, clip = stage->step->clip;
    int before = -1;
    if (!stage->moves || stage->sampler->correction == NULL || !isfinite(clip))
        return STATUS_OK;
    for (size_t p = 0; p < transfer->grid->count; p++) {
        double rho[PANEL_NODES], correction[PANEL_NODES];
        correction_on(radial, &transfer->grid->panel[p], rho, correction);
        for (size_t j = 0; j < PANEL_NODES; j++) {
            int now = fabs(correction[j]) > clip;
            largest = fmax(largest, now ? fabs(correction[j]) : 0.0);
            if (before >= 0 && now != before) {
                if (transfer->breaks == MOST_RADIAL_BREAKS)
                    return fail_with(error, STATUS_NUMERIC, "the clip of %s sets in at more than %d radii",
                                     stage->sampler->name, MOST_RADIAL_BREAKS);
                transfer->at[transfer->breaks++] = bisect(radial, last, rho[j]);
            }
            before = now;
            last = rho[j];
        }
    }
    /* what is zeroed moved points by no more than omega of that, in units of sqrt(noise level) */
    double thrown = stage->step->omega * largest * sqrt(stage->step->from.noise / stage->noise);
    transfer->reach = fmin(RADIAL_REACH + thrown, RADIAL_MOST_REACH);
    return STATUS_OK;
}

/* ---- The grid ---- */

static size_t order_in_use(const struct radial *radial, size_t order)
{
    return quadrature_order(order, radial->run->resolution, HIGHEST_ORDER);
}

struct filling {
    struct radial *radial;
    size_t order;
};

/* Fills panels of one anchor. */
static enum status fill_together(void *context, size_t thread, size_t from, size_t to, struct panel_sums *sums,
                                 struct error *error)
{
    const struct filling *filling = context;
    struct radial *radial = filling->radial;
    struct radial_work *work = &radial->threads.work[thread];
    struct panel *panel = &radial->result->panel[from];
    double rho[RADIAL_POINTS], value[RADIAL_POINTS], nodes[PANEL_NODES];
    const struct stage *stage = &radial->transfer.stage;
    size_t n = 0, used = 0, hint = from;
    for (size_t i = 0; i < to - from; i++)
        n += radial_panel_nodes(&radial->basis, &panel[i], rho + n);
    work->ignored = 0.0;
    TRY(radial_transfer_apply(&radial->transfer, work, filling->order, panel->anchor, 2.0 * panel->half_width, n, rho,
                              value, &hint, error));
    sums->ignored = work->ignored;
    for (size_t i = 0; i < to - from; i++) {
        radial_panel_fit(&radial->basis, value + used, &panel[i]);
        used += radial_panel_nodes(&radial->basis, &panel[i], nodes);
        if (!isfinite(panel[i].coefficient[0]))
            return fail_with(error, STATUS_NUMERIC, "the law of %s is not finite after step t = %zu",
                             stage->sampler->name, stage->step->t);
    }
    return STATUS_OK;
}

static enum status fill(struct radial *radial, size_t order, struct panel_sums *sums, struct error *error)
{
    struct filling filling = {radial, order};
    size_t together = radial->transfer.stage.deterministic ? 1 : RADIAL_POINTS / PANEL_NODES;
    return panel_groups_run(&radial->threads.groups, radial->result, together, true, fill_together, &filling, sums,
                            error);
}

/* ---- Checks ---- */

/* Sums over the test points: errors of the stage as made (quadrature and interpolation), of its quadrature alone, and
 * of the next lower order; E_p|r - 1| and E_p r - 1. */
struct panel_errors {
    struct norm_sums total, quadrature, lower;
    double distance, excess;
};

static enum status check_panels(void *context, size_t thread, size_t from, size_t to, struct panel_sums *sums,
                                struct error *error)
{
    const struct filling *filling = context;
    struct radial *radial = filling->radial;
    const struct panel *panel = &radial->result->panel[from];
    size_t order = filling->order, n = (to - from) * PANEL_PROBES;
    const size_t orders[3] = {order + CHECK_ORDERS, order, order > 0 ? order - 1 : 0};
    double rho[RADIAL_POINTS], value[3][RADIAL_POINTS], log_density[RADIAL_POINTS], made[PANEL_PROBES];
    double density[RADIAL_POINTS], excess[RADIAL_POINTS];
    (void)sums;
    for (size_t i = 0; i < to - from; i++)
        panel_probes(&panel[i], rho + i * PANEL_PROBES);
    for (int k = 0; k < 3; k++) {
        size_t hint = from;
        TRY(radial_transfer_apply(&radial->transfer, &radial->threads.work[thread], orders[k], panel->anchor,
                                  2.0 * panel->half_width, n, rho, value[k], &hint, error));
    }
    radial_level_log_density(radial->transfer.to, n, rho, log_density);
    vexp(n, log_density, density);
    vexpm1(n, value[0], excess);
    for (size_t i = 0; i < to - from; i++) {
        struct panel_errors *errors = &radial->errors[from + i];
        size_t first = i * PANEL_PROBES;
        *errors = (struct panel_errors){.distance = 0.0};
        panel_evaluate(&panel[i], 0.0, PANEL_PROBES, rho + first, made);
        for (size_t j = first; j < first + PANEL_PROBES; j++) {
            double weight = density[j] * 2.0 * panel[i].half_width / PANEL_PROBES;
            errors->distance += weight * fabs(excess[j]);
            errors->excess += weight * excess[j];
        }
        panel_add_errors(&panel[i], log_density + first, value[0] + first, made, NULL, &errors->total);
        panel_add_errors(&panel[i], log_density + first, value[0] + first, value[1] + first, NULL,
                         &errors->quadrature);
        panel_add_errors(&panel[i], log_density + first, value[0] + first, value[2] + first, NULL, &errors->lower);
    }
    return STATUS_OK;
}

/* Adds those of all panels; a map, which is smooth over one panel, is applied to one at a time. */
static enum status check(struct radial *radial, size_t order, struct panel_errors *sums, struct error *error)
{
    size_t count = radial->result->count;
    struct filling filling = {radial, order};
    struct panel_errors *of_panel = array_reserve(radial->errors, &radial->errors_capacity, count, sizeof *of_panel);
    if (of_panel == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for errors on %zu panels", count);
    radial->errors = of_panel;
    size_t together = radial->transfer.stage.deterministic ? 1 : RADIAL_POINTS / PANEL_PROBES / 2;
    TRY(panel_groups_run(&radial->threads.groups, radial->result, together, true, check_panels, &filling, NULL,
                         error));
    for (size_t p = 0; p < count; p++) {
        norm_sums_join(&sums->total, of_panel[p].total);
        norm_sums_join(&sums->quadrature, of_panel[p].quadrature);
        norm_sums_join(&sums->lower, of_panel[p].lower);
        sums->distance += of_panel[p].distance;
        sums->excess += of_panel[p].excess;
    }
    return STATUS_OK;
}

static double tolerance_for(const struct radial *radial, const struct panel_errors *sums, double rounding)
{
    double relative = RADIAL_TOLERANCE / (double)(radial->run->problem->schedule->T - 1);
    double lost = -sums->excess > RADIAL_LOST_MASS ? RADIAL_LOST_FACTOR * -sums->excess : 0.0;
    return fmax(fmax(RADIAL_LEAST_TOLERANCE, rounding), relative * fmax(sums->distance, lost));
}

/* The local error beyond rounding, which is counted by itself. */
static struct norms local_error(const struct panel_errors *sums, double rounding, double ignored)
{
    return norms_sum(norms_beyond(norms_of(sums->total), PROBE_MISSES, rounding),
                     (struct norms){ignored, ignored, 0.0});
}

static enum status fill_checked(struct radial *radial, double rounding, struct step_error *local, struct error *error)
{
    const struct stage *stage = &radial->transfer.stage;
    size_t *order = &radial->order[stage->index];
    for (int pass = 0;; pass++) {
        struct panel_errors sums = {.distance = 0.0};
        size_t used = order_in_use(radial, *order);
        struct panel_sums filled;
        TRY(fill(radial, used, &filled, error));
        TRY(check(radial, used, &sums, error));
        struct norms made = local_error(&sums, rounding, filled.ignored), lower = norms_of(sums.lower);
        if (pass == 0)
            local->before = made;
        double tolerance = tolerance_for(radial, &sums, rounding), quadrature = sums.quadrature.l1;
        bool stalled =
            quadrature < RADIAL_STALLED_BELOW * tolerance && used > 0 && lower.l1 < RADIAL_STALLED_GAIN * quadrature;
        if (quadrature > tolerance && !stalled && used < HIGHEST_ORDER && !stage->deterministic) {
            *order += quadrature_raise(quadrature, tolerance);
            continue;
        }
        TRY(check_probed_mass(1.0 + sums.excess, stage->sampler->name, error));
        local->itself = local->after = made;
        if (*order > 0 && lower.l1 < RADIAL_LOWER_BELOW * tolerance) {
            (*order)--;
            local->after = norms_sum(local->after, lower);
        }
        return STATUS_OK;
    }
}

enum status radial_stage_prepare(void *state, const struct stage *stage, size_t from, size_t to, struct error *error)
{
    struct radial *radial = state;
    radial->result = &radial->grid[to];
    radial_transfer_init(&radial->transfer, stage, &radial->level[from], &radial->level[to], &radial->grid[from],
                         &radial->oracle);
    if (stage->moves) {
        radial->transfer.draws = radial->draws;
        radial->transfer.draw = radial->draw;
    }
    return find_breaks(radial, error);
}

enum status radial_stage_fill(void *state, bool checked, struct stage_result *out, struct error *error)
{
    struct radial *radial = state;
    const struct radial_transfer *transfer = &radial->transfer;
    int in_order = 0;
    out->rounding =
        RADIAL_ROUNDING * (1.0 + RADIAL_ROUNDING_TERMS * transfer->from->dimension * transfer->stage.step->omega);
    if (!checked)
        TRY(radial_panels_move(transfer->grid, transfer->to, radial->result, &in_order, error));
    if (!in_order)
        TRY(radial_panels_lay_out(transfer->to, radial->run->resolution,
                                  radial->narrow * sqrt(transfer->to->level.alpha_bar), radial->result, error));
    if (checked)
        return fill_checked(radial, out->rounding, &out->error, error);
    return fill(radial, order_in_use(radial, radial->order[transfer->stage.index]), NULL, error);
}
