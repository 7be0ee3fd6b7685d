#include "law/line/transfer.h"

#include <math.h>

#include "core/memory.h"
#include "law/draws.h"
#include "law/line/transfer_parts.h"
#include "law/line/tuning.h"
#include "law/monotone.h"

static double narrowest_sd(const struct mixture_level *mixture)
{
    double narrowest = mixture->sd[0];
    for (size_t k = 1; k < mixture->factor->components; k++)
        narrowest = fmin(narrowest, mixture->sd[k]);
    return narrowest;
}

/* tau is exact where p is a Gaussian of variance V and D = (1 - alpha) s: v/tau^2 = (1 - beta/V)^2 + v/V = 1 + q. */
static void set_scale(struct transfer *transfer, double v, double V)
{
    double shrink = transfer->stage.moves ? transfer->stage.step->beta / V : 0.0;
    double q = v / V - 2.0 * shrink + shrink * shrink;
    transfer->tau = sqrt(v / (1.0 + q));
    transfer->linear = transfer->tau / v;
    transfer->quadratic = 0.5 / v;
    transfer->curvature = 0.5 * q / (1.0 + q);
    transfer->log_scale = -0.5 * log1p(q);
}

void transfer_init(struct transfer *transfer, const struct stage *stage, const struct mixture_level *from,
                   const struct mixture_level *to, const struct panels *grid, struct oracle *oracle,
                   double resolution)
{
    *transfer = (struct transfer){.stage = *stage,
                                  .from = from,
                                  .to = to,
                                  .grid = grid,
                                  .oracle = oracle,
                                  .resolution = resolution,
                                  .narrowest = narrowest_sd(from)};
    if (!stage->deterministic)
        set_scale(transfer, stage->noise, transfer->narrowest * transfer->narrowest);
}

static enum status work_new(const struct sampler *sampler, const struct quadrature_table *rules,
                            struct transfer_work *out, struct error *error)
{
    enum { ARRAYS = 7, CELL_ARRAYS = 7 };
    *out = (struct transfer_work){.rules = rules};
    size_t arrays = ARRAYS + ORACLE_WORK - 1;
    out->block = array_new((arrays + sampler->work_arrays) * TRANSFER_BLOCK + MOST_PAIRS + 2 * MOST_RULE_NODES
                               + CELL_ARRAYS * MOST_CELLS * CELL_NODES,
                           sizeof *out->block);
    if (out->block == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for the line engine's workspace");
    double **const array[ARRAYS] = {&out->x,         &out->log_offset, &out->others,     &out->score,
                                    &out->increment, &out->exponent,   &out->oracle_work};
    for (size_t i = 0; i < ARRAYS; i++)
        *array[i] = out->block + i * TRANSFER_BLOCK;
    out->work = out->block + arrays * TRANSFER_BLOCK; /* the last of these is longer */
    out->pairs = out->work + sampler->work_arrays * TRANSFER_BLOCK;
    out->split.node = out->pairs + MOST_PAIRS;
    out->split.weight = out->split.node + MOST_RULE_NODES;
    double *next = out->split.weight + MOST_RULE_NODES;
    double **const of_cells[CELL_ARRAYS] = {&out->cell_x,      &out->cell_rest, &out->cell_B,     &out->cell_L,
                                            &out->cell_factor, &out->cell_base, &out->cell_chosen};
    for (size_t i = 0; i < CELL_ARRAYS; i++, next += MOST_CELLS * CELL_NODES)
        *of_cells[i] = next;
    out->cell = array_new(3 * MOST_CELLS, sizeof *out->cell);
    if (out->cell == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for the line engine's workspace");
    out->cell_first = out->cell + MOST_CELLS;
    out->cell_next = out->cell_first + MOST_CELLS;
    transfer_cell_rule_init(&out->cell_rule);
    return STATUS_OK;
}

enum status transfer_team_new(const struct sampler *sampler, const struct quadrature_table *rules, struct team *team,
                              struct transfer_team *out, struct error *error)
{
    size_t threads = team_threads(team);
    *out = (struct transfer_team){.groups.team = team, .work = array_new(threads, sizeof *out->work)};
    if (out->work == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu threads of the line engine", threads);
    for (size_t i = 0; i < threads; i++)
        TRY(work_new(sampler, rules, &out->work[i], error));
    return STATUS_OK;
}

void transfer_team_free(struct transfer_team *team)
{
    for (size_t i = 0; i < team_threads(team->groups.team) && team->work != NULL; i++) {
        free(team->work[i].block);
        free(team->work[i].cell);
    }
    free(team->work);
    panel_groups_free(&team->groups);
}

void transfer_increment(const struct transfer *transfer, struct transfer_work *work, size_t anchor, size_t n,
                        const double *x, const double *known_score, double *out)
{
    struct oracle oracle = *transfer->oracle;
    oracle.anchor = anchor;
    oracle.work = work->oracle_work;
    oracle.known_x = known_score != NULL ? x : NULL;
    oracle.known_score = known_score;
    oracle_apply(&oracle, transfer->stage.sampler->increment, transfer->stage.step, n, x, out, work->work);
}

size_t transfer_order(const struct transfer *transfer, size_t order)
{
    return quadrature_order(order, transfer->resolution, TRANSFER_HIGHEST_ORDER);
}

bool transfer_is_shared(const struct transfer *transfer, size_t points)
{
    const double inversion = 12.0; /* evaluations of D at a point */
    double scores = (double)(transfer->from->factor->components * (1 + transfer->stage.sampler->score_evaluations));
    scores *= transfer->draws > 0 ? (double)transfer->draws : 1.0;
    return (double)points * (transfer->stage.deterministic ? inversion : 1.0) * scores > LINE_SHARED_COST;
}

size_t transfer_most(const struct transfer *transfer)
{
    return transfer->stage.deterministic ? MONOTONE_POINTS : TRANSFER_POINTS;
}

static enum status apply_map(const struct transfer *transfer, struct transfer_work *work, size_t order,
                             const struct transfer_query *query, double *log_ratio, size_t *hint, struct error *error)
{
    if (transfer->stage.deterministic)
        return transfer_map_apply(transfer, work, order, query, log_ratio, hint, error);
    transfer_noise_apply(transfer, work, order, query, log_ratio, hint);
    return STATUS_OK;
}

struct transfer transfer_of_draw(const struct transfer *transfer, size_t k)
{
    struct transfer one = *transfer;
    one.stage.step = &transfer->draw[k].step;
    one.oracle = &transfer->draw[k].oracle;
    return one;
}

enum status transfer_apply(const struct transfer *transfer, struct transfer_work *work, size_t order,
                           const struct transfer_query *query, double *log_ratio, size_t *hint, struct error *error)
{
    work->reach[0] = work->reach[1] = 0.0;
    for (size_t p = 0; p < query->panels; p++)
        for (int side = 0; side < 2; side++)
            work->reach[side] = fmax(work->reach[side], query->panel[p].reach[side]);
    if (transfer->draws == 0)
        return apply_map(transfer, work, order, query, log_ratio, hint, error);
    double other[TRANSFER_POINTS], excess[TRANSFER_POINTS] = {0.0};
    const size_t before = *hint, count = query->panels * query->each;
    for (size_t k = 0; k < transfer->draws; k++) {
        struct transfer one = transfer_of_draw(transfer, k);
        *hint = before;
        TRY(apply_map(&one, work, order, query, k == 0 ? log_ratio : other, hint, error));
        if (k > 0)
            draws_add(count, transfer->draw[k].weight, log_ratio, other, excess);
    }
    draws_finish(count, excess, log_ratio);
    return STATUS_OK;
}
