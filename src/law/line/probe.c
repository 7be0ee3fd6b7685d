#include "law/line/probe.h"

#include <math.h>

#include "core/memory.h"
#include "core/vmath.h"
#include "law/line/orders.h"
#include "law/line/tuning.h"

void line_probe_free(struct line_probe *probe)
{
    free(probe->block);
    free(probe->panel);
    *probe = (struct line_probe){0};
}

static enum status make_room(struct line_probe *probe, size_t panels, struct error *error)
{
    enum { ARRAYS = 7 };
    size_t count = panels * PANEL_PROBES;
    if (count > probe->capacity) {
        free(probe->block);
        probe->capacity = 2 * count;
        probe->block = array_new(ARRAYS * probe->capacity, sizeof *probe->block);
        if (probe->block == NULL)
            return fail_with(error, STATUS_MEMORY, "out of memory for %zu points between nodes", count);
        double **const array[ARRAYS] = {&probe->y,   &probe->exact, &probe->weight,  &probe->component,
                                        &probe->own, &probe->value, &probe->relative};
        for (size_t i = 0; i < ARRAYS; i++)
            *array[i] = probe->block + i * probe->capacity;
    }
    struct line_panel_probe *panel = array_reserve(probe->panel, &probe->panels_capacity, panels, sizeof *panel);
    if (panel == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for the errors of %zu panels", panels);
    probe->panel = panel;
    probe->panels = panels;
    probe->count = count;
    return STATUS_OK;
}

enum status line_probe_place(struct line_probe *probe, const struct panels *grid, struct error *error)
{
    TRY(make_room(probe, grid->count, error));
    for (size_t p = 0; p < grid->count; p++) {
        probe->panel[p] = (struct line_panel_probe){.before = HUGE_VAL, .due = true};
        panel_probes(&grid->panel[p], probe->y + p * PANEL_PROBES);
    }
    return STATUS_OK;
}

bool line_probe_due(const struct line_probe *probe, size_t from, size_t to)
{
    for (size_t p = from; p < to; p++)
        if (probe->panel[p].due)
            return true;
    return false;
}

struct probing {
    struct line_probe *probe;
    const struct transfer *transfer;
    struct transfer_work *work; /* one a thread */
    const struct panels *grid;
    size_t up, down; /* from the panels' orders */
    double *value, *made;
};

static enum status apply(void *context, size_t thread, size_t from, size_t to, struct panel_sums *sums,
                         struct error *error)
{
    const struct probing *probing = context;
    const struct transfer *transfer = probing->transfer;
    size_t hint = from, first = from * PANEL_PROBES, order = panels_order(probing->grid, from, to);
    (void)sums;
    if (!line_probe_due(probing->probe, from, to))
        return STATUS_OK;
    const struct transfer_query query = {&probing->grid->panel[from], to - from, PANEL_PROBES,
                                         probing->probe->y + first};
    for (size_t p = from; p < to && probing->made != NULL; p++)
        panel_evaluate(&probing->grid->panel[p], 0.0, PANEL_PROBES, probing->probe->y + p * PANEL_PROBES,
                       probing->made + p * PANEL_PROBES);
    order = transfer_order(transfer, order > probing->down ? order - probing->down : 0) + probing->up;
    return transfer_apply(transfer, &probing->work[thread], order, &query, probing->value + first, &hint, error);
}

/* Also the weights and the panels' integrals. */
static enum status set(void *context, size_t thread, size_t from, size_t to, struct panel_sums *sums,
                       struct error *error)
{
    const struct probing *probing = context;
    struct line_probe *probe = probing->probe;
    const struct mixture_level *level = probing->transfer->to;
    size_t first = from * PANEL_PROBES, n = (to - from) * PANEL_PROBES, anchor = probing->grid->panel[from].anchor;
    if (!line_probe_due(probe, from, to))
        return STATUS_OK;
    TRY(apply(context, thread, from, to, sums, error));
    mixture_level_evaluate(level, anchor, n, probe->y + first, probe->weight + first, NULL);
    mixture_level_log_own(level, anchor, n, probe->y + first, probe->component + first);
    vexp(n, probe->weight + first, probe->weight + first);
    vexp(n, probe->component + first, probe->component + first);
    vexpm1(n, probe->exact + first, probe->relative + first);
    probing->work[thread].exponentials += n * (4 + mixture_exponentials(level));
    for (size_t p = from; p < to; p++) {
        double width = 2.0 * probing->grid->panel[p].half_width / PANEL_PROBES;
        struct line_panel_probe *at = &probe->panel[p];
        at->distance = at->of_components = at->mass = 0.0;
        for (size_t i = p * PANEL_PROBES; i < (p + 1) * PANEL_PROBES; i++) {
            double excess = probe->relative[i];
            at->distance += probe->weight[i] * width * fabs(excess);
            at->of_components += probe->component[i] * width * fabs(excess);
            probe->component[i] *= width * (1.0 + excess);
            probe->weight[i] *= width * (1.0 + excess);
            at->mass += probe->weight[i];
        }
    }
    return STATUS_OK;
}

/* Groups are those in which the grid is filled, and so are their orders; without noise all panels have one. */
static enum status run(panel_task *task, struct probing *probing, struct panel_groups *groups, struct error *error)
{
    size_t points = 0, each = probing->transfer->stage.deterministic ? PANEL_PROBES : PANEL_NODES;
    for (size_t p = 0; p < probing->grid->count; p++)
        if (probing->probe->panel[p].due)
            points += PANEL_PROBES * (probing->grid->panel[p].order + 1);
    return panel_groups_run(groups, probing->grid, transfer_most(probing->transfer) / each,
                            transfer_is_shared(probing->transfer, points), task, probing, NULL, error);
}

enum status line_probe_apply(struct line_probe *probe, const struct transfer *transfer, struct transfer_team *threads,
                             const struct panels *grid, size_t down, double *value, double *made, struct error *error)
{
    struct probing probing = {probe, transfer, threads->work, grid, 0, down, value, made};
    return run(apply, &probing, &threads->groups, error);
}

enum status line_probe_set(struct line_probe *probe, const struct transfer *transfer, struct transfer_team *threads,
                           const struct panels *grid, struct error *error)
{
    struct probing probing = {probe, transfer, threads->work, grid, CHECK_ORDERS, 0, probe->exact, NULL};
    TRY(run(set, &probing, &threads->groups, error));
    probe->distance = probe->of_components = probe->mass = 0.0;
    for (size_t p = 0; p < probe->panels; p++) {
        probe->distance += probe->panel[p].distance;
        probe->of_components += probe->panel[p].of_components;
        probe->mass += probe->panel[p].mass;
    }
    return STATUS_OK;
}

void line_probe_evaluate(const struct line_probe *probe, const struct transfer *transfer, const struct panels *grid,
                         const struct panels *panels, double *value)
{
    size_t hint = 0;
    for (size_t p = 0; p < grid->count; p++)
        panels_evaluate(panels, transfer->to, grid->panel[p].anchor, PANEL_PROBES, probe->y + p * PANEL_PROBES,
                        value + p * PANEL_PROBES, &hint);
}

struct norms line_probe_norms(struct line_probe *probe, const double *value, const double *from)
{
    struct norm_sums sums = {0.0, 0.0, 0.0};
    double *relative = probe->relative;
    for (size_t i = 0; i < probe->count; i++)
        relative[i] = value[i] - from[i];
    vexpm1(probe->count, relative, relative);
    for (size_t i = 0; i < probe->count; i++) {
        norm_sums_add(&sums, probe->weight[i], relative[i]);
        norm_sums_add_own(&sums, probe->component[i], relative[i]);
    }
    return norms_of(sums);
}

double line_probe_panel_error(struct line_probe *probe, size_t p, double rare, double least, double *share)
{
    double total = 0.0, mass = 0.0, of_components = 0.0;
    for (size_t i = p * PANEL_PROBES; i < (p + 1) * PANEL_PROBES; i++) {
        double weight = probe->weight[i] + rare * probe->component[i];
        total += weight * probe->relative[i] * probe->relative[i];
        mass += weight;
        of_components += probe->component[i];
    }
    *share = pow(mass * (double)probe->panels, LINE_SHARE_POWER);
    probe->panel[p].empty = !(of_components > LINE_PANEL_LEAST_MASS);
    if (!probe->panel[p].empty)
        *share = fmax(*share, least);
    return mass > 0.0 ? sqrt(total / mass) * *share : 0.0;
}
