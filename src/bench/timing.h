/* Processor time of work and of something bare that it is compared with. */
#ifndef BENCH_TIMING_H
#define BENCH_TIMING_H

#include "core/status.h"

/* Seconds that the process has used, all threads. */
double processor_seconds(void);

/* What is timed. It ends the program if it fails. */
typedef void timed(void *context);

struct timing {
    double seconds, bare; /* the least */
    double ratio;         /* of the two: the median of those that were measured one after the other */
};

/* Of 1..64 rounds, in which both take turns: machines change their speed for seconds at a time, and so for both.
 * `seconds_of` is the clock. */
struct timing time_both(timed *thing, void *context, timed *bare, void *bare_context, int rounds,
                        double (*seconds_of)(void));

/* Bare loops of *(size_t *)count calls, whose arrays stay in the first-level cache. */
void vector_exponentials(void *count); /* of core/vmath.h */

_Noreturn void give_up(const struct error *error);

#endif
