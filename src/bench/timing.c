#include "bench/timing.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/vmath.h"

enum { BATCH = 1024, MOST_ROUNDS = 64 };

double processor_seconds(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

struct timing time_both(timed *thing, void *context, timed *bare, void *bare_context, int rounds,
                        double (*seconds_of)(void))
{
    struct timing out = {HUGE_VAL, HUGE_VAL, 0.0};
    double ratio[MOST_ROUNDS];
    size_t count = (size_t)rounds < MOST_ROUNDS ? (size_t)rounds : MOST_ROUNDS;
    for (size_t round = 0; round < count; round++) {
        double start = seconds_of();
        thing(context);
        double middle = seconds_of();
        bare(bare_context);
        double end = seconds_of();
        out.seconds = fmin(out.seconds, middle - start);
        out.bare = fmin(out.bare, end - middle);
        ratio[round] = (middle - start) / (end - middle);
    }
    gsl_sort(ratio, 1, count);
    out.ratio = gsl_stats_median_from_sorted_data(ratio, 1, count);
    return out;
}

static void fill(double *x)
{
    for (size_t i = 0; i < BATCH; i++)
        x[i] = -1e-3 * (double)i;
}

void vector_exponentials(void *count)
{
    double x[BATCH], out[BATCH];
    fill(x);
    for (size_t done = 0; done < *(size_t *)count; done += BATCH) {
        vexp(BATCH, x, out);
        __asm__ volatile("" : : "r"(out) : "memory"); /* the loop must not be optimised away */
    }
}

void give_up(const struct error *error)
{
    fprintf(stderr, "bench: %s\n", error->text);
    exit(1);
}
