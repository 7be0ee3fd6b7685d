#include <argp.h>
#include <inttypes.h>
#include <errno.h>
#include <math.h>
#include <omp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "experiment/json.h"
#include "core/memory.h"
#include "core/progress.h"
#include "core/text.h"
#include "core/process.h"
#include "experiment/cell.h"
#include "experiment/cost.h"
#include "experiment/plan.h"
#include "report/table.h"

enum { KEY_JSON = 1000, KEY_CELL_SECONDS };

struct options {
    const char *file;
    bool json;
    int jobs;
    double cell_seconds;
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case KEY_JSON:
        options->json = true;
        return 0;
    case 'j':
        options->jobs = command_read_jobs(argument, state);
        return 0;
    case KEY_CELL_SECONDS:
        options->cell_seconds = command_read_seconds(argument, state);
        return 0;
    default:
        return command_argument(key, argument, state, &options->file, "FILE", "");
    }
}

/* Of the components, in the target's order; null where they are not known. */
static void print_components(const char *name, const struct estimate *of, bool error)
{
    size_t count = RECORD_MASSES;
    while (count > 0 && isnan(of[count - 1].value))
        count--;
    printf(", \"%s\": %s", name, count == 0 ? "null" : "");
    for (size_t k = 0; k < count; k++) {
        fputs(k == 0 ? "[" : ", ", stdout);
        json_real(stdout, error ? of[k].error : of[k].value);
    }
    fputs(count > 0 ? "]" : "", stdout);
}

/* A row that failed has its reason too. */
static void print_json(const struct parameter_columns *parameters, const struct record *row)
{
    for (const struct field *field = record_fields; field->name != NULL; field++) {
        if (field->component > 0)
            continue; /* in lists, below */
        fputs(field == record_fields ? "{" : ", ", stdout);
        json_field(stdout, field, row);
    }
    for (size_t i = 0; i < parameters->count; i++) {
        const struct field field = parameter_field(parameters, i);
        fputs(", ", stdout);
        json_field(stdout, &field, row);
    }
    print_components("mass_error", row->mass_error, false);
    print_components("mass_error_error", row->mass_error, true);
    if (row->chains > 0) {
        print_components("sampled_mass", row->estimates.mass, false);
        print_components("sampled_mass_se", row->estimates.mass, true);
        print_components("sampled_mass_error", row->estimates.mass_error, false);
        print_components("sampled_mass_error_se", row->estimates.mass_error, true);
    }
    if (row->failure[0] != '\0') {
        fputs(", \"failure\": ", stdout);
        json_text(stdout, row->failure);
    }
    puts("}");
}

/* Columns that are shown only beside score errors. */
enum { SCORE_ERROR_COLUMN = 2, EFFECT_COLUMN = 18, EFFECT_RADIUS_COLUMN };

enum { COLUMNS = 21 };
static const struct table_column columns[COLUMNS] = {
    {"TARGET", LEFT},     {"SAMPLER", LEFT}, {"SCORE ERROR", LEFT}, {"D", RIGHT},  {"T", RIGHT},       {"H", RIGHT},
    {"TV", RIGHT},        {"+-", RIGHT},     {"KL(P|Q)", RIGHT},    {"+-", RIGHT}, {"KL(Q|P)", RIGHT}, {"+-", RIGHT},
    {"CHI2(Q|P)", RIGHT}, {"+-", RIGHT},     {"HELLINGER2", RIGHT}, {"+-", RIGHT}, {"W2", RIGHT},      {"+-", RIGHT},
    {"EFFECT", RIGHT},    {"+-", RIGHT},     {"LAW", LEFT},
};

enum { SAMPLED_COLUMNS = 14 };
static const struct table_column sampled_columns[SAMPLED_COLUMNS] = {
    {"TARGET", LEFT},
    {"SAMPLER", LEFT},
    {"SCORE ERROR", LEFT},
    {"D", RIGHT},
    {"T", RIGHT},
    {"CHAINS", RIGHT},
    {"TV >= (proj.)", RIGHT},
    {"TV >= (weights)", RIGHT},
    {"TV <= (chi2)", RIGHT},
    {"TV <= (Pinsker)", RIGHT},
    {"KL(Q|P) (knn)", RIGHT},
    {"CHI2(Q|P)", RIGHT},
    {"EFFECTIVE", RIGHT},
    {"MEMORISED", RIGHT},
};

/* Two tables, the second of chains; with exact scores alone they do not say so. */
struct output {
    bool json, with_errors;
    struct table laws, chains;
    struct table_column law_column[COLUMNS], chain_column[SAMPLED_COLUMNS];
    size_t law_width[COLUMNS], chain_width[SAMPLED_COLUMNS];
    struct table *last; /* the one that the last row went to; NULL before the first */
};

static size_t choose_columns(const struct table_column *all, size_t count, bool with_errors,
                             struct table_column *shown)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        bool of_errors =
            i == SCORE_ERROR_COLUMN || (all == columns && (i == EFFECT_COLUMN || i == EFFECT_RADIUS_COLUMN));
        if (with_errors || !of_errors)
            shown[kept++] = all[i];
    }
    return kept;
}

static void widen(size_t *width, const char *text)
{
    size_t length = strlen(text);
    *width = *width > length ? *width : length;
}

/* So that rows, which are printed as they come, stay under their titles. */
static void set_widths(const struct spec *spec, size_t *width, bool with_errors)
{
    for (size_t i = 0; i < spec->target_count; i++)
        widen(&width[0], spec->targets[i].name);
    for (size_t i = 0; i < spec->sampler_count; i++)
        widen(&width[1], spec->samplers[i]->name);
    for (size_t i = 0; i < spec->score_error_count && with_errors; i++) {
        char label[100];
        record_label_score_error(&spec->score_errors[i], label, sizeof label);
        widen(&width[2], label);
    }
    for (size_t i = 0; i < spec->dimension_count; i++) {
        char label[32];
        (void)snprintf(label, sizeof label, "%zu", spec->dimensions[i]);
        widen(&width[with_errors ? 3 : 2], label);
    }
}

static void output_init(const struct spec *spec, bool json, struct output *out)
{
    *out = (struct output){.json = json, .with_errors = spec->score_error_count > 1};
    out->laws.columns = choose_columns(columns, COLUMNS, out->with_errors, out->law_column);
    out->chains.columns = choose_columns(sampled_columns, SAMPLED_COLUMNS, out->with_errors, out->chain_column);
    out->laws.column = out->law_column;
    out->chains.column = out->chain_column;
    set_widths(spec, out->law_width, out->with_errors);
    set_widths(spec, out->chain_width, out->with_errors);
}

static enum status add_place(struct table *table, const struct record *row, const char *score_error,
                             struct error *error)
{
    TRY(table_cells(table, error, "%s\t%s", row->target, row->sampler));
    if (score_error != NULL)
        TRY(table_cells(table, error, "%s", score_error));
    return table_cells(table, error, "%" PRIu64 "\t%" PRIu64, row->dimension, row->steps);
}

/* A number and its radius, in a column each. */
static enum status add_measured(struct table *table, double value, double radius, struct error *error)
{
    char text[TEXT_MEASURED_SIZE];
    text_measured(value, radius, text);
    TRY(table_cells(table, error, "%s", text));
    return table_cell_if(table, isfinite(value), error, "%.1e", radius);
}

/* score_error NULL: the table has no such column. */
static enum status add_law(struct table *table, const struct record *row, const char *score_error,
                           struct error *error)
{
    TRY(add_place(table, row, score_error, error));
    TRY(table_cells(table, error, "%.4g", row->step_size));
    TRY(add_measured(table, row->tv, row->tv_error, error));
    TRY(add_measured(table, row->kl_p_q, row->kl_p_q_error, error));
    TRY(add_measured(table, row->kl_q_p, row->kl_q_p_error, error));
    TRY(add_measured(table, row->chi2_q_p, row->chi2_q_p_error, error));
    TRY(add_measured(table, row->hellinger2, row->hellinger2_error, error));
    TRY(add_measured(table, row->w2, row->w2_error, error));
    if (score_error != NULL) {
        bool exact = strcmp(row->score_error, "none") == 0;
        TRY(add_measured(table, exact ? NAN : row->error_effect, row->error_effect_error, error));
    }
    return table_text(table, row->law, error);
}

static enum status add_estimate(struct table *table, struct estimate estimate, struct error *error)
{
    if (isnan(estimate.value))
        return table_nothing(table, error);
    return table_cells(table, error, "%.3e +- %.0e", estimate.value, estimate.error);
}

static enum status add_chains(struct table *table, const struct record *row, const char *score_error,
                              struct error *error)
{
    const struct estimates *e = &row->estimates;
    const struct estimate shown[] = {e->projection_tv, e->weights_tv, e->chi2_tv,
                                     e->pinsker_tv,    e->knn_kl_q_p, e->weights_chi2_q_p};
    TRY(add_place(table, row, score_error, error));
    TRY(table_cells(table, error, "%llu", (unsigned long long)row->chains));
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
        TRY(add_estimate(table, shown[i], error));
    TRY(table_cell_if(table, !isnan(e->effective), error, "%.2g", e->effective));
    return add_estimate(table, e->memorised, error);
}

/* The reason stands in the last column. */
static enum status add_failure(struct table *table, const struct record *row, const char *score_error,
                               struct error *error)
{
    TRY(add_place(table, row, score_error, error));
    while ((table->cells + 1) % table->columns != 0)
        TRY(table_nothing(table, error));
    return table_cells(table, error, "failed: %s", row->failure);
}

static enum status add_rows(const struct cell *cell, const struct record *rows, struct output *output,
                            struct error *error)
{
    struct table *table = cell->chains > 0 ? &output->chains : &output->laws;
    char label[100];
    const char *score_error = output->with_errors ? label : NULL;
    record_label_score_error(&cell->spec->score_errors[cell->score_error], label, sizeof label);
    for (size_t i = 0; i < cell->dimensions.count; i++) {
        if (output->json)
            print_json(&cell->spec->parameters, &rows[i]);
        else if (rows[i].failure[0] != '\0')
            TRY(add_failure(table, &rows[i], score_error, error));
        else
            TRY((cell->chains > 0 ? add_chains : add_law)(table, &rows[i], score_error, error));
    }
    return STATUS_OK;
}

/* Ends what a cell's rows made. */
static enum status print_rows(const struct cell *cell, struct output *output, struct error *error)
{
    struct table *table = cell->chains > 0 ? &output->chains : &output->laws;
    size_t *width = cell->chains > 0 ? output->chain_width : output->law_width;
    bool first = output->last != table;
    if (output->json)
        return fflush(stdout) == 0 && !ferror(stdout)
                   ? STATUS_OK
                   : fail_with(error, STATUS_IO, "cannot write rows: %s", strerror(errno));
    if (first && output->last != NULL)
        putchar('\n');
    output->last = table;
    return table_print_rows(table, width, first, stdout, error);
}

/* A cell in the order of its rows, and what became of it. */
struct job {
    struct cell cell;
    size_t *own; /* of a law, the cell's dimensions */
    double cost;
    bool ended;
    struct record *rows; /* until they are printed */
};

struct measuring {
    const struct spec *spec;
    struct job *jobs;
    size_t count, started, printed;
    int processes, threads; /* the last: what the next cell gets */
    double seconds;         /* that a cell may take, by the clock; 0: any number */
    struct progress progress;
    struct output output;
};

static enum status no_memory(struct error *error)
{
    return fail_with(error, STATUS_MEMORY, "out of memory for the list of cells");
}

/* The steps of all cells, and the dimensions of each. */
struct asked {
    const size_t *steps;
    const struct dimensions *dimensions; /* NULL: all of the spec's */
    size_t count;
};

static struct cell cell_at(const struct cell *cell, const struct asked *asked, size_t index)
{
    struct cell at = *cell;
    at.steps = asked->steps[index];
    at.dimensions = asked->dimensions != NULL ? asked->dimensions[index] : spec_dimensions(cell->spec);
    return at;
}

/* Where there are chains, a dimension without a law is no failure. */
static enum status add_laws(struct measuring *m, const struct cell *cell, const struct asked *asked,
                            struct error *error)
{
    bool *has_law = cell_laws(cell);
    enum status status = has_law != NULL ? STATUS_OK : no_memory(error);
    for (size_t t = 0; t < asked->count && status == STATUS_OK; t++) {
        struct cell at = cell_at(cell, asked, t);
        size_t *own = dimensions_with_law(m->spec, at.dimensions, has_law, &at.dimensions.count);
        at.dimensions.of = own;
        if (own == NULL)
            status = no_memory(error);
        else if (at.dimensions.count > 0)
            m->jobs[m->count++] = (struct job){.cell = at, .own = own, .cost = cost_of_cell(&at, NULL)};
        else
            free(own);
    }
    free(has_law);
    return status;
}

static enum status add_chain_cells(struct measuring *m, const struct cell *cell, const struct asked *asked,
                                   struct error *error)
{
    const struct spec *spec = m->spec;
    double *chain = costs_of_chain(spec, cell->target);
    if (chain == NULL)
        return no_memory(error);
    for (size_t t = 0; t < asked->count; t++)
        for (size_t n = 0; n < spec->chain_count; n++) {
            struct cell at = cell_at(cell, asked, t);
            at.chains = spec->chains[n];
            m->jobs[m->count++] = (struct job){.cell = at, .cost = cost_of_cell(&at, chain)};
        }
    free(chain);
    return STATUS_OK;
}

/* Laws first. */
static enum status list_jobs(struct measuring *m, const struct asked *asked, struct error *error)
{
    const struct spec *spec = m->spec;
    size_t most = spec->score_error_count * asked->count * (1 + spec->chain_count);
    m->jobs = array_new(spec->target_count * spec->sampler_count, most * sizeof *m->jobs);
    if (m->jobs == NULL)
        return no_memory(error);
    for (int chains = 0; chains <= (spec->chain_count > 0); chains++)
        for (size_t target = 0; target < spec->target_count; target++)
            for (size_t sampler = 0; sampler < spec->sampler_count; sampler++)
                for (size_t e = 0; e < spec->score_error_count; e++) {
                    const struct cell cell = {.spec = spec, .target = target, .sampler = sampler, .score_error = e};
                    TRY((chains ? add_chain_cells : add_laws)(m, &cell, asked, error));
                }
    return STATUS_OK;
}

/* The given steps or, of an experiment that has none, the T's at which a search for T(d, eps) looks first. */
static enum status list_cells(struct measuring *m, struct error *error)
{
    const struct spec *spec = m->spec;
    struct grid grid;
    enum status status;
    if (spec->step_count > 0)
        return list_jobs(m, &(struct asked){spec->steps, spec->step_dimensions, spec->step_count}, error);
    TRY_OR(end, grid_make(spec, 0, spec->schedule_count, &grid, error));
    TRY_OR(end, list_jobs(m, &(struct asked){grid.steps, NULL, grid.count}, error));
end:
    free(grid.steps);
    return status;
}

static int next_cell(void *context, size_t *item)
{
    struct measuring *m = context;
    size_t left = m->count - m->printed;
    char label[CELL_LABEL_SIZE];
    if (m->started == m->count)
        return 0;
    m->threads = left < (size_t)m->processes ? m->processes / (int)left : 1;
    *item = m->started++;
    cell_label(&m->jobs[*item].cell, label);
    progress_begin(&m->progress, label);
    return 1;
}

static enum status make_cell(void *context, size_t index, void *rows, struct error *error)
{
    struct measuring *m = context;
    omp_set_num_threads(m->threads);
    return cell_measure(&m->jobs[index].cell, m->threads, rows, error);
}

/* Prints the cells before which none is outstanding. */
static enum status print_ended(struct measuring *m, struct error *error)
{
    enum status status = STATUS_OK;
    if (m->printed < m->count && m->jobs[m->printed].ended)
        progress_hide(&m->progress);
    for (; m->printed < m->count && m->jobs[m->printed].ended && status == STATUS_OK; m->printed++) {
        struct job *job = &m->jobs[m->printed];
        status = add_rows(&job->cell, job->rows, &m->output, error);
        if (status == STATUS_OK)
            status = print_rows(&job->cell, &m->output, error);
        free(job->rows);
        job->rows = NULL;
    }
    return status;
}

static enum status cell_ended(void *context, size_t index, const void *rows, const struct error *cause,
                              struct error *error)
{
    struct measuring *m = context;
    struct job *job = &m->jobs[index];
    size_t count = job->cell.dimensions.count;
    char label[CELL_LABEL_SIZE];
    job->rows = array_new(count, sizeof *job->rows);
    if (job->rows == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a cell's rows");
    memcpy(job->rows, rows, count * sizeof *job->rows);
    for (size_t i = 0; i < count && cause->status != STATUS_OK; i++) {
        cell_blank(&job->cell, i, &job->rows[i]);
        record_fail(&job->rows[i], cause->text);
    }
    m->progress.failed += cell_has_failures(&job->cell, job->rows) ? 1 : 0;
    job->ended = true;
    cell_label(&job->cell, label);
    progress_end(&m->progress, label, job->cost);
    return print_ended(m, error);
}

static enum status measure_all(struct measuring *m, int *interruption, struct error *error)
{
    double cost = 0.0;
    enum status status = list_cells(m, error);
    for (size_t i = 0; i < m->count; i++)
        cost += m->jobs[i].cost;
    if (status != STATUS_OK)
        return status;
    const struct work work = {m,          m->processes, m->spec->dimension_count * sizeof(struct record),
                              m->seconds, next_cell,    make_cell,
                              cell_ended, NULL};
    progress_start(&m->progress, "cells");
    progress_expect(&m->progress, m->count, cost);
    status = workers_run(&work, interruption, error);
    if (status == STATUS_OK)
        progress_finish(&m->progress);
    else
        progress_hide(&m->progress);
    return status;
}

static void measuring_free(struct measuring *m)
{
    for (size_t i = 0; i < m->count; i++) {
        free(m->jobs[i].own);
        free(m->jobs[i].rows);
    }
    free(m->jobs);
    table_free(&m->output.laws);
    table_free(&m->output.chains);
}

static const struct argp_option argp_options[] = {
    {"json", KEY_JSON, NULL, 0, "One JSON object a line instead of a table", 0},
    JOBS_OPTION,
    CELL_SECONDS_OPTION(KEY_CELL_SECONDS),
    {0},
};

static const struct argp argp = {
    argp_options,
    parse,
    "FILE",
    "Measure every target, sampler, score error, dimension and number of steps of a file, or where it gives "
    "accuracies alone, the powers of sqrt(2) up to its max_steps; store nothing. Rows come in the file's order, as "
    "soon as they are known; of score errors EFFECT is the TV between the laws with and without it.\vEvery column +- "
    "is an estimated radius, measured at sampled points and widened by a safety factor: the true value is expected "
    "within value +- radius, which is no proof. No digit is printed that the radius does not allow. A divergence "
    "that is not known is \"-\" (null in JSON), one that is infinite \"inf\" (1e999). Numbers from chains have "
    "standard errors, and TV >= and TV <= are bounds. A cell that fails is a row with its reason, and the others go "
    "on.\n\n"
    "Exit status: 0, or 1 on failure, 2 for a wrong FILE or option, 3 if some cells failed, 128 + N after signal "
    "N.\n\n"
    "Example:\n  diffrate measure experiments/quick.yaml --json | head -3",
    NULL,
    NULL,
    NULL};

static int run(int argc, char **argv)
{
    struct options options = {.file = NULL};
    (void)argp_parse(&argp, argc, argv, 0, NULL, &options);
    struct error error = {STATUS_OK, ""};
    struct spec spec;
    struct measuring m = {.spec = &spec,
                          .processes = options.jobs > 0 ? options.jobs : omp_get_max_threads(),
                          .seconds = options.cell_seconds};
    int interruption = 0;
    enum status status = command_load_spec(options.file, &spec, &error);
    output_init(&spec, options.json, &m.output);
    if (status == STATUS_OK)
        status = measure_all(&m, &interruption, &error);
    if (m.progress.failed > 0)
        fprintf(stderr, "diffrate: %zu of %zu cells failed\n", m.progress.failed, m.count);
    measuring_free(&m);
    spec_free(&spec);
    return status == STATUS_INTERRUPTED ? command_interrupted(interruption, "")
           : status != STATUS_OK        ? command_fail(&error)
           : m.progress.failed > 0      ? EXIT_CELLS_FAILED
                                        : EXIT_OK;
}

const struct command command_measure = {"measure", "measure divergences at the given numbers of steps and print them",
                                        &argp, run};
