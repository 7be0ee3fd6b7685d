#include "law/line/parallel.h"

#include "core/memory.h"
#include "law/line/tuning.h"

/* Panels from..to-1, what of q's mass is ignored in them, and whether the task failed. */
struct panel_group {
    size_t from, to;
    double ignored;
    bool failed;
};

enum status panel_threads_new(const struct sampler *sampler, const struct quadrature_table *rules,
                              struct team *team, struct panel_threads *out, struct error *error)
{
    *out = (struct panel_threads){.team = team, .count = team_threads(team)};
    out->work = array_new(out->count, sizeof *out->work);
    if (out->work == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu threads of the line engine", out->count);
    for (size_t i = 0; i < out->count; i++)
        TRY(transfer_work_new(sampler, rules, &out->work[i], error));
    return STATUS_OK;
}

void panel_threads_free(struct panel_threads *threads)
{
    for (size_t i = 0; i < threads->count && threads->work != NULL; i++)
        transfer_work_free(&threads->work[i]);
    free(threads->work);
    free(threads->group);
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
static size_t alike(const struct panels *grid, size_t p)
{
    const struct panel *panel = grid->panel;
    size_t next = p + 1;
    while (next < grid->count && panel[next].anchor == panel[p].anchor && panel[next].dominant == panel[p].dominant)
        next++;
    return next;
}

/* Groups of at most `most` panels, as few as possible, those of panels that belong together of one size, give or take
 * one: threads then have as much to do as one another. Returns how many. */
static size_t make_groups(const struct panels *grid, size_t most, struct panel_group *group)
{
    size_t groups = 0;
    for (size_t p = 0, next; p < grid->count; p = next) {
        next = alike(grid, p);
        for (size_t left = (next - p + most - 1) / most, size; left > 0; left--, p += size) {
            size = (next - p + left - 1) / left;
            group[groups++] = (struct panel_group){.from = p, .to = p + size};
        }
    }
    return groups;
}

struct running {
    struct panel_threads *threads;
    panel_task *task;
    void *context;
};

static void run_group(void *context, size_t thread, size_t i)
{
    const struct running *running = context;
    struct panel_group *group = &running->threads->group[i];
    struct transfer_work *work = &running->threads->work[thread];
    work->ignored = 0.0;
    group->failed = running->task(running->context, work, group->from, group->to, NULL) != STATUS_OK;
    group->ignored = work->ignored;
}

/* The first group that fails is done again, for its reason. */
enum status panel_threads_run(struct panel_threads *threads, const struct panels *grid, size_t together, double cost,
                              panel_task *task, void *context, double *ignored, struct error *error)
{
    struct panel_group *group = array_reserve(threads->group, &threads->capacity, grid->count, sizeof *group);
    struct running running = {threads, task, context};
    if (group == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for groups of %zu panels", grid->count);
    threads->group = group;
    size_t groups = make_groups(grid, together, group);
    team_for(cost < LINE_PARALLEL_COST ? NULL : threads->team, groups, run_group, &running);
    double total = 0.0;
    for (size_t i = 0; i < groups; i++) {
        if (group[i].failed)
            return task(context, threads->work, group[i].from, group[i].to, error);
        total += group[i].ignored;
    }
    if (ignored != NULL)
        *ignored = total;
    return STATUS_OK;
}
