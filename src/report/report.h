/* What a reader sees: tables on a terminal, verdict.md and verdict.tex, report.html; and the raw numbers, cells.csv.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stdio.h>

#include "core/status.h"
#include "verdict/claims.h"

/* The claim table with verdicts, for a terminal. */
MUST_USE enum status report_print(const struct evidence *evidence, FILE *file, struct error *error);

/* Write verdict.md, with all tables, and verdict.tex, the claim table (booktabs), beside the result. */
MUST_USE enum status report_markdown(const struct evidence *evidence, struct error *error);
MUST_USE enum status report_latex(const struct evidence *evidence, struct error *error);

/* Writes report.html beside the result: the claims with the figures that lie there, all tables, what was censored or
 * failed, the spec, the provenance and how to reproduce it, in one file that needs no other. */
MUST_USE enum status report_html(const struct evidence *evidence, struct error *error);

/* Writes cells.csv beside the result: every column of every record, with 17 significant digits (RFC 4180; NaN, Inf
 * and -Inf, as pandas and R read them). */
MUST_USE enum status report_csv(const struct evidence *evidence, struct error *error);

#endif
