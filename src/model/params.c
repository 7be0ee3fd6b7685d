#include "model/params.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "model/target.h"

size_t param_size(enum param_kind kind)
{
    static const size_t sizes[] = {
        [PARAM_REAL] = sizeof(double),
        [PARAM_INTEGER] = sizeof(size_t),
        [PARAM_CHOICE] = sizeof(size_t),
        [PARAM_REALS] = sizeof(struct real_list),
        [PARAM_WEIGHTS] = sizeof(struct real_list),
        [PARAM_POINTS] = sizeof(struct point_list),
        [PARAM_MATRICES] = sizeof(struct matrix_list),
        [PARAM_VARIANT] = sizeof(size_t),
        [PARAM_TARGETS] = sizeof(struct target_list),
        [PARAM_FILE] = sizeof(struct file_numbers),
        [PARAM_TABLE] = sizeof(struct number_table),
    };
    return (size_t)kind < sizeof sizes / sizeof sizes[0] ? sizes[kind] : 0;
}

double param_number(const struct param *param, const union params *values)
{
    const void *at = values->bytes + param->offset;
    return param->kind == PARAM_REAL      ? *(const double *)at
           : param->kind == PARAM_INTEGER ? (double)*(const size_t *)at
                                          : NAN;
}

static int is_end(const struct param *param)
{
    return param == NULL || param->key == NULL;
}

static void set_standard(const struct param *param, union params *values)
{
    void *at = values->bytes + param->offset;
    if (param->kind == PARAM_REAL)
        *(double *)at = param->standard;
    else if (param->kind == PARAM_INTEGER || param->kind == PARAM_CHOICE || param->kind == PARAM_VARIANT)
        *(size_t *)at = (size_t)param->standard;
}

void params_init(const struct param *params, union params *values)
{
    memset(values, 0, sizeof *values);
    for (const struct param *param = params; !is_end(param); param++)
        set_standard(param, values);
}

static void free_targets(struct target_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        target_clear(&list->part[i].target);
    free(list->part);
}

void params_free(const struct param *params, union params *values)
{
    for (const struct param *param = params; !is_end(param); param++) {
        void *at = values->bytes + param->offset;
        if (param->kind == PARAM_REALS || param->kind == PARAM_WEIGHTS)
            free(((struct real_list *)at)->value);
        else if (param->kind == PARAM_POINTS)
            free(((struct point_list *)at)->value);
        else if (param->kind == PARAM_MATRICES)
            free(((struct matrix_list *)at)->entry);
        else if (param->kind == PARAM_TARGETS)
            free_targets(at);
        else if (param->kind == PARAM_FILE)
            free(((struct file_numbers *)at)->value);
    }
    memset(values, 0, sizeof *values);
}

static void write_reals(const double *value, size_t count, FILE *file)
{
    for (size_t i = 0; i < count; i++)
        fprintf(file, " %.17g", value[i]);
}

static void write_targets(const struct target_list *list, FILE *file)
{
    for (size_t i = 0; i < list->count; i++) {
        fprintf(file, " %zu (", list->part[i].copies);
        target_describe(&list->part[i].target, file);
        fputs(")", file);
    }
}

static void write_value(const struct param *param, const union params *values, FILE *file)
{
    const void *at = values->bytes + param->offset;
    const struct real_list *reals = at;
    const struct point_list *points = at;
    const struct matrix_list *matrices = at;
    const struct file_numbers *numbers = at;
    const struct number_table *table = at;
    switch (param->kind) {
    case PARAM_REAL:
        write_reals(at, 1, file);
        break;
    case PARAM_INTEGER:
        fprintf(file, " %zu", *(const size_t *)at);
        break;
    case PARAM_CHOICE:
        fprintf(file, " %s", param->choices[*(const size_t *)at]);
        break;
    case PARAM_REALS:
    case PARAM_WEIGHTS:
        write_reals(reals->value, reals->count, file);
        break;
    case PARAM_POINTS:
        fprintf(file, " %zu", points->width);
        write_reals(points->value, points->count * points->width, file);
        break;
    case PARAM_MATRICES:
        fprintf(file, " %zu", matrices->count);
        write_reals(matrices->entry, matrices->count * matrices->order * matrices->order, file);
        break;
    case PARAM_VARIANT: /* and the params of all variants, of which those of others have their standard values */
        fprintf(file, " %zu", *(const size_t *)at);
        for (const struct variant *variant = param->variants; variant->name != NULL; variant++)
            for (const struct param *own = variant->params; !is_end(own); own++)
                write_value(own, values, file);
        break;
    case PARAM_TARGETS:
        write_targets(at, file);
        break;
    case PARAM_FILE:
        fprintf(file, " %zu %016" PRIx64, numbers->count,
                hash_bytes(numbers->value, numbers->count * sizeof *numbers->value));
        break;
    case PARAM_TABLE:
        fprintf(file, " %zu %zu %016" PRIx64, table->rows, table->columns, table->hash);
        break;
    }
}

void params_describe(const struct param *params, const union params *values, FILE *file)
{
    for (const struct param *param = params; !is_end(param); param++) {
        fprintf(file, " %s", param->key);
        write_value(param, values, file);
    }
}

const struct param *params_find(const struct param *params, const char *key)
{
    for (const struct param *param = params; !is_end(param); param++) {
        if (strcmp(param->key, key) == 0)
            return param;
        const struct variant *variant = param->kind == PARAM_VARIANT ? param->variants : NULL;
        for (; variant != NULL && variant->name != NULL; variant++) {
            const struct param *found = params_find(variant->params, key);
            if (found != NULL)
                return found;
        }
    }
    return NULL;
}

int range_is_all(const struct range *range)
{
    return range->least == 0.0 && range->most == 0.0 && range->open == 0;
}

int range_holds(const struct range *range, double value)
{
    if (!isfinite(value) || range_is_all(range))
        return isfinite(value);
    return (range->open & OPEN_BELOW ? value > range->least : value >= range->least)
           && (range->open & OPEN_ABOVE ? value < range->most : value <= range->most);
}

void range_text(const struct range *range, char *text, size_t size)
{
    char bounds[80] = "";
    int below = range->open & OPEN_BELOW, above = range->open & OPEN_ABOVE;
    if (range_is_all(range))
        bounds[0] = '\0';
    else if (isfinite(range->least) && isfinite(range->most))
        (void)snprintf(bounds, sizeof bounds, " in %c%g, %g%c", below ? '(' : '[', range->least, range->most,
                       above ? ')' : ']');
    else if (isfinite(range->least))
        (void)snprintf(bounds, sizeof bounds, " %s %g", below ? ">" : ">=", range->least);
    else if (isfinite(range->most))
        (void)snprintf(bounds, sizeof bounds, " %s %g", above ? "<" : "<=", range->most);
    (void)snprintf(text, size, "a number%s%s%s", bounds, range->reason != NULL ? ", " : "",
                   range->reason != NULL ? range->reason : "");
}
