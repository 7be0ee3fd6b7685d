#include "sample/field.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "core/memory.h"
#include "sample/marginal.h"

static bool line(const struct field_group *group)
{
    return group->factor->dimension == 1;
}

/* The object of the level that `which` means now. */
static int place(const struct field *field, int which)
{
    return field->swapped && which < OTHERS ? 1 - which : which;
}

static const struct level *level_of(const struct field *field, int which)
{
    const struct field_group *group = &field->group[0];
    int at = place(field, which);
    return line(group) ? &group->line[at].level : &group->joint[at].level;
}

/* Numbers of a whole copy. */
static size_t copy_size(const struct field *field, const struct field_group *group)
{
    return group->factor->dimension * field->chains;
}

/* Adds sign sqrt(A) times the mean of each factor's first component. */
static void shift_by_means(const struct field *field, int at, double sign, double *x)
{
    for (size_t g = 0; g < field->groups; g++) {
        const struct field_group *group = &field->group[g];
        size_t n = group->factor->dimension;
        const struct level *level = line(group) ? &group->line[at].level : &group->joint[at].level;
        double root = sign * sqrt(level->alpha_bar);
        for (size_t i = 0; i < group->copies * n && group->factor->mean != NULL; i++)
            for (size_t j = 0; j < field->chains; j++)
                x[(group->first + i) * field->chains + j] += root * group->factor->mean[i % n];
    }
}

/* Positions as densities and scores have them: relative to the first components. */
static const double *make_relative(const struct field *field, int at, const double *x)
{
    if (!field->original)
        return x;
    memcpy(field->relative, x, field->dimension * field->chains * sizeof *x);
    shift_by_means(field, at, -1.0, field->relative);
    return field->relative;
}

static void exact_score(const struct field *field, int at, const double *x, double *out)
{
    for (size_t g = 0; g < field->groups; g++) {
        const struct field_group *group = &field->group[g];
        size_t first = group->first * field->chains, size = copy_size(field, group);
        if (line(group))
            mixture_level_evaluate(&group->line[at], 0, group->copies * size, x + first, NULL, out + first);
        for (size_t i = 0; i < group->copies && !line(group); i++)
            joint_level_evaluate(&group->joint[at], 0, field->chains, field->chains, x + first + i * size, NULL,
                                 out + first + i * size);
    }
}

/* e(<u, x>) u with u = (1, ..., 1)/sqrt(d). */
static void add_diagonal(const struct field *field, const struct field_error *error, int at, const double *x,
                         double *score)
{
    const struct mixture_level *mixture = &error->level[at];
    double inverse = 1.0 / sqrt((double)field->dimension), *along = field->line, *value = along + field->chains;
    double shift = mixture->root_alpha_bar * (error->origin - mixture->factor->mean[0]);
    for (size_t j = 0; j < field->chains; j++)
        along[j] = value[j] = 0.0;
    for (size_t i = 0; i < field->dimension; i++)
        for (size_t j = 0; j < field->chains; j++)
            along[j] += x[i * field->chains + j];
    for (size_t j = 0; j < field->chains; j++)
        along[j] = along[j] * inverse + shift;
    error_level_add(&error->error[at], mixture, 0, field->chains, along, value, field->work);
    for (size_t i = 0; i < field->dimension; i++)
        for (size_t j = 0; j < field->chains; j++)
            score[i * field->chains + j] += inverse * value[j];
}

/* e(|x|) x/|x|. Concentric factors have no mean: positions are what they are. */
static void add_norm(const struct field *field, const struct field_error *error, int at, const double *x,
                     double *score)
{
    const struct error_level *level = &error->error[at];
    double *norm = field->line, *value = norm + field->chains;
    if (level->shape == NULL)
        return;
    for (size_t j = 0; j < field->chains; j++)
        norm[j] = 0.0;
    for (size_t i = 0; i < field->dimension; i++)
        for (size_t j = 0; j < field->chains; j++)
            norm[j] += x[i * field->chains + j] * x[i * field->chains + j];
    for (size_t j = 0; j < field->chains; j++)
        norm[j] = sqrt(norm[j]);
    level->shape->evaluate(level, field->chains, norm, value);
    for (size_t j = 0; j < field->chains; j++)
        value[j] = norm[j] > 0.0 ? level->amplitude * value[j] / norm[j] : 0.0;
    for (size_t i = 0; i < field->dimension; i++)
        for (size_t j = 0; j < field->chains; j++)
            score[i * field->chains + j] += value[j] * x[i * field->chains + j];
}

static void add_errors(const struct field *field, int at, const double *x, double *score)
{
    for (size_t e = 0; e < field->errors; e++) {
        const struct field_error *error = &field->error[e];
        if (error->spread == SPREAD_DIAGONAL || error->spread == SPREAD_NORM) {
            (error->spread == SPREAD_NORM ? add_norm : add_diagonal)(field, error, at, x, score);
            continue;
        }
        /* neighbouring coordinates at once */
        size_t rows = error->stride == 1 ? error->count : 1;
        for (size_t i = 0; i < error->count; i += rows) {
            size_t first = (error->first + i * error->stride) * field->chains;
            error_level_add(&error->error[at], &error->level[at], 0, rows * field->chains, x + first, score + first,
                            field->work);
        }
    }
}

static void evaluate(const struct score *score, const struct level *level, size_t n, const double *x, double *out)
{
    const struct field *field = (const struct field *)score;
    int which = FROM;
    while (which < (int)field->levels && !level_equal(level_of(field, which), level))
        which++;
    if (which == (int)field->levels || n != field->dimension * field->chains) {
        undeclared_note(which == (int)field->levels ? field->undeclared : NULL, level, n, out);
        return;
    }
    x = make_relative(field, place(field, which), x);
    exact_score(field, place(field, which), x, out);
    add_errors(field, place(field, which), x, out);
}

/* theory (10), exactly: the norm is of the whole vector. */
static void clip(const struct score *score, double radius, size_t n, double *correction)
{
    const struct field *field = (const struct field *)score;
    double *square = field->line;
    (void)n;
    for (size_t j = 0; j < field->chains; j++)
        square[j] = 0.0;
    for (size_t i = 0; i < field->dimension; i++)
        for (size_t j = 0; j < field->chains; j++)
            square[j] += correction[i * field->chains + j] * correction[i * field->chains + j];
    for (size_t j = 0; j < field->chains; j++)
        if (square[j] > radius * radius)
            for (size_t i = 0; i < field->dimension; i++)
                correction[i * field->chains + j] = 0.0;
}

static int levels_needed(const struct field *field)
{
    return field->sampler != NULL && field->sampler->other_levels != NULL ? LEVELS : OTHERS;
}

static enum status add_groups(const struct factor_list *list, struct field *field, struct error *error)
{
    enum status status = STATUS_OK;
    field->group = array_new(list->count, sizeof *field->group);
    if (field->group == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu factors", list->count);
    for (size_t g = 0; g < list->count && status == STATUS_OK; g++) {
        struct field_group *group = &field->group[g];
        *group = (struct field_group){.factor = &list->group[g].factor,
                                      .first = field->dimension,
                                      .copies = (size_t)list->group[g].multiplicity};
        field->groups++;
        field->dimension += group->copies * group->factor->dimension;
        for (int at = 0; at < levels_needed(field) && status == STATUS_OK; at++)
            status = line(group) ? mixture_level_new(group->factor, &group->line[at], error)
                                 : joint_level_new(group->factor, &group->joint[at], error);
    }
    return status;
}

/* An error of share 1/d in every coordinate i of each copy of a group, or (share 1) in the first coordinate alone. */
static enum status add_coordinate_error(struct field *field, const struct field_group *group, size_t i, double share,
                                        size_t copies, struct error *error)
{
    struct field_error *added = &field->error[field->errors++];
    *added = (struct field_error){
        .share = share, .first = group->first + i, .stride = group->factor->dimension, .count = copies};
    return marginal_of_coordinate(group->factor, i, &added->marginal, error);
}

static enum status add_all(struct field *field, double share, struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t g = 0; g < field->groups; g++)
        for (size_t i = 0; i < field->group[g].factor->dimension && status == STATUS_OK; i++)
            status = add_coordinate_error(field, &field->group[g], i, share, field->group[g].copies, error);
    return status;
}

static enum status add_along_diagonal(const struct factor_list *list, struct field *field, struct error *error)
{
    struct field_error *added = &field->error[field->errors++];
    *added = (struct field_error){.share = 1.0, .spread = SPREAD_DIAGONAL};
    for (size_t g = 0; g < field->groups; g++) {
        const struct factor *factor = field->group[g].factor;
        for (size_t i = 0; i < factor->dimension && factor->mean != NULL; i++)
            added->origin += (double)field->group[g].copies * factor->mean[i] / sqrt((double)field->dimension);
    }
    return marginal_of_diagonal(list, &added->marginal, error);
}

/* The target as concentric Gaussians in all its dimensions, if it is that. */
static enum status add_of_norm(const struct factor_list *list, struct field *field, struct error *error)
{
    struct field_error *added = &field->error[field->errors++];
    const struct factor *factor = &list->group[0].factor;
    bool concentric = list->count == 1 && factor->full == NULL;
    *added = (struct field_error){.share = 1.0, .spread = SPREAD_NORM};
    for (size_t i = 0; i < factor->components * factor->dimension && factor->mean != NULL; i++)
        concentric &= factor->mean[i] == 0.0;
    if (!concentric || (list->group[0].multiplicity > 1.0 && factor->components > 1))
        return fail_with(error, STATUS_UNSUPPORTED,
                         "a %s error of the norm needs a target of concentric Gaussians: a radial one, or a Gaussian "
                         "with mean 0 and a flat spectrum",
                         field->score_error->shape->name);
    const struct factor whole = {field->dimension, factor->components, factor->weight, NULL, factor->sd, NULL};
    return factor_list_append(&added->marginal, &whole, 1.0, error);
}

static enum status levels_new(struct field_error *field_error, int at, struct error *error)
{
    const struct factor *argument = &field_error->marginal.group[0].factor;
    return field_error->spread == SPREAD_NORM ? radial_level_new(argument, &field_error->radial[at], error)
                                              : mixture_level_new(argument, &field_error->level[at], error);
}

static enum status add_field_errors(const struct factor_list *list, struct field *field, struct error *error)
{
    const struct score_error *score_error = field->score_error;
    size_t most = 1;
    enum status status = STATUS_OK;
    for (size_t g = 0; g < field->groups; g++)
        most += field->group[g].factor->dimension;
    field->error = array_new(most, sizeof *field->error);
    if (field->error == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu score errors", most);
    field->error_norm = score_error_norm(score_error, field->schedule);
    if (score_error->spread == SPREAD_ALL)
        status = add_all(field, 1.0 / (double)field->dimension, error);
    else if (score_error->spread == SPREAD_NORM)
        status = add_of_norm(list, field, error);
    else if (score_error->spread == SPREAD_ONE || field->dimension == 1)
        status = add_coordinate_error(field, &field->group[0], 0, 1.0, 1, error);
    else
        status = add_along_diagonal(list, field, error);
    for (size_t e = 0; e < field->errors; e++)
        for (int at = 0; at < levels_needed(field) && status == STATUS_OK; at++)
            status = levels_new(&field->error[e], at, error);
    return status;
}

static bool integral(const struct factor_list *list)
{
    for (size_t g = 0; g < list->count; g++)
        if (list->group[g].multiplicity != floor(list->group[g].multiplicity))
            return false;
    return true;
}

enum status field_new(const struct factor_list *list, const struct sampler *sampler,
                      const struct score_error *score_error, const struct schedule *schedule, size_t chains,
                      struct field *out, struct error *error)
{
    bool exact = score_error == NULL || score_error->shape == NULL;
    *out = (struct field){.base = {evaluate, clip},
                          .chains = chains,
                          .schedule = schedule,
                          .sampler = sampler,
                          .levels = OTHERS,
                          .original = sampler != NULL && !sampler->regular,
                          .score_error = exact ? NULL : score_error};
    if (!integral(list))
        return fail_with(error, STATUS_INVALID, "chains need every coordinate, and this target's are summed up");
    enum status status = add_groups(list, out, error);
    if (status == STATUS_OK && !exact)
        status = add_field_errors(list, out, error);
    bool fits = out->dimension < SIZE_MAX / sizeof(double) / (chains + 1);
    out->work = fits ? array_new(out->dimension * chains, sizeof(double)) : NULL;
    out->line = array_new(2 * chains, sizeof(double));
    out->relative = fits ? array_new(out->original ? out->dimension * chains : 1, sizeof(double)) : NULL;
    out->undeclared = array_new(1, sizeof *out->undeclared);
    if (status == STATUS_OK
        && (out->work == NULL || out->line == NULL || out->relative == NULL || out->undeclared == NULL))
        status =
            fail_with(error, STATUS_MEMORY, "out of memory for %zu chains in dimension %zu", chains, out->dimension);
    if (status != STATUS_OK)
        field_free(out);
    return status;
}

void field_free(struct field *field)
{
    for (size_t g = 0; g < field->groups; g++)
        for (int at = 0; at < LEVELS; at++) {
            mixture_level_free(&field->group[g].line[at]);
            joint_level_free(&field->group[g].joint[at]);
        }
    for (size_t e = 0; e < field->errors; e++) {
        for (int at = 0; at < LEVELS; at++) {
            mixture_level_free(&field->error[e].level[at]);
            radial_level_free(&field->error[e].radial[at]);
        }
        factor_list_free(&field->error[e].marginal);
    }
    free(field->group);
    free(field->error);
    free(field->work);
    free(field->line);
    free(field->relative);
    free(field->undeclared);
    *field = (struct field){.groups = 0};
}

/* t is where the score error takes its size from. */
static void set_level(struct field *field, int at, struct level level, size_t t)
{
    for (size_t g = 0; g < field->groups; g++) {
        struct field_group *group = &field->group[g];
        if (line(group))
            mixture_level_set(&group->line[at], &level);
        else
            joint_level_set(&group->joint[at], &level);
    }
    for (size_t e = 0; e < field->errors; e++) {
        struct field_error *error = &field->error[e];
        if (error->spread == SPREAD_NORM) {
            radial_level_set(&error->radial[at], &level);
            score_error_at_norm(field->score_error, field->error_norm, field->schedule, t, &error->radial[at],
                                &error->error[at]);
            continue;
        }
        mixture_level_set(&error->level[at], &level);
        score_error_at(field->score_error, field->error_norm, error->share, field->schedule, t, &error->level[at],
                       &error->error[at]);
    }
}

void field_set(struct field *field, size_t t)
{
    struct level from = schedule_level(field->schedule, t);
    field->t = t;
    const struct level *before = level_of(field, TO);
    if (before->noise == from.noise && before->alpha_bar == from.alpha_bar)
        field->swapped = !field->swapped;
    else
        set_level(field, place(field, FROM), from, t);
    set_level(field, place(field, TO), schedule_level(field->schedule, t - 1), t - 1);
    if (levels_needed(field) == OTHERS)
        return;
    struct step step = sampler_step(field->sampler, field->schedule, t);
    field_set_others(field, &step);
}

void field_set_others(struct field *field, const struct step *step)
{
    struct level level[SAMPLER_LEVELS];
    field->levels = sampler_levels(field->sampler, step, level);
    for (size_t at = OTHERS; at < field->levels; at++)
        set_level(field, (int)at, level[at], step->t);
}

void field_log_density(const struct field *field, int which, const double *x, double *log_density)
{
    int at = place(field, which);
    double *rows = field->work;
    x = make_relative(field, at, x);
    for (size_t j = 0; j < field->chains; j++)
        log_density[j] = 0.0;
    for (size_t g = 0; g < field->groups; g++) {
        const struct field_group *group = &field->group[g];
        size_t first = group->first * field->chains, size = copy_size(field, group);
        for (size_t i = 0; i < group->copies; i++) {
            if (line(group))
                mixture_level_evaluate(&group->line[at], 0, field->chains, x + first + i * size, rows, NULL);
            else
                joint_level_evaluate(&group->joint[at], 0, field->chains, field->chains, x + first + i * size, rows,
                                     NULL);
            for (size_t j = 0; j < field->chains; j++)
                log_density[j] += rows[j];
        }
    }
}

static size_t choose(const struct factor *factor, double uniform)
{
    size_t k = 0;
    double below = factor->weight[0];
    while (k + 1 < factor->components && uniform >= below)
        below += factor->weight[++k];
    return k;
}

static void draw_line(const struct field *field, const struct field_group *group, int at, const double *uniforms,
                      const double *normals, double *out)
{
    const struct mixture_level *mixture = &group->line[at];
    for (size_t j = 0; j < field->chains; j++) {
        size_t k = choose(group->factor, uniforms[j]);
        out[j] = mixture_level_centre(mixture, k, 0) + mixture->sd[k] * normals[j];
    }
}

static void draw_joint(const struct field *field, const struct field_group *group, int at, const double *uniforms,
                       const double *normals, double *out)
{
    const struct joint_level *joint = &group->joint[at];
    size_t n = group->factor->dimension;
    double *z = field->work;
    for (size_t j = 0; j < field->chains; j++) {
        size_t k = choose(group->factor, uniforms[j]);
        for (size_t i = 0; i < n; i++)
            z[i] = normals[i * field->chains + j];
        for (size_t i = 0; i < n; i++)
            out[i * field->chains + j] = joint_level_centre(joint, k, 0, i);
        joint_level_deviate(joint, k, z, field->chains, out + j);
    }
}

void field_draw(const struct field *field, int which, const double *uniforms, const double *normals, double *out)
{
    int at = place(field, which);
    for (size_t g = 0; g < field->groups; g++) {
        const struct field_group *group = &field->group[g];
        for (size_t i = 0; i < group->copies; i++) {
            size_t first = group->first * field->chains + i * copy_size(field, group);
            (line(group) ? draw_line : draw_joint)(field, group, at, uniforms + first, normals + first, out + first);
        }
    }
    if (field->original)
        shift_by_means(field, at, 1.0, out);
}

void field_make_absolute(const struct field *field, int which, double *x)
{
    if (!field->original)
        shift_by_means(field, place(field, which), 1.0, x);
}
