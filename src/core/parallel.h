/* Loops whose turns do not depend on one another, by a team of threads that stays for a whole computation: one is
 * made where a law begins (struct propagation has it), and every loop of every step is shared by it. A thread without
 * work waits for the next loop in a busy loop for some 150 microseconds and then sleeps: most of what a law does
 * between two loops, such as a layout of panels, takes less, and to wake a thread may take as long. So a loop of 10
 * microseconds and more is worth sharing, and a machine that others use loses little by it. Threads that come late,
 * because the system lets them wait, are not waited for.
 *
 *     struct team *team = team_new(threads);
 *     team_for(team, patches, fill, &filling);      as often as one likes
 *     team_free(team);
 *
 * For the same bits by any number of threads a turn writes only what belongs to it, in a workspace of its thread, and
 * what turns add up is added after the loop, in their order. */
#ifndef CORE_PARALLEL_H
#define CORE_PARALLEL_H

#include <stddef.h>

struct team;

/* So many threads, the caller among them. NULL where one is asked for, or the system refuses all others: everywhere
 * below, NULL is the caller alone. */
struct team *team_new(size_t threads);
void team_free(struct team *team);

/* How many workspaces a loop needs. */
size_t team_threads(const struct team *team);

/* Turn i, by thread `thread`, 0 the caller. */
typedef void parallel_turn(void *context, size_t thread, size_t i);

/* All turns i < count, each thread taking the next one that is left. For the thread that made the team, one loop at a
 * time. */
void team_for(struct team *team, size_t count, parallel_turn *turn, void *context);

#endif
