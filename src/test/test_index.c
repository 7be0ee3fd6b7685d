/* The index of several results, end to end; and the theorems that come with the program. */
#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiment/spec.h"
#include "verdict/claims.h"

#include "test/shell.h"
#include "test/suite.h"

TEST_SUITE(index, .setup = shell_setup, .teardown = shell_teardown);

/* Every theorem's experiment can be read and says what it claims, and on whose word: of an abstract, a theorem that
 * is quoted or a reproduction. What is no theorem says so. */
TEST(theorems_are_complete)
{
    glob_t files;
    ck_assert_int_eq(glob("experiments/theorems/*.yaml", 0, NULL, &files), 0);
    ck_assert_uint_ge(files.gl_pathc, 12);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        struct spec spec;
        ASSERT_OK(spec_load, files.gl_pathv[i], claim_names(), &spec);
        ck_assert_uint_gt(spec.own_claim_count, 0);
        for (size_t j = 0; j < spec.own_claim_count; j++) {
            const struct claim_spec *claim = &spec.own_claims[j];
            const bool graded = strstr(claim->source, "[A]") != NULL || strstr(claim->source, "[T]") != NULL
                                || strstr(claim->source, "[C]") != NULL;
            ck_assert_msg(strcmp(claim->says, claim->name) != 0, "%s: %s", spec.name, claim->name);
            ck_assert_msg(graded || strstr(claim->says, "no theorem") != NULL, "%s: %s", spec.name, claim->source);
            /* a file whose name is a paper's number is about that paper */
            ck_assert_msg(!isdigit((unsigned char)spec.name[0]) || strstr(claim->says, "no theorem") != NULL
                              || strstr(claim->source, spec.name) != NULL,
                          "%s: %s", spec.name, claim->source);
        }
        spec_free(&spec);
    }
    globfree(&files);
}

static void run_spec(const char *name, const char *claims)
{
    static const char start[] = "targets:\n"
                                "  - {name: narrow, kind: gaussian, variance: 0.25}\n"
                                "  - {name: wide, kind: gaussian, variance: 4}\n"
                                "samplers: [ddpm, accelerated]\n"
                                "dimensions: [1, 2, 4]\n"
                                "steps: [256, 512, 1024, 2048, 4096]\n"
                                "claims:\n";
    char text[1500], command[200];
    (void)snprintf(text, sizeof text, "%s%s", start, claims);
    (void)snprintf(command, sizeof command, "%s.yaml", name);
    write_file(command, text);
    (void)snprintf(command, sizeof command, "@ run %%/%s.yaml -o %%/all -j 1 2>&1", name);
    ck_assert_msg(shell(command) == 0, "%s", output);
}

/* The cells of the first row of index.md that has these words, between bars. */
static void assert_row(const char *index, const char *words, const char *const *cells, size_t count)
{
    const char *row = strstr(index, words);
    ck_assert_msg(row != NULL, "no %s in:\n%s", words, index);
    char *line = strndup(row, strcspn(row, "\n"));
    for (size_t i = 0; i < count; i++)
        ck_assert_msg(strstr(line, cells[i]) != NULL, "no %s in %s", cells[i], line);
    free(line);
}
#define ASSERT_ROW(index, words, ...) \
    assert_row(index, words, (const char *const[]){__VA_ARGS__}, \
               sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* Of a first-order sampler TV of Gaussians falls like h, of the accelerated one like h^3; W2 of d equal coordinates
 * grows like sqrt(d). A wrong exponent is refuted, and what is not measured is a row, too. */
TEST(an_index_has_the_worst_of_each_bound)
{
    run_spec("first",
             "  - {name: a, says: a|b <i>, source: here, quantity: w2, at_least: {h: 1}, at_most: {d: 1/2}}\n"
             "  - {name: b, says: third order, sampler: accelerated, quantity: tv, at_least: {h: 3}}\n");
    run_spec("second", "  - {name: c, says: too much, quantity: tv, at_least: {h: 1.1}}\n");
    ck_assert_int_eq(shell("mkdir %/all/third %/all/empty && touch %/all/third/spec.yaml"), 0);
    assert_exits("@ index %/all 2>&1", 0, "refuted");
    char *index = read_file("all/index.md"), *page = read_file("all/index.html");
    ASSERT_ROW(index, "| first | a | supported ", "| a\\|b \\<i\\> ", "| w2 | d: ", "h: ddpm, ", "d: 0.500",
               "h: 1.000", "| <= 1/2 (h: >= 1) | ");
    ASSERT_ROW(index, "| first | b | supported | third order ", "| accelerated, ", "| 3.0", "| >= 3 | 0.0");
    ASSERT_ROW(index, "| second | c | refuted | too much ", "| ddpm, ", "| >= 1.1 | -0.10 | ");
    ASSERT_ROW(index, "| third | - | not measured | - ", "third");
    ck_assert_ptr_null(strstr(index, "empty"));
    ck_assert_ptr_nonnull(strstr(page, "<a href=\"first/report.html\">first</a>"));
    ck_assert_ptr_nonnull(strstr(page, "a|b &lt;i&gt;"));
    ck_assert_ptr_nonnull(strstr(page, "<span class=\"badge bad\">"));
    free(index);
    free(page);
    assert_exits("@ index %/all/empty 2>&1", 1, "no directory there holds");
    assert_exits("@ index 2>&1", 2, "which DIR?");
}
