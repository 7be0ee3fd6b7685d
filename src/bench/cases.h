/* What is timed: laws and chains, each with the bare loop that it cannot do without. */
#ifndef BENCH_CASES_H
#define BENCH_CASES_H

#include "bench/timing.h"
#include "law/divergence.h"
#include "law/law.h"

extern const struct factor bimodal, skewed, comb, ring_of_eight, three_in_the_plane,
    two_scales; /* the last: of radii, in 4096 dimensions */

struct law_case {
    const struct factor *factor;
    const char *sampler;
    size_t T;
};

/* A law, its time on `threads`, and that of as many vector exponentials as it takes elementary functions (nodes,
 * where those are not counted). */
struct law_run {
    struct law law;
    struct timing time;
    size_t functions;
};
struct law_run law_run(const struct law_case *law, int rounds, size_t threads);
void law_run_free(struct law_run *run);

/* TV of many copies of a law; a `timed`. */
struct sum {
    struct law_group group;
    struct measured tv;
};
void compose(void *sum);

/* Chains of ddpm for the bimodal product. */
struct chain_case {
    size_t dimension, steps, chains;
    int threads;
};
struct chain_run {
    double seconds; /* processor time */
    double ratio;   /* to that of a normal number and two exponentials a coordinate and step, in batches */
    double wall;
};
struct chain_run chain_run(const struct chain_case *chains, int rounds);

#endif
