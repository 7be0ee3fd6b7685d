#include "report/index.h"

#include <argp.h>
#include <stdlib.h>

#include "command/command.h"

/* DIR and names, up to NULL, in the order of the command line. */
struct arguments {
    const char **given;
    size_t count;
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    if (key == ARGP_KEY_END && arguments->count == 0)
        argp_error(state, "which DIR? One that holds results directories, such as results/theorems");
    if (key != ARGP_KEY_ARG)
        return key == ARGP_KEY_END ? 0 : ARGP_ERR_UNKNOWN;
    arguments->given[arguments->count++] = argument;
    return 0;
}

static const struct argp argp = {
    NULL,
    parse,
    "DIR [NAME...]",
    "Judge all claims of every result in DIR, or of those of these names alone, from what is stored: print a table "
    "with a row a claim (statement, metric, worst sampler and target, exponents in the limit and at finite T, bound, "
    "verdict, slack), and write it as DIR/index.html, which links to the reports, and DIR/index.md. A claim that "
    "several results judge has one row, of the largest exponent that is seen on any target of any of them."
    "\vExamples:\n  diffrate index results/theorems\n  diffrate index results scaling hard-dimension-accuracy",
    NULL,
    NULL,
    NULL};

static int run(int argc, char **argv)
{
    struct error error = {STATUS_OK, ""};
    struct table table = {.cell = NULL};
    struct arguments arguments = {calloc((size_t)argc + 1, sizeof *arguments.given), 0};
    enum status status = STATUS_OK;
    if (arguments.given == NULL)
        TRY_OR(end, fail_with(&error, STATUS_MEMORY, "out of memory for names"));
    (void)argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    TRY_OR(end, index_table(arguments.given[0], arguments.given + 1, &table, &error));
    TRY_OR(end, index_write(arguments.given[0], &table, &error));
    status = index_print(&table, stdout, &error);
end:
    table_free(&table);
    free(arguments.given);
    return status == STATUS_OK ? EXIT_OK : command_fail(&error);
}

const struct command command_index = {"index", "one table of the claims of several results", &argp, run};
