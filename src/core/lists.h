/* Functions that look things up in a const array of pointers to them, for lists in .def files. */
#ifndef CORE_LISTS_H
#define CORE_LISTS_H

#include <stddef.h>
#include <string.h>

/* const struct TYPE *AT(size_t index): NULL behind the last. */
#define LIST_AT(type, at, list) \
    const struct type *at(size_t index) \
    { \
        return index < sizeof(list) / sizeof(list)[0] ? (list)[index] : NULL; \
    }

/* const struct TYPE *FIND(const char *name): the one of that name, or NULL. */
#define LIST_FIND(type, find, at) \
    const struct type *find(const char *name) \
    { \
        size_t i = 0; \
        while (at(i) != NULL && strcmp(at(i)->name, name) != 0) \
            i++; \
        return at(i); \
    }

#endif
