#include "results/origins.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"

static enum status no_memory(struct error *error)
{
    return fail_with(error, STATUS_MEMORY, "out of memory for the provenance of cells");
}

static enum status add_line(struct origins *origins, const char *line, size_t length, struct error *error)
{
    for (size_t i = 0; i < origins->count; i++)
        if (strncmp(origins->line[i], line, length) == 0 && origins->line[i][length] == '\0')
            return STATUS_OK;
    char **lines = array_reserve(origins->line, &origins->capacity, origins->count + 1, sizeof *lines);
    if (lines == NULL)
        return no_memory(error);
    origins->line = lines;
    char *copy = strndup(line, length);
    if (copy == NULL)
        return no_memory(error);
    origins->line[origins->count++] = copy;
    return STATUS_OK;
}

enum status origins_add(struct origins *origins, const char *provenance, struct error *error)
{
    enum status status = STATUS_OK;
    for (const char *line = provenance, *end; status == STATUS_OK && *line != '\0';
         line = *end != '\0' ? end + 1 : end) {
        end = line + strcspn(line, "\n");
        if (strstr(line, ": ") != NULL && strstr(line, ": ") < end)
            status = add_line(origins, line, (size_t)(end - line), error);
    }
    return status;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t name_length(const char *line)
{
    return (size_t)(strstr(line, ": ") - line);
}

static int same_name(const char *a, const char *b)
{
    size_t length = name_length(a);
    return length == name_length(b) && memcmp(a, b, length) == 0;
}

/* Names and values in turn, each with its NUL. */
static void write_strings(const struct origins *origins, FILE *stream)
{
    for (size_t i = 0; i < origins->count; i++) {
        const char *line = origins->line[i], *value = line + name_length(line) + 2;
        int continues = i > 0 && same_name(origins->line[i - 1], line);
        if (continues)
            fputs("; ", stream);
        else
            fprintf(stream, "%.*s%c", (int)name_length(line), line, '\0');
        fputs(value, stream);
        if (i + 1 == origins->count || !same_name(line, origins->line[i + 1]))
            fputc('\0', stream);
    }
}

enum status origins_facts(struct origins *origins, size_t more, struct fact **facts, size_t *count, char **text,
                          struct error *error)
{
    size_t size = 0;
    *count = 0;
    *text = NULL;
    *facts = more < SIZE_MAX - origins->count ? array_new(origins->count + more, sizeof **facts) : NULL;
    qsort(origins->line, origins->count, sizeof *origins->line, by_text);
    FILE *stream = *facts != NULL ? open_memstream(text, &size) : NULL;
    if (stream == NULL)
        return no_memory(error);
    write_strings(origins, stream);
    if (fclose(stream) != 0)
        return no_memory(error);
    for (char *at = *text; at < *text + size; at += strlen(at) + 1) {
        (*facts)[*count].name = at;
        at += strlen(at) + 1;
        (*facts)[(*count)++].value = at;
    }
    return STATUS_OK;
}

void origins_free(struct origins *origins)
{
    for (size_t i = 0; i < origins->count; i++)
        free(origins->line[i]);
    free(origins->line);
    *origins = (struct origins){.line = NULL};
}
