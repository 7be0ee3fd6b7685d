/* Text and numbers as JSON. */
#ifndef EXPERIMENT_JSON_H
#define EXPERIMENT_JSON_H

#include <stdio.h>

#include "experiment/record.h"

/* A string in quotes, with escapes. */
void json_text(FILE *file, const char *text);

/* A number; null for NaN, and 1e999, which every reader turns into infinity. */
void json_real(FILE *file, double value);

/* The value of one column of a row, and with its name before it: "tv": 0.25 */
void json_value(FILE *file, const struct field *field, const struct record *row);
void json_field(FILE *file, const struct field *field, const struct record *row);

#endif
