#include "results/old.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "experiment/cell.h"

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
    *cell = (struct cell){.spec = spec, .dimensions = spec_dimensions(spec)};
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

/* The cells that lines of plan_failures name. */
static enum status add_cells(const struct spec *spec, const char *lines, struct cell **cells, size_t *count,
                             size_t *capacity, struct error *error)
{
    struct cell cell = {.spec = spec};
    for (const char *line = lines; *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n') {
        char key[CELL_KEY_SIZE];
        const size_t length = strcspn(line, ": \n");
        (void)snprintf(key, sizeof key, "%.*s", (int)(length < sizeof key ? length : 0), line);
        if (!find_cell(spec, key, &cell))
            continue;
        struct cell *grown = array_reserve(*cells, capacity, *count + 1, sizeof *grown);
        if (grown == NULL)
            return fail_with(error, STATUS_MEMORY, "out of memory for %zu failures", *count);
        *cells = grown;
        (*cells)[(*count)++] = cell;
    }
    return STATUS_OK;
}

enum status old_manifest(const char *file, struct result *result, const char *const *claim_names, struct error *error)
{
    char label[4200];
    struct spec spec;
    struct cell *cells = NULL;
    size_t count = 0, capacity = 0;
    char *text = NULL;
    enum status status;
    (void)snprintf(label, sizeof label, "%s(spec_text)", file);
    TRY_OR(end, spec_parse(label, result->spec_text, strlen(result->spec_text), result->plugins, claim_names, &spec,
                           error));
    spec_rename(&spec, result->spec_name);
    TRY_OR(end, add_cells(&spec, result->failures, &cells, &count, &capacity, error));
    TRY_OR(end, add_cells(&spec, result->refusals, &cells, &count, &capacity, error));
    TRY_OR(end, manifest_write(&spec, cells, count, &text, error));
    free(result->manifest);
    result->manifest = text;
    text = NULL;
end:
    free(text);
    free(cells);
    spec_free(&spec);
    return status;
}
