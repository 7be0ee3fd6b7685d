/* TV of the exact laws in the smallest dimension: against T, and, where an experiment asks for the claim `atlas`,
 * against score evaluations; and against T the other columns that claims of the experiment are about. A panel is a
 * target, and one of the columns, a series a sampler. */
#include <math.h>

#include "core/memory.h"
#include "report/figure_sheet.h"
#include "verdict/atlas.h"
#include "verdict/exponents.h"

#define LEAST_RATIO 1.05 /* of neighbouring T's on a curve */

struct view {
    struct evidence evidence; /* with one dimension in its manifest, so that exponents are of that dimension alone */
    struct sheet *sheet;
    const struct field *column; /* what is drawn */
    void (*put)(const struct view *view, const struct manifest_sampler *sampler, const struct row_list *rows,
                const struct fit *fit, struct place place);
};

/* Whether every law is measured at this T: not those that some search for T(d, eps) adds. */
static bool is_on_curve(const struct manifest *manifest, size_t steps)
{
    bool found = true;
    for (size_t s = 0; s < manifest->sampler_count && found; s++) {
        const struct manifest_sampler *sampler = &manifest->samplers[s];
        size_t i = 0;
        while (i < sampler->grid_count && sampler->grid[i] != steps)
            i++;
        found = i < sampler->grid_count;
    }
    return found || manifest_asks(manifest, 0, steps);
}

/* The curve, and the fitted line at the points of the fit's window (exponents.h). */
static void put_steps(const struct view *view, const struct manifest_sampler *sampler, const struct row_list *rows,
                      const struct fit *fit, struct place place)
{
    const struct manifest *manifest = &view->evidence.manifest;
    const double largest = window_largest(manifest, rows);
    double last = 0.0;
    (void)sampler;
    place.kind = "measured";
    for (size_t i = 0; i < rows->count; i++) {
        double T = (double)rows->row[i]->steps, y = record_size(rows->row[i], view->column->offset).value;
        if (!(y > 0.0) || T < LEAST_RATIO * last || !is_on_curve(manifest, rows->row[i]->steps))
            continue;
        sheet_point(view->sheet, &place, T, y);
        last = T;
    }
    place.kind = "fit";
    for (size_t i = 0; i < rows->count && fit->ok; i++)
        if (window_of(manifest, rows->row[i], largest, view->column) == WINDOW_INSIDE)
            sheet_row(view->sheet, &place, (double)rows->row[i]->steps,
                      exp(fit->constant + fit->x.value * log(rows->row[i]->step_size)));
}

/* Only T's that fits take: what brackets add crowds there. */
static void put_evaluations(const struct view *view, const struct manifest_sampler *sampler,
                            const struct row_list *rows, const struct fit *fit, struct place place)
{
    (void)fit;
    for (size_t i = 0; i < rows->count; i++) {
        const struct record *row = rows->row[i];
        double x = (double)sampler->score_evaluations * ((double)row->steps - 1.0);
        if (!window_takes_steps(&view->evidence.manifest, row) || !(row->tv >= 0.0))
            continue;
        int sharp = row->tv_error <= WINDOW_RADIUS * row->tv, positive = row->tv_error < row->tv;
        place.kind = sharp ? "measured" : positive ? "unsharp" : "below";
        sheet_point(view->sheet, &place, x, positive ? row->tv : row->tv_error);
    }
}

/* "target, KL(p‖q), d = 1"; of TV the figure says what it is. */
static void put_title(const struct view *view, size_t target)
{
    const struct manifest *manifest = &view->evidence.manifest;
    const struct quantity *quantity = accuracy_quantities;
    while (quantity->name != NULL && quantity->offset != view->column->offset)
        quantity++;
    const struct sheet_text name = sheet_name(view->column->name);
    const char *label = quantity->name != NULL ? quantity->label : name.text;
    bool is_tv = quantity == accuracy_quantities;
    sheet_title(view->sheet, "%s%s%s, {/:Italic d} = %zu", sheet_name(manifest->targets[target].name).text,
                is_tv ? "" : ", ", is_tv ? "" : label, manifest->dimensions[0]);
}

static enum status collect_panel(const struct view *view, size_t target, struct error *error)
{
    const struct manifest *manifest = &view->evidence.manifest;
    struct sheet *sheet = view->sheet;
    size_t before = sheet->points;
    sheet->panels++;
    for (size_t s = 0; s < manifest->sampler_count; s++) {
        const struct manifest_sampler *sampler = &manifest->samplers[s];
        const struct place place = {manifest->targets[target].name, sampler->name, s + 1, manifest->dimensions[0],
                                    ""};
        struct fit fit;
        TRY(divergence_exponents(&view->evidence, target, s, view->column->offset, 0.0, NULL, &fit, error));
        const struct row_list rows = evidence_rows(&view->evidence, target, s, 0, 0);
        view->put(view, sampler, &rows, &fit, place);
        sheet_key(sheet, s + 1, sampler->name, "{/:Italic h}", fit.ok, fit.x);
    }
    if (sheet->points == before)
        sheet->panels--;
    else
        put_title(view, target);
    return STATUS_OK;
}

/* The columns are of exact laws with exact scores. */
static enum status collect(struct view *view, const struct evidence *evidence, const struct field *const *columns,
                           size_t count, struct error *error)
{
    view->evidence = *evidence;
    view->evidence.manifest.dimension_count = 1;
    for (size_t i = 0; i < count * evidence->manifest.target_count; i++) {
        view->column = columns[i % count];
        TRY(collect_panel(view, i / count, error));
    }
    sheet_colours(&evidence->manifest, view->sheet);
    return STATUS_OK;
}

static enum status collect_steps(const struct evidence *evidence, struct sheet *sheet, struct error *error)
{
    const struct field *tv = record_field_at(offsetof(struct record, tv));
    return collect(&(struct view){.sheet = sheet, .put = put_steps}, evidence, &tv, 1, error);
}

/* Of each stated claim, once. */
static enum status collect_columns(const struct evidence *evidence, struct sheet *sheet, struct error *error)
{
    const struct manifest *manifest = &evidence->manifest;
    const struct field **columns = array_new(manifest->own_claim_count, sizeof(const struct field *));
    size_t count = 0;
    enum status status = STATUS_OK;
    if (columns == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a figure");
    for (size_t i = 0; i < manifest->own_claim_count; i++) {
        const struct field *column = manifest->own_claims[i].quantity;
        size_t known = 0;
        while (known < count && columns[known] != column)
            known++;
        if (known == count && column != NULL && column->offset != offsetof(struct record, tv)
            && column->role == COLUMN_VALUE && column->offset != offsetof(struct record, error_effect))
            columns[count++] = column;
    }
    if (count > 0)
        status = collect(&(struct view){.sheet = sheet, .put = put_steps}, evidence, columns, count, error);
    free(columns);
    return status;
}

/* Of every sampler: its claimed order (0: none), and its place among those of the same order. */
static void put_orders(const struct manifest *manifest, const struct sheet *sheet)
{
    fputs("orders = '", sheet->vars);
    for (size_t s = 0; s < manifest->sampler_count; s++)
        fprintf(sheet->vars, "%s%g", s > 0 ? " " : "", manifest->samplers[s].claimed_order);
    fputs("'\nplaces = '", sheet->vars);
    for (size_t s = 0; s < manifest->sampler_count; s++) {
        size_t place = 1;
        for (size_t i = 0; i < s; i++)
            place += manifest->samplers[i].claimed_order == manifest->samplers[s].claimed_order;
        fprintf(sheet->vars, "%s%zu", s > 0 ? " " : "", place);
    }
    fputs("'\n", sheet->vars);
}

static enum status collect_evaluations(const struct evidence *evidence, struct sheet *sheet, struct error *error)
{
    if (atlas_claim(&evidence->manifest) == NULL)
        return STATUS_OK;
    const struct field *tv = record_field_at(offsetof(struct record, tv));
    TRY(collect(&(struct view){.sheet = sheet, .put = put_evaluations}, evidence, &tv, 1, error));
    put_orders(&evidence->manifest, sheet);
    return STATUS_OK;
}

const struct figure_source figure_column_steps = {"steps", "value", collect_columns, 0, 0};
const struct figure_source figure_tv_steps = {"steps", "tv", collect_steps, 0, 0};
const struct figure_source figure_atlas = {"score_evaluations", "tv", collect_evaluations, 0, 0};
