#include "bench/guards.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/cases.h"
#include "bench/timing.h"
#include "law/divergence.h"
#include "results/cell_file.h"

static double law_over_limit(const struct law_case *law, int rounds)
{
    struct law_run run = law_run(law, rounds, 1);
    double ratio = run.time.ratio;
    law_run_free(&run);
    return ratio;
}

static double line_ddpm(int rounds)
{
    return law_over_limit(&(struct law_case){&bimodal, "ddpm", 1024}, rounds);
}

static double line_accelerated(int rounds)
{
    return law_over_limit(&(struct law_case){&bimodal, "accelerated", 1024}, rounds);
}

static double line_three(int rounds)
{
    return law_over_limit(&(struct law_case){&skewed, "accelerated", 512}, rounds);
}

static double line_map(int rounds)
{
    return law_over_limit(&(struct law_case){&bimodal, "pf-ode-2", 512}, rounds);
}

/* Its elementary functions are not counted: the bare loop has one for each node. */
static double radial(int rounds)
{
    return law_over_limit(&(struct law_case){&two_scales, "ddpm", 256}, rounds);
}

static double composition(double d, timed *bare, void *context, int rounds)
{
    struct law_run run = law_run(&(struct law_case){&bimodal, "accelerated", 256}, 1, 1);
    struct sum sum = {.group = {&run.law, d}}, few = {.group = {&run.law, 4.0}};
    struct timing time =
        time_both(compose, &sum, bare, context != NULL ? context : &few, 4 * rounds, processor_seconds);
    law_run_free(&run);
    return time.ratio;
}

static double composition_in_a_million(int rounds)
{
    size_t count = 100000;
    return composition(1e6, vector_exponentials, &count, rounds);
}

static double composition_million_over_four(int rounds)
{
    return composition(1e6, compose, NULL, rounds);
}

static double chains_over_primitives(int rounds)
{
    return chain_run(&(struct chain_case){64, 129, 4096, 1}, rounds).ratio;
}

/* In a directory in memory, so that it is not the disk that is timed. */
static void store(void *rows)
{
    char path[64];
    struct error error;
    const struct fact facts[] = {{"cell", "bench"}, {NULL, NULL}};
    (void)snprintf(path, sizeof path, "/dev/shm/diffrate-bench-%ld" CELL_FILE_ENDING, (long)getpid());
    const struct parameter_columns none = {.count = 0};
    if (cell_file_write(path, rows, 8, &none, facts, &error) != STATUS_OK)
        give_up(&error);
    (void)unlink(path);
}

static double a_cells_file(int rounds)
{
    struct record rows[8];
    size_t count = 1000000;
    memset(rows, 0, sizeof rows);
    struct timing time = time_both(store, rows, vector_exponentials, &count, 3 * rounds, processor_seconds);
    return time.ratio;
}

const struct guard guards[] = {
    {"line engine, bimodal, ddpm, T = 1024, over its exponentials", line_ddpm},
    {"line engine, bimodal, accelerated, T = 1024, over its exponentials", line_accelerated},
    {"line engine, three components, accelerated, T = 512, over its exponentials", line_three},
    {"line engine without noise, bimodal, pf-ode-2, T = 512, over its exponentials", line_map},
    {"radial engine, two scales, d = 4096, ddpm, T = 256, over an exponential a node", radial},
    {"composition, d = 10^6, over 10^5 exponentials", composition_in_a_million},
    {"composition, d = 10^6, over d = 4", composition_million_over_four},
    {"chains, bimodal, d = 64, ddpm, over their random numbers and exponentials", chains_over_primitives},
    {"a cell's file of 8 rows, over 10^6 exponentials", a_cells_file},
    {NULL, NULL},
};
