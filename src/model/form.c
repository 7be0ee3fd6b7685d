#include "model/form.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

/* Steps over blanks. */
static const char *skip(const char *text)
{
    return text + strspn(text, " ");
}

/* The word follows; steps over it. */
static bool take(const char **text, const char *word)
{
    const char *at = skip(*text);
    const size_t length = strlen(word);
    if (strncmp(at, word, length) != 0)
        return false;
    *text = skip(at + length);
    return true;
}

/* A decimal number, or a fraction of two. */
static bool take_number(const char **text, double *out)
{
    char *end;
    if (strchr("+-.0123456789", **text) == NULL || **text == '\0')
        return false;
    *out = strtod(*text, &end);
    if (end == *text)
        return false;
    *text = skip(end);
    const char *rest = *text;
    double denominator;
    if (take(&rest, "/") && strchr(".0123456789", *rest) != NULL && *rest != '\0') {
        denominator = strtod(rest, &end);
        *out /= denominator;
        *text = skip(end);
    }
    return isfinite(*out);
}

static bool take_logarithm(const char **text, struct form *out)
{
    if (!take(text, "log(d)"))
        return false;
    out->logs = 1.0;
    return !take(text, "^") || take_number(text, &out->logs);
}

/* What depends on d, after the number and perhaps a '/'. */
static bool take_function(const char **text, struct form *out)
{
    if (strncmp(*text, "log", 3) == 0)
        return take_logarithm(text, out);
    if (take(text, "exp(")) {
        out->rate = 1.0;
        if (take_number(text, &out->rate))
            (void)take(text, "*");
        else if (take(text, "-"))
            out->rate = -1.0;
        return take(text, "d") && take(text, ")");
    }
    if (take(text, "sqrt(d)")) {
        out->power = 0.5;
        return true;
    }
    if (!take(text, "d"))
        return false;
    out->power = 1.0;
    return !take(text, "^") || take_number(text, &out->power);
}

bool form_parse(const char *text, struct form *out)
{
    *out = (struct form){.scale = 1.0};
    text = skip(text);
    const bool has_number = take_number(&text, &out->scale);
    const bool divides = has_number && take(&text, "/");
    if (has_number && !divides)
        (void)take(&text, "*");
    if (!take_function(&text, out))
        return false;
    if (*text != '\0' && (divides || out->logs != 0.0 || !take_logarithm(&text, out) || *text != '\0'))
        return false;
    if (divides) {
        out->power = -out->power;
        out->logs = -out->logs;
        out->rate = -out->rate;
    }
    return true;
}

double form_value(const struct form *form, double dimension)
{
    double logs = form->logs != 0.0 ? pow(log(dimension), form->logs) : 1.0;
    return form->scale * pow(dimension, form->power) * logs * exp(form->rate * dimension);
}

/* The logarithm of a positive form, which itself may be below the range of numbers; NaN or infinite for others. */
static double log_of_form(const struct form *form, double dimension)
{
    double logs = form->logs != 0.0 ? form->logs * log(log(dimension)) : 0.0;
    return log(form->scale) + form->power * log(dimension) + logs + form->rate * dimension;
}

void forms_describe(const struct form_list *forms, FILE *file)
{
    for (size_t i = 0; i < forms->count; i++) {
        const struct form *form = &forms->form[i];
        fprintf(file, " form %s %zu", form->param->key, form->index);
        if (form->rest)
            fputs(" rest", file);
        else
            fprintf(file, " %.17g %.17g %.17g", form->scale, form->power, form->rate);
        if (form->logs != 0.0)
            fprintf(file, " logs %.17g", form->logs);
    }
}

static struct real_list *list_of(const struct form *form, union params *values)
{
    return form->param->kind == PARAM_REAL ? NULL : (void *)(values->bytes + form->param->offset);
}

/* Whether an earlier form is of the same list. */
static bool shares_list(const struct form_list *forms, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (forms->form[i].param == forms->form[index].param)
            return true;
    return false;
}

/* Gives *out lists of its own in place of those of the values, or NULL where memory runs out, so that all of them may
 * be freed. */
static enum status copy_lists(const struct form_list *forms, union params *out, struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < forms->count; i++) {
        struct real_list *list = list_of(&forms->form[i], out);
        if (list == NULL || shares_list(forms, i))
            continue;
        double *copy = array_new(list->count, 2 * sizeof *copy);
        if (copy == NULL)
            status = fail_with(error, STATUS_MEMORY, "out of memory for %zu numbers", list->count);
        else
            memcpy(copy, list->value, list->count * sizeof *copy);
        list->value = copy;
        list->log = copy != NULL && forms->form[i].param->kind == PARAM_WEIGHTS ? copy + list->count : NULL;
        for (size_t k = 0; k < list->count && list->log != NULL; k++)
            list->log[k] = log(copy[k]);
    }
    return status;
}

static enum status put(const struct form *form, size_t dimension, union params *out, struct error *error)
{
    static const struct range positive = GREATER_THAN(0.0);
    struct real_list *list = list_of(form, out);
    bool is_weight = form->param->kind == PARAM_WEIGHTS;
    double *at = list != NULL ? &list->value[form->index] : (void *)(out->bytes + form->param->offset);
    const struct range *range = is_weight ? &positive : &form->param->range;
    char text[160];
    *at = form_value(form, (double)dimension);
    if (is_weight)
        list->log[form->index] = log_of_form(form, (double)dimension);
    range_text(range, text, sizeof text);
    return (is_weight ? isfinite(list->log[form->index]) && isfinite(*at) : range_holds(range, *at))
               ? STATUS_OK
               : fail_with(error, STATUS_INVALID, "'%s' is %g in dimension %zu, expected %s", form->param->key, *at,
                           dimension, text);
}

/* 1 minus the other weights, whose sum is below 1. */
static enum status put_rest(const struct form *form, size_t dimension, union params *out, struct error *error)
{
    struct real_list *list = list_of(form, out);
    double others = 0.0;
    for (size_t i = 0; i < list->count; i++)
        others += i != form->index ? list->value[i] : 0.0;
    list->value[form->index] = 1.0 - others;
    list->log[form->index] = log1p(-others);
    return others < 1.0 ? STATUS_OK
                        : fail_with(error, STATUS_INVALID,
                                    "the other weights sum to %.12g in dimension %zu, expected "
                                    "less than 1",
                                    others, dimension);
}

static enum status check_sum(const struct form *form, size_t dimension, union params *out, struct error *error)
{
    const struct real_list *list = list_of(form, out);
    double sum = 0.0;
    for (size_t i = 0; form->param->kind == PARAM_WEIGHTS && i < list->count; i++)
        sum += list->value[i];
    return form->param->kind != PARAM_WEIGHTS || fabs(sum - 1.0) <= 1e-9
               ? STATUS_OK
               : fail_with(error, STATUS_INVALID, "the weights sum to %.12g in dimension %zu, expected 1 within 1e-9",
                           sum, dimension);
}

enum status forms_apply(const struct form_list *forms, const union params *values, size_t dimension,
                        union params *out, struct error *error)
{
    *out = *values;
    TRY(copy_lists(forms, out, error));
    for (size_t i = 0; i < forms->count; i++)
        if (!forms->form[i].rest)
            TRY(put(&forms->form[i], dimension, out, error));
    for (size_t i = 0; i < forms->count; i++)
        if (forms->form[i].rest)
            TRY(put_rest(&forms->form[i], dimension, out, error));
    for (size_t i = 0; i < forms->count; i++)
        TRY(check_sum(&forms->form[i], dimension, out, error));
    return STATUS_OK;
}

void forms_release(const struct form_list *forms, union params *values)
{
    for (size_t i = 0; i < forms->count; i++) {
        struct real_list *list = list_of(&forms->form[i], values);
        if (list != NULL && !shares_list(forms, i))
            free(list->value);
    }
}
