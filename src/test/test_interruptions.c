/* Runs that are cut, shared out, killed or refused: what is left is right, and what comes of it is what one run
 * makes. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "results/store.h"
#include "test/shell.h"
#include "test/suite.h"

TEST_SUITE(interruptions, .setup = shell_setup, .teardown = shell_teardown);

/* 8 cells at given steps, and searches for T(d, eps). */
#define SMALL \
    "targets:\n  - {name: g, kind: gaussian, variance: 0.25}\n" \
    "  - {name: b, kind: mixture, weights: [0.5, 0.5], means: [-1, 1], sds: [0.3, 0.3]}\n" \
    "samplers: [ddpm, accelerated]\ndimensions: [1, 16]\nsteps: [64]\n" \
    "score_errors: [{shape: bias, size: 0.1}]\naccuracies: [0.1, 0.03]\nmax_steps: 256\n"

/* 1080 cells, most of them quick, beside the searches; a tenth of them in a small run. */
static void write_sweep(const char *name)
{
    char text[4000], *at = text;
    at += sprintf(at, "targets:\n");
    for (int i = 1; i <= 5; i++)
        at += sprintf(at, "  - {name: g%d, kind: gaussian, variance: 0.%d}\n", i, i);
    at += sprintf(at, "  - {name: b, kind: mixture, weights: [0.5, 0.5], means: [-1, 1], sds: [0.3, 0.3]}\n");
    at += sprintf(at, "samplers: [ddpm, accelerated]\ndimensions: [1, 16]\nsteps: [");
    for (int T = 32; T < 32 + 2 * (int)taken(10); T++)
        at += sprintf(at, "%s%d", T > 32 ? ", " : "", T);
    (void)sprintf(at,
                  "]\nscore_errors: [{shape: bias, size: [0.1, 0.01]}]\naccuracies: [0.1, 0.05]\nmax_steps: 128\n");
    write_file(name, text);
}

static size_t count_cells(const char *name, const char *ending)
{
    char path[300];
    size_t count = 0;
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    DIR *open = opendir(path);
    for (struct dirent *entry; open != NULL && (entry = readdir(open)) != NULL;) {
        const char *dot = strrchr(entry->d_name, '.');
        count += dot != NULL && strcmp(dot, ending) == 0 && strlen(entry->d_name) > 2;
    }
    if (open != NULL)
        (void)closedir(open);
    return count;
}

TEST(shards_make_what_one_run_makes, .grows = 1)
{
    write_file("s.yaml", SMALL);
    ck_assert_int_eq(shell("@ run %/s.yaml -o %/one -j 1 2>&1"), 0);
    int most = taken(2) == 2 ? 11 : 3;
    for (int shards = 2; shards <= most; shards += most - 2) {
        char command[300];
        for (int i = shards; i >= 1; i--) {
            (void)snprintf(command, sizeof command, "@ run %%/s.yaml -o %%/%d -j %d --shard %d/%d 2>&1", shards,
                           1 + i % 3, i, shards);
            ck_assert_int_eq(shell(command), 0);
            ck_assert_msg((strstr(output, "are missing") != NULL) == (i > 1), "%d/%d: %s", i, shards, output);
            (void)snprintf(command, sizeof command, "@ merge %%/%d/s 2>&1", shards);
            ck_assert_int_eq(shell(command), i > 1 ? 1 : 0);
        }
        (void)snprintf(command, sizeof command, "%d/s/s.h5", shards);
        assert_same("one/s/s.h5", command);
    }
    ck_assert_int_eq(shell("@ verdict %/2/s && @ plot %/2/s && @ report %/2/s"), 0);
    ck_assert_int_eq(shell("cmp %/one/s/verdict.md %/2/s/verdict.md"), 0);
}

/* Each shard works on something, also where there are more of them than pairs of a target and a sampler; none does
 * again what is there. */
TEST(shards_share_the_work)
{
    enum { SHARDS = 8 };
    size_t before = 0, all;
    write_file("s.yaml", SMALL);
    ck_assert_int_eq(shell("@ run %/s.yaml -o %/one 2>&1"), 0);
    all = count_cells("one/s/cells", ".tsv");
    ck_assert_int_eq(shell("@ run %/s.yaml --shard 1/8 --dry-run"), 0);
    FREED char *plan = strdup(output);
    for (int i = 1; i <= SHARDS; i++) {
        char command[300];
        (void)snprintf(command, sizeof command, "@ run %%/s.yaml -o %%/two --shard %d/%d 2>&1", i, SHARDS);
        ck_assert_int_eq(shell(command), 0);
        size_t now = count_cells("two/s/cells", ".tsv");
        (void)snprintf(command, sizeof command, "\n%zu cell%s measured", now - before, now - before == 1 ? "" : "s");
        ck_assert_msg(strstr(output, command) != NULL, "%s: %s", command, output);
        (void)snprintf(command, sizeof command, "  shard %d/%d: ", i, SHARDS);
        const char *line = strstr(plan, command);
        ck_assert_ptr_nonnull(line);
        const char *search = strstr(line, "T(d, eps)"), *end = strchr(line, '\n');
        ck_assert(strtoul(line + strlen(command), NULL, 10) > 0 || (search != NULL && search < end));
        ck_assert(now > before || i > 1); /* a search that went before may have taken all of a shard */
        before = now;
    }
    ck_assert_uint_eq(before, all);
    assert_same("one/s/s.h5", "two/s/s.h5");
}

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

/* Its output goes to the file `sink`, and no signal is ignored, as nohup has it. */
static pid_t start_run(char *const *arguments, const char *sink)
{
    const char *binary = getenv("DIFFRATE");
    pid_t pid = fork();
    if (pid == 0) {
        for (size_t i = 0; i < COUNT(signals); i++)
            (void)signal(signals[i], SIG_DFL);
        int file = open(sink, O_WRONLY | O_CREAT | O_TRUNC, 0666);
        (void)dup2(file, 1);
        (void)dup2(file, 2);
        (void)execv(binary != NULL ? binary : "build/diffrate", arguments);
        _exit(127);
    }
    ck_assert_int_gt(pid, 0);
    return pid;
}

static pid_t any_worker(pid_t parent)
{
    char path[100];
    int worker = 0;
    (void)snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", (long)parent, (long)parent);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%d", &worker) != 1)
        worker = 0;
    (void)fclose(file);
    return (pid_t)worker;
}

static void wait_seconds(double seconds)
{
    struct timespec time = {(time_t)seconds, (long)(1e9 * (seconds - (double)(time_t)seconds))};
    while (nanosleep(&time, &time) != 0 && errno == EINTR)
        continue;
}

/* Starts a run or two shards of one, and kills them, or a worker first. true if it was a worker that was killed: its
 * cell fails, and a search for T(d, eps) that lives on goes around it, by cells that it needs no more when the failed
 * one is measured again. */
static bool run_and_kill(const char *spec, const char *results, double longest, unsigned short seed[3])
{
    static char *const shards[] = {"1/1", "1/2", "2/2"}, *const jobs[] = {"1", "2", "3"};
    int two = erand48(seed) < 0.3;
    pid_t pid[2] = {0, 0};
    for (int i = 0; i <= two; i++) {
        char *const arguments[] = {"diffrate",
                                   "run",
                                   (char *)(size_t)spec,
                                   "-o",
                                   (char *)(size_t)results,
                                   "-j",
                                   jobs[nrand48(seed) % 3],
                                   "--shard",
                                   two ? shards[1 + i] : shards[nrand48(seed) % 3],
                                   NULL};
        pid[i] = start_run(arguments, "/dev/null");
    }
    wait_seconds(longest * erand48(seed));
    pid_t worker = erand48(seed) < 0.25 ? any_worker(pid[0]) : 0;
    if (worker > 0) {
        (void)kill(worker, SIGKILL);
        wait_seconds(0.2 * longest * erand48(seed));
    }
    for (int i = 0; i <= two; i++) {
        (void)kill(pid[i], SIGKILL);
        ck_assert_int_eq(waitpid(pid[i], NULL, 0), pid[i]);
    }
    return worker > 0;
}

/* Over sweeps of many cells, kills at random moments. */
TEST(kills_lose_nothing, .grows = 1)
{
    size_t kills = repetitions(8), killed = 0;
    unsigned short seed[3] = {1, 2, 3};
    char spec[300], results[300];
    write_sweep("sweep.yaml");
    ck_assert_int_eq(shell("@ run %/sweep.yaml -o %/whole 2>&1"), 0);
    size_t all = count_cells("whole/sweep/cells", ".tsv");
    ck_assert_uint_ge(all, 70 * taken(10));
    (void)snprintf(spec, sizeof spec, "%s/sweep.yaml", directory);
    (void)snprintf(results, sizeof results, "%s/cut", directory);
    while (killed < kills) {
        size_t stored = 0;
        bool detours = false;
        for (; killed < kills && stored < all; killed++) {
            detours |= run_and_kill(spec, results, 0.06 * (double)taken(10), seed);
            size_t now = count_cells("cut/sweep/cells", ".tsv");
            ck_assert_msg(now >= stored, "%zu cells before, %zu after kill %zu", stored, now, killed);
            stored = now;
        }
        ck_assert_int_eq(shell("@ run %/sweep.yaml -o %/cut --retry-failed 2>&1"), 0);
        if (detours)
            ck_assert_int_eq(shell("@ prune %/cut/sweep 2>&1"), 0);
        ck_assert_uint_eq(count_cells("cut/sweep/cells", ".tsv"), all);
        assert_same("whole/sweep/sweep.h5", "cut/sweep/sweep.h5");
        ck_assert_int_eq(shell("rm -r %/cut"), 0);
    }
    ck_assert_uint_ge(killed, kills);
}

/* What killed writers leave is removed once it is certainly nobody's. */
TEST(leftovers_are_swept)
{
    write_file("s.yaml", "targets: [{name: g, kind: gaussian, variance: 0.25}]\nsamplers: [ddpm]\n"
                         "dimensions: [1]\nsteps: [64]\n");
    ck_assert_int_eq(shell("@ run %/s.yaml -o %/out && cd %/out/s/cells && touch -d '1 hour ago' a.tsv.tmp.1.0 && "
                           "touch b.tsv.tmp.1.0"),
                     0);
    ck_assert_int_eq(shell("@ run %/s.yaml -o %/out && ls %/out/s/cells | grep tmp"), 0);
    ck_assert(strstr(output, "a.tsv.tmp") == NULL && strstr(output, "b.tsv.tmp.1.0\n") != NULL);
}

TEST(signals_end_a_run_cleanly, .count = COUNT(signals))
{
    char spec[300], results[300], log[300];
    int state;
    write_file("s.yaml", "targets: [{name: b, kind: mixture, weights: [0.5, 0.5], means: [-1, 1], sds: [0.3, 0.3]}]\n"
                         "samplers: [ddpm]\ndimensions: [1]\nsteps: [64, 1000000]\n");
    (void)snprintf(spec, sizeof spec, "%s/s.yaml", directory);
    (void)snprintf(results, sizeof results, "%s/out", directory);
    (void)snprintf(log, sizeof log, "%s/log", directory);
    char *const arguments[] = {"diffrate", "run", spec, "-o", results, "-j", "2", NULL};
    pid_t pid = start_run(arguments, log);
    while (count_cells("out/s/cells", ".tsv") == 0)
        wait_seconds(0.05);
    wait_seconds(0.2);
    pid_t worker = any_worker(pid);
    ck_assert_int_gt(worker, 0);
    ck_assert_int_eq(kill(pid, signals[_i]), 0);
    ck_assert_int_eq(waitpid(pid, &state, 0), pid);
    ck_assert(WIFEXITED(state));
    ck_assert_int_eq(WEXITSTATUS(state), 128 + signals[_i]);
    ck_assert(kill(worker, 0) != 0 && errno == ESRCH);
    FREED char *said = read_file("log");
    ck_assert_msg(strstr(said, "interrupted by signal") != NULL && strstr(said, "the same command goes on") != NULL,
                  "%s", said);
    ck_assert_uint_eq(count_cells("out/s/cells", ".tsv"), 1);
    ck_assert_int_eq(shell("ls %/out/s/cells | grep tmp"), 1);
    ck_assert(!exists("out/s/s.h5"));
}

/* A cell whose process dies is a failed cell; the others, the exit status, and another try. */
TEST(a_killed_worker_is_a_failed_cell)
{
    write_file("s.yaml", "targets: [{name: b, kind: mixture, weights: [0.5, 0.5], means: [-1, 1], sds: [0.3, 0.3]}]\n"
                         "samplers: [ddpm, accelerated]\ndimensions: [1]\nsteps: [64, 96, 8000]\n");
    assert_exits(
        "{ ASAN_OPTIONS=$ASAN_OPTIONS:handle_segv=0 @ run %/s.yaml -o %/out -j 1 2>%/err >%/log & } ; pid=$! ; "
        "until grep -q . /proc/$pid/task/$pid/children; do sleep 0.01; done; "
        "kill -SEGV $(cat /proc/$pid/task/$pid/children); wait $pid; code=$?; cat %/err; exit $code",
        3, "5 cells measured, 0 read back, 1 failed", "failed: b-ddpm-8000-",
        "its process died of signal 11 (Segmentation fault)");
    ck_assert(exists("out/s/verdict.md"));
    OWNED(result) result = load_result("out/s/s.h5");
    ck_assert_uint_eq(result.count, 5);
    ASSERT_SAYS(result.failures, "its process died of signal 11");
    ck_assert_int_eq(shell("@ run %/s.yaml -o %/out 2>&1"), 3); /* it stays failed */
    ASSERT_SAYS(output, "0 cells measured, 5 read back, 1 failed");
    ck_assert_int_eq(shell("@ merge %/out/s 2>&1"), 3);
    assert_exits("@ run %/s.yaml -o %/out --retry-failed 2>&1", 0, "1 cell measured, 5 read back, 0 failed");
}

#ifndef __SANITIZE_ADDRESS__ /* its shadow needs more address space than the test leaves */
/* Memory that is not there is one cell's failure. */
TEST(a_cell_without_memory_is_a_failed_cell)
{
    write_file("s.yaml",
               "targets: [{name: g, kind: gaussian, variance: 0.25}]\nsamplers: [ddpm]\n"
               "dimensions: [64]\nsteps: [64]\nsamples: {chains: [1000, 6000000], methods: [projection]}\n");
    int status = shell("ulimit -v 2000000; @ run %/s.yaml -o %/out -j 1 2>&1");
    ck_assert_msg(status == 3, "%s", output);
    ASSERT_SAYS(output, "2 cells measured, 0 read back, 1 failed", "out of memory");
}
#endif

/* The command fails with one line that has the words, and leaves the files as they are. */
static void assert_refused(const char *command, const char *words)
{
    ck_assert_int_eq(shell("cd %; find . -type f | sort | xargs cksum"), 0);
    FREED char *before = strdup(output);
    int status = shell(command);
    ck_assert_msg(status == 1, "%s exits %d: %s", command, status, output);
    ck_assert_msg(lines(output) == 1 && strstr(output, words) != NULL, "%s: %s", command, output);
    ck_assert_int_eq(shell("cd %; find . -type f | sort | xargs cksum"), 0);
    ck_assert_str_eq(before, output);
}

#define ONE_CELL \
    "targets: [{name: g, kind: gaussian, variance: 0.25}]\nsamplers: [ddpm]\ndimensions: [1]\nsteps: [64]\n"

TEST(damaged_cells_are_named_and_left_alone)
{
    static const char *const damage[] = {"truncate -s 1000 %/out/s/cells/*.tsv", "truncate -s 0 %/out/s/cells/*.tsv",
                                         "printf x | dd of=$(ls %/out/s/cells/*.tsv) bs=1 seek=900 conv=notrunc 2>&1",
                                         "echo hello >$(ls %/out/s/cells/*.tsv)"};
    write_file("s.yaml", ONE_CELL);
    for (size_t i = 0; i < COUNT(damage); i++) {
        ck_assert_int_eq(shell("@ run %/s.yaml -o %/out"), 0);
        ck_assert_int_eq(shell(damage[i]), 0);
        assert_refused("@ run %/s.yaml -o %/out -j 1 2>&1", "; --retry-failed measures it again");
        assert_refused("@ merge %/out/s 2>&1", "out/s/cells/g-ddpm-64-");
        assert_exits("@ run %/s.yaml -o %/out --retry-failed 2>&1", 0, "1 cell measured");
    }
}

TEST(a_cell_under_another_name_is_refused)
{
    write_file("s.yaml", "targets: [{name: g, kind: gaussian, variance: 0.25}]\nsamplers: [ddpm]\ndimensions: [1]\n"
                         "steps: [64, 65]\n");
    ck_assert_int_eq(shell("@ run %/s.yaml -o %/out && cd %/out/s/cells && cp g-ddpm-64-*.tsv $(ls g-ddpm-65-*.tsv)"),
                     0);
    assert_refused("@ run %/s.yaml -o %/out 2>&1", "holds another cell than its name says");
}

TEST(a_damaged_merged_file_is_said_to_be)
{
    write_file("s.yaml", ONE_CELL);
    ck_assert_int_eq(shell("@ run %/s.yaml -o %/out && truncate -s 9000 %/out/s/s.h5"), 0);
    assert_refused("@ verdict %/out/s 2>&1", "out/s/s.h5 is not as diffrate wrote it");
    ck_assert_int_eq(shell("@ merge %/out/s && @ verdict %/out/s"), 0); /* it can be made anew */
}

TEST(directories_of_others_are_left_alone)
{
    write_file("s.yaml", ONE_CELL);
    ck_assert_int_eq(shell("@ run %/s.yaml -o %/out && cp %/s.yaml %/keep && echo '# more' >>%/s.yaml"), 0);
    assert_refused("@ run %/s.yaml -o %/out 2>&1", "holds results of another spec");
    assert_exits("@ run %/s.yaml -o %/out --adopt 2>&1", 0, "0 cells measured, 1 read back");
    ck_assert_int_eq(shell("cp %/keep %/s.yaml && sed -i 's/diffrate [0-9.]* /diffrate 0.0.9 /' %/out/s/spec.yaml"),
                     0);
    assert_refused("@ run %/s.yaml -o %/out 2>&1", "holds results of diffrate 0.0.9 (numerics ");
    assert_refused("@ merge %/out/s 2>&1", "holds results of diffrate 0.0.9 (numerics ");
    ck_assert_int_eq(shell("echo hello >%/out/s/spec.yaml"), 0);
    assert_refused("@ run %/s.yaml -o %/out 2>&1", "does not begin as diffrate writes it");
    ck_assert_int_eq(shell("mkdir -p %/own/s && echo mine >%/own/s/verdict.md"), 0);
    assert_refused("@ run %/s.yaml -o %/own 2>&1", "holds verdict.md but no spec.yaml");
    assert_refused("@ merge %/own/s 2>&1", "spec.yaml");
    ck_assert_int_eq(shell("echo file >%/own/t"), 0);
    assert_refused("@ run %/s.yaml -o %/own/t 2>&1", "cannot make directory");
    assert_refused("@ run %/s.yaml -o %/own/t/u 2>&1", "cannot make directory");
}

/* As the user nobody, whom permissions bind, where the tests run as root. */
TEST(directories_that_cannot_be_written_are_said_so)
{
    static const char as_user[] = "cd %; b=./diffrate; if [ $(id -u) = 0 ]; then "
                                  "b=\"setpriv --reuid=65534 --regid=65534 --clear-groups ./diffrate\"; fi; ";
    char command[600];
    write_file("s.yaml", ONE_CELL);
    ck_assert_int_eq(shell("cp @ %/diffrate && chmod 755 % %/diffrate && chmod 644 %/s.yaml && mkdir %/out && "
                           "chmod 555 %/out"),
                     0);
    (void)snprintf(command, sizeof command, "%s $b run s.yaml -o out 2>&1", as_user);
    assert_refused(command, "cannot make directory out/s: Permission denied");
    ck_assert_int_eq(
        shell("chmod 755 %/out; @ run %/s.yaml -o %/out && rm %/out/s/cells/*.tsv && chmod 555 %/out/s/cells "
              "%/out/s"),
        0);
    assert_exits(command, 1, "diffrate: cannot write out/s/cells/g-ddpm-64-", "Permission denied\n");
}

/* A disk that is full for the cells, though not for spec.yaml; a limit on files says the same to the program. */
TEST(a_full_disk_is_said_to_be)
{
    write_file("s.yaml", ONE_CELL);
    assert_exits("ulimit -f 1; @ run %/s.yaml -o %/out 2>&1", 1, "diffrate: cannot write ", "File too large\n");
    ck_assert_int_eq(shell("ls %/out/s/cells | grep ."), 1); /* nothing, no leftover either */
    ck_assert_int_eq(shell("@ run %/s.yaml -o %/out 2>&1"), 0);
}

TEST(a_disk_without_space_is_said_to_be, .tools = 1)
{
    write_file("s.yaml", ONE_CELL);
    if (shell("mkdir %/disk && mount -t tmpfs -o size=4k none %/disk 2>&1") != 0)
        SKIP_TEST("a file system may not be mounted here: %s", output);
    int status = shell("@ run %/s.yaml -o %/disk 2>&1");
    int said = strstr(output, "cannot write ") != NULL && strstr(output, "No space left on device\n") != NULL;
    int clean = shell("find %/disk -name '*.h5*' -o -name '*.tsv*' | grep .") == 1;
    ck_assert_int_eq(shell("umount %/disk"), 0);
    ck_assert(status == 1 && said && clean);
}
