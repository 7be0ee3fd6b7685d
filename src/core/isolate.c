#include "core/isolate.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/memory.h"

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

static enum status describe_death(int state, const struct isolate_limits *limits, struct error *error)
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
    while (child > 0 && waitpid(child, &state, 0) < 0)
        if (errno != EINTR) {
            status = fail_with(error, STATUS_EXTERNAL, "was lost: %s", strerror(errno));
            break;
        }
    if (status == STATUS_OK && !(WIFEXITED(state) && WEXITSTATUS(state) == EXIT_SUCCESS))
        status = describe_death(state, limits, error);
    if (status == STATUS_OK)
        status = take_answer(file, limits, out, length, error);
    if (file >= 0)
        (void)close(file);
    return status;
}
