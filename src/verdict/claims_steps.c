/* The bounds on numbers of steps, T(d, eps). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "verdict/exponents.h"
#include "verdict/judge.h"

/* A floor under TV, or what else T(d, eps) is of, means that it does not exist below the floor: no power of 1/eps
 * bounds it. */
static void judge_floor(const struct evidence *evidence, size_t target, size_t sampler,
                        const struct quantity *quantity, struct finding *out)
{
    const char *label = quantity->label;
    const struct fall fall = last_fall(evidence, target, sampler, quantity);
    if (!isfinite(fall.power))
        return;
    struct judgement judgement = {.condition = {{OUTCOME_REFUTED, "refuted", "the power of h with which it falls",
                                                 BELOW, FLOOR_SLOPE, fall.power}},
                                  .conditions = 1,
                                  .otherwise = "no floor in sight, which decides nothing"};
    (void)snprintf(judgement.of, sizeof judgement.of, "how %s of %s falls at the largest T measured", label,
                   evidence->manifest.samplers[sampler].name);
    if (judge_by(out, &judgement, out->outcome) == 0)
        judge_note(out,
                   "%s floor: %s = %.3g at T = %zu (d = %zu) has stopped falling; T(d, eps) does not exist below it",
                   label, label, fall.value, fall.steps, fall.dimension);
}

/* Where TV is below its radius, T(d, eps) is known from above only, and so is its growth: enough to support a bound,
 * not to refute it. */
static enum status judge_from_above(const struct evidence *evidence, size_t target, size_t sampler,
                                    const struct claim_bound *bound, struct finding *out, struct error *error)
{
    struct fit fit;
    struct account account = {.windows = 0};
    enum status status;
    TRY_OR(end, complexity_exponents(evidence, target, sampler, COST_FROM_ABOVE, false, &account, &fit, error));
    struct judgement judgement = {
        .of = "exponent of upper limits on T/log T in 1/eps",
        .exponent = fit.x,
        .bound = bound->value,
        .regression = bound_regression(bound),
        .cells = fit.cells,
        .condition = {{OUTCOME_INCONCLUSIVE, "inconclusive", "the half-width of the interval", ABOVE, WIDEST,
                       fit.x.interval},
                      {OUTCOME_NOT_TIGHT, "supported, not tight", "the upper end of the interval", AT_MOST,
                       bound->value + BAND, fit.x.value + fit.x.interval}},
        .conditions = 2,
        .otherwise = "inconclusive"};
    judgement_decide(&judgement, OUTCOME_INCONCLUSIVE);
    if (fit.ok && judgement.outcome == OUTCOME_NOT_TIGHT) {
        account_judgement(&account, &judgement);
        account_free(out->account); /* of the window that holds too little */
        account_append(out->account, &account);
        out->outcome = judgement.outcome;
        out->measured = 1;
        out->value = fit.x.value;
        out->interval = fit.x.interval;
        out->used = fit.weighed_x;
        judge_note(out, "from upper limits on T: %s is below its radius", evidence->manifest.accuracy_in->label);
    }
end:
    account_free(&account);
    return status;
}

/* The same as h -> 0, where there is a limit; what the note says from `note` on is of finite T. */
static enum status judge_steps_limit(const struct evidence *evidence, const struct claim_bound *bound, size_t target,
                                     size_t sampler, const struct quantity *quantity, size_t note,
                                     struct finding *out, struct error *error)
{
    struct limit limit;
    size_t dimension = 0;
    char of[200];
    if (bound->power == STEPS_IN_DIMENSION) {
        TRY(dimension_limit(evidence, target, sampler, quantity, &limit, error));
        (void)snprintf(of, sizeof of, "limit of the %s, %s, from %s in %zu dimensions%s",
                       power_kinds[bound->power].name, bound->sampler, quantity->label, limit.points,
                       limit.in_dimension ? ", as h -> 0 and d -> infinity" : "");
    } else {
        TRY(accuracy_limit(evidence, target, sampler, quantity, bound->relation == AT_LEAST, &limit, &dimension,
                           error));
        (void)snprintf(of, sizeof of, "limit of the %s, %s, from %s at %zu T in d = %zu",
                       power_kinds[bound->power].name, bound->sampler, quantity->label, limit.points, dimension);
    }
    judge_limit(out, note, of, bound, &limit);
    return STATUS_OK;
}

static void count_unused(const struct evidence *evidence, size_t target, size_t sampler, struct finding *out)
{
    const struct unused unused = complexity_unused(evidence, target, sampler);
    out->censored = unused.beyond;
    out->at_start = unused.at_start;
    if (unused.open > 0)
        judge_note(out, "%zu cell%s unresolved", unused.open, unused.open == 1 ? "" : "s");
}

/* The growth of T(d, eps) in 1/eps or in d, where it was searched for. */
static enum status judge_searched(const struct evidence *evidence, const struct claim_bound *bound, size_t target,
                                  size_t sampler, struct finding *out, struct error *error)
{
    const bool in_dimension = bound->power == STEPS_IN_DIMENSION;
    struct fit fit, raw;
    TRY(complexity_exponents(evidence, target, sampler, COST_LOG_FREE, in_dimension, out->account, &fit, error));
    TRY(complexity_exponents(evidence, target, sampler, COST_STEPS, false, NULL, &raw, error));
    out->used = !fit.ok ? fit.cells : in_dimension ? fit.weighed_d : fit.weighed_x;
    if (fit.ok && (fit.has_d || !in_dimension)) {
        struct exponent in_T = in_dimension ? raw.d : raw.x;
        char of[120];
        (void)snprintf(of, sizeof of, "%s, %s", power_kinds[bound->power].name, bound->sampler);
        judge_power(out, of, bound, out->used, in_dimension ? &fit.d : &fit.x);
        out->has_raw = raw.ok;
        out->raw_value = in_T.value;
        out->raw_interval = in_T.interval;
    } else {
        if (!in_dimension && bound->relation == AT_MOST)
            TRY(judge_from_above(evidence, target, sampler, bound, out, error));
        if (out->measured == 0) {
            judge_inconclusive(out, fit.ok ? "only one dimension in the window" : fit.reason);
            judge_note(out, fit.ok ? "add dimensions"
                            : out->censored > 0
                                ? "add accuracies <= 0.1 that max_steps reaches, or a larger max_steps"
                                : "add accuracies <= 0.1, smaller ones");
        }
    }
    return STATUS_OK;
}

/* Where it was not, from the quantity Q at the steps that were measured: with Q ~ d^a h^p, T/log T ~ 1/h is of order
 * (d^a/eps)^(1/p). */
static enum status judge_unsearched(const struct evidence *evidence, const struct claim_bound *bound, size_t target,
                                    size_t sampler, const struct quantity *quantity, struct finding *out,
                                    struct error *error)
{
    const bool in_dimension = bound->power == STEPS_IN_DIMENSION;
    char of[200];
    struct fit fit;
    TRY(divergence_exponents(evidence, target, sampler, quantity->offset, 0.0, out->account, &fit, error));
    out->used = !fit.ok ? fit.cells : in_dimension ? fit.weighed_d : fit.weighed_x;
    const double least = fit.x.value - fit.x.interval; /* of p */
    if (!fit.ok || (in_dimension && !fit.has_d) || !(least > FLOOR_SLOPE)) {
        judge_inconclusive(out, !fit.ok               ? fit.reason
                                : least > FLOOR_SLOPE ? "only one dimension in the window"
                                                      : "it is not seen to fall with h");
        judge_note(out, "add steps or dimensions");
        return STATUS_OK;
    }
    const double power = (in_dimension ? fit.d.value : 1.0) / fit.x.value;
    const struct exponent exponent = {
        .value = power, .interval = (fabs(power) * fit.x.interval + (in_dimension ? fit.d.interval : 0.0)) / least};
    (void)snprintf(of, sizeof of, "%s, %s, from those of %s in h%s", power_kinds[bound->power].name, bound->sampler,
                   quantity->label, in_dimension ? " and d" : "");
    judge_derived(out, of, bound, out->used, &exponent);
    return STATUS_OK;
}

enum status judge_steps(const struct evidence *evidence, const struct claim_bound *bound, size_t target,
                        struct finding *out, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    const struct quantity *quantity = accuracy_quantities;
    size_t sampler;
    out->bound = bound->value;
    if (!judge_needs(evidence, bound->sampler, &sampler, out))
        return STATUS_OK;
    while (strcmp(quantity->name, bound->column) != 0)
        quantity++;
    const bool searched = manifest->accuracy_count > 0 && manifest->accuracy_in == quantity;
    if (searched)
        count_unused(evidence, target, sampler, out);
    const size_t note = strlen(out->note);
    TRY(searched ? judge_searched(evidence, bound, target, sampler, out, error)
                 : judge_unsearched(evidence, bound, target, sampler, quantity, out, error));
    TRY(judge_steps_limit(evidence, bound, target, sampler, quantity, note, out, error));
    if (bound->power == STEPS_IN_ACCURACY && bound->relation == AT_MOST)
        judge_floor(evidence, target, sampler, quantity, out);
    return STATUS_OK;
}

/* A lower or upper limit on T(d, eps), as far as it is known: [low, high], high 0 for "above max_steps". */
static void limits(const struct bracket *bracket, double *low, double *high)
{
    *low = bracket->reach == REACH_FOUND ? (double)bracket->passes : (double)bracket->fails + 1.0;
    *high = bracket->reach == REACH_BEYOND ? HUGE_VAL : (double)bracket->passes;
    if (bracket->certain == 0 || bracket->certain < bracket->fails)
        *low = 0.0;
}

/* The largest accuracy at which `cost` times the accelerated sampler's steps are seen to be at most the other's, with
 * no smaller one at which they are seen to be more; 0 if there is none. */
static double frontier(const struct evidence *evidence, size_t target, size_t fast, size_t slow, size_t dimension,
                       double cost)
{
    const struct manifest *manifest = &evidence->manifest;
    double found = 0.0;
    for (size_t e = manifest->accuracy_count; e-- > 0;) {
        double fast_low, fast_high, slow_low, slow_high;
        limits(evidence_complexity(evidence, target, fast, dimension, e), &fast_low, &fast_high);
        limits(evidence_complexity(evidence, target, slow, dimension, e), &slow_low, &slow_high);
        if (cost * (fast_low - 1.0) > slow_high - 1.0)
            break;
        if (cost * (fast_high - 1.0) <= slow_low - 1.0)
            found = manifest->accuracies[e];
    }
    return found;
}

/* Score evaluations of a step of one sampler over those of the other. */
static double evaluations_ratio(const struct manifest *manifest, size_t fast, size_t slow)
{
    return (double)manifest->samplers[fast].score_evaluations / (double)manifest->samplers[slow].score_evaluations;
}

static void note_frontier(const struct evidence *evidence, size_t target, size_t fast, size_t slow, double cost,
                          const char *unit, struct finding *out)
{
    const struct manifest *manifest = &evidence->manifest;
    size_t at[] = {0, manifest->dimension_count - 1};
    for (size_t i = 0; i < (manifest->dimension_count > 1 ? 2 : 1); i++) {
        double from = frontier(evidence, target, fast, slow, at[i], cost);
        if (from > 0.0)
            judge_note(out, "in %s it wins from eps = %g on at d = %zu", unit, from, manifest->dimensions[at[i]]);
        else
            judge_note(out, "in %s it is not seen to win at d = %zu", unit, manifest->dimensions[at[i]]);
    }
}

static double cost_of(const struct evidence *evidence, size_t sampler, const struct bracket *bracket)
{
    return log_free_cost(evidence->manifest.samplers[sampler].schedule, bracket->passes);
}

/* A cell of the two samplers that are compared. */
static void account_pair(struct account *account, const struct manifest *manifest, const char *const samplers[2],
                         size_t dimension, size_t accuracy, const struct bracket *fast, const struct bracket *slow,
                         int use, const char *reason)
{
    struct account_cell cell = {.use = use, .reason = reason};
    char a[40], b[40];
    bracket_label(fast, a, sizeof a);
    bracket_label(slow, b, sizeof b);
    (void)snprintf(cell.where, sizeof cell.where, "d = %zu, ε = %g", manifest->dimensions[dimension],
                   manifest->accuracies[accuracy]);
    (void)snprintf(cell.measured, sizeof cell.measured, "%s %s, %s %s", samplers[0], a, samplers[1], b);
    account_cell(account, &cell);
}

enum status decide_crossover(const struct evidence *evidence, const struct claim *claim, size_t target,
                             struct finding *out, struct error *error)
{
    (void)error;
    const struct manifest *manifest = &evidence->manifest;
    size_t fast, slow, compared = 0, unknown = 0, violated = 0;
    if (!judge_needs(evidence, claim->samplers[0], &fast, out)
        || !judge_needs(evidence, claim->samplers[1], &slow, out))
        return STATUS_OK;
    double worst = -HUGE_VAL;
    account_window(out->account, "ε ≤ 1/√d, and both T known well enough to say which is larger",
                   "T(d, ε) of %s against %s", claim->samplers[0], claim->samplers[1]);
    for (size_t d = 0; d < manifest->dimension_count; d++)
        for (size_t e = 0; e < manifest->accuracy_count; e++) {
            double dimension = (double)manifest->dimensions[d], fast_low, fast_high, slow_low, slow_high;
            const struct bracket *a = evidence_complexity(evidence, target, fast, d, e);
            const struct bracket *b = evidence_complexity(evidence, target, slow, d, e);
            if (manifest->accuracies[e] > 1.0 / sqrt(dimension) * (1.0 + 1e-12)) {
                account_pair(out->account, manifest, claim->samplers, d, e, a, b, 0, "ε above 1/√d");
                continue;
            }
            limits(a, &fast_low, &fast_high);
            limits(b, &slow_low, &slow_high);
            int known = fast_low > slow_high || fast_high <= slow_low;
            account_pair(out->account, manifest, claim->samplers, d, e, a, b, known ? CELL_USED : CELL_CENSORED,
                         known ? NULL : "which T is larger is not known");
            if (fast_low > slow_high) {
                compared++;
                if (violated++ == 0)
                    judge_note(out, "at d = %zu, eps = %g: T = %.0f against %.0f", manifest->dimensions[d],
                               manifest->accuracies[e], fast_low, slow_high);
            } else if (fast_high <= slow_low) {
                compared++;
                if (isfinite(slow_high) && fast_low > 0.0 && slow_low > 0.0)
                    worst = fmax(worst, fast_high / slow_low);
            } else
                unknown++;
        }
    out->used = compared;
    out->censored = unknown;
    struct judgement judgement = {.condition = {{OUTCOME_INCONCLUSIVE, "inconclusive", "the number of cells compared",
                                                 BELOW, 1.0, (double)compared},
                                                {OUTCOME_REFUTED, "refuted", "the number of cells that violate it",
                                                 ABOVE, 0.0, (double)violated}},
                                  .conditions = 2,
                                  .otherwise = "supported"};
    (void)snprintf(judgement.of, sizeof judgement.of, "cells with T_%s above T_%s", claim->samplers[0],
                   claim->samplers[1]);
    if (judge_by(out, &judgement, OUTCOME_SUPPORTED) == 0) {
        judge_note(out, "no cell with eps <= 1/sqrt(d) in which both samplers can be compared");
        return STATUS_OK;
    }
    if (violated > 0)
        judge_note(out, "%zu of %zu compared violate it", violated, compared);
    if (isfinite(worst)) {
        out->measured = 1;
        out->value = worst;
    } else
        judge_note(out, "from limits on T alone: in no cell are both T known");
    note_frontier(evidence, target, fast, slow, 1.0, "steps", out);
    note_frontier(evidence, target, fast, slow, evaluations_ratio(manifest, fast, slow), "score evaluations", out);
    return STATUS_OK;
}

static enum status judge_ratio_limit(const struct evidence *evidence, const struct claim_bound *bound, size_t target,
                                     size_t fast, size_t slow, struct finding *out, struct error *error)
{
    struct limit limit, of_slow;
    size_t dimension = 0;
    char of[200], name[BOUND_NAME];
    bound_name(bound, name);
    if (bound->power == RATIO_IN_ACCURACY) {
        TRY(ratio_limit(evidence, target, fast, slow, &limit, &dimension, error));
        (void)snprintf(of, sizeof of, "limit of the %s, %s over %s, from TV in d = %zu", name, bound->slower,
                       bound->sampler, dimension);
    } else {
        TRY(dimension_limit(evidence, target, fast, evidence->manifest.accuracy_in, &limit, error));
        TRY(dimension_limit(evidence, target, slow, evidence->manifest.accuracy_in, &of_slow, error));
        limit = limit.exists && !of_slow.exists ? of_slow : limit;
        limit.value = of_slow.value - limit.value;
        limit.interval += of_slow.interval;
        limit.in_dimension = false;
        limit.reason[0] = limit.exists ? '\0' : limit.reason[0];
        (void)snprintf(of, sizeof of, "limit of the %s, %s over %s", name, bound->slower, bound->sampler);
    }
    judge_limit(out, 0, of, bound, &limit);
    return STATUS_OK;
}

/* The power of 1/eps or of d by which a sampler is faster than another. */
enum status judge_ratio(const struct evidence *evidence, const struct claim_bound *bound, size_t target,
                        struct finding *out, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    const char *const samplers[2] = {bound->sampler, bound->slower};
    const bool in_dimension = bound->power == RATIO_IN_DIMENSION;
    size_t fast, slow, count = 0, extreme = 0;
    struct fit fit;
    if (!judge_needs(evidence, samplers[0], &fast, out) || !judge_needs(evidence, samplers[1], &slow, out))
        return STATUS_OK;
    if (manifest->accuracy_count == 0) {
        judge_inconclusive(out, "the experiment has no accuracies");
        return STATUS_OK;
    }
    struct fit_cell *cells = array_new(manifest->dimension_count * manifest->accuracy_count, sizeof *cells);
    if (cells == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a fit");
    double largest = 0.0;
    account_window(out->account, "ε ≤ 0.1 and both T found", "T(d, ε) of %s and %s", samplers[0], samplers[1]);
    for (size_t d = 0; d < manifest->dimension_count; d++)
        for (size_t e = 0; e < manifest->accuracy_count; e++) {
            const struct bracket *a = evidence_complexity(evidence, target, fast, d, e);
            const struct bracket *b = evidence_complexity(evidence, target, slow, d, e);
            int beyond = a->reach == REACH_BEYOND || b->reach == REACH_BEYOND;
            int at_start = a->reach == REACH_AT_START || b->reach == REACH_AT_START;
            int inside = a->reach == REACH_FOUND && b->reach == REACH_FOUND
                         && manifest->accuracies[e] <= manifest->accuracy_in->window;
            out->censored += (size_t)beyond;
            out->at_start += (size_t)at_start;
            account_pair(out->account, manifest, samplers, d, e, a, b,
                         (inside ? CELL_USED : 0) | (beyond ? CELL_CENSORED : 0) | (at_start ? CELL_AT_START : 0),
                         inside     ? NULL
                         : beyond   ? "more than max_steps"
                         : at_start ? "met at the smallest admissible T already"
                                    : "ε above 0.1, or a T not resolved");
            if (!inside)
                continue;
            double ratio = cost_of(evidence, slow, b) / cost_of(evidence, fast, a);
            cells[count++] = (struct fit_cell){log((double)manifest->dimensions[d]), -log(manifest->accuracies[e]),
                                               log(ratio), d, e};
            extreme = e > extreme ? e : extreme;
            largest = fmax(largest, (double)b->passes / (double)a->passes);
        }
    enum status status = fit_exponents(cells, count, extreme, &fit, error);
    if (status == STATUS_OK && fit.ok)
        status = exponents_mark_unweighted(out->account, cells, count, in_dimension, error);
    free(cells);
    if (status != STATUS_OK)
        return status;
    out->used = !fit.ok ? fit.cells : in_dimension ? fit.weighed_d : fit.weighed_x;
    if (!fit.ok || (in_dimension && !fit.has_d)) {
        judge_inconclusive(out, fit.ok ? "only one dimension in the window" : fit.reason);
        judge_note(out, "add accuracies <= 0.1 that both samplers reach, or a larger max_steps");
    } else {
        char name[BOUND_NAME];
        bound_name(bound, name);
        judge_power(out, name, bound, out->used, in_dimension ? &fit.d : &fit.x);
    }
    TRY(judge_ratio_limit(evidence, bound, target, fast, slow, out, error));
    if (largest > 0.0)
        judge_note(out, "largest measured: %.1f in steps, %.1f in score evaluations", largest,
                   largest / evaluations_ratio(manifest, fast, slow));
    return STATUS_OK;
}
