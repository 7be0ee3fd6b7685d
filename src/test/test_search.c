/* Searches for T(d, eps): which dimensions share their laws, and that no other one is measured beside one that needs
 * a T. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiment/plan.h"
#include "law/measure.h"
#include "test/shell.h"
#include "test/suite.h"
#include "verdict/claims.h"

TEST_SUITE(search, .setup = shell_setup, .teardown = shell_teardown);

#define CODEBOOK "{name: t, kind: codebook, rate: 0.5, sd: 0.1}"
#define RADIAL "{name: t, kind: radial, weights: [0.5, 0.5], sds: [0.5, 1]}"
#define SUM(first, copies, rest) \
    "{name: t, kind: direct-sum, factors: [{" first ", copies: " copies "}, {" rest ", copies: rest}]}"
#define MIXTURE "kind: mixture, weights: [0.5, 0.5], means: [-1, 1], sds: [0.3, 0.3]"

static struct spec spec_of(const char *target, const char *rest)
{
    char text[900];
    struct spec spec;
    (void)snprintf(text, sizeof text, "targets: [%s]\n%s\n", target, rest);
    ASSERT_OK(spec_parse, "x.yaml", text, strlen(text), "", claim_names(), &spec);
    return spec;
}

/* In d = 3, 4, 9. A law serves all dimensions of a product, each has its own where coordinates do not separate or a
 * parameter depends on d; closed forms do not matter. */
TEST(dimensions_share_laws)
{
    static const struct {
        const char *target, *errors;
        size_t group[3];
    } cases[] = {
        {"{name: t, " MIXTURE "}", "", {0, 0, 0}},
        {"{name: t, kind: gaussian, variance: 0.25, spectrum: {kind: power, exponent: 1}}", "", {0, 0, 0}},
        {RADIAL, "", {0, 1, 2}},
        {CODEBOOK, "", {0, 1, 2}},
        {SUM(MIXTURE, "1", "kind: gaussian, variance: 2"), "", {0, 0, 0}},
        {SUM(MIXTURE, "3", "kind: mixture, weights: [0.2, 0.8], means: [0, 0], sds: [0.3, 0.9]"), "", {0, 0, 0}},
        {SUM(MIXTURE, "1", "kind: radial, weights: [0.5, 0.5], sds: [0.5, 1]"), "", {0, 1, 2}},
        {"{name: t, kind: mixture, weights: [rest, exp(-d)], means: [0, 3], sds: [1, 1]}", "", {0, 1, 2}},
        {"{name: t, kind: axis, weights: [0.3, 0.7], means: [-1, 1], sds: [0.5, 0.5]}", "", {0, 0, 0}},
        {"{name: t, kind: axis, weights: [0.3, 0.7], means: [-1, 1], sds: [0.5, 0.6]}", "", {0, 1, 2}},
        {"{name: t, " MIXTURE "}", "score_errors: [{shape: wave, size: 0.1, roughness: 1, spread: one}]", {0, 0, 0}},
        {"{name: t, " MIXTURE "}", "score_errors: [{shape: wave, size: 0.1, roughness: 1, spread: all}]", {0, 1, 2}},
    };
    for (int i = 0; i < COUNT(cases); i++) {
        char rest[200];
        size_t group[3];
        (void)snprintf(rest, sizeof rest, "samplers: [ddpm]\ndimensions: [3, 4, 9]\nsteps: [64]\n%s",
                       cases[i].errors);
        OWNED(spec) spec = spec_of(cases[i].target, rest);
        ASSERT_OK(measure_groups, &spec.targets[0], spec.samplers[0], &spec.score_errors[spec.score_error_count - 1],
                  spec.dimensions, 3, group);
        for (int d = 0; d < 3; d++)
            ck_assert_msg(group[d] == cases[i].group[d], "%d: %zu in d = %zu", i, group[d], spec.dimensions[d]);
    }
}

/* A planted error: (h d)^p times a correction, with radii of a part in a million. */
struct rule {
    double power, scale, correction;
};

static void settle(struct plan *plan, size_t index, const struct rule *rule)
{
    const struct cell *cell = &plan->items[index].cell;
    struct record *rows = calloc(cell->dimensions.count, sizeof *rows);
    ck_assert_ptr_nonnull(rows);
    for (size_t k = 0; k < cell->dimensions.count; k++) {
        const double d = (double)cell->dimensions.of[k], h = 8.5 * log((double)cell->steps) / (double)cell->steps;
        rows[k].dimension = cell->dimensions.of[k];
        rows[k].steps = cell->steps;
        rows[k].step_size = h;
        rows[k].planted_tv = rows[k].tv =
            -0.5 * expm1(-rule->scale * pow(h * d, rule->power) * (1.0 + rule->correction * h * d));
        rows[k].planted_tv_error = rows[k].tv_error = 1e-6 * rows[k].tv;
    }
    plan_settle(plan, index, ITEM_MEASURED, rows, NULL);
}

/* All T(d, eps) with as many laws as it takes to see that they are right. Returns how many. */
static size_t search(const struct spec *spec, const struct rule *rule)
{
    OWNED(plan) plan;
    size_t laws = 0, known[3][3] = {{0}};
    ASSERT_OK(plan_new, spec, 1, &plan);
    for (size_t next = 0; next < plan.count;) {
        for (; next < plan.count; next++)
            settle(&plan, next, rule);
        ASSERT_OK(plan_pursue, &plan, 0);
    }
    for (size_t i = 0; i < plan.count; i++) {
        const struct cell *cell = &plan.items[i].cell;
        laws += cell->dimensions.count;
        for (size_t k = 0; k < cell->dimensions.count; k++)
            for (size_t e = 0; e < spec->accuracy_count; e++) {
                const struct record *row = &plan.items[i].rows[k];
                size_t *T = &known[dimensions_find(&(struct dimensions){spec->dimensions, 3}, row->dimension)][e];
                if (row->tv + row->tv_error <= spec->accuracies[e] && (*T == 0 || row->steps < *T))
                    *T = row->steps;
            }
    }
    for (size_t d = 0; d < 3; d++)
        for (size_t e = 0; e < spec->accuracy_count; e++) {
            double value[2];
            for (size_t k = 0; k < 2; k++) {
                const double T = (double)known[d][e] - (double)k, hd = 8.5 * log(T) / T * (double)spec->dimensions[d];
                value[k] = -0.5000005 * expm1(-rule->scale * pow(hd, rule->power) * (1.0 + rule->correction * hd));
            }
            ck_assert_msg(value[0] <= spec->accuracies[e] && value[1] > spec->accuracies[e], "%zu: %g %g",
                          known[d][e], value[0], value[1]);
        }
    return laws;
}

/* Laws of a codebook are dear: from two T in each dimension, from one far above or below, or from none, the nine
 * T(d, eps) take 27 to 32 laws, two or three each, and no dimension is measured for another. */
TEST(dear_searches_take_few_laws)
{
    static const struct rule rules[] = {{1.0, 0.1, 0.05}, {2.0, 0.003, -0.02}};
    static const char *const accuracies[] = {"0.07, 0.03, 0.02", "0.02, 0.005, 0.001"};
    static const char *const starts[] = {"steps: [16 d, 64 d]", "steps: [8 d]", "steps: [1000 d]", ""};
    for (int r = 0; r < COUNT(rules); r++)
        for (int i = 0; i < COUNT(starts); i++) {
            char rest[300];
            (void)snprintf(rest, sizeof rest,
                           "samplers: [ddpm]\ndimensions: [64, 128, 256]\n%s\naccuracy_in: planted_tv\n"
                           "accuracies: [%s]\nmax_steps: 1000000",
                           starts[i], accuracies[r]);
            OWNED(spec) spec = spec_of(CODEBOOK, rest);
            const size_t laws = search(&spec, &rules[r]);
            ck_assert_msg(laws <= 34, "rule %d from '%s': %zu laws", r, starts[i], laws);
        }
}

/* Laws of a radius are cheap, but each dimension has its own: only the grid is measured in all. Of a product all are
 * measured everywhere, for nothing. */
TEST(cheap_searches_begin_with_the_grid)
{
    static const char rest[] = "samplers: [ddpm]\ndimensions: [4, 16, 64]\naccuracies: [0.1, 0.03]\nmax_steps: 65536";
    static const struct rule rule = {1.0, 0.1, 0.0};
    OWNED(spec) own = spec_of(RADIAL, rest);
    OWNED(spec) shared = spec_of("{name: t, " MIXTURE "}", rest);
    const size_t apart = search(&own, &rule), together = search(&shared, &rule);
    ck_assert_uint_eq(together % 3, 0);
    ck_assert_msg(apart > 3 * 14 && apart < 3 * 14 + 30 && apart < together, "%zu %zu", apart, together);
}

/* One law serves three dimensions: beside the 24 T of the grid the nine T(d, eps) take a law each, and three at most
 * that lie beside them, also where values saturate, so that an interpolation may leave its bracket. */
TEST(shared_laws_are_few)
{
    static const char rest[] = "samplers: [ddpm]\ndimensions: [1, 10, 100]\naccuracies: [0.1, 0.03, 0.01]\n"
                               "max_steps: 1000000";
    static const struct rule rules[] = {{1.0, 1.0, 0.05}, {2.0, 1.0, 0.01}};
    OWNED(spec) spec = spec_of("{name: t, " MIXTURE "}", rest);
    for (int r = 0; r < COUNT(rules); r++) {
        const size_t laws = search(&spec, &rules[r]) / 3;
        ck_assert_msg(laws <= 24 + 9 + 3, "rule %d: %zu laws", r, laws);
    }
}

/* In one go, and in two shards after another experiment, of dimensions of which each has a law of its own. */
TEST(results_are_the_same_however_they_came)
{
    write_file("r.yaml", "targets: [" RADIAL "]\nsamplers: [ddpm]\ndimensions: [3, 9]\naccuracies: [0.1]\n"
                         "max_steps: 128\nclaims: [eps-ddpm]\n");
    ck_assert_int_eq(shell("@ run %/r.yaml -o %/one 2>&1"), 0);
    ck_assert_int_eq(shell("mkdir %/less && sed 's/, 9]/]/' %/r.yaml >%/less/r.yaml && @ run %/less/r.yaml -o %/two "
                           "--shard 1/2 2>&1 && @ run %/r.yaml -o %/two --shard 2/2 --adopt 2>&1 && "
                           "@ run %/r.yaml -o %/two --shard 1/2 2>&1"),
                     0);
    assert_same("one/r/r.h5", "two/r/r.h5");
    assert_exits("@ merge %/one/r 2>&1 && @ prune %/two/r 2>&1 && @ check %/two/r -n 3 2>&1", 0, "0 problems",
                 "3 the same to the bit");
}
