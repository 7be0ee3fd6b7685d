/* What is written beside a result, as those read it for whom it is: a browser, LaTeX, a reader of CSV. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiment/record.h"

#include "test/planted.h"
#include "test/shell.h"
#include "test/suite.h"

TEST_SUITE(report, .setup = shell_setup, .teardown = shell_teardown);

#define EXPERIMENT \
    "title: A report\ntargets:\n  - {name: gauss_1, kind: gaussian, variance: 0.25}\n" \
    "  - {name: h, kind: gaussian, variance: 0.5}\nsamplers: [ddpm, accelerated]\ndimensions: [1, 4]\n" \
    "steps: [64, 128, 256]\naccuracies: [0.1, 0.05, 0.03, 0.02, 0.001, 0.0001]\nmax_steps: 512\n"

static int is_installed(const char *program)
{
    char command[100];
    (void)snprintf(command, sizeof command, "command -v %s >/dev/null", program);
    return shell(command) == 0;
}

static void run_experiment_x(void)
{
    write_file("x.yaml", EXPERIMENT);
    ck_assert_int_eq(shell("@ run %/x.yaml -o %/out -j 2 2>&1"), 0);
}

/* Writes a merged file of the given facts and rows as %/NAME.h5. */
static void write_merged(const char *name, const struct record *rows, size_t count, const struct fact *facts)
{
    char path[300];
    (void)snprintf(path, sizeof path, "%s/%s.h5", directory, name);
    ASSERT_OK(store_array, path, rows, count, &planted_parameters, facts);
}

/* ---- A browser ---- */

#define CHROMIUM \
    "timeout 200 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run " \
    "--disable-background-networking --disable-component-update --disable-sync --allow-file-access-from-files " \
    "--enable-logging=stderr --hide-scrollbars --user-data-dir=$(mktemp -d %/profile-XXXXXX) "

/* Says of the page at both widths: does it scroll sideways, how many figures are there and drawn, what it looks like.
 */
static const char frames[] =
    "<!doctype html><iframe style='width:400px;height:900px' src='out/x/report.html'></iframe>"
    "<iframe style='width:1600px;height:900px' src='out/x/report.html'></iframe><p id=said></p><script>\n"
    "onload = () => { said.textContent = [...document.querySelectorAll('iframe')].map(frame => {\n"
    "  const page = frame.contentDocument, root = page.documentElement, images = [...page.images];\n"
    "  const cut = [...page.querySelectorAll('.wide,pre')].filter(box => box.getBoundingClientRect().right > "
    "root.clientWidth).length;\n"
    "  return `width ${root.clientWidth}, beyond ${root.scrollWidth - root.clientWidth}, cut ${cut}, claims "
    "${page.querySelectorAll('article').length}, figures ${images.length}, drawn ${images.filter(i => i.naturalWidth "
    "> "
    "0).length}, back ${frame.contentWindow.getComputedStyle(page.body).backgroundColor};`; }).join(' '); }\n"
    "</script>\n";

TEST(a_browser_shows_the_report, .tools = 1)
{
    static const struct {
        const char *flag, *back;
    } looks[] = {{"--blink-settings=preferredColorScheme=1", "rgb(255, 255, 255)"},
                 {"--blink-settings=preferredColorScheme=0", "rgb(20, 23, 26)"}};
    if (!is_installed("chromium"))
        SKIP_TEST("chromium is not installed");
    run_experiment_x();
    write_file("frames.html", frames);
    for (size_t i = 0; i < 2; i++) {
        char command[1000], expected[400];
        (void)snprintf(command, sizeof command, "%s%s --dump-dom file://%%/frames.html 2>%%/log", CHROMIUM,
                       looks[i].flag);
        ck_assert_int_eq(shell(command), 0);
        (void)snprintf(expected, sizeof expected,
                       "width 400, beyond 0, cut 0, claims 7, figures 3, drawn 3, back %s; "
                       "width 1600, beyond 0, cut 0, claims 7, figures 3, drawn 3, back %s;",
                       looks[i].back, looks[i].back);
        const char *said = strstr(output, "<p id=\"said\">");
        ck_assert_msg(said != NULL && strstr(output, expected) != NULL, "%.400s, not %s", said, expected);
        ck_assert_msg(shell("grep CONSOLE %/log") == 1, "%s", output);
    }
    /* in colour and in words */
    ck_assert_int_eq(shell(CHROMIUM "--dump-dom file://%/out/x/report.html 2>%/log"), 0);
    ASSERT_SAYS(output, "<span class=\"badge good\">✓ supported</span>");
    ck_assert_msg(shell("grep CONSOLE %/log") == 1, "%s", output);
    ck_assert_int_eq(shell(CHROMIUM "--print-to-pdf=%/x.pdf file://%/out/x/report.html 2>%/log && head -c 5 %/x.pdf"),
                     0);
    ck_assert_str_eq(output, "%PDF-");
    /* what is looked for above is found where it is */
    write_file("bad.html", "<!doctype html><meta http-equiv=Content-Security-Policy content=\"default-src 'none'\">"
                           "<script>1</script>");
    ck_assert_int_eq(shell(CHROMIUM "--dump-dom file://%/bad.html 2>%/log; grep -c CONSOLE %/log"), 0);
}

/* ---- The page's text ---- */

/* The page's numbers are those of the table; what failed and what was censored is there. */
TEST(the_report_says_what_was_found)
{
    run_experiment_x();
    FREED char *verdict = read_file("out/x/verdict.md"), *report = read_file("out/x/report.html");
    const char *row = strstr(verdict, "| eps-ddpm | all targets | ");
    ck_assert_ptr_nonnull(row);
    char measured[40], limit[40], text[400];
    ck_assert_int_eq(sscanf(row, "| eps-ddpm | all targets | %39[^|] | %39[^|] |", measured, limit), 2);
    char *plus = strstr(measured, " ± "), *limits_plus = strstr(limit, " ± ");
    ck_assert(plus != NULL && limits_plus != NULL);
    *plus = *limits_plus = *(strchr(plus + 1, '\0') - 1) = *(strchr(limits_plus + 1, '\0') - 1) = '\0';
    (void)snprintf(text, sizeof text,
                   "<p><b>eps-ddpm</b>: measured %s ±&nbsp;%s at the T measured, <b>%s ±&nbsp;%s</b> in the limit, "
                   "the claim says ≤&nbsp;1: ",
                   measured, plus + strlen(" ± "), limit, limits_plus + strlen(" ± "));
    ck_assert_msg(strstr(report, text) != NULL, "no %s", text);
    ASSERT_SAYS(report, "<td>gauss_1</td><td>ddpm</td><td class=\"n\">4</td><td class=\"text\">",
                "<p>No cell failed.</p>");
    ck_assert_ptr_nonnull(
        strstr(report, "it would be refuted if the lower end of the interval were above 1.05; it is "));
    ASSERT_SAYS(report, "\nbuild/diffrate run x.yaml -o again\n");
    ASSERT_OMITS(report, "Other figures");
    /* each figure stands in the section of its claim */
    const char *figure = strstr(report, "<img alt=\"complexity-dimension\"");
    ck_assert(strstr(report, "<article id=\"claim-dim-ddpm\">") < figure);
    ck_assert(figure < strstr(report, "<article id=\"claim-crossover\">"));
}

static const struct record plain_row = {.target = "g",
                                        .sampler = "ddpm",
                                        .score_error = "none",
                                        .score_error_spread = "none",
                                        .score_error_profile = "none",
                                        .schedule = "li-cai",
                                        .law = "gaussian",
                                        .parameter = PLANTED_PARAMETERS,
                                        .dimension = 1,
                                        .steps = 64,
                                        .step_size = 0.5,
                                        .tv = 0.3};

#define SPEC "targets: [{name: g, kind: gaussian, variance: 0.25}]\nsamplers: [ddpm]\ndimensions: [1]\nsteps: [64]\n"

/* One T has no power of h, and nothing else is fitted of it. */
TEST(fits_are_explained_where_there_are_any)
{
    static const char *const steps[] = {"[64]", "[64, 128, 256, 512, 1024]"};
    for (int i = 0; i < COUNT(steps); i++) {
        char text[300];
        (void)snprintf(text, sizeof text,
                       "targets: [{name: g, kind: gaussian, variance: 0.25}]\nsamplers: [ddpm]\ndimensions: [1]\n"
                       "claims: none\nsteps: %s\n",
                       steps[i]);
        write_file("x.yaml", text);
        ck_assert_msg(shell("@ run %/x.yaml -o %/out --adopt 2>&1") == 0, "%s", output);
        FREED char *page = read_file("out/x/report.html"), *image = read_file("out/x/tv-steps.svg");
        char *caption = strstr(page, "<figcaption>");
        ck_assert_ptr_nonnull(caption);
        *strstr(caption, "</figcaption>") = '\0';
        ASSERT_SAYS(caption, "Points are exact values. ", "Steeper is better");
        ASSERT_OMITS(caption, "[", "]");
        assert_says(caption, i > 0, (const char *const[]){"fitted over its length", "the key states", NULL});
        assert_says(image, i > 0, (const char *const[]){"fitted", "Thin black", NULL});
    }
}

TEST(failures_are_listed_and_facts_are_no_commands)
{
    const struct fact facts[] = {{"spec_text", SPEC "accuracies: [0.5, 0.1]\n"},
                                 {"spec_name", "f"},
                                 {"failures", "g ddpm T=64: <b>too hot</b> & > 1\ng ddpm T=128: no\n"},
                                 {"commit", "x; touch pwned"},
                                 {NULL, NULL}};
    write_merged("f", &plain_row, 1, facts);
    ck_assert_int_eq(shell("@ report %/f.h5 2>&1"), 0);
    FREED char *report = read_file("report.html");
    ASSERT_SAYS(report,
                "<li>g ddpm T=64: &lt;b&gt;too hot&lt;/b&gt; &amp; &gt; 1</li>\n"
                "<li>g ddpm T=128: no</li>\n</ul>",
                "git checkout COMMIT\n", "commit: x; touch pwned\n"); /* as provenance it is what it is */
}

/* ---- LaTeX ---- */

#define ODD_TITLE "50% of $x_1^2$ & \\\\{caf\xc3\xa9}~#1 \\\\input{x} <= \xd7\xa9 \xce\xb5 `q' \\\"z\\\" | --!"

/* verdict.tex of an odd title. */
static void write_odd_table(void)
{
    const struct fact facts[] = {{"spec_text", "title: \"" ODD_TITLE "\"\n" SPEC "claims: [kl-ddpm, eps-ddpm]\n"},
                                 {"spec_name", "f"},
                                 {NULL, NULL}};
    struct record row = plain_row;
    write_merged("f", &row, 1, facts);
    int judged = shell("@ verdict %/f.h5 2>&1");
    ck_assert_msg(judged == 0, "%s", output);
}

TEST(latex_is_text)
{
    write_odd_table();
    FREED char *table = read_file("verdict.tex");
    ck_assert_msg(strstr(table,
                         "\\caption{50\\% of \\$x\\_1\\textasciicircum{}2\\$ \\& \\textbackslash{}\\{caf\xc3\xa9\\}"
                         "\\textasciitilde{}\\#1 \\textbackslash{}input\\{x\\} $\\le$ (U+05E9) $\\varepsilon$ "
                         "{`}q{'} ")
                      != NULL,
                  "%s", table);
    ASSERT_SAYS(table, " $|$ {-}{-}!. Cells: used / censored / at start.}\n");
    ck_assert_ptr_nonnull(strstr(
        table, "\nkl{-}ddpm & g & {-} & {-} & {-} & $\\ge$ 2 (d: $\\le$ 1 to 2) & inconclusive & 0 / 0 / 0 \\\\\n"));
}

TEST(latex_sets_the_table, .tools = 1)
{
    if (!is_installed("pdflatex") || shell("kpsewhich booktabs.sty >/dev/null") != 0)
        SKIP_TEST("pdflatex or booktabs.sty is not installed");
    write_odd_table();
    write_file(
        "paper.tex",
        "\\documentclass{article}\\usepackage{booktabs,graphicx}\\begin{document}\\input{verdict}\\end{document}\n");
    int status = shell("cd % && TEXMFVAR=%/texmf pdflatex -interaction=nonstopmode -halt-on-error paper.tex 2>&1");
    ck_assert_msg(status == 0, "%s", output);
    ASSERT_OMITS(output, "Missing character", "Overfull");
}

/* ---- CSV ---- */

/* The next value of the line, unquoted in place, or NULL at its end; *at goes on behind it. */
static const char *next_value(char **at)
{
    char *start = *at, *to = start, *from = start;
    if (start == NULL)
        return NULL;
    int quoted = *from == '"';
    from += quoted;
    for (; *from != '\0' && (quoted || *from != ','); from++) {
        if (quoted && *from == '"' && *++from != '"')
            break;
        *to++ = *from;
    }
    ck_assert(*from == ',' || *from == '\0');
    *at = *from == ',' ? from + 1 : NULL;
    *to = '\0';
    return start;
}

static void check_value(const struct field *field, const struct record *row, const char *text)
{
    char *end;
    if (field->type == FIELD_STRING)
        ck_assert_str_eq(text, field_text(field, row));
    else if (field->type == FIELD_COUNT) {
        ck_assert_uint_eq(strtoull(text, &end, 10), field_count(field, row));
        ck_assert(*end == '\0');
    } else {
        double value = strtod(text, &end), expected = field_real(field, row);
        ck_assert(*end == '\0' && *text != '\0');
        ck_assert_msg(value == expected || (isnan(value) && isnan(expected)), "%s: %s", field->name, text);
        ck_assert(isfinite(expected) || strcmp(text, "NaN") == 0 || strcmp(text, "Inf") == 0
                  || strcmp(text, "-Inf") == 0);
    }
}

TEST(csv_holds_every_bit)
{
    run_experiment_x();
    OWNED(result) result = load_result("out/x/x.h5");
    char *csv = read_file("out/x/cells.csv"), *line = csv;
    ck_assert_uint_eq(lines(csv), result.count + 1);
    for (size_t i = 0; i <= result.count; i++) {
        char *end = strstr(line, "\r\n"), *at = line;
        ck_assert_ptr_nonnull(end);
        *end = '\0';
        for (const struct field *field = record_fields; field->name != NULL; field++) {
            if (field->component > 0 && !field_is_known(field, result.rows, result.count))
                continue;
            const char *text = next_value(&at);
            ck_assert_ptr_nonnull(text);
            if (i == 0)
                ck_assert_str_eq(text, field->name);
            else
                check_value(field, &result.rows[i - 1], text);
        }
        for (size_t p = 0; p < result.parameters.count; p++) {
            const struct field field = parameter_field(&result.parameters, p);
            const char *text = next_value(&at);
            if (i == 0)
                ck_assert_str_eq(text, field.name);
            else
                check_value(&field, &result.rows[i - 1], text);
        }
        ck_assert_str_eq(next_value(&at), i == 0 ? "failure" : "");
        ck_assert_ptr_null(at);
        line = end + 2;
    }
    ck_assert(*line == '\0');
    free(csv);
}

TEST(csv_quotes_and_names_what_is_not_finite)
{
    const struct fact facts[] = {{"spec_text", SPEC}, {"spec_name", "f"}, {NULL, NULL}};
    struct record row = plain_row;
    row.kl_p_q = INFINITY;
    row.kl_q_p = -INFINITY;
    row.chi2_q_p = NAN;
    row.tv = 0.1 + 0.2;
    (void)snprintf(row.law, sizeof row.law, "a, b + c");
    write_merged("f", &row, 1, facts);
    ck_assert_int_eq(shell("@ report %/f.h5 2>&1"), 0);
    FREED char *csv = read_file("cells.csv");
    ASSERT_SAYS(csv, ",0.30000000000000004,0,Inf,0,-Inf,0,NaN,0,", ",\"a, b + c\",");
}
