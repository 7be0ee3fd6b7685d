#include "report/density_figure.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/file.h"
#include "report/figure_sheet.h"
#include "report/gnuplot.h"

const char density_caption[] =
    "Densities of X_1, p, and of the sampler's output Y_1, q, and q - p, in the plane, from the exact law with exact "
    "scores. The first two have one scale of colours. Where the difference is red the sampler puts too much mass, "
    "where it is blue too little; half of what it integrates to in absolute value is TV.";

static void print_table(const struct plane_density *density, FILE *file)
{
    size_t n = density->n;
    fputs("x\ty\tp\tq\tq_minus_p\n", file);
    for (size_t i = 0; i < n * n; i++)
        fprintf(file, "%.8g\t%.8g\t%.8g\t%.8g\t%.8g\n",
                density->low[0] + density->side * ((double)(i % n) + 0.5) / (double)n,
                density->low[1] + density->side * ((double)(i / n) + 0.5) / (double)n, density->p[i],
                density->p[i] + density->excess[i], density->excess[i]);
}

static void print_settings(const struct density_figure *figure, FILE *file)
{
    const struct plane_density *density = figure->density;
    double highest = 0.0, farthest = 0.0;
    for (size_t i = 0; i < density->n * density->n; i++) {
        highest = fmax(highest, density->p[i] + fmax(density->excess[i], 0.0));
        farthest = fmax(farthest, fabs(density->excess[i]));
    }
    fprintf(file, "title = '%s, %s, {/:Italic T} = %zu:  TV = %.4g ± %.1g'\n", sheet_name(figure->target).text,
            sheet_name(figure->sampler).text, figure->steps, density->tv.value, density->tv.error);
    fprintf(file, "left = %.8g\nlow = %.8g\nside = %.8g\nhighest = %.8g\nfarthest = %.8g\n", density->low[0],
            density->low[1], density->side, highest, farthest > 0.0 ? farthest : 1.0);
}

static enum status keep(const struct density_figure *figure, const char *name, const char *ending,
                        struct error *error)
{
    char path[PATH_MAX + NAME_MAX];
    struct bytes printed = {NULL, 0};
    FILE *file = open_memstream(&printed.data, &printed.length);
    bool table = ending[0] == 't';
    (void)snprintf(path, sizeof path, "%s/%s.%s", figure->directory, name, ending);
    if (file != NULL && table)
        print_table(figure->density, file);
    else if (file != NULL)
        print_settings(figure, file);
    enum status status = file != NULL && fclose(file) == 0
                             ? file_replace(path, &printed, error)
                             : fail_with(error, STATUS_MEMORY, "out of memory for %s", path);
    free(printed.data);
    return status;
}

enum status density_figure_draw(const struct density_figure *figure, struct error *error)
{
    char name[NAME_MAX], scripts[PATH_MAX];
    struct drawing drawing = {.directory = figure->directory, .script = "density", .name = name};
    (void)snprintf(name, sizeof name, DENSITY_FIGURE "%s-%s-%zu", figure->target, figure->sampler, figure->steps);
    TRY(keep(figure, name, "tsv", error));
    TRY(keep(figure, name, "vars.gp", error));
    TRY(gnuplot_scripts(scripts, sizeof scripts, error));
    enum status status = gnuplot_start(scripts, &drawing, error);
    struct error ignored;
    enum status finished = gnuplot_finish(&drawing, status == STATUS_OK ? error : &ignored);
    return status != STATUS_OK ? status : finished;
}
