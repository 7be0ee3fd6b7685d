/* TV against score evaluations, all samplers of an experiment that asks for the claim `atlas`. */
#include <math.h>

#include "core/memory.h"
#include "report/figure_sheet.h"
#include "verdict/atlas.h"
#include "verdict/exponents.h"

/* Of every sampler: its claimed order (0: none), and its place among those of the same order. */
static void put_orders(const struct spec *spec, const struct sheet *sheet)
{
    fputs("orders = '", sheet->vars);
    for (size_t s = 0; s < spec->sampler_count; s++)
        fprintf(sheet->vars, "%s%g", s > 0 ? " " : "", spec->samplers[s]->claimed_order);
    fputs("'\nplaces = '", sheet->vars);
    for (size_t s = 0; s < spec->sampler_count; s++) {
        size_t place = 1;
        for (size_t i = 0; i < s; i++)
            place += spec->samplers[i]->claimed_order == spec->samplers[s]->claimed_order;
        fprintf(sheet->vars, "%s%zu", s > 0 ? " " : "", place);
    }
    fputs("'\n", sheet->vars);
}

/* Powers of two alone: what brackets add crowds there. */
static void put_curve(struct sheet *sheet, const struct record *const *rows, size_t count, size_t evaluations,
                      struct place place)
{
    for (size_t i = 0; i < count; i++) {
        const struct record *row = rows[i];
        double x = (double)evaluations * ((double)row->steps - 1.0);
        if ((row->steps & (row->steps - 1)) != 0 || !(row->tv >= 0.0))
            continue;
        int sharp = row->tv_error <= WINDOW_RADIUS * row->tv, seen = row->tv_error < row->tv;
        place.kind = sharp ? "measured" : seen ? "unsharp" : "below";
        sheet_point(sheet, &place, x, seen ? row->tv : row->tv_error);
    }
}

static enum status collect_panel(const struct evidence *smallest, size_t target, const struct record **rows,
                                 struct sheet *sheet, struct error *error)
{
    const struct spec *spec = &smallest->spec;
    size_t before = sheet->points;
    sheet->panels++;
    for (size_t s = 0; s < spec->sampler_count; s++) {
        const struct sampler *sampler = spec->samplers[s];
        const struct place place = {spec->targets[target].name, sampler->name, s + 1, spec->dimensions[0], ""};
        struct fit fit;
        enum status status =
            divergence_exponents(smallest, target, s, offsetof(struct record, tv), 0.0, NULL, &fit, error);
        if (status != STATUS_OK)
            return status;
        put_curve(sheet, rows, evidence_rows(smallest, target, s, 0, 0, rows), sampler->score_evaluations, place);
        sheet_key(sheet, s + 1, sampler->name, "{/:Italic h}", fit.ok, fit.x);
    }
    if (sheet->points == before) {
        sheet->panels--;
        return STATUS_OK;
    }
    sheet_title(sheet, spec->targets[target].name);
    fprintf(sheet->vars, ", {/:Italic d} = %zu'\n", spec->dimensions[0]);
    return STATUS_OK;
}

static enum status collect(const struct evidence *evidence, struct sheet *sheet, struct error *error)
{
    struct evidence smallest = *evidence;
    smallest.spec.dimension_count = 1;
    enum status status = STATUS_OK;
    if (atlas_claim(&evidence->spec) == NULL)
        return STATUS_OK;
    const struct record **rows = array_new(evidence->result.count, sizeof *rows);
    if (rows == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a figure");
    for (size_t target = 0; target < evidence->spec.target_count && status == STATUS_OK; target++)
        status = collect_panel(&smallest, target, rows, sheet, error);
    sheet_colours(&evidence->spec, sheet);
    put_orders(&evidence->spec, sheet);
    free(rows);
    return status;
}

const struct figure_source figure_atlas = {"score_evaluations", "tv", collect, 0, 0};
