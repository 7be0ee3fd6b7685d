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

/* `old`, of *capacity elements, with room for `count` at least: doubles, so that appending takes constant time on
 * average. NULL on overflow or exhaustion; `old` and *capacity then stay valid. */
static inline void *array_reserve(void *old, size_t *capacity, size_t count, size_t size)
{
    size_t doubled = *capacity > SIZE_MAX / 2 ? SIZE_MAX : 2 * *capacity, wanted = count > doubled ? count : doubled;
    if (old != NULL && count <= *capacity)
        return old;
    void *grown = array_resize(old, wanted, size);
    if (grown != NULL)
        *capacity = wanted;
    return grown;
}

#endif
