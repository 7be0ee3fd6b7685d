/* Speed as ratios to bare loops of the same run, so that the numbers hold on a noisy machine.
 *   diffrate-bench [PROGRAM.py]     prints them as Markdown; with a NumPy program to compare chains with
 *   diffrate-bench --check FILE     compares the guards' ratios with those in FILE, which was so printed; exits 1
 * where one has grown by more than a quarter */
#include <cblas.h>
#include <gsl/gsl_errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/cases.h"
#include "bench/guards.h"
#include "core/clock.h"
#include "law/divergence.h"

enum { ROUNDS = 5, LAW_ROUNDS = 40, THREAD_ROUNDS = 12, GUARD_ROUNDS = 8, PASSES = 4, MOST_GUARDS = 32 };
#define GROWTH 1.25

static void print_law(const char *name, const struct law_case *law, int rounds)
{
    struct measured tv;
    struct error error;
    struct law_run run = law_run(law, rounds, 1);
    if (tv_measure(&(struct law_group){&run.law, 1.0}, 1, &tv, &error) != STATUS_OK)
        give_up(&error);
    printf("| %s, %s | %zu | %.4e (%.0e) | %.2f | %.2f | %.3f s | %.2f | %.0f %% |\n", name, law->sampler, law->T,
           tv.value, tv.error / tv.value, (double)run.law.node_updates * 1e-6, (double)run.functions * 1e-6,
           run.time.seconds, 1e9 * run.time.bare / (double)run.functions, 100.0 * run.time.bare / run.time.seconds);
    (void)fflush(stdout);
    law_run_free(&run);
}

static void print_laws(void)
{
    puts("## Laws, on one core\n\n"
         "The limit is the time of as many vector exponentials (core/vmath.h, in the first-level cache) as the law "
         "takes elementary\nfunctions; what else it does, from quadrature nodes to polynomials, is not in it. For "
         "radii the functions are not counted:\none a node.\n\n"
         "| law | T | TV (relative radius) | node updates, 10^6 | functions, 10^6 | time | ns a vector exponential | "
         "of the limit |\n|---|---:|---:|---:|---:|---:|---:|---:|");
    print_law("bimodal", &(struct law_case){&bimodal, "ddpm", 4096}, LAW_ROUNDS);
    print_law("bimodal", &(struct law_case){&bimodal, "accelerated", 4096}, LAW_ROUNDS);
    print_law("three components", &(struct law_case){&skewed, "ddpm", 4096}, LAW_ROUNDS);
    print_law("three components", &(struct law_case){&skewed, "accelerated", 4096}, LAW_ROUNDS);
    print_law("bimodal", &(struct law_case){&bimodal, "pf-ode-2", 1024}, LAW_ROUNDS);
    print_law("radii, d = 4096, two scales", &(struct law_case){&two_scales, "ddpm", 1024}, 2);
    print_law("ring of 8 in the plane", &(struct law_case){&ring_of_eight, "ddpm", 256}, 2);
    print_law("ring of 8 in the plane", &(struct law_case){&ring_of_eight, "accelerated", 256}, 2);
    print_law("3 in the plane", &(struct law_case){&three_in_the_plane, "accelerated", 256}, 2);
    print_law("bimodal", &(struct law_case){&bimodal, "ddpm", 1000000}, 1);
    print_law("bimodal", &(struct law_case){&bimodal, "accelerated", 1000000}, 1);
}

static void print_threads(void)
{
    const struct law_case laws[] = {{&bimodal, "accelerated", 4096},
                                    {&comb, "accelerated", 1024},
                                    {&comb, "accelerated", 128},
                                    {&two_scales, "ddpm", 1024}};
    const char *const names[] = {"bimodal", "20 components", "20 components", "radii, d = 4096, two scales"};
    puts("\n## One law by two threads\n\nThe time of one thread is processor time, that of two is by the clock, the "
         "least of "
         "some rounds: on a machine that\nothers use it is too long.\n\n"
         "| law | T | node updates a step | times as fast as by one |\n|---|---:|---:|---:|");
    for (size_t i = 0; i < sizeof laws / sizeof laws[0]; i++) {
        struct law_run one = law_run(&laws[i], THREAD_ROUNDS, 1), two = law_run(&laws[i], THREAD_ROUNDS, 2);
        printf("| %s, %s | %zu | %.0f | %.2f |\n", names[i], laws[i].sampler, laws[i].T,
               (double)one.law.node_updates / (double)laws[i].T, one.time.seconds / two.time.seconds);
        law_run_free(&one);
        law_run_free(&two);
    }
    puts("");
}

static void print_compositions(void)
{
    struct law_run run = law_run(&(struct law_case){&bimodal, "accelerated", 4096}, 1, 1);
    puts("## Composition\n\n| d | TV (relative radius) | time | over 10^5 vector exponentials "
         "|\n|---:|---:|---:|---:|");
    for (double d = 2.0; d < 2e6; d *= d < 16.0 ? 2.0 : 16.0) {
        struct sum sum = {.group = {&run.law, d}};
        size_t count = 100000;
        struct timing time = time_both(compose, &sum, vector_exponentials, &count, 10 * ROUNDS, processor_seconds);
        printf("| %.0f | %.4e (%.0e) | %.2f ms | %.2f |\n", d, sum.tv.value, sum.tv.error / sum.tv.value,
               1e3 * time.seconds, time.ratio);
    }
    law_run_free(&run);
}

/* Processor seconds of the same sampler in NumPy, for any mixture and written for two components by hand. Returns 0
 * where there is none. */
static int numpy_seconds(const char *program, const struct chain_case *chains, double *any, double *two)
{
    char command[4200];
    /* Debian's own interpreter is the one that python3-numpy belongs to. */
    (void)snprintf(command, sizeof command,
                   "for python in python3 /usr/bin/python3; do OPENBLAS_NUM_THREADS=1 $python '%s' %zu %zu %zu && "
                   "exit; done 2>/dev/null",
                   program, chains->dimension, chains->steps, chains->chains);
    FILE *pipe = popen(command, "r");
    int found = pipe != NULL && fscanf(pipe, "%lf %lf", any, two) == 2;
    if (pipe != NULL)
        (void)pclose(pipe);
    return found;
}

static double steps_of(const struct chain_case *chains)
{
    return (double)chains->dimension * (double)(chains->steps - 1) * (double)chains->chains;
}

static void print_chains(const char *program)
{
    const struct chain_case cases[] = {{1, 257, 262144, 1}, {16, 257, 16384, 1}, {64, 257, 4096, 1},
                                       {1024, 257, 256, 1}, {16384, 65, 64, 1},  {64, 257, 32768, 1}};
    double any, by_hand;
    puts("\n## Chains of ddpm, bimodal product\n\n"
         "| d | T | chains | ns a coordinate and step | over its random numbers and exponentials |\n"
         "|---:|---:|---:|---:|---:|");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct chain_run run = chain_run(&cases[i], ROUNDS);
        printf("| %zu | %zu | %zu | %.2f | %.2f |\n", cases[i].dimension, cases[i].steps, cases[i].chains,
               1e9 * run.seconds / steps_of(&cases[i]), run.ratio);
    }
    struct chain_case one = {64, 257, 8192, 1}, two = one;
    two.threads = 2;
    printf("\nTwo threads are %.2f times as fast as one.", chain_run(&one, 1).wall / chain_run(&two, 1).wall);
    const struct chain_case numpy = {64, 65, 2048, 1};
    if (program != NULL && numpy_seconds(program, &numpy, &any, &by_hand)) {
        double ours = chain_run(&numpy, ROUNDS).seconds;
        printf(" A vectorised NumPy loop for any mixture takes %.1f times as long, one written for two components by "
               "hand %.1f times.\n",
               any / ours, by_hand / ours);
    } else
        puts(" NumPy is not installed (python3-numpy): no comparison with its loop.");
}

/* The least of a few passes, tens of seconds apart: what else the machine does comes and goes. */
static void print_guards(void)
{
    double ratio[MOST_GUARDS];
    puts("\n## Guards\n\n`make bench-check` measures these again, and fails where one has grown by more than a "
         "quarter.\n\n"
         "| guard | ratio |\n|---|---:|");
    for (int pass = 0; pass < PASSES; pass++)
        for (size_t i = 0; guards[i].name != NULL; i++) {
            double now = guards[i].ratio(GUARD_ROUNDS);
            ratio[i] = pass == 0 || now < ratio[i] ? now : ratio[i];
        }
    for (size_t i = 0; guards[i].name != NULL; i++)
        printf("| %s | %.3f |\n", guards[i].name, ratio[i]);
}

/* The ratio on a guard's line of the file, 0 if there is none. */
static double committed(FILE *file, const char *name)
{
    char line[1000];
    size_t length = strlen(name);
    rewind(file);
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "| ", 2) == 0 && strncmp(line + 2, name, length) == 0
            && strncmp(line + 2 + length, " | ", 3) == 0)
            return strtod(line + 2 + length + 3, NULL);
    return 0.0;
}

static int check_guards(const char *path)
{
    double ratio[MOST_GUARDS], before[MOST_GUARDS];
    FILE *file = fopen(path, "r");
    int failed = 0;
    if (file == NULL) {
        fprintf(stderr, "bench: cannot open %s\n", path);
        return 1;
    }
    for (int pass = 0; pass < PASSES; pass++)
        for (size_t i = 0; guards[i].name != NULL; i++) {
            before[i] = committed(file, guards[i].name);
            if (pass > 0 && ratio[i] <= GROWTH * before[i])
                continue;
            double now = guards[i].ratio(GUARD_ROUNDS);
            ratio[i] = pass == 0 || now < ratio[i] ? now : ratio[i];
        }
    for (size_t i = 0; guards[i].name != NULL; i++) {
        int grown = !(ratio[i] <= GROWTH * before[i]);
        printf("%s %s: %.3f, committed %.3f\n", grown ? "FAIL" : "ok  ", guards[i].name, ratio[i], before[i]);
        failed |= grown;
    }
    (void)fclose(file);
    return failed;
}

int main(int argc, char **argv)
{
    (void)gsl_set_error_handler_off();
    openblas_set_num_threads(1); /* cells are measured side by side, with small matrices each */
    if (argc == 3 && strcmp(argv[1], "--check") == 0)
        return check_guards(argv[2]);
    print_laws();
    print_threads();
    print_compositions();
    print_chains(argc > 1 ? argv[1] : NULL);
    print_guards();
    return 0;
}
