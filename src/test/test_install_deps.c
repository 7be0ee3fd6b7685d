/* scripts/install-deps where no program can be found: what its words ask for, said by --check. */
#include <stdio.h>
#include <string.h>

#include "test/shell.h"
#include "test/suite.h"

TEST_SUITE(install_deps, .setup = shell_setup, .teardown = shell_teardown);

/* One thing that each group of needs has, and no other. */
#define BUILDING "Debian: libyaml-dev"
#define RUNNING "Debian: gnuplot-nox"
#define TESTING "Debian: hdf5-tools"
#define CHECKING "Debian: clang-format"
#define MEASURING "Debian: libfftw3-dev"

static const struct {
    const char *words, *wanted[5], *left[5];
} cases[] = {
    {"build", {BUILDING}, {RUNNING, TESTING, CHECKING, MEASURING}},
    {"", {BUILDING, RUNNING}, {TESTING, CHECKING, MEASURING}},
    {"test", {BUILDING, RUNNING, TESTING}, {CHECKING, MEASURING}},
    {"bench", {BUILDING, RUNNING, MEASURING}, {TESTING, CHECKING}},
    {"check", {BUILDING, RUNNING, TESTING, CHECKING}, {MEASURING}},
    {"test bench", {BUILDING, RUNNING, TESTING, MEASURING}, {CHECKING}},
    {"bench build test", {BUILDING, RUNNING, TESTING, MEASURING}, {CHECKING}},
};

static const char without_programs[] = "PATH=%%/none scripts/install-deps %s --check 2>&1";

TEST(words_add_up, .count = COUNT(cases))
{
    char command[200];
    (void)snprintf(command, sizeof command, without_programs, cases[_i].words);
    assert_exits_saying(command, 1, cases[_i].wanted);
    assert_says(output, 0, cases[_i].left);
    const char *first = strstr(output, BUILDING);
    ck_assert_ptr_null(strstr(first + 1, BUILDING)); /* each is named once, whoever asks for it */
}

TEST(unknown_words_are_refused)
{
    assert_exits("scripts/install-deps test bnech --check 2>&1", 2, "unknown word 'bnech', expected build, test");
}
