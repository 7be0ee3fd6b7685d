#include <lapacke.h>
#include <math.h>

#include "core/memory.h"
#include "core/random.h"
#include "model/target.h"

/* Doubles that one mixture may fill: 2 GiB. */
#define MOST_NUMBERS ((size_t)1 << 28)

enum { MEANS, ROTATIONS }; /* what random numbers are for */

static struct random_key key_of(const struct target *target)
{
    return random_key_of(target->seed, UINT64_C(0x6d697874757265)); /* apart from chains of the same seed */
}

/* Q diag(lambda) Q' with Q uniform among rotations (eigenvectors of a symmetric Gaussian matrix are) and lambda from
 * sd^2 down to sd^2/condition in equal ratios. */
static enum status fill_covariance(const struct target *target, size_t n, size_t k, double *out, struct error *error)
{
    double *q = array_new(n, n * sizeof *q), *lambda = array_new(n, sizeof *lambda);
    enum status status = STATUS_OK;
    if (q == NULL || lambda == NULL)
        status = fail_with(error, STATUS_MEMORY, "out of memory for a matrix of order %zu", n);
    if (status == STATUS_OK) {
        random_normals((struct random_block){key_of(target), ROTATIONS, (uint32_t)k, 0, n, 0, n, n}, q);
        for (size_t i = 0; i < n; i++)
            q[i * n + i] *= M_SQRT2;
        if (LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'U', (lapack_int)n, q, (lapack_int)n, lambda) != 0)
            status = fail_with(error, STATUS_NUMERIC, "no eigenvectors of a random matrix of order %zu", n);
    }
    for (size_t i = 0; i < n && status == STATUS_OK; i++)
        lambda[i] = target->sd * target->sd * pow(target->condition, n > 1 ? -(double)i / (double)(n - 1) : 0.0);
    for (size_t i = 0; i < n && status == STATUS_OK; i++)
        for (size_t j = 0; j <= i; j++) {
            double total = 0.0;
            for (size_t l = 0; l < n; l++)
                total += q[i * n + l] * lambda[l] * q[j * n + l];
            out[i * n + j] = out[j * n + i] = total;
        }
    free(q);
    free(lambda);
    return status;
}

/* Means N(0, spread^2/d I), so that |m| is about spread in any dimension. */
static void fill_means(const struct target *target, size_t d, double *mean)
{
    double scale = target->spread / sqrt((double)d);
    for (size_t k = 0; k < target->nodes; k++)
        random_normals((struct random_block){key_of(target), MEANS, 0, k, 1, 0, d, 1}, mean + k * d);
    for (size_t i = 0; i < target->nodes * d; i++)
        mean[i] *= scale;
}

static enum status append(const struct target *target, size_t d, double *block, double *matrices,
                          struct factor_list *list, struct error *error)
{
    size_t components = target->nodes, count = target->covariance == COVARIANCE_EACH ? components : 1;
    const struct covariances full = {count, matrices};
    double *weight = block, *sd = block + components, *mean = block + 2 * components;
    enum status status = STATUS_OK;
    fill_means(target, d, mean);
    for (size_t k = 0; k < components; k++) {
        weight[k] = 1.0 / (double)components;
        sd[k] = target->sd;
    }
    for (size_t k = 0; matrices != NULL && k < count && status == STATUS_OK; k++)
        status = fill_covariance(target, d, k, matrices + k * d * d, error);
    if (status != STATUS_OK)
        return status;
    const struct factor factor = {
        d, components, weight, mean, matrices == NULL ? sd : NULL, matrices == NULL ? NULL : &full};
    return factor_list_append(list, &factor, 1.0, error);
}

static int is_isotropic(const struct target *target, size_t d)
{
    return target->covariance == COVARIANCE_ISOTROPIC || d == 1;
}

static enum status exists(const struct target *target, size_t d, struct error *error)
{
    size_t components = target->nodes, count = target->covariance == COVARIANCE_EACH ? components : 1;
    int isotropic = is_isotropic(target, d);
    if (d <= MOST_NUMBERS / components / 2 && (isotropic || d <= MOST_NUMBERS / d / count))
        return STATUS_OK;
    return fail_with(error, STATUS_INVALID,
                     "target %s: %zu components in dimension %zu need %.3g GB, more than 2: fewer components, or "
                     "shared or isotropic covariances, will do",
                     target->name, components, d,
                     8e-9 * (double)d * ((double)components + (isotropic ? 0.0 : (double)d * (double)count)));
}

static enum status factors(const struct target *target, size_t d, struct factor_list *list, struct error *error)
{
    size_t components = target->nodes, count = target->covariance == COVARIANCE_EACH ? components : 1;
    int isotropic = is_isotropic(target, d);
    double *block = array_new(components * (2 + d), sizeof *block);
    double *matrices = isotropic ? NULL : array_new(count * d * d, sizeof *matrices);
    enum status status =
        block != NULL && (isotropic || matrices != NULL)
            ? append(target, d, block, matrices, list, error)
            : fail_with(error, STATUS_MEMORY, "out of memory for %zu components in dimension %zu", components, d);
    free(block);
    free(matrices);
    return status;
}

static const struct param params[] = {
    {"components", PARAM_RANDOM_COMPONENTS, 1, offsetof(struct target, nodes), 0, "how many, of equal weights"},
    {"spread", PARAM_POSITIVE, 1, offsetof(struct target, spread), 0, "means are N(0, spread^2/d I)"},
    {"sd", PARAM_POSITIVE, 1, offsetof(struct target, sd), 0, "the (largest) standard deviation"},
    {"covariances", PARAM_COVARIANCE, 0, offsetof(struct target, covariance), 0,
     "isotropic (default), shared (one full matrix) or each (one a component)"},
    {"condition", PARAM_AT_LEAST_ONE, 0, offsetof(struct target, condition), 0,
     "ratio of the largest to the smallest eigenvalue of full matrices (default 10)"},
    {"seed", PARAM_SEED, 0, offsetof(struct target, seed), 0, "of the random means and rotations (default 1)"},
    {0},
};

const struct target_family target_random = {
    .name = "mixture-random",
    .doc = "A mixture-full with random means and, if wanted, randomly rotated covariances, in any dimension.",
    .formula = "sum_k N(x; m_k, S_k)/K, m_k ~ N(0, spread^2/d I), S_k = sd^2 Q_k diag(condition^(-i/(d-1))) Q_k'",
    .source = "theory §3",
    .params = params,
    .exists = exists,
    .factors = factors,
};
