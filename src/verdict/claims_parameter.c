/* The bounds on numbers of steps, T(d, eps), in a parameter that an experiment gives as a list. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "experiment/spec_claims.h"
#include "verdict/exponents.h"
#include "verdict/judge.h"

/* The cells of targets, or of samplers, that differ in the parameter alone. */
struct collection {
    const struct evidence *evidence;
    struct fit_cell *cells;
    double *value; /* the parameter of each */
    size_t count;
    struct finding *finding;
};

/* Why no fit uses a cell; NULL if it does. */
static const char *why_not(const struct bracket *bracket, double accuracy, double value)
{
    static const char *const reaches[] = {[REACH_BEYOND] = "more than max_steps",
                                          [REACH_AT_START] = "met at the smallest admissible T already",
                                          [REACH_OPEN] =
                                              "not resolved: some T between are not measured, or not known"};
    if (bracket->reach != REACH_FOUND)
        return reaches[bracket->reach];
    if (!(value > 0.0))
        return "0 or less has no logarithm";
    return accuracy > WINDOW_ACCURACY ? "ε above 0.1" : NULL;
}

static void collect(struct collection *c, const char *axis, size_t target, size_t sampler, double value)
{
    const struct spec *spec = &c->evidence->spec;
    for (size_t d = 0; d < spec->dimension_count; d++)
        for (size_t e = 0; e < spec->accuracy_count; e++) {
            const struct bracket *bracket = evidence_complexity(c->evidence, target, sampler, d, e);
            const bool beyond = bracket->reach == REACH_BEYOND, at_start = bracket->reach == REACH_AT_START;
            struct account_cell cell = {.reason = why_not(bracket, spec->accuracies[e], value)};
            cell.use = cell.reason == NULL ? CELL_USED : beyond ? CELL_CENSORED : at_start ? CELL_AT_START : 0;
            (void)snprintf(cell.where, sizeof cell.where, "d = %zu, ε = %g, %s = %.6g", spec->dimensions[d],
                           spec->accuracies[e], axis_symbol(axis), value);
            bracket_label(bracket, cell.measured, sizeof cell.measured);
            account_cell(c->finding->account, &cell);
            c->finding->censored += beyond;
            c->finding->at_start += at_start;
            if (cell.reason != NULL)
                continue;
            c->value[c->count] = value;
            c->cells[c->count++] = (struct fit_cell){
                .x = log(value), .y = log(log_free_cost(bracket->passes)), .dimension = d * spec->accuracy_count + e};
        }
}

/* All that differ from this target and sampler in the parameter alone. */
static void collect_all(struct collection *c, const char *axis, size_t target, size_t sampler)
{
    const struct spec *spec = &c->evidence->spec;
    const bool of_targets = axis_is_of_targets(axis);
    const size_t column = parameter_find(&spec->parameters, axis),
                 count = of_targets ? spec->target_count : spec->sampler_count;
    const struct entry *entry = of_targets ? spec->target_entries : spec->sampler_entries;
    const char *of = entry[of_targets ? target : sampler].of;
    for (size_t i = 0; i < count && column < spec->parameters.count; i++)
        if (strcmp(entry[i].of, of) == 0)
            collect(c, axis, of_targets ? i : target, of_targets ? sampler : i, entry[i].parameter[column]);
    for (size_t i = 0; i < c->count; i++) /* the place of a value is how many are smaller */
        for (size_t j = 0; j < c->count; j++)
            c->cells[i].other += c->value[j] < c->value[i];
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

enum status judge_parameter(const struct evidence *evidence, const struct claim_bound *bound, size_t target,
                            struct finding *out, struct error *error)
{
    const struct spec *spec = &evidence->spec;
    const size_t entries = spec->target_count + spec->sampler_count;
    size_t sampler;
    if (!judge_needs(evidence, bound->sampler, &sampler, out))
        return STATUS_OK;
    const size_t each = spec->dimension_count * spec->accuracy_count;
    struct collection c = {evidence, array_new(entries, each * sizeof *c.cells),
                           array_new(entries, each * sizeof *c.value), 0, out};
    enum status status;
    if (c.cells == NULL || c.value == NULL)
        TRY_OR(end, fail_with(error, STATUS_MEMORY, "out of memory for a fit"));
    account_window(out->account, "ε ≤ 0.1 and T found", "T(d, ε) of %s against %s", bound->sampler, bound->axis);
    collect_all(&c, bound->axis, target, sampler);
    TRY_OR(end, judge_collection(&c, bound, error));
end:
    free(c.cells);
    free(c.value);
    return status;
}
