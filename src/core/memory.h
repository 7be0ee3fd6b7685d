/* Allocation of arrays with the size checked before it is multiplied. */
#ifndef CORE_MEMORY_H
#define CORE_MEMORY_H

#include <stdint.h>
#include <stdlib.h>

/* `count` zeroed elements of `size` bytes, or NULL (also on overflow). count = 0 gives a valid pointer. */
static inline void *array_new(size_t count, size_t size)
{
    return calloc(count > 0 ? count : 1, size);
}

/* `old` resized to `count` elements of `size` bytes; NULL on overflow or exhaustion, `old` then stays valid. */
static inline void *array_resize(void *old, size_t count, size_t size)
{
    if (count == 0)
        count = 1;
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    return realloc(old, count * size);
}

#endif
