#include "law/separate.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "law/conditions.h"
#include "model/decompose.h"

/* Arrays of which either may be NULL. */
static bool same_numbers(const double *a, const double *b, size_t count)
{
    return (a == NULL) == (b == NULL) && (a == NULL || memcmp(a, b, count * sizeof *a) == 0);
}

static bool same_covariances(const struct factor *a, const struct factor *b)
{
    const struct covariances *x = a->full, *y = b->full;
    const size_t matrix = a->dimension * a->dimension;
    return (x == NULL) == (y == NULL)
           && (x == NULL
               || (x->count == y->count
                   && same_numbers(x->entry, y->entry, x->count > 0 ? x->count * matrix : a->components)));
}

bool factor_equal(const struct factor *a, const struct factor *b)
{
    const size_t n = a->components;
    if ((a->density == NULL) != (b->density == NULL)
        || (a->density != NULL && !density_equal(a->density, b->density)))
        return false;
    return n == b->components && a->dimension == b->dimension && same_numbers(a->weight, b->weight, n)
           && same_numbers(a->sd, b->sd, n) && same_numbers(a->log_weight, b->log_weight, n)
           && same_numbers(a->mean, b->mean, a->dimension * n) && same_covariances(a, b);
}

/* STATUS_UNSUPPORTED unless the sampler commutes with rotations on every factor in several coordinates; `apart`:
 * those on the line are coordinates of one Gaussian in `dimension` coordinates. */
static enum status check_rotations(const struct factor_list *list, const struct sampler *sampler,
                                   const struct schedule *schedule, size_t apart, struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < list->count && status == STATUS_OK; i++) {
        struct factor factor = list->group[i].factor;
        double mean[2] = {0.0, 0.0};
        if (factor.dimension == 1 && apart > 1) {
            mean[0] = sqrt((double)apart) * factor.mean[0];
            factor = (struct factor){2, 1, factor.weight, mean, factor.sd, NULL, NULL, NULL};
        }
        if (factor.dimension == 1)
            continue;
        struct conditions found;
        status = conditions_find(&factor, sampler, schedule, NULL, 0.0, &found, error);
        if (status == STATUS_OK && conditions_broken(&found, CONDITION_ROTATES))
            status = conditions_refuse_rotation(&found, sampler, error);
        conditions_free(&found);
    }
    return status;
}

enum status separate_target(const struct target *target, const struct sampler *sampler,
                            const struct schedule *schedule, const struct score_error *score_error, size_t dimension,
                            struct factor_list *out, struct error *error)
{
    int checks = schedule != NULL && !sampler->regular;
    TRY(target_factors(target, dimension, out, error));
    TRY(factor_list_merge(out, error));
    /* an error singles out coordinates, and a rotation would mix them */
    if (score_error != NULL && score_error->shape != NULL) {
        int rotates = score_error->spread == SPREAD_DIAGONAL && !score_error->shape->constant && dimension > 1
                      && out->count == 1 && out->group[0].factor.dimension == 1;
        if (checks && rotates)
            TRY(check_rotations(out, sampler, schedule, dimension, error));
        return score_error_spread(score_error, dimension, out, error);
    }
    if (checks) {
        struct error cause;
        enum status status = check_rotations(out, sampler, schedule, 1, &cause);
        if (status == STATUS_UNSUPPORTED) /* perhaps there is an engine for the factors as they are */
            return STATUS_OK;
        if (status != STATUS_OK)
            return fail_with(error, status, "%s", cause.text);
    }
    if (sampler->draws > 0) /* the parts would share a draw */
        return STATUS_OK;
    return factor_list_decompose(out, error);
}
