#include "sample/projected.h"

#include <math.h>

#include "core/memory.h"
#include "core/sorted.h"
#include "sample/projected_parts.h"

enum {
    FEW_COMPONENTS = 512,    /* of these a value may add all */
    MOST_COMPONENTS = 65536, /* of these only some, or building them takes longer than everything else */
    MOST_TERMS = 1 << 17,
    FEW_TERMS = 1 << 14, /* rather than many components */
    FIRST_TERMS = 1 << 9
};

#define LOG_TAIL (-36.0) /* log of what is outside [lower, upper] on either side: 2e-16 */
#define CUTOFF 9.0       /* standard deviations at which a component is cut off: 1e-19 of it is beyond */
#define EXACT 1e-11      /* what rounding leaves of a distribution function */
#define LEAST_ACCURACY 1e-5
#define QUANTILE_ACCURACY 1e-13

/* ---- the mixture ---- */

static enum status take_mixture(const struct components *mixture, struct projected *law, struct error *error)
{
    size_t n = mixture->count;
    double *block = array_new(4 * n + 1, sizeof *block); /* n <= MOST_COMPONENTS */
    if (block == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for the %zu components of a projection", n);
    law->components = n;
    law->weight = block;
    law->centre = block + n;
    law->width = block + 2 * n;
    law->below = block + 3 * n;
    for (size_t k = 0; k < n; k++) {
        law->weight[k] = mixture->part[k].weight;
        law->centre[k] = mixture->part[k].mean;
        law->width[k] = sqrt(mixture->part[k].variance);
        law->below[k + 1] = law->below[k] + law->weight[k];
        law->widest = fmax(law->widest, law->width[k]);
    }
    return STATUS_OK;
}

static double mixture_cdf(const struct projected *law, double x)
{
    size_t from = sorted_below(law->centre, law->components, x - CUTOFF * law->widest),
           to = sorted_below(law->centre, law->components, x + CUTOFF * law->widest);
    double total = law->below[from];
    for (size_t k = from; k < to; k++)
        total += law->weight[k] * 0.5 * erfc((law->centre[k] - x) / (law->width[k] * M_SQRT2));
    return total / law->below[law->components];
}

/* ---- the series ---- */

/* Coefficients from..to-1 of the distribution function on [lower, upper], length L, for a density
 *     1/L + sum_k a_k cos(k pi (x - lower)/L),   a_k = 2/L Re phi(k pi/L) exp(-i k pi lower/L):
 * that of sin(k pi (x - lower)/L) is a_k L/(k pi). Returns the mean square of |phi|. */
static double add_terms(const struct parts *parts, double low, double length, size_t from, size_t to,
                        double *coefficient)
{
    double square = 0.0, step = M_PI / length, real[PARTS_BLOCK], imaginary[PARTS_BLOCK];
    for (size_t first = from; first < to; first += PARTS_BLOCK) {
        size_t n = to - first < PARTS_BLOCK ? to - first : PARTS_BLOCK;
        parts_characteristic(parts, step, first, n, real, imaginary);
        for (size_t j = 0; j < n; j++) {
            double k = (double)(first + j), angle = k * step * low;
            coefficient[first + j] = 2.0 / (k * M_PI) * (real[j] * cos(angle) + imaginary[j] * sin(angle));
            square += real[j] * real[j] + imaginary[j] * imaginary[j];
        }
    }
    return square / (double)(to - from);
}

static enum status series_memory(struct projected *law, size_t terms, struct error *error)
{
    double *grown = array_resize(law->coefficient, terms, sizeof *grown);
    if (grown == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for the %zu terms of a projection's series", terms);
    law->coefficient = grown;
    law->terms = terms;
    return STATUS_OK;
}

static enum status take_series(const struct parts *parts, size_t terms, struct projected *law, struct error *error)
{
    enum status status = series_memory(law, terms, error);
    if (status == STATUS_OK)
        (void)add_terms(parts, law->lower - law->mean, law->upper - law->lower, 1, terms, law->coefficient);
    return status;
}

/* Terms k >= n add 2/(k pi) phi_k with phases that have nothing to do with each other where there are no arithmetic
 * relations between the directions of many narrow components: about rms(phi)/sqrt(n) in all. */
static enum status try_series(const struct parts *parts, struct projected *law, struct error *error)
{
    double low = law->lower - law->mean, length = law->upper - law->lower, left = 1.0;
    for (size_t from = 1, to = FIRST_TERMS; to <= MOST_TERMS && left > 0.1 * EXACT; from = to, to *= 2) {
        enum status status = series_memory(law, to, error);
        if (status != STATUS_OK)
            return status;
        left = sqrt(add_terms(parts, low, length, from, to, law->coefficient) / (double)to);
    }
    law->accuracy = fmax(10.0 * left, EXACT);
    if (law->accuracy <= LEAST_ACCURACY)
        return STATUS_OK;
    return fail_with(error, STATUS_UNSUPPORTED,
                     "the projection of the target on a direction has too many narrow components: a series of %d "
                     "terms leaves %.1e of its distribution function, a sum more than %d components",
                     MOST_TERMS, law->accuracy, MOST_COMPONENTS);
}

static double series_cdf(const struct projected *law, double x)
{
    double position = (x - (law->lower - law->mean)) / (law->upper - law->lower);
    if (position <= 0.0 || position >= 1.0)
        return position > 0.5 ? 1.0 : 0.0;
    /* Clenshaw's sum of sines is unstable near the ends; blocks of rotations from exact angles are not */
    double total = position, step_sine = sin(M_PI * position), step_cosine = cos(M_PI * position);
    for (size_t start = 1; start < law->terms; start += 32) {
        double sine = sin(M_PI * position * (double)start), cosine = cos(M_PI * position * (double)start);
        for (size_t k = start; k < law->terms && k < start + 32; k++) {
            double turned = sine * step_cosine + cosine * step_sine;
            total += law->coefficient[k] * sine;
            cosine = cosine * step_cosine - sine * step_sine;
            sine = turned;
        }
    }
    return fmin(fmax(total, 0.0), 1.0);
}

/* ---- both ---- */

static enum status choose_route(const struct parts *parts, struct projected *law, struct error *error)
{
    struct components mixture = {0};
    const struct projected_part *only = parts->count == 1 && parts->part[0].copies <= 1.0 ? parts->part : NULL;
    if (only != NULL && only->density != NULL) {
        law->density = only->density;
        law->share = only->share;
        law->noise_sd = sqrt(only->least_variance + parts->gaussian);
        law->origin = only->origin;
        law->accuracy = EXACT;
        return STATUS_OK;
    }
    double terms = parts_frequency(parts, LOG_TAIL) * (law->upper - law->lower) / M_PI + 2.0;
    size_t most = terms <= FEW_TERMS ? FEW_COMPONENTS : MOST_COMPONENTS;
    int complete;
    enum status status = parts_combine(parts, most, &mixture, &complete, error);
    law->accuracy = EXACT;
    if (status == STATUS_OK) {
        if (complete)
            status = take_mixture(&mixture, law, error);
        else if (terms <= MOST_TERMS)
            status = take_series(parts, (size_t)terms, law, error);
        else
            status = try_series(parts, law, error);
    }
    free(mixture.part);
    return status;
}

enum status projected_new(const struct factor_list *list, const double *u, const struct level *level,
                          struct projected *out, struct error *error)
{
    struct parts parts = {0};
    *out = (struct projected){0};
    enum status status = parts_new(list, u, level, &parts, error);
    if (status == STATUS_OK) {
        out->mean = parts.mean;
        out->sd = sqrt(parts.variance);
        out->lower = out->mean - parts_tail(&parts, -1.0, LOG_TAIL);
        out->upper = out->mean + parts_tail(&parts, 1.0, LOG_TAIL);
        status = choose_route(&parts, out, error);
    }
    parts_free(&parts);
    return status;
}

void projected_free(struct projected *law)
{
    free(law->weight);
    free(law->coefficient);
    *law = (struct projected){0};
}

static double centred_cdf(const struct projected *law, double x)
{
    if (law->density != NULL)
        return density_smoothed_below(law->density, law->share, law->noise_sd, x + law->origin);
    return law->components > 0 ? mixture_cdf(law, x) : series_cdf(law, x);
}

double projected_cdf(const struct projected *law, double x)
{
    return centred_cdf(law, x - law->mean);
}

/* Ends of a bracket, and how far the distribution function is from the probability at each. */
struct bracket {
    double low, high, below, above;
    int side; /* of the end that moved last */
};

/* Illinois: an end that stays twice counts half. */
static void narrow(struct bracket *bracket, double x, double value)
{
    int side = value < 0.0 ? -1 : 1;
    if (side < 0) {
        bracket->low = x;
        bracket->below = value;
        bracket->above *= bracket->side == side ? 0.5 : 1.0;
    } else {
        bracket->high = x;
        bracket->above = value;
        bracket->below *= bracket->side == side ? 0.5 : 1.0;
    }
    bracket->side = side;
}

/* False position, and bisection in every third step unless the two before it have made the bracket a quarter: atoms
 * and the gaps between them are steps and plateaus. */
double projected_quantile(const struct projected *law, double probability)
{
    struct bracket b = {.low = law->lower - law->mean, .high = law->upper - law->mean};
    double width = b.high - b.low, x = b.low;
    b.below = centred_cdf(law, b.low) - probability;
    b.above = centred_cdf(law, b.high) - probability;
    if (b.below >= 0.0 || b.above <= 0.0)
        return b.below >= 0.0 ? law->lower : law->upper;
    for (int step = 0; step < 400; step++) {
        int third = step % 3 == 2;
        x = b.low - b.below * (b.high - b.low) / (b.above - b.below);
        if ((third && b.high - b.low > 0.25 * width) || !(x > b.low && x < b.high))
            x = b.low + 0.5 * (b.high - b.low);
        width = third ? b.high - b.low : width;
        if (x <= b.low || x >= b.high)
            break;
        double value = centred_cdf(law, x) - probability;
        if (fabs(value) < QUANTILE_ACCURACY)
            break;
        narrow(&b, x, value);
    }
    return law->mean + x;
}
