/* The tables a reader sees: of claims, of exponents, of the speed-up; on a terminal, as verdict.md and as
 * report.html. */
#ifndef VERDICT_REPORT_H
#define VERDICT_REPORT_H

#include <stdio.h>

#include "core/status.h"
#include "verdict/claims.h"

/* The claim table with verdicts, for a terminal. */
MUST_USE enum status report_print(const struct evidence *evidence, FILE *file, struct error *error);

/* Writes verdict.md beside the result. */
MUST_USE enum status report_markdown(const struct evidence *evidence, struct error *error);

/* Writes report.html beside the result: the claims, every figure that lies there, the spec and the provenance, in one
 * file. */
MUST_USE enum status report_html(const struct evidence *evidence, struct error *error);

#endif
