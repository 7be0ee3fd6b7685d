/* Theory (9'): a transfer along the PF-ODE past level t-1 to an overshoot level, then forward noise back up to t-1,
 * whose variance is kappa times that of theory (8). In units of sigma_t the levels t-1 and (8)'s overshoot level lie
 * at sigma_1 = sqrt(1 - omega) and sigma_2 = 1 - omega, because alpha_t (1 - abar_{t-1})/(1 - abar_t) = 1 - omega; so
 * no difference of sigmas is ever formed. */
#ifndef MODEL_OVERSHOOT_H
#define MODEL_OVERSHOOT_H

#include "model/sampler.h"

/* The parameter `overshoot` of samplers; 1 is theory (8), and 0 has no noise. */
struct overshoot {
    double kappa;
};
extern const struct param overshoot_params[];
/* Its descriptor, for samplers with others beside it, whose struct it begins. */
#define OVERSHOOT_PARAM \
    { \
        "overshoot", PARAM_REAL, offsetof(struct overshoot, kappa), \
            "kappa of theory (9'): the noise's variance is kappa times ddpm-ancestral's, and the transfer goes " \
            "correspondingly farther; 0 is a deterministic step to level t-1, and at most (1 - abar_t)/(1 - " \
            "alpha_t) exists", \
            .standard = 1.0, .range = AT_LEAST(0.0) \
    }
extern const struct overshoot overshoot_standard; /* 1 */

/* sigma_2/sigma_t - 1, where sigma_2 is that of the overshoot level for kappa, kappa omega < 1; kappa = 0: of level
 * t-1. */
double overshoot_shift(double kappa, const struct step *step);
/* log(v alpha/(1 - alpha)) of the noise that leads back; kappa > 0. */
double overshoot_noise(double kappa, const struct step *step);
/* STATUS_INADMISSIBLE unless kappa omega < 1: there is a level to overshoot to. */
enum status overshoot_exists(double kappa, const struct sampler *sampler, const struct step *step,
                             struct error *error);

/* The same as functions of a sampler with the parameter. */
double overshoot_shift_of(const struct step *step);
double overshoot_log_noise_ratio(const struct step *step);
void overshoot_adapt(struct sampler *instance);
enum status overshoot_admits(const struct sampler *sampler, const struct step *step, struct error *error);

#define OVERSHOOT_FUNCTIONS \
    .log_noise_ratio = overshoot_log_noise_ratio, .adapt = overshoot_adapt, .admits = overshoot_admits
#define OVERSHOOTS \
    .params = overshoot_params, .params_size = sizeof(struct overshoot), .values = &overshoot_standard, \
    OVERSHOOT_FUNCTIONS

#endif
