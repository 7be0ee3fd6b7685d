/* A checked stage of the line engine: what it does wrong is measured, and how the steps up to the next check make it
 * is chosen: the quadrature rule, the panels' length, whether they move along or are laid out anew, and whether
 * anything is done at all. */
#ifndef LAW_LINE_CHECK_H
#define LAW_LINE_CHECK_H

#include "law/line/stage.h"

/* Makes the prepared stage. Errors as fill_stage has them (law/propagate.h). */
MUST_USE enum status line_check(struct line *line, struct step_error *local, struct error *error);

#endif
