#include "model/sampler.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "core/legendre.h"
#include "core/lists.h"
#include "core/memory.h"

#define SAMPLER(object) extern const struct sampler object;
#include "model/samplers.def"
#undef SAMPLER

static const struct sampler *const samplers[] = {
#define SAMPLER(object) &object,
#include "model/samplers.def"
#undef SAMPLER
};

LIST_AT(sampler, sampler_at, samplers)
LIST_FIND(sampler, sampler_find, sampler_at)

struct sampler_instance *sampler_instance_new(const struct sampler *kind, const union params *values,
                                              const char *name, char *written)
{
    struct sampler_instance *made = array_new(1, sizeof *made);
    if (made == NULL) {
        free(written);
        return NULL;
    }
    made->values = *values;
    made->written = written;
    (void)snprintf(made->name, sizeof made->name, "%s", name);
    made->sampler = *kind;
    made->sampler.name = made->name;
    made->sampler.values = &made->values;
    made->sampler.written = written;
    made->sampler.kind = kind;
    if (kind->adapt != NULL)
        kind->adapt(&made->sampler);
    return made;
}

void sampler_instance_free(struct sampler_instance *instance)
{
    if (instance == NULL)
        return;
    params_free(instance->sampler.params, &instance->values);
    free(instance->written);
    free(instance);
}

const struct sampler *sampler_kind(const struct sampler *sampler)
{
    return sampler->kind != NULL ? sampler->kind : sampler;
}

void sampler_describe(const struct sampler *sampler, FILE *file)
{
    fputs(sampler->name, file);
    if (sampler->kind == NULL)
        return;
    fprintf(file, " kind %s", sampler->kind->name);
    if (sampler->written != NULL)
        fprintf(file, " %s", sampler->written);
    else
        params_describe(sampler->params, sampler->values, file);
}

struct step sampler_step(const struct sampler *sampler, const struct schedule *schedule, size_t t)
{
    struct step step = {
        .t = t,
        .T = schedule->T,
        .from = schedule_level(schedule, t),
        .to = schedule_level(schedule, t - 1),
        .alpha = 1.0 - schedule->beta[t],
        .log_alpha = log1p(-schedule->beta[t]),
        .beta = schedule->beta[t],
        .beta_before = schedule->beta[t < schedule->T ? t + 1 : t],
        .beta_after = schedule->beta[t > 2 ? t - 1 : t],
        .draw = 0.5,
        .params = sampler != NULL ? sampler->values : NULL,
        .clip = HUGE_VAL,
    };
    step.omega = step.beta / step.from.noise;
    return step;
}

static enum status check_steps(const struct sampler *sampler, const struct schedule *schedule, struct error *error)
{
    for (size_t t = schedule->T; sampler->admits != NULL && t >= 2; t--) {
        struct step step = sampler_step(sampler, schedule, t);
        TRY(sampler->admits(sampler, &step, error));
    }
    return STATUS_OK;
}

/* Whether a schedule of T steps like this one exists and the sampler admits it. */
static bool admits(const struct sampler *sampler, const struct schedule *like, size_t T)
{
    struct schedule *schedule;
    bool exists = schedule_with(like->kind, &like->values, T, &schedule, NULL) == STATUS_OK;
    bool admitted = exists && check_steps(sampler, schedule, NULL) == STATUS_OK;
    schedule_free(schedule);
    return admitted;
}

enum status sampler_check(const struct sampler *sampler, const struct schedule *schedule, struct error *error)
{
    const size_t most = (size_t)1 << 20;
    struct error found = {STATUS_OK, ""};
    enum status status = check_steps(sampler, schedule, &found);
    if (status == STATUS_OK)
        return status;
    size_t fails = schedule->T, exists = 2 * fails;
    while (exists <= most && !admits(sampler, schedule, exists)) {
        fails = exists;
        exists *= 2;
    }
    if (exists > most)
        return fail_with(error, status, "%s; no schedule of up to %zu steps mends that", found.text, most);
    while (exists > fails + 1) {
        size_t middle = fails + (exists - fails) / 2;
        if (admits(sampler, schedule, middle))
            exists = middle;
        else
            fails = middle;
    }
    return fail_with(error, status, "%s: the smallest admissible T is %zu", found.text, exists);
}

size_t sampler_draws(const struct sampler *sampler, double *draw, double *weight)
{
    size_t count = sampler->draws > 0 ? sampler->draws : 1;
    double total = 0.0;
    legendre_rule(count, draw, weight);
    for (size_t k = 0; k < count; k++)
        total += weight[k];
    for (size_t k = 0; k < count; k++) {
        draw[k] = 0.5 * (1.0 + draw[k]);
        weight[k] /= total; /* probabilities; the rule's sum is off by a few roundings, which steps would add up */
    }
    return count;
}

double sampler_clip(size_t dimension, size_t T)
{
    const double constant = 2.0;
    double d = (double)dimension;
    return constant * sqrt(d * log(d * (double)T));
}

size_t sampler_levels(const struct sampler *sampler, const struct step *step, struct level out[SAMPLER_LEVELS])
{
    size_t others = sampler->other_levels != NULL ? sampler->other_levels(step, out + 2) : 0;
    out[0] = step->from;
    out[1] = step->to;
    return 2 + (others < SAMPLER_OTHER_LEVELS ? others : SAMPLER_OTHER_LEVELS);
}

double sampler_noise_after(const struct sampler *sampler, const struct step *step)
{
    return sampler->log_noise_ratio != NULL ? step->beta * exp(sampler->log_noise_ratio(step)) : 0.0;
}

double sampler_noise_before(const struct sampler *sampler, const struct step *step)
{
    return sampler->log_noise_before != NULL ? step->beta * exp(sampler->log_noise_before(step)) : 0.0;
}

void undeclared_note(struct undeclared *undeclared, const struct level *level, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = NAN;
#pragma omp critical(undeclared)
    if (undeclared != NULL && !undeclared->asked)
        *undeclared = (struct undeclared){true, *level};
}

enum status undeclared_check(const struct undeclared *undeclared, const struct sampler *sampler, size_t t,
                             struct error *error)
{
    if (!undeclared->asked)
        return STATUS_OK;
    return fail_with(
        error, STATUS_UNSUPPORTED,
        "in step t = %zu sampler %s asks for the score at 1 - alpha_bar = %.17g, alpha_bar = %.17g, which "
        "is neither level t nor t-1, %s",
        t, sampler->name, undeclared->level.noise, undeclared->level.alpha_bar,
        sampler->other_levels != NULL ? "nor one of those that it declares (other_levels)"
                                      : "and it declares no others (other_levels)");
}
