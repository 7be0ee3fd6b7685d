#include "verdict/window.h"

#include <math.h>
#include <string.h>

bool window_takes_steps(const struct manifest *manifest, const struct record *row)
{
    if ((row->steps & (row->steps - 1)) == 0)
        return true;
    const size_t d = manifest->asks != NULL ? manifest_find_dimension(manifest, row->dimension) : 0;
    return manifest->asks != NULL && d < manifest->dimension_count && manifest_asks(manifest, d, row->steps);
}

double window_largest(const struct manifest *manifest, const struct row_list *rows)
{
    double largest = 0.0;
    for (size_t i = 0; i < rows->count; i++)
        if (window_takes_steps(manifest, rows->row[i]))
            largest = fmax(largest, (double)rows->row[i]->steps);
    return largest;
}

const char *window_steps_reason(const struct manifest *manifest, const struct record *row, double largest)
{
    if (!window_takes_steps(manifest, row))
        return manifest->asks == NULL ? "T is not a power of two" : "T is no power of two, nor of the steps in its d";
    return (double)row->steps * WINDOW_FACTOR >= largest ? NULL : "T more than a factor 8 below the largest";
}

const char *window_value_reason(const struct record *row, const struct field *column)
{
    const struct estimate of = record_size(row, column->offset);
    const bool sampled = column->role == COLUMN_SAMPLED;
    if (!(of.value > 0.0 && isfinite(of.value)
          && of.error <= (sampled ? WINDOW_STANDARD_ERROR : WINDOW_RADIUS) * of.value))
        return sampled ? "not known to a tenth" : "not known to a thousandth";
    if (!(of.value > WINDOW_ACCURACY))
        return NULL;
    return strcmp(column->name, "tv") == 0             ? "TV above 0.1"
           : strcmp(column->name, "error_effect") == 0 ? "effect above 0.1"
           : record_is_mass_error(column->offset)      ? "an error of mass above 0.1"
                                                       : NULL;
}

enum window window_of(const struct manifest *manifest, const struct record *row, double largest,
                      const struct field *column)
{
    return window_steps_reason(manifest, row, largest) != NULL ? WINDOW_OUTSIDE
           : window_value_reason(row, column) != NULL          ? WINDOW_NOT_KNOWN
                                                               : WINDOW_INSIDE;
}

const char *window_rule(const struct manifest *manifest, bool sampled)
{
    static const char *const rules[2][2] = {
        {"T a power of two within a factor 8 of the largest in its d, known to a thousandth",
         "T a power of two within a factor 8 of the largest in its d, a standard error below a tenth"},
        {"T a power of two or of the steps in its d, within a factor 8 of the largest there, known to a thousandth",
         "T a power of two or of the steps in its d, within a factor 8 of the largest there, a standard error below "
         "a tenth"}};
    return rules[manifest->asks != NULL][sampled];
}
