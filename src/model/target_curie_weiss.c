#include <math.h>

#include "core/memory.h"
#include "model/target.h"

/* With S = x_1 + ... + x_d, by Hubbard and Stratonovich
 *     e^(beta S^2/(2d) + h S) = const int e^(-d u^2/(2 beta)) e^((u + h) S) du,
 * a mixture over u of products of tilted atoms, of weights e^(-d u^2/(2 beta)) (2 cosh(u + h))^d. As a function of u
 * the integrand is a Gaussian around beta S/d of standard deviation sqrt(beta/d) for every S, and the trapezoid rule
 * of spacing SPACING times that is off by the factor 1 + 2 exp(-2 pi^2/SPACING^2), which is below rounding. */
#define SPACING 0.7
#define REACH 9.0 /* standard deviations beyond +-beta */

enum { MOST_DIMENSION = 1 << 20 };

struct curie_weiss {
    double beta, field;
};

static double width_of(const struct curie_weiss *model, double d)
{
    return sqrt(model->beta / d);
}

/* Nodes at -half, ..., half times the spacing. */
static double half_of(const struct curie_weiss *model, double d)
{
    return ceil((model->beta / width_of(model, d) + REACH) / SPACING);
}

static enum status exists(const struct target *target, size_t d, struct error *error)
{
    if (d <= MOST_DIMENSION)
        return STATUS_OK;
    return fail_with(error, STATUS_INVALID, "target %s: a Curie-Weiss model of %zu spins, more than %d", target->name,
                     d, MOST_DIMENSION);
}

/* Two atoms of one spin, with P(1) = e^h/(2 cosh h). */
static enum status append_line(const struct curie_weiss *model, struct factor_list *list, struct error *error)
{
    const double weight[] = {1.0 / (1.0 + exp(2.0 * model->field)), 1.0 / (1.0 + exp(-2.0 * model->field))};
    const double mean[] = {-1.0, 1.0}, sd[] = {0.0, 0.0};
    const struct factor factor = {.dimension = 1, .components = 2, .weight = weight, .mean = mean, .sd = sd};
    return factor_list_append(list, &factor, 1.0, error);
}

static double log_cosh(double x)
{
    return fabs(x) + log1p(exp(-2.0 * fabs(x))) - M_LN2;
}

static enum status factors(const struct target *target, size_t d, struct factor_list *list, struct error *error)
{
    const struct curie_weiss *model = target_params(target);
    if (d == 1)
        return append_line(model, list, error);
    double half = half_of(model, (double)d), largest = -HUGE_VAL, total = 0.0;
    size_t count = 2 * (size_t)half + 1;
    double *weight = array_new(3 * count, sizeof *weight), *log_weight = weight + count, *tilt = log_weight + count;
    if (weight == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu components", count);
    for (size_t k = 0; k < count; k++) {
        double steps = SPACING * ((double)k - half), u = steps * width_of(model, (double)d);
        tilt[k] = u + model->field;
        log_weight[k] = (double)d * log_cosh(tilt[k]) - 0.5 * steps * steps;
        largest = fmax(largest, log_weight[k]);
    }
    for (size_t k = 0; k < count; k++)
        total += exp(log_weight[k] - largest);
    for (size_t k = 0; k < count; k++) {
        log_weight[k] -= largest + log(total);
        weight[k] = exp(log_weight[k]);
    }
    const struct covariances tilts = {0, tilt};
    const struct factor factor = {
        .dimension = d, .components = count, .weight = weight, .full = &tilts, .log_weight = log_weight};
    enum status status = factor_list_append(list, &factor, 1.0, error);
    free(weight);
    return status;
}

static struct target_content content(const struct target *target, double d)
{
    const struct curie_weiss *model = target_params(target);
    double k = d > 1.0 ? 2.0 * half_of(model, d) + 1.0 : 2.0;
    return (struct target_content){1.0, k, 2.0 * d, k, k};
}

static int costly(const struct target *target, size_t d, struct factor *out)
{
    static const struct covariances tilts = {0};
    *out =
        (struct factor){.dimension = d, .components = (size_t)content(target, (double)d).components, .full = &tilts};
    return d > 1;
}

static const struct param params[] = {
    {"beta", PARAM_REAL, offsetof(struct curie_weiss, beta),
     "the inverse temperature: without a field there is one phase up to 1, and two beyond", .required = 1,
     .range = {0.0, 20.0, OPEN_BELOW, "tilts stay within what exponentials hold"}},
    {"field", PARAM_REAL, offsetof(struct curie_weiss, field), "h, the external field", .standard = 0.0,
     .range = {-10.0, 10.0, 0, "tilts stay within what exponentials hold"}},
    {0},
};

const struct target_family target_curie_weiss = {
    .name = "curie-weiss",
    .doc =
        "The Curie-Weiss model, mean-field Ising: d spins of -1 or 1 that all pull at one another. By chains; in one "
        "dimension also its law. Projections are on a coordinate and on (1, ..., 1)/sqrt(d), along which it has the "
        "law of the magnetisation.",
    .formula = "p_0(x) = exp(beta (sum_i x_i)^2/(2d) + h sum_i x_i)/Z on {-1, 1}^d",
    .source = "Ellis 2006, Entropy, Large Deviations, and Statistical Mechanics, section IV.4",
    .params = params,
    .params_size = sizeof(struct curie_weiss),
    .exists = exists,
    .factors = factors,
    .content = content,
    .costly = costly,
};
