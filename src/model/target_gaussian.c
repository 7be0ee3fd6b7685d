#include <math.h>

#include "core/sum.h"
#include "model/target.h"

enum {
    LITERAL = 64, /* leading eigenvalues that are always taken one by one */
    NODES = 16    /* quadrature nodes for each further block of a spectrum */
};

static enum status exists(const struct target *target, size_t dimension, struct error *error)
{
    const struct spectrum *spectrum = &target->spectrum;
    if (spectrum->kind != SPECTRUM_K_OF_D || spectrum->k <= dimension)
        return STATUS_OK;
    return fail_with(error, STATUS_INVALID,
                     "target %s: k = %zu directions of positive variance need dimension at least "
                     "%zu, not %zu",
                     target->name, spectrum->k, spectrum->k, dimension);
}

static enum status append(const struct target *target, double variance, double multiplicity, struct factor_list *list,
                          struct error *error)
{
    double weight = 1.0, sd = sqrt(variance);
    struct factor factor = {1, 1, &weight, &target->mean, &sd, NULL};
    return factor_list_append(list, &factor, multiplicity, error);
}

/* sum_{first <= i < last} g(i) for smooth g, as sum_m W_m g(x_m) with Chebyshev nodes in log i: W_m is the sum over i
 * of the m-th Lagrange polynomial. Every quantity of a product law is such a sum, so a spectrum of a million
 * eigenvalues becomes a few hundred factors with real multiplicities, to rounding. */
static enum status append_block(const struct target *target, size_t first, size_t last, struct factor_list *list,
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
        double variance = target->variance * exp(-target->spectrum.exponent * (middle + half * node[m]));
        enum status status = append(target, variance, sum_value(&weight[m]), list, error);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static enum status append_power_law(const struct target *target, size_t dimension, struct factor_list *list,
                                    struct error *error)
{
    double ratio = exp2(fmin(1.0, 1.0 / target->spectrum.exponent));
    enum status status = STATUS_OK;
    size_t first = 1;
    while (first <= dimension && status == STATUS_OK) {
        double end = fmin(floor((double)first * ratio), (double)dimension + 1.0);
        double variance = target->variance * pow((double)first, -target->spectrum.exponent);
        if (variance == 0.0) { /* underflow, and so in all that follow */
            status = append(target, 0.0, (double)(dimension - first + 1), list, error);
            first = dimension + 1;
        } else if (first <= LITERAL || end - (double)first <= NODES) {
            status = append(target, variance, 1.0, list, error);
            first++;
        } else {
            status = append_block(target, first, (size_t)end, list, error);
            first = (size_t)end;
        }
    }
    return status;
}

static enum status factors(const struct target *target, size_t dimension, struct factor_list *list,
                           struct error *error)
{
    const struct spectrum *spectrum = &target->spectrum;
    switch (spectrum->kind) {
    case SPECTRUM_FLAT:
        return append(target, target->variance, (double)dimension, list, error);
    case SPECTRUM_POWER:
        return append_power_law(target, dimension, list, error);
    case SPECTRUM_K_OF_D:
        break;
    }
    enum status status = append(target, target->variance, (double)spectrum->k, list, error);
    if (status == STATUS_OK && dimension > spectrum->k)
        status = append(target, 0.0, (double)(dimension - spectrum->k), list, error);
    return status;
}

static enum status coordinates(const struct target *target, size_t dimension, struct factor_list *list,
                               struct error *error)
{
    enum status status = STATUS_OK;
    if (target->spectrum.kind != SPECTRUM_POWER)
        return factors(target, dimension, list, error);
    for (size_t i = 1; i <= dimension && status == STATUS_OK; i++)
        status = append(target, target->variance * pow((double)i, -target->spectrum.exponent), 1.0, list, error);
    return status;
}

static const struct param params[] = {
    {"mean", PARAM_REAL, 0, offsetof(struct target, mean), 0, "the mean of every coordinate (default 0)"},
    {"variance", PARAM_POSITIVE, 1, offsetof(struct target, variance), 0, "the (largest) variance"},
    {"spectrum", PARAM_SPECTRUM, 0, offsetof(struct target, spectrum), 0,
     "{kind: flat} (default), {kind: power, exponent: p}: variance i^-p, or {kind: k-of-d, k: k}: d - k zeros"},
    {0},
};

const struct target_family target_gaussian = {
    .name = "gaussian",
    .doc = "A Gaussian with a flat, power-law or degenerate spectrum.",
    .formula = "N(mean (1, ..., 1), diag lambda)",
    .source = "theory §3",
    .params = params,
    .exists = exists,
    .factors = factors,
    .coordinates = coordinates,
};
