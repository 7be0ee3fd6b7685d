#include "experiment/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

void json_text(FILE *file, const char *text)
{
    fputc('"', file);
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ')
            fprintf(file, "\\u%04x", (unsigned)(unsigned char)*c);
        else
            fprintf(file, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    fputc('"', file);
}

void json_real(FILE *file, double value)
{
    if (isnan(value))
        fputs("null", file);
    else
        isinf(value) ? fprintf(file, "%s1e999", value < 0 ? "-" : "") : fprintf(file, "%.17g", value);
}

void json_value(FILE *file, const struct field *field, const struct record *row)
{
    switch (field->type) {
    case FIELD_STRING:
        json_text(file, field_text(field, row));
        break;
    case FIELD_COUNT:
        fprintf(file, "%" PRIu64, field_count(field, row));
        break;
    case FIELD_REAL:
        json_real(file, field_real(field, row));
        break;
    }
}

void json_field(FILE *file, const struct field *field, const struct record *row)
{
    fprintf(file, "\"%s\": ", field->name);
    json_value(file, field, row);
}
