#include "law/planted.h"

#include <gsl/gsl_sf_log.h>
#include <math.h>

#include "law/condensation.h"
#include "law/divergence.h"

/* Along the codeword's own paths, component 1, of the law and of its bracket. */
static enum status measure_own(const struct law_problem *problem, const struct planted_target *planted,
                               struct law_component out[2], struct error *error)
{
    struct law_problem own[] = {*problem, *problem};
    own[0].factor = &planted->law.group[0].factor;
    own[1].factor = &planted->bracket.group[0].factor;
    if (condensation_handles(&own[0]))
        return condensation_law(own, out, error);
    TRY(law_component(&own[0], 1, &out[0], error));
    return law_component(&own[1], 1, &out[1], error);
}

/* The first, with a radius that holds the other, too. */
static struct measured join(struct measured a, struct measured b)
{
    return (struct measured){a.value, fmax(a.error, fabs(a.value - b.value) + b.error)};
}

/* Q - w = (1-w)(1 - (1-w)^m), which grows with m. */
static double gain(double w, double m)
{
    return -(1.0 - w) * expm1(m * log1p(-w));
}

static struct measured gain_of(double w, struct measured m)
{
    double value = gain(w, m.value), up = gain(w, m.value + m.error) - value,
           down = value - gain(w, m.value - m.error);
    return (struct measured){value, fmax(up, down)};
}

/* Of two coins whose probabilities are w and w + g. */
static double coins_kl(double w, double g)
{
    return -w * gsl_sf_log_1plusx_mx(g / w) - (1.0 - w) * gsl_sf_log_1plusx_mx(-g / (1.0 - w));
}

static struct measured coins_kl_of(double w, struct measured g)
{
    const double least = -w * (1.0 - 1e-9), most = (1.0 - w) * (1.0 - 1e-9);
    double value = coins_kl(w, fmin(fmax(g.value, least), most)),
           up = fabs(coins_kl(w, fmin(g.value + g.error, most)) - value),
           down = fabs(coins_kl(w, fmax(g.value - g.error, least)) - value);
    return (struct measured){value, fmax(up, down)};
}

enum status planted_measure(const struct law_problem *problem, const struct planted_target *planted,
                            struct planted_law *out, struct error *error)
{
    struct law_component own[2];
    TRY(measure_own(problem, planted, own, error));
    const struct law_component law = own[0], bracket = own[1];
    double w = planted->weight;
    *out = (struct planted_law){.mass_error = join(law.mass_error, bracket.mass_error),
                                .l1 = join(law.half_distance, bracket.half_distance),
                                .node_updates = law.node_updates + bracket.node_updates};
    struct measured whole = gain_of(w, out->mass_error), numerical = gain_of(w, law.mass_error);
    struct measured other = gain_of(w, bracket.mass_error);
    out->codewords = measured_within((struct measured){w + whole.value, whole.error}, 1.0);
    out->kl = coins_kl_of(w, numerical);
    out->tv = measured_within((struct measured){fabs(numerical.value), numerical.error}, 1.0);
    out->bracket_tv = measured_within((struct measured){fabs(other.value), other.error}, 1.0);
    return STATUS_OK;
}
