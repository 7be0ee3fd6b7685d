/* T(d, eps) of the divergences that accuracies can be of. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results/evidence.h"
#include "test/shell.h"
#include "test/suite.h"

TEST_SUITE(accuracy, .setup = shell_setup, .teardown = shell_teardown);

static const char spec_form[] =
    "title: x\nschedule: {kind: exponential, start: 1.0e-9, delta: 1.0e-3}\n"
    "targets: [{name: g, kind: gaussian, variance: 0.25}]\nsamplers: [ddpm]\ndimensions: [1, 64]\n"
    "steps: [%s]\naccuracy_in: %s\naccuracies: [%s]\nmax_steps: 4096\nclaims:\n"
    "  - eps-ddpm\n"
    "  - {name: mine, says: s, source: s, sampler: ddpm, quantity: steps, at_most: {accuracy: %s}}\n";

/* Of a sampler of first order: TV and W2 fall like h, the others like h^2. */
static const struct {
    const char *name, *accuracies, *power, *less;
} cases[] = {
    {"kl_p_q", "3, 1.0e-2, 1.0e-3, 1.0e-4", "1/2", "2/5"}, {"kl_q_p", "1.0e-2, 1.0e-3, 1.0e-4", "1/2", "2/5"},
    {"hellinger2", "1.0e-3, 1.0e-4", "1/2", "2/5"},        {"w2", "7, 1.0e-1, 1.0e-2, 3.0e-3", "1", "9/10"},
    {"chi2_q_p", "20, 1.0e-3, 1.0e-4", "1/2", "2/5"},      {"tv", "1.0e-1, 3.0e-2, 1.0e-2", "1", "9/10"},
};

static const struct record *row_at(const struct evidence *evidence, size_t d, size_t steps)
{
    for (size_t i = 0; i < evidence->result.count; i++)
        if (evidence->result.rows[i].dimension == evidence->manifest.dimensions[d]
            && evidence->result.rows[i].steps == steps)
            return &evidence->result.rows[i];
    ck_abort_msg("no row at T = %zu", steps);
}

/* Appends T - 1 of each T(d, eps) to steps, to be measured where the search did without. */
static void add_steps_before(const struct evidence *evidence, char *steps, size_t size)
{
    const struct manifest *manifest = &evidence->manifest;
    for (size_t i = 0; i < manifest->score_error_count * manifest->dimension_count * manifest->accuracy_count; i++) {
        const struct bracket *bracket = &evidence->complexity[i];
        const size_t used = strlen(steps);
        size_t same = 0;
        while (evidence->complexity[same].passes != bracket->passes)
            same++;
        if (bracket->reach == REACH_FOUND && same == i)
            ck_assert_int_lt(snprintf(steps + used, size - used, ", %zu", bracket->passes - 1), (int)(size - used));
    }
}

/* T passes and T - 1 does not, in the quantity itself. */
static size_t check_brackets(const struct evidence *evidence, const char *name)
{
    const struct manifest *manifest = &evidence->manifest;
    size_t found = 0;
    ck_assert_str_eq(manifest->accuracy_in->name, name);
    for (size_t d = 0; d < manifest->dimension_count; d++)
        for (size_t e = 0; e < manifest->accuracy_count; e++) {
            const struct bracket *bracket = evidence_complexity(evidence, 0, 0, d, e);
            if (bracket->reach != REACH_FOUND)
                continue;
            found++;
            const double *pass = quantity_of(manifest->accuracy_in, row_at(evidence, d, bracket->passes));
            const double *fail = quantity_of(manifest->accuracy_in, row_at(evidence, d, bracket->passes - 1));
            ck_assert(pass[0] + pass[1] <= manifest->accuracies[e] && fail[0] + fail[1] > manifest->accuracies[e]);
        }
    return found;
}

TEST(complexity_in_every_quantity, .count = (int)taken(COUNT(cases)), .grows = 1)
{
    static const char *const none[] = {"eps-ddpm", NULL};
    OWNED(evidence) evidence;
    static const char powers_of_2[] = "64, 128, 256, 512, 1024, 2048";
    char text[1000], steps[400], path[300], expected[80];
    (void)snprintf(steps, sizeof steps, "%s", powers_of_2);
    (void)snprintf(text, sizeof text, spec_form, steps, cases[_i].name, cases[_i].accuracies, cases[_i].power);
    write_file("x.yaml", text);
    ck_assert_msg(shell("@ run %/x.yaml -o %/out 2>&1") == 0, "%s", output);
    (void)snprintf(path, sizeof path, "%s/out/x", directory);
    ASSERT_OK(evidence_read, path, none, &evidence);
    add_steps_before(&evidence, steps, sizeof steps);
    evidence_free(&evidence);
    (void)snprintf(text, sizeof text, spec_form, steps, cases[_i].name, cases[_i].accuracies, cases[_i].power);
    write_file("x.yaml", text);
    ck_assert_msg(shell("@ run %/x.yaml -o %/out --adopt 2>&1") == 0, "%s", output);
    ASSERT_OK(evidence_read, path, none, &evidence);
    ck_assert_uint_ge(check_brackets(&evidence, cases[_i].name), 4);
    const char *label = evidence.manifest.accuracy_in->label;
    char *verdict = read_file("out/x/verdict.md"), *page = read_file("out/x/report.html");
    (void)snprintf(expected, sizeof expected, "Steps needed for %s ≤", label);
    ck_assert_msg(strstr(page, expected) != NULL, "%s", expected);
    ck_assert((strstr(verdict, "not of TV but of the divergence") != NULL) == (strcmp(cases[_i].name, "tv") != 0));
    const char *built_in = strstr(verdict, "| eps-ddpm | g | "); /* of TV, whatever the accuracies are of */
    ck_assert_msg(built_in != NULL && strstr(built_in, "| <= 1 | supported | ") != NULL, "%s", verdict);
    ck_assert_msg(strstr(verdict, "| supported") != NULL && strstr(verdict, "refuted |") == NULL, "%s", verdict);
    free(verdict);
    free(page);
    (void)snprintf(text, sizeof text, spec_form, powers_of_2, cases[_i].name, cases[_i].accuracies, cases[_i].less);
    write_file("x.yaml", text);
    ck_assert_msg(shell("@ run %/x.yaml -o %/out --adopt 2>&1") == 0, "%s", output);
    verdict = read_file("out/x/verdict.md");
    ck_assert_msg(strstr(verdict, "refuted |") != NULL, "%s", verdict);
    free(verdict);
}

/* So are powers of a parameter: T for W2 <= eps grows like the standard deviation, which TV does not depend on; and
 * no eps of W2 is too large for a fit. */
TEST(a_power_of_a_parameter_is_of_the_quantity)
{
    static const char text[] = "targets: [{name: g, kind: gaussian, variance: [4, 16, 64]}]\nsamplers: [ddpm]\n"
                               "dimensions: [1]\nsteps: [256, 512, 1024, 2048]\naccuracy_in: w2\n"
                               "accuracies: [0.5, 0.2]\nmax_steps: 2048\nclaims:\n"
                               "  - {name: same, quantity: steps, at_most: {variance: 1/2}}\n"
                               "  - {name: less, quantity: steps, at_most: {variance: 2/5}}\n";
    write_file("x.yaml", text);
    ck_assert_msg(shell("@ run %/x.yaml -o %/out 2>&1") == 0, "%s", output);
    assert_exits("@ explain %/out/x same 2>&1", 0, "from W2 in d = 1 = 0.500");
    ASSERT_SAYS(output, "same, all targets: supported\n");
    ASSERT_SAYS(output, "used      d = 1, ε = 0.5, variance = 64");
    assert_exits("@ explain %/out/x less 2>&1", 0, "less, all targets: refuted\n");
}

TEST(accuracies_are_in_the_range_of_their_quantity)
{
    static const char *const refused[][2] = {{"tv", "2"}, {"hellinger2", "1"}, {"w2", "0"}, {"kl_p_q", "-1"}};
    char text[1000];
    for (size_t i = 0; i < COUNT(refused); i++) {
        (void)snprintf(text, sizeof text, spec_form, "64", refused[i][0], refused[i][1], "1");
        write_file("x.yaml", text);
        assert_exits("@ measure %/x.yaml 2>&1", 2, "x.yaml:8:14: expected a number ");
    }
    (void)snprintf(text, sizeof text, spec_form, "64", "l2", "0.1", "1");
    write_file("x.yaml", text);
    assert_exits("@ measure %/x.yaml 2>&1", 2,
                 "x.yaml:7:14: unknown quantity 'l2', expected one of: tv, kl_p_q, kl_q_p");
}

/* Floors under planted values f + C h^p, and none where there is none. */
TEST(floors_are_seen)
{
    static const struct {
        double floor, C, power, accuracy;
        int seen;
    } planted[] = {{0.05, 0.5, 1.0, 0.03, 1}, {0.05, 0.5, 2.0, 0.04, 1}, {0.05, 0.5, 1.0, 0.051, 0},
                   {0.0, 0.5, 1.0, 1e-3, 0},  {0.0, 3.0, 2.0, 1e-6, 0},  {0.3, 8.0, 1.0, 0.1, 0}};
    for (size_t i = 0; i < COUNT(planted); i++) {
        struct point points[8];
        for (size_t k = 0; k < 8; k++) {
            double h = 0.2 * pow(2.0, -0.5 * (double)k);
            double value = planted[i].floor + planted[i].C * pow(h, planted[i].power);
            points[k] = (struct point){(size_t)(16.0 / h), h, value, 1e-9};
        }
        struct bracket bracket = bracket_find(points, 8, planted[i].accuracy, 0);
        ck_assert_msg((bracket.floor > 0.0) == planted[i].seen, "case %zu: floor %g", i, bracket.floor);
        ck_assert(bracket.floor <= planted[i].floor);
        points[7].radius = 0.1; /* with which nothing is seen */
        ck_assert(bracket_find(points, 8, planted[i].accuracy, 0).floor == 0.0);
    }
}

/* T(d, eps) under a score error, where no steps are given: found above its floor, given up below, and read back. */
TEST(complexity_under_score_errors)
{
    static const char *const none[] = {"eps-ddpm", NULL};
    static const char form[] =
        "title: x\ntargets: [{name: g, kind: gaussian, variance: 0.25}]\nsamplers: [ddpm]\ndimensions: [1, 16]\n"
        "score_errors: [{shape: none}, {shape: bias, size: [3.0e-3, 3.0e-1]}]\naccuracies: [1.0e-1, 3.0e-2]\n"
        "max_steps: 8192\nsteps: [%s]\nclaims: none\n";
    OWNED(evidence) evidence = {.complexity = NULL};
    char text[800], steps[200] = "256", path[300];
    size_t found[3] = {0}, floors[3] = {0}, largest[3] = {0};
    (void)snprintf(path, sizeof path, "%s/out/x", directory);
    for (int again = 0; again < 2; again++) {
        (void)snprintf(text, sizeof text, form, steps);
        write_file("x.yaml", text);
        ck_assert_msg(shell("@ run %/x.yaml -o %/out --adopt 2>&1") == 0, "%s", output);
        evidence_free(&evidence);
        ASSERT_OK(evidence_read, path, none, &evidence);
        add_steps_before(&evidence, steps, sizeof steps);
    }
    for (size_t i = 0; i < 3 * 2 * 2; i++) {
        size_t error = i / 4, d = i / 2 % 2, e = i % 2;
        const struct bracket *bracket = evidence_complexity_under(&evidence, 0, 0, error, d, e);
        const struct row_list rows = evidence_rows(&evidence, 0, 0, error, d);
        largest[error] = (size_t)rows.row[rows.count - 1]->steps;
        floors[error] += bracket->reach == REACH_BEYOND && bracket->floor > evidence.manifest.accuracies[e];
        for (size_t k = 0; k < rows.count && bracket->reach == REACH_FOUND; k++) {
            const struct record *row = rows.row[k];
            if (row->steps == bracket->passes || row->steps + 1 == bracket->passes)
                found[error] +=
                    (row->tv + row->tv_error <= evidence.manifest.accuracies[e]) == (row->steps == bracket->passes);
        }
    }
    ck_assert(found[0] == 8 && found[1] == 8 && found[2] == 0);
    ck_assert(floors[0] == 0 && floors[1] == 0 && floors[2] == 4 && largest[2] < 2048);
    FREED char *verdict = read_file("out/x/verdict.md");
    ck_assert_msg(strstr(verdict, "## T(d, ε) under score errors") != NULL
                      && strstr(verdict, "| bias 0.3 all |") != NULL && strstr(verdict, ", floor 0.") != NULL,
                  "%s", verdict);
    assert_exits("@ run %/x.yaml -o %/out 2>&1", 0, "0 cells measured, ");
}
