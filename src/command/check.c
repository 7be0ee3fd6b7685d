#include <argp.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

#include "command/command.h"
#include "core/provenance.h"
#include "results/check.h"

enum { DEFAULT_SAMPLE = 5, KEY_SEED = 1000, KEY_SPEC, KEY_CELL_SECONDS };

struct options {
    const char *directory, *spec;
    struct check_options check;
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case 'n':
        options->check.sample = command_read_count(argument, "--sample", 0, LARGEST_COUNT, state);
        return 0;
    case 'j':
        options->check.threads = command_read_jobs(argument, state);
        return 0;
    case KEY_SEED:
        options->check.seed = command_read_count(argument, "--seed", 0, LARGEST_COUNT, state);
        return 0;
    case KEY_CELL_SECONDS:
        options->check.cell_seconds = command_read_seconds(argument, state);
        return 0;
    case KEY_SPEC:
        options->spec = argument;
        return 0;
    default:
        return command_argument(key, argument, state, &options->directory, "RESULT", DIRECTORY_HINT);
    }
}

static void print_begin(void *context, const char *cell)
{
    (void)context;
    fprintf(stderr, "measuring again: %s\n", cell);
}

static void print_check(const struct check *check)
{
    fputs(check->text, stdout);
    printf("%zu cell%s sound, %zu of them failed; %zu missing\n", check->cells, check->cells == 1 ? " is" : "s are",
           check->failed, check->missing);
    if (check->others > 0)
        printf("%zu sound cell%s of other specs or versions, which `diffrate prune` removes\n", check->others,
               check->others == 1 ? "" : "s");
    if (check->leftovers > 0)
        printf("%zu temporary file%s, which a later run removes\n", check->leftovers,
               check->leftovers == 1 ? "" : "s");
    printf("%zu measured again: %zu the same to the bit, %zu within their radii\n", check->measured, check->identical,
           check->agreeing);
    printf("%zu problem%s\n", check->problems, check->problems == 1 ? "" : "s");
}

static const struct argp_option argp_options[] = {
    {"sample", 'n', "N", 0, "Measure N cells again, chosen at random (default: 5)", 0},
    SPEC_OPTION(KEY_SPEC),
    {"jobs", 'j', "N", 0, "Threads to measure a cell with (default: one a core)", 0},
    CELL_SECONDS_OPTION(KEY_CELL_SECONDS),
    {"seed", KEY_SEED, "SEED", 0, "Seed of the choice (default: 1)", 0},
    {0},
};

static const struct argp argp = {
    .options = argp_options,
    .parser = parse,
    .args_doc = "RESULT",
    .doc = "Verify a results directory: the checksum, schema and description of every cell, "
           "the merged file against the cells, and a random sample of cells against the same "
           "measured again.\vExit status: 0, or 1 if there is a problem.\n\n"
           "Example:\n  diffrate check results/scaling --sample 20"};

static int run(int argc, char **argv)
{
    struct options options = {
        .check = {.sample = DEFAULT_SAMPLE, .seed = 1, .begin = print_begin, .threads = omp_get_max_threads()}};
    (void)argp_parse(&argp, argc, argv, 0, NULL, &options);
    struct error error = {STATUS_OK, ""};
    struct spec spec;
    struct check check = {.cells = 0};
    struct provenance provenance;
    provenance_collect(argc, argv, &provenance);
    enum status status;
    TRY_OR(end, command_directory_spec(options.directory, options.spec, provenance.version, &spec, &error));
    TRY_OR(end, check_directory(options.directory, &spec, &options.check, &check, &error));
    print_check(&check);
end:;
    int code = status == STATUS_INTERRUPTED ? command_interrupted(check.interruption, "")
               : status != STATUS_OK        ? command_fail(&error)
               : check.problems > 0         ? EXIT_FAILED
                                            : EXIT_OK;
    check_free(&check);
    spec_free(&spec);
    return code;
}

const struct command command_check = {"check", "verify a results directory, and measure some cells again", &argp,
                                      run};
