/* The claims that an experiment's file states, in the form of the built-in ones. */
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "verdict/columns.h"
#include "verdict/judge.h"

/* A claim with what it points to. */
struct stated {
    struct claim claim;
    char statistic[300];
    struct claim_bound bound[];
};

static struct claim_bound make_bound(const struct claim_spec *stated, const struct claim_power *power,
                                     const char *sampler)
{
    const bool in_accuracy = strcmp(power->axis, "accuracy") == 0;
    struct claim_bound bound = {.relation = power->at_least ? AT_LEAST : AT_MOST,
                                .value = power->value,
                                .sampler = sampler,
                                .slower = power->slower};
    if (stated->quantity != NULL) {
        bound.power = COLUMN_IN_AXIS;
        bound.column = stated->quantity->name;
        bound.axis = power->axis;
    } else if (power->slower != NULL)
        bound.power = in_accuracy ? RATIO_IN_ACCURACY : RATIO_IN_DIMENSION;
    else if (in_accuracy || strcmp(power->axis, "dimension") == 0)
        bound.power = in_accuracy ? STEPS_IN_ACCURACY : STEPS_IN_DIMENSION;
    else {
        bound.power = STEPS_IN_PARAMETER;
        bound.axis = power->axis;
    }
    return bound;
}

/* With the figures of what it is about. */
static enum topic topic_of(const struct claim_spec *stated, const struct claim_bound *first)
{
    static const enum topic topics[] = {[STEPS_IN_ACCURACY] = TOPIC_ACCURACY,
                                        [STEPS_IN_DIMENSION] = TOPIC_DIMENSION,
                                        [STEPS_IN_PARAMETER] = TOPIC_DIMENSION,
                                        [RATIO_IN_ACCURACY] = TOPIC_ACCELERATION,
                                        [RATIO_IN_DIMENSION] = TOPIC_ACCELERATION};
    if (first->power != COLUMN_IN_AXIS)
        return topics[first->power];
    return stated->quantity->role == COLUMN_SAMPLED ? TOPIC_CHAINS
           : columns_are_of_errors(first)           ? TOPIC_ERROR_SIZE
                                                    : TOPIC_DIVERGENCES;
}

/* "exponent of T/log T in 1/eps; exponent of T/log T in d" */
static void name_statistic(struct stated *claim, const struct claim_spec *stated)
{
    size_t used = 0;
    for (size_t i = 0; i < stated->power_count && used < sizeof claim->statistic; i++) {
        char name[BOUND_NAME];
        bound_name(&claim->bound[i], name);
        used += (size_t)snprintf(claim->statistic + used, sizeof claim->statistic - used, "%s%s", i > 0 ? "; " : "",
                                 name);
    }
}

struct claim *claim_of_spec(const struct claim_spec *stated)
{
    struct stated *out = NULL;
    size_t room = stated->sampler_count * stated->power_count + 1; /* both are at most the lengths of lists */
    if (room < (SIZE_MAX - sizeof *out) / sizeof out->bound[0])
        out = array_new(1, sizeof *out + room * sizeof out->bound[0]);
    if (out == NULL)
        return NULL;
    size_t count = 0;
    for (size_t s = 0; s < stated->sampler_count; s++)
        for (size_t p = 0; p < stated->power_count; p++)
            out->bound[count++] = make_bound(stated, &stated->powers[p], stated->samplers[s]);
    out->claim = (struct claim){.name = stated->name,
                                .statement = stated->says,
                                .source = stated->source,
                                .statistic = out->statistic,
                                .refuted_by = "an interval wholly beyond a bound",
                                .bound = out->bound,
                                .targets = stated->targets,
                                .target_count = stated->target_count,
                                .needs = NEEDS_ITS_NAME,
                                .topic = topic_of(stated, out->bound),
                                .stated = true};
    name_statistic(out, stated);
    return &out->claim;
}

bool claim_is_about(const struct claim *claim, const char *target)
{
    bool about = claim->targets == NULL;
    for (size_t i = 0; i < claim->target_count && !about; i++)
        about = strcmp(claim->targets[i], target) == 0;
    return about;
}
