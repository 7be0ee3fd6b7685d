#include "experiment/cost.h"

#include "core/memory.h"
#include "experiment/cell.h"

/* A chain needs nanoseconds for a coordinate, a component and a step. */
#define CHAIN_COST 3e-3

/* Closed forms are free beside density propagation; a law in the plane or of a radius costs so many times what one on
 * the line does. */
#define CLOSED_COST 0.01
#define PLANE_COST 300.0
#define RADIAL_COST 10.0

/* Few and large steps need finer rules: a law costs as if it had so many steps more. What a cell costs besides. */
#define MORE_STEPS 2000.0
#define CELL_COST 1000.0

static double law_cost(const struct factor *factor, const struct error_shape *shape)
{
    if (factor->dimension > 1)
        return (factor->mean != NULL ? PLANE_COST : RADIAL_COST) * (double)(factor->components + 2);
    int closed = factor->components == 1 && (shape == NULL || shape->affine);
    return closed ? CLOSED_COST : (double)(factor->components + 2);
}

/* Under a score error each factor has two laws, the other with exact scores. */
double cost_of_law(const struct spec *spec, size_t target, size_t score_error, size_t steps)
{
    const struct error_shape *shape = spec->score_errors[score_error].shape;
    struct factor_list factors = {0};
    struct planted_target planted;
    struct error ignored;
    double cost = 0.0;
    enum status status = target_planted(&spec->targets[target], spec->dimensions[0], &planted, &ignored);
    if (status == STATUS_OK && planted.weight > 0.0)
        cost = 2.0 * law_cost(&planted.law.group[0].factor, NULL);
    else if (target_factors(&spec->targets[target], spec->dimensions[0], &factors, &ignored) == STATUS_OK)
        for (size_t i = 0; i < factors.count; i++) {
            const struct factor *factor = &factors.group[i].factor;
            cost += law_cost(factor, NULL) + (shape != NULL ? law_cost(factor, shape) : 0.0);
        }
    factor_list_free(&factors);
    planted_target_free(&planted);
    return CELL_COST + cost * ((double)steps + MORE_STEPS);
}

/* Pairs of paths run beside the chains. */
double *costs_of_chain(const struct spec *spec, size_t target)
{
    struct error ignored;
    double *cost = array_new(spec->dimension_count, sizeof *cost);
    for (size_t d = 0; d < spec->dimension_count && cost != NULL; d++) {
        struct factor_list factors;
        if (target_coordinates(&spec->targets[target], spec->dimensions[d], &factors, &ignored) == STATUS_OK)
            for (size_t i = 0; i < factors.count; i++)
                cost[d] += CHAIN_COST * factors.group[i].multiplicity * (double)factors.group[i].factor.dimension
                           * (double)(factors.group[i].factor.components + 2);
        factor_list_free(&factors);
    }
    return cost;
}

double cost_of_cell(const struct cell *cell, const double *chain)
{
    const struct dimensions all = spec_dimensions(cell->spec);
    double cost = 0.0;
    if (cell->chains == 0)
        return cost_of_law(cell->spec, cell->target, cell->score_error, cell->steps);
    for (size_t i = 0; i < cell->dimensions.count; i++)
        cost += chain[dimensions_find(&all, cell->dimensions.of[i])];
    return cost * (double)cell->steps * (double)cell->chains;
}
