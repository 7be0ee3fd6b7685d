/* Numbers that depend on the dimension, parameters of targets and numbers of steps:
 * value(d) = scale d^power log(d)^logs exp(rate d), or, of one weight of a list, what the others leave of 1. */
#ifndef MODEL_FORM_H
#define MODEL_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "core/status.h"
#include "model/params.h"

struct form {
    const struct param *param; /* a real, or a list of reals or weights, of the target's family */
    size_t index;              /* in the list */
    double scale, power, logs, rate;
    bool rest; /* the weight that the others leave */
};

/* Start from {0}. */
struct form_list {
    size_t count;
    struct form *form;
};

/* Reads "exp(-0.1 d)", "sqrt(d)", "log(d)", "d", "d^1/4" or "1/d", or one of them followed by "log(d)", as "d
 * log(d)", perhaps with a number before, such as "2 sqrt(d)" or "0.5/sqrt(d)". false: the text is none of these. */
bool form_parse(const char *text, struct form *out);

/* The number that a form is in dimension d >= 1. */
double form_value(const struct form *form, double dimension);

/* " form KEY INDEX SCALE POWER RATE" for each, to 17 digits, and " logs LOGS" where there are any. */
void forms_describe(const struct form_list *forms, FILE *file);

/* A copy of the values with the forms' numbers in dimension d; the lists that hold forms are new, those of
 * weights with their logarithms, and are freed with forms_release, also after an error. Errors: STATUS_INVALID where
 * a number is out of its parameter's range or weights do not sum to 1 within 1e-9, STATUS_MEMORY. */
MUST_USE enum status forms_apply(const struct form_list *forms, const union params *values, size_t dimension,
                                 union params *out, struct error *error);
void forms_release(const struct form_list *forms, union params *values);

#endif
