/* One stage of the line engine on a whole grid: where the map jumps, and the panels of the result, filled by
 * quadrature. Checked stages are in law/line/check.h. */
#ifndef LAW_LINE_STAGE_H
#define LAW_LINE_STAGE_H

#include <stddef.h>

#include "core/status.h"
#include "law/line/increments.h"
#include "law/line/probe.h"
#include "law/line/reach.h"
#include "law/line/transfer.h"
#include "law/oracle.h"
#include "law/panels.h"
#include "law/propagate.h"
#include "law/quadrature.h"

/* How the steps between two checks make a stage. */
struct line_choice {
    int spacing; /* panels are longer than the default by LINE_LENGTHENING to this power, where r is smooth enough */
    bool relaid; /* panels are laid out anew in every step, instead of moving with the components */
    bool unchanged;     /* panels move with the components, and their polynomials stay as they are */
    bool by_increments; /* or get what such a step adds by law/line/increments.h; of samplers of one stage */
};

struct line {
    struct propagation *run;
    struct chebyshev chebyshev;
    struct quadrature_table rules;
    struct transfer_team threads;
    struct oracle oracle;
    size_t draws; /* of a sampler that draws numbers: so many of the next */
    struct transfer_draw draw[SAMPLER_DRAWS];
    struct mixture_level level[SLOTS];
    struct panels grid[SLOTS];
    struct transfer transfer; /* the present stage, which fills `result` */
    struct fineness fineness;
    struct panels *result;
    struct fineness jumps; /* the last that were not negligible; positions, `longest` and `narrow` in units of
                            * sqrt(alpha_bar), in which they stay where they are */
    struct line_choice choice[STAGES];
    struct line_increments increments;
    size_t made;             /* the last step that was made: t */
    double rare;             /* LINE_RARE where a component has less weight, else 0 */
    double rounding[STAGES]; /* in a stage, L1(p), as of the last check */
    struct line_probe probe;
    struct panels before[STAGES]; /* the panels of the last check, with the orders that it has chosen */
    struct panels moved;          /* for comparison */
    struct clip_step *moments;    /* of each panel of the law before a stage */
    size_t moments_capacity;
    struct line_landing *landing; /* of each node of the law before a stage */
    size_t landing_capacity;
};

/* Functions of the geometry. */
MUST_USE enum status line_stage_prepare(void *state, const struct stage *stage, size_t from, size_t to,
                                        struct error *error);
MUST_USE enum status line_stage_fill(void *state, bool checked, struct stage_result *out, struct error *error);
void line_correction_moments(void *state, struct clip_step *out);

/* Parts of a stage, for checks: the layout of the panels; the quadrature orders of the last check, for the stage's
 * result; and values by them, of all panels or of those that the probe has due, and if not NULL the mass that a map
 * without noise has lost, in *sums. */
MUST_USE enum status line_lay_out(const struct line *line, int spacing, struct panels *grid, struct error *error);
MUST_USE enum status line_set_orders(struct line *line, struct error *error);
MUST_USE enum status line_fill(struct line *line, bool due_alone, struct panel_sums *sums, struct error *error);

#endif
