#include <argp.h>
#include <ctype.h>
#include <omp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "command/command.h"
#include "command/picture.h"
#include "command/stored.h"
#include "core/provenance.h"
#include "experiment/plan.h"
#include "report/figures.h"
#include "results/run.h"
#include "verdict/claims.h"

struct options {
    const char *file, *output;
    struct run_options run;
    bool dry_run;
};

enum { KEY_FORCE = 1000, KEY_DRY_RUN, KEY_SHARD, KEY_RETRY_FAILED, KEY_ADOPT, KEY_CELL_SECONDS };

/* I/N */
static void read_shard(const char *text, struct run_options *out, const struct argp_state *state)
{
    char extra;
    bool ok = isdigit((unsigned char)text[0]) && sscanf(text, "%9zu/%9zu%c", &out->share, &out->shares, &extra) == 2
              && out->share >= 1 && out->share <= out->shares;
    if (!ok)
        argp_error(state, "--shard: expected I/N with 1 <= I <= N, such as 3/16, not '%s'", text);
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case 'o':
        options->output = command_read_output(argument, state);
        return 0;
    case 'j':
        options->run.jobs = command_read_jobs(argument, state);
        return 0;
    case KEY_FORCE:
        options->run.force = 1;
        return 0;
    case KEY_DRY_RUN:
        options->dry_run = true;
        return 0;
    case KEY_SHARD:
        read_shard(argument, &options->run, state);
        return 0;
    case KEY_RETRY_FAILED:
        options->run.retry_failed = 1;
        return 0;
    case KEY_ADOPT:
        options->run.adopt = 1;
        return 0;
    case KEY_CELL_SECONDS:
        options->run.cell_seconds = command_read_seconds(argument, state);
        return 0;
    default:
        return command_argument(key, argument, state, &options->file, "FILE", "");
    }
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

/* What each of several shards gets: cells that are known now, and searches for T(d, eps), whose cells are found on
 * the way. */
static void print_shares(const struct plan *plan, size_t shares)
{
    enum { NAMED_SEARCHES = 8 };
    const struct spec *spec = plan->spec;
    double all = 0.0;
    for (size_t i = 0; i < plan->count; i++)
        all += plan->items[i].cost;
    for (size_t i = 0; i < plan->pursuit_count; i++)
        all += plan->pursuits[i].cost;
    for (size_t share = 0; share < shares; share++) {
        size_t cells = 0, searches = 0;
        double cost = 0.0;
        for (size_t i = 0; i < plan->count; i++)
            if (plan->items[i].share == share) {
                cells++;
                cost += plan->items[i].cost;
            }
        for (size_t i = 0; i < plan->pursuit_count; i++)
            cost += plan->pursuits[i].share == share ? plan->pursuits[i].cost : 0.0;
        printf("  shard %zu/%zu: %zu cell%s", share + 1, shares, cells, plural(cells));
        for (size_t i = 0; i < plan->pursuit_count; i++)
            if (plan->pursuits[i].share == share && searches++ < NAMED_SEARCHES)
                printf(", T(d, eps) of %s %s", spec->targets[plan->pursuits[i].target].name,
                       spec->samplers[plan->pursuits[i].sampler]->name);
        if (searches > NAMED_SEARCHES)
            printf(" and %zu more", searches - NAMED_SEARCHES);
        printf("; about %.0f%% of the work\n", 100.0 * cost / all);
    }
}

/* "; T = 64 to 256 at d = 4" of the smallest and the largest dimension, where T depends on it. */
static void print_steps_in(const struct spec *spec)
{
    const size_t last = spec->dimension_count - 1, at[] = {spec->dimensions[0], spec->dimensions[last]};
    bool depends = false;
    for (size_t i = 0; i < spec->step_count; i++)
        depends = depends || spec->step_dimensions[i].count <= last;
    for (size_t k = 0; k < 2 && depends; k++) {
        size_t least = 0, most = 0;
        for (size_t i = 0; i < spec->step_count; i++)
            if (dimensions_find(&spec->step_dimensions[i], at[k]) < spec->step_dimensions[i].count) {
                least = least > 0 ? least : spec->steps[i];
                most = spec->steps[i];
            }
        printf("%sT = %zu to %zu at d = %zu", k == 0 ? "; " : ", ", least, most, at[k]);
    }
}

/* What a run would do, without doing it. The cells that T(d, eps) needs are found on the way, so they are described,
 * not counted. */
static enum status print_plan(const struct spec *spec, const char *directory, size_t shares, struct error *error)
{
    size_t pairs = spec->target_count * spec->sampler_count, errors = spec->score_error_count - 1;
    printf("%s: %zu target%s x %zu sampler%s, %zu dimension%s a cell, into %s\n", spec->title, spec->target_count,
           plural(spec->target_count), spec->sampler_count, plural(spec->sampler_count), spec->dimension_count,
           plural(spec->dimension_count), directory);
    if (spec->step_count > 0) {
        size_t cells = pairs * (1 + errors) * spec->step_count;
        printf("  %zu cell%s at the given numbers of steps", cells, plural(cells));
        if (errors > 0)
            printf(", with exact scores and %zu score error%s", errors, plural(errors));
        print_steps_in(spec);
        putchar('\n');
    }
    if (spec->chain_count > 0)
        printf("  the same by chains, for %zu number%s of them; without laws where no exact one is known\n",
               spec->chain_count, plural(spec->chain_count));
    if (spec->accuracy_count > 0) {
        struct grid grid;
        enum status status = grid_make(spec, 0, 1, &grid, error);
        free(grid.steps);
        TRY(status);
        printf("  T(d, eps) for %zu accurac%s: up to %zu cells at powers of sqrt(2) up to T = %zu, of laws that take "
               "seconds none of them, then about two for each of %zu brackets\n",
               spec->accuracy_count, spec->accuracy_count == 1 ? "y" : "ies", pairs * grid.count, spec->max_steps,
               pairs * spec->dimension_count * spec->accuracy_count);
    }
    if (shares == 1)
        return STATUS_OK;
    struct plan plan;
    enum status status = plan_new(spec, shares, &plan, error);
    if (status == STATUS_OK)
        print_shares(&plan, shares);
    plan_free(&plan);
    return status;
}

/* What one step cannot do is no reason to leave out the others; the first error is reported. */
static enum status finish(const struct spec *spec, const struct options *options, bool anew, struct error *error)
{
    static enum status (*const steps[])(const struct evidence *evidence,
                                        struct error *error) = {stored_verdict, figures_draw, stored_report};
    struct evidence evidence;
    struct error ignored;
    enum status first = evidence_read(options->run.directory, claim_names(), &evidence, error);
    if (first == STATUS_OK) {
        size_t threads = (size_t)(options->run.jobs > 0 ? options->run.jobs : omp_get_max_threads());
        size_t dear;
        first = pictures_draw_cheap(spec, &evidence, threads, anew, &dear, error);
        if (first == STATUS_OK && dear > 0)
            printf(
                "not drawn: densities in the plane of %zu law%s of more than %g s; `diffrate density` draws them\n",
                dear, dear == 1 ? "" : "s", PICTURE_SECONDS);
        for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
            enum status status = steps[i](&evidence, first == STATUS_OK ? error : &ignored);
            first = first == STATUS_OK ? status : first;
        }
    }
    evidence_free(&evidence);
    return first;
}

static int run_and_finish(const struct spec *spec, const struct options *options, struct error *error)
{
    struct run_summary summary;
    const char *directory = options->run.directory;
    enum status status = run_experiment(spec, &options->run, &summary, error);
    int interruption = summary.interruption, whole = options->run.shares == 1, code = EXIT_OK;
    if (status == STATUS_INTERRUPTED) {
        code = command_interrupted(interruption,
                                   "; the cells measured so far are stored, and the same command goes on from there");
    } else if (status == STATUS_OK) {
        command_print_summary(&summary, directory);
        if (whole)
            status = finish(spec, options, summary.measured > 0, error);
        if (status == STATUS_OK && whole)
            fprintf(stderr, "verdict.md, verdict.tex, report.html, cells.csv and figures: %s/\n", directory);
        code = summary.failed > 0 ? EXIT_CELLS_FAILED : EXIT_OK;
    }
    run_summary_free(&summary);
    return status == STATUS_OK || status == STATUS_INTERRUPTED ? code : command_fail(error);
}

static const struct argp_option argp_options[] = {
    {"output", 'o', "DIR", 0, "Where results go: DIR/<experiment>/ (default: results)", 0},
    JOBS_OPTION,
    {"shard", KEY_SHARD, "I/N", 0,
     "Measure the I-th of N parts of the cells, of about equal cost, beside runs of the others on this machine or on "
     "others that share DIR; then merge, if all cells are there",
     0},
    {"force", KEY_FORCE, NULL, 0, "Measure again what is stored already", 0},
    {"retry-failed", KEY_RETRY_FAILED, NULL, 0, "Measure again what failed before, and what is damaged", 0},
    {"adopt", KEY_ADOPT, NULL, 0,
     "Take over the results of another spec or version, keeping the cells that are the same", 0},
    CELL_SECONDS_OPTION(KEY_CELL_SECONDS),
    {"dry-run", KEY_DRY_RUN, NULL, 0, "Say what would be done, and with --shard what each shard gets", 0},
    {0},
};

static const struct argp argp = {
    .options = argp_options,
    .parser = parse,
    .args_doc = "FILE",
    .doc =
        "Run an experiment file, resuming where an earlier run stopped; then judge its claims, draw its figures and "
        "write its report.\vCells are stored one by one, so a run may be killed at any moment and loses only what it "
        "was "
        "measuring. With --shard, judging and drawing is left to `diffrate verdict`, `plot` and `report`.\n\n"
        "Exit status: 0, or 1 on failure, 2 for a wrong FILE or option, 3 if some cells failed, 128 + N after "
        "signal N.\n\n"
        "Examples:\n  diffrate run experiments/quick.yaml -o /tmp/results -j 2\n"
        "  diffrate run experiments/scaling.yaml --shard 3/16"};

static int run(int argc, char **argv)
{
    struct options options = {.output = "results", .run = {.share = 1, .shares = 1}};
    (void)argp_parse(&argp, argc, argv, 0, NULL, &options);
    struct error error = {STATUS_OK, ""};
    struct spec spec;
    char directory[3900];
    enum status status = command_load_spec(options.file, &spec, &error);
    if (status == STATUS_OK
        && (size_t)snprintf(directory, sizeof directory, "%s/%s", options.output, spec.name) >= sizeof directory)
        status = fail_with(&error, STATUS_IO, "the path %.200s.../%s is too long", options.output, spec.name);
    struct provenance provenance;
    provenance_collect(argc, argv, &provenance);
    options.run.directory = directory;
    options.run.provenance = &provenance;
    int code = EXIT_OK;
    if (status == STATUS_OK && options.dry_run)
        status = print_plan(&spec, directory, options.run.shares, &error);
    if (status != STATUS_OK)
        code = command_fail(&error);
    else if (!options.dry_run)
        code = run_and_finish(&spec, &options, &error);
    spec_free(&spec);
    return code;
}

const struct command command_run = {"run", "run an experiment: laws, T(d, eps), verdicts, figures, report", &argp,
                                    run};
