#include "test/targets.h"

#include "test/suite.h"

static void *member(struct target *target, const char *key, enum param_kind kind)
{
    const struct param *param = params_find(target->family->params, key);
    ck_assert_msg(param != NULL && param_size(param->kind) == param_size(kind), "%s of %s", key,
                  target->family->name);
    return target->params.bytes + param->offset;
}

double *real_in(struct target *target, const char *key)
{
    return member(target, key, PARAM_REAL);
}

size_t *integer_in(struct target *target, const char *key)
{
    return member(target, key, PARAM_INTEGER);
}

struct real_list *reals_in(struct target *target, const char *key)
{
    return member(target, key, PARAM_REALS);
}

struct file_numbers *numbers_in(struct target *target, const char *key)
{
    return member(target, key, PARAM_FILE);
}

struct number_table *table_in(struct target *target, const char *key)
{
    return member(target, key, PARAM_TABLE);
}

struct point_list *points_in(struct target *target, const char *key)
{
    return member(target, key, PARAM_POINTS);
}

struct target_list *parts_in(struct target *target, const char *key)
{
    return member(target, key, PARAM_TARGETS);
}

void set_mixture(struct target *target, size_t components, const double *weights, const double *means,
                 const double *sds)
{
    const struct param *points = params_find(target->family->params, "means");
    *reals_in(target, "weights") = (struct real_list){components, (double *)weights, NULL};
    *reals_in(target, "sds") = (struct real_list){components, (double *)sds, NULL};
    if (points != NULL && points->kind == PARAM_POINTS)
        *points_in(target, "means") = (struct point_list){components, points->width, (double *)means};
    else if (points != NULL)
        *reals_in(target, "means") = (struct real_list){components, (double *)means, NULL};
}
