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
    out[0] = step->from;
    out[1] = step->to;
    return 2 + (sampler->other_levels != NULL ? sampler->other_levels(step, out + 2) : 0);
}
