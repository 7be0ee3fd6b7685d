/* diffrate: verifies convergence-rate theorems of diffusion samplers. This file only finds the subcommand. */
#include <argp.h>
#include <cblas.h>
#include <errno.h>
#include <fcntl.h>
#include <gsl/gsl_errno.h>
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "command/command.h"
#include "core/provenance.h"
#include "results/store.h"

static void print_help(FILE *file)
{
    fputs("Usage: diffrate COMMAND [OPTION...] ...\n"
          "Verify convergence-rate theorems of diffusion samplers by the exact law of their output.\n\n",
          file);
    for (size_t i = 0; command_at(i) != NULL; i++)
        fprintf(file, "  %-10s %s\n", command_at(i)->name, command_at(i)->doc);
    fputs("\n`diffrate COMMAND --help` or `diffrate help COMMAND` says more, with an example; `diffrate --version` "
          "which\n"
          "program this is. Start with:\n"
          "  diffrate run experiments/scaling.yaml\n",
          file);
}

/* OpenBLAS starts its threads as the program is loaded; each tries forever to get its buffer of 128 MB, and a fork or
 * the end of the program waits for it. Whether a limit leaves room for them beside what is in use. */
static int has_room_for_threads(void)
{
    struct rlimit memory;
    unsigned long pages = 0;
    const double buffer = 134225920.0;
    FILE *usage = fopen("/proc/self/statm", "r");
    int known = usage != NULL && fscanf(usage, "%lu", &pages) == 1;
    if (usage != NULL)
        (void)fclose(usage);
    if (!known || getrlimit(RLIMIT_AS, &memory) != 0 || memory.rlim_cur == RLIM_INFINITY)
        return 1;
    double used = (double)pages * (double)sysconf(_SC_PAGESIZE);
    return used + buffer * (openblas_get_num_threads() - 1) <= (double)memory.rlim_cur;
}

static int is_help(const char *word)
{
    static const char *const words[] = {"--help", "-h", "-?", "help"};
    int found = 0;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        found |= strcmp(word, words[i]) == 0;
    return found;
}

static int print_version(int argc, char **argv)
{
    struct provenance provenance;
    provenance_collect(argc, argv, &provenance);
    printf("diffrate %s (commit %s, %s)\n", provenance.version, provenance.commit, provenance.compiler);
    return EXIT_OK;
}

/* Laws and files are made of arrays that come and go. Memory that is freed stays with the process: to give it back
 * and have it cleared again takes more time than to fill it. */
static void keep_memory(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, 1 << 25);
    (void)mallopt(M_TRIM_THRESHOLD, 1 << 28);
    (void)mallopt(M_TOP_PAD, 1 << 20);
}

/* Files must not come to stand in the place of streams that are closed. What goes to a closed stderr is lost; what
 * goes to a closed stdout is an error. */
static void hold_streams(void)
{
    static const int modes[] = {[STDIN_FILENO] = O_WRONLY, [STDOUT_FILENO] = O_RDONLY, [STDERR_FILENO] = O_WRONLY};
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++)
        if (fcntl(stream, F_GETFD) < 0 && errno == EBADF)
            (void)open("/dev/null", modes[stream]); /* the lowest number that is free: this one */
}

/* The end of every command, also of --help: what it was asked to print must have arrived. Under a limit on memory
 * OpenBLAS may wait forever as it ends (below); then nothing else ends. */
static void close_output(int status, void *unused)
{
    struct rlimit memory;
    (void)unused;
    int failed = ferror(stdout);
    if (fclose(stdout) != 0 || failed) {
        fputs("diffrate: cannot write all to standard output\n", stderr);
        _exit(EXIT_FAILED);
    }
    if (getrlimit(RLIMIT_AS, &memory) == 0 && memory.rlim_cur != RLIM_INFINITY)
        _exit(status);
}

int main(int argc, char **argv)
{
    hold_streams();
    (void)setvbuf(stdout, NULL, _IOLBF, 0); /* in order with what stderr says */
    (void)on_exit(close_output, NULL);
    keep_memory();
    (void)setlocale(LC_CTYPE, "C.UTF-8"); /* for the width of table cells; numbers keep the C locale */
    argp_err_exit_status = EXIT_INPUT;
    (void)gsl_set_error_handler_off();
    if (!has_room_for_threads()) {
        fputs(
            "diffrate: the limit on memory (ulimit -v) leaves no room for the threads of OpenBLAS; raise it, or set "
            "OPENBLAS_NUM_THREADS=1\n",
            stderr);
        return EXIT_FAILED;
    }
    openblas_set_num_threads(1);    /* cells are measured side by side, with small matrices each */
    (void)signal(SIGXFSZ, SIG_IGN); /* a limit on files is an error like a full disk */
    store_init();
    if (argc < 2) {
        print_help(stderr);
        return EXIT_INPUT;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
        return print_version(argc, argv);
    if (is_help(argv[1]) && argc == 2) {
        print_help(stdout);
        return EXIT_OK;
    }
    char help[] = "--help", *explain[] = {argv[0], argc > 2 ? argv[2] : NULL, help, NULL};
    if (is_help(argv[1])) { /* help COMMAND is COMMAND --help */
        argc = 3;
        argv = explain;
    }
    for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "-h") == 0)
            argv[i] = help;
    for (size_t i = 0; command_at(i) != NULL; i++)
        if (strcmp(argv[1], command_at(i)->name) == 0) {
            char name[64];
            (void)snprintf(name, sizeof name, "diffrate %s", command_at(i)->name);
            argv[1] = name;
            return command_at(i)->run(argc - 1, argv + 1);
        }
    fprintf(stderr, "diffrate: unknown command '%s', expected one of:", argv[1]);
    for (size_t i = 0; command_at(i) != NULL; i++)
        fprintf(stderr, " %s", command_at(i)->name);
    fputs("\n", stderr);
    return EXIT_INPUT;
}
