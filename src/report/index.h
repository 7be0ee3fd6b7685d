/* The index of several results: a row a claim, with what decides it, in one page and one Markdown file. */
#ifndef REPORT_INDEX_H
#define REPORT_INDEX_H

#include "core/status.h"
#include "report/table.h"

/* The rows of every results directory in `directory`, or, where there are any, of these names (a list that ends with
 * NULL), in the order of their names; a claim of several results has one row, of what decides it over all. A result
 * whose merged file cannot be read has a row that says why. Free with table_free, also after an error. Errors:
 * STATUS_IO, where there is none, or not this one; STATUS_MEMORY. */
MUST_USE enum status index_table(const char *directory, const char *const *names, struct table *out,
                                 struct error *error);

/* Writes it for a terminal; as directory/index.html, with links to the reports, and directory/index.md.
 * Errors: STATUS_IO, STATUS_MEMORY. */
MUST_USE enum status index_print(const struct table *table, FILE *file, struct error *error);
MUST_USE enum status index_write(const char *directory, const struct table *table, struct error *error);

#endif
