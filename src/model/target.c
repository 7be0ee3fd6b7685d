#include "model/target.h"

#include <math.h>
#include <string.h>

#include "core/lists.h"
#include "core/memory.h"

#define TARGET(object) extern const struct target_family object;
#include "model/targets.def"
#undef TARGET

static const struct target_family *const families[] = {
#define TARGET(object) &object,
#include "model/targets.def"
#undef TARGET
};

LIST_AT(target_family, target_family_at, families)
LIST_FIND(target_family, target_family_find, target_family_at)

void target_init(struct target *target, const struct target_family *family)
{
    *target = (struct target){.family = family};
    params_init(family->params, &target->params);
}

void target_clear(struct target *target)
{
    if (target->family != NULL)
        params_free(target->family->params, &target->params);
    free(target->forms.form);
    free(target->written);
    *target = (struct target){0};
}

void target_describe(const struct target *target, FILE *file)
{
    fputs(target->family->name, file);
    if (target->written != NULL)
        fprintf(file, " %s", target->written);
    else
        params_describe(target->family->params, &target->params, file);
    forms_describe(&target->forms, file);
}

struct target_content target_content(const struct target *target, double dimension)
{
    const struct target_content one = {1.0, 1.0, 1.0, 0.0, 0.0};
    return target->family->content != NULL ? target->family->content(target, dimension) : one;
}

int target_costly(const struct target *target, size_t dimension, struct factor *out)
{
    return target->family->costly != NULL && target->family->costly(target, dimension, out);
}

double target_approximation(const struct target *target)
{
    return target->family->approximation != NULL ? target->family->approximation(target) : 0.0;
}

double factor_log_weight(const struct factor *factor, size_t k)
{
    return factor->log_weight != NULL ? factor->log_weight[k] : log(factor->weight[k]);
}

static void factor_free(struct factor *factor)
{
    free((void *)factor->weight); /* the start of the one block that factor_copy made */
    if (factor->full != NULL)
        free(factor->full->entry);
    free((void *)factor->full);
    if (factor->density != NULL)
        density_free((struct density *)factor->density);
    free((void *)factor->density);
    *factor = (struct factor){0};
}

/* The product of two sizes; 0 where it overflows. */
static size_t product(size_t a, size_t b)
{
    return b != 0 && a > SIZE_MAX / sizeof(double) / b ? 0 : a * b;
}

static int copy_covariances(const struct covariances *from, size_t components, size_t entries, struct factor *to)
{
    struct covariances *full = array_new(1, sizeof *full);
    to->full = full;
    if (full == NULL)
        return 0;
    size_t size = from->count > 0 ? product(from->count, entries) : components;
    full->count = from->count;
    full->entry = size > 0 ? array_new(size, sizeof(double)) : NULL;
    if (full->entry == NULL)
        return 0;
    memcpy(full->entry, from->entry, size * sizeof(double));
    return 1;
}

/* Returns 0 where memory runs out. */
static int factor_copy(const struct factor *from, struct factor *to)
{
    size_t k = from->components, means = from->mean != NULL ? product(k, from->dimension) : 0;
    *to = (struct factor){.dimension = from->dimension, .components = k};
    double *block = k <= SIZE_MAX / 8 && means <= SIZE_MAX / 4 && (means > 0 || from->mean == NULL)
                        ? array_new(3 * k + means, sizeof *block)
                        : NULL;
    if (block == NULL)
        return 0;
    to->weight = memcpy(block, from->weight, k * sizeof *block);
    if (from->sd != NULL)
        to->sd = memcpy(block + k, from->sd, k * sizeof *block);
    if (from->log_weight != NULL)
        to->log_weight = memcpy(block + 2 * k, from->log_weight, k * sizeof *block);
    if (from->mean != NULL)
        to->mean = memcpy(block + 3 * k, from->mean, means * sizeof *block);
    if (from->density != NULL) {
        struct error no_memory;
        struct density *density = array_new(1, sizeof *density);
        to->density = density;
        if (density == NULL || density_copy(from->density, density, &no_memory) != STATUS_OK)
            return 0;
    }
    return from->full == NULL || copy_covariances(from->full, k, product(from->dimension, from->dimension), to);
}

enum status factor_list_append(struct factor_list *list, const struct factor *factor, double multiplicity,
                               struct error *error)
{
    struct factor copy;
    struct factor_group *grown = array_resize(list->group, list->count + 1, sizeof *grown);
    if (grown != NULL)
        list->group = grown;
    if (!factor_copy(factor, &copy) || grown == NULL) {
        factor_free(&copy);
        return fail_with(error, STATUS_MEMORY, "out of memory for factor %zu of a target", list->count + 1);
    }
    list->group[list->count++] = (struct factor_group){copy, multiplicity, 0.0};
    return STATUS_OK;
}

enum status factor_list_split(struct factor_list *list, size_t index, struct error *error)
{
    struct factor factor = list->group[index].factor;
    enum status status = factor_list_append(list, &factor, list->group[index].multiplicity - 1.0, error);
    if (status != STATUS_OK)
        return status;
    struct factor_group rest = list->group[list->count - 1];
    memmove(&list->group[index + 2], &list->group[index + 1], (list->count - index - 2) * sizeof rest);
    list->group[index].multiplicity = 1.0;
    list->group[index + 1] = rest;
    list->group[index + 1].error_share = list->group[index].error_share;
    return STATUS_OK;
}

void factor_list_set_mean(struct factor_list *list, size_t index, double mean)
{
    *(double *)list->group[index].factor.mean = mean; /* the list's own copy */
}

void factor_list_free(struct factor_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        factor_free(&list->group[i].factor);
    free(list->group);
    *list = (struct factor_list){0};
}

/* Makes something of a target in some dimension. */
typedef enum status make_in_dimension(const struct target *target, size_t dimension, void *out, struct error *error);

/* NULL: nothing, only whether the target exists. */
static enum status make(const struct target *target, size_t dimension, make_in_dimension *function, void *out,
                        struct error *error)
{
    if (target->family->exists != NULL)
        TRY(target->family->exists(target, dimension, error));
    return function != NULL ? function(target, dimension, out, error) : STATUS_OK;
}

/* The same with the values that the params have in this dimension. */
static enum status make_in(const struct target *target, size_t dimension, make_in_dimension *function, void *out,
                           struct error *error)
{
    struct error cause = {STATUS_OK, ""};
    struct target now = *target;
    if (dimension < 1)
        return fail_with(error, STATUS_INVALID, "target %s: the dimension must be at least 1", target->name);
    if (target->forms.count == 0)
        return make(target, dimension, function, out, error);
    enum status status = forms_apply(&target->forms, &target->params, dimension, &now.params, &cause);
    if (status != STATUS_OK)
        (void)fail_with(error, status, "target %s: %.400s", target->name, cause.text);
    else
        status = make(&now, dimension, function, out, error);
    forms_release(&target->forms, &now.params);
    return status;
}

static enum status make_factors(const struct target *target, size_t dimension, void *out, struct error *error)
{
    return target->family->factors(target, dimension, out, error);
}

static enum status make_coordinates(const struct target *target, size_t dimension, void *out, struct error *error)
{
    const struct target_family *family = target->family;
    return (family->coordinates != NULL ? family->coordinates : family->factors)(target, dimension, out, error);
}

static enum status make_planted(const struct target *target, size_t dimension, void *out, struct error *error)
{
    return target->family->planted(target, dimension, out, error);
}

enum status target_exists(const struct target *target, size_t dimension, struct error *error)
{
    return make_in(target, dimension, NULL, NULL, error);
}

enum status target_factors(const struct target *target, size_t dimension, struct factor_list *out,
                           struct error *error)
{
    *out = (struct factor_list){0};
    return make_in(target, dimension, make_factors, out, error);
}

enum status target_coordinates(const struct target *target, size_t dimension, struct factor_list *out,
                               struct error *error)
{
    *out = (struct factor_list){0};
    return make_in(target, dimension, make_coordinates, out, error);
}

double target_lipschitz_power(const struct target *target, size_t dimension)
{
    struct factor_list factors;
    struct factor costly;
    struct error ignored;
    if (target->family->lipschitz_power > 0.0)
        return target->family->lipschitz_power;
    if (target_costly(target, dimension, &costly))
        return NAN;
    double power = target_factors(target, dimension, &factors, &ignored) == STATUS_OK ? 0.0 : NAN;
    for (size_t i = 0; i < factors.count; i++) {
        const struct factor *factor = &factors.group[i].factor;
        if (factor->dimension > 2 && (factor->components > 1 || factor_tilts(factor) != NULL))
            power = NAN;
    }
    factor_list_free(&factors);
    return power;
}

enum status target_planted(const struct target *target, size_t dimension, struct planted_target *out,
                           struct error *error)
{
    *out = (struct planted_target){.weight = 0.0};
    return target->family->planted != NULL ? make_in(target, dimension, make_planted, out, error) : STATUS_OK;
}

void planted_target_free(struct planted_target *planted)
{
    factor_list_free(&planted->law);
    factor_list_free(&planted->bracket);
}
