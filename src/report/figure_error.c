/* The figures about score errors. A panel is a target; all of them show the smallest dimension, and only cells inside
 * the window of error_growth.h. */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "report/figure_sheet.h"
#include "verdict/error_growth.h"

#define ANY_STEPS SIZE_MAX
enum { MOST_KINDS = 4, LABEL_ROOM = 100 };

/* The score errors that a figure has room for: of those that differ in shape, profile or growth the first in the
 * experiment, each with its sizes. */
struct kinds {
    size_t first[MOST_KINDS], count;
    size_t more; /* families left out */
};

static int same_kind(const struct manifest_error *a, const struct manifest_error *b)
{
    return strcmp(a->shape, b->shape) == 0 && strcmp(a->profile, b->profile) == 0 && a->growth == b->growth;
}

static struct kinds choose_kinds(const struct manifest *manifest)
{
    struct kinds kinds = {.count = 0};
    for (size_t e = error_family_next(manifest, SAME_BUT_SIZE, 0); e < manifest->score_error_count;
         e = error_family_next(manifest, SAME_BUT_SIZE, e)) {
        size_t k = 0;
        while (k < kinds.count && !same_kind(&manifest->score_errors[kinds.first[k]], &manifest->score_errors[e]))
            k++;
        if (k == kinds.count && k < MOST_KINDS)
            kinds.first[kinds.count++] = e;
        else
            kinds.more++;
    }
    return kinds;
}

static double size_of(const struct error_cell *cell)
{
    return cell->row->score_error_size;
}

static int by_size_roughness_steps(const void *a, const void *b)
{
    const struct error_cell *p = a, *q = b;
    const struct record *x = p->row, *y = q->row;
    if (x->score_error_size != y->score_error_size)
        return x->score_error_size < y->score_error_size ? -1 : 1;
    if (p->roughness < q->roughness || p->roughness > q->roughness)
        return p->roughness < q->roughness ? -1 : 1;
    return x->steps < y->steps ? -1 : x->steps > y->steps;
}

/* The cells that a figure can show, sorted: those of the smallest dimension inside the window, and if `steps` is not
 * ANY_STEPS at this T. */
static enum status find_cells(const struct evidence *evidence, const struct error_family *family, size_t steps,
                              struct error_cells *out, struct error *error)
{
    size_t kept = 0;
    TRY(error_cells_find(evidence, family, out, error));
    for (size_t i = 0; i < out->count; i++) {
        const struct error_cell *cell = &out->cell[i];
        if (cell->inside && cell->dimension == 0 && (steps == ANY_STEPS || cell->steps == steps))
            out->cell[kept++] = *cell;
    }
    out->count = kept;
    qsort(out->cell, kept, sizeof *out->cell, by_size_roughness_steps);
    return STATUS_OK;
}

/* The size of which all samplers together have the most cells to show; of several the largest. 0: none. */
static enum status choose_size(const struct evidence *evidence, struct error_family family, size_t steps,
                               double *size, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    enum status status = STATUS_OK;
    size_t most = 0, *count = array_new(manifest->score_error_count, sizeof *count);
    *size = 0.0;
    if (count == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a figure");
    for (family.sampler = 0; family.sampler < manifest->sampler_count && status == STATUS_OK; family.sampler++) {
        struct error_cells cells;
        status = find_cells(evidence, &family, steps, &cells, error);
        for (size_t i = 0; i < cells.count && status == STATUS_OK; i++)
            for (size_t e = family.first; e < manifest->score_error_count; e++)
                count[e] += error_family_has(manifest, &family, e)
                            && manifest->score_errors[e].size == size_of(&cells.cell[i]);
        free(cells.cell);
    }
    for (size_t e = family.first; e < manifest->score_error_count; e++)
        if (count[e] > most || (count[e] > 0 && count[e] == most && manifest->score_errors[e].size > *size)) {
            most = count[e];
            *size = manifest->score_errors[e].size;
        }
    free(count);
    return status;
}

/* Where every panel lies: "wave one, d = 1, T = 4096", without the error or the T if there are several. */
static void put_where(const struct evidence *evidence, const struct sheet *sheet, const char *label, size_t steps)
{
    const struct manifest *manifest = &evidence->manifest;
    fprintf(sheet->vars, "where = '%s%s{/:Italic d} = %zu", label, label[0] != '\0' ? ", " : "",
            manifest->dimensions[0]);
    if (steps != ANY_STEPS)
        fprintf(sheet->vars, ", {/:Italic T} = %zu", manifest->steps[steps]);
    fputs("'\n", sheet->vars);
}

/* ---- C against the roughness ---- */

static enum status put_rough_curve(const struct evidence *evidence, const struct error_family *family, double size,
                                   struct sheet *sheet, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    const char *sampler = manifest->samplers[family->sampler].name;
    const struct place place = {manifest->targets[family->target].name, sampler, family->sampler + 1,
                                manifest->dimensions[0], "measured"};
    struct error_cells cells;
    struct growth growth = {.ok = 0};
    enum status status = error_cells_find(evidence, family, &cells, error);
    if (status == STATUS_OK)
        status = roughness_growth_fit(evidence, &cells, &growth, error);
    free(cells.cell);
    if (status != STATUS_OK)
        return status;
    sheet_key(sheet, place.series, sampler, "ω", growth.ok, growth.exponent);
    status = find_cells(evidence, family, manifest_last_steps(manifest, 0), &cells, error);
    for (size_t i = 0; i < cells.count && status == STATUS_OK; i++)
        if (size_of(&cells.cell[i]) == size)
            sheet_point(sheet, &place, cells.cell[i].roughness, cells.cell[i].constant);
    free(cells.cell);
    return status;
}

/* One roughness alone is no curve. */
static int has_two_roughnesses(const struct manifest *manifest, const struct error_family *family)
{
    double first = manifest_error_param(manifest, family->first, "roughness");
    for (size_t e = family->first + 1; e < manifest->score_error_count; e++)
        if (error_family_has(manifest, family, e) && manifest_error_param(manifest, e, "roughness") != first)
            return 1;
    return 0;
}

static enum status collect_roughness(const struct evidence *evidence, struct sheet *sheet, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    struct error_family family = {.kinship = SAME_BUT_ROUGHNESS,
                                  .first = error_family_next(manifest, SAME_BUT_ROUGHNESS, 0)};
    char label[LABEL_ROOM];
    size_t more = 0;
    enum status status = STATUS_OK;
    if (family.first == manifest->score_error_count || !has_two_roughnesses(manifest, &family))
        return STATUS_OK;
    for (family.target = 0; family.target < manifest->target_count && status == STATUS_OK; family.target++) {
        double size;
        status = choose_size(evidence, family, manifest_last_steps(manifest, 0), &size, error);
        if (status != STATUS_OK || !(size > 0.0))
            continue;
        sheet->panels++;
        for (family.sampler = 0; family.sampler < manifest->sampler_count && status == STATUS_OK; family.sampler++)
            status = put_rough_curve(evidence, &family, size, sheet, error);
        sheet_title(sheet, "%s, size %g", sheet_name(manifest->targets[family.target].name).text, size);
    }
    for (size_t e = family.first;
         (e = error_family_next(manifest, SAME_BUT_ROUGHNESS, e)) < manifest->score_error_count;)
        more++;
    fprintf(sheet->vars, "more = %zu\n", more);
    error_family_label(manifest, &family, label, sizeof label);
    put_where(evidence, sheet, label, manifest_last_steps(manifest, 0));
    sheet_colours(manifest, sheet);
    return status;
}

/* ---- The effect against the size, C against T ---- */

/* A panel being collected; series k samplers + s + 1 is the k-th kind of score error under sampler s. */
struct panel {
    const struct evidence *evidence;
    struct sheet *sheet;
    size_t target;
    size_t steps;                   /* x is the size and y the effect at this T; or ANY_STEPS: x is T and y is C */
    double low_x, high_x, steepest; /* of the points so far: x, and the largest y/x */
};

static void put_panel_point(struct panel *panel, const struct place *place, double x, double y)
{
    panel->low_x = fmin(panel->low_x, x);
    panel->high_x = fmax(panel->high_x, x);
    panel->steepest = fmax(panel->steepest, y / x);
    sheet_point(panel->sheet, place, x, y);
}

/* C is drawn at one size, the effect at all. */
static enum status put_curve(struct panel *panel, const struct error_family *family, size_t kind, double size,
                             struct error *error)
{
    const struct manifest *manifest = &panel->evidence->manifest;
    const char *sampler = manifest->samplers[family->sampler].name;
    char label[LABEL_ROOM], name[2 * LABEL_ROOM];
    struct error_cells cells;
    error_family_label(manifest, family, label, sizeof label);
    (void)snprintf(name, sizeof name, "%s, %s", sampler, label);
    const struct place place = {manifest->targets[family->target].name, name,
                                kind * manifest->sampler_count + family->sampler + 1, manifest->dimensions[0],
                                "measured"};
    enum status status = find_cells(panel->evidence, family, panel->steps, &cells, error);
    for (size_t i = 0; i < cells.count && status == STATUS_OK; i++) {
        const struct error_cell *cell = &cells.cell[i];
        if (panel->steps != ANY_STEPS)
            put_panel_point(panel, &place, size_of(cell), cell->row->error_effect);
        else if (size_of(cell) == size)
            put_panel_point(panel, &place, (double)cell->row->steps, cell->constant);
    }
    free(cells.cell);
    return status;
}

/* kind_PANEL_KIND = 'bias all, size 0.01' */
static enum status put_kind(struct panel *panel, size_t first, size_t kind, struct error *error)
{
    const struct manifest *manifest = &panel->evidence->manifest;
    struct error_family family = {panel->target, 0, SAME_BUT_SIZE, first};
    FILE *vars = panel->sheet->vars;
    char label[LABEL_ROOM];
    double size = 0.0;
    size_t before = panel->sheet->points;
    enum status status = STATUS_OK;
    if (panel->steps == ANY_STEPS)
        status = choose_size(panel->evidence, family, ANY_STEPS, &size, error);
    for (family.sampler = 0; family.sampler < manifest->sampler_count && status == STATUS_OK; family.sampler++)
        status = put_curve(panel, &family, kind, size, error);
    error_family_label(manifest, &family, label, sizeof label);
    fprintf(vars, "kind_%zu_%zu = '%s", panel->sheet->panels, kind + 1, label);
    if (panel->sheet->points == before)
        fputs(": unresolved", vars);
    else if (size > 0.0)
        fprintf(vars, ", size %g", size);
    fputs("'\n", vars);
    return status;
}

/* A line of slope 1 above all curves of the panel. */
static void put_slope_one(const struct panel *panel)
{
    const struct manifest *manifest = &panel->evidence->manifest;
    const struct place place = {manifest->targets[panel->target].name, "slope 1", 0, manifest->dimensions[0],
                                "guide"};
    sheet_row(panel->sheet, &place, panel->low_x, 2.0 * panel->steepest * panel->low_x);
    sheet_row(panel->sheet, &place, panel->high_x, 2.0 * panel->steepest * panel->high_x);
}

static enum status collect_panel(const struct evidence *evidence, size_t target, size_t steps,
                                 const struct kinds *kinds, struct sheet *sheet, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    struct panel panel = {evidence, sheet, target, steps, HUGE_VAL, 0.0, 0.0};
    size_t before = sheet->points;
    enum status status = STATUS_OK;
    sheet->panels++;
    for (size_t k = 0; k < kinds->count && status == STATUS_OK; k++)
        status = put_kind(&panel, kinds->first[k], k, error);
    for (size_t s = 0; s < manifest->sampler_count; s++)
        sheet_key(sheet, s + 1, manifest->samplers[s].name, "", 0, (struct exponent){.value = 0.0});
    sheet_title(sheet, "%s", sheet_name(manifest->targets[target].name).text);
    if (sheet->points == before)
        sheet->panels--;
    else if (steps != ANY_STEPS)
        put_slope_one(&panel);
    return status;
}

static enum status collect_panels(const struct evidence *evidence, size_t steps, struct sheet *sheet,
                                  struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    const struct kinds kinds = choose_kinds(manifest);
    enum status status = STATUS_OK;
    for (size_t target = 0; target < manifest->target_count && kinds.count > 0 && status == STATUS_OK; target++)
        status = collect_panel(evidence, target, steps, &kinds, sheet, error);
    fprintf(sheet->vars, "kinds = %zu\nmore = %zu\n", kinds.count, kinds.more);
    put_where(evidence, sheet, "", steps);
    sheet_colours(manifest, sheet);
    return status;
}

static enum status collect_score_error(const struct evidence *evidence, struct sheet *sheet, struct error *error)
{
    size_t last = manifest_last_steps(&evidence->manifest, 0);
    return last < evidence->manifest.step_count ? collect_panels(evidence, last, sheet, error) : STATUS_OK;
}

static enum status collect_error_constant(const struct evidence *evidence, struct sheet *sheet, struct error *error)
{
    return manifest_step_count(&evidence->manifest, 0) > 1 ? collect_panels(evidence, ANY_STEPS, sheet, error)
                                                           : STATUS_OK;
}

const struct figure_source figure_roughness = {"omega", "c", collect_roughness, 0, 0};
const struct figure_source figure_score_error = {"size", "effect", collect_score_error, 0, 0};
const struct figure_source figure_error_constant = {"steps", "c", collect_error_constant, 0, 0};
