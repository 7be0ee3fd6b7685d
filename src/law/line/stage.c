#include "law/line/stage.h"

#include <math.h>

#include "core/memory.h"
#include "core/vmath.h"
#include "law/line/check.h"
#include "law/line/orders.h"
#include "law/line/reach.h"
#include "law/line/tuning.h"
#include "law/tuning.h"

struct filling {
    const struct line *line;
    struct panels *grid;
    bool due_alone;
};

static enum status fill(void *context, size_t thread, size_t from, size_t to, struct panel_sums *sums,
                        struct error *error)
{
    const struct filling *filling = context;
    struct transfer_work *work = &filling->line->threads.work[thread];
    const struct chebyshev *chebyshev = &filling->line->chebyshev;
    const struct transfer *transfer = &filling->line->transfer;
    struct panel *panel = &filling->grid->panel[from];
    double y[TRANSFER_POINTS], value[TRANSFER_POINTS];
    size_t hint = from, order = panels_order(filling->grid, from, to);
    if (filling->due_alone && !line_probe_due(&filling->line->probe, from, to))
        return STATUS_OK;
    for (size_t i = 0; i < to - from; i++)
        panel_nodes(chebyshev, &panel[i], y + i * PANEL_NODES);
    work->ignored = 0.0;
    const struct transfer_query query = {panel, to - from, PANEL_NODES, y};
    TRY(transfer_apply(transfer, work, transfer_order(transfer, order), &query, value, &hint, error));
    sums->ignored = work->ignored;
    for (size_t i = 0; i < to - from; i++) {
        panel[i].order = order;
        panel_fit(chebyshev, value + i * PANEL_NODES, &panel[i]);
        if (!isfinite(panel[i].coefficient[0]))
            return fail_with(error, STATUS_NUMERIC, "the law of %s is not finite after step t = %zu",
                             transfer->stage.sampler->name, transfer->stage.step->t);
    }
    return STATUS_OK;
}

enum status line_fill(struct line *line, bool due_alone, struct panel_sums *sums, struct error *error)
{
    struct filling filling = {line, line->result, due_alone};
    size_t points = 0;
    for (size_t p = 0; p < line->result->count; p++)
        if (!due_alone || line->probe.panel[p].due)
            points += PANEL_NODES * (line->result->panel[p].order + 1);
    return panel_groups_run(&line->threads.groups, line->result, transfer_most(&line->transfer) / PANEL_NODES,
                            transfer_is_shared(&line->transfer, points), fill, &filling, sums, error);
}

/* Limits that the score error sets to the panels' length in a stage's result. Jumps of the map are blurred by the
 * noise after it; before the map r still has those of the step before, and keeps the last ones when the error becomes
 * negligible or ends. */
static struct fineness fineness_for(struct line *line, const struct transfer *transfer)
{
    struct fineness *jumps = &line->jumps, fineness;
    const struct mixture_level *from = transfer->from;
    double tau = transfer->stage.deterministic ? 0.0 : transfer->tau, root = transfer->to->root_alpha_bar;
    size_t count = transfer->breaks.count < PANEL_EDGES ? transfer->breaks.count : PANEL_EDGES;
    for (size_t b = 0; b < count; b++)
        jumps->edge[b] =
            (transfer->breaks.at[b] + from->root_alpha_bar * from->factor->mean[0]) / transfer->stage.a / root;
    if (count > 0) {
        jumps->edges = count;
        jumps->finest = LINE_JUMP_LENGTH * tau;
    } else if (!transfer->stage.moves && jumps->edges > 0)
        jumps->finest = fmin(jumps->finest, LINE_JUMP_LENGTH * tau);
    double longest = HUGE_VAL;
    for (size_t i = 0; i < line->oracle.levels; i++) {
        const struct error_level *at = &line->oracle.error[i];
        if (at->shape != NULL && at->shape->periodic && at->amplitude > 0.0)
            longest = fmin(longest, fmax(LINE_WAVE_LENGTH / at->scale, LINE_JUMP_LENGTH * tau));
    }
    if (isfinite(longest))
        jumps->longest = longest / root;
    fineness = *jumps;
    fineness.longest *= root;
    fineness.narrow *= root;
    for (size_t e = 0; e < fineness.edges; e++)
        fineness.edge[e] *= root;
    return fineness;
}

/* The jumps of the map, unless they are negligible. */
static enum status find_breaks(struct line *line, struct transfer *transfer, struct error *error)
{
    double size = 0.0, sd = transfer->from->sd[0], work[2 + 64];
    for (size_t k = 1; k < transfer->from->factor->components; k++)
        sd = fmin(sd, transfer->from->sd[k]);
    for (size_t i = 0; i < line->oracle.levels; i++)
        if (line->oracle.error[i].edges > 0)
            size = fmax(size, line->oracle.error[i].amplitude * line->oracle.error[i].height);
    if (!transfer->stage.moves
        || (transfer->stage.step->beta * size < LINE_JUMP_NEGLIGIBLE * sd && !isfinite(transfer->stage.step->clip)))
        return STATUS_OK;
    if (transfer->stage.sampler->work_arrays > 64)
        return fail_with(error, STATUS_UNSUPPORTED, "sampler %s needs more than 64 work arrays",
                         transfer->stage.sampler->name);
    if (line->draws > 0)
        return fail_with(
            error, STATUS_UNSUPPORTED,
            "sampler %s draws a number in each step, and the score error jumps: where its maps jump is not "
            "looked for",
            transfer->stage.sampler->name);
    double scale = transfer->stage.deterministic ? sd : transfer->tau;
    line->oracle.work = line->threads.work->oracle_work;
    oracle_breaks(&line->oracle, transfer->stage.sampler, transfer->stage.step, transfer->grid, scale, work,
                  &transfer->breaks);
    /* a point may come from as far as a jump moves it */
    transfer->reach = fmin(LINE_JUMP_REACH + 2.0 * transfer->stage.step->beta * size / scale, LINE_JUMP_MOST_REACH);
    if (transfer->stage.deterministic && transfer->breaks.count > 0)
        return fail_with(error, STATUS_NUMERIC,
                         "the map of %s jumps at step t = %zu (the score error is not continuous): it folds or "
                         "tears, and the law is not computed",
                         transfer->stage.sampler->name, transfer->stage.step->t);
    return STATUS_OK;
}

#define INSIDE (1.0 - 1e-9) /* the ends of a piece are nodes, and jumps belong to its neighbour */

/* Parts of panels between jumps of the map, of one anchor, with the weights of Clenshaw-Curtis. */
struct pieces {
    size_t anchor, count;
    size_t panel[TRANSFER_POINTS / PANEL_NODES];
    double x[TRANSFER_POINTS], log_ratio[TRANSFER_POINTS], weight[TRANSFER_POINTS];
};

/* Adds the integrals over the pieces to those of their panels. */
static void add_pieces(struct line *line, struct transfer_work *work, struct pieces *pieces)
{
    const struct transfer *transfer = &line->transfer;
    struct oracle oracle = line->oracle;
    size_t n = pieces->count * PANEL_NODES;
    double mass[TRANSFER_POINTS], correction[TRANSFER_POINTS];
    mixture_level_evaluate(transfer->from, pieces->anchor, n, pieces->x, mass, NULL);
    for (size_t j = 0; j < n; j++)
        mass[j] += pieces->log_ratio[j];
    vexp(n, mass, mass);
    for (size_t j = 0; j < n; j++)
        mass[j] *= pieces->weight[j];
    oracle.anchor = pieces->anchor;
    oracle.work = work->oracle_work;
    oracle_apply(&oracle, transfer->stage.sampler->correction, transfer->stage.step, n, pieces->x, correction,
                 work->work);
    for (size_t i = 0; i < pieces->count; i++)
        clip_step_add(&line->moments[pieces->panel[i]], line->run->problem->schedule->T, PANEL_NODES,
                      mass + i * PANEL_NODES, correction + i * PANEL_NODES);
    pieces->count = 0;
    work->exponentials +=
        n * (3 + (1 + transfer->stage.sampler->score_evaluations) * mixture_exponentials(transfer->from));
}

/* Panels are cut where the map jumps. */
static enum status take_moments(void *context, size_t thread, size_t from, size_t to, struct panel_sums *sums,
                                struct error *error)
{
    struct line *line = context;
    struct transfer_work *work = &line->threads.work[thread];
    const struct transfer *transfer = &line->transfer;
    struct pieces pieces = {.anchor = transfer->grid->panel[from].anchor};
    double shift = mixture_level_centre(transfer->from, 0, pieces.anchor);
    (void)sums;
    (void)error;
    for (size_t p = from; p < to; p++) {
        const struct panel *panel = &transfer->grid->panel[p];
        double start = panel->centre - panel->half_width, last = panel->centre + panel->half_width;
        line->moments[p] = (struct clip_step){0};
        for (size_t b = 0; b <= transfer->breaks.count; b++) {
            double end = b < transfer->breaks.count ? fmin(transfer->breaks.at[b] + shift, last) : last;
            if (!(end > start))
                continue;
            double centre = 0.5 * (start + end), half = 0.5 * (end - start) * INSIDE;
            size_t first = pieces.count * PANEL_NODES;
            for (size_t j = 0; j < PANEL_NODES; j++) {
                pieces.x[first + j] = centre + half * line->chebyshev.node[j];
                pieces.weight[first + j] = line->chebyshev.weight[j] * half;
            }
            panel_evaluate(panel, 0.0, PANEL_NODES, pieces.x + first, pieces.log_ratio + first);
            pieces.panel[pieces.count++] = p;
            if (pieces.count == TRANSFER_POINTS / PANEL_NODES)
                add_pieces(line, work, &pieces);
            start = end;
        }
    }
    add_pieces(line, work, &pieces);
    return STATUS_OK;
}

void line_correction_moments(void *state, struct clip_step *out)
{
    struct line *line = state;
    const struct panels *grid = line->transfer.grid;
    bool shared = transfer_is_shared(&line->transfer, grid->count * PANEL_NODES);
    enum status status = panel_groups_run(&line->threads.groups, grid, TRANSFER_POINTS / PANEL_NODES, shared,
                                          take_moments, line, NULL, NULL);
    for (size_t p = 0; status == STATUS_OK && p < grid->count; p++)
        clip_step_sum(out, &line->moments[p]);
}

enum status line_lay_out(const struct line *line, int spacing, struct panels *grid, struct error *error)
{
    return panels_lay_out(line->transfer.to, line->run->resolution / pow(LINE_LENGTHENING, spacing), &line->fineness,
                          grid, error);
}

/* Jumps do not move along with panels: those that see one have the largest order of all. */
static void raise_at_breaks(struct line *line, size_t order)
{
    const struct transfer *transfer = &line->transfer;
    for (size_t p = 0; p < line->result->count && transfer->breaks.count > 0; p++) {
        struct panel *panel = &line->result->panel[p];
        double shift = mixture_level_centre(transfer->from, 0, panel->anchor);
        double reach = transfer->stage.a * panel->half_width + transfer->reach * transfer->tau;
        for (size_t b = 0; b < transfer->breaks.count; b++)
            if (fabs(transfer->breaks.at[b] + shift - transfer->stage.a * panel->centre) < reach)
                panel->order = panel->order > order ? panel->order : order;
    }
}

/* Panels of the last check that have run into each other say no more than how high an order is needed somewhere. */
enum status line_set_orders(struct line *line, struct error *error)
{
    const struct panels *before = &line->before[line->transfer.stage.index];
    int in_order;
    TRY(panels_move(before, line->transfer.to, &line->moved, &in_order, error));
    if (in_order)
        panels_inherit_orders(&line->moved, line->transfer.to, line->result);
    for (size_t p = 0; p < line->result->count && !in_order; p++)
        line->result->panel[p].order = panels_order(before, 0, before->count);
    raise_at_breaks(line, panels_order(before, 0, before->count));
    return line_set_reach(line, error);
}

enum status line_stage_prepare(void *state, const struct stage *stage, size_t from, size_t to, struct error *error)
{
    struct line *line = state;
    line->result = &line->grid[to];
    transfer_init(&line->transfer, stage, &line->level[from], &line->level[to], &line->grid[from], &line->oracle,
                  line->run->resolution);
    if (stage->moves) {
        line->transfer.draws = line->draws;
        line->transfer.draw = line->draw;
    }
    TRY(find_breaks(line, &line->transfer, error));
    size_t count = line->grid[from].count;
    struct clip_step *moments = array_reserve(line->moments, &line->moments_capacity, count, sizeof *moments);
    if (moments == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for moments on %zu panels", count);
    line->moments = moments;
    line->fineness = fineness_for(line, &line->transfer);
    return STATUS_OK;
}

enum status line_stage_fill(void *state, bool checked, struct stage_result *out, struct error *error)
{
    struct line *line = state;
    size_t stage = line->transfer.stage.index;
    const struct line_choice *choice = &line->choice[stage];
    int in_order = 0;
    line->made = line->run->step.t;
    if (checked)
        TRY(line_check(line, &out->error, error));
    out->rounding = line->rounding[stage];
    if (checked)
        return STATUS_OK;
    if (choice->unchanged || !(choice->relaid || line->fineness.edges > 0))
        TRY(panels_move(line->transfer.grid, line->transfer.to, line->result, &in_order, error));
    if (choice->unchanged && in_order)
        return STATUS_OK;
    if (!in_order)
        TRY(line_lay_out(line, choice->spacing, line->result, error));
    TRY(line_set_orders(line, error));
    return line_fill(line, false, NULL, error);
}
