#include "law/law.h"

#include <math.h>

#include "core/lists.h"
#include "core/memory.h"
#include "law/integrals.h"
#include "law/outside.h"

enum { RESOLUTIONS = 3 };

/* Of E_{p_k}|r - 1|: the error_l1 that is good enough where component k is followed alone. */
#define COMPONENT_RADIUS 1e-3

#define ENGINE(object) extern const struct law_engine object;
#include "law/engines.def"
#undef ENGINE

static const struct law_engine *const engines[] = {
#define ENGINE(object) &object,
#include "law/engines.def"
#include "law/tuning.h"
#undef ENGINE
};

LIST_AT(law_engine, law_engine_at, engines)

static bool handles(const struct law_engine *engine, const struct law_problem *problem)
{
    const struct sampler *sampler = problem->sampler;
    bool draws = sampler->draws == 0 || (engine->draws && sampler->regular && sampler->correction == NULL);
    bool parts = problem->component == 0 || engine->parts;
    return engine->memory >= sampler->memory && draws && parts && engine->handles(problem);
}

const struct law_engine *law_engine_for(const struct law_problem *problem)
{
    for (size_t i = 0; i < sizeof engines / sizeof engines[0]; i++)
        if (handles(engines[i], problem))
            return engines[i];
    return NULL;
}

bool law_engine_carries(const struct law_engine *engine, const struct sampler *sampler)
{
    static const double weight[] = {0.5, 0.5}, mean[] = {-1.0, 0.0, 1.0, 0.0}, same[] = {0.0, 0.0, 0.0, 0.0},
                        sd[] = {0.5, 1.0};
    static const struct factor kinds[] = {{1, 1, weight, mean, sd, NULL, NULL, NULL},
                                          {1, 2, weight, mean, sd, NULL, NULL, NULL},
                                          {2, 2, weight, same, sd, NULL, NULL, NULL},
                                          {2, 2, weight, mean, sd, NULL, NULL, NULL}};
    bool carries = false;
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        const struct law_problem problem = {.factor = &kinds[k], .sampler = sampler};
        carries |= handles(engine, &problem);
    }
    return carries;
}

enum status law_supports(const struct law_problem *problem, struct error *error)
{
    return law_engine_for(problem) != NULL ? STATUS_OK : law_unsupported(problem, error);
}

/* What the factor is a sum of. */
static void describe_sum(const struct law_problem *problem, char *text, size_t size)
{
    const size_t n = problem->factor->components;
    if (problem->points == 0)
        (void)snprintf(text, size, "%zu components", n);
    else if (problem->points == n)
        (void)snprintf(text, size, "%zu points", n);
    else
        (void)snprintf(text, size, "%zu points (%zu distinct)", problem->points, n);
}

enum status law_unsupported(const struct law_problem *problem, struct error *error)
{
    const struct factor *factor = problem->factor;
    char sum[80];
    describe_sum(problem, sum, sizeof sum);
    if (problem->sampler->memory > 0)
        return fail_with(
            error, STATUS_UNSUPPORTED,
            "sampler %s keeps what earlier steps found: no exact engine has its law on %s in %zu coordinates "
            "under score error %s, only chains (`samples`) can measure it",
            problem->sampler->name, sum, factor->dimension, score_error_name(problem->score_error));
    if (problem->sampler->draws > 0)
        return fail_with(error, STATUS_UNSUPPORTED,
                         "sampler %s draws a number in each step: no exact engine has its law on %s in %zu "
                         "coordinates under score error %s, only chains (`samples`) can measure it",
                         problem->sampler->name, sum, factor->dimension, score_error_name(problem->score_error));
    if (factor->sd == NULL && factor->full == NULL)
        return fail_with(error, STATUS_UNSUPPORTED,
                         "no exact engine has the law of %s in %zu coordinates within hours: only chains "
                         "(`samples`) can measure it",
                         sum, factor->dimension);
    return fail_with(error, STATUS_UNSUPPORTED,
                     "no exact engine for %s %s in %zu coordinates that do not separate "
                     "under %s and score error %s: only chains (`samples`) can measure it",
                     sum,
                     factor->full == NULL       ? "with isotropic covariances"
                     : factor->full->count == 0 ? "that are products of atoms"
                                                : "with full covariances",
                     factor->dimension, problem->sampler->name, score_error_name(problem->score_error));
}

void law_free(struct law *law)
{
    mixture_level_free(&law->target);
    panels_free(&law->log_ratio);
    panels_free(&law->base);
    free(law->component_error);
    if (law->density != NULL)
        law->density->free(law->density);
    *law = (struct law){0};
}

void law_log_density(const struct law *law, const struct panel *panel, size_t n, const double *x, double *out)
{
    if (law->density != NULL && law->component > 0)
        law->density->log_part(law->density, panel, law->component - 1, n, x, out);
    else if (law->density != NULL)
        law->density->log_density(law->density, panel, n, x, out);
    else if (law->component > 0)
        mixture_level_log_part(&law->target, law->component - 1, panel->anchor, n, x, out);
    else
        mixture_level_evaluate(&law->target, panel->anchor, n, x, out, NULL);
    for (size_t i = 0; i < n && law->component > 0; i++)
        out[i] -= law->log_weight;
}

double law_sd(const struct law *law, const struct panel *panel)
{
    return law->density != NULL ? law->density->sd(law->density, panel) : law->target.sd[panel->anchor];
}

/* The checks of the steps have missed what the mass shows. */
static void widen(struct law *law)
{
    law->unexplained = law_outside(law).unexplained;
    law->error_l1 += UNEXPLAINED_FACTOR * law->unexplained;
    law->error_l2 += UNEXPLAINED_FACTOR * law->unexplained;
}

static double radius_of(const struct law *law)
{
    return law->engine != NULL ? law->error_l1 + fabs(law->mass_defect) : HUGE_VAL;
}

/* The resolution to try after the i-th, at which the law has this radius and more than is wanted: where the radius is
 * known to fall like a power, as much higher as that takes, unless it is lost mass, which no resolution brings back.
 */
static double next_resolution(const struct law_engine *engine, const struct law *law, size_t i, double resolution,
                              double wanted)
{
    static const double resolutions[RESOLUTIONS] = {1.0, 1.5, 2.5};
    double excess = RADIUS_MARGIN * law->error_l1 / (wanted - fabs(law->mass_defect));
    if (!(engine->radius_power > 0.0) || !(excess > 0.0))
        return resolutions[i + 1];
    return fmin(resolution * pow(fmax(excess, RADIUS_MARGIN), 1.0 / engine->radius_power), resolutions[i + 1]);
}

enum status law_compute_by(const struct law_engine *engine, const struct law_problem *problem, struct law *out,
                           struct error *error)
{
    const double wanted = problem->component > 0        ? COMPONENT_RADIUS
                          : engine->wanted_radius > 0.0 ? engine->wanted_radius
                                                        : 5e-6;
    *out = (struct law){0};
    struct law law = {0};
    size_t updates = 0, exponentials = 0;
    enum status status;
    double resolution = 1.0, stalled = engine->radius_power > 0.0 ? 0.7 : 0.3;
    for (size_t i = 0; i < RESOLUTIONS; i++) {
        double integral[2];
        TRY_OR(failed, engine->compute(problem, resolution, &law, error));
        if (law.given_up) {
            *out = law;
            return STATUS_OK;
        }
        TRY_OR(failed, law_mass_and_distance(&law, integral, error));
        law.mass_defect = law.is_normal || problem->component > 0 ? 0.0 : integral[0];
        updates += law.node_updates;
        exponentials += law.exponentials;
        double radius = radius_of(&law), before = radius_of(out), rounding = law.rounding, kept = law.error_kept;
        double enough = (engine->dear > 0 && updates >= engine->dear ? DEAR_RADIUS : wanted) * integral[1];
        law_free(radius < before ? out : &law);
        if (radius < before)
            *out = law;
        law = (struct law){0};
        if (radius <= fmax(enough, 4.0 * rounding) || radius > stalled * before || kept > stalled * radius)
            break; /* good enough, or rounding is reached and finer is not better */
        if (i + 1 < RESOLUTIONS)
            resolution = next_resolution(engine, out, i, resolution, enough);
    }
    if (out->engine == NULL)
        return fail_with(error, STATUS_NUMERIC, "the law of %s has no finite radius: it is too far from its target",
                         problem->sampler->name);
    out->node_updates = updates;
    out->exponentials = exponentials;
    if (out->is_normal || problem->component > 0)
        return STATUS_OK;
    widen(out);
    return law_tail_variance(problem, &out->tail_variance, error);
failed:
    law_free(&law);
    law_free(out);
    return status;
}

/* An engine that finds in the steps that it cannot have the law leaves it to the next. */
static enum status compute_known(const struct law_problem *problem, struct law *out, struct error *error)
{
    *out = (struct law){0};
    if (law_engine_for(problem) == NULL && conditions_broken(problem->conditions, CONDITION_ROTATES))
        return conditions_refuse_rotation(problem->conditions, problem->sampler, error);
    enum status status = law_supports(problem, error);
    for (size_t i = 0; i < sizeof engines / sizeof engines[0]; i++) {
        if (!handles(engines[i], problem))
            continue;
        status = law_compute_by(engines[i], problem, out, error);
        if (status != STATUS_UNSUPPORTED)
            return status;
    }
    return status;
}

enum status law_compute(const struct law_problem *problem, struct law *out, struct error *error)
{
    *out = (struct law){0};
    if (problem->sampler->memory > 0)
        TRY(law_supports(problem, error));
    if (problem->sampler->regular)
        return compute_known(problem, out, error);
    struct conditions conditions;
    struct law_problem known = *problem;
    known.conditions = &conditions;
    enum status status = conditions_find(problem->factor, problem->sampler, problem->schedule, problem->score_error,
                                         problem->error_share, &conditions, error);
    if (status == STATUS_OK)
        status = compute_known(&known, out, error);
    conditions_free(&conditions);
    return status;
}

enum status law_component(const struct law_problem *problem, size_t k, struct law_component *out, struct error *error)
{
    struct law_problem own = *problem;
    struct law law;
    double integral[2];
    enum status status;
    *out = (struct law_component){0};
    if (k >= problem->factor->components)
        return fail_with(error, STATUS_INVALID, "there is no component %zu of %zu", k + 1,
                         problem->factor->components);
    own.component = k + 1;
    TRY(law_compute(&own, &law, error));
    TRY_OR(done, law_mass_and_distance(&law, integral, error));
    double radius = law.component_error[k] + law_outside(&law).mass;
    *out = (struct law_component){
        law.engine, {integral[0], radius}, {0.5 * integral[1], 0.5 * radius}, law.node_updates};
done:
    law_free(&law);
    return status;
}
