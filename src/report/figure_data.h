/* The numbers that figures show: a table NAME.tsv in long form, a row a point, and NAME.vars.gp with what is not a
 * point: titles, key texts, colours and ranges. The scripts read the latter, with the rows of each panel that is
 * drawn copied into a block of its own: gnuplot would read the table anew for every curve of every panel. */
#ifndef REPORT_FIGURE_DATA_H
#define REPORT_FIGURE_DATA_H

#include <stddef.h>
#include <stdio.h>

#include "core/status.h"
#include "results/evidence.h"

/* A figure being collected. Panels count from 1 and are targets; a series is a curve of a panel. */
struct sheet {
    FILE *table, *vars;
    size_t panels, shown;   /* the latter are drawn, all are in the table */
    size_t points;          /* measured ones; guides and fitted lines do not count */
    double low[2], high[2]; /* of the measured points */
    size_t beyond_rows;     /* the last series with a censored point */
    size_t fits;            /* exponents in keys */
};

struct figure_source {
    const char *x, *y; /* column names */
    enum status (*collect)(const struct evidence *evidence, struct sheet *sheet, struct error *error);
    int has_estimates; /* rows have two more columns: value and standard error */
    int snug;          /* x keeps its range, however narrow: the script labels more than powers of ten */
};

extern const struct figure_source figure_tv_steps, figure_complexity_accuracy, figure_complexity_dimension,
    figure_speedup, figure_roughness, figure_score_error, figure_error_constant, figure_empirical, figure_noise_floor,
    figure_bias, figure_path_kl, figure_atlas, figure_parameter, figure_codewords, figure_column_steps;

/* Writes both files to the sheet's streams; with sheet->panels == 0 there is nothing to draw.
 * Errors: STATUS_MEMORY. */
MUST_USE enum status figure_collect(const struct figure_source *source, const struct evidence *evidence,
                                    struct sheet *sheet, struct error *error);

#endif
