#include "results/evidence.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/memory.h"
#include "results/directory.h"
#include "results/old.h"

double log_free_cost(const char *schedule, size_t steps)
{
    const struct schedule_kind *kind = schedule_kind_find(schedule);
    const bool has_logarithm = kind != NULL && kind->params == schedule_constants_params;
    return has_logarithm ? (double)steps / log((double)steps) : (double)steps;
}

size_t evidence_sampler(const struct evidence *evidence, const char *name)
{
    size_t i = 0;
    while (i < evidence->manifest.sampler_count && strcmp(evidence->manifest.samplers[i].name, name) != 0)
        i++;
    return i;
}

static size_t complexity_index(const struct manifest *manifest, size_t target, size_t sampler, size_t score_error,
                               size_t dimension, size_t accuracy)
{
    size_t row = (target * manifest->sampler_count + sampler) * manifest->score_error_count + score_error;
    return (row * manifest->dimension_count + dimension) * manifest->accuracy_count + accuracy;
}

const struct bracket *evidence_complexity_under(const struct evidence *evidence, size_t target, size_t sampler,
                                                size_t score_error, size_t dimension, size_t accuracy)
{
    return &evidence->complexity[complexity_index(&evidence->manifest, target, sampler, score_error, dimension,
                                                  accuracy)];
}

const struct bracket *evidence_complexity(const struct evidence *evidence, size_t target, size_t sampler,
                                          size_t dimension, size_t accuracy)
{
    return evidence_complexity_under(evidence, target, sampler, 0, dimension, accuracy);
}

void bracket_label(const struct bracket *bracket, char *text, size_t size)
{
    switch (bracket->reach) {
    case REACH_FOUND:
        (void)snprintf(text, size, "T = %zu", bracket->passes);
        break;
    case REACH_AT_START:
        (void)snprintf(text, size, "T ≤ %zu", bracket->passes);
        break;
    case REACH_BEYOND:
        (void)snprintf(text, size, bracket->fails > 0 ? "T > %zu" : "not measured", bracket->fails);
        break;
    case REACH_OPEN:
        (void)snprintf(text, size, "%zu < T ≤ %zu", bracket->fails, bracket->passes);
        break;
    }
}

struct row_list evidence_sampled_rows(const struct evidence *evidence, size_t target, size_t sampler,
                                      size_t score_error, size_t dimension, size_t chains)
{
    return series_find(&evidence->series, &(struct series_key){target, sampler, score_error, dimension, chains});
}

struct row_list evidence_rows(const struct evidence *evidence, size_t target, size_t sampler, size_t score_error,
                              size_t dimension)
{
    return evidence_sampled_rows(evidence, target, sampler, score_error, dimension, 0);
}

const char *evidence_refusal(const struct evidence *evidence, size_t target, size_t sampler, size_t dimension,
                             const struct bracket *bracket)
{
    const struct row_list rows =
        series_find(&evidence->failed_series, &(struct series_key){target, sampler, 0, dimension, 0});
    for (size_t i = 0; i < rows.count; i++)
        if (rows.row[i]->steps > bracket->fails && rows.row[i]->steps < bracket->passes)
            return rows.row[i]->failure;
    return NULL;
}

/* ---- What failed, from lines "cell: reason" and "cell d=DIMENSION: reason" (plan_failures) ---- */

static void fill_failed(const struct manifest *manifest, const struct manifest_cell *cell, size_t dimension,
                        const char *reason, struct record *row)
{
    const struct manifest_sampler *sampler = &manifest->samplers[cell->sampler];
    const struct manifest_error *error = &manifest->score_errors[cell->score_error];
    *row = (struct record){.dimension = manifest->dimensions[dimension],
                           .steps = cell->steps,
                           .step_size = cell->step_size,
                           .crossing_eta = NAN,
                           .score_evaluations = (cell->steps - 1) * sampler->score_evaluations,
                           .score_error_size = error->size,
                           .score_error_growth = error->growth,
                           .chains = cell->chains,
                           .seed = cell->chains > 0 ? manifest->seed : 0};
    const struct {
        char *to;
        const char *from;
    } labels[] = {{row->target, manifest->targets[cell->target].name},
                  {row->sampler, sampler->name},
                  {row->schedule, sampler->schedule},
                  {row->score_error, error->shape},
                  {row->score_error_spread, error->spread},
                  {row->score_error_profile, error->profile}};
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
        (void)snprintf(labels[i].to, sizeof row->target, "%s", labels[i].from);
    entries_fill(&manifest->target_entries[cell->target], &manifest->sampler_entries[cell->sampler],
                 &manifest->score_error_entries[cell->score_error], row);
    record_blank(row);
    record_fail(row, reason);
}

/* One line, of `length` characters; of a cell that the manifest does not name, nothing is made. Lines and cells are
 * in one order, so that the search for one begins at the last. */
static enum status add_failed(struct evidence *evidence, const char *line, size_t length, size_t *capacity,
                              size_t *last, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    char reason[FAILURE_SIZE];
    size_t name = strcspn(line, ": "), dimension = 0, skipped = name, tried = 0;
    if (name >= length)
        return STATUS_OK;
    if (sscanf(line + name, " d=%20zu:", &dimension) == 1)
        skipped += strcspn(line + name, ":");
    for (; tried < manifest->failed_count; tried++, *last = (*last + 1) % manifest->failed_count)
        if (strncmp(manifest->failed[*last].key, line, name) == 0 && manifest->failed[*last].key[name] == '\0')
            break;
    if (skipped + 2 > length || tried == manifest->failed_count)
        return STATUS_OK;
    (void)snprintf(reason, sizeof reason, "%.*s", (int)(length - skipped - 2), line + skipped + 2);
    struct record *grown =
        array_reserve(evidence->failed, capacity, evidence->failed_count + manifest->dimension_count, sizeof *grown);
    if (grown == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu failures", evidence->failed_count);
    evidence->failed = grown;
    for (size_t i = 0; i < manifest->dimension_count; i++)
        if (dimension == 0 || manifest->dimensions[i] == dimension)
            fill_failed(manifest, &manifest->failed[*last], i, reason, &evidence->failed[evidence->failed_count++]);
    return STATUS_OK;
}

static enum status find_failed(struct evidence *evidence, struct error *error)
{
    const char *const texts[] = {evidence->result.failures, evidence->result.refusals};
    size_t capacity = 0, last = 0;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        for (const char *line = texts[i]; *line != '\0';) {
            size_t length = strcspn(line, "\n");
            TRY(add_failed(evidence, line, length, &capacity, &last, error));
            line += length + (line[length] == '\n');
        }
    return STATUS_OK;
}

/* T(d, eps) for every accuracy, of one target, sampler, score error and dimension. */
static void find_brackets(struct evidence *evidence, const struct series *series, struct point *points)
{
    const struct manifest *manifest = &evidence->manifest;
    const struct series_key *of = &series->key;
    const struct record *const *rows = evidence->series.rows + series->first;
    for (size_t i = 0; i < series->count; i++) {
        const double *value = quantity_of(manifest->accuracy_in, rows[i]);
        points[i] = (struct point){(size_t)rows[i]->steps, rows[i]->step_size, value[0], value[1]};
    }
    for (size_t e = 0; e < manifest->accuracy_count; e++)
        evidence->complexity[complexity_index(manifest, of->target, of->sampler, of->score_error, of->dimension, e)] =
            bracket_find(points, series->count, manifest->accuracies[e], 0);
}

static enum status find_complexity(struct evidence *evidence, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    const struct series_index *index = &evidence->series;
    size_t each = manifest->dimension_count * manifest->accuracy_count,
           searches = manifest->target_count * manifest->sampler_count * manifest->score_error_count;
    struct point *points = array_new(evidence->result.count, sizeof *points);
    evidence->complexity =
        each > 0 && searches > SIZE_MAX / each ? NULL : array_new(searches * each, sizeof *evidence->complexity);
    const bool has_room = points != NULL && evidence->complexity != NULL;
    for (size_t i = 0; i < searches * each && has_room; i++)
        evidence->complexity[i] = bracket_find(points, 0, manifest->accuracies[i % manifest->accuracy_count], 0);
    for (size_t i = 0; i < index->count && has_room; i++)
        if (index->series[i].key.chains == 0)
            find_brackets(evidence, &index->series[i], points);
    free(points);
    return has_room ? STATUS_OK
                    : fail_with(error, STATUS_MEMORY, "out of memory for %zu records", evidence->result.count);
}

/* The one .h5 file of a results directory is named after the experiment. */
static enum status find_file(const char *directory, char *path, size_t size, struct error *error)
{
    size_t found = 0;
    DIR *open = opendir(directory);
    if (open == NULL)
        return fail_with(error, STATUS_IO, "cannot read results directory %s", directory);
    for (struct dirent *entry = readdir(open); entry != NULL; entry = readdir(open)) {
        const char *dot = strrchr(entry->d_name, '.');
        if (dot == NULL || strcmp(dot, ".h5") != 0 || entry->d_name[0] == '.')
            continue;
        found++;
        if ((size_t)snprintf(path, size, "%s/%s", directory, entry->d_name) >= size)
            found = 99;
    }
    (void)closedir(open);
    if (found == 1)
        return STATUS_OK;
    return fail_with(error, STATUS_IO, "%s: expected one merged .h5 file, as `diffrate run` writes it, found %zu",
                     directory, found);
}

/* Whether a merged file is of the experiment that its name and the spec.yaml beside it tell. Another name is of a
 * copy that somebody keeps, which may be of anything. */
static enum status check_name(const struct evidence *evidence, const char *file, int is_directory,
                              struct error *error)
{
    const char *slash = strrchr(file, '/'), *name = slash != NULL ? slash + 1 : file;
    size_t length = strlen(evidence->result.spec_name);
    int named = strncmp(name, evidence->result.spec_name, length) == 0 && strcmp(name + length, ".h5") == 0;
    struct error cause = {STATUS_OK, ""};
    if (!is_directory && !named)
        return STATUS_OK;
    if (!named)
        return fail_with(error, STATUS_IO, "%s holds results of another experiment, %s", file,
                         evidence->result.spec_name);
    enum status status =
        directory_owns(evidence->directory, evidence->result.spec_name, evidence->result.spec_text, &cause);
    return status == STATUS_OK ? STATUS_OK : fail_with(error, status, "%s: %.450s", file, cause.text);
}

/* A claim that this program does not know would be missed silently. */
static enum status check_claims(const struct manifest *manifest, const char *label, const char *const *claim_names,
                                struct error *error)
{
    for (size_t i = 0; i < manifest->claim_count; i++) {
        bool known = false;
        for (size_t k = 0; claim_names[k] != NULL && !known; k++)
            known = strcmp(claim_names[k], manifest->claims[i]) == 0;
        for (size_t k = 0; k < manifest->own_claim_count && !known; k++)
            known = strcmp(manifest->own_claims[k].name, manifest->claims[i]) == 0;
        if (!known)
            return fail_with(error, STATUS_INVALID, "%s: the claim %s is not known to this program", label,
                             manifest->claims[i]);
    }
    return STATUS_OK;
}

enum status evidence_read(const char *path, const char *const *claim_names, struct evidence *out, struct error *error)
{
    char file[4096], label[4200];
    struct stat info;
    *out = (struct evidence){.complexity = NULL};
    if (stat(path, &info) != 0)
        return fail_with(error, STATUS_IO, "%s: no such result; expected a results directory or a merged .h5 file",
                         path);
    enum status status = STATUS_OK;
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    if (S_ISDIR(info.st_mode)) {
        (void)snprintf(out->directory, sizeof out->directory, "%.*s", (int)length, path);
        status = find_file(out->directory, file, sizeof file, error);
    } else {
        const char *slash = strrchr(path, '/');
        (void)snprintf(out->directory, sizeof out->directory, "%.*s", slash != NULL ? (int)(slash - path) : 1,
                       slash != NULL ? path : ".");
        (void)snprintf(file, sizeof file, "%s", path);
    }
    if (status == STATUS_OK)
        status = store_read(file, &out->result, error);
    if (status != STATUS_OK)
        return status;
    if (out->result.spec_text[0] == '\0')
        return fail_with(error, STATUS_IO, "%s holds no experiment text: it is no merged result", file);
    TRY(check_name(out, file, S_ISDIR(info.st_mode), error));
    if (out->result.manifest[0] == '\0')
        TRY(old_manifest(file, &out->result, claim_names, error));
    (void)snprintf(label, sizeof label, "%s(manifest)", file);
    TRY(manifest_parse(label, out->result.manifest, &out->result.parameters, &out->manifest, error));
    (void)snprintf(out->manifest.name, sizeof out->manifest.name, "%s", out->result.spec_name);
    TRY(check_claims(&out->manifest, label, claim_names, error));
    TRY(series_make(&out->manifest, &out->result, &out->series, error));
    TRY(find_complexity(out, error));
    TRY(find_failed(out, error));
    const struct result failed = {
        .rows = out->failed, .count = out->failed_count, .parameters = out->result.parameters};
    return series_make(&out->manifest, &failed, &out->failed_series, error);
}

void evidence_free(struct evidence *evidence)
{
    result_free(&evidence->result);
    manifest_free(&evidence->manifest);
    series_free(&evidence->series);
    series_free(&evidence->failed_series);
    free(evidence->complexity);
    free(evidence->failed);
    *evidence = (struct evidence){.complexity = NULL};
}
