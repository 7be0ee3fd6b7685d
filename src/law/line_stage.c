#include "law/line_stage.h"

#include <math.h>

#include "core/vmath.h"
#include "law/line_check.h"

/* Rungs that twice the resolution adds. */
#define RUNGS_AN_OCTAVE 3.0
/* By how much panels are longer with each unit of spacing. */
#define SPACING 1.25

/* Panels beside a jump, in units of the noise that blurs it; a wave of number k needs panels of WAVE_LENGTH/k, but
 * none shorter than what the noise leaves. Chosen by the measured interpolation error. */
#define EDGE_LENGTH 1.5
#define WAVE_LENGTH 6.0
/* Standard deviations of the noise to which it is integrated beside jumps: mass 1e-17; and at most, for jumps that
 * throw farther than the noise does. */
#define REACH 8.6
#define FARTHEST 30.0
/* A jump that moves less mass than this in a step (relative to the narrowest component) is below rounding. */
#define FAINT 1e-14

enum status line_init(struct line *line, const struct law_problem *problem, double resolution, struct error *error)
{
    *line = (struct line){.problem = problem, .resolution = resolution};
    if (problem->sampler->correction != NULL && !(problem->clip > 0.0))
        line->clip = (struct clip_bound){.steps = problem->schedule->T - 1, .T = problem->schedule->T};
    int jumps = problem->error_share > 0.0 || problem->clip > 0.0;
    chebyshev_init(&line->chebyshev);
    enum status status = oracle_new(problem->factor, problem->sampler, &line->oracle, error);
    if (status == STATUS_OK)
        status = rules_new_part(&line->rules, RUNGS, jumps ? TRANSFER_RUNGS : 0, error);
    line->oracle.undeclared = &line->undeclared;
    line->oracle.original = conditions_broken(problem->conditions, CONDITION_SHIFTS);
    return status == STATUS_OK ? line_team_new(problem->sampler, &line->rules, problem->threads, &line->team, error)
                               : status;
}

void line_free(struct line *line)
{
    oracle_free(&line->oracle);
    rules_free(&line->rules);
    line_team_free(&line->team);
    line_probe_free(&line->probe);
    panels_free(&line->moved);
    for (int stage = 0; stage < LINE_STAGES; stage++)
        panels_free(&line->before[stage]);
}

struct filling {
    const struct line *line;
    const struct transfer *transfer;
    struct panels *grid;
    size_t rung;
};

static enum status fill(void *context, struct transfer_work *work, size_t from, size_t to, struct error *error)
{
    const struct filling *filling = context;
    const struct chebyshev *chebyshev = &filling->line->chebyshev;
    const struct transfer *transfer = filling->transfer;
    struct panel *panel = &filling->grid->panel[from];
    double y[TRANSFER_POINTS], value[TRANSFER_POINTS];
    size_t hint = from;
    size_t count = 0; /* of points; there is a panel at least */
    do {
        const struct panel *at = &panel[count / PANEL_NODES];
        y[count] = at->centre + at->half_width * chebyshev->node[count % PANEL_NODES];
    } while (++count < (to - from) * PANEL_NODES);
    enum status status = transfer_apply(transfer, work, filling->rung, panel, count, y, value, &hint, error);
    for (size_t i = 0; i < to - from && status == STATUS_OK; i++) {
        panel_fit(chebyshev, value + i * PANEL_NODES, &panel[i]);
        if (!isfinite(panel[i].coefficient[0]))
            status = fail_with(error, STATUS_NUMERIC, "the law of %s is not finite after step t = %zu",
                               transfer->sampler->name, transfer->step->t);
    }
    return status;
}

enum status line_fill(struct line *line, const struct transfer *transfer, size_t rung, struct panels *grid,
                      struct error *error)
{
    struct filling filling = {line, transfer, grid, rung};
    size_t together = transfer->deterministic ? 1 : TRANSFER_POINTS / PANEL_NODES;
    return line_team_run(&line->team, grid, together, transfer_cost(transfer, rung, grid->count * PANEL_NODES), fill,
                         &filling, error);
}

/* What the score error asks of the panels of a stage's result: jumps of the map, blurred by the noise; before the
 * map, those of the step before. Where they have become faint, or the error has ended, what they left in r stays. */
static struct fineness fineness_for(struct line *line, const struct transfer *transfer)
{
    struct fineness *jumps = &line->jumps, fineness;
    const struct mixture_level *from = transfer->from;
    double tau = transfer->deterministic ? 0.0 : transfer->tau, root = transfer->to->root_alpha_bar;
    size_t count = transfer->breaks.count < PANEL_EDGES ? transfer->breaks.count : PANEL_EDGES;
    for (size_t b = 0; b < count; b++)
        jumps->edge[b] = (transfer->breaks.at[b] + from->root_alpha_bar * from->factor->mean[0]) / transfer->a / root;
    if (count > 0) {
        jumps->edges = count;
        jumps->finest = EDGE_LENGTH * tau;
    } else if (!transfer->moves && jumps->edges > 0)
        jumps->finest = fmin(jumps->finest, EDGE_LENGTH * tau);
    double longest = HUGE_VAL;
    for (size_t i = 0; i < line->oracle.levels; i++) {
        const struct error_level *at = &line->oracle.error[i];
        if (at->shape != NULL && (at->shape->parameters & ERROR_ROUGHNESS) && at->amplitude > 0.0)
            longest = fmin(longest, fmax(WAVE_LENGTH / at->scale, EDGE_LENGTH * tau));
    }
    if (isfinite(longest))
        jumps->longest = longest / root;
    fineness = *jumps;
    fineness.longest *= root;
    for (size_t e = 0; e < fineness.edges; e++)
        fineness.edge[e] *= root;
    return fineness;
}

/* The jumps of the map, where they matter. */
static enum status find_breaks(struct line *line, struct transfer *transfer, struct error *error)
{
    double size = 0.0, sd = transfer->from->sd[0], work[2 + 64];
    for (size_t k = 1; k < transfer->from->factor->components; k++)
        sd = fmin(sd, transfer->from->sd[k]);
    for (size_t i = 0; i < line->oracle.levels; i++)
        if (line->oracle.error[i].edges > 0)
            size = fmax(size, line->oracle.error[i].amplitude * line->oracle.error[i].height);
    if (!transfer->moves || (transfer->step->beta * size < FAINT * sd && !isfinite(transfer->step->clip)))
        return STATUS_OK;
    if (transfer->sampler->work_arrays > 64)
        return fail_with(error, STATUS_UNSUPPORTED, "sampler %s needs more than 64 work arrays",
                         transfer->sampler->name);
    double scale = transfer->deterministic ? sd : transfer->tau;
    line->oracle.work = line->team.work->oracle_work;
    oracle_breaks(&line->oracle, transfer->sampler, transfer->step, transfer->grid, scale, work, &transfer->breaks);
    /* what a jump throws far comes from far in units of the noise */
    transfer->reach = fmin(REACH + 2.0 * transfer->step->beta * size / scale, FARTHEST);
    if (transfer->deterministic && transfer->breaks.count > 0)
        return fail_with(
            error, STATUS_NUMERIC,
            "the map of %s jumps at step t = %zu (the score error is not continuous): it folds or tears, "
            "and the law is not computed",
            transfer->sampler->name, transfer->step->t);
    return STATUS_OK;
}

#define INSIDE (1.0 - 1e-9) /* the ends of a piece are nodes, and jumps belong to its neighbour */

/* Adds E_q over one piece of a panel of what the clip would see. */
static void watch_piece(struct line *line, const struct transfer *transfer, const struct panel *panel, double from,
                        double to, struct clip_step *seen)
{
    double weight[PANEL_NODES], x[PANEL_NODES], log_ratio[PANEL_NODES], correction[PANEL_NODES];
    double centre = 0.5 * (from + to), half = 0.5 * (to - from) * INSIDE;
    for (size_t j = 0; j < PANEL_NODES; j++)
        x[j] = centre + half * line->chebyshev.node[j];
    mixture_level_evaluate(transfer->from, panel->anchor, PANEL_NODES, x, weight, NULL);
    panel_evaluate(panel, 0.0, PANEL_NODES, x, log_ratio);
    for (size_t j = 0; j < PANEL_NODES; j++)
        weight[j] += log_ratio[j];
    vexp(PANEL_NODES, weight, weight);
    for (size_t j = 0; j < PANEL_NODES; j++)
        weight[j] *= line->chebyshev.weight[j] * half;
    line->oracle.anchor = panel->anchor;
    line->oracle.work = line->team.work->oracle_work;
    oracle_apply(&line->oracle, transfer->sampler->correction, transfer->step, PANEL_NODES, x, correction,
                 line->team.work->work);
    clip_step_add(seen, line->clip.T, PANEL_NODES, weight, correction);
}

/* The correction under q, on the grid cut at the map's jumps. */
static void watch_clip(struct line *line, const struct transfer *transfer)
{
    const struct panels *grid = transfer->grid;
    struct clip_step seen = {0.0, {0.0}};
    for (size_t p = 0; p < grid->count; p++) {
        const struct panel *panel = &grid->panel[p];
        double shift = mixture_level_centre(transfer->from, 0, panel->anchor);
        double from = panel->centre - panel->half_width, end = panel->centre + panel->half_width;
        for (size_t b = 0; b <= transfer->breaks.count; b++) {
            double to = b < transfer->breaks.count ? fmin(transfer->breaks.at[b] + shift, end) : end;
            if (!(to > from))
                continue;
            watch_piece(line, transfer, panel, from, to, &seen);
            from = to;
        }
    }
    clip_bound_take(&line->clip, &seen);
}

size_t line_rung(const struct line *line, size_t rung)
{
    size_t extra = line->resolution > 1.0 ? (size_t)lround(RUNGS_AN_OCTAVE * log2(line->resolution)) : 0;
    return rung + extra < TRANSFER_TOP_RUNG ? rung + extra : TRANSFER_TOP_RUNG;
}

enum status line_lay_out(const struct line *line, const struct transfer *transfer, int spacing,
                         const struct fineness *fineness, struct panels *grid, struct error *error)
{
    return panels_lay_out(transfer->to, line->resolution / pow(SPACING, spacing), fineness, grid, error);
}

enum status line_stage_make(struct line *line, struct transfer *transfer, int stage, int checked, struct panels *grid,
                            struct step_error *wrong, struct error *error)
{
    int in_order = 0;
    const struct line_choice *choice = &line->choice[stage];
    enum status status = find_breaks(line, transfer, error);
    if (checked && transfer->moves && line->clip.steps > 0 && status == STATUS_OK)
        watch_clip(line, transfer);
    struct fineness fineness = fineness_for(line, transfer);
    if (status == STATUS_OK && checked)
        return line_check(line, transfer, &fineness, stage, grid, wrong, error);
    if (status == STATUS_OK && (choice->carried || !(choice->fresh || fineness.edges > 0)))
        status = panels_move(transfer->grid, transfer->to, grid, &in_order, error);
    if (status == STATUS_OK && choice->carried && in_order)
        return STATUS_OK;
    if (status == STATUS_OK && !in_order)
        status = line_lay_out(line, transfer, choice->spacing, &fineness, grid, error);
    return status == STATUS_OK ? line_fill(line, transfer, line_rung(line, choice->rung), grid, error) : status;
}
