#define _GNU_SOURCE /* strfromd */
#include <argp.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "experiment/json.h"
#include "report/table.h"
#include "results/compare.h"
#include "verdict/claims.h"

/* Of the two results, for people and in JSON. */
static const char *const name[2] = {"A", "B"}, *const json_name[2] = {"a", "b"};

enum { KEY_JSON = 1000 };

struct options {
    const char *path[2];
    size_t paths, lines;
    bool json;
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case KEY_JSON:
        options->json = true;
        return 0;
    case 'a':
        options->lines = SIZE_MAX;
        return 0;
    case 'n':
        options->lines = command_read_count(argument, "-n", 0, LARGEST_COUNT, state);
        return 0;
    case ARGP_KEY_ARG:
        if (options->paths == 2)
            argp_error(state, "two RESULTs at a time");
        options->path[options->paths++] = argument;
        return 0;
    case ARGP_KEY_END:
        if (options->paths < 2)
            argp_error(state, "which two RESULTs? Results directories or the merged .h5 files in them");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* One of the facts stored beside a result's rows, as long as *length; "unknown" if it holds none. */
static const char *fact(const struct result *result, const char *which, int *length)
{
    size_t name_length = strlen(which);
    const char *line = result->provenance;
    for (const char *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
        if (strncmp(line, which, name_length) == 0 && strncmp(line + name_length, ": ", 2) == 0) {
            *length = (int)(end - line - (ptrdiff_t)name_length - 2);
            return line + name_length + 2;
        }
    *length = 7;
    return "unknown";
}

/* What made both results; none of it is a difference. */
static void print_origins(const struct evidence *side, const struct options *options)
{
    static const char *const facts[] = {"version", "commit", "compiler", "flags", "libraries", "host"};
    bool same_text = strcmp(side[0].result.spec_text, side[1].result.spec_text) == 0;
    for (size_t i = 0; i < 2; i++)
        printf("%s: %s, %zu rows of %s\n", name[i], options->path[i], side[i].result.count, side[i].result.spec_name);
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        int length[2];
        const char *a = fact(&side[0].result, facts[i], &length[0]), *b = fact(&side[1].result, facts[i], &length[1]);
        if (length[0] == length[1] && memcmp(a, b, (size_t)length[0]) == 0)
            printf("%s: %.*s\n", facts[i], length[0], a);
        else
            printf("%s: A %.*s; B %.*s\n", facts[i], length[0], a, length[1], b);
    }
    if (strcmp(side[0].result.plugins, side[1].result.plugins) != 0)
        puts("plug-ins: not the same");
    printf("text of the experiment: %s\n\n", same_text ? "the same" : "not the same");
}

enum { SUMMARY_COLUMNS = 8, DIFFERENCE_COLUMNS = 8 };
static const struct table_column summary_columns[SUMMARY_COLUMNS] = {
    {"QUANTITY", LEFT}, {"AGREES WITHIN", LEFT}, {"COMPARED", RIGHT},      {"SAME BITS", RIGHT},
    {"AGREE", RIGHT},   {"DIFFER", RIGHT},       {"LARGEST |A-B|", RIGHT}, {"LARGEST RATIO", RIGHT},
};
static const struct table_column difference_columns[DIFFERENCE_COLUMNS] = {
    {"TARGET", LEFT},   {"SAMPLER", LEFT}, {"D", RIGHT}, {"T", RIGHT},
    {"QUANTITY", LEFT}, {"A", LEFT},       {"B", LEFT},  {"RATIO", RIGHT},
};

static enum status add_number(struct table *table, const char *format, double value, struct error *error)
{
    if (isnan(value))
        return table_nothing(table, error);
    char text[40];
    (void)strfromd(text, sizeof text, format, value);
    return table_cells(table, error, "%s", text);
}

/* How much two values of a column may differ. */
static void print_rule(const struct field *field, double limit, char *text, size_t size)
{
    switch (field->role) {
    case COLUMN_VALUE:
        (void)snprintf(text, size, "the sum of radii");
        break;
    case COLUMN_SAMPLED:
        (void)snprintf(text, size, "%.2f standard errors", limit);
        break;
    case COLUMN_DERIVED:
        (void)(field->type == FIELD_REAL ? snprintf(text, size, "%.0f roundings", COMPARE_ULPS)
                                         : snprintf(text, size, "equal"));
        break;
    default:
        (void)snprintf(text, size, "(only reported)");
    }
}

static enum status add_tally(struct table *table, const char *quantity, const char *rule, const struct tally *tally,
                             bool judged, bool is_number, bool has_ratio, struct error *error)
{
    TRY(table_cells(table, error, "%s\t%s\t%zu\t%zu", quantity, rule, tally->pairs, tally->same));
    if (judged) {
        TRY(table_cells(table, error, "%zu\t%zu", tally->agree, tally->differ));
    } else {
        TRY(table_nothing(table, error));
        TRY(table_nothing(table, error));
    }
    TRY(add_number(table, "%.1e", is_number ? tally->distance : NAN, error));
    return add_number(table, "%.2g", has_ratio ? tally->ratio : NAN, error);
}

/* A line for each quantity of which there is something to compare. */
static enum status print_summary(const struct comparison *comparison, struct error *error)
{
    struct table table = {.column = summary_columns, .columns = SUMMARY_COLUMNS};
    enum status status = STATUS_OK;
    for (size_t i = 0; record_fields[i].name != NULL; i++) {
        const struct field *field = &record_fields[i];
        char rule[64];
        print_rule(field, comparison->limit, rule, sizeof rule);
        bool judged = field->role != COLUMN_DIAGNOSTIC && field->role != COLUMN_TIMING;
        if (comparison->tally[i].pairs > 0)
            TRY_OR(end, add_tally(&table, field->name, rule, &comparison->tally[i], judged,
                                  field->type != FIELD_STRING, judged && field->type == FIELD_REAL, error));
    }
    if (comparison->complexity.pairs > 0)
        TRY_OR(end, add_tally(&table, "T(d, eps)", "a T that fits both", &comparison->complexity, true, true, false,
                              error));
    if (table.cells > 0)
        status = table_print(table_all(&table), stdout, error);
end:
    table_free(&table);
    return status;
}

/* What the table's counts do not say. */
static void print_notes(const struct comparison *comparison)
{
    for (size_t i = 0; i < 2; i++)
        if (comparison->only[i] > 0)
            printf("%zu rows are only in %s; for %zu of them %s's experiment asks.\n", comparison->only[i], name[i],
                   comparison->missing[i], name[1 - i]);
    for (size_t i = 0; record_fields[i].name != NULL; i++) {
        const struct tally *tally = &comparison->tally[i];
        if (tally->unbounded > 0)
            printf("%s: %zu of those that agree do so only because a radius is infinite.\n", record_fields[i].name,
                   tally->unbounded);
        if (record_fields[i].since > comparison->format && record_fields[i].role == COLUMN_VALUE
            && record_fields[i].component == 0)
            printf("%s is not compared: a result of format %d has no such column.\n", record_fields[i].name,
                   comparison->format);
        if (tally->one_sided > 0)
            printf("%s: %zu times only one of two seeds says something.\n", record_fields[i].name, tally->one_sided);
    }
    if (comparison->limit > 0.0)
        printf("%.2f standard errors: with other seeds, noise alone would show a difference in one comparison of two "
               "results in %.0f.\n",
               comparison->limit, 1.0 / COMPARE_LEVEL);
}

static enum status add_value(struct table *table, const struct field *field, const struct record *row,
                             struct error *error)
{
    if (field->type == FIELD_STRING)
        return table_text(table, field_text(field, row), error);
    if (field->type == FIELD_COUNT)
        return table_cells(table, error, "%" PRIu64, field_count(field, row));
    if (field->role == COLUMN_DERIVED)
        return table_cells(table, error, "%.17g", field_real(field, row));
    return table_cells(table, error, "%.15g +- %.1e", field_real(field, row), field_real(field + 1, row));
}

static enum status add_range(struct table *table, const struct bracket *bracket, struct error *error)
{
    switch (bracket->reach) {
    case REACH_FOUND:
        if (bracket->certain == bracket->fails)
            return table_cells(table, error, "%zu", bracket->passes);
        return table_cells(table, error, "%zu to %zu", bracket->certain + 1, bracket->passes);
    case REACH_AT_START:
        return table_cells(table, error, "at most %zu", bracket->passes);
    case REACH_BEYOND:
        return table_cells(table, error, "above %zu", bracket->certain);
    case REACH_OPEN:
        break;
    }
    return table_cells(table, error, "%zu to %zu, not finished", bracket->certain + 1, bracket->passes);
}

/* With the score error and the number of chains, which few rows have. */
static enum status add_sampler(struct table *table, const struct comparison *comparison,
                               const struct manifest *manifest, const struct record *row, struct error *error)
{
    char label[120] = "", chains[40] = "";
    if (strcmp(row->score_error, "none") != 0)
        compare_label_score_error(comparison, manifest, row, label, sizeof label);
    if (row->chains > 0)
        (void)snprintf(chains, sizeof chains, ", %" PRIu64 " chains", row->chains);
    return table_cells(table, error, "%s%s%s%s", row->sampler, label[0] != '\0' ? ", " : "", label, chains);
}

static enum status add_row_difference(struct table *table, const struct evidence *side,
                                      const struct comparison *comparison, const struct difference *difference,
                                      struct error *error)
{
    size_t has = difference->row[0] == NULL;
    const struct record *row = difference->row[has];
    TRY(table_cells(table, error, "%s", row->target));
    TRY(add_sampler(table, comparison, &side[has].manifest, row, error));
    TRY(table_cells(table, error, "%" PRIu64 "\t%" PRIu64 "\t%s", row->dimension, row->steps,
                    difference->field != NULL ? difference->field->name : "(row)"));
    for (size_t i = 0; i < 2; i++)
        if (difference->field != NULL)
            TRY(add_value(table, difference->field, difference->row[i], error));
        else
            TRY(table_cells(table, error, "%s", difference->row[i] != NULL ? "measured" : "missing"));
    return add_number(table, "%.3g", difference->ratio, error);
}

static enum status add_complexity_difference(struct table *table, const struct manifest *manifest,
                                             const struct difference *difference, struct error *error)
{
    TRY(table_cells(table, error, "%s\t%s\t%zu", manifest->targets[difference->target].name,
                    manifest->samplers[difference->sampler].name, manifest->dimensions[difference->dimension]));
    TRY(table_nothing(table, error));
    TRY(table_cells(table, error, "T(d, %g)", manifest->accuracies[difference->accuracy]));
    TRY(add_range(table, difference->bracket[0], error));
    TRY(add_range(table, difference->bracket[1], error));
    return table_nothing(table, error);
}

static enum status print_differences(const struct evidence *side, const struct comparison *comparison, size_t lines,
                                     struct error *error)
{
    struct table table = {.column = difference_columns, .columns = DIFFERENCE_COLUMNS};
    size_t shown = lines < comparison->differences ? lines : comparison->differences;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < shown && status == STATUS_OK; i++) {
        const struct difference *difference = &comparison->difference[i];
        status = difference->bracket[0] != NULL
                     ? add_complexity_difference(&table, &side[0].manifest, difference, error)
                     : add_row_difference(&table, side, comparison, difference, error);
    }
    if (status == STATUS_OK && shown > 0) {
        putchar('\n');
        status = table_print(table_all(&table), stdout, error);
    }
    if (status == STATUS_OK && shown < comparison->differences)
        printf("... and %zu more (--all)\n", comparison->differences - shown);
    table_free(&table);
    return status;
}

static enum status print_text(const struct evidence *side, const struct comparison *comparison,
                              const struct options *options, struct error *error)
{
    print_origins(side, options);
    TRY(print_summary(comparison, error));
    print_notes(comparison);
    TRY(print_differences(side, comparison, options->lines, error));
    if (comparison->matched == 0)
        puts("\nThe results have no row in common.");
    else if (comparison_agrees(comparison))
        printf("\nThe results agree: %zu rows in common.\n", comparison->matched);
    else
        printf("\nThe results differ: %zu differences; %zu rows in common.\n", comparison->differences,
               comparison->matched);
    return STATUS_OK;
}

static void json_row_difference(const struct comparison *comparison, const struct difference *difference)
{
    const struct record *row = difference->row[difference->row[0] == NULL];
    printf("{\"difference\": \"%s\"", difference->field != NULL ? "value" : "missing row");
    for (const struct field *field = record_fields; field->name != NULL; field++)
        if (field->role == COLUMN_IDENTITY) {
            fputs(", ", stdout);
            json_field(stdout, field, row);
        }
    for (size_t i = 0; i < comparison->parameters.count; i++) {
        const struct field field = parameter_field(&comparison->parameters, i);
        fputs(", ", stdout);
        json_field(stdout, &field, row);
    }
    if (difference->field == NULL) {
        printf(", \"missing_in\": \"%s\"}\n", difference->row[0] == NULL ? "a" : "b");
        return;
    }
    printf(", \"quantity\": \"%s\"", difference->field->name);
    for (size_t i = 0; i < 2; i++) {
        printf(", \"%s\": ", json_name[i]);
        json_value(stdout, difference->field, difference->row[i]);
        if (difference->field->role == COLUMN_DERIVED)
            continue;
        printf(", \"%s_error\": ", json_name[i]);
        json_value(stdout, difference->field + 1, difference->row[i]);
    }
    fputs(", \"ratio\": ", stdout);
    json_real(stdout, difference->ratio);
    puts("}");
}

/* T(d, eps) is beyond "above", and at most "at_most", null where no T passes. */
static void json_complexity_difference(const struct manifest *manifest, const struct difference *difference)
{
    fputs("{\"difference\": \"T(d, eps)\", \"target\": ", stdout);
    json_text(stdout, manifest->targets[difference->target].name);
    fputs(", \"sampler\": ", stdout);
    json_text(stdout, manifest->samplers[difference->sampler].name);
    printf(", \"dimension\": %zu, \"accuracy\": ", manifest->dimensions[difference->dimension]);
    json_real(stdout, manifest->accuracies[difference->accuracy]);
    for (size_t i = 0; i < 2; i++) {
        const struct bracket *bracket = difference->bracket[i];
        printf(", \"%s_above\": %zu, \"%s_at_most\": ", json_name[i], bracket->certain, json_name[i]);
        json_real(stdout, bracket->reach == REACH_BEYOND ? NAN : (double)bracket->passes);
    }
    puts("}");
}

static void print_json(const struct evidence *side, const struct comparison *comparison)
{
    if (comparison->matched == 0)
        puts("{\"difference\": \"no row in common\"}");
    for (size_t i = 0; i < comparison->differences; i++)
        if (comparison->difference[i].bracket[0] != NULL)
            json_complexity_difference(&side[0].manifest, &comparison->difference[i]);
        else
            json_row_difference(comparison, &comparison->difference[i]);
}

static const struct argp_option argp_options[] = {
    {"lines", 'n', "N", 0, "Print the first N differences (default: 20)", 0},
    {"all", 'a', NULL, 0, "Print all differences", 0},
    {"json", KEY_JSON, NULL, 0, "One JSON object a difference instead of tables, always all of them", 0},
    {0},
};

static const struct argp argp = {
    argp_options,
    parse,
    "A B",
    "Compare two results, each a results directory or the merged .h5 file in it, cell by cell: of two machines, "
    "compilers or versions, or of two experiments with cells in common.\vRows are compared that measure the same: "
    "target, sampler, score error, schedule, d, T and number of chains; their order does not matter. Then\n\n"
    "- values of exact laws differ if they are further apart than the sum of their estimated radii, or if one is "
    "infinite and the other is known to be finite;\n"
    "- numbers from chains, estimates and bounds, differ if they are further apart than so many combined standard "
    "errors that noise alone (normal, with other seeds) shows a difference in one comparison of two results in 1000: "
    "3.3 for a single number, 5.7 for a hundred thousand; it is stated. With the same seed on another machine they "
    "should be far closer. Where only one says something they differ if the seeds are the same;\n"
    "- step sizes differ by more than 4 roundings, numbers of score evaluations by anything;\n"
    "- methods, mass defects, clip probabilities, seeds and times are only reported;\n"
    "- T(d, eps) differs if no T fits both, for each result says only that it lies beyond the last T at which TV is "
    "above eps by more than its radius, and not beyond the first at which it is below; or if only one of both has "
    "finished looking for it;\n"
    "- a row that only one has is a difference if the other's experiment asks for it at its `steps`. Others are only "
    "counted: which T the search for T(d, eps) measures hangs on last digits, and T(d, eps) itself is compared; and "
    "a shorter experiment is allowed to agree with a longer one. No row in common is a difference.\n\n"
    "Experiments' texts, versions, compilers and libraries are stated and are no difference.\n\n"
    "Exit status: 0 if the results agree, 1 if they differ or cannot be read, 2 for wrong arguments.\n\n"
    "Example:\n  diffrate diff results/quick elsewhere/results/quick",
    NULL,
    NULL,
    NULL};

static int run(int argc, char **argv)
{
    struct options options = {.lines = 20};
    (void)argp_parse(&argp, argc, argv, 0, NULL, &options);
    struct error error = {STATUS_OK, ""};
    struct evidence side[2] = {{.complexity = NULL}, {.complexity = NULL}};
    struct comparison comparison = {.tally = NULL};
    enum status status;
    for (size_t i = 0; i < 2; i++)
        TRY_OR(end, evidence_read(options.path[i], claim_names(), &side[i], &error));
    TRY_OR(end,
           compare_results((const struct evidence *const[]){&side[0], &side[1]}, options.path, &comparison, &error));
    if (options.json)
        print_json(side, &comparison);
    else
        status = print_text(side, &comparison, &options, &error);
end:;
    bool agrees = comparison_agrees(&comparison);
    comparison_free(&comparison);
    evidence_free(&side[0]);
    evidence_free(&side[1]);
    return status != STATUS_OK ? command_fail(&error) : agrees ? EXIT_OK : EXIT_DIFFERENT;
}

const struct command command_diff = {"diff", "compare two stored results within their error radii", &argp, run};
