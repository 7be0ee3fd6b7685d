/* Random numbers for tests: splitmix64, and Box and Muller's normal numbers. */
#ifndef TEST_RANDOM_H
#define TEST_RANDOM_H

#include <math.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

/* In (0, 1). */
static inline double random_uniform(struct random *random)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return ((double)((z ^ (z >> 31)) >> 11) + 0.5) * 0x1p-53;
}

static inline double random_normal(struct random *random)
{
    double radius = sqrt(-2.0 * log(random_uniform(random)));
    return radius * cos(2.0 * M_PI * random_uniform(random));
}

#endif
