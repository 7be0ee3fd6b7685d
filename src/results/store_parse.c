/* From the HDF5 content of a file to rows and texts. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "results/store_format.h"

struct reader {
    const char *path;
    size_t size;      /* of the file in bytes */
    size_t row_bytes; /* that a row takes in it at least */
    hid_t file, circumstances, text, transfer;
    struct result *result;
    FILE *provenance;
    struct error *error;
};

static enum status refuse(const struct reader *reader, const char *name, const char *problem)
{
    return fail_with(reader->error, STATUS_IO, "%s: \"%s\" %s", reader->path, name, problem);
}

/* Links that lead elsewhere, perhaps to another file, are none of ours. */
static int is_ours(hid_t parent, const char *name)
{
    H5L_info_t link;
    return H5Lget_info(parent, name, &link, H5P_DEFAULT) >= 0 && link.type == H5L_TYPE_HARD;
}

static hid_t open_dataset(hid_t parent, const char *name)
{
    return is_ours(parent, name) ? H5Dopen2(parent, name, H5P_DEFAULT) : H5I_INVALID_HID;
}

/* Not in chunks, and not in another file. */
static int is_in_one_piece(hid_t dataset)
{
    return H5Dget_offset(dataset) != HADDR_UNDEF;
}

/* The value of an attribute of a group or a dataset in it for free(), or NULL. HDF5 converts nothing but
 * variable-length strings to our type, and may give NULL for an empty one. */
static char *read_text(const struct reader *reader, hid_t group, const char *name, int is_dataset)
{
    char *value = NULL;
    hid_t object = is_dataset ? open_dataset(group, name) : H5Aopen(group, name, H5P_DEFAULT);
    hid_t space = is_dataset ? H5Dget_space(object) : H5Aget_space(object);
    int ok = H5Sget_simple_extent_type(space) == H5S_SCALAR && (!is_dataset || is_in_one_piece(object))
             && (is_dataset ? H5Dread(object, reader->text, H5S_ALL, H5S_ALL, reader->transfer, &value)
                            : H5Aread(object, reader->text, &value))
                    >= 0;
    char *text = ok ? strdup(value != NULL ? value : "") : NULL;
    (void)H5free_memory(value);
    close_id(space);
    close_id(object);
    return text;
}

static char *read_optional_text(const struct reader *reader, const char *name)
{
    int is_dataset = is_among(long_facts, name);
    htri_t exists = is_dataset ? H5Lexists(reader->file, name, H5P_DEFAULT) : H5Aexists(reader->file, name);
    return exists == 0 ? strdup("") : read_text(reader, reader->file, name, is_dataset);
}

static enum status check_format(const struct reader *reader)
{
    int version = 0;
    char *format = read_text(reader, reader->file, "format", 0);
    int is_ours = format != NULL && strcmp(format, FORMAT) == 0;
    free(format);
    if (!is_ours)
        return refuse(reader, "format", "is not \"" FORMAT "\"");
    hid_t attribute = H5Aopen(reader->file, "format_version", H5P_DEFAULT);
    hid_t space = H5Aget_space(attribute);
    int ok = H5Sget_simple_extent_type(space) == H5S_SCALAR && H5Aread(attribute, H5T_NATIVE_INT, &version) >= 0;
    close_id(space);
    close_id(attribute);
    reader->result->format = version;
    if (ok && version >= FORMAT_OLDEST && version <= FORMAT_VERSION)
        return STATUS_OK;
    return fail_with(reader->error, STATUS_IO,
                     "%s: \"format_version\" is not one from %d to %d, which this program reads", reader->path,
                     FORMAT_OLDEST, FORMAT_VERSION);
}

/* Called by H5Aiterate2 for each attribute of a group. */
static herr_t read_fact(hid_t group, const char *name, const H5A_info_t *info, void *data)
{
    static const char *const others[] = {"Conventions", "format", "format_version", "spec_name", NULL};
    const struct reader *reader = data;
    (void)info;
    if (is_among(others, name))
        return 0;
    char *text = read_text(reader, group, name, 0);
    int ok = text != NULL && fprintf(reader->provenance, "%s: %s\n", name, text) > 0;
    free(text);
    return ok ? 0 : -1;
}

/* Formats before this one have four parameters, of which those of score errors are 0 where a row has none. */
enum { PARAMETERS_SINCE = 5 };
#define OLD_PARAMETERS "schedule_c0 \nschedule_c1 \nscore_error_roughness \nscore_error_probability \n"

/* The name in the file of a column of parameters. */
static const char *stored_name(const struct reader *reader, const char *name)
{
    return reader->result->format < PARAMETERS_SINCE && strncmp(name, "schedule_", 9) == 0 ? name + 9 : name;
}

static enum status read_facts(struct reader *reader)
{
    struct result *result = reader->result;
    size_t size = 0;
    reader->provenance = open_memstream(&result->provenance, &size);
    if (reader->provenance == NULL)
        return refuse(reader, "/", "does not fit in memory");
    int ok = H5Aiterate2(reader->file, H5_INDEX_NAME, H5_ITER_INC, NULL, read_fact, reader) >= 0
             && (reader->circumstances < 0
                 || H5Aiterate2(reader->circumstances, H5_INDEX_NAME, H5_ITER_INC, NULL, read_fact, reader) >= 0);
    if (fclose(reader->provenance) != 0 || !ok)
        return refuse(reader, "/", "has an attribute that is not a string");
    for (size_t i = 0; i < RESULT_TEXTS; i++) {
        const char *fact = result_texts[i].fact;
        if (fact == NULL)
            continue;
        const bool is_old = result->format < PARAMETERS_SINCE && strcmp(fact, "parameters") == 0;
        char *text = result_texts[i].of_cell ? strdup("")
                     : is_old                ? strdup(OLD_PARAMETERS)
                                             : read_optional_text(reader, fact);
        if (text == NULL)
            return refuse(reader, fact, "is not a string");
        *result_text(result, i) = text;
    }
    return parameter_columns_parse(result->columns, &result->parameters, reader->error);
}

/* A column of a component is not stored where no row has a number. */
static bool has_column(const struct reader *reader, const struct field *field)
{
    return field->since <= reader->result->format
           && (field->component == 0 || H5Lexists(reader->file, field->name, H5P_DEFAULT) > 0);
}

/* A row's index and a cell in every column, of which strings are references. */
static size_t count_row_bytes(const struct reader *reader)
{
    size_t bytes = CELL;
    for (const struct field *field = record_fields; field->name != NULL; field++)
        if (has_column(reader, field))
            bytes += field->type == FIELD_STRING ? 2 * CELL : CELL;
    return bytes;
}

/* What is wrong with a column, in words that follow its name, or NULL. */
static const char *column_problem(const struct reader *reader, hid_t dataset, const struct field *field,
                                  hsize_t *count)
{
    hid_t type = H5Dget_type(dataset);
    hid_t space = H5Dget_space(dataset);
    int typed = field->type == FIELD_STRING ? H5Tis_variable_str(type) > 0
                                            : H5Tequal(type, cell_type(field->type, reader->text)) > 0;
    int flat = H5Sget_simple_extent_ndims(space) == 1 && H5Sget_simple_extent_dims(space, count, NULL) == 1;
    close_id(space);
    close_id(type);
    if (dataset < 0)
        return "is missing";
    if (!typed || !flat)
        return typed ? "is not one-dimensional" : "has another type";
    if (*count > reader->size / reader->row_bytes)
        return "claims more rows than the file can hold";
    return *count > 0 && !is_in_one_piece(dataset) ? "is not stored in one piece" : NULL;
}

static int put_cell(struct record *row, const struct field *field, const char *cell)
{
    char *member = (char *)row + field->offset;
    const char *text = NULL;
    if (field->type != FIELD_STRING)
        return memcpy(member, cell, CELL) != NULL;
    memcpy(&text, cell, sizeof text);
    return snprintf(member, LABEL_SIZE, "%s", text != NULL ? text : "") < LABEL_SIZE;
}

static const char *read_cells(const struct reader *reader, hid_t dataset, const struct field *field)
{
    size_t count = reader->result->count, size = cell_size(field->type);
    char *cells = array_new(count, size);
    if (cells == NULL)
        return "does not fit in memory";
    const char *problem = NULL;
    if (H5Dread(dataset, cell_type(field->type, reader->text), H5S_ALL, H5S_ALL, reader->transfer, cells) < 0)
        problem = "cannot be read";
    for (size_t i = 0; problem == NULL && i < count; i++)
        if (!put_cell(&reader->result->rows[i], field, cells + i * size))
            problem = "has too long a string";
    for (size_t i = 0; field->type == FIELD_STRING && i < count; i++)
        (void)H5free_memory(((char **)(void *)cells)[i]);
    free(cells);
    return problem;
}

/* What the file has no column for is not known. */
static void fill_unknown(const struct result *result, const struct field *field)
{
    const double unknown = NAN;
    for (size_t i = 0; i < result->count; i++)
        memcpy((char *)&result->rows[i] + field->offset, &unknown, sizeof unknown);
}

/* The row scale, which comes first, gives the number of rows. */
static enum status read_column(const struct reader *reader, const struct field *field)
{
    struct result *result = reader->result;
    hsize_t count = 0;
    hid_t dataset = open_dataset(field->role == COLUMN_TIMING ? reader->circumstances : reader->file, field->name);
    const char *problem = column_problem(reader, dataset, field, &count);
    if (problem == NULL && field == &row_field) {
        result->count = (size_t)count;
        result->rows = array_new(result->count, sizeof *result->rows);
        problem = result->rows == NULL ? "does not fit in memory" : NULL;
        for (size_t i = 0; i < PARAMETER_COLUMNS * result->count && problem == NULL; i++)
            result->rows[i / PARAMETER_COLUMNS].parameter[i % PARAMETER_COLUMNS] = NAN;
    } else if (problem == NULL) {
        problem = count == result->count ? read_cells(reader, dataset, field) : "has another length";
    }
    close_id(dataset);
    return problem == NULL ? STATUS_OK : refuse(reader, field->name, problem);
}

static enum status read_parameter(const struct reader *reader, size_t index)
{
    const struct result *result = reader->result;
    struct field field = parameter_field(&result->parameters, index);
    bool is_error = strncmp(field.name, "score_error_", 12) == 0;
    field.name = stored_name(reader, field.name);
    TRY(read_column(reader, &field));
    for (size_t i = 0; i < result->count && result->format < PARAMETERS_SINCE && is_error; i++)
        if (result->rows[i].parameter[index] == 0.0)
            result->rows[i].parameter[index] = NAN;
    return STATUS_OK;
}

/* HDF5 would copy the image of a file twice, into a property list and into the file in memory. Here both are the
 * content itself, which is only read. */
static void *lend(size_t size, H5FD_file_image_op_t operation, void *content)
{
    (void)size;
    (void)operation;
    return content;
}

static void *copy_nothing(void *to, const void *from, size_t size, H5FD_file_image_op_t operation, void *content)
{
    (void)operation;
    (void)content;
    return to == from ? to : memcpy(to, from, size);
}

static void *grow_nothing(void *image, size_t size, H5FD_file_image_op_t operation, void *content)
{
    (void)image;
    (void)size;
    (void)operation;
    (void)content;
    return NULL;
}

static herr_t free_nothing(void *image, H5FD_file_image_op_t operation, void *content)
{
    (void)image;
    (void)operation;
    (void)content;
    return 0;
}

static void *same_content(void *content)
{
    return content;
}

static herr_t keep_content(void *content)
{
    (void)content;
    return 0;
}

static enum status parse(struct reader *reader, const struct bytes *content)
{
    store_init(); /* where HDF5 is thread-safe, printing is a setting of each thread */
    reader->text = text_type();
    reader->transfer = H5Pcreate(H5P_DATASET_XFER);
    (void)H5Pset_buffer(reader->transfer, STRIP, NULL, NULL);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5FD_file_image_callbacks_t callbacks = {lend,         copy_nothing, grow_nothing, free_nothing,
                                             same_content, keep_content, content->data};
    if (H5Pset_file_image_callbacks(access, &callbacks) >= 0 && H5Pset_fapl_core(access, CORE_STEP, 0) >= 0
        && H5Pset_sieve_buf_size(access, SIEVE) >= 0
        && H5Pset_file_image(access, content->data, content->length) >= 0)
        reader->file = H5Fopen(NO_FILE, H5F_ACC_RDONLY, access);
    close_id(access);
    if (is_ours(reader->file, CIRCUMSTANCES))
        reader->circumstances = H5Gopen2(reader->file, CIRCUMSTANCES, H5P_DEFAULT);
    enum status status;
    TRY_OR(end, reader->file < 0 ? refuse(reader, "/", "is damaged") : check_format(reader));
    reader->row_bytes = count_row_bytes(reader);
    TRY_OR(end, read_facts(reader));
    TRY_OR(end, read_column(reader, &row_field));
    for (const struct field *field = record_fields; field->name != NULL; field++)
        if (has_column(reader, field))
            TRY_OR(end, read_column(reader, field));
        else
            fill_unknown(reader->result, field);
    for (size_t i = 0; i < reader->result->parameters.count; i++)
        TRY_OR(end, read_parameter(reader, i));
end:
    close_id(reader->circumstances);
    close_id(reader->file);
    close_id(reader->transfer);
    close_id(reader->text);
    return status;
}

enum status store_parse(const char *path, const struct bytes *content, struct result *out, struct error *error)
{
    struct reader reader = {path, content->length, 0, -1, -1, -1, -1, out, NULL, error};
    memset(out, 0, sizeof *out);
    enum status status = parse(&reader, content);
    if (status != STATUS_OK)
        result_free(out);
    return status;
}
