/* The merged results of an experiment: an HDF5 file, written as cells are (results/cell_file.h). Columns are 1-D
 * datasets named by record_fields with `units` and `long_name` attributes, the dimension scale `row` attached. What
 * may differ between two runs of the same (wall times, the facts `command` and `host`) lives in the group
 * /circumstances; all else is equal to the bit.
 */
#ifndef RESULTS_STORE_H
#define RESULTS_STORE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "experiment/record.h"

/* Facts about a run, stored as string attributes of the file's root. Ends with name == NULL. */
struct fact {
    const char *name;
    const char *value;
};

/* Of result files: the one that is written, raised whenever the columns change, and the oldest that is read. What an
 * older one has no columns for (struct field's `since`) is NaN. */
enum { FORMAT_VERSION = 7, FORMAT_OLDEST = 3 };

/* Rows read back from a file, with the facts stored beside them. */
struct result {
    int format; /* of the file */
    struct record *rows;
    size_t count;
    struct parameter_columns parameters;
    char *spec_text;  /* "" if the file holds none */
    char *spec_name;  /* the experiment's name; "" if none */
    char *plugins;    /* what its text does not say of its plug-ins and files (registry.h); "" if it has none */
    char *manifest;   /* manifest_write of the experiment; "" of cells and where the file is older */
    char *failure;    /* of a cell: "" or the reason why it was not measured at all; "" of a merged file */
    char *cell;       /* of a cell: cell_describe; "" of a merged file */
    char *failures;   /* of a cell: cell_failures; of a merged file: plan_failures */
    char *refusals;   /* of a merged file: plan_failures, of laws that searches for T(d, eps) went around */
    char *columns;    /* parameter_columns_write of `parameters` */
    char *provenance; /* all other facts, "name: value\n" each, for the report */
};

/* The texts of a result: the fact that comes back in it, NULL of `provenance`; whether files of cells alone have it.
 */
enum { RESULT_TEXTS = 10 };
struct result_text {
    const char *fact;
    size_t offset;
    bool of_cell;
};
extern const struct result_text result_texts[RESULT_TEXTS];

static inline char **result_text(struct result *result, size_t index)
{
    return (char **)(void *)((char *)result + result_texts[index].offset);
}

/* Writes a file with `count` rows, 0 where all of them failed, at `path` atomically. Args: parameters, the rows'
 * columns of them. Facts of result_texts that are of merged files come back in these texts. */
MUST_USE enum status store_write(const char *path, const struct record *const *rows, size_t count,
                                 const struct parameter_columns *parameters, const struct fact *facts,
                                 struct error *error);

/* Reads any file made by store_write (free with result_free), whoever may have made it: HDF5 sees it in a child
 * process, and what names a target, a sampler, an experiment and so on is a name as in a spec. Errors: STATUS_IO, one
 * sentence naming the file and what is wrong with it (missing, not HDF5, a column missing or of another type or
 * length, another format version, a text that is no name, a content that HDF5 dies of). */
MUST_USE enum status store_read(const char *path, struct result *out, struct error *error);
void result_free(struct result *result);

/* Names go into paths, figures and reports. That of the experiment is empty where a file is of one cell. Errors:
 * STATUS_IO with the text that is no name. */
MUST_USE enum status store_check_names(const char *path, const struct result *result, struct error *error);

/* Silences HDF5's own error printing; call once at start. */
void store_init(void);

#endif
