/* The schema of an experiment file:
 *
 *     title: Bimodal product                      # optional: the spec's name
 *     plugins: [./mine.so]                        # optional: samplers and targets of the author's own
 *     schedule: {kind: li-cai, c0: 2.0, c1: 8.5}  # optional, and so are c0 and c1: these values
 *     targets:                                    # the keys of a target besides name and kind: its family's params
 *       - {name: gauss, kind: gaussian, variance: 0.25, spectrum: {kind: power, exponent: 1.0}}
 *       - {name: mixed, kind: direct-sum, factors: [{kind: gaussian, variance: 0.25, copies: rest}]}
 *     samplers:                                   # names, or with parameters; `name` is what results call it
 *       - ddpm
 *       - {kind: accelerated, overshoot: 0.5, name: half}
 *     dimensions: [1, 16, 256]
 *     steps: [256, 1024]                          # at least one of steps and accuracies
 *     score_errors:                               # optional: exact scores; needs steps. Lists stand for each product
 *       - {shape: none}                           # exact scores, measured in any case, are asked for too
 *       - {shape: bias, size: 1.0e-2, spread: all, profile: uniform, growth: 0}  # the last three optional: these
 *       - {shape: wave, size: [1.0e-3, 1.0e-2], roughness: [0.5, 2, 8]}
 *       - {shape: bump, size: 1.0e-2, probability: 1.0e-6}
 *     samples:                                    # optional: simulate chains too, at the steps
 *       chains: [1000, 30000]                     # a number or a list
 *       methods: [projection, knn, weights]       # optional: all
 *       directions: 16                            # optional: how many at random
 *       seed: 1                                   # optional
 *     accuracies: [1.0e-1, 1.0e-2]
 *     max_steps: 65536                            # optional: this value
 *     claims:                                     # optional: every built-in claim that applies; or the word none
 *       - eps-ddpm                                # a built-in claim, or one stated in full (spec_claims.c)
 *       - {name: mine, quantity: tv, sampler: ddpm, at_least: {step_size: 1}}
 */
#include "experiment/spec.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "experiment/limits.h"
#include "experiment/record.h"
#include "experiment/spec_reader.h"
#include "law/measure.h"
#include "model/spectra.h"

enum { FILE_LIMIT = 1 << 20, MOST_STEPS = 10000000, MOST_SCORE_ERRORS = 10000 };

static const struct range any_real = {0};
static const struct range positive = GREATER_THAN(0.0);
static const struct range wave_numbers = {0.0, 10000.0, OPEN_BELOW, "for a law takes time in proportion to it"};
static const struct range fraction = {0.0, 1.0, OPEN, NULL};
static const struct range below_half = {0.0, 0.5, OPEN, NULL};

static const char *schedule_name(const void *context, size_t index)
{
    (void)context;
    const struct schedule_kind *kind = schedule_kind_at(index);
    return kind != NULL ? kind->name : NULL;
}

static const char *shape_name(const void *context, size_t index)
{
    (void)context;
    const struct error_shape *shape = index > 0 ? error_shape_at(index - 1) : NULL;
    return index == 0 ? "none" : shape != NULL ? shape->name : NULL;
}

static const char *profile_name(const void *context, size_t index)
{
    (void)context;
    const struct error_profile *profile = error_profile_at(index);
    return profile != NULL ? profile->name : NULL;
}

const char *listed_name(const void *context, size_t index)
{
    return ((const char *const *)context)[index];
}

static void read_name(struct doc *doc, const yaml_node_t *node, struct target *target)
{
    const char *name = doc_text(doc, node, sizeof target->name - 1, "name");
    if (doc->status == STATUS_OK && !text_is_name(name))
        doc_expected(doc, node, "a name of [A-Za-z0-9._-] that starts with a letter or digit");
    (void)snprintf(target->name, sizeof target->name, "%s", name);
}

static void read_title(struct loader *l, const yaml_node_t *node)
{
    (void)snprintf(l->spec->title, sizeof l->spec->title, "%s",
                   doc_text(&l->doc, node, sizeof l->spec->title - 1, "title"));
}

/* Rates are in h = c1 log(T)/T, so that c0 and c1 are told apart. */
static void set_schedule(struct spec *spec, const struct schedule_kind *kind, const union params *values)
{
    const struct schedule_constants *constants = (const void *)values;
    spec->schedule = kind;
    spec->c0 = constants->c0;
    spec->c1 = constants->c1;
}

static void read_schedule(struct loader *l, const yaml_node_t *map)
{
    static const char *const own[] = {"kind", NULL};
    union params values;
    const yaml_node_t *node = doc_find(&l->doc, map, "kind", true);
    const struct schedule_kind *kind =
        schedule_kind_at(doc_choice(&l->doc, node, (struct names){schedule_name, NULL}, "schedule"));
    if (kind->params != schedule_constants_params) { /* all that a spec and its results hold of a schedule */
        doc_refuse(&l->doc, node->start_mark, "the schedule '%s' has other constants than c0 and c1", kind->name);
        return;
    }
    params_init(kind->params, &values);
    read_params(l, map, own, kind->params, &values);
    set_schedule(l->spec, kind, &values);
}

static void read_targets(struct loader *l, const yaml_node_t *list)
{
    struct spec *spec = l->spec;
    struct doc *doc = &l->doc;
    spec->targets = doc_array(doc, list, sizeof *spec->targets, &spec->target_count);
    for (size_t i = 0; i < spec->target_count; i++) {
        const yaml_node_t *name = read_target(l, doc_item(doc, list, i), "name", false, &spec->targets[i]);
        read_name(doc, name, &spec->targets[i]);
        for (size_t j = 0; j < i && doc->status == STATUS_OK; j++)
            if (strcmp(spec->targets[i].name, spec->targets[j].name) == 0)
                doc_duplicate(doc, name, doc_find(doc, doc_item(doc, list, j), "name", true), "target name");
    }
}

static int compare_decreasing(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a < b) - (a > b);
}

/* A set of integers from least to most or, if most is 0, of fractions, in decreasing order. */
static double *read_set(struct doc *doc, const yaml_node_t *list, size_t least, size_t most, const char *what,
                        size_t *count)
{
    double *set = doc_array(doc, list, sizeof *set, count);
    for (size_t i = 0; i < *count; i++) {
        const yaml_node_t *node = doc_item(doc, list, i);
        set[i] = most > 0 ? (double)doc_integer(doc, node, least, most, NULL) : doc_real(doc, node, &fraction);
        for (size_t j = 0; j < i && doc->status == STATUS_OK; j++)
            if (!(set[i] < set[j] || set[i] > set[j]))
                doc_duplicate(doc, node, doc_item(doc, list, j), what);
    }
    if (set != NULL)
        qsort(set, *count, sizeof *set, compare_decreasing);
    return set;
}

void read_integers(struct doc *doc, const yaml_node_t *list, size_t least, size_t most, const char *what,
                   size_t **out, size_t *count)
{
    double *set = read_set(doc, list, least, most, what, count);
    *out = doc_array(doc, list, sizeof **out, count);
    for (size_t i = 0; i < *count; i++)
        (*out)[i] = (size_t)set[*count - 1 - i];
    free(set);
}

static void read_dimensions(struct loader *l, const yaml_node_t *list)
{
    read_integers(&l->doc, list, 1, DOC_ANY, "dimension", &l->spec->dimensions, &l->spec->dimension_count);
}

/* The schedule must exist at this T; if not, its own sentence names the smallest that does. */
static void check_schedule(struct loader *l, const yaml_node_t *node, size_t steps)
{
    struct error reason = {STATUS_OK, ""};
    struct schedule *schedule = NULL;
    if (l->doc.status != STATUS_OK)
        return;
    if (schedule_new(l->spec->schedule, l->spec->c0, l->spec->c1, steps, &schedule, &reason) != STATUS_OK)
        doc_refuse(&l->doc, node->start_mark, "%s", reason.text);
    schedule_free(schedule);
}

/* Where h < 1, schedules exist from some T on to some other, so that the smallest and the largest speak for all. */
static void read_steps(struct loader *l, const yaml_node_t *list)
{
    read_integers(&l->doc, list, 2, MOST_STEPS, "number of steps", &l->spec->steps, &l->spec->step_count);
    const struct spec *spec = l->spec;
    for (size_t i = 0; i < spec->step_count; i++) {
        const yaml_node_t *node = doc_item(&l->doc, list, i);
        size_t steps = doc_integer(&l->doc, node, 2, MOST_STEPS, NULL);
        if (steps == spec->steps[0] || steps == spec->steps[spec->step_count - 1]
            || !(schedule_step_size(spec->c1, steps) < 1.0))
            check_schedule(l, node, steps);
    }
}

/* What lists of numbers in an entry of score_errors stand for. */
static const struct error_axis {
    const char *key;
    int parameter; /* of the shapes that have it; 0: of all */
    size_t offset; /* into struct score_error */
    const struct range *range;
} error_axes[] = {
    {"size", 0, offsetof(struct score_error, size), &positive},
    {"roughness", ERROR_ROUGHNESS, offsetof(struct score_error, roughness), &wave_numbers},
    {"probability", ERROR_PROBABILITY, offsetof(struct score_error, probability), &below_half},
};
enum { ERROR_AXES = sizeof error_axes / sizeof error_axes[0] };

static bool has_axis(const struct error_shape *shape, const struct error_axis *axis)
{
    return (axis->parameter & ~shape->parameters) == 0;
}

/* The keys of a score error of this shape; NULL: of exact scores. */
static const char *error_key(const void *context, size_t index)
{
    static const char *const common[] = {"spread", "profile", "growth", NULL};
    const struct error_shape *shape = context;
    if (index == 0)
        return "shape";
    if (shape == NULL)
        return NULL;
    for (size_t a = 0; a < ERROR_AXES; a++)
        if (has_axis(shape, &error_axes[a]) && --index == 0)
            return error_axes[a].key;
    return common[index - 1];
}

static void refuse_same_error(struct loader *l, const yaml_node_t *node, size_t first)
{
    char text[200];
    yaml_mark_t mark = l->error_node[first]->start_mark;
    record_label_score_error(&l->spec->score_errors[first], text, sizeof text);
    doc_refuse(&l->doc, node->start_mark, "duplicate score error '%s', first given on line %zu, column %zu", text,
               mark.line + 1, mark.column + 1);
}

static bool same_error(const struct score_error *a, const struct score_error *b)
{
    return a->shape == b->shape && a->profile == b->profile && a->spread == b->spread && a->size == b->size
           && a->growth == b->growth && a->roughness == b->roughness && a->probability == b->probability;
}

/* Makes room for `more` score errors. */
static bool extend_errors(struct loader *l, const yaml_node_t *node, size_t more)
{
    struct spec *spec = l->spec;
    size_t count = spec->score_error_count;
    if (more > MOST_SCORE_ERRORS + 1 - count) {
        doc_refuse(&l->doc, node->start_mark, "found %zu score errors up to here, expected at most %d",
                   count - 1 + more, MOST_SCORE_ERRORS);
        return false;
    }
    struct score_error *errors = array_resize(spec->score_errors, count + more, sizeof *errors);
    spec->score_errors = errors != NULL ? errors : spec->score_errors;
    const yaml_node_t **nodes = array_resize(l->error_node, count + more, sizeof *nodes);
    l->error_node = nodes != NULL ? nodes : l->error_node;
    if (errors == NULL || nodes == NULL)
        doc_refuse(&l->doc, node->start_mark, "out of memory for %zu score errors", more);
    return l->doc.status == STATUS_OK;
}

/* Adds the product of the lists to the errors; the first list varies slowest. */
static void expand_errors(struct loader *l, const yaml_node_t *node, const struct score_error *common,
                          double *const *values, const size_t *counts)
{
    struct spec *spec = l->spec;
    size_t product = 1, before = spec->score_error_count;
    for (size_t a = 0; a < ERROR_AXES; a++)
        product *= counts[a] > 0 ? counts[a] : 1;
    if (!extend_errors(l, node, product))
        return;
    for (size_t i = 0; i < product && l->doc.status == STATUS_OK; i++) {
        struct score_error error = *common;
        size_t rest = i;
        for (size_t a = ERROR_AXES; a-- > 0;)
            if (counts[a] > 0) {
                *(double *)(void *)((char *)&error + error_axes[a].offset) = values[a][rest % counts[a]];
                rest /= counts[a];
            }
        for (size_t j = 1; j < before && l->doc.status == STATUS_OK; j++)
            if (same_error(&spec->score_errors[j], &error))
                refuse_same_error(l, node, j);
        l->error_node[spec->score_error_count] = node;
        spec->score_errors[spec->score_error_count++] = error;
    }
}

static void read_score_error(struct loader *l, const yaml_node_t *map)
{
    struct doc *doc = &l->doc;
    size_t choice = doc_choice(doc, doc_find(doc, map, "shape", true), (struct names){shape_name, NULL}, "shape");
    struct score_error error = {.shape = choice > 0 ? error_shape_at(choice - 1) : NULL};
    doc_keys(doc, map, (struct names){error_key, error.shape});
    if (doc->status != STATUS_OK)
        return;
    if (error.shape == NULL) {
        if (l->spec->exact_scores_listed)
            refuse_same_error(l, map, 0);
        l->spec->exact_scores_listed = 1;
        l->error_node[0] = map;
        return;
    }
    const yaml_node_t *spread = doc_find(doc, map, "spread", false), *profile = doc_find(doc, map, "profile", false);
    const yaml_node_t *growth = doc_find(doc, map, "growth", false);
    double *values[ERROR_AXES] = {NULL};
    size_t counts[ERROR_AXES] = {0};
    for (size_t a = 0; a < ERROR_AXES; a++)
        if (has_axis(error.shape, &error_axes[a]))
            values[a] = doc_reals(doc, doc_find(doc, map, error_axes[a].key, true), error_axes[a].range,
                                  error_axes[a].key, &counts[a]);
    error.spread = SPREAD_ALL;
    if (spread != NULL)
        error.spread =
            (enum error_spread)doc_choice(doc, spread, (struct names){listed_name, error_spread_names}, "spread");
    error.profile = profile == NULL
                        ? error_profile_find("uniform")
                        : error_profile_at(doc_choice(doc, profile, (struct names){profile_name, NULL}, "profile"));
    error.growth = doc_real(doc, growth, &any_real);
    if (doc->status == STATUS_OK)
        expand_errors(l, map, &error, values, counts);
    for (size_t a = 0; a < ERROR_AXES; a++)
        free(values[a]);
}

/* One element for each entry: doc_array only checks the list. */
static void read_score_errors(struct loader *l, const yaml_node_t *list)
{
    size_t entries;
    free(doc_array(&l->doc, list, 1, &entries));
    l->spec->exact_scores_listed = 0;
    if (entries > 0 && extend_errors(l, list, 0))
        for (size_t i = 0; i < entries && l->doc.status == STATUS_OK; i++)
            read_score_error(l, doc_item(&l->doc, list, i));
}

static void read_accuracies(struct loader *l, const yaml_node_t *list)
{
    l->spec->accuracies = read_set(&l->doc, list, 0, 0, "accuracy", &l->spec->accuracy_count);
}

static void read_max_steps(struct loader *l, const yaml_node_t *node)
{
    l->spec->max_steps = doc_integer(&l->doc, node, 2, MOST_STEPS, NULL);
    check_schedule(l, node, l->spec->max_steps);
}

static void check_limits(struct loader *l, const yaml_node_t *root)
{
    struct excess excess;
    if (limits_exceeded(l->spec, l->memory, &excess))
        doc_refuse(&l->doc, doc_find(&l->doc, root, excess.key, true)->start_mark, "%s", excess.text);
}

static void check_dimensions(struct loader *l, const yaml_node_t *root)
{
    const yaml_node_t *list = doc_find(&l->doc, root, "dimensions", true);
    for (size_t i = 0; i < l->spec->target_count; i++)
        for (size_t d = 0; d < l->spec->dimension_count && l->doc.status == STATUS_OK; d++) {
            struct error reason = {STATUS_OK, ""};
            if (target_is_loaded(&l->spec->targets[i])
                && target_exists(&l->spec->targets[i], l->spec->dimensions[d], &reason) != STATUS_OK)
                doc_refuse(&l->doc, list->start_mark, "%s", reason.text);
        }
}

/* Without chains, everything needs an exact law. */
static void check_law(struct loader *l, size_t index, const struct target *target, size_t dimension,
                      const yaml_node_t *node)
{
    const struct spec *spec = l->spec;
    struct error reason = {STATUS_OK, ""};
    if (target_is_loaded(target)
        && measure_supports_all(target, spec->samplers, spec->sampler_count, &spec->score_errors[index], dimension,
                                &reason)
               != STATUS_OK)
        doc_refuse(&l->doc, node->start_mark, "target %s, d = %zu: %s", target->name, dimension, reason.text);
}

/* A target has the same kinds of factors in all dimensions above the smallest. T(d, eps) is of exact laws. */
static void check_laws(struct loader *l, const yaml_node_t *root)
{
    const struct spec *spec = l->spec;
    const yaml_node_t *list = doc_find(&l->doc, root, "targets", true);
    if (spec->chain_count > 0 && spec->accuracy_count == 0)
        return;
    for (size_t i = 0; i < spec->target_count; i++)
        for (size_t d = 0; d < 2 && d < spec->dimension_count && l->doc.status == STATUS_OK; d++)
            check_law(l, 0, &spec->targets[i], spec->dimensions[d], doc_item(&l->doc, list, i));
}

/* The fewest steps are the largest, which parameters of samplers forbid first; what else they forbid fails when it is
 * run. */
static void check_samplers(struct loader *l, const yaml_node_t *root)
{
    const struct spec *spec = l->spec;
    const yaml_node_t *list = doc_find(&l->doc, root, "samplers", true);
    struct schedule *schedule = NULL;
    struct error reason = {STATUS_OK, ""};
    if (l->doc.status != STATUS_OK || spec->step_count == 0
        || schedule_new(spec->schedule, spec->c0, spec->c1, spec->steps[0], &schedule, &reason) != STATUS_OK)
        return;
    for (size_t i = 0; i < spec->sampler_count && l->doc.status == STATUS_OK; i++)
        if (sampler_check(spec->samplers[i], schedule, &reason) != STATUS_OK)
            doc_refuse(&l->doc, doc_item(&l->doc, list, i)->start_mark, "T = %zu: %s", spec->steps[0], reason.text);
    schedule_free(schedule);
}

/* Sizes and profiles do not matter to what an error couples, so the first of each shape and spread speaks for all. */
static void check_score_errors(struct loader *l, const yaml_node_t *root)
{
    const struct spec *spec = l->spec;
    if (spec->score_error_count > 1 && spec->step_count == 0)
        doc_refuse(
            &l->doc, doc_find(&l->doc, root, "score_errors", true)->start_mark,
            "missing key 'steps', expected the numbers of steps to measure score errors at; T(d, eps) is found "
            "with exact scores only");
    for (size_t e = 1; e < spec->score_error_count && l->doc.status == STATUS_OK; e++) {
        size_t first = 1;
        while (spec->score_errors[first].shape != spec->score_errors[e].shape
               || spec->score_errors[first].spread != spec->score_errors[e].spread)
            first++;
        if (first < e || spec->chain_count > 0)
            continue;
        for (size_t i = 0; i < spec->target_count; i++)
            for (size_t d = 0; d < 2 && d < spec->dimension_count && l->doc.status == STATUS_OK; d++)
                check_law(l, e, &spec->targets[i], spec->dimensions[d], l->error_node[e]);
    }
}

static const struct section {
    struct spec_key of;
    void (*read)(struct loader *l, const yaml_node_t *node);
} sections[] = {
    {{"title", 0, "what reports are headed by (default: the file's name)"}, read_title},
    {{"plugins", 0, "a list of shared objects with samplers and targets, by paths from the file"}, read_plugins},
    {{"schedule", 0, "kind and constants of the noise schedule (default: {kind: li-cai, c0: 2.0, c1: 8.5})"},
     read_schedule},
    {{"targets", 1,
      "a list of targets, each with a name, a kind and the parameters that `diffrate list targets` says of that "
      "kind"},
     read_targets},
    {{"samplers", 1,
      "a list of samplers: names, or kinds with the parameters that `diffrate list samplers` says of them and "
      "perhaps a name"},
     read_samplers},
    {{"dimensions", 1, "a list of dimensions d"}, read_dimensions},
    {{"steps", 0, "a list of numbers of steps T to measure at; this, accuracies or both are needed"}, read_steps},
    {{"score_errors", 0,
      "a list of score errors to measure at the steps beside exact scores: shape, size, and of some shapes roughness "
      "or "
      "probability, each a number or a list; spread (default: all), profile (default: uniform), growth (default: 0)"},
     read_score_errors},
    {{"samples", 0,
      "chains to simulate at the steps: chains, a number or a list; methods (default: all), directions (default: "
      "16), "
      "seed (default: 1)"},
     read_samples},
    {{"accuracies", 0, "a list of accuracies eps in (0, 1) to find T(d, eps) for"}, read_accuracies},
    {{"max_steps", 0, "the largest T of the search for T(d, eps) (default: 65536)"}, read_max_steps},
    {{"claims", 0,
      "a list of claims to judge, names of built-in ones or claims of your own with the keys that `diffrate list "
      "claims` says; or the word none (default: all built-in ones that apply)"},
     read_claims},
};
enum { SECTIONS = sizeof sections / sizeof sections[0] };

const struct spec_key *spec_key_at(size_t index)
{
    return index < SECTIONS ? &sections[index].of : NULL;
}

static const char *section_key(const void *context, size_t index)
{
    (void)context;
    return index < SECTIONS ? sections[index].of.key : NULL;
}

static void read_spec(struct loader *l, const yaml_node_t *root)
{
    doc_keys(&l->doc, root, (struct names){section_key, NULL});
    for (size_t i = 0; i < SECTIONS; i++) {
        const yaml_node_t *node = doc_find(&l->doc, root, sections[i].of.key, sections[i].of.required);
        if (node != NULL)
            sections[i].read(l, node);
    }
    if (l->doc.status == STATUS_OK)
        check_limits(l, root);
    if (l->doc.status == STATUS_OK)
        check_dimensions(l, root);
    if (l->doc.status == STATUS_OK && l->spec->step_count == 0 && l->spec->accuracy_count == 0)
        doc_refuse(&l->doc, root->start_mark, "missing key 'steps' or 'accuracies', expected at least one of them");
    if (l->doc.status == STATUS_OK && l->spec->chain_count > 0 && l->spec->step_count == 0)
        doc_refuse(&l->doc, doc_find(&l->doc, root, "samples", true)->start_mark,
                   "missing key 'steps', expected the numbers of steps to simulate chains at");
    check_samplers(l, root);
    if (l->doc.status == STATUS_OK)
        check_laws(l, root);
    if (l->doc.status == STATUS_OK)
        check_score_errors(l, root);
}

static void name_from_path(const char *path, char out[64])
{
    const char *slash = strrchr(path, '/'), *base = slash != NULL ? slash + 1 : path, *dot = strrchr(base, '.');
    size_t length = strlen(base);
    if (dot != NULL && dot > base && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0))
        length = (size_t)(dot - base);
    length = length < 63 ? length : 63;
    for (size_t i = 0; i < length; i++)
        out[i] = strchr(NAME_CHARACTERS, base[i]) != NULL && (i > 0 || base[i] != '.') ? base[i] : '-';
    out[length] = '\0';
}

/* plugins NULL: those that the text names are loaded. */
static enum status parse(const char *path, const char *text, size_t length, const char *plugins,
                         const char *const *claim_names, double memory, struct spec *out, struct error *error)
{
    struct error cause = {STATUS_OK, ""};
    struct loader l = {.spec = out, .claim_names = claim_names, .memory = memory, .loads = plugins == NULL};
    *out = (struct spec){.schedule = schedule_kind_find("li-cai"),
                         .c0 = 2.0,
                         .c1 = 8.5,
                         .exact_scores_listed = 1,
                         .max_steps = 65536,
                         .seed = 1,
                         .directions = 16,
                         .methods = ~0u};
    name_from_path(path, out->name);
    memcpy(out->title, out->name, sizeof out->name);
    if (length > FILE_LIMIT)
        return fail_with(error, STATUS_INVALID, "%s:1:1: the file is too large, expected at most 1 MiB", path);
    out->text = array_new(length + 1, 1);
    out->score_errors = array_new(1, sizeof *out->score_errors); /* zeros: exact scores */
    if (out->text == NULL || out->score_errors == NULL)
        return fail_with(error, STATUS_MEMORY, "%s:1:1: out of memory", path);
    out->score_error_count = 1;
    memcpy(out->text, text, length);
    if (plugins != NULL && registry_parse(plugins, &out->registry, &cause) != STATUS_OK)
        return fail_with(error, cause.status, "%s: %s", path, cause.text);
    read_spec(&l, doc_open(&l.doc, path, out->text, length, error));
    doc_close(&l.doc);
    free(l.error_node);
    if (l.doc.status != STATUS_OK)
        return l.doc.status;
    out->plugins = registry_describe(&out->registry);
    return out->plugins != NULL ? STATUS_OK : fail_with(error, STATUS_MEMORY, "%s:1:1: out of memory", path);
}

enum status spec_parse(const char *path, const char *text, size_t length, const char *plugins,
                       const char *const *claim_names, struct spec *out, struct error *error)
{
    return parse(path, text, length, plugins, claim_names, INFINITY, out, error);
}

static enum status read_file(const char *path, char *text, size_t *length, struct error *error)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return fail_with(error, STATUS_INVALID, "%s:1:1: cannot open: %s", path, strerror(errno));
    *length = fread(text, 1, FILE_LIMIT + 1, file);
    int problem = ferror(file) ? errno : 0;
    (void)fclose(file);
    return problem == 0 ? STATUS_OK
                        : fail_with(error, STATUS_INVALID, "%s:1:1: cannot read: %s", path, strerror(problem));
}

enum status spec_load(const char *path, const char *const *claim_names, struct spec *out, struct error *error)
{
    size_t length = 0;
    char *text = array_new(FILE_LIMIT + 1, 1);
    *out = (struct spec){0};
    if (text == NULL)
        return fail_with(error, STATUS_MEMORY, "%s:1:1: out of memory", path);
    enum status status = read_file(path, text, &length, error);
    if (status == STATUS_OK)
        status = parse(path, text, length, NULL, claim_names, limits_machine_memory(), out, error);
    free(text);
    return status;
}

void spec_free(struct spec *spec)
{
    for (size_t i = 0; i < spec->target_count; i++)
        target_clear(&spec->targets[i]);
    for (size_t i = 0; i < spec->sampler_count && spec->instances != NULL; i++)
        sampler_instance_free(spec->instances[i]);
    free(spec->text);
    free(spec->targets);
    free(spec->samplers);
    free(spec->instances);
    free(spec->score_errors);
    free(spec->dimensions);
    free(spec->steps);
    free(spec->chains);
    free(spec->accuracies);
    free(spec->claims);
    claim_specs_free(spec->own_claims, spec->own_claim_count);
    free(spec->plugins);
    registry_free(&spec->registry);
    *spec = (struct spec){0};
}
