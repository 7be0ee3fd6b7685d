/* The schema of an experiment file:
 *
 *     title: Bimodal product                      # optional: the spec's name
 *     plugins: [./mine.so]                        # optional: samplers and targets of the author's own
 *     schedule: {kind: li-cai, c0: 2.0, c1: 8.5}  # optional, and so are c0 and c1: these values. Or a list of them
 *     targets:                                    # the keys of a target besides name and kind: its family's params
 *       - {name: gauss, kind: gaussian, variance: 0.25, spectrum: {kind: power, exponent: 1.0}}
 *       - {name: mixed, kind: direct-sum, factors: [{kind: gaussian, variance: 0.25, copies: rest}]}
 *     samplers:                                   # names, or with parameters; `name` is what results call it
 *       - ddpm
 *       - {kind: accelerated, overshoot: 0.5, name: half}
 *     dimensions: [1, 16, 256]
 *     steps: [256, 8 d, 4 d log(d)]               # at least one of steps and accuracies
 *     score_errors:                               # optional: exact scores. Lists stand for each product
 *       - {shape: none}                           # exact scores, measured in any case, are asked for too
 *       - {shape: bias, size: 1.0e-2, spread: all, profile: uniform, growth: 0}  # the last three optional: these
 *       - {shape: wave, size: [1.0e-3, 1.0e-2], roughness: [0.5, 2, 8]}
 *       - {shape: bump, size: 1.0e-2, probability: 1.0e-6}
 *     samples:                                    # optional: simulate chains too, at the steps
 *       chains: [1000, 30000]                     # a number or a list
 *       methods: [projection, knn, weights]       # optional: all
 *       directions: 16                            # optional: how many at random
 *       seed: 1                                   # optional
 *       distance: 0.1                             # optional, of targets `points`
 *     accuracy_in: tv                             # optional: this; or kl_p_q, kl_q_p, hellinger2, w2, chi2_q_p
 *     accuracies: [1.0e-1, 1.0e-2]
 *     max_steps: 65536                            # optional: this value
 *     claims:                                     # optional: every built-in claim that applies; or the word none
 *       - eps-ddpm                                # a built-in claim, or one stated in full (spec_claims.c)
 *       - {name: mine, quantity: tv, sampler: ddpm, at_least: {step_size: 1}}
 *
 * A number that is a parameter may be a list of them: of a target ({kind: gaussian, variance: [0.1, 1]}), sampler,
 * schedule (c1: [8.5, 17]) or score error. The entry then stands for one with each, and of several lists for one with
 * each combination, named after it ("-variance-0.1"); the values are columns of the results. A real parameter of a
 * target may depend on the dimension (model/form.h), such as weights: [rest, exp(-0.1 d)], means: [0, sqrt(d)], and
 * so may steps, which are rounded, and at least the smallest T at which the schedules exist.
 */
#include "experiment/spec.h"

#include <errno.h>
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

enum { FILE_LIMIT = 1 << 20, MOST_SCORE_ERRORS = 10000 };

static const struct range positive = GREATER_THAN(0.0);
static const struct range fraction = {0.0, 1.0, OPEN, NULL};

const char *listed_name(const void *context, size_t index)
{
    return ((const char *const *)context)[index];
}

static void read_title(struct loader *l, const yaml_node_t *node)
{
    (void)snprintf(l->spec->title, sizeof l->spec->title, "%s",
                   doc_text(&l->doc, node, sizeof l->spec->title - 1, "title"));
}

static int compare_decreasing(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a < b) - (a > b);
}

double *read_set(struct doc *doc, const yaml_node_t *list, const struct range *range, size_t least, size_t most,
                 const char *what, size_t *count)
{
    double *set = doc_array(doc, list, sizeof *set, count);
    for (size_t i = 0; i < *count; i++) {
        const yaml_node_t *node = doc_item(doc, list, i);
        set[i] = range == NULL ? (double)doc_integer(doc, node, least, most, NULL) : doc_real(doc, node, range);
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
    double *set = read_set(doc, list, NULL, least, most, what, count);
    *out = doc_array(doc, list, sizeof **out, count);
    for (size_t i = 0; i < *count; i++)
        (*out)[i] = (size_t)set[*count - 1 - i];
    free(set);
}

static void read_dimensions(struct loader *l, const yaml_node_t *list)
{
    read_integers(&l->doc, list, 1, DOC_ANY, "dimension", &l->spec->dimensions, &l->spec->dimension_count);
}

static const char *quantity_name(const void *context, size_t index)
{
    return ((const struct quantity *)context)[index].name;
}

static void read_accuracy_in(struct loader *l, const yaml_node_t *node)
{
    l->spec->accuracy_in = &accuracy_quantities[doc_choice(
        &l->doc, node, (struct names){quantity_name, accuracy_quantities}, "quantity")];
}

static void read_accuracies(struct loader *l, const yaml_node_t *list)
{
    const struct range *range = l->spec->accuracy_in->bounded ? &fraction : &positive;
    l->spec->accuracies = read_set(&l->doc, list, range, 0, 0, "accuracy", &l->spec->accuracy_count);
}

static void read_max_steps(struct loader *l, const yaml_node_t *node)
{
    l->spec->max_steps = doc_integer(&l->doc, node, 2, MOST_STEPS, NULL);
    check_schedules(l, node, l->spec->max_steps);
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
            if (target_exists(&l->spec->targets[i], l->spec->dimensions[d], &reason) != STATUS_OK)
                doc_refuse(&l->doc, list->start_mark, "%s", reason.text);
        }
}

/* Without chains, everything needs an exact law. */
static void check_law(struct loader *l, size_t index, const struct target *target, size_t dimension,
                      const yaml_node_t *node)
{
    const struct spec *spec = l->spec;
    struct error reason = {STATUS_OK, ""};
    if (measure_supports_all(target, spec->samplers, spec->sampler_count, &spec->score_errors[index], dimension,
                             &reason)
        != STATUS_OK)
        doc_refuse(&l->doc, node->start_mark, "target %s, d = %zu: %s", target->name, dimension, reason.text);
}

/* A target has the same kinds of factors in all dimensions above the smallest. T(d, eps) is of exact laws. */
static void check_laws(struct loader *l)
{
    const struct spec *spec = l->spec;
    if (spec->chain_count > 0 && spec->accuracy_count == 0)
        return;
    for (size_t i = 0; i < spec->target_count; i++)
        for (size_t d = 0; d < 2 && d < spec->dimension_count && l->doc.status == STATUS_OK; d++)
            check_law(l, 0, &spec->targets[i], spec->dimensions[d], l->target_node[i]);
}

/* The fewest steps are the largest, which parameters of samplers forbid first; what else they forbid fails when it is
 * run. */
static void check_samplers(struct loader *l)
{
    const struct spec *spec = l->spec;
    for (size_t i = 0; i < spec->sampler_count && spec->step_count > 0 && l->doc.status == STATUS_OK; i++) {
        const struct schedule_rule *rule = spec_schedule(spec, i);
        struct schedule *schedule = NULL;
        struct error reason = {STATUS_OK, ""};
        if (schedule_with(rule->kind, &rule->values, spec->steps[0], &schedule, &reason) == STATUS_OK
            && sampler_check(spec->samplers[i], schedule, &reason) != STATUS_OK)
            doc_refuse(&l->doc, l->sampler_node[i]->start_mark, "T = %zu: %s", spec->steps[0], reason.text);
        schedule_free(schedule);
    }
}

/* Sizes and profiles do not matter to what an error couples, so the first of each shape and spread speaks for all. */
static void check_score_errors(struct loader *l)
{
    const struct spec *spec = l->spec;
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
    {{"schedule", 0,
      "the kind of noise schedule, as cosine or with its constants {kind: li-cai, c0: 2.0, c1: 8.5} (default), or a "
      "list of schedules, on each of which each sampler runs"},
     read_schedules},
    {{"targets", 1,
      "a list of targets (of numbers in the place of one: a target with each), each with a name, a kind and the "
      "parameters that `diffrate list targets` says of that kind; real ones may depend on d, as exp(-0.1 d), 2 "
      "sqrt(d), 1/d or d^1/4, and one of several weights may be rest"},
     read_targets},
    {{"samplers", 1,
      "a list of samplers: names, or kinds with the parameters that `diffrate list samplers` says of them and "
      "perhaps a name"},
     read_samplers},
    {{"dimensions", 1, "a list of dimensions d"}, read_dimensions},
    {{"steps", 0,
      "a list of numbers of steps T to measure at, which may depend on d, as 8 d or 4 d log(d) (rounded, and at "
      "least the smallest T of the schedule); this, accuracies or both are needed"},
     read_steps},
    {{"score_errors", 0,
      "a list of score errors to measure, and find T(d, eps), under, beside exact scores: shape, size, and of some "
      "shapes roughness "
      "or "
      "probability, each a number or a list; spread (default: all), profile (default: uniform), growth (default: 0)"},
     read_score_errors},
    {{"samples", 0,
      "chains to simulate at the steps: chains, a number or a list; methods (default: all), directions (default: "
      "16), "
      "seed (default: 1), distance (of chains that are at a data point; default: see `diffrate list methods`)"},
     read_samples},
    {{"accuracy_in", 0,
      "what the accuracies are of: tv, kl_p_q, kl_q_p, hellinger2, w2 or chi2_q_p (default: tv); built-in claims "
      "about "
      "T(d, eps) are about tv"},
     read_accuracy_in},
    {{"accuracies", 0,
      "a list of accuracies eps > 0 to find T(d, eps) for, the smallest T with TV <= eps or what accuracy_in says; "
      "of "
      "tv and hellinger2 below 1"},
     read_accuracies},
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
        if (node != NULL || sections[i].read == read_schedules)
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
    check_samplers(l);
    if (l->doc.status == STATUS_OK)
        check_laws(l);
    if (l->doc.status == STATUS_OK)
        check_score_errors(l);
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
    *out = (struct spec){.accuracy_in = accuracy_quantities,
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
    out->score_error_entries = array_new(1, sizeof *out->score_error_entries);
    if (out->text == NULL || out->score_errors == NULL || out->score_error_entries == NULL)
        return fail_with(error, STATUS_MEMORY, "%s:1:1: out of memory", path);
    out->score_error_count = 1;
    entry_init(&out->score_error_entries[0]);
    memcpy(out->text, text, length);
    if (plugins != NULL && registry_parse(plugins, &out->registry, &cause) != STATUS_OK)
        return fail_with(error, cause.status, "%s: %s", path, cause.text);
    read_spec(&l, doc_open(&l.doc, path, out->text, length, error));
    doc_close(&l.doc);
    free(l.target_node);
    free(l.sampler_node);
    free(l.schedule_name);
    free(l.schedule_entries);
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

void spec_rename(struct spec *spec, const char *name)
{
    if (strcmp(spec->title, spec->name) == 0)
        (void)snprintf(spec->title, sizeof spec->title, "%s", name);
    (void)snprintf(spec->name, sizeof spec->name, "%s", name);
}

void spec_free(struct spec *spec)
{
    for (size_t i = 0; i < spec->target_count; i++)
        target_clear(&spec->targets[i]);
    for (size_t i = 0; i < spec->sampler_count && spec->instances != NULL; i++)
        sampler_instance_free(spec->instances[i]);
    for (size_t i = 0; i < spec->schedule_count; i++) {
        params_free(spec->schedules[i].kind->params, &spec->schedules[i].values);
        free(spec->schedules[i].written);
    }
    free(spec->text);
    free(spec->schedules);
    free(spec->targets);
    free(spec->target_entries);
    free(spec->samplers);
    free(spec->instances);
    free(spec->sampler_schedule);
    free(spec->sampler_entries);
    free(spec->score_errors);
    free(spec->score_error_entries);
    free(spec->dimensions);
    free(spec->steps);
    free(spec->step_dimensions);
    free(spec->own_dimensions);
    free(spec->chains);
    free(spec->accuracies);
    free(spec->claims);
    claim_specs_free(spec->own_claims, spec->own_claim_count);
    free(spec->plugins);
    registry_free(&spec->registry);
    *spec = (struct spec){0};
}
