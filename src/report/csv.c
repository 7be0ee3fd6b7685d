/* The raw numbers of a result as comma-separated values. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "experiment/record.h"
#include "report/report.h"
#include "report/tables.h"

static void put_text(const char *text, FILE *file)
{
    if (text[strcspn(text, ",\"\r\n")] == '\0') {
        fputs(text, file);
        return;
    }
    fputc('"', file);
    for (; *text != '\0'; text++)
        fprintf(file, *text == '"' ? "\"\"" : "%c", *text);
    fputc('"', file);
}

static void put_real(double value, FILE *file)
{
    if (isnan(value))
        fputs("NaN", file);
    else if (isinf(value))
        fputs(value < 0.0 ? "-Inf" : "Inf", file);
    else
        fprintf(file, "%.17g", value);
}

static void put_value(const struct field *field, const struct record *row, FILE *file)
{
    switch (field->type) {
    case FIELD_STRING:
        put_text(field_text(field, row), file);
        break;
    case FIELD_COUNT:
        fprintf(file, "%" PRIu64, field_count(field, row));
        break;
    case FIELD_REAL:
        put_real(field_real(field, row), file);
        break;
    }
}

static void csv(const struct evidence *evidence, const struct tables *none, FILE *file)
{
    (void)none;
    for (const struct field *field = record_fields; field->name != NULL; field++)
        fprintf(file, "%s%s", field == record_fields ? "" : ",", field->name);
    fputs("\r\n", file);
    for (size_t i = 0; i < evidence->result.count; i++) {
        for (const struct field *field = record_fields; field->name != NULL; field++) {
            fputs(field == record_fields ? "" : ",", file);
            put_value(field, &evidence->result.rows[i], file);
        }
        fputs("\r\n", file);
    }
}

enum status report_csv(const struct evidence *evidence, struct error *error)
{
    return report_write(evidence, "cells.csv", NULL, csv, error);
}
