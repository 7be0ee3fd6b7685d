/* Controlled score errors (theory (13)): the sampler sees s_t = s*_t + e_t with the average over t = 2..T of
 * E|e_t(X_t)|^2 equal to eps_score^2, by normalisation in closed form or by quadrature, not from a run. An error is a
 * shape, one const object each (model/error_shapes.def), spread over coordinates with a profile over time
 * (model/error_profiles.def). */
#ifndef MODEL_SCORE_ERROR_H
#define MODEL_SCORE_ERROR_H

#include <stddef.h>
#include <stdio.h>

#include "core/status.h"
#include "model/mixture_level.h"
#include "model/error_argument.h"
#include "model/schedule.h"
#include "model/target.h"

struct score_error;
struct error_level;

/* g(x) in one coordinate with E_{p_t} g^2 = 1. A wave is odd (theory's phi is 0):
 * e = eps sqrt(2) sin(omega x/l_t)/norm. */
struct error_shape {
    const char *name;
    const char *doc;
    const char *formula;
    const char *source;
    const struct param
        *params;        /* ends with key == NULL; NULL: none. Reals and integers, in double or size_t members */
    size_t params_size; /* of the struct that they describe, at most PARAMS_SIZE */
    int periodic;       /* in x, with the wave number error_level.scale: panels are no longer than its waves */
    int affine;         /* in x: Gaussian factors keep their closed form */
    int constant;       /* does not depend on x: along the diagonal it is the same in each coordinate */
    int proportional;   /* to x: in all coordinates it is along x, and a radial law stays radial */
    /* Fills what evaluate needs at the present level of what the error sees, all but the amplitude. */
    void (*prepare)(const struct score_error *error, const struct error_argument *argument, struct error_level *out);
    /* g at x[i] (absolute positions) into out[i], i < n; out may be x. */
    void (*evaluate)(const struct error_level *at, size_t n, const double *x, double *out);
};

struct error_profile {
    const char *name;
    const char *doc;
    const char *formula;
    /* Relative size at level t in 1..T, any scale: the program normalises. */
    double (*weight)(const struct schedule *schedule, size_t t);
};

enum error_spread {
    SPREAD_ALL,      /* each coordinate its own error g(x_i), of size eps_score/sqrt(d) */
    SPREAD_ONE,      /* the first coordinate, all of it */
    SPREAD_DIAGONAL, /* g(<u, x>) u with u = (1, ..., 1)/sqrt(d): couples coordinates */
    SPREAD_NORM      /* g(|x|) x/|x|: couples them too; for concentric Gaussians */
};

struct score_error {
    const struct error_shape *shape; /* NULL: exact scores */
    const struct error_profile *profile;
    enum error_spread spread;
    double size;         /* eps_score of the whole vector, as claimed */
    double growth;       /* a control: the error really made is size * T^growth, so that > 0 breaks (13) */
    union params params; /* the shape's, a struct of its own */
};

/* Tables: the object called `name` or NULL; at(i), NULL past the end. The spreads' names and docs end with NULL. */
const struct error_shape *error_shape_find(const char *name);
const struct error_shape *error_shape_at(size_t index);
const struct error_profile *error_profile_find(const char *name);
const struct error_profile *error_profile_at(size_t index);
extern const char *const error_spread_names[], *const error_spread_docs[];

/* "none", or the shape's name. */
const char *score_error_name(const struct score_error *error);

/* Nonzero if every parameter is equal. */
int score_error_equal(const struct score_error *a, const struct score_error *b);

/* Writes every parameter to 17 digits: equal texts mean equal errors. */
void score_error_describe(const struct score_error *error, FILE *file);

/* Gives each factor of a target in dimension `dimension` its share of eps_score^2 (factor_group.error_share), cutting
 * a group in two where one copy differs from the rest. A diagonal error of an isotropic Gaussian is that of one
 * coordinate after a rotation, and the list becomes the rotated target's. Errors: STATUS_UNSUPPORTED where the error
 * couples coordinates otherwise (chains can have it); STATUS_MEMORY. */
MUST_USE enum status score_error_spread(const struct score_error *error, size_t dimension, struct factor_list *list,
                                        struct error *failure);

/* What turns weights into amplitudes: the square root of the average of weight^2 over t = 2..T. > 0. */
double score_error_norm(const struct score_error *error, const struct schedule *schedule);

enum { ERROR_EDGES = 2 };

/* Where the error acts. A sampler may ask for the score at levels between or beside t and t-1 (sampler.other_levels).
 * There the error has the size that its profile gives to the step's level t, with its shape prepared and normalised
 * for the target's law at the level asked: whatever a step t asks, but for t-1, has E|e|^2 of level t, and (13) is
 * kept step by step. */

/* An error at one noise level in one coordinate: e(x) = amplitude g(x). */
struct error_level {
    const struct error_shape *shape; /* NULL: no error */
    double amplitude;
    double scale;  /* wave: the wave number omega/l_t; affine shapes: the slope */
    double height; /* normalisation of g; affine shapes: g(0) */
    size_t edges;  /* g jumps at edge[0..edges), ascending, absolute positions; an edge belongs to what is above it */
    double edge[ERROR_EDGES];
};

/* The error at level t in 1..T of a schedule, in a coordinate (or along a direction) whose share of eps_score^2 is
 * `share`; the mixture is the law of that coordinate at that level. norm is score_error_norm's. Where the amplitude
 * is 0 there is no shape and no edge. */
void score_error_at(const struct score_error *error, double norm, double share, const struct schedule *schedule,
                    size_t t, const struct mixture_level *mixture, struct error_level *out);

/* The same for an error of the norm: e(x) = amplitude g(|x|) x/|x|. */
void score_error_at_norm(const struct score_error *error, double norm, const struct schedule *schedule, size_t t,
                         const struct radial_level *radial, struct error_level *out);

/* Adds e to score[i] at positions x[i] relative to sqrt(A) m_anchor; work holds n doubles. */
void error_level_add(const struct error_level *at, const struct mixture_level *mixture, size_t anchor, size_t n,
                     const double *x, double *score, double *work);

#endif
