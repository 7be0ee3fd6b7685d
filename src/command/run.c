#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

#include "command/command.h"
#include "command/stored.h"
#include "core/provenance.h"
#include "experiment/run.h"
#include "verdict/figures.h"
#include "verdict/report.h"

struct options {
    const char *file, *output;
    int jobs, force, dry_run;
};

enum { KEY_FORCE = 1000, KEY_DRY_RUN };

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    char *end;
    switch (key) {
    case 'o':
        options->output = argument;
        return 0;
    case 'j': {
        long jobs = strtol(argument, &end, 10);
        if (*argument == '\0' || *end != '\0' || jobs < 1 || jobs > 4096)
            argp_error(state, "-j: expected a number of threads from 1 to 4096, not '%s'", argument);
        options->jobs = (int)jobs;
        return 0;
    }
    case KEY_FORCE:
        options->force = 1;
        return 0;
    case KEY_DRY_RUN:
        options->dry_run = 1;
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

/* What a run would do, without doing it. The cells that T(d, eps) needs are found on the way, so they are described,
 * not counted. */
static void print_plan(const struct spec *spec, const char *directory)
{
    size_t pairs = spec->target_count * spec->sampler_count, errors = spec->score_error_count - 1;
    printf("%s: %zu targets x %zu samplers, %zu dimensions a cell, into %s\n", spec->title, spec->target_count,
           spec->sampler_count, spec->dimension_count, directory);
    if (spec->step_count > 0) {
        printf("  %zu cells at the given numbers of steps", pairs * (1 + errors) * spec->step_count);
        if (errors > 0)
            printf(", with exact scores and %zu score errors", errors);
        putchar('\n');
    }
    if (spec->chain_count > 0)
        printf("  the same by chains, for %zu numbers of them; without laws where no exact one is known\n",
               spec->chain_count);
    if (spec->accuracy_count > 0)
        printf("  T(d, eps) for %zu accuracies: up to %zu cells at powers of sqrt(2) up to T = %zu, then about two "
               "for each of "
               "%zu brackets\n",
               spec->accuracy_count, pairs * run_ladder(spec, NULL), spec->max_steps,
               pairs * spec->dimension_count * spec->accuracy_count);
}

static enum status finish(const char *directory, struct error *error)
{
    struct evidence evidence;
    enum status status = evidence_read(directory, claim_names(), &evidence, error);
    if (status == STATUS_OK)
        status = stored_verdict(&evidence, error);
    if (status == STATUS_OK)
        status = figures_draw(&evidence, error);
    if (status == STATUS_OK)
        status = report_html(&evidence, error);
    evidence_free(&evidence);
    return status;
}

static int run(int argc, char **argv)
{
    static const struct argp_option argp_options[] = {
        {"output", 'o', "DIR", 0, "Where results go: DIR/<experiment>/ (default: results)", 0},
        {"jobs", 'j', "N", 0, "Threads (default: one a core)", 0},
        {"force", KEY_FORCE, NULL, 0, "Measure again what is stored already", 0},
        {"dry-run", KEY_DRY_RUN, NULL, 0, "Say what would be done", 0},
        {0},
    };
    static const struct argp argp = {
        argp_options,
        parse,
        "FILE",
        "Run an experiment file, resuming where an earlier run stopped; then judge its claims, draw its figures and "
        "write its "
        "report.\vExit status: 0, or 1 on failure, 2 for a wrong FILE or option, 3 if some cells failed.\n\n"
        "Example:\n  diffrate run experiments/quick.yaml -o /tmp/results -j 2",
        NULL,
        NULL,
        NULL};
    struct options options = {.output = "results"};
    (void)argp_parse(&argp, argc, argv, 0, NULL, &options);
    struct error error = {STATUS_OK, ""};
    struct spec spec;
    char directory[3900];
    enum status status = command_load_spec(options.file, &spec, &error);
    if (status == STATUS_OK
        && (size_t)snprintf(directory, sizeof directory, "%s/%s", options.output, spec.name) >= sizeof directory)
        status = fail_with(&error, STATUS_IO, "the path %s/%s is too long", options.output, spec.name);
    if (status != STATUS_OK || options.dry_run) {
        if (status == STATUS_OK)
            print_plan(&spec, directory);
        spec_free(&spec);
        return status == STATUS_OK ? EXIT_OK : command_fail(&error);
    }
    struct provenance provenance;
    provenance_collect(argc, argv, &provenance);
    struct run_options run_options = {directory, options.jobs, options.force, &provenance};
    struct run_summary summary;
    status = run_experiment(&spec, &run_options, &summary, &error);
    spec_free(&spec);
    if (status != STATUS_OK)
        return command_fail(&error);
    fprintf(stderr, "%zu cells measured, %zu read back, %zu failed\n", summary.measured, summary.reused,
            summary.failed);
    status = finish(directory, &error);
    if (status != STATUS_OK)
        return command_fail(&error);
    fprintf(stderr, "verdict.md, report.html and figures: %s/\n", directory);
    if (summary.failed == 0)
        return EXIT_OK;
    fprintf(stderr, "diffrate: %zu cells failed; the first: %s\n", summary.failed, summary.first_failure);
    return EXIT_CELLS_FAILED;
}

const struct command command_run = {"run", "run an experiment: laws, T(d, eps), verdicts, figures, report", run};
