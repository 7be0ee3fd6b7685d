#include "core/table.h"

#include <libsmartcols.h>
#include <stdarg.h>
#include <string.h>

#include "core/memory.h"

enum status table_cell(struct text_table *table, struct error *error, const char *format, ...)
{
    if (table->cells == table->capacity) {
        size_t capacity = table->capacity > 0 ? 2 * table->capacity : 64;
        char **grown = array_resize(table->cell, capacity, sizeof *grown);
        if (grown == NULL)
            return fail_with(error, STATUS_MEMORY, "out of memory for a table");
        table->cell = grown;
        table->capacity = capacity;
    }
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0)
        return fail_with(error, STATUS_MEMORY, "out of memory for a table");
    table->cell[table->cells++] = text;
    return STATUS_OK;
}

void table_free(struct text_table *table)
{
    for (size_t i = 0; i < table->cells; i++)
        free(table->cell[i]);
    free(table->cell);
    *table = (struct text_table){.column = table->column, .columns = table->columns};
}

enum status table_print(const struct text_table *table, FILE *file, struct error *error)
{
    struct libscols_table *output = scols_new_table();
    int bad = output == NULL;
    for (size_t c = 0; c < table->columns && !bad; c++)
        bad = scols_table_new_column(output, table->column[c].title, 0,
                                     table->column[c].right_aligned ? SCOLS_FL_RIGHT : 0)
              == NULL;
    for (size_t i = 0; i + table->columns <= table->cells && !bad; i += table->columns) {
        struct libscols_line *line = scols_table_new_line(output, NULL);
        bad = line == NULL;
        for (size_t c = 0; c < table->columns && !bad; c++)
            bad = scols_line_set_data(line, c, table->cell[i + c]) != 0;
    }
    if (!bad) {
        (void)scols_table_set_stream(output, file);
        (void)scols_table_set_termforce(output, SCOLS_TERMFORCE_NEVER); /* never cut to the terminal's width */
        bad = scols_print_table(output) != 0;
    }
    scols_unref_table(output);
    return bad ? fail_with(error, STATUS_MEMORY, "out of memory for printing a table") : STATUS_OK;
}

void table_markdown(const struct text_table *table, FILE *file)
{
    for (size_t c = 0; c < table->columns; c++)
        fprintf(file, "| %s ", table->column[c].title);
    fputs("|\n", file);
    for (size_t c = 0; c < table->columns; c++)
        fputs(table->column[c].right_aligned ? "|---:" : "|---", file);
    fputs("|\n", file);
    for (size_t i = 0; i + table->columns <= table->cells; i += table->columns) {
        for (size_t c = 0; c < table->columns; c++)
            fprintf(file, "| %s ", table->cell[i + c]);
        fputs("|\n", file);
    }
}
