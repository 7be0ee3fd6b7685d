/* How a verdict came about, in words and numbers: those that the judging code wrote down (account.h). */
#ifndef REPORT_EXPLAIN_H
#define REPORT_EXPLAIN_H

#include <stdio.h>

#include "core/status.h"
#include "verdict/account.h"

/* Explains the finding of a claim on a target; target NULL: the overall one, and that of the target that decides it.
 * Errors: STATUS_INVALID, naming the claims or targets that the result has. */
MUST_USE enum status explain_print(const struct evidence *evidence, const char *claim, const char *target, FILE *file,
                                   struct error *error);

/* "exponent of tv in h, ddpm = 1.000 ± 0.003, bound 1": what was judged, and its number where that has an interval.
 */
enum { JUDGEMENT_TITLE = 1000 };
void judgement_title(const struct judgement *judgement, char text[JUDGEMENT_TITLE]);

/* What decided a judgement, and what each other condition would have made of it: lines, each with a call of `line`.
 */
void explain_judgement(const struct judgement *judgement, void (*line)(void *context, const char *text),
                       void *context);

#endif
