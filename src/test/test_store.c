#include <errno.h>
#include <hdf5.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/provenance.h"
#include "experiment/manifest.h"
#include "results/store.h"

#include "test/laws.h"
#include "test/planted.h"
#include "test/stored.h"
#include "test/suite.h"

TEST_SUITE(store, .setup = store_init);

TEST(fields_cover_record)
{
    size_t size = 0;
    for (const struct field *field = record_fields; field->name != NULL; field++) {
        size += member_size(field);
        ck_assert_uint_le(field->offset + member_size(field), sizeof(struct record));
        ck_assert_int_eq(field->doc[strlen(field->doc) - 1], '.');
        for (const struct field *other = record_fields; other != field; other++)
            ck_assert(strcmp(field->name, other->name) != 0 && field->offset != other->offset);
    }
    const struct record *row = NULL;
    /* the last two are no columns */
    ck_assert_uint_eq(size + sizeof row->parameter + FAILURE_SIZE, sizeof *row);
}

TEST(round_trip)
{
    struct record rows[ROWS];
    struct place place = place_with_rows(rows);
    OWNED(result) result = read_result(place.path);
    ck_assert_int_eq(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL), 0);
    assert_rows(&result, rows, ROWS);
    ck_assert_str_eq(result.spec_text, "title: a\n");
    ck_assert_str_eq(result.spec_name, "one");
    ck_assert_str_eq(result.failure, "");
    ck_assert_str_eq(result.provenance, "zeta: \nhost: caf\xc3\xa9\n");
    place_clear(&place, 1);
}

/* A record tells its score error, also when read back, and from every other. */
TEST(score_errors_round_trip)
{
    static const struct {
        const char *shape, *profile;
        enum error_spread spread;
        double size, growth, value;
        const char *label;
    } cases[] = {
        {NULL, "uniform", SPREAD_ALL, 0.0, 0.0, 0.0, "none"},
        {"wave", "uniform", SPREAD_ONE, 0.01, 0.0, 8.0, "wave 0.01 roughness=8 one"},
        {"wave", "uniform", SPREAD_ONE, 0.01, 0.0, 8.0000000000000018, "wave 0.01 roughness=8 one"},
        {"wave", "uniform", SPREAD_ALL, 0.01, 0.0, 8.0, "wave 0.01 roughness=8 all"},
        {"wave", "late", SPREAD_ONE, 0.01, 0.0, 8.0, "wave 0.01 roughness=8 one late"},
        {"wave", "uniform", SPREAD_ONE, 0.02, 0.0, 8.0, "wave 0.02 roughness=8 one"},
        {"wave", "uniform", SPREAD_ONE, 0.01, 0.5, 8.0, "wave 0.01 roughness=8 one growth=0.5"},
        {"bump", "uniform", SPREAD_DIAGONAL, 0.01, 0.0, 1e-6, "bump 0.01 probability=1e-06 diagonal"},
        {"bump", "uniform", SPREAD_DIAGONAL, 0.01, 0.0, 1e-5, "bump 0.01 probability=1e-05 diagonal"},
    };
    struct record rows[COUNT(cases)];
    struct score_error errors[COUNT(cases)] = {{0}};
    struct place place = place_new();
    make_rows(rows, COUNT(cases));
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (cases[i].shape != NULL) {
            errors[i] = make_error(cases[i].shape, cases[i].size, cases[i].value, cases[i].value);
            errors[i].profile = error_profile_find(cases[i].profile);
            errors[i].spread = cases[i].spread;
            errors[i].growth = cases[i].growth;
        }
        memset(rows[i].score_error, 0, sizeof rows[i].score_error); /* of what is shorter now, nothing is left */
        memset(rows[i].score_error_spread, 0, sizeof rows[i].score_error_spread);
        memset(rows[i].score_error_profile, 0, sizeof rows[i].score_error_profile);
        plant_error(&rows[i], &errors[i]);
    }
    write_rows(place.path, rows, COUNT(cases), facts);
    OWNED(result) result = read_result(place.path);
    assert_rows(&result, rows, COUNT(cases));
    struct manifest_error known[COUNT(cases)];
    struct entry entries[COUNT(cases)];
    const struct manifest manifest = {
        .parameters = result.parameters, .score_errors = known, .score_error_entries = entries};
    for (size_t i = 0; i < COUNT(cases); i++) {
        known[i] = (struct manifest_error){.size = rows[i].score_error_size, .growth = rows[i].score_error_growth};
        memcpy(known[i].shape, rows[i].score_error, sizeof known[i].shape);
        memcpy(known[i].spread, rows[i].score_error_spread, sizeof known[i].spread);
        memcpy(known[i].profile, rows[i].score_error_profile, sizeof known[i].profile);
        memcpy(entries[i].parameter, rows[i].parameter, sizeof entries[i].parameter);
    }
    for (size_t i = 0; i < COUNT(cases); i++) {
        char label[100];
        for (size_t j = 0; j < COUNT(cases); j++)
            ck_assert_int_eq(manifest_has_score_error(&manifest, j, &result.parameters, &result.rows[i]), i == j);
        record_label_score_error(&errors[i], label, sizeof label);
        ck_assert_str_eq(label, cases[i].label);
    }
    ck_assert_str_eq(result.rows[0].score_error, "none");
    ck_assert_str_eq(result.rows[0].score_error_spread, "none");
    ck_assert_str_eq(result.rows[0].score_error_profile, "none");
    ck_assert_double_eq(result.rows[0].score_error_size, 0.0);
    place_clear(&place, 1);
}

TEST(no_rows)
{
    struct place place = place_new();
    const struct fact failures[] = {{"failures", "x-1: no engine can do it\n"}, {NULL, NULL}};
    write_rows(place.path, NULL, 0, failures);
    OWNED(result) result = read_result(place.path);
    ck_assert_uint_eq(result.count, 0);
    ck_assert_str_eq(result.failures, failures[0].value);
    ck_assert_str_eq(result.spec_text, "");
    ck_assert_str_eq(result.spec_name, "");
    ck_assert_str_eq(result.provenance, "");
    place_clear(&place, 1);
}

/* Reasons are shown on terminals. */
TEST(reasons_are_tame)
{
    struct place place = place_new();
    const struct fact hostile[] = {
        {"refusals", "no\x1b[2J \xff\nengine"}, {"failures", "a: b\nc: \x1b]0;d\n"}, {NULL, NULL}};
    write_rows(place.path, NULL, 0, hostile);
    OWNED(result) result = read_result(place.path);
    ck_assert_str_eq(result.refusals, "no?[2J ?\nengine");
    ck_assert_str_eq(result.failures, "a: b\nc: ?]0;d\n");
    place_clear(&place, 1);
}

TEST(long_facts)
{
    enum { LONG = 300 * 1024 };
    struct place place = place_new();
    struct record row;
    FREED char *text = malloc(LONG + 1);
    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < LONG; i++)
        text[i] = (char)('a' + i % 23);
    text[LONG] = '\0';
    const struct fact list[] = {{"spec_text", text}, {"x", text}, {NULL, NULL}};
    make_rows(&row, 1);
    write_rows(place.path, &row, 1, list);
    OWNED(result) result = read_result(place.path);
    ck_assert_str_eq(result.spec_text, text);
    ck_assert_uint_eq(strlen(result.provenance), LONG + 4);
    place_clear(&place, 1);
}

/* Equal content gives equal files; another time changes nothing but itself and the checksum. */
TEST(same_bytes)
{
    struct record rows[ROWS];
    struct place place = place_with_rows(rows);
    size_t changed = 0;
    struct content first = slurp(place.path);
    (void)mallopt(M_PERTURB, 0x55); /* so that bytes which HDF5 leaves unset would differ */
    write_rows(place.path, rows, ROWS, facts);
    struct content second = slurp(place.path);
    ck_assert_uint_eq(first.length, second.length);
    ck_assert_mem_eq(first.data, second.data, first.length);
    free(second.data);
    for (size_t i = 0; i < ROWS; i++)
        rows[i].seconds = 0.1 + (double)i;
    write_rows(place.path, rows, ROWS, facts);
    second = slurp(place.path);
    ck_assert_uint_eq(first.length, second.length);
    for (size_t i = 0; i < first.length; i++)
        changed += first.data[i] != second.data[i];
    ck_assert_uint_le(changed, ROWS * sizeof(double) + SEAL_LENGTH);
    free(first.data);
    free(second.data);
    place_clear(&place, 1);
}

static void assert_not_written(const char *path, const char *reason)
{
    struct record rows[ROWS];
    struct error error = {STATUS_OK, ""};
    make_rows(rows, ROWS);
    ck_assert_int_eq(store_array(path, rows, ROWS, &planted_parameters, facts, &error), STATUS_IO);
    ck_assert_msg(strstr(error.text, path) != NULL && strstr(error.text, reason) != NULL, "%s", error.text);
}

TEST(unwritable)
{
    struct place place = place_new();
    char path[2 * PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/none/x.h5", place.directory);
    assert_not_written(path, strerror(ENOENT));
    spill(place.path, "text", 4);
    (void)snprintf(path, sizeof path, "%s/x.h5", place.path);
    assert_not_written(path, strerror(ENOTDIR));
    assert_not_written(place.directory, strerror(EISDIR)); /* found out at the rename */
    ck_assert_int_eq(chmod(place.directory, 0555), 0);
    int is_root = geteuid() == 0;
    if (!is_root || seteuid(65534) == 0) /* root may write everywhere */
        assert_not_written(place.path, strerror(EACCES));
    ck_assert(!is_root || seteuid(0) == 0);
    ck_assert_int_eq(chmod(place.directory, 0755), 0);
    struct content content = slurp(place.path); /* as it was */
    ck_assert_uint_eq(content.length, 4);
    free(content.data);
    place_clear(&place, 1);
}

TEST(full_disk)
{
    struct rlimit limit, old;
    struct record rows[ROWS];
    struct place place = place_with_rows(rows);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    ck_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    for (rlim_t size = 0; size <= 20000; size += 5000) {
        limit = old;
        limit.rlim_cur = size;
        struct error error = {STATUS_OK, ""};
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        enum status status = store_array(place.path, rows, 1, &planted_parameters, facts, &error);
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
        ck_assert_int_eq(status, STATUS_IO);
        ck_assert_ptr_nonnull(strstr(error.text, strerror(EFBIG)));
    }
    OWNED(result) result = read_result(place.path); /* the old file is whole */
    assert_rows(&result, rows, ROWS);
    place_clear(&place, 1);
}

TEST(bad_input)
{
    struct place place = place_new();
    struct error error = {STATUS_OK, ""};
    struct record rows[ROWS];
    const struct fact twice[] = {{"host", "a"}, {"host", "b"}, {NULL, NULL}};
    make_rows(rows, ROWS);
    ASSERT_FAILS(STATUS_EXTERNAL, "\"host\"", store_array, place.path, rows, ROWS, &planted_parameters, twice);
    memset(rows[3].sampler, 'x', sizeof rows[3].sampler);
    ck_assert_int_ne(store_array(place.path, rows, ROWS, &planted_parameters, facts, &error), STATUS_OK);
    ASSERT_SAYS(error.text, "\"sampler\"");
    place_clear(&place, 0);
}

TEST(no_result)
{
    struct place place = place_new();
    assert_refused(place.path, strerror(ENOENT));
    assert_refused(place.directory, "not a regular file");
    spill(place.path, "", 0);
    assert_refused(place.path, "not an HDF5 file");
    spill(place.path, "This is some text and no HDF5 file.\n", 36);
    assert_refused(place.path, "not an HDF5 file");
    spill(place.path, "\211HDF\r\n\032\n", 8);
    assert_refused(place.path, "checksum");
    place_clear(&place, 1);
}

/* Threads write files of their own, and all of them one in common. */
TEST(concurrent)
{
    /* A reader forks, and ASan's allocator, unlike the C library's, may be locked for ever in the child of a process
     * with other threads. */
#ifdef __SANITIZE_ADDRESS__
    enum { THREADS = 1, FILES = 32 };
#else
    enum { THREADS = 8, FILES = 32 };
#endif
    struct place place = place_new();
    struct record rows[FILES];
    int failures = 0;
    make_rows(rows, FILES);
#pragma omp parallel for num_threads(THREADS) reduction(+ : failures) schedule(dynamic)
    for (int i = 0; i < FILES; i++) {
        char path[2 * PATH_SIZE];
        OWNED(result) result;
        (void)snprintf(path, sizeof path, "%s/%d.h5", place.directory, i);
        failures += store_array(path, &rows[i], 1, &planted_parameters, facts, NULL) != STATUS_OK;
        failures += store_array(place.path, rows, FILES, &planted_parameters, facts, NULL) != STATUS_OK;
        failures += store_read(path, &result, NULL) != STATUS_OK || result.count != 1
                    || memcmp(result.rows[0].target, rows[i].target, sizeof rows[i].target) != 0;
    }
    ck_assert_int_eq(failures, 0);
    OWNED(result) result = read_result(place.path);
    assert_rows(&result, rows, FILES);
    place_clear(&place, FILES + 1);
}

TEST(provenance)
{
    char word[] = "diffrate", quoted[] = "it's 5", empty[] = "", longer[8000];
    char *arguments[] = {word, quoted, empty, longer, NULL};
    struct provenance made;
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    provenance_collect(3, arguments, &made);
    ck_assert_str_eq(made.command, "diffrate 'it'\\''s 5' ''");
    ASSERT_SAYS(made.libraries, "HDF5 1.");
    ck_assert(*made.version != '\0' && *made.commit != '\0' && *made.compiler != '\0' && *made.flags != '\0');
    ASSERT_SAYS(made.host, ", ");
    provenance_collect(4, arguments, &made);
    ck_assert_uint_eq(strlen(made.command), sizeof made.command - 1);
    ck_assert_str_eq(made.command + sizeof made.command - 4, "...");
}
