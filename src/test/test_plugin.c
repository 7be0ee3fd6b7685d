/* Plug-ins: what an experiment's own file names is loaded, checked and told apart; what results name is not loaded.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results/store.h"
#include "test/shell.h"
#include "test/suite.h"

TEST_SUITE(plugin, .setup = shell_setup, .teardown = shell_teardown);

#define MAKE "env -u MAKEFLAGS -u MAKELEVEL make -s "

/* Builds %/NAME.so of %/NAME.c. */
static void build(const char *name)
{
    char command[300];
    (void)snprintf(command, sizeof command,
                   "gcc -std=c17 -Wall -Wextra -ffp-contract=off -shared -fPIC -Isrc %%/%s.c -o %%/%s.so 2>&1", name,
                   name);
    ck_assert_msg(shell(command) == 0, "%s", output);
}

static void take_example(void)
{
    ck_assert_int_eq(shell("cp experiments/my-plugin.c experiments/my-plugin.yaml %"), 0);
    build("my-plugin");
}

/* Rows of one target and sampler as those of another, to the bit. */
static void assert_equal_rows(const struct result *result, const char *target, const char *sampler, size_t expected)
{
    size_t found = 0;
    for (size_t i = 0; i < result->count; i++)
        for (size_t j = 0; j < result->count; j++) {
            struct record a = result->rows[i], b = result->rows[j];
            if (strcmp(a.target, "bimodal") != 0 || strcmp(a.sampler, "ddpm") != 0 || strcmp(b.target, target) != 0
                || strcmp(b.sampler, sampler) != 0 || a.steps != b.steps || a.dimension != b.dimension)
                continue;
            memcpy(b.target, a.target, sizeof a.target);
            memcpy(b.sampler, a.sampler, sizeof a.sampler);
            b.seconds = a.seconds;
            ck_assert_mem_eq(&a, &b, sizeof a);
            found++;
        }
    ck_assert_uint_eq(found, expected);
}

TEST(example_equals_what_is_built_in)
{
    take_example();
    ck_assert_msg(shell(MAKE "plugin FILE=%/my-plugin.c 2>&1") == 0, "%s", output);
    ck_assert_msg(shell("@ run %/my-plugin.yaml -o %/out 2>&1") == 0, "%s", output);
    OWNED(result) result = load_result("out/my-plugin/my-plugin.h5");
    ck_assert_uint_eq(result.count, 24);
    assert_equal_rows(&result, "mine", "ddpm", 6);
    assert_equal_rows(&result, "bimodal", "my-sampler", 6);
    assert_equal_rows(&result, "mine", "my-sampler", 6);
    ck_assert_int_eq(strncmp(result.plugins, "plug-in ", 8), 0);
    ASSERT_SAYS(result.plugins, " ./my-plugin.so\n");
    ASSERT_SAYS(result.manifest, "\"name\": \"my-sampler\"", "\"doc\": \"ddpm, for a start.\"");
    FREED char *report = read_file("out/my-plugin/report.html");
    ASSERT_SAYS(report, " ./my-plugin.so\n");
    assert_exits("@ list samplers --plugin %/my-plugin.so", 0, "\n  my-sampler\n      ddpm, for a start.\n");
    assert_exits("binary=$(realpath @) && cd % && $binary list targets -p my-plugin.so", 0, "\n  two-modes\n");
    ck_assert_ptr_nonnull(strstr(
        output, "\n      sd (optional): their standard deviation; a number > 0; default 0.3\n      plug-in: "));
}

/* From another directory, by an absolute path and beside others, in parts of a direct sum and under score errors. */
TEST(plugins_are_found_from_anywhere)
{
    take_example();
    ck_assert_int_eq(
        shell("mkdir -p %/a/b && mv %/my-plugin.so %/a && "
              "{ echo \"plugins: [%/a/my-plugin.so]\"; cat <<'END'\n"
              "targets:\n  - {name: m, kind: two-modes, spread: 1, sd: 0.3}\n"
              "  - name: sum\n    kind: direct-sum\n    factors:\n"
              "    - {kind: two-modes, spread: 2, sd: 0.5, copies: 1}\n"
              "    - {kind: gaussian, variance: 0.25, copies: rest}\n"
              "samplers: [my-sampler]\ndimensions: [1, 4]\nsteps: [64]\n"
              "score_errors: [{shape: wave, size: 0.1, roughness: 1, spread: one}]\nEND\n} >%/a/b/x.yaml; "
              "sed 's#^plugins:.*#plugins: [../my-plugin.so]#' %/a/b/x.yaml >%/a/b/y.yaml"),
        0);
    ck_assert_msg(shell("@ measure %/a/b/x.yaml --json >%/x && binary=$(realpath @) && cd %/a/b && "
                        "$binary measure y.yaml --json >%/y")
                      == 0,
                  "%s", output);
    ck_assert_int_eq(shell("sed 's/, \"seconds.*//' %/x >%/x1; sed 's/, \"seconds.*//' %/y | cmp - %/x1"), 0);
    ck_assert_int_eq(shell("wc -l <%/x1"), 0);
    ck_assert_str_eq(output, "8\n");
    ck_assert_int_eq(shell("@ run %/a/b/y.yaml -o %/out 2>&1 && @ merge %/out/y --spec %/a/b/y.yaml 2>&1 && "
                           "rm %/a/my-plugin.so && @ report %/out/y"),
                     0);
}

/* A plug-in that leaves a file behind whenever it is loaded. */
static void take_telltale(void)
{
    take_example();
    ck_assert_int_eq(
        shell("cd % && { cat my-plugin.c; echo '#include <stdio.h>'; "
              "echo '__attribute__((constructor)) static void tell(void) "
              "{ FILE *file = fopen(\"%/loaded\", \"w\"); fputs(\"yes\", file); fclose(file); }'; } >told.c && "
              "sed 's#[.]/my-plugin#%/told#' my-plugin.yaml >told.yaml"),
        0);
    build("told");
}

TEST(results_load_nothing)
{
    static const char *const commands[] = {
        "@ verdict %/out/told 2>&1",
        "@ plot %/out/told 2>&1",
        "@ report %/out/told 2>&1",
        "@ diff %/out/told %/out/told 2>&1",
    };
    static const char *const refused[] = {"merge", "prune", "check"};
    take_telltale();
    ck_assert_msg(shell("@ run %/told.yaml -o %/out 2>&1") == 0, "%s", output);
    ck_assert(exists("loaded"));
    ck_assert_int_eq(shell("rm %/loaded"), 0); /* the plug-in itself stays where the stored text says */
    for (size_t i = 0; i < COUNT(commands); i++) {
        ck_assert_msg(shell(commands[i]) == 0, "%s: %s", commands[i], output);
        ck_assert_msg(!exists("loaded"), "%s loads the plug-in", commands[i]);
    }
    for (size_t i = 0; i < COUNT(refused); i++) {
        char command[100];
        (void)snprintf(command, sizeof command, "@ %s %%/out/told 2>&1", refused[i]);
        assert_exits(command, 2, "spec.yaml:3:11: what results name is not loaded", "--spec FILE");
        ck_assert_msg(!exists("loaded"), "%s loads the plug-in", refused[i]);
    }
    ck_assert_int_eq(shell("@ check %/out/told --sample 100 --spec %/told.yaml 2>%/log"), 0);
    ck_assert(exists("loaded"));
    ASSERT_SAYS(output, "\n12 measured again: 12 the same to the bit");
    assert_exits("@ check %/out/told --spec %/my-plugin.yaml 2>&1", 1, "holds results of another spec");
    assert_exits("rm %/told.so; @ check %/out/told --spec %/told.yaml 2>&1", 2, "told.yaml:3:11: plug-in '");
}

/* Cells of another build are other cells; those that no plug-in is in stay. */
TEST(another_build_is_another_plugin)
{
    take_example();
    ck_assert_int_eq(shell("@ run %/my-plugin.yaml -o %/out 2>&1"), 0);
    assert_exits("@ run %/my-plugin.yaml -o %/out 2>&1", 0, "0 cells measured, 12 read back");
    ck_assert_int_eq(shell("sed -i 's/out\\[i\\] \\*= step->beta/out[i] *= 1.01 * step->beta/' %/my-plugin.c"), 0);
    build("my-plugin");
    assert_exits("@ run %/my-plugin.yaml -o %/out 2>&1", 1, "holds results of other builds of the plug-ins, ");
    ck_assert_uint_eq(lines(output), 1);
    assert_exits("@ check %/out/my-plugin --spec %/my-plugin.yaml 2>&1", 1, "other builds of the plug-ins");
    assert_exits("@ run %/my-plugin.yaml -o %/out --adopt 2>&1", 0, "9 cells measured, 3 read back");
    OWNED(result) result = load_result("out/my-plugin/my-plugin.h5");
    assert_equal_rows(&result, "mine", "ddpm", 6);
    double tv[2] = {0.0, 0.0};
    for (size_t i = 0; i < result.count; i++)
        if (strcmp(result.rows[i].target, "bimodal") == 0 && result.rows[i].steps == 512)
            tv[strcmp(result.rows[i].sampler, "ddpm") == 0] = result.rows[i].tv;
    ck_assert_double_gt(tv[1], 0.0);
    ck_assert_double_ne(tv[0], tv[1]);
}

/* ---- Samplers that hold to nothing ---- */

#define INCREMENT(name, body) \
    "static void " name \
    "(const struct step *step, const struct score *score, size_t n, const double *x, double *out, " \
    "double *work) { (void)work; " body \
    " score->evaluate(score, &step->from, n, x, out); for (size_t i = 0; i < n; i++) out[i] *= step->beta; }\n"
#define UNRULY(object, name, increment, noise, more) \
    "static const struct sampler " object " = {.name = \"" name \
    "\", .doc = \"d\", .formula = \"f\", .source = \"s\", " \
    ".score_evaluations = 1, .increment = " increment ", .log_noise_ratio = " noise more "};\n"

static const char unruly[] =
    "#include <math.h>\n#include <stdlib.h>\n#include \"model/plugin.h\"\n"
    "static double noise(const struct step *step) { (void)step; return 0.0; }\n"
    "static double quiet(const struct step *step) { return step->t == 2 ? -HUGE_VAL : 0.0; }\n" INCREMENT("plain", "")
        INCREMENT("leave", "if (step->t == 9) exit(0);") INCREMENT("moody", "if (getenv(\"MOODY\") != NULL) exit(0);")
            INCREMENT("stay", "for (volatile size_t t = step->t; t != 0;) t = step->t;") INCREMENT(
                "elsewhere",
                "struct level level = {0.5, 0.5}; if (step->t == 9) score->evaluate(score, &level, n, x, out);")
                UNRULY("a", "leaves", "leave", "noise", "") UNRULY("b", "stays", "stay", "noise", "")
                    UNRULY("c", "elsewhere", "elsewhere", "noise", "") UNRULY(
                        "d", "third", "plain", "noise", ", .claimed_order = 3.0, .claim_source = \"my theorem\"")
                        UNRULY("f", "moody", "moody", "noise", "")
                            UNRULY("e", "quiet", "plain", "quiet",
                                   "") "const struct diffrate_plugin diffrate_plugin = {DIFFRATE_ABI, (const struct "
                                       "sampler *const[]){&a, &b, &c, &d, &e, &f, "
                                       "NULL}, NULL};\n";

TEST(unruly_samplers_fail_their_cells_alone)
{
    static const char *const reasons[] = {
        "-leaves-",    ": its process ended by itself with exit status 0\n",
        "-stays-",     ": its process took more than the 1 s that a cell may take\n",
        "-elsewhere-", "asks for the score at 1 - alpha_bar = 0.5, alpha_bar = 0.5, which is neither"};
    write_file("unruly.c", unruly);
    build("unruly");
    write_file("x.yaml",
               "title: x\nplugins: [./unruly.so]\n"
               "targets: [{name: b, kind: mixture, weights: [0.5, 0.5], means: [-1, 1], sds: [0.3, 0.3]}]\n"
               "samplers: [leaves, stays, elsewhere, third, quiet, moody]\ndimensions: [1]\n"
               "steps: [64, 128, 256, 512]\naccuracies: [1.0e-1, 3.0e-2]\nmax_steps: 512\nclaims: [atlas]\n");
    ck_assert_int_eq(shell("sed -i 's/leaves, stays, elsewhere, //' %/x.yaml && @ run %/x.yaml -o %/out 2>&1"), 0);
    char *verdict = read_file("out/x/verdict.md");
    ck_assert_msg(strstr(verdict, "| refuted |") != NULL
                      && strstr(verdict, "that of third (order 3), of 1 samplers") != NULL,
                  "%s", verdict);
    free(verdict);
    ck_assert_int_eq(shell("@ verdict %/out/x 2>&1"), 0);
    ck_assert_msg(strstr(output, " refuted ") != NULL, "%s", output); /* by what is stored alone */
    ck_assert_int_eq(
        shell("sed -i 's/^sam.*/samplers: [leaves, stays, elsewhere, quiet, moody]/; s/^steps.*/steps: [64]/; "
              "s/^title.*/title: y/; /^acc/d; /^max/d; /^claims/d' %/x.yaml && mv %/x.yaml %/y.yaml && "
              "@ run %/y.yaml -o %/out -j 2 --cell-seconds 1 2>&1"),
        3);
    ASSERT_SAYS(output, "2 cells measured, 0 read back, 3 failed");
    for (size_t i = 0; i < COUNT(reasons); i++)
        ck_assert_msg(strstr(output, reasons[i]) != NULL, "%s: %s", reasons[i], output);
    ck_assert_int_eq(shell("@ measure %/y.yaml -j 4 --cell-seconds 1 2>/dev/null"), 3);
    ck_assert_uint_eq(lines(output), 1 + 5);
    ASSERT_SAYS(output, "- failed: its process took more than the 1 s that a cell may take\n",
                "- failed: its process ended by itself with exit status 0\n");
    ck_assert_int_eq(shell("@ check %/out/y --spec %/y.yaml 2>&1"), 0);
    assert_exits("MOODY=1 @ check %/out/y --spec %/y.yaml 2>&1", 1,
                 "measured again, it fails: its process ended by itself", "3 measured again: 2 the same to the bit");
    assert_exits("@ run %/y.yaml -o %/out --cell-seconds 0 2>&1", 2,
                 "--cell-seconds: expected a number of seconds above 0, not '0'");
}

/* A sampler with a parameter of its own, whose standard value makes it ddpm. */
static const char with_params[] =
    "#include \"model/plugin.h\"\n"
    "struct own { double part; };\n"
    "static void go(const struct step *step, const struct score *score, size_t n, const double *x, double *out, "
    "double *work)\n"
    "{ const struct own *own = step->params; (void)work; score->evaluate(score, &step->from, n, x, out);\n"
    "  for (size_t i = 0; i < n; i++) out[i] *= own->part * step->beta; }\n"
    "static double noise(const struct step *step) { (void)step; return 0.0; }\n"
    "static const struct param params[] = {{\"part\", PARAM_REAL, offsetof(struct own, part), \"of the step\", "
    ".standard = 1.0, .range = GREATER_THAN(0.0)}, {0}};\n"
    "static const struct own standard = {1.0};\n"
    "static const struct sampler s = {.name = \"mine\", .doc = \"d\", .formula = \"f\", .source = \"s\", "
    ".score_evaluations = 1, .increment = go, .log_noise_ratio = noise, .params = params, "
    ".params_size = sizeof(struct own), .values = &standard};\n"
    "const struct diffrate_plugin diffrate_plugin = {DIFFRATE_ABI, (const struct sampler *const[]){&s, NULL}, "
    "NULL};\n";
#define OWN_SPEC(samplers) \
    "title: x\nplugins: [./own.so]\ntargets: [{name: bimodal, kind: mixture, weights: equal, means: [-1, 1], sds: " \
    "0.3}]\nsamplers: [" samplers "]\ndimensions: [1]\nsteps: [64]\n"

TEST(samplers_have_parameters_of_their_own)
{
    write_file("own.c", with_params);
    build("own");
    write_file("x.yaml", OWN_SPEC("ddpm, mine, {kind: mine, part: 0.9, name: less}"));
    ck_assert_int_eq(shell("@ run %/x.yaml -o %/out 2>&1"), 0);
    OWNED(result) result = load_result("out/x/x.h5");
    ck_assert_uint_eq(result.count, 3);
    assert_equal_rows(&result, "bimodal", "mine", 1);
    double ddpm = 0.0, less = 0.0;
    for (size_t i = 0; i < result.count; i++) {
        ddpm = strcmp(result.rows[i].sampler, "ddpm") == 0 ? result.rows[i].tv : ddpm;
        less = strcmp(result.rows[i].sampler, "less") == 0 ? result.rows[i].tv : less;
    }
    ck_assert(ddpm > 0.0 && less > 1.1 * ddpm);
    ck_assert_int_eq(shell("mv %/own.so %/away.so && @ verdict %/out/x 2>&1 && mv %/away.so %/own.so"), 0);
    ck_assert_int_eq(shell("@ run %/x.yaml -o %/out 2>&1"), 0);
    ck_assert_msg(strstr(output, "0 cells measured, 3 read back, 0 failed") != NULL, "%s", output);
    write_file("x.yaml", OWN_SPEC("ddpm, mine, {kind: mine, part: 0.95, name: less}"));
    ck_assert_int_eq(shell("@ run %/x.yaml -o %/out2 2>&1"), 0);
    ck_assert_int_eq(shell("@ diff %/out/x %/out2/x 2>&1"), 1);
    write_file("x.yaml", OWN_SPEC("{kind: mine, part: 0.9}"));
    assert_exits("@ measure %/x.yaml --json 2>&1", 0, "\"sampler\": \"mine-part-0.9\"");
}

/* A schedule of a plug-in that is linear-beta, with one parameter of its own. */
static const char own_schedule[] =
    "#include <math.h>\n#include \"model/plugin.h\"\n"
    "static int fill(const void *params, size_t T, double *log_a, double *log_o, double *beta)\n"
    "{ double most = *(const double *)params;\n"
    "  for (size_t t = 1; t <= T; t++) { double share = (double)(t - 1) / (double)(T - 1);\n"
    "    beta[t] = (0.1 * (1.0 - share) + most * share) / (double)T; }\n"
    "  log_o[1] = log(beta[1]); return schedule_accumulate(T, beta, log_a, log_o); }\n"
    "static double h(const void *params, size_t T) { return *(const double *)params / (double)T; }\n"
    "static const struct param params[] = {{\"most\", PARAM_REAL, 0, \"T beta_T\", .standard = 20.0, "
    ".range = GREATER_THAN(0.1)}, {0}};\n"
    "static const struct schedule_kind k = {.name = \"own\", .doc = \"d\", .formula = \"f\", .source = \"s\", .fill "
    "= fill, "
    ".step_size = h, .step_size_bound = 1.0, .params = params, .params_size = sizeof(double)};\n"
    "const struct diffrate_plugin diffrate_plugin = {.abi = DIFFRATE_ABI, .schedules = (const struct schedule_kind "
    "*const[]){&k, NULL}};\n";
#define SCHEDULE_SPEC(schedules) \
    "title: x\nplugins: [./own.so]\nschedule: [" schedules \
    "]\ntargets: [{name: b, kind: gaussian, variance: 0.25}]\n" \
    "samplers: [ddpm]\ndimensions: [1]\nsteps: [64]\naccuracies: [0.02]\nmax_steps: 128\n"

TEST(schedules_of_ones_own)
{
    write_file("own.c", own_schedule);
    build("own");
    write_file("x.yaml", SCHEDULE_SPEC("own, linear-beta, {kind: own, most: 10}"));
    ck_assert_msg(shell("@ run %/x.yaml -o %/out 2>&1") == 0, "%s", output);
    OWNED(result) result = load_result("out/x/x.h5");
    static const char *const names[] = {"ddpm", "ddpm-linear-beta", "ddpm-own-most-10"};
    double tv[3] = {0.0};
    for (size_t i = 0; i < result.count; i++)
        for (int k = 0; k < 3; k++)
            if (result.rows[i].steps == 64 && strcmp(result.rows[i].sampler, names[k]) == 0)
                tv[k] = result.rows[i].tv;
    ck_assert(tv[0] > 0.0 && tv[0] == tv[1] && tv[2] > 0.0);
    ck_assert_double_ne(tv[0], tv[2]);
    ck_assert_int_eq(shell("@ list schedules --plugin %/own.so"), 0);
    ASSERT_SAYS(output, "\n  own\n      d\n");
    ck_assert_int_eq(shell("mv %/own.so %/away.so && @ verdict %/out/x 2>&1 && @ report %/out/x 2>&1 && "
                           "@ diff %/out/x %/out/x 2>&1"),
                     0);
    ck_assert_int_eq(shell("mv %/away.so %/own.so && @ merge %/out/x --spec %/x.yaml 2>&1"), 0);
    write_file("y.yaml", SCHEDULE_SPEC("{kind: linear-beta}, {kind: own, most: 20}, {kind: own, most: [5, 10.5]}"));
    ck_assert_msg(shell("@ run %/y.yaml -o %/out 2>&1") == 0, "%s", output);
    assert_exits(
        "mv %/own.so %/away.so && @ diff %/out/y %/out/y && grep -o '^b,ddpm[^,]*' %/out/y/cells.csv | sort -u "
        "&& mv %/away.so %/own.so",
        0, "The results agree", "\nb,ddpm-own\n", "\nb,ddpm-own-most-10.5\n", "\nb,ddpm-own-most-5\n");
    write_file("x.yaml", SCHEDULE_SPEC("{kind: own, most: 300}"));
    ck_assert_int_eq(shell("@ measure %/x.yaml 2>&1"), 2);
    ck_assert_msg(strstr(output, "smallest admissible T is 301") != NULL, "%s", output);
}

/* ---- What is wrong with a plug-in ---- */

#define BEGIN \
    "#include \"model/plugin.h\"\n" \
    "static void go(const struct step *step, const struct score *score, size_t n, const double *x, double *out, " \
    "double *work)" \
    "{ (void)step, (void)work, (void)x; score->evaluate(score, &step->from, n, x, out); }\n" \
    "static enum status make(const struct target *target, size_t d, struct factor_list *list, struct error *error)" \
    "{ (void)target, (void)d, (void)list; return fail_with(error, STATUS_INVALID, \"none\"); }\n" \
    "static double far(const struct target *target) { (void)target; return 1.0; }\n" \
    "struct own { double sd, more; };\n" \
    "static const struct param good[] = {{\"sd\", PARAM_REAL, offsetof(struct own, sd), \"d\"}, {0}}, " \
    "reserved[] = {{\"copies\", PARAM_REAL, offsetof(struct own, sd), \"d\"}, {0}}, " \
    "outside[] = {{\"sd\", PARAM_REAL, 12, \"d\"}, {0}}, crooked[] = {{\"sd\", PARAM_REAL, 4, \"d\"}, {0}}, " \
    "twice[] = {{\"sd\", PARAM_REAL, 0, \"d\"}, {\"sd\", PARAM_REAL, 8, \"d\"}, {0}}, " \
    "beyond[] = {{\"sd\", PARAM_REAL, 0, \"d\", .standard = 2.0, .range = FROM_TO(0.0, 1.0)}, {0}}, " \
    "wordless[] = {{\"sd\", PARAM_CHOICE, 0, \"d\"}, {0}}, " \
    "odd[] = {{\"sd\", (enum param_kind)1000, 0, \"d\"}, {0}}, silent[] = {{\"sd\", PARAM_REAL, 0, " \
    "NULL}, {0}};\n" \
    "const void *const used[] = {go, make, far, good, reserved, outside, crooked, twice, beyond, wordless, odd, " \
    "silent};\n"
#define SAMPLER(name, more) \
    "static const struct sampler a = {.name = " name ", .doc = \"d\", .formula = \"f\", .source = \"s\", " \
    ".score_evaluations = 1, .increment = go" more "};\n"
#define TARGET(name, more) \
    "static const struct target_family b = {.name = " name ", .doc = \"d\", .formula = \"f\", .source = \"s\", " \
    ".params = good, .params_size = sizeof(struct own), .factors = make" more "};\n"
#define ONE_SAMPLER \
    "const struct diffrate_plugin diffrate_plugin = {DIFFRATE_ABI, (const struct sampler *const[]){&a, NULL}, " \
    "NULL};\n"
#define TWO_SAMPLERS \
    "const struct diffrate_plugin diffrate_plugin = {DIFFRATE_ABI, (const struct sampler *const[]){&a, &a2, NULL}, " \
    "NULL};\n"
#define SECOND(fields) \
    BEGIN SAMPLER("\"x\"", "") "static const struct sampler a2 = {.name = \"y\", .doc = \"d\", " fields \
                               "};\n" TWO_SAMPLERS
#define SECOND_TARGET(fields) \
    BEGIN TARGET("\"t\"", \
                 "") "static const struct target_family c = {.name = \"u\", .doc = \"d\", .formula = \"f\", " \
                     ".source = \"s\", " fields "};\nconst struct diffrate_plugin diffrate_plugin = " \
                     "{DIFFRATE_ABI, NULL, (const struct target_family *const[]){&b, &c, NULL}};\n"
#define ONE_TARGET \
    "const struct diffrate_plugin diffrate_plugin = {DIFFRATE_ABI, NULL, (const struct target_family *const[]){&b, " \
    "NULL}};\n"
#define SCHEDULE(name, more) \
    "static int fill(const void *p, size_t T, double *a, double *o, double *b) " \
    "{ (void)p, (void)T, (void)a, (void)o, (void)b; return 1; }\n" \
    "static double h(const void *p, size_t T) { (void)p; return 1.0 / (double)T; }\n" \
    "const void *const used_too[] = {fill, h};\n" \
    "static const struct schedule_kind k = {.name = " name ", .doc = \"d\", .formula = \"f\", .source = \"s\"" more \
    "};\nconst struct diffrate_plugin diffrate_plugin = {DIFFRATE_ABI, NULL, NULL, (const struct schedule_kind " \
    "*const[]){&k, NULL}};\n"
#define A_SAMPLER(name, more) BEGIN SAMPLER(name, more) ONE_SAMPLER
#define A_TARGET(name, more) BEGIN TARGET(name, more) ONE_TARGET
#define WITH(params) BEGIN "#define good " #params "\n" TARGET("\"t\"", "") ONE_TARGET
#define LONG_NAME "\"0123456789012345678901234567890123456789012345678901234567890123\""

static const struct {
    const char *text, *message;
} bad_plugins[] = {
    {BEGIN, "has no symbol diffrate_plugin, expected `const struct diffrate_plugin"},
    {BEGIN "const struct diffrate_plugin diffrate_plugin = {DIFFRATE_ABI + 1, NULL, NULL};\n",
     "was built for another diffrate (ABI "},
    {BEGIN "const struct diffrate_plugin diffrate_plugin = {DIFFRATE_ABI, NULL, NULL};\n",
     "has neither samplers nor targets nor schedules, expected 1 to 64 of each"},
    {A_SAMPLER("\"ddpm\"", ""), "sampler 'ddpm' has the name of one that is built in"},
    {A_SAMPLER("\"there\"", ""), "sampler 'there' has the name of another, in plug-in ./good.so"},
    {BEGIN SAMPLER("\"x\"", "") "static const struct sampler a2 = {.name = \"x\"};\n" TWO_SAMPLERS,
     "sampler 'x' has the name of another, in plug-in ./bad.so"},
    {A_SAMPLER("\"a b\"", ""), "the name of a sampler is not one of [A-Za-z0-9._-] that starts with"},
    {A_SAMPLER("\"\"", ""), "the name of a sampler is not one of"},
    {A_SAMPLER("\"-x\"", ""), "the name of a sampler is not one of"},
    {A_SAMPLER("\"../x\"", ""), "the name of a sampler is not one of"},
    {A_SAMPLER("NULL", ""), "the name of a sampler is not one of"},
    {A_SAMPLER(LONG_NAME, ""), "of at most 63 bytes"},
    {SECOND(".formula = \"f\", .source = \"s\", .score_evaluations = 1"), "sampler 'y' has no increment"},
    {SECOND(".source = \"s\""), "sampler 'y' has no formula"},
    {SECOND(".formula = \"f\", .source = \"s\", .increment = go"),
     "sampler 'y' has score_evaluations that are not 1 to 1000"},
    {A_SAMPLER("\"x\"", ", .regular = 1"), "sampler 'x' says that it is regular, expected 0"},
    {A_SAMPLER("\"x\"", ", .work_arrays = 65"), "sampler 'x' has work_arrays that are more than 64"},
    {A_SAMPLER("\"x\"", ", .draws = 1"), "sampler 'x' draws numbers, which only built-in samplers may"},
    {A_SAMPLER("\"x\"", ", .memory = 65"), "sampler 'x' has a memory of more than 64 arrays"},
    {A_SAMPLER("\"x\"", ", .claimed_order = -1"), "sampler 'x' has a claimed_order that is not 0 to 1000"},
    {A_SAMPLER("\"x\"", ", .claimed_order = 2"), "sampler 'x' has a claimed_order without claim_source"},
    {A_TARGET("\"mixture\"", ""), "target 'mixture' has the name of one that is built in"},
    {A_TARGET("\"a/b\"", ""), "the name of a target is not one of"},
    {SECOND_TARGET(".params = good"), "target 'u' has no factors"},
    {SECOND_TARGET(".factors = make"), "target 'u' has no params"},
    {A_TARGET("\"t\"", ", .approximation = far"), "target 't' has an approximation, expected NULL"},
    {WITH(reserved), "target 't' has a param that every target has: copies"},
    {WITH(outside), "target 't' has a param outside of its struct (params_size): sd"},
    {WITH(crooked), "target 't' has a param that is not aligned: sd"},
    {WITH(twice), "target 't' has two params called sd"},
    {WITH(beyond), "target 't' has a standard value that could not be given: sd"},
    {WITH(wordless), "target 't' has no choices or variants of sd"},
    {A_TARGET("\"t\"", ", .params_size = 300"), "target 't' has a params_size above 256"},
    {A_SAMPLER("\"x\"", ", .params = good, .params_size = sizeof(struct own)"),
     "sampler 'x' has values that are not the standard ones of its params"},
    {WITH(odd), "target 't' has no such kind of params as that of sd"},
    {BEGIN "static const struct param file[] = {{\"f\", PARAM_FILE, 0, \"d\", .required = 1}, {0}};\n" SCHEDULE(
         "\"k\"", ", .fill = fill, .step_size = h, .params = file, .params_size = 16"),
     "schedule 'k' has a file as a param, which only built-in ones may: f"},
    {BEGIN SCHEDULE("\"karras\"", ""), "schedule 'karras' has the name of one that is built in"},
    {BEGIN SCHEDULE("\"k\"", ", .fill = fill"), "schedule 'k' has no step_size"},
    {BEGIN SCHEDULE("\"k\"", ", .fill = fill, .step_size = h, .step_size_bound = -1"),
     "schedule 'k' has a step_size_bound that is not a number >= 0"},
    {WITH(silent), "target 't' has no doc of sd"},
};

#define GOOD_SPEC \
    "\ntargets: [{name: g, kind: gaussian, variance: 1}]\nsamplers: [there]\ndimensions: [1]\nsteps: [64]\n"

enum { PARTS = 4 };

TEST(bad_plugins_are_refused_where_they_are_named, .count = PARTS)
{
    write_file("good.c", A_SAMPLER("\"there\"", ""));
    build("good");
    write_file("x.yaml", "title: x\nplugins: [./good.so,\n  ./bad.so]" GOOD_SPEC);
    for (int i = _i; i < COUNT(bad_plugins); i += PARTS) {
        write_file("bad.c", bad_plugins[i].text);
        build("bad");
        assert_exits("@ run %/x.yaml -o %/out 2>&1", 2, "x.yaml:3:3: plug-in './bad.so'", bad_plugins[i].message);
        ck_assert_uint_eq(lines(output), 1);
        ck_assert(!exists("out"));
    }
}

TEST(what_is_no_plugin_is_refused)
{
    static const struct {
        const char *plugins, *message;
    } cases[] = {
        {"[./none.so]", "x.yaml:1:11: plug-in './none.so': cannot open "},
        {"[./text.so]", "x.yaml:1:11: plug-in './text.so' cannot be loaded: "},
        {"[.]", "x.yaml:1:11: plug-in '.': "},
        {"[]", "x.yaml:1:10: expected a non-empty list, found an empty list"},
        {"./good.so", "x.yaml:1:10: expected a non-empty list"},
        {"[[./good.so]]", "x.yaml:1:11: expected a path of a shared object, found a list"},
        {"[1, '']", "x.yaml:1:11: plug-in '1': cannot open "},
        {"['']", "x.yaml:1:11: expected a path of a shared object, found an empty string"},
        {"[./good.so, ./good.so]", "x.yaml:1:22: plug-in './good.so' is there already, as './good.so'"},
        {"[./good.so, ./same.so]", "x.yaml:1:22: plug-in './same.so' is there already, as './good.so'"},
        {"[./good.so, ./copy.so]",
         "x.yaml:1:22: plug-in './copy.so': sampler 'there' has the name of another, in plug-in ./good.so"},
        {"[libm.so.6]", "x.yaml:1:11: plug-in 'libm.so.6': cannot open "}, /* never searched for */
    };
    write_file("good.c", A_SAMPLER("\"there\"", ""));
    write_file("text.so", "not a shared object\n");
    build("good");
    ck_assert_int_eq(shell("cd % && ln -s good.so same.so && cp good.so copy.so"), 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[400];
        (void)snprintf(text, sizeof text, "plugins: %s" GOOD_SPEC, cases[i].plugins);
        write_file("x.yaml", text);
        int status = shell("@ measure %/x.yaml 2>&1");
        ck_assert_msg(status == 2 && strstr(output, cases[i].message) != NULL, "%s: %s", cases[i].plugins, output);
        ck_assert_uint_eq(lines(output), 1);
    }
    write_file("x.yaml", "plugins: [./good.so]" GOOD_SPEC);
    ck_assert_int_eq(shell("@ run %/x.yaml --dry-run 2>&1"), 0);
    ck_assert_int_eq(shell("@ list samplers --plugin %/text.so 2>&1"), 2);
    ck_assert_uint_eq(lines(output), 1);
    ASSERT_SAYS(output, "cannot be loaded");
    ck_assert_int_eq(shell(MAKE "plugin 2>&1"), 2);
    ASSERT_SAYS(output, "which FILE?");
}

TEST(installed_headers_suffice)
{
    ck_assert_msg(shell(MAKE "install DESTDIR=% PREFIX=/p 2>&1") == 0, "%s", output);
    ck_assert_int_eq(
        shell("cp experiments/my-plugin.c experiments/my-plugin.yaml % && cd % && gcc -std=c17 -Wall -Wextra "
              "-Werror -O2 -shared -fPIC -Ip/include/diffrate my-plugin.c -o my-plugin.so 2>&1"),
        0);
    ck_assert_msg(shell("%/p/bin/diffrate measure %/my-plugin.yaml 2>%/said") == 0, "%s", output);
    ck_assert_uint_eq(lines(output), 25);
}
