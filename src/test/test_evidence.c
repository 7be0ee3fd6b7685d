/* What evidence says of stored rows: T(d, eps), rows in their order, those of score errors apart. */
#include <math.h>

#include "experiment/bracket.h"
#include "verdict/claims.h"

#include "test/laws.h"
#include "test/planted.h"
#include "test/planted_powers.h"
#include "test/suite.h"

TEST_SUITE(evidence);

/* T(d, eps) read back is the planted one, and rows come sorted. */
TEST(test_evidence)
{
    const struct power_world world = {DDPM, FAST, 0, 0};
    OWNED(evidence) evidence;
    power_evidence(&world, NULL, &evidence);
    size_t fast = evidence_sampler(&evidence, "accelerated"), at_start = 0, found = 0;
    ck_assert_uint_eq(fast, 1);
    ck_assert_uint_eq(evidence_sampler(&evidence, "ddim"), 2);
    for (size_t d = 0; d < PLANTED_DIMENSIONS; d++) {
        const struct row_list rows = evidence_rows(&evidence, 0, fast, 0, d);
        for (size_t i = 0; i < rows.count; i++)
            ck_assert(rows.row[i]->dimension == planted_dimensions[d]
                      && (i == 0 || rows.row[i]->steps > rows.row[i - 1]->steps));
        for (size_t e = 0; e < 8; e++) {
            const struct bracket *bracket = evidence_complexity(&evidence, 0, fast, d, e);
            size_t exact = power_steps(&world.accelerated, (double)planted_dimensions[d], planted_accuracies[e]);
            ck_assert_int_eq(bracket->reach, exact <= 64 ? REACH_AT_START : REACH_FOUND);
            ck_assert_uint_eq(bracket->passes, exact <= 64 ? 64 : exact);
            at_start += bracket->reach == REACH_AT_START;
            found += bracket->reach == REACH_FOUND;
        }
    }
    ck_assert(found + at_start == 32 && found > 20);
    ck_assert_double_eq_tol(log_free_cost("li-yan", 1024), 1024.0 / log(1024.0), 1e-12);
    ck_assert(log_free_cost("karras", 1024) == 1024.0 && log_free_cost("of-a-plug-in", 1024) == 1024.0);
}

/* Score errors have rows of their own, and none in T(d, eps): with exact scores T = 257 passes where 256 fails. */
TEST(test_evidence_of_score_errors)
{
    static const char text[] = "targets: [{name: planted, kind: gaussian, variance: 0.25}]\nsamplers: [ddpm]\n"
                               "dimensions: [1]\nsteps: [256, 257]\naccuracies: [0.1]\n"
                               "score_errors: [{shape: wave, size: [0.2, 0.3], roughness: 2, spread: one}]\n";
    static const double sizes[] = {0.0, 0.2, 0.3}, tv[3][2] = {{0.11, 0.09}, {0.01, 0.02}, {0.5, 0.6}};
    const struct power_law law = DDPM;
    struct score_error wave = make_error("wave", 0.0, 2.0, 0.0);
    struct record rows[6];
    OWNED(evidence) evidence;
    wave.spread = SPREAD_ONE;
    for (size_t i = 0; i < 6; i++) {
        wave.size = sizes[i % 3];
        rows[i] = power_row(&law, "ddpm", 1, 257 - i / 3);
        plant_error(&rows[i], i % 3 > 0 ? &wave : &(struct score_error){.shape = NULL});
        rows[i].tv = tv[i % 3][1 - i / 3];
        rows[i].tv_error = 0.0;
    }
    planted_read_back(text, rows, 6, &evidence);
    for (size_t e = 0; e < 3; e++) {
        const struct row_list found = evidence_rows(&evidence, 0, 0, e, 0);
        ck_assert_uint_eq(found.count, 2);
        for (size_t i = 0; i < 2; i++) {
            ck_assert_uint_eq(found.row[i]->steps, 256 + i);
            ck_assert_double_eq(found.row[i]->score_error_size, sizes[e]);
            ck_assert_double_eq(found.row[i]->tv, tv[e][i]);
        }
    }
    const struct bracket *bracket = evidence_complexity(&evidence, 0, 0, 0, 0);
    ck_assert(bracket->reach == REACH_FOUND && bracket->fails == 256 && bracket->passes == 257);
}
