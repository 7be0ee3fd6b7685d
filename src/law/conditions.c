#include "law/conditions.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "core/memory.h"
#include "law/oracle.h"
#include "law/tuning.h"

enum {
    NEAR = 12,               /* points around a component's mean */
    POINTS = 2 * NEAR,       /* and as many over the whole range */
    ANCHORS = 4,             /* components at which a step is evaluated, others in the next ones */
    SIGNATURE_POINTS = 12,   /* around a component, at which a step is compared with the one before */
    SIGNATURE_COMPONENTS = 8 /* around which that is done */
};

/* In L1 a Gaussian of standard deviation 1 moved by delta differs from itself by at most sqrt(2/pi) delta. */
#define SHIFT_L1 0.8
/* The golden section: multiples of it fill an interval evenly. */
#define GOLDEN 0.6180339887498949

struct evaluation {
    const struct sampler *sampler;
    struct step step;
    struct mixture_level level[2], across[2]; /* levels t and t-1 in turn */
    struct oracle oracle, other;              /* along a line, and of N(0, s^2) across it */
    struct undeclared undeclared;
    int pieces;   /* struct plane_score */
    double *work; /* of the sampler */
    double scratch[2][ORACLE_WORK * 2 * POINTS];
    double signature[3][SIGNATURE_POINTS * SIGNATURE_COMPONENTS]; /* of this step and of the two before */
    double log_noise[2][2];
};

/* A factor in several coordinates is represented by a mixture on the line whose means are as far from 0: D acts
 * number by number, and so it takes numbers of the same size. */
struct profile {
    struct factor along, across;
    double *mean, *wide, weight, zero, sd;
};

/* Between the root of the largest eigenvalue and sqrt(n) times that. */
static double sd_of(const struct covariances *full, size_t n, size_t k)
{
    double trace = 0.0;
    for (size_t i = 0; i < n; i++)
        trace += full->entry[(k * n + i) * n + i];
    return sqrt(trace);
}

static enum status profile_new(const struct factor *factor, struct profile *out, struct error *error)
{
    *out = (struct profile){.along = *factor, .weight = 1.0};
    out->across = (struct factor){1, 1, &out->weight, &out->zero, &out->sd, NULL, NULL, NULL};
    out->sd = factor->full == NULL ? factor->sd[0] : sd_of(factor->full, factor->dimension, 0);
    if (factor->dimension == 1)
        return STATUS_OK;
    out->mean = array_new(factor->components, sizeof *out->mean);
    out->wide = array_new(factor->components, sizeof *out->wide);
    if (out->mean == NULL || out->wide == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a mixture of %zu components", factor->components);
    for (size_t k = 0; k < factor->components && factor->mean != NULL; k++)
        for (size_t i = 0; i < factor->dimension; i++)
            out->mean[k] = hypot(out->mean[k], factor->mean[k * factor->dimension + i]);
    for (size_t k = 0; k < factor->components && factor->full != NULL; k++)
        out->wide[k] = sd_of(factor->full, factor->dimension, factor->full->count > 1 ? k : 0);
    out->along.sd = factor->full != NULL ? out->wide : factor->sd;
    out->along.full = NULL;
    out->along.dimension = 1;
    out->along.mean = out->mean;
    return STATUS_OK;
}

static void apply(struct evaluation *e, int original, size_t n, const double *x, double *out)
{
    e->oracle.original = original;
    e->oracle.work = e->scratch[0];
    oracle_apply(&e->oracle, e->sampler->increment, &e->step, n, x, out, e->work);
}

static double largest_of(size_t n, const double *x)
{
    double largest = 0.0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(x[i]));
    return largest;
}

/* Number `index` of a sequence that fills [0, 1) evenly. */
static double even(size_t index)
{
    double multiple = GOLDEN * (double)index;
    return multiple - floor(multiple);
}

/* Points relative to an anchor: around it, and over the range of all components. */
static void set_points(const struct mixture_level *mixture, size_t anchor, size_t t, double *x)
{
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (size_t k = 0; k < mixture->factor->components; k++) {
        double centre = mixture_level_centre(mixture, k, anchor);
        low = fmin(low, centre - CONDITION_REACH * mixture->sd[k]);
        high = fmax(high, centre + CONDITION_REACH * mixture->sd[k]);
    }
    for (size_t i = 0; i < NEAR; i++) {
        double part = i < 2 ? (double)i : even(t * NEAR + i); /* the ends, and between */
        x[i] = CONDITION_REACH * mixture->sd[anchor] * (2.0 * part - 1.0);
        x[NEAR + i] = low + (high - low) * part;
    }
}

static enum status fail_at(const struct evaluation *e, const char *what, struct error *error)
{
    return fail_with(error, STATUS_UNSUPPORTED, "%s of sampler %s in step t = %zu", what, e->sampler->name,
                     e->step.t);
}

/* What D's rounding in original coordinates costs around a component: how far it changes to the next numbers. */
static double rounding_of(struct evaluation *e, double place, const double *x, const double *D)
{
    double moved[NEAR], next[NEAR], noise = sqrt(sampler_noise_after(e->sampler, &e->step)), largest = 0.0;
    for (size_t i = 0; i < NEAR; i++)
        moved[i] = x[i] + DBL_EPSILON * (fabs(place) + fabs(x[i]));
    apply(e, 1, NEAR, moved, next);
    for (size_t i = 0; i < NEAR; i++)
        largest = fmax(largest, fabs(next[i] - D[i]));
    return SHIFT_L1 * largest / (noise > 0.0 ? noise : e->oracle.density[0]->sd[e->oracle.anchor]);
}

/* D at points around one component, in both coordinates and in reversed order. */
static enum status check_around(struct evaluation *e, size_t anchor, double *rounding, int *commutes,
                                struct error *error)
{
    const struct mixture_level *mixture = e->oracle.density[0];
    double x[POINTS], reversed[POINTS], D[POINTS], backwards[POINTS], original[POINTS];
    double place = mixture->root_alpha_bar * mixture->factor->mean[anchor];
    e->oracle.anchor = anchor;
    set_points(mixture, anchor, e->step.t, x);
    apply(e, 0, POINTS, x, D);
    for (size_t i = 0; i < POINTS; i++)
        reversed[i] = x[POINTS - 1 - i];
    apply(e, 0, POINTS, reversed, backwards);
    TRY(undeclared_check(&e->undeclared, e->sampler, e->step.t, error));
    for (size_t i = 0; i < POINTS; i++)
        if (!isfinite(D[i]))
            return fail_at(e, "a number that is not finite, where the target has mass, is in the increment", error);
    double largest = largest_of(POINTS, D);
    for (size_t i = 0; i < POINTS; i++)
        if (!(fabs(D[i] - backwards[POINTS - 1 - i]) <= CONDITION_TOLERANCE * largest))
            return fail_at(e, "other points, or earlier calls, change the increment", error);
    apply(e, 1, POINTS, x, original);
    double farthest = fabs(place) + largest_of(POINTS, x);
    double allowed = largest
                     * (CONDITION_TOLERANCE
                        + CONDITION_ROUNDINGS * DBL_EPSILON * farthest / (CONDITION_REACH * mixture->sd[anchor]));
    for (size_t i = 0; i < POINTS; i++)
        *commutes &= fabs(D[i] - original[i]) <= allowed;
    *rounding = rounding_of(e, place, x, original);
    return STATUS_OK;
}

/* The score in the plane of a product of two laws, one along (0.8, 0.6) and one across. */
struct plane_score {
    struct score base;
    const struct oracle *along, *across;
    int *pieces; /* becomes nonzero where the sampler asks for some of the numbers alone */
};

static const double axis[2] = {0.8, 0.6};

static void rotate(size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = axis[0] * x[i] - axis[1] * x[n + i];
        out[n + i] = axis[1] * x[i] + axis[0] * x[n + i];
    }
}

static void rotate_back(size_t n, const double *x, double *out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = axis[0] * x[i] + axis[1] * x[n + i];
        out[n + i] = -axis[1] * x[i] + axis[0] * x[n + i];
    }
}

static void plane_evaluate(const struct score *score, const struct level *level, size_t n, const double *x,
                           double *out)
{
    const struct plane_score *plane = (const struct plane_score *)score;
    double place[2 * POINTS], value[2 * POINTS];
    if (n != 2 * POINTS) {
        *plane->pieces = 1;
        undeclared_note(NULL, level, n, out);
        return;
    }
    rotate_back(POINTS, x, place);
    plane->along->base.evaluate(&plane->along->base, level, POINTS, place, value);
    plane->across->base.evaluate(&plane->across->base, level, POINTS, place + POINTS, value + POINTS);
    rotate(POINTS, value, out);
}

/* Whether D of points in the plane is that along and across an axis, in original coordinates. */
static int rotation_commutes(struct evaluation *e, size_t anchor)
{
    const struct mixture_level *mixture = e->oracle.density[0], *other = e->other.density[0];
    double x[2 * POINTS], D[2 * POINTS], together[2 * POINTS], rotated[2 * POINTS], back[2 * POINTS];
    double place = mixture->root_alpha_bar * mixture->factor->mean[anchor];
    e->oracle.anchor = anchor;
    set_points(mixture, anchor, e->step.t, x);
    for (size_t i = 0; i < POINTS; i++)
        x[POINTS + i] = CONDITION_REACH * other->sd[0] * (2.0 * even(7 * e->step.t + 5 * i) - 1.0);
    apply(e, 1, POINTS, x, D);
    e->other.work = e->scratch[1];
    oracle_apply(&e->other, e->sampler->increment, &e->step, POINTS, x + POINTS, D + POINTS, e->work);
    struct oracle along = e->oracle, across = e->other;
    along.batch = across.batch = POINTS;
    const struct plane_score score = {{.evaluate = plane_evaluate}, &along, &across, &e->pieces};
    double width = CONDITION_REACH * fmin(mixture->sd[anchor], other->sd[0]), largest = largest_of(2 * POINTS, D);
    for (size_t i = 0; i < POINTS; i++)
        x[i] += place;
    rotate(POINTS, x, rotated);
    e->sampler->increment(&e->step, &score.base, 2 * POINTS, rotated, together, e->work);
    rotate_back(POINTS, together, back);
    double allowed =
        largest * (CONDITION_TOLERANCE + CONDITION_ROUNDINGS * DBL_EPSILON * largest_of(2 * POINTS, x) / width);
    for (size_t i = 0; i < 2 * POINTS; i++)
        if (!(fabs(back[i] - D[i]) <= allowed))
            return 0;
    return 1;
}

/* Nonzero if the step is unlike the two before. Its signature is D/beta in units of the inverse standard deviation,
 * at fixed places around components. From step to step that changes by O(h), and its change by O(h^2), except far
 * out, where modes pass by. */
static int compare_steps(struct evaluation *e, double h)
{
    static const double place[SIGNATURE_POINTS] = {-2.53, -1.91, -1.27, -0.83, -0.31, 0.17,
                                                   0.71,  1.13,  1.73,  2.39,  -8.0,  8.0};
    const struct mixture_level *mixture = e->oracle.density[0];
    size_t components = mixture->factor->components,
           used = components < SIGNATURE_COMPONENTS ? components : SIGNATURE_COMPONENTS, t = e->step.t;
    double *now = e->signature[t % 3], *before = e->signature[(t + 1) % 3], *earlier = e->signature[(t + 2) % 3],
           x[SIGNATURE_POINTS];
    double *noise = e->log_noise[t % 2], *noise_before = e->log_noise[1 - t % 2], largest = 0.0, change = 0.0;
    int unlike = 0;
    for (size_t j = 0; j < used; j++) {
        size_t k = e->oracle.anchor = j * components / used;
        for (size_t i = 0; i < SIGNATURE_POINTS; i++)
            x[i] = place[i] * mixture->sd[k];
        apply(e, 1, SIGNATURE_POINTS, x, now + j * SIGNATURE_POINTS);
        for (size_t i = 0; i < SIGNATURE_POINTS; i++)
            now[j * SIGNATURE_POINTS + i] *= mixture->sd[k] / e->step.beta;
    }
    noise[0] = log(sampler_noise_after(e->sampler, &e->step) / e->step.beta);
    noise[1] = log(sampler_noise_before(e->sampler, &e->step) / e->step.beta);
    for (size_t i = 0; i < used * SIGNATURE_POINTS; i++) {
        unlike |= fabs(now[i] - before[i]) > CONDITION_UNLIKE * fmax(1.0, fmax(fabs(now[i]), fabs(before[i])));
        largest = fmax(largest, fabs(now[i]));
        change = fmax(change, fmax(fabs(now[i] - before[i]), fabs(before[i] - earlier[i])));
    }
    for (size_t i = 0; i < used * SIGNATURE_POINTS; i++)
        if (i % SIGNATURE_POINTS < SIGNATURE_POINTS - 2)
            unlike |= fabs(now[i] - 2.0 * before[i] + earlier[i])
                      > CONDITION_CURVATURE * h * change + CONDITION_SAME * largest;
    for (size_t i = 0; i < 2; i++)
        unlike |= noise[i] != noise_before[i] && !(fabs(noise[i] - noise_before[i]) <= CONDITION_UNLIKE);
    return unlike;
}

static enum status check_step(struct evaluation *e, int one_line, struct conditions *out, struct error *error)
{
    const struct mixture_level *mixture = e->oracle.density[0];
    size_t components = mixture->factor->components, t = e->step.t;
    size_t anchors = components < ANCHORS ? components : ANCHORS;
    double weight = 0.0, rounding = 0.0;
    int shifts = 1;
    double after = sampler_noise_after(e->sampler, &e->step), before = sampler_noise_before(e->sampler, &e->step);
    if (!(isfinite(after) && isfinite(before)))
        return fail_at(e, "the noise is not a number: log_noise_ratio or log_noise_before", error);
    for (size_t i = 0; i < anchors; i++) {
        size_t k = (t * anchors + i) % components;
        double own = 0.0;
        TRY(check_around(e, k, &own, &shifts, error));
        rounding += mixture->factor->weight[k] * own;
        weight += mixture->factor->weight[k];
        if (!one_line && !(out->broken & CONDITION_ROTATES) && !rotation_commutes(e, k)) {
            out->broken |= CONDITION_ROTATES;
            out->rotates_at = t;
        }
        if (e->pieces)
            return fail_at(e, "the score is not asked for at all n numbers at once by the increment", error);
    }
    out->rounding += weight > 0.0 ? rounding / weight : 0.0;
    out->broken |= shifts ? 0 : CONDITION_SHIFTS;
    return STATUS_OK;
}

static enum status check_steps(struct evaluation *e, const struct schedule *schedule,
                               const struct score_error *score_error, double share, int one_line,
                               struct conditions *out, struct error *error)
{
    double norm = share > 0.0 ? score_error_norm(score_error, schedule) : 1.0;
    struct level start = schedule_level(schedule, schedule->T);
    mixture_level_set(&e->level[schedule->T % 2], &start);
    mixture_level_set(&e->across[schedule->T % 2], &start);
    for (size_t t = schedule->T; t >= 2; t--) {
        e->step = sampler_step(e->sampler, schedule, t);
        mixture_level_set(&e->level[(t - 1) % 2], &e->step.to);
        mixture_level_set(&e->across[(t - 1) % 2], &e->step.to);
        oracle_set(&e->oracle, e->sampler, schedule, &e->step, &e->level[t % 2], &e->level[(t - 1) % 2], score_error,
                   norm, share);
        oracle_set(&e->other, e->sampler, schedule, &e->step, &e->across[t % 2], &e->across[(t - 1) % 2], NULL, 1.0,
                   0.0);
        TRY(check_step(e, one_line, out, error));
        if (compare_steps(e, schedule->h) && t + 2 <= schedule->T)
            out->unlike[t] = out->unlike[t + 1] = out->unlike[t + 2] = 1;
    }
    return STATUS_OK;
}

static enum status evaluation_new(const struct factor *factor, const struct sampler *sampler, struct profile *profile,
                                  struct evaluation *e, struct error *error)
{
    e->sampler = sampler;
    e->work = array_new(2 * POINTS * (sampler->work_arrays + 1), sizeof *e->work);
    if (e->work == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for the evaluation of sampler %s", sampler->name);
    TRY(profile_new(factor, profile, error));
    TRY(oracle_new(&profile->along, sampler, &e->oracle, error));
    TRY(oracle_new(&profile->across, sampler, &e->other, error));
    for (int i = 0; i < 2; i++) {
        TRY(mixture_level_new(&profile->along, &e->level[i], error));
        TRY(mixture_level_new(&profile->across, &e->across[i], error));
    }
    e->oracle.undeclared = e->other.undeclared = &e->undeclared;
    e->other.original = 1;
    return STATUS_OK;
}

enum status conditions_find(const struct factor *factor, const struct sampler *sampler,
                            const struct schedule *schedule, const struct score_error *score_error, double share,
                            struct conditions *out, struct error *error)
{
    struct profile profile = {.mean = NULL};
    *out = (struct conditions){.broken = 0};
    if (factor_tilts(factor) != NULL || (factor->full != NULL && factor->dimension != 2)) /* no engine has it */
        return STATUS_OK;
    if (sampler->memory > 0)
        return fail_with(
            error, STATUS_UNSUPPORTED,
            "sampler %s keeps what earlier steps found: its increment is not a function of the present point alone",
            sampler->name);
    struct evaluation *e = array_new(1, sizeof *e);
    out->unlike = array_new(schedule->T + 1, 1);
    if (e == NULL || out->unlike == NULL) {
        free(e);
        return fail_with(error, STATUS_MEMORY, "out of memory for the evaluation of sampler %s", sampler->name);
    }
    bool one_line = factor->dimension == 1;
    enum status status = evaluation_new(factor, sampler, &profile, e, error);
    if (status == STATUS_OK)
        status =
            check_steps(e, schedule, one_line ? score_error : NULL, one_line ? share : 0.0, one_line, out, error);
    for (int i = 0; i < 2; i++) {
        mixture_level_free(&e->level[i]);
        mixture_level_free(&e->across[i]);
    }
    oracle_free(&e->oracle);
    oracle_free(&e->other);
    free(profile.mean);
    free(profile.wide);
    free(e->work);
    free(e);
    return status;
}

void conditions_free(struct conditions *conditions)
{
    free(conditions->unlike);
    *conditions = (struct conditions){.broken = 0};
}

enum status conditions_refuse_rotation(const struct conditions *conditions, const struct sampler *sampler,
                                       struct error *error)
{
    return fail_with(error, STATUS_UNSUPPORTED,
                     "the increment of sampler %s does not commute with rotations (first in step t = %zu), on which "
                     "the exact law rests: only chains (`samples`) can measure it",
                     sampler->name, conditions->rotates_at);
}
