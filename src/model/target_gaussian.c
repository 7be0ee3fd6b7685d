#include <math.h>

#include "core/sum.h"
#include "model/target.h"

enum {
    LITERAL = 64, /* leading eigenvalues that are always taken one by one */
    NODES = 16    /* quadrature nodes for each further block of a spectrum */
};

enum { SPECTRUM_FLAT, SPECTRUM_POWER, SPECTRUM_K_OF_D };

struct gaussian {
    double mean, variance;
    size_t spectrum; /* one of SPECTRUM_ */
    double exponent; /* SPECTRUM_POWER: lambda_i = variance i^-exponent */
    size_t k;        /* SPECTRUM_K_OF_D: k variances, d - k zeros */
};

static enum status exists(const struct target *target, size_t dimension, struct error *error)
{
    const struct gaussian *gaussian = target_params(target);
    if (gaussian->spectrum != SPECTRUM_K_OF_D || gaussian->k <= dimension)
        return STATUS_OK;
    return fail_with(error, STATUS_INVALID,
                     "target %s: k = %zu directions of positive variance need dimension at least %zu, not %zu",
                     target->name, gaussian->k, gaussian->k, dimension);
}

static enum status append(const struct gaussian *gaussian, double variance, double multiplicity,
                          struct factor_list *list, struct error *error)
{
    double weight = 1.0, sd = sqrt(variance);
    struct factor factor = {1, 1, &weight, &gaussian->mean, &sd, NULL, NULL, NULL};
    return factor_list_append(list, &factor, multiplicity, error);
}

/* sum_{first <= i < last} g(i) for smooth g, as sum_m W_m g(x_m) with Chebyshev nodes in log i: W_m is the sum over i
 * of the m-th Lagrange polynomial. Every quantity of a product law is such a sum, so a spectrum of a million
 * eigenvalues becomes a few hundred factors with real multiplicities, to rounding. */
static enum status append_block(const struct gaussian *gaussian, size_t first, size_t last, struct factor_list *list,
                                struct error *error)
{
    double node[NODES], barycentric[NODES];
    struct sum weight[NODES] = {{0.0, 0.0}};
    double middle = 0.5 * (log((double)last) + log((double)first)),
           half = 0.5 * (log((double)last) - log((double)first));
    for (int m = 0; m < NODES; m++) {
        double angle = M_PI * (m + 0.5) / NODES;
        node[m] = cos(angle);
        barycentric[m] = (m % 2 == 0 ? 1.0 : -1.0) * sin(angle);
    }
    for (size_t i = first; i < last; i++) {
        double x = (log((double)i) - middle) / half, total = 0.0, term[NODES];
        int hit = -1;
        for (int m = 0; m < NODES; m++) {
            if (x == node[m])
                hit = m;
            term[m] = barycentric[m] / (x - node[m]);
            total += term[m];
        }
        for (int m = 0; m < NODES; m++)
            sum_add(&weight[m], hit >= 0 ? (m == hit) : term[m] / total);
    }
    for (int m = 0; m < NODES; m++) {
        double variance = gaussian->variance * exp(-gaussian->exponent * (middle + half * node[m]));
        enum status status = append(gaussian, variance, sum_value(&weight[m]), list, error);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status append_power_law(const struct gaussian *gaussian, size_t dimension, struct factor_list *list,
                                    struct error *error)
{
    double ratio = exp2(fmin(1.0, 1.0 / gaussian->exponent));
    enum status status = STATUS_OK;
    size_t first = 1;
    while (first <= dimension && status == STATUS_OK) {
        double end = fmin(floor((double)first * ratio), (double)dimension + 1.0);
        double variance = gaussian->variance * pow((double)first, -gaussian->exponent);
        if (variance == 0.0) { /* underflow, and so in all that follow */
            status = append(gaussian, 0.0, (double)(dimension - first + 1), list, error);
            first = dimension + 1;
        } else if (first <= LITERAL || end - (double)first <= NODES) {
            status = append(gaussian, variance, 1.0, list, error);
            first++;
        } else {
            status = append_block(gaussian, first, (size_t)end, list, error);
            first = (size_t)end;
        }
    }
    return status;
}

static enum status factors(const struct target *target, size_t dimension, struct factor_list *list,
                           struct error *error)
{
    const struct gaussian *gaussian = target_params(target);
    if (gaussian->spectrum == SPECTRUM_FLAT)
        return append(gaussian, gaussian->variance, (double)dimension, list, error);
    if (gaussian->spectrum == SPECTRUM_POWER)
        return append_power_law(gaussian, dimension, list, error);
    TRY(append(gaussian, gaussian->variance, (double)gaussian->k, list, error));
    return dimension > gaussian->k ? append(gaussian, 0.0, (double)(dimension - gaussian->k), list, error)
                                   : STATUS_OK;
}

static enum status coordinates(const struct target *target, size_t dimension, struct factor_list *list,
                               struct error *error)
{
    const struct gaussian *gaussian = target_params(target);
    enum status status = STATUS_OK;
    if (gaussian->spectrum != SPECTRUM_POWER)
        return factors(target, dimension, list, error);
    for (size_t i = 1; i <= dimension && status == STATUS_OK; i++)
        status = append(gaussian, gaussian->variance * pow((double)i, -gaussian->exponent), 1.0, list, error);
    return status;
}

static struct target_content content(const struct target *target, double d)
{
    const struct gaussian *gaussian = target_params(target);
    return gaussian->spectrum == SPECTRUM_POWER ? (struct target_content){d, d, d, 2.0 * d, d}
                                                : (struct target_content){1.0, 1.0, 1.0, 0.0, 0.0};
}

static const struct param power[] = {{"exponent", PARAM_REAL, offsetof(struct gaussian, exponent),
                                      "the variance of coordinate i is variance i^-exponent", .required = 1,
                                      .range = GREATER_THAN(0.0)},
                                     {0}};
static const struct param k_of_d[] = {{"k", PARAM_INTEGER, offsetof(struct gaussian, k),
                                       "how many coordinates have a variance", .required = 1, .range = AT_LEAST(1.0)},
                                      {0}};
static const struct variant spectra[] = {
    [SPECTRUM_FLAT] = {"flat", NULL},
    [SPECTRUM_POWER] = {"power", power},
    [SPECTRUM_K_OF_D] = {"k-of-d", k_of_d},
    {0},
};

static const struct param params[] = {
    {"mean", PARAM_REAL, offsetof(struct gaussian, mean), "the mean of every coordinate", .standard = 0.0},
    {"variance", PARAM_REAL, offsetof(struct gaussian, variance), "the (largest) variance", .required = 1,
     .standard = 1.0, .range = GREATER_THAN(0.0)},
    {"spectrum", PARAM_VARIANT, offsetof(struct gaussian, spectrum),
     "{kind: flat}, {kind: power, exponent: p}: variance i^-p, or {kind: k-of-d, k: k}: d - k zeros",
     .variants = spectra},
    {0},
};

const struct target_family target_gaussian = {
    .name = "gaussian",
    .doc = "A Gaussian with a flat, power-law or degenerate spectrum.",
    .formula = "N(mean (1, ..., 1), diag lambda)",
    .source = "theory §3",
    .params = params,
    .params_size = sizeof(struct gaussian),
    .exists = exists,
    .factors = factors,
    .coordinates = coordinates,
    .content = content,
};
