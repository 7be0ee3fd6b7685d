/* What every command promises of its input, output and exit status, end to end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/file.h"
#include "test/shell.h"
#include "test/suite.h"

TEST_SUITE(commands, .setup = shell_setup, .teardown = shell_teardown);

#define SMALL \
    "targets: [{name: g, kind: gaussian, variance: 0.25}]\nsamplers: [ddpm]\ndimensions: [1, 4]\nsteps: [64, 128]\n"

/* The deterministic sampler's map jumps under a bump in one dimension: that cell fails, and no other. */
TEST(measure_goes_on_after_a_failed_cell)
{
    write_file("f.yaml", "targets: [{name: b, kind: mixture, weights: [0.5, 0.5], means: [-1, 1], sds: [0.3, 0.3]}]\n"
                         "samplers: [ddim, ddpm]\ndimensions: [1, 4]\nsteps: [64]\n"
                         "score_errors: [{shape: bump, size: 1.0e-2, probability: 1.0e-2}]\n");
    assert_exits("@ measure %/f.yaml 2>%/said", 3, "- failed: the map ");
    ck_assert_uint_eq(lines(output), 1 + 8);
    ASSERT_SAYS(output, "b      ddpm    bump 0.01 probability=0.01 all 4 64 ");
    FREED char *said = read_file("said");
    ASSERT_SAYS(said, "1 of 4 cells failed");
    assert_exits("@ measure %/f.yaml --json -j 1 2>/dev/null", 3, "\"tv\": null");
    ck_assert_uint_eq(lines(output), 8);
    assert_prints("@ measure %/f.yaml --json 2>/dev/null | grep -c '\"failure\": \"the map '",
                  "2\n"); /* one a dimension */
}

/* The same rows in the same order, however many processes find them. */
TEST(measure_is_deterministic)
{
    write_file("m.yaml", "targets: [{name: b, kind: mixture, weights: [0.5, 0.5], means: [-1, 1], sds: [0.3, 0.3]},\n"
                         "          {name: g, kind: gaussian, variance: 0.25}]\n"
                         "samplers: [ddpm, accelerated]\ndimensions: [1, 2]\nsteps: [512, 32, 64]\n"
                         "samples: {chains: 512, methods: [projection]}\n");
    assert_prints("@ measure %/m.yaml -j 1 >%/one 2>/dev/null && @ measure %/m.yaml -j 3 >%/three 2>%/said && "
                  "cmp %/one %/three && grep -c '^TARGET' %/one && grep -q '^24 cells in ' %/said",
                  "2\n");
}

/* With accuracies alone: the numbers of steps at which a search for T(d, eps) begins. */
TEST(measure_takes_the_first_steps_of_a_search)
{
    write_file("l.yaml", "targets: [{name: g, kind: gaussian, variance: 0.25}]\nsamplers: [ddpm]\ndimensions: [1]\n"
                         "accuracies: [0.1, 0.05]\nmax_steps: 100\n");
    assert_prints("@ measure %/l.yaml 2>/dev/null | awk '{print $4}' | xargs", "T 32 45 64 91 100\n");
}

TEST(output_that_is_lost_is_an_error)
{
    static const char *const commands[] = {"list",
                                           "measure %/s.yaml",
                                           "measure %/s.yaml --json",
                                           "run %/s.yaml -o %/again",
                                           "run %/s.yaml --dry-run",
                                           "verdict %/out/s",
                                           "explain %/out/s kl-ddpm",
                                           "check %/out/s -n 0",
                                           "diff %/out/s %/out/s",
                                           "manual",
                                           "completion",
                                           "--help",
                                           "run --help"};
    static const char *const lost[] = {">/dev/full", ">&-"};
    write_file("s.yaml", SMALL);
    ck_assert_int_eq(shell("@ run %/s.yaml -o %/out 2>&1"), 0);
    for (size_t i = 0; i < COUNT(commands); i++)
        for (size_t j = 0; j < 2; j++) {
            char command[200];
            (void)snprintf(command, sizeof command, "@ %s 2>&1 %s", commands[i], lost[j]);
            assert_exits(command, 1, "diffrate: cannot write all to standard output\n");
        }
    ck_assert(exists("again/s/report.html") && exists("again/s/cells.csv") && exists("again/s/verdict.md"));
    static const char *const silent[] = {"@ run %/s.yaml -o %/quiet 2>&-", "@ run %/s.yaml -o %/quiet 2>/dev/full",
                                         "@ measure %/s.yaml 2>&-", "@ check %/quiet/s 2>&-"};
    for (size_t i = 0; i < COUNT(silent); i++)
        assert_exits(silent[i], 0, "");
    assert_exits("@ run %/s.yaml -o '' 2>&1", 2, "-o: expected a directory");
}

TEST(messages_come_in_order)
{
    write_file("s.yaml", SMALL);
    ck_assert_int_eq(shell("@ run %/s.yaml -o %/out 2>&1"), 0);
    const char *merged = strstr(output, "all cells are there and merged"), *claim = strstr(output, "kl-ddpm"),
               *last = strstr(output, "verdict.md, verdict.tex");
    ck_assert_ptr_nonnull(merged);
    ck_assert(merged < claim && claim < last);
}

TEST(results_of_others_are_refused)
{
    static const char *const commands[] = {"verdict", "plot", "report", "explain"};
    write_file("a.yaml", SMALL);
    write_file("b.yaml", SMALL "claims: none\n");
    ck_assert_int_eq(
        shell("@ run %/a.yaml -o %/out 2>&1 && @ run %/b.yaml -o %/out 2>&1 && cp %/out/a/a.h5 %/out/b/b.h5"), 0);
    for (size_t i = 0; i < COUNT(commands); i++) {
        char command[100];
        (void)snprintf(command, sizeof command, "@ %s %%/out/b %s 2>&1", commands[i], i == 3 ? "kl-ddpm" : "");
        assert_exits(command, 1, "/out/b/b.h5 holds results of another experiment, a\n");
    }
    /* the same name, another text */
    ck_assert_int_eq(
        shell("mkdir %/else && sed 's/64/96/' %/b.yaml >%/else/b.yaml && @ run %/else/b.yaml -o %/else 2>&1 && "
              "cp %/else/b/b.h5 %/out/b/b.h5"),
        0);
    assert_exits("@ verdict %/out/b 2>&1", 1, "with another text than ");
    assert_exits("@ verdict %/out/b/b.h5 2>&1", 1, "with another text than ");
    assert_exits("cp %/else/b/b.h5 %/b.h5 && @ verdict %/b.h5 2>&1", 0, ""); /* nothing says whose it should be */
    assert_exits("@ verdict %/out/a 2>&1", 0, "kl-ddpm");
}

/* Tables and reports do without gnuplot; old images do not stay beside new data. */
TEST(reports_need_no_gnuplot)
{
    write_file("s.yaml", SMALL);
    ck_assert_int_eq(shell("GNUTERM=nonsense GNUPLOT_LIB=/nowhere @ run %/s.yaml -o %/out 2>&1"), 0);
    ck_assert(exists("out/s/tv-steps.svg") && exists("out/s/tv-steps.png"));
    ck_assert_int_eq(
        shell("mkdir %/bin && printf '#!/bin/sh\\necho broken\\nexit 1\\n' >%/bin/gnuplot && chmod +x %/bin/gnuplot"),
        0);
    assert_exits("rm %/out/s/report.html %/out/s/cells.csv; PATH=%/bin:$PATH @ run %/s.yaml -o %/out 2>&1", 1,
                 "gnuplot cannot draw tv-steps: broken");
    ck_assert(exists("out/s/report.html") && exists("out/s/cells.csv") && exists("out/s/tv-steps.tsv"));
    ck_assert(!exists("out/s/tv-steps.svg") && !exists("out/s/tv-steps.png"));
    assert_exits("rm %/bin/gnuplot %/out/s/report.html; PATH=%/bin @ run %/s.yaml -o %/out 2>&1", 1,
                 "gnuplot is not installed");
    ck_assert(exists("out/s/report.html"));
    ck_assert_int_eq(shell("find %/out -name '*.tmp.*' | grep ."), 1);
}

/* A temporary of a process that is no more, and of one that still is. */
TEST(temporaries_of_the_dead_are_swept)
{
    write_file("s.yaml", SMALL);
    char command[1000], ours[200], theirs[200];
    ck_assert_int_eq(shell("@ run %/s.yaml -o %/out 2>&1"), 0);
    file_temporary("report.html", 0, ours, sizeof ours);
    pid_t dead = fork();
    if (dead == 0) {
        file_temporary("report.html", 0, ours, sizeof ours);
        write_file("name", ours);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(dead, NULL, 0), dead);
    char *name = read_file("name");
    (void)snprintf(theirs, sizeof theirs, "%s", name);
    free(name);
    (void)snprintf(command, sizeof command, "cd %%/out/s && touch %s %s cells/%s cells/x.tsv.tmp.0.%d.0", ours,
                   theirs, theirs, (int)dead); /* the last, of another machine */
    ck_assert_int_eq(shell(command), 0);
    assert_prints("@ run %/s.yaml -o %/out >%/log 2>&1; find %/out -name '*.tmp.*' | wc -l", "2\n");
    (void)snprintf(command, sizeof command, "test -e %%/out/s/%s && test -e %%/out/s/cells/x.tsv.tmp.0.%d.0", ours,
                   (int)dead);
    ck_assert_int_eq(shell(command), 0);
}

static size_t measured(void)
{
    const char *line = strstr(output, "measured, ");
    ck_assert_ptr_nonnull(line);
    while (line > output && line[-1] != '\n')
        line--;
    return strtoul(line, NULL, 10);
}

#define GROWING \
    "targets: [{name: b, kind: mixture, weights: [0.5, 0.5], means: [-1, 1], sds: [0.3, 0.3]}]\nsamplers: [ddpm]\n" \
    "steps: [32, 64]\nsamples: {chains: 512, methods: [projection]}\nscore_errors: [{shape: bias, size: 0.01}]\n"

/* Of an experiment with other dimensions, those that both have are kept, to the bit; then orphans are removed. */
TEST(adoption_keeps_dimensions)
{
    write_file("s.yaml", GROWING "dimensions: [1, 4]\n");
    ck_assert_int_eq(shell("@ run %/s.yaml -o %/out 2>&1"), 0);
    ck_assert_uint_eq(measured(), 8);
    OWNED(result) old = load_result("out/s/s.h5");
    write_file("s.yaml", GROWING "dimensions: [2, 4, 8]\n");
    assert_exits("@ run %/s.yaml -o %/out 2>&1", 1, "--adopt");
    ck_assert_int_eq(shell("@ run %/s.yaml -o %/out --adopt 2>&1 && @ run %/s.yaml -o %/new 2>&1"), 0);
    assert_same("new/s/s.h5", "out/s/s.h5");
    OWNED(result) grown = load_result("out/s/s.h5");
    size_t kept = 0;
    for (size_t i = 0; i < grown.count; i++)
        for (size_t j = 0; j < old.count; j++) /* the wall time tells when a row was measured */
            kept += record_order(&grown.rows[i], &old.rows[j]) == 0 && grown.rows[i].seconds == old.rows[j].seconds;
    ck_assert_uint_eq(kept, 8);
    assert_exits("@ check %/out/s 2>&1", 0,
                 "\n8 sound cells of other specs or versions, which `diffrate prune` removes\n");
    assert_exits("@ prune %/out/s 2>&1", 0, "8 cells of other specs or versions removed\n");
    assert_exits("@ check %/out/s 2>&1 | grep -c 'of other specs'", 1, "0\n");
    assert_exits("@ run %/s.yaml -o %/out 2>&1", 0, "\n0 cells measured");
    assert_exits("rm $(ls %/out/s/cells/b-ddpm-32-????????????????.tsv) && @ prune %/out/s 2>&1", 1,
                 "nothing is removed");
}

/* Other spellings of the same numbers are the same cells. */
TEST(numbers_have_several_spellings)
{
    write_file("a.yaml",
               "targets:\n  - {name: m, kind: mixture, weights: [0.25, 0.25, 0.25, 0.25], means: [-3, -1, 1, 3], "
               "sds: [0.3, 0.3, 0.3, 0.3]}\n  - {name: g, kind: gaussian, variance: 0.25}\n"
               "samplers: [ddpm]\ndimensions: [1, 100]\nsteps: [64]\n");
    write_file("b.yaml", "targets:\n  - {name: m, kind: mixture, weights: equal, means: [-3, -1, 1, 3], sds: 3/10}\n"
                         "  - {name: g, kind: gaussian, variance: .25}\n"
                         "samplers: [ddpm]\ndimensions: [1.0, 1e2]\nsteps: [0.64e2]\n");
    assert_prints("for s in a b; do @ measure %/$s.yaml --json 2>/dev/null | sed 's/\"seconds.*//' >%/$s; done; "
                  "cmp %/a %/b && wc -l <%/a",
                  "4\n");
}

static const struct {
    const char *target, *words;
} wrong_numbers[] = {
    {"kind: gaussian, variance: 1/0", "1:47: expected a number that double precision can hold, found '1/0'"},
    {"kind: gaussian, variance: 1/2/3", "1:47: expected a number > 0, found '1/2/3'"},
    {"kind: gaussian, variance: 1/-2", "1:47: expected a number > 0, found '1/-2'"},
    {"kind: mixture, weights: equal, means: 1, sds: 1",
     "no other list of the target says how many 'weights' there are"},
    {"kind: mixture, weights: even, means: [1, 2], sds: 1",
     "1:45: expected a non-empty list or the word equal, found 'even'"},
    {"kind: mixture, weights: equal, means: [1, 2], sds: -1", "1:72: expected a number >= 0, found '-1'"},
    {"kind: mixture-full, weights: [1], means: [[0, 0]], covariances: [[[1, 2], [2, 1]]]",
     "1:85: covariance 1 is not positive semidefinite: an eigenvalue is -1"},
};

TEST(wrong_numbers_are_placed, .count = COUNT(wrong_numbers))
{
    char text[400];
    (void)snprintf(
        text, sizeof text,
        "targets: [{name: g, %s}]\nsamplers: [ddpm]\ndimensions: [2]\nsteps: [64]\nsamples: {chains: 512}\n",
        wrong_numbers[_i].target);
    write_file("w.yaml", text);
    assert_exits("@ measure %/w.yaml 2>&1", 2, wrong_numbers[_i].words);
    ck_assert_uint_eq(lines(output), 1);
}

/* Weights of paths need 512 pairs; where none are asked for, fewer chains do. */
TEST(few_chains_are_refused_in_time)
{
    write_file("f.yaml", SMALL "samples: {chains: 200}\n");
    assert_exits("@ run %/f.yaml -o %/out 2>&1", 2,
                 "f.yaml:5:19: expected an integer from 512 to 268435456, found '200'");
    ck_assert(!exists("out"));
    write_file("f.yaml", SMALL "samples: {chains: 200, methods: [projection, knn]}\n");
    assert_exits("@ measure %/f.yaml 2>&1", 0, " 200 ");
}

TEST(help_has_several_names)
{
    static const char *const same[] = {"run -h", "help run", "-h run", "run x.yaml -h"};
    char *expected;
    ck_assert_int_eq(shell("@ run --help"), 0);
    expected = strdup(output);
    for (size_t i = 0; i < COUNT(same); i++) {
        char command[100];
        (void)snprintf(command, sizeof command, "@ %s", same[i]);
        assert_prints(command, expected);
    }
    free(expected);
    ck_assert_int_eq(shell("@ --help >%/a && @ -h >%/b && @ help >%/c && cmp %/a %/b && cmp %/a %/c"), 0);
    assert_exits("@ help fly 2>&1", 2, "unknown command 'fly'");
    assert_exits("@ --version", 0, "diffrate ");
    ck_assert_uint_eq(lines(output), 1);
    assert_exits("@ list keys", 0, "  max_steps (optional): ");
    assert_exits("@ manual", 0, "\\fBmax_steps\\fR (optional)\n");
    static const char *const jobs[] = {"measure", "run", "check"};
    for (size_t i = 0; i < COUNT(jobs); i++) {
        char command[100];
        (void)snprintf(command, sizeof command, "@ %s -j 0 x 2>&1", jobs[i]);
        assert_exits(command, 2, "-j: expected a number ");
    }
    assert_exits("@ diff -j a b 2>&1", 2, "invalid option");
}

/* What a verdict rests on, and what would make one where there is none. */
TEST(verdicts_say_what_they_rest_on)
{
    write_file("v.yaml", "targets: [{name: g, kind: gaussian, variance: 0.25}]\nsamplers: [ddpm, accelerated]\n"
                         "dimensions: [1, 4, 64]\nsteps: [64, 128, 256]\naccuracies: [0.09]\nmax_steps: 512\n");
    ck_assert_int_eq(shell("@ run %/v.yaml -o %/out 2>/dev/null"), 0);
    ASSERT_OMITS(output, "all targets");
    ASSERT_SAYS(output, "is an identity and no evidence");
    ASSERT_OMITS(output, "1.000 ± 0.000");
    ASSERT_SAYS(output, "at 1 value, where 4 at 3 are needed; add accuracies <= 0.1");
    ck_assert_int_eq(shell("grep -c 'all targets' %/out/v/verdict.md %/out/v/report.html"), 1);
}

/* What would take forever is quick, or refused. */
TEST(extremes_end)
{
    write_file("power.yaml",
               "targets: [{name: p, kind: gaussian, variance: 0.25, spectrum: {kind: power, exponent: 1e9}}]\n"
               "samplers: [ddpm]\ndimensions: [1e6]\nsteps: [64]\n");
    assert_exits("timeout 20 @ measure %/power.yaml 2>&1", 0, "1000000 64 ");
    write_file("rough.yaml", SMALL "score_errors: [{shape: wave, size: 0.01, roughness: 1e5}]\n");
    assert_exits("@ measure %/rough.yaml 2>&1", 2,
                 "rough.yaml:5:53: expected a number in (0, 10000], for a law takes time");
    write_file("s.yaml", SMALL);
    if (getenv("ASAN_OPTIONS") == NULL) { /* a sanitizer needs terabytes */
        assert_exits("ulimit -v 150000; timeout 20 env OPENBLAS_NUM_THREADS=2 @ measure %/s.yaml 2>&1", 1,
                     "leaves no room for the threads of OpenBLAS");
        assert_exits("ulimit -v 150000; timeout 20 env OPENBLAS_NUM_THREADS=1 @ measure %/s.yaml 2>&1", 0,
                     "gaussian");
    }
}
