/* What README.md shows as a file is what it says. Such a file is an indented block behind <!-- its name -->. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/shell.h"
#include "test/suite.h"

TEST_SUITE(readme, .setup = shell_setup, .teardown = shell_teardown);

/* Makes %/NAME. */
static void extract(const char *name)
{
    char command[400];
    (void)snprintf(command, sizeof command,
                   "awk -v mark='<!-- %s -->' '$0 == mark {on = 1; next} on && /^[^ ]/ {exit} on' README.md | "
                   "sed 's/^    //' | sed -e :a -e '/^\\n*$/{$d;N;ba' -e '}' >%%/%s",
                   name, name);
    ck_assert_int_eq(shell(command), 0);
    ck_assert_msg(exists(name), "README.md shows no %s", name);
}

/* The tutorial's experiment, with fewer accuracies and steps for time. */
static void run_mine(void)
{
    extract("mine.yaml");
    ck_assert_int_eq(shell("@ run %/mine.yaml --dry-run 2>&1"), 0);
    ck_assert_int_eq(shell("sed -i 's/, 1.0e-2, 3.0e-3]/]/; s/16384/512/' %/mine.yaml && "
                           "binary=$(realpath @) && cd % && $binary run mine.yaml 2>&1"),
                     0);
    ck_assert(exists("results/mine/mine.h5"));
}

TEST(the_plugin_is_the_file)
{
    extract("my-plugin.c");
    ck_assert_int_eq(shell("cmp %/my-plugin.c experiments/my-plugin.c"), 0);
}

TEST(the_tutorial_ends_with_a_figure)
{
    run_mine();
    extract("mine.gp");
    assert_prints("cd % && gnuplot mine.gp 2>&1", "");
    assert_prints("grep -o -e '<text>[^0-9]*ddpm' -e '<text>[^0-9]*accelerated' %/mine.svg | wc -l", "2\n");
    assert_prints("grep -o \"use xlink:href='#gpPt[01]'\" %/mine.svg | sort | uniq -c | awk '$1 >= 8' | wc -l",
                  "2\n"); /* both curves have points */
}

/* A program that says whether the snippet can run here, the snippet, and what it prints. */
static const struct {
    const char *can_run, *name, *program, *expected[3];
} snippets[] = {
    {"/usr/bin/python3 -c 'import h5py, pandas'",
     "h5py.py",
     "/usr/bin/python3",
     {"Total variation", "accelerated", "\n512 "}},
    {"/usr/bin/python3 -c 'import xarray, netCDF4'",
     "xarray.py",
     "/usr/bin/python3",
     {"'tv' ()", "array(0.6835", "'tv_error' ()"}},
    {"Rscript -e 'library(hdf5r)'", "hdf5r.R", "Rscript", {"(Intercept)", "log(log(steps)/steps)", " 1."}},
};

TEST(results_are_read_elsewhere, .count = COUNT(snippets), .tools = 1)
{
    char command[400];
    (void)snprintf(command, sizeof command, "%s >%%/log 2>&1", snippets[_i].can_run);
    if (shell(command) != 0)
        SKIP_TEST("README's %s cannot run: %s fails", snippets[_i].name, snippets[_i].can_run);
    run_mine();
    extract(snippets[_i].name);
    /* by another name, for a script is also the module of its name */
    (void)snprintf(command, sizeof command, "cd %% && mv %s snippet && %s snippet 2>&1", snippets[_i].name,
                   snippets[_i].program);
    ck_assert_msg(shell(command) == 0, "%s", output);
    for (size_t i = 0; i < 3; i++)
        ck_assert_msg(strstr(output, snippets[_i].expected[i]) != NULL, "%s: %s", snippets[_i].expected[i], output);
}

/* R's own data: every chain ends at a flower, and hardly one where there is noise around each. */
TEST(own_data, .tools = 1)
{
    if (shell("Rscript -e 1 >%/log 2>&1") != 0)
        SKIP_TEST("README's iris.yaml cannot run: there is no Rscript");
    extract("iris.yaml");
    ck_assert_int_eq(
        shell("sed -n 's/^.* With `\\(Rscript .*\\)` and$/\\1/p' README.md >%/write.sh && cd % && sh write.sh"), 0);
    assert_prints("wc -l <%/iris.csv", "150\n");
    assert_exits("@ measure %/iris.yaml >%/memorised", 0, "");
    assert_prints("awk '$1 ~ /-0$/ && $(NF-2) == 1 || $1 ~ /0\\.1$/ && $(NF-2) < 0.006 { n++ } END { print n }' "
                  "%/memorised",
                  "4\n");
}

/* CITATION.cff is of this version and names every paper whose claims are tested. */
TEST(citation_is_current)
{
    ck_assert_int_eq(shell("grep -qx \"version: $(sed -n 's/^VERSION = //p' Makefile)\" CITATION.cff"), 0);
    assert_prints("for key in cff-version message title authors license; do grep -q \"^$key: *\" CITATION.cff || "
                  "echo $key; done; for paper in $(@ list claims | grep -o 'arXiv:[0-9.]*[0-9]' | sort -u); do "
                  "grep -q \"notes: $paper$\" CITATION.cff || echo $paper; done",
                  "");
}

/* A theorem of the author's own, of a sampler that is in no list: judged, shown everywhere, and changed without
 * measuring anything again. */
TEST(own_theorems_are_judged)
{
    extract("my-theorem.yaml");
    ck_assert_int_eq(shell("gcc -std=c17 -ffp-contract=off -shared -fPIC -Isrc experiments/my-plugin.c -o "
                           "%/my-plugin.so && echo '  - {name: far, quantity: error_effect, at_least: "
                           "{score_error_size: 1}}' >>%/my-theorem.yaml"),
                     0);
    assert_exits("@ run %/my-theorem.yaml --shard 1/2 -o %/out -j 2 2>&1 && "
                 "@ run %/my-theorem.yaml --shard 2/2 -o %/out -j 2 2>&1",
                 0, "all cells are there and merged");
    assert_exits("@ verdict %/out/my-theorem 2>&1 && @ plot %/out/my-theorem && @ report %/out/my-theorem", 0,
                 "supported");
    ASSERT_MADE("out/my-theorem", "verdict.md", "verdict.tex", "report.html", "complexity-accuracy.svg");
    ck_assert_int_eq(shell("cd %/out/my-theorem && cp verdict.md verdict.tex report.html *.vars.gp ../.."), 0);
    assert_prints("grep -c '| mine | .* | <= 1 (d: <= 1/2) | supported |' %/verdict.md", "3\n");
    assert_prints("grep '| order | ' %/verdict.md | grep -o 'supported\\|not claimed'",
                  "supported\nnot claimed\nsupported\n");
    assert_prints("grep -c '| far | .* | inconclusive | .*no cell in the window' %/verdict.md", "2\n");
    assert_prints("grep -c '<h3>mine <span class=\"badge good\">. supported' %/report.html", "1\n");
    assert_prints("grep -o '[^>]*<cite>my paper' %/report.html", "T = O(d^(1/2)/eps) <cite>my paper\n");
    assert_prints("grep -c '^mine & ' %/verdict.tex", "3\n");
    assert_exits("cat %/complexity-accuracy.vars.gp", 0, "'∝ 1/ε^{1} (mine)'");
    assert_exits("@ explain %/out/my-theorem mine -t g", 0,
                 "\nJudged: limit of the exponent of T/log T in 1/eps, my-sampler");
    assert_exits("@ check %/out/my-theorem --spec %/my-theorem.yaml 2>&1", 0, "0 problems");

    ck_assert_int_eq(shell("sed -i 's/accuracy: 1,/accuracy: 0.9,/' %/my-theorem.yaml"), 0);
    assert_exits("@ run %/my-theorem.yaml -o %/out 2>&1", 1, "--adopt it and keep the cells that both have");
    assert_exits("@ run %/my-theorem.yaml -o %/out --adopt 2>&1", 0, "\n0 cells measured");
    assert_prints("grep -c '| mine | .* | refuted |' %/out/my-theorem/verdict.md", "3\n");
    assert_exits("@ list claims", 0, "claims of your own");
}
