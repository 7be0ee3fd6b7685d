/* Random numbers by counter: the bits of Random123, whatever the batch, and the statistics of independent uniform and
 * normal numbers. Seeds are fixed, so every limit holds always or never; limits are in standard errors. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <Random123/philox.h>

#include "core/hash.h"
#include "core/philox.h"
#include "core/random.h"
#include "core/vmath.h"

#include "test/suite.h"

TEST_SUITE(random);

typedef void draw_function(struct random_block block, double *out);

static draw_function *const draws[] = {random_uniforms, random_normals};

enum { SIDE = 1000, MANY = SIDE * SIDE, ROUNDS = 10 }; /* numbers in a square of chains and coordinates; squares */

static uint64_t state = 1;

static uint32_t word(void)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 32);
}

static size_t below(size_t limit)
{
    return word() % limit;
}

static double *square(draw_function *draw, struct random_key key, uint32_t purpose, uint32_t step, double *out)
{
    draw((struct random_block){key, purpose, step, 0, SIDE, 0, SIDE, SIDE}, out);
    return out;
}

static double *new_square(void)
{
    double *out = malloc(MANY * sizeof *out);
    ck_assert_ptr_nonnull(out);
    return out;
}

/* The three vectors of philox4x32 10 in Random123's kat_vectors, through vectors and one by one. */
TEST(test_known_answers)
{
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    enum { COPIES = 21 };
    for (size_t k = 0; k < COUNT(known); k++) {
        uint32_t word0[COPIES], word1[COPIES];
        uint64_t low[COPIES], high[COPIES];
        for (size_t i = 0; i < COPIES; i++) {
            word0[i] = known[k].counter[0];
            word1[i] = known[k].counter[1];
        }
        struct philox_counters counters = {COPIES, word0, word1, known[k].counter[2], known[k].counter[3]};
        philox_many(known[k].key, counters, low, high);
        for (size_t i = 0; i < COPIES; i++) {
            ck_assert_uint_eq(low[i], known[k].out[0] | (uint64_t)known[k].out[1] << 32);
            ck_assert_uint_eq(high[i], known[k].out[2] | (uint64_t)known[k].out[3] << 32);
        }
    }
}

/* Every length gives Random123's words, and nothing is written beyond. */
TEST(test_philox)
{
    enum { MOST = 70, MARK = 77 };
    uint32_t word0[MOST], word1[MOST];
    uint64_t low[MOST + 1], high[MOST + 1];
    for (size_t n = 0; n <= MOST; n++) {
        size_t wrong = 0;
        const uint32_t key[2] = {word(), word()};
        const struct philox_counters counters = {n, word0, word1, word(), word()};
        for (size_t i = 0; i < n; i++) {
            word0[i] = word();
            word1[i] = word();
        }
        low[n] = high[n] = MARK;
        philox_many(key, counters, low, high);
        for (size_t i = 0; i < n; i++) {
            philox4x32_ctr_t exact = {{word0[i], word1[i], counters.word2, counters.word3}};
            exact = philox4x32(exact, ((philox4x32_key_t){{key[0], key[1]}}));
            wrong += low[i] != (exact.v[0] | (uint64_t)exact.v[1] << 32);
            wrong += high[i] != (exact.v[2] | (uint64_t)exact.v[3] << 32);
        }
        ck_assert_uint_eq(wrong, 0);
        ck_assert(low[n] == MARK && high[n] == MARK);
    }
}

/* (k + 1/2)/2^64, rounded once: an odd number stands for what lies beyond the last bit of a large k. */
static double exact_uniform(uint64_t k)
{
    return fmin(k >> 63 == 0 ? (double)(2 * k + 1) * 0x1p-65 : (double)(k | 1) * 0x1p-64, 1.0 - 0x1p-53);
}

/* Which bits go where, by the definition in random.h, at the far end of the domain. */
TEST(test_definition)
{
    enum { CHAINS = 611, COORDINATES = 23 };
    static double u[COORDINATES][CHAINS], z[COORDINATES][CHAINS];
    const size_t first_chain = (UINT64_C(1) << 32) - CHAINS, first_coordinate = (UINT64_C(1) << 33) - COORDINATES;
    const uint32_t purpose = 3, step = 4000000000u;
    const struct random_key key = random_key_of(UINT64_C(0x0123456789abcdef), 5);
    random_uniforms(
        (struct random_block){key, purpose, step, first_chain, CHAINS, first_coordinate, COORDINATES, CHAINS}, u[0]);
    random_normals(
        (struct random_block){key, purpose, step, first_chain, CHAINS, first_coordinate, COORDINATES, CHAINS}, z[0]);
    for (size_t i = 0; i < COORDINATES; i++)
        for (size_t c = 0; c < CHAINS; c++) {
            size_t coordinate = first_coordinate + i, half = coordinate % 2;
            philox4x32_ctr_t bits = {{(uint32_t)(first_chain + c), (uint32_t)(coordinate / 2), step, purpose}};
            bits = philox4x32(bits, ((philox4x32_key_t){{key.word[0], key.word[1]}}));
            double uniforms[2] = {exact_uniform(bits.v[0] | (uint64_t)bits.v[1] << 32),
                                  exact_uniform(bits.v[2] | (uint64_t)bits.v[3] << 32)};
            long double angle = 6.283185307179586476925286766559L * uniforms[1];
            long double exact = sqrtl(-2.0L * logl(uniforms[0])) * (half == 0 ? cosl(angle) : sinl(angle));
            if (u[i][c] != uniforms[half] || !(fabsl(z[i][c] - exact) < 3e-15L))
                ck_abort_msg("uniform %a, not %a; normal %a, not %La", u[i][c], uniforms[half], z[i][c], exact);
        }
}

/* A square cut into rectangles anyhow has the bits that it has in one piece, and the rectangle's surroundings stay.
 */
TEST(test_cuts, .count = COUNT(draws))
{
    enum { CHAINS = 611, COORDINATES = 43, FIRST_CHAIN = 1000, FIRST_COORDINATE = 7, CUTS = 400, MARK = 77 };
    static double whole[COORDINATES][CHAINS], part[COORDINATES][CHAINS];
    static unsigned char inside[COORDINATES][CHAINS];
    const struct random_key key = random_key_of(1, 2);
    draw_function *draw = draws[_i];
    draw((struct random_block){key, 1, 2, FIRST_CHAIN, CHAINS, FIRST_COORDINATE, COORDINATES, CHAINS}, whole[0]);
    for (int cut = 0; cut < CUTS; cut++) {
        size_t column = below(CHAINS), row = below(COORDINATES);
        size_t columns = below(cut % 2 == 0 ? 12 : CHAINS), rows = below(COORDINATES);
        columns = columns <= CHAINS - column ? columns : CHAINS - column;
        rows = rows <= COORDINATES - row ? rows : COORDINATES - row;
        for (size_t i = 0; i < COORDINATES; i++)
            for (size_t c = 0; c < CHAINS; c++) {
                part[i][c] = MARK;
                inside[i][c] = i >= row && i < row + rows && c >= column && c < column + columns;
            }
        draw((struct random_block){key, 1, 2, FIRST_CHAIN + column, columns, FIRST_COORDINATE + row, rows, CHAINS},
             &part[row][column]);
        for (size_t i = 0; i < COORDINATES; i++)
            for (size_t c = 0; c < CHAINS; c++)
                if (part[i][c] != (inside[i][c] ? whole[i][c] : MARK))
                    ck_abort_msg("coordinate %zu, chain %zu of %zu x %zu from (%zu, %zu)", i, c, rows, columns, row,
                                 column);
    }
}

/* Bits of a few thousand numbers, recorded: the same on every machine and for every compiler. */
TEST(test_same_bits_everywhere, .count = COUNT(draws))
{
    enum { CHAINS = 333, COORDINATES = 31 };
    static const uint64_t recorded[COUNT(draws)] = {UINT64_C(13914102877032672087), UINT64_C(12958739226276786734)};
    static double out[COORDINATES * CHAINS];
    draws[_i]((struct random_block){random_key_of(7, 11), 1, 2, 5, CHAINS, 3, COORDINATES, CHAINS}, out);
    ck_assert_uint_eq(hash_bytes(out, sizeof out), recorded[_i]);
}

/* Undoes Philox: the counter that gives the wanted words. A multiplier is odd, so it has an inverse modulo 2^32. */
static philox4x32_ctr_t counter_of(philox4x32_ctr_t wanted, struct random_key key)
{
    uint32_t inverse0 = 1, inverse1 = 1;
    for (int newton = 0; newton < 5; newton++) {
        inverse0 *= 2 - PHILOX_M4x32_0 * inverse0;
        inverse1 *= 2 - PHILOX_M4x32_1 * inverse1;
    }
    for (uint32_t round = philox4x32_rounds; round-- > 0;) {
        uint32_t x0 = wanted.v[3] * inverse0, x2 = wanted.v[1] * inverse1;
        uint32_t high0 = (uint32_t)((uint64_t)x0 * PHILOX_M4x32_0 >> 32);
        uint32_t high1 = (uint32_t)((uint64_t)x2 * PHILOX_M4x32_1 >> 32);
        uint32_t x1 = wanted.v[0] ^ high1 ^ (key.word[0] + round * PHILOX_W32_0);
        uint32_t x3 = wanted.v[2] ^ high0 ^ (key.word[1] + round * PHILOX_W32_1);
        wanted = (philox4x32_ctr_t){{x0, x1, x2, x3}};
    }
    return wanted;
}

/* Numbers so rare that only the inverse of Philox finds where they are: the ends of both uniforms. */
TEST(test_ends)
{
    static const struct {
        uint32_t words[4];
        double uniform[2];
    } ends[] = {
        {{0, 0, 0, 0}, {0x1p-65, 0x1p-65}},
        {{1, 0, 0, 0x80000000}, {0x1.8p-64, 0.5}},
        {{0, 0, 0xffffffff, 0xffffffff}, {0x1p-65, 1.0 - 0x1p-53}},
        {{0xffffffff, 0xffffffff, 0, 0x40000000}, {1.0 - 0x1p-53, 0.25}},
        {{0xfffffbff, 0xffffffff, 0xfffffc00, 0xffffffff}, {1.0 - 0x1p-53, 1.0 - 0x1p-53}},
    };
    const struct random_key key = random_key_of(3, 0);
    for (size_t e = 0; e < COUNT(ends); e++) {
        philox4x32_ctr_t at = {{ends[e].words[0], ends[e].words[1], ends[e].words[2], ends[e].words[3]}};
        at = counter_of(at, key);
        double u[2], z[2], radius, x, y;
        random_uniforms((struct random_block){key, at.v[3], at.v[2], at.v[0], 1, 2 * (size_t)at.v[1], 2, 1}, u);
        random_normals((struct random_block){key, at.v[3], at.v[2], at.v[0], 1, 2 * (size_t)at.v[1], 2, 1}, z);
        ck_assert_mem_eq(u, ends[e].uniform, sizeof u);
        vlog(1, &u[0], &radius);
        radius = sqrt(-2.0 * radius);
        vsincos_turns(1, &u[1], &y, &x);
        ck_assert(z[0] == radius * x && z[1] == radius * y);
        ck_assert(radius > 0.0 && radius < 9.4926);
        ck_assert(u[0] > 0x1p-64 || radius > 9.4925);
    }
}

/* Both as uniforms: a normal by its distribution function. */
static double uniform_of(int which, double number)
{
    return which == 0 ? number : 0.5 * erfc(-number * M_SQRT1_2);
}

/* chi^2 of counts that should be equal, less its mean, in standard deviations. */
static double excess(const size_t *counts, size_t bins, double total)
{
    double chi2 = 0.0, mean = total / (double)bins;
    for (size_t b = 0; b < bins; b++)
        chi2 += ((double)counts[b] - mean) * ((double)counts[b] - mean) / mean;
    return (chi2 - (double)(bins - 1)) / sqrt(2.0 * (double)(bins - 1));
}

/* Kolmogorov and Smirnov's distance on a grid, and chi^2 in three ways: of the leading ten bits, of ten bits in the
 * middle, and of the leading five bits of a pair of coordinates, which are made from one another's bits. */
TEST(test_distribution, .count = COUNT(draws))
{
    enum { BINS = 1024, COARSE = 32 };
    size_t leading[BINS] = {0}, middle[BINS] = {0}, paired[BINS] = {0}, sum = 0;
    double *numbers = square(draws[_i], random_key_of(4, (uint64_t)_i), 1, 2, new_square()), distance = 0.0;
    for (size_t i = 0; i < MANY; i++) {
        double u = uniform_of(_i, numbers[i]);
        if (!(u > 0.0 && u < 1.0)) /* ck_assert writes to a pipe, each time */
            ck_abort_msg("%a is outside (0, 1)", u);
        leading[(size_t)(u * BINS)]++;
        middle[(size_t)(u * BINS * BINS) % BINS]++;
        if (i / SIDE % 2 == 1)
            paired[(size_t)(uniform_of(_i, numbers[i - SIDE]) * COARSE) * COARSE + (size_t)(u * COARSE)]++;
    }
    for (size_t b = 0; b < BINS; b++) {
        sum += leading[b];
        distance = fmax(distance, fabs((double)sum / MANY - (double)(b + 1) / BINS));
    }
    ck_assert_msg(distance * sqrt(MANY) < 1.95, "distance %g/sqrt(n)", distance * sqrt(MANY));
    ck_assert_double_lt(fabs(excess(leading, BINS, MANY)), 4.0);
    ck_assert_double_lt(fabs(excess(middle, BINS, MANY)), 4.0);
    ck_assert_double_lt(fabs(excess(paired, BINS, MANY / 2)), 4.0);
    free(numbers);
}

/* Moments up to the eighth and tails of ten million normals. */
TEST(test_normals)
{
    enum { MOMENTS = 8, TAILS = 5 };
    const struct random_key key = random_key_of(5, 0);
    double moments[MOMENTS + 1] = {0.0}, *z = new_square(), n = (double)MANY * ROUNDS;
    size_t beyond[TAILS + 1] = {0};
    for (uint32_t round = 0; round < ROUNDS; round++) {
        square(random_normals, key, 1, round, z);
        for (size_t i = 0; i < MANY; i++) {
            double power = 1.0;
            for (int k = 1; k <= MOMENTS; k++)
                moments[k] += power *= z[i];
            for (int k = 1; k <= TAILS; k++)
                beyond[k] += fabs(z[i]) > k;
        }
    }
    double exact[2 * MOMENTS + 1] = {1.0, 0.0};
    for (int k = 2; k <= 2 * MOMENTS; k++)
        exact[k] = (k - 1) * exact[k - 2];
    for (int k = 1; k <= MOMENTS; k++) {
        double error = sqrt((exact[2 * k] - exact[k] * exact[k]) / n), off = (moments[k] / n - exact[k]) / error;
        ck_assert_msg(fabs(off) < 4.0, "moment %d is %g, off by %g", k, moments[k] / n, off);
    }
    for (int k = 1; k <= TAILS; k++) {
        double p = erfc(k * M_SQRT1_2), off = ((double)beyond[k] - n * p) / sqrt(n * p * (1.0 - p));
        ck_assert_msg(fabs(off) < 4.0, "%zu beyond %d, not %g", beyond[k], k, n * p);
    }
    free(z);
}

/* Correlation of a[i] with b[i], and of their squares, in standard errors; both are standard normal. */
static void check_unrelated(const char *what, const double *a, const double *b, size_t count)
{
    double plain = 0.0, squares = 0.0;
    size_t equal = 0;
    for (size_t i = 0; i < count; i++) {
        plain += a[i] * b[i];
        squares += (a[i] * a[i] - 1.0) * (b[i] * b[i] - 1.0);
        equal += fabs(a[i]) == fabs(b[i]);
    }
    plain /= sqrt((double)count);
    squares /= 2.0 * sqrt((double)count);
    ck_assert_msg(fabs(plain) < 4.0 && fabs(squares) < 4.0 && equal == 0,
                  "%s: correlations %g, of squares %g; %zu are equal", what, plain, squares, equal);
}

/* A change of one argument by one, or of a single bit, gives unrelated numbers. */
TEST(test_neighbours)
{
    FREED double *here = new_square(), *there = new_square();
    const struct random_key key = random_key_of(6, 0);
    square(random_normals, key, 1, 2, here);
    check_unrelated("neighbouring coordinates", here, here + SIDE, MANY - SIDE);
    check_unrelated("second neighbours among coordinates", here, here + (size_t)2 * SIDE, MANY - (size_t)2 * SIDE);
    check_unrelated("neighbouring chains", here, here + 1, MANY - 1);
    check_unrelated("chains of equal last bits", here, here + 8, MANY - 8);
    check_unrelated("neighbouring steps", here, square(random_normals, key, 1, 3, there), MANY);
    check_unrelated("distant steps", here, square(random_normals, key, 1, 2 + 0x80000000u, there), MANY);
    check_unrelated("neighbouring purposes", here, square(random_normals, key, 2, 2, there), MANY);
    check_unrelated("purpose and step swapped", here, square(random_normals, key, 2, 1, there), MANY);
    check_unrelated("neighbouring seeds", here, square(random_normals, random_key_of(7, 0), 1, 2, there), MANY);
    check_unrelated("neighbouring streams", here, square(random_normals, random_key_of(6, 1), 1, 2, there), MANY);
    check_unrelated("seed and stream swapped", here, square(random_normals, random_key_of(0, 6), 1, 2, there), MANY);
    random_normals((struct random_block){key, 1, 2, SIDE, SIDE, 0, SIDE, SIDE}, there);
    check_unrelated("next chains", here, there, MANY);
    random_normals((struct random_block){key, 1, 2, 0, SIDE, SIDE, SIDE, SIDE}, there);
    check_unrelated("next coordinates", here, there, MANY);
}

/* Keys of nearby seeds and streams, and of seeds and streams that differ in any one bit, are all different, and in
 * half of their bits. */
TEST(test_keys)
{
    enum { SEEDS = 16, KEYS = SEEDS * SEEDS + 2 * 64 };
    struct random_key keys[KEYS];
    size_t count = 0, flips = 0, alike = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        for (uint64_t stream = 0; stream < SEEDS; stream++)
            keys[count++] = random_key_of(seed, stream);
    for (int bit = 0; bit < 64; bit++) {
        keys[count++] = random_key_of(UINT64_C(1) << bit ^ 100, 100);
        keys[count++] = random_key_of(100, UINT64_C(1) << bit ^ 100);
    }
    for (size_t a = 0; a < count; a++)
        for (size_t b = 0; b < a; b++) {
            uint32_t difference[2] = {keys[a].word[0] ^ keys[b].word[0], keys[a].word[1] ^ keys[b].word[1]};
            alike += difference[0] == 0 || difference[1] == 0;
            flips += (size_t)__builtin_popcount(difference[0]) + (size_t)__builtin_popcount(difference[1]);
        }
    ck_assert_uint_eq(alike, 0);
    double pairs = 0.5 * (double)count * (double)(count - 1), mean = (double)flips / pairs;
    ck_assert_double_lt(fabs(mean - 32.0), 0.2);
}
