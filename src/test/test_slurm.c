/* scripts/slurm-array.sh, tried on a Slurm of one node that the suite starts itself (src/test/slurm-loopback). It has
 * two CPUs, so of three shards the last starts when another has ended: no shard may wait for one that has not begun.
 * Shell commands find their paths in the environment, which holds odd characters as they are. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "test/shell.h"
#include "test/suite.h"

#define ODD "it's 50% \"$(id)\" *, %A"

enum { TENTHS = 1200 }; /* of a second, at most, until something happens */

static FILE *cluster; /* the standard input of slurm-loopback */

/* Repeats a shell command until its exit status is 0; returns nonzero if it never is. */
static int wait_for(const char *command)
{
    int status = shell(command);
    for (int i = 0; status != 0 && i < TENTHS; i++) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
        status = shell(command);
    }
    return status;
}

static void set_path(const char *variable, const char *name)
{
    char path[300];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    ck_assert_int_eq(setenv(variable, path, 1), 0);
}

static void setup(void)
{
    shell_setup();
    ck_assert_int_eq(setenv("DIFFRATE", "build/diffrate", 0), 0);
    set_path("OUT", ODD);
    set_path("SPEC", ODD "/a spec.yaml");
    ck_assert_int_eq(shell("mkdir \"$OUT\""), 0);
}

TEST_SUITE(slurm, .setup = setup, .teardown = shell_teardown);

/* Two ports of 127.0.0.1 that are free now. */
static void free_ports(unsigned ports[2])
{
    int sockets[2];
    for (size_t i = 0; i < 2; i++) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof address;
        sockets[i] = socket(AF_INET, SOCK_STREAM, 0);
        ck_assert_int_eq(bind(sockets[i], (struct sockaddr *)&address, size), 0);
        ck_assert_int_eq(getsockname(sockets[i], (struct sockaddr *)&address, &size), 0);
        ports[i] = ntohs(address.sin_port);
    }
    (void)close(sockets[0]);
    (void)close(sockets[1]);
}

/* Nonzero if there is a Slurm now. */
static int start(void)
{
    if (shell("PATH=$PATH:/usr/sbin; for i in munged slurmctld slurmd sbatch; do command -v $i || exit 1; done") != 0)
        return 0;
    char command[400];
    unsigned ports[2];
    free_ports(ports);
    (void)snprintf(command, sizeof command, "src/test/slurm-loopback %s %u %u", directory, ports[0], ports[1]);
    cluster = popen(command, "we");
    ck_assert_ptr_nonnull(cluster);
    set_path("SLURM_CONF", "slurm.conf"); /* after slurm-loopback has started, which knows Slurm's processes by it */
    if (wait_for("test -e %/ready") != 0) {
        (void)shell("cat %/*.log");
        (void)pclose(cluster);
        ck_abort_msg("Slurm does not start: %s", output);
    }
    return 1;
}

/* It also stops by itself after a test that died. */
static void stop(void)
{
    ck_assert_int_eq(pclose(cluster), 0);
    (void)unsetenv("SLURM_CONF");
}

#define NO_SLURM "Slurm or munge is not installed (scripts/install-deps check)"

/* Submits and leaves the jobs' numbers in the environment. */
static void submit(const char *command)
{
    char array[16], merge[16];
    ck_assert_msg(shell(command) == 0, "%s", output);
    const char *first = strstr(output, "\njob "), *second = first != NULL ? strstr(first + 1, "\njob ") : NULL;
    ck_assert_msg(second != NULL && sscanf(first, " job %15[0-9]:", array) == 1
                      && sscanf(second, " job %15[0-9]:", merge) == 1,
                  "%s", output);
    ck_assert_int_eq(setenv("ARRAY", array, 1) | setenv("MERGE", merge, 1), 0);
}

/* Two of the cells fail, so that a shard ends with status 3, which must not keep the others
 * from being merged and judged. */
TEST(shards_are_merged_as_if_one_run, .tools = 1)
{
    if (!start())
        SKIP_TEST(NO_SLURM);
    write_file(ODD "/a spec.yaml",
               "targets:\n"
               "  - {name: gauss, kind: gaussian, variance: 0.25}\n"
               "  - {name: bimodal, kind: mixture, weights: [0.5, 0.5], means: [-1, 1], sds: [0.5, 0.5]}\n"
               "samplers: [ddpm, pf-ode-2]\ndimensions: [1]\nsteps: [32]\naccuracies: [0.1, 0.05]\nmax_steps: 128\n"
               "score_errors: [{shape: wave, size: 0.3, roughness: 40, spread: one}]\n");
    submit("scripts/slurm-array.sh \"$SPEC\" 3 -o \"$OUT/out\" -c 1 -- --comment='a  b' 2>&1");
    ck_assert_int_eq(shell("\"$DIFFRATE\" run \"$SPEC\" -o \"$OUT/plain\" -j 1 2>&1"), 3);
    ck_assert_msg(wait_for("test -z \"$(squeue -h)\"") == 0, "jobs do not end");

    assert_prints("scontrol -o show job $ARRAY | grep -F 'Comment=a  b' | grep -c ' ExitCode=[03]:0 '", "3\n");
    ck_assert_int_eq(shell("scontrol -o show job $ARRAY | grep ' JobState=FAILED .* ExitCode=3:0 '"), 0);
    ck_assert_msg(shell("scontrol -o show job $MERGE | grep -F 'Comment=a  b' | grep ' ExitCode=3:0 ' || "
                        "{ cat \"$OUT\"/out/a-spec/logs/*; exit 1; }")
                      == 0,
                  "%s", output);
    assert_prints("for i in 1 2 3; do grep -c \"^shard $i/3: 1 CPUs\" "
                  "\"$OUT/out/a-spec/logs/shard-${ARRAY}_$i.log\"; done",
                  "1\n1\n1\n");
    ck_assert_msg(shell("cd \"$OUT\" && cmp plain/a-spec/verdict.md out/a-spec/verdict.md 2>&1 && "
                        "test -s out/a-spec/report.html && test -s out/a-spec/tv-steps.svg")
                      == 0,
                  "%s", output);
    ck_assert_int_eq(shell("grep eps-ddpm \"$OUT/out/a-spec/logs/merge-$MERGE.log\""), 0);

    ck_assert_int_eq(shell("for i in plain out; do cp \"$OUT/$i/a-spec/a-spec.h5\" %/$i.h5; done"), 0);
    assert_same("plain.h5", "out.h5");
    stop();
}

/* The signal that --signal sends ahead of a time limit, sent by hand, for limits are whole minutes. */
TEST(a_stopped_shard_ends_cleanly_and_what_is_missing_is_said, .tools = 1)
{
    if (!start())
        SKIP_TEST(NO_SLURM);
    char spec[4000] = "targets: [{name: m, kind: mixture, weights: [0.5, 0.5], means: [-1, 1], sds: [0.5, 0.5]}]\n"
                      "samplers: [ddpm]\ndimensions: [1]\nsteps: [64";
    for (int steps = 65; steps < 500; steps++)
        (void)snprintf(spec + strlen(spec), sizeof spec - strlen(spec), ", %d", steps);
    write_file(ODD "/a spec.yaml", strcat(spec, "]\n"));
    submit("scripts/slurm-array.sh \"$SPEC\" 1 -o \"$OUT/stopped\" -c 1 2>&1");
    ck_assert_msg(wait_for("ls \"$OUT\"/stopped/a-spec/cells/*.tsv 2>&1") == 0, "the shard does not begin");
    ck_assert_int_eq(shell("scancel --batch --signal=TERM ${ARRAY}_1"), 0);
    ck_assert_msg(wait_for("test -z \"$(squeue -h)\"") == 0, "jobs do not end");

    ck_assert_int_eq(shell("scontrol -o show job $ARRAY | grep ' ExitCode=143:0 '"), 0);
    ck_assert_int_eq(shell("scontrol -o show job $MERGE | grep ' ExitCode=1:0 '"), 0);
    ck_assert_int_eq(shell("grep missing \"$OUT/stopped/a-spec/logs/merge-$MERGE.log\""), 0);
    ck_assert_int_eq(shell("ls \"$OUT\"/stopped/a-spec | grep -e '\\.h5$' -e verdict.md"), 1);
    stop();
}

TEST(wrong_usage_exits_2)
{
    static const char *const arguments[] = {
        "",
        "\"$FILE\"",
        "\"$FILE\" 0",
        "\"$FILE\" 3x",
        "\"$FILE\" 3 4",
        "\"$FILE\" 3 -o",
        "\"$FILE\" 3 -c 0",
        "\"$FILE\" 3 --fast",
        "\"$FILE\" 3 -- --array=1-4",
        "\"$FILE\" 3 -- short",
        "none.yaml 3",
        "README.md 3",
        "\"$FILE\" 3 -o 'back\\slash' --dry-run",
    };
    ck_assert_int_eq(setenv("FILE", "experiments/quick.yaml", 1), 0);
    for (size_t i = 0; i < COUNT(arguments); i++) {
        char command[200];
        (void)snprintf(command, sizeof command, "scripts/slurm-array.sh %s 2>&1 >%%/stdout", arguments[i]);
        ck_assert_msg(shell(command) == 2 && output[0] != '\0', "%s: %s", arguments[i], output);
    }
    assert_exits("scripts/slurm-array.sh --help", 0, "Example:");
}

/* What is printed is a shell's words, of which an sbatch that prints its last ones gets what the real one would. */
TEST(dry_run_prints_what_it_would_submit)
{
    ck_assert_int_eq(shell("cp experiments/quick.yaml \"$SPEC\""), 0);
    ck_assert_int_eq(
        shell("scripts/slurm-array.sh \"$SPEC\" 5 -o \"$OUT\" --dry-run -- --comment='a  b' --mem 1G > %/plan"), 0);
    ck_assert_int_eq(shell("test -e \"$OUT/a-spec\""), 1);
    ck_assert_int_eq(shell("sbatch() { for word; do echo \"$word\"; done; }; eval \"$(grep ^sbatch %/plan)\""), 0);
    static const char *const words[] = {"--array=1-5\n",
                                        "--cpus-per-task=4\n",
                                        "--dependency=afterany:JOB\n",
                                        "--signal=B:TERM@60\n",
                                        "/it's 50% \"$(id)\" *, %A/a spec.yaml\n",
                                        "/it's 50%% \"$(id)\" *, %%A/a-spec/logs/shard-%A_%a.log\n"};
    for (size_t i = 0; i < COUNT(words); i++)
        ck_assert_msg(strstr(output, words[i]) != NULL, "%s%s", words[i], output);
    const char *first = strstr(output, "\n--comment=a  b\n--mem\n1G\n");
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_nonnull(strstr(first + 1, "\n--comment=a  b\n--mem\n1G\n"));
}

TEST(what_is_not_there_is_said)
{
    ck_assert_int_eq(shell("mkdir %/bin && for i in basename cut dirname mkdir sed sh; do "
                           "ln -s \"$(command -v $i)\" %/bin; done"),
                     0);
    assert_exits("PATH=%/bin scripts/slurm-array.sh experiments/quick.yaml 2 -o \"$OUT\" 2>&1", 1, "no sbatch");
    assert_exits("DIFFRATE=none scripts/slurm-array.sh experiments/quick.yaml 2 --dry-run 2>&1", 1,
                 "DIFFRATE is 'none'");
    assert_exits("mkdir %/scripts && cp scripts/slurm-array.sh %/scripts && unset DIFFRATE && "
                 "PATH=%/bin %/scripts/slurm-array.sh README.md 2 --dry-run 2>&1",
                 1, "no diffrate in PATH");
}
