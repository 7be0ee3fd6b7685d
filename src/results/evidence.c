#include "results/evidence.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/memory.h"
#include "results/directory.h"

double log_free_cost(const char *schedule, size_t steps)
{
    const struct schedule_kind *kind = schedule_kind_find(schedule);
    const bool has_logarithm = kind != NULL && kind->params == schedule_constants_params;
    return has_logarithm ? (double)steps / log((double)steps) : (double)steps;
}

size_t evidence_sampler(const struct evidence *evidence, const char *name)
{
    size_t i = 0;
    while (i < evidence->spec.sampler_count && strcmp(evidence->spec.samplers[i]->name, name) != 0)
        i++;
    return i;
}

static size_t complexity_index(const struct spec *spec, size_t target, size_t sampler, size_t score_error,
                               size_t dimension, size_t accuracy)
{
    size_t row = (target * spec->sampler_count + sampler) * spec->score_error_count + score_error;
    return (row * spec->dimension_count + dimension) * spec->accuracy_count + accuracy;
}

const struct bracket *evidence_complexity_under(const struct evidence *evidence, size_t target, size_t sampler,
                                                size_t score_error, size_t dimension, size_t accuracy)
{
    return &evidence
                ->complexity[complexity_index(&evidence->spec, target, sampler, score_error, dimension, accuracy)];
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

size_t evidence_sampled_rows(const struct evidence *evidence, size_t target, size_t sampler, size_t score_error,
                             size_t dimension, size_t chains, const struct record **rows)
{
    const struct spec *spec = &evidence->spec;
    size_t count = 0;
    for (size_t i = 0; i < evidence->result.count; i++) {
        const struct record *row = &evidence->result.rows[i];
        if (row->chains != chains || row->dimension != spec->dimensions[dimension]
            || strcmp(row->target, spec->targets[target].name) != 0
            || strcmp(row->sampler, spec->samplers[sampler]->name) != 0
            || !record_has_score_error(row, &evidence->result.parameters, &spec->score_errors[score_error]))
            continue;
        size_t at = count++;
        for (; at > 0 && rows[at - 1]->steps > row->steps; at--)
            rows[at] = rows[at - 1];
        rows[at] = row;
    }
    return count;
}

size_t evidence_rows(const struct evidence *evidence, size_t target, size_t sampler, size_t score_error,
                     size_t dimension, const struct record **rows)
{
    return evidence_sampled_rows(evidence, target, sampler, score_error, dimension, 0, rows);
}

const char *evidence_refusal(const struct evidence *evidence, size_t target, size_t sampler, size_t dimension,
                             const struct bracket *bracket)
{
    const struct spec *spec = &evidence->spec;
    for (size_t i = 0; i < evidence->failed_count; i++) {
        const struct record *row = &evidence->failed[i];
        if (row->dimension == spec->dimensions[dimension] && row->steps > bracket->fails
            && row->steps < bracket->passes && row->chains == 0 && strcmp(row->score_error, "none") == 0
            && strcmp(row->target, spec->targets[target].name) == 0
            && strcmp(row->sampler, spec->samplers[sampler]->name) == 0)
            return row->failure;
    }
    return NULL;
}

/* ---- What failed, from lines "cell: reason" and "cell d=DIMENSION: reason" (plan_failures) ---- */

/* The number before the last '-' of a cell's name, and *end there. */
static size_t number_before(const char *name, const char **end)
{
    const char *start = *end;
    size_t number = 0;
    while (start > name && start[-1] >= '0' && start[-1] <= '9')
        start--;
    for (const char *digit = start; digit < *end; digit++)
        number = 10 * number + (size_t)(*digit - '0');
    *end = start;
    return number;
}

/* Finds which cell of the spec has this name: its number of steps and of chains are in it; nonzero if one has. The
 * search begins at the score error of *cell, for lines are in the order of cells. */
static int find_cell(const struct spec *spec, const char *key, struct cell *cell)
{
    static const char chains[] = "-chains";
    const char *end = strrchr(key, '-');
    struct error ignored;
    size_t first = cell->score_error < spec->score_error_count ? cell->score_error : 0;
    if (end == NULL)
        return 0;
    size_t mark = strlen(chains), before = (size_t)(end - key);
    int sampled = before > mark && strncmp(end - mark, chains, mark) == 0;
    *cell = (struct cell){.spec = spec};
    if (sampled) {
        end -= mark;
        cell->chains = number_before(key, &end);
        end -= end > key;
    }
    cell->steps = number_before(key, &end);
    for (cell->target = 0; cell->target < spec->target_count; cell->target++)
        for (cell->sampler = 0; cell->sampler < spec->sampler_count; cell->sampler++) {
            char start[2 * 64 + 3], found[CELL_KEY_SIZE];
            (void)snprintf(start, sizeof start, "%s-%s-", spec->targets[cell->target].name,
                           spec->samplers[cell->sampler]->name);
            if (strncmp(key, start, strlen(start)) != 0)
                continue;
            for (size_t i = 0; i < spec->score_error_count; i++) {
                cell->score_error = (first + i) % spec->score_error_count;
                if (cell_key(cell, found, &ignored) == STATUS_OK && strcmp(found, key) == 0)
                    return 1;
            }
        }
    return 0;
}

/* One line, of `length` characters; of a cell that the spec does not have, nothing is made. */
static enum status add_failed(struct evidence *evidence, const char *line, size_t length, size_t *capacity,
                              struct cell *cell, struct error *error)
{
    const struct spec *spec = &evidence->spec;
    char key[CELL_KEY_SIZE], reason[FAILURE_SIZE];
    size_t name = strcspn(line, ": "), dimension = 0, skipped = name;
    if (name >= sizeof key || name >= length)
        return STATUS_OK;
    (void)snprintf(key, sizeof key, "%.*s", (int)name, line);
    if (sscanf(line + name, " d=%20zu:", &dimension) == 1)
        skipped += strcspn(line + name, ":");
    if (skipped + 2 > length || !find_cell(spec, key, cell))
        return STATUS_OK;
    (void)snprintf(reason, sizeof reason, "%.*s", (int)(length - skipped - 2), line + skipped + 2);
    struct record *grown =
        array_reserve(evidence->failed, capacity, evidence->failed_count + spec->dimension_count, sizeof *grown);
    if (grown == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu failures", evidence->failed_count);
    evidence->failed = grown;
    for (size_t i = 0; i < spec->dimension_count; i++) {
        if (dimension != 0 && spec->dimensions[i] != dimension)
            continue;
        struct record *row = &evidence->failed[evidence->failed_count++];
        cell_blank(cell, i, row);
        parameters_move(row, &spec->parameters, &evidence->result.parameters);
        record_fail(row, reason);
    }
    return STATUS_OK;
}

static enum status find_failed(struct evidence *evidence, struct error *error)
{
    const char *const texts[] = {evidence->result.failures, evidence->result.refusals};
    struct cell cell = {.score_error = 0};
    size_t capacity = 0;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        for (const char *line = texts[i]; *line != '\0';) {
            size_t length = strcspn(line, "\n");
            TRY(add_failed(evidence, line, length, &capacity, &cell, error));
            line += length + (line[length] == '\n');
        }
    return STATUS_OK;
}

/* T(d, eps) for every accuracy, of one target, sampler, score error and dimension. */
static void find_brackets(struct evidence *evidence, size_t target, size_t sampler, size_t score_error, size_t d,
                          const struct record **rows, struct point *points)
{
    const struct spec *spec = &evidence->spec;
    size_t count = evidence_rows(evidence, target, sampler, score_error, d, rows);
    for (size_t i = 0; i < count; i++) {
        const double *value = quantity_of(spec->accuracy_in, rows[i]);
        points[i] = (struct point){(size_t)rows[i]->steps, rows[i]->step_size, value[0], value[1]};
    }
    for (size_t e = 0; e < spec->accuracy_count; e++)
        evidence->complexity[complexity_index(spec, target, sampler, score_error, d, e)] =
            bracket_find(points, count, spec->accuracies[e], spec_schedule(spec, sampler), 0);
}

static enum status find_complexity(struct evidence *evidence, struct error *error)
{
    const struct spec *spec = &evidence->spec;
    size_t each = spec->dimension_count * spec->accuracy_count, rest = spec->sampler_count * spec->score_error_count;
    size_t searches = spec->target_count * rest;
    const struct record **rows = array_new(evidence->result.count, sizeof *rows);
    struct point *points = array_new(evidence->result.count, sizeof *points);
    evidence->complexity =
        each > 0 && searches > SIZE_MAX / each ? NULL : array_new(searches * each, sizeof *evidence->complexity);
    const bool has_room = rows != NULL && points != NULL && evidence->complexity != NULL;
    for (size_t i = 0; i < searches && each > 0 && has_room; i++)
        for (size_t d = 0; d < spec->dimension_count; d++)
            find_brackets(evidence, i / rest, i % rest / spec->score_error_count, i % spec->score_error_count, d,
                          rows, points);
    free(rows);
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
    (void)snprintf(label, sizeof label, "%s(spec_text)", file);
    status = spec_parse(label, out->result.spec_text, strlen(out->result.spec_text), out->result.plugins, claim_names,
                        &out->spec, error);
    if (status == STATUS_OK) {
        if (strcmp(out->spec.title, out->spec.name) == 0) /* there is none: the name of the file was taken */
            (void)snprintf(out->spec.title, sizeof out->spec.title, "%s", out->result.spec_name);
        (void)snprintf(out->spec.name, sizeof out->spec.name, "%s", out->result.spec_name);
        status = find_complexity(out, error);
        if (status == STATUS_OK)
            status = find_failed(out, error);
    }
    return status;
}

void evidence_free(struct evidence *evidence)
{
    result_free(&evidence->result);
    spec_free(&evidence->spec);
    free(evidence->complexity);
    free(evidence->failed);
    *evidence = (struct evidence){.complexity = NULL};
}
