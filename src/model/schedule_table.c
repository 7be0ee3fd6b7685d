#include <math.h>
#include <stdint.h>

#include "model/schedule.h"

enum quantity { ALPHA_BAR, SIGMA };

struct table {
    struct file_numbers file;
    size_t quantity;
};

/* A table's entry `index` from the data on, whichever end of the file that is. */
static double entry(const struct table *table, size_t index)
{
    const struct file_numbers *file = &table->file;
    int noise_grows = (file->value[0] < file->value[file->count - 1]) == (table->quantity == SIGMA);
    return file->value[noise_grows ? index : file->count - 1 - index];
}

static double log_snr(const struct table *table, size_t index)
{
    double value = entry(table, index);
    return table->quantity == SIGMA ? -2.0 * log(value) : log(value) - log1p(-value);
}

/* The log-SNR of entry i less that of i + 1, from their difference, which doubles hold as the file has it. */
static double drop(const struct table *table, size_t index)
{
    double x = entry(table, index), y = entry(table, index + 1);
    return table->quantity == SIGMA ? 2.0 * log1p((y - x) / x) : log1p((x - y) / ((1.0 - x) * y));
}

static enum status check(const void *params, struct error *error)
{
    const struct table *table = params;
    const struct file_numbers *file = &table->file;
    if (file->count < 2)
        return fail_with(error, STATUS_INVALID, "schedule table: found %zu numbers, expected 2 at least",
                         file->count);
    for (size_t i = 0; i < file->count; i++) {
        if (!(file->value[i] > (table->quantity == SIGMA ? 1e-150 : 0.0)
              && file->value[i] < (table->quantity == SIGMA ? 1e150 : 1.0)))
            return fail_with(error, STATUS_INVALID, "schedule table: number %zu is %g, expected %s", i + 1,
                             file->value[i],
                             table->quantity == SIGMA ? "a sigma in (1e-150, 1e150)" : "an alpha_bar in (0, 1)");
        if (i > 0
            && !(file->value[0] < file->value[file->count - 1] ? file->value[i - 1] < file->value[i]
                                                               : file->value[i - 1] > file->value[i]))
            return fail_with(error, STATUS_INVALID,
                             "schedule table: number %zu is %.17g and number %zu %.17g, expected them to grow or to "
                             "fall throughout",
                             i, file->value[i - 1], i + 1, file->value[i]);
    }
    return STATUS_OK;
}

/* The mean step of the log-SNR. */
static double step_size(const void *params, size_t T)
{
    const struct table *table = params;
    return (log_snr(table, 0) - log_snr(table, table->file.count - 1)) / (double)(T - 1);
}

/* Level t stands (t - 1)(N - 1)/(T - 1) entries from the table's first, held as an integer and a remainder. */
static int fill(const void *params, size_t T, double *log_alpha_bar, double *log_noise, double *beta)
{
    const struct table *table = params;
    size_t gaps = table->file.count - 1, spaces = T - 1, before = 0;
    if (spaces > SIZE_MAX / gaps)
        return 0;
    for (size_t t = 1; t <= T; t++) {
        size_t place = (t - 1) * gaps, index = place / spaces, rest = place % spaces;
        double into = (double)rest / (double)spaces, rise = 0.0;
        schedule_set_level(log_snr(table, index) - (rest > 0 ? into * drop(table, index) : 0.0), &log_alpha_bar[t],
                           &log_noise[t]);
        for (size_t at = before; at < place;) {
            size_t gap = at / spaces, end = (gap + 1) * spaces < place ? (gap + 1) * spaces : place;
            rise += (double)(end - at) / (double)spaces * drop(table, gap);
            at = end;
        }
        beta[t] = t > 1 ? schedule_beta(log_noise[t], rise) : exp(log_noise[t]);
        before = place;
    }
    return 1;
}

static const char *const quantities[] = {[ALPHA_BAR] = "alpha_bar", [SIGMA] = "sigma", NULL};

static const struct param params[] = {
    {"file", PARAM_FILE, offsetof(struct table, file),
     "the levels, growing or falling throughout: a text of numbers, or FILE:DATASET of an HDF5 file", .required = 1},
    {"quantity", PARAM_CHOICE, offsetof(struct table, quantity),
     "what they are: alpha_bar, or sigma = sqrt((1 - alpha_bar)/alpha_bar), which keeps its digits near the data",
     .standard = ALPHA_BAR, .choices = quantities},
    {0},
};

const struct schedule_kind schedule_table = {
    .name = "table",
    .doc = "Levels from a file, such as those that a network was trained at: with as many steps as there are numbers "
           "the file's own, with others log sigma is linear between them.",
    .formula =
        "log sigma_t = that of place 1 + (t - 1)(N - 1)/(T - 1) of N; h = (L_1 - L_T)/(T - 1), the mean step of "
        "the log-SNR L = -2 log sigma",
    .source = "the file; between its numbers as in the k-diffusion samplers of Karras et al., arXiv:2206.00364",
    .fill = fill,
    .step_size = step_size,
    .params = params,
    .params_size = sizeof(struct table),
    .check = check,
};
