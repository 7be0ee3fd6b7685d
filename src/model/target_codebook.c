#include <math.h>

#include "core/memory.h"
#include "core/random.h"
#include "model/target.h"

/* Codewords that chains may sum over in every step. */
#define MOST_CODEWORDS 2e5

struct codebook {
    double rate, sd, weight;
    size_t seed;
};

static double codewords(const struct codebook *codebook, double d)
{
    return fmax(round(exp(codebook->rate * d)), 1.0);
}

static struct random_key key_of(const struct codebook *codebook)
{
    return random_key_of(codebook->seed, UINT64_C(0x636f6465626f6f6b)); /* apart from chains of the same seed */
}

static enum status factors(const struct target *target, size_t d, struct factor_list *list, struct error *error)
{
    const struct codebook *codebook = target_params(target);
    double count = codewords(codebook, (double)d), scale = sqrt((1.0 - codebook->sd) * (1.0 + codebook->sd));
    if (!(count <= MOST_CODEWORDS))
        return fail_with(error, STATUS_UNSUPPORTED,
                         "target %s has %.2g codewords in %zu dimensions, and chains sum over at most %g: a lower "
                         "rate or dimension will do, or its planted law alone (no `samples`)",
                         target->name, count, d, MOST_CODEWORDS);
    size_t components = (size_t)count + 1;
    double *block = d <= SIZE_MAX / sizeof *block - 2 ? array_new(components, (d + 2) * sizeof *block) : NULL;
    if (block == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu codewords in %zu coordinates", components - 1,
                         d);
    double *weight = block, *sd = block + components, *mean = block + 2 * components; /* mean[0..d) = 0: the bulk's */
    weight[0] = 1.0 - codebook->weight;
    sd[0] = 1.0;
    for (size_t k = 1; k < components; k++) {
        weight[k] = codebook->weight / count;
        sd[k] = codebook->sd;
        random_normals((struct random_block){key_of(codebook), 0, (uint32_t)d, k - 1, 1, 0, d, 1}, mean + k * d);
        for (size_t i = 0; i < d; i++)
            mean[k * d + i] *= scale;
    }
    const struct factor factor = {d, components, weight, mean, sd, NULL, NULL, NULL};
    enum status status = factor_list_append(list, &factor, 1.0, error);
    free(block);
    return status;
}

/* theory (25), with the weight `bulk` of N(0, I) in place of 1. */
static enum status append_planted(const struct codebook *codebook, size_t d, double bulk, struct factor_list *list,
                                  struct error *error)
{
    double relative = log(codebook->weight / bulk) - codebook->rate * (double)d, both = log1p(exp(relative));
    double log_weight[] = {-both, relative - both}, weight[] = {exp(-both), exp(relative - both)};
    double sd[] = {1.0, codebook->sd},
           *mean = d <= SIZE_MAX / 2 / sizeof *mean ? array_new(2 * d, sizeof *mean) : NULL;
    if (mean == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a codeword of %zu coordinates", d);
    mean[d] = sqrt((1.0 - codebook->sd) * (1.0 + codebook->sd) * (double)d);
    const struct factor factor = {d, 2, weight, mean, sd, NULL, log_weight, NULL};
    enum status status = factor_list_append(list, &factor, 1.0, error);
    free(mean);
    return status;
}

static enum status planted(const struct target *target, size_t d, struct planted_target *out, struct error *error)
{
    const struct codebook *codebook = target_params(target);
    out->weight = codebook->weight;
    out->rate = codebook->rate;
    TRY(append_planted(codebook, d, 1.0, &out->law, error));
    return append_planted(codebook, d, 1.0 - codebook->weight, &out->bracket, error);
}

/* Of what chains can sum over; else of the planted law. */
static struct target_content content(const struct target *target, double d)
{
    const struct codebook *codebook = target_params(target);
    double count = codewords(codebook, d), components = count <= MOST_CODEWORDS ? count + 1.0 : 2.0;
    return (struct target_content){1.0, components, d * components, d * components,
                                   count <= MOST_CODEWORDS ? d * components : 0.0};
}

static const struct param params[] = {
    {"rate", PARAM_REAL, offsetof(struct codebook, rate), "R, of M = exp(R d) codewords, rounded", .required = 1,
     .range = GREATER_THAN(0.0)},
    {"sd", PARAM_REAL, offsetof(struct codebook, sd), "s, the standard deviation around each codeword", .required = 1,
     .range = {0.0, 1.0, OPEN, NULL}},
    {"weight", PARAM_REAL, offsetof(struct codebook, weight), "w, the probability of all codewords together",
     .standard = 0.5, .range = {0.0, 1.0, OPEN, NULL}},
    {"seed", PARAM_INTEGER, offsetof(struct codebook, seed), "of the random codewords, which are the same everywhere",
     .standard = 1.0, .range = AT_LEAST(0.0)},
    {0},
};

const struct target_family target_codebook = {
    .name = "codebook",
    .doc = "A bulk N(0, I) and exp(R d) random codewords, which stress the dimension. Chains sample it as it is; in "
           "place of an exact law there is its planted law, an annealed approximation (columns `planted_*`).",
    .formula = "(1-w) N(x; 0, I) + w/M sum_j N(x; sqrt(1-s^2) c_j, s^2 I), c_j ~ N(0, I) fixed, M = exp(R d)",
    .source = "theory (24), (25)",
    .lipschitz_power = 1.0,
    .params = params,
    .params_size = sizeof(struct codebook),
    .factors = factors,
    .planted = planted,
    .content = content,
};
