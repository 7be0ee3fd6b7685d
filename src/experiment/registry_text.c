/* The text that tells of plug-ins and files beside a stored experiment. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/hash.h"
#include "core/memory.h"
#include "experiment/registry.h"

enum { NUMBERS_A_LINE = 100, MOST_STORED = 10000 /* numbers of a table; of larger ones their hash is */ };

char *registry_describe(const struct registry *registry)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    for (size_t i = 0; stream != NULL && i < registry->count; i++)
        fprintf(stream, "plug-in %016" PRIx64 " %s\n", registry->plugins[i].hash, registry->plugins[i].path);
    for (size_t i = 0; stream != NULL && i < registry->file_count; i++) {
        const struct number_file *file = &registry->files[i];
        const struct file_numbers *numbers = &file->numbers;
        if (file->is_table)
            fprintf(stream, "table %zu %zu %016" PRIx64 " %s\n", file->table.rows, file->table.columns,
                    file->table.hash, file->path);
        else
            fprintf(stream, "file %s\n", file->path);
        for (size_t k = 0; k < numbers->count && !(file->is_table && numbers->count > MOST_STORED); k++)
            fprintf(stream, "%s%.17g%s", k % NUMBERS_A_LINE == 0 ? "numbers " : " ", numbers->value[k],
                    (k + 1) % NUMBERS_A_LINE == 0 || k + 1 == numbers->count ? "\n" : "");
    }
    if (stream != NULL && fclose(stream) == 0)
        return text;
    free(text);
    return NULL;
}

/* More numbers of the file that came last. */
static int read_numbers(const char *line, struct registry *registry)
{
    double value[NUMBERS_A_LINE];
    size_t count = 0;
    struct file_numbers *to = registry->file_count > 0 ? &registry->files[registry->file_count - 1].numbers : NULL;
    for (int at; count < NUMBERS_A_LINE && sscanf(line, " %24lf%n", &value[count], &at) == 1; line += at)
        count++;
    double *grown =
        to != NULL && *line == '\0' && count > 0 ? array_resize(to->value, to->count + count, sizeof *grown) : NULL;
    if (grown == NULL)
        return 0;
    memcpy(grown + to->count, value, count * sizeof *grown);
    to->value = grown;
    to->count += count;
    return 1;
}

/* ROWS COLUMNS HASH PATH; its numbers may follow. */
static int read_table(const char *line, struct registry *registry, struct error *error)
{
    struct number_table table = {.value = NULL};
    int at = 0;
    if (sscanf(line, "%20zu %20zu %16" SCNx64 " %n", &table.rows, &table.columns, &table.hash, &at) != 3 || at == 0
        || table.rows == 0 || table.columns == 0 || table.rows > REGISTRY_MOST_NUMBERS / table.columns
        || registry_add_file(registry, line + at, (struct file_numbers){0}, table.columns, error) != STATUS_OK)
        return 0;
    registry->files[registry->file_count - 1].table = table;
    return 1;
}

/* The numbers of tables, where they are there, are those that the hash is of. */
static int close_tables(const struct registry *registry)
{
    for (size_t i = 0; i < registry->file_count; i++) {
        struct number_file *file = &registry->files[i];
        const struct file_numbers *numbers = &file->numbers;
        if (!file->is_table || numbers->count == 0)
            continue;
        if (numbers->count != file->table.rows * file->table.columns
            || hash_bytes(numbers->value, numbers->count * sizeof *numbers->value) != file->table.hash)
            return 0;
        file->table.value = numbers->value;
    }
    return 1;
}

enum status registry_parse(const char *text, struct registry *out, struct error *error)
{
    char line[4200];
    *out = (struct registry){0};
    for (size_t number = 1; *text != '\0'; number++) {
        size_t length = strcspn(text, "\n");
        if (length >= sizeof line)
            return fail_with(error, STATUS_IO, "line %zu on plug-ins and files is too long", number);
        (void)snprintf(line, sizeof line, "%.*s", (int)length, text);
        if (strncmp(line, "file ", 5) == 0)
            TRY(registry_add_file(out, line + 5, (struct file_numbers){0}, 0, error));
        else if ((strncmp(line, "numbers ", 8) == 0 && !read_numbers(line + 7, out))
                 || (strncmp(line, "table ", 6) == 0 && !read_table(line + 6, out, error)))
            return fail_with(error, STATUS_IO, "line %zu on plug-ins and files is not as diffrate writes it", number);
        text += length + (text[length] == '\n');
    }
    return close_tables(out) ? STATUS_OK
                             : fail_with(error, STATUS_IO, "the numbers of a table are not those that were measured");
}
