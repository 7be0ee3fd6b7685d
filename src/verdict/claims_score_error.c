/* The claims about score errors. A claim holds for every score error, so of the experiment's errors and samplers the
 * worst decides, by judge.c's bands. Two statistics have bands of their own, fixed like those. How far below 0 the
 * growth of C in T or d lies says nothing about the power of eps_score, so such a growth v +- w is
 *
 *   refuted        v - w > BAND
 *   fine           v + w <= BAND, or |v| <= BAND and w <= WIDEST
 *   inconclusive   otherwise
 *
 * and the contrast ode-rough is
 *
 *   supported      v - w > ZERO
 *   refuted        v + w <= ZERO
 *   inconclusive   otherwise */
#include <math.h>
#include <stdio.h>

#include "core/memory.h"
#include "core/text.h"
#include "verdict/error_growth.h"
#include "verdict/exponents.h"
#include "verdict/judge.h"

/* Decides nothing beside any outcome of the slope. */
#define GROWTH_FINE OUTCOME_NOT_TIGHT

/* Effects are known to a thousandth, so that a smaller exponent is none. */
#define ZERO WINDOW_RADIUS

static const char no_family[] = "no sampler of this kind or no such score error in the experiment";

/* ---- What both kinds of statistics share ---- */

/* Adds up over families. */
struct constants {
    size_t families, unresolved, missing;
    double constant, excess, unresolved_constant;
};

static void add_constants(struct constants *all, const struct error_cells *cells)
{
    all->families++;
    all->unresolved += cells->count - cells->inside;
    all->missing += cells->missing;
    all->constant = fmax(all->constant, cells->constant);
    all->excess = cells->inside > 0 ? fmax(all->excess, cells->excess) : all->excess;
    all->unresolved_constant = fmax(all->unresolved_constant, cells->unresolved_constant);
}

static void note_cells(const struct constants *all, const char *missing, struct finding *out)
{
    out->censored = all->unresolved;
    if (all->unresolved > 0)
        judge_note(out, "%zu cells unresolved, where C <= %.3g", all->unresolved, all->unresolved_constant);
    if (all->missing > 0)
        judge_note(out, "%zu cells missing%s", all->missing, missing);
}

/* The worst family's part of a finding. */
struct worst {
    struct finding finding;
    char family[160];
    size_t decided; /* families with enough cells */
};

/* Keeps the more severe; among equals, the one that is larger times `toward`. */
static void keep_worst(struct worst *worst, const struct finding *part, double toward,
                       const struct manifest *manifest, const struct error_family *family)
{
    char label[80];
    if (worst->decided++ > 0
        && (part->outcome < worst->finding.outcome
            || (part->outcome == worst->finding.outcome && toward * part->value <= toward * worst->finding.value)))
        return;
    worst->finding = *part;
    error_family_label(manifest, family, label, sizeof label);
    (void)snprintf(worst->family, sizeof worst->family, "%s, %s", manifest->samplers[family->sampler].name, label);
}

static void take(const struct worst *worst, struct finding *out)
{
    const struct finding *part = &worst->finding;
    out->outcome = part->outcome;
    out->measured = 1;
    out->value = part->value;
    out->interval = part->interval;
    judge_note(out, "that of %s", worst->family);
    if (part->note[0] != '\0')
        judge_note(out, "%s", part->note);
}

/* Calls `judge` with each family of the claim's kind of sampler and error. */
struct survey {
    const struct evidence *evidence;
    const struct claim *claim;
    size_t target;
    enum error_kinship kinship;
    struct constants constants;
    struct worst slope, steps, dimension;
    size_t used;
    struct account *account;
};

static enum status visit(struct survey *survey,
                         enum status (*judge)(struct survey *survey, const struct error_family *family,
                                              const struct error_cells *cells, struct error *error),
                         struct error *error)
{
    const struct manifest *manifest = &survey->evidence->manifest;
    enum status status = STATUS_OK;
    survey->constants.excess = NAN; /* of no cell; fmax passes over it */
    for (size_t s = 0; s < manifest->sampler_count; s++) {
        size_t e = error_family_next(manifest, survey->kinship, 0);
        if (manifest->samplers[s].deterministic != ((survey->claim->needs & NEEDS_DETERMINISTIC) != 0))
            continue;
        for (; e < manifest->score_error_count && status == STATUS_OK;
             e = error_family_next(manifest, survey->kinship, e)) {
            const struct error_family family = {survey->target, s, survey->kinship, e};
            struct error_cells cells;
            status = error_cells_find(survey->evidence, &family, &cells, error);
            if (status == STATUS_OK) {
                add_constants(&survey->constants, &cells);
                status = judge(survey, &family, &cells, error);
            }
            free(cells.cell);
        }
    }
    return status;
}

/* ---- score-linear ---- */

/* "slope of the effect, ddpm, bias all" */
static void name_judged(const struct survey *survey, const struct error_family *family, const char *of, char *text,
                        size_t size)
{
    char label[80];
    error_family_label(&survey->evidence->manifest, family, label, sizeof label);
    (void)snprintf(text, size, "%s, %s, %s", of, survey->evidence->manifest.samplers[family->sampler].name, label);
}

static void judge_growth(struct finding *part, const struct claim_bound *bound, const struct growth *growth,
                         const struct survey *survey, const struct error_family *family)
{
    double value = growth->exponent.value, interval = growth->exponent.interval, limit = bound->value + BAND;
    struct judgement judgement = {
        .exponent = growth->exponent,
        .regression = power_kinds[bound->power].regression,
        .cells = growth->cells,
        .condition = {{OUTCOME_REFUTED, "refuted", "the lower end of the interval", ABOVE, limit, value - interval},
                      {GROWTH_FINE, "fine", "the upper end of the interval", AT_MOST, limit, value + interval},
                      {OUTCOME_INCONCLUSIVE, "inconclusive", "the half-width of the interval", ABOVE, WIDEST,
                       interval},
                      {GROWTH_FINE, "fine", "the distance from 0", AT_MOST, BAND, fabs(value - bound->value)}},
        .conditions = 4,
        .otherwise = "inconclusive"};
    name_judged(survey, family, power_kinds[bound->power].name, judgement.of, sizeof judgement.of);
    (void)judge_by(part, &judgement, OUTCOME_INCONCLUSIVE);
}

/* Judges it where the claim bounds it. */
static void keep_growth(struct worst *worst, enum power power, const struct growth *growth,
                        const struct survey *survey, const struct error_family *family)
{
    struct finding part = {
        .value = growth->exponent.value, .interval = growth->exponent.interval, .account = survey->account};
    const struct claim_bound *bound = claim_bound_on(survey->claim, power);
    if (!growth->ok || bound == NULL)
        return;
    judge_growth(&part, bound, growth, survey, family);
    keep_worst(worst, &part, 1.0, &survey->evidence->manifest, family);
}

/* Writes down the cells of a family, of which the fit used those inside, if it could be made. */
static void account_family(struct survey *survey, const struct error_family *family, const struct error_cells *cells,
                           const char *rule, int fitted)
{
    const struct manifest *manifest = &survey->evidence->manifest;
    char label[80], missing[60] = "";
    char text[TEXT_MEASURED_SIZE];
    error_family_label(manifest, family, label, sizeof label);
    if (cells->missing > 0)
        (void)snprintf(missing, sizeof missing, "; %zu cells are missing", cells->missing);
    account_window(survey->account, rule, "%s, %s%s", manifest->samplers[family->sampler].name, label, missing);
    for (size_t i = 0; i < cells->count && survey->account != NULL; i++) {
        const struct error_cell *cell = &cells->cell[i];
        const struct record *row = cell->row;
        int in_window = family->kinship == SAME_BUT_SIZE || error_cell_is_rough(cells, cell);
        int used = cell->inside && in_window && fitted;
        struct account_cell shown = {.use = used           ? CELL_USED
                                            : cell->inside ? 0
                                                           : CELL_CENSORED,
                                     .reason = used            ? NULL
                                               : !cell->inside ? "effect above 0.1, or not known to a thousandth"
                                               : !in_window    ? "ω more than a factor 64 below the largest"
                                                               : "too few cells of its family in the window"};
        (void)snprintf(shown.where, sizeof shown.where, "%s, d = %zu, T = %zu",
                       manifest->score_errors[cell->score_error].label, (size_t)row->dimension, (size_t)row->steps);
        text_measured(row->error_effect, row->error_effect_error, text);
        (void)snprintf(shown.measured, sizeof shown.measured, "effect %s ± %.1e, C = %.4g", text,
                       row->error_effect_error, cell->constant);
        account_cell(survey->account, &shown);
    }
}

static enum status judge_linear(struct survey *survey, const struct error_family *family,
                                const struct error_cells *cells, struct error *error)
{
    struct error_growth growth;
    struct finding part = {.claim = survey->claim, .account = survey->account};
    char of[192];
    enum status status = error_growth_fit(cells, &growth, error);
    if (status != STATUS_OK)
        return status;
    account_family(survey, family, cells, "an effect of at most 0.1, known to a thousandth", growth.slope.ok);
    if (growth.slope.ok) {
        name_judged(survey, family, "slope of the effect in ε_score", of, sizeof of);
        judge_power(&part, of, &survey->claim->bound[0], growth.slope.cells, &growth.slope.exponent);
        keep_worst(&survey->slope, &part, -1.0, &survey->evidence->manifest, family);
        survey->used += growth.slope.cells;
    }
    keep_growth(&survey->steps, CONSTANT_IN_STEPS, &growth.steps, survey, family);
    keep_growth(&survey->dimension, CONSTANT_IN_DIMENSION, &growth.dimension, survey, family);
    return STATUS_OK;
}

static void note_growth(const struct survey *survey, enum power power, const struct worst *worst, struct finding *out)
{
    const char *in = power_kinds[power].in;
    const struct finding *part = &worst->finding;
    if (claim_bound_on(survey->claim, power) == NULL)
        return;
    if (worst->decided == 0) {
        judge_note(out, "growth in %s not measured; add %s", in, power == CONSTANT_IN_STEPS ? "steps" : "dimensions");
        out->outcome = out->outcome > OUTCOME_INCONCLUSIVE ? out->outcome : OUTCOME_INCONCLUSIVE;
        return;
    }
    judge_note(out, "C grows in %s by at most %.3f ± %.3f (%s)", in, part->value, part->interval, worst->family);
    if (worst->decided < survey->constants.families)
        judge_note(out, "in %s only %zu of %zu families", in, worst->decided, survey->constants.families);
    out->outcome = out->outcome > part->outcome ? out->outcome : part->outcome;
}

enum status decide_score_size(const struct evidence *evidence, const struct claim *claim, size_t target,
                              struct finding *out, struct error *error)
{
    struct survey survey = {
        .evidence = evidence, .claim = claim, .target = target, .kinship = SAME_BUT_SIZE, .account = out->account};
    enum status status = visit(&survey, judge_linear, error);
    if (status != STATUS_OK)
        return status;
    if (survey.slope.decided == 0) {
        judge_inconclusive(out,
                           survey.constants.families == 0 ? no_family : "no family has enough sizes in the window");
        if (survey.constants.families > 0)
            judge_note(out, "add sizes, 3 at least, at which the effect is at most %g and known", WINDOW_ACCURACY);
        note_cells(&survey.constants, "", out);
        return STATUS_OK;
    }
    take(&survey.slope, out);
    out->bound = claim->bound[0].value;
    out->used = survey.used;
    if (survey.slope.decided < survey.constants.families)
        judge_note(out, "slope in %zu of %zu families", survey.slope.decided, survey.constants.families);
    note_growth(&survey, CONSTANT_IN_STEPS, &survey.steps, out);
    if (evidence->manifest.dimension_count > 1)
        note_growth(&survey, CONSTANT_IN_DIMENSION, &survey.dimension, out);
    judge_note(out, "largest C %.3g, largest excess TV/(eps sqrt(log T)) %.3g", survey.constants.constant,
               survey.constants.excess);
    note_cells(&survey.constants, "", out);
    return STATUS_OK;
}

/* ---- score-rough, ode-rough ---- */

static void judge_contrast(struct finding *part, const char *of, const struct claim_bound *bound,
                           const struct growth *growth)
{
    double value = growth->exponent.value, interval = growth->exponent.interval, limit = bound->value + ZERO;
    struct judgement judgement = {.exponent = growth->exponent,
                                  .regression = power_kinds[bound->power].regression,
                                  .cells = growth->cells,
                                  .condition = {{OUTCOME_SUPPORTED, "supported", "the lower end of the interval",
                                                 ABOVE, limit, value - interval},
                                                {OUTCOME_REFUTED, "refuted", "the upper end of the interval", AT_MOST,
                                                 limit, value + interval}},
                                  .conditions = 2,
                                  .otherwise = "inconclusive"};
    (void)snprintf(judgement.of, sizeof judgement.of, "%s", of);
    (void)judge_by(part, &judgement, OUTCOME_INCONCLUSIVE);
    part->measured = 1;
    part->value = value;
    part->interval = interval;
}

static enum status judge_rough(struct survey *survey, const struct error_family *family,
                               const struct error_cells *cells, struct error *error)
{
    struct growth growth;
    struct finding part = {.claim = survey->claim, .account = survey->account};
    const struct claim_bound *bound = &survey->claim->bound[0];
    char of[192];
    TRY(roughness_growth_fit(survey->evidence, cells, &growth, error));
    account_family(survey, family, cells,
                   "an effect of at most 0.1, known to a thousandth, and ω within a factor 64 of the largest",
                   growth.ok);
    if (!growth.ok)
        return STATUS_OK;
    name_judged(survey, family, "growth exponent of C in ω", of, sizeof of);
    if (bound->relation == ABOVE)
        judge_contrast(&part, of, bound, &growth);
    else
        judge_power(&part, of, bound, growth.cells, &growth.exponent);
    keep_worst(&survey->slope, &part, bound->relation == ABOVE ? -1.0 : 1.0, &survey->evidence->manifest, family);
    survey->used += growth.cells;
    return STATUS_OK;
}

enum status decide_score_roughness(const struct evidence *evidence, const struct claim *claim, size_t target,
                                   struct finding *out, struct error *error)
{
    struct survey survey = {.evidence = evidence,
                            .claim = claim,
                            .target = target,
                            .kinship = SAME_BUT_ROUGHNESS,
                            .account = out->account};
    TRY(visit(&survey, judge_rough, error));
    if (survey.slope.decided == 0) {
        judge_inconclusive(out, survey.constants.families == 0 ? no_family
                                                               : "no family has enough roughnesses in the window");
        if (survey.constants.families > 0)
            judge_note(out,
                       "add roughnesses, 3 at least, within a factor %g of the largest, at sizes at which the effect "
                       "is at most %g and known",
                       WINDOW_ROUGHNESS, WINDOW_ACCURACY);
    } else {
        take(&survey.slope, out);
        out->used = survey.used;
        if (survey.slope.decided < survey.constants.families)
            judge_note(out, "%zu of %zu families", survey.slope.decided, survey.constants.families);
        judge_note(out, "largest C %.3g", survey.constants.constant);
    }
    note_cells(&survey.constants, claim->needs & NEEDS_DETERMINISTIC ? " where the error folds the map" : "", out);
    return STATUS_OK;
}
