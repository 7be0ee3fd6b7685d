#include "report/table.h"

#include <errno.h>
#include <libsmartcols.h>
#include <stdarg.h>
#include <string.h>
#include <wchar.h>

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

static enum status cannot_write(struct error *error)
{
    return fail_with(error, STATUS_IO, "cannot write a table: %s", strerror(errno));
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
    if (ferror(file))
        return cannot_write(error);
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

static size_t width_of(const char *text)
{
    wchar_t wide[256];
    size_t count = mbstowcs(wide, text, sizeof wide / sizeof wide[0]);
    int width = count < sizeof wide / sizeof wide[0] ? wcswidth(wide, count) : -1;
    return width >= 0 ? (size_t)width : strlen(text);
}

static void print_row(const struct text_table *table, const size_t *width, char *const *cell, FILE *file)
{
    for (size_t c = 0; c < table->columns; c++) {
        const char *text = cell != NULL ? cell[c] : table->column[c].title;
        size_t found = width_of(text), blanks = width[c] > found ? width[c] - found : 0;
        int last = c + 1 == table->columns, right = table->column[c].right_aligned;
        fprintf(file, "%*s%s%*s", right ? (int)blanks : 0, "", text, right || last ? 0 : (int)blanks, "");
        fputc(last ? '\n' : ' ', file);
    }
}

enum status table_print_rows(struct text_table *table, size_t *width, int with_titles, FILE *file,
                             struct error *error)
{
    for (size_t c = 0; c < table->columns; c++) {
        size_t title = width_of(table->column[c].title);
        width[c] = width[c] > title ? width[c] : title;
    }
    for (size_t i = 0; i < table->cells; i++) {
        size_t c = i % table->columns, found = width_of(table->cell[i]);
        if (c + 1 < table->columns && width[c] < found)
            width[c] = found;
    }
    if (with_titles)
        print_row(table, width, NULL, file);
    for (size_t i = 0; i + table->columns <= table->cells; i += table->columns)
        print_row(table, width, table->cell + i, file);
    table_free(table);
    return fflush(file) == 0 && !ferror(file) ? STATUS_OK : cannot_write(error);
}
