/* The cells of an experiment: those that its steps ask for, and those that T(d, eps) needs, which are found as their
 * predecessors become known. A plan only knows what is to be done and what came out; run.c does it. */
#ifndef EXPERIMENT_PLAN_H
#define EXPERIMENT_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "experiment/cell.h"
#include "experiment/spec.h"

enum item_state { ITEM_OPEN, ITEM_READ, ITEM_MEASURED, ITEM_FAILED };

struct item {
    struct cell cell;
    double cost;    /* predicted */
    size_t share;   /* whose it is, from 0 */
    size_t pursuit; /* that waits for it; SIZE_MAX: none */
    size_t *own;    /* the cell's dimensions, of exact laws; NULL: a list of the spec's */
    bool asked;     /* the spec gives its number of steps; else a pursuit alone wants it */
    enum item_state state;
    struct record
        *known;          /* of an open item, rows that need not be measured (cell_complete); NULL: none; the plan's */
    struct record *rows; /* one a dimension of the cell, once it is read or measured, be it a failure; the plan's */
    char *failure;       /* why there are none; the plan's */
};

/* The search for T(d, eps) of one target, sampler and score error, in all dimensions that have laws. The cells that
 * it begins with may be measured by any share; each next one depends on all before, so that those are one share's.
 *
 * A T that one dimension needs is measured in those that share its laws, for nothing, and in no others. A search
 * begins with the grid; where laws are dear, with the spec's steps, or one T where it has none, and from there on
 * each next T is where the values known so far, extrapolated, cross the accuracy.
 *
 * The T(d, eps) of different d and eps crowd, and one law says of all where they are: a T that the interpolation does
 * not make sure of waits until its group wants no other. */
struct pursuit {
    size_t target, sampler, score_error, share;
    bool *searched;                 /* [dimension] T(d, eps) is searched there */
    size_t *group;                  /* [dimension] measure_groups */
    bool dear;                      /* a law of it takes seconds */
    double cost;                    /* predicted, of the cells that are not known yet */
    size_t *items, count, capacity; /* its cells, exact laws */
    size_t outstanding;             /* of them, still open */
    size_t *attempts;               /* how often each bracket was narrowed: [dimension][accuracy] */
    bool *knows;                    /* [dimension] some law of it is known */
    size_t rounds;
    int ended; /* it needs no more cells */
};

/* The first T's that a search measures: powers of sqrt(2) from 16, or from the smallest admissible
 * one, to 1500, from there on powers of two up to max_steps, which ends the list. */
struct grid {
    size_t *steps, count;
};

struct plan {
    const struct spec *spec;
    struct item *items;
    size_t count, capacity;
    struct pursuit *pursuits;
    size_t pursuit_count;
    struct grid *grids; /* one a schedule */
};

/* The cells known from the start, given to `shares` shares by predicted cost (free with plan_free, also after an
 * error). Errors: STATUS_MEMORY. */
MUST_USE enum status plan_new(const struct spec *spec, size_t shares, struct plan *out, struct error *error);
void plan_free(struct plan *plan);

/* Records what became of an item still open; rows and failure (one of them NULL) go over to the plan. */
void plan_settle(struct plan *plan, size_t item, enum item_state state, struct record *rows, char *failure);

/* Nonzero if an item failed: as a whole, or in a dimension. A law that only a search for T(d, eps) asked for is no
 * failure where it is refused, as long as the search knows another one in that dimension. */
bool plan_has_failed(const struct plan *plan, size_t item);

/* "cell: reason\n" for each item that failed as a whole or in all dimensions alike, and "cell d=DIMENSION: reason\n"
 * for each dimension that did; or, if `refused`, the same for laws that searches went around. For free(); NULL where
 * memory runs out. */
char *plan_failures(const struct plan *plan, bool refused);

/* Adds the cells that a pursuit needs next, none while some of its items are outstanding. What it adds depends on
 * nothing but the outcomes of its own items. */
MUST_USE enum status plan_pursue(struct plan *plan, size_t pursuit, struct error *error);

/* Items by target, sampler, score error, chains and steps: the order of a merged file. Their numbers change. */
void plan_sort(struct plan *plan);

/* All rows that did not fail, the plan's own, in the order of the items; the list is for free(), NULL where memory
 * runs out. */
const struct record **plan_rows(const struct plan *plan, size_t *count);

/* manifest_write of the plan's experiment, with the cells that failed, in the order of the items. */
MUST_USE enum status plan_manifest(const struct plan *plan, char **out, struct error *error);

/* Of `count` schedules of the spec from `first` on, the T's at which all exist. Free with free(out->steps), also
 * after an error. Errors: STATUS_MEMORY. */
MUST_USE enum status grid_make(const struct spec *spec, size_t first, size_t count, struct grid *out,
                               struct error *error);

#endif
