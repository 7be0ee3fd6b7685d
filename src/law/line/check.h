/* A checked stage of the line engine: its local error is estimated, and what the steps up to the next check use is
 * chosen: the quadrature order, the panels' length, whether they move along or are laid out anew, and whether the
 * polynomials are computed at all. */
#ifndef LAW_LINE_CHECK_H
#define LAW_LINE_CHECK_H

#include "law/line/stage.h"

/* Makes the prepared stage. Errors as fill_stage has them (law/propagate.h). */
MUST_USE enum status line_check(struct line *line, struct step_error *local, struct error *error);

#endif
