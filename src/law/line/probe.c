#include "law/line/probe.h"

#include <math.h>

#include "core/memory.h"
#include "core/vmath.h"

void line_probe_free(struct line_probe *probe)
{
    free(probe->block);
    *probe = (struct line_probe){0};
}

static enum status make_room(struct line_probe *probe, size_t count, struct error *error)
{
    enum { ARRAYS = 6 };
    if (count > probe->capacity) {
        free(probe->block);
        probe->capacity = 2 * count;
        probe->block = array_new(ARRAYS * probe->capacity, sizeof *probe->block);
        if (probe->block == NULL)
            return fail_with(error, STATUS_MEMORY, "out of memory for %zu points between nodes", count);
        double **const array[ARRAYS] = {&probe->y,         &probe->exact, &probe->weight,
                                        &probe->component, &probe->own,   &probe->value};
        for (size_t i = 0; i < ARRAYS; i++)
            *array[i] = probe->block + i * probe->capacity;
    }
    probe->count = count;
    return STATUS_OK;
}

struct probing {
    const struct line_probe *probe;
    const struct transfer *transfer;
    struct transfer_work *work; /* one a thread */
    const struct panels *grid;
    size_t order;
    double *value, *made;
};

static enum status apply(void *context, size_t thread, size_t from, size_t to, struct panel_sums *sums,
                         struct error *error)
{
    const struct probing *probing = context;
    size_t hint = from, first = from * PANEL_PROBES;
    (void)sums;
    const struct transfer_query query = {&probing->grid->panel[from], to - from, PANEL_PROBES,
                                         probing->probe->y + first};
    for (size_t p = from; p < to && probing->made != NULL; p++)
        panel_evaluate(&probing->grid->panel[p], 0.0, PANEL_PROBES, probing->probe->y + p * PANEL_PROBES,
                       probing->made + p * PANEL_PROBES);
    return transfer_apply(probing->transfer, &probing->work[thread], probing->order, &query, probing->value + first,
                          &hint, error);
}

/* Also r - 1, and p and max_k p_k in the place of the weights. */
static enum status set(void *context, size_t thread, size_t from, size_t to, struct panel_sums *sums,
                       struct error *error)
{
    const struct probing *probing = context;
    const struct line_probe *probe = probing->probe;
    const struct mixture_level *level = probing->transfer->to;
    size_t first = from * PANEL_PROBES, n = (to - from) * PANEL_PROBES, anchor = probing->grid->panel[from].anchor;
    TRY(apply(context, thread, from, to, sums, error));
    mixture_level_evaluate(level, anchor, n, probe->y + first, probe->weight + first, NULL);
    mixture_level_log_own(level, anchor, n, probe->y + first, probe->component + first);
    vexp(n, probe->weight + first, probe->weight + first);
    vexp(n, probe->component + first, probe->component + first);
    vexpm1(n, probe->exact + first, probe->value + first);
    probing->work[thread].exponentials += n * (4 + mixture_exponentials(level));
    return STATUS_OK;
}

static enum status run(panel_task *task, struct probing *probing, struct panel_groups *groups, struct error *error)
{
    return panel_groups_run(groups, probing->grid, transfer_most(probing->transfer) / PANEL_PROBES,
                            transfer_is_shared(probing->transfer, probing->order, probing->probe->count), task,
                            probing, NULL, error);
}

enum status line_probe_apply(const struct line_probe *probe, const struct transfer *transfer,
                             struct transfer_team *threads, const struct panels *grid, size_t order, double *value,
                             double *made, struct error *error)
{
    struct probing probing = {probe, transfer, threads->work, grid, order, value, made};
    return run(apply, &probing, &threads->groups, error);
}

enum status line_probe_set(struct line_probe *probe, const struct transfer *transfer, struct transfer_team *threads,
                           const struct panels *grid, size_t order, struct error *error)
{
    TRY(make_room(probe, grid->count * PANEL_PROBES, error));
    for (size_t p = 0; p < grid->count; p++)
        panel_probes(&grid->panel[p], probe->y + p * PANEL_PROBES);
    struct probing probing = {probe, transfer, threads->work, grid, order, probe->exact, NULL};
    TRY(run(set, &probing, &threads->groups, error));
    probe->distance = probe->of_components = probe->mass = 0.0;
    for (size_t i = 0; i < probe->count; i++) {
        double width = 2.0 * grid->panel[i / PANEL_PROBES].half_width / PANEL_PROBES, part = probe->weight[i] * width;
        probe->distance += part * fabs(probe->value[i]);
        probe->of_components += probe->component[i] * width * fabs(probe->value[i]);
        probe->component[i] *= width * (1.0 + probe->value[i]);
        probe->weight[i] = part * (1.0 + probe->value[i]);
        probe->mass += probe->weight[i];
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

struct norms line_probe_norms(const struct line_probe *probe, const double *value, const double *from)
{
    enum { TOGETHER = 64 };
    struct norm_sums sums = {0.0, 0.0, 0.0};
    double relative[TOGETHER];
    for (size_t start = 0; start < probe->count; start += TOGETHER) {
        size_t n = probe->count - start < TOGETHER ? probe->count - start : TOGETHER;
        for (size_t i = 0; i < n; i++)
            relative[i] = value[start + i] - from[start + i];
        vexpm1(n, relative, relative);
        for (size_t i = 0; i < n; i++) {
            norm_sums_add(&sums, probe->weight[start + i], relative[i]);
            norm_sums_add_own(&sums, probe->component[start + i], relative[i]);
        }
    }
    return norms_of(sums);
}
