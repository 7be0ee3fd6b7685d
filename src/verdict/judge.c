/* Bands, fixed here before any run. A theorem's exponent is an upper bound B: with a measured v +- w,
 *   refuted                   v - w > B + BAND
 *   supported                 |v - B| <= BAND
 *   supported, not tight      v + w <= B + BAND otherwise, with the slack B - v
 *   inconclusive              anything else, or w > WIDEST
 * BAND is what finite T leaves: exponents of exactly known laws of this family (Gaussians) differ from their limits
 * by less at the T's in use. */
#include "verdict/judge.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void judge_note(struct finding *finding, const char *format, ...)
{
    size_t used = strlen(finding->note);
    if (used > 0 && used + 2 < sizeof finding->note) {
        memcpy(finding->note + used, "; ", 3);
        used += 2;
    }
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(finding->note + used, sizeof finding->note - used, format, arguments);
    va_end(arguments);
}

void judge_upper(struct finding *finding, double value, double interval, double bound)
{
    finding->measured = 1;
    finding->value = value;
    finding->interval = interval;
    finding->bound = bound;
    if (value - interval > bound + BAND)
        finding->outcome = OUTCOME_REFUTED;
    else if (interval > WIDEST) {
        finding->outcome = OUTCOME_INCONCLUSIVE;
        judge_note(finding, "the interval is wider than %.2f", WIDEST);
    } else if (fabs(value - bound) <= BAND)
        finding->outcome = OUTCOME_SUPPORTED;
    else if (value + interval <= bound + BAND)
        finding->outcome = OUTCOME_NOT_TIGHT;
    else {
        finding->outcome = OUTCOME_INCONCLUSIVE;
        judge_note(finding, "the interval reaches from below the bound to above it");
    }
}

void judge_inconclusive(struct finding *finding, const char *reason)
{
    finding->outcome = OUTCOME_INCONCLUSIVE;
    judge_note(finding, "%s", reason);
}

int judge_needs(const struct evidence *evidence, const char *sampler, size_t *index, struct finding *out)
{
    *index = evidence_sampler(evidence, sampler);
    if (*index < evidence->spec.sampler_count)
        return 1;
    out->outcome = OUTCOME_INCONCLUSIVE;
    judge_note(out, "sampler %s is not in the experiment", sampler);
    return 0;
}
