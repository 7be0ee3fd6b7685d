/* Scores along a ray, workspaces, and transfers as means over what a step draws; the map with noise is in
 * transfer_noise.c, that without in transfer_map.c. */
#include "law/radial/transfer.h"

#include <math.h>
#include <stdbool.h>

#include "core/memory.h"
#include "core/vmath.h"
#include "law/draws.h"
#include "law/radial/transfer_parts.h"

VECTOR_CLONES static void scale(size_t n, double slope, const double *kappa, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (kappa[i] + slope) * x[i];
}

static void evaluate(const struct score *score, const struct level *level, size_t n, const double *x, double *out)
{
    const struct radial_oracle *oracle = (const struct radial_oracle *)score;
    size_t at = 0;
    while (at < oracle->levels && !level_equal(&oracle->density[at]->level, level))
        at++;
    if (at == oracle->levels) {
        undeclared_note(oracle->undeclared, level, n, out);
        return;
    }
    bool known = at == 0 && x == oracle->known_rho;
    if (!known)
        radial_level_evaluate(oracle->density[at], 0, n, x, NULL, out);
    scale(n, oracle->error_slope[at], known ? oracle->known_kappa : out, x, out);
}

void radial_oracle_init(struct radial_oracle *oracle)
{
    oracle->base = (struct score){.evaluate = evaluate};
    oracle->levels = 2;
}

void radial_transfer_init(struct radial_transfer *transfer, const struct stage *stage,
                          const struct radial_level *from, const struct radial_level *to, const struct panels *grid,
                          const struct radial_oracle *oracle)
{
    *transfer = (struct radial_transfer){.stage = *stage, .from = from, .to = to, .grid = grid, .oracle = oracle};
}

static enum status work_new(const struct sampler *sampler, double dimension, const struct quadrature_table *rules,
                            struct radial_work *out, struct error *error)
{
    size_t batch = MOST_RULE_NODES * PANEL_NODES;
    *out = (struct radial_work){.rules = rules};
    bessel_init(0.5 * dimension - 1.0, &out->bessel);
    out->block = array_new((6 + sampler->work_arrays) * batch + 2 * MOST_RULE_NODES, sizeof *out->block);
    if (out->block == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for the radial engine's workspace");
    double **array[] = {&out->x, &out->relative, &out->excess, &out->kappa, &out->map, &out->value, &out->work};
    for (size_t i = 0; i < sizeof array / sizeof array[0]; i++)
        *array[i] = out->block + i * batch;
    out->split.node = out->work + sampler->work_arrays * batch;
    out->split.weight = out->split.node + MOST_RULE_NODES;
    return STATUS_OK;
}

enum status radial_team_new(const struct sampler *sampler, double dimension, struct team *team,
                            struct radial_team *out, struct error *error)
{
    size_t threads = team_threads(team);
    *out = (struct radial_team){.groups.team = team, .work = array_new(threads, sizeof *out->work)};
    if (out->work == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu threads of the radial engine", threads);
    TRY(quadrature_table_new(&out->rules, 0, error));
    for (size_t i = 0; i < threads; i++)
        TRY(work_new(sampler, dimension, &out->rules, &out->work[i], error));
    return STATUS_OK;
}

void radial_team_free(struct radial_team *team)
{
    for (size_t i = 0; i < team_threads(team->groups.team) && team->work != NULL; i++) {
        for (size_t k = 0; k < PIECE_COUNTS; k++)
            free(team->work[i].piece[k].node);
        free(team->work[i].block);
    }
    free(team->work);
    quadrature_table_free(&team->rules);
    panel_groups_free(&team->groups);
}

struct radial_terms radial_terms_of(const struct radial_transfer *transfer, size_t anchor)
{
    double V_to = transfer->to->variance[anchor], a2 = transfer->stage.a * transfer->stage.a;
    double growth = log1p(transfer->stage.added / (a2 * V_to)); /* log(V_from/(a^2 V_to)) */
    return (struct radial_terms){.variance_from = transfer->from->variance[anchor],
                                 .constant = -0.5 * transfer->from->dimension * growth,
                                 .half = 0.5 * (transfer->from->dimension - 1.0),
                                 .inverse_noise = 1.0 / transfer->stage.noise};
}

static enum status apply(const struct radial_transfer *transfer, struct radial_work *work, size_t order,
                         size_t anchor, double length, size_t count, const double *rho, double *log_ratio,
                         size_t *hint, struct error *error)
{
    if (transfer->stage.deterministic)
        return radial_map_apply(transfer, work, order, anchor, length, count, rho, log_ratio, hint, error);
    return radial_noise_apply(transfer, work, order, anchor, count, rho, log_ratio, hint, error);
}

enum status radial_transfer_apply(const struct radial_transfer *transfer, struct radial_work *work, size_t order,
                                  size_t anchor, double length, size_t count, const double *rho, double *log_ratio,
                                  size_t *hint, struct error *error)
{
    if (transfer->draws == 0)
        return apply(transfer, work, order, anchor, length, count, rho, log_ratio, hint, error);
    double other[RADIAL_POINTS], excess[RADIAL_POINTS] = {0.0};
    const size_t before = *hint;
    for (size_t k = 0; k < transfer->draws; k++) {
        struct radial_transfer one = *transfer;
        one.stage.step = &transfer->draw[k].step;
        one.oracle = &transfer->draw[k].oracle;
        *hint = before;
        TRY(apply(&one, work, order, anchor, length, count, rho, k == 0 ? log_ratio : other, hint, error));
        if (k > 0)
            draws_add(count, transfer->draw[k].weight, log_ratio, other, excess);
    }
    draws_finish(count, excess, log_ratio);
    return STATUS_OK;
}
