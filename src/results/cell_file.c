#include "results/cell_file.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/hash.h"
#include "core/memory.h"
#include "core/text.h"

#define FIRST_LINE "# diffrate cell\t1\n"
#define CHECKSUM "# checksum\t"
enum { CHECKSUM_LENGTH = sizeof CHECKSUM - 1 + 17, LABEL_SIZE = sizeof((struct record *)NULL)->target };

/* The columns of a cell, one after the other: those of all records, of as many components as the cell has, then the
 * parameters. */
struct columns {
    const struct parameter_columns *parameters;
    size_t components;
};

static bool column(const struct columns *columns, size_t index, struct field *out)
{
    const struct parameter_columns *parameters = columns->parameters;
    for (const struct field *field = record_fields; field->name != NULL; field++)
        if (field->component <= columns->components && index-- == 0) {
            *out = *field;
            return true;
        }
    if (index < parameters->count)
        *out = parameter_field(parameters, index);
    return index < parameters->count;
}

/* ---- Writing ---- */

static void put_escaped(FILE *file, const char *text)
{
    for (; *text != '\0'; text++) {
        const char *const escaped = *text == '\n' ? "\\n" : *text == '\t' ? "\\t" : *text == '\\' ? "\\\\" : NULL;
        if (escaped != NULL)
            fputs(escaped, file);
        else
            fputc(*text, file);
    }
}

static void put_fact(FILE *file, const char *name, const char *value)
{
    fprintf(file, "# %s\t", name);
    put_escaped(file, value);
    fputc('\n', file);
}

static void put_cell(FILE *file, const struct field *field, const struct record *row)
{
    if (field->type == FIELD_STRING)
        put_escaped(file, field_text(field, row));
    else if (field->type == FIELD_COUNT)
        fprintf(file, "%" PRIu64, field_count(field, row));
    else
        fprintf(file, "%.17g", field_real(field, row));
}

static void put_rows(FILE *file, const struct record *rows, size_t count, const struct parameter_columns *parameters)
{
    struct columns columns = {parameters, 0};
    struct field field;
    for (const struct field *of = record_fields; of->name != NULL; of++)
        if (of->component > columns.components && field_is_known(of, rows, count))
            columns.components = of->component;
    for (size_t c = 0; column(&columns, c, &field); c++)
        fprintf(file, "%s%s", c > 0 ? "\t" : "", field.name);
    for (size_t i = 0; i < count; i++)
        for (size_t c = 0; column(&columns, c, &field); c++) {
            fputc(c > 0 ? '\t' : '\n', file);
            put_cell(file, &field, &rows[i]);
        }
    fputc('\n', file);
}

enum status cell_file_write(const char *path, const struct record *rows, size_t count,
                            const struct parameter_columns *parameters, const struct fact *facts, struct error *error)
{
    struct bytes text = {NULL, 0};
    char *columns = parameter_columns_write(parameters);
    FILE *file = columns != NULL ? open_memstream(&text.data, &text.length) : NULL;
    enum status status = STATUS_OK;
    if (file != NULL) {
        fputs(FIRST_LINE, file);
        for (; facts->name != NULL; facts++)
            put_fact(file, facts->name, facts->value);
        put_fact(file, "parameters", columns);
        put_rows(file, rows, count, parameters);
        if (fflush(file) == 0)
            fprintf(file, CHECKSUM "%016" PRIx64 "\n", hash_bytes(text.data, text.length));
    }
    if (file == NULL || fclose(file) != 0)
        status = fail_with(error, STATUS_MEMORY, "no memory to write the %zu rows of %s", count, path);
    if (status == STATUS_OK)
        status = file_replace(path, &text, error);
    free(columns);
    free(text.data);
    return status;
}

/* ---- Reading ---- */

struct reader {
    const char *path;
    char *at; /* the lines not yet read, which reading cuts up */
    struct result *result;
    struct columns columns;
    FILE *provenance;
    struct error *error;
};

static enum status refuse(const struct reader *reader, const char *what)
{
    return fail_with(reader->error, STATUS_IO, "%s %s", reader->path, what);
}

/* Cuts the text at the first `end`, or at its own end, and leaves *at behind it: NULL after the last. */
static char *cut(char **at, char end)
{
    char *start = *at, *found = start != NULL ? strchr(start, end) : NULL;
    if (found != NULL)
        *found = '\0';
    *at = found != NULL ? found + 1 : NULL;
    return start;
}

static void unescape(char *text)
{
    char *to = text;
    for (; *text != '\0'; text++) {
        bool escaped = *text == '\\' && text[1] != '\0';
        text += escaped;
        *to++ = (char)(escaped && *text == 'n' ? '\n' : escaped && *text == 't' ? '\t' : *text);
    }
    *to = '\0';
}

/* The text of a result in which a fact comes back; NULL: it is one of its origins. */
static char **place_of(struct result *result, const char *fact)
{
    for (size_t i = 0; i < RESULT_TEXTS; i++)
        if (result_texts[i].fact != NULL && strcmp(fact, result_texts[i].fact) == 0)
            return result_text(result, i);
    return NULL;
}

/* "# NAME<tab>VALUE" */
static enum status read_fact(struct reader *reader, char *line)
{
    char *name = cut(&line, '\t') + 2;
    if (line == NULL)
        return refuse(reader, "has a fact without a value");
    unescape(line);
    char **place = place_of(reader->result, name);
    if (place == NULL) {
        fprintf(reader->provenance, "%s: %s\n", name, line);
        return STATUS_OK;
    }
    free(*place);
    *place = strdup(line);
    return *place != NULL ? STATUS_OK : refuse(reader, "does not fit in memory");
}

/* Whether a line of names between tabs has this one. */
static bool has_name(const char *line, const char *name)
{
    const size_t length = strlen(name);
    for (const char *at = line; (at = strstr(at, name)) != NULL; at += length)
        if ((at == line || at[-1] == '\t') && (at[length] == '\t' || at[length] == '\0'))
            return true;
    return false;
}

static enum status read_header(struct reader *reader, char *line)
{
    struct field field;
    size_t c = 0;
    reader->columns.parameters = &reader->result->parameters;
    for (const struct field *of = record_fields; of->name != NULL; of++)
        if (of->component > reader->columns.components && has_name(line, of->name))
            reader->columns.components = of->component;
    for (; column(&reader->columns, c, &field); c++) {
        const char *name = cut(&line, '\t');
        if (name == NULL || strcmp(name, field.name) != 0)
            return fail_with(reader->error, STATUS_IO, "%s: column %zu is \"%.60s\", expected \"%s\"", reader->path,
                             c + 1, name != NULL ? name : "", field.name);
    }
    return line == NULL ? STATUS_OK : refuse(reader, "has more columns than it tells of");
}

static bool read_cell(const struct field *field, char *text, struct record *row)
{
    char *member = (char *)row + field->offset, *end = text;
    if (field->type == FIELD_STRING)
        return snprintf(member, LABEL_SIZE, "%s", text) < LABEL_SIZE;
    const uint64_t count = field->type == FIELD_COUNT ? strtoull(text, &end, 10) : 0;
    const double real = field->type == FIELD_REAL ? strtod(text, &end) : 0.0;
    memcpy(member, field->type == FIELD_COUNT ? (const void *)&count : &real, sizeof real);
    return end != text && *end == '\0';
}

static enum status read_row(struct reader *reader, char *line)
{
    struct result *result = reader->result;
    struct record *row = &result->rows[result->count];
    struct field field;
    for (size_t i = 0; i < PARAMETER_COLUMNS; i++)
        row->parameter[i] = NAN;
    for (const struct field *of = record_fields; of->name != NULL; of++)
        if (of->component > reader->columns.components)
            memcpy((char *)row + of->offset, &(double){NAN}, sizeof(double));
    for (size_t c = 0; column(&reader->columns, c, &field); c++) {
        char *text = cut(&line, '\t');
        if (text == NULL || !read_cell(&field, text, row))
            return fail_with(reader->error, STATUS_IO, "%s: \"%s\" of row %zu is not as it was written", reader->path,
                             field.name, result->count);
    }
    result->count++;
    return line == NULL ? STATUS_OK : refuse(reader, "has a row of more cells than columns");
}

/* What a cell does not tell of is empty. */
static enum status fill_texts(struct reader *reader)
{
    struct result *result = reader->result;
    for (size_t i = 0; i < RESULT_TEXTS; i++) {
        char **text = result_text(result, i);
        if (result_texts[i].fact != NULL && *text == NULL && (*text = strdup("")) == NULL)
            return refuse(reader, "does not fit in memory");
    }
    text_tame(result->cell, "");
    text_tame(result->failure, "");
    text_tame(result->failures, "\n");
    return STATUS_OK;
}

static enum status read_lines(struct reader *reader)
{
    struct result *result = reader->result;
    size_t lines = 0;
    for (const char *at = reader->at; *at != '\0'; at++)
        lines += *at == '\n';
    while (reader->at != NULL && reader->at[0] == '#')
        TRY(read_fact(reader, cut(&reader->at, '\n')));
    if (result->columns == NULL || reader->at == NULL)
        return refuse(reader, "has no columns");
    TRY(parameter_columns_parse(result->columns, &result->parameters, reader->error));
    TRY(read_header(reader, cut(&reader->at, '\n')));
    result->rows = array_new(lines, sizeof *result->rows); /* more than there are rows */
    if (result->rows == NULL)
        return refuse(reader, "does not fit in memory");
    while (reader->at != NULL && reader->at[0] != '\0')
        TRY(read_row(reader, cut(&reader->at, '\n')));
    TRY(fill_texts(reader));
    return store_check_names(reader->path, result, reader->error);
}

/* Takes the last line off. */
static bool is_whole(struct bytes *file)
{
    char line[CHECKSUM_LENGTH + 1];
    if (file->length < CHECKSUM_LENGTH || strlen(file->data) != file->length)
        return false;
    file->length -= CHECKSUM_LENGTH;
    (void)snprintf(line, sizeof line, CHECKSUM "%016" PRIx64 "\n", hash_bytes(file->data, file->length));
    bool whole = strcmp(file->data + file->length, line) == 0;
    file->data[file->length] = '\0';
    return whole;
}

enum status cell_file_read(const char *path, struct result *out, struct error *error)
{
    struct bytes file = {NULL, 0};
    struct reader reader = {path, NULL, out, {NULL, 0}, NULL, error};
    size_t size = 0;
    enum status status;
    *out = (struct result){.format = FORMAT_VERSION};
    TRY_OR(end, file_load(path, &file, error));
    if (strncmp(file.data, FIRST_LINE, sizeof FIRST_LINE - 1) != 0)
        TRY_OR(end, refuse(&reader, "is not a cell of this version"));
    if (!is_whole(&file))
        TRY_OR(end, refuse(&reader, "is not as diffrate wrote it: its checksum is wrong or missing"));
    reader.at = file.data + sizeof FIRST_LINE - 1;
    reader.provenance = open_memstream(&out->provenance, &size);
    if (reader.provenance == NULL)
        TRY_OR(end, refuse(&reader, "does not fit in memory"));
    status = read_lines(&reader);
    if (fclose(reader.provenance) != 0 && status == STATUS_OK)
        status = refuse(&reader, "does not fit in memory");
    TRY_OR(end, status);
end:
    free(file.data);
    if (status != STATUS_OK)
        result_free(out);
    return status;
}
