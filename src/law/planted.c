#include "law/planted.h"

#include <math.h>

#include "law/divergence.h"

/* m_1 and E_own|r_1 - 1|/2 of one extreme. */
struct extreme {
    struct measured mass_error, l1;
};

/* E_own|r - 1|/2 between the roots of log r; its radius is half of that of E_own(r - 1), which bounds the errors of r
 * in the norm of L1(p_own), and what the quadrature without these cuts makes of it. */
static enum status measure_own(const struct law *law, const struct factor *factor, struct extreme *out,
                               struct error *error)
{
    struct law part = *law;
    double whole;
    part.component = 2;
    part.log_weight = factor_log_weight(factor, 1);
    TRY(law_mass_error(law, factor, 1, &out->mass_error, error));
    TRY(tv_single(&part, &out->l1, error));
    TRY(law_distance(&part, &whole, error));
    out->l1.error = 0.5 * out->mass_error.error + fabs(out->l1.value - 0.5 * whole);
    return STATUS_OK;
}

static enum status measure_extreme(const struct law_problem *problem, const struct factor_list *list,
                                   struct extreme *out, struct planted_law *account, struct error *error)
{
    struct law_problem own = *problem;
    struct law law;
    own.factor = &list->group[0].factor;
    TRY(law_compute(&own, &law, error));
    enum status status = measure_own(&law, own.factor, out, error);
    account->mass_defect = fmax(account->mass_defect, fabs(law.mass_defect));
    account->node_updates += law.node_updates;
    law_free(&law);
    return status;
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

enum status planted_measure(const struct law_problem *problem, const struct planted_target *planted,
                            struct planted_law *out, struct error *error)
{
    struct extreme law, bracket;
    *out = (struct planted_law){.mass_defect = 0.0};
    TRY(measure_extreme(problem, &planted->law, &law, out, error));
    TRY(measure_extreme(problem, &planted->bracket, &bracket, out, error));
    out->mass_error = join(law.mass_error, bracket.mass_error);
    out->l1 = join(law.l1, bracket.l1);
    double w = planted->weight, m = out->mass_error.value, radius = out->mass_error.error, shift = gain(w, m);
    double error_of_gain = fmax(gain(w, m + radius) - shift, shift - gain(w, m - radius));
    out->codewords = measured_within((struct measured){w + shift, error_of_gain}, 1.0);
    out->tv = measured_within((struct measured){fabs(shift), error_of_gain}, 1.0);
    return STATUS_OK;
}
