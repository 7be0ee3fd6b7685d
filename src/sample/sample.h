/* A target in one dimension measured by running the sampler (theory §7): chains and forward paths, and what each
 * method makes of them. Every number is an estimate, a lower or an upper bound (estimators.def) with its standard
 * error. */
#ifndef SAMPLE_SAMPLE_H
#define SAMPLE_SAMPLE_H

#include <stddef.h>

#include "core/status.h"
#include "sample/chains.h"
#include "sample/estimate.h"

enum sample_role { ROLE_ESTIMATE, ROLE_LOWER, ROLE_UPPER };

/* NaN where a method says nothing: not asked for, not defined (neighbours in more than ten dimensions, weights of
 * deterministic samplers), or refused (weights of too few effective paths). */
struct estimates {
#define ESTIMATOR(member, quantity, role, method, since, doc) struct estimate member;
#include "sample/estimators.def"
#undef ESTIMATOR
    struct estimate codewords_mass; /* Q, of codebooks: theory (26') */
    struct estimate memorised;      /* the share of chains within memorised_distance of a data point */
    double memorised_distance;
    struct estimate mass[MOST_MASSES], mass_error[MOST_MASSES]; /* of components: struct masses */
    double effective;                                           /* effective number of paths over their number */
};

struct sample;

struct sample_method {
    const char *name;
    const char *doc;
    const char *formula;
    const char *source;
    enum status (*measure)(struct sample *sample, struct estimates *out, struct error *error);
};

const struct sample_method *sample_method_at(size_t index); /* NULL past the end */

/* Args: chains of them, and as many pairs of paths; directions at random, besides axes and those between modes;
 * methods, bit i for sample_method_at(i).
 * Errors: STATUS_UNSUPPORTED (chain_target_new, projected_new), STATUS_INVALID (too few chains), STATUS_NUMERIC,
 * STATUS_MEMORY. */
MUST_USE enum status sample_measure(const struct chain_problem *problem, size_t chains, size_t directions,
                                    unsigned methods, struct estimates *out, struct error *error);

#endif
