/* Tables of what stands between an experiment and its theorem: targets that are approximated, score errors, clips. */
#include <math.h>
#include <stdio.h>

#include "core/memory.h"
#include "core/text.h"
#include "law/clip.h"
#include "report/tables.h"
#include "verdict/error_growth.h"
#include "verdict/exponents.h"

/* ---- Targets ---- */

static const struct table_column target_columns[] = {
    {"target", LEFT}, {"kind", LEFT}, {"TV to the law that it stands for, in one coordinate or pair", RIGHT}};

static enum status fill_targets(const struct evidence *evidence, struct table *table, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    for (size_t i = 0; i < manifest->target_count; i++) {
        double distance = manifest->targets[i].approximation;
        if (!(distance > 0.0))
            continue;
        TRY(table_cells(table, error, "%s\t%s\t%.2g", manifest->targets[i].name, manifest->targets[i].family,
                        distance));
    }
    if (table->cells > 0)
        (void)snprintf(
            table->note, sizeof table->note,
            "What is measured is the mixture that stands in for the law. Targets that are not listed are exact.");
    return STATUS_OK;
}

const struct section section_targets = {"Targets that stand for another law", COLUMNS(target_columns), fill_targets,
                                        0};

/* ---- T(d, eps) under score errors ---- */

static const struct table_column complexity_columns[] = {{"target", LEFT},      {"sampler", LEFT},
                                                         {"score error", LEFT}, {"d", RIGHT},
                                                         {"T(d, ε)", WRAPPED},  {"T/log T in 1/ε, all d", RIGHT}};

/* "0.1: T = 24; 0.01: T > 1448, floor 0.04" */
static void label_brackets(const struct manifest *manifest, const struct bracket *brackets, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t e = 0; e < manifest->accuracy_count && used < size; e++) {
        char label[60], floor[40] = "";
        bracket_label(&brackets[e], label, sizeof label);
        if (brackets[e].floor > 0.0)
            (void)snprintf(floor, sizeof floor, ", floor %.2g", brackets[e].floor);
        used += (size_t)snprintf(text + used, size - used, "%s%g: %s%s", e > 0 ? "; " : "", manifest->accuracies[e],
                                 label, floor);
    }
}

static enum status fill_search(const struct evidence *evidence, size_t target, size_t sampler, size_t score_error,
                               struct table *table, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    char text[1200];
    struct fit fit;
    TRY(complexity_exponents_under(evidence, target, sampler, score_error, &fit, error));
    for (size_t d = 0; d < manifest->dimension_count; d++) {
        label_brackets(manifest, evidence_complexity_under(evidence, target, sampler, score_error, d, 0), text,
                       sizeof text);
        TRY(table_cells(table, error, "%s\t%s\t%s\t%zu\t%s", manifest->targets[target].name,
                        manifest->samplers[sampler].name, manifest->score_errors[score_error].label,
                        manifest->dimensions[d], text));
        TRY(table_exponent(table, fit.ok && d == 0, fit.x, error));
    }
    return STATUS_OK;
}

static enum status fill_complexity_under(const struct evidence *evidence, struct table *table, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    if (manifest->score_error_count < 2 || manifest->accuracy_count == 0)
        return STATUS_OK;
    for (size_t target = 0; target < manifest->target_count; target++)
        for (size_t sampler = 0; sampler < manifest->sampler_count; sampler++)
            for (size_t e = 0; e < manifest->score_error_count; e++)
                TRY(fill_search(evidence, target, sampler, e, table, error));
    (void)snprintf(table->note, sizeof table->note,
                   "A score error puts a floor under %s, which no T passes: a search ends where the last values, "
                   "falling in proportion to h, would stay above ε.",
                   manifest->accuracy_in->label);
    return STATUS_OK;
}

const struct section section_complexity_under = {"T(d, ε) under score errors", COLUMNS(complexity_columns),
                                                 fill_complexity_under, 0};

/* ---- Score errors ---- */

static const struct table_column error_columns[] = {{"target", LEFT},
                                                    {"sampler", LEFT},
                                                    {"score error", LEFT},
                                                    {"effect in ε_score", RIGHT},
                                                    {"excess TV in ε_score", RIGHT},
                                                    {"C in T", RIGHT},
                                                    {"C in d", RIGHT},
                                                    {"largest C", RIGHT},
                                                    {"largest excess TV/(ε_score √log T)", RIGHT},
                                                    {"cells used / unresolved / missing", RIGHT}};

static enum status fill_family(const struct evidence *evidence, const struct error_family *family,
                               const struct error_cells *cells, struct table *table, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    struct error_growth growth;
    char label[100];
    TRY(error_growth_fit(cells, &growth, error));
    error_family_label(manifest, family, label, sizeof label);
    TRY(table_cells(table, error, "%s\t%s\t%s", manifest->targets[family->target].name,
                    manifest->samplers[family->sampler].name, label));
    TRY(table_exponent(table, growth.slope.ok, growth.slope.exponent, error));
    TRY(table_exponent(table, growth.excess.ok, growth.excess.exponent, error));
    TRY(table_exponent(table, growth.steps.ok, growth.steps.exponent, error));
    TRY(table_exponent(table, growth.dimension.ok, growth.dimension.exponent, error));
    TRY(table_cell_if(table, cells->inside > 0, error, "%.3g", cells->constant));
    TRY(table_cell_if(table, cells->inside > 0 && isfinite(cells->excess), error, "%.3g", cells->excess));
    return table_cells(table, error, "%zu / %zu / %zu", cells->inside, cells->count - cells->inside, cells->missing);
}

static enum status fill_families(const struct evidence *evidence, size_t target, size_t sampler, struct table *table,
                                 size_t *missing, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    enum status status = STATUS_OK;
    for (size_t e = error_family_next(manifest, SAME_BUT_SIZE, 0);
         e < manifest->score_error_count && status == STATUS_OK; e = error_family_next(manifest, SAME_BUT_SIZE, e)) {
        const struct error_family family = {target, sampler, SAME_BUT_SIZE, e};
        struct error_cells cells;
        status = error_cells_find(evidence, &family, &cells, error);
        if (status == STATUS_OK)
            status = fill_family(evidence, &family, &cells, table, error);
        *missing += cells.missing;
        free(cells.cell);
    }
    return status;
}

static enum status fill_score_errors(const struct evidence *evidence, struct table *table, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    size_t missing = 0;
    for (size_t target = 0; target < manifest->target_count; target++)
        for (size_t sampler = 0; sampler < manifest->sampler_count; sampler++)
            TRY(fill_families(evidence, target, sampler, table, &missing, error));
    if (missing > 0)
        (void)snprintf(table->note, sizeof table->note,
                       "%zu cells are missing: their law could not be computed, as where a deterministic map folds.",
                       missing);
    return STATUS_OK;
}

const struct section section_score_errors = {"Score errors", COLUMNS(error_columns), fill_score_errors, 0};

/* ---- Clips ---- */

static const struct table_column clip_columns[] = {
    {"target", LEFT},      {"score error", LEFT},     {"d", RIGHT},      {"T", RIGHT}, {"TV with the clip", RIGHT},
    {"TV without", RIGHT}, {"with − without", RIGHT}, {"the clip", LEFT}};

/* In how many cells TV changed beyond the radii, and where by the most. */
struct change {
    size_t cells;
    double by, radius;
    char where[240];
};

struct comparison {
    size_t cells, inactive; /* inactive: the clip hardly ever acts; not in the table */
    struct change lower, higher;
};

static void note_change(struct change *change, const struct record *with, const char *label, double by, double radius)
{
    change->cells++;
    if (by <= change->by)
        return;
    change->by = by;
    change->radius = radius;
    (void)snprintf(change->where, sizeof change->where, "%s, score error %s, d = %zu, T = %zu", with->target, label,
                   (size_t)with->dimension, (size_t)with->steps);
}

static enum status compare(struct comparison *comparison, const struct record *with, const struct record *without,
                           const char *label, struct table *table, struct error *error)
{
    double by = with->tv - without->tv, radius = with->tv_error + without->tv_error, p = with->clip_probability;
    char tv[2][TEXT_MEASURED_SIZE];
    if (isnan(by)) /* one of the two is not known */
        return STATUS_OK;
    comparison->cells++;
    if (fabs(by) > radius)
        note_change(by < 0.0 ? &comparison->lower : &comparison->higher, with, label, fabs(by), radius);
    if (fabs(by) <= CLIP_MATTERS && p <= CLIP_MATTERS) {
        comparison->inactive++;
        return STATUS_OK;
    }
    TRY(table_cells(table, error, "%s\t%s\t%zu\t%zu", with->target, label, (size_t)with->dimension,
                    (size_t)with->steps));
    text_measured(with->tv, with->tv_error, tv[0]);
    text_measured(without->tv, without->tv_error, tv[1]);
    TRY(table_cells(table, error, "%s ± %.1e\t%s ± %.1e", tv[0], with->tv_error, tv[1], without->tv_error));
    TRY(table_cells(table, error, fabs(by) > 0.0 ? "%+.1e ± %.1e" : "%.0f ± %.1e", by, radius));
    if (p > CLIP_MATTERS)
        return table_cells(table, error, "left out of the law; P(it acts) ≤ %.1e is in the radius", p);
    return table_cells(table, error, "in the law");
}

static enum status compare_all(const struct evidence *evidence, size_t clipped, size_t unclipped,
                               struct comparison *comparison, struct table *table, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    for (size_t target = 0; target < manifest->target_count; target++)
        for (size_t e = 0; e < manifest->score_error_count; e++)
            for (size_t d = 0; d < manifest->dimension_count; d++) {
                const struct row_list with = evidence_rows(evidence, target, clipped, e, d),
                                      without = evidence_rows(evidence, target, unclipped, e, d);
                for (size_t i = 0, j = 0; i < with.count; i++) {
                    while (j < without.count && without.row[j]->steps < with.row[i]->steps)
                        j++;
                    if (j < without.count && without.row[j]->steps == with.row[i]->steps)
                        TRY(compare(comparison, with.row[i], without.row[j], manifest->score_errors[e].label, table,
                                    error));
                }
            }
    return STATUS_OK;
}

static void describe_change(const char *verb, const struct change *change, char *text, size_t size)
{
    if (change->cells == 0)
        (void)snprintf(text, size, "%s it in none", verb);
    else
        (void)snprintf(text, size, "%s it in %zu, by %.2e ± %.1e at most (%s)", verb, change->cells, change->by,
                       change->radius, change->where);
}

static void describe_comparison(const struct comparison *comparison, char *sentence, size_t size)
{
    char lower[400], higher[400], inactive[200] = "";
    describe_change("lowered", &comparison->lower, lower, sizeof lower);
    describe_change("raised", &comparison->higher, higher, sizeof higher);
    if (comparison->inactive > 0)
        (void)snprintf(inactive, sizeof inactive,
                       " Not listed: %zu cells in which the clip acts with a probability of at most %g and changes "
                       "nothing.",
                       comparison->inactive, CLIP_MATTERS);
    if (comparison->lower.cells + comparison->higher.cells == 0)
        (void)snprintf(sentence, size, "Clipping changed TV beyond the radii in none of %zu cells.%s",
                       comparison->cells, inactive);
    else
        (void)snprintf(sentence, size, "Clipping changed TV beyond the radii in %zu of %zu cells: it %s, and %s.%s",
                       comparison->lower.cells + comparison->higher.cells, comparison->cells, lower, higher,
                       inactive);
}

static enum status fill_clipping(const struct evidence *evidence, struct table *table, struct error *error)
{
    size_t samplers = evidence->manifest.sampler_count;
    size_t clipped = evidence_sampler(evidence, "accelerated");
    size_t unclipped = evidence_sampler(evidence, "accelerated-unclipped");
    struct comparison comparison = {.cells = 0};
    if (clipped == samplers || unclipped == samplers)
        return STATUS_OK;
    TRY(compare_all(evidence, clipped, unclipped, &comparison, table, error));
    if (comparison.cells > 0)
        describe_comparison(&comparison, table->note, sizeof table->note);
    return STATUS_OK;
}

const struct section section_clipping = {"What clipping buys", COLUMNS(clip_columns), fill_clipping, 0};
