/* The key `steps` of an experiment: T, which may depend on the dimension. */
#include <math.h>

#include "core/memory.h"
#include "experiment/spec_reader.h"
#include "model/form.h"

/* Numbers of steps in all dimensions. */
#define MOST_PAIRS 1e7

size_t dimensions_find(const struct dimensions *list, size_t dimension)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->of[middle] < dimension)
            low = middle + 1;
        else
            high = middle;
    }
    return low < list->count && list->of[low] == dimension ? low : list->count;
}

void check_schedules(struct loader *l, const yaml_node_t *node, size_t steps)
{
    for (size_t i = 0; i < l->spec->schedule_count && l->doc.status == STATUS_OK; i++) {
        const struct schedule_rule *rule = &l->spec->schedules[i];
        struct error reason = {STATUS_OK, ""};
        struct schedule *schedule = NULL;
        if (schedule_with(rule->kind, &rule->values, steps, &schedule, &reason) != STATUS_OK)
            doc_refuse(&l->doc, node->start_mark, "%s", reason.text);
        schedule_free(schedule);
    }
}

/* An entry of the list: an integer, or a form in d. */
struct entry_of_steps {
    const yaml_node_t *node;
    size_t steps; /* 0: a form */
    struct form form;
};

static const char *text_of(const yaml_node_t *node)
{
    const bool is_plain =
        node != NULL && node->type == YAML_SCALAR_NODE && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return is_plain ? (const char *)node->data.scalar.value : "";
}

static bool same(const struct entry_of_steps *a, const struct entry_of_steps *b)
{
    const struct form *x = &a->form, *y = &b->form;
    return a->steps == b->steps && x->scale == y->scale && x->power == y->power && x->logs == y->logs
           && x->rate == y->rate;
}

static struct entry_of_steps *read_entries(struct loader *l, const yaml_node_t *list, size_t *count)
{
    struct doc *doc = &l->doc;
    struct entry_of_steps *entries = doc_array(doc, list, sizeof *entries, count);
    for (size_t i = 0; i < *count && doc->status == STATUS_OK; i++) {
        struct entry_of_steps *entry = &entries[i];
        struct doc probe = *doc;
        probe.error = NULL;
        entry->node = doc_item(doc, list, i);
        entry->steps = doc_integer(&probe, entry->node, 2, MOST_STEPS, NULL);
        if (probe.status != STATUS_OK && !form_parse(text_of(entry->node), &entry->form))
            doc_expected(doc, entry->node, "an integer from 2 to 10000000, or a form in d such as 8 d or 4 d log(d)");
        for (size_t j = 0; j < i && doc->status == STATUS_OK; j++)
            if (same(entry, &entries[j]))
                doc_duplicate(doc, entry->node, entries[j].node, "number of steps");
    }
    return entries;
}

/* The smallest T at which all schedules exist; 0: there is none. */
static size_t smallest_steps(const struct spec *spec)
{
    size_t T = 2, before = 0;
    while (T != before) {
        before = T;
        for (size_t i = 0; i < spec->schedule_count && T > 0; i++)
            T = schedule_smallest_admissible(spec->schedules[i].kind, &spec->schedules[i].values, T);
    }
    return T;
}

/* A T in one dimension. */
struct pair {
    size_t steps, dimension;
    const yaml_node_t *node;
};

static int by_steps(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    if (x->steps != y->steps)
        return x->steps < y->steps ? -1 : 1;
    return x->dimension < y->dimension ? -1 : x->dimension > y->dimension;
}

static size_t steps_in(struct loader *l, const struct entry_of_steps *entry, size_t dimension, size_t smallest)
{
    if (entry->steps > 0)
        return entry->steps;
    double value = form_value(&entry->form, (double)dimension);
    if (value >= 0.0 && value <= MOST_STEPS)
        return (size_t)fmax(round(value), (double)smallest);
    doc_refuse(&l->doc, entry->node->start_mark, "'%s' is %g in dimension %zu, expected a number from 0 to %d",
               text_of(entry->node), value, dimension, MOST_STEPS);
    return 0;
}

/* Every entry in each dimension, or the first alone where none depends on it, by T and then d, each once; for free().
 */
static struct pair *find_pairs(struct loader *l, const yaml_node_t *list, const struct entry_of_steps *entries,
                               size_t count, bool depends, size_t *pairs)
{
    const struct spec *spec = l->spec;
    size_t smallest = depends ? smallest_steps(spec) : 0, dimensions = depends ? spec->dimension_count : 1, kept = 0;
    if ((double)count * (double)dimensions > MOST_PAIRS) {
        doc_refuse(&l->doc, list->start_mark,
                   "found %zu numbers of steps in each of %zu dimensions, expected at most %g in all", count,
                   dimensions, MOST_PAIRS);
        return NULL;
    }
    struct pair *pair = array_new(count, dimensions * sizeof *pair);
    if (pair == NULL)
        doc_refuse(&l->doc, list->start_mark, "out of memory");
    for (size_t i = 0; i < count; i++)
        for (size_t d = 0; d < dimensions && l->doc.status == STATUS_OK; d++)
            pair[(*pairs)++] = (struct pair){steps_in(l, &entries[i], spec->dimensions[d], smallest),
                                             spec->dimensions[d], entries[i].node};
    if (*pairs > 0)
        qsort(pair, *pairs, sizeof *pair, by_steps);
    for (size_t i = 0; i < *pairs; i++)
        if (kept == 0 || by_steps(&pair[i], &pair[kept - 1]) != 0)
            pair[kept++] = pair[i];
    *pairs = kept;
    return pair;
}

static void put_steps(struct loader *l, const yaml_node_t *list, const struct pair *pair, size_t pairs, bool depends)
{
    struct spec *spec = l->spec;
    spec->steps = array_new(pairs, sizeof *spec->steps);
    spec->step_dimensions = array_new(pairs, sizeof *spec->step_dimensions);
    spec->own_dimensions = array_new(pairs, sizeof *spec->own_dimensions);
    if (spec->steps == NULL || spec->step_dimensions == NULL || spec->own_dimensions == NULL) {
        doc_refuse(&l->doc, list->start_mark, "out of memory");
        return;
    }
    for (size_t i = 0; i < pairs; i++) {
        if (i == 0 || pair[i].steps != pair[i - 1].steps) {
            spec->step_dimensions[spec->step_count] = (struct dimensions){spec->own_dimensions + i, 0};
            spec->steps[spec->step_count++] = pair[i].steps;
        }
        spec->own_dimensions[i] = pair[i].dimension;
        spec->step_dimensions[spec->step_count - 1].count++;
        if (!depends)
            spec->step_dimensions[spec->step_count - 1] = spec_dimensions(spec);
    }
}

/* Schedules exist from some T on to some other, so that the smallest and the largest speak for all. */
void read_steps(struct loader *l, const yaml_node_t *list)
{
    size_t count, pairs = 0;
    struct pair *pair = NULL;
    struct entry_of_steps *entries = read_entries(l, list, &count);
    bool depends = false;
    for (size_t i = 0; i < count && l->doc.status == STATUS_OK; i++)
        depends = depends || entries[i].steps == 0;
    if (l->doc.status == STATUS_OK)
        pair = find_pairs(l, list, entries, count, depends, &pairs);
    if (l->doc.status == STATUS_OK && pairs > 0) {
        check_schedules(l, pair[0].node, pair[0].steps);
        check_schedules(l, pair[pairs - 1].node, pair[pairs - 1].steps);
    }
    if (l->doc.status == STATUS_OK)
        put_steps(l, list, pair, pairs, depends);
    free(pair);
    free(entries);
}
