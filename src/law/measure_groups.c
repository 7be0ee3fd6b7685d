/* Which dimensions of a target share their laws. */
#include <stdbool.h>

#include "core/memory.h"
#include "law/law.h"
#include "law/measure.h"
#include "law/separate.h"

/* Of what a target's laws in one dimension are computed, without closed forms: where there are no laws, nothing. */
static enum status find_costs(const struct target *target, const struct sampler *sampler,
                              const struct score_error *score_error, size_t dimension, struct factor_list *out,
                              struct error *error)
{
    struct factor_list factors = {0};
    struct planted_target planted;
    struct factor costly;
    enum status status;
    TRY_OR(done, target_planted(target, dimension, &planted, error));
    if (planted.weight > 0.0) {
        TRY_OR(done, factor_list_append(out, &planted.law.group[0].factor, 1.0, error));
        goto done;
    }
    TRY_OR(done, target_exists(target, dimension, error));
    if (target_costly(target, dimension, &costly))
        goto done;
    TRY_OR(done, separate_target(target, sampler, NULL, score_error, dimension, &factors, error));
    for (size_t i = 0; i < factors.count; i++) {
        const struct factor_group *group = &factors.group[i];
        const struct law_problem problem = {.factor = &group->factor,
                                            .sampler = sampler,
                                            .score_error = score_error,
                                            .error_share = group->error_share};
        const struct law_engine *engine = law_engine_for(&problem);
        if (engine == NULL || engine->closed)
            continue;
        TRY_OR(done, factor_list_append(out, &group->factor, 1.0, error));
        out->group[out->count - 1].error_share = group->error_share;
    }
done:
    planted_target_free(&planted);
    factor_list_free(&factors);
    return status == STATUS_MEMORY ? status : STATUS_OK;
}

/* Whether all factors of b, each under its share of the score error, are among those of a. */
static bool includes(const struct factor_list *a, const struct factor_list *b)
{
    for (size_t i = 0, j; i < b->count; i++) {
        for (j = 0; j < a->count; j++)
            if (a->group[j].error_share == b->group[i].error_share
                && factor_equal(&a->group[j].factor, &b->group[i].factor))
                break;
        if (j == a->count)
            return false;
    }
    return true;
}

enum status measure_groups(const struct target *target, const struct sampler *sampler,
                           const struct score_error *score_error, const size_t *dimensions, size_t count,
                           size_t *group, struct error *error)
{
    struct factor_list *costs = array_new(count, sizeof *costs); /* of a group's first dimension, those of them all */
    enum status status = STATUS_OK;
    if (costs == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for the laws of %zu dimensions", count);
    for (size_t i = 0; i < count; i++) {
        group[i] = 0;
        if (count == 1)
            break;
        TRY_OR(done, find_costs(target, sampler, score_error, dimensions[i], &costs[i], error));
        while (group[i] < i
               && (group[group[i]] != group[i]
                   || !(includes(&costs[group[i]], &costs[i]) || includes(&costs[i], &costs[group[i]]))))
            group[i]++;
        if (group[i] < i && costs[i].count > costs[group[i]].count) {
            const struct factor_list fewer = costs[group[i]];
            costs[group[i]] = costs[i];
            costs[i] = fewer;
        }
    }
done:
    for (size_t i = 0; i < count; i++)
        factor_list_free(&costs[i]);
    free(costs);
    return status;
}
