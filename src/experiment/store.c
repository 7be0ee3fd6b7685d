/* HDF5 builds and reads files in memory only; plain system calls move them to and from the disk. HDF5 1.10 crashes
 * when it closes a file on a full disk, and when a damaged file refers to strings that it does not hold. The first
 * cannot happen in memory; against the second, a seal with a checksum follows the HDF5 content, which HDF5 and the
 * programs built on it ignore. */
#define _POSIX_C_SOURCE 200809L

#include "experiment/store.h"

#include <hdf5.h>
#include <hdf5_hl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "core/hash.h"
#include "core/memory.h"

#define FORMAT "diffrate result"
#define SIGNATURE "\211HDF\r\n\032\n"
#define NO_FILE "/dev/null/diffrate" /* HDF5 looks for the files that it makes in memory on the disk too */
#define SEAL "\ndiffrate checksum "
enum {
    FORMAT_VERSION = 3, /* raised whenever the columns change */
    SEAL_LENGTH = 36,
    CELL = 8, /* bytes of the largest in memory, and of the smallest in a file */
    LABEL_SIZE = 64,
    MAX_ROWS = 100000000,
    CORE_STEP = 1 << 16 /* bytes by which a file in memory grows */
};

_Static_assert(sizeof(char *) <= CELL && sizeof(double) == CELL, "a cell fits in CELL bytes");

/* What may differ between two runs of the same, apart from what is the same to the bit. */
#define CIRCUMSTANCES "circumstances"
static const char *const circumstances[] = {"command", "host", NULL};

/* Facts that are long: as datasets they stay out of the header that tools print. */
static const char *const long_facts[] = {"spec_text", "failures", "cell", NULL};

static int is_among(const char *const *names, const char *name)
{
    while (*names != NULL && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

static const struct field row_field = {
    "row", FIELD_COUNT, 0, 0, "1", "Index of the measurement in this file.",
};

static void make_seal(const char *data, size_t length, char seal[SEAL_LENGTH + 1])
{
    (void)snprintf(seal, SEAL_LENGTH + 1, SEAL "%016" PRIx64 "\n", hash_bytes(data, length));
}

static int is_sealed(const struct bytes *file)
{
    char seal[SEAL_LENGTH + 1];
    if (file->length < SEAL_LENGTH)
        return 0;
    make_seal(file->data, file->length - SEAL_LENGTH, seal);
    return memcmp(file->data + file->length - SEAL_LENGTH, seal, SEAL_LENGTH) == 0;
}

/* HDF5 refuses negative ids, so that of a chain of calls only the last need be checked. */
static void close_id(hid_t id)
{
    if (id >= 0)
        (void)H5Idec_ref(id);
}

static hid_t text_type(void)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    if (H5Tset_size(type, H5T_VARIABLE) >= 0 && H5Tset_cset(type, H5T_CSET_UTF8) >= 0)
        return type;
    close_id(type);
    return H5I_INVALID_HID;
}

static hid_t cell_type(enum field_type type, hid_t text)
{
    return type == FIELD_STRING ? text : type == FIELD_COUNT ? H5T_NATIVE_UINT64 : H5T_NATIVE_DOUBLE;
}

static size_t cell_size(enum field_type type)
{
    return type == FIELD_STRING ? sizeof(char *) : CELL;
}

struct writer {
    const char *path;
    const struct record *rows;
    size_t count;
    hid_t file, circumstances, row, text, space, scalar, properties;
    struct error *error;
};

static enum status cannot_store(const struct writer *writer, const char *name)
{
    return fail_with(writer->error, STATUS_EXTERNAL, "%s: HDF5 cannot store \"%s\"", writer->path, name);
}

static enum status no_memory(const struct writer *writer)
{
    return fail_with(writer->error, STATUS_MEMORY, "no memory to write the %zu rows of %s", writer->count, writer->path);
}

static int put_attribute(const struct writer *writer, hid_t object, const char *name, hid_t type, const void *value)
{
    hid_t attribute = H5Acreate2(object, name, type, writer->scalar, H5P_DEFAULT, H5P_DEFAULT);
    int ok = H5Awrite(attribute, type, value) >= 0;
    close_id(attribute);
    return ok;
}

static int put_text(const struct writer *writer, hid_t object, const char *name, const char *value)
{
    return put_attribute(writer, object, name, writer->text, &value);
}

static hid_t put_dataset(const struct writer *writer, hid_t parent, const char *name, hid_t type, hid_t space,
                         const void *values)
{
    hid_t dataset = H5Dcreate2(parent, name, type, space, H5P_DEFAULT, writer->properties, H5P_DEFAULT);
    if (H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0)
        return dataset;
    close_id(dataset);
    return H5I_INVALID_HID;
}

static int put_fact(const struct writer *writer, const struct fact *fact)
{
    int differs = is_among(circumstances, fact->name);
    if (!is_among(long_facts, fact->name))
        return put_text(writer, differs ? writer->circumstances : writer->file, fact->name, fact->value);
    hid_t dataset = put_dataset(writer, writer->file, fact->name, writer->text, writer->scalar, &fact->value);
    close_id(dataset);
    return dataset >= 0;
}

static enum status put_format(const struct writer *writer)
{
    int version = FORMAT_VERSION;
    if (!put_text(writer, writer->file, "format", FORMAT) ||
        !put_attribute(writer, writer->file, "format_version", H5T_NATIVE_INT, &version) ||
        !put_text(writer, writer->file, "Conventions", "CF-1.10"))
        return cannot_store(writer, "format");
    return STATUS_OK;
}

/* The facts that are circumstances, or those that are not. */
static enum status put_facts(const struct writer *writer, const struct fact *facts, int differing)
{
    for (; facts != NULL && facts->name != NULL; facts++)
        if (is_among(circumstances, facts->name) == differing && !put_fact(writer, facts))
            return cannot_store(writer, facts->name);
    return STATUS_OK;
}

static hid_t put_column(const struct writer *writer, const struct field *field, const void *cells)
{
    hid_t dataset = put_dataset(writer, field->role == COLUMN_TIMING ? writer->circumstances : writer->file, field->name,
                                cell_type(field->type, writer->text), writer->space, cells);
    if (put_text(writer, dataset, "units", field->unit) && put_text(writer, dataset, "long_name", field->doc))
        return dataset;
    close_id(dataset);
    return H5I_INVALID_HID;
}

static enum status put_row_scale(struct writer *writer, uint64_t *cells)
{
    for (size_t i = 0; i < writer->count; i++)
        cells[i] = i;
    writer->row = put_column(writer, &row_field, cells);
    return H5DSset_scale(writer->row, row_field.name) >= 0 ? STATUS_OK : cannot_store(writer, row_field.name);
}

static enum status put_field(const struct writer *writer, const struct field *field, char *cells)
{
    size_t size = cell_size(field->type);
    int is_label = field->type == FIELD_STRING;
    for (size_t i = 0; i < writer->count; i++) {
        const char *member = (const char *)&writer->rows[i] + field->offset;
        if (is_label && memchr(member, '\0', LABEL_SIZE) == NULL)
            return cannot_store(writer, field->name);
        memcpy(cells + i * size, is_label ? (const void *)&member : member, size);
    }
    hid_t dataset = put_column(writer, field, cells);
    /* Not to what differs, to which the scale would refer in turn. */
    int ok = field->role == COLUMN_TIMING || H5DSattach_scale(dataset, writer->row, 0) >= 0;
    ok = ok && dataset >= 0;
    close_id(dataset);
    return ok ? STATUS_OK : cannot_store(writer, field->name);
}

static enum status put_columns(struct writer *writer)
{
    void *cells = array_new(writer->count, CELL);
    enum status status = cells != NULL ? put_row_scale(writer, cells) : no_memory(writer);
    for (const struct field *field = record_fields; status == STATUS_OK && field->name != NULL; field++)
        status = put_field(writer, field, cells);
    free(cells);
    return status;
}

/* The file's content with its seal; out->data is the caller's to free, also after an error. */
static enum status take_image(const struct writer *writer, struct bytes *out)
{
    char seal[SEAL_LENGTH + 1];
    ssize_t length = H5Fflush(writer->file, H5F_SCOPE_GLOBAL) < 0 ? -1 : H5Fget_file_image(writer->file, NULL, 0);
    if (length < 0)
        return cannot_store(writer, "/");
    out->length = (size_t)length + SEAL_LENGTH;
    out->data = array_new(out->length, 1);
    if (out->data == NULL)
        return no_memory(writer);
    if (H5Fget_file_image(writer->file, out->data, (size_t)length) != length)
        return cannot_store(writer, "/");
    make_seal(out->data, (size_t)length, seal);
    memcpy(out->data + length, seal, SEAL_LENGTH);
    return STATUS_OK;
}

/* Objects have no times, so that equal content gives equal bytes, and are listed in the order of the field table. */
static void open_writer(struct writer *writer)
{
    hsize_t length = writer->count;
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    hid_t creation = H5Pcreate(H5P_FILE_CREATE);
    hid_t group = H5Pcreate(H5P_GROUP_CREATE);
    writer->text = text_type();
    writer->space = H5Screate_simple(1, &length, NULL);
    writer->scalar = H5Screate(H5S_SCALAR);
    writer->properties = H5Pcreate(H5P_DATASET_CREATE);
    if (H5Pset_fapl_core(access, CORE_STEP, 0) >= 0 && H5Pset_obj_track_times(creation, 0) >= 0 &&
        H5Pset_link_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED) >= 0)
        writer->file = H5Fcreate(NO_FILE, H5F_ACC_TRUNC, creation, access);
    if (H5Pset_obj_track_times(group, 0) >= 0 && H5Pset_obj_track_times(writer->properties, 0) >= 0)
        writer->circumstances = H5Gcreate2(writer->file, CIRCUMSTANCES, H5P_DEFAULT, group, H5P_DEFAULT);
    close_id(group);
    close_id(creation);
    close_id(access);
}

static enum status build(struct writer *writer, const struct fact *facts, struct bytes *out)
{
    store_init(); /* where HDF5 is thread-safe, printing is a setting of each thread */
    open_writer(writer);
    enum status status = writer->circumstances < 0 ? cannot_store(writer, "/") : put_format(writer);
    if (status == STATUS_OK)
        status = put_facts(writer, facts, 0);
    if (status == STATUS_OK)
        status = put_columns(writer);
    if (status == STATUS_OK) /* last, so that their lengths shift nothing else in the file */
        status = put_facts(writer, facts, 1);
    if (status == STATUS_OK)
        status = take_image(writer, out);
    const hid_t ids[] = {writer->row,   writer->circumstances, writer->file,       writer->text,
                         writer->space, writer->scalar,  writer->properties};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        close_id(ids[i]);
    return status;
}

struct reader {
    const char *path;
    size_t size; /* of the file in bytes */
    hid_t file, circumstances, text;
    struct result *result;
    FILE *provenance;
    struct error *error;
};

static enum status refuse(const struct reader *reader, const char *name, const char *problem)
{
    return fail_with(reader->error, STATUS_IO, "%s: \"%s\" %s", reader->path, name, problem);
}

/* Links that lead elsewhere, perhaps to another file, are none of ours. */
static hid_t open_dataset(hid_t parent, const char *name)
{
    H5L_info_t link;
    int ours = H5Lget_info(parent, name, &link, H5P_DEFAULT) >= 0 && link.type == H5L_TYPE_HARD;
    return ours ? H5Dopen2(parent, name, H5P_DEFAULT) : H5I_INVALID_HID;
}

/* The value of an attribute of a group or a dataset in it for free(), or NULL. HDF5 converts nothing but
 * variable-length strings to our type, and may give NULL for an empty one. */
static char *read_text(const struct reader *reader, hid_t group, const char *name, int is_dataset)
{
    char *value = NULL;
    hid_t object = is_dataset ? open_dataset(group, name) : H5Aopen(group, name, H5P_DEFAULT);
    hid_t space = is_dataset ? H5Dget_space(object) : H5Aget_space(object);
    int ok = H5Sget_simple_extent_type(space) == H5S_SCALAR &&
             (is_dataset ? H5Dread(object, reader->text, H5S_ALL, H5S_ALL, H5P_DEFAULT, &value)
                         : H5Aread(object, reader->text, &value)) >= 0;
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
    return ok && version == FORMAT_VERSION ? STATUS_OK : refuse(reader, "format_version", "is not 3");
}

/* Called by H5Aiterate2 for each attribute of a group. */
static herr_t read_fact(hid_t group, const char *name, const H5A_info_t *info, void *data)
{
    static const char *const others[] = {"Conventions", "failure", "format", "format_version", "spec_name", NULL};
    const struct reader *reader = data;
    (void)info;
    if (is_among(others, name))
        return 0;
    char *text = read_text(reader, group, name, 0);
    int ok = text != NULL && fprintf(reader->provenance, "%s: %s\n", name, text) > 0;
    free(text);
    return ok ? 0 : -1;
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
    result->spec_text = read_optional_text(reader, "spec_text");
    result->spec_name = read_optional_text(reader, "spec_name");
    result->failure = read_optional_text(reader, "failure");
    result->failures = read_optional_text(reader, "failures");
    result->cell = read_optional_text(reader, "cell");
    return result->spec_text == NULL   ? refuse(reader, "spec_text", "is not a string")
           : result->spec_name == NULL ? refuse(reader, "spec_name", "is not a string")
           : result->failure == NULL   ? refuse(reader, "failure", "is not a string")
           : result->failures == NULL  ? refuse(reader, "failures", "is not a string")
           : result->cell == NULL      ? refuse(reader, "cell", "is not a string")
                                       : STATUS_OK;
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
    if (*count > MAX_ROWS || *count > reader->size / CELL)
        return "claims more rows than the file can hold";
    return *count > 0 && H5Dget_offset(dataset) == HADDR_UNDEF ? "is not stored in one piece" : NULL;
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
    if (H5Dread(dataset, cell_type(field->type, reader->text), H5S_ALL, H5S_ALL, H5P_DEFAULT, cells) < 0)
        problem = "cannot be read";
    for (size_t i = 0; problem == NULL && i < count; i++)
        if (!put_cell(&reader->result->rows[i], field, cells + i * size))
            problem = "has too long a string";
    for (size_t i = 0; field->type == FIELD_STRING && i < count; i++)
        (void)H5free_memory(((char **)(void *)cells)[i]);
    free(cells);
    return problem;
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
    } else if (problem == NULL) {
        problem = count == result->count ? read_cells(reader, dataset, field) : "has another length";
    }
    close_id(dataset);
    return problem == NULL ? STATUS_OK : refuse(reader, field->name, problem);
}

static enum status parse(struct reader *reader, const struct bytes *bytes)
{
    store_init();
    reader->text = text_type();
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (H5Pset_fapl_core(access, CORE_STEP, 0) >= 0 && H5Pset_file_image(access, bytes->data, bytes->length) >= 0)
        reader->file = H5Fopen(NO_FILE, H5F_ACC_RDONLY, access);
    close_id(access);
    reader->circumstances = H5Gopen2(reader->file, CIRCUMSTANCES, H5P_DEFAULT);
    enum status status = reader->file < 0 ? refuse(reader, "/", "is damaged") : check_format(reader);
    if (status == STATUS_OK)
        status = read_facts(reader);
    if (status == STATUS_OK)
        status = read_column(reader, &row_field);
    for (const struct field *field = record_fields; status == STATUS_OK && field->name != NULL; field++)
        status = read_column(reader, field);
    close_id(reader->circumstances);
    close_id(reader->file);
    close_id(reader->text);
    return status;
}

enum status store_write(const char *path, const struct record *rows, size_t count, const struct fact *facts,
                        struct error *error)
{
    struct writer writer = {path, rows, count, -1, -1, -1, -1, -1, -1, -1, error};
    struct bytes bytes = {NULL, 0};
    enum status status;
#pragma omp critical(hdf5)
    status = build(&writer, facts, &bytes);
    if (status == STATUS_OK)
        status = file_replace(path, &bytes, error);
    free(bytes.data);
    return status;
}

enum status store_read(const char *path, struct result *out, struct error *error)
{
    struct bytes bytes = {NULL, 0};
    memset(out, 0, sizeof *out);
    enum status status = file_load(path, &bytes, error);
    if (status == STATUS_OK && (bytes.length < 8 || memcmp(bytes.data, SIGNATURE, 8) != 0))
        status = fail_with(error, STATUS_IO, "%s is not an HDF5 file", path);
    if (status == STATUS_OK && !is_sealed(&bytes))
        status = fail_with(error, STATUS_IO, "%s is not as diffrate wrote it: its checksum is wrong or missing", path);
    if (status == STATUS_OK) {
        struct reader reader = {path, bytes.length, -1, -1, -1, out, NULL, error};
#pragma omp critical(hdf5)
        status = parse(&reader, &bytes);
    }
    free(bytes.data);
    if (status != STATUS_OK)
        result_free(out);
    return status;
}

void result_free(struct result *result)
{
    free(result->rows);
    free(result->spec_text);
    free(result->spec_name);
    free(result->failure);
    free(result->failures);
    free(result->cell);
    free(result->provenance);
    memset(result, 0, sizeof *result);
}

void store_init(void)
{
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}
