/* Speed as ratios to bare loops of the same run, so that the numbers hold on a noisy machine: `make bench`. */
#include <gsl/gsl_errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/memory.h"
#include "law/divergence.h"

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

int main(void)
{
    static const double weight[] = {0.5, 0.5}, mean[] = {-1.0, 1.0}, sd[] = {0.3, 0.3};
    const struct factor bimodal = {1, 2, weight, mean, sd, NULL};
    (void)gsl_set_error_handler_off();
    puts("| what | result | time, one core | bare loop | ratio |\n|---|---|---:|---:|---:|");
    struct law law = bench_line(&bimodal, "ddpm", 4096);
    law_free(&law);
    law = bench_line(&bimodal, "accelerated", 4096);
    double four = bench_composition(&law, 4.0), million = bench_composition(&law, 1e6);
    printf("\nA composition at d = 10^6 takes %.2f of the time of one at d = 4.\n", million / four);
    law_free(&law);
    return 0;
}
