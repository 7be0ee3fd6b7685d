#include "law/panel_groups.h"

#include "core/memory.h"

/* Panels from..to-1, their sums, and whether the task failed. */
struct panel_group {
    size_t from, to;
    struct panel_sums sums;
    bool failed;
};

void panel_groups_free(struct panel_groups *groups)
{
    free(groups->group);
    *groups = (struct panel_groups){0};
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
    struct panel_group *group;
    panel_task *task;
    void *context;
};

static void run_group(void *context, size_t thread, size_t i)
{
    const struct running *running = context;
    struct panel_group *group = &running->group[i];
    group->failed = running->task(running->context, thread, group->from, group->to, &group->sums, NULL) != STATUS_OK;
}

/* The first group that fails is done again, for its reason. */
enum status panel_groups_run(struct panel_groups *groups, const struct panels *grid, size_t together, bool shared,
                             panel_task *task, void *context, struct panel_sums *sums, struct error *error)
{
    struct panel_group *group = array_reserve(groups->group, &groups->capacity, grid->count, sizeof *group);
    struct running running = {group, task, context};
    if (group == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for groups of %zu panels", grid->count);
    groups->group = group;
    size_t count = make_groups(grid, together, group);
    team_for(shared ? groups->team : NULL, count, run_group, &running);
    struct panel_sums total = {.ignored = 0.0};
    for (size_t i = 0; i < count; i++) {
        if (group[i].failed)
            return task(context, 0, group[i].from, group[i].to, &group[i].sums, error);
        total.ignored += group[i].sums.ignored;
        norm_sums_join(&total.errors, group[i].sums.errors);
    }
    if (sums != NULL)
        *sums = total;
    return STATUS_OK;
}
