/* The forms in which a reader sees the tables of a result (tables.h), and the raw numbers. All but the first lie
 * beside the result. Errors: STATUS_IO, STATUS_MEMORY. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stdio.h>

#include "core/status.h"
#include "report/tables.h"

/* The claim table with verdicts, for a terminal. */
MUST_USE enum status report_print(const struct tables *tables, FILE *file, struct error *error);

/* verdict.md, with all tables; verdict.tex, the claim table (booktabs). */
MUST_USE enum status report_markdown(const struct tables *tables, struct error *error);
MUST_USE enum status report_latex(const struct tables *tables, struct error *error);

/* report.html: the claims with the figures that lie there, all tables, what was censored or failed, the spec, the
 * provenance and how to reproduce it, in one file that needs no other. */
MUST_USE enum status report_html(const struct tables *tables, struct error *error);

/* cells.csv: every column of every record, with 17 significant digits (RFC 4180; NaN, Inf and -Inf, as pandas and R
 * read them), and why it failed; what failed comes last. */
MUST_USE enum status report_csv(const struct evidence *evidence, struct error *error);

#endif
