/* Targets with analytically known scores (theory §3). A target is a direct sum of factors acting on orthogonal
 * coordinates; each factor is a Gaussian mixture in one or more of them, so that at any noise level its density and
 * score are known. */
#ifndef MODEL_TARGET_H
#define MODEL_TARGET_H

#include <stddef.h>
#include <stdio.h>

#include "core/status.h"

/* Symmetric positive definite matrices of order n, one for all components or one each. */
struct covariances {
    size_t count;  /* 1 or the number of components */
    double *entry; /* count matrices of n x n */
};

/* sum_k weight[k] N(mean[k], sd[k]^2 I_n), or with full covariances, in n = `dimension` coordinates that do not
 * separate (n = 1: a mixture on the line). Everything is borrowed. */
struct factor {
    size_t dimension, components;
    const double *weight;           /* K = components of them */
    const double *mean;             /* K points of n coordinates each; NULL: all at 0 (n > 1 only) */
    const double *sd;               /* K of them, >= 0; NULL where there are full covariances */
    const struct covariances *full; /* NULL: none */
};

/* `multiplicity` copies of a factor. A real number, because the smooth part of a long spectrum is represented by
 * quadrature nodes over its index (target_gaussian.c); it is an integer wherever copies are literal. */
struct factor_group {
    struct factor factor;
    double multiplicity;
    double error_share; /* of eps_score^2, in each copy; 0 unless score_error_spread sets it */
};

/* The factors of a target in a given dimension; owns copies of everything its factors point to. Start from {0}. */
struct factor_list {
    size_t count;
    struct factor_group *group;
};
MUST_USE enum status factor_list_append(struct factor_list *list, const struct factor *factor, double multiplicity,
                                        struct error *error);
/* Cuts group `index`, of more than one copy, into one copy and, right after it, the rest. */
MUST_USE enum status factor_list_split(struct factor_list *list, size_t index, struct error *error);
/* Moves group `index`, of one component, to another mean. */
void factor_list_set_mean(struct factor_list *list, size_t index, double mean);
void factor_list_free(struct factor_list *list);

struct target;

enum { STUDENT_LEAST_COMPONENTS = 4, STUDENT_MOST_COMPONENTS = 200, RANDOM_MOST_COMPONENTS = 10000 };

/* Covariances of random mixtures: their names end with NULL. */
enum covariance_kind { COVARIANCE_ISOTROPIC, COVARIANCE_SHARED, COVARIANCE_EACH };
extern const char *const covariance_names[];

/* How a spec key of a family is read and checked. */
enum param_kind {
    PARAM_REAL,             /* finite double at offset */
    PARAM_POSITIVE,         /* finite double > 0 at offset */
    PARAM_REAL_LIST,        /* non-empty list: double * at offset, its length at count_offset */
    PARAM_NONNEGATIVE_LIST, /* the same, every entry >= 0 */
    PARAM_WEIGHTS,          /* the same, every entry > 0, summing to 1 within 1e-9 */
    PARAM_POINTS,           /* non-empty list of points, each a list of equally many finite doubles: double * at
                               offset, point after point; their number at count_offset, and target.width
                               coordinates each */
    PARAM_MATRICES,         /* one symmetric matrix of order target.width or one for each of count_offset: double * at
                               offset, their number in target.matrix_count */
    PARAM_ABOVE_TWO,        /* finite double > 2 at offset */
    PARAM_AT_LEAST_ONE,     /* finite double >= 1 at offset */
    PARAM_RANDOM_COMPONENTS,  /* size_t in 1..RANDOM_MOST_COMPONENTS at offset */
    PARAM_SEED,               /* size_t >= 0 at offset */
    PARAM_COVARIANCE,         /* one of covariance_names: enum covariance_kind at offset */
    PARAM_STUDENT_COMPONENTS, /* size_t in STUDENT_LEAST_COMPONENTS..STUDENT_MOST_COMPONENTS at offset */
    PARAM_SPECTRUM, /* {kind: flat} | {kind: power, exponent: p > 0} | {kind: k-of-d, k: integer >= 1} at offset */
    PARAM_PARTS     /* non-empty list of targets without a name, each with `copies: integer >= 1 | rest`, exactly
                       one `rest`: struct target_part * at offset, its length at count_offset */
};

struct param {
    const char *key;
    enum param_kind kind;
    int required;
    size_t offset;       /* into struct target */
    size_t count_offset; /* into struct target; lists of one target that share it must have equal lengths */
    const char *doc;
};

struct target_family {
    const char *name;
    const char *doc;
    const char *formula;
    const char *source;
    const struct param *params; /* ends with key == NULL */
    size_t width;               /* coordinates that each of PARAM_POINTS must have; 0: any number */
    /* Whether the target exists in dimension d >= 1, found without making its factors; STATUS_INVALID if it does not.
     * NULL: in every dimension. */
    enum status (*exists)(const struct target *target, size_t dimension, struct error *error);
    /* Appends the factors in a dimension where it does. */
    enum status (*factors)(const struct target *target, size_t dimension, struct factor_list *list,
                           struct error *error);
    /* The same with every copy literal; NULL where `factors` gives that. */
    enum status (*coordinates)(const struct target *target, size_t dimension, struct factor_list *list,
                               struct error *error);
    /* The total variation distance, in one coordinate, between what `factors` gives and the law that it stands for;
     * at most a few percent too large; NULL where the two are equal. Domain: a target that has factors. */
    double (*approximation)(const struct target *target);
};

enum spectrum_kind { SPECTRUM_FLAT, SPECTRUM_POWER, SPECTRUM_K_OF_D };
struct spectrum {
    enum spectrum_kind kind;
    double exponent; /* SPECTRUM_POWER: lambda_i = variance * i^-exponent */
    size_t k;        /* SPECTRUM_K_OF_D: k variances, d - k zeros */
};

struct target_part;

/* A target of some family. Fields that the family's params do not name keep the defaults of target_init. */
struct target {
    const struct target_family *family;
    char name[64];
    double mean, variance;
    struct spectrum spectrum;
    double *weights, *means, *sds;
    size_t components;
    double *points; /* of PARAM_POINTS, `width` coordinates each */
    size_t width;
    double *matrices; /* of PARAM_MATRICES */
    size_t matrix_count;
    double spread, sd, condition; /* of random mixtures */
    enum covariance_kind covariance;
    size_t seed;
    double nu, scale; /* of student-t */
    size_t nodes;     /* its components: `components` counts lists */
    struct target_part *parts;
    size_t part_count;
    char *written; /* of a family that is not built in: which one, and the parameters as their author wrote them */
};

struct target_part {
    struct target target;
    size_t copies; /* 0 means: as many as the dimension leaves */
};

const struct target_family *target_family_find(const char *name); /* NULL if unknown */
const struct target_family *target_family_at(size_t index);       /* NULL past the end */

/* Defaults: mean 0, variance 1, flat spectrum, scale 1, 24 nodes, isotropic covariances, condition 10, seed 1, no
 * lists. */
void target_init(struct target *target, const struct target_family *family);
void target_clear(struct target *target); /* frees what the target owns; the struct itself is the caller's */

/* Nonzero if the target can be more than named: its family, and those of its parts, have factors. */
int target_is_loaded(const struct target *target);

/* Writes every parameter to 17 digits, in the order of the family's params: equal texts mean equal targets. */
void target_describe(const struct target *target, FILE *file);

/* The largest of any coordinate's distance to the law that the target stands for; 0 where it is exact. */
double target_approximation(const struct target *target);

/* Whether the target exists in dimension d >= 1, at once. Errors: STATUS_INVALID. */
MUST_USE enum status target_exists(const struct target *target, size_t dimension, struct error *error);

/* The factors in dimension d >= 1 (free with factor_list_free, also after an error). */
MUST_USE enum status target_factors(const struct target *target, size_t dimension, struct factor_list *out,
                                    struct error *error);

/* The same without the quadrature that stands for long spectra: every multiplicity is an integer. */
MUST_USE enum status target_coordinates(const struct target *target, size_t dimension, struct factor_list *out,
                                        struct error *error);

#endif
