/* Sorted numbers. */
#ifndef CORE_SORTED_H
#define CORE_SORTED_H

#include <stddef.h>

/* For qsort of doubles, ascending. */
static inline int sorted_ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* How many of n ascending numbers are below x. */
static inline size_t sorted_below(const double *value, size_t n, double x)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (value[middle] < x)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

#endif
