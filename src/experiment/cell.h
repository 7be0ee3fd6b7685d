/* A cell: one target, sampler, score error and number of steps of an experiment, measured by exact laws or by a
 * number of chains, in all dimensions of the experiment or, where its steps depend on d or a search for T(d, eps) has
 * laws of its own in each d, in those that need this number of steps. The unit of work, of storage and of resumption.
 */
#ifndef EXPERIMENT_CELL_H
#define EXPERIMENT_CELL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "experiment/record.h"
#include "experiment/spec.h"

struct cell {
    const struct spec *spec;
    size_t target, sampler, score_error; /* indices into the spec's lists */
    size_t steps;
    size_t chains; /* 0: exact laws */
    struct dimensions dimensions;
};

/* Of each of the spec's dimensions, whether it has an exact law of the cell's target, sampler and score error. An
 * experiment without chains has nothing but laws: there every dimension counts, and one without a law fails with the
 * reason. For free(); NULL where memory runs out. */
bool *cell_laws(const struct cell *cell);

/* Of some of the spec's dimensions, those that have a law. For free(), *count of them, perhaps none; NULL where
 * memory runs out. */
size_t *dimensions_with_law(const struct spec *spec, struct dimensions list, const bool *has_law, size_t *count);

/* Raised whenever a law, a divergence or a radius can come out differently for the same description. */
enum { NUMERICS_VERSION = 14 };

/* Fills rows[i], one for each of the cell's dimensions: its measurement, or its failure where what measure_target or
 * sample_measure computes for it does not exist or does not come out (STATUS_UNSUPPORTED, STATUS_NUMERIC). Threads
 * (> 0) change nothing but the time. Errors, of all dimensions: those of schedule_with; what else measure_target and
 * sample_measure return. */
MUST_USE enum status cell_measure(const struct cell *cell, int threads, struct record *rows, struct error *error);

/* A row that says what would be measured in the cell's dimension of this index, and of the result nothing: every
 * value, radius and estimate is NaN. */
void cell_blank(const struct cell *cell, size_t index, struct record *row);

/* Nonzero if some of the cell's rows, or all, failed. */
int cell_has_failures(const struct cell *cell, const struct record *rows);

/* "d=DIMENSION: reason\n" for each row that failed, for free(); NULL where memory runs out. */
char *cell_failures(const struct cell *cell, const struct record *rows);

/* The reverse: of `count` rows that did not fail and the text of those that did, fills rows[i], of the cell's
 * dimension i; what is of none of these stays as it is. */
void cell_join(const struct cell *cell, const struct record *from, size_t count, const char *failures,
               struct record *rows);

/* What the cell is, for people. */
enum { CELL_LABEL_SIZE = 320 };
void cell_label(const struct cell *cell, char label[CELL_LABEL_SIZE]);

/* All that determines the cell's numbers, as text for free(): numerics version, schedule, target and score error with
 * every parameter, sampler, steps, dimensions, chains, and the hash of the plug-ins that the sampler and the target
 * are from. NULL where memory runs out. */
char *cell_describe(const struct cell *cell);

/* Nonzero if a description is of the same cell but for the list of dimensions. Rows do not depend on what else is in
 * that list, to the bit. -1 where memory runs out. */
int cell_differs_in_dimensions(const struct cell *cell, const char *description);

/* cell_measure of those dimensions that `known` lacks; known[i].dimension is 0 where it does, and the rest, failures
 * among them, are copied. */
MUST_USE enum status cell_complete(const struct cell *cell, const struct record *known, int threads,
                                   struct record *rows, struct error *error);

/* A file name's stem that tells all that determines the cell's numbers: readable, ending in a hash of its
 * description. */
enum { CELL_KEY_SIZE = 192 };
MUST_USE enum status cell_key(const struct cell *cell, char key[CELL_KEY_SIZE], struct error *error);

#endif
