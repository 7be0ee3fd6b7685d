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

size_t judge_by(struct finding *finding, struct judgement *judgement, enum outcome otherwise)
{
    judgement_decide(judgement, otherwise);
    account_judgement(finding->account, judgement);
    finding->outcome = judgement->outcome;
    return judgement->decided;
}

/* `side` is 1 for a bound from above, -1 for one from below. */
static void judge_bound(struct finding *finding, const struct judged *judged, const struct exponent *exponent,
                        double bound, double side)
{
    double value = exponent->value, interval = exponent->interval;
    double inner = value - side * interval, outer = value + side * interval, limit = bound + side * BAND;
    const char *const lower = "the lower end of the interval", *const upper = "the upper end of the interval";
    struct judgement judgement = {
        .exponent = *exponent,
        .bound = bound,
        .regression = judged->regression,
        .cells = judged->cells,
        .condition =
            {{OUTCOME_REFUTED, "refuted", side > 0.0 ? lower : upper, side > 0.0 ? ABOVE : BELOW, limit, inner},
             {OUTCOME_INCONCLUSIVE, "inconclusive", "the half-width of the interval", ABOVE, WIDEST, interval},
             {OUTCOME_SUPPORTED, "supported", "the distance from the bound", AT_MOST, BAND, fabs(value - bound)},
             {OUTCOME_NOT_TIGHT, "supported, not tight", side > 0.0 ? upper : lower, side > 0.0 ? AT_MOST : AT_LEAST,
              limit, outer}},
        .conditions = 4,
        .otherwise = "inconclusive"};
    (void)snprintf(judgement.of, sizeof judgement.of, "%s", judged->of);
    finding->measured = 1;
    finding->value = value;
    finding->interval = interval;
    finding->bound = bound;
    size_t decided = judge_by(finding, &judgement, OUTCOME_INCONCLUSIVE);
    if (decided == 1)
        judge_note(finding, "the interval is wider than %.2f", WIDEST);
    else if (decided == judgement.conditions)
        judge_note(finding, "the interval reaches from below the bound to above it");
}

void judge_exponent_upper(struct finding *finding, const struct judged *judged, const struct exponent *exponent,
                          double bound)
{
    judge_bound(finding, judged, exponent, bound, 1.0);
}

void judge_exponent_lower(struct finding *finding, const struct judged *judged, const struct exponent *exponent,
                          double bound)
{
    judge_bound(finding, judged, exponent, bound, -1.0);
}

void judge_upper(struct finding *finding, double value, double interval, double bound)
{
    judge_bound(finding, &(struct judged){finding->claim->statistic, NULL, finding->used},
                &(struct exponent){.value = value, .interval = interval}, bound, 1.0);
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
