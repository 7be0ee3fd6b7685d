#include "core/workers.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/memory.h"

/* How an item went, in memory that its process shares with the caller's. */
struct outcome {
    int finished;
    struct error error;
    _Alignas(max_align_t) char answer[];
};

struct worker {
    pid_t pid; /* 0: none */
    int ended; /* and what became of its item has not been told yet */
    size_t item;
    double deadline; /* by the clock; 0: none */
    int late;        /* it was killed because that was over */
};

struct crew {
    const struct work *work;
    struct worker
        *workers;   /* twice as many as may run: what is told of one takes time, and the next runs meanwhile */
    char *outcomes; /* one a worker, `stride` bytes apart */
    size_t stride;
    size_t size, running;
    int waits;   /* an item that could not be started yet */
    size_t item; /* that one */
    sigset_t signals, before;
    struct sigaction child_before;
};

#define LONGEST_WAIT 86400.0 /* s */

static const int interrupting[] = {SIGINT, SIGTERM, SIGHUP};
enum { INTERRUPTING = sizeof interrupting / sizeof interrupting[0] };

static struct outcome *outcome_of(const struct crew *crew, size_t place)
{
    return (struct outcome *)(void *)(crew->outcomes + place * crew->stride);
}

/* From here on signals wait until they are asked for. One that the caller was told to ignore (nohup) stays so. */
static void hold_signals(struct crew *crew)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    (void)sigemptyset(&crew->signals);
    (void)sigaddset(&crew->signals, SIGCHLD);
    for (size_t i = 0; i < INTERRUPTING; i++)
        if (sigaction(interrupting[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            (void)sigaddset(&crew->signals, interrupting[i]);
    action = (struct sigaction){.sa_handler = SIG_DFL};
    (void)sigaction(SIGCHLD, &action, &crew->child_before);
    (void)sigprocmask(SIG_BLOCK, &crew->signals, &crew->before);
}

/* Signals that came a second time meanwhile have had their effect. */
static void release_signals(const struct crew *crew)
{
    const struct timespec now = {0, 0};
    while (sigtimedwait(&crew->signals, NULL, &now) > 0)
        continue;
    (void)sigaction(SIGCHLD, &crew->child_before, NULL);
    (void)sigprocmask(SIG_SETMASK, &crew->before, NULL);
}

/* What exit() would do on behalf of the program is the caller's, also where a library calls it. */
static void end_at_once(int code, void *unused)
{
    (void)unused;
    _exit(code);
}

/* Never returns. The caller alone decides what a Ctrl-C means, which a terminal sends to all. */
static void be_worker(const struct crew *crew, size_t place, size_t item, pid_t parent)
{
    struct outcome *outcome = outcome_of(crew, place);
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    for (size_t i = 0; i < INTERRUPTING; i++)
        (void)sigaction(interrupting[i], &ignore, NULL);
    (void)sigprocmask(SIG_SETMASK, &crew->before, NULL);
    (void)on_exit(end_at_once, NULL); /* the last to be registered is called first */
    outcome->error.status = crew->work->run(crew->work->context, item, outcome->answer, &outcome->error);
    outcome->finished = 1;
    _exit(0);
}

/* Starts what there is to start and room for. */
static enum status start(struct crew *crew, struct error *error)
{
    const struct work *work = crew->work;
    pid_t parent = getpid();
    for (size_t place = 0; place < crew->size && crew->running < (size_t)work->processes; place++) {
        if (crew->workers[place].pid != 0)
            continue;
        crew->waits = crew->waits || work->next(work->context, &crew->item);
        if (!crew->waits)
            return STATUS_OK;
        memset(outcome_of(crew, place), 0, crew->stride);
        pid_t pid = fork();
        if (pid == 0)
            be_worker(crew, place, crew->item, parent);
        if (pid < 0)
            return crew->running > 0
                       ? STATUS_OK /* when one has ended there may be room */
                       : fail_with(error, STATUS_EXTERNAL, "cannot start a process: %s", strerror(errno));
        double deadline = work->seconds > 0.0 ? clock_seconds() + work->seconds : 0.0;
        crew->workers[place] = (struct worker){.pid = pid, .item = crew->item, .deadline = deadline};
        crew->waits = 0;
        crew->running++;
    }
    return STATUS_OK;
}

static void describe_death(int state, struct error *cause)
{
    if (WIFSIGNALED(state))
        (void)fail_with(cause, STATUS_EXTERNAL, "its process died of signal %d (%s)%s", WTERMSIG(state),
                        strsignal(WTERMSIG(state)),
                        WTERMSIG(state) == SIGKILL ? "; perhaps the machine ran out of memory" : "");
    else
        (void)fail_with(cause, STATUS_EXTERNAL, "its process ended by itself with exit status %d",
                        WEXITSTATUS(state));
}

/* Finds the processes that have ended. */
static void reap(struct crew *crew)
{
    for (size_t place = 0; place < crew->size; place++) {
        struct worker *worker = &crew->workers[place];
        int state = 0;
        if (worker->pid == 0 || worker->ended || waitpid(worker->pid, &state, WNOHANG) <= 0)
            continue;
        struct outcome *outcome = outcome_of(crew, place);
        worker->ended = 1;
        crew->running--;
        if (!outcome->finished && worker->late)
            (void)fail_with(&outcome->error, STATUS_EXTERNAL,
                            "its process took more than the %g s that a cell may take", crew->work->seconds);
        else if (!outcome->finished)
            describe_death(state, &outcome->error);
    }
}

static enum status tell(struct crew *crew, struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t place = 0; place < crew->size && status == STATUS_OK; place++) {
        struct worker *worker = &crew->workers[place];
        const struct outcome *outcome = outcome_of(crew, place);
        if (!worker->ended)
            continue;
        status = crew->work->ended(crew->work->context, worker->item, outcome->answer, &outcome->error, error);
        *worker = (struct worker){0};
    }
    return status;
}

static void kill_all(struct crew *crew)
{
    for (size_t place = 0; place < crew->size; place++) {
        pid_t pid = crew->workers[place].pid;
        if (pid == 0 || crew->workers[place].ended)
            continue;
        (void)kill(pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            continue;
        crew->workers[place].pid = 0;
    }
}

/* Kills processes whose time is up. Returns the seconds until the next one's is; negative: there is none. */
static double kill_late(struct crew *crew)
{
    double now = clock_seconds(), next = -1.0;
    for (size_t place = 0; place < crew->size; place++) {
        struct worker *worker = &crew->workers[place];
        if (worker->pid == 0 || worker->ended || worker->late || !(worker->deadline > 0.0))
            continue;
        double left = worker->deadline - now;
        if (left <= 0.0) {
            worker->late = 1;
            (void)kill(worker->pid, SIGKILL);
        } else if (next < 0.0 || left < next)
            next = left;
    }
    return next;
}

/* The number of the interrupting signal, 0 for the end of a process. */
static int await(struct crew *crew)
{
    for (;;) {
        double left = fmin(kill_late(crew), LONGEST_WAIT);
        const struct timespec most = {(time_t)left, (long)(1e9 * (left - floor(left)))};
        int signal = left < 0.0 ? sigwaitinfo(&crew->signals, NULL) : sigtimedwait(&crew->signals, NULL, &most);
        if (signal >= 0)
            return signal == SIGCHLD ? 0 : signal;
    }
}

static enum status work_on(struct crew *crew, int *interruption, struct error *error)
{
    for (;;) {
        enum status status = start(crew, error);
        if (status != STATUS_OK || crew->running == 0)
            return status;
        *interruption = await(crew);
        if (*interruption != 0)
            return fail_with(error, STATUS_INTERRUPTED, "interrupted by signal %d (%s)", *interruption,
                             strsignal(*interruption));
        reap(crew);
        status = start(crew, error);
        if (status == STATUS_OK)
            status = tell(crew, error);
        if (status != STATUS_OK)
            return status;
    }
}

enum status workers_run(const struct work *work, int *interruption, struct error *error)
{
    struct crew crew = {.work = work, .size = 2 * (size_t)work->processes};
    size_t unit = sizeof(struct outcome), most = SIZE_MAX / crew.size / 2 - unit;
    crew.stride = work->answer < most ? (unit + work->answer + unit - 1) / unit * unit : 0;
    size_t bytes = crew.size * crew.stride;
    *interruption = 0;
    crew.workers = array_new(crew.size, sizeof *crew.workers);
    crew.outcomes = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    enum status status = STATUS_OK;
    if (crew.workers == NULL || crew.outcomes == MAP_FAILED) { /* also of 0 bytes */
        status = fail_with(error, STATUS_MEMORY, "out of memory for %zu processes", crew.size);
    } else {
        hold_signals(&crew);
        status = work_on(&crew, interruption, error);
        kill_all(&crew);
        release_signals(&crew);
    }
    if (crew.outcomes != MAP_FAILED)
        (void)munmap(crew.outcomes, bytes);
    free(crew.workers);
    return status;
}
