/* `diffrate check`: what is sound is said to be, and each way in which it may not be is found. */
#include <glob.h>
#include <stdio.h>

#include "results/cell_file.h"
#include "test/planted.h"
#include "test/shell.h"
#include "test/suite.h"

TEST_SUITE(check, .setup = shell_setup, .teardown = shell_teardown);

/* 4 cells of which two are of exact laws, and a search. */
#define SPEC \
    "targets:\n  - {name: g, kind: gaussian, variance: 0.25}\n" \
    "  - {name: b, kind: mixture, weights: [0.5, 0.5], means: [-1, 1], sds: [0.3, 0.3]}\n" \
    "samplers: [ddpm]\ndimensions: [1, 4]\nsteps: [64]\nsamples: {chains: 512, methods: [projection]}\n" \
    "accuracies: [0.1]\nmax_steps: 128\n"

static void make_results(void)
{
    write_file("s.yaml", SPEC);
    ck_assert_int_eq(shell("@ run %/s.yaml -o %/out 2>&1"), 0);
}

TEST(sound_results_are_sound)
{
    make_results();
    assert_exits("@ check %/out/s --sample 100 2>%/log", 0, "cells are sound, 0 of them failed; 0 missing\n");
    ASSERT_OMITS(output, "other specs");
    ASSERT_SAYS(output, " the same to the bit, 0 within their radii\n0 problems\n");
    ASSERT_OMITS(output, "\n0 measured again");
    assert_prints("@ check %/out/s/ --sample 2 2>&1 | grep -c 'measuring again: '", "2\n");
    assert_exits("@ check %/out/s --sample 0", 0, "\n0 measured again");
}

/* Rewrites a cell, sealed as a writer would, with its TV changed by so many radii and its seal correct. */
static void change_cell(const char *pattern, double radii)
{
    char path[400];
    glob_t found;
    OWNED(result) result;
    struct error error = {STATUS_OK, ""};
    (void)snprintf(path, sizeof path, "%s/out/s/cells/%s", directory, pattern);
    ck_assert_int_eq(glob(path, 0, NULL, &found), 0);
    ck_assert_int_eq((int)cell_file_read(found.gl_pathv[0], &result, &error), (int)STATUS_OK);
    const struct fact facts[] = {{"cell", result.cell}, {NULL, NULL}};
    result.rows[0].tv += radii * result.rows[0].tv_error;
    ck_assert_int_eq(
        (int)cell_file_write(found.gl_pathv[0], result.rows, result.count, &result.parameters, facts, &error),
        (int)STATUS_OK);
    globfree(&found);
}

TEST(changed_cells_are_found)
{
    make_results();
    change_cell("b-ddpm-64-????????????????.tsv", 1.0);
    assert_exits("@ check %/out/s --sample 0", 1, "is not what its cells make");
    assert_exits("@ merge %/out/s 2>&1 && @ check %/out/s --sample 100 2>%/log", 0,
                 ", 1 within their radii\n0 problems\n");
    change_cell("b-ddpm-64-????????????????.tsv", 3.0);
    ck_assert_int_eq(shell("@ merge %/out/s 2>&1 && @ check %/out/s --sample 0"), 0); /* nothing else can tell */
    assert_exits("@ check %/out/s --sample 100 2>%/log", 1,
                 "measured again, it differs beyond its radii: b-ddpm-64-");
}

TEST(damage_is_found)
{
    make_results();
    assert_exits("truncate -s -1 %/out/s/s.h5 && @ check %/out/s -n 0", 1, "out/s/s.h5 is not as diffrate wrote it");
    assert_exits("rm %/out/s/s.h5 && @ check %/out/s -n 0", 1, "cannot open ");
    ck_assert_int_eq(shell("@ merge %/out/s 2>&1"), 0);
    assert_exits("truncate -s -1 %/out/s/cells/g-ddpm-64-5*.tsv && @ check %/out/s -n 0", 1, "\n1 problem\n",
                 "/cells/g-ddpm-64-512-chains-");
    ck_assert_int_eq(shell("@ run %/s.yaml -o %/out --retry-failed 2>&1 && @ check %/out/s -n 0"), 0);
}

TEST(what_is_beside_the_cells_is_told)
{
    make_results();
    assert_exits("cd %/out/s/cells && touch a.tsv.tmp.1.0; cd -; "
                 "@ check %/out/s -n 0",
                 0, "\n1 temporary file, ");
    assert_exits("cd %/out/s/cells && cp b-ddpm-64-????????????????.tsv b-ddpm-7.tsv; cd -; "
                 "@ check %/out/s -n 0",
                 0, "\n1 sound cell of other specs or versions, which `diffrate prune` removes\n");
    assert_exits("echo hello >%/out/s/cells/b-ddpm-7.tsv; @ check %/out/s -n 0", 1,
                 "b-ddpm-7.tsv is not a cell of this version");
    assert_exits("rm %/out/s/cells/b-ddpm-7.tsv; echo hello >%/out/s/cells/notes; @ check %/out/s -n 0", 1,
                 "not a cell: cells/notes");
    assert_exits("rm %/out/s/cells/notes %/out/s/cells/b-*; @ check %/out/s -n 0", 1,
                 "s.h5 is there, but cells that it was made of are gone");
    ASSERT_OMITS(output, " 0 missing");
    ck_assert_int_eq(shell("rm %/out/s/s.h5; @ check %/out/s -n 0"), 0); /* a run that has not ended */
    assert_exits("rm %/out/s/cells/*; @ check %/out/s -n 0", 1, " holds no cell of the experiment");
    assert_exits("rmdir %/out/s/cells; @ check %/out/s -n 0 2>&1", 1, "cannot read directory ");
}
