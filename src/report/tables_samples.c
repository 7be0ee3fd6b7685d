/* Tables of what chains say: beside exact laws, and alone. */
#include <math.h>
#include <stdio.h>

#include "core/memory.h"
#include "report/tables.h"
#include "verdict/agreement.h"

#define DETECTION_ERRORS 3.0 /* standard errors above 0 at which a lower bound is taken to show a difference */

/* The cells of all targets. */
struct survey {
    const struct evidence *evidence;
    struct chain_cells *of; /* [target] */
};

static void survey_free(struct survey *survey)
{
    for (size_t target = 0; survey->of != NULL && target < survey->evidence->manifest.target_count; target++)
        free(survey->of[target].cell);
    free(survey->of);
}

static enum status survey_new(const struct evidence *evidence, struct survey *out, struct error *error)
{
    enum status status = STATUS_OK;
    *out = (struct survey){evidence, array_new(evidence->manifest.target_count, sizeof *out->of)};
    if (out->of == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a table");
    for (size_t target = 0; target < evidence->manifest.target_count && status == STATUS_OK; target++)
        status = chain_cells_find(evidence, target, &out->of[target], error);
    if (status != STATUS_OK)
        survey_free(out);
    return status;
}

/* The index-th cell of all, or NULL past the end. */
static const struct chain_cell *survey_at(const struct survey *survey, size_t index, size_t *target)
{
    for (*target = 0; *target < survey->evidence->manifest.target_count; (*target)++) {
        if (index < survey->of[*target].count)
            return &survey->of[*target].cell[index];
        index -= survey->of[*target].count;
    }
    return NULL;
}

static size_t survey_count(const struct survey *survey)
{
    size_t count = 0;
    for (size_t target = 0; target < survey->evidence->manifest.target_count; target++)
        count += survey->of[target].count;
    return count;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *list, size_t count)
{
    qsort(list, count, sizeof *list, by_value);
    return 0.5 * (list[(count - 1) / 2] + list[count / 2]);
}

/* ---- Chains against exact laws ---- */

static const struct table_column agreement_columns[] = {
    {"estimator", LEFT},    {"role", LEFT},
    {"of", LEFT},           {"comparisons / silent", RIGHT},
    {"within 1 se", RIGHT}, {"2 se", RIGHT},
    {"3 se", RIGHT},        {"largest z", RIGHT},
    {"median se", RIGHT},   {"median of bound/exact (upper: + 2 se)", RIGHT}};

/* What the comparisons of an estimator add up to; error and ratio have room for all cells. */
struct agreements {
    size_t compared, silent, within[3];
    double largest, *error, *ratio;
};

/* An upper bound is one only with its errors: where it is small its value may well be 0. */
static double bound_over_exact(const struct estimator *estimator, const struct chain_cell *cell,
                               struct estimate value)
{
    double bound = estimator->role == ROLE_UPPER ? value.value + 2.0 * value.error : value.value;
    return bound / estimator_exact(estimator, cell->law);
}

static void add_comparisons(const struct estimator *estimator, const struct survey *survey, struct agreements *sums)
{
    const struct chain_cell *cell;
    size_t target;
    double z;
    for (size_t i = 0; (cell = survey_at(survey, i, &target)) != NULL; i++) {
        if (cell->law == NULL)
            continue;
        if (!agreement_compare(estimator, cell, &z)) {
            sums->silent += (size_t)estimator_is_asked(estimator, &survey->evidence->manifest);
            continue;
        }
        struct estimate value = estimator_value(estimator, cell->chains);
        for (int k = 0; k < 3; k++)
            sums->within[k] += z <= k + 1.0;
        sums->largest = fmax(sums->largest, z);
        sums->error[sums->compared] = value.error;
        sums->ratio[sums->compared++] = bound_over_exact(estimator, cell, value);
    }
}

static enum status share_cell(struct table *table, size_t part, size_t whole, struct error *error)
{
    return table_cells(table, error, "%.1f%%", 100.0 * (double)part / (double)whole);
}

static enum status fill_estimator(const struct estimator *estimator, struct agreements *sums, struct table *table,
                                  struct error *error)
{
    if (sums->compared == 0)
        return STATUS_OK;
    TRY(table_cells(table, error, "%s\t%s\t%s\t%zu / %zu", estimator->name, estimator_role(estimator),
                    estimator_quantity(estimator), sums->compared, sums->silent));
    for (int k = 0; k < 3; k++)
        TRY(share_cell(table, sums->within[k], sums->compared, error));
    TRY(table_cells(table, error, "%.2f\t%.2g", sums->largest, median(sums->error, sums->compared)));
    return table_cell_if(table, estimator->role != ROLE_ESTIMATE, error, "%.3g", median(sums->ratio, sums->compared));
}

/* The smallest TV that a lower bound shows to differ from 0, and the smallest exact TV in these cells. */
struct detection {
    const struct estimator *estimator;
    const struct chain_cell *detected, *smallest_exact;
    size_t detected_target, smallest_target;
    double smallest;
    size_t cells, detecting; /* those in which some lower bound shows a difference */
};

static int detects(const struct estimator *estimator, const struct chain_cell *cell, double *value)
{
    struct estimate estimate = estimator_value(estimator, cell->chains);
    *value = estimate.value;
    return estimator->role == ROLE_LOWER && estimate.value > DETECTION_ERRORS * estimate.error;
}

static struct detection detect(const struct survey *survey, int with_law)
{
    struct detection found = {.smallest = HUGE_VAL};
    const struct chain_cell *cell;
    size_t target;
    for (size_t i = 0; (cell = survey_at(survey, i, &target)) != NULL; i++) {
        int detecting = 0;
        double value;
        if ((cell->law != NULL) != with_law)
            continue;
        for (size_t e = 0; estimator_at(e) != NULL; e++)
            if (detects(estimator_at(e), cell, &value)) {
                detecting = 1;
                if (value >= found.smallest)
                    continue;
                found.smallest = value;
                found.estimator = estimator_at(e);
                found.detected = cell;
                found.detected_target = target;
            }
        found.cells++;
        found.detecting += (size_t)detecting;
        if (cell->law != NULL && cell->law->tv > 0.0
            && (found.smallest_exact == NULL || cell->law->tv < found.smallest_exact->law->tv)) {
            found.smallest_exact = cell;
            found.smallest_target = target;
        }
    }
    return found;
}

static void describe_detection(const struct manifest *manifest, const struct detection *found, char *sentence,
                               size_t size)
{
    char where[240], known[240];
    if (found->cells == 0)
        return;
    chain_cell_label(manifest, found->smallest_exact, known, sizeof known);
    if (found->detecting == 0) {
        (void)snprintf(sentence, size,
                       "No lower bound detects TV > 0 at %g standard errors; the smallest exact TV is %.3g (%s, %s).",
                       DETECTION_ERRORS, found->smallest_exact->law->tv,
                       manifest->targets[found->smallest_target].name, known);
        return;
    }
    chain_cell_label(manifest, found->detected, where, sizeof where);
    (void)snprintf(sentence, size,
                   "Chains detect TV > 0, by a lower bound of more than %g standard errors, in %zu of %zu cells. The "
                   "smallest TV that they showed is %.3g (%s: %s, %s; exact: %.3g), the smallest exact TV among the "
                   "cells %.3g (%s, %s), %.2g times less: what is below the noise of chains only an exact law tells.",
                   DETECTION_ERRORS, found->detecting, found->cells, found->smallest, found->estimator->name,
                   manifest->targets[found->detected_target].name, where, found->detected->law->tv,
                   found->smallest_exact->law->tv, manifest->targets[found->smallest_target].name, known,
                   found->smallest / found->smallest_exact->law->tv);
}

static enum status fill_estimators(const struct survey *survey, struct table *table, struct error *error)
{
    size_t cells = survey_count(survey);
    double *room = array_new(cells, 2 * sizeof *room);
    enum status status = room != NULL ? STATUS_OK : fail_with(error, STATUS_MEMORY, "out of memory for a table");
    for (size_t i = 0; estimator_at(i) != NULL && status == STATUS_OK; i++) {
        struct agreements sums = {.error = room, .ratio = room + cells};
        add_comparisons(estimator_at(i), survey, &sums);
        status = fill_estimator(estimator_at(i), &sums, table, error);
    }
    free(room);
    return status;
}

static enum status fill_agreement(const struct evidence *evidence, struct table *table, struct error *error)
{
    struct survey survey;
    enum status status = survey_new(evidence, &survey, error);
    if (status != STATUS_OK)
        return status;
    status = fill_estimators(&survey, table, error);
    const struct detection found = detect(&survey, 1);
    if (status == STATUS_OK && table->cells > 0)
        describe_detection(&evidence->manifest, &found, table->note, sizeof table->note);
    survey_free(&survey);
    return status;
}

const struct section section_agreement = {"Chains against exact laws", COLUMNS(agreement_columns), fill_agreement, 0};

/* ---- By chains alone ---- */

static const struct table_column alone_columns[] = {{"target", LEFT},
                                                    {"sampler", LEFT},
                                                    {"score error", LEFT},
                                                    {"d", RIGHT},
                                                    {"T", RIGHT},
                                                    {"chains", RIGHT},
                                                    {"TV ≥ (projection)", RIGHT},
                                                    {"TV ≥ (masses)", RIGHT},
                                                    {"TV ≥ (codewords)", RIGHT},
                                                    {"TV ≥ (weights)", RIGHT},
                                                    {"TV ≤ (χ²)", RIGHT},
                                                    {"TV ≤ (Pinsker)", RIGHT},
                                                    {"KL(q‖p) (knn)", RIGHT},
                                                    {"χ²(q‖p) (weights)", RIGHT},
                                                    {"effective paths", RIGHT},
                                                    {"memorised", RIGHT}};

static enum status estimate_cell(struct table *table, struct estimate estimate, struct error *error)
{
    return table_cell_if(table, !isnan(estimate.value), error, "%.2e ± %.1e", estimate.value, estimate.error);
}

static enum status fill_alone_cell(const struct manifest *manifest, size_t target, const struct chain_cell *cell,
                                   struct table *table, struct error *error)
{
    const struct estimates *e = &cell->chains->estimates;
    const struct estimate shown[] = {e->projection_tv, e->masses_tv,  e->codewords_tv, e->weights_tv,
                                     e->chi2_tv,       e->pinsker_tv, e->knn_kl_q_p,   e->weights_chi2_q_p};
    TRY(table_cells(table, error, "%s\t%s", manifest->targets[target].name, manifest->samplers[cell->sampler].name));
    TRY(table_cell_if(table, cell->score_error > 0, error, "%s", manifest->score_errors[cell->score_error].label));
    TRY(table_cells(table, error, "%zu\t%zu\t%zu", manifest->dimensions[cell->dimension], (size_t)cell->chains->steps,
                    manifest->chains[cell->number]));
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
        TRY(estimate_cell(table, shown[i], error));
    TRY(table_cell_if(table, !isnan(e->effective), error, "%.2g", e->effective));
    return estimate_cell(table, e->memorised, error);
}

static void describe_alone(const struct manifest *manifest, const struct detection *found, char *sentence,
                           size_t size)
{
    char where[240];
    int used = 0;
    if (found->cells == 0)
        return;
    used = snprintf(sentence, size,
                    "No exact law covers these %zu cells: numbers are lower bounds (≥), upper bounds (≤) or "
                    "estimates, ± one standard error. ",
                    found->cells);
    if (used < 0 || (size_t)used >= size)
        return;
    if (found->detecting == 0) {
        (void)snprintf(sentence + used, size - (size_t)used,
                       "No lower bound tells TV from 0 by %g standard errors: nothing is shown, neither convergence "
                       "nor its absence.",
                       DETECTION_ERRORS);
        return;
    }
    chain_cell_label(manifest, found->detected, where, sizeof where);
    (void)snprintf(
        sentence + used, size - (size_t)used,
        "In %zu of them a lower bound shows TV > 0 by more than %g standard errors, the smallest of them %.3g (%s: "
        "%s, %s)%s.",
        found->detecting, DETECTION_ERRORS, found->smallest, found->estimator->name,
        manifest->targets[found->detected_target].name, where,
        found->detecting < found->cells
            ? "; of the others nothing is known but that TV, as far as these bounds see it, is below the noise"
            : "");
}

/* Of several numbers of chains the largest is shown. */
static enum status fill_alone(const struct evidence *evidence, struct table *table, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    const struct chain_cell *cell;
    struct survey survey;
    size_t target;
    enum status status = survey_new(evidence, &survey, error);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; (cell = survey_at(&survey, i, &target)) != NULL && status == STATUS_OK; i++)
        if (cell->law == NULL && cell->number + 1 == manifest->chain_count)
            status = fill_alone_cell(manifest, target, cell, table, error);
    const struct detection found = detect(&survey, 0);
    describe_alone(manifest, &found, table->note, sizeof table->note);
    survey_free(&survey);
    return status;
}

const struct section section_alone = {"By chains alone", COLUMNS(alone_columns), fill_alone, 1};
