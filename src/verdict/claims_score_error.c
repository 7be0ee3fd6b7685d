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
#include "verdict/error_growth.h"
#include "verdict/exponents.h"
#include "verdict/judge.h"

/* Decides nothing beside any outcome of the slope. */
#define GROWTH_FINE OUTCOME_NOT_TIGHT

/* Effects are known to a thousandth, so that a smaller exponent is none. */
#define ZERO WINDOW_RADIUS

static const char no_family[] = "no sampler of this kind or no such score error in the experiment";

static int is_deterministic(const struct sampler *sampler)
{
    return sampler->log_noise_ratio == NULL;
}

static int has_sampler(const struct spec *spec, int deterministic)
{
    int found = 0;
    for (size_t i = 0; i < spec->sampler_count && !found; i++)
        found = is_deterministic(spec->samplers[i]) == deterministic;
    return found;
}

int score_error_applies(const struct spec *spec)
{
    return spec->score_error_count > 1 && has_sampler(spec, 0);
}

int stochastic_roughness_applies(const struct spec *spec)
{
    return error_family_next(spec, SAME_BUT_ROUGHNESS, 0) < spec->score_error_count && has_sampler(spec, 0);
}

int deterministic_roughness_applies(const struct spec *spec)
{
    return error_family_next(spec, SAME_BUT_ROUGHNESS, 0) < spec->score_error_count && has_sampler(spec, 1);
}

/* ---- What both kinds of statistics share ---- */

/* Adds up over families. */
struct constants {
    size_t families, unresolved, missing;
    double constant, excess, unresolved_constant;
};

static void see(struct constants *seen, const struct error_cells *cells)
{
    seen->families++;
    seen->unresolved += cells->count - cells->inside;
    seen->missing += cells->missing;
    seen->constant = fmax(seen->constant, cells->constant);
    seen->excess = cells->inside > 0 ? fmax(seen->excess, cells->excess) : seen->excess;
    seen->unresolved_constant = fmax(seen->unresolved_constant, cells->unresolved_constant);
}

static void note_cells(const struct constants *seen, const char *missing, struct finding *out)
{
    out->censored = seen->unresolved;
    if (seen->unresolved > 0)
        judge_note(out, "%zu cells unresolved, where C <= %.3g", seen->unresolved, seen->unresolved_constant);
    if (seen->missing > 0)
        judge_note(out, "%zu cells missing%s", seen->missing, missing);
}

/* The worst family's part of a finding. */
struct worst {
    struct finding finding;
    char family[120];
    size_t decided; /* families with enough cells */
};

/* Keeps the more severe; among equals, the one that is larger times `toward`. */
static void keep_worst(struct worst *worst, const struct finding *part, double toward, const struct spec *spec,
                       const struct error_family *family)
{
    char label[80];
    if (worst->decided++ > 0
        && (part->outcome < worst->finding.outcome
            || (part->outcome == worst->finding.outcome && toward * part->value <= toward * worst->finding.value)))
        return;
    worst->finding = *part;
    error_family_label(spec, family, label, sizeof label);
    (void)snprintf(worst->family, sizeof worst->family, "%s, %s", spec->samplers[family->sampler]->name, label);
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
    int deterministic;
    enum error_kinship kinship;
    struct constants seen;
    struct worst slope, steps, dimension;
    size_t used;
};

static enum status visit(struct survey *survey,
                         enum status (*judge)(struct survey *survey, const struct error_family *family,
                                              const struct error_cells *cells, struct error *error),
                         struct error *error)
{
    const struct spec *spec = &survey->evidence->spec;
    enum status status = STATUS_OK;
    survey->seen.excess = NAN; /* of no cell; fmax passes over it */
    for (size_t s = 0; s < spec->sampler_count; s++) {
        size_t e = error_family_next(spec, survey->kinship, 0);
        if (is_deterministic(spec->samplers[s]) != survey->deterministic)
            continue;
        for (; e < spec->score_error_count && status == STATUS_OK; e = error_family_next(spec, survey->kinship, e)) {
            const struct error_family family = {survey->target, s, survey->kinship, e};
            struct error_cells cells;
            status = error_cells_find(survey->evidence, &family, &cells, error);
            if (status == STATUS_OK) {
                see(&survey->seen, &cells);
                status = judge(survey, &family, &cells, error);
            }
            free(cells.cell);
        }
    }
    return status;
}

/* ---- score-linear ---- */

static enum outcome judge_growth(const struct exponent *growth)
{
    double value = growth->value, interval = growth->interval;
    if (value - interval > BAND)
        return OUTCOME_REFUTED;
    return value + interval <= BAND || (fabs(value) <= BAND && interval <= WIDEST) ? GROWTH_FINE
                                                                                   : OUTCOME_INCONCLUSIVE;
}

static void keep_growth(struct worst *worst, const struct growth *growth, const struct survey *survey,
                        const struct error_family *family)
{
    const struct finding part = {.outcome = judge_growth(&growth->exponent),
                                 .value = growth->exponent.value,
                                 .interval = growth->exponent.interval};
    if (growth->ok)
        keep_worst(worst, &part, 1.0, &survey->evidence->spec, family);
}

/* The power of eps_score is a lower bound, judged as an upper bound on its negative. */
static enum status judge_linear(struct survey *survey, const struct error_family *family,
                                const struct error_cells *cells, struct error *error)
{
    struct error_growth growth;
    struct finding part = {.claim = survey->claim};
    enum status status = error_growth_fit(cells, &growth, error);
    if (status != STATUS_OK)
        return status;
    if (growth.slope.ok) {
        judge_upper(&part, -growth.slope.exponent.value, growth.slope.exponent.interval, -survey->claim->bound);
        keep_worst(&survey->slope, &part, 1.0, &survey->evidence->spec, family);
        survey->used += growth.slope.cells;
    }
    keep_growth(&survey->steps, &growth.steps, survey, family);
    keep_growth(&survey->dimension, &growth.dimension, survey, family);
    return STATUS_OK;
}

static void note_growth(const struct survey *survey, const char *in, const struct worst *worst, struct finding *out)
{
    const struct finding *part = &worst->finding;
    if (worst->decided == 0) {
        judge_note(out, "growth in %s not measured", in);
        out->outcome = out->outcome > OUTCOME_INCONCLUSIVE ? out->outcome : OUTCOME_INCONCLUSIVE;
        return;
    }
    judge_note(out, "C grows in %s by at most %.3f ± %.3f (%s)", in, part->value, part->interval, worst->family);
    if (worst->decided < survey->seen.families)
        judge_note(out, "in %s only %zu of %zu families", in, worst->decided, survey->seen.families);
    out->outcome = out->outcome > part->outcome ? out->outcome : part->outcome;
}

enum status decide_score_linear(const struct evidence *evidence, const struct claim *claim, size_t target,
                                struct finding *out, struct error *error)
{
    struct survey survey = {.evidence = evidence, .claim = claim, .target = target, .kinship = SAME_BUT_SIZE};
    enum status status = visit(&survey, judge_linear, error);
    if (status != STATUS_OK)
        return status;
    if (survey.slope.decided == 0) {
        judge_inconclusive(out, survey.seen.families == 0 ? no_family : "no family has enough sizes in the window");
        note_cells(&survey.seen, "", out);
        return STATUS_OK;
    }
    take(&survey.slope, out);
    out->value = -out->value;
    out->bound = claim->bound;
    out->used = survey.used;
    if (survey.slope.decided < survey.seen.families)
        judge_note(out, "slope in %zu of %zu families", survey.slope.decided, survey.seen.families);
    note_growth(&survey, "T", &survey.steps, out);
    if (evidence->spec.dimension_count > 1)
        note_growth(&survey, "d", &survey.dimension, out);
    judge_note(out, "largest C %.3g, largest excess TV/(eps sqrt(log T)) %.3g", survey.seen.constant,
               survey.seen.excess);
    note_cells(&survey.seen, "", out);
    return STATUS_OK;
}

/* ---- score-rough, ode-rough ---- */

static enum status judge_rough(struct survey *survey, const struct error_family *family,
                               const struct error_cells *cells, struct error *error)
{
    struct growth growth;
    struct finding part = {.claim = survey->claim};
    enum status status = roughness_growth_fit(survey->evidence, cells, &growth, error);
    if (status != STATUS_OK || !growth.ok)
        return status;
    double value = growth.exponent.value, interval = growth.exponent.interval;
    judge_upper(&part, value, interval, survey->claim->bound);
    if (survey->deterministic) {
        part.note[0] = '\0';
        part.outcome = value - interval > ZERO    ? OUTCOME_SUPPORTED
                       : value + interval <= ZERO ? OUTCOME_REFUTED
                                                  : OUTCOME_INCONCLUSIVE;
    }
    keep_worst(&survey->slope, &part, survey->deterministic ? -1.0 : 1.0, &survey->evidence->spec, family);
    survey->used += growth.cells;
    return STATUS_OK;
}

static enum status decide_rough(struct survey *survey, const char *missing, struct finding *out, struct error *error)
{
    enum status status = visit(survey, judge_rough, error);
    if (status != STATUS_OK)
        return status;
    if (survey->slope.decided == 0)
        judge_inconclusive(out,
                           survey->seen.families == 0 ? no_family : "no family has enough roughnesses in the window");
    else {
        take(&survey->slope, out);
        out->used = survey->used;
        if (survey->slope.decided < survey->seen.families)
            judge_note(out, "%zu of %zu families", survey->slope.decided, survey->seen.families);
        judge_note(out, "largest C %.3g", survey->seen.constant);
    }
    note_cells(&survey->seen, missing, out);
    return STATUS_OK;
}

enum status decide_score_rough(const struct evidence *evidence, const struct claim *claim, size_t target,
                               struct finding *out, struct error *error)
{
    struct survey survey = {.evidence = evidence, .claim = claim, .target = target, .kinship = SAME_BUT_ROUGHNESS};
    return decide_rough(&survey, "", out, error);
}

enum status decide_ode_rough(const struct evidence *evidence, const struct claim *claim, size_t target,
                             struct finding *out, struct error *error)
{
    struct survey survey = {
        .evidence = evidence, .claim = claim, .target = target, .deterministic = 1, .kinship = SAME_BUT_ROUGHNESS};
    return decide_rough(&survey, " where the error folds the map", out, error);
}
