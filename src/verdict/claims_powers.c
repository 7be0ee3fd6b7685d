/* Claims that bound exponents: each of its bounds is judged, the worst decides and is shown, and the note has all. */
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "verdict/columns.h"
#include "verdict/exponents.h"
#include "verdict/judge.h"

/* What tells a bound from the claim's others: "ddpm in d". */
static void bound_label(const struct claim *claim, const struct claim_bound *of, char *text, size_t size)
{
    bool samplers = false, axes = false;
    for (const struct claim_bound *bound = claim->bound; bound->power != NO_POWER; bound++) {
        samplers |= strcmp(bound->sampler, of->sampler) != 0;
        axes |= strcmp(bound_axis(bound), bound_axis(of)) != 0 || bound->power != of->power;
    }
    (void)snprintf(text, size, "%s%s%s%s", samplers || !axes ? of->sampler : "", samplers && axes ? " " : "",
                   axes ? "in " : "", axes ? bound_axis(of) : "");
}

/* Adds what was found of one bound of several. */
static void add_part(const struct claim_bound *bound, const struct finding *part, struct finding *out)
{
    char label[140], verdict[100], number[EXPONENT_TEXT];
    bound_label(out->claim, bound, label, sizeof label);
    finding_verdict(part, verdict, sizeof verdict);
    exponent_text(finding_value(part), part->has_limit ? part->limit_interval : part->interval, number);
    if (finding_is_known(part))
        judge_note(out, "%s: %s%s (%s %g), %s", label, number, part->has_limit ? " in the limit" : "",
                   bound->relation == AT_MOST ? "at most" : "at least", bound->value, verdict);
    else
        judge_note(out, "%s: %s", label, verdict);
    if (part->note[0] != '\0')
        judge_note(out, "%s", part->note);
}

/* Whether an exponent in a parameter was judged before, of an entry that differs in the parameter alone. */
static bool is_repeated(const struct evidence *evidence, const struct claim *claim, const struct claim_bound *bound,
                        size_t target)
{
    const struct manifest *manifest = &evidence->manifest;
    if (bound->axis == NULL)
        return false;
    const struct relatives *relatives = manifest->target_relatives;
    for (size_t i = relatives[target].first; i < target && axis_is_of_targets(bound->axis); i = relatives[i].next)
        if (claim_is_about(claim, manifest->targets[i].name))
            return true;
    const size_t sampler = evidence_sampler(evidence, bound->sampler);
    for (const struct claim_bound *b = claim->bound; b < bound && axis_is_of_samplers(bound->axis); b++) {
        const size_t other = evidence_sampler(evidence, b->sampler);
        if (strcmp(b->axis, bound->axis) == 0 && sampler < manifest->sampler_count && other < manifest->sampler_count
            && manifest->sampler_relatives[other].first == manifest->sampler_relatives[sampler].first)
            return true;
    }
    return false;
}

static bool is_left_out(const struct evidence *evidence, const struct claim *claim, const struct claim_bound *bound,
                        size_t target)
{
    return (bound->needs_several && evidence->manifest.dimension_count < 2)
           || is_repeated(evidence, claim, bound, target);
}

/* Bounds on one sampler are judged from the same cells, which count once. */
static bool is_first_of_sampler(const struct evidence *evidence, const struct claim *claim,
                                const struct claim_bound *bound, size_t target)
{
    const struct claim_bound *first = claim->bound;
    while (strcmp(first->sampler, bound->sampler) != 0 || is_left_out(evidence, claim, first, target))
        first++;
    return first == bound;
}

enum status decide_powers(const struct evidence *evidence, const struct claim *claim, size_t target,
                          struct finding *out, struct error *error)
{
    const bool several = claim->bound[1].power != NO_POWER;
    struct finding worst = *out, all = {.claim = claim};
    const char *bounded = NULL;
    size_t judged = 0, bounds = 0;
    while (claim->bound[bounds].power != NO_POWER)
        bounds++;
    out->part = array_new(bounds, sizeof *out->part);
    if (out->part == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for what is found of each bound");
    for (const struct claim_bound *bound = claim->bound; bound->power != NO_POWER; bound++) {
        struct account account = {.windows = 0};
        const struct claim_bound here = bound_on_target(evidence, claim, bound, target);
        struct finding part = {
            .claim = claim, .account = &account, .bound = here.value, .relation = bound->relation, .of = bound};
        if (is_left_out(evidence, claim, bound, target))
            continue;
        memcpy(part.target, out->target, sizeof part.target);
        enum status status = power_kinds[bound->power].judge(evidence, &here, target, &part, error);
        account_append(out->account, &account);
        if (status != STATUS_OK)
            return status;
        part.lower_bound = here.below != NULL ? here.column : NULL;
        bounded = here.below;
        add_part(&here, &part, &all);
        if (is_first_of_sampler(evidence, claim, bound, target)) {
            all.used += part.used;
            all.censored += part.censored;
            all.at_start += part.at_start;
        }
        part.account = NULL;
        out->part[judged] = part;
        if (judged++ == 0 || part.outcome > worst.outcome)
            worst = part;
    }
    if (judged == 0) {
        judge_note(out, "judged with the entries before, which differ in the parameter alone");
        return STATUS_OK;
    }
    worst.part = out->part;
    worst.parts = judged;
    worst.account = out->account;
    *out = worst;
    out->used = all.used;
    out->censored = all.censored;
    out->at_start = all.at_start;
    if (several)
        memcpy(out->note, all.note, sizeof out->note);
    if (bounded != NULL)
        judge_note(out,
                   "from %s, an annealed lower bound of %s: it can refute a bound from above or show "
                   "that it is tight, and support one from below",
                   out->lower_bound, bounded);
    return STATUS_OK;
}

static enum status judge_column_limit(const struct evidence *evidence, const struct claim_bound *bound, size_t target,
                                      size_t sampler, struct finding *out, struct error *error)
{
    struct limit limit;
    size_t dimension;
    char of[200], name[BOUND_NAME], where[60] = "";
    TRY(column_exponent_limit(evidence, bound, target, sampler, &limit, &dimension, error));
    bound_name(bound, name);
    if (dimension > 0)
        (void)snprintf(where, sizeof where, ", at %zu T in d = %zu", limit.points, dimension);
    if (limit.in_dimension)
        (void)snprintf(where, sizeof where, ", as h -> 0 and d -> infinity");
    (void)snprintf(of, sizeof of, "limit of the %s, %s%s", name, bound->sampler, where);
    judge_limit(out, 0, of, bound, &limit);
    return STATUS_OK;
}

enum status judge_column(const struct evidence *evidence, const struct claim_bound *bound, size_t target,
                         struct finding *out, struct error *error)
{
    size_t sampler;
    struct column_exponent found;
    char of[BOUND_NAME + 80], name[BOUND_NAME];
    if (!judge_needs(evidence, bound->sampler, &sampler, out))
        return STATUS_OK;
    TRY(column_exponent_fit(evidence, bound, target, sampler, out->account, &found, error));
    out->used = found.used;
    bound_name(bound, name);
    (void)snprintf(of, sizeof of, "%s, %s", name, bound->sampler);
    if (found.ok)
        judge_power(out, of, bound, found.used, &found.exponent);
    else {
        judge_inconclusive(out, found.reason);
        judge_note(out, "add %s",
                   columns_are_of_errors(bound)            ? "score errors or steps"
                   : strcmp(bound->axis, "dimension") == 0 ? "dimensions"
                                                           : "steps that are powers of two");
    }
    TRY(judge_column_limit(evidence, bound, target, sampler, out, error));
    const bool w2 = strcmp(bound->column, "w2") == 0;
    if ((w2 || strncmp(bound->column, "kl_", 3) == 0) && strcmp(bound->axis, "dimension") == 0
        && out->outcome <= OUTCOME_SUPPORTED && evidence->manifest.targets[target].power)
        judge_note(out,
                   "%s of d equal independent coordinates is %s times that of one: its exponent in d, %s, is an "
                   "identity and no evidence",
                   w2 ? "W2" : "KL", w2 ? "√d" : "d", w2 ? "1/2" : "1");
    return STATUS_OK;
}
