/* That the work of plans and verdicts is in proportion to the cells, counted in instructions by callgrind: times are
 * noisy, and a loop over all pairs of something hides in them until there are many. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiment/plan.h"
#include "results/store.h"
#include "test/laws.h"
#include "test/shell.h"
#include "test/suite.h"
#include "verdict/claims.h"

TEST_SUITE(scale, .setup = shell_setup, .teardown = shell_teardown);

enum { LEAST_VALUES = 24, SIZES = 3 };

#ifdef __SANITIZE_ADDRESS__ /* which valgrind cannot run */
enum { IS_SANITIZED = 1 };
#else
enum { IS_SANITIZED = 0 };
#endif

static void write_spec(size_t values)
{
    FREED char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    fputs("targets: [{name: g, kind: gaussian, variance: [", stream);
    for (size_t i = 0; i < values; i++)
        fprintf(stream, "%s%.6f", i > 0 ? ", " : "", 0.1 + 0.8 * (double)i / (double)values);
    fputs("]}]\nsamplers: [ddpm, accelerated]\ndimensions: [4]\nsteps: [64, 100, 128, 256, 512, 1024]\n"
          "accuracies: [0.1, 0.03]\nmax_steps: 1024\nclaims:\n  - eps-ddpm\n  - kl-ddpm\n"
          "  - {name: order, quantity: tv, at_least: {step_size: 1}, sampler: ddpm}\n"
          "  - {name: power, quantity: tv, at_most: {variance: 3}, sampler: ddpm}\n",
          stream);
    ck_assert_int_eq(fclose(stream), 0);
    write_file("x.yaml", text);
}

/* The merged result, of values that are made up: they fall like h. Returns how many cells it has. */
static size_t write_result(void)
{
    char path[300];
    OWNED(spec) spec;
    OWNED(plan) plan;
    FREED char *manifest = NULL;
    size_t count = 0;
    (void)snprintf(path, sizeof path, "%s/x.yaml", directory);
    ASSERT_OK(spec_load, path, claim_names(), &spec);
    ASSERT_OK(plan_new, &spec, 1, &plan);
    for (size_t i = 0; i < plan.count; i++) {
        struct record *row = calloc(1, sizeof *row);
        ck_assert_ptr_nonnull(row);
        cell_blank(&plan.items[i].cell, 0, row);
        row->tv = 0.01 * row->step_size * (1.0 + (double)plan.items[i].cell.target);
        row->kl_p_q = row->tv * row->tv;
        row->tv_error = row->kl_p_q_error = 0.0;
        plan_settle(&plan, i, ITEM_READ, row, NULL);
    }
    ASSERT_OK(plan_manifest, &plan, &manifest);
    FREED const struct record **rows = plan_rows(&plan, &count);
    const struct fact facts[] = {
        {"spec_text", spec.text}, {"spec_name", spec.name}, {"manifest", manifest}, {NULL, NULL}};
    (void)snprintf(path, sizeof path, "%s/x.h5", directory);
    ASSERT_OK(store_write, path, rows, count, &spec.parameters, facts);
    return count;
}

/* Of all processes that the command starts. */
static double instructions(const char *command)
{
    double sum = 0.0, some;
    char text[200];
    (void)snprintf(text, sizeof text, "valgrind --tool=callgrind --callgrind-out-file=/dev/null @ %s 2>&1 >/dev/null",
                   command);
    ck_assert_msg(shell(text) == 0, "%s", output);
    for (const char *at = output; (at = strstr(at, "Collected : ")) != NULL; sum += some)
        ck_assert_int_eq(sscanf(at += strlen("Collected : "), "%lf", &some), 1);
    ck_assert(sum > 0.0);
    return sum;
}

static const char *const commands[] = {"run %/x.yaml -o % --shard 1/2 --dry-run", "verdict %/x.h5",
                                       "explain %/x.h5 power"};

/* From n to 2n to 4n cells: the increments are as 1 to 2 where the work is in proportion, as 1 to 2.2 where it is of
 * order n log n, and as 1 to 4 where it grows like n^2. */
TEST(work_is_in_proportion_to_cells, .count = COUNT(commands), .tools = 1)
{
    double count[SIZES] = {0.0};
    size_t cells[SIZES] = {0};
    for (size_t i = 0; i < SIZES && !IS_SANITIZED; i++) {
        write_spec((size_t)LEAST_VALUES << i);
        cells[i] = write_result();
        count[i] = instructions(commands[_i]);
    }
    ck_assert_msg(IS_SANITIZED || count[2] - count[1] < 2.5 * (count[1] - count[0]),
                  "%s: %g instructions of %zu cells, %g of %zu, %g of %zu", commands[_i], count[0], cells[0],
                  count[1], cells[1], count[2], cells[2]);
}
