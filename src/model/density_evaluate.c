#include <math.h>

#include "core/legendre.h"
#include "core/vmath.h"
#include "model/density.h"

/* [standard deviations] Beyond, N(0, 1), and what is log-concave in its place, has less than rounding. */
#define REACH 9.3

#define LOG_ROOT_2PI 0.91893853320467274178

/* ---- Pieces. In z = (sqrt(A) u - x)/sqrt(O), u the place in X_0, a piece is exp(c + b z) phi(z) between two ends,
 * with b = slope sqrt(O/A), and exp(b z) phi(z) = exp(b^2/2) phi(z - b). ---- */

/* Mills' ratio: the mass of N(0, 1) beyond t >= 0 over the density there; by a continued fraction where the error
 * function's own digits would be lost in exp(t^2/2). Its n-th convergent is off by about exp(-t sqrt(8 n)) where n is
 * large beside t^2, and by n!/t^(2 n) where it is small; the number of terms is enough for 2^-55 at every t. */
static double mills(double t)
{
    if (isinf(t))
        return 0.0;
    if (t < 5.0)
        return exp(0.5 * t * t + LOG_ROOT_2PI) * 0.5 * erfc(t * M_SQRT1_2);
    double fraction = t;
    for (int k = 5 + (int)(60.0 / t + 300.0 / (t * t)); k >= 1; k--)
        fraction = t + k / fraction;
    return 1.0 / fraction;
}

/* [1] (t_b - t_a) max(1, |t|) below which the two ends' Mills' ratios are near one another. */
#define NEAR 0.5

struct ends {
    double z[2];   /* of the piece's ends */
    double length; /* z[1] - z[0], with all its digits */
    double log[2]; /* log p_0 there, inside */
    double b;
};

/* log of the integral of a piece short in z: as exp(linear - z^2/2) by a rule of few nodes, from the end a. */
static double log_short(const struct ends *e)
{
    static const double node[] = {0.2386191860831969086305017, 0.6612093864662645136613996,
                                  0.9324695142031520278123016};
    static const double weight[] = {0.4679139345726910473898703, 0.3607615730481386075698335,
                                    0.1713244923791703450402961};
    double half = 0.5 * e->length, total = 0.0;
    for (int i = 0; i < 6; i++) {
        double step = half * (1.0 + (i < 3 ? node[i] : -node[i - 3]));
        total += weight[i % 3] * exp(step * (e->b - e->z[0] - 0.5 * step));
    }
    return e->log[0] - 0.5 * e->z[0] * e->z[0] - LOG_ROOT_2PI + log(half * total);
}

/* log of the integral of one piece. */
static double log_piece(const struct ends *e)
{
    double t[2] = {e->z[0] - e->b, e->z[1] - e->b}, length = e->length;
    if (length * fmax(1.0, fmin(fabs(t[0]), fabs(t[1]))) < NEAR)
        return log_short(e);
    if (t[0] >= 0.0 || t[1] <= 0.0) {
        /* from the end that is nearer to 0, where the density of z - b is the larger one */
        int near = t[0] >= 0.0 ? 0 : 1;
        double close = fabs(t[near]), far = fabs(t[1 - near]);
        double rest = isinf(far) ? 0.0 : mills(far) * exp(-0.5 * length * (close + far));
        return e->log[near] - 0.5 * e->z[near] * e->z[near] - LOG_ROOT_2PI + log(mills(close) - rest);
    }
    int finite = isinf(e->z[0]) ? 1 : 0;
    double value = e->log[finite] - e->b * e->z[finite] + 0.5 * e->b * e->b;
    if (t[0] < -REACH && t[1] > REACH)
        return value;
    return value + log(1.0 - 0.5 * erfc(-t[0] * M_SQRT1_2) - 0.5 * erfc(t[1] * M_SQRT1_2));
}

/* What a sum of signed exponentials needs to be taken relative to the largest. */
struct sums {
    double largest, density, slope;
};

static void add(struct sums *sums, double exponent, double density, double slope)
{
    if (exponent > sums->largest) {
        double shrink = isinf(sums->largest) ? 0.0 : exp(sums->largest - exponent);
        *sums = (struct sums){exponent, shrink * sums->density + density, shrink * sums->slope + slope};
        return;
    }
    double weight = exp(exponent - sums->largest);
    sums->density += weight * density;
    sums->slope += weight * slope;
}

/* [log density] Pieces and jumps so far below the largest are left out. */
#define NEGLIGIBLE 42.0

/* log of the largest value of exp(c + b z - z^2/2) on a piece: its integral, without 1/sqrt(2 pi), is at most
 * sqrt(2 pi) times that. */
static double log_largest(const struct ends *e)
{
    double z = fmin(fmax(e->b, e->z[0]), e->z[1]);
    int finite = isinf(e->z[0]) ? 1 : 0;
    return e->log[finite] + e->b * (z - e->z[finite]) - 0.5 * z * z;
}

/* A level, in the coordinate x of X_t - sqrt(A) origin. */
struct scaled {
    double root, sd, ratio, origin; /* sqrt(A), sqrt(O), sqrt(O/A) */
};

static double z_of(const struct scaled *at, double place, double x)
{
    return (at->root * (place - at->origin) - x) / at->sd;
}

static struct ends ends_of(const struct scaled *at, const struct density_piece *piece, double from, double x)
{
    return (struct ends){{from, z_of(at, piece->to, x)},
                         (piece->to - piece->from) / at->ratio,
                         {piece->log_from, piece->log_to},
                         piece->slope * at->ratio};
}

/* The pieces from *first up to *end are all that count at x: beyond, p_0 exp(-z^2/2) is nowhere above a negligible
 * part of the mass of the piece at x. */
static void find_pieces(const struct density *density, const struct scaled *at, double x, size_t *first, size_t *end)
{
    size_t low = 0, high = density->pieces;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        *(z_of(at, density->piece[middle].from, x) <= 0.0 ? &low : &high) = middle;
    }
    const struct density_piece *here = &density->piece[low];
    const struct ends ends = ends_of(at, here, z_of(at, here->from, x), x);
    const double reach = sqrt(2.0 * fmax(density->highest - log_piece(&ends) + NEGLIGIBLE, 0.0));
    *first = low;
    *end = low + 1;
    while (*first > 0 && z_of(at, density->piece[*first].from, x) > -reach)
        --*first;
    while (*end < density->pieces && z_of(at, density->piece[*end].from, x) < reach)
        ++*end;
}

static void evaluate_pieces(const struct density *density, const struct level *level, double origin, size_t n,
                            const double *x, double *log_density, double *score)
{
    double root = sqrt(level->alpha_bar), sd = sqrt(level->noise);
    const struct scaled at = {root, sd, sd / root, origin};
    for (size_t i = 0; i < n; i++) {
        struct sums sums = {-HUGE_VAL, 0.0, 0.0};
        size_t first, end;
        find_pieces(density, &at, x[i], &first, &end);
        double least = -HUGE_VAL; /* what counts */
        double left =
            first > 0 ? density->piece[first - 1].log_to : -HUGE_VAL; /* log p_0 at the piece before's end */
        struct ends ends = {.z = {0.0, z_of(&at, density->piece[first].from, x[i])}};
        for (size_t j = first; j <= end; j++) {
            const struct density_piece *piece = &density->piece[j];
            double right = j < density->pieces ? piece->log_from : -HUGE_VAL, z = ends.z[1];
            /* p_0 jumps from its value on the left of the place to that on the right of it */
            if (right != left && isfinite(z)) {
                double larger = fmax(left, right), edge = larger - 0.5 * z * z - LOG_ROOT_2PI;
                double jump = -expm1(fmin(left, right) - larger) / sd;
                if (edge > sums.largest - NEGLIGIBLE)
                    add(&sums, edge, 0.0, right > left ? jump : -jump);
            }
            if (j == end)
                break;
            ends = ends_of(&at, piece, z, x[i]);
            double most = log_largest(&ends);
            if (most > least - NEGLIGIBLE) {
                double mass = log_piece(&ends);
                least = fmax(least, mass);
                add(&sums, mass, 1.0, piece->slope / root);
            }
            left = piece->log_to;
        }
        if (log_density != NULL)
            log_density[i] = sums.largest + log(sums.density) - 0.5 * log(level->alpha_bar);
        if (score != NULL)
            score[i] = sums.slope / sums.density;
    }
}

/* ---- Smooth shapes. ---- */

/* The w at which log f(w) - ((w - centre)/width)^2/2, which is concave, has its maximum; to a part of the width. */
static double maximum(const struct smooth_shape *shape, double centre, double width)
{
    double w = centre, inverse = 1.0 / (width * width);
    for (int i = 0; i < 50; i++) {
        double value, slope, curvature;
        shape->evaluate(w, &value, &slope, &curvature);
        double step = (slope - (w - centre) * inverse) / (inverse - curvature);
        w += step;
        if (fabs(step) < 1e-3 * width)
            break;
    }
    return w;
}

/* sqrt(O/A) in units of w. */
static double width_at(const struct density *density, const struct level *level)
{
    return sqrt(level->noise / level->alpha_bar) / density->scale;
}

/* In z, of the trapezoid rule for the product of a shape and a Gaussian, whose bandwidth is the sum of theirs. */
static double spacing_at(const struct smooth_shape *shape, double width)
{
    return 1.0 / (1.0 / DENSITY_SPACING + width / shape->spacing);
}

static void evaluate_shape(const struct density *density, const struct level *level, double origin, size_t n,
                           const double *x, double *log_density, double *score)
{
    enum { MOST = 256 };
    const struct smooth_shape *shape = density->shape;
    double root = sqrt(level->alpha_bar), width = width_at(density, level), spacing = spacing_at(shape, width);
    size_t half = (size_t)ceil(REACH / spacing);
    for (size_t i = 0; i < n; i++) {
        double centre = (x[i] / root + (origin - density->place)) / density->scale;
        double top = maximum(shape, centre, width), shift = (top - centre) / width, total = 0.0, gradient = 0.0;
        double exponent[MOST], slope[MOST], highest, curvature;
        shape->evaluate(top, &highest, &slope[0], &curvature);
        for (size_t j = 0; j <= 2 * half; j++) {
            double step = ((double)j - (double)half) * spacing;
            shape->evaluate(top + width * step, &exponent[j], &slope[j], &curvature);
            exponent[j] = (exponent[j] - highest) - step * (shift + 0.5 * step);
        }
        vexp(2 * half + 1, exponent, exponent);
        for (size_t j = 0; j <= 2 * half; j++) {
            total += exponent[j];
            gradient += exponent[j] * slope[j];
        }
        if (log_density != NULL)
            log_density[i] = highest - 0.5 * shift * shift + log(total * spacing) - LOG_ROOT_2PI
                             - density->log_normaliser - log(root * density->scale);
        if (score != NULL)
            score[i] = gradient / (total * root * density->scale);
    }
}

void density_evaluate(const struct density *density, const struct level *level, double origin, size_t n,
                      const double *x, double *log_density, double *score)
{
    (density->shape != NULL ? evaluate_shape : evaluate_pieces)(density, level, origin, n, x, log_density, score);
}

bool density_is_wide(const struct density *density, const struct level *level)
{
    return level->noise > density->narrow * density->narrow * level->alpha_bar;
}

size_t density_exponentials(const struct density *density, const struct level *level)
{
    enum { OF_PIECE = 6 }; /* at most: two error functions, a logarithm, and an exponential, in the sum, of an edge */
    if (density_is_wide(density, level))
        return density->masses;
    if (density->shape == NULL)
        return OF_PIECE * density->pieces;
    size_t half = (size_t)ceil(REACH / spacing_at(density->shape, width_at(density, level)));
    return (2 * half + 1) * (1 + density->shape->exponentials);
}
