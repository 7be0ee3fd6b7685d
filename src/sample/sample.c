#include "sample/sample.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/random.h"
#include "model/joint_level.h"
#include "sample/directions.h"
#include "sample/knn.h"
#include "sample/masses.h"
#include "sample/memorised.h"
#include "sample/projected.h"
#include "sample/projection.h"
#include "sample/weights.h"

enum { DIRECTIONS = 1000 /* the purpose of their random numbers, beyond those of chains */ };

static enum status make_directions(const struct chain_problem *problem, size_t random, struct directions *out,
                                   struct error *error)
{
    double *normals = array_new(random, problem->dimension * sizeof *normals);
    if (normals == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu directions", random);
    for (size_t i = 0; i < random; i++)
        random_normals((struct random_block){random_key_of(problem->seed, problem->stream), DIRECTIONS, 0, i, 1, 0,
                                             problem->dimension, 1},
                       normals + i * problem->dimension);
    enum status status = directions_new(problem->list, random, normals, out, error);
    free(normals);
    return status;
}

static void laws_free(struct projected *law, size_t count)
{
    for (size_t k = 0; k < count && law != NULL; k++)
        projected_free(&law[k]);
    free(law);
}

static enum status make_laws(const struct chain_problem *problem, const struct directions *directions,
                             struct projected **out, struct error *error)
{
    struct level level = schedule_level(problem->schedule, 1);
    struct projected *law = array_new(directions->count, sizeof *law);
    *out = law;
    if (law == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu directions", directions->count);
    for (size_t k = 0; k < directions->count; k++)
        TRY(projected_new(problem->list, directions->unit + k * problem->dimension, &level, &law[k], error));
    return STATUS_OK;
}

/* What several methods look at, made by the first that asks. */
struct sample {
    const struct chain_problem *problem;
    size_t chains, random; /* how many chains, and directions at random */
    struct directions directions;
    struct points y;
};

static enum status look(struct sample *sample, struct error *error)
{
    return sample->directions.count > 0
               ? STATUS_OK
               : make_directions(sample->problem, sample->random, &sample->directions, error);
}

static enum status simulate(struct sample *sample, struct error *error)
{
    return sample->y.n > 0 ? STATUS_OK : chains_run(sample->problem, sample->chains, &sample->y, error);
}

static enum status by_projection(struct sample *sample, struct estimates *out, struct error *error)
{
    const struct chain_problem *problem = sample->problem;
    struct projected *law = NULL;
    struct projection projection;
    enum status status;
    TRY(look(sample, error));
    TRY_OR(end, make_laws(problem, &sample->directions, &law, error));
    TRY_OR(end, simulate(sample, error));
    TRY_OR(end, projection_tv(sample->chains, problem->dimension, sample->y.x, sample->directions.count,
                              sample->directions.unit, law, &projection, error));
    out->projection_tv = projection.tv;
end:
    laws_free(law, sample->directions.count);
    return status;
}

static enum status by_masses(struct sample *sample, struct estimates *out, struct error *error)
{
    const struct level level = schedule_level(sample->problem->schedule, 1);
    struct masses masses;
    TRY(simulate(sample, error));
    TRY(masses_measure(sample->problem->list, &level, &sample->y, &masses, error));
    memcpy(out->mass, masses.mass, sizeof out->mass);
    memcpy(out->mass_error, masses.error, sizeof out->mass_error);
    out->masses_tv = masses.tv;
    return STATUS_OK;
}

/* Points that coincide (atoms without noise to speak of) have no density, and say nothing. */
static enum status by_neighbours(struct sample *sample, struct estimates *out, struct error *error)
{
    const struct points *y = &sample->y;
    struct points x = {0};
    if (sample->problem->dimension > KNN_MOST_DIMENSION || sample->chains < KNN_BATCHES * KNN_LEAST_BATCH)
        return STATUS_OK;
    enum status status;
    TRY_OR(end, simulate(sample, error));
    TRY_OR(end, chains_draw(sample->problem, sample->chains, &x, error));
    status = knn_kl(y->n, y->dimension, y->x, y->log_density, x.x, x.log_density, &out->knn_kl_q_p, error);
end:
    points_free(&x);
    return status == STATUS_NUMERIC ? STATUS_OK : status;
}

/* Of each start: its place along every direction, and log p. */
static enum status make_statistics(const struct points *start, const struct directions *directions, double **out,
                                   struct error *error)
{
    size_t n = start->n, d = start->dimension;
    double *statistic = array_new(directions->count + 1, n * sizeof *statistic);
    *out = statistic;
    if (statistic == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu statistics", directions->count + 1);
    for (size_t k = 0; k < directions->count; k++)
        for (size_t i = 0; i < d; i++) {
            double u = directions->unit[k * d + i];
            for (size_t j = 0; j < n && u != 0.0; j++)
                statistic[k * n + j] += u * start->x[i * n + j];
        }
    memcpy(statistic + directions->count * n, start->log_density, n * sizeof *statistic);
    return STATUS_OK;
}

static enum status by_weights(struct sample *sample, struct estimates *out, struct error *error)
{
    size_t chains = sample->chains;
    struct paths paths = {.log_weight = {NULL, NULL}};
    struct weights weights;
    double *statistic = NULL;
    if (sample->problem->sampler->memory > 0 || sample->problem->sampler->draws > 0
        || chains_quiet_step(sample->problem) > 0)
        return STATUS_OK;
    enum status status;
    TRY(look(sample, error));
    TRY_OR(end, chains_weigh(sample->problem, chains, &paths, error));
    TRY_OR(end, make_statistics(&paths.start, &sample->directions, &statistic, error));
    TRY_OR(end, weights_measure(chains, paths.log_weight[0], paths.log_weight[1], sample->directions.count + 1,
                                statistic, &weights, error));
    out->effective = weights.ess;
    out->path_kl_p_q = weights.path_kl;
    out->pinsker_tv = weights.pinsker;
    out->weights_chi2_q_p = weights.chi2;
    out->weights_tv = weights.tv_lower;
    out->chi2_tv = weights.tv_upper;
end:
    free(statistic);
    paths_free(&paths);
    return status;
}

/* The posterior probability of all components but the first of the only factor, at level 1. */
static enum status make_posteriors(const struct sample *sample, double *out, struct error *error)
{
    const struct factor *factor = &sample->problem->list->group[0].factor;
    const struct level level = schedule_level(sample->problem->schedule, 1);
    const struct factor bulk = {.dimension = factor->dimension,
                                .components = 1,
                                .weight = factor->weight,
                                .mean = factor->mean,
                                .sd = factor->sd};
    const struct points *y = &sample->y;
    struct joint_level joint;
    TRY(joint_level_new(&bulk, &joint, error));
    joint_level_set(&joint, &level);
    joint_level_evaluate(&joint, 0, y->n, y->n, y->x, out, NULL);
    joint_level_free(&joint);
    for (size_t j = 0; j < y->n; j++)
        out[j] = -expm1(fmin(out[j] - y->log_density[j], 0.0));
    return STATUS_OK;
}

/* Given one half's sign, the other half's expectation is at most |Q - w|. */
static struct estimate signed_gain(size_t n, const double *posterior, struct estimate mass, double w)
{
    double first = estimate_mean(n / 2, posterior).value - w,
           second = estimate_mean(n - n / 2, posterior + n / 2).value - w;
    return (struct estimate){0.5 * (copysign(1.0, first) * second + copysign(1.0, second) * first), mass.error};
}

static enum status by_codewords(struct sample *sample, struct estimates *out, struct error *error)
{
    double w = sample->problem->codewords;
    if (!(w > 0.0))
        return STATUS_OK;
    TRY(simulate(sample, error));
    double *posterior = array_new(sample->chains, sizeof *posterior);
    if (posterior == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu posterior probabilities", sample->chains);
    enum status status;
    TRY_OR(done, make_posteriors(sample, posterior, error));
    out->codewords_mass = estimate_mean(sample->chains, posterior);
    out->codewords_tv = signed_gain(sample->chains, posterior, out->codewords_mass, w);
done:
    free(posterior);
    return status;
}

static enum status by_distance(struct sample *sample, struct estimates *out, struct error *error)
{
    const struct chain_problem *problem = sample->problem;
    const struct level level = schedule_level(problem->schedule, 1);
    if (!problem->is_data)
        return STATUS_OK;
    const struct factor *data = &problem->list->group[0].factor;
    TRY(simulate(sample, error));
    out->memorised_distance =
        problem->memorised_distance > 0.0 ? problem->memorised_distance : memorised_distance(data, &level);
    return memorised_share(data, &level, out->memorised_distance, &sample->y, problem->threads, &out->memorised,
                           error);
}

static const struct sample_method methods[] = {
    {"projection",
     "A lower bound on TV from histograms of chains along directions: where one half of the chains shows an excess, "
     "the other half measures it.",
     "TV >= q(A) - p(A), A the bins of <u, x> in which the first half of the chains exceeds p, q(A) by the second "
     "half",
     "theory §7", by_projection},
    {"knn",
     "An estimate of KL(q || p) from the distances of chains to their nearest neighbours, up to ten dimensions.",
     "KL = a(p) - a(q), a(s) the mean over a sample of s of d log rho(x) + log p(x), rho(x) the distance to the "
     "fourth nearest in that sample",
     "theory §7; Kozachenko & Leonenko 1987", by_neighbours},
    {"weights",
     "Weights of forward paths: chi2(q || p) without bias, bounds on TV from both sides, and the KL of the paths' "
     "laws.",
     "W = r_T(X_T) prod_t K_t(X_{t-1}|X_t) p_t(X_t)/(P_t(X_t|X_{t-1}) p_{t-1}(X_{t-1})), E[W | X_1] = q(X_1)/p(X_1); "
     "chi2 = E[W W'] - 1 for two paths from one X_1",
     "theory (18)", by_weights},
    {"masses",
     "The masses of a mixture's components in the law of the chains by posterior probabilities, and a lower bound on "
     "TV from them: what one half of the chains shows in excess, the other half measures.",
     "Q_k = E_q pi_k, pi_k = w_k p_k/p, of which E_p is w_k; TV >= sum_{k in S} (Q_k - w_k)", "theory (21)",
     by_masses},
    {"codewords",
     "The mass of a codebook's codewords, all together, by their posterior probability against the bulk: under p it "
     "is w, so that TV is at least the difference.",
     "TV >= |Q - w|, Q = E[1 - (1-w) N(Y_1; 0, I)/p_1(Y_1)]; the sign by one half of the chains, the difference by "
     "the other",
     "theory (24), (26')", by_codewords},
    {"memorised",
     "The share of chains that end at one of the data points of a target `points`: within `distance`, by default a "
     "tenth of the median distance between a point and its nearest other, beside what early stopping moves.",
     "the share of Y_1 with min_i |Y_1 - sqrt(abar_1) x_i| <= delta; by default delta = sqrt(abar_1) median/10 + "
     "sqrt(1-abar_1)(sqrt(d) + 3)",
     "sample/memorised.h", by_distance},
};

const struct sample_method *sample_method_at(size_t index)
{
    return index < sizeof methods / sizeof methods[0] ? &methods[index] : NULL;
}

enum status sample_measure(const struct chain_problem *problem, size_t chains, size_t directions, unsigned wanted,
                           struct estimates *out, struct error *error)
{
    const struct estimate nothing = {NAN, NAN};
    enum status status = STATUS_OK;
    *out = (struct estimates){
#define ESTIMATOR(member, quantity, role, method, since, doc) .member = nothing,
#include "sample/estimators.def"
#undef ESTIMATOR
        .codewords_mass = nothing, .memorised = nothing, .memorised_distance = NAN, .effective = NAN};
    for (size_t k = 0; k < MOST_MASSES; k++)
        out->mass[k] = out->mass_error[k] = nothing;
    struct sample sample = {.problem = problem, .chains = chains, .random = directions};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0] && status == STATUS_OK; i++)
        if (wanted >> i & 1u)
            status = methods[i].measure(&sample, out, error);
    points_free(&sample.y);
    directions_free(&sample.directions);
    return status;
}
