/* The line engine: log r_t on panels, carried from level to level by theory (14)-(15) (law/line/transfer.c). */
#include <math.h>

#include "core/memory.h"
#include "law/line/stage.h"
#include "law/line/tuning.h"
#include "law/outside.h"
#include "law/propagate.h"

extern const struct law_engine engine_line;

static void line_free(void *state)
{
    struct line *line = state;
    for (size_t i = 0; i < SLOTS; i++) {
        mixture_level_free(&line->level[i]);
        panels_free(&line->grid[i]);
    }
    for (size_t i = 0; i < STAGES; i++)
        panels_free(&line->before[i]);
    panels_free(&line->moved);
    line_increments_free(&line->increments);
    free(line->moments);
    free(line->landing);
    oracle_free(&line->oracle);
    for (size_t k = 0; k < SAMPLER_DRAWS; k++)
        oracle_free(&line->draw[k].oracle);
    quadrature_table_free(&line->rules);
    transfer_team_free(&line->threads);
    line_probe_free(&line->probe);
    free(line);
}

static enum status line_new(struct propagation *run, void **state, struct error *error)
{
    const struct law_problem *problem = run->problem;
    struct line *line = *state = array_new(1, sizeof *line);
    if (line == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for the line engine");
    line->run = run;
    for (size_t k = 0; k < problem->factor->components; k++)
        line->rare = problem->factor->weight[k] < LINE_RARE ? LINE_RARE : line->rare;
    bool jumps = problem->error_share > 0.0 || problem->clip > 0.0;
    chebyshev_init(&line->chebyshev);
    TRY(oracle_new(problem->factor, problem->sampler, &line->oracle, error));
    line->oracle.undeclared = &run->undeclared;
    line->oracle.original = run->original;
    for (size_t k = 0; k < problem->sampler->draws; k++) {
        TRY(oracle_new(problem->factor, problem->sampler, &line->draw[k].oracle, error));
        line->draw[k].oracle.undeclared = &run->undeclared;
    }
    TRY(quadrature_table_new(&line->rules, jumps ? TRANSFER_ORDERS : 0, error));
    TRY(transfer_team_new(problem->sampler, &line->rules, run->team, &line->threads, error));
    for (size_t i = 0; i < SLOTS; i++)
        TRY(mixture_level_new(problem->factor, &line->level[i], error));
    return STATUS_OK;
}

static void set_level(void *state, size_t slot, const struct level *level)
{
    mixture_level_set(&((struct line *)state)->level[slot], level);
}

/* log r_T = log N(x; 0, 1) - log p_T(x) at `count` points relative to the anchor. */
static void evaluate_start(const struct mixture_level *mixture, size_t anchor, size_t count, const double *x,
                           double *log_density, double *log_ratio)
{
    double centre = mixture->root_alpha_bar * mixture->factor->mean[anchor];
    mixture_level_evaluate(mixture, anchor, count, x, log_density, NULL);
    for (size_t j = 0; j < count; j++) {
        double absolute = x[j] + centre;
        log_ratio[j] = -0.5 * absolute * absolute - 0.5 * log(2.0 * M_PI) - log_density[j];
    }
}

/* What holding r at the ends of the grid costs E_p r^2. */
static void look_at_ends(struct line *line, size_t slot)
{
    const struct mixture_level *mixture = &line->level[slot];
    double total = 0.0;
    for (size_t p = 0; p < line->grid[slot].count; p++)
        for (int side = 0; side < 2; side++) {
            const struct panel *panel = &line->grid[slot].panel[p];
            double step = OUTSIDE_SLOPE_PART * panel->half_width, log_p[2], log_r[2];
            double end = panel->centre + (side == 0 ? -1.0 : 1.0) * panel->half_width;
            const double x[2] = {end, end + (side == 0 ? step : -step)};
            if (!panels_at_end(&line->grid[slot], p, side))
                continue;
            mixture_level_evaluate(mixture, panel->anchor, 2, x, log_p, NULL);
            panel_evaluate(panel, 0.0, 2, x, log_r);
            total += outside_held_square(log_p, log_r, step, mixture->sd[panel->anchor]);
        }
    line->run->held_square = fmax(line->run->held_square, total);
}

static enum status start(void *state, struct norms *local, struct error *error)
{
    struct line *line = state;
    const struct mixture_level *mixture = &line->level[0];
    struct norm_sums sums = {0.0, 0.0, 0.0};
    /* Where p is much wider than q, steps hardly move q in units of sqrt(alpha_bar), and their noise adds to its
     * width no more than of the order of what it has. */
    line->jumps.narrow = 1.0 / mixture->root_alpha_bar;
    const struct fineness fineness = {.narrow = 1.0};
    TRY(panels_lay_out(mixture, line->run->resolution, &fineness, &line->grid[0], error));
    for (size_t p = 0; p < line->grid[0].count; p++) {
        struct panel *panel = &line->grid[0].panel[p];
        double x[PANEL_NODES], value[PANEL_NODES], made[PANEL_PROBES], log_density[PANEL_NODES],
            log_own[PANEL_PROBES];
        panel_nodes(&line->chebyshev, panel, x);
        evaluate_start(mixture, panel->anchor, PANEL_NODES, x, log_density, value);
        panel_fit(&line->chebyshev, value, panel);
        panel_probes(panel, x);
        evaluate_start(mixture, panel->anchor, PANEL_PROBES, x, log_density, value);
        panel_evaluate(panel, 0.0, PANEL_PROBES, x, made);
        mixture_level_log_own(mixture, panel->anchor, PANEL_PROBES, x, log_own);
        panel_add_errors(panel, log_density, value, made, log_own, &sums);
    }
    *local = norms_beyond(norms_of(sums), PROBE_MISSES, 0.0);
    look_at_ends(line, 0);
    return STATUS_OK;
}

static enum status fill_stage(void *state, bool checked, struct stage_result *out, struct error *error)
{
    struct line *line = state;
    TRY(line_stage_fill(line, checked, out, error));
    if (checked)
        look_at_ends(line, (size_t)(line->result - line->grid));
    return STATUS_OK;
}

static void set_score(void *state, size_t from, size_t to)
{
    struct line *line = state;
    const struct law_problem *problem = line->run->problem;
    oracle_set(&line->oracle, problem->sampler, problem->schedule, &line->run->step, &line->level[from],
               &line->level[to], problem->score_error, line->run->error_norm, problem->error_share);
    if (problem->sampler->draws == 0)
        return;
    double draw[SAMPLER_DRAWS], weight[SAMPLER_DRAWS];
    line->draws = sampler_draws(problem->sampler, draw, weight);
    for (size_t k = 0; k < line->draws; k++) {
        struct transfer_draw *at = &line->draw[k];
        at->step = line->run->step;
        at->step.draw = draw[k];
        at->weight = weight[k];
        oracle_set(&at->oracle, problem->sampler, problem->schedule, &at->step, &line->level[from], &line->level[to],
                   problem->score_error, line->run->error_norm, problem->error_share);
    }
}

/* Increments are polynomials in the variance between steps and 0, where they vanish: their error, too, is largest
 * near the last check. */
static bool leaves_unchanged(const void *state)
{
    const struct line *line = state;
    const struct line_choice *map = &line->choice[STAGE_MAP];
    bool before = line->run->problem->sampler->log_noise_before != NULL;
    return map->by_increments || (map->unchanged && (!before || line->choice[STAGE_NOISE].unchanged));
}

/* Adds what the steps between the last one that was made and the present one add. */
static void add_increments(struct line *line, struct panels *grid)
{
    const struct law_problem *problem = line->run->problem;
    double weight[INCREMENTS] = {0.0};
    for (size_t t = line->made - 1; t > line->run->step.t; t--) {
        double beta = sampler_step(problem->sampler, problem->schedule, t).beta;
        line_increments_weigh(&line->increments, beta, weight);
    }
    line_increments_add(&line->increments, weight, grid);
}

static enum status move_slot(void *state, size_t slot, struct error *error)
{
    struct line *line = state;
    int in_order;
    TRY(panels_move(&line->grid[slot], &line->level[slot], &line->moved, &in_order, error));
    if (!in_order)
        return fail_with(error, STATUS_NUMERIC, "panels of the law of %s run into each other before step t = %zu",
                         line->run->problem->sampler->name, line->run->step.t);
    if (line->choice[STAGE_MAP].by_increments)
        add_increments(line, &line->moved);
    struct panels moved = line->moved;
    line->moved = line->grid[slot];
    line->grid[slot] = moved;
    return STATUS_OK;
}

static enum status finish(void *state, size_t slot, struct law *out, struct error *error)
{
    struct line *line = state;
    TRY(mixture_level_new(line->run->problem->factor, &out->target, error));
    mixture_level_set(&out->target, &line->level[slot].level);
    out->log_ratio = line->grid[slot];
    line->grid[slot] = (struct panels){0};
    for (size_t i = 0; i < team_threads(line->run->team); i++) {
        out->node_updates += line->threads.work[i].node_updates;
        out->exponentials += line->threads.work[i].exponentials;
    }
    return STATUS_OK;
}

static const struct geometry geometry = {
    .check_stride = LINE_CHECK_STRIDE,
    .of_components = true,
    .new = line_new,
    .free = line_free,
    .set_level = set_level,
    .start = start,
    .set_score = set_score,
    .prepare_stage = line_stage_prepare,
    .fill_stage = fill_stage,
    .correction_moments = line_correction_moments,
    .leaves_unchanged = leaves_unchanged,
    .move_slot = move_slot,
    .finish = finish,
};

static enum status compute(const struct law_problem *problem, double resolution, struct law *out, struct error *error)
{
    return propagate(&geometry, &engine_line, problem, resolution, out, error);
}

static int handles(const struct law_problem *problem)
{
    return problem->factor->dimension == 1;
}

const struct law_engine engine_line = {
    .name = "line",
    .doc = "Density-ratio propagation on the line, for any one-dimensional mixture.",
    .formula =
        "r_{t-1}(y) = E[r_t(x) K_t(y|x) p_t(x)/(P_t(x|y) p_{t-1}(y))] over x ~ P_t(.|y), r = q/p, K_t the sampler's "
        "kernel, P_t the forward one; v_t = 0: r_{t-1}(m(x)) = r_t(x) p_t(x)/(p_{t-1}(m(x)) m'(x)), m its map",
    .source = "theory (14)-(15)",
    .draws = true,
    .handles = handles,
    .compute = compute,
};
