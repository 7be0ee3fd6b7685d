/* Tables of text: aligned for a terminal (libsmartcols: width, UTF-8), or as Markdown. */
#ifndef REPORT_TABLE_H
#define REPORT_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include "core/status.h"

struct table_column {
    const char *title;
    int right_aligned;
};

/* Start from {.column = ..., .columns = ...}; free with table_free. */
struct text_table {
    const struct table_column *column;
    size_t columns;
    char **cell; /* row after row, owned */
    size_t cells, capacity;
};

/* Appends the next cell, row after row. */
MUST_USE enum status table_cell(struct text_table *table, struct error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void table_free(struct text_table *table);

MUST_USE enum status table_print(const struct text_table *table, FILE *file, struct error *error);
void table_markdown(const struct text_table *table, FILE *file);

/* Prints, and forgets, the rows that have come since the last call; before the first of all, with the titles.
 * width: of each column, the caller's, at least so many characters; grows to that of its title and of what came, but
 * for the last column, which may be of any length.
 * Errors: STATUS_IO where the file cannot be written. */
MUST_USE enum status table_print_rows(struct text_table *table, size_t *width, int with_titles, FILE *file,
                                      struct error *error);

#endif
