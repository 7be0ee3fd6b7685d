#include "model/schedule.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/lists.h"
#include "core/memory.h"
#include "core/sum.h"

#define LARGEST_STEPS ((size_t)1 << 40)

#define SCHEDULE(object) extern const struct schedule_kind object;
#include "model/schedules.def"
#undef SCHEDULE

static const struct schedule_kind *const kinds[] = {
#define SCHEDULE(object) &object,
#include "model/schedules.def"
#undef SCHEDULE
};

LIST_AT(schedule_kind, schedule_kind_at, kinds)
LIST_FIND(schedule_kind, schedule_kind_find, schedule_kind_at)

double schedule_constants_step_size(const void *params, size_t T)
{
    return ((const struct schedule_constants *)params)->c1 * log((double)T) / (double)T;
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

void schedule_set_level(double log_snr, double *log_alpha_bar, double *log_noise)
{
    *log_alpha_bar = -log1p(exp(-log_snr));
    *log_noise = -log1p(exp(log_snr));
}

double schedule_beta(double log_noise, double rise)
{
    return -exp(log_noise) * expm1(-rise);
}

/* 1 - alpha_bar is accumulated as (1 - alpha_bar_{t-1}) + alpha_bar_{t-1} beta_t, a sum of positive terms. */
int schedule_accumulate(size_t T, const double *beta, double *log_alpha_bar, double *log_noise)
{
    struct sum log_a = {0.0, 0.0}, log_o = {log_noise[1], 0.0};
    for (size_t t = 1; t <= T; t++) {
        if (!(beta[t] > 0.0 && beta[t] < 1.0))
            return 0;
        if (t > 1)
            sum_add(&log_o, log1p(beta[t] * exp(sum_value(&log_a) - sum_value(&log_o))));
        sum_add(&log_a, log1p(-beta[t]));
        log_alpha_bar[t] = sum_value(&log_a);
        log_noise[t] = sum_value(&log_o);
        /* Near pure noise the sum rounds to 1; there alpha_bar is the number that carries the digits. */
        if (log_alpha_bar[t] < -1.0) {
            log_o = (struct sum){log1p(-exp(log_alpha_bar[t])), 0.0};
            log_noise[t] = log_o.total;
        }
    }
    return 1;
}

static int step_is_small(const struct schedule_kind *kind, double h)
{
    return kind->step_size_bound > 0.0 ? h < kind->step_size_bound : h > 0.0;
}

static int levels_are_inside(const struct schedule *schedule)
{
    for (size_t t = 1; t <= schedule->T; t++) {
        double log_a = schedule->log_alpha_bar[t], log_o = schedule->log_noise[t], beta = schedule->beta[t];
        if (!(log_a < 0.0 && exp(log_a) > 0.0 && log_o < 0.0 && exp(log_o) > 0.0 && beta > 0.0 && beta < 1.0))
            return 0;
    }
    return 1;
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
    *admissible = step_is_small(kind, schedule->h)
                  && kind->fill(values, T, schedule->log_alpha_bar, schedule->log_noise, schedule->beta)
                  && levels_are_inside(schedule);
    return schedule;
}

/* The smallest T' >= T with a small enough step, or 0. As (T - 1) h does not fall, no T' with T' - 1 below
 * (T - 1) h/bound has one: the search may jump there. */
static size_t smallest_with_small_step(const struct schedule_kind *kind, const union params *values, size_t T)
{
    for (size_t candidate = T < 2 ? 2 : T; candidate < LARGEST_STEPS;) {
        double h = kind->step_size(values, candidate);
        if (step_is_small(kind, h))
            return candidate;
        double jump = floor(h / kind->step_size_bound * (double)(candidate - 1)) + 1.0;
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
    /* Near the bound the noise can fall by so much in a step that it underflows; somewhat smaller steps mend that.
     * Where they do not, it is a level at an end that underflows, and a larger T makes it worse, or no better. */
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
    (void)snprintf(text, size, "no numbers");
    for (const struct param *param = kind->params;
         param != NULL && param->key != NULL && used >= 0 && (size_t)used < size; param++)
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

/* The levels and steps of a schedule belong together where alpha_t = alpha_bar_t/alpha_bar_{t-1} and
 * 1 - alpha_bar_t = alpha_t (1 - alpha_bar_{t-1}) + (1 - alpha_t), the noise growing. Each holds to rounding; this
 * catches a plug-in whose levels are differences of near numbers. */
static enum status check_levels(const struct schedule *s, struct error *error)
{
    double before_a = 0.0, before_o = 0.0;
    for (size_t t = 1; t <= s->T; t++) {
        double log_a = s->log_alpha_bar[t], a = exp(log_a), o = exp(s->log_noise[t]), beta = s->beta[t];
        double ratio = log_a - before_a - log1p(-beta), noise = (1.0 - beta) * before_o + beta;
        if (!(fabs(a + o - 1.0) <= 1e-12 && fabs(ratio) <= 1e-9 * beta + 1e-12 * (1.0 - log_a) + 1e-15 / (1.0 - beta)
              && fabs(noise - o) <= 1e-9 * o && noise > before_o * (1.0 - 1e-12)))
            return fail_with(error, STATUS_INVALID,
                             "schedule %s: at t = %zu of T = %zu its levels and steps do not belong together: "
                             "log alpha_bar = %.17g, log(1 - alpha_bar) = %.17g, 1 - alpha = %.17g",
                             s->kind->name, t, s->T, log_a, s->log_noise[t], beta);
        before_a = log_a;
        before_o = o;
    }
    return STATUS_OK;
}

static enum status refuse_steps(const struct schedule_kind *kind, const union params *values, size_t T,
                                struct error *error)
{
    char text[160], bound[40] = "";
    size_t smallest = schedule_smallest_admissible(kind, values, T);
    double h = T >= 2 ? kind->step_size(values, T) : HUGE_VAL;
    write_values(kind, values, text, sizeof text);
    if (kind->step_size_bound > 0.0)
        (void)snprintf(bound, sizeof bound, "h < %g and ", kind->step_size_bound);
    if (smallest == 0)
        return fail_with(error, STATUS_INADMISSIBLE,
                         "schedule %s with %s does not exist at T = %zu (h = %.4g): "
                         "a noise level leaves (0, 1), and no larger T mends it",
                         kind->name, text, T, h);
    return fail_with(error, STATUS_INADMISSIBLE,
                     "schedule %s with %s does not exist at T = %zu (h = %.4g; it needs %sT >= 2): the smallest "
                     "admissible T is %zu",
                     kind->name, text, T, h, bound, smallest);
}

enum status schedule_with(const struct schedule_kind *kind, const union params *values, size_t T,
                          struct schedule **out, struct error *error)
{
    int admissible = 0;
    struct schedule *schedule = NULL;
    *out = NULL;
    if (kind->check != NULL)
        TRY(kind->check(values, error));
    if (T >= 2) {
        schedule = try_schedule(kind, values, T, &admissible);
        if (schedule == NULL)
            return fail_with(error, STATUS_MEMORY, "out of memory for a schedule of %zu steps", T);
    }
    enum status status = admissible ? check_levels(schedule, error) : refuse_steps(kind, values, T, error);
    if (status == STATUS_OK)
        *out = schedule;
    else
        schedule_free(schedule);
    return status;
}

void schedule_rule_describe(const struct schedule_rule *rule, FILE *file)
{
    fputs(rule->kind->name, file);
    if (rule->written != NULL)
        fprintf(file, " %s", rule->written);
    else
        params_describe(rule->kind->params, &rule->values, file);
}

bool schedule_rule_equal(const struct schedule_rule *a, const struct schedule_rule *b)
{
    const struct schedule_rule *const rule[] = {a, b};
    char *text[2] = {NULL, NULL};
    size_t size[2];
    for (int i = 0; i < 2; i++) {
        FILE *stream = open_memstream(&text[i], &size[i]);
        if (stream != NULL) {
            schedule_rule_describe(rule[i], stream);
            (void)fclose(stream);
        }
    }
    bool equal = text[0] != NULL && text[1] != NULL && strcmp(text[0], text[1]) == 0;
    free(text[0]);
    free(text[1]);
    return equal;
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
