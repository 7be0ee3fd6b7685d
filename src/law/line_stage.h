/* One stage of a step of the line engine on a whole grid: the panels of its result, filled by a quadrature rule; and
 * checks, which measure what the stage does wrong and choose the rule and the panels' spacing for the steps up to the
 * next check. */
#ifndef LAW_LINE_STAGE_H
#define LAW_LINE_STAGE_H

#include <stddef.h>

#include "core/status.h"
#include "law/clip.h"
#include "law/law.h"
#include "law/line_probe.h"
#include "law/line_team.h"
#include "law/oracle.h"
#include "law/panels.h"
#include "law/rule.h"
#include "law/transfer.h"

enum { LINE_STAGES = 2 }; /* of a step: the map, and noise before it */

/* How the steps between two checks make a stage. */
struct line_choice {
    size_t rung; /* of the quadrature rules */
    int spacing; /* panels are longer by this power of a factor, where the law is smooth enough */
    int fresh;   /* they are laid out anew in every step */
    int carried; /* nothing changes: they move with the components, and their polynomials stay */
};

struct line {
    const struct law_problem *problem;
    double resolution;
    struct chebyshev chebyshev;
    struct rules rules;
    struct line_team team;
    struct oracle oracle;
    struct undeclared undeclared;
    struct fineness jumps; /* the last that mattered; positions and `longest` in units of sqrt(alpha_bar), which they
                            * keep */
    struct line_choice choice[LINE_STAGES];
    double rounding[LINE_STAGES]; /* what that makes of a stage in L1(p), as of the last check */
    struct line_probe probe;
    struct panels before[LINE_STAGES]; /* as the last check laid them out */
    struct panels moved;               /* for comparison */
    struct clip_bound clip;
};
MUST_USE enum status line_init(struct line *line, const struct law_problem *problem, double resolution,
                               struct error *error);
void line_free(struct line *line);

/* What a checked step does wrong: as steps were made up to now, as it was made itself, and as they will be made. */
enum { AS_BEFORE, AS_MADE, FROM_NOW_ON, WAYS };
struct step_error {
    struct error_norms way[WAYS];
};

/* Makes a stage of a step: lays out and fills *grid. A checked one adds to *wrong. Errors: STATUS_NUMERIC where the
 * law is not finite or a map without noise folds; STATUS_MEMORY. */
MUST_USE enum status line_stage_make(struct line *line, struct transfer *transfer, int stage, int checked,
                                     struct panels *grid, struct step_error *wrong, struct error *error);

/* Its parts, for checks: the rung that another stands for at the law's resolution, the panels, and what fills them.
 */
size_t line_rung(const struct line *line, size_t rung);
MUST_USE enum status line_lay_out(const struct line *line, const struct transfer *transfer, int spacing,
                                  const struct fineness *fineness, struct panels *grid, struct error *error);
MUST_USE enum status line_fill(struct line *line, const struct transfer *transfer, size_t rung, struct panels *grid,
                               struct error *error);

#endif
