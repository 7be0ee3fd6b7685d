/* Numbers from a file that an experiment names: text, a .npy file, or a dataset of an HDF5 file. */
#include <errno.h>
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "experiment/spec_reader.h"

enum { MOST_NUMBERS = 10000 /* in a list */ };

/* [numbers] What a number of a table takes at least: with the experiment, in a target's factors, and, for each
 * thread, in chains at two noise levels. */
#define TABLE_COPIES 4.0

/* What is asked of a file. */
struct request {
    bool is_table; /* rows of equally many numbers; else a list of them, in which rows mean nothing */
    double memory; /* bytes that a table may need in all its copies */
};

/* What was found; columns 0 where nothing says. */
struct found {
    struct file_numbers numbers;
    size_t columns;
};

static enum status check_size(const struct request *request, const char *place, double count, struct error *error)
{
    double most = request->is_table ? REGISTRY_MOST_NUMBERS : MOST_NUMBERS, bytes = 8.0 * TABLE_COPIES * count;
    if (count > most)
        return fail_with(error, STATUS_INVALID, "%s: found more than %.0f numbers", place, most);
    if (request->is_table && bytes > request->memory)
        return fail_with(
            error, STATUS_INVALID,
            "%s: found %.3g numbers, for which chains need %.2g GB or more, expected at most the %.2g GB of this "
            "machine",
            place, count, 1e-9 * bytes, 1e-9 * request->memory);
    return STATUS_OK;
}

/* ---- Text. ---- */

/* A place in a text, and the line being read. */
struct cursor {
    const char *file, *at, *line_start;
    size_t line, in_line;   /* its number; how many numbers it has so far */
    size_t first, capacity; /* the line that says how many numbers each has; room for numbers */
    bool empty;             /* nothing stands between here and the comma or the start of the line before */
};

static enum status refuse(const struct cursor *c, const char *expected, struct error *error)
{
    enum { SHOWN = 40 };
    const bool at_end = *c->at == '\n' || *c->at == '\r' || *c->at == '\0';
    const char *found = at_end ? "the end of the line" : c->at, *quote = at_end ? "" : "'";
    int length = (int)(at_end ? strlen(found) : strcspn(found, " \t\r\n,"));
    length = length == 0 ? 1 : length < SHOWN ? length : SHOWN;
    return fail_with(error, STATUS_INVALID, "%s:%zu:%zu: expected %s, found %s%.*s%s", c->file, c->line,
                     (size_t)(c->at - c->line_start) + 1, expected, quote, length, found, quote);
}

static enum status read_number(struct cursor *c, const struct request *request, struct found *out,
                               struct error *error)
{
    char *end = NULL;
    double value = strtod(c->at, &end);
    if (end == c->at || !isfinite(value) || (*end != '\0' && strchr(" \t\r\n,#", *end) == NULL))
        return refuse(c,
                      request->is_table && out->numbers.count == 0 ? "a number (a line of names must begin with #)"
                                                                   : "a number",
                      error);
    struct file_numbers *numbers = &out->numbers;
    if (numbers->count == c->capacity) {
        char place[LONGEST_PATH + 32];
        (void)snprintf(place, sizeof place, "%s:%zu", c->file, c->line);
        TRY(check_size(request, place, (double)numbers->count + 1.0, error));
    }
    double *grown = array_reserve(numbers->value, &c->capacity, numbers->count + 1, sizeof *grown);
    if (grown == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for the numbers of %s", c->file);
    numbers->value = grown;
    grown[numbers->count++] = value;
    c->at = end;
    c->in_line++;
    c->empty = false;
    return STATUS_OK;
}

/* The end of a line, at which a table's row must be complete. */
static enum status end_line(struct cursor *c, const struct request *request, struct found *out, struct error *error)
{
    if (request->is_table && c->in_line > 0) {
        if (c->empty)
            return refuse(c, "a number after the comma", error);
        out->columns = out->columns > 0 ? out->columns : c->in_line;
        c->first = c->first > 0 ? c->first : c->line;
        if (c->in_line != out->columns)
            return fail_with(error, STATUS_INVALID,
                             "%s:%zu:%zu: found a row of %zu numbers, expected %zu as in line %zu", c->file, c->line,
                             (size_t)(c->at - c->line_start) + 1, c->in_line, out->columns, c->first);
    }
    c->in_line = 0;
    c->empty = true;
    return STATUS_OK;
}

/* Numbers between blanks, commas and line breaks; '#' starts a comment. Spreadsheets begin with a byte order mark. */
static enum status parse_text(const char *file, const char *text, const struct request *request, struct found *out,
                              struct error *error)
{
    static const char byte_order_mark[] = "\xEF\xBB\xBF";
    if (strncmp(text, byte_order_mark, strlen(byte_order_mark)) == 0)
        text += strlen(byte_order_mark);
    struct cursor c = {.file = file, .at = text, .line_start = text, .line = 1, .empty = true};
    while (*c.at != '\0') {
        if (*c.at == '#') {
            c.at += strcspn(c.at, "\n");
        } else if (*c.at == '\n') {
            TRY(end_line(&c, request, out, error));
            c.line_start = ++c.at;
            c.line++;
        } else if (*c.at == ',') {
            if (request->is_table && c.empty)
                return refuse(&c, "a number", error);
            c.empty = true;
            c.at++;
        } else if (strchr(" \t\r", *c.at) != NULL) {
            c.at++;
        } else {
            TRY(read_number(&c, request, out, error));
        }
    }
    TRY(end_line(&c, request, out, error));
    return check_size(request, file, (double)out->numbers.count, error);
}

/* ---- .npy, as numpy.lib.format describes it. ---- */

#define NPY_MAGIC "\x93NUMPY"
enum { NPY_MAGIC_LENGTH = 6 };

static size_t little_endian(const char *data, size_t bytes)
{
    size_t value = 0;
    for (size_t i = bytes; i-- > 0;)
        value = value << 8 | (unsigned char)data[i];
    return value;
}

/* (N,) or (N, d): 0 for anything else. */
static int npy_shape(const char *header, unsigned long long shape[2])
{
    const char *at = strstr(header, "'shape': (");
    int end = 0;
    shape[1] = 1;
    return at != NULL
           && ((sscanf(at, "'shape': (%18llu,)%n", &shape[0], &end) == 1 && end > 0)
               || (sscanf(at, "'shape': (%18llu, %18llu)%n", &shape[0], &shape[1], &end) == 2 && end > 0));
}

static enum status parse_npy(const char *file, const struct bytes *bytes, const struct request *request,
                             struct found *out, struct error *error)
{
    const size_t length_bytes = bytes->length > 6 && bytes->data[6] == 1 ? 2 : 4, start = 8 + length_bytes;
    const size_t length = bytes->length >= start ? little_endian(bytes->data + 8, length_bytes) : SIZE_MAX;
    char header[1024];
    unsigned long long shape[2];
    if (length > sizeof header - 1 || bytes->length - start < length)
        return fail_with(error, STATUS_INVALID, "%s: its .npy header is cut off, or longer than %zu bytes", file,
                         sizeof header - 1);
    memcpy(header, bytes->data + start, length);
    header[length] = '\0';
    const bool is_double = strstr(header, "'descr': '<f8'") != NULL,
               is_float = strstr(header, "'descr': '<f4'") != NULL;
    const size_t size = is_double ? sizeof(double) : sizeof(float);
    if ((!is_double && !is_float) || strstr(header, "'fortran_order': False") == NULL || !npy_shape(header, shape))
        return fail_with(error, STATUS_INVALID,
                         "%s: expected an array of one or two axes of float64 or float32 numbers in C order "
                         "(numpy.save of numpy.ascontiguousarray(x, dtype=\"f8\")), found %.*s",
                         file, (int)(strrchr(header, '}') != NULL ? strrchr(header, '}') + 1 - header : 0), header);
    TRY(check_size(request, file, (double)shape[0] * (double)shape[1], error));
    const size_t count = (size_t)(shape[0] * shape[1]);
    const char *data = bytes->data + start + length;
    if (bytes->length - start - length < count * size)
        return fail_with(error, STATUS_INVALID, "%s: its numbers are cut off, expected %llu x %llu", file, shape[0],
                         shape[1]);
    out->numbers = (struct file_numbers){count, array_new(count, sizeof(double))};
    out->columns = (size_t)shape[1];
    if (out->numbers.value == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for the numbers of %s", file);
    for (size_t i = 0; i < count; i++) {
        float single = 0.0f;
        if (is_double)
            memcpy(&out->numbers.value[i], data + i * size, size);
        else
            memcpy(&single, data + i * size, size);
        out->numbers.value[i] = is_double ? out->numbers.value[i] : (double)single;
    }
    return STATUS_OK;
}

/* ---- HDF5. ---- */

/* A list is one row, or pairs. */
static enum status parse_hdf5(const char *file, const char *dataset, const struct request *request, struct found *out,
                              struct error *error)
{
    hid_t open = -1, set = -1, space = -1;
    bool opened = false, there = false;
    hsize_t size[2] = {0, 1};
    herr_t read = -1;
    struct file_numbers *numbers = &out->numbers;
    enum status status = STATUS_OK;
    H5E_BEGIN_TRY
    {
        open = H5Fopen(file, H5F_ACC_RDONLY, H5P_DEFAULT);
        set = open >= 0 ? H5Dopen2(open, dataset, H5P_DEFAULT) : -1;
        space = set >= 0 ? H5Dget_space(set) : -1;
        opened = open >= 0;
        there = set >= 0;
        int axes = space >= 0 ? H5Sget_simple_extent_ndims(space) : 0;
        bool fits = (axes == 1 || axes == 2) && H5Sget_simple_extent_dims(space, size, NULL) == axes
                    && (request->is_table || axes == 1 || size[1] == 2) && size[0] > 0 && size[1] > 0;
        if (fits)
            status = check_size(request, file, (double)size[0] * (double)size[1], error);
        if (fits && status == STATUS_OK) {
            *numbers = (struct file_numbers){(size_t)(size[0] * size[1]), NULL};
            numbers->value = array_new(numbers->count, sizeof(double));
            out->columns = (size_t)size[1];
        }
        if (numbers->value != NULL)
            read = H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers->value);
        (void)(space >= 0 && H5Sclose(space));
        (void)(set >= 0 && H5Dclose(set));
        (void)(open >= 0 && H5Fclose(open));
    }
    H5E_END_TRY
    if (status != STATUS_OK || read >= 0)
        return status;
    if (access(file, R_OK) != 0)
        return fail_with(error, STATUS_INVALID, "cannot open %s: %s", file, strerror(errno));
    if (!opened)
        return fail_with(error, STATUS_INVALID, "%s is no HDF5 file, which FILE:DATASET expects", file);
    return fail_with(error, STATUS_INVALID, there ? "%s: dataset '%s' does not hold %s" : "%s: no dataset '%s' of %s",
                     file, dataset,
                     request->is_table ? "numbers in one or two dimensions"
                                       : "1 to 10000 numbers in one dimension, or in pairs");
}

/* ---- All of them. ---- */

static enum status check_numbers(const char *file, const struct request *request, const struct found *found,
                                 struct error *error)
{
    const size_t columns = found->columns > 0 ? found->columns : 1;
    if (request->is_table && found->numbers.count == 0)
        return fail_with(error, STATUS_INVALID, "%s: found no numbers", file);
    for (size_t i = 0; i < found->numbers.count; i++)
        if (!isfinite(found->numbers.value[i]))
            return fail_with(error, STATUS_INVALID, "%s: found %g in row %zu, column %zu, expected a finite number",
                             file, found->numbers.value[i], i / columns + 1, i % columns + 1);
    return STATUS_OK;
}

/* FILE, or FILE:DATASET of an HDF5 file. */
static enum status load(char *file, const struct request *request, struct found *out, struct error *error)
{
    char *colon = strrchr(file, ':');
    struct bytes bytes = {NULL, 0};
    enum status status;
    if (colon != NULL) {
        *colon = '\0';
        TRY_OR(end, parse_hdf5(file, colon + 1, request, out, error));
    } else {
        TRY_OR(end, file_load(file, &bytes, error));
        if (bytes.length >= NPY_MAGIC_LENGTH && memcmp(bytes.data, NPY_MAGIC, NPY_MAGIC_LENGTH) == 0)
            TRY_OR(end, parse_npy(file, &bytes, request, out, error));
        else if (strlen(bytes.data) != bytes.length)
            TRY_OR(end, fail_with(error, STATUS_INVALID,
                                  "%s is not a text; the dataset of an HDF5 file is FILE:DATASET", file));
        else
            TRY_OR(end, parse_text(file, bytes.data, request, out, error));
    }
    status = check_numbers(file, request, out, error);
end:
    free(bytes.data);
    return status;
}

/* From the registry, or, of an experiment's own file, into it. NULL: refused. */
static const struct number_file *find(struct loader *l, const yaml_node_t *node, bool is_table)
{
    const char *path = doc_text(&l->doc, node, LONGEST_PATH, "path of a file");
    struct registry *registry = &l->spec->registry;
    struct error reason = {STATUS_OK, ""};
    struct found found = {{0, NULL}, 0};
    if (l->doc.status != STATUS_OK)
        return NULL;
    if (registry_file(registry, path, is_table) == NULL && l->loads) {
        char *file = path_beside(l, path);
        enum status status = file != NULL ? load(file, &(struct request){is_table, l->memory}, &found, &reason)
                                          : fail_with(&reason, STATUS_MEMORY, "out of memory");
        free(file);
        if (status == STATUS_OK)
            status = registry_add_file(registry, path, found.numbers, is_table ? found.columns : 0, &reason);
        else
            free(found.numbers.value);
        if (status != STATUS_OK)
            doc_refuse(&l->doc, node->start_mark, "%s", reason.text);
    }
    const struct number_file *known = registry_file(registry, path, is_table);
    if (l->doc.status == STATUS_OK && known == NULL)
        doc_refuse(
            &l->doc, node->start_mark,
            "nothing is known of this file, expected its numbers beside the text; only an experiment's own file "
            "reads others");
    return l->doc.status == STATUS_OK ? known : NULL;
}

void read_number_table(struct loader *l, const yaml_node_t *node, struct number_table *out)
{
    const struct number_file *file = find(l, node, true);
    if (file != NULL)
        *out = file->table;
}

void read_file_numbers(struct loader *l, const yaml_node_t *node, struct file_numbers *out)
{
    const struct number_file *file = find(l, node, false);
    if (file == NULL)
        return;
    *out = (struct file_numbers){file->numbers.count, array_new(file->numbers.count, sizeof(double))};
    if (out->value == NULL) {
        out->count = 0;
        doc_refuse(&l->doc, node->start_mark, "out of memory for %zu numbers", file->numbers.count);
    } else if (out->count > 0)
        memcpy(out->value, file->numbers.value, out->count * sizeof *out->value);
}
