#include "model/schedule.h"

#include <math.h>
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

double schedule_step_size(double c1, size_t T)
{
    return c1 * log((double)T) / (double)T;
}

static struct schedule *try_schedule(const struct schedule_kind *kind, double c0, double c1, size_t T,
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
        (struct schedule){kind, c0, c1, T, schedule_step_size(c1, T), arrays, arrays + T + 1, arrays + 2 * (T + 1)};
    *admissible =
        schedule->h < 1.0 && kind->fill(c0, c1, T, schedule->log_alpha_bar, schedule->log_noise, schedule->beta);
    return schedule;
}

/* The smallest T' >= T with h < 1, or 0. Where h >= 1, T < c1 log(T), and as the right side grows with T, no T'
 * between the two can have h < 1: the search may jump there. */
static size_t smallest_with_small_step(double c1, size_t T)
{
    for (size_t candidate = T < 2 ? 2 : T; candidate < LARGEST_STEPS;) {
        if (schedule_step_size(c1, candidate) < 1.0)
            return candidate;
        double jump = floor(c1 * log((double)candidate));
        candidate = jump > (double)candidate + 1.0 && jump < 0x1p40 ? (size_t)jump : candidate + 1;
    }
    return 0;
}

static int is_admissible(const struct schedule_kind *kind, double c0, double c1, size_t T)
{
    int admissible;
    struct schedule *schedule = try_schedule(kind, c0, c1, T, &admissible);
    schedule_free(schedule);
    return schedule != NULL && admissible;
}

size_t schedule_smallest_admissible(const struct schedule_kind *kind, double c0, double c1, size_t T)
{
    size_t first = smallest_with_small_step(c1, T);
    if (first == 0 || is_admissible(kind, c0, c1, first))
        return first;
    /* Near h = 1 the noise can fall by so much in a step that it underflows; somewhat smaller steps mend that. Where
     * they do not, it is T^(c0 - c1) that underflows, and a larger T makes it worse. */
    size_t fails = first, exists = 0;
    for (size_t step = 1; exists == 0 && first + step <= 2 * first; step *= 2) {
        if (is_admissible(kind, c0, c1, first + step))
            exists = first + step;
        else
            fails = first + step;
    }
    while (exists > fails + 1) {
        size_t middle = fails + (exists - fails) / 2;
        if (is_admissible(kind, c0, c1, middle))
            exists = middle;
        else
            fails = middle;
    }
    return exists;
}

enum status schedule_new(const struct schedule_kind *kind, double c0, double c1, size_t T, struct schedule **out,
                         struct error *error)
{
    *out = NULL;
    if (!(c0 > 0.0 && c1 > 0.0 && isfinite(c0) && isfinite(c1)))
        return fail_with(error, STATUS_INVALID, "schedule %s: c0 and c1 must be positive, not c0 = %g, c1 = %g",
                         kind->name, c0, c1);
    if (T >= 2) {
        int admissible;
        struct schedule *schedule = try_schedule(kind, c0, c1, T, &admissible);
        if (schedule == NULL)
            return fail_with(error, STATUS_MEMORY, "out of memory for a schedule of %zu steps", T);
        if (admissible) {
            *out = schedule;
            return STATUS_OK;
        }
        schedule_free(schedule);
    }
    size_t smallest = schedule_smallest_admissible(kind, c0, c1, T);
    double h = T >= 1 ? schedule_step_size(c1, T) : 0.0;
    if (smallest == 0)
        return fail_with(error, STATUS_INADMISSIBLE,
                         "schedule %s with c0 = %g, c1 = %g does not exist at T = %zu (h = %.4g): "
                         "a noise level leaves (0, 1), and no larger T mends it",
                         kind->name, c0, c1, T, h);
    return fail_with(error, STATUS_INADMISSIBLE,
                     "schedule %s with c0 = %g, c1 = %g does not exist at T = %zu (h = %.4g; it needs h < 1 and "
                     "T >= 2): the smallest admissible T is %zu",
                     kind->name, c0, c1, T, h, smallest);
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
