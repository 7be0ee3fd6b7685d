#include "verdict/claims.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "verdict/error_growth.h"
#include "verdict/judge.h"

#define CLAIM(id, ...) {.name = id, __VA_ARGS__},
static const struct claim claims[] = {
#include "verdict/claims.def"
};
#undef CLAIM
enum { CLAIMS = sizeof claims / sizeof claims[0] };

const struct claim *claim_at(size_t index)
{
    return index < CLAIMS ? &claims[index] : NULL;
}

const char *const *claim_names(void)
{
#define CLAIM(id, ...) id,
    static const char *const names[] = {
#include "verdict/claims.def"
        NULL};
#undef CLAIM
    return names;
}

const char *claim_statistic(const struct claim *claim)
{
    return claim->statistic != NULL ? claim->statistic : power_kinds[claim->bound[0].power].name;
}

enum { LARGEST_DENOMINATOR = 9 };
int bound_words(enum relation relation, double value, char text[BOUND_WORDS])
{
    static const char *const signs[] = {[ABOVE] = ">", [BELOW] = "<", [AT_MOST] = "<=", [AT_LEAST] = ">="};
    int denominator = 1;
    while (denominator <= LARGEST_DENOMINATOR && value * denominator != floor(value * denominator))
        denominator++;
    return denominator == 1 || denominator > LARGEST_DENOMINATOR
               ? snprintf(text, BOUND_WORDS, "%s %g", signs[relation], value)
               : snprintf(text, BOUND_WORDS, "%s %.0f/%d", signs[relation], value * denominator, denominator);
}

/* By what a finding has of it; of no target, from the least to the most that the bound may be. */
static void put_bound(const struct finding *finding, const struct claim_bound *bound, char text[BOUND_WORDS])
{
    const struct finding *part = NULL;
    for (size_t i = 0; finding != NULL && i < finding->parts && part == NULL; i++)
        part = finding->part[i].of == bound ? &finding->part[i] : NULL;
    const size_t used = (size_t)bound_words(bound->relation, part != NULL ? part->bound : bound->value, text);
    if (part == NULL && bound->per_lipschitz > 0.0)
        (void)snprintf(text + used, BOUND_WORDS - used, " to %g", bound->most);
}

/* What tells a further bound from the first: its sampler, or else what it is a power of. */
static const char *label_of(const struct claim_bound *bound, const struct claim_bound *first)
{
    const bool other =
        bound->sampler != NULL && (first->sampler == NULL || strcmp(bound->sampler, first->sampler) != 0);
    return other ? bound->sampler : bound_axis(bound);
}

bool bounds_say_the_same(const struct claim_bound *bound, const struct claim_bound *other)
{
    return bound->power == other->power && bound->relation == other->relation && !(bound->value < other->value)
           && !(bound->value > other->value) && strcmp(bound_axis(bound), bound_axis(other)) == 0;
}

/* Of names that bounds may leave out. */
static bool same_name(const char *name, const char *other)
{
    return name == NULL || other == NULL ? name == other : strcmp(name, other) == 0;
}

bool claims_say_the_same(const struct claim *claim, const struct claim *other)
{
    bool same = strcmp(claim->name, other->name) == 0 && strcmp(claim->statement, other->statement) == 0
                && strcmp(claim->source, other->source) == 0;
    const struct claim_bound *a = claim->bound, *b = other->bound;
    for (; same && a->power != NO_POWER && b->power != NO_POWER; a++, b++)
        same = bounds_say_the_same(a, b) && same_name(a->sampler, b->sampler) && same_name(a->slower, b->slower)
               && same_name(a->column, b->column);
    return same && a->power == b->power;
}

/* The next bound from `bound` on that none before it says of another sampler. */
static const struct claim_bound *next_said(const struct claim *claim, const struct claim_bound *bound)
{
    for (; bound->power != NO_POWER; bound++) {
        const struct claim_bound *before = claim->bound;
        while (before < bound && !bounds_say_the_same(before, bound))
            before++;
        if (before == bound)
            break;
    }
    return bound;
}

void claim_prediction(const struct claim *claim, const struct finding *finding, char text[CLAIM_PREDICTION])
{
    char part[BOUND_WORDS], next[BOUND_WORDS] = "";
    size_t used = 0;
    put_bound(finding, &claim->bound[0], text);
    used = strlen(text);
    const struct claim_bound *first = next_said(claim, &claim->bound[1]), *after;
    for (const struct claim_bound *bound = first; bound->power != NO_POWER && used < CLAIM_PREDICTION;
         bound = after) {
        after = next_said(claim, bound + 1);
        put_bound(finding, bound, part);
        if (after->power != NO_POWER)
            put_bound(finding, after, next);
        const bool joined = after->power != NO_POWER && strcmp(part, next) == 0; /* "T, d: <= 0" */
        used += (size_t)snprintf(text + used, CLAIM_PREDICTION - used, "%s%s%s%s%s", bound == first ? " (" : "",
                                 label_of(bound, &claim->bound[0]), joined ? ", " : ": ", joined ? "" : part,
                                 after->power == NO_POWER ? ")"
                                 : joined                 ? ""
                                                          : "; ");
    }
}

const struct claim_bound *claim_bound_on(const struct claim *claim, enum power power)
{
    const struct claim_bound *bound = claim->bound;
    while (bound->power != NO_POWER && bound->power != power)
        bound++;
    return bound->power != NO_POWER ? bound : NULL;
}

const struct claim_bound *claims_bound(enum power power, const char *sampler)
{
    for (size_t i = 0; i < CLAIMS; i++)
        for (const struct claim_bound *bound = claims[i].bound; bound->power != NO_POWER; bound++)
            if (bound->power == power && bound->sampler != NULL && strcmp(bound->sampler, sampler) == 0)
                return bound;
    return NULL;
}

/* What the experiment has of what claims need. */
static unsigned offers(const struct manifest *manifest)
{
    unsigned has = 0;
    if (manifest->accuracy_count > 0 && manifest->accuracy_in == accuracy_quantities)
        has |= NEEDS_ACCURACIES;
    if (manifest->score_error_count > 1)
        has |= NEEDS_SCORE_ERRORS;
    if (error_family_next(manifest, SAME_BUT_ROUGHNESS, 0) < manifest->score_error_count)
        has |= NEEDS_ROUGHNESS;
    if (manifest->chain_count > 0)
        has |= NEEDS_CHAINS;
    for (size_t i = 0; i < manifest->sampler_count; i++)
        has |= manifest->samplers[i].deterministic ? NEEDS_DETERMINISTIC : NEEDS_STOCHASTIC;
    return has;
}

/* All that is built in is about exact laws; what bounds their divergences from below is judged where it is asked for
 * by name, or such a law stands beside it. */
static bool has_laws(const struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->target_count; i++)
        if (manifest->targets[i].has_law)
            return true;
    return false;
}

static bool can_be_judged(const struct claim *claim, const struct manifest_target *target)
{
    return target->has_law || (target->codewords > 0.0 && claim_has_lower_bounds(claim));
}

bool claim_is_asked(const struct claim *claim, const struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->claim_count; i++)
        if (strcmp(manifest->claims[i], claim->name) == 0)
            return true;
    return manifest->claim_count == 0 && !manifest->without_claims && has_laws(manifest)
           && (claim->needs & ~offers(manifest)) == 0;
}

bool finding_is_known(const struct finding *finding)
{
    return finding->measured || finding->has_limit;
}

double finding_value(const struct finding *finding)
{
    return finding->has_limit ? finding->limit_value : finding->value;
}

const char *const outcome_words[] = {
    [OUTCOME_NOT_CLAIMED] = "not claimed",        [OUTCOME_NOT_JUDGED] = "not judged: no exact law",
    [OUTCOME_NOT_TIGHT] = "supported, not tight", [OUTCOME_SUPPORTED] = "supported",
    [OUTCOME_INCONCLUSIVE] = "inconclusive",      [OUTCOME_REFUTED] = "refuted"};

void finding_verdict(const struct finding *finding, char *text, size_t size)
{
    const char *words = outcome_words[finding->outcome];
    if (finding->outcome == OUTCOME_NOT_TIGHT)
        (void)snprintf(text, size, "%s (slack %.2f)", words, fabs(finding->bound - finding_value(finding)));
    else
        (void)snprintf(text, size, "%s", words);
}

/* How far a finding lies beyond its bound. */
static double beyond(const struct finding *finding)
{
    return (finding->relation == AT_MOST ? 1.0 : -1.0) * (finding_value(finding) - finding->bound);
}

bool finding_is_worse(const struct finding *finding, const struct finding *than)
{
    return finding->outcome > than->outcome
           || (finding->outcome == than->outcome && finding_is_known(finding)
               && (!finding_is_known(than) || beyond(finding) > beyond(than)));
}

size_t claims_worst(const struct finding *findings, size_t count)
{
    size_t worst = 0;
    for (size_t i = 1; i < count; i++)
        if (finding_is_worse(&findings[i], &findings[worst]))
            worst = i;
    return worst;
}

static struct finding overall(const struct finding *findings, size_t count)
{
    struct finding worst = findings[claims_worst(findings, count)];
    worst.account = NULL;
    char from[64];
    memcpy(from, worst.target, sizeof from);
    (void)snprintf(worst.target, sizeof worst.target, "all targets");
    worst.note[0] = '\0';
    if (count > 1)
        judge_note(&worst, "that of %s", from);
    worst.used = worst.censored = worst.at_start = 0;
    for (size_t i = 0; i < count; i++) {
        worst.used += findings[i].used;
        worst.censored += findings[i].censored;
        worst.at_start += findings[i].at_start;
    }
    return worst;
}

static enum status decide(const struct evidence *evidence, const struct claim *claim, size_t target,
                          struct finding *out, struct error *error)
{
    *out = (struct finding){.claim = claim,
                            .bound = claim->bound[0].value,
                            .relation = claim->bound[0].relation,
                            .account = array_new(1, sizeof *out->account)};
    (void)snprintf(out->target, sizeof out->target, "%s", evidence->manifest.targets[target].name);
    if (out->account == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a finding");
    if (!claim_is_about(claim, out->target)) {
        judge_note(out, "the claim is not about this target");
        return STATUS_OK;
    }
    if (!claim->stated && !can_be_judged(claim, &evidence->manifest.targets[target])) {
        out->outcome = OUTCOME_NOT_JUDGED;
        judge_note(out, "no exact law of this target is known");
        return STATUS_OK;
    }
    const enum power power = claim->bound[0].power; /* of two samplers' T(d, eps) */
    if ((power == STEPS_RATIO || power == RATIO_IN_ACCURACY) && !claim->stated
        && evidence->manifest.accuracy_in != accuracy_quantities) {
        judge_inconclusive(out, "the claim is about TV, the experiment's accuracies are of another divergence");
        return STATUS_OK;
    }
    TRY(power_kinds[claim->bound[0].power].decide(evidence, claim, target, out, error));
    if (out->account->failed)
        return fail_with(error, STATUS_MEMORY, "out of memory for what a finding is made of");
    return STATUS_OK;
}

/* Appends a finding for each target and the overall one, which owns `own`. */
static enum status decide_all(const struct evidence *evidence, const struct claim *claim, struct claim *own,
                              struct finding *out, size_t *count, struct error *error)
{
    size_t targets = evidence->manifest.target_count;
    struct finding *first = out + *count;
    enum status status = STATUS_OK;
    for (size_t target = 0; target < targets && status == STATUS_OK; target++)
        status = decide(evidence, claim, target, out + (*count)++, error);
    if (status == STATUS_OK)
        out[*count] = overall(first, targets);
    out[(*count)++].own = own;
    return status;
}

enum status claims_decide(const struct evidence *evidence, struct finding **out, size_t *count, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    *count = 0;
    *out = array_new(CLAIMS + manifest->own_claim_count, (manifest->target_count + 1) * sizeof **out);
    if (*out == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for findings");
    for (const struct claim *claim = claims; claim < claims + CLAIMS; claim++)
        if (claim_is_asked(claim, manifest))
            TRY(decide_all(evidence, claim, NULL, *out, count, error));
    for (size_t i = 0; i < manifest->own_claim_count; i++) {
        struct claim *own = claim_of_spec(&manifest->own_claims[i]);
        if (own == NULL)
            return fail_with(error, STATUS_MEMORY, "out of memory for the claim %s", manifest->own_claims[i].name);
        TRY(decide_all(evidence, own, own, *out, count, error));
    }
    return STATUS_OK;
}

void findings_free(struct finding *findings, size_t count)
{
    for (size_t i = 0; findings != NULL && i < count; i++) {
        if (findings[i].account != NULL) { /* parts of an overall finding are of the one that decides */
            account_free(findings[i].account);
            free(findings[i].part);
        }
        free(findings[i].account);
        free(findings[i].own);
    }
    free(findings);
}
