#include "sample/chain_target.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "core/memory.h"
#include "sample/marginal.h"

static bool line(const struct chain_group *group)
{
    return group->factor->dimension == 1;
}

static bool spins(const struct chain_group *group)
{
    return factor_tilts(group->factor) != NULL;
}

static const struct level *group_level(const struct chain_group *group, int at)
{
    return line(group) ? &group->line[at].level : spins(group) ? &group->spins[at].level : &group->joint[at].level;
}

/* The object of the level that `which` means now. */
static int place(const struct chain_target *target, int which)
{
    return target->swapped && which < OTHERS ? 1 - which : which;
}

static const struct level *level_of(const struct chain_target *target, int which)
{
    return group_level(&target->group[0], place(target, which));
}

/* Numbers of a whole copy. */
static size_t copy_size(const struct chain_target *target, const struct chain_group *group)
{
    return group->factor->dimension * target->chains;
}

/* Adds sign sqrt(A) times the mean of each factor's first component. */
static void shift_by_means(const struct chain_target *target, int at, double sign, double *x)
{
    for (size_t g = 0; g < target->groups; g++) {
        const struct chain_group *group = &target->group[g];
        size_t n = group->factor->dimension;
        double root = sign * sqrt(group_level(group, at)->alpha_bar);
        for (size_t i = 0; i < group->copies * n && group->factor->mean != NULL; i++)
            for (size_t j = 0; j < target->chains; j++)
                x[(group->first + i) * target->chains + j] += root * group->factor->mean[i % n];
    }
}

/* Positions as densities and scores have them: relative to the first components. */
static const double *make_relative(const struct chain_target *target, int at, const double *x)
{
    if (!target->original)
        return x;
    memcpy(target->relative, x, target->dimension * target->chains * sizeof *x);
    shift_by_means(target, at, -1.0, target->relative);
    return target->relative;
}

/* Of one copy in several coordinates. */
static void evaluate_copy(const struct chain_target *target, const struct chain_group *group, int at, const double *x,
                          double *log_density, double *score)
{
    size_t n = target->chains;
    if (spins(group))
        spins_level_evaluate(&group->spins[at], n, n, x, log_density, score);
    else
        joint_level_evaluate(&group->joint[at], 0, n, n, x, log_density, score);
}

static void exact_score(const struct chain_target *target, int at, const double *x, double *out)
{
    for (size_t g = 0; g < target->groups; g++) {
        const struct chain_group *group = &target->group[g];
        size_t first = group->first * target->chains, size = copy_size(target, group);
        if (line(group))
            mixture_level_evaluate(&group->line[at], 0, group->copies * size, x + first, NULL, out + first);
        for (size_t i = 0; i < group->copies && !line(group); i++)
            evaluate_copy(target, group, at, x + first + i * size, NULL, out + first + i * size);
    }
}

/* e(<u, x>) u with u = (1, ..., 1)/sqrt(d). */
static void add_diagonal(const struct chain_target *target, const struct chain_error *error, int at, const double *x,
                         double *score)
{
    const struct mixture_level *mixture = &error->level[at];
    double inverse = 1.0 / sqrt((double)target->dimension), *along = target->line, *value = along + target->chains;
    double shift = mixture->root_alpha_bar * (error->origin - mixture->factor->mean[0]);
    for (size_t j = 0; j < target->chains; j++)
        along[j] = value[j] = 0.0;
    for (size_t i = 0; i < target->dimension; i++)
        for (size_t j = 0; j < target->chains; j++)
            along[j] += x[i * target->chains + j];
    for (size_t j = 0; j < target->chains; j++)
        along[j] = along[j] * inverse + shift;
    error_level_add(&error->error[at], mixture, 0, target->chains, along, value, target->work);
    for (size_t i = 0; i < target->dimension; i++)
        for (size_t j = 0; j < target->chains; j++)
            score[i * target->chains + j] += inverse * value[j];
}

/* e(|x|) x/|x|. Concentric factors have no mean: positions are what they are. */
static void add_norm(const struct chain_target *target, const struct chain_error *error, int at, const double *x,
                     double *score)
{
    const struct error_level *level = &error->error[at];
    double *norm = target->line, *value = norm + target->chains;
    if (level->shape == NULL)
        return;
    for (size_t j = 0; j < target->chains; j++)
        norm[j] = 0.0;
    for (size_t i = 0; i < target->dimension; i++)
        for (size_t j = 0; j < target->chains; j++)
            norm[j] += x[i * target->chains + j] * x[i * target->chains + j];
    for (size_t j = 0; j < target->chains; j++)
        norm[j] = sqrt(norm[j]);
    level->shape->evaluate(level, target->chains, norm, value);
    for (size_t j = 0; j < target->chains; j++)
        value[j] = norm[j] > 0.0 ? level->amplitude * value[j] / norm[j] : 0.0;
    for (size_t i = 0; i < target->dimension; i++)
        for (size_t j = 0; j < target->chains; j++)
            score[i * target->chains + j] += value[j] * x[i * target->chains + j];
}

static void add_errors(const struct chain_target *target, int at, const double *x, double *score)
{
    for (size_t e = 0; e < target->errors; e++) {
        const struct chain_error *error = &target->error[e];
        if (error->spread == SPREAD_DIAGONAL || error->spread == SPREAD_NORM) {
            (error->spread == SPREAD_NORM ? add_norm : add_diagonal)(target, error, at, x, score);
            continue;
        }
        /* neighbouring coordinates at once */
        size_t rows = error->stride == 1 ? error->count : 1;
        for (size_t i = 0; i < error->count; i += rows) {
            size_t first = (error->first + i * error->stride) * target->chains;
            error_level_add(&error->error[at], &error->level[at], 0, rows * target->chains, x + first, score + first,
                            target->work);
        }
    }
}

static void evaluate(const struct score *score, const struct level *level, size_t n, const double *x, double *out)
{
    const struct chain_target *target = (const struct chain_target *)score;
    int which = FROM;
    while (which < (int)target->levels && !level_equal(level_of(target, which), level))
        which++;
    if (which == (int)target->levels || n != target->dimension * target->chains) {
        undeclared_note(which == (int)target->levels ? target->undeclared : NULL, level, n, out);
        return;
    }
    x = make_relative(target, place(target, which), x);
    exact_score(target, place(target, which), x, out);
    add_errors(target, place(target, which), x, out);
}

/* theory (10), exactly: the norm is of the whole vector. */
static void clip(const struct score *score, double radius, size_t n, double *correction)
{
    const struct chain_target *target = (const struct chain_target *)score;
    double *square = target->line;
    (void)n;
    for (size_t j = 0; j < target->chains; j++)
        square[j] = 0.0;
    for (size_t i = 0; i < target->dimension; i++)
        for (size_t j = 0; j < target->chains; j++)
            square[j] += correction[i * target->chains + j] * correction[i * target->chains + j];
    for (size_t j = 0; j < target->chains; j++)
        if (square[j] > radius * radius)
            for (size_t i = 0; i < target->dimension; i++)
                correction[i * target->chains + j] = 0.0;
}

static int levels_needed(const struct chain_target *target)
{
    return target->sampler != NULL && target->sampler->other_levels != NULL ? LEVELS : OTHERS;
}

static enum status add_groups(const struct factor_list *list, struct chain_target *target, struct error *error)
{
    enum status status = STATUS_OK;
    target->group = array_new(list->count, sizeof *target->group);
    if (target->group == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu factors", list->count);
    for (size_t g = 0; g < list->count && status == STATUS_OK; g++) {
        struct chain_group *group = &target->group[g];
        *group = (struct chain_group){.factor = &list->group[g].factor,
                                      .first = target->dimension,
                                      .copies = (size_t)list->group[g].multiplicity};
        target->groups++;
        target->dimension += group->copies * group->factor->dimension;
        for (int at = 0; at < levels_needed(target) && status == STATUS_OK; at++)
            status = line(group)    ? mixture_level_new(group->factor, &group->line[at], error)
                     : spins(group) ? spins_level_new(group->factor, &group->spins[at], error)
                                    : joint_level_new(group->factor, &group->joint[at], error);
    }
    return status;
}

/* An error of share 1/d in every coordinate i of each copy of a group, or (share 1) in the first coordinate alone. */
static enum status add_coordinate_error(struct chain_target *target, const struct chain_group *group, size_t i,
                                        double share, size_t copies, struct error *error)
{
    struct chain_error *added = &target->error[target->errors++];
    *added = (struct chain_error){
        .share = share, .first = group->first + i, .stride = group->factor->dimension, .count = copies};
    return marginal_of_coordinate(group->factor, i, &added->marginal, error);
}

static enum status add_all(struct chain_target *target, double share, struct error *error)
{
    enum status status = STATUS_OK;
    for (size_t g = 0; g < target->groups; g++)
        for (size_t i = 0; i < target->group[g].factor->dimension && status == STATUS_OK; i++)
            status = add_coordinate_error(target, &target->group[g], i, share, target->group[g].copies, error);
    return status;
}

static enum status add_along_diagonal(const struct factor_list *list, struct chain_target *target,
                                      struct error *error)
{
    struct chain_error *added = &target->error[target->errors++];
    *added = (struct chain_error){.share = 1.0, .spread = SPREAD_DIAGONAL};
    for (size_t g = 0; g < target->groups; g++) {
        const struct factor *factor = target->group[g].factor;
        for (size_t i = 0; i < factor->dimension && factor->mean != NULL; i++)
            added->origin += (double)target->group[g].copies * factor->mean[i] / sqrt((double)target->dimension);
    }
    return marginal_of_diagonal(list, &added->marginal, error);
}

/* The target as concentric Gaussians in all its dimensions, if it is that. */
static enum status add_of_norm(const struct factor_list *list, struct chain_target *target, struct error *error)
{
    struct chain_error *added = &target->error[target->errors++];
    const struct factor *factor = &list->group[0].factor;
    bool concentric = list->count == 1 && factor->full == NULL;
    *added = (struct chain_error){.share = 1.0, .spread = SPREAD_NORM};
    for (size_t i = 0; i < factor->components * factor->dimension && factor->mean != NULL; i++)
        concentric &= factor->mean[i] == 0.0;
    if (!concentric || (list->group[0].multiplicity > 1.0 && factor->components > 1))
        return fail_with(error, STATUS_UNSUPPORTED,
                         "a %s error of the norm needs a target of concentric Gaussians: a radial one, or a Gaussian "
                         "with mean 0 and a flat spectrum",
                         target->score_error->shape->name);
    const struct factor whole = {
        target->dimension, factor->components, factor->weight, NULL, factor->sd, NULL, factor->log_weight, NULL};
    return factor_list_append(&added->marginal, &whole, 1.0, error);
}

static enum status levels_new(struct chain_error *chain_error, int at, struct error *error)
{
    const struct factor *argument = &chain_error->marginal.group[0].factor;
    return chain_error->spread == SPREAD_NORM ? radial_level_new(argument, &chain_error->radial[at], error)
                                              : mixture_level_new(argument, &chain_error->level[at], error);
}

/* A constant along the diagonal is one in each coordinate, which asks for no law along it: of densities there is
 * none.
 */
static bool in_each_coordinate(const struct score_error *error, const struct factor_list *list)
{
    bool densities = false;
    for (size_t g = 0; g < list->count; g++)
        densities |= list->group[g].factor.density != NULL;
    return error->spread == SPREAD_ALL || (error->spread == SPREAD_DIAGONAL && error->shape->constant && densities);
}

static enum status errors_new(const struct factor_list *list, struct chain_target *target, struct error *error)
{
    const struct score_error *score_error = target->score_error;
    size_t most = 1;
    enum status status = STATUS_OK;
    for (size_t g = 0; g < target->groups; g++)
        most += target->group[g].factor->dimension;
    target->error = array_new(most, sizeof *target->error);
    if (target->error == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for %zu score errors", most);
    target->error_norm = score_error_norm(score_error, target->schedule);
    if (in_each_coordinate(score_error, list))
        status = add_all(target, 1.0 / (double)target->dimension, error);
    else if (score_error->spread == SPREAD_NORM)
        status = add_of_norm(list, target, error);
    else if (score_error->spread == SPREAD_ONE || target->dimension == 1)
        status = add_coordinate_error(target, &target->group[0], 0, 1.0, 1, error);
    else
        status = add_along_diagonal(list, target, error);
    for (size_t e = 0; e < target->errors; e++)
        for (int at = 0; at < levels_needed(target) && status == STATUS_OK; at++)
            status = levels_new(&target->error[e], at, error);
    return status;
}

static bool integral(const struct factor_list *list)
{
    for (size_t g = 0; g < list->count; g++)
        if (list->group[g].multiplicity != floor(list->group[g].multiplicity))
            return false;
    return true;
}

enum status chain_target_new(const struct factor_list *list, const struct sampler *sampler,
                             const struct score_error *score_error, const struct schedule *schedule, size_t chains,
                             struct chain_target *out, struct error *error)
{
    bool exact = score_error == NULL || score_error->shape == NULL;
    *out = (struct chain_target){.base = {evaluate, clip},
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
        status = errors_new(list, out, error);
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
        chain_target_free(out);
    return status;
}

void chain_target_free(struct chain_target *target)
{
    for (size_t g = 0; g < target->groups; g++)
        for (int at = 0; at < LEVELS; at++) {
            mixture_level_free(&target->group[g].line[at]);
            spins_level_free(&target->group[g].spins[at]);
            joint_level_free(&target->group[g].joint[at]);
        }
    for (size_t e = 0; e < target->errors; e++) {
        for (int at = 0; at < LEVELS; at++) {
            mixture_level_free(&target->error[e].level[at]);
            radial_level_free(&target->error[e].radial[at]);
        }
        factor_list_free(&target->error[e].marginal);
    }
    free(target->group);
    free(target->error);
    free(target->work);
    free(target->line);
    free(target->relative);
    free(target->undeclared);
    *target = (struct chain_target){.groups = 0};
}

/* t is where the score error takes its size from. */
static void set_level(struct chain_target *target, int at, struct level level, size_t t)
{
    for (size_t g = 0; g < target->groups; g++) {
        struct chain_group *group = &target->group[g];
        if (line(group))
            mixture_level_set(&group->line[at], &level);
        else if (spins(group))
            spins_level_set(&group->spins[at], &level);
        else
            joint_level_set(&group->joint[at], &level);
    }
    for (size_t e = 0; e < target->errors; e++) {
        struct chain_error *error = &target->error[e];
        if (error->spread == SPREAD_NORM) {
            radial_level_set(&error->radial[at], &level);
            score_error_at_norm(target->score_error, target->error_norm, target->schedule, t, &error->radial[at],
                                &error->error[at]);
            continue;
        }
        mixture_level_set(&error->level[at], &level);
        score_error_at(target->score_error, target->error_norm, error->share, target->schedule, t, &error->level[at],
                       &error->error[at]);
    }
}

void chain_target_set(struct chain_target *target, size_t t)
{
    struct level from = schedule_level(target->schedule, t);
    target->t = t;
    const struct level *before = level_of(target, TO);
    if (before->noise == from.noise && before->alpha_bar == from.alpha_bar)
        target->swapped = !target->swapped;
    else
        set_level(target, place(target, FROM), from, t);
    set_level(target, place(target, TO), schedule_level(target->schedule, t - 1), t - 1);
    if (levels_needed(target) == OTHERS)
        return;
    struct step step = sampler_step(target->sampler, target->schedule, t);
    chain_target_set_others(target, &step);
}

void chain_target_set_others(struct chain_target *target, const struct step *step)
{
    struct level level[SAMPLER_LEVELS];
    target->levels = sampler_levels(target->sampler, step, level);
    for (size_t at = OTHERS; at < target->levels; at++)
        set_level(target, (int)at, level[at], step->t);
}

void chain_target_log_density(const struct chain_target *target, const double *x, double *log_density)
{
    int at = place(target, TO);
    double *rows = target->work;
    x = make_relative(target, at, x);
    for (size_t j = 0; j < target->chains; j++)
        log_density[j] = 0.0;
    for (size_t g = 0; g < target->groups; g++) {
        const struct chain_group *group = &target->group[g];
        size_t first = group->first * target->chains, size = copy_size(target, group);
        for (size_t i = 0; i < group->copies; i++) {
            if (line(group))
                mixture_level_evaluate(&group->line[at], 0, target->chains, x + first + i * size, rows, NULL);
            else
                evaluate_copy(target, group, at, x + first + i * size, rows, NULL);
            for (size_t j = 0; j < target->chains; j++)
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

static void draw_line(const struct chain_target *target, const struct chain_group *group, int at,
                      const double *uniforms, const double *normals, double *out)
{
    const struct mixture_level *mixture = &group->line[at];
    const struct density *density = group->factor->density;
    for (size_t j = 0; j < target->chains && density != NULL; j++) {
        double start = density_quantile(density, uniforms[j]) - group->factor->mean[0];
        out[j] = mixture->root_alpha_bar * start + sqrt(mixture->level.noise) * normals[j];
    }
    for (size_t j = 0; j < target->chains && density == NULL; j++) {
        size_t k = choose(group->factor, uniforms[j]);
        out[j] = mixture_level_centre(mixture, k, 0) + mixture->sd[k] * normals[j];
    }
}

static void draw_joint(const struct chain_target *target, const struct chain_group *group, int at,
                       const double *uniforms, const double *normals, double *out)
{
    const struct joint_level *joint = &group->joint[at];
    size_t n = group->factor->dimension;
    double *z = target->work;
    for (size_t j = 0; j < target->chains; j++) {
        size_t k = choose(group->factor, uniforms[j]);
        for (size_t i = 0; i < n; i++)
            z[i] = normals[i * target->chains + j];
        for (size_t i = 0; i < n; i++)
            out[i * target->chains + j] = joint_level_centre(joint, k, 0, i);
        joint_level_deviate(joint, k, z, target->chains, out + j);
    }
}

static void draw_spins(const struct chain_target *target, const struct chain_group *group, int at,
                       const double *uniforms, const double *normals, double *out)
{
    double *z = target->work; /* `out` may be the normals */
    size_t n = group->factor->dimension, chains = target->chains;
    for (size_t j = 0; j < chains; j++) {
        for (size_t i = 0; i < n; i++)
            z[i * chains] = normals[i * chains + j];
        spins_level_draw(&group->spins[at], chains, uniforms + j, z, out + j);
    }
}

void chain_target_draw(const struct chain_target *target, int which, const double *uniforms, const double *normals,
                       double *out)
{
    int at = place(target, which);
    for (size_t g = 0; g < target->groups; g++) {
        const struct chain_group *group = &target->group[g];
        for (size_t i = 0; i < group->copies; i++) {
            size_t first = group->first * target->chains + i * copy_size(target, group);
            (line(group)    ? draw_line
             : spins(group) ? draw_spins
                            : draw_joint)(target, group, at, uniforms + first, normals + first, out + first);
        }
    }
    if (target->original)
        shift_by_means(target, at, 1.0, out);
}

void chain_target_make_absolute(const struct chain_target *target, int which, double *x)
{
    if (!target->original)
        shift_by_means(target, place(target, which), 1.0, x);
}
