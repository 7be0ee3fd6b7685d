#include "sample/weights.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "core/memory.h"
#include "core/sorted.h"
#include "core/sum.h"

enum { LEAST_BINS = 8, MOST_BINS = 32, PAIRS_A_BIN = 32 };

/* What all estimators need of the pairs, m entries each. */
struct pairs {
    size_t m;
    double *excess;  /* (W + W')/2 - 1 */
    double *product; /* (W - 1)(W' - 1) */
    double *cost;    /* -(log W + log W')/2 */
    double *term;    /* scratch */
};

static enum status check_finite(size_t n, const double *x, const char *what, struct error *error)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return fail_with(error, STATUS_NUMERIC, "%s of path %zu is %g", what, i + 1, x[i]);
    return STATUS_OK;
}

/* Relative to the largest weight, so that nothing overflows. */
static double effective_size(size_t m, const double *log_w, const double *log_w_other)
{
    double largest = log_w[0];
    struct sum total = {0}, squares = {0};
    for (size_t j = 0; j < m; j++)
        largest = fmax(largest, fmax(log_w[j], log_w_other[j]));
    for (size_t j = 0; j < m; j++) {
        double w = exp(log_w[j] - largest), other = exp(log_w_other[j] - largest);
        sum_add(&total, w + other);
        sum_add(&squares, w * w + other * other);
    }
    return sum_value(&total) * sum_value(&total) / (2.0 * (double)m * sum_value(&squares));
}

/* The least squares slope of `of` against `on`. Both are centred, although `on` has expectation 0: an exactly linear
 * part must vanish to rounding. */
static double slope(size_t n, const double *of, const double *on)
{
    struct sum of_total = {0}, on_total = {0}, product = {0}, square = {0};
    for (size_t j = 0; j < n; j++) {
        sum_add(&of_total, of[j]);
        sum_add(&on_total, on[j]);
    }
    double of_mean = sum_value(&of_total) / (double)n, on_mean = sum_value(&on_total) / (double)n;
    for (size_t j = 0; j < n; j++) {
        sum_add(&product, (of[j] - of_mean) * (on[j] - on_mean));
        sum_add(&square, (on[j] - on_mean) * (on[j] - on_mean));
    }
    return sum_value(&square) > 0.0 ? sum_value(&product) / sum_value(&square) : 0.0;
}

/* The mean of `of`, less its part along the excess, whose expectation E[W] - 1 = 0 is known. Each half is corrected
 * by the slope of the other, so the mean stays unbiased; for small log W it takes most of -log W away, which is W - 1
 * - log W
 * >= 0 then. The errors that the slopes share are of second order. */
static struct estimate controlled_mean(const struct pairs *pairs, const double *of)
{
    size_t half = pairs->m / 2, rest = pairs->m - half;
    double first = slope(half, of, pairs->excess), second = slope(rest, of + half, pairs->excess + half);
    for (size_t j = 0; j < pairs->m; j++)
        pairs->term[j] = of[j] - (j < half ? second : first) * pairs->excess[j];
    return estimate_skewed_mean(pairs->m, pairs->term);
}

/* A set of a statistic's values: of the bins below edge[1], between edges, ..., those that are chosen. */
struct value_set {
    size_t bins, statistic;
    double edge[MOST_BINS]; /* bins - 1 of them, ascending */
    int chosen[MOST_BINS];
    double offset; /* f = 1_A - offset */
    double gain;   /* mean of the excess over the set, where the set was chosen */
};

/* Quantile bins of n values; those with a positive mean excess. */
static void choose_set(size_t n, const double *x, const double *excess, double *sorted, struct value_set *out)
{
    double gain[MOST_BINS] = {0}, square[MOST_BINS] = {0}, all = 0.0, inside = 0.0;
    size_t bins = n / PAIRS_A_BIN;
    out->bins = bins < LEAST_BINS ? LEAST_BINS : bins > MOST_BINS ? MOST_BINS : bins;
    memcpy(sorted, x, n * sizeof *x);
    qsort(sorted, n, sizeof *sorted, sorted_ascending);
    for (size_t b = 0; b + 1 < out->bins; b++)
        out->edge[b] = sorted[(size_t)((double)n * (double)(b + 1) / (double)out->bins)];
    for (size_t j = 0; j < n; j++) {
        size_t b = sorted_below(out->edge, out->bins - 1, x[j]);
        gain[b] += excess[j];
        square[b] += excess[j] * excess[j];
    }
    out->gain = 0.0;
    for (size_t b = 0; b < out->bins; b++) {
        out->chosen[b] = gain[b] > 0.0;
        out->gain += out->chosen[b] ? gain[b] / (double)n : 0.0;
        all += square[b];
        inside += out->chosen[b] ? square[b] : 0.0;
    }
    out->offset = all > 0.0 ? inside / all : 0.0;
}

static void choose_best(size_t n, size_t statistics, size_t stride, const double *statistic, const double *excess,
                        double *sorted, struct value_set *best)
{
    for (size_t k = 0; k < statistics; k++) {
        struct value_set set;
        choose_set(n, statistic + k * stride, excess, sorted, &set);
        set.statistic = k;
        if (k == 0 || set.gain > best->gain)
            *best = set;
    }
}

/* E[(W - 1)(1_A - offset)] = q(A) - p(A), because E[W - 1] = 0 for every offset; the offset that the other half found
 * best halves the variance of a set of probability 1/2. */
static struct estimate evaluate_set(size_t n, const struct value_set *set, const double *x, const double *excess,
                                    double *term)
{
    for (size_t j = 0; j < n; j++)
        term[j] = excess[j] * ((set->chosen[sorted_below(set->edge, set->bins - 1, x[j])] ? 1.0 : 0.0) - set->offset);
    return estimate_mean(n, term);
}

/* The statistic and the set are chosen on one half of the pairs and evaluated on the other: given the first half, the
 * value's expectation is q(A) - p(A) <= TV for a fixed A. Then the halves change places. The two values share their
 * data, so they are correlated in a way that depends on how clear the choice was. */
static struct estimate lower_bound(const struct pairs *pairs, size_t statistics, const double *statistic,
                                   size_t *used)
{
    size_t m = pairs->m, half = m / 2, rest = m - half;
    struct value_set first = {0}, second = {0};
    *used = 0;
    if (statistics == 0)
        return (struct estimate){0};
    choose_best(half, statistics, m, statistic, pairs->excess, pairs->term, &first);
    choose_best(rest, statistics, m, statistic + half, pairs->excess + half, pairs->term, &second);
    struct estimate on_rest =
        evaluate_set(rest, &first, statistic + first.statistic * m + half, pairs->excess + half, pairs->term);
    struct estimate on_half =
        evaluate_set(half, &second, statistic + second.statistic * m, pairs->excess, pairs->term);
    *used = on_rest.value >= on_half.value ? first.statistic : second.statistic;
    return estimate_pair(on_rest, on_half);
}

static enum status check(size_t m, const double *log_w, const double *log_w_other, size_t statistics,
                         const double *statistic, struct error *error)
{
    if (m < WEIGHTS_LEAST_PAIRS)
        return fail_with(error, STATUS_INVALID, "%zu pairs of paths are too few, %d are needed", m,
                         WEIGHTS_LEAST_PAIRS);
    enum status status = check_finite(m, log_w, "log W", error);
    if (status == STATUS_OK)
        status = check_finite(m, log_w_other, "log W'", error);
    for (size_t k = 0; k < statistics && status == STATUS_OK; k++)
        status = check_finite(m, statistic + k * m, "a statistic", error);
    return status;
}

static void conclude(const struct pairs *pairs, size_t statistics, const double *statistic, struct weights *out)
{
    out->accepted = out->ess >= WEIGHTS_FLOOR;
    out->chi2_accepted = out->ess >= WEIGHTS_FLOOR_OF_CHI2;
    out->mass = out->chi2 = out->tv_upper = out->tv_lower = (struct estimate){NAN, NAN};
    if (out->accepted) {
        out->mass = estimate_mean(pairs->m, pairs->excess);
        out->mass.value += 1.0;
        out->tv_lower = lower_bound(pairs, statistics, statistic, &out->statistic);
    }
    if (out->chi2_accepted) {
        out->chi2 = controlled_mean(pairs, pairs->product);
        out->tv_upper = estimate_root(out->chi2, 0.5);
    }
    /* where W itself cannot be trusted, log W can */
    out->path_kl = out->accepted ? controlled_mean(pairs, pairs->cost) : estimate_mean(pairs->m, pairs->cost);
}

enum status weights_measure(size_t m, const double *log_w, const double *log_w_other, size_t statistics,
                            const double *statistic, struct weights *out, struct error *error)
{
    enum status status = check(m, log_w, log_w_other, statistics, statistic, error);
    if (status != STATUS_OK)
        return status;
    double *block = m <= SIZE_MAX / 4 ? array_new(4 * m, sizeof *block) : NULL;
    if (block == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for the weights of %zu pairs of paths", m);
    struct pairs pairs = {m, block, block + m, block + 2 * m, block + 3 * m};
    *out = (struct weights){0};
    out->ess = effective_size(m, log_w, log_w_other);
    for (size_t j = 0; j < m; j++) {
        double w = expm1(log_w[j]), other = expm1(log_w_other[j]);
        pairs.excess[j] = 0.5 * (w + other);
        pairs.product[j] = w * other;
        pairs.cost[j] = -0.5 * (log_w[j] + log_w_other[j]);
    }
    conclude(&pairs, statistics, statistic, out);
    out->pinsker = estimate_root(out->path_kl, sqrt(0.5));
    free(block);
    return STATUS_OK;
}
