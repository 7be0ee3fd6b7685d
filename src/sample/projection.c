#include "sample/projection.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/sorted.h"

enum { LEAST_BINS = 16, MOST_BINS = 64, CHAINS_A_BIN = 64 };

/* Bins of equal probability for n chains: a 64th of half of them, in 16..64. */
static size_t bins_for(size_t n)
{
    size_t bins = n / 2 / CHAINS_A_BIN;
    return bins < LEAST_BINS ? LEAST_BINS : bins > MOST_BINS ? MOST_BINS : bins;
}

/* Bins along a direction, with their exact probabilities: those at the edges as they are, not as they were meant. */
struct histogram {
    size_t bins;
    double edge[MOST_BINS]; /* bins - 1 of them, ascending */
    double probability[MOST_BINS];
    size_t count[2][MOST_BINS]; /* of the chains in either half */
};

/* Positions are rounded, in the chains and in the law. Where that would move more than a twentieth of a bin across an
 * edge, in an atom, the edge is moved out of it. */
static double resolved_edge(const struct projected *law, double edge, size_t bins)
{
    double rounding = 4.0 * 0x1p-53 * (fabs(edge) + law->sd), step = rounding;
    for (int moves = 0; moves < 40; moves++, step *= 2.0) {
        if (projected_cdf(law, edge + rounding) - projected_cdf(law, edge - rounding) <= 0.05 / (double)bins)
            break;
        edge += step;
    }
    return edge;
}

static void set_edges(const struct projected *law, size_t bins, struct histogram *out)
{
    double before = 0.0;
    *out = (struct histogram){.bins = bins};
    for (size_t b = 0; b < bins; b++) {
        double up_to = 1.0;
        if (b + 1 < bins) {
            out->edge[b] = resolved_edge(law, projected_quantile(law, (double)(b + 1) / (double)bins), bins);
            if (b > 0 && out->edge[b] < out->edge[b - 1])
                out->edge[b] = out->edge[b - 1];
            up_to = projected_cdf(law, out->edge[b]);
        }
        out->probability[b] = up_to - before;
        before = up_to;
    }
}

static void add_coordinate(size_t n, double factor, const double *y, double *along)
{
    for (size_t j = 0; j < n; j++)
        along[j] += factor * y[j];
}

static enum status fill(size_t n, size_t d, const double *y, const double *u, double *along,
                        struct histogram *histogram, struct error *error)
{
    memset(along, 0, n * sizeof *along);
    for (size_t i = 0; i < d; i++)
        if (u[i] != 0.0)
            add_coordinate(n, u[i], y + i * n, along);
    for (size_t j = 0; j < n; j++) {
        if (!isfinite(along[j]))
            return fail_with(error, STATUS_NUMERIC, "chain %zu is not finite: %g along a direction", j + 1, along[j]);
        /* bin b holds edge[b - 1] < x <= edge[b] */
        histogram->count[j >= n / 2][sorted_below(histogram->edge, histogram->bins - 1, along[j])]++;
    }
    return STATUS_OK;
}

/* The half that trains, and what it makes of one direction. */
struct choice {
    size_t direction;
    double excess; /* q(A) - p(A), estimated from the training half */
    struct estimate value;
};

/* Where the training half shows more than the exact probability is A; the other half says how much more there is. The
 * error is that of a binomial, with half a success and half a failure more, so that it never is 0. */
static struct choice choose(const struct histogram *histogram, int training, size_t trained, size_t evaluated)
{
    struct choice out = {0};
    double exact = 0.0, hits = 0.0;
    for (size_t b = 0; b < histogram->bins; b++) {
        double excess = (double)histogram->count[training][b] / (double)trained - histogram->probability[b];
        if (excess <= 0.0)
            continue;
        out.excess += excess;
        exact += histogram->probability[b];
        hits += (double)histogram->count[!training][b];
    }
    double share = (hits + 0.5) / ((double)evaluated + 1.0);
    out.value = (struct estimate){hits / (double)evaluated - exact, sqrt(share * (1.0 - share) / (double)evaluated)};
    return out;
}

/* For a fixed set A, q(A) - p(A) <= TV(q, p) and the fraction of independent chains in A is unbiased for q(A). The
 * set and the direction come from the other half of the chains, which is independent, so given these the value's
 * expectation is at most TV; hence it is so without that condition, and for the mean of the two ways round. (Chosen
 * and evaluated on the same chains it would exceed TV by noise.) A set chosen from noise alone has expectation 0
 * where q = p. */
enum status projection_tv(size_t n, size_t d, const double *y, size_t m, const double *unit,
                          const struct projected *law, struct projection *out, struct error *error)
{
    struct choice best[2] = {{0}, {0}};
    size_t size[2] = {n / 2, n - n / 2};
    if (n < PROJECTION_LEAST_CHAINS || m == 0)
        return fail_with(error, STATUS_INVALID, "%zu chains and %zu directions are too few for a projection", n, m);
    double *along = array_new(n, sizeof *along);
    if (along == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for the projections of %zu chains", n);
    enum status status = STATUS_OK;
    double worst = 0.0;
    for (size_t k = 0; k < m && status == STATUS_OK; k++) {
        struct histogram histogram;
        worst = fmax(worst, law[k].accuracy);
        set_edges(&law[k], bins_for(n), &histogram);
        status = fill(n, d, y, unit + k * d, along, &histogram, error);
        for (int training = 0; training < 2 && status == STATUS_OK; training++) {
            struct choice choice = choose(&histogram, training, size[training], size[!training]);
            choice.direction = k;
            if (k == 0 || choice.excess > best[training].excess)
                best[training] = choice;
        }
    }
    free(along);
    /* The two values share their data, so they are correlated in a way that depends on how clear the choice was. */
    out->tv = estimate_pair(best[0].value, best[1].value);
    out->direction = best[best[1].value.value > best[0].value.value].direction;
    out->bins = bins_for(n);
    out->tv.error += (double)out->bins * worst;
    return status;
}
