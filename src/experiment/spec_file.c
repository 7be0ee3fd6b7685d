/* Numbers from a file that an experiment names: text, or a dataset of an HDF5 file. */
#include <errno.h>
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "experiment/spec_reader.h"

enum { MOST_NUMBERS = 10000 };

/* Numbers between blanks, commas and line breaks; '#' starts a comment. */
static enum status parse_text(const char *file, char *text, struct file_numbers *out, struct error *error)
{
    static const char blanks[] = " \t\r\n,";
    size_t line = 1, room = 0;
    for (char *at = text; *at != '\0';) {
        char *end = at;
        double value = strtod(at, &end);
        if (*at == '#') {
            at += strcspn(at, "\n");
        } else if (strchr(blanks, *at) != NULL) {
            line += *at++ == '\n';
        } else {
            if (end == at || !isfinite(value) || (*end != '\0' && *end != '#' && strchr(blanks, *end) == NULL))
                return fail_with(error, STATUS_INVALID, "%s:%zu: expected a number, found '%.*s'", file, line,
                                 (int)strcspn(at, blanks) < 40 ? (int)strcspn(at, blanks) : 40, at);
            double *grown =
                out->count < MOST_NUMBERS ? array_reserve(out->value, &room, out->count + 1, sizeof *grown) : NULL;
            if (grown == NULL)
                return fail_with(error, STATUS_INVALID, "%s:%zu: found more than %d numbers", file, line,
                                 MOST_NUMBERS);
            out->value = grown;
            out->value[out->count++] = value;
            at = end;
        }
    }
    return STATUS_OK;
}

static enum status parse_hdf5(const char *file, const char *dataset, struct file_numbers *out, struct error *error)
{
    hid_t open = -1, set = -1, space = -1;
    hsize_t size[2] = {0, 2};
    hssize_t count = -1;
    herr_t read = -1;
    H5E_BEGIN_TRY
    {
        open = H5Fopen(file, H5F_ACC_RDONLY, H5P_DEFAULT);
        set = open >= 0 ? H5Dopen2(open, dataset, H5P_DEFAULT) : -1;
        space = set >= 0 ? H5Dget_space(set) : -1;
        int axes = space >= 0 ? H5Sget_simple_extent_ndims(space) : 0;
        if (axes == 1 || (axes == 2 && H5Sget_simple_extent_dims(space, size, NULL) == 2 && size[1] == 2))
            count = H5Sget_simple_extent_npoints(space);
        if (count > 0 && count <= MOST_NUMBERS && (out->value = array_new((size_t)count, sizeof(double))) != NULL)
            read = H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, out->value);
        (void)(space >= 0 && H5Sclose(space));
        (void)(set >= 0 && H5Dclose(set));
        (void)(open >= 0 && H5Fclose(open));
    }
    H5E_END_TRY
    if (read < 0)
        return fail_with(error, STATUS_INVALID,
                         "%s: no dataset '%s' of 1 to %d numbers in one dimension, or in pairs", file, dataset,
                         MOST_NUMBERS);
    out->count = (size_t)count;
    return STATUS_OK;
}

/* FILE, or FILE:DATASET of an HDF5 file. */
static enum status load(char *file, struct file_numbers *out, struct error *error)
{
    char *colon = strrchr(file, ':');
    struct bytes bytes = {NULL, 0};
    if (colon != NULL) {
        *colon = '\0';
        return parse_hdf5(file, colon + 1, out, error);
    }
    enum status status = file_load(file, &bytes, error);
    if (status == STATUS_OK && strlen(bytes.data) != bytes.length)
        status =
            fail_with(error, STATUS_INVALID, "%s is not a text; the dataset of an HDF5 file is FILE:DATASET", file);
    if (status == STATUS_OK)
        status = parse_text(file, bytes.data, out, error);
    free(bytes.data);
    return status;
}

void read_file_numbers(struct loader *l, const yaml_node_t *node, struct file_numbers *out)
{
    const char *path = doc_text(&l->doc, node, LONGEST_PATH, "path of a file");
    struct registry *registry = &l->spec->registry;
    struct error reason = {STATUS_OK, ""};
    struct file_numbers found = {0};
    if (l->doc.status != STATUS_OK)
        return;
    if (registry_file(registry, path) == NULL && l->loads) {
        char *file = path_beside(l, path);
        enum status status =
            file != NULL ? load(file, &found, &reason) : fail_with(&reason, STATUS_MEMORY, "out of memory");
        if (status == STATUS_OK)
            status = registry_add_file(registry, path, &found, &reason);
        free(file);
        free(found.value);
        if (status != STATUS_OK)
            doc_refuse(&l->doc, node->start_mark, "%s", reason.text);
    }
    const struct file_numbers *numbers = registry_file(registry, path);
    if (l->doc.status == STATUS_OK && numbers == NULL)
        doc_refuse(
            &l->doc, node->start_mark,
            "nothing is known of this file, expected its numbers beside the text; only an experiment's own file "
            "reads others");
    double *value = numbers != NULL ? array_new(numbers->count, sizeof *value) : NULL;
    if (numbers != NULL && value == NULL)
        doc_refuse(&l->doc, node->start_mark, "out of memory for %zu numbers", numbers->count);
    if (value != NULL) {
        memcpy(value, numbers->value, numbers->count * sizeof *value);
        *out = (struct file_numbers){numbers->count, value};
    }
}
