#include "experiment/manifest.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "experiment/spec.h"

void entries_fill(const struct entry *target, const struct entry *sampler, const struct entry *score_error,
                  struct record *row)
{
    for (size_t i = 0; i < PARAMETER_COLUMNS; i++)
        row->parameter[i] = !isnan(target->parameter[i])    ? target->parameter[i]
                            : !isnan(sampler->parameter[i]) ? sampler->parameter[i]
                                                            : score_error->parameter[i];
}

void manifest_free(struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->sampler_count; i++) {
        free(manifest->samplers[i].rule);
        free(manifest->samplers[i].claim_source);
        free(manifest->samplers[i].grid);
    }
    for (size_t i = 0; i < manifest->failed_count; i++)
        free(manifest->failed[i].key);
    claim_specs_free(manifest->own_claims, manifest->own_claim_count);
    void *const owned[] = {
        manifest->targets,      manifest->target_entries,      manifest->samplers,         manifest->sampler_entries,
        manifest->score_errors, manifest->score_error_entries, manifest->chains,           manifest->dimensions,
        manifest->steps,        manifest->accuracies,          manifest->claims,           manifest->failed,
        manifest->asks,         manifest->target_relatives,    manifest->sampler_relatives};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
        free(owned[i]);
    *manifest = (struct manifest){.accuracy_in = NULL};
}

/* ---- Steps ---- */

static bool asks(const struct manifest *manifest, size_t steps, size_t dimension)
{
    return manifest->asks == NULL || manifest->asks[dimension * manifest->step_count + steps];
}

/* Both increase. */
size_t manifest_find_dimension(const struct manifest *manifest, size_t dimension)
{
    return dimensions_find(&(struct dimensions){manifest->dimensions, manifest->dimension_count}, dimension);
}

size_t manifest_find_steps(const struct manifest *manifest, size_t T)
{
    return dimensions_find(&(struct dimensions){manifest->steps, manifest->step_count}, T);
}

bool manifest_asks(const struct manifest *manifest, size_t dimension, size_t T)
{
    const size_t i = manifest_find_steps(manifest, T);
    return i < manifest->step_count && asks(manifest, i, dimension);
}

size_t manifest_step_count(const struct manifest *manifest, size_t dimension)
{
    size_t count = 0;
    for (size_t i = 0; i < manifest->step_count; i++)
        count += asks(manifest, i, dimension);
    return count;
}

size_t manifest_last_steps(const struct manifest *manifest, size_t dimension)
{
    for (size_t i = manifest->step_count; i-- > 0;)
        if (asks(manifest, i, dimension))
            return i;
    return manifest->step_count;
}

size_t manifest_first_steps(const struct manifest *manifest, size_t dimension)
{
    size_t i = 0;
    while (i < manifest->step_count && !asks(manifest, i, dimension))
        i++;
    return i;
}

/* ---- Score errors ---- */

static const char of_error[] = "score_error_";

static bool same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

bool manifest_has_score_error(const struct manifest *manifest, size_t score_error,
                              const struct parameter_columns *columns, const struct record *row)
{
    const struct manifest_error *error = &manifest->score_errors[score_error];
    bool has = strcmp(row->score_error, error->shape) == 0 && strcmp(row->score_error_spread, error->spread) == 0
               && strcmp(row->score_error_profile, error->profile) == 0 && row->score_error_size == error->size
               && row->score_error_growth == error->growth;
    for (size_t i = 0; i < columns->count && has; i++)
        if (strncmp(columns->column[i].name, of_error, strlen(of_error)) == 0)
            has = same(row->parameter[i],
                       manifest_error_param(manifest, score_error, columns->column[i].name + strlen(of_error)));
    return has;
}

double manifest_error_param(const struct manifest *manifest, size_t score_error, const char *key)
{
    for (size_t i = 0; i < manifest->parameters.count; i++) {
        const char *name = manifest->parameters.column[i].name;
        if (strncmp(name, of_error, strlen(of_error)) == 0 && strcmp(name + strlen(of_error), key) == 0)
            return manifest->score_error_entries[score_error].parameter[i];
    }
    return NAN;
}
