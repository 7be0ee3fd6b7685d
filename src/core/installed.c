#include "core/installed.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef DIFFRATE_SHARE
#define DIFFRATE_SHARE "/usr/local/share/diffrate"
#endif

bool installed_find(const char *name, char *path, size_t size)
{
    /* from the program, which is in build/ or a directory inside it, or in bin/ */
    static const char *const places[] = {"/..", "/../..", "/../share/diffrate"};
    enum { PLACES = sizeof places / sizeof places[0] };
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(program, '/');
    if (slash != NULL)
        *slash = '\0';
    for (size_t i = 0; i <= PLACES; i++) {
        int written = i < PLACES ? snprintf(path, size, "%s%s/%s", program, places[i], name)
                                 : snprintf(path, size, "%s/%s", DIFFRATE_SHARE, name);
        if (written > 0 && (size_t)written < size && access(path, R_OK) == 0)
            return true;
    }
    return false;
}
