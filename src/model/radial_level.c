#include "model/radial_level.h"

#include <gsl/gsl_sf_gamma.h>
#include <math.h>
#include <stdbool.h>

#include "core/elementary.h"
#include "core/memory.h"
#include "core/vmath.h"

/* Points at a time: for any number of components what is needed of them stays in the nearest caches, log-weights of
 * more than FEW components because they are computed twice. */
enum { CHUNK = 64, FEW = 8 };

#define NEGLIGIBLE_ODDS 38.0 /* exp(-38) < 2^-54 */

enum status radial_level_new(const struct factor *factor, struct radial_level *out, struct error *error)
{
    size_t k = factor->components;
    double *block = k < SIZE_MAX / 4 ? array_new(4 * k, sizeof *block) : NULL;
    if (block == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a mixture of %zu components", k);
    *out = (struct radial_level){.factor = factor,
                                 .dimension = (double)factor->dimension,
                                 .variance = block,
                                 .sd = block + k,
                                 .inverse_variance = block + 2 * k,
                                 .log_weight = block + 3 * k};
    for (size_t i = 0; i < k; i++)
        out->log_weight[i] = factor_log_weight(factor, i);
    return STATUS_OK;
}

void radial_level_free(struct radial_level *radial)
{
    free(radial->variance);
    *radial = (struct radial_level){0};
}

void radial_level_set(struct radial_level *radial, const struct level *level)
{
    radial->level = *level;
    for (size_t k = 0; k < radial->factor->components; k++) {
        double s = radial->factor->sd[k];
        radial->variance[k] = level->alpha_bar * s * s + level->noise;
        radial->sd[k] = sqrt(radial->variance[k]);
        radial->inverse_variance[k] = 1.0 / radial->variance[k];
    }
}

/* V_k - V_j; under noise the two agree in more digits than they have. */
static double variance_difference(const struct radial_level *radial, size_t k, size_t j)
{
    const double *s = radial->factor->sd;
    return radial->level.alpha_bar * (s[k] - s[j]) * (s[k] + s[j]);
}

double radial_level_log_variance_ratio(const struct radial_level *radial, size_t k, size_t j)
{
    double relative = variance_difference(radial, k, j) * radial->inverse_variance[j];
    return fabs(relative) < 0.5 ? log1p(relative) : log(radial->variance[k] * radial->inverse_variance[j]);
}

double radial_level_precision_difference(const struct radial_level *radial, size_t k, size_t j)
{
    return -variance_difference(radial, k, j) * radial->inverse_variance[k] * radial->inverse_variance[j];
}

/* A component's log-weight against the anchor's Gaussian: constant - half rho^2. */
struct log_weight {
    double constant, half;
};

static struct log_weight log_weight_of(const struct radial_level *radial, size_t anchor, size_t k)
{
    if (k == anchor)
        return (struct log_weight){radial->log_weight[k], 0.0};
    double growth = 0.5 * radial->dimension * radial_level_log_variance_ratio(radial, k, anchor);
    return (struct log_weight){radial->log_weight[k] - growth,
                               0.5 * radial_level_precision_difference(radial, k, anchor)};
}

static inline double at_radius(struct log_weight weight, double rho)
{
    return weight.constant - weight.half * (rho * rho);
}

static inline void log_weights(const struct radial_level *radial, size_t anchor, size_t k, size_t n,
                               const double *rho, double *out)
{
    struct log_weight weight = log_weight_of(radial, anchor, k);
    for (size_t i = 0; i < n; i++)
        out[i] = at_radius(weight, rho[i]);
}

/* The largest of them, the sum of all weights over the largest, and that of their parts of the precision. */
VECTOR_CLONES static void weigh(const struct radial_level *radial, size_t anchor, size_t n, const double *rho,
                                double *largest, double *total, double *precision)
{
    double kept[FEW][CHUNK];
    size_t components = radial->factor->components;
    for (size_t k = 0; k < components; k++) {
        double *exponent = kept[components <= FEW ? k : 0];
        log_weights(radial, anchor, k, n, rho, exponent);
        for (size_t i = 0; i < n; i++)
            largest[i] = k > 0 && largest[i] > exponent[i] ? largest[i] : exponent[i];
    }
    for (size_t k = 0; k < components; k++) {
        double *exponent = kept[components <= FEW ? k : 0], inverse = radial->inverse_variance[k];
        if (components > FEW)
            log_weights(radial, anchor, k, n, rho, exponent);
        for (size_t i = 0; i < n; i++)
            exponent[i] -= largest[i];
        vexp(n, exponent, exponent);
        for (size_t i = 0; i < n; i++) {
            total[i] = k > 0 ? total[i] + exponent[i] : exponent[i];
            precision[i] = k > 0 ? precision[i] + exponent[i] * inverse : exponent[i] * inverse;
        }
    }
}

VECTOR_CLONES static void divide(size_t n, const double *precision, const double *total, double *kappa)
{
    for (size_t i = 0; i < n; i++)
        kappa[i] = -precision[i] / total[i];
}

static void evaluate_chunk(const struct radial_level *radial, size_t anchor, size_t n, const double *rho,
                           double *excess, double *kappa)
{
    double largest[CHUNK], total[CHUNK], precision[CHUNK];
    weigh(radial, anchor, n, rho, largest, total, precision);
    if (kappa != NULL)
        divide(n, precision, total, kappa);
    if (excess == NULL)
        return;
    vlog(n, total, total);
    for (size_t i = 0; i < n; i++)
        excess[i] = largest[i] + total[i];
}

/* Two components, the larger of which has exp(0). */
struct two {
    struct log_weight first, second;
    double a, b; /* 1/V of either */
};

static inline void evaluate_two_at(const struct two *two, double rho, double *excess, double *kappa)
{
    double first = at_radius(two->first, rho), second = at_radius(two->second, rho), difference = first - second;
    double weight = exp_of(-fabs(difference)), total = 1.0 + weight;
    if (kappa != NULL)
        *kappa = -(difference > 0.0 ? two->a + weight * two->b : weight * two->a + two->b) / total;
    if (excess != NULL)
        *excess = (first > second ? first : second) + log_of(total);
}

VECTOR_CLONES static void excess_of_two(const struct two *two, size_t n, const double *rho, double *excess)
{
    const struct two copy = *two;
    for (size_t i = 0; i < n; i++)
        evaluate_two_at(&copy, rho[i], &excess[i], NULL);
}

VECTOR_CLONES static void kappa_of_two(const struct two *two, size_t n, const double *rho, double *kappa)
{
    const struct two copy = *two;
    for (size_t i = 0; i < n; i++)
        evaluate_two_at(&copy, rho[i], NULL, &kappa[i]);
}

VECTOR_CLONES static void both_of_two(const struct two *two, size_t n, const double *rho, double *excess,
                                      double *kappa)
{
    const struct two copy = *two;
    for (size_t i = 0; i < n; i++)
        evaluate_two_at(&copy, rho[i], &excess[i], &kappa[i]);
}

VECTOR_CLONES static void alone(struct log_weight weight, double inverse, size_t n, const double *rho, double *excess,
                                double *kappa)
{
    for (size_t i = 0; i < n && excess != NULL; i++)
        excess[i] = at_radius(weight, rho[i]);
    for (size_t i = 0; i < n && kappa != NULL; i++)
        kappa[i] = -inverse;
}

/* By one alone where the other is below half a unit of rounding everywhere: the same bits. Odds rise or fall with
 * rho^2. */
static bool evaluate_alone(const struct two *two, size_t n, const double *rho, double *excess, double *kappa)
{
    struct extremes radii = vextremes(n, rho);
    double nearest = at_radius(two->first, radii.least) - at_radius(two->second, radii.least),
           farthest = at_radius(two->first, radii.most) - at_radius(two->second, radii.most);
    bool first = nearest > 0.0;
    if (radii.least < 0.0 || first != (farthest > 0.0)
        || !(fmin(fabs(nearest), fabs(farthest)) > NEGLIGIBLE_ODDS + fabs(log(two->a / two->b))))
        return false;
    alone(first ? two->first : two->second, first ? two->a : two->b, n, rho, excess, kappa);
    return true;
}

static void evaluate_two(const struct radial_level *radial, size_t anchor, size_t n, const double *rho,
                         double *excess, double *kappa)
{
    struct two two = {log_weight_of(radial, anchor, 0), log_weight_of(radial, anchor, 1), radial->inverse_variance[0],
                      radial->inverse_variance[1]};
    if (n == 0 || evaluate_alone(&two, n, rho, excess, kappa))
        return;
    if (excess != NULL && kappa != NULL)
        both_of_two(&two, n, rho, excess, kappa);
    else if (excess != NULL)
        excess_of_two(&two, n, rho, excess);
    else if (kappa != NULL)
        kappa_of_two(&two, n, rho, kappa);
}

void radial_level_evaluate(const struct radial_level *radial, size_t anchor, size_t n, const double *rho,
                           double *excess, double *kappa)
{
    for (size_t i = 0; radial->factor->components == 1 && i < n; i++) {
        if (excess != NULL)
            excess[i] = 0.0;
        if (kappa != NULL)
            kappa[i] = -radial->inverse_variance[0];
    }
    if (radial->factor->components == 2)
        evaluate_two(radial, anchor, n, rho, excess, kappa);
    for (size_t start = 0; radial->factor->components > 2 && start < n; start += CHUNK) {
        size_t count = n - start < CHUNK ? n - start : CHUNK;
        evaluate_chunk(radial, anchor, count, rho + start, excess == NULL ? NULL : excess + start,
                       kappa == NULL ? NULL : kappa + start);
    }
}

/* log of the density of |X| for one component, with x = rho/(sqrt(d) sd) - 1, g = log1p(x) and Stirling's formula
 * taken out of the constant: nothing of size d cancels near the shell, for expm1(2 g) - 2 g = x^2 + 2 (x - g). */
struct shell {
    double dimension, constant, radius;
};

static double shell_constant(double dimension)
{
    double half = 0.5 * dimension;
    return M_LN2 + 0.5 * log(half / (2.0 * M_PI)) - log(gsl_sf_gammastar(half));
}

static struct shell shell_of(const struct radial_level *radial, double constant, size_t k)
{
    double radius = sqrt(radial->dimension) * radial->sd[k];
    return (struct shell){radial->dimension, radial->log_weight[k] + constant - log(radius), radius};
}

#define NO_DENSITY -1e300 /* for the logarithm of 0 */

static inline double shell_at(const struct shell *shell, double rho)
{
    double radius = shell->radius, d = shell->dimension, x = (fabs(rho) - radius) / radius, y = 1.0 + x;
    double missing = log1p_correction(x); /* x - g */
    double near = shell->constant - (x - missing) - d * (0.5 * x * x + missing);
    double power = (d - 1.0) * (log_of(y) + (x - (y - 1.0)) / y);
    double far = shell->constant + (d > 1.0 ? power : 0.0) - 0.5 * d * x * (2.0 + x);
    return fabs(x) < 0.25 ? near : d > 1.0 && !(y > 0.0) ? NO_DENSITY : far;
}

VECTOR_CLONES static void log_shell_density(const struct shell *of, size_t n, const double *rho, double *out)
{
    const struct shell shell = *of;
    for (size_t i = 0; i < n; i++)
        out[i] = shell_at(&shell, rho[i]);
}

/* The same by the largest so far, and the sum relative to it. */
VECTOR_CLONES static void add_shell_density(const struct shell *of, size_t n, const double *rho, double *largest,
                                            double *total)
{
    const struct shell shell = *of;
    for (size_t i = 0; i < n; i++) {
        double term = shell_at(&shell, rho[i]), difference = term - largest[i], smaller = exp_of(-fabs(difference));
        total[i] = difference > 0.0 ? total[i] * smaller + 1.0 : total[i] + smaller;
        largest[i] = difference > 0.0 ? term : largest[i];
    }
}

void radial_level_log_part(const struct radial_level *radial, size_t k, size_t n, const double *rho, double *out)
{
    struct shell shell = shell_of(radial, shell_constant(radial->dimension), k);
    log_shell_density(&shell, n, rho, out);
    for (size_t i = 0; i < n; i++)
        out[i] = out[i] > NO_DENSITY ? out[i] : -HUGE_VAL;
}

void radial_level_log_density(const struct radial_level *radial, size_t n, const double *rho, double *out)
{
    double total[CHUNK], constant = shell_constant(radial->dimension);
    for (size_t start = 0; start < n; start += CHUNK) {
        size_t count = n - start < CHUNK ? n - start : CHUNK;
        struct shell shell = shell_of(radial, constant, 0);
        log_shell_density(&shell, count, rho + start, out + start);
        for (size_t i = 0; i < count; i++)
            total[i] = 1.0;
        for (size_t k = 1; k < radial->factor->components; k++) {
            shell = shell_of(radial, constant, k);
            add_shell_density(&shell, count, rho + start, out + start, total);
        }
        vlog(count, total, total);
        for (size_t i = start; i < start + count; i++)
            out[i] = out[i] > NO_DENSITY ? out[i] + total[i - start] : -HUGE_VAL;
    }
}

size_t radial_level_dominant(const struct radial_level *radial, double rho)
{
    size_t dominant = 0;
    for (size_t k = 1; k < radial->factor->components; k++) {
        double odds = radial->log_weight[k] - radial->log_weight[dominant]
                      - 0.5 * radial->dimension * radial_level_log_variance_ratio(radial, k, dominant)
                      - 0.5 * rho * rho * radial_level_precision_difference(radial, k, dominant);
        if (odds > 0.0)
            dominant = k;
    }
    return dominant;
}
