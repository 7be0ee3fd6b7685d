#include "model/radial_level.h"

#include <gsl/gsl_sf_exp.h>
#include <gsl/gsl_sf_gamma.h>
#include <math.h>

#include "core/memory.h"
#include "core/vmath.h"

/* Points at a time: for any number of components what is needed of them stays in the nearest caches. */
enum { CHUNK = 64 };

enum status radial_level_new(const struct factor *factor, struct radial_level *out, struct error *error)
{
    size_t k = factor->components;
    double *block = k < SIZE_MAX / (8 * CHUNK) ? array_new(k * (4 + CHUNK) + 3 * CHUNK, sizeof *block) : NULL;
    if (block == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a mixture of %zu components", k);
    *out = (struct radial_level){.factor = factor,
                                 .dimension = (double)factor->dimension,
                                 .variance = block,
                                 .sd = block + k,
                                 .inverse_variance = block + 2 * k,
                                 .log_weight = block + 3 * k,
                                 .scratch = block + 4 * k};
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

/* Log-weights of the components against the anchor's Gaussian, into the scratch, and the largest. */
VECTOR_CLONES static void exponents(const struct radial_level *radial, size_t anchor, size_t n, const double *rho,
                                    double *largest)
{
    for (size_t k = 0; k < radial->factor->components; k++) {
        double *exponent = radial->scratch + k * CHUNK, constant = radial->log_weight[k], half = 0.0;
        if (k != anchor) {
            constant -= 0.5 * radial->dimension * radial_level_log_variance_ratio(radial, k, anchor);
            half = 0.5 * radial_level_precision_difference(radial, k, anchor);
        }
        for (size_t i = 0; i < n; i++) {
            exponent[i] = constant - half * (rho[i] * rho[i]);
            largest[i] = k > 0 && largest[i] > exponent[i] ? largest[i] : exponent[i];
        }
    }
}

/* Their sum and the sum of their parts of the precision. */
VECTOR_CLONES static void weigh(const struct radial_level *radial, size_t n, const double *largest, double *total,
                                double *precision)
{
    for (size_t k = 0; k < radial->factor->components; k++) {
        double *exponent = radial->scratch + k * CHUNK, inverse = radial->inverse_variance[k];
        for (size_t i = 0; i < n; i++)
            exponent[i] -= largest[i];
        vexp(n, exponent, exponent);
        for (size_t i = 0; i < n; i++) {
            total[i] = k > 0 ? total[i] + exponent[i] : exponent[i];
            precision[i] = k > 0 ? precision[i] + exponent[i] * inverse : exponent[i] * inverse;
        }
    }
}

/* The same of two components, the larger of which has exp(0). */
VECTOR_CLONES static void weigh_two(const struct radial_level *radial, size_t n, double *total, double *precision)
{
    double *first = radial->scratch, *second = first + CHUNK, a = radial->inverse_variance[0],
           b = radial->inverse_variance[1];
    for (size_t i = 0; i < n; i++) {
        first[i] -= second[i];
        second[i] = -fabs(first[i]);
    }
    vexp(n, second, second);
    for (size_t i = 0; i < n; i++) {
        total[i] = 1.0 + second[i];
        precision[i] = first[i] > 0.0 ? a + second[i] * b : second[i] * a + b;
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
    double *largest = radial->scratch + radial->factor->components * CHUNK, *total = largest + CHUNK,
           *precision = total + CHUNK;
    exponents(radial, anchor, n, rho, largest);
    if (radial->factor->components == 2)
        weigh_two(radial, n, total, precision);
    else
        weigh(radial, n, largest, total, precision);
    if (kappa != NULL)
        divide(n, precision, total, kappa);
    if (excess == NULL)
        return;
    vlog(n, total, total);
    for (size_t i = 0; i < n; i++)
        excess[i] = largest[i] + total[i];
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
    for (size_t start = 0; radial->factor->components > 1 && start < n; start += CHUNK) {
        size_t count = n - start < CHUNK ? n - start : CHUNK;
        evaluate_chunk(radial, anchor, count, rho + start, excess == NULL ? NULL : excess + start,
                       kappa == NULL ? NULL : kappa + start);
    }
}

/* exp(x) - 1 - x */
static double expm1_minus(double x)
{
    return fabs(x) < 0.5 ? 0.5 * x * x * gsl_sf_exprel_2(x) : expm1(x) - x;
}

/* log of the density of |X| for one component, with g = log(rho/(sqrt(d) sd)) and Stirling's formula taken out of the
 * constant: nothing of size d cancels near the shell. */
static double log_shell_density(double dimension, double constant, double sd, double rho)
{
    double radius = sqrt(dimension) * sd, relative = (rho - radius) / radius, g = log1p(relative);
    if (relative > -0.25)
        return constant - log(radius) - g - 0.5 * dimension * expm1_minus(2.0 * g);
    double power = dimension > 1.0 ? (dimension - 1.0) * g : 0.0;
    return constant - log(radius) + power - 0.5 * dimension * relative * (2.0 + relative);
}

static double shell_constant(double dimension)
{
    double half = 0.5 * dimension;
    return M_LN2 + 0.5 * log(half / (2.0 * M_PI)) - log(gsl_sf_gammastar(half));
}

void radial_level_log_part(const struct radial_level *radial, size_t k, size_t n, const double *rho, double *out)
{
    double constant = shell_constant(radial->dimension);
    for (size_t i = 0; i < n; i++)
        out[i] = radial->log_weight[k] + log_shell_density(radial->dimension, constant, radial->sd[k], fabs(rho[i]));
}

void radial_level_log_density(const struct radial_level *radial, size_t n, const double *rho, double *out)
{
    double constant = shell_constant(radial->dimension);
    for (size_t i = 0; i < n; i++) {
        double largest = -HUGE_VAL, total = 0.0;
        for (size_t k = 0; k < radial->factor->components; k++) {
            double term =
                radial->log_weight[k] + log_shell_density(radial->dimension, constant, radial->sd[k], fabs(rho[i]));
            if (term > largest) {
                total = total * exp(largest - term) + 1.0;
                largest = term;
            } else if (isfinite(term))
                total += exp(term - largest);
        }
        out[i] = isfinite(largest) ? largest + log(total) : -HUGE_VAL;
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
