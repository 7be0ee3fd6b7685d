/* Brackets of T(d, eps): what measured T say of it, and which T to measure next. */

#include "experiment/bracket.h"

#include "test/laws.h"
#include "test/planted_powers.h"
#include "test/suite.h"

TEST_SUITE(bracket);

#define C1 8.5

static struct point point(size_t T, double tv)
{
    return (struct point){T, li_cai_step_size(C1, T), tv, 0.0};
}

static void add_point(struct point *points, size_t *count, size_t T, double value, double radius)
{
    size_t at = (*count)++;
    ck_assert_uint_lt(at, 100);
    for (; at > 0 && points[at - 1].steps > T; at--)
        points[at] = points[at - 1];
    points[at] = (struct point){T, li_cai_step_size(C1, T), value, radius * value};
}

TEST(test_bracket)
{
    const struct point points[] = {point(64, 0.4),   point(128, 0.2),  point(129, 0.1),
                                   point(256, 0.05), point(512, 0.06), point(1024, 0.01)};
    static const struct {
        double accuracy;
        enum reach reach;
        size_t fails, passes;
    } expected[] = {
        {0.5, REACH_AT_START, 0, 64},   {0.4, REACH_AT_START, 0, 64},  {0.3, REACH_OPEN, 64, 128},
        {0.21, REACH_OPEN, 64, 128},    {0.15, REACH_FOUND, 128, 129}, {0.1, REACH_FOUND, 128, 129},
        {0.055, REACH_OPEN, 129, 256},  {0.02, REACH_OPEN, 512, 1024}, {0.01, REACH_OPEN, 512, 1024},
        {0.001, REACH_BEYOND, 1024, 0},
    };
    for (size_t i = 0; i < COUNT(expected); i++)
        for (size_t attempt = 0; attempt < 9; attempt++) {
            struct bracket b = bracket_find(points, 6, expected[i].accuracy, attempt);
            ck_assert_int_eq(b.reach, expected[i].reach);
            ck_assert_uint_eq(b.fails, expected[i].fails);
            ck_assert_uint_eq(b.passes, expected[i].passes);
            ck_assert_int_eq(b.want > b.fails && b.want < b.passes, b.reach == REACH_OPEN);
            ck_assert(b.want == 0 || b.reach == REACH_OPEN);
        }
    /* What fails because of its radius alone leaves T(d, eps) open from below. */
    const struct point unsure[] = {{100, 0.5, 0.09, 0.02}, {101, 0.49, 0.089, 0.001}};
    struct bracket limit = bracket_find(unsure, 2, 0.1, 0);
    ck_assert(limit.reach == REACH_FOUND && limit.passes == 101 && !limit.certain);
    limit = bracket_find(unsure, 2, 0.0895, 0);
    ck_assert(limit.reach == REACH_BEYOND && limit.fails == 101);
    ck_assert(bracket_find(points, 6, 0.15, 0).certain);
    const struct point two_apart[] = {point(300, 0.2), point(302, 0.1)};
    struct bracket open = bracket_find(two_apart, 2, 0.15, 0);
    ck_assert_int_eq(open.reach, REACH_OPEN);
    ck_assert_uint_eq(open.want, 301);
    struct bracket nothing = bracket_find(points, 0, 0.1, 0);
    ck_assert(nothing.reach == REACH_BEYOND && nothing.fails == 0 && nothing.passes == 0);
}

/* On a power law the first guess is the answer; on anything, brackets close in a few measurements, and seldom at T
 * - 1. Values that may be wrong by more than they change from T - 1 to T leave that to be measured. */
TEST(test_bracket_closes)
{
    static const struct power_law laws[] = {DDPM, FAST, {0.3, 0.0, 2.7, KL_RIGHT}, {1.0, 0.0, 0.1, KL_RIGHT}};
    static const double radii[] = {0.0, 1e-8, 1e-3};
    for (size_t l = 0; l < 4; l++)
        for (size_t r = 0; r < COUNT(radii); r++) {
            size_t found = 0, before = 0;
            for (double accuracy = 0.3; accuracy > 1e-6; accuracy *= 0.37) {
                struct point points[100];
                size_t count = 0, attempt = 0, exact;
                exact = power_steps(&laws[l], 1.0, accuracy / (1.0 + radii[r]));
                for (size_t T = 64; T <= PLANTED_LARGEST; T *= 2)
                    add_point(points, &count, T, power_tv(&laws[l], 1.0, T), radii[r]);
                struct bracket b = bracket_find(points, count, accuracy, attempt);
                if (b.reach == REACH_OPEN && r == 0)
                    ck_assert_msg(b.want == exact || b.want + 1 == exact, "wants %zu, not %zu", b.want, exact);
                for (; b.reach == REACH_OPEN && attempt < 40; b = bracket_find(points, count, accuracy, ++attempt)) {
                    before += b.want + 1 == exact;
                    add_point(points, &count, b.want, power_tv(&laws[l], 1.0, b.want), radii[r]);
                }
                ck_assert_int_eq(b.reach, exact > PLANTED_LARGEST ? REACH_BEYOND
                                          : exact <= 64           ? REACH_AT_START
                                                                  : REACH_FOUND);
                if (b.reach == REACH_FOUND)
                    ck_assert_uint_eq(b.passes, exact);
                found += b.reach == REACH_FOUND && exact > 1024;
                ck_assert_uint_le(attempt, 4);
            }
            ck_assert_msg(r == 2 ? before >= found : 4 * before <= found, "%zu of %zu, %zu %zu", before, found, l, r);
        }
}
