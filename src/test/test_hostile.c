/* What others wrote, experiments, names and results, hurts nobody and is text wherever it shows; end to end. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiment/record.h"
#include "results/store.h"
#include "test/planted.h"
#include "test/shell.h"
#include "test/suite.h"

TEST_SUITE(hostile, .setup = shell_setup, .teardown = shell_teardown);

/* Everything that means something to a shell, gnuplot, printf, HTML or Markdown, but for the names of targets, which
 * figures show. */
TEST(titles_are_text_everywhere)
{
    static const char *const shown[] = {
        "<title>`touch pwned` $(touch pwned) &lt;script&gt;x&lt;/script&gt; &#39;&quot;&amp;{}_^@~\\ %s%n | [a](b) "
        "*c* # \xd7\x90\xe2\x80\x8f;"
        "</title>",
        "<h1>`touch pwned` $(touch pwned) &lt;script&gt;",
    };
    write_file("odd.yaml",
               "title: '`touch pwned` $(touch pwned) <script>x</script> ''\"&{}_^@~\\ %s%n | [a](b) *c* # "
               "\xd7\x90\xe2\x80\x8f;'\n"
               "targets: [{name: G_a.b-c_, kind: gaussian, variance: 0.25}]\n"
               "samplers: [ddpm, accelerated]\ndimensions: [1]\naccuracies: [0.1, 0.03, 0.01]\nmax_steps: 512\n");
    ck_assert_int_eq(shell("binary=$(realpath @); cd % && $binary run odd.yaml -o out 2>&1"), 0);
    FREED char *report = read_file("out/odd/report.html"), *verdict = read_file("out/odd/verdict.md");
    for (size_t i = 0; i < COUNT(shown); i++)
        ck_assert_msg(strstr(report, shown[i]) != NULL, "%s", shown[i]);
    ASSERT_OMITS(report, "<script", "<svg");
    ASSERT_SAYS(report, "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';");
    static const char heading[] = "# \\`touch pwned\\` \\$(touch pwned) \\<script\\>x\\</script\\> "
                                  "'\"\\&{}\\_^@\\~\\\\ %s%n \\| \\[a\\](b) \\*c\\* \\# ";
    ck_assert_msg(strncmp(verdict, heading, sizeof heading - 1) == 0, "%.200s", verdict);
    FREED char *figure = read_file("out/odd/tv-steps.svg");
    ck_assert_msg(strstr(figure, "G_a.b-c_") != NULL, "the name is not in the figure as it is");
    ck_assert_int_eq(shell("find % -name 'pwned*' | grep -q ."), 1);
}

#define SMALL \
    "targets: [{name: g, kind: gaussian, variance: 0.25}]\nsamplers: [ddpm]\ndimensions: [1]\nsteps: [64]\nclaims: " \
    "none\n"

static const struct {
    const char *file, *name;
} odd_files[] = {
    {".yaml", "-yaml"},
    {"..yaml", "-"},
    {"a b;touch pwned.yaml", "a-b-touch-pwned"},
    {"$(touch pwned).yaml", "--touch-pwned-"},
    {"`touch pwned`'\"\\.yml", "-touch-pwned----"},
    {"<script>\n{x^_}.yaml", "-script---x-_-"},
    {"caf\xc3\xa9 \xff.yaml", "caf----"},
};

TEST(files_with_odd_names_stay_inside, .count = COUNT(odd_files))
{
    char expected[100];
    write_file(odd_files[_i].file, SMALL);
    ck_assert_msg(shell("binary=$(realpath @); cd % && find . -type f -exec $binary run -o out {} + 2>&1") == 0, "%s",
                  output);
    (void)snprintf(expected, sizeof expected, "%s\n", odd_files[_i].name);
    assert_prints("ls -A %/out", expected);
    (void)snprintf(expected, sizeof expected, "out/%s/report.html", odd_files[_i].name);
    ck_assert(exists(expected));
    (void)snprintf(expected, sizeof expected, "out/%s/%s.h5", odd_files[_i].name, odd_files[_i].name);
    ck_assert(exists(expected));
    assert_prints("find % -mindepth 1 -maxdepth 1 -printf x", "xx"); /* the file and out */
    ck_assert_int_eq(shell("find % -name 'pwned*' | grep -q ."), 1);
}

TEST(specs_elsewhere_leave_results_here)
{
    ck_assert_int_eq(shell("mkdir -p %/a/b/c"), 0);
    write_file("a/x.yaml", SMALL);
    ck_assert_int_eq(shell("binary=$(realpath @); cd %/a/b/c && $binary run ../../x.yaml 2>&1"), 0);
    ck_assert(exists("a/b/c/results/x/x.h5"));
    ck_assert_int_eq(shell("find %/a -type f | grep -v -e ^%/a/x.yaml -e ^%/a/b/c/results/x/"), 1);
}

#define TITLED "title: <script>\n" SMALL "accuracies: [0.5, 0.1]\n"

/* A merged file, as anybody may make it. */
static void write_result(const char *name, const char *spec_text, const struct record *rows, size_t count,
                         const char *spec_name)
{
    const struct fact facts[] = {
        {"spec_text", spec_text},
        {"spec_name", spec_name},
        {"host", "<script>alert(1)</script> \xff \x1b[31m '\""},
        {"<img onerror=x>", "&"},
        {NULL, NULL},
    };
    save_result(name, rows, count, facts);
}

static struct record honest_row(void)
{
    struct record row = {.parameter = PLANTED_PARAMETERS, .dimension = 1, .steps = 64, .step_size = 0.5, .tv = 0.3};
    const struct {
        char *label;
        const char *text;
    } labels[] = {{row.target, "g"},         {row.sampler, "ddpm"},
                  {row.score_error, "none"}, {row.score_error_spread, "none"},
                  {row.schedule, "li-cai"},  {row.score_error_profile, "none"},
                  {row.law, "gaussian"}};
    for (size_t i = 0; i < COUNT(labels); i++)
        (void)snprintf(labels[i].label, 64, "%s", labels[i].text);
    return row;
}

/* Numbers that no law has: the commands finish, or say in one line why not. */
TEST(hostile_numbers_hurt_nobody)
{
    static const double reals[] = {INFINITY, -INFINITY, NAN, 0.0, -1.0, 1e308, 1e-308, 5e-324};
    static const uint64_t counts[] = {0, 1, 2, UINT64_MAX, (uint64_t)1 << 53};
    enum { REALS = COUNT(reals), ROWS = 200 };
    struct record rows[ROWS];
    for (size_t i = 0; i < ROWS; i++) {
        rows[i] = honest_row();
        rows[i].steps = i < 100 ? 16 + i : counts[i % 5];
        rows[i].dimension = i < 100 ? 1 : counts[i % 3];
        rows[i].tv = reals[i % REALS];
        rows[i].tv_error = reals[i / REALS % REALS];
        rows[i].step_size = i % 3 ? 0.5 : reals[(i + 1) % REALS];
        rows[i].kl_p_q = reals[(i + 3) % REALS];
        rows[i].chains = i < 100 ? 0 : counts[i % 5];
    }
    write_result("numbers.h5", TITLED, rows, ROWS, "numbers");
    static const char *const commands[] = {"@ verdict %/numbers.h5 2>&1", "@ plot %/numbers.h5 2>&1",
                                           "@ report %/numbers.h5 2>&1"};
    for (size_t i = 0; i < COUNT(commands); i++) {
        int status = shell(commands[i]);
        ck_assert_msg(status == 0, "%s: %d: %s", commands[i], status, output);
    }
}

/* An image of so many panels would be too high for gnuplot. */
TEST(figures_have_an_end)
{
    enum { TARGETS = 70 };
    struct record rows[TARGETS];
    char text[8000] = "targets:\n";
    for (size_t i = 0; i < TARGETS; i++) {
        size_t used = strlen(text);
        (void)snprintf(text + used, sizeof text - used, "- {name: g%zu, kind: gaussian, variance: 0.25}\n", i);
        rows[i] = honest_row();
        (void)snprintf(rows[i].target, sizeof rows[i].target, "g%zu", i);
    }
    strcat(text, "samplers: [ddpm]\ndimensions: [1]\nsteps: [64]\n");
    write_result("many.h5", text, rows, TARGETS, "many");
    ck_assert_msg(shell("@ plot %/many.h5 2>&1") == 0, "%s", output);
    FREED char *figure = read_file("tv-steps.svg"), *table = read_file("tv-steps.tsv");
    ASSERT_SAYS(figure, "   10 more panels: in the table.", ">g59, ");
    ASSERT_OMITS(figure, ">g60, ");
    ASSERT_SAYS(table, "\tg69\t");
}

TEST(hostile_texts_are_text)
{
    struct record row = honest_row();
    write_result("texts.h5", TITLED, &row, 1, "texts");
    write_file("victim", "mine\n");
    write_file("tv-steps.svg", "<svg onload=\"x\"><script>x</script></svg>\"></figure><script>y</script>");
    ck_assert_int_eq(
        shell("ln -s victim %/report.html && ln -s victim %/verdict.md && @ report %/texts.h5 2>&1 && @ verdict "
              "%/texts.h5 2>&1"),
        0);
    char *report = read_file("report.html"), *victim = read_file("victim");
    ck_assert_str_eq(victim, "mine\n");
    ck_assert_ptr_nonnull(
        strstr(report, "host: &lt;script&gt;alert(1)&lt;/script&gt; \xef\xbf\xbd \xef\xbf\xbd[31m &#39;&quot;\n"));
    ASSERT_SAYS(report, "&lt;img onerror=x&gt;: &amp;\n", "data:image/svg+xml,%3Csvg onload=%22x%22%3E%3Cscript");
    ASSERT_OMITS(report, "<script", "onload=\"");
    free(report);
    free(victim);
    assert_prints("ln -sf victim %/tv-steps.tsv && ln -sf victim %/tv-steps.vars.gp && ln -sf victim "
                  "%/tv-steps.svg && @ plot %/texts.h5 2>&1 && cat %/victim",
                  "mine\n");
}

TEST(hostile_names_are_refused)
{
    struct record row = honest_row();
    write_result("name.h5", TITLED, &row, 1, "../../name");
    assert_exits("@ verdict %/name.h5 2>&1", 1, "/name.h5: \"spec_name\" is not a name of [A-Za-z0-9._-]\n");
    ck_assert_uint_eq(lines(output), 1);
    (void)snprintf(row.target, sizeof row.target, "'; system \"touch pwned");
    write_result("name.h5", TITLED, &row, 1, "name");
    assert_exits("@ plot %/name.h5 2>&1", 1, "/name.h5: \"target\" of row 0 is not a name of [A-Za-z0-9._-]\n");
    ck_assert_uint_eq(lines(output), 1);
    assert_prints("ls -A %", "name.h5\n");
}
