/* Numbers of steps that depend on the dimension: read, planned, and measured end to end. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiment/manifest.h"
#include "experiment/plan.h"
#include "test/laws.h"
#include "test/shell.h"
#include "test/suite.h"
#include "verdict/claims.h"

TEST_SUITE(steps, .setup = shell_setup, .teardown = shell_teardown);

#define HEAD "targets: [{name: g, kind: gaussian, variance: 0.25}]\nsamplers: [ddpm, ddim]\n"

static enum status parse(const char *rest, struct spec *spec, struct error *error)
{
    char text[600];
    (void)snprintf(text, sizeof text, HEAD "%s\n", rest);
    return spec_parse("x.yaml", text, strlen(text), "", claim_names(), spec, error);
}

/* "T: d d; T: d" */
static void say(const struct spec *spec, char *text, size_t size)
{
    FILE *file = fmemopen(text, size, "w");
    ck_assert_ptr_nonnull(file);
    for (size_t i = 0; i < spec->step_count; i++) {
        fprintf(file, "%s%zu:", i > 0 ? "; " : "", spec->steps[i]);
        for (size_t k = 0; k < spec->step_dimensions[i].count; k++)
            fprintf(file, " %zu", spec->step_dimensions[i].of[k]);
    }
    ck_assert_int_eq(fclose(file), 0);
}

/* The schedule exists from T = 29 on; where two entries are the same T in a dimension, it is one. */
TEST(each_dimension_has_its_own)
{
    static const struct {
        const char *rest, *expected;
    } cases[] = {
        {"dimensions: [1, 4]\nsteps: [128, 64]", "64: 1 4; 128: 1 4"},
        {"dimensions: [1, 4, 16]\nsteps: [8 d, 16 d, 64]", "29: 1; 32: 4; 64: 1 4 16; 128: 16; 256: 16"},
        {"dimensions: [4, 1, 16]\nsteps: [20 d log(d), 16 d^3/2]", "29: 1; 111: 4; 128: 4; 887: 16; 1024: 16"},
        {"dimensions: [3]\nsteps: [33.5 d, 100.5 sqrt(d) ]", "101: 3; 174: 3"},
        {"dimensions: [1, 2]\nsteps: [20 d]\nschedule: [{kind: li-cai}, {kind: exponential, start: 1.0e-8, delta: "
         "0.1}]",
         "29: 1; 40: 2"},
    };
    for (int i = 0; i < COUNT(cases); i++) {
        char text[400];
        OWNED(spec) spec;
        ASSERT_OK(parse, cases[i].rest, &spec);
        say(&spec, text, sizeof text);
        ck_assert_str_eq(text, cases[i].expected);
    }
}

TEST(wrong_ones_are_refused)
{
    static const struct {
        const char *rest, *message;
    } cases[] = {
        {"dimensions: [1, 4]\nsteps: [64, 8 e]", "x.yaml:4:13: expected an integer from 2 to 10000000, or a form in "
                                                 "d such as 8 d or 4 d log(d), found '8 e'"},
        {"dimensions: [1, 4]\nsteps: [64, '8 d']", "x.yaml:4:13: expected an integer"},
        {"dimensions: [1, 4]\nsteps: [8 d, 64, 8d]", "x.yaml:4:18: "},
        {"dimensions: [1, 4000]\nsteps: [8 d,\n  d^2]",
         "x.yaml:5:3: 'd^2' is 1.6e+07 in dimension 4000, expected a "},
        {"dimensions: [1, 4]\nsteps: [64, -8 d]", "x.yaml:4:13: '-8 d' is -8 in dimension 1, expected a number from"},
        {"dimensions: [1, 4]\nsteps: [64, 8/log(d)]", "x.yaml:4:13: '8/log(d)' is inf in dimension 1, expected a "},
        {"dimensions: [1, 4]\nsteps: [10, 8 d]", "x.yaml:4:9: schedule li-cai with "},
    };
    for (int i = 0; i < COUNT(cases); i++) {
        OWNED(spec) spec;
        ASSERT_FAILS(STATUS_INVALID, cases[i].message, parse, cases[i].rest, &spec);
    }
}

/* Whatever is found: with a search for T(d, eps) beside the steps, each T is measured at most once in a dimension,
 * and where the steps ask for it at least once. */
TEST(plans_have_every_pair_once)
{
    OWNED(spec) spec;
    OWNED(plan) plan;
    ASSERT_OK(parse, "dimensions: [1, 4, 16]\nsteps: [8 d, 64, 16 d]\naccuracies: [0.1]\nmax_steps: 4096", &spec);
    ASSERT_OK(plan_new, &spec, 3, &plan);
    for (size_t next = 0; next < plan.count;) {
        for (; next < plan.count; next++) {
            const struct cell *cell = &plan.items[next].cell;
            struct record *rows = calloc(cell->dimensions.count, sizeof *rows);
            ck_assert_ptr_nonnull(rows);
            for (size_t d = 0; d < cell->dimensions.count; d++) {
                rows[d].dimension = cell->dimensions.of[d];
                rows[d].steps = cell->steps;
                rows[d].step_size = 8.5 * log((double)cell->steps) / (double)cell->steps;
                rows[d].tv = (20.0 + 2.0 * (double)rows[d].dimension) / (double)cell->steps;
            }
            plan_settle(&plan, next, ITEM_MEASURED, rows, NULL);
        }
        for (size_t i = 0; i < plan.pursuit_count; i++)
            ASSERT_OK(plan_pursue, &plan, i);
    }
    plan_sort(&plan);
    size_t count = 0, asked = 0;
    FREED const struct record **rows = plan_rows(&plan, &count);
    for (size_t i = 0; i < plan.count; i++)
        for (size_t k = 0; k < plan.items[i].cell.dimensions.count; k++) {
            const struct cell *a = &plan.items[i].cell;
            asked += plan.items[i].asked;
            for (size_t j = 0; j < i; j++) {
                const struct cell *b = &plan.items[j].cell;
                ck_assert(a->sampler != b->sampler || a->steps != b->steps
                          || dimensions_find(&b->dimensions, a->dimensions.of[k]) == b->dimensions.count);
            }
        }
    ck_assert_uint_eq(asked, 2 * (2 + 2 + 3)); /* of each sampler: 29 64, 32 64, 64 128 256 */
    size_t passes = 0;
    for (size_t i = 0; i < count; i++) /* T(16, 0.1) = 520, found by laws in which steps and search share */
        passes += rows[i]->dimension == 16 && rows[i]->steps == 520;
    ck_assert_uint_eq(passes, 2);
}

#define FORMS \
    HEAD "dimensions: [1, 4, 16]\nsteps: [8 d, 64, 16 d]\nscore_errors: [{shape: bias, size: 0.1}]\n" \
         "accuracies: [0.1]\nmax_steps: 300\nsamples: {chains: 256, methods: [projection]}\n"

/* A run in one go and one of two shards, interrupted by an experiment that asks for less and one that asks for more,
 * hold the same; what one dimension has is what an experiment of that dimension alone has. */
TEST(results_hold_each_dimensions_own)
{
    write_file("f.yaml", FORMS);
    ck_assert_int_eq(shell("@ run %/f.yaml -o %/one 2>&1"), 0);
    ASSERT_SAYS(output, "all cells are there and merged", "chains-agree");
    ck_assert_int_eq(shell("mkdir %/less && sed 's/, 16 d]/]/; s/\\[1, 4, 16\\]/[4, 16]/' %/f.yaml >%/less/f.yaml && "
                           "@ run %/less/f.yaml -o %/two 2>&1 && @ run %/f.yaml -o %/two --shard 2/2 --adopt 2>&1 && "
                           "@ run %/f.yaml -o %/two --shard 1/2 2>&1"),
                     0);
    assert_same("one/f/f.h5", "two/f/f.h5");
    assert_exits("@ diff %/one/f %/two/f 2>&1", 0, "");
    assert_exits("@ run %/f.yaml -o %/one 2>&1", 0, "0 cells measured, ");
    assert_exits("@ check %/one/f -n 3 2>&1", 0, "0 problems", "3 the same to the bit");
    assert_exits("@ explain %/one/f chains-agree 2>&1", 0, "d = 16, T = 256");
    assert_exits("@ verdict %/one/f 2>&1 && @ plot %/one/f 2>&1 && @ report %/one/f 2>&1", 0, "score-linear");
    assert_exits(
        "@ run %/f.yaml --dry-run 2>&1", 0,
        "20 cells at the given numbers of steps, with exact scores and 1 score error; T = 29 to 64 at d = 1, "
        "T = 64 to 256 at d = 16");
    /* of d = 16 alone, with its steps written out */
    ck_assert_int_eq(shell("sed 's/8 d, 64, 16 d/64, 128, 256/; s/1, 4, 16/16/' %/f.yaml >%/g.yaml && "
                           "@ run %/g.yaml -o %/one 2>&1"),
                     0);
    assert_exits("@ diff %/one/f %/one/g 2>&1", 0, "");
    assert_prints("for d in 1 4 16; do echo $(@ measure %/f.yaml --json 2>/dev/null | grep '\"sampler\": \"ddpm\"' | "
                  "grep '\"score_error\": \"none\"' | grep '\"chains\": 0' | grep \"\\\"dimension\\\": $d,\" | "
                  "grep -o '\"steps\": [0-9]*' | cut -d' ' -f2); done",
                  "29 64\n32 64\n64 128 256\n");
}

/* No T of this experiment is a power of two; what its claim is about is drawn, as TV is. */
TEST(verdicts_take_the_steps)
{
    write_file("v.yaml", HEAD "dimensions: [2, 4, 8]\nsteps: [100 d log(d), 200 d log(d), 400 d log(d)]\n"
                              "claims: [{name: mine, quantity: kl_p_q, sampler: ddpm, at_least: {h: 2}}]\n");
    assert_exits("@ run %/v.yaml -o %/out 2>&1", 0, "mine ", " supported ");
    assert_exits("@ explain %/out/v mine 2>&1", 0, "T a power of two or of the steps in its d, ",
                 "used      d = 8, T = 6654");
    ASSERT_MADE("out/v", "column-steps.svg", "column-steps.png");
    assert_prints(
        "awk -F'\t' '$3 == \"measured\" && $6 == \"ddpm\" {print $7, $8}' %/out/v/column-steps.tsv | sort -n | "
        "awk '{print $1, (NR > 1 && $2 < before / 3); before = $2}'",
        "139 0\n277 1\n555 1\n");
    assert_exits("cat %/out/v/column-steps.vars.gp", 0, "title_1 = 'g, KL(p‖q), {/:Italic d} = 2'");
}

/* A dimension that lost its law fails at its own T alone. */
TEST(failures_name_the_dimension)
{
    write_file("b.yaml", "targets: [{name: b, kind: mixture, weights: [0.5, 0.5], means: [-1, 1], sds: [0.3, 0.3]}]\n"
                         "samplers: [ddim]\ndimensions: [1, 4]\nsteps: [64, 32 d]\n"
                         "score_errors: [{shape: bump, size: 1.0e-2, probability: 1.0e-2}]\n");
    assert_exits("@ run %/b.yaml -o %/out 2>&1", 3, "b-ddim-bump-128-", " d=4: the map ");
    struct result result = load_result("out/b/b.h5");
    struct manifest manifest;
    ASSERT_OK(manifest_parse, "m", result.manifest, &result.parameters, &manifest);
    ck_assert(manifest_asks(&manifest, 0, 32) && manifest_asks(&manifest, 0, 64)
              && !manifest_asks(&manifest, 0, 128));
    ck_assert(!manifest_asks(&manifest, 1, 32) && manifest_asks(&manifest, 1, 64)
              && manifest_asks(&manifest, 1, 128));
    ck_assert_uint_eq(manifest_step_count(&manifest, 1), 2);
    ck_assert_uint_eq(manifest.steps[manifest_last_steps(&manifest, 0)], 64);
    ck_assert_uint_eq(manifest.steps[manifest_first_steps(&manifest, 1)], 64);
    manifest_free(&manifest);
    result_free(&result);
    assert_exits("grep '<li>b-ddim' %/out/b/report.html", 0, "b-ddim-bump-32-", " d=1: the map ", " d=4: the map ");
}
