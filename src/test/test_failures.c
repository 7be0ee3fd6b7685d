/* A law that is refused in one dimension is a failure with its reason, beside the rows of the others; searches for
 * T(d, eps) go around it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiment/bracket.h"
#include "test/laws.h"
#include "test/shell.h"
#include "test/suite.h"

TEST_SUITE(failures, .setup = shell_setup, .teardown = shell_teardown);

#define CUBE \
    "schedule: {kind: li-cai, c0: 2.0, c1: 8.5}\n" \
    "targets:\n  - {name: cube, kind: mixture, weights: [0.3, 0.7], means: [-1, 1], sds: [0, 0]}\n"
/* At T = 31 a clip may act on the cube in 4096 dimensions, and hardly in 1 or 4. */
#define GIVEN CUBE "  - {name: g, kind: gaussian, variance: 0.25}\nsamplers: [accelerated]\nsteps: [31]\n"
#define REASON "a clip that may act with probability 1 leaves TV unknown"

/* Of a file's text. */
static void assert_holds(const char *name, const char *words)
{
    FREED char *text = read_file(name);
    ck_assert_msg(strstr(text, words) != NULL, "%s does not have '%s'", name, words);
}

static void assert_three_rows(const char *name)
{
    OWNED(result) result = load_result(name);
    ck_assert_uint_eq(result.count, 3);
    for (size_t i = 0; i < result.count; i++)
        ck_assert(result.rows[i].tv > 0.0 && result.rows[i].tv_error > 0.0 && result.rows[i].failure[0] == '\0');
    ASSERT_SAYS(result.failures, " d=4096: " REASON "\n");
    ck_assert_uint_eq(lines(result.failures), 1);
    ck_assert_str_eq(result.refusals, "");
}

TEST(one_dimension_of_a_cell_fails)
{
    write_file("s.yaml", GIVEN "dimensions: [4, 4096]\n");
    assert_exits("@ run %/s.yaml -o %/out 2>&1", 3, "1 cell measured, 0 read back, 1 failed\n",
                 " d=4096: " REASON "\n");
    assert_three_rows("out/s/s.h5");
    assert_holds("out/s/report.html", " d=4096: " REASON);
    assert_exits("grep '," REASON "' %/out/s/cells.csv | cut -d, -f1,2,9,10", 0, "cube,accelerated,4096,31\n");
    ck_assert_uint_eq(lines(output), 1);
    assert_exits("@ run %/s.yaml -o %/out 2>&1", 3, "0 cells measured, 1 read back, 1 failed\n");
    assert_exits("@ run %/s.yaml -o %/out --retry-failed 2>&1", 3, "1 cell in ",
                 "0 cells measured, 1 read back, 1 failed\n");
    assert_exits("@ merge %/out/s 2>&1", 3, " d=4096: " REASON "\n");
    assert_exits("@ check %/out/s 2>&1", 0, "2 cells are sound, 1 of them failed; 0 missing\n",
                 "2 measured again: 2 the same to the bit");
    assert_exits("@ diff %/out/s %/out/s 2>&1", 0, "3 rows in common");
    assert_three_rows("out/s/s.h5");
}

TEST(measure_tells_the_dimension_that_failed)
{
    write_file("s.yaml", GIVEN "dimensions: [4, 4096]\n");
    assert_exits("@ measure %/s.yaml 2>%/said", 3, "- failed: " REASON "\n");
    ck_assert_uint_eq(lines(output), 1 + 4);
    assert_holds("said", "1 of 2 cells failed");
    assert_exits("@ measure %/s.yaml --json 2>%/said | tee %/rows | grep -c '\"tv\": 0'", 0, "3\n");
    assert_holds("rows", "\"tv\": null");
    assert_holds("rows", "\"failure\": \"" REASON "\"}\n");
}

TEST(shards_and_new_dimensions_keep_failures)
{
    write_file("s.yaml", GIVEN "dimensions: [4, 4096]\n");
    assert_exits("@ run %/s.yaml -o %/out 2>&1", 3, "");
    for (int i = 1; i <= 2; i++) {
        char command[100];
        (void)snprintf(command, sizeof command, "@ run %%/s.yaml -o %%/shards --shard %d/2 2>&1; true", i);
        ck_assert_int_eq(shell(command), 0);
    }
    assert_same("out/s/s.h5", "shards/s/s.h5");
    write_file("s.yaml", GIVEN "dimensions: [1, 4, 4096]\n");
    assert_exits("@ run %/s.yaml -o %/fresh 2>&1", 3, "");
    assert_exits("@ run %/s.yaml -o %/out --adopt 2>&1", 3, " d=4096: " REASON "\n");
    assert_same("out/s/s.h5", "fresh/s/s.h5");
}

/* Of all dimensions together: one line, and no row. */
TEST(all_dimensions_of_a_cell_fail)
{
    write_file("s.yaml", CUBE "samplers: [ddpm]\nsteps: [32]\ndimensions: [4, 16]\n");
    assert_exits("@ run %/s.yaml -o %/out 2>&1", 3, "0 cells measured, 0 read back, 1 failed\n");
    OWNED(result) result = load_result("out/s/s.h5");
    ck_assert_uint_eq(result.count, 0);
    ASSERT_SAYS(result.failures, ": TV is not known: ");
}

/* T = 33 is refused, 34 passes and 32 does not: T(d, eps) is between, and nothing failed. */
TEST(searches_go_around_refusals)
{
    write_file("s.yaml", CUBE "samplers: [accelerated]\ndimensions: [64]\naccuracies: [0.1]\nmax_steps: 34\n"
                              "claims: [eps-accelerated]\n");
    assert_exits("@ run %/s.yaml -o %/out 2>&1", 0, "diffrate: T(d, eps) is found without: cube-accelerated-33-",
                 ", 0 failed\n");
    OWNED(result) result = load_result("out/s/s.h5");
    ck_assert_str_eq(result.failures, "");
    ASSERT_SAYS(result.refusals, "cube-accelerated-33-");
    assert_exits("@ explain %/out/s eps-accelerated 2>&1", 0, "32 < T ≤ 34 a clip that may act with probability ");
    assert_holds("out/s/report.html", "Laws that are not known");
    assert_exits("@ check %/out/s --sample 1 2>&1", 0, " sound, 0 of them failed; 0 missing\n");
    /* with no law left that is known, it failed */
    write_file("n.yaml", CUBE "samplers: [ddpm]\ndimensions: [4]\naccuracies: [0.1]\nmax_steps: 32\n");
    assert_exits("@ run %/n.yaml -o %/out 2>&1", 3, "");
}

/* TV falls like 1/T^2 from T = 10 on, and is not known at some T's. */
static struct bracket search(double accuracy, const size_t *unknown, size_t unknown_count, size_t *measured)
{
    struct point points[100] = {{10, 0.0, 0.0, 0.0}, {90, 0.0, 0.0, 0.0}};
    size_t count = 2;
    struct bracket bracket = {.reach = REACH_BEYOND};
    for (size_t attempt = 0; attempt < 50; attempt++) {
        for (size_t i = 0; i < count; i++) {
            double T = (double)points[i].steps, tv = 1.0 / (T * T);
            for (size_t j = 0; j < unknown_count; j++)
                tv = points[i].steps == unknown[j] ? NAN : tv;
            points[i] = (struct point){points[i].steps, 8.5 * log(T) / T, tv, 1e-9 * tv};
        }
        bracket = bracket_find(points, count, accuracy, attempt);
        *measured = count;
        size_t at = count;
        if (bracket.want == 0)
            break;
        for (; at > 0 && points[at - 1].steps > bracket.want; at--)
            points[at] = points[at - 1];
        ck_assert(points[at - 1].steps < bracket.want); /* what was measured is not wanted again */
        points[at].steps = bracket.want;
        count++;
    }
    return bracket;
}

TEST(brackets_say_what_is_known)
{
    static const struct {
        size_t unknown[4], count;
        enum reach reach;
        size_t fails, passes;
    } cases[] = {
        {{0}, 0, REACH_FOUND, 39, 40},          {{38}, 1, REACH_FOUND, 39, 40}, /* beside the answer */
        {{40}, 1, REACH_OPEN, 39, 41},                                          /* the answer itself */
        {{39, 40, 41}, 3, REACH_OPEN, 38, 42},                                  /* and around it */
        {{10, 39}, 2, REACH_FOUND, 39, 40},     /* the one before, which others tell */
        {{10, 20, 30}, 3, REACH_FOUND, 39, 40}, /* far off */
        {{90}, 1, REACH_BEYOND, 10, 0},         /* nothing passes */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t measured;
        struct bracket found = search(1.0 / (39.5 * 39.5), cases[i].unknown, cases[i].count, &measured);
        ck_assert_msg(found.reach == cases[i].reach && found.passes == cases[i].passes
                          && (found.reach != REACH_FOUND || found.fails == cases[i].fails)
                          && found.fails <= cases[i].fails,
                      "case %zu: reach %d, %zu and %zu", i, (int)found.reach, found.fails, found.passes);
        ck_assert_uint_lt(measured, 30);
    }
}
