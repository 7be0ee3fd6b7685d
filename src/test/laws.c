#include "test/laws.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "law/integrals.h"
#include "test/suite.h"

struct schedule *make_schedule(const char *kind, double c0, double c1, size_t T)
{
    struct schedule *schedule;
    ASSERT_OK(schedule_new, schedule_kind_find(kind), c0, c1, T, &schedule);
    return schedule;
}

void release_schedule(struct schedule **schedule)
{
    schedule_free(*schedule);
}

void release_sampler(struct sampler_instance **instance)
{
    sampler_instance_free(*instance);
}

void release_block(void *block)
{
    void *start;
    memcpy(&start, block, sizeof start);
    free(start);
}

const double table_sigmas[TABLE_SIZE] = {0.01, 0.02, 0.05, 0.08, 0.2, 0.5, 0.7, 1.5, 4.0, 12.0, 40.0, 100.0};
const double table_alpha_bars[TABLE_SIZE] = {0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.96, 0.985, 0.994};

const char *const schedule_texts[] = {"li-cai c0 1 c1 3",
                                      "li-cai c0 2 c1 4",
                                      "li-yan c0 2 c1 3",
                                      "exponential start 0.01 delta 1e-3",
                                      "linear-beta beta_max 6",
                                      "cosine largest_beta 0.2",
                                      "karras sigma_min 0.02 sigma_max 20",
                                      "table",
                                      NULL};

const struct schedule_kind *schedule_values(const char *text, union params *values)
{
    char word[64], value[64];
    int at = 0;
    ck_assert_int_eq(sscanf(text, "%63s%n", word, &at), 1);
    const struct schedule_kind *kind = schedule_kind_find(word);
    ck_assert_msg(kind != NULL, "%s", text);
    params_init(kind->params, values);
    for (text += at; sscanf(text, " %63s %63s%n", word, value, &at) == 2; text += at) {
        const struct param *param = params_find(kind->params, word);
        ck_assert_msg(param != NULL && (param->kind == PARAM_REAL || param->kind == PARAM_CHOICE), "%s", text);
        if (param->kind == PARAM_REAL)
            *(double *)(void *)(values->bytes + param->offset) = strtod(value, NULL);
        else
            *(size_t *)(void *)(values->bytes + param->offset) = strcmp(value, param->choices[0]) != 0;
    }
    ck_assert_msg(strspn(text, " ") == strlen(text), "%s", text);
    const struct param *file = params_find(kind->params, "file"), *quantity = params_find(kind->params, "quantity");
    if (file != NULL)
        *(struct file_numbers *)(void *)(values->bytes + file->offset) = (struct file_numbers){
            TABLE_SIZE,
            (double *)(*(size_t *)(void *)(values->bytes + quantity->offset) ? table_sigmas : table_alpha_bars)};
    return kind;
}

struct schedule *make_schedule_from(const char *text, size_t T)
{
    union params values;
    struct schedule *schedule;
    const struct schedule_kind *kind = schedule_values(text, &values);
    ASSERT_OK(schedule_with, kind, &values, T, &schedule);
    return schedule;
}

struct schedule *make_li_cai(size_t T)
{
    return make_schedule("li-cai", 2.0, 8.5, T);
}

double li_cai_step_size(double c1, size_t T)
{
    return c1 * log((double)T) / (double)T;
}

void set_error_param(struct score_error *error, const char *key, double value)
{
    const struct param *param = params_find(error->shape->params, key);
    if (param != NULL)
        *(double *)(void *)(error->params.bytes + param->offset) = value;
}

double error_param(const struct score_error *error, const char *key)
{
    const struct param *param = error->shape != NULL ? params_find(error->shape->params, key) : NULL;
    return param != NULL ? param_number(param, &error->params) : NAN;
}

struct score_error make_error(const char *shape, double size, double roughness, double probability)
{
    struct score_error error = {
        .shape = error_shape_find(shape), .profile = error_profile_find("uniform"), .size = size};
    set_error_param(&error, "roughness", roughness);
    set_error_param(&error, "probability", probability);
    return error;
}

struct factor_list list_of(const struct factor *factor, double multiplicity)
{
    struct factor_list list = {0};
    ASSERT_OK(factor_list_append, &list, factor, multiplicity);
    return list;
}

struct chain_problem make_chains(const struct factor_list *list, const struct sampler *sampler,
                                 const struct schedule *schedule, uint64_t seed, uint64_t stream)
{
    struct chain_problem chains = {
        .list = list, .sampler = sampler, .schedule = schedule, .seed = seed, .stream = stream, .threads = 2};
    for (size_t g = 0; g < list->count; g++)
        chains.dimension += (size_t)list->group[g].multiplicity * list->group[g].factor.dimension;
    return chains;
}

int sampler_count(void)
{
    int count = 0;
    while (sampler_at((size_t)count) != NULL && sampler_at((size_t)count)->memory == 0)
        count++;
    return count;
}

const struct law_engine *engine_called(const char *name)
{
    for (size_t i = 0; law_engine_at(i) != NULL; i++)
        if (strcmp(law_engine_at(i)->name, name) == 0)
            return law_engine_at(i);
    ck_abort_msg("no engine %s", name);
    return NULL;
}

static void expm1_of(size_t n, const double *log_ratio, double *out)
{
    for (size_t j = 0; j < n; j++)
        out[j] = expm1(log_ratio[j]);
}

enum status compute_by(const struct law_engine *engine, const struct law_problem *problem, double resolution,
                       struct law *out, struct error *error)
{
    TRY(engine->compute(problem, resolution, out, error));
    return law_integrate(out, 1, expm1_of, &out->mass_defect, NULL, error);
}

void assert_agree(struct measured a, struct measured b, const char *what, const char *where)
{
    ck_assert_msg((isinf(a.value) && isinf(b.value))
                      || (isfinite(a.value) && isfinite(b.value) && a.error > 0.0 && b.error > 0.0
                          && fabs(a.value - b.value) <= a.error + b.error),
                  "%s: %s %.12g +- %.3g against %.12g +- %.3g", where, what, a.value, a.error, b.value, b.error);
}

void assert_sharp(struct measured a, struct measured b, double relative, const char *what, const char *where)
{
    assert_agree(a, b, what, where);
    ck_assert_msg(a.error < relative * fabs(a.value) && b.error < relative * fabs(b.value),
                  "%s: %s %.12g +- %.3g, %.12g +- %.3g", where, what, a.value, a.error, b.value, b.error);
}

static void assert_known_agree(struct measured a, struct measured b, const char *what, const char *where)
{
    ck_assert_msg(isnan(a.value) == isnan(a.error) && isnan(b.value) == isnan(b.error), "%s: half of %s", where,
                  what);
    if (!isnan(a.value) && !isnan(b.value))
        assert_agree(a, b, what, where);
}

void assert_all_agree(const struct divergence *a, const struct divergence *b, const char *where)
{
    assert_agree(a->tv, b->tv, "TV", where);
    assert_known_agree(a->kl_p_q, b->kl_p_q, "KL(p|q)", where);
    assert_known_agree(a->kl_q_p, b->kl_q_p, "KL(q|p)", where);
    assert_known_agree(a->chi2_q_p, b->chi2_q_p, "chi2", where);
    assert_known_agree(a->hellinger2, b->hellinger2, "Hellinger", where);
}

struct divergence divergences_of(const struct law *law, double multiplicity)
{
    struct divergence divergence;
    ASSERT_OK(divergence_measure, &(struct law_group){law, multiplicity}, 1, &divergence);
    return divergence;
}

void off_by_one(const struct step *step, const struct score *score, size_t n, const double *x, double *out,
                double *work)
{
    (void)work;
    score->evaluate(score, &step->to, n, x, out);
    for (size_t i = 0; i < n; i++)
        out[i] *= step->beta;
}
