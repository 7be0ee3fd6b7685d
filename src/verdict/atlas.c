#include "verdict/atlas.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "verdict/exponents.h"
#include "verdict/judge.h"

const struct claim *atlas_claim(const struct manifest *manifest)
{
    const struct claim *claim;
    for (size_t i = 0; (claim = claim_at(i)) != NULL; i++)
        if (claim->bound[0].power == ORDER_SHORTFALL && claim_is_asked(claim, manifest))
            break;
    return claim;
}

/* Powers of two within the window's factor of the largest, of which no fit uses the TV. */
static size_t count_dropped(const struct evidence *evidence, size_t target, size_t sampler)
{
    const struct manifest *manifest = &evidence->manifest;
    const struct field *tv = record_field_at(offsetof(struct record, tv));
    size_t dropped = 0;
    for (size_t d = 0; d < manifest->dimension_count; d++) {
        const struct row_list rows = evidence_rows(evidence, target, sampler, 0, d);
        const double largest = window_largest(manifest, &rows);
        for (size_t i = 0; i < rows.count; i++)
            dropped += window_of(manifest, rows.row[i], largest, tv) == WINDOW_NOT_KNOWN;
    }
    return dropped;
}

static void judge_order(struct finding *finding, double order, const struct exponent *power, const char *of,
                        const char *sampler)
{
    char text[120];
    (void)snprintf(text, sizeof text, "claimed order %g less the power of %s, %s", order, of, sampler);
    judge_power(finding, text, &finding->claim->bound[0], finding->used,
                &(struct exponent){.value = order - power->value, .interval = power->interval});
}

enum status atlas_rate_measure(const struct evidence *evidence, const struct claim *claim, size_t target,
                               size_t sampler, struct account *account, struct atlas_rate *out, struct error *error)
{
    const char *name = evidence->manifest.samplers[sampler].name;
    double order = evidence->manifest.samplers[sampler].claimed_order;
    *out = (struct atlas_rate){.finding = {.claim = claim}};
    const size_t tv = offsetof(struct record, tv);
    TRY(divergence_exponents(evidence, target, sampler, tv, 0.0, account, &out->in_h, error));
    TRY(divergence_exponents(evidence, target, sampler, tv, 1.0, NULL, &out->in_h_log, error));
    out->dropped = count_dropped(evidence, target, sampler);
    if (!(order > 0.0))
        return STATUS_OK;
    struct finding *finding = &out->finding;
    finding->used = out->in_h.ok ? out->in_h.weighed_x : out->in_h.cells;
    if (!out->in_h.ok || !out->in_h_log.ok) {
        judge_inconclusive(finding, out->in_h.ok ? out->in_h_log.reason : out->in_h.reason);
        judge_note(finding, "add powers of two to `steps`, 3 at least within a factor %g, at which TV is at most %g",
                   WINDOW_FACTOR, WINDOW_ACCURACY);
        return STATUS_OK;
    }
    /* Which of both decides is found without an account, which holds only what did. */
    struct finding in_h = *finding, in_h_log = *finding;
    judge_order(&in_h, order, &out->in_h.x, "h", name);
    judge_order(&in_h_log, order, &out->in_h_log.x, "h log T", name);
    int by_log = in_h.outcome == OUTCOME_REFUTED && in_h_log.outcome != OUTCOME_REFUTED;
    finding->account = account;
    judge_order(finding, order, by_log ? &out->in_h_log.x : &out->in_h.x, by_log ? "h log T" : "h", name);
    if (by_log)
        judge_note(finding, "up to a logarithm: h^%.3f, (h log T)^%.3f", out->in_h.x.value, out->in_h_log.x.value);
    return STATUS_OK;
}

enum status decide_orders(const struct evidence *evidence, const struct claim *claim, size_t target,
                          struct finding *out, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    size_t claiming = 0, used = 0, dropped = 0, worst = manifest->sampler_count;
    struct finding chosen = {.outcome = OUTCOME_NOT_TIGHT};
    for (size_t s = 0; s < manifest->sampler_count; s++) {
        struct atlas_rate rate;
        if (!(manifest->samplers[s].claimed_order > 0.0))
            continue;
        enum status status = atlas_rate_measure(evidence, claim, target, s, out->account, &rate, error);
        if (status != STATUS_OK)
            return status;
        claiming++;
        used += rate.finding.used;
        dropped += rate.dropped;
        if (worst == manifest->sampler_count || rate.finding.outcome > chosen.outcome
            || (rate.finding.outcome == chosen.outcome && rate.finding.value > chosen.value)) {
            chosen = rate.finding;
            worst = s;
        }
    }
    if (claiming == 0) {
        judge_inconclusive(out, "no sampler of the experiment claims an order");
        return STATUS_OK;
    }
    chosen.account = out->account;
    memcpy(chosen.target, out->target, sizeof chosen.target);
    chosen.bound = claim->bound[0].value;
    chosen.used = used;
    judge_note(&chosen, "that of %s (order %g), of %zu samplers that claim one; %zu cells dropped",
               manifest->samplers[worst].name, manifest->samplers[worst].claimed_order, claiming, dropped);
    *out = chosen;
    return STATUS_OK;
}

struct atlas_cost atlas_cost_of(const struct evidence *evidence, size_t target, double order, size_t dimension,
                                size_t accuracy)
{
    const struct manifest *manifest = &evidence->manifest;
    struct atlas_cost cost = {HUGE_VAL, HUGE_VAL, manifest->sampler_count};
    for (size_t s = 0; s < manifest->sampler_count; s++) {
        if (manifest->samplers[s].claimed_order != order)
            continue;
        const struct bracket *bracket = evidence_complexity(evidence, target, s, dimension, accuracy);
        double evaluations = (double)manifest->samplers[s].score_evaluations, low = 0.0, high = HUGE_VAL;
        if (bracket->reach == REACH_FOUND || bracket->reach == REACH_BEYOND)
            low = evaluations * (double)bracket->certain;
        if (bracket->reach == REACH_FOUND || bracket->reach == REACH_AT_START)
            high = evaluations * ((double)bracket->passes - 1.0);
        cost.low = fmin(cost.low, low);
        if (high < cost.high) {
            cost.high = high;
            cost.sampler = s;
        }
    }
    return cost;
}

double atlas_frontier(const struct evidence *evidence, size_t target, double higher, double lower, size_t dimension)
{
    const struct manifest *manifest = &evidence->manifest;
    double found = 0.0;
    for (size_t e = manifest->accuracy_count; e-- > 0;) { /* accuracies decrease */
        struct atlas_cost fast = atlas_cost_of(evidence, target, higher, dimension, e);
        struct atlas_cost slow = atlas_cost_of(evidence, target, lower, dimension, e);
        if (fast.low > slow.high)
            break;
        if (fast.high < slow.low)
            found = manifest->accuracies[e];
    }
    return found;
}
