/* Files made to mislead the reader of results. The bytes do not go into a file as they are, because HDF5's own
 * mistakes with damaged files would drown ours: they drive HDF5 as it makes a file that departs from the schema in a
 * few places, which is then read in this process. Files that are damaged byte by byte are read in a child, as always.
 *
 *     how, rows, then for each departure: object, kind, parameter
 *
 * how: 1, read the sealed file too, as users do; 255: instead, offsets (two bytes each) and bytes to change there. */
#define _GNU_SOURCE /* memfd_create */
#include <hdf5.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/text.h"
#include "results/store_format.h"
#include "test/fuzz/fuzz.h"

enum { MOST_ROWS = 5, MOST_DEPARTURES = 8, LONG = 70000, SEALED = 1, DAMAGED = 255 };

struct input {
    const uint8_t *data;
    size_t size;
};

static unsigned next(struct input *input)
{
    if (input->size == 0)
        return 0;
    input->size--;
    return *input->data++;
}

struct departure {
    unsigned object, kind, parameter;
};

struct plan {
    unsigned rows;
    size_t count; /* of departures */
    struct departure departure[MOST_DEPARTURES];
};

/* Objects by number: the attributes, the spec's text, the group, the row scale, the columns. */
static const char *const attributes[] = {"format", "format_version", "spec_name", "commit", "host", "extra"};
enum { ATTRIBUTES = sizeof attributes / sizeof attributes[0], SPEC_TEXT = ATTRIBUTES, TIMINGS, ROW, COLUMNS };

static size_t object_count(void)
{
    size_t columns = 0;
    while (record_fields[columns].name != NULL)
        columns++;
    return COLUMNS + columns;
}

static struct departure departure_of(const struct plan *plan, unsigned object)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->departure[i].object == object)
            return plan->departure[i];
    return (struct departure){object, 0, 0};
}

struct maker {
    const struct plan *plan;
    hid_t file, circumstances, text, transfer;
};

/* Texts that are too long, of another encoding, empty, or no names. */
static const char *odd_text(unsigned parameter)
{
    static char longest[LONG + 1];
    static const char *const texts[] = {"",
                                        NULL,
                                        "\xff\xfe",
                                        "../../x",
                                        "a\nb",
                                        "'; system \"x",
                                        "<script>",
                                        "{a}^b_c",
                                        "caf\xc3\xa9",
                                        "\xe2\x80\xae"
                                        "x",
                                        ".hidden",
                                        "-x",
                                        "012345678901234567890123456789012345678901234567890123456789012",
                                        "0123456789012345678901234567890123456789012345678901234567890123"};
    enum { TEXTS = sizeof texts / sizeof texts[0] };
    memset(longest, 'x', LONG);
    return parameter % (TEXTS + 1) == TEXTS ? longest : texts[parameter % (TEXTS + 1)];
}

/* A type that is not what it should be; for close_id. */
static hid_t odd_type(unsigned parameter)
{
    hid_t type = H5I_INVALID_HID;
    switch (parameter % 12) {
    case 0:
        return H5Tcopy(H5T_IEEE_F32LE);
    case 1:
        return H5Tcopy(H5T_IEEE_F64BE);
    case 2:
        return H5Tcopy(H5T_STD_U64BE);
    case 3:
        return H5Tcopy(H5T_STD_I64LE);
    case 4:
        return H5Tcopy(H5T_STD_I8LE);
    case 5:
        return H5Tcopy(H5T_C_S1); /* strings of one byte */
    case 6:
        type = H5Tcopy(H5T_C_S1);
        (void)H5Tset_size(type, 100);
        return type;
    case 7:
        type = H5Tcopy(H5T_C_S1); /* as ours, in ASCII */
        (void)H5Tset_size(type, H5T_VARIABLE);
        return type;
    case 8:
        return H5Tvlen_create(H5T_NATIVE_INT);
    case 9:
        type = H5Tcreate(H5T_COMPOUND, 16);
        (void)H5Tinsert(type, "a", 0, H5T_NATIVE_DOUBLE);
        (void)H5Tinsert(type, "b", 8, H5T_NATIVE_DOUBLE);
        return type;
    case 10:
        return H5Tcopy(H5T_STD_REF_OBJ);
    default:
        return H5Tcreate(H5T_OPAQUE, 8);
    }
}

static hid_t odd_space(unsigned rows, unsigned parameter)
{
    const hsize_t shapes[][2] = {{rows + 1, 1}, {rows > 0 ? rows - 1 : 9, 1}, {0, 1},
                                 {1000, 1},     {(hsize_t)1 << 24, 1},        {(hsize_t)1 << 60, 1}};
    enum { SHAPES = sizeof shapes / sizeof shapes[0] };
    unsigned choice = parameter % (SHAPES + 4);
    if (choice < SHAPES)
        return H5Screate_simple(1, shapes[choice], NULL);
    const hsize_t flat[] = {rows, 1};
    return choice == SHAPES       ? H5Screate(H5S_SCALAR)
           : choice == SHAPES + 1 ? H5Screate(H5S_NULL)
           : choice == SHAPES + 2 ? H5Screate_simple(2, flat, NULL)
                                  : H5Screate_simple(1, flat, (const hsize_t[]){H5S_UNLIMITED});
}

enum layout { PLAIN, CHUNKED, EXTERNAL, COMPACT, EARLY, VIRTUAL, LAYOUTS };

static hid_t odd_layout(unsigned parameter, hid_t space)
{
    const hsize_t chunk[] = {2, 1};
    hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    switch ((enum layout)(parameter % LAYOUTS)) {
    case CHUNKED:
        (void)H5Pset_chunk(properties, H5Sget_simple_extent_ndims(space) == 2 ? 2 : 1, chunk);
        break;
    case EXTERNAL:
        (void)H5Pset_external(properties, "/dev/zero", 0, 4096);
        break;
    case COMPACT:
        (void)H5Pset_layout(properties, H5D_COMPACT);
        break;
    case EARLY:
        (void)H5Pset_alloc_time(properties, H5D_ALLOC_TIME_EARLY);
        break;
    case VIRTUAL:
        (void)H5Pset_virtual(properties, space, ".", "tv", space);
        break;
    default:
        break;
    }
    return properties;
}

enum kind { NOTHING, MISSING, TYPE, SPACE, LAYOUT, SOFT, ELSEWHERE, HARD, GROUP, NAMED_TYPE, CONTENT, KINDS };

/* Something else by the name of a dataset. Returns 0 if the kind is of a dataset. */
static int put_other(hid_t parent, const char *name, struct departure departure)
{
    hid_t made = H5I_INVALID_HID;
    switch ((enum kind)(departure.kind % KINDS)) {
    case MISSING:
        return 1;
    case SOFT:
        (void)H5Lcreate_soft(departure.parameter % 2 ? "/row" : name, parent, name, H5P_DEFAULT, H5P_DEFAULT);
        return 1;
    case ELSEWHERE:
        (void)H5Lcreate_external(departure.parameter % 2 ? "/dev/zero" : ".", "/row", parent, name, H5P_DEFAULT,
                                 H5P_DEFAULT);
        return 1;
    case HARD:
        (void)H5Lcreate_hard(parent, departure.parameter % 2 ? "/row" : "/", parent, name, H5P_DEFAULT, H5P_DEFAULT);
        return 1;
    case GROUP:
        made = H5Gcreate2(parent, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        close_id(made);
        return 1;
    case NAMED_TYPE:
        made = H5Tcopy(H5T_NATIVE_DOUBLE);
        (void)H5Tcommit2(parent, name, made, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        close_id(made);
        return 1;
    default:
        return 0;
    }
}

/* What a column holds where it does not depart. */
static void fill_cells(const struct field *field, unsigned rows, char cells[MOST_ROWS][CELL])
{
    static const char name[] = "name";
    const char *text = name;
    for (unsigned i = 0; i < rows; i++) {
        double real = 0.5 * i;
        uint64_t count = i;
        memcpy(cells[i],
               field->type == FIELD_STRING  ? (const void *)&text
               : field->type == FIELD_COUNT ? (const void *)&count
                                            : (const void *)&real,
               CELL);
    }
}

static void put_dataset(const struct maker *maker, unsigned object, hid_t parent, const struct field *field,
                        unsigned rows, int scalar)
{
    struct departure departure = departure_of(maker->plan, object);
    enum kind kind = (enum kind)(departure.kind % KINDS);
    const hsize_t length[] = {rows};
    const char *text = odd_text(departure.parameter);
    char cells[MOST_ROWS][CELL] = {{0}};
    if (put_other(parent, field->name, departure))
        return;
    hid_t memory = H5Tcopy(cell_type(field->type, maker->text));
    hid_t type = kind == TYPE ? odd_type(departure.parameter) : H5Tcopy(memory);
    hid_t space = kind == SPACE ? odd_space(rows, departure.parameter)
                  : scalar      ? H5Screate(H5S_SCALAR)
                                : H5Screate_simple(1, length, NULL);
    hid_t properties = kind == LAYOUT ? odd_layout(departure.parameter, space) : H5Pcreate(H5P_DATASET_CREATE);
    hid_t dataset = H5Dcreate2(parent, field->name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    fill_cells(field, scalar ? 1 : rows, cells);
    if (kind == CONTENT && field->type == FIELD_STRING && rows > 0)
        memcpy(cells[departure.parameter / 16 % rows], &text, sizeof text);
    /* Other lengths are left as HDF5 makes them: without a place in the file, or zeros. What is mapped on itself
     * cannot be written. */
    if (kind != SPACE && !(kind == LAYOUT && departure.parameter % LAYOUTS == VIRTUAL))
        (void)H5Dwrite(dataset, memory, H5S_ALL, H5S_ALL, maker->transfer, cells);
    const hid_t ids[] = {dataset, properties, space, type, memory};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        close_id(ids[i]);
}

static void put_attribute(const struct maker *maker, unsigned object, const char *name, hid_t type, const void *value)
{
    struct departure departure = departure_of(maker->plan, object);
    enum kind kind = (enum kind)(departure.kind % KINDS);
    const char *text = odd_text(departure.parameter);
    int number = (int)departure.parameter - 128;
    char zeros[128] = {0};
    if (kind == MISSING)
        return;
    if (kind == HARD) /* a name that is none */
        name = departure.parameter % 2 ? "a\nb: <script>" : "\xff";
    hid_t stored = kind == TYPE ? odd_type(departure.parameter) : H5Tcopy(type);
    hid_t space = kind == SPACE ? odd_space(2, departure.parameter) : H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate2(maker->file, name, stored, space, H5P_DEFAULT, H5P_DEFAULT);
    if (kind == CONTENT)
        value = type == maker->text ? (const void *)&text : (const void *)&number;
    if (kind == TYPE)
        value = zeros;
    if (kind != SPACE)
        (void)H5Awrite(attribute, stored, value);
    const hid_t ids[] = {attribute, space, stored};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        close_id(ids[i]);
}

static void put_attributes(const struct maker *maker)
{
    const char *const texts[ATTRIBUTES] = {FORMAT, NULL, "name", "", "host", "more"};
    int version = FORMAT_VERSION;
    for (unsigned i = 0; i < ATTRIBUTES; i++)
        if (texts[i] == NULL)
            put_attribute(maker, i, attributes[i], H5T_NATIVE_INT, &version);
        else
            put_attribute(maker, i, attributes[i], maker->text, &texts[i]);
}

static void put_circumstances(struct maker *maker)
{
    struct departure departure = departure_of(maker->plan, TIMINGS);
    if (!put_other(maker->file, CIRCUMSTANCES, departure))
        maker->circumstances = H5Gcreate2(maker->file, CIRCUMSTANCES, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    else
        maker->circumstances = H5Gopen2(maker->file, CIRCUMSTANCES, H5P_DEFAULT); /* fails where it is no group */
}

/* The content of a file; for free(). Length 0 if HDF5 could not make it. */
static struct bytes make(const struct plan *plan)
{
    static const struct field spec_text = {"spec_text", FIELD_STRING, 0, 0, "", "", 0, 0};
    struct maker maker = {plan, -1, -1, text_type(), H5Pcreate(H5P_DATASET_XFER)};
    struct bytes content = {NULL, 0};
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    (void)H5Pset_buffer(maker.transfer, 4096, NULL, NULL); /* a million bytes would take longer than all the rest */
    (void)H5Pset_fapl_core(access, CORE_STEP, 0);
    maker.file = H5Fcreate(NO_FILE, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    close_id(access);
    REQUIRE(maker.file >= 0, "HDF5 makes no file");
    put_attributes(&maker);
    put_dataset(&maker, SPEC_TEXT, maker.file, &spec_text, 1, 1);
    put_dataset(&maker, ROW, maker.file, &row_field, plan->rows, 0);
    put_circumstances(&maker);
    for (unsigned i = 0; record_fields[i].name != NULL; i++)
        put_dataset(&maker, COLUMNS + i, record_fields[i].role == COLUMN_TIMING ? maker.circumstances : maker.file,
                    &record_fields[i], plan->rows, 0);
    ssize_t length = H5Fflush(maker.file, H5F_SCOPE_GLOBAL) < 0 ? -1 : H5Fget_file_image(maker.file, NULL, 0);
    if (length > 0) {
        content = (struct bytes){array_new((size_t)length + SEAL_LENGTH + 1, 1), (size_t)length};
        REQUIRE(content.data != NULL, "no memory");
        REQUIRE(H5Fget_file_image(maker.file, content.data, (size_t)length) == length, "no image");
    }
    close_id(maker.circumstances);
    close_id(maker.text);
    close_id(maker.transfer);
    close_id(maker.file);
    return content;
}

static void check_error(const struct error *error)
{
    REQUIRE(error->status == STATUS_IO, "status %d", (int)error->status);
    REQUIRE(error->text[0] != '\0' && strchr(error->text, '\n') == NULL, "%s", error->text);
}

static void check_result(const struct plan *plan, const struct result *result)
{
    struct result texts = *result;
    for (size_t i = 0; i < RESULT_TEXTS; i++)
        REQUIRE(*result_text(&texts, i) != NULL, "text %zu is missing", i);
    REQUIRE(result->count <= MOST_ROWS, "%zu rows", result->count);
    for (size_t i = 0; i < result->count; i++)
        for (const struct field *field = record_fields; field->name != NULL; field++)
            if (field->type == FIELD_STRING)
                REQUIRE(memchr((const char *)&result->rows[i] + field->offset, '\0', LABEL_SIZE) != NULL, "%s",
                        field->name);
    if (plan->count > 0)
        return;
    REQUIRE(result->count == plan->rows, "%zu rows instead of %u", result->count, plan->rows);
    REQUIRE(strcmp(result->spec_name, "name") == 0
                && strcmp(result->provenance, "commit: \nextra: more\nhost: host\n") == 0,
            "%s", result->provenance);
}

/* Through a file in memory, which the reader opens by its path. The content has room for the seal. */
static void read_sealed(struct bytes *content, int must_be_good)
{
    char path[64];
    struct result result;
    struct error error = {STATUS_OK, ""};
    char seal[SEAL_LENGTH + 1];
    make_seal(content->data, content->length, seal);
    memcpy(content->data + content->length, seal, SEAL_LENGTH);
    int file = memfd_create("result", MFD_CLOEXEC);
    REQUIRE(file >= 0 && write(file, content->data, content->length + SEAL_LENGTH) >= 0, "no file");
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (store_read(path, &result, &error) != STATUS_OK) {
        check_error(&error);
        REQUIRE(!must_be_good, "%s", error.text);
    } else {
        for (size_t i = 0; i < result.count; i++)
            REQUIRE(text_is_name(result.rows[i].target) && text_is_name(result.rows[i].sampler), "row %zu", i);
        result_free(&result);
    }
    (void)close(file);
}

static void damage(struct input *input)
{
    const struct plan plan = {.rows = 3};
    struct bytes content = make(&plan);
    while (input->size > 0) {
        size_t offset = next(input);
        offset = (offset << 8 | next(input)) % content.length;
        content.data[offset] = (char)next(input);
    }
    read_sealed(&content, 0);
    free(content.data);
}

void fuzz_result(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    unsigned how = next(&input);
    struct plan plan = {.rows = next(&input) % (MOST_ROWS + 1)};
    struct result result;
    struct error error = {STATUS_OK, ""};
    store_init();
    (void)H5set_free_list_limits(-1, -1, -1, -1, -1, -1); /* memory for the next file */
    if (how == DAMAGED) {
        damage(&input);
        return;
    }
    while (input.size > 0 && plan.count < MOST_DEPARTURES) {
        unsigned object = next(&input) % (unsigned)object_count(), kind = next(&input), parameter = next(&input);
        plan.departure[plan.count++] = (struct departure){object, kind, parameter};
    }
    struct bytes content = make(&plan);
    enum status status = content.length > 0 ? store_parse("fuzz.h5", &content, &result, &error) : STATUS_IO;
    REQUIRE(plan.count > 0 || status == STATUS_OK, "%s", error.text);
    if (status == STATUS_OK)
        check_result(&plan, &result);
    else if (content.length > 0)
        check_error(&error);
    REQUIRE(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL) == 0, "HDF5 objects are left open");
    if (content.length > 0 && how == SEALED)
        read_sealed(&content, plan.count == 0);
    if (status == STATUS_OK)
        result_free(&result);
    free(content.data);
}
