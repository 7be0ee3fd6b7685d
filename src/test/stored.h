/* Files of results for tests, in a directory of their own. */
#ifndef TEST_STORED_H
#define TEST_STORED_H

#include "results/store.h"

enum { ROWS = 7, PATH_SIZE = 400, SEAL_LENGTH = 36 };

struct place {
    char directory[PATH_SIZE - 100];
    char path[PATH_SIZE];
};

struct content {
    char *data;
    size_t length;
};

extern const struct fact facts[];

struct place place_new(void);
/* Removes the directory, in which no other files than `expected` may be left. */
void place_clear(const struct place *place, size_t expected);
size_t member_size(const struct field *field);
/* Values that differ between fields and rows, with the doubles that are lost most easily. */
void make_rows(struct record *rows, size_t count);
void assert_rows(const struct result *result, const struct record *rows, size_t count);
void write_rows(const char *path, const struct record *rows, size_t count, const struct fact *list);
struct place place_with_rows(struct record rows[ROWS]);
struct result read_result(const char *path);
/* Reading fails with one sentence that names the file and says `part`. */
void assert_refused(const char *path, const char *part);
struct content slurp(const char *path);
void spill(const char *path, const char *data, size_t length);
/* Writes the beginning of the content and a correct checksum behind it, as an adversary would. */
void spill_sealed(const char *path, const struct content *content, size_t length);

#endif
