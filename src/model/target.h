/* Targets with analytically known scores (theory §3). A target is a direct sum of factors acting on orthogonal
 * coordinates; each factor is a Gaussian mixture in one or more of them, or a density in one, so that at any noise
 * level its density and score are known. */
#ifndef MODEL_TARGET_H
#define MODEL_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "core/status.h"
#include "model/density.h"
#include "model/form.h"
#include "model/params.h"

enum { MOST_MASSES = 16 }; /* components of a target at most, where the masses of each are measured */

/* What the components are where they are no isotropic Gaussians: symmetric positive definite matrices of order n, one
 * for all components or one each; or, with count 0, tilts of products of atoms (factor_tilts). */
struct covariances {
    size_t count;  /* 1 or the number of components; 0: no matrices */
    double *entry; /* count matrices of n x n; K tilts */
};

/* sum_k weight[k] N(mean[k], sd[k]^2 I_n), or with full covariances, in n = `dimension` coordinates that do not
 * separate (n = 1: a mixture on the line). With a density, which is on the line, the components are no parts of it:
 * each says that it varies on the scale `sd` around `mean`, where 0 is a kink or a jump, and together they cover it
 * (within 9.5 of these scales). Everything is borrowed. */
struct factor {
    size_t dimension, components;
    const double *weight;           /* K = components of them; 0 where one is below the numbers' range */
    const double *mean;             /* K points of n coordinates each; NULL: all at 0 (n > 1 only) */
    const double *sd;               /* K of them, >= 0; NULL where there are full covariances */
    const struct covariances *full; /* NULL: none */
    const double *log_weight;       /* K of them, finite; NULL: those of `weight` */
    const struct density *density;  /* NULL: the mixture itself */
};

/* Of several components, which are parts of it that have masses of their own. */
static inline bool factor_is_mixture(const struct factor *factor)
{
    return factor->components > 1 && factor->density == NULL;
}

double factor_log_weight(const struct factor *factor, size_t k);

/* Of components that are products of n atoms: every coordinate of component k is 1 with probability
 * e^t/(e^t + e^-t), t = tilt[k], and else -1. No law engine has them, and they have neither `mean` nor `sd`. NULL:
 * the components are Gaussians. */
static inline const double *factor_tilts(const struct factor *factor)
{
    return factor->full != NULL && factor->full->count == 0 ? factor->full->entry : NULL;
}

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

/* What stands for the law of a target with exponentially many components alike (theory (25)): one of them alone, of
 * weight w/M, and component 0, in which all others are dissolved: annealed, in the words of statistical physics. */
struct planted_target {
    double weight;              /* w, of all M together: components 1 to M of the target's only factor */
    double rate;                /* R, log(M)/d */
    struct factor_list law;     /* a factor of two components: component 0 with all of the others' weight, */
    struct factor_list bracket; /* and the other extreme, with none of it */
};

/* What the literal factors of a target in some dimension hold, as real numbers because specs may ask for too much. */
struct target_content {
    double groups, components; /* of all groups */
    double marginals;          /* components of the law of each coordinate that score errors can single out */
    double numbers;            /* of means and covariances */
    double made;               /* of these, and of eigenvalues, those that are not parameters */
};

struct target_family {
    const char *name;
    const char *doc;
    const char *formula;
    const char *source;
    const struct param *params; /* ends with key == NULL */
    size_t params_size;         /* of the struct that they describe, at most PARAMS_SIZE */
    bool is_data;               /* the means of its only factor are data points */
    double lipschitz_power;     /* what target_lipschitz_power is where factors do not tell it; 0: it is not known */
    /* Whether the target exists in dimension d >= 1, found without making its factors; STATUS_INVALID if it does not.
     * NULL: in every dimension. */
    enum status (*exists)(const struct target *target, size_t dimension, struct error *error);
    /* Appends the factors in a dimension where it does. */
    enum status (*factors)(const struct target *target, size_t dimension, struct factor_list *list,
                           struct error *error);
    /* The same with every copy literal; NULL where `factors` gives that. */
    enum status (*coordinates)(const struct target *target, size_t dimension, struct factor_list *list,
                               struct error *error);
    /* What engines compute in the place of the target's law, into lists that are {0}; NULL: they compute that law. */
    enum status (*planted)(const struct target *target, size_t dimension, struct planted_target *out,
                           struct error *error);
    /* The total variation distance, in one coordinate or pair of them, between what `factors` gives and the law that
     * it stands for; at most a few percent too large, above 0.4 up to 15 % off; NULL where the two are equal. Domain:
     * a target that has factors. */
    double (*approximation)(const struct target *target);
    /* What the literal factors in dimension d >= 1, which need not exist, would hold. NULL: one component. */
    struct target_content (*content)(const struct target *target, double dimension);
    /* A factor that no exact engine has a law of and that may take minutes to make, or whose law would take hours
     * (.full is NULL), without its numbers: *out is {.dimension, .components, .full}. Returns 0 where there is none.
     * NULL: in no dimension. */
    int (*costly)(const struct target *target, size_t dimension, struct factor *out);
};

/* A target of some family, whose struct is at `params`. */
struct target {
    const struct target_family *family;
    char name[64];
    char *written; /* of a family that is not built in: which one, and the parameters as their author wrote them */
    union params params;
    struct form_list forms; /* of params that depend on the dimension */
};

/* In a target that is a direct sum. */
struct target_part {
    struct target target;
    size_t copies; /* 0 means: as many as the dimension leaves */
};

/* The family's struct. */
static inline const void *target_params(const struct target *target)
{
    return &target->params;
}

const struct target_family *target_family_find(const char *name); /* NULL if unknown */
const struct target_family *target_family_at(size_t index);       /* NULL past the end */

/* The parameter `weights` of mixtures, of such a member of their struct. */
#define WEIGHTS(structure) \
    { \
        "weights", PARAM_WEIGHTS, offsetof(structure, weights), "the components' probabilities, summing to 1", \
            .required = 1, .range = GREATER_THAN(0.0), .group = 1 \
    }

/* With the standard values of the family's params. */
void target_init(struct target *target, const struct target_family *family);
void target_clear(struct target *target); /* frees what the target owns; the struct itself is the caller's */

/* Writes every parameter to 17 digits, in the order of the family's params: equal texts mean equal targets. */
void target_describe(const struct target *target, FILE *file);

/* What the literal factors in dimension d >= 1 would hold. */
struct target_content target_content(const struct target *target, double dimension);

/* Whether the target has a factor that is costly to make: see target_family.costly. */
int target_costly(const struct target *target, size_t dimension, struct factor *out);

/* The largest of any coordinate's distance to the law that the target stands for; 0 where it is exact. */
double target_approximation(const struct target *target);

/* The power a of d in L = O~(d^a), the relaxed Lipschitz constant of the score, which bounds (1-abar_t) |grad
 * s_t(X_t)| with high probability (theory (30)): 0 where the factors in dimension d >= 1 are Gaussians or of at most
 * two coordinates each, else what the family says; NaN: not known. */
double target_lipschitz_power(const struct target *target, size_t dimension);

/* Whether the target exists in dimension d >= 1, at once. Errors: STATUS_INVALID, STATUS_MEMORY. */
MUST_USE enum status target_exists(const struct target *target, size_t dimension, struct error *error);

/* The factors in dimension d >= 1 (free with factor_list_free, also after an error). */
MUST_USE enum status target_factors(const struct target *target, size_t dimension, struct factor_list *out,
                                    struct error *error);

/* The same without the quadrature that stands for long spectra: every multiplicity is an integer. */
MUST_USE enum status target_coordinates(const struct target *target, size_t dimension, struct factor_list *out,
                                        struct error *error);

/* The planted law's factors in dimension d >= 1 (free with planted_target_free, also after an error); weight 0 and no
 * factors where the target's law is computed itself. */
MUST_USE enum status target_planted(const struct target *target, size_t dimension, struct planted_target *out,
                                    struct error *error);
void planted_target_free(struct planted_target *planted);

#endif
