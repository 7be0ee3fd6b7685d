#include "report/index.h"

#include <argp.h>

#include "command/command.h"

static error_t parse(int key, char *argument, struct argp_state *state)
{
    return command_argument(key, argument, state, state->input, "DIR",
                            " One that holds results directories, such as results/theorems");
}

static const struct argp argp = {
    NULL,
    parse,
    "DIR",
    "Judge all claims of every result in DIR, from what is stored: print a table with a row a claim (statement, "
    "metric, worst sampler and target, exponents in the limit and at finite T, bound, verdict, slack), and write it "
    "as DIR/index.html, "
    "which links to the reports, and DIR/index.md."
    "\vExample:\n  diffrate index results/theorems",
    NULL,
    NULL,
    NULL};

static int run(int argc, char **argv)
{
    const char *directory = NULL;
    (void)argp_parse(&argp, argc, argv, 0, NULL, &directory);
    struct error error = {STATUS_OK, ""};
    struct table table;
    enum status status;
    TRY_OR(end, index_table(directory, &table, &error));
    TRY_OR(end, index_write(directory, &table, &error));
    status = index_print(&table, stdout, &error);
end:
    table_free(&table);
    return status == STATUS_OK ? EXIT_OK : command_fail(&error);
}

const struct command command_index = {"index", "one table of the claims of several results", &argp, run};
