#include "core/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/hash.h"
#include "core/memory.h"

#define TEMPORARY ".tmp."
enum {
    MAX_TEMPORARIES = 1000,
    ABANDONED = 900 /* seconds after which a temporary's writer, who needs milliseconds, is dead */
};

/* Where a process number means this process: a boot of a machine and a namespace in it. 0 where that is not known. */
static uint64_t process_space(void)
{
    char text[200] = "";
    int file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t length = file >= 0 ? read(file, text, 64) : -1;
    if (file >= 0)
        (void)close(file);
    ssize_t more = length > 0 ? readlink("/proc/self/ns/pid", text + length, 64) : -1;
    return more > 0 ? hash_bytes(text, (size_t)(length + more)) : 0;
}

void file_temporary(const char *path, int n, char *out, size_t size)
{
    (void)snprintf(out, size, "%s" TEMPORARY "%016" PRIx64 ".%ld.%d", path, process_space(), (long)getpid(), n);
}

/* Its writer is a process of this machine, and is no more. */
static bool is_orphan(const char *temporary)
{
    uint64_t space;
    long pid;
    int n;
    return sscanf(strstr(temporary, TEMPORARY), TEMPORARY "%16" SCNx64 ".%ld.%d", &space, &pid, &n) == 3 && pid > 0
           && space != 0 && space == process_space() && kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

/* Creates the first temporary of `path` that is not there, *name for the caller to free. NULL and errno on failure.
 */
static FILE *open_temporary(const char *path, char **name)
{
    size_t size = strlen(path) + FILE_TEMPORARY_SIZE;
    FILE *file = NULL;
    *name = array_new(size, 1);
    for (int n = 0; *name != NULL && file == NULL && n < MAX_TEMPORARIES; n++) {
        file_temporary(path, n, *name, size);
        file = fopen(*name, "wbx");
        if (file == NULL && errno != EEXIST)
            break;
    }
    return file;
}

/* This and what follows return 0 or an errno. */
static int fill(FILE *file, const struct bytes *parts, size_t count)
{
    bool ok = true;
    for (size_t i = 0; i < count && ok; i++)
        ok = fwrite(parts[i].data, 1, parts[i].length, file) == parts[i].length;
    ok = ok && fflush(file) == 0 && fsync(fileno(file)) == 0;
    int problem = ok ? 0 : errno;
    (void)fclose(file); /* nothing is left to write that could fail */
    return problem;
}

/* Makes a new name in the directory of `path` last; cuts `path`. Some file systems cannot do it and say EINVAL. */
static int sync_directory(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash != NULL)
        slash[slash == path] = '\0';
    int directory = open(slash != NULL ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return errno;
    int problem = fsync(directory) != 0 && errno != EINVAL ? errno : 0;
    (void)close(directory);
    return problem;
}

static int rename_over(const char *temporary, const char *path)
{
    return rename(temporary, path) == 0 ? 0 : errno;
}

/* A link never replaces a name that is there. Where a file system has no links, a look before must do. */
static int rename_once(const char *temporary, const char *path)
{
    struct stat found;
    if (link(temporary, path) == 0)
        return unlink(temporary) == 0 ? 0 : errno;
    if (errno != EPERM && errno != EOPNOTSUPP)
        return errno;
    return lstat(path, &found) == 0 ? EEXIST : rename_over(temporary, path);
}

static int put(const char *path, const struct bytes *parts, size_t count,
               int (*move)(const char *temporary, const char *path))
{
    char *temporary = NULL;
    FILE *file = open_temporary(path, &temporary);
    int problem = file != NULL ? fill(file, parts, count) : errno;
    if (problem == 0)
        problem = move(temporary, path);
    if (problem != 0 && file != NULL)
        (void)unlink(temporary);
    if (problem == 0)
        problem = sync_directory(temporary);
    free(temporary);
    return problem;
}

static enum status cannot_write(const char *path, int problem, struct error *error)
{
    return fail_with(error, STATUS_IO, "cannot write %s: %s", path, strerror(problem));
}

enum status file_replace(const char *path, const struct bytes *bytes, struct error *error)
{
    return file_replace_by(path, bytes, 1, error);
}

enum status file_replace_by(const char *path, const struct bytes *parts, size_t count, struct error *error)
{
    int problem = put(path, parts, count, rename_over);
    return problem == 0 ? STATUS_OK : cannot_write(path, problem, error);
}

enum status file_create(const char *path, const struct bytes *bytes, int *existed, struct error *error)
{
    int problem = put(path, bytes, 1, rename_once);
    *existed = problem == EEXIST;
    return problem == 0 || *existed ? STATUS_OK : cannot_write(path, problem, error);
}

enum status file_keep(const char *temporary, const char *path, struct error *error)
{
    int file = open(temporary, O_RDONLY | O_CLOEXEC), problem = file < 0 || fsync(file) != 0 ? errno : 0;
    if (file >= 0)
        (void)close(file);
    problem = problem == 0 ? rename_over(temporary, path) : problem;
    return problem == 0 ? STATUS_OK : cannot_write(path, problem, error);
}

enum status file_load(const char *path, struct bytes *out, struct error *error)
{
    struct stat info;
    *out = (struct bytes){NULL, 0};
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) /* to open a FIFO is to wait for its writer */
        return fail_with(error, STATUS_IO, "cannot read %s: it is not a regular file", path);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return fail_with(error, STATUS_IO, "cannot open %s: %s", path, strerror(errno));
    size_t size = fstat(fileno(file), &info) == 0 ? (size_t)info.st_size : 0; /* another file may have come since */
    out->data = array_new(size + 1, 1);
    out->length = out->data != NULL ? fread(out->data, 1, size, file) : 0;
    int problem = out->data == NULL ? ENOMEM : ferror(file) ? errno : 0;
    (void)fclose(file);
    return problem == 0 ? STATUS_OK : fail_with(error, STATUS_IO, "cannot read %s: %s", path, strerror(problem));
}

size_t file_sweep(const char *directory)
{
    size_t removed = 0;
    time_t now = time(NULL);
    DIR *open = opendir(directory);
    for (struct dirent *entry; open != NULL && (entry = readdir(open)) != NULL;) {
        struct stat info;
        if (strstr(entry->d_name, TEMPORARY) != NULL
            && fstatat(dirfd(open), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode)
            && (difftime(now, info.st_mtime) > ABANDONED || is_orphan(entry->d_name)))
            removed += unlinkat(dirfd(open), entry->d_name, 0) == 0;
    }
    if (open != NULL)
        (void)closedir(open);
    return removed;
}

static enum status make_one(const char *path, struct error *error)
{
    struct stat found;
    if (mkdir(path, 0777) == 0 || (errno == EEXIST && stat(path, &found) == 0 && S_ISDIR(found.st_mode)))
        return STATUS_OK;
    return fail_with(error, STATUS_IO, "cannot make directory %s: %s", path, strerror(errno));
}

enum status file_make_directory(const char *path, struct error *error)
{
    char *part = strdup(path);
    enum status status =
        part != NULL ? STATUS_OK : fail_with(error, STATUS_MEMORY, "out of memory for the path %s", path);
    for (char *slash = part; status == STATUS_OK && (slash = strchr(slash + 1, '/')) != NULL;) {
        *slash = '\0';
        status = make_one(part, error);
        *slash = '/';
    }
    free(part);
    return status == STATUS_OK ? make_one(path, error) : status;
}
