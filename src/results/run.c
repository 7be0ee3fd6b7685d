#define _GNU_SOURCE /* qsort_r */
#include "results/run.h"

#include <malloc.h>
#include <omp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "core/memory.h"
#include "core/progress.h"
#include "core/text.h"
#include "core/process.h"
#include "experiment/plan.h"
#include "results/cell_file.h"
#include "results/directory.h"
#include "results/origins.h"
#include "results/store.h"

/* Predicted microseconds of a cell that takes no longer than to start a process: to clone the caller takes 400, and
 * the page faults of the clone, as measured, another 1000 to 2000. */
#define LIGHT_CELL 2e3

struct run {
    const struct spec *spec;
    const struct run_options *options;
    struct plan plan;
    int measures;               /* else only reads what is there, of all shares */
    size_t looked;              /* items of the plan before this one have been looked at */
    size_t *ready, ready_count; /* items to measure, the most expensive last */
    struct cell_name *names;    /* of the files of cells that were there at the start */
    size_t name_count;
    size_t missing;             /* items that are neither stored nor to be measured here */
    int jobs, running, threads; /* the last: what the next cell gets */
    struct origins origins;
    int has_own; /* origins hold those of the cells that are measured now, all alike */
    struct progress progress;
};

static int is_ours(const struct run *run, size_t share)
{
    return !run->measures || share + 1 == run->options->share;
}

static enum status no_memory(const struct run *run, struct error *error)
{
    return fail_with(error, STATUS_MEMORY, "out of memory for %zu cells", run->plan.count);
}

static enum status find_cell(const struct run *run, size_t index, char path[DIRECTORY_PATH_SIZE], struct error *error)
{
    return directory_cell(run->options->directory, &run->plan.items[index].cell, path, error);
}

/* Its provenance may be NULL where another cell's says the same. */
static enum status settle(struct run *run, size_t index, struct result *result, enum item_state state,
                          struct error *error)
{
    int failed = result->failure[0] != '\0';
    if (result->provenance != NULL)
        TRY(origins_add(&run->origins, result->provenance, error));
    plan_settle(&run->plan, index, failed ? ITEM_FAILED : state, failed ? NULL : result->rows,
                failed ? result->failure : NULL);
    *(failed ? (void **)&result->failure : (void **)&result->rows) = NULL; /* the plan's now */
    if (run->measures && state == ITEM_MEASURED)
        run->progress.failed += (failed || run->plan.items[index].asked) && plan_has_failed(&run->plan, index);
    return STATUS_OK;
}

static int is_stored(const struct run *run, size_t index)
{
    char path[DIRECTORY_PATH_SIZE];
    struct stat found;
    struct error ignored;
    return find_cell(run, index, path, &ignored) == STATUS_OK && stat(path, &found) == 0;
}

/* Leaves what did not fail. */
static void forget_failures(const struct cell *cell, struct record *rows)
{
    for (size_t i = 0; i < cell->dimensions.count && rows != NULL; i++)
        if (rows[i].failure[0] != '\0')
            rows[i].dimension = 0;
}

/* What other experiments measured of it, those that were in this directory before, is not measured again. */
static enum status leave(struct run *run, size_t index, struct error *error)
{
    struct item *item = &run->plan.items[index];
    if (!run->measures) {
        run->missing++;
        return STATUS_OK;
    }
    run->ready[run->ready_count++] = index;
    if (run->options->force || item->known != NULL)
        return STATUS_OK;
    TRY(directory_relatives(run->options->directory, &item->cell, run->names, run->name_count,
                            run->options->provenance, &item->known, error));
    if (run->options->retry_failed)
        forget_failures(&item->cell, item->known);
    return STATUS_OK;
}

static enum status say_what_helps(struct error *error)
{
    struct error cause = error != NULL ? *error : (struct error){STATUS_IO, ""};
    return fail_with(error, STATUS_IO, "%.540s; --retry-failed measures it again", cause.text);
}

static enum status look_at(struct run *run, size_t index, struct error *error)
{
    struct result result;
    if ((run->measures && run->options->force) || !is_stored(run, index))
        return leave(run, index, error);
    enum status status = directory_load(run->options->directory, &run->plan.items[index].cell, &result, error);
    struct item *item = &run->plan.items[index];
    int damaged = status == STATUS_IO, failed = status == STATUS_OK && result.failure[0] != '\0';
    int in_part = status == STATUS_OK && !failed && cell_has_failures(&item->cell, result.rows);
    if (run->measures && run->options->retry_failed && in_part) {
        item->known = result.rows;
        result.rows = NULL; /* the plan's now */
        forget_failures(&item->cell, item->known);
    }
    if (run->measures && run->options->retry_failed && (damaged || failed || in_part))
        status = leave(run, index, error);
    else if (damaged && run->measures)
        status = say_what_helps(error);
    else if (status == STATUS_OK)
        status = settle(run, index, &result, ITEM_READ, error);
    result_free(&result);
    return status;
}

static int by_cost(const void *a, const void *b, void *context)
{
    const struct plan *plan = context;
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    double x = plan->items[i].cost, y = plan->items[j].cost;
    return x < y ? -1 : x > y ? 1 : i < j ? 1 : i > j ? -1 : 0;
}

/* What a search for T(d, eps), if it is one, can go on with now. */
static enum status pursue_one(struct run *run, size_t pursuit, struct error *error)
{
    return pursuit < run->plan.pursuit_count && is_ours(run, run->plan.pursuits[pursuit].share)
               ? plan_pursue(&run->plan, pursuit, error)
               : STATUS_OK;
}

static enum status pursue(struct run *run, struct error *error)
{
    for (size_t i = 0; i < run->plan.pursuit_count; i++)
        TRY(pursue_one(run, i, error));
    return STATUS_OK;
}

static void expect(struct run *run)
{
    double cost = run->progress.cost_done;
    for (size_t i = 0; i < run->ready_count; i++)
        cost += run->plan.items[run->ready[i]].cost;
    progress_expect(&run->progress, run->progress.done + run->ready_count + (size_t)run->running, cost);
}

/* Room among those ready for all cells that are known. */
static enum status make_room(struct run *run, struct error *error)
{
    size_t *grown = array_resize(run->ready, run->plan.count, sizeof *grown);
    if (grown == NULL)
        return no_memory(run, error);
    run->ready = grown;
    return STATUS_OK;
}

static void order_by_cost(struct run *run)
{
    qsort_r(run->ready, run->ready_count, sizeof *run->ready, by_cost, &run->plan);
    expect(run);
}

/* Reads what is stored; what is not is ready to be measured or missing. Goes on as long as that leads to new cells.
 */
static enum status look(struct run *run, struct error *error)
{
    if (run->looked == run->plan.count)
        return STATUS_OK;
    while (run->looked < run->plan.count) {
        TRY(make_room(run, error));
        for (; run->looked < run->plan.count; run->looked++)
            if (run->plan.items[run->looked].state == ITEM_OPEN && is_ours(run, run->plan.items[run->looked].share))
                TRY(look_at(run, run->looked, error));
        TRY(pursue(run, error));
    }
    order_by_cost(run);
    return STATUS_OK;
}

/* Threads within a cell are for when cells are fewer than processors. */
static int next_cell(void *context, size_t *item)
{
    struct run *run = context;
    char text[CELL_LABEL_SIZE];
    if (run->ready_count == 0)
        return 0;
    size_t cells = run->ready_count + (size_t)run->running;
    run->threads = cells < (size_t)run->jobs ? run->jobs / (int)cells : 1;
    *item = run->ready[--run->ready_count];
    run->running++;
    cell_label(&run->plan.items[*item].cell, text);
    progress_begin(&run->progress, text);
    return 1;
}

/* Only where so many are ready that all processors stay busy; cells of plug-ins, whose code may leave anything behind
 * in its process, have each their own. */
static int is_light(void *context, size_t index)
{
    const struct run *run = context;
    return run->plan.items[index].cost < LIGHT_CELL && run->spec->plugins[0] == '\0'
           && run->ready_count > (size_t)run->jobs * PROCESS_ITEMS;
}

static enum status store_cell(const struct run *run, size_t index, const struct record *rows, const char *failure,
                              struct error *error)
{
    char path[DIRECTORY_PATH_SIZE];
    const struct provenance *p = run->options->provenance;
    const struct cell *cell = &run->plan.items[index].cell;
    size_t dimensions = rows != NULL ? cell->dimensions.count : 0, count = 0;
    char *description = cell_describe(cell), *failures = rows != NULL ? cell_failures(cell, rows) : strdup("");
    struct record *measured = array_new(dimensions, sizeof *measured);
    enum status status = description != NULL && failures != NULL && measured != NULL
                             ? find_cell(run, index, path, error)
                             : no_memory(run, error);
    if (status == STATUS_OK) {
        const struct fact facts[] = {{"cell", description},
                                     {"failure", failure},
                                     {"version", p->version},
                                     {"commit", p->commit},
                                     {"compiler", p->compiler},
                                     {"flags", p->flags},
                                     {"libraries", p->libraries},
                                     {"host", p->host},
                                     {"command", p->command},
                                     {failures[0] != '\0' ? "failures" : NULL, failures},
                                     {NULL, NULL}};
        for (size_t i = 0; i < dimensions; i++)
            if (rows[i].failure[0] == '\0')
                measured[count++] = rows[i];
        status = cell_file_write(path, measured, count, &run->spec->parameters, facts, error);
    }
    free(measured);
    free(failures);
    free(description);
    return status;
}

/* What comes of it is stored by the caller of the process, as is that the process died. */
static enum status make_cell(void *context, size_t index, void *rows, struct error *error)
{
    struct run *run = context;
    omp_set_num_threads(run->threads);
    const struct item *item = &run->plan.items[index];
    return item->known != NULL ? cell_complete(&item->cell, item->known, run->threads, rows, error)
                               : cell_measure(&item->cell, run->threads, rows, error);
}

/* As it would be read back. */
static enum status settle_measured(struct run *run, size_t index, const struct record *rows, const char *failure,
                                   struct error *error)
{
    size_t count = run->plan.items[index].cell.dimensions.count;
    struct result result = {.failure = strdup(failure), .rows = array_new(count, sizeof *result.rows)};
    enum status status = result.failure != NULL && result.rows != NULL ? STATUS_OK : no_memory(run, error);
    if (status == STATUS_OK) {
        memcpy(result.rows, rows, count * sizeof *rows);
        text_tame(result.failure, "");
        status = settle(run, index, &result, ITEM_MEASURED, error);
    }
    result_free(&result);
    return status;
}

/* The first is read back from its file, which tells the origins of all. */
static enum status settle_first(struct run *run, size_t index, struct error *error)
{
    struct result result;
    enum status status = directory_load(run->options->directory, &run->plan.items[index].cell, &result, error);
    if (status == STATUS_OK)
        status = settle(run, index, &result, ITEM_MEASURED, error);
    run->has_own = status == STATUS_OK;
    result_free(&result);
    return status;
}

static enum status cell_ended(void *context, size_t index, const void *rows, const struct error *cause,
                              struct error *error)
{
    struct run *run = context;
    int measured = cause->status == STATUS_OK;
    char text[CELL_LABEL_SIZE];
    run->running--;
    cell_label(&run->plan.items[index].cell, text);
    enum status status = store_cell(run, index, measured ? rows : NULL, cause->text, error);
    if (status == STATUS_OK)
        status =
            run->has_own ? settle_measured(run, index, rows, cause->text, error) : settle_first(run, index, error);
    progress_end(&run->progress, text, run->plan.items[index].cost);
    if (status == STATUS_OK) /* no other search knows more than before */
        status = pursue_one(run, run->plan.items[index].pursuit, error);
    return status == STATUS_OK ? look(run, error) : status;
}

static int is_needed(const struct run *run, const struct item *item)
{
    return item->state == ITEM_OPEN && item->pursuit != SIZE_MAX && !is_ours(run, item->share)
           && is_ours(run, run->plan.pursuits[item->pursuit].share);
}

/* When all of its own is done, a share takes what its searches still need of others: it reads what they have stored
 * by now, and measures the rest itself, for they may run later or never. Of two that measure one cell at once, both
 * store the same. */
static enum status take_over(struct run *run, struct error *error)
{
    size_t known = run->plan.count;
    TRY(make_room(run, error));
    for (size_t i = 0; i < known; i++)
        if (is_needed(run, &run->plan.items[i]))
            TRY(look_at(run, i, error));
    TRY(pursue(run, error));
    TRY(look(run, error));
    order_by_cost(run);
    return STATUS_OK;
}

static enum status measure(struct run *run, int *interruption, struct error *error)
{
    run->measures = 1;
    run->jobs = run->options->jobs > 0 ? run->options->jobs : omp_get_max_threads();
    size_t answer = run->spec->dimension_count * sizeof(struct record);
    const struct work work = {run,       run->jobs, answer,     run->options->cell_seconds,
                              next_cell, make_cell, cell_ended, is_light};
    enum status status;
    TRY(directory_open(run->options->directory, run->spec, run->options->provenance->version, run->options->adopt,
                       error));
    TRY(directory_list(run->options->directory, &run->names, &run->name_count, error));
    progress_start(&run->progress, "cells");
    TRY_OR(end, look(run, error));
    TRY_OR(end, workers_run(&work, interruption, error));
    TRY_OR(end, take_over(run, error));
    if (run->ready_count > 0)
        TRY_OR(end, workers_run(&work, interruption, error));
end:
    if (status == STATUS_OK || status == STATUS_INTERRUPTED)
        progress_finish(&run->progress);
    else
        progress_hide(&run->progress);
    return status;
}

/* What other shares have done. */
static enum status collect(struct run *run, struct error *error)
{
    run->measures = 0;
    run->looked = 0;
    return look(run, error);
}

static enum status write_merged(struct run *run, const struct run_summary *summary, struct error *error)
{
    char path[DIRECTORY_PATH_SIZE], *strings = NULL, *manifest = NULL;
    enum status status;
    TRY(plan_manifest(&run->plan, &manifest, error));
    const struct fact own[] = {{"spec_text", run->spec->text},
                               {"manifest", manifest},
                               {"spec_name", run->spec->name},
                               {"failures", summary->failures},
                               {"refusals", summary->refusals},
                               {run->spec->plugins[0] != '\0' ? "plugins" : NULL, run->spec->plugins},
                               {NULL, NULL}};
    struct fact *facts = NULL;
    size_t row_count = 0, fact_count = 0;
    const struct record **rows = plan_rows(&run->plan, &row_count);
    TRY_OR(end, rows != NULL ? STATUS_OK : no_memory(run, error));
    TRY_OR(end, directory_merged(run->options->directory, run->spec, path, error));
    TRY_OR(end, origins_facts(&run->origins, sizeof own / sizeof own[0], &facts, &fact_count, &strings, error));
    memcpy(facts + fact_count, own, sizeof own);
    TRY_OR(end, store_write(path, rows, row_count, &run->spec->parameters, facts, error));
end:
    free(manifest);
    free(rows);
    free(facts);
    free(strings);
    return status;
}

static enum status merge(struct run *run, struct run_summary *summary, struct error *error)
{
    plan_sort(&run->plan);
    summary->failures = plan_failures(&run->plan, false);
    summary->refusals = plan_failures(&run->plan, true);
    if (summary->failures == NULL || summary->refusals == NULL)
        return no_memory(run, error);
    if (run->missing > 0)
        return STATUS_OK;
    TRY(write_merged(run, summary, error));
    summary->merged = 1;
    return STATUS_OK;
}

static void count(const struct run *run, struct run_summary *summary)
{
    summary->missing = run->missing;
    for (size_t i = 0; i < run->plan.count; i++) {
        const struct item *item = &run->plan.items[i];
        bool failed = plan_has_failed(&run->plan, i);
        summary->failed += failed;
        summary->measured += item->state == ITEM_MEASURED && !failed;
        summary->reused += item->state == ITEM_READ && !failed;
    }
}

static void run_free(struct run *run)
{
    plan_free(&run->plan);
    origins_free(&run->origins);
    free(run->names);
    free(run->ready);
    (void)malloc_trim(0); /* the caller may read all rows anew, from the merged file */
}

/* Measures what is missing, or leaves it so, and merges. */
static enum status fill(const struct spec *spec, const struct run_options *options, bool measures,
                        struct run_summary *summary, struct error *error)
{
    struct run run = {.spec = spec, .options = options};
    enum status status;
    *summary = (struct run_summary){0};
    TRY_OR(end, plan_new(spec, options->shares, &run.plan, error));
    if (measures)
        TRY_OR(end, measure(&run, &summary->interruption, error));
    TRY_OR(end, collect(&run, error));
    TRY_OR(end, merge(&run, summary, error));
end:
    count(&run, summary);
    run_free(&run);
    return status;
}

enum status run_experiment(const struct spec *spec, const struct run_options *options, struct run_summary *summary,
                           struct error *error)
{
    return fill(spec, options, true, summary, error);
}

enum status run_merge(const struct spec *spec, const char *directory, struct run_summary *summary,
                      struct error *error)
{
    const struct run_options options = {.directory = directory, .shares = 1};
    return fill(spec, &options, false, summary, error);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct cell_name *)a)->key, ((const struct cell_name *)b)->key);
}

/* Those of the plan, all of which are there. */
static enum status remove_others(const struct run *run, size_t *removed, struct error *error)
{
    size_t count = run->plan.count;
    struct cell_name *planned = array_new(count, sizeof *planned);
    enum status status = planned != NULL ? STATUS_OK : no_memory(run, error);
    TRY_OR(end, status);
    for (size_t i = 0; i < count; i++)
        TRY_OR(end, cell_key(&run->plan.items[i].cell, planned[i].key, error));
    qsort(planned, count, sizeof *planned, by_key);
    for (size_t i = 0; i < run->name_count; i++)
        if (bsearch(&run->names[i], planned, count, sizeof *planned, by_key) == NULL) {
            TRY_OR(end, directory_remove(run->options->directory, &run->names[i], error));
            (*removed)++;
        }
end:
    free(planned);
    return status;
}

enum status run_prune(const struct spec *spec, const char *directory, size_t *removed, struct error *error)
{
    const struct run_options options = {.directory = directory, .shares = 1};
    struct run run = {.spec = spec, .options = &options};
    *removed = 0;
    enum status status;
    TRY_OR(end, plan_new(spec, options.shares, &run.plan, error));
    TRY_OR(end, collect(&run, error));
    if (run.missing > 0)
        TRY_OR(end, fail_with(error, STATUS_IO,
                              "at least %zu cell%s of %s not there yet, and which others it needs is not known; "
                              "nothing is removed",
                              run.missing, run.missing == 1 ? "" : "s", directory));
    TRY_OR(end, directory_list(directory, &run.names, &run.name_count, error));
    TRY_OR(end, remove_others(&run, removed, error));
end:
    run_free(&run);
    return status;
}

void run_summary_free(struct run_summary *summary)
{
    free(summary->failures);
    free(summary->refusals);
    *summary = (struct run_summary){0};
}
