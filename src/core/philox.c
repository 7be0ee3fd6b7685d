#include "core/philox.h"

#include <Random123/philox.h>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

/* 64-bit lanes a vector, and vectors under way at once: one alone would wait for its own multiplications. */
enum { LANES = 4, VECTORS = 2 };

/* Philox with a word in each 64-bit lane, where the product of two words is one instruction. (Given philox4x32 in a
 * loop, the compiler puts a word in each 32-bit lane and shuffles more than it multiplies; one counter after the
 * other is faster than that.) The upper halves of lanes hold whatever the rounds leave there: multiplications ignore
 * it, and the end drops it. x1 and x3 meet their key as soon as they are known, a round ahead, which keeps it off the
 * chain of dependent instructions; keys[philox4x32_rounds] is 0. Unrolled, the rounds lose that order and spill.
 * Returns how many counters are done; fewer are left than the vectors hold. */
__attribute__((target("avx2"))) static size_t philox_avx2(long long keys[][2], struct philox_counters counters,
                                                          uint64_t *low, uint64_t *high)
{
    const __m256i multiplier0 = _mm256_set1_epi64x(PHILOX_M4x32_0), multiplier1 = _mm256_set1_epi64x(PHILOX_M4x32_1);
    size_t done = 0;
    for (; counters.n - done >= LANES * VECTORS; done += LANES * VECTORS) {
        __m256i x0[VECTORS], x1[VECTORS], x2[VECTORS], x3[VECTORS];
        for (size_t v = 0; v < VECTORS; v++) {
            size_t at = done + v * LANES;
            x0[v] = _mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i *)(counters.word0 + at)));
            x1[v] = _mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i *)(counters.word1 + at)));
            x1[v] = _mm256_xor_si256(x1[v], _mm256_set1_epi64x(keys[0][0]));
            x2[v] = _mm256_set1_epi64x(counters.word2);
            x3[v] = _mm256_set1_epi64x(counters.word3 ^ keys[0][1]);
        }
#pragma GCC unroll 1
        for (size_t round = 1; round <= philox4x32_rounds; round++) {
            const __m256i key0 = _mm256_set1_epi64x(keys[round][0]), key1 = _mm256_set1_epi64x(keys[round][1]);
            for (size_t v = 0; v < VECTORS; v++) {
                __m256i product0 = _mm256_mul_epu32(x0[v], multiplier0);
                __m256i product1 = _mm256_mul_epu32(x2[v], multiplier1);
                x0[v] = _mm256_xor_si256(_mm256_srli_epi64(product1, 32), x1[v]);
                x2[v] = _mm256_xor_si256(_mm256_srli_epi64(product0, 32), x3[v]);
                x1[v] = _mm256_xor_si256(product1, key0);
                x3[v] = _mm256_xor_si256(product0, key1);
            }
        }
        for (size_t v = 0; v < VECTORS; v++) {
            __m256i first = _mm256_blend_epi32(x0[v], _mm256_slli_epi64(x1[v], 32), 0xaa);
            __m256i last = _mm256_blend_epi32(x2[v], _mm256_slli_epi64(x3[v], 32), 0xaa);
            _mm256_storeu_si256((__m256i *)(low + done + v * LANES), first);
            _mm256_storeu_si256((__m256i *)(high + done + v * LANES), last);
        }
    }
    return done;
}

static size_t philox_vectors(const uint32_t key[2], struct philox_counters counters, uint64_t *low, uint64_t *high)
{
    if (counters.n < LANES * VECTORS || !__builtin_cpu_supports("avx2"))
        return 0;
    /* in memory, from where a key enters all lanes while it is loaded */
    long long keys[philox4x32_rounds + 1][2] = {{0}};
    for (uint32_t round = 0; round < philox4x32_rounds; round++) {
        keys[round][0] = key[0] + round * PHILOX_W32_0;
        keys[round][1] = key[1] + round * PHILOX_W32_1;
    }
    return philox_avx2(keys, counters, low, high);
}
#else
static size_t philox_vectors(const uint32_t key[2], struct philox_counters counters, uint64_t *low, uint64_t *high)
{
    (void)key, (void)counters, (void)low, (void)high;
    return 0;
}
#endif

void philox_many(const uint32_t key[2], struct philox_counters counters, uint64_t *low, uint64_t *high)
{
    const philox4x32_key_t keys = {{key[0], key[1]}};
    for (size_t i = philox_vectors(key, counters, low, high); i < counters.n; i++) {
        philox4x32_ctr_t word = {{counters.word0[i], counters.word1[i], counters.word2, counters.word3}};
        word = philox4x32(word, keys);
        low[i] = word.v[0] | (uint64_t)word.v[1] << 32;
        high[i] = word.v[2] | (uint64_t)word.v[3] << 32;
    }
}
