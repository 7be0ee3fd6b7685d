#include "experiment/run.h"

#include <errno.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/memory.h"
#include "core/progress.h"
#include "experiment/bracket.h"
#include "experiment/cell.h"
#include "experiment/store.h"

enum {
    SMALLEST_LOG2_STEPS = 4,
    MOST_LOG2_STEPS = 40,
    FIRST_STEPS =
        1500, /* the ladder up to here is measured at once; beyond, a rung at a time and only if it is needed */
    MOST_ROUNDS = 100
};

struct done {
    struct cell cell;
    double cost; /* predicted */
    struct record *rows; /* NULL if it failed */
    char failure[600];
    int reused;
};

struct run {
    const struct spec *spec;
    const struct run_options *options;
    struct done *done;
    size_t count, capacity;
    size_t *ladder, rungs;
    size_t *attempts; /* how often each bracket was narrowed: [target][sampler][dimension][accuracy] */
    struct progress progress;
};

size_t run_ladder(const struct spec *spec, size_t *list)
{
    size_t count = 0;
    for (int half = 2 * SMALLEST_LOG2_STEPS; half < 2 * MOST_LOG2_STEPS; half++) {
        size_t T = (size_t)lround(exp2(0.5 * half));
        if (T >= spec->max_steps)
            break;
        if (schedule_smallest_admissible(spec->schedule, spec->c0, spec->c1, T) == T) {
            if (list != NULL)
                list[count] = T;
            count++;
        }
    }
    if (list != NULL)
        list[count] = spec->max_steps;
    return count + 1;
}

static int known(const struct run *run, const struct cell *cell)
{
    for (size_t i = 0; i < run->count; i++)
        if (run->done[i].cell.target == cell->target && run->done[i].cell.sampler == cell->sampler
            && run->done[i].cell.score_error == cell->score_error && run->done[i].cell.steps == cell->steps
            && run->done[i].cell.chains == cell->chains)
            return 1;
    return 0;
}

static double cost(const struct cell *cell);

/* A cell that no exact law covers is left to chains; an experiment without them was refused when it was read. */
static enum status want_cell(struct run *run, struct cell cell, struct error *error)
{
    if (known(run, &cell) || (cell.chains == 0 && !cell_has_law(&cell)))
        return STATUS_OK;
    if (run->count == run->capacity) {
        size_t capacity = run->capacity > 0 ? 2 * run->capacity : 256;
        struct done *grown = array_resize(run->done, capacity, sizeof *grown);
        if (grown == NULL)
            return fail_with(error, STATUS_MEMORY, "out of memory for %zu cells", capacity);
        run->done = grown;
        run->capacity = capacity;
    }
    run->done[run->count++] = (struct done){.cell = cell, .cost = cost(&cell)};
    return STATUS_OK;
}

static enum status want(struct run *run, size_t target, size_t sampler, size_t score_error, size_t steps,
                        struct error *error)
{
    return want_cell(run, (struct cell){run->spec, target, sampler, score_error, steps, 0}, error);
}

/* At each of the spec's steps: by the exact law and by every number of chains. */
static enum status want_steps(struct run *run, size_t target, size_t sampler, size_t score_error,
                              struct error *error)
{
    const struct spec *spec = run->spec;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < spec->step_count; i++) {
        struct cell cell = {spec, target, sampler, score_error, spec->steps[i], 0};
        status = status == STATUS_OK ? want_cell(run, cell, error) : status;
        for (size_t n = 0; n < spec->chain_count && status == STATUS_OK; n++) {
            cell.chains = spec->chains[n];
            status = want_cell(run, cell, error);
        }
    }
    return status;
}

/* Nanoseconds that a chain needs for a coordinate, a component and a step, beside a microsecond of line law: what the
 * cost of a law is counted in. */
#define CHAIN_COST 3e-3

/* Chains, and pairs of paths beside them. */
static double chain_cost(const struct cell *cell)
{
    const struct spec *spec = cell->spec;
    struct error ignored;
    double numbers = 0.0;
    for (size_t d = 0; d < spec->dimension_count; d++) {
        struct factor_list factors;
        if (target_coordinates(&spec->targets[cell->target], spec->dimensions[d], &factors, &ignored) == STATUS_OK)
            for (size_t i = 0; i < factors.count; i++)
                numbers += factors.group[i].multiplicity * (double)factors.group[i].factor.dimension
                           * (double)(factors.group[i].factor.components + 2);
        factor_list_free(&factors);
    }
    return CHAIN_COST * numbers * (double)cell->chains * (double)cell->steps;
}

/* Relative cost of a law: closed forms are free beside density propagation; a law in the plane or of a radius costs so
 * many times what one on the line does. */
#define PLANE_COST 300.0
#define RADIAL_COST 10.0

static double law_cost(const struct factor *factor, const struct error_shape *shape)
{
    if (factor->dimension > 1)
        return (factor->mean != NULL ? PLANE_COST : RADIAL_COST) * (double)(factor->components + 2);
    int closed = factor->components == 1 && (shape == NULL || shape->affine);
    return closed ? 0.01 : (double)(factor->components + 2);
}

/* Under a score error each factor has two laws, the other with exact scores. */
static double cost(const struct cell *cell)
{
    const struct error_shape *shape = cell->spec->score_errors[cell->score_error].shape;
    struct factor_list factors;
    struct error ignored;
    double each = 0.0;
    if (cell->chains > 0)
        return chain_cost(cell);
    if (target_factors(&cell->spec->targets[cell->target], cell->spec->dimensions[0], &factors, &ignored)
        == STATUS_OK)
        for (size_t i = 0; i < factors.count; i++) {
            const struct factor *factor = &factors.group[i].factor;
            each += law_cost(factor, NULL) + (shape != NULL ? law_cost(factor, shape) : 0.0);
        }
    factor_list_free(&factors);
    return each * (double)cell->steps;
}

static int cell_order(const struct cell *a, const struct cell *b)
{
    if (a->target != b->target)
        return a->target < b->target ? -1 : 1;
    if (a->sampler != b->sampler)
        return a->sampler < b->sampler ? -1 : 1;
    if (a->score_error != b->score_error)
        return a->score_error < b->score_error ? -1 : 1;
    if (a->chains != b->chains)
        return a->chains < b->chains ? -1 : 1;
    return a->steps < b->steps ? -1 : a->steps > b->steps;
}

static int by_order(const void *a, const void *b)
{
    return cell_order(&((const struct done *)a)->cell, &((const struct done *)b)->cell);
}

static int by_cost(const void *a, const void *b)
{
    double x = ((const struct done *)a)->cost, y = ((const struct done *)b)->cost;
    return x > y ? -1 : x < y ? 1 : by_order(a, b);
}

/* The TVs of a target and sampler with exact scores in one dimension, by increasing steps. Returns how many. */
static size_t collect(const struct run *run, size_t target, size_t sampler, size_t dimension, struct point *points)
{
    size_t count = 0;
    for (size_t i = 0; i < run->count; i++) {
        const struct done *done = &run->done[i];
        if (done->cell.target != target || done->cell.sampler != sampler || done->cell.score_error != 0
            || done->cell.chains != 0 || done->rows == NULL)
            continue;
        const struct record *row = &done->rows[dimension];
        struct point point = {done->cell.steps, row->step_size, row->tv, row->tv_error};
        size_t at = count++;
        for (; at > 0 && points[at - 1].steps > point.steps; at--)
            points[at] = points[at - 1];
        points[at] = point;
    }
    return count;
}

/* Adds what T(d, eps) of one target and sampler still needs. */
static enum status pursue(struct run *run, size_t target, size_t sampler, struct point *points, struct error *error)
{
    const struct spec *spec = run->spec;
    enum status status = STATUS_OK;
    size_t measured = run->count; /* cells added below have no rows yet */
    for (size_t d = 0; d < spec->dimension_count; d++) {
        size_t all = run->count;
        run->count = measured;
        size_t count = collect(run, target, sampler, d, points);
        run->count = all;
        for (size_t e = 0; e < spec->accuracy_count && status == STATUS_OK; e++) {
            size_t *attempts = &run->attempts[((target * spec->sampler_count + sampler) * spec->dimension_count + d)
                                                  * spec->accuracy_count
                                              + e];
            struct bracket bracket = bracket_find(points, count, spec->accuracies[e], spec->c1, *attempts);
            *attempts += bracket.reach == REACH_OPEN;
            if (bracket.reach == REACH_OPEN)
                for (int i = 0; i < 2 && status == STATUS_OK; i++)
                    if (bracket.want[i] > 0)
                        status = want(run, target, sampler, 0, bracket.want[i], error);
            if (bracket.reach == REACH_BEYOND) {
                size_t next = 0;
                while (next < run->rungs && run->ladder[next] <= bracket.fails)
                    next++;
                if (next < run->rungs && status == STATUS_OK)
                    status = want(run, target, sampler, 0, run->ladder[next], error);
            }
        }
    }
    return status;
}

static enum status plan_round(struct run *run, size_t round, struct error *error)
{
    const struct spec *spec = run->spec;
    enum status status = STATUS_OK;
    struct point *points = array_new(run->count + 1, sizeof *points);
    if (points == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu points", run->count);
    for (size_t target = 0; target < spec->target_count; target++)
        for (size_t sampler = 0; sampler < spec->sampler_count; sampler++) {
            for (size_t e = 0; round == 0 && e < spec->score_error_count; e++)
                status = status == STATUS_OK ? want_steps(run, target, sampler, e, error) : status;
            for (size_t i = 0; round == 0 && spec->accuracy_count > 0 && i < run->rungs && status == STATUS_OK; i++)
                if (run->ladder[i] <= FIRST_STEPS)
                    status = want(run, target, sampler, 0, run->ladder[i], error);
            if (round > 0 && status == STATUS_OK)
                status = pursue(run, target, sampler, points, error);
        }
    free(points);
    return status;
}

static enum status store_cell(const struct run *run, const char *path, const struct done *done, struct error *error)
{
    const struct provenance *p = run->options->provenance;
    const struct fact facts[] = {{"failure", done->failure}, {"version", p->version}, {"commit", p->commit},
                                 {"compiler", p->compiler},  {"flags", p->flags},     {"libraries", p->libraries},
                                 {"host", p->host},          {"command", p->command}, {NULL, NULL}};
    return store_write(path, done->rows, done->rows != NULL ? run->spec->dimension_count : 0, facts, error);
}

static int read_cell(const struct run *run, const char *path, struct done *done)
{
    struct result result;
    struct error ignored;
    struct stat found;
    if (run->options->force || stat(path, &found) != 0 || store_read(path, &result, &ignored) != STATUS_OK)
        return 0;
    int usable = result.count == run->spec->dimension_count && result.failure[0] == '\0';
    if (usable) {
        done->rows = result.rows;
        result.rows = NULL;
        done->reused = 1;
    }
    result_free(&result);
    return usable;
}

/* Reads or measures one cell. Only a failure to store is an error of the run. */
static enum status make_cell(struct run *run, struct done *done, struct error *error)
{
    char key[CELL_KEY_SIZE], path[4096];
    enum status status = cell_key(&done->cell, key, error);
    if (status != STATUS_OK)
        return status;
    if ((size_t)snprintf(path, sizeof path, "%s/cells/%s.h5", run->options->directory, key) >= sizeof path)
        return fail_with(error, STATUS_IO, "the path of cell %s is too long", key);
    if (read_cell(run, path, done))
        return STATUS_OK;
    struct record *rows = array_new(run->spec->dimension_count, sizeof *rows);
    if (rows == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu rows", run->spec->dimension_count);
    struct error cause = {STATUS_OK, ""};
    if (cell_measure(&done->cell, rows, &cause) == STATUS_OK) {
        done->rows = rows;
    } else {
        free(rows);
        memcpy(done->failure, cause.text, sizeof done->failure);
    }
    return store_cell(run, path, done, error);
}

static void label(const struct cell *cell, char *text, size_t size)
{
    const struct spec *spec = cell->spec;
    char score_error[100] = "", chains[40] = "";
    if (cell->score_error > 0)
        record_label_score_error(&spec->score_errors[cell->score_error], score_error, sizeof score_error);
    if (cell->chains > 0)
        (void)snprintf(chains, sizeof chains, " %zu chains", cell->chains);
    (void)snprintf(text, size, "%s %s%s%s T=%zu%s", spec->targets[cell->target].name,
                   spec->samplers[cell->sampler]->name, cell->score_error > 0 ? " " : "", score_error, cell->steps,
                   chains);
}

static enum status make_round(struct run *run, size_t first, struct error *error)
{
    enum status status = STATUS_OK;
    size_t count = run->count - first;
    qsort(run->done + first, count, sizeof *run->done, by_cost);
    double expected = run->progress.cost_done;
    for (size_t i = first; i < run->count; i++)
        expected += run->done[i].cost;
    progress_expect(&run->progress, run->count, expected);
    int threads = run->options->jobs > 0 ? run->options->jobs : omp_get_max_threads();
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
    for (size_t i = first; i < run->count; i++) {
        struct error own = {STATUS_OK, ""};
        char text[200];
        enum status stopped;
#pragma omp atomic read
        stopped = status;
        if (stopped != STATUS_OK)
            continue;
        label(&run->done[i].cell, text, sizeof text);
        progress_begin(&run->progress, text);
        enum status one = make_cell(run, &run->done[i], &own);
        progress_end(&run->progress, text, run->done[i].cost);
        if (one != STATUS_OK) {
#pragma omp critical(run_error)
            if (status == STATUS_OK) {
                status = one;
                if (error != NULL)
                    *error = own;
            }
        }
    }
    return status;
}

static enum status merge(struct run *run, struct error *error)
{
    const struct spec *spec = run->spec;
    const struct provenance *p = run->options->provenance;
    char path[4096];
    if ((size_t)snprintf(path, sizeof path, "%s/%s.h5", run->options->directory, spec->name) >= sizeof path)
        return fail_with(error, STATUS_IO, "the path of the merged file of %s is too long", spec->name);
    qsort(run->done, run->count, sizeof *run->done, by_order);
    struct record *rows = array_new(run->count, spec->dimension_count * sizeof *rows);
    if (rows == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu cells", run->count);
    size_t count = 0;
    for (size_t i = 0; i < run->count; i++)
        if (run->done[i].rows != NULL) {
            memcpy(rows + count, run->done[i].rows, spec->dimension_count * sizeof *rows);
            count += spec->dimension_count;
        }
    const struct fact facts[] = {{"spec_text", spec->text},   {"spec_name", spec->name},
                                 {"version", p->version},     {"commit", p->commit},
                                 {"compiler", p->compiler},   {"flags", p->flags},
                                 {"libraries", p->libraries}, {"host", p->host},
                                 {"command", p->command},     {NULL, NULL}};
    enum status status = store_write(path, rows, count, facts, error);
    free(rows);
    return status;
}

static enum status make_directory(const char *path, struct error *error)
{
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return fail_with(error, STATUS_IO, "cannot make directory %s: %s", path, strerror(errno));
    return STATUS_OK;
}

static enum status make_directories(const char *directory, struct error *error)
{
    char path[4096];
    if ((size_t)snprintf(path, sizeof path, "%s/cells", directory) >= sizeof path)
        return fail_with(error, STATUS_IO, "the path %s is too long", directory);
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        enum status status = make_directory(path, error);
        if (status != STATUS_OK)
            return status;
        *slash = '/';
    }
    return make_directory(path, error);
}

static void summarize(const struct run *run, struct run_summary *summary)
{
    *summary = (struct run_summary){0};
    for (size_t i = 0; i < run->count; i++) {
        const struct done *done = &run->done[i];
        summary->reused += done->reused != 0;
        summary->measured += done->rows != NULL && !done->reused;
        if (done->rows == NULL && summary->failed++ == 0)
            memcpy(summary->first_failure, done->failure, sizeof summary->first_failure);
    }
}

enum status run_experiment(const struct spec *spec, const struct run_options *options, struct run_summary *summary,
                           struct error *error)
{
    struct run run = {.spec = spec, .options = options, .rungs = run_ladder(spec, NULL)};
    *summary = (struct run_summary){0};
    enum status status = make_directories(options->directory, error);
    size_t pairs = spec->target_count * spec->sampler_count, brackets = spec->dimension_count * spec->accuracy_count;
    run.ladder = array_new(run.rungs, sizeof *run.ladder);
    run.attempts =
        brackets > 0 && pairs > SIZE_MAX / brackets ? NULL : array_new(pairs * brackets, sizeof *run.attempts);
    if (status == STATUS_OK && (run.ladder == NULL || run.attempts == NULL))
        status = fail_with(error, STATUS_MEMORY, "out of memory for the numbers of steps");
    if (status == STATUS_OK)
        (void)run_ladder(spec, run.ladder);
    progress_start(&run.progress, "cells");
    for (size_t round = 0; round < MOST_ROUNDS && status == STATUS_OK; round++) {
        size_t before = run.count;
        status = plan_round(&run, round, error);
        if (status == STATUS_OK && run.count == before)
            break;
        if (status == STATUS_OK)
            status = make_round(&run, before, error);
    }
    progress_finish(&run.progress);
    if (status == STATUS_OK)
        status = merge(&run, error);
    summarize(&run, summary);
    for (size_t i = 0; i < run.count; i++)
        free(run.done[i].rows);
    free(run.done);
    free(run.ladder);
    free(run.attempts);
    return status;
}
