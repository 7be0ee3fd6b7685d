#include "report/figure_sheet.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

static void put_place(const struct sheet *sheet, const struct place *place, double x, double y)
{
    fprintf(sheet->table, "%zu\t%zu\t%s\t%s\t%zu\t%s\t%.12g\t%.12g", sheet->panels, place->series, place->kind,
            place->target, place->dimension, place->series_name, x, y);
}

void sheet_row(const struct sheet *sheet, const struct place *place, double x, double y)
{
    put_place(sheet, place, x, y);
    fputc('\n', sheet->table);
}

void sheet_estimate_row(const struct sheet *sheet, const struct place *place, double x, double y,
                        struct estimate estimate)
{
    put_place(sheet, place, x, y);
    fprintf(sheet->table, "\t%.12g\t%.12g\n", estimate.value, estimate.error);
}

/* Axes are logarithmic, and results may hold anything. */
static int has_place(double x)
{
    return x > 0.0 && isfinite(x);
}

static void count_point(struct sheet *sheet, double x, double y)
{
    const double at[2] = {x, y};
    if (!has_place(x) || !has_place(y))
        return;
    for (int i = 0; i < 2; i++) {
        sheet->low[i] = sheet->points > 0 ? fmin(sheet->low[i], at[i]) : at[i];
        sheet->high[i] = sheet->points > 0 ? fmax(sheet->high[i], at[i]) : at[i];
    }
    sheet->points++;
}

void sheet_point(struct sheet *sheet, const struct place *place, double x, double y)
{
    count_point(sheet, x, y);
    sheet_row(sheet, place, x, y);
}

void sheet_estimate_point(struct sheet *sheet, const struct place *place, double x, double y,
                          struct estimate estimate)
{
    count_point(sheet, x, y);
    sheet_estimate_row(sheet, place, x, y, estimate);
}

/* Names are [A-Za-z0-9._-]+, of which enhanced text gives only `_` a meaning; single quotes keep the backslash. */
struct sheet_text sheet_name(const char *name)
{
    struct sheet_text out = {""};
    size_t length = strlen(name), used = 0;
    for (size_t i = 0; i < length && (i < SHEET_NAME_LENGTH || length == SHEET_NAME_LENGTH + 1); i++) {
        if (name[i] == '_')
            out.text[used++] = '\\';
        out.text[used++] = name[i];
    }
    if (length > SHEET_NAME_LENGTH + 1)
        memcpy(out.text + used, "…", sizeof "…");
    return out;
}

void sheet_title(const struct sheet *sheet, const char *format, ...)
{
    va_list list;
    fprintf(sheet->vars, "title_%zu = '", sheet->panels);
    va_start(list, format);
    (void)vfprintf(sheet->vars, format, list);
    va_end(list);
    fputs("'\n", sheet->vars);
}

/* The colour of a sampler is its place among all samplers, so that it is the same in every experiment. */
void sheet_colours(const struct manifest *manifest, const struct sheet *sheet)
{
    size_t longest = 0;
    fputs("colours = '", sheet->vars);
    for (size_t s = 0; s < manifest->sampler_count; s++)
        fprintf(sheet->vars, "%s%zu", s > 0 ? " " : "", manifest->samplers[s].place);
    fputs("'\ndeterministic = '", sheet->vars);
    for (size_t s = 0; s < manifest->sampler_count; s++) {
        size_t length = strlen(manifest->samplers[s].name);
        fprintf(sheet->vars, "%s%d", s > 0 ? " " : "", manifest->samplers[s].deterministic);
        longest = length > longest ? length : longest;
    }
    fprintf(sheet->vars, "'\nlongest_name = %zu\n", longest);
}

void sheet_key(struct sheet *sheet, size_t series, const char *sampler, const char *base, int present,
               struct exponent exponent)
{
    fprintf(sheet->vars, "key_%zu_%zu = '%s", sheet->panels, series, sheet_name(sampler).text);
    sheet->fits += present != 0;
    if (present)
        fprintf(sheet->vars, "   %s^{%.3f±%.3f}", base, exponent.value, exponent.interval);
    fputs("'\n", sheet->vars);
}
