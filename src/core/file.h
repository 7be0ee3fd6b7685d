/* Whole files, written so that whoever looks sees all of a file or none of it, also after a crash. */
#ifndef CORE_FILE_H
#define CORE_FILE_H

#include <stddef.h>

#include "core/status.h"

struct bytes {
    char *data;
    size_t length;
};

/* Makes `path` hold the bytes, whatever it held: under a temporary name beside it, closed, synced and renamed.
 * Errors: STATUS_IO. */
MUST_USE enum status file_replace(const char *path, const struct bytes *bytes, struct error *error);
/* The same of several parts, one after the other. */
MUST_USE enum status file_replace_by(const char *path, const struct bytes *parts, size_t count, struct error *error);

/* The same only if there is no file of this name, with *existed telling so; of several that try, on one machine or
 * several, one succeeds. */
MUST_USE enum status file_create(const char *path, const struct bytes *bytes, int *existed, struct error *error);

/* All of a regular file, with a NUL behind it that is not counted; out->data is the caller's to free, also after an
 * error. Errors: STATUS_IO. */
MUST_USE enum status file_load(const char *path, struct bytes *out, struct error *error);

/* For files that another program writes: the name of this process's n-th temporary beside `path`, and its renaming to
 * that. Errors: STATUS_IO. */
enum { FILE_TEMPORARY_SIZE = 64 }; /* bytes more than in `path` */
void file_temporary(const char *path, int n, char *out, size_t size);
MUST_USE enum status file_keep(const char *temporary, const char *path, struct error *error);

/* Removes what killed writers left in a directory: temporaries, as above, of processes of this machine that are no
 * more, and of others where they are older than any that is still being written. Returns how many. */
size_t file_sweep(const char *directory);

/* A directory and all those above it. Errors: STATUS_IO. */
MUST_USE enum status file_make_directory(const char *path, struct error *error);

#endif
