#include "law/line/parallel.h"

#include <omp.h>

#include "core/memory.h"

/* Exponentials below which a thread more is not worth its while: some 100 microseconds. To call it takes a few, but
 * threads wait for one another by spinning, which is dear where other processes want the processors. */
#define WORTHWHILE 1e5

enum status line_team_new(const struct sampler *sampler, const struct rules *rules, size_t threads,
                          struct line_team *out, struct error *error)
{
    *out = (struct line_team){.threads = threads > 1 ? threads : 1};
    out->work = array_new(out->threads, sizeof *out->work);
    if (out->work == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu threads of the line engine", threads);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < out->threads && status == STATUS_OK; i++)
        status = transfer_work_new(sampler, rules, &out->work[i], error);
    return status;
}

void line_team_free(struct line_team *team)
{
    for (size_t i = 0; i < team->threads && team->work != NULL; i++)
        transfer_work_free(&team->work[i]);
    free(team->work);
    free(team->start);
    *team = (struct line_team){0};
}

void line_team_work(const struct line_team *team, size_t *node_updates, size_t *exponentials)
{
    *node_updates = *exponentials = 0;
    for (size_t i = 0; i < team->threads; i++) {
        *node_updates += team->work[i].node_updates;
        *exponentials += team->work[i].exponentials;
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

static enum status run_threads(struct line_team *team, size_t groups, line_task *task, void *context,
                               struct error *error)
{
    size_t failed = groups;
    enum status status = STATUS_OK;
#pragma omp parallel for num_threads((int)team->threads) schedule(dynamic, 1)
    for (size_t i = 0; i < groups; i++) {
        struct error cause = {STATUS_OK, ""};
        enum status mine =
            task(context, &team->work[omp_get_thread_num()], team->start[i], team->start[i + 1], &cause);
        if (mine == STATUS_OK)
            continue;
#pragma omp critical(line_team)
        if (i < failed) {
            failed = i;
            status = mine;
            *error = cause;
        }
    }
    return status;
}

enum status line_team_run(struct line_team *team, const struct panels *grid, size_t together, double cost,
                          line_task *task, void *context, struct error *error)
{
    enum status status = STATUS_OK;
    if (team->threads == 1 || cost < WORTHWHILE) {
        for (size_t p = 0, next; p < grid->count && status == STATUS_OK; p = next) {
            next = alike(grid, p, together);
            status = task(context, &team->work[0], p, next, error);
        }
        return status;
    }
    size_t groups = 0;
    if (grid->count + 1 > team->capacity) {
        size_t capacity = 2 * (grid->count + 1), *grown = array_resize(team->start, capacity, sizeof *grown);
        if (grown == NULL)
            return fail_with(error, STATUS_MEMORY, "out of memory for groups of %zu panels", grid->count);
        team->start = grown;
        team->capacity = capacity;
    }
    for (size_t p = 0; p < grid->count; p = alike(grid, p, together))
        team->start[groups++] = p;
    team->start[groups] = grid->count;
    return run_threads(team, groups, task, context, error);
}
