/* The commands that tidy a results directory from the cells in it alone: merge, prune. */
#include <argp.h>
#include <stdio.h>

#include "command/command.h"
#include "core/provenance.h"

enum { KEY_SPEC = 1000 };

struct options {
    const char *directory, *spec;
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case KEY_SPEC:
        options->spec = argument;
        return 0;
    case ARGP_KEY_ARG:
        if (options->directory != NULL)
            argp_error(state, "one DIR at a time");
        options->directory = argument;
        return 0;
    case ARGP_KEY_END:
        if (options->directory == NULL)
            argp_error(state, "which DIR? The results directory of an experiment, such as results/scaling");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option argp_options[] = {
    {"spec", KEY_SPEC, "FILE", 0,
     "The experiment's own file, to load its plug-ins from; needed for chains of a plug-in's targets alone", 0},
    {0},
};

static const struct argp argp = {
    argp_options,
    parse,
    "DIR",
    "Make the merged file of an experiment's results directory, DIR/<experiment>.h5, of the cells in it."
    "\vExit status: 0, or 1 if cells are missing, 3 if some cells failed.\n\n"
    "Example:\n  diffrate merge results/scaling && diffrate verdict results/scaling",
    NULL,
    NULL,
    NULL};

static int run(int argc, char **argv)
{
    struct options options = {NULL, NULL};
    (void)argp_parse(&argp, argc, argv, 0, NULL, &options);
    struct error error = {STATUS_OK, ""};
    struct spec spec;
    struct run_summary summary = {0};
    struct provenance provenance;
    provenance_collect(argc, argv, &provenance);
    enum status status = command_directory_spec(options.directory, options.spec, provenance.version, &spec, &error);
    if (status == STATUS_OK)
        status = run_merge(&spec, options.directory, &summary, &error);
    int code = status != STATUS_OK  ? command_fail(&error)
               : !summary.merged    ? EXIT_FAILED
               : summary.failed > 0 ? EXIT_CELLS_FAILED
                                    : EXIT_OK;
    if (status == STATUS_OK)
        command_print_summary(&summary, options.directory);
    run_summary_free(&summary);
    spec_free(&spec);
    return code;
}

const struct command command_merge = {"merge", "make the merged file of cells that several runs measured", &argp,
                                      run};

static const struct argp prune_argp = {
    argp_options,
    parse,
    "DIR",
    "Remove from an experiment's results directory the cells that are none of its own: of a spec or version that was "
    "there before `diffrate run --adopt`. Only where all of its own are there."
    "\vExit status: 0, or 1 if cells are missing.\n\n"
    "Example:\n  diffrate prune results/scaling",
    NULL,
    NULL,
    NULL};

static int run_prune_command(int argc, char **argv)
{
    struct options options = {NULL, NULL};
    (void)argp_parse(&prune_argp, argc, argv, 0, NULL, &options);
    struct error error = {STATUS_OK, ""};
    struct spec spec;
    struct provenance provenance;
    size_t removed = 0;
    provenance_collect(argc, argv, &provenance);
    enum status status = command_directory_spec(options.directory, options.spec, provenance.version, &spec, &error);
    if (status == STATUS_OK)
        status = run_prune(&spec, options.directory, &removed, &error);
    spec_free(&spec);
    if (status != STATUS_OK)
        return command_fail(&error);
    fprintf(stderr, "%zu cell%s of other specs or versions removed\n", removed, removed == 1 ? "" : "s");
    return EXIT_OK;
}

const struct command command_prune = {"prune", "remove cells that are of another spec or version", &prune_argp,
                                      run_prune_command};
