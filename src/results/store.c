/* HDF5 builds files in memory only, because version 1.10 crashes when it closes a file on a full disk; plain system
 * calls move them to the disk. A seal with a checksum follows the HDF5 content, which HDF5 and the programs built on
 * it ignore: it tells the reader of accidents. */
#include "results/store.h"

#include <hdf5_hl.h>
#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "results/store_format.h"

struct writer {
    const char *path;
    const struct record *const *rows;
    size_t count;
    const struct parameter_columns *parameters;
    hid_t file, circumstances, row, text, space, scalar, properties, transfer;
    struct error *error;
};

static enum status cannot_store(const struct writer *writer, const char *name)
{
    return fail_with(writer->error, STATUS_EXTERNAL, "%s: HDF5 cannot store \"%s\"", writer->path, name);
}

static enum status no_memory(const struct writer *writer)
{
    return fail_with(writer->error, STATUS_MEMORY, "no memory to write the %zu rows of %s", writer->count,
                     writer->path);
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
    if (H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, writer->transfer, values) >= 0)
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
    if (!put_text(writer, writer->file, "format", FORMAT)
        || !put_attribute(writer, writer->file, "format_version", H5T_NATIVE_INT, &version)
        || !put_text(writer, writer->file, "Conventions", "CF-1.10"))
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

/* What the columns of parameters are. */
static enum status put_parameters(const struct writer *writer)
{
    char *text = parameter_columns_write(writer->parameters);
    const struct fact fact = {"parameters", text};
    if (text == NULL)
        return no_memory(writer);
    int ok = put_fact(writer, &fact);
    free(text);
    return ok ? STATUS_OK : cannot_store(writer, fact.name);
}

static hid_t put_column(const struct writer *writer, const struct field *field, const void *cells)
{
    hid_t dataset = put_dataset(writer, field->role == COLUMN_TIMING ? writer->circumstances : writer->file,
                                field->name, cell_type(field->type, writer->text), writer->space, cells);
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
        const char *member = (const char *)writer->rows[i] + field->offset;
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

/* Of a component, where some row has a number. */
static bool has_column(const struct writer *writer, const struct field *field)
{
    bool has = field->component == 0;
    for (size_t i = 0; i < writer->count && !has; i++)
        has = field_is_known(field, writer->rows[i], 1);
    return has;
}

static enum status put_columns(struct writer *writer)
{
    void *cells = array_new(writer->count, CELL);
    enum status status = cells != NULL ? put_row_scale(writer, cells) : no_memory(writer);
    for (const struct field *field = record_fields; status == STATUS_OK && field->name != NULL; field++)
        if (has_column(writer, field))
            status = put_field(writer, field, cells);
    for (size_t i = 0; i < writer->parameters->count && status == STATUS_OK; i++) {
        const struct field field = parameter_field(writer->parameters, i);
        status = put_field(writer, &field, cells);
    }
    free(cells);
    return status;
}

/* Of the superblock that begins a file: its version, and of version 0 the flags that say that it is open. */
enum { SUPERBLOCK_VERSION = 8, OPEN_FLAGS = 20, OPEN_FLAGS_SIZE = 4 };

/* Writes the file's content, which stays where HDF5 has it, with its seal. As H5Fget_file_image does in its copy, it
 * clears the flags. */
static enum status write_image(const struct writer *writer)
{
    char seal[SEAL_LENGTH + 1];
    void *image = NULL; /* of the core driver, the address of its buffer */
    ssize_t length = H5Fflush(writer->file, H5F_SCOPE_GLOBAL) < 0 ? -1 : H5Fget_file_image(writer->file, NULL, 0);
    if (length < 0 || H5Fget_vfd_handle(writer->file, H5P_DEFAULT, &image) < 0)
        return cannot_store(writer, "/");
    const struct bytes parts[2] = {{*(char **)image, (size_t)length}, {seal, SEAL_LENGTH}};
    if (length < OPEN_FLAGS + OPEN_FLAGS_SIZE || parts[0].data[SUPERBLOCK_VERSION] != 0)
        return cannot_store(writer, "/");
    memset(parts[0].data + OPEN_FLAGS, 0, OPEN_FLAGS_SIZE);
    make_seal(parts[0].data, parts[0].length, seal);
    return file_replace_by(writer->path, parts, 2, writer->error);
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
    writer->transfer = H5Pcreate(H5P_DATASET_XFER);
    (void)H5Pset_buffer(writer->transfer, STRIP, NULL, NULL);
    /* the default sieve of 64 KiB a dataset, cleared each time, took half of the time of a file of few rows */
    if (H5Pset_fapl_core(access, CORE_STEP, 0) >= 0 && H5Pset_sieve_buf_size(access, SIEVE) >= 0
        && H5Pset_obj_track_times(creation, 0) >= 0
        && H5Pset_link_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED) >= 0)
        writer->file = H5Fcreate(NO_FILE, H5F_ACC_TRUNC, creation, access);
    if (H5Pset_obj_track_times(group, 0) >= 0 && H5Pset_obj_track_times(writer->properties, 0) >= 0)
        writer->circumstances = H5Gcreate2(writer->file, CIRCUMSTANCES, H5P_DEFAULT, group, H5P_DEFAULT);
    close_id(group);
    close_id(creation);
    close_id(access);
}

static enum status write_file(struct writer *writer, const struct fact *facts)
{
    store_init(); /* where HDF5 is thread-safe, printing is a setting of each thread */
    open_writer(writer);
    enum status status;
    TRY_OR(end, writer->circumstances < 0 ? cannot_store(writer, "/") : put_format(writer));
    TRY_OR(end, put_facts(writer, facts, 0));
    TRY_OR(end, put_parameters(writer));
    TRY_OR(end, put_columns(writer));
    TRY_OR(end, put_facts(writer, facts, 1)); /* last, so that their lengths shift nothing else in the file */
    TRY_OR(end, write_image(writer));
end:;
    const hid_t ids[] = {writer->row,   writer->circumstances, writer->file,       writer->text,
                         writer->space, writer->scalar,        writer->properties, writer->transfer};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        close_id(ids[i]);
    return status;
}

enum status store_write(const char *path, const struct record *const *rows, size_t count,
                        const struct parameter_columns *parameters, const struct fact *facts, struct error *error)
{
    struct writer writer = {path, rows, count, parameters, -1, -1, -1, -1, -1, -1, -1, -1, error};
    enum status status;
#pragma omp critical(hdf5)
    status = write_file(&writer, facts);
    return status;
}

void store_init(void)
{
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}
