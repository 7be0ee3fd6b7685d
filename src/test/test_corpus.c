/* Replays what the fuzzers start from, and what they found: see fuzz/fuzz.h. From the project's root. */
#include <glob.h>

#include "test/fuzz/fuzz.h"
#include "test/suite.h"

TEST_SUITE(corpus);

enum { LARGEST = 1 << 16 };

/* The index-th file, in the order of `ls`; returns how many there are. */
static size_t replay(const char *pattern, size_t index, void (*run)(const uint8_t *data, size_t size))
{
    glob_t files;
    static uint8_t data[LARGEST];
    ck_assert_int_eq(glob(pattern, 0, NULL, &files), 0);
    size_t count = files.gl_pathc;
    if (index < count) {
        FILE *file = fopen(files.gl_pathv[index], "rb");
        ck_assert_ptr_nonnull(file);
        size_t size = fread(data, 1, sizeof data, file);
        ck_assert_msg(size < sizeof data, "%s is too large", files.gl_pathv[index]);
        (void)fclose(file);
        mark_point();
        run(data, size);
    }
    globfree(&files);
    return count;
}

#define SPECS "src/test/corpus/spec/*"
#define RESULTS "src/test/corpus/result/*"

static int count_of(const char *pattern)
{
    glob_t files;
    int count = glob(pattern, 0, NULL, &files) == 0 ? (int)files.gl_pathc : 0;
    globfree(&files);
    return count > 0 ? count : 1; /* where there is none, the test fails */
}

TEST(specs, .count = count_of(SPECS))
{
    ck_assert_uint_gt(replay(SPECS, (size_t)_i, fuzz_spec), (size_t)_i);
}

TEST(results, .count = count_of(RESULTS))
{
    ck_assert_uint_gt(replay(RESULTS, (size_t)_i, fuzz_result), (size_t)_i);
}
