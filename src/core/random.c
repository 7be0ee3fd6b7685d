#include "core/random.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define R123_USE_SSE 0 /* its headers of intrinsics take most of the compiler's time */
#include <Random123/philox.h>

#include "core/philox.h"
#include "core/vmath.h"

enum { BLOCK = 256 }; /* counters at a time; all arrays of a block fit in the first-level cache */

struct random_key random_key_of(uint64_t seed, uint64_t stream)
{
    const philox4x32_ctr_t words = {
        {(uint32_t)seed, (uint32_t)(seed >> 32), (uint32_t)stream, (uint32_t)(stream >> 32)}};
    const philox4x32_ctr_t mixed = philox4x32(words, ((philox4x32_key_t){{0, 0}}));
    return (struct random_key){{mixed.v[0], mixed.v[1]}};
}

static inline double from_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* (k + 1/2)/2^64 with one rounding, that of the last sum. Not every instruction set converts 64-bit integers, so both
 * halves are written into the fraction of a double: 2^84 + upper 2^32 and 2^51 + lower + 1/2. */
VECTOR_CLONES static void to_uniforms(size_t n, const uint64_t *k, double *u)
{
    for (size_t i = 0; i < n; i++) {
        double upper = from_bits(0x4530000000000000u | k[i] >> 32) - (0x1p84 + 0x1p51);
        double lower = from_bits(0x4320000000000001u | (k[i] & 0xffffffffu) << 1);
        double value = (upper + lower) * 0x1p-64;
        u[i] = value < 1.0 ? value : 1.0 - 0x1p-53;
    }
}

/* log u becomes the radius sqrt(-2 log u), with which the direction (x, y) is multiplied. */
VECTOR_CLONES static void stretch(size_t n, const double *log_u, double *x, double *y)
{
    for (size_t i = 0; i < n; i++) {
        double radius = sqrt(-2.0 * log_u[i]);
        x[i] *= radius;
        y[i] *= radius;
    }
}

static void box_muller(size_t n, double *first, double *last)
{
    double log_u[BLOCK];
    vlog(n, first, log_u);
    vsincos_turns(n, last, last, first);
    stretch(n, log_u, first, last);
}

enum law { UNIFORM, NORMAL };

/* Rows are pairs of coordinates, columns chains. Few chains leave room in a block for many rows, so that neither
 * shape is slow. */
static void draw(enum law law, struct random_block block, double *out)
{
    const size_t first_chain = block.first_chain, chains = block.chains, first_coordinate = block.first_coordinate;
    const size_t coordinates = block.coordinates;
    assert(chains <= (UINT64_C(1) << 32) && first_chain <= (UINT64_C(1) << 32) - chains);
    assert(coordinates <= (UINT64_C(1) << 33) && first_coordinate <= (UINT64_C(1) << 33) - coordinates);
    const size_t end_coordinate = first_coordinate + coordinates, end_pair = end_coordinate / 2 + end_coordinate % 2;
    uint32_t chain[BLOCK], pair[BLOCK];
    uint64_t bits[2][BLOCK];
    double number[2][BLOCK];
    size_t rows, columns;
    for (size_t column = 0; column < chains; column += columns) {
        columns = chains - column < BLOCK ? chains - column : BLOCK;
        for (size_t row = first_coordinate / 2; row < end_pair; row += rows) {
            rows = end_pair - row < BLOCK / columns ? end_pair - row : BLOCK / columns;
            for (size_t r = 0; r < rows; r++)
                for (size_t c = 0; c < columns; c++) {
                    chain[r * columns + c] = (uint32_t)(first_chain + column + c);
                    pair[r * columns + c] = (uint32_t)(row + r);
                }
            const size_t n = rows * columns;
            const struct philox_counters counters = {n, chain, pair, block.step, block.purpose};
            philox_many(block.key.word, counters, bits[0], bits[1]);
            to_uniforms(n, bits[0], number[0]);
            to_uniforms(n, bits[1], number[1]);
            if (law == NORMAL)
                box_muller(n, number[0], number[1]);
            for (size_t r = 0; r < rows; r++)
                for (size_t half = 0; half < 2; half++) {
                    size_t coordinate = 2 * (row + r) + half;
                    if (coordinate >= first_coordinate && coordinate < end_coordinate)
                        memcpy(out + (coordinate - first_coordinate) * block.stride + column,
                               number[half] + r * columns, columns * sizeof *out);
                }
        }
    }
}

void random_uniforms(struct random_block block, double *out)
{
    draw(UNIFORM, block, out);
}

void random_normals(struct random_block block, double *out)
{
    draw(NORMAL, block, out);
}
