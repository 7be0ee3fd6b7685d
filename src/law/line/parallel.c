#include "law/line/parallel.h"

#include <omp.h>

#include "core/memory.h"
#include "law/line/tuning.h"

enum status panel_threads_new(const struct sampler *sampler, const struct quadrature_table *rules, size_t count,
                              struct panel_threads *out, struct error *error)
{
    *out = (struct panel_threads){.count = count > 1 ? count : 1};
    out->work = array_new(out->count, sizeof *out->work);
    if (out->work == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu threads of the line engine", count);
    for (size_t i = 0; i < out->count; i++)
        TRY(transfer_work_new(sampler, rules, &out->work[i], error));
    return STATUS_OK;
}

void panel_threads_free(struct panel_threads *threads)
{
    for (size_t i = 0; i < threads->count && threads->work != NULL; i++)
        transfer_work_free(&threads->work[i]);
    free(threads->work);
    free(threads->start);
    *threads = (struct panel_threads){0};
}

void panel_threads_work(const struct panel_threads *threads, size_t *node_updates, size_t *exponentials)
{
    *node_updates = *exponentials = 0;
    for (size_t i = 0; i < threads->count; i++) {
        *node_updates += threads->work[i].node_updates;
        *exponentials += threads->work[i].exponentials;
    }
}

/* One past the panels from p on that belong together. */
static size_t alike(const struct panels *grid, size_t p, size_t most)
{
    const struct panel *panel = grid->panel;
    size_t next = p + 1;
    while (next < grid->count && next - p < most && panel[next].anchor == panel[p].anchor
           && panel[next].dominant == panel[p].dominant)
        next++;
    return next;
}

/* The first group that fails is done again, for its reason. */
static enum status run_parallel(struct panel_threads *threads, size_t groups, panel_task *task, void *context,
                                struct error *error)
{
    size_t failed = groups;
#pragma omp parallel for num_threads((int)threads->count) schedule(dynamic, 1) reduction(min : failed)
    for (size_t i = 0; i < groups; i++)
        if (task(context, &threads->work[omp_get_thread_num()], threads->start[i], threads->start[i + 1], NULL)
                != STATUS_OK
            && i < failed)
            failed = i;
    if (failed == groups)
        return STATUS_OK;
    return task(context, threads->work, threads->start[failed], threads->start[failed + 1], error);
}

enum status panel_threads_run(struct panel_threads *threads, const struct panels *grid, size_t together, double cost,
                              panel_task *task, void *context, struct error *error)
{
    if (threads->count == 1 || cost < LINE_PARALLEL_COST) {
        for (size_t p = 0, next; p < grid->count; p = next) {
            next = alike(grid, p, together);
            TRY(task(context, threads->work, p, next, error));
        }
        return STATUS_OK;
    }
    size_t groups = 0;
    size_t *start = array_reserve(threads->start, &threads->capacity, grid->count + 1, sizeof *start);
    if (start == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for groups of %zu panels", grid->count);
    threads->start = start;
    for (size_t p = 0; p < grid->count; p = alike(grid, p, together))
        start[groups++] = p;
    start[groups] = grid->count;
    return run_parallel(threads, groups, task, context, error);
}
