/* Plans and shares of work. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/process.h"
#include "experiment/plan.h"
#include "experiment/share.h"
#include "test/suite.h"

TEST_SUITE(plan);

static void share(struct piece *pieces, size_t count, size_t shares, double *load)
{
    ASSERT_OK(share_out, pieces, count, shares);
    memset(load, 0, shares * sizeof *load);
    for (size_t i = 0; i < count; i++) {
        ck_assert_uint_lt(pieces[i].share, shares);
        load[pieces[i].share] += pieces[i].cost;
    }
}

TEST(shares_balance_cost_not_count)
{
    enum { PIECES = 400, SHARES = 7 };
    struct piece pieces[PIECES];
    double load[SHARES], total = 0.0, largest = 0.0;
    unsigned short seed[3] = {4, 5, 6};
    for (size_t i = 0; i < PIECES; i++) {
        pieces[i] = (struct piece){.cost = i < 20 ? 1000.0 * erand48(seed) : erand48(seed), .index = i};
        total += pieces[i].cost;
    }
    share(pieces, PIECES, SHARES, load);
    for (size_t i = 0; i < SHARES; i++)
        largest = load[i] > largest ? load[i] : largest;
    ck_assert_double_lt(largest, 1.15 * total / SHARES);
}

/* Graham's worst case for three shares: 5 5 4 4 3 3 3 gives 11 where 9 is possible. Never worse than 4/3 of it. */
TEST(shares_keep_their_bound)
{
    struct piece pieces[] = {{5, 0, 9}, {5, 1, 9}, {4, 2, 9}, {4, 3, 9}, {3, 4, 9}, {3, 5, 9}, {3, 6, 9}};
    double load[3];
    share(pieces, 7, 3, load);
    for (size_t i = 0; i < 3; i++)
        ck_assert_double_le(load[i], 11.0);
    ck_assert_double_eq(load[0] + load[1] + load[2], 27.0);
}

TEST(shares_may_be_more_than_pieces)
{
    struct piece pieces[] = {{1, 0, 9}, {2, 1, 9}};
    double load[5];
    share(pieces, 2, 5, load);
    ck_assert_double_eq(load[0], 2.0);
    ck_assert_double_eq(load[1], 1.0);
}

static const char text[] =
    "targets: [{name: g, kind: gaussian, variance: 0.25}, {name: h, kind: gaussian, variance: 2}]\n"
    "samplers: [ddpm, accelerated]\ndimensions: [1, 4]\nsteps: [64, 128]\n"
    "score_errors: [{shape: bias, size: [0.1, 0.01]}]\naccuracies: [0.1]\nmax_steps: 4096\n";

static struct spec parse(const char *of)
{
    static const char *const claims[] = {NULL};
    struct spec spec;
    ASSERT_OK(spec_parse, "t.yaml", of, strlen(of), "", claims, &spec);
    return spec;
}

static struct spec spec_of(void)
{
    return parse(text);
}

TEST(plans_agree_on_shares)
{
    OWNED(spec) spec = spec_of();
    struct plan plan[2];
    size_t each[3] = {0, 0, 0};
    for (int i = 0; i < 2; i++)
        ASSERT_OK(plan_new, &spec, 3, &plan[i]);
    ck_assert_uint_eq(plan[0].count, plan[1].count);
    ck_assert_uint_eq(plan[0].pursuit_count, 4 * 3); /* with each score error */
    for (size_t i = 0; i < plan[0].count; i++) {
        const struct item *a = &plan[0].items[i], *b = &plan[1].items[i];
        ck_assert_uint_eq(a->share, b->share);
        ck_assert_uint_lt(a->share, 3);
        each[a->share]++;
        for (size_t j = 0; j < i; j++)
            ck_assert_int_ne(memcmp(&a->cell, &plan[0].items[j].cell, sizeof a->cell), 0);
    }
    ck_assert(each[0] > 0 && each[1] > 0 && each[2] > 0);
    for (int i = 0; i < 2; i++)
        plan_free(&plan[i]);
}

/* Nothing before all cells of a pursuit are settled; then the next T of the search if nothing passes, and nothing
 * after a failure that leaves nothing to find. */
TEST(pursuits_wait_and_go_on)
{
    OWNED(spec) spec = spec_of();
    OWNED(plan) plan;
    ASSERT_OK(plan_new, &spec, 1, &plan);
    size_t before = plan.count, members = plan.pursuits[0].count;
    for (size_t i = 0; i < members; i++) {
        size_t index = plan.pursuits[0].items[i];
        ASSERT_OK(plan_pursue, &plan, 0);
        ck_assert_uint_eq(plan.count, before);
        struct record *rows = calloc(spec.dimension_count, sizeof *rows);
        ck_assert_ptr_nonnull(rows);
        for (size_t d = 0; d < spec.dimension_count; d++)
            rows[d].tv = 50.0 / (double)plan.items[index].cell.steps; /* 0.1 is passed at T = 500 */
        plan_settle(&plan, index, ITEM_MEASURED, rows, NULL);
    }
    ASSERT_OK(plan_pursue, &plan, 0);
    ck_assert_uint_gt(plan.count, before);
    for (size_t i = before; i < plan.count; i++) {
        ck_assert(plan.items[i].cell.steps > 362 && plan.items[i].cell.steps < 512);
        plan_settle(&plan, i, ITEM_FAILED, NULL, strdup("no"));
    }
    size_t after = plan.count;
    for (int i = 0; i < 300; i++) {
        ASSERT_OK(plan_pursue, &plan, 0);
        for (; after < plan.count; after++)
            plan_settle(&plan, after, ITEM_FAILED, NULL, strdup("no"));
    }
    ck_assert_int_ne(plan.pursuits[0].ended, 0);
}

/* Workers: what an item does is told once, also by one that dies, and an error of its end stops the rest. */
struct log {
    size_t next, count, told, crashed, stop_at;
};

static int next_item(void *context, size_t *item)
{
    struct log *log = context;
    *item = log->next;
    return log->next < log->count && log->next++ < log->count;
}

static enum status run_item(void *context, size_t item, void *answer, struct error *error)
{
    (void)context;
    ck_assert_uint_eq(*(size_t *)answer, 0); /* whatever the one before left */
    *(size_t *)answer = item + 1;
    if (item % 5 == 3)
        abort();
    (void)fail_with(error, STATUS_NUMERIC, "what does not matter");
    return item % 5 == 4 ? fail_with(error, STATUS_NUMERIC, "item %zu", item) : STATUS_OK;
}

static enum status item_ended(void *context, size_t item, const void *answer, const struct error *cause,
                              struct error *error)
{
    static const enum status expected[] = {STATUS_OK, STATUS_OK, STATUS_OK, STATUS_EXTERNAL, STATUS_NUMERIC};
    struct log *log = context;
    ck_assert_int_eq((int)cause->status, (int)expected[item % 5]);
    ck_assert_uint_eq(*(const size_t *)answer, item + 1);
    ck_assert(cause->status != STATUS_OK || cause->text[0] == '\0');
    int crashed = cause->status == STATUS_EXTERNAL;
    ck_assert_int_eq(crashed, strstr(cause->text, "died of signal 6") != NULL);
    log->told++;
    log->crashed += crashed != 0;
    return log->told == log->stop_at ? fail_with(error, STATUS_IO, "stop") : STATUS_OK;
}

static int all_but_sevenths(void *context, size_t item)
{
    (void)context;
    return item % 7 != 0;
}

/* With a process for each item, and with several items a process, of which some die. */
TEST(workers_tell_how_each_item_ended)
{
    struct error error = {STATUS_OK, ""};
    for (int i = 0; i < 4; i++) {
        int processes = i < 2 ? 1 : 4;
        struct log log = {.count = 50, .stop_at = SIZE_MAX};
        const struct work work = {&log,      processes, sizeof(size_t), 0.0,
                                  next_item, run_item,  item_ended,     i % 2 ? all_but_sevenths : NULL};
        int interruption = 7;
        ASSERT_OK(workers_run, &work, &interruption);
        ck_assert_int_eq(interruption, 0);
        ck_assert_uint_eq(log.told, 50);
        ck_assert_uint_eq(log.crashed, 10);
        log = (struct log){.count = 50, .stop_at = 12};
        ck_assert_int_eq((int)workers_run(&work, &interruption, &error), (int)STATUS_IO);
        ck_assert_str_eq(error.text, "stop");
        ck_assert_uint_eq(log.told, 12);
    }
}

static enum status sleep_a_tenth(void *context, size_t item, void *answer, struct error *error)
{
    const struct timespec tenth = {item == 5 ? 100 : 0, 100000000};
    (void)context, (void)answer, (void)error;
    (void)nanosleep(&tenth, NULL);
    return STATUS_OK;
}

static enum status only_the_sixth_is_late(void *context, size_t item, const void *answer, const struct error *cause,
                                          struct error *error)
{
    struct log *log = context;
    (void)answer, (void)error;
    log->told++;
    ck_assert_int_eq((int)cause->status, (int)(item == 5 ? STATUS_EXTERNAL : STATUS_OK));
    ck_assert(item != 5 || strstr(cause->text, "took more than the 0.5 s") != NULL);
    return STATUS_OK;
}

static int all_light(void *context, size_t item)
{
    (void)context, (void)item;
    return 1;
}

/* Twelve items of 0.1 s in one process take longer than the 0.5 s that each may take. */
TEST(each_item_of_a_process_has_its_own_time)
{
    struct log log = {.count = 12};
    const struct work work = {&log, 1, 1, 0.5, next_item, sleep_a_tenth, only_the_sixth_is_late, all_light};
    int interruption;
    ASSERT_OK(workers_run, &work, &interruption);
    ck_assert_uint_eq(log.told, 12);
}

static void assert_dimensions(const struct item *item, size_t first, size_t count)
{
    ck_assert_uint_eq(item->cell.dimensions.count, count);
    ck_assert_uint_eq(item->cell.dimensions.of[0], first);
}

/* Three spins have no law, nor have radii under an error of all coordinates: there chains stand alone, beside laws in
 * one dimension. */
TEST(laws_are_measured_in_the_dimensions_that_have_them)
{
    OWNED(spec) spec = parse("targets: [{name: c, kind: curie-weiss, beta: 0.5}]\nsamplers: [ddpm]\n"
                             "dimensions: [1, 2, 3]\nsteps: [64, 32 d]\nsamples: {chains: 512}\n");
    OWNED(plan) plan;
    size_t laws = 0, chains = 0;
    ASSERT_OK(plan_new, &spec, 1, &plan);
    for (size_t i = 0; i < plan.count; i++) {
        laws += plan.items[i].cell.chains == 0 ? plan.items[i].cell.dimensions.count : 0;
        chains += plan.items[i].cell.chains > 0 ? plan.items[i].cell.dimensions.count : 0;
        if (plan.items[i].cell.chains == 0)
            assert_dimensions(&plan.items[i], 1, 1);
    }
    ck_assert_uint_eq(laws, 2);   /* T = 64 and 32 */
    ck_assert_uint_eq(chains, 5); /* T = 64, which is 32 d of d = 2, 32 and 96 */
}

TEST(searches_leave_out_dimensions_without_laws)
{
    OWNED(spec) spec = parse("targets: [{name: r, kind: radial, weights: [0.5, 0.5], sds: [0.5, 1]}]\n"
                             "samplers: [ddpm]\ndimensions: [1, 3]\nsteps: [64]\naccuracies: [0.1]\n"
                             "max_steps: 4096\nsamples: {chains: 512}\n"
                             "score_errors: [{shape: wave, size: 0.1, roughness: 1}]\n");
    OWNED(plan) plan;
    ASSERT_OK(plan_new, &spec, 1, &plan);
    ck_assert_uint_eq(plan.pursuit_count, 2);
    for (size_t next = 0; next < plan.count;) {
        for (; next < plan.count; next++) {
            struct record *rows = calloc(spec.dimension_count, sizeof *rows);
            ck_assert_ptr_nonnull(rows);
            for (size_t d = 0; d < spec.dimension_count; d++)
                rows[d].tv = 300.0 / (double)plan.items[next].cell.steps; /* 0.1 is passed beyond the first T's */
            if (plan.items[next].cell.chains == 0 && plan.items[next].cell.score_error > 0)
                assert_dimensions(&plan.items[next], 1, 1);
            else if (plan.items[next].cell.chains > 0 || plan.items[next].asked)
                assert_dimensions(&plan.items[next], 1, 2);
            plan_settle(&plan, next, ITEM_MEASURED, rows, NULL);
        }
        for (size_t i = 0; i < plan.pursuit_count; i++)
            ASSERT_OK(plan_pursue, &plan, i);
    }
    ck_assert_uint_gt(plan.pursuits[1].rounds, 1);
}
