/* The result of one cell: a text in tab-separated columns, written under a temporary name, closed, synced and
 * renamed, so that its existence means "done". Lines "# NAME<tab>VALUE" tell its facts, with \n, \t and \\ in values
 * escaped; a line of column names and one for each row follow, with 17 digits a number, so that reading gives the
 * same bits; the last line holds a checksum of all before it. Reading it takes no library that a damaged file could
 * crash. */
#ifndef RESULTS_CELL_FILE_H
#define RESULTS_CELL_FILE_H

#include <stddef.h>

#include "core/status.h"
#include "results/store.h"

#define CELL_FILE_ENDING ".tsv"

/* Args: as store_write. */
MUST_USE enum status cell_file_write(const char *path, const struct record *rows, size_t count,
                                     const struct parameter_columns *parameters, const struct fact *facts,
                                     struct error *error);

/* Reads a file of cell_file_write (free with result_free), whoever may have made it: the same columns in the same
 * order, and names as in a spec. Errors: STATUS_IO, one sentence naming the file and what is wrong with it. */
MUST_USE enum status cell_file_read(const char *path, struct result *out, struct error *error);

#endif
