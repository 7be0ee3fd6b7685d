#include "law/line/reach.h"

#include <math.h>

#include "core/memory.h"
#include "law/line/stage.h"
#include "law/line/transfer_parts.h"
#include "law/line/tuning.h"
#include "law/tuning.h"

struct landing {
    struct line *line;
    const struct transfer *transfer;
};

static enum status find_landings(void *context, size_t thread, size_t from, size_t to, struct panel_sums *sums,
                                 struct error *error)
{
    const struct landing *landing = context;
    const struct transfer *transfer = landing->transfer;
    struct transfer_work *work = &landing->line->threads.work[thread];
    const struct panel *panel = &transfer->grid->panel[from];
    const struct reference reference = transfer_reference(transfer, panel->anchor, panel->dominant);
    size_t count = to - from, hint = from;
    (void)sums;
    (void)error;
    for (size_t i = 0; i < count; i++)
        panel_nodes(&landing->line->chebyshev, &panel[i], work->x + i * PANEL_NODES);
    transfer_nodes(transfer, work, &reference, panel->anchor, count * PANEL_NODES);
    panels_evaluate(transfer->grid, transfer->from, panel->anchor, count * PANEL_NODES, work->x, work->exponent,
                    &hint);
    work->node_updates += count * PANEL_NODES;
    transfer_log_own(transfer, panel->anchor, count * PANEL_NODES, work->x, work->log_offset);
    for (size_t i = 0; i < count * PANEL_NODES; i++) {
        size_t left = i % PANEL_NODES > 0 ? i - 1 : i, right = (i + 1) % PANEL_NODES > 0 ? i + 1 : i;
        double slope = (work->exponent[right] - work->exponent[left]) / (work->x[right] - work->x[left]);
        double D = work->increment[i];
        landing->line->landing[from * PANEL_NODES + i] =
            (struct line_landing){.place = work->x[i] + D,
                                  .excess = D - transfer->stage.step->beta * (work->score[i] + slope),
                                  .log_density = work->exponent[i] + work->log_offset[i]};
    }
    return STATUS_OK;
}

/* A panel of the result, at the level before and relative to an anchor. */
struct interval {
    double from, to;
};
static struct interval panel_before(const struct line *line, size_t p, size_t anchor)
{
    const struct transfer *transfer = &line->transfer;
    const struct panel *panel = &line->result->panel[p];
    double a = transfer->stage.a, shift = mixture_level_centre(transfer->from, panel->anchor, anchor);
    return (struct interval){a * (panel->centre - panel->half_width) + shift,
                             a * (panel->centre + panel->half_width) + shift};
}

/* The panels of the result where what is between two nodes lands look as far as these. *hint: a panel near by. */
static void look_back(struct line *line, size_t anchor, const double x[2], const struct line_landing landing[2],
                      size_t *hint)
{
    struct panels *result = line->result;
    double noise = TRAPEZOID_REACH * sqrt(line->transfer.stage.noise),
           left = fmin(landing[0].place, landing[1].place);
    double right = fmax(landing[0].place, landing[1].place);
    size_t p = *hint;
    while (p > 0 && panel_before(line, p - 1, anchor).to > left - noise)
        p--;
    while (p + 1 < result->count && panel_before(line, p, anchor).to < left - noise)
        p++;
    *hint = p;
    for (; p < result->count; p++) {
        struct interval at = panel_before(line, p, anchor);
        if (at.from > right + noise)
            break;
        if (at.to < left - noise)
            continue;
        struct panel *panel = &result->panel[p];
        panel->order = panel->order > TRANSFER_FIRST_CELLS ? panel->order : TRANSFER_FIRST_CELLS;
        panel->reach[0] = fmax(panel->reach[0], at.from - x[0]);
        panel->reach[1] = fmax(panel->reach[1], x[1] - at.to);
    }
}

/* By one map, where a sampler draws one of several. */
static enum status add_map(struct line *line, const struct transfer *transfer, struct error *error)
{
    const struct panels *grid = transfer->grid;
    struct landing landing = {line, transfer};
    size_t hint = 0;
    TRY(panel_groups_run(&line->threads.groups, grid, TRANSFER_POINTS / PANEL_NODES,
                         transfer_is_shared(transfer, grid->count * PANEL_NODES), find_landings, &landing, NULL,
                         error));
    for (size_t p = 0; p < grid->count; p++) {
        const struct line_landing *at = line->landing + p * PANEL_NODES;
        double x[PANEL_NODES];
        panel_nodes(&line->chebyshev, &grid->panel[p], x);
        for (size_t i = 0; i + 1 < PANEL_NODES; i++)
            if (!(fmax(fabs(at[i].excess), fabs(at[i + 1].excess)) <= LINE_FAR * transfer->tau)
                && fmax(at[i].log_density, at[i + 1].log_density) + log(x[i + 1] - x[i]) > LINE_CELL_NEGLIGIBLE)
                look_back(line, grid->panel[p].anchor, x + i, at + i, &hint);
    }
    return STATUS_OK;
}

/* Whether no two components' scores differ by so much. */
static bool is_near(const struct line *line)
{
    const struct transfer *transfer = &line->transfer;
    const struct law_problem *problem = line->run->problem;
    double left = 0.0, right = 0.0, beta = transfer->stage.step->beta;
    if (transfer->from->masses != NULL || problem->error_share > 0.0 || problem->clip > 0.0)
        return false;
    for (size_t k = 1; k < problem->factor->components; k++) {
        double centre = mixture_level_centre(transfer->from, k, 0);
        left = fmin(left, centre);
        right = fmax(right, centre);
    }
    return 2.0 * beta * (right - left) < LINE_FAR * transfer->tau * transfer->narrowest * transfer->narrowest;
}

enum status line_set_reach(struct line *line, struct error *error)
{
    const struct transfer *transfer = &line->transfer;
    for (size_t p = 0; p < line->result->count; p++)
        line->result->panel[p].reach[0] = line->result->panel[p].reach[1] = 0.0;
    if (!transfer->stage.moves || transfer->stage.deterministic || is_near(line))
        return STATUS_OK;
    struct line_landing *landing =
        array_reserve(line->landing, &line->landing_capacity, transfer->grid->count * PANEL_NODES, sizeof *landing);
    if (landing == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for where %zu panels land", transfer->grid->count);
    line->landing = landing;
    if (transfer->draws == 0)
        return add_map(line, transfer, error);
    for (size_t k = 0; k < transfer->draws; k++) {
        struct transfer one = transfer_of_draw(transfer, k);
        TRY(add_map(line, &one, error));
    }
    return STATUS_OK;
}
