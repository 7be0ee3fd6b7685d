/* Schedules whose levels come from a file: what an experiment's own file reads, and results carry. */
#include <hdf5_hl.h>
#include <stdio.h>
#include <string.h>

#include "test/shell.h"
#include "test/suite.h"

TEST_SUITE(table, .setup = shell_setup, .teardown = shell_teardown);

#define SPEC(file, more) \
    "title: x\nschedule: {kind: table, file: " file more \
    "}\ntargets: [{name: b, kind: gaussian, variance: 0.25}]\nsamplers: [accelerated]\ndimensions: [1]\n" \
    "steps: [64]\naccuracies: [0.01]\nmax_steps: 128\n"

static const char growing[] = "# alpha_bar, from noise to data\n1e-5,1e-3 0.1 # more\n0.5\r\n\t0.9 0.99 0.9999";
static const double falling[] = {0.9999, 0.99, 0.9, 0.5, 0.1, 1e-3, 1e-5};

static void write_hdf5(const char *name)
{
    char path[300];
    hsize_t size = COUNT(falling);
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert(file >= 0 && H5LTmake_dataset_double(file, "levels", 1, &size, falling) >= 0 && H5Fclose(file) >= 0);
}

static double measured(const char *name)
{
    OWNED(result) result = load_result(name);
    ck_assert_uint_ge(result.count, 1);
    return result.rows[0].tv;
}

/* From another directory, from a text or HDF5, from either end; and read back without the file. */
TEST(files_are_read_once)
{
    ck_assert_int_eq(shell("mkdir %/sub"), 0);
    write_file("sub/levels.txt", growing);
    write_hdf5("sub/levels.h5");
    write_file("a.yaml", SPEC("sub/levels.txt", ""));
    write_file("b.yaml", SPEC("./sub/levels.h5:levels", ", quantity: alpha_bar"));
    ck_assert_msg(shell("@ run %/a.yaml -o %/out 2>&1 && @ run %/b.yaml -o %/out 2>&1") == 0, "%s", output);
    double tv = measured("out/a/a.h5");
    ck_assert(tv > 0.0 && tv < 0.1 && tv == measured("out/b/b.h5"));
    ck_assert_int_eq(shell("mv %/sub %/away"), 0);
    ck_assert_msg(shell("@ merge %/out/a 2>&1 && @ verdict %/out/a 2>&1 && @ report %/out/b 2>&1 && "
                        "@ check %/out/a --sample 9 2>&1")
                      == 0,
                  "%s", output);
    ASSERT_SAYS(output, "measured again: ");
    ck_assert_int_eq(shell("@ run %/a.yaml -o %/out 2>&1"), 2);
    ck_assert_msg(strstr(output, "a.yaml:2:31: cannot open ") != NULL, "%s", output);
}

/* Other numbers are another schedule. */
TEST(other_numbers_are_other_cells)
{
    write_file("levels.txt", growing);
    write_file("a.yaml", SPEC("levels.txt", ""));
    ck_assert_int_eq(shell("@ run %/a.yaml -o %/out 2>&1"), 0);
    double tv = measured("out/a/a.h5");
    write_file("levels.txt", "1e-5 1e-3 0.1 0.5 0.9 0.99 0.9999\n");
    assert_exits("@ run %/a.yaml -o %/out 2>&1", 0, "\n0 cells measured, ");
    write_file("levels.txt", "1e-5 1e-3 0.1 0.6 0.9 0.99 0.9999\n");
    ck_assert_int_eq(shell("@ run %/a.yaml -o %/out 2>&1"), 1);
    ck_assert_int_eq(shell("@ run %/a.yaml -o %/out --adopt 2>&1"), 0);
    ck_assert_double_ne(tv, measured("out/a/a.h5"));
}

TEST(what_is_no_table_is_refused)
{
    static const struct {
        const char *file, *more, *message;
    } cases[] = {
        {"0.1 0.2x", "", "x.yaml:2:31: "},
        {"0.1\n\n0.2 0x", "", "levels.txt:3:5: expected a number, found '0x'"},
        {"0.1 nan", "", "levels.txt:1:5: expected a number, found 'nan'"},
        {"0.5", "", "found 1 numbers, expected 2 at least"},
        {"0.1 0.9 0.8", "", "expected them to grow or to fall throughout"},
        {"0.1 1.5", "", "number 2 is 1.5, expected an alpha_bar in (0, 1)"},
        {"0.1 1.5", ", quantity: tau", "expected one of: alpha_bar, sigma"},
    };
    char text[600];
    for (size_t i = 0; i < COUNT(cases); i++) {
        write_file("levels.txt", cases[i].file);
        (void)snprintf(text, sizeof text, SPEC("levels.txt", "%s"), cases[i].more);
        write_file("x.yaml", text);
        ck_assert_int_eq(shell("@ measure %/x.yaml 2>&1"), 2);
        ck_assert_msg(strstr(output, cases[i].message) != NULL && lines(output) == 1, "%s", output);
    }
    write_hdf5("levels.h5");
    write_file("x.yaml", SPEC("levels.h5", ""));
    assert_exits("@ measure %/x.yaml 2>&1", 2, "is not a text; the dataset of an HDF5 file is FILE:DATASET");
    write_file("x.yaml", SPEC("levels.h5:level", ""));
    assert_exits("@ measure %/x.yaml 2>&1", 2, "no dataset 'level' of 1 to 10000 numbers in one dimension");
    ck_assert_uint_eq(lines(output), 1);
}
