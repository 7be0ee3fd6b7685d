#include <argp.h>
#include <stdio.h>

#include "command/command.h"
#include "core/provenance.h"
#include "experiment/directory.h"
#include "verdict/claims.h"

static error_t parse(int key, char *argument, struct argp_state *state)
{
    const char **directory = state->input;
    switch (key) {
    case ARGP_KEY_ARG:
        if (*directory != NULL)
            argp_error(state, "one DIR at a time");
        *directory = argument;
        return 0;
    case ARGP_KEY_END:
        if (*directory == NULL)
            argp_error(state, "which DIR? The results directory of an experiment, such as results/scaling");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int run(int argc, char **argv)
{
    static const struct argp argp = {
        NULL,
        parse,
        "DIR",
        "Make the merged file of an experiment's results directory, DIR/<experiment>.h5, of the cells in it."
        "\vExit status: 0, or 1 if cells are missing, 3 if some cells failed.\n\n"
        "Example:\n  diffrate merge results/scaling && diffrate verdict results/scaling",
        NULL,
        NULL,
        NULL};
    const char *directory = NULL;
    (void)argp_parse(&argp, argc, argv, 0, NULL, &directory);
    struct error error = {STATUS_OK, ""};
    struct spec spec;
    struct run_summary summary = {0};
    struct provenance provenance;
    provenance_collect(argc, argv, &provenance);
    enum status status = directory_read(directory, provenance.version, claim_names(), &spec, &error);
    if (status == STATUS_OK)
        status = run_merge(&spec, directory, &summary, &error);
    int code = status != STATUS_OK  ? command_fail(&error)
               : !summary.merged    ? EXIT_FAILED
               : summary.failed > 0 ? EXIT_CELLS_FAILED
                                    : EXIT_OK;
    if (status == STATUS_OK)
        command_print_summary(&summary, directory);
    run_summary_free(&summary);
    spec_free(&spec);
    return code;
}

const struct command command_merge = {"merge", "make the merged file of cells that several runs measured", run};
