/* How the figures' collectors fill a sheet; for their files alone. */
#ifndef REPORT_FIGURE_SHEET_H
#define REPORT_FIGURE_SHEET_H

#include "report/figure_data.h"
#include "sample/estimate.h"
#include "verdict/fit.h"

enum { SHEET_NAME_LENGTH = 24, SHEET_NAME_SIZE = 2 * SHEET_NAME_LENGTH + 8 };

/* Where a point belongs. */
struct place {
    const char *target, *series_name;
    size_t series, dimension;
    const char *kind;
};

/* A row of the current panel; a point also counts as measured. */
void sheet_row(const struct sheet *sheet, const struct place *place, double x, double y);
void sheet_point(struct sheet *sheet, const struct place *place, double x, double y);

/* The same of an estimate, for figures whose source names more columns: y is what is drawn, the value or a limit made
 * of it. */
void sheet_estimate_row(const struct sheet *sheet, const struct place *place, double x, double y,
                        struct estimate estimate);
void sheet_estimate_point(struct sheet *sheet, const struct place *place, double x, double y,
                          struct estimate estimate);

/* A name as gnuplot's enhanced text has it, cut where it is too long for a panel. */
struct sheet_text {
    char text[SHEET_NAME_SIZE];
};
struct sheet_text sheet_name(const char *name);

/* title_PANEL = '...', in the manner of printf. */
void sheet_title(const struct sheet *sheet, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Of every sampler: colours, its place among all samplers; deterministic, 1 or 0. And the longest name's length. */
void sheet_colours(const struct manifest *manifest, const struct sheet *sheet);

/* key_PANEL_SERIES = 'sampler  base^{exponent}', with the exponent if it is present. */
void sheet_key(struct sheet *sheet, size_t series, const char *sampler, const char *base, int present,
               struct exponent exponent);

#endif
