#include <argp.h>
#include <math.h>
#include <stdlib.h>

#include "command/command.h"
#include "core/memory.h"
#include "core/table.h"
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

/* JSON has no infinity; 1e999 is a legal number that every reader turns into one. */
static void print_real(double value)
{
    if (isnan(value))
        fputs("null", stdout);
    else
        isinf(value) ? printf("%s1e999", value < 0 ? "-" : "") : printf("%.17g", value);
}

/* Names hold only [A-Za-z0-9._-] and methods only plain words, so no string needs escapes. */
static void print_json(const struct record *row)
{
    for (const struct field *field = record_fields; field->name != NULL; field++) {
        const char *at = (const char *)row + field->offset;
        printf("%s\"%s\": ", field == record_fields ? "{" : ", ", field->name);
        switch (field->type) {
        case FIELD_STRING:
            printf("\"%s\"", at);
            break;
        case FIELD_COUNT:
            printf("%llu", (unsigned long long)*(const uint64_t *)at);
            break;
        case FIELD_REAL:
            print_real(*(const double *)at);
            break;
        }
    }
    puts("}");
    fflush(stdout);
}

enum { COLUMNS = 13, SCORE_ERROR_COLUMN = 2 };
static const struct table_column columns[COLUMNS] = {
    {"TARGET", 0}, {"SAMPLER", 0}, {"SCORE ERROR", 0}, {"D", 1},         {"T", 1},          {"H", 1},   {"TV", 1},
    {"+-", 1},     {"KL(P|Q)", 1}, {"KL(Q|P)", 1},     {"CHI2(Q|P)", 1}, {"HELLINGER2", 1}, {"LAW", 0},
};

/* Where all scores are exact the table does not say so. Returns how many columns are shown. */
static size_t choose_columns(const struct spec *spec, struct table_column shown[COLUMNS])
{
    size_t count = 0;
    for (size_t i = 0; i < COLUMNS; i++)
        if (i != SCORE_ERROR_COLUMN || spec->score_error_count > 1)
            shown[count++] = columns[i];
    return count;
}

/* score_error NULL: the table has no such column. */
static enum status add_row(struct text_table *table, const struct record *row, const char *score_error,
                           struct error *error)
{
    enum status status = table_cell(table, error, "%s", row->target);
    status = status != STATUS_OK ? status : table_cell(table, error, "%s", row->sampler);
    if (score_error != NULL)
        status = status != STATUS_OK ? status : table_cell(table, error, "%s", score_error);
    status = status != STATUS_OK ? status : table_cell(table, error, "%llu", (unsigned long long)row->dimension);
    status = status != STATUS_OK ? status : table_cell(table, error, "%llu", (unsigned long long)row->steps);
    status = status != STATUS_OK ? status : table_cell(table, error, "%.4g", row->step_size);
    status = status != STATUS_OK ? status : table_cell(table, error, "%.8e", row->tv);
    status = status != STATUS_OK ? status : table_cell(table, error, "%.1e", row->tv_error);
    status = status != STATUS_OK ? status : table_cell(table, error, "%.6e", row->kl_p_q);
    status = status != STATUS_OK ? status : table_cell(table, error, "%.6e", row->kl_q_p);
    status = status != STATUS_OK ? status : table_cell(table, error, "%.6e", row->chi2_q_p);
    status = status != STATUS_OK ? status : table_cell(table, error, "%.6e", row->hellinger2);
    return status != STATUS_OK ? status : table_cell(table, error, "%s", row->law);
}

static enum status measure_cell(const struct cell *cell, int json, struct record *rows, struct text_table *table,
                                struct error *error)
{
    const struct spec *spec = cell->spec;
    char score_error[100];
    record_label_score_error(&spec->score_errors[cell->score_error], score_error, sizeof score_error);
    enum status status = cell_measure(cell, rows, error);
    for (size_t i = 0; i < spec->dimension_count && status == STATUS_OK; i++)
        if (json)
            print_json(&rows[i]);
        else
            status = add_row(table, &rows[i], spec->score_error_count > 1 ? score_error : NULL, error);
    return status;
}

static enum status measure_all(const struct spec *spec, int json, struct text_table *table, struct error *error)
{
    struct record *rows = array_new(spec->dimension_count, sizeof *rows);
    enum status status = rows != NULL ? STATUS_OK : fail_with(error, STATUS_MEMORY, "out of memory");
    for (size_t target = 0; target < spec->target_count; target++)
        for (size_t sampler = 0; sampler < spec->sampler_count; sampler++)
            for (size_t e = spec->exact_scores_listed ? 0 : 1; e < spec->score_error_count; e++)
                for (size_t t = 0; t < spec->step_count && status == STATUS_OK; t++)
                    status = measure_cell(&(struct cell){spec, target, sampler, e, spec->steps[t]}, json, rows, table,
                                          error);
    free(rows);
    return status;
}

static int run(int argc, char **argv)
{
    static const struct argp_option argp_options[] = {
        {"json", 'j', NULL, 0, "One JSON object a line instead of a table", 0},
        {0},
    };
    static const struct argp argp = {
        argp_options,
        parse,
        "FILE",
        "Measure every target, sampler, score error, dimension and number of steps of a file; store nothing."
        "\vEvery error column is a radius: the true value lies within value +- error.\n\n"
        "Example:\n  diffrate measure experiments/quick.yaml --json | head -3",
        NULL,
        NULL,
        NULL};
    struct options options = {NULL, 0};
    (void)argp_parse(&argp, argc, argv, 0, NULL, &options);
    struct error error = {STATUS_OK, ""};
    struct spec spec;
    struct table_column shown[COLUMNS];
    enum status status = command_load_spec(options.file, &spec, &error);
    struct text_table table = {.column = shown, .columns = choose_columns(&spec, shown)};
    if (status == STATUS_OK && spec.step_count == 0)
        status = fail_with(&error, STATUS_INVALID,
                           "%s:1:1: missing key 'steps', expected the numbers of steps to measure at", options.file);
    if (status == STATUS_OK)
        status = measure_all(&spec, options.json, &table, &error);
    if (status == STATUS_OK && !options.json)
        status = table_print(&table, stdout, &error);
    table_free(&table);
    spec_free(&spec);
    return status == STATUS_OK ? EXIT_OK : command_fail(&error);
}

const struct command command_measure = {"measure", "measure divergences at the given numbers of steps and print them",
                                        run};
