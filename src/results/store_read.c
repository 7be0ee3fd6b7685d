/* Reading a result file that anybody may have written. HDF5 1.10 crashes on some damaged files, as when one refers to
 * strings that it does not hold. The checksum tells of accidents, but who makes a file can seal it: HDF5 therefore
 * sees it in a child process, and what comes back is checked as if it came from the file's maker. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/process.h"
#include "core/memory.h"
#include "core/text.h"
#include "results/store_format.h"

/* What a child may use: for anything, and for each byte of the file. A row takes about twice as much in memory; a
 * core reads more than ten million bytes a second. */
enum { LEAST_MEMORY = 1 << 28, MEMORY_A_BYTE = 32, LEAST_SECONDS = 2, BYTES_A_SECOND = 1000000 };

/* Takes the seal off. */
static int unseal(struct bytes *file)
{
    char seal[SEAL_LENGTH + 1];
    if (file->length < SEAL_LENGTH)
        return 0;
    make_seal(file->data, file->length - SEAL_LENGTH, seal);
    file->length -= SEAL_LENGTH;
    return memcmp(file->data + file->length, seal, SEAL_LENGTH) == 0;
}

/* ---- From the child to the parent: the rows, the texts with their '\0', and a struct sizes ---- */

struct sizes {
    size_t format, rows, text[RESULT_TEXTS];
};

const struct result_text result_texts[RESULT_TEXTS] = {{"spec_text", offsetof(struct result, spec_text), false},
                                                       {"spec_name", offsetof(struct result, spec_name), false},
                                                       {"plugins", offsetof(struct result, plugins), false},
                                                       {"manifest", offsetof(struct result, manifest), false},
                                                       {"failures", offsetof(struct result, failures), false},
                                                       {"refusals", offsetof(struct result, refusals), false},
                                                       {"parameters", offsetof(struct result, columns), false},
                                                       {NULL, offsetof(struct result, provenance), false},
                                                       {"cell", offsetof(struct result, cell), true},
                                                       {"failure", offsetof(struct result, failure), true}};

/* The file, without its seal. */
static enum status load(const char *path, struct bytes *out, struct error *error)
{
    TRY(file_load(path, out, error));
    if (out->length < 8 || memcmp(out->data, SIGNATURE, 8) != 0)
        return fail_with(error, STATUS_IO, "%s is not an HDF5 file", path);
    if (!unseal(out))
        return fail_with(error, STATUS_IO, "%s is not as diffrate wrote it: its checksum is wrong or missing", path);
    return STATUS_OK;
}

/* The child loads the file, too: the parent never holds it beside the rows. What is allocated ends with it. */
static enum status parse_and_send(void *context, FILE *out, struct error *error)
{
    const char *path = context;
    struct bytes content;
    struct result result;
    TRY(load(path, &content, error));
    TRY(store_parse(path, &content, &result, error));
    struct sizes sizes = {.format = (size_t)result.format, .rows = result.count};
    for (size_t i = 0; i < RESULT_TEXTS; i++)
        sizes.text[i] = strlen(*result_text(&result, i));
    (void)fwrite(result.rows, sizeof *result.rows, result.count, out); /* the parent misses what is not written */
    for (size_t i = 0; i < RESULT_TEXTS; i++)
        (void)fwrite(*result_text(&result, i), 1, sizes.text[i] + 1, out);
    (void)fwrite(&sizes, sizeof sizes, 1, out);
    return STATUS_OK;
}

/* The next `size` bytes, with a '\0' behind them, for free(); NULL if so many are not left or memory ran out. */
static char *take(const struct bytes *from, size_t *at, size_t size)
{
    char *part = size <= from->length - *at ? array_new(size + 1, 1) : NULL;
    if (part == NULL)
        return NULL;
    memcpy(part, from->data + *at, size);
    *at += size;
    return part;
}

/* Takes the answer over: the rows stay where they came. */
static int receive(struct bytes *from, struct result *out)
{
    struct sizes sizes;
    if (from->length < sizeof sizes)
        return 0;
    from->length -= sizeof sizes;
    memcpy(&sizes, from->data + from->length, sizeof sizes);
    if (sizes.rows > from->length / sizeof *out->rows || sizes.format < FORMAT_OLDEST
        || sizes.format > FORMAT_VERSION)
        return 0;
    size_t at = sizes.rows * sizeof *out->rows;
    bool whole = true;
    for (size_t i = 0; i < RESULT_TEXTS && whole; i++) {
        char *text = take(from, &at, sizes.text[i]);
        *result_text(out, i) = text;
        whole = text != NULL && at < from->length && from->data[at++] == '\0';
    }
    if (!whole || at != from->length)
        return 0;
    struct record *rows = array_resize(from->data, sizes.rows, sizeof *rows);
    out->format = (int)sizes.format;
    out->count = sizes.rows;
    out->rows = rows != NULL ? rows : (struct record *)(void *)from->data;
    from->data = NULL;
    return 1;
}

/* ---- What only a file's maker can get wrong ---- */

/* Methods of laws are told in words; everything else is a name. */
static int is_label(const struct field *field, const char *text)
{
    if (field->offset != offsetof(struct record, law))
        return text_is_name(text);
    return text[strspn(text, NAME_CHARACTERS " +,")] == '\0';
}

enum status store_check_names(const char *path, const struct result *result, struct error *error)
{
    const char *name = result->spec_name;
    if (name[0] == '.' || name[strspn(name, NAME_CHARACTERS)] != '\0' || strlen(name) >= LABEL_SIZE)
        return fail_with(error, STATUS_IO, "%s: \"spec_name\" is not a name of [A-Za-z0-9._-]", path);
    for (const struct field *field = record_fields; field->name != NULL; field++)
        for (size_t i = 0; i < result->count && field->type == FIELD_STRING; i++) {
            const char *text = (const char *)&result->rows[i] + field->offset;
            if (memchr(text, '\0', LABEL_SIZE) == NULL || !is_label(field, text))
                return fail_with(error, STATUS_IO, "%s: \"%s\" of row %zu is not a name of [A-Za-z0-9._-]", path,
                                 field->name, i);
        }
    return STATUS_OK;
}

static enum status read_isolated(const char *path, struct result *out, struct error *error)
{
    struct stat info;
    const size_t length = stat(path, &info) == 0 ? (size_t)info.st_size : 0;
    const size_t size = length < SIZE_MAX / MEMORY_A_BYTE - LEAST_MEMORY ? length : 0;
    const struct isolate_limits limits = {LEAST_SECONDS + (unsigned)(size / BYTES_A_SECOND),
                                          LEAST_MEMORY + MEMORY_A_BYTE * size, LEAST_MEMORY + MEMORY_A_BYTE * size};
    struct error cause = {STATUS_OK, ""};
    struct bytes answer = {NULL, 0};
    enum status status =
        isolate(parse_and_send, (void *)(uintptr_t)path, &limits, &answer.data, &answer.length, &cause);
    if (status == STATUS_EXTERNAL)
        status = fail_with(error, STATUS_IO, "%s is damaged: HDF5 %s on it", path, cause.text);
    else if (status == STATUS_MEMORY)
        status = fail_with(error, STATUS_IO, "cannot read %s: %s", path, cause.text);
    else if (status != STATUS_OK)
        status = fail_with(error, STATUS_IO, "%s", cause.text);
    else if (!receive(&answer, out))
        status = fail_with(error, STATUS_IO, "%s is damaged, or does not fit in memory", path);
    else
        status = store_check_names(path, out, error);
    if (status == STATUS_OK && parameter_columns_parse(out->columns, &out->parameters, &cause) != STATUS_OK)
        status = fail_with(error, STATUS_IO, "%s: %.400s", path, cause.text);
    if (status == STATUS_OK) {
        text_tame(out->failures, "\n");
        text_tame(out->refusals, "\n");
        for (size_t i = 0; i < out->count; i++) /* a row that is stored did not fail */
            out->rows[i].failure[0] = '\0';
    }
    free(answer.data);
    return status;
}

enum status store_read(const char *path, struct result *out, struct error *error)
{
    memset(out, 0, sizeof *out);
    enum status status = read_isolated(path, out, error);
    if (status != STATUS_OK)
        result_free(out);
    return status;
}

void result_free(struct result *result)
{
    free(result->rows);
    for (size_t i = 0; i < RESULT_TEXTS; i++)
        free(*result_text(result, i));
    memset(result, 0, sizeof *result);
}
