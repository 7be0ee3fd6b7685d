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
    default:
        return command_argument(key, argument, state, &options->directory, "DIR", DIRECTORY_HINT);
    }
}

static const struct argp_option argp_options[] = {
    SPEC_OPTION(KEY_SPEC),
    {0},
};

static const struct argp merge_argp = {
    .options = argp_options,
    .parser = parse,
    .args_doc = "DIR",
    .doc = "Make the merged file of an experiment's results directory, DIR/<experiment>.h5, of the cells in it."
           "\vExit status: 0, or 1 if cells are missing, 3 if some cells failed.\n\n"
           "Example:\n  diffrate merge results/scaling && diffrate verdict results/scaling"};

/* What the command does with the directory, of that experiment; *code is its exit status. */
typedef enum status on_cells(const struct spec *spec, const char *directory, int *code, struct error *error);

static int run_on_cells(int argc, char **argv, const struct argp *argp, on_cells *work)
{
    struct options options = {NULL, NULL};
    (void)argp_parse(argp, argc, argv, 0, NULL, &options);
    struct error error = {STATUS_OK, ""};
    struct spec spec;
    struct provenance provenance;
    int code = EXIT_OK;
    enum status status;
    provenance_collect(argc, argv, &provenance);
    TRY_OR(end, command_directory_spec(options.directory, options.spec, provenance.version, &spec, &error));
    status = work(&spec, options.directory, &code, &error);
end:
    spec_free(&spec);
    return status == STATUS_OK ? code : command_fail(&error);
}

static enum status merge(const struct spec *spec, const char *directory, int *code, struct error *error)
{
    struct run_summary summary = {0};
    enum status status;
    TRY_OR(end, run_merge(spec, directory, &summary, error));
    *code = !summary.merged ? EXIT_FAILED : summary.failed > 0 ? EXIT_CELLS_FAILED : EXIT_OK;
    command_print_summary(&summary, directory);
end:
    run_summary_free(&summary);
    return status;
}

static enum status prune(const struct spec *spec, const char *directory, int *code, struct error *error)
{
    size_t removed = 0;
    (void)code;
    TRY(run_prune(spec, directory, &removed, error));
    fprintf(stderr, "%zu cell%s of other specs or versions removed\n", removed, removed == 1 ? "" : "s");
    return STATUS_OK;
}

static int run_merge_command(int argc, char **argv)
{
    return run_on_cells(argc, argv, &merge_argp, merge);
}

const struct command command_merge = {"merge", "make the merged file of cells that several runs measured",
                                      &merge_argp, run_merge_command};

static const struct argp prune_argp = {.options = argp_options,
                                       .parser = parse,
                                       .args_doc = "DIR",
                                       .doc =
                                           "Remove from an experiment's results directory the cells that are none of "
                                           "its own: of a spec or version that was "
                                           "there before `diffrate run --adopt`. Only where all of its own are there."
                                           "\vExit status: 0, or 1 if cells are missing.\n\n"
                                           "Example:\n  diffrate prune results/scaling"};

static int run_prune_command(int argc, char **argv)
{
    return run_on_cells(argc, argv, &prune_argp, prune);
}

const struct command command_prune = {"prune", "remove cells that are of another spec or version", &prune_argp,
                                      run_prune_command};
