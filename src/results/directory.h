/* The results directory of an experiment: spec.yaml, which says whose cells these are (with which builds of which
 * plug-ins, in comments), cells/ with a file for each,
 * and what is made of them. Several processes on several machines may work in it at once. */
#ifndef RESULTS_DIRECTORY_H
#define RESULTS_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "core/provenance.h"
#include "core/status.h"
#include "experiment/cell.h"
#include "experiment/spec.h"
#include "results/store.h"

enum { DIRECTORY_PATH_SIZE = 4096 };

/* Makes the directory, or finds that it is this spec's and this program's already, and removes what killed writers
 * left. Args: version, the program's; adopt: a directory of another spec or version is taken over (cells that both
 * have are kept). Errors: STATUS_IO where it is another's, has files that are none of ours, or cannot be made. */
MUST_USE enum status directory_open(const char *path, const struct spec *spec, const char *version, int adopt,
                                    struct error *error);

/* STATUS_OK if the directory is this spec's and this version's. Errors: STATUS_IO, also where it is not;
 * STATUS_MEMORY.
 */
MUST_USE enum status directory_is_of(const char *path, const struct spec *spec, const char *version,
                                     struct error *error);

/* Reads the spec of a directory made by directory_open (free with spec_free, also after an error). Loads no plug-ins,
 * so that what names any is refused. Args: claim_names as for spec_load. Errors: STATUS_IO where
 * there is none or it is another version's; those of spec_parse. */
MUST_USE enum status directory_read(const char *path, const char *version, const char *const *claim_names,
                                    struct spec *out, struct error *error);

/* STATUS_OK if a merged file of this name, made of an experiment of this name and text, belongs to the directory, as
 * far as it says whose it is. Errors: STATUS_IO where spec.yaml is another experiment's or cannot be read. */
MUST_USE enum status directory_owns(const char *path, const char *spec_name, const char *spec_text,
                                    struct error *error);

/* Where a cell, and where the merged file of a spec, lies. Errors: STATUS_IO where the path is too long;
 * STATUS_MEMORY.
 */
MUST_USE enum status directory_cell(const char *path, const struct cell *cell, char out[DIRECTORY_PATH_SIZE],
                                    struct error *error);
MUST_USE enum status directory_merged(const char *path, const struct spec *spec, char out[DIRECTORY_PATH_SIZE],
                                      struct error *error);

/* The key of the cell whose file has this name; "" and false where it is none. */
bool directory_key(const char *name, char key[CELL_KEY_SIZE]);

/* The names of cells whose files are there, in increasing order, for free(); *names is NULL where there are none.
 * Errors: STATUS_IO, STATUS_MEMORY. */
struct cell_name {
    char key[CELL_KEY_SIZE];
};
MUST_USE enum status directory_list(const char *path, struct cell_name **names, size_t *count, struct error *error);

/* Rows that cells of the same description but for the dimensions hold, one for each of the cell's dimensions, for
 * free(); dimension 0 where there is none; *rows is NULL where there are none at all. Only rows that this program
 * made. Args: names as above. Errors: STATUS_MEMORY; what cannot be read is as if it were not there. */
MUST_USE enum status directory_relatives(const char *path, const struct cell *cell, const struct cell_name *names,
                                         size_t count, const struct provenance *provenance, struct record **rows,
                                         struct error *error);

/* Removes a cell. Errors: STATUS_IO. */
MUST_USE enum status directory_remove(const char *path, const struct cell_name *name, struct error *error);

/* Reads a stored cell (free with result_free, also after an error). Errors: those of directory_cell and
 * cell_file_read; STATUS_IO where the file holds another cell than its name promises. */
MUST_USE enum status directory_load(const char *path, const struct cell *cell, struct result *out,
                                    struct error *error);

#endif
