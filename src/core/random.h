/* Random numbers by counter. Each is a pure function of (seed, stream, purpose, step, chain, coordinate), so it does
 * not matter in what order, in which batches, by how many threads or on which instruction set they are made: the bits
 * are the same. Philox4x32-10 with counter (chain, coordinate/2, step, purpose) gives the 128 bits of coordinates 2j
 * and 2j + 1.
 *
 * Domain of a block: first_chain + chains <= 2^32, first_coordinate + coordinates <= 2^33, stride >= chains.
 * Number (coordinate, chain) goes to out[(coordinate - first_coordinate) * stride + chain - first_chain]. Fastest
 * with some tens of chains or more at a time; a lone coordinate costs as much as its pair. */
#ifndef CORE_RANDOM_H
#define CORE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random_key {
    uint32_t word[2];
};

/* Nearby seeds and streams give unrelated keys; any two pairs give the same one with probability 2^-64. */
struct random_key random_key_of(uint64_t seed, uint64_t stream);

/* Numbers of a rectangle of chains and coordinates. */
struct random_block {
    struct random_key key;
    uint32_t purpose, step;
    size_t first_chain, chains, first_coordinate, coordinates, stride;
};

/* Uniform in (0, 1): (k + 1/2)/2^64 for a random 64-bit k, rounded to double, where 1 becomes 1 - 2^-53. */
void random_uniforms(struct random_block block, double *out);

/* Standard normal: Box and Muller's sqrt(-2 log u) (cos(2 pi v), sin(2 pi v)) of the pair (u, v) of uniforms that
 * random_uniforms gives for the same coordinates. |z| < 9.493, which leaves out 2e-21 of the normal law; out there u
 * is still a multiple of 2^-65, so at 8 standard deviations the tail probability is resolved to 1e-5 of itself. */
void random_normals(struct random_block block, double *out);

#endif
