/* What reads things that others wrote, for a fuzzer and for the suite that replays its corpus: any bytes will do, and
 * what must hold for all of them is checked, or the process aborts. */
#ifndef TEST_FUZZ_FUZZ_H
#define TEST_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define REQUIRE(condition, ...) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: %s does not hold: ", __FILE__, __LINE__, #condition); \
            fprintf(stderr, __VA_ARGS__); \
            fputc('\n', stderr); \
            abort(); \
        } \
    } while (0)

/* The bytes are the text of an experiment. */
void fuzz_spec(const uint8_t *data, size_t size);

/* The bytes say in what a result file departs from one that the writer makes (result.c). */
void fuzz_result(const uint8_t *data, size_t size);

#endif
