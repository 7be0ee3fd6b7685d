#include "test/planted.h"
#include "test/shell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/suite.h"

enum { OUTPUT = 1 << 20 };

#define TEMPLATE "/tmp/diffrate-test-XXXXXX"

char directory[] = TEMPLATE;
char *output;

void shell_setup(void)
{
    output = malloc(OUTPUT);
    ck_assert_ptr_nonnull(output);
    (void)strcpy(directory, TEMPLATE); /* also for a second test in this process */
    ck_assert_ptr_nonnull(mkdtemp(directory));
}

void shell_teardown(void)
{
    char command[200];
    (void)snprintf(command, sizeof command, "rm -rf %s", directory);
    ck_assert_int_eq(system(command), 0);
    free(output);
}

int shell(const char *format)
{
    char command[4000] = "";
    const char *binary = getenv("DIFFRATE");
    for (const char *c = format; *c != '\0'; c++) {
        size_t used = strlen(command);
        const char *text = *c == '@' ? (binary != NULL ? binary : "build/diffrate") : *c == '%' ? directory : NULL;
        if (text != NULL)
            (void)snprintf(command + used, sizeof command - used, "%s", text);
        else
            (void)snprintf(command + used, sizeof command - used, "%c", *c);
    }
    FILE *pipe = popen(command, "r");
    ck_assert_ptr_nonnull(pipe);
    size_t length = fread(output, 1, OUTPUT - 1, pipe);
    output[length] = '\0';
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void assert_exits_saying(const char *format, int status, const char *const *words)
{
    int found = shell(format);
    ck_assert_msg(found == status, "%s exits %d, expected %d: %s", format, found, status, output);
    assert_says(output, 1, words);
}

void assert_prints(const char *format, const char *text)
{
    int found = shell(format);
    ck_assert_msg(found == 0 && strcmp(output, text) == 0, "%s exits %d, expected 0 and '%s': %s", format, found,
                  text, output);
}

void assert_says(const char *text, int says, const char *const *words)
{
    for (; *words != NULL; words++)
        ck_assert_msg((strstr(text, *words) != NULL) == says, "'%s' is %s: %s", *words, says ? "missing" : "there",
                      text);
}

size_t lines(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += *text == '\n';
    return count;
}

void write_file(const char *name, const char *text)
{
    char path[300];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

char *read_file(const char *name)
{
    char path[300], *text = calloc(OUTPUT, 1);
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "%s is missing", path);
    ck_assert_uint_gt(fread(text, 1, OUTPUT - 1, file), 0);
    (void)fclose(file);
    return text;
}

int exists(const char *name)
{
    char path[300];
    struct stat info;
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    return stat(path, &info) == 0 && (S_ISDIR(info.st_mode) || info.st_size > 0);
}

void assert_made(const char *folder, const char *const *names)
{
    for (; *names != NULL; names++) {
        char name[200];
        (void)snprintf(name, sizeof name, "%s/%s", folder, *names);
        ck_assert_msg(exists(name), "%s is missing", name);
    }
}

struct result load_result(const char *name)
{
    char path[300];
    struct result result;
    struct error error = {STATUS_OK, ""};
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    ck_assert_msg(store_read(path, &result, &error) == STATUS_OK, "%s", error.text);
    return result;
}

void save_result(const char *name, const struct record *rows, size_t count, const struct fact *facts)
{
    char path[300];
    struct error error = {STATUS_OK, ""};
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    ck_assert_msg(store_array(path, rows, count, &planted_parameters, facts, &error) == STATUS_OK, "%s", error.text);
}

void assert_same(const char *a, const char *b)
{
    char command[700];
    struct result x = load_result(a), y = load_result(b);
    ck_assert_uint_gt(x.count, 0);
    ck_assert_uint_eq(x.count, y.count);
    for (size_t i = 0; i < x.count; i++)
        x.rows[i].seconds = y.rows[i].seconds = 0.0;
    ck_assert_mem_eq(x.rows, y.rows, x.count * sizeof *x.rows);
    ck_assert_str_eq(x.failures, y.failures);
    result_free(&x);
    result_free(&y);
    (void)snprintf(command, sizeof command, "h5diff --exclude-path /circumstances %%/%s %%/%s 2>&1", a, b);
    ck_assert_msg(shell(command) == 0 && output[0] == '\0', "%s", output);
}
