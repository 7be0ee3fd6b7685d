/* Results as JSON, on stdout. */
#ifndef COMMAND_JSON_H
#define COMMAND_JSON_H

#include "experiment/record.h"

/* A string in quotes, with escapes. */
void json_text(const char *text);

/* A number; null for NaN, and 1e999, which every reader turns into infinity. */
void json_real(double value);

/* The value of one column of a row, and with its name before it: "tv": 0.25 */
void json_value(const struct field *field, const struct record *row);
void json_field(const struct field *field, const struct record *row);

#endif
