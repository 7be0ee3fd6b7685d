#define _POSIX_C_SOURCE 200809L

#include "core/provenance.h"

#include <gsl/gsl_version.h>
#include <hdf5.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <yaml.h>

#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif

#ifndef DIFFRATE_VERSION
#define DIFFRATE_VERSION "unknown"
#endif
#ifndef DIFFRATE_COMMIT
#define DIFFRATE_COMMIT "unknown"
#endif
#ifndef DIFFRATE_CFLAGS
#define DIFFRATE_CFLAGS "unknown"
#endif

#if defined __clang__
#define COMPILER __VERSION__ /* begins with its name */
#elif defined __GNUC__
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "unknown"
#endif

/* A text that grows in a fixed array; `length` is what an unlimited one would have. */
struct buffer {
    char *text;
    size_t size, length;
};

static void put(struct buffer *buffer, const char *text, size_t length)
{
    if (buffer->length < buffer->size) {
        size_t room = buffer->size - 1 - buffer->length;
        size_t taken = length < room ? length : room;
        memcpy(buffer->text + buffer->length, text, taken);
        buffer->text[buffer->length + taken] = '\0';
        if (taken < length && buffer->size > 3)
            memcpy(buffer->text + buffer->size - 4, "...", 4);
    }
    buffer->length += length;
}

static void put_string(struct buffer *buffer, const char *text)
{
    put(buffer, text, strlen(text));
}

static void set(char *out, size_t size, const char *text)
{
    struct buffer buffer = {out, size, 0};
    put_string(&buffer, text);
}

static void put_argument(struct buffer *buffer, const char *argument)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789%+,-./:=@_";
    if (argument[0] != '\0' && argument[strspn(argument, plain)] == '\0') {
        put_string(buffer, argument);
        return;
    }
    put_string(buffer, "'");
    for (const char *c = argument; *c != '\0'; c++)
        if (*c == '\'')
            put_string(buffer, "'\\''");
        else
            put(buffer, c, 1);
    put_string(buffer, "'");
}

static void collect_command(int argc, char **argv, struct buffer *out)
{
    for (int i = 0; i < argc && argv[i] != NULL; i++) {
        if (i > 0)
            put_string(out, " ");
        put_argument(out, argv[i]);
    }
    if (out->length == 0)
        put_string(out, "unknown");
}

static void hdf5_version(char *out, size_t size)
{
    unsigned major = 0, minor = 0, release = 0;
    (void)H5get_libversion(&major, &minor, &release);
    (void)snprintf(out, size, "HDF5 %u.%u.%u", major, minor, release);
}

static void collect_libraries(struct buffer *out)
{
    char hdf5[64];
    hdf5_version(hdf5, sizeof hdf5);
    put_string(out, "GSL ");
    put_string(out, gsl_version);
    put_string(out, ", ");
    put_string(out, hdf5);
    put_string(out, ", libyaml ");
    put_string(out, yaml_get_version_string());
#ifdef __GLIBC__
    /* Its libm decides the last digits of results. */
    put_string(out, ", glibc ");
    put_string(out, gnu_get_libc_version());
#endif
}

/* The value of the first line "key : value" of /proc/cpuinfo; false if there is none (it is so on ARM). */
static bool cpu_model(char *out, size_t size)
{
    static const char key[] = "model name";
    char line[512];
    bool found = false;
    FILE *file = fopen("/proc/cpuinfo", "r");
    if (file == NULL)
        return false;
    while (!found && fgets(line, sizeof line, file) != NULL) {
        const char *value = strchr(line, ':');
        if (strncmp(line, key, sizeof key - 1) != 0 || value == NULL)
            continue;
        value += 1 + strspn(value + 1, " \t");
        line[strcspn(line, "\n")] = '\0';
        set(out, size, value);
        found = *value != '\0';
    }
    (void)fclose(file);
    return found;
}

static void collect_host(struct buffer *out)
{
    char model[160];
    struct utsname names;
    bool named = uname(&names) >= 0;
    put_string(out, named ? names.nodename : "unknown");
    put_string(out, ", ");
    if (cpu_model(model, sizeof model))
        put_string(out, model);
    else
        put_string(out, named ? names.machine : "unknown");
}

void provenance_collect(int argc, char **argv, struct provenance *out)
{
    struct buffer libraries = {out->libraries, sizeof out->libraries, 0};
    struct buffer host = {out->host, sizeof out->host, 0};
    struct buffer command = {out->command, sizeof out->command, 0};
    set(out->version, sizeof out->version, DIFFRATE_VERSION);
    set(out->commit, sizeof out->commit, DIFFRATE_COMMIT);
    set(out->compiler, sizeof out->compiler, COMPILER);
    set(out->flags, sizeof out->flags, DIFFRATE_CFLAGS);
    collect_libraries(&libraries);
    collect_host(&host);
    collect_command(argc, argv, &command);
}
