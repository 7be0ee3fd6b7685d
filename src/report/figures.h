/* Figures by gnuplot, which only draws: every number comes from the stored results, and the raw data of a figure lies
 * beside it as a table (NAME.tsv). */
#ifndef REPORT_FIGURES_H
#define REPORT_FIGURES_H

#include "core/status.h"
#include "results/evidence.h"
#include "verdict/claims.h"

struct figure_source;

struct figure {
    const char *name;    /* of the files NAME.tsv, NAME.svg and NAME.png beside the result, and of scripts/NAME.gp */
    enum topic topic;    /* of the claims beside which it stands */
    const char *caption; /* what was measured and how to read it; [of fits, where there are any] */
    const struct figure_source *source;
};

/* Ends with name == NULL. */
extern const struct figure figures[];

/* Writes all figures that the evidence has data for; those it has none for are left out.
 * Errors: STATUS_IO; STATUS_EXTERNAL when gnuplot is missing or fails, with its words. */
MUST_USE enum status figures_draw(const struct evidence *evidence, struct error *error);

#endif
