/* What a score error does to the law of Y_1, as powers of its size, of T, of d and of its roughness. Everything is
 * about
 *     C = error_effect/(eps_score sqrt(log T)),
 * the constant in front of the theorems' term for it; error_effect is the TV between the sampler's laws with and
 * without the error, which by the triangle inequality bounds the excess TV. eps_score is what the experiment claims:
 * an error that grows with T beyond it (a control) shows as a C that grows. */
#ifndef VERDICT_ERROR_GROWTH_H
#define VERDICT_ERROR_GROWTH_H

#include <stddef.h>

#include "core/status.h"
#include "results/evidence.h"
#include "verdict/fit.h"

/* Window: an effect in (0, WINDOW_ACCURACY], where TV is far from 1, with a radius below WINDOW_RADIUS of it
 * (exponents.h); for growth in the roughness omega, omega within this factor of the largest inside. Cells outside
 * only bound C from above and count as unresolved. */
#define WINDOW_ROUGHNESS 64.0

/* The excess TV itself is linear in eps_score only where it is far above TV with exact scores (elsewhere the two add
 * like the legs of a triangle, or interfere). */
#define EXCESS_DOMINATES 30.0

/* Score errors of one sampler on one target that differ in size only, or in size and roughness only. */
enum error_kinship { SAME_BUT_SIZE, SAME_BUT_ROUGHNESS };
struct error_family {
    size_t target, sampler;
    enum error_kinship kinship;
    size_t first; /* the index in the manifest of its first member */
};

/* The least index above `after` at which a family starts; score_error_count when there is none. Of SAME_BUT_ROUGHNESS
 * only those of shapes with a roughness. Start from after = 0, which is exact scores. */
size_t error_family_next(const struct manifest *manifest, enum error_kinship kinship, size_t after);
int error_family_has(const struct manifest *manifest, const struct error_family *family, size_t index);

/* A member without its size (and roughness): "wave w=8 one", then a profile other than uniform. */
void error_family_label(const struct manifest *manifest, const struct error_family *family, char *text, size_t size);

/* One cell, with indices in the manifest. */
struct error_cell {
    const struct record *row;
    size_t score_error, steps, dimension;
    double roughness;      /* of its score error; NaN: it has none */
    double constant, most; /* C, and the largest that it can be */
    int inside;            /* the window */
    int dominant;          /* inside, and the excess is at least EXCESS_DOMINATES times TV with exact scores */
    double excess;         /* TV beyond that with exact scores, over eps_score sqrt(log T); NAN if that is missing */
};

/* A family's cells, by score error, then dimension, then steps. Free `cell` with free(). */
struct error_cells {
    struct error_cell *cell;
    size_t count, inside;
    size_t missing;             /* cells of the experiment without a record: the law could not be computed */
    double roughness;           /* the largest inside the window */
    double constant, excess;    /* the largest inside the window, 0 if none is */
    double unresolved_constant; /* the largest that C can be outside the window, 0 if none is there */
};
MUST_USE enum status error_cells_find(const struct evidence *evidence, const struct error_family *family,
                                      struct error_cells *out, struct error *error);

/* Nonzero if its roughness is within WINDOW_ROUGHNESS of the largest. */
int error_cell_is_rough(const struct error_cells *cells, const struct error_cell *cell);

struct growth {
    int ok; /* 0: too few cells in the window */
    struct exponent exponent;
    size_t cells;
};

/* Of SAME_BUT_SIZE. slope: of the effect in eps_score, with a constant of its own for each (T, d); excess: the same
 * of the excess TV, over dominant cells. steps and dimension: of C in T, for each (size, d), with at least three T;
 * and in d, for each (size, T). */
struct error_growth {
    struct growth slope, steps, dimension, excess;
};
MUST_USE enum status error_growth_fit(const struct error_cells *cells, struct error_growth *out, struct error *error);

/* Of SAME_BUT_ROUGHNESS: of C in omega, with a constant for each (size, T, d). */
MUST_USE enum status roughness_growth_fit(const struct evidence *evidence, const struct error_cells *cells,
                                          struct growth *out, struct error *error);

#endif
