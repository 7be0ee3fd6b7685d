/* One stage of the radial engine on a whole grid: where the map jumps, the panels of the result, filled through the
 * stage; and checks, which estimate the local error and choose the quadrature order for the steps up to the next one.
 */
#ifndef LAW_RADIAL_STAGE_H
#define LAW_RADIAL_STAGE_H

#include <stddef.h>

#include "core/status.h"
#include "law/propagate.h"
#include "law/radial/panels.h"
#include "law/radial/transfer.h"

struct radial {
    struct propagation *run;
    struct factor marginal; /* of one coordinate of the target: what a linear score error is sized by */
    double *zeros;          /* its means */
    struct mixture_level coordinate;
    struct radial_level level[SLOTS], other[SAMPLER_OTHER_LEVELS];
    struct panels grid[SLOTS];
    struct radial_basis basis;
    struct radial_team threads;
    struct radial_oracle oracle;
    size_t draws; /* of a sampler that draws numbers: so many of the next */
    struct radial_draw draw[SAMPLER_DRAWS];
    struct radial_transfer transfer; /* the present stage, which fills `result` */
    struct panels *result;
    struct panel_errors *errors; /* of each of its panels, in a check */
    size_t errors_capacity;
    size_t order[STAGES];
    double narrow; /* the scale of q where p is much wider, in units of sqrt(alpha_bar), in which it stays as it is */
};

/* Functions of the geometry. A checked stage lays the panels out anew; one between checks moves them along. */
MUST_USE enum status radial_stage_prepare(void *state, const struct stage *stage, size_t from, size_t to,
                                          struct error *error);
MUST_USE enum status radial_stage_fill(void *state, bool checked, struct stage_result *out, struct error *error);
void radial_correction_moments(void *state, struct clip_step *out);

#endif
