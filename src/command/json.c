#include "command/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

void json_text(const char *text)
{
    putchar('"');
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ')
            printf("\\u%04x", (unsigned)(unsigned char)*c);
        else
            printf(*c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    putchar('"');
}

void json_real(double value)
{
    if (isnan(value))
        fputs("null", stdout);
    else
        isinf(value) ? printf("%s1e999", value < 0 ? "-" : "") : printf("%.17g", value);
}

void json_value(const struct field *field, const struct record *row)
{
    switch (field->type) {
    case FIELD_STRING:
        json_text(field_text(field, row));
        break;
    case FIELD_COUNT:
        printf("%" PRIu64, field_count(field, row));
        break;
    case FIELD_REAL:
        json_real(field_real(field, row));
        break;
    }
}

void json_field(const struct field *field, const struct record *row)
{
    printf("\"%s\": ", field->name);
    json_value(field, row);
}
