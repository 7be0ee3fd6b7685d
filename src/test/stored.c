#include "test/stored.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/planted.h"
#include "test/suite.h"

const struct fact facts[] = {
    {"spec_text", "title: a\n"}, {"spec_name", "one"}, {"zeta", ""}, {"host", "caf\xc3\xa9"}, {NULL, NULL},
};

struct place place_new(void)
{
    struct place place;
    const char *parent = getenv("TMPDIR");
    (void)snprintf(place.directory, sizeof place.directory, "%s/diffrate-store-XXXXXX",
                   parent != NULL && *parent != '\0' ? parent : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(place.directory));
    (void)snprintf(place.path, sizeof place.path, "%s/result.h5", place.directory);
    return place;
}

void place_clear(const struct place *place, size_t expected)
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

size_t member_size(const struct field *field)
{
    return field->type == FIELD_STRING ? 64 : 8;
}

void make_rows(struct record *rows, size_t count)
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

void assert_rows(const struct result *result, const struct record *rows, size_t count)
{
    ck_assert_uint_eq(result->count, count);
    for (size_t i = 0; i < count; i++)
        for (const struct field *field = record_fields; field->name != NULL; field++)
            ck_assert_msg(memcmp((const char *)&result->rows[i] + field->offset,
                                 (const char *)&rows[i] + field->offset, member_size(field))
                              == 0,
                          "row %zu, %s", i, field->name);
}

void write_rows(const char *path, const struct record *rows, size_t count, const struct fact *list)
{
    struct error error = {STATUS_OK, ""};
    enum status status = store_array(path, rows, count, &planted_parameters, list, &error);
    ck_assert_msg(status == STATUS_OK, "%s", error.text);
}

struct place place_with_rows(struct record rows[ROWS])
{
    struct place place = place_new();
    make_rows(rows, ROWS);
    write_rows(place.path, rows, ROWS, facts);
    return place;
}

struct result read_result(const char *path)
{
    struct result result;
    struct error error = {STATUS_OK, ""};
    enum status status = store_read(path, &result, &error);
    ck_assert_msg(status == STATUS_OK, "%s", error.text);
    return result;
}

void assert_refused(const char *path, const char *part)
{
    struct result result;
    struct error error = {STATUS_OK, ""};
    ck_assert_int_eq(store_read(path, &result, &error), STATUS_IO);
    ck_assert_msg(strstr(error.text, path) != NULL && strstr(error.text, part) != NULL, "\"%s\" does not say \"%s\"",
                  error.text, part);
    ck_assert_ptr_null(strchr(error.text, '\n'));
    ck_assert_ptr_null(result.rows);
}

struct content slurp(const char *path)
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

void spill(const char *path, const char *data, size_t length)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(data, 1, length, file), length);
    ck_assert_int_eq(fclose(file), 0);
}

void spill_sealed(const char *path, const struct content *content, size_t length)
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
