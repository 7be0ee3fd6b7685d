/* Work that dies, hangs, takes too much or lies hurts nobody; and text that others wrote. */
#define _GNU_SOURCE /* setresuid */
#include <omp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/process.h"
#include "core/text.h"
#include "test/suite.h"

TEST_SUITE(isolate);

static const struct isolate_limits limits = {1, (size_t)1 << 26, (size_t)1 << 20};

static enum status greet(void *context, FILE *out, struct error *error)
{
    (void)error;
    fprintf(out, "hello %s", (const char *)context);
    *(char *)context = 'X'; /* of the child's copy */
    return STATUS_OK;
}

static enum status refuse(void *context, FILE *out, struct error *error)
{
    (void)fputs("half an answer", out);
    return fail_with(error, STATUS_NUMERIC, "no %s", (const char *)context);
}

static enum status crash(void *context, FILE *out, struct error *error)
{
    (void)out;
    (void)error;
    (void)raise(*(const int *)context);
    return STATUS_OK;
}

static enum status spin(void *context, FILE *out, struct error *error)
{
    volatile const int *forever = context;
    (void)out;
    (void)error;
    while (*forever)
        ;
    return STATUS_OK;
}

static enum status flood(void *context, FILE *out, struct error *error)
{
    (void)error;
    for (size_t i = 0; i < *(const size_t *)context; i++)
        (void)fputc('x', out);
    return STATUS_OK;
}

static enum status leave(void *context, FILE *out, struct error *error)
{
    (void)out;
    (void)error;
    _exit(*(const int *)context);
}

/* Overwrites the answer's head, as memory that was written over would. */
static enum status lie(void *context, FILE *out, struct error *error)
{
    (void)context;
    (void)out;
    memset(error, 'A', sizeof *error);
    return STATUS_IO;
}

#if !defined __SANITIZE_ADDRESS__
static enum status eat(void *context, FILE *out, struct error *error)
{
    FREED char *block = malloc(*(const size_t *)context);
    if (block == NULL)
        return fail_with(error, STATUS_MEMORY, "hungry");
    memset(block, 1, *(const size_t *)context);
    fputc(block[17], out);
    return STATUS_OK;
}
#endif

static void check_failure(isolated_work work, void *context, enum status status, const char *text)
{
    char *out = NULL;
    size_t length = 1;
    struct error error = {STATUS_OK, ""};
    ck_assert_int_eq(isolate(work, context, &limits, &out, &length, &error), status);
    ck_assert_str_eq(error.text, text);
    ck_assert_ptr_null(out);
    ck_assert_uint_eq(length, 0);
}

TEST(bytes_come_back)
{
    char name[] = "you", *out = NULL;
    size_t length, most = limits.output;
    ASSERT_OK(isolate, greet, name, &limits, &out, &length);
    ck_assert_str_eq(out, "hello you");
    ck_assert_uint_eq(length, 9);
    ck_assert_str_eq(name, "you");
    free(out);
    ASSERT_OK(isolate, flood, &most, &limits, &out, &length);
    ck_assert_uint_eq(length, most);
    free(out);
    check_failure(refuse, name, STATUS_NUMERIC, "no you");
}

TEST(deaths_are_told)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE};
    for (size_t i = 0; i < COUNT(signals); i++) {
        int signal = signals[i];
        char text[64];
        (void)snprintf(text, sizeof text, "died of signal %d", signal);
        check_failure(crash, &signal, STATUS_EXTERNAL, text);
    }
    int code = 3, silent = 0;
    size_t too_much = limits.output + 1;
    check_failure(leave, &code, STATUS_EXTERNAL, "ended with exit status 3");
    check_failure(leave, &silent, STATUS_EXTERNAL, "gave no answer");
    check_failure(lie, NULL, STATUS_EXTERNAL, "gave no answer");
    check_failure(flood, &too_much, STATUS_EXTERNAL, "made more than 1048576 bytes");
}

TEST(endless_work_ends)
{
    int forever = 1;
    double start = clock_seconds();
    check_failure(spin, &forever, STATUS_EXTERNAL, "took more than 1 s");
    ck_assert_double_lt(clock_seconds() - start, 30.0);
}

/* A sanitizer has memory of its own. */
TEST(memory_is_limited)
{
#if !defined __SANITIZE_ADDRESS__
    size_t some = limits.memory / 2, much = 2 * limits.memory, length;
    FREED char *out;
    ASSERT_OK(isolate, eat, &some, &limits, &out, &length);
    check_failure(eat, &much, STATUS_MEMORY, "hungry");
#endif
}

TEST(no_process_can_be_started)
{
    struct rlimit old, none;
    char name[] = "you", *out;
    size_t length;
    struct error error = {STATUS_OK, ""};
    int is_root = geteuid() == 0;
    ck_assert_int_eq(getrlimit(RLIMIT_NPROC, &old), 0);
    none = (struct rlimit){0, old.rlim_max};
    ck_assert(!is_root || setresuid(65534, 65534, 0) == 0); /* root may start as many as it likes */
    ck_assert_int_eq(setrlimit(RLIMIT_NPROC, &none), 0);
    enum status status = isolate(greet, name, &limits, &out, &length, &error);
    ck_assert_int_eq(setrlimit(RLIMIT_NPROC, &old), 0);
    ck_assert(!is_root || setresuid(0, 0, 0) == 0);
    ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 1), 0); /* for the leak check at the end */
    ck_assert_int_eq(status, STATUS_MEMORY);
    ASSERT_SAYS(error.text, "cannot start a process: ");
}

static void ignore(int signal)
{
    (void)signal;
}

/* Signals that the caller blocks or handles, other children of its, and threads do not matter to it. */
TEST(the_caller_is_left_alone)
{
    char name[] = "you", *out;
    size_t length;
    sigset_t blocked, now;
    int signal_number = SIGSEGV, forever = 1, state, sum = 0;
    pid_t other = fork();
    if (other == 0)
        _exit(7);
    (void)sigemptyset(&blocked);
    (void)sigaddset(&blocked, SIGCHLD);
    (void)sigaddset(&blocked, SIGALRM);
    (void)sigaddset(&blocked, SIGXCPU);
    ck_assert_int_eq(sigprocmask(SIG_BLOCK, &blocked, NULL), 0);
    ck_assert(signal(SIGSEGV, ignore) != SIG_ERR && signal(SIGXCPU, ignore) != SIG_ERR);
#pragma omp parallel for num_threads(4) reduction(+ : sum)
    for (int i = 0; i < 100; i++)
        sum += i;
    ck_assert_int_eq(sum, 4950);
    ASSERT_OK(isolate, greet, name, &limits, &out, &length);
    free(out);
    check_failure(crash, &signal_number, STATUS_EXTERNAL, "died of signal 11");
    check_failure(spin, &forever, STATUS_EXTERNAL, "took more than 1 s");
    ck_assert_int_eq(sigprocmask(SIG_BLOCK, NULL, &now), 0);
    ck_assert(sigismember(&now, SIGCHLD) && sigismember(&now, SIGALRM));
    ck_assert_ptr_eq((void *)(uintptr_t)signal(SIGSEGV, SIG_DFL), (void *)(uintptr_t)ignore);
    ck_assert_int_eq(waitpid(other, &state, 0), other);
    ck_assert_int_eq(WEXITSTATUS(state), 7);
}

TEST(names)
{
    static const char *const good[] = {"a", "0", "a.b-c_d", "Z9"};
    static const char *const bad[] = {"", ".", "-a", "_a", "a/b", "a b", "a\n", "\xc3\xa9", "a'", "a\\"};
    for (size_t i = 0; i < COUNT(good); i++)
        ck_assert_msg(text_is_name(good[i]), "%s", good[i]);
    for (size_t i = 0; i < COUNT(bad); i++)
        ck_assert_msg(!text_is_name(bad[i]), "%s", bad[i]);
}

static const struct {
    const char *text;
    size_t length;
    uint32_t code;
} characters[] = {
    {"a", 1, 'a'},
    {"\x7f", 1, 0x7f},
    {"\xc2\x80", 2, 0x80},
    {"\xdf\xbf", 2, 0x7ff},
    {"\xe0\xa0\x80", 3, 0x800},
    {"\xef\xbf\xbf", 3, 0xffff},
    {"\xf0\x90\x80\x80z", 4, 0x10000},
    {"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
    {"", 0, 0},
    {"\x80", 0, 0},
    {"\xc1\xbf", 0, 0},         /* 0x7f in two bytes */
    {"\xe0\x9f\xbf", 0, 0},     /* 0x7ff in three */
    {"\xf0\x8f\xbf\xbf", 0, 0}, /* 0xffff in four */
    {"\xed\xa0\x80", 0, 0},     /* a surrogate */
    {"\xf4\x90\x80\x80", 0, 0},
    {"\xff", 0, 0},
    {"\xc3", 0, 0}, /* cut off */
    {"\xe2\x82", 0, 0},
    {"\xe2\x82z", 0, 0},
};

TEST(characters_one_by_one, .count = COUNT(characters))
{
    uint32_t code = 0;
    ck_assert_uint_eq(text_character(characters[_i].text, &code), characters[_i].length);
    ck_assert_uint_eq(code, characters[_i].code);
}

TEST(controls)
{
    static const uint32_t control[] = {0,      9,      10,     0x1b,   0x7f,   0x85,  0x9b,
                                       0x2028, 0x202a, 0x202e, 0x2066, 0x2069, 0xffff};
    static const uint32_t plain[] = {' ',    'a',    '~',    0xa0,   0xe9,    0x5d0,
                                     0x200e, 0x200f, 0x2027, 0x202f, 0x1f600, 0x10ffff};
    for (size_t i = 0; i < COUNT(control); i++)
        ck_assert_msg(text_is_control(control[i]), "%x", control[i]);
    for (size_t i = 0; i < COUNT(plain); i++)
        ck_assert_msg(!text_is_control(plain[i]), "%x", plain[i]);
}

static void check_put(void (*put)(FILE *file, const char *text), const char *text, const char *expected)
{
    FREED char *written = NULL;
    size_t length = 0;
    FILE *file = open_memstream(&written, &length);
    ck_assert_ptr_nonnull(file);
    put(file, text);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_str_eq(written, expected);
}

TEST(escapes)
{
    char text[] = "a\x1b[31m\nb\xff\xc3\xa9\xc2\x9b\xe2\x80\xae.", same[] = "caf\xc3\xa9\n\xc2\x9b";
    text_tame(text, "");
    ck_assert_str_eq(text, "a?[31m?b?\xc3\xa9?????.");
    text_tame(same, "\n");
    ck_assert_str_eq(same, "caf\xc3\xa9\n??");
    check_put(text_put_html, "<a href=\"x\">'&amp;\n\t\xc3\xa9",
              "&lt;a href=&quot;x&quot;&gt;&#39;&amp;amp;\n\t\xc3\xa9");
    check_put(text_put_html, "\xff|\x1b|\x7f|\xc3|\xe2\x80\xae|",
              "\xef\xbf\xbd|\xef\xbf\xbd|\xef\xbf\xbd|\xef\xbf\xbd|\xef\xbf\xbd|");
    check_put(text_put_markdown, "\\`*_[]<>&~|#$", "\\\\\\`\\*\\_\\[\\]\\<\\>\\&\\~\\|\\#\\$");
    check_put(text_put_markdown, "T(d, eps) = 1.5 \xc3\xa9!\n", "T(d, eps) = 1.5 \xc3\xa9!\xef\xbf\xbd");
}
