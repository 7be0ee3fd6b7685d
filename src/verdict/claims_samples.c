/* The claim about chains, which is about this program and not about a theorem: what it computes without sampling and
 * what it finds by simulating must be the same law. A comparison is one estimator in one cell (agreement.h); of
 * estimates with normal errors 0.3% miss by more than 3 standard errors, and bounds hardly ever. Bands, fixed here
 * before any run: with a fraction f of agreeing comparisons,
 *   supported      f >= 0.99
 *   refuted        the 95% Clopper-Pearson interval of f is wholly below 0.99
 *   inconclusive   otherwise, or of fewer than FEWEST comparisons
 * The interval takes comparisons as independent, which those of one cell are not: they share its chains. */
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "verdict/agreement.h"
#include "verdict/judge.h"

enum { FEWEST = 20 };

/* Of a probability that shows `hits` times in `count` trials. */
static void clopper_pearson(size_t hits, size_t count, double *low, double *high)
{
    double k = (double)hits, n = (double)count;
    *low = hits == 0 ? 0.0 : gsl_cdf_beta_Pinv(0.025, k, n - k + 1.0);
    *high = hits == count ? 1.0 : gsl_cdf_beta_Pinv(0.975, k + 1.0, n - k);
}

struct comparisons {
    size_t compared, agreeing;
    size_t silent; /* an estimator that was asked and said nothing, or an infinite divergence */
    size_t alone;  /* cells without an exact law */
    double worst;  /* the largest z */
    const struct estimator *estimator;
    const struct chain_cell *cell;
};

static void account_estimate(struct account *account, const struct manifest *manifest, const struct chain_cell *cell,
                             const struct estimator *estimator, int use, const char *reason)
{
    struct account_cell shown = {.use = use, .reason = reason};
    struct estimate value = {NAN, NAN};
    char where[120];
    if (account == NULL)
        return;
    chain_cell_label(manifest, cell, where, sizeof where);
    (void)snprintf(shown.where, sizeof shown.where, "%s%s%s", where, estimator != NULL ? ": " : "",
                   estimator != NULL ? estimator->name : "");
    if (estimator != NULL)
        value = estimator_value(estimator, cell->chains);
    if (!isnan(value.value))
        (void)snprintf(shown.measured, sizeof shown.measured, "%.4g ± %.2g, exact %.6g", value.value, value.error,
                       estimator_exact(estimator, cell->law));
    account_cell(account, &shown);
}

static void compare_cell(const struct manifest *manifest, const struct chain_cell *cell, struct account *account,
                         struct comparisons *comparisons)
{
    double z;
    comparisons->alone += cell->law == NULL;
    if (cell->law == NULL)
        account_estimate(account, manifest, cell, NULL, 0, "no exact law");
    for (size_t i = 0; cell->law != NULL && estimator_at(i) != NULL; i++) {
        if (!agreement_compare(estimator_at(i), cell, &z)) {
            if (estimator_is_asked(estimator_at(i), manifest)) {
                comparisons->silent++;
                account_estimate(account, manifest, cell, estimator_at(i), CELL_CENSORED,
                                 "silent, or an infinite divergence");
            }
            continue;
        }
        account_estimate(account, manifest, cell, estimator_at(i), CELL_USED, NULL);
        comparisons->compared++;
        comparisons->agreeing += z <= AGREES_WITHIN;
        if (comparisons->cell == NULL || z > comparisons->worst) {
            comparisons->worst = z;
            comparisons->estimator = estimator_at(i);
            comparisons->cell = cell;
        }
    }
}

static void judge_comparisons(const struct manifest *manifest, const struct comparisons *comparisons,
                              struct finding *out)
{
    char where[240];
    double low, high, fraction = (double)comparisons->agreeing / (double)comparisons->compared;
    clopper_pearson(comparisons->agreeing, comparisons->compared, &low, &high);
    out->measured = 1;
    out->value = fraction;
    out->interval = fmax(high - fraction, fraction - low);
    struct judgement judgement = {
        .of = "fraction of comparisons that agree",
        .exponent = {.value = fraction, .interval = out->interval},
        .bound = out->bound,
        .condition = {{OUTCOME_SUPPORTED, "supported", "the fraction", AT_LEAST, out->bound, fraction},
                      {OUTCOME_REFUTED, "refuted", "the upper end of its Clopper-Pearson interval", BELOW, out->bound,
                       high}},
        .conditions = 2,
        .otherwise = "inconclusive"};
    (void)judge_by(out, &judgement, OUTCOME_INCONCLUSIVE);
    judge_note(out, "%zu of %zu agree, 95%% interval [%.4f, %.4f]", comparisons->agreeing, comparisons->compared, low,
               high);
    chain_cell_label(manifest, comparisons->cell, where, sizeof where);
    judge_note(out, "worst: %s, z = %.2f (%s)", comparisons->estimator->name, comparisons->worst, where);
}

enum status decide_agreement(const struct evidence *evidence, const struct claim *claim, size_t target,
                             struct finding *out, struct error *error)
{
    struct chain_cells cells;
    struct comparisons comparisons = {.compared = 0};
    enum status status = chain_cells_find(evidence, target, &cells, error);
    account_window(out->account, "cells with an exact law, and estimators that say something there",
                   "estimates by chains and their bounds");
    for (size_t i = 0; i < cells.count && status == STATUS_OK; i++)
        compare_cell(&evidence->manifest, &cells.cell[i], out->account, &comparisons);
    out->bound = claim->bound[0].value;
    out->used = comparisons.compared;
    out->censored = comparisons.silent;
    if (status == STATUS_OK && comparisons.compared >= FEWEST)
        judge_comparisons(&evidence->manifest, &comparisons, out);
    else if (status == STATUS_OK) {
        out->outcome = OUTCOME_INCONCLUSIVE;
        judge_note(out, "only %zu comparisons, fewer than %d", comparisons.compared, FEWEST);
    }
    if (comparisons.alone > 0)
        judge_note(out, "%zu cells have no exact law", comparisons.alone);
    free(cells.cell);
    return status;
}
