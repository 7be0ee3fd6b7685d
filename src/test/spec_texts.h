/* Parts of experiments that tests put together. */
#ifndef TEST_SPEC_TEXTS_H
#define TEST_SPEC_TEXTS_H

#include <string.h>

#include "experiment/spec.h"

#define TARGETS "targets: [{name: g, kind: gaussian, variance: 1}]\n"
#define MIXTURE "targets: [{name: m, kind: mixture, weights: [0.5, 0.5], means: [-1, 1], sds: [1, 1]}]\n"
#define SAMPLERS "samplers: [ddpm]\n"
#define DIMENSIONS "dimensions: [1]\n"
#define STEPS "steps: [64]\n"
#define FIFTY "01234567890123456789012345678901234567890123456789"
#define LONG_NAME FIFTY "0123456789abc"                                                  /* 63 bytes */
#define LONG_TITLE FIFTY FIFTY FIFTY "0123456789012345678901234567890123456789abcdefghi" /* 199 bytes */
#define TAIL SAMPLERS DIMENSIONS STEPS
#define EVEN SAMPLERS "dimensions: [8, 2]\n" STEPS
#define CHAINS "samples: {chains: 1000}\n"
#define RANDOM(rest) "targets: [{name: r, kind: mixture-random, " rest "}]\n"
#define FULL(rest) \
    "targets:\n- name: f\n  kind: mixture-full\n  weights: [0.5, 0.5]\n  means: [[0, 1], [1, 0]]\n  " \
    "covariances: " rest "\n"

static const char *const claims[] = {"eps-ddpm", "eps-accelerated", "low-dimension", NULL};

static inline enum status parse(const char *text, struct spec *spec, struct error *error)
{
    return spec_parse("bad.yaml", text, strlen(text), "", claims, spec, error);
}

#endif
