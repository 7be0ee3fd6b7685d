/* Loops whose turns do not depend on one another, by several threads. Those that have nothing left to do sleep,
 * unlike OpenMP's, which take their turn at the cores while they wait: for turns of 10 microseconds and more, on
 * machines that others use, too. */
#ifndef CORE_PARALLEL_H
#define CORE_PARALLEL_H

#include <stddef.h>

/* Turn i, by thread `thread`. */
typedef void parallel_turn(void *context, size_t thread, size_t i);

/* All turns i < count, each thread [0, threads) taking the next one that is left. 0 threads count as 1; those that
 * the system refuses are done without. */
void parallel_for(size_t threads, size_t count, parallel_turn *turn, void *context);

#endif
