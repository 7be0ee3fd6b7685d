/* Tables as data: columns, rows of cells, a title, and a note. There is one writer for each form: aligned for a
 * terminal (libsmartcols: width, UTF-8), Markdown, HTML, LaTeX and comma-separated values. */
#ifndef REPORT_TABLE_H
#define REPORT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "core/status.h"

/* Texts; numbers; sentences, which may break over lines; sentences of an experiment's author, in which nothing is
 * Markdown; names of the rows, which in HTML refer to the part of the page about each. */
enum table_align { LEFT, RIGHT, WRAPPED, QUOTED, ROW_NAME };

struct table_column {
    const char *heading;
    enum table_align align;
};

/* Good, open and bad are verdicts, of which HTML shows the kind beside the words. */
enum table_kind { TABLE_TEXT, TABLE_NOTHING, TABLE_GOOD, TABLE_OPEN, TABLE_BAD };

struct table_cell {
    enum table_kind kind;
    char *text; /* owned; "-" of nothing */
};

enum { TABLE_MOST_COLUMNS = 24 };

/* Start from {.column = ..., .columns = ...}; free with table_free. */
struct table {
    const char *title;               /* NULL: none */
    const char *anchor, *anchor_end; /* a row's name refers to these with it between them; NULL: no column holds
                                      * names, nothing behind it */
    const struct table_column *column;
    size_t columns;
    struct table_cell *cell; /* row after row */
    size_t cells, capacity;
    char note[1200]; /* what there is to say below the table; "" if nothing */
};

/* Append the next cells, row after row: formatted texts, with tabs between cells; one if it is present, or else
 * nothing; nothing; a text as it is; a verdict; a number with all its digits (17, and NaN, Inf and -Inf, as pandas
 * and R read them). Errors: STATUS_MEMORY. */
MUST_USE enum status table_cells(struct table *table, struct error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
MUST_USE enum status table_cell_if(struct table *table, bool present, struct error *error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
MUST_USE enum status table_text(struct table *table, const char *text, struct error *error);
MUST_USE enum status table_nothing(struct table *table, struct error *error);
MUST_USE enum status table_verdict(struct table *table, enum table_kind kind, const char *words, struct error *error);
MUST_USE enum status table_number(struct table *table, double value, struct error *error);

/* Forgets all cells. */
void table_free(struct table *table);

/* Those columns, in this order, and those rows (first, first + step, ...) of a table that are to be written. */
struct table_view {
    const struct table *table;
    size_t column[TABLE_MOST_COLUMNS], columns;
    size_t first, step, rows;
    bool has_total; /* the last row is that of all others */
};

struct table_view table_all(const struct table *table); /* of at most TABLE_MOST_COLUMNS */
const struct table_cell *table_at(const struct table_view *view, size_t row, size_t column);

/* Leaves a column out if every cell in it is nothing. */
void table_drop_empty(struct table_view *view, size_t column);

/* Errors: STATUS_IO where the file cannot be written; STATUS_MEMORY. */
MUST_USE enum status table_print(struct table_view view, FILE *file, struct error *error);
void table_markdown(struct table_view view, FILE *file);
void table_html(struct table_view view, FILE *file);
void table_latex(struct table_view view, FILE *file); /* a tabular of booktabs */

/* Rows that come one at a time: print, and forget, those that have come since the last call; before the first of all,
 * with the headings. The lines of CSV are those of RFC 4180. width: of each column, the caller's, at least so many
 * characters; grows to that of its heading and of what came, but for the last column, which may be of any length.
 * Errors: STATUS_IO where the file cannot be written. */
MUST_USE enum status table_print_rows(struct table *table, size_t *width, int with_headings, FILE *file,
                                      struct error *error);
void table_csv_rows(struct table *table, int with_headings, FILE *file);

/* Words of this program in HTML: signs are written as they are in print (<= as ≤), and no line ends between a sign
 * and the number behind it. */
void html_words(FILE *file, const char *text);

/* A verdict in a frame of its kind's colour. */
void html_verdict(FILE *file, enum table_kind kind, const char *words);

#endif
