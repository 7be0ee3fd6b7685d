#include "law/plane/threads.h"

#include <math.h>

/* sqrt(u'S_k u) */
static double sd_along(const struct covariances *full, size_t k, const double u[2])
{
    const double *entry = full->entry + (full->count > 1 ? 4 * k : 0);
    double variance = u[0] * (u[0] * entry[0] + 2.0 * u[1] * entry[1]) + u[1] * u[1] * entry[3];
    return sqrt(fmax(variance, 0.0));
}

/* The directions that the error acts in: both axes, the first, or the diagonal. */
static enum status set_directions(const struct law_problem *problem, double *marginals, struct plane_oracle *oracle,
                                  struct error *error)
{
    const struct factor *factor = problem->factor;
    size_t components = factor->components;
    if (!(problem->error_share > 0.0))
        return STATUS_OK;
    enum error_spread spread = problem->score_error->spread;
    oracle->directions = spread == SPREAD_ALL ? 2 : 1;
    for (size_t i = 0; i < oracle->directions; i++) {
        struct plane_direction *direction = &oracle->direction[i];
        double *mean = marginals + 2 * i * components, *sd = mean + components;
        direction->axis[0] = spread == SPREAD_DIAGONAL ? M_SQRT1_2 : i == 0 ? 1.0 : 0.0;
        direction->axis[1] = spread == SPREAD_DIAGONAL ? M_SQRT1_2 : i == 0 ? 0.0 : 1.0;
        for (size_t k = 0; k < components; k++) {
            mean[k] = direction->axis[0] * factor->mean[2 * k] + direction->axis[1] * factor->mean[2 * k + 1];
            sd[k] = factor->full != NULL ? sd_along(factor->full, k, direction->axis) : factor->sd[k];
        }
        direction->factor = (struct factor){1, components, factor->weight, mean, sd, NULL, factor->log_weight, NULL};
        for (size_t j = 0; j < SAMPLER_LEVELS; j++)
            TRY(mixture_level_new(&direction->factor, &direction->level[j], error));
    }
    return STATUS_OK;
}

void plane_thread_set_score(struct plane_thread *thread, const struct propagation *run, size_t from, size_t to)
{
    struct level levels[SAMPLER_LEVELS];
    size_t count = sampler_levels(run->problem->sampler, &run->step, levels);
    struct plane_oracle *oracle = &thread->oracle;
    oracle->levels = count;
    oracle->density[0] = &thread->level[from];
    oracle->density[1] = &thread->level[to];
    for (size_t i = 2; i < count; i++) {
        joint_level_set(&thread->other[i - 2], &levels[i]);
        oracle->density[i] = &thread->other[i - 2];
    }
    for (size_t i = 0; i < oracle->directions; i++)
        for (size_t at = 0; at < count; at++) {
            struct plane_direction *direction = &oracle->direction[i];
            mixture_level_set(&direction->level[at], &levels[at]);
            propagation_score_error(run, at, run->problem->error_share / (double)oracle->directions,
                                    &direction->level[at], &direction->error[at]);
        }
}

enum status plane_thread_new(struct propagation *run, void *plane, double *marginals, struct plane_thread *out,
                             struct error *error)
{
    const struct law_problem *problem = run->problem;
    out->plane = plane;
    plane_oracle_init(&out->oracle);
    out->oracle.undeclared = &run->undeclared;
    out->oracle.original = run->original;
    out->oracle.functions = &out->work.functions;
    TRY(plane_work_new(problem->sampler, &out->work, error));
    for (size_t i = 0; i < SLOTS; i++)
        TRY(joint_level_new(problem->factor, &out->level[i], error));
    for (size_t i = 0; i < SAMPLER_OTHER_LEVELS && problem->sampler->other_levels != NULL; i++)
        TRY(joint_level_new(problem->factor, &out->other[i], error));
    return set_directions(problem, marginals, &out->oracle, error);
}

void plane_thread_free(struct plane_thread *thread)
{
    for (size_t i = 0; i < SLOTS; i++)
        joint_level_free(&thread->level[i]);
    for (size_t i = 0; i < SAMPLER_OTHER_LEVELS; i++)
        joint_level_free(&thread->other[i]);
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < SAMPLER_LEVELS; j++)
            mixture_level_free(&thread->oracle.direction[i].level[j]);
    plane_work_free(&thread->work);
}
