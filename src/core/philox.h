/* Philox4x32-10 of many counters at once (J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, Parallel random
 * numbers: as easy as 1, 2, 3, SC 2011): the bits of Random123's philox4x32 on every machine. */
#ifndef CORE_PHILOX_H
#define CORE_PHILOX_H

#include <stddef.h>
#include <stdint.h>

/* Counter i < n is (word0[i], word1[i], word2, word3). */
struct philox_counters {
    size_t n;
    const uint32_t *word0, *word1;
    uint32_t word2, word3;
};

/* Of the four words that counter i gives, the first two in low[i] and the last two in high[i], each with its first
 * word in the lower half. */
void philox_many(const uint32_t key[2], struct philox_counters counters, uint64_t *low, uint64_t *high);

#endif
