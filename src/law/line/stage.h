/* One stage of a step of the line engine on a whole grid: the panels of its result, filled by a quadrature rule; and
 * checks, which measure what the stage does wrong and choose the rule and the panels' spacing for the steps up to the
 * next check. */
#ifndef LAW_LINE_STAGE_H
#define LAW_LINE_STAGE_H

#include <stddef.h>

#include "core/status.h"
#include "law/line/probe.h"
#include "law/line/parallel.h"
#include "law/oracle.h"
#include "law/panels.h"
#include "law/propagate.h"
#include "law/rule.h"
#include "law/line/transfer.h"

/* How the steps between two checks make a stage. */
struct line_choice {
    size_t rung; /* of the quadrature rules */
    int spacing; /* panels are longer by this power of a factor, where the law is smooth enough */
    int fresh;   /* they are laid out anew in every step */
    int carried; /* nothing changes: they move with the components, and their polynomials stay */
};

struct line {
    struct propagation *run;
    struct chebyshev chebyshev;
    struct rules rules;
    struct line_team team;
    struct oracle oracle;
    struct mixture_level level[SLOTS];
    struct panels grid[SLOTS];
    struct transfer transfer; /* the present stage, which fills `result` */
    struct fineness fineness;
    struct panels *result;
    struct fineness jumps; /* the last that mattered; positions and `longest` in units of sqrt(alpha_bar), which they
                            * keep */
    struct line_choice choice[STAGES];
    double rounding[STAGES]; /* what that makes of a stage in L1(p), as of the last check */
    struct line_probe probe;
    struct panels before[STAGES]; /* as the last check laid them out */
    struct panels moved;          /* for comparison */
};

/* Functions of the geometry. */
MUST_USE enum status line_stage_prepare(void *state, const struct stage *stage, size_t from, size_t to,
                                        struct error *error);
MUST_USE enum status line_stage_fill(void *state, bool checked, struct stage_result *out, struct error *error);
void line_correction_moments(void *state, struct clip_step *out);

/* Parts of a stage, for checks: the rung that another stands for at the law's resolution, the panels, and what fills
 * them. */
size_t line_rung(const struct line *line, size_t rung);
MUST_USE enum status line_lay_out(const struct line *line, int spacing, struct panels *grid, struct error *error);
MUST_USE enum status line_fill(struct line *line, size_t rung, struct panels *grid, struct error *error);

#endif
