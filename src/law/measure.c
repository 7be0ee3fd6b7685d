#include "law/measure.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"

/* Laws found so far, with the factors they belong to; entries are allocated one by one, so that laws can point into
 * them. */
struct entry {
    struct factor_list factor; /* one group */
    struct law law;
};

struct table {
    struct entry **entry;
    size_t count;
    size_t node_updates;
};

static void table_free(struct table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        law_free(&table->entry[i]->law);
        factor_list_free(&table->entry[i]->factor);
        free(table->entry[i]);
    }
    free(table->entry);
}

static int same_factor(const struct factor *a, const struct factor *b)
{
    size_t bytes = a->components * sizeof(double);
    return a->components == b->components && memcmp(a->weight, b->weight, bytes) == 0
           && memcmp(a->mean, b->mean, bytes) == 0 && memcmp(a->sd, b->sd, bytes) == 0;
}

static enum status find_law(struct table *table, const struct factor *factor, const struct sampler *sampler,
                            const struct schedule *schedule, const struct law **out, struct error *error)
{
    for (size_t i = 0; i < table->count; i++)
        if (same_factor(&table->entry[i]->factor.group[0].factor, factor)) {
            *out = &table->entry[i]->law;
            return STATUS_OK;
        }
    struct entry **grown = array_resize(table->entry, table->count + 1, sizeof *grown);
    table->entry = grown != NULL ? grown : table->entry;
    struct entry *entry = array_new(1, sizeof *entry);
    if (grown == NULL || entry == NULL) {
        free(entry);
        return fail_with(error, STATUS_MEMORY, "out of memory for law %zu of a target", table->count + 1);
    }
    table->entry[table->count++] = entry;
    enum status status = factor_list_append(&entry->factor, factor, 1.0, error);
    if (status == STATUS_OK)
        status = law_compute(
            &(struct law_problem){.factor = &entry->factor.group[0].factor, .sampler = sampler, .schedule = schedule},
            &entry->law, error);
    table->node_updates += entry->law.node_updates;
    *out = &entry->law;
    return status;
}

static void describe(const struct law_group *groups, size_t count, char *text, size_t size)
{
    int used = 0;
    for (size_t i = 0; i < count; i++) {
        int seen = 0;
        for (size_t j = 0; j < i; j++)
            seen |= groups[j].law->engine == groups[i].law->engine;
        if (!seen && (size_t)used < size)
            used += snprintf(text + used, size - (size_t)used, "%s%s", used > 0 ? " + " : "",
                             groups[i].law->engine->name);
    }
    if ((count > 1 || groups[0].multiplicity > 1.0) && (size_t)used < size)
        (void)snprintf(text + used, size - (size_t)used, ", composed");
}

static enum status measure_one(struct table *table, const struct target *target, const struct sampler *sampler,
                               const struct schedule *schedule, size_t dimension, struct measurement *out,
                               struct error *error)
{
    struct factor_list factors;
    enum status status = target_factors(target, dimension, &factors, error);
    struct law_group *groups = array_new(factors.count, sizeof *groups);
    if (status == STATUS_OK && groups == NULL)
        status = fail_with(error, STATUS_MEMORY, "out of memory for %zu factors", factors.count);
    for (size_t i = 0; i < factors.count && status == STATUS_OK; i++) {
        groups[i].multiplicity = factors.group[i].multiplicity;
        status = find_law(table, &factors.group[i].factor, sampler, schedule, &groups[i].law, error);
    }
    out->dimension = dimension;
    if (status == STATUS_OK)
        status = divergence_measure(groups, factors.count, &out->divergence, error);
    if (status == STATUS_OK)
        describe(groups, factors.count, out->method, sizeof out->method);
    free(groups);
    factor_list_free(&factors);
    return status;
}

enum status measure_target(const struct target *target, const struct sampler *sampler,
                           const struct score_error *score_error, const struct schedule *schedule,
                           const size_t *dimensions, size_t count, struct measurement *out, struct error *error)
{
    struct table table = {NULL, 0, 0};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct error cause = {STATUS_OK, ""};
        status = measure_one(&table, target, sampler, schedule, dimensions[i], &out[i], &cause);
        if (status != STATUS_OK)
            (void)fail_with(error, status, "target %s, sampler %s, T = %zu, d = %zu: %s", target->name, sampler->name,
                            schedule->T, dimensions[i], cause.text);
    }
    for (size_t i = 0; i < count; i++)
        out[i].node_updates = table.node_updates;
    table_free(&table);
    return status;
}
