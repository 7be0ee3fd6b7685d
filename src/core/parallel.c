#include "core/parallel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { MOST_THREADS = 64 };

struct loop {
    parallel_turn *turn;
    void *context;
    size_t count;
    atomic_size_t next;
};

struct worker {
    struct loop *loop;
    size_t thread;
    pthread_t handle;
    bool runs;
};

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct loop *loop = worker->loop;
    for (size_t i; (i = atomic_fetch_add(&loop->next, 1)) < loop->count;)
        loop->turn(loop->context, worker->thread, i);
    return NULL;
}

void parallel_for(size_t threads, size_t count, parallel_turn *turn, void *context)
{
    struct loop loop = {.turn = turn, .context = context, .count = count};
    struct worker worker[MOST_THREADS];
    size_t most = threads < MOST_THREADS ? threads : MOST_THREADS;
    most = most < count ? most : count;
    worker[0] = (struct worker){.loop = &loop};
    for (size_t i = 1; i < most; i++) {
        worker[i] = (struct worker){.loop = &loop, .thread = i};
        worker[i].runs = pthread_create(&worker[i].handle, NULL, work, &worker[i]) == 0;
    }
    work(&worker[0]);
    for (size_t i = 1; i < most; i++)
        if (worker[i].runs)
            pthread_join(worker[i].handle, NULL);
}
