/* Teams of threads, and laws that are computed by them: the same bits for any number of threads. */
#include <stdatomic.h>
#include <time.h>

#include "core/parallel.h"
#include "law/law.h"
#include "test/laws.h"
#include "test/suite.h"

TEST_SUITE(parallel);

enum { TURNS = 50 };

struct counts {
    atomic_int turn[TURNS], wrong;
    size_t threads;
};

static void count_turn(void *context, size_t thread, size_t i)
{
    struct counts *counts = context;
    atomic_fetch_add(&counts->turn[i], 1);
    atomic_fetch_add(&counts->wrong, thread >= counts->threads);
}

/* Every turn of every loop once, and all of them before the loop returns; also where threads have fallen asleep. */
TEST(every_turn_is_taken_once)
{
    for (size_t threads = 0; threads < 5; threads++) {
        struct team *team = team_new(threads);
        struct counts counts = {.threads = team_threads(team)};
        ck_assert_uint_le(counts.threads, threads > 1 ? threads : 1);
        for (int loop = 1; loop <= 2000; loop++) {
            size_t count = (size_t)loop % (TURNS + 1);
            for (size_t i = 0; i < TURNS; i++)
                counts.turn[i] = 0;
            if (loop % 500 == 0)
                ck_assert_int_eq(nanosleep(&(struct timespec){0, 2000000}, NULL), 0);
            team_for(team, count, count_turn, &counts);
            for (size_t i = 0; i < TURNS; i++)
                ck_assert_msg(counts.turn[i] == (i < count), "%zu threads, loop %d: turn %zu was taken %d times",
                              threads, loop, i, counts.turn[i]);
        }
        ck_assert_int_eq(counts.wrong, 0);
        team_free(team);
    }
}

static const double weights[] = {0.2, 0.5, 0.3}, means[] = {-1.5, 0.0, 1.0}, sds[] = {0.2, 0.5, 0.3};
static const struct factor line = {1, 3, weights, means, sds, NULL, NULL, NULL},
                           shells = {16, 2, weights, NULL, sds, NULL, NULL, NULL};
static const double on_axis[] = {-0.5, 0.0, 0.0, 0.5, 0.0, 0.0}, halves[] = {0.5, 0.5};
static const struct factor axis = {3, 2, halves, on_axis, (const double[]){0.7, 0.9}, NULL, NULL, NULL};
static const struct {
    const struct factor *factor;
    const char *sampler;
    size_t T;
} cases[] = {{&line, "accelerated", 100}, {&line, "pf-ode-2", 60}, {&line, "randomised-midpoint", 60},
             {&shells, "ddpm", 100},      {&shells, "ddim", 100},  {&axis, "ddpm-ancestral", 30}};

/* In an OpenMP region too. The last, around an axis, takes seconds. */
TEST(laws_have_the_same_bits, .count = COUNT(cases) - (taken(2) < 2), .grows = 1)
{
    OWNED_SCHEDULE *schedule = make_li_cai(cases[_i].T);
    struct law one, other;
    struct law_problem problem = {
        .factor = cases[_i].factor, .sampler = sampler_find(cases[_i].sampler), .schedule = schedule};
    ASSERT_OK(law_compute, &problem, &one);
    for (problem.threads = 2; problem.threads < 5; problem.threads++) {
#pragma omp parallel num_threads(problem.threads == 4 ? 2 : 1)
#pragma omp single
        ASSERT_OK(law_compute, &problem, &other);
        ck_assert(one.component_error == NULL || one.component_error[0] == other.component_error[0]);
        ck_assert_uint_eq(one.log_ratio.count, other.log_ratio.count);
        ck_assert_mem_eq(one.log_ratio.panel, other.log_ratio.panel, one.log_ratio.count * sizeof(struct panel));
        ck_assert(one.error_l1 == other.error_l1 && one.error_l2 == other.error_l2);
        ck_assert_uint_eq(one.node_updates, other.node_updates);
        law_free(&other);
    }
    law_free(&one);
}
