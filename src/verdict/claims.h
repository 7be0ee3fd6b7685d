/* The claims that experiments decide (theory §1, §8). A claim is data, in claims.def or in an experiment's file
 * (experiment/spec_claims.h): what it bounds, from which side and by how much, of which samplers, and what an
 * experiment must have for it. The power that its first bound is of says which function judges it (power_kinds in
 * judge.c). Bounds and bands (judge.h) are fixed before any run. */
#ifndef VERDICT_CLAIMS_H
#define VERDICT_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"
#include "results/evidence.h"

enum outcome {
    /* By increasing severity: the overall verdict of a claim is the most severe of its targets'. */
    OUTCOME_NOT_CLAIMED, /* the claim is not about this target */
    OUTCOME_NOT_JUDGED, /* it is, and neither the target's exact law nor a lower bound of what it is about is known */
    OUTCOME_NOT_TIGHT,  /* supported, with slack: an upper bound that this target does not reach */
    OUTCOME_SUPPORTED,
    OUTCOME_INCONCLUSIVE,
    OUTCOME_REFUTED
};

/* The statistic that a bound is of: a power of one quantity in another, or a number. */
enum power {
    NO_POWER,
    STEPS_IN_ACCURACY,     /* T/log T in 1/eps */
    STEPS_IN_DIMENSION,    /* T/log T in d */
    STEPS_IN_PARAMETER,    /* T/log T in a parameter of targets, samplers or schedules */
    STEPS_RATIO,           /* the largest T of the first sampler over T of the second */
    RATIO_IN_ACCURACY,     /* T/log T of the slower sampler over that of the other, in 1/eps */
    RATIO_IN_DIMENSION,    /* the same in d */
    COLUMN_IN_AXIS,        /* a column of results in h, T/log T, d or a parameter of the score error */
    EFFECT_IN_SIZE,        /* the effect of a score error in eps_score */
    CONSTANT_IN_STEPS,     /* C = effect/(eps_score sqrt(log T)) in T */
    CONSTANT_IN_DIMENSION, /* C in d */
    CONSTANT_IN_ROUGHNESS, /* C in omega */
    ORDER_SHORTFALL,       /* a sampler's claimed order less the power of TV in h */
    FRACTION_AGREEING      /* of estimates from chains that agree with exact laws */
};

enum relation { ABOVE, BELOW, AT_MOST, AT_LEAST };

struct claim_bound {
    enum power power;
    enum relation relation; /* that the statistic has to the bound if the claim holds: AT_MOST, AT_LEAST or ABOVE */
    double value;
    double per_lipschitz, most; /* of a bound on d^value min{d, L}^per_lipschitz, on targets whose L is O~(d^a): the
                                 * exponent is value + per_lipschitz a, `most` at most, also where a is not known */
    const char *sampler;        /* whose; NULL: of all that the claim is about */
    const char *slower;         /* of a ratio: the sampler whose steps are divided */
    const char *column, *axis;  /* of COLUMN_IN_AXIS: names of a record's field, and of an axis (spec_claims.h); of
                                 * steps (bound_on_target): the column that T(d, eps) is of */
    const char *below;  /* the column that `column` is a lower bound of, in its place (bound_on_target); or NULL */
    bool needs_several; /* where the experiment has one value of the axis, it says nothing */
};
#define BOUNDS(...) \
    (const struct claim_bound[]) \
    { \
        __VA_ARGS__, \
        { \
            .power = NO_POWER \
        } \
    }

struct account;

struct finding {
    const struct claim *claim;
    char target[64]; /* "all targets" for the overall verdict */
    enum outcome outcome;
    int measured;           /* value and interval are meaningful */
    double value, interval; /* of the claim's statistic: an exponent in T/log T, h or d */
    bool has_limit;
    double limit_value, limit_interval; /* of the statistic in the limit h -> 0 (theory (23)); the verdict is taken on
                                         * it where there is one, on the value above otherwise */
    int has_raw;
    double raw_value, raw_interval; /* the same exponent in T */
    enum relation relation;         /* that the value has to the bound if the claim holds */
    double bound;
    size_t used, censored, at_start; /* cells in the fit; beyond max_steps, or outside a window;
                                      * met at the smallest T already */
    char note[1000];
    const struct claim_bound *of; /* of a part: the bound that it is about */
    const char *lower_bound;      /* of a part: the column that was judged in place of the one that is bounded, which
                                   * is at least as large (bound_on_target); NULL: the one itself was */
    struct finding *part;    /* where the claim bounds exponents: what was found of each bound, without accounts */
    size_t parts;            /* of the overall finding those of the one that decides */
    struct account *account; /* how it came about (account.h); NULL for the overall finding */
    struct claim *own;       /* of the overall finding: the claim, if the experiment states it */
};

/* What an experiment must have, so that it asks for the claim where it names none. */
enum {
    NEEDS_ACCURACIES = 1, /* of TV */
    NEEDS_SCORE_ERRORS = 2,
    NEEDS_ROUGHNESS = 4, /* score errors that have one */
    NEEDS_STOCHASTIC = 8,
    NEEDS_DETERMINISTIC = 16, /* samplers; the claim is about those alone */
    NEEDS_CHAINS = 32,
    NEEDS_ITS_NAME = 64 /* only experiments that name it ask for it */
};

/* Under which heading a report shows it, with the figures of the same topic. */
enum topic {
    NO_TOPIC,
    TOPIC_ACCURACY,
    TOPIC_DIMENSION,
    TOPIC_ACCELERATION,
    TOPIC_DIVERGENCES,
    TOPIC_ERROR_SIZE,
    TOPIC_ERROR_ROUGHNESS,
    TOPIC_CHAINS,
    TOPIC_ORDERS,
    TOPICS
};

struct claim {
    const char *name;
    const char *statement;
    const char *source;
    const char *statistic; /* NULL: as its power is called (claim_statistic) */
    const char *refuted_by;
    const struct claim_bound *bound; /* ends with NO_POWER; of several that are judged one by one, the one that fares
                                      * worst is shown */
    const char *samplers[2];         /* of STEPS_RATIO: the two that it compares */
    const char *const *targets;      /* those that it is about; NULL: all */
    size_t target_count;
    unsigned needs;
    enum topic topic;
    bool stated; /* by the experiment's file */
};

const struct claim *claim_at(size_t index); /* the built-in ones; NULL past the end */
const char *const *claim_names(void);       /* NULL-terminated, in the order of claim_at */

/* "<= 5/4": fractions of small denominator are written as such. Returns its length. */
enum { BOUND_WORDS = 40 };
int bound_words(enum relation relation, double value, char text[BOUND_WORDS]);

/* What is measured, and "<= 1/2 (ddpm: <= 1)", the bounds in words: those that a finding was judged by, or (NULL)
 * on any target, "<= 1 to 2" where they depend on it. */
enum { CLAIM_PREDICTION = 120 };
const char *claim_statistic(const struct claim *claim);
void claim_prediction(const struct claim *claim, const struct finding *finding, char text[CLAIM_PREDICTION]);

/* A claim's bound on this power; a bound of any claim on this power of this sampler. NULL: there is none. */
const struct claim_bound *claim_bound_on(const struct claim *claim, enum power power);
const struct claim_bound *claims_bound(enum power power, const char *sampler);

/* Whether two bounds say the same, of whichever samplers; whether two claims do, of the same samplers, in the same
 * words and by the same source: one claim that two experiments judge. */
bool bounds_say_the_same(const struct claim_bound *bound, const struct claim_bound *other);
bool claims_say_the_same(const struct claim *claim, const struct claim *other);

bool claim_is_about(const struct claim *claim, const char *target);

/* Whether an experiment asks for the claim: it names it, or names none and has what the claim needs. */
bool claim_is_asked(const struct claim *claim, const struct manifest *manifest);

/* What the verdict is taken on: the limit, or what was measured at finite T; whether there is either. */
bool finding_is_known(const struct finding *finding);
double finding_value(const struct finding *finding);

extern const char *const outcome_words[]; /* by enum outcome */

/* "supported", "supported, not tight (slack 0.17)", ... */
void finding_verdict(const struct finding *finding, char *text, size_t size);

/* The claim that an experiment states, one block for free(); NULL where memory runs out. Its texts are those of
 * `stated`. */
struct claim *claim_of_spec(const struct claim_spec *stated);

/* Findings of the claims that the experiment names or states (those that apply to it, if it names none), the built-in
 * ones first: for each, a finding a target and the overall one last, whose verdict is that of the finding
 * `claims_worst` of them. Free with findings_free, also after an error. */
MUST_USE enum status claims_decide(const struct evidence *evidence, struct finding **out, size_t *count,
                                   struct error *error);
void findings_free(struct finding *findings, size_t count);

/* Whether the first is the more severe; among equals, farther beyond its bound or nearer to it. */
bool finding_is_worse(const struct finding *finding, const struct finding *than);

/* Of the findings of one claim, a target each: the index of the worst. */
size_t claims_worst(const struct finding *findings, size_t count);

#endif
