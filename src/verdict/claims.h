/* The claims that experiments decide (theory §1, §8): one const object each, with its bound and its bands fixed
 * before any run. */
#ifndef VERDICT_CLAIMS_H
#define VERDICT_CLAIMS_H

#include <stddef.h>

#include "core/status.h"
#include "verdict/evidence.h"

enum outcome {
    /* By increasing severity: the overall verdict of a claim is the most severe of its targets'. */
    OUTCOME_NOT_TIGHT, /* supported, with slack: an upper bound that this target does not reach */
    OUTCOME_SUPPORTED,
    OUTCOME_INCONCLUSIVE,
    OUTCOME_REFUTED
};

struct account;

struct finding {
    const struct claim *claim;
    char target[64]; /* "all targets" for the overall verdict */
    enum outcome outcome;
    int measured;           /* value and interval are meaningful */
    double value, interval; /* of the claim's statistic: an exponent in T/log T, h or d */
    int has_raw;
    double raw_value, raw_interval; /* the same exponent in T */
    double bound;
    size_t used, censored, at_start; /* cells in the fit; beyond max_steps, or outside a window;
                                      * met at the smallest T already */
    char note[600];
    struct account *account; /* how it came about (account.h); NULL for the overall finding */
};

struct claim {
    const char *name;
    const char *statement;
    const char *source;
    const char *statistic;
    const char *predicted;
    const char *refuted_by;
    const char *sampler; /* NULL where it compares several */
    double bound;
    enum status (*decide)(const struct evidence *evidence, const struct claim *claim, size_t target,
                          struct finding *out, struct error *error);
    /* Whether an experiment that names no claims asks for this one; NULL: always. */
    int (*applies)(const struct spec *spec);
};

const struct claim *claim_at(size_t index); /* NULL past the end */
const char *const *claim_names(void);       /* NULL-terminated, in the order of claim_at */

/* "supported", "supported, not tight (slack 0.17)", ... */
void finding_verdict(const struct finding *finding, char *text, size_t size);

/* Findings of the claims that the spec names (those that apply to it, if it names none): for each, a finding a target
 * and the overall one last, whose verdict is that of the finding `claims_worst` of them. Free with findings_free,
 * also after an error. */
MUST_USE enum status claims_decide(const struct evidence *evidence, struct finding **out, size_t *count,
                                   struct error *error);
void findings_free(struct finding *findings, size_t count);

/* Of the findings of one claim, a target each: the index of the most severe; among equals, of the one nearest to or
 * farthest beyond the bound. */
size_t claims_worst(const struct finding *findings, size_t count);

#endif
