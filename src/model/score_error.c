#include "model/score_error.h"

#include <math.h>
#include <string.h>

#include "core/lists.h"
#include "core/sum.h"

#define ERROR_SHAPE(object) extern const struct error_shape object;
#include "model/error_shapes.def"
#undef ERROR_SHAPE
#define ERROR_PROFILE(object) extern const struct error_profile object;
#include "model/error_profiles.def"
#undef ERROR_PROFILE

static const struct error_shape *const shapes[] = {
#define ERROR_SHAPE(object) &object,
#include "model/error_shapes.def"
#undef ERROR_SHAPE
};

static const struct error_profile *const profiles[] = {
#define ERROR_PROFILE(object) &object,
#include "model/error_profiles.def"
#undef ERROR_PROFILE
};

const char *const error_spread_names[] = {
    [SPREAD_ALL] = "all", [SPREAD_ONE] = "one", [SPREAD_DIAGONAL] = "diagonal", [SPREAD_NORM] = "norm", NULL};

const char *const error_spread_docs[] = {
    [SPREAD_ALL] = "Each coordinate has its own error g(x_i), with a share 1/d of eps_score^2.",
    [SPREAD_ONE] = "The first coordinate has all of it, g(x_1).",
    [SPREAD_DIAGONAL] = "g(<u, x>) u with u = (1, ..., 1)/sqrt(d). Couples coordinates, but for a bias and for "
                        "isotropic Gaussians, which a rotation decouples.",
    [SPREAD_NORM] = "g(|x|) x/|x|, for concentric Gaussians (a radial target, or a Gaussian with mean 0 and a flat "
                    "spectrum). Couples coordinates.",
    NULL,
};

LIST_AT(error_shape, error_shape_at, shapes)
LIST_FIND(error_shape, error_shape_find, error_shape_at)

LIST_AT(error_profile, error_profile_at, profiles)
LIST_FIND(error_profile, error_profile_find, error_profile_at)

const char *score_error_name(const struct score_error *error)
{
    return error == NULL || error->shape == NULL ? "none" : error->shape->name;
}

int score_error_equal(const struct score_error *a, const struct score_error *b)
{
    return a->shape == b->shape && a->profile == b->profile && a->spread == b->spread && a->size == b->size
           && a->growth == b->growth && memcmp(&a->params, &b->params, sizeof a->params) == 0;
}

void score_error_describe(const struct score_error *error, FILE *file)
{
    fputs(score_error_name(error), file);
    if (error == NULL || error->shape == NULL)
        return;
    params_describe(error->shape->params, &error->params, file);
    fprintf(file, " profile %s spread %s size %.17g growth %.17g", error->profile->name,
            error_spread_names[error->spread], error->size, error->growth);
}

static enum status spread_one(struct factor_list *list, struct error *failure)
{
    if (list->group[0].multiplicity > 1.0) {
        enum status status = factor_list_split(list, 0, failure);
        if (status != STATUS_OK)
            return status;
    }
    list->group[0].error_share = 1.0;
    return STATUS_OK;
}

static void spread_all(size_t dimension, struct factor_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        list->group[i].error_share = (double)list->group[i].factor.dimension / (double)dimension;
}

/* N(m (1, ..., 1), V I) in coordinates whose first axis is u: N(sqrt(d) m, V) along it, N(0, V) across. The start of
 * the samplers and their noise are the same in every orthonormal basis. */
static enum status rotate(size_t dimension, struct factor_list *list, struct error *failure)
{
    enum status status = factor_list_split(list, 0, failure);
    if (status != STATUS_OK)
        return status;
    factor_list_set_mean(list, 0, sqrt((double)dimension) * list->group[0].factor.mean[0]);
    factor_list_set_mean(list, 1, 0.0);
    list->group[0].error_share = 1.0;
    return STATUS_OK;
}

enum status score_error_spread(const struct score_error *error, size_t dimension, struct factor_list *list,
                               struct error *failure)
{
    for (size_t i = 0; i < list->count; i++)
        list->group[i].error_share = 0.0;
    if (error == NULL || error->shape == NULL || list->count == 0)
        return STATUS_OK;
    if (error->spread == SPREAD_ONE || (error->spread == SPREAD_DIAGONAL && dimension == 1))
        return spread_one(list, failure);
    /* A constant vector along the diagonal is a constant in each coordinate. */
    if (error->spread == SPREAD_ALL || (error->spread == SPREAD_DIAGONAL && error->shape->constant)) {
        spread_all(dimension, list);
        return STATUS_OK;
    }
    const struct factor *first = &list->group[0].factor;
    if (error->spread == SPREAD_DIAGONAL && list->count == 1 && first->components == 1 && first->dimension == 1)
        return rotate(dimension, list, failure);
    if (error->spread == SPREAD_NORM)
        return fail_with(failure, STATUS_UNSUPPORTED,
                         "a %s error of the norm couples the coordinates in dimension %zu: no exact engine, only "
                         "chains can carry it",
                         error->shape->name, dimension);
    /* the engine of one factor in all the coordinates sees them together */
    if (list->count == 1 && list->group[0].factor.dimension == dimension) {
        list->group[0].error_share = 1.0;
        return STATUS_OK;
    }
    return fail_with(failure, STATUS_UNSUPPORTED,
                     "a %s error along the diagonal couples the coordinates of a target of %s in dimension %zu: no "
                     "exact engine; only isotropic Gaussians, which a rotation decouples, can carry it, or chains",
                     error->shape->name, list->count == 1 ? "mixture factors" : "unequal factors", dimension);
}

double score_error_norm(const struct score_error *error, const struct schedule *schedule)
{
    struct sum total = {0.0, 0.0};
    for (size_t t = 2; t <= schedule->T; t++) {
        double weight = error->profile->weight(schedule, t);
        sum_add(&total, weight * weight);
    }
    return sqrt(sum_value(&total) / (double)(schedule->T - 1));
}

static void set_level(const struct score_error *error, double norm, double share, const struct schedule *schedule,
                      size_t t, const struct mixture_level *line, const struct radial_level *radial,
                      struct error_level *out)
{
    *out = (struct error_level){0};
    if (error == NULL || error->shape == NULL || !(share > 0.0))
        return;
    out->amplitude = error->size * pow((double)schedule->T, error->growth) * sqrt(share)
                     * (error->profile->weight(schedule, t) / norm);
    if (out->amplitude == 0.0)
        return;
    out->shape = error->shape;
    const struct error_argument argument = {.line = line, .radial = radial};
    error->shape->prepare(error, &argument, out);
}

void score_error_at(const struct score_error *error, double norm, double share, const struct schedule *schedule,
                    size_t t, const struct mixture_level *mixture, struct error_level *out)
{
    set_level(error, norm, share, schedule, t, mixture, NULL, out);
}

void score_error_at_norm(const struct score_error *error, double norm, const struct schedule *schedule, size_t t,
                         const struct radial_level *radial, struct error_level *out)
{
    set_level(error, norm, 1.0, schedule, t, NULL, radial, out);
}

/* Where x + shift was rounded up to an edge, the number below it: whether a point is inside must not depend on the
 * rounding of its position, which next to an atom is a fair part of the interval. */
static double keep_below_edges(const struct error_level *at, double x, double shift)
{
    double sum = x + shift;
    for (size_t j = 0; j < at->edges; j++)
        if (sum == at->edge[j]) {
            double part = sum - x, lost = (x - (sum - part)) + (shift - part);
            return lost < 0.0 ? nextafter(sum, -HUGE_VAL) : sum;
        }
    return sum;
}

void error_level_add(const struct error_level *at, const struct mixture_level *mixture, size_t anchor, size_t n,
                     const double *x, double *score, double *work)
{
    if (at->shape == NULL || at->amplitude == 0.0)
        return;
    double shift = mixture->root_alpha_bar * mixture->factor->mean[anchor];
    for (size_t i = 0; i < n; i++)
        work[i] = x[i] + shift;
    if (at->edges > 0)
        for (size_t i = 0; i < n; i++)
            work[i] = keep_below_edges(at, x[i], shift);
    at->shape->evaluate(at, n, work, work);
    for (size_t i = 0; i < n; i++)
        score[i] += at->amplitude * work[i];
}
