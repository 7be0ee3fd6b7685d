/* Runs tests of all suites, some at a time, each in a process of its own. */
#ifndef TEST_RUNNER_H
#define TEST_RUNNER_H

#include "test/suite.h"

struct selection {
    char **names; /* of suites, tests, or SUITE/TEST; all if there are none */
    size_t name_count;
    int rest; /* only what grows and what needs more programs: what a run at size 1 without this leaves out */
    int jobs;
    int times; /* prints the seconds that each test took */
};

/* All tests, ordered by suites and lines; for free(). Aborts without memory. */
struct suite_test *all_tests(size_t *count);

int is_selected(const struct selection *selection, const struct suite_test *test);

/* Prints what failed, each with the end of what it printed, and what was skipped and why, and as the last line
 * Check's summary. Returns the process's exit status. */
int run_selected(const struct selection *selection, const struct suite_test *tests, size_t count);

#endif
