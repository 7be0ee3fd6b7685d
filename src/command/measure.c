#include <argp.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include "command/command.h"
#include "command/json.h"
#include "core/memory.h"
#include "core/table.h"
#include "core/text.h"
#include "experiment/cell.h"

struct options {
    const char *file;
    int json;
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case 'j':
        options->json = 1;
        return 0;
    case ARGP_KEY_ARG:
        if (options->file != NULL)
            argp_error(state, "one FILE at a time");
        options->file = argument;
        return 0;
    case ARGP_KEY_END:
        if (options->file == NULL)
            argp_error(state, "which FILE?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void print_json(const struct record *row)
{
    for (const struct field *field = record_fields; field->name != NULL; field++) {
        fputs(field == record_fields ? "{" : ", ", stdout);
        json_field(field, row);
    }
    puts("}");
    fflush(stdout);
}

enum { COLUMNS = 17, SCORE_ERROR_COLUMN = 2 };
static const struct table_column columns[COLUMNS] = {
    {"TARGET", 0},    {"SAMPLER", 0}, {"SCORE ERROR", 0}, {"D", 1},  {"T", 1},       {"H", 1},
    {"TV", 1},        {"+-", 1},      {"KL(P|Q)", 1},     {"+-", 1}, {"KL(Q|P)", 1}, {"+-", 1},
    {"CHI2(Q|P)", 1}, {"+-", 1},      {"HELLINGER2", 1},  {"+-", 1}, {"LAW", 0},
};

enum { SAMPLED_COLUMNS = 13 };
static const struct table_column sampled_columns[SAMPLED_COLUMNS] = {
    {"TARGET", 0},       {"SAMPLER", 0},      {"SCORE ERROR", 0}, {"D", 1},      {"T", 1},
    {"CHAINS", 1},       {"TV >= (proj.)", 1}, {"TV >= (weights)", 1}, {"TV <= (chi2)", 1}, {"TV <= (Pinsker)", 1},
    {"KL(Q|P) (knn)", 1}, {"CHI2(Q|P)", 1},    {"EFFECTIVE", 1},
};

/* Two tables, of exact laws and of chains; with exact scores alone they do not say so. */
struct output {
    int json, with_errors;
    struct text_table laws, chains;
    struct table_column law_column[COLUMNS], chain_column[SAMPLED_COLUMNS];
};

static size_t choose_columns(const struct table_column *all, size_t count, int with_errors,
                             struct table_column *shown)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (i != SCORE_ERROR_COLUMN || with_errors)
            shown[kept++] = all[i];
    return kept;
}

static void output_init(const struct spec *spec, int json, struct output *out)
{
    *out = (struct output){.json = json, .with_errors = spec->score_error_count > 1};
    out->laws.columns = choose_columns(columns, COLUMNS, out->with_errors, out->law_column);
    out->chains.columns = choose_columns(sampled_columns, SAMPLED_COLUMNS, out->with_errors, out->chain_column);
    out->laws.column = out->law_column;
    out->chains.column = out->chain_column;
}

static enum status add_place(struct text_table *table, const struct record *row, const char *score_error,
                             struct error *error)
{
    TRY(table_cell(table, error, "%s", row->target));
    TRY(table_cell(table, error, "%s", row->sampler));
    if (score_error != NULL)
        TRY(table_cell(table, error, "%s", score_error));
    TRY(table_cell(table, error, "%llu", (unsigned long long)row->dimension));
    return table_cell(table, error, "%llu", (unsigned long long)row->steps);
}

/* A number and its radius, in a column each. */
static enum status add_measured(struct text_table *table, double value, double radius, struct error *error)
{
    char text[TEXT_MEASURED_SIZE];
    text_measured(value, radius, text);
    TRY(table_cell(table, error, "%s", text));
    return isfinite(value) ? table_cell(table, error, "%.1e", radius) : table_cell(table, error, "-");
}

/* score_error NULL: the table has no such column. */
static enum status add_law(struct text_table *table, const struct record *row, const char *score_error,
                           struct error *error)
{
    TRY(add_place(table, row, score_error, error));
    TRY(table_cell(table, error, "%.4g", row->step_size));
    TRY(add_measured(table, row->tv, row->tv_error, error));
    TRY(add_measured(table, row->kl_p_q, row->kl_p_q_error, error));
    TRY(add_measured(table, row->kl_q_p, row->kl_q_p_error, error));
    TRY(add_measured(table, row->chi2_q_p, row->chi2_q_p_error, error));
    TRY(add_measured(table, row->hellinger2, row->hellinger2_error, error));
    return table_cell(table, error, "%s", row->law);
}

static enum status add_estimate(struct text_table *table, struct estimate estimate, struct error *error)
{
    if (isnan(estimate.value))
        return table_cell(table, error, "-");
    return table_cell(table, error, "%.3e +- %.0e", estimate.value, estimate.error);
}

static enum status add_chains(struct text_table *table, const struct record *row, const char *score_error,
                              struct error *error)
{
    const struct estimates *e = &row->estimates;
    const struct estimate shown[] = {e->projection_tv, e->weights_tv,  e->chi2_tv,
                                     e->pinsker_tv,    e->knn_kl_q_p, e->weights_chi2_q_p};
    TRY(add_place(table, row, score_error, error));
    TRY(table_cell(table, error, "%llu", (unsigned long long)row->chains));
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
        TRY(add_estimate(table, shown[i], error));
    return isnan(e->effective) ? table_cell(table, error, "-") : table_cell(table, error, "%.2g", e->effective);
}

static enum status measure_cell(const struct cell *cell, struct output *output, struct record *rows,
                                struct error *error)
{
    const struct spec *spec = cell->spec;
    char score_error[100];
    record_label_score_error(&spec->score_errors[cell->score_error], score_error, sizeof score_error);
    if (cell->chains == 0 && spec->chain_count > 0 && !cell_has_law(cell))
        return STATUS_OK;
    enum status status = cell_measure(cell, omp_get_max_threads(), rows, error);
    for (size_t i = 0; i < spec->dimension_count && status == STATUS_OK; i++)
        if (output->json)
            print_json(&rows[i]);
        else
            status = cell->chains > 0
                         ? add_chains(&output->chains, &rows[i], output->with_errors ? score_error : NULL, error)
                         : add_law(&output->laws, &rows[i], output->with_errors ? score_error : NULL, error);
    return status;
}

static enum status measure_all(const struct spec *spec, struct output *output, struct error *error)
{
    struct record *rows = array_new(spec->dimension_count, sizeof *rows);
    enum status status = rows != NULL ? STATUS_OK : fail_with(error, STATUS_MEMORY, "out of memory");
    for (size_t target = 0; target < spec->target_count; target++)
        for (size_t sampler = 0; sampler < spec->sampler_count; sampler++)
            for (size_t e = spec->exact_scores_listed ? 0 : 1; e < spec->score_error_count; e++)
                for (size_t t = 0; t < spec->step_count; t++)
                    for (size_t n = 0; n <= spec->chain_count && status == STATUS_OK; n++)
                        status = measure_cell(&(struct cell){spec, target, sampler, e, spec->steps[t],
                                                             n > 0 ? spec->chains[n - 1] : 0},
                                              output, rows, error);
    free(rows);
    return status;
}

/* The table of chains last. */
static enum status print_tables(const struct output *output, struct error *error)
{
    enum status status = STATUS_OK;
    if (output->laws.cells > 0)
        status = table_print(&output->laws, stdout, error);
    if (status == STATUS_OK && output->chains.cells > 0) {
        if (output->laws.cells > 0)
            putchar('\n');
        status = table_print(&output->chains, stdout, error);
    }
    return status;
}

static const struct argp_option argp_options[] = {
    {"json", 'j', NULL, 0, "One JSON object a line instead of a table", 0},
    {0},
};

static const struct argp argp = {
    argp_options,
    parse,
    "FILE",
    "Measure every target, sampler, score error, dimension and number of steps of a file; store nothing."
    "\vEvery column +- is a radius: the true value lies within value +- radius, and no digit is printed that the "
    "radius "
    "does not allow. A divergence that is not known is \"-\" (null in JSON), one that is infinite \"inf\" (1e999); a "
    "law that is refused has no numbers, and its reason. Numbers from chains have "
    "standard errors, and TV >= and TV <= are bounds.\n\n"
    "Example:\n  diffrate measure experiments/quick.yaml --json | head -3",
    NULL,
    NULL,
    NULL};

static int run(int argc, char **argv)
{
    struct options options = {NULL, 0};
    (void)argp_parse(&argp, argc, argv, 0, NULL, &options);
    struct error error = {STATUS_OK, ""};
    struct spec spec;
    struct output output;
    enum status status = command_load_spec(options.file, &spec, &error);
    output_init(&spec, options.json, &output);
    if (status == STATUS_OK && spec.step_count == 0)
        status = fail_with(&error, STATUS_INVALID,
                           "%s:1:1: missing key 'steps', expected the numbers of steps to measure at", options.file);
    if (status == STATUS_OK)
        status = measure_all(&spec, &output, &error);
    if (status == STATUS_OK && !options.json)
        status = print_tables(&output, &error);
    table_free(&output.laws);
    table_free(&output.chains);
    spec_free(&spec);
    return status == STATUS_OK ? EXIT_OK : command_fail(&error);
}

const struct command command_measure = {"measure", "measure divergences at the given numbers of steps and print them", &argp, run};
