/* The figures about chains. All of them show exact scores, and of several numbers of chains the largest. A number
 * that is not significantly above 0 (below DETECTION_ERRORS standard errors) is drawn as a limit, the value (at least
 * 0) plus DETECTION_ERRORS errors, and never left out. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "report/figure_sheet.h"
#include "verdict/agreement.h"

#define DETECTION_ERRORS 2.0
#define FLOOR_ERRORS 3.0 /* standard errors of what counts as significant in the figure of noise floors */
enum { MOST_DIMENSIONS = 6, MOST_FLOORS = 3, NAME_ROOM = 160 };

/* Up to `most` of `count` indices, spread over all. Returns how many. */
static size_t spread(size_t count, size_t most, size_t *chosen)
{
    size_t shown = count < most ? count : most;
    for (size_t i = 0; i < shown; i++)
        chosen[i] = shown > 1 ? i * (count - 1) / (shown - 1) : 0;
    return shown;
}

static int is_shown(const struct manifest *manifest, const struct chain_cell *cell, size_t sampler)
{
    return cell->sampler == sampler && cell->score_error == 0 && cell->number + 1 == manifest->chain_count;
}

/* As a point of kind KIND or, where it is not significantly above 0, "KIND limit". */
static void put_estimate(struct sheet *sheet, struct place place, double x, struct estimate estimate)
{
    char kind[NAME_ROOM];
    double y = estimate.value;
    if (!(y > DETECTION_ERRORS * estimate.error)) {
        (void)snprintf(kind, sizeof kind, "%s limit", place.kind);
        place.kind = kind;
        y = fmax(y, 0.0) + DETECTION_ERRORS * estimate.error;
    }
    if (y > 0.0 && isfinite(y))
        sheet_estimate_point(sheet, &place, x, y, estimate);
}

/* Panels are samplers times targets, row after row. */
static void put_layout(const struct manifest *manifest, const struct sheet *sheet)
{
    size_t targets = manifest->target_count;
    if (targets > 1 && targets <= 3 && sheet->panels == targets * manifest->sampler_count)
        fprintf(sheet->vars, "across = %zu\n", targets);
    fprintf(sheet->vars, "chains = %zu\n",
            manifest->chain_count > 0 ? manifest->chains[manifest->chain_count - 1] : 0);
}

/* ---- TV against h or T: chains and exact laws ---- */

/* What is drawn of a target and a sampler: series are dimensions, kinds estimators. */
struct view {
    int against_steps;             /* x is T, not h, and the first estimator has guides */
    const char *const *estimators; /* names, NULL-terminated */
};

struct curves {
    const struct evidence *evidence;
    const struct view *view;
    struct sheet *sheet;
    size_t dimension[MOST_DIMENSIONS], dimensions; /* indices in the manifest */
    size_t laws;                                   /* rows of exact laws in all panels */
};

static double x_of(const struct view *view, const struct record *row)
{
    return view->against_steps ? (double)row->steps : row->step_size;
}

static const struct estimator *estimator_named(const char *name)
{
    size_t i = 0;
    while (estimator_at(i) != NULL && strcmp(estimator_at(i)->name, name) != 0)
        i++;
    return estimator_at(i);
}

static void put_laws(struct curves *curves, size_t target, size_t sampler)
{
    const struct manifest *manifest = &curves->evidence->manifest;
    for (size_t i = 0; i < curves->dimensions; i++) {
        const struct place place = {manifest->targets[target].name, manifest->samplers[sampler].name, i + 1,
                                    manifest->dimensions[curves->dimension[i]], "exact"};
        const struct row_list rows = evidence_rows(curves->evidence, target, sampler, 0, curves->dimension[i]);
        for (size_t j = 0; j < rows.count; j++) {
            const double tv = rows.row[j]->tv;
            curves->laws += (size_t)!isnan(tv);
            if (tv > 0.0)
                sheet_estimate_point(curves->sheet, &place, x_of(curves->view, rows.row[j]), tv,
                                     (struct estimate){tv, 0.0});
        }
    }
}

/* Through the first point of every dimension, falling like 1/sqrt(T) or, as the exact exponent of paths of Gaussians
 * does, like log T/sqrt(T). */
static void put_guides(const struct curves *curves, const struct chain_cells *cells, size_t target, size_t sampler,
                       int with_log)
{
    const struct manifest *manifest = &curves->evidence->manifest;
    const struct estimator *estimator = estimator_named(curves->view->estimators[0]);
    for (size_t i = 0; i < curves->dimensions; i++) {
        const struct place place = {manifest->targets[target].name, "guide", i + 1,
                                    manifest->dimensions[curves->dimension[i]], with_log ? "guide log" : "guide"};
        double scale = 0.0;
        for (size_t j = 0; j < cells->count; j++) {
            const struct chain_cell *cell = &cells->cell[j];
            double T = (double)cell->chains->steps, growth = (with_log ? log(T) : 1.0) / sqrt(T);
            struct estimate value = estimator_value(estimator, cell->chains);
            if (!is_shown(manifest, cell, sampler) || cell->dimension != curves->dimension[i] || !(value.value > 0.0))
                continue;
            scale = scale > 0.0 ? scale : value.value / growth;
            sheet_estimate_row(curves->sheet, &place, T, scale * growth, (struct estimate){scale * growth, 0.0});
        }
    }
}

static void put_chains(const struct curves *curves, const struct chain_cells *cells, size_t target, size_t sampler)
{
    const struct manifest *manifest = &curves->evidence->manifest;
    for (const char *const *name = curves->view->estimators; *name != NULL; name++)
        for (size_t i = 0; i < curves->dimensions; i++) {
            const struct place place = {manifest->targets[target].name, manifest->samplers[sampler].name, i + 1,
                                        manifest->dimensions[curves->dimension[i]], *name};
            for (size_t j = 0; j < cells->count; j++) {
                const struct chain_cell *cell = &cells->cell[j];
                struct estimate value = estimator_value(estimator_named(*name), cell->chains);
                if (is_shown(manifest, cell, sampler) && cell->dimension == curves->dimension[i]
                    && !isnan(value.value))
                    put_estimate(curves->sheet, place, x_of(curves->view, cell->chains), value);
            }
        }
}

static enum status collect_curve_panel(struct curves *curves, size_t target, size_t sampler, struct error *error)
{
    const struct manifest *manifest = &curves->evidence->manifest;
    struct sheet *sheet = curves->sheet;
    struct chain_cells cells;
    TRY(chain_cells_find(curves->evidence, target, &cells, error));
    size_t before = sheet->points;
    sheet->panels++;
    put_chains(curves, &cells, target, sampler);
    if (sheet->points == before)
        sheet->panels--;
    else {
        put_laws(curves, target, sampler);
        for (int with_log = 0; with_log < 2 && curves->view->against_steps; with_log++)
            put_guides(curves, &cells, target, sampler, with_log);
        sheet_title(sheet, "%s, %s", sheet_name(manifest->targets[target].name).text,
                    sheet_name(manifest->samplers[sampler].name).text);
    }
    free(cells.cell);
    return STATUS_OK;
}

static enum status collect_curves(const struct evidence *evidence, const struct view *view, struct sheet *sheet,
                                  struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    struct curves curves = {.evidence = evidence, .view = view, .sheet = sheet};
    curves.dimensions = spread(manifest->dimension_count, MOST_DIMENSIONS, curves.dimension);
    enum status status = STATUS_OK;
    for (size_t s = 0; s < manifest->sampler_count; s++)
        for (size_t target = 0; target < manifest->target_count && status == STATUS_OK; target++)
            status = collect_curve_panel(&curves, target, s, error);
    for (size_t i = 0; i < curves.dimensions; i++)
        fprintf(sheet->vars, "dimension_%zu = %zu\n", i + 1, manifest->dimensions[curves.dimension[i]]);
    fprintf(sheet->vars, "dimensions = %zu\nlaws = %d\n", curves.dimensions, curves.laws > 0);
    for (size_t i = 0; view->estimators[i] != NULL; i++)
        fprintf(sheet->vars, "asked_%zu = %d\n", i + 1,
                estimator_is_asked(estimator_named(view->estimators[i]), manifest));
    put_layout(manifest, sheet);
    return status;
}

static enum status collect_empirical(const struct evidence *evidence, struct sheet *sheet, struct error *error)
{
    static const char *const lower[] = {"projection_tv", "weights_tv", NULL};
    static const struct view view = {0, lower};
    return collect_curves(evidence, &view, sheet, error);
}

static enum status collect_path_kl(const struct evidence *evidence, struct sheet *sheet, struct error *error)
{
    static const char *const upper[] = {"pinsker_tv", "chi2_tv", NULL};
    static const struct view view = {1, upper};
    return collect_curves(evidence, &view, sheet, error);
}

/* ---- The noise floor ---- */

/* The largest TV that an estimate of FLOOR_ERRORS standard errors, the least that is significant, can stand for: by
 * Pinsker and by TV <= sqrt(chi2)/2. NaN for upper bounds, which detect nothing. */
static double floor_of(const struct estimator *estimator, double error)
{
    if (estimator->role == ROLE_LOWER)
        return FLOOR_ERRORS * error;
    if (estimator->role == ROLE_UPPER)
        return NAN;
    return strcmp(estimator->quantity, "chi2_q_p") == 0 ? 0.5 * sqrt(FLOOR_ERRORS * error)
                                                        : sqrt(0.5 * FLOOR_ERRORS * error);
}

/* A quarter of the first floor of the panel, falling like 1/sqrt(chains). */
static void put_floor_guide(const struct manifest *manifest, size_t target, size_t dimension, double first,
                            const struct sheet *sheet)
{
    const struct place place = {manifest->targets[target].name, "guide", 0, manifest->dimensions[dimension], "guide"};
    for (size_t n = 0; n < manifest->chain_count; n++) {
        double y = 0.25 * first * sqrt((double)manifest->chains[0] / (double)manifest->chains[n]);
        sheet_estimate_row(sheet, &place, (double)manifest->chains[n], y, (struct estimate){y, 0.0});
    }
}

/* The lowest floor among the samplers at the largest T. */
static struct estimate lowest(const struct manifest *manifest, const struct chain_cells *cells,
                              const struct estimator *estimator, size_t dimension, size_t number)
{
    struct estimate best = {NAN, NAN};
    for (size_t i = 0; i < cells->count; i++) {
        const struct chain_cell *cell = &cells->cell[i];
        struct estimate value = estimator_value(estimator, cell->chains);
        if (cell->dimension == dimension && cell->number == number && cell->score_error == 0
            && cell->chains->steps == manifest->steps[manifest_last_steps(manifest, dimension)] && !isnan(value.error)
            && !(value.error >= best.error))
            best = value;
    }
    return best;
}

static void put_floors(const struct evidence *evidence, const struct chain_cells *cells, size_t target,
                       size_t dimension, struct sheet *sheet)
{
    const struct manifest *manifest = &evidence->manifest;
    double first = 0.0;
    for (size_t e = 0; estimator_at(e) != NULL; e++) {
        const struct place place = {manifest->targets[target].name, estimator_at(e)->name, e + 1,
                                    manifest->dimensions[dimension], "floor"};
        for (size_t n = 0; n < manifest->chain_count; n++) {
            struct estimate best = lowest(manifest, cells, estimator_at(e), dimension, n);
            double y = floor_of(estimator_at(e), best.error);
            if (y > 0.0)
                sheet_estimate_point(sheet, &place, (double)manifest->chains[n], y, best);
            if (n == 0 && y > 0.0 && !(first > 0.0))
                first = y;
        }
    }
    if (first > 0.0)
        put_floor_guide(manifest, target, dimension, first, sheet);
}

/* Of every sampler at the largest T, over the range of chains. */
static void put_levels(const struct evidence *evidence, size_t target, size_t dimension, struct sheet *sheet)
{
    const struct manifest *manifest = &evidence->manifest;
    for (size_t s = 0; s < manifest->sampler_count; s++) {
        const struct place place = {manifest->targets[target].name, manifest->samplers[s].name, s + 1,
                                    manifest->dimensions[dimension], "exact"};
        const struct row_list rows = evidence_rows(evidence, target, s, 0, dimension);
        const double tv = rows.count > 0 ? rows.row[rows.count - 1]->tv : NAN;
        for (size_t n = 0; n < manifest->chain_count && tv > 0.0; n += manifest->chain_count - 1)
            sheet_estimate_point(sheet, &place, (double)manifest->chains[n], tv, (struct estimate){tv, 0.0});
    }
}

static enum status collect_floor_panel(const struct evidence *evidence, size_t target, size_t dimension,
                                       struct sheet *sheet, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    struct chain_cells cells;
    TRY(chain_cells_find(evidence, target, &cells, error));
    size_t before = sheet->points;
    sheet->panels++;
    put_floors(evidence, &cells, target, dimension, sheet);
    if (sheet->points == before)
        sheet->panels--;
    else {
        put_levels(evidence, target, dimension, sheet);
        sheet_title(sheet, "%s, {/:Italic d} = %zu", sheet_name(manifest->targets[target].name).text,
                    manifest->dimensions[dimension]);
    }
    free(cells.cell);
    return STATUS_OK;
}

static void put_estimator_keys(const struct sheet *sheet)
{
    size_t count = 0;
    for (; estimator_at(count) != NULL; count++)
        fprintf(sheet->vars, "estimator_%zu = '%s'\n", count + 1, sheet_name(estimator_at(count)->name).text);
    fprintf(sheet->vars, "estimators = %zu\n", count);
}

/* Numbers of the series that have points of this kind in any panel, for keys: "1 2 5". */
static void put_floor_series(const struct evidence *evidence, const struct sheet *sheet)
{
    fputs("shown = '", sheet->vars);
    for (size_t e = 0; estimator_at(e) != NULL; e++)
        if (!isnan(floor_of(estimator_at(e), 1.0)) && estimator_is_asked(estimator_at(e), &evidence->manifest))
            fprintf(sheet->vars, " %zu", e + 1);
    fputs("'\n", sheet->vars);
}

static enum status collect_noise_floor(const struct evidence *evidence, struct sheet *sheet, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    size_t dimension[MOST_FLOORS], dimensions = 1;
    enum status status = STATUS_OK;
    if (manifest->chain_count < 2)
        return STATUS_OK;
    dimension[0] = 0;
    if (manifest->target_count == 1)
        dimensions = spread(manifest->dimension_count, MOST_FLOORS, dimension);
    for (size_t target = 0; target < manifest->target_count; target++)
        for (size_t d = 0; d < dimensions && status == STATUS_OK; d++)
            status = collect_floor_panel(evidence, target, dimension[d], sheet, error);
    for (size_t s = 0; s < manifest->sampler_count; s++)
        fprintf(sheet->vars, "sampler_%zu = '%s'\n", s + 1, sheet_name(manifest->samplers[s].name).text);
    fprintf(sheet->vars, "largest_steps = %zu\n", /* 0: one for each dimension */
            manifest->asks == NULL ? manifest->steps[manifest->step_count - 1] : 0);
    put_floor_series(evidence, sheet);
    put_estimator_keys(sheet);
    sheet_colours(manifest, sheet);
    return status;
}

/* ---- Estimate/exact ---- */

/* Upper bounds of KL are left to those of TV that are made of them. */
static int has_ratio(const struct estimator *estimator)
{
    return estimator->role != ROLE_UPPER || strcmp(estimator->quantity, "tv") == 0;
}

static int ratio(const struct manifest *manifest, const struct chain_cell *cell, size_t sampler,
                 const struct estimator *estimator, struct estimate *out)
{
    double exact = estimator_exact(estimator, cell->law);
    struct estimate value = estimator_value(estimator, cell->chains);
    *out = (struct estimate){value.value / exact, value.error / exact};
    return is_shown(manifest, cell, sampler) && isfinite(exact) && exact > 0.0 && !isnan(value.value);
}

/* The T at which the estimate is significant in the most dimensions, of several the one with the most at all, then
 * the smallest; 0 if there is none. */
static size_t best_steps(const struct manifest *manifest, const struct chain_cells *cells, size_t sampler,
                         const struct estimator *estimator)
{
    size_t best = 0, most = 0;
    for (size_t t = 0; t < manifest->step_count; t++) {
        size_t weight = 0;
        for (size_t i = 0; i < cells->count; i++) {
            struct estimate found;
            if (cells->cell[i].chains->steps == manifest->steps[t]
                && ratio(manifest, &cells->cell[i], sampler, estimator, &found))
                weight += 1 + (found.value > DETECTION_ERRORS * found.error ? manifest->dimension_count : 0);
        }
        if (weight > most) {
            most = weight;
            best = manifest->steps[t];
        }
    }
    return best;
}

/* Path bounds aside, which are never near. */
static int detects_anything(const struct manifest *manifest, const struct chain_cells *cells, size_t sampler)
{
    struct estimate found;
    for (size_t i = 0; i < cells->count; i++)
        for (size_t e = 0; estimator_at(e) != NULL; e++)
            if (estimator_at(e)->role != ROLE_UPPER
                && ratio(manifest, &cells->cell[i], sampler, estimator_at(e), &found)
                && found.value > DETECTION_ERRORS * found.error)
                return 1;
    return 0;
}

static void put_ratios(const struct manifest *manifest, const struct chain_cells *cells, size_t target,
                       size_t sampler, size_t index, size_t steps, struct sheet *sheet)
{
    char name[NAME_ROOM];
    (void)snprintf(name, sizeof name, "%s, %s, T = %zu", manifest->samplers[sampler].name, estimator_at(index)->name,
                   steps);
    for (size_t i = 0; i < cells->count; i++) {
        struct estimate found;
        const struct place place = {manifest->targets[target].name, name, index + 1, cells->cell[i].chains->dimension,
                                    "measured"};
        if (cells->cell[i].chains->steps == steps
            && ratio(manifest, &cells->cell[i], sampler, estimator_at(index), &found))
            put_estimate(sheet, place, (double)cells->cell[i].chains->dimension, found);
    }
}

/* A panel being collected, and what all panels add up to. */
struct ratios {
    const struct evidence *evidence;
    struct sheet *sheet;
    size_t most_shown; /* estimators in a panel */
    size_t undetected; /* panels left out because no estimate in them is significantly above 0 */
};

static void put_ratio_panel(struct ratios *ratios, const struct chain_cells *cells, size_t target, size_t sampler)
{
    const struct manifest *manifest = &ratios->evidence->manifest;
    struct sheet *sheet = ratios->sheet;
    size_t shown = 0;
    sheet->panels++;
    fprintf(sheet->vars, "shown_%zu = ''\n", sheet->panels);
    for (size_t e = 0; estimator_at(e) != NULL; e++) {
        size_t steps = has_ratio(estimator_at(e)) ? best_steps(manifest, cells, sampler, estimator_at(e)) : 0;
        if (steps == 0)
            continue;
        put_ratios(manifest, cells, target, sampler, e, steps, sheet);
        fprintf(sheet->vars, "shown_%zu = shown_%zu.' %zu'\nkey_%zu_%zu = '%s, {/:Italic T} = %zu'\n", sheet->panels,
                sheet->panels, e + 1, sheet->panels, e + 1, sheet_name(estimator_at(e)->name).text, steps);
        shown++;
    }
    ratios->most_shown = shown > ratios->most_shown ? shown : ratios->most_shown;
    sheet_title(sheet, "%s, %s", sheet_name(manifest->targets[target].name).text,
                sheet_name(manifest->samplers[sampler].name).text);
}

static void put_undetected(struct ratios *ratios, size_t target, size_t sampler)
{
    const struct manifest *manifest = &ratios->evidence->manifest;
    fprintf(ratios->sheet->vars, "undetected = undetected.'%s%s, %s'\n", ratios->undetected++ > 0 ? "; " : "",
            sheet_name(manifest->targets[target].name).text, sheet_name(manifest->samplers[sampler].name).text);
}

static int has_laws(const struct chain_cells *cells)
{
    int found = 0;
    for (size_t i = 0; i < cells->count && !found; i++)
        found = cells->cell[i].law != NULL;
    return found;
}

static enum status collect_ratio_panels(struct ratios *ratios, size_t sampler, struct error *error)
{
    const struct manifest *manifest = &ratios->evidence->manifest;
    for (size_t target = 0; target < manifest->target_count; target++) {
        struct chain_cells cells;
        TRY(chain_cells_find(ratios->evidence, target, &cells, error));
        if (detects_anything(manifest, &cells, sampler))
            put_ratio_panel(ratios, &cells, target, sampler);
        else if (has_laws(&cells))
            put_undetected(ratios, target, sampler);
        free(cells.cell);
    }
    return STATUS_OK;
}

static enum status collect_bias(const struct evidence *evidence, struct sheet *sheet, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    struct ratios ratios = {.evidence = evidence, .sheet = sheet};
    enum status status = STATUS_OK;
    if (manifest->dimension_count < 2 || manifest->chain_count == 0)
        return STATUS_OK;
    fputs("undetected = ''\n", sheet->vars);
    for (size_t s = 0; s < manifest->sampler_count && status == STATUS_OK; s++)
        status = collect_ratio_panels(&ratios, s, error);
    fprintf(sheet->vars, "most_shown = %zu\n", ratios.most_shown);
    put_layout(manifest, sheet);
    return status;
}

const struct figure_source figure_empirical = {"step_size", "tv", collect_empirical, 1, 1};
const struct figure_source figure_path_kl = {"steps", "tv", collect_path_kl, 1, 1};
const struct figure_source figure_noise_floor = {"chains", "tv", collect_noise_floor, 1, 0};
const struct figure_source figure_bias = {"d", "ratio", collect_bias, 1, 1};
