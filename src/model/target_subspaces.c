#include <math.h>

#include "core/memory.h"
#include "core/random.h"
#include "model/target.h"

/* Doubles that one target may fill: 2 GiB. */
#define MOST_NUMBERS ((size_t)1 << 28)

enum { MOST_COMPONENTS = 10000 };
enum { ALONG_AXES, ROTATED };

struct subspaces {
    double sd, spread;
    size_t components, k, orientation /* one of these */, seed;
};

enum { MEANS, BASES, COORDINATES }; /* what random numbers are for */

static struct random_key key_of(const struct subspaces *subspaces)
{
    return random_key_of(subspaces->seed, UINT64_C(0x737562737061)); /* apart from chains of the same seed */
}

static double inner(size_t d, const double *a, const double *b)
{
    double total = 0.0;
    for (size_t i = 0; i < d; i++)
        total += a[i] * b[i];
    return total;
}

/* k orthonormal vectors whose span is uniform: Gram and Schmidt, twice, of Gaussian ones. */
static void fill_basis(const struct subspaces *subspaces, size_t d, size_t component, double *basis)
{
    random_normals(
        (struct random_block){key_of(subspaces), BASES, (uint32_t)component, 0, subspaces->k, 0, d, subspaces->k},
        basis + subspaces->k * d);
    for (size_t j = 0; j < subspaces->k; j++) {
        double *u = basis + j * d;
        for (size_t i = 0; i < d; i++)
            u[i] = basis[subspaces->k * d + i * subspaces->k + j];
        for (int pass = 0; pass < 2; pass++) {
            for (size_t l = 0; l < j; l++) {
                double product = inner(d, basis + l * d, u);
                for (size_t i = 0; i < d; i++)
                    u[i] -= product * basis[l * d + i];
            }
            double length = sqrt(inner(d, u, u));
            for (size_t i = 0; i < d; i++)
                u[i] /= length;
        }
    }
}

static void fill_rotated(const struct subspaces *subspaces, size_t d, size_t component, double *basis, double *out)
{
    fill_basis(subspaces, d, component, basis);
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j <= i; j++) {
            double total = 0.0;
            for (size_t l = 0; l < subspaces->k; l++)
                total += basis[l * d + i] * basis[l * d + j];
            out[i * d + j] = out[j * d + i] = subspaces->sd * subspaces->sd * total;
        }
}

/* A random set of k coordinates: each is taken with probability wanted/left. */
static void fill_coordinates(const struct subspaces *subspaces, size_t d, size_t component, double *uniform,
                             double *out)
{
    size_t wanted = subspaces->k;
    random_uniforms((struct random_block){key_of(subspaces), COORDINATES, (uint32_t)component, 0, 1, 0, d, 1},
                    uniform);
    for (size_t i = 0; i < d; i++)
        if (uniform[i] * (double)(d - i) < (double)wanted) {
            out[i * d + i] = subspaces->sd * subspaces->sd;
            wanted--;
        }
}

static enum status exists(const struct target *target, size_t d, struct error *error)
{
    const struct subspaces *subspaces = target_params(target);
    if (subspaces->k > d)
        return fail_with(error, STATUS_INVALID,
                         "target %s: subspaces of %zu dimensions need dimension at least %zu, not %zu", target->name,
                         subspaces->k, subspaces->k, d);
    if (d <= MOST_NUMBERS / d / subspaces->components)
        return STATUS_OK;
    return fail_with(
        error, STATUS_INVALID, "target %s: %zu covariances in dimension %zu need %.3g GB, more than 2: fewer will do",
        target->name, subspaces->components, d, 8e-9 * (double)d * (double)d * (double)subspaces->components);
}

static enum status factors(const struct target *target, size_t d, struct factor_list *list, struct error *error)
{
    const struct subspaces *subspaces = target_params(target);
    size_t count = subspaces->components;
    double *weight = array_new(count, (1 + d) * sizeof *weight), *matrix = array_new(count * d, d * sizeof *matrix);
    double *scratch = array_new(2 * subspaces->k + 1, d * sizeof *scratch);
    enum status status = STATUS_OK;
    if (weight == NULL || matrix == NULL || scratch == NULL)
        TRY_OR(done, fail_with(error, STATUS_MEMORY, "out of memory for %zu subspaces in dimension %zu", count, d));
    for (size_t c = 0; c < count; c++) {
        double *mean = weight + count + c * d;
        weight[c] = 1.0 / (double)count;
        random_normals((struct random_block){key_of(subspaces), MEANS, 0, c, 1, 0, d, 1}, mean);
        for (size_t i = 0; i < d; i++)
            mean[i] *= subspaces->spread / sqrt((double)d);
        (subspaces->orientation == ROTATED ? fill_rotated : fill_coordinates)(subspaces, d, c, scratch,
                                                                              matrix + c * d * d);
    }
    for (size_t c = 0; c < count && d == 1; c++) /* on the line, where every one is all of it */
        matrix[c] = subspaces->sd;
    const struct covariances full = {count, matrix};
    const struct factor factor = {.dimension = d,
                                  .components = count,
                                  .weight = weight,
                                  .mean = weight + count,
                                  .sd = d == 1 ? matrix : NULL,
                                  .full = d == 1 ? NULL : &full};
    TRY_OR(done, factor_list_append(list, &factor, 1.0, error));
done:
    free(weight);
    free(matrix);
    free(scratch);
    return status;
}

static struct target_content content(const struct target *target, double d)
{
    double k = (double)((const struct subspaces *)target_params(target))->components, numbers = k * d * (1.0 + d);
    return (struct target_content){1.0, k, d * k, numbers, numbers};
}

static int costly(const struct target *target, size_t d, struct factor *out)
{
    static const struct covariances full = {1, NULL};
    *out = (struct factor){.dimension = d,
                           .components = ((const struct subspaces *)target_params(target))->components,
                           .full = d > 2 ? &full : NULL}; /* ellipses without width in the plane take hours */
    return d > 1;
}

static const char *const orientations[] = {[ALONG_AXES] = "axes", [ROTATED] = "rotated", NULL};

static const struct param params[] = {
    {"components", PARAM_INTEGER, offsetof(struct subspaces, components), "how many subspaces, of equal weights",
     .required = 1, .range = FROM_TO(1.0, MOST_COMPONENTS)},
    {"k", PARAM_INTEGER, offsetof(struct subspaces, k), "the dimension of each", .required = 1,
     .range = AT_LEAST(1.0)},
    {"sd", PARAM_REAL, offsetof(struct subspaces, sd), "the standard deviation within each", .standard = 1.0,
     .range = GREATER_THAN(0.0)},
    {"spread", PARAM_REAL, offsetof(struct subspaces, spread),
     "means are N(0, spread^2/d I): 0 has all subspaces go through the origin", .standard = 0.0,
     .range = AT_LEAST(0.0)},
    {"orientation", PARAM_CHOICE, offsetof(struct subspaces, orientation),
     "axes (random sets of k coordinates) or rotated (uniform)", .choices = orientations},
    {"seed", PARAM_INTEGER, offsetof(struct subspaces, seed), "of means and orientations", .standard = 1.0,
     .range = AT_LEAST(0.0)},
    {0},
};

const struct target_family target_subspaces = {
    .name = "subspaces",
    .doc =
        "A union of subspaces: a mixture of Gaussians that vary in k of d dimensions each. By chains; one component "
        "alone along axes is `gaussian` with the spectrum k-of-d, which has a law.",
    .formula = "sum_c N(x; m_c, sd^2 U_c U_c')/C, U_c of k orthonormal columns, m_c ~ N(0, spread^2/d I)",
    .source = "theory §3",
    .params = params,
    .params_size = sizeof(struct subspaces),
    .exists = exists,
    .factors = factors,
    .content = content,
    .costly = costly,
};
