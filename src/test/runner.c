#include "test/runner.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/progress.h"
#include "core/memory.h"
#include "core/process.h"

/* ---- The tests ---- */

extern struct suite_test (*const __start_suite_tests[])(void),
    (*const __stop_suite_tests[])(void); /* by the linker */

static int by_suite_and_line(const void *a, const void *b)
{
    const struct suite_test *x = a, *y = b;
    int order = strcmp(x->suite->name, y->suite->name);
    return order != 0 ? order : x->test->line - y->test->line;
}

struct suite_test *all_tests(size_t *count)
{
    *count = (size_t)(__stop_suite_tests - __start_suite_tests);
    struct suite_test *tests = array_new(*count, sizeof *tests);
    if (tests == NULL)
        abort();
    for (size_t i = 0; i < *count; i++)
        tests[i] = __start_suite_tests[i]();
    qsort(tests, *count, sizeof *tests, by_suite_and_line);
    return tests;
}

/* ---- The size ---- */

static double size(void)
{
    const char *text = getenv("DIFFRATE_TEST_SIZE");
    return text != NULL ? strtod(text, NULL) : 1.0;
}

size_t repetitions(size_t least)
{
    double wanted = size() * (double)least;
    return wanted > 1.0 ? (size_t)wanted : 1;
}

size_t taken(size_t all)
{
    size_t wanted = repetitions(1);
    return wanted < all ? wanted : all;
}

/* ---- One unit of work: some consecutive _i of a test ---- */

enum { TEXT = 12000, PIECES = 16 };

struct unit {
    const struct suite_test *test;
    int from, to;
    double seconds, processor; /* that it took, and of the processor */
};

/* What a unit has to tell. */
struct answer {
    int checks, failures, errors;
    double seconds, processor;
    char text[TEXT]; /* of the failures */
};

struct run {
    struct unit *units;
    size_t count, next;
    struct progress progress;
    struct answer sum;
    size_t skipped;
    FILE *failed, *reasons; /* text for the end */
};

/* Why a test was skipped; shared by the processes of one unit, of which one runs at a time. */
struct skip {
    int count;
    char reason[500];
};
static struct skip *skip;

void test_skip(const char *format, ...)
{
    va_list list;
    char reason[sizeof skip->reason];
    va_start(list, format);
    (void)vsnprintf(reason, sizeof reason, format, list);
    va_end(list);
    ck_assert_msg(getenv("CI") == NULL, "skipped: %s", reason);
    memcpy(skip->reason, reason, sizeof reason);
    skip->count++;
}

/* Tests never outlive the runner. */
static void die_with_parent(void)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* Appends printf-style, cut where there is no more room. */
static void append(char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void append(char *text, const char *format, ...)
{
    va_list list;
    size_t used = strlen(text);
    va_start(list, format);
    (void)vsnprintf(text + used, TEXT - used, format, list);
    va_end(list);
}

/* The last lines of a file, indented. */
static void append_end(char *text, int file)
{
    char end[4000];
    off_t length = lseek(file, 0, SEEK_END);
    off_t from = length > (off_t)sizeof end - 1 ? length - (off_t)sizeof end + 1 : 0;
    ssize_t got = pread(file, end, sizeof end - 1, from);
    end[got > 0 ? got : 0] = '\0';
    char *state = NULL;
    for (char *line = strtok_r(end, "\n", &state); line != NULL; line = strtok_r(NULL, "\n", &state))
        append(text, "    | %s\n", line);
}

static char result_letter(int result)
{
    return result == CK_FAILURE ? 'F' : 'E';
}

static void tell_failures(const struct unit *unit, SRunner *runner, int output, struct answer *answer)
{
    TestResult **failures = srunner_failures(runner);
    int count = srunner_ntests_failed(runner);
    for (int i = 0; i < count; i++) {
        char place[40] = "";
        if (unit->test->count > 0 && unit->to == unit->from + 1)
            (void)snprintf(place, sizeof place, ":%d", unit->from);
        else if (unit->test->count > 0)
            (void)snprintf(place, sizeof place, ":%d-%d", unit->from, unit->to - 1);
        answer->errors += tr_rtype(failures[i]) != CK_FAILURE;
        answer->failures += tr_rtype(failures[i]) == CK_FAILURE;
        append(answer->text, "%s:%d:%c:%s/%s%s: %s\n", tr_lfile(failures[i]), tr_lno(failures[i]),
               result_letter(tr_rtype(failures[i])), unit->test->suite->name, unit->test->test->name, place,
               tr_msg(failures[i]));
    }
    if (count > 0)
        append_end(answer->text, output);
    free(failures);
}

/* Of all that this process has started and that has ended. */
static double processor_seconds(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_CHILDREN, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
           + 1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* In a process of its own, in which the signals that the runner's workers ignore are what they were. */
static enum status run_unit(void *context, size_t item, void *told, struct error *error)
{
    const struct run *run = context;
    const struct unit *unit = &run->units[item];
    struct answer *answer = told;
    char name[] = "/tmp/diffrate-output-XXXXXX";
    int output = mkstemp(name);
    skip = mmap(NULL, sizeof *skip, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (output < 0 || unlink(name) != 0 || skip == MAP_FAILED || dup2(output, STDOUT_FILENO) < 0
        || dup2(output, STDERR_FILENO) < 0)
        return fail_with(error, STATUS_IO, "no temporary file for what a test prints");
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    (void)signal(SIGHUP, SIG_DFL);
    Suite *suite = suite_create(unit->test->suite->name);
    TCase *tcase = tcase_create(unit->test->test->name);
    tcase_set_timeout(tcase, 600.0 + 10.0 * size());
    tcase_add_checked_fixture(tcase, die_with_parent, NULL);
    if (unit->test->suite->setup != NULL)
        tcase_add_checked_fixture(tcase, unit->test->suite->setup, unit->test->suite->teardown);
    tcase_add_loop_test(tcase, unit->test->test, unit->from, unit->to);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    double started = clock_seconds();
    srunner_run_all(runner, CK_SILENT);
    answer->seconds = clock_seconds() - started;
    answer->processor = processor_seconds();
    answer->checks = srunner_ntests_run(runner);
    tell_failures(unit, runner, output, answer);
    if (skip->count > 0 && answer->text[0] == '\0')
        append(answer->text, "skipped: %s/%s: %s\n", unit->test->suite->name, unit->test->test->name, skip->reason);
    srunner_free(runner);
    return STATUS_OK;
}

/* ---- All of them ---- */

static int next_unit(void *context, size_t *item)
{
    struct run *run = context;
    if (run->next == run->count)
        return 0;
    *item = run->next++;
    const struct suite_test *test = run->units[*item].test;
    char label[200];
    (void)snprintf(label, sizeof label, "%s/%s", test->suite->name, test->test->name);
    progress_begin(&run->progress, label);
    return 1;
}

static enum status end_unit(void *context, size_t item, const void *told, const struct error *cause,
                            struct error *error)
{
    (void)error;
    struct run *run = context;
    const struct suite_test *test = run->units[item].test;
    const struct answer *answer = told;
    int failed = answer->failures + answer->errors;
    run->sum.checks += answer->checks;
    run->sum.failures += answer->failures;
    run->sum.errors += answer->errors;
    run->units[item].seconds = answer->seconds;
    run->units[item].processor = answer->processor;
    if (cause->status != STATUS_OK) {
        run->sum.checks++;
        run->sum.errors++;
        fprintf(run->failed, "%s/%s: %s\n", test->suite->name, test->test->name, cause->text);
    }
    if (failed == 0)
        run->skipped += answer->text[0] != '\0';
    fputs(answer->text, failed > 0 ? run->failed : run->reasons);
    progress_end(&run->progress, failed > 0 ? "failures so far" : "tests", 1.0);
    return STATUS_OK;
}

int is_selected(const struct selection *selection, const struct suite_test *test)
{
    size_t length = strlen(test->suite->name);
    for (size_t i = 0; i < selection->name_count; i++) {
        const char *name = selection->names[i];
        if (strcmp(name, test->suite->name) == 0 || strcmp(name, test->test->name) == 0
            || (strncmp(name, test->suite->name, length) == 0 && name[length] == '/'
                && strcmp(name + length + 1, test->test->name) == 0))
            return 1;
    }
    return selection->name_count == 0 && (selection->rest ? test->grows || test->tools : !test->tools);
}

/* Loops are cut into pieces, one _i each or a few, so that all processes have work to the end. */
static void add_units(struct run *run, const struct suite_test *test)
{
    int count = test->count > 0 ? test->count : 1, length = (count + PIECES - 1) / PIECES;
    for (int from = 0; from < count; from += length) {
        run->units = realloc(run->units, (run->count + 1) * sizeof *run->units);
        if (run->units == NULL)
            abort();
        run->units[run->count++] =
            (struct unit){.test = test, .from = from, .to = from + length < count ? from + length : count};
    }
}

static void print_times(const struct run *run)
{
    for (size_t i = 0, next; i < run->count; i = next) {
        const struct suite_test *test = run->units[i].test;
        double seconds = 0.0, processor = 0.0;
        for (next = i; next < run->count && run->units[next].test == test; next++) {
            seconds += run->units[next].seconds;
            processor += run->units[next].processor;
        }
        printf("%8.2f s, %.2f s of a core: %s/%s\n", seconds, processor, test->suite->name, test->test->name);
    }
}

/* Returns Check's percentage. */
static int print_summary(const struct run *run, const char *failed, const char *reasons)
{
    int checks = run->sum.checks, bad = run->sum.failures + run->sum.errors;
    int percentage = checks > 0 ? 100 * (checks - bad) / checks : 0;
    fputs(reasons, stdout);
    fputs(failed, stdout);
    printf("%d%%: Checks: %d, Failures: %d, Errors: %d\n", percentage, checks, run->sum.failures, run->sum.errors);
    return percentage;
}

int run_selected(const struct selection *selection, const struct suite_test *tests, size_t count)
{
    struct run run = {0};
    char *failed = NULL, *reasons = NULL;
    size_t length;
    run.failed = open_memstream(&failed, &length);
    run.reasons = open_memstream(&reasons, &length);
    if (run.failed == NULL || run.reasons == NULL)
        abort();
    for (size_t i = 0; i < count; i++)
        if (is_selected(selection, &tests[i]))
            add_units(&run, &tests[i]);
    progress_start(&run.progress, "tests");
    progress_expect(&run.progress, run.count, (double)run.count);
    const struct work work = {&run, selection->jobs, sizeof(struct answer), 0.0, next_unit, run_unit, end_unit, NULL};
    int interruption;
    struct error error = {0};
    enum status status = workers_run(&work, &interruption, &error);
    progress_hide(&run.progress);
    (void)fclose(run.failed);
    (void)fclose(run.reasons);
    if (selection->times)
        print_times(&run);
    int percentage = print_summary(&run, failed, reasons);
    if (status != STATUS_OK)
        fprintf(stderr, "diffrate-test: %s\n", error.text);
    free(failed);
    free(reasons);
    free(run.units);
    return interruption != 0 ? 128 + interruption : status == STATUS_OK && percentage == 100 ? 0 : 1;
}
