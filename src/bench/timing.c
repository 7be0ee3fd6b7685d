#include "bench/timing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/vmath.h"

enum { BATCH = 1024 };

double processor_seconds(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

struct timing time_both(timed *thing, void *context, timed *bare, void *bare_context, int rounds,
                        double (*seconds_of)(void))
{
    struct timing best = {HUGE_VAL, HUGE_VAL};
    for (int round = 0; round < rounds; round++) {
        double start = seconds_of();
        thing(context);
        double middle = seconds_of();
        bare(bare_context);
        best.seconds = fmin(best.seconds, middle - start);
        best.bare = fmin(best.bare, seconds_of() - middle);
    }
    return best;
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
        __asm__ volatile("" : : "r"(out) : "memory"); /* the loop must not be thought idle */
    }
}

void library_exponentials(void *count)
{
    double x[BATCH], out[BATCH];
    fill(x);
    for (size_t done = 0; done < *(size_t *)count; done += BATCH) {
        for (size_t i = 0; i < BATCH; i++)
            out[i] = exp(x[i]);
        __asm__ volatile("" : : "r"(out) : "memory");
    }
}

void give_up(const struct error *error)
{
    fprintf(stderr, "bench: %s\n", error->text);
    exit(1);
}
