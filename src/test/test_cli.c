/* The real binary, end to end, from the project's root. DIFFRATE names it (default build/diffrate). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiment/record.h"
#include "law/law.h"
#include "model/score_error.h"
#include "results/store.h"
#include "sample/sample.h"
#include "test/shell.h"
#include "test/suite.h"
#include "verdict/claims.h"

TEST_SUITE(cli, .setup = shell_setup, .teardown = shell_teardown);

TEST(help_has_an_example)
{
    static const char *const commands[] = {"list",   "measure", "run",   "merge", "verdict", "plot",
                                           "report", "explain", "check", "diff",  "manual",  "completion"};
    ck_assert_int_eq(shell("@ --help"), 0);
    for (size_t i = 0; i < COUNT(commands); i++) {
        char command[100];
        ASSERT_SAYS(output, commands[i]);
        (void)snprintf(command, sizeof command, "@ %s --help", commands[i]);
        FREED char *all = strdup(output);
        assert_exits(command, 0, "Example");
        strcpy(output, all);
    }
}

TEST(wrong_usage_exits_2)
{
    static const char *const commands[] = {"@ 2>&1",
                                           "@ fly 2>&1",
                                           "@ run 2>&1",
                                           "@ run a b 2>&1",
                                           "@ measure 2>&1",
                                           "@ list birds 2>&1",
                                           "@ run -j 0 experiments/quick.yaml 2>&1",
                                           "@ run -j 2x experiments/quick.yaml 2>&1",
                                           "@ run --frce experiments/quick.yaml 2>&1",
                                           "@ explain 2>&1",
                                           "@ explain a 2>&1",
                                           "@ explain a b c 2>&1",
                                           "@ diff a 2>&1",
                                           "@ diff a b c 2>&1",
                                           "@ diff -n -1 a b 2>&1",
                                           "@ diff -n 99999999999999999999 a b 2>&1",
                                           "@ check 2>&1",
                                           "@ check a b 2>&1",
                                           "@ check --sample x a 2>&1",
                                           "@ check --seed -1 a 2>&1"};
    for (size_t i = 0; i < COUNT(commands); i++)
        ck_assert_msg(shell(commands[i]) == 2 && output[0] != '\0', "%s: %s", commands[i], output);
}

TEST(list_shows_every_registry)
{
    ck_assert_int_eq(shell("@ list"), 0);
    for (size_t i = 0; sampler_at(i) != NULL; i++)
        ck_assert_ptr_nonnull(strstr(output, sampler_at(i)->name));
    /* which engines carry a sampler: one that is no Markov chain, one without noise, one with */
    ck_assert_ptr_nonnull(strstr(strstr(output, "\n  dpm-solver-2m\n"), "laws: gaussian, chains\n"));
    ck_assert_ptr_nonnull(strstr(strstr(output, "\n  ddim\n"), "laws: gaussian, radial, line, plane, chains\n"));
    ck_assert_ptr_nonnull(strstr(output, "laws: gaussian, radial, line, plane, cylinder, chains\n"));
    for (size_t i = 0; target_family_at(i) != NULL; i++)
        ck_assert_ptr_nonnull(strstr(output, target_family_at(i)->name));
    for (size_t i = 0; claim_at(i) != NULL; i++)
        ck_assert_ptr_nonnull(strstr(output, claim_at(i)->name));
    for (size_t i = 0; error_shape_at(i) != NULL; i++)
        ck_assert_ptr_nonnull(strstr(output, error_shape_at(i)->doc));
    for (size_t i = 0; error_profile_at(i) != NULL; i++)
        ck_assert_ptr_nonnull(strstr(output, error_profile_at(i)->formula));
    for (size_t i = 0; error_spread_names[i] != NULL; i++)
        ASSERT_SAYS(output, error_spread_docs[i]);
    for (size_t i = 0; sample_method_at(i) != NULL; i++)
        ck_assert_ptr_nonnull(strstr(output, sample_method_at(i)->formula));
    for (size_t i = 0; law_engine_at(i) != NULL; i++)
        ck_assert_ptr_nonnull(strstr(output, law_engine_at(i)->formula));
    for (size_t i = 0; record_fields[i].name != NULL; i++)
        ASSERT_SAYS(output, record_fields[i].doc);
    assert_exits("@ list samplers", 0, "it is not the paper's exact update");
    ASSERT_OMITS(output, "li-yan");
}

/* The number after "key": in the line that holds all the given words. */
static double json_number(const char *key, const char *const *words)
{
    char needle[64];
    (void)snprintf(needle, sizeof needle, "\"%s\": ", key);
    for (char *line = output, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        int all = 1;
        for (size_t i = 0; words[i] != NULL; i++)
            all &= strstr(line, words[i]) != NULL;
        const char *at = strstr(line, needle);
        double value = all && at != NULL ? strtod(at + strlen(needle), NULL) : NAN;
        *end = '\n';
        if (all)
            return value;
    }
    return NAN;
}

TEST(measure_prints_json)
{
    static const char *const keys[] = {
        "target",     "sampler",     "schedule", "dimension", "steps",        "step_size", "score_evaluations",
        "law",        "tv",          "tv_error", "kl_p_q",    "kl_p_q_error", "kl_q_p",    "chi2_q_p",
        "hellinger2", "mass_defect", "seconds"};
    ck_assert_int_eq(shell("@ measure experiments/quick.yaml --json"), 0);
    ck_assert_uint_eq(lines(output), 24);
    for (size_t i = 0; i < COUNT(keys); i++) {
        char needle[64];
        size_t found = 0;
        (void)snprintf(needle, sizeof needle, "\"%s\": ", keys[i]);
        for (const char *at = output; (at = strstr(at, needle)) != NULL; at++)
            found++;
        ck_assert_msg(found == 24, "%s stands in %zu of 24 lines", keys[i], found);
    }
    /* src/test/data/laws.csv */
    const char *accelerated[] = {"\"bimodal\"", "\"accelerated\"", "\"dimension\": 1,", "\"steps\": 1024,", NULL};
    ck_assert_double_eq_tol(json_number("tv", accelerated), 2.37634684e-05, 6e-8 * 2.4e-5);
    ck_assert_double_eq_tol(json_number("chi2_q_p", accelerated), 4.88898722e-09, 1e-6 * 4.9e-9);
    ck_assert_double_eq(json_number("score_evaluations", accelerated), 2046.0);
    ck_assert_double_lt(json_number("tv_error", accelerated), 1e-6 * 2.4e-5);
    const char *ddpm[] = {"\"gauss\"", "\"ddpm\"", "\"dimension\": 16,", "\"steps\": 256,", NULL};
    ck_assert_double_eq_tol(json_number("tv", ddpm), 1.05659111e-01, 1e-9);
}

#define ERRONEOUS \
    "targets: [{name: g, kind: gaussian, variance: 0.25}]\nsamplers: [ddpm]\ndimensions: [1, 4]\nsteps: [64, 128]\n"

TEST(measure_takes_score_errors)
{
    write_file("errors.yaml", ERRONEOUS "score_errors:\n- {shape: linear, size: [0.1, 0.02], spread: one}\n"
                                        "- {shape: bias, size: 0.1, growth: 0.5, profile: late}\n");
    ck_assert_int_eq(shell("@ measure %/errors.yaml --json"), 0);
    ck_assert_uint_eq(lines(output), 16); /* of three errors, and without one */
    const char *exact[] = {"\"score_error\": \"none\"", "\"dimension\": 4", "\"steps\": 128", NULL};
    ck_assert_double_eq(json_number("error_effect", exact), 0.0);
    char *second = strstr(output, "\"score_error_size\": 0.02");
    ck_assert(second != NULL && strstr(output, "\"score_error_size\": 0.1") < second); /* the author's order */
    const char *linear[] = {"\"sampler\": \"ddpm\", \"score_error\": \"linear\", \"score_error_spread\": \"one\"",
                            "\"score_error_profile\": \"uniform\"", "\"dimension\": 4", "\"steps\": 128", NULL};
    ck_assert_double_eq(json_number("score_error_size", linear), 0.1);
    ck_assert(isnan(json_number("score_error_roughness", linear)));
    ck_assert_double_ge(json_number("error_effect", linear), 0.0);
    ck_assert_double_ge(json_number("error_effect_error", linear), 0.0);
    const char *bias[] = {"\"bias\"", "\"late\"", "\"all\"", NULL};
    ck_assert_double_eq(json_number("score_error_growth", bias), 0.5);
    assert_exits("@ measure %/errors.yaml", 0, "SCORE ERROR", "EFFECT", "g      ddpm    none ", "linear 0.02 one ",
                 "bias 0.1 all late growth=0.5 ");

    write_file("listed.yaml", ERRONEOUS "score_errors: [{shape: bias, size: 0.1}, {shape: none}]\n");
    ck_assert_int_eq(shell("@ measure %/listed.yaml --json"), 0);
    ck_assert_uint_eq(lines(output), 8);
    const char *none[] = {"\"score_error\": \"none\", \"score_error_spread\": \"none\"", NULL};
    ck_assert_double_eq(json_number("score_error_size", none), 0.0);
    ck_assert_double_eq(json_number("error_effect", none), 0.0);

    write_file("exact.yaml", ERRONEOUS);
    ck_assert_int_eq(shell("@ measure %/exact.yaml"), 0);
    ck_assert_uint_eq(lines(output), 5);
    ASSERT_OMITS(output, "SCORE ERROR");
}

/* Of one spin there is a law, of three are chains alone. */
TEST(measure_has_laws_where_there_are_some)
{
    write_file("spins.yaml", "targets: [{name: c, kind: curie-weiss, beta: 0.5}]\nsamplers: [ddpm]\n"
                             "dimensions: [1, 3]\nsteps: [128]\nsamples: {chains: 512, methods: [projection]}\n");
    ck_assert_int_eq(shell("@ measure %/spins.yaml --json"), 0);
    ck_assert_uint_eq(lines(output), 3);
    ASSERT_SAYS(output, "\"dimension\": 1, \"steps\": 128,", "\"law\": \"line\"", "\"dimension\": 3, ");
    ASSERT_OMITS(output, "failure");
}

TEST(measure_survives_an_infinite_divergence)
{
    write_file("far.yaml", "targets: [{name: g, kind: gaussian, variance: 0.25}]\nsamplers: [ddpm]\ndimensions: "
                           "[1048576]\nsteps: [64]\n");
    assert_exits("@ measure %/far.yaml --json", 0, "\"chi2_q_p\": 1e999");
    ASSERT_OMITS(output, "nan", ": inf");
}

TEST(bad_input_is_one_line_and_leaves_results_alone)
{
    write_file(
        "bad.yaml",
        "targets: [{name: g, kind: gaussian, variance: -1}]\nsamplers: [ddpm]\ndimensions: [1]\nsteps: [256]\n");
    ck_assert_int_eq(shell("@ run %/bad.yaml -o %/out 2>&1"), 2);
    ck_assert_uint_eq(lines(output), 1);
    ASSERT_SAYS(output, "bad.yaml:1:47: ");
    ck_assert(!exists("out"));
    ck_assert_int_eq(shell("@ measure %/none.yaml 2>&1"), 2);
    ck_assert_uint_eq(lines(output), 1);
    ASSERT_SAYS(output, "none.yaml:1:1: ");
    write_file("few.yaml",
               "targets: [{name: g, kind: gaussian, variance: 1}]\nsamplers: [ddpm]\ndimensions: [1]\nsteps: [16]\n");
    assert_exits("@ measure %/few.yaml 2>&1", 2, "few.yaml:4:9: ", "the smallest admissible T is 29");
}

TEST(dry_run_does_nothing)
{
    assert_exits("@ run experiments/scaling.yaml -o %/out --dry-run", 0, "T(d, eps)");
    ck_assert(!exists("out"));
}

TEST(missing_results_are_said_to_be_missing)
{
    ck_assert_int_eq(shell("@ verdict %/nothing 2>&1"), 1);
    ck_assert_uint_eq(lines(output), 1);
    ck_assert_int_eq(shell("@ check %/none 2>&1"), 1);
    ck_assert_uint_eq(lines(output), 1);
    assert_exits("mkdir %/empty && @ report %/empty 2>&1", 1, "expected one merged .h5 file");
    write_file("text.h5", "not HDF5\n");
    ck_assert_int_eq(shell("@ plot %/text.h5 2>&1"), 1);
    ck_assert_uint_eq(lines(output), 1);
}

/* The verdict of a claim's overall row or, of one target, its only one. */
static void check_verdict(const char *text, const char *claim, const char *verdict)
{
    char row[100];
    (void)snprintf(row, sizeof row, strstr(text, "| all targets |") != NULL ? "| %s | all targets |" : "| %s | ",
                   claim);
    const char *at = strstr(text, row), *end = at != NULL ? strchr(at, '\n') : NULL;
    ck_assert_msg(end != NULL, "no row %s", row);
    const char *found = strstr(at, verdict);
    ck_assert_msg(found != NULL && found < end, "%s is not %s: %.*s", claim, verdict, (int)(end - at), at);
}

/* The claim that experiments must name brings its tables and its figure with it. */
TEST(atlas_has_its_tables_and_figure)
{
    static const char *const headings[] = {"## Claimed against measured exponents",
                                           "## At which ε an order wins in score evaluations",
                                           "## Fewest score evaluations of each order"};
    write_file("a.yaml",
               "schedule: {kind: li-cai, c0: 4.0, c1: 8.5}\n"
               "targets: [{name: g, kind: gaussian, variance: 0.25}]\n"
               "samplers: [ddpm, accelerated, lagrange-3, runge-kutta-4]\ndimensions: [1, 4]\n"
               "steps: [128, 256, 512, 1024]\naccuracies: [0.01, 0.0001]\nmax_steps: 1024\nclaims: [atlas]\n");
    ck_assert_int_eq(shell("@ run %/a.yaml -o %/out 2>&1"), 0);
    FREED char *text = read_file("out/a/verdict.md");
    check_verdict(text, "atlas", "supported");
    for (size_t i = 0; i < COUNT(headings); i++)
        ck_assert_msg(strstr(text, headings[i]) != NULL, "no %s", headings[i]);
    static const char row[] = "| g | runge-kutta-4 | 4 | 4 | ";
    const char *at = strstr(text, row);
    ck_assert_ptr_nonnull(at);
    ck_assert_double_eq_tol(strtod(at + strlen(row), NULL), 4.0, 0.1);
    ASSERT_SAYS(text, " (lagrange-3) | ");
    ASSERT_MADE("out/a", "atlas.svg", "atlas.png", "atlas.tsv");
}

TEST(run_does_everything_and_resumes)
{
    assert_exits("@ run experiments/quick.yaml -o %/out -j 2 2>&1", 0, " 0 failed");
    ASSERT_MADE("out/quick", "quick.h5", "verdict.md", "report.html");
    assert_prints("cd %/out/quick; for f in tv-steps complexity-accuracy complexity-dimension speedup; do "
                  "for e in svg png tsv; do test -s $f.$e || echo $f.$e; done; done",
                  "");
    FREED char *first = read_file("out/quick/verdict.md");
    check_verdict(first, "eps-accelerated", "| supported |");
    check_verdict(first, "eps-ddpm", "| supported |");
    check_verdict(first, "dim-accelerated", "supported, not tight (slack ");
    check_verdict(first, "dim-ddpm", "supported, not tight (slack ");
    check_verdict(first, "crossover", "| supported |");
    check_verdict(first, "kl-ddpm", "supported");

    assert_exits("@ run experiments/quick.yaml -o %/out 2>&1", 0, "\n0 cells measured");

    assert_exits("rm %/out/quick/verdict.md && @ verdict %/out/quick/", 0, "eps-accelerated");
    FREED char *second = read_file("out/quick/verdict.md");
    ck_assert_str_eq(first, second);
    ck_assert_int_eq(shell("rm %/out/quick/report.html && @ report %/out/quick/quick.h5"), 0);
    FREED char *report = read_file("out/quick/report.html");
    ASSERT_SAYS(report, "<img alt=\"speedup\" src=\"data:image/svg+xml,");
    ASSERT_OMITS(report, "<script src");
    ck_assert_int_eq(shell("ls %/out/quick/cells | grep -c tmp"), 1); /* grep finds none */
}

static size_t count_cells(const char *pattern)
{
    char command[100];
    (void)snprintf(command, sizeof command, "ls %%/out/e/cells | grep -c '%s'", pattern);
    ck_assert_int_eq(shell(command), 0);
    return strtoul(output, NULL, 10);
}

/* Errors are measured at `steps` and searched for T(d, eps) beside exact scores, whose cells are those of an
 * experiment without errors; each error is a cell of its own. */
TEST(run_measures_and_keeps_score_errors)
{
    char expected[100];
    write_file("e.yaml", ERRONEOUS "accuracies: [0.1, 0.03]\nmax_steps: 256\n");
    assert_exits("@ run %/e.yaml -o %/exact 2>&1", 0, ", 0 failed");
    write_file("e.yaml", ERRONEOUS "accuracies: [0.1, 0.03]\nmax_steps: 256\n"
                                   "score_errors: [{shape: bias, size: [0.1, 0.01]}]\n");
    assert_exits("@ run %/e.yaml --dry-run", 0,
                 "6 cells at the given numbers of steps, with exact scores and 2 score errors");
    assert_exits("@ run %/e.yaml -o %/out 2>&1", 0, " 0 read back, 0 failed");
    assert_prints("cd %; for o in exact out; do ls $o/e/cells | grep '^g-ddpm-[0-9]' >$o.cells; done; "
                  "diff exact.cells out.cells",
                  "");
    size_t before = count_cells("^g-"), asked = 0, searched = 0;
    ck_assert_uint_eq(count_cells("^g-ddpm-bias-\\(64\\|128\\)-"), 4);
    OWNED(result) result = load_result("out/e/e.h5");
    for (size_t i = 0; i < result.count; i++)
        if (strcmp(result.rows[i].score_error, "bias") == 0)
            *(result.rows[i].steps == 64 || result.rows[i].steps == 128 ? &asked : &searched) += 1;
    ck_assert_uint_eq(asked, 8); /* 2 errors, 2 T, 2 dimensions */
    ck_assert_uint_eq(searched, 2 * (count_cells("^g-ddpm-bias-") - 4));
    ck_assert_uint_gt(searched, 0);
    ck_assert_uint_eq(result.count, 2 * before);

    assert_exits("@ run %/e.yaml -o %/out 2>&1", 0, "\n0 cells measured");
    assert_exits("rm %/out/e/cells/g-ddpm-bias-64-* && @ run %/e.yaml -o %/out 2>&1", 0, "\n2 cells measured");
    write_file("e.yaml", ERRONEOUS "accuracies: [0.1, 0.03]\nmax_steps: 256\n"
                                   "score_errors: [{shape: bias, size: [0.1, 0.2, 0.01]}]\n");
    ck_assert_int_eq(shell("@ run %/e.yaml -o %/out --adopt 2>&1"), 0);
    FREED char *said = strdup(output);
    ck_assert_uint_eq(count_cells("^g-ddpm-bias-\\(64\\|128\\)-"), 6);
    (void)snprintf(expected, sizeof expected, "\n%zu cells measured, %zu read back", count_cells("^g-") - before,
                   before);
    ASSERT_SAYS(said, expected);
}

/* An experiment about score errors alone: their claims, table and figures, and nothing that needs accuracies. */
TEST(run_judges_score_errors)
{
    write_file("s.yaml", "targets: [{name: g, kind: gaussian, variance: 0.25}]\n"
                         "samplers: [ddpm, accelerated, accelerated-unclipped, pf-ode-2]\ndimensions: [1, 4]\n"
                         "steps: [64, 96, 128]\n"
                         "score_errors: [{shape: bias, size: [0.001, 0.003, 0.01]}, "
                         "{shape: wave, size: 0.003, roughness: [0.5, 1, 2], spread: one}]\n");
    ck_assert_int_eq(shell("@ run %/s.yaml -o %/out 2>&1"), 0);
    ASSERT_MADE("out/s", "roughness.svg", "score-error.svg", "error-constant.svg", "score-error.png",
                "roughness.tsv");
    ck_assert(!exists("out/s/speedup.svg") && !exists("out/s/complexity-accuracy.svg"));
    FREED char *verdict = read_file("out/s/verdict.md"), *report = read_file("out/s/report.html");
    ASSERT_OMITS(verdict, "| eps-ddpm |");
    check_verdict(verdict, "score-linear", "| ");
    check_verdict(verdict, "score-rough", "| ");
    check_verdict(verdict, "ode-rough", "| ");
    ASSERT_SAYS(verdict, "| g | ddpm | bias all | 0.99999", "## What clipping buys");
    ASSERT_OMITS(verdict, "Speed-up");
    ASSERT_SAYS(report, "<h2>Score errors</h2>", "<h2>What clipping buys</h2>\n");
    ASSERT_OMITS(report, "Speed-up");
}

/* Of one target both laws and chains, of the other, which does not separate, chains alone. */
static void check_sampled_rows(void)
{
    size_t laws = 0, sampled = 0;
    OWNED(result) result = load_result("out/c/c.h5");
    for (size_t i = 0; i < result.count; i++) {
        const struct record *row = &result.rows[i];
        laws += row->chains == 0;
        sampled += row->chains == 4096;
        ck_assert_int_eq(isnan(row->tv), row->chains > 0);
        ck_assert_int_eq(isnan(row->estimates.projection_tv.value), row->chains == 0);
        ck_assert_int_eq(isnan(row->estimates.knn_kl_q_p.error), row->chains == 0);
        ck_assert_int_eq(isnan(row->estimates.path_kl_p_q.value), row->chains == 0);
    }
    ck_assert_uint_eq(laws, 9); /* of m, those in one dimension */
    ck_assert_uint_eq(sampled, 12);
    ck_assert_uint_eq(laws + sampled, result.count);
}

TEST(run_sets_chains_beside_laws)
{
    write_file("c.yaml", "targets:\n  - {name: g, kind: gaussian, variance: 0.25}\n"
                         "  - {name: m, kind: mixture-random, components: 3, spread: 2, sd: 0.5, covariances: each}\n"
                         "samplers: [ddpm]\ndimensions: [1, 2]\nsteps: [32, 64, 128]\n"
                         "samples: {chains: 4096, directions: 4}\nclaims: [chains-agree]\n");
    assert_exits("@ run %/c.yaml --dry-run", 0, "the same by chains, for 1 number of them");
    assert_exits("@ run %/c.yaml -o %/out -j 1 2>&1", 0, "12 cells measured");
    check_sampled_rows();
    ASSERT_MADE("out/c", "empirical.svg", "empirical.png", "empirical.tsv", "bias.svg", "path-kl.svg");
    ck_assert(!exists("out/c/noise-floor.svg") && !exists("out/c/complexity-accuracy.svg"));
    char *verdict = read_file("out/c/verdict.md"), *report = read_file("out/c/report.html");
    ASSERT_SAYS(verdict, "\n| chains-agree | g | ", "\n## Chains against exact laws\n",
                "\n| projection_tv | lower bound | TV | 9 / 0 | ", "\n## By chains alone\n",
                "\n| m | ddpm | 2 | 128 | 4096 | ");
    ASSERT_SAYS(report, "<h2>By chains alone</h2>\n");
    free(verdict);
    free(report);

    assert_exits("@ run %/c.yaml -o %/out 2>&1", 0, "\n0 cells measured");
    assert_exits("@ verdict %/out/c && @ plot %/out/c && @ report %/out/c", 0, "chains-agree");
}

/* Writes the result %/out/p/p.h5 again as %/p.h5, of another compiler and with the first `planted` TVs changed. */
static void plant(size_t planted)
{
    OWNED(result) result = load_result("out/p/p.h5");
    ck_assert_uint_ge(result.count, planted);
    for (size_t i = 0; i < planted; i++)
        result.rows[i].tv += 3.0 * result.rows[i].tv_error;
    const struct fact facts[] = {
        {"spec_text", result.spec_text}, {"spec_name", "p"}, {"compiler", "another 1.0"}, {NULL, NULL}};
    save_result("p.h5", result.rows, result.count, facts);
}

TEST(diff_compares_results)
{
    write_file("p.yaml",
               "targets: [{name: g, kind: gaussian, variance: 0.25}]\nsamplers: [ddpm, accelerated]\n"
               "dimensions: [1, 4, 9, 16]\nsteps: [64, 128, 200]\naccuracies: [0.1, 0.02]\nmax_steps: 256\n");
    ck_assert_int_eq(shell("@ run %/p.yaml -o %/out -j 1 2>&1 && @ run %/p.yaml -o %/again -j 2 2>&1"), 0);
    assert_exits("@ diff %/out/p %/again/p/p.h5 2>&1", 0, "\ntext of the experiment: the same\n", "\ntv ",
                 "\nT(d, eps) ");
    ASSERT_OMITS(output, "projection_tv"); /* nothing is by chains */
    ASSERT_SAYS(output, "\nThe results agree: ");
    assert_prints("@ diff --json %/out/p %/again/p 2>&1", "");

    plant(25);
    assert_exits("@ diff %/out/p %/p.h5 2>&1", 1, "\nversion: A 0.", "; B unknown\n", "; B another 1.0\n",
                 "\n... and 5 more (--all)\n", "\nThe results differ: 25 differences; ");
    assert_prints("@ diff -n 2 %/out/p %/p.h5 | grep -c '^g .* tv .* 1\\.5$'", "2\n");
    assert_prints("@ diff --all %/out/p %/p.h5 | grep -c '^g .* tv .* 1\\.5$'", "25\n");
    ck_assert_int_eq(shell("@ diff --json %/out/p %/p.h5"), 1);
    ck_assert_uint_eq(lines(output), 25);
    const char *words[] = {"{\"difference\": \"value\", \"target\": \"g\"", "\"quantity\": \"tv\"", NULL};
    ck_assert_double_eq_tol(json_number("ratio", words), 1.5, 1e-3);
    ck_assert_double_eq_tol((json_number("b", words) - json_number("a", words)) / json_number("a_error", words), 3.0,
                            1e-3);
}

/* Missing rows and T(d, eps); nothing in common; and files that cannot be compared. */
/* Parameters that one result alone has tell its own rows apart, and where names tell them, too, are no difference. */
TEST(diff_takes_results_with_other_parameters)
{
    static const char *const specs[][2] = {
        {"a.yaml", "samplers: [ddpm, accelerated]\nscore_errors: [{shape: bias, size: 0.1}]\n"},
        {"b.yaml", "samplers: [ddpm, {kind: accelerated, overshoot: [0.5, 1]}]\n"
                   "score_errors: [{shape: bias, size: 0.1}, {shape: wave, size: 0.1, roughness: [1, 2]}]\n"}};
    for (int i = 0; i < COUNT(specs); i++) {
        char text[400];
        (void)snprintf(text, sizeof text,
                       "targets: [{name: g, kind: gaussian, variance: 0.25}]\ndimensions: [1, 4]\nsteps: [64]\n%s",
                       specs[i][1]);
        write_file(specs[i][0], text);
    }
    assert_exits("for e in a b; do @ run %/$e.yaml -o %/out 2>&1 || exit 9; done", 0, " 0 failed");
    assert_exits("@ diff %/out/a %/out/b", 0, "16 rows are only in B; for 0 of them A's experiment asks.",
                 "The results agree: 8 rows in common.");
}

TEST(diff_finds_what_is_missing)
{
    write_file("p.yaml", "targets: [{name: g, kind: gaussian, variance: 0.25}]\nsamplers: [ddpm]\n"
                         "dimensions: [1, 4]\nsteps: [64, 128]\naccuracies: [0.1]\nmax_steps: 256\n");
    write_file("q.yaml", "targets: [{name: g, kind: gaussian, variance: 0.25}]\nsamplers: [ddpm]\n"
                         "dimensions: [1]\nsteps: [64]\n");
    write_file("r.yaml", "targets: [{name: h, kind: gaussian, variance: 0.25}]\nsamplers: [ddpm]\n"
                         "dimensions: [1]\nsteps: [64]\n");
    ck_assert_int_eq(shell("for e in p q r; do @ run %/$e.yaml -o %/out 2>&1 || exit 9; done"), 0);
    ck_assert_int_eq(shell("@ diff %/out/q %/out/p"), 0); /* the shorter experiment is part of the longer one */
    ASSERT_SAYS(output, " rows are only in B; for 0 of them A's experiment asks.\n",
                "\ntext of the experiment: not the same\n");
    assert_exits("@ diff %/out/q %/out/r", 1, "\nThe results have no row in common.\n");
    ck_assert_int_eq(shell("@ diff --json %/out/q %/out/r"), 1);
    ck_assert_str_eq(output, "{\"difference\": \"no row in common\"}\n");

    struct result result = load_result("out/p/p.h5");
    const struct fact facts[] = {{"spec_text", result.spec_text}, {"spec_name", "p"}, {NULL, NULL}};
    size_t kept = 0;
    while (result.rows[kept].steps < 64)
        kept++;
    save_result("lost.h5", result.rows, kept, facts);
    assert_exits("@ diff %/out/p %/lost.h5", 1, " rows are only in A; for 4 of them B's experiment asks.\n",
                 " 64 (row)     measured missing", " T(d, 0.1) ");
    assert_prints("@ diff --json %/out/p %/lost.h5 | grep -c '\"missing_in\": \"b\"}$'", "4\n");
    ck_assert_int_eq(shell("@ diff --json %/lost.h5 %/out/p | grep '\"T(d, eps)\"' | grep -c '\"a_at_most\": null'"),
                     0);
    result.rows[1] = result.rows[0];
    save_result("lost.h5", result.rows, result.count, facts);
    result_free(&result);
    ck_assert_int_eq(shell("@ diff %/out/p %/lost.h5 2>&1"), 1);
    ck_assert_uint_eq(lines(output), 1);
    ASSERT_SAYS(output, "lost.h5 measures the same twice, in rows ");

    ck_assert_int_eq(shell("head -c 9000 %/out/p/p.h5 > %/cut.h5 && @ diff %/out/p %/cut.h5 2>&1"), 1);
    ck_assert_uint_eq(lines(output), 1);
    ASSERT_SAYS(output, "cut.h5");
    ck_assert_int_eq(shell("@ diff %/none %/out/p 2>&1"), 1);
    ck_assert_uint_eq(lines(output), 1);
    assert_exits("@ diff %/out/p $(ls -d %/out/p/cells/* | head -1) 2>&1", 1, "is not an HDF5 file");
}

TEST(readme_holds_the_reference_numbers)
{
    int status = shell("scripts/readme --check README.md results/reference 2>&1");
    ck_assert_msg(status == 0, "%s", output);
    ck_assert_int_eq(
        shell("cp README.md %/README.md && sed -i 's/| eps-ddpm | supported/| eps-ddpm | refuted/' %/README.md && "
              "scripts/readme --check %/README.md results/reference 2>&1"),
        1);
}
