#define _GNU_SOURCE /* memfd_create */
#include "core/process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/memory.h"

/* Waits for a process to end; its state, or -1 and errno. */
static int await_end(pid_t pid, int *state)
{
    pid_t found;
    do
        found = waitpid(pid, state, 0);
    while (found < 0 && errno == EINTR);
    return found == pid ? 0 : -1;
}

/* ---- Many items ---- */

/* How an item went, in memory that its process shares with the caller's. */
struct outcome {
    _Atomic double begun; /* by the clock; 0: not yet */
    bool finished;
    struct error error;
    _Alignas(max_align_t) char answer[];
};

struct worker {
    pid_t pid;  /* 0: none */
    bool ended; /* and what became of its items has not been reported yet */
    size_t items, item[PROCESS_ITEMS];
    double begun; /* by the clock */
    size_t late;  /* it was killed because the time of its item number late - 1 was up; 0: it was not */
};

struct pool {
    const struct work *work;
    struct worker *workers; /* twice as many as may run: to report on one takes time, and the next runs meanwhile */
    char *outcomes;         /* one an item, `stride` bytes apart */
    size_t stride;
    size_t size, running;
    size_t *waiting; /* items that could not be started yet, or that their process did not come to */
    size_t waiting_count, waiting_room;
    sigset_t signals, before;
    struct sigaction child_before;
};

#define LONGEST_WAIT 86400.0 /* s */

static const int interrupting[] = {SIGINT, SIGTERM, SIGHUP};
enum { INTERRUPTING = sizeof interrupting / sizeof interrupting[0] };

static struct outcome *outcome_of(const struct pool *pool, size_t place, size_t i)
{
    return (struct outcome *)(void *)(pool->outcomes + (place * PROCESS_ITEMS + i) * pool->stride);
}

/* To be started before all others. */
static enum status put_back(struct pool *pool, const size_t *items, size_t count, struct error *error)
{
    size_t *grown =
        array_reserve(pool->waiting, &pool->waiting_room, pool->waiting_count + count, sizeof *pool->waiting);
    if (grown == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu items", pool->waiting_count + count);
    pool->waiting = grown;
    for (size_t i = count; i > 0; i--)
        pool->waiting[pool->waiting_count++] = items[i - 1];
    return STATUS_OK;
}

static bool take(struct pool *pool, size_t *item)
{
    if (pool->waiting_count == 0)
        return pool->work->next(pool->work->context, item) != 0;
    *item = pool->waiting[--pool->waiting_count];
    return true;
}

/* What a process does: an item, or as many light ones as there are. */
static enum status gather(struct pool *pool, struct worker *worker, struct error *error)
{
    const struct work *work = pool->work;
    for (worker->items = 0; worker->items < PROCESS_ITEMS;) {
        size_t *item = &worker->item[worker->items];
        if (!take(pool, item))
            return STATUS_OK;
        bool light = work->is_light != NULL && work->is_light(work->context, *item);
        if (!light && worker->items > 0)
            return put_back(pool, item, 1, error);
        worker->items++;
        if (!light)
            return STATUS_OK;
    }
    return STATUS_OK;
}

/* From here on signals wait until they are asked for. One that the caller has set to be ignored (nohup) stays so. */
static void hold_signals(struct pool *pool)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    (void)sigemptyset(&pool->signals);
    (void)sigaddset(&pool->signals, SIGCHLD);
    for (size_t i = 0; i < INTERRUPTING; i++)
        if (sigaction(interrupting[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            (void)sigaddset(&pool->signals, interrupting[i]);
    action = (struct sigaction){.sa_handler = SIG_DFL};
    (void)sigaction(SIGCHLD, &action, &pool->child_before);
    (void)sigprocmask(SIG_BLOCK, &pool->signals, &pool->before);
}

/* Signals that came a second time meanwhile have had their effect. */
static void release_signals(const struct pool *pool)
{
    const struct timespec now = {0, 0};
    while (sigtimedwait(&pool->signals, NULL, &now) > 0)
        continue;
    (void)sigaction(SIGCHLD, &pool->child_before, NULL);
    (void)sigprocmask(SIG_SETMASK, &pool->before, NULL);
}

/* What exit() would do on behalf of the program is the caller's, also where a library calls it. */
static void end_at_once(int code, void *unused)
{
    (void)unused;
    _exit(code);
}

/* Never returns. The caller alone decides what a Ctrl-C means, which a terminal sends to all. */
static void be_worker(const struct pool *pool, size_t place, pid_t parent)
{
    const struct worker *worker = &pool->workers[place];
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    for (size_t i = 0; i < INTERRUPTING; i++)
        (void)sigaction(interrupting[i], &ignore, NULL);
    (void)sigprocmask(SIG_SETMASK, &pool->before, NULL);
    (void)on_exit(end_at_once, NULL); /* the last to be registered is called first */
    for (size_t i = 0; i < worker->items; i++) {
        struct outcome *outcome = outcome_of(pool, place, i);
        outcome->begun = clock_seconds();
        outcome->error.status =
            pool->work->run(pool->work->context, worker->item[i], outcome->answer, &outcome->error);
        if (outcome->error.status == STATUS_OK)
            outcome->error.text[0] = '\0'; /* of something that failed on the way and did not matter */
        outcome->finished = true;
    }
    _exit(0);
}

/* Starts what there is to start and room for. */
static enum status start(struct pool *pool, struct error *error)
{
    const struct work *work = pool->work;
    pid_t parent = getpid();
    for (size_t place = 0; place < pool->size && pool->running < (size_t)work->processes; place++) {
        struct worker *worker = &pool->workers[place];
        if (worker->pid != 0)
            continue;
        TRY(gather(pool, worker, error));
        if (worker->items == 0)
            return STATUS_OK;
        for (size_t i = 0; i < worker->items; i++)
            memset(outcome_of(pool, place, i), 0, pool->stride);
        pid_t pid = fork();
        if (pid == 0)
            be_worker(pool, place, parent);
        if (pid < 0 && pool->running > 0) /* when one has ended there may be room */
            return put_back(pool, worker->item, worker->items, error);
        if (pid < 0)
            return fail_with(error, STATUS_EXTERNAL, "cannot start a process: %s", strerror(errno));
        worker->pid = pid;
        worker->begun = clock_seconds();
        pool->running++;
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

/* Finds the processes that have ended. What one died of is told of the item that it was at; those behind that are
 * started again, and so is one that had just begun when the item before it, now finished, was found to be late. */
static enum status reap(struct pool *pool, struct error *error)
{
    for (size_t place = 0; place < pool->size; place++) {
        struct worker *worker = &pool->workers[place];
        int state = 0;
        if (worker->pid == 0 || worker->ended || waitpid(worker->pid, &state, WNOHANG) <= 0)
            continue;
        size_t done = 0;
        while (done < worker->items && outcome_of(pool, place, done)->finished)
            done++;
        worker->ended = true;
        pool->running--;
        if (done == worker->items)
            continue;
        if (worker->late == 0 || worker->late == done + 1) {
            struct error *cause = &outcome_of(pool, place, done++)->error;
            if (worker->late > 0)
                (void)fail_with(cause, STATUS_EXTERNAL, "its process took more than the %g s that a cell may take",
                                pool->work->seconds);
            else
                describe_death(state, cause);
        }
        TRY(put_back(pool, worker->item + done, worker->items - done, error));
        worker->items = done;
    }
    return STATUS_OK;
}

static enum status tell(struct pool *pool, struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t place = 0; place < pool->size && status == STATUS_OK; place++) {
        struct worker *worker = &pool->workers[place];
        if (!worker->ended)
            continue;
        for (size_t i = 0; i < worker->items && status == STATUS_OK; i++) {
            const struct outcome *outcome = outcome_of(pool, place, i);
            status = pool->work->ended(pool->work->context, worker->item[i], outcome->answer, &outcome->error, error);
        }
        *worker = (struct worker){0};
    }
    return status;
}

static void kill_all(struct pool *pool)
{
    for (size_t place = 0; place < pool->size; place++) {
        pid_t pid = pool->workers[place].pid;
        if (pid == 0 || pool->workers[place].ended)
            continue;
        (void)kill(pid, SIGKILL);
        (void)await_end(pid, NULL);
        pool->workers[place].pid = 0;
    }
}

/* Kills processes whose item's time is up. Returns the seconds until the next one's is; negative: there is none. */
static double kill_late(struct pool *pool)
{
    double now = clock_seconds(), next = -1.0;
    for (size_t place = 0; place < pool->size && pool->work->seconds > 0.0; place++) {
        struct worker *worker = &pool->workers[place];
        if (worker->pid == 0 || worker->ended || worker->late > 0)
            continue;
        size_t at = worker->items - 1; /* the item that has begun last, or the first */
        while (at > 0 && outcome_of(pool, place, at)->begun == 0.0)
            at--;
        double left = fmax(worker->begun, outcome_of(pool, place, at)->begun) + pool->work->seconds - now;
        if (left <= 0.0) {
            worker->late = at + 1;
            (void)kill(worker->pid, SIGKILL);
        } else if (next < 0.0 || left < next)
            next = left;
    }
    return next;
}

/* The number of the interrupting signal, 0 for the end of a process. */
static int await(struct pool *pool)
{
    for (;;) {
        double left = fmin(kill_late(pool), LONGEST_WAIT);
        const struct timespec most = {(time_t)left, (long)(1e9 * (left - floor(left)))};
        int signal = left < 0.0 ? sigwaitinfo(&pool->signals, NULL) : sigtimedwait(&pool->signals, NULL, &most);
        if (signal >= 0)
            return signal == SIGCHLD ? 0 : signal;
    }
}

static enum status work_on(struct pool *pool, int *interruption, struct error *error)
{
    for (;;) {
        enum status status = start(pool, error);
        if (status != STATUS_OK || pool->running == 0)
            return status;
        *interruption = await(pool);
        if (*interruption != 0)
            return fail_with(error, STATUS_INTERRUPTED, "interrupted by signal %d (%s)", *interruption,
                             strsignal(*interruption));
        status = reap(pool, error);
        if (status == STATUS_OK)
            status = start(pool, error);
        if (status == STATUS_OK)
            status = tell(pool, error);
        if (status != STATUS_OK)
            return status;
    }
}

enum status workers_run(const struct work *work, int *interruption, struct error *error)
{
    struct pool pool = {.work = work, .size = 2 * (size_t)work->processes};
    size_t unit = sizeof(struct outcome), outcomes = pool.size * PROCESS_ITEMS;
    size_t most = SIZE_MAX / outcomes / 2 - unit;
    pool.stride = work->answer < most ? (unit + work->answer + unit - 1) / unit * unit : 0;
    size_t bytes = outcomes * pool.stride;
    *interruption = 0;
    pool.workers = array_new(pool.size, sizeof *pool.workers);
    pool.outcomes = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    enum status status = STATUS_OK;
    if (pool.workers == NULL || pool.outcomes == MAP_FAILED) { /* also of 0 bytes */
        status = fail_with(error, STATUS_MEMORY, "out of memory for %zu processes", pool.size);
    } else {
        hold_signals(&pool);
        status = work_on(&pool, interruption, error);
        kill_all(&pool);
        release_signals(&pool);
    }
    if (pool.outcomes != MAP_FAILED)
        (void)munmap(pool.outcomes, bytes);
    free(pool.workers);
    free(pool.waiting);
    return status;
}

/* ---- One item ---- */

enum { WALL_SECONDS = 10 /* for each of processor time */ };

/* Bytes of address space in use, which under a sanitizer are terabytes from the start. */
static size_t address_space(void)
{
    char text[64];
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t length = file >= 0 ? read(file, text, sizeof text - 1) : 0;
    if (file >= 0)
        (void)close(file);
    text[length > 0 ? length : 0] = '\0';
    return (size_t)strtoumax(text, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

static void lower(__rlimit_resource_t resource, rlim_t most)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_cur < most ? limit.rlim_cur : most;
    limit.rlim_max = limit.rlim_cur;
    (void)setrlimit(resource, &limit);
}

/* The parent's handlers and blocked signals would keep a sick child alive. What the terminal sends to both, the
 * parent answers. */
static void set_signals(void)
{
    static const int fatal[] = {SIGALRM, SIGXCPU, SIGXFSZ, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTERM};
    sigset_t none;
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
        (void)signal(fatal[i], SIG_DFL);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* What a dying library says on stderr is not for the user, who reads the parent's one sentence. */
static void silence(void)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null < 0)
        return;
    (void)dup2(null, STDOUT_FILENO);
    (void)dup2(null, STDERR_FILENO);
}

static _Noreturn void run_child(isolated_work work, void *context, const struct isolate_limits *limits, int file)
{
    struct error answer = {STATUS_OK, ""}; /* comes first in the file */
    set_signals();
    silence();
    (void)mallopt(M_MMAP_THRESHOLD, 1 << 16); /* new pages are cheaper than copies of the parent's */
    lower(RLIMIT_CORE, 0);
    lower(RLIMIT_CPU, limits->seconds);
    lower(RLIMIT_FSIZE, (rlim_t)limits->output + sizeof answer);
    size_t before = address_space();
    lower(RLIMIT_AS, before < SIZE_MAX - limits->memory ? before + limits->memory : SIZE_MAX);
    (void)alarm(limits->seconds * WALL_SECONDS);
    FILE *out = fdopen(file, "wb");
    if (out == NULL || fwrite(&answer, sizeof answer, 1, out) != 1)
        _exit(EXIT_FAILURE);
    answer.status = work(context, out, &answer);
    if (fflush(out) != 0 || pwrite(file, &answer, sizeof answer, 0) != (ssize_t)sizeof answer)
        _exit(EXIT_FAILURE);
    _exit(EXIT_SUCCESS); /* what exit() would tidy up is the parent's */
}

static enum status explain_death(int state, const struct isolate_limits *limits, struct error *error)
{
    if (!WIFSIGNALED(state))
        return fail_with(error, STATUS_EXTERNAL, "ended with exit status %d", WEXITSTATUS(state));
    int signal = WTERMSIG(state);
    if (signal == SIGXCPU || signal == SIGKILL || signal == SIGALRM)
        return fail_with(error, STATUS_EXTERNAL, "took more than %u s", limits->seconds);
    if (signal == SIGXFSZ)
        return fail_with(error, STATUS_EXTERNAL, "made more than %zu bytes", limits->output);
    return fail_with(error, STATUS_EXTERNAL, "died of signal %d", signal);
}

static enum status take_answer(int file, const struct isolate_limits *limits, char **out, size_t *length,
                               struct error *error)
{
    struct error answer;
    struct stat info;
    if (fstat(file, &info) != 0 || info.st_size < (off_t)sizeof answer
        || (size_t)info.st_size - sizeof answer > limits->output
        || pread(file, &answer, sizeof answer, 0) != (ssize_t)sizeof answer
        || memchr(answer.text, '\0', sizeof answer.text) == NULL)
        return fail_with(error, STATUS_EXTERNAL, "gave no answer");
    if (answer.status != STATUS_OK)
        return fail_with(error, answer.status, "%s", answer.text);
    size_t size = (size_t)info.st_size - sizeof answer, done = 0;
    char *bytes = array_new(size + 1, 1);
    if (bytes == NULL)
        return fail_with(error, STATUS_MEMORY, "no memory for %zu bytes", size);
    for (ssize_t got = 1; done < size && got > 0; done += (size_t)got) {
        got = pread(file, bytes + done, size - done, (off_t)(sizeof answer + done));
        got = got < 0 ? 0 : got;
    }
    *out = bytes;
    *length = done;
    return STATUS_OK;
}

enum status isolate(isolated_work work, void *context, const struct isolate_limits *limits, char **out,
                    size_t *length, struct error *error)
{
    int state = 0, file = memfd_create("answer", MFD_CLOEXEC);
    *out = NULL;
    *length = 0;
    pid_t child = -1;
#pragma omp critical(hdf5) /* a child must not begin in the middle of another thread's call of HDF5 */
    child = file >= 0 ? fork() : -1;
    if (child == 0)
        run_child(work, context, limits, file);
    enum status status = STATUS_OK;
    if (child < 0)
        status = fail_with(error, STATUS_MEMORY, "cannot start a process: %s", strerror(errno));
    if (child > 0 && await_end(child, &state) != 0)
        status = fail_with(error, STATUS_EXTERNAL, "was lost: %s", strerror(errno));
    if (status == STATUS_OK && !(WIFEXITED(state) && WEXITSTATUS(state) == EXIT_SUCCESS))
        status = explain_death(state, limits, error);
    if (status == STATUS_OK)
        status = take_answer(file, limits, out, length, error);
    if (file >= 0)
        (void)close(file);
    return status;
}
