/* What deciding a claim is made of; for the files of claims alone. */
#ifndef VERDICT_JUDGE_H
#define VERDICT_JUDGE_H

#include <stddef.h>

#include "core/status.h"
#include "verdict/account.h"
#include "verdict/claims.h"
#include "verdict/limit.h"

/* How far beyond its bound an exponent may be (judge.c). */
#define BAND 0.05
/* The same of an exponent in the limit h -> 0. */
#define LIMIT_BAND 0.01
/* An exponent within this of its bound is tight, at finite T and in the limit (theory §8). */
#define TIGHT 0.05
/* Intervals wider than this decide nothing but a refutation. */
#define WIDEST 0.25

/* Appends to the finding's note, after "; " if there is one. */
void judge_note(struct finding *finding, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A power in words. */
struct power_kind {
    const char *name;                   /* of the statistic; NULL: bound_name makes one */
    const char *in;                     /* what it is a power of; NULL: the bound's axis */
    struct regression_words regression; /* what its fit is of; empty: it is not fitted */
    /* Judges a claim whose first bound is of this power, with all its bounds; NULL: of such a bound no claim is the
     * first, it stands beside others. */
    enum status (*decide)(const struct evidence *evidence, const struct claim *claim, size_t target,
                          struct finding *out, struct error *error);
    /* Where decide is decide_powers: judges one bound. */
    enum status (*judge)(const struct evidence *evidence, const struct claim_bound *bound, size_t target,
                         struct finding *out, struct error *error);
};
extern const struct power_kind power_kinds[]; /* by enum power */

/* "exponent of kl_p_q in h", and "h". */
enum { BOUND_NAME = 120 };
void bound_name(const struct claim_bound *bound, char text[BOUND_NAME]);
const char *bound_axis(const struct claim_bound *bound);
struct regression_words bound_regression(const struct claim_bound *bound);

/* A bound of the claim as it is on a target: with the value by the target's L, and `column` set. Of codebooks, of
 * which TV and KL(p||q) are not known, that is what is known in their place: planted_tv and planted_kl, of which both
 * are upper bounds as far as the annealed approximation goes (theory (26')). */
struct claim_bound bound_on_target(const struct evidence *evidence, const struct claim *claim,
                                   const struct claim_bound *bound, size_t target);
/* That there is something known in their place for each bound. */
bool claim_has_lower_bounds(const struct claim *claim);

/* Fills the finding from a measured exponent by the bands of judge.c.
 * Args: of, what is judged, in words; bound, AT_MOST or AT_LEAST; cells, those of its fit. */
void judge_power(struct finding *finding, const char *of, const struct claim_bound *bound, size_t cells,
                 const struct exponent *exponent);

/* The same of an exponent that no single fit gives. */
void judge_derived(struct finding *finding, const char *of, const struct claim_bound *bound, size_t cells,
                   const struct exponent *exponent);

/* The same on the exponent in the limit h -> 0, which then decides, in place of what the note says from `note` on, of
 * finite T, whose value stays beside it. Where there is no limit and nothing is decided, the note says why. */
void judge_limit(struct finding *finding, size_t note, const char *of, const struct claim_bound *bound,
                 const struct limit *limit);

/* Fills the finding's outcome from conditions, the first of which that holds decides; `otherwise` where none does.
 * Returns the index of that condition. */
size_t judge_by(struct finding *finding, struct judgement *judgement, enum outcome otherwise);

void judge_inconclusive(struct finding *finding, const char *reason);

/* *index is the place of the sampler in the experiment; returns 0, with an inconclusive finding, if it has none. */
int judge_needs(const struct evidence *evidence, const char *sampler, size_t *index, struct finding *out);

/* The functions of power_kinds, each in the file of the quantities that it judges. */
MUST_USE enum status decide_powers(const struct evidence *evidence, const struct claim *claim, size_t target,
                                   struct finding *out, struct error *error);
MUST_USE enum status decide_crossover(const struct evidence *evidence, const struct claim *claim, size_t target,
                                      struct finding *out, struct error *error);
MUST_USE enum status judge_steps(const struct evidence *evidence, const struct claim_bound *bound, size_t target,
                                 struct finding *out, struct error *error);
MUST_USE enum status judge_parameter(const struct evidence *evidence, const struct claim_bound *bound, size_t target,
                                     struct finding *out, struct error *error);
MUST_USE enum status judge_ratio(const struct evidence *evidence, const struct claim_bound *bound, size_t target,
                                 struct finding *out, struct error *error);
MUST_USE enum status judge_column(const struct evidence *evidence, const struct claim_bound *bound, size_t target,
                                  struct finding *out, struct error *error);
MUST_USE enum status decide_score_size(const struct evidence *evidence, const struct claim *claim, size_t target,
                                       struct finding *out, struct error *error);
MUST_USE enum status decide_score_roughness(const struct evidence *evidence, const struct claim *claim, size_t target,
                                            struct finding *out, struct error *error);
MUST_USE enum status decide_agreement(const struct evidence *evidence, const struct claim *claim, size_t target,
                                      struct finding *out, struct error *error);
MUST_USE enum status decide_orders(const struct evidence *evidence, const struct claim *claim, size_t target,
                                   struct finding *out, struct error *error);

#endif
