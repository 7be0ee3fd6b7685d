/* Samplers in increment form (theory (5)),
 *     Y_{t-1} = (Y_t + D_t(Y_t))/sqrt(alpha_t) + sqrt(v_t) Z_t,
 * with v = 0 where they are deterministic and, in some, noise before the map as well; one const object a sampler,
 * listed in model/samplers.def, which is also the sampler with the standard values of its parameters. D is computed
 * directly, never as a difference of large numbers. A regular sampler may see positions relative to sqrt(alpha_bar) m
 * for a fixed point m of the target space, which keeps digits next to narrow components. */
#ifndef MODEL_SAMPLER_H
#define MODEL_SAMPLER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "model/params.h"
#include "model/schedule.h"

/* Levels at which a sampler asks for the score in one step: t, t-1 and a few of its own. */
enum { SAMPLER_LEVELS = 5, SAMPLER_OTHER_LEVELS = SAMPLER_LEVELS - 2, SAMPLER_DRAWS = 8 };

/* The score that the sampler sees, s_t(x), at n numbers: points on the line, or the coordinates of points in space in
 * an order that only the score knows. Samplers combine them number by number and ask for all n at once. The level is
 * t, t-1 or one of the sampler's other levels, bit for bit; at any other the score is NaN, and what is measured fails
 * with a reason. */
struct score {
    void (*evaluate)(const struct score *score, const struct level *level, size_t n, const double *x, double *out);
    /* Zeroes what belongs to points where the norm of the correction exceeds the radius. NULL: points on the line. */
    void (*clip)(const struct score *score, double radius, size_t n, double *correction);
};

/* The increment of a sampler, or its correction. */
typedef void sampler_map(const struct step *step, const struct score *score, size_t n, const double *x, double *out,
                         double *work);

struct sampler {
    const char *name;
    const char *doc;
    const char *formula;
    const char *source;
    size_t score_evaluations; /* a step */
    /* Nonzero if D is, number by number, a linear combination of x and of scores at such combinations, with
     * coefficients that change with t by O(h), and commutes with the shift of X_0 by any m, which moves x by
     * sqrt(alpha_bar) m; but for the clip. So it is affine in x where scores are, and commutes with rotations.
     * Built-in samplers declare it, and a test evaluates them; of a plug-in, where it is 0, law/conditions.h
     * evaluates what an engine would rely on. */
    int regular;
    size_t work_arrays; /* arrays of n doubles that `increment` needs */
    /* Arrays of n doubles that the sampler keeps from step to step, such as earlier evaluations: step->memory, which
     * `increment` finds at the same points' numbers as it left them in the step before, and as zeros at t = T. D is a
     * function of x and of them, and regular if they shift with X_0 or stay. 0: Y is a Markov chain. */
    size_t memory;
    /* In each step a number is drawn from a Gauss-Legendre rule of so many nodes on (0, 1), with its weights as
     * probabilities, the same for all coordinates: step->draw, on which D and the other levels may depend, the noise
     * not. The kernel is a mixture of kernels (5). At most SAMPLER_DRAWS, of regular samplers without clip; 0: none.
     */
    size_t draws;
    /* log(v alpha/(1 - alpha)): how the kernel's variance differs from the one that makes it a reversed forward step
     * to first order. Of order h, and exact as such, where all noise comes after the map. -infinity: no noise in this
     * step. NULL: no noise in any, a deterministic map. */
    double (*log_noise_ratio)(const struct step *step);
    /* log(u/(1 - alpha)) where Y_t gets noise of variance u before the map, which then sees the noisy point;
     * -infinity: none in this step; NULL: none. */
    double (*log_noise_before)(const struct step *step);
    /* D_t(x) -> out, n numbers each as the score has them; out does not overlap x or work. */
    void (*increment)(const struct step *step, const struct score *score, size_t n, const double *x, double *out,
                      double *work);
    /* The correction that a clip zeroes where its norm exceeds step->clip, theory (10) with C = 2, unclipped: out[i],
     * arguments as above; with another C, 2/C times it. NULL: the sampler has no clip. */
    void (*correction)(const struct step *step, const struct score *score, size_t n, const double *x, double *out,
                       double *work);
    /* The levels besides t and t-1 at which `increment` asks for the score: fills out[0 .. the return value), at most
     * SAMPLER_OTHER_LEVELS, all different. NULL: there are none. */
    size_t (*other_levels)(const struct step *step, struct level *out);
    /* TV is claimed to fall at least like this power of h (of 1/T, up to logarithms), exact scores: T ~
     * eps^(-1/claimed_order). 0: no claim. */
    double claimed_order;
    const char *claim_source;
    const struct param *params; /* ends with key == NULL; NULL: none */
    size_t params_size;         /* of the struct that they describe, at most PARAMS_SIZE */
    const void *values;         /* that struct, with the standard values; functions find it in step->params */
    /* Corrects the facts above where other values of the params change them. NULL: they do not. */
    void (*adapt)(struct sampler *instance);
    /* Whether the step exists with these values; STATUS_INADMISSIBLE if not, with what would be admissible. NULL:
     * every step does. */
    enum status (*admits)(const struct sampler *sampler, const struct step *step, struct error *error);
    const struct sampler *kind; /* of an instance: whose functions it has; else NULL */
    const char *written;        /* of an instance of a plug-in's sampler: its parameters as their author wrote them */
};

/* A sampler with values of its own. */
struct sampler_instance {
    struct sampler sampler;
    union params values;
    char name[64];
    char *written;
};

/* An instance of a sampler, called `name`; takes `written`, for free(), which may be NULL. NULL where memory runs
 * out; free with sampler_instance_free. */
struct sampler_instance *sampler_instance_new(const struct sampler *kind, const union params *values,
                                              const char *name, char *written);
void sampler_instance_free(struct sampler_instance *instance);

/* The listed sampler that a sampler is or is an instance of. */
const struct sampler *sampler_kind(const struct sampler *sampler);

/* Writes name and params to 17 digits: equal texts mean equal samplers. That of a listed sampler is its name. */
void sampler_describe(const struct sampler *sampler, FILE *file);

/* Step t in 2..T of a schedule, as the sampler (NULL: none) sees it; clip off. */
struct step sampler_step(const struct sampler *sampler, const struct schedule *schedule, size_t t);

/* What a step may draw, at most SAMPLER_DRAWS numbers and their probabilities; 1/2 where the sampler draws none.
 * Returns how many. */
size_t sampler_draws(const struct sampler *sampler, double *draw, double *weight);

/* STATUS_INADMISSIBLE if the sampler's parameters do not admit a step of the schedule; the text names the smallest
 * admissible T, as smaller steps admit more. */
MUST_USE enum status sampler_check(const struct sampler *sampler, const struct schedule *schedule,
                                   struct error *error);

/* All levels at which the sampler may ask for the score in a step: t, t-1 and then the others, of which those beyond
 * SAMPLER_OTHER_LEVELS do not count. Returns how many. */
size_t sampler_levels(const struct sampler *sampler, const struct step *step, struct level out[SAMPLER_LEVELS]);

/* Variances of a step's noise after the map, v alpha, and before it; 0 where there is none. */
double sampler_noise_after(const struct sampler *sampler, const struct step *step);
double sampler_noise_before(const struct sampler *sampler, const struct step *step);

/* The first level outside of sampler_levels at which a score was asked for. */
struct undeclared {
    bool asked;
    struct level level;
};
/* Says so for all threads, once (NULL: to nobody); out becomes NaN. */
void undeclared_note(struct undeclared *undeclared, const struct level *level, size_t n, double *out);
/* STATUS_OK if there was none in a step; else STATUS_UNSUPPORTED with the level. */
MUST_USE enum status undeclared_check(const struct undeclared *undeclared, const struct sampler *sampler, size_t t,
                                      struct error *error);

/* C sqrt(d log(dT)) of theory (10) with C = 2. */
double sampler_clip(size_t dimension, size_t T);

const struct sampler *sampler_find(const char *name); /* NULL if unknown */
const struct sampler *sampler_at(size_t index);       /* NULL past the end */

#endif
