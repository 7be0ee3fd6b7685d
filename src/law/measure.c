#include "law/measure.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "law/integrals.h"
#include "law/separate.h"
#include "law/wasserstein.h"

static const struct measured nothing = {NAN, NAN};
static const struct planted_law no_planted_law = {.mass_error = {NAN, NAN},
                                                  .l1 = {NAN, NAN},
                                                  .codewords = {NAN, NAN},
                                                  .tv = {NAN, NAN},
                                                  .kl = {NAN, NAN},
                                                  .bracket_tv = {NAN, NAN}};

/* Which law of a factor. A relative law is that of its error_share relative to the law with exact scores. */
struct request {
    double error_share, clip, clip_most; /* as law_problem has them */
    bool relative;
};

/* Laws found so far, with the factors they belong to; entries are allocated one by one, so that laws can point into
 * them. */
struct entry {
    struct factor_list factor; /* one group */
    struct request request;
    struct law law;
    struct error failure; /* of its computation */
};

struct table {
    const struct measure_problem *problem;
    struct entry **entry;
    size_t count;
    size_t node_updates;
};

static void table_free(struct table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        law_free(&table->entry[i]->law);
        factor_list_free(&table->entry[i]->factor);
        free(table->entry[i]);
    }
    free(table->entry);
}

/* Whether the entry holds the law that is asked for. One that was given up serves requests that give it up, too. */
static bool same(const struct entry *entry, const struct factor *factor, const struct request *request)
{
    const double kept[] = {entry->request.error_share, entry->request.clip},
                 wanted[] = {request->error_share, request->clip};
    return memcmp(kept, wanted, sizeof kept) == 0 && entry->request.relative == request->relative
           && (!entry->law.given_up || request->clip_most > 0.0)
           && factor_equal(&entry->factor.group[0].factor, factor);
}

static enum status find_law(struct table *table, const struct factor *factor, const struct request *request,
                            const struct law **out, struct error *error);

static enum status compute(struct table *table, struct entry *entry, struct error *error)
{
    const struct factor *factor = &entry->factor.group[0].factor;
    const struct request *request = &entry->request;
    if (request->relative) {
        const struct request with = {.error_share = request->error_share, .clip = request->clip},
                             without = {.clip = request->clip};
        const struct law *law, *base;
        enum status status = find_law(table, factor, &with, &law, error);
        if (status == STATUS_OK)
            status = find_law(table, factor, &without, &base, error);
        return status == STATUS_OK ? law_relative(law, base, &entry->law, error) : status;
    }
    const struct law_problem problem = {.factor = factor,
                                        .sampler = table->problem->sampler,
                                        .schedule = table->problem->schedule,
                                        .score_error =
                                            request->error_share > 0.0 ? table->problem->score_error : NULL,
                                        .error_share = request->error_share,
                                        .clip = request->clip,
                                        .clip_most = request->clip_most,
                                        .threads = table->problem->threads};
    enum status status = law_compute(&problem, &entry->law, error);
    table->node_updates += entry->law.node_updates;
    return status == STATUS_OK && !entry->law.given_up ? w2_squared(&entry->law, &entry->law.w2_squared, error)
                                                       : status;
}

static enum status find_law(struct table *table, const struct factor *factor, const struct request *request,
                            const struct law **out, struct error *error)
{
    for (size_t i = 0; i < table->count; i++)
        if (same(table->entry[i], factor, request)) {
            *out = &table->entry[i]->law;
            *error = table->entry[i]->failure;
            return error->status;
        }
    struct entry *entry = array_new(1, sizeof *entry);
    struct entry **grown = array_resize(table->entry, table->count + 1, sizeof *grown);
    table->entry = grown != NULL ? grown : table->entry;
    if (grown == NULL || entry == NULL) {
        free(entry);
        return fail_with(error, STATUS_MEMORY, "out of memory for law %zu of a target", table->count + 1);
    }
    *entry = (struct entry){.request = *request};
    enum status status = factor_list_append(&entry->factor, factor, 1.0, error);
    table->entry[table->count++] = entry;
    if (status == STATUS_OK)
        status = compute(table, entry, error);
    if (status != STATUS_OK)
        entry->failure = *error;
    *out = &entry->law;
    return status;
}

static void describe(const struct law_group *groups, size_t count, char *text, size_t size)
{
    int used = 0;
    for (size_t i = 0; i < count; i++) {
        int named = 0;
        for (size_t j = 0; j < i; j++)
            named |= groups[j].law->engine == groups[i].law->engine;
        if (!named && (size_t)used < size)
            used += snprintf(text + used, size - (size_t)used, "%s%s", used > 0 ? " + " : "",
                             groups[i].law->engine->name);
    }
    if ((count > 1 || groups[0].multiplicity > 1.0) && (size_t)used < size)
        (void)snprintf(text + used, size - (size_t)used, ", composed");
}

/* A target in one dimension: its factors and their laws, with room for the bounds on clips. */
struct product {
    struct factor_list factors;
    struct law_group *groups;
    const struct clip_bound **bounds;
    double *copies;
    double clip; /* in use: where one law holds the whole vector; in one or two dimensions, if it matters */
    double clip_probability; /* of the clip where it is not */
};

static void product_free(struct product *product)
{
    free(product->groups);
    free(product->bounds);
    free(product->copies);
    factor_list_free(&product->factors);
}

/* Coordinates that see one draw are not independent, unless there is one factor of them all. */
static enum status check_draws(const struct factor_list *list, const struct sampler *sampler, size_t dimension,
                               struct error *error)
{
    if (sampler->draws == 0 || (list->count == 1 && list->group[0].factor.dimension == dimension))
        return STATUS_OK;
    return fail_with(
        error, STATUS_UNSUPPORTED,
        "sampler %s draws one number for all %zu coordinates in each step: laws of factors do not compose, "
        "only chains (`samples`) can measure it",
        sampler->name, dimension);
}

/* How many points a factor of the target's whole dimension is made of; 0: it is no data. */
static size_t count_points(const struct target *target, const struct factor *factor, size_t dimension)
{
    return target->family->is_data && factor->dimension == dimension
               ? (size_t)target_content(target, (double)dimension).components
               : 0;
}

/* Of samplers that take the target apart alike. */
static enum status supports(const struct target *target, const struct sampler *const *samplers, size_t count,
                            const struct score_error *score_error, size_t dimension, struct error *error)
{
    struct factor_list factors = {0};
    enum status status = separate_target(target, samplers[0], NULL, score_error, dimension, &factors, error);
    if (status == STATUS_OK)
        status = check_draws(&factors, samplers[0], dimension, error);
    for (size_t s = 0; s < count; s++)
        for (size_t i = 0; i < factors.count && status == STATUS_OK; i++) {
            const struct law_problem problem = {.factor = &factors.group[i].factor,
                                                .sampler = samplers[s],
                                                .score_error = score_error,
                                                .error_share = factors.group[i].error_share,
                                                .points = count_points(target, &factors.group[i].factor, dimension)};
            status = law_supports(&problem, error);
        }
    factor_list_free(&factors);
    return status;
}

/* A score error would be of the whole target, not of one codeword. */
static enum status check_exact_scores(const struct score_error *score_error, struct error *error)
{
    return score_error == NULL || score_error->shape == NULL
               ? STATUS_OK
               : fail_with(error, STATUS_UNSUPPORTED,
                           "planted laws are known for exact scores alone, not under a score error %s: only chains "
                           "(`samples`) can measure it",
                           score_error_name(score_error));
}

/* As `supports`, of a planted law. */
static enum status supports_planted(const struct planted_target *planted, const struct sampler *const *samplers,
                                    size_t count, const struct score_error *score_error, struct error *error)
{
    for (size_t s = 0; s < count; s++) {
        const struct law_problem problem = {
            .factor = &planted->law.group[0].factor, .sampler = samplers[s], .component = 2};
        TRY(law_supports(&problem, error));
    }
    return check_exact_scores(score_error, error);
}

enum status measure_supports_all(const struct target *target, const struct sampler *const *samplers, size_t count,
                                 const struct score_error *score_error, size_t dimension, struct error *error)
{
    struct factor costly;
    struct planted_target planted;
    enum status status = target_planted(target, dimension, &planted, error);
    bool is_planted = planted.weight > 0.0;
    if (status == STATUS_OK && is_planted)
        status = supports_planted(&planted, samplers, count, score_error, error);
    planted_target_free(&planted);
    if (status != STATUS_OK || is_planted)
        return status;
    status = target_exists(target, dimension, error);
    if (status == STATUS_OK && target_costly(target, dimension, &costly)) {
        const struct law_problem problem = {.factor = &costly,
                                            .sampler = samplers[0],
                                            .score_error = score_error,
                                            .points = count_points(target, &costly, dimension)};
        return law_unsupported(&problem, error);
    }
    for (size_t s = 0, same; s < count && status == STATUS_OK; s = same) {
        /* samplers that draw nothing have the same factors */
        for (same = s + 1; same < count && samplers[s]->draws == 0 && samplers[same]->draws == 0;)
            same++;
        status = supports(target, samplers + s, same - s, score_error, dimension, error);
    }
    return status;
}

enum status measure_supports(const struct target *target, const struct sampler *sampler,
                             const struct score_error *score_error, size_t dimension, struct error *error)
{
    return measure_supports_all(target, &sampler, 1, score_error, dimension, error);
}

static enum status product_init(const struct measure_problem *problem, size_t dimension, struct product *out,
                                struct error *error)
{
    *out = (struct product){.clip = 0.0};
    enum status status = separate_target(problem->target, problem->sampler, problem->schedule, problem->score_error,
                                         dimension, &out->factors, error);
    if (status == STATUS_OK)
        status = check_draws(&out->factors, problem->sampler, dimension, error);
    if (status != STATUS_OK)
        return status;
    out->groups = array_new(out->factors.count, sizeof *out->groups);
    out->bounds = array_new(out->factors.count, sizeof *out->bounds);
    out->copies = array_new(out->factors.count, sizeof *out->copies);
    if (out->groups == NULL || out->bounds == NULL || out->copies == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu factors", out->factors.count);
    return STATUS_OK;
}

static enum status find_laws(struct table *table, size_t dimension, double clip_most, struct product *product,
                             struct error *error)
{
    size_t count = product->factors.count;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        const struct factor_group *group = &product->factors.group[i];
        const struct request request = {
            .error_share = group->error_share, .clip = product->clip, .clip_most = clip_most};
        product->groups[i].multiplicity = product->copies[i] = group->multiplicity;
        status = find_law(table, &group->factor, &request, &product->groups[i].law, error);
        product->bounds[i] = &product->groups[i].law->clip;
    }
    if (status == STATUS_OK)
        product->clip_probability = clip_probability(count, product->bounds, product->copies, dimension);
    return status;
}

/* TV between the products of laws with and without the score error; factors without error cancel. */
static enum status measure_effect(struct table *table, struct product *product, size_t dimension,
                                  struct measured *out, struct error *error)
{
    size_t count = 0;
    enum status status = STATUS_OK;
    *out = (struct measured){0.0, 0.0};
    for (size_t i = 0; i < product->factors.count && status == STATUS_OK; i++) {
        const struct factor_group *group = &product->factors.group[i];
        if (!(group->error_share > 0.0))
            continue;
        struct law_group *relative = &product->groups[count++];
        relative->multiplicity = group->multiplicity;
        const struct request request = {.error_share = group->error_share, .clip = product->clip, .relative = true};
        status = find_law(table, &group->factor, &request, &relative->law, error);
        product->bounds[i] = &relative->law->clip; /* of the law without the error */
    }
    if (status == STATUS_OK && count > 0)
        status = tv_measure(product->groups, count, out, error);
    if (status == STATUS_OK && count > 0)
        *out = measured_within(
            (struct measured){out->value, out->error + product->clip_probability
                                              + clip_probability(product->factors.count, product->bounds,
                                                                 product->copies, dimension)},
            1.0);
    return status;
}

/* A factor around a point or an axis alone: the norm that the clip looks at is its own. */
static int holds_norm(const struct product *product, size_t dimension)
{
    const struct factor *factor = &product->factors.group[0].factor;
    return product->factors.count == 1 && dimension > 1 && factor->dimension == dimension
           && (factor->mean == NULL || dimension > 2);
}

/* A radius of more than this is that of any number. */
#define MOST_RADIUS 0.25

static enum status check_radii(const struct measurement *m, struct error *error)
{
    struct measured tv = m->divergence.tv;
    if (tv.error > MOST_RADIUS && !(m->clip_probability > 0.5 * tv.error))
        return fail_with(error, STATUS_NUMERIC, "TV is not known: %.3g with a radius of %.1e (mass defect %.1e)",
                         tv.value, tv.error, m->divergence.mass_defect);
    if (tv.error > MOST_RADIUS)
        return fail_with(error, STATUS_NUMERIC, "a clip that may act with probability %.1g leaves TV unknown",
                         m->clip_probability);
    if (m->error_effect.error > MOST_RADIUS)
        return fail_with(error, STATUS_NUMERIC,
                         "the effect of the score error is not known: %.3g with a radius of %.1e",
                         m->error_effect.value, m->error_effect.error);
    return STATUS_OK;
}

/* Of the components of the only factor that has several, where the target has no others; of a Gaussian 0. */
static enum status measure_masses(const struct product *product, const struct target *target, struct measurement *out,
                                  struct error *error)
{
    size_t mixture = 0, mixtures = 0;
    for (size_t i = 0; i < product->factors.count; i++)
        if (factor_is_mixture(&product->factors.group[i].factor)) {
            mixture = i;
            mixtures++;
        }
    const struct factor *factor = &product->factors.group[mixture].factor;
    if (mixtures > 1 || factor->components > MOST_MASSES || factor->density != NULL
        || (mixtures == 1 && target->family->content != NULL
            && (double)factor->components != target_content(target, (double)factor->dimension).components))
        return STATUS_OK;
    TRY(law_mass_errors(product->groups[mixture].law, factor, out->mass_error, error));
    out->masses = factor->components;
    return STATUS_OK;
}

static enum status measure_law(struct table *table, size_t dimension, struct measurement *out, struct error *error)
{
    struct product product;
    *out = (struct measurement){.dimension = dimension, .planted = no_planted_law};
    enum status status = product_init(table->problem, dimension, &product, error);
    if (status == STATUS_OK && holds_norm(&product, dimension) && table->problem->sampler->correction != NULL)
        product.clip = sampler_clip(dimension, table->problem->schedule->T);
    bool may_clip = product.factors.count == 1 && product.factors.group[0].factor.dimension == dimension
                    && dimension <= 2 && !(product.clip > 0.0);
    if (status == STATUS_OK)
        status = find_laws(table, dimension, may_clip ? CLIP_MATTERS : 0.0, &product, error);
    if (status == STATUS_OK && may_clip && product.clip_probability > CLIP_MATTERS) {
        product.clip = sampler_clip(dimension, table->problem->schedule->T);
        status = find_laws(table, dimension, 0.0, &product, error);
    }
    if (status == STATUS_OK)
        status = divergence_measure(product.groups, product.factors.count, &out->divergence, error);
    if (status == STATUS_OK) {
        describe(product.groups, product.factors.count, out->method, sizeof out->method);
        out->clip_probability = product.clip_probability;
        out->w2 = w2_of_sum(product.groups, product.factors.count, product.clip_probability);
        out->divergence.tv = measured_within(
            (struct measured){out->divergence.tv.value, out->divergence.tv.error + product.clip_probability}, 1.0);
        status = measure_effect(table, &product, dimension, &out->error_effect, error);
    }
    if (status == STATUS_OK)
        status = measure_masses(&product, table->problem->target, out, error);
    if (status == STATUS_OK)
        status = check_radii(out, error);
    product_free(&product);
    return status;
}

/* A dimension without numbers, perhaps among others that have some. */
static void blank(size_t dimension, struct measurement *out)
{
    *out = (struct measurement){.dimension = dimension,
                                .divergence = {nothing, nothing, nothing, nothing, nothing, NAN},
                                .planted = no_planted_law,
                                .w2 = nothing,
                                .error_effect = nothing,
                                .clip_probability = NAN};
}

/* The clip acts exactly: the planted law is one of the whole vector. */
static enum status measure_planted(const struct measure_problem *of, const struct planted_target *planted,
                                   size_t dimension, struct measurement *out, struct error *error)
{
    const struct law_problem problem = {
        .sampler = of->sampler,
        .schedule = of->schedule,
        .clip = of->sampler->correction != NULL ? sampler_clip(dimension, of->schedule->T) : 0.0,
        .threads = of->threads};
    blank(dimension, out);
    TRY(check_exact_scores(of->score_error, error));
    TRY(planted_measure(&problem, planted, &out->planted, error));
    out->clip_probability = 0.0;
    (void)snprintf(out->method, sizeof out->method, "planted, annealed");
    return STATUS_OK;
}

static enum status measure_one(struct table *table, size_t dimension, struct measurement *out, struct error *error)
{
    struct planted_target planted;
    enum status status;
    TRY_OR(done, target_planted(table->problem->target, dimension, &planted, error));
    status = planted.weight > 0.0 ? measure_planted(table->problem, &planted, dimension, out, error)
                                  : measure_law(table, dimension, out, error);
    table->node_updates += out->planted.node_updates;
done:
    planted_target_free(&planted);
    return status;
}

enum status measure_target(const struct measure_problem *problem, const size_t *dimensions, size_t count,
                           struct measurement *out, struct error *error)
{
    struct table table = {.problem = problem};
    enum status status = STATUS_OK;
    struct error first = {STATUS_OK, ""}; /* of the first refusal, given where all dimensions are refused */
    size_t refused = 0;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct error cause = {STATUS_OK, ""};
        status = measure_one(&table, dimensions[i], &out[i], &cause);
        if (status == STATUS_OK)
            continue;
        int of_dimension = status == STATUS_NUMERIC || status == STATUS_UNSUPPORTED;
        if (!of_dimension || refused == 0)
            (void)fail_with(&first, status, "target %s, sampler %s, T = %zu, d = %zu: %s", problem->target->name,
                            problem->sampler->name, problem->schedule->T, dimensions[i], cause.text);
        if (of_dimension) {
            blank(dimensions[i], &out[i]);
            out[i].failure = cause;
            status = ++refused < count ? STATUS_OK : first.status;
        }
    }
    if (status != STATUS_OK && error != NULL)
        *error = first;
    for (size_t i = 0; i < count; i++)
        out[i].node_updates = table.node_updates;
    table_free(&table);
    return status;
}
