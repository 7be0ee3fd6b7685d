#define _DEFAULT_SOURCE

#include <dirent.h>
#include <errno.h>
#include <hdf5.h>
#include <inttypes.h>
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
#include "test/suite.h"

TEST_SUITE(store, .setup = store_init);

enum { ROWS = 7, PATH_SIZE = 400, SEAL_LENGTH = 36 };

struct place {
    char directory[PATH_SIZE - 100];
    char path[PATH_SIZE];
};

struct content {
    char *data;
    size_t length;
};

static const struct fact facts[] = {
    {"spec_text", "title: a\n"}, {"spec_name", "one"}, {"zeta", ""}, {"host", "caf\xc3\xa9"}, {NULL, NULL},
};

static struct place place_new(void)
{
    struct place place;
    const char *parent = getenv("TMPDIR");
    (void)snprintf(place.directory, sizeof place.directory, "%s/diffrate-store-XXXXXX",
                   parent != NULL && *parent != '\0' ? parent : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(place.directory));
    (void)snprintf(place.path, sizeof place.path, "%s/result.h5", place.directory);
    return place;
}

/* Removes the directory, in which no other files than `expected` may be left. */
static void place_clear(const struct place *place, size_t expected)
{
    size_t found = 0;
    DIR *directory = opendir(place->directory);
    ck_assert_ptr_nonnull(directory);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char path[2 * PATH_SIZE];
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", place->directory, entry->d_name);
        ASSERT_OMITS(entry->d_name, ".tmp.");
        ck_assert_int_eq(remove(path), 0);
        found++;
    }
    (void)closedir(directory);
    ck_assert_int_eq(rmdir(place->directory), 0);
    ck_assert_uint_eq(found, expected);
}

static size_t member_size(const struct field *field)
{
    return field->type == FIELD_STRING ? 64 : 8;
}

/* Values that differ between fields and rows, with the doubles that are lost most easily. */
static void make_rows(struct record *rows, size_t count)
{
    const uint64_t bits[] = {0x7ff8000000000123, 0xfff0000000000000, 0x8000000000000000, 1, 0x3fb999999999999a};
    memset(rows, 0, count * sizeof *rows);
    for (size_t i = 0; i < count; i++)
        for (const struct field *field = record_fields; field->name != NULL; field++) {
            size_t n = (size_t)(field - record_fields) + i;
            char *member = (char *)&rows[i] + field->offset;
            uint64_t value = field->type == FIELD_COUNT ? UINT64_MAX - n : bits[n % 5] + 8 * (n / 5);
            if (field->type != FIELD_STRING)
                memcpy(member, &value, sizeof value);
            else /* some of the greatest length */
                (void)snprintf(member, 64, "%s-%0*zu", field->name, i % 2 ? 62 - (int)strlen(field->name) : 3, n);
        }
}

static void assert_rows(const struct result *result, const struct record *rows, size_t count)
{
    ck_assert_uint_eq(result->count, count);
    for (size_t i = 0; i < count; i++)
        for (const struct field *field = record_fields; field->name != NULL; field++)
            ck_assert_msg(memcmp((const char *)&result->rows[i] + field->offset,
                                 (const char *)&rows[i] + field->offset, member_size(field))
                              == 0,
                          "row %zu, %s", i, field->name);
}

static void write_rows(const char *path, const struct record *rows, size_t count, const struct fact *list)
{
    struct error error = {STATUS_OK, ""};
    enum status status = store_array(path, rows, count, &planted_parameters, list, &error);
    ck_assert_msg(status == STATUS_OK, "%s", error.text);
}

static struct place place_with_rows(struct record rows[ROWS])
{
    struct place place = place_new();
    make_rows(rows, ROWS);
    write_rows(place.path, rows, ROWS, facts);
    return place;
}

static struct result read_result(const char *path)
{
    struct result result;
    struct error error = {STATUS_OK, ""};
    enum status status = store_read(path, &result, &error);
    ck_assert_msg(status == STATUS_OK, "%s", error.text);
    return result;
}

/* Reading fails with one sentence that names the file and says `part`. */
static void assert_refused(const char *path, const char *part)
{
    struct result result;
    struct error error = {STATUS_OK, ""};
    ck_assert_int_eq(store_read(path, &result, &error), STATUS_IO);
    ck_assert_msg(strstr(error.text, path) != NULL && strstr(error.text, part) != NULL, "\"%s\" does not say \"%s\"",
                  error.text, part);
    ck_assert_ptr_null(strchr(error.text, '\n'));
    ck_assert_ptr_null(result.rows);
}

static struct content slurp(const char *path)
{
    struct stat info;
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fstat(fileno(file), &info), 0);
    struct content content = {malloc((size_t)info.st_size + 1), (size_t)info.st_size};
    ck_assert_ptr_nonnull(content.data);
    ck_assert_uint_eq(fread(content.data, 1, content.length, file), content.length);
    (void)fclose(file);
    return content;
}

static void spill(const char *path, const char *data, size_t length)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(data, 1, length, file), length);
    ck_assert_int_eq(fclose(file), 0);
}

/* Writes the beginning of the content and a correct checksum behind it, as an adversary would. */
static void spill_sealed(const char *path, const struct content *content, size_t length)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)content->data[i]) * UINT64_C(0x100000001b3);
    ck_assert_uint_eq(fwrite(content->data, 1, length, file), length);
    ck_assert_int_gt(fprintf(file, "\ndiffrate checksum %016" PRIx64 "\n", hash), 0);
    ck_assert_int_eq(fclose(file), 0);
}

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

/* Cut off or changed anywhere, cut off also by someone who knows the checksum: an error or the rows, but no crash. */
TEST(damaged)
{
    struct record rows[ROWS];
    struct place place = place_with_rows(rows);
    struct content content = slurp(place.path);
    for (size_t at = 0; at < content.length; at += 197) {
        struct result result;
        struct error error;
        spill(place.path, content.data, at);
        assert_refused(place.path, "");
        content.data[at] ^= 16;
        spill(place.path, content.data, content.length);
        assert_refused(place.path, "");
        content.data[at] ^= 16;
        spill_sealed(place.path, &content, at);
        if (store_read(place.path, &result, &error) == STATUS_OK) {
            assert_rows(&result, rows, ROWS);
            result_free(&result);
        }
    }
    free(content.data);
    place_clear(&place, 1);
}

struct change {
    const char *name;
    char type; /* 0: remove; l: a link to c0; d: double; f: float; s: strings of 64 bytes; u: uint64 */
    int rank;
    hsize_t length;
    int is_chunked;
    const char *reason;
};

static const struct change changes[] = {
    {"tv", 0, 0, 0, 0, "\"tv\" is missing"},
    {"row", 0, 0, 0, 0, "\"row\" is missing"},
    {"circumstances", 0, 0, 0, 0, "\"seconds\" is missing"},
    {"tv", 'l', 0, 0, 0, "\"tv\" is missing"},
    {"tv", 'f', 1, ROWS, 0, "\"tv\" has another type"},
    {"tv", 's', 1, ROWS, 0, "\"tv\" has another type"},
    {"steps", 'd', 1, ROWS, 0, "\"steps\" has another type"},
    {"target", 'd', 1, ROWS, 0, "\"target\" has another type"},
    {"target", 's', 1, ROWS, 0, "\"target\" has too long a string"},
    {"tv", 'd', 1, ROWS - 1, 0, "\"tv\" has another length"},
    {"circumstances/seconds", 'd', 1, ROWS + 1, 0, "\"seconds\" has another length"},
    {"row", 'u', 1, 0, 0, "\"target\" has another length"},
    {"row", 'u', 1, 200000, 0, "\"row\" claims more rows"},
    {"row", 'u', 1, (hsize_t)1 << 60, 1, "\"row\" claims more rows"},
    {"tv", 'd', 2, ROWS, 0, "\"tv\" is not one-dimensional"},
    {"tv", 'd', 0, 0, 0, "\"tv\" is not one-dimensional"},
    {"tv", 'd', 1, ROWS, 1, "\"tv\" is not stored in one piece"},
    {"spec_text", 'd', 0, 0, 0, "\"spec_text\" is not a string"},
    {"spec_text", 's', 1, ROWS, 0, "\"spec_text\" is not a string"},
};

static void add_dataset(hid_t file, const struct change *change)
{
    static const char text[] = "0123456789012345678901234567890123456789012345678901234567890123";
    const char *strings[ROWS] = {text, text, text, text, text, text, text};
    const hsize_t shape[] = {change->length, 1}, chunk[] = {ROWS, 1};
    int is_text = change->type == 's';
    hid_t type = H5Tcopy(change->type == 'd'   ? H5T_NATIVE_DOUBLE
                         : change->type == 'f' ? H5T_NATIVE_FLOAT
                         : change->type == 'u' ? H5T_NATIVE_UINT64
                                               : H5T_C_S1);
    hid_t space = change->rank > 0 ? H5Screate_simple(change->rank, shape, NULL) : H5Screate(H5S_SCALAR);
    hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    if (change->length < 100) /* otherwise HDF5 leaves the place of unwritten rows undecided */
        ck_assert_int_ge(H5Pset_alloc_time(properties, H5D_ALLOC_TIME_EARLY), 0);
    ck_assert(!is_text || H5Tset_size(type, H5T_VARIABLE) >= 0);
    ck_assert(!change->is_chunked || H5Pset_chunk(properties, change->rank, chunk) >= 0);
    hid_t dataset = H5Dcreate2(file, change->name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    ck_assert_int_ge(dataset, 0);
    ck_assert(!is_text || H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, strings) >= 0);
    ck_assert(H5Dclose(dataset) >= 0 && H5Pclose(properties) >= 0 && H5Sclose(space) >= 0 && H5Tclose(type) >= 0);
}

static void assert_resealed_refused(const char *path, const char *reason)
{
    assert_refused(path, "checksum");
    struct content content = slurp(path);
    spill_sealed(path, &content, content.length);
    free(content.data);
    assert_refused(path, reason);
    ck_assert_int_eq(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL), 0);
}

TEST(changed_dataset, .count = COUNT(changes))
{
    const struct change *change = &changes[_i];
    struct record rows[ROWS];
    struct place place = place_with_rows(rows);
    hid_t file = H5Fopen(place.path, H5F_ACC_RDWR, H5P_DEFAULT);
    ck_assert_int_ge(H5Ldelete(file, change->name, H5P_DEFAULT), 0);
    if (change->type == 'l')
        ck_assert_int_ge(H5Lcreate_soft("/c0", file, change->name, H5P_DEFAULT, H5P_DEFAULT), 0);
    else if (change->type != 0)
        add_dataset(file, change);
    ck_assert_int_ge(H5Fclose(file), 0);
    assert_resealed_refused(place.path, change->reason);
    place_clear(&place, 1);
}

static void set_format(hid_t file, int version)
{
    hid_t attribute = H5Aopen(file, "format_version", H5P_DEFAULT);
    ck_assert(H5Awrite(attribute, H5T_NATIVE_INT, &version) >= 0 && H5Aclose(attribute) >= 0);
}

/* A file of an older format has what its format had; columns that came later are not known. */
TEST(older_formats_are_read)
{
    struct record rows[ROWS];
    struct place place = place_with_rows(rows);
    OWNED(result) result;
    size_t later = 0;
    hid_t file = H5Fopen(place.path, H5F_ACC_RDWR, H5P_DEFAULT);
    set_format(file, FORMAT_OLDEST);
    for (const struct field *field = record_fields; field->name != NULL; field++)
        if (field->since > FORMAT_OLDEST) {
            ck_assert_int_ge(H5Ldelete(file, field->name, H5P_DEFAULT), 0);
            later++;
        }
    ck_assert_int_ge(H5Lmove(file, "schedule_c0", file, "c0", H5P_DEFAULT, H5P_DEFAULT), 0);
    ck_assert_int_ge(H5Lmove(file, "schedule_c1", file, "c1", H5P_DEFAULT, H5P_DEFAULT), 0);
    ck_assert_int_ge(H5Ldelete(file, "parameters", H5P_DEFAULT), 0);
    ck_assert_int_ge(H5Fclose(file), 0);
    ck_assert_uint_gt(later, 0);
    struct content content = slurp(place.path);
    spill_sealed(place.path, &content, content.length);
    free(content.data);
    ASSERT_OK(store_read, place.path, &result);
    ck_assert_int_eq(result.format, FORMAT_OLDEST);
    ck_assert_uint_eq(result.count, ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        ck_assert(memcmp(&result.rows[i].tv, &rows[i].tv, sizeof(double)) == 0);
        for (const struct field *field = record_fields; field->name != NULL; field++)
            ck_assert(field->since <= FORMAT_OLDEST || isnan(field_real(field, &result.rows[i])));
    }
    place_clear(&place, 1);
}

TEST(other_formats_are_refused)
{
    const int versions[] = {FORMAT_OLDEST - 1, FORMAT_VERSION + 1};
    for (size_t i = 0; i < 2; i++) {
        struct place place = place_new();
        write_rows(place.path, NULL, 0, facts);
        hid_t file = H5Fopen(place.path, H5F_ACC_RDWR, H5P_DEFAULT);
        set_format(file, versions[i]);
        ck_assert_int_ge(H5Fclose(file), 0);
        assert_resealed_refused(place.path, "\"format_version\" is not one from 3 to 7");
        place_clear(&place, 1);
    }
}

static const char *const attributes[] = {"format", "format_version", "spec_name", "host"};

TEST(changed_attribute, .count = COUNT(attributes))
{
    const hsize_t length = 9;
    struct place place = place_new();
    write_rows(place.path, NULL, 0, facts);
    hid_t file = H5Fopen(place.path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t space = H5Screate_simple(1, &length, NULL);
    hid_t group = H5Gopen2(file, _i < 3 ? "/" : "/circumstances", H5P_DEFAULT);
    ck_assert_int_ge(H5Adelete(group, attributes[_i]), 0);
    hid_t attribute = H5Acreate2(group, attributes[_i], H5T_NATIVE_INT, space, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert(H5Aclose(attribute) >= 0 && H5Sclose(space) >= 0 && H5Gclose(group) >= 0 && H5Fclose(file) >= 0);
    assert_resealed_refused(place.path, _i < 3 ? attributes[_i] : "has an attribute that is not a string");
    place_clear(&place, 1);
}

static struct field field_named(const char *name)
{
    const struct field *field = record_fields;
    while (strcmp(field->name, name) != 0)
        field++;
    return *field;
}

/* A file that our own writer sealed, with a name that no spec can give. */
static void assert_label_refused(const char *name, const char *label)
{
    struct record rows[ROWS];
    char reason[100];
    struct place place = place_new();
    make_rows(rows, ROWS);
    (void)snprintf((char *)&rows[3] + field_named(name).offset, 64, "%s", label);
    write_rows(place.path, rows, ROWS, facts);
    (void)snprintf(reason, sizeof reason, "\"%s\" of row 3 is not a name of [A-Za-z0-9._-]", name);
    assert_refused(place.path, reason);
    place_clear(&place, 1);
}

TEST(labels_are_names)
{
    static const char *const bad[] = {"",      ".a",  "-a",   "_a",  "../a",        "a/b",  "a b", "a'b", "a`id`",
                                      "$(id)", "<b>", "a\tb", "a\n", "caf\xc3\xa9", "\xff", "{a}", "a^b", "a|b"};
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_label_refused("target", bad[i]);
    for (const struct field *field = record_fields; field->name != NULL; field++)
        if (field->type == FIELD_STRING)
            assert_label_refused(field->name, "a\nb");
    assert_label_refused("law", "gaussian; line");
    assert_label_refused("sampler", "gaussian + line, composed");

    struct record row;
    struct place place = place_new();
    make_rows(&row, 1);
    (void)snprintf(row.law, sizeof row.law, "gaussian + line, composed");
    write_rows(place.path, &row, 1, facts);
    OWNED(result) result = read_result(place.path);
    ck_assert_str_eq(result.rows[0].law, "gaussian + line, composed");
    place_clear(&place, 1);
}

static const struct {
    const char *name;
    int good;
} spec_names[] = {
    {"", 1},     {"-yaml", 1}, {"a.b_c-1", 1},
    {"..", 0},   {"../x", 0},  {"a/b", 0},
    {".h5", 0},  {"a b", 0},   {"a'b", 0},
    {"a\nb", 0}, {"\xff", 0},  {"0123456789012345678901234567890123456789012345678901234567890123456789", 0},
};

TEST(spec_names_are_names, .count = COUNT(spec_names))
{
    const struct fact named[] = {{"spec_name", spec_names[_i].name}, {NULL, NULL}};
    struct place place = place_new();
    write_rows(place.path, NULL, 0, named);
    if (spec_names[_i].good) {
        OWNED(result) result = read_result(place.path);
        ck_assert_str_eq(result.spec_name, spec_names[_i].name);
    } else {
        assert_refused(place.path, "\"spec_name\" is not a name of [A-Za-z0-9._-]");
    }
    place_clear(&place, 1);
}

/* The text of the spec may not come from another file. */
TEST(spec_text_elsewhere)
{
    struct place place = place_new();
    char other[PATH_SIZE];
    (void)snprintf(other, sizeof other, "%s/other", place.directory);
    spill(other, "0123456789abcdef0123456789abcdef", 32);
    write_rows(place.path, NULL, 0, facts);
    hid_t file = H5Fopen(place.path, H5F_ACC_RDWR, H5P_DEFAULT), space = H5Screate(H5S_SCALAR);
    hid_t type = H5Tcopy(H5T_C_S1), properties = H5Pcreate(H5P_DATASET_CREATE);
    ck_assert(H5Tset_size(type, H5T_VARIABLE) >= 0 && H5Tset_cset(type, H5T_CSET_UTF8) >= 0);
    ck_assert(H5Ldelete(file, "spec_text", H5P_DEFAULT) >= 0 && H5Pset_external(properties, other, 0, 16) >= 0);
    hid_t dataset = H5Dcreate2(file, "spec_text", type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    ck_assert_int_ge(dataset, 0);
    ck_assert(H5Dclose(dataset) >= 0 && H5Pclose(properties) >= 0 && H5Sclose(space) >= 0 && H5Tclose(type) >= 0);
    ck_assert_int_ge(H5Fclose(file), 0);
    assert_resealed_refused(place.path, "\"spec_text\" is not a string");
    place_clear(&place, 2);
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
