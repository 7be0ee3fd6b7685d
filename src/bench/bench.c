/* Speed as ratios to bare loops of the same run, so that the numbers hold on a noisy machine: `make bench`. */
#include <cblas.h>
#include <gsl/gsl_errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/random.h"
#include "core/vmath.h"
#include "law/divergence.h"
#include "sample/chains.h"

enum { REPEATS = 5, BATCH = 1024 };

static double now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Seconds for `calls` calls of libm's exp, the best of a few. */
static double bare_exp(size_t calls)
{
    double x[BATCH], out[BATCH], best = HUGE_VAL;
    for (size_t i = 0; i < BATCH; i++)
        x[i] = -1e-3 * (double)i;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        double start = now();
        for (size_t done = 0; done < calls; done += BATCH) {
            for (size_t i = 0; i < BATCH; i++)
                out[i] = exp(x[i]);
            /* the loop must not be thought idle */
            __asm__ volatile("" : : "r"(out) : "memory");
        }
        best = fmin(best, now() - start);
    }
    return best;
}

static void complain(const struct error *error)
{
    fprintf(stderr, "bench: %s\n", error->text);
    exit(1);
}

static struct law bench_line(const struct factor *factor, const char *sampler, size_t T)
{
    struct error error;
    struct schedule *schedule;
    struct law law = {0};
    struct measured tv;
    double best = HUGE_VAL;
    if (schedule_new(schedule_kind_find("li-cai"), 2.0, 8.5, T, &schedule, &error) != STATUS_OK)
        complain(&error);
    for (int repeat = 0; repeat < 3; repeat++) {
        law_free(&law);
        double start = now();
        if (law_compute(
                &(struct law_problem){.factor = factor, .sampler = sampler_find(sampler), .schedule = schedule}, &law,
                &error)
            != STATUS_OK)
            complain(&error);
        best = fmin(best, now() - start);
    }
    if (tv_single(&law, &tv, &error) != STATUS_OK)
        complain(&error);
    double bare = bare_exp(law.node_updates);
    printf(
        "| line, bimodal, %s, T = %zu | TV %.6e ± %.0e (relative %.0e) | %.3f s | %zu exp() calls: %.3f s | %.2f |\n",
        sampler, T, tv.value, tv.error, tv.error / tv.value, best, law.node_updates, bare, best / bare);
    schedule_free(schedule);
    return law;
}

static double bench_composition(const struct law *law, double d)
{
    struct error error;
    struct law_group group = {law, d};
    struct measured tv;
    double best = HUGE_VAL;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        double start = now();
        if (tv_composed(&group, 1, &tv, &error) != STATUS_OK)
            complain(&error);
        best = fmin(best, now() - start);
    }
    double bare = bare_exp(100000);
    printf("| composition, d = %.0f | TV %.6e ± %.0e | %.4f s | 100000 exp() calls: %.4f s | %.2f |\n", d, tv.value,
           tv.error, best, bare, best / bare);
    return best;
}

enum { CHAIN_DIMENSION = 64, CHAIN_STEPS = 257, CHAINS = 8192, NUMPY_CHAINS = 2048, NUMPY_STEPS = 65 };

/* Seconds for chains of the bimodal product by a clock, the best of a few. */
static double time_chains(const struct chain_problem *problem, double (*clock)(void))
{
    struct error error;
    struct points points;
    double best = HUGE_VAL;
    for (int repeat = 0; repeat < 3; repeat++) {
        double start = clock();
        if (chains_run(problem, CHAINS, &points, &error) != STATUS_OK)
            complain(&error);
        best = fmin(best, clock() - start);
        points_free(&points);
    }
    return best;
}

/* What a coordinate-step cannot do without: a normal number and an exponential of each component, in batches. */
static double time_primitives(double count)
{
    double x[BATCH], out[BATCH], best = HUGE_VAL;
    for (size_t i = 0; i < BATCH; i++)
        x[i] = -1e-3 * (double)i;
    for (int repeat = 0; repeat < 3; repeat++) {
        double start = now();
        for (double done = 0.0; done < count; done += BATCH) {
            random_normals(random_key_of(1, 2), 0, (uint32_t)(done / BATCH), 0, BATCH / 2, 0, 2, BATCH / 2, out);
            __asm__ volatile("" : : "r"(out) : "memory");
            for (int component = 0; component < 2; component++) {
                vexp(BATCH, x, out);
                __asm__ volatile("" : : "r"(out) : "memory");
            }
        }
        best = fmin(best, now() - start);
    }
    return best;
}

/* Coordinate-steps a second of the same sampler in NumPy, for any mixture and written for two components by hand.
 * Returns 0 where there is none. */
static int numpy_rates(const char *program, double *any, double *two)
{
    char command[4200];
    double steps = (double)CHAIN_DIMENSION * (NUMPY_STEPS - 1) * NUMPY_CHAINS;
    /* Debian's own interpreter is the one that python3-numpy belongs to. */
    (void)snprintf(command, sizeof command,
                   "for python in python3 /usr/bin/python3; do OPENBLAS_NUM_THREADS=1 $python '%s' %d %d %d && exit; "
                   "done 2>/dev/null",
                   program, CHAIN_DIMENSION, NUMPY_STEPS, NUMPY_CHAINS);
    FILE *pipe = popen(command, "r");
    int found = pipe != NULL && fscanf(pipe, "%lf %lf", any, two) == 2;
    if (pipe != NULL)
        (void)pclose(pipe);
    *any = steps / *any;
    *two = steps / *two;
    return found;
}

static void bench_chains(const struct factor *factor, const char *program)
{
    struct error error;
    struct schedule *schedule = NULL;
    struct factor_list list = {0};
    double steps = (double)CHAIN_DIMENSION * (CHAIN_STEPS - 1) * CHAINS;
    if (factor_list_append(&list, factor, CHAIN_DIMENSION, &error) != STATUS_OK
        || schedule_new(schedule_kind_find("li-cai"), 2.0, 8.5, CHAIN_STEPS, &schedule, &error) != STATUS_OK)
        complain(&error);
    struct chain_problem problem = {&list, CHAIN_DIMENSION, sampler_find("ddpm"), schedule, NULL, 1, 1, 1};
    double any = 1.0, by_hand = 1.0, one = time_chains(&problem, now), primitives = time_primitives(steps);
    double wall = time_chains(&problem, clock_seconds);
    problem.threads = 2;
    double two = time_chains(&problem, clock_seconds);
    printf("\nChains of ddpm, bimodal product, d = %d, T = %d: %.0f million coordinate-steps a second on one core, %.2f "
           "of the time of their normals and exponentials alone; two threads are %.2f times as fast as one.\n",
           CHAIN_DIMENSION, CHAIN_STEPS, steps / one * 1e-6, one / primitives, wall / two);
    if (numpy_rates(program, &any, &by_hand))
        printf("A vectorised NumPy loop for any mixture does %.1f million, %.1f times slower; one written for two "
               "components by hand %.1f million, %.1f times slower.\n",
               any * 1e-6, steps / one / any, by_hand * 1e-6, steps / one / by_hand);
    else
        puts("NumPy is not installed (python3-numpy): no comparison with its loop.");
    schedule_free(schedule);
    factor_list_free(&list);
}

int main(int argc, char **argv)
{
    static const double weight[] = {0.5, 0.5}, mean[] = {-1.0, 1.0}, sd[] = {0.3, 0.3};
    const struct factor bimodal = {1, 2, weight, mean, sd, NULL};
    (void)gsl_set_error_handler_off();
    openblas_set_num_threads(1); /* cells are run by threads, each with its own small matrices */
    puts("| what | result | time, one core | bare loop | ratio |\n|---|---|---:|---:|---:|");
    struct law law = bench_line(&bimodal, "ddpm", 4096);
    law_free(&law);
    law = bench_line(&bimodal, "accelerated", 4096);
    double four = bench_composition(&law, 4.0), million = bench_composition(&law, 1e6);
    printf("\nA composition at d = 10^6 takes %.2f of the time of one at d = 4.\n", million / four);
    law_free(&law);
    bench_chains(&bimodal, argc > 1 ? argv[1] : "src/bench/ddpm.py");
    return 0;
}
