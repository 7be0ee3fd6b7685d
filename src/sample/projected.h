/* The exact law of <u, X>: X from the factors of a target at a noise level, u a direction. In each factor the
 * projection is a Gaussian mixture on the line with means <u_part, sqrt(A) m_k> and variances u'(A S_k + O I)u
 * (theory §3), and the whole is their convolution. Three routes, the first that is good
 * (densities have none of their mixtures, but a direction along one of them alone its own distribution function):
 * - the mixture itself, where few components remain after equal ones are merged;
 * - a cosine series of the density, by characteristic functions, where a bound on these ends it soon enough;
 * - the mixture of many components, narrow ones, of which a value sums only the near ones.
 * Narrow components in so many coordinates that none of this works are taken by the series, where the characteristic
 * function has visibly died out: its later return is excluded only for directions without arithmetic relations, such
 * as random ones. For atoms with two values and a random direction that is from about 30 coordinates on; the sum goes
 * up to 16. */
#ifndef SAMPLE_PROJECTED_H
#define SAMPLE_PROJECTED_H

#include <stddef.h>

#include "core/status.h"
#include "model/schedule.h"
#include "model/target.h"

struct projected {
    double mean, sd;     /* of the law */
    double lower, upper; /* all but 1e-14 of it */
    double accuracy;     /* of projected_cdf: 1e-11, or up to 1e-5 where a series has visibly died out */
    /* Positions below are relative to the mean. The mixture, by ascending means; components = 0: a series. */
    size_t components;
    double *weight, *centre, *width;
    double *below; /* weight of the components before each, components + 1 entries */
    double widest;
    const struct density *density; /* of one coordinate alone, share X_0 + sd Z; NULL: not that */
    double share, noise_sd, origin;
    size_t terms; /* the series' coefficients for the distribution function, terms of them */
    double *coefficient;
};

/* The number of coordinates of all copies. Errors: STATUS_UNSUPPORTED where copies are not literal (a multiplicity
 * that is no integer). */
MUST_USE enum status projected_dimension(const struct factor_list *list, size_t *out, struct error *error);

/* u: as many numbers as the list has coordinates, in its order: group after group, copy after copy, coordinate after
 * coordinate; of length 1 (other lengths > 0 do as well). Free with projected_free, also after an error.
 * Errors: STATUS_INVALID (u is 0 or not finite), STATUS_UNSUPPORTED (no route is accurate), STATUS_MEMORY. */
MUST_USE enum status projected_new(const struct factor_list *list, const double *u, const struct level *level,
                                   struct projected *out, struct error *error);
void projected_free(struct projected *law);

/* P(<u, X> <= x), in [0, 1], to law->accuracy. */
double projected_cdf(const struct projected *law, double x);

/* A point where projected_cdf reaches the probability, which is in (0, 1), as closely as neighbouring doubles allow
 * or within 1e-13. */
double projected_quantile(const struct projected *law, double probability);

#endif
