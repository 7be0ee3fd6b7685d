#include "experiment/plan.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "experiment/bracket.h"
#include "experiment/cost.h"
#include "experiment/share.h"
#include "law/measure.h"

enum {
    SMALLEST_LOG2_STEPS = 4,
    MOST_LOG2_STEPS = 40,
    FIRST_STEPS =
        1500, /* the grid up to here is measured at once; beyond, one T at a time and only if it is needed */
    MOST_ROUNDS = 100,
    SEPARATE_ROUNDS = 40, /* in which a T that may not be the answer waits for the others of its group */
    FOLLOWED_ROUNDS = 12 /* in which a search of dear laws goes where extrapolated values lead; then along the grid */
};

/* Predicted microseconds of a law at FIRST_STEPS, above which it is dear: laws on the line are not, and not of a
 * radius.
 */
#define DEAR_LAW 3e6
/* Extrapolated values are followed to so many times a T that is known, up or down. */
#define FARTHEST 4.0

static bool all_exist(const struct schedule_rule *rules, size_t count, size_t T)
{
    for (size_t i = 0; i < count; i++)
        if (schedule_smallest_admissible(rules[i].kind, &rules[i].values, T) != T)
            return false;
    return true;
}

/* Schedules exist from some T on to some other: where they do at the largest T, at all from the smallest on. */
enum status grid_make(const struct spec *spec, size_t first, size_t count, struct grid *out, struct error *error)
{
    *out = (struct grid){array_new(2 * (MOST_LOG2_STEPS - SMALLEST_LOG2_STEPS) + 1, sizeof *out->steps), 0};
    if (out->steps == NULL)
        return fail_with(error, STATUS_MEMORY, "out of memory for a grid of steps");
    const struct schedule_rule *rules = &spec->schedules[first];
    const bool to_the_end = all_exist(rules, count, spec->max_steps);
    for (int half = 2 * SMALLEST_LOG2_STEPS; half < 2 * MOST_LOG2_STEPS; half++) {
        size_t T = (size_t)lround(exp2(0.5 * half));
        if (T >= spec->max_steps)
            break;
        if (T > FIRST_STEPS && half % 2 != 0)
            continue;
        if ((to_the_end && out->count > 0) || all_exist(rules, count, T))
            out->steps[out->count++] = T;
    }
    out->steps[out->count++] = spec->max_steps;
    return STATUS_OK;
}

static enum status no_memory(const struct plan *plan, struct error *error)
{
    return fail_with(error, STATUS_MEMORY, "out of memory for more than %zu cells", plan->count);
}

static enum status add_item(struct plan *plan, struct item item, struct error *error)
{
    struct item *items = array_reserve(plan->items, &plan->capacity, plan->count + 1, sizeof *items);
    if (items == NULL)
        return no_memory(plan, error);
    plan->items = items;
    if (item.pursuit != SIZE_MAX) {
        struct pursuit *pursuit = &plan->pursuits[item.pursuit];
        size_t *members = array_reserve(pursuit->items, &pursuit->capacity, pursuit->count + 1, sizeof *members);
        if (members == NULL)
            return no_memory(plan, error);
        pursuit->items = members;
        pursuit->items[pursuit->count++] = plan->count;
        pursuit->outstanding++;
    }
    plan->items[plan->count++] = item;
    return STATUS_OK;
}

/* How many laws serve a cell of a pursuit: as many as there are groups among its dimensions. */
static double count_laws(const struct plan *plan, const struct pursuit *pursuit, const struct dimensions *list)
{
    const struct dimensions all = spec_dimensions(plan->spec);
    double laws = 0.0;
    for (size_t i = 0, j; i < list->count; i++) {
        const size_t group = pursuit->group[dimensions_find(&all, list->of[i])];
        for (j = 0; j < i && pursuit->group[dimensions_find(&all, list->of[j])] != group;)
            j++;
        laws += j == i;
    }
    return laws;
}

/* A T for the group of a dimension, unless the pursuit has it. A cell of this T that was added to the pursuit's items
 * at `first` or later, and has not begun, takes it in. */
static enum status want(struct plan *plan, size_t index, size_t first, size_t dimension, size_t steps,
                        struct error *error)
{
    enum { WANTED = 1, HELD };
    const struct pursuit *pursuit = &plan->pursuits[index];
    const struct dimensions all = spec_dimensions(plan->spec);
    size_t *own = array_new(all.count, sizeof *own), missing = 0, count = 0; /* first marks, then the dimensions */
    struct item *held = NULL;
    if (own == NULL)
        return no_memory(plan, error);
    for (size_t i = 0; i < all.count; i++)
        own[i] = pursuit->searched[i] && pursuit->group[i] == pursuit->group[dimension] ? WANTED : 0;
    for (size_t i = 0; i < pursuit->count; i++) {
        struct item *item = &plan->items[pursuit->items[i]];
        if (item->cell.steps != steps)
            continue;
        held = i >= first ? item : held;
        for (size_t k = 0; k < item->cell.dimensions.count; k++)
            own[dimensions_find(&all, item->cell.dimensions.of[k])] = i >= first ? HELD : 0;
    }
    for (size_t i = 0; i < all.count; i++) {
        missing += own[i] == WANTED;
        if (own[i] != 0)
            own[count++] = all.of[i];
    }
    if (missing == 0) {
        free(own);
        return STATUS_OK;
    }
    struct item item = {.cell = {plan->spec, pursuit->target, pursuit->sampler, pursuit->score_error, steps, 0,
                                 count == all.count ? all : (struct dimensions){own, count}},
                        .share = pursuit->share,
                        .pursuit = index,
                        .own = own};
    item.cost = cost_of_cell(&item.cell, NULL) * count_laws(plan, pursuit, &item.cell.dimensions);
    if (held != NULL) {
        free(held->own);
        *held = item;
        return STATUS_OK;
    }
    enum status status = add_item(plan, item, error);
    if (status != STATUS_OK)
        free(own);
    return status;
}

/* The cell by exact laws, in those of its dimensions that have one. */
static enum status add_law(struct plan *plan, struct item item, const bool *has_law, struct error *error)
{
    item.own = dimensions_with_law(plan->spec, item.cell.dimensions, has_law, &item.cell.dimensions.count);
    item.cell.dimensions.of = item.own;
    if (item.own == NULL)
        return no_memory(plan, error);
    item.cost = cost_of_cell(&item.cell, NULL);
    enum status status = item.cell.dimensions.count > 0 ? add_item(plan, item, error) : STATUS_OK;
    if (status != STATUS_OK || item.cell.dimensions.count == 0)
        free(item.own);
    return status;
}

/* The cells at each of the spec's steps: by exact laws and by every number of chains. */
static enum status add_steps(struct plan *plan, const struct cell *cell, const bool *has_law, size_t pursuit,
                             struct error *error)
{
    const struct spec *spec = plan->spec;
    double *chain = spec->chain_count > 0 ? costs_of_chain(spec, cell->target) : NULL;
    enum status status = spec->chain_count == 0 || chain != NULL ? STATUS_OK : no_memory(plan, error);
    for (size_t i = 0; i < spec->step_count && status == STATUS_OK; i++) {
        struct item item = {.cell = *cell, .pursuit = pursuit, .asked = true};
        item.cell.steps = spec->steps[i];
        item.cell.dimensions = spec->step_dimensions[i];
        status = add_law(plan, item, has_law, error);
        item.pursuit = SIZE_MAX;
        for (size_t n = 0; n < spec->chain_count && status == STATUS_OK; n++) {
            item.cell.chains = spec->chains[n];
            item.cost = cost_of_cell(&item.cell, chain);
            status = add_item(plan, item, error);
        }
    }
    free(chain);
    return status;
}

/* With exact scores in every dimension: the spec was refused if there is no law. */
static enum status new_pursuit(struct plan *plan, size_t target, size_t sampler, size_t score_error,
                               const bool *has_law, struct error *error)
{
    const struct spec *spec = plan->spec;
    struct pursuit *pursuit = &plan->pursuits[plan->pursuit_count++];
    *pursuit = (struct pursuit){.target = target, .sampler = sampler, .score_error = score_error};
    pursuit->searched = array_new(spec->dimension_count, sizeof *pursuit->searched);
    pursuit->attempts = array_new(spec->dimension_count, spec->accuracy_count * sizeof *pursuit->attempts);
    pursuit->knows = array_new(spec->dimension_count, sizeof *pursuit->knows);
    pursuit->group = array_new(spec->dimension_count, sizeof *pursuit->group);
    if (pursuit->searched == NULL || pursuit->attempts == NULL || pursuit->knows == NULL || pursuit->group == NULL)
        return no_memory(plan, error);
    for (size_t d = 0; d < spec->dimension_count; d++)
        pursuit->searched[d] = score_error == 0 || has_law[d];
    pursuit->dear = cost_of_law(spec, target, score_error, FIRST_STEPS) > DEAR_LAW;
    return measure_groups(&spec->targets[target], spec->samplers[sampler], &spec->score_errors[score_error],
                          spec->dimensions, spec->dimension_count, pursuit->group, error);
}

static const struct grid *grid_of(const struct plan *plan, const struct pursuit *pursuit)
{
    return &plan->grids[plan->spec->sampler_schedule[pursuit->sampler]];
}

/* Whether the spec gives steps in a dimension. */
static bool has_steps(const struct spec *spec, size_t dimension)
{
    for (size_t i = 0; i < spec->step_count; i++)
        if (dimensions_find(&spec->step_dimensions[i], dimension) < spec->step_dimensions[i].count)
            return true;
    return false;
}

/* The grid up to FIRST_STEPS; of dear laws its last T alone, in dimensions for which the spec gives none. */
static enum status add_first_steps(struct plan *plan, size_t index, struct error *error)
{
    const struct spec *spec = plan->spec;
    const struct pursuit *pursuit = &plan->pursuits[index];
    const struct grid *grid = grid_of(plan, pursuit);
    const size_t known = pursuit->count;
    size_t count = 1;
    while (count < grid->count && grid->steps[count] <= FIRST_STEPS)
        count++;
    for (size_t i = pursuit->dear ? count - 1 : 0; i < count; i++)
        for (size_t d = 0; d < spec->dimension_count; d++)
            if (pursuit->searched[d] && (!pursuit->dear || !has_steps(spec, spec->dimensions[d])))
                TRY(want(plan, index, known, d, grid->steps[i], error));
    return STATUS_OK;
}

/* Under a score error T(d, eps) is searched where there are laws. */
static enum status add_cells(struct plan *plan, size_t target, size_t sampler, size_t score_error,
                             struct error *error)
{
    const struct spec *spec = plan->spec;
    const struct cell cell = {spec, target, sampler, score_error, 0, 0, spec_dimensions(spec)};
    bool *has_law = cell_laws(&cell), searched = score_error == 0;
    enum status status = has_law != NULL ? STATUS_OK : no_memory(plan, error);
    for (size_t d = 0; d < spec->dimension_count && status == STATUS_OK; d++)
        searched = searched || has_law[d];
    searched = searched && spec->accuracy_count > 0;
    const size_t pursuit = searched ? plan->pursuit_count : SIZE_MAX;
    if (status == STATUS_OK && searched)
        status = new_pursuit(plan, target, sampler, score_error, has_law, error);
    if (status == STATUS_OK)
        status = add_steps(plan, &cell, has_law, pursuit, error);
    free(has_law);
    return status == STATUS_OK && searched ? add_first_steps(plan, pursuit, error) : status;
}

static enum status add_all(struct plan *plan, struct error *error)
{
    const struct spec *spec = plan->spec;
    for (size_t target = 0; target < spec->target_count; target++)
        for (size_t sampler = 0; sampler < spec->sampler_count; sampler++)
            for (size_t e = 0; e < spec->score_error_count; e++)
                TRY(add_cells(plan, target, sampler, e, error));
    return STATUS_OK;
}

/* What the search for T(d, eps) is predicted to cost beyond the cells that it begins with: the rest of the grid,
 * and a cell at its middle for each bracket. */
static double pursuit_cost(const struct plan *plan, const struct pursuit *pursuit)
{
    const struct spec *spec = plan->spec;
    double brackets = (double)(spec->dimension_count * spec->accuracy_count);
    const struct grid *grid = grid_of(plan, pursuit);
    double cost = brackets * cost_of_law(spec, pursuit->target, pursuit->score_error, grid->steps[grid->count / 2]);
    for (size_t i = 0; i < grid->count && !pursuit->dear; i++)
        if (grid->steps[i] > FIRST_STEPS)
            cost += cost_of_law(spec, pursuit->target, pursuit->score_error, grid->steps[i]);
    return cost;
}

/* Pieces: each item known now, and for each pursuit all that will follow. */
static enum status share_items(struct plan *plan, size_t shares, struct error *error)
{
    struct piece *pieces = array_new(plan->count + plan->pursuit_count, sizeof *pieces);
    size_t count = 0;
    if (pieces == NULL)
        return no_memory(plan, error);
    for (size_t i = 0; i < plan->count; i++)
        pieces[count++] = (struct piece){.cost = plan->items[i].cost, .index = i};
    for (size_t i = 0; i < plan->pursuit_count; i++) {
        plan->pursuits[i].cost = pursuit_cost(plan, &plan->pursuits[i]);
        pieces[count++] = (struct piece){.cost = plan->pursuits[i].cost, .index = plan->count + i};
    }
    enum status status = share_out(pieces, count, shares, error);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        *(pieces[i].index < plan->count ? &plan->items[pieces[i].index].share
                                        : &plan->pursuits[pieces[i].index - plan->count].share) = pieces[i].share;
    free(pieces);
    return status;
}

enum status plan_new(const struct spec *spec, size_t shares, struct plan *out, struct error *error)
{
    *out = (struct plan){.spec = spec};
    out->grids = array_new(spec->schedule_count, sizeof *out->grids);
    out->pursuits =
        spec->accuracy_count > 0
            ? array_new(spec->target_count, spec->sampler_count * spec->score_error_count * sizeof *out->pursuits)
            : array_new(0, sizeof *out->pursuits);
    if (out->grids == NULL || out->pursuits == NULL)
        return no_memory(out, error);
    for (size_t i = 0; i < spec->schedule_count && spec->accuracy_count > 0; i++)
        TRY(grid_make(spec, i, 1, &out->grids[i], error));
    TRY(add_all(out, error));
    return share_items(out, shares, error);
}

void plan_free(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        free(plan->items[i].own);
        free(plan->items[i].known);
        free(plan->items[i].rows);
        free(plan->items[i].failure);
    }
    for (size_t i = 0; i < plan->pursuit_count; i++) {
        free(plan->pursuits[i].items);
        free(plan->pursuits[i].searched);
        free(plan->pursuits[i].attempts);
        free(plan->pursuits[i].knows);
        free(plan->pursuits[i].group);
    }
    free(plan->items);
    free(plan->pursuits);
    for (size_t i = 0; plan->grids != NULL && i < plan->spec->schedule_count; i++)
        free(plan->grids[i].steps);
    free(plan->grids);
    *plan = (struct plan){.spec = NULL};
}

/* The item's row in the spec's dimension of this index; NULL where there is none. */
static const struct record *row_in(const struct plan *plan, const struct item *item, size_t dimension)
{
    const struct dimensions *list = &item->cell.dimensions;
    size_t i = dimensions_find(list, plan->spec->dimensions[dimension]);
    return item->rows != NULL && i < list->count ? &item->rows[i] : NULL;
}

void plan_settle(struct plan *plan, size_t index, enum item_state state, struct record *rows, char *failure)
{
    struct item *item = &plan->items[index];
    item->state = state;
    item->rows = rows;
    item->failure = failure;
    if (item->pursuit == SIZE_MAX)
        return;
    struct pursuit *pursuit = &plan->pursuits[item->pursuit];
    pursuit->outstanding--;
    for (size_t i = 0; i < plan->spec->dimension_count; i++) {
        const struct record *row = row_in(plan, item, i);
        pursuit->knows[i] = pursuit->knows[i] || (row != NULL && row->failure[0] == '\0');
    }
}

/* Nonzero if a search for T(d, eps) goes around what failed in this dimension. */
static bool is_gone_around(const struct plan *plan, const struct item *item, size_t dimension)
{
    return !item->asked && item->pursuit != SIZE_MAX && plan->pursuits[item->pursuit].knows[dimension];
}

static bool row_failed(const struct plan *plan, const struct item *item, size_t dimension, bool refused)
{
    const struct record *row = row_in(plan, item, dimension);
    return row != NULL && row->failure[0] != '\0' && is_gone_around(plan, item, dimension) == refused;
}

bool plan_has_failed(const struct plan *plan, size_t index)
{
    const struct item *item = &plan->items[index];
    if (item->rows == NULL)
        return item->state == ITEM_FAILED;
    for (size_t i = 0; i < plan->spec->dimension_count; i++)
        if (row_failed(plan, item, i, false))
            return true;
    return false;
}

/* Whether all dimensions of the spec failed, and for one reason. */
static bool all_failed_alike(const struct plan *plan, const struct item *item, bool refused)
{
    for (size_t i = 0; i < plan->spec->dimension_count; i++)
        if (!row_failed(plan, item, i, refused) || strcmp(item->rows[i].failure, item->rows[0].failure) != 0)
            return false;
    return true;
}

static void put_failures(const struct plan *plan, const struct item *item, const char *key, bool refused,
                         FILE *stream)
{
    const struct dimensions *list = &item->cell.dimensions;
    bool has_all = list->count == plan->spec->dimension_count;
    if (item->failure != NULL && !refused && has_all)
        fprintf(stream, "%s: %s\n", key, item->failure);
    for (size_t i = 0; i < list->count && item->failure != NULL && !refused && !has_all; i++)
        fprintf(stream, "%s d=%zu: %s\n", key, list->of[i], item->failure);
    if (item->rows == NULL)
        return;
    if (all_failed_alike(plan, item, refused)) {
        fprintf(stream, "%s: %s\n", key, item->rows[0].failure);
        return;
    }
    for (size_t i = 0; i < plan->spec->dimension_count; i++)
        if (row_failed(plan, item, i, refused))
            fprintf(stream, "%s d=%zu: %s\n", key, plan->spec->dimensions[i], row_in(plan, item, i)->failure);
}

/* As a whole, or in a dimension, be it that a search went around it. */
static bool something_failed(const struct item *item)
{
    return item->failure != NULL || (item->rows != NULL && cell_has_failures(&item->cell, item->rows));
}

char *plan_failures(const struct plan *plan, bool refused)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    struct error ignored;
    for (size_t i = 0; stream != NULL && i < plan->count; i++) {
        const struct item *item = &plan->items[i];
        char key[CELL_KEY_SIZE];
        if (something_failed(item) && cell_key(&item->cell, key, &ignored) == STATUS_OK)
            put_failures(plan, item, key, refused, stream);
    }
    if (stream != NULL && fclose(stream) == 0)
        return text;
    free(text);
    return NULL;
}

/* The divergences of a pursuit in one dimension, by increasing steps, NaN where there is no law. Returns how many:
 * not those of cells without the dimension. */
static size_t collect(const struct plan *plan, const struct pursuit *pursuit, size_t known, size_t dimension,
                      struct point *points)
{
    size_t count = 0;
    for (size_t i = 0; i < known; i++) {
        const struct item *item = &plan->items[pursuit->items[i]];
        const struct record *row = row_in(plan, item, dimension);
        if (dimensions_find(&item->cell.dimensions, plan->spec->dimensions[dimension]) == item->cell.dimensions.count)
            continue;
        struct point point = {item->cell.steps, NAN, NAN, NAN};
        if (row != NULL && row->failure[0] == '\0') {
            const double *value = quantity_of(plan->spec->accuracy_in, row);
            point = (struct point){item->cell.steps, row->step_size, value[0], value[1]};
        }
        size_t at = count++;
        for (; at > 0 && points[at - 1].steps > point.steps; at--)
            points[at] = points[at - 1];
        points[at] = point;
    }
    return count;
}

/* The next T above all that are known, none of which passes; 0: there is none. */
static size_t next_above(const struct pursuit *pursuit, const struct grid *grid, const struct bracket *bracket)
{
    size_t next = 0;
    while (next < grid->count && grid->steps[next] <= bracket->tried)
        next++;
    if (next == grid->count)
        return 0;
    if (!pursuit->dear || pursuit->rounds >= FOLLOWED_ROUNDS || !isfinite(bracket->beyond))
        return grid->steps[next];
    const double tried = (double)bracket->tried,
                 guess = fmin(fmax(ceil(bracket->beyond), tried + 1.0), FARTHEST * tried);
    return (size_t)fmin(guess, (double)grid->steps[grid->count - 1]);
}

/* The next T of a search of dear laws below all that are known, the first of which passes; 0: there is none. */
static size_t next_below(const struct pursuit *pursuit, const struct grid *grid, const struct bracket *bracket)
{
    size_t next = grid->count;
    while (next > 0 && grid->steps[next - 1] >= bracket->passes)
        next--;
    if (!pursuit->dear || next == 0)
        return 0;
    if (pursuit->rounds >= FOLLOWED_ROUNDS || !isfinite(bracket->beyond))
        return grid->steps[next - 1];
    const double passes = (double)bracket->passes,
                 guess = fmin(fmax(ceil(bracket->beyond), passes / FARTHEST), passes - 1.0);
    return (size_t)fmax(guess, (double)grid->steps[0]);
}

/* What one T(d, eps) still needs; 0: nothing. */
static size_t next_steps(const struct pursuit *pursuit, const struct grid *grid, const struct bracket *bracket)
{
    const bool held_up = pursuit->score_error > 0 && bracket->floor > 0.0;
    if (bracket->reach == REACH_BEYOND)
        return held_up ? 0 : next_above(pursuit, grid, bracket);
    return bracket->reach == REACH_AT_START && bracket->tried == 0 ? next_below(pursuit, grid, bracket)
                                                                   : bracket->want;
}

/* Whether a round has wanted a T of a dimension's group. */
static bool is_wanted(const struct plan *plan, const struct pursuit *pursuit, size_t known, size_t dimension)
{
    for (size_t i = known; i < pursuit->count; i++) {
        const struct dimensions *list = &plan->items[pursuit->items[i]].cell.dimensions;
        if (dimensions_find(list, plan->spec->dimensions[dimension]) < list->count)
            return true;
    }
    return false;
}

/* What all T(d, eps) need next beside the items that are known: those that are sure to be the answer or go on to
 * other T, else, in the first rounds, one a group. */
static enum status want_next(struct plan *plan, size_t index, size_t known, bool sure, struct point *points,
                             struct error *error)
{
    const struct spec *spec = plan->spec;
    struct pursuit *pursuit = &plan->pursuits[index];
    for (size_t d = 0; d < spec->dimension_count; d++) {
        const size_t count = collect(plan, pursuit, known, d, points);
        for (size_t e = 0; e < spec->accuracy_count && pursuit->searched[d]; e++) {
            size_t *attempts = &pursuit->attempts[d * spec->accuracy_count + e];
            const struct bracket bracket = bracket_find(points, count, spec->accuracies[e], *attempts);
            const size_t next = next_steps(pursuit, grid_of(plan, pursuit), &bracket);
            if (next == 0 || (bracket.want == 0 || bracket.sure) != sure
                || (!sure && pursuit->rounds < SEPARATE_ROUNDS && is_wanted(plan, pursuit, known, d)))
                continue;
            *attempts += bracket.want > 0;
            TRY(want(plan, index, known, d, next, error));
        }
    }
    return STATUS_OK;
}

enum status plan_pursue(struct plan *plan, size_t index, struct error *error)
{
    struct pursuit *pursuit = &plan->pursuits[index];
    size_t known = pursuit->count; /* cells added below have no rows yet */
    if (pursuit->ended || pursuit->outstanding > 0)
        return STATUS_OK;
    struct point *points = array_new(known, sizeof *points);
    enum status status = points != NULL ? STATUS_OK : no_memory(plan, error);
    TRY_OR(done, status);
    TRY_OR(done, want_next(plan, index, known, true, points, error));
    TRY_OR(done, want_next(plan, index, known, false, points, error));
done:
    free(points);
    pursuit->ended = pursuit->count == known || ++pursuit->rounds == MOST_ROUNDS;
    return status;
}

static int by_cell(const void *a, const void *b)
{
    const struct cell *x = &((const struct item *)a)->cell, *y = &((const struct item *)b)->cell;
    const size_t keys[][2] = {
        {x->target, y->target}, {x->sampler, y->sampler}, {x->score_error, y->score_error},
        {x->chains, y->chains}, {x->steps, y->steps},     {x->dimensions.of[0], y->dimensions.of[0]}};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (keys[i][0] != keys[i][1])
            return keys[i][0] < keys[i][1] ? -1 : 1;
    return 0;
}

void plan_sort(struct plan *plan)
{
    qsort(plan->items, plan->count, sizeof *plan->items, by_cell);
}

const struct record **plan_rows(const struct plan *plan, size_t *count)
{
    size_t most = 0;
    for (size_t i = 0; i < plan->count; i++)
        most += plan->items[i].cell.dimensions.count;
    const struct record **rows = array_new(most, sizeof *rows);
    *count = 0;
    for (size_t i = 0; rows != NULL && i < plan->count; i++) {
        const struct item *item = &plan->items[i];
        for (size_t d = 0; d < item->cell.dimensions.count && item->rows != NULL; d++)
            if (item->rows[d].failure[0] == '\0')
                rows[(*count)++] = &item->rows[d];
    }
    return rows;
}

enum status plan_manifest(const struct plan *plan, char **out, struct error *error)
{
    struct cell *failed = array_new(plan->count, sizeof *failed);
    size_t count = 0;
    if (failed == NULL)
        return no_memory(plan, error);
    for (size_t i = 0; i < plan->count; i++)
        if (something_failed(&plan->items[i]))
            failed[count++] = plan->items[i].cell;
    enum status status = manifest_write(plan->spec, failed, count, out, error);
    free(failed);
    return status;
}
