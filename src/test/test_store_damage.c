#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results/store.h"

#include "test/stored.h"
#include "test/suite.h"

TEST_SUITE(store_damage, .setup = store_init);

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
