/* Which rows exponents are fitted to, stated once: T(d, eps) with eps <= 0.1 (TV far from 1) and T within a factor 8
 * of the largest found; columns at the powers of two, and where an experiment's steps depend on d at these, within a
 * factor 8 of the largest T in their d. In both, the error radius is below a thousandth of the value. */
#ifndef VERDICT_WINDOW_H
#define VERDICT_WINDOW_H

#include <stdbool.h>

#include "experiment/manifest.h"
#include "experiment/record.h"
#include "results/series.h"

#define WINDOW_ACCURACY 0.1
#define WINDOW_FACTOR 8.0
#define WINDOW_RADIUS 1e-3

/* A value from chains is known where its standard error is below this part of it. */
#define WINDOW_STANDARD_ERROR 0.1

/* Whether fits and limits take rows at this T: other T's are where searches for T(d, eps) crowd. */
bool window_takes_steps(const struct manifest *manifest, const struct record *row);

/* The largest such T among rows, which are of one dimension; 0 without any. */
double window_largest(const struct manifest *manifest, const struct row_list *rows);

/* Why a row is outside because of its T, and because of its value in a column; NULL where it is not. */
const char *window_steps_reason(const struct manifest *manifest, const struct record *row, double largest);
const char *window_value_reason(const struct record *row, const struct field *column);

/* The same as a place: the first reason leaves it outside, the second alone not known. */
enum window { WINDOW_OUTSIDE, WINDOW_NOT_KNOWN, WINDOW_INSIDE };
enum window window_of(const struct manifest *manifest, const struct record *row, double largest,
                      const struct field *column);

/* The rule in words. Args: sampled, of a column of chains. */
const char *window_rule(const struct manifest *manifest, bool sampled);

#endif
