/* Files of cells: what is written comes back to the bit, and what was changed is refused. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/hash.h"
#include "results/cell_file.h"
#include "test/planted.h"
#include "test/shell.h"
#include "test/suite.h"

TEST_SUITE(cell_file, .setup = shell_setup, .teardown = shell_teardown);

enum { ROWS = 3 };
static const struct fact facts[] = {{"failure", "no\x1b[2J \xff\nengine"},
                                    {"cell", "a \\n b"},
                                    {"failures", "4 law\tdied\n16 \\\n"},
                                    {"host", "café"},
                                    {NULL, NULL}};

static const char *path_of(char path[300])
{
    (void)snprintf(path, 300, "%s/c.tsv", directory);
    return path;
}

static void make_rows(struct record *rows)
{
    const double values[] = {NAN, -INFINITY, -0.0, 4.9406564584124654e-324, 0.1, 1.0 / 3.0, 1.7976931348623157e308};
    for (size_t i = 0; i < ROWS; i++) {
        rows[i] = (struct record){.dimension = UINT64_MAX - i, .steps = i};
        for (size_t p = 0; p < PARAMETER_COLUMNS; p++)
            rows[i].parameter[p] = p < planted_parameters.count ? values[(p + i) % COUNT(values)] : NAN;
        for (const struct field *field = record_fields; field->name != NULL; field++) {
            char *member = (char *)&rows[i] + field->offset;
            if (field->type == FIELD_STRING)
                (void)snprintf(member, 64, "%s", field->name);
            else if (field->type == FIELD_REAL)
                memcpy(member, &values[((size_t)(field - record_fields) + i) % COUNT(values)], sizeof values[0]);
        }
    }
}

static void write_rows(const char *path, struct record *rows)
{
    make_rows(rows);
    ASSERT_OK(cell_file_write, path, rows, ROWS, &planted_parameters, facts);
}

TEST(what_is_written_is_read)
{
    char path[300];
    struct record rows[ROWS];
    OWNED(result) result;
    write_rows(path_of(path), rows);
    ASSERT_OK(cell_file_read, path, &result);
    ck_assert_uint_eq(result.count, ROWS);
    ck_assert_mem_eq(result.rows, rows, sizeof rows);
    ck_assert_str_eq(result.cell, facts[1].value);
    ck_assert_str_eq(result.failures, "4 law?died\n16 \\\n"); /* tame on a terminal */
    ck_assert_str_eq(result.provenance, "host: café\n");
    ck_assert_str_eq(result.failure, "no?[2J ??engine");
    ck_assert_str_eq(result.manifest, "");
}

/* The text with `to` in the place of its first `from`, and the checksum of that. */
static void change(const char *path, const char *from, const char *to)
{
    struct bytes file = {NULL, 0}, out = {NULL, 0};
    ASSERT_OK(file_load, path, &file);
    char *at = strstr(file.data, from), *end = strstr(file.data, "# checksum");
    ck_assert_msg(at != NULL && at < end, "no %s", from);
    FILE *text = open_memstream(&out.data, &out.length);
    *at = *end = '\0';
    fprintf(text, "%s%s%s", file.data, to, at + strlen(from));
    ck_assert_int_eq(fflush(text), 0);
    fprintf(text, "# checksum\t%016" PRIx64 "\n", hash_bytes(out.data, out.length));
    ck_assert_int_eq(fclose(text), 0);
    ASSERT_OK(file_replace, path, &out);
    free(out.data);
    free(file.data);
}

static const struct {
    const char *from, *to, *says;
} changes[] = {
    {"# diffrate cell\t1", "# diffrate cell\t2", "is not a cell of this version"},
    {"# host\t", "# host ", "has a fact without a value"},
    {"# parameters\t", "# parametres\t", "has no columns"},
    {"\tsampler\t", "\tsamples\t", "column 2 is \"samples\", expected \"sampler\""},
    {"\tsampler\tscore_error\t", "\tsampler\t", "column 3 is \"score_error_spread\""},
    {"schedule_c0\tschedule_c1\t", "schedule_c1\tschedule_c0\t", "expected \"schedule_c0\""},
    {"score_error_probability\n", "score_error_probability\tmore\n", "has more columns than it tells of"},
    {"\t18446744073709551615\t", "\t1844674407370955161x\t", "\"dimension\" of row 0 is not as it was written"},
    {"\t18446744073709551615\t", "\t\t", "\"dimension\" of row 0"},
    {"\ntarget\tsampler\tscore_error\tscore_error_spread\tscore_error_profile\tn",
     "\ntarget\tsampler\tscore_error\tscore_error_spread\tn", "of row 2"},
    {"e-324\ntarget", "e-324\tmore\ntarget", "has a row of more cells than columns"},
    {"\ntarget\tsampler\tscore_error\tscore_error_spread\tscore_error_profile\tn",
     "\n../x\tsampler\tscore_error\tscore_error_spread\tscore_error_profile\tn", "\"target\" of row 2 is not a name"},
};

/* Also by one who can make the checksum. */
TEST(changed_files_are_refused, .count = COUNT(changes))
{
    char path[300];
    struct record rows[ROWS];
    struct result result;
    write_rows(path_of(path), rows);
    change(path, changes[_i].from, changes[_i].to);
    ASSERT_FAILS(STATUS_IO, changes[_i].says, cell_file_read, path, &result);
}

/* Cut short anywhere, or with any byte changed. */
TEST(damaged_files_are_refused)
{
    char path[300];
    struct record rows[ROWS];
    struct bytes file = {NULL, 0};
    struct result result;
    write_rows(path_of(path), rows);
    ASSERT_OK(file_load, path, &file);
    for (size_t i = 0; i < file.length; i += 61) {
        const struct bytes start = {file.data, i};
        ASSERT_OK(file_replace, path, &start);
        ASSERT_FAILS(STATUS_IO, path, cell_file_read, path, &result);
        file.data[i] ^= 4;
        ASSERT_OK(file_replace, path, &file);
        ASSERT_FAILS(STATUS_IO, path, cell_file_read, path, &result);
        file.data[i] ^= 4;
    }
    free(file.data);
}
