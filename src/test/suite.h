/* A file of tests is a suite, and each test lists itself:
 *
 *     TEST_SUITE(line, .setup = shell_setup, .teardown = shell_teardown);
 *
 *     TEST(a_test)
 *     {
 *     }
 *
 *     TEST(a_loop_test, .count = COUNT(cases), .grows = 1)
 *     {
 *         ck_assert(cases[_i] ...);
 *     }
 *
 * Every test runs in a process of its own, from the project's root. */
#ifndef TEST_SUITE_H
#define TEST_SUITE_H

#include <check.h>
#include <stddef.h>
#include <string.h>

#include "core/status.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

struct suite_test {
    int count; /* it runs for _i = 0 ... count - 1; 0: once */
    int grows; /* with the size, or there are more of it: worth another run at a larger size */
    int tools; /* it needs programs that scripts/install-deps installs for `check` alone: left out unless asked for */
    const TTest *test;
    const struct test_suite *suite;
};

/* Checked fixtures of Check's, in each test's process; may be NULL. */
struct test_suite {
    const char *name;
    void (*setup)(void), (*teardown)(void);
};

#define TEST_SUITE(...) TEST_SUITE_WITH(__VA_ARGS__, )
#define TEST_SUITE_WITH(name_, ...) static const struct test_suite file_suite = {.name = #name_, __VA_ARGS__}

/* Options may be any expressions: they are looked at when the program runs. */
#define TEST(...) TEST_WITH(__VA_ARGS__, )
#define TEST_WITH(name_, ...) \
    static void name_##_run(int _i); \
    static struct suite_test name_##_listed(void) \
    { \
        static const TTest test = {#name_, name_##_run, __FILE__, __LINE__}; \
        return (struct suite_test){.test = &test, .suite = &file_suite, __VA_ARGS__}; \
    } \
    static struct suite_test (*const name_##_entry)(void) __attribute__((used, section("suite_tests"))) = \
        name_##_listed; \
    static void name_##_run(int _i __attribute__((unused)))

/* Calls a function whose last argument is a struct error *, left out here; an error fails the test. */
#define ASSERT_OK(function, ...) \
    do { \
        struct error assert_error = {STATUS_OK, ""}; \
        ck_assert_msg(function(__VA_ARGS__, &assert_error) == STATUS_OK, "%s", assert_error.text); \
    } while (0)

/* The same, of a call that must fail with this status and a sentence in which these words stand. */
#define ASSERT_FAILS(status, words, function, ...) \
    do { \
        struct error assert_error = {STATUS_OK, ""}; \
        ck_assert_int_eq(function(__VA_ARGS__, &assert_error), status); \
        ck_assert_msg(strstr(assert_error.text, words) != NULL, "%s", assert_error.text); \
    } while (0)

/* A text has all of these words, or none of them: ASSERT_SAYS(output, "3 cells", "0 failed"). */
#define ASSERT_SAYS(text, ...) assert_says(text, 1, (const char *const[]){__VA_ARGS__, NULL})
#define ASSERT_OMITS(text, ...) assert_says(text, 0, (const char *const[]){__VA_ARGS__, NULL})
void assert_says(const char *text, int says, const char *const *words);

/* What a test owns, freed at the end of its block: `OWNED(law) law = ...;` by law_free, a schedule by schedule_free,
 * `FREED char *text = ...;` by free. Whoever leaves the block before it is set sets it to {0} or NULL. */
#define OWNED(type) __attribute__((cleanup(type##_free))) struct type
#define OWNED_SCHEDULE __attribute__((cleanup(release_schedule))) struct schedule
#define OWNED_SAMPLER __attribute__((cleanup(release_sampler))) struct sampler_instance
#define FREED __attribute__((cleanup(release_block)))
struct schedule;
struct sampler_instance;
void release_schedule(struct schedule **schedule);
void release_sampler(struct sampler_instance **instance);
void release_block(void *block);

/* How often something is repeated in this run: `least` times the size. */
size_t repetitions(size_t least);

/* How many of `all` cases that differ in a detail this run takes: one at size 1, all of them from size `all` on. */
size_t taken(size_t all);

/* Ends a test that cannot run here: SKIP_TEST("no chromium"). Where CI is set that is a failure. */
#define SKIP_TEST(...) \
    do { \
        test_skip(__VA_ARGS__); \
        return; \
    } while (0)
void test_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
