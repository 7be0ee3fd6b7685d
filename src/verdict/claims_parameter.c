#define _GNU_SOURCE /* qsort_r */
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

/* Members, and the parameter's column. */
struct settings {
    const struct manifest *manifest;
    const struct member *members;
    size_t column;
};

static int compare_reals(double x, double y)
{
    if (isnan(x) || isnan(y))
        return (isnan(x) != 0) - (isnan(y) != 0);
    return (x > y) - (x < y);
}

/* Equal are two members that differ in no other parameter and have schedules of one kind. */
static int compare_settings(const struct settings *settings, size_t left, size_t right)
{
    const struct manifest *manifest = settings->manifest;
    const struct member *a = &settings->members[left], *b = &settings->members[right];
    const struct entry *entries[2][2] = {
        {&manifest->target_entries[a->target], &manifest->target_entries[b->target]},
        {&manifest->sampler_entries[a->sampler], &manifest->sampler_entries[b->sampler]}};
    int order = strcmp(manifest->samplers[a->sampler].schedule, manifest->samplers[b->sampler].schedule);
    for (size_t e = 0; e < 2; e++)
        for (size_t i = 0; i < manifest->parameters.count && order == 0; i++)
            if (i != settings->column)
                order = compare_reals(entries[e][0]->parameter[i], entries[e][1]->parameter[i]);
    return order;
}

static int by_setting(const void *left, const void *right, void *settings)
{
    const size_t i = *(const size_t *)left, j = *(const size_t *)right;
    const int order = compare_settings(settings, i, j);
    return order != 0 ? order : (i > j) - (i < j);
}

/* Sets setting[i] of each member to the first that has its setting. */
static enum status find_settings(struct settings *settings, size_t count, size_t *setting, struct error *error)
{
    size_t *order = array_new(count, sizeof *order);
    if (order == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a fit");
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    qsort_r(order, count, sizeof *order, by_setting, settings);
    for (size_t i = 0, first = 0; i < count; i++) {
        first = i > 0 && compare_settings(settings, order[i - 1], order[i]) == 0 ? first : order[i];
        setting[order[i]] = first;
    }
    free(order);
    return STATUS_OK;
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
    TRY(exponents_mark_unweighted(out->account, c->cells, c->count, false, error));
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
    size_t *setting = array_new(entries, sizeof *setting);
    struct collection c = {evidence, array_new(entries, each * sizeof *c.cells),
                           array_new(entries, each * sizeof *c.value), 0, out};
    enum status status;
    if (members == NULL || setting == NULL || c.cells == NULL || c.value == NULL)
        TRY_OR(end, fail_with(error, STATUS_MEMORY, "out of memory for a fit"));
    account_window(out->account, isfinite(manifest->accuracy_in->window) ? "ε ≤ 0.1 and T found" : "T found",
                   "T(d, ε) of %s against %s", bound->sampler, bound->axis);
    const size_t count = members_find(manifest, bound->axis, target, sampler, members);
    struct settings settings = {manifest, members, parameter_find(&manifest->parameters, bound->axis)};
    TRY_OR(end, find_settings(&settings, count, setting, error));
    for (size_t i = 0; i < count; i++)
        collect(&c, bound->axis, &members[i], setting[i]);
    for (size_t i = 1, place = 0; i < c.count; i++) { /* members are by value: how many are smaller */
        place = c.value[i] > c.value[i - 1] ? i : place;
        c.cells[i].other = place;
    }
    TRY_OR(end, judge_collection(&c, bound, error));
    TRY_OR(end, judge_parameter_limit(evidence, bound, members, count, out, error));
end:
    free(members);
    free(setting);
    free(c.cells);
    free(c.value);
    return status;
}
