/* Runs the tests: see --help. */
#include <argp.h>
#include <cblas.h>
#include <gsl/gsl_errno.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "results/store.h"
#include "test/runner.h"

enum { OPTION_REST = 1, OPTION_LIST, OPTION_SIZE, OPTION_TIMES };

static const struct argp_option options[] = {
    {"list", OPTION_LIST, NULL, 0, "List the tests instead of running them", 0},
    {"jobs", 'j', "N", 0, "Tests at a time, of one thread each (default: one a core)", 0},
    {"size", OPTION_SIZE, "N", 0,
     "How much is repeated: kills, seeds, numbers of steps (default: $DIFFRATE_TEST_SIZE, or 1; `make check` takes "
     "25)",
     0},
    {"rest", OPTION_REST, NULL, 0, "Only the tests that grow with the size or need the programs of `make check`", 0},
    {"times", OPTION_TIMES, NULL, 0, "Print the time that each test took, on the clock and of a core", 0},
    {0}};

struct arguments {
    struct selection selection;
    int list;
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    char *end;
    switch (key) {
    case OPTION_TIMES:
        arguments->selection.times = 1;
        return 0;
    case OPTION_LIST:
        arguments->list = 1;
        return 0;
    case OPTION_REST:
        arguments->selection.rest = 1;
        return 0;
    case OPTION_SIZE:
        if (!(strtod(argument, &end) > 0.0) || *end != '\0')
            argp_error(state, "expected a positive number after --size, found '%s'", argument);
        (void)setenv("DIFFRATE_TEST_SIZE", argument, 1);
        return 0;
    case 'j':
        arguments->selection.jobs = (int)strtol(argument, &end, 10);
        if (arguments->selection.jobs < 1 || arguments->selection.jobs > 1000 || *end != '\0')
            argp_error(state, "expected a number from 1 to 1000 after --jobs, found '%s'", argument);
        return 0;
    case ARGP_KEY_ARGS:
        arguments->selection.names = state->argv + state->next;
        arguments->selection.name_count = (size_t)(state->argc - state->next);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .args_doc = "[NAME...]",
    .doc =
        "Run the tests of these names: of a suite, of a test, or SUITE/TEST; without names all but those that need "
        "programs "
        "which `make test` does not install.\vFrom the project's root, with the binary in DIFFRATE (build/diffrate). "
        "Example:\n  build/diffrate-test line/test_threads radial --size 10"};

/* Every name must be of something. */
static int check_names(const struct selection *selection, const struct suite_test *tests, size_t count)
{
    for (size_t k = 0; k < selection->name_count; k++) {
        struct selection one = {.names = &selection->names[k], .name_count = 1};
        size_t found = 0;
        for (size_t i = 0; i < count; i++)
            found += is_selected(&one, &tests[i]) != 0;
        if (found == 0) {
            fprintf(stderr, "diffrate-test: no suite or test '%s'; --list shows them\n", selection->names[k]);
            return 0;
        }
    }
    return 1;
}

static void list(const struct selection *selection, const struct suite_test *tests, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_selected(selection, &tests[i]))
            printf("%s/%s\n", tests[i].suite->name, tests[i].test->name);
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.selection.jobs = (int)sysconf(_SC_NPROCESSORS_ONLN)};
    argp_err_exit_status = 2;
    if (argp_parse(&argp, argc, argv, 0, NULL, &arguments) != 0)
        return 2;
    (void)setenv("OMP_NUM_THREADS", "1", 0); /* for the programs that tests start */
    (void)setenv("OPENBLAS_NUM_THREADS", "1", 0);
    omp_set_num_threads(1);
    openblas_set_num_threads(1);
    (void)gsl_set_error_handler_off();
    store_init();
    size_t count;
    struct suite_test *tests = all_tests(&count);
    int status = 2;
    if (check_names(&arguments.selection, tests, count)) {
        status = 0;
        if (arguments.list)
            list(&arguments.selection, tests, count);
        else
            status = run_selected(&arguments.selection, tests, count);
    }
    free(tests);
    return status;
}
