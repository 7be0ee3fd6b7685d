#include "model/sampler.h"

#include <math.h>
#include <string.h>

#define SAMPLER(object) extern const struct sampler object;
#include "model/samplers.def"
#undef SAMPLER

static const struct sampler *const samplers[] = {
#define SAMPLER(object) &object,
#include "model/samplers.def"
#undef SAMPLER
};

const struct sampler *sampler_at(size_t index)
{
    return index < sizeof samplers / sizeof samplers[0] ? samplers[index] : NULL;
}

const struct sampler *sampler_find(const char *name)
{
    for (size_t i = 0; i < sizeof samplers / sizeof samplers[0]; i++)
        if (strcmp(samplers[i]->name, name) == 0)
            return samplers[i];
    return NULL;
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
    if (undeclared != NULL && !undeclared->seen)
        *undeclared = (struct undeclared){1, *level};
}

enum status undeclared_check(const struct undeclared *undeclared, const struct sampler *sampler, size_t t,
                             struct error *error)
{
    if (!undeclared->seen)
        return STATUS_OK;
    return fail_with(
        error, STATUS_UNSUPPORTED,
        "in step t = %zu sampler %s asks for the score at 1 - alpha_bar = %.17g, alpha_bar = %.17g, which "
        "is neither level t nor t-1, %s",
        t, sampler->name, undeclared->level.noise, undeclared->level.alpha_bar,
        sampler->other_levels != NULL ? "nor one of those that it declares (other_levels)"
                                      : "and it declares no others (other_levels)");
}
