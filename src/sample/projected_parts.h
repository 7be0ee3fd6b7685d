/* What projected.c convolves: the projections of the copies of a target's factors, equal ones once. */
#ifndef SAMPLE_PROJECTED_PARTS_H
#define SAMPLE_PROJECTED_PARTS_H

#include <stddef.h>

#include "core/status.h"
#include "model/schedule.h"
#include "model/target.h"

struct component {
    double weight, mean, variance;
};

struct components {
    size_t count, capacity;
    struct component *part;
};

/* One copy's projection, relative to its mean: components first..first + count - 1 of `all`; `copies` of it. */
struct projected_part {
    size_t first, count;
    double copies;
    double least_variance;
    const struct density
        *density;         /* of share X_0 - origin, X_0 of the density, with noise; NULL: the components. Where */
    double share, origin; /* there is a density they are its point masses, whose moments it has */
};

struct parts {
    double mean, variance; /* of the whole */
    double gaussian;       /* variance of all parts of one component, together */
    double least_variance; /* of a component of the whole */
    size_t count, capacity;
    struct projected_part *part;
    struct components all;
};

/* Free with parts_free, also after an error. Errors: those of projected_new. */
MUST_USE enum status parts_new(const struct factor_list *list, const double *u, const struct level *level,
                               struct parts *out, struct error *error);
void parts_free(struct parts *parts);

/* E exp(i t X) of the whole, relative to its mean, at t = step (first + j), j < n <= PARTS_BLOCK. */
enum { PARTS_BLOCK = 64 };
void parts_characteristic(const struct parts *parts, double step, size_t first, size_t n, double *real,
                          double *imaginary);

/* A frequency beyond which |E exp(i t X)| <= exp(log_size), log_size < 0. */
double parts_frequency(const struct parts *parts, double log_size);

/* A distance z from the mean with P(side (X - mean) > z) <= exp(log_probability); side = 1 or -1. */
double parts_tail(const struct parts *parts, double side, double log_probability);

/* The components of the whole relative to its mean, by ascending means, equal ones merged; *complete = 0 if there
 * were more than `most` on the way. None are complete of a density. The caller frees out->part, also after an error.
 */
MUST_USE enum status parts_combine(const struct parts *parts, size_t most, struct components *out, int *complete,
                                   struct error *error);

#endif
