/* The closed form: a Gaussian factor under an affine score stays Gaussian, q_t = N(sqrt(abar_t) mu + m, V_t (1 +
 * rho)) with V_t the variance of p_t, and m and rho are propagated themselves, so that they keep their digits however
 * small. */
#include <float.h>
#include <math.h>

#include "law/law.h"
#include "law/oracle.h"

extern const struct law_engine engine_gaussian;

struct state {
    double shift, rho;             /* m and rho */
    double shift_error, rho_error; /* rounding, propagated like the numbers themselves */
};

enum { MOST_WORK = 16, POINTS = 24 };

/* Standard deviations on either side in which a sampler that is not regular is seen to be affine, and how much of its
 * largest value it may be off. What it is off counts as an error. */
#define REACH 9.5
#define ALLOWED 1e-10
#define GOLDEN 0.6180339887498949
/* In L1 a Gaussian of standard deviation 1 moved by delta differs from itself by at most sqrt(2/pi) delta. */
#define MOVED 0.8

/* An affine function of w, the position around the mean: value at 0 and slope. */
struct affine {
    double constant, slope;
};

static struct affine affine_of(sampler_map *function, const struct step *step, const struct oracle *oracle, double sd)
{
    double x[2] = {0.0, sd}, value[2], work[2 * MOST_WORK];
    oracle_apply(oracle, function, step, 2, x, value, work);
    return (struct affine){value[0], (value[1] - value[0]) / sd};
}

/* How far a function is from being affine where p or q, N(shift, variance) around the mean, has mass: the largest
 * difference over evenly spread points that are others in each step; *largest is that of its values. */
static double not_affine(sampler_map *function, const struct step *step, const struct oracle *oracle,
                         struct affine affine, double shift, double variance, double *largest)
{
    double x[POINTS], value[POINTS], work[POINTS * MOST_WORK], farthest = 0.0;
    double sd[2] = {oracle->nominal[0]->sd[0], sqrt(variance)};
    for (size_t i = 0; i < POINTS; i++) {
        double even = GOLDEN * (double)(step->t * (POINTS / 2) + i / 2);
        double part = i < 4 ? (double)(i / 2) : even - floor(even); /* the ends, and between */
        x[i] = (i % 2 == 0 ? 0.0 : shift) + REACH * sd[i % 2] * (2.0 * part - 1.0);
    }
    oracle_apply(oracle, function, step, POINTS, x, value, work);
    *largest = 0.0;
    for (size_t i = 0; i < POINTS; i++) {
        double missed = fabs(value[i] - affine.constant - affine.slope * x[i]);
        *largest = fmax(*largest, fabs(value[i]));
        if (isnan(missed))
            return missed;
        farthest = fmax(farthest, missed);
    }
    return farthest;
}

static struct state advance(struct state state, struct affine D, const struct sampler *sampler,
                            const struct step *step, const struct oracle *oracle)
{
    double V_from = 1.0 / oracle->nominal[0]->inverse_variance[0];
    double V_to = 1.0 / oracle->nominal[1]->inverse_variance[0];
    double b = D.slope, before = sampler_noise_before(sampler, step);
    double kernel = sampler_noise_after(sampler, step); /* v alpha */
    double gain = (1.0 + b) * (1.0 + b) * V_from / (step->alpha * V_to);
    double scale = exp(-0.5 * step->log_alpha);
    /* From alpha V_{t-1} = V_t - beta: nothing of size V_t is left to cancel. */
    double added = step->beta + kernel + (1.0 + b) * (1.0 + b) * before;
    double defect = ((2.0 * b + b * b) * V_from + added) / (step->alpha * V_to);
    double size = (fabs(2.0 * b) * V_from + added) / (step->alpha * V_to);
    return (struct state){
        .shift = (state.shift * (1.0 + b) + D.constant) * scale,
        .rho = gain * state.rho + defect,
        .shift_error =
            state.shift_error * fabs(1.0 + b) * scale + 4.0 * DBL_EPSILON * (fabs(state.shift) + fabs(D.constant)),
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
        panel->coefficient[0] = constant;
        panel->coefficient[1] = linear;
        panel->coefficient[2] = quadratic;
    }
}

/* Of a sampler that is not regular: adds what a function is off in L1(p), or refuses. */
static enum status check_affine(sampler_map *function, const struct law_problem *problem, const struct step *step,
                                const struct oracle *oracle, struct affine affine, const struct state *state,
                                double *wrong, struct error *error)
{
    const struct sampler *sampler = problem->sampler;
    double V = oracle->nominal[0]->variance[0], noise = sampler_noise_after(sampler, step), largest;
    if (sampler->regular)
        return STATUS_OK;
    double variance = fmax(V * (1.0 + state->rho) + sampler_noise_before(sampler, step), 0.0);
    double missed = not_affine(function, step, oracle, affine, state->shift, variance, &largest);
    TRY(undeclared_check(oracle->undeclared, sampler, step->t, error));
    if (!(missed <= ALLOWED * largest))
        return fail_with(error, STATUS_UNSUPPORTED,
                         "the map of sampler %s is not affine in step t = %zu (by %.3g of %.3g)", sampler->name,
                         step->t, missed, largest);
    *wrong += MOVED * missed / sqrt(noise > 0.0 ? noise : V);
    return STATUS_OK;
}

/* The whole run, with the factor's law at levels t and t-1 in the oracle. *wrong is what D is off in L1(p). */
static enum status propagate(const struct law_problem *problem, struct mixture_level *level, struct oracle *oracle,
                             struct clip_bound *clip, struct state *out, double *wrong, struct error *error)
{
    const struct schedule *schedule = problem->schedule;
    const struct sampler *sampler = problem->sampler;
    double work[ORACLE_WORK * POINTS],
        norm = problem->error_share > 0.0 ? score_error_norm(problem->score_error, schedule) : 1.0;
    struct level start = schedule_level(schedule, schedule->T);
    double variance = problem->factor->sd[0] * problem->factor->sd[0], V = start.alpha_bar * variance + start.noise;
    /* Start at N(0, 1); 1 - V_T = abar_T (1 - lambda). */
    struct state state = {.shift = -sqrt(start.alpha_bar) * problem->factor->mean[0],
                          .rho = start.alpha_bar * (1.0 - variance) / V};
    state.rho_error = 2.0 * DBL_EPSILON * fabs(state.rho);
    state.shift_error = 2.0 * DBL_EPSILON * fabs(state.shift);
    oracle->work = work;
    mixture_level_set(&level[schedule->T % 2], &start);
    for (size_t t = schedule->T; t >= 2; t--) {
        struct step step = schedule_step(schedule, t);
        mixture_level_set(&level[(t - 1) % 2], &step.to);
        oracle_set(oracle, sampler, schedule, &step, &level[t % 2], &level[(t - 1) % 2], problem->score_error, norm,
                   problem->error_share);
        double V_from = 1.0 / oracle->nominal[0]->inverse_variance[0];
        if (clip->steps > 0) {
            struct affine c = affine_of(sampler->correction, &step, oracle, sqrt(V_from));
            TRY(check_affine(sampler->correction, problem, &step, oracle, c, &state, wrong, error));
            clip_bound_add_normal(clip, c.constant + c.slope * state.shift,
                                  c.slope * c.slope * V_from * (1.0 + state.rho));
        }
        struct affine D = affine_of(sampler->increment, &step, oracle, sqrt(V_from));
        TRY(check_affine(sampler->increment, problem, &step, oracle, D, &state, wrong, error));
        state = advance(state, D, sampler, &step, oracle);
    }
    *out = state;
    return STATUS_OK;
}

static enum status compute(const struct law_problem *problem, double resolution, struct law *out, struct error *error)
{
    const struct factor *factor = problem->factor;
    const struct sampler *sampler = problem->sampler;
    const struct schedule *schedule = problem->schedule;
    struct mixture_level levels[2] = {{0}, {0}};
    struct clip_bound clip = {0};
    struct state state = {0};
    struct oracle oracle;
    struct undeclared undeclared = {.seen = 0};
    double wrong = 0.0;
    if (sampler->correction != NULL)
        clip = (struct clip_bound){.steps = schedule->T - 1, .T = schedule->T};
    if (sampler->work_arrays > MOST_WORK)
        return fail_with(error, STATUS_UNSUPPORTED, "sampler %s needs more than %d work arrays", sampler->name,
                         MOST_WORK);
    enum status status = oracle_new(factor, sampler, &oracle, error);
    for (int i = 0; i < 2 && status == STATUS_OK; i++)
        status = mixture_level_new(factor, &levels[i], error);
    oracle.undeclared = &undeclared;
    oracle.original = conditions_broken(problem->conditions, CONDITION_SHIFTS);
    if (status == STATUS_OK)
        status = propagate(problem, levels, &oracle, &clip, &state, &wrong, error);
    oracle_free(&oracle);
    mixture_level_free(&levels[0]);
    mixture_level_free(&levels[1]);
    if (status != STATUS_OK)
        return status;
    *out = (struct law){.engine = &engine_gaussian, .node_updates = schedule->T - 1, .clip = clip};
    if (!(isfinite(state.rho) && state.rho > -1.0 && isfinite(state.shift)))
        return fail_with(error, STATUS_NUMERIC,
                         "the Gaussian law of %s diverges: variance ratio 1 + %g, mean shift %g", sampler->name,
                         state.rho, state.shift);
    status = mixture_level_new(factor, &out->target, error);
    if (status == STATUS_OK) {
        struct level level = schedule_level(schedule, 1);
        mixture_level_set(&out->target, &level);
        status = panels_lay_out(&out->target, resolution, NULL, &out->log_ratio, error);
    }
    if (status != STATUS_OK) {
        law_free(out);
        return status;
    }
    double V = 1.0 / out->target.inverse_variance[0];
    fill_panels(&state, V, &out->log_ratio);
    /* E_p|dr| <= |d rho|/sqrt(2 (1 + rho)^2) + |d m|/sqrt(V (1 + rho)), in L1 and, for r near 1, in L2. */
    double relative = fmin(1.0 + state.rho, 1.0);
    out->error_l1 = out->error_l2 = state.rho_error / relative + state.shift_error / sqrt(V * relative) + wrong
                                    + conditions_rounding(problem->conditions);
    return STATUS_OK;
}

static int handles(const struct law_problem *problem)
{
    int affine =
        !(problem->error_share > 0.0) || problem->score_error->shape == NULL || problem->score_error->shape->affine;
    int clips = problem->sampler->correction != NULL && problem->clip > 0.0;
    return problem->factor->dimension == 1 && problem->factor->components == 1 && affine && !clips;
}

const struct law_engine engine_gaussian = {
    .name = "gaussian",
    .doc = "Closed form: the law stays Gaussian, mean shift and relative variance error are propagated.",
    .formula = "with D_t(x) = a + b x in each coordinate: mean_{t-1} = (a + (1 + b) mean_t)/sqrt(alpha_t), "
               "variance_{t-1} = (1 + b)^2 variance_t/alpha_t + v_t",
    .source = "theory §6",
    .handles = handles,
    .compute = compute,
};
