/* Tests of the real binary: shell commands in a directory of the test's own. DIFFRATE names the binary (default
 * build/diffrate); the working directory is the project's root. */
#ifndef TEST_SHELL_H
#define TEST_SHELL_H

#include <stddef.h>

#include "results/store.h"

extern char directory[]; /* of the test */
extern char *output;     /* of the last command */

/* A checked fixture. */
void shell_setup(void);
void shell_teardown(void);

/* Runs a command in which @ stands for the binary and % for the test's directory; returns its exit status, -1 if it
 * was killed. */
int shell(const char *format);

/* The same; it must exit with this status and print all of these words, or exit with 0 and print just this text. */
#define assert_exits(format, status, ...) \
    assert_exits_saying(format, status, (const char *const[]){__VA_ARGS__, NULL})
void assert_exits_saying(const char *format, int status, const char *const *words);
void assert_prints(const char *format, const char *text);

size_t lines(const char *text);

/* Names are relative to the test's directory. */
void write_file(const char *name, const char *text);
char *read_file(const char *name); /* for free() */
int exists(const char *name);      /* a directory, or a file that is not empty */
/* All of these, NULL at their end, exist in a folder. */
void assert_made(const char *folder, const char *const *names);
#define ASSERT_MADE(folder, ...) assert_made(folder, (const char *const[]){__VA_ARGS__, NULL})

struct result load_result(const char *name); /* for result_free() */
void save_result(const char *name, const struct record *rows, size_t count, const struct fact *facts);

/* Two merged files hold the same but for the circumstances: every value of every column to the bit, and all else. */
void assert_same(const char *a, const char *b);

#endif
