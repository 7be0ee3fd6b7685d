#define _GNU_SOURCE /* strchrnul, vasprintf */
#include "report/table.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "core/memory.h"

static enum status no_memory(struct error *error)
{
    return fail_with(error, STATUS_MEMORY, "out of memory for a table");
}

/* `text` becomes the table's, or is freed. */
static enum status append(struct table *table, enum table_kind kind, char *text, struct error *error)
{
    struct table_cell *grown = array_reserve(table->cell, &table->capacity, table->cells + 1, sizeof *grown);
    if (grown != NULL)
        table->cell = grown;
    if (grown == NULL || text == NULL) {
        free(text);
        return no_memory(error);
    }
    table->cell[table->cells++] = (struct table_cell){kind, text};
    return STATUS_OK;
}

static enum status append_formatted(struct table *table, struct error *error, const char *format, va_list arguments)
{
    char *text = NULL;
    enum status status = vasprintf(&text, format, arguments) < 0 ? no_memory(error) : STATUS_OK;
    for (char *part = text, *end = text; status == STATUS_OK; part = end + 1) {
        end = strchrnul(part, '\t');
        status = append(table, TABLE_TEXT, strndup(part, (size_t)(end - part)), error);
        if (*end == '\0')
            break;
    }
    free(text);
    return status;
}

enum status table_cells(struct table *table, struct error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    enum status status = append_formatted(table, error, format, arguments);
    va_end(arguments);
    return status;
}

enum status table_cell_if(struct table *table, bool present, struct error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    enum status status = present ? append_formatted(table, error, format, arguments) : table_nothing(table, error);
    va_end(arguments);
    return status;
}

enum status table_text(struct table *table, const char *text, struct error *error)
{
    return append(table, TABLE_TEXT, strdup(text), error);
}

enum status table_nothing(struct table *table, struct error *error)
{
    return append(table, TABLE_NOTHING, strdup("-"), error);
}

enum status table_verdict(struct table *table, enum table_kind kind, const char *words, struct error *error)
{
    return append(table, kind, strdup(words), error);
}

enum status table_number(struct table *table, double value, struct error *error)
{
    if (isfinite(value))
        return table_cells(table, error, "%.17g", value);
    return table_text(table, isnan(value) ? "NaN" : value < 0.0 ? "-Inf" : "Inf", error);
}

void table_free(struct table *table)
{
    for (size_t i = 0; i < table->cells; i++)
        free(table->cell[i].text);
    free(table->cell);
    table->cell = NULL;
    table->cells = table->capacity = 0;
}

struct table_view table_all(const struct table *table)
{
    struct table_view view = {
        .table = table, .columns = table->columns, .step = 1, .rows = table->cells / table->columns};
    for (size_t c = 0; c < table->columns; c++)
        view.column[c] = c;
    return view;
}

const struct table_cell *table_at(const struct table_view *view, size_t row, size_t column)
{
    const struct table *table = view->table;
    return &table->cell[(view->first + row * view->step) * table->columns + view->column[column]];
}

void table_drop_empty(struct table_view *view, size_t column)
{
    for (size_t r = 0; r < view->rows; r++)
        if (table_at(view, r, column)->kind != TABLE_NOTHING)
            return;
    view->columns--;
    for (size_t c = column; c < view->columns; c++)
        view->column[c] = view->column[c + 1];
}
