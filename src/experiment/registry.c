#include "experiment/registry.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "core/file.h"
#include "core/hash.h"
#include "core/memory.h"
#include "core/text.h"

enum {
    NAME_SIZE = 64,
    MOST_EVALUATIONS = 1000,
    MOST_WORK_ARRAYS = 64,
    MOST_ORDER = 1000,
    MOST_OBJECTS = 64, /* of a kind in a plug-in */
    MOST_PLUGINS = 32
};

static const struct sampler *const no_samplers[] = {NULL};
static const struct target_family *const no_targets[] = {NULL};
static const struct schedule_kind *const no_schedules[] = {NULL};

/* ---- Looking up ---- */

/* registry_NOUN_at, registry_NOUN_plugin and NOUN_called, the first of a name that is there, for one type of
 * object; identity(object) is what a plug-in's list has of it. */
#define LOOK_UP(type, noun, list, built_in_at, identity) \
    const type *registry_##noun##_at(const struct registry *registry, size_t index) \
    { \
        size_t i = 0; \
        for (; built_in_at(i) != NULL; i++) \
            if (i == index) \
                return built_in_at(i); \
        for (size_t p = 0; p < registry->count; p++) \
            for (const type *const *at = registry->plugins[p].list; *at != NULL; at++) \
                if (i++ == index) \
                    return *at; \
        return NULL; \
    } \
    const struct plugin *registry_##noun##_plugin(const struct registry *registry, const type *object) \
    { \
        for (size_t p = 0; p < registry->count; p++) \
            for (const type *const *at = registry->plugins[p].list; *at != NULL; at++) \
                if (*at == identity(object)) \
                    return &registry->plugins[p]; \
        return NULL; \
    } \
    static const type *noun##_called(const struct registry *registry, const char *name) \
    { \
        size_t i = 0; \
        while (strcmp(registry_##noun##_at(registry, i)->name, name) != 0) \
            i++; \
        return registry_##noun##_at(registry, i); \
    }
#define ITSELF(object) (object)
LOOK_UP(struct sampler, sampler, samplers, sampler_at, sampler_kind)
LOOK_UP(struct target_family, family, targets, target_family_at, ITSELF)
LOOK_UP(struct schedule_kind, schedule, schedules, schedule_kind_at, ITSELF)

/* ---- What a plug-in must be ---- */

/* A sampler or family of a plug-in that has joined the registry, to be checked. */
struct candidate {
    const struct registry *registry;
    const struct plugin *plugin;
    const char *what; /* "sampler", "target" */
    const char *name;
    struct error *error;
};

static enum status refuse(const struct candidate *c, const char *problem, const char *more)
{
    return fail_with(c->error, STATUS_INVALID, "plug-in '%s': %s '%s' %s%s", c->plugin->path, c->what, c->name,
                     problem, more);
}

static int is_name(const char *name)
{
    return name != NULL && strlen(name) < NAME_SIZE && text_is_name(name);
}

static enum status check_name(const struct candidate *c)
{
    if (is_name(c->name))
        return STATUS_OK;
    return fail_with(
        c->error, STATUS_INVALID,
        "plug-in '%s': the name of a %s is not one of [A-Za-z0-9._-] that starts with a letter or digit, "
        "of at most %d bytes",
        c->plugin->path, c->what, NAME_SIZE - 1);
}

static enum status check_texts(const struct candidate *c, const char *doc, const char *formula, const char *source)
{
    const char *missing = doc == NULL ? "doc" : formula == NULL ? "formula" : source == NULL ? "source" : NULL;
    return missing == NULL ? STATUS_OK : refuse(c, "has no ", missing);
}

static enum status taken(const struct candidate *c, const struct plugin *owner)
{
    return owner == NULL ? refuse(c, "has the name of one that is built in", "")
                         : refuse(c, "has the name of another, in plug-in ", owner->path);
}

static enum status check_params(const struct candidate *c, const struct param *params, size_t size);

/* Whether what is not given has a value that could be given. */
static bool has_standard(const struct param *param)
{
    size_t choices = 0;
    if (param->kind == PARAM_REAL || param->kind == PARAM_INTEGER)
        return param->required || range_holds(&param->range, param->standard);
    if (param->kind == PARAM_CHOICE)
        while (param->choices[choices] != NULL)
            choices++;
    else if (param->kind == PARAM_VARIANT)
        while (param->variants[choices].name != NULL)
            choices++;
    else
        return true;
    return param->standard >= 0.0 && param->standard < (double)choices && param->standard == floor(param->standard);
}

static enum status check_param(const struct candidate *c, const struct param *param, size_t size)
{
    static const char *const reserved[] = {"name", "kind", "copies"};
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
        if (strcmp(param->key, reserved[i]) == 0)
            return refuse(c, "has a param that every target has: ", param->key);
    size_t own = param_size(param->kind);
    if (own == 0)
        return refuse(c, "has no such kind of params as that of ", param->key);
    if (param->kind == PARAM_FILE
        || param->kind == PARAM_TABLE) /* results know what is in it only of built-in ones */
        return refuse(c, "has a file as a param, which only built-in ones may: ", param->key);
    if (param->offset > size || own > size - param->offset)
        return refuse(c, "has a param outside of its struct (params_size): ", param->key);
    if (param->offset % sizeof(double) != 0) /* of which, or of as large ones, all members begin */
        return refuse(c, "has a param that is not aligned: ", param->key);
    if ((param->kind == PARAM_CHOICE && (param->choices == NULL || param->choices[0] == NULL))
        || (param->kind == PARAM_VARIANT && (param->variants == NULL || param->variants[0].name == NULL)))
        return refuse(c, "has no choices or variants of ", param->key);
    if (!has_standard(param))
        return refuse(c, "has a standard value that could not be given: ", param->key);
    if (param->kind == PARAM_VARIANT)
        for (const struct variant *variant = param->variants; variant->name != NULL; variant++)
            TRY(check_params(c, variant->params, size));
    return param->doc != NULL ? STATUS_OK : refuse(c, "has no doc of ", param->key);
}

static enum status check_params(const struct candidate *c, const struct param *params, size_t size)
{
    if (size > PARAMS_SIZE)
        return refuse(c, "has a params_size above 256", "");
    for (const struct param *param = params; param != NULL && param->key != NULL; param++) {
        TRY(check_param(c, param, size));
        for (const struct param *other = params; other != param; other++)
            if (strcmp(other->key, param->key) == 0)
                return refuse(c, "has two params called ", param->key);
    }
    return STATUS_OK;
}

static enum status check_values(const struct candidate *c, const struct sampler *sampler)
{
    union params standard;
    TRY(check_params(c, sampler->params, sampler->params_size));
    if (sampler->adapt != NULL || sampler->kind != NULL)
        return refuse(c, "has an adapt or a kind, expected NULL: only built-in ones may", "");
    if (sampler->params == NULL)
        return STATUS_OK;
    params_init(sampler->params, &standard);
    return sampler->values != NULL && memcmp(sampler->values, &standard, sampler->params_size) == 0
               ? STATUS_OK
               : refuse(c, "has values that are not the standard ones of its params", "");
}

static enum status check_sampler(const struct candidate *c, const struct sampler *sampler)
{
    TRY(check_name(c));
    const struct sampler *first = sampler_called(c->registry, c->name);
    if (first != sampler)
        return taken(c, registry_sampler_plugin(c->registry, first));
    TRY(check_texts(c, sampler->doc, sampler->formula, sampler->source));
    if (sampler->increment == NULL)
        return refuse(c, "has no increment", "");
    if (sampler->score_evaluations < 1 || sampler->score_evaluations > MOST_EVALUATIONS)
        return refuse(c, "has score_evaluations that are not 1 to 1000", "");
    if (sampler->work_arrays > MOST_WORK_ARRAYS)
        return refuse(c, "has work_arrays that are more than 64", "");
    if (sampler->draws > 0)
        return refuse(c, "draws numbers, which only built-in samplers may", "");
    if (sampler->memory > MOST_WORK_ARRAYS)
        return refuse(c, "has a memory of more than 64 arrays", "");
    if (sampler->regular)
        return refuse(c, "says that it is regular, expected 0: whether it is, is evaluated", "");
    if (!(sampler->claimed_order >= 0.0 && sampler->claimed_order <= MOST_ORDER))
        return refuse(c, "has a claimed_order that is not 0 to 1000", "");
    if (sampler->claimed_order > 0.0 && sampler->claim_source == NULL)
        return refuse(c, "has a claimed_order without claim_source", "");
    return check_values(c, sampler);
}

static enum status check_family(const struct candidate *c, const struct target_family *family)
{
    TRY(check_name(c));
    const struct target_family *first = family_called(c->registry, c->name);
    if (first != family)
        return taken(c, registry_family_plugin(c->registry, first));
    TRY(check_texts(c, family->doc, family->formula, family->source));
    if (family->params == NULL || family->factors == NULL)
        return refuse(c, "has no ", family->params == NULL ? "params" : "factors");
    if (family->approximation != NULL)
        return refuse(c, "has an approximation, expected NULL: only built-in ones may", "");
    return check_params(c, family->params, family->params_size);
}

static enum status check_schedule(const struct candidate *c, const struct schedule_kind *kind)
{
    TRY(check_name(c));
    const struct schedule_kind *first = schedule_called(c->registry, c->name);
    if (first != kind)
        return taken(c, registry_schedule_plugin(c->registry, first));
    TRY(check_texts(c, kind->doc, kind->formula, kind->source));
    if (kind->fill == NULL || kind->step_size == NULL)
        return refuse(c, "has no ", kind->fill == NULL ? "fill" : "step_size");
    if (!(kind->step_size_bound >= 0.0 && isfinite(kind->step_size_bound)))
        return refuse(c, "has a step_size_bound that is not a number >= 0", "");
    return check_params(c, kind->params, kind->params_size);
}

/* Of the plug-in that came last. */
static enum status check_plugin(const struct registry *registry, struct error *error)
{
    const struct plugin *plugin = &registry->plugins[registry->count - 1];
    size_t samplers = 0, targets = 0, schedules = 0;
    for (; plugin->samplers[samplers] != NULL && samplers <= MOST_OBJECTS; samplers++) {
        const struct sampler *sampler = plugin->samplers[samplers];
        TRY(check_sampler(&(struct candidate){registry, plugin, "sampler", sampler->name, error}, sampler));
    }
    for (; plugin->targets[targets] != NULL && targets <= MOST_OBJECTS; targets++) {
        const struct target_family *family = plugin->targets[targets];
        TRY(check_family(&(struct candidate){registry, plugin, "target", family->name, error}, family));
    }
    for (; plugin->schedules[schedules] != NULL && schedules <= MOST_OBJECTS; schedules++) {
        const struct schedule_kind *kind = plugin->schedules[schedules];
        TRY(check_schedule(&(struct candidate){registry, plugin, "schedule", kind->name, error}, kind));
    }
    size_t all = samplers + targets + schedules;
    if (all > 0 && samplers <= MOST_OBJECTS && targets <= MOST_OBJECTS && schedules <= MOST_OBJECTS)
        return STATUS_OK;
    return fail_with(error, STATUS_INVALID, "plug-in '%s' has %s, expected 1 to %d of each", plugin->path,
                     all == 0 ? "neither samplers nor targets nor schedules"
                              : "too many samplers, targets or schedules",
                     MOST_OBJECTS);
}

/* ---- Loading ---- */

static struct plugin *add_plugin(struct registry *registry, const char *path)
{
    struct plugin *grown = array_resize(registry->plugins, registry->count + 1, sizeof *grown);
    char *copy = strdup(path);
    registry->plugins = grown != NULL ? grown : registry->plugins;
    if (grown == NULL || copy == NULL) {
        free(copy);
        return NULL;
    }
    grown[registry->count] =
        (struct plugin){.path = copy, .samplers = no_samplers, .targets = no_targets, .schedules = no_schedules};
    return &grown[registry->count++];
}

static enum status open_plugin(const char *file, struct plugin *out, struct error *error)
{
    struct bytes bytes = {NULL, 0};
    struct error cause = {STATUS_OK, ""};
    enum status status = file_load(file, &bytes, &cause);
    out->hash = status == STATUS_OK ? hash_bytes(bytes.data, bytes.length) : 0;
    free(bytes.data);
    if (status != STATUS_OK)
        return fail_with(error, STATUS_INVALID, "plug-in '%s': %.400s", out->path, cause.text);
    out->handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (out->handle == NULL)
        return fail_with(error, STATUS_INVALID, "plug-in '%s' cannot be loaded: %.400s", out->path, dlerror());
    const struct diffrate_plugin *symbol = dlsym(out->handle, "diffrate_plugin");
    if (symbol == NULL)
        return fail_with(error, STATUS_INVALID,
                         "plug-in '%s' has no symbol diffrate_plugin, expected `const struct diffrate_plugin "
                         "diffrate_plugin = {DIFFRATE_ABI, samplers, targets, schedules};`",
                         out->path);
    if (symbol->abi != DIFFRATE_ABI)
        return fail_with(error, STATUS_INVALID,
                         "plug-in '%s' was built for another diffrate (ABI %" PRIx64 ", expected %" PRIx64
                         "); build it again with the headers of this one",
                         out->path, symbol->abi, DIFFRATE_ABI);
    out->samplers = symbol->samplers != NULL ? symbol->samplers : no_samplers;
    out->targets = symbol->targets != NULL ? symbol->targets : no_targets;
    out->schedules = symbol->schedules != NULL ? symbol->schedules : no_schedules;
    return STATUS_OK;
}

enum status registry_load(struct registry *registry, const char *file, const char *path, struct error *error)
{
    if (registry->count == MOST_PLUGINS)
        return fail_with(error, STATUS_INVALID, "plug-in '%s' is one too many, expected at most %d", path,
                         MOST_PLUGINS);
    struct plugin *plugin = add_plugin(registry, path);
    if (plugin == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for plug-in '%s'", path);
    TRY(open_plugin(file, plugin, error));
    for (size_t i = 0; &registry->plugins[i] != plugin; i++)
        if (registry->plugins[i].handle == plugin->handle)
            return fail_with(error, STATUS_INVALID, "plug-in '%s' is there already, as '%s'", path,
                             registry->plugins[i].path);
    return check_plugin(registry, error);
}

/* ---- Files ---- */

const struct number_file *registry_file(const struct registry *registry, const char *path, bool is_table)
{
    for (size_t i = 0; i < registry->file_count; i++)
        if (registry->files[i].is_table == is_table && strcmp(registry->files[i].path, path) == 0)
            return &registry->files[i];
    return NULL;
}

enum status registry_add_file(struct registry *registry, const char *path, struct file_numbers numbers,
                              size_t columns, struct error *error)
{
    struct number_file *grown = array_resize(registry->files, registry->file_count + 1, sizeof *grown);
    registry->files = grown != NULL ? grown : registry->files;
    char *copy = strdup(path);
    if (grown == NULL || copy == NULL) {
        free(copy);
        free(numbers.value);
        return fail_with(error, STATUS_MEMORY, "out of memory for the numbers of '%s'", path);
    }
    struct number_file *file = &grown[registry->file_count++];
    *file = (struct number_file){.path = copy, .is_table = columns > 0, .numbers = numbers};
    if (columns > 0)
        file->table = (struct number_table){numbers.count / columns, columns, numbers.value,
                                            hash_bytes(numbers.value, numbers.count * sizeof *numbers.value)};
    return STATUS_OK;
}

void registry_free(struct registry *registry)
{
    for (size_t i = 0; i < registry->count; i++) {
        struct plugin *plugin = &registry->plugins[i];
        free(plugin->path);
        if (plugin->handle != NULL)
            (void)dlclose(plugin->handle);
    }
    for (size_t i = 0; i < registry->file_count; i++) {
        free(registry->files[i].path);
        free(registry->files[i].numbers.value);
    }
    free(registry->files);
    free(registry->plugins);
    *registry = (struct registry){0};
}
