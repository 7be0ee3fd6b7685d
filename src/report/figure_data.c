#include "report/figure_data.h"

#include <math.h>
#include <string.h>

#include "report/figure_sheet.h"
#include "verdict/claims.h"
#include "verdict/exponents.h"

enum { GUIDE_POINTS = 40, MOST_SHOWN = 3, FEWEST_ON_CURVE = 3 };

/* ---- T(d, eps) ---- */

/* A line through the cells of a target: all accuracies in the dimension of index `fixed`, or all dimensions at the
 * accuracy of that index. */
struct slice {
    const struct evidence *evidence;
    size_t target;
    int of_dimension;
    size_t fixed;
};

static size_t slice_count(const struct slice *slice)
{
    return slice->of_dimension ? slice->evidence->manifest.dimension_count : slice->evidence->manifest.accuracy_count;
}

static double slice_x(const struct slice *slice, size_t i)
{
    const struct manifest *manifest = &slice->evidence->manifest;
    return slice->of_dimension ? (double)manifest->dimensions[i] : 1.0 / manifest->accuracies[i];
}

static const struct bracket *slice_bracket(const struct slice *slice, size_t sampler, size_t i)
{
    return evidence_complexity(slice->evidence, slice->target, sampler, slice->of_dimension ? i : slice->fixed,
                               slice->of_dimension ? slice->fixed : i);
}

static size_t slice_found(const struct slice *slice, size_t sampler)
{
    size_t found = 0;
    for (size_t i = 0; i < slice_count(slice); i++)
        found += slice_bracket(slice, sampler, i)->reach == REACH_FOUND;
    return found;
}

static struct place slice_place(const struct slice *slice, const char *sampler, size_t series, size_t i,
                                const char *kind)
{
    const struct manifest *manifest = &slice->evidence->manifest;
    size_t dimension = manifest->dimensions[slice->of_dimension ? i : slice->fixed];
    return (struct place){manifest->targets[slice->target].name, sampler, series, dimension, kind};
}

/* The curve of every sampler. Open brackets show nothing: their T is not known. */
static void put_slice(struct sheet *sheet, const struct slice *slice, size_t first_series)
{
    const struct manifest *manifest = &slice->evidence->manifest;
    for (size_t s = 0; s < manifest->sampler_count; s++)
        for (size_t i = 0; i < slice_count(slice); i++) {
            const struct bracket *bracket = slice_bracket(slice, s, i);
            struct place place = slice_place(slice, manifest->samplers[s].name, first_series + s, i, "found");
            if (bracket->reach == REACH_AT_START)
                place.kind = "at-start";
            if (bracket->reach == REACH_FOUND || bracket->reach == REACH_AT_START)
                sheet_point(sheet, &place, slice_x(slice, i), (double)bracket->passes);
            if (bracket->reach != REACH_BEYOND || bracket->fails == 0)
                continue;
            place.kind = "beyond";
            sheet_point(sheet, &place, slice_x(slice, i), (double)bracket->fails);
            sheet->beyond_rows = place.series > sheet->beyond_rows ? place.series : sheet->beyond_rows;
        }
}

/* The T at which the cost without the logarithm is `cost`. */
static double steps_of_cost(const char *schedule, double cost)
{
    double T = 3.0;
    if (log_free_cost(schedule, 3) == T) /* there is none */
        return fmax(cost, T);
    for (int i = 0; i < 200; i++)
        T = fmax(cost * log(T), 3.0);
    return T;
}

/* How the bound that a claim sets on T/log T grows, drawn through the first found point of its sampler. */
struct guide {
    const char *sampler;
    const char *key[2]; /* against 1/eps, and against d */
};
static const struct guide guides[] = {{"accelerated", {"{/:Italic d}^{5/4}/√ε", "{/:Italic d}^{5/4}"}},
                                      {"ddpm", {"{/:Italic d}/ε", "{/:Italic d}"}}};
enum { GUIDES = sizeof guides / sizeof guides[0], MOST_GUIDES = 6 };

static void put_guide(const struct sheet *sheet, const struct slice *slice, const char *name, double power,
                      size_t series)
{
    size_t sampler = evidence_sampler(slice->evidence, name), count = slice_count(slice), first = 0;
    while (first < count && slice_bracket(slice, sampler, first)->reach != REACH_FOUND)
        first++;
    if (first + 1 >= count)
        return;
    const struct place place = slice_place(slice, name, series, first, "guide");
    double x = slice_x(slice, first), whole = slice_x(slice, count - 1) / x;
    const char *schedule = slice->evidence->manifest.samplers[sampler].schedule;
    double cost = log_free_cost(schedule, slice_bracket(slice, sampler, first)->passes);
    for (int i = 0; i <= GUIDE_POINTS; i++) {
        double ratio = pow(whole, i / (double)GUIDE_POINTS);
        sheet_row(sheet, &place, x * ratio, steps_of_cost(schedule, cost * pow(ratio, power)));
    }
}

/* The bounds on numbers of steps that the experiment states; returns how many guides are drawn. */
static size_t put_stated_guides(const struct sheet *sheet, const struct slice *slice, size_t drawn)
{
    const struct manifest *manifest = &slice->evidence->manifest;
    const char *axis = slice->of_dimension ? "dimension" : "accuracy";
    for (const struct claim_spec *claim = manifest->own_claims;
         claim < manifest->own_claims + manifest->own_claim_count; claim++)
        for (size_t p = 0; p < claim->power_count && claim->quantity == NULL; p++)
            for (size_t s = 0; s < claim->sampler_count; s++) {
                const struct claim_power *power = &claim->powers[p];
                if (power->at_least || strcmp(power->axis, axis) != 0 || drawn >= MOST_GUIDES)
                    continue;
                put_guide(sheet, slice, claim->samplers[s], power->value, ++drawn);
                fprintf(sheet->vars, "guide_%zu = '∝ %s^{%.3g} (%s)'\n", drawn,
                        slice->of_dimension ? "{/:Italic d}" : "1/ε", power->value,
                        sheet_name(claim->sampler_count > 1 ? claim->samplers[s] : claim->name).text);
            }
    return drawn;
}

static enum status put_guides_and_keys(struct sheet *sheet, const struct slice *slice, struct error *error)
{
    const struct manifest *manifest = &slice->evidence->manifest;
    size_t drawn = 0;
    for (const struct guide *guide = guides; guide < guides + GUIDES; guide++) {
        if (manifest->accuracy_in != accuracy_quantities /* TV, which these bounds are of */
            || evidence_sampler(slice->evidence, guide->sampler) == manifest->sampler_count)
            continue;
        const struct claim_bound *bound =
            claims_bound(slice->of_dimension ? STEPS_IN_DIMENSION : STEPS_IN_ACCURACY, guide->sampler);
        put_guide(sheet, slice, guide->sampler, bound->value, ++drawn);
        fprintf(sheet->vars, "guide_%zu = 'bound ∝ %s (%s)'\n", drawn, guide->key[slice->of_dimension],
                guide->sampler);
    }
    drawn = put_stated_guides(sheet, slice, drawn);
    fprintf(sheet->vars, "guides = %zu\n", drawn);
    if (manifest->accuracy_in != accuracy_quantities)
        fprintf(sheet->vars, "needed_for = ' for %s ≤ ε'\n", manifest->accuracy_in->label);
    for (size_t s = 0; s < manifest->sampler_count; s++) {
        struct fit fit;
        TRY(complexity_exponents(slice->evidence, slice->target, s, COST_LOG_FREE, false, NULL, &fit, error));
        if (slice->of_dimension)
            sheet_key(sheet, s + 1, manifest->samplers[s].name, "{/:Italic d}", fit.ok && fit.has_d, fit.d);
        else
            sheet_key(sheet, s + 1, manifest->samplers[s].name, "1/ε", fit.ok, fit.x);
    }
    return STATUS_OK;
}

/* The largest dimension in which some sampler has a curve to show, or 0. */
static size_t large_dimension(const struct evidence *evidence, size_t target)
{
    for (size_t d = evidence->manifest.dimension_count - 1; d > 0; d--)
        for (size_t s = 0; s < evidence->manifest.sampler_count; s++)
            if (slice_found(&(struct slice){evidence, target, 0, d}, s) >= FEWEST_ON_CURVE)
                return d;
    return 0;
}

static size_t found_by_all(const struct slice *slice)
{
    size_t found = 0;
    for (size_t s = 0; s < slice->evidence->manifest.sampler_count; s++)
        found += slice_found(slice, s);
    return found;
}

/* Series 1 to n are the samplers in the smallest dimension, n + 1 to 2n in the large one. */
static enum status collect_accuracy_panel(const struct evidence *evidence, size_t target, struct sheet *sheet,
                                          struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    const struct slice small = {evidence, target, 0, 0};
    const struct slice large = {evidence, target, 0, large_dimension(evidence, target)};
    if (found_by_all(&small) + found_by_all(&large) == 0)
        return STATUS_OK;
    sheet->panels++;
    sheet_title(sheet, "%s", sheet_name(manifest->targets[target].name).text);
    fprintf(sheet->vars, "dimensions_%zu = '● {/:Italic d} = %zu", sheet->panels, manifest->dimensions[0]);
    put_slice(sheet, &small, 1);
    if (large.fixed > 0) {
        fprintf(sheet->vars, "   ○ {/:Italic d} = %zu", manifest->dimensions[large.fixed]);
        put_slice(sheet, &large, manifest->sampler_count + 1);
    }
    fputs("'\n", sheet->vars);
    return put_guides_and_keys(sheet, &small, error);
}

static enum status collect_complexity_accuracy(const struct evidence *evidence, struct sheet *sheet,
                                               struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    for (size_t target = 0; target < manifest->target_count && manifest->accuracy_count > 1; target++)
        TRY(collect_accuracy_panel(evidence, target, sheet, error));
    sheet_colours(manifest, sheet);
    return STATUS_OK;
}

static enum status collect_dimension_panel(const struct evidence *evidence, size_t target, struct sheet *sheet,
                                           struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    struct slice best = {evidence, target, 1, 0};
    size_t most = 0;
    for (size_t e = 0; e < manifest->accuracy_count; e++) {
        const struct slice slice = {evidence, target, 1, e};
        if (manifest->accuracies[e] > manifest->accuracy_in->window || found_by_all(&slice) <= most)
            continue;
        best = slice;
        most = found_by_all(&slice);
    }
    if (most == 0)
        return STATUS_OK;
    sheet->panels++;
    sheet_title(sheet, "%s, ε = %g", sheet_name(manifest->targets[target].name).text,
                manifest->accuracies[best.fixed]);
    put_slice(sheet, &best, 1);
    return put_guides_and_keys(sheet, &best, error);
}

static enum status collect_complexity_dimension(const struct evidence *evidence, struct sheet *sheet,
                                                struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    for (size_t target = 0; target < manifest->target_count && manifest->dimension_count > 1; target++)
        TRY(collect_dimension_panel(evidence, target, sheet, error));
    sheet_colours(manifest, sheet);
    return STATUS_OK;
}

/* ---- The speed-up ---- */

/* T_ddpm/T_accelerated in steps, or 0 where one of them was not found. */
static double speedup(const struct evidence *evidence, size_t target, size_t dimension, size_t accuracy)
{
    size_t fast = evidence_sampler(evidence, "accelerated"), slow = evidence_sampler(evidence, "ddpm");
    const struct bracket *a = evidence_complexity(evidence, target, fast, dimension, accuracy);
    const struct bracket *b = evidence_complexity(evidence, target, slow, dimension, accuracy);
    if (a->reach != REACH_FOUND || b->reach != REACH_FOUND)
        return 0.0;
    return (double)(b->passes - 1) / (double)(a->passes - 1);
}

/* Up to MOST_SHOWN dimensions, spread over those with at least `least` ratios. */
static size_t choose_dimensions(const struct evidence *evidence, size_t target, size_t least, size_t *chosen)
{
    size_t usable = 0, count = 0;
    for (int pass = 0; pass < 2; pass++) {
        size_t found = 0;
        for (size_t d = 0; d < evidence->manifest.dimension_count; d++) {
            size_t ratios = 0;
            for (size_t e = 0; e < evidence->manifest.accuracy_count; e++)
                ratios += speedup(evidence, target, d, e) > 0.0;
            if (ratios < least)
                continue;
            size_t most = usable < MOST_SHOWN ? usable : MOST_SHOWN;
            if (pass > 0 && count < most && found == (most > 1 ? count * (usable - 1) / (most - 1) : 0))
                chosen[count++] = d;
            found++;
        }
        usable = found;
    }
    return count;
}

static void put_speedup_series(const struct evidence *evidence, size_t target, size_t dimension, size_t series,
                               struct sheet *sheet)
{
    const struct manifest *manifest = &evidence->manifest;
    const struct manifest_sampler *fast = &manifest->samplers[evidence_sampler(evidence, "accelerated")];
    const struct manifest_sampler *slow = &manifest->samplers[evidence_sampler(evidence, "ddpm")];
    double dearer = (double)fast->score_evaluations / (double)slow->score_evaluations;
    struct place place = {manifest->targets[target].name, "ddpm/accelerated", series, manifest->dimensions[dimension],
                          ""};
    double first = 0.0, anchor = 0.0;
    for (int evaluations = 0; evaluations < 2; evaluations++) {
        place.kind = evaluations ? "evaluations" : "steps";
        for (size_t e = 0; e < manifest->accuracy_count; e++) {
            double ratio = speedup(evidence, target, dimension, e);
            if (!(ratio > 0.0))
                continue;
            sheet_point(sheet, &place, 1.0 / manifest->accuracies[e], evaluations ? ratio / dearer : ratio);
            anchor = first > 0.0 ? anchor : ratio;
            first = first > 0.0 ? first : 1.0 / manifest->accuracies[e];
        }
    }
    place.kind = "guide";
    if (series == 1) {
        sheet_row(sheet, &place, first, anchor);
        sheet_row(sheet, &place, 1.0 / manifest->accuracies[manifest->accuracy_count - 1],
                  anchor * sqrt(1.0 / manifest->accuracies[manifest->accuracy_count - 1] / first));
    }
    fprintf(sheet->vars, "key_%zu_%zu = '{/:Italic d} = %zu'\n", sheet->panels, series,
            manifest->dimensions[dimension]);
}

static enum status collect_speedup(const struct evidence *evidence, struct sheet *sheet, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    (void)error;
    if (manifest->accuracy_in != accuracy_quantities
        || evidence_sampler(evidence, "accelerated") == manifest->sampler_count
        || evidence_sampler(evidence, "ddpm") == manifest->sampler_count)
        return STATUS_OK;
    for (size_t target = 0; target < manifest->target_count; target++) {
        size_t chosen[MOST_SHOWN], count = choose_dimensions(evidence, target, FEWEST_ON_CURVE, chosen);
        if (count == 0)
            count = choose_dimensions(evidence, target, 1, chosen);
        if (count == 0)
            continue;
        sheet->panels++;
        for (size_t i = 0; i < count; i++)
            put_speedup_series(evidence, target, chosen[i], i + 1, sheet);
        fprintf(sheet->vars, "series_%zu = %zu\n", sheet->panels, count);
        sheet_title(sheet, "%s", sheet_name(manifest->targets[target].name).text);
    }
    sheet->low[1] = fmin(sheet->low[1], 1.0); /* the line of no gain is always in sight */
    sheet->high[1] = fmax(sheet->high[1], 1.0);
    return STATUS_OK;
}

/* ---- All figures ---- */

/* What gnuplot can draw: images of some more panels are too high for it. */
enum { MOST_PANELS = 60 };
#define LEAST 1e-250
#define MOST 1e250

/* A margin around the points; narrow ranges grow to whole decades, so that every axis has labelled tics. */
static void put_range(FILE *vars, char axis, double low, double high, int snug)
{
    int narrow = high < 30.0 * low && !snug;
    low = narrow ? pow(10.0, floor(log10(low))) / 1.3 : low / 1.6;
    high = narrow ? pow(10.0, ceil(log10(high))) * 1.3 : high * 1.6;
    low = fmin(fmax(low, LEAST), MOST);
    high = fmin(fmax(high, 10.0 * LEAST), 10.0 * MOST);
    fprintf(vars, "%cmin = %.9g\n%cmax = %.9g\n", axis, low, axis, high);
}

const struct figure_source figure_complexity_accuracy = {"inverse_accuracy", "steps", collect_complexity_accuracy, 0,
                                                         0};
const struct figure_source figure_complexity_dimension = {"d", "steps", collect_complexity_dimension, 0, 0};
const struct figure_source figure_speedup = {"inverse_accuracy", "ratio", collect_speedup, 0, 0};

enum status figure_collect(const struct figure_source *source, const struct evidence *evidence, struct sheet *sheet,
                           struct error *error)
{
    fprintf(sheet->table, "panel\tseries\tkind\ttarget\tdimension\tsampler\t%s\t%s%s\n", source->x, source->y,
            source->has_estimates ? "\tvalue\tstandard_error" : "");
    enum status status = source->collect(evidence, sheet, error);
    if (status != STATUS_OK || sheet->panels == 0)
        return status;
    sheet->shown = sheet->panels < MOST_PANELS ? sheet->panels : MOST_PANELS;
    fprintf(sheet->vars, "panels = %zu\nleft_out = %zu\nsamplers = %zu\nbeyond_rows = %zu\nfits = %zu\n",
            sheet->shown, sheet->panels - sheet->shown, evidence->manifest.sampler_count, sheet->beyond_rows,
            sheet->fits);
    put_range(sheet->vars, 'x', sheet->low[0], sheet->high[0], source->snug);
    put_range(sheet->vars, 'y', sheet->low[1], sheet->high[1], 0);
    return STATUS_OK;
}
