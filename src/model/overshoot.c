#include "model/overshoot.h"

#include <math.h>

const struct overshoot overshoot_standard = {1.0};
const struct param overshoot_params[] = {
    OVERSHOOT_PARAM,
    {0},
};

static double overshoot_of(const struct step *step)
{
    return ((const struct overshoot *)step->params)->kappa;
}

/* sigma_2 = sqrt((1 - omega)(1 - kappa omega)): the noise of its level is (1 - abar_{t-1})(1 - kappa omega)/(1 -
 * v_kappa). */
double overshoot_shift(double kappa, const struct step *step)
{
    double omega = step->omega;
    if (kappa == 1.0)
        return -omega;
    if (kappa == 0.0)
        return -omega / (1.0 + sqrt(1.0 - omega));
    return -(omega + kappa * omega * (1.0 - omega)) / (1.0 + sqrt((1.0 - omega) * (1.0 - kappa * omega)));
}

double overshoot_noise(double kappa, const struct step *step)
{
    return log(kappa) + log1p(-step->omega);
}

enum status overshoot_exists(double kappa, const struct sampler *sampler, const struct step *step,
                             struct error *error)
{
    return kappa * step->omega < 1.0
               ? STATUS_OK
               : fail_with(error, STATUS_INADMISSIBLE,
                           "sampler %s: in step t = %zu there is no level to overshoot to with %g times the noise of "
                           "theory (8), expected less than (1 - abar_t)/(1 - alpha_t) = %g",
                           sampler->name, step->t, kappa, 1.0 / step->omega);
}

double overshoot_shift_of(const struct step *step)
{
    return overshoot_shift(overshoot_of(step), step);
}

double overshoot_log_noise_ratio(const struct step *step)
{
    return overshoot_noise(overshoot_of(step), step);
}

void overshoot_adapt(struct sampler *instance)
{
    double kappa = ((const struct overshoot *)instance->values)->kappa;
    if (kappa == 1.0)
        return;
    if (kappa == 0.0)
        instance->log_noise_ratio = NULL;
    if (instance->claimed_order > 0.0)
        instance->claim_source = "order of the transfer, derived here (theory (9'))";
}

enum status overshoot_admits(const struct sampler *sampler, const struct step *step, struct error *error)
{
    return overshoot_exists(overshoot_of(step), sampler, step, error);
}
