/* The bounds on numbers of steps, T(d, eps), in a parameter that an experiment gives as a list. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "experiment/spec_claims.h"
#include "verdict/exponents.h"
#include "verdict/judge.h"

/* The cells of targets, or of samplers, that differ in the parameter. */
struct collection {
    const struct evidence *evidence;
    struct fit_cell *cells;
    double *value; /* the parameter of each */
    size_t count;
    struct finding *finding;
};

/* Why no fit uses a cell; NULL if it does. */
static const char *why_not(const struct manifest *manifest, const struct bracket *bracket, double accuracy,
                           double value)
{
    if (bracket->reach != REACH_FOUND)
        return reach_reasons[bracket->reach];
    if (!(value > 0.0))
        return "0 or less has no logarithm";
    return accuracy > manifest->accuracy_in->window ? "ε above 0.1" : NULL;
}

/* Whether two members differ in no other parameter and have schedules of one kind. */
static bool same_setting(const struct manifest *manifest, const char *axis, const struct member *a,
                         const struct member *b)
{
    const struct entry *entries[2][2] = {
        {&manifest->target_entries[a->target], &manifest->target_entries[b->target]},
        {&manifest->sampler_entries[a->sampler], &manifest->sampler_entries[b->sampler]}};
    const size_t column = parameter_find(&manifest->parameters, axis);
    bool same = strcmp(manifest->samplers[a->sampler].schedule, manifest->samplers[b->sampler].schedule) == 0;
    for (size_t e = 0; e < 2; e++)
        for (size_t i = 0; i < manifest->parameters.count && same; i++) {
            const double x = entries[e][0]->parameter[i], y = entries[e][1]->parameter[i];
            same = i == column || x == y || (isnan(x) && isnan(y));
        }
    return same;
}

/* The cells of a member; those of one setting, d and eps have a constant of their own. */
static void collect(struct collection *c, const char *axis, const struct member *member, size_t setting)
{
    const struct manifest *manifest = &c->evidence->manifest;
    const double value = member->value;
    for (size_t d = 0; d < manifest->dimension_count; d++)
        for (size_t e = 0; e < manifest->accuracy_count; e++) {
            const struct bracket *bracket = evidence_complexity(c->evidence, member->target, member->sampler, d, e);
            const bool beyond = bracket->reach == REACH_BEYOND, at_start = bracket->reach == REACH_AT_START;
            struct account_cell cell = {.reason = why_not(manifest, bracket, manifest->accuracies[e], value)};
            cell.use = cell.reason == NULL ? CELL_USED : beyond ? CELL_CENSORED : at_start ? CELL_AT_START : 0;
            (void)snprintf(cell.where, sizeof cell.where, "d = %zu, ε = %g, %s = %.6g", manifest->dimensions[d],
                           manifest->accuracies[e], axis_symbol(axis), value);
            bracket_label(bracket, cell.measured, sizeof cell.measured);
            account_cell(c->finding->account, &cell);
            c->finding->censored += beyond;
            c->finding->at_start += at_start;
            if (cell.reason != NULL)
                continue;
            c->value[c->count] = value;
            c->cells[c->count++] = (struct fit_cell){
                .x = log(value),
                .y = log(log_free_cost(manifest->samplers[member->sampler].schedule, bracket->passes)),
                .dimension = (setting * manifest->dimension_count + d) * manifest->accuracy_count + e};
        }
}

static enum status judge_collection(const struct collection *c, const struct claim_bound *bound, struct error *error)
{
    char name[BOUND_NAME], of[BOUND_NAME + 80];
    struct finding *out = c->finding;
    size_t extreme = 0;
    struct fit fit;
    for (size_t i = 0; i < c->count; i++)
        extreme = c->cells[i].other > extreme ? c->cells[i].other : extreme;
    TRY(fit_exponents(c->cells, c->count, extreme, &fit, error));
    out->used = fit.ok ? fit.weighed_x : fit.cells;
    if (!fit.ok) {
        judge_inconclusive(out, fit.reason);
        judge_note(out, "add values of the parameter, 3 at least, and accuracies <= 0.1 that max_steps reaches");
        return STATUS_OK;
    }
    exponents_mark_unweighted(out->account, c->cells, c->count, false);
    bound_name(bound, name);
    (void)snprintf(of, sizeof of, "%s, %s", name, bound->sampler);
    judge_power(out, of, bound, out->used, &fit.x);
    return STATUS_OK;
}

/* As h -> 0. h = c1 log(T)/T has a parameter of the schedule in it, so that there is no limit in those. */
static enum status judge_parameter_limit(const struct evidence *evidence, const struct claim_bound *bound,
                                         const struct member *members, size_t count, struct finding *out,
                                         struct error *error)
{
    const struct quantity *quantity = evidence->manifest.accuracy_in;
    struct limit limit;
    double order = NAN;
    size_t where = 0;
    char name[BOUND_NAME], of[BOUND_NAME + 120];
    if (axis_is_of_schedules(bound->axis))
        return STATUS_OK;
    TRY(parameter_limit(evidence, members, count, quantity->offset, bound->relation == AT_MOST, &limit, &order,
                        &where, error));
    limit.value /= order;
    limit.interval /= order;
    bound_name(bound, name);
    (void)snprintf(of, sizeof of, "limit of the %s, %s, from %s in d = %zu", name, bound->sampler, quantity->label,
                   where);
    judge_limit(out, 0, of, bound, &limit);
    return STATUS_OK;
}

enum status judge_parameter(const struct evidence *evidence, const struct claim_bound *bound, size_t target,
                            struct finding *out, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    const size_t entries = manifest->target_count + manifest->sampler_count;
    size_t sampler;
    if (!judge_needs(evidence, bound->sampler, &sampler, out))
        return STATUS_OK;
    const size_t each = manifest->dimension_count * manifest->accuracy_count;
    struct member *members = array_new(entries, sizeof *members);
    struct collection c = {evidence, array_new(entries, each * sizeof *c.cells),
                           array_new(entries, each * sizeof *c.value), 0, out};
    enum status status;
    if (members == NULL || c.cells == NULL || c.value == NULL)
        TRY_OR(end, fail_with(error, STATUS_MEMORY, "out of memory for a fit"));
    account_window(out->account, isfinite(manifest->accuracy_in->window) ? "ε ≤ 0.1 and T found" : "T found",
                   "T(d, ε) of %s against %s", bound->sampler, bound->axis);
    const size_t count = members_find(manifest, bound->axis, target, sampler, members);
    for (size_t i = 0, first; i < count; i++) {
        for (first = 0; !same_setting(manifest, bound->axis, &members[first], &members[i]);)
            first++;
        collect(&c, bound->axis, &members[i], first);
    }
    for (size_t i = 0; i < c.count; i++) /* the place of a value is how many are smaller */
        for (size_t j = 0; j < c.count; j++)
            c.cells[i].other += c.value[j] < c.value[i];
    TRY_OR(end, judge_collection(&c, bound, error));
    TRY_OR(end, judge_parameter_limit(evidence, bound, members, count, out, error));
end:
    free(members);
    free(c.cells);
    free(c.value);
    return status;
}
