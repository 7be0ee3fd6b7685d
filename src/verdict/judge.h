/* What deciding a claim is made of; for the files of claims alone. */
#ifndef VERDICT_JUDGE_H
#define VERDICT_JUDGE_H

#include <stddef.h>

#include "core/status.h"
#include "verdict/account.h"
#include "verdict/claims.h"

/* How far beyond its bound an exponent may be (judge.c). */
#define BAND 0.05
/* Intervals wider than this decide nothing but a refutation. */
#define WIDEST 0.25

/* Appends to the finding's note, after "; " if there is one. */
void judge_note(struct finding *finding, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What is judged, in words. */
struct judged {
    const char *of;
    const struct regression_words *regression; /* NULL: not an exponent */
    size_t cells;                              /* of its fit */
};

/* Fill the finding from a measured value +- interval of a quantity that the claim bounds from above, or from below.
 * judge_upper calls it by the claim's statistic. */
void judge_upper(struct finding *finding, double value, double interval, double bound);
void judge_exponent_upper(struct finding *finding, const struct judged *judged, const struct exponent *exponent,
                          double bound);
void judge_exponent_lower(struct finding *finding, const struct judged *judged, const struct exponent *exponent,
                          double bound);

/* Fills the finding's outcome from conditions, the first of which that holds decides; `otherwise` where none does.
 * Returns the index of that condition. */
size_t judge_by(struct finding *finding, struct judgement *judgement, enum outcome otherwise);

void judge_inconclusive(struct finding *finding, const char *reason);

/* *index is the place of the sampler in the experiment; returns 0, with an inconclusive finding, if it has none. */
int judge_needs(const struct evidence *evidence, const char *sampler, size_t *index, struct finding *out);

/* Of the claims that score errors decide, in claims_score_error.c. */
int score_error_applies(const struct spec *spec);
int stochastic_roughness_applies(const struct spec *spec);
int deterministic_roughness_applies(const struct spec *spec);
MUST_USE enum status decide_score_linear(const struct evidence *evidence, const struct claim *claim, size_t target,
                                         struct finding *out, struct error *error);
MUST_USE enum status decide_score_rough(const struct evidence *evidence, const struct claim *claim, size_t target,
                                        struct finding *out, struct error *error);
MUST_USE enum status decide_ode_rough(const struct evidence *evidence, const struct claim *claim, size_t target,
                                      struct finding *out, struct error *error);

/* Of the claim that chains decide, in claims_samples.c. */
int samples_apply(const struct spec *spec);
MUST_USE enum status decide_chains_agree(const struct evidence *evidence, const struct claim *claim, size_t target,
                                         struct finding *out, struct error *error);

#endif
