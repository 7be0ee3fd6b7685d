#include "core/parallel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/memory.h"

enum { MOST_THREADS = 64, SPINS = 6000 };

/* The state of the team's loop: how many threads besides the caller work in it, whether one may still join, and its
 * number. */
#define WORKING UINT64_C(0xffff)
#define OPEN UINT64_C(0x10000)
#define NEXT_LOOP UINT64_C(0x20000)

struct worker {
    struct team *team;
    size_t thread;
    pthread_t handle;
};

struct team {
    parallel_turn *turn;
    void *context;
    size_t count;
    atomic_size_t next;
    _Atomic uint64_t state;
    atomic_bool ends, caller_sleeps;
    atomic_size_t sleepers;
    pthread_mutex_t mutex;
    pthread_cond_t begins, done;
    size_t threads;
    struct worker worker[MOST_THREADS - 1];
};

static void take_turns(struct team *team, size_t thread)
{
    for (size_t i; (i = atomic_fetch_add(&team->next, 1)) < team->count;)
        team->turn(team->context, thread, i);
}

static void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static bool may_join(struct team *team, uint64_t seen)
{
    uint64_t state = atomic_load(&team->state);
    return (state & OPEN) != 0 && state / NEXT_LOOP != seen;
}

/* Waits for a loop other than number `seen`. */
static void await_loop(struct team *team, uint64_t seen)
{
    for (int i = 0; i < SPINS; i++) {
        if (may_join(team, seen) || atomic_load(&team->ends))
            return;
        pause_briefly();
    }
    (void)pthread_mutex_lock(&team->mutex);
    atomic_fetch_add(&team->sleepers, 1);
    while (!may_join(team, seen) && !atomic_load(&team->ends))
        (void)pthread_cond_wait(&team->begins, &team->mutex);
    atomic_fetch_sub(&team->sleepers, 1);
    (void)pthread_mutex_unlock(&team->mutex);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct team *team = worker->team;
    uint64_t seen = 0;
    while (!atomic_load(&team->ends)) {
        uint64_t state = atomic_load(&team->state);
        if ((state & OPEN) == 0 || state / NEXT_LOOP == seen) {
            await_loop(team, seen);
            continue;
        }
        if (!atomic_compare_exchange_strong(&team->state, &state, state + 1))
            continue;
        seen = state / NEXT_LOOP;
        take_turns(team, worker->thread);
        if ((atomic_fetch_sub(&team->state, 1) & (WORKING | OPEN)) == 1 && atomic_load(&team->caller_sleeps)) {
            (void)pthread_mutex_lock(&team->mutex);
            (void)pthread_cond_signal(&team->done);
            (void)pthread_mutex_unlock(&team->mutex);
        }
    }
    return NULL;
}

static void wake_all(struct team *team)
{
    (void)pthread_mutex_lock(&team->mutex);
    (void)pthread_cond_broadcast(&team->begins);
    (void)pthread_mutex_unlock(&team->mutex);
}

struct team *team_new(size_t threads)
{
    struct team *team = threads > 1 ? array_new(1, sizeof *team) : NULL;
    if (team == NULL)
        return NULL;
    (void)pthread_mutex_init(&team->mutex, NULL);
    (void)pthread_cond_init(&team->begins, NULL);
    (void)pthread_cond_init(&team->done, NULL);
    for (team->threads = 1; team->threads < threads && team->threads < MOST_THREADS; team->threads++) {
        struct worker *worker = &team->worker[team->threads - 1];
        *worker = (struct worker){.team = team, .thread = team->threads};
        if (pthread_create(&worker->handle, NULL, work, worker) != 0)
            break;
    }
    if (team->threads > 1)
        return team;
    team_free(team);
    return NULL;
}

void team_free(struct team *team)
{
    if (team == NULL)
        return;
    atomic_store(&team->ends, true);
    wake_all(team);
    for (size_t i = 1; i < team->threads; i++)
        (void)pthread_join(team->worker[i - 1].handle, NULL);
    (void)pthread_cond_destroy(&team->done);
    (void)pthread_cond_destroy(&team->begins);
    (void)pthread_mutex_destroy(&team->mutex);
    free(team);
}

size_t team_threads(const struct team *team)
{
    return team != NULL ? team->threads : 1;
}

/* Closes the loop, and waits for those who work in it. */
static void finish(struct team *team)
{
    uint64_t state = atomic_fetch_and(&team->state, ~OPEN);
    for (int i = 0; (state & WORKING) != 0 && i < SPINS; i++) {
        pause_briefly();
        state = atomic_load(&team->state);
    }
    if ((state & WORKING) == 0)
        return;
    (void)pthread_mutex_lock(&team->mutex);
    atomic_store(&team->caller_sleeps, true);
    while ((atomic_load(&team->state) & WORKING) != 0)
        (void)pthread_cond_wait(&team->done, &team->mutex);
    atomic_store(&team->caller_sleeps, false);
    (void)pthread_mutex_unlock(&team->mutex);
}

void team_for(struct team *team, size_t count, parallel_turn *turn, void *context)
{
    if (team == NULL || count < 2) {
        for (size_t i = 0; i < count; i++)
            turn(context, 0, i);
        return;
    }
    team->turn = turn;
    team->context = context;
    team->count = count;
    atomic_store(&team->next, 0);
    atomic_store(&team->state, (atomic_load(&team->state) + NEXT_LOOP) | OPEN);
    if (atomic_load(&team->sleepers) > 0)
        wake_all(team);
    take_turns(team, 0);
    finish(team);
}
