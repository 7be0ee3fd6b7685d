#include "test/brute_model.h"

#include <check.h>
#include <math.h>
#include <string.h>

double brute_density(const struct brute_level *level, double x, double *score)
{
    double exponent[BRUTE_COMPONENTS], largest = -HUGE_VAL, total = 0.0, gradient = 0.0;
    for (size_t k = 0; k < level->components; k++) {
        double u = x - level->mean[k];
        exponent[k] = level->log_weight[k] - 0.5 * u * u / level->variance[k];
        largest = fmax(largest, exponent[k]);
    }
    for (size_t k = 0; k < level->components; k++) {
        double part = exp(exponent[k] - largest);
        total += part;
        gradient -= part * (x - level->mean[k]) / level->variance[k];
    }
    if (score != NULL)
        *score = gradient / total;
    return total * exp(largest);
}

double brute_tail(const struct brute_level *level, double x, int above)
{
    double total = 0.0;
    for (size_t k = 0; k < level->components; k++) {
        double u = (x - level->mean[k]) / sqrt(2.0 * level->variance[k]);
        total += 0.5 * level->weight[k] * erfc(above ? u : -u);
    }
    return total;
}

static double quantile(const struct brute_level *level, double probability)
{
    double low = -20.0, high = 20.0;
    for (int i = 0; i < 100; i++) {
        double middle = 0.5 * (low + high);
        *(brute_tail(level, middle, 0) < probability ? &low : &high) = middle;
    }
    return 0.5 * (low + high);
}

static double bias(const struct brute_level *level, double x)
{
    (void)level;
    (void)x;
    return 1.0;
}

static double linear(const struct brute_level *level, double x)
{
    (void)level;
    return x;
}

static double wave(const struct brute_level *level, double x)
{
    return sin(level->wave * x);
}

static double bump(const struct brute_level *level, double x)
{
    return x > level->edge[0] && x < level->edge[1] ? 1.0 : 0.0;
}

static double sign(const struct brute_level *level, double x)
{
    (void)level;
    return x > 0.0 ? 1.0 : -1.0;
}

static const struct {
    const char *name;
    double (*shape)(const struct brute_level *level, double x);
} shapes[] = {{"bias", bias}, {"linear", linear}, {"wave", wave}, {"bump", bump}, {"sign", sign}};

/* E_{p_t} g^2 by the trapezoid rule, all smooth. */
static double mean_square(const struct brute_level *level)
{
    double scale = 1.0, total = 0.0;
    for (size_t k = 0; k < level->components; k++)
        scale = fmin(scale, sqrt(level->variance[k]));
    double spacing = 0.25 / (1.0 / scale + level->wave);
    for (double x = -14.0; x <= 14.0; x += spacing) {
        double g = level->shape(level, x);
        total += spacing * g * g * brute_density(level, x, NULL);
    }
    return total;
}

static double weight(const char *profile, const struct schedule *schedule, size_t t)
{
    double middle = 0.5 * ((double)schedule->T + 1.0);
    if (strcmp(profile, "early") == 0)
        return (double)t > middle ? 1.0 : 0.0;
    if (strcmp(profile, "late") == 0)
        return (double)t > middle ? 0.0 : 1.0;
    if (strcmp(profile, "relative") == 0)
        return 1.0 / sqrt(schedule_level(schedule, t).noise);
    if (strcmp(profile, "uniform") != 0)
        ck_abort_msg("no profile is called %s", profile);
    return 1.0;
}

static void add_error(const struct brute_error *error, const struct schedule *schedule, size_t t,
                      struct brute_level *level)
{
    double first = 0.0, second = 0.0, squares = 0.0;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        if (strcmp(shapes[i].name, error->shape) == 0)
            level->shape = shapes[i].shape;
    ck_assert_msg(level->shape != NULL, "no shape is called %s", error->shape);
    for (size_t k = 0; k < level->components; k++) {
        first += level->weight[k] * level->mean[k];
        second += level->weight[k] * (level->mean[k] * level->mean[k] + level->variance[k]);
    }
    for (size_t i = 2; i <= schedule->T; i++)
        squares += weight(error->profile, schedule, i) * weight(error->profile, schedule, i);
    level->amplitude =
        error->size * weight(error->profile, schedule, t) / sqrt(squares / ((double)schedule->T - 1.0));
    if (level->shape == wave)
        level->wave = error->roughness / sqrt(second - first * first);
    if (level->shape == bump) {
        level->edges = 2;
        level->edge[0] = quantile(level, 0.75 - 0.5 * error->probability);
        level->edge[1] = quantile(level, 0.75 + 0.5 * error->probability);
        level->amplitude /= sqrt(error->probability);
    } else if (level->shape == sign) {
        level->edges = 1;
        level->edge[0] = 0.0;
    } else
        level->amplitude /= sqrt(mean_square(level));
}

void brute_level_set(const struct brute_problem *problem, size_t t, struct brute_level *out)
{
    brute_level_set_at(problem, t, schedule_level(problem->schedule, t), out);
}

void brute_levels_set(const struct brute_problem *problem, const struct step *step, struct brute_levels *out)
{
    struct level other[SAMPLER_OTHER_LEVELS];
    out->others = problem->sampler->other_levels != NULL ? problem->sampler->other_levels(step, other) : 0;
    brute_level_set(problem, step->t, &out->from);
    brute_level_set(problem, step->t - 1, &out->to);
    for (size_t i = 0; i < out->others; i++)
        brute_level_set_at(problem, step->t, other[i], &out->other[i]);
}

void brute_level_set_at(const struct brute_problem *problem, size_t t, struct level level, struct brute_level *out)
{
    const struct factor *factor = problem->factor;
    ck_assert_uint_le(factor->components, BRUTE_COMPONENTS);
    *out = (struct brute_level){.level = level, .components = factor->components};
    for (size_t k = 0; k < factor->components; k++) {
        out->weight[k] = factor->weight[k];
        out->mean[k] = sqrt(out->level.alpha_bar) * factor->mean[k];
        out->variance[k] = out->level.alpha_bar * factor->sd[k] * factor->sd[k] + out->level.noise;
        out->log_weight[k] = log(out->weight[k]) - 0.5 * log(2.0 * M_PI * out->variance[k]);
    }
    if (problem->error.shape != NULL)
        add_error(&problem->error, problem->schedule, t, out);
}

void brute_score_evaluate(const struct score *score, const struct level *level, size_t n, const double *x,
                          double *out)
{
    const struct brute_score *brute = (const struct brute_score *)score;
    const struct brute_levels *levels = brute->levels;
    const struct brute_level *at = level->noise == levels->from.level.noise ? &levels->from : &levels->to;
    for (size_t i = 0; i < levels->others; i++)
        if (level->noise == levels->other[i].level.noise)
            at = &levels->other[i];
    if (level->noise != at->level.noise)
        ck_abort_msg("a score was asked for at none of the step's levels");
    for (size_t i = 0; i < n; i++) {
        (void)brute_density(at, x[i], &out[i]);
        if (at->shape != NULL)
            out[i] += at->amplitude * at->shape(at, x[i]);
        for (size_t k = 0; brute->side != NULL && k < at->edges; k++)
            *brute->side = 2 * *brute->side + (x[i] > at->edge[k]);
    }
}

double brute_fineness(const struct sampler *sampler)
{
    return sampler->claimed_order > 2.0 || sampler->draws > 0 ? 3.0 : 1.0;
}

void brute_share(const struct brute_level *level, double x, double mass, double *out)
{
    double part[BRUTE_COMPONENTS], total = 0.0;
    for (size_t k = 0; k < level->components; k++) {
        double u = x - level->mean[k];
        total += part[k] = exp(level->log_weight[k] - 0.5 * u * u / level->variance[k]);
    }
    for (size_t k = 0; k < level->components && total > 0.0; k++)
        out[k] += mass * part[k] / total;
}

struct brute brute_force(const struct brute_problem *problem)
{
    return problem->sampler->log_noise_ratio == NULL ? brute_with_points(problem) : brute_on_grid(problem);
}
