/* The closed form: a Gaussian factor under an affine score stays Gaussian, q_t = N(sqrt(abar_t) mu + m, V_t (1 +
 * rho)) with V_t the variance of p_t, and m and rho are propagated themselves, so that they keep their digits however
 * small. */
#include <float.h>
#include <math.h>

#include "law/law.h"

extern const struct law_engine engine_gaussian;

struct gaussian_score {
    struct score base;
    double variance; /* of the factor */
};

/* In coordinates around the mean. */
static void evaluate(const struct score *score, const struct level *level, size_t n, const double *x, double *out)
{
    double variance = level->alpha_bar * ((const struct gaussian_score *)score)->variance + level->noise;
    for (size_t i = 0; i < n; i++)
        out[i] = -x[i] / variance;
}

struct state {
    double shift, rho;             /* m and rho */
    double shift_error, rho_error; /* rounding, propagated like the numbers themselves */
};

enum { MOST_WORK = 16 };

static struct state advance(struct state state, const struct sampler *sampler, const struct step *step,
                            double variance)
{
    struct gaussian_score score = {{evaluate}, variance};
    double V_from = step->from.alpha_bar * variance + step->from.noise;
    double V_to = step->to.alpha_bar * variance + step->to.noise;
    double sd = sqrt(V_from), x[2] = {0.0, sd}, D[2], work[2 * MOST_WORK];
    sampler->increment(step, &score.base, 2, x, D, work);
    double b = (D[1] - D[0]) / sd;
    double kernel = step->beta * exp(sampler->log_noise_ratio(step)); /* v alpha */
    double gain = (1.0 + b) * (1.0 + b) * V_from / (step->alpha * V_to);
    double scale = exp(-0.5 * step->log_alpha);
    /* From alpha V_{t-1} = V_t - beta: nothing of size V_t is left to cancel. */
    double defect = ((2.0 * b + b * b) * V_from + step->beta + kernel) / (step->alpha * V_to);
    double size = (fabs(2.0 * b) * V_from + step->beta + kernel) / (step->alpha * V_to);
    return (struct state){
        .shift = (state.shift * (1.0 + b) + D[0]) * scale,
        .rho = gain * state.rho + defect,
        .shift_error = state.shift_error * fabs(1.0 + b) * scale + 4.0 * DBL_EPSILON * fabs(state.shift),
        .rho_error = gain * state.rho_error + 4.0 * DBL_EPSILON * (size + fabs(gain * state.rho)),
    };
}

/* log r at w around the mean: -log(1 + rho)/2 + (rho w^2 + 2 w m - m^2)/(2 V (1 + rho)), a quadratic on every panel.
 */
static void fill_panels(const struct state *state, double V, struct panels *panels)
{
    double scale = 0.5 / (V * (1.0 + state->rho));
    for (size_t p = 0; p < panels->count; p++) {
        struct panel *panel = &panels->panel[p];
        double c = panel->centre, w = panel->half_width, rho = state->rho, m = state->shift;
        double constant = scale * (rho * c * c + 2.0 * c * m - m * m) - 0.5 * log1p(rho);
        double linear = scale * w * (2.0 * rho * c + 2.0 * m), quadratic = scale * rho * w * w;
        for (size_t k = 3; k < PANEL_NODES; k++)
            panel->coefficient[k] = 0.0;
        panel->coefficient[0] = constant + 0.5 * quadratic;
        panel->coefficient[1] = linear;
        panel->coefficient[2] = 0.5 * quadratic;
    }
}

static enum status compute(const struct law_problem *problem, double resolution, struct law *out, struct error *error)
{
    const struct factor *factor = problem->factor;
    const struct sampler *sampler = problem->sampler;
    const struct schedule *schedule = problem->schedule;
    double variance = factor->sd[0] * factor->sd[0];
    struct level level = schedule_level(schedule, schedule->T);
    double V = level.alpha_bar * variance + level.noise;
    if (sampler->work_arrays > MOST_WORK)
        return fail_with(error, STATUS_UNSUPPORTED, "sampler %s needs more than %d work arrays", sampler->name,
                         MOST_WORK);
    /* Start at N(0, 1); 1 - V_T = abar_T (1 - lambda). */
    struct state state = {.shift = -sqrt(level.alpha_bar) * factor->mean[0],
                          .rho = level.alpha_bar * (1.0 - variance) / V};
    state.rho_error = 2.0 * DBL_EPSILON * fabs(state.rho);
    state.shift_error = 2.0 * DBL_EPSILON * fabs(state.shift);
    for (size_t t = schedule->T; t >= 2; t--) {
        struct step step = schedule_step(schedule, t);
        state = advance(state, sampler, &step, variance);
    }
    *out = (struct law){.engine = &engine_gaussian, .node_updates = schedule->T - 1};
    if (!(isfinite(state.rho) && state.rho > -1.0 && isfinite(state.shift)))
        return fail_with(error, STATUS_NUMERIC,
                         "the Gaussian law of %s diverges: variance ratio 1 + %g, mean shift %g", sampler->name,
                         state.rho, state.shift);
    enum status status = mixture_level_new(factor, &out->target, error);
    if (status == STATUS_OK) {
        level = schedule_level(schedule, 1);
        mixture_level_set(&out->target, &level);
        status = panels_lay_out(&out->target, resolution, &out->log_ratio, error);
    }
    if (status != STATUS_OK) {
        law_free(out);
        return status;
    }
    V = 1.0 / out->target.inverse_variance[0];
    fill_panels(&state, V, &out->log_ratio);
    /* E_p|dr| <= |d rho|/sqrt(2 (1 + rho)^2) + |d m|/sqrt(V (1 + rho)), in L1 and, for r near 1, in L2. */
    double relative = fmin(1.0 + state.rho, 1.0);
    out->error_l1 = out->error_l2 = state.rho_error / relative + state.shift_error / sqrt(V * relative);
    return STATUS_OK;
}

static int handles(const struct law_problem *problem)
{
    return problem->factor->components == 1;
}

const struct law_engine engine_gaussian = {
    .name = "gaussian",
    .doc = "Closed form: the law stays Gaussian, mean shift and relative variance error are propagated.",
    .source = "theory §6",
    .handles = handles,
    .compute = compute,
};
