#include "bench/cases.h"

#include <math.h>

#include "core/clock.h"
#include "core/random.h"
#include "core/vmath.h"
#include "sample/chains.h"

static const double halves[] = {0.5, 0.5}, modes[] = {-1.0, 1.0}, equal[] = {0.3, 0.3}, scales[] = {0.5, 1.0};
static const double weights[] = {0.2, 0.5, 0.3}, means[] = {-1.5, 0.0, 1.0}, sds[] = {0.2, 0.5, 0.3};
const struct factor bimodal = {1, 2, halves, modes, equal, NULL, NULL, NULL},
                    skewed = {1, 3, weights, means, sds, NULL, NULL, NULL};
static const double eighths[] = {0.125, 0.125, 0.125, 0.125, 0.125, 0.125, 0.125, 0.125};
static const double ring[] = {2.0,  0.0, M_SQRT2,  M_SQRT2,  0.0, 2.0,  -M_SQRT2, M_SQRT2,
                              -2.0, 0.0, -M_SQRT2, -M_SQRT2, 0.0, -2.0, M_SQRT2,  -M_SQRT2};
static const double widths[] = {0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3};
static const double corners[] = {-1.0, -0.6, 0.9, -0.5, 0.2, 1.0};
const struct factor ring_of_eight = {2, 8, eighths, ring, widths, NULL, NULL, NULL},
                    three_in_the_plane = {2, 3, weights, corners, sds, NULL, NULL, NULL};
static const double teeth[] = {-1.9, -1.7, -1.5, -1.3, -1.1, -0.9, -0.7, -0.5, -0.3, -0.1,
                               0.1,  0.3,  0.5,  0.7,  0.9,  1.1,  1.3,  1.5,  1.7,  1.9};
static const double twentieths[] = {0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05,
                                    0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05};
static const double thin[] = {0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02,
                              0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02};
const struct factor comb = {1, 20, twentieths, teeth, thin, NULL, NULL, NULL};
const struct factor two_scales = {4096, 2, halves, NULL, scales, NULL, NULL, NULL};

static struct schedule *make_schedule(size_t T)
{
    struct error error;
    struct schedule *schedule;
    if (schedule_new(schedule_kind_find("li-cai"), 2.0, 8.5, T, &schedule, &error) != STATUS_OK)
        give_up(&error);
    return schedule;
}

struct law_work {
    struct law_problem problem;
    struct law law;
};

static void compute(void *context)
{
    struct law_work *work = context;
    struct error error;
    law_free(&work->law);
    if (law_compute(&work->problem, &work->law, &error) != STATUS_OK)
        give_up(&error);
}

struct law_run law_run(const struct law_case *law, int rounds, size_t threads)
{
    struct schedule *schedule = make_schedule(law->T);
    struct law_work work = {
        .problem = {
            .factor = law->factor, .sampler = sampler_find(law->sampler), .schedule = schedule, .threads = threads}};
    compute(&work);
    size_t functions = work.law.exponentials > 0 ? work.law.exponentials : work.law.node_updates;
    struct timing time = time_both(compute, &work, vector_exponentials, &functions, rounds,
                                   threads > 1 ? clock_seconds : processor_seconds);
    schedule_free(schedule);
    return (struct law_run){work.law, time, functions};
}

void law_run_free(struct law_run *run)
{
    law_free(&run->law);
}

void compose(void *context)
{
    struct sum *sum = context;
    struct error error;
    if (tv_composed(&sum->group, 1, &sum->tv, &error) != STATUS_OK)
        give_up(&error);
}

enum { BATCH = 1024 };

static void primitives(void *context)
{
    double x[BATCH], out[BATCH];
    for (size_t i = 0; i < BATCH; i++)
        x[i] = -1e-3 * (double)i;
    for (size_t batch = 0; batch < *(size_t *)context / BATCH; batch++) {
        random_normals((struct random_block){random_key_of(1, 2), 0, (uint32_t)batch, 0, BATCH / 2, 0, 2, BATCH / 2},
                       out);
        __asm__ volatile("" : : "r"(out) : "memory");
        for (int component = 0; component < 2; component++) {
            vexp(BATCH, x, out);
            __asm__ volatile("" : : "r"(out) : "memory");
        }
    }
}

struct chain_work {
    struct chain_problem problem;
    size_t chains;
};

static void simulate(void *context)
{
    struct chain_work *work = context;
    struct error error;
    struct points points;
    if (chains_run(&work->problem, work->chains, &points, &error) != STATUS_OK)
        give_up(&error);
    points_free(&points);
}

struct chain_run chain_run(const struct chain_case *chains, int rounds)
{
    struct error error;
    struct factor_list list = {0};
    struct schedule *schedule = make_schedule(chains->steps);
    size_t count = chains->dimension * (chains->steps - 1) * chains->chains;
    if (factor_list_append(&list, &bimodal, (double)chains->dimension, &error) != STATUS_OK)
        give_up(&error);
    struct chain_work work = {.problem = {.list = &list,
                                          .dimension = chains->dimension,
                                          .sampler = sampler_find("ddpm"),
                                          .schedule = schedule,
                                          .seed = 1,
                                          .stream = 1,
                                          .threads = chains->threads},
                              .chains = chains->chains};
    struct timing time = time_both(simulate, &work, primitives, &count, rounds, processor_seconds);
    double wall = clock_seconds();
    simulate(&work);
    wall = clock_seconds() - wall;
    schedule_free(schedule);
    factor_list_free(&list);
    return (struct chain_run){time.seconds, time.ratio, wall};
}
