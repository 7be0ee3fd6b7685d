/* The closed form: a Gaussian factor under an affine score stays Gaussian, q_t = N(sqrt(abar_t) mu + m, V_t (1 +
 * rho)) with V_t the variance of p_t. m and rho are propagated themselves, so that they keep their digits however
 * small, and 1 + rho beside rho, so that it keeps its own where q is much narrower than p. A sampler that keeps one
 * array of numbers from step to step has an affine map of Y_t and of what it keeps, M; (Y_t, M) stays Gaussian. */
#include <float.h>
#include <math.h>

#include "law/law.h"
#include "law/oracle.h"

extern const struct law_engine engine_gaussian;

/* What a sampler keeps: M = slope w + P, w the position of Y_t around the mean of p_t. P is of order h, and it alone
 * is propagated, so that its errors are of order h too. */
struct kept {
    double slope, mean, covariance, variance; /* mean and variance of P, its covariance with w */
    double mean_error, covariance_error, variance_error;
};

struct state {
    double shift, rho, ratio;                   /* m, rho and 1 + rho */
    double shift_error, rho_error, ratio_error; /* rounding, propagated like the numbers themselves */
    struct kept kept;
};

enum { MOST_WORK = 16, POINTS = 24 };

/* Standard deviations on either side in which a sampler that is not regular is tested for being affine, and how much
 * of its largest value it may be off. What it is off counts as an error. */
#define REACH 9.5
#define ALLOWED 1e-10
#define GOLDEN 0.6180339887498949
/* In L1 a Gaussian of standard deviation 1 moved by delta differs from itself by at most sqrt(2/pi) delta. */
#define MOVED 0.8

/* An affine function of w, the position around the mean: value at a point, which is 0 but for tails, and slope; its
 * slope in M, and what becomes of M, constant + slope w. */
struct affine {
    double constant, slope, by_kept, kept_constant, kept_slope;
};

static struct affine affine_of(sampler_map *function, const struct step *step, const struct oracle *oracle,
                               double from, double sd)
{
    double x[2] = {from, from + sd}, value[2], work[2 * MOST_WORK], kept[2] = {0.0, 0.0};
    struct step with = *step;
    with.memory = step->memory != NULL ? kept : NULL;
    oracle_apply(oracle, function, &with, 2, x, value, work);
    struct affine affine = {.constant = value[0], .slope = (value[1] - value[0]) / sd};
    if (step->memory == NULL)
        return affine;
    affine.kept_constant = kept[0];
    affine.kept_slope = (kept[1] - kept[0]) / sd;
    x[1] = from;
    kept[0] = 0.0;
    kept[1] = sd;
    oracle_apply(oracle, function, &with, 2, x, value, work);
    affine.by_kept = (value[1] - value[0]) / sd;
    return affine;
}

/* How far a function is from being affine where p or q, N(shift, variance) around the mean, has mass: the largest
 * difference over evenly spread points that are others in each step; *largest is that of its values. */
static double not_affine(sampler_map *function, const struct step *step, const struct oracle *oracle,
                         struct affine affine, double shift, double variance, double *largest)
{
    double x[POINTS], value[POINTS], work[POINTS * MOST_WORK], farthest = 0.0;
    double sd[2] = {oracle->density[0]->sd[0], sqrt(variance)};
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

/* P' = M' - slope' w' = constant + slope' (w - w'), where w' = (1 - e) w + g P + a + z, z the noise of variance
 * `noise`, and w has the variance V (1 + rho). */
static struct kept advance_kept(const struct state *state, const struct affine *D, double e, double g, double a,
                                double noise, double V)
{
    const struct kept *kept = &state->kept;
    double s = D->kept_slope, G = 1.0 - e, Vw = V * state->ratio, Vw_error = V * state->rho_error;
    double C = kept->covariance, P = kept->variance, C_error = kept->covariance_error, P_error = kept->variance_error;
    double unit = 8.0 * DBL_EPSILON;
    return (struct kept){
        .slope = s,
        .mean = D->kept_constant + s * (e * state->shift - g * kept->mean - a),
        .covariance = s * (G * e * Vw + (e - G) * g * C - g * g * P - noise),
        .variance = s * s * (e * e * Vw - 2.0 * e * g * C + g * g * P + noise),
        .mean_error =
            fabs(s) * (fabs(e) * state->shift_error + fabs(g) * kept->mean_error)
            + unit * (fabs(D->kept_constant) + fabs(s) * (fabs(e * state->shift) + fabs(g * kept->mean) + fabs(a))),
        .covariance_error = fabs(s)
                            * (fabs(G * e) * Vw_error + fabs((e - G) * g) * C_error + g * g * P_error
                               + unit * (fabs(G * e) * Vw + fabs((e - G) * g * C) + g * g * P + noise)),
        .variance_error = s * s
                          * (e * e * Vw_error + fabs(2.0 * e * g) * C_error + g * g * P_error
                             + unit * (e * e * Vw + fabs(2.0 * e * g * C) + g * g * P + noise)),
    };
}

static struct state advance(struct state state, struct affine D, const struct sampler *sampler,
                            const struct step *step, const struct oracle *oracle)
{
    double V_from = 1.0 / oracle->density[0]->inverse_variance[0];
    double V_to = 1.0 / oracle->density[1]->inverse_variance[0];
    /* a + b w + c M = a + (b + c slope) w + c P */
    double c = D.by_kept, b = D.slope + c * state.kept.slope, before = sampler_noise_before(sampler, step);
    double kernel = sampler_noise_after(sampler, step); /* v alpha */
    double gain = (1.0 + b) * (1.0 + b) * V_from / (step->alpha * V_to);
    double scale = exp(-0.5 * step->log_alpha);
    /* From alpha V_{t-1} = V_t - beta: nothing of size V_t is left to cancel. */
    double added = step->beta + kernel + (1.0 + b) * (1.0 + b) * before;
    double defect = ((2.0 * b + b * b) * V_from + added) / (step->alpha * V_to);
    double size = (fabs(2.0 * b) * V_from + added) / (step->alpha * V_to);
    /* a sum of what is positive; the rounding of b, of 1 + b where that is small */
    double noise = (kernel + (1.0 + b) * (1.0 + b) * before) / (step->alpha * V_to);
    double bent = fabs(b * (1.0 + b)) * (state.ratio * V_from + before) / (step->alpha * V_to);
    /* of P, all 0 where nothing is kept */
    double cross = 2.0 * (1.0 + b) * c / (step->alpha * V_to), square = c * c / (step->alpha * V_to);
    double of_kept = cross * state.kept.covariance + square * state.kept.variance;
    double of_kept_error =
        fabs(cross) * state.kept.covariance_error + square * state.kept.variance_error
        + 8.0 * DBL_EPSILON * (fabs(cross * state.kept.covariance) + square * state.kept.variance)
        + 16.0 * DBL_EPSILON * fabs(c * state.kept.slope) * state.ratio * V_from / (step->alpha * V_to);
    struct state next = {
        .shift = (state.shift * (1.0 + b) + D.constant + c * state.kept.mean) * scale,
        .rho = gain * state.rho + defect + of_kept,
        .ratio = gain * state.ratio + noise + of_kept,
        .shift_error =
            state.shift_error * fabs(1.0 + b) * scale
            + 4.0 * DBL_EPSILON * scale * (fabs(state.shift) + fabs(D.constant) + fabs(c * state.kept.mean))
            + fabs(c) * scale * state.kept.mean_error,
        .rho_error = gain * state.rho_error + 4.0 * DBL_EPSILON * (size + fabs(gain * state.rho)) + of_kept_error,
        .ratio_error =
            gain * state.ratio_error + 8.0 * DBL_EPSILON * (gain * state.ratio + noise + bent) + of_kept_error,
        .kept = state.kept,
    };
    if (sampler->memory > 0) {
        double e = -(b + (1.0 + b) * expm1(-0.5 * step->log_alpha));
        next.kept = advance_kept(&state, &D, e, c * scale, D.constant * scale, kernel / step->alpha, V_from);
    }
    return next;
}

/* log r at w = z sqrt(V) around the mean: -log(v)/2 + ((v - 1) z^2 + 2 z m - m^2)/(2 v), a quadratic on every panel.
 */
static void fill_panels(const struct normal *q, double sd, struct panels *panels)
{
    double rho = expm1(q->log_variance), m = q->shift, scale = 0.5 * exp(-q->log_variance);
    for (size_t p = 0; p < panels->count; p++) {
        struct panel *panel = &panels->panel[p];
        double c = panel->centre / sd, w = panel->half_width / sd;
        for (size_t k = 3; k < PANEL_NODES; k++)
            panel->coefficient[k] = 0.0;
        panel->coefficient[0] = scale * (rho * c * c + 2.0 * c * m - m * m) - 0.5 * q->log_variance;
        panel->coefficient[1] = scale * w * (2.0 * rho * c + 2.0 * m);
        panel->coefficient[2] = scale * rho * w * w;
    }
}

enum status law_of_normal(const struct factor *factor, double variance, const struct normal *q, double resolution,
                          struct law *out, struct error *error)
{
    const struct level level = {0.0, variance};
    *out = (struct law){.engine = &engine_gaussian, .is_normal = 1, .normal = *q};
    out->error_l1 = out->error_l2 = normal_radius(q);
    enum status status = mixture_level_new(factor, &out->target, error);
    if (status == STATUS_OK) {
        mixture_level_set(&out->target, &level);
        status = panels_lay_out(&out->target, resolution, NULL, &out->log_ratio, error);
    }
    if (status == STATUS_OK)
        fill_panels(q, out->target.sd[0], &out->log_ratio);
    else
        law_free(out);
    return status;
}

/* Of a sampler that is not regular: adds what a function is off in L1(p), or refuses. */
static enum status check_affine(sampler_map *function, const struct law_problem *problem, const struct step *step,
                                const struct oracle *oracle, struct affine affine, const struct state *state,
                                double *wrong, struct error *error)
{
    const struct sampler *sampler = problem->sampler;
    double V = oracle->density[0]->variance[0], noise = sampler_noise_after(sampler, step), largest;
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

/* The whole run, with the factor's law at levels t and t-1 in the oracle. far > 0: as it is so far out. *wrong is
 * what D is off in L1(p). */
static enum status propagate(const struct law_problem *problem, struct mixture_level *level, struct oracle *oracle,
                             double far, struct clip_bound *clip, struct state *out, double *wrong,
                             struct error *error)
{
    const struct schedule *schedule = problem->schedule;
    const struct sampler *sampler = problem->sampler;
    double work[ORACLE_WORK * POINTS],
        norm = problem->error_share > 0.0 ? score_error_norm(problem->score_error, schedule) : 1.0;
    struct level start = schedule_level(schedule, schedule->T);
    double variance = problem->factor->sd[0] * problem->factor->sd[0], V = start.alpha_bar * variance + start.noise;
    /* Start at N(0, 1); 1 - V_T = abar_T (1 - lambda). */
    struct state state = {.shift = -sqrt(start.alpha_bar) * problem->factor->mean[0],
                          .rho = start.alpha_bar * (1.0 - variance) / V,
                          .ratio = 1.0 / V};
    state.rho_error = 2.0 * DBL_EPSILON * fabs(state.rho);
    state.ratio_error = 4.0 * DBL_EPSILON * state.ratio;
    state.shift_error = 2.0 * DBL_EPSILON * fabs(state.shift);
    oracle->work = work;
    mixture_level_set(&level[schedule->T % 2], &start);
    for (size_t t = schedule->T; t >= 2; t--) {
        struct step step = sampler_step(sampler, schedule, t);
        double kept = 0.0;
        if (problem->clip > 0.0)
            step.clip = problem->clip;
        if (sampler->memory > 0)
            step.memory = &kept; /* affine_of has its own */
        mixture_level_set(&level[(t - 1) % 2], &step.to);
        oracle_set(oracle, sampler, schedule, &step, &level[t % 2], &level[(t - 1) % 2], problem->score_error, norm,
                   problem->error_share);
        double V_from = 1.0 / oracle->density[0]->inverse_variance[0];
        if (clip->T > 0) {
            struct affine c = affine_of(sampler->correction, &step, oracle, 0.0, sqrt(V_from));
            TRY(check_affine(sampler->correction, problem, &step, oracle, c, &state, wrong, error));
            struct clip_part taken = clip_part_of_normal(clip->T, c.constant + c.slope * state.shift,
                                                         c.slope * c.slope * V_from * (1.0 + state.rho));
            clip_bound_take(clip, schedule->log_noise[t], &taken);
        }
        struct affine D = affine_of(sampler->increment, &step, oracle, far, far > 0.0 ? far : sqrt(V_from));
        TRY(check_affine(sampler->increment, problem, &step, oracle, D, &state, wrong, error));
        state = advance(state, D, sampler, &step, oracle);
    }
    *out = state;
    return STATUS_OK;
}

static enum status run(const struct law_problem *problem, double far, struct clip_bound *clip, struct state *state,
                       double *wrong, struct error *error)
{
    struct mixture_level levels[2] = {{0}, {0}};
    struct oracle oracle;
    if (problem->sampler->work_arrays > MOST_WORK)
        return fail_with(error, STATUS_UNSUPPORTED, "sampler %s needs more than %d work arrays",
                         problem->sampler->name, MOST_WORK);
    struct undeclared undeclared = {.asked = false};
    enum status status = oracle_new(problem->factor, problem->sampler, &oracle, error);
    for (int i = 0; i < 2 && status == STATUS_OK; i++)
        status = mixture_level_new(problem->factor, &levels[i], error);
    oracle.undeclared = &undeclared;
    oracle.original = conditions_broken(problem->conditions, CONDITION_SHIFTS);
    if (status == STATUS_OK)
        status = propagate(problem, levels, &oracle, far, clip, state, wrong, error);
    oracle_free(&oracle);
    mixture_level_free(&levels[0]);
    mixture_level_free(&levels[1]);
    return status;
}

/* log(1 + rho), from the one of the two that has the digits. */
static struct normal in_units_of_p(const struct state *state, double V)
{
    int small = fabs(state->rho) < 0.5;
    double sd = sqrt(V), shift = state->shift / sd;
    return (struct normal){.log_variance = small ? log1p(state->rho) : log(state->ratio),
                           .shift = shift,
                           .log_variance_error = (small ? state->rho_error : state->ratio_error) / state->ratio,
                           .shift_error = state->shift_error / sd + 4.0 * DBL_EPSILON * fabs(shift)};
}

static enum status compute(const struct law_problem *problem, double resolution, struct law *out, struct error *error)
{
    const struct sampler *sampler = problem->sampler;
    const struct schedule *schedule = problem->schedule;
    struct clip_bound clip = {0};
    struct state state = {0};
    if (sampler->correction != NULL)
        clip.T = schedule->T;
    double wrong = 0.0;
    TRY(run(problem, 0.0, &clip, &state, &wrong, error));
    if (!(isfinite(state.ratio) && state.ratio > 0.0 && isfinite(state.shift)))
        return fail_with(error, STATUS_NUMERIC, "the Gaussian law of %s diverges: variance ratio %g, mean shift %g",
                         sampler->name, state.ratio, state.shift);
    struct level level = schedule_level(schedule, 1);
    double sd = problem->factor->sd[0], V = level.alpha_bar * sd * sd + level.noise;
    struct normal q = in_units_of_p(&state, V);
    q.shift_error += (wrong + conditions_rounding(problem->conditions)) / MOVED;
    TRY(law_of_normal(problem->factor, V, &q, resolution, out, error));
    out->node_updates = schedule->T - 1;
    out->clip = clip;
    return STATUS_OK;
}

/* A billion standard deviations are as good as infinitely many. */
#define FAR 1e9

enum status law_tail_variance(const struct law_problem *problem, double *ratio, struct error *error)
{
    const struct factor *all = problem->factor;
    static const double one = 1.0, zero = 0.0;
    struct clip_bound clip = {0};
    struct state state = {.ratio = 0.0};
    double wrong = 0.0;
    *ratio = 0.0;
    if (all->sd == NULL || all->density != NULL || !problem->sampler->regular || problem->sampler->draws > 0
        || (problem->error_share > 0.0 && problem->score_error->shape != NULL && problem->score_error->shape->affine))
        return STATUS_OK;
    double widest = all->sd[0], distance = 1.0;
    for (size_t k = 1; k < all->components; k++)
        widest = fmax(widest, all->sd[k]);
    for (size_t i = 0; all->mean != NULL && i < all->components * all->dimension; i++)
        distance = fmax(distance, fabs(all->mean[i]));
    const struct factor factor = {1, 1, &one, &zero, &widest, NULL, NULL, NULL};
    struct law_problem tail = *problem;
    tail.factor = &factor;
    tail.error_share = 0.0;
    TRY(run(&tail, FAR * (widest + distance), &clip, &state, &wrong, error));
    *ratio = isfinite(state.ratio) ? state.ratio : 0.0;
    return STATUS_OK;
}

static int handles(const struct law_problem *problem)
{
    int affine =
        !(problem->error_share > 0.0) || problem->score_error->shape == NULL || problem->score_error->shape->affine;
    int clips = problem->sampler->correction != NULL && problem->clip > 0.0;
    const struct sampler *sampler = problem->sampler;
    int kept = sampler->memory == 0 || (sampler->regular && sampler->log_noise_before == NULL);
    return problem->factor->dimension == 1 && problem->factor->components == 1 && problem->factor->density == NULL
           && affine && !clips && kept;
}

const struct law_engine engine_gaussian = {
    .name = "gaussian",
    .doc = "Closed form: the law stays Gaussian, mean shift and relative variance error are propagated.",
    .formula = "with D_t(x) = a + b x in each coordinate: mean_{t-1} = (a + (1 + b) mean_t)/sqrt(alpha_t), "
               "variance_{t-1} = (1 + b)^2 variance_t/alpha_t + v_t",
    .source = "theory §6",
    .memory = 1,
    .closed = true,
    .handles = handles,
    .compute = compute,
};
