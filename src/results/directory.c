#include "results/directory.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "results/cell_file.h"

#define SPEC_FILE "spec.yaml"

/* The first line of spec.yaml; the author's text follows, behind the lines on plug-ins, if there are any. */
#define HEADER "# Results of diffrate %s (numerics %d), experiment %s; the cells here belong to "
#define HEADER_PATTERN "# Results of diffrate %63s (numerics %d), experiment %63[A-Za-z0-9._-]"
#define HEADER_PLUGINS "the next %zu lines, of plug-ins, and "
#define HEADER_END "the text below.\n"
#define PLUGIN_LINE "# "

static enum status join(char out[DIRECTORY_PATH_SIZE], const char *directory, const char *name, const char *ending,
                        struct error *error)
{
    if ((size_t)snprintf(out, DIRECTORY_PATH_SIZE, "%s/%s%s", directory, name, ending) < DIRECTORY_PATH_SIZE)
        return STATUS_OK;
    return fail_with(error, STATUS_IO, "the path %.200s.../%s%s is too long", directory, name, ending);
}

enum status directory_cell(const char *path, const struct cell *cell, char out[DIRECTORY_PATH_SIZE],
                           struct error *error)
{
    char name[CELL_KEY_SIZE + 8] = "cells/";
    TRY(cell_key(cell, name + strlen(name), error));
    return join(out, path, name, CELL_FILE_ENDING, error);
}

enum status directory_merged(const char *path, const struct spec *spec, char out[DIRECTORY_PATH_SIZE],
                             struct error *error)
{
    return join(out, path, spec->name, ".h5", error);
}

/* What a directory may hold that becomes ours: the files that several processes make at once as they start, logs of
 * those who started them, and pictures of densities. */
static int is_foreign(const char *name)
{
    return strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strncmp(name, SPEC_FILE, strlen(SPEC_FILE)) != 0
           && strcmp(name, "cells") != 0 && strcmp(name, "logs") != 0
           && strncmp(name, "density-", strlen("density-")) != 0;
}

static enum status check_is_free(const char *path, struct error *error)
{
    enum status status = STATUS_OK;
    DIR *directory = opendir(path);
    if (directory == NULL)
        return fail_with(error, STATUS_IO, "cannot read directory %s: %s", path, strerror(errno));
    for (struct dirent *entry; status == STATUS_OK && (entry = readdir(directory)) != NULL;)
        if (is_foreign(entry->d_name))
            status =
                fail_with(error, STATUS_IO,
                          "%s holds %s but no " SPEC_FILE
                          ", so it is not a results directory of this version; choose another with -o, or --adopt it",
                          path, entry->d_name);
    (void)closedir(directory);
    return status;
}

static size_t count_lines(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += *text == '\n';
    return count;
}

/* The text of spec.yaml, for free(); empty in *out if memory runs out. */
static struct bytes make_text(const struct spec *spec, const char *version)
{
    struct bytes out = {NULL, 0};
    FILE *stream = open_memstream(&out.data, &out.length);
    if (stream == NULL)
        return (struct bytes){NULL, 0};
    fprintf(stream, HEADER, version, NUMERICS_VERSION, spec->name);
    if (spec->plugins[0] != '\0')
        fprintf(stream, HEADER_PLUGINS, count_lines(spec->plugins));
    fputs(HEADER_END, stream);
    for (const char *line = spec->plugins; *line != '\0'; line += strcspn(line, "\n") + 1)
        fprintf(stream, PLUGIN_LINE "%.*s\n", (int)strcspn(line, "\n"), line);
    fputs(spec->text, stream);
    if (fclose(stream) == 0)
        return out;
    free(out.data);
    return (struct bytes){NULL, 0};
}

struct header {
    char version[64], name[64];
    int numerics;
    size_t plugin_lines;
    const char *rest; /* of the text: the lines on plug-ins and the author's */
};

static enum status read_header(const char *file, const struct bytes *text, struct header *out, struct error *error)
{
    const char *end = strchr(text->data, '\n');
    *out = (struct header){.rest = end != NULL ? end + 1 : NULL};
    int found = sscanf(text->data, HEADER_PATTERN "; the cells here belong to " HEADER_PLUGINS, out->version,
                       &out->numerics, out->name, &out->plugin_lines);
    if (found >= 3 && end != NULL)
        return STATUS_OK;
    return fail_with(error, STATUS_IO,
                     "%s does not begin as diffrate writes it; the results beside it cannot be used", file);
}

static enum status no_memory(const char *file, struct error *error)
{
    return fail_with(error, STATUS_MEMORY, "out of memory for the text of %s", file);
}

/* The lines on plug-ins without what makes them comments, for free(), and in *own the author's text. NULL where
 * memory runs out. */
static char *take_plugins(const struct header *header, const char **own)
{
    char *plugins = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&plugins, &size);
    *own = header->rest;
    for (size_t i = 0; stream != NULL && i < header->plugin_lines && **own != '\0'; i++) {
        size_t length = strcspn(*own, "\n"), mark = strncmp(*own, PLUGIN_LINE, 2) == 0 ? 2 : 0;
        fprintf(stream, "%.*s\n", (int)(length - mark), *own + mark);
        *own += length + ((*own)[length] == '\n');
    }
    if (stream != NULL && fclose(stream) == 0)
        return plugins;
    free(plugins);
    return NULL;
}

static int is_this_version(const struct header *header, const char *version)
{
    return strcmp(header->version, version) == 0 && header->numerics == NUMERICS_VERSION;
}

static int same_own_text(const struct header *found, const struct bytes *ours)
{
    const char *text[2];
    struct header header = {.rest = ours->data};
    struct error ignored;
    int same = read_header("", ours, &header, &ignored) == STATUS_OK;
    char *plugins[2] = {take_plugins(found, &text[0]), take_plugins(&header, &text[1])};
    same = same && strcmp(text[0], text[1]) == 0;
    free(plugins[0]);
    free(plugins[1]);
    return same;
}

/* Whose the directory is, if not this spec's. */
static enum status check_owner(const char *path, const char *file, const struct bytes *found,
                               const struct bytes *ours, const char *version, struct error *error)
{
    struct header header;
    if (found->length == ours->length && memcmp(found->data, ours->data, ours->length) == 0)
        return STATUS_OK;
    TRY(read_header(file, found, &header, error));
    if (!is_this_version(&header, version))
        return fail_with(
            error, STATUS_IO,
            "%s holds results of diffrate %s (numerics %d), and this is %s (numerics %d); choose another "
            "directory with -o, or --adopt it",
            path, header.version, header.numerics, version, NUMERICS_VERSION);
    return fail_with(error, STATUS_IO,
                     "%s holds results of %s, %s; choose another directory with -o, or --adopt it and keep "
                     "the cells that both have",
                     path,
                     same_own_text(&header, ours)
                         ? "other builds of the plug-ins, or other numbers in files that it names,"
                         : "another spec",
                     file);
}

static enum status claim(const char *path, const char *file, const struct bytes *ours, const char *version, int adopt,
                         struct error *error)
{
    struct bytes found = {NULL, 0};
    struct stat info;
    int existed = 1;
    if (adopt)
        return file_replace(file, ours, error);
    if (stat(file, &info) != 0) {
        TRY(check_is_free(path, error));
        TRY(file_create(file, ours, &existed, error));
    }
    if (!existed)
        return STATUS_OK;
    enum status status = file_load(file, &found, error);
    if (status == STATUS_OK)
        status = check_owner(path, file, &found, ours, version, error);
    free(found.data);
    return status;
}

enum status directory_open(const char *path, const struct spec *spec, const char *version, int adopt,
                           struct error *error)
{
    char file[DIRECTORY_PATH_SIZE], cells[DIRECTORY_PATH_SIZE];
    TRY(join(file, path, SPEC_FILE, "", error));
    TRY(join(cells, path, "cells", "", error));
    TRY(file_make_directory(path, error));
    struct bytes ours = make_text(spec, version);
    enum status status = ours.data != NULL ? claim(path, file, &ours, version, adopt, error) : no_memory(file, error);
    free(ours.data);
    TRY(status);
    TRY(file_make_directory(cells, error));
    (void)file_sweep(path);
    (void)file_sweep(cells);
    return STATUS_OK;
}

enum status directory_is_of(const char *path, const struct spec *spec, const char *version, struct error *error)
{
    char file[DIRECTORY_PATH_SIZE];
    struct bytes found = {NULL, 0}, ours = make_text(spec, version);
    enum status status = ours.data != NULL ? join(file, path, SPEC_FILE, "", error)
                                           : fail_with(error, STATUS_MEMORY, "out of memory for a spec's text");
    TRY_OR(end, status);
    TRY_OR(end, file_load(file, &found, error));
    TRY_OR(end, check_owner(path, file, &found, &ours, version, error));
end:
    free(found.data);
    free(ours.data);
    return status;
}

enum status directory_owns(const char *path, const char *spec_name, const char *spec_text, struct error *error)
{
    char file[DIRECTORY_PATH_SIZE];
    struct bytes text = {NULL, 0};
    struct header header;
    struct stat info;
    const char *own = NULL;
    char *plugins = NULL;
    TRY(join(file, path, SPEC_FILE, "", error));
    if (stat(file, &info) != 0)
        return STATUS_OK;
    enum status status;
    TRY_OR(end, file_load(file, &text, error));
    TRY_OR(end, read_header(file, &text, &header, error));
    plugins = take_plugins(&header, &own);
    if (plugins == NULL)
        status = no_memory(file, error);
    else if (strcmp(header.name, spec_name) != 0)
        status = fail_with(error, STATUS_IO, "the merged file is of experiment %s, but %s is of %s", spec_name, file,
                           header.name);
    else if (strcmp(own, spec_text) != 0)
        status = fail_with(error, STATUS_IO,
                           "the merged file is of an experiment %s with another text than %s has; `diffrate run` or "
                           "`merge` makes it anew",
                           spec_name, file);
end:
    free(plugins);
    free(text.data);
    return status;
}

enum status directory_read(const char *path, const char *version, const char *const *claim_names, struct spec *out,
                           struct error *error)
{
    char file[DIRECTORY_PATH_SIZE];
    struct bytes text = {NULL, 0};
    struct header header;
    *out = (struct spec){.text = NULL};
    const char *own;
    char *plugins = NULL;
    enum status status;
    TRY(join(file, path, SPEC_FILE, "", error));
    TRY_OR(end, file_load(file, &text, error));
    TRY_OR(end, read_header(file, &text, &header, error));
    if (!is_this_version(&header, version))
        TRY_OR(end, fail_with(error, STATUS_IO,
                              "%s holds results of diffrate %s (numerics %d), and this is %s (numerics %d)", path,
                              header.version, header.numerics, version, NUMERICS_VERSION));
    plugins = take_plugins(&header, &own);
    if (plugins == NULL)
        TRY_OR(end, no_memory(file, error));
    TRY_OR(end, spec_parse(file, own, text.length - (size_t)(own - text.data), plugins, claim_names, out, error));
    spec_rename(out, header.name);
end:
    free(plugins);
    free(text.data);
    return status;
}

static enum status check_cell(const char *file, const struct cell *cell, const struct result *result,
                              struct error *error)
{
    char *description = cell_describe(cell);
    if (description == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for the description of %s", file);
    int same = strcmp(result->cell, description) == 0;
    free(description);
    if (!same)
        return fail_with(error, STATUS_IO, "%s holds another cell than its name says", file);
    return STATUS_OK;
}

/* Puts the cell's failures beside its rows: result->rows[i] is of its dimension i then. */
static enum status join_failures(const char *file, const struct cell *cell, struct result *result,
                                 struct error *error)
{
    size_t dimensions = cell->dimensions.count, found = 0, failed = 0;
    struct record *rows = array_new(dimensions, sizeof *rows);
    if (rows == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for the rows of %s", file);
    cell_join(cell, result->rows, result->count, result->failures, rows);
    for (size_t i = 0; i < dimensions; i++) {
        found += rows[i].dimension != 0;
        failed += rows[i].failure[0] != '\0';
    }
    size_t count = result->count;
    free(result->rows);
    result->rows = rows;
    result->count = dimensions;
    if (found < dimensions || count + failed != dimensions)
        return fail_with(error, STATUS_IO,
                         "%s holds %zu row%s and %zu failure%s, expected %zu, one of them for each dimension", file,
                         count, count == 1 ? "" : "s", failed, failed == 1 ? "" : "s", dimensions);
    return STATUS_OK;
}

enum status directory_load(const char *path, const struct cell *cell, struct result *out, struct error *error)
{
    char file[DIRECTORY_PATH_SIZE];
    *out = (struct result){.rows = NULL};
    TRY(directory_cell(path, cell, file, error));
    TRY(cell_file_read(file, out, error));
    TRY(check_cell(file, cell, out, error));
    return out->failure[0] == '\0' ? join_failures(file, cell, out, error) : STATUS_OK;
}

bool directory_key(const char *name, char key[CELL_KEY_SIZE])
{
    size_t length = strlen(name), ending = strlen(CELL_FILE_ENDING);
    bool fits =
        length > ending && length - ending < CELL_KEY_SIZE && strcmp(name + length - ending, CELL_FILE_ENDING) == 0;
    (void)snprintf(key, CELL_KEY_SIZE, "%.*s", fits ? (int)(length - ending) : 0, name);
    return fits;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct cell_name *)a)->key, ((const struct cell_name *)b)->key);
}

enum status directory_list(const char *path, struct cell_name **names, size_t *count, struct error *error)
{
    char cells[DIRECTORY_PATH_SIZE];
    size_t room = 0;
    *names = NULL;
    *count = 0;
    TRY(join(cells, path, "cells", "", error));
    DIR *open = opendir(cells);
    if (open == NULL)
        return fail_with(error, STATUS_IO, "cannot read directory %s: %s", cells, strerror(errno));
    enum status status = STATUS_OK;
    for (struct dirent *entry; (entry = readdir(open)) != NULL;) {
        char key[CELL_KEY_SIZE];
        if (!directory_key(entry->d_name, key))
            continue;
        struct cell_name *grown = array_reserve(*names, &room, *count + 1, sizeof *grown);
        if (grown == NULL)
            TRY_OR(end, fail_with(error, STATUS_MEMORY, "out of memory for %zu names", *count + 1));
        *names = grown;
        memcpy((*names)[(*count)++].key, key, sizeof key);
    }
    if (*count > 0)
        qsort(*names, *count, sizeof **names, by_name);
end:
    (void)closedir(open);
    return status;
}

/* Nonzero if a result says that it was made by this program, on whatever machine. */
static int is_own(const struct result *result, const struct provenance *p)
{
    const char *const facts[][2] = {{"version", p->version},
                                    {"commit", p->commit},
                                    {"compiler", p->compiler},
                                    {"flags", p->flags},
                                    {"libraries", p->libraries}};
    int own = 1;
    for (size_t i = 0; i < sizeof facts / sizeof facts[0] && own; i++) {
        char line[1100];
        (void)snprintf(line, sizeof line, "%s: %s\n", facts[i][0], facts[i][1]);
        const char *at = strstr(result->provenance, line);
        own = at != NULL && (at == result->provenance || at[-1] == '\n');
    }
    return own;
}

enum status directory_relatives(const char *path, const struct cell *cell, const struct cell_name *names,
                                size_t count, const struct provenance *provenance, struct record **rows,
                                struct error *error)
{
    char key[CELL_KEY_SIZE], file[DIRECTORY_PATH_SIZE];
    size_t dimensions = cell->dimensions.count;
    *rows = NULL;
    TRY(cell_key(cell, key, error));
    size_t stem = (size_t)(strrchr(key, '-') - key) + 1, length = strlen(key); /* the hash follows */
    size_t first = 0;
    for (size_t last = count; first < last;) { /* the first name that is not before the stem */
        size_t middle = first + (last - first) / 2;
        bool before = strncmp(names[middle].key, key, stem) < 0;
        *(before ? &first : &last) = before ? middle + 1 : middle;
    }
    for (size_t i = first; i < count && strncmp(names[i].key, key, stem) == 0; i++) {
        struct result result = {.rows = NULL};
        struct error ignored;
        if (strlen(names[i].key) != length || strchr(names[i].key + stem, '-') != NULL
            || strcmp(names[i].key, key) == 0)
            continue;
        char name[CELL_KEY_SIZE + 8];
        (void)snprintf(name, sizeof name, "cells/%s", names[i].key);
        enum status status = join(file, path, name, CELL_FILE_ENDING, &ignored);
        if (status == STATUS_OK)
            status = cell_file_read(file, &result, &ignored);
        if (status == STATUS_OK && result.failure[0] == '\0' && cell_differs_in_dimensions(cell, result.cell) > 0
            && is_own(&result, provenance)) {
            *rows = *rows != NULL ? *rows : array_new(dimensions, sizeof **rows);
            if (*rows != NULL)
                cell_join(cell, result.rows, result.count, result.failures, *rows);
            status = *rows != NULL ? STATUS_OK : STATUS_MEMORY;
        }
        result_free(&result);
        if (status == STATUS_MEMORY)
            return fail_with(error, STATUS_MEMORY, "out of memory for %zu rows", dimensions);
    }
    return STATUS_OK;
}

enum status directory_remove(const char *path, const struct cell_name *name, struct error *error)
{
    char file[DIRECTORY_PATH_SIZE], inside[CELL_KEY_SIZE + 8];
    (void)snprintf(inside, sizeof inside, "cells/%s", name->key);
    TRY(join(file, path, inside, CELL_FILE_ENDING, error));
    return unlink(file) == 0 || errno == ENOENT
               ? STATUS_OK
               : fail_with(error, STATUS_IO, "cannot remove %s: %s", file, strerror(errno));
}
