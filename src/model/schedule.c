#include "model/schedule.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"

#define LARGEST_STEPS ((size_t)1 << 40)

#define SCHEDULE(object) extern const struct schedule_kind object;
#include "model/schedules.def"
#undef SCHEDULE

static const struct schedule_kind *const kinds[] = {
#define SCHEDULE(object) &object,
#include "model/schedules.def"
#undef SCHEDULE
};

const struct schedule_kind *schedule_kind_at(size_t index)
{
    return index < sizeof kinds / sizeof kinds[0] ? kinds[index] : NULL;
}

const struct schedule_kind *schedule_kind_find(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    return NULL;
}

double schedule_constants_step_size(const void *params, size_t T)
{
    return ((const struct schedule_constants *)params)->c1 * log((double)T) / (double)T;
}

size_t schedule_steps(const struct schedule_kind *kind, const union params *values, double step_size)
{
    size_t fails = 2, passes = 3;
    while (passes < (size_t)1 << 52 && kind->step_size(values, passes) > step_size) {
        fails = passes;
        passes *= 2;
    }
    while (passes > fails + 1) {
        size_t middle = fails + (passes - fails) / 2;
        if (kind->step_size(values, middle) > step_size)
            fails = middle;
        else
            passes = middle;
    }
    return passes < (size_t)1 << 52 ? passes : (size_t)1 << 52;
}

/* Beyond 1000, T is out of reach. */
const struct param schedule_constants_params[] = {
    {"c0", PARAM_REAL, offsetof(struct schedule_constants, c0), "the noise at an end is T^-c0", .standard = 2.0,
     .range = {0.0, 1000.0, OPEN, NULL}},
    {"c1", PARAM_REAL, offsetof(struct schedule_constants, c1), "the step size is h = c1 log(T)/T", .standard = 8.5,
     .range = {0.0, 1000.0, OPEN, NULL}},
    {0},
};

static union params constants(double c0, double c1)
{
    union params values = {.bytes = {0}};
    *(struct schedule_constants *)(void *)values.bytes = (struct schedule_constants){c0, c1};
    return values;
}

static struct schedule *try_schedule(const struct schedule_kind *kind, const union params *values, size_t T,
                                     int *admissible)
{
    *admissible = 0;
    struct schedule *schedule = array_new(1, sizeof *schedule);
    double *arrays = T < SIZE_MAX / 4 ? array_new(3 * (T + 1), sizeof *arrays) : NULL;
    if (schedule == NULL || arrays == NULL) {
        free(schedule);
        free(arrays);
        return NULL;
    }
    *schedule =
        (struct schedule){kind, *values, T, kind->step_size(values, T), arrays, arrays + T + 1, arrays + 2 * (T + 1)};
    *admissible =
        schedule->h < 1.0 && kind->fill(values, T, schedule->log_alpha_bar, schedule->log_noise, schedule->beta);
    return schedule;
}

/* The smallest T' >= T with h < 1, or 0. Where h >= 1, T <= T h, and as the right side does not fall with T, no T'
 * between the two can have h < 1: the search may jump there. */
static size_t smallest_with_small_step(const struct schedule_kind *kind, const union params *values, size_t T)
{
    for (size_t candidate = T < 2 ? 2 : T; candidate < LARGEST_STEPS;) {
        double h = kind->step_size(values, candidate);
        if (h < 1.0)
            return candidate;
        double jump = floor(h * (double)candidate);
        candidate = jump > (double)candidate + 1.0 && jump < 0x1p40 ? (size_t)jump : candidate + 1;
    }
    return 0;
}

static int is_admissible(const struct schedule_kind *kind, const union params *values, size_t T)
{
    int admissible;
    struct schedule *schedule = try_schedule(kind, values, T, &admissible);
    schedule_free(schedule);
    return schedule != NULL && admissible;
}

size_t schedule_smallest_admissible(const struct schedule_kind *kind, const union params *values, size_t T)
{
    size_t first = smallest_with_small_step(kind, values, T);
    if (first == 0 || is_admissible(kind, values, first))
        return first;
    /* Near h = 1 the noise can fall by so much in a step that it underflows; somewhat smaller steps mend that. Where
     * they do not, it is T^(c0 - c1) that underflows, and a larger T makes it worse. */
    size_t fails = first, exists = 0;
    for (size_t step = 1; exists == 0 && first + step <= 2 * first; step *= 2) {
        if (is_admissible(kind, values, first + step))
            exists = first + step;
        else
            fails = first + step;
    }
    while (exists > fails + 1) {
        size_t middle = fails + (exists - fails) / 2;
        if (is_admissible(kind, values, middle))
            exists = middle;
        else
            fails = middle;
    }
    return exists;
}

/* "KEY = VALUE, KEY = VALUE" of the reals. */
static void write_values(const struct schedule_kind *kind, const union params *values, char *text, size_t size)
{
    int used = 0;
    text[0] = '\0';
    for (const struct param *param = kind->params; param->key != NULL && used >= 0 && (size_t)used < size; param++)
        if (param->kind == PARAM_REAL)
            used += snprintf(text + used, size - (size_t)used, "%s%s = %g", used > 0 ? ", " : "", param->key,
                             *(const double *)(const void *)(values->bytes + param->offset));
}

enum status schedule_new(const struct schedule_kind *kind, double c0, double c1, size_t T, struct schedule **out,
                         struct error *error)
{
    const union params values = constants(c0, c1);
    *out = NULL;
    if (!(c0 > 0.0 && c1 > 0.0 && isfinite(c0) && isfinite(c1)))
        return fail_with(error, STATUS_INVALID, "schedule %s: c0 and c1 must be positive, not c0 = %g, c1 = %g",
                         kind->name, c0, c1);
    return schedule_with(kind, &values, T, out, error);
}

enum status schedule_with(const struct schedule_kind *kind, const union params *values, size_t T,
                          struct schedule **out, struct error *error)
{
    char text[160];
    *out = NULL;
    write_values(kind, values, text, sizeof text);
    if (T >= 2) {
        int admissible;
        struct schedule *schedule = try_schedule(kind, values, T, &admissible);
        if (schedule == NULL)
            return fail_with(error, STATUS_MEMORY, "out of memory for a schedule of %zu steps", T);
        if (admissible) {
            *out = schedule;
            return STATUS_OK;
        }
        schedule_free(schedule);
    }
    size_t smallest = schedule_smallest_admissible(kind, values, T);
    double h = T >= 1 ? kind->step_size(values, T) : 0.0;
    if (smallest == 0)
        return fail_with(error, STATUS_INADMISSIBLE,
                         "schedule %s with %s does not exist at T = %zu (h = %.4g): "
                         "a noise level leaves (0, 1), and no larger T mends it",
                         kind->name, text, T, h);
    return fail_with(error, STATUS_INADMISSIBLE,
                     "schedule %s with %s does not exist at T = %zu (h = %.4g; it needs h < 1 and "
                     "T >= 2): the smallest admissible T is %zu",
                     kind->name, text, T, h, smallest);
}

void schedule_free(struct schedule *schedule)
{
    if (schedule == NULL)
        return;
    free(schedule->log_alpha_bar);
    free(schedule);
}

struct level schedule_level(const struct schedule *schedule, size_t t)
{
    return (struct level){exp(schedule->log_alpha_bar[t]), exp(schedule->log_noise[t])};
}

struct level level_scaled(const struct level *level, double ratio)
{
    double noise = ratio * ratio * level->noise, total = level->alpha_bar + noise;
    return (struct level){level->alpha_bar / total, noise / total};
}

struct level level_noisier(const struct level *level, double beta)
{
    return (struct level){level->alpha_bar * (1.0 - beta), level->noise + level->alpha_bar * beta};
}
