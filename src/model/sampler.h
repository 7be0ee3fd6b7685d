/* Samplers in increment form (theory (5)),
 *     Y_{t-1} = (Y_t + D_t(Y_t))/sqrt(alpha_t) + sqrt(v_t) Z_t,
 * with v = 0 where they are deterministic and, in some, noise before the map as well; one const object a sampler,
 * listed in model/samplers.def. D is computed directly, never as a difference of large numbers. Samplers see
 * positions relative to sqrt(alpha_bar) m for a fixed point m of the target space: all of them commute with that
 * shift, and the engines use it to keep digits next to narrow components. */
#ifndef MODEL_SAMPLER_H
#define MODEL_SAMPLER_H

#include <stddef.h>

#include "model/schedule.h"

/* Levels at which a sampler asks for the score in one step: t, t-1 and a few of its own. */
enum { SAMPLER_LEVELS = 5, SAMPLER_OTHER_LEVELS = SAMPLER_LEVELS - 2 };

/* The score that the sampler sees, s_t(x), at n numbers: points on the line, or the coordinates of points in space in
 * an order that only the score knows. Samplers combine them number by number. The level is t, t-1 or one of the
 * sampler's other levels, bit for bit. */
struct score {
    void (*evaluate)(const struct score *score, const struct level *level, size_t n, const double *x, double *out);
    /* Zeroes what belongs to points where the norm of the correction exceeds the radius. NULL: points on the line. */
    void (*clip)(const struct score *score, double radius, size_t n, double *correction);
};

struct sampler {
    const char *name;
    const char *doc;
    const char *formula;
    const char *source;
    size_t score_evaluations; /* a step */
    size_t work_arrays;       /* arrays of n doubles that `increment` needs */
    /* log(v alpha/(1 - alpha)): how the kernel's variance differs from the one that makes it a reversed forward step
     * to first order. Of order h, and exact as such, where all noise comes after the map. NULL: no noise, a
     * deterministic map. */
    double (*log_noise_ratio)(const struct step *step);
    /* log(u/(1 - alpha)) where Y_t gets noise of variance u before the map, which then sees the noisy point; NULL:
     * none. */
    double (*log_noise_before)(const struct step *step);
    /* D_t(x) -> out, n numbers each as the score has them; out does not overlap x or work. */
    void (*increment)(const struct step *step, const struct score *score, size_t n, const double *x, double *out,
                      double *work);
    /* The correction that a clip zeroes where its norm exceeds step->clip (theory (10)), unclipped: out[i], arguments
     * as above. NULL: the sampler has no clip. */
    void (*correction)(const struct step *step, const struct score *score, size_t n, const double *x, double *out,
                       double *work);
    /* The levels besides t and t-1 at which `increment` asks for the score: fills out[0 .. the return value), at most
     * SAMPLER_OTHER_LEVELS, all different. NULL: there are none. */
    size_t (*other_levels)(const struct step *step, struct level *out);
    /* TV is claimed to fall at least like this power of h (of 1/T, up to logarithms), exact scores: T ~
     * eps^(-1/claimed_order). 0: no claim. */
    double claimed_order;
    const char *claim_source;
};

/* All levels at which the sampler may ask for the score in a step: t, t-1 and then the others. Returns how many. */
size_t sampler_levels(const struct sampler *sampler, const struct step *step, struct level out[SAMPLER_LEVELS]);

/* C sqrt(d log(dT)) of theory (10) with C = 2. */
double sampler_clip(size_t dimension, size_t T);

const struct sampler *sampler_find(const char *name); /* NULL if unknown */
const struct sampler *sampler_at(size_t index);       /* NULL past the end */

#endif
