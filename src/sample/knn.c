#include "sample/knn.h"

#include <gsl/gsl_sf_psi.h>
#include <math.h>

#include "core/memory.h"
#include "core/sum.h"
#include "core/vmath.h"

enum { BLOCK = 64 }; /* candidates looked at together */

/* A sample in equal batches: point j of batch b is number b * size + j. The last few of n points are left out. */
struct sample {
    size_t n, d, batches, size;
    const double *x, *log_p;
    double inverse_scale[KNN_MOST_DIMENSION], log_volume; /* coordinates are divided by their standard deviations */
};

/* The k least squared distances so far, ascending. */
struct nearest {
    double square[KNN_NEIGHBOUR];
};

static void insert(struct nearest *nearest, double square)
{
    size_t at = KNN_NEIGHBOUR - 1;
    if (!(square < nearest->square[at]))
        return;
    for (; at > 0 && nearest->square[at - 1] > square; at--)
        nearest->square[at] = nearest->square[at - 1];
    nearest->square[at] = square;
}

/* Squared distances of a point to BLOCK others, coordinate after coordinate at a stride; returns the least. */
VECTOR_CLONES static double block_distances(size_t d, size_t stride, const double *others, const double *point,
                                            double *square)
{
    double least = HUGE_VAL;
    for (size_t j = 0; j < BLOCK; j++)
        square[j] = 0.0;
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < BLOCK; j++) {
            double u = others[i * stride + j] - point[i];
            square[j] += u * u;
        }
    for (size_t j = 0; j < BLOCK; j++)
        least = square[j] < least ? square[j] : least;
    return least;
}

/* Squared distance of every point of a batch to its k-th neighbour. The points are padded to a multiple of BLOCK with
 * infinitely distant ones. */
static void neighbours(size_t d, size_t size, size_t stride, const double *points, double *out)
{
    double point[KNN_MOST_DIMENSION], square[BLOCK];
    for (size_t j = 0; j < size; j++) {
        struct nearest nearest;
        for (size_t k = 0; k < KNN_NEIGHBOUR; k++)
            nearest.square[k] = HUGE_VAL;
        for (size_t i = 0; i < d; i++)
            point[i] = points[i * stride + j];
        for (size_t start = 0; start < size; start += BLOCK) {
            if (!(block_distances(d, stride, points + start, point, square) < nearest.square[KNN_NEIGHBOUR - 1]))
                continue;
            for (size_t other = 0; other < BLOCK; other++)
                if (start + other != j)
                    insert(&nearest, square[other]);
        }
        out[j] = nearest.square[KNN_NEIGHBOUR - 1];
    }
}

static void copy_batch(const struct sample *sample, size_t batch, size_t stride, double *points)
{
    for (size_t i = 0; i < sample->d; i++) {
        const double *from = sample->x + i * sample->n + batch * sample->size;
        for (size_t j = 0; j < stride; j++)
            points[i * stride + j] = j < sample->size ? from[j] * sample->inverse_scale[i] : HUGE_VAL;
    }
}

/* The mean over a batch of d log(distance to the k-th neighbour) + log p: minus the estimate of KL but for constants
 * that are the same for every sample of this size. */
static enum status batch_term(const struct sample *sample, size_t batch, double *work, double *out,
                              struct error *error)
{
    size_t stride = (sample->size + BLOCK - 1) / BLOCK * BLOCK;
    double *square = work + sample->d * stride;
    struct sum sum = {0};
    copy_batch(sample, batch, stride, work);
    neighbours(sample->d, sample->size, stride, work, square);
    for (size_t j = 0; j < sample->size; j++) {
        size_t number = batch * sample->size + j;
        double log_p = sample->log_p[number];
        if (!isfinite(log_p) || !isfinite(square[j]))
            return fail_with(error, STATUS_NUMERIC,
                             "point %zu of a sample is not finite, or its log-density is not: %g", number + 1, log_p);
        if (!(square[j] > 0.0))
            return fail_with(error, STATUS_NUMERIC,
                             "point %zu of a sample coincides with %d others: no density to estimate, as at atoms",
                             number + 1, KNN_NEIGHBOUR);
        sum_add(&sum, 0.5 * (double)sample->d * log(square[j]) + log_p);
    }
    *out = sum_value(&sum) / (double)sample->size + sample->log_volume;
    return STATUS_OK;
}

/* Entropy does not care which scales are fixed; the bias does, and is the same for both samples where these differ by
 * the scales of their coordinates. */
static enum status sample_new(size_t n, size_t d, const double *x, const double *log_p, struct sample *out,
                              struct error *error)
{
    size_t batches = (n + KNN_MOST_BATCH - 1) / KNN_MOST_BATCH;
    *out = (struct sample){.n = n, .d = d, .x = x, .log_p = log_p};
    out->batches = batches < KNN_BATCHES ? KNN_BATCHES : batches;
    out->size = n / out->batches;
    for (size_t i = 0; i < d; i++) {
        double sd = estimate_mean(n, x + i * n).error * sqrt((double)n);
        if (!(sd > 0.0) || !isfinite(sd))
            return fail_with(error, STATUS_NUMERIC, "coordinate %zu of a sample has standard deviation %g", i + 1,
                             sd);
        out->inverse_scale[i] = 1.0 / sd;
        out->log_volume += log(sd);
    }
    return STATUS_OK;
}

/* log of the volume of the unit ball. */
static double log_ball(size_t d)
{
    return 0.5 * (double)d * log(M_PI) - lgamma(0.5 * (double)d + 1.0);
}

/* What Kozachenko and Leonenko's estimate of KL adds to batch_term, for batches of this size. */
static double constant_of(const struct sample *sample)
{
    return gsl_sf_psi_int((int)sample->size) - gsl_sf_psi_int(KNN_NEIGHBOUR) + log_ball(sample->d);
}

/* The estimate of every batch with what p's own sample gives subtracted; *own is the mean of the latter, which ought
 * to be 0. */
static enum status estimate_batch_wise(const struct sample *of_q, const struct sample *of_p, double *work,
                                       double *difference, double *own, struct error *error)
{
    enum status status = STATUS_OK;
    *own = 0.0;
    for (size_t b = 0; b < of_q->batches && status == STATUS_OK; b++) {
        double at_q = 0.0, at_p = 0.0;
        status = batch_term(of_q, b, work, &at_q, error);
        if (status == STATUS_OK)
            status = batch_term(of_p, b, work, &at_p, error);
        difference[b] = at_p - at_q;
        *own -= (at_p + constant_of(of_p)) / (double)of_q->batches;
    }
    return status;
}

enum status knn_kl(size_t n, size_t d, const double *y, const double *log_p_y, const double *x, const double *log_p_x,
                   struct estimate *out, struct error *error)
{
    struct sample of_q, of_p;
    double own;
    if (d < 1 || d > KNN_MOST_DIMENSION || n < (size_t)KNN_BATCHES * KNN_LEAST_BATCH)
        return fail_with(error, STATUS_INVALID,
                         "KL from neighbours is for 1 to %d dimensions and at least %d points, not %zu and %zu",
                         KNN_MOST_DIMENSION, KNN_BATCHES * KNN_LEAST_BATCH, d, n);
    enum status status = sample_new(n, d, y, log_p_y, &of_q, error);
    if (status == STATUS_OK)
        status = sample_new(n, d, x, log_p_x, &of_p, error);
    if (status != STATUS_OK)
        return status;
    double *work = array_new((KNN_MOST_DIMENSION + 1) * (KNN_MOST_BATCH + BLOCK), sizeof *work);
    double *difference = array_new(of_q.batches, sizeof *difference);
    if (work == NULL || difference == NULL)
        status = fail_with(error, STATUS_MEMORY, "out of memory for the neighbours of %zu points", n);
    if (status == STATUS_OK)
        status = estimate_batch_wise(&of_q, &of_p, work, difference, &own, error);
    if (status == STATUS_OK) {
        *out = estimate_batches(of_q.batches, difference);
        out->error = hypot(out->error, fabs(own) / KNN_BIAS_SHARED);
    }
    free(work);
    free(difference);
    return status;
}
