/* What a spec may ask for: counted right, refused where the list stands, and read in a time that does not grow out of
 * hand. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/provenance.h"
#include "experiment/cell.h"
#include "experiment/limits.h"
#include "results/cell_file.h"
#include "results/store.h"
#include "test/planted.h"
#include "test/suite.h"

TEST_SUITE(limits);

#define GAUSS "targets: [{name: g, kind: gaussian, variance: 1}]\n"
#define POWER "targets: [{name: g, kind: gaussian, variance: 1, spectrum: {kind: power, exponent: 1}}]\n"
#define RANDOM(rest) "targets: [{name: r, kind: mixture-random, spread: 1, sd: 1, " rest "}]\n"
#define DDPM "samplers: [ddpm]\n"

static const char *const claims[] = {"eps-ddpm", NULL};

static enum status parse(const char *text, struct spec *spec, struct error *error)
{
    return spec_parse("big.yaml", text, strlen(text), "", claims, spec, error);
}

static struct spec parsed(const char *text)
{
    struct spec spec;
    ASSERT_OK(parse, text, &spec);
    return spec;
}

/* ---- The counts ---- */

TEST(cells_are_counted)
{
    struct spec spec =
        parsed("targets: [{name: a, kind: gaussian, variance: 1}, {name: b, kind: gaussian, variance: 2}]\n"
               "samplers: [ddpm, accelerated, ddim]\ndimensions: [1, 2, 3, 4, 5]\nsteps: [64, 128]\n"
               "score_errors: [{shape: bias, size: [1, 2, 3]}]\nsamples: {chains: [512, 1024, 2048]}\n");
    struct demand demand = limits_demand(&spec);
    ck_assert_double_eq(demand.cells, 2.0 * 3.0 * 4.0 * 2.0 * 4.0);
    ck_assert_double_eq(demand.numbers, 0.0);
    spec_free(&spec);
    spec = parsed(GAUSS DDPM "dimensions: [1, 2]\naccuracies: [0.1, 0.01, 0.001]\nmax_steps: 256\n");
    demand = limits_demand(&spec);
    ck_assert_double_eq(demand.cells, 2.0 * 4.0 + 2.0 + 2.0 * 2.0 * 3.0); /* 16, 23, ..., 256; two a bracket */
    spec_free(&spec);
}

TEST(numbers_are_counted)
{
    static const struct {
        const char *text;
        double numbers;
    } cases[] = {
        {POWER DDPM "dimensions: [10, 1000]\nsteps: [64]\n", 1010.0},
        {RANDOM("components: 3") DDPM "dimensions: [10, 20]\nsteps: [64]\n", 90.0},
        {RANDOM("components: 3, covariances: shared") DDPM "dimensions: [10]\nsteps: [64]\nsamples: {chains: 512}\n",
         130.0},
        {RANDOM("components: 3, covariances: each") DDPM "dimensions: [10]\nsteps: [64]\nsamples: {chains: 512}\n",
         330.0},
        {"targets:\n- name: s\n  kind: direct-sum\n  factors:\n"
         "  - {kind: gaussian, variance: 1, spectrum: {kind: power, exponent: 1}, copies: 30}\n"
         "  - {kind: mixture-random, spread: 1, sd: 1, components: 2, copies: rest}\n" DDPM
         "dimensions: [30, 40]\nsteps: [64]\n",
         30.0 + 30.0 + 20.0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        OWNED(spec) spec = parsed(cases[i].text);
        ck_assert_double_eq(limits_demand(&spec).numbers, cases[i].numbers);
    }
}

static double size_of(const char *path)
{
    struct stat info;
    ck_assert_int_eq(stat(path, &info), 0);
    return (double)info.st_size;
}

/* Of the cell's rows, in a file of their own or in one with their copies. */
static double file_size(const struct cell *cell, const struct record *rows, size_t count, bool merged)
{
    struct provenance p;
    char path[] = "/tmp/diffrate-limits-XXXXXX";
    const struct parameter_columns *parameters = &cell->spec->parameters;
    FREED char *description = cell_describe(cell);
    FREED struct record *copies = array_new(count, sizeof *copies);
    int file = mkstemp(path);
    ck_assert(file >= 0 && close(file) == 0 && copies != NULL && description != NULL);
    provenance_collect(1, (char *[]){"diffrate", NULL}, &p);
    const struct fact facts[] = {{"cell", description},
                                 {"failure", ""},
                                 {"version", p.version},
                                 {"commit", p.commit},
                                 {"compiler", p.compiler},
                                 {"flags", p.flags},
                                 {"host", p.host},
                                 {"libraries", p.libraries},
                                 {"command", "diffrate run experiments/scaling.yaml"},
                                 {NULL, NULL}};
    for (size_t i = 0; i < count; i++)
        copies[i] = rows[i % cell->dimensions.count];
    if (merged)
        ASSERT_OK(store_array, path, copies, count, parameters, facts);
    else
        ASSERT_OK(cell_file_write, path, copies, count, parameters, facts);
    double size = size_of(path);
    ck_assert_int_eq(unlink(path), 0);
    return size;
}

/* The files are as large as limits.c says, by a quarter: one of the merged results, one a cell, and a row in both. */
TEST(files_are_as_large_as_estimated)
{
    enum { MANY = 4000 };
    static const char *const texts[] = {GAUSS DDPM "dimensions: [1, 2, 3, 4]\nsteps: [64]\n",
                                        GAUSS DDPM "dimensions: [1, 2, 3, 4]\nsteps: [64, 65]\n",
                                        GAUSS DDPM "dimensions: [1, 2, 3]\nsteps: [64]\n"};
    double estimate[COUNT(texts)];
    struct record rows[4];
    for (size_t i = 0; i < COUNT(texts); i++) {
        OWNED(spec) spec = parsed(texts[i]);
        estimate[i] = limits_demand(&spec).disk;
    }
    OWNED(spec) spec = parsed(texts[0]);
    const struct cell cell = {.spec = &spec, .steps = 64, .dimensions = spec_dimensions(&spec)};
    ASSERT_OK(cell_measure, &cell, 1, rows);
    double in_merged = (file_size(&cell, rows, MANY + 4, true) - file_size(&cell, rows, 4, true)) / MANY;
    double in_cell = (file_size(&cell, rows, MANY + 4, false) - file_size(&cell, rows, 4, false)) / MANY;
    double row = in_merged + in_cell, one = file_size(&cell, rows, 4, false) + 4.0 * in_merged;
    ck_assert_double_eq_tol(estimate[0] - estimate[2], row, 0.25 * row);
    ck_assert_double_eq_tol(estimate[1] - estimate[0], one, 0.25 * one);
    double merged = file_size(&cell, rows, 4, true) - 4.0 * in_merged, left = 2.0 * estimate[0] - estimate[1];
    ck_assert_double_eq_tol(left, merged, 0.25 * merged);
}

TEST(memory_is_counted)
{
    static const struct {
        const char *text, *key;
        double least, most; /* bytes */
    } cases[] = {
        {GAUSS DDPM "dimensions: [100]\nsteps: [64]\nsamples: {chains: 1000000, methods: [projection]}\n", "samples",
         8e8, 9e8},
        {GAUSS DDPM "dimensions: [100]\nsteps: [64]\nsamples: {chains: 1000000, methods: [weights]}\n", "samples",
         9e8, 10e8},
        {GAUSS DDPM "dimensions: [1000000]\nsteps: [64]\nsamples: {chains: 512}\n", "dimensions", 9e9, 15e9},
        {RANDOM("components: 4, covariances: each") DDPM "dimensions: [2000]\nsteps: [64]\nsamples: {chains: 512}\n",
         "dimensions", 3.8e8, 6e8},
        {POWER DDPM "dimensions: [1000000]\nsteps: [64]\nsamples: {chains: 512}\n", "dimensions", 8e9, 16e9},
        {"targets: [{name: r, kind: radial, weights: [0.5, 0.5], sds: [1, 2]}]\n" DDPM
         "dimensions: [100000]\nsteps: [64]\nsamples: {chains: 512}\nscore_errors: [{shape: wave, size: 1, "
         "roughness: 1}]\n",
         "dimensions", 6e8, 2e9},
        {GAUSS DDPM "dimensions: [1]\nsteps: [10000000]\n", "dimensions", 2.4e8, 2.5e8},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        OWNED(spec) spec = parsed(cases[i].text);
        struct excess excess;
        double memory = limits_demand(&spec).memory;
        ck_assert_msg(memory >= cases[i].least && memory <= cases[i].most, "case %zu: %g", i, memory);
        ck_assert(!limits_exceeded(&spec, memory, &excess));
        ck_assert(limits_exceeded(&spec, 0.99 * memory, &excess));
        ck_assert_str_eq(excess.key, cases[i].key);
    }
    ck_assert_double_gt(limits_machine_memory(), 1e8);
    OWNED(spec) spec = parsed(GAUSS DDPM "dimensions: [1, 2, 3, 4]\nsteps: [64, 65]\n");
    struct excess excess;
    double merging = limits_demand(&spec).merging;
    ck_assert_double_ge(merging, 8.0 * 2.0 * (double)sizeof(struct record)); /* as read, and as merged */
    ck_assert_double_le(merging, 8.0 * 4.0 * (double)sizeof(struct record));
    ck_assert(!limits_exceeded(&spec, merging, &excess));
    ck_assert(limits_exceeded(&spec, 0.99 * merging, &excess));
    ASSERT_SAYS(excess.text, "results (2 cells x 4 dimensions) that need ");
}

/* ---- Too much ---- */

/* The numbers of things that a spec asks for; its lists stand on a line each, in this order. */
struct counts {
    size_t targets, dimensions, steps, score_errors, chains, accuracies;
};

static void put_list(FILE *stream, const char *before, const char *item, size_t first, size_t count,
                     const char *after)
{
    for (size_t i = 0; i < count; i++)
        fprintf(stream, "%s%s%zu", i == 0 ? before : ", ", item, first + i);
    (void)fputs(count > 0 ? after : "\n", stream);
}

static char *spec_of(const struct counts *counts)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    ck_assert_ptr_nonnull(stream);
    (void)fputs("targets: [", stream);
    for (size_t i = 0; i < counts->targets; i++)
        fprintf(stream, "{name: g%zu, kind: gaussian, variance: 1},", i);
    (void)fputs("]\n", stream);
    put_list(stream, "dimensions: [", "", 1, counts->dimensions, "]\n");
    put_list(stream, "steps: [", "", 64, counts->steps, "]\n");
    put_list(stream, "score_errors: [{shape: bias, size: [", "", 1, counts->score_errors, "]}]\n");
    put_list(stream, "samples: {chains: [", "", 512, counts->chains, "]}\n");
    put_list(stream, "accuracies: [", "0.1", 10000, counts->accuracies, "]\n");
    (void)fputs(DDPM, stream);
    ck_assert_int_eq(fclose(stream), 0);
    return text;
}

static const struct {
    struct counts counts;
    int line;
    const char *message; /* NULL: it is not too much */
} lists[] = {
    {{10000, 1, 1, 9, 9, 0}, 0, NULL},
    {{10000, 1, 1, 9, 10, 0},
     1,
     "asks for 1.1e+06 cells (10000 targets x 1 samplers x 10 score errors x (1 steps x (1 + 10 "
     "numbers of chains))), expected at most 1e+06"},
    {{2, 1, 10000, 9, 5, 0}, 3, "asks for 1.2e+06 cells"},
    {{1, 1, 10, 9999, 10, 0}, 4, "asks for 1.1e+06 cells"},
    {{1, 1, 10, 10, 10000, 0}, 5, "asks for 1.1e+06 cells"},
    {{1, 100, 0, 0, 0, 9999},
     6,
     "asks for 2e+06 cells (1 targets x 1 samplers x 1 score errors x (2 x 100 dimensions x 9999 accuracies)), "
     "expected at most 1e+06"},
    {{1, 10000, 0, 0, 0, 49}, 2, "asks for 1.5e+04 GB of results"},
    {{1, 10000, 1, 0, 0, 51},
     2,
     "asks for 1e+06 cells (1 targets x 1 samplers x 1 score errors x (1 steps x (1 + 0 numbers "
     "of chains) + 2 x 10000 dimensions x 51 accuracies)), expected at most 1e+06"},
    {{10, 10000, 100, 9, 0, 0},
     2,
     "asks for 1.5e+02 GB of results (1e+04 cells x 10000 dimensions), expected at most 1e+02"},
    {{10000, 10000, 10000, 10000, 10000, 10000}, 4, "asks for 3e+16 cells"},
};

/* Also in good time: the largest lists that there can be, all different, are the most to look for duplicates in. */
TEST(too_much_is_refused, .count = COUNT(lists))
{
    char *text = spec_of(&lists[_i].counts), place[64];
    OWNED(spec) spec;
    struct error error = {STATUS_OK, ""};
    double start = clock_seconds();
    enum status status = parse(text, &spec, &error);
    ck_assert_double_lt(clock_seconds() - start, 30.0);
    (void)snprintf(place, sizeof place, "big.yaml:%d:", lists[_i].line);
    if (lists[_i].message == NULL) {
        ck_assert_msg(status == STATUS_OK, "%s", error.text);
    } else {
        ck_assert_int_eq(status, STATUS_INVALID);
        ck_assert_msg(strncmp(error.text, place, strlen(place)) == 0, "%s: %s", place, error.text);
        ck_assert_msg(strstr(error.text, lists[_i].message) != NULL, "%s", error.text);
    }
    free(text);
}

static const struct {
    const char *text, *message;
} huge[] = {
    {POWER DDPM "dimensions: [9007199254740992]\nsteps: [64]\n",
     "big.yaml:3:13: asks for 9e+15 eigenvalues, means and matrix entries of spectra and random mixtures in up to "
     "9007199254740992 dimensions, expected at most 6.7e+07"},
    {POWER DDPM "dimensions: [1, 100000000]\nsteps: [64]\n", "big.yaml:3:13: asks for 1e+08 eigenvalues"},
    {"targets: [{name: s, kind: direct-sum, factors: [{kind: gaussian, variance: 1, spectrum: {kind: power, "
     "exponent: "
     "1}, copies: 4503599627370496}, {kind: gaussian, variance: 1, copies: rest}]}]\n" DDPM
     "dimensions: [9007199254740992]\nsteps: [64]\n",
     "big.yaml:3:13: asks for 4.5e+15 eigenvalues"},
    {RANDOM("components: 10000") DDPM "dimensions: [100000]\nsteps: [64]\nsamples: {chains: 512}\n",
     "big.yaml:3:13: asks for 1e+09 eigenvalues, means and matrix entries"},
    {RANDOM("components: 2, covariances: each") DDPM
     "dimensions: [9007199254740992]\nsteps: [64]\nsamples: {chains: 512}\n",
     "big.yaml:3:13: asks for 1.6e+32 eigenvalues"},
};

TEST(huge_targets_are_refused, .count = COUNT(huge))
{
    OWNED(spec) spec;
    struct error error = {STATUS_OK, ""};
    ck_assert_int_eq(parse(huge[_i].text, &spec, &error), STATUS_INVALID);
    ck_assert_msg(strncmp(error.text, huge[_i].message, strlen(huge[_i].message)) == 0, "%s", error.text);
}

/* A file is of this machine, a stored text may be of another. */
TEST(files_are_measured_against_the_machine)
{
    static const char text[] = GAUSS DDPM "dimensions: [1000000]\nsteps: [64]\nsamples: {chains: 268435456}\n";
    char path[] = "/tmp/diffrate-limits-XXXXXX", expected[200];
    struct spec spec;
    struct error error = {STATUS_OK, ""};
    ASSERT_OK(parse, text, &spec);
    spec_free(&spec);
    int file = mkstemp(path);
    ck_assert(file >= 0 && write(file, text, sizeof text - 1) == (ssize_t)sizeof text - 1 && close(file) == 0);
    ck_assert_int_eq(spec_load(path, claims, &spec, &error), STATUS_INVALID);
    (void)snprintf(expected, sizeof expected, "%s:5:10: asks for a cell of ", path);
    ck_assert_msg(strncmp(error.text, expected, strlen(expected)) == 0, "%s", error.text);
    ASSERT_SAYS(error.text, "268435456 chains in 1000000 dimensions");
    spec_free(&spec);
    ck_assert_int_eq(unlink(path), 0);
}
