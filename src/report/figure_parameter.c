/* TV against a parameter that the experiment gives as a list of numbers: the first one that varies. */
#include <math.h>
#include <stdio.h>

#include "core/memory.h"
#include "experiment/spec_claims.h"
#include "report/figure_sheet.h"

/* The parameter's column and where it is from. */
struct axis {
    size_t column;
    bool of_targets;
    const struct entry *entries;
    const struct relatives *relatives;
    size_t count;
};

/* A panel: one T and dimension of all entries that differ from `first` in the parameter. */
struct view {
    const struct evidence *evidence;
    struct sheet *sheet;
    struct axis axis;
    size_t dimension;
};

/* The first entry from `index` on, among relatives, that has the parameter. */
static size_t member(const struct axis *axis, size_t index)
{
    while (index < axis->count && isnan(axis->entries[index].parameter[axis->column]))
        index = axis->relatives[index].next;
    return index;
}

static bool varies(const struct axis *axis, size_t first)
{
    for (size_t i = member(axis, first); i < axis->count; i = member(axis, axis->relatives[i].next))
        if (axis->entries[i].parameter[axis->column] != axis->entries[first].parameter[axis->column])
            return true;
    return false;
}

/* Whether it is the first of its relatives that has the parameter, of several values. */
static bool is_first(const struct axis *axis, size_t index)
{
    return member(axis, axis->relatives[index].first) == index && varies(axis, index);
}

static bool find_axis(const struct manifest *manifest, struct axis *out)
{
    for (size_t column = 0; column < manifest->parameters.count; column++) {
        const char *name = manifest->parameters.column[column].name;
        if (axis_is_of_targets(name))
            *out = (struct axis){column, true, manifest->target_entries, manifest->target_relatives,
                                 manifest->target_count};
        else if (axis_is_of_samplers(name))
            *out = (struct axis){column, false, manifest->sampler_entries, manifest->sampler_relatives,
                                 manifest->sampler_count};
        else
            continue;
        for (size_t first = 0; first < out->count; first++)
            if (is_first(out, first))
                return true;
    }
    return false;
}

/* The exact law's row at T with a positive TV; NULL: there is none. */
static const struct record *row_at(const struct view *view, size_t target, size_t sampler, size_t steps)
{
    const struct row_list rows = evidence_rows(view->evidence, target, sampler, 0, view->dimension);
    for (size_t i = 0; i < rows.count; i++)
        if (rows.row[i]->steps == steps && rows.row[i]->tv > 0.0)
            return rows.row[i];
    return NULL;
}

/* A curve: the members of `first` with the other of target and sampler fixed. Returns how many points it has; draws
 * them where `place` is given. */
static size_t curve(const struct view *view, size_t first, size_t other, size_t steps, const struct place *place)
{
    const struct axis *axis = &view->axis;
    size_t points = 0;
    for (size_t i = first; i < axis->count; i = member(axis, axis->relatives[i].next)) {
        const double x = axis->entries[i].parameter[axis->column];
        const struct record *row = !(x > 0.0)         ? NULL
                                   : axis->of_targets ? row_at(view, i, other, steps)
                                                      : row_at(view, other, i, steps);
        points += row != NULL;
        if (row != NULL && place != NULL)
            sheet_point(view->sheet, place, x, row->tv);
    }
    return points;
}

/* The largest T, a power of two, at which the most members have a law. */
static size_t choose_steps(const struct view *view, size_t first, size_t other)
{
    size_t best = 0, most = 1;
    for (size_t steps = 2; steps <= (size_t)1 << 30; steps *= 2) {
        size_t points = curve(view, first, other, steps, NULL);
        if (points >= most && points > 1) {
            most = points;
            best = steps;
        }
    }
    return best;
}

/* A target, or all that differ in the parameter alone, with a curve for each sampler, or for each group of them. */
static void put_panel(const struct view *view, size_t target)
{
    const struct manifest *manifest = &view->evidence->manifest;
    const struct axis *axis = &view->axis;
    struct sheet *sheet = view->sheet;
    const size_t before = sheet->points;
    size_t steps = 0;
    sheet->panels++;
    for (size_t s = 0; s < manifest->sampler_count; s++) {
        const char *name = axis->of_targets ? manifest->samplers[s].name : manifest->sampler_entries[s].of;
        const struct place place = {axis->of_targets ? manifest->target_entries[target].of
                                                     : manifest->targets[target].name,
                                    name, s + 1, manifest->dimensions[view->dimension], "measured"};
        if (!axis->of_targets && !is_first(axis, s)) {
            fprintf(sheet->vars, "key_%zu_%zu = ''\n", sheet->panels, s + 1);
            continue;
        }
        const size_t first = axis->of_targets ? target : s, other = axis->of_targets ? s : target;
        steps = steps > 0 ? steps : choose_steps(view, first, other);
        if (steps > 0)
            (void)curve(view, first, other, steps, &place);
        sheet_key(sheet, s + 1, name, "", 0, (struct exponent){0});
    }
    if (sheet->points == before)
        sheet->panels--;
    else
        sheet_title(
            sheet, "%s, {/:Italic d} = %zu, {/:Italic T} = %zu",
            sheet_name(axis->of_targets ? manifest->target_entries[target].of : manifest->targets[target].name).text,
            manifest->dimensions[view->dimension], steps);
}

static enum status collect(const struct evidence *evidence, struct sheet *sheet, struct error *error)
{
    (void)error;
    const struct manifest *manifest = &evidence->manifest;
    struct view view = {.evidence = evidence, .sheet = sheet};
    if (!find_axis(manifest, &view.axis))
        return STATUS_OK;
    for (size_t target = 0; target < manifest->target_count; target++)
        for (size_t d = 0;
             d<manifest->dimension_count; d += manifest->dimension_count> 1 ? manifest->dimension_count - 1 : 1) {
            view.dimension = d;
            if (!view.axis.of_targets || is_first(&view.axis, target))
                put_panel(&view, target);
        }
    sheet_colours(manifest, sheet);
    size_t keys = 0;
    for (size_t s = 0; s < manifest->sampler_count; s++)
        keys += view.axis.of_targets || is_first(&view.axis, s);
    fprintf(sheet->vars, "keys = %zu\nparameter = '%s'\n", keys,
            sheet_name(axis_symbol(manifest->parameters.column[view.axis.column].name)).text);
    return STATUS_OK;
}

const struct figure_source figure_parameter = {"parameter", "tv", collect, 0, 0};
