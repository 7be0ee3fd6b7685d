/* The text that tells of plug-ins and files beside a stored experiment, and the stand-ins that are made of it. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "experiment/registry_parts.h"

enum { MOST_STAND_IN_PARAMS = 3 * MOST_OBJECTS * (PARAMS_SIZE / 8 + 1), NUMBERS_A_LINE = 100 };

/* All those of a plug-in; the lists end with NULL. */
struct stand_ins {
    const struct sampler *samplers[MOST_OBJECTS + 1];
    const struct target_family *targets[MOST_OBJECTS + 1];
    const struct schedule_kind *schedules[MOST_OBJECTS + 1];
    struct sampler sampler[MOST_OBJECTS];
    struct target_family target[MOST_OBJECTS];
    struct schedule_kind schedule[MOST_OBJECTS];
    char sampler_name[MOST_OBJECTS][NAME_SIZE], target_name[MOST_OBJECTS][NAME_SIZE];
    char schedule_name[MOST_OBJECTS][NAME_SIZE];
    struct param param[MOST_STAND_IN_PARAMS]; /* those of each object one after another, each list with its end */
    char param_key[MOST_STAND_IN_PARAMS][NAME_SIZE];
    size_t param_count, first_param; /* of the last object */
    size_t sampler_count, target_count, schedule_count;
};

/* Never called; says that there is noise. */
static double some_noise(const struct step *step)
{
    (void)step;
    return NAN;
}

/* What the step size is, only the plug-in knows. */
static double some_step_size(const void *params, size_t T)
{
    (void)params, (void)T;
    return NAN;
}

/* Never called; says that there is a clip. */
static void some_correction(const struct step *step, const struct score *score, size_t n, const double *x,
                            double *out, double *work)
{
    (void)step, (void)score, (void)n, (void)x, (void)out, (void)work;
}

/* The numbers among them, which an experiment may give as lists. */
static void describe_params(const struct param *params, FILE *stream)
{
    for (const struct param *param = params; param != NULL && param->key != NULL; param++)
        if (param->kind == PARAM_REAL || param->kind == PARAM_INTEGER)
            fprintf(stream, "param %s %s %.17g\n", param->key, param->kind == PARAM_REAL ? "real" : "integer",
                    param->standard);
}

char *registry_describe(const struct registry *registry)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    for (size_t i = 0; stream != NULL && i < registry->count; i++) {
        const struct plugin *plugin = &registry->plugins[i];
        fprintf(stream, "plug-in %016" PRIx64 " %s\n", plugin->hash, plugin->path);
        for (const struct sampler *const *at = plugin->samplers; *at != NULL; at++) {
            fprintf(stream, "sampler %s %zu%s%s%s", (*at)->name, (*at)->score_evaluations,
                    (*at)->log_noise_ratio != NULL ? " noise" : "",
                    (*at)->log_noise_before != NULL ? " noise-before" : "", (*at)->correction != NULL ? " clip" : "");
            if ((*at)->claimed_order > 0.0)
                fprintf(stream, " order %.17g", (*at)->claimed_order);
            fputc('\n', stream);
            describe_params((*at)->params, stream);
        }
        for (const struct target_family *const *at = plugin->targets; *at != NULL; at++) {
            fprintf(stream, "target %s\n", (*at)->name);
            describe_params((*at)->params, stream);
        }
        for (const struct schedule_kind *const *at = plugin->schedules; *at != NULL; at++) {
            fprintf(stream, "schedule %s\n", (*at)->name);
            describe_params((*at)->params, stream);
        }
    }
    for (size_t i = 0; stream != NULL && i < registry->file_count; i++) {
        const struct file_numbers *numbers = &registry->files[i].numbers;
        fprintf(stream, "file %s\n", registry->files[i].path);
        for (size_t k = 0; k < numbers->count; k++)
            fprintf(stream, "%s%.17g%s", k % NUMBERS_A_LINE == 0 ? "numbers " : " ", numbers->value[k],
                    (k + 1) % NUMBERS_A_LINE == 0 || k + 1 == numbers->count ? "\n" : "");
    }
    if (stream != NULL && fclose(stream) == 0)
        return text;
    free(text);
    return NULL;
}

/* The rest of the line is this word and perhaps others; steps over it. */
static int take_word(const char **line, const char *word)
{
    size_t length = strlen(word);
    int found = strncmp(*line, word, length) == 0 && ((*line)[length] == ' ' || (*line)[length] == '\0');
    *line += found ? length : 0;
    return found;
}

/* Each of the three returns 0 where the line, or memory, does not do; what a name must be is checked at the end. */
static int read_sampler(const char *line, struct stand_ins *to)
{
    if (to == NULL || to->sampler_count == MOST_OBJECTS)
        return 0;
    char *name = to->sampler_name[to->sampler_count];
    struct sampler *made = &to->sampler[to->sampler_count];
    int at = 0;
    *made = (struct sampler){.name = name, .doc = "", .formula = "", .source = ""};
    if (sscanf(line, "sampler %63s %4zu%n", name, &made->score_evaluations, &at) != 2 || made->score_evaluations < 1
        || made->score_evaluations > MOST_EVALUATIONS)
        return 0;
    line += at;
    made->log_noise_ratio = take_word(&line, " noise") ? some_noise : NULL;
    made->log_noise_before = take_word(&line, " noise-before") ? some_noise : NULL;
    made->correction = take_word(&line, " clip") ? some_correction : NULL;
    to->samplers[to->sampler_count++] = made;
    if (!take_word(&line, " order"))
        return *line == '\0';
    made->claim_source = "its plug-in";
    return sscanf(line, " %24lf%n", &made->claimed_order, &at) == 1 && line[at] == '\0' && made->claimed_order > 0.0
           && made->claimed_order <= MOST_ORDER;
}

static int read_target(const char *line, struct stand_ins *to)
{
    static const struct param none[] = {{0}};
    if (to == NULL || to->target_count == MOST_OBJECTS)
        return 0;
    char *name = to->target_name[to->target_count];
    struct target_family *made = &to->target[to->target_count];
    int at = 0;
    *made = (struct target_family){.name = name, .doc = "", .formula = "", .source = "", .params = none};
    to->targets[to->target_count++] = made;
    return sscanf(line, "target %63s%n", name, &at) == 1 && line[at] == '\0';
}

static int read_schedule(const char *line, struct stand_ins *to)
{
    static const struct param none[] = {{0}};
    if (to == NULL || to->schedule_count == MOST_OBJECTS)
        return 0;
    char *name = to->schedule_name[to->schedule_count];
    struct schedule_kind *made = &to->schedule[to->schedule_count];
    int at = 0;
    *made = (struct schedule_kind){
        .name = name, .doc = "", .formula = "", .source = "", .step_size = some_step_size, .params = none};
    to->schedules[to->schedule_count++] = made;
    return sscanf(line, "schedule %63s%n", name, &at) == 1 && line[at] == '\0';
}

/* More numbers of the file that came last. */
static int read_numbers(const char *line, struct registry *registry)
{
    double value[NUMBERS_A_LINE];
    size_t count = 0;
    struct file_numbers *to = registry->file_count > 0 ? &registry->files[registry->file_count - 1].numbers : NULL;
    for (int at; count < NUMBERS_A_LINE && sscanf(line, " %24lf%n", &value[count], &at) == 1; line += at)
        count++;
    double *grown =
        to != NULL && *line == '\0' && count > 0 ? array_resize(to->value, to->count + count, sizeof *grown) : NULL;
    if (grown == NULL)
        return 0;
    memcpy(grown + to->count, value, count * sizeof *grown);
    to->value = grown;
    to->count += count;
    return 1;
}

/* A number of the object that came last. Where there is no room for its value, it is none. */
static int read_param(const char *line, struct stand_ins *to)
{
    int at = 0;
    if (to == NULL || to->param_count + 1 >= MOST_STAND_IN_PARAMS
        || to->sampler_count + to->target_count + to->schedule_count == 0)
        return 0;
    struct param *made = &to->param[to->param_count];
    char *key = to->param_key[to->param_count];
    size_t place = to->param_count - to->first_param;
    char kind[8];
    double standard;
    if (sscanf(line, "param %63s %7s %24lf%n", key, kind, &standard, &at) != 3 || line[at] != '\0'
        || !registry_is_name(key) || place >= PARAMS_SIZE / sizeof(double) || !isfinite(standard))
        return 0;
    const bool is_integer = strcmp(kind, "integer") == 0;
    if ((!is_integer && strcmp(kind, "real") != 0) || (is_integer && !(standard >= 0.0 && standard < 0x1p53)))
        return 0;
    *made = (struct param){.key = key,
                           .kind = is_integer ? PARAM_INTEGER : PARAM_REAL,
                           .offset = place * sizeof(double),
                           .doc = "",
                           .standard = standard};
    to->param[++to->param_count] = (struct param){.key = NULL};
    if (to->schedule_count > 0)
        to->schedule[to->schedule_count - 1].params = &to->param[to->first_param];
    else if (to->target_count > 0)
        to->target[to->target_count - 1].params = &to->param[to->first_param];
    else
        to->sampler[to->sampler_count - 1].params = &to->param[to->first_param];
    return 1;
}

/* The params of the object that comes next are others. */
static void end_params(struct stand_ins *to)
{
    if (to != NULL && to->param_count > to->first_param)
        to->first_param = ++to->param_count;
}

static int read_plugin(const char *line, struct registry *registry)
{
    int at = 0;
    uint64_t hash = 0;
    if (registry->count == MOST_PLUGINS || sscanf(line, "plug-in %16" SCNx64 " %n", &hash, &at) != 1 || at == 0
        || line[at] == '\0')
        return 0;
    struct plugin *plugin = registry_add_plugin(registry, line + at);
    struct stand_ins *made = plugin != NULL ? array_new(1, sizeof *made) : NULL;
    if (made == NULL)
        return 0;
    *plugin = (struct plugin){plugin->path, hash, NULL, made, made->samplers, made->targets, made->schedules};
    return 1;
}

static int read_line(const char *line, struct registry *registry)
{
    static const struct file_numbers none = {0};
    struct stand_ins *last = registry->count > 0 ? registry->plugins[registry->count - 1].stand_ins : NULL;
    if (strncmp(line, "param ", 6) == 0)
        return read_param(line, last);
    end_params(last);
    return strncmp(line, "plug-in ", 8) == 0    ? read_plugin(line, registry)
           : strncmp(line, "sampler ", 8) == 0  ? read_sampler(line, last)
           : strncmp(line, "schedule ", 9) == 0 ? read_schedule(line, last)
           : strncmp(line, "numbers ", 8) == 0  ? read_numbers(line + 7, registry)
           : strncmp(line, "file ", 5) == 0     ? registry_add_file(registry, line + 5, &none, NULL) == STATUS_OK
                                                : read_target(line, last);
}

/* Names are names, and no two are the same. */
static int are_names(const struct registry *registry)
{
    const struct sampler *sampler;
    const struct target_family *family;
    const struct schedule_kind *kind;
    for (size_t i = 0; (sampler = registry_sampler_at(registry, i)) != NULL; i++)
        if (registry_sampler_called(registry, sampler->name) != sampler || !registry_is_name(sampler->name))
            return 0;
    for (size_t i = 0; (family = registry_family_at(registry, i)) != NULL; i++)
        if (registry_family_called(registry, family->name) != family || !registry_is_name(family->name))
            return 0;
    for (size_t i = 0; (kind = registry_schedule_at(registry, i)) != NULL; i++)
        if (registry_schedule_called(registry, kind->name) != kind || !registry_is_name(kind->name))
            return 0;
    return 1;
}

enum status registry_parse(const char *text, struct registry *out, struct error *error)
{
    char line[4200];
    *out = (struct registry){0};
    for (size_t number = 1; *text != '\0'; number++) {
        size_t length = strcspn(text, "\n");
        if (length >= sizeof line)
            return fail_with(error, STATUS_IO, "line %zu on plug-ins is too long", number);
        (void)snprintf(line, sizeof line, "%.*s", (int)length, text);
        if (!read_line(line, out))
            return fail_with(error, STATUS_IO, "line %zu on plug-ins is not as diffrate writes it", number);
        text += length + (text[length] == '\n');
    }
    return are_names(out)
               ? STATUS_OK
               : fail_with(error, STATUS_IO, "the lines on plug-ins name what is no name, or is there twice");
}
