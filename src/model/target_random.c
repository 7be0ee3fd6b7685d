#include <lapacke.h>
#include <math.h>

#include "core/memory.h"
#include "core/random.h"
#include "model/target.h"

/* Doubles that one mixture may fill: 2 GiB. */
#define MOST_NUMBERS ((size_t)1 << 28)

enum { MOST_COMPONENTS = 10000 };

enum { COVARIANCE_ISOTROPIC, COVARIANCE_SHARED, COVARIANCE_EACH };

struct mixture_random {
    double spread, sd, condition;
    size_t components, covariance /* one of COVARIANCE_ */, seed;
};

enum { MEANS, ROTATIONS }; /* what random numbers are for */

static struct random_key key_of(const struct mixture_random *random)
{
    return random_key_of(random->seed, UINT64_C(0x6d697874757265)); /* apart from chains of the same seed */
}

/* Q diag(lambda) Q' with Q uniform among rotations (eigenvectors of a symmetric Gaussian matrix are) and lambda from
 * sd^2 down to sd^2/condition in equal ratios. */
static enum status fill_covariance(const struct mixture_random *random, size_t n, size_t k, double *out,
                                   struct error *error)
{
    double *q = array_new(n, n * sizeof *q), *lambda = array_new(n, sizeof *lambda);
    enum status status = STATUS_OK;
    if (q == NULL || lambda == NULL)
        status = fail_with(error, STATUS_MEMORY, "out of memory for a matrix of order %zu", n);
    if (status == STATUS_OK) {
        random_normals((struct random_block){key_of(random), ROTATIONS, (uint32_t)k, 0, n, 0, n, n}, q);
        for (size_t i = 0; i < n; i++)
            q[i * n + i] *= M_SQRT2;
        if (LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'U', (lapack_int)n, q, (lapack_int)n, lambda) != 0)
            status = fail_with(error, STATUS_NUMERIC, "no eigenvectors of a random matrix of order %zu", n);
    }
    for (size_t i = 0; i < n && status == STATUS_OK; i++)
        lambda[i] = random->sd * random->sd * pow(random->condition, n > 1 ? -(double)i / (double)(n - 1) : 0.0);
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
static void fill_means(const struct mixture_random *random, size_t d, double *mean)
{
    double scale = random->spread / sqrt((double)d);
    for (size_t k = 0; k < random->components; k++)
        random_normals((struct random_block){key_of(random), MEANS, 0, k, 1, 0, d, 1}, mean + k * d);
    for (size_t i = 0; i < random->components * d; i++)
        mean[i] *= scale;
}

static enum status append(const struct mixture_random *random, size_t d, double *block, double *matrices,
                          struct factor_list *list, struct error *error)
{
    size_t components = random->components, count = random->covariance == COVARIANCE_EACH ? components : 1;
    const struct covariances full = {count, matrices};
    double *weight = block, *sd = block + components, *mean = block + 2 * components;
    enum status status = STATUS_OK;
    fill_means(random, d, mean);
    for (size_t k = 0; k < components; k++) {
        weight[k] = 1.0 / (double)components;
        sd[k] = random->sd;
    }
    for (size_t k = 0; matrices != NULL && k < count && status == STATUS_OK; k++)
        status = fill_covariance(random, d, k, matrices + k * d * d, error);
    if (status != STATUS_OK)
        return status;
    const struct factor factor = {
        d, components, weight, mean, matrices == NULL ? sd : NULL, matrices == NULL ? NULL : &full, NULL, NULL};
    return factor_list_append(list, &factor, 1.0, error);
}

static int is_isotropic(const struct mixture_random *random, size_t d)
{
    return random->covariance == COVARIANCE_ISOTROPIC || d == 1;
}

static enum status exists(const struct target *target, size_t d, struct error *error)
{
    const struct mixture_random *random = target_params(target);
    size_t components = random->components, count = random->covariance == COVARIANCE_EACH ? components : 1;
    int isotropic = is_isotropic(random, d);
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
    const struct mixture_random *random = target_params(target);
    size_t components = random->components, count = random->covariance == COVARIANCE_EACH ? components : 1;
    int isotropic = is_isotropic(random, d);
    double *block = array_new(components * (2 + d), sizeof *block);
    double *matrices = isotropic ? NULL : array_new(count * d * d, sizeof *matrices);
    enum status status =
        block != NULL && (isotropic || matrices != NULL)
            ? append(random, d, block, matrices, list, error)
            : fail_with(error, STATUS_MEMORY, "out of memory for %zu components in dimension %zu", components, d);
    free(block);
    free(matrices);
    return status;
}

static struct target_content content(const struct target *target, double d)
{
    const struct mixture_random *random = target_params(target);
    double k = (double)random->components;
    double matrices = random->covariance == COVARIANCE_ISOTROPIC ? 0.0
                      : random->covariance == COVARIANCE_SHARED  ? 1.0
                                                                 : k;
    double numbers = d * (k + d * matrices);
    return (struct target_content){1.0, k, d * k, numbers, numbers};
}

static int costly(const struct target *target, size_t d, struct factor *out)
{
    static const struct covariances full = {1, NULL};
    const struct mixture_random *random = target_params(target);
    *out = (struct factor){.dimension = d, .components = random->components, .full = &full};
    return d > 1 && !is_isotropic(random, d);
}

static const char *const covariance_names[] = {
    [COVARIANCE_ISOTROPIC] = "isotropic", [COVARIANCE_SHARED] = "shared", [COVARIANCE_EACH] = "each", NULL};

static const struct param params[] = {
    {"components", PARAM_INTEGER, offsetof(struct mixture_random, components), "how many, of equal weights",
     .required = 1, .range = FROM_TO(1.0, MOST_COMPONENTS)},
    {"spread", PARAM_REAL, offsetof(struct mixture_random, spread), "means are N(0, spread^2/d I)", .required = 1,
     .range = GREATER_THAN(0.0)},
    {"sd", PARAM_REAL, offsetof(struct mixture_random, sd), "the (largest) standard deviation", .required = 1,
     .range = GREATER_THAN(0.0)},
    {"covariances", PARAM_CHOICE, offsetof(struct mixture_random, covariance),
     "isotropic, shared (one full matrix) or each (one a component)", .choices = covariance_names},
    {"condition", PARAM_REAL, offsetof(struct mixture_random, condition),
     "ratio of the largest to the smallest eigenvalue of full matrices", .standard = 10.0, .range = AT_LEAST(1.0)},
    {"seed", PARAM_INTEGER, offsetof(struct mixture_random, seed), "of the random means and rotations",
     .standard = 1.0, .range = AT_LEAST(0.0)},
    {0},
};

const struct target_family target_random = {
    .name = "mixture-random",
    .doc = "A mixture-full with random means and, if wanted, randomly rotated covariances, in any dimension.",
    .formula = "sum_k N(x; m_k, S_k)/K, m_k ~ N(0, spread^2/d I), S_k = sd^2 Q_k diag(condition^(-i/(d-1))) Q_k'",
    .source = "theory §3",
    .params = params,
    .params_size = sizeof(struct mixture_random),
    .exists = exists,
    .factors = factors,
    .content = content,
    .costly = costly,
};
